//! Grants as they are entered and shown, and who may give or end them. What a role may do is decided
//! by `authz`.

use chrono::NaiveDate;
use serde::Serialize;

use crate::authz::{Access, Action, Denied, Grant, Permit, Reach, Role};
use crate::domain::fault::FieldPath;
use crate::domain::hierarchy::Hierarchy;
use crate::domain::id::UnitId;
use crate::domain::unit::{BEGINNING, UnitReference, Validity};
use crate::error::{Code, Fault};
use crate::locale::Quoted;
use crate::message;
use crate::service::application::name::UnitName;
use crate::service::application::snapshot::Snapshot;

/// The most grants of an account.
pub const MOST_GRANTS: usize = 50;

/// A role, the part of the tenant in which it holds, and the days on which it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct GrantView {
    pub role: Role,
    /// The unit on whose subtree the role holds; null for the whole tenant.
    pub unit: Option<UnitName>,
    /// The first day.
    pub from: NaiveDate,
    /// The last day; null until further notice.
    pub to: Option<NaiveDate>,
}

impl GrantView {
    /// Shows a grant. A unit that has ended keeps its last name, since no unit would mean the whole
    /// tenant.
    pub(in crate::service) fn of(
        grant: &Grant,
        hierarchy: &Hierarchy,
        day: NaiveDate,
    ) -> GrantView {
        GrantView {
            role: grant.role,
            unit: grant
                .unit()
                .and_then(|unit| unit_name(unit, hierarchy, day)),
            from: grant.days.from,
            to: grant.days.to,
        }
    }
}

/// Names a unit as it is on a day, or was last.
pub(in crate::service) fn unit_name(
    unit: UnitId,
    hierarchy: &Hierarchy,
    day: NaiveDate,
) -> Option<UnitName> {
    let tree = hierarchy.tree_on(day);
    let last = || hierarchy.facts_of(unit).last().map(UnitName::of_fact);
    tree.by_id(unit).map(UnitName::of).or_else(last)
}

/// A grant to give, as it was entered. On the command line: `ROLE@UNIT`, or `tenant_admin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnteredGrant {
    pub role: Role,
    /// The unit on whose subtree the role holds, by its id or its code; `None` for the whole tenant.
    pub unit: Option<String>,
    /// The first day; by default today.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: Option<NaiveDate>,
}

impl std::str::FromStr for EnteredGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<EnteredGrant, String> {
        let (role, unit) = match text.split_once('@') {
            Some((role, unit)) => (role, Some(unit)),
            None => (text, None),
        };
        let Ok(role) = role.parse::<Role>() else {
            let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
            return Err(format!(
                "it must be ROLE@UNIT with one of the roles {}, as in reporter@code:30388, or \
                 tenant_admin",
                roles.join(", ")
            ));
        };
        match unit {
            Some(unit) if unit.parse::<UnitReference>().is_err() => Err(format!(
                "a unit is named by its code, as in {}@code:{unit}, or by its id",
                role.as_str()
            )),
            unit => Ok(EnteredGrant {
                role,
                unit: unit.map(str::to_owned),
                // As the first accounts of a tenant have it.
                from: Some(BEGINNING),
                to: None,
            }),
        }
    }
}

/// Reads the grants that are entered for an account.
pub(in crate::service) struct GrantReader<'s> {
    snapshot: &'s Snapshot,
    today: NaiveDate,
    /// The grants that the account has.
    standing: Vec<Grant>,
}

impl<'s> GrantReader<'s> {
    /// Reads for an account that is new.
    pub fn of_new_account(snapshot: &'s Snapshot, today: NaiveDate) -> GrantReader<'s> {
        GrantReader {
            snapshot,
            today,
            standing: Vec::new(),
        }
    }

    /// Reads for an account that has grants.
    pub fn of_holder(
        snapshot: &'s Snapshot,
        today: NaiveDate,
        standing: impl IntoIterator<Item = Grant>,
    ) -> GrantReader<'s> {
        GrantReader {
            snapshot,
            today,
            standing: standing.into_iter().collect(),
        }
    }

    /// Reads entered grants. A unit is named as it is on the grant's first day, or today if that is
    /// past. One that has ended can be named where the account has the role on it already, so that
    /// what does not change is let through.
    pub fn read(
        &self,
        entered: &[EnteredGrant],
        at: &FieldPath,
        faults: &mut Vec<Fault>,
    ) -> Vec<Grant> {
        if entered.len() > MOST_GRANTS {
            let message = message!("grant-too-many", most = MOST_GRANTS);
            faults.push(Fault::in_body(at.clone(), Code::InvalidValue, message));
            return Vec::new();
        }
        let mut grants: Vec<Grant> = Vec::with_capacity(entered.len());
        for (index, entered) in entered.iter().enumerate() {
            let at = at.below(index);
            match self.read_one(entered, &at) {
                Ok(grant) if grants.iter().any(|other| self.is_doubled(other, &grant)) => {
                    let message = message!("grant-twice", role = grant.role.named());
                    faults.push(Fault::in_body(at, Code::Duplicate, message));
                }
                Ok(grant) => grants.push(grant),
                Err(fault) => faults.push(fault),
            }
        }
        grants
    }

    /// Returns true for two grants that hold on the same days, unless the account has both already.
    fn is_doubled(&self, one: &Grant, other: &Grant) -> bool {
        let is_same = one.role == other.role && one.reach == other.reach;
        let are_kept = one != other
            && [one, other]
                .iter()
                .all(|grant| self.standing.contains(grant));
        is_same && one.days.overlaps(other.days) && !are_kept
    }

