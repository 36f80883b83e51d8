//! Reads entered values as facts, and entered prose. What is missing does not matter here.

use std::collections::{BTreeSet, HashSet};

use super::fault::{OutOfBounds, SubmissionFault};
use super::record::{Fact, Passage};
use crate::domain::bounds::Interval;
use crate::domain::catalogue::{Entry, InForce};
use crate::domain::fault::{FaultAt, Faults, FieldPath};
use crate::domain::form::{FormDefinition, FormPeriod, Narrative};
use crate::domain::hierarchy::Hierarchy;
use crate::domain::id::{LevelCode, OptionCode, OptionNumber, SectionNumber};
use crate::domain::named::Named;
use crate::domain::quantity::{Qualifier, read_quantity};
use crate::domain::text::{clipped, read_prose};
use crate::path;

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

/// A submitter, as far as it matters to what may be submitted.
#[derive(Clone, Copy)]
pub struct Submitter<'h> {
    pub level: &'h LevelCode,
    /// The levels for which it submits: its own, and those below it if it reports for its subtree.
    pub levels: &'h [&'h LevelCode],
    /// The hierarchy, in which the levels have their names.
    pub hierarchy: &'h Hierarchy,
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
        match read_value(value, index, in_force, submitter) {
            Ok((_, fact)) if seen.insert((fact.indicator, fact.option)) => facts.push(fact),
            Ok((entry, fact)) => {
                let figure = entry.figure_named(fact.option);
                let fault = SubmissionFault::EnteredTwice { figure };
                faults.push(path!["values", index], fault);
            }
            Err(found) => faults.extend([*found]),
        }
    }
    facts.sort_by_key(|fact| (fact.indicator, fact.option));
    faults.or(facts)
}

fn read_value<'f, 'c>(
    entered: &EnteredValue,
    index: usize,
    in_force: &'f InForce<'c>,
    submitter: Submitter<'_>,
) -> Result<(&'f Entry<'c>, Fact), Box<Found>> {
    let refused = |field: &'static str| {
        move |fault: SubmissionFault| Box::new(FaultAt::new(path!["values", index, field], fault))
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
    let Some(entry) = in_force.entry_written(&entered.indicator) else {
        return Err(unknown_indicator(&entered.indicator, in_force));
    };
    if entry.definition.formula().is_some() {
        let indicator = entry.named();
        return Err(SubmissionFault::Derived { indicator });
    }
    if let Some(form) = &entry.item.from_form {
        let giving = entry.given_by.as_ref();
        return Err(SubmissionFault::FromForm {
            indicator: entry.named(),
            form: giving.map_or_else(|| Named::plain(form), FormPeriod::named_form),
        });
    }
    check_collected(entry, in_force, submitter)?;
    Ok(entry)
}

/// Refuses an indicator that is collected from other levels only.
///
/// # Errors
/// [`SubmissionFault::NotCollectedHere`].
pub fn check_collected(
    entry: &Entry<'_>,
    in_force: &InForce<'_>,
    submitter: Submitter<'_>,
) -> Result<(), SubmissionFault> {
    if !entry.is_collected_at_any(submitter.levels) {
        let levels = in_force.period.definition.levels_collecting(entry.item);
        return Err(SubmissionFault::NotCollectedHere {
            indicator: entry.named(),
            level: Named::level(submitter.level, submitter.hierarchy),
            collecting: Named::levels(levels, submitter.hierarchy),
        });
    }
    Ok(())
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
            taking: sections_with_prose(definition),
        };
        return Err(Box::new(FaultAt::new(at.below("section"), fault)));
    };
    let text = read_prose(&entered.text)
        .map_err(|fault| Box::new(FaultAt::new(at.below("text"), SubmissionFault::Text(fault))))?;
    Ok(Passage { section, text })
}

/// Lists the numbers of the headings that take prose; nothing if none does.
fn sections_with_prose(definition: &FormDefinition) -> Option<String> {
    let sections = definition.sections().into_iter();
    let taking = sections.filter(|section| section.narrative == Narrative::Taken);
    let numbers: Vec<String> = taking.map(|section| section.number.to_string()).collect();
    (!numbers.is_empty()).then(|| numbers.join(", "))
}
