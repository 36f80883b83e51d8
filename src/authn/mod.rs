//! Who is calling: passwords, tokens and the keys that sign them. Never what somebody may do
//! (that is `authz`), never SQL, never HTTP.

pub mod keys;
pub mod password;
mod signature;
pub mod token;

pub use token::{Identity, TokenError, Tokens};
