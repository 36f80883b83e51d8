//! Rates: how often something may happen to each of many keys. Knows nothing of what it counts, and
//! is given the time.
//!
//! Each key has a bucket of `burst` pieces. Taking makes it emptier, and it fills again evenly, an
//! empty one within `window`. For example, with a burst of 10 and a window of ten minutes a key may
//! take 10 at once, and then one a minute. Only the moment at which a bucket is full again is stored
//! (the generic cell rate algorithm), and full buckets are forgotten.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The size of a bucket, and the time in which an empty one fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub burst: NonZeroU64,
    pub window: Duration,
}

impl Rate {
    /// Makes a rate of up to `burst` at once; `None` if the burst is zero, which means no limit.
    pub fn of(burst: u64, window: Duration) -> Option<Rate> {
        let burst = NonZeroU64::new(burst)?;
        Some(Rate { burst, window })
    }

    /// Returns the time in which a bucket gains an amount, in nanoseconds. An amount above the burst
    /// counts as the burst, so that it can be had at all.
    fn refill(self, amount: u64) -> u64 {
        let amount = amount.min(self.burst.get());
        let time = u128::from(self.window()) * u128::from(amount) / u128::from(self.burst.get());
        u64::try_from(time).unwrap_or(u64::MAX)
    }

    fn window(self) -> u64 {
        nanoseconds(self.window)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// How full a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The pieces in it.
    pub left: u64,
    /// The time until it is full.
    pub full_in: Duration,
}

/// A bucket that holds less than was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    /// The time until it holds as much.
    pub wait: Duration,
}

/// The buckets of many keys, all of one size. Each call takes a lock for a moment only.
pub struct Buckets<K> {
    rate: Rate,
    began: Instant,
    kept: Mutex<Kept<K>>,
}

struct Kept<K> {
    /// The moments at which buckets are full again, in nanoseconds since the beginning. A key
    /// without one has a full bucket.
    full_at: HashMap<K, u64>,
    /// The number of keys at which those with full buckets are forgotten.
    sweep_at: usize,
}

/// The fewest keys that are worth a sweep.
const LEAST_SWEEP: usize = 1024;

impl<K: Hash + Eq> Buckets<K> {
    pub fn new(rate: Rate) -> Buckets<K> {
        Buckets {
            rate,
            began: Instant::now(),
            kept: Mutex::new(Kept {
                full_at: HashMap::new(),
                sweep_at: LEAST_SWEEP,
            }),
        }
    }

    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes an amount out of a key's bucket, if it is there.
    ///
    /// # Errors
    /// [`Short`], after which the bucket is as it was.
    pub fn take(&self, key: K, amount: u64, now: Instant) -> Result<Level, Short> {
        let now = self.at(now);
        let mut kept = self.kept();
        let full_at = kept.full_at(&key, now);
        self.check(full_at, amount, now)?;
        let full_at = full_at.saturating_add(self.rate.refill(amount));
        kept.put(key, full_at, now);
        Ok(self.level(full_at, now))
    }

    /// Takes an amount out of a key's bucket, or what there is of it: for what has happened already.
    pub fn charge(&self, key: K, amount: u64, now: Instant) -> Level {
        let now = self.at(now);
        let mut kept = self.kept();
        let full_at = kept.full_at(&key, now);
        let full_at = full_at.saturating_add(self.rate.refill(amount));
        let full_at = full_at.min(now.saturating_add(self.rate.window()));
        kept.put(key, full_at, now);
        self.level(full_at, now)
    }

    /// Looks whether a key's bucket holds an amount, and takes nothing.
    ///
    /// # Errors
    /// [`Short`] if it does not.
    pub fn look(&self, key: &K, amount: u64, now: Instant) -> Result<Level, Short> {
        let now = self.at(now);
        let full_at = self.kept().full_at(key, now);
        self.check(full_at, amount, now)?;
        Ok(self.level(full_at, now))
    }

