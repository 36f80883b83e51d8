//! How a change goes up the tree: from each unit that changed to the root, a parent once for all
//! its children. Never where the rollups come from.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::node::Rollup;
use super::tally::{Change, Tally};
use crate::domain::catalogue::Aggregations;
use crate::domain::hierarchy::{Position, Tree};

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
/// gave way, `parts_of` is asked for the rollups of a unit's children and leaves, as they were.
///
/// # Errors
/// Only those of `parts_of`.
pub fn climb<E>(
    tree: &Tree,
    aggregations: &Aggregations,
    rollups: &mut BTreeMap<Position, Rollup>,
    own: BTreeMap<Position, Tally>,
    mut parts_of: impl FnMut(Position) -> Result<BTreeMap<Position, Rollup>, E>,
) -> Result<(), E> {
    // The deepest first, so that a parent is taken up when all its children are done.
    let mut pending: BTreeMap<(Reverse<usize>, Position), Pending> = BTreeMap::new();
    for (position, tally) in own {
        pending.entry(key(tree, position)).or_default().own = Some(tally);
    }
    while let Some(((_, position), change)) = pending.pop_first() {
        let mut rollup = rollups.remove(&position).unwrap_or_default();
        let passed = if change.below.fits(&rollup.below) {
            rollup.change(change.own, change.below, aggregations)
        } else {
            let mut parts = parts_of(position)?;
            for part in tree.at(position).parts() {
                if let Some(new) = rollups.get(&part.position()) {
                    parts.insert(part.position(), new.clone());
                }
            }
            // What is merged anew may have been wrong before, and is put right above as well.
            let before = rollup.passed_up(aggregations);
            rollup.own = change.own.unwrap_or(rollup.own);
            rollup.below = merged_below(parts.values(), aggregations);
            Change::between(&before, &rollup.passed_up(aggregations))
        };
        if let Some(parent) = tree.at(position).parent() {
            let waiting = pending.entry(key(tree, parent.position())).or_default();
            waiting.below.merge(passed);
        }
        rollups.insert(position, rollup);
    }
    Ok(())
}

/// What waits for a unit until its turn comes.
#[derive(Default)]
struct Pending {
    own: Option<Tally>,
    below: Change,
}

fn key(tree: &Tree, position: Position) -> (Reverse<usize>, Position) {
    (Reverse(tree.at(position).depth()), position)
}

/// What a unit's children and leaves pass up, all together.
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
