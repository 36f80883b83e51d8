//! The schema's migrations, and on PostgreSQL what keeps tenants apart below the program:
//! row-level security, and a server role that owns nothing. Never data of a noun.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{AnyConnection, Connector, DatabaseUrl, Use};
use super::error::StoreError;
use super::receipt::receipts_fill;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Why the schema cannot be brought up to date or be used.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error("cannot open {url}: {reason}")]
    Open { url: DatabaseUrl, reason: String },
    #[error("the migration failed: {0}")]
    Failed(String),
    #[error("the schema is not up to date: run `tonghop migrate` first ({0})")]
    Outdated(String),
    #[error("the schema is newer than this program ({0}); use the newer program")]
    Newer(String),
    #[error(
        "the role of DATABASE_URL must not be a superuser and must not bypass row-level security"
    )]
    RoleTooStrong,
    #[error("the role of DATABASE_URL owns the table {0}; serve with a role that owns nothing")]
    RoleOwns(String),
    #[error("the database's collation is {0}, and keys need C: create it with LC_COLLATE 'C'")]
    Collation(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for MigrationError {
    fn from(error: diesel::result::Error) -> MigrationError {
        MigrationError::Store(error.into())
    }
}

fn open(url: &DatabaseUrl, purpose: Use) -> Result<AnyConnection, MigrationError> {
    let connector = Connector {
        url: url.clone(),
        purpose,
    };
    connector.open().map_err(|error| MigrationError::Open {
        url: url.clone(),
        reason: error.to_string().trim().to_owned(),
    })
}

/// Brings the schema up to date. On PostgreSQL `owner` is the schema's owner, and the role of
/// `server` is granted what a server needs.
///
/// # Errors
/// [`MigrationError`]; what was done before stays done, and running it again goes on from there.
pub fn migrate(owner: &DatabaseUrl, server: &DatabaseUrl) -> Result<(), MigrationError> {
    let mut connection = open(owner, Use::Write)?;
    refuse_newer(&mut connection)?;
    run_pending(&mut connection)?;
    if let AnyConnection::Postgresql(own) = &mut connection {
        secure(own, &role_of(server)?)?;
    }
    Ok(())
}

/// Takes all migrations back: for tests of the way down.
///
/// # Errors
/// As [`migrate`].
pub fn revert_all(owner: &DatabaseUrl) -> Result<(), MigrationError> {
    let mut connection = open(owner, Use::Write)?;
    on_backend!(&mut connection, |own| own
        .revert_all_migrations(MIGRATIONS)
        .map(|_| ()))
    .map_err(|error| MigrationError::Failed(error.to_string()))
}

/// The version of the migration after which the days on which submissions came in are filled in.
const CORRECTIONS: &str = "00000000000008";

#[expect(
    clippy::disallowed_methods,
    reason = "migrations run before any tenant's door can be opened"
)]
fn run_pending(connection: &mut AnyConnection) -> Result<(), MigrationError> {
    let applied = applied_versions(connection)?;
    let pending = known_versions()?.into_iter();
    for version in pending.filter(|version| !applied.contains(version)) {
        // What a migration fills in is there when its schema is, or neither is.
        connection.transaction(|connection| {
            run_next(connection)?;
            if version == CORRECTIONS {
                receipts_fill(connection)?;
            }
            Ok::<_, MigrationError>(())
        })?;
    }
    Ok(())
}

fn run_next(connection: &mut AnyConnection) -> Result<(), MigrationError> {
    on_backend!(connection, |own| own
        .run_next_migration(MIGRATIONS)
        .map(|_| ()))
    .map_err(|error| MigrationError::Failed(error.to_string()))
}

fn known_versions() -> Result<Vec<String>, MigrationError> {
    use diesel::migration::{Migration, MigrationSource};
    let known: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> = MIGRATIONS
        .migrations()
        .map_err(|error| MigrationError::Failed(error.to_string()))?;
    Ok(known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect())
}

