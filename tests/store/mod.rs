//! The database: its schema, and whose rows every statement is about.

mod migrations;
pub mod statements;
