//! What is still open of a base period, unit by unit, as completeness counts it. For periods in which
//! the map moved: what a former unit had sent may stand for its successor, or count in a leaf.

use chrono::{DateTime, Utc};

use super::BaseOnMap;
use super::counted::Counted;
use crate::domain::form::FormPeriod;
use crate::domain::hierarchy::{Place, Position};
use crate::domain::id::UnitId;
use crate::domain::submission::{Status, Submission};
use crate::service::application::snapshot::Snapshot;
use crate::store::{StoreError, Transaction};

/// The open submissions at a place of the map of the period's last day and below it.
#[derive(Debug, Default)]
pub(in crate::service) struct StillOpen {
    /// The units of which nothing counts, and that are to submit.
    pub missing: Vec<UnitId>,
    /// The units whose own submission counts and can be approved. What a former unit had sent can be
    /// approved by nobody.
    pub to_approve: Vec<UnitId>,
}

impl StillOpen {
    /// Reads all submissions that the place's progress depends on.
    ///
    /// # Errors
    /// Those of the store.
    pub fn read(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        (period, position): (FormPeriod<'_>, Position),
        now: DateTime<Utc>,
    ) -> Result<StillOpen, StoreError> {
        let located = snapshot.located(period, position);
        let data = Counted::by_submission(transaction, snapshot, &located, now)?;
        let bases = data.bases.iter();
        Ok(bases.fold(StillOpen::default(), |open, base| {
            open.with(base, located.place())
        }))
    }

    fn with(mut self, base: &BaseOnMap<'_>, top: Place<'_>) -> StillOpen {
        for place in top.subtree() {
            let progress = base.progress(place);
            self.missing
                .extend((progress.missing > 0).then(|| place.unit()));
            let own = base.submissions.get(&place.unit());
            let is_open = own.is_some_and(can_be_approved);
            self.to_approve.extend(is_open.then(|| place.unit()));
        }
        self
    }
}

fn can_be_approved(submission: &Submission) -> bool {
    let counts = submission.counting_revision.is_some();
    counts && matches!(submission.status, Status::Submitted | Status::Reopened)
}
