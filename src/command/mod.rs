//! The commands that are more than a call of the library, and what they show. Each reads its
//! arguments, calls the library, and tells what came of it. Never a rule of the domain.

mod bar;
pub mod import;
pub mod report;
mod summary;
