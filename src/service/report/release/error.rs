//! The reasons for refusing to send, read or decide a release, and their sentences.

use chrono::NaiveDate;

use crate::authz::Denied;
use crate::domain::naming::Named;
use crate::domain::release::{ReleaseNumber, WrongReleaseStatus};
use crate::error::{Code, Explain, Explanation, FaultList};
use crate::locale::Count;
use crate::message;
use crate::sentence::Sentence;
use crate::service::application::condition::ConditionError;
use crate::service::application::idempotency::IdempotencyError;
use crate::service::application::locate::NotFound;
use crate::service::application::page::UnknownCursor;
use crate::service::report::rollup::RollupError;
use crate::store::StoreError;

/// The errors of use cases on releases.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Condition(#[from] ConditionError),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Cursor(#[from] UnknownCursor),
    #[error(transparent)]
    Rollup(#[from] RollupError),
    #[error("there is no release {number:?}")]
    Missing { number: ReleaseNumber },
    #[error("there is no release {number:?} to compare with")]
    NothingToCompare { number: ReleaseNumber },
    #[error("{} begins on {from}", .period.en())]
    NotOpen { period: Named, from: NaiveDate },
    #[error("release {number:?} waits for the unit above")]
    Waits { number: ReleaseNumber },
    #[error("the status {:?} does not allow {:?}", .0.status, .0.step)]
    WrongStatus(WrongReleaseStatus),
    #[error("faults: {}", .0.count)]
    Invalid(FaultList),
}

impl Explain for ReleaseError {
    fn explain(&self) -> Explanation {
        match self {
            ReleaseError::NotFound(held) => held.explain(),
            ReleaseError::Denied(held) => held.explain(),
            ReleaseError::Condition(held) => held.explain(),
            ReleaseError::Idempotency(held) => held.explain(),
            ReleaseError::Store(held) => held.explain(),
            ReleaseError::Cursor(held) => held.explain(),
            ReleaseError::Rollup(held) => held.explain(),
            ReleaseError::Missing { number } => not_found(*number).of_parameter("number"),
            ReleaseError::NothingToCompare { number } => not_found(*number).of_parameter("against"),
            ReleaseError::NotOpen { period, from } => {
                let from = Named::day(*from);
                let message = message!("release-not-open", period, from);
                Explanation::new(Code::PeriodNotOpen, message)
            }
            ReleaseError::Waits { number } => {
                let number = number.get();
                Explanation::new(Code::ReleaseWaits, message!("release-waits", number))
            }
            ReleaseError::WrongStatus(wrong) => {
                let (code, message) = wrong.sentence();
                Explanation::new(code, message)
            }
            ReleaseError::Invalid(faults) => {
                let message = message!("release-invalid", count = Count(faults.count));
                let faults = faults.faults.clone();
                Explanation::new(Code::InvalidRelease, message).with_faults(faults)
            }
        }
    }
}

fn not_found(number: ReleaseNumber) -> Explanation {
    let number = number.get();
    Explanation::new(Code::ReleaseNotFound, message!("release-missing", number))
}
