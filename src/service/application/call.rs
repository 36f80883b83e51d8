//! A call: who asks for a change, on which state it builds, and which request it is. Never what it
//! changes.

use chrono::{DateTime, Utc};

use crate::authn::Identity;
use crate::service::application::condition::Precondition;
use crate::service::application::idempotency::Repeatable;

/// A request for a change, apart from what is to be changed.
#[derive(Debug, Clone)]
pub struct Call {
    /// The caller.
    pub identity: Identity,
    /// The state that the change builds on.
    pub precondition: Precondition,
    /// What tells the request from others, if it may be sent again.
    pub repeatable: Option<Repeatable>,
    pub now: DateTime<Utc>,
}

impl Call {
    /// A call without a condition, which is itself each time: a command's.
    pub fn new(identity: Identity, now: DateTime<Utc>) -> Call {
        Call {
            identity,
            precondition: Precondition::None,
            repeatable: None,
            now,
        }
    }

    /// The same call on condition.
    #[must_use]
    pub fn on(self, precondition: Precondition) -> Call {
        Call {
            precondition,
            ..self
        }
    }
}
