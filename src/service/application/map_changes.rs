//! A cache of the changes of a tenant's map. Does not know their effect on figures.

use std::collections::HashSet;
use std::sync::OnceLock;

use crate::domain::id::UnitId;
use crate::domain::succession::Successions;
use crate::store::reorganisation::{MapChange, map_changes};
use crate::store::{StoreError, Transaction};

/// All reorganisations in force, each with the units that it touched. Read at the first question,
/// and cached as long as the map is the same.
#[derive(Default)]
pub(in crate::service) struct MapChanges(OnceLock<Vec<(MapChange, HashSet<UnitId>)>>);

impl MapChanges {
    pub fn read(
        &self,
        transaction: &mut Transaction<'_>,
        successions: &Successions,
    ) -> Result<&[(MapChange, HashSet<UnitId>)], StoreError> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let changes = map_changes(transaction)?.into_iter().map(|change| {
            let facts = change.units.iter().copied();
            let touched = facts.chain(successions.units_of(change.rev)).collect();
            (change, touched)
        });
        let changes = changes.collect();
        Ok(self.0.get_or_init(|| changes))
    }
}
