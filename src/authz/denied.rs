//! The refusal of what no grant allows: says which role is missing, where it would have to be, and
//! who gives it.

use super::policy::{Action, Extent, Role, extent};
use crate::domain::naming::Named;
use crate::domain::unit::{UnitFact, Validity};
use crate::error::{Code, Explain, Explanation, Message};
use crate::message;
use crate::sentence::naming::any_of;

/// The error of an action that no grant allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no grant allows {action:?} there")]
pub struct Denied {
    action: Action,
    cause: Cause,
    spot: Spot,
}

/// The reason for which the caller's grants do not allow an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// No role of the caller allows it anywhere.
    NoRole,
    /// A role of the caller allows it, but for other units.
    OtherUnits,
    /// A role of the caller on this very unit allows it for the units below only.
    OwnUnit,
    /// The caller may do it on only these of the requested days.
    OtherDays(Validity),
}

/// The place of an action, as far as the caller may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Spot {
    /// The tenant as a whole.
    System,
    /// A unit that the caller may not read, or that was not looked for.
    Unit,
    /// A unit with one above it, by its name.
    Below(String),
    /// A unit with none above it, by its name.
    Root(String),
}

impl Denied {
    /// Denies an action on the tenant as a whole.
    pub(crate) fn on_system(action: Action) -> Denied {
        let (cause, spot) = (Cause::NoRole, Spot::System);
        Denied {
            action,
            cause,
            spot,
        }
    }

    /// Denies an action on a unit, and does not name the unit.
    pub(super) fn on_unit(action: Action, cause: Cause) -> Denied {
        let spot = Spot::Unit;
        Denied {
            action,
            cause,
            spot,
        }
    }

    /// Names the unit. The caller of this function has made sure that whoever is denied may read it.
    pub(super) fn naming(self, fact: &UnitFact) -> Denied {
        let name = fact.name_with_code();
        let spot = match fact.parent {
            Some(_) => Spot::Below(name),
            None => Spot::Root(name),
        };
        Denied { spot, ..self }
    }

    /// Returns the part of the tenant on which a role must be that allows the action.
    fn needed(&self) -> Needed {
        let is_allowed = |wanted: Extent| {
            let mut roles = Role::ALL.into_iter();
            roles.any(|role| extent(role, self.action) == wanted)
        };
        match self.spot {
            Spot::System => Needed::OnSystem,
            Spot::Unit | Spot::Below(_)
                if is_allowed(Extent::Covered) || is_allowed(Extent::CoveredAndAbove) =>
            {
                Needed::OnUnit
            }
            Spot::Unit | Spot::Below(_) if is_allowed(Extent::Below) => Needed::Above,
            Spot::Root(_)
                if is_allowed(Extent::Covered)
                    || is_allowed(Extent::CoveredAndAbove)
                    || is_allowed(Extent::Below) =>
            {
                Needed::OnRoot
            }
            Spot::Unit | Spot::Below(_) | Spot::Root(_) => Needed::OnSystem,
        }
    }

    /// Names the unit, or says *this unit*.
    fn unit(&self) -> Named {
        match &self.spot {
            // A form names no unit in its path.
            Spot::Unit if self.action == Action::ChangeForms => {
                message!("access-owning-unit").into()
            }
            Spot::System | Spot::Unit => message!("access-this-unit").into(),
            Spot::Below(name) | Spot::Root(name) => Named::plain(name),
        }
    }
}

/// The part of the tenant on which a role must be that allows an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needed {
    /// The unit, or one above it.
    OnUnit,
    /// The unit, which has none above it.
    OnRoot,
    /// A unit above the unit.
    Above,
    OnSystem,
}

impl Needed {
    /// Lists the roles that allow an action there.
    fn roles(self, action: Action) -> Vec<Role> {
        let all = Role::ALL.into_iter();
        let allowing = all.filter(|role| match extent(*role, action) {
            Extent::Never => false,
            Extent::Everywhere => self == Needed::OnSystem,
            Extent::Covered | Extent::CoveredAndAbove | Extent::Below => self != Needed::OnSystem,
        });
        allowing.collect()
    }

