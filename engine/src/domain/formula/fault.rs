//! Reasons for which a text is no formula. Never the sentences.

use std::fmt;

/// Reading and evaluating recurse at every level; deeper input could exhaust the stack.
pub const MAX_NESTING: usize = 64;

pub const MAX_BYTES: usize = 2000;

/// Big rationals grow with every factor, and reducing them costs the cube of their number: a
/// product of a thousand would take half a minute.
pub const MAX_VALUES: usize = 100;

/// Why a text is not a formula, or not a comparison.
///
/// A `position` counts characters from 0. Everything before it is ASCII, so that it counts bytes as
/// well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormulaError {
    TooLong {
        bytes: usize,
    },
    TooDeep {
        position: usize,
    },
    /// Numbers, operands and functions together; the position is that of the first too many.
    TooManyValues {
        position: usize,
    },
    /// No part of an expression begins with this character.
    UnexpectedCharacter {
        position: usize,
        found: char,
    },
    Unexpected {
        position: usize,
        found: String,
        expected: Expected,
    },
    UnexpectedEnd {
        position: usize,
        expected: Expected,
    },
    InvalidNumber {
        position: usize,
        found: String,
    },
    InvalidIndicator {
        position: usize,
        found: String,
    },
    InvalidOption {
        position: usize,
        found: String,
    },
    UnknownFunction {
        position: usize,
        found: String,
    },
    /// `coalesce` takes two arguments, `min` and `max` two or more.
    WrongArgumentCount {
        position: usize,
        function: String,
        count: usize,
    },
    /// `received_from_below` in a formula.
    ComparisonOnly {
        position: usize,
        function: String,
    },
}

/// For the log: a stored text that is none. People are told in sentences of their own.
impl fmt::Display for FormulaError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not a formula: {self:?}")
    }
}

impl std::error::Error for FormulaError {}

/// The token that would have been right where an expression goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A number, an indicator, a function, a minus or an opening parenthesis.
    Value,
    Indicator,
    Option,
    /// `+ - * /`, or the end of the expression.
    Operator,
    /// One of `<= < >= > = !=`.
    ComparisonSign,
    ClosingBracket,
    ClosingParenthesis,
}
