//! A table as a file that a spreadsheet opens: one row a unit, and the total in the last one. No cell can be
//! read as a formula.

mod csv;
mod xlsx;

pub use self::csv::{ByteOrderMark, write_csv};
pub use self::xlsx::write_xlsx;

use crate::domain::naming::unit_title;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::error::{Language, Message};
use crate::message;
use crate::service::application::name::UnitName;
use crate::service::report::table::{
    RowCompleteness, TableColumn, TableMeasure, TableRow, TableView,
};

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error("CSV: {0}")]
    Csv(#[from] ::csv::Error),
    #[error("CSV: {0}")]
    Buffer(String),
    #[error("XLSX: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
}

/// The words of a document in its language.
struct Words {
    language: Language,
    at_least: String,
    at_most: String,
    estimate: String,
}

impl Words {
    fn new(language: Language) -> Words {
        let of = |message: Message| message.in_language(language).to_owned();
        Words {
            language,
            at_least: of(message!("table-document-at-least")),
            at_most: of(message!("table-document-at-most")),
            estimate: of(message!("table-document-estimate")),
        }
    }

    fn of(&self, message: Message) -> String {
        message.in_language(self.language).to_owned()
    }

    /// Returns the word before an inexact figure.
    fn qualifier(&self, qualifier: Qualifier) -> Option<&str> {
        match qualifier {
            Qualifier::Exact => None,
            Qualifier::AtLeast => Some(&self.at_least),
            Qualifier::AtMost => Some(&self.at_most),
            Qualifier::Estimate => Some(&self.estimate),
        }
    }

    /// Says which figure of an indicator a column has: `năm 2024`, `cùng kỳ, năm 2023`.
    fn measure(&self, column: &TableColumn) -> String {
        let period = column.period_name.clone().unwrap_or_default();
        match (column.measure, &column.period_name) {
            (TableMeasure::Value, _) => period,
            (TableMeasure::Target, _) => self.of(message!("table-document-target", period)),
            (TableMeasure::Previous, Some(_)) => {
                self.of(message!("table-document-previous", period))
            }
            (TableMeasure::Previous, None) => {
                self.of(message!("table-document-previous-without-period"))
            }
        }
    }

    /// Names the columns with the code and the name of the unit.
    fn units(&self) -> [String; 2] {
        [
            message!("table-document-code"),
            message!("table-document-unit"),
        ]
        .map(|heading| self.of(heading))
    }

    /// Names the counts of reports, in the order of [`counts`].
    fn counts(&self) -> [String; 4] {
        [
            message!("table-document-expected"),
            message!("table-document-submitted"),
            message!("table-document-approved"),
            message!("table-document-late"),
        ]
        .map(|heading| self.of(heading))
    }
}

fn counts(completeness: &RowCompleteness) -> [u64; 4] {
    let RowCompleteness {
        expected,
        submitted,
        approved,
        late,
    } = *completeness;
    [expected, submitted, approved, late]
}

/// Returns true if a table has counts of reports.
fn has_counts(view: &TableView) -> bool {
    view.total.completeness.is_some()
}

/// `xã Tân An`.
fn title_of(unit: &UnitName) -> String {
    unit_title(unit.kind.as_deref(), &unit.name)
}

/// Lists the figures of a row beside their columns.
fn figures<'v>(
    view: &'v TableView,
    row: &'v TableRow,
) -> impl Iterator<Item = (&'v TableColumn, Option<&'v Decimal>, Qualifier)> {
    let values = row.values.iter().map(Option::as_ref);
    let figures = values.zip(row.qualifiers.iter().copied());
    let columns = view.columns.iter().zip(figures);
    columns.map(|(column, (value, qualifier))| (column, value, qualifier))
}

/// Writes an apostrophe before a text that a spreadsheet would take for a formula. Some look past spaces, and
/// some know the wide letters of East Asia.
fn harmless(text: &str) -> String {
    let first = text.trim_start().chars().next();
    let is_formula = matches!(
        first,
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
    );
    match is_formula || text.starts_with(['\t', '\r', '\n']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn no_text_is_read_as_a_formula() {
        for formula in [
            "=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\t=1", "\tx", "\r=1", "＝1",
        ] {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        for text in ["xã Tân An", "30388", "", "1-2", "'=1"] {
            assert_eq!(harmless(text), text);
        }
    }
}
