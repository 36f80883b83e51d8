//! A unit's rollup (tổng hợp): its own part and what is below it. Never how it is kept.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::cell::{ByStage, Cell, CellKey, differing};
use super::change::Change;
use super::tally::Tally;
use super::total::Total;
use crate::domain::catalogue::Aggregations;
use crate::domain::id::IndicatorNumber;
use crate::domain::indicator::AcrossUnits;
use crate::domain::submission::Stage;

/// One unit's totals on one form for one period.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rollup {
    /// The unit's own submissions.
    pub own: Tally,
    /// Everything that its children pass up.
    pub below: Tally,
}

/// A rollup and the rev of the commit that changed it last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeptRollup {
    pub rollup: Rollup,
    pub rev: i64,
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

    /// Takes the cells of some indicators from the rollup of another form, in the place of its own.
    /// How many submissions count in it stays.
    pub fn take(&mut self, given: &Rollup, indicators: &BTreeSet<IndicatorNumber>) {
        self.own.cells.exchange(&given.own.cells, indicators);
        self.below.cells.exchange(&given.below.cells, indicators);
    }

    /// Returns the tally that goes to the parent.
    pub fn passed_up(&self, aggregations: &Aggregations) -> Tally {
        let own = self.own.clone().retaining(own_passes(aggregations));
        let below = self.below.clone().retaining(below_passes(aggregations));
        own.merged(below)
    }

    /// Puts a new own part in the place of the former, if there is one, and changes what is below,
    /// which `below` [fits](Change::fits). What that is to the parent comes back: of what adds up
    /// the changes as they are; of an extreme only the totals tell.
    pub fn change(
        &mut self,
        own: Option<Tally>,
        below: Change,
        aggregations: &Aggregations,
    ) -> Change {
        let own_change = match &own {
            Some(own) => Change::between(&self.own, own),
            None => Change::default(),
        };
        let is_extreme = |key: CellKey| aggregations.of(key.indicator).units.is_extreme();
        let extremes: BTreeSet<CellKey> = own_change
            .keys()
            .chain(below.keys())
            .filter(|key| is_extreme(*key))
            .collect();
        let total = |rollup: &Rollup, key: CellKey| {
            let across = aggregations.of(key.indicator).units;
            rollup.total(key, across)
        };
        let before: Vec<(CellKey, Cell)> = extremes
            .into_iter()
            .map(|key| (key, total(self, key)))
            .collect();
        if let Some(own) = own {
            self.own = own;
        }
        below.apply_to(&mut self.below);
        let own_passes = own_passes(aggregations);
        let below_passes = below_passes(aggregations);
        let mut passed =
            own_change.retaining(|key, cell| !is_extreme(key) && own_passes(key, cell));
        passed.merge(below.retaining(|key, cell| !is_extreme(key) && below_passes(key, cell)));
        passed.add(before.into_iter().map(|(key, before)| {
            let (before, after) = differing(before, total(self, key));
            (key, before, after)
        }));
        passed
    }

    /// The unit's own figure of a cell and everything below it that belongs to the figure.
    pub fn total(&self, key: CellKey, across: AcrossUnits) -> Cell {
        let mut total = self.own.cells.get(key).cloned().unwrap_or_default();
        if across == AcrossUnits::Count {
            total = total.counted();
        }
        let below = self.below.cells.get(key);
        if let Some(below) = below.filter(|_| across.passes_on()) {
            total.merge(below);
        }
        total
    }

    /// Like [`Rollup::total`], in one stage. Copies nothing where only one part has values.
    pub fn total_at(&self, stage: Stage, key: CellKey, across: AcrossUnits) -> Cow<'_, Total> {
        let own = total_in(&self.own, stage, key);
        let below = total_in(&self.below, stage, key).filter(|_| across.passes_on());
        match (own, below, across) {
            (None, None, _) => Cow::Borrowed(&Total::EMPTY),
            (Some(own), _, AcrossUnits::Count) => {
                let mut total = own.clone().counted();
                below.into_iter().for_each(|below| total.merge(below));
                Cow::Owned(total)
            }
            (Some(own), None, _) => Cow::Borrowed(own),
            (None, Some(below), _) => Cow::Borrowed(below),
            (Some(own), Some(below), _) => {
                let mut total = own.clone();
                total.merge(below);
                Cow::Owned(total)
            }
        }
    }
}

/// Returns a tally's total of a cell, unless it is empty.
fn total_in(tally: &Tally, stage: Stage, key: CellKey) -> Option<&Total> {
    let total = tally.cells.get(key)?.at(stage);
    (!total.is_empty()).then_some(total)
}

/// Takes the cell of a unit's own part that goes to its parent.
fn own_passes(aggregations: &Aggregations) -> impl Fn(CellKey, &mut Cell) -> bool {
    |key, cell| match aggregations.of(key.indicator).units {
        AcrossUnits::None => false,
        AcrossUnits::Count => {
            *cell = std::mem::take(cell).counted();
            true
        }
        _ => true,
    }
}

/// Takes the cell of the part below a unit that goes on to its parent.
fn below_passes(aggregations: &Aggregations) -> impl Fn(CellKey, &mut Cell) -> bool {
    |key, _| aggregations.of(key.indicator).units.passes_on()
}
