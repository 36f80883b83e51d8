//! Landings: where the units of one day's map come to lie on another day's, counted. What was
//! expected of them is expected there. Never who is expected to do what.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::route::Route;
use super::succession::Moment;
use super::tree::{Place, Position, Tree};
use crate::domain::id::{LevelCode, UnitId};

/// The part of a unit that is looked for on another map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Landing {
    /// At each successor that has a share of it: what sums across units.
    Shares,
    /// At its one successor, or in the leaf that is left of it: what cannot be divided.
    Whole,
    /// At the unit itself, as long as it stands: what passes to nobody.
    Itself,
}

/// The units of a day, where they lie on the tree of a later one.
#[derive(Default)]
pub struct Landings {
    /// The positions in order, by the units' level on their own day.
    positions: HashMap<(LevelCode, Landing), Vec<Position>>,
    /// The units by where each lies.
    units: HashMap<(Position, Landing), Vec<UnitId>>,
}

impl Landings {
    pub fn new(from: &Tree, to: &Tree) -> Landings {
        let mut landings = Landings::default();
        for place in from.places() {
            let level = &place.fact().level;
            let route = to.route(place.unit(), Moment::end_of(from.day()));
            for landing in [Landing::Shares, Landing::Whole, Landing::Itself] {
                let landed = landed(&route, place.unit(), landing, to);
                for position in &landed {
                    let units = landings.units.entry((*position, landing));
                    units.or_default().push(place.unit());
                }
                let positions = landings.positions.entry((level.clone(), landing));
                positions.or_default().extend(landed);
            }
        }
        landings.sorted()
    }

    /// The same of only some units, by where they stand on their own day.
    #[must_use]
    pub fn of_units(&self, from: &Tree, is_asked_for: impl Fn(Place<'_>) -> bool) -> Landings {
        let mut landings = Landings::default();
        for ((position, landing), units) in &self.units {
            for unit in units {
                let place = from.by_id(*unit).filter(|place| is_asked_for(*place));
                let Some(place) = place else { continue };
                let level = place.fact().level.clone();
                let positions = landings.positions.entry((level, *landing)).or_default();
                positions.push(*position);
                let units = landings.units.entry((*position, *landing)).or_default();
                units.push(*unit);
            }
        }
        landings.sorted()
    }

    fn sorted(mut self) -> Landings {
        for positions in self.positions.values_mut() {
            positions.sort_unstable();
        }
        self
    }

    /// The units that lie at a position.
    pub fn units_at(&self, position: Position, landing: Landing) -> &[UnitId] {
        let units = self.units.get(&(position, landing));
        units.map(Vec::as_slice).unwrap_or_default()
    }

    /// How many units that were of `level` lie at `place` or below it.
    pub fn count_below(&self, level: &LevelCode, landing: Landing, place: Place<'_>) -> u64 {
        let after = place.subtree_with_leaves().next_back();
        let last = after.map_or(place.position(), Place::position);
        self.count(level, landing, place.position(), last)
    }

    /// How many units that were of `level` lie at `place` itself.
    pub fn count_at(&self, level: &LevelCode, landing: Landing, place: Place<'_>) -> u64 {
        self.count(level, landing, place.position(), place.position())
    }

    fn count(&self, level: &LevelCode, landing: Landing, first: Position, last: Position) -> u64 {
        let positions = self.positions.get(&(level.clone(), landing));
        let positions = positions.map(Vec::as_slice).unwrap_or_default();
        let before = positions.partition_point(|position| *position < first);
        let through = positions.partition_point(|position| *position <= last);
        u64::try_from(through - before).unwrap_or(u64::MAX)
    }
}

/// Finds where a unit that stood on `day` lies on a tree of that day or a later one.
pub fn landings_of(unit: UnitId, day: NaiveDate, landing: Landing, to: &Tree) -> Vec<Position> {
    landed(&to.route(unit, Moment::end_of(day)), unit, landing, to)
}

fn landed(route: &Route, unit: UnitId, landing: Landing, to: &Tree) -> Vec<Position> {
    match landing {
        Landing::Shares => shares(route, to),
        Landing::Whole => whole(route, to).into_iter().collect(),
        Landing::Itself => to.by_id(unit).map(Place::position).into_iter().collect(),
    }
}

fn shares(route: &Route, to: &Tree) -> Vec<Position> {
    match route {
        Route::Divided { parts, .. } => {
            let parts = parts.iter();
            parts.flat_map(|(_, part)| shares(part, to)).collect()
        }
        Route::To(_) | Route::Stays { .. } => whole(route, to).into_iter().collect(),
    }
}

fn whole(route: &Route, to: &Tree) -> Option<Position> {
    let place = match route {
        Route::To(unit) => to.by_id(*unit),
        Route::Divided { leaf, .. } | Route::Stays { leaf, .. } => to.leaf(leaf),
    };
    place.map(Place::position)
}
