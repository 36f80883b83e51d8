//! Rows of CSV files as spreadsheet programs and other programs write them: with commas, semicolons or
//! tabs, in UTF-8 or UTF-16, with either end of lines, with `sep=` in the first line.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use csv::ByteRecord;
use encoding_rs_io::DecodeReaderBytesBuilder;

use super::cell::{Cell, Column, Content, Row};
use super::fault::{Limit, SpreadsheetFault};
use crate::domain::text::composed;

/// How many bytes are looked at to find the mark between cells.
const BEGINNING: u64 = 1 << 16;

/// The rows of a CSV file that have a cell with something in it, one after the other. Every cell is a
/// text, without the spaces around it.
pub struct DelimitedRows<R: Read> {
    records: csv::Reader<Plain<R>>,
    record: ByteRecord,
    /// The ends of lines inside of cells so far, which end no row.
    breaks_in_cells: u64,
}

impl<R: Read> DelimitedRows<R> {
    /// Opens a file: finds its encoding, and the mark between its cells from its first line with a
    /// letter.
    ///
    /// # Errors
    /// [`SpreadsheetFault`].
    pub fn open(file: R) -> Result<DelimitedRows<R>, SpreadsheetFault> {
        // UTF-16 tells itself by its byte order mark. Everything else goes through as it is, so that
        // wrong letters are found and not replaced.
        let mut decoded = DecodeReaderBytesBuilder::new()
            .utf8_passthru(true)
            .strip_bom(true)
            .build(file);
        let mut beginning = Vec::new();
        let read = decoded.by_ref().take(BEGINNING).read_to_end(&mut beginning);
        read.map_err(SpreadsheetFault::Io)?;
        if beginning.contains(&0) {
            return Err(SpreadsheetFault::Unreadable);
        }
        let delimiter = delimiter_of(&String::from_utf8_lossy(&beginning));
        let plain = Plain::new(Cursor::new(beginning).chain(decoded));
        let records = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .delimiter(delimiter)
            .from_reader(plain);
        Ok(DelimitedRows {
            records,
            record: ByteRecord::new(),
            breaks_in_cells: 0,
        })
    }

    /// The next row with something in it.
    ///
    /// # Errors
    /// [`SpreadsheetFault`].
    pub fn next_row(&mut self) -> Result<Option<Row>, SpreadsheetFault> {
        while self.read_record()? {
            let number = self.pass_lines();
            let cells = self.cells(number)?;
            let tells_its_mark = number == 1 && is_separator(&cells);
            if !cells.is_empty() && !tells_its_mark {
                return Ok(Some(Row { number, cells }));
            }
        }
        Ok(None)
    }

    /// How many cells the row that was read last has, with the empty ones.
    pub fn width(&self) -> usize {
        self.record.len()
    }

    fn read_record(&mut self) -> Result<bool, SpreadsheetFault> {
        self.records.get_mut().line_left = Limit::Cell.most();
        let read = self.records.read_byte_record(&mut self.record);
        read.map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => match self.records.get_ref().line_left {
                0 => SpreadsheetFault::TooLarge(Limit::Cell),
                _ => SpreadsheetFault::Io(error),
            },
            _ => SpreadsheetFault::Unreadable,
        })
    }

    /// The number that a spreadsheet shows for the row that was read: empty rows count, and a row whose
    /// cells span lines counts once.
    fn pass_lines(&mut self) -> u64 {
        let after = self.records.position().line();
        let breaks = self.record.as_slice().iter();
        let breaks = breaks.filter(|byte| **byte == b'\n').count();
        let breaks = u64::try_from(breaks).unwrap_or(u64::MAX);
        let number = after
            .saturating_sub(1)
            .saturating_sub(breaks)
            .saturating_sub(self.breaks_in_cells);
        self.breaks_in_cells = self.breaks_in_cells.saturating_add(breaks);
        number
    }

    fn cells(&self, number: u64) -> Result<Vec<Cell>, SpreadsheetFault> {
        let mut cells = Vec::new();
        for (column, text) in self.record.iter().enumerate() {
            let text = std::str::from_utf8(text);
            let text = text.map_err(|_| SpreadsheetFault::Encoding { line: number })?;
            let text = text.trim();
            if !text.is_empty() {
                let column = u16::try_from(column).ok();
                let column = column.filter(|column| *column < Column::MOST);
                let column = column.ok_or(SpreadsheetFault::TooLarge(Limit::Columns))?;
                cells.push(Cell {
                    column: Column(column),
                    content: Content::Text(composed(text).into_owned()),
                });
            }
        }
        Ok(cells)
    }
}

/// Tells whether a row is the `sep=;` with which a file tells its mark to Excel.
fn is_separator(cells: &[Cell]) -> bool {
    match cells {
        [
            Cell {
                content: Content::Text(text),
                ..
            },
        ] => text.to_ascii_lowercase().starts_with("sep="),
        _ => false,
    }
}

/// Finds the mark between cells: that of `sep=`, otherwise the one that is most often in the first line
/// with a letter.
fn delimiter_of(beginning: &str) -> u8 {
    let beginning = beginning.trim_start_matches('\u{feff}');
    let mut lines = beginning.lines();
    let heading = lines.find(|line| line.contains(char::is_alphabetic));
    let heading = heading.unwrap_or_default();
    let told = heading.as_bytes().split_at_checked(4);
    let told = told.filter(|(start, _)| start.eq_ignore_ascii_case(b"sep="));
    let told = told.and_then(|(_, rest)| rest.first().copied());
    let is_mark = |mark: &u8| matches!(mark, b',' | b';' | b'\t');
    told.filter(is_mark).unwrap_or_else(|| most_often(heading))
}

