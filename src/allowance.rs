//! The allowances of callers, as they are set. Counts nothing.

use std::time::Duration;

use crate::rate::Rate;

/// What one account, or one tenant, may ask for. 0 means no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Twice as many may come at once.
    pub requests_a_second: u64,
    /// Bytes of bodies that bring submissions.
    pub bytes_a_day: u64,
}

/// What each account and each tenant may ask for. No limits by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AllowanceLimits {
    pub of_account: Allowance,
    pub of_tenant: Allowance,
}

/// The time for which a burst of requests counts.
const BURST: u64 = 2;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Allowance {
    pub fn requests(self) -> Option<Rate> {
        let burst = self.requests_a_second.saturating_mul(BURST);
        Rate::of(burst, Duration::from_secs(BURST))
    }

    pub fn bytes(self) -> Option<Rate> {
        Rate::of(self.bytes_a_day, DAY)
    }
}
