//! Units: finds them in the tree of a day, and adds new ones.

use super::doubt::{UnitWarning, doubts};
use super::draft::{Above, Draft, EnteredUnit};
use crate::locale::{Count, Quoted};
use crate::path;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::{Access, Action, Denied};
use crate::domain::hierarchy::{Hierarchy, Place, Position, Tree};
use crate::domain::id::UnitId;
use crate::domain::naming::Named;
use crate::domain::text::{clipped, folded};
use crate::domain::unit::{BEGINNING, UnitFact, UnitReference, Validity};
use crate::error::{Code, Explain, Explanation, Fault};
use crate::message;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::condition::Etag;
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Outcome, Reply};
use crate::service::application::locate::NotFound;
use crate::service::application::page::{Page, PageRequest, UnknownCursor};
use crate::service::application::snapshot::Snapshot;
use crate::service::application::watcher::{Nobody, Phase, Watcher};
use crate::service::people::contact::{ContactView, contacts_of};
use crate::spreadsheet::SpreadsheetFault;
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
    /// The parent by which a list is narrowed.
    #[error(transparent)]
    Parent(NotFound),
    #[error("there is no level {level}")]
    UnknownLevel {
        level: String,
        day: NaiveDate,
        /// The levels that hold on the day.
        levels: Named,
    },
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
    #[error(transparent)]
    File(#[from] SpreadsheetFault),
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
            UnitError::File(held) => held.explain(),
            UnitError::Parent(held) => held.explain().of_parameter("parent"),
            UnitError::UnknownLevel { level, day, levels } => {
                let day = Named::day(*day);
                let level = clipped(level);
                let message = message!("unit-unknown-level", day, level = Quoted(&level), levels);
                Explanation::new(Code::InvalidParameter, message).of_parameter("level")
            }
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

/// A unit as it is on a day, and whom to call there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnitDetail {
    #[serde(flatten)]
    pub unit: UnitView,
    /// The people who report, approve or manage on this very unit today, by role and name; at most
    /// 100.
    pub contacts: Vec<ContactView>,
}

/// A new unit, and the warnings about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CreatedUnit {
    #[serde(flatten)]
    pub unit: UnitView,
    pub warnings: Vec<UnitWarning>,
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
            Some(parent) => {
                let found = snapshot.unit(&tree, parent, day);
                Some(found.map_err(UnitError::Parent)?)
            }
        };
        check_level(&snapshot.hierarchy, filter.level.as_deref(), day)?;
        let text = folded(filter.text.as_deref().unwrap_or_default());
        let wanted = candidates(&snapshot.access, &tree, filter, parent)
            .into_iter()
            .map(Place::fact)
            .filter(|fact| matches_filter(fact, filter, &text))
            .map(UnitView::of);
        Ok(Page::of(wanted, page, |unit| unit.id.clone())?)
    })
}

/// Checks that the level by which a list is narrowed is one that the tenant has or had.
fn check_level(
    hierarchy: &Hierarchy,
    level: Option<&str>,
    day: NaiveDate,
) -> Result<(), UnitError> {
    let Some(level) = level else { return Ok(()) };
    let known = level.parse().ok();
    if known.and_then(|code| hierarchy.level(&code)).is_some() {
        return Ok(());
    }
    Err(UnitError::UnknownLevel {
        level: level.to_owned(),
        day,
        levels: Named::levels_on(hierarchy, day),
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

/// Reads a unit as it is on a day, by default today, and whom to call there today.
///
/// # Errors
/// [`UnitError`].
pub fn get_unit(
    application: &Application,
    identity: &Identity,
    unit: &str,
    as_of: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> Result<UnitDetail, UnitError> {
    application.reading(identity, |transaction, snapshot| {
        let today = snapshot.today(now);
        let day = as_of.unwrap_or(today);
        let tree = snapshot.hierarchy.tree_on(day);
        let place = snapshot.unit(&tree, unit, day)?;
        let _permit = snapshot.access.to_unit(Action::ReadUnits, &tree, place)?;
        let named = (identity.tenant(), place.unit());
        Ok(UnitDetail {
            unit: UnitView::of(place.fact()),
            contacts: contacts_of(application, transaction, snapshot, named, today)?,
        })
    })
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
            // As the unit will be read: it has no contacts yet.
            let etag = Etag::of(&UnitDetail {
                unit: UnitView::of(&fact),
                contacts: Vec::new(),
            })?;
            let outcome = Outcome::Created(format!("/v1/units/{}", fact.unit));
            let tree = snapshot.hierarchy.tree_on(from);
            let created = CreatedUnit {
                unit: UnitView::of(&fact),
                warnings: doubts(&tree, std::slice::from_ref(&fact)),
            };
            let reply = Reply::new(outcome, Some(etag), &created)?;
            let item = ChangeItem {
                day: Some(from),
                unit: Some(fact.unit),
                ..ChangeItem::new(ChangeKind::UnitCreated)
            };
            Ok(Written::new(reply, [item]))
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

/// Report progress every 500 units.
const TOLD_AFTER: usize = 500;

/// Writes new units, each with its first fact.
pub(super) fn write_new(
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
