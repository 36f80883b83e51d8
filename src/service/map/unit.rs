//! Units: finds them in the tree of a day, and adds new ones, singly or as a list.

use crate::domain::fault::FieldPath;
use crate::locale::{Count, Quoted};
use crate::path;
use crate::sentence::Sentence;
use crate::sentence::unit::invalid_code;
use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::{Access, Action, Denied};
use crate::domain::hierarchy::{Hierarchy, Place, Position, Tree};
use crate::domain::id::{LevelCode, UnitCode, UnitId};
use crate::domain::level::Level;
use crate::domain::naming::{Named, unit_title};
use crate::domain::text::{clipped, composed, folded, looks, read_name};
use crate::domain::unit::{BEGINNING, UnitFact, UnitReference, Validity};
use crate::error::{Code, Explain, Explanation, Fault, MOST_FAULTS, Message};
use crate::message;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::condition::Etag;
use crate::service::application::idempotency::{IdempotencyError, Outcome, Reply};
use crate::service::application::locate::NotFound;
use crate::service::application::page::{Page, PageRequest, UnknownCursor};
use crate::service::application::snapshot::Snapshot;
use crate::service::application::table::{Listed, WrongColumns, read_table};
use crate::service::application::watcher::{Nobody, Phase, Watcher};
use crate::store::level::level_put;
use crate::store::tenant::{Part, mark_changed};
use crate::store::unit::{facts_insert, units_insert};
use crate::store::{StoreError, Transaction};

/// The errors of use cases on units.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Cursor(#[from] UnknownCursor),
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
    /// The list cannot be read as a table.
    #[error("faults: {}", .0.len())]
    Malformed(Vec<Fault>),
}

impl Explain for UnitError {
    fn explain(&self) -> Explanation {
        match self {
            UnitError::NotFound(held) => held.explain(),
            UnitError::Denied(held) => held.explain(),
            UnitError::Idempotency(held) => held.explain(),
            UnitError::Store(held) => held.explain(),
            UnitError::Cursor(held) => held.explain(),
            UnitError::Malformed(faults) => {
                Explanation::new(Code::MalformedCsv, message!("unit-malformed"))
                    .with_faults(faults.clone())
            }
            UnitError::Invalid(faults) => {
                let count = faults.len();
                let message = message!("unit-invalid", count = Count(count));
                Explanation::new(Code::InvalidUnit, message).with_faults(faults.clone())
            }
        }
    }
}

/// A unit as it is on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnitView {
    pub id: String,
    #[schema(example = "30388")]
    pub code: String,
    #[schema(example = "Tân An")]
    pub name: String,
    /// The usual word for such a unit, if its level has several kinds.
    #[schema(example = "xã")]
    pub kind: Option<String>,
    #[schema(example = "commune")]
    pub level: String,
    /// The id of the parent; null for a root.
    pub parent: Option<String>,
    /// The first and the last day on which all of this holds. Without a last day it holds until
    /// further notice.
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
}

impl UnitView {
    fn of(fact: &UnitFact) -> UnitView {
        UnitView {
            id: fact.unit.to_string(),
            code: fact.code.to_string(),
            name: fact.name.clone(),
            kind: fact.kind.clone(),
            level: fact.level.to_string(),
            parent: fact.parent.map(|parent| parent.to_string()),
            valid_from: fact.validity.from,
            valid_to: fact.validity.to,
        }
    }
}

/// A new unit, and the warnings about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CreatedUnit {
    #[serde(flatten)]
    pub unit: UnitView,
    pub warnings: Vec<UnitWarning>,
}

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

/// The number of units of a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LevelCount {
    #[schema(example = "commune")]
    pub level: String,
    pub count: usize,
}

impl LevelCount {
    /// Counts units by level.
    pub(in crate::service) fn of<'f>(facts: impl Iterator<Item = &'f UnitFact>) -> Vec<LevelCount> {
        let mut by_level: BTreeMap<&str, usize> = BTreeMap::new();
        for fact in facts {
            *by_level.entry(fact.level.as_str()).or_default() += 1;
        }
        let levels = by_level.into_iter();
        levels
            .map(|(level, count)| LevelCount {
                level: level.to_owned(),
                count,
            })
            .collect()
    }
}

/// The units that a caller wants to list.
#[derive(Debug, Clone, Default)]
pub struct UnitFilter {
    /// Direct children of this unit only.
    pub parent: Option<String>,
    pub level: Option<String>,
    pub code: Option<String>,
    /// A part of the name or of the code; accents and case do not matter.
    pub text: Option<String>,
    /// The day; by default today.
    pub as_of: Option<NaiveDate>,
}

