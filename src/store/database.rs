//! The one door to transactions. A write first takes the tenant's row, which serialises and numbers
//! the tenant's commits. A read sees one snapshot. Knows no tables but the tenant's.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::r2d2::R2D2Connection;

use super::connection::{AnyConnection, Connector, DatabaseUrl, Pool, Use};
use super::counters::{self, Counters};
use super::current::{Asked, Current, FileViews, note_untold};
use super::error::StoreError;
use super::file::{Moved, WatchedFile};
use crate::authz::Scope;

/// The time for which a request waits for a connection before it is refused.
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(10);

/// The number of connections for short work. Each is free again within milliseconds.
const MOMENTS_AT_ONCE: u32 = 2;

/// The time for which a health check waits. It is short, because whoever checks will check again.
const WAIT_FOR_SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// The database. All transactions go through it.
#[derive(Clone)]
pub struct Database {
    readers: Pool,
    writers: Pool,
    /// For short work that must not wait for reads: signing in, grants, health checks.
    moments: Pool,
    url: DatabaseUrl,
    /// The SQLite file, watched because somebody may remove it.
    file: Option<Arc<WatchedFile>>,
    current: Current,
}

impl Database {
    /// Prepares the pools; connections are opened on first use.
    pub fn new(url: DatabaseUrl) -> Database {
        // SQLite allows one writer at a time: a pool of one queues them here, in order.
        let writers = match url {
            DatabaseUrl::Sqlite { .. } => 1,
            DatabaseUrl::Postgresql { .. } => 8,
        };
        let file = match &url {
            DatabaseUrl::Sqlite { path } => Some(Arc::new(WatchedFile::at(path))),
            DatabaseUrl::Postgresql { .. } => None,
        };
        let connector = |purpose| Connector {
            url: url.clone(),
            purpose,
            watched: file.clone(),
        };
        let pool = |purpose, size| pool(connector(purpose), size);
        let current = match url {
            DatabaseUrl::Sqlite { .. } => Current::OfFile(FileViews::of(connector(Use::Read))),
            DatabaseUrl::Postgresql { .. } => {
                Current::OfServer(Asked::with(questions(connector(Use::Read))))
            }
        };
        // One more than there are turns to read, for the verifier, which takes no turn.
        let readers = reading_at_once(&url) + 1;
        Database {
            readers: pool(Use::Read, readers),
            writers: pool(Use::Write, writers),
            moments: pool(Use::Read, MOMENTS_AT_ONCE),
            file,
            current,
            url,
        }
    }

