//! The reporting round: what each owes.

mod model;
mod requests;
mod subtree_reporting;
pub mod tasks;
