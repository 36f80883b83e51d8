//! Accounts: signing in, and what somebody may do where.

mod sign_in;
mod subtree;
