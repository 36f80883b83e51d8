//! The times at which old rows of tenants' logs of sign-ins are deleted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::id::TenantId;

/// How many rows of a tenant's log are written between two times of deleting old ones.
const BETWEEN_SWEEPS: u32 = 64;

/// The rows that this process has written to each tenant's log since the last sweep.
#[derive(Default)]
pub(in crate::service) struct Sweeps(Mutex<HashMap<TenantId, u32>>);

impl Sweeps {
    /// Counts a row. Returns true now and then, for a tenant's first row too: when its old rows are to
    /// be deleted.
    pub fn is_due(&self, tenant: TenantId) -> bool {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since_last = written.entry(tenant).or_insert(BETWEEN_SWEEPS);
        let is_due = *since_last >= BETWEEN_SWEEPS;
        *since_last = if is_due { 1 } else { *since_last + 1 };
        is_due
    }
}
