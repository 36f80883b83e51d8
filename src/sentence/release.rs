//! The faults of releases in words.

use super::Sentence;
use crate::domain::release::{Lack, ReleaseStatus, WrongReleaseStatus};
use crate::error::{Code, Message};
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

/// Says what the unit `name` lacks, and what can be done about it.
pub fn lack(name: &str, lack: Lack, expected: u64) -> Message {
    match lack {
        Lack::Missing(missing) => message!("release-lack-missing", name, missing, expected),
        Lack::Unapproved(unapproved) => message!("release-lack-unapproved", name, unapproved),
        Lack::NotSent => message!("release-lack-not-sent", name),
        Lack::NotReceived => message!("release-lack-not-received", name),
    }
}
