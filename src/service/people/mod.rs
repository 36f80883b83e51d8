//! People, programs and the tenants that they belong to: accounts, grants, invitations, sessions,
//! signing in. Their rights are decided by `authz`.

pub mod account;
mod account_item;
pub mod account_name;
pub mod api_key;
pub mod contact;
mod credentials;
pub mod grant;
pub mod hand_over;
pub mod import;
pub mod invitation;
pub mod me;
pub mod operator;
pub mod program;
pub mod session;
pub mod sign_in_attempt;
pub mod tenant;
pub mod token;
