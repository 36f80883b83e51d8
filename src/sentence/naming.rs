//! Ranges and lists, in words.

use chrono::NaiveDate;

use crate::domain::naming::Named;
use crate::error::Message;
use crate::message;

/// Returns a range of days: `từ 01/07/2025`, `từ 01/01/2024 đến 30/06/2025`.
pub fn days(from: NaiveDate, to: Option<NaiveDate>) -> Message {
    let from = Named::day(from);
    match to.map(Named::day) {
        Some(to) => message!("days-from-to", from, to),
        None => message!("days-from", from),
    }
}

/// Lists things of which one is enough: `số hoặc danh sách`.
pub fn any_of(all: impl IntoIterator<Item = Message>) -> Option<Message> {
    let joined = |one: Message, other: Message| message!("list-or", one, other);
    all.into_iter().reduce(joined)
}

/// Lists things that each may hold a comma.
pub fn all_of(all: impl IntoIterator<Item = Message>) -> Option<Message> {
    let joined = |one: Message, other: Message| message!("list-and", one, other);
    all.into_iter().reduce(joined)
}