/// Lists the units of a day that the caller may see, in the order of the tree.
///
/// # Errors
/// [`UnitError`].
pub fn list_units(
    application: &Application,
    identity: &Identity,
    filter: &UnitFilter,
    page: &PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<UnitView>, UnitError> {
    application.reading(identity, |_, snapshot| {
        let day = filter.as_of.unwrap_or_else(|| snapshot.today(now));
        let tree = snapshot.hierarchy.tree_on(day);
        let parent = match &filter.parent {
            None => None,
            Some(parent) => Some(snapshot.unit(&tree, parent, day)?),
        };
        let text = folded(filter.text.as_deref().unwrap_or_default());
        let wanted = candidates(&snapshot.access, &tree, filter, parent)
            .into_iter()
            .map(Place::fact)
            .filter(|fact| matches_filter(fact, filter, &text))
            .map(UnitView::of);
        Ok(Page::of(wanted, page, |unit| unit.id.clone())?)
    })
}

/// Returns the fewest places that contain everything a filter can match.
fn candidates<'t>(
    access: &Access,
    tree: &'t Tree,
    filter: &UnitFilter,
    parent: Option<Place<'t>>,
) -> Vec<Place<'t>> {
    let tops: Option<Vec<Place<'t>>> = access
        .tops(Action::ReadUnits)
        .map(|tops| tops.iter().filter_map(|top| tree.by_id(*top)).collect());
    let is_visible = |place: &Place<'t>| {
        tops.as_ref()
            .is_none_or(|tops| tops.iter().any(|top| top.covers(*place)))
    };
    if let Some(parent) = parent {
        return parent.children().filter(is_visible).collect();
    }
    if let Some(code) = filter.code.as_ref().and_then(|code| code.parse().ok()) {
        return tree.by_code(&code).into_iter().filter(is_visible).collect();
    }
    match &tops {
        None => tree.places().collect(),
        Some(tops) => {
            // In the order of the tree, and only once if one top is below another.
            let found = tops.iter().flat_map(|top| top.subtree());
            let by_position: BTreeMap<Position, Place<'t>> =
                found.map(|place| (place.position(), place)).collect();
            by_position.into_values().collect()
        }
    }
}

fn matches_filter(fact: &UnitFact, filter: &UnitFilter, text: &str) -> bool {
    let has = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|w| w == is);
    let has_text =
        || folded(&fact.name).contains(text) || fact.code.as_str().to_lowercase().contains(text);
    has(&filter.level, fact.level.as_str())
        && has(&filter.code, fact.code.as_str())
        && (text.is_empty() || has_text())
}

/// Reads a unit as it is on a day, by default today.
///
/// # Errors
/// [`UnitError`].
pub fn get_unit(
    application: &Application,
    identity: &Identity,
    unit: &str,
    as_of: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<(Etag, UnitView), UnitError> {
    application.reading(identity, |_, snapshot| {
        let day = as_of.unwrap_or_else(|| snapshot.today(now));
        let tree = snapshot.hierarchy.tree_on(day);
        let place = snapshot.unit(&tree, unit, day)?;
        let _permit = snapshot.access.to_unit(Action::ReadUnits, &tree, place)?;
        let view = UnitView::of(place.fact());
        let etag = Etag::new(format_args!(
            "{}.{}",
            snapshot.counters.tree_rev, view.valid_from
        ));
        Ok((etag, view))
    })
}

/// A unit to add.
#[derive(Debug, Clone)]
pub struct EnteredUnit {
    pub code: String,
    pub name: String,
    pub kind: Option<String>,
    pub level: String,
    /// The parent's id or `code:` and its code; none for a root.
    pub parent: Option<String>,
    /// The first day. By default the beginning; for an account that may add units in some subtrees
    /// only, the first day since which the parent is in one of them.
    pub valid_from: Option<NaiveDate>,
    /// The last day; by default until further notice.
    pub valid_to: Option<NaiveDate>,
}

/// Adds a unit.
///
/// # Errors
/// [`UnitError`].
pub fn create_unit(
    application: &Application,
    call: &Call,
    entered: &EnteredUnit,
) -> Result<Reply, UnitError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let parent = entered.parent.as_deref();
        let named = parent.and_then(|parent| named_last(snapshot, parent, entered.valid_to));
        let from = entered.valid_from;
        let from = from.unwrap_or_else(|| first_day_meant(snapshot, named, entered.valid_to));
        let tree = snapshot.hierarchy.tree_on(from);
        let parent = match (entered.valid_from, named) {
            // The reference may have meant another unit on the first day, so name the unit by its
            // id.
            (None, Some(unit)) if from > BEGINNING => Some(unit.to_string()),
            _ => entered.parent.clone(),
        };
        let parent = parent.map(|parent| snapshot.unit(&tree, &parent, from));
        let above = match &parent {
            Some(Ok(place)) => Some(place.unit()),
            _ => named,
        };
        let permit = match above {
            Some(above) => {
                let days = days_between(from, entered.valid_to);
                let (access, hierarchy) = (&snapshot.access, &snapshot.hierarchy);
                access.to_unit_throughout(Action::CreateUnits, hierarchy, above, days)?
            }
            None => snapshot.access.to_tenant(Action::CreateUnits)?,
        };
        change.once(permit, |transaction, _| {
            let mut faults = Vec::new();
            let parent = parent.transpose().unwrap_or_else(|missing| {
                faults.push(Fault::in_body(
                    path!["parent"],
                    Code::UnknownUnit,
                    missing.explain().message,
                ));
                None
            });
            let parent = parent.map(|place| Above::of(place.fact(), &snapshot.hierarchy));
            let validity = Validity {
                from,
                to: entered.valid_to,
            };
            if validity.to.is_some_and(|to| to < from) {
                faults.push(Fault::in_body(
                    path!["valid_to"],
                    Code::InvalidValue,
                    message!("level-last-day-before-first"),
                ));
            }
            let draft = Draft::read(
                entered,
                snapshot,
                |field: &'static str| path![field],
                &mut faults,
            );
            let fact = draft.and_then(|draft| {
                draft.placed(
                    parent,
                    snapshot,
                    validity,
                    |field: &'static str| path![field],
                    &mut faults,
                )
            });
            let Some(fact) = fact.filter(|_| faults.is_empty()) else {
                return Err(UnitError::Invalid(faults));
            };
            let rev = snapshot.counters.rev;
            write_new(transaction, std::slice::from_ref(&fact), rev, &Nobody)?;
            let etag = Etag::new(format_args!("{rev}.{from}"));
            let outcome = Outcome::Created(format!("/v1/units/{}", fact.unit));
            let tree = snapshot.hierarchy.tree_on(from);
            let created = CreatedUnit {
                unit: UnitView::of(&fact),
                warnings: doubts(&tree, std::slice::from_ref(&fact)),
            };
            Ok(Reply::new(outcome, Some(etag), &created)?)
        })
    })
}

