//! Submissions: every change to what one unit submits on one form for one period. One transaction
//! holds the new revision and the totals of every ancestor. Steps that arrive together share it.

mod asked;
mod batch;
mod change;
mod difference;
mod enter;
mod error;
pub mod extension;
pub(in crate::service) mod four_eyes;
mod import;
mod jump;
mod queue;
mod receipt;
mod replaced;
mod rule;
pub mod sheet;
mod step;
pub mod subtree_reporting;
pub mod template;
mod together;
mod view;
mod whereabouts;

pub use self::batch::{change_all, change_now};
use self::change::state_of;
pub use self::change::{
    Arrival, Asked, Entered, EnteredReason, EnteredValueReason, Intent, SubmissionChange,
};
use self::difference::Difference;
pub use self::difference::{PassageChangeView, QuantityView, ValueChangeView};
pub use self::enter::{EnteredItem, EnteredOne, EnteredView, enter_together, refused_at_once};
pub use self::error::SubmissionError;
pub use self::import::{
    ImportEffect, ImportError, ImportedUnit, MovedFigure, MovedTotals, ReadNumber, SubmissionFile,
    SubmissionImport, Unnamed, import_submissions,
};
use self::jump::FormerTotals;
pub use self::queue::{SubmissionQueue, change, wait};
use self::receipt::receipts_of;
use self::rule::{broken_rules, has_rules, rollup_at};
use self::step::content_in;
pub use self::together::TogetherError;
use self::view::Shown;
pub(in crate::service) use self::view::is_on_behalf;
pub use self::view::{
    PassageView, ReasonView, ReturnView, RevisionView, SubmissionView, ValueReasonView, ValueView,
    Warning,
};
pub use self::whereabouts::{CarryingReleaseView, Whereabouts, WhereaboutsState, WhereaboutsView};
use crate::authn::Identity;
use crate::authz::Action;
use crate::domain::id::AccountId;
use crate::domain::submission::{Revision, RevisionRecord, Submission, SubmissionKey};
use crate::service::application::Application;
use crate::service::application::condition::State;
use crate::service::application::locate::{Located, ReportPath};
use crate::service::application::page::{Page, PageRequest, UnknownCursor};
use crate::service::application::snapshot::Snapshot;
use crate::service::people::account_name::NameReader;
use crate::store::extension::extension_get;
use crate::store::submission::revision::{
    revision_get, revision_with_values_before, revisions_before, revisions_of,
};
use crate::store::submission::submission_get;
use crate::store::{StoreError, Transaction};

/// Somebody who reads a submission, or changes it and is shown what became of it.
struct Reader<'r> {
    application: &'r Application,
    identity: &'r Identity,
    snapshot: &'r Snapshot,
}

impl Reader<'_> {
    /// Reads the return that the unit has still to answer, or the reopening. It stays while the unit
    /// works on a draft, and is over once values are sent anew.
    fn last_return(
        &self,
        transaction: &mut Transaction<'_>,
        key: SubmissionKey,
        submission: &Submission,
    ) -> Result<Option<ReturnView>, StoreError> {
        let Some(revision) = submission.given_back_revision else {
            return Ok(None);
        };
        let record = revision_get(transaction, key, revision)?;
        let record = record.ok_or_else(|| missing(revision))?;
        let names = NameReader::of(self.application, transaction, self.identity, self.snapshot)?;
        let names = names.read(transaction, &[record.account])?;
        let by = names.name(record.account)?;
        Ok(ReturnView::new(record, by))
    }
}

/// Reads a unit's submission.
///
/// # Errors
/// [`SubmissionError`].
pub fn get_submission(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    whereabouts: Whereabouts,
) -> Result<(State, SubmissionView), SubmissionError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate_base_to_read(path)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadSubmissions, &located.tree, place)?;
        let submission =
            submission_get(transaction, located.key())?.ok_or(SubmissionError::Missing)?;
        let steps = KnownSteps::read(transaction, located.key(), &submission)?;
        let latest = steps.find(submission.values_revision)?;
        let last = steps.find(submission.revision)?;
        let counting = submission.counting_revision;
        let counting = counting.map(|counting| steps.find(counting)).transpose()?;
        let receipts = receipts_of(transaction, snapshot, &located, std::slice::from_ref(last))?;
        let broken = match has_rules(&located, &submission) {
            true => {
                let rollup = rollup_at(transaction, snapshot, &located)?;
                let broken = broken_rules(&located, &rollup).into_iter();
                broken.map(Warning::of).collect()
            }
            false => Vec::new(),
        };

        let content = content_in(latest)?;
        let period = &located.in_force.period;
        let former = FormerTotals::read(transaction, period, &[located.key().unit])?;
        let warnings = [broken, former.warnings(&located, content)].concat();
        let extension = extension_get(transaction, located.key())?;
        let reader = Reader {
            application,
            identity,
            snapshot,
        };
        let shown = Shown {
            submission: &submission,
            content,
            entered_for: latest.entered_for,
            receipt: receipts.get(&last.revision).copied(),
            last_return: reader.last_return(transaction, located.key(), &submission)?,
            extension: extension.as_ref(),
            warnings,
        };
        let whereabouts = match whereabouts {
            Whereabouts::Included => Some(WhereaboutsView::read(
                transaction,
                snapshot,
                &located,
                last,
                counting,
            )?),
            Whereabouts::LeftOut => None,
        };
        let view = SubmissionView {
            whereabouts,
            ..SubmissionView::new(snapshot, &located, shown)
        };
        Ok((state_of(submission.revision), view))
    })
}

