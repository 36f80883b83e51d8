//! The respondents of a form, as they are read from a request: the unit that the form belongs to, and the
//! levels or the units that submit it.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{EnteredForm, FormError, FormReader};
use crate::authz::{Action, Denied, Permit, Reach};
use crate::domain::fault::FieldPath;
use crate::domain::form::{Form, SubmittedBy};
use crate::domain::hierarchy::Tree;
use crate::domain::id::{LevelCode, UnitId};
use crate::domain::naming::Named;
use crate::domain::unit::{UnitFact, UnitReference};
use crate::error::Code;
use crate::locale::Quoted;
use crate::message;
use crate::path;
use crate::service::application::snapshot::Snapshot;
use crate::service::people::grant::to_reach;

/// The most units that a form names.
pub const MOST_FORM_RECIPIENTS: usize = 1000;

/// The unit that a form belongs to, or is to belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The form is of the whole tenant.
    Nobody,
    Unit(UnitId),
    /// The request for a new form names a unit that is not there.
    Unknown,
}

impl Owner {
    /// Finds the owner of a form: a known one has it for good, a new one gets it. A code is that of
    /// `day`.
    pub fn of(
        snapshot: &Snapshot,
        known: Option<&Form>,
        entered: &EnteredForm,
        day: NaiveDate,
    ) -> Owner {
        match (known, &entered.owner) {
            (Some(known), _) => known.owner().map_or(Owner::Nobody, Owner::Unit),
            (None, None) => Owner::Nobody,
            (None, Some(text)) => {
                let found = find(&snapshot.hierarchy.tree_on(day), text);
                found.map_or(Owner::Unknown, Owner::Unit)
            }
        }
    }

    pub fn unit(self) -> Option<UnitId> {
        match self {
            Owner::Unit(unit) => Some(unit),
            Owner::Nobody | Owner::Unknown => None,
        }
    }

    /// Permits putting the form: to those who manage its owner today, and to those who manage the
    /// whole tenant.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn permit(self, snapshot: &Snapshot, today: NaiveDate) -> Result<Permit, Denied> {
        let (access, action) = (&snapshot.access, Action::ChangeForms);
        match self {
            Owner::Nobody => access.to_all_units(action),
            Owner::Unit(unit) => {
                let hierarchy = &snapshot.hierarchy;
                to_reach(access, action, hierarchy, today, Reach::Subtree(unit))
            }
            // The form is refused for its owner.
            Owner::Unknown => access.somewhere(action),
        }
    }
}

/// Checks that somebody who may make forms for units only says for which.
///
/// # Errors
/// [`FormError::OwnerMissing`].
pub(super) fn check_owner_named(
    snapshot: &Snapshot,
    known: Option<&Form>,
    entered: &EnteredForm,
    day: NaiveDate,
) -> Result<(), FormError> {
    if known.is_some() || entered.owner.is_some() {
        return Ok(());
    }
    let own = snapshot
        .access
        .tops(Action::ChangeForms)
        .unwrap_or_default();
    let tree = snapshot.hierarchy.tree_on(day);
    match own.iter().find_map(|unit| tree.by_id(*unit)) {
        None => Ok(()),
        Some(place) => Err(FormError::OwnerMissing {
            example: format!("code:{}", place.fact().code),
        }),
    }
}

/// Checks that a form stays with its owner.
///
/// # Errors
/// [`FormError::Fixed`].
pub(super) fn check_owner_kept(
    snapshot: &Snapshot,
    known: &Form,
    entered: &EnteredForm,
    day: NaiveDate,
) -> Result<(), FormError> {
    let form = known.named();
    let Some(owner) = known.owner() else {
        return match entered.owner {
            None => Ok(()),
            Some(_) => Err(FormError::Fixed(message!("fixed-form-no-owner", form))),
        };
    };
    let is_named = |text: &String| match text.parse() {
        Ok(UnitReference::Id(unit)) => unit == owner,
        Ok(UnitReference::Code(_)) | Err(_) => {
            find(&snapshot.hierarchy.tree_on(day), text) == Some(owner)
        }
    };
    if entered.owner.as_ref().is_some_and(is_named) {
        return Ok(());
    }
    let owner = unit_named(snapshot, owner, day);
    Err(FormError::Fixed(message!("fixed-form-owner", form, owner)))
}

/// Names a unit as it is on a day, or was last.
pub(super) fn unit_named(snapshot: &Snapshot, unit: UnitId, day: NaiveDate) -> Named {
    let fact = fact_of(snapshot, unit, day);
    fact.map_or_else(
        || Named::plain(unit),
        |fact| Named::plain(fact.name_with_code()),
    )
}

