//! Units, and changes of their map. Contains no figures, except for the forecast of a change.

pub mod doubt;
pub mod draft;
pub mod import;
pub mod mapping;
mod office_list;
pub mod reorganisation;
pub mod unit;
mod unit_list;
