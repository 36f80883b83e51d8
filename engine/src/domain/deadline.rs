//! Deadlines (hạn gửi): by when something must have come in. Never the clock, and never which
//! deadline somebody has: that is a form's.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDate, TimeZone, Utc};
use serde::{Deserialize, Serialize};

use super::day::Day;

/// By when something must have come in: in the course of a day, which is one where the tenant is,
/// or by an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Deadline {
    Day(NaiveDate),
    Instant(DateTime<FixedOffset>),
}

/// A text that is neither a day nor an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a day is written as 2025-02-10, an instant with its offset as 2025-02-10T17:00:00+07:00")]
pub struct InvalidDeadline;

impl Deadline {
    /// The last day on which something is in time. What is only known to have come on that day
    /// counts as in time, whatever the hour.
    pub fn day(self, time_zone: impl TimeZone) -> NaiveDate {
        match self {
            Self::Day(day) => day,
            Self::Instant(instant) => instant.with_timezone(&time_zone).date_naive(),
        }
    }

    /// Tells whether something that came on `day`, or has not come by then, is late. It goes by days,
    /// also where the deadline is an instant.
    pub fn is_before(self, day: NaiveDate, time_zone: impl TimeZone) -> bool {
        self.day(time_zone) < day
    }

    /// Tells whether `now` is too late for what is refused after the deadline: the whole day is in time, and so is the instant itself.
    pub fn has_passed(self, now: DateTime<Utc>, time_zone: impl TimeZone) -> bool {
        match self {
            Self::Day(day) => day < now.with_timezone(&time_zone).date_naive(),
            Self::Instant(instant) => instant < now,
        }
    }

    /// The same as the clocks of a time zone show it.
    #[must_use]
    pub fn as_seen_in(self, time_zone: impl TimeZone) -> Deadline {
        match self {
            Self::Day(_) => self,
            Self::Instant(instant) => {
                Self::Instant(instant.with_timezone(&time_zone).fixed_offset())
            }
        }
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(formatter),
            Self::Instant(instant) => formatter.write_str(&instant.to_rfc3339()),
        }
    }
}

impl FromStr for Deadline {
    type Err = InvalidDeadline;

    fn from_str(text: &str) -> Result<Deadline, InvalidDeadline> {
        if let Ok(day) = text.parse::<Day>() {
            return Ok(Self::Day(day.get()));
        }
        let instant = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidDeadline)?;
        match Day::new(instant.date_naive()) {
            Some(_) => Ok(Self::Instant(instant)),
            None => Err(InvalidDeadline),
        }
    }
}

impl TryFrom<String> for Deadline {
    type Error = InvalidDeadline;

    /// Takes what is kept, which may be from when more years were taken.
    fn try_from(text: String) -> Result<Deadline, InvalidDeadline> {
        let day = text.parse().map(Self::Day);
        day.or_else(|_| DateTime::parse_from_rfc3339(&text).map(Self::Instant))
            .map_err(|_| InvalidDeadline)
    }
}

impl From<Deadline> for String {
    fn from(deadline: Deadline) -> String {
        deadline.to_string()
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Ho_Chi_Minh;

    use super::*;

    fn deadline(text: &str) -> Deadline {
        text.parse().unwrap()
    }

    fn has_passed(text: &str, now: &str) -> bool {
        deadline(text).has_passed(now.parse().unwrap(), Ho_Chi_Minh)
    }

    #[test]
    fn a_deadline_is_a_day_or_an_instant_with_its_offset() {
        for text in [
            "2025-02-10",
            "2025-02-10T17:00:00+07:00",
            "2025-02-10T23:59:59.500-03:30",
        ] {
            assert_eq!(deadline(text).to_string(), text);
        }
        assert_eq!(
            deadline("2025-02-10T10:00:00Z").to_string(),
            "2025-02-10T10:00:00+00:00"
        );
        for text in [
            "",
            "2025-02-30",
            "2025-02-10T17:00:00",
            "2025-02-10T17:00",
            "2025-02-10T24:00:00Z",
            "17:00",
        ] {
            assert_eq!(text.parse::<Deadline>(), Err(InvalidDeadline), "{text:?}");
        }
    }

    #[test]
    fn a_day_counts_whole_where_the_tenant_is_and_an_instant_to_itself() {
        assert!(!has_passed("2025-02-10", "2025-02-10T16:59:59Z"));
        assert!(has_passed("2025-02-10", "2025-02-10T17:00:00Z"));
        let five = "2025-02-10T17:00:00+07:00";
        assert!(!has_passed(five, "2025-02-10T10:00:00Z"));
        assert!(has_passed(five, "2025-02-10T10:00:01Z"));
    }

    #[test]
    fn an_instant_s_day_is_that_of_the_tenant() {
        let evening = deadline("2025-02-10T20:00:00+00:00");
        assert_eq!(evening.day(Ho_Chi_Minh).to_string(), "2025-02-11");
        let seen = evening.as_seen_in(Ho_Chi_Minh);
        assert_eq!(seen.to_string(), "2025-02-11T03:00:00+07:00");
        assert!(!seen.has_passed("2025-02-10T20:00:00Z".parse().unwrap(), Ho_Chi_Minh));
        let day = deadline("2025-02-10");
        assert_eq!(day.as_seen_in(Ho_Chi_Minh), day);
    }
}
