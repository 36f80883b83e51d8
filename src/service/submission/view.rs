//! Submissions as answers show them.

use super::difference::{Difference, PassageChangeView, ValueChangeView};
use crate::domain::naming::Named;
use crate::sentence;
use crate::service::application::name::PeriodName;
use crate::service::application::name::UnitName;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::extension::deadline_of;
use super::whereabouts::WhereaboutsView;
use crate::domain::catalogue::{Entry, InForce};
use crate::domain::extension::Extension;
use crate::domain::form::Rule;
use crate::domain::id::{IndicatorCode, OptionNumber};
use crate::domain::jump::Jump;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::receipt::ReceiptNumber;
use crate::domain::received_days::ReceivedDays;
use crate::domain::submission::{
    Content, EnteredFor, Fact, Nil, OwnWarning, Passage, Reason, Revision, RevisionRecord,
    SpeaksFor, Status, Step, Submission, unusual,
};
use crate::error::Message;
use crate::message;
use crate::service::application::locate::Located;
use crate::service::application::snapshot::Snapshot;
use crate::service::people::account_name::AccountName;

/// A submission with its latest values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SubmissionView {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    pub status: Status,
    /// Counts the steps of this submission; also its ETag.
    pub revision: i32,
    /// The tenant's rev of the last step.
    pub rev: i64,
    /// The number of the last step's receipt (biên nhận), for `get_receipt`. Null if a reorganisation
    /// took it, or if it was taken before there were receipts.
    #[schema(example = "1042-3")]
    pub receipt: Option<String>,
    /// The revision whose values count in the rollups; null if none does. A draft over a submitted
    /// revision leaves that one counting.
    pub counting_revision: Option<i32>,
    /// The day on which something that counts first came in from the unit, whatever became of it.
    /// Lateness is judged by it. Null if nothing did. `list_revisions` shows who entered a paper.
    pub received_on: Option<NaiveDate>,
    /// The day of the latest correction; null if there was none.
    pub corrected_on: Option<NaiveDate>,
    /// The last day on which the unit is in time; null without a deadline. If the deadline is an
    /// instant, `list_periods` has its time.
    pub deadline: Option<NaiveDate>,
    /// The last day of the unit's extension, which `deadline` counts; null if it was given none.
    pub extended_until: Option<NaiveDate>,
    /// If true, the unit's first submission came after the deadline.
    pub late: bool,
    /// The values as sent. Totals of closed breakdowns are computed and not listed.
    pub values: Vec<ValueView>,
    pub narrative: Vec<PassageView>,
    /// If true, the unit says that nothing more happened than what it entered (không phát sinh). Once
    /// submitted, `values` has a 0 for each flow that it left blank.
    pub nil: bool,
    /// If true, the latest values were entered by an account with a duty on a unit above only (nhập
    /// thay). Null if that was not recorded then.
    pub on_behalf: Option<bool>,
    /// The units for which the submission speaks: this unit alone, or everything below it too (báo cáo
    /// gộp).
    pub speaks_for: SpeaksFor,
    /// The reason for the return or the reopening; null unless the submission is returned or reopened.
    pub reason: Option<ReasonView>,
    /// The return, or the reopening with a reason, that the unit has still to answer; null once values
    /// were sent anew. It stays while the unit works on a draft.
    pub last_return: Option<ReturnView>,
    /// Remarks that do not refuse the submission: broken rules of the form, unusual values, jumps,
    /// submission before the period's end, and a submission without values. In the answer to sending
    /// also what it left out of the values that it replaced, and that it changed nothing of what was
    /// returned.
    pub warnings: Vec<Warning>,
    /// Where it is now. Null unless `get_submission` was asked for it with `include=whereabouts`.
    pub whereabouts: Option<WhereaboutsView>,
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

/// The reason for which a submission was returned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReasonView {
    pub text: String,
    pub values: Vec<ValueReasonView>,
}

