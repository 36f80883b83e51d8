//! Conditions of requests (RFC 9110, section 13): the state that a change builds on. Knows no
//! headers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::store::StoreError;

/// The state of one thing, on which a change of it builds. It moves with that thing only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State(String);

impl State {
    /// Makes the state of a thing that counts its changes: its revision, or the rev of the last one.
    pub fn numbered(number: impl Into<i64>) -> State {
        State(number.into().to_string())
    }

    /// Makes the state of a thing that is told from others by its content only.
    ///
    /// # Errors
    /// None in practice; the encoder's type allows one.
    pub fn of_content<T: Serialize>(content: &T) -> Result<State, StoreError> {
        Ok(State(digest(&json_of(content)?)))
    }
}

/// A strong validator (RFC 9110, section 8.8.3): the same one means the same body, byte for byte.
///
/// That of a thing that can be changed has two parts with a dot between them: its [`State`], and a
/// digest of all that is shown, such as the names of others. If-None-Match compares the whole.
/// If-Match compares the state alone, so that a change is not refused because a unit was renamed
/// meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Etag(String);

impl Etag {
    /// Takes a validator as a caller sent it, without quotes.
    pub fn sent(text: &str) -> Etag {
        Etag(text.to_owned())
    }

    /// Makes the validator of a body that no change builds on.
    pub fn of_bytes(body: &[u8]) -> Etag {
        Etag(digest(body))
    }

    /// Like [`Etag::of_bytes`], for a body that is not written yet.
    ///
    /// # Errors
    /// None in practice; the encoder's type allows one.
    pub fn of<T: Serialize>(body: &T) -> Result<Etag, StoreError> {
        Ok(Etag::of_bytes(&json_of(body)?))
    }

    /// Makes the validator of a thing in a state, as `body` shows it.
    pub fn of_state_in_bytes(state: &State, body: &[u8]) -> Etag {
        Etag(format!("{}.{}", state.0, digest(body)))
    }

    /// Like [`Etag::of_state_in_bytes`], for a body that is not written yet.
    ///
    /// # Errors
    /// None in practice; the encoder's type allows one.
    pub fn of_state<T: Serialize>(state: &State, body: &T) -> Result<Etag, StoreError> {
        Ok(Etag::of_state_in_bytes(state, &json_of(body)?))
    }

    /// Returns the validator without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_of(&self, state: &State) -> bool {
        self.0.split('.').next() == Some(state.0.as_str())
    }
}

fn json_of<T: Serialize>(content: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(content).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// The bytes of a hash that are kept: enough that no two bodies meet by chance.
const DIGEST_BYTES: usize = 16;

fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let kept = hash.get(..DIGEST_BYTES).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(kept)
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
    /// `If-Match: "…", …`: the current state must be that of one of these.
    OneOf(Vec<Etag>),
}

/// A condition that is missing or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    #[error("the request has no condition and needs one")]
    Required,
    #[error("the request decides about something without a condition")]
    NotSeen,
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
    pub fn check(&self, current: Option<&State>) -> Result<(), ConditionError> {
        match (self, current) {
            (Precondition::None, _) => Err(ConditionError::Required),
            (Precondition::Absent, Some(_)) => Err(ConditionError::AlreadyThere),
            (Precondition::Present | Precondition::OneOf(_), None) => {
                Err(ConditionError::NothingThere)
            }
            (Precondition::OneOf(seen), Some(current))
                if !seen.iter().any(|seen| seen.is_of(current)) =>
            {
                Err(ConditionError::Failed)
            }
            _ => Ok(()),
        }
    }

    /// Like [`Precondition::check`], for a decision about something that is there: it creates nothing,
    /// and must be about what its caller has seen.
    ///
    /// # Errors
    /// [`ConditionError::NotSeen`] without a condition, otherwise as [`Precondition::check`].
    pub fn check_of_decision(&self, current: Option<&State>) -> Result<(), ConditionError> {
        match self {
            Precondition::None => Err(ConditionError::NotSeen),
            Precondition::Absent | Precondition::Present | Precondition::OneOf(_) => {
                self.check(current)
            }
        }
    }

    /// Like [`Precondition::check`], but a change may go without a condition.
    ///
    /// # Errors
    /// As [`Precondition::check`], if there is a condition.
    pub fn check_if_given(&self, current: Option<&State>) -> Result<(), ConditionError> {
        match self {
            Precondition::None => Ok(()),
            _ => self.check(current),
        }
    }

    /// Like [`Precondition::check`], but something new may be created without a condition, since
    /// nothing can be lost.
    ///
    /// # Errors
    /// As [`Precondition::check`], if something exists.
    pub fn check_unless_new(&self, current: Option<&State>) -> Result<(), ConditionError> {
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
            ConditionError::NotSeen => (Code::PreconditionRequired, message!("condition-not-seen")),
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
