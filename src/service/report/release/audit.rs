//! The audit of releases: each has its copy, and the copy is what was sent.

use super::content::SealedContent;
use crate::authz::Scope;
use crate::domain::id::{FormCode, UnitId};
use crate::domain::period::Period;
use crate::domain::release::ReleaseNumber;
use crate::service::application::Application;
use crate::service::application::snapshot::Snapshot;
use crate::store::StoreError;
use crate::store::release::{ReleaseKey, StoredCopy, copies_after};

/// The number of copies that are held in memory at once.
const COPIES_AT_ONCE: u16 = 100;

/// The result of an audit of a tenant's releases.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReleaseAudit {
    /// The number of releases that were read.
    pub releases: u64,
    /// Those of which the copy is missing, or not what was sent. There should be none.
    pub altered: Vec<AlteredRelease>,
}

/// A release whose copy is not what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Compares the copies of all releases of a tenant with their hashes, some at a time. Others may be
/// sent meanwhile.
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
            _ => return Ok(audit),
        }
    }
}

fn is_as_sent(stored: &StoredCopy) -> bool {
    let copy = stored.copy.as_ref();
    copy.is_some_and(|(hash, kept)| SealedContent::opened(stored.key.number, *hash, kept).is_ok())
}
