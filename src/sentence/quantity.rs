//! Texts that are no quantities, in words.

use crate::domain::naming::Named;
use crate::domain::quantity::{QuantityFault, WrongQuantity, thousands, without_separators};
use crate::domain::text::clipped;
use crate::error::{Code, Message, counted};
use crate::message;

/// Tells whoever entered a value for `name` what is wrong with it.
pub fn wrong_quantity(name: &Named, wrong: &WrongQuantity) -> (Code, Message) {
    let digits = without_separators(&wrong.text).unwrap_or_default();
    let text = clipped(&wrong.text);
    let message = match wrong.fault {
        QuantityFault::Empty => message!(
            "Chưa có giá trị của {name}. Hãy nhập một số, hoặc bỏ dòng này nếu chưa có số liệu.",
            "The value of {name} is empty. Enter a number, or leave the line out where there is none yet.",
            name
        ),
        QuantityFault::Grouped => message!(
            "Giá trị của {name} có dấu ngăn cách hàng nghìn ({text}). Hãy viết liền: {digits}.",
            "The value of {name} has thousands separators ({text}). Write it without: {digits}.",
            name
        ),
        QuantityFault::DecimalComma => {
            let pointed = text.replace(',', ".");
            message!(
                "Giá trị của {name} có dấu phẩy ({text}). Dấu thập phân là dấu chấm ({pointed}); số hàng nghìn viết liền, không có dấu.",
                "The value of {name} has a comma ({text}). Write decimals with a point ({pointed}), and thousands without a separator.",
                name
            )
        }
        QuantityFault::NotANumber => message!(
            "Giá trị của {name} không phải là số. Hãy viết liền, không dấu ngăn cách hàng nghìn (1500000); dấu thập phân là dấu chấm.",
            "The value of {name} is not a number. Write it without thousands separators (1500000), with a decimal point.",
            name
        ),
        QuantityFault::TooManyDecimals => too_many_decimals(name, &text, wrong.decimals.get()),
        QuantityFault::OutOfRange => message!(
            "Giá trị của {name} quá lớn. Hãy kiểm tra số chữ số và đơn vị tính.",
            "The value of {name} is too large. Check its digits and its unit of measure.",
            name
        ),
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
        let most = counted(decimals.into(), "decimal", "decimals");
        return message!(
            "{name} có nhiều nhất {decimals} chữ số thập phân; số liệu không được làm tròn giúp. Hãy nhập lại ({text}).",
            "{name} has at most {most}; nothing is rounded for you. Enter it again ({text}).",
            name
        );
    }
    match thousands(text) {
        Some(digits) => message!(
            "{name} là số nguyên, còn {text} có dấu chấm. Nếu là hàng nghìn, hãy viết liền: {digits}; số liệu không được làm tròn giúp.",
            "{name} is a whole number, and {text} has a point. If it stands between thousands, write {digits}; nothing is rounded for you.",
            name
        ),
        None => message!(
            "{name} là số nguyên, không có chữ số thập phân; số liệu không được làm tròn giúp. Hãy nhập lại ({text}).",
            "{name} is a whole number without decimals; nothing is rounded for you. Enter it again ({text}).",
            name
        ),
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
            "x has at most 2 decimals; nothing is rounded for you. Enter it again (93.645)."
        );
        assert!(told("0.15", 1).starts_with("x has at most 1 decimal;"));
        assert!(told("", 2).starts_with("The value of x is empty."));
        assert!(told("93,64", 2).contains("with a point (93.64)"));
        assert!(told("1e30", 0).contains("too large"));
        assert!(!told("1.5", 0).contains("thousands"));
    }
}
