//! Submissions (số liệu báo cáo): what one unit submits on one form for one period, which states
//! it goes through, and what makes its values acceptable. Never totals of several units.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::bounds::{Beyond, Interval};
use super::catalogue::{Entry, InForce};
use super::fault::{FaultAt, Faults, FieldPath};
use super::form::{Narrative, Need};
use super::hierarchy::Hierarchy;
use super::id::{
    IndicatorCode, IndicatorNumber, LevelCode, OptionCode, OptionNumber, SectionNumber,
};
use super::indicator::{Breakdown, BreakdownKind, BreakdownOption};
use super::naming::Named;
use super::quantity::{Decimal, Decimals, Qualifier, WrongQuantity, read_quantity};
use super::text::{TextFault, clipped, read_prose};
use crate::path;

/// Where a submission is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Counts nowhere; over a submitted revision it leaves that one counting.
    Draft,
    /// Counts.
    Submitted,
    /// Counts in both stages.
    Approved,
    /// Counts nowhere, with a reason.
    Returned,
    /// Counts nowhere.
    Withdrawn,
    /// Was approved; counts as submitted, and may be changed again.
    Reopened,
}

/// The stage of a figure: all that was submitted, or only what was approved as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    #[default]
    Submitted,
    Approved,
}

/// Whether a revision of the submission counts in the rollups at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    Yes,
    No,
}

/// Something that is done to a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Values are kept as a draft.
    Save,
    /// Values are put and submitted at once, over whatever was there.
    Replace,
    /// The draft is submitted as it is.
    Submit,
    Withdraw,
    Approve,
    Return,
    Reopen,
    /// The map changed: the unit that submitted has ended, or that was taken back. It changes
    /// neither the status nor what counts.
    Reorganise,
}

/// What a step does to what counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// What counts stays as it is.
    Keeps,
    /// The latest values count from now on.
    CountsLatest,
    /// Nothing counts from now on.
    CountsNothing,
}

/// A step that the status does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongStatus {
    pub status: Status,
    pub step: Step,
}

impl Status {
    /// The status after `step`, and what the step does to what counts.
    ///
    /// # Errors
    /// [`WrongStatus`] where the status does not allow the step.
    pub fn after(self, step: Step, counting: Counting) -> Result<(Status, Effect), WrongStatus> {
        use Effect::{CountsLatest, CountsNothing, Keeps};
        use Status::{Approved, Draft, Reopened, Returned, Submitted, Withdrawn};
        let drafted_over = self == Draft && counting == Counting::Yes;
        match (step, self) {
            (Step::Save | Step::Replace, Approved) => Err(WrongStatus { status: self, step }),
            (Step::Save, _) => Ok((Draft, Keeps)),
            (Step::Replace, _) => Ok((Submitted, CountsLatest)),
            (Step::Submit, Draft | Returned | Withdrawn | Reopened) => {
                Ok((Submitted, CountsLatest))
            }
            (Step::Withdraw, Submitted | Reopened) => Ok((Withdrawn, CountsNothing)),
            (Step::Withdraw, Draft) if drafted_over => Ok((Withdrawn, CountsNothing)),
            (Step::Approve, Submitted | Reopened) => Ok((Approved, Keeps)),
            (Step::Return, Submitted | Reopened) => Ok((Returned, CountsNothing)),
            (Step::Return, Draft) if drafted_over => Ok((Returned, CountsNothing)),
            (Step::Reopen, Approved) => Ok((Reopened, Keeps)),
            _ => Err(WrongStatus { status: self, step }),
        }
    }
}

/// The number of a revision of a submission, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(i32);

impl Revision {
    pub const FIRST: Revision = Revision(1);

    pub const fn new(number: i32) -> Revision {
        Revision(number)
    }

    pub fn get(self) -> i32 {
        self.0
    }

    #[must_use]
    pub fn next(self) -> Revision {
        Revision(self.0.saturating_add(1))
    }
}

