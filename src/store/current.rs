//! Tells many readers at once the counters that a tenant has now. One question of the database
//! serves all who came before it was sent, so nobody gets counters older than its own request. Does
//! not know what the counters count.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use thread_local::ThreadLocal;
use tokio::sync::oneshot;

use super::connection::{Connector, Pool, Pooled};
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

/// The views of a database file, one a thread.
pub(super) struct FileViews {
    connector: Connector,
    of_threads: ThreadLocal<RefCell<FileView>>,
}

impl FileViews {
    pub fn of(connector: Connector) -> Arc<FileViews> {
        Arc::new(FileViews {
            connector,
            of_threads: ThreadLocal::new(),
        })
    }

    /// Returns a tenant's counters. Lets the requests that are ready on this thread come first: the
    /// first of them then asks for all.
    ///
    /// # Errors
    /// Those of the database, also if its files are no longer in their places.
    pub async fn counters(&self, tenant: TenantId) -> Result<Counters, StoreError> {
        let view = self.of_threads.get_or_default();
        let place = view.borrow_mut().enter();
        tokio::task::yield_now().await;
        let mut view = view.borrow_mut();
        if view.served < place {
            view.ask(&self.connector)?;
        }
        view.counters(&self.connector, tenant)
    }
}

/// A thread's view of a database file.
#[derive(Default)]
struct FileView {
    /// Opened for the first question.
    opened: Option<Pooled>,
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
    fn ask(&mut self, connector: &Connector) -> Result<(), StoreError> {
        let question = diesel::sql_query("PRAGMA data_version");
        let opened = self.opened(connector)?;
        opened.check_files()?;
        let Version { data_version } = question.get_result(&mut opened.connection)?;
        if data_version != self.version {
            self.counters.clear();
            self.version = data_version;
        }
        self.served = self.came;
        Ok(())
    }

    /// Returns the counters that the tenant has in the version of the last question, or in a newer
    /// one, which the next question notices.
    fn counters(
        &mut self,
        connector: &Connector,
        tenant: TenantId,
    ) -> Result<Counters, StoreError> {
        if let Some(known) = self.counters.get(&tenant) {
            return Ok(*known);
        }
        let connection = &mut self.opened(connector)?.connection;
        let read = counters(&tenant.to_string(), connection)?;
        self.counters.insert(tenant, read);
        Ok(read)
    }

    fn opened(&mut self, connector: &Connector) -> Result<&mut Pooled, StoreError> {
        let opened = match self.opened.take() {
            Some(opened) => opened,
            None => open(connector)?,
        };
        Ok(self.opened.insert(opened))
    }
}

fn open(connector: &Connector) -> Result<Pooled, StoreError> {
    let mut opened = connector
        .pooled()
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    // Do not wait for a locked file; its state is unknown.
    diesel::sql_query("PRAGMA busy_timeout = 0").execute(&mut opened.connection)?;
    Ok(opened)
}

/// Notes why readers are not told. They go on to read the database, which tells them.
pub(super) fn note_untold(error: &StoreError) {
    tracing::debug!(%error, "counters are not told");
}

/// A database server that is asked for many.
pub(super) struct Asked {
    questions: Pool,
    lines: Mutex<Lines>,
}

/// The readers who wait, by tenant. Nobody asks for a tenant without a line.
#[derive(Default)]
struct Lines {
    of_tenants: HashMap<TenantId, Line>,
    /// The number of lines so far.
    begun: u64,
}

struct Line {
    /// Tells the line from an earlier one of the tenant, whose question hangs.
    number: u64,
    asked_at: Instant,
    /// The readers who wait for the next question.
    waiting: Vec<Waiting>,
}

