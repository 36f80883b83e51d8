//! The last uses of keys that this process has noted, so that not every request writes one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::id::AccountId;

/// The least time between two uses of a key that are noted.
pub(in crate::service) const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// The time of the last noted use of each program's key.
#[derive(Default)]
pub(in crate::service) struct KeyUses(Mutex<HashMap<AccountId, DateTime<Utc>>>);

impl KeyUses {
    /// Returns true if a use is to be noted, and then takes it as noted.
    pub fn is_due(&self, program: AccountId, now: DateTime<Utc>) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = noted.get(&program);
        let is_due = last.is_none_or(|last| now - *last >= NOTED_EVERY);
        if is_due {
            noted.insert(program, now);
        }
        is_due
    }
}
