//! Figures: what a total is worth under its indicator's aggregation, exactly, and what a formula
//! makes of the totals. Rounding happens here, once, and only for what is shown. Never the
//! adding up: that is `tally`'s. `docs/figures.md` has worked numbers.

use std::cell::RefCell;
use std::collections::BTreeMap;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};

use super::amount::{Amount, Sum};
use super::cell::CellKey;
use super::node::Rollup;
use super::total::{Qualified, Total};
use crate::domain::catalogue::{Entry, InForce};
use crate::domain::form::Span;
use crate::domain::formula::{Comparison, Formula, Operand, Source, rounded};
use crate::domain::id::{IndicatorNumber, OptionNumber};
use crate::domain::indicator::{Across, AcrossTime, AcrossUnits, Measure};
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::Stage;

/// An average shows this many digits more than its indicator has.
const MORE_DECIMALS_OF_AVERAGES: u8 = 2;
/// How far a target was reached is shown in per cent with this many digits.
const DECIMALS_OF_SHARES: u8 = 2;
/// A quotient's parts are shown to the last digit. Where one would need more digits than these,
/// both are multiplied by what makes them whole.
const DECIMALS_OF_PARTS: u8 = 12;

/// An exact figure and how it is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    value: Option<Exact>,
    decimals: u8,
    pub qualifier: Qualifier,
    pub qualified: Qualified,
    pub reported: u64,
    numerator: Option<BigRational>,
    denominator: Option<BigRational>,
}

impl Figure {
    /// The printed value: rounded at the figure's decimals, halves away from zero.
    pub fn value(&self) -> Option<Decimal> {
        let value = self.value.as_ref();
        value.map(|value| value.shown(self.decimals))
    }

    /// The figure in per cent of a target, whose mantissa is at `decimals`.
    pub fn share_of(&self, mantissa: i64, decimals: u8) -> Option<Decimal> {
        let target = BigRational::from_integer(mantissa.into()) / scale(decimals);
        let value = self.value.as_ref().filter(|_| !target.is_zero())?;
        let share = value.fraction() / target * whole(100);
        Some(shown(&share, DECIMALS_OF_SHARES))
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

    fn without_value(decimals: u8) -> Figure {
        Figure {
            value: None,
            decimals,
            qualifier: Qualifier::Exact,
            qualified: Qualified::default(),
            reported: 0,
            numerator: None,
            denominator: None,
        }
    }

    /// The figure of a total.
    pub fn of_total(total: &Total, across: Across, span: Span, decimals: u8) -> Figure {
        let time = time_within(across, span);
        let decimals = decimals_of_values(time, decimals);
        let figure = Figure {
            value: None,
            decimals: decimals_shown(across.units, time, decimals),
            qualifier: total.qualified.qualifier(),
            qualified: total.qualified,
            reported: total.reported,
            numerator: None,
            denominator: None,
        };
        let amount = &total.amount;
        match across.units {
            // However sure each value is, how many there are is certain.
            AcrossUnits::Count => Figure {
                value: (!total.is_empty()).then(|| Exact::count(total.values)),
                qualifier: Qualifier::Exact,
                ..figure
            },
            AcrossUnits::Average => {
                let mean = |sum: Division| sum.in_lowest_terms(decimals).over(total.values);
                figure.of_quotient(Division::of_amount(amount, decimals).map(mean))
            }
            _ if time == AcrossTime::Average => {
                figure.of_quotient(Division::of_amount(amount, decimals))
            }
            _ => Figure {
                value: Exact::of_amount(amount, decimals),
                ..figure
            },
        }
    }

    fn of_quotient(self, quotient: Option<Division>) -> Figure {
        Figure {
            value: quotient.as_ref().map(Division::value).map(Exact::Fraction),
            numerator: quotient.as_ref().map(|parts| parts.numerator.clone()),
            denominator: quotient.map(|parts| parts.denominator),
            ..self
        }
    }
}

/// An exact number: a mantissa while nothing was divided, a fraction otherwise. Most figures are sums, and
/// a table has hundreds of thousands of them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Exact {
    Mantissa { mantissa: i128, decimals: u8 },
    Fraction(BigRational),
}

