//! Bad networks. Connections break during a request or its answer, answers get lost after the
//! commit or come late, clients disappear. Sending a request again with its key has one effect, and
//! the server keeps nothing for clients that are gone.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::Duration;

use rand::RngExt;
use serde_json::json;

use crate::harness::clerk::{CLERKS, clerks, compare, put_case, told_of};
use crate::harness::proxy::{Accident, Proxy};
use crate::harness::server::TestDatabase;
use crate::harness::{Backend, Client, Program, expect_in_time};

fn any_accident() -> Accident {
    let mut random = rand::rng();
    let bytes = random.random_range(1..2500);
    match random.random_range(0..5) {
        0 => Accident::CutRequest(bytes),
        1 => Accident::CutAnswer(0),
        2 => Accident::CutAnswer(bytes),
        3 => Accident::HalfClose(bytes),
        _ => Accident::Slow(Duration::from_millis(20), bytes),
    }
}

/// How many sockets a process has open.
fn sockets(server: &Program) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap();
    let links = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    links
        .filter(|link| link.to_string_lossy().starts_with("socket:"))
        .count()
}

on_both_backends! {
    fn whatever_the_network_does_there_are_as_many_effects_as_keys(backend) {
        let database = TestDatabase::migrated(backend).with_tenant();
        let server = Program::serve(&database);
        let admin = server.sign_in("test", "admin");
        let before = put_case(&admin);
        // The database's own connections stay.
        let at_rest = sockets(&server) + 16;
        let proxy = Proxy::to(server.address, any_accident);
        let mut clerks = clerks(CLERKS);
        std::thread::scope(|scope| {
            for clerk in &mut clerks {
                let client = Client::with_patience(proxy.address, Duration::from_secs(3));
                let client = client.with_token(admin.token());
                scope.spawn(move || {
                    while clerk.told.acknowledged < 12 {
                        clerk.go_on(&client);
                    }
                    clerk.settle(&client);
                });
            }
        });
        let told = told_of(&clerks);
        eprintln!("{} accidents on {backend:?}: {told:?}", proxy.accidents());
        assert!(proxy.accidents() > 20 && told.retried > 0);
        compare(&admin, &mut clerks, before);
        expect_in_time("nobody's request is worked on any more", || admin.requests_in_flight() == 1);
        expect_in_time("no connection is kept", || sockets(&server) <= at_rest);
    }

    fn one_request_over_many_connections_at_once_has_one_effect(backend) {
        let database = TestDatabase::migrated(backend).with_tenant();
        let server = Program::serve(&database);
        let admin = server.sign_in("test", "admin");
        put_case(&admin);
        let path = "/v1/forms/battery/periods/2024-01/units/code:H0-0/submission";
        let body = json!({"values": [{"indicator": "b.sum", "value": 5}], "submit": true});
        let together = &Barrier::new(8);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let sendings: Vec<_> = (0..8)
                .map(|_| {
                    let client = Client::new(server.address).with_token(admin.token());
                    let client = client.with("Idempotency-Key", "k").with("If-None-Match", "*");
                    let body = &body;
                    scope.spawn(move || {
                        together.wait();
                        client.put(path, body).status
                    })
                })
                .collect();
            sendings.into_iter().map(|sending| sending.join().unwrap()).collect()
        });
        assert!(statuses.contains(&201), "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
        let revisions = admin.get(&format!("{path}/revisions")).expect_status(200).json();
        assert_eq!(revisions["items"].as_array().unwrap().len(), 1, "{revisions}");
    }
}

/// What a server sends to somebody who sends this and then nothing, until it closes.
fn answer_to_a_part(server: &Program, part: &str) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(part.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn who_sends_a_request_and_never_ends_it_is_sent_away() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let server = Program::serve_with(&database, &[("TONGHOP_BODY_TIME", "1")]);
    let admin = server.sign_in("test", "admin");
    let token = admin.token();
    let head = format!(
        "PUT /v1/indicators/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Accept-Language: en\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
    );
    let answer = answer_to_a_part(&server, &head);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("BODY_TOO_SLOW"), "{answer}");
    // A head that does not end is nobody's request yet; the framework's own time is over then.
    let answer = answer_to_a_part(&server, "GET /livez HTTP/1.1\r\nHost: x\r\n");
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408 "),
        "{answer}"
    );
    expect_in_time("nothing is left of them", || {
        admin.requests_in_flight() == 1
    });
}
