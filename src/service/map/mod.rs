//! Units, and changes of their map. Contains no figures, except for the forecast of a change.

pub mod mapping;
pub mod reorganisation;
pub mod unit;
