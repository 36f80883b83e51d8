//! Reasons for which a file cannot be read at all, with what to do about them.

use crate::error::{Code, Explain, Explanation, Message};
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
        }
    }

    fn message(self) -> Message {
        match self {
            Limit::Unpacked | Limit::Texts => message!("spreadsheet-too-large"),
            Limit::Cell => message!("spreadsheet-cell-too-long"),
            Limit::Cells => message!("spreadsheet-too-many-cells", most = self.most()),
            Limit::Columns => message!("spreadsheet-too-many-columns", most = self.most()),
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
            SpreadsheetFault::TooLarge(limit) => {
                Explanation::new(Code::BodyTooLarge, limit.message())
            }
            SpreadsheetFault::Io(_) => Explanation::internal(),
        }
    }
}
