//! Conditions of requests (RFC 9110, section 13): on which state a change builds. Never headers.

use crate::error::{Code, Explain, Message};
use crate::message;

/// A strong validator of what a caller has seen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Etag(String);

impl Etag {
    /// `value` without the quotes; only letters, digits and `.-_`.
    pub fn new(value: impl std::fmt::Display) -> Etag {
        Etag(value.to_string())
    }

    /// Without the quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a request says about the state that it builds on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    None,
    /// `If-None-Match: *`: there is nothing yet.
    Absent,
    /// `If-Match: *`: there is something.
    Present,
    /// `If-Match: "…", …`: what is there is one of these.
    OneOf(Vec<Etag>),
}

/// A condition that is missing or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    #[error("the request has no condition and needs one")]
    Required,
    #[error("the condition does not hold")]
    Failed,
    #[error("there is something already")]
    AlreadyThere,
    #[error("there is nothing yet")]
    NothingThere,
}

impl Precondition {
    /// Holds a change of something to its condition; `current` is what is there now.
    ///
    /// # Errors
    /// Without a condition [`ConditionError::Required`], and [`ConditionError::Failed`] where it
    /// does not hold.
    pub fn check(&self, current: Option<&Etag>) -> Result<(), ConditionError> {
        match (self, current) {
            (Precondition::None, _) => Err(ConditionError::Required),
            (Precondition::Absent, Some(_)) => Err(ConditionError::AlreadyThere),
            (Precondition::Present | Precondition::OneOf(_), None) => {
                Err(ConditionError::NothingThere)
            }
            (Precondition::OneOf(seen), Some(current)) if !seen.contains(current) => {
                Err(ConditionError::Failed)
            }
            _ => Ok(()),
        }
    }

    /// The condition with each tag cut at its first dot: for what was read as of a day, where
    /// the tag says which day's version it was beside the state that a change builds on.
    #[must_use]
    pub fn without_suffixes(&self) -> Precondition {
        match self {
            Precondition::OneOf(seen) => {
                let cut = |tag: &Etag| Etag::new(tag.0.split('.').next().unwrap_or_default());
                Precondition::OneOf(seen.iter().map(cut).collect())
            }
            other => other.clone(),
        }
    }

    /// Like [`Precondition::check`], for what may be created without a condition: nothing can be
    /// lost by it.
    ///
    /// # Errors
    /// As [`Precondition::check`], for what is there already.
    pub fn check_unless_new(&self, current: Option<&Etag>) -> Result<(), ConditionError> {
        match (self, current) {
            (Precondition::None, None) => Ok(()),
            _ => self.check(current),
        }
    }
}

impl Explain for ConditionError {
    fn code(&self) -> Code {
        match self {
            ConditionError::Required => Code::PreconditionRequired,
            ConditionError::Failed
            | ConditionError::AlreadyThere
            | ConditionError::NothingThere => Code::PreconditionFailed,
        }
    }

    fn message(&self) -> Message {
        match self {
            ConditionError::Required => message!(
                "Hãy tải nội dung đang có rồi sửa trên đó, để không xóa mất thay đổi của người khác. Chương trình gửi kèm If-Match với ETag đã đọc, hoặc If-None-Match: * khi tạo mới.",
                "Load what is there and change that, so that nobody else's change is lost. Programs send If-Match with the ETag that they read, or If-None-Match: * to create."
            ),
            ConditionError::AlreadyThere => message!(
                "Đã có người tạo nội dung này trước. Hãy tải về, xem rồi sửa trên đó. Chương trình gửi kèm If-Match với ETag của nó.",
                "Somebody has made this already: load it, look at it and change that. Programs send If-Match with its ETag."
            ),
            ConditionError::NothingThere => message!(
                "Ở đây chưa có gì để sửa. Hãy tạo mới. Chương trình gửi kèm If-None-Match: *.",
                "There is nothing here yet to change: make it new. Programs send If-None-Match: * with it."
            ),
            ConditionError::Failed => message!(
                "Đã có người thay đổi nội dung này từ lần bạn đọc. Hãy tải lại, xem thay đổi rồi gửi lại. Chương trình gửi If-Match với ETag mới.",
                "Somebody has changed this since you read it: load it again, look at the change, then send yours again. Programs send If-Match with the new ETag."
            ),
        }
    }
}
