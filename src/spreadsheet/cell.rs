//! Cells, as a spreadsheet shows them: their places (`B7`) and their contents.

use std::fmt;

use crate::domain::quantity::Decimal;

/// A row with its cells that are not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The number that the spreadsheet shows, from 1.
    pub number: u64,
    pub cells: Vec<Cell>,
}

impl Row {
    /// The content of a column, if it is not empty.
    pub fn content(&self, column: Column) -> Option<&Content> {
        let mut cells = self.cells.iter();
        let found = cells.find(|cell| cell.column == column);
        found.map(|cell| &cell.content)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub column: Column,
    pub content: Content,
}

/// A column, counted from 0 and shown by its letters: `A`, `Z`, `AA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column(pub u16);

impl Column {
    /// How many columns the spreadsheet programs have.
    pub const MOST: u16 = 16_384;

    /// Reads letters.
    pub(super) fn of_letters(letters: &str) -> Option<Column> {
        if letters.is_empty() {
            return None;
        }
        let number = letters.bytes().try_fold(0_u16, |number, letter| {
            let letter = letter.to_ascii_uppercase();
            let digit = letter.is_ascii_uppercase().then(|| letter - b'A' + 1)?;
            let number = number.checked_mul(26)?.checked_add(digit.into())?;
            (number <= Column::MOST).then_some(number)
        })?;
        number.checked_sub(1).map(Column)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = Vec::new();
        let mut rest = Some(self.0);
        while let Some(number) = rest {
            let letter = u8::try_from(number % 26).unwrap_or_default();
            letters.push(char::from(b'A' + letter));
            rest = (number / 26).checked_sub(1);
        }
        f.write_str(&letters.iter().rev().collect::<String>())
    }
}

/// The content of a cell. An empty one has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text, composed (Unicode's form C), with the spaces around it.
    Text(String),
    /// A number, as a decimal text of at most 15 significant digits: no spreadsheet keeps more.
    Number(String),
    /// A whole number of more digits than a spreadsheet keeps; its first 15.
    LongNumber(String),
    /// A number that is shown as a percentage: `93.64` for 93.64%.
    Percent(String),
    /// A number that is shown as a day or a time.
    Date(String),
    Boolean(bool),
    /// An error that the spreadsheet shows: `#REF!`.
    Error(String),
    /// A formula, with the value that the program last computed, if the file has one.
    Formula(Option<Box<Content>>),
}

impl Content {
    /// The text that a person sees, as far as the file tells it.
    pub fn shown(&self) -> String {
        match self {
            Content::Text(text)
            | Content::Number(text)
            | Content::LongNumber(text)
            | Content::Date(text)
            | Content::Error(text) => text.clone(),
            Content::Percent(number) => format!("{number}%"),
            Content::Boolean(true) => "TRUE".to_owned(),
            Content::Boolean(false) => "FALSE".to_owned(),
            Content::Formula(value) => {
                let value = value.as_ref().map(|value| value.shown());
                value.unwrap_or_default()
            }
        }
    }

    /// The text of a cell that names something: a code typed as a number is the same code.
    pub fn name(&self) -> Option<&str> {
        match self {
            Content::Text(text) | Content::Number(text) => Some(text.trim()),
            Content::LongNumber(_)
            | Content::Percent(_)
            | Content::Date(_)
            | Content::Boolean(_)
            | Content::Error(_)
            | Content::Formula(_) => None,
        }
    }
}

/// The digits that a spreadsheet keeps of a number.
const DIGITS: i32 = 15;

/// A number of a file, to 15 significant digits.
pub(super) struct FileNumber {
    /// The digits, without a point.
    digits: String,
    /// The power of ten of the first digit.
    exponent: i32,
    is_cut: bool,
}

impl FileNumber {
    /// Reads the text of a number; `None` if it is none.
    pub(super) fn read(text: &str) -> Option<FileNumber> {
        let value = text.trim().parse::<f64>().ok()?;
        if !value.is_finite() {
            return None;
        }
        // To 15 significant digits, 93.640000000000001 is 93.64.
        let shown = format!("{value:.14e}");
        let (mantissa, exponent) = shown.split_once('e')?;
        let digits = mantissa.replace('.', "");
        let is_zero = digits.bytes().all(|digit| matches!(digit, b'-' | b'0'));
        let number = FileNumber {
            digits: if is_zero { "0".to_owned() } else { digits },
            exponent: exponent.parse().ok()?,
            is_cut: false,
        };
        let is_long = number.exponent >= DIGITS;
        let is_cut = is_long && number.text() != value.to_string();
        Some(FileNumber { is_cut, ..number })
    }

    pub(super) fn content(&self) -> Content {
        match self.is_cut {
            true => Content::LongNumber(self.text()),
            false => Content::Number(self.text()),
        }
    }

    pub(super) fn percent(self) -> Content {
        let exponent = self.exponent + 2;
        Content::Percent(FileNumber { exponent, ..self }.text())
    }

    /// The decimal text. What no quantity reaches is written with its power of ten.
    fn text(&self) -> String {
        let places = DIGITS - 1 - self.exponent;
        match (u8::try_from(places), usize::try_from(-places)) {
            (Ok(decimals), _) => Decimal::new(&self.digits, decimals).to_string(),
            (Err(_), Ok(zeros)) if zeros <= 40 => {
                Decimal::new(format!("{}{}", self.digits, "0".repeat(zeros)), 0).to_string()
            }
            (Err(_), Ok(_) | Err(_)) => format!("{}e{}", self.digits, -places),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_the_letters_that_a_spreadsheet_shows() {
        for (number, letters) in [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (51, "AZ"),
            (52, "BA"),
            (701, "ZZ"),
            (702, "AAA"),
            (16_383, "XFD"),
        ] {
            assert_eq!(Column(number).to_string(), letters);
            assert_eq!(Column::of_letters(letters), Some(Column(number)));
        }
        for wrong in ["", "A1", "XFE", "ZZZZZZZZZZ", "Ă"] {
            assert_eq!(Column::of_letters(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_number_is_read_to_fifteen_digits_and_one_of_more_is_told() {
        let read = |text: &str| FileNumber::read(text).map(|number| number.content());
        let number = |text: &str| Some(Content::Number(text.to_owned()));
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("93.64", "93.64"),
            ("93.640000000000001", "93.64"),
            ("0.30000000000000004", "0.3"),
            ("1562410000", "1562410000"),
            ("-5.0", "-5"),
            ("1.5E3", "1500"),
            ("999999999999999", "999999999999999"),
            ("1E+15", "1000000000000000"),
            ("9.99999999999999E+17", "999999999999999000"),
            ("1e-5", "0.00001"),
        ] {
            assert_eq!(read(text), number(expected), "{text}");
        }
        assert_eq!(
            read("1234567890123456"),
            Some(Content::LongNumber("1234567890123460".to_owned()))
        );
        for wrong in ["", "x", "NaN", "inf", "1,5"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert!(matches!(
            read("1e300"),
            Some(Content::Number(_) | Content::LongNumber(_))
        ));
        let percent = FileNumber::read("0.9364").map(FileNumber::percent);
        assert_eq!(percent, Some(Content::Percent("93.64".to_owned())));
    }
}
