//! Stopping, and losing the database: clients learn of it before anything is refused, accepted work
//! is finished, and the server recovers by itself when the database is back.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use tonghop::store::DatabaseUrl;

use crate::harness::clerk::{CLERKS, clerks, compare, put_case, settle, work_until};
use crate::harness::proxy::{Accident, Proxy, Trap};
use crate::harness::server::TestDatabase;
use crate::harness::{Answer, Backend, Client, Program, expect_in_time, postgres};

const SUBMISSION: &str = "/v1/forms/battery/periods/2024-01/units/code:H0-0/submission";
const ROLLUP: &str = "/v1/forms/battery/periods/2024-01/units/code:P/rollup";

fn body(value: i64) -> Value {
    json!({"values": [{"indicator": "b.sum", "value": value}], "submit": true})
}

/// Not now, and when to come again.
#[track_caller]
fn expect_later(answer: Answer, code: &str) {
    assert!(answer.header("retry-after").is_some(), "{}", answer.text);
    answer.expect_problem(503, code);
}

/// What a check of the readiness probe says.
fn check(client: &Client, name: &str) -> (u16, Value) {
    let answer = client.get("/readyz");
    (answer.status, answer.json()["checks"][name].clone())
}

#[test]
fn a_server_told_to_stop_says_so_and_finishes_what_it_accepted() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let mut server = Program::serve_with(&database, &[("TONGHOP_STOP_GRACE", "1")]);
    let admin = server.sign_in("test", "admin");
    put_case(&admin);
    assert_eq!(check(&admin, "server"), (200, json!("ok")));
    let mut begun = server.begin_put(SUBMISSION, admin.token(), &body(7).to_string());
    sleep(Duration::from_millis(100));

    server.terminate();
    expect_in_time("readiness goes", || {
        check(&admin, "server") == (503, json!("stopping"))
    });
    // Who has not heard yet is served.
    admin.get(ROLLUP).expect_status(200);
    expect_in_time("nobody is let in", || {
        TcpStream::connect(server.address).is_err()
    });

    begun.write_all(b"}").unwrap();
    let mut answer = String::new();
    begun.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(
        answer.to_lowercase().contains("connection: close"),
        "{answer}"
    );
    let ended = server.wait(Duration::from_secs(20));
    assert_eq!(
        ended.and_then(|status| status.code()),
        Some(0),
        "{}",
        server.log()
    );

    let server = Program::serve(&database);
    let admin = server.sign_in("test", "admin");
    admin.get(SUBMISSION).expect_status(200);
}

on_both_backends! {
    fn a_server_stopped_under_load_has_kept_what_it_acknowledged(backend) {
        let database = TestDatabase::migrated(backend).with_tenant();
        let mut server = Program::serve_with(&database, &[("TONGHOP_STOP_GRACE", "0")]);
        let admin = server.sign_in("test", "admin");
        let before = put_case(&admin);
        let mut clerks = clerks(CLERKS);
        work_until(&admin, &mut clerks, || {
            sleep(Duration::from_millis(300));
            server.terminate();
            let ended = server.wait(Duration::from_secs(20));
            assert_eq!(ended.and_then(|status| status.code()), Some(0));
        });
        let server = Program::serve(&database);
        let admin = server.sign_in("test", "admin");
        settle(&admin, &mut clerks);
        compare(&admin, &mut clerks, before);
    }
}

#[test]
fn without_its_database_a_server_says_to_come_again_and_goes_on_when_it_is_back() {
    let Some(mut cluster) = postgres::Server::of_one_s_own() else {
        return;
    };
    let database = TestDatabase::migrated_on(&cluster).with_tenant();
    let server = Program::serve(&database);
    let admin = server.sign_in("test", "admin");
    put_case(&admin);
    let create = admin
        .with("If-None-Match", "*")
        .with("Idempotency-Key", "k");
    admin.get(ROLLUP).expect_status(200);

    cluster.stop_at_once();
    std::thread::scope(|scope| {
        scope.spawn(|| expect_later(admin.get(ROLLUP), "UNAVAILABLE"));
        scope.spawn(|| expect_later(create.put(SUBMISSION, &body(1)), "UNAVAILABLE"));
        scope.spawn(|| assert_eq!(check(&admin, "database"), (503, json!("unavailable"))));
    });

    cluster.start_again();
    expect_in_time("the server is ready again", || {
        check(&admin, "database").0 == 200
    });
    create.put(SUBMISSION, &body(1)).expect_status(201);
    admin.get(ROLLUP).expect_status(200);
}

/// The same database through a proxy.
fn through(database: &TestDatabase) -> (Proxy, String) {
    let DatabaseUrl::Postgresql { url } = &database.server else {
        panic!("only PostgreSQL is reached over a network");
    };
    let (role, rest) = url.split_once('@').unwrap();
    let (place, name) = rest.split_once('/').unwrap();
    let server = place.to_socket_addrs().unwrap().next().unwrap();
    let proxy = Proxy::to(server, || Accident::None);
    let url = format!("{role}@{}/{name}", proxy.address);
    (proxy, url)
}

#[test]
fn a_commit_whose_outcome_is_unknown_is_told_by_sending_it_again() {
    if postgres::server().is_none() {
        return;
    }
    let database = TestDatabase::migrated(Backend::Postgresql).with_tenant();
    let (proxy, url) = through(&database);
    let server = Program::serve_with(&database, &[("DATABASE_URL", &url)]);
    let admin = server.sign_in("test", "admin");
    put_case(&admin);

    // It was committed, and the server did not hear of it.
    let create = admin
        .with("If-None-Match", "*")
        .with("Idempotency-Key", "one");
    proxy.lay(Trap::After("COMMIT"));
    expect_later(create.put(SUBMISSION, &body(1)), "OUTCOME_UNKNOWN");
    let again = create.put(SUBMISSION, &body(1)).expect_status(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));

    // It was not.
    let replace = admin
        .with("If-Match", again.etag())
        .with("Idempotency-Key", "two");
    proxy.lay(Trap::Before("COMMIT"));
    expect_later(replace.put(SUBMISSION, &body(2)), "OUTCOME_UNKNOWN");
    let again = replace.put(SUBMISSION, &body(2)).expect_status(200);
    assert_eq!(again.header("idempotency-replayed"), None);
    assert_eq!(again.json()["revision"], 2);
}
