//! Units, in words.

use crate::error::Message;
use crate::message;

/// Tells how a unit's code is written.
pub fn invalid_code() -> Message {
    message!(
        "Mã đơn vị gồm 1 đến 40 chữ cái không dấu, chữ số, dấu . _ hoặc -.",
        "A unit's code has 1 to 40 letters, digits, dots, underscores or hyphens."
    )
}