fn fact_of(snapshot: &Snapshot, unit: UnitId, day: NaiveDate) -> Option<&UnitFact> {
    let facts = snapshot.hierarchy.facts_of(unit);
    let mut holding = facts.iter().filter(|fact| fact.validity.contains(day));
    holding.next().or(facts.last())
}

fn find(tree: &Tree, text: &str) -> Option<UnitId> {
    let reference = text.parse::<UnitReference>().ok()?;
    tree.find(&reference).map(|place| place.unit())
}

/// The units that a form asks, as they were read.
pub(super) struct ReadRespondents {
    pub submitted_by: SubmittedBy,
    /// The levels of these units.
    pub levels: Vec<LevelCode>,
}

impl FormReader<'_> {
    /// Reads whom the form asks: either units of some levels or units by their names, not both.
    pub(super) fn asked(&mut self, entered: &EnteredForm) -> ReadRespondents {
        if self.owner == Owner::Unknown {
            let unit = entered.owner.as_deref().unwrap_or_default();
            let (unit, day) = (Quoted(&unit), Named::day(self.units_on));
            let message = message!("form-unknown-unit", unit, day);
            self.fault(path!["owner"], Code::UnknownUnit, message);
        }
        let at = path!["submitted_by"];
        let levels = self.levels(&entered.submitted_by, &at);
        let Some(recipients) = &entered.recipients else {
            if entered.submitted_by.is_empty() {
                let message = message!("form-no-level-submits");
                self.fault(at, Code::InvalidValue, message);
            }
            return ReadRespondents {
                submitted_by: SubmittedBy::Levels(levels.clone()),
                levels,
            };
        };
        let at = path!["recipients"];
        if !entered.submitted_by.is_empty() {
            let message = message!("form-levels-and-recipients");
            self.fault(at.clone(), Code::InvalidValue, message);
        }
        let units = self.recipients(recipients, &at);
        ReadRespondents {
            levels: self.levels_of(&units),
            submitted_by: SubmittedBy::Recipients(units),
        }
    }

    fn recipients(&mut self, entered: &[String], at: &FieldPath) -> BTreeSet<UnitId> {
        if entered.is_empty() {
            let message = message!("form-no-recipients");
            self.fault(at.clone(), Code::InvalidValue, message);
        }
        if entered.len() > MOST_FORM_RECIPIENTS {
            let message = message!("form-too-many-recipients", most = MOST_FORM_RECIPIENTS);
            self.fault(at.clone(), Code::InvalidValue, message);
            return BTreeSet::new();
        }
        let mut units = BTreeSet::new();
        for (index, entered) in entered.iter().enumerate() {
            let at = at.below(index);
            match self.recipient(entered) {
                None => self.unknown_recipient(entered, at),
                Some(unit) if units.insert(unit) => {}
                Some(unit) => {
                    let unit = unit_named(self.snapshot, unit, self.units_on);
                    let message = message!("form-recipient-twice", unit);
                    self.fault(at, Code::Duplicate, message);
                }
            }
        }
        units
    }

    /// Finds a unit at or below the owner. One that the form names already is let through by its id,
    /// also where it has ended since.
    fn recipient(&self, text: &str) -> Option<UnitId> {
        let reference = text.parse::<UnitReference>().ok()?;
        if let UnitReference::Id(unit) = reference
            && self
                .named_already
                .is_some_and(|named| named.contains(&unit))
        {
            return Some(unit);
        }
        let tree = self.snapshot.hierarchy.tree_on(self.units_on);
        let place = tree.find(&reference)?;
        let is_within = self.owner.unit().is_none_or(|owner| {
            let owner = tree.by_id(owner);
            owner.is_some_and(|owner| owner.covers(place))
        });
        is_within.then(|| place.unit())
    }

    fn unknown_recipient(&mut self, text: &str, at: FieldPath) {
        let (unit, day) = (Quoted(&text), Named::day(self.units_on));
        let message = match self.owner.unit() {
            None => message!("form-unknown-unit", unit, day),
            Some(owner) => {
                let owner = unit_named(self.snapshot, owner, self.units_on);
                message!("form-recipient-elsewhere", unit, day, owner)
            }
        };
        self.fault(at, Code::UnknownUnit, message);
    }

    fn levels_of(&self, units: &BTreeSet<UnitId>) -> Vec<LevelCode> {
        let facts = units.iter();
        let facts = facts.filter_map(|unit| fact_of(self.snapshot, *unit, self.units_on));
        let levels: BTreeSet<&LevelCode> = facts.map(|fact| &fact.level).collect();
        levels.into_iter().cloned().collect()
    }
}
