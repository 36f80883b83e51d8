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
//! option     = [a-z0-9_]+
//! ```
//!
//! An expression has at most 2000 bytes and 100 numbers, operands and functions, nested at most 64
//! deep.
//!
//! What is missing stays missing: a formula with an operand that has no value, or with a divisor of
//! zero, has no value, in `min` and `max` too. Only `coalesce(x, n)` says otherwise: it is `n`
//! where `x` has no value.
//!
//! An example: with 9 364 insured of 10 000, `100 * population.insured / population.total` is
//! exactly 93.64, and its quotient is 9 364 over 10 000: the two counts, without the constant that
//! makes a percentage of them.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::iter::Peekable;
use std::str::FromStr;
use std::vec::IntoIter;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};
use serde::{Deserialize, Serialize};

/// Reading and evaluating recurse at every level; deeper input could exhaust the stack.
pub const MAX_NESTING: usize = 64;
pub const MAX_BYTES: usize = 2000;
/// Big rationals grow with every factor, and reducing them costs the cube of their number: a
/// product of a thousand would take half a minute.
pub const MAX_VALUES: usize = 100;
const MAX_INDICATOR_BYTES: usize = 100;

const RECEIVED_FROM_BELOW: &str = "received_from_below";

/// Two-character symbols come first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 15] = [
    "<=", ">=", "!=", "<", ">", "=", "+", "-", "*", "/", "(", ")", "[", "]", ",",
];

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

/// What would have been right where an expression goes wrong.
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

/// Which of an indicator's figures an operand stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The unit's total.
    Total,
    /// What the direct children handed up: `received_from_below(…)`, in comparisons only.
    ReceivedFromBelow,
}

/// A figure that an expression refers to; without an option it is that of the indicator as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operand {
    pub indicator: String,
    pub option: Option<String>,
    pub source: Source,
}

impl fmt::Display for Operand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figure = match &self.option {
            Some(option) => format!("{}[{option}]", self.indicator),
            None => self.indicator.clone(),
        };
        match self.source {
            Source::Total => formatter.write_str(&figure),
            Source::ReceivedFromBelow => write!(formatter, "{RECEIVED_FROM_BELOW}({figure})"),
        }
    }
}

/// A formula that has been read, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Formula {
    text: String,
    root: Node,
    quotient: Option<QuotientNodes>,
}

/// What a formula yields.
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

/// A rule's expression, two formulas with a sign between them, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Comparison {
    text: String,
    left: Node,
    sign: Sign,
    right: Node,
}

impl Comparison {
    /// The figures that the two sides need, each once.
    pub fn operands(&self) -> BTreeSet<Operand> {
        let mut operands = BTreeSet::new();
        self.left.collect_operands(&mut operands);
        self.right.collect_operands(&mut operands);
        operands
    }

