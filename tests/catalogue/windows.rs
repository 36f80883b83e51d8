//! Windows of a form: campaigns, budget years, one-time requests. Their keys and faults, days and
//! deadlines, and that everything works on them as on other periods.

use chrono::{NaiveDate, TimeDelta};
use serde_json::{Value, json};
use tonghop::service::people::tenant::find_tenant;
use tonghop::service::report::verification::{reported_periods, verify_period};

use crate::harness::report::{Report, Reports, cell, shown, value};
use crate::harness::server::now;
use crate::harness::town::{Town, form, indicator};
use crate::harness::{Backend, Client, Server};

/// The day that it is in Viet Nam.
fn today() -> NaiveDate {
    (now() + TimeDelta::hours(7)).date_naive()
}

/// A form of `x` with windows: key, first day, last day.
fn windowed(windows: &[(&str, &str, &str)]) -> Value {
    let windows = windows.iter();
    let windows: Vec<Value> = windows
        .map(|(key, from, to)| json!({"key": key, "from": from, "to": to}))
        .collect();
    with_windows(json!(windows))
}

fn with_windows(windows: Value) -> Value {
    let mut body = form(&["x"]);
    let fields = body.as_object_mut().unwrap();
    fields.remove("calendar");
    fields.remove("frequency");
    fields.insert("windows".to_owned(), windows);
    body
}

/// The town with the indicator `x` and a form `w` of these windows.
fn reporting(backend: Backend, windows: &[(&str, &str, &str)]) -> (Server, Client, Reports) {
    Town::new(backend)
        .indicators(&[("x", "sum")])
        .own_form("w", windowed(windows))
        .build()
}

/// A window that is open today.
fn open_window(due_at: Value) -> Value {
    let (from, to) = (today() - TimeDelta::days(20), today() + TimeDelta::days(20));
    let key = format!("{}-now", today().format("%Y"));
    json!([{"key": key, "from": from, "to": to, "due_at": due_at}])
}

fn open_report(admin: &Client, form: &str) -> Report {
    Report::of(admin, form, &format!("{}-now", today().format("%Y")))
}

/// The keys and days of the periods that are counted under a year.
fn periods(admin: &Client, year: i32) -> Vec<String> {
    let listed = admin.get(&format!("/v1/forms/w/periods?year={year}"));
    let listed = listed.expect_status(200).json();
    let items = listed["items"].as_array().unwrap().iter();
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    items
        .map(|item| ["key", "from", "to"].map(|name| text(item, name)).join(" "))
        .collect()
}

const TET: (&str, &str, &str) = ("2025-tet", "2025-01-10", "2025-02-20");
const TET_BEFORE: (&str, &str, &str) = ("2024-tet", "2023-12-25", "2024-02-25");
const BUDGET: (&str, &str, &str) = ("2024-ngan-sach", "2024-04-01", "2025-03-31");

