//! The naive model: what a report must say, worked out the slow way from plain maps of what
//! counts. It shares no code with the product, on purpose.
//!
//! A figure is made in three steps, and each is one function: for each month of the period a
//! unit's value ([`Unit::values`]), these folded across time at that unit ([`across_time`]), then
//! up across the units ([`Model::collected_figure`]).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// The levels, the highest first; a unit's parent is of an earlier one.
pub const LEVELS: [&str; 4] = ["province", "town", "commune", "hamlet"];
/// The levels whose units submit.
pub const SUBMITTING: [&str; 3] = ["town", "commune", "hamlet"];

/// Every pair of these is an indicator of the model.
pub const UNITS: [&str; 7] = ["sum", "average", "min", "max", "count", "none", "transfer"];
pub const TIMES: [&str; 8] = [
    "sum", "average", "min", "max", "first", "last", "count", "none",
];

/// A month: the year's four digits, then the month's two, so that they are in order.
pub type Month = u32;

/// Months of one year, the first and the last included. A month alone is what is submitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Period {
    pub key: &'static str,
    pub first: Month,
    pub last: Month,
}

const fn period(key: &'static str, year: u32, first: u32, last: u32) -> Period {
    Period {
        key,
        first: year * 100 + first,
        last: year * 100 + last,
    }
}

/// The months that are reported on: of three quarters, and one of another year.
pub const MONTHS: [Period; 5] = [
    period("2024-02", 2024, 2, 2),
    period("2024-03", 2024, 3, 3),
    period("2024-05", 2024, 5, 5),
    period("2024-11", 2024, 11, 11),
    period("2025-01", 2025, 1, 1),
];

/// A month that nobody reports on: of what is changed from it on, nothing is in use.
pub const UNUSED: Period = period("2025-04", 2025, 4, 4);

/// What they make, and a quarter of which nobody reports.
pub const LONGER: [Period; 12] = [
    period("2024-Q1", 2024, 1, 3),
    period("2024-Q2", 2024, 4, 6),
    period("2024-Q3", 2024, 7, 9),
    period("2024-Q4", 2024, 10, 12),
    period("2024-H1", 2024, 1, 6),
    period("2024-H2", 2024, 7, 12),
    period("2024-9M", 2024, 1, 9),
    period("2024", 2024, 1, 12),
    period("2025-Q1", 2025, 1, 3),
    period("2025-H1", 2025, 1, 6),
    period("2025-9M", 2025, 1, 9),
    period("2025", 2025, 1, 12),
];

impl Period {
    pub fn contains(&self, month: &Period) -> bool {
        self.first <= month.first && month.last <= self.last
    }

    fn is_month(&self) -> bool {
        self.first == self.last
    }

    fn months(&self) -> impl ExactSizeIterator<Item = Month> {
        self.first..self.last + 1
    }

    /// The first day by the statutory calendar: the 15th of the month before.
    pub fn first_day(&self) -> String {
        let (year, month) = (self.first / 100, self.first % 100);
        match month {
            1 => format!("{}-12-15", year - 1),
            _ => format!("{year}-{:02}-15", month - 1),
        }
    }
}

/// An indicator that is collected.
#[derive(Debug, Clone)]
pub struct Collected {
    pub across_units: &'static str,
    pub across_time: &'static str,
    pub decimals: u8,
    pub collected_at: &'static [&'static str],
    pub breakdowns: Vec<Breakdown>,
}

#[derive(Debug, Clone)]
pub struct Breakdown {
    pub code: &'static str,
    pub closed: bool,
    pub options: Vec<&'static str>,
}

fn breakdown(code: &'static str, closed: bool, options: &[&'static str]) -> Breakdown {
    let options = options.to_vec();
    Breakdown {
        code,
        closed,
        options,
    }
}

impl Collected {
    /// Whether a unit that submits for these levels submits it.
    pub fn is_collected_at(&self, levels: &BTreeSet<&str>) -> bool {
        self.collected_at.iter().any(|level| levels.contains(level))
    }

    pub fn plain(across_units: &'static str, across_time: &'static str) -> Collected {
        Collected {
            across_units,
            across_time,
            decimals: 0,
            collected_at: &SUBMITTING,
            breakdowns: Vec::new(),
        }
    }

