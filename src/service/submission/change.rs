//! A change of a submission as it was requested.

use chrono::NaiveDate;

use super::error::SubmissionError;

pub(in crate::service) use crate::authz::Action;
use crate::domain::submission::{EnteredPassage, EnteredValue, Revision, Step};
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::ChangeKind;
use crate::service::application::condition::State;
use crate::service::application::idempotency::Once;
use crate::service::application::locate::{Located, ReportPath};

/// Chooses between keeping a draft and submitting it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    KeepDraft,
    Submit,
}

/// The time at which something comes in, as entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arrival {
    /// With the request.
    #[default]
    Now,
    /// On paper, on a day before.
    OnPaper(NaiveDate),
}

impl Arrival {
    /// Returns the day on which the paper came in, if there was one.
    pub(super) fn of_paper(self) -> Option<NaiveDate> {
        match self {
            Arrival::Now => None,
            Arrival::OnPaper(day) => Some(day),
        }
    }
}

impl From<Option<NaiveDate>> for Arrival {
    fn from(day: Option<NaiveDate>) -> Arrival {
        day.map_or(Arrival::Now, Arrival::OnPaper)
    }
}

/// Entered values and texts. They replace everything stored.
#[derive(Debug, Clone)]
pub struct Entered {
    pub values: Vec<EnteredValue>,
    pub narrative: Vec<EnteredPassage>,
    pub intent: Intent,
    pub arrival: Arrival,
}

/// A reason for returning a submission, as entered.
#[derive(Debug, Clone)]
pub struct EnteredReason {
    pub text: String,
    pub values: Vec<EnteredValueReason>,
}

/// A reason for not accepting one value, as entered.
#[derive(Debug, Clone)]
pub struct EnteredValueReason {
    pub indicator: String,
    pub option: Option<String>,
    pub reason: String,
}

/// A change to a submission.
#[derive(Debug, Clone)]
pub enum SubmissionChange {
    /// Replace the values, as a draft or submitted at once.
    Put(Entered),
    /// Submit the draft as it is.
    Submit(Arrival),
    /// Withdraw the submission: it counts nowhere.
    Withdraw,
    /// Approve the submission: it counts in both stages.
    Approve,
    /// Return the submission with a reason: it counts nowhere.
    Return(EnteredReason),
    /// Reopen an approved submission for changes: it counts as submitted.
    Reopen,
}

impl SubmissionChange {
    pub(super) fn step(&self) -> Step {
        match self {
            SubmissionChange::Put(Entered {
                intent: Intent::KeepDraft,
                ..
            }) => Step::Save,
            SubmissionChange::Put(Entered {
                intent: Intent::Submit,
                ..
            }) => Step::Replace,
            SubmissionChange::Submit(_) => Step::Submit,
            SubmissionChange::Withdraw => Step::Withdraw,
            SubmissionChange::Approve => Step::Approve,
            SubmissionChange::Return(_) => Step::Return,
            SubmissionChange::Reopen => Step::Reopen,
        }
    }

    /// Returns when it comes in, for a change that brings something in.
    pub(super) fn arrival(&self) -> Option<Arrival> {
        match self {
            SubmissionChange::Put(entered) => Some(entered.arrival),
            SubmissionChange::Submit(arrival) => Some(*arrival),
            SubmissionChange::Withdraw
            | SubmissionChange::Approve
            | SubmissionChange::Return(_)
            | SubmissionChange::Reopen => None,
        }
    }

    /// Returns the kind under which the feed tells it.
    pub(super) fn kind(&self) -> ChangeKind {
        match self {
            SubmissionChange::Put(Entered {
                intent: Intent::KeepDraft,
                ..
            }) => ChangeKind::SubmissionSaved,
            SubmissionChange::Put(Entered {
                intent: Intent::Submit,
                ..
            })
            | SubmissionChange::Submit(_) => ChangeKind::SubmissionSubmitted,
            SubmissionChange::Withdraw => ChangeKind::SubmissionWithdrawn,
            SubmissionChange::Approve => ChangeKind::SubmissionApproved,
            SubmissionChange::Return(_) => ChangeKind::SubmissionReturned,
            SubmissionChange::Reopen => ChangeKind::SubmissionReopened,
        }
    }

    pub(super) fn action(&self) -> Action {
        match self {
            SubmissionChange::Put(_) | SubmissionChange::Submit(_) | SubmissionChange::Withdraw => {
                Action::ChangeSubmissions
            }
            SubmissionChange::Approve | SubmissionChange::Return(_) | SubmissionChange::Reopen => {
                Action::DecideSubmissions
            }
        }
    }
}

/// A change that was requested and not answered yet.
pub struct Asked {
    pub(super) call: Call,
    pub(super) path: ReportPath,
    pub(super) once: Once,
    pub(super) change: SubmissionChange,
}

impl Asked {
    /// # Errors
    /// [`IdempotencyError::InFlight`].
    pub fn new(
        application: &Application,
        call: Call,
        path: ReportPath,
        change: SubmissionChange,
    ) -> Result<Asked, SubmissionError> {
        let once = application.begin(&call)?;
        Ok(Asked {
            call,
            path,
            once,
            change,
        })
    }
}

pub(super) fn state_of(revision: Revision) -> State {
    State::numbered(revision.get())
}

pub(super) fn path_of(located: &Located<'_>) -> String {
    format!(
        "/v1/forms/{}/periods/{}/units/{}/submission",
        located.form().code,
        located.period(),
        located.place().unit()
    )
}
