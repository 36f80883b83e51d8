//! Units, and how their map changes. Never figures, except for what a change does to them.

pub mod mapping;
pub mod reorganisation;
pub mod unit;
