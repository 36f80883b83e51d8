//! Progress from what is kept: a rollup's row knows how many submissions count in it, and the tree how
//! many are expected. Only what is late or was returned is read by submission. That holds for a base
//! period on a map that stood still: then each submission counts at its own unit.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};

use super::{BaseOnMap, OwnStatus, Progress};
use crate::domain::deadline::Deadline;
use crate::domain::form::{FormPeriod, Span};
use crate::domain::hierarchy::{Place, Position};
use crate::domain::id::{FormNumber, LevelCode, UnitId};
use crate::domain::period::Period;
use crate::domain::submission::{Stage, Submission};
use crate::rollup::cell::ByStage;
use crate::service::application::locate::Located;
use crate::service::application::snapshot::Snapshot;
use crate::store::extension::extensions_of;
use crate::store::key::{MOST_BY_ID, Units};
use crate::store::progress::{
    ReceivedIn, counting_units, given_back_units, period_counts, received_in,
};
use crate::store::submission::submissions_of;
use crate::store::{StoreError, Transaction};

/// As many submissions are not few any more.
const MOST_FEW: i64 = 500;

fn is_cut<T>(read: &[T]) -> bool {
    i64::try_from(read.len()).is_ok_and(|count| count >= MOST_FEW)
}

/// Returns true if every submission of a report counts at its own unit: it is of one base period, on
/// the map of its last day, and the map was the same, and known to be so, from the first day on.
pub(super) fn stood_still(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
) -> Result<bool, StoreError> {
    let is_as_reported = located.restated_to().is_none() && !located.place().is_leaf();
    Ok(is_as_reported && map_stood_still(transaction, snapshot, &located.in_force.period)?)
}

/// Returns true if every submission of a base period counts at its own unit of the period's last day.
pub(in crate::service) fn map_stood_still(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    period: &FormPeriod<'_>,
) -> Result<bool, StoreError> {
    if period.span != Span::BasePeriod {
        return Ok(false);
    }
    let changes = snapshot.map_changes(transaction)?.iter();
    let mut before_end = changes.filter(|(change, _)| change.effective <= period.closing_day());
    // Nothing is submitted before the period begins.
    Ok(before_end.all(|(change, _)| {
        let entered_on = snapshot.counters.day_of(change.entered_at.and_utc());
        change.effective <= period.range.from && entered_on < period.range.from
    }))
}

/// The progress of a unit and of places below it.
pub(super) struct RowProgress<'s> {
    located: &'s Located<'s>,
    /// The period with its deadlines, and the submissions that were read.
    base: BaseOnMap<'s>,
    counts: HashMap<UnitId, ByStage<u64>>,
    late: Late,
    /// In preorder.
    returned: Vec<Position>,
    overdue: Overdue,
    /// The missing units that only an extension keeps from being overdue, in preorder.
    given_time: Vec<Position>,
}

/// The counting submissions that are late, in preorder: these, or all but these.
enum Late {
    These(Vec<Position>),
    AllBut(Vec<Position>),
}

/// The levels whose deadline is over.
enum Overdue {
    NoLevel,
    EveryLevel,
    /// These levels, and the units with their deadlines that have submitted, in preorder.
    SomeLevels {
        levels: Vec<LevelCode>,
        submitted: Vec<Position>,
    },
}

