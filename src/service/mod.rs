//! The use cases: one function each, one transaction each. Each validates (pure, all faults at
//! once), decides and writes. Their answer types are the bodies of the API. Contains no actix
//! types.
//!
//! The wings, from the lowest up: `application`, `people`, `catalogue`, `totals`, `map`, `submission`,
//! `report`, `round`, `feed`. Each may use those before it, never those after it.

pub mod application;
pub mod catalogue;
pub mod feed;
pub mod map;
pub mod people;
pub mod report;
pub mod round;
pub mod submission;
pub mod totals;

pub use application::{Application, ReadLimits};
