//! Sentences for the faults of a formula.

use crate::domain::formula::{Expected, FormulaError};
use crate::error::Message;
use crate::message;

/// Returns the reason why a text is no formula, as a part of a sentence.
pub(in crate::service) fn reason_of(error: &FormulaError) -> Message {
    let reason = error.to_string();
    let vi = match error {
        FormulaError::TooLong { bytes } => format!("biểu thức dài {bytes} byte, quá dài"),
        FormulaError::TooDeep { position } => {
            format!("vị trí {position}: quá nhiều ngoặc lồng nhau")
        }
        FormulaError::TooManyValues { position } => {
            format!("vị trí {position}: quá nhiều số, chỉ tiêu và hàm")
        }
        FormulaError::UnexpectedCharacter { position, found } => {
            format!("vị trí {position}: ký tự {found:?} không dùng được ở đây")
        }
        FormulaError::Unexpected {
            position,
            found,
            expected,
        } => {
            let expected = vietnamese(*expected);
            format!("vị trí {position}: cần {expected}, lại gặp {found}")
        }
        FormulaError::UnexpectedEnd { position, expected } => {
            let expected = vietnamese(*expected);
            format!("vị trí {position}: biểu thức hết trong khi còn cần {expected}")
        }
        FormulaError::InvalidNumber { position, found } => {
            format!("vị trí {position}: {found} không phải là số như 100 hoặc 0.5")
        }
        FormulaError::InvalidIndicator { position, found } => {
            format!("vị trí {position}: {found} không phải mã chỉ tiêu")
        }
        FormulaError::InvalidOption { position, found } => {
            format!("vị trí {position}: {found} không phải mã phân tổ")
        }
        FormulaError::UnknownFunction { position, found } => {
            format!("vị trí {position}: không có hàm {found}")
        }
        FormulaError::WrongArgumentCount {
            position,
            function,
            count,
        } => format!("vị trí {position}: hàm {function} không nhận {count} giá trị"),
        FormulaError::ComparisonOnly { position, function } => {
            format!("vị trí {position}: {function} chỉ dùng được trong quy tắc so sánh")
        }
    };
    message!("{vi}", "{reason}")
}

fn vietnamese(expected: Expected) -> &'static str {
    match expected {
        Expected::Value => "một giá trị",
        Expected::Indicator => "một chỉ tiêu",
        Expected::Option => "một phân tổ",
        Expected::Operator => "một phép tính",
        Expected::ComparisonSign => "một dấu so sánh (<= < >= > = !=)",
        Expected::ClosingBracket => "dấu ]",
        Expected::ClosingParenthesis => "dấu )",
    }
}
