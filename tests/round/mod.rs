//! The reporting round: what each owes, how many work on it at once, and a year of it.

mod at_once;
mod model;
pub mod tasks;
mod year;
