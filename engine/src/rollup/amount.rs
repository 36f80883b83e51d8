//! Amounts: what is at stake in a total beside the counts, a sum or an extreme. Exact.

use std::collections::BTreeMap;

use num_rational::Ratio;

use crate::domain::indicator::AcrossUnits;

/// A sum of fractions, exact. All that is added up are whole numbers, but for averages over time,
/// whose divisors are small: numerators are kept by divisor, so that no common one is ever needed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sum {
    whole: i128,
    /// Numerators by their divisor, which is 2 or more; never 0.
    parts: BTreeMap<u32, i128>,
}

impl Sum {
    /// `numerator` over `divisor`, which is not 0.
    pub fn of(numerator: i128, divisor: u32) -> Sum {
        let mut sum = Sum::default();
        sum.add(numerator, divisor);
        sum
    }

    /// A sum as it was kept: the whole part, then numerators by divisor.
    pub fn from_parts(whole: i128, parts: impl IntoIterator<Item = (u32, i128)>) -> Sum {
        let mut sum = Sum::of(whole, 1);
        for (divisor, numerator) in parts {
            sum.add(numerator, divisor);
        }
        sum
    }

    pub fn whole(&self) -> i128 {
        self.whole
    }

    /// Numerators by their divisor.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = (u32, i128)> {
        self.parts
            .iter()
            .map(|(divisor, numerator)| (*divisor, *numerator))
    }

    pub(super) fn add(&mut self, numerator: i128, divisor: u32) {
        if divisor == 1 {
            self.whole += numerator;
            return;
        }
        let part = self.parts.entry(divisor).or_default();
        *part += numerator;
        if *part == 0 {
            self.parts.remove(&divisor);
        }
    }

    pub(super) fn ratio(&self) -> Extreme {
        let parts = self.parts();
        parts.fold(
            Ratio::from_integer(self.whole),
            |sum, (divisor, numerator)| sum + Ratio::new(numerator, i128::from(divisor)),
        )
    }

    pub(super) fn merge(&mut self, other: &Sum) {
        self.whole += other.whole;
        for (divisor, numerator) in other.parts() {
            self.add(numerator, divisor);
        }
    }

    fn take_out(&mut self, part: &Sum) {
        self.whole -= part.whole;
        for (divisor, numerator) in part.parts() {
            self.add(-numerator, divisor);
        }
    }
}

/// An extreme: one unit's value, a fraction only where it is an average over time.
pub type Extreme = Ratio<i128>;

/// A total's amount, beside its counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Amount {
    /// Nothing is kept: only how many values there are is asked for.
    #[default]
    Nothing,
    Sum(Sum),
    Min(Extreme),
    Max(Extreme),
}

impl Amount {
    pub(super) fn merge(&mut self, other: &Amount) {
        match (self, other) {
            (own @ Amount::Nothing, amount) => *own = amount.clone(),
            (Amount::Sum(own), Amount::Sum(other)) => own.merge(other),
            (Amount::Min(own), Amount::Min(other)) => *own = (*own).min(*other),
            (Amount::Max(own), Amount::Max(other)) => *own = (*own).max(*other),
            // Of one indicator all totals are of one sort; its aggregation is fixed once used.
            _ => {}
        }
    }

    pub(super) fn can_change(&self, gone: &Amount, come: &Amount) -> bool {
        match (self, gone, come) {
            (_, Amount::Nothing, _) | (Amount::Sum(_), Amount::Sum(_), _) => true,
            (Amount::Min(whole), Amount::Min(gone), come) => {
                whole < gone || matches!(come, Amount::Min(come) if come <= gone)
            }
            (Amount::Max(whole), Amount::Max(gone), come) => {
                whole > gone || matches!(come, Amount::Max(come) if come >= gone)
            }
            _ => false,
        }
    }

    /// An extreme that does not give way only takes in what comes.
    pub(super) fn change(&mut self, gone: &Amount, come: &Amount) {
        if let (Amount::Sum(whole), Amount::Sum(gone)) = (&mut *self, gone) {
            whole.take_out(gone);
        }
        self.merge(come);
    }
}

pub(super) fn amount_of(sum: Sum, units: AcrossUnits) -> Amount {
    match units {
        AcrossUnits::Min => Amount::Min(sum.ratio()),
        AcrossUnits::Max => Amount::Max(sum.ratio()),
        _ => Amount::Sum(sum),
    }
}
