//! A change of a submission as it was requested.

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

/// Entered values and texts. They replace everything stored.
#[derive(Debug, Clone)]
pub struct Entered {
    pub values: Vec<EnteredValue>,
    pub narrative: Vec<EnteredPassage>,
    pub intent: Intent,
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
    Submit,
    /// Withdraw the submission: it counts nowhere.
    Withdraw,
    /// Give up the draft: what it was kept over counts as before.
    Discard,
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
            SubmissionChange::Submit => Step::Submit,
            SubmissionChange::Withdraw => Step::Withdraw,
            SubmissionChange::Discard => Step::Discard,
            SubmissionChange::Approve => Step::Approve,
            SubmissionChange::Return(_) => Step::Return,
            SubmissionChange::Reopen => Step::Reopen,
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
            | SubmissionChange::Submit => ChangeKind::SubmissionSubmitted,
            SubmissionChange::Withdraw => ChangeKind::SubmissionWithdrawn,
            SubmissionChange::Discard => ChangeKind::SubmissionDiscarded,
            SubmissionChange::Approve => ChangeKind::SubmissionApproved,
            SubmissionChange::Return(_) => ChangeKind::SubmissionReturned,
            SubmissionChange::Reopen => ChangeKind::SubmissionReopened,
        }
    }

    pub(super) fn action(&self) -> Action {
        match self {
            SubmissionChange::Put(_)
            | SubmissionChange::Submit
            | SubmissionChange::Withdraw
            | SubmissionChange::Discard => Action::ChangeSubmissions,
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
