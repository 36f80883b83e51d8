//! Tallies: what a set of submissions adds up to, cell by cell, in both stages.
//! Never where the submissions come from.

use itertools::{EitherOrBoth, Itertools};

use crate::domain::catalogue::Aggregations;
use crate::domain::id::{IndicatorNumber, OptionNumber};
use crate::domain::indicator::AcrossUnits;
use crate::domain::quantity::Qualifier;
use crate::domain::submission::{Fact, Stage};

/// One thing in each stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByStage<T> {
    pub submitted: T,
    pub approved: T,
}

impl<T> ByStage<T> {
    pub fn at(&self, stage: Stage) -> &T {
        match stage {
            Stage::Submitted => &self.submitted,
            Stage::Approved => &self.approved,
        }
    }
}

/// What is at stake in a total beside the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Amount {
    /// Nothing is kept: only how many values there are is asked for.
    #[default]
    Nothing,
    Sum(i128),
    Min(i64),
    Max(i64),
}

/// How many contributions are not exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Qualified {
    pub at_least: u64,
    pub at_most: u64,
    pub estimate: u64,
}

impl Qualified {
    fn of(qualifier: Qualifier) -> Qualified {
        let mut qualified = Qualified::default();
        match qualifier {
            Qualifier::Exact => {}
            Qualifier::AtLeast => qualified.at_least = 1,
            Qualifier::AtMost => qualified.at_most = 1,
            Qualifier::Estimate => qualified.estimate = 1,
        }
        qualified
    }

    #[must_use]
    pub fn merged(self, other: Qualified) -> Qualified {
        Qualified {
            at_least: self.at_least + other.at_least,
            at_most: self.at_most + other.at_most,
            estimate: self.estimate + other.estimate,
        }
    }