/// Finds the unit that a reference named last, up to a day.
fn named_last(snapshot: &Snapshot, reference: &str, until: Option<NaiveDate>) -> Option<UnitId> {
    let reference = reference.parse::<UnitReference>().ok()?;
    let facts = snapshot.hierarchy.facts_named(&reference).into_iter();
    let mut facts = facts.rev();
    let found = facts.find(|fact| until.is_none_or(|until| fact.validity.from <= until));
    found.map(|fact| fact.unit)
}

/// Returns the default first day: the beginning, or for an account that may add units in some
/// subtrees only, the first day since which the unit above is in one of them.
fn first_day_meant(
    snapshot: &Snapshot,
    above: Option<UnitId>,
    until: Option<NaiveDate>,
) -> NaiveDate {
    let access = &snapshot.access;
    let above = above.filter(|_| access.tops(Action::CreateUnits).is_some());
    let days = days_between(BEGINNING, until);
    let allowed = above.and_then(|above| {
        access.latest_days(Action::CreateUnits, &snapshot.hierarchy, above, days)
    });
    allowed.map_or(BEGINNING, |days| days.from)
}

/// Returns the requested days, at least the first of them.
fn days_between(from: NaiveDate, to: Option<NaiveDate>) -> Validity {
    Validity {
        from,
        to: to.map(|to| to.max(from)),
    }
}

/// The facts about a unit that are needed to place another below it.
#[derive(Clone)]
struct Above {
    unit: UnitId,
    name: String,
    level: LevelCode,
    /// The days on which it exists, under whatever name.
    stands: Validity,
}

impl Above {
    fn of(fact: &UnitFact, hierarchy: &Hierarchy) -> Above {
        Above {
            unit: fact.unit,
            name: fact.name_with_code(),
            level: fact.level.clone(),
            stands: hierarchy.days_of(fact),
        }
    }

    /// Describes a new unit.
    fn new(fact: &UnitFact) -> Above {
        Above {
            unit: fact.unit,
            name: fact.name_with_code(),
            level: fact.level.clone(),
            stands: fact.validity,
        }
    }
}

/// A unit whose own fields are valid.
struct Draft {
    code: UnitCode,
    name: String,
    kind: Option<String>,
    level: LevelCode,
}

