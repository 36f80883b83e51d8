//! Conditions of requests (RFC 9110, section 13): the state that a change builds on. Knows no
//! headers.

use crate::error::{Code, Explain, Explanation};
use crate::message;

/// A strong validator of a state that a caller has seen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Etag(String);

impl Etag {
    /// Makes a validator from `value`, without quotes. Only letters, digits and `.-_` are allowed.
    pub fn new(value: impl std::fmt::Display) -> Etag {
        Etag(value.to_string())
    }

    /// Returns the validator without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request's condition on the current state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// No condition.
    None,
    /// `If-None-Match: *`: nothing must exist yet.
    Absent,
    /// `If-Match: *`: something must exist.
    Present,
    /// `If-Match: "…", …`: the current state must be one of these.
    OneOf(Vec<Etag>),
}

/// A condition that is missing or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    #[error("the request has no condition and needs one")]
    Required,
    #[error("the condition does not hold")]
    Failed,
    #[error("there is something already")]
    AlreadyThere,
    #[error("there is nothing yet")]
    NothingThere,
}

impl Precondition {
    /// Checks a change's condition against `current`, the state that exists now.
    ///
    /// # Errors
    /// [`ConditionError::Required`] without a condition, and one of the others if it does not hold.
    pub fn check(&self, current: Option<&Etag>) -> Result<(), ConditionError> {
        match (self, current) {
            (Precondition::None, _) => Err(ConditionError::Required),
            (Precondition::Absent, Some(_)) => Err(ConditionError::AlreadyThere),
            (Precondition::Present | Precondition::OneOf(_), None) => {
                Err(ConditionError::NothingThere)
            }
            (Precondition::OneOf(seen), Some(current)) if !seen.contains(current) => {
                Err(ConditionError::Failed)
            }
            _ => Ok(()),
        }
    }

    /// Cuts each tag at its first dot. The tag of a state read as of a day has two parts: the state
    /// that a change builds on, and the version of that day.
    #[must_use]
    pub fn without_suffixes(&self) -> Precondition {
        match self {
            Precondition::OneOf(seen) => {
                let cut = |tag: &Etag| Etag::new(tag.0.split('.').next().unwrap_or_default());
                Precondition::OneOf(seen.iter().map(cut).collect())
            }
            other => other.clone(),
        }
    }

    /// Like [`Precondition::check`], but something new may be created without a condition, since
    /// nothing can be lost.
    ///
    /// # Errors
    /// As [`Precondition::check`], if something exists.
    pub fn check_unless_new(&self, current: Option<&Etag>) -> Result<(), ConditionError> {
        match (self, current) {
            (Precondition::None, None) => Ok(()),
            _ => self.check(current),
        }
    }
}

impl Explain for ConditionError {
    fn explain(&self) -> Explanation {
        let (code, message) = match self {
            ConditionError::Required => {
                (Code::PreconditionRequired, message!("condition-required"))
            }
            ConditionError::AlreadyThere => (
                Code::PreconditionFailed,
                message!("condition-already-there"),
            ),
            ConditionError::NothingThere => (
                Code::PreconditionFailed,
                message!("condition-nothing-there"),
            ),
            ConditionError::Failed => (Code::PreconditionFailed, message!("condition-failed")),
        };
        Explanation::new(code, message)
    }
}
