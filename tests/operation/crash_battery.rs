//! Crashes. The server or its database is killed at random moments under load and started again.
//! Every acknowledged change is there once, totals are the fold of the submissions, revs have no
//! gap, and an unanswered request that is sent again with its key has one effect.
//!
//! `TONGHOP_TEST_CYCLES` makes it longer; the counts are printed to standard error (`--nocapture`).

use std::thread::sleep;
use std::time::Duration;

use rand::RngExt;

use crate::harness::clerk::{
    CLERKS, Clerk, clerks, compare, put_case, settle, told_of, work_until,
};
use crate::harness::program::tonghop_on;
use crate::harness::server::TestDatabase;
use crate::harness::{Program, postgres};

pub(super) fn cycles(usual: usize) -> usize {
    match std::env::var("TONGHOP_TEST_CYCLES") {
        Ok(text) => text.parse().expect("TONGHOP_TEST_CYCLES is a number"),
        Err(_) => usual,
    }
}

fn a_moment() -> Duration {
    Duration::from_millis(rand::rng().random_range(5..400))
}

/// Says what a run went through.
fn tell(what: &str, cycles: usize, clerks: &[Clerk]) {
    eprintln!("{what}: {cycles} cycles, {:?}", told_of(clerks));
}

/// The operator's own check of everything.
fn expect_verified(database: &TestDatabase) {
    let output = tonghop_on(database, &["verify"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

on_both_backends! {
    fn a_server_killed_at_any_moment_loses_nothing_and_doubles_nothing(backend) {
        let database = TestDatabase::migrated(backend).with_tenant();
        let mut clerks = clerks(CLERKS);
        let mut server = Program::serve(&database);
        let before = put_case(&server.sign_in("test", "admin"));
        let cycles = cycles(3);
        for cycle in 0..cycles {
            let admin = server.sign_in("test", "admin");
            work_until(&admin, &mut clerks, || {
                sleep(a_moment());
                server.kill();
            });
            server = Program::serve(&database);
            // Every third time the power goes again while everything is sent once more.
            if cycle % 3 != 2 {
                let admin = server.sign_in("test", "admin");
                settle(&admin, &mut clerks);
                compare(&admin, &mut clerks, before);
            }
        }
        let admin = server.sign_in("test", "admin");
        settle(&admin, &mut clerks);
        compare(&admin, &mut clerks, before);
        expect_verified(&database);
        tell(&format!("server killed on {backend:?}"), cycles, &clerks);
    }
}

#[test]
fn a_postgresql_killed_at_any_moment_loses_nothing_and_doubles_nothing() {
    let Some(mut cluster) = postgres::Server::of_one_s_own() else {
        return;
    };
    let database = TestDatabase::migrated_on(&cluster).with_tenant();
    let server = Program::serve(&database);
    let before = put_case(&server.sign_in("test", "admin"));
    let mut clerks = clerks(CLERKS);
    let cycles = cycles(2);
    for _ in 0..cycles {
        let admin = server.sign_in("test", "admin");
        work_until(&admin, &mut clerks, || {
            sleep(a_moment());
            cluster.stop_at_once();
            cluster.start_again();
            sleep(a_moment());
        });
        settle(&admin, &mut clerks);
        compare(&admin, &mut clerks, before);
    }
    expect_verified(&database);
    tell("PostgreSQL killed", cycles, &clerks);
}