    fn broken_down(
        across_units: &'static str,
        across_time: &'static str,
        breakdowns: Vec<Breakdown>,
    ) -> Collected {
        Collected {
            breakdowns,
            ..Collected::plain(across_units, across_time)
        }
    }

    pub fn is_closed(&self) -> bool {
        self.breakdowns.iter().any(|breakdown| breakdown.closed)
    }

    /// All options of closed breakdowns, or the total where nothing was said.
    fn fill_with_zeros(&self, code: &'static str, values: &mut Values) {
        let zero = Quantity {
            mantissa: 0,
            qualifier: "exact",
        };
        let closed = self.breakdowns.iter().filter(|one| one.closed);
        let options: Vec<&'static str> = closed.flat_map(|one| one.options.clone()).collect();
        for option in &options {
            values.entry((code, Some(option))).or_insert(zero);
        }
        let is_said = values.keys().any(|key| key.0 == code);
        if options.is_empty() && !is_said {
            values.insert((code, None), zero);
        }
    }

    fn options(&self) -> impl Iterator<Item = &'static str> {
        let breakdowns = self.breakdowns.iter();
        breakdowns.flat_map(|breakdown| breakdown.options.iter().copied())
    }
}

/// An indicator with a formula, and the same by hand.
#[derive(Debug, Clone, Copy)]
pub struct Derived {
    pub code: &'static str,
    pub formula: &'static str,
    pub decimals: u8,
    pub operands: &'static [Key],
    compute: fn(&[Option<Ratio>]) -> Option<Ratio>,
    /// Which operands stand over and under the line, if the formula is a quotient.
    quotient: Option<(usize, usize)>,
}

/// An indicator's total or one of its options.
pub type Key = (&'static str, Option<&'static str>);

pub const DERIVED: [Derived; 6] = [
    Derived {
        code: "f.rate",
        formula: "100 * sum.sum / count.last",
        decimals: 2,
        operands: &[("sum.sum", None), ("count.last", None)],
        compute: |values| Ratio::whole(100).times(values[0]?).over(values[1]?),
        quotient: Some((0, 1)),
    },
    Derived {
        code: "f.kept",
        formula: "sum.average - transfer.sum",
        decimals: 0,
        operands: &[("sum.average", None), ("transfer.sum", None)],
        compute: |values| Some(values[0]?.minus(values[1]?)),
        quotient: None,
    },
    Derived {
        code: "f.nested",
        formula: "f.kept / max.last",
        decimals: 3,
        operands: &[("f.kept", None), ("max.last", None)],
        compute: |values| values[0]?.over(values[1]?),
        quotient: Some((0, 1)),
    },
    Derived {
        code: "f.share",
        formula: "b.closed[a] / b.closed",
        decimals: 4,
        operands: &[("b.closed", Some("a")), ("b.closed", None)],
        compute: |values| values[0]?.over(values[1]?),
        quotient: Some((0, 1)),
    },
    Derived {
        code: "f.either",
        formula: "coalesce(average.average, 7) * 2",
        decimals: 1,
        operands: &[("average.average", None)],
        compute: |values| Some(values[0].unwrap_or(Ratio::whole(7)).times(Ratio::whole(2))),
        quotient: None,
    },
    Derived {
        code: "f.least",
        formula: "min(min.min, none.last)",
        decimals: 3,
        operands: &[("min.min", None), ("none.last", None)],
        compute: |values| {
            let (one, other) = (values[0]?, values[1]?);
            Some(if one.less_than(other) { one } else { other })
        },
        quotient: None,
    },
];

/// What `f.rate` is made into by a later version: no quotient any more.
pub const OTHER_RATE: Derived = Derived {
    formula: "sum.sum - sum.last",
    operands: &[("sum.sum", None), ("sum.last", None)],
    compute: |values| Some(values[0]?.minus(values[1]?)),
    quotient: None,
    ..DERIVED[0]
};

/// The form and its indicators, as they are from a month on.
#[derive(Debug, Clone)]
pub struct Edition {
    pub from: Month,
    /// By code, as the outline has them; the derived ones follow.
    pub collected: BTreeMap<&'static str, Collected>,
    pub derived: Vec<Derived>,
}

