//! A unit's rollup (tổng hợp): its own part and what is below it. Never how it is kept.

use super::tally::{Cell, CellKey, Tally};
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
        own.merged(&below)
    }

    /// The unit's own figure of a cell and everything below it that belongs to the figure.
    pub fn total(&self, key: CellKey, across: AcrossUnits) -> Cell {
        let own = self.own.cells.get(key).cloned().unwrap_or_default();
        let below = self.below.cells.get(key).cloned().unwrap_or_default();
        match across {
            AcrossUnits::None | AcrossUnits::Transfer => own,
            AcrossUnits::Count => own.counted().merged(below),
            _ => own.merged(below),
        }
    }
}
