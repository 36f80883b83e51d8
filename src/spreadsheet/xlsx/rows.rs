//! The rows of a sheet, as its file has them.

use std::io::Read;

use quick_xml::events::{BytesStart, Event};

use super::part::{Part, attribute, resolved};
use super::strings::{SharedStrings, TextReader};
use crate::domain::text::composed;
use crate::spreadsheet::cell::{Cell, Column, Content, FileNumber, Row};
use crate::spreadsheet::fault::{Limit, SpreadsheetFault};
use crate::spreadsheet::number_format::NumberFormat;

/// Cells that are merged: from one corner to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    pub first_row: u64,
    pub last_row: u64,
    pub first_column: Column,
    pub last_column: Column,
}

impl Region {
    fn read(text: &str) -> Option<Region> {
        let (first, last) = text.split_once(':').unwrap_or((text, text));
        let ((first_column, first_row), (last_column, last_row)) =
            (read_place(first)?, read_place(last)?);
        Some(Region {
            first_row,
            last_row,
            first_column,
            last_column,
        })
    }

    /// Tells whether a cell is one of the merged ones.
    pub fn holds(&self, row: u64, column: Column) -> bool {
        (self.first_row..=self.last_row).contains(&row)
            && (self.first_column..=self.last_column).contains(&column)
    }
}

/// How many merged regions are told of a sheet.
const MOST_REGIONS: usize = 10_000;

/// A sheet's rows that have a cell with something in it, one after the other.
pub struct SheetRows<'w, R> {
    pub(super) part: Part<R>,
    pub(super) strings: &'w SharedStrings,
    pub(super) formats: &'w [NumberFormat],
    pub(super) state: State,
}

/// What is known while a sheet is read.
#[derive(Default)]
pub(super) struct State {
    /// The row at which the file is.
    row: u64,
    /// The column of the next cell that does not tell its own.
    column: u16,
    cells: usize,
    merged: Vec<Region>,
}

/// The attributes of a cell that its content depends on.
struct Head {
    column: Column,
    kind: Kind,
    format: NumberFormat,
}

/// The type of a cell's value in the file.
enum Kind {
    Number,
    Shared,
    Text,
    Inline,
    Boolean,
    Error,
    Date,
}