/// Which units a submission speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeaksFor {
    /// The unit that submits, and nothing below it.
    Unit,
}

/// A warning that the program gives by itself. No rule of a form may have its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnWarning {
    EmptySubmission,
    PeriodRunning,
    ValueUnusual,
}

impl OwnWarning {
    pub const ALL: [OwnWarning; 3] = [
        OwnWarning::EmptySubmission,
        OwnWarning::PeriodRunning,
        OwnWarning::ValueUnusual,
    ];

    /// The code that the answer has.
    pub fn as_str(self) -> &'static str {
        match self {
            OwnWarning::EmptySubmission => "EMPTY_SUBMISSION",
            OwnWarning::PeriodRunning => "PERIOD_RUNNING",
            OwnWarning::ValueUnusual => "VALUE_UNUSUAL",
        }
    }
}

/// One value as it is counted: the mantissa at the indicator's decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    pub indicator: IndicatorNumber,
    pub option: OptionNumber,
    pub mantissa: i64,
    pub qualifier: Qualifier,
}

/// One value as it was entered, before it is known to make sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnteredValue {
    pub indicator: String,
    pub option: Option<String>,
    /// A decimal text.
    pub value: String,
    pub qualifier: Qualifier,
}

/// One passage of prose as it was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnteredPassage {
    pub section: String,
    pub text: String,
}

/// A passage of prose under a heading of the outline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    pub section: SectionNumber,
    pub text: String,
}

/// Why one value of a returned submission is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueReason {
    pub indicator: IndicatorCode,
    pub option: Option<OptionCode>,
    pub reason: String,
}

/// A submitter, as far as it matters to what may be submitted.
#[derive(Clone, Copy)]
pub struct Submitter<'h> {
    pub level: &'h LevelCode,
    /// The hierarchy, in which the levels have their names.
    pub hierarchy: &'h Hierarchy,
}

/// A reason for which what was entered cannot be taken, or cannot count. Indicators, options,
/// levels and forms are called as people know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmissionFault {
    /// The form has no such indicator.
    UnknownIndicator {
        form: Named,
        text: String,
    },
    /// The indicator has no such option; `known` are those it has, if it has any.
    UnknownOption {
        indicator: Named,
        text: String,
        known: Option<Named>,
    },
    /// The indicator is computed.
    Derived {
        indicator: Named,
    },
    /// The indicator is not collected at the submitter's level, only at those of `collecting`.
    NotCollectedHere {
        indicator: Named,
        level: Named,
        collecting: Named,
    },
    /// The value is no number, or none that the indicator takes.
    Quantity {
        indicator: Named,
        wrong: WrongQuantity,
    },
    /// The value is beyond what can be.
    Impossible(OutOfBounds),
    /// An indicator or an option has two values.
    EnteredTwice {
        figure: Named,
    },
    /// The outline has no such heading, or it takes no prose.
    UnknownSection {
        form: Named,
        text: String,
    },
    /// A heading has two passages.
    SectionTwice {
        section: Named,
    },
    Text(TextFault),
    /// A draft has an indicator for which the form asks this unit no more.
    AskedNoMore,
    /// A draft has an option that the indicator has no more.
    OptionNoMore {
        indicator: Named,
    },
    /// An option of a closed breakdown has no value.
    OptionMissing {
        indicator: Named,
        option: Named,
    },
    /// The options of a closed breakdown add up to more than a quantity can hold.
    OptionsTooLarge {
        indicator: Named,
    },
    /// The options of a closed breakdown add up to something else than the total.
    TotalsDiffer {
        indicator: Named,
        options: Named,
        sum: Decimal,
        total: Decimal,
    },
    /// There are parts and no total that they are parts of.
    TotalMissing {
        indicator: Named,
    },
    /// The parts add up to more than the total.
    PartsExceedTotal {
        indicator: Named,
        sum: Decimal,
        total: Decimal,
    },
    /// A required indicator has no value.
    RequiredMissing {
        indicator: Named,
    },
}

