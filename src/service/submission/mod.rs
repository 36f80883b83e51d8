//! Submissions: every change to what one unit submits on one form for one period. One transaction
//! holds the new revision and the totals of every ancestor. Steps that arrive together share it.

mod batch;
mod change;
mod error;
pub mod extension;
mod queue;
mod rule;
mod step;
mod view;

pub use self::batch::{change_all, change_now};
use self::change::state_of;
pub use self::change::{
    Arrival, Asked, Entered, EnteredReason, EnteredValueReason, Intent, SubmissionChange,
};
pub use self::error::SubmissionError;
pub use self::queue::{SubmissionQueue, change};
use self::rule::{broken_rules, has_rules, rollup_at};
use self::step::MOST_STEPS;
pub use self::view::{
    PassageView, ReasonView, RevisionView, SubmissionView, ValueReasonView, ValueView, Warning,
};
use crate::authn::Identity;
use crate::authz::Action;
use crate::domain::id::AccountId;
use crate::domain::submission::{Content, Reason, Revision, Status, Step, Submission};
use crate::service::application::Application;
use crate::service::application::condition::State;
use crate::service::application::locate::{Located, ReportPath};
use crate::service::application::page::{Page, PageRequest, UnknownCursor};
use crate::service::people::account_name::NameReader;
use crate::store::extension::extension_get;
use crate::store::submission::revision::{revision_get, revisions_before};
use crate::store::submission::submission_get;
use crate::store::{StoreError, Transaction};

/// Reads a submission's latest values, and the reason if it is returned.
fn content_of(
    transaction: &mut Transaction<'_>,
    located: &Located<'_>,
    submission: &Submission,
) -> Result<(Content, Option<Reason>), StoreError> {
    let record = revision_get(transaction, located.key(), submission.values_revision)?;
    let content = record.and_then(|record| record.content).ok_or_else(|| {
        StoreError::Corrupt(format!(
            "revision {:?} has no values",
            submission.values_revision
        ))
    })?;
    let reason = match submission.status {
        Status::Returned => {
            // A reorganisation may have added steps since it was returned.
            let before = submission.revision.next();
            let records = revisions_before(transaction, located.key(), before, MOST_STEPS)?;
            let returned = records
                .into_iter()
                .find(|record| record.step == Step::Return);
            returned.and_then(|record| record.reason)
        }
        _ => None,
    };
    Ok((content, reason))
}

/// Reads a unit's submission.
///
/// # Errors
/// [`SubmissionError`].
pub fn get_submission(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
) -> Result<(State, SubmissionView), SubmissionError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate_base_to_read(path)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadSubmissions, &located.tree, place)?;
        let submission =
            submission_get(transaction, located.key())?.ok_or(SubmissionError::Missing)?;
        let (content, reason) = content_of(transaction, &located, &submission)?;
        let warnings = match has_rules(&located, &submission) {
            true => {
                let rollup = rollup_at(transaction, snapshot, &located)?;
                let broken = broken_rules(&located, &rollup).into_iter();
                broken.map(Warning::of).collect()
            }
            false => Vec::new(),
        };
        let extension = extension_get(transaction, located.key())?;
        let view = SubmissionView::new(
            snapshot,
            &located,
            extension.as_ref(),
            &submission,
            &content,
            reason,
            warnings,
        );
        Ok((state_of(submission.revision), view))
    })
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
        let views = records.into_iter().map(|record| {
            let author = names.name(record.account)?;
            Ok(RevisionView::new(record, author, &located.in_force))
        });
        let views = views.collect::<Result<Vec<_>, StoreError>>()?;
        let first = PageRequest {
            after: None,
            limit: page.limit,
        };
        Ok(Page::of(views, &first, |view| view.revision.to_string())?)
    })
}
