//! The faults of releases in words.

use super::Sentence;
use crate::domain::naming::Named;
use crate::domain::release::{Lack, ReleaseFault, ReleaseStatus, WrongReleaseStatus};
use crate::error::{Code, Message};
use crate::locale::{Count, Quoted};
use crate::message;

impl Sentence for WrongReleaseStatus {
    fn sentence(&self) -> (Code, Message) {
        let message = match self.status {
            ReleaseStatus::Sent => message!("release-sent-already"),
            ReleaseStatus::Received => message!("release-received-already"),
            ReleaseStatus::Returned => message!("release-returned-already"),
            ReleaseStatus::Recalled => message!("release-recalled-already"),
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
                lack,
                expected,
                taken_from,
            } => (
                Code::AcceptanceRequired,
                match taken_from {
                    None => not_accepted(name, *lack, *expected),
                    Some(form) => not_accepted_of_taken(name, *lack, *expected, form),
                },
            ),
            ReleaseFault::NothingToAccept { name } => (
                Code::AcceptanceNotNeeded,
                message!("release-nothing-to-accept", name),
            ),
            ReleaseFault::AcceptedTwice { name } => {
                (Code::Duplicate, message!("release-accepted-twice", name))
            }
            ReleaseFault::UnknownPart { unit, sender } => (
                Code::UnknownUnit,
                message!("release-unknown-part", unit = Quoted(unit), sender),
            ),
        }
    }
}

/// Says what the unit `name` lacks on another form from which the report takes figures.
fn not_accepted_of_taken(name: &str, lack: Lack, expected: u64, form: &Named) -> Message {
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
        Lack::NotSent | Lack::NotReceived => not_accepted(name, lack, expected),
    }
}

fn counted(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Says what the unit `name` lacks, and what can be done about it.
fn not_accepted(name: &str, lack: Lack, expected: u64) -> Message {
    match lack {
        Lack::Missing(missing) => message!("release-lack-missing", name, missing, expected),
        Lack::Unapproved(unapproved) => {
            let count = counted(unapproved);
            message!("release-lack-unapproved", name, unapproved = Count(count))
        }
        Lack::NotSent => message!("release-lack-not-sent", name),
        Lack::NotReceived => message!("release-lack-not-received", name),
    }
}
