//! Units that nobody took over as a whole: what is left of them stays readable, and every unit that
//! has a part of it names it.

use serde_json::{Value, json};

use crate::harness::decree::{commune, decree};
use crate::harness::report::{Reports, cell, shown, value};
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Server};

/// Two provinces without a unit above: P with the communes E and F, and Q with the commune G.
const ROOTS: &str = "P,Tỉnh P,province,\nQ,Tỉnh Q,province,\n\
    E,Xã E,commune,P\nF,Xã F,commune,P\nG,Xã G,commune,Q\n";

/// The same below a country, with a town between P and E.
const COUNTRY: &str = "VN,Việt Nam,country,\nP,Tỉnh P,province,VN\n\
    Q,Tỉnh Q,province,VN\nT,Thị xã T,town,P\nE,Xã E,commune,T\nF,Xã F,commune,P\nG,Xã G,commune,Q\n";

/// The units with a monthly form `m` of the communes.
fn reporting(backend: Backend, units: &str) -> (Server, Client, Reports) {
    Town::of(backend, units)
        .indicators(&[("s", "sum"), ("largest", "max")])
        .form("m", "month")
        .with("calendar", "civil")
        .with("submitted_by", json!(["commune"]))
        .build()
}

/// E becomes X1 under one unit and X2 under another, and nobody knows in which shares.
fn divided_over(first: &str, second: &str) -> Value {
    json!([{"op": "split", "from": "code:E", "into": [
        {"unit": commune("X1", first)}, {"unit": commune("X2", second)}]}])
}

fn read(m: &Reports, unit: &str, period: &str, rest: &str) -> Value {
    m.of(period).read(&format!("{unit}/rollup?{rest}"))
}

fn figure(m: &Reports, unit: &str, period: &str, rest: &str) -> String {
    shown(&cell(&read(m, unit, period, rest), "s"))
}

/// The units that a report names as not divided, each with its figure where it is in no other of
/// the report's.
fn named(report: &Value) -> Vec<String> {
    let all = report["map"]["not_divided"].as_array().unwrap().iter();
    all.map(|one| {
        let code = one["unit"]["code"].as_str().unwrap();
        match &one["cells"] {
            Value::Null => code.to_owned(),
            _ => format!("{code} {}", cell(one, "s")["value"]),
        }
    })
    .collect()
}

/// How many reports were compared, and found to be what the submissions make.
#[track_caller]
fn verify(m: &Reports, unit: &str, period: &str) -> i64 {
    m.expect_verified(unit, &[period]);
    m.verify(unit, period)["compared"].as_i64().unwrap()
}

