//! What keeps an installation in order, beside the API: the verifier in the background, backups,
//! and the check of a machine. Never a use case of a tenant, never SQL.

pub mod backup;
pub mod check;
pub mod verifier;
