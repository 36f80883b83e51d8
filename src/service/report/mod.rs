//! Reports as they are read: figures, their completeness and their sources. Only reads, apart from
//! the targets that figures are compared with and the reports that are sent up.

pub mod completeness;
pub mod lineage;
mod listed;
pub mod map;
pub mod release;
pub mod rollup;
pub mod series;
pub mod table;
pub mod target;
pub mod unit_report;
pub mod verification;
