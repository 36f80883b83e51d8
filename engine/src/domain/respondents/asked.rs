//! The units that a form itself asks: by their level or by name, at and below its owner. Never what
//! becomes of that where one unit reports for others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::form::{FormDefinition, SubmittedBy};
use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::id::{LevelCode, UnitId};

/// The units that a form asks, on a tree.
#[derive(Clone)]
pub(super) struct Asked<'p> {
    definition: &'p FormDefinition,
    tree: Arc<Tree>,
    /// The units that the form names, by their level and in preorder.
    named: BTreeMap<LevelCode, Vec<Position>>,
}

impl<'p> Asked<'p> {
    pub fn new(definition: &'p FormDefinition, tree: Arc<Tree>) -> Asked<'p> {
        let units = definition.submitted_by.recipients();
        Asked {
            named: units.map_or_else(BTreeMap::new, |units| by_level(units, &tree)),
            definition,
            tree,
        }
    }

    /// The levels of which units are asked.
    pub fn levels(&self) -> impl Iterator<Item = &LevelCode> {
        let levels = self.definition.submitted_by.levels().iter();
        levels.chain(self.named.keys())
    }

    /// The levels that are asked, and those that only send up by a deadline. Those of units that have
    /// ended are among them.
    pub fn levels_with_duty(&self) -> BTreeSet<&LevelCode> {
        let units = self.definition.submitted_by.recipients();
        let facts = units.into_iter().flatten().filter_map(|unit| {
            let standing = self.tree.by_id(*unit).map(Place::fact);
            standing.or_else(|| self.tree.last_fact(*unit))
        });
        let former = facts.map(|fact| &fact.level);
        let sending_up = self.definition.deadlines.keys();
        self.levels().chain(former).chain(sending_up).collect()
    }

    /// Tells whether every unit of the levels is asked.
    pub fn is_by_level_alone(&self) -> bool {
        match &self.definition.submitted_by {
            SubmittedBy::Levels(_) => self.definition.owner.is_none(),
            SubmittedBy::Recipients(_) => false,
        }
    }

    /// Tells whether a unit is asked. It may be asked about as another tree has it.
    pub fn includes(&self, place: Place<'_>) -> bool {
        self.definition.submitted_by.includes(place.fact()) && self.is_of_owner(place)
    }

    /// Tells whether a unit lies at the form's owner or below it.
    fn is_of_owner(&self, place: Place<'_>) -> bool {
        self.definition.owner.is_none_or(|owner| {
            let mut line = std::iter::once(place).chain(place.ancestors());
            line.any(|place| place.unit() == owner)
        })
    }

    /// Lists the units of a level that are asked at and below a place, in preorder.
    pub fn of_level<'r>(
        &'r self,
        level: &LevelCode,
        place: Place<'r>,
    ) -> impl ExactSizeIterator<Item = Place<'r>> {
        let positions = match &self.definition.submitted_by {
            SubmittedBy::Levels(levels) if levels.contains(level) => self.tree.at_level(level),
            SubmittedBy::Levels(_) => &[],
            SubmittedBy::Recipients(_) => self.named.get(level).map_or(&[][..], Vec::as_slice),
        };
        let top = self.below_owner(place);
        let within = top.map(|top| top.within(positions)).unwrap_or_default();
        within.iter().map(|position| self.tree.at(*position))
    }

    pub fn count(&self, level: &LevelCode, place: Place<'_>) -> u64 {
        u64::try_from(self.of_level(level, place).len()).unwrap_or(u64::MAX)
    }

    /// The part of a place's subtree that lies at the form's owner or below it.
    fn below_owner<'r>(&'r self, place: Place<'r>) -> Option<Place<'r>> {
        let Some(owner) = self.definition.owner else {
            return Some(place);
        };
        let owner = self.tree.by_id(owner)?;
        match (owner.covers(place), place.covers(owner)) {
            (true, _) => Some(place),
            (false, true) => Some(owner),
            (false, false) => None,
        }
    }
}

/// Finds units on a tree, by their level and in preorder.
fn by_level(units: &BTreeSet<UnitId>, tree: &Tree) -> BTreeMap<LevelCode, Vec<Position>> {
    let places = units.iter().filter_map(|unit| tree.by_id(*unit));
    let mut found: BTreeMap<LevelCode, Vec<Position>> = BTreeMap::new();
    for place in places {
        let level = place.fact().level.clone();
        found.entry(level).or_default().push(place.position());
    }
    for positions in found.values_mut() {
        positions.sort_unstable();
    }
    found
}
