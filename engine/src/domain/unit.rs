//! Units (đơn vị): a unit is an identity, and all that is known of it are dated facts. Neither a
//! code nor a name identifies a unit for ever: both are reused. Never how units hang together:
//! that is `hierarchy`'s.

use chrono::NaiveDate;

use serde::{Deserialize, Serialize};

use super::id::{LevelCode, UnitCode, UnitId};

/// The first day on which anything in the system holds: the beginning, where none is given.
pub const BEGINNING: NaiveDate = match NaiveDate::from_ymd_opt(1900, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// The days on which a fact holds, both ends included; no end means until further notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Validity {
    pub from: NaiveDate,
    pub to: Option<NaiveDate>,
}

impl Validity {
    pub const ALWAYS: Validity = Validity {
        from: BEGINNING,
        to: None,
    };

    pub fn since(from: NaiveDate) -> Validity {
        Validity { from, to: None }
    }

    pub fn contains(self, day: NaiveDate) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }

    /// Tells whether every day of `other` is among these.
    pub fn covers(self, other: Validity) -> bool {
        let ends_within = match (self.to, other.to) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(to), Some(other)) => other <= to,
        };
        self.from <= other.from && ends_within
    }

    pub fn overlaps(self, other: Validity) -> bool {
        self.to.is_none_or(|to| other.from <= to) && other.to.is_none_or(|to| self.from <= to)
    }
}

/// A unit's facts during some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitFact {
    pub unit: UnitId,
    pub validity: Validity,
    /// Belongs to one unit at a time.
    pub code: UnitCode,
    pub name: String,
    /// The name for such a unit (xã, phường, thị trấn …), if its level has several kinds.
    pub kind: Option<String>,
    pub level: LevelCode,
    /// The placement (trực thuộc); none for a root.
    pub parent: Option<UnitId>,
}

/// How a request names a unit: by its identity, or by the code that it has on the day that
/// the request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitReference {
    Id(UnitId),
    Code(UnitCode),
}

impl std::str::FromStr for UnitReference {
    type Err = super::id::InvalidName;

    fn from_str(text: &str) -> Result<UnitReference, super::id::InvalidName> {
        match text.strip_prefix("code:") {
            Some(code) => code.parse().map(UnitReference::Code),
            None => text.parse().map(UnitReference::Id),
        }
    }
}

impl std::fmt::Display for UnitReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            UnitReference::Id(id) => id.fmt(f),
            UnitReference::Code(code) => write!(f, "code:{code}"),
        }
    }
}
