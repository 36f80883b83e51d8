//! The decision: what somebody's grants allow on a tree.

use std::sync::Arc;

use super::policy::{Action, Extent, Grant, Reach, extent};
use crate::authn::Identity;
use crate::domain::hierarchy::{Place, Tree};
use crate::domain::id::{AccountId, UnitId};
use crate::error::{Code, Explain, Message};
use crate::message;

/// What somebody who is signed in may do.
#[derive(Debug, Clone)]
pub struct Access {
    account: AccountId,
    grants: Arc<[Grant]>,
}

/// Leave to do one action at one place. Whoever holds it need not ask again.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    account: AccountId,
}

impl Permit {
    /// Who was given leave.
    pub fn account(&self) -> AccountId {
        self.account
    }
}

/// No grant allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no grant allows {action:?} there")]
pub struct Denied {
    pub action: Action,
}

impl Access {
    /// `grants` are those that the database has for the identity's account.
    pub fn new(identity: &Identity, grants: Arc<[Grant]>) -> Access {
        Access {
            account: identity.account(),
            grants,
        }
    }

    /// Of nobody: it allows nothing. For work of the operator, which asks for no leave.
    pub fn of_nobody() -> Access {
        Access {
            account: AccountId::new(),
            grants: Arc::new([]),
        }
    }

    pub fn account(&self) -> AccountId {
        self.account
    }

    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Leave to do something to a unit.
    ///
    /// # Errors
    /// [`Denied`] where no grant allows it.
    pub fn to_unit(&self, action: Action, tree: &Tree, place: Place<'_>) -> Result<Permit, Denied> {
        let allowed = self
            .grants
            .iter()
            .any(|grant| match extent(grant.role, action) {
                Extent::Never => false,
                Extent::Everywhere => true,
                Extent::Covered => covers(grant, tree, place),
                Extent::Below => is_above(grant, tree, place),
            });
        self.permit(action, allowed)
    }

    /// Leave to do something that belongs to the tenant as a whole.
    ///
    /// # Errors
    /// [`Denied`] where no grant allows it.
    pub fn to_tenant(&self, action: Action) -> Result<Permit, Denied> {
        let allowed = self
            .grants
            .iter()
            .any(|grant| extent(grant.role, action) == Extent::Everywhere);
        self.permit(action, allowed)
    }

    fn permit(&self, action: Action, allowed: bool) -> Result<Permit, Denied> {
        if allowed {
            Ok(Permit {
                account: self.account,
            })
        } else {
            Err(Denied { action })
        }
    }

    /// The units at which an action is allowed, as the tops of subtrees; `None` means everywhere.
    pub fn tops(&self, action: Action) -> Option<Vec<UnitId>> {
        let mut tops = Vec::new();
        for grant in self.grants.iter() {
            match (extent(grant.role, action), grant.reach) {
                (Extent::Everywhere, _) | (Extent::Covered | Extent::Below, Reach::Tenant) => {
                    return None;
                }
                (Extent::Covered | Extent::Below, Reach::Subtree(unit)) => tops.push(unit),
                (Extent::Never, _) => {}
            }
        }
        Some(tops)
    }
}

fn covers(grant: &Grant, tree: &Tree, place: Place<'_>) -> bool {
    match grant.reach {
        Reach::Tenant => true,
        Reach::Subtree(unit) => tree.by_id(unit).is_some_and(|top| top.covers(place)),
    }
}

fn is_above(grant: &Grant, tree: &Tree, place: Place<'_>) -> bool {
    let is_root = place.parent().is_none();
    match grant.reach {
        Reach::Tenant => true,
        Reach::Subtree(unit) if unit == place.unit() => is_root,
        Reach::Subtree(_) => covers(grant, tree, place),
    }
}

impl Explain for Denied {
    fn code(&self) -> Code {
        Code::NotAllowed
    }

    fn message(&self) -> Message {
        let (vi, en) = match self.action {
            Action::ReadUnits | Action::ReadSubmissions | Action::ReadRollups => {
                ("xem đơn vị này", "see this unit")
            }
            Action::ReadLevels | Action::ReadCatalogue => ("xem danh mục", "see the catalogue"),
            Action::Reorganise => (
                "sắp xếp đơn vị hành chính (việc của người quản trị hệ thống)",
                "reorganise units (that is for an administrator of the tenant)",
            ),
            Action::CreateUnits => ("thêm đơn vị ở đây", "add units here"),
            Action::ChangeLevels => ("thay đổi các cấp", "change levels"),
            Action::ChangeCatalogue => ("thay đổi danh mục", "change the catalogue"),
            Action::ChangeSubmissions => (
                "nhập hoặc gửi số liệu cho đơn vị này",
                "enter or submit for this unit",
            ),
            Action::SetTargets => (
                "giao chỉ tiêu cho đơn vị này (việc của đơn vị cấp trên)",
                "set targets for this unit (that is for a unit above it)",
            ),
            Action::DecideSubmissions => (
                "duyệt, trả lại hay mở lại số liệu của đơn vị này (việc của đơn vị cấp trên)",
                "approve, return or reopen for this unit (that is for a unit above it)",
            ),
        };
        message!(
            "Bạn không được {vi}. Nếu cần, hãy đề nghị người quản trị cấp quyền.",
            "You may not {en}. If you need to, ask your administrator for a grant."
        )
    }
}