/// A value beyond an end of an interval, with what it takes to say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfBounds {
    pub indicator: Named,
    pub unit_of_measure: String,
    pub decimals: Decimals,
    pub mantissa: i64,
    pub beyond: Beyond,
}

type Found = FaultAt<SubmissionFault>;

/// Reads entered values as facts, in the order of the outline's numbers.
///
/// # Errors
/// Every single fault, with its place below `values`.
pub fn read_values(
    entered: &[EnteredValue],
    in_force: &InForce<'_>,
    submitter: Submitter<'_>,
) -> Result<Vec<Fact>, Faults<SubmissionFault>> {
    let mut facts = Vec::new();
    let mut faults = Faults::default();
    let mut seen = HashSet::new();
    for (index, value) in entered.iter().enumerate() {
        let at = path!["values", index];
        match read_value(value, &at, in_force, submitter) {
            Ok((_, fact)) if seen.insert((fact.indicator, fact.option)) => facts.push(fact),
            Ok((entry, fact)) => {
                let figure = entry.figure_named(fact.option);
                faults.push(at, SubmissionFault::EnteredTwice { figure });
            }
            Err(found) => faults.extend([*found]),
        }
    }
    facts.sort_by_key(|fact| (fact.indicator, fact.option));
    faults.or(facts)
}

fn read_value<'f, 'c>(
    entered: &EnteredValue,
    at: &FieldPath,
    in_force: &'f InForce<'c>,
    submitter: Submitter<'_>,
) -> Result<(&'f Entry<'c>, Fact), Box<Found>> {
    let refused = |field: &'static str| {
        move |fault: SubmissionFault| Box::new(FaultAt::new(at.below(field), fault))
    };
    let entry = collected_entry(entered, in_force, submitter).map_err(refused("indicator"))?;
    let option = option_number(entered, entry).map_err(refused("option"))?;
    let mantissa = read_quantity(&entered.value, entry.definition.decimals)
        .map_err(|wrong| {
            let indicator = entry.named();
            SubmissionFault::Quantity { indicator, wrong }
        })
        .map_err(refused("value"))?;
    if let Some(beyond) = impossible(entry, entry.definition.possible(option), mantissa) {
        return Err(refused("value")(SubmissionFault::Impossible(beyond)));
    }
    let fact = Fact {
        indicator: entry.indicator.number,
        option,
        mantissa,
        qualifier: entered.qualifier,
    };
    Ok((entry, fact))
}

fn collected_entry<'f, 'c>(
    entered: &EnteredValue,
    in_force: &'f InForce<'c>,
    submitter: Submitter<'_>,
) -> Result<&'f Entry<'c>, SubmissionFault> {
    let found = entered
        .indicator
        .parse::<IndicatorCode>()
        .ok()
        .and_then(|code| in_force.entry(&code));
    let Some(entry) = found else {
        return Err(unknown_indicator(&entered.indicator, in_force));
    };
    let indicator = entry.named();
    if entry.definition.formula().is_some() {
        return Err(SubmissionFault::Derived { indicator });
    }
    let levels = in_force.levels_collecting(entry);
    if !levels.contains(&submitter.level) {
        return Err(SubmissionFault::NotCollectedHere {
            indicator,
            level: Named::level(submitter.level, submitter.hierarchy),
            collecting: Named::levels(levels, submitter.hierarchy),
        });
    }
    Ok(entry)
}

fn option_number(
    entered: &EnteredValue,
    entry: &Entry<'_>,
) -> Result<OptionNumber, SubmissionFault> {
    let Some(name) = &entered.option else {
        return Ok(OptionNumber::TOTAL);
    };
    let code = name.parse::<OptionCode>().ok();
    let in_force = code.filter(|code| entry.definition.options().any(|known| &known.code == code));
    in_force
        .and_then(|code| entry.indicator.option_number(&code))
        .ok_or_else(|| unknown_option(entry, name))
}