    fn place(self, unit: &Named) -> Message {
        let unit = unit.clone();
        match self {
            Needed::OnUnit => message!("access-on-unit", unit),
            Needed::OnRoot => message!("access-on-root", unit),
            Needed::Above => message!("access-above-unit", unit),
            Needed::OnSystem => message!("access-on-system"),
        }
    }

    /// Names whoever may give a role there.
    fn giver(self, roles: &[Role], unit: &Named) -> Message {
        let unit = unit.clone();
        match (self, roles) {
            // Nobody appoints managers of the own unit.
            (Needed::OnRoot, [Role::UnitAdmin]) | (Needed::OnSystem, _) => {
                message!("access-giver-of-system")
            }
            (Needed::OnUnit, [Role::UnitAdmin]) | (Needed::Above, _) => {
                message!("access-giver-above", unit)
            }
            (Needed::OnUnit | Needed::OnRoot, _) => message!("access-giver-of-unit", unit),
        }
    }
}

/// The number of roles that are given on units.
const ROLES_ON_UNITS: usize = Role::ALL.len() - 1;

/// Names whoever may do an action on a unit, to a reader who knows the unit.
pub fn holder_of(action: Action, unit: &UnitFact) -> Message {
    let denied = Denied::on_unit(action, Cause::NoRole).naming(unit);
    let (needed, unit) = (denied.needed(), denied.unit());
    let (role, place) = (role_of(&needed.roles(action)), needed.place(&unit));
    message!("access-holder", role, place)
}

/// Names the roles of which one allows an action.
fn role_of(roles: &[Role]) -> Message {
    match any_of(roles.iter().map(|role| role.named())) {
        Some(role) if roles.len() < ROLES_ON_UNITS => message!("access-role", role),
        Some(_) | None => message!("access-any-role"),
    }
}

impl Explain for Denied {
    fn explain(&self) -> Explanation {
        let action = match self.action {
            Action::ReadUnits | Action::ReadSubmissions | Action::ReadRollups => {
                message!("action-read-units")
            }
            Action::ReadLevels | Action::ReadCatalogue => message!("action-read-levels"),
            Action::Reorganise => message!("action-reorganise"),
            Action::ManageAccounts => message!("action-manage-accounts"),
            Action::AppointManagers => message!("action-appoint-managers"),
            Action::CreateUnits => message!("action-create-units"),
            Action::ChangeLevels => message!("action-change-levels"),
            Action::ChangeCatalogue => message!("action-change-catalogue"),
            Action::ChangeForms => message!("action-change-forms"),
            Action::ChangeSubmissions => message!("action-change-submissions"),
            Action::SetTargets => message!("action-set-targets"),
            Action::DecideSubmissions => message!("action-decide-submissions"),
            Action::ReadReleases => message!("action-read-releases"),
            Action::SendReleases => message!("action-send-releases"),
            Action::ReceiveReleases => message!("action-receive-releases"),
            Action::DatePapers => message!("action-date-papers"),
            Action::GiveExtensions => message!("action-give-extensions"),
            Action::ArrangeSubtreeReporting => message!("action-arrange-subtree-reporting"),
        };
        let (needed, unit) = (self.needed(), self.unit());
        let roles = needed.roles(self.action);
        let (role, place) = (role_of(&roles), needed.place(&unit));
        let giver = needed.giver(&roles, &unit);
        let message = match self.cause {
            Cause::NoRole => message!("access-no-role", action, role, place, giver),
            Cause::OtherUnits => message!("access-other-units", action, role, place, giver),
            Cause::OwnUnit => message!("access-own-unit", action, role, place, giver),
            Cause::OtherDays(days) => only_on(days, action, giver),
        };
        Explanation::new(Code::NotAllowed, message)
    }
}

/// Builds the sentence for an action that is allowed on only some of the requested days.
fn only_on(days: Validity, action: Message, giver: Message) -> Message {
    let from = Named::day(days.from);
    match days.to {
        None => message!("access-allowed-from", from, action, giver),
        Some(to) => message!(
            "access-allowed-between",
            action,
            from,
            giver,
            to = Named::day(to)
        ),
    }
}
