//! What is shown of submissions. Never what is decided.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::domain::catalogue::InForce;
use crate::domain::form::Rule;
use crate::domain::id::OptionNumber;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::{Fact, Passage, Revision, Status, Step};
use crate::service::locate::Located;
use crate::service::rollup::PeriodName;
use crate::service::unit::UnitName;
use crate::store::submission::{Content, Reason, RevisionRecord, Submission};

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
    pub(super) fn of(rule: &Rule) -> Warning {
        Warning {
            code: rule.code.to_string(),
            expression: rule.expression.to_string(),
            message: rule.message.vi.clone(),
            message_en: rule.message.en.clone(),
        }
    }
}

impl SubmissionView {
    pub(super) fn new(
        located: &Located<'_>,
        submission: &Submission,
        content: &Content,
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
            narrative: content.narrative.iter().map(PassageView::from).collect(),
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

impl From<&Passage> for PassageView {
    fn from(passage: &Passage) -> PassageView {
        PassageView {
            section: passage.section.to_string(),
            text: passage.text.clone(),
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
    /// The login of who took it.
    pub by: String,
    pub at: DateTime<Utc>,
    pub rev: i64,
    /// What the step brought; null where it brought no values.
    pub values: Option<Vec<ValueView>>,
    pub narrative: Option<Vec<PassageView>>,
    pub reason: Option<ReasonView>,
}

impl RevisionView {
    pub(super) fn new(
        record: RevisionRecord,
        login: String,
        in_force: &InForce<'_>,
    ) -> RevisionView {
        let (values, narrative) = match record.content {
            None => (None, None),
            Some(content) => (
                Some(value_views(&content.facts, in_force)),
                Some(content.narrative.iter().map(PassageView::from).collect()),
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
