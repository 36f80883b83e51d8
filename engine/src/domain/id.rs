//! Identities, codes and numbers: every name that something can have, each a type of its own, so
//! that one cannot stand where another belongs. Never what the named things are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::text::{composed, is_invisible};

/// A text that is not an identity or a code of the wanted sort.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct InvalidName(pub &'static str);

macro_rules! ids {
    ($( $(#[$doc:meta])* $name:ident: $what:literal; )+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// A new identity, UUIDv7 (RFC 9562): later ones sort after earlier ones.
            pub fn new() -> $name {
                $name(Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> $name {
                $name::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            /// Takes the hyphenated form in lower case and no other, so that one identity has
            /// one text.
            fn from_str(text: &str) -> Result<$name, InvalidName> {
                let id = Uuid::parse_str(text).map_err(|_| InvalidName($what))?;
                if id.hyphenated().to_string() == text { Ok($name(id)) } else { Err(InvalidName($what)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<$name, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    )+ };
}

ids! {
    TenantId: "tenant id";
    UnitId: "unit id";
    AccountId: "account id";
    GrantId: "grant id";
    SessionId: "session id";
    SignInAttemptId: "sign-in attempt id";
    ReorganisationId: "reorganisation id";
}

macro_rules! codes {
    ($( $(#[$doc:meta])* $name:ident: $what:literal, $valid:expr; )+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<$name, InvalidName> {
                let valid: fn(&str) -> bool = $valid;
                let text = composed(text);
                if valid(&text) { Ok($name(text.as_ref().into())) } else { Err(InvalidName($what)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<$name, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.0.into()
            }
        }
    )+ };
}

codes! {
    /// A tenant's short name in addresses: 2 to 63 of `a-z 0-9 -`, beginning with a letter.
    TenantSlug: "tenant slug", |text| {
        (2..=63).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    /// A unit's code in the official list or the tenant's own: 1 to 40 of `A-Z a-z 0-9 . _ -`.
    UnitCode: "unit code", |text| {
        (1..=40).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
    };
    /// A level's code: 1 to 40 of `a-z 0-9 _`, beginning with a letter.
    LevelCode: "level code", |text| text.len() <= 40 && is_word(text);
    /// An indicator's code: words of `a-z 0-9 _` joined by dots, at most 100 bytes.
    IndicatorCode: "indicator code", |text| text.len() <= 100 && text.split('.').all(is_word);
    /// A breakdown's code: 1 to 60 of `a-z 0-9 _`, beginning with a letter.
    BreakdownCode: "breakdown code", |text| text.len() <= 60 && is_word(text);
    /// An option's code: 1 to 60 of `a-z 0-9 _`.
    OptionCode: "option code", |text| {
        (1..=60).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    /// A form's code: words of `a-z 0-9 _` joined by dots, at most 100 bytes.
    FormCode: "form code", |text| text.len() <= 100 && text.split('.').all(is_word);
    /// The number of a heading in an outline, such as `II.2.1`: 1 to 20 of `A-Z a-z 0-9 .`.
    SectionNumber: "section number", |text| {
        (1..=20).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
    };
    /// A rule's code: 1 to 60 of `A-Z 0-9 _`, beginning with a letter.
    RuleCode: "rule code", |text| {
        (1..=60).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    };
    /// A login name, unique in the tenant: an e-mail address, a phone number or
    /// any other text of 1 to 120 characters without spaces and characters that nobody sees.
    Login: "login", |text| {
        (1..=120).contains(&text.chars().count())
            && !text.chars().any(|c| c.is_whitespace() || is_invisible(c))
    };
}

impl Login {
    /// A login as the database has it. One that was taken before a rule was made stays.
    pub fn kept(text: String) -> Login {
        Login(text.into())
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

macro_rules! numbers {
    ($( $(#[$doc:meta])* $name:ident; )+) => { $(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            pub const fn new(number: u32) -> $name {
                $name(number)
            }

            pub const fn get(self) -> u32 {
                self.0
            }
        }
    )+ };
}

numbers! {
    /// An indicator's small number in packed cells: given once in its tenant, never reused.
    IndicatorNumber;
    /// An option's small number in packed cells, from 1: given once in its indicator, never
    /// reused. 0 is the total.
    OptionNumber;
    /// A form's small number in keys: given once in its tenant, never reused.
    FormNumber;
}

impl OptionNumber {
    /// The indicator's total, beside its options.
    pub const TOTAL: OptionNumber = OptionNumber(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_take_their_alphabet_and_nothing_else() {
        for good in ["docs.issued", "a", "a1.b_2"] {
            assert!(good.parse::<IndicatorCode>().is_ok(), "{good}");
        }
        for bad in ["", ".", "a.", ".a", "A", "1a", "a b", "a\0", "ấp"] {
            assert!(bad.parse::<IndicatorCode>().is_err(), "{bad:?}");
        }
        assert!("30388-01".parse::<UnitCode>().is_ok());
        assert!("303 88".parse::<UnitCode>().is_err());
        assert!("0912345678".parse::<Login>().is_ok());
        for bad in ["a\0b", "a b", "a\u{200b}b", "\u{202e}ab", ""] {
            assert!(bad.parse::<Login>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_login_is_one_however_its_letters_are_written() {
        let composed: Login = "hậu".parse().unwrap();
        assert_eq!("ha\u{323}\u{302}u".parse(), Ok(composed.clone()));
        assert_eq!("ha\u{302}\u{323}u".parse(), Ok(composed));
    }

    #[test]
    fn an_id_has_one_text() {
        let id = UnitId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(
            id.to_string().to_uppercase().parse::<UnitId>().is_err()
                || id.to_string().chars().all(|c| !c.is_alphabetic())
        );
        assert!(id.to_string().replace('-', "").parse::<UnitId>().is_err());
    }
}
