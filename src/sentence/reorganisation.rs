//! The faults of a reorganisation's document, in words.

use super::Sentence;
use super::unit::invalid_code;
use crate::domain::naming::Named;
use crate::domain::reorganisation::ReorganisationFault;
use crate::domain::unit::BEGINNING;
use crate::error::{Code, Message};
use crate::locale::Quoted;
use crate::message;

impl Sentence for ReorganisationFault {
    fn sentence(&self) -> (Code, Message) {
        match self {
            ReorganisationFault::NothingListed => (
                Code::RequiredMissing,
                message!("reorganisation-nothing-listed"),
            ),
            ReorganisationFault::NotAfterBeginning => {
                let first = Named::day(BEGINNING);
                (
                    Code::InvalidValue,
                    message!("reorganisation-not-after-beginning", first),
                )
            }
            ReorganisationFault::TooFewParts => (
                Code::RequiredMissing,
                message!("reorganisation-too-few-parts"),
            ),
            ReorganisationFault::SharesNotWhole => (
                Code::InvalidShare,
                message!("reorganisation-shares-not-whole"),
            ),
            ReorganisationFault::NoShare => {
                (Code::InvalidShare, message!("reorganisation-no-share"))
            }
            ReorganisationFault::BasisMissing => (
                Code::RequiredMissing,
                message!("reorganisation-basis-missing"),
            ),
            ReorganisationFault::NoReference { text: name } => (
                Code::UnknownUnit,
                message!("reorganisation-no-reference", name = Quoted(&name)),
            ),
            ReorganisationFault::InvalidCode => (Code::InvalidCode, invalid_code()),
            ReorganisationFault::NoLevel { text: name } => (
                Code::UnknownLevel,
                message!("reorganisation-no-level", name = Quoted(&name)),
            ),
            ReorganisationFault::Text(fault) => fault.sentence(),
        }
    }
}
