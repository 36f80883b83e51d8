//! Totals: how what one unit submits reaches every ancestor in the transaction of the submission,
//! for its base period and for every longer period that is made of it, and how rollups are read.
//! Never what is shown of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::locate::Located;
use super::snapshot::Snapshot;
use crate::domain::catalogue::Aggregations;
use crate::domain::form::{FormPeriod, Span};
use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::id::UnitId;
use crate::domain::period::Period;
use crate::domain::submission::Fact;
use crate::rollup::climb::{climb, touched};
use crate::rollup::encode::YearOfRollups;
use crate::rollup::fold::fold;
use crate::rollup::node::Rollup;
use crate::rollup::tally::{Contribution, Tally};
use crate::store::rollup::{StoredRollup, rollups_of, rollups_put, years_of, years_put};
use crate::store::submission::{Counting, counting_of};
use crate::store::{StoreError, Transaction};

/// What of one unit counts for a base period, before and after a commit.
pub(super) struct OwnChange {
    pub unit: UnitId,
    pub before: Option<Contribution>,
    pub after: Option<Contribution>,
}

/// Brings the totals of every ancestor up to date with changes on one form and base period.
pub(super) fn apply(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
    changes: &[OwnChange],
    rev: i64,
) -> Result<(), StoreError> {
    let board = Board::of(snapshot, located.in_force.period);
    let rollups = board.apply(transaction, located.period(), changes)?;
    let rows = board.rows(&rollups);
    rollups_put(
        transaction,
        located.form().number,
        located.period(),
        &rows,
        rev,
    )?;
    apply_to_longer_periods(transaction, snapshot, located, changes, rev)
}

fn apply_to_longer_periods(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
    changes: &[OwnChange],
    rev: i64,
) -> Result<(), StoreError> {
    let form = located.form();
    let longer = form.longer_periods_with(&located.in_force.period);
    if longer.is_empty() {
        return Ok(());
    }
    let year = located.period().year();
    let mut rows: BTreeMap<UnitId, YearOfRollups> = BTreeMap::new();
    let mut known: HashSet<UnitId> = HashSet::new();
    for period in longer {
        let board = Board::of(snapshot, period);
        let rollups = board.apply(transaction, located.period(), changes)?;
        let changed = board.rows(&rollups);
        let new: Vec<UnitId> = changed
            .iter()
            .map(|(unit, _)| *unit)
            .filter(|unit| known.insert(*unit))
            .collect();
        for (unit, stored) in years_of(transaction, form.number, year, &new)? {
            rows.insert(unit, stored.year);
        }
        for (unit, rollup) in changed {
            rows.entry(unit).or_default().insert(period.period, rollup);
        }
    }
    let rows: Vec<(UnitId, YearOfRollups)> = rows.into_iter().collect();
    years_put(transaction, form.number, year, &rows, rev)
}

/// One form's period, base or long, on the tree of its last day.
pub(super) struct Board<'s> {
    pub period: FormPeriod<'s>,
    pub tree: Arc<Tree>,
    aggregations: &'s Aggregations,
}

/// What counts of some units over the base periods of a year.
pub(super) type OwnYears = HashMap<UnitId, OwnYear>;

/// One unit's contributions by base period, and the rev of the last step of any of them.
#[derive(Default)]
pub(super) struct OwnYear {
    contributions: BTreeMap<Period, Contribution>,
    rev: i64,
}

/// Puts what was read together by unit, with those facts that are wanted.
pub(super) fn own_years(
    counting: impl Iterator<Item = Result<Counting, StoreError>>,
    is_wanted: impl Fn(&Fact) -> bool,
) -> Result<OwnYears, StoreError> {
    let mut years = OwnYears::new();
    for found in counting {
        let found = found?;
        let year = years.entry(found.unit).or_default();
        year.rev = year.rev.max(found.rev);
        if let Some(mut contribution) = found.contribution {
            contribution.facts.retain(&is_wanted);
            contribution.facts.shrink_to_fit();
            year.contributions.insert(found.period, contribution);
        }
    }
    Ok(years)
}

