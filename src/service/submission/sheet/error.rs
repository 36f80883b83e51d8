//! The reasons for which there is no sheet, and their sentences.

use crate::authz::Denied;
use crate::domain::naming::Named;
use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::service::application::locate::NotFound;
use crate::service::submission::SubmissionError;
use crate::store::StoreError;

/// The errors of making a sheet.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The unit is not asked.
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    #[error("the form asks neither {} nor a unit below it", .unit)]
    NobodyAsked { unit: String, form: Named },
    #[error("more than {} rows", super::layout::MOST_ROWS)]
    TooManyRows { unit: String },
    #[error(transparent)]
    Unwritten(#[from] rust_xlsxwriter::XlsxError),
}

impl Explain for SheetError {
    fn explain(&self) -> Explanation {
        match self {
            SheetError::NotFound(held) => held.explain(),
            SheetError::Denied(held) => held.explain(),
            SheetError::Store(held) => held.explain(),
            SheetError::Submission(held) => held.explain(),
            SheetError::NobodyAsked { unit, form } => Explanation::new(
                Code::UnitDoesNotSubmit,
                message!("sheet-nobody-asked", unit, form),
            ),
            SheetError::TooManyRows { unit } => {
                let most = super::layout::MOST_ROWS;
                Explanation::new(
                    Code::InvalidValue,
                    message!("sheet-too-many-rows", unit, most),
                )
            }
            SheetError::Unwritten(_) => Explanation::internal(),
        }
    }
}
