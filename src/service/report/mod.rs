//! Reports as they are read: figures, how complete they are and what they are made of. Reads only,
//! apart from the targets that figures are held against.

pub mod completeness;
pub mod lineage;
pub mod map;
pub mod rollup;
pub mod series;
pub mod target;
pub mod unit_report;
pub mod verification;
