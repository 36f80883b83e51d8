//! What a commit did, for the feed and the audit: items, packed into the commit's row, and the hash
//! that links the rows. Every write adds its row here, in its own transaction. No item holds a secret.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use serde::{Deserialize, Serialize};

use crate::authz::{Action, Permit};
use crate::domain::form::FormPeriod;
use crate::domain::id::{AccountId, InvalidName, TenantId, UnitId};
use crate::store::change::{
    ChangeHash, ChangeRow, change_insert, changes_from_put, last_change_hash,
};
use crate::store::{StoreError, Transaction};

macro_rules! kinds {
    ($( $kind:ident = $name:tt, seen by $action:ident; )+) => {
        /// The kind of a change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum ChangeKind { $( #[serde(rename = $name)] $kind, )+ }

        impl ChangeKind {
            pub const ALL: &[ChangeKind] = &[$( ChangeKind::$kind, )+];

            pub fn as_str(self) -> &'static str {
                match self { $( ChangeKind::$kind => $name, )+ }
            }

            /// Returns the action that a reader of the change must be allowed at its place.
            pub fn seen_by(self) -> Action {
                match self { $( ChangeKind::$kind => Action::$action, )+ }
            }
        }
    };
}

kinds! {
    SubmissionSaved = "submission.saved", seen by ReadSubmissions;
    SubmissionSubmitted = "submission.submitted", seen by ReadSubmissions;
    SubmissionWithdrawn = "submission.withdrawn", seen by ReadSubmissions;
    SubmissionDiscarded = "submission.discarded", seen by ReadSubmissions;
    SubmissionApproved = "submission.approved", seen by ReadSubmissions;
    SubmissionReturned = "submission.returned", seen by ReadSubmissions;
    SubmissionReopened = "submission.reopened", seen by ReadSubmissions;
    ExtensionGiven = "extension.given", seen by ReadSubmissions;
    ExtensionWithdrawn = "extension.withdrawn", seen by ReadSubmissions;
    SubtreeReportingArranged = "subtree_reporting.arranged", seen by ReadSubmissions;
    SubtreeReportingWithdrawn = "subtree_reporting.withdrawn", seen by ReadSubmissions;
    ReleaseSent = "release.sent", seen by ReadReleases;
    ReleaseReceived = "release.received", seen by ReadReleases;
    ReleaseReturned = "release.returned", seen by ReadReleases;
    ReleaseRecalled = "release.recalled", seen by ReadReleases;
    TargetSet = "target.set", seen by ReadRollups;
    UnitCreated = "unit.created", seen by ReadUnits;
    UnitsImported = "units.imported", seen by ReadLevels;
    ReorganisationMade = "reorganisation.made", seen by Reorganise;
    ReorganisationUndone = "reorganisation.undone", seen by Reorganise;
    LevelPut = "level.put", seen by ReadLevels;
    IndicatorPut = "indicator.put", seen by ReadCatalogue;
    FormPut = "form.put", seen by ReadCatalogue;
    HolidaysChanged = "holidays.changed", seen by ReadCatalogue;
    TenantCreated = "tenant.created", seen by ManageAccounts;
    TotalsRebuilt = "totals.rebuilt", seen by ReadCatalogue;
    AccountCreated = "account.created", seen by ManageAccounts;
    AccountChanged = "account.changed", seen by ManageAccounts;
    AccountInvited = "account.invited", seen by ManageAccounts;
    AccountActivated = "account.activated", seen by ManageAccounts;
    AccountDisabled = "account.disabled", seen by ManageAccounts;
    AccountEnabled = "account.enabled", seen by ManageAccounts;
    AccountHandedOver = "account.handed_over", seen by ManageAccounts;
    GrantGiven = "grant.given", seen by ManageAccounts;
    GrantEnded = "grant.ended", seen by ManageAccounts;
    PasswordChanged = "password.changed", seen by ManageAccounts;
    SessionEnded = "session.ended", seen by ManageAccounts;
    KeyCreated = "key.created", seen by ManageAccounts;
    KeyDeleted = "key.deleted", seen by ManageAccounts;
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ChangeKind {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<ChangeKind, InvalidName> {
        let mut all = ChangeKind::ALL.iter();
        all.find(|kind| kind.as_str() == text)
            .copied()
            .ok_or(InvalidName("kind of change"))
    }
}

/// One thing that a commit did. Fields that say nothing about it are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeItem {
    pub kind: ChangeKind,
    /// The day whose map tells where the unit was; absent: that of the commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// The last period, of subtree reporting; absent until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_period: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
    /// Further units at which it is seen: those of an account with duties at several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_units: Vec<UnitId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<i32>,
    /// The number of the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<i32>,
    /// The hash of the copy, of a release that was sent: in the history, which is chained, a copy that
    /// was changed together with its own hash is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indicator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The calendar year, of holidays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reorganisation: Option<String>,
    /// The number of units, of an import.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl ChangeItem {
    /// Makes an item that says only what happened.
    pub fn new(kind: ChangeKind) -> ChangeItem {
        ChangeItem {
            kind,
            day: None,
            form: None,
            period: None,
            last_period: None,
            unit: None,
            further_units: Vec::new(),
            revision: None,
            release: None,
            copy: None,
            account: None,
            role: None,
            indicator: None,
            level: None,
            year: None,
            reorganisation: None,
            count: None,
        }
    }

    /// Makes an item on a unit's report of a period.
    pub fn of_report(kind: ChangeKind, period: &FormPeriod<'_>, unit: UnitId) -> ChangeItem {
        ChangeItem {
            day: Some(period.range.to),
            form: Some(period.form.code.to_string()),
            period: Some(period.period.to_string()),
            unit: Some(unit),
            ..ChangeItem::new(kind)
        }
    }

    /// Makes an item on an account; its duties are at `units`.
    pub fn of_account(
        kind: ChangeKind,
        account: AccountId,
        units: impl IntoIterator<Item = UnitId>,
    ) -> ChangeItem {
        let mut units = units.into_iter();
        ChangeItem {
            account: Some(account),
            unit: units.next(),
            further_units: units.collect(),
            ..ChangeItem::new(kind)
        }
    }

    /// Returns all units at which it is seen.
    pub fn units(&self) -> impl Iterator<Item = UnitId> {
        self.unit
            .into_iter()
            .chain(self.further_units.iter().copied())
    }

    /// Names the account that did it.
    #[must_use]
    pub fn by(self, permit: &Permit) -> AuthoredItem {
        AuthoredItem {
            item: self,
            by: Author::Account(permit.account()),
        }
    }

    /// Names the operator, who has no account.
    #[must_use]
    pub fn by_operator(self) -> AuthoredItem {
        AuthoredItem {
            item: self,
            by: Author::Operator,
        }
    }
}

