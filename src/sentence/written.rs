//! Numbers that people wrote into cells, in words: what is wrong with them, and how they were read.

use crate::domain::naming::Named;
use crate::domain::quantity::Decimal;
use crate::domain::text::clipped;
use crate::domain::written::{Mark, Marks, WrittenFault, WrongWritten};
use crate::error::{Code, Message};
use crate::locale::Count;
use crate::message;

/// Tells whoever wrote a number for `name` what is wrong with it.
pub fn wrong_written(name: &Named, wrong: &WrongWritten) -> (Code, Message) {
    let text = clipped(&wrong.text);
    let decimals = wrong.decimals.get();
    match &wrong.fault {
        WrittenFault::Empty => (Code::InvalidNumber, message!("written-empty", name)),
        WrittenFault::NotANumber => (
            Code::InvalidNumber,
            message!("written-no-number", name, text),
        ),
        WrittenFault::Ambiguous {
            with_thousands,
            with_decimals,
        } => (
            Code::InvalidNumber,
            ambiguous(name, &text, decimals, [with_thousands, with_decimals]),
        ),
        WrittenFault::Percent => (Code::InvalidNumber, message!("written-percent", name, text)),
        WrittenFault::TooManyDecimals => (
            Code::TooManyDecimals,
            too_many_decimals(name, &text, decimals),
        ),
        WrittenFault::OutOfRange => (
            Code::ValueOutOfRange,
            message!("written-out-of-range", name, text),
        ),
    }
}

fn ambiguous(name: &Named, text: &str, places: u8, readings: [&Decimal; 2]) -> Message {
    let [thousands, decimals] = readings;
    match places {
        0 => message!("written-ambiguous-whole", name, text, thousands, decimals),
        _ => message!("written-ambiguous", name, text, thousands, decimals, places),
    }
}

fn too_many_decimals(name: &Named, text: &str, decimals: u8) -> Message {
    match decimals {
        0 => message!("written-whole", name, text),
        _ => message!(
            "written-too-many-decimals",
            name,
            text,
            decimals = Count(decimals.into())
        ),
    }
}

/// How the marks of a number were read.
pub fn marks(marks: Marks) -> Message {
    match (marks.thousands.map(mark), marks.decimals.map(mark)) {
        (None, None) => message!("marks-none"),
        (Some(thousands), None) => message!("marks-thousands", thousands),
        (None, Some(decimals)) => message!("marks-decimals", decimals),
        (Some(thousands), Some(decimals)) => message!("marks-both", thousands, decimals),
    }
}

fn mark(mark: Mark) -> Message {
    match mark {
        Mark::Point => message!("mark-point"),
        Mark::Comma => message!("mark-comma"),
        Mark::Space => message!("mark-space"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::quantity::Decimals;
    use crate::domain::written::{Scale, read_written};

    fn scale(decimals: u8) -> Scale<'static> {
        Scale {
            decimals: Decimals::new(decimals).unwrap(),
            unit_of_measure: "người",
        }
    }

    #[test]
    fn a_text_of_two_readings_is_told_with_both() {
        let told = |text: &str, decimals: u8| {
            let wrong = read_written(text, scale(decimals)).unwrap_err();
            wrong_written(&Named::plain("x"), &wrong).1.en
        };
        assert!(told("1.562", 2).contains("can be read as 1562 or as 1.562"));
        assert!(told("7,370", 0).ends_with("for 7370 write it without a mark."));
        assert!(told("93,6", 0).starts_with("x is a whole number"));
        assert!(told("93,645,1", 2).contains("93,645,1"));
        assert!(told("0,15", 1).starts_with("x has at most 1 decimal,"));
        assert!(told("5%", 0).contains("not %"));
    }

    #[test]
    fn the_reading_of_marks_is_told() {
        let told = |text: &str| marks(read_written(text, scale(2)).unwrap().marks).vi;
        assert_eq!(told("5"), "các chữ số viết liền");
        assert_eq!(
            told("1.562,4"),
            "dấu chấm ngăn cách hàng nghìn, dấu phẩy là dấu thập phân"
        );
    }
}
