//! The faults of a text, in words.

use super::Sentence;
use crate::domain::text::TextFault;
use crate::error::{Code, Message};
use crate::message;

impl Sentence for TextFault {
    fn sentence(&self) -> (Code, Message) {
        let message = match self {
            TextFault::Empty => message!(
                "Chưa có nội dung. Hãy nhập nội dung.",
                "The text is empty. Enter a text."
            ),
            TextFault::TooLong { limit } => message!(
                "Nội dung dài quá {limit} ký tự. Hãy rút ngắn.",
                "The text is longer than {limit} characters. Shorten it."
            ),
            TextFault::Control => message!(
                "Nội dung có ký tự điều khiển không nhìn thấy được. Hãy gõ lại thay vì dán.",
                "The text holds an invisible control character. Type it instead of pasting it."
            ),
            TextFault::Invisible => message!(
                "Tên có ký tự không nhìn thấy được (khoảng trắng không độ rộng, dấu đổi chiều chữ). Hãy gõ lại thay vì dán.",
                "The name holds a character that nobody sees (a space without width, a mark of direction). Type it instead of pasting it."
            ),
        };
        (Code::InvalidText, message)
    }
}