impl Exact {
    fn count(number: u64) -> Exact {
        Exact::Mantissa {
            mantissa: number.into(),
            decimals: 0,
        }
    }

    fn of_amount(amount: &Amount, decimals: u8) -> Option<Exact> {
        let mantissa = match amount {
            Amount::Sum(sum) if sum.parts().len() == 0 => sum.whole(),
            Amount::Min(extreme) | Amount::Max(extreme) if extreme.is_integer() => *extreme.numer(),
            divided => {
                let division = Division::of_amount(divided, decimals)?;
                return Some(Exact::Fraction(division.value()));
            }
        };
        Some(Exact::Mantissa { mantissa, decimals })
    }

    fn fraction(&self) -> BigRational {
        match self {
            Exact::Mantissa { mantissa, decimals } => {
                BigRational::from_integer((*mantissa).into()) / scale(*decimals)
            }
            Exact::Fraction(fraction) => fraction.clone(),
        }
    }

    fn shown(&self, decimals: u8) -> Decimal {
        match self {
            Exact::Mantissa {
                mantissa,
                decimals: own,
            } if *own == decimals => Decimal::new(mantissa, decimals),
            other => shown(&other.fraction(), decimals),
        }
    }
}

/// How an indicator's values are put together over a span. A base period has one value a unit.
fn time_within(across: Across, span: Span) -> AcrossTime {
    match span {
        Span::BasePeriod => AcrossTime::Last,
        Span::LongPeriod => across.time,
    }
}

/// A count of periods is a count, whatever is counted.
fn decimals_of_values(time: AcrossTime, decimals: u8) -> u8 {
    match time {
        AcrossTime::Count => 0,
        _ => decimals,
    }
}

fn decimals_shown(units: AcrossUnits, time: AcrossTime, decimals: u8) -> u8 {
    match (units, time) {
        (AcrossUnits::Count, _) => 0,
        (AcrossUnits::Average, _) | (_, AcrossTime::Average) => {
            decimals + MORE_DECIMALS_OF_AVERAGES
        }
        _ => decimals,
    }
}

/// The most digits after the point that an entry's figures have over a span.
pub fn most_decimals(entry: &Entry<'_>, span: Span) -> u8 {
    let decimals = entry.definition.decimals.get();
    match entry.definition.measure {
        Measure::Collected {
            across_units: units,
            across_time: time,
            ..
        } => {
            let time = time_within(Across { units, time }, span_of(entry, span));
            decimals_shown(units, time, decimals_of_values(time, decimals))
        }
        Measure::Derived { .. } => decimals,
    }
}

/// A base period of a form can be a longer one of the form that gives the figure.
fn span_of(entry: &Entry<'_>, span: Span) -> Span {
    match (span, &entry.given_by) {
        (Span::BasePeriod, Some(giving)) => giving.span,
        (span, _) => span,
    }
}

/// The two sides of a division. The numerator ends at its indicator's decimals, the denominator is
/// whole and not 0.
struct Division {
    numerator: BigRational,
    denominator: BigRational,
}

impl Division {
    /// A sum of averages is over the least number that all their divisors divide: 14/2 + 16/3 + 6
    /// is 110/6. An extreme is in lowest terms.
    fn of_amount(amount: &Amount, decimals: u8) -> Option<Division> {
        let (numerator, denominator) = match amount {
            Amount::Nothing => return None,
            Amount::Sum(sum) => over_one_divisor(sum),
            Amount::Min(extreme) | Amount::Max(extreme) => (
                BigInt::from(*extreme.numer()),
                BigInt::from(*extreme.denom()),
            ),
        };
        Some(Division {
            numerator: BigRational::from_integer(numerator) / scale(decimals),
            denominator: BigRational::from_integer(denominator),
        })
    }

