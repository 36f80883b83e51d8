//! Numbers in words, as a receipt writes an amount of money so that no digit of it can be changed.
//! Never what an amount is for.

use super::named::Named;
use super::quantity::Decimal;

/// The units of measure that are money, in both languages.
const MONEY: [(&str, &str); 4] = [
    ("đồng", "dong"),
    ("nghìn đồng", "thousand dong"),
    ("triệu đồng", "million dong"),
    ("tỷ đồng", "billion dong"),
];

/// Writes an amount of money as a sentence begins: `Một triệu đồng`. `None` if its unit of measure is
/// no money.
pub fn money_in_words(amount: &Decimal, unit_of_measure: &str) -> Option<Named> {
    let (vi, en) = MONEY.into_iter().find(|(vi, _)| *vi == unit_of_measure)?;
    let number = in_words(amount)?;
    Some(Named::new(
        capitalised(&format!("{} {vi}", number.vi())),
        capitalised(&format!("{} {en}", number.en())),
    ))
}

/// Writes a number. `None` if it has more than 38 digits before the point, which no total has.
pub fn in_words(number: &Decimal) -> Option<Named> {
    let text = number.as_str();
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let whole: u128 = whole.parse().ok()?;
    let spoken = |language: &Language| {
        let mut words = Vec::new();
        words.extend(is_negative.then_some(language.minus));
        match whole {
            0 => words.push(digit(&language.digits, 0)),
            _ => (language.whole)(whole, &mut words),
        }
        if !fraction.is_empty() {
            words.push(language.point);
            let digits = fraction.chars().filter_map(|one| one.to_digit(10));
            words.extend(digits.map(|one| digit(&language.digits, one.into())));
        }
        words.join(" ")
    };
    Some(Named::new(spoken(&VIETNAMESE), spoken(&ENGLISH)))
}

