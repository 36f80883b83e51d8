//! A unit to add, as it was entered and as it is once its own fields are valid. Never written here.

use crate::domain::fault::FieldPath;
use crate::locale::Quoted;
use crate::sentence::Sentence;
use crate::sentence::naming::all_of;
use crate::sentence::unit::invalid_code;

use chrono::NaiveDate;

use crate::domain::hierarchy::Hierarchy;
use crate::domain::id::{LevelCode, UnitCode, UnitId};
use crate::domain::level::Level;
use crate::domain::naming::{Named, unit_title};
use crate::domain::text::{clipped, read_name};
use crate::domain::unit::{BEGINNING, UnitFact, Validity};
use crate::error::{Code, Fault, Message};
use crate::message;
use crate::service::application::snapshot::Snapshot;

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

/// The facts about a unit that are needed to place another below it.
#[derive(Clone)]
pub(super) struct Above {
    pub(super) unit: UnitId,
    pub(super) name: String,
    pub(super) level: LevelCode,
    /// The days on which it exists, under whatever name.
    pub(super) stands: Validity,
}

impl Above {
    pub(super) fn of(fact: &UnitFact, hierarchy: &Hierarchy) -> Above {
        Above {
            unit: fact.unit,
            name: fact.name_with_code(),
            level: fact.level.clone(),
            stands: hierarchy.days_of(fact),
        }
    }

    /// Describes a new unit.
    pub(super) fn new(fact: &UnitFact) -> Above {
        Above {
            unit: fact.unit,
            name: fact.name_with_code(),
            level: fact.level.clone(),
            stands: fact.validity,
        }
    }
}

/// A unit whose own fields are valid.
pub(super) struct Draft {
    pub(super) code: UnitCode,
    pub(super) name: String,
    pub(super) kind: Option<String>,
    pub(super) level: LevelCode,
}

impl Draft {
    pub(super) fn read(
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
    pub(super) fn placed(
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

pub(super) fn unknown_level(
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

pub(super) fn parent_above_required(
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

pub(super) fn parent_stands_only(
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
pub(super) fn code_taken(
    at: &impl Fn(&'static str) -> FieldPath,
    taken: &UnitFact,
    draft: &Draft,
    above: Option<UnitId>,
) -> Fault {
    let (code, name) = (&taken.code, unit_title(taken.kind.as_deref(), &taken.name));
    let message = match all_of(differences(taken, draft, above)) {
        Some(words) => message!("unit-code-taken-differs", code, name, words),
        None => {
            let first_day = Named::day(taken.validity.from);
            message!("unit-code-taken", code, name, first_day)
        }
    };
    Fault::in_body(at("code"), Code::CodeTaken, message)
}

pub(super) fn differences(taken: &UnitFact, draft: &Draft, above: Option<UnitId>) -> Vec<Message> {
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
