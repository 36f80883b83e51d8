//! The reporting round as people do it: what each owes. Only reads.

mod duty;
mod owed;
mod states;
pub mod task;
mod view;