/// The mark that is most often outside of quotes; the comma where none is.
fn most_often(heading: &str) -> u8 {
    let unquoted: String = heading.split('"').step_by(2).collect();
    let count = |mark: u8| unquoted.bytes().filter(|byte| *byte == mark).count();
    let marks = [b'\t', b';', b','].into_iter();
    marks.max_by_key(|mark| count(*mark)).unwrap_or(b',')
}

/// A file as plain UTF-8: without a byte order mark, each line with a line feed at its end.
struct Plain<R: Read> {
    decoded: BufReader<Decoded<R>>,
    /// How many bytes the line at hand may still have.
    line_left: usize,
    last: u8,
}

/// The file in UTF-8: its beginning, which was looked at, and the rest.
type Decoded<R> = Chain<Cursor<Vec<u8>>, encoding_rs_io::DecodeReaderBytes<R, Vec<u8>>>;

impl<R: Read> Plain<R> {
    fn new(decoded: Decoded<R>) -> Plain<R> {
        Plain {
            decoded: BufReader::with_capacity(1 << 16, decoded),
            line_left: Limit::Cell.most(),
            last: b'\n',
        }
    }
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.line_left == 0 {
            return Err(io::Error::other("a limit is reached"));
        }
        let Plain {
            decoded,
            line_left,
            last,
        } = self;
        let mut written = 0;
        while written == 0 && !buffer.is_empty() {
            let bytes = decoded.fill_buf()?;
            if bytes.is_empty() {
                // The last line is one as well.
                return Ok(match (*last, buffer.first_mut()) {
                    (b'\n', _) | (_, None) => 0,
                    (_, Some(end)) => {
                        *end = b'\n';
                        *last = b'\n';
                        1
                    }
                });
            }
            let taken = bytes.len().min(buffer.len());
            for byte in bytes.iter().take(taken) {
                let is_second = *last == b'\r' && *byte == b'\n';
                *last = *byte;
                if is_second {
                    continue;
                }
                if let Some(place) = buffer.get_mut(written) {
                    *place = if *byte == b'\r' { b'\n' } else { *byte };
                    written += 1;
                }
            }
            decoded.consume(taken);
        }
        *line_left = line_left.saturating_sub(written);
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(csv: impl AsRef<[u8]>) -> Result<Vec<String>, SpreadsheetFault> {
        let mut rows = DelimitedRows::open(csv.as_ref())?;
        let mut told = Vec::new();
        while let Some(row) = rows.next_row()? {
            let cells = row.cells.iter().map(|cell| {
                let text = cell.content.shown();
                format!("{}{}={text}", cell.column, row.number)
            });
            told.extend(cells);
        }
        Ok(told)
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_counts_them() {
        for ends in ["\n", "\r\n", "\r"] {
            let csv = "a,b\n1,x\n\n2,\"one\ncell\"\n3,x\n\n\n4".replace('\n', ends);
            assert_eq!(
                read(csv).unwrap(),
                [
                    "A1=a",
                    "B1=b",
                    "A2=1",
                    "B2=x",
                    "A4=2",
                    "B4=one\ncell",
                    "A5=3",
                    "B5=x",
                    "A8=4"
                ],
                "{ends:?}"
            );
        }
    }

    #[test]
    fn every_mark_between_cells_and_every_encoding_of_unicode_is_read() {
        let expected = ["A1=đơn vị", "B1=giá trị", "A2=1", "B2=1,5"];
        for mark in [";", "\t"] {
            let csv = format!("đơn vị{mark}giá trị\n1{mark}1,5\n");
            assert_eq!(read(&csv).unwrap(), expected);
            assert_eq!(read(format!("\u{feff}{csv}")).unwrap(), expected);
            let told = format!("sep={mark}\r\n{csv}");
            assert_eq!(
                read(told).unwrap(),
                ["A2=đơn vị", "B2=giá trị", "A3=1", "B3=1,5"]
            );
            let text = format!("\u{feff}{csv}");
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert_eq!(read(little).unwrap(), expected);
            assert_eq!(read(big).unwrap(), expected);
        }
        assert_eq!(read("đơn vị,giá trị\n1,\"1,5\"").unwrap(), expected);
        assert_eq!(
            read("\"a;b;c\",d\n1,2").unwrap(),
            ["A1=a;b;c", "B1=d", "A2=1", "B2=2"]
        );
        assert_eq!(read("e\u{302}\u{301}").unwrap(), ["A1=ế"]);
    }

    #[test]
    fn empty_cells_at_the_end_are_passed_over() {
        assert_eq!(
            read("a,b,,,\n,,,,\n1 ,\u{a0}2,,\n,,\n").unwrap(),
            ["A1=a", "B1=b", "A3=1", "B3=2"]
        );
        assert_eq!(read("").unwrap(), [""; 0]);
    }

    #[test]
    fn another_encoding_is_told_with_its_line() {
        // "đơn vị" in Windows-1258.
        let fault = read(b"a,b\n1,\xf0\xf5n v\xf2\xf2\n").unwrap_err();
        assert!(matches!(fault, SpreadsheetFault::Encoding { line: 2 }));
        let fault = read(b"PK\x03\x04\0\0").unwrap_err();
        assert!(matches!(fault, SpreadsheetFault::Unreadable));
    }

    #[test]
    fn a_line_without_an_end_is_not_read_to_its_end() {
        let fault = read(format!("a,b\n\"{}", "x\n".repeat(1 << 20))).unwrap_err();
        assert!(matches!(fault, SpreadsheetFault::TooLarge(Limit::Cell)));
        let fault = read(format!("a\n{}", ",".repeat(20_000) + "x")).unwrap_err();
        assert!(matches!(fault, SpreadsheetFault::TooLarge(Limit::Columns)));
    }
}
