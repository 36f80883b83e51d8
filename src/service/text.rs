//! Names in two languages, as requests bring them and answers show them.

use serde::Serialize;

use crate::domain::text::{LocalizedText, check_name};
use crate::error::{Code, Fault};

/// A name as somebody entered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnteredName {
    pub vi: String,
    pub en: Option<String>,
}

impl EnteredName {
    /// Reads the name, noting what is wrong with it below `pointer`.
    pub(super) fn read(&self, pointer: &str, faults: &mut Vec<Fault>) -> LocalizedText {
        let texts = [("vi", Some(&self.vi)), ("en", self.en.as_ref())];
        for (language, text) in texts {
            if let Some(Err(fault)) = text.map(|text| check_name(text)) {
                let place = format!("{pointer}/{language}");
                faults.push(Fault::in_body(place, Code::InvalidText, fault.message()));
            }
        }
        LocalizedText {
            vi: self.vi.clone(),
            en: self.en.clone(),
        }
    }
}

/// A name in Vietnamese and, where there is one, in English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NameView {
    pub vi: String,
    pub en: Option<String>,
}

impl NameView {
    pub(super) fn of(text: &LocalizedText) -> NameView {
        NameView {
            vi: text.vi.clone(),
            en: text.en.clone(),
        }
    }
}
