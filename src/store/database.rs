//! The one door to transactions. A write takes the tenant's row as its first statement, which
//! makes it the mutex and the order of everything; a read sees one snapshot. Never a query of a
//! noun.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::r2d2::R2D2Connection;

use super::connection::{AnyConnection, Connector, DatabaseUrl, Use};
use super::error::StoreError;
use super::file::{Moved, WatchedFile};
use super::rev_at_hand::{RevAtHand, Servers};
use super::tenant::{self, Counters};
use crate::authz::Scope;

type Pool = r2d2::Pool<Connector>;

/// How long a request waits for a connection before it is told to come again.
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(10);

/// What takes a moment is over before many wait for it.
const MOMENTS_AT_ONCE: u32 = 2;

/// Whoever asks whether the database is there asks again soon.
const WAIT_FOR_SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// The database, through which all transactions go.
#[derive(Clone)]
pub struct Database {
    readers: Pool,
    writers: Pool,
    /// For what takes a moment and must not wait until reads are over: signing in, grants, signs
    /// of life.
    moments: Pool,
    url: DatabaseUrl,
    /// SQLite's, which somebody may take away.
    file: Option<Arc<WatchedFile>>,
    rev_at_hand: RevAtHand,
}

impl Database {
    /// Opens the pools. A connection is made when the first request needs it. There may be other
    /// servers on the database.
    pub fn new(url: DatabaseUrl) -> Database {
        Database::with(url, Servers::Several)
    }

    /// Like [`Database::new`], where it is known how many servers there are.
    pub fn with(url: DatabaseUrl, servers: Servers) -> Database {
        // SQLite has one writer at a time anyway: a pool of one makes them queue here, in order.
        let writers = match url {
            DatabaseUrl::Sqlite { .. } => 1,
            DatabaseUrl::Postgresql { .. } => 8,
        };
        let file = match &url {
            DatabaseUrl::Sqlite { path } => Some(Arc::new(WatchedFile::at(path))),
            DatabaseUrl::Postgresql { .. } => None,
        };
        let pool = |purpose, size| {
            let connector = Connector {
                url: url.clone(),
                purpose,
                watched: file.clone(),
            };
            pool(connector, size)
        };
        // One more than reads have turns, for the verifier, which takes none.
        let readers = reading_at_once(&url) + 1;
        Database {
            readers: pool(Use::Read, readers),
            writers: pool(Use::Write, writers),
            moments: pool(Use::Read, MOMENTS_AT_ONCE),
            file,
            rev_at_hand: RevAtHand::on(&url, servers),
            url,
        }
    }