    fn without(self, part: Qualified) -> Option<Qualified> {
        Some(Qualified {
            at_least: self.at_least.checked_sub(part.at_least)?,
            at_most: self.at_most.checked_sub(part.at_most)?,
            estimate: self.estimate.checked_sub(part.estimate)?,
        })
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Total {
    /// How many (unit, base period) pairs have a value.
    pub reported: u64,
    /// How many values there are, the divisor of an average.
    pub values: u64,
    pub qualified: Qualified,
    pub amount: Amount,
}

/// A part cannot be taken out of a whole without knowing the other parts: it holds the whole's
/// extreme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtremeTouched;

impl Total {
    pub const EMPTY: Total = Total {
        reported: 0,
        values: 0,
        qualified: Qualified {
            at_least: 0,
            at_most: 0,
            estimate: 0,
        },
        amount: Amount::Nothing,
    };

    /// The total of one submitted value.
    pub fn of(fact: &Fact, across: AcrossUnits) -> Total {
        let amount = match across {
            AcrossUnits::Min => Amount::Min(fact.mantissa),
            AcrossUnits::Max => Amount::Max(fact.mantissa),
            AcrossUnits::Count => Amount::Nothing,
            AcrossUnits::Sum | AcrossUnits::Average | AcrossUnits::None | AcrossUnits::Transfer => {
                Amount::Sum(i128::from(fact.mantissa))
            }
        };
        Total {
            reported: 1,
            values: 1,
            qualified: Qualified::of(fact.qualifier),
            amount,
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Total::EMPTY
    }

    #[must_use]
    pub fn merged(self, other: Total) -> Total {
        let amount = match (self.amount, other.amount) {
            (Amount::Nothing, amount) | (amount, Amount::Nothing) => amount,
            (Amount::Sum(a), Amount::Sum(b)) => Amount::Sum(a + b),
            (Amount::Min(a), Amount::Min(b)) => Amount::Min(a.min(b)),
            (Amount::Max(a), Amount::Max(b)) => Amount::Max(a.max(b)),
            // Of one indicator all totals are of one sort; its aggregation is fixed once used.
            (one, _) => one,
        };
        Total {
            reported: self.reported + other.reported,
            values: self.values + other.values,
            qualified: self.qualified.merged(other.qualified),
            amount,
        }
    }

    /// This total with `after` in the place of its part `before`.
    ///
    /// # Errors
    /// [`ExtremeTouched`] where the part holds the extreme and gives way. So it is where the
    /// part cannot have been in this total at all: to merge anew is right in both cases.
    fn with(self, before: Total, after: Total) -> Result<Total, ExtremeTouched> {
        let grown = self.merged(after);
        let reported = grown
            .reported
            .checked_sub(before.reported)
            .ok_or(ExtremeTouched)?;
        if reported == 0 {
            return Ok(Total::EMPTY);
        }
        let amount = match (self.amount, before.amount, after.amount) {
            (_, Amount::Nothing, _) => grown.amount,
            (_, Amount::Sum(gone), _) => match grown.amount {
                Amount::Sum(sum) => Amount::Sum(sum - gone),
                _ => return Err(ExtremeTouched),
            },
            (Amount::Min(whole), Amount::Min(gone), Amount::Min(come)) if come <= gone => {
                Amount::Min(whole.min(come))
            }
            (Amount::Max(whole), Amount::Max(gone), Amount::Max(come)) if come >= gone => {
                Amount::Max(whole.max(come))
            }
            (Amount::Min(whole), Amount::Min(gone), _) if whole < gone => grown.amount,
            (Amount::Max(whole), Amount::Max(gone), _) if whole > gone => grown.amount,
            _ => return Err(ExtremeTouched),
        };
        Ok(Total {
            reported,
            values: grown
                .values
                .checked_sub(before.values)
                .ok_or(ExtremeTouched)?,
            qualified: grown
                .qualified
                .without(before.qualified)
                .ok_or(ExtremeTouched)?,
            amount,
        })
    }
}

/// A cell's place: an indicator, and one of its options or the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    pub indicator: IndicatorNumber,
    pub option: OptionNumber,
}

/// A cell's totals in both stages.
pub type Cell = ByStage<Total>;

impl Cell {
    fn is_empty(&self) -> bool {
        self.submitted.is_empty() && self.approved.is_empty()
    }

    #[must_use]
    pub fn merged(self, other: Cell) -> Cell {
        Cell {
            submitted: self.submitted.merged(other.submitted),
            approved: self.approved.merged(other.approved),
        }
    }

    fn with(self, before: Cell, after: Cell) -> Result<Cell, ExtremeTouched> {
        Ok(Cell {
            submitted: self.submitted.with(before.submitted, after.submitted)?,
            approved: self.approved.with(before.approved, after.approved)?,
        })
    }
}

/// Cells by their key, in order, none of them empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cells(Vec<(CellKey, Cell)>);

impl FromIterator<(CellKey, Cell)> for Cells {
    fn from_iter<I: IntoIterator<Item = (CellKey, Cell)>>(cells: I) -> Cells {
        let mut cells: Vec<_> = cells
            .into_iter()
            .filter(|(_, cell)| !cell.is_empty())
            .collect();
        cells.sort_by_key(|(key, _)| *key);
        Cells(cells)
    }
}

impl Cells {
    pub fn get(&self, key: CellKey) -> Cell {
        let found = self.0.binary_search_by_key(&key, |(key, _)| *key).ok();
        found
            .and_then(|at| self.0.get(at))
            .map_or_else(Cell::default, |(_, cell)| *cell)
    }

    pub fn iter(&self) -> impl Iterator<Item = (CellKey, Cell)> {
        self.0.iter().copied()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Both sides' cells of every key that one of them has.
    fn beside<'c>(&'c self, other: &'c Cells) -> impl Iterator<Item = (CellKey, Cell, Cell)> {
        self.0
            .iter()
            .merge_join_by(&other.0, |(a, _), (b, _)| a.cmp(b))
            .map(|pair| match pair {
                EitherOrBoth::Both((key, left), (_, right)) => (*key, *left, *right),
                EitherOrBoth::Left((key, left)) => (*key, *left, Cell::default()),
                EitherOrBoth::Right((key, right)) => (*key, Cell::default(), *right),
            })
    }

    fn merged(&self, other: &Cells) -> Cells {
        Cells(
            self.beside(other)
                .map(|(key, left, right)| (key, left.merged(right)))
                .collect(),
        )
    }
}

/// What a set of submissions adds up to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many submissions count.
    pub submissions: ByStage<u64>,
    pub cells: Cells,
}

impl Tally {
    /// The tally of one submission's facts. One that is approved counts in both stages.
    pub fn of(facts: &[Fact], reached: Stage, aggregations: &Aggregations) -> Tally {
        let cells = facts.iter().map(|fact| {
            let total = Total::of(fact, aggregations.of(fact.indicator));
            let approved = match reached {
                Stage::Submitted => Total::EMPTY,
                Stage::Approved => total,
            };
            let key = CellKey {
                indicator: fact.indicator,
                option: fact.option,
            };
            (
                key,
                Cell {
                    submitted: total,
                    approved,
                },
            )
        });
        let approved = match reached {
            Stage::Submitted => 0,
            Stage::Approved => 1,
        };
        Tally {
            submissions: ByStage {
                submitted: 1,
                approved,
            },
            cells: cells.collect(),
        }
    }

