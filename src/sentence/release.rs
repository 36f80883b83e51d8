//! The faults of releases in words.

use super::Sentence;
use crate::domain::naming::Named;
use crate::domain::release::{
    Lack, PartOfReport, ReleaseFault, ReleaseStatus, ReleaseStep, WrongReleaseStatus,
};
use crate::error::{Code, Message};
use crate::locale::{Count, Leading, Quoted};
use crate::message;

impl Sentence for WrongReleaseStatus {
    fn sentence(&self) -> (Code, Message) {
        // The unit above receives and returns; the sender, or who may send for it, recalls.
        let message = match (self.status, self.step) {
            (ReleaseStatus::Sent, _) => message!("release-sent-already"),
            (ReleaseStatus::Received, ReleaseStep::Receive | ReleaseStep::Return) => {
                message!("release-received-by-you")
            }
            (ReleaseStatus::Received, ReleaseStep::Send | ReleaseStep::Recall) => {
                message!("release-received-already")
            }
            (ReleaseStatus::Returned, ReleaseStep::Receive | ReleaseStep::Return) => {
                message!("release-returned-by-you")
            }
            (ReleaseStatus::Returned, ReleaseStep::Send | ReleaseStep::Recall) => {
                message!("release-returned-already")
            }
            (ReleaseStatus::Recalled, ReleaseStep::Receive | ReleaseStep::Return) => {
                message!("release-recalled-below")
            }
            (ReleaseStatus::Recalled, ReleaseStep::Send | ReleaseStep::Recall) => {
                message!("release-recalled-already")
            }
        };
        (Code::WrongStatus, message)
    }
}

impl Sentence for ReleaseFault {
    fn sentence(&self) -> (Code, Message) {
        match self {
            ReleaseFault::Text(fault) => fault.sentence(),
            ReleaseFault::TooManyRecipients { most } => (
                Code::InvalidValue,
                message!("release-too-many-recipients", most),
            ),
            ReleaseFault::NotAccepted {
                name,
                part,
                lack,
                expected,
                taken_from,
            } => (
                Code::AcceptanceRequired,
                match (part, lack) {
                    (PartOfReport::Own, Lack::Missing(missing)) => {
                        own_missing(name, *missing, *expected, taken_from.as_ref())
                    }
                    (
                        PartOfReport::Own | PartOfReport::Submitter | PartOfReport::Compiler(_),
                        lack,
                    ) => match taken_from {
                        None => not_accepted(name, *lack, *expected),
                        Some(form) => not_accepted_of_taken(name, *lack, *expected, form),
                    },
                },
            ),
            ReleaseFault::NothingToAccept { name } => (
                Code::AcceptanceNotNeeded,
                message!("release-nothing-to-accept", name = Leading(name)),
            ),
            ReleaseFault::AcceptedTwice { name } => {
                let name = Leading(name);
                (Code::Duplicate, message!("release-accepted-twice", name))
            }
            ReleaseFault::UnknownPart { unit, sender } => (
                Code::UnknownUnit,
                message!("release-unknown-part", unit = Quoted(unit), sender),
            ),
        }
    }
}

/// Says what the sender itself has not submitted, on the report's form or on one that it takes figures
/// from.
fn own_missing(name: &str, missing: u64, expected: u64, taken_from: Option<&Named>) -> Message {
    let name = Leading(name);
    match taken_from {
        None => message!("release-lack-own", name, missing, expected),
        Some(form) => {
            let form = form.clone();
            message!("release-lack-own-taken", name, missing, expected, form)
        }
    }
}

/// Says what the unit `name` lacks on another form from which the report takes figures.
fn not_accepted_of_taken(unit: &str, lack: Lack, expected: u64, form: &Named) -> Message {
    let name = Leading(unit);
    match lack {
        Lack::Missing(missing) => {
            message!(
                "release-lack-missing-taken",
                name,
                missing,
                expected,
                form = form.clone()
            )
        }
        Lack::Unapproved(unapproved) => {
            let (count, form) = (counted(unapproved), form.clone());
            message!(
                "release-lack-unapproved-taken",
                name,
                unapproved = Count(count),
                form
            )
        }
        Lack::NotSent | Lack::NotReceived => not_accepted(unit, lack, expected),
    }
}

fn counted(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Says what the unit `name` lacks, and what can be done about it.
fn not_accepted(unit: &str, lack: Lack, expected: u64) -> Message {
    let name = Leading(unit);
    match lack {
        Lack::Missing(missing) => message!("release-lack-missing", name, missing, expected),
        Lack::Unapproved(unapproved) => {
            let count = counted(unapproved);
            message!("release-lack-unapproved", name, unapproved = Count(count))
        }
        Lack::NotSent => message!("release-lack-not-sent", name),
        Lack::NotReceived => message!("release-lack-not-received", name = unit),
    }
}