    /// Whether the comparison is true; `None` when a side has no value.
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

impl From<Comparison> for String {
    fn from(comparison: Comparison) -> Self {
        comparison.text
    }
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
enum Sign {
    LessOrEqual,
    Less,
    GreaterOrEqual,
    Greater,
    Equal,
    NotEqual,
}

impl Sign {
    fn of_symbol(symbol: &str) -> Option<Self> {
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

    fn allows(self, ordering: Ordering) -> bool {
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

type Lookup<'a> = dyn Fn(&Operand) -> Option<BigRational> + 'a;

/// Sums and products are lists, not pairs of pairs, so that a long one is no deeper than a short
/// one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Number(BigRational),
    Operand(Operand),
    Negation(Box<Node>),
    Sum(Vec<Step>),
    Product(Vec<Step>),
    Coalesce(Box<Node>, Box<Node>),
    Minimum(Vec<Node>),
    Maximum(Vec<Node>),
}

/// A term of a sum or a factor of a product; an inverse one is subtracted, or divided by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    inverse: bool,
    node: Node,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct QuotientNodes {
    numerator: Node,
    denominator: Node,
}

impl Node {
    fn size(&self) -> usize {
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

    fn value(&self, operand: &Lookup) -> Option<BigRational> {
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

    fn collect_operands(&self, operands: &mut BTreeSet<Operand>) {
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

    fn children(&self) -> Vec<&Node> {
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

    fn quotient(&self) -> Option<QuotientNodes> {
        let factors = self.varying_factors()?;
        if let [
            Step {
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
        let (below, above): (Vec<Step>, Vec<Step>) =
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
    fn varying_factors(&self) -> Option<Vec<Step>> {
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

    fn without_constant_factors(self) -> Node {
        let Some(factors) = self.varying_factors() else {
            return self;
        };
        let stripped = |factor: Step| Step {
            node: factor.node.without_constant_factors(),
            ..factor
        };
        Node::Product(factors.into_iter().map(stripped).collect())
    }
}

/// One side of a quotient; on which side a factor stands says all that its own `inverse` did.
fn product_of(side: Vec<Step>) -> Node {
    let upright = |factor: Step| Step {
        inverse: false,
        node: factor.node.without_constant_factors(),
    };
    Node::Product(side.into_iter().map(upright).collect())
}

fn sum(terms: &[Step], operand: &Lookup) -> Option<BigRational> {
    terms.iter().try_fold(BigRational::zero(), |total, term| {
        let value = term.node.value(operand)?;
        Some(if term.inverse {
            total - value
        } else {
            total + value
        })
    })
}

fn product(factors: &[Step], operand: &Lookup) -> Option<BigRational> {
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

fn all_values(nodes: &[Node], operand: &Lookup) -> Option<Vec<BigRational>> {
    nodes.iter().map(|node| node.value(operand)).collect()
}

/// A symbol, or a run of the characters that codes and numbers are made of.
#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    position: usize,
    text: &'a str,
}

impl Token<'_> {
    fn is_word(&self) -> bool {
        self.text.starts_with(is_word_character)
    }

    fn is_number(&self) -> bool {
        self.text
            .starts_with(|first: char| first.is_ascii_digit() || first == '.')
    }

    fn unexpected(&self, expected: Expected) -> FormulaError {
        FormulaError::Unexpected {
            position: self.position,
            found: self.text.to_owned(),
            expected,
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, FormulaError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_ascii_start();
    while let Some(next) = rest.chars().next() {
        let position = text.len() - rest.len();
        let length = token_length(rest);
        let (token, after) = rest.split_at(length);
        if token.is_empty() {
            return Err(FormulaError::UnexpectedCharacter {
                position,
                found: next,
            });
        }
        tokens.push(Token {
            position,
            text: token,
        });
        rest = after.trim_ascii_start();
    }
    Ok(tokens)
}

/// How many bytes the token at the start of `rest` has; 0 when there is none.
fn token_length(rest: &str) -> usize {
    let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
    let word = || {
        rest.find(|character| !is_word_character(character))
            .unwrap_or(rest.len())
    };
    symbol.map_or_else(word, |symbol| symbol.len())
}

/// Capitals are no part of a code, but a message that names the whole word says more than one about
/// a letter.
fn is_word_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '.'
}

fn is_option(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn is_indicator(text: &str) -> bool {
    let is_part =
        |part: &str| is_option(part) && part.starts_with(|first: char| first.is_ascii_lowercase());
    text.len() <= MAX_INDICATOR_BYTES && text.split('.').all(is_part)
}

fn decimal(text: &str) -> Option<BigRational> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let mantissa: BigInt = format!("{whole}{fraction}").parse().ok()?;
    let scale = num_traits::pow(BigInt::from(10), fraction.len());
    Some(BigRational::new(mantissa, scale))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Formula,
    Comparison,
}

type Parsed = Result<Node, FormulaError>;

/// Recursive descent; one method a line of the grammar above.
struct Parser<'a> {
    tokens: Peekable<IntoIter<Token<'a>>>,
    length: usize,
    nesting: usize,
    values: usize,
    dialect: Dialect,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, dialect: Dialect) -> Result<Self, FormulaError> {
        if text.len() > MAX_BYTES {
            return Err(FormulaError::TooLong { bytes: text.len() });
        }
        let tokens = tokens(text)?.into_iter().peekable();
        Ok(Self {
            tokens,
            length: text.len(),
            nesting: 0,
            values: 0,
            dialect,
        })
    }

    fn sum(&mut self) -> Parsed {
        self.chain(["+", "-"], Self::product, Node::Sum)
    }

    fn product(&mut self) -> Parsed {
        self.chain(["*", "/"], Self::signed, Node::Product)
    }

    fn chain(
        &mut self,
        symbols: [&str; 2],
        next: fn(&mut Self) -> Parsed,
        wrap: fn(Vec<Step>) -> Node,
    ) -> Parsed {
        let [_, inverse_symbol] = symbols;
        let first = next(self)?;
        let mut others = Vec::new();
        while let Some(symbol) = self.tokens.next_if(|token| symbols.contains(&token.text)) {
            others.push(Step {
                inverse: symbol.text == inverse_symbol,
                node: next(self)?,
            });
        }
        if others.is_empty() {
            return Ok(first);
        }
        others.insert(
            0,
            Step {
                inverse: false,
                node: first,
            },
        );
        Ok(wrap(others))
    }

    fn signed(&mut self) -> Parsed {
        let token = self.take(Expected::Value)?;
        match token.text {
            "-" => self
                .nested(token, Self::signed)
                .map(|node| Node::Negation(Box::new(node))),
            "(" => self.nested(token, Self::parenthesised),
            _ if token.is_word() => self.value(token),
            _ => Err(token.unexpected(Expected::Value)),
        }
    }

    fn parenthesised(&mut self) -> Parsed {
        let node = self.sum()?;
        self.close(")", Expected::ClosingParenthesis)?;
        Ok(node)
    }

    fn value(&mut self, word: Token<'a>) -> Parsed {
        if self.values == MAX_VALUES {
            return Err(FormulaError::TooManyValues {
                position: word.position,
            });
        }
        self.values += 1;
        if word.is_number() {
            number(word)
        } else {
            self.named(word)
        }
    }

    fn named(&mut self, name: Token<'a>) -> Parsed {
        if self.accept("(") {
            self.function(name)
        } else {
            self.operand(name, Source::Total).map(Node::Operand)
        }
    }

    fn operand(&mut self, name: Token<'a>, source: Source) -> Result<Operand, FormulaError> {
        let Token { position, text } = name;
        if !is_indicator(text) {
            return Err(FormulaError::InvalidIndicator {
                position,
                found: text.to_owned(),
            });
        }
        let option = if self.accept("[") {
            Some(self.option()?)
        } else {
            None
        };
        Ok(Operand {
            indicator: text.to_owned(),
            option,
            source,
        })
    }

    fn option(&mut self) -> Result<String, FormulaError> {
        let token = self.take(Expected::Option)?;
        if !token.is_word() {
            return Err(token.unexpected(Expected::Option));
        }
        let Token { position, text } = token;
        if !is_option(text) {
            return Err(FormulaError::InvalidOption {
                position,
                found: text.to_owned(),
            });
        }
        self.close("]", Expected::ClosingBracket)?;
        Ok(text.to_owned())
    }

    fn function(&mut self, name: Token<'a>) -> Parsed {
        let Token { position, text } = name;
        match text {
            "coalesce" => self.coalesce(name),
            "min" => self.at_least_two(name).map(Node::Minimum),
            "max" => self.at_least_two(name).map(Node::Maximum),
            RECEIVED_FROM_BELOW => self.received_from_below(name),
            _ => Err(FormulaError::UnknownFunction {
                position,
                found: text.to_owned(),
            }),
        }
    }

    fn coalesce(&mut self, name: Token<'a>) -> Parsed {
        let arguments = self.arguments(name)?;
        let count = arguments.len();
        let [node, substitute] =
            <[Node; 2]>::try_from(arguments).map_err(|_| wrong_count(name, count))?;
        Ok(Node::Coalesce(Box::new(node), Box::new(substitute)))
    }

    fn at_least_two(&mut self, name: Token<'a>) -> Result<Vec<Node>, FormulaError> {
        let arguments = self.arguments(name)?;
        if arguments.len() < 2 {
            Err(wrong_count(name, arguments.len()))
        } else {
            Ok(arguments)
        }
    }

    fn received_from_below(&mut self, name: Token<'a>) -> Parsed {
        let Token { position, text } = name;
        if self.dialect == Dialect::Formula {
            return Err(FormulaError::ComparisonOnly {
                position,
                function: text.to_owned(),
            });
        }
        let indicator = self.take(Expected::Indicator)?;
        if !indicator.is_word() {
            return Err(indicator.unexpected(Expected::Indicator));
        }
        let operand = self.operand(indicator, Source::ReceivedFromBelow)?;
        self.close(")", Expected::ClosingParenthesis)?;
        Ok(Node::Operand(operand))
    }

    fn arguments(&mut self, name: Token<'a>) -> Result<Vec<Node>, FormulaError> {
        let mut arguments = Vec::new();
        if self.accept(")") {
            return Ok(arguments);
        }
        arguments.push(self.nested(name, Self::sum)?);
        while self.accept(",") {
            arguments.push(self.nested(name, Self::sum)?);
        }
        self.close(")", Expected::ClosingParenthesis)?;
        Ok(arguments)
    }

    fn sign(&mut self) -> Result<Sign, FormulaError> {
        let token = self.take(Expected::ComparisonSign)?;
        Sign::of_symbol(token.text).ok_or_else(|| token.unexpected(Expected::ComparisonSign))
    }

    fn nested(&mut self, opening: Token<'a>, inner: fn(&mut Self) -> Parsed) -> Parsed {
        if self.nesting == MAX_NESTING {
            return Err(FormulaError::TooDeep {
                position: opening.position,
            });
        }
        self.nesting += 1;
        let parsed = inner(self);
        self.nesting -= 1;
        parsed
    }

    fn take(&mut self, expected: Expected) -> Result<Token<'a>, FormulaError> {
        self.tokens.next().ok_or(FormulaError::UnexpectedEnd {
            position: self.length,
            expected,
        })
    }

    fn accept(&mut self, symbol: &str) -> bool {
        self.tokens.next_if(|token| token.text == symbol).is_some()
    }

    fn close(&mut self, symbol: &str, expected: Expected) -> Result<(), FormulaError> {
        let token = self.take(expected)?;
        if token.text == symbol {
            Ok(())
        } else {
            Err(token.unexpected(expected))
        }
    }

    fn end(&mut self) -> Result<(), FormulaError> {
        self.tokens
            .next()
            .map_or(Ok(()), |token| Err(token.unexpected(Expected::Operator)))
    }
}

fn number(token: Token<'_>) -> Parsed {
    let Token { position, text } = token;
    decimal(text)
        .map(Node::Number)
        .ok_or_else(|| FormulaError::InvalidNumber {
            position,
            found: text.to_owned(),
        })
}

fn wrong_count(name: Token<'_>, count: usize) -> FormulaError {
    FormulaError::WrongArgumentCount {
        position: name.position,
        function: name.text.to_owned(),
        count,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fraction(numerator: i64, denominator: i64) -> BigRational {
        BigRational::new(numerator.into(), denominator.into())
    }

    fn whole(number: i64) -> BigRational {
        fraction(number, 1)
    }

    /// a = 6, b = 8, c = 3, zero = 0, docs.issued = 10, docs.issued[plan] = 4, 7 received from
    /// below for a; nothing else has a value.
    fn figures(operand: &Operand) -> Option<BigRational> {
        match operand.to_string().as_str() {
            "a" => Some(whole(6)),
            "b" => Some(whole(8)),
            "c" => Some(whole(3)),
            "zero" => Some(whole(0)),
            "docs.issued" => Some(whole(10)),
            "docs.issued[plan]" => Some(whole(4)),
            "received_from_below(a)" => Some(whole(7)),
            _ => None,
        }
    }

    fn evaluate(text: &str) -> Evaluation {
        text.parse::<Formula>().unwrap().evaluate(&figures)
    }

    fn value(text: &str) -> Option<BigRational> {
        evaluate(text).value
    }

    fn parts(text: &str) -> Option<(Option<BigRational>, Option<BigRational>)> {
        evaluate(text)
            .quotient
            .map(|quotient| (quotient.numerator, quotient.denominator))
    }

    fn holds(text: &str) -> Option<bool> {
        text.parse::<Comparison>().unwrap().holds(&figures)
    }

    fn formula_error(text: &str) -> FormulaError {
        text.parse::<Formula>().unwrap_err()
    }

    fn comparison_error(text: &str) -> FormulaError {
        text.parse::<Comparison>().unwrap_err()
    }

    #[test]
    fn precedence_and_associativity() {
        let cases = [
            ("1 + 2 * 3", 7),
            ("(1 + 2) * 3", 9),
            ("8/4/2", 1),
            ("10-4-3", 3),
            ("2 * 3 / 6 * 5", 5),
            ("12 / (4 / 2)", 6),
            ("10 - (4 - 3)", 9),
            ("-2 * 3 + 10", 4),
            ("2 - -3", 5),
            ("--4", 4),
            ("-(1 + 2)", -3),
            ("\t1\n+\r2 ", 3),
            ("a * b - c", 45),
            ("docs.issued - docs.issued[plan]", 6),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text), Some(whole(expected)), "{text}");
        }
    }

    #[test]
    fn arithmetic_is_exact() {
        assert_eq!(value("1/3*3"), Some(whole(1)));
        assert_eq!(value("0.1 + 0.2"), Some(fraction(3, 10)));
        assert_eq!(value("007.50"), Some(fraction(15, 2)));
        let huge = "9".repeat(60);
        assert_eq!(value(&format!("({huge} + 1) - {huge}")), Some(whole(1)));
    }

    #[test]
    fn what_is_missing_stays_missing() {
        for text in [
            "gone",
            "a + gone",
            "gone * 0",
            "-gone",
            "min(a, gone)",
            "max(gone, a)",
            "docs.issued[report]",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
        for text in ["a / zero", "a / (b - 8)", "1 / 0", "0 / 0"] {
            assert_eq!(value(text), None, "{text}");
        }
        assert_eq!(value("coalesce(gone, 5)"), Some(whole(5)));
        assert_eq!(value("coalesce(a, 5)"), Some(whole(6)));
        assert_eq!(value("coalesce(zero, 5)"), Some(whole(0)));
        assert_eq!(value("coalesce(a / zero, b)"), Some(whole(8)));
        assert_eq!(value("coalesce(gone, gone)"), None);
        assert_eq!(value("a + coalesce(gone, 0)"), Some(whole(6)));
    }

    #[test]
    fn extremes() {
        assert_eq!(value("min(a, b, c)"), Some(whole(3)));
        assert_eq!(value("max(a, b, c)"), Some(whole(8)));
        assert_eq!(value("min(1/3, 0.3)"), Some(fraction(3, 10)));
        assert_eq!(value("max(-1, coalesce(gone, -2))"), Some(whole(-1)));
    }

    #[test]
    fn words_of_functions_are_codes_without_parentheses() {
        let operands = "min + max.coalesce".parse::<Formula>().unwrap().operands();
        assert_eq!(
            operands.iter().map(Operand::to_string).collect::<Vec<_>>(),
            ["max.coalesce", "min"]
        );
    }

    #[test]
    fn quotients_without_their_constant_factors() {
        let a_over_b = [
            "a / b",
            "(a / b)",
            "100 * a / b",
            "a / b * 100",
            "100 * (a / b)",
            "((a / b)) * 100",
            "(a * 100) / b",
            "a / (b * 100)",
            "100 * (a / b) / 2",
            "a / b / 100",
            "(50 + 50) * a / b",
            "-100 * a / b",
            "2 * (3 * (a / b))",
            "a / 100 / b",
            "((a * 3) * 2) / b",
            "(100 * a / 2) / (min(1, 2) * b)",
        ];
        for text in a_over_b {
            assert_eq!(
                parts(text),
                Some((Some(whole(6)), Some(whole(8)))),
                "{text}"
            );
        }
        assert_eq!(
            parts("(a + b) * 100 / c"),
            Some((Some(whole(14)), Some(whole(3))))
        );
        assert_eq!(
            parts("100 * a / (b + c)"),
            Some((Some(whole(6)), Some(whole(11))))
        );
        assert_eq!(parts("a / b / c"), Some((Some(whole(6)), Some(whole(24)))));
        assert_eq!(parts("a * c / b"), Some((Some(whole(18)), Some(whole(8)))));
        assert_eq!(
            parts("100 * -a / b"),
            Some((Some(whole(-6)), Some(whole(8))))
        );
        assert_eq!(
            parts("100 * coalesce(gone, 0) / b"),
            Some((Some(whole(0)), Some(whole(8))))
        );
    }

    #[test]
    fn what_is_no_quotient() {
        for text in [
            "a",
            "a * b",
            "a / 12",
            "100 / a",
            "1 / 3",
            "a / b * c",
            "a / b + 1",
            "100 - 100 * a / b",
            "min(a / b, 1)",
            "-(a / b)",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn parts_of_a_quotient_without_a_value() {
        assert_eq!(
            parts("100 * a / zero"),
            Some((Some(whole(6)), Some(whole(0))))
        );
        assert_eq!(parts("gone / b"), Some((None, Some(whole(8)))));
        assert_eq!(parts("a / gone"), Some((Some(whole(6)), None)));
        for text in ["100 * a / zero", "gone / b", "a / gone"] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn comparisons() {
        let cases = [
            ("a <= 6", true),
            ("a < 6", false),
            ("a >= 6", true),
            ("a > 6", false),
            ("a = 6", true),
            ("a != 6", false),
            ("a<b", true),
            ("a + c = b + 1", true),
            ("-a < -5.9", true),
            ("received_from_below(a) <= a", false),
            ("1/3 = 0.3333", false),
        ];
        for (text, expected) in cases {
            assert_eq!(holds(text), Some(expected), "{text}");
        }
        assert_eq!(holds("gone <= a"), None);
        assert_eq!(holds("a <= gone"), None);
        assert_eq!(holds("a / zero != b"), None);
        assert_eq!(holds("received_from_below(b) = 1"), None);
    }

    #[test]
    fn operands_once_each() {
        let comparison: Comparison = "received_from_below(a[x]) + b[2024] <= a + b[2024] + a"
            .parse()
            .unwrap();
        let operands: Vec<String> = comparison
            .operands()
            .iter()
            .map(Operand::to_string)
            .collect();
        assert_eq!(operands, ["a", "received_from_below(a[x])", "b[2024]"]);
        let formula: Formula = "coalesce(-a, min(b, c)) / a * 2".parse().unwrap();
        let operands: Vec<String> = formula.operands().iter().map(Operand::to_string).collect();
        assert_eq!(operands, ["a", "b", "c"]);
    }

    #[test]
    fn errors_say_what_was_expected_where() {
        let unexpected = |position, found: &str, expected| FormulaError::Unexpected {
            position,
            found: found.to_owned(),
            expected,
        };
        let end = |position, expected| FormulaError::UnexpectedEnd { position, expected };
        assert_eq!(formula_error(""), end(0, Expected::Value));
        assert_eq!(formula_error("a + "), end(4, Expected::Value));
        assert_eq!(formula_error("(a"), end(2, Expected::ClosingParenthesis));
        assert_eq!(formula_error("a[x"), end(3, Expected::ClosingBracket));
        assert_eq!(
            formula_error("a + * b"),
            unexpected(4, "*", Expected::Value)
        );
        assert_eq!(formula_error("+a"), unexpected(0, "+", Expected::Value));
        assert_eq!(formula_error("a b"), unexpected(2, "b", Expected::Operator));
        assert_eq!(formula_error("a)"), unexpected(1, ")", Expected::Operator));
        assert_eq!(
            formula_error("2(a)"),
            unexpected(1, "(", Expected::Operator)
        );
        assert_eq!(
            formula_error("a <= b"),
            unexpected(2, "<=", Expected::Operator)
        );
        assert_eq!(
            formula_error("(a, b)"),
            unexpected(2, ",", Expected::ClosingParenthesis)
        );
        assert_eq!(formula_error("a[]"), unexpected(2, "]", Expected::Option));
        assert_eq!(
            formula_error("a[x y]"),
            unexpected(4, "y", Expected::ClosingBracket)
        );
        assert_eq!(comparison_error("a"), end(1, Expected::ComparisonSign));
        assert_eq!(
            comparison_error("a )"),
            unexpected(2, ")", Expected::ComparisonSign)
        );
        assert_eq!(comparison_error("a <="), end(4, Expected::Value));
        assert_eq!(
            comparison_error("a < b < c"),
            unexpected(6, "<", Expected::Operator)
        );
        assert_eq!(
            comparison_error("a == b"),
            unexpected(3, "=", Expected::Value)
        );
        assert_eq!(
            comparison_error("received_from_below(-a) < 1"),
            unexpected(20, "-", Expected::Indicator)
        );
        assert_eq!(
            comparison_error("received_from_below(a + b) < 1"),
            unexpected(22, "+", Expected::ClosingParenthesis)
        );
    }

    #[test]
    fn limits() {
        let nested = |levels: usize| format!("{}1{}", "(".repeat(levels), ")".repeat(levels));
        assert_eq!(value(&nested(64)), Some(whole(1)));
        assert_eq!(
            formula_error(&nested(65)),
            FormulaError::TooDeep { position: 64 }
        );
        assert_eq!(
            formula_error(&"(".repeat(MAX_BYTES)),
            FormulaError::TooDeep { position: 64 }
        );
        assert_eq!(
            formula_error(&"-".repeat(MAX_BYTES)),
            FormulaError::TooDeep { position: 64 }
        );
        assert_eq!(
            formula_error(&"min(".repeat(300)),
            FormulaError::TooDeep { position: 256 }
        );
        assert_eq!(
            formula_error(&"1".repeat(2001)),
            FormulaError::TooLong { bytes: 2001 }
        );
        assert_eq!(value(&format!("1{}", "-1".repeat(99))), Some(whole(-98)));
        assert_eq!(
            formula_error(&format!("1{}", "-1".repeat(100))),
            FormulaError::TooManyValues { position: 200 }
        );
        let code = format!("a.{}", "b".repeat(98));
        assert_eq!(value(&code), None);
        assert!(matches!(
            formula_error(&format!("{code}b")),
            FormulaError::InvalidIndicator { .. }
        ));
    }

    #[test]
    fn text_is_kept_as_written() {
        let text = " 100*population.insured /\tpopulation.total ";
        let formula: Formula = text.parse().unwrap();
        assert_eq!(formula.to_string(), text);
        let written = serde_json::to_string(&formula).unwrap();
        assert_eq!(serde_json::from_str::<Formula>(&written).unwrap(), formula);
        assert!(serde_json::from_str::<Formula>("\"1 +\"").is_err());
        let comparison: Comparison = serde_json::from_str("\"fund.spent <= fund.raised\"").unwrap();
        assert_eq!(comparison.to_string(), "fund.spent <= fund.raised");
        assert_eq!(
            serde_json::to_string(&comparison).unwrap(),
            "\"fund.spent <= fund.raised\""
        );
    }

    #[test]
    fn rounding_takes_halves_away_from_zero() {
        let cases = [
            (fraction(5, 2), 0, 3),
            (fraction(-5, 2), 0, -3),
            (fraction(5, 1000), 2, 1),
            (fraction(-5, 1000), 2, -1),
            (fraction(4999, 1_000_000), 2, 0),
            (fraction(1, 3), 2, 33),
            (fraction(2, 3), 2, 67),
            (fraction(-2, 3), 2, -67),
            (fraction(9364, 100), 2, 9364),
            (fraction(936_350, 10_000), 1, 936),
            (fraction(1, 2), 0, 1),
            (fraction(-1, 2), 0, -1),
            (fraction(49, 100), 0, 0),
            (whole(-7), 3, -7000),
            (whole(0), 5, 0),
        ];
        for (value, decimals, mantissa) in cases {
            assert_eq!(
                rounded(&value, decimals),
                BigInt::from(mantissa),
                "{value} at {decimals}"
            );
        }
        let just_below = fraction(5, 2) - BigRational::new(1.into(), BigInt::from(10).pow(60));
        assert_eq!(rounded(&just_below, 0), BigInt::from(2));
    }

    /// An expression written by a generator, and what it must yield, computed without this module's
    /// tree.
    #[derive(Debug, Clone)]
    struct Written {
        text: String,
        value: Option<BigRational>,
    }

    fn leaf() -> impl Strategy<Value = Written> {
        prop_oneof![
            (0_i64..1000, 0_i64..100).prop_map(|(whole, hundredths)| Written {
                text: format!("{whole}.{hundredths:02}"),
                value: Some(fraction(whole * 100 + hundredths, 100)),
            }),
            prop::sample::select(vec![
                ("a", Some(6)),
                ("b", Some(8)),
                ("docs.issued[plan]", Some(4)),
                ("zero", Some(0)),
                ("gone", None)
            ])
            .prop_map(|(code, value)| Written {
                text: code.to_owned(),
                value: value.map(whole)
            }),
        ]
    }

    fn combined(symbol: usize, left: Written, right: Written) -> Written {
        let both = left.value.clone().zip(right.value.clone());
        let (left_text, right_text) = (left.text, right.text);
        match symbol {
            0 => Written {
                text: format!("({left_text} + {right_text})"),
                value: both.map(|(l, r)| l + r),
            },
            1 => Written {
                text: format!("({left_text}-{right_text})"),
                value: both.map(|(l, r)| l - r),
            },
            2 => Written {
                text: format!("({left_text}*{right_text})"),
                value: both.map(|(l, r)| l * r),
            },
            3 => Written {
                text: format!("({left_text} / {right_text})"),
                value: both.filter(|(_, r)| !r.is_zero()).map(|(l, r)| l / r),
            },
            4 => Written {
                text: format!("min({left_text}, {right_text})"),
                value: both.map(|(l, r)| l.min(r)),
            },
            5 => Written {
                text: format!("max( {left_text},{right_text})"),
                value: both.map(|(l, r)| l.max(r)),
            },
            6 => Written {
                text: format!("coalesce({left_text}, {right_text})"),
                value: left.value.or(right.value),
            },
            _ => Written {
                text: format!("-{left_text}"),
                value: left.value.map(|value| -value),
            },
        }
    }

    fn expression() -> impl Strategy<Value = Written> {
        leaf().prop_recursive(5, 32, 2, |inner| {
            (0_usize..8, inner.clone(), inner)
                .prop_map(|(symbol, left, right)| combined(symbol, left, right))
        })
    }

    proptest! {
        #[test]
        fn meaning_survives_display_and_reading(written in expression()) {
            let formula: Formula = written.text.parse().unwrap();
            prop_assert_eq!(formula.evaluate(&figures).value, written.value);
            prop_assert_eq!(formula.to_string().parse::<Formula>(), Ok(formula));
        }

        #[test]
        fn comparisons_agree_with_the_order_of_values(left in expression(), right in expression()) {
            let both = left.value.zip(right.value);
            let comparison = |sign| holds(&format!("{} {sign} {}", left.text, right.text));
            prop_assert_eq!(comparison("<="), both.as_ref().map(|(l, r)| l <= r));
            prop_assert_eq!(comparison("!="), both.as_ref().map(|(l, r)| l != r));
            prop_assert_eq!(comparison(">"), both.as_ref().map(|(l, r)| l > r));
        }

        #[test]
        fn a_quotient_is_the_value_but_for_a_constant(left in expression(), right in expression(), constant in 1_i64..1000) {
            let plain = evaluate(&format!("coalesce(a, 0) * {} / ({} + b)", left.text, right.text));
            let scaled = evaluate(&format!("{constant} * (coalesce(a, 0) * {} / ({} + b))", left.text, right.text));
            prop_assert_eq!(&plain.quotient, &scaled.quotient);
            prop_assert_eq!(plain.value.map(|value| value * whole(constant)), scaled.value);
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = text.parse::<Formula>();
            let _ = text.parse::<Comparison>();
        }

        #[test]
        fn any_text_of_the_alphabet_is_read_or_refused(text in "([a-c.1_ ]|[-+*/(),]|\\[|\\]|min\\(|coalesce\\(|received_from_below\\(|<=?|!?=|ă){0,60}") {
            if let Err(FormulaError::Unexpected { position, found, .. }) = text.parse::<Comparison>() {
                prop_assert!(text[position..].starts_with(&found));
            }
            if let Ok(formula) = text.parse::<Formula>() {
                let _ = formula.evaluate(&figures);
            }
        }

        #[test]
        fn rounding_is_the_nearest_mantissa(numerator in any::<i64>(), denominator in 1_i64.., decimals in 0_u32..6) {
            let value = fraction(numerator, denominator);
            let scaled = &value * BigInt::from(10).pow(decimals);
            let distance = BigRational::from_integer(rounded(&value, decimals)) - &scaled;
            prop_assert!(distance <= fraction(1, 2) && distance >= fraction(-1, 2));
            prop_assert_eq!(rounded(&-value.clone(), decimals), -rounded(&value, decimals));
        }
    }
}
