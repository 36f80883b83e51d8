//! Completeness (tình hình gửi báo cáo): who is to report, who has, and who is late. A longer period
//! is as far as its base periods are: each of them on the tree of its own last day, with its own
//! deadlines.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::application::Application;
use super::locate::{Located, NotFound, ReportPath};
use super::rollup::PeriodName;
use super::snapshot::Snapshot;
use super::unit::UnitName;
use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::form::{FormPeriod, Span};
use crate::domain::hierarchy::{Place, Tree};
use crate::domain::id::{LevelCode, UnitId};
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
    pub total: Progress,
    /// The unit's own submission.
    pub own: OwnStatus,
    /// Of a longer period: how many of the unit's own base periods are how far; null for a base
    /// period.
    pub own_periods: Option<Progress>,
    /// Of a longer period: how far the subtree is in each of its base periods, in order; null for
    /// a base period.
    pub periods: Option<Vec<PeriodProgress>>,
    /// The same for each direct child with everything below it, by code.
    pub children: Vec<ChildProgress>,
}

/// A child and everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChildProgress {
    pub unit: UnitName,
    pub total: Progress,
    pub own: OwnStatus,
    /// Of a longer period: how many of the unit's own base periods are how far; null for a base
    /// period.
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
    /// longer period.
    pub deadline: Option<NaiveDate>,
    /// The day on which what counts came in; null for a longer period.
    pub received_on: Option<NaiveDate>,
}

/// Who of a unit's subtree has reported.
///
/// # Errors
/// [`CompletenessError`].
pub fn get_completeness(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    now: DateTime<Utc>,
) -> Result<CompletenessView, CompletenessError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate(path)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadRollups, &located.tree, place)?;
        let mut state = State::without_submissions(snapshot, &located, snapshot.today(now));
        let form = located.form().number;
        let submissions = submissions_of(
            transaction,
            form,
            &state.periods(),
            Units::These(&state.units()),
        )?;
        state.add(submissions);
        Ok(state.view(snapshot.counters.rev))
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
        today: NaiveDate,
    ) -> State<'s> {
        let bases = located.in_force.period.base_periods().into_iter();
        let bases = bases.map(|period| Base {
            period,
            tree: snapshot.hierarchy.tree_on(period.closing_day()),
            deadlines: deadlines(&period),
            submissions: HashMap::new(),
            today,
        });
        State {
            located,
            bases: bases.collect(),
        }
    }

    fn periods(&self) -> Vec<Period> {
        self.bases.iter().map(|base| base.period.period).collect()
    }

    /// All units that belong to the subtree in any of the base periods.
    fn units(&self) -> Vec<UnitId> {
        let top = self.located.place().unit();
        let places = self.bases.iter().filter_map(|base| base.tree.by_id(top));
        let units: BTreeSet<UnitId> = places
            .flat_map(|place| place.subtree().map(Place::unit))
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

    fn view(&self, rev: i64) -> CompletenessView {
        let place = self.located.place();
        let unit = place.unit();
        let children = place.children().map(|child| ChildProgress {
            unit: UnitName::of(child),
            total: self.total(child.unit()),
            own: self.own(child.unit()),
            own_periods: self.own_periods(child.unit()),
        });
        CompletenessView {
            form: self.located.form().code.to_string(),
            period: PeriodName::of(&self.located.in_force.period),
            unit: UnitName::of(place),
            rev,
            total: self.total(unit),
            own: self.own(unit),
            own_periods: self.own_periods(unit),
            periods: self.is_long().then(|| self.by_period(unit)),
            children: children.collect(),
        }
    }

    fn is_long(&self) -> bool {
        self.located.in_force.period.span == Span::LongPeriod
    }

    fn total(&self, unit: UnitId) -> Progress {
        Progress::of(self.bases.iter().map(|base| base.total(unit)))
    }

    fn by_period(&self, unit: UnitId) -> Vec<PeriodProgress> {
        let bases = self.bases.iter();
        bases
            .map(|base| PeriodProgress {
                period: PeriodName::of(&base.period),
                total: base.total(unit),
            })
            .collect()
    }

    fn own(&self, unit: UnitId) -> OwnStatus {
        let mut statuses = self.bases.iter().map(|base| base.status(unit));
        if self.is_long() {
            return OwnStatus {
                expected: statuses.any(|status| status.expected),
                ..OwnStatus::default()
            };
        }
        statuses.next().unwrap_or_default()
    }

    fn own_periods(&self, unit: UnitId) -> Option<Progress> {
        let bases = self.bases.iter();
        let places = bases.filter_map(|base| Some(base.progress(base.tree.by_id(unit)?)));
        self.is_long().then(|| Progress::of(places))
    }
}

/// A base period: who was there on its last day, and what they submitted.
struct Base<'s> {
    period: FormPeriod<'s>,
    tree: Arc<Tree>,
    deadlines: BTreeMap<LevelCode, NaiveDate>,
    submissions: HashMap<UnitId, Submission>,
    today: NaiveDate,
}

fn deadlines(period: &FormPeriod<'_>) -> BTreeMap<LevelCode, NaiveDate> {
    let levels = period.definition.submitted_by.iter();
    levels
        .filter_map(|level| Some((level.clone(), period.deadline(level, &BTreeSet::new())?)))
        .collect()
}

impl Base<'_> {
    fn is_expected(&self, place: Place<'_>) -> bool {
        self.period.definition.is_submitted_by(&place.fact().level)
    }

    fn deadline(&self, place: Place<'_>) -> Option<NaiveDate> {
        self.deadlines.get(&place.fact().level).copied()
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
            deadline: self.deadline(place),
            received_on: submission.and_then(|submission| submission.received_on),
        }
    }

    /// The unit and everything below it.
    fn total(&self, unit: UnitId) -> Progress {
        let places = self.tree.by_id(unit).into_iter().flat_map(Place::subtree);
        Progress::of(places.map(|place| self.progress(place)))
    }

    /// One unit alone.
    fn progress(&self, place: Place<'_>) -> Progress {
        if !self.is_expected(place) {
            return Progress::default();
        }
        let deadline = self.deadline(place);
        let submission = self.submissions.get(&place.unit());
        let counting = submission.and_then(|submission| Some((submission.reached()?, submission)));
        let Some((reached, submission)) = counting else {
            return Progress {
                expected: 1,
                missing: 1,
                overdue: u64::from(deadline.is_some_and(|last| self.today > last)),
                ..Progress::default()
            };
        };
        let received = submission.received_on;
        let is_late = deadline.zip(received).is_some_and(|(last, day)| day > last);
        Progress {
            expected: 1,
            submitted: 1,
            approved: u64::from(reached == Stage::Approved),
            late: u64::from(is_late),
            ..Progress::default()
        }
    }
}