impl<R: Read> SheetRows<'_, R> {
    /// The next row with something in it.
    ///
    /// # Errors
    /// [`SpreadsheetFault`].
    pub fn next_row(&mut self) -> Result<Option<Row>, SpreadsheetFault> {
        loop {
            match self.next_start()? {
                None => return Ok(None),
                Some(Start::Row(number)) => {
                    self.state.row = number.unwrap_or(self.state.row + 1);
                    self.state.column = 0;
                    let cells = self.cells()?;
                    if !cells.is_empty() {
                        let number = self.state.row;
                        return Ok(Some(Row { number, cells }));
                    }
                }
                Some(Start::Merged(region)) => {
                    if self.state.merged.len() < MOST_REGIONS {
                        self.state.merged.push(region);
                    }
                }
            }
        }
    }

    /// The merged regions, known once all rows are read.
    pub fn merged(&self) -> &[Region] {
        &self.state.merged
    }

    /// Reads the cells of a row to its end.
    fn cells(&mut self) -> Result<Vec<Cell>, SpreadsheetFault> {
        let mut cells = Vec::new();
        while let Some(head) = self.next_cell()? {
            let column = head.column;
            self.state.column = column.0.saturating_add(1);
            if let Some(content) = self.content(&head)? {
                self.state.cells += 1;
                if self.state.cells > Limit::Cells.most() {
                    return Err(SpreadsheetFault::TooLarge(Limit::Cells));
                }
                cells.push(Cell { column, content });
            }
        }
        Ok(cells)
    }

    /// Goes to the next cell of the row; `None` at the row's end.
    fn next_cell(&mut self) -> Result<Option<Head>, SpreadsheetFault> {
        loop {
            match self.part.next()? {
                Event::Start(element) if element.local_name().as_ref() == "c" => {
                    return read_head(&element, self.state.column, self.formats).map(Some);
                }
                Event::End(element) if element.local_name().as_ref() == "row" => return Ok(None),
                Event::Eof => return Err(SpreadsheetFault::Unreadable),
                _ => {}
            }
        }
    }

    /// Goes to the next row or merged region; `None` at the end of the sheet.
    fn next_start(&mut self) -> Result<Option<Start>, SpreadsheetFault> {
        loop {
            match self.part.next()? {
                Event::Start(element) => {
                    if let Some(start) = Start::of(&element)? {
                        return Ok(Some(start));
                    }
                }
                Event::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    /// Reads a cell to its end. `None` if there is nothing in it.
    fn content(&mut self, head: &Head) -> Result<Option<Content>, SpreadsheetFault> {
        let found = self.parts()?;
        let value = match (&head.kind, found.value) {
            (Kind::Inline, _) => found.inline.map(text_content),
            (_, None) => None,
            (kind, Some(value)) => self.value(kind, head.format, &value)?,
        };
        match found.has_formula {
            true => Ok(Some(Content::Formula(value.map(Box::new)))),
            false => Ok(value.filter(|value| *value != Content::Text(String::new()))),
        }
    }

    fn parts(&mut self) -> Result<CellParts, SpreadsheetFault> {
        let mut found = CellParts::default();
        let mut texts = TextReader::default();
        let mut is_in_value = false;
        loop {
            let event = self.part.next()?;
            match &event {
                Event::Start(element) => match element.local_name().as_ref() {
                    "v" => {
                        is_in_value = true;
                        found.value.get_or_insert_default();
                    }
                    "f" => found.has_formula = true,
                    "is" => drop(found.inline.get_or_insert_default()),
                    _ => {}
                },
                Event::End(element) => match element.local_name().as_ref() {
                    "v" => is_in_value = false,
                    "c" => return Ok(found),
                    _ => {}
                },
                Event::Text(text) if is_in_value => {
                    let value = found.value.get_or_insert_default();
                    value.push_str(&text.xml10_content());
                }
                Event::GeneralRef(text) if is_in_value => {
                    found.value.get_or_insert_default().push(resolved(text)?);
                }
                Event::Eof => return Err(SpreadsheetFault::Unreadable),
                _ => {}
            }
            if let Some(inline) = &mut found.inline {
                texts.pass(&event, inline)?;
            }
        }
    }

    fn value(
        &self,
        kind: &Kind,
        format: NumberFormat,
        value: &str,
    ) -> Result<Option<Content>, SpreadsheetFault> {
        let content = match kind {
            Kind::Text | Kind::Inline => Some(text_content(value.to_owned())),
            _ if value.is_empty() => None,
            Kind::Shared => {
                let index = value.trim().parse::<usize>().ok();
                let text = index.and_then(|index| self.strings.get(index));
                let text = text.ok_or(SpreadsheetFault::Unreadable)?;
                Some(text_content(text.to_owned()))
            }
            Kind::Boolean => Some(Content::Boolean(matches!(value.trim(), "1" | "true"))),
            Kind::Error => Some(Content::Error(value.to_owned())),
            Kind::Date => Some(Content::Date(value.to_owned())),
            Kind::Number => {
                let number = FileNumber::read(value).ok_or(SpreadsheetFault::Unreadable)?;
                Some(match format {
                    NumberFormat::Plain => number.content(),
                    NumberFormat::Percent => number.percent(),
                    NumberFormat::Date => Content::Date(number.content().shown()),
                })
            }
        };
        Ok(content)
    }
}

/// The parts of a cell that are of use.
#[derive(Default)]
struct CellParts {
    value: Option<String>,
    inline: Option<String>,
    has_formula: bool,
}

/// An element that begins something of a sheet.
enum Start {
    /// A row, with its number if the file tells it.
    Row(Option<u64>),
    Merged(Region),
}

impl Start {
    fn of(element: &BytesStart<'_>) -> Result<Option<Start>, SpreadsheetFault> {
        match element.local_name().as_ref() {
            "row" => {
                let number = attribute(element, "r")?;
                let number = number.map(|number| number.parse::<u64>()).transpose();
                let number = number.map_err(|_| SpreadsheetFault::Unreadable)?;
                Ok(Some(Start::Row(number)))
            }
            "mergeCell" => {
                let region = attribute(element, "ref")?;
                let region = region.and_then(|region| Region::read(&region));
                Ok(Some(Start::Merged(
                    region.ok_or(SpreadsheetFault::Unreadable)?,
                )))
            }
            _ => Ok(None),
        }
    }
}

/// Reads a cell's attributes. A cell that does not tell its column stands at `next`.
fn read_head(
    element: &BytesStart<'_>,
    next: u16,
    formats: &[NumberFormat],
) -> Result<Head, SpreadsheetFault> {
    let column = match attribute(element, "r")? {
        Some(place) => read_place(&place)
            .map(|(column, _)| column)
            .ok_or(SpreadsheetFault::TooLarge(Limit::Columns))?,
        None if next < Column::MOST => Column(next),
        None => return Err(SpreadsheetFault::TooLarge(Limit::Columns)),
    };
    let style = attribute(element, "s")?.and_then(|style| style.parse::<usize>().ok());
    let format = style.and_then(|style| formats.get(style).copied());
    let kind = match attribute(element, "t")?.as_deref() {
        None | Some("n") => Kind::Number,
        Some("s") => Kind::Shared,
        Some("str") => Kind::Text,
        Some("inlineStr") => Kind::Inline,
        Some("b") => Kind::Boolean,
        Some("e") => Kind::Error,
        Some("d") => Kind::Date,
        Some(_) => return Err(SpreadsheetFault::Unreadable),
    };
    Ok(Head {
        column,
        kind,
        format: format.unwrap_or(NumberFormat::Plain),
    })
}

/// Reads `B7` or `$B$7`.
fn read_place(text: &str) -> Option<(Column, u64)> {
    let text = text.replace('$', "");
    let digits = text.find(|sign: char| sign.is_ascii_digit())?;
    let column = Column::of_letters(text.get(..digits)?)?;
    Some((column, text.get(digits..)?.parse().ok()?))
}

fn text_content(text: String) -> Content {
    Content::Text(composed(&text).into_owned())
}