impl Edition {
    /// Every pair, and some with breakdowns.
    pub fn first() -> Edition {
        let pairs = UNITS
            .iter()
            .flat_map(|units| TIMES.iter().map(move |time| (*units, *time)));
        let pairs = pairs.enumerate().map(|(index, (units, time))| {
            let code: &str = format!("{units}.{time}").leak();
            // Not all alike, and none of it goes with a pair.
            let levels: [&[&str]; 3] = [&SUBMITTING, &["commune", "hamlet"], &["hamlet"]];
            let indicator = Collected {
                decimals: u8::try_from(index % 4).unwrap(),
                collected_at: levels[index % levels.len()],
                ..Collected::plain(units, time)
            };
            (code, indicator)
        });
        let ab = breakdown("ab", true, &["a", "b"]);
        let cd = breakdown("cd", true, &["c", "d"]);
        let xy = breakdown("xy", false, &["x", "y"]);
        let broken_down = [
            (
                "b.closed",
                Collected::broken_down("sum", "last", vec![ab.clone()]),
            ),
            (
                "b.extreme",
                Collected::broken_down("max", "sum", vec![ab.clone()]),
            ),
            (
                "b.both",
                Collected::broken_down("sum", "average", vec![ab, cd, xy.clone()]),
            ),
            ("b.open", Collected::broken_down("average", "max", vec![xy])),
        ];
        Edition {
            from: 0,
            collected: pairs.chain(broken_down).collect(),
            derived: DERIVED.to_vec(),
        }
    }

    pub fn codes(&self) -> impl Iterator<Item = &'static str> {
        let derived = self.derived.iter().map(|derived| derived.code);
        self.collected.keys().copied().chain(derived)
    }

    /// What counts once a unit has sent something for some levels: with the zeros of what did not happen, and
    /// the totals of closed breakdowns.
    fn completed(&self, sent: &Sent, levels: &BTreeSet<&str>) -> Sent {
        let mut values = sent.values.clone();
        if sent.nil {
            for (code, indicator) in &self.collected {
                let adds_up = indicator.across_time == "sum" && indicator.across_units != "count";
                if adds_up && indicator.is_collected_at(levels) {
                    indicator.fill_with_zeros(code, &mut values);
                }
            }
        }
        Sent {
            values: self.with_totals(&values),
            nil: sent.nil,
        }
    }

    /// Puts the totals of closed breakdowns beside their options.
    fn with_totals(&self, values: &Values) -> Values {
        let mut all = values.clone();
        for (code, indicator) in &self.collected {
            let closed = indicator.breakdowns.iter().filter(|one| one.closed);
            let closed: Vec<&Breakdown> = closed.collect();
            let Some(first) = closed.first() else {
                continue;
            };
            let parts = |breakdown: &Breakdown| -> Vec<Quantity> {
                let options = breakdown.options.iter();
                let parts = options.filter_map(|option| values.get(&(code, Some(option))));
                parts.copied().collect()
            };
            let all_parts = closed.iter().flat_map(|breakdown| parts(breakdown));
            let all_parts: Vec<Quantity> = all_parts.collect();
            if !all_parts.is_empty() {
                let total = Quantity {
                    mantissa: parts(first).iter().map(|part| part.mantissa).sum(),
                    qualifier: together(all_parts.iter().map(|part| part.qualifier)),
                };
                all.insert((code, None), total);
            }
        }
        all
    }
}

/// A quantity as it was sent: the mantissa at its indicator's decimals, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    pub mantissa: i64,
    pub qualifier: &'static str,
}

/// What one unit reports.
pub type Values = BTreeMap<Key, Quantity>;

/// What one unit sends: values, and whether it says that nothing more happened.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sent {
    pub values: Values,
    pub nil: bool,
}

/// What one unit does about one month.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// None where nothing was ever entered.
    pub status: Option<&'static str>,
    /// The status before the drafts, where one lies over what counts.
    beneath: &'static str,
    latest: Sent,
    counting: Option<Sent>,
}

/// What can be done to a submission.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    PutSubmitted(Sent),
    PutDraft(Sent),
    Submit,
    Withdraw,
    Discard,
    Approve,
    Return,
    Reopen,
}

