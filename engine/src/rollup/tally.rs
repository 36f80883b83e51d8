//! Tallies: what a set of submissions adds up to, cell by cell, in both stages.
//! Never where the submissions come from.

use std::borrow::Cow;
use std::collections::BTreeMap;

use itertools::{EitherOrBoth, Itertools};
use num_rational::Ratio;

use crate::domain::catalogue::Aggregations;
use crate::domain::form::Span;
use crate::domain::id::{IndicatorNumber, OptionNumber, UnitId};
use crate::domain::indicator::{Across, AcrossTime, AcrossUnits};
use crate::domain::period::Period;
use crate::domain::quantity::Qualifier;
use crate::domain::route::Leaf;
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

    fn add(&mut self, numerator: i128, divisor: u32) {
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

    fn ratio(&self) -> Extreme {
        let parts = self.parts();
        parts.fold(
            Ratio::from_integer(self.whole),
            |sum, (divisor, numerator)| sum + Ratio::new(numerator, i128::from(divisor)),
        )
    }

    fn merge(&mut self, other: &Sum) {
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

/// What is at stake in a total beside the counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Amount {
    /// Nothing is kept: only how many values there are is asked for.
    #[default]
    Nothing,
    Sum(Sum),
    Min(Extreme),
    Max(Extreme),
}

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

    fn of(value: &Value<'_>) -> Qualified {
        let mut qualified = Qualified::EXACT;
        match value.fact.qualifier {
            Qualifier::Exact => {}
            Qualifier::AtLeast => qualified.at_least = 1,
            Qualifier::AtMost => qualified.at_most = 1,
            Qualifier::Estimate => qualified.estimate = 1,
        }
        qualified.apportioned = u64::from(value.piece.extent == Extent::Share);
        qualified
    }

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

/// A value and the piece that it came in.
#[derive(Clone, Copy)]
struct Value<'p> {
    fact: &'p Fact,
    piece: &'p Piece<'p>,
}

