//! The stream of changes: server-sent events of what is there, and of what comes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tonghop::authn::token::LIFETIME;

use super::{last_rev, listed};
use crate::harness::report::{Report, Reports, value};
use crate::harness::server::now;
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Program, Server};

/// An event as it came.
#[derive(Debug)]
pub(super) struct Event {
    kind: String,
    pub(super) data: Value,
    /// The id of which the client knows once it has the event.
    id: Option<String>,
}

/// A stream that a client follows.
pub(super) struct Events {
    lines: Receiver<String>,
    id: Option<String>,
}

impl Events {
    #[track_caller]
    pub(super) fn follow(client: &Client, query: &str) -> Events {
        let client = client.with("Accept", "text/event-stream");
        let answer = client
            .begin("GET", &format!("/v1/changes{query}"), None, b"")
            .unwrap();
        assert_eq!(answer.status(), 200);
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/event-stream");
        assert_eq!(
            (header("cache-control"), header("vary")),
            ("private, no-cache".to_owned(), "Accept".to_owned())
        );
        assert!(!answer.headers().contains_key("content-length"));
        let (sender, lines) = channel();
        let mut read = BufReader::new(answer.into_body().into_reader()).lines();
        std::thread::spawn(move || {
            while let Some(Ok(line)) = read.next() {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Events { lines, id: None }
    }

    /// The stream of somebody who has read up to an id.
    fn resume(client: &Client, id: &str, query: &str) -> Events {
        Events::follow(&client.with("Last-Event-ID", id), query)
    }

    /// The next event, or the reason for which none came in time.
    fn within(&mut self, patience: Duration) -> Result<Event, RecvTimeoutError> {
        let until = Instant::now() + patience;
        let (mut kind, mut data) = (String::new(), None);
        loop {
            let line = self
                .lines
                .recv_timeout(until.saturating_duration_since(Instant::now()))?;
            match line.split_once(':').unwrap_or((line.as_str(), "")) {
                ("event", text) => kind = text.trim().to_owned(),
                ("data", text) => data = Some(serde_json::from_str(text).unwrap()),
                ("id", text) => self.id = Some(text.trim().to_owned()),
                ("", _) if line.is_empty() => {
                    if let Some(data) = data.take() {
                        return Ok(Event {
                            kind,
                            data,
                            id: self.id.clone(),
                        });
                    }
                }
                ("", _) => {}
                _ => panic!("{line}"),
            }
        }
    }

    #[track_caller]
    pub(super) fn next(&mut self) -> Event {
        self.within(Duration::from_secs(20)).unwrap()
    }

    #[track_caller]
    fn expect_nothing(&mut self) {
        let came = self
            .within(Duration::from_millis(2500))
            .map(|event| event.data);
        assert_eq!(came.unwrap_err(), RecvTimeoutError::Timeout);
    }

    #[track_caller]
    fn expect_end(&mut self) {
        let came = self.within(Duration::from_secs(20)).map(|event| event.data);
        assert_eq!(came.unwrap_err(), RecvTimeoutError::Disconnected);
    }
}

/// The town with the monthly form `m` of `x`.
fn town(backend: Backend) -> (Server, Client, Reports) {
    Town::new(backend)
        .indicators(&[("x", "sum")])
        .form("m", "month")
        .build()
}

on_both_backends! {
    fn what_happens_comes_as_it_would_be_listed(backend) {
        let (server, admin, reports) = town(backend);
        let mut events = Events::follow(&admin, "");
        let before = listed(&admin, "");
        for item in &before {
            let event = events.next();
            assert_eq!((&event.data, event.kind.as_str()), (item, item["kind"].as_str().unwrap()));
        }
        let after = last_rev(&admin);
        reports.submit("A", "2024-01", json!({"x": 1}));
        let event = events.next();
        assert_eq!((event.kind.as_str(), event.id.as_deref()), ("submission.submitted", Some((after + 1).to_string().as_str())));
        assert_eq!(vec![event.data], listed(&admin, &format!("&after={after}")));
        // A commit's last event has its id: whoever loses the rest reads the commit again.
        server.create_account("test", "a", &["reporter@code:A"]);
        let (created, given) = (events.next(), events.next());
        assert_eq!((created.kind.as_str(), given.kind.as_str()), ("account.created", "grant.given"));
        assert_eq!(created.data["rev"], given.data["rev"]);
        assert_eq!([created.id, given.id], [after + 1, after + 2].map(|rev| Some(rev.to_string())));

        // Filters and grants are those of the list.
        let mut of_b = Events::follow(&admin, &format!("?after={after}&unit=code:B&kind=submission.submitted"));
        let mut of_a = Events::follow(&server.sign_in("test", "a"), &format!("?after={}", after + 1));
        for (unit, x) in [("A1", 2), ("B", 3)] {
            reports.submit(unit, "2024-01", json!({"x": x}));
        }
        assert_eq!(of_b.next().data["unit"]["code"], "B");
        assert_eq!(of_a.next().data["unit"]["code"], "A1");
        of_a.expect_nothing();
        // How far was read is told too.
        assert_eq!(of_b.id, Some((after + 4).to_string()));
    }

    fn a_stream_goes_on_after_the_last_event_that_came(backend) {
        let (_server, admin, reports) = town(backend);
        let after = last_rev(&admin);
        for month in 1..=5 {
            reports.submit("A", &format!("2024-0{month}"), json!({"x": month}));
        }
        let mut events = Events::follow(&admin, &format!("?after={after}"));
        assert_eq!(events.next().data["period"]["key"], "2024-01");
        let id = events.next().id.unwrap();
        drop(events);
        // The header wins over the parameter, which a browser sends again.
        let mut events = Events::resume(&admin, &id, &format!("?after={after}"));
        for month in 3..=5 {
            assert_eq!(events.next().data["period"]["key"], format!("2024-0{month}"));
        }
        reports.submit("A", "2024-06", json!({"x": 6}));
        assert_eq!(events.next().data["period"]["key"], "2024-06");
        events.expect_nothing();
        let streaming = admin.with("Accept", "text/event-stream");
        for wrong in ["x", "-1"] {
            streaming.with("Last-Event-ID", wrong).get("/v1/changes").expect_problem(400, "INVALID_HEADER");
        }
        streaming.with("Last-Event-ID", "999").get("/v1/changes").expect_problem(400, "INVALID_PARAMETER");
        streaming.get("/v1/changes?form=none").expect_problem(404, "FORM_NOT_FOUND");
    }

    fn servers_on_one_database_tell_of_each_other_s_writes(backend) {
        let (server, _admin, reports) = town(backend);
        let other = Program::serve(&server.database);
        let client = other.sign_in("test", "admin");
        let mut events = Events::follow(&client, &format!("?after={}", last_rev(&client)));
        for month in 1..=2 {
            reports.submit("A", &format!("2024-0{month}"), json!({"x": month}));
            assert_eq!(events.next().data["period"]["key"], format!("2024-0{month}"));
        }
        // A stream does not keep a server from stopping.
        let mut other = other;
        other.terminate();
        events.expect_end();
        assert!(other.wait(Duration::from_secs(20)).unwrap().success());
    }

    fn a_stream_ends_with_its_token_and_with_its_account_s_rights(backend) {
        let (server, admin, _) = town(backend);
        for login in ["a", "b", "c"] {
            server.create_account("test", login, &["viewer@code:A"]);
        }
        let after = format!("?after={}", last_rev(&admin));
        // It is accepted for some seconds longer, since clocks differ.
        let old = server.token_of("a", now() - LIFETIME);
        let mut expiring = Events::follow(&admin.with_token(&old), &after);
        let mut losing = Events::follow(&server.sign_in("test", "b"), &after);
        let mut disabled = Events::follow(&server.sign_in("test", "c"), &after);
        let accounts = admin.get("/v1/accounts").expect_status(200).json();
        let mut accounts = accounts["items"].as_array().unwrap().iter();
        let c = accounts.find(|account| account["login"] == "c").unwrap();
        let path = format!("/v1/accounts/{}/disable", c["id"].as_str().unwrap());
        admin.with("If-Match", "*").post(&path).expect_status(200);
        disabled.expect_end();
        server.write_beside(
            "DELETE FROM account_grant \
               WHERE account_id IN (SELECT account_id FROM account WHERE login = 'b'); \
             UPDATE tenant SET rev = rev + 1, grants_rev = rev + 1",
        );
        losing.expect_end();
        expiring.expect_end();
        let streaming = server.sign_in("test", "b").with("Accept", "text/event-stream");
        streaming.get("/v1/changes").expect_problem(403, "NOT_ALLOWED");
    }

    fn an_account_has_a_few_streams_and_each_leaves_its_place(backend) {
        let (server, admin, _) = town(backend);
        server.create_account("test", "a", &["viewer@code:A"]);
        let mut open: Vec<Events> = (0..4).map(|_| Events::follow(&admin, "")).collect();
        let streaming = admin.with("Accept", "text/event-stream");
        let refused = streaming.get("/v1/changes");
        assert!(refused.header("retry-after").is_some());
        refused.expect_problem(429, "TOO_MANY_STREAMS");
        admin.get("/v1/changes").expect_status(200);
        let mut colleague = Events::follow(&server.sign_in("test", "a"), "");
        colleague.next();
        // A stream that takes no request's place.
        assert_eq!(admin.requests_in_flight(), 1);
        open.iter_mut().for_each(|events| { events.next(); });
        open.clear();
        Report::of(&admin, "m", "2024-01").submit("A", &[value("x", 1)]);
        crate::harness::expect_in_time("a place is free", || {
            let answer = streaming.begin("GET", "/v1/changes", None, b"").unwrap();
            answer.status() == 200
        });
    }
}

#[test]
fn a_head_has_the_headers_of_a_stream_and_opens_none() {
    let (_server, admin, _) = town(Backend::Sqlite);
    let streaming = admin.with("Accept", "text/event-stream");
    for _ in 0..6 {
        let head = streaming.send("HEAD", "/v1/changes", None, b"");
        let head = head.expect_status(200);
        let told = |name| head.header(name);
        assert_eq!(told("content-type"), Some("text/event-stream"));
        assert_eq!(told("cache-control"), Some("private, no-cache"));
        assert_eq!(
            (told("vary"), told("x-accel-buffering")),
            (Some("Accept"), Some("no"))
        );
        assert_eq!(
            (told("transfer-encoding"), told("content-length")),
            (None, None)
        );
    }
    let refused = streaming.send("HEAD", "/v1/changes?form=none", None, b"");
    refused.expect_status(404);
    let mut open: Vec<Events> = (0..4).map(|_| Events::follow(&admin, "")).collect();
    open.iter_mut().for_each(|events| {
        events.next();
    });
}

/// HTTP/1.0 knows no chunks: the stream is what comes until the connection is closed.
#[test]
fn a_stream_in_http_1_0_has_no_chunks_and_ends_with_its_connection() {
    let (server, _admin, _) = town(Backend::Sqlite);
    for connection in ["close", "keep-alive"] {
        let expiring = server.token_of("admin", now() - LIFETIME);
        let mut stream = TcpStream::connect(server.address).unwrap();
        let patience = Duration::from_secs(60);
        stream.set_read_timeout(Some(patience)).unwrap();
        let request = format!(
            "GET /v1/changes HTTP/1.0\r\nConnection: {connection}\r\n\
             Accept: text/event-stream\r\nAuthorization: Bearer {expiring}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, events) = answer.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        assert!(head.starts_with("http/1.0 200 "), "{head}");
        for told in [
            "transfer-encoding",
            "content-length",
            "connection: keep-alive",
        ] {
            assert!(!head.contains(told), "{head}");
        }
        assert!(events.starts_with(":\nevent: tenant.created\n"), "{events}");
        assert!(events.ends_with("\n\n"), "{events}");
    }
}

#[test]
fn a_stream_without_news_says_that_it_is_there() {
    let (_server, admin, _) = town(Backend::Sqlite);
    let last = last_rev(&admin);
    let events = Events::follow(&admin, &format!("?after={last}"));
    let lines = || {
        let line = events.lines.recv_timeout(Duration::from_secs(30)).unwrap();
        let rest = (0..2).map(|_| events.lines.recv_timeout(Duration::from_secs(30)).unwrap());
        std::iter::once(line).chain(rest).collect::<Vec<_>>()
    };
    let quiet = [":".to_owned(), format!("id: {last}"), String::new()];
    assert_eq!(lines(), quiet);
    let since = Instant::now();
    assert_eq!(lines(), quiet);
    assert!(
        since.elapsed() >= Duration::from_secs(14),
        "{:?}",
        since.elapsed()
    );
}
