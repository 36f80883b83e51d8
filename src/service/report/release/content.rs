//! The copy that a release keeps: what it says, and its exact text, which is hashed.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::domain::release::{Lack, ReleaseNumber};
use crate::domain::submission::{Passage, SubmissionKey};
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::application::packed::{packed, unpacked};
use crate::service::report::map::MapView;
use crate::service::totals::cell::{CellView, Counts};
use crate::store::release::{ContentHash, content_get, content_labels};
use crate::store::{StoreError, Transaction};

/// A report as it was sent. It never changes.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReleaseContent {
    pub form: String,
    pub period: PeriodName,
    /// The unit with its name of then.
    pub unit: UnitName,
    /// The unit above, to which it was sent; null for a unit that has none above it.
    pub to: Option<UnitName>,
    pub number: i32,
    pub sent_at: DateTime<Utc>,
    /// The tenant's rev at which the figures had last changed.
    pub rev: i64,
    /// The paper that goes with it; null if there is none.
    pub document: Option<DocumentView>,
    pub signer: Option<SignerView>,
    /// The offices and people to whom the paper goes (nơi nhận).
    #[schema(example = json!(["Ban Thường trực Ủy ban MTTQ cấp trên"]))]
    pub recipients: Vec<String>,
    /// The parts that were missing or not approved, each as the sender accepted it.
    pub accepted: Vec<AcceptedView>,
    pub completeness: Counts,
    pub map: MapView,
    /// The figures that `get_rollup` showed.
    pub cells: Vec<CellView>,
    /// The texts of the unit's own counting submission. Empty for a longer period.
    pub narrative: Vec<ReleasedPassage>,
}

/// The paper that goes with a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DocumentView {
    #[schema(example = "25/BC-MTTQ-BTT")]
    pub number: String,
    #[schema(example = "Tân An")]
    pub place: String,
    pub date: NaiveDate,
}

/// The person who signs a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SignerView {
    /// On whose behalf (TM., KT., TL.).
    #[schema(example = "TM. BAN THƯỜNG TRỰC")]
    pub capacity: String,
    #[schema(example = "CHỦ TỊCH")]
    pub office: String,
    #[schema(example = "Nguyễn Văn An")]
    pub name: String,
}

/// A part of a report that is not complete, and why it was sent so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AcceptedView {
    /// The unit itself, or a direct child with everything below it.
    pub unit: UnitName,
    /// The form whose submissions `counts` has: that of the report, or one that it takes figures from.
    #[schema(example = "mttq.annual")]
    pub form: String,
    pub lack: LackView,
    pub counts: Counts,
    pub reason: String,
}

/// The kind of what a part of a report lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LackView {
    /// Nothing counts of some expected submissions.
    Missing,
    /// Some submissions are not approved.
    Unapproved,
    /// The child has sent no report of its own that stands.
    NotSent,
    /// The child's report was sent and is not received yet.
    NotReceived,
}

impl From<Lack> for LackView {
    fn from(lack: Lack) -> LackView {
        match lack {
            Lack::Missing(_) => LackView::Missing,
            Lack::Unapproved(_) => LackView::Unapproved,
            Lack::NotSent => LackView::NotSent,
            Lack::NotReceived => LackView::NotReceived,
        }
    }
}

/// One passage of the narrative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReleasedPassage {
    /// The number of the heading in the form's outline.
    pub section: String,
    pub text: String,
}

impl From<Passage> for ReleasedPassage {
    fn from(passage: Passage) -> ReleasedPassage {
        ReleasedPassage {
            section: passage.section.to_string(),
            text: passage.text,
        }
    }
}

/// The text of a copy, and its hash.
pub(super) struct SealedContent {
    /// One line of JSON.
    pub text: String,
    pub hash: ContentHash,
}

impl SealedContent {
    /// # Errors
    /// None in practice; the encoder's type allows one.
    pub fn of(content: &ReleaseContent) -> Result<SealedContent, StoreError> {
        let text = serde_json::to_string(content)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let hash = ContentHash::of(&text);
        Ok(SealedContent { text, hash })
    }

    /// Reads the copy of a release. Refuses one whose text is not the one that was sent.
    pub fn read(
        transaction: &mut Transaction<'_>,
        report: SubmissionKey,
        number: ReleaseNumber,
    ) -> Result<SealedContent, StoreError> {
        let labels = content_labels(transaction, report, &[number])?;
        let kept = content_get(transaction, report, number)?;
        let (Some(label), Some(kept)) = (labels.get(&number), kept) else {
            return Err(corrupt(number, "no content"));
        };
        SealedContent::opened(number, label.hash, &kept)
    }

    /// Unpacks a copy. Refuses one whose text is not the one that was sent.
    pub fn opened(
        number: ReleaseNumber,
        hash: ContentHash,
        kept: &[u8],
    ) -> Result<SealedContent, StoreError> {
        let text = String::from_utf8(unpacked(kept, "a release")?);
        let text = text.map_err(|_| corrupt(number, "no text"))?;
        match ContentHash::of(&text) == hash {
            true => Ok(SealedContent { text, hash }),
            false => Err(corrupt(number, "its content is not what was sent")),
        }
    }

    pub fn packed(&self) -> Vec<u8> {
        packed(self.text.as_bytes())
    }
}

fn corrupt(number: ReleaseNumber, what: &str) -> StoreError {
    StoreError::Corrupt(format!("release {number:?}: {what}"))
}
