//! Reasons for which a file cannot be read at all, with what to do about them.

use crate::domain::text::clipped;
use crate::error::{Code, Explain, Explanation, Message};
use crate::locale::Quoted;
use crate::message;

/// A reason for which a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SpreadsheetFault {
    /// Neither XLSX nor text, or a damaged file.
    #[error("the file is no spreadsheet, or damaged")]
    Unreadable,
    /// The format of Excel before 2007, or a workbook with a password: both are the same container.
    #[error("the file is in the format of before 2007, or has a password")]
    OldOrLocked,
    /// The format of OpenDocument.
    #[error("the file is an OpenDocument spreadsheet")]
    OpenDocument,
    /// A text in another encoding than UTF-8 and UTF-16; the first line of which this is known.
    #[error("line {line} is not UTF-8")]
    Encoding { line: u64 },
    /// A table was looked for, and two sheets have cells.
    #[error("both {first} and {second} have cells")]
    SeveralSheets { first: String, second: String },
    /// A table was looked for, and cells of it are merged.
    #[error("the cells from {place} on are merged")]
    Merged { place: String },
    /// A table was looked for, and a cell shows an error or no value.
    #[error("the cell {place} has no value")]
    NoValue { place: String },
    #[error("the file is beyond {0:?}")]
    TooLarge(Limit),
    /// The file's bytes cannot be had.
    #[error(transparent)]
    Io(std::io::Error),
}

/// A limit of what is read of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The bytes of a part of a workbook once it is unpacked.
    Unpacked,
    /// The texts that cells share.
    Texts,
    /// The bytes of one cell, or of one line of a CSV file.
    Cell,
    /// The cells that are not empty.
    Cells,
    /// The columns.
    Columns,
    /// The rows of a sheet with one table: more than a country has units.
    Rows,
}

impl Limit {
    /// The largest value that is taken.
    pub const fn most(self) -> usize {
        match self {
            Limit::Unpacked => 256 << 20,
            Limit::Texts => 32 << 20,
            Limit::Cell => 1 << 20,
            Limit::Cells => 2_000_000,
            Limit::Columns => 16_384,
            Limit::Rows => 100_000,
        }
    }

    fn message(self) -> Message {
        match self {
            Limit::Unpacked | Limit::Texts => message!("spreadsheet-too-large"),
            Limit::Cell => message!("spreadsheet-cell-too-long"),
            Limit::Cells => message!("spreadsheet-too-many-cells", most = self.most()),
            Limit::Columns => message!("spreadsheet-too-many-columns", most = self.most()),
            Limit::Rows => message!("spreadsheet-too-many-rows", most = self.most()),
        }
    }
}

impl Explain for SpreadsheetFault {
    fn explain(&self) -> Explanation {
        let invalid = |message| Explanation::new(Code::MalformedSpreadsheet, message);
        match self {
            SpreadsheetFault::Unreadable => invalid(message!("spreadsheet-unreadable")),
            SpreadsheetFault::OldOrLocked => invalid(message!("spreadsheet-old-or-locked")),
            SpreadsheetFault::OpenDocument => invalid(message!("spreadsheet-open-document")),
            SpreadsheetFault::Encoding { line } => invalid(message!("spreadsheet-encoding", line)),
            SpreadsheetFault::SeveralSheets { first, second } => {
                let (first, second) = (clipped(first), clipped(second));
                let (first, second) = (Quoted(&first), Quoted(&second));
                invalid(message!("spreadsheet-several-sheets", first, second))
            }
            SpreadsheetFault::Merged { place } => invalid(message!("spreadsheet-merged", place)),
            SpreadsheetFault::NoValue { place } => invalid(message!("spreadsheet-no-value", place)),
            SpreadsheetFault::TooLarge(limit) => {
                Explanation::new(Code::BodyTooLarge, limit.message())
            }
            SpreadsheetFault::Io(_) => Explanation::internal(),
        }
    }
}
