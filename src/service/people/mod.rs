//! People and the tenants that they belong to: accounts, signing in. Their rights
//! are decided by `authz`.

pub mod account;
mod credentials;
pub mod tenant;
pub mod token;
