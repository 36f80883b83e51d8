//! The tenant that a piece of work is about. Code must hold a scope to reach data.

use crate::authn::Identity;
use crate::domain::id::TenantId;

/// One tenant. Every transaction is opened with a scope and sees no other tenant's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    tenant: TenantId,
}

impl Scope {
    /// Returns the tenant of a signed-in account.
    pub fn of(identity: &Identity) -> Scope {
        Scope {
            tenant: identity.tenant(),
        }
    }

    /// Returns the scope of a sign-in, before the password is checked. Only the sign-in use case
    /// calls it.
    pub(crate) fn of_sign_in(tenant: TenantId) -> Scope {
        Scope { tenant }
    }

    /// Returns the scope of a command-line operator, who has no token.
    pub(crate) fn of_operator(tenant: TenantId) -> Scope {
        Scope { tenant }
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }
}