    #[must_use]
    pub fn merged(&self, other: &Tally) -> Tally {
        Tally {
            submissions: ByStage {
                submitted: self.submissions.submitted + other.submissions.submitted,
                approved: self.submissions.approved + other.submissions.approved,
            },
            cells: self.cells.merged(&other.cells),
        }
    }

    /// The cells that `keep` lets through; how many submissions there are stays.
    pub(super) fn filtered(&self, mut keep: impl FnMut(CellKey) -> bool) -> Tally {
        let cells = self
            .cells
            .0
            .iter()
            .copied()
            .filter(|(key, _)| keep(*key))
            .collect();
        Tally {
            submissions: self.submissions,
            cells: Cells(cells),
        }
    }
}

/// A part of a tally, as it was and as it is. What did not change is in neither.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    before: Tally,
    after: Tally,
}

impl Change {
    pub fn between(before: &Tally, after: &Tally) -> Change {
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        for (key, old, new) in before.cells.beside(&after.cells) {
            let (submitted, approved) = (
                differing(old.submitted, new.submitted),
                differing(old.approved, new.approved),
            );
            gone.push((
                key,
                Cell {
                    submitted: submitted.0,
                    approved: approved.0,
                },
            ));
            come.push((
                key,
                Cell {
                    submitted: submitted.1,
                    approved: approved.1,
                },
            ));
        }
        Change {
            before: Tally {
                submissions: before.submissions,
                cells: gone.into_iter().collect(),
            },
            after: Tally {
                submissions: after.submissions,
                cells: come.into_iter().collect(),
            },
        }
    }

    /// Two changes of different parts, as one.
    #[must_use]
    pub fn merged(&self, other: &Change) -> Change {
        Change {
            before: self.before.merged(&other.before),
            after: self.after.merged(&other.after),
        }
    }

    /// `whole` after the change.
    ///
    /// # Errors
    /// [`ExtremeTouched`]: the whole must be merged anew from its parts.
    pub fn applied_to(&self, whole: &Tally) -> Result<Tally, ExtremeTouched> {
        let mut cells = Vec::with_capacity(whole.cells.len() + self.after.cells.len());
        let changed: Vec<_> = self.before.cells.beside(&self.after.cells).collect();
        for pair in whole
            .cells
            .0
            .iter()
            .merge_join_by(&changed, |(a, _), (b, _, _)| a.cmp(b))
        {
            let (key, cell) = match pair {
                EitherOrBoth::Left(unchanged) => *unchanged,
                EitherOrBoth::Both((key, cell), (_, before, after)) => {
                    (*key, cell.with(*before, *after)?)
                }
                EitherOrBoth::Right((key, before, after)) => {
                    (*key, Cell::default().with(*before, *after)?)
                }
            };
            if !cell.is_empty() {
                cells.push((key, cell));
            }
        }
        let (whole, before, after) = (
            whole.submissions,
            self.before.submissions,
            self.after.submissions,
        );
        let moved = |whole: u64, before: u64, after: u64| {
            (whole + after).checked_sub(before).ok_or(ExtremeTouched)
        };
        Ok(Tally {
            submissions: ByStage {
                submitted: moved(whole.submitted, before.submitted, after.submitted)?,
                approved: moved(whole.approved, before.approved, after.approved)?,
            },
            cells: Cells(cells),
        })
    }
}

