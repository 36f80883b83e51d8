//! What every use case works with. Never a use case.

use crate::authn::Tokens;
use crate::store::Database;

use super::answers::Answers;
use super::idempotency::InFlight;
use super::snapshot::Caches;
use super::submission::Queue;

/// The running service, without its protocol.
pub struct Application {
    pub database: Database,
    pub tokens: Tokens,
    pub(super) caches: Caches,
    pub(super) in_flight: InFlight,
    /// Of submissions.
    pub(super) changes: Queue,
    pub(super) answers: Answers,
}

impl Application {
    pub fn new(database: Database, tokens: Tokens) -> Application {
        Application {
            database,
            tokens,
            caches: Caches::default(),
            in_flight: InFlight::default(),
            changes: Queue::default(),
            answers: Answers::default(),
        }
    }
}
