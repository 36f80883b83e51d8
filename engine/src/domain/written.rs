//! Numbers as people write them into a cell: `1.562.410.000`, `93,64`, `trên 800`, `~5`. Read so
//! that none is ever taken for another: a text with two readings is refused, with both of them.
//! Never numbers of programs (`quantity`), and never cells or files.
//!
//! A point is a mark between thousands in Vietnamese and a decimal mark in English; a comma the
//! other way round. The decimals of the indicator decide where they can:
//!
//! | text | 0 decimals | 2 decimals |
//! |---|---|---|
//! | `7.370` | 7370 | refused: 7370 or 7.37 |
//! | `7,370` | refused: 7370 or 7.37 | refused: 7370 or 7.37 |
//! | `1.562.410.000`, `1 500`, `1,500,000` | thousands | thousands |
//! | `93,64`, `93.64` | refused: too many decimals | 93.64 |
//! | `1.562,4` | refused: too many decimals | 1562.4 |

use super::quantity::{Decimal, Decimals, LONGEST_TEXT, Qualifier, QuantityFault, parse_mantissa};
use super::text::{composed, folded, is_invisible};

/// A number that was read from a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// At the decimals of the indicator.
    pub mantissa: i64,
    pub qualifier: Qualifier,
    pub marks: Marks,
}

/// The marks in a number, as they were understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    pub thousands: Option<Mark>,
    pub decimals: Option<Mark>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Point,
    Comma,
    Space,
}

/// Why a text is not a number of an indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrittenFault {
    /// Nothing but spaces.
    Empty,
    NotANumber,
    /// One mark and three digits, which can be read in two ways.
    Ambiguous {
        with_thousands: Decimal,
        with_decimals: Decimal,
    },
    /// A percent sign, and the unit of measure is another.
    Percent,
    TooManyDecimals,
    OutOfRange,
}

/// A text that was written for an indicator and is not one of its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongWritten {
    pub fault: WrittenFault,
    /// The text without the spaces around it, as far as it is ever read.
    pub text: String,
    pub decimals: Decimals,
}

/// An indicator's scale: what its numbers look like.
#[derive(Debug, Clone, Copy)]
pub struct Scale<'i> {
    pub decimals: Decimals,
    pub unit_of_measure: &'i str,
}

impl Scale<'_> {
    fn wrong(self, text: &str, fault: WrittenFault) -> WrongWritten {
        WrongWritten {
            fault,
            text: text.chars().take(LONGEST_TEXT).collect(),
            decimals: self.decimals,
        }
    }

    fn is_percent(self) -> bool {
        self.unit_of_measure.trim() == "%"
    }
}

/// Reads what a person wrote: a qualifier, a sign, digits with marks, and a percent sign where the
/// unit of measure is `%`.
///
/// # Errors
/// [`WrongWritten`].
pub fn read_written(text: &str, scale: Scale<'_>) -> Result<Written, WrongWritten> {
    let text = composed(text);
    let text = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
    read_trimmed(text, scale).map_err(|fault| scale.wrong(text, fault))
}

/// Reads the number of a cell that a spreadsheet shows as a percentage: `93.64` where it shows
/// 93.64%.
///
/// # Errors
/// [`WrongWritten`].
pub fn read_percent(number: &str, scale: Scale<'_>) -> Result<i64, WrongWritten> {
    match scale.is_percent() {
        true => parse_mantissa(number, scale.decimals).map_err(WrittenFault::from),
        false => Err(WrittenFault::Percent),
    }
    .map_err(|fault| scale.wrong(number, fault))
}

/// Writes a number by hand so that it has one reading: with a decimal comma, without marks between
/// thousands. `1,562` would have two; a 0 before it leaves one.
pub fn in_plain_form(number: &Decimal) -> String {
    let text = number.as_str();
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", text),
    };
    let Some((whole, fraction)) = unsigned.split_once('.') else {
        return text.to_owned();
    };
    let may_be_thousands = are_thousands(&[whole, fraction]);
    let leading = if may_be_thousands { "0" } else { "" };
    format!("{sign}{leading}{whole},{fraction}")
}

/// Tells whether a text asks to take a value out: `xóa`, `clear`.
pub fn asks_to_empty(text: &str) -> bool {
    matches!(folded(text).as_str(), "xoa" | "clear")
}

