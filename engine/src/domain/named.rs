//! Names in both languages. Never whose they are, and never a sentence.

use std::fmt::Display;

use chrono::NaiveDate;

use super::text::LocalizedText;

/// The name of something, in both languages. It has no `Display`: a sentence shows the
/// name in its own language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    vi: Box<str>,
    en: Box<str>,
}

impl Named {
    pub fn new(vi: impl Into<Box<str>>, en: impl Into<Box<str>>) -> Named {
        Named {
            vi: vi.into(),
            en: en.into(),
        }
    }

    /// The name of something that has only a code, or was only typed: the same in both languages.
    pub fn plain(text: impl Display) -> Named {
        let text = text.to_string();
        Named::new(text.clone(), text)
    }

    /// `Vận động Quỹ "Vì người nghèo" (fund.raised)`.
    pub fn with_code(name: &LocalizedText, code: &impl Display) -> Named {
        let LocalizedText { vi, en } = name;
        let en = en.as_ref().unwrap_or(vi);
        Named::new(format!("{vi} ({code})"), format!("{en} ({code})"))
    }

    /// `01/07/2025`, and 2025-07-01 in English.
    pub fn day(day: NaiveDate) -> Named {
        Named::new(day.format("%d/%m/%Y").to_string(), day.to_string())
    }

    /// All of them, with commas between.
    pub fn list(all: impl IntoIterator<Item = Named>) -> Named {
        let (vi, en): (Vec<_>, Vec<_>) = all.into_iter().map(|one| (one.vi, one.en)).unzip();
        Named::new(vi.join(", "), en.join(", "))
    }

    pub fn vi(&self) -> &str {
        &self.vi
    }

    pub fn en(&self) -> &str {
        &self.en
    }
}
