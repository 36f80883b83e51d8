//! Overload: many times what a server takes at once. What it does not take it refuses at once, with
//! a time to come again; what it acknowledged is there; operators are answered all the while.

use std::thread::sleep;
use std::time::Duration;

use crate::harness::clerk::{MOST_CLERKS, clerks, compare, put_case, settle, told_of, work_until};
use crate::harness::server::TestDatabase;
use crate::harness::{Client, Program};

/// A tenth of the clerks.
const LIMIT: usize = MOST_CLERKS / 10;

/// The most memory that a process has had, in KiB.
fn most_memory(server: &Program) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.unwrap().split_whitespace().next();
    number.unwrap().parse().unwrap()
}

on_both_backends! {
    fn what_is_too_much_is_refused_and_what_was_taken_is_kept(backend) {
        let database = TestDatabase::migrated(backend).with_tenant();
        let limit = LIMIT.to_string();
        let settings = [("TONGHOP_REQUEST_LIMIT", limit.as_str()), ("TONGHOP_WORKERS", "2")];
        let server = Program::serve_with(&database, &settings);
        let admin = server.sign_in("test", "admin");
        let before = put_case(&admin);
        let mut clerks = clerks(MOST_CLERKS);
        let operator = Client::new(server.address);
        let mut most = 0;
        work_until(&admin, &mut clerks, || {
            for _ in 0..10 {
                sleep(Duration::from_millis(150));
                most = most.max(operator.requests_in_flight());
                operator.get("/readyz").expect_status(200);
            }
        });
        let told = told_of(&clerks);
        eprintln!("overload on {backend:?}: {told:?}, {} KiB", most_memory(&server));
        assert!(told.unanswered > 0 && told.acknowledged > 0, "{told:?}");
        // Beside those worked on: the question itself, and one that a thread is just refusing.
        assert!(most <= LIMIT + 2, "{most} at once");
        assert!(most_memory(&server) < 300 * 1024);
        settle(&admin, &mut clerks);
        compare(&admin, &mut clerks, before);
    }
}
