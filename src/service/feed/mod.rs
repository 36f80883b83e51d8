//! A tenant's history: what its commits did, for whoever may see it, the receipt of each step, and
//! whether the history is still as it was written. Only reads.

pub mod audit;
pub mod changes;
pub mod pulse;
pub mod receipt;
