//! The types of the field and their rules: what a unit, a period, an indicator, a form and a
//! submission are, and which of them cannot be. Never a clock, I/O, diesel or actix.

pub mod bounds;
pub mod catalogue;
pub mod day;
pub mod deadline;
pub mod extension;
pub mod fault;
pub mod form;
pub mod formula;
pub mod holiday;
pub mod id;
pub mod indicator;
pub mod level;
pub mod map;
pub mod named;
pub mod naming;
pub mod period;
pub mod quantity;
pub mod receipt;
pub mod received_days;
pub mod release;
pub mod respondents;
pub mod submission;
pub mod subtree_reporting;
pub mod text;
pub mod unit;
pub mod words;
pub mod written;

// The map's nouns are nouns of the domain, as the others are.
pub use map::{hierarchy, landing, plan, reorganisation, route, succession};
