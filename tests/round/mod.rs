//! The reporting round: what each owes.

mod model;
pub mod tasks;
