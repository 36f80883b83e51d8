//! The figures of a copy, for its receipts.

use serde::Deserialize;
use serde_json::Number;

use super::content::SealedContent;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::release::ReleaseNumber;
use crate::domain::submission::SubmissionKey;
use crate::store::release::ContentHash;
use crate::store::{StoreError, Transaction};

/// The copy of a report that was sent, as far as a receipt tells it.
pub(in crate::service) struct Copied {
    pub hash: ContentHash,
    pub figures: Vec<CopiedFigure>,
}

/// A figure that was sent.
pub(in crate::service) struct CopiedFigure {
    pub indicator: String,
    pub option: Option<String>,
    pub value: Decimal,
    pub qualifier: Qualifier,
}

/// The cells in the text of a copy.
#[derive(Deserialize)]
struct Cells {
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    indicator: String,
    option: Option<String>,
    value: Option<Number>,
    qualifier: Qualifier,
}

impl Copied {
    /// Reads the figures that were sent. Those without a value are left out.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the copy is not what was sent.
    pub fn read(
        transaction: &mut Transaction<'_>,
        report: SubmissionKey,
        number: ReleaseNumber,
    ) -> Result<Copied, StoreError> {
        let sealed = SealedContent::read(transaction, report, number)?;
        let read = serde_json::from_str(&sealed.text);
        let Cells { cells } =
            read.map_err(|error| StoreError::Corrupt(format!("the text of a release: {error}")))?;
        let figures = cells.into_iter().filter_map(|cell| {
            Some(CopiedFigure {
                value: Decimal::of_document(&cell.value?),
                indicator: cell.indicator,
                option: cell.option,
                qualifier: cell.qualifier,
            })
        });
        Ok(Copied {
            hash: sealed.hash,
            figures: figures.collect(),
        })
    }
}
