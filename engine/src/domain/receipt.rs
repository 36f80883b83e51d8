//! Receipts: on which days a submission came in. Never the clock, and never what it holds.

use chrono::{NaiveDate, TimeZone};

use super::deadline::Deadline;

/// The days on which a unit sent what counts. Lateness goes by the first of them, so that whoever
/// was in time may be sent it back, correct it or withdraw it and is in time all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The day on which the unit first sent something that counts.
    pub received_on: NaiveDate,
    /// The day on which it last sent something else in its place; none where it never did.
    pub corrected_on: Option<NaiveDate>,
}

impl Receipt {
    pub fn on(day: NaiveDate) -> Receipt {
        Receipt {
            received_on: day,
            corrected_on: None,
        }
    }

    /// The receipt after something more has come in.
    #[must_use]
    pub fn and_on(self, day: NaiveDate) -> Receipt {
        Receipt {
            corrected_on: Some(day),
            ..self
        }
    }

    /// The day on which the latest of it came in.
    pub fn latest(self) -> NaiveDate {
        self.corrected_on.unwrap_or(self.received_on)
    }

    pub fn is_late(self, deadline: Deadline, time_zone: impl TimeZone) -> bool {
        deadline.is_before(self.received_on, time_zone)
    }
}
