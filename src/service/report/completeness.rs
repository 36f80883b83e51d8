//! Completeness (tình hình gửi báo cáo): the units that are to report, those that have, and those
//! that are late. A longer period adds up its base periods, each on the tree of its own last day
//! and with its own deadlines.

mod counted;
mod list;
mod rows;
mod still_open;

pub use self::list::{CompletenessQuery, ProgressKind, UnitProgress, list_completeness};
pub(in crate::service) use self::rows::map_stood_still;
pub(in crate::service) use self::still_open::StillOpen;

use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::service::application::name::PeriodName;
use crate::service::application::name::UnitName;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::Denied;
use crate::domain::deadline::Deadline;
use crate::domain::extension::Extension;
use crate::domain::form::{FormPeriod, Span};
use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::holiday::Holidays;
use crate::domain::id::{FormNumber, LevelCode, UnitId};
use crate::domain::landing::{Landing, Landings};
use crate::domain::period::Period;
use crate::domain::release::ReleaseStatus;
use crate::domain::respondents::Respondents;
use crate::domain::submission::{Status, Submission};
use crate::rollup::carry::Contributions;
use crate::rollup::piece::{Contribution, CountedReport, Edition, reports_in};
use crate::service::application::Application;
use crate::service::application::locate::{Located, NotFound, ReportPath};
use crate::service::application::page::UnknownCursor;
use crate::service::application::snapshot::Snapshot;
use crate::service::report::completeness::counted::Counted;
use crate::service::report::listed::UnknownList;
use crate::service::report::map::{Left, MapView};
use crate::service::totals::{Board, handed_over_of};
use crate::store::extension::extensions_of;
use crate::store::key::Units;
use crate::store::release::{Release, releases_of_units};
use crate::store::submission::counting::counting_of;
use crate::store::submission::submissions_of;
use crate::store::{StoreError, Transaction};

/// The errors of reading completeness.
#[derive(Debug, thiserror::Error)]
pub enum CompletenessError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Cursor(#[from] UnknownCursor),
    #[error(transparent)]
    List(#[from] UnknownList),
}

impl Explain for CompletenessError {
    fn explain(&self) -> Explanation {
        match self {
            CompletenessError::NotFound(held) => held.explain(),
            CompletenessError::Denied(held) => held.explain(),
            CompletenessError::Store(held) => held.explain(),
            CompletenessError::Cursor(held) => held.explain(),
            CompletenessError::List(unknown) => {
                let message = unknown.message(|of| message!("completeness-unknown-list", of));
                Explanation::new(Code::InvalidParameter, message).of_parameter("of")
            }
        }
    }
}

/// The progress of a subtree on a form for a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CompletenessView {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    /// The tenant's rev of which this is the state.
    pub rev: i64,
    pub map: MapView,
    pub total: Progress,
    /// The unit's own submission.
    pub own: OwnStatus,
    /// The latest report on the form for the period that the unit sent up; null if there is none.
    pub release: Option<LatestRelease>,
    /// For a longer period or a later map: the progress of the unit's own base periods, and of
    /// those of the units that it took over; null otherwise.
    pub own_periods: Option<Progress>,
    /// For a longer period: the subtree's progress in each base period, in order; null for a base
    /// period.
    pub periods: Option<Vec<PeriodProgress>>,
    /// The progress of each direct child with everything below it, by code. Then that of former
    /// units for which something was expected that belongs to no other unit. Empty if units were asked
    /// for with `of` or `status`: they are in `items`.
    pub children: Vec<ChildProgress>,
    /// A page of the units that were asked for with `of` or `status`, in the order of the tree; null
    /// without.
    pub items: Option<Vec<UnitProgress>>,
    /// The `cursor` of the next page; null on the last.
    pub next: Option<String>,
}

/// A child and everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChildProgress {
    pub unit: UnitName,
    /// If true, this is the undivided part of a former unit, not a unit that exists.
    pub not_divided: bool,
    pub total: Progress,
    pub own: OwnStatus,
    /// The latest report on the form for the period that the unit sent up; null if there is none.
    pub release: Option<LatestRelease>,
    /// For a longer period or a later map: the progress of the unit's own base periods, and of
    /// those of the units that it took over; null otherwise.
    pub own_periods: Option<Progress>,
}

