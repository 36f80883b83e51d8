//! Units, in words.

use crate::error::Message;
use crate::message;

/// Tells how a unit's code is written.
pub fn invalid_code() -> Message {
    message!("unit-invalid-code")
}
