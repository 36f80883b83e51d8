//! Totals: correct on every map and after every correction.

mod chains;
mod figures;
mod left;
mod limits;
mod map_model;
pub mod model;
mod pairs;
mod restated;
mod stand_in;
mod verification;
mod writers;
