//! The two ways to count: from what is kept where that is enough, from all submissions otherwise. Both
//! give the same figures.

use chrono::{DateTime, Utc};

use super::rows::{RowProgress, stood_still};
use super::{CompletenessData, OwnStatus, PeriodProgress, Progress};
use crate::domain::hierarchy::Place;
use crate::service::application::locate::Located;
use crate::service::application::snapshot::Snapshot;
use crate::service::totals::Board;
use crate::store::{StoreError, Transaction};

/// The most units of a subtree of which all submissions are read although the rows would do.
const FEW_UNITS: usize = 2000;

/// The progress of a unit and of places below it.
pub(super) enum Counted<'s> {
    Kept(Box<RowProgress<'s>>),
    BySubmission(CompletenessData<'s>),
}

impl<'s> Counted<'s> {
    /// Counts for a unit and its parts. A small subtree is read by submission.
    pub fn of_parts(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        located: &'s Located<'s>,
        now: DateTime<Utc>,
    ) -> Result<Counted<'s>, StoreError> {
        let place = located.place();
        let shown: Vec<Place<'_>> = std::iter::once(place).chain(place.parts()).collect();
        let mut counted = Counted::of_places(transaction, snapshot, located, &shown, now)?;
        if let Counted::Kept(kept) = &mut counted {
            kept.read_own(transaction, &shown)?;
        }
        Ok(counted)
    }

    /// Counts totals for places at or below a unit. A small subtree is read by submission.
    pub fn of_places(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        located: &'s Located<'s>,
        places: &[Place<'_>],
        now: DateTime<Utc>,
    ) -> Result<Counted<'s>, StoreError> {
        let is_large = located
            .place()
            .subtree_with_leaves()
            .nth(FEW_UNITS)
            .is_some();
        if is_large && stood_still(transaction, snapshot, located)? {
            let mut kept = RowProgress::read(transaction, snapshot, located, now)?;
            kept.read_counts(transaction, places)?;
            return Ok(Counted::Kept(Box::new(kept)));
        }
        let read = Counted::by_submission(transaction, snapshot, located, now)?;
        Ok(Counted::BySubmission(read))
    }

    pub fn by_submission(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        located: &'s Located<'s>,
        now: DateTime<Utc>,
    ) -> Result<CompletenessData<'s>, StoreError> {
        let mut data = CompletenessData::without_submissions(snapshot, located, now);
        data.read_submissions(transaction, &Board::at(located, snapshot))?;
        Ok(data)
    }

    pub fn total(&self, place: Place<'_>) -> Progress {
        match self {
            Counted::Kept(kept) => kept.total(place),
            Counted::BySubmission(data) => data.total(place),
        }
    }

    pub fn own(&self, place: Place<'_>) -> OwnStatus {
        match self {
            Counted::Kept(kept) => kept.own(place),
            Counted::BySubmission(data) => data.own(place),
        }
    }

    /// Returns the progress of the unit's own base periods, if it may have several.
    pub fn own_periods(&self, place: Place<'_>) -> Option<Progress> {
        match self {
            Counted::Kept(_) => None,
            Counted::BySubmission(data) => data.own_periods(place),
        }
    }

    /// Returns the progress in each base period of a longer one.
    pub fn by_period(&self, place: Place<'_>) -> Option<Vec<PeriodProgress>> {
        match self {
            Counted::Kept(_) => None,
            Counted::BySubmission(data) => data.is_long().then(|| data.by_period(place)),
        }
    }
}
