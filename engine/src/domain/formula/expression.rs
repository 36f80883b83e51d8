//! Expressions that have been read: what they need, and what they yield.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};

use crate::domain::id::{IndicatorCode, OptionCode};

pub(super) const RECEIVED_FROM_BELOW: &str = "received_from_below";

/// Which of an indicator's figures an operand stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The unit's total.
    Total,
    /// The sum that the direct children handed up: `received_from_below(…)`, in comparisons only.
    ReceivedFromBelow,
}

/// A figure that an expression refers to; without an option it is that of the indicator as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operand {
    pub indicator: IndicatorCode,
    pub option: Option<OptionCode>,
    pub source: Source,
}

impl fmt::Display for Operand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figure = match &self.option {
            Some(option) => format!("{}[{option}]", self.indicator),
            None => self.indicator.to_string(),
        };
        match self.source {
            Source::Total => formatter.write_str(&figure),
            Source::ReceivedFromBelow => write!(formatter, "{RECEIVED_FROM_BELOW}({figure})"),
        }
    }
}

/// The result of a formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// Exact; `None` when something is missing or a divisor is zero.
    pub value: Option<BigRational>,
    /// Given when the whole formula is a quotient, whether or not its parts have values.
    pub quotient: Option<Quotient>,
}

/// The two sides of a formula that is a quotient, without constant factors.
///
/// With 5 over 0 both parts are there though the formula has no value. A part with something
/// missing is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotient {
    pub numerator: Option<BigRational>,
    pub denominator: Option<BigRational>,
}

/// The mantissa of `value` at that many decimals: 93.64 at two is 9364.
///
/// Halves go away from zero, the commercial rounding (làm tròn): 2.5 becomes 3 and -2.5 becomes -3.
/// It is exact, so that a value just below a half is never taken for one.
pub fn rounded(value: &BigRational, decimals: u32) -> BigInt {
    let scaled = value * BigInt::from(10).pow(decimals);
    scaled.round().to_integer()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    LessOrEqual,
    Less,
    GreaterOrEqual,
    Greater,
    Equal,
    NotEqual,
}

impl Sign {
    pub fn of_symbol(symbol: &str) -> Option<Self> {
        match symbol {
            "<=" => Some(Self::LessOrEqual),
            "<" => Some(Self::Less),
            ">=" => Some(Self::GreaterOrEqual),
            ">" => Some(Self::Greater),
            "=" => Some(Self::Equal),
            "!=" => Some(Self::NotEqual),
            _ => None,
        }
    }

    pub fn allows(self, ordering: Ordering) -> bool {
        match self {
            Self::LessOrEqual => ordering.is_le(),
            Self::Less => ordering.is_lt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Greater => ordering.is_gt(),
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
        }
    }
}

pub(super) type Lookup<'a> = dyn Fn(&Operand) -> Option<BigRational> + 'a;

/// Sums and products are lists, not pairs of pairs, so that a long one is no deeper than a short
/// one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    Number(BigRational),
    Operand(Operand),
    Negation(Box<Expression>),
    Sum(Vec<Term>),
    Product(Vec<Term>),
    Coalesce(Box<Expression>, Box<Expression>),
    Minimum(Vec<Expression>),
    Maximum(Vec<Expression>),
}

/// A term of a sum or a factor of a product; an inverse one is subtracted, or divided by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    pub inverse: bool,
    pub node: Expression,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QuotientNodes {
    pub numerator: Expression,
    pub denominator: Expression,
}

impl Expression {
    pub fn size(&self) -> usize {
        // A long literal is worth as many values as it has machine words.
        if let Self::Number(number) = self {
            let words = (number.numer().bits() + number.denom().bits()) / 64;
            return usize::try_from(words)
                .unwrap_or(usize::MAX)
                .saturating_add(1);
        }
        let sizes = self.children().into_iter().map(Self::size);
        sizes.fold(0, usize::saturating_add).max(1)
    }

