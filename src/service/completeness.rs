//! Completeness (tình hình gửi báo cáo): who is to report, who has, and who is late. A longer period
//! is as far as its base periods are: each of them on the tree of its own last day, with its own
//! deadlines.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use super::application::Application;
use super::locate::{Located, NotFound, ReportPath};
use super::map::MapView;
use super::rollup::PeriodName;
use super::snapshot::Snapshot;
use super::unit::UnitName;
use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::deadline::Deadline;
use crate::domain::form::{FormPeriod, Span};
use crate::domain::hierarchy::{Place, Tree};
use crate::domain::id::{LevelCode, UnitId};
use crate::domain::landing::{Landing, Landings};
use crate::domain::period::Period;
use crate::domain::submission::{Stage, Status};
use crate::explain;
use crate::store::StoreError;
use crate::store::submission::{Submission, Units, submissions_of};

/// Why completeness cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum CompletenessError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

explain!(CompletenessError, held: NotFound, Denied, Store);

/// How far a subtree is with a form for a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CompletenessView {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    /// The tenant's rev that this is the state of.
    pub rev: i64,
    pub map: MapView,
    pub total: Progress,
    /// The unit's own submission.
    pub own: OwnStatus,
    /// Of a longer period, and on a later map: how many of the unit's own base periods, and of those
    /// of the units that it took over, are how far; null otherwise.
    pub own_periods: Option<Progress>,
    /// Of a longer period: how far the subtree is in each of its base periods, in order; null for
    /// a base period.
    pub periods: Option<Vec<PeriodProgress>>,
    /// The same for each direct child with everything below it, by code, then for former units of
    /// which something was expected that is nobody else's.
    pub children: Vec<ChildProgress>,
}

/// A child and everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChildProgress {
    pub unit: UnitName,
    /// Whether this is what nobody took over as a whole of a former unit, and no unit that stands.
    pub not_divided: bool,
    pub total: Progress,
    pub own: OwnStatus,
    /// Of a longer period, and on a later map: how many of the unit's own base periods, and of those
    /// of the units that it took over, are how far; null otherwise.
    pub own_periods: Option<Progress>,
}

/// A subtree in one of a longer period's base periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PeriodProgress {
    pub period: PeriodName,
    pub total: Progress,
}

/// How many units of a subtree are how far; of a longer period, how many (unit, base period)
/// pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// Units whose level submits the form.
    pub expected: u64,
    /// Units whose submission counts.
    pub submitted: u64,
    /// Those of them whose submission is approved.
    pub approved: u64,
    /// Those of the submitted ones that came after their deadline.
    pub late: u64,
    /// Units whose submission does not count (yet).
    pub missing: u64,
    /// Those of the missing ones whose deadline has passed.
    pub overdue: u64,
}

impl Progress {
    fn of(parts: impl IntoIterator<Item = Progress>) -> Progress {
        let nothing = Progress::default();
        parts.into_iter().fold(nothing, |whole, part| Progress {
            expected: whole.expected + part.expected,
            submitted: whole.submitted + part.submitted,
            approved: whole.approved + part.approved,
            late: whole.late + part.late,
            missing: whole.missing + part.missing,
            overdue: whole.overdue + part.overdue,
        })
    }
}

/// How far one unit is itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct OwnStatus {
    /// Whether the unit is to submit; for a longer period, in any of its base periods.
    pub expected: bool,
    /// Null where nothing was entered yet, and for a longer period.
    pub status: Option<Status>,
    /// The last day on which the unit is in time; null where there is no deadline, and for a
    /// longer period. At what time of that day, where it is one, `list_periods` says.
    pub deadline: Option<NaiveDate>,
    /// The day on which what counts came in; null for a longer period.
    pub received_on: Option<NaiveDate>,
}

