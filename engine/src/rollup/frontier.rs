//! The frontier: how deep one has to go to see a period on a later day's map. Where a whole
//! subtree is as it was, its rollup is; where only a unit's own part changed, what was below its
//! predecessors is below it. Never rollups themselves.

use std::collections::{BTreeSet, HashMap};

use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::id::UnitId;

/// Between the map of a period's last day and that of a later one.
pub struct Frontier<'t> {
    was: &'t Tree,
    is: &'t Tree,
    unchanged: HashMap<Position, bool>,
}

/// The source of a unit's rollup on the later map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restated {
    /// It is that of the same unit on the former map.
    Same,
    /// Its own part is put together anew; what is below it was, all of it and nothing else, below
    /// these units of the former map, but for its leaves.
    BelowFormer(Vec<UnitId>),
    /// Its own part and what is below it are put together anew.
    Parts,
}

impl<'t> Frontier<'t> {
    pub fn new(was: &'t Tree, is: &'t Tree) -> Frontier<'t> {
        Frontier {
            was,
            is,
            unchanged: HashMap::new(),
        }
    }

    /// `place` stands on the later map.
    pub fn origin(&mut self, place: Place<'_>) -> Restated {
        if self.is_unchanged(place) {
            return Restated::Same;
        }
        match self.former_parents(place) {
            Some(former) => Restated::BelowFormer(former),
            None => Restated::Parts,
        }
    }

    fn is_unchanged(&mut self, place: Place<'_>) -> bool {
        if let Some(known) = self.unchanged.get(&place.position()) {
            return *known;
        }
        let unchanged = self.compare(place);
        self.unchanged.insert(place.position(), unchanged);
        unchanged
    }

    fn compare(&mut self, place: Place<'_>) -> bool {
        let Some(former) = self.was.by_id(place.unit()).filter(|_| !place.is_leaf()) else {
            return false;
        };
        if self.is.is_touched_since(place.unit(), self.was.day()) {
            return false;
        }
        let leaves = |place: Place<'_>| place.leaves().map(Place::unit).collect::<BTreeSet<_>>();
        former.children().len() == place.children().len()
            && leaves(former) == leaves(place)
            && place
                .children()
                .all(|child| self.parent_before(child) == Some(place.unit()))
            && place.children().all(|child| self.is_unchanged(child))
    }

    fn parent_before(&self, place: Place<'_>) -> Option<UnitId> {
        let parent = self.was.by_id(place.unit())?.parent()?;
        Some(parent.unit())
    }

    /// The units whose children, all of them, are the children of `place`, just as they were.
    fn former_parents(&mut self, place: Place<'_>) -> Option<Vec<UnitId>> {
        let mut former: BTreeSet<UnitId> = BTreeSet::new();
        for child in place.children() {
            former.insert(self.parent_before(child)?);
            if !self.is_unchanged(child) {
                return None;
            }
        }
        let mut count = 0;
        for parent in &former {
            let parent = self.was.by_id(*parent)?;
            if parent.leaves().len() > 0 {
                return None;
            }
            count += parent.children().len();
        }
        (count == place.children().len()).then(|| former.into_iter().collect())
    }
}
