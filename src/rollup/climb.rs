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
        let old = rollups.remove(&position).unwrap_or_default();
        let own_change = match &change.own {
            Some(own) => Change::between(&old.own, own),
            None => Change::default(),
        };
        let (below, passing) = match change.below.applied_to(old.below.clone()) {
            Ok(below) => (below, Passing::AsItIs),
            Err(super::tally::ExtremeTouched) => {
                let mut parts = parts_of(position)?;
                for part in tree.at(position).parts() {
                    if let Some(new) = rollups.get(&part.position()) {
                        parts.insert(part.position(), new.clone());
                    }
                }
                let below = merged_below(parts.values(), aggregations);
                (below, Passing::WhatDiffers)
            }
        };
        let new = Rollup {
            own: change.own.unwrap_or_else(|| old.own.clone()),
            below,
        };
        if let Some(parent) = tree.at(position).parent() {
            let passed = match passing {
                Passing::AsItIs => {
                    old.change_passed_up(&new, own_change, change.below, aggregations)
                }
                Passing::WhatDiffers => {
                    Change::between(&old.passed_up(aggregations), &new.passed_up(aggregations))
                }
            };
            let waiting = pending.entry(key(tree, parent.position())).or_default();
            waiting.below = std::mem::take(&mut waiting.below).merged(passed);
        }
        rollups.insert(position, new);
    }
    Ok(())
}

/// What a unit's parent is told of a change.
enum Passing {
    /// The change.
    AsItIs,
    /// What was merged anew may have been wrong before, and is put right above as well.
    WhatDiffers,
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
    parts.fold(Tally::default(), |below, part| {
        below.merged(part.passed_up(aggregations))
    })
}
