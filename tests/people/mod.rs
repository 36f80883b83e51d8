//! Accounts: signing in, and who may do what where.

mod accounts;
mod sign_in;
mod subtree;
