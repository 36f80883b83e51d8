//! The oracle: every unit's rollup, folded anew from the submissions. It knows nothing of
//! changes, so what it says is what must be there.

use std::collections::BTreeMap;

use super::climb::merged_below;
use super::node::Rollup;
use super::tally::Tally;
use crate::domain::catalogue::Aggregations;
use crate::domain::hierarchy::{Place, Position};

/// The rollups of those of `places` that have something to show, from what counts as each one's
/// own. They are whole subtrees with their leaves, or a whole tree, in preorder; or what is above
/// such, and `rollups` has what those were folded to.
pub fn fold<'t>(
    places: impl DoubleEndedIterator<Item = Place<'t>>,
    aggregations: &Aggregations,
    own: &BTreeMap<Position, Tally>,
    mut rollups: BTreeMap<Position, Rollup>,
) -> BTreeMap<Position, Rollup> {
    // In preorder everything below a unit comes after it: backwards, children come first.
    for place in places.rev() {
        let parts = place
            .parts()
            .filter_map(|part| rollups.get(&part.position()));
        let below = merged_below(parts, aggregations);
        let own = own.get(&place.position()).cloned().unwrap_or_default();
        let rollup = Rollup { own, below };
        if rollup != Rollup::default() {
            rollups.insert(place.position(), rollup);
        }
    }
    rollups
}