on_both_backends! {
    fn what_has_no_unit_above_is_named_by_everybody_who_has_something_of_it(backend) {
        let (_server, admin, m) = reporting(backend, ROOTS);
        m.submit("E", "2025-06", json!({"s": 10}));
        m.submit("F", "2025-06", json!({"s": 100}));
        admin.reorganise("2025-07-01", &divided_over("P", "Q"));
        for (period, rest) in [("2025", ""), ("2025-06", "as_of=2025-07-01"), ("2025-Q2", "as_of=2025-07-01"), ("2025-H1", "as_of=2025-12-31")] {
            for unit in ["P", "Q", "X1", "X2"] {
                let report = read(&m, unit, period, rest);
                assert_eq!(named(&report), ["E 10"], "{unit} {period} {rest}");
                assert_eq!(report["map"]["not_divided"][0]["under"], Value::Null);
                let path = format!("{unit}/completeness?{rest}");
                let progress = m.of(period).read(&path);
                assert_eq!(named(&progress), ["E"], "{unit} {period} {rest}");
            }
            for unit in ["F", "G"] {
                assert_eq!(named(&read(&m, unit, period, rest)), [""; 0], "{unit}");
            }
            assert!(figure(&m, "P", period, rest).starts_with("100 1/"));
            assert!(figure(&m, "Q", period, rest).starts_with("null 0/"));
        }
        // As it was nothing is left over.
        assert_eq!(figure(&m, "P", "2025-06", ""), "110 2/2");
        assert_eq!(named(&read(&m, "P", "2025-06", "")), [""; 0]);
    }

    fn the_figures_of_a_unit_that_nobody_has_as_a_whole_answer_under_it(backend) {
        let (server, admin, m) = reporting(backend, ROOTS);
        m.submit("E", "2025-06", json!({"s": 10}));
        admin.reorganise("2025-07-01", &divided_over("P", "Q"));
        assert_eq!(figure(&m, "E", "2025", ""), "10 1/6");
        assert_eq!(figure(&m, "E", "2025-06", "as_of=2025-07-01"), "10 1/1");
        assert_eq!(figure(&m, "E", "2025-06", ""), "10 1/1");
        let report = m.of("2025");
        assert_eq!(report.read("E/completeness")["total"]["submitted"], 1);
        let lineage = report.read("E/rollup/lineage?indicator=s");
        assert_eq!(lineage["figure"]["value"], 10);
        let series = "/v1/forms/m/units/code:E/series?indicator=s&from=2025&to=2025";
        let series = admin.get(series).expect_status(200).json();
        assert_eq!(series["items"][0]["figure"]["value"], 10);
        // Who could read E while it stood can read what is left of it, and nobody else.
        server.create_account("test", "of-p", &["viewer@code:P"]);
        server.create_account("test", "of-q", &["viewer@code:Q"]);
        let path = "/v1/forms/m/periods/2025/units/code:E/rollup";
        server.sign_in("test", "of-p").get(path).expect_status(200);
        server.sign_in("test", "of-q").get(path).expect_problem(404, "UNIT_NOT_FOUND");
        // In a year in which it never stood there is nothing of it; what counts is given by others.
        admin.get("/v1/forms/m/periods/2026/units/code:E/rollup").expect_problem(404, "UNIT_ENDED");
        let put = admin.put("/v1/forms/m/periods/2025-07/units/code:E/submission", &json!({"values": []}));
        put.expect_problem(404, "UNIT_ENDED");
    }

    fn what_has_no_unit_above_is_verified_with_those_who_name_it(backend) {
        let (_server, admin, m) = reporting(backend, ROOTS);
        m.submit("E", "2025-06", json!({"s": 10}));
        admin.reorganise("2025-07-01", &divided_over("P", "Q"));
        assert_eq!(verify(&m, "Q", "2025"), 4, "Q, G, X2 and what is left of E");
        assert_eq!(verify(&m, "E", "2025"), 1);
        verify(&m, "P", "2025-Q2");
    }

    fn a_unit_on_the_way_below_a_country_names_what_counts_above_it(backend) {
        let (_server, admin, m) = reporting(backend, COUNTRY);
        m.submit("E", "2025-06", json!({"s": 10}));
        m.submit("F", "2025-06", json!({"s": 100}));
        admin.reorganise("2025-07-01", &divided_over("T", "Q"));
        for (period, rest) in [("2025", ""), ("2025-06", "as_of=2025-07-01")] {
            for unit in ["P", "T", "X1", "Q", "X2"] {
                let report = read(&m, unit, period, rest);
                assert_eq!(named(&report), ["E 10"], "{unit} {period} {rest}");
                assert_eq!(report["map"]["not_divided"][0]["under"]["code"], "VN");
            }
            let country = read(&m, "VN", period, rest);
            assert_eq!(named(&country), ["E"], "it is in the country's figures");
            assert_eq!(cell(&country, "s")["value"], 110);
            assert_eq!(named(&read(&m, "F", period, rest)), [""; 0]);
        }
        verify(&m, "VN", "2025");
    }

    fn a_report_changes_its_etag_when_what_it_names_changes(backend) {
        let (_server, admin, m) = reporting(backend, ROOTS);
        m.submit("E", "2025-07", json!({"s": 10}));
        // E goes on, and nobody knows what of it passes to X; entered late.
        admin.reorganise("2025-07-01", &json!([{"op": "split", "from": "code:E", "into": [
            {"unit": "code:E"}, {"unit": commune("X", "Q")}]}]));
        let path = "/v1/forms/m/periods/2025/units/code:Q/rollup";
        let before = admin.get(path);
        assert_eq!(named(&before.json()), ["E 10"]);
        m.submit("E", "2025-07", json!({"s": 4}));
        m.submit("X", "2025-07", json!({"s": 5}));
        let after = admin.get(path);
        assert_eq!(named(&after.json()), [""; 0]);
        assert_ne!(before.etag(), after.etag());
    }

    fn a_dry_run_warns_of_what_would_have_no_unit_above(backend) {
        let (_server, admin, m) = reporting(backend, ROOTS);
        m.submit("E", "2025-06", json!({"s": 10}));
        m.submit("F", "2025-06", json!({"s": 100}));
        let preview = |steps: &Value| {
            let answer = admin.post_json("/v1/reorganisations/preview", &decree("2025-07-01", steps));
            answer.expect_status(200).json()
        };
        let planned = preview(&divided_over("P", "Q"));
        assert_eq!(planned["possible"], true);
        let warnings = planned["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 1, "{planned}");
        assert!(warnings[0]["message"].as_str().unwrap().contains("Xã E (E)"), "{warnings:?}");
        assert!(warnings[0]["message_en"].as_str().unwrap().contains("Xã E (E)"), "{warnings:?}");
        let rootless = &planned["divided"]["without_unit_above"];
        assert_eq!((&rootless["count"], &rootless["first"][0]["code"]), (&json!(1), &json!("E")));
        // No figure is missing from either side.
        let rows = |side: &str| -> Vec<String> {
            let rows = planned["figures"][0][side].as_array().unwrap().iter();
            rows.map(|row| format!("{} {}", row["unit"]["code"].as_str().unwrap(), row["totals"][0]["value"])).collect()
        };
        assert_eq!(rows("before"), ["P 110", "Q null", "E null"]);
        assert_eq!(rows("after"), ["P 100", "Q null", "E 10"]);
        assert_eq!(planned["figures"][0]["after"][2]["not_divided"], true);
        // Under one province there is nothing to warn of.
        assert_eq!(preview(&divided_over("P", "P"))["warnings"], json!([]));
    }

    fn a_dry_run_has_the_same_rows_on_both_sides_where_roots_become_one(backend) {
        let (_server, admin, m) = reporting(backend, ROOTS);
        m.submit("E", "2025-06", json!({"s": 10}));
        m.submit("G", "2025-06", json!({"s": 5}));
        let merge = json!([{"op": "merge", "from": ["code:P", "code:Q"], "into": "code:Q"}]);
        let rows_of = |effective: &str, steps: &Value| -> [Vec<String>; 2] {
            let answer = admin.post_json("/v1/reorganisations/preview", &decree(effective, steps));
            let planned = answer.expect_status(200).json();
            ["before", "after"].map(|side| {
                let rows = planned["figures"][0][side].as_array().unwrap().iter();
                rows.map(|row| format!(
                    "{} {} {}/{}", row["unit"]["code"].as_str().unwrap(), row["totals"][0]["value"],
                    row["completeness"]["submitted"], row["completeness"]["expected"],
                )).collect()
            })
        };
        let [before, after] = rows_of("2025-07-01", &merge);
        assert_eq!(before, ["P 10 1/2", "Q 5 1/1"]);
        assert_eq!(after, ["P null 0/0", "Q 15 2/3"]);
        // One root that becomes two, and one that stays.
        admin.reorganise("2025-07-01", &merge);
        let parts = json!([{"op": "split", "from": "code:Q", "children": {"code:E": "code:R", "code:F": "code:R", "code:G": "code:Q"}, "into": [
            {"unit": "code:Q"}, {"unit": {"code": "R", "name": "Tỉnh R", "level": "province", "parent": null}}]}]);
        let [before, after] = rows_of("2025-08-01", &parts);
        assert_eq!(before, ["Q 15 2/3", "R null 0/0"]);
        assert_eq!(after, ["Q 5 1/1", "R 10 1/2"]);
        let [before, after] = rows_of("2025-08-01", &json!([{"op": "rename", "unit": "code:E", "name": "Xã mới"}]));
        assert_eq!(before, ["E 10 1/1", "F null 0/1", "G 5 1/1"]);
        assert_eq!(after, before);
    }

    fn a_part_of_a_part_is_told_as_a_share_of_the_whole(backend) {
        let (_server, admin, m) = reporting(backend, ROOTS);
        m.submit("E", "2025-05", json!({"s": 100}));
        let halves = |from: &str, to: Value| json!([{"op": "split", "from": format!("code:{from}"), "basis": "dân số", "into": [
            {"unit": format!("code:{from}"), "share": "1/2"}, {"unit": to, "share": "1/2"}]}]);
        admin.reorganise("2025-06-10", &halves("E", commune("D", "P")));
        admin.reorganise("2025-06-20", &halves("D", commune("H", "P")));
        let map = |unit: &str, period: &str| read(&m, unit, period, "as_of=2025-07-01")["map"].clone();
        let told = |map: &Value| -> Vec<String> {
            let all = map["apportioned"].as_array().unwrap().iter();
            all.map(|one| format!(
                "{} {} {}", one["from"]["code"].as_str().unwrap(), one["to"]["code"].as_str().unwrap(), one["share"].as_str().unwrap(),
            )).collect()
        };
        assert_eq!(figure(&m, "H", "2025-05", "as_of=2025-07-01"), "25 1/1");
        assert_eq!(told(&map("P", "2025-05")), ["E E 1/2", "E D 1/4", "E H 1/4"]);
        assert_eq!(told(&map("H", "2025-05")), ["E H 1/4"]);
        assert_eq!(map("P", "2025-05")["not_divided"], json!([]), "everything was divided");
        // What comes back by two ways is one share.
        admin.reorganise("2025-06-25", &json!([{"op": "merge", "from": ["code:H"], "into": "code:E"}]));
        assert_eq!(told(&map("P", "2025-05")), ["E E 3/4", "E D 1/4"]);
        // What cannot be divided is named where there is any of it.
        m.of("2025-04").submit("E", &[value("s", 8), value("largest", 3)]);
        let map = map("P", "2025-04");
        assert_eq!(map["not_divided"].as_array().unwrap().len(), 1, "{map}");
        assert_eq!(map["not_divided"][0]["unit"]["code"], "E");
    }

    fn children_have_what_is_expected_of_a_leaf_that_has_sent_nothing(backend) {
        let (_server, admin, m) = reporting(backend, ROOTS);
        m.submit("F", "2025-06", json!({"s": 1}));
        admin.reorganise("2025-07-01", &divided_over("P", "P"));
        let report = read(&m, "P", "2025-06", "as_of=2025-07-01&include=children");
        let children = report["children"].as_array().unwrap();
        let expected = children.iter().map(|child| child["completeness"]["expected"].as_u64().unwrap());
        assert_eq!(json!(expected.sum::<u64>()), report["completeness"]["expected"]);
        let progress = m.of("2025-06").read("P/completeness?as_of=2025-07-01");
        let codes = |view: &Value| -> Vec<String> {
            let children = view["children"].as_array().unwrap().iter();
            children.map(|child| child["unit"]["code"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(codes(&report), ["F", "X1", "X2", "E"]);
        assert_eq!(codes(&report), codes(&progress));
    }
}