/// The words of a language, and the function that writes a whole number above zero.
struct Language {
    digits: [&'static str; 10],
    minus: &'static str,
    point: &'static str,
    whole: fn(u128, &mut Vec<&'static str>),
}

const VIETNAMESE: Language = Language {
    digits: [
        "không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín",
    ],
    minus: "âm",
    point: "phẩy",
    whole: |number, words| vietnamese(number, Position::First, words),
};

const ENGLISH: Language = Language {
    digits: [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ],
    minus: "minus",
    point: "point",
    whole: english,
};

fn digit(digits: &[&'static str; 10], number: u128) -> &'static str {
    let place = usize::try_from(number).unwrap_or_default();
    digits.get(place).copied().unwrap_or_default()
}

/// The place of a group of digits in its number. Only the first leaves out zeros in front.
#[derive(Clone, Copy)]
enum Position {
    First,
    Later,
}

const BILLION: u128 = 1_000_000_000;

/// Beyond a billion, the words begin anew: 10¹² is a thousand billion, 10¹⁸ a billion billion.
fn vietnamese(number: u128, position: Position, words: &mut Vec<&'static str>) {
    let mut position = position;
    let (billions, rest) = (number / BILLION, number % BILLION);
    if billions > 0 {
        vietnamese(billions, position, words);
        words.push("tỷ");
        position = Position::Later;
    }
    for (size, name) in [(1_000_000, Some("triệu")), (1000, Some("nghìn")), (1, None)] {
        let group = rest / size % 1000;
        if group > 0 {
            vietnamese_group(group, position, words);
            words.extend(name);
            position = Position::Later;
        }
    }
}

/// Three digits, of which some are not zero.
fn vietnamese_group(group: u128, position: Position, words: &mut Vec<&'static str>) {
    let of = |number| digit(&VIETNAMESE.digits, number);
    let (hundreds, tens, ones) = (group / 100, group / 10 % 10, group % 10);
    let tells_hundreds = match position {
        Position::First => hundreds > 0,
        Position::Later => true,
    };
    if tells_hundreds {
        words.extend([of(hundreds), "trăm"]);
    }
    match tens {
        0 => words.extend((tells_hundreds && ones > 0).then_some("linh")),
        1 => words.push("mười"),
        _ => words.extend([of(tens), "mươi"]),
    }
    match (tens, ones) {
        (_, 0) => {}
        (2.., 1) => words.push("mốt"),
        (2.., 4) => words.push("tư"),
        (1.., 5) => words.push("lăm"),
        _ => words.push(of(ones)),
    }
}

/// The names of the powers of a thousand, from the greatest below 2¹²⁸.
const ENGLISH_GROUPS: [&str; 12] = [
    "undecillion",
    "decillion",
    "nonillion",
    "octillion",
    "septillion",
    "sextillion",
    "quintillion",
    "quadrillion",
    "trillion",
    "billion",
    "million",
    "thousand",
];

fn english(number: u128, words: &mut Vec<&'static str>) {
    let names = ENGLISH_GROUPS.into_iter().map(Some).chain([None]);
    for (power, name) in (0..=12).rev().zip(names) {
        let group = number / 1000_u128.pow(power) % 1000;
        if group > 0 {
            english_group(group, words);
            words.extend(name);
        }
    }
}

const TENS: [&str; 10] = [
    "", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];

const TEENS: [&str; 10] = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

/// Three digits, of which some are not zero.
fn english_group(group: u128, words: &mut Vec<&'static str>) {
    let of = |number| digit(&ENGLISH.digits, number);
    let (hundreds, tens, ones) = (group / 100, group / 10 % 10, group % 10);
    if hundreds > 0 {
        words.extend([of(hundreds), "hundred"]);
    }
    match (tens, ones) {
        (0, 0) => {}
        (0, ones) => words.push(of(ones)),
        (1, ones) => words.push(digit(&TEENS, ones)),
        (tens, 0) => words.push(digit(&TENS, tens)),
        (tens, ones) => words.extend([digit(&TENS, tens), of(ones)]),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn words(mantissa: i128, decimals: u8) -> Named {
        in_words(&Decimal::new(mantissa, decimals)).unwrap()
    }

    #[test]
    fn numbers_are_written_as_a_clerk_writes_them() {
        let cases = [
            (0, "không", "zero"),
            (4, "bốn", "four"),
            (5, "năm", "five"),
            (10, "mười", "ten"),
            (11, "mười một", "eleven"),
            (14, "mười bốn", "fourteen"),
            (15, "mười lăm", "fifteen"),
            (20, "hai mươi", "twenty"),
            (21, "hai mươi mốt", "twenty one"),
            (24, "hai mươi tư", "twenty four"),
            (55, "năm mươi lăm", "fifty five"),
            (100, "một trăm", "one hundred"),
            (101, "một trăm linh một", "one hundred one"),
            (104, "một trăm linh bốn", "one hundred four"),
            (105, "một trăm linh năm", "one hundred five"),
            (110, "một trăm mười", "one hundred ten"),
            (115, "một trăm mười lăm", "one hundred fifteen"),
            (1_000, "một nghìn", "one thousand"),
            (1_005, "một nghìn không trăm linh năm", "one thousand five"),
            (
                2_021,
                "hai nghìn không trăm hai mươi mốt",
                "two thousand twenty one",
            ),
            (10_000, "mười nghìn", "ten thousand"),
            (
                1_000_001,
                "một triệu không trăm linh một",
                "one million one",
            ),
            (
                1_015_000,
                "một triệu không trăm mười lăm nghìn",
                "one million fifteen thousand",
            ),
            (1_000_000_000, "một tỷ", "one billion"),
            (
                1_005_000_000,
                "một tỷ không trăm linh năm triệu",
                "one billion five million",
            ),
            (1_000_000_000_000, "một nghìn tỷ", "one trillion"),
            (
                1_001_000_000_000,
                "một nghìn không trăm linh một tỷ",
                "one trillion one billion",
            ),
            (1_000_000_000_000_000_000, "một tỷ tỷ", "one quintillion"),
            (-21, "âm hai mươi mốt", "minus twenty one"),
        ];
        for (number, vi, en) in cases {
            let written = words(number, 0);
            assert_eq!((written.vi(), written.en()), (vi, en), "{number}");
        }
    }

    #[test]
    fn what_is_behind_the_point_is_written_digit_by_digit() {
        let cases = [
            (
                9364,
                2,
                "chín mươi ba phẩy sáu bốn",
                "ninety three point six four",
            ),
            (5, 2, "không phẩy không năm", "zero point zero five"),
            (-150, 2, "âm một phẩy năm", "minus one point five"),
            (500, 2, "năm", "five"),
        ];
        for (mantissa, decimals, vi, en) in cases {
            let written = words(mantissa, decimals);
            assert_eq!((written.vi(), written.en()), (vi, en));
        }
    }

    #[test]
    fn money_is_written_with_its_unit_of_measure() {
        let written = |amount: i128, unit: &str| {
            let words = money_in_words(&Decimal::new(amount, 0), unit);
            words.map(|words| format!("{} / {}", words.vi(), words.en()))
        };
        let expected = "Một tỷ năm trăm sáu mươi hai triệu bốn trăm mười nghìn đồng / \
            One billion five hundred sixty two million four hundred ten thousand dong";
        assert_eq!(written(1_562_410_000, "đồng").as_deref(), Some(expected));
        assert_eq!(
            written(0, "triệu đồng").as_deref(),
            Some("Không triệu đồng / Zero million dong")
        );
        assert_eq!(
            written(-5, "đồng").as_deref(),
            Some("Âm năm đồng / Minus five dong")
        );
        // A contract is no money.
        assert_eq!(written(5, "hợp đồng"), None);
        assert_eq!(written(5, "hộ"), None);
    }

    /// Reads words as a person does: what a word is worth is added to what came before it, or
    /// multiplies it.
    fn read(text: &str, worth: &BTreeMap<&str, u128>, groups: &BTreeMap<&str, u128>) -> u128 {
        let (mut total, mut group) = (0, 0);
        for word in text.split(' ') {
            match (word, groups.get(word)) {
                (_, Some(size)) => (total, group) = (total + group * size, 0),
                ("trăm" | "hundred", None) => group *= 100,
                ("mươi", None) => group = group / 10 * 10 + group % 10 * 10,
                ("linh", None) => {}
                (word, None) => group += worth[word],
            }
        }
        total + group
    }

    /// In Vietnamese, the tens are told as `hai mươi`: the digit before multiplies.
    fn read_vietnamese(text: &str) -> u128 {
        let digits = VIETNAMESE.digits.into_iter().zip(0..);
        let others = [("mười", 10), ("mốt", 1), ("tư", 4), ("lăm", 5)];
        let worth = digits.chain(others).collect();
        let groups = BTreeMap::from([("nghìn", 1000), ("triệu", 1_000_000)]);
        // Thousands and millions of billions begin a new number of their own.
        text.split(" tỷ").fold(0, |billions, part| {
            let part = part.trim_start();
            let rest = if part.is_empty() {
                0
            } else {
                read(part, &worth, &groups)
            };
            billions * BILLION + rest
        })
    }

    fn read_english(text: &str) -> u128 {
        let digits = ENGLISH.digits.into_iter().zip(0..);
        let teens = TEENS.into_iter().zip(10..);
        let tens = TENS
            .into_iter()
            .zip(0..)
            .map(|(word, ten)| (word, ten * 10));
        let worth = digits.chain(tens).chain(teens).collect();
        let powers = ENGLISH_GROUPS.into_iter().rev().zip(1..);
        let groups = powers.map(|(name, power)| (name, 1000_u128.pow(power)));
        read(text, &worth, &groups.collect())
    }

    fn reads_back(number: u128) {
        let written = in_words(&Decimal::new(number, 0)).unwrap();
        assert_eq!(read_vietnamese(written.vi()), number, "{}", written.vi());
        assert_eq!(read_english(written.en()), number, "{}", written.en());
    }

    #[test]
    fn small_numbers_are_read_back_as_they_were() {
        (0..=20_000).for_each(reads_back);
    }

    proptest! {
        #[test]
        fn any_total_is_read_back_as_it_was(number in any::<u128>(), shift in 0_u32..128) {
            reads_back(number >> shift);
        }
    }
}
