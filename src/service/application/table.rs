//! Reads tables: their rows, each with the line on which a spreadsheet shows it. Does not interpret
//! them.
//!
//! Spreadsheets leave empty rows, columns without a heading, and semicolons or tabs where commas
//! are decimal marks (`spreadsheet/delimited.rs`). All tables accept these.

use std::collections::HashMap;

use csv::StringRecord;
use itertools::Itertools;
use serde::de::DeserializeOwned;

use crate::error::{Code, Fault, MOST_FAULTS, Message};
use crate::message;
use crate::path;
use crate::spreadsheet::{Column, Content, Row, SpreadsheetFault, TableFile, TableRows};

/// A row and its line; the first line of the file is line 1.
pub(in crate::service) struct Listed<R> {
    /// The number of the row among all, from 0.
    pub index: usize,
    pub line: u64,
    pub row: R,
}

/// A line whose columns differ from the expected heading.
pub(in crate::service) struct WrongColumns {
    /// The number of the row among all, from 0.
    pub index: usize,
    pub line: u64,
    /// The columns that the line lacks. If there are none, it has others than the heading.
    pub missing: Vec<String>,
}

impl WrongColumns {
    /// Returns the fault of a list of units or people. `otherwise` is told where nothing is missing.
    fn fault(self, otherwise: impl FnOnce(u64) -> Message) -> Fault {
        let WrongColumns {
            index,
            line,
            missing,
        } = self;
        let message = match missing.as_slice() {
            [] => otherwise(line),
            missing => message!("table-missing-columns", line, columns = missing.join(", ")),
        };
        Fault::in_body(path![index], Code::MalformedCsv, message)
    }
}

/// Reads a list of units or people: its rows, and the faults of those that cannot be read. `otherwise`
/// is told of a row that lacks no column, `empty` of a list without rows.
pub(in crate::service) fn read_list<R: DeserializeOwned>(
    csv: &str,
    columns: &[&str],
    otherwise: impl Fn(u64) -> Message,
    empty: impl FnOnce() -> Message,
) -> (Vec<Listed<R>>, Vec<Fault>) {
    list_of(read_table(csv, columns), otherwise, empty)
}

/// Parts the rows that were read of a list from the faults of those that cannot be.
pub(in crate::service) fn list_of<R>(
    rows: Vec<Result<Listed<R>, WrongColumns>>,
    otherwise: impl Fn(u64) -> Message,
    empty: impl FnOnce() -> Message,
) -> (Vec<Listed<R>>, Vec<Fault>) {
    let (rows, wrong): (Vec<_>, Vec<_>) = rows.into_iter().partition_result();
    let faults = wrong.into_iter().map(|wrong| wrong.fault(&otherwise));
    let mut faults: Vec<Fault> = faults.collect();
    if rows.is_empty() && faults.is_empty() {
        faults.push(Fault::in_body(path![], Code::MalformedCsv, empty()));
    }
    (rows, faults)
}

/// Puts the faults of a list into the order of its rows, each with its line. Those of rows that cannot
/// be read have theirs already.
pub(in crate::service) fn in_order_of_list(
    faults: Vec<Fault>,
    lines: &HashMap<usize, u64>,
    unreadable: impl IntoIterator<Item = Fault>,
) -> Vec<Fault> {
    let faults = faults.into_iter().map(|fault| fault.at_line_of(lines));
    let mut faults: Vec<Fault> = faults.chain(unreadable).collect();
    faults.sort_by_key(Fault::row);
    faults
}

