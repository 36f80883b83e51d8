//! Changes: a part of a tally as it was and as it is, and what becomes of the whole.

use super::cell::{Cell, CellKey, Cells, NO_CELL, differing};
use super::tally::Tally;

/// A part of a tally, as it was and as it is. What did not change is in neither.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    pub(super) before: Tally,
    pub(super) after: Tally,
}

impl Change {
    pub fn between(before: &Tally, after: &Tally) -> Change {
        let (mut gone, mut come) = (Vec::new(), Vec::with_capacity(after.cells.len()));
        for (key, old, new) in before.cells.beside(&after.cells) {
            let (old, new) = differing(
                old.cloned().unwrap_or_default(),
                new.cloned().unwrap_or_default(),
            );
            if !old.is_empty() {
                gone.push((key, old));
            }
            if !new.is_empty() {
                come.push((key, new));
            }
        }
        Change {
            before: Tally {
                submissions: before.submissions,
                cells: Cells(gone),
            },
            after: Tally {
                submissions: after.submissions,
                cells: Cells(come),
            },
        }
    }

    /// Tells whether all is as it was. Changes of several parts may cancel each other out.
    pub(super) fn is_nothing(&self) -> bool {
        self.before == self.after
    }

    /// The keys of all that changes, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = CellKey> {
        self.cells().map(|(key, ..)| key)
    }

    /// Takes in the change of another part.
    pub fn merge(&mut self, other: Change) {
        self.before.merge(other.before);
        self.after.merge(other.after);
    }

    /// Leaves out the cells that `keep` refuses, on either side.
    #[must_use]
    pub(super) fn retaining(self, keep: impl Fn(CellKey, &mut Cell) -> bool) -> Change {
        Change {
            before: self.before.retaining(&keep),
            after: self.after.retaining(&keep),
        }
    }

    /// Adds the changes of cells of which there are none yet: before, and after.
    pub(super) fn add(&mut self, cells: impl Iterator<Item = (CellKey, Cell, Cell)>) {
        let (gone, come): (Vec<_>, Vec<_>) = cells
            .map(|(key, before, after)| ((key, before), (key, after)))
            .unzip();
        self.before.cells.merge(gone.into_iter().collect());
        self.after.cells.merge(come.into_iter().collect());
    }

    /// Pairs each key's old cell with its new one.
    fn cells(&self) -> impl Iterator<Item = (CellKey, &Cell, &Cell)> {
        let pairs = self.before.cells.beside(&self.after.cells);
        pairs.map(|(key, before, after)| {
            (key, before.unwrap_or(&NO_CELL), after.unwrap_or(&NO_CELL))
        })
    }

    /// Tells whether `whole` can change without its other parts being known. It cannot if an extreme gave
    /// way.
    pub fn fits(&self, whole: &Tally) -> bool {
        let (submissions, before, after) = (
            whole.submissions,
            self.before.submissions,
            self.after.submissions,
        );
        submissions.submitted + after.submitted >= before.submitted
            && submissions.approved + after.approved >= before.approved
            && self.cells().all(|(key, before, after)| {
                let cell = whole.cells.get(key).unwrap_or(&NO_CELL);
                cell.can_change(before, after)
            })
    }

    /// Changes `whole`, which the change [fits](Change::fits).
    pub fn apply_to(&self, whole: &mut Tally) {
        let moved = |whole: &mut u64, before: u64, after: u64| {
            *whole = (*whole + after).saturating_sub(before);
        };
        let (before, after) = (self.before.submissions, self.after.submissions);
        let submissions = &mut whole.submissions;
        moved(
            &mut submissions.submitted,
            before.submitted,
            after.submitted,
        );
        moved(&mut submissions.approved, before.approved, after.approved);
        let changes = self.cells();
        let changes = changes.map(|(key, before, after)| (key, (before, after)));
        let mut is_emptied = false;
        whole.cells.update(changes, |cell, (before, after)| {
            cell.change(before, after);
            is_emptied |= cell.is_empty();
        });
        if is_emptied {
            whole.cells.retain(|_, cell| !cell.is_empty());
        }
    }
}
