//! Submissions: everything that is done to what one unit submits on one form for one period.
//! Each step is one transaction that holds the new revision and the totals of every ancestor.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::application::Application;
use super::condition::{ConditionError, Etag, Precondition};
use super::idempotency::{IdempotencyError, Once, Outcome, Repeatable, Reply};
use super::locate::{Located, NotFound, ReportPath};
use super::page::{Page, PageRequest, UnknownCursor};
use super::rollup::PeriodName;
use super::snapshot::Snapshot;
use super::totals::{Board, OwnChange, apply};
use super::unit::UnitName;
use crate::authn::Identity;
use crate::authz::{Action, Denied, Permit};
use crate::domain::catalogue::InForce;
use crate::domain::deadline::Deadline;
use crate::domain::form::{FourEyes, Late, Rule, Severity, Span};
use crate::domain::id::{LevelCode, OptionNumber};
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::{
    Counting as IsCounting, Effect, EnteredPassage, EnteredValue, Fact, Passage, Revision,
    SpeaksFor, Stage, Status, Step, ValueReason, WrongStatus, complete, read_narrative,
    read_values,
};
use crate::domain::text::{TextFault, check_prose};
use crate::error::{Code, Fault, Message};
use crate::rollup::figure::Figures;
use crate::rollup::tally::Contribution;
use crate::store::submission::{
    Content, Reason, RevisionRecord, Submission, revision_get, revisions_append, revisions_before,
    submission_get, submission_put,
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
    #[error("units of the level {0} do not submit the form")]
    DoesNotSubmit(LevelCode),
    #[error("the period begins on {0}")]
    NotOpen(NaiveDate),
    /// The deadline as the tenant's clocks show it.
    #[error("the deadline was {0}")]
    Closed(Deadline),
    #[error("the status {:?} does not allow {:?}", .0.status, .0.step)]
    WrongStatus(WrongStatus),
    #[error("the approver entered the values")]
    FourEyes,
    #[error("{} faults", .0.len())]
    Invalid(Vec<Fault>),
}

