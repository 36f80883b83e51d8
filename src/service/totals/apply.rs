//! Applies changes of submissions to the totals of every ancestor: reads the rows that they reach,
//! climbs, and writes. Never how a total is made.

use std::collections::{BTreeMap, BTreeSet};

use super::board::{
    Board, ChangedPart, Climbed, Climbing, Needed, Others, OwnChange, Shared, around, without_revs,
};
use crate::domain::hierarchy::Position;
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::rollup::carry::Contributions;
use crate::rollup::encode::YearOfRollups;
use crate::rollup::node::{KeptRollup, Rollup};
use crate::service::application::locate::Located;
use crate::service::application::side_by_side::side_by_side;
use crate::service::application::snapshot::Snapshot;
use crate::store::key::Units;
use crate::store::rollup::{rollups_put, years_of, years_put};
use crate::store::{StoreError, Transaction};

/// Changes on one form and base period, with everything that must be known before they climb: from
/// here to [`Added`] the database is asked only where an extreme gives way.
pub(in crate::service) struct Adding<'s> {
    form: FormNumber,
    base: Period,
    /// The rev of the commit.
    rev: i64,
    /// The base period's board, then those of the longer periods.
    climbing: Vec<Climbing<'s>>,
    years: YearsChanging,
    before: Contributions,
    after: Contributions,
}

/// Changes that have climbed to the top, and are not written yet.
pub(in crate::service) struct Added<'s> {
    form: FormNumber,
    base: Period,
    rev: i64,
    climbed: Vec<Climbed<'s>>,
    years: YearsChanging,
}

impl<'s> Adding<'s> {
    /// Reads the rows that changes reach. A unit's longer periods of a year share one row.
    pub fn read(
        transaction: &mut Transaction<'_>,
        snapshot: &'s Snapshot,
        located: &'s Located<'s>,
        changes: &[OwnChange],
    ) -> Result<Adding<'s>, StoreError> {
        let form = located.form();
        let base = located.period();
        let board = Board::of(snapshot, located.in_force.period);
        let longer = form.longer_periods_with(&located.in_force.period);
        let longer = longer.into_iter();
        let longer: Vec<Board<'s>> = longer.map(|period| Board::of(snapshot, period)).collect();
        let mut climbing = vec![Climbing::of_base(transaction, board, base, changes)?];
        let years = YearsChanging::read(transaction, form.number, base, longer, changes)?;
        let (years, of_year) = years;
        climbing.extend(of_year);
        let mut needed = Needed::default();
        for one in &climbing {
            needed.extend(one.needed(base, changes));
        }
        let known = needed.load(transaction, form.number)?;
        let (before, after) = around(base, changes, &known);
        Ok(Adding {
            form: form.number,
            base,
            rev: snapshot.counters.rev,
            climbing,
            years,
            before,
            after,
        })
    }

    /// Climbs the trees of the base period and of each longer period, side by side.
    ///
    /// # Errors
    /// Those of reading the neighbours of an extreme that gives way.
    pub fn climb(self, transaction: &Shared<'_, '_>) -> Result<Added<'s>, StoreError> {
        let maps = self.climbing.iter();
        let maps = maps.flat_map(|one| one.board.maps().clone()).collect();
        let others = Others::new(transaction, self.form, maps);
        let climbed = side_by_side(self.climbing, |one| {
            one.climb(&self.before, &self.after, &others)
        });
        Ok(Added {
            form: self.form,
            base: self.base,
            rev: self.rev,
            climbed: climbed.into_iter().collect::<Result<_, StoreError>>()?,
            years: self.years,
        })
    }
}

impl Added<'_> {
    /// Returns the form and the base period.
    pub fn of(&self) -> (FormNumber, Period) {
        (self.form, self.base)
    }

    /// Writes the rows that have changed. Returns the base period's rollups.
    pub fn write(
        self,
        transaction: &mut Transaction<'_>,
    ) -> Result<BTreeMap<Position, Rollup>, StoreError> {
        let rev = self.rev;
        let mut climbed = self.climbed.into_iter();
        let Some(own) = climbed.next() else {
            return Ok(BTreeMap::new());
        };
        let rows = own.board.rows(&own.rollups);
        let rows = rows.filter(|(place, _)| own.changed.contains(&place.position()));
        let rows = rows.map(|(place, rollup)| (place.unit(), rollup));
        rollups_put(transaction, self.form, self.base, rows, rev)?;
        let mut years = self.years;
        for of_period in climbed {
            years.put_back(of_period, rev);
        }
        years.write(transaction, self.form, self.base.year(), rev)?;
        Ok(own.rollups)
    }
}

/// The rows of a year that changes reach, while they change.
struct YearsChanging {
    rows: BTreeMap<UnitId, YearOfRollups>,
    /// The rev of each rollup that was taken out of its row, by period and place.
    revs: BTreeMap<(Period, Position), i64>,
    changed: BTreeSet<UnitId>,
}

impl YearsChanging {
    /// Reads the rows, and takes the rollups of each board out of them.
    fn read<'s>(
        transaction: &mut Transaction<'_>,
        form: FormNumber,
        base: Period,
        boards: Vec<Board<'s>>,
        changes: &[OwnChange],
    ) -> Result<(YearsChanging, Vec<Climbing<'s>>), StoreError> {
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
        let rows = match boards.is_empty() {
            true => BTreeMap::new(),
            false => years_of(transaction, form, base.year(), Units::These(&units))?
                .into_iter()
                .collect(),
        };
        let mut years = YearsChanging {
            rows,
            revs: BTreeMap::new(),
            changed: BTreeSet::new(),
        };
        let boards = boards.into_iter().zip(reaches);
        let climbing = boards.map(|(board, reach)| years.take_out(board, reach));
        let climbing = climbing.collect();
        Ok((years, climbing))
    }

    fn take_out<'s>(&mut self, board: Board<'s>, reach: ChangedPart) -> Climbing<'s> {
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
    }

    /// Puts a period's rollups back into the rows. Those that have not changed keep their rev.
    fn put_back(&mut self, climbed: Climbed<'_>, rev: i64) {
        let Climbed {
            board,
            rollups,
            changed,
        } = climbed;
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
