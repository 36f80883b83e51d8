//! Submissions and what the levels above see of them: states, corrections, breakdowns, qualifiers,
//! every aggregation, deadlines, and who may do what.

use chrono::{Datelike, TimeDelta};
use serde_json::{Value, json};

use crate::harness::report::{Report, cell, option, shown, value};
use crate::harness::server::now;
use crate::harness::town::{Town, broken_down, form};
use crate::harness::{Backend, Client, Server};

/// The figures of several units.
fn figures(report: &Report, name: &str, units: &[&str]) -> Vec<String> {
    let figures = units.iter().map(|unit| report.figure(unit, name));
    figures.collect()
}

/// The town with a yearly form `f` of these indicators, and its year 2024.
fn reporting(backend: Backend, indicators: &[(&str, &str)]) -> (Server, Client, Report) {
    let town = Town::new(backend).indicators(indicators);
    town.form("f", "year").build_for("2024")
}

fn today() -> chrono::NaiveDate {
    (now() + TimeDelta::hours(7)).date_naive()
}

/// What happens to the submission of A1, one step after another: the step, what is told, which
/// revision counts then, and what every level has of it: as submitted, and as approved.
#[rustfmt::skip]
const LIFE: [(&str, &str, Option<i64>, &str, &str); 17] = [
    ("save 5",    "201 draft",               None,    "null 0", "null 0"),
    ("submit",    "200 submitted",           Some(2), "5 1",    "null 0"),
    ("submit",    "409 WRONG_STATUS",        Some(2), "5 1",    "null 0"),
    ("save 7",    "200 draft",               Some(2), "5 1",    "null 0"),
    ("approve",   "409 WRONG_STATUS",        Some(2), "5 1",    "null 0"),
    ("submit",    "200 submitted",           Some(4), "7 1",    "null 0"),
    ("approve",   "200 approved",            Some(4), "7 1",    "7 1"),
    ("replace 8", "409 SUBMISSION_APPROVED", Some(4), "7 1",    "7 1"),
    ("save 8",    "409 SUBMISSION_APPROVED", Some(4), "7 1",    "7 1"),
    ("withdraw",  "409 SUBMISSION_APPROVED", Some(4), "7 1",    "7 1"),
    ("reopen",    "200 reopened",            Some(4), "7 1",    "null 0"),
    ("replace 8", "200 submitted",           Some(7), "8 1",    "null 0"),
    ("return",    "200 returned",            None,    "null 0", "null 0"),
    ("submit",    "200 submitted",           Some(9), "8 1",    "null 0"),
    ("withdraw",  "200 withdrawn",           None,    "null 0", "null 0"),
    ("withdraw",  "409 WRONG_STATUS",        None,    "null 0", "null 0"),
    ("save 9",    "200 draft",               None,    "null 0", "null 0"),
];

