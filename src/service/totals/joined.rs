//! Joined rollups: a form's own, with the figures that it takes from other forms (`from_form`). Nothing
//! of them is kept twice: they are read from the other form's rollups of the same units and days, in
//! the same transaction.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::catalogue::{InForce, Taken};
use crate::domain::form::FormPeriod;
use crate::domain::hierarchy::Position;
use crate::rollup::node::KeptRollup;
use crate::service::application::locate::Located;
use crate::service::application::snapshot::Snapshot;
use crate::service::totals::board::Board;
use crate::store::{StoreError, Transaction};

/// Rollups by the places of their units.
type Rollups = BTreeMap<Position, KeptRollup>;

/// Reads the rollups of `positions` on a report's map, with all figures that its form shows. Empty
/// ones may be absent.
pub(in crate::service) fn joined_rollups(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
    positions: impl IntoIterator<Item = Position>,
) -> Result<Rollups, StoreError> {
    let positions: BTreeSet<Position> = positions.into_iter().collect();
    let mut read = |located: &Located<'_>| {
        let board = Board::at(located, snapshot);
        board.rollups(transaction, positions.iter().copied())
    };
    let own = read(located)?;
    join(own, &located.in_force, |giving| {
        read(&located.on_form(snapshot, giving))
    })
}

/// Puts the figures that a form takes from others into its own rollups. `read` reads those of another
/// form's period at the same places.
pub(in crate::service) fn join<'s>(
    mut own: Rollups,
    in_force: &InForce<'s>,
    mut read: impl FnMut(FormPeriod<'s>) -> Result<Rollups, StoreError>,
) -> Result<Rollups, StoreError> {
    for Taken { period, indicators } in in_force.taken() {
        let mut given = match period {
            Some(giving) => read(giving)?,
            None => Rollups::new(),
        };
        let places: BTreeSet<Position> = own.keys().chain(given.keys()).copied().collect();
        for position in places {
            let given = given.remove(&position).unwrap_or_default();
            let kept = own.entry(position).or_default();
            kept.rollup.take(&given.rollup, &indicators);
            kept.rev = kept.rev.max(given.rev);
        }
    }
    Ok(own)
}
