//! A queue: work that waits until it is done together. Each tenant has a line; whoever finds nobody
//! leading it is to lead: takes what has queued, up to a batch, has it done and answered, and goes
//! on until the line is empty. What comes while a batch is under way shares the next one. Never what
//! the work is.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::domain::id::TenantId;
use crate::store::StoreError;

/// The tasks of one batch.
const BATCH: usize = 256;

/// The tasks that wait in a line. Its last is answered after half a second where 4,000 are
/// committed a second (SQLite, a yearly form), after a second and a half at 1,500 (PostgreSQL, a
/// monthly one). Who would wait longer is told to come again.
const LONGEST_LINE: usize = 2048;

/// The bytes that wait in a line: memory is bounded by it, and not by how many bodies of the
/// largest size fit into the line.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Work that can wait in a queue.
pub trait Task: Send + 'static {
    type Answer: Send + 'static;

    /// How much memory it takes, about, in bytes.
    fn bytes(&self) -> usize;
}

/// The lines of all tenants.
pub struct Queue<T: Task>(Mutex<HashMap<TenantId, Line<T>>>);

impl<T: Task> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue(Mutex::default())
    }
}

/// A tenant's; there is one as long as somebody leads it.
struct Line<T: Task> {
    waiting: VecDeque<Waiting<T>>,
    bytes: usize,
}

impl<T: Task> Default for Line<T> {
    fn default() -> Line<T> {
        Line {
            waiting: VecDeque::new(),
            bytes: 0,
        }
    }
}

struct Waiting<T: Task> {
    task: T,
    answer: oneshot::Sender<T::Answer>,
}

/// Tasks that are done together, and to whom each is answered.
type Batch<T> = (Vec<T>, Vec<oneshot::Sender<<T as Task>::Answer>>);

/// Why a task got no answer.
#[derive(Debug)]
pub enum QueueError {
    /// The line is too long already; the task was not taken.
    Full,
    /// There is nobody to do it, or it is not known whether it was done.
    Store(StoreError),
}

impl<T: Task> Queue<T> {
    /// Waits at the end of a tenant's line until the task is done. `work` does a batch and answers
    /// each task by its place; who comes first runs it, on a thread of its own: the threads that
    /// requests wait on may all be busy with reading.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn wait<W>(
        self: &Arc<Self>,
        tenant: TenantId,
        task: T,
        work: W,
    ) -> Result<T::Answer, QueueError>
    where
        W: FnMut(Vec<T>, &mut dyn FnMut(usize, T::Answer)) + Send + 'static,
    {
        let (answer, role) = self.join(tenant, task)?;
        if role == Role::Leads {
            self.lead(tenant, work).map_err(QueueError::Store)?;
        }
        // Nobody answers where the leader's thread is gone; the log has why.
        let lost = |_| StoreError::OutcomeUnknown("nobody has answered a change".to_owned());
        answer.await.map_err(lost).map_err(QueueError::Store)
    }

    /// Takes a place at the end of the line.
    fn join(
        &self,
        tenant: TenantId,
        task: T,
    ) -> Result<(oneshot::Receiver<T::Answer>, Role), QueueError> {
        let (answer, receiver) = oneshot::channel();
        let mut lines = self.lines();
        let role = match lines.contains_key(&tenant) {
            true => Role::Waits,
            false => Role::Leads,
        };
        let line = lines.entry(tenant).or_default();
        if line.waiting.len() >= LONGEST_LINE || line.bytes >= MOST_BYTES {
            return Err(QueueError::Full);
        }
        line.bytes += task.bytes();
        line.waiting.push_back(Waiting { task, answer });
        Ok((receiver, role))
    }

    fn lead<W>(self: &Arc<Self>, tenant: TenantId, mut work: W) -> Result<(), StoreError>
    where
        W: FnMut(Vec<T>, &mut dyn FnMut(usize, T::Answer)) + Send + 'static,
    {
        let leading = Leading {
            queue: Arc::clone(self),
            tenant,
            end: End::BeforeItsTime,
        };
        let thread = std::thread::Builder::new().name("submissions".to_owned());
        thread
            .spawn(move || leading.run(&mut work))
            .map(drop)
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// The first of the line; the line ends where there are none.
    fn batch(&self, tenant: TenantId) -> Option<Batch<T>> {
        let mut lines = self.lines();
        let line = lines.get_mut(&tenant)?;
        let mut batch = (Vec::new(), Vec::new());
        while batch.0.len() < BATCH {
            let Some(waiting) = line.waiting.pop_front() else {
                break;
            };
            line.bytes = line.bytes.saturating_sub(waiting.task.bytes());
            // Who has gone away needs no answer, and sends it again if it is still wanted.
            if !waiting.answer.is_closed() {
                batch.0.push(waiting.task);
                batch.1.push(waiting.answer);
            }
        }
        if batch.0.is_empty() {
            lines.remove(&tenant);
            return None;
        }
        Some(batch)
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<TenantId, Line<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells whether a newcomer has to lead the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Waits,
    Leads,
}

/// A line that is led. However that ends, nobody may wait in a line that nobody leads.
struct Leading<T: Task> {
    queue: Arc<Queue<T>>,
    tenant: TenantId,
    end: End,
}

#[derive(PartialEq, Eq)]
enum End {
    /// The line was empty.
    Orderly,
    BeforeItsTime,
}

impl<T: Task> Leading<T> {
    /// Takes batch after batch until nobody waits.
    fn run(mut self, work: &mut impl FnMut(Vec<T>, &mut dyn FnMut(usize, T::Answer))) {
        while let Some((tasks, answers)) = self.queue.batch(self.tenant) {
            let mut answers: BTreeMap<usize, _> = answers.into_iter().enumerate().collect();
            work(tasks, &mut |place, answer| {
                // Who has gone away meanwhile will ask again.
                let _ = answers.remove(&place).map(|sender| sender.send(answer));
            });
        }
        self.end = End::Orderly;
    }
}

impl<T: Task> Drop for Leading<T> {
    fn drop(&mut self) {
        if self.end == End::BeforeItsTime {
            // Whoever waits learns from its closed channel that nobody will answer.
            self.queue.lines().remove(&self.tenant);
        }
    }
}
