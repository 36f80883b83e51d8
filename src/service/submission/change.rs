//! A change of a submission as it is asked for. Never what becomes of it.

use super::error::SubmissionError;

use chrono::{DateTime, Utc};

use crate::authn::Identity;
pub(in crate::service) use crate::authz::Action;
use crate::domain::submission::{EnteredPassage, EnteredValue, Revision, Step};
use crate::service::application::Application;
use crate::service::application::condition::{Etag, Precondition};
use crate::service::application::idempotency::{Once, Repeatable};
use crate::service::application::locate::{Located, ReportPath};

/// A request that changes a submission, without what it changes.
#[derive(Debug, Clone)]
pub struct ChangeRequest {
    pub path: ReportPath,
    pub precondition: Precondition,
    pub repeatable: Option<Repeatable>,
    pub now: DateTime<Utc>,
}

/// Whether what was entered is to be kept or to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    KeepDraft,
    Submit,
}

/// Values and prose as they were entered; they replace whatever was there.
#[derive(Debug, Clone)]
pub struct Entered {
    pub values: Vec<EnteredValue>,
    pub narrative: Vec<EnteredPassage>,
    pub intent: Intent,
}

/// Why a submission is to be returned, as it was entered.
#[derive(Debug, Clone)]
pub struct EnteredReason {
    pub text: String,
    pub values: Vec<EnteredValueReason>,
}

/// Why one of its values is not accepted, as it was entered.
#[derive(Debug, Clone)]
pub struct EnteredValueReason {
    pub indicator: String,
    pub option: Option<String>,
    pub reason: String,
}

/// What is to be done to a submission.
#[derive(Debug, Clone)]
pub enum Change {
    /// Put values in the place of whatever was there, as a draft or submitted at once.
    Put(Entered),
    /// Submit the draft as it is.
    Submit,
    /// Take it back: it counts nowhere any more.
    Withdraw,
    /// Approve what was submitted: it counts in both stages.
    Approve,
    /// Return what was submitted, with a reason: it counts nowhere any more.
    Return(EnteredReason),
    /// Let it be changed again when it was approved: it counts as submitted.
    Reopen,
}

impl Change {
    pub(super) fn step(&self) -> Step {
        match self {
            Change::Put(Entered {
                intent: Intent::KeepDraft,
                ..
            }) => Step::Save,
            Change::Put(Entered {
                intent: Intent::Submit,
                ..
            }) => Step::Replace,
            Change::Submit => Step::Submit,
            Change::Withdraw => Step::Withdraw,
            Change::Approve => Step::Approve,
            Change::Return(_) => Step::Return,
            Change::Reopen => Step::Reopen,
        }
    }

    pub(super) fn action(&self) -> Action {
        match self {
            Change::Put(_) | Change::Submit | Change::Withdraw => Action::ChangeSubmissions,
            Change::Approve | Change::Return(_) | Change::Reopen => Action::DecideSubmissions,
        }
    }
}

/// One change as it was asked for, until it is answered.
pub struct Asked {
    pub(super) identity: Identity,
    pub(super) path: ReportPath,
    pub(super) precondition: Precondition,
    pub(super) now: DateTime<Utc>,
    pub(super) once: Once,
    pub(super) change: Change,
}

impl Asked {
    /// # Errors
    /// [`IdempotencyError::InFlight`].
    pub fn new(
        application: &Application,
        identity: Identity,
        request: ChangeRequest,
        change: Change,
    ) -> Result<Asked, SubmissionError> {
        let ChangeRequest {
            path,
            precondition,
            repeatable,
            now,
        } = request;
        let (tenant, account) = (identity.tenant(), identity.account());
        let once = Once::begin(&application.in_flight, tenant, account, repeatable, now)?;
        Ok(Asked {
            identity,
            path,
            precondition,
            now,
            once,
            change,
        })
    }
}

pub(super) fn etag_of(revision: Revision) -> Etag {
    Etag::new(revision.get())
}

pub(super) fn path_of(located: &Located<'_>) -> String {
    format!(
        "/v1/forms/{}/periods/{}/units/{}/submission",
        located.form().code,
        located.period(),
        located.place().unit()
    )
}
