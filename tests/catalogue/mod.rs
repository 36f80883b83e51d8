//! Indicators and forms: their bounds, formulas, calendars and windows.

mod bounds;
mod calendars;
mod formulas;
mod windows;