/// Who of a unit's subtree has reported; on the map of `as_of`, or of the period's last day.
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
        let located = snapshot.locate_as_of(path, as_of)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadRollups, &located.tree, place)?;
        let mut state = State::without_submissions(snapshot, &located, now);
        let form = located.form().number;
        let (periods, units) = (state.periods(), state.units());
        state.add(submissions_of(
            transaction,
            form,
            &periods,
            Units::These(&units),
        )?);
        let map = MapView::of(transaction, snapshot, &located)?;
        Ok(state.view(snapshot.counters.rev, map))
    })
}

/// Everything that the answer is made of.
struct State<'s> {
    located: &'s Located<'s>,
    /// In order; of a base period itself.
    bases: Vec<Base<'s>>,
}

impl<'s> State<'s> {
    fn without_submissions(
        snapshot: &Snapshot,
        located: &'s Located<'s>,
        now: DateTime<Utc>,
    ) -> State<'s> {
        let bases = located.in_force.period.base_periods().into_iter();
        let bases = bases.map(|period| Base::of(snapshot, located, period, now));
        State {
            located,
            bases: bases.collect(),
        }
    }

    fn periods(&self) -> Vec<Period> {
        self.bases.iter().map(|base| base.period.period).collect()
    }

    /// All units whose submissions say how far the subtree is.
    fn units(&self) -> Vec<UnitId> {
        let top = self.located.place();
        let units: BTreeSet<UnitId> = self
            .bases
            .iter()
            .flat_map(|base| base.units_for(top))
            .collect();
        units.into_iter().collect()
    }

    fn add(&mut self, submissions: Vec<(Period, UnitId, Submission)>) {
        for (period, unit, submission) in submissions {
            let base = self
                .bases
                .iter_mut()
                .find(|base| base.period.period == period);
            if let Some(base) = base {
                base.submissions.insert(unit, submission);
            }
        }
    }

    fn view(&self, rev: i64, map: MapView) -> CompletenessView {
        let place = self.located.place();
        let children = place.parts().map(|part| ChildProgress {
            unit: UnitName::of(part),
            not_divided: part.is_leaf(),
            total: self.total(part),
            own: self.own(part),
            own_periods: self.own_periods(part),
        });
        CompletenessView {
            form: self.located.form().code.to_string(),
            period: PeriodName::of(&self.located.in_force.period),
            unit: UnitName::of(place),
            rev,
            map,
            total: self.total(place),
            own: self.own(place),
            own_periods: self.own_periods(place),
            periods: self.is_long().then(|| self.by_period(place)),
            children: children
                .filter(|child| !child.not_divided || child.total.expected > 0)
                .collect(),
        }
    }

    fn is_long(&self) -> bool {
        self.located.in_force.period.span == Span::LongPeriod
    }

    /// Whether a unit's own part may be made of several submissions.
    fn has_several(&self) -> bool {
        self.is_long() || self.located.is_restated()
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
        let bases = self.bases.iter();
        let own = bases.flat_map(|base| base.at(place).into_iter().map(|unit| base.progress(unit)));
        self.has_several().then(|| Progress::of(own))
    }
}

/// A base period: who was there on its last day, and what they submitted.
struct Base<'s> {
    period: FormPeriod<'s>,
    tree: Arc<Tree>,
    /// Where the units lie on the map of the answer; `None` where it is the same map.
    landings: Option<Arc<Landings>>,
    deadlines: BTreeMap<LevelCode, Deadline>,
    submissions: HashMap<UnitId, Submission>,
    now: DateTime<Utc>,
    time_zone: Tz,
}

fn deadlines(period: &FormPeriod<'_>) -> BTreeMap<LevelCode, Deadline> {
    let levels = period.definition.submitted_by.iter();
    levels
        .filter_map(|level| Some((level.clone(), period.deadline(level, &BTreeSet::new())?)))
        .collect()
}

