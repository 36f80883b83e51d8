//! The states of a submission, and which step leads from one to the other.

use serde::{Deserialize, Serialize};

/// The status of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Counts nowhere; over a submitted revision it leaves that one counting.
    Draft,
    /// Counts.
    Submitted,
    /// Counts in both stages.
    Approved,
    /// Counts nowhere, with a reason.
    Returned,
    /// Counts nowhere.
    Withdrawn,
    /// Was approved; counts as submitted, and may be changed again.
    Reopened,
}

/// The stage of a figure: all that was submitted, or only what was approved as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    #[default]
    Submitted,
    Approved,
}

/// The present effect of a submission on the rollups: one of its revisions counts, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    Yes,
    No,
}

/// Something that is done to a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Values are kept as a draft.
    Save,
    /// Values are put and submitted at once, over whatever was there.
    Replace,
    /// The draft is submitted as it is.
    Submit,
    Withdraw,
    Approve,
    Return,
    Reopen,
    /// The map changed: the unit that submitted has ended, or that was taken back. It changes
    /// neither the status nor what counts.
    Reorganise,
}

/// The effect of a step on the counting values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The counting values stay.
    Keeps,
    /// The latest values count from now on.
    CountsLatest,
    /// Nothing counts from now on.
    CountsNothing,
}

/// A step that the status does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongStatus {
    pub status: Status,
    pub step: Step,
}

impl Status {
    /// Returns the furthest stage in which the values that count do so under this status.
    pub fn reached(self) -> Stage {
        match self {
            Status::Approved => Stage::Approved,
            Status::Draft
            | Status::Submitted
            | Status::Returned
            | Status::Withdrawn
            | Status::Reopened => Stage::Submitted,
        }
    }

    /// The status after `step`, and what the step does to what counts.
    ///
    /// # Errors
    /// [`WrongStatus`] where the status does not allow the step.
    pub fn after(self, step: Step, counting: Counting) -> Result<(Status, Effect), WrongStatus> {
        use Effect::{CountsLatest, CountsNothing, Keeps};
        use Status::{Approved, Draft, Reopened, Returned, Submitted, Withdrawn};
        let drafted_over = self == Draft && counting == Counting::Yes;
        match (step, self) {
            (Step::Save | Step::Replace, Approved) => Err(WrongStatus { status: self, step }),
            (Step::Save, _) => Ok((Draft, Keeps)),
            (Step::Replace, _) => Ok((Submitted, CountsLatest)),
            (Step::Submit, Draft | Returned | Withdrawn | Reopened) => {
                Ok((Submitted, CountsLatest))
            }
            (Step::Withdraw, Submitted | Reopened) => Ok((Withdrawn, CountsNothing)),
            (Step::Withdraw, Draft) if drafted_over => Ok((Withdrawn, CountsNothing)),
            (Step::Approve, Submitted | Reopened) => Ok((Approved, Keeps)),
            (Step::Return, Submitted | Reopened) => Ok((Returned, CountsNothing)),
            (Step::Return, Draft) if drafted_over => Ok((Returned, CountsNothing)),
            (Step::Reopen, Approved) => Ok((Reopened, Keeps)),
            _ => Err(WrongStatus { status: self, step }),
        }
    }
}

/// A warning that the program gives by itself. No rule of a form may have its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnWarning {
    EmptySubmission,
    PeriodRunning,
    ValueUnusual,
}

impl OwnWarning {
    pub const ALL: [OwnWarning; 3] = [
        OwnWarning::EmptySubmission,
        OwnWarning::PeriodRunning,
        OwnWarning::ValueUnusual,
    ];

    /// The code that the answer has.
    pub fn as_str(self) -> &'static str {
        match self {
            OwnWarning::EmptySubmission => "EMPTY_SUBMISSION",
            OwnWarning::PeriodRunning => "PERIOD_RUNNING",
            OwnWarning::ValueUnusual => "VALUE_UNUSUAL",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approved_submission_changes_only_after_it_is_reopened() {
        for step in [
            Step::Save,
            Step::Replace,
            Step::Submit,
            Step::Withdraw,
            Step::Approve,
            Step::Return,
        ] {
            assert!(
                Status::Approved.after(step, Counting::Yes).is_err(),
                "{step:?}"
            );
        }
        assert_eq!(
            Status::Approved.after(Step::Reopen, Counting::Yes),
            Ok((Status::Reopened, Effect::Keeps))
        );
    }

    #[test]
    fn a_draft_leaves_what_counts_alone_and_can_be_withdrawn_only_over_something_that_counts() {
        for status in [
            Status::Draft,
            Status::Submitted,
            Status::Returned,
            Status::Withdrawn,
            Status::Reopened,
        ] {
            assert_eq!(
                status.after(Step::Save, Counting::Yes),
                Ok((Status::Draft, Effect::Keeps))
            );
        }
        assert!(Status::Draft.after(Step::Withdraw, Counting::No).is_err());
        assert!(Status::Draft.after(Step::Withdraw, Counting::Yes).is_ok());
    }
}
