//! Submissions: everything that is done to what one unit submits on one form for one period.
//! A step's transaction holds the new revision and the totals of every ancestor; steps that come
//! at once share one.

mod batch;
mod queue;
mod step;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};

pub(super) use self::queue::Queue;
use self::queue::{Role, lead};
use self::step::MOST_STEPS;
pub use self::view::{
    PassageView, ReasonView, RevisionView, SubmissionView, ValueReasonView, ValueView, Warning,
};
use super::application::Application;
use super::condition::{ConditionError, Etag, Precondition};
use super::idempotency::{IdempotencyError, Once, Repeatable, Reply};
use super::locate::{Located, NotFound, ReportPath};
use super::page::{Page, PageRequest, UnknownCursor};
use super::snapshot::Snapshot;
use super::totals::Board;
use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::deadline::Deadline;
use crate::domain::form::{Rule, Span};
use crate::domain::id::TenantId;
use crate::domain::naming::Named;
use crate::domain::submission::{
    EnteredPassage, EnteredValue, Revision, Stage, Status, Step, WrongStatus,
};
use crate::error::{Code, Fault, Message, counted};
use crate::rollup::figure::Figures;
use crate::rollup::node::Rollup;
use crate::store::submission::{
    Content, Reason, Submission, revision_get, revisions_before, submission_get,
};
use crate::store::{StoreError, Transaction};
use crate::{explain, message};

/// Why a step cannot be taken.
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
    #[error("{} begins on {from}", .period.en())]
    NotOpen { period: Named, from: NaiveDate },
    /// The deadline as the tenant's clocks show it.
    #[error("the deadline was {0}")]
    Closed(Deadline),
    #[error("the status {:?} does not allow {:?}", .0.status, .0.step)]
    WrongStatus(WrongStatus),
    #[error("the approver entered the values")]
    FourEyes,
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
    /// More waits already than can be done in good time.
    #[error("too many changes wait")]
    Busy,
}

impl SubmissionError {
    fn own(&self) -> (Code, Message, Vec<Fault>) {
        let (code, message) = match self {
            SubmissionError::DoesNotSubmit {
                level,
                form,
                submitting,
            } => (
                Code::UnitDoesNotSubmit,
                message!(
                    "Cấp {level} không gửi mẫu {form}. Hãy chọn đơn vị thuộc cấp được giao gửi: {submitting}.",
                    "Units of the level {level} do not submit {form}. Choose a unit of a level that does: {submitting}.",
                    level,
                    form,
                    submitting
                ),
            ),
            SubmissionError::NotOpen { period, from } => {
                let from = Named::day(*from);
                (
                    Code::PeriodNotOpen,
                    message!(
                        "Kỳ {period} bắt đầu từ ngày {from}. Hãy gửi từ ngày đó.",
                        "The period {period} begins on {from}. Submit from that day on.",
                        period,
                        from
                    ),
                )
            }
            SubmissionError::Closed(deadline) => (Code::PeriodClosed, closed_message(*deadline)),
            SubmissionError::WrongStatus(wrong) if wrong.status == Status::Approved => {
                (Code::SubmissionApproved, wrong.message())
            }
            SubmissionError::WrongStatus(wrong) => (Code::WrongStatus, wrong.message()),
            SubmissionError::FourEyes => (
                Code::FourEyes,
                message!(
                    "Người nhập số liệu không được tự duyệt mẫu này. Hãy để người khác duyệt.",
                    "Who entered the values may not approve them on this form. Let somebody else do it."
                ),
            ),
            SubmissionError::Busy => (
                Code::Unavailable,
                message!(
                    "Hệ thống đang nhận quá nhiều số liệu cùng lúc. Chưa có gì được ghi; hãy gửi lại sau ít giây.",
                    "Too much is being submitted at once. Nothing was written; send it again in some seconds."
                ),
            ),
            SubmissionError::Invalid(faults) => {
                let count = faults.len();
                let found = counted(count, "fault", "faults");
                (
                    Code::InvalidSubmission,
                    message!(
                        "Số liệu có {count} chỗ chưa đúng; chưa có gì được ghi. Hãy sửa từng chỗ trong danh sách rồi gửi lại.",
                        "Nothing was written: the submission has {found}. Correct each one listed and send it again."
                    ),
                )
            }
            _ => (
                Code::SubmissionNotFound,
                message!(
                    "Đơn vị chưa nhập số liệu cho kỳ này.",
                    "The unit has entered nothing for this period yet."
                ),
            ),
        };
        let faults = match self {
            SubmissionError::Invalid(faults) => faults.clone(),
            _ => Vec::new(),
        };
        (code, message, faults)
    }
}

