//! Extensions (gia hạn): more time that one unit is given for one period. Never who may give it.

use chrono::{NaiveDate, NaiveDateTime, TimeZone};
use serde::{Deserialize, Serialize};

use super::deadline::Deadline;
use super::id::AccountId;

/// More time for a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The last day in time, working day or not.
    pub until: NaiveDate,
    pub reason: String,
    /// The account that gave it.
    pub account: AccountId,
    pub given_at: NaiveDateTime,
    pub rev: i64,
}

impl Extension {
    /// The unit's deadline: the later of the ordinary one and the extension, since holidays that are
    /// entered afterwards may move the ordinary one beyond it.
    pub fn applied_to(&self, ordinary: Deadline, time_zone: impl TimeZone) -> Deadline {
        match ordinary.is_before(self.until, time_zone) {
            true => Deadline::Day(self.until),
            false => ordinary,
        }
    }
}

/// What became of a unit's extension at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExtensionChange {
    /// Somebody gave the unit more time, or another last day.
    Given,
    Withdrawn,
    /// A unit that was merged into this one by a reorganisation had more time.
    PassedOn,
    /// That reorganisation was undone.
    TakenBack,
}

/// A step of the history of a unit's extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionStep {
    pub change: ExtensionChange,
    /// The last day in time since the step; `None` if it is the ordinary one.
    pub until: Option<NaiveDate>,
    pub reason: Option<String>,
    pub account: AccountId,
    pub at: NaiveDateTime,
    pub rev: i64,
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::Los_Angeles;
    use chrono_tz::Asia::Ho_Chi_Minh;

    use super::*;

    fn extension(until: &str) -> Extension {
        Extension {
            until: until.parse().unwrap(),
            reason: "Lũ".to_owned(),
            account: AccountId::new(),
            given_at: NaiveDateTime::default(),
            rev: 1,
        }
    }

    #[test]
    fn the_later_of_the_deadline_and_the_extension_counts() {
        // Wednesday 18 February 2026 is a day of Tết: an extension names the day as it is.
        let given = extension("2026-02-18");
        for (ordinary, expected) in [
            ("2026-02-16", "2026-02-18"),
            ("2026-02-18", "2026-02-18"),
            ("2026-02-23", "2026-02-23"),
        ] {
            let deadline = given.applied_to(ordinary.parse().unwrap(), Ho_Chi_Minh);
            assert_eq!(deadline.to_string(), expected);
        }
    }

    #[test]
    fn an_instant_is_compared_by_its_day_where_the_tenant_is() {
        // Four in the morning of 19 February in Viet Nam is the afternoon of 18 in California.
        let instant: Deadline = "2026-02-18T21:00:00+00:00".parse().unwrap();
        let given = extension("2026-02-19");
        assert_eq!(given.applied_to(instant, Ho_Chi_Minh), instant);
        let in_california = given.applied_to(instant, Los_Angeles);
        assert_eq!(in_california.to_string(), "2026-02-19");
    }
}
