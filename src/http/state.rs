//! What a server knows of itself while it runs: how many requests it is working on and how much of
//! others is still to come, whether the disk was full a moment ago, whether it is about to stop.
//! Never what a request is about.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a full disk is told after it was met. Writes are tried all the while, so that the
/// service goes on by itself; a balancer sends some again after this time.
const FULL_IS_TOLD_FOR: Duration = Duration::from_secs(5);

/// The server's own state, one for all its threads.
pub struct ServerState {
    /// For requests that are worked on.
    requests: Arc<Room>,
    /// For bodies that are on their way, in bytes.
    bodies: Arc<Room>,
    stopping: AtomicBool,
    last_full: Mutex<Option<Instant>>,
}

/// So much at once.
struct Room {
    size: usize,
    taken: AtomicUsize,
}

impl Room {
    fn of(size: usize) -> Arc<Room> {
        let taken = AtomicUsize::new(0);
        Arc::new(Room { size, taken })
    }

    /// Whatever is asked for, as long as any room is left: a body may be larger than all of it.
    fn take(self: &Arc<Self>, much: usize) -> Option<Occupied> {
        let before = self.taken.fetch_add(much, Ordering::Relaxed);
        let room = Arc::clone(self);
        let occupied = Occupied { room, much };
        (before < self.size).then_some(occupied)
    }
}

/// What is taken of a room until this is dropped.
pub struct Occupied {
    room: Arc<Room>,
    much: usize,
}

impl ServerState {
    /// A server that works on so many requests at once, and waits for so many bytes of others.
    pub fn new(requests: usize, bytes: usize) -> ServerState {
        ServerState {
            requests: Room::of(requests),
            bodies: Room::of(bytes),
            stopping: AtomicBool::new(false),
            last_full: Mutex::new(None),
        }
    }

    /// A place for one more request, if there is one.
    pub fn admit(&self) -> Option<Occupied> {
        self.requests.take(1)
    }

    /// Room for one more body that may come to so many bytes, if there is any.
    pub fn expect_body(&self, bytes: usize) -> Option<Occupied> {
        self.bodies.take(bytes)
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

impl Drop for Occupied {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.much, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_request_is_done() {
        let state = ServerState::new(2, 0);
        let first = state.admit();
        let _second = state.admit();
        assert!(first.is_some() && state.admit().is_none());
        drop(first);
        assert!(state.admit().is_some());
    }
}
