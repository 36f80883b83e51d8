//! Completeness over longer periods. It counts pairs of a unit and a base period, each on the tree
//! and with the deadline of that base period.

use serde_json::{Value, json};

use crate::harness::report::{Reports, value};
use crate::harness::town::{Town, form};
use crate::harness::{Backend, Client, Server};
use crate::store::statements;

/// The town with a form `m` of the indicator `x`, of this frequency; hamlets have a deadline.
fn reporting(backend: Backend, frequency: &str) -> (Server, Client, Reports) {
    Town::new(backend)
        .indicators(&[("x", "sum")])
        .form("m", frequency)
        .with("deadlines", json!({"hamlet": 1}))
        .build()
}

/// `expected submitted approved late missing overdue`.
fn counts(progress: &Value) -> String {
    let fields = [
        "expected",
        "submitted",
        "approved",
        "late",
        "missing",
        "overdue",
    ];
    fields.map(|field| progress[field].to_string()).join(" ")
}

/// Of a longer period no single state is told.
fn no_status(expected: bool) -> Value {
    json!({
        "expected": expected, "status": null, "deadline": null, "received_on": null,
        "corrected_on": null
    })
}

on_both_backends! {
    fn a_quarter_counts_units_and_months(backend) {
        let (_server, _, m) = reporting(backend, "month");
        for (unit, period) in [("A1", "2024-01"), ("A1", "2024-02"), ("A", "2024-01"), ("B1", "2024-03")] {
            m.submit(unit, period, json!({"x": 1}));
        }
        let february = m.of("2024-02");
        february.step("A1", "approve").expect_status(200);
        // A draft counts nowhere.
        february.put("A2", &json!({"values": [value("x", 1)]})).expect_status(201);

        let quarter = m.completeness("T", "2024-Q1");
        assert_eq!(
            quarter["period"],
            json!({"key": "2024-Q1", "from": "2023-12-15", "to": "2024-03-14"})
        );
        // Hamlets have deadlines, long past; communes have none.
        assert_eq!(counts(&quarter["total"]), "15 4 1 3 11 6");
        assert_eq!(quarter["own"], no_status(false));
        assert_eq!(counts(&quarter["own_periods"]), "0 0 0 0 0 0");
        let months: Vec<String> = quarter["periods"]
            .as_array()
            .unwrap()
            .iter()
            .map(|month| format!("{} {}", month["period"]["key"].as_str().unwrap(), counts(&month["total"])))
            .collect();
        assert_eq!(months, ["2024-01 5 2 0 1 3 2", "2024-02 5 1 1 1 4 2", "2024-03 5 1 0 1 4 2"]);
        let children: Vec<String> = quarter["children"]
            .as_array()
            .unwrap()
            .iter()
            .map(|child| {
                assert_eq!(child["own"], no_status(true));
                let code = child["unit"]["code"].as_str().unwrap();
                format!("{code} {} own {}", counts(&child["total"]), counts(&child["own_periods"]))
            })
            .collect();
        assert_eq!(children, ["A 9 3 1 2 6 4 own 3 1 0 0 2 0", "B 6 1 0 1 5 2 own 3 0 0 0 3 0"]);

        let of_hamlet = m.completeness("A1", "2024-Q1");
        assert_eq!(counts(&of_hamlet["total"]), "3 2 1 2 1 1");
        assert_eq!(of_hamlet["own_periods"], of_hamlet["total"]);
        assert_eq!(of_hamlet["children"], json!([]));
        // The same counts as beside the rollup.
        for period in ["2024-Q1", "2024-Q2", "2024-9M", "2024"] {
            let total = m.completeness("A", period)["total"].clone();
            let rollup = m.of(period).read("A/rollup");
            for count in ["expected", "submitted", "approved"] {
                assert_eq!(total[count], rollup["completeness"][count], "{period} {count}");
            }
        }
    }

    fn a_base_period_tells_states_and_no_periods(backend) {
        let (_server, _, m) = reporting(backend, "month");
        m.submit("A1", "2024-02", json!({"x": 1}));
        let month = m.completeness("A", "2024-02");
        assert_eq!(counts(&month["total"]), "3 1 0 1 2 1");
        assert_eq!(month["own"], no_status(true));
        assert_eq!(month["children"][0]["own"]["status"], "submitted");
        // 2024-02-14 is the Wednesday after the new year's holidays, which nobody has entered.
        assert_eq!(month["children"][0]["own"]["deadline"], "2024-02-15");
        for part in [&month, &month["children"][0]] {
            assert_eq!(part["own_periods"], Value::Null);
        }
        assert_eq!(month["periods"], Value::Null);
    }

    fn each_month_has_its_own_tree_and_its_own_version_of_the_form(backend) {
        let (_server, admin, m) = reporting(backend, "month");
        let hamlet = json!({
            "code": "A3", "name": "Ấp Bốn", "level": "hamlet", "parent": "code:A",
            "valid_from": "2024-02-20"
        });
        admin.post_json("/v1/units", &hamlet).expect_status(201);
        // There on the last day of March, and not on those of January and February.
        m.submit("A3", "2024-03", json!({"x": 1}));
        let quarter = m.completeness("A", "2024-Q1");
        assert_eq!(counts(&quarter["total"]), "10 1 0 1 9 6");
        let own = &quarter["children"][2]["own_periods"];
        assert_eq!((counts(own), &quarter["children"][2]["unit"]["code"]), ("1 1 0 1 0 0".to_owned(), &json!("A3")));

        // From April on hamlets alone submit, and have no deadline any more.
        let mut later = form(&["x"]);
        later["frequency"] = json!("month");
        later["submitted_by"] = json!(["hamlet"]);
        later["valid_from"] = json!("2024-03-15");
        admin.replace("/v1/forms/m", &later).expect_status(200);
        let half = m.completeness("A", "2024-H1");
        assert_eq!(counts(&half["total"]), "19 1 0 1 18 6");
        assert_eq!(counts(&half["own_periods"]), "3 0 0 0 3 0");
        assert_eq!(half["own"], no_status(true));
        assert_eq!(m.completeness("A", "2024-Q2")["own"], no_status(false));
    }

    fn weeks_make_a_month_and_a_year(backend) {
        let (_server, _, m) = reporting(backend, "week");
        for week in ["2024-W05", "2024-W06", "2024-W52"] {
            m.submit("A1", week, json!({"x": 1}));
        }
        assert_eq!(counts(&m.completeness("T", "2024-02")["total"]), "25 2 0 2 23 13");
        assert_eq!(counts(&m.completeness("A1", "2024")["total"]), "52 3 0 3 49 49");
    }

    fn a_longer_period_is_told_to_those_who_may_read_it(backend) {
        let (server, admin, _) = reporting(backend, "month");
        server.create_account("test", "hamlet", &["reporter@code:A1"]);
        let hamlet = server.sign_in("test", "hamlet");
        let path = |unit: &str, period: &str| {
            format!("/v1/forms/m/periods/{period}/units/code:{unit}/completeness")
        };
        hamlet.get(&path("A1", "2024-Q1")).expect_status(200);
        hamlet.get(&path("A", "2024-Q1")).expect_problem(403, "NOT_ALLOWED");
        admin.get(&path("A", "2024-W01")).expect_problem(404, "PERIOD_NOT_FOUND");
    }

    fn a_year_of_weeks_is_read_in_one_statement(backend) {
        statements::record();
        let (server, _, m) = reporting(backend, "week");
        m.submit("A1", "2024-W05", json!({"x": 1}));
        let sent = statements::sent_during(&server, || {
            m.completeness("T", "2024");
        });
        assert_eq!(statements::about(&sent, "submission"), 1, "{sent:#?}");
    }
}
