//! Verification: folds every total from the submissions and compares it with the stored one. A
//! difference is a fault of the program or of the disk, never of a caller.

use crate::service::application::name::PeriodName;
use crate::service::application::name::UnitName;
use crate::service::totals::cell::{CellView, Figuring};
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::authn::Identity;
use crate::authz::Scope;
use crate::domain::form::FormPeriod;
use crate::domain::hierarchy::{Place, Position};
use crate::domain::id::FormCode;
use crate::domain::period::Period;
use crate::domain::submission::Stage;
use crate::rollup::node::{KeptRollup, Rollup};
use crate::service::application::Application;
use crate::service::application::locate::{Located, ReportPath};
use crate::service::application::snapshot::Snapshot;
use crate::service::report::map::Left;
use crate::service::report::rollup::RollupError;
use crate::service::totals::{self, Board};
use crate::store::{StoreError, Transaction};

/// A unit's stored totals, and the same folded from the submissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct VerificationView {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    /// If true, the stored totals of the unit and everything below it are correct.
    pub equal: bool,
    /// The number of units compared: this one, those below it, and the undivided parts of former
    /// units in which it has a share.
    pub compared: usize,
    /// The units that differ; there should be none.
    pub differing: Vec<UnitName>,
    /// Figures that are taken from another form are shown as they are there, and verified with that
    /// form.
    pub kept: BothStages,
    pub folded: BothStages,
}

/// A report's cells in each stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BothStages {
    pub submitted: Vec<CellView>,
    pub approved: Vec<CellView>,
}

/// Whole subtrees, as stored and as folded.
#[derive(Default)]
struct Compared {
    kept: BTreeMap<Position, Rollup>,
    folded: BTreeMap<Position, Rollup>,
}

