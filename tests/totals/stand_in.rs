//! Figures given before the map changed, for a period that ends on the new map: rollup,
//! completeness and lineage tell the same story.

use serde_json::{Value, json};

use crate::harness::report::{Report, Reports, cell};
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Server};

/// Town `T` with the communes `A`, `B` and `C`, which report `x` every month.
fn reporting(backend: Backend) -> (Server, Client, Reports) {
    let units = "P,Tỉnh,province,\nT,Thị xã,town,P\n\
        A,Xã A,commune,T\nB,Xã B,commune,T\nC,Xã C,commune,T\n";
    Town::of(backend, units)
        .indicators(&[("x", "sum"), ("largest", "max"), ("staff", "none")])
        .form("m", "month")
        .with("submitted_by", json!(["commune"]))
        .with("deadlines", json!({"commune": 5}))
        .build()
}

/// The same number for every indicator.
fn all_of(number: i64) -> Value {
    json!({"x": number, "largest": number, "staff": number})
}

/// Passes `A` on from 2025-07-01, to these units in these shares.
fn divide(admin: &Client, into: &[(&str, Option<&str>)]) {
    let into: Vec<Value> = into
        .iter()
        .map(|(unit, share)| {
            let mut part = json!({"unit": unit});
            if unit.is_empty() {
                part["unit"] =
                    json!({"code": "N", "name": "Xã mới", "level": "commune", "parent": "code:T"});
            }
            if let Some(share) = share {
                part["share"] = json!(share);
            }
            part
        })
        .collect();
    let step = json!({"op": "split", "from": "code:A", "basis": "dân số", "into": into});
    admin.reorganise("2025-07-01", &json!([step]));
}

