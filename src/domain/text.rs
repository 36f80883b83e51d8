//! Texts that people wrote: what every one of them must hold to. Never what a text is about.

use serde::{Deserialize, Serialize};

/// A name in the two languages of the service; Vietnamese is always there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalizedText {
    pub vi: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
}

/// Why a text cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    Empty,
    TooLong {
        limit: usize,
    },
    /// A control character other than tab and line feed. NUL above all: PostgreSQL cannot hold
    /// it, and a text that only one backend takes is a text that can get lost.
    Control,
}

/// The longest name or title, in characters.
pub const NAME_LIMIT: usize = 300;
/// The longest passage of a narrative or a reason, in characters.
pub const PROSE_LIMIT: usize = 50_000;

/// Checks a name or a title: one line, not empty.
///
/// # Errors
/// [`TextFault`].
pub fn check_name(text: &str) -> Result<(), TextFault> {
    if text.trim().is_empty() {
        Err(TextFault::Empty)
    } else if text.chars().any(char::is_control) {
        Err(TextFault::Control)
    } else {
        check_length(text, NAME_LIMIT)
    }
}

/// Checks a passage of prose: lines and tabs are allowed, and so is nothing at all.
///
/// # Errors
/// [`TextFault`].
pub fn check_prose(text: &str) -> Result<(), TextFault> {
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        Err(TextFault::Control)
    } else {
        check_length(text, PROSE_LIMIT)
    }
}

/// The beginning of a text that somebody sent, short enough to be repeated in a message.
pub fn clipped(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

fn check_length(text: &str, limit: usize) -> Result<(), TextFault> {
    if text.chars().count() > limit {
        Err(TextFault::TooLong { limit })
    } else {
        Ok(())
    }
}

impl TextFault {
    pub fn message(self) -> crate::error::Message {
        match self {
            TextFault::Empty => crate::message!(
                "Chưa có nội dung. Hãy nhập nội dung.",
                "The text is empty. Enter a text."
            ),
            TextFault::TooLong { limit } => crate::message!(
                "Nội dung dài quá {limit} ký tự. Hãy rút ngắn.",
                "The text is longer than {limit} characters. Shorten it."
            ),
            TextFault::Control => crate::message!(
                "Nội dung có ký tự điều khiển không nhìn thấy được. Hãy gõ lại thay vì dán.",
                "The text holds an invisible control character. Type it instead of pasting it."
            ),
        }
    }
}
