//! Rubbish at every parser, through its public surface: whatever is sent, the answer is right or says
//! what is wrong, soon, and is never a failure of the server.
//!
//! The rubbish is the same in each run. `TONGHOP_TEST_CYCLES=100` makes a hundred times as much of
//! it, other each time.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use tonghop::domain::day::Day;
use tonghop::service::map::mapping::{Mapping, Unlisted, table_document_of};
use tonghop::service::people::grant::EnteredGrant;

use crate::harness::town::{Town, broken_down, form, formula};
use crate::harness::{Answer, Backend, Client, Server};

/// How much there is of each kind of rubbish.
const CASES: u32 = 48;

/// The longest that an answer to a small request may take on a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// Tries a property on much rubbish.
fn throw<S: Strategy>(rubbish: S, property: impl Fn(S::Value)) {
    let cycles = std::env::var("TONGHOP_TEST_CYCLES").map(|text| text.parse::<u32>().unwrap());
    let config = Config {
        cases: CASES * cycles.clone().unwrap_or(1),
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = match cycles {
        Ok(_) => TestRunner::new(config),
        Err(_) => {
            let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            TestRunner::new_with_rng(config, rng)
        }
    };
    let thrown = runner.run(&rubbish, |one| {
        property(one);
        Ok(())
    });
    thrown.unwrap();
}

/// Texts of all letters, of those that a grammar uses, and very long or deep ones.
fn texts(grammar: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        2 => any::<String>(),
        4 => grammar,
        1 => ("[(\\[{\"'-]|a|9|ă|,|code:", 1_usize..2_000).prop_map(|(part, times)| part.repeat(times)),
    ]
}

/// Any JSON, with what parsers stumble on.
fn values() -> impl Strategy<Value = Value> {
    let odd = [
        "1e999",
        "-0",
        "0.1e-400",
        "18446744073709551616",
        "-9223372036854775809",
    ];
    let numbers = odd.map(|text| serde_json::from_str::<Value>(text).unwrap());
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        proptest::sample::select(numbers.to_vec()),
        texts("[0-9]{4}-[0-9WQH]{2}(-[0-9]{2})?|code:[A-Z0-9]{0,3}|[a-z.]{0,9}")
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-z_]{0,8}", inner, 0..4)
                .prop_map(|fields| fields.into_iter().collect::<Value>()),
        ]
    })
}

/// What is done to one place of a right document.
#[derive(Debug, Clone)]
enum Damage {
    Replaced(Value),
    Removed,
    Added(String, Value),
}

fn damage() -> impl Strategy<Value = (proptest::sample::Index, Damage)> {
    let damage = prop_oneof![
        4 => values().prop_map(Damage::Replaced),
        1 => Just(Damage::Removed),
        1 => ("[a-z_]{1,8}", values()).prop_map(|(name, value)| Damage::Added(name, value)),
    ];
    (any::<proptest::sample::Index>(), damage)
}

/// The pointers to all parts of a document.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                pointers(field, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn damaged(mut document: Value, place: &proptest::sample::Index, damage: Damage) -> Value {
    let mut all = Vec::new();
    pointers(&document, "", &mut all);
    let pointer = place.get(&all).clone();
    match damage {
        Damage::Replaced(value) => *document.pointer_mut(&pointer).unwrap() = value,
        Damage::Added(name, value) => {
            if let Some(Value::Object(fields)) = document.pointer_mut(&pointer) {
                fields.insert(name, value);
            }
        }
        Damage::Removed => {
            let (above, last) = pointer.rsplit_once('/').unwrap_or_default();
            match document.pointer_mut(above) {
                Some(Value::Object(fields)) => drop(fields.remove(last)),
                Some(Value::Array(items)) => drop(items.remove(last.parse().unwrap())),
                _ => document = Value::Null,
            }
        }
    }
    document
}

