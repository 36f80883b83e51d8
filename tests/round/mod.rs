//! The reporting round: what each owes.

mod model;
mod requests;
pub mod tasks;