/// A report that a unit sent up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LatestRelease {
    #[schema(example = 1)]
    pub number: i32,
    pub status: ReleaseStatus,
    pub sent_at: DateTime<Utc>,
}

impl From<&Release> for LatestRelease {
    fn from(release: &Release) -> LatestRelease {
        LatestRelease {
            number: release.number.get(),
            status: release.status,
            sent_at: release.sent_at.and_utc(),
        }
    }
}

/// A subtree in one of a longer period's base periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PeriodProgress {
    pub period: PeriodName,
    pub total: Progress,
}

/// Counts of a subtree's units by progress; of a longer period, counts of (unit, base period)
/// pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// Units that are to submit the form.
    pub expected: u64,
    /// Submissions that count, as the rollup counts them. A former unit that nobody took over as a
    /// whole may add one more than expected.
    pub submitted: u64,
    /// The approved ones among those submitted.
    pub approved: u64,
    /// The missing ones whose submission was returned and has not come again. A draft of the
    /// correction changes nothing.
    pub returned: u64,
    /// Counting submissions that first came after their deadline. A later correction does not make
    /// one late.
    pub late: u64,
    /// Expected units without a counting submission.
    pub missing: u64,
    /// The missing ones whose last day in time is over.
    pub overdue: u64,
}

impl Progress {
    fn of(parts: impl IntoIterator<Item = Progress>) -> Progress {
        let nothing = Progress::default();
        parts.into_iter().fold(nothing, |whole, part| Progress {
            expected: whole.expected + part.expected,
            submitted: whole.submitted + part.submitted,
            approved: whole.approved + part.approved,
            returned: whole.returned + part.returned,
            late: whole.late + part.late,
            missing: whole.missing + part.missing,
            overdue: whole.overdue + part.overdue,
        })
    }
}

/// The progress of one unit itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct OwnStatus {
    /// If true, the unit is to submit; for a longer period, in any of its base periods.
    pub expected: bool,
    /// Null if nothing was entered yet, and for a longer period.
    pub status: Option<Status>,
    /// The last day on which the unit is in time. Null if there is no deadline, and for a longer
    /// period. If the deadline is an instant, `list_periods` has its time.
    pub deadline: Option<NaiveDate>,
    /// The day on which the unit first sent something that counts, by which lateness is judged.
    /// Null if it never did, and for a longer period.
    pub received_on: Option<NaiveDate>,
    /// The day of the unit's latest correction. Null if there was none, and for a longer period.
    pub corrected_on: Option<NaiveDate>,
}

