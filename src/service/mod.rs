//! The use cases: one function each, one transaction each. Validate (pure, all faults at once),
//! decide, write. The types that they answer with are the bodies of the API. Never actix.

pub mod account;
pub mod answers;
pub mod application;
pub mod completeness;
pub mod condition;
pub mod form;
mod formula;
pub mod idempotency;
pub mod indicator;
pub mod level;
pub mod lineage;
pub mod locate;
pub mod map;
pub mod mapping;
pub mod page;
pub mod patience;
pub mod renewal;
pub mod reorganisation;
pub mod report;
pub mod rollup;
pub mod series;
pub mod snapshot;
pub mod submission;
mod table;
pub mod target;
pub mod tenant;
pub mod text;
pub mod token;
mod totals;
mod turn;
pub mod unit;
pub mod verification;
pub mod watcher;

pub use application::{Application, ReadLimits};
