//! The oracle: every unit's rollup, folded anew from the submissions. It knows nothing of
//! changes, so what it says is what must be there.

use std::collections::BTreeMap;

use super::climb::merged_below;
use super::node::Rollup;
use super::tally::Tally;
use crate::domain::catalogue::Aggregations;
use crate::domain::hierarchy::{Place, Position};

/// The rollups of those of `places` that have something to show, from what each submitted itself.
/// The places come in preorder, each with everything below it.
pub fn fold<'t>(
    places: impl DoubleEndedIterator<Item = Place<'t>>,
    aggregations: &Aggregations,
    own: &BTreeMap<Position, Tally>,
) -> BTreeMap<Position, Rollup> {
    let mut rollups: BTreeMap<Position, Rollup> = BTreeMap::new();
    // In preorder everything below a unit comes after it: backwards, children come first.
    for place in places.rev() {
        let children = place
            .children()
            .filter_map(|child| rollups.get(&child.position()));
        let below = merged_below(children, aggregations);
        let own = own.get(&place.position()).cloned().unwrap_or_default();
        let rollup = Rollup { own, below };
        if rollup != Rollup::default() {
            rollups.insert(place.position(), rollup);
        }
    }
    rollups
}
