//! The command line.

mod demo;
