//! A call: the caller of a change, the state that it builds on, and the identity of the request.

use chrono::{DateTime, Utc};

use crate::authn::Identity;
use crate::service::application::condition::Precondition;
use crate::service::application::idempotency::Repeatable;
use crate::store::idempotency::BodyHash;

/// A request for a change, without the change itself.
#[derive(Debug, Clone)]
pub struct Call {
    /// The caller.
    pub identity: Identity,
    /// The state that the change builds on.
    pub precondition: Precondition,
    /// The identity of the request, if it may be sent again.
    pub repeatable: Option<Repeatable>,
    pub now: DateTime<Utc>,
}

impl Call {
    /// Makes a call without a condition that is never a repetition, such as a command's.
    pub fn new(identity: Identity, now: DateTime<Utc>) -> Call {
        Call {
            identity,
            precondition: Precondition::None,
            repeatable: None,
            now,
        }
    }

    /// Makes the call of one item of a request with several: each is told from the others by its name,
    /// and has its own content and condition.
    #[must_use]
    pub fn of_item(&self, name: &str, body_hash: BodyHash, precondition: Precondition) -> Call {
        let repeatable = self.repeatable.as_ref();
        Call {
            precondition,
            repeatable: repeatable.map(|whole| whole.of_item(name, body_hash)),
            ..self.clone()
        }
    }

    /// Adds a condition.
    #[must_use]
    pub fn on(self, precondition: Precondition) -> Call {
        Call {
            precondition,
            ..self
        }
    }
}