fn read_trimmed(text: &str, scale: Scale<'_>) -> Result<Written, WrittenFault> {
    if text.is_empty() {
        return Err(WrittenFault::Empty);
    }
    let parts = Parts::of(text).ok_or(WrittenFault::NotANumber)?;
    let sign = sign_of_head(parts.head).ok_or(WrittenFault::NotANumber)?;
    let qualifier = qualifier_of(sign.words).ok_or(WrittenFault::NotANumber)?;
    match parts.tail.trim() {
        "" => {}
        "%" if scale.is_percent() => {}
        "%" => return Err(WrittenFault::Percent),
        _ => return Err(WrittenFault::NotANumber),
    }
    let (number, marks) = read_digits(sign.sign, parts.body, scale.decimals)?;
    Ok(Written {
        mantissa: parse_mantissa(&number, scale.decimals)?,
        qualifier,
        marks,
    })
}

impl From<QuantityFault> for WrittenFault {
    fn from(fault: QuantityFault) -> WrittenFault {
        match fault {
            QuantityFault::Empty => WrittenFault::Empty,
            QuantityFault::TooManyDecimals => WrittenFault::TooManyDecimals,
            QuantityFault::OutOfRange => WrittenFault::OutOfRange,
            QuantityFault::Grouped | QuantityFault::DecimalComma | QuantityFault::NotANumber => {
                WrittenFault::NotANumber
            }
        }
    }
}

/// A text around its digits.
struct Parts<'t> {
    head: &'t str,
    /// From the first digit to the last.
    body: &'t str,
    tail: &'t str,
}

impl Parts<'_> {
    fn of(text: &str) -> Option<Parts<'_>> {
        if text.chars().count() > LONGEST_TEXT {
            return None;
        }
        let is_digit = |c: char| c.is_ascii_digit();
        let start = text.find(is_digit)?;
        let end = text.rfind(is_digit)? + 1;
        Some(Parts {
            head: text.get(..start)?,
            body: text.get(start..end)?,
            tail: text.get(end..)?,
        })
    }
}

/// The part of a text before its digits: words, and a sign.
struct SignedHead<'t> {
    words: &'t str,
    sign: &'static str,
}

/// Finds the sign. It stands by itself: `ước-5` may as well be a dash.
fn sign_of_head(head: &str) -> Option<SignedHead<'_>> {
    let plain = SignedHead {
        words: head,
        sign: "",
    };
    let Some((words, sign)) = split_sign(head.trim_end()) else {
        return Some(plain);
    };
    let stands_alone = !words.ends_with(char::is_alphanumeric);
    stands_alone.then_some(SignedHead { words, sign })
}

fn split_sign(head: &str) -> Option<(&str, &'static str)> {
    let negative = head.strip_suffix(['-', '\u{2212}']).zip(Some("-"));
    negative.or_else(|| head.strip_suffix('+').zip(Some("")))
}

/// The words and signs before a number, without marks and case, by what they say of it. `trên 800`
/// is at least 800, as it is everywhere in the service.
const QUALIFIERS: [(Qualifier, &[&str]); 4] = [
    (Qualifier::Exact, &["", "=", "dung", "chinh xac", "exactly"]),
    (
        Qualifier::AtLeast,
        &[
            ">",
            ">=",
            "≥",
            "tren",
            "hon",
            "it nhat",
            "toi thieu",
            "khong duoi",
            "over",
            "above",
            "more than",
            "at least",
        ],
    ),
    (
        Qualifier::AtMost,
        &[
            "<",
            "<=",
            "≤",
            "duoi",
            "gan",
            "nhieu nhat",
            "toi da",
            "khong qua",
            "under",
            "below",
            "nearly",
            "almost",
            "less than",
            "at most",
            "up to",
        ],
    ),
    (
        Qualifier::Estimate,
        &[
            "~",
            "≈",
            "uoc",
            "uoc tinh",
            "uoc dat",
            "khoang",
            "chung",
            "xap xi",
            "about",
            "around",
            "approximately",
            "approx",
            "estimated",
            "estimate",
            "est",
            "ca",
        ],
    ),
];

fn qualifier_of(head: &str) -> Option<Qualifier> {
    let words = folded(without_stop(head));
    let known = |(_, texts): &&(Qualifier, &[&str])| texts.contains(&words.as_str());
    QUALIFIERS
        .iter()
        .find(known)
        .map(|(qualifier, _)| *qualifier)
}

/// Takes off the stop of `est. 5` and `ước: 5`. In `ước .5` and `ước.5` it may be a decimal mark,
/// and stays.
fn without_stop(head: &str) -> &str {
    let words = head.trim_end();
    let is_apart = words.len() < head.len();
    let stopped = words.strip_suffix(['.', ':']);
    let stopped = stopped.filter(|rest| is_apart && rest.ends_with(char::is_alphabetic));
    stopped.unwrap_or(words)
}