impl<'s> Board<'s> {
    pub fn of(snapshot: &'s Snapshot, period: FormPeriod<'s>) -> Board<'s> {
        Board {
            period,
            tree: snapshot.hierarchy.tree_on(period.closing_day()),
            aggregations: snapshot.catalogue.aggregations(),
        }
    }

    fn base_periods(&self) -> Vec<Period> {
        self.period
            .base_periods()
            .iter()
            .map(|base| base.period)
            .collect()
    }

    fn tally(&self, own: &BTreeMap<Period, Contribution>) -> Tally {
        Tally::of(own.values(), self.aggregations, self.period.span)
    }

    /// Takes changes in a base period up this period's tree.
    fn apply(
        &self,
        transaction: &mut Transaction<'_>,
        base: Period,
        changes: &[OwnChange],
    ) -> Result<BTreeMap<Position, Rollup>, StoreError> {
        let changes: Vec<(Place<'_>, &OwnChange)> = changes
            .iter()
            .filter_map(|change| Some((self.tree.by_id(change.unit)?, change)))
            .collect();
        let touched = touched(
            &self.tree,
            changes.iter().map(|(place, _)| place.position()),
        );
        let stored = self.rollups(transaction, touched)?;
        let mut rollups: BTreeMap<Position, Rollup> = stored
            .into_iter()
            .map(|(position, stored)| (position, stored.rollup))
            .collect();
        let units: Vec<UnitId> = changes.iter().map(|(_, change)| change.unit).collect();
        let mut others = self.base_periods();
        others.retain(|period| *period != base);
        let mut years = self.own_years(transaction, &others, &units)?;
        let mut own = BTreeMap::new();
        for (place, change) in changes {
            let mut contributions = years.remove(&change.unit).unwrap_or_default().contributions;
            contributions.extend(change.before.clone().map(|before| (base, before)));
            rollups.entry(place.position()).or_default().own = self.tally(&contributions);
            contributions.remove(&base);
            contributions.extend(change.after.clone().map(|after| (base, after)));
            own.insert(place.position(), self.tally(&contributions));
        }
        climb(
            &self.tree,
            self.aggregations,
            &mut rollups,
            own,
            |position| {
                let children = self.tree.at(position).children().map(Place::position);
                let stored = self.rollups(transaction, children)?;
                let rollups = stored
                    .into_iter()
                    .map(|(position, stored)| (position, stored.rollup));
                Ok::<_, StoreError>(rollups.collect())
            },
        )?;
        Ok(rollups)
    }

    /// What is to be kept of rollups: a unit without children needs no row, its own submission is
    /// its rollup.
    fn rows(&self, rollups: &BTreeMap<Position, Rollup>) -> Vec<(UnitId, Rollup)> {
        rollups
            .iter()
            .map(|(position, rollup)| (self.tree.at(*position), rollup))
            .filter(|(place, _)| place.has_children())
            .map(|(place, rollup)| (place.unit(), rollup.clone()))
            .collect()
    }

    /// The rollups of `positions`: each unit's row, or what it submitted itself where it has
    /// none. A unit that has nothing is not among them.
    pub fn rollups(
        &self,
        transaction: &mut Transaction<'_>,
        positions: impl IntoIterator<Item = Position>,
    ) -> Result<BTreeMap<Position, StoredRollup>, StoreError> {
        let wanted: HashMap<UnitId, Position> = positions
            .into_iter()
            .map(|position| (self.tree.at(position).unit(), position))
            .collect();
        let parents: Vec<UnitId> = wanted
            .iter()
            .filter(|(_, position)| self.tree.at(**position).has_children())
            .map(|(unit, _)| *unit)
            .collect();
        let mut found = self.kept(transaction, &parents)?;
        let without: Vec<UnitId> = wanted
            .keys()
            .filter(|unit| !found.contains_key(unit))
            .copied()
            .collect();
        let own = self.own_years(transaction, &self.base_periods(), &without)?;
        for (unit, own) in own {
            let rollup = Rollup::of_leaf(self.tally(&own.contributions));
            found.insert(
                unit,
                StoredRollup {
                    rollup,
                    rev: own.rev,
                },
            );
        }
        Ok(found
            .into_iter()
            .filter_map(|(unit, stored)| Some((*wanted.get(&unit)?, stored)))
            .collect())
    }

    fn kept(
        &self,
        transaction: &mut Transaction<'_>,
        units: &[UnitId],
    ) -> Result<HashMap<UnitId, StoredRollup>, StoreError> {
        let form = self.period.form.number;
        match self.period.span {
            Span::BasePeriod => rollups_of(transaction, form, self.period.period, units),
            Span::LongPeriod => {
                let years = years_of(transaction, form, self.period.period.year(), units)?;
                // A row without the period is as none: its unit has nothing below it there.
                let kept = years.into_iter().filter_map(|(unit, mut stored)| {
                    let rollup = stored.year.remove(&self.period.period)?;
                    Some((
                        unit,
                        StoredRollup {
                            rollup,
                            rev: stored.rev,
                        },
                    ))
                });
                Ok(kept.collect())
            }
        }
    }

    fn own_years(
        &self,
        transaction: &mut Transaction<'_>,
        periods: &[Period],
        units: &[UnitId],
    ) -> Result<OwnYears, StoreError> {
        own_years(
            counting_of(transaction, self.period.form.number, periods, units)?,
            |_| true,
        )
    }

    /// The rollups of units that come in preorder, each with everything below it, folded anew
    /// from the submissions: what must be there.
    pub fn folded(
        &self,
        transaction: &mut Transaction<'_>,
        positions: &[Position],
    ) -> Result<BTreeMap<Position, Rollup>, StoreError> {
        let places = || positions.iter().map(|position| self.tree.at(*position));
        let units: Vec<UnitId> = places().map(Place::unit).collect();
        let years = self.own_years(transaction, &self.base_periods(), &units)?;
        let own = places().filter_map(|place| {
            let own = years.get(&place.unit())?;
            Some((place.position(), self.tally(&own.contributions)))
        });
        Ok(fold(places(), self.aggregations, &own.collect()))
    }

    /// One unit's rollup from the beginning of a year through one of its base periods, folded
    /// from what was read of the year: for spans that no row is kept of.
    pub fn folded_through(&self, last: Period, year: &OwnYears, top: Place<'_>) -> Rollup {
        let own = top.subtree().filter_map(|place| {
            let own = year.get(&place.unit())?;
            let through = own.contributions.range(..=last).map(|(_, one)| one);
            let tally = Tally::of(through, self.aggregations, Span::LongPeriod);
            Some((place.position(), tally))
        });
        let mut folded = fold(top.subtree(), self.aggregations, &own.collect());
        folded.remove(&top.position()).unwrap_or_default()
    }
}
