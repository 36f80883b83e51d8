//! Longer periods and whatever spans several: quarters, halves, nine months, years, series,
//! lineage, targets and verification.

use serde_json::{Value, json};

use crate::harness::report::{Report, Reports, cell, shown, value};
use crate::harness::town::{Town, form, formula};
use crate::harness::{Backend, Client, Server};

/// The town with a form `m` of this frequency and these indicators: code, across units, across
/// time.
fn reporting(
    backend: Backend,
    frequency: &str,
    indicators: &[(&str, &str, &str)],
) -> (Server, Client, Reports) {
    let town = Town::new(backend).over_time(indicators);
    town.form("m", frequency).build()
}

fn series(admin: &Client, unit: &str, rest: &str) -> Value {
    let path = format!("/v1/forms/m/units/code:{unit}/series?indicator=x&{rest}");
    admin.get(&path).expect_status(200).json()
}

/// Each item as `period figure cumulative last-year`.
fn items(series: &Value) -> Vec<String> {
    let items = series["items"].as_array().unwrap().iter();
    let figure = |figure: &Value| match figure {
        Value::Null => "-".to_owned(),
        figure => figure["value"].to_string(),
    };
    items
        .map(|item| {
            format!(
                "{} {} {} {}",
                item["period"]["key"].as_str().unwrap(),
                figure(&item["figure"]),
                figure(&item["cumulative"]),
                figure(&item["same_period_last_year"])
            )
        })
        .collect()
}