impl SubmissionError {
    fn own(&self) -> (Code, Message, Vec<Fault>) {
        let (code, message) = match self {
            SubmissionError::DoesNotSubmit(level) => (
                Code::UnitDoesNotSubmit,
                message!(
                    "Cấp {level} không gửi mẫu báo cáo này. Hãy chọn đơn vị thuộc cấp được giao gửi.",
                    "Units of the level {level} do not submit this form. Choose a unit of a level that does."
                ),
            ),
            SubmissionError::NotOpen(from) => {
                let from_vi = from.format("%d/%m/%Y");
                (
                    Code::PeriodNotOpen,
                    message!(
                        "Kỳ báo cáo này bắt đầu từ ngày {from_vi}. Hãy gửi từ ngày đó.",
                        "This period begins on {from}. Submit from that day on."
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
            SubmissionError::Invalid(faults) => {
                let count = faults.len();
                (
                    Code::InvalidSubmission,
                    message!(
                        "Số liệu có {count} chỗ chưa đúng; chưa có gì được ghi. Hãy sửa từng chỗ trong danh sách rồi gửi lại.",
                        "The submission has {count} faults and nothing was written. Correct each one listed and send it again."
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
enum Change {
    Put(Entered),
    Submit,
    Withdraw,
    Approve,
    Return(EnteredReason),
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

/// Puts values in the place of whatever was there, as a draft or submitted at once.
///
/// # Errors
/// [`SubmissionError`].
pub fn put_submission(
    application: &Application,
    identity: &Identity,
    request: ChangeRequest,
    entered: Entered,
) -> Result<Reply, SubmissionError> {
    change(application, identity, request, &Change::Put(entered))
}

/// Submits the draft as it is.
///
/// # Errors
/// [`SubmissionError`].
pub fn submit_submission(
    application: &Application,
    identity: &Identity,
    request: ChangeRequest,
) -> Result<Reply, SubmissionError> {
    change(application, identity, request, &Change::Submit)
}

/// Takes a submission back: it counts nowhere any more.
///
/// # Errors
/// [`SubmissionError`].
pub fn withdraw_submission(
    application: &Application,
    identity: &Identity,
    request: ChangeRequest,
) -> Result<Reply, SubmissionError> {
    change(application, identity, request, &Change::Withdraw)
}

/// Approves what was submitted: it counts in both stages.
///
/// # Errors
/// [`SubmissionError`].
pub fn approve_submission(
    application: &Application,
    identity: &Identity,
    request: ChangeRequest,
) -> Result<Reply, SubmissionError> {
    change(application, identity, request, &Change::Approve)
}

/// Returns what was submitted, with a reason: it counts nowhere any more.
///
/// # Errors
/// [`SubmissionError`].
pub fn return_submission(
    application: &Application,
    identity: &Identity,
    request: ChangeRequest,
    reason: EnteredReason,
) -> Result<Reply, SubmissionError> {
    change(application, identity, request, &Change::Return(reason))
}

/// Lets an approved submission be changed again: it counts as submitted.
///
/// # Errors
/// [`SubmissionError`].
pub fn reopen_submission(
    application: &Application,
    identity: &Identity,
    request: ChangeRequest,
) -> Result<Reply, SubmissionError> {
    change(application, identity, request, &Change::Reopen)
}

fn change(
    application: &Application,
    identity: &Identity,
    request: ChangeRequest,
    change: &Change,
) -> Result<Reply, SubmissionError> {
    let ChangeRequest {
        path,
        precondition,
        repeatable,
        now,
    } = request;
    let account = identity.account();
    let tenant = identity.tenant();
    let once = Once::begin(&application.in_flight, tenant, account, repeatable, now)?;
    application.writing(identity, |transaction, snapshot| {
        let located = snapshot.locate_base(&path)?;
        let permit = snapshot
            .access
            .to_unit(change.action(), &located.tree, located.place())?;
        if let Some(reply) = once.replay(transaction)? {
            return Ok(reply);
        }
        let current = submission_get(transaction, located.key())?;
        if current.is_none() && !matches!(change, Change::Put(_)) {
            return Err(SubmissionError::Missing);
        }
        let etag = current.as_ref().map(|current| etag_of(current.revision));
        precondition.check(etag.as_ref())?;
        let mut work = Work {
            transaction,
            snapshot,
            located: &located,
            current,
            permit,
            now,
        };
        let reply = work.perform(change)?;
        Ok(once.keep(transaction, reply)?)
    })
}

/// How many steps back the question goes who entered what is to be approved.
const MOST_STEPS: i64 = 1000;

/// One step on its way.
struct Work<'w, 'c> {
    transaction: &'w mut Transaction<'c>,
    snapshot: &'w Snapshot,
    located: &'w Located<'w>,
    current: Option<Submission>,
    permit: Permit,
    now: DateTime<Utc>,
}

impl Work<'_, '_> {
    fn perform(&mut self, change: &Change) -> Result<Reply, SubmissionError> {
        let (status, effect) = self.transition(change.step())?;
        // What was submitted can always be taken back, also where nothing more is taken.
        if matches!(change, Change::Put(_) | Change::Submit) {
            self.check_open()?;
        }
        self.check_four_eyes(change)?;
        let content = self.content(change, effect)?;
        let reason = match change {
            Change::Return(entered) => Some(self.reason(entered)?),
            _ => None,
        };
        let next = self.next(status, effect, content.is_some());
        let record = self.record(change.step(), &next, content, reason);
        let step = (self.located.key(), record);
        let current = self.current.clone();
        let before = self.contribution(current.as_ref())?;
        submission_put(self.transaction, self.located.key(), &next)?;
        revisions_append(self.transaction, std::slice::from_ref(&step))?;
        let warnings = self.count(before, &next)?;
        let (content, last_reason) = content_of(self.transaction, self.located, &next)?;
        let (_, record) = step;
        let reason = record.reason.or(last_reason);
        let view = SubmissionView::new(self.located, &next, content, reason, warnings);
        let outcome = match self.current {
            None => Outcome::Created(path_of(self.located)),
            Some(_) => Outcome::Done,
        };
        Ok(Reply::new(outcome, Some(etag_of(next.revision)), &view)?)
    }

    /// A unit submits if its level does, from the period's first day on.
    fn check_open(&self) -> Result<(), SubmissionError> {
        let period = &self.located.in_force.period;
        let level = self.level();
        if !period.definition.is_submitted_by(level) {
            return Err(SubmissionError::DoesNotSubmit(level.clone()));
        }
        if self.snapshot.today(self.now) < period.range.from {
            return Err(SubmissionError::NotOpen(period.range.from));
        }
        Ok(())
    }

    fn level(&self) -> &LevelCode {
        &self.located.place().fact().level
    }

    fn transition(&self, step: Step) -> Result<(Status, Effect), SubmissionError> {
        // Nothing is there yet: the first values begin as any draft does.
        let (status, counting) = match &self.current {
            None => (Status::Draft, IsCounting::No),
            Some(current) => (
                current.status,
                match current.counting_revision {
                    Some(_) => IsCounting::Yes,
                    None => IsCounting::No,
                },
            ),
        };
        let (status, effect) = status
            .after(step, counting)
            .map_err(SubmissionError::WrongStatus)?;
        let came_in_before = self
            .current
            .as_ref()
            .is_some_and(|current| matches!(current.status, Status::Returned | Status::Reopened));
        // What came in time and was sent back must be let in again.
        if effect == Effect::CountsLatest && !came_in_before {
            self.check_deadline()?;
        }
        Ok((status, effect))
    }

    fn check_deadline(&self) -> Result<(), SubmissionError> {
        let period = &self.located.in_force.period;
        let deadline = period.deadline(self.level(), &Default::default());
        let time_zone = self.snapshot.counters.time_zone;
        let passed = deadline.filter(|deadline| deadline.has_passed(self.now, time_zone));
        match passed {
            Some(deadline) if period.definition.late == Late::Refuse => {
                Err(SubmissionError::Closed(deadline.as_seen_in(time_zone)))
            }
            _ => Ok(()),
        }
    }

    fn check_four_eyes(&mut self, change: &Change) -> Result<(), SubmissionError> {
        let required = self.located.in_force.period.definition.four_eyes == FourEyes::Required;
        let Some(current) = self.current.as_ref().filter(|_| required) else {
            return Ok(());
        };
        if !matches!(change, Change::Approve) {
            return Ok(());
        }
        let Some(counting) = current.counting_revision else {
            return Ok(());
        };
        // Whoever put the values that count, and whoever submitted them where that was another.
        let key = self.located.key();
        let revisions = revisions_before(self.transaction, key, counting.next(), MOST_STEPS)?;
        for (record, _) in revisions
            .iter()
            .filter(|(record, _)| record.content.is_some())
        {
            if record.account == self.permit.account() {
                return Err(SubmissionError::FourEyes);
            }
            if matches!(record.step, Step::Save | Step::Replace) {
                break;
            }
        }
        Ok(())
    }

    fn revision(&mut self, revision: Revision) -> Result<RevisionRecord, StoreError> {
        let found = revision_get(self.transaction, self.located.key(), revision)?;
        found.ok_or_else(|| StoreError::Corrupt(format!("revision {revision:?} is missing")))
    }

    /// The content that the step brings: what was entered, or the draft made ready to count.
    fn content(
        &mut self,
        change: &Change,
        effect: Effect,
    ) -> Result<Option<Content>, SubmissionError> {
        let content = match change {
            Change::Put(entered) => self.read(entered)?,
            Change::Submit => match &self.current {
                Some(current) => {
                    let revision = current.values_revision;
                    self.revision(revision)?.content.ok_or_else(|| {
                        StoreError::Corrupt(format!("revision {revision:?} has no values"))
                    })?
                }
                None => return Err(SubmissionError::Missing),
            },
            Change::Withdraw | Change::Approve | Change::Return(_) | Change::Reopen => {
                return Ok(None);
            }
        };
        if effect != Effect::CountsLatest {
            return Ok(Some(content));
        }
        let facts = complete(&content.facts, &self.located.in_force, self.level())
            .map_err(SubmissionError::Invalid)?;
        Ok(Some(Content { facts, ..content }))
    }

    /// Reads what was entered; values and prose are both looked at, so that all faults of both
    /// come at once. What is missing for counting is only looked for where all else is well.
    fn read(&self, entered: &Entered) -> Result<Content, SubmissionError> {
        let facts = read_values(&entered.values, &self.located.in_force, self.level());
        let narrative = read_narrative(&entered.narrative, &self.located.in_force);
        match (facts, narrative) {
            (Ok(facts), Ok(narrative)) => Ok(Content { facts, narrative }),
            (facts, narrative) => {
                let faults = facts
                    .err()
                    .into_iter()
                    .chain(narrative.err())
                    .flatten()
                    .collect();
                Err(SubmissionError::Invalid(faults))
            }
        }
    }

    fn reason(&self, entered: &EnteredReason) -> Result<Reason, SubmissionError> {
        let mut faults = Vec::new();
        let mut check = |text: &str, pointer: String| {
            let fault = if text.trim().is_empty() {
                Err(TextFault::Empty)
            } else {
                check_prose(text)
            };
            if let Err(fault) = fault {
                faults.push(Fault::in_body(pointer, Code::InvalidText, fault.message()));
            }
        };
        check(&entered.text, "/reason".to_owned());
        for (index, value) in entered.values.iter().enumerate() {
            check(&value.reason, format!("/values/{index}/reason"));
        }
        let mut values = Vec::new();
        for (index, value) in entered.values.iter().enumerate() {
            match self.value_reason(value, index) {
                Ok(value) => values.push(value),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() {
            Ok(Reason {
                text: entered.text.clone(),
                values,
            })
        } else {
            Err(SubmissionError::Invalid(faults))
        }
    }

    fn value_reason(
        &self,
        entered: &EnteredValueReason,
        index: usize,
    ) -> Result<ValueReason, Fault> {
        let name = &entered.indicator;
        let entry = name
            .parse()
            .ok()
            .and_then(|code| self.located.in_force.entry(&code));
        let unknown = |place: &str, code: Code| {
            Fault::in_body(
                format!("/values/{index}/{place}"),
                code,
                message!(
                    "Mẫu báo cáo không có chỉ tiêu hoặc phân tổ này ({name}).",
                    "The form has no such indicator or option ({name})."
                ),
            )
        };
        let entry = entry.ok_or_else(|| unknown("indicator", Code::UnknownIndicator))?;
        let option = match &entered.option {
            None => None,
            Some(option) => {
                let code = option.parse().ok();
                let known = code.filter(|code| entry.indicator.option_number(code).is_some());
                Some(known.ok_or_else(|| unknown("option", Code::UnknownOption))?)
            }
        };
        let indicator = entry.indicator.code.clone();
        Ok(ValueReason {
            indicator,
            option,
            reason: entered.reason.clone(),
        })
    }

    fn next(&self, status: Status, effect: Effect, brings_values: bool) -> Submission {
        let current = self.current.as_ref();
        let revision = current.map_or(Revision::FIRST, |current| current.revision.next());
        let values_revision = match current {
            Some(current) if !brings_values => current.values_revision,
            _ => revision,
        };
        let (counting_revision, received_on) = match effect {
            Effect::Keeps => (
                current.and_then(|current| current.counting_revision),
                current.and_then(|current| current.received_on),
            ),
            Effect::CountsLatest => (Some(revision), Some(self.snapshot.today(self.now))),
            Effect::CountsNothing => (None, None),
        };
        // Approval and reopening change the stage in which the same values count.
        let stages = (current.map(|current| current.status), status);
        let changes_what_counts = effect != Effect::Keeps
            || matches!(stages, (_, Status::Approved) | (Some(Status::Approved), _));
        Submission {
            status,
            revision,
            values_revision,
            counting_revision,
            speaks_for: SpeaksFor::Unit,
            received_on,
            rev: self.snapshot.counters.rev,
            counting_rev: if changes_what_counts {
                self.snapshot.counters.rev
            } else {
                current.map_or(0, |current| current.counting_rev)
            },
        }
    }

    fn record(
        &self,
        step: Step,
        next: &Submission,
        content: Option<Content>,
        reason: Option<Reason>,
    ) -> RevisionRecord {
        RevisionRecord {
            revision: next.revision,
            step,
            status: next.status,
            content,
            reason,
            account: self.permit.account(),
            entered_at: self.now.naive_utc(),
            rev: next.rev,
        }
    }

    /// What counts of a submission.
    fn contribution(
        &mut self,
        submission: Option<&Submission>,
    ) -> Result<Option<Contribution>, StoreError> {
        let Some(submission) = submission else {
            return Ok(None);
        };
        let (Some(revision), Some(reached)) = (submission.counting_revision, submission.reached())
        else {
            return Ok(None);
        };
        let record = self.revision(revision)?;
        let content = record
            .content
            .ok_or_else(|| StoreError::Corrupt(format!("revision {revision:?} has no values")))?;
        Ok(Some(Contribution {
            facts: content.facts,
            reached,
            given: record.rev,
        }))
    }

    /// Takes what counted before out of every ancestor's totals and puts in what counts now; then
    /// holds the unit's totals to the form's rules.
    fn count(
        &mut self,
        before: Option<Contribution>,
        next: &Submission,
    ) -> Result<Vec<Warning>, SubmissionError> {
        let after = self.contribution(Some(next))?;
        if before != after {
            let unit = self.located.place().unit();
            let change = OwnChange {
                unit,
                before,
                after,
            };
            apply(
                self.transaction,
                self.snapshot,
                self.located,
                &[change],
                next.rev,
            )?;
        }
        let broken = broken_rules(self.transaction, self.snapshot, self.located, next)?;
        // An approval changes no value: what was taken when it was submitted stays taken.
        let faults: Vec<Fault> = broken
            .iter()
            .filter(|rule| rule.severity == Severity::Error && next.status == Status::Submitted)
            .map(|rule| {
                let vi = &rule.message.vi;
                let en = rule.message.en.as_ref().unwrap_or(vi);
                Fault::in_body("/values", Code::RuleBroken, message!("{vi}", "{en}"))
            })
            .collect();
        if faults.is_empty() {
            Ok(broken.into_iter().map(Warning::of).collect())
        } else {
            Err(SubmissionError::Invalid(faults))
        }
    }
}

/// The form's rules to which a unit's totals do not hold, where something of it counts.
fn broken_rules<'l>(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &'l Located<'_>,
    submission: &Submission,
) -> Result<Vec<&'l Rule>, StoreError> {
    let rules = &located.in_force.period.definition.rules;
    // Neither of a draft's values nor at a unit that ended before the period there are totals.
    let has_totals = submission.counting_revision == Some(submission.values_revision);
    if rules.is_empty() || located.has_ended() || !has_totals {
        return Ok(Vec::new());
    }
    let position = located.place().position();
    let board = Board::of(snapshot, located.in_force.period);
    let found = board.rollups(transaction, [position])?.remove(&position);
    let rollup = found.unwrap_or_default().rollup;
    let figures = Figures {
        rollup: &rollup,
        in_force: &located.in_force,
        stage: Stage::Submitted,
        span: Span::BasePeriod,
    };
    let broken = rules
        .iter()
        .filter(|rule| figures.holds(&rule.expression) == Some(false));
    Ok(broken.collect())
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

/// A submission with its latest values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SubmissionView {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    pub status: Status,
    /// Counts the steps of this submission; it is the ETag as well.
    pub revision: i32,
    /// The tenant's rev of the last step.
    pub rev: i64,
    /// The revision whose values count in the rollups; null where none does. A draft over a
    /// submitted revision leaves that one counting.
    pub counting_revision: Option<i32>,
    /// The day on which what counts came in.
    pub received_on: Option<NaiveDate>,
    /// As they were sent: totals of closed breakdowns are computed and not among them.
    pub values: Vec<ValueView>,
    pub narrative: Vec<PassageView>,
    /// Why the submission was returned; null unless it is returned.
    pub reason: Option<ReasonView>,
    /// What the form's rules have against it, without refusing it.
    pub warnings: Vec<Warning>,
}

/// One value of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ValueView {
    pub indicator: String,
    pub option: Option<String>,
    #[schema(value_type = f64, example = 1562410000)]
    pub value: Decimal,
    pub qualifier: Qualifier,
}

/// One passage of a submission's narrative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PassageView {
    /// The number of the heading in the form's outline.
    pub section: String,
    pub text: String,
}

/// Why a submission was returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReasonView {
    pub text: String,
    pub values: Vec<ValueReasonView>,
}

/// Why one value is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ValueReasonView {
    pub indicator: String,
    pub option: Option<String>,
    pub reason: String,
}

/// A rule of the form that the unit's totals do not hold to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Warning {
    pub code: String,
    pub expression: String,
    /// In Vietnamese.
    pub message: String,
    pub message_en: Option<String>,
}

impl Warning {
    fn of(rule: &Rule) -> Warning {
        Warning {
            code: rule.code.to_string(),
            expression: rule.expression.to_string(),
            message: rule.message.vi.clone(),
            message_en: rule.message.en.clone(),
        }
    }
}

impl SubmissionView {
    fn new(
        located: &Located<'_>,
        submission: &Submission,
        content: Content,
        reason: Option<Reason>,
        warnings: Vec<Warning>,
    ) -> SubmissionView {
        SubmissionView {
            form: located.form().code.to_string(),
            period: PeriodName::of(&located.in_force.period),
            unit: UnitName::of(located.place()),
            status: submission.status,
            revision: submission.revision.get(),
            rev: submission.rev,
            counting_revision: submission.counting_revision.map(Revision::get),
            received_on: submission.received_on,
            values: value_views(&content.facts, &located.in_force),
            narrative: content
                .narrative
                .into_iter()
                .map(PassageView::from)
                .collect(),
            reason: reason.map(ReasonView::from),
            warnings,
        }
    }
}

/// In the order of the outline.
fn value_views(facts: &[Fact], in_force: &InForce<'_>) -> Vec<ValueView> {
    let mut views = Vec::with_capacity(facts.len());
    for entry in in_force.entries() {
        for (number, option) in entry.options() {
            let computed = number == OptionNumber::TOTAL && entry.definition.has_closed_breakdown();
            let fact = facts
                .iter()
                .find(|fact| (fact.indicator, fact.option) == (entry.indicator.number, number));
            if let Some(fact) = fact.filter(|_| !computed) {
                views.push(ValueView {
                    indicator: entry.indicator.code.to_string(),
                    option: option.map(|option| option.code.to_string()),
                    value: Decimal::new(fact.mantissa, entry.definition.decimals.get()),
                    qualifier: fact.qualifier,
                });
            }
        }
    }
    views
}

impl From<Passage> for PassageView {
    fn from(passage: Passage) -> PassageView {
        PassageView {
            section: passage.section.to_string(),
            text: passage.text,
        }
    }
}

impl From<Reason> for ReasonView {
    fn from(reason: Reason) -> ReasonView {
        let values = reason.values.into_iter().map(|value| ValueReasonView {
            indicator: value.indicator.to_string(),
            option: value.option.map(|option| option.to_string()),
            reason: value.reason,
        });
        ReasonView {
            text: reason.text,
            values: values.collect(),
        }
    }
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
        let broken = broken_rules(transaction, snapshot, &located, &submission)?;
        let warnings = broken.into_iter().map(Warning::of).collect();
        let view = SubmissionView::new(&located, &submission, content, reason, warnings);
        Ok((etag_of(submission.revision), view))
    })
}

/// One step of a submission's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RevisionView {
    pub revision: i32,
    pub step: Step,
    /// The status after the step.
    pub status: Status,
    /// The login of who took it.
    pub by: String,
    pub at: DateTime<Utc>,
    pub rev: i64,
    /// What the step brought; null where it brought no values.
    pub values: Option<Vec<ValueView>>,
    pub narrative: Option<Vec<PassageView>>,
    pub reason: Option<ReasonView>,
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

impl RevisionView {
    fn new(record: RevisionRecord, login: String, in_force: &InForce<'_>) -> RevisionView {
        let (values, narrative) = match record.content {
            None => (None, None),
            Some(content) => (
                Some(value_views(&content.facts, in_force)),
                Some(
                    content
                        .narrative
                        .into_iter()
                        .map(PassageView::from)
                        .collect(),
                ),
            ),
        };
        RevisionView {
            revision: record.revision.get(),
            step: record.step,
            status: record.status,
            by: login,
            at: record.entered_at.and_utc(),
            rev: record.rev,
            values,
            narrative,
            reason: record.reason.map(ReasonView::from),
        }
    }
}
