//! The database: connections, the one door to transactions, the schema, and the queries, one file a
//! noun. Decides nothing; rules belong to the layers above.
//!
//! Every query runs in a [`Transaction`](database::Transaction), which is opened with a
//! [`Scope`](crate::authz::Scope) and carries its tenant. Code without a scope cannot reach data,
//! and every statement filters by its transaction's tenant.

#[macro_use]
mod connection;
#[macro_use]
pub(crate) mod key;
pub(crate) mod account;
pub(crate) mod api_key;
pub(crate) mod backup;
pub(crate) mod change;
mod composing;
pub mod counters;
mod current;
pub mod database;
pub mod error;
pub(crate) mod extension;
pub(crate) mod file;
mod filling;
pub(crate) mod form;
mod given_back;
pub(crate) mod grant;
pub(crate) mod holiday;
pub(crate) mod idempotency;
pub(crate) mod indicator;
pub(crate) mod inspection;
pub(crate) mod invitation;
pub(crate) mod level;
pub mod migration;
mod prepared;
pub(crate) mod progress;
mod received_days;
pub(crate) mod release;
pub(crate) mod reorganisation;
mod requirement;
pub(crate) mod rollup;
mod schema;
mod security;
pub(crate) mod sign_in;
pub(crate) mod sign_in_attempt;
pub(crate) mod submission;
pub(crate) mod subtree_reporting;
pub(crate) mod target;
pub(crate) mod task;
pub(crate) mod tenant;
pub(crate) mod unit;

pub use connection::DatabaseUrl;
pub use database::{Database, Transaction};
pub use error::StoreError;
