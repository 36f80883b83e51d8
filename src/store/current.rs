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

use super::connection::{AnyConnection, Connector, DatabaseUrl, Use};
use super::counters::{Counters, counters};
use super::database::{Database, Pool};
use super::error::StoreError;
use crate::authz::Scope;
use crate::domain::id::TenantId;

/// The time for which readers wait for the answer to a shared question.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The source of a tenant's current counters.
#[derive(Clone)]
pub(super) enum Current {
    /// SQLite: a counter in shared memory tells every process whether the file has changed. A
    /// question takes microseconds, so each thread asks for its own readers.
    OfFile(Arc<ThreadLocal<RefCell<FileView>>>),
    /// PostgreSQL: a question is a journey, so a thread that may wait asks for the readers of all.
    OfServer(Arc<Asked>),
}

impl Current {
    pub fn of_file() -> Current {
        Current::OfFile(Arc::default())
    }

    pub fn of_server(questions: Pool) -> Current {
        Current::OfServer(Arc::new(Asked {
            questions,
            lines: Mutex::default(),
        }))
    }
}

impl Database {
    /// Returns the tenant's counters, as new as this call. `None` if the database does not tell them
    /// now: a read of it tells why.
    pub async fn current(&self, scope: &Scope) -> Option<Counters> {
        match self.current_source() {
            Current::OfFile(views) => {
                let view = views.get_or_default();
                let told = of_file(view, self, scope).await;
                let told =
                    told.inspect_err(|error| tracing::debug!(%error, "counters are not told"));
                told.ok()
            }
            Current::OfServer(asked) => of_server(asked, self, scope).await,
        }
    }
}

/// What one thread knows of a database file.
#[derive(Default)]
pub(super) struct FileView {
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

/// Lets the requests that are ready on this thread come first: the first of them then asks for all.
async fn of_file(
    view: &RefCell<FileView>,
    database: &Database,
    scope: &Scope,
) -> Result<Counters, StoreError> {
    let place = view.borrow_mut().enter();
    tokio::task::yield_now().await;
    let mut view = view.borrow_mut();
    if view.served < place {
        database.check_file()?;
        view.ask(database.url())?;
    }
    view.counters(database.url(), scope)
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
    fn counters(&mut self, url: &DatabaseUrl, scope: &Scope) -> Result<Counters, StoreError> {
        if let Some(known) = self.counters.get(&scope.tenant()) {
            return Ok(*known);
        }
        let read = counters(&scope.tenant().to_string(), self.connection(url)?)?;
        self.counters.insert(scope.tenant(), read);
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

async fn of_server(asked: &Arc<Asked>, database: &Database, scope: &Scope) -> Option<Counters> {
    let (waiting, told) = oneshot::channel();
    if asked.enter(scope.tenant(), waiting) == Place::First {
        let (asked, database, scope) = (Arc::clone(asked), database.clone(), *scope);
        tokio::task::spawn_blocking(move || asked.ask_until_empty(&database, &scope));
    }
    let told = tokio::time::timeout(LONGEST_WAIT, told).await;
    told.ok()?.ok()?
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nobody asks for the tenant yet.
    First,
    Behind,
}

impl Asked {
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
    fn ask_until_empty(&self, database: &Database, scope: &Scope) {
        let task = Asking(self, scope.tenant());
        while let Some(line) = task.next_line() {
            let told = database.ask_counters(&self.questions, scope);
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
