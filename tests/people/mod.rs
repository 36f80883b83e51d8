//! Accounts: signing in, and who may do what where.

mod accounts;
mod contacts;
mod keys;
mod sessions;
mod sign_in;
mod sign_in_log;
mod subtree;
