//! Accounts: signing in, and who may do what where.

mod keys;
mod sign_in;
mod subtree;
