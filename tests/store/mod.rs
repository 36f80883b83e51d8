//! The database: the schema, and the tenant in every statement.

mod migrations;
pub mod statements;
