//! Bounds of indicators: a value outside them is refused, an unusual one gets a warning, and a
//! form's author may only set bounds that make sense.

use serde_json::{Value, json};

use crate::harness::report::{Report, option, value};
use crate::harness::town::{Town, broken_down, indicator};
use crate::harness::{Backend, Client, Server};

/// The town with the forms `f` of the indicators `x`, from 0 to 100 and usually from 5 to 50.5, and
/// `b`, from 10 to 100 with the options `m` and `n` that make it up.
fn reporting(backend: Backend) -> (Server, Client, Report) {
    let mut closed = broken_down(true, &["m", "n"]);
    closed["minimum"] = json!(10);
    closed["maximum"] = json!("100");
    Town::new(backend)
        .indicator("x", &bounded())
        .indicator("b", &closed)
        .form("f", "year")
        .build_for("2024")
}

fn bounded() -> Value {
    let mut bounded = indicator("average");
    bounded["decimals"] = json!(1);
    bounded["across_time"] = json!("last");
    bounded["minimum"] = json!(0);
    bounded["maximum"] = json!(100);
    bounded["usual"] = json!({"from": 5, "to": "50.5"});
    bounded
}

fn unusual(submission: &Value) -> Vec<&Value> {
    let warnings = submission["warnings"].as_array().unwrap().iter();
    let unusual = warnings.filter(|warning| warning["code"] == "VALUE_UNUSUAL");
    unusual.map(|warning| &warning["indicator"]).collect()
}