impl Report {
    /// Does the step of a unit that submits for some levels, and says whether it is allowed; what is not
    /// allowed changes nothing.
    pub fn take(&mut self, step: &Step, edition: &Edition, levels: &BTreeSet<&str>) -> bool {
        let status = self.status.unwrap_or("nothing");
        let counts = self.counting.is_some();
        let allowed = match step {
            Step::PutSubmitted(_) | Step::PutDraft(_) => status != "approved",
            Step::Submit => matches!(status, "draft" | "returned" | "withdrawn" | "reopened"),
            Step::Withdraw | Step::Return => {
                matches!(status, "submitted" | "reopened") || status == "draft" && counts
            }
            Step::Discard => status == "draft" && counts,
            Step::Approve => matches!(status, "submitted" | "reopened"),
            Step::Reopen => status == "approved",
        };
        if !allowed {
            return false;
        }
        match step {
            Step::PutSubmitted(sent) => {
                self.latest = edition.completed(sent, levels);
                self.counting = Some(self.latest.clone());
                self.status = Some("submitted");
            }
            Step::PutDraft(sent) => {
                if status != "draft" {
                    self.beneath = status;
                }
                self.latest = sent.clone();
                self.status = Some("draft");
            }
            Step::Submit => {
                self.latest = edition.completed(&self.latest, levels);
                self.counting = Some(self.latest.clone());
                self.status = Some("submitted");
            }
            Step::Withdraw => {
                self.counting = None;
                self.status = Some("withdrawn");
            }
            Step::Discard => {
                self.latest = self.counting.clone().unwrap_or_default();
                self.status = Some(self.beneath);
            }
            Step::Return => {
                self.counting = None;
                self.status = Some("returned");
            }
            Step::Approve => self.status = Some("approved"),
            Step::Reopen => self.status = Some("reopened"),
        }
        true
    }

    /// What was entered last, as it would be entered again: totals of closed breakdowns never are.
    pub fn entered(&self, edition: &Edition) -> Sent {
        let mut entered = self.latest.clone();
        let is_total =
            |(code, option): &Key| option.is_none() && edition.collected[code].is_closed();
        entered.values.retain(|key, _| !is_total(key));
        entered
    }

    fn counts(&self, stage: &str) -> bool {
        self.counting.is_some() && (stage != "approved" || self.status == Some("approved"))
    }
}

/// One unit of the model.
#[derive(Debug, Clone)]
pub struct Unit {
    pub code: String,
    pub id: String,
    pub level: &'static str,
    pub parent: Option<usize>,
    /// By the place of the month in [`MONTHS`].
    pub reports: [Report; MONTHS.len()],
}

impl Unit {
    /// What is reported of a period's months, in their order.
    fn reports(&self, period: &Period) -> impl Iterator<Item = &Report> {
        let reports = MONTHS.iter().zip(&self.reports);
        let within = reports.filter(|(month, _)| period.contains(month));
        within.map(|(_, report)| report)
    }

    /// For each month of a period the value that counts in a stage, if there is one.
    fn values(&self, key: Key, period: &Period, stage: &str) -> Vec<Quantity> {
        let counting = self.reports(period).filter(|report| report.counts(stage));
        let values = counting.filter_map(|report| report.counting.as_ref()?.values.get(&key));
        values.copied().collect()
    }
}

/// How a whole is to be read whose parts are read so.
fn together<'q>(parts: impl IntoIterator<Item = &'q str>) -> &'static str {
    let parts: Vec<&str> = parts.into_iter().filter(|part| *part != "exact").collect();
    let has = |wanted: &str| parts.contains(&wanted);
    match (has("at_least"), has("at_most"), has("estimate")) {
        (false, false, false) => "exact",
        (true, false, false) => "at_least",
        (false, true, false) => "at_most",
        _ => "estimate",
    }
}

/// One unit's value of a period, and what it is made of.
#[derive(Debug, Clone)]
struct Folded {
    value: Ratio,
    /// The values of its months.
    sum: Ratio,
    months: u64,
    /// How sure those are that decide about it.
    qualifiers: Vec<&'static str>,
}

/// Folds the values of a unit's months. A month's own value is what it is; a longer period has
/// none where there are none, and where it is to have none.
fn across_time(indicator: &Collected, period: &Period, values: &[Quantity]) -> Option<Folded> {
    let of = |quantity: &Quantity| Ratio::scaled(quantity.mantissa.into(), indicator.decimals);
    let (first, last) = (values.first()?, values.last()?);
    let sum = total(values.iter().map(of));
    let months = counted(values.len());
    let least = values.iter().min_by_key(|value| value.mantissa)?;
    let greatest = values.iter().max_by_key(|value| value.mantissa)?;
    let all = values.iter().map(|value| value.qualifier).collect();
    let (value, qualifiers) = match indicator.across_time {
        _ if period.is_month() => (of(last), all),
        "sum" => (sum, all),
        "average" => (sum.over(Ratio::whole(months.into()))?, all),
        "min" => (of(least), all),
        "max" => (of(greatest), all),
        "first" => (of(first), vec![first.qualifier]),
        "last" => (of(last), vec![last.qualifier]),
        "count" => (Ratio::whole(months.into()), Vec::new()),
        "none" => return None,
        other => panic!("{other}"),
    };
    Some(Folded {
        value,
        sum,
        months,
        qualifiers,
    })
}

