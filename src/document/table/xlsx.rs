//! A table as an XLSX file: headings that stay in view, numbers in the form of the reader's spreadsheet, and
//! before an inexact one the word that says so. Every cell is a value. A cell holds 15 digits; a longer
//! number is written as text, and the sheet says so.

use std::collections::HashMap;

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{DocumentError, Words, counts, figures, has_counts, title_of};
use crate::domain::naming::Named;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::Stage;
use crate::error::Language;
use crate::message;
use crate::service::report::table::{TableRow, TableView};

/// The digits that a number of a spreadsheet keeps.
const MOST_DIGITS: usize = 15;

/// The columns with the code and the name of the unit.
const COLUMNS_OF_UNIT: u16 = 2;

/// The rows of headings: the indicator, which figure of it, and its unit of measure.
const HEADING_ROWS: u32 = 3;

const A4: u8 = 9;

/// Writes a table as XLSX.
///
/// # Errors
/// A temporary file that cannot be written, or more columns than a spreadsheet has.
pub fn write_xlsx(view: &TableView, language: Language) -> Result<Vec<u8>, DocumentError> {
    let words = Words::new(language);
    let mut workbook = Workbook::new();
    workbook.set_properties(&properties(view)?);
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.set_name(words.of(message!("table-document-sheet")))?;
    let mut writing = Writing {
        view,
        words: &words,
        sheet,
        row: 0,
        formats: HashMap::new(),
    };
    writing.write_head()?;
    writing.write_headings()?;
    writing.write_rows()?;
    Ok(workbook.save_to_buffer()?)
}

/// A file is dated by its period, so that the same table is the same file.
fn properties(view: &TableView) -> Result<DocProperties, XlsxError> {
    let created = ExcelDateTime::parse_from_str(&view.period.to.to_string())?;
    let properties = DocProperties::new().set_title(&view.title);
    Ok(properties.set_creation_datetime(&created))
}

/// A sheet that is written from its first row to its last.
struct Writing<'w> {
    view: &'w TableView,
    words: &'w Words,
    sheet: &'w mut Worksheet,
    row: u32,
    formats: HashMap<Style, Format>,
}

/// The looks of a figure.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Style {
    decimals: u8,
    qualifier: Qualifier,
    weight: Weight,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Weight {
    Normal,
    /// Of the total.
    Bold,
}

impl Weight {
    fn format(self) -> Format {
        let format = Format::new().set_border(FormatBorder::Thin);
        match self {
            Weight::Normal => format,
            Weight::Bold => format.set_bold(),
        }
    }
}

