//! The names of periods, in words.

use crate::domain::form::FormPeriod;
use crate::domain::naming::Named;
use crate::domain::period::{CalendarPeriod, PartOfYear, Period};
use crate::domain::text::LocalizedText;
use crate::error::Message;
use crate::message;

/// Returns a period's name without its key: `tháng 6/2024`. A window goes by its own name.
pub fn period_in_words(period: &FormPeriod<'_>) -> Named {
    match (own_name(period), period.period) {
        (Some(LocalizedText { vi, en }), _) => {
            let en = en.as_ref().unwrap_or(vi);
            Named::new(vi.as_str(), en.as_str())
        }
        (None, Period::Calendar(period)) => calendar(period).into(),
        (None, Period::Window(key)) => Named::plain(key),
    }
}

/// Returns a period's name with its key: `tháng 6/2024 (2024-06)`. A window without a name goes by
/// its key alone.
pub fn period_named(period: &FormPeriod<'_>) -> Named {
    let (words, key) = (period_in_words(period), period.period);
    match (own_name(period), key) {
        (None, Period::Window(_)) => words,
        (Some(_), _) | (None, Period::Calendar(_)) => Named::new(
            format!("{} ({key})", words.vi()),
            format!("{} ({key})", words.en()),
        ),
    }
}

/// Names the periods from one to another: `tháng 4/2024 (2024-04) – tháng 6/2024 (2024-06)`.
pub fn range_named(first: &FormPeriod<'_>, last: &FormPeriod<'_>) -> Named {
    let (first, last) = (period_named(first), period_named(last));
    message!("period-range", first, last).into()
}

fn own_name<'p>(period: &FormPeriod<'p>) -> Option<&'p LocalizedText> {
    period.window().and_then(|window| window.name.as_ref())
}

fn calendar(period: CalendarPeriod) -> Message {
    let year = period.year();
    match period.part() {
        PartOfYear::Week(week) => message!("period-week", week, year),
        PartOfYear::Month(month) => message!("period-month", month, year),
        PartOfYear::Quarter(quarter) => {
            let quarter = Named::new(roman(quarter), quarter.to_string());
            message!("period-quarter", quarter, year)
        }
        PartOfYear::Half(1) => message!("period-first-half", year),
        PartOfYear::Half(_) => message!("period-second-half", year),
        PartOfYear::NineMonths => message!("period-nine-months", year),
        PartOfYear::Year => message!("period-year", year),
    }
}

fn roman(quarter: u32) -> &'static str {
    match quarter {
        1 => "I",
        2 => "II",
        3 => "III",
        _ => "IV",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sort_of_period_has_its_words() {
        for (key, vi, en) in [
            ("2024-W09", "tuần 9/2024", "week 9 of 2024"),
            ("2024-06", "tháng 6/2024", "month 6 of 2024"),
            ("2024-Q2", "quý II/2024", "quarter 2 of 2024"),
            ("2024-Q4", "quý IV/2024", "quarter 4 of 2024"),
            ("2024-H1", "6 tháng đầu năm 2024", "first half of 2024"),
            ("2024-H2", "6 tháng cuối năm 2024", "second half of 2024"),
            (
                "2024-9M",
                "9 tháng đầu năm 2024",
                "first nine months of 2024",
            ),
            ("2024", "năm 2024", "year 2024"),
        ] {
            let Ok(Period::Calendar(period)) = key.parse() else {
                panic!("{key} is no period of a calendar");
            };
            let words = calendar(period);
            assert_eq!((words.vi.as_str(), words.en.as_str()), (vi, en));
        }
    }
}
