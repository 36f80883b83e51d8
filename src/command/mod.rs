//! The larger commands and their output. Each reads its arguments, calls the library, and prints
//! the result. Contains no rule of the domain.

pub mod account;
mod bar;
pub mod import;
pub mod keys;
mod local_time;
pub mod output;
pub mod password;
pub mod report;
mod summary;
