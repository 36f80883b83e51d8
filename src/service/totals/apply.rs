//! Applies changes of submissions to the totals of every ancestor. Never how a total is made.

use super::board::{Applied, Board, ChangedPart, Needed, Others, OwnChange, without_revs};
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::hierarchy::Position;
use crate::domain::id::UnitId;
use crate::rollup::encode::YearOfRollups;
use crate::rollup::node::{KeptRollup, Rollup};
use crate::service::application::locate::Located;
use crate::service::application::snapshot::Snapshot;
use crate::store::key::Units;
use crate::store::rollup::{rollups_put, years_of, years_put};
use crate::store::{StoreError, Transaction};

/// Updates the totals of every ancestor after changes on one form and base period. Returns the
/// changed rollups of the base period.
pub(in crate::service) fn apply(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
    changes: &[OwnChange],
    rev: i64,
) -> Result<BTreeMap<Position, Rollup>, StoreError> {
    let form = located.form().number;
    let board = Board::of(snapshot, located.in_force.period);
    let reach = board.reach(located.period(), changes);
    let rows = without_revs(board.kept(transaction, reach.all())?);
    let needed = board.needed(located.period(), changes, &reach, &rows);
    let known = needed.load(transaction, form)?;
    let mut others = Others::new(form, board.carrier.bases.clone());
    let Applied { rollups, changed } = board.apply(
        transaction,
        located.period(),
        changes,
        reach,
        rows,
        &known,
        &mut others,
    )?;
    let rows = board.rows(&rollups);
    let rows = rows.filter(|(place, _)| changed.contains(&place.position()));
    let rows = rows.map(|(place, rollup)| (place.unit(), rollup));
    rollups_put(transaction, form, located.period(), rows, rev)?;
    apply_to_longer_periods(transaction, snapshot, located, changes, rev)?;
    Ok(rollups)
}

/// Updates the longer periods. A unit's longer periods of a year share one row, which is read and
/// written once.
fn apply_to_longer_periods(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
    changes: &[OwnChange],
    rev: i64,
) -> Result<(), StoreError> {
    let form = located.form();
    let (base, year) = (located.period(), located.period().year());
    let longer = form.longer_periods_with(&located.in_force.period);
    let boards: Vec<Board<'_>> = longer
        .into_iter()
        .map(|period| Board::of(snapshot, period))
        .collect();
    if boards.is_empty() {
        return Ok(());
    }
    let reaches: Vec<ChangedPart> = boards
        .iter()
        .map(|board| board.reach(base, changes))
        .collect();
    let units: BTreeSet<UnitId> = boards
        .iter()
        .zip(&reaches)
        .flat_map(|(board, reach)| board.units_with_rows(reach.all()))
        .collect();
    let units: Vec<UnitId> = units.into_iter().collect();
    let stored = years_of(transaction, form.number, year, Units::These(&units))?;
    let mut years: BTreeMap<UnitId, YearOfRollups> = stored.into_iter().collect();
    let mut changed_units = BTreeSet::new();
    let mut needed = Needed::default();
    let mut parts = Vec::with_capacity(boards.len());
    for (board, reach) in boards.iter().zip(reaches) {
        let kept = board.taken_from(&mut years, &reach);
        let revs: BTreeMap<Position, i64> = kept
            .iter()
            .map(|(position, kept)| (*position, kept.rev))
            .collect();
        let rows = without_revs(kept);
        needed.extend(board.needed(base, changes, &reach, &rows));
        parts.push((board, reach, rows, revs));
    }
    let known = needed.load(transaction, form.number)?;
    let maps = boards.iter().flat_map(|board| board.carrier.bases.clone());
    let mut others = Others::new(form.number, maps.collect());
    for (board, reach, rows, revs) in parts {
        let Applied { rollups, changed } =
            board.apply(transaction, base, changes, reach, rows, &known, &mut others)?;
        let period = board.period.period;
        for (place, rollup) in board.owned_rows(rollups) {
            let former = revs.get(&place.position()).copied();
            let is_changed = changed.contains(&place.position());
            let kept_since = if is_changed { Some(rev) } else { former };
            if let Some(rev) = kept_since {
                let year = years.entry(place.unit()).or_default();
                year.insert(period, KeptRollup { rollup, rev });
            }
            if is_changed {
                changed_units.insert(place.unit());
            }
        }
    }
    years.retain(|unit, _| changed_units.contains(unit));
    years_put(transaction, form.number, year, &years, rev)
}
