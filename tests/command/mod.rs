//! The command line.

mod demo;
mod people;
mod people_guide;