    /// How many reads of tenants can go on at once.
    pub fn reading_at_once(&self) -> usize {
        usize::try_from(reading_at_once(&self.url)).unwrap_or(1)
    }

    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Runs `work` in one snapshot of the tenant's data. `work` is given the tenant's counters in it.
    ///
    /// # Errors
    /// Those of `work`, and those of the database.
    pub fn read<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>, Counters) -> Result<T, E>,
    ) -> Result<T, E> {
        self.read_on(&self.readers, scope, |transaction| {
            let counters = self.counters(transaction, scope)?;
            work(transaction, counters)
        })
    }

    /// Like [`Database::read`], for a moment: no number of reads makes it wait.
    ///
    /// # Errors
    /// As [`Database::read`].
    pub fn glance<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>, Counters) -> Result<T, E>,
    ) -> Result<T, E> {
        self.read_on(&self.moments, scope, |transaction| {
            let counters = self.counters(transaction, scope)?;
            work(transaction, counters)
        })
    }

    fn counters(
        &self,
        transaction: &mut Transaction<'_>,
        scope: &Scope,
    ) -> Result<Counters, StoreError> {
        let at = Instant::now();
        let counters = tenant::counters(transaction)?;
        self.rev_at_hand.note(scope, counters.rev, at);
        Ok(counters)
    }

    /// Like [`Database::glance`], without the tenant's row: for what is no part of a tenant's
    /// history, of a tenant that may not be there.
    ///
    /// # Errors
    /// As [`Database::read`].
    pub fn read_uncounted<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.read_on(&self.moments, scope, work)
    }

    fn read_on<T, E: From<StoreError>>(
        &self,
        pool: &Pool,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut pooled = self.take(pool)?;
        let connection = &mut pooled.connection;
        let begin = match connection {
            AnyConnection::Sqlite(_) => "BEGIN".to_owned(),
            AnyConnection::Postgresql(_) => {
                format!(
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}",
                    context(scope)
                )
            }
        };
        let mut transaction = Transaction::begin(connection, scope, &begin)?;
        let result = work(&mut transaction);
        // Nothing was written; a rollback that fails leaves a connection that the pool drops.
        let _ = AnyConnection::rollback_transaction(transaction.connection);
        result
    }

    /// Runs `work` alone among all writes of the tenant, and commits what it wrote if it
    /// succeeds. `work` is given the tenant's counters, of which `rev` is already this commit's.
    ///
    /// # Errors
    /// Those of `work`, after which nothing is written; and those of the database, of which
    /// only [`StoreError::OutcomeUnknown`] leaves open whether something is.
    pub fn write<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>, Counters) -> Result<T, E>,
    ) -> Result<T, E> {
        let (value, rev, at) = self.write_unlocked(scope, |transaction| {
            let at = Instant::now();
            let counters = tenant::lock(transaction)?;
            // Whatever becomes of this one, all before it are committed.
            self.rev_at_hand.note(scope, counters.rev - 1, at);
            let value = work(transaction, counters)?;
            Ok::<_, E>((value, counters.rev, Instant::now()))
        })?;
        self.rev_at_hand.note(scope, rev, at);
        Ok(value)
    }

    /// Like [`Database::write`], without the tenant's row: for what is no part of a tenant's
    /// history (a token, a new tenant).
    ///
    /// # Errors
    /// As [`Database::write`].
    pub fn write_unlocked<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut pooled = self.take(&self.writers)?;
        let connection = &mut pooled.connection;
        let begin = match connection {
            AnyConnection::Sqlite(_) => "BEGIN IMMEDIATE".to_owned(),
            AnyConnection::Postgresql(_) => format!("BEGIN; {}", context(scope)),
        };
        let mut transaction = Transaction::begin(connection, scope, &begin)?;
        match work(&mut transaction) {
            Ok(value) => {
                commit(transaction.connection)?;
                // Before anybody is told: a commit that nobody will find is none.
                let lost = |moved: Moved| StoreError::OutcomeUnknown(moved.to_string());
                pooled.check_files().map_err(lost)?;
                Ok(value)
            }
            Err(error) => {
                // The first error is the one to tell; the pool drops a connection that is broken.
                let _ = AnyConnection::rollback_transaction(transaction.connection);
                Err(error)
            }
        }
    }

    /// The tenant's rev as it is now, where that can be told without waiting for anything.
    ///
    /// # Errors
    /// Those of the database.
    pub fn rev_at_hand(&self, scope: &Scope) -> Result<Option<i64>, StoreError> {
        self.check_file()?;
        self.rev_at_hand.rev(&self.url, scope)
    }

    /// A connection outside any tenant: for the registry, and for whether the database answers.
    pub(super) fn outside<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut pooled = self.take(&self.moments)?;
        work(&mut pooled.connection)
    }

    /// A connection, to the files that the next one will be to as well.
    fn take(&self, pool: &Pool) -> Result<r2d2::PooledConnection<Connector>, StoreError> {
        self.check_file()?;
        let pooled = take(pool)?;
        pooled.check_files()?;
        Ok(pooled)
    }

    fn check_file(&self) -> Result<(), StoreError> {
        match &self.file {
            Some(file) => Ok(file.check()?),
            None => Ok(()),
        }
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where there is none.
    pub fn ping(&self) -> Result<(), StoreError> {
        self.check_file()?;
        let pooled = self.moments.get_timeout(WAIT_FOR_SIGN_OF_LIFE);
        let mut pooled = pooled.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        pooled.check_files()?;
        Ok(pooled.connection.ping()?)
    }
}

fn reading_at_once(url: &DatabaseUrl) -> u32 {
    match url {
        DatabaseUrl::Sqlite { .. } => 6,
        DatabaseUrl::Postgresql { .. } => 10,
    }
}

fn pool(connector: Connector, size: u32) -> Pool {
    let is_far = matches!(connector.url, DatabaseUrl::Postgresql { .. });
    r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        // A server may go away between two requests; a file is asked for by its name.
        .test_on_check_out(is_far)
        .connection_timeout(WAIT_FOR_CONNECTION)
        .build_unchecked(connector)
}

/// Where there is not one connection, there is nothing to queue for.
fn take(pool: &Pool) -> Result<r2d2::PooledConnection<Connector>, StoreError> {
    let soon = pool.get_timeout(WAIT_FOR_SIGN_OF_LIFE);
    soon.or_else(|error| match pool.state().connections {
        0 => Err(error),
        _ => pool.get(),
    })
    .map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Tells PostgreSQL's row-level security whose rows these are. A literal, since Citus does not
/// carry `set_config`; the id is a UUID and cannot hold a quote.
fn context(scope: &Scope) -> String {
    format!("SET LOCAL app.tenant = '{}'", scope.tenant())
}

fn commit(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let Err(error) = AnyConnection::commit_transaction(connection) else {
        return Ok(());
    };
    match connection {
        // SQLite's commit happens in this process: an error means that it did not happen.
        AnyConnection::Sqlite(_) => {
            let _ = AnyConnection::rollback_transaction(connection);
            Err(StoreError::from(error))
        }
        AnyConnection::Postgresql(own) => match own.ping() {
            Ok(()) => Err(StoreError::from(error)),
            Err(_) => Err(StoreError::OutcomeUnknown(error.to_string())),
        },
    }
}

/// An open transaction on one tenant's data.
pub struct Transaction<'c> {
    connection: &'c mut AnyConnection,
    tenant: String,
}

impl<'c> Transaction<'c> {
    fn begin(
        connection: &'c mut AnyConnection,
        scope: &Scope,
        sql: &str,
    ) -> Result<Transaction<'c>, StoreError> {
        on_backend!(connection, |own| {
            AnsiTransactionManager::begin_transaction_sql(own, sql)
        })?;
        Ok(Transaction {
            connection,
            tenant: scope.tenant().to_string(),
        })
    }

    /// The tenant by which every statement filters, and the connection to run it on.
    pub(super) fn parts(&mut self) -> (&str, &mut AnyConnection) {
        (&self.tenant, self.connection)
    }
}
