//! Keeps an installation in order, beside the API: the background verifier, backups, and the check
//! of a machine. Contains no use case of a tenant and no SQL.

pub mod backup;
pub mod check;
pub mod verifier;
