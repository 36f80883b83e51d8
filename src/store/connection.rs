//! Connections to either backend, and how each is set up. Never a query of a noun.

use std::fmt;
use std::str::FromStr;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::R2D2Connection;

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
        } else if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Ok(DatabaseUrl::Postgresql {
                url: text.to_owned(),
            })
        } else {
            Err("it must begin with sqlite: or postgres://".to_owned())
        }
    }
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
    /// To look at a database, and to leave it as it is.
    Inspect,
}

/// Opens and sets up connections for a pool.
pub(super) struct Connector {
    pub url: DatabaseUrl,
    pub purpose: Use,
}

impl Connector {
    pub fn open(&self) -> Result<AnyConnection, diesel::r2d2::Error> {
        use diesel::r2d2::Error;
        match &self.url {
            DatabaseUrl::Sqlite { path } => {
                make_private(path);
                let mut connection =
                    SqliteConnection::establish(path).map_err(Error::ConnectionError)?;
                let setup: &[&str] = match self.purpose {
                    Use::Read => &[SQLITE_SETUP, SQLITE_READ_ONLY],
                    Use::Write => &[SQLITE_SETUP, SQLITE_WRITER_SETUP],
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
                connection
                    .batch_execute(POSTGRESQL_SETUP)
                    .map_err(Error::QueryError)?;
                Ok(AnyConnection::Postgresql(connection))
            }
        }
    }
}

/// A new database is its owner's alone: password hashes are in it. SQLite gives its other files
/// the same permissions. Where the file cannot be made, SQLite says why.
fn make_private(path: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let _ = options.write(true).create_new(true).mode(0o600).open(path);
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

/// Times are bound as UTC; a statement that hangs must not hold its tenant for ever.
const POSTGRESQL_SETUP: &str =
    "SET TIME ZONE 'UTC'; SET statement_timeout = '60s'; SET lock_timeout = '10s';";

impl r2d2::ManageConnection for Connector {
    type Connection = AnyConnection;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<AnyConnection, diesel::r2d2::Error> {
        self.open()
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> Result<(), diesel::r2d2::Error> {
        connection.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        std::thread::panicking() || connection.is_broken()
    }
}
