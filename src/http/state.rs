//! What a server knows of itself while it runs: how many requests it is working on, whether the
//! disk was full a moment ago, whether it is about to stop. Never what a request is about.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a full disk is told after it was met. Writes are tried all the while, so that the
/// service goes on by itself; a balancer sends some again after this time.
const FULL_IS_TOLD_FOR: Duration = Duration::from_secs(5);

/// The server's own state, one for all its threads.
pub struct ServerState {
    /// The most requests at once.
    limit: usize,
    working_on: AtomicUsize,
    stopping: AtomicBool,
    last_full: Mutex<Option<Instant>>,
}

/// A place among the requests that are worked on, until it is dropped.
pub struct Admitted<'state>(&'state ServerState);

impl ServerState {
    /// A server that works on so many requests at once.
    pub fn new(limit: usize) -> ServerState {
        ServerState {
            limit,
            working_on: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            last_full: Mutex::new(None),
        }
    }

    /// A place for one more request, if there is one.
    pub fn admit(&self) -> Option<Admitted<'_>> {
        let before = self.working_on.fetch_add(1, Ordering::Relaxed);
        let admitted = Admitted(self);
        (before < self.limit).then_some(admitted)
    }

    pub fn note_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub fn note_full_disk(&self) {
        *self
            .last_full
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a write met a full disk a moment ago.
    pub fn is_disk_full(&self) -> bool {
        let last = *self
            .last_full
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < FULL_IS_TOLD_FOR)
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.0.working_on.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_request_is_done() {
        let state = ServerState::new(2);
        let first = state.admit();
        let _second = state.admit();
        assert!(first.is_some() && state.admit().is_none());
        drop(first);
        assert!(state.admit().is_some());
    }
}