on_both_backends! {
    fn a_submission_counts_in_the_stages_of_its_status_and_nowhere_else(backend) {
        let (_server, _, report) = reporting(backend, &[("x", "sum")]);
        let of = |number: i64| [value("x", number)];
        let take = |step: &str| match step.split_once(' ') {
            Some(("save", number)) => report.put("A1", &json!({"values": of(number.parse().unwrap())})),
            Some((_, number)) => report.try_submit("A1", &of(number.parse().unwrap())),
            None if step == "return" => report.give_back("A1", &json!({"reason": "Sai"})),
            None => report.step("A1", step),
        };
        for (at, (step, told, counting, figure, approved)) in LIFE.into_iter().enumerate() {
            let case = format!("{at}: {step}");
            let answer = take(step);
            let says = answer.json()[if answer.status < 400 { "status" } else { "code" }].clone();
            assert_eq!(format!("{} {}", answer.status, says.as_str().unwrap()), told, "{case}");
            assert_eq!(report.get("A1")["counting_revision"], json!(counting), "{case}");
            let units = ["A1", "A", "T"];
            let expected = |figure: &str| [1, 3, 5].map(|units| format!("{figure}/{units}"));
            assert_eq!(figures(&report, "x", &units), expected(figure), "{case}");
            assert_eq!(units.map(|unit| report.approved_figure(unit, "x")), expected(approved), "{case}");
            let count = |figure: &str| i32::from(!figure.starts_with("null"));
            assert_eq!(
                report.read("T/rollup")["completeness"],
                json!({"expected": 5, "submitted": count(figure), "approved": count(approved)}),
                "{case}"
            );
        }
    }

    fn a_submission_says_where_it_is_and_when_it_was_received(backend) {
        let (_server, admin, report) = reporting(backend, &[("x", "sum")]);
        let path = report.submission("A1");
        let created = admin.create(&path, &json!({"values": [value("x", 5)]}));
        let draft = created.expect_status(201);
        let id = draft.json()["unit"]["id"].as_str().unwrap().to_owned();
        assert_eq!(draft.header("location"), Some(path.replace("code:A1", &id).as_str()));
        assert_eq!(draft.json()["received_on"], Value::Null);
        let submitted = report.step("A1", "submit").expect_status(200).json();
        assert_eq!(submitted["received_on"], today().to_string());
        let redrafted = report.put("A1", &json!({"values": [value("x", 7)]}));
        assert_eq!(redrafted.expect_status(200).json()["values"][0]["value"], 7);
    }

    fn a_return_keeps_its_reason_until_the_next_step(backend) {
        let (_server, _, report) = reporting(backend, &[("x", "sum")]);
        report.submit("A1", &[value("x", 8)]);
        let reason =
            json!({"reason": "Số chưa khớp", "values": [{"indicator": "x", "reason": "Xem lại"}]});
        let returned = report.give_back("A1", &reason).expect_status(200).json();
        let kept = json!({
            "text": "Số chưa khớp",
            "values": [{"indicator": "x", "option": null, "reason": "Xem lại"}]
        });
        assert_eq!(returned["reason"], kept);
        assert_eq!(report.get("A1")["reason"], kept);
        report.step("A1", "submit").expect_status(200);
        assert_eq!(report.get("A1")["reason"], Value::Null);
    }

    fn revisions_are_listed_by_the_page_the_latest_first(backend) {
        let (_server, admin, report) = reporting(backend, &[("x", "sum")]);
        let path = report.submission("A1");
        report.put("A1", &json!({"values": [value("x", 5)]})).expect_status(201);
        report.step("A1", "submit").expect_status(200);
        report.put("A1", &json!({"values": [value("x", 7)]})).expect_status(200);
        for step in ["submit", "approve", "reopen"] {
            report.step("A1", step).expect_status(200);
        }
        report.submit("A1", &[value("x", 8)]);
        let reason =
            json!({"reason": "Số chưa khớp", "values": [{"indicator": "x", "reason": "Xem lại"}]});
        report.give_back("A1", &reason).expect_status(200);
        for step in ["submit", "withdraw"] {
            report.step("A1", step).expect_status(200);
        }
        let revisions = admin.get(&format!("{path}/revisions?limit=4")).expect_status(200);
        let link = revisions.header("link").unwrap();
        assert!(link.contains("/revisions?limit=4&cursor="), "{link}");
        let steps = |page: &Value| -> Vec<String> {
            let items = page["items"].as_array().unwrap().iter();
            let line = items.map(|item| {
                let (step, status) = (item["step"].as_str().unwrap(), item["status"].as_str().unwrap());
                format!("{} {step} {status}", item["revision"])
            });
            line.collect()
        };
        let first = revisions.json();
        assert_eq!(
            steps(&first),
            ["10 withdraw withdrawn", "9 submit submitted", "8 return returned", "7 replace submitted"]
        );
        let kept = json!({
            "text": "Số chưa khớp",
            "values": [{"indicator": "x", "option": null, "reason": "Xem lại"}]
        });
        assert_eq!(first["items"][2]["reason"], kept);
        assert_eq!(first["items"][2]["values"], Value::Null);
        let next = first["next"].as_str().unwrap();
        let rest = admin.get(&format!("{path}/revisions?cursor={next}")).expect_status(200).json();
        assert_eq!(
            steps(&rest),
            [
                "6 reopen reopened", "5 approve approved", "4 submit submitted", "3 save draft",
                "2 submit submitted", "1 save draft"
            ]
        );
        assert_eq!(rest["next"], Value::Null);
    }

    fn a_correction_takes_the_old_values_out_and_a_removed_value_is_not_a_zero(backend) {
        let (_server, _, report) = reporting(backend, &[("x", "sum"), ("y", "sum")]);
        report.submit("A1", &[value("x", 5), value("y", 3)]);
        report.submit("A2", &[value("x", 2), value("y", 0)]);
        report.submit("B1", &[value("x", -1)]);
        assert_eq!(
            figures(&report, "x", &["A", "B", "T"]),
            ["7 2/3", "-1 1/2", "6 3/5"]
        );
        assert_eq!(figures(&report, "y", &["A", "T"]), ["3 2/3", "3 2/5"]);

        report.submit("A1", &[value("x", 4)]);
        assert_eq!(
            figures(&report, "x", &["A1", "A", "T"]),
            ["4 1/1", "6 2/3", "5 3/5"]
        );
        assert_eq!(
            figures(&report, "y", &["A1", "A", "T"]),
            ["null 0/1", "0 1/3", "0 1/5"]
        );
        report.submit("A2", &[]);
        assert_eq!(figures(&report, "x", &["A", "T"]), ["4 1/3", "3 2/5"]);
        assert_eq!(figures(&report, "y", &["A", "T"]), ["null 0/3", "null 0/5"]);
        assert_eq!(report.read("T/rollup")["completeness"]["submitted"], 3);
    }

    fn a_closed_breakdown_sends_its_options_and_its_total_is_computed(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin
            .put(
                "/v1/indicators/docs",
                &broken_down(true, &["plan", "letter"]),
            )
            .expect_status(201);
        admin
            .put("/v1/forms/f", &form(&["docs"]))
            .expect_status(201);
        let report = Report::new(&admin, "f");
        let plan = |n: i64| option("docs", "plan", n);
        let letter = |n: i64| option("docs", "letter", n);

        let refused = |values: &[Value]| {
            report
                .try_submit("A1", values)
                .expect_problem(422, "INVALID_SUBMISSION")
        };
        assert_eq!(refused(&[plan(2)]), ["/values OPTION_MISSING"]);
        assert_eq!(
            refused(&[value("docs", 3)]),
            ["/values OPTION_MISSING", "/values OPTION_MISSING"]
        );
        assert_eq!(
            refused(&[plan(2), letter(1), value("docs", 4)]),
            ["/values TOTALS_DIFFER"]
        );
        assert_eq!(
            refused(&[plan(i64::MAX), letter(1)]),
            ["/values VALUE_OUT_OF_RANGE"]
        );
        admin
            .get(&report.submission("A1"))
            .expect_problem(404, "SUBMISSION_NOT_FOUND");

        // A draft may be incomplete; it cannot be submitted so.
        report
            .put("A1", &json!({"values": [plan(2)]}))
            .expect_status(201);
        let missing = report
            .step("A1", "submit")
            .expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(missing, ["/values OPTION_MISSING"]);
        assert_eq!(report.get("A1")["status"], "draft");

        let submitted = report.submit("A1", &[plan(2), letter(1)]);
        assert_eq!(submitted["values"].as_array().unwrap().len(), 2);
        report.submit("A2", &[plan(10), letter(0), value("docs", 10)]);
        report.submit("A", &[]);
        assert_eq!(
            figures(&report, "docs", &["A1", "A", "T"]),
            ["3 1/1", "13 2/3", "13 2/5"]
        );
        assert_eq!(
            figures(&report, "docs/plan", &["A", "T"]),
            ["12 2/3", "12 2/5"]
        );
        assert_eq!(
            figures(&report, "docs/letter", &["A", "T"]),
            ["1 2/3", "1 2/5"]
        );
    }

    fn an_open_breakdown_sends_its_total_and_its_options_may_not_exceed_it(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin
            .put(
                "/v1/indicators/people",
                &broken_down(false, &["women", "young"]),
            )
            .expect_status(201);
        admin
            .put("/v1/forms/f", &form(&["people"]))
            .expect_status(201);
        let report = Report::new(&admin, "f");
        let women = |n: i64| option("people", "women", n);
        let young = |n: i64| option("people", "young", n);

        let refused = |values: &[Value]| {
            report
                .try_submit("A1", values)
                .expect_problem(422, "INVALID_SUBMISSION")
        };
        assert_eq!(refused(&[women(2)]), ["/values TOTAL_MISSING"]);
        assert_eq!(
            refused(&[value("people", 4), women(3), young(2)]),
            ["/values OPTIONS_EXCEED_TOTAL"]
        );

        report.submit("A1", &[value("people", 5), women(3), young(2)]);
        report.submit("A2", &[value("people", 9)]);
        report.submit("B1", &[value("people", 4), women(1)]);
        assert_eq!(
            figures(&report, "people", &["A", "T"]),
            ["14 2/3", "18 3/5"]
        );
        assert_eq!(
            figures(&report, "people/women", &["A", "T"]),
            ["3 1/3", "4 2/5"]
        );
        assert_eq!(
            figures(&report, "people/young", &["A", "T"]),
            ["2 1/3", "2 1/5"]
        );
    }

    fn a_qualifier_survives_every_sum_and_goes_with_its_value(backend) {
        let (_server, admin, report) = reporting(backend, &[("x", "sum"), ("n", "count")]);
        let rate = json!({
            "name": {"vi": "Tỷ lệ"}, "unit_of_measure": "%", "decimals": 1,
            "formula": "100 * x / n"
        });
        admin.put("/v1/indicators/r", &rate).expect_status(201);
        let mut with_rate = form(&["x", "n", "r"]);
        with_rate["valid_from"] = json!("2023-12-15");
        admin.replace("/v1/forms/f", &with_rate).expect_status(200);
        let qualified =
            |n: i64, qualifier: &str| json!({"indicator": "x", "value": n, "qualifier": qualifier});

        report.submit("A1", &[value("x", 100), value("n", 1)]);
        report.submit("A2", &[qualified(800, "at_least")]);
        assert_eq!(
            figures(&report, "x", &["A1", "A", "T"]),
            ["100 1/1", "900 at_least 2/3", "900 at_least 2/5"]
        );
        assert_eq!(report.figure("A", "r"), "90000 estimate 1/3");
        report.submit("B1", &[qualified(30, "at_most")]);
        assert_eq!(
            figures(&report, "x", &["A", "B", "T"]),
            ["900 at_least 2/3", "30 at_most 1/2", "930 estimate 3/5"]
        );
        report.submit("B", &[qualified(1, "estimate")]);
        assert_eq!(report.figure("B", "x"), "31 estimate 2/2");
        let counts = json!({"at_least": 1, "at_most": 1, "estimate": 1});
        assert_eq!(report.cell("T", "x")["qualified"], counts);
        assert_eq!(
            report.cell("B", "x")["own"],
            json!({"value": 1, "qualifier": "estimate"})
        );

        report.submit("A2", &[value("x", 800)]);
        report.submit("B", &[]);
        assert_eq!(
            figures(&report, "x", &["A", "B", "T"]),
            ["900 2/3", "30 at_most 1/2", "930 at_most 3/5"]
        );
    }

    fn money_handed_up_is_counted_once_and_none_stays_where_it_is(backend) {
        let (_server, _, report) = Town::new(backend).indicators(&[("fund", "transfer"), ("plan", "none")]).form("f", "year").with("submitted_by", json!(["town", "commune", "hamlet"])).build_for("2024");
        report.submit("A1", &[value("fund", 100), value("plan", 1)]);
        report.submit("A2", &[value("fund", 50), value("plan", 2)]);
        report.submit("B1", &[value("fund", 7)]);
        let received = |unit: &str| {
            let cell = report.cell(unit, "fund");
            format!("{} + {}", cell["value"], cell["received_from_below"])
        };
        assert_eq!(received("A1"), "100 + null");
        assert_eq!(received("A"), "null + 150");
        assert_eq!(received("B"), "null + 7");
        assert_eq!(received("T"), "null + null");

        report.submit("A", &[value("fund", 140), value("plan", 9)]);
        report.submit("T", &[value("fund", 60)]);
        assert_eq!(received("A"), "140 + 150");
        assert_eq!(received("T"), "60 + 140");
        report.submit("B", &[value("fund", 7)]);
        assert_eq!(received("T"), "60 + 147");
        report.submit("A1", &[value("fund", 10)]);
        assert_eq!(received("A"), "140 + 60");
        assert_eq!(received("T"), "60 + 147");
        assert_eq!(figures(&report, "fund", &["A", "T"]), ["140 1/1", "60 1/1"]);
        assert_eq!(
            figures(&report, "plan", &["A2", "A", "T"]),
            ["2 1/1", "9 1/1", "null 0/1"]
        );
        assert_eq!(report.cell("A", "plan")["received_from_below"], Value::Null);
    }

    fn averages_and_extremes_and_counts_follow_every_correction(backend) {
        let kinds = [
            ("avg", "average"),
            ("low", "min"),
            ("high", "max"),
            ("n", "count"),
        ];
        let (_server, admin, report) = reporting(backend, &kinds);
        let all = |number: i64| -> Vec<Value> {
            kinds.iter().map(|(code, _)| value(code, number)).collect()
        };
        let row = |unit: &str| -> Vec<String> {
            kinds
                .iter()
                .map(|(code, _)| report.cell(unit, code)["value"].to_string())
                .collect()
        };
        for (unit, number) in [("A", 4), ("A1", 10), ("A2", 1), ("B1", 7)] {
            report.submit(unit, &all(number));
        }
        assert_eq!(row("A"), ["5", "1", "10", "3"]);
        assert_eq!(row("B"), ["7", "7", "7", "1"]);
        assert_eq!(row("T"), ["5.5", "1", "10", "4"]);

        // The greatest becomes small: 4, 2, 1 and 7 are left.
        report.submit("A1", &all(2));
        assert_eq!(row("A"), ["2.33", "1", "4", "3"]);
        assert_eq!(row("T"), ["3.5", "1", "7", "4"]);
        let average = report.cell("A", "avg");
        assert_eq!(
            (average["numerator"].clone(), average["denominator"].clone()),
            (json!(7), json!(3))
        );
        // The smallest goes: 4, 2 and 7.
        report.step("A2", "withdraw").expect_status(200);
        assert_eq!(row("A"), ["3", "2", "4", "2"]);
        assert_eq!(row("T"), ["4.33", "2", "7", "3"]);
        // An extreme that two units share outlives one of them: 4, 4 and 7, then 4 and 7.
        report.submit("A1", &all(4));
        report.submit("A1", &[]);
        assert_eq!(row("A"), ["4", "4", "4", "1"]);
        assert_eq!(row("T"), ["5.5", "4", "7", "2"]);
        assert_eq!(report.figure("T", "high"), "7 2/5");
        report.step("B1", "withdraw").expect_status(200);
        report.submit("A", &[]);
        assert_eq!(row("T"), ["null", "null", "null", "null"]);

        // Approved is a stage of its own: of -3 and 5 only the greater is approved.
        report.submit("A1", &all(-3));
        report.submit("B1", &all(5));
        report.step("B1", "approve").expect_status(200);
        let approved = report.read("T/rollup?stage=approved");
        assert_eq!(approved["stage"], "approved");
        let values: Vec<String> = kinds
            .iter()
            .map(|(code, _)| cell(&approved, code)["value"].to_string())
            .collect();
        assert_eq!(values, ["5", "5", "5", "1"]);
        assert_eq!(row("T"), ["1", "-3", "5", "2"]);
        admin
            .get("/v1/forms/f/periods/2024/units/code:T/rollup?stage=draft")
            .expect_problem(400, "INVALID_PARAMETER");
    }

    fn a_rollup_shows_its_children_when_asked_and_nothing_is_null(backend) {
        let (_server, _, report) = reporting(backend, &[("x", "sum")]);
        let empty = report.read("T/rollup");
        assert_eq!(empty["rev"], 0);
        assert_eq!(empty["children"], Value::Null);
        assert_eq!(
            empty["period"],
            json!({"key": "2024", "from": "2023-12-15", "to": "2024-12-14"})
        );
        assert_eq!(
            empty["completeness"],
            json!({"expected": 5, "submitted": 0, "approved": 0})
        );
        assert_eq!(
            empty["cells"],
            json!([{
                "indicator": "x", "option": null, "value": null, "qualifier": "exact",
                "from_form": null,
                "qualified": {"at_least": 0, "at_most": 0, "estimate": 0}, "apportioned": 0, "reported": 0, "expected": 5,
                "own": null, "received_from_below": null, "target": null, "numerator": null, "denominator": null
            }])
        );

        report.submit("A", &[value("x", 1)]);
        report.submit("A2", &[value("x", 4)]);
        report.step("A2", "approve").expect_status(200);
        let with_children = report.read("T/rollup?include=children");
        let children = with_children["children"].as_array().unwrap();
        let rows: Vec<String> = children
            .iter()
            .map(|child| {
                format!(
                    "{} {}",
                    child["unit"]["code"].as_str().unwrap(),
                    shown(&cell(child, "x"))
                )
            })
            .collect();
        assert_eq!(rows, ["A 5 2/3", "B null 0/2"]);
        assert_eq!(
            children[0]["completeness"],
            json!({"expected": 3, "submitted": 2, "approved": 1})
        );
        assert_eq!(
            cell(&children[0], "x")["own"],
            json!({"value": 1, "qualifier": "exact"})
        );
        let approved = report.read("T/rollup?include=children&stage=approved");
        assert_eq!(shown(&cell(&approved["children"][0], "x")), "4 1/3");
        assert_eq!(
            report.read("A1/rollup?include=children")["children"],
            json!([])
        );
    }

    fn rules_warn_or_refuse_and_a_refusal_writes_nothing(backend) {
        let (_server, admin, report) = Town::new(backend).indicators(&[("raised", "sum"), ("spent", "sum"), ("people", "sum")]).form("f", "year").with("rules", json!([
            {"code": "SPENT_WITHIN_RAISED", "severity": "warning",
             "expression": "spent <= raised",
             "message": {"vi": "Chi quá thu", "en": "Overspent"}},
            {"code": "PEOPLE_KNOWN", "severity": "error",
             "expression": "people < 1000",
             "message": {"vi": "Quá đông", "en": "Too many"}}
        ])).build_for("2024");
        let submitted = report.submit("A1", &[value("raised", 10), value("spent", 12)]);
        assert_eq!(
            submitted["warnings"],
            json!([{
                "code": "SPENT_WITHIN_RAISED", "expression": "spent <= raised", "indicator": null,
                "message": "Chi quá thu", "message_en": "Overspent"
            }])
        );
        assert_eq!(report.figure("T", "spent"), "12 1/5");

        let before = admin.get(&report.submission("A1")).expect_status(200);
        let refused = report.try_submit("A1", &[value("raised", 20), value("people", 1000)]);
        assert!(refused.text.contains("Quá đông"), "{}", refused.text);
        assert_eq!(
            refused.expect_problem(422, "INVALID_SUBMISSION"),
            ["/values RULE_BROKEN"]
        );
        assert_eq!(admin.get(&report.submission("A1")).text, before.text);
        assert_eq!(
            figures(&report, "raised", &["A1", "A", "T"]),
            ["10 1/1", "10 1/3", "10 1/5"]
        );
        assert_eq!(report.figure("T", "people"), "null 0/5");
        // A rule whose operand is missing says nothing; nor does one about a draft.
        let corrected = report.submit("A1", &[value("spent", 12), value("people", 999)]);
        let warnings = corrected["warnings"].as_array().unwrap().iter();
        let told: Vec<_> = warnings.map(|warning| (&warning["code"], &warning["indicator"])).collect();
        assert_eq!(told, [(&json!("VALUE_REMOVED"), &json!("raised"))]);
        report
            .put("A1", &json!({"values": [value("people", 5000)]}))
            .expect_status(200);
    }

    fn units_added_below_one_that_has_submitted_join_its_totals(backend) {
        let (_server, admin, report) = reporting(backend, &[("x", "sum"), ("high", "max")]);
        report.submit("A1", &[value("x", 5), value("high", 5)]);
        report.submit("B1", &[value("x", 1), value("high", 1)]);
        let level = json!({"name": {"vi": "Tổ"}, "rank": 5});
        admin.put("/v1/levels/group", &level).expect_status(201);
        let mut with_groups = form(&["x", "high"]);
        with_groups["submitted_by"] = json!(["commune", "hamlet", "group"]);
        admin
            .replace("/v1/forms/f", &with_groups)
            .expect_status(200);
        for code in ["A1-1", "A1-2"] {
            admin
                .post_json(
                    "/v1/units",
                    &json!({"code": code, "name": code, "level": "group", "parent": "code:A1"}),
                )
                .expect_status(201);
        }
        assert_eq!(
            figures(&report, "x", &["A1", "A", "T"]),
            ["5 1/3", "5 1/5", "6 2/7"]
        );
        report.submit("A1-1", &[value("x", 20), value("high", 20)]);
        assert_eq!(
            figures(&report, "x", &["A1", "A", "T"]),
            ["25 2/3", "25 2/5", "26 3/7"]
        );
        report.submit("A1", &[value("x", 6), value("high", 6)]);
        report.submit("A1-1", &[value("x", 2), value("high", 2)]);
        assert_eq!(
            figures(&report, "x", &["A1", "A", "T"]),
            ["8 2/3", "8 2/5", "9 3/7"]
        );
        assert_eq!(
            figures(&report, "high", &["A1", "A", "T"]),
            ["6 2/3", "6 2/5", "6 3/7"]
        );
        // A unit from 2025 on is no part of 2024.
        let later = json!({
            "code": "A3", "name": "Ấp Bốn", "level": "hamlet", "parent": "code:A",
            "valid_from": "2025-01-01"
        });
        admin.post_json("/v1/units", &later).expect_status(201);
        assert_eq!(report.figure("A", "x"), "8 2/5");
        admin
            .get("/v1/forms/f/periods/2024/units/code:A3/rollup")
            .expect_problem(404, "UNIT_NOT_FOUND");
        let next_year = Report::of(&admin, "f", "2025");
        assert_eq!(next_year.figure("A", "x"), "null 0/6");
    }

    fn a_clerk_enters_for_those_below_and_the_history_says_who(backend) {
        let (server, admin, report) = reporting(backend, &[("x", "sum")]);
        let mut careful = form(&["x"]);
        careful["four_eyes"] = json!(true);
        admin.put("/v1/forms/careful", &careful).expect_status(201);
        server.create_account("test", "hamlet", &["reporter@code:A1"]);
        server.create_account("test", "clerk", &["reporter@code:A", "approver@code:A"]);
        server.create_account("test", "chief", &["approver@code:A"]);
        server.create_account("test", "viewer", &["viewer@code:T"]);
        let sign_in = |login| server.sign_in("test", login);
        let (hamlet, clerk) = (sign_in("hamlet"), sign_in("clerk"));
        let (chief, viewer) = (sign_in("chief"), sign_in("viewer"));

        report.by(&clerk).submit("A1", &[value("x", 3)]);
        report.by(&hamlet).submit("A1", &[value("x", 4)]);
        let revisions = viewer
            .get(&format!("{}/revisions", report.submission("A1")))
            .expect_status(200)
            .json();
        let by: Vec<&str> = revisions["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["author"]["name"].as_str().unwrap())
            .collect();
        assert_eq!(by, ["hamlet", "clerk"]);
        assert_eq!(
            revisions["items"][1]["values"],
            json!([{"indicator": "x", "option": null, "value": 3, "qualifier": "exact"}])
        );

        // What one may not do is 403, whether or not one sees it.
        report
            .by(&hamlet)
            .step("A1", "approve")
            .expect_problem(403, "NOT_ALLOWED");
        hamlet
            .get(&report.submission("A2"))
            .expect_problem(403, "NOT_ALLOWED");
        report
            .by(&viewer)
            .try_submit("A2", &[value("x", 1)])
            .expect_problem(403, "NOT_ALLOWED");
        report
            .by(&chief)
            .try_submit("A2", &[value("x", 1)])
            .expect_problem(403, "NOT_ALLOWED");
        report.by(&clerk).submit("A", &[value("x", 1)]);
        report
            .by(&clerk)
            .step("A", "approve")
            .expect_problem(403, "NOT_ALLOWED");
        // Who entered may approve, unless the form wants four eyes.
        report.by(&clerk).submit("A2", &[value("x", 3)]);
        report.by(&clerk).step("A2", "approve").expect_status(200);

        let careful = Report::new(&clerk, "careful");
        careful.submit("A1", &[value("x", 3)]);
        careful
            .step("A1", "approve")
            .expect_problem(403, "FOUR_EYES");
        assert_eq!(careful.approved_figure("A", "x"), "null 0/3");
        careful.by(&chief).step("A1", "approve").expect_status(200);
        assert_eq!(careful.approved_figure("A", "x"), "3 1/3");
        careful.step("A1", "reopen").expect_status(200);
        careful
            .step("A1", "approve")
            .expect_problem(403, "FOUR_EYES");
        careful.by(&hamlet).submit("A1", &[value("x", 5)]);
        careful.step("A1", "approve").expect_status(200);
    }
}

#[test]
fn deadlines_are_working_days_after_the_closing_day_and_late_is_counted_or_refused() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum")]);
    let mut dated = form(&["x"]);
    dated["deadlines"] = json!({"hamlet": 1, "commune": 2});
    admin.put("/v1/forms/late", &dated).expect_status(201);
    let periods = admin
        .get("/v1/forms/late/periods?year=2024")
        .expect_status(200);
    // 2024-12-14 is a Saturday.
    assert_eq!(
        periods.json()["items"],
        json!([{
            "key": "2024", "name": null, "from": "2023-12-15", "to": "2024-12-14",
            "opens": "2023-12-15",
            "deadlines": {"hamlet": "2024-12-16", "commune": "2024-12-17"}, "due_at": null
        }])
    );
    let report = Report::new(&admin, "late");
    let submitted = report.submit("A1", &[value("x", 1)]);
    assert_eq!(submitted["received_on"], today().to_string());
    let completeness = report.read("A/completeness");
    assert_eq!(
        completeness["total"],
        json!({"expected": 3, "submitted": 1, "approved": 0, "returned": 0, "late": 1, "missing": 2, "overdue": 2})
    );
    assert_eq!(completeness["children"][0]["own"]["deadline"], "2024-12-16");
    assert_eq!(completeness["children"][0]["own"]["status"], "submitted");
    assert_eq!(
        completeness["children"][0]["own"]["received_on"],
        today().to_string()
    );
    assert_eq!(completeness["children"][1]["own"]["status"], Value::Null);

    dated["late"] = json!("refuse");
    admin.put("/v1/forms/strict", &dated).expect_status(201);
    let strict = Report::new(&admin, "strict");
    let refused = strict.try_submit("A1", &[value("x", 1)]);
    refused.expect_problem(422, "PERIOD_CLOSED");
    // A draft counts nowhere, so nothing is late about it.
    strict
        .put("A1", &json!({"values": [value("x", 1)]}))
        .expect_status(201);
    strict
        .step("A1", "submit")
        .expect_problem(422, "PERIOD_CLOSED");
    assert_eq!(strict.figure("T", "x"), "null 0/5");
}