type Waiting = oneshot::Sender<Option<Counters>>;

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
        if let Some(task) = self.enter(tenant, waiting) {
            tokio::task::spawn_blocking(move || task.ask_until_empty(ask));
        }
        let told = tokio::time::timeout(LONGEST_WAIT, told).await;
        told.ok()?.ok()?
    }

    /// Waits in the tenant's line. Returns the task of asking to the first of a line. A line whose
    /// question takes longer than anybody waits is given up.
    fn enter(self: &Arc<Self>, tenant: TenantId, waiting: Waiting) -> Option<Asking> {
        let mut lines = self.lines();
        let line = lines.of_tenants.get_mut(&tenant);
        if let Some(line) = line.filter(|line| line.asked_at.elapsed() < LONGEST_WAIT) {
            line.waiting.push(waiting);
            return None;
        }
        lines.begun += 1;
        let line = Line {
            number: lines.begun,
            asked_at: Instant::now(),
            waiting: vec![waiting],
        };
        let number = line.number;
        lines.of_tenants.insert(tenant, line);
        Some(Asking {
            asked: Arc::clone(self),
            tenant,
            number,
        })
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task of asking for one line. However it ends, also before it has begun, the line ends with it:
/// those who wait in it learn nothing, and the next to come asks again.
struct Asking {
    asked: Arc<Asked>,
    tenant: TenantId,
    number: u64,
}

impl Asking {
    /// Asks one question after another for as long as readers come.
    fn ask_until_empty(self, ask: impl Fn(&Pool) -> Result<Counters, StoreError>) {
        while let Some(waiting) = self.next() {
            let told = ask(&self.asked.questions);
            let told = told.inspect_err(note_untold).ok();
            for reader in waiting {
                // A reader that has gone needs no answer.
                let _ = reader.send(told);
            }
        }
    }

    /// Takes those who have come so far. `None` ends the task.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut lines = self.asked.lines();
        let line = lines.of_tenants.get_mut(&self.tenant)?;
        if line.number != self.number {
            return None;
        }
        if line.waiting.is_empty() {
            lines.of_tenants.remove(&self.tenant);
            return None;
        }
        line.asked_at = Instant::now();
        Some(std::mem::take(&mut line.waiting))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut lines = self.asked.lines();
        let line = lines.of_tenants.get(&self.tenant);
        if line.is_some_and(|line| line.number == self.number) {
            lines.of_tenants.remove(&self.tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::connection::{DatabaseUrl, Use};

    fn asked() -> Arc<Asked> {
        let url = DatabaseUrl::Postgresql {
            url: "postgres://nobody@127.0.0.1:1/none".to_owned(),
        };
        let connector = Connector::to(&url, Use::Read);
        let pool = r2d2::Pool::builder().min_idle(Some(0));
        Asked::with(pool.build_unchecked(connector))
    }

    fn counters(rev: i64) -> Counters {
        Counters {
            rev,
            tree_rev: 0,
            catalogue_rev: 0,
            grants_rev: 0,
            sessions_rev: 0,
            time_zone: chrono_tz::UTC,
        }
    }

    #[test]
    fn one_question_serves_those_who_came_before_it_and_no_others() {
        let (asked, tenant) = (asked(), TenantId::new());
        let reader = || oneshot::channel();
        let ((one, mut first), (two, mut second)) = (reader(), reader());
        let task = asked.enter(tenant, one).unwrap();
        assert!(asked.enter(tenant, two).is_none());
        let (three, mut third) = reader();
        let mut three = Some(three);
        let (rev, again) = (std::cell::Cell::new(0), Arc::clone(&asked));
        let three = std::cell::RefCell::new(&mut three);
        task.ask_until_empty(|_| {
            rev.set(rev.get() + 1);
            // Comes while the first question is asked.
            if let Some(late) = three.borrow_mut().take() {
                assert!(again.enter(tenant, late).is_none());
            }
            Ok(counters(rev.get()))
        });
        let told = |told: &mut oneshot::Receiver<Option<Counters>>| {
            told.try_recv().unwrap().map(|counters| counters.rev)
        };
        assert_eq!(told(&mut first), Some(1));
        assert_eq!(told(&mut second), Some(1));
        assert_eq!(told(&mut third), Some(2));
        assert!(asked.lines().of_tenants.is_empty());
    }

    #[test]
    fn a_task_that_never_begins_or_panics_leaves_nobody_waiting() {
        let (asked, tenant) = (asked(), TenantId::new());
        let (one, mut first) = oneshot::channel();
        drop(asked.enter(tenant, one));
        assert!(first.try_recv().is_err());
        let (two, mut second) = oneshot::channel();
        let task = asked.enter(tenant, two).unwrap();
        let panicked = std::thread::spawn(|| task.ask_until_empty(|_| panic!("a bug"))).join();
        assert!(panicked.is_err() && second.try_recv().is_err());
        let (three, _third) = oneshot::channel();
        assert!(asked.enter(tenant, three).is_some());
    }

    #[test]
    fn a_question_that_hangs_is_given_up_and_its_end_ends_no_later_line() {
        let (asked, tenant) = (asked(), TenantId::new());
        let (one, _first) = oneshot::channel();
        let hanging = asked.enter(tenant, one).unwrap();
        assert_eq!(hanging.next().map(|waiting| waiting.len()), Some(1));
        if let Some(line) = asked.lines().of_tenants.get_mut(&tenant) {
            line.asked_at = Instant::now().checked_sub(2 * LONGEST_WAIT).unwrap();
        }
        let (two, _second) = oneshot::channel();
        let task = asked.enter(tenant, two).unwrap();
        assert!(hanging.next().is_none());
        drop(hanging);
        assert_eq!(task.next().map(|waiting| waiting.len()), Some(1));
    }
}
