//! Identifies callers: passwords, tokens and the keys that sign them. Permissions belong to
//! `authz`. Contains no SQL and no HTTP.

pub mod keys;
pub mod password;
mod signature;
pub mod token;

pub use token::{Identity, TokenError, Tokens};
