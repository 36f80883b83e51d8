//! The command line.

mod dashboards_guide;
mod demo;
mod integrators_guide;
mod people;
mod people_guide;
mod round_guide;
mod sheets_guide;
mod submissions;
