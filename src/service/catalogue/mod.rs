//! The catalogue: indicators, forms, and the levels whose units report. Contains no reports.

pub mod form;
pub mod holiday;
pub mod indicator;
pub mod level;
