//! The faults of a formula, as parts of a sentence.

use crate::domain::formula::{Expected, FormulaError, MAX_BYTES, MAX_NESTING, MAX_VALUES};
use crate::domain::naming::Named;
use crate::error::Message;
use crate::message;

/// Says why a text is no formula or no comparison.
pub fn reason_of(error: &FormulaError) -> Message {
    match error {
        FormulaError::TooLong { bytes } => {
            message!(
                "biểu thức dài {bytes} byte, quá dài",
                "the expression has {bytes} bytes; at most {MAX_BYTES} are allowed"
            )
        }
        FormulaError::TooDeep { position } => {
            message!(
                "vị trí {position}: quá nhiều ngoặc lồng nhau",
                "at {position}: nested more than {MAX_NESTING} deep"
            )
        }
        FormulaError::TooManyValues { position } => {
            message!(
                "vị trí {position}: quá nhiều số, chỉ tiêu và hàm",
                "at {position}: more than {MAX_VALUES} numbers, indicators and functions"
            )
        }
        FormulaError::UnexpectedCharacter { position, found } => {
            message!(
                "vị trí {position}: ký tự {found:?} không dùng được ở đây",
                "at {position}: the character {found:?} has no meaning here"
            )
        }
        FormulaError::Unexpected {
            position,
            found,
            expected,
        } => {
            let expected = wanted(*expected);
            message!(
                "vị trí {position}: cần {expected}, lại gặp {found}",
                "at {position}: expected {expected}, found `{found}`",
                expected
            )
        }
        FormulaError::UnexpectedEnd { position, expected } => {
            let expected = wanted(*expected);
            message!(
                "vị trí {position}: biểu thức hết trong khi còn cần {expected}",
                "at {position}: the expression ends where {expected} was expected",
                expected
            )
        }
        FormulaError::InvalidNumber { position, found } => {
            message!(
                "vị trí {position}: {found} không phải là số như 100 hoặc 0.5",
                "at {position}: `{found}` is not a decimal number such as 100 or 0.5"
            )
        }
        FormulaError::InvalidIndicator { position, found } => {
            message!(
                "vị trí {position}: {found} không phải mã chỉ tiêu",
                "at {position}: `{found}` is not the code of an indicator"
            )
        }
        FormulaError::InvalidOption { position, found } => {
            message!(
                "vị trí {position}: {found} không phải mã phân tổ",
                "at {position}: `{found}` is not the code of an option"
            )
        }
        FormulaError::UnknownFunction { position, found } => {
            message!(
                "vị trí {position}: không có hàm {found}",
                "at {position}: there is no function `{found}`"
            )
        }
        FormulaError::WrongArgumentCount {
            position,
            function,
            count,
        } => {
            message!(
                "vị trí {position}: hàm {function} không nhận {count} giá trị",
                "at {position}: `{function}` does not take {count} arguments"
            )
        }
        FormulaError::ComparisonOnly { position, function } => {
            message!(
                "vị trí {position}: {function} chỉ dùng được trong quy tắc so sánh",
                "at {position}: `{function}` is allowed in comparisons only"
            )
        }
    }
}

fn wanted(expected: Expected) -> Named {
    let (vi, en) = match expected {
        Expected::Value => ("một giá trị", "a value"),
        Expected::Indicator => ("một chỉ tiêu", "an indicator"),
        Expected::Option => ("một phân tổ", "an option"),
        Expected::Operator => ("một phép tính", "an operator"),
        Expected::ComparisonSign => ("một dấu so sánh (<= < >= > = !=)", "one of <= < >= > = !="),
        Expected::ClosingBracket => ("dấu ]", "`]`"),
        Expected::ClosingParenthesis => ("dấu )", "`)`"),
    };
    Named::new(vi, en)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::formula::Formula;

    fn formula_error(text: &str) -> FormulaError {
        text.parse::<Formula>().unwrap_err()
    }

    #[test]
    fn errors_about_words() {
        let named = |text: &str| (text.to_owned(), reason_of(&formula_error(text)).en);
        let cases = [
            (
                "1 + 1.",
                "at 4: `1.` is not a decimal number such as 100 or 0.5",
            ),
            (
                ".5",
                "at 0: `.5` is not a decimal number such as 100 or 0.5",
            ),
            (
                "1.2.3",
                "at 0: `1.2.3` is not a decimal number such as 100 or 0.5",
            ),
            (
                "1e5",
                "at 0: `1e5` is not a decimal number such as 100 or 0.5",
            ),
            ("a + Docs", "at 4: `Docs` is not the code of an indicator"),
            ("a..b", "at 0: `a..b` is not the code of an indicator"),
            ("a.2b", "at 0: `a.2b` is not the code of an indicator"),
            ("_a", "at 0: `_a` is not the code of an indicator"),
            ("a[X]", "at 2: `X` is not the code of an option"),
            ("a[x.y]", "at 2: `x.y` is not the code of an option"),
            ("1 + sum(a)", "at 4: there is no function `sum`"),
            ("coalesce(a)", "at 0: `coalesce` does not take 1 arguments"),
            (
                "coalesce(a, b, c)",
                "at 0: `coalesce` does not take 3 arguments",
            ),
            ("min()", "at 0: `min` does not take 0 arguments"),
            ("max(a)", "at 0: `max` does not take 1 arguments"),
            (
                "1 + received_from_below(a)",
                "at 4: `received_from_below` is allowed in comparisons only",
            ),
            ("a + văn", "at 5: the character 'ă' has no meaning here"),
            ("a ! b", "at 2: the character '!' has no meaning here"),
            ("(a", "at 2: the expression ends where `)` was expected"),
            ("a + )", "at 4: expected a value, found `)`"),
        ];
        for (text, message) in cases {
            assert_eq!(named(text), (text.to_owned(), message.to_owned()));
        }
    }
}
