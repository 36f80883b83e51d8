//! The command line.

mod demo;
mod people_guide;
