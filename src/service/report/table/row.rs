//! The rows of a table: reads the rollups of some hundred units at a time, and takes the figures of the
//! columns out of them.

use std::collections::BTreeMap;

use crate::domain::hierarchy::{Place, Position};
use crate::domain::id::UnitId;
use crate::rollup::node::{KeptRollup, Rollup};
use crate::service::application::name::UnitName;
use crate::service::application::snapshot::Snapshot;
use crate::service::report::table::TableQuery;
use crate::service::report::table::column::{Cell, Columns};
use crate::service::report::table::layer::{Layer, Layers};
use crate::service::report::table::view::TableRow;
use crate::service::totals::cell::{Figuring, Shown};
use crate::service::totals::joined_rollups;
use crate::store::target::targets_of;
use crate::store::{StoreError, Transaction};

/// The units whose rollups are read at once: few enough for one statement.
const AT_ONCE: usize = 1000;

/// Reads the rows of a table.
pub(super) struct Rows<'w, 'c, 's> {
    transaction: &'w mut Transaction<'c>,
    snapshot: &'s Snapshot,
    query: &'w TableQuery,
    columns: &'w Columns<'w, 's>,
    layers: Vec<FiguredLayer<'w, 's>>,
    /// The latest rev of all rollups that were read.
    pub rev: i64,
}

struct FiguredLayer<'w, 's> {
    layer: &'w Layer<'s>,
    figuring: Figuring<'w, 's>,
}

/// Some rows' places and rollups in one period.
pub(super) struct Found {
    /// In the order of the rows.
    places: Vec<Option<Position>>,
    rollups: BTreeMap<Position, KeptRollup>,
}

impl Found {
    /// Returns the place and the rollup of a row. A unit of which nothing is kept has an empty rollup, which
    /// is absent.
    fn of_row(&self, number: usize) -> Option<(Position, Option<&Rollup>)> {
        let position = (*self.places.get(number)?)?;
        let kept = self.rollups.get(&position);
        Some((position, kept.map(|kept| &kept.rollup)))
    }
}

