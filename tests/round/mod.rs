//! The reporting round: what each owes.

mod model;
mod subtree_reporting;
pub mod tasks;
