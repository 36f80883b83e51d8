//! Numbers as people write them: which are accepted, and what the message says about each wrong
//! one.

use serde_json::{Value, json};

use crate::harness::report::Report;
use crate::harness::town::{Town, indicator};
use crate::harness::{Backend, Client, Server};

/// The town with a yearly form `f` of the whole number `x` and of `rate`, which has two decimals.
fn reporting(backend: Backend) -> (Server, Client, Report) {
    let mut rate = indicator("average");
    rate["decimals"] = json!(2);
    Town::new(backend)
        .indicators(&[("x", "sum")])
        .indicator("rate", &rate)
        .form("f", "year")
        .build_for("2024")
}

/// The sentence about the first fault, in English.
#[track_caller]
fn told(admin: &Client, indicator: &str, value: Value) -> String {
    let report = Report::new(&admin.with("Accept-Language", "en"), "f");
    let refused = report.try_submit("A1", &[json!({"indicator": indicator, "value": value})]);
    let refused = refused.expect_status(422).json();
    refused["errors"][0]["detail"].as_str().unwrap().to_owned()
}

fn raw(admin: &Client, body: &str) -> Value {
    let path = Report::new(admin, "f").submission("A1");
    let client = admin.with("If-None-Match", "*");
    let answer = client.send("PUT", &path, Some("application/json"), body.as_bytes());
    answer.expect_status(400).json()
}

on_both_backends! {
    fn a_wrong_number_is_told_what_is_wrong_with_it(backend) {
        let (_server, admin, _) = reporting(backend);
        let decimals = told(&admin, "rate", json!("93.645"));
        assert!(decimals.contains("at most 2 decimals") && !decimals.contains("thousand"), "{decimals}");
        for (value, digits) in [("1.000", "1000"), ("1.562.410.000", "1562410000"), ("1,500,000", "1500000"), ("1 500", "1500")] {
            let thousands = told(&admin, "x", json!(value));
            assert!(thousands.contains("thousands") && thousands.contains(digits), "{thousands}");
        }
        for empty in ["", " "] {
            assert!(told(&admin, "x", json!(empty)).contains("is empty"));
        }
        assert!(told(&admin, "rate", json!("93,64")).contains("93.64"));
    }

    fn spaces_around_a_number_are_no_part_of_it(backend) {
        let (_server, _, report) = reporting(backend);
        report.submit("A1", &[json!({"indicator": "x", "value": " 1500000 "})]);
        assert_eq!(report.figure("A1", "x"), "1500000 1/1");
    }

    fn a_number_that_ends_in_three_zeros_may_be_a_thousand(backend) {
        let (_server, admin, report) = reporting(backend);
        let submit = |number: &str| {
            let number: Value = serde_json::from_str(number).unwrap();
            report.try_submit("A1", &[json!({"indicator": "x", "value": number})])
        };
        assert_eq!(submit("1.000").expect_problem(422, "INVALID_SUBMISSION"), ["/values/0/value TOO_MANY_DECIMALS"]);
        submit("5.0").expect_status(201);
        let again = |number: &str| {
            let number: Value = serde_json::from_str(number).unwrap();
            let values = json!({"values": [{"indicator": "x", "value": number}], "submit": true});
            admin.replace(&report.submission("A1"), &values).expect_status(200);
            report.figure("A1", "x")
        };
        // No point stands between thousands here.
        assert_eq!(again("0.000"), "0 1/1");
        assert_eq!(again("1000.000"), "1000 1/1");
    }

    fn a_target_is_told_what_is_wrong_with_it(backend) {
        let (_server, admin, _) = reporting(backend);
        let path = "/v1/forms/f/periods/2024/units/code:A/targets/x";
        let english = admin.with("Accept-Language", "en");
        let told = |value: &str| english.put(path, &json!({"value": value})).expect_status(422).json();
        let large = told("9223372036854775808");
        assert_eq!(large["code"], "VALUE_OUT_OF_RANGE");
        assert!(large["detail"].as_str().unwrap().contains("too large"), "{large}");
        let decimals = told("1.5");
        assert_eq!(decimals["code"], "TOO_MANY_DECIMALS");
        assert!(decimals["detail"].as_str().unwrap().contains("whole number"), "{decimals}");
        assert!(told("")["detail"].as_str().unwrap().contains("is empty"));
    }

    fn thousands_in_json_are_recognised(backend) {
        let (_server, admin, _) = reporting(backend);
        let problem = raw(&admin, "{\"values\": [\n  {\"indicator\": \"x\", \"value\": 1.562.410.000}]}");
        assert_eq!(problem["code"], "MALFORMED_JSON");
        assert_eq!(problem["detail"], "Số 1.562.410.000 ở dòng 2 có dấu ngăn cách hàng nghìn. Hãy viết liền: 1562410000.");
        let other = raw(&admin, "{\"values\": [1,]}");
        assert_eq!(other["detail"], "Nội dung không phải JSON đúng ở dòng 1, cột 15.");
    }

    fn one_fault_is_one_and_a_formula_is_told_in_one_language(backend) {
        let (_server, admin, _) = reporting(backend);
        let english = admin.with("Accept-Language", "en");
        let with = |formula: &str| json!({"name": {"vi": "Chỉ tiêu"}, "unit_of_measure": "%", "decimals": 2, "formula": formula});
        let one = english.put("/v1/indicators/y", &with("100 *")).expect_status(422).json();
        assert_eq!(one["detail"], "Nothing was written: the indicator has 1 fault.");
        let mut two = with("100 *");
        two["name"] = json!({"vi": ""});
        let two = english.put("/v1/indicators/y", &two).expect_status(422).json();
        assert_eq!(two["detail"], "Nothing was written: the indicator has 2 faults.");
        for formula in ["100 *", "x ! y", "abs(x)", "(x", "min(x)", "x[A]", "1..2", "received_from_below(x)"] {
            let told = admin.put("/v1/indicators/y", &with(formula)).expect_status(422).json();
            let detail = told["errors"][0]["detail"].as_str().unwrap().to_owned();
            let english = ["expected", "found", "is not", "there is", "allowed", "take", "at "];
            assert!(!english.iter().any(|word| detail.contains(word)), "{detail}");
        }
    }
}