on_both_backends! {
    fn a_value_beyond_what_can_be_is_refused_where_it_stands(backend) {
        let (_server, admin, report) = reporting(backend);
        let refused = |values: &[Value]| {
            let submitted = report.try_submit("A1", values).expect_problem(422, "INVALID_SUBMISSION");
            let kept = report.put("A1", &json!({"values": values}));
            assert_eq!(kept.expect_problem(422, "INVALID_SUBMISSION"), submitted);
            submitted
        };
        for beyond in [json!(-0.1), json!("100.1"), json!(-5), json!(15000)] {
            assert_eq!(refused(&[value("x", beyond)]), ["/values/0/value VALUE_OUT_OF_RANGE"]);
        }
        // An option is a part: it may be less than the least total, and not less than nothing.
        assert_eq!(
            refused(&[option("b", "m", -1), option("b", "n", 101), value("x", 101)]),
            [
                "/values/0/value VALUE_OUT_OF_RANGE", "/values/1/value VALUE_OUT_OF_RANGE",
                "/values/2/value VALUE_OUT_OF_RANGE",
            ]
        );
        for (m, n) in [(60, 41), (4, 5)] {
            let computed = report.try_submit("A1", &[option("b", "m", m), option("b", "n", n)]);
            assert_eq!(computed.expect_problem(422, "INVALID_SUBMISSION"), ["/values VALUE_OUT_OF_RANGE"]);
        }
        report.submit("A1", &[option("b", "m", 0), option("b", "n", 10), value("x", 0)]);
        report.submit("A1", &[option("b", "m", 40), option("b", "n", 60), value("x", 100)]);
        let english = admin.with("Accept-Language", "en");
        let told = report.by(&english).try_submit("A1", &[value("x", -5)]).json();
        assert_eq!(
            told["errors"][0]["detail"],
            "Indicator (x): -5 cái is less than the least it can be, 0 cái. Check the number and its unit of measure."
        );
    }

    fn a_value_beyond_what_is_usual_is_taken_with_a_warning(backend) {
        let (_server, _admin, report) = reporting(backend);
        for (number, expected) in [("4.9", 1), ("5", 0), ("50.5", 0), ("50.6", 1)] {
            let submitted = report.submit("A1", &[value("x", number)]);
            assert_eq!(unusual(&submitted), vec!["x"; expected], "{number}");
            assert_eq!(report.get("A1")["warnings"], submitted["warnings"]);
        }
        let draft = report.put("A1", &json!({"values": [value("x", 3)]})).expect_status(200).json();
        assert_eq!(unusual(&draft), ["x"]);
        let text = draft["warnings"][0]["message_en"].as_str().unwrap();
        assert!(text.starts_with("Indicator (x): 3 cái is less than usual (from 5 cái on)."), "{text}");
    }

    fn bounds_are_a_version_s_and_change_once_there_are_values(backend) {
        let (_server, admin, report) = reporting(backend);
        report.submit("A1", &[value("x", 90)]);
        report.put("A2", &json!({"values": [value("x", 90)]})).expect_status(201);
        let mut narrower = bounded();
        narrower["maximum"] = json!(50);
        narrower["usual"] = Value::Null;
        narrower["valid_from"] = json!("2024-12-15");
        admin.replace("/v1/indicators/x", &narrower).expect_status(200);
        report.submit("A1", &[value("x", 91)]);
        let later = Report::of(&admin, "f", "2025");
        let refused = later.try_submit("A1", &[value("x", 91)]);
        assert_eq!(refused.expect_problem(422, "INVALID_SUBMISSION"), ["/values/0/value VALUE_OUT_OF_RANGE"]);
        // A draft may be older than the bounds.
        narrower["valid_from"] = Value::Null;
        admin.replace("/v1/indicators/x", &narrower).expect_status(200);
        let refused = report.step("A2", "submit");
        assert_eq!(refused.expect_problem(422, "INVALID_SUBMISSION"), ["/values VALUE_OUT_OF_RANGE"]);
        assert_eq!(report.figure("A", "x"), "91 1/3");
    }

    fn bounds_are_numbers_of_their_indicator_in_order(backend) {
        let (_server, admin, _report) = reporting(backend);
        let shown = admin.get("/v1/indicators/x").json();
        let fields = ["minimum", "maximum", "usual"].map(|field| shown[field].clone());
        assert_eq!(fields, [json!(0), json!(100), json!({"from": 5, "to": 50.5})]);
        let open = admin.put("/v1/indicators/o", &indicator("sum")).expect_status(201).json();
        assert_eq!(["minimum", "maximum", "usual"].map(|field| open[field].clone()), [Value::Null, Value::Null, Value::Null]);
        let refused = |changes: Value| {
            let mut body = bounded();
            body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            admin.put("/v1/indicators/n", &body).expect_problem(422, "INVALID_INDICATOR")
        };
        assert_eq!(
            refused(json!({"minimum": "0.25", "maximum": "1e30", "usual": {"from": "a", "to": "1,5"}})),
            [
                "/maximum VALUE_OUT_OF_RANGE", "/minimum TOO_MANY_DECIMALS", "/usual/from INVALID_NUMBER",
                "/usual/to INVALID_NUMBER",
            ]
        );
        assert_eq!(refused(json!({"minimum": 5, "maximum": 4})), ["/maximum INVALID_VALUE"]);
        assert_eq!(refused(json!({"usual": {"from": 3, "to": 2}})), ["/usual/to INVALID_VALUE"]);
        assert_eq!(refused(json!({"usual": {}})), ["/usual INVALID_VALUE"]);
        let derived = json!({
            "name": {"vi": "Tính"}, "unit_of_measure": "%", "decimals": 1, "formula": "x / b",
            "minimum": 0, "maximum": 100, "usual": {"to": 50}
        });
        assert_eq!(
            admin.put("/v1/indicators/d", &derived).expect_problem(422, "INVALID_INDICATOR"),
            ["/maximum INVALID_VALUE", "/minimum INVALID_VALUE", "/usual INVALID_VALUE"]
        );
    }

    fn a_target_is_one_that_figures_can_reach(backend) {
        let (_server, admin, _report) = reporting(backend);
        let set = |figure: &str, number: Value| {
            let path = format!("/v1/forms/f/periods/2024/units/code:T/targets/{figure}");
            let answer = admin.put(&path, &json!({"value": number}));
            match answer.status {
                201 => "set".to_owned(),
                _ => answer.expect_problem(422, "VALUE_OUT_OF_RANGE").concat(),
            }
        };
        let refused = "/value VALUE_OUT_OF_RANGE";
        // An average lies where its values do; what adds up is only not negative.
        assert_eq!(["-1", "100.1", "100"].map(|number| set("x", json!(number))), [refused, refused, "set"]);
        assert_eq!(["-1", "9000"].map(|number| set("b", json!(number))), [refused, "set"]);
    }
}

#[test]
fn no_value_that_the_demo_collects_is_negative() {
    let server = Server::with_demo(Backend::Sqlite);
    let admin = server.sign_in("mttq-an-giang", "admin@demo");
    let indicators = admin
        .get("/v1/indicators?limit=1000")
        .expect_status(200)
        .json();
    for indicator in indicators["items"].as_array().unwrap() {
        let least = if indicator["formula"].is_null() {
            json!(0)
        } else {
            Value::Null
        };
        assert_eq!(indicator["minimum"], least, "{indicator}");
    }
}
