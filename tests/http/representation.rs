//! Representations: one answer plain or compressed, its numbers as numbers or as text.

use serde_json::{Value, json};

use crate::harness::report::value;
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Server};

/// More than a double holds: the nearest double of it is even.
const BEYOND_DOUBLES: i64 = 9_007_199_254_740_993;

const ROLLUP: &str = "/v1/forms/f/periods/2024/units/code:T/rollup?include=children";

fn reported() -> (Server, Client) {
    let (server, admin, report) = Town::new(Backend::Sqlite)
        .indicators(&[("x", "sum")])
        .form("f", "year")
        .build_for("2024");
    report.submit("A1", &[value("x", BEYOND_DOUBLES)]);
    (server, admin)
}

#[test]
fn an_answer_is_compressed_for_those_who_ask_and_is_the_same() {
    let (_server, admin) = reported();
    let gzip = admin.with("Accept-Encoding", "gzip");
    let plain = admin.get(ROLLUP).expect_status(200);
    assert_eq!(plain.header("content-encoding"), None);
    assert!(plain.header("vary").unwrap().contains("Accept-Encoding"));
    let packed = gzip.get(ROLLUP).expect_status(200);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.text, plain.text);
    assert!(packed.bytes.len() * 2 < plain.bytes.len());

    // Each representation is validated by its own tag.
    assert_ne!(packed.etag(), plain.etag());
    let seen = |client: &Client, etag: &str| client.with("If-None-Match", etag).get(ROLLUP);
    for (client, own) in [(&admin, &plain), (&gzip, &packed)] {
        let unchanged = seen(client, own.etag()).expect_status(304);
        assert_eq!(unchanged.etag(), own.etag());
        assert!(
            unchanged
                .header("vary")
                .unwrap()
                .contains("Accept-Encoding")
        );
        seen(client, &format!("W/{}", own.etag())).expect_status(304);
    }
    seen(&admin, packed.etag()).expect_status(200);
    // A reader who has both is told of the one that it asks for.
    let both = format!("{}, {}", plain.etag(), packed.etag());
    assert_eq!(seen(&gzip, &both).expect_status(304).etag(), packed.etag());
    assert_eq!(seen(&admin, &both).expect_status(304).etag(), plain.etag());
    // A packet holds a small answer as it is.
    assert_eq!(gzip.get("/v1/me").header("content-encoding"), None);
    let nothing = gzip.get("/v1/forms/nothing").expect_status(404);
    assert_eq!(nothing.json()["code"], "FORM_NOT_FOUND");
}

#[test]
fn a_change_builds_on_the_tag_of_any_representation_and_on_one_that_a_proxy_weakened() {
    let (_server, admin) = reported();
    let path = "/v1/forms/f/periods/2024/units/code:A1/submission";
    let body = json!({"values": [value("x", 1)], "submit": true});
    let readers = [
        admin.clone(),
        admin.with("Accept-Encoding", "gzip"),
        admin.with("Prefer", "numbers=text"),
    ];
    for reader in readers {
        let etag = reader.get(path).expect_status(200).etag().to_owned();
        let put = |seen: &str| admin.with("If-Match", seen).put(path, &body);
        let changed = put(&etag).expect_status(200);
        put(&format!("W/{}", changed.etag())).expect_status(200);
        put(&etag).expect_problem(412, "PRECONDITION_FAILED");
    }
}

#[test]
fn exact_numbers_are_text_for_those_who_prefer_it() {
    let (_server, admin) = reported();
    let text = admin.with("Prefer", "numbers=text");
    let as_numbers = admin.get(ROLLUP).expect_status(200);
    let as_text = text.get(ROLLUP).expect_status(200);
    assert_eq!(as_text.header("preference-applied"), Some("numbers=text"));
    assert_eq!(as_numbers.header("preference-applied"), None);
    assert!(as_text.header("vary").unwrap().contains("Prefer"));
    assert_ne!(as_text.etag(), as_numbers.etag());
    let cell = &as_text.json()["cells"][0];
    assert_eq!(cell["value"], BEYOND_DOUBLES.to_string());
    // Counts are small, and stay numbers.
    assert_eq!(cell["reported"], 1);
    assert!(
        as_numbers
            .text
            .contains(&format!("\"value\":{BEYOND_DOUBLES}"))
    );

    // What is read as text may be sent as text, and a change answers in the same way.
    let path = "/v1/forms/f/periods/2024/units/code:A1/submission";
    let read = text.get(path).expect_status(200);
    let values = read.json()["values"].clone();
    assert_eq!(values[0]["value"], BEYOND_DOUBLES.to_string());
    let body = json!({"values": [value("x", values[0]["value"].clone())], "submit": true});
    let changed = text
        .with("If-Match", read.etag())
        .put(path, &body)
        .expect_status(200);
    assert_eq!(
        changed.json()["values"][0]["value"],
        BEYOND_DOUBLES.to_string()
    );
    let sum: Value = text.get(ROLLUP).json();
    assert_eq!(sum["cells"][0]["value"], BEYOND_DOUBLES.to_string());
}
