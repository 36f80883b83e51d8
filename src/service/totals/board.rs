//! A board: the rollups of one period on one map, read and changed. Never when they change.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;

use crate::domain::form::{FormPeriod, Span};
use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::rollup::carry::{Carrier, Contributions};
use crate::rollup::climb::{climb, merged_below, touched};
use crate::rollup::encode::YearOfRollups;
use crate::rollup::fold::fold;
use crate::rollup::frontier::{Frontier, Restated};
use crate::rollup::handover::{HandedOver, PastStep, handed_over};
use crate::rollup::node::{KeptRollup, Rollup};
use crate::rollup::piece::{Contribution, Edition, Piece};
use crate::rollup::tally::Tally;
use crate::service::application::locate::Located;
use crate::service::application::patience::Patience;
use crate::service::application::snapshot::Snapshot;
use crate::store::key::Units;
use crate::store::rollup::{rollups_delete, rollups_of, rollups_put, years_of, years_put};
use crate::store::submission::counting::counting_of;
use crate::store::submission::revision::history_of;
use crate::store::{StoreError, Transaction};

/// The contributions of one unit for a base period, before and after a commit.
pub(in crate::service) struct OwnChange {
    pub unit: UnitId,
    pub before: Given,
    pub after: Given,
}

/// The contributions of one unit for one base period.
pub(in crate::service) type Given = BTreeMap<Edition, Contribution>;

/// Base periods, each with the map of its last day.
pub(in crate::service) type Maps = BTreeMap<Period, Arc<Tree>>;

/// One form's period, base or long, on the tree of a day: of its last day, for which rows are kept,
/// or of a later one.
pub(in crate::service) struct Board<'s> {
    pub period: FormPeriod<'s>,
    pub(super) carrier: Carrier<'s>,
    pub(super) rows: Rows<'s>,
    pub(super) patience: &'s Patience,
}

/// The rows from which a board's rollups are read.
pub(super) enum Rows<'s> {
    /// The board's own rows.
    Kept,
    /// The rows of the same period on the map of its last day.
    OfFormerMap(Box<Board<'s>>),
}

/// The plan for assembling rollups on a later map.
#[derive(Default)]
pub(super) struct Assembly {
    pub(super) origins: BTreeMap<Position, Restated>,
    /// On the former map: the places whose rollups are needed.
    pub(super) rows: BTreeSet<Position>,
    /// On the later map: the places whose own parts are assembled anew.
    pub(super) own: BTreeSet<Position>,
}

/// Contributions, with the rev of each one's last step; also the revs of those that no longer
/// count.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) contributions: Contributions,
    pub(super) revs: BTreeMap<(Period, UnitId, Edition), i64>,
}

impl Loaded {
    pub(super) fn of(
        transaction: &mut Transaction<'_>,
        form: FormNumber,
        maps: &Maps,
        units: Units<'_>,
    ) -> Result<Loaded, StoreError> {
        let mut loaded = Loaded::default();
        if maps.is_empty() {
            return Ok(loaded);
        }
        let periods: Vec<Period> = maps.keys().copied().collect();
        for found in counting_of(transaction, form, &periods, units)? {
            let found = found?;
            let key = (found.period, found.unit, Edition::Counting);
            loaded.revs.insert(key, found.rev);
            if let Some(contribution) = found.contribution {
                loaded.contributions.insert(key, contribution);
            }
        }
        for (period, unit, handed) in handed_over_of(transaction, form, maps, units)? {
            let key = (period, unit, handed.edition);
            loaded.revs.insert(key, handed.rev);
            loaded.contributions.insert(key, handed.contribution);
        }
        Ok(loaded)
    }
}

/// The part of a board's tree that changes reach.
pub(super) struct ChangedPart {
    /// The places whose own part may change.
    pub(super) changed: BTreeSet<Position>,
    /// The places above them.
    pub(super) ancestors: BTreeSet<Position>,
}

impl ChangedPart {
    pub(super) fn all(&self) -> impl Iterator<Item = Position> {
        self.changed.iter().chain(&self.ancestors).copied()
    }
}

/// The units and base periods whose submissions must be read.
#[derive(Default)]
pub(super) struct Needed {
    pub(super) sources: BTreeSet<UnitId>,
    pub(super) maps: Maps,
}

