//! Turns to read. An account leaves a place to its colleagues, and a tenant leaves one to others,
//! so that nobody has to wait for one who asks for much. Free places go to those who read least.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::authn::Identity;
use crate::domain::id::{AccountId, TenantId};
use crate::service::application::patience::Caller;
use crate::store::StoreError;

/// The time for which a caller waits for a turn before it is refused.
const WAIT_FOR_TURN: Duration = Duration::from_secs(10);

/// The interval at which a waiting thread checks whether its caller is still connected.
const LOOK_UP: Duration = Duration::from_millis(250);

/// The numbers of readers, or of those waiting: all, of one tenant, of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowd {
    pub all: usize,
    pub of_tenant: usize,
    pub of_account: usize,
}

/// An account of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct Reader {
    tenant: TenantId,
    account: AccountId,
}

impl Reader {
    pub fn of(identity: &Identity) -> Reader {
        Reader {
            tenant: identity.tenant(),
            account: identity.account(),
        }
    }
}

/// The readers, and those who wait to read.
pub(in crate::service) struct Turns {
    reading: Crowd,
    waiting: Crowd,
    line: Mutex<ReadersLine>,
}

#[derive(Default)]
struct ReadersLine {
    reading: Vec<Reader>,
    waiting: VecDeque<WaitingReader>,
}

struct WaitingReader {
    reader: Reader,
    thread: Thread,
    is_up: Arc<AtomicBool>,
}

/// A turn to read, given back on drop.
pub(in crate::service) struct Turn<'t> {
    turns: &'t Turns,
    reader: Reader,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.end(self.reader);
    }
}

/// Counts those listed: all, of the reader's tenant, and of the reader's account.
fn crowd<'r>(listed: impl Iterator<Item = &'r Reader>, reader: Reader) -> Crowd {
    let mut crowd = Crowd {
        all: 0,
        of_tenant: 0,
        of_account: 0,
    };
    for other in listed {
        crowd.all += 1;
        crowd.of_tenant += usize::from(other.tenant == reader.tenant);
        crowd.of_account += usize::from(*other == reader);
    }
    crowd
}

impl Crowd {
    /// Returns the limits for `places` readers. A read that has begun is not stopped for others, so
    /// one place is kept for a colleague and one for another tenant. One account alone may use all
    /// the rest.
    pub fn of_readers(places: usize) -> Crowd {
        let less = |kept: usize| places.saturating_sub(kept).max(1);
        Crowd {
            all: places,
            of_tenant: less(1),
            of_account: less(2),
        }
    }

    /// Returns true if one more fits within `most`.
    fn has_room_in(self, most: Crowd) -> bool {
        self.all < most.all && self.of_tenant < most.of_tenant && self.of_account < most.of_account
    }
}

impl ReadersLine {
    fn readers_beside(&self, reader: Reader) -> Crowd {
        crowd(self.reading.iter(), reader)
    }

    fn waiting_beside(&self, reader: Reader) -> Crowd {
        crowd(self.waiting.iter().map(|waiting| &waiting.reader), reader)
    }

    /// Picks the next one waiting, by index: of the tenant that reads least, then of the account
    /// that reads least, then the first to come.
    fn next(&self, most: Crowd) -> Option<usize> {
        let waiting = self.waiting.iter().enumerate();
        let may_read = waiting.filter_map(|(index, waiting)| {
            let readers = self.readers_beside(waiting.reader);
            let rank = (readers.of_tenant, readers.of_account, index);
            readers.has_room_in(most).then_some((rank, index))
        });
        may_read.min().map(|(_, index)| index)
    }

    fn call_up(&mut self, most: Crowd) {
        while let Some(next) = self.next(most).and_then(|index| self.waiting.remove(index)) {
            self.reading.push(next.reader);
            next.is_up.store(true, Ordering::Release);
            next.thread.unpark();
        }
    }
}

