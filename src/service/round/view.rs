//! Tasks as answers show them, and their places in the list. Does not know how they are found.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use itertools::Itertools;
use serde::{Deserialize, Serialize};

use crate::authz::Operation;
use crate::domain::day::Day;
use crate::domain::id::{FormCode, InvalidName, UnitCode};
use crate::domain::period::Period;
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::application::page::UnknownCursor;
use crate::service::application::text::NameView;

/// The kind of a task.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Submit for the unit, or for units below it of which nothing counts.
    Submit,
    /// Correct what was returned or reopened, or send the correction that is kept as a draft.
    Correct,
    /// Approve or return what units below have submitted.
    Approve,
    /// Send the unit's report up.
    Send,
    /// Receive or return the reports that units directly below have sent up.
    Receive,
}

impl TaskKind {
    pub const ALL: [TaskKind; 5] = [
        TaskKind::Submit,
        TaskKind::Correct,
        TaskKind::Approve,
        TaskKind::Send,
        TaskKind::Receive,
    ];

    fn as_str(self) -> &'static str {
        match self {
            TaskKind::Submit => "submit",
            TaskKind::Correct => "correct",
            TaskKind::Approve => "approve",
            TaskKind::Send => "send",
            TaskKind::Receive => "receive",
        }
    }

    /// Returns the operation that does the task. Who may do it by a grant on a unit owes it.
    pub(super) fn operation(self) -> Operation {
        match self {
            TaskKind::Submit | TaskKind::Correct => Operation::SubmitSubmission,
            TaskKind::Approve => Operation::ApproveSubmission,
            TaskKind::Send => Operation::SendRelease,
            TaskKind::Receive => Operation::ReceiveRelease,
        }
    }
}

impl FromStr for TaskKind {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<TaskKind, InvalidName> {
        let mut all = TaskKind::ALL.into_iter();
        all.find(|kind| kind.as_str() == text)
            .ok_or(InvalidName("task kind"))
    }
}

/// How a task stands to its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// There is time, or there is no deadline.
    Open,
    /// It is due within three days.
    DueSoon,
    /// Its last day is over.
    Late,
}

/// A form as a task names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FormName {
    #[schema(example = "mttq.annual")]
    pub code: String,
    pub name: NameView,
}

/// Something that the caller owes: one thing to do for a unit, on a form and for a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TaskView {
    pub kind: TaskKind,
    pub form: FormName,
    /// A base period of the form. Its last day decides on which map the units are counted.
    pub period: PeriodName,
    /// The unit on which the caller has the duty.
    pub unit: UnitName,
    /// The last day in time: the unit's own. Of submitting only for units below, the first of those
    /// that are missing, each with the time that it was given. Null if there is no deadline.
    pub due: Option<NaiveDate>,
    pub state: TaskState,
    /// The first day on which it could be done: entry has opened; of a correction the day on which the
    /// submission was given back; of sending up the day after the period.
    pub since: NaiveDate,
    /// True if the unit itself owes it. If false, only units below are waited for.
    pub own: bool,
    /// How much waits below the unit: submissions that are missing (of `submit`) or that the caller can
    /// approve now (of `approve`), and reports that were sent up (of `receive`). 0 for the other kinds.
    pub waiting: u64,
}

/// A task and its place in the list.
pub(super) struct Task {
    pub key: TaskKey,
    pub view: TaskView,
}

/// A task's place in the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TaskKey {
    pub due: Due,
    pub form: FormCode,
    pub period: Period,
    pub unit: UnitCode,
    pub kind: TaskKind,
}

/// The last day of a task. A day comes before none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    On(NaiveDate),
    Never,
}

/// Writes the cursor of a page.
impl fmt::Display for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.due {
            Due::On(day) => write!(f, "{day}")?,
            Due::Never => f.write_str("-")?,
        }
        let kind = self.kind.as_str();
        write!(f, "~{}~{}~{}~{kind}", self.form, self.period, self.unit)
    }
}

impl FromStr for TaskKey {
    type Err = UnknownCursor;

    fn from_str(text: &str) -> Result<TaskKey, UnknownCursor> {
        read_key(text).ok_or_else(|| UnknownCursor {
            cursor: text.to_owned(),
        })
    }
}

fn read_key(text: &str) -> Option<TaskKey> {
    let (due, form, period, unit, kind) = text.split('~').collect_tuple()?;
    Some(TaskKey {
        due: match due {
            "-" => Due::Never,
            day => Due::On(day.parse::<Day>().ok()?.get()),
        },
        form: form.parse().ok()?,
        period: period.parse().ok()?,
        unit: unit.parse().ok()?,
        kind: kind.parse().ok()?,
    })
}