/// The fault of an indicator that a form does not have.
pub fn unknown_indicator(text: &str, in_force: &InForce<'_>) -> SubmissionFault {
    SubmissionFault::UnknownIndicator {
        form: in_force.period.named_form(),
        text: clipped(text),
    }
}

/// The fault of an option that an indicator does not have.
pub fn unknown_option(entry: &Entry<'_>, text: &str) -> SubmissionFault {
    let known = entry.definition.options();
    let known: Vec<Named> = known
        .map(|option| Named::with_code(&option.name, &option.code))
        .collect();
    SubmissionFault::UnknownOption {
        indicator: entry.named(),
        text: clipped(text),
        known: (!known.is_empty()).then(|| Named::list(known)),
    }
}

/// Holds a number to what can be; none for a number within.
pub fn impossible(entry: &Entry<'_>, possible: Interval, mantissa: i64) -> Option<OutOfBounds> {
    out_of_bounds(entry, possible, mantissa)
}

/// Holds a total to what is usual; none for a total within.
pub fn unusual(entry: &Entry<'_>, mantissa: i64) -> Option<OutOfBounds> {
    out_of_bounds(entry, entry.definition.bounds().usual, mantissa)
}

fn out_of_bounds(entry: &Entry<'_>, bounds: Interval, mantissa: i64) -> Option<OutOfBounds> {
    let beyond = bounds.beyond(mantissa)?;
    Some(OutOfBounds {
        indicator: entry.named(),
        unit_of_measure: entry.definition.unit_of_measure.clone(),
        decimals: entry.definition.decimals,
        mantissa,
        beyond,
    })
}

/// Reads entered prose.
///
/// # Errors
/// Every single fault, with its place below `narrative`.
pub fn read_narrative(
    entered: &[EnteredPassage],
    in_force: &InForce<'_>,
) -> Result<Vec<Passage>, Faults<SubmissionFault>> {
    let mut passages = Vec::new();
    let mut faults = Faults::default();
    let mut seen = BTreeSet::new();
    for (index, passage) in entered.iter().enumerate() {
        let at = path!["narrative", index];
        match read_passage(passage, &at, in_force) {
            Ok(read) if seen.insert(read.section.clone()) => passages.push(read),
            Ok(read) => {
                let section = in_force.period.named_section(&read.section);
                faults.push(at, SubmissionFault::SectionTwice { section });
            }
            Err(found) => faults.extend([*found]),
        }
    }
    faults.or(passages)
}

fn read_passage(
    entered: &EnteredPassage,
    at: &FieldPath,
    in_force: &InForce<'_>,
) -> Result<Passage, Box<Found>> {
    let definition = in_force.period.definition;
    let section = entered.section.parse::<SectionNumber>().ok();
    let taken = section.filter(|number| {
        definition
            .section(number)
            .is_some_and(|found| found.narrative == Narrative::Taken)
    });
    let Some(section) = taken else {
        let fault = SubmissionFault::UnknownSection {
            form: in_force.period.named_form(),
            text: clipped(&entered.section),
        };
        return Err(Box::new(FaultAt::new(at.below("section"), fault)));
    };
    let text = read_prose(&entered.text)
        .map_err(|fault| Box::new(FaultAt::new(at.below("text"), SubmissionFault::Text(fault))))?;
    Ok(Passage { section, text })
}

