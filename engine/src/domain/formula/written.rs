//! Formulas and comparisons as they were written, with what they mean.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use num_rational::BigRational;
use serde::{Deserialize, Serialize};

use super::expression::{Evaluation, Expression, Operand, Quotient, QuotientNodes, Sign};
use super::fault::FormulaError;
use super::reader::{Dialect, Parser};

/// A formula that has been read, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Formula {
    text: String,
    root: Expression,
    quotient: Option<QuotientNodes>,
}

impl Formula {
    /// How many numbers and operands it is made of, each as often as it stands there; a number
    /// of many digits counts for more.
    pub fn size(&self) -> usize {
        self.root.size()
    }

    /// The figures that the formula needs, each once.
    pub fn operands(&self) -> BTreeSet<Operand> {
        let mut operands = BTreeSet::new();
        self.root.collect_operands(&mut operands);
        operands
    }

    /// The formula's value over what `operand` gives; it gives `None` for what is missing.
    ///
    /// There is a quotient when the last step of the formula, constant factors and parentheses
    /// aside, divides by something that is not constant, and not only constants stand over it:
    /// `100 * a / b`, `a / b * 100`, `100 * (a / b)` are all a over b. The sign of a constant is
    /// left out with it. `a / 12` and `100 / a` are not quotients of two figures, and neither is
    /// `a / b * c`.
    pub fn evaluate(&self, operand: &dyn Fn(&Operand) -> Option<BigRational>) -> Evaluation {
        let quotient = self.quotient.as_ref().map(|nodes| Quotient {
            numerator: nodes.numerator.value(operand),
            denominator: nodes.denominator.value(operand),
        });
        Evaluation {
            value: self.root.value(operand),
            quotient,
        }
    }
}

impl FromStr for Formula {
    type Err = FormulaError;

    fn from_str(text: &str) -> Result<Self, FormulaError> {
        let mut parser = Parser::new(text, Dialect::Formula)?;
        let root = parser.sum()?;
        parser.end()?;
        let quotient = root.quotient();
        Ok(Self {
            text: text.to_owned(),
            root,
            quotient,
        })
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl TryFrom<String> for Formula {
    type Error = FormulaError;

    fn try_from(text: String) -> Result<Self, FormulaError> {
        text.parse()
    }
}

impl From<Formula> for String {
    fn from(formula: Formula) -> Self {
        formula.text
    }
}

impl From<Comparison> for String {
    fn from(comparison: Comparison) -> Self {
        comparison.text
    }
}

/// A rule's expression, two formulas with a sign between them, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Comparison {
    text: String,
    left: Expression,
    sign: Sign,
    right: Expression,
}

impl Comparison {
    /// The figures that the two sides need, each once.
    pub fn operands(&self) -> BTreeSet<Operand> {
        let mut operands = BTreeSet::new();
        self.left.collect_operands(&mut operands);
        self.right.collect_operands(&mut operands);
        operands
    }

    /// Tells whether the comparison is true; `None` if a side has no value.
    pub fn holds(&self, operand: &dyn Fn(&Operand) -> Option<BigRational>) -> Option<bool> {
        let left = self.left.value(operand)?;
        let right = self.right.value(operand)?;
        Some(self.sign.allows(left.cmp(&right)))
    }
}

impl FromStr for Comparison {
    type Err = FormulaError;

    fn from_str(text: &str) -> Result<Self, FormulaError> {
        let mut parser = Parser::new(text, Dialect::Comparison)?;
        let left = parser.sum()?;
        let sign = parser.sign()?;
        let right = parser.sum()?;
        parser.end()?;
        Ok(Self {
            text: text.to_owned(),
            left,
            sign,
            right,
        })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl TryFrom<String> for Comparison {
    type Error = FormulaError;

    fn try_from(text: String) -> Result<Self, FormulaError> {
        text.parse()
    }
}