/// Reads digits with marks as a decimal text of programs.
fn read_digits(
    sign: &str,
    body: &str,
    decimals: Decimals,
) -> Result<(String, Marks), WrittenFault> {
    let (groups, marks) = split_at_marks(body).ok_or(WrittenFault::NotANumber)?;
    let signed = |(number, marks): (String, Marks)| (format!("{sign}{number}"), marks);
    let with_thousands = read_thousands(&groups, &marks).map(signed);
    let with_decimals = read_decimals(&groups, &marks).map(signed);
    match (with_thousands, with_decimals) {
        (Some(thousands), None) => Ok(thousands),
        (None, Some(decimal)) => Ok(decimal),
        (None, None) => Err(WrittenFault::NotANumber),
        // The point of a whole number stands between thousands. Its comma does so in English, and in
        // Vietnamese `5,000` is a five.
        (Some(thousands), Some(_))
            if decimals.get() == 0 && thousands.1.thousands != Some(Mark::Comma) =>
        {
            Ok(thousands)
        }
        (Some((whole, _)), Some(_)) => Err(WrittenFault::Ambiguous {
            with_decimals: Decimal::new(&whole, 3),
            with_thousands: Decimal::new(&whole, 0),
        }),
    }
}

/// The digits between the marks, and the marks.
fn split_at_marks(body: &str) -> Option<(Vec<&str>, Vec<Mark>)> {
    let is_digit = |c: char| c.is_ascii_digit();
    let marks = body.chars().filter(|c| !is_digit(*c)).map(mark);
    let marks: Vec<Mark> = marks.collect::<Option<_>>()?;
    let groups: Vec<&str> = body.split(|c| !is_digit(c)).collect();
    let are_apart = groups.iter().all(|group| !group.is_empty());
    are_apart.then_some((groups, marks))
}

fn mark(character: char) -> Option<Mark> {
    match character {
        '.' => Some(Mark::Point),
        ',' => Some(Mark::Comma),
        // A tab or the end of a line stands between two numbers.
        space if space.is_whitespace() && !is_invisible(space) => Some(Mark::Space),
        _ => None,
    }
}

/// The reading in which every mark stands between thousands.
fn read_thousands(groups: &[&str], marks: &[Mark]) -> Option<(String, Marks)> {
    let mark = match marks {
        [] => return None,
        [first, rest @ ..] => rest.iter().all(|mark| mark == first).then_some(*first)?,
    };
    let marks = Marks {
        thousands: Some(mark),
        decimals: None,
    };
    are_thousands(groups).then(|| (groups.concat(), marks))
}

/// The reading in which the last mark is the decimal mark, or there is none at all.
fn read_decimals(groups: &[&str], marks: &[Mark]) -> Option<(String, Marks)> {
    let (Some((decimal, others)), Some((fraction, whole))) =
        (marks.split_last(), groups.split_last())
    else {
        return Some((groups.concat(), Marks::default()));
    };
    let thousands = match others {
        [] => None,
        [first, ..] => Some(*first),
    };
    let is_one_mark = others.iter().all(|mark| Some(*mark) == thousands);
    let is_another = *decimal != Mark::Space && thousands != Some(*decimal);
    let is_whole = others.is_empty() || are_thousands(whole);
    let marks = Marks {
        thousands,
        decimals: Some(*decimal),
    };
    (is_one_mark && is_another && is_whole)
        .then(|| (format!("{}.{fraction}", whole.concat()), marks))
}

