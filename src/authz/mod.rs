//! Decides who may do what. A policy table says which role may do which action; a grant gives a
//! role on a unit's subtree or on the tenant. Nothing else allows anything. Contains no SQL and no
//! HTTP.
//!
//! An example. An is reporter of hamlet 30388-01, Bình is reporter and approver of commune 30388,
//! Chi is viewer of town 887, which has the commune below it.
//!
//! * An may put and submit for 30388-01; 30388-02 is denied: no grant of hers covers it.
//! * Bình may do so for all seven hamlets (nhập thay) and for the commune, and approve the
//!   hamlets, which are below his unit. The commune itself he cannot approve: an approver's grant
//!   is on a unit above.
//! * Chi reads all of it and changes nothing.
//!
//! [`Scope`], [`Access`] and [`Permit`] have private fields and are made here only. No transaction
//! opens without a scope, so no code reaches another tenant's data. A permit answers a use case's
//! question and must not be discarded unread.

mod access;
mod denied;
mod key_operations;
mod operation;
mod policy;
mod scope;

pub use access::{Access, Permit};
pub use denied::{Denied, holder_of};
pub use key_operations::{KeyOperation, KeyOperations, RefusedOperation};
pub use operation::{Audience, Operation, OperationKind};
pub use policy::{Action, Extent, Grant, Reach, Role};
pub use scope::Scope;
