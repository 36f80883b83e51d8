//! Releases (bản báo cáo gửi lên): the states of a report that was sent up, which step leads from one
//! to the other, and what must be accepted before a report is sent. Never what the report says.

use serde::{Deserialize, Serialize};

use super::named::Named;
use super::text::TextFault;

/// The number of a release: counts what a unit sent on one form for one period, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseNumber(i32);

impl ReleaseNumber {
    pub const FIRST: ReleaseNumber = ReleaseNumber(1);

    pub const fn new(number: i32) -> ReleaseNumber {
        ReleaseNumber(number)
    }

    pub fn get(self) -> i32 {
        self.0
    }

    #[must_use]
    pub fn next(self) -> ReleaseNumber {
        ReleaseNumber(self.0.saturating_add(1))
    }
}

/// The status of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReleaseStatus {
    /// Waits for the unit above.
    Sent,
    /// Taken by the unit above.
    Received,
    /// Given back by the unit above, with a reason.
    Returned,
    /// Taken back by its sender.
    Recalled,
}

/// Something that is done to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReleaseStep {
    Send,
    Receive,
    Return,
    Recall,
}

/// A step that the status of a release does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongReleaseStatus {
    pub status: ReleaseStatus,
    pub step: ReleaseStep,
}

impl ReleaseStatus {
    /// The status after `step`. Only a release that waits can still become something else.
    ///
    /// # Errors
    /// [`WrongReleaseStatus`] where the status does not allow the step.
    pub fn after(self, step: ReleaseStep) -> Result<ReleaseStatus, WrongReleaseStatus> {
        match (self, step) {
            (ReleaseStatus::Sent, ReleaseStep::Receive) => Ok(ReleaseStatus::Received),
            (ReleaseStatus::Sent, ReleaseStep::Return) => Ok(ReleaseStatus::Returned),
            (ReleaseStatus::Sent, ReleaseStep::Recall) => Ok(ReleaseStatus::Recalled),
            (status, step) => Err(WrongReleaseStatus { status, step }),
        }
    }

    /// Tells whether the unit may send a next one: not while this one waits for the unit above. After
    /// a received one the next is a correction, and stands in its place.
    pub fn lets_another_follow(self) -> bool {
        match self {
            ReleaseStatus::Sent => false,
            ReleaseStatus::Received | ReleaseStatus::Returned | ReleaseStatus::Recalled => true,
        }
    }
}

/// The parts of a report for which its sender answers by name: the unit itself, and each direct child
/// with everything below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartOfReport {
    /// The unit's own submission. The unit above approves it, so that is not asked for here.
    Own,
    /// A child below which nobody submits: its submission is its report.
    Submitter,
    /// A child that puts a report of its own together, with the status of the latest one that it sent.
    Compiler(Option<ReleaseStatus>),
}

/// Counts of the submissions of a part. Those of a longer period are (unit, base period) pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PartCounts {
    pub expected: u64,
    pub submitted: u64,
    pub approved: u64,
}

impl PartCounts {
    /// Returns the number of expected submissions of which nothing counts.
    pub fn missing(self) -> u64 {
        self.expected.saturating_sub(self.submitted)
    }

    /// Returns the number of counting submissions that are not approved.
    pub fn unapproved(self) -> u64 {
        self.submitted.saturating_sub(self.approved)
    }

    fn lack_missing(self) -> Option<Lack> {
        let missing = Some(self.missing()).filter(|missing| *missing > 0);
        missing.map(Lack::Missing)
    }

    fn lack_unapproved(self) -> Option<Lack> {
        let unapproved = Some(self.unapproved()).filter(|count| *count > 0);
        unapproved.map(Lack::Unapproved)
    }
}

/// What a part lacks. A report is sent with it only if the sender accepts that with a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// Nothing counts of so many submissions.
    Missing(u64),
    /// So many submissions are not approved.
    Unapproved(u64),
    /// The child has sent no report of its own that stands.
    NotSent,
    /// The child's report was sent and is not received yet.
    NotReceived,
}

impl PartOfReport {
    /// Returns what the part lacks, the gravest first; `None` if it is complete. What a child accepted
    /// as missing is missing for the unit above too.
    pub fn lack(self, counts: PartCounts) -> Option<Lack> {
        if counts.expected == 0 && counts.submitted == 0 {
            return None;
        }
        let missing = counts.lack_missing();
        match self {
            PartOfReport::Own => missing,
            PartOfReport::Submitter => missing.or_else(|| counts.lack_unapproved()),
            PartOfReport::Compiler(
                None | Some(ReleaseStatus::Returned | ReleaseStatus::Recalled),
            ) => Some(Lack::NotSent),
            PartOfReport::Compiler(Some(ReleaseStatus::Sent)) => {
                missing.or(Some(Lack::NotReceived))
            }
            PartOfReport::Compiler(Some(ReleaseStatus::Received)) => missing,
        }
    }

