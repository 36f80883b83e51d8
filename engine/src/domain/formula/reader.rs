//! The reader of expressions: tokens, and the grammar.

use std::iter::Peekable;
use std::vec::IntoIter;

use num_bigint::BigInt;
use num_rational::BigRational;

use super::expression::{Expression, Operand, RECEIVED_FROM_BELOW, Sign, Source, Term};
use super::fault::{Expected, FormulaError, MAX_BYTES, MAX_NESTING, MAX_VALUES};
use crate::domain::id::{IndicatorCode, OptionCode};

/// Two-character symbols come first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 15] = [
    "<=", ">=", "!=", "<", ">", "=", "+", "-", "*", "/", "(", ")", "[", "]", ",",
];

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
pub(super) enum Dialect {
    Formula,
    Comparison,
}

type Parsed = Result<Expression, FormulaError>;

/// Recursive descent; one method a line of the grammar above.
pub(super) struct Parser<'a> {
    tokens: Peekable<IntoIter<Token<'a>>>,
    length: usize,
    nesting: usize,
    values: usize,
    dialect: Dialect,
}

impl<'a> Parser<'a> {
    pub fn new(text: &'a str, dialect: Dialect) -> Result<Self, FormulaError> {
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

    pub fn sum(&mut self) -> Parsed {
        self.chain(["+", "-"], Self::product, Expression::Sum)
    }

    fn product(&mut self) -> Parsed {
        self.chain(["*", "/"], Self::signed, Expression::Product)
    }

    fn chain(
        &mut self,
        symbols: [&str; 2],
        next: fn(&mut Self) -> Parsed,
        wrap: fn(Vec<Term>) -> Expression,
    ) -> Parsed {
        let [_, inverse_symbol] = symbols;
        let first = next(self)?;
        let mut others = Vec::new();
        while let Some(symbol) = self.tokens.next_if(|token| symbols.contains(&token.text)) {
            others.push(Term {
                inverse: symbol.text == inverse_symbol,
                node: next(self)?,
            });
        }
        if others.is_empty() {
            return Ok(first);
        }
        others.insert(
            0,
            Term {
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
                .map(|node| Expression::Negation(Box::new(node))),
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
            self.operand(name, Source::Total).map(Expression::Operand)
        }
    }

    fn operand(&mut self, name: Token<'a>, source: Source) -> Result<Operand, FormulaError> {
        let Token { position, text } = name;
        let indicator =
            text.parse::<IndicatorCode>()
                .map_err(|_| FormulaError::InvalidIndicator {
                    position,
                    found: text.to_owned(),
                })?;
        let option = if self.accept("[") {
            Some(self.option()?)
        } else {
            None
        };
        Ok(Operand {
            indicator,
            option,
            source,
        })
    }

    fn option(&mut self) -> Result<OptionCode, FormulaError> {
        let token = self.take(Expected::Option)?;
        if !token.is_word() {
            return Err(token.unexpected(Expected::Option));
        }
        let Token { position, text } = token;
        let option = text
            .parse::<OptionCode>()
            .map_err(|_| FormulaError::InvalidOption {
                position,
                found: text.to_owned(),
            })?;
        self.close("]", Expected::ClosingBracket)?;
        Ok(option)
    }

    fn function(&mut self, name: Token<'a>) -> Parsed {
        let Token { position, text } = name;
        match text {
            "coalesce" => self.coalesce(name),
            "min" => self.at_least_two(name).map(Expression::Minimum),
            "max" => self.at_least_two(name).map(Expression::Maximum),
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
            <[Expression; 2]>::try_from(arguments).map_err(|_| wrong_count(name, count))?;
        Ok(Expression::Coalesce(Box::new(node), Box::new(substitute)))
    }

    fn at_least_two(&mut self, name: Token<'a>) -> Result<Vec<Expression>, FormulaError> {
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
        Ok(Expression::Operand(operand))
    }

    fn arguments(&mut self, name: Token<'a>) -> Result<Vec<Expression>, FormulaError> {
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

    pub fn sign(&mut self) -> Result<Sign, FormulaError> {
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

    pub fn end(&mut self) -> Result<(), FormulaError> {
        self.tokens
            .next()
            .map_or(Ok(()), |token| Err(token.unexpected(Expected::Operator)))
    }
}

fn number(token: Token<'_>) -> Parsed {
    let Token { position, text } = token;
    decimal(text)
        .map(Expression::Number)
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