on_both_backends! {
    fn a_window_is_reported_and_rolled_up_as_any_period_is(backend) {
        let (server, admin, w) = reporting(backend, &[BUDGET, TET]);
        server.create_account("test", "above", &["approver@code:T"]);
        w.submit("A1", "2025-tet", json!({"x": 3}));
        w.submit("A", "2025-tet", json!({"x": 10}));
        w.submit("B1", "2025-tet", json!({"x": 5}));
        // It overlaps the other, and neither is part of the other.
        w.submit("A1", "2024-ngan-sach", json!({"x": 100}));
        w.submit("A1", "2025-tet", json!({"x": 4}));
        assert_eq!(w.figure("A", "2025-tet", "x"), "14 2/3");
        assert_eq!(w.figure("T", "2025-tet", "x"), "19 3/5");
        assert_eq!(w.figure("A1", "2024-ngan-sach", "x"), "100 1/1");
        assert_eq!(w.figure("T", "2024-ngan-sach", "x"), "100 1/5");

        let report = w.of("2025-tet");
        report.step("B1", "approve").expect_status(200);
        assert_eq!(report.approved_figure("T", "x"), "5 1/5");
        let rollup = report.read("T/rollup?include=children");
        let period = json!({"key": "2025-tet", "from": "2025-01-10", "to": "2025-02-20"});
        assert_eq!(rollup["period"], period);
        assert_eq!(shown(&cell(&rollup["children"][1], "x")), "5 1/2");
        assert_eq!(report.get("A1")["period"], period);
        let completeness = report.read("T/completeness");
        assert_eq!(completeness["period"], period);
        assert_eq!(
            completeness["total"],
            json!({"expected": 5, "submitted": 3, "approved": 1, "returned": 0, "late": 0, "missing": 2, "overdue": 0})
        );

        let lineage = report.read("A/rollup/lineage?indicator=x");
        let sources: Vec<String> = lineage["items"].as_array().unwrap().iter().map(|item| {
            format!("{} {} {}", item["unit"]["code"], item["period"]["key"], item["value"]["value"])
        }).collect();
        assert_eq!(sources, [
            r#""A" "2025-tet" 10"#, r#""A1" "2025-tet" 4"#, r#""A2" "2025-tet" null"#
        ]);
        let target = "/v1/forms/w/periods/2025-tet/units/code:A/targets/x";
        admin.put(target, &json!({"value": 56})).expect_status(201);
        assert_eq!(report.cell("A", "x")["target"], json!({"value": 56, "share": 25}));
        let revisions = admin.get("/v1/forms/w/periods/2025-tet/units/code:A1/submission/revisions");
        assert_eq!(revisions.expect_status(200).json()["items"].as_array().unwrap().len(), 2);

        w.expect_verified("T", &["2025-tet", "2024-ngan-sach"]);
        // The operator's verification finds them too.
        let scope = find_tenant(&server.application.database, "test").unwrap();
        let reported = reported_periods(&server.application, &scope).unwrap();
        let keys: Vec<String> = reported.iter().map(|reported| reported.period.to_string()).collect();
        assert_eq!(keys, ["2024-ngan-sach", "2025-tet"]);
        for period in &reported {
            assert!(verify_period(&server.application, &scope, period).unwrap().is_empty());
        }
        report.step("A", "withdraw").expect_status(200);
        assert_eq!(w.figure("T", "2025-tet", "x"), "9 2/5");
    }

    fn windows_are_listed_under_the_year_of_their_key_in_the_order_of_their_days(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin.add_indicators(&[("x", "sum")]);
        let mut body = with_windows(json!([
            {"key": "2025-tet", "name": {"vi": "Tết Ất Tỵ", "en": "Tet 2025"}, "from": "2025-01-10",
             "to": "2025-02-20", "due_at": "2025-02-21T17:00:00+07:00"},
            {"key": "2024-ngan-sach", "name": {"vi": "Năm ngân sách"}, "from": "2024-04-01", "to": "2025-03-31"},
            {"key": "2025-bao-lu", "from": "2025-01-10", "to": "2025-01-12", "due_at": "2025-01-13"},
            // Its evening in Greenwich is the next day in Viet Nam.
            {"key": "2025-a", "from": "2025-01-05", "to": "2025-06-30", "due_at": "2025-07-04T20:00:00Z"},
        ]));
        body["deadlines"] = json!({"hamlet": 1, "commune": 3});
        let created = admin.put("/v1/forms/w", &body).expect_status(201).json();
        let windows: Vec<&Value> = created["windows"].as_array().unwrap().iter().collect();
        let keys: Vec<&str> = windows.iter().map(|window| window["key"].as_str().unwrap()).collect();
        assert_eq!(keys, ["2024-ngan-sach", "2025-a", "2025-bao-lu", "2025-tet"]);
        assert_eq!(*windows[3], json!({
            "key": "2025-tet", "name": {"vi": "Tết Ất Tỵ", "en": "Tet 2025"}, "from": "2025-01-10",
            "to": "2025-02-20", "due_at": "2025-02-21T17:00:00+07:00"
        }));
        assert_eq!((&created["calendar"], &created["frequency"]), (&Value::Null, &Value::Null));
        assert_eq!(admin.get("/v1/forms/w").json(), created);

        let of_2025 = admin.get("/v1/forms/w/periods?year=2025").expect_status(200).json();
        assert_eq!(of_2025["items"], json!([
            {"key": "2025-a", "name": null, "from": "2025-01-05", "to": "2025-06-30",
             "opens": "2025-01-05", "deadlines": {"hamlet": "2025-07-05", "commune": "2025-07-05"},
             "due_at": "2025-07-04T20:00:00+00:00"},
            {"key": "2025-bao-lu", "name": null, "from": "2025-01-10", "to": "2025-01-12",
             "opens": "2025-01-10", "deadlines": {"hamlet": "2025-01-13", "commune": "2025-01-13"},
             "due_at": "2025-01-13"},
            {"key": "2025-tet", "name": {"vi": "Tết Ất Tỵ", "en": "Tet 2025"}, "from": "2025-01-10",
             "to": "2025-02-20", "opens": "2025-01-10",
             "deadlines": {"hamlet": "2025-02-21", "commune": "2025-02-21"},
             "due_at": "2025-02-21T17:00:00+07:00"},
        ]));
        // Without a due_at the form's working days hold: 2025-03-31 is a Monday.
        let of_2024 = admin.get("/v1/forms/w/periods?year=2024").expect_status(200).json();
        assert_eq!(of_2024["items"], json!([
            {"key": "2024-ngan-sach", "name": {"vi": "Năm ngân sách", "en": null}, "from": "2024-04-01",
             "to": "2025-03-31", "opens": "2024-04-01",
             "deadlines": {"hamlet": "2025-04-01", "commune": "2025-04-03"}, "due_at": null},
        ]));
        assert_eq!(periods(&admin, 2023), [""; 0]);
        // What was read can be put again.
        let mut again = created.clone();
        again.as_object_mut().unwrap().remove("code");
        assert_eq!(admin.replace("/v1/forms/w", &again).expect_status(200).json(), created);
    }

    fn every_fault_of_windows_is_told_at_its_place(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin.add_indicators(&[("x", "sum")]);
        let mut wrong = with_windows(json!([
            {"key": "tet", "from": "2025-01-01", "to": "2025-01-31"},
            {"key": "2025-q4", "from": "2025-01-01", "to": "2025-01-31"},
            {"key": "2025-12", "from": "2025-01-01", "to": "2025-01-31"},
            {"key": "2025-twice", "from": "2025-01-01", "to": "2025-01-31"},
            {"key": "2025-twice", "from": "2025-03-01", "to": "2025-03-31"},
            {"key": "2025-backwards", "from": "2025-02-01", "to": "2025-01-31"},
            {"key": "2024-other-year", "from": "2025-01-01", "to": "2025-01-31"},
            {"key": "2026-other-year", "from": "2024-01-01", "to": "2025-12-31"},
            {"key": "2024-before", "from": "2024-01-01", "to": "2024-12-14"},
            {"key": "2024-on-the-day", "from": "2024-01-01", "to": "2024-12-15"},
            {"key": "2025-due", "from": "2025-01-02", "to": "2025-01-31", "due_at": "2025-01-01"},
            // Already the day after in Viet Nam.
            {"key": "2025-due-in-time", "from": "2025-01-02", "to": "2025-01-31", "due_at": "2025-01-01T17:00:00Z"},
            {"key": "2025-named", "name": {"vi": "", "en": "a\u{0}"}, "from": "2025-01-01", "to": "2025-01-31"},
            {"key": "2199-far", "from": "1900-01-01", "to": "2199-12-31"},
            {"key": "2200-too-far", "from": "2199-01-01", "to": "2199-12-31"},
        ]));
        wrong["valid_from"] = json!("2024-12-15");
        wrong["calendar"] = json!("civil");
        let faults = admin.put("/v1/forms/w", &wrong).expect_problem(422, "INVALID_FORM");
        assert_eq!(faults, [
            "/windows INVALID_VALUE",
            "/windows/0/key INVALID_CODE",
            "/windows/1/key INVALID_CODE",
            "/windows/10/due_at INVALID_VALUE",
            "/windows/12/name/en INVALID_TEXT",
            "/windows/12/name/vi INVALID_TEXT",
            "/windows/14/key INVALID_CODE",
            "/windows/2/key INVALID_CODE",
            "/windows/4/key DUPLICATE",
            "/windows/5/to INVALID_VALUE",
            "/windows/6/key INVALID_VALUE",
            "/windows/7/key INVALID_VALUE",
            "/windows/8/to INVALID_VALUE",
        ]);
        admin.get("/v1/forms/w").expect_problem(404, "FORM_NOT_FOUND");

        let without = |fields: &[&str]| {
            let mut body = form(&["x"]);
            for field in fields {
                body.as_object_mut().unwrap().remove(*field);
            }
            admin.put("/v1/forms/w", &body).expect_problem(422, "INVALID_FORM")
        };
        assert_eq!(without(&["calendar", "frequency"]), ["/calendar MISSING_FIELD", "/frequency MISSING_FIELD"]);
        assert_eq!(without(&["frequency"]), ["/frequency MISSING_FIELD"]);
        let mut both = form(&["x"]);
        both["windows"] = json!([]);
        let faults = admin.put("/v1/forms/w", &both).expect_problem(422, "INVALID_FORM");
        assert_eq!(faults, ["/windows INVALID_VALUE"]);

        for due_at in ["", "2025-02-30", "2025-02-10T17:00:00", "17:00"] {
            let window = json!([{"key": "2025-a", "from": "2025-01-01", "to": "2025-01-31", "due_at": due_at}]);
            let refused = admin.put("/v1/forms/w", &with_windows(window));
            let faults = refused.expect_problem(422, "INVALID_FORM");
            assert_eq!(faults, ["/windows/0/due_at INVALID_VALUE"], "{due_at}");
        }
    }

    fn a_form_has_the_periods_of_a_calendar_or_its_own_windows(backend) {
        let (_server, admin, _) = reporting(backend, &[TET]);
        admin.put("/v1/forms/m", &form(&["x"])).expect_status(201);
        for (form, period) in [
            ("w", "2025"), ("w", "2025-Q1"), ("w", "2025-01"), ("w", "2025-W05"), ("w", "2024-tet"),
            ("w", "2025-te"), ("w", "2025-Tet"), ("w", "2025-tet2"), ("m", "2025-tet"),
        ] {
            for rest in ["rollup", "submission", "completeness"] {
                let path = format!("/v1/forms/{form}/periods/{period}/units/code:A/{rest}");
                admin.get(&path).expect_problem(404, "PERIOD_NOT_FOUND");
            }
        }
        // Windows may come later: a request that nobody has thought of yet.
        admin.put("/v1/forms/empty", &windowed(&[])).expect_status(201);
        let listed = admin.get("/v1/forms/empty/periods?year=2025").expect_status(200).json();
        assert_eq!(listed["items"], json!([]));
    }

    fn a_window_in_use_keeps_its_days_and_its_place(backend) {
        let (_server, admin, w) = reporting(backend, &[TET_BEFORE, TET]);
        w.submit("A1", "2025-tet", json!({"x": 3}));
        let put = |windows: &[(&str, &str, &str)]| admin.replace("/v1/forms/w", &windowed(windows));
        for windows in [
            &[TET_BEFORE][..],
            &[("2025-tet", "2025-01-11", "2025-02-20")],
            &[("2025-tet", "2025-01-10", "2025-02-21")],
        ] {
            let refused = put(windows);
            assert!(refused.text.contains("2025-tet"), "{}", refused.text);
            refused.expect_problem(409, "FIXED_ONCE_USED");
        }
        admin.replace("/v1/forms/w", &form(&["x"])).expect_problem(409, "FIXED_ONCE_USED");
        // A version that would be in force on its last day has to list it, with its days.
        let mut later = windowed(&[("2025-he", "2025-06-01", "2025-08-31")]);
        later["valid_from"] = json!("2025-02-20");
        admin.replace("/v1/forms/w", &later).expect_problem(409, "FIXED_ONCE_USED");
        let mut again = windowed(&[TET, ("2025-he", "2025-06-01", "2025-08-31")]);
        again["valid_from"] = json!("2025-02-20");
        admin.replace("/v1/forms/w", &again).expect_status(200);
        assert_eq!(w.figure("T", "2025-tet", "x"), "3 1/5");
    }

    fn a_window_for_which_a_report_was_sent_keeps_its_days_too(backend) {
        let (_server, admin, _) = reporting(backend, &[TET_BEFORE, TET]);
        // Nobody submitted, and the commune sent its report up nevertheless.
        let accept = ["A", "A1", "A2"].map(|unit| json!({"unit": format!("code:{unit}"), "reason": "Không có"}));
        let releases = "/v1/forms/w/periods/2025-tet/units/code:A/releases";
        let sent = admin.post_json(releases, &json!({"accept": accept})).expect_status(201).json();
        for windows in [&[TET_BEFORE][..], &[("2025-tet", "2025-01-11", "2025-02-20")]] {
            let refused = admin.replace("/v1/forms/w", &windowed(windows));
            refused.expect_problem(409, "FIXED_ONCE_USED");
        }
        admin.replace("/v1/forms/w", &windowed(&[TET])).expect_status(200);
        admin.get(&format!("{releases}/1")).expect_status(200);
        admin.get(&format!("/v1/receipts/{}", sent["receipt"].as_str().unwrap())).expect_status(200);
    }

    fn a_window_that_nobody_uses_may_go_and_one_in_use_may_be_named_and_due_anew(backend) {
        let (_server, admin, w) = reporting(backend, &[TET_BEFORE, TET]);
        w.submit("A1", "2025-tet", json!({"x": 3}));
        let renamed = with_windows(json!([
            {"key": "2025-tet", "name": {"vi": "Tết"}, "from": "2025-01-10", "to": "2025-02-20", "due_at": "2025-03-01"},
            {"key": "2025-he", "from": "2025-06-01", "to": "2025-08-31"},
        ]));
        admin.replace("/v1/forms/w", &renamed).expect_status(200);
        assert_eq!(periods(&admin, 2024), [""; 0]);
        assert_eq!(periods(&admin, 2025), ["2025-tet 2025-01-10 2025-02-20", "2025-he 2025-06-01 2025-08-31"]);
        assert_eq!(w.figure("T", "2025-tet", "x"), "3 1/5");
        assert_eq!(w.of("2025-tet").read("A1/completeness")["own"]["deadline"], "2025-03-01");
        // A draft is in use as well.
        w.of("2025-he").put("B1", &json!({"values": []})).expect_status(201);
        admin.replace("/v1/forms/w", &windowed(&[TET])).expect_problem(409, "FIXED_ONCE_USED");
    }

    fn a_window_takes_the_version_and_the_tree_of_its_last_day(backend) {
        let (_server, admin, w) = reporting(backend, &[TET_BEFORE, BUDGET, TET]);
        admin.put("/v1/indicators/y", &indicator("sum")).expect_status(201);
        let mut later = with_windows(json!([
            {"key": "2024-ngan-sach", "from": "2024-04-01", "to": "2025-03-31"},
            {"key": "2025-he", "from": "2025-02-01", "to": "2025-08-31"},
        ]));
        later["outline"][0]["items"] = json!([{"indicator": "x"}, {"indicator": "y"}]);
        later["valid_from"] = json!("2025-02-21");
        admin.replace("/v1/forms/w", &later).expect_status(200);
        let cells = |period: &str| {
            let rollup = w.of(period).read("T/rollup");
            rollup["cells"].as_array().unwrap().len()
        };
        assert_eq!(cells("2024-tet"), 1);
        assert_eq!(cells("2025-tet"), 1);
        assert_eq!(cells("2024-ngan-sach"), 2);
        assert_eq!(cells("2025-he"), 2);
        assert_eq!(periods(&admin, 2024), ["2024-tet 2023-12-25 2024-02-25", "2024-ngan-sach 2024-04-01 2025-03-31"]);
        assert_eq!(periods(&admin, 2025), ["2025-tet 2025-01-10 2025-02-20", "2025-he 2025-02-01 2025-08-31"]);

        let new = json!({"code": "A3", "name": "Ấp Mới", "level": "hamlet", "parent": "code:A", "valid_from": "2025-02-21"});
        admin.post_json("/v1/units", &new).expect_status(201);
        assert_eq!(w.figure("A", "2025-tet", "x"), "null 0/3");
        assert_eq!(w.figure("A", "2025-he", "x"), "null 0/4");

        // A form can go from a calendar to windows and back, with its versions.
        let mut yearly = form(&["x"]);
        yearly["valid_from"] = json!("2025-10-01");
        admin.replace("/v1/forms/w", &yearly).expect_status(200);
        assert_eq!(periods(&admin, 2025), [
            "2025 2024-12-15 2025-12-14", "2025-tet 2025-01-10 2025-02-20", "2025-he 2025-02-01 2025-08-31",
        ]);
        w.submit("A1", "2025-tet", json!({"x": 3}));
        w.submit("A1", "2025", json!({"x": 5}));
        assert_eq!((w.figure("A", "2025-tet", "x"), w.figure("A", "2025", "x")), ("3 1/3".into(), "5 1/4".into()));
    }

    fn a_window_outlived_by_another_version_is_no_period(backend) {
        let (_server, admin, _) = reporting(backend, &[TET_BEFORE, TET]);
        let mut later = windowed(&[("2025-he", "2025-06-01", "2025-08-31")]);
        later["valid_from"] = json!("2025-02-20");
        admin.replace("/v1/forms/w", &later).expect_status(200);
        assert_eq!(periods(&admin, 2025), ["2025-he 2025-06-01 2025-08-31"]);
        admin
            .get("/v1/forms/w/periods/2025-tet/units/code:T/rollup")
            .expect_problem(404, "PERIOD_NOT_FOUND");
        // Its last day moved out of the way, it is there again.
        later["windows"] = json!([{"key": "2025-tet", "from": "2025-03-01", "to": "2025-03-31"}]);
        admin.replace("/v1/forms/w", &later).expect_status(200);
        assert_eq!(periods(&admin, 2025), ["2025-tet 2025-03-01 2025-03-31"]);
    }

    fn a_series_goes_over_windows_by_their_days_and_compares_those_of_one_name(backend) {
        let he = ("2024-he", "2024-06-01", "2024-08-31");
        let (_server, admin, w) = reporting(backend, &[TET, he, TET_BEFORE, BUDGET]);
        for (period, unit, number) in [
            ("2024-tet", "A1", 1), ("2024-tet", "A2", 2), ("2024-he", "B1", 4),
            ("2024-ngan-sach", "A", 8), ("2025-tet", "A1", 16),
        ] {
            w.submit(unit, period, json!({"x": number}));
        }
        let series = |from: &str, to: &str| {
            let path = format!("/v1/forms/w/units/code:T/series?indicator=x&from={from}&to={to}");
            admin.get(&path)
        };
        let items = |from: &str, to: &str| -> Vec<String> {
            let series = series(from, to).expect_status(200).json();
            let items = series["items"].as_array().unwrap().iter();
            items.map(|item| {
                // Windows overlap, so there is no sum of those of a year.
                assert_eq!(item["cumulative"], Value::Null);
                let before = match &item["same_period_last_year"] {
                    Value::Null => "-".to_owned(),
                    before => before["value"].to_string(),
                };
                format!("{} {} {before}", item["period"]["key"].as_str().unwrap(), item["figure"]["value"])
            }).collect()
        };
        assert_eq!(items("2024-tet", "2025-tet"), [
            "2024-tet 3 -", "2024-ngan-sach 8 -", "2024-he 4 -", "2025-tet 16 3",
        ]);
        assert_eq!(items("2024-ngan-sach", "2024-he"), ["2024-ngan-sach 8 -", "2024-he 4 -"]);
        assert_eq!(items("2025-tet", "2025-tet"), ["2025-tet 16 3"]);
        for (from, to) in [
            ("2025-tet", "2024-tet"), ("2024-he", "2024-ngan-sach"), ("2024-tet", "2024-nothing"),
            ("2024-nothing", "2025-tet"), ("2024-01", "2025-tet"), ("2024-tet", "2025"),
        ] {
            let faults = series(from, to).expect_problem(400, "INVALID_PARAMETER");
            assert_eq!(faults, ["to INVALID_PARAMETER"], "{from} {to}");
        }
        series("2024-01", "2024-03").expect_problem(404, "PERIOD_NOT_FOUND");
        admin
            .get("/v1/forms/v/units/code:T/series?indicator=x&from=2024-tet&to=2025-tet")
            .expect_problem(404, "FORM_NOT_FOUND");
    }

    fn what_is_due_is_late_from_the_next_day_on_and_refused_from_the_instant_on(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin.add_indicators(&[("x", "sum")]);
        let (today, yesterday) = (today(), today() - TimeDelta::days(1));
        let tomorrow = today + TimeDelta::days(1);
        // What is due, whether a form that refuses takes nothing more, and whether today is late.
        let cases = [
            (json!(yesterday), true, true),
            (json!(today), false, false),
            // The first instant of today in Viet Nam, written in two ways, and the last of yesterday.
            (json!(format!("{today}T00:00:00+07:00")), true, false),
            (json!(format!("{yesterday}T17:00:00Z")), true, false),
            (json!(format!("{yesterday}T23:59:59.999+07:00")), true, true),
            (json!(format!("{tomorrow}T00:00:00+07:00")), false, false),
            (Value::Null, false, false),
        ];
        for (number, (due_at, is_over, is_late)) in cases.into_iter().enumerate() {
            let mut body = with_windows(open_window(due_at.clone()));
            let accepting = format!("accepting{number}");
            admin.put(&format!("/v1/forms/{accepting}"), &body).expect_status(201);
            let report = open_report(&admin, &accepting);
            report.submit("A1", &[value("x", 1)]);
            // What was sent and what was not are late by the same clock: by days.
            let (late, overdue) = (u64::from(is_late), 2 * u64::from(is_late));
            assert_eq!(
                report.read("A/completeness")["total"],
                json!({"expected": 3, "submitted": 1, "approved": 0, "returned": 0, "late": late, "missing": 2, "overdue": overdue}),
                "{due_at}"
            );

            body["late"] = json!("refuse");
            let refusing = format!("refusing{number}");
            admin.put(&format!("/v1/forms/{refusing}"), &body).expect_status(201);
            let report = open_report(&admin, &refusing);
            let answer = report.try_submit("A1", &[value("x", 1)]);
            if is_over {
                answer.expect_problem(422, "PERIOD_CLOSED");
            } else {
                answer.expect_status(201);
            }
            // Who does not submit at all is told so, whenever it is due.
            report
                .try_submit("T", &[value("x", 1)])
                .expect_problem(422, "UNIT_DOES_NOT_SUBMIT");
        }
        let refused = open_report(&admin, "refusing3").try_submit("A1", &[value("x", 1)]);
        let told = format!("00:00 ngày {}", today.format("%d/%m/%Y"));
        assert!(refused.text.contains(&told), "{}", refused.text);
    }

    fn without_a_due_at_the_form_s_deadlines_hold(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin.add_indicators(&[("x", "sum")]);
        let mut body = with_windows(json!([
            {"key": "2025-tet", "from": "2025-01-10", "to": "2025-02-20"},
            {"key": "2025-he", "from": "2025-06-01", "to": "2025-08-31", "due_at": "2025-12-31"},
        ]));
        // 2025-02-20 is a Thursday.
        body["deadlines"] = json!({"hamlet": 2});
        body["late"] = json!("refuse");
        admin.put("/v1/forms/w", &body).expect_status(201);
        let tet = Report::of(&admin, "w", "2025-tet");
        assert_eq!(tet.read("A1/completeness")["own"]["deadline"], "2025-02-24");
        assert_eq!(tet.read("A/completeness")["own"]["deadline"], Value::Null);
        tet.try_submit("A1", &[value("x", 1)]).expect_problem(422, "PERIOD_CLOSED");
        tet.submit("A", &[value("x", 1)]);
        let he = Report::of(&admin, "w", "2025-he").read("A/completeness");
        assert_eq!(he["own"]["deadline"], "2025-12-31");
        assert_eq!(he["children"][0]["own"]["deadline"], "2025-12-31");
    }

    fn a_window_takes_submissions_from_its_first_day_on(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin.add_indicators(&[("x", "sum")]);
        let (from, to) = (today() + TimeDelta::days(1), today() + TimeDelta::days(9));
        let key = format!("{}-next", from.format("%Y"));
        let body = with_windows(json!([{"key": key, "from": from, "to": to}]));
        admin.put("/v1/forms/w", &body).expect_status(201);
        Report::of(&admin, "w", &key)
            .try_submit("A1", &[value("x", 1)])
            .expect_problem(422, "PERIOD_NOT_OPEN");
    }
}