impl Draft {
    fn read(
        entered: &EnteredUnit,
        snapshot: &Snapshot,
        at: impl Fn(&'static str) -> FieldPath,
        faults: &mut Vec<Fault>,
    ) -> Option<Draft> {
        let before = faults.len();
        let code = entered.code.parse::<UnitCode>().ok();
        if code.is_none() {
            faults.push(Fault::in_body(
                at("code"),
                Code::InvalidCode,
                invalid_code(),
            ));
        }
        let mut named = |field: &'static str, text: &String| {
            let name = read_name(text);
            name.map_err(|fault| {
                let message = fault.message();
                faults.push(Fault::in_body(at(field), Code::InvalidText, message));
            })
            .ok()
        };
        let name = named("name", &entered.name);
        let kind = entered.kind.as_ref().map(|kind| named("kind", kind));
        let level = entered.level.parse::<LevelCode>().ok();
        if level.is_none() {
            let day = entered.valid_from.unwrap_or(BEGINNING);
            let hierarchy = &snapshot.hierarchy;
            faults.push(unknown_level(&at, &entered.level, hierarchy, day));
        }
        if faults.len() > before {
            return None;
        }
        Some(Draft {
            code: code?,
            name: name?,
            kind: kind.flatten(),
            level: level?,
        })
    }

