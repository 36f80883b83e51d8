//! How things are called in a sentence for people: by the name that a clerk knows, with the code
//! beside it for whoever looks it up. Never the sentences themselves.

use chrono::NaiveDate;

use super::catalogue::{Catalogue, Entry};
use super::form::{Form, FormPeriod};
use super::formula::Operand;
use super::hierarchy::Hierarchy;
use super::id::{FormCode, IndicatorCode, LevelCode, OptionNumber, SectionNumber, UnitCode};
use super::level::Level;
pub use super::named::Named;
use super::text::LocalizedText;
use super::unit::UnitFact;

impl Named {
    /// `xã`; a level goes by its code where there is no such level.
    pub fn level(code: &LevelCode, hierarchy: &Hierarchy) -> Named {
        hierarchy
            .level(code)
            .map_or_else(|| Named::plain(code), Level::named)
    }

    /// `xã, ấp`.
    pub fn levels<'l>(
        codes: impl IntoIterator<Item = &'l LevelCode>,
        hierarchy: &Hierarchy,
    ) -> Named {
        let levels = codes.into_iter();
        Named::list(levels.map(|code| Named::level(code, hierarchy)))
    }

    /// The levels that hold on a day, for who is to write one: `xã (commune), ấp (hamlet)`.
    pub fn levels_on(hierarchy: &Hierarchy, day: NaiveDate) -> Named {
        let levels = hierarchy.levels().iter();
        let standing = levels.filter(|level| level.holds_on(day));
        Named::list(standing.map(Level::named_with_code))
    }
}

/// A unit is called the same in both languages: `ấp Tân Hòa A (30388-01)`.
pub fn unit_with_code(kind: Option<&str>, name: &str, code: &UnitCode) -> String {
    format!("{} ({code})", unit_title(kind, name))
}

impl UnitFact {
    pub fn name_with_code(&self) -> String {
        unit_with_code(self.kind.as_deref(), &self.name, &self.code)
    }
}

impl Level {
    /// The level's name in the middle of a sentence: *xã*.
    pub fn named(&self) -> Named {
        let LocalizedText { vi, en } = &self.name;
        Named::new(uncapitalised(vi), uncapitalised(en.as_ref().unwrap_or(vi)))
    }

    /// The same with the code, for who is to write it.
    pub fn named_with_code(&self) -> Named {
        let (code, named) = (&self.code, self.named());
        Named::new(
            format!("{} ({code})", named.vi()),
            format!("{} ({code})", named.en()),
        )
    }
}

impl Entry<'_> {
    pub fn named(&self) -> Named {
        Named::with_code(&self.definition.name, &self.indicator.code)
    }

    /// The indicator, or one of its options: `Văn bản ban hành (docs.issued): Kế hoạch (plan)`.
    pub fn figure_named(&self, option: OptionNumber) -> Named {
        let indicator = self.named();
        let mut options = self.options().into_iter();
        let option = options.find_map(|(number, known)| known.filter(|_| number == option));
        let Some(option) = option else {
            return indicator;
        };
        let option = Named::with_code(&option.name, &option.code);
        Named::new(
            format!("{}: {}", indicator.vi(), option.vi()),
            format!("{}: {}", indicator.en(), option.en()),
        )
    }
}

impl Form {
    /// By the name of its latest version.
    pub fn named(&self) -> Named {
        let latest = self.versions.values().next_back();
        latest.map_or_else(
            || Named::plain(&self.code),
            |latest| Named::with_code(&latest.name, &self.code),
        )
    }
}

impl FormPeriod<'_> {
    /// The form, as it is called in the period.
    pub fn named_form(&self) -> Named {
        Named::with_code(&self.definition.name, &self.form.code)
    }

    /// A heading of the outline, by its number and title.
    pub fn named_section(&self, number: &SectionNumber) -> Named {
        let Some(section) = self.definition.section(number) else {
            return Named::plain(number);
        };
        let LocalizedText { vi, en } = &section.title;
        let en = en.as_ref().unwrap_or(vi);
        Named::new(format!("{number} ({vi})"), format!("{number} ({en})"))
    }
}

impl Catalogue {
    /// An indicator by the name of its latest version; one that is not there goes by its code.
    pub fn indicator_named(&self, code: &IndicatorCode) -> Named {
        let latest = self.indicator(code);
        let latest = latest.and_then(|one| one.versions.values().next_back());
        latest.map_or_else(
            || Named::plain(code),
            |latest| Named::with_code(&latest.name, code),
        )
    }

    /// The name of an operand of a formula or a rule: its indicator's, with the operand as it is
    /// written there.
    pub fn operand_named(&self, operand: &Operand) -> Named {
        let latest = self.indicator(&operand.indicator);
        let latest = latest.and_then(|one| one.versions.values().next_back());
        latest.map_or_else(
            || Named::plain(operand),
            |latest| Named::with_code(&latest.name, operand),
        )
    }

    pub fn form_named(&self, code: &FormCode) -> Named {
        self.form(code)
            .map_or_else(|| Named::plain(code), Form::named)
    }
}

/// `xã Tân An`; a name that says its kind already is left as it is.
pub fn unit_title(kind: Option<&str>, name: &str) -> String {
    let says_already = |kind: &str| {
        let name = name.to_lowercase();
        let rest = name.strip_prefix(&kind.to_lowercase());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    match kind {
        Some(kind) if !says_already(kind) => format!("{kind} {name}"),
        _ => name.to_owned(),
    }
}

/// With a capital first letter, as at the beginning of a line.
pub fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.chain(rest).collect()
}

/// With a small first letter, unless the first word is an abbreviation in capitals.
fn uncapitalised(text: &str) -> String {
    let mut rest = text.chars();
    match (rest.next(), rest.clone().next()) {
        (Some(_), Some(second)) if second.is_uppercase() => text.to_owned(),
        (Some(first), _) => first.to_lowercase().chain(rest).collect(),
        (None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_called_by_its_kind_and_name_and_no_kind_is_said_twice() {
        for (kind, name, title) in [
            (Some("xã"), "Tân An", "xã Tân An"),
            (Some("xã"), "Xã Tân An", "Xã Tân An"),
            (Some("ấp"), "Ấp", "Ấp"),
            (Some("xã"), "Xãng", "xã Xãng"),
            (None, "Tân An", "Tân An"),
        ] {
            assert_eq!(unit_title(kind, name), title);
        }
    }

    #[test]
    fn a_level_stands_small_in_a_sentence_and_an_abbreviation_as_it_is() {
        for (name, said) in [("Xã", "xã"), ("Ấp", "ấp"), ("TP", "TP"), ("", "")] {
            assert_eq!(uncapitalised(name), said);
        }
    }
}
