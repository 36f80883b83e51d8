//! Fairness: a request costs no more memory than its size, and no client takes room, places or time
//! from the others.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Barrier, RwLock};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tonghop::authn::Tokens;
use tonghop::service::Application;
use tonghop::service::people::operator::{EnteredAccount, add_account};
use tonghop::service::people::tenant::find_tenant;
use tonghop::store::{Database, DatabaseUrl, StoreError};

use crate::harness::clerk::put_case;
use crate::harness::report::{Report, cell, value};
use crate::harness::server::{PASSWORD, TestDatabase, now};
use crate::harness::town::{Town, form};
use crate::harness::{Answer, Backend, Client, Program, Server};

/// What a server may take for a body beside its bytes, in KiB: what is made once, such as compiled
/// schemas and threads' stacks, and what an allocator keeps.
const MARGIN: usize = 48 * 1024;

fn add_viewer(database: &TestDatabase, login: &str, grants: &[&str]) {
    let entered = EnteredAccount {
        login: login.to_owned(),
        name: login.to_owned(),
        telephone: None,
        password: Some(PASSWORD.to_owned()),
        grants: grants.iter().map(|grant| grant.parse().unwrap()).collect(),
    };
    let database = Database::new(database.server.clone());
    let scope = find_tenant(&database, "test").unwrap();
    let tokens = Tokens::of_command("test").unwrap();
    let application = Application::new(database, tokens);
    add_account(&application, &scope, &entered, now()).unwrap();
}

fn packed(body: &str) -> Vec<u8> {
    let mut packing = GzEncoder::new(Vec::new(), Compression::best());
    packing.write_all(body.as_bytes()).unwrap();
    packing.finish().unwrap()
}

/// A reorganisation of this step, many times over.
fn reorganisation(step: &str, times: usize) -> String {
    let steps = vec![step; times].join(",");
    format!(r#"{{"effective": "2025-07-01", "legal_basis": "x", "steps": [{steps}]}}"#)
}

fn post_packed(client: &Client, path: &str, body: &str) -> Answer {
    let client = client.with("Content-Encoding", "gzip");
    client.send("POST", path, Some("application/json"), &packed(body))
}

#[test]
fn a_body_that_is_wrong_everywhere_takes_no_more_memory_than_its_size() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let server = Program::serve(&database);
    let admin = server.sign_in("test", "admin");
    let wide = format!(
        r#"{{"op": "merge", "from": [{}]}}"#,
        vec!["{}"; 120_000].join(",")
    );
    let levels = format!(r#"{{"code": [{}], "x": 1}}"#, vec!["{}"; 60_000].join(","));
    let lines = "x\n".repeat(90_000);
    for (path, body) in [
        ("/v1/reorganisations", reorganisation("{}", 120_000)),
        ("/v1/reorganisations", reorganisation("[[]]", 120_000)),
        ("/v1/reorganisations", reorganisation(&wide, 1)),
        ("/v1/units", format!("[{}0]", "0,".repeat(90_000))),
        ("/v1/units", levels),
        ("/v1/units/import", lines),
    ] {
        let before = server.most_memory();
        let answer = match path {
            "/v1/units/import" => admin.post_csv(path, &body),
            _ => post_packed(&admin, path, &body),
        };
        let faults = answer.clone().expect_status(400).json()["errors"]
            .as_array()
            .unwrap()
            .len();
        assert!((1..=200).contains(&faults), "{faults} faults");
        assert!(answer.text.len() < 200 * 1024);
        let more = server.most_memory().saturating_sub(before);
        let most = MARGIN + 2 * body.len() / 1024;
        assert!(more < most, "{path}: {more} KiB for {}", body.len());
    }
}

#[test]
fn a_faulty_list_or_document_gets_an_answer_that_can_be_read() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let server = Program::serve(&database);
    let admin = server.sign_in("test", "admin");
    let step = r#"{"op": "abolish", "unit": "code:nobody"}"#;
    let document = reorganisation(step, 20_000);
    let preview = post_packed(&admin, "/v1/reorganisations/preview", &document);
    let view = preview.clone().expect_status(200).json();
    assert_eq!(view["fault_count"], 20_000);
    assert_eq!(view["faults"].as_array().unwrap().len(), 200);
    assert!(preview.text.len() < 200 * 1024);
    let long = format!(r#"{{"{}": 1}}"#, "é".repeat(90_000));
    for answer in [
        post_packed(&admin, "/v1/reorganisations", &document),
        admin.send(
            "POST",
            "/v1/units",
            Some("application/json"),
            long.as_bytes(),
        ),
        admin.get(&format!("/v1/units?{}=1", "x".repeat(20_000))),
        admin.post_csv(
            "/v1/units/import",
            &format!(
                "code,name,level,parent_code\n{}",
                "é,b,c,d\n".repeat(20_000)
            ),
        ),
    ] {
        assert!((400..500).contains(&answer.status), "{}", answer.status);
        assert!(
            answer.text.len() < 200 * 1024,
            "{} bytes",
            answer.text.len()
        );
    }
}

#[test]
fn a_body_with_more_elements_than_anybody_enters_is_refused() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let server = Program::serve(&database);
    let admin = server.sign_in("test", "admin");
    post_packed(&admin, "/v1/units", &format!("[{}0]", "0,".repeat(100_001)))
        .expect_problem(413, "BODY_TOO_LARGE");
    admin
        .post_csv("/v1/units/import", &"\n".repeat(100_001))
        .expect_problem(413, "BODY_TOO_LARGE");
}