    /// Makes the unit's first fact, if it may be below `parent` from its first day on and its code
    /// is free from then on.
    fn placed(
        self,
        parent: Option<Above>,
        snapshot: &Snapshot,
        validity: Validity,
        at: impl Fn(&'static str) -> FieldPath,
        faults: &mut Vec<Fault>,
    ) -> Option<UnitFact> {
        let before = faults.len();
        let hierarchy = &snapshot.hierarchy;
        let level = hierarchy
            .level(&self.level)
            .filter(|level| level.validity.covers(validity));
        let Some(level) = level else {
            faults.push(unknown_level(
                &at,
                self.level.as_str(),
                hierarchy,
                validity.from,
            ));
            return None;
        };
        if let Some(above) = &parent {
            let rank_above = hierarchy.level(&above.level).map(|level| level.rank);
            if rank_above.is_none_or(|rank| rank >= level.rank) {
                faults.push(parent_above_required(&at, level, above, hierarchy));
            }
            if !above.stands.covers(validity) {
                faults.push(parent_stands_only(&at, above, validity));
            }
        }
        let taken = hierarchy
            .facts_with(&self.code)
            .find(|fact| fact.validity.overlaps(validity));
        if let Some(taken) = taken {
            let above = parent.as_ref().map(|above| above.unit);
            faults.push(code_taken(&at, taken, &self, above));
        }
        (faults.len() == before).then(|| UnitFact {
            unit: UnitId::new(),
            validity,
            code: self.code,
            name: self.name,
            kind: self.kind,
            level: self.level,
            parent: parent.map(|above| above.unit),
        })
    }
}

fn unknown_level(
    at: &impl Fn(&'static str) -> FieldPath,
    level: &str,
    hierarchy: &Hierarchy,
    day: NaiveDate,
) -> Fault {
    let (level, levels) = (clipped(level), Named::levels_on(hierarchy, day));
    let day = Named::day(day);
    Fault::in_body(
        at("level"),
        Code::UnknownLevel,
        message!("unit-unknown-level", day, level = Quoted(&level), levels),
    )
}

fn parent_above_required(
    at: &impl Fn(&'static str) -> FieldPath,
    level: &Level,
    parent: &Above,
    hierarchy: &Hierarchy,
) -> Fault {
    let (level, above) = (level.named(), Named::level(&parent.level, hierarchy));
    let name = &parent.name;
    Fault::in_body(
        at("parent"),
        Code::ParentAboveRequired,
        message!("plan-parent-not-above", level, name, above),
    )
}

fn parent_stands_only(
    at: &impl Fn(&'static str) -> FieldPath,
    above: &Above,
    wanted: Validity,
) -> Fault {
    let (name, stands) = (&above.name, above.stands);
    let since = Named::day(stands.from);
    let (field, text) = match stands.to.map(Named::day) {
        Some(until) if stands.from <= wanted.from => (
            "valid_to",
            message!("unit-parent-stands-until", name, until),
        ),
        _ => (
            "valid_from",
            message!("unit-parent-stands-since", name, since),
        ),
    };
    Fault::in_body(at(field), Code::ParentAboveRequired, text)
}

/// Names the unit that has the code, and how the entered one differs from it. Often it is the same
/// unit, changed.
fn code_taken(
    at: &impl Fn(&'static str) -> FieldPath,
    taken: &UnitFact,
    draft: &Draft,
    above: Option<UnitId>,
) -> Fault {
    let (code, name) = (&taken.code, unit_title(taken.kind.as_deref(), &taken.name));
    let different = differences(taken, draft, above);
    let first_day = Named::day(taken.validity.from);
    let message = if different.is_empty() {
        message!("unit-code-taken", code, name, first_day)
    } else {
        let vi: Vec<&str> = different.iter().map(|one| one.vi.as_str()).collect();
        let en: Vec<&str> = different.iter().map(|one| one.en.as_str()).collect();
        let (vi, en) = (vi.join("; "), en.join("; "));
        message!(
            "unit-code-taken-differs",
            code,
            name,
            words = Named::new(vi.to_string(), en.to_string())
        )
    };
    Fault::in_body(at("code"), Code::CodeTaken, message)
}

fn differences(taken: &UnitFact, draft: &Draft, above: Option<UnitId>) -> Vec<Message> {
    let mut different = Vec::new();
    if taken.name != draft.name {
        let (was, is) = (&taken.name, &draft.name);
        different.push(message!(
            "unit-differs-name",
            was = Quoted(&was),
            is = Quoted(&is)
        ));
    }
    if taken.kind != draft.kind {
        let was = taken.kind.as_deref().unwrap_or_default();
        let is = draft.kind.as_deref().unwrap_or_default();
        different.push(message!(
            "unit-differs-kind",
            was = Quoted(&was),
            is = Quoted(&is)
        ));
    }
    if taken.level != draft.level {
        let (was, is) = (&taken.level, &draft.level);
        different.push(message!("unit-differs-level", was, is));
    }
    if taken.parent != above {
        different.push(message!("unit-differs-parent"));
    }
    different
}

/// The most warnings in an answer.
const MOST_WARNINGS: usize = 200;

/// Compares new units with their siblings on the tree and among each other.
fn doubts(tree: &Tree, created: &[UnitFact]) -> Vec<UnitWarning> {
    let mut beside = Beside::of(tree, created);
    let found = created.iter().flat_map(|fact| beside.compare(fact));
    found.take(MOST_WARNINGS).collect()
}

/// Siblings by the look of their names and codes.
#[derive(Default)]
struct Beside<'f> {
    by_looks: HashMap<(Option<UnitId>, String), &'f UnitFact>,
    by_code: HashMap<(Option<UnitId>, &'f str), &'f UnitFact>,
}

impl<'f> Beside<'f> {
    /// Collects the existing siblings of new units.
    fn of(tree: &'f Tree, created: &[UnitFact]) -> Beside<'f> {
        let above: HashSet<Option<UnitId>> = created.iter().map(|fact| fact.parent).collect();
        let mut beside = Beside::default();
        let standing = tree.places().map(Place::fact);
        for fact in standing.filter(|fact| above.contains(&fact.parent)) {
            beside.compare(fact);
        }
        beside
    }

    /// Adds a unit, and reports earlier ones that look the same.
    fn compare(&mut self, fact: &'f UnitFact) -> Vec<UnitWarning> {
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

fn without_zeros(code: &str) -> &str {
    code.trim_start_matches('0')
}

fn name_looks_the_same(fact: &UnitFact, other: &UnitFact) -> UnitWarning {
    let (one, other) = (fact.name_with_code(), other.name_with_code());
    let message = message!("unit-name-looks-the-same", one, other);
    warning(fact, UnitDoubt::NameLooksTheSame, message)
}

fn code_differs_by_zeros(fact: &UnitFact, other: &UnitFact) -> UnitWarning {
    let (code, other_code, name) = (&fact.code, &other.code, &other.name);
    let message = message!("unit-code-differs-by-zeros", code, other_code, name);
    warning(fact, UnitDoubt::CodeDiffersByZeros, message)
}

fn warning(fact: &UnitFact, code: UnitDoubt, message: Message) -> UnitWarning {
    UnitWarning {
        code,
        unit: fact.code.to_string(),
        message: message.vi,
        message_en: message.en,
    }
}

/// A list of units to add.
#[derive(Debug, Clone)]
pub struct UnitList {
    /// CSV (RFC 4180) with the columns `code,name,level,parent_code` and, optionally, `kind`.
    pub csv: String,
    /// The first day of all units; by default they exist from the beginning.
    pub valid_from: Option<NaiveDate>,
    /// The name of a unit to put above all others, at a level of its own, if the list has several
    /// roots.
    pub country: Option<String>,
    pub mode: ImportMode,
}

impl UnitList {
    fn first_day(&self) -> NaiveDate {
        self.valid_from.unwrap_or(BEGINNING)
    }

    fn doubts(&self, snapshot: &Snapshot, created: &[UnitFact]) -> Vec<UnitWarning> {
        doubts(&snapshot.hierarchy.tree_on(self.first_day()), created)
    }
}

/// Chooses between writing a list and only checking it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportMode {
    Write,
    DryRun,
}

/// The effect of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ImportResult {
    pub dry_run: bool,
    /// The number of added units.
    pub created: usize,
    /// The number of units that existed exactly as listed.
    pub unchanged: usize,
    /// Warnings about units that are allowed, but seldom meant.
    pub warnings: Vec<UnitWarning>,
    /// The tenant's rev of the import; null if nothing was written.
    pub rev: Option<i64>,
}

/// Adds all units of a list, or none. Units that exist exactly as listed stay as they are.
///
/// # Errors
/// [`UnitError`], with every fault of every row.
pub fn import_units(
    application: &Application,
    call: &Call,
    list: &UnitList,
) -> Result<Reply, UnitError> {
    match list.mode {
        ImportMode::DryRun => {
            let checked = check_units(application, &call.identity, list, &Nobody)?;
            let result = ImportResult {
                dry_run: true,
                created: checked.created.iter().map(|level| level.count).sum(),
                unchanged: checked.unchanged,
                warnings: checked.warnings,
                rev: None,
            };
            Ok(Reply::new(Outcome::Done, None, &result)?)
        }
        ImportMode::Write => add_units(application, call, list, &Nobody),
    }
}

/// The effect that a list would have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedUnits {
    pub created: Vec<LevelCount>,
    /// The number of units that exist exactly as listed.
    pub unchanged: usize,
    /// Warnings about units that are allowed, but seldom meant.
    pub warnings: Vec<UnitWarning>,
}

/// Checks a list and reports progress to `watcher`.
///
/// # Errors
/// [`UnitError`], with every fault of every row.
pub fn check_units(
    application: &Application,
    identity: &Identity,
    list: &UnitList,
    watcher: &dyn Watcher,
) -> Result<CheckedUnits, UnitError> {
    let rows = with_country(read_rows(&list.csv)?, list.country.as_deref());
    application.reading(identity, |_, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::CreateUnits)?;
        let snapshot = &with_country_level(snapshot, list);
        let (created, unchanged) = plan_import(snapshot, list, rows, watcher)?;
        Ok(CheckedUnits {
            warnings: list.doubts(snapshot, &created),
            created: LevelCount::of(created.iter()),
            unchanged,
        })
    })
}

/// Adds all units of a list, or none, and reports progress to `watcher`.
///
/// # Errors
/// [`UnitError`], with every fault of every row.
pub fn add_units(
    application: &Application,
    call: &Call,
    list: &UnitList,
    watcher: &dyn Watcher,
) -> Result<Reply, UnitError> {
    let rows = with_country(read_rows(&list.csv)?, list.country.as_deref());
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let permit = snapshot.access.to_tenant(Action::CreateUnits)?;
        change.once(permit, |transaction, _| {
            let snapshot = &with_country_level(snapshot, list);
            let (created, unchanged) = plan_import(snapshot, list, rows, watcher)?;
            if let Some(level) = Level::country().filter(|_| list.country.is_some()) {
                level_put(transaction, &level)?;
            }
            write_new(transaction, &created, snapshot.counters.rev, watcher)?;
            let result = ImportResult {
                dry_run: false,
                created: created.len(),
                unchanged,
                warnings: list.doubts(snapshot, &created),
                rev: Some(snapshot.counters.rev),
            };
            Ok(Reply::new(Outcome::Done, None, &result)?)
        })
    })
}

/// Report progress every 500 units.
const TOLD_AFTER: usize = 500;

/// Writes new units, each with its first fact.
fn write_new(
    transaction: &mut Transaction<'_>,
    created: &[UnitFact],
    rev: i64,
    watcher: &dyn Watcher,
) -> Result<(), StoreError> {
    if created.is_empty() {
        return Ok(());
    }
    watcher.begin(Phase::Units, created.len());
    // Parents come before their children.
    for part in created.chunks(TOLD_AFTER) {
        let units: Vec<UnitId> = part.iter().map(|fact| fact.unit).collect();
        units_insert(transaction, &units, rev)?;
        facts_insert(transaction, part, rev)?;
        watcher.advance(part.len());
    }
    mark_changed(transaction, Part::Tree, rev)
}

/// The code of the unit above all others, that of the country (ISO 3166).
const COUNTRY: &str = "VN";

/// Puts the rows below one more unit, if several of them are roots.
fn with_country(mut rows: Vec<Row>, country: Option<&str>) -> Vec<Row> {
    let roots = rows.iter().filter(|row| row.parent_code.is_empty()).count();
    let (Some(name), Some(level)) = (country, Level::country()) else {
        return rows;
    };
    if roots < 2 {
        return rows;
    }
    for row in rows.iter_mut().filter(|row| row.parent_code.is_empty()) {
        row.parent_code = COUNTRY.to_owned();
    }
    rows.push(Row {
        code: COUNTRY.to_owned(),
        name: composed(name).into_owned(),
        level: level.code.to_string(),
        parent_code: String::new(),
        kind: String::new(),
        line: None,
    });
    rows
}

/// Returns the snapshot with the country's level, as it will be after the import.
fn with_country_level(snapshot: &Snapshot, list: &UnitList) -> Snapshot {
    let mut levels = snapshot.hierarchy.levels().to_vec();
    let country = Level::country().filter(|country| {
        let is_there = levels.iter().any(|level| level.code == country.code);
        list.country.is_some() && !is_there
    });
    levels.extend(country);
    snapshot.with_hierarchy(snapshot.hierarchy.with_levels(levels))
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    code: String,
    name: String,
    level: String,
    parent_code: String,
    #[serde(default)]
    kind: String,
    /// The line in the file, where the heading is line 1; `None` for an added row.
    #[serde(skip)]
    line: Option<u64>,
}

fn read_rows(text: &str) -> Result<Vec<Row>, UnitError> {
    let mut rows = Vec::new();
    let mut faults = Vec::new();
    let columns = ["code", "name", "level", "parent_code"];
    for (index, row) in read_table::<Row>(text, &columns).into_iter().enumerate() {
        match row {
            Ok(Listed { line, row }) => rows.push(Row {
                line: Some(line),
                ..row
            }),
            Err(WrongColumns { line }) => faults.push(Fault::in_body(
                path![index],
                Code::MalformedCsv,
                message!("unit-list-wrong-columns", line),
            )),
        }
    }
    if rows.is_empty() && faults.is_empty() {
        faults.push(Fault::in_body(
            path![],
            Code::MalformedCsv,
            message!("unit-list-empty"),
        ));
    }
    if faults.is_empty() {
        Ok(rows)
    } else {
        Err(UnitError::Malformed(faults))
    }
}

/// Returns the facts that the list adds, parents first, and the number of units that exist already.
fn plan_import(
    snapshot: &Snapshot,
    list: &UnitList,
    rows: Vec<Row>,
    watcher: &dyn Watcher,
) -> Result<(Vec<UnitFact>, usize), UnitError> {
    let lines: Vec<Option<u64>> = rows.iter().map(|row| row.line).collect();
    watcher.begin(Phase::Rows, rows.len());
    let from = list.first_day();
    let tree = snapshot.hierarchy.tree_on(from);
    let mut faults = Vec::new();
    let mut entered = Vec::with_capacity(rows.len());
    let mut first_index: HashMap<String, usize> = HashMap::new();
    for (index, row) in rows.into_iter().enumerate() {
        if faults.len() >= MOST_FAULTS {
            break;
        }
        if first_index.contains_key(&row.code) {
            let code = &row.code;
            faults.push(Fault::in_body(
                path![index, "code"],
                Code::Duplicate,
                message!("unit-list-code-twice", code),
            ));
            continue;
        }
        first_index.insert(row.code.clone(), index);
        let parent = (!row.parent_code.is_empty()).then_some(row.parent_code);
        let kind = (!row.kind.is_empty()).then_some(row.kind);
        let unit = EnteredUnit {
            code: row.code,
            name: row.name,
            kind,
            level: row.level,
            parent,
            valid_from: Some(from),
            valid_to: None,
        };
        entered.push((index, unit));
    }
    sort_by_rank(&mut entered, snapshot);
    let above = Sought::of(&entered, &tree, &snapshot.hierarchy, from);
    let mut planned: HashMap<UnitCode, Above> = HashMap::new();
    // A unit below a faulty row is not reported: it may be valid once that row is corrected.
    let mut faulty: HashSet<&str> = HashSet::new();
    let mut created = Vec::new();
    let mut unchanged = 0;
    for (index, unit) in &entered {
        watcher.advance(1);
        if faults.len() >= MOST_FAULTS {
            break;
        }
        let at = |field: &'static str| path![*index, column(field)];
        let Some(draft) = Draft::read(unit, snapshot, at, &mut faults) else {
            faulty.insert(&unit.code);
            continue;
        };
        let parent = match above.find(unit, &planned) {
            Ok(parent) => parent,
            Err(fault) => {
                if !unit
                    .parent
                    .as_deref()
                    .is_some_and(|above| faulty.contains(above))
                {
                    faults.push(Fault::in_body(at("parent"), Code::UnknownUnit, fault));
                }
                faulty.insert(&unit.code);
                continue;
            }
        };
        if let Some(same) = tree
            .by_code(&draft.code)
            .filter(|known| is_same(*known, &draft, parent.as_ref()))
        {
            planned.insert(draft.code, Above::of(same.fact(), &snapshot.hierarchy));
            unchanged += 1;
            continue;
        }
        let validity = Validity::since(from);
        match draft.placed(parent, snapshot, validity, at, &mut faults) {
            Some(fact) => {
                planned.insert(fact.code.clone(), Above::new(&fact));
                created.push(fact);
            }
            None => {
                faulty.insert(&unit.code);
            }
        }
    }
    if faults.is_empty() {
        Ok((created, unchanged))
    } else {
        // In the order of the list, not of the levels.
        faults.sort_by_key(Fault::row);
        let faults = faults.into_iter();
        let faults = faults.map(|fault| fault.at_line_of(&lines));
        Err(UnitError::Invalid(faults.collect()))
    }
}

fn column(field: &str) -> &str {
    if field == "parent" {
        "parent_code"
    } else {
        field
    }
}

/// Sorts parents before their children, whatever the order of the list.
fn sort_by_rank(entered: &mut [(usize, EnteredUnit)], snapshot: &Snapshot) {
    let ranks: HashMap<&str, i32> = snapshot
        .hierarchy
        .levels()
        .iter()
        .map(|level| (level.code.as_str(), level.rank.get()))
        .collect();
    entered.sort_by_key(|(index, unit)| (ranks.get(unit.level.as_str()).copied(), *index));
}

/// The places in which parents are looked up: the list, and the map of its first day.
struct Sought<'l> {
    day: NaiveDate,
    tree: &'l Tree,
    hierarchy: &'l Hierarchy,
    /// The level that the list gives to each code.
    listed: HashMap<&'l str, &'l str>,
    /// All codes by what a spreadsheet leaves of them.
    without_zeros: HashMap<&'l str, &'l str>,
}

