//! People and the tenants that they belong to: accounts, signing in. Never what somebody may do
//! (that is `authz`).

pub mod account;
mod credentials;
pub mod tenant;
pub mod token;
