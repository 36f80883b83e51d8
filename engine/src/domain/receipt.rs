//! Receipts (biên nhận): the numbers by which the steps of reports are read later. Never what a step
//! did.

use std::fmt;
use std::str::FromStr;

use super::id::InvalidName;

/// The number of the receipt of one step: the rev of its commit, and the step's place among all that
/// the commit did. It is written `1042` for the first, and `1042-3` for the third.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReceiptNumber {
    rev: i64,
    /// How many come before it.
    before: usize,
}

impl ReceiptNumber {
    /// The number of a step that `before` others of its commit come before.
    pub fn new(rev: i64, before: usize) -> ReceiptNumber {
        ReceiptNumber { rev, before }
    }

    /// The number of a step that is the only one of its commit.
    pub fn of_only(rev: i64) -> ReceiptNumber {
        ReceiptNumber::new(rev, 0)
    }

    pub fn rev(self) -> i64 {
        self.rev
    }

    /// How many steps of the commit come before it.
    pub fn before(self) -> usize {
        self.before
    }
}

impl fmt::Display for ReceiptNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.before {
            0 => write!(f, "{}", self.rev),
            before => write!(f, "{}-{}", self.rev, before.saturating_add(1)),
        }
    }
}

impl FromStr for ReceiptNumber {
    type Err = InvalidName;

    /// Takes what is written for a number and nothing else, so that one receipt has one number.
    fn from_str(text: &str) -> Result<ReceiptNumber, InvalidName> {
        let wrong = || InvalidName("receipt number");
        let (rev, place) = text.split_once('-').unwrap_or((text, "1"));
        let rev = rev.parse().map_err(|_| wrong())?;
        let place: usize = place.parse().map_err(|_| wrong())?;
        let before = place.checked_sub(1).ok_or_else(wrong)?;
        let number = ReceiptNumber::new(rev, before);
        match number.to_string() == text {
            true => Ok(number),
            false => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_receipt_has_one_number() {
        for (text, rev, before) in [("1042", 1042, 0), ("1042-3", 1042, 2), ("7-256", 7, 255)] {
            let number = ReceiptNumber::new(rev, before);
            assert_eq!(number.to_string(), text);
            assert_eq!(text.parse(), Ok(number));
        }
        let wrong = [
            "",
            "-",
            "x",
            "7-",
            "7-0",
            "7-1",
            "07",
            "+7",
            "-7",
            " 7",
            "7-02",
            "7-2-3",
            "7.5",
            "99999999999999999999",
            "7-99999999999999999999",
        ];
        for text in wrong {
            assert!(text.parse::<ReceiptNumber>().is_err(), "{text}");
        }
    }
}
