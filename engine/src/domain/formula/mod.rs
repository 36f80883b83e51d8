//! Formulas of derived indicators, and the comparisons of a form's rules: how they are read and
//! what they yield.
//!
//! Belongs here: the grammar, exact evaluation over operands that the caller looks up, and the one
//! rounding that a figure gets when it is shown. Never here: what an indicator is or whether it
//! exists, where its total comes from, qualifiers, messages for people, floats, I/O.
//!
//! ```text
//! comparison = sum ( "<=" | "<" | ">=" | ">" | "=" | "!=" ) sum
//! sum        = product { ( "+" | "-" ) product }
//! product    = signed { ( "*" | "/" ) signed }
//! signed     = "-" signed | number | "(" sum ")" | operand | function
//! function   = "coalesce" "(" sum "," sum ")"
//!            | ( "min" | "max" ) "(" sum "," sum { "," sum } ")"
//!            | "received_from_below" "(" operand ")"             in comparisons only
//! operand    = indicator [ "[" option "]" ]
//! number     = [0-9]+ [ "." [0-9]+ ]
//! indicator  = [a-z][a-z0-9_]* { "." [a-z][a-z0-9_]* }           at most 100 bytes
//! option     = [a-z0-9_]+                                       at most 60 bytes
//! ```
//!
//! An expression has at most 2000 bytes and 100 numbers, operands and functions, nested at most 64
//! deep.
//!
//! A missing value stays missing: a formula with an operand that has no value, or with a divisor of
//! zero, has no value, in `min` and `max` too. Only `coalesce(x, n)` says otherwise: it is `n`
//! where `x` has no value.
//!
//! An example: with 9 364 insured of 10 000, `100 * population.insured / population.total` is
//! exactly 93.64, and its quotient is 9 364 over 10 000: the two counts, without the constant that
//! makes a percentage of them.

mod expression;
mod fault;
mod reader;
mod written;

pub use expression::{Evaluation, Operand, Quotient, Source, rounded};
pub use fault::{Expected, FormulaError, MAX_BYTES, MAX_NESTING, MAX_VALUES};
pub use written::{Comparison, Formula};

#[cfg(test)]
mod tests;