impl<'w, 'c, 's> Rows<'w, 'c, 's> {
    pub fn new(
        transaction: &'w mut Transaction<'c>,
        snapshot: &'s Snapshot,
        query: &'w TableQuery,
        layers: &'w Layers<'s>,
        columns: &'w Columns<'w, 's>,
    ) -> Rows<'w, 'c, 's> {
        let layers = layers.all().map(|layer| FiguredLayer {
            layer,
            figuring: Figuring::of(snapshot, &layer.located, query.stage),
        });
        Rows {
            transaction,
            snapshot,
            query,
            columns,
            layers: layers.collect(),
            rev: 0,
        }
    }

    /// Leaves out the undivided parts of former units that hold nothing, and of which nothing is expected.
    pub fn shown<'t>(&mut self, places: &[Place<'t>]) -> Result<Vec<Place<'t>>, StoreError> {
        let leaves = places.iter().filter(|place| place.is_leaf());
        let leaves: Vec<Place<'t>> = leaves.copied().collect();
        let found = self.found(&leaves)?;
        let mut numbered = 0..;
        let mut shown = Vec::with_capacity(places.len());
        for place in places {
            if !place.is_leaf() {
                shown.push(*place);
                continue;
            }
            let number = numbered.next();
            if number.is_some_and(|number| self.holds(&found, number)) {
                shown.push(*place);
            }
        }
        Ok(shown)
    }

    /// Returns true if a row has anything in any period.
    fn holds(&self, found: &[Found], number: usize) -> bool {
        let mut periods = self.layers.iter().zip(found);
        periods.any(|(FiguredLayer { layer, figuring }, found)| {
            let Some((position, rollup)) = found.of_row(number) else {
                return false;
            };
            let empty = Rollup::default();
            let rollup = rollup.unwrap_or(&empty);
            let place = layer.located.tree.at(position);
            *rollup != empty || figuring.counts(rollup, place).expected > 0
        })
    }

    /// Reads rows.
    pub fn read(&mut self, places: &[Place<'_>]) -> Result<Vec<TableRow>, StoreError> {
        let mut rows = Vec::with_capacity(places.len());
        for some in places.chunks(AT_ONCE) {
            let found = self.found(some)?;
            self.read_targets(some)?;
            for (number, place) in some.iter().enumerate() {
                self.snapshot.patience.check()?;
                rows.push(self.row(*place, &found, number));
            }
        }
        Ok(rows)
    }

    /// Reads the row of one unit.
    pub fn read_one(&mut self, place: Place<'_>) -> Result<TableRow, StoreError> {
        let found = self.found(&[place])?;
        self.read_targets(&[place])?;
        Ok(self.row(place, &found, 0))
    }

    /// Reads the rollups of some rows in each period.
    fn found(&mut self, rows: &[Place<'_>]) -> Result<Vec<Found>, StoreError> {
        let mut all = Vec::with_capacity(self.layers.len());
        for FiguredLayer { layer, .. } in &self.layers {
            let places = rows.iter().map(|row| {
                let place = layer.place(self.snapshot, self.query, *row);
                place.map(Place::position)
            });
            let places: Vec<Option<Position>> = places.collect();
            let positions = places.iter().flatten().copied();
            let rollups = rollups(self.transaction, self.snapshot, layer, positions)?;
            let revs = rollups.values().map(|kept| kept.rev);
            self.rev = revs.fold(self.rev, i64::max);
            all.push(Found { places, rollups });
        }
        Ok(all)
    }

    /// Reads the targets of some rows. A target was set for the unit as it was then.
    fn read_targets(&mut self, rows: &[Place<'_>]) -> Result<(), StoreError> {
        if !self.columns.have_targets() {
            return Ok(());
        }
        let units: Vec<UnitId> = rows.iter().map(|row| row.unit()).collect();
        for FiguredLayer { layer, figuring } in &mut self.layers {
            let located = &layer.located;
            if located.restated_to().is_none() {
                let (form, period) = (located.form().number, located.period());
                let targets = targets_of(self.transaction, form, period, &units)?;
                figuring.exchange_targets(targets);
            }
        }
        Ok(())
    }

    fn row(&self, place: Place<'_>, found: &[Found], number: usize) -> TableRow {
        let empty = Rollup::default();
        let periods = self.layers.iter().zip(found);
        let reports = periods.map(|(FiguredLayer { layer, figuring }, found)| {
            let (position, rollup) = found.of_row(number)?;
            let place = layer.located.tree.at(position);
            Some(figuring.report(rollup.unwrap_or(&empty), place))
        });
        let reports: Vec<Option<Shown<'_, '_, '_>>> = reports.collect();
        let mut row = TableRow::of(place, self.columns.len());
        for column in &self.columns.0 {
            let report = column.layer.and_then(|layer| reports.get(layer)?.as_ref());
            row.push(column.cell(report));
        }
        row
    }

    /// Reads rollups of a period, and sees them.
    pub fn rollups_at(
        &mut self,
        layer: &Layer<'s>,
        positions: &[Position],
        mut see: impl FnMut(Position, &Rollup),
    ) -> Result<(), StoreError> {
        for some in positions.chunks(AT_ONCE) {
            let some = some.iter().copied();
            for (position, kept) in rollups(self.transaction, self.snapshot, layer, some)? {
                see(position, &kept.rollup);
            }
        }
        Ok(())
    }

    pub fn place_in<'l>(&self, layer: &'l Layer<'s>, row: Place<'_>) -> Option<Place<'l>> {
        layer.place(self.snapshot, self.query, row)
    }
}

fn rollups<'s>(
    transaction: &mut Transaction<'_>,
    snapshot: &'s Snapshot,
    layer: &Layer<'s>,
    positions: impl IntoIterator<Item = Position>,
) -> Result<BTreeMap<Position, KeptRollup>, StoreError> {
    joined_rollups(transaction, snapshot, &layer.located, positions)
}

impl TableRow {
    fn of(place: Place<'_>, columns: usize) -> TableRow {
        TableRow {
            unit: UnitName::of(place),
            not_divided: place.is_leaf(),
            completeness: None,
            values: Vec::with_capacity(columns),
            qualifiers: Vec::with_capacity(columns),
            reported: Vec::with_capacity(columns),
            expected: Vec::with_capacity(columns),
        }
    }

    fn push(&mut self, cell: Cell) {
        self.values.push(cell.value);
        self.qualifiers.push(cell.qualifier);
        self.reported.push(cell.reported);
        self.expected.push(cell.expected);
    }
}