impl Writing<'_> {
    fn write_head(&mut self) -> Result<(), XlsxError> {
        let title = Format::new().set_bold().set_font_size(14);
        self.write_line(&self.view.title, &title)?;
        let day = Named::day(self.view.map.as_of);
        let stage = self.words.of(match self.view.stage {
            Stage::Submitted => message!("table-document-stage-submitted", day),
            Stage::Approved => message!("table-document-stage-approved", day),
        });
        let note = Format::new().set_italic();
        self.write_line(&stage, &note)?;
        if has_long_numbers(self.view) {
            let long = self.words.of(message!("table-document-long-numbers"));
            self.write_line(&long, &note)?;
        }
        self.row += 1;
        Ok(())
    }

    fn write_line(&mut self, text: &str, format: &Format) -> Result<(), XlsxError> {
        self.sheet
            .write_string_with_format(self.row, 0, text, format)?;
        self.row += 1;
        Ok(())
    }

    fn write_headings(&mut self) -> Result<(), XlsxError> {
        let first = self.row;
        let columns = self.view.columns.iter();
        let of_columns = columns.map(|column| {
            let (name, unit) = (column.name.clone(), column.unit_of_measure.clone());
            [name, self.words.measure(column), unit]
        });
        let of_counts = has_counts(self.view).then(|| self.words.counts());
        let of_counts = of_counts.into_iter().flatten();
        let plain = self.words.units().into_iter().chain(of_counts);
        let plain = plain.map(|heading| [heading, String::new(), String::new()]);
        let headings: Vec<[String; 3]> = plain.chain(of_columns).collect();
        let format = Weight::Bold.format().set_text_wrap();
        let format = format
            .set_align(FormatAlign::Center)
            .set_align(FormatAlign::VerticalCenter);
        for line in 0..3 {
            for (column, heading) in (0..).zip(&headings) {
                let text = heading.get(line).map(String::as_str).unwrap_or_default();
                self.sheet
                    .write_string_with_format(self.row, column, text, &format)?;
            }
            self.row += 1;
        }
        self.set_up(first, headings.len())
    }

    /// Keeps the headings in view and on each printed page.
    fn set_up(&mut self, first: u32, columns: usize) -> Result<(), XlsxError> {
        let (sheet, after) = (&mut *self.sheet, first + HEADING_ROWS);
        sheet.set_freeze_panes(after, COLUMNS_OF_UNIT)?;
        sheet.set_repeat_rows(first, after - 1)?;
        sheet.set_column_width(0, 12)?;
        sheet.set_column_width(1, 32)?;
        for (column, _) in (COLUMNS_OF_UNIT..).zip(2..columns) {
            sheet.set_column_width(column, 18)?;
        }
        sheet.set_landscape();
        sheet.set_paper_size(A4);
        sheet.set_print_fit_to_pages(1, 0);
        Ok(())
    }

    fn write_rows(&mut self) -> Result<(), XlsxError> {
        let view = self.view;
        for row in &view.rows {
            let title = title_of(&row.unit);
            let title = match row.not_divided {
                true => {
                    let unit = title;
                    self.words.of(message!("table-document-not-divided", unit))
                }
                false => title,
            };
            self.write_row(row, &title, Weight::Normal)?;
        }
        let unit = title_of(&view.total.unit);
        let total = self.words.of(match view.adds_up {
            true => message!("table-document-total", unit),
            false => message!("table-document-total-not-sum", unit),
        });
        self.write_row(&view.total, &total, Weight::Bold)
    }

    fn write_row(&mut self, row: &TableRow, title: &str, weight: Weight) -> Result<(), XlsxError> {
        let texts = weight.format();
        for (column, text) in (0..).zip([row.unit.code.as_str(), title]) {
            self.sheet
                .write_string_with_format(self.row, column, text, &texts)?;
        }
        let mut columns = COLUMNS_OF_UNIT..;
        let counted = row.completeness.iter().flat_map(counts);
        let count = Style {
            decimals: 0,
            qualifier: Qualifier::Exact,
            weight,
        };
        for (number, column) in counted.zip(columns.by_ref()) {
            self.write_number(column, &Decimal::new(number, 0), count)?;
        }
        for ((described, value, qualifier), column) in figures(self.view, row).zip(columns) {
            let style = Style {
                decimals: described.decimals,
                qualifier,
                weight,
            };
            match value {
                Some(value) => self.write_number(column, value, style)?,
                None => {
                    self.sheet.write_blank(self.row, column, &texts)?;
                }
            }
        }
        self.row += 1;
        Ok(())
    }

    fn write_number(
        &mut self,
        column: u16,
        value: &Decimal,
        style: Style,
    ) -> Result<(), XlsxError> {
        let word = self.words.qualifier(style.qualifier);
        let number = value.as_str().parse::<f64>();
        match number {
            Ok(number) if !is_long(value) => {
                let format = self.formats.entry(style);
                let format = format.or_insert_with(|| style.format(word));
                self.sheet
                    .write_number_with_format(self.row, column, number, format)?;
            }
            _ => {
                let text = match word {
                    Some(word) => format!("{word} {value}"),
                    None => value.to_string(),
                };
                let format = style.weight.format().set_align(FormatAlign::Right);
                self.sheet
                    .write_string_with_format(self.row, column, text, &format)?;
            }
        }
        Ok(())
    }
}

impl Style {
    /// Writes thousands in groups, and the word before an inexact figure: the cell stays a number.
    fn format(self, word: Option<&str>) -> Format {
        let point = if self.decimals > 0 { "." } else { "" };
        let decimals = "0".repeat(self.decimals.into());
        let number = format!("#,##0{point}{decimals}");
        let number = match word {
            Some(word) => format!("\"{word} \"{number}"),
            None => number,
        };
        self.weight.format().set_num_format(number)
    }
}

fn has_long_numbers(view: &TableView) -> bool {
    let rows = view.rows.iter().chain([&view.total]);
    let mut values = rows.flat_map(|row| row.values.iter().flatten());
    values.any(is_long)
}

/// Returns true if a number has more digits than a cell keeps.
fn is_long(value: &Decimal) -> bool {
    let text = value.as_str();
    if text.len() <= MOST_DIGITS {
        return false;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    significant.len() > MOST_DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_long_if_a_spreadsheet_would_round_it() {
        for (mantissa, decimals, expected) in [
            (999_999_999_999_999_i128, 0, false),
            (1_000_000_000_000_001, 0, true),
            (1_000_000_000_000_000_000, 0, false),
            (-1_234_567_890_123_456, 2, true),
            (123_456_789_012_345, 12, false),
            (1, 12, false),
        ] {
            assert_eq!(
                is_long(&Decimal::new(mantissa, decimals)),
                expected,
                "{mantissa}"
            );
        }
    }
}
