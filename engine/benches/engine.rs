//! Measures each step of the pure engine, without a clock, a database or HTTP.
//!
//! `cargo bench --bench engine` runs all in a few seconds, `cargo bench --bench engine climb` what
//! has that in its name; `cargo test --bench engine` does each once. The case is one province of 10
//! towns, 100 communes and 1,000 hamlets, a form of 40 indicators, values of seven digits; every
//! other hamlet's report is approved. Where a line has several, they are the indicators'
//! aggregation across units; all others are sums.
//!
//! * `tally_of_submission`, `tally_of_year`: the tally of one hamlet's report of a month, and of
//!   its twelve reports as the year's.
//! * `merge`: two hamlets' tallies as one.
//! * `correct`, `retract`: the change from one hamlet's tally to its corrected one, or to nothing,
//!   and the province's tally after it.
//! * `climb`: 256 corrected hamlets, taken up through towns and communes to the province as one
//!   batch. If a smallest value was raised, its unit is merged again from its children.
//! * `fold`: everything recomputed from the tallies of the 1,000 hamlets.
//! * `pack_facts`, `unpack_facts`: one report's values, as a revision keeps them.
//! * `pack_rollup`, `unpack_rollup`: the province's rollup of one period, as its row keeps it.
//! * `pack_year`, `unpack_year`: the province's rollups of all longer periods of a monthly form.

#![expect(
    clippy::expect_used,
    reason = "without its case a benchmark has nothing to measure"
)]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use divan::{Bencher, black_box};
use tonghop_engine::domain::catalogue::Aggregations;
use tonghop_engine::domain::form::Span;
use tonghop_engine::domain::hierarchy::{Hierarchy, Place, Position, Tree};
use tonghop_engine::domain::id::{IndicatorNumber, OptionNumber, UnitId};
use tonghop_engine::domain::indicator::{Across, AcrossTime, AcrossUnits};
use tonghop_engine::domain::level::LevelPreset;
use tonghop_engine::domain::period::{CalendarPeriod, Frequency, Period};
use tonghop_engine::domain::quantity::Qualifier;
use tonghop_engine::domain::submission::{Fact, Nil, Stage};
use tonghop_engine::domain::succession::Successions;
use tonghop_engine::domain::unit::{BEGINNING, UnitFact, Validity};
use tonghop_engine::rollup::change::Change;
use tonghop_engine::rollup::climb::{climb as take_up, touched};
use tonghop_engine::rollup::encode::{self, YearOfRollups};
use tonghop_engine::rollup::fold::fold as fold_anew;
use tonghop_engine::rollup::node::{KeptRollup, Rollup};
use tonghop_engine::rollup::piece::{Contribution, Piece};
use tonghop_engine::rollup::tally::Tally;

const INDICATORS: u32 = 40;
/// The number of children of each unit on the first three levels.
const BELOW: u32 = 10;
const CHANGES: usize = 256;
const YEAR: i32 = 2024;

fn main() {
    divan::main();
}

#[divan::bench]
fn tally_of_submission(bencher: Bencher<'_, '_>) {
    let aggregations = aggregations(AcrossUnits::Sum);
    let report = report(1);
    let pieces = [Piece::own(month(1), UnitId::new(), &report)];
    bencher.bench(|| Tally::of(black_box(&pieces), &aggregations, Span::BasePeriod));
}

#[divan::bench]
fn tally_of_year(bencher: Bencher<'_, '_>) {
    let aggregations = aggregations(AcrossUnits::Sum);
    let hamlet = UnitId::new();
    let reports: Vec<Contribution> = (1..=12).map(report).collect();
    let pieces: Vec<Piece<'_>> = (1..)
        .zip(&reports)
        .map(|(number, report)| Piece::own(month(number), hamlet, report))
        .collect();
    bencher.bench(|| Tally::of(black_box(&pieces), &aggregations, Span::LongPeriod));
}

#[divan::bench(args = [AcrossUnits::Sum, AcrossUnits::Min])]
fn merge(bencher: Bencher<'_, '_>, units: AcrossUnits) {
    let aggregations = aggregations(units);
    let (one, other) = (tally(1, &aggregations), tally(2, &aggregations));
    bencher
        .with_inputs(|| (one.clone(), other.clone()))
        .bench_values(|(one, other)| black_box(one).merged(black_box(other)));
}