on_both_backends! {
    fn who_may_not_is_told_before_the_body_is_read(backend) {
        let (server, _admin) = Server::with_town(backend);
        server.create_account("test", "viewer", &["viewer@code:T"]);
        let viewer = server.sign_in("test", "viewer");
        let wrong = json!({"nothing": "right"});
        for path in ["/v1/units", "/v1/reorganisations"] {
            viewer.post_json(path, &wrong).expect_problem(403, "NOT_ALLOWED");
        }
        for path in ["/v1/levels/x", "/v1/indicators/x", "/v1/forms/x",
                     "/v1/forms/f/periods/2024/units/code:A/targets/x"] {
            let answer = viewer.put(path, &wrong);
            assert!([403, 404].contains(&answer.status), "{path}: {}", answer.text);
        }
        viewer.post_csv("/v1/units/import", "x\n").expect_problem(403, "NOT_ALLOWED");
        let large = format!("[{}0]", "0,".repeat(20_000));
        let submission = "/v1/forms/f/periods/2024/units/code:A/submission";
        viewer.send("PUT", submission, Some("application/json"), large.as_bytes())
            .expect_problem(403, "NOT_ALLOWED");
    }

    fn reads_that_hold_every_connection_hold_up_no_sign_in_and_no_change(backend) {
        let (server, admin) = Server::with_town(backend);
        let database = &server.application.database;
        let scope = find_tenant(database, "test").unwrap();
        // Those of every turn, and the verifier's.
        let readers = database.reading_at_once() + 1;
        let (all_read, over) = (Barrier::new(readers + 1), RwLock::new(()));
        std::thread::scope(|threads| {
            let until_over = over.write().unwrap();
            for _ in 0..readers {
                threads.spawn(|| {
                    let read = database.read(&scope, |_, _| {
                        all_read.wait();
                        drop(over.read());
                        Ok::<_, StoreError>(())
                    });
                    read.unwrap();
                });
            }
            all_read.wait();
            let begun = Instant::now();
            server.anonymous().get("/readyz").expect_status(200);
            server.sign_in("test", "admin");
            admin.add_indicators(&[("x", "sum")]);
            assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
            drop(until_over);
        });
    }

    fn formulas_of_formulas_are_worked_out_once_each(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin.add_indicators(&[("f0", "sum"), ("f1", "sum")]);
        let derived = |formula: String| {
            json!({"name": {"vi": "x"}, "unit_of_measure": "x", "decimals": 0, "formula": formula})
        };
        // As deep as formulas may be nested: f8 has 34 terms when it is written out.
        for n in 2..=8 {
            let formula = format!("f{} + f{}", n - 1, n - 2);
            admin.put(&format!("/v1/indicators/f{n}"), &derived(formula)).expect_status(201);
        }
        let tops: Vec<String> = (0..100).map(|n| format!("g{n}")).collect();
        for top in &tops {
            let formula = derived("f8 * f7 - f6 / f8 * f5".to_owned());
            admin.put(&format!("/v1/indicators/{top}"), &formula).expect_status(201);
        }
        let tops = tops.iter().map(String::as_str);
        let chain = ["f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8"];
        let codes: Vec<&str> = chain.into_iter().chain(tops).collect();
        admin.put("/v1/forms/f", &form(&codes)).expect_status(201);
        let year = Report::of(&admin, "f", "2024");
        year.submit("A1", &[value("f0", 0), value("f1", 1)]);
        let begun = Instant::now();
        let rollup = year.read("A/rollup?include=children");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        let last = cell(&rollup, "f8");
        assert_eq!((&last["value"], &last["reported"]), (&json!(21), &json!(1)));
        // 21 · 13 – 8 / 21 · 5 = 271.10, without decimals.
        assert_eq!(cell(&rollup, "g99")["value"], 271);
        assert_eq!(cell(&rollup, "g99")["expected"], last["expected"]);
    }

    fn a_read_that_takes_too_long_says_to_ask_for_less(backend) {
        let database = TestDatabase::migrated(backend).with_tenant();
        let server = Program::serve(&database);
        put_case(&server.sign_in("test", "admin"));
        drop(server);
        let server = Program::serve_with(&database, &[("TONGHOP_READ_TIME", "0")]);
        let admin = server.sign_in("test", "admin");
        let report = "/v1/forms/battery/periods/2024-01/units/code:H0-0";
        let series = "/v1/forms/battery/units/code:H0-0/series?indicator=b.sum&from=2024-01&to=2024-12";
        for path in [&format!("{report}/rollup"), series] {
            let answer = admin.get(path);
            assert!(answer.header("retry-after").is_some());
            answer.expect_problem(503, "READ_TOO_LONG");
        }
        admin.post(&format!("{report}/rollup/verify")).expect_problem(503, "READ_TOO_LONG");
    }

    fn every_json_answer_ends_with_a_newline(backend) {
        let (server, admin, _) = Town::new(backend).indicators(&[("x", "sum")]).form("f", "year").build();
        let submission = "/v1/forms/f/periods/2024/units/code:A1/submission";
        let body = json!({"values": [value("x", 1)], "submit": true});
        let once = admin.with("Idempotency-Key", "k").with("If-None-Match", "*");
        let first = once.put(submission, &body).expect_status(201);
        let again = once.put(submission, &body).expect_status(201);
        assert_eq!(first.text, again.text);
        let rollup = "/v1/forms/f/periods/2024/units/code:A/rollup";
        let read = admin.get(rollup);
        let read_again = admin.get(rollup);
        assert_eq!(read.text, read_again.text);
        let form = format!("grant_type=password&tenant=test&username=admin&password={PASSWORD}");
        let mut answers = vec![first, again, read, read_again, admin.get("/v1/nowhere")];
        answers.push(server.anonymous().post_form("/v1/auth/token", &form).expect_status(200));
        for path in ["/v1/units", "/v1/me", submission, "/openapi.json", "/readyz",
                     "/.well-known/jwks.json", "/v1/forms/f", "/v1/levels"] {
            answers.push(admin.get(path));
        }
        for answer in answers {
            assert!(answer.text.ends_with("}\n"), "{}", answer.text);
            let length = answer.header("content-length").unwrap();
            assert_eq!(length, answer.text.len().to_string());
        }
    }
}