/// The party that did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// An account: of a person, or of a program with a key.
    Account(AccountId),
    /// The operator, at the command line.
    Operator,
}

/// An item and who did it. Only a permit or the operator's door makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthoredItem {
    pub item: ChangeItem,
    pub by: Author,
}

/// Adds the row of the commit `rev` in its transaction.
///
/// # Errors
/// Those of the store.
pub(in crate::service) fn record(
    transaction: &mut Transaction<'_>,
    tenant: TenantId,
    rev: i64,
    now: DateTime<Utc>,
    items: &[AuthoredItem],
) -> Result<(), StoreError> {
    let previous = last_change_hash(transaction)?;
    if previous.is_none() {
        changes_from_put(transaction, rev)?;
    }
    let previous = previous.unwrap_or(ChangeHash::BEFORE_FIRST);
    // As exactly as both databases store it.
    let at = now.naive_utc().trunc_subsecs(6);
    let items = serde_json::to_vec(items)
        .map_err(|error| StoreError::Corrupt(format!("items of a change: {error}")))?;
    let row = ChangeRow::following(previous, tenant, (rev, at), items);
    change_insert(transaction, &row)
}

/// Reads the items of a row.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn items_of(row: &ChangeRow) -> Result<Vec<AuthoredItem>, StoreError> {
    serde_json::from_slice(&row.items)
        .map_err(|error| StoreError::Corrupt(format!("items of the change {}: {error}", row.rev)))
}