fn closed_message(deadline: Deadline) -> Message {
    let (vi, en) = match deadline {
        Deadline::Day(day) => (day.format("ngày %d/%m/%Y"), day.format("%Y-%m-%d")),
        Deadline::Instant(instant) => (
            instant.format("%H:%M ngày %d/%m/%Y"),
            instant.format("%H:%M on %Y-%m-%d"),
        ),
    };
    message!(
        "Hạn gửi là {vi} và mẫu này không nhận số liệu gửi muộn. Hãy liên hệ đơn vị cấp trên.",
        "The deadline was {en}, and this form takes nothing after it. Ask the unit above."
    )
}

explain!(SubmissionError, held: NotFound, Denied, Condition, Idempotency, Store, Cursor; own);

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
    fn step(&self) -> Step {
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

    fn action(&self) -> Action {
        match self {
            Change::Put(_) | Change::Submit | Change::Withdraw => Action::ChangeSubmissions,
            Change::Approve | Change::Return(_) | Change::Reopen => Action::DecideSubmissions,
        }
    }
}

/// One change as it was asked for, until it is answered.
pub struct Asked {
    identity: Identity,
    path: ReportPath,
    precondition: Precondition,
    now: DateTime<Utc>,
    once: Once,
    change: Change,
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

/// Changes a submission: waits until its turn comes among the changes of the tenant, which are
/// taken together as far as they have queued.
///
/// # Errors
/// [`SubmissionError`].
pub async fn change(
    application: Arc<Application>,
    identity: Identity,
    request: ChangeRequest,
    change: Change,
) -> Result<Reply, SubmissionError> {
    let tenant = identity.tenant();
    let asked = Asked::new(&application, identity, request, change)?;
    let (answer, role) = application.changes.join(tenant, asked)?;
    if role == Role::Leads {
        lead(application, tenant)?;
    }
    // Nobody answers where the leader's thread is gone; the log has why.
    let lost = || StoreError::OutcomeUnknown("nobody has answered a change".to_owned());
    answer.await.unwrap_or_else(|_| Err(lost().into()))
}

/// Changes a submission in a commit of its own, without waiting for others.
///
/// # Errors
/// [`SubmissionError`].
pub fn change_now(
    application: &Application,
    identity: Identity,
    request: ChangeRequest,
    change: Change,
) -> Result<Reply, SubmissionError> {
    let tenant = identity.tenant();
    let asked = Asked::new(application, identity, request, change)?;
    let answer = change_all(application, tenant, vec![asked]).pop();
    answer.unwrap_or(Err(SubmissionError::Missing))
}

/// Changes submissions of a tenant in as few commits as can be, and answers each by itself, in
/// their order.
pub fn change_all(
    application: &Application,
    tenant: TenantId,
    asked: Vec<Asked>,
) -> Vec<Result<Reply, SubmissionError>> {
    let mut answers = BTreeMap::new();
    batch::change_each(application, tenant, asked, |place, answer| {
        answers.insert(place, answer);
    });
    answers.into_values().collect()
}

/// Whether a submission's values are held to the form's rules: neither of a draft's values nor at
/// a unit that ended before the period there are totals.
fn has_rules(located: &Located<'_>, submission: &Submission) -> bool {
    let has_totals = submission.counting_revision == Some(submission.values_revision);
    let rules = &located.in_force.period.definition.rules;
    has_totals && !rules.is_empty() && !located.has_ended()
}

/// The form's rules to which a unit's totals do not hold.
fn broken_rules<'l>(located: &'l Located<'_>, rollup: &Rollup) -> Vec<&'l Rule> {
    let in_force = &located.in_force;
    let figures = Figures::new(rollup, in_force, Stage::Submitted, Span::BasePeriod);
    let rules = located.in_force.period.definition.rules.iter();
    rules
        .filter(|rule| figures.holds(&rule.expression) == Some(false))
        .collect()
}

/// A unit's rollup in its base period, as it is kept.
fn rollup_at(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
) -> Result<Rollup, StoreError> {
    let position = located.place().position();
    let board = Board::of(snapshot, located.in_force.period);
    let found = board.rollups(transaction, [position])?.remove(&position);
    Ok(found.unwrap_or_default().rollup)
}

/// The latest values of a submission, and why it was returned if it is returned.
fn content_of(
    transaction: &mut Transaction<'_>,
    located: &Located<'_>,
    submission: &Submission,
) -> Result<(Content, Option<Reason>), StoreError> {
    let record = revision_get(transaction, located.key(), submission.values_revision)?;
    let content = record.and_then(|record| record.content).ok_or_else(|| {
        StoreError::Corrupt(format!(
            "revision {:?} has no values",
            submission.values_revision
        ))
    })?;
    let reason = match submission.status {
        Status::Returned => {
            // The map may have changed since it was returned.
            let before = submission.revision.next();
            let records = revisions_before(transaction, located.key(), before, MOST_STEPS)?;
            let returned = records
                .into_iter()
                .find(|(record, _)| record.step == Step::Return);
            returned.and_then(|(record, _)| record.reason)
        }
        _ => None,
    };
    Ok((content, reason))
}

fn etag_of(revision: Revision) -> Etag {
    Etag::new(revision.get())
}

fn path_of(located: &Located<'_>) -> String {
    format!(
        "/v1/forms/{}/periods/{}/units/{}/submission",
        located.form().code,
        located.period(),
        located.place().unit()
    )
}

/// A unit's submission.
///
/// # Errors
/// [`SubmissionError`].
pub fn get_submission(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
) -> Result<(Etag, SubmissionView), SubmissionError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate_base_to_read(path)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadSubmissions, &located.tree, place)?;
        let submission =
            submission_get(transaction, located.key())?.ok_or(SubmissionError::Missing)?;
        let (content, reason) = content_of(transaction, &located, &submission)?;
        let warnings = match has_rules(&located, &submission) {
            true => {
                let rollup = rollup_at(transaction, snapshot, &located)?;
                let broken = broken_rules(&located, &rollup).into_iter();
                broken.map(Warning::of).collect()
            }
            false => Vec::new(),
        };
        let view = SubmissionView::new(snapshot, &located, &submission, &content, reason, warnings);
        Ok((etag_of(submission.revision), view))
    })
}

/// A submission's history, the latest step first.
///
/// # Errors
/// [`SubmissionError`].
pub fn list_revisions(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    page: &PageRequest,
) -> Result<Page<RevisionView>, SubmissionError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate_base_to_read(path)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadSubmissions, &located.tree, place)?;
        submission_get(transaction, located.key())?.ok_or(SubmissionError::Missing)?;
        let before = match &page.after {
            None => Revision::new(i32::MAX),
            Some(cursor) => match cursor.parse() {
                Ok(revision) => Revision::new(revision),
                Err(_) => {
                    return Err(UnknownCursor {
                        cursor: cursor.clone(),
                    }
                    .into());
                }
            },
        };
        let limit = i64::try_from(page.limit).unwrap_or(i64::MAX - 1);
        let records = revisions_before(transaction, located.key(), before, limit + 1)?;
        let views = records
            .into_iter()
            .map(|(record, login)| RevisionView::new(record, login, &located.in_force));
        let first = PageRequest {
            after: None,
            limit: page.limit,
        };
        Ok(Page::of(views, &first, |view| view.revision.to_string())?)
    })
}
