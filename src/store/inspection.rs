//! What a database says of itself, for the check of an installation. Never data of a tenant.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::connection::AnyConnection;
use super::database::Database;
use super::error::StoreError;

/// How a server's connection writes to a SQLite file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durability {
    /// `wal`, where the file system can do it.
    pub journal_mode: String,
    /// 2 is FULL: a commit is on the disk before it is acknowledged.
    pub synchronous: i64,
}

#[derive(QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

#[derive(QueryableByName)]
struct Synchronous {
    #[diesel(sql_type = BigInt)]
    synchronous: i64,
}

#[derive(QueryableByName)]
struct Clock {
    #[diesel(sql_type = BigInt)]
    seconds: i64,
}

/// Nothing on PostgreSQL, where it is the server's own setting.
pub fn durability(database: &Database) -> Result<Option<Durability>, StoreError> {
    database.outside(|connection| match connection {
        AnyConnection::Postgresql(_) => Ok(None),
        AnyConnection::Sqlite(own) => {
            let mode: JournalMode = diesel::sql_query("PRAGMA journal_mode").get_result(own)?;
            let level: Synchronous = diesel::sql_query("PRAGMA synchronous").get_result(own)?;
            Ok(Some(Durability {
                journal_mode: mode.journal_mode,
                synchronous: level.synchronous,
            }))
        }
    })
}

/// The clock of PostgreSQL's machine, in seconds since 1970. SQLite has none but ours.
pub fn clock(database: &Database) -> Result<Option<i64>, StoreError> {
    database.outside(|connection| match connection {
        AnyConnection::Sqlite(_) => Ok(None),
        AnyConnection::Postgresql(own) => {
            let sql = "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint AS seconds";
            let clock: Clock = diesel::sql_query(sql).get_result(own)?;
            Ok(Some(clock.seconds))
        }
    })
}
