//! Checks every province's report: compares the server's answers with sums that this program
//! computes itself, without the server's engine. Measures nothing.

use serde_json::Value;
use tonghop::domain::indicator::AcrossUnits;

use crate::Failure;
use crate::connection::{Connection, get};
use crate::country::Country;
use crate::form::{BROKEN_DOWN, Cell, FORM, Form, Turn, is_corrected};

/// The most differences to print.
const MOST_TOLD: usize = 10;
/// More decimals than any figure shows.
const DECIMALS: u32 = 6;
/// The extra digits that an average shows beyond its indicator's decimals.
const MORE_DECIMALS_OF_AVERAGES: u32 = 2;

/// A cell of a province, added up.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    count: i128,
    sum: i128,
    largest: i128,
}

impl Sum {
    fn add(&mut self, mantissa: i128) {
        self.count += 1;
        self.sum += mantissa;
        self.largest = self.largest.max(mantissa);
    }

    /// Returns the figure that a report must show, in units of 10^-[`DECIMALS`].
    fn shown(&self, cell: &Cell) -> Result<i128, Failure> {
        let decimals = u32::from(cell.decimals);
        let scale = |decimals: u32| 10_i128.pow(DECIMALS - decimals);
        match cell.across_units {
            AcrossUnits::Sum => Ok(self.sum * scale(decimals)),
            AcrossUnits::Max => Ok(self.largest * scale(decimals)),
            AcrossUnits::Average => {
                let more = 10_i128.pow(MORE_DECIMALS_OF_AVERAGES);
                // Half up; nothing here is negative.
                let rounded = (2 * self.sum * more + self.count) / (2 * self.count);
                Ok(rounded * scale(decimals + MORE_DECIMALS_OF_AVERAGES))
            }
            other => Err(format!("no sum of its own for {other:?}").into()),
        }
    }
}

/// Compares every province's report, of the base period and the longer ones. Returns the number of
/// figures compared.
pub async fn provinces(
    connection: &mut Connection,
    token: &str,
    country: &Country,
    form: &Form,
    corrections: u64,
) -> Result<usize, Failure> {
    let sums = sums(country, form, corrections);
    let mut compared = 0;
    let mut differences = Vec::new();
    for period in std::iter::once(&form.period).chain(form.longer) {
        for (province, sums) in country.provinces.iter().zip(&sums) {
            let report = read_rollup(connection, token, period, province).await?;
            for expected in expected(form, sums)? {
                compared += 1;
                if let Some(difference) = expected.difference(&report) {
                    differences.push(format!("{province} {period} {difference}"));
                }
            }
        }
    }
    match differences.len() {
        0 => Ok(compared),
        count => {
            differences.truncate(MOST_TOLD);
            let told = differences.join("\n");
            Err(format!("{count} of {compared} figures are not as they must be:\n{told}").into())
        }
    }
}

/// Sums each value of a submission for each province.
fn sums(country: &Country, form: &Form, corrections: u64) -> Vec<Vec<Sum>> {
    let none = vec![Sum::default(); form.cells.len()];
    let mut sums = vec![none; country.provinces.len()];
    for (place, hamlet) in country.hamlets.iter().enumerate() {
        let turn = match is_corrected(place, corrections) {
            true => Turn::Correction,
            false => Turn::First,
        };
        let Some(sums) = sums.get_mut(hamlet.province) else {
            continue;
        };
        for (index, (sum, cell)) in sums.iter_mut().zip(&form.cells).enumerate() {
            sum.add(i128::from(cell.mantissa(index, place, turn)));
        }
    }
    sums
}

/// A figure that a report must have.
struct Expected<'f> {
    indicator: &'f str,
    option: Option<&'static str>,
    value: i128,
    reported: i128,
}

fn expected<'f>(form: &'f Form, sums: &[Sum]) -> Result<Vec<Expected<'f>>, Failure> {
    let mut figures = Vec::new();
    let mut total = Expected {
        indicator: BROKEN_DOWN,
        option: None,
        value: 0,
        reported: 0,
    };
    for (cell, sum) in form.cells.iter().zip(sums) {
        // A province without a hamlet shows nothing.
        if sum.count == 0 {
            continue;
        }
        let value = sum.shown(cell)?;
        if cell.option.is_some() {
            total.value += value;
            total.reported = sum.count;
        }
        figures.push(Expected {
            indicator: &cell.indicator,
            option: cell.option,
            value,
            reported: sum.count,
        });
    }
    if total.reported > 0 {
        figures.push(total);
    }
    Ok(figures)
}

impl Expected<'_> {
    fn difference(&self, report: &Value) -> Option<String> {
        let cells = report.get("cells").and_then(Value::as_array);
        let found = cells.into_iter().flatten().find(|cell| {
            text(cell, "indicator") == Some(self.indicator) && text(cell, "option") == self.option
        });
        let value = found.and_then(|cell| millionths(cell.get("value")?));
        let reported = found.and_then(|cell| cell.get("reported")?.as_i64());
        let is_right = value == Some(self.value) && reported.map(i128::from) == Some(self.reported);
        (!is_right).then(|| {
            let (indicator, option) = (self.indicator, self.option.unwrap_or("in all"));
            let (value, reported) = (self.value, self.reported);
            let found = found.map_or_else(|| "nothing".to_owned(), Value::to_string);
            format!("{indicator} ({option}): {found} for {value} millionths of {reported}")
        })
    }
}

fn text<'v>(cell: &'v Value, field: &str) -> Option<&'v str> {
    cell.get(field)?.as_str()
}

/// A number from its text, without a float.
fn millionths(value: &Value) -> Option<i128> {
    let Value::Number(number) = value else {
        return None;
    };
    let number = number.to_string();
    let (whole, part) = number.split_once('.').unwrap_or((&number, ""));
    let missing = DECIMALS.checked_sub(u32::try_from(part.len()).ok()?)?;
    let mantissa: i128 = format!("{whole}{part}").parse().ok()?;
    Some(mantissa * 10_i128.pow(missing))
}

/// The path of a unit's report.
pub fn rollup_path(period: &str, unit: &str) -> String {
    format!("/v1/forms/{FORM}/periods/{period}/units/code:{unit}/rollup")
}

/// A unit's report.
pub async fn read_rollup(
    connection: &mut Connection,
    token: &str,
    period: &str,
    unit: &str,
) -> Result<Value, Failure> {
    let question = get(&rollup_path(period, unit), Some(token), None);
    let answer = connection.exchange(&question).await?;
    match answer.status {
        200 => Ok(serde_json::from_slice(&answer.body)?),
        _ => Err(format!("the report of {unit} for {period}: {}", answer.told()).into()),
    }
}