/// A return of a submission: who, when, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReturnView {
    /// The revision that is the return.
    pub revision: i32,
    pub by: AccountName,
    pub at: DateTime<Utc>,
    /// The reason for the whole.
    pub text: String,
    /// Reasons for single values.
    pub values: Vec<ValueReasonView>,
}

impl ReturnView {
    /// Shows the step that is the return; `None` if it has no reason.
    pub(super) fn new(record: RevisionRecord, by: AccountName) -> Option<ReturnView> {
        let ReasonView { text, values } = ReasonView::from(record.reason?);
        Some(ReturnView {
            revision: record.revision.get(),
            by,
            at: record.entered_at.and_utc(),
            text,
            values,
        })
    }
}

/// The reason for which one value is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ValueReasonView {
    pub indicator: String,
    pub option: Option<String>,
    pub reason: String,
}

/// A remark that the unit should look at, and that does not refuse the submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Warning {
    /// The code of the form's rule, or `EMPTY_SUBMISSION`, `PERIOD_RUNNING`, `RETURNED_UNCHANGED`,
    /// `VALUE_JUMPED`, `VALUE_REMOVED` or `VALUE_UNUSUAL`.
    pub code: String,
    /// The rule that the unit's totals break; null for other remarks.
    pub expression: Option<String>,
    /// The indicator in question; null if the remark is about several values.
    pub indicator: Option<String>,
    /// In Vietnamese.
    pub message: String,
    pub message_en: Option<String>,
}

impl Warning {
    pub(super) fn of(rule: &Rule) -> Warning {
        Warning {
            code: rule.code.to_string(),
            expression: Some(rule.expression.to_string()),
            indicator: None,
            message: rule.message.vi.clone(),
            message_en: rule.message.en.clone(),
        }
    }

    fn telling(
        warning: OwnWarning,
        indicator: Option<&IndicatorCode>,
        message: Message,
    ) -> Warning {
        Warning {
            code: warning.as_str().to_owned(),
            expression: None,
            indicator: indicator.map(ToString::to_string),
            message: message.vi,
            message_en: Some(message.en),
        }
    }

    /// Warns of a total far from those of the unit's last periods.
    pub(super) fn of_jump(entry: &Entry<'_>, mantissa: i64, jump: &Jump) -> Warning {
        Warning::telling(
            OwnWarning::ValueJumped,
            Some(&entry.indicator.code),
            sentence::submission::jumped(entry, mantissa, jump),
        )
    }

    /// Warns of a value that counted or was returned, and is left out of what replaces it.
    pub(super) fn of_removal(entry: &Entry<'_>, fact: &Fact) -> Warning {
        Warning::telling(
            OwnWarning::ValueRemoved,
            Some(&entry.indicator.code),
            sentence::submission::removed(entry, fact),
        )
    }

    /// Warns that the same is sent that was given back for a reason.
    pub(super) fn of_no_change(reason: &Reason) -> Warning {
        let message = message!("submission-returned-unchanged", reason = &reason.text);
        Warning::telling(OwnWarning::ReturnedUnchanged, None, message)
    }

    /// Warns of a submission without any value. A unit with nothing to report should send zeros,
    /// and must learn of an empty submission sent by mistake.
    fn of_emptiness(
        snapshot: &Snapshot,
        located: &Located<'_>,
        submission: &Submission,
        content: &Content,
    ) -> Option<Warning> {
        let counts = submission.counting_revision == Some(submission.values_revision);
        if !counts || !content.facts.is_empty() {
            return None;
        }
        let in_force = &located.in_force;
        let respondents = snapshot.respondents(&in_force.period);
        let levels = respondents.levels_of(located.place());
        let mut entries = in_force.entries().iter();
        let asks = entries.any(|entry| entry.is_collected_at_any(&levels));
        let message = message!("submission-empty");
        asks.then(|| Warning::telling(OwnWarning::EmptySubmission, None, message))
    }
}

