//! Identifies callers: passwords, tokens and the keys that sign them, and the keys
//! of programs. Permissions belong to
//! `authz`. Contains no SQL and no HTTP.

pub mod api_key;
pub mod keys;
pub mod password;
mod signature;
pub mod token;

pub use token::{Credential, Identity, TokenError, Tokens};