    /// Returns the level of a key's bucket.
    pub fn level_of(&self, key: &K, now: Instant) -> Level {
        let now = self.at(now);
        let full_at = self.kept().full_at(key, now);
        self.level(full_at, now)
    }

    fn check(&self, full_at: u64, amount: u64, now: u64) -> Result<(), Short> {
        let missing = full_at - now;
        let after = missing.saturating_add(self.rate.refill(amount));
        match after.checked_sub(self.rate.window()) {
            None | Some(0) => Ok(()),
            Some(wait) => Err(Short {
                wait: Duration::from_nanos(wait),
            }),
        }
    }

    fn level(&self, full_at: u64, now: u64) -> Level {
        let window = u128::from(self.rate.window()).max(1);
        let there = window.saturating_sub(u128::from(full_at - now));
        let left = there * u128::from(self.rate.burst.get()) / window;
        Level {
            left: u64::try_from(left).unwrap_or(u64::MAX),
            full_in: Duration::from_nanos(full_at - now),
        }
    }

    fn at(&self, now: Instant) -> u64 {
        nanoseconds(now.saturating_duration_since(self.began))
    }

    fn kept(&self) -> MutexGuard<'_, Kept<K>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Kept<K> {
    fn full_at(&self, key: &K, now: u64) -> u64 {
        self.full_at
            .get(key)
            .map_or(now, |full_at| now.max(*full_at))
    }

    fn put(&mut self, key: K, full_at: u64, now: u64) {
        self.full_at.insert(key, full_at);
        if self.full_at.len() >= self.sweep_at {
            self.full_at.retain(|_, full_at| *full_at > now);
            self.sweep_at = LEAST_SWEEP.max(2 * self.full_at.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(burst: u64, seconds: u64) -> Buckets<u32> {
        Buckets::new(Rate::of(burst, Duration::from_secs(seconds)).unwrap())
    }

    #[test]
    fn a_burst_may_be_taken_at_once_and_then_as_much_as_flows_in() {
        let buckets = buckets(10, 600);
        let start = Instant::now();
        for left in (0..10).rev() {
            assert_eq!(buckets.take(1, 1, start).unwrap().left, left);
        }
        let minute = Duration::from_secs(60);
        assert_eq!(buckets.take(1, 1, start), Err(Short { wait: minute }));
        assert_eq!(buckets.look(&2, 10, start).unwrap().left, 10);
        assert!(buckets.take(1, 1, start + minute).is_ok());
        assert!(buckets.take(1, 1, start + minute).is_err());
        let later = start + 6 * minute;
        assert_eq!(buckets.level_of(&1, later).left, 5);
        assert_eq!(buckets.level_of(&1, later).full_in, 5 * minute);
        assert_eq!(buckets.level_of(&1, start + 60 * minute).left, 10);
    }

    #[test]
    fn a_charge_empties_a_bucket_and_no_more() {
        let buckets = buckets(2, 20);
        let start = Instant::now();
        for _ in 0..50 {
            buckets.charge(1, 1, start);
        }
        let wait = Duration::from_secs(10);
        assert_eq!(buckets.look(&1, 1, start), Err(Short { wait }));
        assert!(buckets.look(&1, 1, start + wait).is_ok());
    }

    #[test]
    fn more_than_a_bucket_holds_takes_a_full_one() {
        let day = 24 * 60 * 60;
        let buckets = buckets(64 << 20, day);
        let start = Instant::now();
        assert!(buckets.take(1, 1 << 40, start).is_ok());
        assert!(buckets.take(1, 1, start).is_err());
        let next_day = start + Duration::from_secs(day);
        assert_eq!(buckets.take(1, 1 << 20, next_day).unwrap().left, 63 << 20);
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let buckets = buckets(1, 1);
        let start = Instant::now();
        for key in 0..100_000 {
            let now = start + Duration::from_millis(key.into());
            assert!(buckets.take(key, 1, now).is_ok());
        }
        assert!(buckets.kept().full_at.len() <= 2 * LEAST_SWEEP);
    }
}
