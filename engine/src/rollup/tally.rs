//! Tallies: what a set of submissions adds up to, cell by cell, in both stages.
//! Never where the submissions come from.

use super::cell::{ByStage, Cell, CellKey, Cells};
use super::piece::{Piece, reports_in};
use super::total::Total;
use super::unit_total::{UnitValue, total_of};
use crate::domain::catalogue::Aggregations;
use crate::domain::form::Span;
use crate::domain::submission::Stage;

/// The sum of a set of submissions, cell by cell, in both stages.
///
/// Three hamlets lie below a commune and submit 10, 20 and 30. The commune's part below holds their
/// merged tallies: 60, of three reports. Then the second hamlet corrects its 20 to 25. What climbs is
/// the pair of its tallies, before and after: the 20 is taken out, the 25 put in, and the other two
/// hamlets are not read. Every unit above does the same with the same pair.
///
/// ```
/// use tonghop_engine::domain::catalogue::Aggregations;
/// use tonghop_engine::domain::form::Span;
/// use tonghop_engine::domain::id::{IndicatorNumber, OptionNumber, UnitId};
/// use tonghop_engine::domain::indicator::{Across, AcrossTime, AcrossUnits};
/// use tonghop_engine::domain::quantity::Qualifier;
/// use tonghop_engine::domain::submission::{Fact, Stage};
/// use tonghop_engine::rollup::amount::{Amount, Sum};
/// use tonghop_engine::rollup::cell::CellKey;
/// use tonghop_engine::rollup::change::Change;
/// use tonghop_engine::rollup::piece::{Contribution, Piece};
/// use tonghop_engine::rollup::tally::Tally;
///
/// let key = CellKey {
///     indicator: IndicatorNumber::new(1),
///     option: OptionNumber::TOTAL,
/// };
/// let hamlets_report = |units: AcrossUnits, mantissa: i64| {
///     let time = AcrossTime::Sum;
///     let aggregations = Aggregations::new([(key.indicator, Across { units, time })]);
///     let fact = Fact {
///         indicator: key.indicator,
///         option: key.option,
///         mantissa,
///         qualifier: Qualifier::Exact,
///     };
///     let contribution = Contribution {
///         facts: vec![fact],
///         reached: Stage::Submitted,
///         given: 1,
///     };
///     let month = "2024-06".parse().unwrap();
///     let pieces = [Piece::own(month, UnitId::new(), &contribution)];
///     Tally::of(&pieces, &aggregations, Span::BasePeriod)
/// };
///
/// let [first, second, third] = [10, 20, 30].map(|value| hamlets_report(AcrossUnits::Sum, value));
/// let mut below = first.merged(second.clone()).merged(third);
/// let corrected = hamlets_report(AcrossUnits::Sum, 25);
///
/// let change = Change::between(&second, &corrected);
/// assert!(change.fits(&below));
/// change.apply_to(&mut below);
///
/// let total = &below.cells.get(key).unwrap().submitted;
/// assert_eq!(total.amount, Amount::Sum(Sum::of(65, 1)));
/// assert_eq!(total.reported, 3);
///
/// // A smallest value that is raised gives way: the commune is merged anew from its hamlets.
/// let [first, second] = [10, 20].map(|value| hamlets_report(AcrossUnits::Min, value));
/// let below = first.clone().merged(second);
/// let raised = Change::between(&first, &hamlets_report(AcrossUnits::Min, 25));
/// assert!(!raised.fits(&below));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many submissions count.
    pub submissions: ByStage<u64>,
    pub cells: Cells,
}