/// The steps that showing a submission needs: those with its latest and its counting values, and the
/// last one.
struct KnownSteps(Vec<RevisionRecord>);

impl KnownSteps {
    fn read(
        transaction: &mut Transaction<'_>,
        key: SubmissionKey,
        submission: &Submission,
    ) -> Result<KnownSteps, StoreError> {
        let named = [submission.values_revision, submission.revision];
        let named = named.into_iter().chain(submission.counting_revision);
        let wanted = named.map(|revision| (key.unit, revision)).collect();
        let found = revisions_of(transaction, key.form, key.period, &wanted)?;
        let records = found.into_iter().map(|(_, record)| record);
        Ok(KnownSteps(records.collect()))
    }

    fn find(&self, revision: Revision) -> Result<&RevisionRecord, StoreError> {
        let mut records = self.0.iter();
        let found = records.find(|record| record.revision == revision);
        found.ok_or_else(|| missing(revision))
    }
}

fn missing(revision: Revision) -> StoreError {
    StoreError::Corrupt(format!("revision {revision:?} is missing"))
}

/// Lists a submission's history, the latest step first.
///
/// # Errors
/// [`SubmissionError`].
pub fn list_revisions(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    page: &PageRequest,
) -> Result<Page<RevisionView>, SubmissionError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate_base_to_read(path)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadSubmissions, &located.tree, place)?;
        submission_get(transaction, located.key())?.ok_or(SubmissionError::Missing)?;
        let before = match &page.after {
            None => Revision::new(i32::MAX),
            Some(cursor) => match cursor.parse() {
                Ok(revision) => Revision::new(revision),
                Err(_) => {
                    return Err(UnknownCursor {
                        cursor: cursor.clone(),
                    }
                    .into());
                }
            },
        };
        let limit = i64::try_from(page.limit).unwrap_or(i64::MAX - 1);
        let records = revisions_before(transaction, located.key(), before, limit + 1)?;
        let authors: Vec<AccountId> = records.iter().map(|record| record.account).collect();
        let names = NameReader::of(application, transaction, identity, snapshot)?;
        let names = names.read(transaction, &authors)?;
        let differences = differences(transaction, &located, &records, page.limit)?;
        let receipts = receipts_of(transaction, snapshot, &located, &records)?;
        let views = records.into_iter().zip(differences);
        let views = views.map(|(record, difference)| {
            let author = names.name(record.account)?;
            let receipt = receipts.get(&record.revision).copied();
            let in_force = &located.in_force;
            let view = RevisionView::new(record, author, receipt, difference, in_force);
            Ok(view)
        });
        let views = views.collect::<Result<Vec<_>, StoreError>>()?;
        let first = PageRequest {
            after: None,
            limit: page.limit,
        };
        Ok(Page::of(views, &first, |view| view.revision.to_string())?)
    })
}

/// Compares each of some steps, the latest first, with the step before it that brought values; `None`
/// for a step that brought none, and for one after the first `shown`, which only says that there are
/// more. Reads one more revision if the last of those shown needs it.
fn differences(
    transaction: &mut Transaction<'_>,
    located: &Located<'_>,
    records: &[RevisionRecord],
    shown: usize,
) -> Result<Vec<Option<Difference>>, StoreError> {
    let (shown, further) = records.split_at_checked(shown).unwrap_or((records, &[]));
    let has_values = |record: &&RevisionRecord| record.content.is_some();
    let known = further.iter().find(has_values);
    let read = match (shown.iter().rfind(has_values), known) {
        (Some(first), None) => {
            revision_with_values_before(transaction, located.key(), first.revision)?
        }
        (None, _) | (Some(_), Some(_)) => None,
    };
    let before = known.or(read.as_ref());
    let mut before = before.and_then(|record| record.content.as_ref());
    let mut differences: Vec<Option<Difference>> = further.iter().map(|_| None).collect();
    for record in shown.iter().rev() {
        let after = record.content.as_ref();
        let in_force = &located.in_force;
        differences.push(after.map(|after| Difference::between(before, after, in_force)));
        before = after.or(before);
    }
    differences.reverse();
    Ok(differences)
}
