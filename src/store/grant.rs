//! Queries on grants.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::key::BATCH;
use super::schema::account_grant;
use crate::authz::{Grant, Reach};
use crate::domain::id::{AccountId, GrantId};
use crate::domain::unit::{BEGINNING, Validity};

/// A stored grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptGrant {
    pub id: GrantId,
    pub account: AccountId,
    pub grant: Grant,
    /// The rev of the commit that made the grant.
    pub rev: i64,
}

impl KeptGrant {
    /// Makes a grant to give in the commit of `rev`.
    pub fn new(account: AccountId, grant: Grant, rev: i64) -> KeptGrant {
        KeptGrant {
            id: GrantId::new(),
            account,
            grant,
            rev,
        }
    }
}

type Row = (
    String,
    String,
    String,
    Option<String>,
    Option<NaiveDate>,
    Option<NaiveDate>,
    i64,
);

const COLUMNS: (
    account_grant::grant_id,
    account_grant::account_id,
    account_grant::role,
    account_grant::unit_id,
    account_grant::valid_from,
    account_grant::valid_to,
    account_grant::rev,
) = (
    account_grant::grant_id,
    account_grant::account_id,
    account_grant::role,
    account_grant::unit_id,
    account_grant::valid_from,
    account_grant::valid_to,
    account_grant::rev,
);

fn read((id, account, role, unit, from, to, rev): Row) -> Result<KeptGrant, StoreError> {
    let reach = match unit {
        None => Reach::Tenant,
        Some(unit) => Reach::Subtree(parsed(&unit, "unit id")?),
    };
    Ok(KeptGrant {
        id: parsed(&id, "grant id")?,
        account: parsed(&account, "account id")?,
        grant: Grant {
            role: parsed(&role, "role")?,
            reach,
            days: Validity {
                from: from.unwrap_or(BEGINNING),
                to,
            },
        },
        rev,
    })
}

/// Selects a grant's row.
#[diesel::dsl::auto_type]
fn grant_row<'q>(tenant: &'q str, id: &'q str) -> _ {
    account_grant::table.filter(
        account_grant::tenant_id
            .eq(tenant)
            .and(account_grant::grant_id.eq(id)),
    )
}

/// Reads the grants of all accounts.
pub fn grants(transaction: &mut Transaction<'_>) -> Result<Vec<KeptGrant>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = account_grant::table
        .filter(account_grant::tenant_id.eq(tenant))
        .order(account_grant::grant_id)
        .select(COLUMNS)
        .load::<Row>(connection)?;
    rows.into_iter().map(read).collect()
}

/// Reads the grants of some accounts, at most a few hundred, in the order in which they were given.
pub fn grants_of_accounts(
    transaction: &mut Transaction<'_>,
    accounts: &[AccountId],
) -> Result<Vec<KeptGrant>, StoreError> {
    let accounts: Vec<String> = accounts.iter().map(ToString::to_string).collect();
    let (tenant, connection) = transaction.parts();
    let rows = account_grant::table
        .filter(
            account_grant::tenant_id
                .eq(tenant)
                .and(account_grant::account_id.eq_any(accounts)),
        )
        .order(account_grant::grant_id)
        .select(COLUMNS)
        .load::<Row>(connection)?;
    rows.into_iter().map(read).collect()
}

#[derive(Insertable)]
#[diesel(table_name = account_grant, treat_none_as_default_value = false)]
struct NewGrantRow<'a> {
    tenant_id: &'a str,
    grant_id: String,
    account_id: String,
    role: &'a str,
    unit_id: Option<String>,
    valid_from: Option<NaiveDate>,
    valid_to: Option<NaiveDate>,
    rev: i64,
}

pub fn grant_insert(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    grant: &Grant,
    rev: i64,
) -> Result<KeptGrant, StoreError> {
    let new = KeptGrant::new(account, grant.clone(), rev);
    grants_insert(transaction, [&new])?;
    Ok(new)
}

/// Adds grants, many with one statement.
pub fn grants_insert<'a>(
    transaction: &mut Transaction<'_>,
    new: impl IntoIterator<Item = &'a KeptGrant>,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = new.into_iter().map(|new| NewGrantRow {
        tenant_id: tenant,
        grant_id: new.id.to_string(),
        account_id: new.account.to_string(),
        role: new.grant.role.as_str(),
        unit_id: new.grant.unit().map(|unit| unit.to_string()),
        valid_from: Some(new.grant.days.from).filter(|from| *from > BEGINNING),
        valid_to: new.grant.days.to,
        rev: new.rev,
    });
    let rows: Vec<NewGrantRow<'_>> = rows.collect();
    for batch in rows.chunks(BATCH) {
        on_backend!(connection, |own| {
            diesel::insert_into(account_grant::table)
                .values(batch)
                .execute(own)
        })?;
    }
    Ok(())
}

/// Ends a grant on its last day.
pub fn grant_close(
    transaction: &mut Transaction<'_>,
    id: GrantId,
    last: NaiveDate,
    rev: i64,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::update(grant_row(tenant, &id.to_string()))
        .set((account_grant::valid_to.eq(last), account_grant::rev.eq(rev)))
        .execute(connection)?;
    Ok(())
}

pub fn grant_delete(transaction: &mut Transaction<'_>, id: GrantId) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::delete(grant_row(tenant, &id.to_string())).execute(connection)?;
    Ok(())
}