    /// Returns the number of reads that can run at once, over all tenants.
    pub fn reading_at_once(&self) -> usize {
        usize::try_from(reading_at_once(&self.url)).unwrap_or(1)
    }

    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Runs `work` on one snapshot of the tenant's data. `work` receives the tenant's counters in
    /// that snapshot.
    ///
    /// # Errors
    /// Those of `work`, and those of the database.
    pub fn read<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>, Counters) -> Result<T, E>,
    ) -> Result<T, E> {
        self.read_on(&self.readers, scope, |transaction| {
            let counters = counters_in(transaction)?;
            work(transaction, counters)
        })
    }

    /// Like [`Database::read`], for short work that must not wait for long reads.
    ///
    /// # Errors
    /// As [`Database::read`].
    pub fn glance<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>, Counters) -> Result<T, E>,
    ) -> Result<T, E> {
        self.read_on(&self.moments, scope, |transaction| {
            let counters = counters_in(transaction)?;
            work(transaction, counters)
        })
    }

    /// Returns the tenant's counters, as new as this call. `None` if the database does not tell them
    /// now: a read of it tells why.
    pub async fn current(&self, scope: &Scope) -> Option<Counters> {
        match &self.current {
            Current::OfFile(views) => {
                let told = views.counters(scope.tenant()).await;
                told.inspect_err(note_untold).ok()
            }
            Current::OfServer(asked) => {
                let (database, scope) = (self.clone(), *scope);
                let ask = move |questions: &Pool| database.read_on(questions, &scope, counters_in);
                asked.counters(scope.tenant(), ask).await
            }
        }
    }

    /// Like [`Database::glance`], without reading the tenant's row: for data outside a tenant's
    /// history, or a tenant that may not exist.
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
        // Nothing was written. If the rollback fails, the pool drops the connection.
        let _ = AnyConnection::rollback_transaction(transaction.connection);
        result
    }

    /// Runs `work` as the tenant's only write, and commits if it succeeds. `work` receives the
    /// tenant's counters, whose `rev` is already this commit's.
    ///
    /// # Errors
    /// Those of `work`, after which nothing is written, and those of the database. Only after
    /// [`StoreError::OutcomeUnknown`] may the commit have happened or not.
    #[expect(clippy::disallowed_methods, reason = "the same, with the tenant's row")]
    pub fn write<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>, Counters) -> Result<T, E>,
    ) -> Result<T, E> {
        self.write_unlocked(scope, |transaction| {
            let (tenant, connection) = transaction.parts();
            let counters = counters::lock(tenant, connection)?;
            work(transaction, counters)
        })
    }

    /// Like [`Database::write`], without locking the tenant's row: for data outside a tenant's
    /// history, such as a token or a new tenant.
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
                // Check before anybody is told: a commit to a file that was removed is lost.
                let lost = |moved: Moved| StoreError::OutcomeUnknown(moved.to_string());
                pooled.check_files().map_err(lost)?;
                Ok(value)
            }
            Err(error) => {
                // Report the first error; the pool drops a broken connection.
                let _ = AnyConnection::rollback_transaction(transaction.connection);
                Err(error)
            }
        }
    }

    /// Runs `work` on a connection outside any tenant: for the registry and health checks.
    pub(super) fn outside<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut pooled = self.take(&self.moments)?;
        work(&mut pooled.connection)
    }

    /// Takes a connection, and refuses if the database's files have been removed or replaced.
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

    /// Checks that the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not.
    pub fn ping(&self) -> Result<(), StoreError> {
        self.check_file()?;
        let pooled = self.moments.get_timeout(WAIT_FOR_SIGN_OF_LIFE);
        let mut pooled = pooled.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        pooled.check_files()?;
        Ok(pooled.connection.ping()?)
    }
}

fn counters_in(transaction: &mut Transaction<'_>) -> Result<Counters, StoreError> {
    let (tenant, connection) = transaction.parts();
    counters::counters(tenant, connection)
}

/// The number of tenants for which questions are asked at once.
const QUESTIONS_AT_ONCE: u32 = 4;

/// Prepares the connections for questions. They are not tried before use, which would be one more
/// journey: a question that fails is answered by a read, which tells why.
fn questions(connector: Connector) -> Pool {
    r2d2::Pool::builder()
        .max_size(QUESTIONS_AT_ONCE)
        .min_idle(Some(0))
        .test_on_check_out(false)
        .connection_timeout(WAIT_FOR_SIGN_OF_LIFE)
        .build_unchecked(connector)
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
        // A remote server may vanish between two requests; a local file cannot.
        .test_on_check_out(is_far)
        .connection_timeout(WAIT_FOR_CONNECTION)
        .build_unchecked(connector)
}

/// Takes a connection, waiting the full time only if the pool has any. With none open, the database
/// is unreachable and a queue would not help.
fn take(pool: &Pool) -> Result<r2d2::PooledConnection<Connector>, StoreError> {
    let soon = pool.get_timeout(WAIT_FOR_SIGN_OF_LIFE);
    soon.or_else(|error| match pool.state().connections {
        0 => Err(error),
        _ => pool.get(),
    })
    .map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Sets the tenant for PostgreSQL's row-level security. A literal, since Citus does not propagate
/// `set_config`; the id is a UUID and cannot contain a quote.
fn context(scope: &Scope) -> String {
    format!("SET LOCAL app.tenant = '{}'", scope.tenant())
}

fn commit(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let Err(error) = AnyConnection::commit_transaction(connection) else {
        return Ok(());
    };
    match connection {
        // SQLite commits in this process, so an error means that nothing was committed.
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

    /// Returns the tenant by which every statement must filter, and the connection to run it on.
    pub(super) fn parts(&mut self) -> (&str, &mut AnyConnection) {
        (&self.tenant, self.connection)
    }
}
