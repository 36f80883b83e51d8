//! Finds where the total of a table is not the sum of its rows: parts of it that are in no row, and rows that
//! are not part of it. Looks at whole reports, not at figures.

use std::collections::BTreeMap;

use crate::domain::hierarchy::{Place, Position};
use crate::rollup::node::Rollup;
use crate::rollup::tally::Tally;
use crate::service::application::name::UnitName;
use crate::service::report::table::layer::{Layer, Layers};
use crate::service::report::table::row::Rows;
use crate::service::report::table::view::{DifferenceReason, TableDifference};
use crate::store::StoreError;

/// The places of a period at which the total and the rows may differ.
struct Suspects(BTreeMap<Position, DifferenceReason>);

impl Suspects {
    /// `rows` are the places of the rows, in preorder.
    fn of(top: Place<'_>, rows: &[Place<'_>]) -> Suspects {
        let mut suspects = Suspects(BTreeMap::new());
        let mut before: Option<Place<'_>> = None;
        for row in rows {
            let is_within = before.is_some_and(|before| before.covers(*row));
            if !top.covers(*row) {
                suspects.add(*row, DifferenceReason::NotBelow);
            } else if is_within {
                suspects.add(*row, DifferenceReason::WithinRow);
            }
            if !is_within {
                before = Some(*row);
            }
        }
        let rows: Vec<Position> = rows.iter().map(|row| row.position()).collect();
        if rows.binary_search(&top.position()).is_err() {
            suspects.add(top, DifferenceReason::OwnValues);
            let parts = top.parts();
            parts.for_each(|part| suspects.add_outside(part, &rows));
        }
        suspects
    }

    /// Adds what of a place is in no row.
    fn add_outside(&mut self, place: Place<'_>, rows: &[Position]) {
        if rows.binary_search(&place.position()).is_ok() {
            return;
        }
        if place.is_leaf() {
            self.add(place, DifferenceReason::NotDivided);
        } else if place.within(rows).is_empty() {
            self.add(place, DifferenceReason::LevelSkipped);
        } else {
            self.add(place, DifferenceReason::OwnValues);
            place.parts().for_each(|part| self.add_outside(part, rows));
        }
    }

    fn add(&mut self, place: Place<'_>, reason: DifferenceReason) {
        self.0.insert(place.position(), reason);
    }
}

/// Returns true if a report has something of the kind.
fn has(rollup: &Rollup, reason: DifferenceReason) -> bool {
    match reason {
        DifferenceReason::OwnValues => rollup.own != Tally::default(),
        DifferenceReason::LevelSkipped
        | DifferenceReason::NotDivided
        | DifferenceReason::NotBelow
        | DifferenceReason::WithinRow => *rollup != Rollup::default(),
    }
}

/// Finds the differences in each period. `shown` are the rows.
pub(super) fn differences<'s>(
    rows: &mut Rows<'_, '_, 's>,
    layers: &Layers<'s>,
    shown: &[Place<'_>],
) -> Result<Vec<TableDifference>, StoreError> {
    let mut all = Vec::new();
    for layer in layers.all() {
        all.extend(differences_in(rows, layer, shown)?);
    }
    Ok(all)
}

fn differences_in<'s>(
    rows: &mut Rows<'_, '_, 's>,
    layer: &Layer<'s>,
    shown: &[Place<'_>],
) -> Result<Vec<TableDifference>, StoreError> {
    let Some(top) = layer.top() else {
        return Ok(Vec::new());
    };
    let places = shown.iter().filter_map(|row| rows.place_in(layer, *row));
    let mut places: Vec<Place<'_>> = places.collect();
    places.sort_unstable_by_key(|place| place.position());
    let Suspects(suspects) = Suspects::of(top, &places);
    let positions: Vec<Position> = suspects.keys().copied().collect();
    let mut found = Vec::new();
    rows.rollups_at(layer, &positions, |position, rollup| {
        let reason = suspects.get(&position).copied();
        if let Some(reason) = reason.filter(|reason| has(rollup, *reason)) {
            found.push(TableDifference {
                period: layer.located.period().to_string(),
                unit: UnitName::of(layer.located.tree.at(position)),
                reason,
            });
        }
    })?;
    Ok(found)
}
