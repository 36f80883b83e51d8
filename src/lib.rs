//! Tonghop (*tổng hợp*: to compile what the units below sent): hierarchical reporting. Lower units
//! submit indicators, and every level above has its exact report at once.
//!
//! `ARCHITECTURE.md` has the map of the modules and how data flows through them.

pub mod allowance;
pub mod authn;
pub mod authz;
pub mod config;
pub mod demo;
pub mod document;
pub mod error;
pub mod http;
pub mod locale;
pub mod operation;
pub mod pointer;
pub mod rate;
pub mod sentence;
pub mod service;
pub mod spreadsheet;
pub mod store;
pub mod system;
pub mod telemetry;

// The engine is a crate of its own, and its nouns are the server's: `crate::domain::unit` is what
// `crate::store::unit` keeps.
pub use tonghop_engine::{domain, path, rollup};
