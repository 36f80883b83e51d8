//! Reads CSV tables: their rows, each with the line on which a spreadsheet shows it. Does not
//! interpret them.
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
use crate::spreadsheet::{Column, Content, DelimitedRows, Row};

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
    let (rows, wrong): (Vec<_>, Vec<_>) = read_table(csv, columns).into_iter().partition_result();
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
    let mut reader = match DelimitedRows::open(csv.as_bytes()) {
        Ok(reader) => reader,
        Err(_) => return vec![Err(unreadable(0, 1))],
    };
    let (line, heading) = match reader.next_row() {
        Ok(Some(row)) => (row.number, Heading::of(&row)),
        Ok(None) => return Vec::new(),
        Err(_) => return vec![Err(unreadable(0, 1))],
    };
    let missing = heading.missing(columns);
    if !missing.is_empty() {
        return vec![Err(WrongColumns {
            index: 0,
            line,
            missing,
        })];
    }
    let mut rows = Vec::new();
    let mut line = line;
    // Stop after as many wrong rows as an answer reports.
    let mut wrong = 0;
    while wrong < MOST_FAULTS {
        let index = rows.len();
        let row = match reader.next_row() {
            Ok(Some(row)) => {
                line = row.number;
                heading.listed(index, &row, reader.width())
            }
            Ok(None) => break,
            Err(_) => {
                rows.push(Err(unreadable(index, line + 1)));
                break;
            }
        };
        wrong += usize::from(row.is_err());
        rows.push(row);
    }
    rows
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
        let named = named.map(|cell| (cell.column, cell.content.shown().to_lowercase()));
        let (places, names): (Vec<Column>, Vec<String>) = named.unzip();
        Heading {
            names: StringRecord::from(names),
            places,
        }
    }

    /// Returns those of the columns that the heading lacks.
    fn missing(&self, columns: &[&str]) -> Vec<String> {
        let lacks = |column: &&&str| self.names.iter().all(|name| name != **column);
        let missing = columns.iter().filter(lacks);
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
