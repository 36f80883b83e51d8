//! How a change goes up the tree: from each unit that changed to the root, a parent once for all
//! its children. Never where the rollups come from.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::change::Change;
use super::node::Rollup;
use super::tally::Tally;
use crate::domain::catalogue::Aggregations;
use crate::domain::hierarchy::{Place, Position, Tree};

/// The units whose rollups a change of `changed` reads and writes: they and their ancestors.
pub fn touched(tree: &Tree, changed: impl IntoIterator<Item = Position>) -> BTreeSet<Position> {
    let mut touched = BTreeSet::new();
    for position in changed {
        touched.insert(position);
        for ancestor in tree.at(position).ancestors() {
            if !touched.insert(ancestor.position()) {
                break;
            }
        }
    }
    touched
}

/// Puts new own parts into `rollups` and takes what that changes up to the roots. `rollups`
/// holds everything that [`touched`] names and leaves with the new state of it. Where an extreme
/// gave way, `kept` is asked for the rollups of other parts of the unit, for all units of a depth
/// together. Those whose rollups are not what they were come back.
///
/// # Errors
/// Only those of `kept`.
pub fn climb<E>(
    tree: &Tree,
    aggregations: &Aggregations,
    rollups: &mut BTreeMap<Position, Rollup>,
    own: BTreeMap<Position, Tally>,
    mut kept: impl FnMut(BTreeSet<Position>) -> Result<BTreeMap<Position, Rollup>, E>,
) -> Result<BTreeSet<Position>, E> {
    let mut changed = BTreeSet::new();
    let mut pending = Pending::default();
    for (position, tally) in own {
        pending.of(tree.at(position)).own = Some(tally);
    }
    while let Some(changes) = pending.deepest() {
        let anew = giving_way(rollups, &changes);
        let others = parts_of(tree, &anew).filter(|part| !rollups.contains_key(part));
        let others: BTreeSet<Position> = others.collect();
        let others = match others.is_empty() {
            true => BTreeMap::new(),
            false => kept(others)?,
        };
        for (position, PartsChange { own, below }) in changes {
            let mut rollup = rollups.remove(&position).unwrap_or_default();
            let (passed, is_changed) = if anew.contains(&position) {
                // What is merged anew may have been wrong before, and is put right above as well.
                let before = rollup.clone();
                let parts = tree.at(position).parts().map(Place::position);
                let parts = parts.filter_map(|part| rollups.get(&part).or(others.get(&part)));
                rollup.own = own.unwrap_or(rollup.own);
                rollup.below = merged_below(parts, aggregations);
                let passed = rollup.passed_up(aggregations);
                let passed = Change::between(&before.passed_up(aggregations), &passed);
                (passed, rollup != before)
            } else {
                let is_changed =
                    !below.is_nothing() || own.as_ref().is_some_and(|own| *own != rollup.own);
                (rollup.change(own, below, aggregations), is_changed)
            };
            if is_changed {
                changed.insert(position);
            }
            if let Some(parent) = tree.at(position).parent() {
                pending.of(parent).below.merge(passed);
            }
            rollups.insert(position, rollup);
        }
    }
    Ok(changed)
}

/// How the two parts of a unit's rollup change.
#[derive(Default)]
struct PartsChange {
    own: Option<Tally>,
    below: Change,
}

/// The changes that wait for a unit until its turn comes: a parent's when all its children are
/// done.
#[derive(Default)]
struct Pending(BTreeMap<Reverse<usize>, BTreeMap<Position, PartsChange>>);

impl Pending {
    fn of(&mut self, place: Place<'_>) -> &mut PartsChange {
        let of_depth = self.0.entry(Reverse(place.depth())).or_default();
        of_depth.entry(place.position()).or_default()
    }

    fn deepest(&mut self) -> Option<BTreeMap<Position, PartsChange>> {
        self.0.pop_first().map(|(_, changes)| changes)
    }
}

/// Returns the positions at which an extreme gave way, so that their children are merged anew.
fn giving_way(
    rollups: &BTreeMap<Position, Rollup>,
    changes: &BTreeMap<Position, PartsChange>,
) -> BTreeSet<Position> {
    let nothing = Tally::default();
    let giving_way = changes.iter().filter(|(position, change)| {
        let below = rollups
            .get(position)
            .map_or(&nothing, |rollup| &rollup.below);
        !change.below.fits(below)
    });
    giving_way.map(|(position, _)| *position).collect()
}

fn parts_of(tree: &Tree, positions: &BTreeSet<Position>) -> impl Iterator<Item = Position> {
    let parts = positions
        .iter()
        .flat_map(|position| tree.at(*position).parts());
    parts.map(Place::position)
}

/// Merges everything that a unit's children and leaves pass up.
pub fn merged_below<'r>(
    parts: impl Iterator<Item = &'r Rollup>,
    aggregations: &Aggregations,
) -> Tally {
    let mut below = Tally::default();
    for part in parts {
        below.merge(part.passed_up(aggregations));
    }
    below
}
