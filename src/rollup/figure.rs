//! Figures: what a total is worth under its indicator's aggregation, exactly, and what a formula
//! makes of the totals. Rounding happens here, once, and only for what is shown. Never the
//! adding up: that is `tally`'s.

use num_rational::BigRational;
use num_traits::One;

use super::node::Rollup;
use super::tally::{Amount, CellKey, Qualified, Total};
use crate::domain::catalogue::{Entry, InForce};
use crate::domain::formula::{Comparison, Formula, Operand, Source, rounded};
use crate::domain::id::{IndicatorCode, OptionCode, OptionNumber};
use crate::domain::indicator::{AcrossUnits, Measure};
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::Stage;

/// An average shows this many digits more than its indicator has.
const MORE_DECIMALS_OF_AVERAGES: u8 = 2;
/// A quotient's parts are shown to the last digit, and no further than this where they have none.
const DECIMALS_OF_PARTS: u8 = 12;

/// An exact figure and how it is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    value: Option<BigRational>,
    decimals: u8,
    pub qualifier: Qualifier,
    pub qualified: Qualified,
    pub reported: u64,
    numerator: Option<BigRational>,
    denominator: Option<BigRational>,
}

impl Figure {
    /// What is printed: rounded half up at the figure's decimals.
    pub fn value(&self) -> Option<Decimal> {
        self.value.as_ref().map(|value| shown(value, self.decimals))
    }

    pub fn numerator(&self) -> Option<Decimal> {
        self.numerator
            .as_ref()
            .map(|part| shown(part, DECIMALS_OF_PARTS))
    }

    pub fn denominator(&self) -> Option<Decimal> {
        self.denominator
            .as_ref()
            .map(|part| shown(part, DECIMALS_OF_PARTS))
    }

    /// The figure of a total.
    pub fn of_total(total: &Total, across: AcrossUnits, decimals: u8) -> Figure {
        let amount = match total.amount {
            Amount::Nothing => None,
            Amount::Sum(sum) => Some(scaled(sum, decimals)),
            Amount::Min(extreme) | Amount::Max(extreme) => {
                Some(scaled(i128::from(extreme), decimals))
            }
        };
        let figure = Figure {
            value: None,
            decimals,
            qualifier: total.qualified.qualifier(),
            qualified: total.qualified,
            reported: total.reported,
            numerator: None,
            denominator: None,
        };
        match across {
            // However sure each value is, how many there are is certain.
            AcrossUnits::Count => Figure {
                value: (!total.is_empty()).then(|| whole(total.values)),
                decimals: 0,
                qualifier: Qualifier::Exact,
                ..figure
            },
            AcrossUnits::Average => Figure {
                value: amount.as_ref().map(|sum| sum / whole(total.values)),
                decimals: decimals.saturating_add(MORE_DECIMALS_OF_AVERAGES),
                denominator: amount.is_some().then(|| whole(total.values)),
                numerator: amount,
                ..figure
            },
            AcrossUnits::Sum
            | AcrossUnits::Min
            | AcrossUnits::Max
            | AcrossUnits::None
            | AcrossUnits::Transfer => Figure {
                value: amount,
                ..figure
            },
        }
    }
}

fn shown(value: &BigRational, decimals: u8) -> Decimal {
    Decimal::new(rounded(value, u32::from(decimals)), decimals)
}

fn whole(number: u64) -> BigRational {
    BigRational::from_integer(number.into())
}

fn scaled(mantissa: i128, decimals: u8) -> BigRational {
    let scale = std::iter::repeat_n(10_u32, usize::from(decimals))
        .fold(BigRational::one(), |scale, ten| {
            scale * BigRational::from_integer(ten.into())
        });
    BigRational::from_integer(mantissa.into()) / scale
}

/// The figures of one unit, looked up by what the form asks for.
pub struct Figures<'r, 'c> {
    pub rollup: &'r Rollup,
    pub in_force: &'r InForce<'c>,
    pub stage: Stage,
}

impl Figures<'_, '_> {
    /// The figure of an entry's total or of one of its options.
    pub fn of(&self, entry: &Entry<'_>, option: OptionNumber) -> Figure {
        match &entry.definition.measure {
            Measure::Collected { across_units, .. } => {
                let key = CellKey {
                    indicator: entry.indicator.number,
                    option,
                };
                let cell = self.rollup.total(key, *across_units);
                let decimals = entry.definition.decimals.get();
                Figure::of_total(cell.at(self.stage), *across_units, decimals)
            }
            Measure::Derived { formula } => {
                self.derived(formula, entry.definition.decimals.get(), &mut Vec::new())
            }
        }
    }

