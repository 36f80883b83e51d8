//! Completes values for counting: zeros of flows that did not happen, totals of closed breakdowns, and
//! what must not be missing.

use std::collections::{BTreeMap, HashMap};

use super::fault::SubmissionFault;
use super::reading::impossible;
use super::record::{Content, Fact, Nil};
use crate::domain::catalogue::{Entry, InForce};
use crate::domain::fault::Faults;
use crate::domain::form::Need;
use crate::domain::id::{IndicatorNumber, LevelCode, OptionNumber};
use crate::domain::indicator::{Breakdown, BreakdownKind, BreakdownOption};
use crate::domain::named::Named;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::path;

/// Completes values for counting: flows that did not happen get a 0, closed breakdowns their total,
/// and everything that a submission (other than a draft) of these levels must have is looked
/// for.
///
/// # Errors
/// Every single thing that is missing, does not add up, or is not asked for any more (a draft
/// may be older than the form's version).
pub fn complete(
    content: Content,
    in_force: &InForce<'_>,
    levels: &[&LevelCode],
) -> Result<Content, Faults<SubmissionFault>> {
    let Content {
        facts,
        narrative,
        nil,
    } = content;
    let nil = read_nil(nil, in_force, levels)?;
    let collected = collected(in_force, levels);
    let by_number: HashMap<IndicatorNumber, &Entry<'_>> = collected
        .iter()
        .map(|entry| (entry.indicator.number, *entry))
        .collect();
    let mut faults = Faults::default();
    let mut refuse = |fault| faults.push(path!["values"], fault);
    let outdated = facts.iter();
    outdated
        .filter_map(|fact| not_asked_for(fact, by_number.get(&fact.indicator).copied()))
        .for_each(&mut refuse);
    let mut values: Values = facts
        .iter()
        .map(|fact| ((fact.indicator, fact.option), *fact))
        .collect();
    for entry in &collected {
        if nil == Nil::Declared {
            enter_zeros(entry, &mut values);
        }
        match completed_total(entry, &values) {
            Ok(Some(total)) => {
                values.insert((total.indicator, total.option), total);
            }
            Ok(None) if entry.item.need == Need::Required => {
                let indicator = entry.named();
                refuse(match nil {
                    Nil::Declared => SubmissionFault::StockMissing { indicator },
                    Nil::NotDeclared => SubmissionFault::RequiredMissing { indicator },
                });
            }
            Ok(None) => {}
            Err(found) => found.into_iter().for_each(&mut refuse),
        }
        impossible_values(entry, &values).for_each(&mut refuse);
    }
    faults.or(Content {
        facts: values.into_values().collect(),
        narrative,
        nil,
    })
}

/// Reads whether a unit says that nothing more happened.
///
/// # Errors
/// [`SubmissionFault::NilWithoutFlows`], at `nil`.
pub fn read_nil(
    nil: Nil,
    in_force: &InForce<'_>,
    levels: &[&LevelCode],
) -> Result<Nil, Faults<SubmissionFault>> {
    let mut faults = Faults::default();
    let has_flow = || {
        let collected = collected(in_force, levels);
        collected.iter().any(|entry| entry.definition.is_flow())
    };
    if nil == Nil::Declared && !has_flow() {
        let form = in_force.period.named_form();
        faults.push(path!["nil"], SubmissionFault::NilWithoutFlows { form });
    }
    faults.or(nil)
}

/// The entries that units of some levels submit.
fn collected<'f, 'c>(in_force: &'f InForce<'c>, levels: &[&LevelCode]) -> Vec<&'f Entry<'c>> {
    let entries = in_force.entries().iter();
    entries
        .filter(|entry| entry.is_collected_at_any(levels))
        .collect()
}

/// Enters a 0 for what a flow has left blank: each option of its closed breakdowns, whose total is
/// computed, or else the total, if nothing of the indicator was entered. Options of open breakdowns
/// stay blank.
fn enter_zeros(entry: &Entry<'_>, values: &mut Values) {
    if !entry.definition.is_flow() {
        return;
    }
    let indicator = entry.indicator.number;
    let closed = entry.definition.breakdowns().iter();
    let closed = closed.filter(|one| one.kind == BreakdownKind::Closed);
    let options = closed.flat_map(|breakdown| &breakdown.options);
    let options = options.filter_map(|option| entry.indicator.option_number(&option.code));
    let mut blank: Vec<OptionNumber> = options.collect();
    if blank.is_empty() && own_values(entry, values).next().is_none() {
        blank.push(OptionNumber::TOTAL);
    }
    for option in blank {
        values.entry((indicator, option)).or_insert(Fact {
            indicator,
            option,
            mantissa: 0,
            qualifier: Qualifier::Exact,
        });
    }
}

/// The fault of a fact that its entry, if there is one, does not ask for.
fn not_asked_for(fact: &Fact, entry: Option<&Entry<'_>>) -> Option<SubmissionFault> {
    let Some(entry) = entry else {
        return Some(SubmissionFault::AskedNoMore);
    };
    (!entry.has(fact.option)).then(|| SubmissionFault::OptionNoMore {
        indicator: entry.named(),
    })
}

type Values = BTreeMap<(IndicatorNumber, OptionNumber), Fact>;

/// An entry's total and options, as far as they have values.
fn own_values<'v>(
    entry: &Entry<'_>,
    values: &'v Values,
) -> impl Iterator<Item = (&'v (IndicatorNumber, OptionNumber), &'v Fact)> + use<'v> {
    let number = entry.indicator.number;
    let own = values.range((number, OptionNumber::TOTAL)..);
    own.take_while(move |((indicator, _), _)| *indicator == number)
}

/// The faults of an entry's values that are beyond what can be. They are looked for again here: a
/// total is computed only now, and a draft may be older than the bounds.
fn impossible_values<'v>(
    entry: &'v Entry<'_>,
    values: &'v Values,
) -> impl Iterator<Item = SubmissionFault> + 'v {
    own_values(entry, values).filter_map(|((_, option), fact)| {
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
    if own_values(entry, values).next().is_none() {
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