    /// Returns what the part lacks on another form from which the report takes figures; `counts` are
    /// of the submissions of that form. A child's own report carries these figures too, so what is
    /// not approved below a child that sends one is answered for by the child.
    pub fn lack_of_taken(self, counts: PartCounts) -> Option<Lack> {
        let missing = counts.lack_missing();
        match self {
            PartOfReport::Own | PartOfReport::Compiler(_) => missing,
            PartOfReport::Submitter => missing.or_else(|| counts.lack_unapproved()),
        }
    }
}

/// A fault of a report that somebody tries to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseFault {
    Text(TextFault),
    TooManyRecipients {
        most: usize,
    },
    /// A part lacks something that the sender does not accept.
    NotAccepted {
        name: String,
        part: PartOfReport,
        lack: Lack,
        /// The number of submissions that the part is to have.
        expected: u64,
        /// The other form whose submissions these are, if the report takes figures from it.
        taken_from: Option<Named>,
    },
    /// The sender accepts what a part lacks that lacks nothing.
    NothingToAccept {
        name: String,
    },
    AcceptedTwice {
        name: String,
    },
    /// What the sender names is no part of the report.
    UnknownPart {
        unit: String,
        sender: String,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn a_step() -> impl Strategy<Value = ReleaseStep> {
        prop::sample::select(vec![
            ReleaseStep::Send,
            ReleaseStep::Receive,
            ReleaseStep::Return,
            ReleaseStep::Recall,
        ])
    }

    fn a_status() -> impl Strategy<Value = ReleaseStatus> {
        prop::sample::select(vec![
            ReleaseStatus::Sent,
            ReleaseStatus::Received,
            ReleaseStatus::Returned,
            ReleaseStatus::Recalled,
        ])
    }

    proptest! {
        #[test]
        fn one_step_ends_the_waiting_and_no_later_one_changes_that(
            steps in prop::collection::vec(a_step(), 0..12),
        ) {
            let mut status = ReleaseStatus::Sent;
            let mut taken = Vec::new();
            for step in steps {
                match status.after(step) {
                    Ok(next) => {
                        prop_assert_ne!(next, status);
                        status = next;
                        taken.push(step);
                    }
                    Err(wrong) => prop_assert_eq!(wrong, WrongReleaseStatus { status, step }),
                }
            }
            let is_waiting = status == ReleaseStatus::Sent;
            prop_assert_eq!(taken.is_empty(), is_waiting);
            prop_assert!(taken.len() <= 1);
            prop_assert!(!taken.contains(&ReleaseStep::Send));
            prop_assert_eq!(status.lets_another_follow(), !is_waiting);
        }

        #[test]
        fn a_part_is_complete_only_if_nothing_is_missing_and_what_came_was_seen(
            expected in 0u64..6, submitted in 0u64..6, approved in 0u64..6, sent in a_status(),
        ) {
            let approved = approved.min(submitted);
            let counts = PartCounts { expected, submitted, approved };
            let is_missing = submitted < expected;
            let has_any = expected + submitted > 0;
            prop_assert_eq!(PartOfReport::Own.lack(counts).is_some(), is_missing);
            let is_complete = !is_missing && approved == submitted;
            prop_assert_eq!(PartOfReport::Submitter.lack(counts).is_none(), is_complete);
            let compiler = PartOfReport::Compiler(Some(sent)).lack(counts);
            let is_complete = !is_missing && sent == ReleaseStatus::Received;
            prop_assert_eq!(compiler.is_none(), is_complete || !has_any);
            prop_assert_eq!(PartOfReport::Compiler(None).lack(counts).is_some(), has_any);
            let of_taken = |part: PartOfReport| part.lack_of_taken(counts).is_some();
            prop_assert_eq!(of_taken(PartOfReport::Own), is_missing);
            prop_assert_eq!(of_taken(PartOfReport::Compiler(None)), is_missing);
            prop_assert_eq!(of_taken(PartOfReport::Submitter), is_missing || approved < submitted);
        }
    }

    #[test]
    fn the_gravest_lack_is_told() {
        let counts = |expected, submitted, approved| PartCounts {
            expected,
            submitted,
            approved,
        };
        let of = |part: PartOfReport, counts| part.lack(counts);
        let submitter = PartOfReport::Submitter;
        assert_eq!(of(submitter, counts(1, 0, 0)), Some(Lack::Missing(1)));
        assert_eq!(of(submitter, counts(12, 9, 4)), Some(Lack::Missing(3)));
        assert_eq!(of(submitter, counts(1, 1, 0)), Some(Lack::Unapproved(1)));
        let sent = PartOfReport::Compiler(Some(ReleaseStatus::Sent));
        assert_eq!(of(sent, counts(8, 7, 0)), Some(Lack::Missing(1)));
        assert_eq!(of(sent, counts(8, 8, 8)), Some(Lack::NotReceived));
        let returned = PartOfReport::Compiler(Some(ReleaseStatus::Returned));
        assert_eq!(of(returned, counts(8, 7, 7)), Some(Lack::NotSent));
    }
}