    pub fn value(&self, operand: &Lookup) -> Option<BigRational> {
        match self {
            Self::Number(number) => Some(number.clone()),
            Self::Operand(code) => operand(code),
            Self::Negation(node) => node.value(operand).map(|value| -value),
            Self::Sum(steps) => sum(steps, operand),
            Self::Product(steps) => product(steps, operand),
            Self::Coalesce(node, substitute) => {
                node.value(operand).or_else(|| substitute.value(operand))
            }
            Self::Minimum(nodes) => all_values(nodes, operand)?.into_iter().min(),
            Self::Maximum(nodes) => all_values(nodes, operand)?.into_iter().max(),
        }
    }

    pub fn collect_operands(&self, operands: &mut BTreeSet<Operand>) {
        if let Self::Operand(operand) = self {
            operands.insert(operand.clone());
        }
        for child in self.children() {
            child.collect_operands(operands);
        }
    }

    fn is_constant(&self) -> bool {
        !matches!(self, Self::Operand(_)) && self.children().into_iter().all(Self::is_constant)
    }

    fn children(&self) -> Vec<&Expression> {
        match self {
            Self::Number(_) | Self::Operand(_) => Vec::new(),
            Self::Negation(node) => vec![node],
            Self::Sum(steps) | Self::Product(steps) => {
                steps.iter().map(|step| &step.node).collect()
            }
            Self::Coalesce(node, substitute) => vec![node, substitute],
            Self::Minimum(nodes) | Self::Maximum(nodes) => nodes.iter().collect(),
        }
    }

    pub fn quotient(&self) -> Option<QuotientNodes> {
        let factors = self.varying_factors()?;
        if let [
            Term {
                inverse: false,
                node,
            },
        ] = factors.as_slice()
        {
            return node.quotient();
        }
        if !factors.last()?.inverse {
            return None;
        }
        let (below, above): (Vec<Term>, Vec<Term>) =
            factors.into_iter().partition(|factor| factor.inverse);
        if above.is_empty() {
            return None;
        }
        Some(QuotientNodes {
            numerator: product_of(above),
            denominator: product_of(below),
        })
    }

    /// The factors that are not constant; none when this is not a product.
    fn varying_factors(&self) -> Option<Vec<Term>> {
        let Self::Product(steps) = self else {
            return None;
        };
        Some(
            steps
                .iter()
                .filter(|step| !step.node.is_constant())
                .cloned()
                .collect(),
        )
    }

    fn without_constant_factors(self) -> Expression {
        let Some(factors) = self.varying_factors() else {
            return self;
        };
        let stripped = |factor: Term| Term {
            node: factor.node.without_constant_factors(),
            ..factor
        };
        Expression::Product(factors.into_iter().map(stripped).collect())
    }
}

/// One side of a quotient; on which side a factor stands says all that its own `inverse` did.
fn product_of(side: Vec<Term>) -> Expression {
    let upright = |factor: Term| Term {
        inverse: false,
        node: factor.node.without_constant_factors(),
    };
    Expression::Product(side.into_iter().map(upright).collect())
}

fn sum(terms: &[Term], operand: &Lookup) -> Option<BigRational> {
    terms.iter().try_fold(BigRational::zero(), |total, term| {
        let value = term.node.value(operand)?;
        Some(if term.inverse {
            total - value
        } else {
            total + value
        })
    })
}

fn product(factors: &[Term], operand: &Lookup) -> Option<BigRational> {
    factors
        .iter()
        .try_fold(BigRational::one(), |total, factor| {
            let value = factor.node.value(operand)?;
            if factor.inverse {
                divided(&total, &value)
            } else {
                Some(total * value)
            }
        })
}

fn divided(dividend: &BigRational, divisor: &BigRational) -> Option<BigRational> {
    if divisor.is_zero() {
        None
    } else {
        Some(dividend / divisor)
    }
}

fn all_values(nodes: &[Expression], operand: &Lookup) -> Option<Vec<BigRational>> {
    nodes.iter().map(|node| node.value(operand)).collect()
}