    fn in_lowest_terms(&self, decimals: u8) -> Division {
        let mantissas = self.value() * scale(decimals);
        Division {
            numerator: BigRational::from_integer(mantissas.numer().clone()) / scale(decimals),
            denominator: BigRational::from_integer(mantissas.denom().clone()),
        }
    }

    fn over(self, divisor: u64) -> Division {
        Division {
            denominator: self.denominator * whole(divisor),
            ..self
        }
    }

    fn value(&self) -> BigRational {
        &self.numerator / &self.denominator
    }
}

fn over_one_divisor(sum: &Sum) -> (BigInt, BigInt) {
    let divisors = sum.parts().map(|(divisor, _)| BigInt::from(divisor));
    let divisor = divisors.fold(BigInt::one(), |common, one| common_multiple(&common, &one));
    let whole = BigInt::from(sum.whole()) * &divisor;
    let numerator = sum.parts().fold(whole, |all, (of, numerator)| {
        all + BigInt::from(numerator) * (&divisor / BigInt::from(of))
    });
    (numerator, divisor)
}

/// The least number that both divide; neither is 0.
fn common_multiple(one: &BigInt, other: &BigInt) -> BigInt {
    one * BigRational::new(one.clone(), other.clone()).denom()
}

/// Two parts of a quotient, both multiplied by one number where that is needed to show all digits.
fn in_full(
    numerator: Option<BigRational>,
    denominator: Option<BigRational>,
) -> (Option<BigRational>, Option<BigRational>) {
    let (Some(over), Some(under)) = (&numerator, &denominator) else {
        return (numerator, denominator);
    };
    let is_shown = |part: &BigRational| (part * scale(DECIMALS_OF_PARTS)).is_integer();
    if is_shown(over) && is_shown(under) {
        return (numerator, denominator);
    }
    let factor = BigRational::from_integer(common_multiple(over.denom(), under.denom()));
    (Some(over * &factor), Some(under * &factor))
}

fn shown(value: &BigRational, decimals: u8) -> Decimal {
    Decimal::new(rounded(value, u32::from(decimals)), decimals)
}

fn whole(number: u64) -> BigRational {
    BigRational::from_integer(number.into())
}

/// Ten to the power of `decimals`.
fn scale(decimals: u8) -> BigRational {
    std::iter::repeat_n(10_u32, usize::from(decimals)).fold(BigRational::one(), |scale, ten| {
        scale * BigRational::from_integer(ten.into())
    })
}

/// The figures of one unit, looked up by what the form asks for.
pub struct Figures<'r, 'c> {
    pub rollup: &'r Rollup,
    pub in_force: &'r InForce<'c>,
    pub stage: Stage,
    pub span: Span,
    /// Figures that formulas have made. A formula of formulas asks for each many times.
    derived: RefCell<BTreeMap<IndicatorNumber, Figure>>,
}

impl<'r, 'c> Figures<'r, 'c> {
    pub fn new(
        rollup: &'r Rollup,
        in_force: &'r InForce<'c>,
        stage: Stage,
        span: Span,
    ) -> Figures<'r, 'c> {
        Figures {
            rollup,
            in_force,
            stage,
            span,
            derived: RefCell::default(),
        }
    }
}

impl Figures<'_, '_> {
    /// The figure of an entry's total or of one of its options.
    pub fn of(&self, entry: &Entry<'_>, option: OptionNumber) -> Figure {
        match &entry.definition.measure {
            Measure::Collected {
                across_units: units,
                across_time: time,
                ..
            } => {
                let key = CellKey {
                    indicator: entry.indicator.number,
                    option,
                };
                let across = Across {
                    units: *units,
                    time: *time,
                };
                let total = self.rollup.total_at(self.stage, key, across.units);
                let decimals = entry.definition.decimals.get();
                Figure::of_total(&total, across, span_of(entry, self.span), decimals)
            }
            Measure::Derived { formula } => self.derived(entry, formula),
        }
    }

