//! One unit's values of a cell as one total: put together for each base period, then folded across
//! time.

use num_rational::Ratio;

use super::amount::{Extreme, Sum, amount_of};
use super::cell::CellKey;
use super::piece::{Origin, Piece, Portion, count_reports};
use super::total::{Qualified, Total};
use crate::domain::form::Span;
use crate::domain::indicator::{Across, AcrossTime, AcrossUnits};
use crate::domain::quantity::Qualifier;
use crate::domain::submission::Fact;

/// A value and the piece that it came in.
#[derive(Clone, Copy)]
pub(super) struct UnitValue<'p> {
    pub fact: &'p Fact,
    pub piece: &'p Piece<'p>,
}

impl UnitValue<'_> {
    pub fn key(&self) -> CellKey {
        CellKey {
            indicator: self.fact.indicator,
            option: self.fact.option,
        }
    }
}

/// One unit's value of one base period: its own, or what passed to it, put together.
struct Combined {
    numerator: i128,
    /// Above 1 only for a mean.
    divisor: u32,
    /// How many values were put together.
    values: u32,
    /// How many (unit, base period) pairs have reported it.
    reported: u64,
    qualified: Qualified,
}

impl Combined {
    /// `None` where there is no value that can be the unit's.
    fn of(values: &[UnitValue<'_>], units: AcrossUnits) -> Option<Combined> {
        let values = values.iter();
        // What is only a unit's own passes to nobody.
        let values =
            values.filter(|value| units != AcrossUnits::None || value.piece.origin == Origin::Own);
        let mut count = 0_u32;
        let mut combined = Combined {
            numerator: 0,
            divisor: 1,
            values: 0,
            reported: count_reports(values.clone().map(|value| value.piece)),
            qualified: Qualified::EXACT,
        };
        for value in values {
            let mantissa = i128::from(value.fact.mantissa);
            combined.numerator = match units {
                _ if count == 0 => mantissa,
                AcrossUnits::Min => combined.numerator.min(mantissa),
                AcrossUnits::Max => combined.numerator.max(mantissa),
                _ => combined.numerator + mantissa,
            };
            count += 1;
            combined.qualified = combined.qualified.merged(qualified(value));
        }
        combined.values = count;
        if units == AcrossUnits::Average {
            combined.divisor = count;
        }
        (count > 0).then_some(combined)
    }

    fn ratio(&self) -> Extreme {
        Ratio::new(self.numerator, i128::from(self.divisor))
    }

    fn sum(&self) -> Sum {
        Sum::of(self.numerator, self.divisor)
    }
}

/// One unit's values of a long period as one.
struct Folded {
    sum: Sum,
    qualified: Qualified,
}

impl Folded {
    /// `None` where there is no value, and where a long period is to have none.
    fn of(values: &[Combined], time: AcrossTime) -> Option<Folded> {
        let (first, last) = (values.first()?, values.last()?);
        let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
        let sum = |divisor: u32| {
            values.iter().fold(Sum::default(), |mut sum, value| {
                sum.add(value.numerator, value.divisor * divisor);
                sum
            })
        };
        let of_all = |sum: Sum| {
            let all = values.iter().map(|value| value.qualified);
            let qualified = all.fold(Qualified::EXACT, Qualified::merged);
            Some(Folded { sum, qualified })
        };
        let of_one = |value: &Combined| {
            let (sum, qualified) = (value.sum(), value.qualified);
            Some(Folded { sum, qualified })
        };
        match time {
            AcrossTime::Sum => of_all(sum(1)),
            AcrossTime::Average => of_all(sum(count)),
            AcrossTime::Min => of_all(values.iter().min_by_key(|value| value.ratio())?.sum()),
            AcrossTime::Max => of_all(values.iter().max_by_key(|value| value.ratio())?.sum()),
            AcrossTime::First => of_one(first),
            AcrossTime::Last => of_one(last),
            // However sure each value is, how many there are is certain.
            AcrossTime::Count => Some(Folded {
                sum: Sum::of(i128::from(count), 1),
                qualified: Qualified::EXACT,
            }),
            AcrossTime::None => None,
        }
    }
}

fn qualified(value: &UnitValue<'_>) -> Qualified {
    let mut qualified = Qualified::EXACT;
    match value.fact.qualifier {
        Qualifier::Exact => {}
        Qualifier::AtLeast => qualified.at_least = 1,
        Qualifier::AtMost => qualified.at_most = 1,
        Qualifier::Estimate => qualified.estimate = 1,
    }
    qualified.apportioned = u64::from(value.piece.extent == Portion::Share);
    qualified
}

/// The total of one unit's values, first put together for each base period, then folded
/// across time in the order of their periods. `values` stand in that order.
pub(super) fn total_of(values: &[UnitValue<'_>], across: Across, span: Span) -> Total {
    let combined = values
        .chunk_by(|a, b| a.piece.base == b.piece.base)
        .filter_map(|of_base| Combined::of(of_base, across.units));
    // The mean of all values that there are: sums and counts go up, and not one mean a unit.
    // So it is in one base period, where only values of several units can have been put
    // together.
    let of_all = match span {
        Span::BasePeriod => true,
        Span::LongPeriod => {
            (across.units, across.time) == (AcrossUnits::Average, AcrossTime::Average)
        }
    };
    if of_all {
        return total_of_all(combined, across.units);
    }
    let combined: Vec<Combined> = combined.collect();
    let Some(folded) = Folded::of(&combined, across.time) else {
        return Total::EMPTY;
    };
    Total {
        reported: combined.iter().map(|value| value.reported).sum(),
        values: 1,
        qualified: folded.qualified,
        amount: amount_of(folded.sum, across.units),
    }
}

fn total_of_all(combined: impl Iterator<Item = Combined>, units: AcrossUnits) -> Total {
    let mut total = Total::EMPTY;
    for value in combined {
        total.merge(&Total {
            reported: value.reported,
            values: u64::from(value.values),
            qualified: value.qualified,
            amount: amount_of(Sum::of(value.numerator, 1), units),
        });
    }
    total
}
