//! The records of a submission: its current state, and its revisions with their contents.

use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};

use super::status::{Stage, Status, Step};
use crate::domain::id::{
    AccountId, FormNumber, IndicatorCode, IndicatorNumber, OptionCode, OptionNumber, SectionNumber,
    UnitId,
};
use crate::domain::period::Period;
use crate::domain::quantity::Qualifier;
use crate::domain::received_days::ReceivedDays;

/// The key of a submission: a unit's, on a form, for a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubmissionKey {
    pub form: FormNumber,
    pub period: Period,
    pub unit: UnitId,
}

/// The current state of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    pub status: Status,
    pub revision: Revision,
    /// The revision that brought the latest values.
    pub values_revision: Revision,
    /// The revision whose values count, if any do.
    pub counting_revision: Option<Revision>,
    /// The return, or the reopening, that the unit has still to answer by sending values anew. A draft
    /// answers nothing.
    pub given_back_revision: Option<Revision>,
    pub speaks_for: SpeaksFor,
    /// `None` if nothing that counts ever came in.
    pub received: Option<ReceivedDays>,
    pub rev: i64,
    /// The rev of the last step that changed the counting values or their stage; 0 before the
    /// first.
    pub counting_rev: i64,
}

impl Submission {
    /// Returns the furthest stage in which the submission counts; `None` if it counts nowhere.
    pub fn reached(&self) -> Option<Stage> {
        self.counting_revision.map(|_| self.status.reached())
    }
}

/// The values and the prose of one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub facts: Vec<Fact>,
    pub narrative: Vec<Passage>,
    pub nil: Nil,
}

/// A unit's word that nothing more happened than what it entered (không phát sinh).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nil {
    /// Each flow that is left blank is 0 once the submission counts.
    Declared,
    #[default]
    NotDeclared,
}

/// Why a submission was returned: one text for all of it, and others for single values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub text: String,
    pub values: Vec<ValueReason>,
}

/// One step of a submission. Revisions are append-only.
#[derive(Debug, Clone)]
pub struct RevisionRecord {
    pub revision: Revision,
    pub step: Step,
    pub status: Status,
    /// The values that the step brought, if any.
    pub content: Option<Content>,
    pub reason: Option<Reason>,
    pub account: AccountId,
    /// `None` for decisions and reorganisations, and for steps from before this was recorded.
    pub entered_for: Option<EnteredFor>,
    /// The units for which the submission spoke after the step; `None` for steps from before this was
    /// recorded.
    pub speaks_for: Option<SpeaksFor>,
    pub entered_at: NaiveDateTime,
    /// The day on which the paper came in that was entered; `None` if no paper was.
    pub received_on: Option<NaiveDate>,
    pub rev: i64,
}

/// The unit for which an account entered, as seen from the account's own duties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnteredFor {
    /// The account has the duty on this very unit.
    OwnUnit,
    /// The account has the duty only on a unit above, or on all units (nhập thay).
    UnitBelow,
}

/// The number of a revision of a submission, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(i32);

impl Revision {
    pub const FIRST: Revision = Revision(1);

    pub const fn new(number: i32) -> Revision {
        Revision(number)
    }

    pub fn get(self) -> i32 {
        self.0
    }

    #[must_use]
    pub fn next(self) -> Revision {
        Revision(self.0.saturating_add(1))
    }
}

/// Which units a submission speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SpeaksFor {
    /// The unit that submits, and nothing below it.
    Unit,
    /// The unit and everything below it (báo cáo gộp).
    Subtree,
}

/// One value as it is counted: the mantissa at the indicator's decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    pub indicator: IndicatorNumber,
    pub option: OptionNumber,
    pub mantissa: i64,
    pub qualifier: Qualifier,
}

/// A passage of prose under a heading of the outline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    pub section: SectionNumber,
    pub text: String,
}

/// Why one value of a returned submission is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueReason {
    pub indicator: IndicatorCode,
    pub option: Option<OptionCode>,
    pub reason: String,
}
