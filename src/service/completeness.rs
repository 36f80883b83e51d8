//! Completeness (tình hình gửi báo cáo): who is to report, who has, and who is late.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use super::application::Application;
use super::locate::{Located, NotFound, ReportPath};
use super::rollup::PeriodName;
use super::unit::UnitName;
use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::deadline::Deadline;
use crate::domain::hierarchy::Place;
use crate::domain::id::UnitId;
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
    /// The same for each direct child with everything below it, by code.
    pub children: Vec<ChildProgress>,
}

/// A child and everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChildProgress {
    pub unit: UnitName,
    pub total: Progress,
    pub own: OwnStatus,
}

/// How many units of a subtree are how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct Progress {
    /// Units whose level submits the form.
    pub expected: u64,
    /// Units whose submission counts.
    pub submitted: u64,
    /// Those of them whose submission is approved.
    pub approved: u64,
    /// Those of the submitted ones that came after the day of their deadline.
    pub late: u64,
    /// Units whose submission does not count (yet).
    pub missing: u64,
    /// Those of the missing ones whose deadline has passed.
    pub overdue: u64,
}

impl Progress {
    fn include(&mut self, part: &Progress) {
        self.expected += part.expected;
        self.submitted += part.submitted;
        self.approved += part.approved;
        self.late += part.late;
        self.missing += part.missing;
        self.overdue += part.overdue;
    }
}

/// How far one unit is itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OwnStatus {
    /// Whether the unit is to submit.
    pub expected: bool,
    /// Null where nothing was entered yet.
    pub status: Option<Status>,
    /// The last day on which the unit is in time; null where there is no deadline. At what time of
    /// that day, where it is one, `list_periods` says.
    pub deadline: Option<NaiveDate>,
    /// The day on which what counts came in.
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
        let located = snapshot.locate_base(path)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadRollups, &located.tree, place)?;
        let key = located.key();
        let ids: Vec<UnitId> = place.subtree().map(Place::unit).collect();
        let units = if ids.len() > MOST_BY_ID {
            Units::All
        } else {
            Units::These(&ids)
        };
        let submissions = submissions_of(transaction, key.form, key.period, units)?;
        let state = State {
            located: &located,
            submissions: submissions.into_iter().collect(),
            now,
            time_zone: snapshot.counters.time_zone,
            deadlines: deadlines(&located),
        };
        Ok(state.view(snapshot.counters.rev))
    })
}

/// With more units than these a period is read as a whole, which is one statement.
const MOST_BY_ID: usize = 2000;

fn deadlines(located: &Located<'_>) -> BTreeMap<String, Deadline> {
    let period = &located.in_force.period;
    let levels = period.definition.submitted_by.iter();
    levels
        .filter_map(|level| Some((level.to_string(), period.deadline(level, &BTreeSet::new())?)))
        .collect()
}

/// Everything that the answer is made of.
struct State<'s> {
    located: &'s Located<'s>,
    submissions: HashMap<UnitId, Submission>,
    now: DateTime<Utc>,
    time_zone: Tz,
    /// By level.
    deadlines: BTreeMap<String, Deadline>,
}

impl State<'_> {
    fn view(&self, rev: i64) -> CompletenessView {
        let place = self.located.place();
        let children: Vec<ChildProgress> = place
            .children()
            .map(|child| ChildProgress {
                unit: UnitName::of(child),
                total: self.progress(child),
                own: self.own(child),
            })
            .collect();
        let mut total = Progress::default();
        self.add(place, &mut total);
        for child in &children {
            total.include(&child.total);
        }
        CompletenessView {
            form: self.located.form().code.to_string(),
            period: PeriodName::of(&self.located.in_force),
            unit: UnitName::of(place),
            rev,
            total,
            own: self.own(place),
            children,
        }
    }

    fn is_expected(&self, place: Place<'_>) -> bool {
        self.located
            .in_force
            .period
            .definition
            .is_submitted_by(&place.fact().level)
    }

    fn deadline(&self, place: Place<'_>) -> Option<Deadline> {
        self.deadlines.get(place.fact().level.as_str()).copied()
    }

    fn own(&self, place: Place<'_>) -> OwnStatus {
        let submission = self.submissions.get(&place.unit());
        OwnStatus {
            expected: self.is_expected(place),
            status: submission.map(|submission| submission.status),
            deadline: self
                .deadline(place)
                .map(|deadline| deadline.day(self.time_zone)),
            received_on: submission.and_then(|submission| submission.received_on),
        }
    }

    fn progress(&self, place: Place<'_>) -> Progress {
        let mut progress = Progress::default();
        for unit in place.subtree() {
            self.add(unit, &mut progress);
        }
        progress
    }

    fn add(&self, place: Place<'_>, progress: &mut Progress) {
        if !self.is_expected(place) {
            return;
        }
        let deadline = self.deadline(place);
        let submission = self.submissions.get(&place.unit());
        progress.expected += 1;
        match submission.and_then(|submission| Some((submission.reached()?, submission))) {
            Some((reached, submission)) => {
                progress.submitted += 1;
                progress.approved += u64::from(reached == Stage::Approved);
                let late = deadline.is_some_and(|deadline| {
                    submission
                        .received_on
                        .is_some_and(|received| received > deadline.day(self.time_zone))
                });
                progress.late += u64::from(late);
            }
            None => {
                progress.missing += 1;
                let overdue =
                    deadline.is_some_and(|deadline| deadline.has_passed(self.now, self.time_zone));
                progress.overdue += u64::from(overdue);
            }
        }
    }
}
