//! Runs the schema's migrations, and checks what a server needs of its database before it starts.
//! Reads no table of a noun.

use std::path::Path;

use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

pub use super::composing::LeftLogin;
use super::composing::{History, compose_all};
use super::connection::{AnyConnection, Connector, DatabaseUrl, Use};
use super::error::StoreError;
use super::extension::extension_steps_fill;
use super::given_back::given_back_fill;
use super::received_days::received_days_fill;
pub use super::requirement::{MigrationError, Requirement};
use super::{backup, file, security};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

impl From<diesel::result::Error> for MigrationError {
    fn from(error: diesel::result::Error) -> MigrationError {
        MigrationError::Store(error.into())
    }
}

fn open(url: &DatabaseUrl, purpose: Use) -> Result<AnyConnection, MigrationError> {
    if let DatabaseUrl::Sqlite { path } = url
        && !Path::new(path).exists()
    {
        return Err(MigrationError::Missing(path.clone()));
    }
    let opened = Connector::to(url, purpose).open();
    opened.map_err(|error| MigrationError::Open {
        url: url.clone(),
        reason: error.to_string().trim().to_owned(),
    })
}

/// Makes the file of a new SQLite database, empty and readable by its owner only. Does nothing on
/// PostgreSQL, where an administrator makes the database.
///
/// # Errors
/// [`MigrationError::AlreadyThere`], or the reason why the file cannot be made.
pub fn make_database(url: &DatabaseUrl) -> Result<(), MigrationError> {
    match url {
        DatabaseUrl::Sqlite { path } if is_there(url) => {
            Err(MigrationError::AlreadyThere(path.clone()))
        }
        DatabaseUrl::Sqlite { path } => Ok(file::make(Path::new(path))?),
        DatabaseUrl::Postgresql { .. } => Ok(()),
    }
}

/// Returns true if there is a database. Always true on PostgreSQL, where it exists before this
/// program runs.
pub fn is_there(url: &DatabaseUrl) -> bool {
    match url {
        DatabaseUrl::Sqlite { path } => file::is_there(Path::new(path)),
        DatabaseUrl::Postgresql { .. } => true,
    }
}

/// Checks a database for a command and migrates a SQLite file. Returns what [`migrate`] returns.
///
/// # Errors
/// The first requirement that is not met.
pub fn prepare(url: &DatabaseUrl) -> Result<Vec<LeftLogin>, MigrationError> {
    if is_to_migrate(url)? {
        migrate(url, url)
    } else {
        Ok(Vec::new())
    }
}

/// Checks a database for a server as [`prepare`] does for a command, and reads a whole SQLite file
/// for damage before anything is written to it.
///
/// # Errors
/// The first requirement that is not met.
pub fn prepare_to_serve(url: &DatabaseUrl) -> Result<Vec<LeftLogin>, MigrationError> {
    let is_to_migrate = is_to_migrate(url)?;
    check_pages(url)?;
    if is_to_migrate {
        migrate(url, url)
    } else {
        Ok(Vec::new())
    }
}

/// Returns true for an outdated SQLite file, which any user may migrate. On PostgreSQL only the
/// schema's owner may, so an outdated schema is an error.
fn is_to_migrate(url: &DatabaseUrl) -> Result<bool, MigrationError> {
    match (check(url), url) {
        (Err(MigrationError::Outdated(_)), DatabaseUrl::Sqlite { .. }) => Ok(true),
        (checked, _) => checked.map(|()| false),
    }
}

