//! Doubts about new units: what is allowed, but seldom meant. Refuses nothing.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::domain::hierarchy::{Place, Tree};
use crate::domain::id::UnitId;
use crate::domain::text::looks;
use crate::domain::unit::UnitFact;
use crate::error::Message;
use crate::message;

/// A warning about a new unit: something allowed, but seldom meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnitWarning {
    pub code: UnitDoubt,
    /// The new unit's code.
    #[schema(example = "30388-08")]
    pub unit: String,
    /// In Vietnamese.
    pub message: String,
    pub message_en: String,
}

/// The possible mistakes with a new unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UnitDoubt {
    /// Its name looks like that of a sibling.
    NameLooksTheSame,
    /// Its code differs from a sibling's only by leading zeros, which spreadsheets drop.
    CodeDiffersByZeros,
}

/// The most warnings in an answer.
pub(super) const MOST_WARNINGS: usize = 200;

/// Compares new units with their siblings on the tree and among each other.
pub(super) fn doubts(tree: &Tree, created: &[UnitFact]) -> Vec<UnitWarning> {
    let mut beside = Beside::of(tree, created);
    let found = created.iter().flat_map(|fact| beside.compare(fact));
    found.take(MOST_WARNINGS).collect()
}

/// Siblings by the look of their names and codes.
#[derive(Default)]
pub(super) struct Beside<'f> {
    pub(super) by_looks: HashMap<(Option<UnitId>, String), &'f UnitFact>,
    pub(super) by_code: HashMap<(Option<UnitId>, &'f str), &'f UnitFact>,
}

impl<'f> Beside<'f> {
    /// Collects the existing siblings of new units.
    pub(super) fn of(tree: &'f Tree, created: &[UnitFact]) -> Beside<'f> {
        let above: HashSet<Option<UnitId>> = created.iter().map(|fact| fact.parent).collect();
        let mut beside = Beside::default();
        let standing = tree.places().map(Place::fact);
        for fact in standing.filter(|fact| above.contains(&fact.parent)) {
            beside.compare(fact);
        }
        beside
    }

    /// Adds a unit, and reports earlier ones that look the same.
    pub(super) fn compare(&mut self, fact: &'f UnitFact) -> Vec<UnitWarning> {
        let kind = fact.kind.as_deref().unwrap_or_default();
        let looks = looks(&format!("{kind} {}", fact.name));
        let same_name = self.by_looks.insert((fact.parent, looks), fact);
        let code = without_zeros(fact.code.as_str());
        let same_code = self.by_code.insert((fact.parent, code), fact);
        let name = same_name.map(|other| name_looks_the_same(fact, other));
        let code = same_code.map(|other| code_differs_by_zeros(fact, other));
        name.into_iter().chain(code).collect()
    }
}

pub(super) fn without_zeros(code: &str) -> &str {
    code.trim_start_matches('0')
}

pub(super) fn name_looks_the_same(fact: &UnitFact, other: &UnitFact) -> UnitWarning {
    let (one, other) = (fact.name_with_code(), other.name_with_code());
    let message = message!("unit-name-looks-the-same", one, other);
    warning(fact, UnitDoubt::NameLooksTheSame, message)
}

pub(super) fn code_differs_by_zeros(fact: &UnitFact, other: &UnitFact) -> UnitWarning {
    let (code, other_code, name) = (&fact.code, &other.code, &other.name);
    let message = message!("unit-code-differs-by-zeros", code, other_code, name);
    warning(fact, UnitDoubt::CodeDiffersByZeros, message)
}

pub(super) fn warning(fact: &UnitFact, code: UnitDoubt, message: Message) -> UnitWarning {
    UnitWarning {
        code,
        unit: fact.code.to_string(),
        message: message.vi,
        message_en: message.en,
    }
}
