//! The audit of releases: each has its copy, the copy is what was sent, and whatever was sent is there.

use std::collections::BTreeSet;

use super::content::SealedContent;
use crate::authz::Scope;
use crate::domain::id::{FormCode, UnitId};
use crate::domain::period::Period;
use crate::domain::release::ReleaseNumber;
use crate::domain::submission::SubmissionKey;
use crate::service::application::Application;
use crate::service::application::change::{AuthoredItem, ChangeItem, items_of};
use crate::service::application::snapshot::Snapshot;
use crate::store::change::changes_after;
use crate::store::release::{ReleaseKey, StoredCopy, content_labels, copies_after};
use crate::store::{StoreError, Transaction};

/// The number of copies that are held in memory at once.
const COPIES_AT_ONCE: u16 = 100;

/// The number of commits that are held in memory at once.
const COMMITS_AT_ONCE: u16 = 100;

/// The rev after which all of a tenant's history comes.
const BEFORE_ALL: i64 = -1;

/// The result of an audit of a tenant's releases.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReleaseAudit {
    /// The number of releases that were read.
    pub releases: u64,
    /// Releases of which the copy is missing, or not what was sent. There should be none.
    pub altered: BTreeSet<AlteredRelease>,
}

/// A release whose copy is not what was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlteredRelease {
    /// `None` if the catalogue does not have the form.
    pub form: Option<FormCode>,
    pub period: Period,
    pub unit: UnitId,
    pub number: ReleaseNumber,
}

impl AlteredRelease {
    fn named(key: ReleaseKey, snapshot: &Snapshot) -> AlteredRelease {
        let ReleaseKey { report, number } = key;
        let mut forms = snapshot.catalogue.forms();
        let form = forms.find(|form| form.number == report.form);
        AlteredRelease {
            form: form.map(|form| form.code.clone()),
            period: report.period,
            unit: report.unit,
            number,
        }
    }
}

/// Names it as a line of the command and of the log does.
impl std::fmt::Display for AlteredRelease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let form = self.form.as_ref().map_or("?", FormCode::as_str);
        let (period, unit, number) = (self.period, self.unit, self.number.get());
        write!(f, "{form} {period} {unit} release {number}")
    }
}

/// Compares the copies of all releases of a tenant with their hashes, and then with those that the history
/// of changes tells, some at a time. Others may be sent meanwhile.
///
/// # Errors
/// Those of the store.
pub fn verify_releases(
    application: &Application,
    scope: &Scope,
) -> Result<ReleaseAudit, StoreError> {
    let mut audit = ReleaseAudit::default();
    let mut after = None;
    loop {
        let read = application.inspecting(scope, |transaction, snapshot| {
            let copies = copies_after(transaction, after, COPIES_AT_ONCE.into())?;
            let altered = copies.iter().filter(|stored| !is_as_sent(stored));
            let altered = altered.map(|stored| AlteredRelease::named(stored.key, snapshot));
            audit.altered.extend(altered);
            Ok::<_, StoreError>(copies)
        })?;
        audit.releases += u64::try_from(read.len()).unwrap_or(u64::MAX);
        match read.last() {
            Some(last) if read.len() == usize::from(COPIES_AT_ONCE) => after = Some(last.key),
            _ => break,
        }
    }
    let mut after = BEFORE_ALL;
    loop {
        let read = application.inspecting(scope, |transaction, snapshot| {
            let commits = changes_after(transaction, after, COMMITS_AT_ONCE.into())?;
            for commit in &commits {
                let items = items_of(commit)?;
                audit.altered.extend(lost(transaction, snapshot, &items)?);
            }
            Ok::<_, StoreError>(commits)
        })?;
        match read.last() {
            Some(last) if read.len() == usize::from(COMMITS_AT_ONCE) => after = last.rev,
            _ => return Ok(audit),
        }
    }
}

/// Lists the releases that items of a commit tell and that have another copy now, or none. Nobody can
/// change the items unseen, since each commit has the hash of the one before.
fn lost(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    items: &[AuthoredItem],
) -> Result<Vec<AlteredRelease>, StoreError> {
    let mut lost = Vec::new();
    for AuthoredItem { item, .. } in items {
        let (Some(key), Some(hash)) = (key_of(snapshot, item), &item.copy) else {
            continue;
        };
        let labels = content_labels(transaction, key.report, &[key.number])?;
        let label = labels.get(&key.number);
        if label.is_none_or(|label| label.hash.to_string() != *hash) {
            lost.push(AlteredRelease::named(key, snapshot));
        }
    }
    Ok(lost)
}

fn key_of(snapshot: &Snapshot, item: &ChangeItem) -> Option<ReleaseKey> {
    let form = item.form.as_deref()?.parse().ok()?;
    Some(ReleaseKey {
        report: SubmissionKey {
            form: snapshot.catalogue.form(&form)?.number,
            period: item.period.as_deref()?.parse().ok()?,
            unit: item.unit?,
        },
        number: ReleaseNumber::new(item.release?),
    })
}

fn is_as_sent(stored: &StoredCopy) -> bool {
    let copy = stored.copy.as_ref();
    copy.is_some_and(|(hash, kept)| SealedContent::opened(stored.key.number, *hash, kept).is_ok())
}
