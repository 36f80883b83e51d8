//! Quantities: exact decimal numbers as people submit and read them, and how sure they are.
//! Never a float, and never how quantities add up: that is `rollup`'s.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How many digits after the decimal point an indicator has, 0 to 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Decimals(u8);

impl Decimals {
    pub const MAX: u8 = 9;

    pub fn new(decimals: u8) -> Option<Decimals> {
        (decimals <= Decimals::MAX).then_some(Decimals(decimals))
    }

    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Decimals {
    type Error = &'static str;

    fn try_from(decimals: u8) -> Result<Decimals, &'static str> {
        Decimals::new(decimals).ok_or("more than nine decimals")
    }
}

impl From<Decimals> for u8 {
    fn from(decimals: Decimals) -> u8 {
        decimals.0
    }
}

/// How sure a submitted value is, and so how a printed one must be read.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Qualifier {
    /// chính xác
    #[default]
    Exact,
    /// trên: at least this much
    AtLeast,
    /// dưới, gần: at most this much
    AtMost,
    /// ước
    Estimate,
}

impl Qualifier {
    /// The qualifier of a sum of two parts: an estimate where one is an estimate or where an
    /// upper and a lower bound meet, else the bound, else exact.
    #[must_use]
    pub fn and(self, other: Qualifier) -> Qualifier {
        match (self, other) {
            (Qualifier::Exact, any) | (any, Qualifier::Exact) => any,
            (one, same) if one == same => one,
            _ => Qualifier::Estimate,
        }
    }
}

/// Why a decimal text is not a quantity of an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantityFault {
    NotANumber,
    TooManyDecimals,
    OutOfRange,
}

/// The longest decimal text that is read; the longest sensible one has 20 characters.
const LONGEST_TEXT: usize = 100;
/// No quantity has more digits than an i64 before its trailing zeros are brought in.
const MOST_DIGITS: usize = 64;

/// Reads a decimal text (the text of a JSON number, so an exponent is allowed) as a mantissa at
/// `decimals`. Zeros at the end are decimals too: who writes `1.000` may well mean a thousand.
///
/// # Errors
/// More decimals than the indicator has are a fault and never rounded; so is a mantissa beyond
/// an i64.
pub fn parse_mantissa(text: &str, decimals: Decimals) -> Result<i64, QuantityFault> {
    if text.len() > LONGEST_TEXT {
        return Err(QuantityFault::NotANumber);
    }
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (number, exponent) = split_exponent(unsigned)?;
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if is_digits(fraction) => (whole, fraction),
        Some(_) => return Err(QuantityFault::NotANumber),
        None => (number, ""),
    };
    if !is_digits(whole) {
        return Err(QuantityFault::NotANumber);
    }
    let digits = format!("{whole}{fraction}");
    let fraction_length = i64::try_from(fraction.len()).map_err(|_| QuantityFault::NotANumber)?;
    let shift = i64::from(decimals.get()) + exponent - fraction_length;
    let scaled = shifted(digits.trim_start_matches('0'), shift)?;
    let sign = if negative { "-" } else { "" };
    format!("{sign}{scaled}")
        .parse()
        .map_err(|_| QuantityFault::OutOfRange)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn split_exponent(text: &str) -> Result<(&str, i64), QuantityFault> {
    let Some((number, exponent)) = text.split_once(['e', 'E']) else {
        return Ok((text, 0));
    };
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if !is_digits(unsigned) {
        return Err(QuantityFault::NotANumber);
    }
    // An exponent of more than nine digits is beyond any quantity; its sign says on which side.
    let magnitude = unsigned
        .parse::<u32>()
        .map_or(i64::from(u32::MAX), i64::from);
    Ok((
        number,
        if exponent.starts_with('-') {
            -magnitude
        } else {
            magnitude
        },
    ))
}

/// `digits` (without leading zeros) times ten to the power of `shift`.
fn shifted(digits: &str, shift: i64) -> Result<String, QuantityFault> {
    if digits.is_empty() {
        return Ok("0".to_owned());
    }
    let places = usize::try_from(shift).map_err(|_| QuantityFault::TooManyDecimals)?;
    if places > MOST_DIGITS {
        return Err(QuantityFault::OutOfRange);
    }
    Ok(format!("{digits}{}", "0".repeat(places)))
}

