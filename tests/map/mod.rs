//! Units and the map: adding, importing and reorganising units, and the work in progress on them.

mod imports;
mod office_list;
mod reform;
mod reorganisations;
mod texts;
mod units;
mod work_in_progress;
