//! The policy table: says which role may do which action, and where.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::id::{InvalidName, UnitId};
use crate::domain::unit::Validity;
use crate::error::Message;
use crate::message;

/// The role that a grant gives.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Enters and submits.
    Reporter,
    /// Approves and returns what comes from below.
    Approver,
    /// Reads.
    Viewer,
    /// Keeps the units, and makes forms for them.
    UnitAdmin,
    /// Does everything in the tenant.
    TenantAdmin,
}

impl Role {
    pub const ALL: [Role; 5] = [
        Role::Reporter,
        Role::Approver,
        Role::Viewer,
        Role::UnitAdmin,
        Role::TenantAdmin,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Reporter => "reporter",
            Role::Approver => "approver",
            Role::Viewer => "viewer",
            Role::UnitAdmin => "unit_admin",
            Role::TenantAdmin => "tenant_admin",
        }
    }

    /// Returns the role's name for people, with its code.
    pub fn named(self) -> Message {
        match self {
            Role::Reporter => message!("role-reporter", code = self),
            Role::Approver => message!("role-approver", code = self),
            Role::Viewer => message!("role-viewer", code = self),
            Role::UnitAdmin => message!("role-unit-admin", code = self),
            Role::TenantAdmin => message!("role-tenant-admin", code = self),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Role, InvalidName> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(InvalidName("role"))
    }
}

/// The part of a tenant in which a grant holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// A unit and everything below it, on the day that a request is about.
    Subtree(UnitId),
    Tenant,
}

/// A role, the part of the tenant in which it holds, and the days on which it does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    pub role: Role,
    pub reach: Reach,
    pub days: Validity,
}

impl Grant {
    /// Returns the unit on whose subtree the grant holds; `None` for the whole tenant.
    pub fn unit(&self) -> Option<UnitId> {
        match self.reach {
            Reach::Subtree(unit) => Some(unit),
            Reach::Tenant => None,
        }
    }

    /// Returns the same grant on a unit that takes the grant's own over on a day.
    #[must_use]
    pub fn passed_to(&self, heir: UnitId, on: NaiveDate) -> Grant {
        Grant {
            role: self.role,
            reach: Reach::Subtree(heir),
            days: Validity {
                from: self.days.from.max(on),
                to: self.days.to,
            },
        }
    }

    /// Returns true if this grant allows everything that another does.
    pub fn includes(&self, other: &Grant) -> bool {
        self.role == other.role && self.reach == other.reach && self.days.covers(other.days)
    }

    /// Returns true if the grant holds on some day. One that is ended before its first day never
    /// does.
    pub fn ever_holds(&self) -> bool {
        self.days.to.is_none_or(|to| self.days.from <= to)
    }
}

/// An action that the policy table allows or refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    ReadUnits,
    CreateUnits,
    ReadLevels,
    ChangeLevels,
    ReadCatalogue,
    ChangeCatalogue,
    /// Make a form for a unit and those below it, or change it.
    ChangeForms,
    ReadSubmissions,
    /// Put, submit, withdraw or discard.
    ChangeSubmissions,
    /// Approve, return or reopen.
    DecideSubmissions,
    /// Say on which day a paper came in that is entered later.
    DatePapers,
    /// Give a unit more time, or take that back.
    GiveExtensions,
    /// Let a unit report for all units below it, or take that back.
    ArrangeSubtreeReporting,
    ReadRollups,
    /// Read the reports that a unit sent up, and nothing else of it.
    ReadReleases,
    /// Send a unit's report up, or take it back.
    SendReleases,
    /// Receive or return the report that a unit sent up.
    ReceiveReleases,
    /// Set the value that a unit is to reach.
    SetTargets,
    /// Change the map, undo such a change, and read the documents that made it, which name units
    /// everywhere.
    Reorganise,
    /// See and change the accounts of people and programs, and what became of them.
    ManageAccounts,
    /// Make somebody a manager of units, or end that.
    AppointManagers,
}

/// The extent to which a role allows an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    Never,
    /// Every unit that the grant covers.
    Covered,
    /// Every unit that the grant covers, and every unit above the grant's.
    CoveredAndAbove,
    /// Every unit below the grant's unit. On a root also the root itself, since nobody is above it.
    Below,
    /// Whatever the grant's reach, for what belongs to the tenant as a whole.
    Everywhere,
}

/// Looks up how far `role` allows `action`. This is the policy table.
pub(super) fn extent(role: Role, action: Action) -> Extent {
    use Action::{
        AppointManagers, ArrangeSubtreeReporting, ChangeCatalogue, ChangeForms, ChangeLevels,
        ChangeSubmissions, CreateUnits, DatePapers, DecideSubmissions, GiveExtensions,
        ManageAccounts, ReadCatalogue, ReadLevels, ReadReleases, ReadRollups, ReadSubmissions,
        ReadUnits, ReceiveReleases, Reorganise, SendReleases, SetTargets,
    };
    match (role, action) {
        (Role::TenantAdmin, _) | (_, ReadLevels | ReadCatalogue) => Extent::Everywhere,
        (_, ReadUnits | ReadSubmissions | ReadRollups) => Extent::Covered,
        // Those below may read what was reported of them.
        (_, ReadReleases) => Extent::CoveredAndAbove,
        (Role::Reporter, ChangeSubmissions | SendReleases)
        | (Role::Approver, SendReleases)
        | (Role::UnitAdmin, CreateUnits | ChangeForms | ManageAccounts) => Extent::Covered,
        (
            Role::Approver,
            DecideSubmissions
            | DatePapers
            | GiveExtensions
            | ArrangeSubtreeReporting
            | ReceiveReleases
            | SetTargets,
        )
        | (Role::UnitAdmin, AppointManagers) => Extent::Below,
        (
            Role::Reporter | Role::Approver | Role::Viewer | Role::UnitAdmin,
            ChangeSubmissions
            | DecideSubmissions
            | DatePapers
            | GiveExtensions
            | ArrangeSubtreeReporting
            | CreateUnits
            | ChangeLevels
            | ChangeCatalogue
            | ChangeForms
            | SendReleases
            | ReceiveReleases
            | SetTargets
            | Reorganise
            | ManageAccounts
            | AppointManagers,
        ) => Extent::Never,
    }
}
