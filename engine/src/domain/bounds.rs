//! Bounds (giới hạn): between what an indicator's values lie. Never what a value means.

use serde::{Deserialize, Serialize};

/// Mantissas between two ends, both included. An end that is missing is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    pub from: Option<i64>,
    pub to: Option<i64>,
}

/// The end of an interval beyond which a value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beyond {
    Below(i64),
    Above(i64),
}

impl Interval {
    pub fn is_open(self) -> bool {
        self == Interval::default()
    }

    pub fn beyond(self, mantissa: i64) -> Option<Beyond> {
        let below = self.from.filter(|from| mantissa < *from);
        let above = self.to.filter(|to| mantissa > *to);
        below.map(Beyond::Below).or(above.map(Beyond::Above))
    }

    /// Tells whether it ends before it begins.
    pub fn is_empty(self) -> bool {
        self.from.zip(self.to).is_some_and(|(from, to)| from > to)
    }

    /// The interval of a part of what lies in this one: it may be nothing as well.
    #[must_use]
    pub fn of_part(self) -> Interval {
        Interval {
            from: self.from.map(|from| from.min(0)),
            to: self.to.map(|to| to.max(0)),
        }
    }

    /// The interval of what values in this one add up to: only that it is not negative is known.
    #[must_use]
    pub fn of_sum(self) -> Interval {
        Interval {
            from: self.from.filter(|from| *from >= 0).map(|_| 0),
            to: None,
        }
    }
}

/// Between what an indicator's values lie, at its decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// The interval beyond which a value is refused.
    pub possible: Interval,
    /// The interval beyond which a value is warned of.
    pub usual: Interval,
}

impl Bounds {
    pub fn are_open(&self) -> bool {
        self.possible.is_open() && self.usual.is_open()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_within_and_a_part_may_be_nothing() {
        let interval = Interval {
            from: Some(10),
            to: Some(20),
        };
        let beyond = [9, 10, 20, 21].map(|mantissa| interval.beyond(mantissa));
        assert_eq!(
            beyond,
            [Some(Beyond::Below(10)), None, None, Some(Beyond::Above(20))]
        );
        let beyond = [-1, 0, 20, 21].map(|mantissa| interval.of_part().beyond(mantissa));
        assert_eq!(
            beyond,
            [Some(Beyond::Below(0)), None, None, Some(Beyond::Above(20))]
        );
        let beyond = [-1, 0, 21].map(|mantissa| interval.of_sum().beyond(mantissa));
        assert_eq!(beyond, [Some(Beyond::Below(0)), None, None]);
    }
}