impl Needed {
    pub(super) fn extend(&mut self, other: Needed) {
        self.sources.extend(other.sources);
        self.maps.extend(other.maps);
    }

    pub(super) fn load(
        &self,
        transaction: &mut Transaction<'_>,
        form: FormNumber,
    ) -> Result<Contributions, StoreError> {
        let sources: Vec<UnitId> = self.sources.iter().copied().collect();
        let loaded = Loaded::of(transaction, form, &self.maps, Units::These(&sources))?;
        Ok(loaded.contributions)
    }
}

/// A transaction that several threads use, one after another.
pub(in crate::service) struct Shared<'t, 'c>(Mutex<&'t mut Transaction<'c>>);

impl<'t, 'c> Shared<'t, 'c> {
    pub fn new(transaction: &'t mut Transaction<'c>) -> Shared<'t, 'c> {
        Shared(Mutex::new(transaction))
    }

    pub fn with<T>(&self, work: impl FnOnce(&mut Transaction<'c>) -> T) -> T {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut held)
    }
}

/// Contributions at places that a commit does not change. Each unit's are read once, however many
/// periods use them.
pub(super) struct Others<'o, 't, 'c> {
    transaction: &'o Shared<'t, 'c>,
    form: FormNumber,
    maps: Maps,
    read: Mutex<OthersRead>,
}

#[derive(Default)]
struct OthersRead {
    units: HashSet<UnitId>,
    contributions: Contributions,
}

impl<'o, 't, 'c> Others<'o, 't, 'c> {
    pub(super) fn new(
        transaction: &'o Shared<'t, 'c>,
        form: FormNumber,
        maps: Maps,
    ) -> Others<'o, 't, 'c> {
        Others {
            transaction,
            form,
            maps,
            read: Mutex::default(),
        }
    }

    /// Reads the rollups of `positions` on a board, which a commit does not change.
    fn rollups(
        &self,
        board: &Board<'_>,
        mut positions: BTreeSet<Position>,
    ) -> Result<BTreeMap<Position, Rollup>, StoreError> {
        let kept =
            |transaction: &mut Transaction<'c>| board.kept(transaction, positions.iter().copied());
        let mut rollups = without_revs(self.transaction.with(kept)?);
        positions.retain(|position| !rollups.contains_key(position));
        let sources = board.sources(positions.iter().copied());
        let contributions = self.given_by(&sources, &board.base_periods())?;
        let mut own = board.carrier.own(&contributions);
        own.retain(|position, _| positions.contains(position));
        let leaves = own.into_iter();
        rollups.extend(leaves.map(|(position, own)| (position, Rollup::of_leaf(own))));
        Ok(rollups)
    }

    fn given_by(&self, units: &[UnitId], bases: &[Period]) -> Result<Contributions, StoreError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let new = units
            .iter()
            .copied()
            .filter(|unit| read.units.insert(*unit));
        let new: Vec<UnitId> = new.collect();
        let loaded = self
            .transaction
            .with(|transaction| Loaded::of(transaction, self.form, &self.maps, Units::These(&new)));
        read.contributions.extend(loaded?.contributions);
        let keys = units
            .iter()
            .flat_map(|unit| bases.iter().map(|base| (*base, *unit)));
        let found = keys.flat_map(|(base, unit)| given_in(&read.contributions, base, unit));
        Ok(found.map(|(key, one)| (*key, one.clone())).collect())
    }
}

/// A board that changes are about to climb: what they reach, and the rows that are there.
pub(super) struct Climbing<'s> {
    pub(super) board: Board<'s>,
    pub(super) reach: ChangedPart,
    pub(super) rows: BTreeMap<Position, Rollup>,
}

/// A board with the rollups that changes reach, after the changes.
pub(super) struct Climbed<'s> {
    pub(super) board: Board<'s>,
    pub(super) rollups: BTreeMap<Position, Rollup>,
    /// The places whose rollups have changed.
    pub(super) changed: BTreeSet<Position>,
}

