//! A table as CSV: a line of headings, then a line a row. Numbers are digits with a decimal point; how an
//! inexact one is to be read stands in a column of its own.

use csv::{Terminator, WriterBuilder};
use serde::Serialize;

use super::{DocumentError, Words, counts, figures, harmless, has_counts};
use crate::error::Language;
use crate::message;
use crate::service::report::table::{TableColumn, TableMeasure, TableRow, TableView};

/// Whether a file begins with a byte order mark, by which some spreadsheets know UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ByteOrderMark {
    Written,
    LeftOut,
}

const MARK: &[u8] = "\u{feff}".as_bytes();

/// Writes a table as CSV.
///
/// # Errors
/// None in practice; the encoder's type allows one.
pub fn write_csv(
    view: &TableView,
    language: Language,
    mark: ByteOrderMark,
) -> Result<Vec<u8>, DocumentError> {
    let words = Words::new(language);
    let begun = match mark {
        ByteOrderMark::Written => MARK.to_vec(),
        ByteOrderMark::LeftOut => Vec::new(),
    };
    let mut builder = WriterBuilder::new();
    let mut writer = builder.terminator(Terminator::CRLF).from_writer(begun);
    writer.write_record(headings(view, &words))?;
    let [of_unit, not_divided, of_total] = [
        message!("table-document-row-of-unit"),
        message!("table-document-row-not-divided"),
        message!("table-document-row-of-total"),
    ]
    .map(|kind| words.of(kind));
    for row in &view.rows {
        let kind = match row.not_divided {
            true => &not_divided,
            false => &of_unit,
        };
        writer.write_record(fields(view, row, kind, &words))?;
    }
    writer.write_record(fields(view, &view.total, &of_total, &words))?;
    writer
        .into_inner()
        .map_err(|error| DocumentError::Buffer(error.to_string()))
}

fn headings(view: &TableView, words: &Words) -> Vec<String> {
    let mut headings = words.units().to_vec();
    let others = [
        message!("table-document-kind"),
        message!("table-document-level"),
        message!("table-document-row"),
    ];
    headings.extend(others.map(|heading| words.of(heading)));
    if has_counts(view) {
        headings.extend(words.counts());
    }
    for column in &view.columns {
        let TableColumn {
            name,
            unit_of_measure,
            ..
        } = column;
        let measure = words.measure(column);
        let heading = message!("table-document-heading", name, measure, unit_of_measure);
        let heading = words.of(heading);
        if column.measure == TableMeasure::Target {
            headings.push(harmless(&heading));
        } else {
            let qualifier = words.of(message!("table-document-qualifier", heading));
            headings.extend([harmless(&heading), harmless(&qualifier)]);
        }
    }
    headings
}

fn fields(view: &TableView, row: &TableRow, kind: &str, words: &Words) -> Vec<String> {
    let unit = &row.unit;
    let texts = [
        &unit.code,
        &unit.name,
        unit.kind.as_deref().unwrap_or_default(),
        &unit.level,
    ];
    let mut fields = texts.map(harmless).to_vec();
    fields.push(kind.to_owned());
    if let Some(completeness) = &row.completeness {
        fields.extend(counts(completeness).map(|count| count.to_string()));
    }
    for (column, value, qualifier) in figures(view, row) {
        fields.push(value.map(ToString::to_string).unwrap_or_default());
        if column.measure != TableMeasure::Target {
            let word = words.qualifier(qualifier).unwrap_or_default();
            fields.push(word.to_owned());
        }
    }
    fields
}
