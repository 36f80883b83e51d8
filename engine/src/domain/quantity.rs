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
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
    /// Nothing but spaces.
    Empty,
    /// A whole number with a separator between thousands: `1.562.410.000`, `1 500 000`.
    Grouped,
    /// Digits with a comma where a point should be: `93,64`.
    DecimalComma,
    NotANumber,
    TooManyDecimals,
    OutOfRange,
}

/// A text that was entered as a quantity at so many decimals, and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongQuantity {
    pub fault: QuantityFault,
    /// The text without the spaces around it, as far as it is ever read.
    pub text: String,
    pub decimals: Decimals,
}

impl WrongQuantity {
    fn new(fault: QuantityFault, text: &str, decimals: Decimals) -> WrongQuantity {
        WrongQuantity {
            fault,
            text: text.trim().chars().take(LONGEST_TEXT).collect(),
            decimals,
        }
    }
}

/// Reads a quantity as [`parse_mantissa`] does.
///
/// # Errors
/// The fault, with the text and the decimals that it is about.
pub fn read_quantity(text: &str, decimals: Decimals) -> Result<i64, WrongQuantity> {
    parse_mantissa(text, decimals).map_err(|fault| WrongQuantity::new(fault, text, decimals))
}

/// The longest decimal text that is read; the longest sensible one has 20 characters.
pub const LONGEST_TEXT: usize = 100;
/// No quantity has more digits than an i64 before its trailing zeros are brought in.
const MOST_DIGITS: usize = 64;

/// Reads a decimal text (the text of a JSON number, so an exponent is allowed) as a mantissa at
/// `decimals`; spaces around it are no part of it. Zeros at the end are decimals too: who writes
/// `1.000` may well mean a thousand.
///
/// # Errors
/// More decimals than the indicator has are a fault and never rounded; so is a mantissa beyond
/// an i64.
pub fn parse_mantissa(text: &str, decimals: Decimals) -> Result<i64, QuantityFault> {
    let text = text.trim();
    if text.is_empty() {
        return Err(QuantityFault::Empty);
    }
    if text.len() > LONGEST_TEXT {
        return Err(QuantityFault::NotANumber);
    }
    parse_number(text, decimals).map_err(|fault| match fault {
        QuantityFault::NotANumber => as_written_by_hand(text),
        other => other,
    })
}

/// The fault of a text that is no number, by what its writer may have meant.
fn as_written_by_hand(text: &str) -> QuantityFault {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once(',') {
        _ if without_separators(text).is_some() => QuantityFault::Grouped,
        Some((whole, fraction)) if is_digits(whole) && is_digits(fraction) => {
            QuantityFault::DecimalComma
        }
        _ => QuantityFault::NotANumber,
    }
}

/// The digits of a whole number that is written with a separator between thousands; none where it
/// is not written so. `1.000` alone is as well a one with three decimals, and is not written so.
pub fn without_separators(text: &str) -> Option<String> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let separator = unsigned.chars().find(|c| !c.is_ascii_digit())?;
    let is_separator = matches!(separator, '.' | ',' | '\'' | '_') || separator.is_whitespace();
    let mut groups = unsigned.split(separator);
    let first = groups
        .next()
        .filter(|first| is_digits(first) && first.len() <= 3)?;
    let groups: Vec<&str> = groups.collect();
    let is_plain = groups.len() > 1 || !matches!(separator, '.' | ',');
    let are_thousands = groups
        .iter()
        .all(|group| is_digits(group) && group.len() == 3);
    (is_separator && is_plain && are_thousands).then(|| format!("{sign}{first}{}", groups.concat()))
}

fn parse_number(text: &str, decimals: Decimals) -> Result<i64, QuantityFault> {
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

/// The digits of `1.000`, if its point may stand between thousands: not in `0.000`, nor in
/// `1000.000`.
pub fn thousands(text: &str) -> Option<String> {
    let (whole, group) = text.split_once('.')?;
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let leads = is_digits(digits) && digits.len() <= 3 && !digits.starts_with('0');
    (leads && group.len() == 3 && is_digits(group)).then(|| format!("{whole}{group}"))
}

/// An exact decimal number of any size, as it is shown: written without zeros at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// `mantissa` at `decimals` digits after the point. The mantissa is any whole number.
    pub fn new(mantissa: impl fmt::Display, decimals: u8) -> Decimal {
        let text = mantissa.to_string();
        if decimals == 0 {
            return Decimal(text);
        }
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

    /// The number of a document that was made of decimals.
    pub fn of_document(number: &serde_json::Number) -> Decimal {
        Decimal(number.to_string())
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
        // Most are small whole numbers, which need not be read as a number of any size first.
        if let Ok(whole) = self.0.parse::<i64>()
            && whole != 0
        {
            return serializer.serialize_i64(whole);
        }
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
            (" 1500000\u{a0}", 0, Ok(1_500_000)),
            ("", 0, Err(Empty)),
            (" ", 0, Err(Empty)),
            ("1.562.410.000", 0, Err(Grouped)),
            ("-1,500,000", 0, Err(Grouped)),
            ("1 500", 0, Err(Grouped)),
            ("1.5.0", 0, Err(NotANumber)),
            ("1,000", 0, Err(DecimalComma)),
            ("-", 0, Err(NotANumber)),
            ("+1", 0, Err(NotANumber)),
            ("1,5", 1, Err(DecimalComma)),
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