impl<'s> Climbing<'s> {
    /// Reads the rows of a base period's board.
    pub(super) fn of_base(
        transaction: &mut Transaction<'_>,
        board: Board<'s>,
        base: Period,
        changes: &[OwnChange],
    ) -> Result<Climbing<'s>, StoreError> {
        let reach = board.reach(base, changes);
        let rows = without_revs(board.kept(transaction, reach.all())?);
        Ok(Climbing { board, reach, rows })
    }

    /// Finds the units and periods whose submissions must be read before changes can climb.
    pub(super) fn needed(&self, base: Period, changes: &[OwnChange]) -> Needed {
        let board = &self.board;
        let changing: HashSet<UnitId> = changes.iter().map(|change| change.unit).collect();
        // An ancestor without a row has nothing below it yet, but may have values of its own.
        let without_row = self.reach.ancestors.iter().copied();
        let without_row = without_row.filter(|position| !self.rows.contains_key(position));
        let sources = board.sources(self.reach.changed.iter().copied().chain(without_row));
        let mut maps = board.carrier.bases.clone();
        if sources.iter().all(|source| changing.contains(source)) {
            maps.remove(&base);
        }
        Needed {
            sources: sources.into_iter().collect(),
            maps,
        }
    }

    /// Takes the changes up to the top. `before` and `after` have everything that counts at the places
    /// that they reach.
    pub(super) fn climb(
        self,
        before: &Contributions,
        after: &Contributions,
        others: &Others<'_, '_, '_>,
    ) -> Result<Climbed<'s>, StoreError> {
        let Climbing { board, reach, rows } = self;
        let mut rollups = rows;
        let (mut before, mut after) = (board.carrier.own(before), board.carrier.own(after));
        for position in reach.ancestors {
            rollups
                .entry(position)
                .or_insert_with(|| Rollup::of_leaf(after.remove(&position).unwrap_or_default()));
        }
        let mut own = BTreeMap::new();
        for position in reach.changed {
            let rollup = rollups.entry(position).or_default();
            rollup.own = before.remove(&position).unwrap_or_default();
            own.insert(position, after.remove(&position).unwrap_or_default());
        }
        let aggregations = board.carrier.aggregations;
        let changed = climb(board.tree(), aggregations, &mut rollups, own, |parts| {
            others.rollups(&board, parts)
        })?;
        Ok(Climbed {
            board,
            rollups,
            changed,
        })
    }
}

pub(super) fn without_revs(stored: BTreeMap<Position, KeptRollup>) -> BTreeMap<Position, Rollup> {
    let stored = stored.into_iter();
    stored
        .map(|(position, stored)| (position, stored.rollup))
        .collect()
}

/// Returns all contributions before and after changes in a base period.
pub(super) fn around(
    base: Period,
    changes: &[OwnChange],
    known: &Contributions,
) -> (Contributions, Contributions) {
    let (mut before, mut after) = (known.clone(), known.clone());
    for change in changes {
        let sides = [(&mut before, &change.before), (&mut after, &change.after)];
        for (contributions, given) in sides {
            let known = given_in(contributions, base, change.unit);
            let known: Vec<_> = known.map(|(key, _)| *key).collect();
            for key in known {
                contributions.remove(&key);
            }
            let given = given.iter();
            let given = given.map(|(edition, one)| ((base, change.unit, *edition), one.clone()));
            contributions.extend(given);
        }
    }
    (before, after)
}

/// Returns everything that a unit has given for a base period.
pub(super) fn given_in(
    contributions: &Contributions,
    base: Period,
    unit: UnitId,
) -> impl Iterator<Item = (&(Period, UnitId, Edition), &Contribution)> {
    contributions.range((base, unit, Edition::LEAST)..=(base, unit, Edition::Counting))
}

/// Returns the maps of the last days of some base periods.
pub(in crate::service) fn maps_of(snapshot: &Snapshot, bases: &[FormPeriod<'_>]) -> Maps {
    let maps = bases
        .iter()
        .map(|base| (base.period, snapshot.hierarchy.tree_on(base.closing_day())));
    maps.collect()
}

/// Reads everything that some units have given for some base periods.
pub(in crate::service) fn given_by(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    maps: &Maps,
    units: &[UnitId],
) -> Result<Contributions, StoreError> {
    let loaded = Loaded::of(transaction, form, maps, Units::These(units))?;
    Ok(loaded.contributions)
}

/// Reads contributions that units gave before they were divided and went on, and have replaced or
/// withdrawn since. Reads the history of such units only.
pub(in crate::service) fn handed_over_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    maps: &Maps,
    units: Units<'_>,
) -> Result<Vec<(Period, UnitId, HandedOver)>, StoreError> {
    let mut all = Vec::new();
    for (period, unit, history) in histories_of(transaction, form, maps, units)? {
        let divisions = divisions_in(maps, period, unit);
        let handed = handed_over(&history, &divisions).into_iter();
        all.extend(handed.map(|one| (period, unit, one)));
    }
    Ok(all)
}

