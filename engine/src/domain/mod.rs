//! The types of the field and their rules: what a unit, a period, an indicator, a form and a
//! submission are, and which of them cannot be. Never a clock, I/O, diesel or actix.

pub mod bounds;
pub mod catalogue;
pub mod day;
pub mod deadline;
pub mod fault;
pub mod form;
pub mod formula;
pub mod hierarchy;
pub mod id;
pub mod indicator;
pub mod landing;
pub mod level;
pub mod naming;
pub mod period;
pub mod plan;
pub mod quantity;
pub mod receipt;
pub mod reorganisation;
pub mod route;
pub mod submission;
pub mod succession;
pub mod text;
pub mod unit;
