//! The store's errors, as far as callers can act on them. The meaning of a conflict is decided
//! where the statement is called, not here.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::file::Moved;
use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::rollup::encode::EncodingError;

/// A failure of the store. The texts are for the log; callers are told the [`Code`] only.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection became free in time, or the database is shutting down.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Too many reads are waiting already.
    #[error("too many reads at once")]
    Crowded,
    /// A read exceeded its time.
    #[error("a read took too long")]
    TooLong,
    /// The caller has disconnected.
    #[error("the caller has disconnected")]
    Abandoned,
    /// The database has no room to write to.
    #[error("the disk is full: {0}")]
    Full(String),
    /// The connection broke during a commit. Only reading again shows whether the commit happened.
    #[error("the outcome of a commit is unknown: {0}")]
    OutcomeUnknown(String),
    /// The token's tenant is no longer in the database.
    #[error("the tenant is not in the database")]
    TenantGone,
    /// The caller's account is disabled, or the session has ended.
    #[error("the caller is signed out")]
    SignedOut,
    /// The database holds something that this program never writes.
    #[error("the database holds an impossible value: {0}")]
    Corrupt(String),
    #[error("a statement failed: {0}")]
    Statement(DieselError),
}

impl StoreError {
    /// Returns a way to repeat the failure for every change of a batch, if all of them failed for
    /// the same reason. `None` if the cause may be a single change, so that the others can be
    /// retried without it.
    pub fn of_all(&self) -> Option<impl Fn() -> StoreError + use<>> {
        let (kind, text): (fn(String) -> StoreError, _) = match self {
            StoreError::Unavailable(text) => (StoreError::Unavailable, text.clone()),
            StoreError::OutcomeUnknown(text) => (StoreError::OutcomeUnknown, text.clone()),
            StoreError::Full(text) => (StoreError::Full, text.clone()),
            StoreError::TenantGone => (|_| StoreError::TenantGone, String::new()),
            // One caller's; the others of a batch have accounts of their own.
            StoreError::SignedOut => return None,
            StoreError::Crowded => (|_| StoreError::Crowded, String::new()),
            StoreError::TooLong => (|_| StoreError::TooLong, String::new()),
            StoreError::Abandoned => (|_| StoreError::Abandoned, String::new()),
            StoreError::Corrupt(_) | StoreError::Statement(_) => return None,
        };
        Some(move || kind(text.clone()))
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> StoreError {
        if is_full(&error) {
            StoreError::Full(error.to_string())
        } else if is_passing(&error) {
            StoreError::Unavailable(error.to_string())
        } else {
            StoreError::Statement(error)
        }
    }
}

fn is_full(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(_, information) => FULL_TEXTS
            .iter()
            .any(|full| information.message().contains(full)),
        _ => false,
    }
}

/// Messages of SQLite and of the operating system; neither backend has an error kind for a full
/// disk.
const FULL_TEXTS: [&str; 2] = ["disk is full", "No space left on device"];

fn is_passing(error: &DieselError) -> bool {
    match error {
        DieselError::BrokenTransactionManager => true,
        DieselError::DatabaseError(kind, information) => {
            let text = information.message();
            matches!(
                kind,
                DatabaseErrorKind::ClosedConnection
                    | DatabaseErrorKind::UnableToSendCommand
                    | DatabaseErrorKind::SerializationFailure
            ) || PASSING_TEXTS.iter().any(|passing| text.contains(passing))
        }
        _ => false,
    }
}

/// Messages of passing failures, for which neither backend has a kind.
const PASSING_TEXTS: [&str; 7] = [
    "canceling statement due to",
    "deadlock detected",
    "disk I/O error",
    "database is locked",
    "terminating connection",
    "the database system is",
    "server closed the connection",
];

impl From<Moved> for StoreError {
    fn from(moved: Moved) -> StoreError {
        StoreError::Unavailable(moved.to_string())
    }
}

impl From<EncodingError> for StoreError {
    fn from(error: EncodingError) -> StoreError {
        StoreError::Corrupt(error.to_string())
    }
}

impl Explain for StoreError {
    fn explain(&self) -> Explanation {
        let (code, message) = match self {
            StoreError::Unavailable(_) | StoreError::Abandoned => {
                (Code::Unavailable, message!("store-unavailable"))
            }
            StoreError::Crowded => (Code::Overloaded, message!("problem-too-many-requests")),
            StoreError::TooLong => (Code::ReadTooLong, message!("read-too-long")),
            StoreError::Full(_) => (Code::StorageFull, message!("storage-full")),
            StoreError::OutcomeUnknown(_) => {
                (Code::OutcomeUnknown, message!("store-outcome-unknown"))
            }
            StoreError::TenantGone => (Code::InvalidToken, message!("store-tenant-gone")),
            StoreError::SignedOut => (Code::InvalidToken, message!("store-signed-out")),
            StoreError::Corrupt(_) | StoreError::Statement(_) => {
                (Code::Internal, message!("internal-with-request-id"))
            }
        };
        Explanation::new(code, message)
    }
}

/// Parses a text column.
pub(super) fn parsed<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Corrupt(format!("{what} {text:?}")))
}

/// Parses a JSON column.
pub(super) fn document<T: serde::de::DeserializeOwned>(
    text: &str,
    what: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("{what}: {error}")))
}

/// Writes a value for a JSON column.
pub(super) fn to_document<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Parses a state or a step, which are stored under their names in the API.
pub(super) fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| StoreError::Corrupt(format!("word {text:?}")))
}

/// Writes a state or a step by its name in the API.
pub(super) fn to_word<T: serde::Serialize>(value: T) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(StoreError::Corrupt("a word that is no word".to_owned())),
    }
}
