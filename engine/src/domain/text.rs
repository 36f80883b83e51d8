//! Texts that people wrote: the one form in which they are kept, what every one of them must hold
//! to, and when two are alike. Never what a text is about.
//!
//! One letter can be written in several ways: `ế` is one character on most keyboards, and `e` with
//! two marks in files from some computers. All texts are kept composed (Unicode's form C), so that
//! what reads the same is the same. Whoever takes a text from outside takes it through
//! [`read_name`] or [`read_prose`], which answer with the text to keep.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A name in the two languages of the service; Vietnamese is always there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalizedText {
    pub vi: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
}

/// Why a text cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFault {
    Empty,
    /// A reason is empty.
    NoReason,
    TooLong {
        limit: usize,
    },
    /// A control character other than tab and line feed. NUL above all: PostgreSQL cannot hold
    /// it, and a text that only one backend takes is a text that can get lost.
    Control,
    /// A character that nobody sees, or that turns the direction of writing: two names that look
    /// the same would be two.
    Invisible,
}

/// The longest name or title, in characters.
pub const NAME_LIMIT: usize = 300;
/// The longest passage of a narrative or a reason, in characters.
pub const PROSE_LIMIT: usize = 50_000;

/// The text composed: the form in which every text is kept.
pub fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// The text with its marks apart, as some computers write it.
pub fn decomposed(text: &str) -> String {
    text.nfd().collect()
}

/// Reads a name or a title: one line, not empty, nothing that nobody sees. Answers with the text
/// to keep.
///
/// # Errors
/// [`TextFault`].
pub fn read_name(text: &str) -> Result<String, TextFault> {
    let text = composed(text);
    if text.trim().is_empty() {
        Err(TextFault::Empty)
    } else if text.chars().any(char::is_control) {
        Err(TextFault::Control)
    } else if text.chars().any(is_invisible) {
        Err(TextFault::Invisible)
    } else {
        within(NAME_LIMIT, text)
    }
}

/// Reads a passage of prose: lines and tabs are allowed, and so is nothing at all. Answers with
/// the text to keep.
///
/// # Errors
/// [`TextFault`].
pub fn read_prose(text: &str) -> Result<String, TextFault> {
    let text = composed(text);
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        Err(TextFault::Control)
    } else {
        within(PROSE_LIMIT, text)
    }
}

/// Reads a reason: prose that is not empty. Answers with the text to keep.
///
/// # Errors
/// [`TextFault`].
pub fn read_reason(text: &str) -> Result<String, TextFault> {
    match text.trim().is_empty() {
        true => Err(TextFault::NoReason),
        false => read_prose(text),
    }
}

fn within(limit: usize, text: Cow<'_, str>) -> Result<String, TextFault> {
    if text.chars().count() > limit {
        Err(TextFault::TooLong { limit })
    } else {
        Ok(text.into_owned())
    }
}

/// Tells whether nobody sees a character: controls, marks of direction, spaces without width,
/// fillers, and signs that choose a variant of the letter before.
pub fn is_invisible(character: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    let category = get_general_category(character);
    matches!(
        category,
        Control | Format | LineSeparator | ParagraphSeparator
    ) || matches!(
        character,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{fe00}'..='\u{fe0f}'
    )
}

/// The text for a search: without marks and case, `đ` as `d`, single spaces. `Tân Hậu` is found
/// by `tan hau`, and `Hòa` by `hoà`.
pub fn folded(text: &str) -> String {
    let letters = text.nfd().filter(|c| !is_combining_mark(*c));
    let letters: String = letters.flat_map(char::to_lowercase).map(plain_d).collect();
    single_spaced(&letters)
}

fn plain_d(letter: char) -> char {
    match letter {
        // The second is the letter of Iceland, which looks the same as a capital.
        'đ' | 'ð' => 'd',
        other => other,
    }
}

/// The looks of a name to a reader: two names with the same looks are easily taken for each other.
/// Case, spaces and the place of the tone mark (`hoà`, `hòa`) make no difference; other marks do,
/// since `Tân` and `Tấn` are two names.
pub fn looks(name: &str) -> String {
    let lower: String = name.nfkd().flat_map(char::to_lowercase).collect();
    let words = lower.split_whitespace().map(with_tone_last);
    words.collect::<Vec<_>>().join(" ")
}

fn with_tone_last(word: &str) -> String {
    let (tones, letters): (String, String) = word.chars().partition(|c| is_tone(*c));
    let letters: String = letters.chars().map(plain_d_of_iceland).collect();
    letters + &tones
}

fn plain_d_of_iceland(letter: char) -> char {
    if letter == 'ð' { 'đ' } else { letter }
}

/// Huyền, sắc, ngã, hỏi, nặng.
fn is_tone(mark: char) -> bool {
    matches!(
        mark,
        '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}' | '\u{323}'
    )
}

fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The beginning of a text that somebody sent, short enough to be repeated in a message.
pub fn clipped(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_composed_whatever_it_came_as() {
        let sent = decomposed("Tân Hậu");
        assert_ne!(sent, "Tân Hậu");
        assert_eq!(read_name(&sent).as_deref(), Ok("Tân Hậu"));
        assert_eq!(read_prose(&sent).as_deref(), Ok("Tân Hậu"));
        // The limit counts letters as people do.
        let long = decomposed(&"ậ".repeat(NAME_LIMIT));
        assert!(read_name(&long).is_ok());
        assert_eq!(
            read_name(&(long + "a")),
            Err(TextFault::TooLong { limit: NAME_LIMIT })
        );
    }

    #[test]
    fn a_name_has_nothing_that_nobody_sees() {
        for hidden in [
            '\u{200b}', '\u{200d}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{ad}', '\u{2028}',
            '\u{3164}',
        ] {
            assert_eq!(
                read_name(&format!("Tân{hidden} An")),
                Err(TextFault::Invisible),
                "{hidden:?}"
            );
        }
        assert_eq!(read_name("a\u{0}b"), Err(TextFault::Control));
        assert_eq!(read_name(" \u{a0}"), Err(TextFault::Empty));
        assert!(read_name("Khu phố 1 – Vĩnh Bình").is_ok());
    }

    #[test]
    fn a_search_minds_neither_marks_nor_case_nor_the_place_of_a_tone() {
        for (name, sought) in [
            ("Tân Hậu", "tan hau"),
            ("Đông Hoà", "dong hòa"),
            ("ĐÔNG  HÒA", "Đông hoà"),
        ] {
            assert_eq!(folded(name), folded(sought), "{name}");
        }
    }

    #[test]
    fn names_look_the_same_where_only_case_spaces_or_the_place_of_a_tone_differ() {
        for (one, other) in [
            ("Hoà Bình", "Hòa  bình"),
            ("Thuý", "Thúy"),
            ("ĐÔNG AN", "Đông An"),
            ("Tân An", "Tân\u{a0}An"),
        ] {
            assert_eq!(looks(one), looks(other), "{one}");
        }
        for (one, other) in [
            ("Tân An", "Tấn An"),
            ("Ấp 1", "Ấp 11"),
            ("Đông", "Dong"),
            ("Hoa", "Hoà"),
        ] {
            assert_ne!(looks(one), looks(other), "{one}");
        }
    }
}
