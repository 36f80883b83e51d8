//! Tables that come as CSV: their rows, each with the line on which a spreadsheet shows it. Never
//! what the rows mean.

use std::ops::Range;

use serde::de::DeserializeOwned;

use crate::error::MOST_FAULTS;

/// A row and its line; the heading is line 1.
pub(super) struct Listed<R> {
    pub line: u64,
    pub row: R,
}

/// A line whose columns are not those of the heading that is expected.
pub(super) struct WrongColumns {
    pub line: u64,
}

/// All rows below the heading, which must have `columns`: without them nothing of a table makes
/// sense, and only the heading is told.
pub(super) fn read_table<R: DeserializeOwned>(
    csv: &str,
    columns: &[&str],
) -> Vec<Result<Listed<R>, WrongColumns>> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(csv.as_bytes());
    let heading = reader.headers().cloned().unwrap_or_default();
    let has = |column: &&str| heading.iter().any(|found| found == *column);
    if !heading.is_empty() && !columns.iter().all(has) {
        return vec![Err(WrongColumns { line: 1 })];
    }
    let mut lines = Lines::new(csv);
    lines.pass(&heading);
    let rows = reader.records().map(|record| {
        // What is text already can be read.
        let record = record.unwrap_or_default();
        let line = lines.pass(&record);
        let row = Some(&record).filter(|record| record.len() == heading.len());
        let row = row.and_then(|record| record.deserialize(Some(&heading)).ok());
        row.map(|row| Listed { line, row })
            .ok_or(WrongColumns { line })
    });
    // With as many wrong rows as anybody reads a table is read no further.
    let mut wrong = 0;
    let rows = rows.take_while(|row| {
        let goes_on = wrong < MOST_FAULTS;
        wrong += usize::from(row.is_err());
        goes_on
    });
    rows.collect()
}

/// Counts lines as a spreadsheet does: empty ones too, and a row whose cells have several lines as
/// one.
struct Lines<'c> {
    csv: &'c [u8],
    /// Up to here line breaks are counted.
    byte: usize,
    breaks: u64,
    breaks_in_cells: u64,
}

impl Lines<'_> {
    fn new(csv: &str) -> Lines<'_> {
        Lines {
            csv: csv.as_bytes(),
            byte: 0,
            breaks: 0,
            breaks_in_cells: 0,
        }
    }

    /// The line of the next record.
    fn pass(&mut self, record: &csv::StringRecord) -> u64 {
        let position = record.position().map_or(0, csv::Position::byte);
        let position = usize::try_from(position).unwrap_or(self.csv.len());
        // Empty lines before a record are passed over with it.
        let rest = self.csv.get(position..).unwrap_or_default();
        let empty = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let start = position + empty.count();
        self.breaks += self.breaks_in(self.byte..start);
        self.byte = start;
        let line = 1 + self.breaks - self.breaks_in_cells;
        let in_cells = record.as_slice().bytes().filter(|byte| *byte == b'\n');
        self.breaks_in_cells += u64::try_from(in_cells.count()).unwrap_or(0);
        line
    }

    fn breaks_in(&self, range: Range<usize>) -> u64 {
        let bytes = self.csv.get(range).unwrap_or_default();
        let breaks = bytes.iter().filter(|byte| **byte == b'\n').count();
        u64::try_from(breaks).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_as_a_spreadsheet_counts_them() {
        let csv = "\u{feff}a,b\r\n1,x\r\n\r\n2,\"one\r\ncell\"\r\n3,x\r\n4\r\n\r\n5,x\r\n";
        let lines = read_table::<(u8, String)>(csv, &["a", "b"]).into_iter();
        let lines: Vec<String> = lines
            .map(|row| match row {
                Ok(listed) => format!("{} {}", listed.line, listed.row.0),
                Err(wrong) => format!("{} wrong", wrong.line),
            })
            .collect();
        assert_eq!(lines, ["2 1", "4 2", "5 3", "6 wrong", "8 5"]);
    }

    #[test]
    fn a_table_that_is_wrong_everywhere_is_not_read_to_its_end() {
        let csv = format!("a,b\n{}", "x\n".repeat(9000));
        let rows = read_table::<(u8, String)>(&csv, &["a", "b"]);
        assert_eq!(rows.len(), MOST_FAULTS);
    }
}