    fn read_one(&self, entered: &EnteredGrant, at: &FieldPath) -> Result<Grant, Fault> {
        let today = self.today;
        let role = entered.role;
        let days = Validity {
            from: entered.from.unwrap_or(today),
            to: entered.to,
        };
        if days.to.is_some_and(|to| to < days.from) {
            let message = message!("level-last-day-before-first");
            return Err(Fault::in_body(at.below("to"), Code::InvalidValue, message));
        }
        if days.to.is_some_and(|to| to < today) {
            let message = message!("grant-over");
            return Err(Fault::in_body(at.below("to"), Code::InvalidValue, message));
        }
        let reach = match (&entered.unit, role) {
            (None, Role::TenantAdmin) => Reach::Tenant,
            (Some(unit), Role::Reporter | Role::Approver | Role::Viewer | Role::UnitAdmin) => {
                let found = self.find_unit(unit, role, days.from.max(today));
                let found = found.ok_or_else(|| {
                    let message = message!("grant-unknown-unit", unit = Quoted(&unit));
                    Fault::in_body(at.below("unit"), Code::UnknownUnit, message)
                })?;
                Reach::Subtree(found)
            }
            (Some(_), Role::TenantAdmin) => {
                let message = message!("grant-role-of-system", role = role.named());
                return Err(Fault::in_body(
                    at.below("unit"),
                    Code::InvalidValue,
                    message,
                ));
            }
            (None, role) => {
                let (code, role) = (role.as_str(), role.named());
                let message = message!("grant-role-needs-unit", role, code);
                return Err(Fault::in_body(
                    at.below("unit"),
                    Code::InvalidValue,
                    message,
                ));
            }
        };
        Ok(Grant { role, reach, days })
    }

    fn find_unit(&self, text: &str, role: Role, day: NaiveDate) -> Option<UnitId> {
        let reference = text.parse::<UnitReference>().ok()?;
        let tree = self.snapshot.hierarchy.tree_on(day);
        let found = tree.find(&reference).map(|place| place.unit());
        found.or_else(|| self.find_former_unit(&reference, role))
    }

    /// Finds a unit that has ended among those on which the account has a role.
    fn find_former_unit(&self, reference: &UnitReference, role: Role) -> Option<UnitId> {
        let is_named = |unit: &UnitId| match reference {
            UnitReference::Id(id) => id == unit,
            UnitReference::Code(code) => {
                let last = self.snapshot.hierarchy.facts_of(*unit).last();
                last.is_some_and(|last| last.code == *code)
            }
        };
        let mut of_role = self.standing.iter().filter(|grant| grant.role == role);
        of_role.find_map(|grant| grant.unit().filter(is_named))
    }
}

/// Returns the action of giving or ending a role.
fn giving(role: Role) -> Action {
    match role {
        Role::UnitAdmin => Action::AppointManagers,
        Role::Reporter | Role::Approver | Role::Viewer | Role::TenantAdmin => {
            Action::ManageAccounts
        }
    }
}

/// Permits giving or ending every one of `grants`. A manager gives no more than it has: roles below
/// its own unit, and the management of units only below it.
///
/// # Errors
/// [`Denied`] for the first grant that the caller may not give.
pub(in crate::service) fn to_give<'g>(
    access: &Access,
    hierarchy: &Hierarchy,
    today: NaiveDate,
    grants: impl IntoIterator<Item = &'g Grant>,
) -> Result<Permit, Denied> {
    let mut permit = access.somewhere(Action::ManageAccounts)?;
    for grant in grants {
        permit = match grant.reach {
            Reach::Tenant => access.to_tenant(Action::ManageAccounts)?,
            // Nobody is above a root, so only an administrator appoints its managers.
            Reach::Subtree(unit)
                if grant.role == Role::UnitAdmin && is_root(hierarchy, unit, today) =>
            {
                access.to_tenant(Action::AppointManagers)?
            }
            Reach::Subtree(unit) => {
                let day = day_of(hierarchy, unit, grant.days.from.max(today));
                let days = Validity {
                    from: day,
                    to: Some(day),
                };
                access.to_unit_throughout(giving(grant.role), hierarchy, unit, days)?
            }
        };
    }
    Ok(permit)
}

/// Permits managing the accounts of people and programs of a part of the tenant.
///
/// # Errors
/// [`Denied`].
pub(in crate::service) fn to_manage(
    access: &Access,
    hierarchy: &Hierarchy,
    today: NaiveDate,
    reach: Reach,
) -> Result<Permit, Denied> {
    to_reach(access, Action::ManageAccounts, hierarchy, today, reach)
}

/// Permits an action on the unit of a grant, or on the tenant if that is its reach.
///
/// # Errors
/// [`Denied`].
pub(in crate::service) fn to_reach(
    access: &Access,
    action: Action,
    hierarchy: &Hierarchy,
    today: NaiveDate,
    reach: Reach,
) -> Result<Permit, Denied> {
    let Reach::Subtree(unit) = reach else {
        return access.to_tenant(action);
    };
    let tree = hierarchy.tree_on(day_of(hierarchy, unit, today));
    match tree.by_id(unit) {
        Some(place) => access.to_unit(action, &tree, place),
        None => access.to_tenant(action),
    }
}

fn is_root(hierarchy: &Hierarchy, unit: UnitId, today: NaiveDate) -> bool {
    let tree = hierarchy.tree_on(day_of(hierarchy, unit, today));
    tree.by_id(unit)
        .is_some_and(|place| place.parent().is_none())
}

/// Returns a day on which a unit exists: `day`, or its last one.
fn day_of(hierarchy: &Hierarchy, unit: UnitId, day: NaiveDate) -> NaiveDate {
    if hierarchy.tree_on(day).by_id(unit).is_some() {
        return day;
    }
    let last = hierarchy.facts_of(unit).last();
    last.map_or(day, |fact| fact.validity.to.unwrap_or(fact.validity.from))
}