/// How many decimals a unit's value of a period is shown with.
fn decimals_of(indicator: &Collected, period: &Period) -> u8 {
    match indicator.across_time {
        _ if period.is_month() => indicator.decimals,
        "count" => 0,
        "average" => indicator.decimals + 2,
        _ => indicator.decimals,
    }
}

fn total(values: impl Iterator<Item = Ratio>) -> Ratio {
    values.fold(Ratio::whole(0), Ratio::plus)
}

/// All units of the model, and what they are asked for.
#[derive(Debug, Clone)]
pub struct Model {
    pub units: Vec<Unit>,
    /// In order.
    pub editions: Vec<Edition>,
    /// The units that report for all below them, each during a period.
    pub covering: BTreeMap<usize, Period>,
}

/// A figure before it is shown.
#[derive(Debug, Clone)]
struct Figure {
    value: Option<Ratio>,
    decimals: u8,
    qualifier: &'static str,
    qualified: [u64; 3],
    reported: u64,
    expected: u64,
    quotient: Option<(Option<Ratio>, Option<Ratio>)>,
}

/// What a report is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub period: &'a Period,
    pub stage: &'a str,
}

impl Model {
    pub fn roots(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter().filter(|unit| unit.parent.is_none())
    }

    /// The direct children by code, as the product lists them.
    fn children(&self, unit: usize) -> Vec<usize> {
        let all = 0..self.units.len();
        let mut children: Vec<usize> = all
            .filter(|child| self.units[*child].parent == Some(unit))
            .collect();
        children.sort_by(|a, b| self.units[*a].code.cmp(&self.units[*b].code));
        children
    }

    fn subtree(&self, unit: usize) -> Vec<usize> {
        let below = self.children(unit).into_iter();
        let below = below.flat_map(|child| self.subtree(child));
        std::iter::once(unit).chain(below).collect()
    }

    fn above(&self, unit: usize) -> Vec<usize> {
        let above = self.units[unit].parent;
        std::iter::successors(above, |above| self.units[*above].parent).collect()
    }

    fn is_covering(&self, unit: usize, month: Month) -> bool {
        let period = self.covering.get(&unit);
        period.is_some_and(|period| (period.first..=period.last).contains(&month))
    }

