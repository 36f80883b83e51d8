//! Where changes wait for their turn. Each tenant has a line; whoever finds nobody leading it is
//! to lead: takes what has queued, up to a batch, commits it, answers it, and goes on until the
//! line is empty. What comes while a commit is under way shares the next one. Never what a change
//! does.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::batch::change_each;
use super::{Asked, Change, SubmissionError};
use crate::domain::id::TenantId;
use crate::service::application::Application;
use crate::service::idempotency::Reply;
use crate::store::StoreError;

/// The changes of one commit.
const BATCH: usize = 256;

/// The changes that wait in a line. Its last is answered after half a second where 4,000 are
/// committed a second (SQLite, a yearly form), after a second and a half at 1,500 (PostgreSQL, a
/// monthly one). Who would wait longer is told to come again.
const LONGEST_LINE: usize = 2048;

/// What waits in a line, in bytes: memory is bounded by it, and not by how many bodies of the
/// largest size fit into the line.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What a value takes of memory, about.
const BYTES_A_VALUE: usize = 128;

type Answer = Result<Reply, SubmissionError>;

/// Whether who joins a line has to lead it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Waits,
    Leads,
}

/// The lines of all tenants.
#[derive(Default)]
pub struct Queue(Mutex<HashMap<TenantId, Line>>);

/// A tenant's; there is one as long as somebody leads it.
#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

struct Waiting {
    asked: Asked,
    answer: oneshot::Sender<Answer>,
}

impl Waiting {
    fn bytes(&self) -> usize {
        match &self.asked.change {
            Change::Put(entered) => {
                let texts = entered.narrative.iter().map(|passage| passage.text.len());
                texts.sum::<usize>() + entered.values.len() * BYTES_A_VALUE
            }
            Change::Return(reason) => {
                let texts = reason.values.iter().map(|value| value.reason.len());
                texts.sum::<usize>() + reason.text.len()
            }
            _ => 0,
        }
    }
}

impl Queue {
    /// Gets into the line, at its end.
    ///
    /// # Errors
    /// [`SubmissionError::Busy`] where it is too long already.
    pub fn join(
        &self,
        tenant: TenantId,
        asked: Asked,
    ) -> Result<(oneshot::Receiver<Answer>, Role), SubmissionError> {
        let (answer, receiver) = oneshot::channel();
        let waiting = Waiting { asked, answer };
        let mut lines = self.lines();
        let role = match lines.contains_key(&tenant) {
            true => Role::Waits,
            false => Role::Leads,
        };
        let line = lines.entry(tenant).or_default();
        if line.waiting.len() >= LONGEST_LINE || line.bytes >= MOST_BYTES {
            return Err(SubmissionError::Busy);
        }
        line.bytes += waiting.bytes();
        line.waiting.push_back(waiting);
        Ok((receiver, role))
    }

    /// Those who are first in the line; the line ends where there are none.
    fn batch(&self, tenant: TenantId) -> Option<(Vec<Asked>, Vec<oneshot::Sender<Answer>>)> {
        let mut lines = self.lines();
        let line = lines.get_mut(&tenant)?;
        let mut batch = (Vec::new(), Vec::new());
        while batch.0.len() < BATCH {
            let Some(waiting) = line.waiting.pop_front() else {
                break;
            };
            line.bytes = line.bytes.saturating_sub(waiting.bytes());
            // Who has gone away needs no answer, and sends it again if it is still wanted.
            if !waiting.answer.is_closed() {
                batch.0.push(waiting.asked);
                batch.1.push(waiting.answer);
            }
        }
        if batch.0.is_empty() {
            lines.remove(&tenant);
            return None;
        }
        Some(batch)
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<TenantId, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leads a tenant's line on a thread of its own: the threads that requests wait on may all be
/// busy with reading.
///
/// # Errors
/// [`StoreError::Unavailable`] where the system gives no thread.
pub fn lead(application: Arc<Application>, tenant: TenantId) -> Result<(), StoreError> {
    let leading = Leading {
        application,
        tenant,
        end: End::BeforeItsTime,
    };
    let thread = std::thread::Builder::new().name("submissions".to_owned());
    thread
        .spawn(move || leading.run())
        .map(drop)
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// A line that is led. However that ends, nobody may wait in a line that nobody leads.
struct Leading {
    application: Arc<Application>,
    tenant: TenantId,
    end: End,
}

#[derive(PartialEq, Eq)]
enum End {
    /// The line was empty.
    Orderly,
    BeforeItsTime,
}

impl Leading {
    /// Takes batch after batch until nobody waits.
    fn run(mut self) {
        let Leading {
            application,
            tenant,
            ..
        } = &self;
        while let Some((asked, answers)) = application.changes.batch(*tenant) {
            let mut answers: BTreeMap<usize, _> = answers.into_iter().enumerate().collect();
            change_each(application, *tenant, asked, |place, reply| {
                // Who has gone away meanwhile will ask again.
                let _ = answers.remove(&place).map(|answer| answer.send(reply));
            });
        }
        self.end = End::Orderly;
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        if self.end == End::BeforeItsTime {
            // Whoever waits learns from its closed channel that nobody will answer.
            self.application.changes.lines().remove(&self.tenant);
        }
    }
}
