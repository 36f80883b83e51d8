//! What a database says of itself, for the check of an installation. Never data of a tenant.

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

/// How a SQLite file is written, as it was left: `wal`, once a server has opened it where the file
/// system can do that. Nothing on PostgreSQL, where it is the server's own setting.
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

/// The clock of PostgreSQL's machine, in seconds since 1970. SQLite has none but ours.
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
