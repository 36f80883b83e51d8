//! Accounts: signing in, and who may do what where.

mod sign_in;
mod subtree;