impl<'l> Sought<'l> {
    fn of(
        entered: &'l [(usize, EnteredUnit)],
        tree: &'l Tree,
        hierarchy: &'l Hierarchy,
        day: NaiveDate,
    ) -> Sought<'l> {
        let listed = entered.iter();
        let listed: HashMap<&str, &str> = listed
            .map(|(_, unit)| (unit.code.as_str(), unit.level.as_str()))
            .collect();
        let standing = tree.places().map(|place| place.fact().code.as_str());
        let codes = standing.chain(listed.keys().copied());
        Sought {
            day,
            tree,
            hierarchy,
            without_zeros: codes.map(|code| (without_zeros(code), code)).collect(),
            listed,
        }
    }

    /// Finds the parent of a listed unit, or explains why there is none.
    fn find(
        &self,
        unit: &EnteredUnit,
        planned: &HashMap<UnitCode, Above>,
    ) -> Result<Option<Above>, Message> {
        let Some(parent) = &unit.parent else {
            return Ok(None);
        };
        let code = parent.parse::<UnitCode>().ok();
        let found = code.as_ref().and_then(|code| {
            let standing = || {
                let place = self.tree.by_code(code)?;
                Some(Above::of(place.fact(), self.hierarchy))
            };
            planned.get(code).cloned().or_else(standing)
        });
        match found {
            Some(above) => Ok(Some(above)),
            None => Err(self.why_missing(unit, parent, code.as_ref())),
        }
    }

    fn why_missing(&self, unit: &EnteredUnit, parent: &str, code: Option<&UnitCode>) -> Message {
        let name = clipped(parent);
        let level = &unit.level;
        if let Some(above) = self.listed.get(parent) {
            return message!("unit-parent-level-too-low", name, above, level);
        }
        if let Some(other) = code.and_then(|code| self.nearest_with(code)) {
            return self.stands_on_other_days(other);
        }
        match self.without_zeros.get(without_zeros(parent)) {
            Some(twin) => message!("unit-parent-twin", name, twin),
            None => message!("unit-parent-unknown", name = Quoted(&name)),
        }
    }

    /// Finds, among units that have the code on other days, the next one, otherwise the last one.
    fn nearest_with(&self, code: &UnitCode) -> Option<&'l UnitFact> {
        let facts = || self.hierarchy.facts_with(code);
        let later = facts().filter(|fact| fact.validity.from > self.day);
        let next = later.min_by_key(|fact| fact.validity.from);
        next.or_else(|| facts().max_by_key(|fact| fact.validity.from))
    }

    fn stands_on_other_days(&self, fact: &UnitFact) -> Message {
        let (code, name, from) = (&fact.code, &fact.name, fact.validity.from);
        let day = self.day;
        match fact.validity.to.filter(|to| *to < day) {
            Some(to) => message!("unit-parent-ended", name, code, to, day),
            None => message!("unit-parent-stands-from", name, code, from, day),
        }
    }
}

fn is_same(known: Place<'_>, draft: &Draft, parent: Option<&Above>) -> bool {
    let fact = known.fact();
    fact.name == draft.name
        && fact.kind == draft.kind
        && fact.level == draft.level
        && fact.parent == parent.map(|above| above.unit)
}
