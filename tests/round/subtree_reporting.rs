//! A unit reports for all units below it: who is expected then, what counts, and what is refused.

use serde_json::{Value, json};

use super::tasks::{key, short, window, windowed};
use crate::harness::decree::{commune, decree, merge};
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
             to Xã A (A); somebody with the role approver on a unit above Xã A (A) can change that.");
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

    fn a_range_is_ended_by_who_approves_for_the_unit_where_it_was_then(backend) {
        let units = "T,Thị xã,town,\nU,Huyện,town,\nA,Xã A,commune,T\nA1,Ấp Một,hamlet,A\nB,Xã B,commune,U\n";
        let (server, admin, reports) = Town::of(backend, units)
            .indicators(&[("x", "sum")])
            .form("m", "month")
            .with("calendar", "civil")
            .with("submitted_by", json!(["hamlet"]))
            .build();
        arrange(&admin, "A", "2024", Some("2024"));
        let steps = json!([{"op": "move", "unit": "code:A", "parent": "code:U"}]);
        admin.carry_out(&decree("2025-07-01", &steps));
        server.create_account("test", "there", &["approver@code:U"]);
        let there = server.sign_in("test", "there");
        let delete = || there.send("DELETE", &path("A"), None, b"");
        delete().expect_problem(403, "NOT_ALLOWED");
        // Nor by putting another range over it.
        admin.replace(&path("A"), &json!({"from": "2025-06", "to": "2025-12"})).expect_status(200);
        there.replace(&path("A"), &json!({"from": "2025-08", "to": "2025-12"})).expect_problem(403, "NOT_ALLOWED");
        there.replace(&path("A"), &json!({"from": "2026", "to": "2026"})).expect_status(200);
        // What lies on its own days is taken back, and the rest stays.
        delete().expect_status(204);
        let ranges = admin.get(&path("A")).json()["ranges"].clone();
        let left: Vec<&Value> = ranges.as_array().unwrap().iter().map(|range| &range["from"]).collect();
        assert_eq!(left, ["2024", "2025-06"]);
        assert_eq!(progress(&reports, "A", "2024-05"), "1 0 1");
    }

    fn what_stays_after_a_withdrawal_is_another_state_than_ever_before(backend) {
        let (_server, admin, reports) = hamlets_submit(backend);
        arrange(&admin, "A", "2025-01", Some("2025-02"));
        admin.replace(&path("A"), &json!({"from": "2025-06", "to": "2025-06"})).expect_status(200);
        let seen = admin.get(&path("A"));
        admin.replace(&path("A"), &json!({"from": "2026", "to": "2026"})).expect_status(200);
        reports.submit("A", "2025-06", json!({"x": 7}));
        let etag = admin.get(&path("A")).etag().to_owned();
        admin.with("If-Match", &etag).send("DELETE", &path("A"), None, b"").expect_status(204);
        let left = admin.get(&path("A")).expect_status(200);
        assert_eq!(left.json()["ranges"].as_array().unwrap().len(), 1);
        assert!(left.json()["rev"].as_i64() > seen.json()["rev"].as_i64());
        let stale = admin.with("If-Match", seen.etag());
        stale.put(&path("A"), &json!({"from": "2027", "to": "2027"})).expect_problem(412, "PRECONDITION_FAILED");
    }

    fn what_is_arranged_for_a_unit_that_ended_can_be_read_and_taken_back(backend) {
        let (_server, admin, _) = hamlets_submit(backend);
        arrange(&admin, "A", "2024", Some("2026"));
        let former = admin.get("/v1/units/code:A").json()["id"].as_str().unwrap().to_owned();
        admin.reorganise("2025-07-01", &json!([merge(&["A"], &commune("C", "T"))]));
        let path = path("A").replace("code:A", &former);
        let read = admin.get(&path).expect_status(200);
        assert_eq!((&read.json()["unit"]["code"], &read.json()["ranges"][0]["to"]), (&json!("A"), &json!("2026")));
        let body = json!({"from": "2024", "to": "2025"});
        admin.with("If-Match", read.etag()).put(&path, &body).expect_problem(404, "UNIT_ENDED");
        admin.with("If-Match", read.etag()).send("DELETE", &path, None, b"").expect_status(204);
        admin.get(&path).expect_problem(404, "SUBTREE_REPORTING_NOT_FOUND");
    }

    fn the_periods_of_a_range_keep_their_days(backend) {
        let (_server, admin, _) = hamlets_submit(backend);
        arrange(&admin, "A", "2025", Some("2025"));
        let statutory = |valid_from: Option<&str>| {
            let mut body = form(&["x"]);
            body["frequency"] = json!("month");
            body["submitted_by"] = json!(["hamlet"]);
            if let Some(day) = valid_from {
                body["valid_from"] = json!(day);
            }
            admin.with("Accept-Language", "en").replace("/v1/forms/m", &body)
        };
        let refused = statutory(None);
        assert!(said(&refused).starts_with("From or until year 2025 (2025) a unit is to report for all"), "{}", refused.text);
        refused.expect_problem(409, "FIXED_ONCE_USED");
        statutory(Some("2026-12-31")).expect_status(200);
        let etag = admin.get(&path("A")).etag().to_owned();
        admin.with("If-Match", &etag).send("DELETE", &path("A"), None, b"").expect_status(204);
        statutory(None).expect_status(200);
    }

    fn the_history_tells_every_range_that_began_or_ended(backend) {
        let (_server, admin, _) = hamlets_submit(backend);
        arrange(&admin, "A", "2025", Some("2027"));
        admin.replace(&path("A"), &json!({"from": "2026", "to": "2026"})).expect_status(200);
        admin.replace(&path("A"), &json!({"from": "2026-12", "to": null})).expect_status(200);
        let told = admin.get("/v1/changes?limit=1000").json()["items"].clone();
        let told: Vec<String> = told.as_array().unwrap().iter()
            .filter_map(|item| {
                let kind = item["kind"].as_str().unwrap().strip_prefix("subtree_reporting.")?;
                let [first, last] = ["period", "last_period"].map(|field| item[field]["key"].as_str().unwrap_or("open"));
                Some(format!("{kind} {first} {last}"))
            })
            .collect();
        assert_eq!(told, [
            "arranged 2025 2027",
            "withdrawn 2025 2027", "arranged 2026 2026",
            "withdrawn 2026 2026", "arranged 2026-12 open",
        ]);
    }

    fn a_report_for_all_does_not_pass_to_a_unit_that_reports_for_itself(backend) {
        let (_server, admin, reports) = hamlets_submit(backend);
        arrange(&admin, "A", "2025-10", None);
        reports.submit("A", "2025-10", json!({"x": 7}));
        let former = admin.get("/v1/units/code:A").json()["id"].as_str().unwrap().to_owned();
        let mut document = decree("2025-10-10", &json!([merge(&["A"], &commune("C", "T"))]));
        document["work_in_progress"] = json!("pass_on");
        let preview = admin.post_json("/v1/reorganisations/preview", &document).expect_status(200).json();
        let affected = &preview["submissions"]["first"][0];
        assert_eq!((&affected["speaks_for"], &affected["passes_to"]), (&json!("subtree"), &Value::Null));
        admin.carry_out(&document);
        let october = |unit: &str| admin.get(&format!("/v1/forms/m/periods/2025-10/units/{unit}/submission"));
        assert_eq!(october(&former).expect_status(200).json()["speaks_for"], "subtree");
        october("code:C").expect_problem(404, "SUBMISSION_NOT_FOUND");
        // Its figure counts on, and whoever is below reports from then on.
        assert_eq!(reports.figure("T", "2025-10", "x").split(' ').next(), Some("7"));
        reports.expect_verified("T", &["2025-10", "2025"]);
    }

    fn the_history_says_for_which_units_each_step_spoke(backend) {
        let (_server, admin, reports) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .form("m", "month")
            .with("calendar", "civil")
            .build();
        let july = reports.of("2025-07");
        arrange(&admin, "A", "2025-07", Some("2025-07"));
        let for_all = july.submit("A", &[value("x", 7)])["receipt"].clone();
        july.step("A", "withdraw").expect_status(200);
        let etag = admin.get(&path("A")).etag().to_owned();
        admin.with("If-Match", &etag).send("DELETE", &path("A"), None, b"").expect_status(204);
        let alone = july.submit("A", &[value("x", 1)])["receipt"].clone();
        let history = admin.get(&format!("{}/revisions", july.submission("A"))).json();
        let told: Vec<&str> = history["items"].as_array().unwrap().iter()
            .map(|step| step["speaks_for"].as_str().unwrap()).collect();
        assert_eq!(told, ["unit", "subtree", "subtree"]);
        for (number, speaks_for) in [(for_all, "subtree"), (alone, "unit")] {
            let receipt = admin.get(&format!("/v1/receipts/{}", number.as_str().unwrap())).json();
            assert_eq!(receipt["content"]["speaks_for"], speaks_for);
        }
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
