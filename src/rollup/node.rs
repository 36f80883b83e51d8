//! A unit's rollup (tổng hợp): its own part and what is below it. Never how it is kept.

use super::tally::{ByStage, Cell, CellKey, Change, Tally, differing};
use crate::domain::catalogue::Aggregations;
use crate::domain::indicator::AcrossUnits;

/// One unit's totals on one form for one period.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rollup {
    /// What the unit submitted itself.
    pub own: Tally,
    /// What its children pass up.
    pub below: Tally,
}

impl Rollup {
    /// The rollup of a unit without children: its own submission.
    pub fn of_leaf(own: Tally) -> Rollup {
        Rollup {
            own,
            below: Tally::default(),
        }
    }

    /// How many submissions count in it.
    pub fn submissions(&self) -> ByStage<u64> {
        let (own, below) = (self.own.submissions, self.below.submissions);
        ByStage {
            submitted: own.submitted + below.submitted,
            approved: own.approved + below.approved,
        }
    }

    /// What goes to the parent.
    pub fn passed_up(&self, aggregations: &Aggregations) -> Tally {
        let own = self
            .own
            .changed(|key, cell| match aggregations.of(key.indicator).units {
                AcrossUnits::None => None,
                AcrossUnits::Count => Some(cell.clone().counted()),
                _ => Some(cell.clone()),
            });
        let below = self
            .below
            .changed(|key, cell| match aggregations.of(key.indicator).units {
                AcrossUnits::None | AcrossUnits::Transfer => None,
                _ => Some(cell.clone()),
            });
        own.merged(below)
    }

    /// What a change of this rollup, in whose place `new` comes, is to the parent. `own` and `below`
    /// are the changes of its parts. Of what adds up the change goes on as it is; of an extreme
    /// only the totals tell what it is to the parent.
    pub fn change_passed_up(
        &self,
        new: &Rollup,
        own: Change,
        below: Change,
        aggregations: &Aggregations,
    ) -> Change {
        let extreme = |key: CellKey, across: AcrossUnits| {
            let (old, new) = (self.total(key, across), new.total(key, across));
            Some(differing(old, new))
        };
        let own = own.mapped(|key, before, after| {
            let across = aggregations.of(key.indicator).units;
            match across {
                AcrossUnits::None => None,
                AcrossUnits::Count => Some((before.counted(), after.counted())),
                AcrossUnits::Min | AcrossUnits::Max => extreme(key, across),
                _ => Some((before, after)),
            }
        });
        let below = below.mapped(|key, before, after| {
            let across = aggregations.of(key.indicator).units;
            match across {
                AcrossUnits::None | AcrossUnits::Transfer => None,
                // Said already, for the unit's own part and what is below it together.
                AcrossUnits::Min | AcrossUnits::Max if own.has(key) => None,
                AcrossUnits::Min | AcrossUnits::Max => extreme(key, across),
                _ => Some((before, after)),
            }
        });
        own.merged(below)
    }

    /// The unit's own figure of a cell and everything below it that belongs to the figure.
    pub fn total(&self, key: CellKey, across: AcrossUnits) -> Cell {
        let own = self.own.cells.get(key).cloned().unwrap_or_default();
        let below = self.below.cells.get(key).cloned().unwrap_or_default();
        match across {
            AcrossUnits::None | AcrossUnits::Transfer => own,
            AcrossUnits::Count => own.counted().merged(&below),
            _ => own.merged(&below),
        }
    }
}
