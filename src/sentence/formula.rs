//! The faults of a formula, as parts of a sentence.

use crate::domain::formula::{Expected, FormulaError, MAX_BYTES, MAX_NESTING, MAX_VALUES};
use crate::error::Message;
use crate::locale::Count;
use crate::locale::Quoted;
use crate::message;

/// Says why a text is no formula or no comparison.
pub fn reason_of(error: &FormulaError) -> Message {
    match error {
        FormulaError::TooLong { bytes } => {
            message!("formula-too-long", bytes, max_bytes = MAX_BYTES)
        }
        FormulaError::TooDeep { position } => {
            message!("formula-too-deep", position, max_nesting = MAX_NESTING)
        }
        FormulaError::TooManyValues { position } => {
            message!("formula-too-many-values", position, max_values = MAX_VALUES)
        }
        FormulaError::UnexpectedCharacter { position, found } => {
            message!(
                "formula-unexpected-character",
                position,
                found = Quoted(&found)
            )
        }
        FormulaError::Unexpected {
            position,
            found,
            expected,
        } => {
            let expected = wanted(*expected);
            message!("formula-unexpected", position, expected, found)
        }
        FormulaError::UnexpectedEnd { position, expected } => {
            let expected = wanted(*expected);
            message!("formula-unexpected-end", position, expected)
        }
        FormulaError::InvalidNumber { position, found } => {
            message!("formula-invalid-number", position, found)
        }
        FormulaError::InvalidIndicator { position, found } => {
            message!("formula-invalid-indicator", position, found)
        }
        FormulaError::InvalidOption { position, found } => {
            message!("formula-invalid-option", position, found)
        }
        FormulaError::UnknownFunction { position, found } => {
            message!("formula-unknown-function", position, found)
        }
        FormulaError::WrongArgumentCount {
            position,
            function,
            count,
        } => {
            message!(
                "formula-wrong-argument-count",
                position,
                function,
                count = Count(*count)
            )
        }
        FormulaError::ComparisonOnly { position, function } => {
            message!("formula-comparison-only", position, function)
        }
    }
}

fn wanted(expected: Expected) -> Message {
    match expected {
        Expected::Value => message!("formula-expected-value"),
        Expected::Indicator => message!("formula-expected-indicator"),
        Expected::Option => message!("formula-expected-option"),
        Expected::Operator => message!("formula-expected-operator"),
        Expected::ComparisonSign => message!("formula-expected-comparison-sign"),
        Expected::ClosingBracket => message!("formula-expected-closing-bracket"),
        Expected::ClosingParenthesis => message!("formula-expected-closing-parenthesis"),
    }
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
            ("coalesce(a)", "at 0: `coalesce` does not take 1 argument"),
            (
                "coalesce(a, b, c)",
                "at 0: `coalesce` does not take 3 arguments",
            ),
            ("min()", "at 0: `min` does not take 0 arguments"),
            ("max(a)", "at 0: `max` does not take 1 argument"),
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