#[divan::bench]
fn correct(bencher: Bencher<'_, '_>) {
    let province = Province::reported(AcrossUnits::Sum);
    let before = province.tally(1);
    let after = province.corrected(1);
    bencher
        .with_inputs(|| province.rollup().below)
        .bench_values(|whole| changed(whole, &before, &after));
}

#[divan::bench]
fn retract(bencher: Bencher<'_, '_>) {
    let province = Province::reported(AcrossUnits::Sum);
    let (before, nothing) = (province.tally(1), Tally::default());
    bencher
        .with_inputs(|| province.rollup().below)
        .bench_values(|whole| changed(whole, &before, &nothing));
}

fn changed(mut whole: Tally, before: &Tally, after: &Tally) -> Tally {
    let change = Change::between(before, after);
    assert!(change.fits(&whole), "a sum can change");
    change.apply_to(&mut whole);
    whole
}

#[divan::bench(args = [AcrossUnits::Sum, AcrossUnits::Min])]
fn climb(bencher: Bencher<'_, '_>, units: AcrossUnits) {
    let province = Province::reported(units);
    // From all over the province, as they come on the last evening.
    let corrected: BTreeMap<Position, Tally> = (1..)
        .zip(hamlets(&province.tree))
        .step_by(3)
        .take(CHANGES)
        .map(|(number, hamlet)| (hamlet.position(), province.corrected(number)))
        .collect();
    let rollups = province.rollups_at(touched(&province.tree, corrected.keys().copied()));
    bencher
        .with_inputs(|| (rollups.clone(), corrected.clone()))
        .bench_values(|(mut rollups, corrected)| {
            let kept = |parts| Ok::<_, Infallible>(province.rollups_at(parts));
            let aggregations = &province.aggregations;
            let taken = take_up(&province.tree, aggregations, &mut rollups, corrected, kept);
            (taken, rollups)
        });
}

#[divan::bench(args = [AcrossUnits::Sum, AcrossUnits::Min])]
fn fold(bencher: Bencher<'_, '_>, units: AcrossUnits) {
    let aggregations = aggregations(units);
    let tree = tree();
    let own = own(&tree, &aggregations);
    bencher.bench(|| {
        let places = tree.places_with_leaves();
        fold_anew(places, &aggregations, black_box(&own), BTreeMap::new())
    });
}

#[divan::bench]
fn pack_facts(bencher: Bencher<'_, '_>) {
    let facts = report(1).facts;
    bencher.bench(|| encode::pack_facts(black_box(&facts), Nil::NotDeclared));
}

#[divan::bench]
fn unpack_facts(bencher: Bencher<'_, '_>) {
    let packed = encode::pack_facts(&report(1).facts, Nil::NotDeclared).expect("facts are packed");
    bencher.bench(|| encode::unpack_facts(black_box(&packed)));
}

#[divan::bench]
fn pack_rollup(bencher: Bencher<'_, '_>) {
    let rollup = Province::reported(AcrossUnits::Sum).rollup();
    bencher.bench(|| encode::pack_rollup(black_box(&rollup)));
}

#[divan::bench]
fn unpack_rollup(bencher: Bencher<'_, '_>) {
    let rollup = Province::reported(AcrossUnits::Sum).rollup();
    let packed = encode::pack_rollup(&rollup).expect("a rollup is packed");
    bencher.bench(|| encode::unpack_rollup(black_box(&packed)));
}

#[divan::bench]
fn pack_year(bencher: Bencher<'_, '_>) {
    let year = year_of_province();
    bencher.bench(|| encode::pack_year(black_box(&year)));
}

#[divan::bench]
fn unpack_year(bencher: Bencher<'_, '_>) {
    let packed = encode::pack_year(&year_of_province()).expect("a year is packed");
    bencher.bench(|| encode::unpack_year(black_box(&packed), 1));
}

/// The case, with every hamlet's report in.
struct Province {
    tree: Arc<Tree>,
    aggregations: Aggregations,
    rollups: BTreeMap<Position, Rollup>,
}

impl Province {
    fn reported(units: AcrossUnits) -> Province {
        let tree = tree();
        let aggregations = aggregations(units);
        let own = own(&tree, &aggregations);
        let rollups = fold_anew(
            tree.places_with_leaves(),
            &aggregations,
            &own,
            BTreeMap::new(),
        );
        Province {
            tree,
            aggregations,
            rollups,
        }
    }

