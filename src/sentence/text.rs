//! The faults of a text, in words.

use super::Sentence;
use crate::domain::text::TextFault;
use crate::error::{Code, Message};
use crate::message;

impl Sentence for TextFault {
    fn sentence(&self) -> (Code, Message) {
        let message = match self {
            TextFault::Empty => message!("text-empty"),
            TextFault::NoReason => message!("text-no-reason"),
            TextFault::TooLong { limit } => message!("text-too-long", limit),
            TextFault::Control => message!("text-control"),
            TextFault::Invisible => message!("text-invisible"),
        };
        (Code::InvalidText, message)
    }
}
