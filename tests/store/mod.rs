//! The database: the schema, the tenant in every statement, and row-level security.

mod migrations;
mod row_security;
pub mod statements;