#[test]
fn a_period_takes_submissions_from_its_first_day_on_of_the_levels_that_submit() {
    let (_server, _, f) = Town::new(Backend::Sqlite)
        .indicators(&[("x", "sum")])
        .form("f", "year")
        .with("calendar", "civil")
        .with("deadlines", json!({"hamlet": 1}))
        .with("late", "refuse")
        .build();
    let year = today().year();
    let this_year = f.of(&year.to_string());
    this_year.submit("A1", &[value("x", 1)]);
    assert_eq!(this_year.read("A1/completeness")["total"]["late"], 0);
    let next_year = f.of(&(year + 1).to_string());
    let values = [value("x", 1)];
    next_year
        .try_submit("A1", &values)
        .expect_problem(422, "PERIOD_NOT_OPEN");
    next_year
        .put("A1", &json!({"values": values}))
        .expect_problem(422, "PERIOD_NOT_OPEN");
    this_year
        .try_submit("T", &values)
        .expect_problem(422, "UNIT_DOES_NOT_SUBMIT");
    // Nor is a town asked for anything, though its rollup is there.
    assert_eq!(
        this_year.read("T/completeness")["own"],
        json!({
            "expected": false, "status": null, "deadline": null, "received_on": null,
            "corrected_on": null
        })
    );
    assert_eq!(this_year.figure("T", "x"), "1 1/5");
}