/// Tells whether all groups but the first have three digits, and the first leads them.
fn are_thousands(groups: &[&str]) -> bool {
    let [first, rest @ ..] = groups else {
        return false;
    };
    first.len() <= 3 && !first.starts_with('0') && rest.iter().all(|group| group.len() == 3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::text::decomposed;
    use super::*;

    fn scale(decimals: u8) -> Scale<'static> {
        Scale {
            decimals: Decimals::new(decimals).unwrap(),
            unit_of_measure: "người",
        }
    }

    fn read(text: &str, decimals: u8) -> Result<i64, WrittenFault> {
        let written = read_written(text, scale(decimals));
        written
            .map(|written| written.mantissa)
            .map_err(|wrong| wrong.fault)
    }

    fn two(with_thousands: i64) -> Result<i64, WrittenFault> {
        Err(WrittenFault::Ambiguous {
            with_thousands: Decimal::new(with_thousands, 0),
            with_decimals: Decimal::new(with_thousands, 3),
        })
    }

    #[test]
    fn a_whole_number_may_have_marks_between_thousands() {
        use WrittenFault::*;
        let cases = [
            ("7370", Ok(7370)),
            ("7.370", Ok(7370)),
            ("1.562.410.000", Ok(1_562_410_000)),
            ("1 500", Ok(1500)),
            ("1\u{a0}500\u{a0}000", Ok(1_500_000)),
            ("1\u{202f}500", Ok(1500)),
            ("1,500,000", Ok(1_500_000)),
            ("-1.500", Ok(-1500)),
            ("\u{2212}5", Ok(-5)),
            ("+5", Ok(5)),
            ("\u{feff} 12 ", Ok(12)),
            ("007", Ok(7)),
            ("7,370", two(7370)),
            ("5,000", two(5000)),
            ("93,64", Err(TooManyDecimals)),
            ("5.0", Err(TooManyDecimals)),
            ("0.500", Err(TooManyDecimals)),
            ("1.562,000", Err(TooManyDecimals)),
            ("1234.567", Err(TooManyDecimals)),
            ("1.56.410", Err(NotANumber)),
            ("1.562.41", Err(NotANumber)),
            ("1.500,000,000", Err(NotANumber)),
            ("1..500", Err(NotANumber)),
            ("1. 500", Err(NotANumber)),
            ("12\n500", Err(NotANumber)),
            ("12\t500", Err(NotANumber)),
            ("１２", Err(NotANumber)),
            ("1２", Err(NotANumber)),
            ("(5)", Err(NotANumber)),
            ("–5", Err(NotANumber)),
            ("--5", Err(NotANumber)),
            ("-", Err(NotANumber)),
            ("5e3", Err(NotANumber)),
            ("0x5", Err(NotANumber)),
            ("5 người", Err(NotANumber)),
            ("5-6", Err(NotANumber)),
            ("5%", Err(Percent)),
            (" \u{a0}", Err(Empty)),
            ("9.223.372.036.854.775.807", Ok(i64::MAX)),
            ("-9.223.372.036.854.775.808", Ok(i64::MIN)),
            ("9.223.372.036.854.775.808", Err(OutOfRange)),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text, 0), expected, "{text:?}");
        }
    }

    #[test]
    fn with_decimals_a_text_of_two_readings_is_refused_with_both() {
        use WrittenFault::*;
        let cases = [
            ("93,64", Ok(9364)),
            ("93.64", Ok(9364)),
            ("93,6", Ok(9360)),
            ("93", Ok(9300)),
            ("-0,05", Ok(-5)),
            ("1.562,4", Ok(156_240)),
            ("1,562.4", Ok(156_240)),
            ("1 562,41", Ok(156_241)),
            ("1 562", Ok(156_200)),
            ("1.562.410", Ok(156_241_000)),
            ("1,562,410.05", Ok(156_241_005)),
            ("1.562", two(1562)),
            ("1,562", two(1562)),
            ("-1,500", two(-1500)),
            ("0,562", Err(TooManyDecimals)),
            ("1562,123", Err(TooManyDecimals)),
            ("93,640", two(93_640)),
            (",5", Err(NotANumber)),
            (".5", Err(NotANumber)),
            ("5,", Err(NotANumber)),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text, 2), expected, "{text:?}");
        }
        assert_eq!(read("1562,123", 3), Ok(1_562_123));
        assert_eq!(read("0.562", 3), Ok(562));
    }

    #[test]
    fn a_qualifier_may_stand_before_the_number() {
        use Qualifier::*;
        let cases = [
            ("trên 800", 80_000, AtLeast),
            ("TRÊN 800", 80_000, AtLeast),
            ("tren 800", 80_000, AtLeast),
            (">800", 80_000, AtLeast),
            ("≥ 800", 80_000, AtLeast),
            (">= 800", 80_000, AtLeast),
            ("Hơn 1.500.000", 150_000_000, AtLeast),
            ("at least 5", 500, AtLeast),
            ("dưới 5", 500, AtMost),
            ("gần 5", 500, AtMost),
            ("<5", 500, AtMost),
            ("nearly 5", 500, AtMost),
            ("ước 93,64", 9364, Estimate),
            ("Ước: 93,64", 9364, Estimate),
            ("ước tính  5", 500, Estimate),
            ("khoảng 5", 500, Estimate),
            ("khỏang 5", 500, Estimate),
            ("~5", 500, Estimate),
            ("est. 5", 500, Estimate),
            ("ước -5", -500, Estimate),
            ("trên\u{a0}800", 80_000, AtLeast),
            ("=5", 500, Exact),
            ("đúng 5", 500, Exact),
        ];
        for (text, mantissa, qualifier) in cases {
            for text in [text.to_owned(), decomposed(text)] {
                let written = read_written(&text, scale(2)).unwrap();
                assert_eq!(
                    (written.mantissa, written.qualifier),
                    (mantissa, qualifier),
                    "{text}"
                );
            }
        }
        for text in [
            "ước .5",
            "ước.5",
            "ước . 5",
            "ước-5",
            "trên dưới 5",
            "trên khoảng 5",
            "><5",
            "5 trên",
            "từ 5",
            "không 5",
        ] {
            assert_eq!(read(text, 2), Err(WrittenFault::NotANumber), "{text}");
        }
    }

    #[test]
    fn the_marks_are_told_as_they_were_understood() {
        let marks = |text: &str| {
            let marks = read_written(text, scale(2)).unwrap().marks;
            (marks.thousands, marks.decimals)
        };
        assert_eq!(marks("5"), (None, None));
        assert_eq!(marks("93.64"), (None, Some(Mark::Point)));
        assert_eq!(marks("1.562,4"), (Some(Mark::Point), Some(Mark::Comma)));
        assert_eq!(marks("1 562"), (Some(Mark::Space), None));
    }

    #[test]
    fn a_percent_sign_is_read_only_where_percents_are_asked_for() {
        let percent = Scale {
            unit_of_measure: "%",
            ..scale(2)
        };
        for text in ["93,64%", "93,64 %", "93,64"] {
            assert_eq!(read_written(text, percent).unwrap().mantissa, 9364);
        }
        assert_eq!(read("93,64%", 2), Err(WrittenFault::Percent));
        assert_eq!(read_percent("93.64", percent), Ok(9364));
        let fault = |number, scale| read_percent(number, scale).unwrap_err().fault;
        assert_eq!(fault("93.64", scale(2)), WrittenFault::Percent);
        assert_eq!(fault("93.645", percent), WrittenFault::TooManyDecimals);
    }

    #[test]
    fn a_word_asks_to_take_a_value_out() {
        for text in ["xóa", "Xoá", "XÓA ", "xoa", "clear"] {
            assert!(asks_to_empty(text), "{text}");
            assert!(asks_to_empty(&decomposed(text)), "{text}");
        }
        for text in ["", "0", "xóa 5", "x"] {
            assert!(!asks_to_empty(text), "{text}");
        }
    }

    proptest! {
        /// A number in Vietnamese form is read as itself; only `1.562` of an indicator with decimals is
        /// refused, and is one of the two readings that are told.
        #[test]
        fn a_number_in_vietnamese_form_is_read_as_itself(mantissa: i64, small in -3_000_000..3_000_000_i64, decimals in 0..=9_u8) {
            for mantissa in [mantissa, small] {
                let decimal = Decimal::new(mantissa, decimals);
                let text = decimal.vietnamese();
                match read(&text, decimals) {
                    Ok(found) => prop_assert_eq!(found, mantissa, "{}", text),
                    Err(WrittenFault::Ambiguous { with_thousands, with_decimals }) => {
                        prop_assert!([with_thousands, with_decimals].contains(&decimal));
                        prop_assert!(decimals > 0);
                    }
                    Err(other) => prop_assert!(false, "{} {:?}", text, other),
                }
            }
        }

        /// A number in plain form is always read as itself.
        #[test]
        fn a_number_in_plain_form_is_read_as_itself(mantissa: i64, small in -3_000_000..3_000_000_i64, decimals in 0..=9_u8) {
            for mantissa in [mantissa, small] {
                let text = in_plain_form(&Decimal::new(mantissa, decimals));
                prop_assert_eq!(read(&text, decimals), Ok(mantissa), "{}", text);
                prop_assert_eq!(read(&format!("trên {text}"), decimals), Ok(mantissa));
            }
        }

        /// Whatever is read is read as one of the two readings of its marks, and never panics.
        #[test]
        fn rubbish_is_refused(text in "\\PC{0,12}|[-+0-9., ~<>%trênước]{0,12}", decimals in 0..=9_u8) {
            if let Ok(written) = read_written(&text, scale(decimals)) {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                let shown = Decimal::new(written.mantissa, decimals).to_string();
                let shown: String = shown.chars().filter(char::is_ascii_digit).collect();
                prop_assert_eq!(digits.trim_matches('0'), shown.trim_matches('0'));
            }
        }
    }
}
