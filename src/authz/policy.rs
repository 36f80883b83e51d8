//! The policy table: which role may do which action, and where.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::id::{InvalidName, UnitId};
use crate::domain::naming::Named;

/// What somebody is in a tenant.
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
    /// May do all in the tenant.
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
}

impl Role {
    /// The role's name for people, with its code.
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

/// Where a grant holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// On a unit and everything below it, on the day that a request is about.
    Subtree(UnitId),
    Tenant,
}

/// A role, and where it holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    pub role: Role,
    pub reach: Reach,
}

/// Something that can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    ReadUnits,
    CreateUnits,
    ReadLevels,
    ChangeLevels,
    ReadCatalogue,
    ChangeCatalogue,
    ReadSubmissions,
    /// Put, submit, withdraw.
    ChangeSubmissions,
    /// Approve, return, reopen.
    DecideSubmissions,
    ReadRollups,
    /// Say what a unit is to reach.
    SetTargets,
    /// Change the map, take such a change back, and see the documents that did: they name units
    /// everywhere.
    Reorganise,
}

/// How far a role allows an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Never,
    /// On every unit that the grant covers.
    Covered,
    /// On what is below the grant's unit; on a root also by a grant on the root itself, since
    /// nobody is above it.
    Below,
    /// Wherever the grant is: what belongs to the tenant as a whole.
    Everywhere,
}

/// The table itself.
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
