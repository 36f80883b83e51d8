//! Applies changes of submissions to the totals of every ancestor. Never how a total is made.

use std::collections::{BTreeMap, BTreeSet};

use super::board::{
    Applied, Board, ChangedPart, Climbing, Needed, Others, OwnChange, around, without_revs,
};
use crate::domain::hierarchy::Position;
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::rollup::encode::YearOfRollups;
use crate::rollup::node::{KeptRollup, Rollup};
use crate::service::application::locate::Located;
use crate::service::application::side_by_side::side_by_side;
use crate::service::application::snapshot::Snapshot;
use crate::store::key::Units;
use crate::store::rollup::{rollups_put, years_of, years_put};
use crate::store::{StoreError, Transaction};

/// Updates the totals of every ancestor after changes on one form and base period. Returns the
/// changed rollups of the base period.
///
/// The base period and each longer period climb their trees side by side. A unit's longer periods
/// of a year share one row, which is read and written once.
pub(in crate::service) fn apply(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
    changes: &[OwnChange],
    rev: i64,
) -> Result<BTreeMap<Position, Rollup>, StoreError> {
    let form = located.form();
    let (base, year) = (located.period(), located.period().year());
    let board = Board::of(snapshot, located.in_force.period);
    let longer = form.longer_periods_with(&located.in_force.period);
    let longer: Vec<Board<'_>> = longer
        .into_iter()
        .map(|period| Board::of(snapshot, period))
        .collect();

    let own = Climbing::of_base(transaction, &board, base, changes)?;
    let mut years = YearsChanging::read(transaction, form.number, year, &longer, base, changes)?;
    let climbing = [own].into_iter().chain(years.take_climbing(&longer));
    let climbing: Vec<Climbing<'_, '_>> = climbing.collect();

    let mut needed = Needed::default();
    for one in &climbing {
        needed.extend(one.needed(base, changes));
    }
    let known = needed.load(transaction, form.number)?;
    let (before, after) = around(base, changes, &known);
    let maps = [&board].into_iter().chain(&longer);
    let maps = maps.flat_map(|board| board.carrier.bases.clone());
    let mut applied = {
        let others = Others::new(transaction, form.number, maps.collect());
        let applied = side_by_side(climbing, |one| one.apply(&before, &after, &others));
        applied.into_iter()
    };

    let Some(own) = applied.next().transpose()? else {
        return Ok(BTreeMap::new());
    };
    let rows = board.rows(&own.rollups);
    let rows = rows.filter(|(place, _)| own.changed.contains(&place.position()));
    let rows = rows.map(|(place, rollup)| (place.unit(), rollup));
    rollups_put(transaction, form.number, base, rows, rev)?;
    for (board, applied) in longer.iter().zip(applied) {
        years.put_back(board, applied?, rev);
    }
    years.write(transaction, form.number, year, rev)?;
    Ok(own.rollups)
}

/// The rows of a year that changes reach, while they change.
struct YearsChanging {
    rows: BTreeMap<UnitId, YearOfRollups>,
    /// What the changes reach on each longer period's board, in the order of the boards.
    reaches: Vec<ChangedPart>,
    /// The rev of each rollup that was taken out of its row, by period and place.
    revs: BTreeMap<(Period, Position), i64>,
    changed: BTreeSet<UnitId>,
}

impl YearsChanging {
    fn read(
        transaction: &mut Transaction<'_>,
        form: FormNumber,
        year: i32,
        boards: &[Board<'_>],
        base: Period,
        changes: &[OwnChange],
    ) -> Result<YearsChanging, StoreError> {
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
        let rows = match boards {
            [] => BTreeMap::new(),
            _ => years_of(transaction, form, year, Units::These(&units))?
                .into_iter()
                .collect(),
        };
        Ok(YearsChanging {
            rows,
            reaches,
            revs: BTreeMap::new(),
            changed: BTreeSet::new(),
        })
    }

    /// Takes the rollups of each board out of the rows.
    fn take_climbing<'b, 's>(&mut self, boards: &'b [Board<'s>]) -> Vec<Climbing<'b, 's>> {
        let reaches = std::mem::take(&mut self.reaches);
        let boards = boards.iter().zip(reaches);
        let climbing = boards.map(|(board, reach)| {
            let kept = board.taken_from(&mut self.rows, &reach);
            let revs = kept
                .iter()
                .map(|(position, kept)| ((board.period.period, *position), kept.rev));
            self.revs.extend(revs);
            Climbing {
                board,
                reach,
                rows: without_revs(kept),
            }
        });
        climbing.collect()
    }

    /// Puts a board's rollups back into the rows. Those that have not changed keep their rev.
    fn put_back(&mut self, board: &Board<'_>, applied: Applied, rev: i64) {
        let Applied { rollups, changed } = applied;
        let period = board.period.period;
        for (place, rollup) in board.owned_rows(rollups) {
            let is_changed = changed.contains(&place.position());
            let former = self.revs.get(&(period, place.position())).copied();
            if let Some(rev) = if is_changed { Some(rev) } else { former } {
                let year = self.rows.entry(place.unit()).or_default();
                year.insert(period, KeptRollup { rollup, rev });
            }
            if is_changed {
                self.changed.insert(place.unit());
            }
        }
    }

    fn write(
        mut self,
        transaction: &mut Transaction<'_>,
        form: FormNumber,
        year: i32,
        rev: i64,
    ) -> Result<(), StoreError> {
        self.rows.retain(|unit, _| self.changed.contains(unit));
        years_put(transaction, form, year, &self.rows, rev)
    }
}
