//! The tenant that a piece of work is about: a value that one must hold to reach data.

use crate::authn::Identity;
use crate::domain::id::TenantId;

/// One tenant. Every transaction is opened with one and sees nothing of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    tenant: TenantId,
}

impl Scope {
    /// The tenant of somebody who is signed in.
    pub fn of(identity: &Identity) -> Scope {
        Scope {
            tenant: identity.tenant(),
        }
    }

    /// The tenant that somebody is about to sign in to: for the use case that checks the password.
    pub(crate) fn of_sign_in(tenant: TenantId) -> Scope {
        Scope { tenant }
    }

    /// A tenant that the operator works on from the command line, beside the database.
    pub(crate) fn of_operator(tenant: TenantId) -> Scope {
        Scope { tenant }
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }
}
