//! Cells: the totals of an indicator or one of its options in both stages.

use std::collections::BTreeSet;

use itertools::{EitherOrBoth, Itertools};

use super::total::Total;
use crate::domain::id::{IndicatorNumber, OptionNumber};
use crate::domain::submission::Stage;

/// One thing in each stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ByStage<T> {
    pub submitted: T,
    pub approved: T,
}

impl<T> ByStage<T> {
    pub fn at(&self, stage: Stage) -> &T {
        match stage {
            Stage::Submitted => &self.submitted,
            Stage::Approved => &self.approved,
        }
    }
}

/// A cell's place: an indicator, and one of its options or the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellKey {
    pub indicator: IndicatorNumber,
    pub option: OptionNumber,
}

/// A cell's totals in both stages. Most cells have nothing approved, and keep nothing for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    pub submitted: Total,
    /// Never an empty total.
    approved: Option<Box<Total>>,
}

impl Cell {
    pub fn new(submitted: Total, approved: Total) -> Cell {
        Cell {
            submitted,
            approved: kept(approved),
        }
    }

    /// A cell of which all is approved.
    pub fn of_approved(total: Total) -> Cell {
        Cell {
            approved: kept(total.clone()),
            submitted: total,
        }
    }

    pub fn approved(&self) -> &Total {
        self.approved.as_deref().unwrap_or(&Total::EMPTY)
    }

    pub fn at(&self, stage: Stage) -> &Total {
        match stage {
            Stage::Submitted => &self.submitted,
            Stage::Approved => self.approved(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.submitted.is_empty() && self.approved.is_none()
    }

    pub fn merge(&mut self, other: &Cell) {
        self.submitted.merge(&other.submitted);
        if other.approved.is_some() {
            self.change_approved(|approved| approved.merge(other.approved()));
        }
    }

    /// See [`Total::counted`].
    #[must_use]
    pub fn counted(mut self) -> Cell {
        self.submitted = self.submitted.counted();
        self.approved = self.approved.and_then(|approved| kept(approved.counted()));
        self
    }

    pub(super) fn can_change(&self, before: &Cell, after: &Cell) -> bool {
        self.submitted
            .can_change(&before.submitted, &after.submitted)
            && self
                .approved()
                .can_change(before.approved(), after.approved())
    }

    pub(super) fn change(&mut self, before: &Cell, after: &Cell) {
        self.submitted.change(&before.submitted, &after.submitted);
        if before.approved.is_some() || after.approved.is_some() {
            self.change_approved(|approved| approved.change(before.approved(), after.approved()));
        }
    }

    fn change_approved(&mut self, change: impl FnOnce(&mut Total)) {
        let mut approved = self.approved.take().unwrap_or_default();
        change(&mut approved);
        self.approved = (!approved.is_empty()).then_some(approved);
    }
}

fn kept(approved: Total) -> Option<Box<Total>> {
    (!approved.is_empty()).then(|| Box::new(approved))
}

pub(super) const NO_CELL: Cell = Cell {
    submitted: Total::EMPTY,
    approved: None,
};

/// Empties the stages in which two cells are equal: an extreme that stays must not look as if it
/// gave way.
pub(super) fn differing(mut old: Cell, mut new: Cell) -> (Cell, Cell) {
    if old.submitted == new.submitted {
        (old.submitted, new.submitted) = (Total::EMPTY, Total::EMPTY);
    }
    if old.approved == new.approved {
        (old.approved, new.approved) = (None, None);
    }
    (old, new)
}

/// Cells by their key, in order, none of them empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cells(pub(super) Vec<(CellKey, Cell)>);

impl FromIterator<(CellKey, Cell)> for Cells {
    fn from_iter<I: IntoIterator<Item = (CellKey, Cell)>>(cells: I) -> Cells {
        let mut cells: Vec<_> = cells
            .into_iter()
            .filter(|(_, cell)| !cell.is_empty())
            .collect();
        cells.sort_by_key(|(key, _)| *key);
        Cells(cells)
    }
}

impl Cells {
    pub fn get(&self, key: CellKey) -> Option<&Cell> {
        let found = self.0.binary_search_by_key(&key, |(key, _)| *key).ok();
        found.and_then(|at| self.0.get(at)).map(|(_, cell)| cell)
    }

    pub fn iter(&self) -> impl Iterator<Item = (CellKey, &Cell)> {
        self.0.iter().map(|(key, cell)| (*key, cell))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Both sides' cells of every key that one of them has.
    pub(super) fn beside<'c>(
        &'c self,
        other: &'c Cells,
    ) -> impl Iterator<Item = (CellKey, Option<&'c Cell>, Option<&'c Cell>)> {
        self.0
            .iter()
            .merge_join_by(&other.0, |(a, _), (b, _)| a.cmp(b))
            .map(|pair| match pair {
                EitherOrBoth::Both((key, left), (_, right)) => (*key, Some(left), Some(right)),
                EitherOrBoth::Left((key, left)) => (*key, Some(left), None),
                EitherOrBoth::Right((key, right)) => (*key, None, Some(right)),
            })
    }

    /// Does something with the cell of each key of `others`, an empty one where there is none
    /// yet. Mostly all are there already: then nothing moves.
    pub(super) fn update<T>(
        &mut self,
        others: impl Iterator<Item = (CellKey, T)>,
        mut update: impl FnMut(&mut Cell, T),
    ) {
        let mut new = Vec::new();
        let mut own = self.0.iter_mut().peekable();
        for (key, other) in others {
            while own.next_if(|(before, _)| *before < key).is_some() {}
            match own.next_if(|(same, _)| *same == key) {
                Some((_, cell)) => update(cell, other),
                None => {
                    let mut cell = Cell::default();
                    update(&mut cell, other);
                    new.push((key, cell));
                }
            }
        }
        if !new.is_empty() {
            self.0.append(&mut new);
            self.0.sort_by_key(|(key, _)| *key);
        }
    }

    pub(super) fn merge(&mut self, other: Cells) {
        if self.is_empty() {
            *self = other;
            return;
        }
        self.update(other.0.into_iter(), |cell, other| cell.merge(&other));
    }

    /// Puts the cells of some indicators in the place of its own of them.
    pub(super) fn exchange(&mut self, given: &Cells, indicators: &BTreeSet<IndicatorNumber>) {
        let is_exchanged = |key: &CellKey| indicators.contains(&key.indicator);
        self.0.retain(|(key, _)| !is_exchanged(key));
        let given = given.0.iter().filter(|(key, _)| is_exchanged(key));
        self.0.extend(given.cloned());
        self.0.sort_by_key(|(key, _)| *key);
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(CellKey, &mut Cell) -> bool) {
        self.0.retain_mut(|(key, cell)| keep(*key, cell));
    }
}
