//! The use cases: one function each, one transaction each. Validate (pure, all faults at once),
//! decide, write. The types that they answer with are the bodies of the API. Never actix.
//!
//! Each wing may use those above it in this list, and none below.

pub mod application;
pub mod catalogue;
pub mod map;
pub mod people;
pub mod report;
pub mod submission;
pub mod totals;

pub use application::{Application, ReadLimits};
