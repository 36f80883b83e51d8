//! Totals: one cell in one stage, with how many values it has and how sure they are.

use super::amount::Amount;
use crate::domain::quantity::Qualifier;

/// How many contributions are not exact, and how many are shares of a divided value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Qualified {
    pub at_least: u64,
    pub at_most: u64,
    pub estimate: u64,
    pub apportioned: u64,
}

impl Qualified {
    pub const EXACT: Qualified = Qualified {
        at_least: 0,
        at_most: 0,
        estimate: 0,
        apportioned: 0,
    };

    #[must_use]
    pub fn merged(self, other: Qualified) -> Qualified {
        Qualified {
            at_least: self.at_least + other.at_least,
            at_most: self.at_most + other.at_most,
            estimate: self.estimate + other.estimate,
            apportioned: self.apportioned + other.apportioned,
        }
    }

    fn has(self, part: Qualified) -> bool {
        self.at_least >= part.at_least
            && self.at_most >= part.at_most
            && self.estimate >= part.estimate
            && self.apportioned >= part.apportioned
    }

    /// Without a part that it has.
    fn without(self, part: Qualified) -> Qualified {
        Qualified {
            at_least: self.at_least.saturating_sub(part.at_least),
            at_most: self.at_most.saturating_sub(part.at_most),
            estimate: self.estimate.saturating_sub(part.estimate),
            apportioned: self.apportioned.saturating_sub(part.apportioned),
        }
    }

    /// How the whole must be read.
    pub fn qualifier(self) -> Qualifier {
        [
            (self.at_least, Qualifier::AtLeast),
            (self.at_most, Qualifier::AtMost),
            (self.estimate, Qualifier::Estimate),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .fold(Qualifier::Exact, |whole, (_, part)| whole.and(part))
    }
}

/// One cell in one stage. A total without values is [`Total::EMPTY`] and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Total {
    /// How many (unit, base period) pairs have a value.
    pub reported: u64,
    /// How many values were put together, the divisor of an average: a unit's value of a long
    /// period is one, however many base periods it is made of, unless the mean of all values
    /// there are is wanted.
    pub values: u64,
    pub qualified: Qualified,
    pub amount: Amount,
}

impl Total {
    pub const EMPTY: Total = Total {
        reported: 0,
        values: 0,
        qualified: Qualified::EXACT,
        amount: Amount::Nothing,
    };

    pub fn is_empty(&self) -> bool {
        *self == Total::EMPTY
    }

    pub(super) fn merge(&mut self, other: &Total) {
        self.reported += other.reported;
        self.values += other.values;
        self.qualified = self.qualified.merged(other.qualified);
        self.amount.merge(&other.amount);
    }

    /// The total without its amount: of a count only how many values there are goes up.
    #[must_use]
    pub fn counted(self) -> Total {
        Total {
            amount: Amount::Nothing,
            ..self
        }
    }

    /// Tells whether the part `before` may become `after` without the other parts being known. It may
    /// not if it holds the extreme and gives way, or if it cannot have been in this total.
    pub(super) fn can_change(&self, before: &Total, after: &Total) -> bool {
        self.reported + after.reported >= before.reported
            && self.values + after.values >= before.values
            && self.qualified.merged(after.qualified).has(before.qualified)
            && self.amount.can_change(&before.amount, &after.amount)
    }

    /// Puts `after` in the place of the part `before`, which [`Total::can_change`].
    pub(super) fn change(&mut self, before: &Total, after: &Total) {
        self.reported = (self.reported + after.reported).saturating_sub(before.reported);
        if self.reported == 0 {
            *self = Total::EMPTY;
            return;
        }
        self.values = (self.values + after.values).saturating_sub(before.values);
        let qualified = self.qualified.merged(after.qualified);
        self.qualified = qualified.without(before.qualified);
        self.amount.change(&before.amount, &after.amount);
    }
}