/// Completes facts for counting: closed breakdowns get their total, and everything that a
/// submission (other than a draft) must have is looked for.
///
/// # Errors
/// Every single thing that is missing, does not add up, or is not asked for any more (a draft
/// may be older than the form's version).
pub fn complete(
    facts: &[Fact],
    in_force: &InForce<'_>,
    level: &LevelCode,
) -> Result<Vec<Fact>, Faults<SubmissionFault>> {
    let collected: Vec<&Entry<'_>> = in_force
        .entries()
        .iter()
        .filter(|entry| in_force.levels_collecting(entry).contains(&level))
        .collect();
    let mut faults = Faults::default();
    let mut refuse = |fault| faults.push(path!["values"], fault);
    let outdated = facts.iter();
    outdated
        .filter_map(|fact| not_asked_for(fact, &collected))
        .for_each(&mut refuse);
    let mut values: Values = facts
        .iter()
        .map(|fact| ((fact.indicator, fact.option), *fact))
        .collect();
    for entry in &collected {
        match completed_total(entry, &values) {
            Ok(Some(total)) => {
                values.insert((total.indicator, total.option), total);
            }
            Ok(None) if entry.item.need == Need::Required => {
                let indicator = entry.named();
                refuse(SubmissionFault::RequiredMissing { indicator });
            }
            Ok(None) => {}
            Err(found) => found.into_iter().for_each(&mut refuse),
        }
        impossible_values(entry, &values).for_each(&mut refuse);
    }
    faults.or(values.into_values().collect())
}

fn not_asked_for(fact: &Fact, collected: &[&Entry<'_>]) -> Option<SubmissionFault> {
    let entry = collected
        .iter()
        .find(|entry| entry.indicator.number == fact.indicator);
    let Some(entry) = entry else {
        return Some(SubmissionFault::AskedNoMore);
    };
    let is_option = entry
        .options()
        .iter()
        .any(|(number, _)| *number == fact.option);
    let indicator = entry.named();
    (!is_option).then_some(SubmissionFault::OptionNoMore { indicator })
}

type Values = BTreeMap<(IndicatorNumber, OptionNumber), Fact>;

/// The faults of an entry's values that are beyond what can be. They are looked for again here: a
/// total is computed only now, and a draft may be older than the bounds.
fn impossible_values<'v>(
    entry: &'v Entry<'_>,
    values: &'v Values,
) -> impl Iterator<Item = SubmissionFault> + 'v {
    let own = values.range((entry.indicator.number, OptionNumber::TOTAL)..);
    let own = own.take_while(|((indicator, _), _)| *indicator == entry.indicator.number);
    own.filter_map(|((_, option), fact)| {
        impossible(entry, entry.definition.possible(*option), fact.mantissa)
            .map(SubmissionFault::Impossible)
    })
}

/// An entry's total: sent, or the sum of its closed breakdowns; `None` where it has no value. A
/// computed total takes the place of one that was sent, which may only agree with it.
fn completed_total(
    entry: &Entry<'_>,
    values: &Values,
) -> Result<Option<Fact>, Vec<SubmissionFault>> {
    let sent = values
        .get(&(entry.indicator.number, OptionNumber::TOTAL))
        .copied();
    let has_values = values
        .keys()
        .any(|(indicator, _)| *indicator == entry.indicator.number);
    if !has_values {
        return Ok(None);
    }
    let mut faults = Vec::new();
    let mut computed: Option<Fact> = None;
    let breakdowns = entry.definition.breakdowns();
    for breakdown in breakdowns
        .iter()
        .filter(|one| one.kind == BreakdownKind::Closed)
    {
        match (closed_total(entry, breakdown, values), computed.or(sent)) {
            (Err(found), _) => faults.extend(found),
            (Ok(sum), Some(known)) if sum.mantissa != known.mantissa => {
                faults.push(totals_differ(entry, breakdown, sum, known));
            }
            (Ok(sum), _) => {
                let former = computed.map_or(Qualifier::Exact, |former| former.qualifier);
                computed = Some(Fact {
                    qualifier: sum.qualifier.and(former),
                    ..sum
                });
            }
        }
    }
    let total = computed.or(sent);
    for breakdown in breakdowns
        .iter()
        .filter(|one| one.kind == BreakdownKind::Open)
    {
        faults.extend(open_fault(entry, breakdown, total, values));
    }
    if faults.is_empty() {
        Ok(total)
    } else {
        Err(faults)
    }
}

fn option_facts<'v>(
    entry: &'v Entry<'_>,
    breakdown: &'v Breakdown,
    values: &'v Values,
) -> impl Iterator<Item = (&'v BreakdownOption, Option<&'v Fact>)> {
    breakdown.options.iter().map(|option| {
        let number = entry.indicator.option_number(&option.code);
        let fact = number.and_then(|number| values.get(&(entry.indicator.number, number)));
        (option, fact)
    })
}

