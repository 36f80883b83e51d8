//! Totals: what units submitted is put together right, on every map, whatever is corrected.

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
