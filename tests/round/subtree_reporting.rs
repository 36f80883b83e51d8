//! A unit reports for all units below it: who is expected then, what counts, and what is refused.

use serde_json::{Value, json};

use super::tasks::{key, short, window, windowed};
use crate::harness::decree::decree;
use crate::harness::report::{Reports, value};
use crate::harness::town::{Town, form};
use crate::harness::{Backend, Client, Server};

/// The town with a monthly form `m` of `x`, which hamlets submit.
fn hamlets_submit(backend: Backend) -> (Server, Client, Reports) {
    Town::new(backend)
        .indicators(&[("x", "sum")])
        .form("m", "month")
        .with("calendar", "civil")
        .with("submitted_by", json!(["hamlet"]))
        .build()
}

fn path(unit: &str) -> String {
    format!("/v1/forms/m/units/code:{unit}/subtree-reporting")
}

/// Lets a unit report for all below it from one period to another.
#[track_caller]
fn arrange(client: &Client, unit: &str, from: &str, to: Option<&str>) -> Value {
    let body = json!({"from": from, "to": to});
    let answer = client.put(&path(unit), &body);
    answer.expect_status(201).json()
}

/// `expected submitted missing` of a unit and everything below it.
#[track_caller]
fn progress(reports: &Reports, unit: &str, period: &str) -> String {
    let total = reports.completeness(unit, period)["total"].clone();
    let counts = ["expected", "submitted", "missing"].map(|field| total[field].to_string());
    counts.join(" ")
}

/// The sentence of a refusal, in English.
fn said(answer: &crate::harness::client::Answer) -> String {
    answer.json()["detail"].as_str().unwrap().to_owned()
}