impl Value<'_> {
    fn key(&self) -> CellKey {
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
    fn of(values: &[Value<'_>], units: AcrossUnits) -> Option<Combined> {
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
            combined.qualified = combined.qualified.merged(Qualified::of(value));
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

impl Total {
    pub const EMPTY: Total = Total {
        reported: 0,
        values: 0,
        qualified: Qualified::EXACT,
        amount: Amount::Nothing,
    };

    /// The total of one unit's values, first put together for each base period, then folded
    /// across time in the order of their periods. `values` stand in that order.
    fn of(values: &[Value<'_>], across: Across, span: Span) -> Total {
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
            return Total::of_all(combined, across.units);
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

    fn of_all(combined: impl Iterator<Item = Combined>, units: AcrossUnits) -> Total {
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

    pub fn is_empty(&self) -> bool {
        *self == Total::EMPTY
    }

    fn merge(&mut self, other: &Total) {
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

    /// Whether the part `before` may give place to `after` without the other parts being known:
    /// not where it holds the extreme and gives way, nor where it cannot have been in this total
    /// at all.
    fn can_change(&self, before: &Total, after: &Total) -> bool {
        self.reported + after.reported >= before.reported
            && self.values + after.values >= before.values
            && self.qualified.merged(after.qualified).has(before.qualified)
            && self.amount.can_change(&before.amount, &after.amount)
    }

    /// Puts `after` in the place of the part `before`, which [`Total::can_change`].
    fn change(&mut self, before: &Total, after: &Total) {
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

impl Amount {
    fn merge(&mut self, other: &Amount) {
        match (self, other) {
            (own @ Amount::Nothing, amount) => *own = amount.clone(),
            (Amount::Sum(own), Amount::Sum(other)) => own.merge(other),
            (Amount::Min(own), Amount::Min(other)) => *own = (*own).min(*other),
            (Amount::Max(own), Amount::Max(other)) => *own = (*own).max(*other),
            // Of one indicator all totals are of one sort; its aggregation is fixed once used.
            _ => {}
        }
    }

    fn can_change(&self, gone: &Amount, come: &Amount) -> bool {
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
    fn change(&mut self, gone: &Amount, come: &Amount) {
        if let (Amount::Sum(whole), Amount::Sum(gone)) = (&mut *self, gone) {
            whole.take_out(gone);
        }
        self.merge(come);
    }
}

fn amount_of(sum: Sum, units: AcrossUnits) -> Amount {
    match units {
        AcrossUnits::Min => Amount::Min(sum.ratio()),
        AcrossUnits::Max => Amount::Max(sum.ratio()),
        _ => Amount::Sum(sum),
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

    pub fn merge(&mut self, other: &Cell) {
        self.submitted.merge(&other.submitted);
        self.approved.merge(&other.approved);
    }

    /// See [`Total::counted`].
    #[must_use]
    pub fn counted(self) -> Cell {
        Cell {
            submitted: self.submitted.counted(),
            approved: self.approved.counted(),
        }
    }

    fn can_change(&self, before: &Cell, after: &Cell) -> bool {
        self.submitted
            .can_change(&before.submitted, &after.submitted)
            && self.approved.can_change(&before.approved, &after.approved)
    }

    fn change(&mut self, before: &Cell, after: &Cell) {
        self.submitted.change(&before.submitted, &after.submitted);
        self.approved.change(&before.approved, &after.approved);
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
    pub fn get(&self, key: CellKey) -> Option<&Cell> {
        let found = self.0.binary_search_by_key(&key, |(key, _)| *key).ok();
        found.and_then(|at| self.0.get(at)).map(|(_, cell)| cell)
    }

    pub fn iter(&self) -> impl Iterator<Item = (CellKey, &Cell)> {
        self.0.iter().map(|(key, cell)| (*key, cell))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Both sides' cells of every key that one of them has.
    fn beside<'c>(
        &'c self,
        other: &'c Cells,
    ) -> impl Iterator<Item = (CellKey, Option<&'c Cell>, Option<&'c Cell>)> {
        self.0
            .iter()
            .merge_join_by(&other.0, |(a, _), (b, _)| a.cmp(b))
            .map(|pair| match pair {
                EitherOrBoth::Both((key, left), (_, right)) => (*key, Some(left), Some(right)),
                EitherOrBoth::Left((key, left)) => (*key, Some(left), None),
                EitherOrBoth::Right((key, right)) => (*key, None, Some(right)),
            })
    }

    /// Does something with the cell of each key of `others`, an empty one where there is none
    /// yet. Mostly all are there already: then nothing moves.
    fn update<T>(
        &mut self,
        others: impl Iterator<Item = (CellKey, T)>,
        mut update: impl FnMut(&mut Cell, T),
    ) {
        let mut new = Vec::new();
        let mut own = self.0.iter_mut().peekable();
        for (key, other) in others {
            while own.next_if(|(before, _)| *before < key).is_some() {}
            match own.next_if(|(same, _)| *same == key) {
                Some((_, cell)) => update(cell, other),
                None => {
                    let mut cell = Cell::default();
                    update(&mut cell, other);
                    new.push((key, cell));
                }
            }
        }
        if !new.is_empty() {
            self.0.append(&mut new);
            self.0.sort_by_key(|(key, _)| *key);
        }
    }

    fn merge(&mut self, other: Cells) {
        if self.is_empty() {
            *self = other;
            return;
        }
        self.update(other.0.into_iter(), |cell, other| cell.merge(&other));
    }

    fn retain(&mut self, mut keep: impl FnMut(CellKey, &mut Cell) -> bool) {
        self.0.retain_mut(|(key, cell)| keep(*key, cell));
    }
}

/// What of one submission counts, and how far it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    pub facts: Vec<Fact>,
    pub reached: Stage,
    /// The rev at which the values were given, which says on what map.
    pub given: i64,
}

/// The edition of a unit's contribution for one base period. Mostly there is one, and it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edition {
    /// The one that counted when the unit was divided and went on. It still stands in for those who
    /// took a part over; the unit's own part of it gave way to what the unit did since.
    HandedOver {
        /// The rev of the last division at which it counted.
        until: i64,
    },
    /// The one that counts as the unit's.
    Counting,
}

impl Edition {
    /// Before all others of a unit.
    pub const LEAST: Edition = Edition::HandedOver { until: i64::MIN };
}

/// What of one contribution counts at one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<'c> {
    pub base: Period,
    /// The unit that submitted it.
    pub source: UnitId,
    /// The rev at which the unit gave it.
    pub given: i64,
    pub report: Report,
    pub facts: Cow<'c, [Fact]>,
    /// How far the report came that it is a part of.
    pub reached: Stage,
    pub origin: Origin,
    pub extent: Extent,
    /// Whether the submission itself is counted here; it is in one place only.
    pub submission: Counted,
}

/// What is one report of a base period: all that counts at one place on the map of its last day.
/// Several submissions are one report where they were given before the map was changed and stand
/// in for the one that is expected of their successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Report {
    pub unit: UnitId,
    /// Where it is what is left of a unit on that map.
    pub leaf: Option<Leaf>,
    /// Which of the parts that it was divided into since.
    pub part: usize,
}

/// How a piece came to the unit where it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The unit submitted it.
    Own,
    /// A predecessor submitted it.
    Passed,
}

/// Whether a piece has its values as they were submitted, or shares of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    Whole,
    Share,
}

/// Whether something is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Here,
    Elsewhere,
}

impl<'c> Piece<'c> {
    /// A unit's own submission.
    pub fn own(base: Period, unit: UnitId, contribution: &'c Contribution) -> Piece<'c> {
        let report = Report {
            unit,
            leaf: None,
            part: 0,
        };
        Piece {
            base,
            source: unit,
            given: contribution.given,
            report,
            facts: Cow::Borrowed(&contribution.facts),
            reached: contribution.reached,
            origin: Origin::Own,
            extent: Extent::Whole,
            submission: Counted::Here,
        }
    }

    /// The piece where it counts at `unit`; `from` is whose it was.
    #[must_use]
    pub fn at(self, unit: UnitId, from: UnitId) -> Piece<'c> {
        let origin = match self.origin {
            Origin::Own if unit != from => Origin::Passed,
            other => other,
        };
        Piece { origin, ..self }
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
    /// The tally of what counts at one unit, in the order of base periods. A submission that is
    /// approved counts in both stages.
    pub fn of(pieces: &[Piece<'_>], aggregations: &Aggregations, span: Span) -> Tally {
        let mut values: Vec<Value<'_>> = pieces
            .iter()
            .flat_map(|piece| piece.facts.iter().map(move |fact| Value { fact, piece }))
            .collect();
        // Stable, so that each cell's values stay in the order of their periods.
        values.sort_by_key(Value::key);
        let cells = values
            .chunk_by(|a, b| a.key() == b.key())
            .filter_map(|all| {
                let key = all.first()?.key();
                let across = aggregations.of(key.indicator);
                let is_approved = |value: &&Value<'_>| value.piece.reached == Stage::Approved;
                let submitted = Total::of(all, across, span);
                let approved = match all.iter().filter(is_approved).count() {
                    0 => Total::EMPTY,
                    count if count == all.len() => submitted.clone(),
                    _ => {
                        let approved: Vec<Value<'_>> =
                            all.iter().filter(is_approved).copied().collect();
                        Total::of(&approved, across, span)
                    }
                };
                let cell = Cell {
                    submitted,
                    approved,
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

/// How many reports there are that pieces of one base period are parts of.
fn count_reports<'p>(mut pieces: impl Iterator<Item = &'p Piece<'p>>) -> u64 {
    // Nearly always there is one.
    let Some(first) = pieces.next() else {
        return 0;
    };
    let Some(second) = pieces.next() else {
        return 1;
    };
    let all = [first, second].into_iter().chain(pieces);
    let reports = all.map(|piece| piece.report).sorted_unstable().dedup();
    reports.fold(0, |count, _| count + 1)
}

/// One report as far as it is counted where its pieces are.
pub struct CountedReport<'p, 'c> {
    pub base: Period,
    pub report: Report,
    pieces: Vec<&'p Piece<'c>>,
}

impl CountedReport<'_, '_> {
    /// A report is approved once all of it is.
    pub fn is_approved(&self) -> bool {
        let mut pieces = self.pieces.iter();
        pieces.all(|piece| piece.reached == Stage::Approved)
    }

    /// Who submitted it.
    pub fn sources(&self) -> impl Iterator<Item = UnitId> {
        self.pieces.iter().map(|piece| piece.source)
    }
}

/// The reports that are counted where these pieces are, in the order of base periods.
pub fn reports_in<'p, 'c>(pieces: &'p [Piece<'c>]) -> Vec<CountedReport<'p, 'c>> {
    let mut reports: Vec<CountedReport<'p, 'c>> = Vec::new();
    for of_base in pieces.chunk_by(|a, b| a.base == b.base) {
        let first = reports.len();
        let here = of_base.iter();
        for piece in here.filter(|piece| piece.submission == Counted::Here) {
            let mut known = reports.iter_mut().skip(first);
            match known.find(|known| known.report == piece.report) {
                Some(known) => known.pieces.push(piece),
                None => reports.push(CountedReport {
                    base: piece.base,
                    report: piece.report,
                    pieces: vec![piece],
                }),
            }
        }
    }
    reports
}

/// A part of a tally, as it was and as it is. What did not change is in neither.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    before: Tally,
    after: Tally,
}

impl Change {
    pub fn between(before: &Tally, after: &Tally) -> Change {
        let (mut gone, mut come) = (Vec::new(), Vec::with_capacity(after.cells.len()));
        for (key, old, new) in before.cells.beside(&after.cells) {
            let (old, new) = differing(
                old.cloned().unwrap_or_default(),
                new.cloned().unwrap_or_default(),
            );
            if !old.is_empty() {
                gone.push((key, old));
            }
            if !new.is_empty() {
                come.push((key, new));
            }
        }
        Change {
            before: Tally {
                submissions: before.submissions,
                cells: Cells(gone),
            },
            after: Tally {
                submissions: after.submissions,
                cells: Cells(come),
            },
        }
    }

    /// Tells whether all is as it was. Changes of several parts may cancel each other out.
    pub(super) fn is_nothing(&self) -> bool {
        self.before == self.after
    }

    /// The keys of all that changes, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = CellKey> {
        self.cells().map(|(key, ..)| key)
    }

    /// Takes in the change of another part.
    pub fn merge(&mut self, other: Change) {
        self.before.merge(other.before);
        self.after.merge(other.after);
    }

    /// Leaves out the cells that `keep` refuses, on either side.
    #[must_use]
    pub(super) fn retaining(self, keep: impl Fn(CellKey, &mut Cell) -> bool) -> Change {
        Change {
            before: self.before.retaining(&keep),
            after: self.after.retaining(&keep),
        }
    }

    /// Adds the changes of cells of which there are none yet: before, and after.
    pub(super) fn add(&mut self, cells: impl Iterator<Item = (CellKey, Cell, Cell)>) {
        let (gone, come): (Vec<_>, Vec<_>) = cells
            .map(|(key, before, after)| ((key, before), (key, after)))
            .unzip();
        self.before.cells.merge(gone.into_iter().collect());
        self.after.cells.merge(come.into_iter().collect());
    }

    /// What goes and what comes, by key.
    fn cells(&self) -> impl Iterator<Item = (CellKey, &Cell, &Cell)> {
        let pairs = self.before.cells.beside(&self.after.cells);
        pairs.map(|(key, before, after)| {
            (key, before.unwrap_or(&NO_CELL), after.unwrap_or(&NO_CELL))
        })
    }

    /// Whether `whole` can be changed without knowing its other parts: not where an extreme gave
    /// way.
    pub fn fits(&self, whole: &Tally) -> bool {
        let (submissions, before, after) = (
            whole.submissions,
            self.before.submissions,
            self.after.submissions,
        );
        submissions.submitted + after.submitted >= before.submitted
            && submissions.approved + after.approved >= before.approved
            && self.cells().all(|(key, before, after)| {
                let cell = whole.cells.get(key).unwrap_or(&NO_CELL);
                cell.can_change(before, after)
            })
    }

    /// Changes `whole`, which the change [fits](Change::fits).
    pub fn apply_to(&self, whole: &mut Tally) {
        let moved = |whole: &mut u64, before: u64, after: u64| {
            *whole = (*whole + after).saturating_sub(before);
        };
        let (before, after) = (self.before.submissions, self.after.submissions);
        let submissions = &mut whole.submissions;
        moved(
            &mut submissions.submitted,
            before.submitted,
            after.submitted,
        );
        moved(&mut submissions.approved, before.approved, after.approved);
        let changes = self.cells();
        let changes = changes.map(|(key, before, after)| (key, (before, after)));
        let mut is_emptied = false;
        whole.cells.update(changes, |cell, (before, after)| {
            cell.change(before, after);
            is_emptied |= cell.is_empty();
        });
        if is_emptied {
            whole.cells.retain(|_, cell| !cell.is_empty());
        }
    }
}

const NO_CELL: Cell = Cell {
    submitted: Total::EMPTY,
    approved: Total::EMPTY,
};

/// What differs of two cells, stage by stage: an extreme that stays where it was must not look
/// as if it gave way.
pub(super) fn differing(mut old: Cell, mut new: Cell) -> (Cell, Cell) {
    if old.submitted == new.submitted {
        (old.submitted, new.submitted) = (Total::EMPTY, Total::EMPTY);
    }
    if old.approved == new.approved {
        (old.approved, new.approved) = (Total::EMPTY, Total::EMPTY);
    }
    (old, new)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::rollup::node::Rollup;

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

        /// Where a change cannot be applied, an extreme gave way: with sums alone it always can.
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
