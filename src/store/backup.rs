//! A consistent copy of a SQLite database in use. Never a query of a noun.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::error::StoreError;
use super::file;

/// Copies the database `from` into the empty file `to`: what one read transaction sees, so in WAL
/// mode neither waits for a writer nor holds one up, and is done after one pass however much is
/// written meanwhile. SQLite's backup API would begin anew with every commit of another process.
pub fn copy(from: &str, to: &str) -> Result<(), StoreError> {
    let mut connection = open(from)?;
    diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(to)
        .execute(&mut connection)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// What SQLite finds wrong with a database file: nothing, if it is whole.
pub fn damages(path: &str) -> Result<Vec<String>, StoreError> {
    let mut connection = open(path)?;
    let findings: Vec<Finding> =
        diesel::sql_query("PRAGMA integrity_check").load(&mut connection)?;
    let findings = findings.into_iter().map(|row| row.integrity_check);
    Ok(findings.filter(|finding| finding != "ok").collect())
}

/// The first thing that is wrong with a database file, where nothing but its pages is read: what
/// stands in them is not compared with what indices say.
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

/// As it is: a server's connection would turn on WAL, and a migration has no place here at all.
fn open(path: &str) -> Result<SqliteConnection, StoreError> {
    if !Path::new(path).exists() {
        return Err(StoreError::Unavailable(format!("there is no {path}")));
    }
    let mut connection = SqliteConnection::establish(&file::address(path))
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    connection.batch_execute("PRAGMA busy_timeout = 10000")?;
    Ok(connection)
}
