//! Releases (bản báo cáo gửi lên): a unit's report as it was sent to the unit above, what became of it,
//! and what has changed since. What was sent never changes.

mod accept;
pub mod audit;
mod content;
pub(in crate::service) mod copy;
mod drift;
mod error;
mod send;
mod step;
mod view;

pub use self::accept::EnteredAcceptance;
pub use self::content::{
    AcceptedView, DocumentView, LackView, ReleaseContent, ReleasedPassage, SignerView,
};
pub use self::drift::{
    AgainstView, CellDrift, CountsDrift, DriftView, PassageDrift, ReleasedFigure,
};
pub use self::error::ReleaseError;
pub use self::send::{
    EnteredDocument, EnteredRelease, EnteredSigner, MOST_RECIPIENTS, send_release,
};
pub use self::step::{EnteredReturn, recall_release, receive_release, return_release};
pub use self::view::{ReleaseStepView, ReleaseSummary, ReleaseView};

use chrono::{DateTime, SubsecRound, Utc};

use self::content::SealedContent;
use self::drift::{Comparable, drift_of};
use crate::authn::Identity;
use crate::authz::{Action, Denied, Permit};
use crate::domain::fault::{Faults, FieldPath};
use crate::domain::id::AccountId;
use crate::domain::release::{ReleaseFault, ReleaseNumber};
use crate::domain::text::TextFault;
use crate::service::application::Application;
use crate::service::application::condition::State;
use crate::service::application::locate::{Located, NotFound, ReportPath};
use crate::service::application::page::{Page, PageRequest, UnknownCursor};
use crate::service::application::snapshot::Snapshot;
use crate::service::people::account_name::NameReader;
use crate::store::release::{Release, content_labels, release_get, releases_before, steps_of};
use crate::store::{StoreError, Transaction};

/// A release in a path.
#[derive(Debug, Clone)]
pub struct ReleasePath {
    pub report: ReportPath,
    pub number: ReleaseNumber,
}

fn state_of(release: &Release) -> State {
    State::numbered(release.step)
}

/// Returns a text that was read, or notes its fault.
fn text(
    read: Result<String, TextFault>,
    at: FieldPath,
    faults: &mut Faults<ReleaseFault>,
) -> String {
    read.unwrap_or_else(|fault| {
        faults.push(at, ReleaseFault::Text(fault));
        String::new()
    })
}

/// Returns a time as exactly as both databases store it.
fn as_stored(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6)
}

/// Finds the unit whose releases a path names. A unit that ended before the period did, by a
/// reorganisation that was entered later, is found at its last place: what it sent stays.
fn locate<'s>(snapshot: &'s Snapshot, path: &ReportPath) -> Result<Located<'s>, NotFound> {
    let missing = match snapshot.locate(path) {
        Err(missing @ (NotFound::Ended { .. } | NotFound::Unit { .. })) => missing,
        found => return found,
    };
    let former = snapshot.locate_former(path);
    let readable = former.filter(|former| may(snapshot, Action::ReadReleases, former).is_ok());
    readable.ok_or(missing)
}

fn may(snapshot: &Snapshot, action: Action, located: &Located<'_>) -> Result<Permit, Denied> {
    let access = &snapshot.access;
    access.to_unit(action, &located.tree, located.place())
}

fn found(
    transaction: &mut Transaction<'_>,
    located: &Located<'_>,
    number: ReleaseNumber,
) -> Result<Release, ReleaseError> {
    let release = release_get(transaction, located.key(), number)?;
    release.ok_or(ReleaseError::Missing { number })
}