/// `submitted approved of expected`.
fn counts(counts: &Value) -> String {
    let (submitted, approved) = (&counts["submitted"], &counts["approved"]);
    format!("{submitted} {approved} of {}", counts["expected"])
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// What rollup, completeness and lineage say of a unit, once they are found to say the same.
#[track_caller]
fn agreed(m: &Reports, unit: &str, period: &str, as_of: &str) -> String {
    let report = m.of(period);
    let rollup = report.read(&format!("{unit}/rollup?include=children{as_of}"));
    let progress = report.read(&format!("{unit}/completeness?{as_of}"));
    let total = counts(&progress["total"]);
    assert_eq!(total, counts(&rollup["completeness"]), "{unit} {progress}");
    let named = |view: &Value, count: &str| -> Vec<String> {
        let children = view["children"].as_array().unwrap().iter();
        // A leaf may have values of which the submissions are counted elsewhere.
        let counted = children.filter(|child| counts(&child[count]) != "0 0 of 0");
        counted
            .map(|child| {
                let (name, counts) = (&child["unit"]["name"], counts(&child[count]));
                format!("{name} {} {counts}", child["not_divided"])
            })
            .collect()
    };
    assert_eq!(
        named(&progress, "total"),
        named(&rollup, "completeness"),
        "{unit}"
    );
    for field in [
        "expected",
        "submitted",
        "approved",
        "late",
        "missing",
        "overdue",
    ] {
        let parts = progress["children"].as_array().unwrap().iter();
        let parts = parts.map(|child| number(&child["total"][field]));
        let own = match &progress["own_periods"] {
            Value::Null => continue,
            own => number(&own[field]),
        };
        assert_eq!(
            parts.sum::<i64>() + own,
            number(&progress["total"][field]),
            "{unit} {field}"
        );
    }
    let x = cell(&rollup, "x");
    if as_of.is_empty() {
        for code in ["x", "largest", "staff"] {
            expect_sources(&report, unit, code);
        }
    }
    format!(
        "{} {}/{}, {total}",
        x["value"], x["reported"], x["expected"]
    )
}

/// The listed values make the figure.
#[track_caller]
fn expect_sources(report: &Report, unit: &str, code: &str) {
    let lineage = report.read(&format!(
        "{unit}/rollup/lineage?indicator={code}&limit=1000"
    ));
    let figure = &lineage["figure"];
    let items = lineage["items"].as_array().unwrap().iter();
    let values = items.flat_map(|item| {
        let handed_over = item["handed_over"].as_array().unwrap();
        std::iter::once(&item["value"]).chain(handed_over)
    });
    let parts: Vec<&Value> = values
        .filter(|value| !value.is_null())
        .map(|value| match &value["part"] {
            Value::Null => &value["value"],
            part => part,
        })
        .collect();
    let made = match code {
        "largest" => parts
            .iter()
            .copied()
            .max_by_key(|part| number(part))
            .cloned(),
        _ if parts.is_empty() => None,
        _ => Some(json!(parts.iter().map(|part| number(part)).sum::<i64>())),
    };
    assert_eq!(
        made.unwrap_or(Value::Null),
        figure["value"],
        "{unit} {code}: {lineage}"
    );
}

on_both_backends! {
    fn a_share_of_a_unit_that_still_stands_counts_where_it_passed_to(backend) {
        let (_server, admin, m) = reporting(backend);
        m.submit("A", "2025-08", all_of(10));
        m.submit("C", "2025-08", all_of(1));
        m.of("2025-08").step("A", "approve").expect_status(200);
        divide(&admin, &[("code:A", Some("7/10")), ("code:B", Some("3/10"))]);
        for period in ["2025-08", "2025-Q3"] {
            let expected = if period == "2025-08" { 1 } else { 3 };
            assert_eq!(agreed(&m, "A", period, ""), format!("7 1/{expected}, 1 1 of {expected}"));
            assert_eq!(agreed(&m, "B", period, ""), format!("3 1/{expected}, 1 1 of {expected}"));
            assert_eq!(agreed(&m, "T", period, ""), format!("11 3/{0}, 3 2 of {0}", 3 * expected));
            agreed(&m, "P", period, "");
        }
        // What B submits itself takes the place of what passed to it.
        m.submit("B", "2025-08", all_of(5));
        assert_eq!(agreed(&m, "B", "2025-08", ""), "5 1/1, 1 0 of 1");
        assert_eq!(agreed(&m, "T", "2025-08", ""), "13 3/3, 3 1 of 3");
        agreed(&m, "P", "2025", "");
    }

    fn what_nobody_knows_the_shares_of_is_counted_once_in_its_leaf(backend) {
        let (_server, admin, m) = reporting(backend);
        m.submit("A", "2025-08", all_of(10));
        divide(&admin, &[("", None), ("code:B", None)]);
        for period in ["2025-08", "2025-Q3"] {
            let (one, all) = if period == "2025-08" { (1, 3) } else { (3, 9) };
            assert_eq!(agreed(&m, "N", period, ""), format!("null 0/{one}, 0 0 of {one}"));
            assert_eq!(agreed(&m, "B", period, ""), format!("null 0/{one}, 0 0 of {one}"));
            assert_eq!(agreed(&m, "T", period, ""), format!("10 1/{all}, 1 0 of {all}"));
            agreed(&m, "P", period, "");
        }
        m.submit("B", "2025-08", all_of(4));
        assert_eq!(agreed(&m, "T", "2025-08", ""), "14 2/3, 2 0 of 3");
        // With the submissions of all successors there is nothing left to stand in for.
        m.submit("N", "2025-08", all_of(5));
        assert_eq!(agreed(&m, "T", "2025-08", ""), "9 2/3, 2 0 of 3");
        agreed(&m, "P", "2025-Q3", "");
    }

    fn what_is_left_of_a_unit_that_goes_on_without_known_shares_is_counted_once(backend) {
        let (_server, admin, m) = reporting(backend);
        m.submit("A", "2025-08", all_of(10));
        m.submit("B", "2025-08", all_of(2));
        divide(&admin, &[("code:A", None), ("code:B", None)]);
        assert_eq!(agreed(&m, "A", "2025-08", ""), "null 0/1, 0 0 of 1");
        assert_eq!(agreed(&m, "B", "2025-08", ""), "2 1/1, 1 0 of 1");
        assert_eq!(agreed(&m, "T", "2025-08", ""), "12 2/3, 2 0 of 3");
        m.submit("A", "2025-08", all_of(3));
        // B has submitted nothing since it may have a part of A.
        assert_eq!(agreed(&m, "T", "2025-08", ""), "15 3/3, 3 0 of 3");
        m.submit("B", "2025-08", all_of(2));
        assert_eq!(agreed(&m, "T", "2025-08", ""), "5 2/3, 2 0 of 3", "C has not reported");
    }

    fn a_correction_leaves_the_shares_of_the_neighbours(backend) {
        let (_server, admin, m) = reporting(backend);
        m.submit("A", "2025-08", all_of(10));
        divide(&admin, &[("code:A", Some("7/10")), ("", Some("3/10"))]);
        let all = |m: &Reports| ["A", "N", "T"].map(|unit| agreed(m, unit, "2025-08", ""));
        assert_eq!(all(&m), ["7 1/1, 1 0 of 1", "3 1/1, 1 0 of 1", "10 2/4, 2 0 of 4"]);
        m.submit("A", "2025-08", all_of(7));
        assert_eq!(all(&m), ["7 1/1, 1 0 of 1", "3 1/1, 1 0 of 1", "10 2/4, 2 0 of 4"]);
        m.submit("A", "2025-08", all_of(8));
        assert_eq!(all(&m), ["8 1/1, 1 0 of 1", "3 1/1, 1 0 of 1", "11 2/4, 2 0 of 4"]);
        for period in ["2025-08", "2025-Q3", "2025"] {
            m.expect_verified("P", &[period]);
            agreed(&m, "P", period, "");
        }
        // Who has a value in D's figure, and which, is told.
        let lineage = m.of("2025-08").read("N/rollup/lineage?indicator=x");
        let handed = &lineage["items"].as_array().unwrap().iter()
            .find(|item| item["unit"]["code"] == "A").unwrap()["handed_over"][0];
        assert_eq!((&handed["value"], &handed["part"], &handed["revision"]), (&json!(10), &json!(3), &json!(1)));
        // What the neighbour submits itself takes its place.
        m.submit("N", "2025-08", all_of(1));
        assert_eq!(all(&m), ["8 1/1, 1 0 of 1", "1 1/1, 1 0 of 1", "9 2/4, 2 0 of 4"]);
        agreed(&m, "P", "2025", "");
    }

    fn a_correction_leaves_the_rev_and_etag_of_the_neighbours(backend) {
        let (_server, admin, m) = reporting(backend);
        let seen = |unit: &str, period: &str| {
            let path = format!("/v1/forms/m/periods/{period}/units/code:{unit}/rollup");
            let answer = admin.get(&path).expect_status(200);
            (answer.json()["rev"].as_i64().unwrap(), answer.etag().to_owned())
        };
        m.submit("A", "2025-08", all_of(10));
        divide(&admin, &[("code:A", Some("7/10")), ("", Some("3/10"))]);
        let neighbour = || [seen("N", "2025-08"), seen("N", "2025-Q3")];
        let (before, own) = (neighbour(), seen("A", "2025-08"));
        assert_eq!(before[0].0, own.0, "both have a part of the 10");
        for number in [7, 8] {
            m.submit("A", "2025-08", all_of(number));
            assert_eq!(neighbour(), before);
        }
        let corrected = seen("A", "2025-08");
        assert!(corrected.0 > own.0 && corrected.1 != own.1);
        // What it submits itself is another report, and so is what it takes back.
        m.submit("N", "2025-08", all_of(1));
        let submitted = neighbour();
        assert!(submitted.iter().all(|(rev, _)| *rev > corrected.0), "{submitted:?}");
        m.of("2025-08").step("N", "withdraw").expect_status(200);
        let taken_back = neighbour();
        assert!(taken_back.iter().all(|(rev, _)| *rev > submitted[0].0), "{taken_back:?}");
        assert_eq!(agreed(&m, "N", "2025-08", ""), "3 1/1, 1 0 of 1");
    }

    fn what_is_entered_late_leaves_who_has_nothing_of_it(backend) {
        let (_server, admin, m) = reporting(backend);
        divide(&admin, &[("code:A", Some("7/10")), ("", Some("3/10"))]);
        let seen = || {
            let answer = admin.get("/v1/forms/m/periods/2025-08/units/code:N/rollup").expect_status(200);
            (answer.json()["rev"].as_i64().unwrap(), answer.etag().to_owned())
        };
        let before = seen();
        assert_eq!(before.0, 0);
        m.submit("A", "2025-08", all_of(7));
        assert_eq!(seen(), before);
    }

    fn what_is_taken_back_or_sent_back_leaves_the_shares_of_the_neighbours(backend) {
        let (_server, admin, m) = reporting(backend);
        m.submit("A", "2025-08", all_of(10));
        let report = m.of("2025-08");
        report.step("A", "approve").expect_status(200);
        divide(&admin, &[("code:A", Some("7/10")), ("", Some("3/10"))]);
        let all = || ["A", "N", "T"].map(|unit| agreed(&m, unit, "2025-08", ""));
        report.step("A", "reopen").expect_status(200);
        report.give_back("A", &json!({"reason": "Sai"})).expect_status(200);
        // What N has was approved, and nobody took that back.
        assert_eq!(all(), ["null 0/1, 0 0 of 1", "3 1/1, 1 1 of 1", "3 1/4, 1 1 of 4"]);
        assert_eq!(report.approved_figure("N", "x"), "3 1/1");
        m.submit("A", "2025-08", all_of(7));
        assert_eq!(all(), ["7 1/1, 1 0 of 1", "3 1/1, 1 1 of 1", "10 2/4, 2 1 of 4"]);
        report.step("A", "withdraw").expect_status(200);
        assert_eq!(all(), ["null 0/1, 0 0 of 1", "3 1/1, 1 1 of 1", "3 1/4, 1 1 of 4"]);
        for period in ["2025-08", "2025"] {
            m.expect_verified("P", &[period]);
        }
    }

    fn work_that_others_have_a_part_of_is_not_passed_on(backend) {
        let (_server, admin, m) = reporting(backend);
        m.submit("A", "2025-08", all_of(10));
        divide(&admin, &[("code:A", Some("7/10")), ("code:B", Some("3/10"))]);
        let unit = json!({"code": "N", "name": "Xã mới", "level": "commune", "parent": "code:T"});
        let document = json!({
            "effective": "2025-07-15", "legal_basis": "Nghị quyết", "work_in_progress": "pass_on",
            "steps": [{"op": "merge", "from": ["code:A"], "into": unit}],
        });
        admin.post_json("/v1/reorganisations", &document).expect_status(201);
        assert_eq!(agreed(&m, "N", "2025-08", ""), "7 1/1, 1 0 of 1");
        assert_eq!(agreed(&m, "B", "2025-08", ""), "3 1/1, 1 0 of 1");
    }

    fn a_report_of_which_a_part_is_not_approved_is_in_no_stage_approved(backend) {
        let (_server, admin, m) = reporting(backend);
        m.submit("A", "2025-08", all_of(10));
        m.submit("B", "2025-08", all_of(5));
        let report = m.of("2025-08");
        report.step("A", "approve").expect_status(200);
        assert_eq!(report.approved_figure("T", "x"), "10 1/3");
        admin.reorganise("2025-07-01", &json!([{"op": "merge", "from": ["code:A"], "into": "code:B"}]));
        for unit in ["B", "T"] {
            let rollup = report.read(&format!("{unit}/rollup?stage=approved"));
            let progress = report.read(&format!("{unit}/completeness"));
            assert_eq!(rollup["completeness"]["approved"], 0);
            assert_eq!(progress["total"]["approved"], 0);
            assert_eq!((&cell(&rollup, "x")["value"], &cell(&rollup, "x")["reported"]), (&Value::Null, &json!(0)), "{unit}");
            let lineage = report.read(&format!("{unit}/rollup/lineage?indicator=x&stage=approved"));
            let items = lineage["items"].as_array().unwrap().iter();
            assert!(items.clone().all(|item| item["value"].is_null()), "{lineage}");
        }
        // Once all of it is approved it counts, kept and folded anew.
        report.step("B", "approve").expect_status(200);
        assert_eq!(report.approved_figure("B", "x"), "15 1/1");
        assert_eq!(report.approved_figure("T", "x"), "15 1/2");
        for period in ["2025-08", "2025"] {
            m.expect_verified("P", &[period]);
        }
    }

    fn what_stands_in_for_two_units_is_two_where_they_have_become_one(backend) {
        let (_server, admin, m) = reporting(backend);
        m.submit("A", "2025-08", all_of(10));
        divide(&admin, &[("", Some("1/2")), ("code:B", Some("1/2"))]);
        let unit = json!({"code": "B", "name": "Xã B", "level": "commune", "parent": "code:T"});
        admin.reorganise("2025-10-01", &json!([{"op": "merge", "from": ["code:N", "code:B"], "into": unit}]));
        assert_eq!(agreed(&m, "T", "2025-08", ""), "10 2/3, 2 0 of 3");
        assert_eq!(agreed(&m, "B", "2025-08", "&as_of=2025-10-01"), "10 2/2, 2 0 of 2");
        assert_eq!(agreed(&m, "T", "2025-08", "&as_of=2025-10-01"), "10 2/3, 2 0 of 3");
        assert_eq!(agreed(&m, "B", "2025", ""), "10 2/21, 2 0 of 21");
        agreed(&m, "P", "2025", "");
    }

    fn what_stands_in_for_a_unit_that_is_divided_later_is_still_one(backend) {
        let (_server, admin, m) = reporting(backend);
        m.submit("A", "2025-08", all_of(10));
        let unit = json!({"code": "B", "name": "Xã B", "level": "commune", "parent": "code:T"});
        admin.reorganise("2025-07-01", &json!([{"op": "merge", "from": ["code:A", "code:B"], "into": unit}]));
        let into = json!([{"unit": "code:B", "share": "1/2"}, {"unit": "code:C", "share": "1/2"}]);
        admin.reorganise("2025-10-01", &json!([{"op": "split", "from": "code:B", "basis": "dân số", "into": into}]));
        assert_eq!(agreed(&m, "T", "2025-08", ""), "10 1/2, 1 0 of 2");
        for period in ["2025-08", "2025-Q3"] {
            agreed(&m, "T", period, "&as_of=2025-10-01");
        }
        let rollup = m.of("2025-08").read("T/rollup?as_of=2025-10-01");
        assert_eq!(counts(&rollup["completeness"]), "1 0 of 2");
        agreed(&m, "T", "2025", "");
    }
}
