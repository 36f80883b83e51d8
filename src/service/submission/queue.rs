//! Where changes wait for their turn. Each tenant has a line; whoever finds nobody leading it is
//! to lead: takes what has queued, up to a batch, commits it, answers it, and goes on until the
//! line is empty. What comes while a commit is under way shares the next one. Never what a change
//! does.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{Asked, Change, SubmissionError, change_all};
use crate::domain::id::TenantId;
use crate::service::application::Application;
use crate::service::idempotency::Reply;

/// The changes of one commit.
const BATCH: usize = 256;

/// The changes that wait in a line. At some thousands a second the last of them is answered
/// within a second; more would wait in vain.
const LONGEST_LINE: usize = 2048;

/// The values that wait in a line: what they take of memory is bounded by them, and not by how
/// many bodies of the largest size fit into the line.
const MOST_VALUES: usize = 500_000;

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
    values: usize,
}

struct Waiting {
    asked: Asked,
    answer: oneshot::Sender<Answer>,
}

impl Waiting {
    fn values(&self) -> usize {
        match &self.asked.change {
            Change::Put(entered) => entered.values.len() + entered.narrative.len(),
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
        if line.waiting.len() >= LONGEST_LINE || line.values >= MOST_VALUES {
            return Err(SubmissionError::Busy);
        }
        line.values += waiting.values();
        line.waiting.push_back(waiting);
        Ok((receiver, role))
    }

    /// Takes batch after batch until nobody waits.
    pub fn lead(&self, application: &Application, tenant: TenantId) {
        let _leading = Leading {
            queue: self,
            tenant,
        };
        while let Some((asked, answers)) = self.batch(tenant) {
            let done = change_all(application, &asked);
            // Their keys are let go before anybody can send them again.
            drop(asked);
            for (answer, reply) in answers.into_iter().zip(done) {
                // Who has gone away meanwhile will ask again.
                let _ = answer.send(reply);
            }
        }
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
            line.values = line.values.saturating_sub(waiting.values());
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

/// A line that is led. However that ends, nobody must wait in a line that nobody leads.
struct Leading<'q> {
    queue: &'q Queue,
    tenant: TenantId,
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.queue.lines().remove(&self.tenant);
        }
    }
}