/// An exact decimal number of any size, as it is shown: written without zeros at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// `mantissa` at `decimals` digits after the point. The mantissa is any whole number.
    pub fn new(mantissa: impl fmt::Display, decimals: u8) -> Decimal {
        let text = mantissa.to_string();
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text.as_str()),
        };
        let places = usize::from(decimals);
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        Decimal(format!("{sign}{whole}{point}{fraction}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is written in Vietnamese: `1.562.410.000`, `93,64`.
    pub fn vietnamese(&self) -> String {
        let (sign, unsigned) = match self.0.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", self.0.as_str()),
        };
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((whole, fraction)) => (whole, format!(",{fraction}")),
            None => (unsigned, String::new()),
        };
        let mut grouped = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                grouped.push('.');
            }
            grouped.push(digit);
        }
        format!("{sign}{grouped}{fraction}")
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Decimal {
    /// A JSON number with exactly this text.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0
            .parse::<serde_json::Number>()
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, decimals: u8) -> Result<i64, QuantityFault> {
        parse_mantissa(text, Decimals::new(decimals).unwrap())
    }

    #[test]
    fn a_decimal_text_is_read_exactly_or_refused() {
        use QuantityFault::*;
        let cases = [
            ("1562410000", 0, Ok(1_562_410_000)),
            ("93.64", 2, Ok(9364)),
            ("93.6", 2, Ok(9360)),
            ("93.640", 2, Err(TooManyDecimals)),
            ("1.000", 0, Err(TooManyDecimals)),
            ("93.645", 2, Err(TooManyDecimals)),
            ("5.0", 0, Err(TooManyDecimals)),
            ("-0.5", 1, Ok(-5)),
            ("-0", 0, Ok(0)),
            ("1.5e3", 0, Ok(1500)),
            ("15e-1", 1, Ok(15)),
            ("15e-1", 0, Err(TooManyDecimals)),
            ("0e999999999999", 0, Ok(0)),
            ("1e999999999999", 0, Err(OutOfRange)),
            ("1e-999999999999", 0, Err(TooManyDecimals)),
            ("9223372036854775807", 0, Ok(i64::MAX)),
            ("-9223372036854775808", 0, Ok(i64::MIN)),
            ("9223372036854775808", 0, Err(OutOfRange)),
            ("92233720368547758.07", 2, Ok(i64::MAX)),
            ("92233720368547758.08", 2, Err(OutOfRange)),
            ("", 0, Err(NotANumber)),
            ("-", 0, Err(NotANumber)),
            ("+1", 0, Err(NotANumber)),
            ("1,5", 1, Err(NotANumber)),
            ("1.", 1, Err(NotANumber)),
            (".5", 1, Err(NotANumber)),
            ("NaN", 0, Err(NotANumber)),
            ("1e", 0, Err(NotANumber)),
            ("١", 0, Err(NotANumber)),
        ];
        for (text, decimals, expected) in cases {
            assert_eq!(read(text, decimals), expected, "{text} at {decimals}");
        }
    }

    #[test]
    fn a_decimal_is_written_without_needless_zeros() {
        let cases = [
            (9364_i128, 2, "93.64", "93,64"),
            (10_000, 2, "100", "100"),
            (5, 2, "0.05", "0,05"),
            (-5, 1, "-0.5", "-0,5"),
            (1_562_410_000, 0, "1562410000", "1.562.410.000"),
            (-1_234_500, 2, "-12345", "-12.345"),
            (0, 2, "0", "0"),
            (
                i128::MAX,
                0,
                "170141183460469231731687303715884105727",
                "170.141.183.460.469.231.731.687.303.715.884.105.727",
            ),
        ];
        for (mantissa, decimals, plain, vietnamese) in cases {
            let decimal = Decimal::new(mantissa, decimals);
            assert_eq!(decimal.as_str(), plain);
            assert_eq!(decimal.vietnamese(), vietnamese);
            assert_eq!(serde_json::to_string(&decimal).unwrap(), plain);
        }
    }
}