on_both_backends! {
    fn a_unit_reports_for_all_units_below_it(backend) {
        let (_server, admin, reports) = hamlets_submit(backend);
        // Five months of three hamlets, then seven of the commune A and the hamlet B1.
        arrange(&admin, "A", "2025-06", Some("2025-12"));
        assert_eq!(progress(&reports, "T", "2025-05"), "3 0 3");
        assert_eq!(progress(&reports, "T", "2025-06"), "2 0 2");
        assert_eq!(progress(&reports, "A", "2025-06"), "1 0 1");
        assert_eq!(progress(&reports, "A1", "2025-06"), "0 0 0");
        assert_eq!(progress(&reports, "T", "2026-01"), "3 0 3");
        assert_eq!(progress(&reports, "T", "2025"), "29 0 29");
        let own = reports.completeness("A", "2025-06")["own"].clone();
        assert_eq!(own["expected"], true);

        // A hamlet is told who reports for it, and who can change that; drafts are refused too.
        let june = reports.of("2025-06");
        let draft = json!({"values": [value("x", 1)]});
        for body in [json!({"values": [value("x", 1)], "submit": true}), draft] {
            june.put("A1", &body).expect_problem(409, "COVERED_BY_UNIT");
        }
        let english = reports.by(&admin.with("Accept-Language", "en")).of("2025-06");
        assert_eq!(said(&english.try_submit("A1", &[value("x", 1)])),
            "Xã A (A) reports for all units below it, so this unit sends nothing for the period. Send your figures \
             to Xã A (A); somebody with the role approver (approver) on a unit above Xã A (A) can change that.");
        let vietnamese = said(&june.try_submit("A1", &[value("x", 1)]));
        assert!(vietnamese.starts_with("Xã A (A) báo cáo gộp cho mọi đơn vị cấp dưới"), "{vietnamese}");
        assert!(vietnamese.contains("người có vai trò"), "{vietnamese}");

        // The commune, whose level does not submit the form, enters what its hamlets are asked for.
        let sent = june.submit("A", &[value("x", 7)]);
        assert_eq!(sent["speaks_for"], "subtree");
        assert_eq!(june.submit("B1", &[value("x", 5)])["speaks_for"], "unit");
        let may = reports.of("2025-05").try_submit("A", &[value("x", 7)]);
        may.expect_problem(422, "UNIT_DOES_NOT_SUBMIT");
        assert_eq!(june.figure("T", "x"), "12 2/2");
        assert_eq!(june.figure("A", "x"), "7 1/1");
        assert_eq!(june.figure("A1", "x"), "null 0/0");
        assert_eq!(reports.figure("T", "2025", "x"), "12 2/29");
        assert_eq!(progress(&reports, "T", "2025-06"), "2 2 0");
        assert_eq!(progress(&reports, "T", "2025"), "29 2 27");
        reports.expect_verified("T", &["2025-06", "2025-Q2", "2025"]);
        let listed = june.read("T/completeness?of=level:commune&status=expected");
        let listed: Vec<&str> = listed["items"].as_array().unwrap().iter()
            .map(|item| item["unit"]["code"].as_str().unwrap()).collect();
        assert_eq!(listed, ["A", "B"]);
        let sources = june.read("T/rollup/lineage?indicator=x");
        let sources: Vec<String> = sources["items"].as_array().unwrap().iter()
            .map(|item| format!("{} {}", item["unit"]["code"].as_str().unwrap(), item["value"]["value"])).collect();
        assert_eq!(sources, ["A 7", "B1 5"]);
        let status = june.read("A1/completeness")["own"].clone();
        assert_eq!((&status["expected"], &status["status"]), (&json!(false), &Value::Null));
    }

    fn the_unit_enters_what_it_and_the_units_below_it_are_asked_for(backend) {
        let mut body = form(&["x"]);
        body["outline"][0]["items"] = json!([
            {"indicator": "x"},
            {"indicator": "y", "collected_at": ["hamlet"], "required": true},
            {"indicator": "z", "collected_at": ["commune"], "required": true},
        ]);
        body["deadlines"] = json!({"hamlet": 1});
        let (_server, admin, reports) = Town::new(backend)
            .indicators(&[("x", "sum"), ("y", "none"), ("z", "max")])
            .own_form("m", body)
            .with("frequency", "month")
            .with("calendar", "civil")
            .build();
        let june = reports.of("2025-06");
        let all = [value("x", 3), value("y", 2), value("z", 1)];
        let refused = june.try_submit("A", &all).expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(refused, ["/values/1/indicator NOT_COLLECTED_HERE"]);
        arrange(&admin, "A", "2025-06", None);
        let refused = june.try_submit("A", &all[..1]).expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(refused, ["/values REQUIRED_MISSING", "/values REQUIRED_MISSING"]);
        june.submit("A", &all);
        // Of `y` each unit has its own only; of `z` A, and the commune B.
        assert_eq!((june.figure("A", "x"), june.figure("T", "x")), ("3 1/1".to_owned(), "3 1/3".to_owned()));
        assert_eq!((june.figure("A", "y"), june.figure("A1", "y")), ("2 1/1".to_owned(), "null 0/0".to_owned()));
        assert_eq!(june.figure("T", "z"), "1 1/2");
        // Communes have no deadline of their own: that of the hamlets, Tuesday 1 July.
        let own = june.read("A/completeness")["own"].clone();
        assert_eq!(own["deadline"], "2025-07-01");
        assert_eq!(june.read("B/completeness")["own"]["deadline"], Value::Null);
    }

    fn nothing_that_counts_changes_its_meaning(backend) {
        let (_server, admin, reports) = hamlets_submit(backend);
        let english = admin.with("Accept-Language", "en");
        let may = |from: &str, to: Option<&str>| {
            let body = json!({"from": from, "to": to});
            match admin.get(&path("A")).status {
                404 => english.put(&path("A"), &body),
                _ => english.replace(&path("A"), &body),
            }
        };
        for unit in ["A1", "A2"] {
            reports.submit(unit, "2025-06", json!({"x": 1}));
        }
        let refused = may("2025", None);
        assert_eq!(said(&refused), "Nothing was changed: for month 6 of 2025 (2025-06) 2 reports count already, those of \
            Ấp Hai (A2), Ấp Một (A1) among them. Return or withdraw what counts, or begin with a later period.");
        refused.expect_problem(409, "ALREADY_REPORTED");
        admin.get(&path("A")).expect_problem(404, "SUBTREE_REPORTING_NOT_FOUND");
        // A draft counts nowhere, and cannot be sent any more.
        let july = reports.of("2025-07");
        july.put("A1", &json!({"values": [value("x", 1)]})).expect_status(201);
        may("2025-07", None).expect_status(201);
        july.step("A1", "submit").expect_problem(409, "COVERED_BY_UNIT");
        july.submit("A", &[value("x", 9)]);

        // What covers July cannot be taken from it as long as the report for all counts.
        for (from, to) in [("2025-08", None), ("2025-01", Some("2025-05"))] {
            let refused = may(from, to);
            if from == "2025-08" {
                assert_eq!(said(&refused), "Nothing was changed: for month 7 of 2025 (2025-07) the report of Xã A (A) for \
                    all units below it counts. Return or withdraw it first, or leave the period among those for which \
                    it reports.");
                refused.expect_problem(409, "ALREADY_REPORTED");
            } else {
                // It overlaps nothing, so the other stays.
                refused.expect_status(200);
            }
        }
        let ranges = admin.get(&path("A")).json()["ranges"].clone();
        let ranges: Vec<String> = ranges.as_array().unwrap().iter()
            .map(|range| format!("{} {} {} {}", range["from"], range["to"], range["first_day"], range["last_day"])).collect();
        assert_eq!(ranges, [
            r#""2025-01" "2025-05" "2025-01-01" "2025-05-31""#, r#""2025-07" null "2025-07-01" null"#,
        ]);
        // Only what nothing builds on is taken back.
        admin.send("DELETE", &path("A"), None, b"").expect_status(204);
        assert_eq!(admin.get(&path("A")).json()["ranges"].as_array().unwrap().len(), 1);
        admin.send("DELETE", &path("A"), None, b"").expect_problem(409, "ALREADY_REPORTED");
        may("2025-07", Some("2025-07")).expect_status(200);
        july.step("A", "withdraw").expect_status(200);
        admin.send("DELETE", &path("A"), None, b"").expect_status(204);
        admin.send("DELETE", &path("A"), None, b"").expect_problem(404, "SUBTREE_REPORTING_NOT_FOUND");
        july.step("A1", "submit").expect_status(200);
        assert_eq!(july.figure("T", "x"), "1 1/3");
        reports.expect_verified("T", &["2025-06", "2025-07", "2025"]);
    }

    fn a_condition_and_a_wrong_period_are_told(backend) {
        let (_server, admin, _) = hamlets_submit(backend);
        let body = |from: &str, to: &str| json!({"from": from, "to": to});
        let faults = admin.put(&path("A"), &body("2025-13", "2025-W01"));
        assert_eq!(faults.expect_problem(422, "INVALID_SUBTREE_REPORTING"), ["/from INVALID_VALUE", "/to INVALID_VALUE"]);
        let faults = admin.put(&path("A"), &body("2025-06", "2025-05"));
        assert_eq!(faults.expect_problem(422, "INVALID_SUBTREE_REPORTING"), ["/to INVALID_VALUE"]);
        let made = admin.put(&path("A"), &body("2025", "2025-H2")).expect_status(201);
        let read = admin.get(made.header("location").unwrap()).expect_status(200);
        assert_eq!((read.json(), read.etag()), (made.json(), made.etag()));
        assert_eq!(read.json()["ranges"][0]["by"]["login"], "admin");
        admin.put(&path("A"), &body("2025", "2026")).expect_problem(428, "PRECONDITION_REQUIRED");
        admin.create(&path("A"), &body("2025", "2026")).expect_problem(412, "PRECONDITION_FAILED");
        let seen = admin.with("If-Match", made.etag());
        seen.put(&path("A"), &body("2025", "2026")).expect_status(200);
        seen.put(&path("A"), &body("2025", "2027")).expect_problem(412, "PRECONDITION_FAILED");
        // What was changed since it was read is not taken back unseen.
        seen.send("DELETE", &path("A"), None, b"").expect_problem(412, "PRECONDITION_FAILED");
        let current = admin.get(&path("A")).expect_status(200).etag().to_owned();
        admin.with("If-Match", &current).send("DELETE", &path("A"), None, b"").expect_status(204);
        admin.with("If-Match", &current).send("DELETE", &path("A"), None, b"").expect_problem(404, "SUBTREE_REPORTING_NOT_FOUND");
    }

    fn one_reports_for_all_or_the_other(backend) {
        let (_server, admin, reports) = hamlets_submit(backend);
        let english = admin.with("Accept-Language", "en");
        arrange(&admin, "A", "2025-06", Some("2025-08"));
        let refused = english.put(&path("T"), &json!({"from": "2025-08", "to": "2025-09"}));
        assert!(said(&refused).starts_with("Xã A (A) is below this unit and reports for all"), "{}", refused.text);
        refused.expect_problem(409, "UNIT_BELOW_COVERS");
        arrange(&admin, "T", "2025-09", None);
        let refused = english.replace(&path("A"), &json!({"from": "2025-06", "to": null}));
        assert!(said(&refused).starts_with("Thị xã (T) reports for all"), "{}", refused.text);
        refused.expect_problem(409, "COVERED_BY_UNIT");
        assert_eq!(progress(&reports, "T", "2025-08"), "2 0 2");
        assert_eq!(progress(&reports, "T", "2025-09"), "1 0 1");
        // A quarter of which only some months are covered.
        assert_eq!(progress(&reports, "T", "2025-Q3"), "5 0 5");
    }

    fn whoever_approves_for_the_unit_arranges_it(backend) {
        let (server, admin, _) = hamlets_submit(backend);
        let body = json!({"from": "2025-06"});
        let somebody = |login: &str, grants: &[&str]| {
            server.create_account("test", login, grants);
            server.sign_in("test", login)
        };
        for (login, grant) in [("own", "approver@code:A"), ("beside", "approver@code:B"), ("clerk", "reporter@code:T"),
            ("manager", "unit_admin@code:T")] {
            let refused = somebody(login, &[grant]);
            refused.put(&path("A"), &body).expect_problem(403, "NOT_ALLOWED");
            refused.send("DELETE", &path("A"), None, b"").expect_problem(403, "NOT_ALLOWED");
        }
        let approver = somebody("above", &["approver@code:T"]);
        approver.put(&path("A"), &body).expect_status(201);
        approver.put(&path("T"), &body).expect_problem(409, "UNIT_BELOW_COVERS");
        let hamlet = somebody("hamlet", &["reporter@code:A1"]);
        hamlet.get(&path("A")).expect_problem(403, "NOT_ALLOWED");
        let commune = somebody("commune", &["reporter@code:A"]);
        commune.get(&path("A")).expect_status(200);
        // What each may submit today.
        let may = |client: &Client| client.get("/v1/me").json()["may_submit"].clone();
        assert_eq!(may(&hamlet), json!([]));
        assert_eq!(may(&commune)[0]["levels"], json!(["commune"]));
        let both = somebody("both", &["reporter@code:T"]);
        assert_eq!(may(&both)[0]["levels"], json!(["hamlet", "commune"]));

        approver.send("DELETE", &path("A"), None, b"").expect_status(204);
        let told = admin.get("/v1/changes?limit=1000").json()["items"].clone();
        let told: Vec<String> = told.as_array().unwrap().iter()
            .filter(|item| item["kind"].as_str().unwrap().starts_with("subtree"))
            .map(|item| [&item["kind"], &item["by"]["account"]["login"], &item["form"], &item["period"]["key"], &item["unit"]["code"]]
                .map(|text| text.as_str().unwrap()).join(" ")).collect();
        assert_eq!(told, ["subtree_reporting.arranged above m 2025-06 A", "subtree_reporting.withdrawn above m 2025-06 A"]);
    }

    fn a_unit_that_moves_out_is_expected_again(backend) {
        let (_server, admin, reports) = hamlets_submit(backend);
        arrange(&admin, "A", "2025-06", Some("2025-12"));
        reports.submit("A", "2025-07", json!({"x": 7}));
        reports.submit("A", "2025-11", json!({"x": 9}));
        let steps = json!([{"op": "move", "unit": "code:A2", "parent": "code:B"}]);
        admin.carry_out(&decree("2025-10-01", &steps));
        // Until September A for both; from October on A for A1, and A2 for itself.
        for (period, of_t, of_a, of_b) in [
            ("2025-05", "3 0 3", "2 0 2", "1 0 1"),
            ("2025-07", "2 1 1", "1 1 0", "1 0 1"),
            ("2025-10", "3 0 3", "1 0 1", "2 0 2"),
            ("2025-11", "3 1 2", "1 1 0", "2 0 2"),
            ("2025", "32 2 30", "12 2 10", "20 0 20"),
        ] {
            let told = ["T", "A", "B"].map(|unit| progress(&reports, unit, period));
            assert_eq!(told, [of_t, of_a, of_b], "{period}");
        }
        // Five months of A1, four and three of A; A2 lies in B in each month in which it is asked.
        assert_eq!(reports.figure("A", "2025", "x"), "16 2/12");
        assert_eq!(reports.figure("B", "2025", "x"), "null 0/20");
        assert_eq!(reports.restated("A", "2025-07", "2025-12-31", "x"), "7 1/1");
        assert_eq!(reports.restated("B", "2025-05", "2025-12-31", "x"), "null 0/2");
        assert_eq!(reports.restated("B", "2025-07", "2025-12-31", "x"), "null 0/1");
        let october = reports.of("2025-10");
        october.try_submit("A1", &[value("x", 1)]).expect_problem(409, "COVERED_BY_UNIT");
        october.submit("A2", &[value("x", 2)]);
        reports.expect_verified("T", &["2025-07", "2025-10", "2025-11", "2025"]);
    }

    fn the_unit_owes_one_report_and_the_units_below_it_none(backend) {
        let (server, admin, report) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .own_form("m", windowed(&[window("a", (-30, -2), Some(2))]))
            .build_for(&key("a", -30));
        let somebody = |login: &str, grant: &str| {
            server.create_account("test", login, &[grant]);
            server.sign_in("test", login)
        };
        let hamlet = somebody("hamlet", "reporter@code:A1");
        let clerk = somebody("clerk", "reporter@code:A");
        let chair = somebody("chair", "approver@code:A");
        let town = somebody("town", "approver@code:T");
        let typist = somebody("typist", "reporter@code:T");
        assert_eq!(short(&typist), ["submit T below 5"]);
        arrange(&admin, "A", &key("a", -30), None);
        let none: [&str; 0] = [];
        assert_eq!(short(&hamlet), none);
        assert_eq!(short(&clerk), ["submit A own 0"]);
        assert_eq!(short(&chair), none);
        assert_eq!(short(&typist), ["submit T below 3"]);
        report.by(&clerk).submit("A", &[value("x", 1)]);
        assert_eq!(short(&clerk), none);
        assert_eq!(short(&town), ["approve T below 1"]);

        // The town asks nothing below the commune: its report must be approved, and is not sent up.
        let send = |accept: Value| {
            let path = format!("/v1/forms/m/periods/{}/units/code:T/releases", key("a", -30));
            admin.post_json(&path, &json!({"accept": accept}))
        };
        let missing = |unit: &str| json!({"unit": format!("code:{unit}"), "reason": "Thiếu"});
        send(json!([missing("B")])).expect_problem(422, "INVALID_RELEASE");
        send(json!([missing("A"), missing("B")])).expect_status(201);
        report.by(&town).step("A", "approve").expect_status(200);
        assert_eq!(short(&town), ["receive T below 1"]);
        admin.with("If-Match", "*")
            .post(&format!("/v1/forms/m/periods/{}/units/code:T/releases/1/recall", key("a", -30))).expect_status(200);
        send(json!([missing("B")])).expect_status(201);
    }
}