/// Reads the progress of a unit's subtree, on the map of `as_of` or of the period's last day.
///
/// # Errors
/// [`CompletenessError`].
pub fn get_completeness(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    as_of: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<CompletenessView, CompletenessError> {
    application.reading(identity, |transaction, snapshot| {
        completeness_in(transaction, snapshot, path, as_of, now)
    })
}

pub(in crate::service) fn completeness_in(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    path: &ReportPath,
    as_of: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<CompletenessView, CompletenessError> {
    let located = snapshot.locate_report(path, as_of)?;
    let _permit = snapshot.may_read(&located)?;
    let counted = Counted::of_parts(transaction, snapshot, &located, now)?;
    let map = map_of(transaction, snapshot, &located)?;
    let place = located.place();
    let shown: Vec<Place<'_>> = std::iter::once(place).chain(place.parts()).collect();
    let releases = latest_releases(transaction, &located, &shown)?;
    let children = place.parts().map(|part| ChildProgress {
        unit: UnitName::of(part),
        not_divided: part.is_leaf(),
        total: counted.total(part),
        own: counted.own(part),
        release: release_of(&releases, part),
        own_periods: counted.own_periods(part),
    });
    let children =
        children.filter(|child| !child.not_divided || child.total != Progress::default());
    let children = children.collect();
    let whole = view_of_unit((snapshot, &located), &counted, &releases, map);
    Ok(CompletenessView { children, ..whole })
}

/// Counts the progress of places at or below a unit, in their order.
pub(in crate::service::report) fn progress_of(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
    places: &[Place<'_>],
    now: DateTime<Utc>,
) -> Result<Vec<Progress>, StoreError> {
    let counted = Counted::of_places(transaction, snapshot, located, places, now)?;
    Ok(places.iter().map(|place| counted.total(*place)).collect())
}

/// Describes the unit itself, and nothing below it one by one.
fn view_of_unit(
    (snapshot, located): (&Snapshot, &Located<'_>),
    counted: &Counted<'_>,
    releases: &HashMap<UnitId, LatestRelease>,
    map: MapView,
) -> CompletenessView {
    let place = located.place();
    CompletenessView {
        form: located.form().code.to_string(),
        period: PeriodName::of(&located.in_force.period),
        unit: UnitName::of(place),
        rev: snapshot.counters.rev,
        map,
        total: counted.total(place),
        own: counted.own(place),
        release: release_of(releases, place),
        own_periods: counted.own_periods(place),
        periods: counted.by_period(place),
        children: Vec::new(),
        items: None,
        next: None,
    }
}

fn map_of(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
) -> Result<MapView, StoreError> {
    let board = Board::at(located, snapshot);
    let left = Left::of(transaction, snapshot, located)?;
    let held = left.held(&board.rollups(transaction, left.positions())?);
    MapView::of(transaction, snapshot, located, held)
}

/// Reads the latest report that each of some places sent up.
fn latest_releases(
    transaction: &mut Transaction<'_>,
    located: &Located<'_>,
    places: &[Place<'_>],
) -> Result<HashMap<UnitId, LatestRelease>, StoreError> {
    let units: Vec<UnitId> = places.iter().map(|place| place.unit()).collect();
    let key = located.key();
    let sent = releases_of_units(transaction, key.form, key.period, Units::These(&units))?;
    let latest = sent.iter().filter_map(|(unit, releases)| {
        let latest = releases.last()?;
        Some((*unit, LatestRelease::from(latest)))
    });
    Ok(latest.collect())
}

/// Returns the latest report that a unit sent up. A former unit's part is no unit.
fn release_of(
    releases: &HashMap<UnitId, LatestRelease>,
    place: Place<'_>,
) -> Option<LatestRelease> {
    let release = releases.get(&place.unit()).cloned();
    release.filter(|_| !place.is_leaf())
}

/// All submissions of a subtree, each at the place where it counts.
struct CompletenessData<'s> {
    located: &'s Located<'s>,
    /// In order. For a base period, that period alone.
    bases: Vec<BaseOnMap<'s>>,
}

impl<'s> CompletenessData<'s> {
    fn without_submissions(
        snapshot: &Snapshot,
        located: &'s Located<'s>,
        now: DateTime<Utc>,
    ) -> CompletenessData<'s> {
        let bases = located.in_force.period.base_periods().into_iter();
        let bases = bases.map(|period| BaseOnMap::of(snapshot, located, period, now));
        CompletenessData {
            located,
            bases: bases.collect(),
        }
    }

    fn periods(&self) -> Vec<Period> {
        self.bases.iter().map(|base| base.period.period).collect()
    }

    /// Reads all submissions that the subtree's progress depends on, and places each where its
    /// values count.
    fn read_submissions(
        &mut self,
        transaction: &mut Transaction<'_>,
        board: &Board<'_>,
    ) -> Result<(), StoreError> {
        let (form, periods) = (self.located.form().number, self.periods());
        let units = board.sources_below(self.located.place());
        let submissions = submissions_of(transaction, form, &periods, Units::These(&units))?;
        let given = givens_of(transaction, form, &periods, &units, board.tree())?;
        let mut contributions = Contributions::new();
        for (period, unit, submission) in submissions {
            if let Some(reached) = submission.reached() {
                let given = given.get(&(period, unit)).copied();
                let contribution = Contribution {
                    facts: Vec::new(),
                    reached,
                    given: given.unwrap_or(submission.counting_rev),
                };
                contributions.insert((period, unit, Edition::Counting), contribution);
            }
            if let Some(base) = self.base_mut(period) {
                base.submissions.insert(unit, submission);
            }
        }
        for (period, unit, extension) in
            extensions_of(transaction, form, &periods, Units::These(&units))?
        {
            if let Some(base) = self.base_mut(period) {
                base.extensions.insert(unit, extension);
            }
        }
        let maps = board.maps();
        for (period, unit, handed) in handed_over_of(transaction, form, maps, Units::These(&units))?
        {
            let contribution = Contribution {
                facts: Vec::new(),
                ..handed.contribution
            };
            contributions.insert((period, unit, handed.edition), contribution);
        }
        for (position, pieces) in board.pieces(&contributions) {
            for counted in reports_in(&pieces) {
                if let Some(base) = self.base_mut(counted.base) {
                    base.receive(position, &counted);
                }
            }
        }
        Ok(())
    }

    fn base_mut(&mut self, period: Period) -> Option<&mut BaseOnMap<'s>> {
        let mut bases = self.bases.iter_mut();
        bases.find(|base| base.period.period == period)
    }

    fn is_long(&self) -> bool {
        self.located.in_force.period.span == Span::LongPeriod
    }

    /// Returns true if a unit's own part may consist of several submissions.
    fn has_several(&self) -> bool {
        self.is_long() || self.located.restated_to().is_some()
    }

    fn total(&self, place: Place<'_>) -> Progress {
        Progress::of(self.bases.iter().map(|base| base.total(place)))
    }

    fn by_period(&self, place: Place<'_>) -> Vec<PeriodProgress> {
        let bases = self.bases.iter();
        bases
            .map(|base| PeriodProgress {
                period: PeriodName::of(&base.period),
                total: base.total(place),
            })
            .collect()
    }

    fn own(&self, place: Place<'_>) -> OwnStatus {
        if self.has_several() {
            let own = self.own_periods(place).unwrap_or_default();
            return OwnStatus {
                expected: own.expected > 0,
                ..OwnStatus::default()
            };
        }
        let base = self.bases.first();
        base.map(|base| base.status(place.unit()))
            .unwrap_or_default()
    }

    fn own_periods(&self, place: Place<'_>) -> Option<Progress> {
        let own = self.bases.iter().map(|base| base.progress(place));
        self.has_several().then(|| Progress::of(own))
    }
}

/// A base period: the units of its last day, and their submissions.
struct BaseOnMap<'s> {
    period: FormPeriod<'s>,
    respondents: Respondents<'s>,
    /// The places of the units on the answer's map; `None` if the map is the same.
    landings: Option<Arc<Landings>>,
    deadlines: BTreeMap<LevelCode, Deadline>,
    submissions: HashMap<UnitId, Submission>,
    extensions: HashMap<UnitId, Extension>,
    /// Counting submissions by their place on the answer's map.
    received: HashMap<Position, Vec<Received>>,
    today: NaiveDate,
    time_zone: Tz,
}

/// A report that counts as one submission.
struct Received {
    /// The submitting unit on the period's last day.
    unit: UnitId,
    is_approved: bool,
    is_late: bool,
}

/// Reads when counting submissions were given. Asks only about units that handed over or took over
/// something; for others the time does not matter.
fn givens_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    periods: &[Period],
    units: &[UnitId],
    tree: &Tree,
) -> Result<HashMap<(Period, UnitId), i64>, StoreError> {
    let mut touched = units.to_vec();
    touched.retain(|unit| tree.is_touched_since(*unit, NaiveDate::MIN));
    if touched.is_empty() {
        return Ok(HashMap::new());
    }
    let mut givens = HashMap::new();
    for found in counting_of(transaction, form, periods, Units::These(&touched))? {
        let found = found?;
        if let Some(contribution) = found.contribution {
            givens.insert((found.period, found.unit), contribution.given);
        }
    }
    Ok(givens)
}

