//! Identifies callers: passwords, tokens and the keys that sign them, and the keys
//! of programs. Permissions belong to
//! `authz`. Contains no SQL and no HTTP.

pub mod api_key;
mod key_ring;
pub mod keys;
pub mod password;
pub mod rotation;
pub mod secret;
mod signature;
pub mod token;

pub use token::{Credential, Identity, TokenError, Tokens};
