//! Overload: far more requests than a server takes at once. It refuses the rest at once with a time
//! to try again, keeps everything it acknowledged, and answers operators throughout.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tonghop::http::server::bind;

use crate::harness::clerk::{MOST_CLERKS, clerks, compare, put_case, settle, told_of, work_until};
use crate::harness::server::TestDatabase;
use crate::harness::{Backend, Client, Program};

/// A tenth of the clerks.
const LIMIT: usize = MOST_CLERKS / 10;

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
        eprintln!("overload on {backend:?}: {told:?}, {most} at once, {} KiB", server.most_memory());
        assert!(told.unanswered > 0 && told.acknowledged > 0, "{told:?}");
        // Beside those worked on: the question itself, one that a thread is just refusing, and the
        // few whose bodies are on their way.
        assert!(most <= 2 * LIMIT + 2, "{most} at once");
        assert!(server.most_memory() < 300 * 1024);
        settle(&admin, &mut clerks);
        compare(&admin, &mut clerks, before);
    }
}

fn submission_of(hamlet: usize) -> String {
    format!("/v1/forms/battery/periods/2024-01/units/code:H{hamlet}-0/submission")
}

/// The status that a request is answered with once its body is there.
fn finish(mut begun: TcpStream) -> String {
    begun.write_all(b"}").unwrap();
    first_line(begun)
}

fn first_line(mut begun: TcpStream) -> String {
    begun
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut answer = [0; 12];
    begun.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_body_on_its_way_takes_no_place_from_others() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let server = Program::serve_with(&database, &[("TONGHOP_REQUEST_LIMIT", "2")]);
    let admin = server.sign_in("test", "admin");
    put_case(&admin);
    let body = r#"{"values": [{"indicator": "b.sum", "value": 1}], "submit": true}"#;
    let begin = |hamlet| server.begin_put(&submission_of(hamlet), admin.token(), body);
    let begun: Vec<TcpStream> = (0..5).map(begin).collect();
    sleep(Duration::from_millis(200));
    admin.get("/v1/me").expect_status(200);
    assert_eq!(finish(begin(5)), "HTTP/1.1 201");
    for begun in begun {
        assert_eq!(finish(begun), "HTTP/1.1 201");
    }
}

#[test]
fn bodies_on_their_way_are_no_more_than_there_is_memory_for() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    // An account has room for a quarter of eight bodies, and the last one may go beyond.
    let limits = [
        ("TONGHOP_REQUEST_LIMIT", "8"),
        ("TONGHOP_BODY_LIMIT", "5000"),
    ];
    let server = Program::serve_with(&database, &limits);
    let admin = server.sign_in("test", "admin");
    put_case(&admin);
    let body = format!(
        r#"{{"values": [{{"indicator": "b.sum", "value": 1}}], "submit": true{}}}"#,
        " ".repeat(4900)
    );
    let begin = |hamlet| server.begin_put(&submission_of(hamlet), admin.token(), &body);
    let begun: Vec<TcpStream> = (0..3).map(begin).collect();
    sleep(Duration::from_millis(200));
    assert_eq!(first_line(begin(3)), "HTTP/1.1 503");
    for begun in begun {
        assert_eq!(finish(begun), "HTTP/1.1 201");
    }
    // The room is there again.
    assert_eq!(finish(begin(3)), "HTTP/1.1 201");
}

#[test]
fn a_small_body_that_unpacks_to_a_huge_one_takes_no_more_memory_than_the_limit() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let server = Program::serve(&database);
    let mut packing = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..16 {
        packing.write_all(&[b'0'; 1024 * 1024]).unwrap();
    }
    let bomb = packing.finish().unwrap();
    let head = format!(
        "PUT /v1/indicators/more HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         If-None-Match: *\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n",
        server.sign_in("test", "admin").token(),
        bomb.len()
    );
    let sent: Vec<TcpStream> = (0..40)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            let all = [head.as_bytes(), &bomb].concat();
            stream.write_all(&all).unwrap();
            stream
        })
        .collect();
    for stream in sent {
        assert_eq!(first_line(stream), "HTTP/1.1 413");
    }
    let most = server.most_memory();
    assert!(most < 250 * 1024, "{most} KiB");
}

#[test]
fn hundreds_who_come_at_once_are_let_in_without_trying_again() {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody is taken in meanwhile.
    let waiting: Vec<TcpStream> = (0..500)
        .map(|_| TcpStream::connect_timeout(&address, Duration::from_millis(500)).unwrap())
        .collect();
    assert_eq!(waiting.len(), 500);
}