/// Reads a SQLite file from end to end. Does nothing on PostgreSQL, which checks its own pages.
///
/// # Errors
/// [`MigrationError::Damaged`].
pub fn check_pages(url: &DatabaseUrl) -> Result<(), MigrationError> {
    let DatabaseUrl::Sqlite { path } = url else {
        return Ok(());
    };
    let damaged = |damage: String| MigrationError::Damaged {
        path: path.clone(),
        damage,
    };
    match backup::first_damage(path) {
        Ok(None) => Ok(()),
        Ok(Some(damage)) => Err(damaged(damage)),
        Err(StoreError::Statement(error)) => Err(damaged(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Migrates the schema and composes names and logins. Returns the logins that could not be
/// composed. On PostgreSQL `owner` is the schema's owner, and the role of `server` is granted the
/// rights that a server needs.
///
/// # Errors
/// [`MigrationError`]. Completed migrations stay, and a second run continues from there.
pub fn migrate(
    owner: &DatabaseUrl,
    server: &DatabaseUrl,
) -> Result<Vec<LeftLogin>, MigrationError> {
    let mut connection = open(owner, Use::Migrate)?;
    refuse_newer(&mut connection)?;
    run_pending(&mut connection)?;
    if let AnyConnection::Postgresql(own) = &mut connection {
        security::secure(own, &role_of(server)?)?;
    }
    // The migration has composed these already; this run only reports the logins that were left.
    compose_all_at_once(&mut connection)
}

/// Reverts all migrations, for tests of the way down.
///
/// # Errors
/// As [`migrate`].
pub fn revert_all(owner: &DatabaseUrl) -> Result<(), MigrationError> {
    let mut connection = open(owner, Use::Migrate)?;
    on_backend!(&mut connection, |own| own
        .revert_all_migrations(MIGRATIONS)
        .map(|_| ()))
    .map_err(|error| MigrationError::Failed(error.to_string()))
}

/// The migration after which the days on which submissions came in are filled in.
const CORRECTIONS: &str = "00000000000008";
/// The migration after which texts are composed.
const COMPOSED_TEXTS: &str = "00000000000009";
/// The migration after which what units have still to answer is filled in, and the history of
/// extensions begins.
const GIVEN_BACK: &str = "00000000000018";

#[expect(
    clippy::disallowed_methods,
    reason = "migrations run before any tenant's door can be opened"
)]
fn compose_all_at_once(connection: &mut AnyConnection) -> Result<Vec<LeftLogin>, MigrationError> {
    connection.transaction(|connection| Ok(compose_all(connection, History::Kept)?))
}

#[expect(
    clippy::disallowed_methods,
    reason = "migrations run before any tenant's door can be opened"
)]
fn run_pending(connection: &mut AnyConnection) -> Result<(), MigrationError> {
    let applied = applied_versions(connection)?;
    let pending = known_versions()?.into_iter();
    for version in pending.filter(|version| !applied.contains(version)) {
        // One transaction, so that a migration's schema and the data it fills in appear together.
        connection.transaction(|connection| {
            run_next(connection)?;
            match version.as_str() {
                CORRECTIONS => received_days_fill(connection)?,
                COMPOSED_TEXTS => {
                    compose_all(connection, History::NotYet)?;
                }
                GIVEN_BACK => {
                    given_back_fill(connection)?;
                    extension_steps_fill(connection)?;
                }
                _ => {}
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
/// The first requirement that is not met.
pub fn check(server: &DatabaseUrl) -> Result<(), MigrationError> {
    check_each(server)?
        .into_iter()
        .try_for_each(|(_, outcome)| outcome)
}

/// Checks every requirement that a server has of its database.
///
/// # Errors
/// [`MigrationError::Open`] or [`MigrationError::Missing`], if nothing can be checked.
pub fn check_each(server: &DatabaseUrl) -> Result<Vec<Requirement>, MigrationError> {
    let mut checked = Vec::new();
    if let DatabaseUrl::Sqlite { path } = server {
        if !is_there(server) {
            return Err(MigrationError::Missing(path.clone()));
        }
        let access = file::check_access(Path::new(path));
        let is_open = access.is_ok();
        checked.push(("access", access.map_err(MigrationError::from)));
        if !is_open {
            return Ok(checked);
        }
    }
    let mut connection = open(server, Use::Inspect)?;
    if let AnyConnection::Postgresql(own) = &mut connection {
        checked.extend(security::requirements(own));
    }
    let versions = check_versions(server, &mut connection);
    let is_current = versions.is_ok();
    checked.push(("schema", versions));
    if let (AnyConnection::Postgresql(own), true) = (&mut connection, is_current) {
        checked.extend(security::check_tables(own));
    }
    Ok(checked)
}

/// Compares the list of migrations with the program's. Only reads the list, which the server's role
/// may not write.
fn check_versions(
    server: &DatabaseUrl,
    connection: &mut AnyConnection,
) -> Result<(), MigrationError> {
    #[derive(QueryableByName)]
    struct AppliedMigration {
        #[diesel(sql_type = diesel::sql_types::Text)]
        version: String,
    }
    let select = diesel::sql_query("SELECT version FROM __diesel_schema_migrations");
    let applied: Vec<String> = on_backend!(connection, |own| select.load::<AppliedMigration>(own))
        .map_err(|error| match server {
            DatabaseUrl::Sqlite { path } => not_ours(path, &error),
            DatabaseUrl::Postgresql { .. } => MigrationError::Outdated(error.to_string()),
        })?
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

/// Returns the reason for which a SQLite file's list of migrations cannot be read.
fn not_ours(path: &str, error: &diesel::result::Error) -> MigrationError {
    let reason = error.to_string();
    if reason.contains("no such table") {
        return MigrationError::NotOurs(path.to_owned());
    }
    MigrationError::Damaged {
        path: path.to_owned(),
        damage: reason,
    }
}

/// Returns the role that the server will use. If that is the schema's owner, it stays so, and a
/// server that starts with it refuses.
fn role_of(server: &DatabaseUrl) -> Result<String, MigrationError> {
    match open(server, Use::Inspect)? {
        AnyConnection::Postgresql(mut own) => security::current_role(&mut own),
        AnyConnection::Sqlite(_) => Err(MigrationError::Failed(
            "DATABASE_URL is not PostgreSQL, TONGHOP_OWNER_URL is".to_owned(),
        )),
    }
}