fn applied_versions(connection: &mut AnyConnection) -> Result<Vec<String>, MigrationError> {
    let applied = on_backend!(connection, |own| own.applied_migrations())
        .map_err(|error| MigrationError::Failed(error.to_string()))?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

fn refuse_newer(connection: &mut AnyConnection) -> Result<(), MigrationError> {
    let known = known_versions()?;
    match applied_versions(connection)?
        .into_iter()
        .find(|version| !known.contains(version))
    {
        Some(newer) => Err(MigrationError::Newer(newer)),
        None => Ok(()),
    }
}

/// Checks that a server may start on this database.
///
/// # Errors
/// The first thing that is not as it must be.
pub fn check(server: &DatabaseUrl) -> Result<(), MigrationError> {
    check_each(server)?
        .into_iter()
        .try_for_each(|(_, outcome)| outcome)
}

/// Something that a server needs of its database: what it is about, and whether it is so.
pub type Requirement = (&'static str, Result<(), MigrationError>);

/// Everything that a server needs of its database, one by one.
///
/// # Errors
/// [`MigrationError::Open`], where nothing can be asked.
pub fn check_each(server: &DatabaseUrl) -> Result<Vec<Requirement>, MigrationError> {
    let mut connection = open(server, Use::Inspect)?;
    let mut checked = Vec::new();
    if let AnyConnection::Postgresql(own) = &mut connection {
        checked.push(("collation", check_collation(own)));
        checked.push(("role", check_role(own)));
    }
    checked.push(("schema", check_versions(&mut connection)));
    Ok(checked)
}

/// The server's role may not write the table of migrations, so it is only read here.
fn check_versions(connection: &mut AnyConnection) -> Result<(), MigrationError> {
    #[derive(QueryableByName)]
    struct Applied {
        #[diesel(sql_type = diesel::sql_types::Text)]
        version: String,
    }
    let select = diesel::sql_query("SELECT version FROM __diesel_schema_migrations");
    let applied: Vec<String> = on_backend!(connection, |own| select.load::<Applied>(own))
        .map_err(|error| MigrationError::Outdated(error.to_string()))?
        .into_iter()
        .map(|row| row.version)
        .collect();
    let known = known_versions()?;
    if let Some(newer) = applied.iter().find(|version| !known.contains(version)) {
        return Err(MigrationError::Newer(newer.clone()));
    }
    match known.iter().find(|version| !applied.contains(version)) {
        Some(missing) => Err(MigrationError::Outdated(format!("{missing} is missing"))),
        None => Ok(()),
    }
}

fn check_collation(connection: &mut PgConnection) -> Result<(), MigrationError> {
    let collation = text(
        connection,
        "SELECT datcollate::text AS value FROM pg_database WHERE datname = current_database()",
    )?;
    match collation.as_deref() {
        Some("C" | "C.UTF-8" | "C.utf8" | "POSIX") => Ok(()),
        other => Err(MigrationError::Collation(
            other.unwrap_or_default().to_owned(),
        )),
    }
}

fn check_role(connection: &mut PgConnection) -> Result<(), MigrationError> {
    let too_strong = text(
        connection,
        "SELECT rolname::text AS value FROM pg_roles \
         WHERE rolname = current_user AND (rolsuper OR rolbypassrls)",
    )?;
    if too_strong.is_some() {
        return Err(MigrationError::RoleTooStrong);
    }
    let owned = text(
        connection,
        "SELECT tablename::text AS value FROM pg_tables \
         WHERE schemaname = current_schema() AND tableowner = current_user LIMIT 1",
    )?;
    owned.map_or(Ok(()), |table| Err(MigrationError::RoleOwns(table)))
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = diesel::sql_types::Text)]
    value: String,
}

fn text(connection: &mut PgConnection, sql: &str) -> Result<Option<String>, MigrationError> {
    let row: Option<TextRow> = diesel::sql_query(sql).get_result(connection).optional()?;
    Ok(row.map(|row| row.value))
}

/// The role that the server will use. Where it is the owner itself, it stays so; a server that
/// starts with it refuses.
fn role_of(server: &DatabaseUrl) -> Result<String, MigrationError> {
    match open(server, Use::Inspect)? {
        AnyConnection::Postgresql(mut own) => {
            let role = text(&mut own, "SELECT current_user::text AS value")?;
            role.ok_or_else(|| MigrationError::Failed("the server's role has no name".to_owned()))
        }
        AnyConnection::Sqlite(_) => Err(MigrationError::Failed(
            "DATABASE_URL is not PostgreSQL, TONGHOP_OWNER_URL is".to_owned(),
        )),
    }
}

/// Forces row-level security on every table with a tenant, and grants the server's role what it
/// needs. Running it again changes nothing.
fn secure(connection: &mut PgConnection, role: &str) -> Result<(), MigrationError> {
    let role = quoted(role);
    let mut sql = String::new();
    for table in tables_with_tenant(connection)? {
        let table = quoted(&table);
        sql.push_str(&format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; \
             ALTER TABLE {table} FORCE ROW LEVEL SECURITY; \
             DROP POLICY IF EXISTS own_tenant ON {table}; \
             CREATE POLICY own_tenant ON {table} \
                 USING (tenant_id = current_setting('app.tenant', true)); \
             GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}; "
        ));
    }
    sql.push_str(&format!(
        "GRANT SELECT, INSERT ON tenant_registry TO {role}; \
         GRANT SELECT ON __diesel_schema_migrations TO {role};"
    ));
    connection.batch_execute(&format!("BEGIN; {sql} COMMIT;"))?;
    Ok(())
}

fn tables_with_tenant(connection: &mut PgConnection) -> Result<Vec<String>, MigrationError> {
    let rows: Vec<TextRow> = diesel::sql_query(
        "SELECT table_name::text AS value FROM information_schema.columns \
         WHERE table_schema = current_schema() AND column_name = 'tenant_id' ORDER BY 1",
    )
    .load(connection)?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

/// An identifier as SQL text.
fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}