    /// The levels for which a unit submits in a month: its own, and those of the units below it if it
    /// reports for them.
    pub fn levels_of(&self, unit: usize, month: Month) -> BTreeSet<&'static str> {
        let mut above = self.above(unit).into_iter();
        let units = match self.is_covering(unit, month) {
            _ if above.any(|above| self.is_covering(above, month)) => Vec::new(),
            true => self.subtree(unit),
            false => vec![unit],
        };
        let levels = units.into_iter().map(|unit| self.units[unit].level);
        levels.filter(|level| SUBMITTING.contains(level)).collect()
    }

    /// Whether a unit can begin to report for all below it: none above or below does so in any of the
    /// months, and nobody has entered anything.
    pub fn can_cover(&self, unit: usize, period: &Period) -> bool {
        let subtree = self.subtree(unit);
        let others = self.above(unit).into_iter().chain(subtree.iter().copied());
        let overlaps = |other: usize| {
            let known = self.covering.get(&other);
            known.is_some_and(|known| known.first <= period.last && period.first <= known.last)
        };
        let is_alone = !others.into_iter().any(overlaps);
        is_alone && subtree.iter().all(|unit| self.is_untouched(*unit, period))
    }

    /// Whether nobody has entered anything for a unit in the months of a period.
    pub fn is_untouched(&self, unit: usize, period: &Period) -> bool {
        let mut reports = MONTHS.iter().zip(&self.units[unit].reports);
        reports.all(|(month, report)| !period.contains(month) || report.status.is_none())
    }

    /// What holds for a period: what holds for its last month.
    pub fn edition(&self, period: &Period) -> &Edition {
        self.edition_of(period.last)
    }

    fn edition_of(&self, month: Month) -> &Edition {
        let mut past = self.editions.iter().rev();
        past.find(|edition| edition.from <= month).unwrap()
    }

    /// Whether somebody has entered anything for a month or a later one.
    pub fn is_used_from(&self, from: Month) -> bool {
        let mut reports = self
            .units
            .iter()
            .flat_map(|unit| MONTHS.iter().zip(&unit.reports));
        reports.any(|(month, report)| month.first >= from && report.status.is_some())
    }

    /// The parts of a rollup that the model knows, as the product must show them.
    pub fn report(&self, unit: usize, asked: Asked<'_>) -> Value {
        let mut report = self.part(unit, asked);
        let children = self.children(unit).into_iter();
        let parts = children.map(|child| {
            let mut part = self.part(child, asked);
            part["not_divided"] = json!(false);
            part
        });
        report["children"] = parts.collect();
        report
    }

    fn part(&self, unit: usize, asked: Asked<'_>) -> Value {
        let edition = self.edition(asked.period);
        let collected = edition.collected.iter();
        let collected = collected.flat_map(|(code, indicator)| {
            std::iter::once(None)
                .chain(indicator.options().map(Some))
                .map(|option| self.collected_cell(unit, (code, option), asked))
                .collect::<Vec<_>>()
        });
        let derived = edition.derived.iter().map(|derived| {
            let figure = self.derived_figure(unit, derived, asked);
            cell((derived.code, None), &figure, None, None)
        });
        json!({
            "unit": self.units[unit].code,
            "completeness": self.completeness(unit, asked.period),
            "cells": collected.chain(derived).collect::<Vec<_>>(),
        })
    }

    fn completeness(&self, unit: usize, period: &Period) -> Value {
        let subtree = self.subtree(unit);
        let units = || subtree.iter().map(|unit| &self.units[*unit]);
        let expected = period.months().map(|month| {
            let levels = subtree.iter().map(|unit| self.levels_of(*unit, month));
            levels.filter(|levels| !levels.is_empty()).count()
        });
        let reports = |stage: &str| {
            let reports = units().flat_map(|unit| unit.reports(period));
            reports.filter(|report| report.counts(stage)).count()
        };
        json!({
            "expected": expected.sum::<usize>(),
            "submitted": reports("submitted"),
            "approved": reports("approved"),
        })
    }

    /// What a unit itself has of a period.
    fn own(&self, unit: usize, key: Key, asked: Asked<'_>) -> Option<Folded> {
        let Asked { period, stage } = asked;
        let indicator = &self.edition(period).collected[key.0];
        let values = self.units[unit].values(key, period, stage);
        across_time(indicator, period, &values)
    }

    fn collected_cell(&self, unit: usize, key: Key, asked: Asked<'_>) -> Value {
        let indicator = &self.edition(asked.period).collected[key.0];
        let figure = self.collected_figure(unit, key, asked);
        let decimals = decimals_of(indicator, asked.period);
        let own = self.own(unit, key, asked).map(|own| {
            let (value, qualifier) = (own.value.shown(decimals), together(own.qualifiers));
            json!({"value": number(&value), "qualifier": qualifier})
        });
        let children = self.children(unit).into_iter();
        let received = children.filter_map(|child| self.own(child, key, asked));
        let received: Vec<Ratio> = received.map(|own| own.value).collect();
        let received = (indicator.across_units == "transfer" && !received.is_empty())
            .then(|| total(received.into_iter()).shown(decimals));
        cell(key, &figure, own, received)
    }

    /// Takes what each unit has up across units.
    fn collected_figure(&self, unit: usize, key: Key, asked: Asked<'_>) -> Figure {
        let period = asked.period;
        let indicator = &self.edition(period).collected[key.0];
        let across = (
            indicator.across_units,
            (!period.is_month()).then_some(indicator.across_time),
        );
        let units = match indicator.across_units {
            "none" | "transfer" => vec![unit],
            _ => self.subtree(unit),
        };
        let all = units.iter().filter_map(|unit| self.own(*unit, key, asked));
        let all: Vec<Folded> = all.collect();
        let values = || all.iter().map(|one| one.value);
        let (sum, count) = match across {
            // The mean of all values that there are.
            ("average", Some("average")) => (
                total(all.iter().map(|one| one.sum)),
                all.iter().map(|one| one.months).sum(),
            ),
            _ => (total(values()), counted(all.len())),
        };
        let some = |value: Ratio| (!all.is_empty()).then_some(value);
        let (sum, count) = (some(sum), some(Ratio::whole(count.into())));
        let mean = || sum.and_then(|sum| sum.over(count?));
        let value = match across.0 {
            "sum" | "none" | "transfer" => sum,
            "average" => mean(),
            "min" => values().reduce(|a, b| if b.less_than(a) { b } else { a }),
            "max" => values().reduce(|a, b| if a.less_than(b) { b } else { a }),
            "count" => count,
            other => panic!("{other}"),
        };
        let decimals = match across {
            ("count", _) => 0,
            ("average", Some("average")) => indicator.decimals + 2,
            ("average", _) => decimals_of(indicator, period) + 2,
            _ => decimals_of(indicator, period),
        };
        let quotient = match across {
            ("average", _) => Some((sum, count)),
            ("count", _) => None,
            ("min" | "max", Some("average")) => {
                value.map(|value| value.in_lowest_terms(indicator.decimals))
            }
            (_, Some("average")) => sum.map(|_| over_one_divisor(&all)),
            _ => None,
        };
        let qualifiers = || all.iter().flat_map(|one| &one.qualifiers).copied();
        let with = |wanted: &str| counted(qualifiers().filter(|found| *found == wanted).count());
        Figure {
            value,
            decimals,
            qualifier: match across.0 {
                "count" => "exact",
                _ => together(qualifiers()),
            },
            qualified: [with("at_least"), with("at_most"), with("estimate")],
            reported: all.iter().map(|one| one.months).sum(),
            expected: self.expected(&units, key.0, period),
            quotient,
        }
    }

    /// How many pairs of a unit and a month are to have a value of an indicator.
    fn expected(&self, units: &[usize], code: &str, period: &Period) -> u64 {
        let expected = period.months().filter_map(|month| {
            let indicator = self.edition_of(month).collected.get(code)?;
            let levels = units.iter().map(|unit| self.levels_of(*unit, month));
            let asked = levels.filter(|levels| indicator.is_collected_at(levels));
            Some(counted(asked.count()))
        });
        expected.sum()
    }

    fn derived_figure(&self, unit: usize, derived: &Derived, asked: Asked<'_>) -> Figure {
        let edition = self.edition(asked.period);
        let operands: Vec<Figure> = derived
            .operands
            .iter()
            .map(|key| {
                let mut all = edition.derived.iter();
                match all.find(|derived| derived.code == key.0) {
                    Some(derived) => self.derived_figure(unit, derived, asked),
                    None => self.collected_figure(unit, *key, asked),
                }
            })
            .collect();
        let values: Vec<Option<Ratio>> = operands.iter().map(|figure| figure.value).collect();
        let exact = operands.iter().all(|figure| figure.qualifier == "exact");
        let shares = operands
            .iter()
            .map(|figure| (figure.reported, figure.expected));
        let least_complete = shares
            .filter(|share| *share != (0, 0))
            .min_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)).then(b.1.cmp(&a.1)))
            .unwrap_or((0, 0));
        let mut qualified = [0; 3];
        for figure in &operands {
            for (sum, part) in qualified.iter_mut().zip(figure.qualified) {
                *sum += part;
            }
        }
        Figure {
            value: (derived.compute)(&values),
            decimals: derived.decimals,
            qualifier: if exact { "exact" } else { "estimate" },
            qualified,
            reported: least_complete.0,
            expected: least_complete.1,
            quotient: derived
                .quotient
                .map(|(top, bottom)| in_full(values[top], values[bottom])),
        }
    }
}

