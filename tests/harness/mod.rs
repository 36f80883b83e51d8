//! The ground that tests stand on: a real server on a fresh database of either backend, a client that
//! speaks HTTP to it, and builders of what is there before a test begins. It asserts that
//! preparations succeed and that kept totals verify; every other assertion is a test's.

use std::sync::Barrier;
use std::thread::sleep;
use std::time::{Duration, Instant};

pub mod clerk;
pub mod client;
pub mod decree;
pub mod guide;
pub mod postgres;
pub mod program;
pub mod proxy;
pub mod report;
pub mod server;
pub mod sheet;
pub mod table;
pub mod town;

pub use client::{Answer, Client};
pub use program::Program;
pub use server::{Backend, Server};

/// Waits until something holds that comes by itself.
#[track_caller]
pub fn expect_in_time(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        sleep(Duration::from_millis(50));
    }
}

/// Sends requests all at the same moment; returns their statuses, the lowest first.
pub fn at_once<'a>(works: &[&(dyn Fn() -> Answer + Sync + 'a)]) -> Vec<u16> {
    let ready = Barrier::new(works.len());
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = works
            .iter()
            .map(|work| {
                scope.spawn(|| {
                    ready.wait();
                    work().status
                })
            })
            .collect();
        let ended = threads.into_iter();
        ended.map(|thread| thread.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    statuses
}

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
