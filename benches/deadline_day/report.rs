//! The table of results.

use std::fmt;
use std::time::Duration;

use comfy_table::Table;

/// The table, in the order in which it was measured.
#[derive(Default)]
pub struct Report {
    title: String,
    rows: Vec<(String, String)>,
}

impl Report {
    pub fn titled(&mut self, title: String) {
        self.title = title;
    }

    pub fn row(&mut self, what: impl Into<String>, figure: impl Into<String>) {
        self.rows.push((what.into(), figure.into()));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        for (what, figure) in &self.rows {
            table.add_row([what, figure]);
        }
        writeln!(f, "{}\n{table}", self.title)
    }
}

/// Formats a rate a second, in whole numbers.
pub fn rate(count: usize, took: Duration) -> String {
    with_commas(per_second(count, took))
}

pub fn per_second(count: usize, took: Duration) -> usize {
    let microseconds = usize::try_from(took.as_micros()).unwrap_or(usize::MAX);
    count.saturating_mul(1_000_000) / microseconds.max(1)
}

/// Formats one rate as a multiple of another, with two decimals.
pub fn ratio(one: usize, other: usize) -> String {
    let hundredths = one * 100 / other.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

pub fn milliseconds(duration: Duration) -> String {
    let tenths = duration.as_micros() / 100;
    format!("{}.{} ms", tenths / 10, tenths % 10)
}

/// A number in groups of three digits.
pub fn with_commas(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