#[test]
fn slow_bodies_of_one_account_take_nothing_from_others() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let limits = [
        ("TONGHOP_REQUEST_LIMIT", "4"),
        ("TONGHOP_BODY_LIMIT", "100000"),
    ];
    let server = Program::serve_with(&database, &limits);
    let admin = server.sign_in("test", "admin");
    put_case(&admin);
    add_viewer(&database, "reporter", &["reporter@code:H0-0"]);
    let reporter = server.sign_in("test", "reporter");
    let path = "/v1/forms/battery/periods/2024-01/units/code:H0-0/submission";
    let declared = "x".repeat(10_000);
    let slow: Vec<TcpStream> = (0..64)
        .map(|_| {
            let head = format!(
                "PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{{",
                reporter.token(),
                declared.len()
            );
            let mut stream = TcpStream::connect(server.address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_millis(300));
    let colleague = server.sign_in("test", "admin");
    let body = json!({"values": [{"indicator": "b.sum", "value": 1}], "submit": true});
    colleague.create(path, &body).expect_status(201);
    drop(slow);
}

/// A lock under which reads of submissions last; whoever unwinds lets go of it.
struct Locked(#[expect(dead_code, reason = "the lock is the connection's")] PgConnection);

impl Locked {
    fn submissions(server: &Server) -> Locked {
        let DatabaseUrl::Postgresql { url } = &server.database.owner else {
            panic!("a server of PostgreSQL has a database of PostgreSQL")
        };
        let mut held = PgConnection::establish(url).unwrap();
        let lock = "BEGIN; LOCK TABLE submission IN ACCESS EXCLUSIVE MODE";
        held.batch_execute(lock).unwrap();
        Locked(held)
    }
}

/// PostgreSQL's, where a lock makes reads last.
#[test]
fn a_change_does_not_wait_until_dashboards_are_read() {
    if crate::harness::postgres::server().is_none() {
        return;
    }
    let (server, admin, _) = Town::new(Backend::Postgresql)
        .indicators(&[("x", "sum")])
        .form("f", "year")
        .build();
    std::thread::scope(|threads| {
        let held = Locked::submissions(&server);
        for login in ["one", "two", "three", "four"] {
            server.create_account("test", login, &["viewer@code:T"]);
            let viewer = server.sign_in("test", login);
            for _ in 0..4 {
                let viewer = viewer.clone();
                threads.spawn(move || {
                    viewer.get("/v1/forms/f/periods/2024/units/code:A1/rollup");
                });
            }
        }
        std::thread::sleep(Duration::from_secs(1));
        let begun = Instant::now();
        admin.add_indicators(&[("y", "sum")]);
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
        drop(held);
    });
}

/// PostgreSQL's, where a lock makes reads last.
#[test]
fn reads_of_one_tenant_leave_places_to_another() {
    if crate::harness::postgres::server().is_none() {
        return;
    }
    let (server, _, reports) = Town::new(Backend::Postgresql)
        .indicators(&[("x", "sum")])
        .form("f", "year")
        .build();
    server.create_tenant("other");
    let other = server.sign_in("other", "admin");
    let path = reports.of("2024").submission("A1");
    std::thread::scope(|threads| {
        let held = Locked::submissions(&server);
        for login in ["one", "two", "three", "four", "five", "six"] {
            server.create_account("test", login, &["viewer@code:T"]);
            let viewer = server.sign_in("test", login);
            for _ in 0..8 {
                let (viewer, path) = (viewer.clone(), path.clone());
                threads.spawn(move || {
                    viewer.get(&path);
                });
            }
        }
        std::thread::sleep(Duration::from_secs(1));
        let begun = Instant::now();
        for _ in 0..5 {
            other.get("/v1/units").expect_status(200);
        }
        let taken = begun.elapsed();
        assert!(taken < Duration::from_secs(5), "{taken:?}");
        drop(held);
    });
}

/// What a server answers to a head, before any body.
fn answer_to_head(address: std::net::SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

#[test]
fn what_need_not_come_is_refused_before_it_comes() {
    let server = Server::with_tenant(Backend::Sqlite);
    let admin = server.sign_in("test", "admin");
    let head = |more: &str| {
        format!(
            "POST /v1/units HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\n{more}\r\n",
            admin.token()
        )
    };
    let huge = "Content-Length: 99000000000\r\n";
    let answer = answer_to_head(server.address, &head(huge));
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    for coding in ["br", "deflate", "zstd", "gzip, gzip"] {
        let more = format!("Content-Encoding: {coding}\r\nContent-Length: 10\r\n");
        let answer = answer_to_head(server.address, &head(&more));
        assert!(answer.starts_with("HTTP/1.1 415 "), "{coding}: {answer}");
        assert!(
            answer
                .to_ascii_lowercase()
                .contains("accept-encoding: gzip"),
            "{answer}"
        );
    }
}

/// The first line of an answer, and its end.
#[track_caller]
fn first_and_rest(answer: &str) -> (&str, &str) {
    answer.split_once("\r\n").unwrap()
}

#[test]
fn who_asks_before_sending_a_body_is_refused_at_once() {
    let server = Server::with_tenant(Backend::Sqlite);
    let admin = server.sign_in("test", "admin");
    let head = |path: &str, more: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nExpect: 100-continue\r\n{more}\r\n",
            admin.token()
        )
    };
    let huge = "Accept-Language: en\r\nContent-Length: 99000000000\r\n";
    for (path, more, status, code) in [
        ("/v1/units", huge, "413", "BODY_TOO_LARGE"),
        ("/v1/reorganisations", huge, "413", "BODY_TOO_LARGE"),
        (
            "/v1/auth/token",
            "Content-Length: 16385\r\n",
            "413",
            "BODY_TOO_LARGE",
        ),
        (
            "/v1/units?x=1",
            "Content-Encoding: br\r\nContent-Length: 2\r\n",
            "415",
            "UNSUPPORTED_MEDIA_TYPE",
        ),
    ] {
        let answer = answer_to_head(server.address, &head(path, more));
        let (first, rest) = first_and_rest(&answer);
        assert!(
            first.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path}: {answer}"
        );
        let rest_lower = rest.to_ascii_lowercase();
        for header in [
            "application/problem+json",
            "x-request-id: ",
            "content-language: ",
        ] {
            assert!(rest_lower.contains(header), "{header} is not in {answer}");
        }
        assert!(rest.contains(code), "{answer}");
    }
    let answer = answer_to_head(server.address, &head("/v1/units", huge));
    assert!(answer.contains("The body is too large"), "{answer}");

    // Larger than others may be, and not too large.
    let large = "Content-Length: 16000000\r\n";
    for (path, more) in [
        ("/v1/reorganisations", large),
        ("/v1/units", "Content-Length: 2\r\n"),
    ] {
        let answer = answer_to_head(server.address, &head(path, more));
        assert_eq!(answer, "HTTP/1.1 100 Continue\r\n\r\n", "{path}");
    }
    let metrics = server.anonymous().get("/metrics").text;
    let counted =
        "tonghop_http_requests_total{operation=\"create_unit\",method=\"POST\",status=\"413\"} 2";
    assert!(metrics.contains(counted), "{metrics}");
}

