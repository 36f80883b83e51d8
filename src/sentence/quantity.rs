//! Texts that are no quantities, in words.

use crate::domain::naming::Named;
use crate::domain::quantity::{QuantityFault, WrongQuantity, thousands, without_separators};
use crate::domain::text::clipped;
use crate::error::{Code, Message};
use crate::locale::Count;
use crate::message;

/// Tells whoever entered a value for `name` what is wrong with it.
pub fn wrong_quantity(name: &Named, wrong: &WrongQuantity) -> (Code, Message) {
    let digits = without_separators(&wrong.text).unwrap_or_default();
    let text = clipped(&wrong.text);
    let message = match wrong.fault {
        QuantityFault::Empty => message!("quantity-empty", name),
        QuantityFault::Grouped => message!("quantity-grouped", name, text, digits),
        QuantityFault::DecimalComma => {
            let pointed = text.replace(',', ".");
            message!("quantity-decimal-comma", name, text, pointed)
        }
        QuantityFault::NotANumber => message!("quantity-no-number", name, text),
        QuantityFault::TooManyDecimals => too_many_decimals(name, &text, wrong.decimals.get()),
        QuantityFault::OutOfRange => message!("quantity-out-of-range", name),
    };
    (code(wrong.fault), message)
}

fn code(fault: QuantityFault) -> Code {
    match fault {
        QuantityFault::TooManyDecimals => Code::TooManyDecimals,
        QuantityFault::OutOfRange => Code::ValueOutOfRange,
        QuantityFault::Empty
        | QuantityFault::Grouped
        | QuantityFault::DecimalComma
        | QuantityFault::NotANumber => Code::InvalidNumber,
    }
}

/// Of a whole number the point may have been meant between thousands; of one with decimals it was
/// not.
fn too_many_decimals(name: &Named, text: &str, decimals: u8) -> Message {
    if decimals > 0 {
        return message!(
            "quantity-too-many-decimals",
            name,
            text,
            decimals = Count(decimals.into())
        );
    }
    match thousands(text) {
        Some(digits) => message!("quantity-whole-with-point", name, text, digits),
        None => message!("quantity-whole-with-decimals", name, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::quantity::{Decimals, read_quantity};

    #[test]
    fn a_wrong_number_is_told_what_is_wrong_with_it() {
        let told = |text: &str, decimals: u8| {
            let decimals = Decimals::new(decimals).unwrap();
            let wrong = read_quantity(text, decimals).unwrap_err();
            wrong_quantity(&Named::plain("x"), &wrong).1.en
        };
        let thousands = ["1.562.410.000", "1.000"].map(|text| told(text, 0));
        assert!(
            thousands[0].ends_with("Write it without: 1562410000."),
            "{thousands:?}"
        );
        assert!(thousands[1].contains("write 1000;"), "{thousands:?}");
        assert_eq!(
            told("93.645", 2),
            "x has at most 2 decimals, and 93.645 has more. Nothing is rounded for you: enter it again."
        );
        assert!(told("0.15", 1).starts_with("x has at most 1 decimal,"));
        assert!(told("", 2).starts_with("The value of x is empty."));
        assert!(told("93,64", 2).contains("with a point (93.64)"));
        assert!(told("trên 5", 0).starts_with("The value of x is not a number (trên 5)."));
        assert!(told("1e30", 0).contains("too large"));
        assert!(!told("1.5", 0).contains("thousands"));
    }
}