    /// The unit's own value of a collected entry.
    pub fn own(&self, entry: &Entry<'_>, option: OptionNumber) -> Option<Figure> {
        self.part(entry, option, Part::Own)
    }

    /// What the direct children handed up of a transfer; nothing for any other indicator.
    pub fn received_from_below(&self, entry: &Entry<'_>, option: OptionNumber) -> Option<Figure> {
        match entry.definition.measure {
            Measure::Collected {
                across_units: AcrossUnits::Transfer,
                ..
            } => self.part(entry, option, Part::Below),
            _ => None,
        }
    }

    fn part(&self, entry: &Entry<'_>, option: OptionNumber, part: Part) -> Option<Figure> {
        let tally = match part {
            Part::Own => &self.rollup.own,
            Part::Below => &self.rollup.below,
        };
        let key = CellKey {
            indicator: entry.indicator.number,
            option,
        };
        let total = *tally.cells.get(key).at(self.stage);
        let decimals = entry.definition.decimals.get();
        let Measure::Collected { across_units, .. } = entry.definition.measure else {
            return None;
        };
        // A unit's own value is one value: it is what it is, however it aggregates.
        let across = match across_units {
            AcrossUnits::Average => AcrossUnits::Sum,
            other => other,
        };
        (!total.is_empty()).then(|| Figure::of_total(&total, across, decimals))
    }

    /// Whether a rule of the form holds for the unit's figures; `None` where one is missing.
    pub fn holds(&self, comparison: &Comparison) -> Option<bool> {
        comparison.holds(&|operand: &Operand| self.operand(operand, &mut Vec::new())?.value)
    }

    /// `within` holds the derived indicators on the way here: a formula that comes back to itself
    /// cannot be saved, and if one were, it would have no value.
    fn derived(&self, formula: &Formula, decimals: u8, within: &mut Vec<IndicatorCode>) -> Figure {
        let operands: Vec<(Operand, Option<Figure>)> = formula
            .operands()
            .into_iter()
            .map(|operand| {
                let figure = self.operand(&operand, within);
                (operand, figure)
            })
            .collect();
        let evaluation = formula.evaluate(&|operand: &Operand| {
            let found = operands.iter().find(|(known, _)| known == operand);
            found.and_then(|(_, figure)| figure.as_ref()?.value.clone())
        });
        let present = || operands.iter().filter_map(|(_, figure)| figure.as_ref());
        let exact = present().all(|figure| figure.qualifier == Qualifier::Exact);
        let reported = operands
            .iter()
            .map(|(_, figure)| figure.as_ref().map_or(0, |figure| figure.reported))
            .min();
        let (numerator, denominator) = match evaluation.quotient {
            Some(quotient) => (quotient.numerator, quotient.denominator),
            None => (None, None),
        };
        Figure {
            value: evaluation.value,
            decimals,
            qualifier: if exact {
                Qualifier::Exact
            } else {
                Qualifier::Estimate
            },
            qualified: present()
                .map(|figure| figure.qualified)
                .fold(Qualified::default(), Qualified::merged),
            reported: reported.unwrap_or(0),
            numerator,
            denominator,
        }
    }

    fn operand(&self, operand: &Operand, within: &mut Vec<IndicatorCode>) -> Option<Figure> {
        let code: IndicatorCode = operand.indicator.parse().ok()?;
        let entry = self.in_force.entry(&code)?;
        let option = match &operand.option {
            None => OptionNumber::TOTAL,
            Some(option) => entry
                .indicator
                .option_number(&option.parse::<OptionCode>().ok()?)?,
        };
        if let Source::ReceivedFromBelow = operand.source {
            return self.received_from_below(entry, option);
        }
        let Measure::Derived { formula } = &entry.definition.measure else {
            return Some(self.of(entry, option));
        };
        if within.contains(&code) {
            return None;
        }
        within.push(code);
        let figure = self.derived(formula, entry.definition.decimals.get(), within);
        within.pop();
        Some(figure)
    }
}

#[derive(Clone, Copy)]
enum Part {
    Own,
    Below,
}
