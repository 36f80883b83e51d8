//! The policy table: says which role may do which action, and where.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::id::{InvalidName, UnitId};
use crate::domain::naming::Named;

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
    /// Keeps the units.
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
    pub fn named(self) -> Named {
        let (vi, en) = match self {
            Role::Reporter => ("người nhập số liệu", "reporter"),
            Role::Approver => ("người duyệt", "approver"),
            Role::Viewer => ("người xem", "viewer"),
            Role::UnitAdmin => ("người quản lý đơn vị", "manager of units"),
            Role::TenantAdmin => ("người quản trị hệ thống", "administrator"),
        };
        Named::new(format!("{vi} ({self})"), format!("{en} ({self})"))
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

/// A role and the part of the tenant in which it holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    pub role: Role,
    pub reach: Reach,
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
    ReadSubmissions,
    /// Put, submit or withdraw.
    ChangeSubmissions,
    /// Approve, return or reopen.
    DecideSubmissions,
    ReadRollups,
    /// Set the value that a unit is to reach.
    SetTargets,
    /// Change the map, undo such a change, and read the documents that made it, which name units
    /// everywhere.
    Reorganise,
}

/// The extent to which a role allows an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    Never,
    /// Every unit that the grant covers.
    Covered,
    /// Every unit below the grant's unit. On a root also the root itself, since nobody is above it.
    Below,
    /// Whatever the grant's reach, for what belongs to the tenant as a whole.
    Everywhere,
}

/// Looks up how far `role` allows `action`. This is the policy table.
pub(super) fn extent(role: Role, action: Action) -> Extent {
    use Action::{
        ChangeCatalogue, ChangeLevels, ChangeSubmissions, CreateUnits, DecideSubmissions,
        ReadCatalogue, ReadLevels, ReadRollups, ReadSubmissions, ReadUnits, Reorganise, SetTargets,
    };
    match (role, action) {
        (Role::TenantAdmin, _) | (_, ReadLevels | ReadCatalogue) => Extent::Everywhere,
        (_, ReadUnits | ReadSubmissions | ReadRollups) => Extent::Covered,
        (Role::Reporter, ChangeSubmissions) | (Role::UnitAdmin, CreateUnits) => Extent::Covered,
        (Role::Approver, DecideSubmissions | SetTargets) => Extent::Below,
        (
            Role::Reporter | Role::Approver | Role::Viewer | Role::UnitAdmin,
            ChangeSubmissions | DecideSubmissions | CreateUnits | ChangeLevels | ChangeCatalogue
            | SetTargets | Reorganise,
        ) => Extent::Never,
    }
}
