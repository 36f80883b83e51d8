//! Composes names and logins that were stored before texts were kept in Unicode's form C. Prose,
//! documents as sent and password hashes stay as they are.
//!
//! A migration runs this in Rust because SQLite cannot compose. Running it again changes nothing
//! and reports the skipped logins again.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::change::silent_change_insert;
use super::connection::AnyConnection;
use super::error::{StoreError, parsed};
use super::filling::enter;
use crate::domain::text::composed;

/// A tenant's columns that hold names. In a definition, which is JSON, only the names are not
/// ASCII.
const NAMES: [(&str, &str); 6] = [
    ("unit_fact", "name"),
    ("unit_fact", "kind"),
    ("level", "name"),
    ("account", "name"),
    ("indicator_version", "definition"),
    ("form_version", "definition"),
];

/// A login that was left as it is, because its composed form belongs to another account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftLogin {
    pub tenant: String,
    pub login: String,
}

impl fmt::Display for LeftLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LeftLogin { tenant, login } = self;
        write!(
            f,
            "tenant {tenant}: two accounts have the login {login}, written in two ways; both were \
             left, and each is signed in to as it was written"
        )
    }
}

#[derive(QueryableByName)]
struct Tenant {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct KeptText {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Tells whether each commit has a row of history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum History {
    /// The schema does not have it yet.
    NotYet,
    Kept,
}

/// A text to be replaced by another.
struct Rewrite {
    table: &'static str,
    column: &'static str,
    from: String,
    to: String,
}

/// Composes the names and logins of all tenants, in the caller's transaction and as the schema's
/// owner. Returns the logins that were left.
pub(super) fn compose_all(
    connection: &mut AnyConnection,
    history: History,
) -> Result<Vec<LeftLogin>, StoreError> {
    let tenants = "SELECT id, slug, name FROM tenant_registry ORDER BY slug";
    let tenants = diesel::sql_query(tenants);
    let tenants: Vec<Tenant> = on_backend!(connection, |own| tenants.load(own))?;
    let mut left = Vec::new();
    for tenant in tenants {
        let logins = compose(connection, &tenant, history)?;
        left.extend(logins.into_iter().map(|login| LeftLogin {
            tenant: tenant.slug.clone(),
            login,
        }));
    }
    enter(connection, "")?;
    Ok(left)
}

/// Composes the names and logins of one tenant. Returns the logins that were left.
fn compose(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    history: History,
) -> Result<Vec<String>, StoreError> {
    enter(connection, &tenant.id)?;
    let mut changes = Vec::new();
    for (table, column) in NAMES {
        let kept = kept(connection, &tenant.id, table, column)?;
        changes.extend(
            kept.into_iter()
                .filter_map(|text| change(table, column, text)),
        );
    }
    let (logins, left) = logins(kept(connection, &tenant.id, "account", "login")?);
    changes.extend(logins);
    if !changes.is_empty() {
        raise_rev(connection, tenant, history)?;
    }
    for change in &changes {
        write(connection, &tenant.id, change)?;
    }
    if let Cow::Owned(name) = composed(&tenant.name) {
        let update = "UPDATE tenant_registry SET name = $1 WHERE id = $2";
        let update = diesel::sql_query(update).bind::<Text, _>(name);
        let update = update.bind::<Text, _>(&tenant.id);
        on_backend!(connection, |own| update.execute(own))?;
    }
    Ok(left)
}

/// Takes the tenant's row, which is the mutex of all writes, before anything else is written. Raising
/// its counters also makes servers forget their cached tree and catalogue.
fn raise_rev(
    connection: &mut AnyConnection,
    tenant: &Tenant,
    history: History,
) -> Result<(), StoreError> {
    let counted = "UPDATE tenant SET rev = rev + 1, tree_rev = rev + 1, \
                   catalogue_rev = rev + 1 WHERE tenant_id = $1";
    let counted = diesel::sql_query(counted).bind::<Text, _>(&tenant.id);
    on_backend!(connection, |own| counted.execute(own))?;
    match history {
        History::NotYet => Ok(()),
        History::Kept => {
            // The database's clock: a migration is given none.
            let at: NaiveDateTime = on_backend!(connection, |own| {
                diesel::select(diesel::dsl::now).get_result(own)
            })?;
            silent_change_insert(parsed(&tenant.id, "tenant id")?, at, connection)
        }
    }
}

fn change(table: &'static str, column: &'static str, from: String) -> Option<Rewrite> {
    let to = match composed(&from) {
        Cow::Borrowed(_) => return None,
        Cow::Owned(to) => to,
    };
    Some(Rewrite {
        table,
        column,
        from,
        to,
    })
}

/// Splits logins into changes to make, and logins to leave because their composed form is taken.
fn logins(kept: Vec<String>) -> (Vec<Rewrite>, Vec<String>) {
    let mut taken: BTreeSet<String> = kept.iter().cloned().collect();
    let wanted = kept.into_iter();
    let wanted = wanted.filter_map(|login| change("account", "login", login));
    let (changes, left): (Vec<Rewrite>, Vec<Rewrite>) =
        wanted.partition(|change| taken.insert(change.to.clone()));
    (changes, left.into_iter().map(|change| change.to).collect())
}

fn kept(
    connection: &mut AnyConnection,
    tenant: &str,
    table: &str,
    column: &str,
) -> Result<Vec<String>, StoreError> {
    let select = format!(
        "SELECT DISTINCT {column} AS value FROM {table} \
         WHERE tenant_id = $1 AND {column} IS NOT NULL ORDER BY 1"
    );
    let select = diesel::sql_query(select).bind::<Text, _>(tenant);
    let rows: Vec<KeptText> = on_backend!(connection, |own| select.load(own))?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

fn write(connection: &mut AnyConnection, tenant: &str, change: &Rewrite) -> Result<(), StoreError> {
    let Rewrite { table, column, .. } = change;
    let update = format!("UPDATE {table} SET {column} = $1 WHERE tenant_id = $2 AND {column} = $3");
    let update = diesel::sql_query(update)
        .bind::<Text, _>(&change.to)
        .bind::<Text, _>(tenant)
        .bind::<Text, _>(&change.from);
    on_backend!(connection, |own| update.execute(own))?;
    Ok(())
}
