//! Units and the map: adding, importing and reorganising them, and what becomes of work in progress.

mod imports;
mod reform;
mod reorganisations;
mod texts;
mod units;
mod work_in_progress;
