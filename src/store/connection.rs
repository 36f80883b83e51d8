//! Connections to either backend, and how each is set up. Never a query of a noun.

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

/// Runs one expression on the connection's own backend: for the few statements that the joint
/// backend cannot express (upsert, batch insert, returning).
macro_rules! on_backend {
    ($connection:expr, |$own:ident| $statement:expr) => {
        match $connection {
            $crate::store::connection::AnyConnection::Postgresql($own) => $statement,
            $crate::store::connection::AnyConnection::Sqlite($own) => $statement,
        }
    };
}

/// PostgreSQL's way to look up many units, each by its whole key. `query` is that of one, of which
/// `wanted.unit_id` is the unit; all of them are `$1`. Of a tenant or a period that its statistics
/// do not know yet PostgreSQL believes that there are few rows: asked with `unit_id = ANY(…)`
/// it reads them all and leaves out what was not asked for.
pub(super) fn of_each_unit(query: &str) -> String {
    format!(
        "SELECT found.* FROM unnest($1::text[]) AS wanted(unit_id) \
         CROSS JOIN LATERAL ({query} OFFSET 0) AS found"
    )
}

/// Where the database is: `sqlite:PATH` or `postgres://…`.
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

/// Tells whether PostgreSQL's library will find in it what is meant. The library quotes what it
/// does not understand, and that may be part of a password.
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

/// Tells whether every % begins a character's number.
fn has_whole_numbers(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.bytes().take(2).filter(u8::is_ascii_hexdigit);
        digits.count() == 2
    })
}

/// Without the password that a PostgreSQL address may hold.
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

/// What a pool's connections are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    Write,
    /// To bring the schema up to date, with the database for oneself.
    Migrate,
    /// To look at a database, and to leave it as it is.
    Inspect,
}

/// Opens and sets up connections for a pool.
pub(super) struct Connector {
    pub url: DatabaseUrl,
    pub purpose: Use,
    /// The file that every connection must be to, where there are several.
    pub watched: Option<Arc<WatchedFile>>,
}

/// A connection of a pool, and what it has open.
pub(super) struct Pooled {
    pub connection: AnyConnection,
    files: Option<OpenFiles>,
}

impl Pooled {
    /// Checks that what is written to it is where it will be looked for.
    pub fn check_files(&self) -> Result<(), Moved> {
        self.files.as_ref().map_or(Ok(()), OpenFiles::check)
    }
}

impl Connector {
    /// For a single connection.
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

    /// Makes no file where there is none.
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

/// FULL, since NORMAL loses acknowledged commits when the power goes. The timeout comes first:
/// to turn on WAL already needs the lock.
const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

const SQLITE_READ_ONLY: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;";

/// A batch of submissions writes some 4 MB of pages all over the file: with the usual log of that
/// size each commit would copy them into the file, and wait for the disk twice more. It is copied
/// when it has 64 MB, or later where a long read needs what is in it; then it is made that short
/// again. 32 MB of pages stay in memory.
const SQLITE_WRITER_SETUP: &str = "PRAGMA wal_autocheckpoint = 16384; \
     PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -32768;";

/// Times are bound as UTC.
const POSTGRESQL_SETUP: &str = "SET TIME ZONE 'UTC'; SET lock_timeout = '10s'; ";

/// A statement that hangs must not hold its tenant for ever.
const POSTGRESQL_PATIENCE: &str = "SET statement_timeout = '60s';";

/// What a migration does to a large table takes as long as it takes.
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
