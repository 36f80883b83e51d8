//! The naive model: what a report must say, worked out the slow way from plain maps of what
//! counts. It shares no code with the product, on purpose.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The levels, the highest first; a unit's parent is of an earlier one.
pub const LEVELS: [&str; 4] = ["province", "town", "commune", "hamlet"];
/// The levels whose units submit.
pub const SUBMITTING: [&str; 3] = ["town", "commune", "hamlet"];

/// An indicator that is collected.
pub struct Collected {
    pub code: &'static str,
    pub across_units: &'static str,
    pub across_time: &'static str,
    pub decimals: u8,
    pub collected_at: &'static [&'static str],
    pub closed: &'static [&'static str],
    pub open: &'static [&'static str],
}

const fn plain(
    code: &'static str,
    across_units: &'static str,
    across_time: &'static str,
    decimals: u8,
) -> Collected {
    Collected {
        code,
        across_units,
        across_time,
        decimals,
        collected_at: &SUBMITTING,
        closed: &[],
        open: &[],
    }
}

pub const COLLECTED: [Collected; 11] = [
    plain("m.sum", "sum", "sum", 0),
    plain("m.huge", "sum", "average", 2),
    plain("m.average", "average", "average", 1),
    Collected {
        collected_at: &["hamlet"],
        ..plain("m.min", "min", "average", 0)
    },
    Collected {
        collected_at: &["commune", "hamlet"],
        ..plain("m.max", "max", "last", 2)
    },
    plain("m.count", "count", "min", 0),
    plain("m.none", "none", "first", 0),
    plain("m.transfer", "transfer", "max", 0),
    Collected {
        closed: &["a", "b"],
        ..plain("m.closed", "sum", "count", 0)
    },
    Collected {
        closed: &["a", "b"],
        ..plain("m.extreme", "max", "sum", 0)
    },
    Collected {
        open: &["x", "y"],
        ..plain("m.open", "sum", "last", 0)
    },
];

/// An indicator with a formula, and the same by hand.
pub struct Derived {
    pub code: &'static str,
    pub formula: &'static str,
    pub decimals: u8,
    operands: &'static [Operand],
    compute: fn(&[Option<Ratio>]) -> Option<Ratio>,
    /// Which operands stand over and under the line, if the formula is a quotient.
    quotient: Option<(usize, usize)>,
}

type Operand = (&'static str, Option<&'static str>);

pub const DERIVED: [Derived; 5] = [
    Derived {
        code: "f.rate",
        formula: "100 * m.sum / m.count",
        decimals: 2,
        operands: &[("m.sum", None), ("m.count", None)],
        compute: |values| Ratio::whole(100).times(values[0]?).over(values[1]?),
        quotient: Some((0, 1)),
    },
    Derived {
        code: "f.kept",
        formula: "m.sum - m.transfer",
        decimals: 0,
        operands: &[("m.sum", None), ("m.transfer", None)],
        compute: |values| Some(values[0]?.minus(values[1]?)),
        quotient: None,
    },
    Derived {
        code: "f.nested",
        formula: "f.kept / m.max",
        decimals: 3,
        operands: &[("f.kept", None), ("m.max", None)],
        compute: |values| values[0]?.over(values[1]?),
        quotient: Some((0, 1)),
    },
    Derived {
        code: "f.share",
        formula: "m.closed[a] / m.closed",
        decimals: 4,
        operands: &[("m.closed", Some("a")), ("m.closed", None)],
        compute: |values| values[0]?.over(values[1]?),
        quotient: Some((0, 1)),
    },
    Derived {
        code: "f.either",
        formula: "coalesce(m.average, 7) * 2",
        decimals: 1,
        operands: &[("m.average", None)],
        compute: |values| Some(values[0].unwrap_or(Ratio::whole(7)).times(Ratio::whole(2))),
        quotient: None,
    },
];

/// A quantity as it was sent: the mantissa at its indicator's decimals, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    pub mantissa: i64,
    pub qualifier: &'static str,
}

/// What one unit reports, by indicator and option.
pub type Values = BTreeMap<(&'static str, Option<&'static str>), Quantity>;

/// One unit of the model.
#[derive(Debug, Clone)]
pub struct Unit {
    pub code: String,
    pub id: String,
    pub level: &'static str,
    pub parent: Option<usize>,
    /// None where nothing was ever entered.
    pub status: Option<&'static str>,
    pub latest: Values,
    pub counting: Option<Values>,
}

/// What can be done to a submission.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    PutSubmitted(Values),
    PutDraft(Values),
    Submit,
    Withdraw,
    Approve,
    Return,
    Reopen,
}