/// Reads all rows below the heading, which must have `columns`, in upper or lower case; if it does
/// not, only that is reported. Composes cells, as all texts are (Unicode's form C). Reads no further
/// than a row that no spreadsheet could hold, which is wrong.
pub(in crate::service) fn read_table<R: DeserializeOwned>(
    csv: &str,
    columns: &[&str],
) -> Vec<Result<Listed<R>, WrongColumns>> {
    let mut file = TableFile::Delimited(csv.as_bytes());
    let table = match file.rows().and_then(Table::begin) {
        Ok(Some(table)) => table,
        Ok(None) => return Vec::new(),
        Err(_) => return vec![Err(unreadable(0, 1))],
    };
    let (mut line, mut rows) = (table.line, Vec::new());
    let read = table.read(columns, |row| {
        line = match &row {
            Ok(listed) => listed.line,
            Err(wrong) => wrong.line,
        };
        rows.push(row);
    });
    if read.is_err() {
        rows.push(Err(unreadable(rows.len(), line + 1)));
    }
    rows
}

/// A table whose heading was read.
pub(in crate::service) struct Table<'t, 'f> {
    /// The line of the heading.
    line: u64,
    heading: Heading,
    rows: TableRows<'t, 'f>,
}

impl<'t, 'f> Table<'t, 'f> {
    /// Reads the heading; nothing if the table is empty.
    ///
    /// # Errors
    /// [`SpreadsheetFault`].
    pub(in crate::service) fn begin(
        mut rows: TableRows<'t, 'f>,
    ) -> Result<Option<Table<'t, 'f>>, SpreadsheetFault> {
        let row = rows.next_row()?;
        Ok(row.map(|row| Table {
            line: row.number,
            heading: Heading::of(&row),
            rows,
        }))
    }

    /// Tells whether the heading has a column, in upper or lower case.
    pub(in crate::service) fn has(&self, column: &str) -> bool {
        self.heading.has(column)
    }

    /// Gives each row to `take`. If the heading lacks one of `columns`, gives only that.
    ///
    /// # Errors
    /// [`SpreadsheetFault`], after the rows before it were given.
    pub(in crate::service) fn read<R: DeserializeOwned>(
        self,
        columns: &[&str],
        mut take: impl FnMut(Result<Listed<R>, WrongColumns>),
    ) -> Result<(), SpreadsheetFault> {
        let Table {
            line,
            heading,
            mut rows,
        } = self;
        let missing = heading.missing(columns);
        if !missing.is_empty() {
            take(Err(WrongColumns {
                index: 0,
                line,
                missing,
            }));
            return Ok(());
        }
        // Stop after as many wrong rows as an answer reports.
        let (mut index, mut wrong) = (0, 0);
        while wrong < MOST_FAULTS {
            let Some(row) = rows.next_row()? else {
                break;
            };
            let read = heading.listed(index, &row, rows.width());
            index += 1;
            wrong += usize::from(read.is_err());
            take(read);
        }
        Ok(())
    }
}

fn unreadable(index: usize, line: u64) -> WrongColumns {
    WrongColumns {
        index,
        line,
        missing: Vec::new(),
    }
}

/// The columns that have a name.
struct Heading {
    names: StringRecord,
    /// The cell of each named column in a row.
    places: Vec<Column>,
}

impl Heading {
    fn of(row: &Row) -> Heading {
        let named = row.cells.iter();
        let named = named.map(|cell| (cell.column, heading_text(&cell.content.shown())));
        let (places, names): (Vec<Column>, Vec<String>) = named.unzip();
        Heading {
            names: StringRecord::from(names),
            places,
        }
    }

    fn has(&self, column: &str) -> bool {
        let column = heading_text(column);
        self.names.iter().any(|name| name == column)
    }

    /// Returns those of the columns that the heading lacks.
    fn missing(&self, columns: &[&str]) -> Vec<String> {
        let missing = columns.iter().filter(|column| !self.has(column));
        missing.map(|column| (*column).to_owned()).collect()
    }

    /// Reads a row; `width` is the number of its cells with the empty ones.
    fn listed<R: DeserializeOwned>(
        &self,
        index: usize,
        row: &Row,
        width: usize,
    ) -> Result<Listed<R>, WrongColumns> {
        let line = row.number;
        let cells = self.cells(row, width);
        let read = cells.and_then(|cells| cells.deserialize(Some(&self.names)).ok());
        read.map(|row| Listed { index, line, row })
            .ok_or_else(|| WrongColumns {
                index,
                line,
                missing: self.beyond(width),
            })
    }

