//! Files that hold one table: CSV, or a workbook of which one sheet has cells. Never what a column
//! means.

use std::io::Cursor;

use zip::read::ZipFile;

use super::cell::{Cell, Column, Content, Row};
use super::delimited::DelimitedRows;
use super::fault::{Limit, SpreadsheetFault};
use super::xlsx::{Sheet, SheetRows, SheetVisibility, Workbook, begins_as_workbook};

/// A file that holds one table.
pub enum TableFile<'f> {
    Delimited(&'f [u8]),
    /// A workbook, and its sheet that has cells.
    Workbook(Workbook<Cursor<&'f [u8]>>, Option<Sheet>),
}

impl<'f> TableFile<'f> {
    /// Opens a file by what it begins with.
    ///
    /// # Errors
    /// [`SpreadsheetFault`].
    pub fn open(file: &'f [u8]) -> Result<TableFile<'f>, SpreadsheetFault> {
        if begins_as_workbook(file) {
            let mut workbook = Workbook::open(Cursor::new(file))?;
            let sheet = only_sheet(&mut workbook)?;
            return Ok(TableFile::Workbook(workbook, sheet));
        }
        Ok(TableFile::Delimited(file))
    }

    /// The rows of the table.
    ///
    /// # Errors
    /// [`SpreadsheetFault`].
    pub fn rows(&mut self) -> Result<TableRows<'_, 'f>, SpreadsheetFault> {
        let source = match self {
            TableFile::Delimited(file) => Source::Delimited(DelimitedRows::open(*file)?),
            TableFile::Workbook(workbook, Some(sheet)) => {
                let (rows, passed) = (workbook.rows(sheet)?, 0);
                Source::Sheet { rows, passed }
            }
            TableFile::Workbook(_, None) => Source::Nothing,
        };
        Ok(TableRows { source })
    }
}

/// Finds the one shown sheet that has cells.
fn only_sheet(workbook: &mut Workbook<Cursor<&[u8]>>) -> Result<Option<Sheet>, SpreadsheetFault> {
    let sheets = workbook.sheets().to_vec();
    let mut found: Option<Sheet> = None;
    for sheet in sheets {
        let is_shown = sheet.visibility == SheetVisibility::Shown;
        if !is_shown || workbook.rows(&sheet)?.next_row()?.is_none() {
            continue;
        }
        match found {
            Some(first) => {
                return Err(SpreadsheetFault::SeveralSheets {
                    first: first.name,
                    second: sheet.name,
                });
            }
            None => found = Some(sheet),
        }
    }
    Ok(found)
}

/// The rows of a table that have a cell with something in it, one after the other.
pub struct TableRows<'t, 'f> {
    source: Source<'t, 'f>,
}

enum Source<'t, 'f> {
    Delimited(DelimitedRows<&'f [u8]>),
    Sheet {
        rows: SheetRows<'t, ZipFile<'t, Cursor<&'f [u8]>>>,
        /// How many rows were read.
        passed: usize,
    },
    Nothing,
}

impl TableRows<'_, '_> {
    /// The next row with something in it. The texts of its cells have no spaces around them.
    ///
    /// # Errors
    /// [`SpreadsheetFault`].
    pub fn next_row(&mut self) -> Result<Option<Row>, SpreadsheetFault> {
        match &mut self.source {
            Source::Delimited(rows) => rows.next_row(),
            Source::Sheet { rows, passed } => {
                *passed += 1;
                match *passed > Limit::Rows.most() {
                    true => Err(SpreadsheetFault::TooLarge(Limit::Rows)),
                    false => next_of_sheet(rows),
                }
            }
            Source::Nothing => Ok(None),
        }
    }

    /// How many cells the row that was read last has, with the empty ones. The rows of a sheet have
    /// them all.
    pub fn width(&self) -> usize {
        match &self.source {
            Source::Delimited(rows) => rows.width(),
            Source::Sheet { .. } | Source::Nothing => Column::MOST.into(),
        }
    }
}

fn next_of_sheet<R: std::io::Read>(
    rows: &mut SheetRows<'_, R>,
) -> Result<Option<Row>, SpreadsheetFault> {
    while let Some(row) = rows.next_row()? {
        let mut cells = Vec::with_capacity(row.cells.len());
        for cell in row.cells {
            cells.extend(with_value(cell, row.number)?);
        }
        if !cells.is_empty() {
            let number = row.number;
            return Ok(Some(Row { number, cells }));
        }
    }
    match rows.merged().first() {
        Some(region) => Err(SpreadsheetFault::Merged {
            place: format!("{}{}", region.first_column, region.first_row),
        }),
        None => Ok(None),
    }
}

/// Returns the cell as the text that it shows; nothing if that is empty.
fn with_value(cell: Cell, row: u64) -> Result<Option<Cell>, SpreadsheetFault> {
    let column = cell.column;
    if !has_value(&cell.content) {
        let place = format!("{column}{row}");
        return Err(SpreadsheetFault::NoValue { place });
    }
    let text = cell.content.shown().trim().to_owned();
    let content = Content::Text(text);
    Ok((content != Content::Text(String::new())).then_some(Cell { column, content }))
}

fn has_value(content: &Content) -> bool {
    match content {
        Content::Error(_) | Content::Formula(None) => false,
        Content::Formula(Some(value)) => has_value(value),
        Content::Text(_)
        | Content::Number(_)
        | Content::LongNumber(_)
        | Content::Percent(_)
        | Content::Date(_)
        | Content::Boolean(_) => true,
    }
}