fn cell(key: Key, figure: &Figure, own: Option<Value>, received: Option<String>) -> Value {
    let part = |part: Option<Ratio>| part.map(|part| number(&part.shown(12)));
    let (numerator, denominator) = figure.quotient.unwrap_or_default();
    let [at_least, at_most, estimate] = figure.qualified;
    json!({
        "indicator": key.0,
        "option": key.1,
        "from_form": null,
        "value": figure.value.map(|value| number(&value.shown(figure.decimals))),
        "qualifier": figure.qualifier,
        "qualified": {"at_least": at_least, "at_most": at_most, "estimate": estimate},
        "apportioned": 0,
        "reported": figure.reported,
        "expected": figure.expected,
        "own": own,
        "received_from_below": received.map(|received| number(&received)),
        "target": null,
        "numerator": part(numerator),
        "denominator": part(denominator),
    })
}

/// What averages of different numbers of months add up to, over the least number that all of
/// those divide. What comes to nothing needs no divisor.
fn over_one_divisor(all: &[Folded]) -> (Option<Ratio>, Option<Ratio>) {
    let mut sums: BTreeMap<u64, Ratio> = BTreeMap::new();
    for one in all {
        let sum = sums.entry(one.months).or_insert(Ratio::whole(0));
        *sum = sum.plus(one.sum);
    }
    sums.retain(|_, sum| *sum != Ratio::whole(0));
    let divides_all = |number: &u64| sums.keys().all(|months| number.is_multiple_of(*months));
    let divisor = (1..).find(divides_all).unwrap();
    let parts = sums.iter();
    let parts = parts.map(|(months, sum)| sum.times(Ratio::whole((divisor / months).into())));
    (Some(total(parts)), Some(Ratio::whole(divisor.into())))
}

