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

/// The present effect of a submission on the rollups: one of its revisions counts, or none. A draft
/// may lie over the one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    No,
    /// One counts, and nobody has approved it.
    AsSubmitted,
    /// One counts that was approved; it may have been reopened since.
    AsApproved,
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
    /// A draft is given up: what it was kept over are the latest values again.
    Discard,
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
    /// The counting values stay, and are the latest again.
    Restores,
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
        use Effect::{CountsLatest, CountsNothing, Keeps, Restores};
        use Status::{Approved, Draft, Reopened, Returned, Submitted, Withdrawn};
        let drafted_over = self == Draft && counting != Counting::No;
        match (step, self) {
            (Step::Save | Step::Replace, Approved) => Err(WrongStatus { status: self, step }),
            (Step::Save, _) => Ok((Draft, Keeps)),
            (Step::Replace, _) => Ok((Submitted, CountsLatest)),
            (Step::Submit, Draft | Returned | Withdrawn | Reopened) => {
                Ok((Submitted, CountsLatest))
            }
            (Step::Withdraw, Submitted | Reopened) => Ok((Withdrawn, CountsNothing)),
            (Step::Withdraw, Draft) if drafted_over => Ok((Withdrawn, CountsNothing)),
            (Step::Discard, Draft) => match counting {
                Counting::No => Err(WrongStatus { status: self, step }),
                Counting::AsSubmitted => Ok((Submitted, Restores)),
                // Nothing approved can have a draft over it before it is reopened.
                Counting::AsApproved => Ok((Reopened, Restores)),
            },
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
    ReturnedUnchanged,
    ValueJumped,
    ValueRemoved,
    ValueUnusual,
}

impl OwnWarning {
    pub const ALL: [OwnWarning; 6] = [
        OwnWarning::EmptySubmission,
        OwnWarning::PeriodRunning,
        OwnWarning::ReturnedUnchanged,
        OwnWarning::ValueJumped,
        OwnWarning::ValueRemoved,
        OwnWarning::ValueUnusual,
    ];

    /// The code that the answer has.
    pub fn as_str(self) -> &'static str {
        match self {
            OwnWarning::EmptySubmission => "EMPTY_SUBMISSION",
            OwnWarning::PeriodRunning => "PERIOD_RUNNING",
            OwnWarning::ReturnedUnchanged => "RETURNED_UNCHANGED",
            OwnWarning::ValueJumped => "VALUE_JUMPED",
            OwnWarning::ValueRemoved => "VALUE_REMOVED",
            OwnWarning::ValueUnusual => "VALUE_UNUSUAL",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUSES: [Status; 6] = [
        Status::Draft,
        Status::Submitted,
        Status::Approved,
        Status::Returned,
        Status::Withdrawn,
        Status::Reopened,
    ];

    const COUNTINGS: [Counting; 3] = [Counting::No, Counting::AsSubmitted, Counting::AsApproved];

    #[test]
    fn an_approved_submission_changes_only_after_it_is_reopened() {
        for step in [
            Step::Save,
            Step::Replace,
            Step::Submit,
            Step::Withdraw,
            Step::Discard,
            Step::Approve,
            Step::Return,
        ] {
            assert!(
                Status::Approved.after(step, Counting::AsApproved).is_err(),
                "{step:?}"
            );
        }
        assert_eq!(
            Status::Approved.after(Step::Reopen, Counting::AsApproved),
            Ok((Status::Reopened, Effect::Keeps))
        );
    }

    #[test]
    fn a_draft_leaves_what_counts_alone_and_can_be_withdrawn_only_over_something_that_counts() {
        for status in STATUSES {
            let saved = status.after(Step::Save, Counting::AsSubmitted);
            match status {
                Status::Approved => assert!(saved.is_err()),
                _ => assert_eq!(saved, Ok((Status::Draft, Effect::Keeps))),
            }
        }
        assert!(Status::Draft.after(Step::Withdraw, Counting::No).is_err());
        assert!(
            Status::Draft
                .after(Step::Withdraw, Counting::AsSubmitted)
                .is_ok()
        );
    }

    #[test]
    fn only_a_draft_over_something_that_counts_can_be_discarded() {
        for status in STATUSES {
            for counting in COUNTINGS {
                let discarded = status.after(Step::Discard, counting);
                let is_allowed = status == Status::Draft && counting != Counting::No;
                assert_eq!(discarded.is_ok(), is_allowed, "{status:?} {counting:?}");
            }
        }
    }

    #[test]
    fn discarding_leads_back_to_the_status_before_the_drafts_and_changes_no_stage() {
        let before = [
            (Status::Submitted, Counting::AsSubmitted),
            (Status::Reopened, Counting::AsApproved),
        ];
        for (status, counting) in before {
            for drafts in 1..4 {
                let saved = (0..drafts).fold(status, |status, _| {
                    let (saved, effect) = status.after(Step::Save, counting).unwrap();
                    assert_eq!(effect, Effect::Keeps);
                    saved
                });
                let discarded = saved.after(Step::Discard, counting);
                assert_eq!(discarded, Ok((status, Effect::Restores)));
                assert_eq!(saved.reached(), status.reached());
            }
        }
    }
}