on_both_backends! {
    fn every_longer_period_is_what_its_months_make(backend) {
        let (_server, _, m) = reporting(backend, "month", &[("x", "sum", "sum")]);
        // Powers of two: every sum says which months are in it.
        for month in 1..=12 {
            let unit = ["A", "A1", "B1"][month % 3];
            m.submit(unit, &format!("2024-{month:02}"), json!({"x": 1 << (month - 1)}));
        }
        m.submit("A2", "2023-12", json!({"x": 1_000_000}));
        m.submit("A2", "2025-01", json!({"x": 1_000_000}));
        let of = |months: std::ops::RangeInclusive<u32>| -> i64 {
            months.map(|month| 1 << (month - 1)).sum()
        };
        for (period, months, from, to) in [
            ("2024-Q1", 1..=3, "2023-12-15", "2024-03-14"),
            ("2024-Q2", 4..=6, "2024-03-15", "2024-06-14"),
            ("2024-Q3", 7..=9, "2024-06-15", "2024-09-14"),
            ("2024-Q4", 10..=12, "2024-09-15", "2024-12-14"),
            ("2024-H1", 1..=6, "2023-12-15", "2024-06-14"),
            ("2024-H2", 7..=12, "2024-06-15", "2024-12-14"),
            ("2024-9M", 1..=9, "2023-12-15", "2024-09-14"),
            ("2024", 1..=12, "2023-12-15", "2024-12-14"),
        ] {
            let rollup = m.of(period).read("T/rollup");
            let count = months.clone().count();
            assert_eq!(
                rollup["period"],
                json!({"key": period, "from": from, "to": to})
            );
            let expected = format!("{} {count}/{}", of(months), 5 * count);
            assert_eq!(shown(&cell(&rollup, "x")), expected, "{period}");
            m.expect_verified("T", &[period]);
        }
        // A unit without children has its longer periods too; one that has nothing has none.
        assert_eq!(m.figure("B1", "2024-Q1", "x"), "2 1/3");
        assert_eq!(m.figure("B", "2024-H1", "x"), "18 2/12");
        assert_eq!(m.figure("A2", "2024", "x"), "null 0/12");
        assert_eq!(m.figure("A2", "2025", "x"), "1000000 1/12");
    }

    fn only_base_periods_are_listed_and_take_submissions(backend) {
        let (_server, admin, m) = reporting(backend, "month", &[("x", "sum", "sum")]);
        let listed = admin.get("/v1/forms/m/periods?year=2024").expect_status(200).json();
        let keys: Vec<&str> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["key"].as_str().unwrap())
            .collect();
        let months: Vec<String> = (1..=12).map(|month| format!("2024-{month:02}")).collect();
        assert_eq!(keys, months);
        for period in ["2024-Q1", "2024-H2", "2024-9M", "2024"] {
            let report = m.of(period);
            report
                .try_submit("A1", &[value("x", 1)])
                .expect_problem(404, "PERIOD_NOT_FOUND");
        }
        // A yearly form has nothing longer and nothing shorter.
        admin.put("/v1/forms/y", &form(&["x"])).expect_status(201);
        for period in ["2024-Q1", "2024-H1", "2024-9M", "2024-01"] {
            admin
                .get(&format!("/v1/forms/y/periods/{period}/units/code:T/rollup"))
                .expect_problem(404, "PERIOD_NOT_FOUND");
        }
    }

    fn weeks_make_the_months_and_the_year_of_their_thursday(backend) {
        let (_server, admin, m) = reporting(backend, "week", &[("x", "sum", "sum")]);
        // W05 begins on 29 January, but its Thursday is 1 February.
        for (week, number) in [("2024-W01", 1), ("2024-W04", 2), ("2024-W05", 4), ("2024-W09", 8), ("2024-W52", 16)] {
            m.submit("A1", week, json!({"x": number}));
        }
        assert_eq!(m.figure("A", "2024-01", "x"), "3 2/12");
        assert_eq!(m.figure("T", "2024-02", "x"), "12 2/25");
        assert_eq!(m.figure("T", "2024-12", "x"), "16 1/20");
        assert_eq!(m.figure("T", "2024", "x"), "31 5/260");
        for period in ["2024-01", "2024-02", "2024"] {
            m.expect_verified("T", &[period]);
        }
        for period in ["2024-Q1", "2024-H1", "2024-9M"] {
            admin
                .get(&format!("/v1/forms/m/periods/{period}/units/code:T/rollup"))
                .expect_problem(404, "PERIOD_NOT_FOUND");
        }
    }

    fn a_longer_period_has_its_approved_months_in_the_approved_stage(backend) {
        let (_server, _, m) = reporting(backend, "month", &[("x", "sum", "last")]);
        let months = ["2024-01", "2024-02"].map(|month| m.of(month));
        m.submit("A1", "2024-01", json!({"x": 5}));
        m.submit("A1", "2024-02", json!({"x": 7}));
        let quarter = m.of("2024-Q1");
        let both = || [quarter.figure("T", "x"), quarter.approved_figure("T", "x")];
        assert_eq!(both(), ["7 2/15", "null 0/15"]);
        months[0].step("A1", "approve").expect_status(200);
        // The last that is approved.
        assert_eq!(both(), ["7 2/15", "5 1/15"]);
        let completeness = quarter.read("T/rollup")["completeness"].clone();
        assert_eq!(completeness, json!({"expected": 15, "submitted": 2, "approved": 1}));
        months[1].step("A1", "approve").expect_status(200);
        assert_eq!(both(), ["7 2/15", "7 2/15"]);
        m.expect_verified("T", &["2024-Q1"]);
        months[1].step("A1", "reopen").expect_status(200);
        assert_eq!(both(), ["7 2/15", "5 1/15"]);
        months[0].step("A1", "reopen").expect_status(200);
        months[0].step("A1", "withdraw").expect_status(200);
        assert_eq!(both(), ["7 1/15", "null 0/15"]);
        m.expect_verified("T", &["2024"]);
    }

    fn a_series_has_the_total_to_date_and_the_same_period_last_year(backend) {
        let (_server, admin, m) = reporting(backend, "month", &[("x", "sum", "sum")]);
        for (period, number) in [
            ("2023-02", 100), ("2023-05", 200),
            ("2024-01", 1), ("2024-02", 2), ("2024-03", 4), ("2024-05", 8), ("2024-08", 16),
        ] {
            let unit = if number % 3 == 1 { "A1" } else { "A2" };
            m.submit(unit, period, json!({"x": number}));
        }
        for unit in ["A", "T"] {
            let months = series(&admin, unit, "from=2024-01&to=2024-05");
            assert_eq!(months["unit"]["code"], unit);
            assert_eq!(items(&months), [
                "2024-01 1 1 null",
                "2024-02 2 3 100",
                "2024-03 4 7 null",
                "2024-04 null 7 null",
                // In the middle of a quarter.
                "2024-05 8 15 200",
            ]);
            let quarters = series(&admin, unit, "from=2023-Q4&to=2024-Q3");
            assert_eq!(items(&quarters), [
                "2023-Q4 null 300 null",
                "2024-Q1 7 7 100",
                "2024-Q2 8 15 200",
                "2024-Q3 16 31 null",
            ]);
            assert_eq!(items(&series(&admin, unit, "from=2023&to=2024")), [
                "2023 300 300 null",
                "2024 31 31 300",
            ]);
            assert_eq!(items(&series(&admin, unit, "from=2024-9M&to=2024-9M")), ["2024-9M 31 31 300"]);
        }
        let of_hamlet = series(&admin, "A1", "from=2024-02&to=2024-03");
        assert_eq!(items(&of_hamlet), ["2024-02 null 1 100", "2024-03 4 5 null"]);
        let approved = series(&admin, "T", "from=2024-02&to=2024-02&stage=approved");
        assert_eq!(items(&approved), ["2024-02 null null null"]);
        let cumulative = &series(&admin, "T", "from=2024-05&to=2024-05")["items"][0]["cumulative"];
        assert_eq!(cumulative["reported"], 4);
        assert_eq!(cumulative["expected"], 25);
    }

    fn a_series_before_the_form_has_no_year_before(backend) {
        let (_server, admin, m) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .form("m", "month")
            .with("valid_from", "2023-12-15")
            .build();
        m.submit("A1", "2024-02", json!({"x": 3}));
        assert_eq!(items(&series(&admin, "T", "from=2024-02&to=2024-02")), ["2024-02 3 3 -"]);
        assert_eq!(items(&series(&admin, "T", "from=2024-Q1&to=2024-Q1")), ["2024-Q1 3 3 -"]);
    }

    fn a_range_of_a_series_is_of_one_sort_and_in_order(backend) {
        let (_server, admin, _) = reporting(backend, "month", &[("x", "sum", "sum")]);
        for (from, to) in [
            ("2024-03", "2024-01"), ("2024-01", "2024-Q2"), ("2024-Q1", "2024"),
            ("2024-13", "2024-12"), ("x", "y"), ("2000-01", "2024-12"),
        ] {
            let path = format!("/v1/forms/m/units/code:T/series?indicator=x&from={from}&to={to}");
            let faults = admin.get(&path).expect_problem(400, "INVALID_PARAMETER");
            assert_eq!(faults, ["to INVALID_PARAMETER"], "{from} {to}");
        }
        let path = "/v1/forms/m/units/code:T/series?indicator=y&from=2024-01&to=2024-02";
        admin.get(path).expect_problem(422, "UNKNOWN_INDICATOR");
    }

    fn lineage_names_units_months_and_revisions_and_what_is_missing(backend) {
        let (_server, admin, _) = reporting(backend, "month", &[
            ("x", "sum", "sum"), ("t", "transfer", "sum"), ("n", "none", "sum"),
        ]);
        admin.put("/v1/indicators/f", &formula("x / t", 2)).expect_status(201);
        let mut monthly = form(&["x", "t", "n", "f"]);
        monthly["frequency"] = json!("month");
        admin.put("/v1/forms/g", &monthly).expect_status(201);
        let values = |number: i64| ["x", "t", "n"].map(|code| value(code, number));
        Report::of(&admin, "g", "2024-01").submit("A1", &values(3));
        Report::of(&admin, "g", "2024-01").submit("A1", &values(5));
        Report::of(&admin, "g", "2024-03").submit("A", &values(2));
        Report::of(&admin, "g", "2024-03").step("A", "approve").expect_status(200);
        let lineage = |rest: &str| Report::of(&admin, "g", "2024-Q1").read(&format!("A/rollup/lineage?{rest}"));
        let items = |lineage: &Value| -> Vec<String> {
            let items = lineage["items"].as_array().unwrap().iter();
            items.map(|item| {
                let (unit, period) = (item["unit"]["code"].as_str().unwrap(), item["period"]["key"].as_str().unwrap());
                let source = &item["value"];
                match source {
                    Value::Null => format!("{unit} {period}"),
                    source => format!(
                        "{unit} {period} {} r{} {}",
                        source["value"], source["revision"], source["stage"].as_str().unwrap()
                    ),
                }
            }).collect()
        };
        let all = [
            "A 2024-01", "A 2024-02", "A 2024-03 2 r1 approved",
            "A1 2024-01 5 r2 submitted", "A1 2024-02", "A1 2024-03",
            "A2 2024-01", "A2 2024-02", "A2 2024-03",
        ];
        let whole = lineage("indicator=x");
        assert_eq!(shown(&whole["figure"]), "7 2/9");
        assert_eq!(items(&whole), all);
        assert_eq!((&whole["next"], &whole["formula"]), (&Value::Null, &Value::Null));

        let mut paged = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = lineage(&format!("indicator=x&limit=4{cursor}"));
            assert!(page["items"].as_array().unwrap().len() <= 4);
            paged.extend(items(&page));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(paged, all);

        // Of what does not come from below there are only the own values.
        for code in ["t", "n"] {
            assert_eq!(items(&lineage(&format!("indicator={code}"))), all[..3]);
        }
        let approved = lineage("indicator=x&stage=approved");
        assert_eq!(shown(&approved["figure"]), "2 1/9");
        assert_eq!(items(&approved)[2..4], ["A 2024-03 2 r1 approved", "A1 2024-01"]);

        let derived = lineage("indicator=f");
        assert_eq!(derived["formula"], "x / t");
        assert_eq!(derived["items"], json!([]));
        assert_eq!(derived["figure"]["value"].to_string(), "3.5");
        let operands: Vec<String> = derived["operands"]
            .as_array()
            .unwrap()
            .iter()
            .map(|operand| format!("{} {}", operand["indicator"].as_str().unwrap(), operand["value"]))
            .collect();
        // By code.
        assert_eq!(operands, ["t 2", "x 7"]);
        let path = "/v1/forms/g/periods/2024-Q1/units/code:A/rollup/lineage?indicator=";
        for unknown in ["nothing", "x&option=y"] {
            let faults = admin
                .get(&format!("{path}{unknown}"))
                .expect_problem(422, "UNKNOWN_INDICATOR");
            assert_eq!(faults, ["indicator UNKNOWN_INDICATOR"]);
        }
    }

    fn a_target_is_set_from_above_and_shows_how_far_a_unit_came(backend) {
        let (server, admin, m) = reporting(backend, "month", &[("x", "sum", "sum")]);
        server.create_account("test", "above", &["approver@code:A"]);
        server.create_account("test", "own", &["reporter@code:A1", "approver@code:A1"]);
        let (above, own) = (server.sign_in("test", "above"), server.sign_in("test", "own"));
        m.submit("A1", "2024-02", json!({"x": 156_241}));
        let quarter = m.of("2024-Q1");
        let target = |unit: &str| {
            let cell = quarter.cell(unit, "x");
            cell["target"].clone()
        };
        let etag = || {
            let path = "/v1/forms/m/periods/2024-Q1/units/code:A1/rollup";
            admin.get(path).etag().to_owned()
        };
        let path = "/v1/forms/m/periods/2024-Q1/units/code:A1/targets/x";
        let body = |number: Value| json!({"value": number});

        let before = etag();
        assert_eq!(target("A1"), Value::Null);
        own.put(path, &body(json!(160_000))).expect_problem(403, "NOT_ALLOWED");
        above
            .put("/v1/forms/m/periods/2024-Q1/units/code:A/targets/x", &body(json!(1)))
            .expect_problem(403, "NOT_ALLOWED");
        assert_eq!(etag(), before);
        let put = above.put(path, &body(json!(160_000))).expect_status(201);
        assert_eq!(put.json()["value"], 160_000);
        // 97.650625 per cent.
        let show = |target: Value| format!("{} {}", target["value"], target["share"]);
        assert_eq!(show(target("A1")), "160000 97.65");
        assert_eq!(target("A"), Value::Null);
        let set = etag();
        assert_ne!(set, before);

        above.put(path, &body(json!(1))).expect_problem(428, "PRECONDITION_REQUIRED");
        let first = put.etag().to_owned();
        // 156241 / 800000 = 19.530125; / 1000000 = 15.6241; / 312482000 = 0.05; / 124992800 = 0.125.
        let mut last = first.clone();
        for (number, share) in [(800_000, "19.53"), (124_992_800, "0.13"), (0, "null"), (-156_241, "-100")] {
            let changed = above.with("If-Match", &last).put(path, &body(json!(number)));
            last = changed.expect_status(200).etag().to_owned();
            assert_eq!(show(target("A1")), format!("{number} {share}"));
        }
        assert_ne!(etag(), set);
        above.with("If-Match", &first).put(path, &body(json!(1))).expect_problem(412, "PRECONDITION_FAILED");
        above
            .with("If-Match", &last)
            .put(path, &body(json!(1.5)))
            .expect_problem(422, "TOO_MANY_DECIMALS");

        let there = etag();
        let back = above.with("If-Match", &last).put(path, &body(Value::Null)).expect_status(200);
        assert_eq!(back.json()["value"], Value::Null);
        assert_eq!(target("A1"), Value::Null);
        assert_ne!(etag(), there);
        above.with("If-Match", back.etag()).put(path, &body(json!(200_000))).expect_status(200);
        assert_eq!(show(target("A1")), "200000 78.12");
    }

    fn a_target_is_of_one_period_and_of_one_unit(backend) {
        let (_server, admin, m) = reporting(backend, "month", &[("x", "sum", "sum")]);
        let put = |period: &str, unit: &str, number: i64| {
            let path = format!("/v1/forms/m/periods/{period}/units/code:{unit}/targets/x");
            admin.put(&path, &json!({"value": number})).expect_status(201);
        };
        put("2024-02", "A", 10);
        put("2024", "A", 100);
        put("2024", "T", 1000);
        // Without a figure there is no share.
        let target = |period: &str, unit: &str| {
            m.of(period).cell(unit, "x")["target"].to_string()
        };
        assert_eq!(target("2024-02", "A"), r#"{"share":null,"value":10}"#);
        m.submit("A1", "2024-02", json!({"x": 5}));
        assert_eq!(target("2024-02", "A"), r#"{"share":50,"value":10}"#);
        assert_eq!(target("2024", "A"), r#"{"share":5,"value":100}"#);
        assert_eq!(target("2024", "T"), r#"{"share":0.5,"value":1000}"#);
        assert_eq!(target("2024-Q1", "A"), "null");
        assert_eq!(target("2024-03", "A"), "null");
        let children = m.of("2024").read("T/rollup?include=children");
        let first = &children["children"][0];
        assert_eq!(cell(first, "x")["target"]["value"], 100);
        let unknown = "/v1/forms/m/periods/2024/units/code:T/targets/y";
        admin
            .put(unknown, &json!({"value": 1}))
            .expect_problem(422, "UNKNOWN_INDICATOR");
    }

    fn verification_answers_with_both_sides(backend) {
        let (_server, _, m) = reporting(backend, "month", &[("x", "max", "last")]);
        m.submit("A1", "2024-01", json!({"x": 9}));
        m.submit("A2", "2024-02", json!({"x": 4}));
        m.submit("A1", "2024-02", json!({"x": 3}));
        for (unit, period, compared, number) in [
            ("A", "2024-01", 3, json!(9)), ("A", "2024-Q1", 3, json!(4)),
            ("T", "2024", 6, json!(4)), ("B", "2024", 2, Value::Null),
        ] {
            m.expect_verified(unit, &[period]);
            let verified = m.verify(unit, period);
            assert_eq!(verified["compared"], compared);
            for side in ["kept", "folded"] {
                let cells = json!({"cells": verified[side]["submitted"]});
                assert_eq!(cell(&cells, "x")["value"], number, "{unit} {period}");
            }
        }
    }
}
