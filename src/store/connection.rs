//! Connections to either backend, and their setup. Knows no tables.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::R2D2Connection;

use super::file::{self, Moved, OpenFiles, WatchedFile};

/// A connection to SQLite or to PostgreSQL.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    Postgresql(PgConnection),
    Sqlite(SqliteConnection),
}

/// Runs one expression on the connection's own backend, for the few statements that diesel's joint
/// backend cannot express: upsert, batch insert, returning.
macro_rules! on_backend {
    ($connection:expr, |$own:ident| $statement:expr) => {
        match $connection {
            $crate::store::connection::AnyConnection::Postgresql($own) => $statement,
            $crate::store::connection::AnyConnection::Sqlite($own) => $statement,
        }
    };
}

/// The address of the database: `sqlite:PATH` or `postgres://…`.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    Sqlite { path: String },
    Postgresql { url: String },
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<DatabaseUrl, String> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path == ":memory:" {
                return Err("sqlite: needs a file, as in sqlite:tonghop.db".to_owned());
            }
            Ok(DatabaseUrl::Sqlite {
                path: path.to_owned(),
            })
        } else if let Some((_, rest)) = text
            .split_once("://")
            .filter(|(scheme, _)| ["postgres", "postgresql"].contains(scheme))
        {
            if !is_address(rest) {
                return Err(
                    "it must be postgres://ROLE:PASSWORD@HOST/DATABASE, and in the password each \
                     of / ? @ % by its number, as in %40 for @"
                        .to_owned(),
                );
            }
            Ok(DatabaseUrl::Postgresql {
                url: text.to_owned(),
            })
        } else {
            Err("it must begin with sqlite: or postgres://, as in sqlite:tonghop.db".to_owned())
        }
    }
}

/// Returns true if PostgreSQL's library will read the address as intended. The library quotes text
/// it cannot parse, and that text may be part of a password.
fn is_address(rest: &str) -> bool {
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = place.split_once('/').unwrap_or((place, ""));
    let (role, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let has_port = |host: &str| {
        let after_name = host.rsplit_once(']').map_or(host, |(_, after)| after);
        after_name
            .split_once(':')
            .is_none_or(|(_, port)| is_port(port))
    };
    [role, hosts, database, query]
        .iter()
        .all(|part| !part.contains('@'))
        && hosts.split(',').all(has_port)
        && has_whole_numbers(rest)
}

/// Returns true if two hexadecimal digits follow every `%`.
fn has_whole_numbers(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.bytes().take(2).filter(u8::is_ascii_hexdigit);
        digits.count() == 2
    })
}

/// Shows the address without the password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatabaseUrl::Sqlite { path } => write!(f, "sqlite:{path}"),
            DatabaseUrl::Postgresql { url } => {
                let place = url.rsplit_once('@').map_or("…", |(_, place)| place);
                let place = place.split('?').next().unwrap_or_default();
                write!(f, "postgres://{place}")
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The purpose of a pool's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    Write,
    /// Brings the schema up to date, with the database to itself.
    Migrate,
    /// Reads a database without changing it.
    Inspect,
}

/// Connections that are open, to be used again.
pub(super) type Pool = r2d2::Pool<Connector>;

/// Opens and sets up connections for a pool.
pub(super) struct Connector {
    pub url: DatabaseUrl,
    pub purpose: Use,
    /// The file that every connection must open, where there are several connections.
    pub watched: Option<Arc<WatchedFile>>,
}

/// A pooled connection and the files that it has open.
pub(super) struct Pooled {
    pub connection: AnyConnection,
    files: Option<OpenFiles>,
}

impl Pooled {
    /// Checks that the open files are still the ones at the database's path, so that later readers
    /// find the writes.
    pub fn check_files(&self) -> Result<(), Moved> {
        self.files.as_ref().map_or(Ok(()), OpenFiles::check)
    }
}

impl Connector {
    /// Makes a connector for a single connection.
    pub fn to(url: &DatabaseUrl, purpose: Use) -> Connector {
        Connector {
            url: url.clone(),
            purpose,
            watched: None,
        }
    }

    pub fn pooled(&self) -> Result<Pooled, diesel::r2d2::Error> {
        let Some(watched) = &self.watched else {
            return Ok(Pooled {
                connection: self.open()?,
                files: None,
            });
        };
        let moved = |moved: Moved| {
            let error = diesel::ConnectionError::BadConnection(moved.to_string());
            diesel::r2d2::Error::ConnectionError(error)
        };
        let (connection, files) = watched.open(|| self.open(), moved)?;
        Ok(Pooled {
            connection,
            files: Some(files),
        })
    }

    /// Opens a connection. A missing SQLite file is an error, never created.
    pub fn open(&self) -> Result<AnyConnection, diesel::r2d2::Error> {
        use diesel::r2d2::Error;
        match &self.url {
            DatabaseUrl::Sqlite { path } => {
                let mut connection = SqliteConnection::establish(&file::address(path))
                    .map_err(Error::ConnectionError)?;
                let setup: &[&str] = match self.purpose {
                    Use::Read => &[SQLITE_SETUP, SQLITE_READ_ONLY],
                    Use::Write | Use::Migrate => &[SQLITE_SETUP, SQLITE_WRITER_SETUP],
                    Use::Inspect => &[SQLITE_READ_ONLY],
                };
                connection
                    .batch_execute(&setup.concat())
                    .map_err(Error::QueryError)?;
                Ok(AnyConnection::Sqlite(connection))
            }
            DatabaseUrl::Postgresql { url } => {
                let mut connection =
                    PgConnection::establish(url).map_err(Error::ConnectionError)?;
                let patience = match self.purpose {
                    Use::Read | Use::Write | Use::Inspect => POSTGRESQL_PATIENCE,
                    Use::Migrate => POSTGRESQL_PATIENCE_TO_MIGRATE,
                };
                connection
                    .batch_execute(&[POSTGRESQL_SETUP, patience].concat())
                    .map_err(Error::QueryError)?;
                Ok(AnyConnection::Postgresql(connection))
            }
        }
    }
}

/// `FULL`, because `NORMAL` loses acknowledged commits in a power failure. The timeout comes first
/// because turning on WAL already needs the lock.
const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

const SQLITE_READ_ONLY: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;";

/// A batch of submissions writes about 4 MB of pages all over the file. With the default log size,
/// each commit would copy them into the database and wait for the disk twice more. Here the log is
/// copied at 64 MB, or later if a long read needs it, and is then cut back to that size. 32 MB of
/// pages stay in memory.
const SQLITE_WRITER_SETUP: &str = "PRAGMA wal_autocheckpoint = 16384; \
     PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -32768;";

/// Times are bound as UTC.
const POSTGRESQL_SETUP: &str = "SET TIME ZONE 'UTC'; SET lock_timeout = '10s'; ";

/// Ends a statement that hangs, so that it does not block its tenant for ever.
const POSTGRESQL_PATIENCE: &str = "SET statement_timeout = '60s';";

/// A migration of a large table may take any time.
const POSTGRESQL_PATIENCE_TO_MIGRATE: &str = "SET statement_timeout = 0;";

impl r2d2::ManageConnection for Connector {
    type Connection = Pooled;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Pooled, diesel::r2d2::Error> {
        self.pooled()
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), diesel::r2d2::Error> {
        let answered = pooled.connection.ping();
        answered.map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        std::thread::panicking() || pooled.connection.is_broken()
    }
}
