//! The reasons for refusing a change of a submission, and their sentences.

use crate::locale::{Count, Leading};
use chrono::NaiveDate;

pub(in crate::service) use crate::authz::Denied;
use crate::domain::deadline::Deadline;
use crate::domain::naming::Named;
use crate::domain::submission::WrongStatus;
use crate::error::{Code, Explain, Explanation, FaultList, Message};
use crate::message;
use crate::sentence::submission::wrong_status;
use crate::service::application::condition::ConditionError;
use crate::service::application::idempotency::IdempotencyError;
use crate::service::application::locate::NotFound;
use crate::service::application::page::UnknownCursor;
use crate::store::StoreError;

/// The errors of a step.
#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
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
    #[error("there is no submission")]
    Missing,
    #[error("units of the level {} do not submit {}", .level.en(), .form.en())]
    DoesNotSubmit {
        level: Named,
        form: Named,
        /// The levels that do.
        submitting: Named,
    },
    #[error("{} is not asked by {}", .unit.en(), .form.en())]
    NotAsked { unit: Named, form: Named },
    #[error("{unit} reports for all units below it")]
    CoveredByUnit {
        unit: String,
        /// The people who can change that.
        who: Message,
    },
    #[error("entry for {} begins on {opens}", .period.en())]
    NotOpen { period: Named, opens: NaiveDate },
    #[error("the deadline was {deadline}")]
    Closed {
        /// In the tenant's time zone.
        deadline: Deadline,
        /// The people who can give the unit more time; none if the caller can.
        who: Option<Message>,
    },
    #[error("the status {:?} does not allow {:?}", .wrong.status, .wrong.step)]
    WrongStatus {
        wrong: WrongStatus,
        /// The people who can reopen an approved submission.
        who: Message,
    },
    #[error("the approver entered the values")]
    FourEyes {
        /// The people who may approve in the place of the caller.
        who: Message,
    },
    #[error("item {first} of the call names the same submission")]
    NamedTwice {
        /// The number of the item before it, from 0.
        first: usize,
    },
    #[error("faults: {}", .0.count)]
    Invalid(FaultList),
    /// The line is too long to be served in good time.
    #[error("too many changes wait")]
    Busy,
}

impl Explain for SubmissionError {
    fn explain(&self) -> Explanation {
        match self {
            SubmissionError::NotFound(held) => held.explain(),
            SubmissionError::Denied(held) => held.explain(),
            SubmissionError::Condition(held) => held.explain(),
            SubmissionError::Idempotency(held) => held.explain(),
            SubmissionError::Store(held) => held.explain(),
            SubmissionError::Cursor(held) => held.explain(),
            SubmissionError::Missing => {
                Explanation::new(Code::SubmissionNotFound, message!("submission-missing"))
            }
            SubmissionError::DoesNotSubmit {
                level,
                form,
                submitting,
            } => Explanation::new(
                Code::UnitDoesNotSubmit,
                message!("submission-does-not-submit", level, form, submitting),
            ),
            SubmissionError::NotAsked { unit, form } => Explanation::new(
                Code::UnitDoesNotSubmit,
                message!("submission-not-asked", unit, form),
            ),
            SubmissionError::CoveredByUnit { unit, who } => Explanation::new(
                Code::CoveredByUnit,
                message!("submission-covered-by-unit", unit = Leading(unit), who),
            ),
            SubmissionError::NotOpen { period, opens } => {
                let opens = Named::day(*opens);
                Explanation::new(
                    Code::PeriodNotOpen,
                    message!("submission-not-open", period, opens),
                )
            }
            SubmissionError::Closed { deadline, who } => {
                Explanation::new(Code::PeriodClosed, closed_message(*deadline, who.clone()))
            }
            SubmissionError::WrongStatus { wrong, who } => {
                let (code, message) = wrong_status(wrong, who);
                Explanation::new(code, message)
            }
            SubmissionError::FourEyes { who } => {
                Explanation::new(Code::FourEyes, message!("submission-four-eyes", who))
            }
            SubmissionError::NamedTwice { first } => Explanation::new(
                Code::Duplicate,
                message!("submission-named-twice", first = first.to_string()),
            ),
            SubmissionError::Busy => {
                Explanation::new(Code::Unavailable, message!("submission-busy"))
            }
            SubmissionError::Invalid(faults) => {
                let count = faults.count;
                let message = message!("submission-invalid", count = Count(count));
                Explanation::new(Code::InvalidSubmission, message)
                    .with_faults(faults.faults.clone())
            }
        }
    }
}

fn closed_message(deadline: Deadline, who: Option<Message>) -> Message {
    let deadline = told_deadline(deadline);
    match who {
        Some(who) => message!("submission-closed", deadline, who),
        None => message!("submission-closed-to-giver", deadline),
    }
}

/// Tells a deadline as the clocks of its offset show it.
pub(super) fn told_deadline(deadline: Deadline) -> Message {
    match deadline {
        Deadline::Day(day) => message!("deadline-day", day = Named::day(day)),
        Deadline::Instant(instant) => {
            let (time, day) = (instant.format("%H:%M"), Named::day(instant.date_naive()));
            message!("deadline-instant", time, day)
        }
    }
}