    /// The unit's own value of a collected entry.
    pub fn own(&self, entry: &Entry<'_>, option: OptionNumber) -> Option<Figure> {
        self.part(entry, option, RollupPart::Own)
    }

    /// Returns what the direct children handed up of a transfer, and nothing for any other indicator.
    pub fn received_from_below(&self, entry: &Entry<'_>, option: OptionNumber) -> Option<Figure> {
        match entry.definition.measure {
            Measure::Collected {
                across_units: AcrossUnits::Transfer,
                ..
            } => self.part(entry, option, RollupPart::Below),
            _ => None,
        }
    }

    fn part(&self, entry: &Entry<'_>, option: OptionNumber, part: RollupPart) -> Option<Figure> {
        let tally = match part {
            RollupPart::Own => &self.rollup.own,
            RollupPart::Below => &self.rollup.below,
        };
        let key = CellKey {
            indicator: entry.indicator.number,
            option,
        };
        let total = tally.cells.get(key)?.at(self.stage);
        let decimals = entry.definition.decimals.get();
        let Measure::Collected {
            across_units,
            across_time: time,
            ..
        } = entry.definition.measure
        else {
            return None;
        };
        // A unit's own value is one value: it is what it is, however it goes up.
        let units = match across_units {
            AcrossUnits::Count => AcrossUnits::Sum,
            other => other,
        };
        let across = Across { units, time };
        (!total.is_empty())
            .then(|| Figure::of_total(total, across, span_of(entry, self.span), decimals))
    }

    /// Tells whether a rule of the form holds for the unit's figures; `None` if one is missing.
    pub fn holds(&self, comparison: &Comparison) -> Option<bool> {
        comparison.holds(&|operand: &Operand| {
            let value = self.operand(operand)?.value?;
            Some(value.fraction())
        })
    }

    fn derived(&self, entry: &Entry<'_>, formula: &Formula) -> Figure {
        let number = entry.indicator.number;
        if let Some(known) = self.derived.borrow().get(&number) {
            return known.clone();
        }
        let decimals = entry.definition.decimals.get();
        // A formula that comes back to itself cannot be saved, and if one were, it would have no
        // value.
        let nothing = Figure::without_value(decimals);
        self.derived.borrow_mut().insert(number, nothing);
        let figure = self.evaluated(formula, decimals);
        self.derived.borrow_mut().insert(number, figure.clone());
        figure
    }

    fn evaluated(&self, formula: &Formula, decimals: u8) -> Figure {
        let operands: Vec<(Operand, Option<Figure>)> = formula
            .operands()
            .into_iter()
            .map(|operand| {
                let figure = self.operand(&operand);
                (operand, figure)
            })
            .collect();
        let evaluation = formula.evaluate(&|operand: &Operand| {
            let found = operands.iter().find(|(known, _)| known == operand);
            let value = found.and_then(|(_, figure)| figure.as_ref()?.value.as_ref());
            value.map(Exact::fraction)
        });
        let present = || operands.iter().filter_map(|(_, figure)| figure.as_ref());
        let exact = present().all(|figure| figure.qualifier == Qualifier::Exact);
        let reported = operands
            .iter()
            .map(|(_, figure)| figure.as_ref().map_or(0, |figure| figure.reported))
            .min();
        let (numerator, denominator) = match evaluation.quotient {
            Some(quotient) => in_full(quotient.numerator, quotient.denominator),
            None => (None, None),
        };
        Figure {
            value: evaluation.value.map(Exact::Fraction),
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

    fn operand(&self, operand: &Operand) -> Option<Figure> {
        let (entry, option) = self.in_force.operand(operand)?;
        if let Source::ReceivedFromBelow = operand.source {
            return self.received_from_below(entry, option);
        }
        Some(self.of(entry, option))
    }
}

#[derive(Clone, Copy)]
enum RollupPart {
    Own,
    Below,
}
