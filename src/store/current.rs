//! Tells many readers at once the counters that a tenant has now. One question of the database
//! serves all who came before it was sent, so nobody gets counters older than its own request. Does
//! not know what the counters count.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::prelude::*;
use thread_local::ThreadLocal;
use tokio::sync::oneshot;

use super::connection::{AnyConnection, Connector, DatabaseUrl, Pool, Use};
use super::counters::{Counters, counters};
use super::error::StoreError;
use crate::domain::id::TenantId;

/// The time for which readers wait for the answer to a shared question.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The source of a tenant's current counters.
#[derive(Clone)]
pub(super) enum Current {
    /// SQLite: a counter in shared memory tells every process whether the file has changed. A
    /// question takes microseconds, so each thread asks for its own readers.
    OfFile(Arc<FileViews>),
    /// PostgreSQL: a question is a journey, so a thread that may wait asks for the readers of all.
    OfServer(Arc<Asked>),
}

/// What each thread knows of a database file.
pub(super) struct FileViews {
    url: DatabaseUrl,
    of_threads: ThreadLocal<RefCell<FileView>>,
}

impl FileViews {
    pub fn of(url: &DatabaseUrl) -> Arc<FileViews> {
        Arc::new(FileViews {
            url: url.clone(),
            of_threads: ThreadLocal::new(),
        })
    }

    /// Returns a tenant's counters. Lets the requests that are ready on this thread come first: the
    /// first of them then asks for all. `check` looks whether the file is still in its place.
    ///
    /// # Errors
    /// Those of `check` and of the database.
    pub async fn counters(
        &self,
        tenant: TenantId,
        check: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<Counters, StoreError> {
        let view = self.of_threads.get_or_default();
        let place = view.borrow_mut().enter();
        tokio::task::yield_now().await;
        let mut view = view.borrow_mut();
        if view.served < place {
            check()?;
            view.ask(&self.url)?;
        }
        view.counters(&self.url, tenant)
    }
}

/// What one thread knows of a database file.
#[derive(Default)]
struct FileView {
    /// Opened for the first question.
    connection: Option<AnyConnection>,
    /// The file's version in which the counters were read.
    version: i64,
    counters: HashMap<TenantId, Counters>,
    /// The readers that have come, and how many of them had come before the last question.
    came: u64,
    served: u64,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    data_version: i64,
}

impl FileView {
    /// Returns the place of a reader.
    fn enter(&mut self) -> u64 {
        self.came += 1;
        self.came
    }

    /// Asks whether the file has changed since the counters were read.
    fn ask(&mut self, url: &DatabaseUrl) -> Result<(), StoreError> {
        let question = diesel::sql_query("PRAGMA data_version");
        let Version { data_version } = question.get_result(self.connection(url)?)?;
        if data_version != self.version {
            self.counters.clear();
            self.version = data_version;
        }
        self.served = self.came;
        Ok(())
    }

    /// Returns the counters that the tenant has in the version of the last question, or in a newer
    /// one, which the next question notices.
    fn counters(&mut self, url: &DatabaseUrl, tenant: TenantId) -> Result<Counters, StoreError> {
        if let Some(known) = self.counters.get(&tenant) {
            return Ok(*known);
        }
        let read = counters(&tenant.to_string(), self.connection(url)?)?;
        self.counters.insert(tenant, read);
        Ok(read)
    }

    fn connection(&mut self, url: &DatabaseUrl) -> Result<&mut AnyConnection, StoreError> {
        let opened = match self.connection.take() {
            Some(opened) => opened,
            None => open(url)?,
        };
        Ok(self.connection.insert(opened))
    }
}

fn open(url: &DatabaseUrl) -> Result<AnyConnection, StoreError> {
    let mut connection = Connector::to(url, Use::Read)
        .open()
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    // Do not wait for a locked file; its state is unknown.
    diesel::sql_query("PRAGMA busy_timeout = 0").execute(&mut connection)?;
    Ok(connection)
}

/// A database server that is asked for many.
pub(super) struct Asked {
    questions: Pool,
    /// The readers who wait for the next question. Nobody asks for a tenant that has no entry.
    lines: Mutex<HashMap<TenantId, Vec<Waiting>>>,
}

type Waiting = oneshot::Sender<Option<Counters>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nobody asks for the tenant yet.
    First,
    Behind,
}

impl Asked {
    /// Asks on these connections.
    pub fn with(questions: Pool) -> Arc<Asked> {
        Arc::new(Asked {
            questions,
            lines: Mutex::default(),
        })
    }

    /// Returns a tenant's counters, which `ask` reads on a connection for questions; `None` if it
    /// fails or takes long.
    pub async fn counters(
        self: &Arc<Self>,
        tenant: TenantId,
        ask: impl Fn(&Pool) -> Result<Counters, StoreError> + Send + 'static,
    ) -> Option<Counters> {
        let (waiting, told) = oneshot::channel();
        if self.enter(tenant, waiting) == Place::First {
            let asked = Arc::clone(self);
            tokio::task::spawn_blocking(move || asked.ask_until_empty(tenant, ask));
        }
        let told = tokio::time::timeout(LONGEST_WAIT, told).await;
        told.ok()?.ok()?
    }

    fn enter(&self, tenant: TenantId, waiting: Waiting) -> Place {
        let mut lines = self.lines();
        match lines.get_mut(&tenant) {
            Some(line) => {
                line.push(waiting);
                Place::Behind
            }
            None => {
                lines.insert(tenant, vec![waiting]);
                Place::First
            }
        }
    }

    /// Asks one question after another for as long as readers come.
    fn ask_until_empty(
        &self,
        tenant: TenantId,
        ask: impl Fn(&Pool) -> Result<Counters, StoreError>,
    ) {
        let task = Asking(self, tenant);
        while let Some(line) = task.next_line() {
            let told = ask(&self.questions);
            let told = told.inspect_err(|error| tracing::debug!(%error, "counters are not told"));
            let told = told.ok();
            for waiting in line {
                // A reader that has gone needs no answer.
                let _ = waiting.send(told);
            }
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<TenantId, Vec<Waiting>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task of asking for one tenant's readers.
struct Asking<'a>(&'a Asked, TenantId);

impl Asking<'_> {
    /// Takes those who have come so far. `None` ends the task: the next to come asks again.
    fn next_line(&self) -> Option<Vec<Waiting>> {
        let mut lines = self.0.lines();
        let line = lines.get_mut(&self.1).map(std::mem::take);
        let line = line.filter(|line| !line.is_empty());
        if line.is_none() {
            lines.remove(&self.1);
        }
        line
    }
}

impl Drop for Asking<'_> {
    /// Sends away those who wait, if a question panicked.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lines().remove(&self.1);
        }
    }
}
