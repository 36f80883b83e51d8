//! A consistent copy of a SQLite database in use. Knows no tables.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::error::StoreError;
use super::file;

/// Copies the database `from` into the empty file `to`. The copy is what one read transaction sees:
/// in WAL mode it neither waits for a writer nor blocks one, and one pass suffices however much is
/// written meanwhile. SQLite's backup API would start over at every commit of another process.
pub fn copy(from: &str, to: &str) -> Result<(), StoreError> {
    let mut connection = open(from)?;
    diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(to)
        .execute(&mut connection)?;
    Ok(())
}

#[derive(QueryableByName)]
struct IntegrityRow {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// Lists the damage that SQLite finds in a database file; empty if the file is sound.
pub fn damages(path: &str) -> Result<Vec<String>, StoreError> {
    let mut connection = open(path)?;
    let findings: Vec<IntegrityRow> =
        diesel::sql_query("PRAGMA integrity_check").load(&mut connection)?;
    let findings = findings.into_iter().map(|row| row.integrity_check);
    Ok(findings.filter(|finding| finding != "ok").collect())
}

/// Returns the first damage found by reading the file's pages only. Unlike [`damages`], it does not
/// compare rows with their indices.
pub fn first_damage(path: &str) -> Result<Option<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Quick {
        #[diesel(sql_type = Text)]
        quick_check: String,
    }
    let mut connection = open(path)?;
    let found: Quick = diesel::sql_query("PRAGMA quick_check(1)").get_result(&mut connection)?;
    let found = found.quick_check.replace('\n', " ");
    Ok(Some(found).filter(|found| found != "ok"))
}

/// Opens the file unchanged: a server's connection would turn on WAL, and a migration must not run
/// on a copy.
fn open(path: &str) -> Result<SqliteConnection, StoreError> {
    if !Path::new(path).exists() {
        return Err(StoreError::Unavailable(format!("there is no {path}")));
    }
    let mut connection = SqliteConnection::establish(&file::address(path))
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    connection.batch_execute("PRAGMA busy_timeout = 10000")?;
    Ok(connection)
}
