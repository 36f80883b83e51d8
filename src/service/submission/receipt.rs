//! The numbers of the receipts of past steps, found among what their commits did.

use std::collections::{BTreeMap, HashMap};

use crate::domain::id::UnitId;
use crate::domain::receipt::ReceiptNumber;
use crate::domain::submission::{Revision, RevisionRecord, Step, SubmissionKey};
use crate::service::application::change::{AuthoredItem, items_of};
use crate::service::application::locate::Located;
use crate::service::application::snapshot::Snapshot;
use crate::store::change::changes_at;
use crate::store::{StoreError, Transaction};

/// The receipts of some steps of a submission, by their revisions. What a reorganisation noted has
/// none, and neither has a step from before commits were recorded.
pub(super) type Receipts = BTreeMap<Revision, ReceiptNumber>;

/// Finds the receipts of steps of a submission.
pub(super) fn receipts_of(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
    records: &[RevisionRecord],
) -> Result<Receipts, StoreError> {
    let taken = records.iter();
    let taken = taken.filter(|record| record.step != Step::Reorganise);
    let taken: HashMap<i64, Revision> = taken.map(|record| (record.rev, record.revision)).collect();
    if taken.is_empty() {
        return Ok(Receipts::new());
    }
    let revs: Vec<i64> = taken.keys().copied().collect();
    let mut commits = Vec::with_capacity(revs.len());
    for row in changes_at(transaction, &revs)? {
        commits.push((row.rev, items_of(&row)?));
    }
    let form = located.form().code.to_string();
    let period = located.period().to_string();
    let among = |holders: &[UnitId]| -> Receipts {
        let found = commits.iter().filter_map(|(rev, items)| {
            let revision = *taken.get(rev)?;
            let is_step = |AuthoredItem { item, .. }: &AuthoredItem| {
                item.revision == Some(revision.get())
                    && item.form.as_ref() == Some(&form)
                    && item.period.as_ref() == Some(&period)
                    && item.unit.is_some_and(|unit| holders.contains(&unit))
            };
            let before = items.iter().position(is_step)?;
            Some((revision, ReceiptNumber::new(*rev, before)))
        });
        found.collect()
    };
    let key = located.key();
    let found = among(&[key.unit]);
    match found.len() == commits.len() {
        true => Ok(found),
        // Some steps were taken by a unit that passed the submission on.
        false => Ok(among(&holders_until(transaction, snapshot, key)?)),
    }
}

/// Lists the units that held a submission, the present holder first.
fn holders_until(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    key: SubmissionKey,
) -> Result<Vec<UnitId>, StoreError> {
    let moves = snapshot.passed_on(transaction, key.form, key.period)?;
    let mut holders = vec![key.unit];
    let mut holder = key.unit;
    for one in moves.iter().rev() {
        if one.to == holder {
            holder = one.from;
            holders.push(holder);
        }
    }
    Ok(holders)
}