impl Unit {
    /// Does the step and says whether it is allowed; what is not allowed changes nothing.
    pub fn take(&mut self, step: &Step, outline: &[&str]) -> bool {
        let status = self.status.unwrap_or("nothing");
        let counts = self.counting.is_some();
        let allowed = match step {
            Step::PutSubmitted(_) | Step::PutDraft(_) => status != "approved",
            Step::Submit => matches!(status, "draft" | "returned" | "withdrawn" | "reopened"),
            Step::Withdraw | Step::Return => {
                matches!(status, "submitted" | "reopened") || status == "draft" && counts
            }
            Step::Approve => matches!(status, "submitted" | "reopened"),
            Step::Reopen => status == "approved",
        };
        if !allowed {
            return false;
        }
        match step {
            Step::PutSubmitted(values) => {
                self.latest = values.clone();
                self.counting = Some(values.clone());
                self.status = Some("submitted");
            }
            Step::PutDraft(values) => {
                self.latest = values.clone();
                self.status = Some("draft");
            }
            Step::Submit => {
                // What the form has lost since is not sent.
                self.latest.retain(|(code, _), _| outline.contains(code));
                self.counting = Some(self.latest.clone());
                self.status = Some("submitted");
            }
            Step::Withdraw => {
                self.counting = None;
                self.status = Some("withdrawn");
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

    /// The value that counts in a stage, with the totals of closed breakdowns.
    fn value(&self, key: (&'static str, Option<&'static str>), stage: &str) -> Option<Quantity> {
        if stage == "approved" && self.status != Some("approved") {
            return None;
        }
        let counting = self.counting.as_ref()?;
        let indicator = collected(key.0).expect("a collected indicator");
        if key.1.is_some() || indicator.closed.is_empty() {
            return counting.get(&key).copied();
        }
        let options = indicator.closed.iter();
        let options = options.map(|option| counting.get(&(key.0, Some(*option))).copied());
        let options: Vec<Quantity> = options.collect::<Option<_>>()?;
        Some(Quantity {
            mantissa: options.iter().map(|option| option.mantissa).sum(),
            qualifier: together(options.iter().map(|option| option.qualifier)),
        })
    }
}

pub fn collected(code: &str) -> Option<&'static Collected> {
    static ALL: [Collected; 11] = COLLECTED;
    ALL.iter().find(|indicator| indicator.code == code)
}

/// How a whole is to be read whose parts are read so.
fn together<'q>(parts: impl Iterator<Item = &'q str>) -> &'static str {
    let parts: Vec<&str> = parts.filter(|part| *part != "exact").collect();
    let has = |wanted: &str| parts.contains(&wanted);
    match (has("at_least"), has("at_most"), has("estimate")) {
        (false, false, false) => "exact",
        (true, false, false) => "at_least",
        (false, true, false) => "at_most",
        _ => "estimate",
    }
}

