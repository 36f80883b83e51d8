//! Reads what a database says about itself, for the check of an installation. Reads no tenant's
//! data.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::connection::{AnyConnection, Connector, DatabaseUrl, Use};
use super::error::StoreError;

#[derive(QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

#[derive(QueryableByName)]
struct Clock {
    #[diesel(sql_type = BigInt)]
    seconds: i64,
}

fn open(url: &DatabaseUrl) -> Result<AnyConnection, StoreError> {
    let opened = Connector::to(url, Use::Inspect).open();
    opened.map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Returns a SQLite file's journal mode: `wal` once a server has opened it on a file system that
/// supports it. `None` on PostgreSQL, where the database server decides.
pub fn journal_mode(url: &DatabaseUrl) -> Result<Option<String>, StoreError> {
    match open(url)? {
        AnyConnection::Postgresql(_) => Ok(None),
        AnyConnection::Sqlite(mut own) => {
            let pragma = diesel::sql_query("PRAGMA journal_mode");
            let mode: JournalMode = pragma.get_result(&mut own)?;
            Ok(Some(mode.journal_mode))
        }
    }
}

/// Reads the clock of PostgreSQL's machine, in seconds since 1970. `None` on SQLite, which uses
/// this machine's.
pub fn clock(url: &DatabaseUrl) -> Result<Option<i64>, StoreError> {
    match open(url)? {
        AnyConnection::Sqlite(_) => Ok(None),
        AnyConnection::Postgresql(mut own) => {
            let sql = "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint AS seconds";
            let clock: Clock = diesel::sql_query(sql).get_result(&mut own)?;
            Ok(Some(clock.seconds))
        }
    }
}
