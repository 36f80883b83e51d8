//! What is asked: indicators, forms, and the levels of units that answer. Never an answer.

pub mod form;
mod formula;
pub mod indicator;
pub mod level;
