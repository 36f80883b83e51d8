//! The faults of releases in words.

use super::Sentence;
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
            } => (
                Code::AcceptanceRequired,
                not_accepted(name, *lack, *expected),
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

/// Says what the unit `name` lacks, and what can be done about it.
fn not_accepted(name: &str, lack: Lack, expected: u64) -> Message {
    match lack {
        Lack::Missing(missing) => message!("release-lack-missing", name, missing, expected),
        Lack::Unapproved(unapproved) => {
            let count = usize::try_from(unapproved).unwrap_or(usize::MAX);
            message!("release-lack-unapproved", name, unapproved = Count(count))
        }
        Lack::NotSent => message!("release-lack-not-sent", name),
        Lack::NotReceived => message!("release-lack-not-received", name),
    }
}