fn differing(old: Total, new: Total) -> (Total, Total) {
    if old == new {
        (Total::EMPTY, Total::EMPTY)
    } else {
        (old, new)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::rollup::node::Rollup;

    /// One indicator of each sort; its number says which.
    const SORTS: [AcrossUnits; 7] = [
        AcrossUnits::Sum,
        AcrossUnits::Average,
        AcrossUnits::Min,
        AcrossUnits::Max,
        AcrossUnits::Count,
        AcrossUnits::None,
        AcrossUnits::Transfer,
    ];

    pub fn aggregations() -> Aggregations {
        let numbers = (0..).map(IndicatorNumber::new);
        Aggregations::new(numbers.zip(SORTS))
    }

    fn any_fact() -> impl Strategy<Value = Fact> {
        let mantissa = prop_oneof![-2..=2_i64, any::<i64>()];
        let qualifier = prop_oneof![
            Just(Qualifier::Exact),
            Just(Qualifier::AtLeast),
            Just(Qualifier::AtMost),
            Just(Qualifier::Estimate),
        ];
        (0..7_u32, 0..3_u32, mantissa, qualifier).prop_map(
            |(indicator, option, mantissa, qualifier)| Fact {
                indicator: IndicatorNumber::new(indicator),
                option: OptionNumber::new(option),
                mantissa,
                qualifier,
            },
        )
    }

    /// One submission's tally, or that of none.
    pub fn any_tally() -> impl Strategy<Value = Tally> {
        let submission =
            (vec(any_fact(), 0..8), any::<bool>()).prop_map(|(mut facts, approved)| {
                facts.sort_by_key(|fact| (fact.indicator, fact.option));
                facts.dedup_by_key(|fact| (fact.indicator, fact.option));
                let reached = if approved {
                    Stage::Approved
                } else {
                    Stage::Submitted
                };
                Tally::of(&facts, reached, &aggregations())
            });
        prop_oneof![1 => Just(Tally::default()), 4 => submission]
    }

    pub fn any_rollup() -> impl Strategy<Value = Rollup> {
        (any_tally(), vec(any_tally(), 0..5)).prop_map(|(own, below)| Rollup {
            own,
            below: merged(&below),
        })
    }

    fn merged(parts: &[Tally]) -> Tally {
        parts
            .iter()
            .fold(Tally::default(), |whole, part| whole.merged(part))
    }

    proptest! {
        #[test]
        fn to_merge_is_commutative_and_associative_and_nothing_is_the_identity(
            a in any_tally(),
            b in any_tally(),
            c in any_tally(),
        ) {
            prop_assert_eq!(a.merged(&b), b.merged(&a));
            prop_assert_eq!(a.merged(&b).merged(&c), a.merged(&b.merged(&c)));
            prop_assert_eq!(a.merged(&Tally::default()), a.clone());
            prop_assert_eq!(Tally::default().merged(&a), a);
        }

        /// Where a change cannot be applied, an extreme gave way: with sums alone it always can.
        #[test]
        fn a_change_makes_what_merging_anew_makes(
            others in vec(any_tally(), 0..4),
            before in any_tally(),
            after in any_tally(),
        ) {
            let whole = merged(&others).merged(&before);
            let anew = merged(&others).merged(&after);
            let is_sum = |key: CellKey| {
                let across = aggregations().of(key.indicator);
                !matches!(across, AcrossUnits::Min | AcrossUnits::Max)
            };
            if let Ok(changed) = Change::between(&before, &after).applied_to(&whole) {
                prop_assert_eq!(changed, anew.clone());
            }
            let change = Change::between(&before.filtered(is_sum), &after.filtered(is_sum));
            prop_assert_eq!(change.applied_to(&whole.filtered(is_sum)), Ok(anew.filtered(is_sum)));
        }

        #[test]
        fn changes_of_several_parts_are_one_change(
            others in vec(any_tally(), 0..3),
            one in (any_tally(), any_tally()),
            other in (any_tally(), any_tally()),
        ) {
            let whole = merged(&others).merged(&one.0).merged(&other.0);
            let anew = merged(&others).merged(&one.1).merged(&other.1);
            let change = Change::between(&one.0, &one.1).merged(&Change::between(&other.0, &other.1));
            if let Ok(changed) = change.applied_to(&whole) {
                prop_assert_eq!(changed, anew);
            }
        }

        #[test]
        fn what_does_not_change_is_in_no_change(tally in any_tally()) {
            let change = Change::between(&tally, &tally);
            prop_assert!(change.before.cells.is_empty() && change.after.cells.is_empty());
            prop_assert_eq!(change.applied_to(&tally), Ok(tally));
        }
    }

    #[test]
    fn an_extreme_that_gives_way_asks_for_its_parts() {
        let of = |mantissa| {
            let fact = Fact {
                indicator: IndicatorNumber::new(2),
                option: OptionNumber::TOTAL,
                mantissa,
                qualifier: Qualifier::Exact,
            };
            Tally::of(&[fact], Stage::Submitted, &aggregations())
        };
        let whole = of(1).merged(&of(5));
        assert_eq!(
            Change::between(&of(1), &of(3)).applied_to(&whole),
            Err(ExtremeTouched)
        );
        let further = Change::between(&of(1), &of(0)).applied_to(&whole);
        assert_eq!(further, Ok(of(0).merged(&of(5))));
        let other = Change::between(&of(5), &of(9)).applied_to(&whole);
        assert_eq!(other, Ok(of(1).merged(&of(9))));
    }
}