/// Tables: a heading that is mostly right, and cells that are mostly wrong.
fn tables(columns: &'static [&'static str]) -> impl Strategy<Value = String> {
    let cell = prop_oneof![
        4 => "[A-Z0-9]{0,3}|town|commune|hamlet|reporter|viewer|\"|\"\"|\"[a-z,;\n]{0,4}\"| |\u{feff}|\r|\0",
        1 => "\\PC{0,12}",
    ];
    let row = proptest::collection::vec(cell, 0..7);
    let rows = proptest::collection::vec(row, 0..6);
    (any::<proptest::sample::Index>(), 0_u8..4, "[,;\t]", rows).prop_map(
        move |(place, kind, separator, rows)| {
            let mut heading: Vec<&str> = columns.to_vec();
            match kind {
                0 => drop(heading.remove(place.index(columns.len()))),
                1 => heading.push(*place.get::<&str>(columns)),
                _ => {}
            }
            let rows = rows.iter().map(|row| row.join(&separator));
            let lines: Vec<String> = std::iter::once(heading.join(&separator))
                .chain(rows)
                .collect();
            lines.join("\n")
        },
    )
}

/// Writes every byte that is no letter or digit as a percent code.
fn encoded(text: &str) -> String {
    let bytes = text.bytes();
    let parts = bytes.map(|byte| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    parts.collect()
}

/// Holds an answer to what every answer must be.
#[track_caller]
fn expect_sound(ask: impl FnOnce() -> Answer, sent: &str) -> u16 {
    let begin = Instant::now();
    let answer = ask();
    let took = begin.elapsed();
    assert!(took < SOON, "{took:?} for {sent}");
    let what = format!("{} {}: {sent}", answer.status, answer.text);
    assert!(answer.status < 500, "{what}");
    if answer.status >= 400 {
        let code = answer.json()["code"].as_str().map(str::len);
        assert!(code > Some(0), "{what}");
    }
    answer.status
}

/// A server with a town, its administrator, and the form `f` of the indicators `x` and `docs`.
fn town() -> (Server, Client) {
    let (server, admin, _reports) = Town::new(Backend::Sqlite)
        .indicators(&[("x", "sum")])
        .indicator("docs", &broken_down(true, &["plan", "letter"]))
        .form("f", "month")
        .build();
    (server, admin)
}

const SUBMISSION: &str = "/v1/forms/f/periods/2025-06/units/code:A/submission";

#[test]
fn a_damaged_body_is_taken_or_refused() {
    let (_server, admin) = town();
    let mut with_rule = form(&["x", "docs"]);
    with_rule["rules"] = json!([{
        "code": "R", "severity": "warning", "expression": "x <= docs[plan]", "message": {"vi": "Sai"}
    }]);
    let documents = [
        (
            "PUT",
            SUBMISSION,
            json!({
                "values": [{"indicator": "x", "value": 5, "qualifier": "exact"},
                           {"indicator": "docs", "option": "plan", "value": "2"}],
                "narrative": [{"section": "I", "text": "x"}], "submit": true,
            }),
        ),
        ("PUT", "/v1/forms/f", with_rule),
        (
            "PUT",
            "/v1/indicators/docs",
            broken_down(true, &["plan", "letter"]),
        ),
        (
            "PUT",
            "/v1/levels/commune",
            json!({"rank": 3, "name": {"vi": "Xã"}}),
        ),
        (
            "POST",
            "/v1/units",
            json!({"code": "N", "name": "N", "level": "hamlet", "parent": "code:A"}),
        ),
        (
            "POST",
            "/v1/accounts",
            json!({
                "login": "a", "name": "A", "telephone": "09",
                "grants": [{"role": "reporter", "unit": "code:A", "from": "2025-01-01", "to": "2190-01-01"}],
            }),
        ),
        (
            "POST",
            "/v1/keys",
            json!({"name": "k", "unit": "code:A", "operations": ["read"], "last_day": "2026-12-31"}),
        ),
        (
            "POST",
            "/v1/reorganisations/preview",
            json!({
                "effective": "2026-01-01", "legal_basis": "x",
                "steps": [
                    {"op": "split", "from": "code:A", "basis": "people", "children": {"code:A1": "code:B"}, "into": [
                        {"unit": {"code": "N", "name": "N", "level": "commune", "parent": "code:T"}, "share": "1/2"},
                        {"unit": "code:B", "share": "1/2"},
                    ]},
                    {"op": "rename", "unit": "code:B", "name": "Khác"},
                ],
            }),
        ),
    ];
    let admin = admin.with("If-Match", "*");
    for (method, path, document) in documents {
        let read = Cell::new(0);
        throw(damage(), |(place, damage)| {
            let body = damaged(document.clone(), &place, damage).to_string();
            let send = || admin.send(method, path, Some("application/json"), body.as_bytes());
            let status = expect_sound(send, &format!("{method} {path} {body}"));
            read.set(read.get() + u32::from(status != 400));
        });
        // Not all of it is stopped at the door.
        assert!(read.get() > CASES / 16, "{path}: {} were read", read.get());
    }
    throw(texts("[\\[\\]{}:,\"0-9a-z\\\\. -]{0,60}"), |text| {
        let send = || admin.send("PUT", SUBMISSION, Some("application/json"), text.as_bytes());
        expect_sound(send, &text);
    });
    throw(proptest::collection::vec(any::<u8>(), 0..80), |bytes| {
        let send = || admin.send("PUT", SUBMISSION, Some("application/json"), &bytes);
        expect_sound(send, &format!("{bytes:?}"));
    });
}

#[test]
fn a_name_in_the_path_or_the_query_is_found_or_refused() {
    let (_server, admin) = town();
    let days = "[0-9]{3,5}-?[WQHM0-9-]{0,6}";
    let paths = [
        ("/v1/forms/f/periods/{}/units/code:A/rollup", days),
        (
            "/v1/forms/f/periods/2025-06/units/{}/rollup",
            "code:.{0,9}|[0-9a-f-]{30,40}",
        ),
        ("/v1/units?cursor={}", "[0-9a-f-]{30,40}"),
        ("/v1/accounts?cursor={}", "[0-9a-f-]{30,40}"),
        ("/v1/keys?cursor={}", "[0-9a-f-]{30,40}"),
        (
            "/v1/me/tasks?cursor={}",
            "(-|[0-9-]{8,10})~[a-z.]{1,9}~[0-9a-z-]{1,9}~[A-Z0-9-]{1,9}~[a-z]{1,9}",
        ),
        ("/v1/sign-ins?cursor={}", "[0-9a-f-]{30,40}|[0-9]{1,24}"),
        ("/v1/reorganisations?cursor={}", "[0-9a-f-]{30,40}"),
        ("/v1/units?as_of={}", days),
        ("/v1/changes?after={}", "-?[0-9]{0,24}"),
        (
            "/v1/forms/f/units/code:A/series?indicator=x&from={}&to=2025",
            days,
        ),
    ];
    for (path, grammar) in paths {
        throw(texts(grammar), |text| {
            let path = path.replace("{}", &encoded(&text));
            expect_sound(|| admin.get(&path), &path);
        });
    }
}

#[test]
fn a_formula_is_read_or_refused() {
    let (_server, admin) = town();
    let number = Cell::new(0);
    let grammar = "(x|docs|\\[plan\\]|[0-9.]{1,30}|[-+*/(), ]|min\\(|coalesce\\(|received_from_below\\(|<=|ă){0,40}";
    throw(texts(grammar), |text| {
        // A new one each time, since a condition is checked before a formula.
        number.set(number.get() + 1);
        let path = format!("/v1/indicators/g{}", number.get());
        expect_sound(|| admin.put(&path, &formula(&text, 2)), &text);
    });
    throw(texts(grammar), |text| {
        let mut body = form(&["x", "docs"]);
        body["frequency"] = json!("month");
        body["rules"] = json!([{"code": "R", "severity": "error", "expression": text, "message": {"vi": "Sai"}}]);
        number.set(number.get() + 1);
        let path = format!("/v1/forms/g{}", number.get());
        expect_sound(|| admin.put(&path, &body), &text);
    });
}

#[test]
fn a_table_is_read_or_refused() {
    let (server, admin) = town();
    let units = &["code", "name", "level", "parent_code", "kind"];
    throw(tables(units), |csv| {
        expect_sound(
            || admin.post_csv("/v1/units/import?dry_run=true", &csv),
            &csv,
        );
    });
    throw(
        tables(&["login", "name", "telephone", "role", "unit_code"]),
        |csv| {
            expect_sound(
                || admin.post_csv("/v1/accounts/import?dry_run=true", &csv),
                &csv,
            );
        },
    );
    throw(texts("[a-z,;\t\"\n]{0,60}"), |csv| {
        expect_sound(
            || admin.post_csv("/v1/units/import?dry_run=true", &csv),
            &csv,
        );
    });
    // Only the command line takes these.
    let identity = server.identity();
    let effective: Day = serde_json::from_value(json!("2026-01-01")).unwrap();
    throw(
        (tables(&["old_code", "new_code"]), tables(units)),
        |(mapping, after)| {
            let tables = Mapping {
                mapping,
                after,
                effective,
                legal_basis: "x".to_owned(),
                unlisted: Unlisted::Keep,
            };
            // Made or refused.
            let _ = table_document_of(&server.application, &identity, &tables);
        },
    );
}

#[test]
fn a_role_is_read_or_refused() {
    let (_server, admin) = town();
    throw(
        texts("(reporter|tenant_admin|viewer|@|code:|[A-Z0-9-]){0,4}"),
        |text| {
            if let Ok(grant) = text.parse::<EnteredGrant>() {
                assert!(text.starts_with(grant.role.as_str()), "{text}");
            }
            let body =
                json!({"login": "a", "name": "A", "grants": [{"role": "reporter", "unit": text}]});
            expect_sound(|| admin.post_json("/v1/accounts", &body), &text);
            let body =
                json!({"login": "a", "name": "A", "grants": [{"role": text, "unit": "code:A"}]});
            expect_sound(|| admin.post_json("/v1/accounts", &body), &text);
        },
    );
}

/// Sends a request with a header of any bytes that end no line, and takes the status. `head` is the
/// request's first lines.
fn status_with(server: &Server, head: &str, name: &str, value: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let mut request = format!("{head}\r\nHost: x\r\nConnection: close\r\n{name}: ").into_bytes();
    request.extend(value.iter().filter(|byte| !b"\r\n\0".contains(byte)));
    request.extend(b"\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(&request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer);
    let status = text
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3));
    status.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}