#[test]
fn a_body_that_may_come_is_asked_for_and_answered() {
    let server = Server::with_tenant(Backend::Sqlite);
    let admin = server.sign_in("test", "admin");
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let head = format!(
        "POST /v1/units HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        admin.token()
    );
    let mut answer = [0; 4096];
    let mut next = |sent: &str| {
        stream.write_all(sent.as_bytes()).unwrap();
        let read = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    };
    assert_eq!(next(&head), "HTTP/1.1 100 Continue\r\n\r\n");
    let refused = next("{}");
    assert!(
        refused.starts_with("HTTP/1.1 400 ") && refused.contains("INVALID_BODY"),
        "{refused}"
    );
}

#[test]
fn the_page_of_the_api_signs_in_to_a_tenant_and_fills_in_no_header_twice() {
    let server = Server::start(Backend::Sqlite);
    let anonymous = server.anonymous();
    let page = anonymous.get("/docs/").expect_status(200).text;
    assert!(page.contains("./swagger-initializer.js"));
    let script = anonymous
        .get("/docs/swagger-initializer.js")
        .expect_status(200);
    let kind = script.header("content-type").unwrap();
    assert!(kind.starts_with("text/javascript"), "{kind}");
    for part in ["field(\"tenant\"", "Idempotency-Key", "If-None-Match"] {
        assert!(script.text.contains(part), "{part}");
    }
    assert!(!script.text.contains("://"), "no other host is asked");
    let document = anonymous.get("/openapi.json").expect_status(200).json();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|item| item.as_object().unwrap().values());
    let parameters = operations
        .filter_map(|operation| operation["parameters"].as_array())
        .flatten();
    for parameter in parameters.filter(|parameter| parameter["in"] == "header") {
        assert!(parameter.get("example").is_none(), "{parameter}");
    }
}
