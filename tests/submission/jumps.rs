//! Jumps: a total far from those of the unit's last four periods gets a warning, where the form asks
//! for it. The submitter sees it in a draft already, and the approver beside the submission.

use serde_json::{Value, json};

use crate::harness::report::{Report, Reports, value};
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Server};

fn monthly(backend: Backend, factor: impl Into<Value>) -> (Server, Client, Reports) {
    Town::new(backend)
        .indicators(&[("x", "sum"), ("y", "sum")])
        .form("f", "month")
        .with("jump_factor", factor)
        .build()
}

fn jumped(submission: &Value) -> Vec<&Value> {
    let warnings = submission["warnings"].as_array().unwrap().iter();
    let jumped = warnings.filter(|warning| warning["code"] == "VALUE_JUMPED");
    jumped.map(|warning| &warning["indicator"]).collect()
}

fn sent(report: &Report, unit: &str, x: i64) -> Value {
    report.submit(unit, &[value("x", x), value("y", 1)])
}

on_both_backends! {
    fn a_total_beyond_the_factor_of_the_mean_of_four_periods_is_warned_of(backend) {
        let (_server, admin, reports) = monthly(backend, 3);
        // The year's first month is compared with those of the year before.
        for (period, x) in [("2024-09", 900), ("2024-10", 10), ("2024-11", 11), ("2024-12", 11)] {
            assert!(jumped(&sent(&reports.of(period), "A1", x)).len() <= 1, "{period}");
        }
        sent(&reports.of("2025-01"), "A1", 11);
        let february = reports.of("2025-02");
        // The mean of 10, 11, 11 and 11 is 10.75; 900 is five months back.
        for (x, expected) in [(3, 1), (4, 0), (32, 0), (33, 1)] {
            let submitted = sent(&february, "A1", x);
            assert_eq!(jumped(&submitted), vec!["x"; expected], "{x}");
            assert_eq!(february.get("A1")["warnings"], submitted["warnings"], "{x}");
        }
        let draft = february.put("A1", &json!({"values": [value("x", 40)]})).expect_status(200);
        assert_eq!(jumped(&draft.json()), ["x"]);
        let approver = february.by(&admin.with("Accept-Language", "en")).get("A1");
        let text = approver["warnings"][0]["message_en"].as_str().unwrap();
        assert!(
            text.starts_with("Indicator (x): 40 cái is more than 3 times the mean of the last 4 reported periods (11 cái)."),
            "{text}"
        );
    }

    fn only_the_units_own_counting_totals_are_compared(backend) {
        let (_server, _admin, reports) = monthly(backend, 3);
        sent(&reports.of("2025-01"), "A1", 10);
        sent(&reports.of("2025-02"), "A2", 1000);
        let draft = json!({"values": [value("x", 500)]});
        reports.of("2025-02").put("A1", &draft).expect_status(201);
        let march = sent(&reports.of("2025-03"), "A1", 31);
        assert_eq!(jumped(&march), ["x"]);
        assert_eq!(march["warnings"][0]["message"].as_str().unwrap().matches("1 kỳ").count(), 1);
        // Nobody has reported before: there is nothing to differ from.
        assert!(jumped(&sent(&reports.of("2025-03"), "B1", 1_000_000)).is_empty());
    }

    fn without_a_factor_nobody_is_warned_and_a_wrong_one_is_refused(backend) {
        let (_server, admin, reports) = monthly(backend, Value::Null);
        sent(&reports.of("2025-01"), "A1", 1);
        assert!(jumped(&sent(&reports.of("2025-02"), "A1", 1_000_000)).is_empty());
        let mut form = admin.get("/v1/forms/f").expect_status(200).json();
        assert_eq!(form["jump_factor"], Value::Null);
        form.as_object_mut().unwrap().remove("code");
        for factor in [0, 1, 1001] {
            form["jump_factor"] = json!(factor);
            let refused = admin.with("If-Match", "*").put("/v1/forms/f", &form);
            assert_eq!(
                refused.expect_problem(422, "INVALID_FORM"),
                ["/jump_factor INVALID_VALUE"],
                "{factor}"
            );
        }
    }
}
