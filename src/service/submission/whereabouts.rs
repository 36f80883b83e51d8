//! Whereabouts: with whom a submission is, and in which reports above it what counts of it was sent up.

use std::collections::{HashMap, HashSet};
use std::iter::once;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::domain::hierarchy::Place;
use crate::domain::id::UnitId;
use crate::domain::release::ReleaseStatus;
use crate::domain::submission::{RevisionRecord, Status};
use crate::service::application::locate::Located;
use crate::service::application::name::UnitName;
use crate::service::application::snapshot::Snapshot;
use crate::store::release::{SentRelease, standing_since};
use crate::store::reorganisation::{MapChange, reorganisations};
use crate::store::{StoreError, Transaction};

/// Tells whether a reader asks where a submission is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whereabouts {
    Included,
    LeftOut,
}

/// Where a submission is now (báo cáo đang ở đâu).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WhereaboutsView {
    pub state: WhereaboutsState,
    /// The time of the last step, since which it is there.
    pub since: DateTime<Utc>,
    /// The unit with which it is: the unit itself, or the one above it. A unit that has none above it
    /// approves its own.
    pub at: UnitName,
    /// The reports on this form for this very period in which the values that count were sent up: of the
    /// unit itself and of each unit above it, from below to above, the latest that waits or was
    /// received. Not told are reports of longer periods and of forms that take figures from this one,
    /// and those that were sent before a reorganisation changed where the unit lies.
    pub releases: Vec<CarryingReleaseView>,
}

/// How a submission stands with those who handle it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhereaboutsState {
    /// The unit works on it, and has not sent what it entered last.
    Draft,
    /// It has come in, and waits to be looked at and approved.
    WithApprover,
    /// It was given back to the unit with a reason.
    Returned,
    /// It was approved, and given back to the unit for changes.
    Reopened,
    /// The unit took it back.
    Withdrawn,
    /// It is approved.
    Approved,
}

/// A report that carries a submission up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CarryingReleaseView {
    /// The unit that sent the report.
    pub unit: UnitName,
    #[schema(example = 1)]
    pub number: i32,
    pub status: ReleaseStatus,
    pub sent_at: DateTime<Utc>,
}

impl From<Status> for WhereaboutsState {
    fn from(status: Status) -> WhereaboutsState {
        match status {
            Status::Draft => WhereaboutsState::Draft,
            Status::Submitted => WhereaboutsState::WithApprover,
            Status::Returned => WhereaboutsState::Returned,
            Status::Reopened => WhereaboutsState::Reopened,
            Status::Withdrawn => WhereaboutsState::Withdrawn,
            Status::Approved => WhereaboutsState::Approved,
        }
    }
}

impl WhereaboutsView {
    /// `last` is the last step, and `counting` the one that brought the values that count.
    pub(super) fn read(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        located: &Located<'_>,
        last: &RevisionRecord,
        counting: Option<&RevisionRecord>,
    ) -> Result<WhereaboutsView, StoreError> {
        let state = WhereaboutsState::from(last.status);
        let own = located.place();
        let at = match state {
            WhereaboutsState::WithApprover | WhereaboutsState::Approved => {
                own.parent().unwrap_or(own)
            }
            WhereaboutsState::Draft
            | WhereaboutsState::Returned
            | WhereaboutsState::Reopened
            | WhereaboutsState::Withdrawn => own,
        };
        Ok(WhereaboutsView {
            state,
            since: last.entered_at.and_utc(),
            at: UnitName::of(at),
            releases: match counting {
                Some(counting) => carrying(transaction, snapshot, located, counting)?,
                None => Vec::new(),
            },
        })
    }
}

/// Lists the releases that carry what a step brought. A release carried what lay below its sender when
/// it was sent, so one from before the map changed there is left out.
fn carrying(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
    counting: &RevisionRecord,
) -> Result<Vec<CarryingReleaseView>, StoreError> {
    let own = located.place();
    let senders: Vec<Place<'_>> = once(own).chain(own.ancestors()).collect();
    let ids: Vec<UnitId> = senders.iter().map(|sender| sender.unit()).collect();
    let key = located.key();
    let sent = standing_since(transaction, key.form, key.period, &ids, counting.rev)?;
    // Of each unit the latest, which comes last.
    let sent = sent.into_iter();
    let latest: HashMap<UnitId, SentRelease> = sent.map(|sent| (sent.unit, sent)).collect();
    if latest.is_empty() {
        return Ok(Vec::new());
    }
    let changes = MapChangesBefore::of(transaction, snapshot, located)?;
    let carrying = senders
        .into_iter()
        .enumerate()
        .filter_map(|(below, sender)| {
            let SentRelease {
                release, sent_rev, ..
            } = latest.get(&sender.unit())?;
            // The unit itself, and those between it and the sender.
            let line = ids.get(..below.max(1))?;
            (!changes.touch_since(*sent_rev, line)).then(|| CarryingReleaseView {
                unit: UnitName::of(sender),
                number: release.number.get(),
                status: release.status,
                sent_at: release.sent_at.and_utc(),
            })
        });
    Ok(carrying.collect())
}

/// The changes of the map that took effect until the last day of a period.
struct MapChangesBefore<'s> {
    day: NaiveDate,
    in_force: &'s [(MapChange, HashSet<UnitId>)],
    /// The rev of the latest undoing of one; 0 if there is none.
    undone: i64,
}

impl<'s> MapChangesBefore<'s> {
    fn of(
        transaction: &mut Transaction<'_>,
        snapshot: &'s Snapshot,
        located: &Located<'_>,
    ) -> Result<MapChangesBefore<'s>, StoreError> {
        let day = located.in_force.period.closing_day();
        let all = reorganisations(transaction)?.into_iter();
        let undone = all.filter(|one| one.effective <= day);
        let undone = undone.filter_map(|one| one.undone).map(|undone| undone.rev);
        Ok(MapChangesBefore {
            day,
            in_force: snapshot.map_changes(transaction)?,
            undone: undone.max().unwrap_or(0),
        })
    }

    /// Tells whether one that was entered after `rev` may have placed any of some units elsewhere. What
    /// was undone counts whatever it touched.
    fn touch_since(&self, rev: i64, units: &[UnitId]) -> bool {
        let mut entered = self.in_force.iter();
        self.undone > rev
            || entered.any(|(change, touched)| {
                change.rev > rev
                    && change.effective <= self.day
                    && units.iter().any(|unit| touched.contains(unit))
            })
    }
}