/// The parts of a submission that are shown.
pub(super) struct Shown<'s> {
    pub submission: &'s Submission,
    /// The latest values.
    pub content: &'s Content,
    /// The unit for which they were entered.
    pub entered_for: Option<EnteredFor>,
    pub extension: Option<&'s Extension>,
    /// The number of the last step's receipt.
    pub receipt: Option<ReceiptNumber>,
    pub last_return: Option<ReturnView>,
    /// The warnings of the form's rules and of jumps; the others are added.
    pub warnings: Vec<Warning>,
}

impl SubmissionView {
    pub(super) fn new(
        snapshot: &Snapshot,
        located: &Located<'_>,
        shown: Shown<'_>,
    ) -> SubmissionView {
        let Shown {
            submission,
            content,
            entered_for,
            extension,
            receipt,
            last_return,
            mut warnings,
        } = shown;
        warnings.extend(Warning::of_emptiness(
            snapshot, located, submission, content,
        ));
        let time_zone = snapshot.counters.time_zone;
        let deadline = deadline_of(snapshot, located, extension);
        let received = submission.received;
        let counted = received.filter(|_| submission.counting_revision.is_some());
        let closes = located.in_force.period.closing_day();
        // Some forms ask for figures before the period ends; do not warn then.
        if deadline.is_none_or(|deadline| deadline.day(time_zone) > closes) {
            warnings.extend(counted.and_then(|received| period_running(received, closes)));
        }
        warnings.extend(unusual_values(&content.facts, &located.in_force));
        SubmissionView {
            form: located.form().code.to_string(),
            period: PeriodName::of(&located.in_force.period),
            unit: UnitName::of(located.place()),
            status: submission.status,
            revision: submission.revision.get(),
            rev: submission.rev,
            receipt: receipt.map(|number| number.to_string()),
            counting_revision: submission.counting_revision.map(Revision::get),
            received_on: received.map(|received| received.received_on),
            corrected_on: received.and_then(|received| received.corrected_on),
            deadline: deadline.map(|deadline| deadline.day(time_zone)),
            extended_until: extension.map(|given| given.until),
            late: received
                .zip(deadline)
                .is_some_and(|(received, deadline)| received.is_late(deadline, time_zone)),
            values: value_views(&content.facts, &located.in_force),
            narrative: content.narrative.iter().map(PassageView::from).collect(),
            nil: content.nil == Nil::Declared,
            on_behalf: entered_for.map(is_on_behalf),
            speaks_for: submission.speaks_for,
            reason: last_return
                .as_ref()
                .filter(|_| matches!(submission.status, Status::Returned | Status::Reopened))
                .map(ReasonView::of),
            last_return,
            warnings,
            whereabouts: None,
        }
    }
}

/// Warns of totals beyond their usual range, in the order of the outline.
fn unusual_values(facts: &[Fact], in_force: &InForce<'_>) -> Vec<Warning> {
    let entries = in_force.entries().iter();
    let bounded = entries.filter(|entry| !entry.definition.bounds().usual.is_open());
    let found = bounded.filter_map(|entry| {
        let cell = (entry.indicator.number, OptionNumber::TOTAL);
        let total = facts
            .iter()
            .find(|fact| (fact.indicator, fact.option) == cell)?;
        let found = unusual(entry, total.mantissa)?;
        Some(Warning::telling(
            OwnWarning::ValueUnusual,
            Some(&entry.indicator.code),
            sentence::submission::unusual(&found),
        ))
    });
    found.collect()
}

/// Warns if the counting values were sent before the period ended.
fn period_running(received: ReceivedDays, closes: NaiveDate) -> Option<Warning> {
    let sent = received.latest();
    (sent <= closes).then(|| {
        let message = message!(
            "submission-period-running",
            sent = Named::day(sent),
            closes = Named::day(closes)
        );
        Warning::telling(OwnWarning::PeriodRunning, None, message)
    })
}

