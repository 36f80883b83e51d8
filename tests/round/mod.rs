//! The reporting round: what each owes, how many work on it at once, and a year of it.

mod at_once;
mod model;
mod moved;
mod requests;
mod subtree_reporting;
pub mod tasks;
mod year;