/// Lists what a unit sent on a form for a period, the latest first.
///
/// # Errors
/// [`ReleaseError`].
pub fn list_releases(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    page: &PageRequest,
) -> Result<Page<ReleaseSummary>, ReleaseError> {
    application.reading(identity, |transaction, snapshot| {
        let located = locate(snapshot, path)?;
        let _permit = may(snapshot, Action::ReadReleases, &located)?;
        let before = match &page.after {
            None => ReleaseNumber::new(i32::MAX),
            Some(cursor) => {
                let number = cursor.parse().map(ReleaseNumber::new);
                number.map_err(|_| UnknownCursor {
                    cursor: cursor.clone(),
                })?
            }
        };
        let limit = i64::try_from(page.limit).unwrap_or(i64::MAX - 1);
        let releases = releases_before(transaction, located.key(), before, limit + 1)?;
        let views = summaries(transaction, &located, &releases)?;
        let first = PageRequest {
            after: None,
            limit: page.limit,
        };
        Ok(Page::of(views, &first, |view| view.number.to_string())?)
    })
}

fn summaries(
    transaction: &mut Transaction<'_>,
    located: &Located<'_>,
    releases: &[Release],
) -> Result<Vec<ReleaseSummary>, StoreError> {
    let numbers: Vec<ReleaseNumber> = releases.iter().map(|release| release.number).collect();
    let labels = content_labels(transaction, located.key(), &numbers)?;
    let views = releases.iter().map(|release| {
        let label = labels.get(&release.number);
        let label = label.ok_or_else(|| without_content(release.number))?;
        Ok(ReleaseSummary::of(located, release, label))
    });
    views.collect()
}

fn without_content(number: ReleaseNumber) -> StoreError {
    StoreError::Corrupt(format!("release {number:?} has no content"))
}

/// Makes the summary of one release.
fn summary(
    transaction: &mut Transaction<'_>,
    located: &Located<'_>,
    release: &Release,
) -> Result<ReleaseSummary, StoreError> {
    let views = summaries(transaction, located, std::slice::from_ref(release))?;
    let view = views.into_iter().next();
    view.ok_or_else(|| without_content(release.number))
}

/// Reads a release: what was sent, what became of it, and what has changed since. `against` is another
/// release of the unit and period to compare it with.
///
/// # Errors
/// [`ReleaseError`].
pub fn get_release(
    application: &Application,
    identity: &Identity,
    path: &ReleasePath,
    against: Option<ReleaseNumber>,
) -> Result<(State, ReleaseView), ReleaseError> {
    application.reading(identity, |transaction, snapshot| {
        let located = locate(snapshot, &path.report)?;
        let _permit = may(snapshot, Action::ReadReleases, &located)?;
        let release = found(transaction, &located, path.number)?;
        let summary = summary(transaction, &located, &release)?;
        let sealed = SealedContent::read(transaction, located.key(), release.number)?;
        let sent = Comparable::read(&sealed.text)?;
        let against = match against {
            None => None,
            Some(number) => Some(against_of(transaction, &located, number, &sent)?),
        };
        let records = steps_of(transaction, located.key(), release.number)?;
        let sent_rev = records.first().map_or(release.rev, |step| step.rev);
        let is_current = may(snapshot, Action::ReadRollups, &located).is_ok();
        let drift = match is_current && !located.has_ended() {
            true => Some(drift_of(
                transaction,
                snapshot,
                &path.report,
                &sent,
                sent_rev,
            )?),
            false => None,
        };
        let authors: Vec<AccountId> = records.iter().map(|step| step.account).collect();
        let names = NameReader::of(application, transaction, identity, snapshot)?;
        let names = names.read(transaction, &authors)?;
        let steps = records.into_iter().map(|record| {
            let by = names.name(record.account)?;
            Ok(ReleaseStepView::new(record, by))
        });
        let steps = steps.collect::<Result<_, StoreError>>()?;
        let view = ReleaseView::new(summary, steps, sealed, drift, against)?;
        Ok((state_of(&release), view))
    })
}

/// Compares what was sent with another release.
fn against_of(
    transaction: &mut Transaction<'_>,
    located: &Located<'_>,
    number: ReleaseNumber,
    sent: &Comparable,
) -> Result<AgainstView, ReleaseError> {
    let release = release_get(transaction, located.key(), number)?;
    let release = release.ok_or(ReleaseError::NothingToCompare { number })?;
    let other = SealedContent::read(transaction, located.key(), release.number)?;
    let other = Comparable::read(&other.text)?;
    Ok(AgainstView::new(number, &other, sent))
}
