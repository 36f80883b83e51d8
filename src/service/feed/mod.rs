//! A tenant's history: what its commits did, for whoever may see it, and whether it is still as it was
//! written. Only reads.

pub mod audit;
pub mod changes;
pub mod pulse;