impl Tally {
    /// The tally of what counts at one unit, in the order of base periods. A submission that is
    /// approved counts in both stages.
    pub fn of(pieces: &[Piece<'_>], aggregations: &Aggregations, span: Span) -> Tally {
        let mut values: Vec<UnitValue<'_>> = pieces
            .iter()
            .flat_map(|piece| {
                piece
                    .facts
                    .iter()
                    .map(move |fact| UnitValue { fact, piece })
            })
            .collect();
        // Stable, so that each cell's values stay in the order of their periods.
        values.sort_by_key(UnitValue::key);
        let cells = values
            .chunk_by(|a, b| a.key() == b.key())
            .filter_map(|all| {
                let key = all.first()?.key();
                let across = aggregations.of(key.indicator);
                let is_approved = |value: &&UnitValue<'_>| value.piece.reached == Stage::Approved;
                let submitted = total_of(all, across, span);
                let cell = match all.iter().filter(is_approved).count() {
                    0 => Cell::new(submitted, Total::EMPTY),
                    count if count == all.len() => Cell::of_approved(submitted),
                    _ => {
                        let approved: Vec<UnitValue<'_>> =
                            all.iter().filter(is_approved).copied().collect();
                        Cell::new(submitted, total_of(&approved, across, span))
                    }
                };
                Some((key, cell))
            });
        Tally {
            submissions: count_submissions(pieces),
            cells: cells.collect(),
        }
    }

    pub fn merge(&mut self, other: Tally) {
        self.submissions.submitted += other.submissions.submitted;
        self.submissions.approved += other.submissions.approved;
        self.cells.merge(other.cells);
    }

    #[must_use]
    pub fn merged(mut self, other: Tally) -> Tally {
        self.merge(other);
        self
    }

    /// Leaves out the cells that `keep` refuses; how many submissions there are stays.
    #[must_use]
    pub(super) fn retaining(mut self, keep: impl FnMut(CellKey, &mut Cell) -> bool) -> Tally {
        self.cells.retain(keep);
        self
    }
}

fn count_submissions(pieces: &[Piece<'_>]) -> ByStage<u64> {
    let mut submissions = ByStage::<u64>::default();
    for report in reports_in(pieces) {
        submissions.submitted += 1;
        submissions.approved += u64::from(report.is_approved());
    }
    submissions
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::id::{IndicatorNumber, OptionNumber, UnitId};
    use crate::domain::indicator::{Across, AcrossTime, AcrossUnits};
    use crate::domain::period::Period;
    use crate::domain::quantity::Qualifier;
    use crate::domain::submission::Fact;
    use crate::rollup::cell::CellKey;
    use crate::rollup::change::Change;
    use crate::rollup::node::Rollup;
    use crate::rollup::piece::Contribution;

    /// One indicator of each pair; its number says which.
    const SORTS: [AcrossUnits; 7] = [
        AcrossUnits::Sum,
        AcrossUnits::Average,
        AcrossUnits::Min,
        AcrossUnits::Max,
        AcrossUnits::Count,
        AcrossUnits::None,
        AcrossUnits::Transfer,
    ];

    const TIMES: [AcrossTime; 8] = [
        AcrossTime::Sum,
        AcrossTime::Average,
        AcrossTime::Min,
        AcrossTime::Max,
        AcrossTime::First,
        AcrossTime::Last,
        AcrossTime::Count,
        AcrossTime::None,
    ];

    fn month(number: u32) -> Period {
        format!("2024-{number:02}").parse().unwrap()
    }

    pub fn aggregations() -> Aggregations {
        let numbers = (0..).map(IndicatorNumber::new);
        let pairs = SORTS
            .into_iter()
            .flat_map(|units| TIMES.into_iter().map(move |time| Across { units, time }));
        Aggregations::new(numbers.zip(pairs))
    }

    fn any_fact() -> impl Strategy<Value = Fact> {
        let mantissa = prop_oneof![-2..=2_i64, any::<i64>()];
        let qualifier = prop_oneof![
            Just(Qualifier::Exact),
            Just(Qualifier::AtLeast),
            Just(Qualifier::AtMost),
            Just(Qualifier::Estimate),
        ];
        (0..56_u32, 0..2_u32, mantissa, qualifier).prop_map(
            |(indicator, option, mantissa, qualifier)| Fact {
                indicator: IndicatorNumber::new(indicator),
                option: OptionNumber::new(option),
                mantissa,
                qualifier,
            },
        )
    }

    /// The tally of one unit's submissions of a long period, or of none.
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
                Contribution {
                    facts,
                    reached,
                    given: 1,
                }
            });
        let unit = UnitId::new();
        let year = vec(submission, 1..5).prop_map(move |year| {
            let pieces: Vec<Piece<'_>> = (1..)
                .zip(&year)
                .map(|(number, contribution)| Piece::own(month(number), unit, contribution))
                .collect();
            Tally::of(&pieces, &aggregations(), Span::LongPeriod)
        });
        prop_oneof![1 => Just(Tally::default()), 4 => year]
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
            .fold(Tally::default(), |whole, part| whole.merged(part.clone()))
    }

    /// `None` where an extreme gave way.
    fn changed(whole: &Tally, change: &Change) -> Option<Tally> {
        let mut whole = whole.clone();
        change.fits(&whole).then(|| {
            change.apply_to(&mut whole);
            whole
        })
    }

    proptest! {
        #[test]
        fn to_merge_is_commutative_and_associative_and_nothing_is_the_identity(
            a in any_tally(),
            b in any_tally(),
            c in any_tally(),
        ) {
            prop_assert_eq!(a.clone().merged(b.clone()), b.clone().merged(a.clone()));
            let left = a.clone().merged(b.clone()).merged(c.clone());
            prop_assert_eq!(left, a.clone().merged(b.merged(c)));
            prop_assert_eq!(a.clone().merged(Tally::default()), a.clone());
            prop_assert_eq!(Tally::default().merged(a.clone()), a);
        }

        /// A change that does not fit means that an extreme gave way; of sums alone every change fits.
        #[test]
        fn a_change_makes_what_merging_anew_makes(
            others in vec(any_tally(), 0..4),
            before in any_tally(),
            after in any_tally(),
        ) {
            let whole = merged(&others).merged(before.clone());
            let anew = merged(&others).merged(after.clone());
            let sums = |tally: &Tally| tally.clone().retaining(|key, _| is_sum(key));
            fn is_sum(key: CellKey) -> bool {
                let across = aggregations().of(key.indicator);
                !matches!(across.units, AcrossUnits::Min | AcrossUnits::Max)
            }
            if let Some(changed) = changed(&whole, &Change::between(&before, &after)) {
                prop_assert_eq!(changed, anew.clone());
            }
            let change = Change::between(&sums(&before), &sums(&after));
            prop_assert_eq!(changed(&sums(&whole), &change), Some(sums(&anew)));
        }

        #[test]
        fn changes_of_several_parts_are_one_change(
            others in vec(any_tally(), 0..3),
            one in (any_tally(), any_tally()),
            other in (any_tally(), any_tally()),
        ) {
            let whole = merged(&others).merged(one.0.clone()).merged(other.0.clone());
            let anew = merged(&others).merged(one.1.clone()).merged(other.1.clone());
            let mut change = Change::between(&one.0, &one.1);
            change.merge(Change::between(&other.0, &other.1));
            if let Some(changed) = changed(&whole, &change) {
                prop_assert_eq!(changed, anew);
            }
        }

        #[test]
        fn what_does_not_change_is_in_no_change(tally in any_tally()) {
            let change = Change::between(&tally, &tally);
            prop_assert!(change.before.cells.is_empty() && change.after.cells.is_empty());
            prop_assert_eq!(changed(&tally, &change), Some(tally));
        }
    }

    #[test]
    fn an_extreme_that_gives_way_asks_for_its_parts() {
        let of = |mantissa| {
            let fact = Fact {
                // The smallest of all units.
                indicator: IndicatorNumber::new(16),
                option: OptionNumber::TOTAL,
                mantissa,
                qualifier: Qualifier::Exact,
            };
            let one = Contribution {
                facts: vec![fact],
                reached: Stage::Submitted,
                given: 1,
            };
            Tally::of(
                &[Piece::own(month(1), UnitId::new(), &one)],
                &aggregations(),
                Span::BasePeriod,
            )
        };
        let whole = of(1).merged(of(5));
        assert_eq!(changed(&whole, &Change::between(&of(1), &of(3))), None);
        let further = changed(&whole, &Change::between(&of(1), &of(0)));
        assert_eq!(further, Some(of(0).merged(of(5))));
        let other = changed(&whole, &Change::between(&of(5), &of(9)));
        assert_eq!(other, Some(of(1).merged(of(9))));
    }
}