fn deadlines(
    period: &FormPeriod<'_>,
    respondents: &Respondents<'_>,
    holidays: &Holidays,
) -> BTreeMap<LevelCode, Deadline> {
    let levels = respondents.levels_with_duty().into_iter();
    levels
        .filter_map(|level| Some((level.clone(), period.deadline(level, holidays)?)))
        .collect()
}

impl<'s> BaseOnMap<'s> {
    fn of(
        snapshot: &Snapshot,
        located: &Located<'_>,
        period: FormPeriod<'s>,
        now: DateTime<Utc>,
    ) -> BaseOnMap<'s> {
        let landings = snapshot
            .hierarchy
            .landings(period.closing_day(), located.map_day());
        let respondents = snapshot.respondents(&period);
        BaseOnMap {
            landings,
            deadlines: deadlines(&period, &respondents, snapshot.catalogue.holidays()),
            respondents,
            period,
            submissions: HashMap::new(),
            extensions: HashMap::new(),
            received: HashMap::new(),
            today: snapshot.today(now),
            time_zone: snapshot.counters.time_zone,
        }
    }

    /// Returns the tree of the period's last day.
    fn tree(&self) -> &Tree {
        self.respondents.tree()
    }

    /// Returns the units of this period that lie at a place of the answer's map.
    fn at(&self, place: Place<'_>) -> Vec<Place<'_>> {
        match &self.landings {
            None => self
                .tree()
                .by_id(place.unit())
                .filter(|_| !place.is_leaf())
                .into_iter()
                .collect(),
            Some(landings) => {
                let units = landings.units_at(place.position(), Landing::Whole).iter();
                units.filter_map(|unit| self.tree().by_id(*unit)).collect()
            }
        }
    }

    fn is_expected(&self, place: Place<'_>) -> bool {
        self.respondents.includes(place)
    }

    /// Returns a unit's deadline: the ordinary one, or a later one that it was given.
    fn deadline(&self, place: Place<'_>) -> Option<Deadline> {
        let level = Some(self.respondents.due_with(place));
        let level = level.filter(|_| self.respondents.has_duty(place));
        self.deadline_with(level?, place.unit())
    }

    /// Returns the deadline of a unit that has the ordinary one of a level.
    fn deadline_with(&self, level: &LevelCode, unit: UnitId) -> Option<Deadline> {
        let ordinary = self.deadlines.get(level).copied()?;
        let extension = self.extensions.get(&unit);
        Some(extension.map_or(ordinary, |given| given.applied_to(ordinary, self.time_zone)))
    }

    fn receive(&mut self, position: Position, counted: &CountedReport<'_, '_>) {
        let received = Received {
            unit: counted.report.unit,
            is_approved: counted.is_approved(),
            is_late: counted.sources().any(|source| self.is_late(source)),
        };
        self.received.entry(position).or_default().push(received);
    }

    /// Returns true if a unit's submission first came after its deadline, by the level that the
    /// unit had.
    fn is_late(&self, unit: UnitId) -> bool {
        let deadline = match self.tree().by_id(unit) {
            Some(place) => self.deadline(place),
            None => {
                let last = self.tree().last_fact(unit);
                last.and_then(|fact| self.deadline_with(&fact.level, unit))
            }
        };
        let submission = self.submissions.get(&unit);
        let received = submission.and_then(|submission| submission.received);
        deadline
            .zip(received)
            .is_some_and(|(deadline, received)| received.is_late(deadline, self.time_zone))
    }

    /// Returns a unit's own progress. A unit that does not exist on the last day is not expected to
    /// report.
    fn status(&self, unit: UnitId) -> OwnStatus {
        let Some(place) = self.tree().by_id(unit) else {
            return OwnStatus::default();
        };
        let submission = self.submissions.get(&unit);
        let received = submission.and_then(|submission| submission.received);
        OwnStatus {
            expected: self.is_expected(place),
            status: submission.map(|submission| submission.status),
            deadline: self
                .deadline(place)
                .map(|deadline| deadline.day(self.time_zone)),
            received_on: received.map(|received| received.received_on),
            corrected_on: received.and_then(|received| received.corrected_on),
        }
    }

    /// Counts everything at a place of the answer's map and below it.
    fn total(&self, place: Place<'_>) -> Progress {
        let places = place.subtree_with_leaves();
        Progress::of(places.map(|place| self.progress(place)))
    }

    /// Counts the units at a place alone.
    fn progress(&self, place: Place<'_>) -> Progress {
        let received = self.received.get(&place.position());
        let received = received.map(Vec::as_slice).unwrap_or_default();
        let mut progress = Progress::default();
        for one in received {
            progress.submitted += 1;
            progress.approved += u64::from(one.is_approved);
            progress.late += u64::from(one.is_late);
        }
        for unit in self.at(place) {
            if !self.is_expected(unit) {
                continue;
            }
            progress.expected += 1;
            if !received.iter().any(|one| one.unit == unit.unit()) {
                let deadline = self.deadline(unit);
                let is_overdue =
                    |deadline: Deadline| deadline.is_before(self.today, self.time_zone);
                let submission = self.submissions.get(&unit.unit());
                let is_returned = submission.is_some_and(|one| one.given_back_revision.is_some());
                progress.missing += 1;
                progress.returned += u64::from(is_returned);
                progress.overdue += u64::from(deadline.is_some_and(is_overdue));
            }
        }
        progress
    }
}
