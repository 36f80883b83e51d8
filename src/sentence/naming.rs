//! Days and ranges of days, in words.

use chrono::NaiveDate;

use crate::domain::naming::Named;

/// `từ 01/07/2025`, `từ 01/01/2024 đến 30/06/2025`.
pub fn days(from: NaiveDate, to: Option<NaiveDate>) -> Named {
    let from = Named::day(from);
    let (from_vi, from_en) = (from.vi(), from.en());
    let Some(to) = to.map(Named::day) else {
        return Named::new(format!("từ {from_vi}"), format!("from {from_en} on"));
    };
    let (to_vi, to_en) = (to.vi(), to.en());
    Named::new(
        format!("từ {from_vi} đến {to_vi}"),
        format!("from {from_en} to {to_en}"),
    )
}