impl<'s> Base<'s> {
    fn of(
        snapshot: &Snapshot,
        located: &Located<'_>,
        period: FormPeriod<'s>,
        now: DateTime<Utc>,
    ) -> Base<'s> {
        let tree = snapshot.hierarchy.tree_on(period.closing_day());
        let landings = snapshot
            .hierarchy
            .landings(period.closing_day(), located.map_day());
        Base {
            landings,
            period,
            tree,
            deadlines: deadlines(&period),
            submissions: HashMap::new(),
            now,
            time_zone: snapshot.counters.time_zone,
        }
    }

    /// The units of this period that lie at a place of the answer's map.
    fn at(&self, place: Place<'_>) -> Vec<Place<'_>> {
        match &self.landings {
            None => self
                .tree
                .by_id(place.unit())
                .filter(|_| !place.is_leaf())
                .into_iter()
                .collect(),
            Some(landings) => {
                let units = landings.units_at(place.position(), Landing::Whole).iter();
                units.filter_map(|unit| self.tree.by_id(*unit)).collect()
            }
        }
    }

    /// The units of this period that lie at a place or below it.
    fn below(&self, place: Place<'_>) -> Vec<Place<'_>> {
        let all = place.subtree_with_leaves();
        all.flat_map(|place| self.at(place)).collect()
    }

    /// Those of them and the former units that may stand in for them.
    fn units_for(&self, top: Place<'_>) -> Vec<UnitId> {
        let mut units: Vec<UnitId> = self.below(top).into_iter().map(Place::unit).collect();
        let former: Vec<UnitId> = units.iter().flat_map(|unit| self.former(*unit)).collect();
        units.extend(former);
        units
    }

    /// The units that passed to `unit` and stand no more on the period's last day.
    fn former(&self, unit: UnitId) -> Vec<UnitId> {
        let mut sources = self.tree.sources_of(unit);
        sources.retain(|source| self.tree.by_id(*source).is_none());
        sources
    }

    fn is_expected(&self, place: Place<'_>) -> bool {
        self.period.definition.is_submitted_by(&place.fact().level)
    }

    fn deadline(&self, place: Place<'_>) -> Option<Deadline> {
        self.deadlines.get(&place.fact().level).copied()
    }

    /// What counts for a unit: its own submission, or those of former units that stand in for it.
    fn counting(&self, unit: UnitId) -> Vec<(Stage, &Submission)> {
        let counting = |unit: &UnitId| {
            let submission = self.submissions.get(unit)?;
            Some((submission.reached()?, submission))
        };
        match counting(&unit) {
            Some(own) => vec![own],
            None => self.former(unit).iter().filter_map(counting).collect(),
        }
    }

    /// A unit that is not there on the last day is not expected.
    fn status(&self, unit: UnitId) -> OwnStatus {
        let Some(place) = self.tree.by_id(unit) else {
            return OwnStatus::default();
        };
        let submission = self.submissions.get(&unit);
        OwnStatus {
            expected: self.is_expected(place),
            status: submission.map(|submission| submission.status),
            deadline: self
                .deadline(place)
                .map(|deadline| deadline.day(self.time_zone)),
            received_on: submission.and_then(|submission| submission.received_on),
        }
    }

    /// The unit and everything below it.
    fn total(&self, place: Place<'_>) -> Progress {
        let units = self.below(place).into_iter();
        Progress::of(units.map(|unit| self.progress(unit)))
    }

    /// One unit alone.
    fn progress(&self, place: Place<'_>) -> Progress {
        if !self.is_expected(place) {
            return Progress::default();
        }
        let deadline = self.deadline(place);
        let counting = self.counting(place.unit());
        if counting.is_empty() {
            return Progress {
                expected: 1,
                missing: 1,
                overdue: u64::from(
                    deadline.is_some_and(|deadline| deadline.has_passed(self.now, self.time_zone)),
                ),
                ..Progress::default()
            };
        }
        let is_late = counting.iter().any(|(_, submission)| {
            let received = submission.received_on;
            deadline
                .zip(received)
                .is_some_and(|(deadline, day)| day > deadline.day(self.time_zone))
        });
        let is_approved = counting
            .iter()
            .all(|(reached, _)| *reached == Stage::Approved);
        Progress {
            expected: 1,
            submitted: 1,
            approved: u64::from(is_approved),
            late: u64::from(is_late),
            ..Progress::default()
        }
    }
}
