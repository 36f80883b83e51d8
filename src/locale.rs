//! Reads the sentences for people from `locales/` and fills in their arguments.
//!
//! `message!("submission-not-open", period, opens)` takes the sentence of this key in each language.
//! Keys and the names of arguments are checked when the program is compiled. An argument is text as
//! it stands ([`Display`]), a [`Named`] with a name in each language, a [`Message`], or a [`Count`].

use std::fmt::Display;
use std::sync::LazyLock;

use fluent::FluentValue;
use i18n_embed::LanguageLoader;
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed::unic_langid::LanguageIdentifier;
use rust_embed::RustEmbed;
use unic_langid::langid;

use crate::domain::naming::Named;
use crate::error::Message;

#[derive(RustEmbed)]
#[folder = "locales/"]
struct Locales;

/// The sentences in Vietnamese.
pub static VIETNAMESE: LazyLock<FluentLanguageLoader> = LazyLock::new(|| loader(langid!("vi")));

/// The sentences in English.
pub static ENGLISH: LazyLock<FluentLanguageLoader> = LazyLock::new(|| loader(langid!("en")));

fn loader(language: LanguageIdentifier) -> FluentLanguageLoader {
    let loader = FluentLanguageLoader::new("tonghop", language.clone());
    if let Err(error) = loader.load_languages(&Locales, &[language]) {
        tracing::error!(%error, "sentences cannot be read");
    }
    // The marks around arguments would stand in JSON and in terminals.
    loader.set_use_isolating(false);
    loader
}

/// An argument of a sentence, as each language shows it.
pub trait Argument {
    fn in_vietnamese(&self) -> FluentValue<'static>;
    fn in_english(&self) -> FluentValue<'static>;
}

/// Text goes into a sentence as it is: a figure is never made a float on the way.
impl<T: Display + ?Sized> Argument for &T {
    fn in_vietnamese(&self) -> FluentValue<'static> {
        self.to_string().into()
    }

    fn in_english(&self) -> FluentValue<'static> {
        self.to_string().into()
    }
}

impl Argument for Named {
    fn in_vietnamese(&self) -> FluentValue<'static> {
        self.vi().to_owned().into()
    }

    fn in_english(&self) -> FluentValue<'static> {
        self.en().to_owned().into()
    }
}

impl Argument for Message {
    fn in_vietnamese(&self) -> FluentValue<'static> {
        self.vi.clone().into()
    }

    fn in_english(&self) -> FluentValue<'static> {
        self.en.clone().into()
    }
}

/// Lets a sentence's words be a name in another sentence.
impl From<Message> for Named {
    fn from(words: Message) -> Named {
        Named::new(words.vi, words.en)
    }
}

/// A number of things, by which a language chooses the form of their noun: *1 fault*, *2 faults*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(pub usize);

impl Argument for Count {
    fn in_vietnamese(&self) -> FluentValue<'static> {
        self.0.into()
    }

    fn in_english(&self) -> FluentValue<'static> {
        self.0.into()
    }
}

/// A text that was sent, in quotation marks, with what cannot be seen written out.
pub struct Quoted<T>(pub T);

impl<T: std::fmt::Debug> Display for Quoted<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:?}", self.0)
    }
}

/// A name that begins a sentence: its first letter is a capital. The kind of a unit is written small:
/// *xã Tân An (30388)*.
pub struct Leading<T>(pub T);

impl<T: Display> Display for Leading<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.0.to_string();
        let mut letters = name.chars();
        for first in letters.next().into_iter().flat_map(char::to_uppercase) {
            write!(formatter, "{first}")?;
        }
        formatter.write_str(letters.as_str())
    }
}

/// Makes a [`Message`] of the sentence with a key, with its arguments: `name`, or `name = value`.
#[macro_export]
macro_rules! message {
    ($key:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {{
        #[allow(unused_imports)]
        use $crate::locale::Argument as _;
        $( let $name = &$crate::message!(@value $name $($value)?); )*
        $crate::error::Message {
            vi: i18n_embed_fl::fl!(
                $crate::locale::VIETNAMESE, $key $(, $name = $name.in_vietnamese())*
            ),
            en: i18n_embed_fl::fl!(
                $crate::locale::ENGLISH, $key $(, $name = $name.in_english())*
            ),
        }
    }};
    (@value $name:ident) => { $name };
    (@value $name:ident $value:expr) => { $value };
}
