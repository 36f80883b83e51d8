//! What every use case works with. Never a use case.

use std::time::Duration;

use crate::authn::Tokens;
use crate::store::Database;

use super::answers::Answers;
use super::idempotency::InFlight;
use super::snapshot::Caches;
use super::submission::Queue;
use super::turn::{Crowd, Turns};

/// The running service, without its protocol.
pub struct Application {
    pub database: Database,
    pub tokens: Tokens,
    pub(super) caches: Caches,
    pub(super) in_flight: InFlight,
    /// Of submissions.
    pub(super) changes: Queue,
    pub(super) answers: Answers,
    pub(super) turns: Turns,
    pub(super) read_time: Duration,
}

/// How much of others' reads somebody may have to wait for.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimits {
    /// How long a read goes on that somebody waits for.
    pub time: Duration,
    /// How many requests the server works on at once, of which no tenant may have all waiting.
    pub requests: usize,
}

/// Longer than any report takes, short enough for whoever waits behind it.
pub const DEFAULT_READ_TIME: Duration = Duration::from_secs(20);

/// More than one machine works on at once, few enough for its memory.
pub const DEFAULT_REQUEST_LIMIT: u16 = 512;

impl Default for ReadLimits {
    fn default() -> ReadLimits {
        ReadLimits {
            time: DEFAULT_READ_TIME,
            requests: DEFAULT_REQUEST_LIMIT.into(),
        }
    }
}

impl Application {
    pub fn new(database: Database, tokens: Tokens) -> Application {
        Application::with(database, tokens, ReadLimits::default())
    }

    /// Like [`Application::new`], with the limits that an operator has set.
    pub fn with(database: Database, tokens: Tokens, limits: ReadLimits) -> Application {
        let reading = Crowd::of_readers(database.reading_at_once());
        let waiting = Crowd {
            all: limits.requests,
            of_tenant: limits.requests.div_ceil(2),
            of_account: limits.requests.div_ceil(4),
        };
        Application {
            database,
            tokens,
            caches: Caches::default(),
            in_flight: InFlight::default(),
            changes: Queue::default(),
            answers: Answers::default(),
            turns: Turns::new(reading, waiting),
            read_time: limits.time,
        }
    }
}