/// All units of the model.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub units: Vec<Unit>,
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

    /// The parts of a rollup that the model knows, as the product must show them.
    pub fn report(&self, unit: usize, stage: &str, outline: &[&str]) -> Value {
        let mut report = self.part(unit, stage, outline);
        let children = self.children(unit).into_iter();
        report["children"] = children
            .map(|child| self.part(child, stage, outline))
            .collect();
        report
    }

    fn part(&self, unit: usize, stage: &str, outline: &[&str]) -> Value {
        let collected = COLLECTED.iter();
        let collected = collected.filter(|indicator| outline.contains(&indicator.code));
        let collected = collected.flat_map(|indicator| {
            let options = indicator.closed.iter().chain(indicator.open);
            std::iter::once(None)
                .chain(options.map(|option| Some(*option)))
                .map(|option| self.collected_cell(unit, indicator, option, stage))
                .collect::<Vec<_>>()
        });
        let derived = DERIVED.iter();
        let derived = derived.filter(|derived| outline.contains(&derived.code));
        let derived = derived.map(|derived| self.derived_cell(unit, derived, stage));
        json!({
            "unit": self.units[unit].code,
            "completeness": self.completeness(unit),
            "cells": collected.chain(derived).collect::<Vec<_>>(),
        })
    }

    fn completeness(&self, unit: usize) -> Value {
        let subtree = self.subtree(unit);
        let count = |holds: &dyn Fn(&Unit) -> bool| {
            let units = subtree.iter().map(|unit| &self.units[*unit]);
            units.filter(|unit| holds(unit)).count()
        };
        json!({
            "expected": count(&|unit| SUBMITTING.contains(&unit.level)),
            "submitted": count(&|unit| unit.counting.is_some()),
            "approved": count(&|unit| unit.counting.is_some() && unit.status == Some("approved")),
        })
    }

    fn collected_cell(
        &self,
        unit: usize,
        indicator: &Collected,
        option: Option<&'static str>,
        stage: &str,
    ) -> Value {
        let key = (indicator.code, option);
        let figure = self.collected_figure(unit, indicator, option, stage);
        let own = self.units[unit].value(key, stage).map(|own| {
            let value = Ratio::scaled(own.mantissa.into(), indicator.decimals);
            let (value, qualifier) = (value.shown(indicator.decimals), own.qualifier);
            json!({"value": number(&value), "qualifier": qualifier})
        });
        let received = self.children(unit).into_iter();
        let received: Vec<i128> = received
            .filter_map(|child| self.units[child].value(key, stage))
            .map(|value| value.mantissa.into())
            .collect();
        let received = (indicator.across_units == "transfer" && !received.is_empty())
            .then(|| Ratio::scaled(received.iter().sum(), indicator.decimals));
        cell(
            indicator.code,
            option,
            &figure,
            own,
            received.map(|received| received.shown(indicator.decimals)),
        )
    }

    fn collected_figure(
        &self,
        unit: usize,
        indicator: &Collected,
        option: Option<&'static str>,
        stage: &str,
    ) -> Figure {
        let alone = matches!(indicator.across_units, "none" | "transfer");
        let units = if alone {
            vec![unit]
        } else {
            self.subtree(unit)
        };
        let units = || units.iter().map(|unit| &self.units[*unit]);
        let key = (indicator.code, option);
        let values: Vec<Quantity> = units().filter_map(|unit| unit.value(key, stage)).collect();
        let expected = units().filter(|unit| indicator.collected_at.contains(&unit.level));
        let mantissas = || values.iter().map(|value| i128::from(value.mantissa));
        let exact = |mantissa: i128| Ratio::scaled(mantissa, indicator.decimals);
        let count = counted(values.len());
        let with = |qualifier: &str| {
            let found = values.iter().filter(|value| value.qualifier == qualifier);
            counted(found.count())
        };
        let sum = (count > 0).then(|| exact(mantissas().sum()));
        let (value, decimals, quotient) = match indicator.across_units {
            "sum" | "none" | "transfer" => (sum, indicator.decimals, None),
            "average" => {
                let divisor = (count > 0).then(|| Ratio::whole(count.into()));
                let value = sum.and_then(|sum| sum.over(divisor?));
                (value, indicator.decimals + 2, Some((sum, divisor)))
            }
            "min" => (mantissas().min().map(exact), indicator.decimals, None),
            "max" => (mantissas().max().map(exact), indicator.decimals, None),
            "count" => ((count > 0).then(|| Ratio::whole(count.into())), 0, None),
            other => panic!("{other}"),
        };
        Figure {
            value,
            decimals,
            qualifier: match indicator.across_units {
                "count" => "exact",
                _ => together(values.iter().map(|value| value.qualifier)),
            },
            qualified: [with("at_least"), with("at_most"), with("estimate")],
            reported: count,
            expected: counted(expected.count()),
            quotient,
        }
    }

    fn derived_cell(&self, unit: usize, derived: &Derived, stage: &str) -> Value {
        let figure = self.derived_figure(unit, derived, stage);
        cell(derived.code, None, &figure, None, None)
    }

    fn derived_figure(&self, unit: usize, derived: &Derived, stage: &str) -> Figure {
        let operands: Vec<Figure> = derived
            .operands
            .iter()
            .map(|(code, option)| match collected(code) {
                Some(indicator) => self.collected_figure(unit, indicator, *option, stage),
                None => {
                    let derived = DERIVED.iter().find(|derived| derived.code == *code);
                    self.derived_figure(unit, derived.expect("an indicator"), stage)
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
                .map(|(top, bottom)| (values[top], values[bottom])),
        }
    }
}

fn cell(
    code: &str,
    option: Option<&str>,
    figure: &Figure,
    own: Option<Value>,
    received: Option<String>,
) -> Value {
    let part = |part: Option<Ratio>| part.map(|part| number(&part.shown(12)));
    let (numerator, denominator) = figure.quotient.unwrap_or_default();
    let [at_least, at_most, estimate] = figure.qualified;
    json!({
        "indicator": code,
        "option": option,
        "value": figure.value.map(|value| number(&value.shown(figure.decimals))),
        "qualifier": figure.qualifier,
        "qualified": {"at_least": at_least, "at_most": at_most, "estimate": estimate},
        "reported": figure.reported,
        "expected": figure.expected,
        "own": own,
        "received_from_below": received.map(|received| number(&received)),
        "target": null,
        "numerator": part(numerator),
        "denominator": part(denominator),
    })
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

    fn minus(self, other: Ratio) -> Ratio {
        Ratio::of(
            self.over * other.under - other.over * self.under,
            self.under * other.under,
        )
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