#[test]
fn what_is_required_is_asked_of_the_levels_that_collect_it() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum"), ("y", "sum")]);
    let mut required = form(&[]);
    required["outline"][0]["items"] = json!([
        {"indicator": "x", "required": true, "collected_at": ["hamlet"]},
        {"indicator": "y"}
    ]);
    admin.put("/v1/forms/f", &required).expect_status(201);
    let report = Report::new(&admin, "f");
    let missing = report.try_submit("A1", &[value("y", 1)]);
    let missing = missing.expect_problem(422, "INVALID_SUBMISSION");
    assert_eq!(missing, ["/values REQUIRED_MISSING"]);
    report.submit("A1", &[value("x", 0)]);
    report.submit("A", &[value("y", 2)]);
    assert_eq!(report.figure("A", "x"), "0 1/2");
    assert_eq!(report.figure("T", "x"), "0 1/3");
    assert_eq!(report.figure("T", "y"), "2 1/5");
    let narrative = json!({
        "values": [value("x", 1)], "submit": true,
        "narrative": [{"section": "I", "text": "Đã họp dân."}]
    });
    let written = report.put("A1", &narrative).expect_status(200).json();
    assert_eq!(written["narrative"], narrative["narrative"]);
    assert_eq!(report.get("A1")["narrative"], narrative["narrative"]);
}

#[test]
fn a_text_with_thousands_separators_is_not_taken_for_another_number() {
    let (_server, _, report) = Town::new(Backend::Sqlite)
        .indicators(&[("x", "sum")])
        .form("f", "year")
        .build_for("2024");
    for text in ["1.000", "1,000", "1.500.000"] {
        report
            .try_submit("A1", &[json!({"indicator": "x", "value": text})])
            .expect_status(422);
    }
    report.submit("A1", &[json!({"indicator": "x", "value": "1000"})]);
    assert_eq!(report.figure("A", "x"), "1000 1/3");
}
