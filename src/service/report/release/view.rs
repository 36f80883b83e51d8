//! Releases as answers show them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::content::{ReleaseContent, SealedContent};
use super::drift::{AgainstView, DriftView};
use crate::domain::receipt::ReceiptNumber;
use crate::domain::release::{ReleaseStatus, ReleaseStep};
use crate::service::application::locate::Located;
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::people::account_name::AccountName;
use crate::store::StoreError;
use crate::store::release::{ContentLabel, Release, StepRecord};

/// A release without what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReleaseSummary {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    /// Counts what the unit sent on the form for the period, from 1.
    #[schema(example = 1)]
    pub number: i32,
    pub status: ReleaseStatus,
    pub sent_at: DateTime<Utc>,
    /// The number of the paper; null if there is none.
    #[schema(example = "25/BC-MTTQ-BTT")]
    pub document_number: Option<String>,
    /// The SHA-256 of the `canonical` text that `get_release` shows, in hexadecimal.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub hash: String,
    /// The tenant's rev of the last step.
    pub rev: i64,
    /// The number of the last step's receipt (biên nhận), for `get_receipt`.
    #[schema(example = "1042")]
    pub receipt: String,
}

impl ReleaseSummary {
    pub(super) fn of(
        located: &Located<'_>,
        release: &Release,
        label: &ContentLabel,
    ) -> ReleaseSummary {
        ReleaseSummary {
            form: located.form().code.to_string(),
            period: PeriodName::of(&located.in_force.period),
            unit: UnitName::of(located.place()),
            number: release.number.get(),
            status: release.status,
            sent_at: release.sent_at.and_utc(),
            document_number: label.document_number.clone(),
            hash: label.hash.to_string(),
            rev: release.rev,
            receipt: receipt_of(release.rev),
        }
    }
}

/// A release with what it says, what became of it, and what has changed since.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReleaseView {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    /// Counts what the unit sent on the form for the period, from 1.
    #[schema(example = 1)]
    pub number: i32,
    pub status: ReleaseStatus,
    pub sent_at: DateTime<Utc>,
    /// The number of the paper; null if there is none.
    #[schema(example = "25/BC-MTTQ-BTT")]
    pub document_number: Option<String>,
    /// The SHA-256 of the UTF-8 bytes of `canonical`, in hexadecimal.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub hash: String,
    /// The tenant's rev of the last step.
    pub rev: i64,
    /// The number of the last step's receipt (biên nhận), for `get_receipt`.
    #[schema(example = "1042")]
    pub receipt: String,
    /// The steps that were taken with it, in order.
    pub steps: Vec<ReleaseStepView>,
    /// The report as it was sent. A release of an earlier version of the service may lack fields that
    /// were added later.
    #[schema(value_type = ReleaseContent)]
    pub content: Value,
    /// The same as one line of JSON, byte for byte as it was sent. `hash` is over this text.
    pub canonical: String,
    /// The changes in the unit's report since it was sent. Null for a reader who may read the
    /// release but not the unit's present figures, and for a unit that is no longer on the period's
    /// map.
    pub drift: Option<DriftView>,
    /// The differences from the release that `against` names; null if none was named.
    pub against: Option<AgainstView>,
}

impl ReleaseView {
    pub(super) fn new(
        summary: ReleaseSummary,
        steps: Vec<ReleaseStepView>,
        sealed: SealedContent,
        drift: Option<DriftView>,
        against: Option<AgainstView>,
    ) -> Result<ReleaseView, StoreError> {
        let content = serde_json::from_str(&sealed.text);
        let content =
            content.map_err(|error| StoreError::Corrupt(format!("a release: {error}")))?;
        Ok(ReleaseView {
            form: summary.form,
            period: summary.period,
            unit: summary.unit,
            number: summary.number,
            status: summary.status,
            sent_at: summary.sent_at,
            document_number: summary.document_number,
            hash: sealed.hash.to_string(),
            rev: summary.rev,
            receipt: summary.receipt,
            steps,
            content,
            canonical: sealed.text,
            drift,
            against,
        })
    }
}

/// One step of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReleaseStepView {
    pub step: ReleaseStep,
    pub by: AccountName,
    pub at: DateTime<Utc>,
    /// The number of the step's receipt (biên nhận), for `get_receipt`.
    #[schema(example = "1042")]
    pub receipt: String,
    /// Why it was returned; null for other steps.
    pub reason: Option<String>,
}

impl ReleaseStepView {
    pub(super) fn new(record: StepRecord, by: AccountName) -> ReleaseStepView {
        ReleaseStepView {
            step: record.kind,
            by,
            at: record.at.and_utc(),
            receipt: receipt_of(record.rev),
            reason: record.reason,
        }
    }
}

/// Returns the number of the receipt of a step, which is all that its commit did.
fn receipt_of(rev: i64) -> String {
    ReceiptNumber::of_only(rev).to_string()
}