impl Turns {
    pub fn new(reading: Crowd, waiting: Crowd) -> Turns {
        Turns {
            reading,
            waiting,
            line: Mutex::default(),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`StoreError::Crowded`] if too many others wait or the wait was too long;
    /// [`StoreError::Abandoned`] if the caller has gone.
    pub fn take(&self, reader: Reader, caller: &Caller) -> Result<Turn<'_>, StoreError> {
        let is_up = Arc::new(AtomicBool::new(false));
        {
            let mut line = self.line();
            if line.readers_beside(reader).has_room_in(self.reading) {
                line.reading.push(reader);
                return Ok(self.turn(reader));
            }
            if !line.waiting_beside(reader).has_room_in(self.waiting) {
                return Err(StoreError::Crowded);
            }
            line.waiting.push_back(WaitingReader {
                reader,
                thread: std::thread::current(),
                is_up: Arc::clone(&is_up),
            });
        }
        let since = Instant::now();
        loop {
            std::thread::park_timeout(LOOK_UP);
            if is_up.load(Ordering::Acquire) {
                return Ok(self.turn(reader));
            }
            let given_up = match () {
                () if caller.is_gone() => StoreError::Abandoned,
                () if since.elapsed() > WAIT_FOR_TURN => StoreError::Crowded,
                () => continue,
            };
            let mut line = self.line();
            if is_up.load(Ordering::Acquire) {
                drop(line);
                // The turn was given at the last moment: pass it on to the next.
                drop(self.turn(reader));
            } else {
                line.waiting
                    .retain(|waiting| !Arc::ptr_eq(&waiting.is_up, &is_up));
            }
            return Err(given_up);
        }
    }

    fn turn(&self, reader: Reader) -> Turn<'_> {
        let turns = self;
        Turn { turns, reader }
    }

    fn end(&self, reader: Reader) {
        let mut line = self.line();
        let mut reading = line.reading.iter();
        if let Some(index) = reading.position(|reading| *reading == reader) {
            line.reading.swap_remove(index);
        }
        line.call_up(self.reading);
    }

    fn line(&self) -> MutexGuard<'_, ReadersLine> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread::scope;

    use super::*;

    const READING: Crowd = Crowd {
        all: 4,
        of_tenant: 3,
        of_account: 2,
    };
    const WAITING: Crowd = Crowd {
        all: 8,
        of_tenant: 4,
        of_account: 2,
    };

    fn somebody(tenant: TenantId) -> Reader {
        let account = AccountId::new();
        Reader { tenant, account }
    }

    #[test]
    fn who_reads_much_waits_and_others_do_not() {
        let turns = Turns::new(READING, WAITING);
        let tenant = TenantId::new();
        let (busy, colleague) = (somebody(tenant), somebody(tenant));
        let stranger = somebody(TenantId::new());
        let caller = Caller::default();
        let mut held: Vec<Turn<'_>> = (0..2).map(|_| turns.take(busy, &caller).unwrap()).collect();
        scope(|scope| {
            let waiting =
                [(); 2].map(|()| scope.spawn(|| drop(turns.take(busy, &caller).unwrap())));
            while turns.line().waiting.len() < 2 {
                std::thread::yield_now();
            }
            // The account has as many waiting as it may.
            let crowded = turns.take(busy, &caller).map(|_| ());
            assert!(matches!(crowded, Err(StoreError::Crowded)));
            let others = [colleague, stranger].map(|other| turns.take(other, &caller).unwrap());
            assert_eq!(turns.line().reading.len(), 4);
            drop(others);
            assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
            held.clear();
            for waiting in waiting {
                waiting.join().unwrap();
            }
        });
        assert!(turns.line().reading.is_empty());
    }

    #[test]
    fn who_is_alone_has_all_places_but_those_that_others_find_free() {
        let turns = Turns::new(Crowd::of_readers(6), WAITING);
        let tenant = TenantId::new();
        let (alone, colleague) = (somebody(tenant), somebody(tenant));
        let stranger = somebody(TenantId::new());
        let has_room = |reader: Reader| {
            let beside = turns.line().readers_beside(reader);
            beside.has_room_in(turns.reading)
        };
        let caller = Caller::default();
        let _held = [(); 4].map(|()| turns.take(alone, &caller).unwrap());
        assert!(!has_room(alone));
        let _one = turns.take(colleague, &caller).unwrap();
        assert!(!has_room(colleague));
        let _other = turns.take(stranger, &caller).unwrap();
        assert!(!has_room(stranger));
    }

    #[test]
    fn who_has_gone_waits_no_longer() {
        let turns = Turns::new(READING, WAITING);
        let (busy, gone) = (somebody(TenantId::new()), Caller::default());
        let caller = Caller::default();
        let _held = [(); 2].map(|()| turns.take(busy, &caller).unwrap());
        drop(gone.present());
        let abandoned = turns.take(busy, &gone).map(|_| ());
        assert!(matches!(abandoned, Err(StoreError::Abandoned)));
        assert!(turns.line().waiting.is_empty());
    }
}
