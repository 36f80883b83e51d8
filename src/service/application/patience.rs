//! Limits the time of a read: it ends when its time is over or its caller has gone. Long work asks
//! now and then whether to continue. Work that nobody waits for, such as a command's, has no limit.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::store::StoreError;

/// A caller who waits for an answer and may disconnect meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Caller(Arc<AtomicBool>);

/// Held as long as the caller waits.
#[derive(Debug)]
pub struct Presence(Arc<AtomicBool>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

thread_local! {
    /// The caller that this thread works for. Not passed to use cases, because who waits is no part
    /// of what they do.
    static CALLER: RefCell<Option<Caller>> = const { RefCell::new(None) };
}

impl Caller {
    pub fn present(&self) -> Presence {
        Presence(Arc::clone(&self.0))
    }

    pub fn is_gone(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Works for this caller.
    pub fn attend<T>(self, work: impl FnOnce() -> T) -> T {
        /// Restores the previous caller, even if the work panics.
        struct Before(Option<Caller>);
        impl Drop for Before {
            fn drop(&mut self) {
                CALLER.set(self.0.take());
            }
        }
        let _before = Before(CALLER.replace(Some(self)));
        work()
    }

    /// Returns the caller that the thread works for, if any.
    pub(in crate::service) fn current() -> Option<Caller> {
        CALLER.with_borrow(Clone::clone)
    }
}

/// The time limit of a read, if somebody waits for it.
#[derive(Debug, Clone, Default)]
pub(in crate::service) struct Patience(Option<(Caller, Instant)>);

impl Patience {
    pub fn of(caller: Caller, time: Duration) -> Patience {
        let until = Instant::now().checked_add(time);
        Patience(until.map(|until| (caller, until)))
    }

    /// Checks whether to continue.
    ///
    /// # Errors
    /// [`StoreError::TooLong`] when the time is over, [`StoreError::Abandoned`] when the caller has
    /// gone.
    pub fn check(&self) -> Result<(), StoreError> {
        match &self.0 {
            Some((caller, _)) if caller.is_gone() => Err(StoreError::Abandoned),
            Some((_, until)) if Instant::now() > *until => Err(StoreError::TooLong),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_goes_on_until_its_time_is_over_or_its_caller_gone() {
        assert!(Patience::default().check().is_ok());
        let caller = Caller::default();
        let presence = caller.present();
        let patience = Patience::of(caller.clone(), Duration::from_secs(600));
        assert!(patience.check().is_ok());
        let none = Patience::of(caller.clone(), Duration::ZERO);
        assert!(matches!(none.check(), Err(StoreError::TooLong)));
        drop(presence);
        assert!(matches!(patience.check(), Err(StoreError::Abandoned)));
        caller.attend(|| assert!(Caller::current().is_some()));
        assert!(Caller::current().is_none());
    }
}
