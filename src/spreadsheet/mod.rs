//! Files of spreadsheet programs: XLSX and CSV, read into rows of cells with their places. Knows
//! files and cells, never tenants, units or indicators, and never what a cell means.
//!
//! Files are read as a stream, a row at a time, and within limits ([`fault::Limit`]): what a reader
//! holds depends on its file's size and not on the claims in it. XLSX is read here and not by the
//! usual library (calamine): that one reserves memory for as many texts as a file claims to have, and
//! tells the format of a cell and its formula in two passes. Hidden rows and columns are read as any
//! others. Macros are never read.

mod cell;
mod delimited;
mod fault;
mod number_format;
mod table;
mod xlsx;

pub use self::cell::{Cell, Column, Content, Row};
pub use self::delimited::DelimitedRows;
pub use self::fault::{Limit, SpreadsheetFault};
pub use self::table::{TableFile, TableRows};
pub use self::xlsx::{Region, Sheet, SheetRows, SheetVisibility, Workbook, begins_as_workbook};
