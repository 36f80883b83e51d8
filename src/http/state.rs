//! The state of a running server: the requests in progress, the bytes of bodies that are arriving
//! and whose they are, a recent full disk, a pending stop. Knows nothing of what requests are
//! about.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::authn::Identity;
use crate::domain::id::{AccountId, TenantId};

/// The time for which a full disk is reported after a write met it. Writes are tried all the while,
/// so the service recovers by itself, and a load balancer sends some again after this time.
const FULL_IS_TOLD_FOR: Duration = Duration::from_secs(5);

/// The server's own state, shared by all its threads.
pub struct ServerState {
    /// For requests in progress.
    requests: Arc<Room>,
    /// For sign-ins, which have room of their own so that people can always sign in.
    sign_ins: Arc<Room>,
    bodies: Arc<Bodies>,
    stopping: AtomicBool,
    last_full: Mutex<Option<Instant>>,
}

/// A limited number of places.
struct Room {
    size: usize,
    taken: AtomicUsize,
}

impl Room {
    fn of(size: usize) -> Arc<Room> {
        let taken = AtomicUsize::new(0);
        Arc::new(Room { size, taken })
    }

    fn enter(self: &Arc<Self>) -> Option<Occupied> {
        let before = self.taken.fetch_add(1, Ordering::Relaxed);
        let room = Arc::clone(self);
        let occupied = Occupied { room };
        (before < self.size).then_some(occupied)
    }
}

/// A place in a room, given back on drop.
pub struct Occupied {
    room: Arc<Room>,
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The room for bodies that are arriving, in bytes, and each holder's share in use.
struct Bodies {
    size: usize,
    taken: Mutex<HashMap<Holder, usize>>,
}

/// A holder of a share of the room for bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    Everybody,
    Tenant(TenantId),
    Account(AccountId),
    /// Callers who are signing in. Their share is separate from everybody's.
    SigningIn,
}

impl Bodies {
    fn share(&self, holder: Holder) -> usize {
        match holder {
            Holder::Everybody => self.size,
            Holder::Tenant(_) => self.size / 2,
            Holder::Account(_) => self.size / 4,
            Holder::SigningIn => self.size / 8,
        }
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Holder, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The room that one arriving body has taken, given back on drop.
pub struct Arriving {
    bodies: Arc<Bodies>,
    holders: Vec<Holder>,
    bytes: usize,
}

impl Arriving {
    /// Takes room for bytes that have arrived. Refuses if other bodies have used up a holder's
    /// share; a single body may be larger than the share. A body that has begun may use a second
    /// share, so that bodies in transit can finish.
    pub fn take(&mut self, bytes: usize) -> bool {
        let mut taken = self.bodies.taken();
        let has_room = self.holders.iter().all(|holder| {
            let taken = taken.get(holder).copied().unwrap_or(0);
            let share = self.bodies.share(*holder);
            let most = match self.bytes {
                0 => share,
                _ => share.saturating_mul(2),
            };
            taken < most || taken == self.bytes
        });
        if has_room {
            for holder in &self.holders {
                *taken.entry(*holder).or_default() += bytes;
            }
            self.bytes += bytes;
        }
        has_room
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let mut taken = self.bodies.taken();
        for holder in &self.holders {
            let rest = taken.get(holder).copied().unwrap_or(0);
            match rest.saturating_sub(self.bytes) {
                0 => taken.remove(holder),
                rest => taken.insert(*holder, rest),
            };
        }
    }
}

/// The paths of those who are not signed in yet.
const SIGN_IN: [&str; 2] = ["/v1/auth/token", "/v1/auth/invitation"];

impl ServerState {
    /// Makes the state of a server with room for `requests` in progress and `bytes` of arriving
    /// bodies.
    pub fn new(requests: usize, bytes: usize) -> ServerState {
        ServerState {
            requests: Room::of(requests),
            sign_ins: Room::of(requests),
            bodies: Arc::new(Bodies {
                size: bytes,
                taken: Mutex::default(),
            }),
            stopping: AtomicBool::new(false),
            last_full: Mutex::new(None),
        }
    }

    /// Takes a place for a request to a path, if there is one.
    pub fn admit(&self, path: &str) -> Option<Occupied> {
        match SIGN_IN.contains(&path) {
            true => self.sign_ins.enter(),
            false => self.requests.enter(),
        }
    }

    /// Makes room for a body. Its sender is unknown while signing in.
    pub fn expect_body(&self, sender: Option<&Identity>) -> Arriving {
        let holders = match sender {
            Some(identity) => vec![
                Holder::Everybody,
                Holder::Tenant(identity.tenant()),
                Holder::Account(identity.account()),
            ],
            None => vec![Holder::SigningIn],
        };
        Arriving {
            bodies: Arc::clone(&self.bodies),
            holders,
            bytes: 0,
        }
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

    /// Returns true if a write recently met a full disk.
    pub fn is_disk_full(&self) -> bool {
        let last = *self
            .last_full
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < FULL_IS_TOLD_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_request_is_done() {
        let state = ServerState::new(2, 0);
        let first = state.admit("/v1/me");
        let _second = state.admit("/v1/me");
        assert!(first.is_some() && state.admit("/v1/me").is_none());
        let signing_in = state.admit("/v1/auth/token");
        assert!(signing_in.is_some());
        drop(first);
        assert!(state.admit("/v1/me").is_some());
    }

    fn arriving(state: &ServerState, holders: &[Holder]) -> Arriving {
        let mut arriving = state.expect_body(None);
        arriving.holders = holders.to_vec();
        arriving
    }

    #[test]
    fn nobody_takes_the_room_of_others_by_sending_much() {
        let state = ServerState::new(0, 400);
        let tenant = Holder::Tenant(TenantId::new());
        let account = || [Holder::Everybody, tenant, Holder::Account(AccountId::new())];
        let (one, two) = (account(), account());
        let mut large = arriving(&state, &one);
        assert!(
            large.take(150) && large.take(10),
            "one body may be larger than a share"
        );
        assert!(
            !arriving(&state, &one).take(1),
            "the account has used its share"
        );
        let mut other = arriving(&state, &two);
        assert!(other.take(60));
        assert!(
            !arriving(&state, &account()).take(1),
            "the tenant has used its share"
        );
        assert!(other.take(1), "what has begun goes on");
        let elsewhere = [
            Holder::Everybody,
            Holder::Tenant(TenantId::new()),
            Holder::Account(AccountId::new()),
        ];
        assert!(arriving(&state, &elsewhere).take(90));
        assert!(state.expect_body(None).take(1), "people can sign in");
        drop(large);
        assert!(other.take(1) && arriving(&state, &one).take(1));
    }
}
