//! Sheets that go out and come back: what was not filled in changes nothing, and what was is entered.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tonghop::domain::quantity::Decimal;

use super::sheet::{path, reporting};
use crate::harness::report::{Report, option, value};
use crate::harness::sheet::filled;
use crate::harness::{Answer, Client};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// The units that submit.
const UNITS: [&str; 5] = ["A", "A1", "A2", "B", "B1"];

pub(super) fn send_back(client: &Client, query: &str, sheet: &[u8]) -> Answer {
    let path = format!("/v1/submissions/import?form=f&period=2024-06{query}");
    client.send("POST", &path, Some(XLSX), sheet)
}

/// The sheet of the whole town.
fn sheet(client: &Client) -> Vec<u8> {
    client.get(&path("T", "sheet")).expect_status(200).bytes
}

/// Whatever a unit may enter, in whatever state it may be.
fn enter_anything(june: &Report, unit: &str, random: &mut StdRng) {
    let mut values = Vec::new();
    let whole = match random.random_range(0..3) {
        0 => random.random_range(i64::MIN..=i64::MAX),
        _ => random.random_range(-2_000..2_000_000),
    };
    let rate = Decimal::new(random.random_range(-200_000..2_000_000), 2);
    let figures = [
        value("x", whole),
        value("rate", rate.as_str()),
        option("docs", "plan", random.random_range(0..2_000)),
        option("docs", "letter", random.random_range(0..2_000)),
    ];
    let is_broken_down = random.random_bool(0.7);
    for mut figure in figures {
        let is_option = figure.get("option").is_some();
        if (is_option && !is_broken_down) || (!is_option && random.random_bool(0.2)) {
            continue;
        }
        let qualifiers = ["exact", "exact", "at_least", "at_most", "estimate"];
        figure["qualifier"] = json!(qualifiers.choose(random).unwrap());
        values.push(figure);
    }
    let mut body = json!({"values": values, "submit": random.random_bool(0.6)});
    body["nil"] = json!(random.random_bool(0.2));
    if random.random_bool(0.3) {
        body["narrative"] = json!([{"section": "I", "text": "Lời"}]);
    }
    if june.put(unit, &body).status > 201 {
        return;
    }
    for step in ["withdraw", "approve"] {
        if random.random_bool(0.1) {
            june.step(unit, step);
        }
    }
}

/// Everything that is there, as it is read.
fn all(client: &Client, june: &Report) -> Vec<Value> {
    let submissions = UNITS.iter().map(|unit| {
        let submission = client.get(&path(unit, "submission"));
        match submission.status {
            404 => Value::Null,
            _ => submission.expect_status(200).json(),
        }
    });
    let totals = ["T/rollup", "T/rollup?stage=approved"].map(|what| june.read(what));
    submissions.chain(totals).collect()
}

on_both_backends! {
    fn what_a_sheet_took_out_and_brings_back_unfilled_changes_nothing(backend) {
        let (_server, admin, reports) = reporting(backend);
        let june = reports.of("2024-06");
        let seed = rand::random();
        let random = &mut StdRng::seed_from_u64(seed);
        for _ in 0..6 {
            for unit in UNITS {
                if random.random_bool(0.8) {
                    enter_anything(&june, unit, random);
                }
            }
            let (sheet, before) = (sheet(&admin), all(&admin, &june));
            for query in ["", "&mode=replace"] {
                let told = send_back(&admin, query, &sheet);
                // A sheet without any value is told to be empty.
                if told.status == 422 {
                    assert!(told.text.contains("MALFORMED_CSV"), "seed {seed}: {}", told.text);
                    continue;
                }
                let told = told.expect_status(200).json();
                assert_eq!([&told["created"], &told["changed"]], [0, 0], "seed {seed}: {told}");
                assert_eq!(told["rev"], Value::Null);
            }
            assert_eq!(all(&admin, &june), before, "seed {seed}");
        }
    }

    fn a_sheet_that_was_filled_in_is_entered_and_a_stale_one_is_refused_where_it_is_stale(backend) {
        let (_server, admin, reports) = reporting(backend);
        let june = reports.of("2024-06");
        june.submit("A1", &[value("x", 5), option("docs", "plan", 1), option("docs", "letter", 2)]);
        june.submit("A2", &[value("x", 7)]);
        let empty = admin.get(&path("A", "sheet")).expect_status(200).bytes;
        // The rows 9 to 12 are A1's, 13 to 16 A2's.
        let filled = filled(&empty, &[("I9", "trên 1.562.410"), ("I11", "4"), ("I10", "93,64")]);
        let done = send_back(&admin, "&submit=true", &filled).expect_status(200).json();
        assert_eq!([&done["created"], &done["changed"], &done["left"]], [0, 1, 1]);
        assert_eq!(june.figure("T", "x"), "1562417 at_least 2/5");
        assert_eq!(june.figure("T", "docs"), "6 1/5");
        let again = send_back(&admin, "&submit=true", &filled).expect_status(200).json();
        assert_eq!(again["left"], 2);
        let stale = send_back(&admin, "&submit=true", &empty);
        assert!(stale.text.contains("Hãy lấy bảng nhập mới"), "{}", stale.text);
        let faults = stale.expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(faults, ["/sheets/Nhập liệu/I9 PRECONDITION_FAILED"]);
        assert_eq!(june.figure("T", "x"), "1562417 at_least 2/5");
    }
}
