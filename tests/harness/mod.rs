//! What the tests stand on: a real server on a fresh database of either backend, and a client
//! that speaks HTTP to it. Never an assertion about the product.

pub mod clerk;
pub mod client;
pub mod postgres;
pub mod program;
pub mod server;
pub mod town;

pub use client::{Answer, Client};
pub use program::Program;
pub use server::{Backend, Server};

/// Writes each test once and runs it on SQLite and on PostgreSQL. The body is given the backend.
macro_rules! on_both_backends {
    ($($(#[$meta:meta])* fn $name:ident($backend:ident) $body:block)+) => {
        $( $(#[$meta])* fn $name($backend: $crate::harness::Backend) $body )+

        mod on_sqlite {
            $( #[test] fn $name() { super::$name($crate::harness::Backend::Sqlite); } )+
        }

        mod on_postgresql {
            $( #[test] fn $name() {
                if $crate::harness::postgres::server().is_some() {
                    super::$name($crate::harness::Backend::Postgresql);
                }
            } )+
        }
    };
}
