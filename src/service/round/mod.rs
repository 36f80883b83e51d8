//! The reporting round as people do it: what each owes. Only reads.

mod duty;
pub mod task;