/// Bytes that a header's grammar uses, and others.
fn header_bytes(grammar: &'static str) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        texts(grammar).prop_map(String::into_bytes),
    ]
}

#[test]
fn a_header_is_read_or_refused() {
    let (server, admin) = town();
    let token = admin.token();
    let of_admin = |line: &str| format!("{line} HTTP/1.1\r\nAuthorization: Bearer {token}");
    let submits = of_admin(&format!("POST {SUBMISSION}/submit"));
    let reads = of_admin("GET /v1/units");
    let headers = [
        (
            &submits,
            "If-Match",
            "(W/)?\"?[a-z0-9*]{0,9}\"?(, *\"[a-z]?\"){0,3}|\\*",
        ),
        (
            &submits,
            "If-None-Match",
            "(W/)?\"?[a-z0-9*]{0,9}\"?(, *\"[a-z]?\"){0,3}|\\*",
        ),
        (&submits, "Idempotency-Key", "\"?[ -~]{0,300}\"?"),
        (
            &reads,
            "If-None-Match",
            "(W/)?\"?[a-z0-9*]{0,9}\"?(, *\"[a-z]?\"){0,3}|\\*",
        ),
        (
            &reads,
            "Accept-Language",
            "(vi|en|\\*|[a-z]{1,9})(-[A-Z]{2})?(;q=[0-9.]{0,6})?(, *en;q=1)?",
        ),
    ];
    for (head, name, grammar) in headers {
        throw(header_bytes(grammar), |value| {
            let status = status_with(&server, head, name, &value);
            assert!(
                (200..500).contains(&status),
                "{status} for {name}: {value:?}"
            );
        });
    }
    throw(header_bytes("[A-Za-z0-9_]{0,90}"), |value| {
        let key = [b"Bearer thk_".as_slice(), &value].concat();
        let status = status_with(&server, "GET /v1/me HTTP/1.1", "Authorization", &key);
        assert!([400, 401].contains(&status), "{status} for {key:?}");
        let token = [b"Bearer ".as_slice(), &value].concat();
        let status = status_with(&server, "GET /v1/me HTTP/1.1", "Authorization", &token);
        assert!([400, 401].contains(&status), "{status} for {token:?}");
    });
    throw(texts("thk_[A-Z0-9]{0,90}"), |text| {
        let form = format!(
            "grant_type=client_credentials&client_id={0}&client_secret={0}",
            encoded(&text)
        );
        expect_sound(
            || server.anonymous().post_form("/v1/auth/token", &form),
            &text,
        );
    });
    assert_eq!(server.anonymous().get("/livez").status, 200);
}