/// Lists values in the order of the outline.
pub(super) fn value_views(facts: &[Fact], in_force: &InForce<'_>) -> Vec<ValueView> {
    let views = in_force
        .entered_figures()
        .filter_map(|(entry, number, option)| {
            let fact = facts
                .iter()
                .find(|fact| (fact.indicator, fact.option) == (entry.indicator.number, number))?;
            Some(ValueView {
                indicator: entry.indicator.code.to_string(),
                option: option.map(|option| option.code.to_string()),
                value: Decimal::new(fact.mantissa, entry.definition.decimals.get()),
                qualifier: fact.qualifier,
            })
        });
    views.collect()
}

/// Tells whether somebody entered for a unit below (nhập thay).
pub(in crate::service) fn is_on_behalf(entered_for: EnteredFor) -> bool {
    match entered_for {
        EnteredFor::OwnUnit => false,
        EnteredFor::UnitBelow => true,
    }
}

impl From<&Passage> for PassageView {
    fn from(passage: &Passage) -> PassageView {
        PassageView {
            section: passage.section.to_string(),
            text: passage.text.clone(),
        }
    }
}

impl ReasonView {
    fn of(last_return: &ReturnView) -> ReasonView {
        ReasonView {
            text: last_return.text.clone(),
            values: last_return.values.clone(),
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

/// One step of a submission's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RevisionView {
    pub revision: i32,
    pub step: Step,
    /// The status after the step.
    pub status: Status,
    /// The login of the account that took the step; empty for a caller who does not manage the account.
    pub by: String,
    /// The account that took the step.
    pub author: AccountName,
    /// If true, the account had a duty on a unit above only (nhập thay). Null for steps that enter
    /// nothing, and if that was not recorded then.
    pub on_behalf: Option<bool>,
    /// The units for which the submission spoke after the step: the unit alone, or everything below it
    /// too (báo cáo gộp). Null if that was not recorded then.
    pub speaks_for: Option<SpeaksFor>,
    pub at: DateTime<Utc>,
    /// The day on which the paper came in that the step entered; null if no paper was entered.
    pub received_on: Option<NaiveDate>,
    pub rev: i64,
    /// The number of the step's receipt (biên nhận), for `get_receipt`. Null for what a reorganisation
    /// noted, and for steps from before there were receipts.
    #[schema(example = "1042-3")]
    pub receipt: Option<String>,
    /// The values that the step brought; null if it brought none.
    pub values: Option<Vec<ValueView>>,
    pub narrative: Option<Vec<PassageView>>,
    /// If true, the unit said that nothing more happened than what it entered (không phát sinh). Null if
    /// the step brought no values.
    pub nil: Option<bool>,
    /// The values that differ from those of the step before that brought values, in the order of the
    /// outline; null if the step brought none.
    pub changes: Option<Vec<ValueChangeView>>,
    /// The texts that differ likewise.
    pub narrative_changes: Option<Vec<PassageChangeView>>,
    pub reason: Option<ReasonView>,
}

impl RevisionView {
    /// Shows a step; `difference` is none if the step brought no values.
    pub(super) fn new(
        record: RevisionRecord,
        author: AccountName,
        receipt: Option<ReceiptNumber>,
        difference: Option<Difference>,
        in_force: &InForce<'_>,
    ) -> RevisionView {
        let (changes, narrative_changes) = match difference {
            None => (None, None),
            Some(Difference { values, narrative }) => (Some(values), Some(narrative)),
        };
        let (values, narrative, nil) = match record.content {
            None => (None, None, None),
            Some(content) => (
                Some(value_views(&content.facts, in_force)),
                Some(content.narrative.iter().map(PassageView::from).collect()),
                Some(content.nil == Nil::Declared),
            ),
        };
        RevisionView {
            revision: record.revision.get(),
            step: record.step,
            status: record.status,
            by: author.login.clone(),
            author,
            on_behalf: record.entered_for.map(is_on_behalf),
            speaks_for: record.speaks_for,
            at: record.entered_at.and_utc(),
            received_on: record.received_on,
            rev: record.rev,
            receipt: receipt.map(|number| number.to_string()),
            values,
            narrative,
            nil,
            changes,
            narrative_changes,
            reason: record.reason.map(ReasonView::from),
        }
    }
}