impl<'s> RowProgress<'s> {
    /// Reads what is late or was returned anywhere below the unit. Counts are read by
    /// [`RowProgress::read_counts`].
    pub fn read(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        located: &'s Located<'s>,
        now: DateTime<Utc>,
    ) -> Result<RowProgress<'s>, StoreError> {
        let base = BaseOnMap::of(snapshot, located, located.in_force.period, now);
        let mut progress = RowProgress {
            located,
            base,
            counts: HashMap::new(),
            late: Late::These(Vec::new()),
            returned: Vec::new(),
            overdue: Overdue::NoLevel,
            given_time: Vec::new(),
        };
        progress.read_extensions(transaction)?;
        progress.read_returned(transaction)?;
        progress.read_late(transaction)?;
        progress.read_overdue(transaction)?;
        progress.read_given_time(transaction)?;
        Ok(progress)
    }

    fn key(&self) -> (FormNumber, Period) {
        (self.located.form().number, self.located.period())
    }

    /// Reads which units were given more time: few, so all of the period.
    fn read_extensions(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        let (form, period) = self.key();
        let given = extensions_of(transaction, form, &[period], Units::All)?;
        let given = given.into_iter();
        self.base.extensions = given.map(|(_, unit, given)| (unit, given)).collect();
        Ok(())
    }

    /// Reads which units have had their submission back and nothing else counts of them.
    fn read_returned(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        let (form, period) = self.key();
        let units = given_back_units(transaction, form, period)?;
        let expected = self.places_of(units.into_iter().map(|unit| (unit, ())));
        let expected = expected.filter(|(place, ())| self.base.is_expected(*place));
        let mut returned: Vec<Position> = expected.map(|(place, ())| place.position()).collect();
        returned.sort_unstable();
        self.returned = returned;
        Ok(())
    }

    /// Reads which submissions first came in after their deadline: of a small subtree all that it has,
    /// of a large one those that are late, or those in time if they are few.
    fn read_late(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        let time_zone = self.base.time_zone;
        let days = self.base.deadlines.values();
        let Some(first) = days.map(|deadline| deadline.day(time_zone)).min() else {
            return Ok(());
        };
        let below = self.located.place().subtree();
        let below: Vec<UnitId> = below.take(MOST_BY_ID + 1).map(Place::unit).collect();
        if below.len() <= MOST_BY_ID {
            let received = self.received_by(transaction, &below)?;
            self.late = Late::These(self.after_deadline(received));
            return Ok(());
        }
        let late = received_in(
            transaction,
            self.key(),
            ReceivedIn::After(first),
            Some(MOST_FEW),
        )?;
        if !is_cut(&late) {
            self.late = Late::These(self.after_deadline(late));
            return Ok(());
        }
        self.late = match self.read_in_time(transaction)? {
            Some(in_time) => Late::AllBut(in_time),
            None => {
                let late = received_in(transaction, self.key(), ReceivedIn::After(first), None)?;
                Late::These(self.after_deadline(late))
            }
        };
        Ok(())
    }

    /// Finds the submissions that came in time, if they are few. That cannot be said where some need
    /// not come by any day.
    fn read_in_time(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Option<Vec<Position>>, StoreError> {
        let groups = self.base.respondents.groups(self.located.place());
        let days = groups.iter().map(|group| {
            let deadline = self.base.deadlines.get(group.due_with)?;
            Some(deadline.day(self.base.time_zone))
        });
        let days: Option<Vec<NaiveDate>> = days.collect();
        let Some(last) = days.and_then(|days| days.into_iter().max()) else {
            return Ok(None);
        };
        let days = ReceivedIn::Until(last);
        let mut received = received_in(transaction, self.key(), days, Some(MOST_FEW))?;
        if is_cut(&received) {
            return Ok(None);
        }
        // Who was given more time may be in time later.
        let extended: Vec<UnitId> = self.base.extensions.keys().copied().collect();
        let extended = self.received_by(transaction, &extended)?;
        received.extend(extended.into_iter().filter(|(_, day)| last < *day));
        let in_time = self.places_of(received.into_iter());
        let in_time = in_time.filter(|(place, day)| !self.is_after(*day, *place));
        let mut in_time: Vec<Position> = in_time.map(|(place, _)| place.position()).collect();
        in_time.sort_unstable();
        Ok(Some(in_time))
    }

    /// Reads when the counting submissions of some units first came in.
    fn received_by(
        &self,
        transaction: &mut Transaction<'_>,
        units: &[UnitId],
    ) -> Result<Vec<(UnitId, NaiveDate)>, StoreError> {
        let (form, period) = self.key();
        let found = submissions_of(transaction, form, &[period], Units::These(units))?;
        let counting = found.into_iter().filter_map(|(_, unit, submission)| {
            let received = submission.received?;
            submission.reached()?;
            Some((unit, received.received_on))
        });
        Ok(counting.collect())
    }

    /// Returns the places of those that came in after their deadline, in preorder.
    fn after_deadline(&self, received: Vec<(UnitId, NaiveDate)>) -> Vec<Position> {
        let late = self.places_of(received.into_iter());
        let late = late.filter(|(place, day)| self.is_after(*day, *place));
        let mut late: Vec<Position> = late.map(|(place, _)| place.position()).collect();
        late.sort_unstable();
        late
    }

    /// Finds the places of units, and leaves out those outside the subtree.
    fn places_of<T>(
        &self,
        units: impl Iterator<Item = (UnitId, T)>,
    ) -> impl Iterator<Item = (Place<'_>, T)> {
        let (tree, top) = (&self.located.tree, self.located.place());
        let places = units.filter_map(|(unit, told)| Some((tree.by_id(unit)?, told)));
        places.filter(move |(place, _)| top.covers(*place))
    }

    fn is_after(&self, day: NaiveDate, place: Place<'_>) -> bool {
        let deadline = self.base.deadline(place);
        deadline.is_some_and(|deadline| deadline.is_before(day, self.base.time_zone))
    }

    /// Finds the levels whose deadline is over. While others still have time, it must be known which of
    /// the submissions are theirs.
    fn read_overdue(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        let top = self.located.place();
        let groups = self.base.respondents.groups(top);
        let levels: BTreeSet<&LevelCode> = groups.iter().map(|group| group.due_with).collect();
        let (over, open): (Vec<&LevelCode>, Vec<&LevelCode>) =
            levels.into_iter().partition(|level| self.is_over(level));
        self.overdue = match (over.is_empty(), open.is_empty()) {
            (true, _) => Overdue::NoLevel,
            (false, true) => Overdue::EveryLevel,
            (false, false) => Overdue::SomeLevels {
                submitted: self.submitted_by(transaction, &over)?,
                levels: over.into_iter().cloned().collect(),
            },
        };
        Ok(())
    }

    /// Finds the missing units that only an extension keeps from being overdue.
    fn read_given_time(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        let located = self.located;
        let (tree, top) = (&located.tree, located.place());
        let given = self.base.extensions.keys();
        let given = given.filter_map(|unit| tree.by_id(*unit));
        let given = given.filter(|place| top.covers(*place) && self.has_more_time(*place));
        let given: Vec<Place<'_>> = given.collect();
        self.read_own(transaction, &given)?;
        let missing = given.iter().filter(|place| {
            let own = self.base.submissions.get(&place.unit());
            own.and_then(Submission::reached).is_none()
        });
        let mut missing: Vec<Position> = missing.map(|place| place.position()).collect();
        missing.sort_unstable();
        self.given_time = missing;
        Ok(())
    }

    /// Returns true if the ordinary deadline of a unit is over, and its extension is not.
    fn has_more_time(&self, place: Place<'_>) -> bool {
        let (today, time_zone) = (self.base.today, self.base.time_zone);
        let deadline = self.base.deadline(place);
        self.base.is_expected(place)
            && self.is_over(self.base.respondents.due_with(place))
            && deadline.is_some_and(|deadline| !deadline.is_before(today, time_zone))
    }

    /// Lists the units with the deadlines of some levels that have submitted, in preorder.
    fn submitted_by(
        &self,
        transaction: &mut Transaction<'_>,
        levels: &[&LevelCode],
    ) -> Result<Vec<Position>, StoreError> {
        let top = self.located.place();
        let places = levels.iter();
        let places = places.flat_map(|level| self.base.respondents.due_with_level(level, top));
        let places: HashMap<UnitId, Position> = places
            .map(|place| (place.unit(), place.position()))
            .collect();
        let units: Vec<UnitId> = places.keys().copied().collect();
        let (form, period) = self.key();
        let counting = counting_units(transaction, form, period, Units::by_name_or_all(&units))?;
        let submitted = counting.iter().filter_map(|unit| places.get(unit));
        let mut submitted: Vec<Position> = submitted.copied().collect();
        submitted.sort_unstable();
        Ok(submitted)
    }

    fn is_over(&self, level: &LevelCode) -> bool {
        let deadline = self.base.deadlines.get(level);
        deadline.is_some_and(|deadline: &Deadline| {
            deadline.is_before(self.base.today, self.base.time_zone)
        })
    }

    /// Reads how many submissions count at places and below them: from their rows, or from their own
    /// submissions if they have none.
    pub fn read_counts(
        &mut self,
        transaction: &mut Transaction<'_>,
        places: &[Place<'_>],
    ) -> Result<(), StoreError> {
        let (form, period) = self.key();
        let with_parts = places.iter().filter(|place| place.has_parts());
        let with_parts: Vec<UnitId> = with_parts.map(|place| place.unit()).collect();
        let rows = period_counts(
            transaction,
            form,
            period,
            Units::by_name_or_all(&with_parts),
        )?;
        self.counts.extend(rows.into_iter().map(|(unit, counts)| {
            let whole = ByStage {
                submitted: counts.own.submitted + counts.below.submitted,
                approved: counts.own.approved + counts.below.approved,
            };
            (unit, whole)
        }));
        let without_row: Vec<Place<'_>> = places
            .iter()
            .filter(|place| !self.counts.contains_key(&place.unit()))
            .copied()
            .collect();
        self.read_own(transaction, &without_row)?;
        for place in without_row {
            let own = self.base.submissions.get(&place.unit());
            self.counts.insert(place.unit(), own_counts(own));
        }
        Ok(())
    }

    /// Reads the places' own submissions.
    pub fn read_own(
        &mut self,
        transaction: &mut Transaction<'_>,
        places: &[Place<'_>],
    ) -> Result<(), StoreError> {
        let units: Vec<UnitId> = places.iter().map(|place| place.unit()).collect();
        if units.is_empty() {
            return Ok(());
        }
        let (form, period) = self.key();
        let found = submissions_of(transaction, form, &[period], Units::by_name_or_all(&units))?;
        let found = found.into_iter();
        let found = found.map(|(_, unit, submission)| (unit, submission));
        self.base.submissions.extend(found);
        Ok(())
    }

    /// Returns the units that are late below a place, itself included. If most are, the place's counts
    /// must have been read.
    pub fn late(&self, place: Place<'_>) -> u64 {
        match &self.late {
            Late::These(late) => Self::count_within(late, place),
            Late::AllBut(in_time) => {
                let counts = self.counts.get(&place.unit()).copied().unwrap_or_default();
                let in_time = Self::count_within(in_time, place);
                counts.submitted.saturating_sub(in_time)
            }
        }
    }

    /// Tells whether what is late is known without any counts.
    pub fn knows_late(&self) -> bool {
        matches!(self.late, Late::These(_))
    }

    /// Returns the units whose submission was returned below a place, itself included.
    pub fn returned(&self, place: Place<'_>) -> u64 {
        Self::count_within(&self.returned, place)
    }

    pub fn expected(&self, place: Place<'_>) -> u64 {
        self.base.respondents.count(place)
    }

    /// Counts those of some positions, which are in preorder, that a place covers.
    fn count_within(positions: &[Position], place: Place<'_>) -> u64 {
        u64::try_from(place.within(positions).len()).unwrap_or(u64::MAX)
    }

    pub fn own(&self, place: Place<'_>) -> OwnStatus {
        self.base.status(place.unit())
    }

    pub fn total(&self, place: Place<'_>) -> Progress {
        let counts = self.counts.get(&place.unit()).copied().unwrap_or_default();
        let expected = self.expected(place);
        let missing = expected.saturating_sub(counts.submitted);
        let over = match &self.overdue {
            Overdue::NoLevel => 0,
            Overdue::EveryLevel => missing,
            Overdue::SomeLevels { levels, submitted } => {
                let groups = self.base.respondents.groups(place).into_iter();
                let over = groups.filter(|group| levels.contains(group.due_with));
                let expected: u64 = over.map(|group| group.count).sum();
                expected.saturating_sub(Self::count_within(submitted, place))
            }
        };
        Progress {
            expected,
            submitted: counts.submitted,
            approved: counts.approved,
            returned: self.returned(place),
            late: self.late(place),
            missing,
            overdue: over.saturating_sub(Self::count_within(&self.given_time, place)),
        }
    }
}

/// Counts a unit's own submission.
fn own_counts(own: Option<&Submission>) -> ByStage<u64> {
    match own.and_then(Submission::reached) {
        None => ByStage::default(),
        Some(Stage::Submitted) => ByStage {
            submitted: 1,
            approved: 0,
        },
        Some(Stage::Approved) => ByStage {
            submitted: 1,
            approved: 1,
        },
    }
}
