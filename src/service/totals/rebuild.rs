//! Makes the totals of whole periods anew, when the map has changed. Never how a total is made.

use super::board::Board;
use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::domain::form::FormPeriod;
use crate::service::application::snapshot::Snapshot;
use crate::service::application::watcher::{Phase, Watcher};
use crate::store::submission::periods_with_submissions;
use crate::store::{StoreError, Transaction};

/// Rebuilds all rows that a change of the map from `day` on may affect: those of periods that end
/// on that day or later.
pub(in crate::service) fn rebuild_since(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    day: NaiveDate,
    rev: i64,
    watcher: &dyn Watcher,
) -> Result<(), StoreError> {
    let mut periods = reported_periods(transaction, snapshot)?;
    periods.retain(|period| period.closing_day() >= day);
    watcher.begin(Phase::Totals, periods.len());
    for period in periods {
        Board::of(snapshot, period).rebuild(transaction, rev)?;
        watcher.advance(1);
    }
    Ok(())
}

/// Rebuilds all rows of a period.
pub(in crate::service) fn rebuild_period(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    period: FormPeriod<'_>,
) -> Result<(), StoreError> {
    Board::of(snapshot, period).rebuild(transaction, snapshot.counters.rev)
}

/// Returns all periods with submissions, and the longer ones made of them.
pub(in crate::service) fn reported_periods<'s>(
    transaction: &mut Transaction<'_>,
    snapshot: &'s Snapshot,
) -> Result<Vec<FormPeriod<'s>>, StoreError> {
    let mut periods = BTreeMap::new();
    for (number, base) in periods_with_submissions(transaction, None)? {
        let mut forms = snapshot.catalogue.forms();
        let form = forms.find(|form| form.number == number);
        let Some((form, base)) = form.and_then(|form| Some((form, form.period(base)?))) else {
            return Err(StoreError::Corrupt(format!(
                "submissions on no form: {number:?} {base}"
            )));
        };
        let longer = form.longer_periods_with(&base);
        periods.extend(
            longer
                .into_iter()
                .chain([base])
                .map(|period| ((form.code.clone(), period.period), period)),
        );
    }
    Ok(periods.into_values().collect())
}