    fn tally(&self, hamlet: u32) -> Tally {
        tally(hamlet, &self.aggregations)
    }

    /// The tally of a hamlet that has raised all its values.
    fn corrected(&self, hamlet: u32) -> Tally {
        let mut report = report(hamlet);
        for fact in &mut report.facts {
            fact.mantissa += 1;
        }
        tally_of(&report, &self.aggregations)
    }

    fn rollup(&self) -> Rollup {
        let province = self.tree.places().next().expect("a province");
        let rollup = self.rollups.get(&province.position());
        rollup.expect("the province's rollup").clone()
    }

    fn rollups_at(
        &self,
        positions: impl IntoIterator<Item = Position>,
    ) -> BTreeMap<Position, Rollup> {
        let positions = positions.into_iter();
        let rollups =
            positions.filter_map(|position| Some((position, self.rollups.get(&position)?.clone())));
        rollups.collect()
    }
}

fn tree() -> Arc<Tree> {
    let levels = LevelPreset::Vietnam.levels();
    let mut facts: Vec<UnitFact> = Vec::new();
    let mut parents = vec![None];
    let mut below = 1;
    for level in &levels {
        let first = facts.len();
        for parent in parents {
            for _ in 0..below {
                let code = format!("{}", facts.len());
                facts.push(UnitFact {
                    unit: UnitId::new(),
                    validity: Validity::ALWAYS,
                    code: code.parse().expect("a number is a code"),
                    name: code,
                    kind: None,
                    level: level.code.clone(),
                    parent,
                });
            }
        }
        let planted = facts.iter().skip(first);
        parents = planted.map(|fact| Some(fact.unit)).collect();
        below = BELOW;
    }
    Hierarchy::new(levels, facts, Successions::default()).tree_on(BEGINNING)
}

fn hamlets(tree: &Tree) -> impl Iterator<Item = Place<'_>> {
    tree.places().filter(|place| !place.has_parts())
}

fn aggregations(units: AcrossUnits) -> Aggregations {
    let time = AcrossTime::Sum;
    Aggregations::new(indicators().map(|indicator| (indicator, Across { units, time })))
}

fn indicators() -> impl Iterator<Item = IndicatorNumber> {
    (1..=INDICATORS).map(IndicatorNumber::new)
}

/// Returns each hamlet's own tally.
fn own(tree: &Tree, aggregations: &Aggregations) -> BTreeMap<Position, Tally> {
    let hamlets = (1..).zip(hamlets(tree));
    let own = hamlets.map(|(number, hamlet)| (hamlet.position(), tally(number, aggregations)));
    own.collect()
}

fn tally(hamlet: u32, aggregations: &Aggregations) -> Tally {
    tally_of(&report(hamlet), aggregations)
}

fn tally_of(report: &Contribution, aggregations: &Aggregations) -> Tally {
    let pieces = [Piece::own(month(1), UnitId::new(), report)];
    Tally::of(&pieces, aggregations, Span::BasePeriod)
}

/// Makes a report, a different one for every number.
fn report(number: u32) -> Contribution {
    let facts = indicators().map(|indicator| Fact {
        indicator,
        option: OptionNumber::TOTAL,
        mantissa: value(number, indicator),
        qualifier: Qualifier::Exact,
    });
    Contribution {
        facts: facts.collect(),
        reached: match number.is_multiple_of(2) {
            true => Stage::Approved,
            false => Stage::Submitted,
        },
        given: 1,
    }
}

/// Returns seven digits that look random and are the same in every run.
fn value(number: u32, indicator: IndicatorNumber) -> i64 {
    let mixed = i64::from(number) * 7_368_787 + i64::from(indicator.get()) * 1_299_709;
    1_000_000 + mixed % 9_000_000
}

fn month(number: usize) -> Period {
    let months = CalendarPeriod::of_year(Frequency::Month, YEAR);
    let month = months.get(number - 1).copied();
    month.map(Period::Calendar).expect("a month of twelve")
}

fn year_of_province() -> YearOfRollups {
    let rollup = Province::reported(AcrossUnits::Sum).rollup();
    let kept = KeptRollup { rollup, rev: 1 };
    let periods = CalendarPeriod::coarser(Frequency::Month, YEAR).into_iter();
    let year = periods.map(|period| (Period::Calendar(period), kept.clone()));
    year.collect()
}
