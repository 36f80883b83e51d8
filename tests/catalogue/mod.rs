//! Indicators and forms: bounds, formulas, calendars and windows.

mod bounds;
mod calendars;
mod formulas;
mod holidays;
mod indicators_and_forms;
mod windows;
