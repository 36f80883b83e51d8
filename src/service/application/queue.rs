//! A queue of tasks that are done in batches. Each tenant has a line. Whoever finds it without a
//! leader starts one, which takes a batch, has it done and answered, and continues until the line is
//! empty. Tasks that arrive meanwhile share the next batch. Does not know what a task does.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::domain::id::TenantId;
use crate::store::StoreError;

/// The most tasks in one batch.
const BATCH: usize = 256;

/// The most tasks in a line. The last of them is answered after 0.5 s at 4,000 commits a second
/// (SQLite, a yearly form), and after 1.5 s at 1,500 (PostgreSQL, a monthly form). Further ones are
/// refused.
const LONGEST_LINE: usize = 2048;

/// The most bytes in a line, so that its memory does not depend on how large the bodies are.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A task that can wait in a queue.
pub trait Task: Send + 'static {
    type Answer: Send + 'static;

    /// Returns the approximate memory of the task, in bytes.
    fn bytes(&self) -> usize;
}

/// The lines of all tenants.
pub struct Queue<T: Task>(Mutex<HashMap<TenantId, Line<T>>>);

impl<T: Task> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue(Mutex::default())
    }
}

/// A tenant's line. It exists as long as somebody leads it.
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
    answer: Sender<T>,
}

/// The channel for a task's answer, or for the reason why it was not begun. It closes without
/// either if the leader falls while it does the task.
type Sender<T> = oneshot::Sender<Result<<T as Task>::Answer, StoreError>>;

/// The end of the channel at which the task's caller waits.
type Receiver<T> = oneshot::Receiver<Result<<T as Task>::Answer, StoreError>>;

/// Tasks that are done together, with the channel for each answer.
type Batch<T> = (Vec<T>, Vec<Sender<T>>);

/// The reasons for which a task got no answer.
#[derive(Debug)]
pub enum QueueError {
    /// The line is full; the task was not taken.
    Full,
    /// The task was not begun ([`StoreError::Unavailable`]), or its outcome is unknown.
    Store(StoreError),
}

impl<T: Task> Queue<T> {
    /// Waits at the end of a tenant's line until the task is done. `work` does a batch and answers
    /// each task by its index. The first to come runs it on a thread of its own, because all threads
    /// that requests wait on may be busy reading.
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
        // If the leader's thread fell while it did the task, nobody answers; the log has the reason.
        let lost = |_| StoreError::OutcomeUnknown("nobody has answered a change".to_owned());
        let answer = answer.await.map_err(lost).flatten();
        answer.map_err(QueueError::Store)
    }

    /// Takes a place at the end of the line.
    fn join(&self, tenant: TenantId, task: T) -> Result<(Receiver<T>, Role), QueueError> {
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

    /// Takes the first batch of the line, and removes the line if it is empty.
    fn batch(&self, tenant: TenantId) -> Option<Batch<T>> {
        let mut lines = self.lines();
        let line = lines.get_mut(&tenant)?;
        let mut batch = (Vec::new(), Vec::new());
        while batch.0.len() < BATCH {
            let Some(waiting) = line.waiting.pop_front() else {
                break;
            };
            line.bytes = line.bytes.saturating_sub(waiting.task.bytes());
            // A caller who has disconnected needs no answer, and will send the change again if
            // needed.
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

/// Tells whether a newcomer must lead the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Waits,
    Leads,
}

/// A line that is being led. However the leader ends, nobody may keep waiting in its line.
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
    /// Takes batch after batch until the line is empty.
    fn run(mut self, work: &mut impl FnMut(Vec<T>, &mut dyn FnMut(usize, T::Answer))) {
        while let Some((tasks, answers)) = self.queue.batch(self.tenant) {
            let mut answers: BTreeMap<usize, _> = answers.into_iter().enumerate().collect();
            work(tasks, &mut |place, answer| {
                // A caller who has disconnected will ask again.
                let _ = answers.remove(&place).map(|sender| sender.send(Ok(answer)));
            });
        }
        self.end = End::Orderly;
    }
}

impl<T: Task> Drop for Leading<T> {
    fn drop(&mut self) {
        if self.end == End::Orderly {
            return;
        }
        let line = self.queue.lines().remove(&self.tenant);
        for Waiting { answer, .. } in line.into_iter().flat_map(|line| line.waiting) {
            let reason = "the line's leader ended before the change was begun".to_owned();
            // A caller who has disconnected will ask again.
            let _ = answer.send(Err(StoreError::Unavailable(reason)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::future::{join, join3};

    use super::*;

    struct Number(u32);

    impl Task for Number {
        type Answer = u32;

        fn bytes(&self) -> usize {
            1
        }
    }

    fn answer_all(tasks: Vec<Number>, answer: &mut dyn FnMut(usize, u32)) {
        for (place, Number(number)) in tasks.into_iter().enumerate() {
            answer(place, number);
        }
    }

    #[actix_web::test]
    async fn when_a_leader_falls_only_what_it_had_taken_is_uncertain() {
        let queue: Arc<Queue<Number>> = Arc::default();
        let tenant = TenantId::new();
        let (taken, is_taken) = oneshot::channel();
        let (fall, falls) = mpsc::channel::<()>();
        let mut taken = Some(taken);
        let leads = queue.wait(tenant, Number(1), move |_, _| {
            taken.take().map(|taken| taken.send(()));
            falls.recv().unwrap();
            panic!("the leader falls");
        });
        let waits = async {
            is_taken.await.unwrap();
            let others = [2, 3].map(|number| queue.wait(tenant, Number(number), answer_all));
            let [second, third] = others;
            // They are polled in this order, so both stand in the line when the leader falls.
            let (second, third, ()) = join3(second, third, async { fall.send(()).unwrap() }).await;
            [second, third]
        };
        let (first, others) = join(leads, waits).await;
        assert!(
            matches!(first, Err(QueueError::Store(StoreError::OutcomeUnknown(_)))),
            "{first:?}"
        );
        for other in others {
            assert!(
                matches!(other, Err(QueueError::Store(StoreError::Unavailable(_)))),
                "{other:?}"
            );
        }
        let later = queue.wait(tenant, Number(4), answer_all).await;
        assert!(matches!(later, Ok(4)), "{later:?}");
    }

    #[actix_web::test]
    async fn what_was_answered_before_the_leader_fell_stays_answered() {
        let queue: Arc<Queue<Number>> = Arc::default();
        let answered = queue.wait(TenantId::new(), Number(1), |tasks, answer| {
            answer_all(tasks, answer);
            panic!("the leader falls");
        });
        let answered = answered.await;
        assert!(matches!(answered, Ok(1)), "{answered:?}");
    }
}