/// Reads the histories of those of the units that were divided and went on.
pub(in crate::service) fn histories_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    maps: &Maps,
    units: Units<'_>,
) -> Result<Vec<(Period, UnitId, Vec<PastStep>)>, StoreError> {
    let mut divided: BTreeMap<Period, Vec<UnitId>> = BTreeMap::new();
    for (period, map) in maps {
        let of_period: Vec<UnitId> = match units {
            Units::All => map.divided().into_iter().collect(),
            Units::These(these) => {
                let these = these.iter().copied();
                these.filter(|unit| map.is_divided(*unit)).collect()
            }
        };
        if !of_period.is_empty() {
            divided.insert(*period, of_period);
        }
    }
    let mut histories = Vec::new();
    for (period, units) in divided {
        let found = history_of(transaction, form, period, &units)?;
        histories.extend(found.into_iter().map(|(unit, steps)| (period, unit, steps)));
    }
    Ok(histories)
}

pub(in crate::service) fn divisions_in(maps: &Maps, period: Period, unit: UnitId) -> Vec<i64> {
    let map = maps.get(&period);
    map.map(|map| map.divisions_of(unit)).unwrap_or_default()
}

impl<'s> Board<'s> {
    /// The figures of a located report's period, on its map.
    pub fn at(located: &Located<'s>, snapshot: &'s Snapshot) -> Board<'s> {
        let period = located.in_force.period;
        match located.restated_to() {
            Some(day) => Board::restated(snapshot, period, day),
            None => Board::of(snapshot, period),
        }
    }

    /// Makes the board of a period as it was reported: on the tree of its last day.
    pub fn of(snapshot: &'s Snapshot, period: FormPeriod<'s>) -> Board<'s> {
        let bases = period.base_periods();
        Board::over(snapshot, period, &bases, period.closing_day(), Rows::Kept)
    }

    /// Makes the board of a restated period: on the tree of a later day.
    pub fn restated(snapshot: &'s Snapshot, period: FormPeriod<'s>, day: NaiveDate) -> Board<'s> {
        let bases = period.base_periods();
        let former = Box::new(Board::of(snapshot, period));
        Board::over(snapshot, period, &bases, day, Rows::OfFormerMap(former))
    }

    /// Makes a board for folding only, on the tree of any day. No rows are read.
    pub fn to_fold(snapshot: &'s Snapshot, period: FormPeriod<'s>, day: NaiveDate) -> Board<'s> {
        let bases = period.base_periods();
        Board::over(snapshot, period, &bases, day, Rows::Kept)
    }

    /// Makes a board for folding several base periods that need not be a period of the form.
    pub fn of_span(
        snapshot: &'s Snapshot,
        period: FormPeriod<'s>,
        bases: &[FormPeriod<'s>],
        day: NaiveDate,
    ) -> Board<'s> {
        let period = FormPeriod {
            span: Span::LongPeriod,
            ..period
        };
        Board::over(snapshot, period, bases, day, Rows::Kept)
    }

    pub(super) fn over(
        snapshot: &'s Snapshot,
        period: FormPeriod<'s>,
        bases: &[FormPeriod<'s>],
        day: NaiveDate,
        rows: Rows<'s>,
    ) -> Board<'s> {
        let carrier = Carrier {
            tree: snapshot.hierarchy.tree_on(day),
            bases: maps_of(snapshot, bases),
            aggregations: snapshot.catalogue.aggregations(),
            span: period.span,
        };
        Board {
            period,
            carrier,
            rows,
            patience: &snapshot.patience,
        }
    }

    pub fn tree(&self) -> &Arc<Tree> {
        &self.carrier.tree
    }

    /// Returns the maps of the base periods.
    pub fn maps(&self) -> &Maps {
        &self.carrier.bases
    }

    pub(super) fn base_periods(&self) -> Vec<Period> {
        self.carrier.bases.keys().copied().collect()
    }

    /// Finds the places that changes in a base period reach on this board's tree.
    pub(super) fn reach(&self, base: Period, changes: &[OwnChange]) -> ChangedPart {
        let changed: BTreeSet<Position> = changes
            .iter()
            .flat_map(|change| self.affected_by(base, change.unit))
            .collect();
        let mut ancestors = touched(self.tree(), changed.iter().copied());
        ancestors.retain(|position| !changed.contains(position));
        ChangedPart { changed, ancestors }
    }

    /// Takes this period's rollups out of the year rows. The caller puts them back after the
    /// change.
    pub(super) fn taken_from(
        &self,
        years: &mut BTreeMap<UnitId, YearOfRollups>,
        reach: &ChangedPart,
    ) -> BTreeMap<Position, KeptRollup> {
        let places = reach.all().map(|position| self.tree().at(position));
        let taken = places
            .filter(|place| place.has_parts())
            .filter_map(|place| {
                let year = years.get_mut(&place.unit())?;
                Some((place.position(), year.remove(&self.period.period)?))
            });
        taken.collect()
    }

    /// Returns the places whose own part may change with a unit's submission. The submission
    /// replaces what former units passed to the unit. Submissions that stand in for one report
    /// together are approved together.
    pub(super) fn affected_by(&self, base: Period, unit: UnitId) -> Vec<Position> {
        let Some(tree) = self.carrier.bases.get(&base) else {
            return self.carrier.ends(base, unit);
        };
        let heirs = tree.ever_heirs_of(unit).into_iter();
        let concerned = heirs.flat_map(|heir| tree.sources_of(heir).into_iter().chain([heir]));
        let concerned: BTreeSet<UnitId> = concerned.collect();
        let ends = concerned.into_iter();
        ends.flat_map(|unit| self.carrier.ends(base, unit))
            .collect()
    }

    /// Returns the units whose submissions determine the own part at `positions`.
    pub(super) fn sources(&self, positions: impl IntoIterator<Item = Position>) -> Vec<UnitId> {
        let tree = self.tree();
        let mut sources = BTreeSet::new();
        for position in positions {
            let unit = tree.at(position).unit();
            sources.insert(unit);
            for source in tree.sources_of(unit) {
                sources.insert(source);
                sources.extend(self.replacing(source));
            }
            sources.extend(self.replacing(unit));
        }
        sources.into_iter().collect()
    }

    /// Returns the units whose own submissions may replace what `from` passes to them.
    pub(super) fn replacing(&self, from: UnitId) -> Vec<UnitId> {
        let trees = self.carrier.bases.values();
        trees.flat_map(|tree| tree.ever_heirs_of(from)).collect()
    }

    /// Selects the rollups to keep as rows. A unit with nothing below it needs none: its own
    /// submission is its rollup.
    pub(super) fn rows<'r>(
        &self,
        rollups: &'r BTreeMap<Position, Rollup>,
    ) -> impl Iterator<Item = (Place<'_>, &'r Rollup)> {
        rollups
            .iter()
            .map(|(position, rollup)| (self.tree().at(*position), rollup))
            .filter(|(place, _)| place.has_parts())
    }

    /// See [`Board::rows`].
    pub(super) fn owned_rows(
        &self,
        rollups: BTreeMap<Position, Rollup>,
    ) -> impl Iterator<Item = (Place<'_>, Rollup)> {
        rollups
            .into_iter()
            .map(|(position, rollup)| (self.tree().at(position), rollup))
            .filter(|(place, _)| place.has_parts())
    }

    /// Reads the rollups of `positions`: each unit's row, or its own part if it has no row. Empty
    /// ones are absent.
    pub fn rollups(
        &self,
        transaction: &mut Transaction<'_>,
        positions: impl IntoIterator<Item = Position>,
    ) -> Result<BTreeMap<Position, KeptRollup>, StoreError> {
        let mut wanted: BTreeSet<Position> = positions.into_iter().collect();
        if let Rows::OfFormerMap(former) = &self.rows {
            return self.restated_at(transaction, former, &wanted);
        }
        let mut found = self.kept(transaction, wanted.iter().copied())?;
        wanted.retain(|position| !found.contains_key(position));
        found.extend(self.of_own(transaction, &wanted)?);
        Ok(found)
    }

    /// Returns the units at `positions` that have rows.
    pub(super) fn units_with_rows(
        &self,
        positions: impl IntoIterator<Item = Position>,
    ) -> impl Iterator<Item = UnitId> {
        let places = positions
            .into_iter()
            .map(|position| self.tree().at(position));
        places
            .filter(|place| place.has_parts())
            .map(|place| place.unit())
    }

    /// Reads the rows of those of `positions` that have one.
    pub(super) fn kept(
        &self,
        transaction: &mut Transaction<'_>,
        positions: impl IntoIterator<Item = Position>,
    ) -> Result<BTreeMap<Position, KeptRollup>, StoreError> {
        let places = positions
            .into_iter()
            .map(|position| self.tree().at(position))
            .filter(|place| place.has_parts());
        let by_unit: HashMap<UnitId, Position> = places
            .map(|place| (place.unit(), place.position()))
            .collect();
        let units: Vec<UnitId> = by_unit.keys().copied().collect();
        let rows = self.rows_of(transaction, Units::These(&units))?;
        let rows = rows
            .into_iter()
            .filter_map(|(unit, stored)| Some((*by_unit.get(&unit)?, stored)));
        Ok(rows.collect())
    }

    /// Reads the period's rows.
    pub(super) fn rows_of(
        &self,
        transaction: &mut Transaction<'_>,
        units: Units<'_>,
    ) -> Result<HashMap<UnitId, KeptRollup>, StoreError> {
        let form = self.period.form.number;
        match self.period.span {
            Span::BasePeriod => rollups_of(transaction, form, self.period.period, units),
            Span::LongPeriod => {
                let years = years_of(transaction, form, self.period.period.year(), units)?;
                // A row without this period means that the unit has nothing below it there.
                let kept = years.into_iter().filter_map(|(unit, mut year)| {
                    let kept = year.remove(&self.period.period)?;
                    Some((unit, kept))
                });
                Ok(kept.collect())
            }
        }
    }

    /// Reads the own parts at `positions`, as rollups of units with nothing below them.
    pub(super) fn of_own(
        &self,
        transaction: &mut Transaction<'_>,
        positions: &BTreeSet<Position>,
    ) -> Result<BTreeMap<Position, KeptRollup>, StoreError> {
        let sources = self.sources(positions.iter().copied());
        let loaded = self.load(transaction, Units::These(&sources))?;
        let mut pieces = self.carrier.pieces(&loaded.contributions);
        let found = positions.iter().filter_map(|position| {
            let pieces = pieces.remove(position).unwrap_or_default();
            let rev = self.rev_of(*position, &pieces, &loaded);
            let rollup = Rollup::of_leaf(self.carrier.tally(&pieces));
            let stored = KeptRollup { rollup, rev };
            (stored != KeptRollup::default()).then_some((*position, stored))
        });
        Ok(found.collect())
    }

    /// Returns the rev of the last step on anything with a piece at a position, or withdrawn from
    /// it. The undivided part of a former unit also changes with its successors' submissions, which
    /// leave no piece there.
    pub(super) fn rev_of(&self, position: Position, pieces: &[Piece<'_>], loaded: &Loaded) -> i64 {
        let arrived = pieces.iter();
        let arrived = arrived.map(|piece| (piece.base, piece.source, piece.given));
        let arrived: HashSet<(Period, UnitId, i64)> = arrived.collect();
        let is_leaf = self.tree().at(position).is_leaf();
        let sources = self.sources([position]).into_iter();
        let keys =
            sources.flat_map(|unit| self.carrier.bases.keys().map(move |base| (*base, unit)));
        let steps = keys.flat_map(|(base, unit)| {
            let (first, last) = (Edition::LEAST, Edition::Counting);
            loaded.revs.range((base, unit, first)..=(base, unit, last))
        });
        let revs = steps.filter_map(|(key, rev)| {
            let counts_here = match loaded.contributions.get(key) {
                Some(one) => is_leaf || arrived.contains(&(key.0, key.1, one.given)),
                None => true,
            };
            counts_here.then_some(*rev)
        });
        revs.max().unwrap_or(0)
    }

    pub(super) fn load(
        &self,
        transaction: &mut Transaction<'_>,
        units: Units<'_>,
    ) -> Result<Loaded, StoreError> {
        self.patience.check()?;
        let form = self.period.form.number;
        let loaded = Loaded::of(transaction, form, &self.carrier.bases, units)?;
        self.patience.check()?;
        Ok(loaded)
    }

    /// Assembles rollups for which no rows are kept: from rows of the former map as far down as
    /// possible, and from submissions below that.
    pub(super) fn restated_at(
        &self,
        transaction: &mut Transaction<'_>,
        former: &Board<'_>,
        positions: &BTreeSet<Position>,
    ) -> Result<BTreeMap<Position, KeptRollup>, StoreError> {
        let (was, is) = (former.tree().clone(), self.tree().clone());
        let mut assembly = Assembly::default();
        let mut frontier = Frontier::new(&was, &is);
        let mut waiting: Vec<Place<'_>> = positions.iter().map(|at| is.at(*at)).collect();
        while let Some(place) = waiting.pop() {
            if assembly.origins.contains_key(&place.position()) {
                continue;
            }
            let origin = frontier.origin(place);
            match &origin {
                Restated::Same => assembly
                    .rows
                    .extend(was.by_id(place.unit()).map(Place::position)),
                Restated::BelowFormer(parents) => {
                    let parents = parents.iter().filter_map(|parent| was.by_id(*parent));
                    assembly.rows.extend(parents.map(Place::position));
                    waiting.extend(place.leaves());
                }
                Restated::Parts => waiting.extend(place.parts()),
            }
            if origin != Restated::Same {
                assembly.own.insert(place.position());
            }
            assembly.origins.insert(place.position(), origin);
        }
        let rows = former.rollups(transaction, assembly.rows.iter().copied())?;
        let sources = self.sources(assembly.own.iter().copied());
        let loaded = self.load(transaction, Units::These(&sources))?;
        let own = self.carrier.own(&loaded.contributions);
        let mut made: BTreeMap<Position, Rollup> = BTreeMap::new();
        // In preorder, units come after their parents; backwards, the parts come first.
        for (position, origin) in assembly.origins.iter().rev() {
            self.patience.check()?;
            let place = is.at(*position);
            let row = |unit: UnitId| was.by_id(unit).and_then(|at| rows.get(&at.position()));
            let rollup = match origin {
                Restated::Same => row(place.unit())
                    .map(|stored| stored.rollup.clone())
                    .unwrap_or_default(),
                Restated::BelowFormer(parents) => {
                    let former = parents.iter().filter_map(|parent| row(*parent));
                    let below = former.map(|stored| &stored.rollup.below);
                    let leaves = self.passed_up(place.leaves(), &made);
                    Rollup {
                        own: own.get(position).cloned().unwrap_or_default(),
                        below: below.fold(leaves, |all, one| all.merged(one.clone())),
                    }
                }
                Restated::Parts => Rollup {
                    own: own.get(position).cloned().unwrap_or_default(),
                    below: self.passed_up(place.parts(), &made),
                },
            };
            made.insert(*position, rollup);
        }
        // Any later step changes the rev.
        let revs = loaded
            .revs
            .values()
            .copied()
            .chain(rows.values().map(|stored| stored.rev));
        let rev = revs.max().unwrap_or(0);
        made.retain(|position, _| positions.contains(position));
        let stored = made
            .into_iter()
            .map(|(position, rollup)| (position, KeptRollup { rollup, rev }));
        Ok(stored.collect())
    }

    pub(super) fn passed_up<'t>(
        &self,
        parts: impl Iterator<Item = Place<'t>>,
        made: &BTreeMap<Position, Rollup>,
    ) -> Tally {
        let parts = parts.filter_map(|part| made.get(&part.position()));
        merged_below(parts, self.carrier.aggregations)
    }

    /// Folds the rollups of whole subtrees or of the whole tree from all submissions. This is what
    /// the rows must be. `places` are in preorder; `below` has the folded rollups of the places
    /// under them.
    pub fn folded(
        &self,
        transaction: &mut Transaction<'_>,
        places: &[Place<'_>],
        below: BTreeMap<Position, Rollup>,
    ) -> Result<BTreeMap<Position, Rollup>, StoreError> {
        let is_all = places.len() == self.tree().places_with_leaves().count();
        let sources = self.sources(places.iter().map(|place| place.position()));
        let units = match is_all {
            // A row that no unit accounts for would be a difference too.
            true => Units::All,
            false => Units::These(&sources),
        };
        let loaded = self.load(transaction, units)?;
        let own = self.carrier.own(&loaded.contributions);
        let places = places.iter().copied();
        Ok(fold(places, self.carrier.aggregations, &own, below))
    }

    /// Folds one unit's rollup from what was read of it and of everything below it.
    pub fn fold_from(&self, contributions: &Contributions, top: Place<'_>) -> Rollup {
        let own = self.carrier.own(contributions);
        let places = top.subtree_with_leaves();
        let mut folded = fold(places, self.carrier.aggregations, &own, BTreeMap::new());
        folded.remove(&top.position()).unwrap_or_default()
    }

    /// Returns the pieces of what was read, by the place at which they count.
    pub fn pieces<'c>(
        &self,
        contributions: &'c Contributions,
    ) -> BTreeMap<Position, Vec<Piece<'c>>> {
        self.carrier.pieces(contributions)
    }

    /// Returns the units whose submissions affect how those of `units` count: units that may
    /// replace them, and units that stand in for one report with them.
    pub fn deciding_on(&self, units: impl IntoIterator<Item = UnitId>) -> Vec<UnitId> {
        let mut deciding = BTreeSet::new();
        for unit in units {
            deciding.insert(unit);
            for tree in self.carrier.bases.values() {
                for heir in tree.ever_heirs_of(unit) {
                    deciding.insert(heir);
                    for beside in tree.sources_of(heir) {
                        deciding.extend(tree.ever_heirs_of(beside));
                    }
                }
            }
        }
        deciding.into_iter().collect()
    }

    /// Returns the units whose submissions are behind a unit's rollup.
    pub fn sources_below(&self, top: Place<'_>) -> Vec<UnitId> {
        self.sources(top.subtree_with_leaves().map(Place::position))
    }

    /// Writes the rows that differ from the stored ones, and deletes rows of units with nothing
    /// below them.
    pub(super) fn rebuild(
        &self,
        transaction: &mut Transaction<'_>,
        rev: i64,
    ) -> Result<(), StoreError> {
        let mut kept = self.rows_of(transaction, Units::All)?;
        let places: Vec<Place<'_>> = self.tree().places_with_leaves().collect();
        let folded = self.folded(transaction, &places, BTreeMap::new())?;
        let rows = self.owned_rows(folded);
        let rows = rows.map(|(place, rollup)| (place.unit(), rollup));
        let mut changed: Vec<(UnitId, Rollup)> = rows.collect();
        changed.retain(|(unit, rollup)| match kept.remove(unit) {
            Some(before) => before.rollup != *rollup,
            // A unit with nothing below it needs no row.
            None => rollup.below != Tally::default(),
        });
        let gone: Vec<UnitId> = kept.into_keys().collect();
        let form = self.period.form.number;
        let period = self.period.period;
        match self.period.span {
            Span::BasePeriod => {
                rollups_delete(transaction, form, period, &gone)?;
                let changed = changed.iter().map(|(unit, rollup)| (*unit, rollup));
                rollups_put(transaction, form, period, changed, rev)
            }
            Span::LongPeriod => {
                let year = period.year();
                let units: Vec<UnitId> = changed
                    .iter()
                    .map(|(unit, _)| *unit)
                    .chain(gone.iter().copied())
                    .collect();
                let rows = years_of(transaction, form, year, Units::These(&units))?;
                let mut rows: BTreeMap<UnitId, YearOfRollups> = rows.into_iter().collect();
                for unit in gone {
                    rows.entry(unit).or_default().remove(&period);
                }
                for (unit, rollup) in changed {
                    let year = rows.entry(unit).or_default();
                    year.insert(period, KeptRollup { rollup, rev });
                }
                years_put(transaction, form, year, &rows, rev)
            }
        }
    }
}
