//! Names in two languages, in requests and answers.

use crate::domain::fault::FieldPath;
use crate::sentence::Sentence;
use serde::Serialize;

use crate::domain::text::{LocalizedText, read_name};
use crate::error::Fault;

/// A name as entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnteredName {
    pub vi: String,
    pub en: Option<String>,
}

impl EnteredName {
    /// Reads the name and adds its faults below `at`. Invalid parts are left empty.
    pub(in crate::service) fn read(
        &self,
        at: &FieldPath,
        faults: &mut Vec<Fault>,
    ) -> LocalizedText {
        let mut read = |language: &'static str, text: &String| {
            let name = read_name(text).map_err(|fault| {
                faults.push(fault.at(at.below(language)));
            });
            name.unwrap_or_default()
        };
        LocalizedText {
            vi: read("vi", &self.vi),
            en: self.en.as_ref().map(|text| read("en", text)),
        }
    }
}

/// A name in Vietnamese and, if there is one, in English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NameView {
    pub vi: String,
    pub en: Option<String>,
}

impl NameView {
    pub(in crate::service) fn of(text: &LocalizedText) -> NameView {
        NameView {
            vi: text.vi.clone(),
            en: text.en.clone(),
        }
    }

    /// Names a part of something: `Documents issued: Plans`.
    pub(in crate::service) fn of_part(whole: &LocalizedText, part: &LocalizedText) -> NameView {
        NameView {
            vi: format!("{}: {}", whole.vi, part.vi),
            en: whole
                .en
                .as_ref()
                .zip(part.en.as_ref())
                .map(|(whole, part)| format!("{whole}: {part}")),
        }
    }
}