impl Compared {
    /// Compares whole subtrees, or the units above them; `below` then has the folded tops.
    fn of(
        transaction: &mut Transaction<'_>,
        board: &Board<'_>,
        places: &[Place<'_>],
        below: BTreeMap<Position, Rollup>,
    ) -> Result<Compared, StoreError> {
        let folded = board.folded(transaction, places, below)?;
        let positions = places.iter().map(|place| place.position());
        let kept = board.rollups(transaction, positions)?;
        let kept = kept
            .into_iter()
            .map(|(position, stored)| (position, stored.rollup));
        Ok(Compared {
            kept: kept.collect(),
            folded,
        })
    }

    fn differs(&self, place: Place<'_>) -> bool {
        let at = |rollups: &BTreeMap<Position, Rollup>| {
            rollups.get(&place.position()).cloned().unwrap_or_default()
        };
        at(&self.kept) != at(&self.folded)
    }

    /// Forgets everything except `places`.
    fn retain(&mut self, places: &[Place<'_>]) {
        let positions: BTreeSet<Position> = places.iter().map(|place| place.position()).collect();
        for rollups in [&mut self.kept, &mut self.folded] {
            rollups.retain(|position, _| positions.contains(position));
        }
    }
}

/// The number of units held in memory at once: a country's year is more than a small server has.
/// Few enough to be asked for by id.
const MOST_AT_ONCE: usize = 1000;

/// A tree cut into blocks that fit into memory.
#[derive(Default)]
struct Blocks<'t> {
    /// The tops of whole subtrees, grouped into blocks of at most the wanted size.
    tops: Vec<Vec<Place<'t>>>,
    /// The units above them, in preorder.
    above: Vec<Place<'t>>,
}

impl<'t> Blocks<'t> {
    /// Cuts `places`, which are one or more whole subtrees in preorder.
    fn of(places: &[Place<'t>], most: usize) -> Blocks<'t> {
        let mut blocks = Blocks::default();
        let mut last: Option<Place<'t>> = None;
        let mut room = 0;
        for place in places {
            if last.is_some_and(|top| top.covers(*place)) {
                continue;
            }
            let size = place.subtree_with_leaves().count();
            if size > most {
                blocks.above.push(*place);
                continue;
            }
            last = Some(*place);
            match blocks.tops.last_mut().filter(|_| size <= room) {
                Some(block) => block.push(*place),
                None => {
                    blocks.tops.push(vec![*place]);
                    room = most;
                }
            }
            room -= size;
        }
        blocks
    }
}

/// The result of comparing many units.
struct Differences {
    differing: Vec<UnitName>,
    /// The uppermost units, down to where the rest fits into memory.
    upper: Compared,
}

/// Compares each of `places`, which are one or more whole subtrees in preorder.
fn compare(
    transaction: &mut Transaction<'_>,
    board: &Board<'_>,
    places: &[Place<'_>],
) -> Result<Differences, StoreError> {
    let blocks = Blocks::of(places, MOST_AT_ONCE);
    let mut differing: BTreeMap<Position, UnitName> = BTreeMap::new();
    let mut note = |comparison: &Compared, places: &[Place<'_>]| {
        let found = places.iter().filter(|place| comparison.differs(**place));
        differing.extend(found.map(|place| (place.position(), UnitName::of(*place))));
    };
    let mut upper = Compared::default();
    for tops in &blocks.tops {
        let subtrees = tops.iter().flat_map(|top| top.subtree_with_leaves());
        let subtrees: Vec<Place<'_>> = subtrees.collect();
        let mut comparison = Compared::of(transaction, board, &subtrees, BTreeMap::new())?;
        note(&comparison, &subtrees);
        comparison.retain(tops);
        upper.kept.append(&mut comparison.kept);
        upper.folded.append(&mut comparison.folded);
    }
    let mut above = Compared::of(transaction, board, &blocks.above, upper.folded)?;
    note(&above, &blocks.above);
    above.kept.append(&mut upper.kept);
    Ok(Differences {
        differing: differing.into_values().collect(),
        upper: above,
    })
}

/// Folds a unit's report and returns it with the stored one.
///
/// # Errors
/// [`RollupError`].
pub fn verify_rollup(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
) -> Result<VerificationView, RollupError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate_report(path, None)?;
        let place = located.place();
        let _permit = snapshot.may_read(&located)?;
        let board = Board::of(snapshot, located.in_force.period);
        let outside = Left::of(transaction, snapshot, &located)?.outside();
        let places = place.subtree_with_leaves().chain(outside);
        let places: Vec<Place<'_>> = places.collect();
        let Differences { differing, upper } = compare(transaction, &board, &places)?;
        Ok(VerificationView {
            form: located.form().code.to_string(),
            period: PeriodName::of(&located.in_force.period),
            unit: UnitName::of(place),
            equal: differing.is_empty(),
            compared: places.len(),
            differing,
            kept: both_stages(transaction, snapshot, &located, &upper.kept)?,
            folded: both_stages(transaction, snapshot, &located, &upper.folded)?,
        })
    })
}

/// Shows a unit's cells. Those of other forms are as they are kept there.
fn both_stages(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
    rollups: &BTreeMap<Position, Rollup>,
) -> Result<BothStages, StoreError> {
    let place = located.place();
    let position = place.position();
    let rollup = rollups.get(&position).cloned().unwrap_or_default();
    let own = BTreeMap::from([(position, KeptRollup { rollup, rev: 0 })]);
    let mut joined = totals::join(own, &located.in_force, |giving| {
        Board::of(snapshot, giving).rollups(transaction, [position])
    })?;
    let rollup = joined.remove(&position).unwrap_or_default().rollup;
    let cells = |stage| Figuring::of(snapshot, located, stage).cells(&rollup, place);
    Ok(BothStages {
        submitted: cells(Stage::Submitted)?,
        approved: cells(Stage::Approved)?,
    })
}

/// A form's period, base or long, that has submissions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportedPeriod {
    pub form: FormCode,
    pub period: Period,
}

/// Lists all periods of a tenant with submissions, and the longer ones made of them.
///
/// # Errors
/// Those of the store.
pub fn reported_periods(
    application: &Application,
    scope: &Scope,
) -> Result<Vec<ReportedPeriod>, StoreError> {
    application.inspecting(scope, |transaction, snapshot| {
        let periods = totals::reported_periods(transaction, snapshot)?;
        let named = periods.iter().map(|period| ReportedPeriod {
            form: period.form.code.clone(),
            period: period.period,
        });
        Ok(named.collect())
    })
}

/// Folds a period from one snapshot and compares every unit. Returns those that differ; there
/// should be none.
///
/// # Errors
/// Those of the store.
pub fn verify_period(
    application: &Application,
    scope: &Scope,
    reported: &ReportedPeriod,
) -> Result<Vec<UnitName>, StoreError> {
    application.inspecting(scope, |transaction, snapshot| {
        let period: Option<FormPeriod<'_>> = snapshot
            .catalogue
            .form(&reported.form)
            .and_then(|form| form.period(reported.period));
        let Some(period) = period else {
            return Ok(Vec::new());
        };
        let board = Board::of(snapshot, period);
        let places: Vec<Place<'_>> = board.tree().places_with_leaves().collect();
        Ok(compare(transaction, &board, &places)?.differing)
    })
}