/// Both parts of a quotient with all their digits.
fn in_full(over: Option<Ratio>, under: Option<Ratio>) -> (Option<Ratio>, Option<Ratio>) {
    let (Some(one), Some(other)) = (over, under) else {
        return (over, under);
    };
    let ends = |part: Ratio| 10_i128.pow(12) % part.under == 0;
    if ends(one) && ends(other) {
        return (over, under);
    }
    // Over the first denominator in lowest terms stands what it has to be multiplied by.
    let factor = Ratio::whole(one.under * Ratio::of(other.under, one.under).over);
    (Some(one.times(factor)), Some(other.times(factor)))
}

fn counted(count: usize) -> u64 {
    u64::try_from(count).unwrap()
}

/// A JSON number of exactly this text.
pub fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// An exact fraction, never reduced further than it must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    over: i128,
    /// Always positive.
    under: i128,
}

impl Ratio {
    fn whole(number: i128) -> Ratio {
        Ratio {
            over: number,
            under: 1,
        }
    }

    pub fn scaled(mantissa: i128, decimals: u8) -> Ratio {
        Ratio::of(mantissa, 10_i128.pow(decimals.into()))
    }

    fn of(over: i128, under: i128) -> Ratio {
        let (mut a, mut b) = (over.unsigned_abs(), under.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let divisor = i128::try_from(a).unwrap() * under.signum();
        Ratio {
            over: over / divisor,
            under: under / divisor,
        }
    }

    fn times(self, other: Ratio) -> Ratio {
        Ratio::of(self.over * other.over, self.under * other.under)
    }

    fn over(self, other: Ratio) -> Option<Ratio> {
        (other.over != 0).then(|| Ratio::of(self.over * other.under, self.under * other.over))
    }

    fn plus(self, other: Ratio) -> Ratio {
        Ratio::of(
            self.over * other.under + other.over * self.under,
            self.under * other.under,
        )
    }

    fn minus(self, other: Ratio) -> Ratio {
        self.plus(other.times(Ratio::whole(-1)))
    }

    /// What it is over what, with so many decimals above.
    fn in_lowest_terms(self, decimals: u8) -> (Option<Ratio>, Option<Ratio>) {
        let mantissa = self.times(Ratio::whole(10_i128.pow(decimals.into())));
        let under = Ratio::whole(mantissa.under);
        (Some(self.times(under)), Some(under))
    }

    fn less_than(self, other: Ratio) -> bool {
        self.minus(other).over < 0
    }

    /// As a decimal, rounded half away from zero, without zeros at its end.
    pub fn shown(self, decimals: u8) -> String {
        let scale = 10_i128.pow(decimals.into());
        // First the whole part, so that nothing overflows that need not.
        let (whole, rest) = (self.over / self.under, self.over % self.under);
        let fraction = (2 * rest.abs() * scale + self.under) / (2 * self.under);
        let mantissa = whole.abs() * scale + fraction;
        let digits = format!("{mantissa:0>width$}", width = usize::from(decimals) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
        let fraction = fraction.trim_end_matches('0');
        let sign = if self.over < 0 && mantissa != 0 {
            "-"
        } else {
            ""
        };
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{fraction}")
    }
}