fn closed_total(
    entry: &Entry<'_>,
    breakdown: &Breakdown,
    values: &Values,
) -> Result<Fact, Vec<SubmissionFault>> {
    let mut faults = Vec::new();
    let mut sum: i128 = 0;
    let mut qualifier = Qualifier::Exact;
    for (option, fact) in option_facts(entry, breakdown, values) {
        match fact {
            Some(fact) => {
                sum += i128::from(fact.mantissa);
                qualifier = qualifier.and(fact.qualifier);
            }
            None => faults.push(SubmissionFault::OptionMissing {
                indicator: entry.named(),
                option: Named::with_code(&option.name, &option.code),
            }),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mantissa = i64::try_from(sum).map_err(|_| {
        let indicator = entry.named();
        vec![SubmissionFault::OptionsTooLarge { indicator }]
    })?;
    Ok(Fact {
        indicator: entry.indicator.number,
        option: OptionNumber::TOTAL,
        mantissa,
        qualifier,
    })
}

fn totals_differ(
    entry: &Entry<'_>,
    breakdown: &Breakdown,
    sum: Fact,
    known: Fact,
) -> SubmissionFault {
    let decimals = entry.definition.decimals.get();
    let options = breakdown.options.iter();
    SubmissionFault::TotalsDiffer {
        indicator: entry.named(),
        options: Named::list(options.map(|option| Named::with_code(&option.name, &option.code))),
        sum: Decimal::new(sum.mantissa, decimals),
        total: Decimal::new(known.mantissa, decimals),
    }
}

/// An open breakdown needs the total that its options are part of. A negative part has no
/// "more than", so only amounts that are not negative are compared.
fn open_fault(
    entry: &Entry<'_>,
    breakdown: &Breakdown,
    total: Option<Fact>,
    values: &Values,
) -> Option<SubmissionFault> {
    let indicator = entry.named();
    let parts: Vec<i64> = option_facts(entry, breakdown, values)
        .filter_map(|(_, fact)| fact.map(|fact| fact.mantissa))
        .collect();
    if parts.is_empty() {
        return None;
    }
    let Some(total) = total else {
        return Some(SubmissionFault::TotalMissing { indicator });
    };
    let comparable = total.mantissa >= 0 && parts.iter().all(|part| *part >= 0);
    let sum: i128 = parts.iter().map(|part| i128::from(*part)).sum();
    (comparable && sum > i128::from(total.mantissa)).then(|| {
        let decimals = entry.definition.decimals.get();
        SubmissionFault::PartsExceedTotal {
            indicator,
            sum: Decimal::new(sum, decimals),
            total: Decimal::new(total.mantissa, decimals),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approved_submission_changes_only_after_it_is_reopened() {
        for step in [
            Step::Save,
            Step::Replace,
            Step::Submit,
            Step::Withdraw,
            Step::Approve,
            Step::Return,
        ] {
            assert!(
                Status::Approved.after(step, Counting::Yes).is_err(),
                "{step:?}"
            );
        }
        assert_eq!(
            Status::Approved.after(Step::Reopen, Counting::Yes),
            Ok((Status::Reopened, Effect::Keeps))
        );
    }

    #[test]
    fn a_draft_leaves_what_counts_alone_and_can_be_withdrawn_only_over_something_that_counts() {
        for status in [
            Status::Draft,
            Status::Submitted,
            Status::Returned,
            Status::Withdrawn,
            Status::Reopened,
        ] {
            assert_eq!(
                status.after(Step::Save, Counting::Yes),
                Ok((Status::Draft, Effect::Keeps))
            );
        }
        assert!(Status::Draft.after(Step::Withdraw, Counting::No).is_err());
        assert!(Status::Draft.after(Step::Withdraw, Counting::Yes).is_ok());
    }
}
