//! Days as people and programs write them. Never which day something holds on.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A day that a request can name: written `YYYY-MM-DD` and in no other way, from 1900-01-01 to
/// 2199-12-31, which is where periods lie.
///
/// The date library reads `26-1-2` as a day of the year 26. A day that was typed wrong must not
/// become another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(NaiveDate);

/// A text that is no [`Day`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a day is written YYYY-MM-DD (such as 2025-07-01), from 1900-01-01 to 2199-12-31")]
pub struct InvalidDay;

impl Day {
    /// The day, where it is one that can be named.
    pub fn new(day: NaiveDate) -> Option<Day> {
        use chrono::Datelike;
        (1900..=2199).contains(&day.year()).then_some(Day(day))
    }

    pub fn get(self) -> NaiveDate {
        self.0
    }
}

impl FromStr for Day {
    type Err = InvalidDay;

    fn from_str(text: &str) -> Result<Day, InvalidDay> {
        let read: NaiveDate = text.parse().map_err(|_| InvalidDay)?;
        let day = Day::new(read).ok_or(InvalidDay)?;
        // What is read from another text, such as one with a space before it, is not meant.
        if day.to_string() == text {
            Ok(day)
        } else {
            Err(InvalidDay)
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_text_and_lies_where_periods_do() {
        for text in ["1900-01-01", "2024-02-29", "2199-12-31"] {
            assert_eq!(
                text.parse::<Day>().map(|day| day.to_string()),
                Ok(text.to_owned())
            );
        }
        let refused = [
            "",
            "26-1-2",
            "2026-1-2",
            " 2026-01-02",
            "2026-01-02 ",
            "-26-01-02",
            "-4800-01-02",
            "+10000-01-01",
            "+2026-01-02",
            "2026-02-29",
            "20260102",
            "1899-12-31",
            "2200-01-01",
            "0026-01-02",
            "2026-01-02T00:00:00Z",
            "2026-01-0２",
        ];
        for text in refused {
            assert_eq!(text.parse::<Day>(), Err(InvalidDay), "{text:?}");
        }
    }
}
