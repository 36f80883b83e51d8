//! The days on which a submission came in. Never the clock, and never what it holds.

use chrono::{NaiveDate, TimeZone};

use super::deadline::Deadline;

/// The days on which a unit sent what counts. Lateness goes by the first of them, so that whoever
/// was in time may be sent it back, correct it or withdraw it and is in time all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedDays {
    /// The first day on which something that counts came in.
    pub received_on: NaiveDate,
    /// The last day on which something else came in in its place; none where nothing did.
    pub corrected_on: Option<NaiveDate>,
}

impl ReceivedDays {
    pub fn on(day: NaiveDate) -> ReceivedDays {
        ReceivedDays {
            received_on: day,
            corrected_on: None,
        }
    }

    /// The days after something more has come in. A paper that is entered after what came in later
    /// came first all the same.
    #[must_use]
    pub fn and_on(self, day: NaiveDate) -> ReceivedDays {
        ReceivedDays {
            received_on: self.received_on.min(day),
            corrected_on: Some(self.latest().max(day)),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn what_came_first_counts_in_whatever_order_it_is_entered() {
        let first = ReceivedDays::on(day("2026-03-05"));
        let corrected = first.and_on(day("2026-03-09"));
        assert_eq!(corrected.received_on, day("2026-03-05"));
        assert_eq!(corrected.latest(), day("2026-03-09"));
        let with_paper = corrected.and_on(day("2026-03-02"));
        assert_eq!(with_paper.received_on, day("2026-03-02"));
        assert_eq!(with_paper.corrected_on, Some(day("2026-03-09")));
        let paper_first = first.and_on(day("2026-03-02"));
        assert_eq!(paper_first.corrected_on, Some(day("2026-03-05")));
    }
}