    /// Returns the columns that begin beyond the end of a row.
    fn beyond(&self, width: usize) -> Vec<String> {
        let columns = self.places.iter().zip(&self.names);
        let beyond = columns.filter(|(place, _)| usize::from(place.0) >= width);
        beyond.map(|(_, name)| name.to_owned()).collect()
    }

    /// Returns the cells of the named columns. `None` if one is missing, or a column without a name
    /// is not empty.
    fn cells(&self, row: &Row, width: usize) -> Option<StringRecord> {
        let mut others = row.cells.iter();
        if others.any(|cell| !self.places.contains(&cell.column)) {
            return None;
        }
        let cells = self.places.iter().map(|place| {
            let content = row.content(*place).map(Content::shown);
            (usize::from(place.0) < width).then(|| content.unwrap_or_default())
        });
        cells.collect()
    }
}

/// Returns the text by which columns are compared: in small letters, without strokes between words.
fn heading_text(shown: &str) -> String {
    let shown = shown.to_lowercase().replace('/', " ");
    shown.split_whitespace().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(csv: &str) -> Vec<String> {
        let rows = read_table::<(u8, String)>(csv, &["a", "b"]).into_iter();
        let rows = rows.map(|row| match row {
            Ok(listed) => format!("{} {}{}", listed.line, listed.row.0, listed.row.1),
            Err(wrong) if wrong.missing.is_empty() => format!("{} wrong", wrong.line),
            Err(wrong) => format!("{} lacks {}", wrong.line, wrong.missing.join(",")),
        });
        rows.collect()
    }

    #[test]
    fn lines_are_counted_as_a_spreadsheet_counts_them() {
        let csv = "\u{feff}a,b\r\n1,x\r\n\r\n2,\"one\r\ncell\"\r\n3,x\r\n4\r\n\r\n5,x\r\n";
        assert_eq!(
            read(csv),
            ["2 1x", "4 2one\ncell", "5 3x", "6 lacks b", "8 5x"]
        );
    }

    #[test]
    fn what_a_spreadsheet_leaves_is_passed_over() {
        assert_eq!(read("a,b,,,\n1,x,,,\n,,,,\n2,y\n, ,,\n"), ["2 1x", "4 2y"]);
        assert_eq!(read(",,\n\n,a,b\n,1,x\n,2,y\n"), ["4 1x", "5 2y"]);
        assert_eq!(
            read("a,,b\n1,,x\n2,!,y\n3,,z,!\n"),
            ["2 1x", "3 wrong", "4 wrong"]
        );
        assert_eq!(read(",,\n,,\n"), [""; 0]);
        assert_eq!(read("c,d\n1,x\n"), ["1 lacks a,b"]);
    }

    #[test]
    fn headings_may_have_capitals_and_what_is_missing_is_named() {
        assert_eq!(read("A;B\n1;x\n"), ["2 1x"]);
        assert_eq!(read("A,c\n1,x\n"), ["1 lacks b"]);
        assert_eq!(
            read("a,b\n1\n2,y\n3,x,z\n"),
            ["2 lacks b", "3 2y", "4 wrong"]
        );
    }

    #[test]
    fn semicolons_and_tabs_stand_between_cells_too() {
        for delimiter in [";", "\t"] {
            let csv = "\u{feff}a|\"b\"\n1|x, y\n||\n2|\"z\"\n".replace('|', delimiter);
            assert_eq!(read(&csv), ["2 1x, y", "4 2z"], "{delimiter:?}");
        }
    }

    #[test]
    fn a_table_that_is_wrong_everywhere_is_not_read_to_its_end() {
        let csv = format!("a,b\n{}", "x\n".repeat(9000));
        let rows = read_table::<(u8, String)>(&csv, &["a", "b"]);
        assert_eq!(rows.len(), MOST_FAULTS);
    }
}
