//! Targets: a change names the state it builds on, a repeated request sets a target once, and what
//! a target rests on is fixed as it is for values.

use serde_json::{Value, json};

use crate::harness::report::{Reports, option, value};
use crate::harness::town::{Town, broken_down, form, formula, indicator};
use crate::harness::{Backend, Client, Server};

/// The town with a monthly form `m` of `x`, which has the options `women` and `young`, of `y` and
/// of the formula `f`.
fn reporting(backend: Backend) -> (Server, Client, Reports) {
    Town::new(backend)
        .indicator("x", &broken_down(false, &["women", "young"]))
        .indicators(&[("y", "sum")])
        .indicator("f", &formula("x / y", 2))
        .form("m", "month")
        .build()
}

fn monthly(indicators: &[&str]) -> Value {
    let mut body = form(indicators);
    body["frequency"] = json!("month");
    body
}

fn path(period: &str, unit: &str, figure: &str) -> String {
    format!("/v1/forms/m/periods/{period}/units/code:{unit}/targets/{figure}")
}

fn body(number: impl Into<Value>) -> Value {
    json!({"value": number.into()})
}

on_both_backends! {
    fn a_target_is_read_with_the_state_that_a_change_of_it_builds_on(backend) {
        let (server, admin, _) = reporting(backend);
        let path = path("2024-Q1", "A1", "x?option=women");
        admin.get(&path).expect_problem(404, "TARGET_NOT_FOUND");
        let put = admin.put(&path, &body(100)).expect_status(201);
        let target = admin.get(&path).expect_status(200);
        assert_eq!(target.json(), put.json());
        assert_eq!(target.json()["option"], "women");
        assert_eq!(target.etag(), put.etag());
        // The place that the answer names is this one; the total is another.
        let place = put.header("location").unwrap();
        assert_eq!(admin.get(place).expect_status(200).json(), put.json());
        admin.get(path.split('?').next().unwrap()).expect_problem(404, "TARGET_NOT_FOUND");

        let first = target.etag().to_owned();
        assert_eq!(admin.with("If-None-Match", &first).get(&path).status, 304);
        admin.replace(&path, &body(120)).expect_status(200);
        admin.with("If-Match", &first).put(&path, &body(1)).expect_problem(412, "PRECONDITION_FAILED");
        let changed = admin.with("If-None-Match", &first).get(&path).expect_status(200);
        assert_eq!(changed.json()["value"], 120);
        // What was taken back has a state too.
        admin.replace(&path, &body(Value::Null)).expect_status(200);
        let taken_back = admin.get(&path).expect_status(200);
        assert_eq!(taken_back.json()["value"], Value::Null);
        admin.put(&path, &body(5)).expect_problem(428, "PRECONDITION_REQUIRED");
        admin.replace(&path, &body(5)).expect_status(200);

        for (login, grant, status) in [
            ("own", "reporter@code:A1", 200), ("above", "viewer@code:T", 200), ("beside", "viewer@code:A2", 403),
        ] {
            server.create_account("test", login, &[grant]);
            server.sign_in("test", login).get(&path).expect_status(status);
        }
        let unknown = path.replace("women", "men");
        assert_eq!(
            admin.get(&unknown).expect_problem(422, "UNKNOWN_INDICATOR"),
            ["indicator UNKNOWN_INDICATOR"]
        );
    }

    fn a_target_for_an_option_stands_beside_that_option_alone(backend) {
        let (_server, admin, m) = reporting(backend);
        let values = [value("x", 60), option("x", "women", 15)];
        m.of("2024-02").submit("A1", &values);
        let quarter = m.of("2024-Q1");
        let targets = |unit: &str| {
            ["x", "x/women", "x/young"].map(|name| quarter.cell(unit, name)["target"].to_string())
        };
        let women = path("2024-Q1", "A", "x?option=women");
        let total = path("2024-Q1", "A", "x");
        let put = admin.put(&women, &body(40)).expect_status(201);
        assert_eq!(targets("A"), ["null", r#"{"share":37.5,"value":40}"#, "null"]);
        // The total's is another target: it is new, and the option's state is not its own.
        let of_total = admin.put(&total, &body(80)).expect_status(201);
        assert_eq!(of_total.json()["option"], Value::Null);
        admin
            .with("If-Match", of_total.etag())
            .put(&women, &body(30))
            .expect_problem(412, "PRECONDITION_FAILED");
        admin.with("If-Match", put.etag()).put(&women, &body(30)).expect_status(200);
        let (both, of_young) = (
            [r#"{"share":75,"value":80}"#, r#"{"share":50,"value":30}"#],
            r#"{"share":null,"value":1}"#,
        );
        admin.put(&path("2024-Q1", "A", "x?option=young"), &body(1)).expect_status(201);
        assert_eq!(targets("A"), [both[0], both[1], of_young]);
        assert_eq!(targets("A1"), ["null"; 3]);
        // One is taken back and the others stay.
        admin.replace(&total, &body(Value::Null)).expect_status(200);
        assert_eq!(targets("A"), ["null", both[1], of_young]);
    }

    fn a_target_that_is_sent_twice_with_its_key_is_set_once(backend) {
        let (_server, admin, _) = reporting(backend);
        let keyed = admin.with("Idempotency-Key", "plan-2024");
        let path = path("2024", "A", "y");
        let first = keyed.put(&path, &body(10)).expect_status(201);
        assert_eq!(first.header("idempotency-replayed"), None);
        // Sent again it needs no condition, and what came in between stays.
        admin.replace(&path, &body(20)).expect_status(200);
        let again = keyed.put(&path, &body(10)).expect_status(201);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!((again.etag(), &again.text), (first.etag(), &first.text));
        assert_eq!(admin.get(&path).json()["value"], 20);
        keyed.put(&path, &body(11)).expect_problem(422, "IDEMPOTENCY_KEY_REUSED");

        // The key says which option as well, and a refusal leaves it free.
        let of_option = self::path("2024", "A", "x?option=women");
        let other = admin.with("Idempotency-Key", "other");
        other.put(&of_option, &body(1.5)).expect_problem(422, "TOO_MANY_DECIMALS");
        other.put(&of_option, &body(1)).expect_status(201);
        other.put(&of_option.replace("women", "young"), &body(1)).expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
    }

    fn what_a_target_rests_on_is_fixed_as_with_values(backend) {
        let (_server, admin, m) = reporting(backend);
        let changed = |field: &str, value: Value| {
            let mut body = broken_down(false, &["women", "young"]);
            body[field] = value;
            body
        };
        let changes = || [
            changed("decimals", json!(1)),
            changed("unit_of_measure", json!("người")),
            changed("across_units", json!("max")),
            changed("breakdowns", broken_down(true, &["women", "young"])["breakdowns"].clone()),
            changed("breakdowns", json!([])),
            // The option that the target is for.
            broken_down(false, &["young"]),
        ];
        let path = path("2024-Q1", "A", "x?option=women");
        admin.put(&path, &body(100)).expect_status(201);
        for change in changes() {
            let answer = admin.replace("/v1/indicators/x", &change);
            answer.expect_problem(409, "FIXED_ONCE_USED");
        }
        let mut later = changed("decimals", json!(1));
        later["valid_from"] = json!("2030-01-01");
        admin.replace("/v1/indicators/x", &later).expect_problem(409, "FIXED_ONCE_USED");
        // What the target does not rest on may change.
        admin.replace("/v1/indicators/x", &broken_down(false, &["women", "old"])).expect_status(200);
        admin.replace("/v1/indicators/y", &indicator("max")).expect_status(200);
        let cell = m.of("2024-Q1").cell("A", "x/women");
        assert_eq!(cell["target"]["value"], 100);

        // A formula may become another, with the decimals of its target.
        admin.put(&self::path("2024", "A", "f"), &body(json!(0.25))).expect_status(201);
        admin.replace("/v1/indicators/f", &formula("x / y", 1)).expect_problem(409, "FIXED_ONCE_USED");
        admin.replace("/v1/indicators/f", &formula("y / x", 2)).expect_status(200);

        admin.replace(&path, &body(Value::Null)).expect_status(200);
        for change in changes() {
            admin.replace("/v1/indicators/x", &change).expect_status(200);
        }
    }

    fn a_form_keeps_the_periods_and_the_indicators_of_its_targets(backend) {
        let (_server, admin, _) = reporting(backend);
        let path = path("2024-Q1", "A", "y");
        admin.put(&path, &body(100)).expect_status(201);
        let with = |field: &str, value: Value| {
            let mut body = monthly(&["x", "y", "f"]);
            body[field] = value;
            body
        };
        let changes = || [
            with("frequency", json!("quarter")),
            with("frequency", json!("year")),
            with("calendar", json!("civil")),
            monthly(&["x"]),
        ];
        for change in changes() {
            let answer = admin.replace("/v1/forms/m", &change);
            assert!(answer.text.contains("2024-Q1"), "{}", answer.text);
            answer.expect_problem(409, "FIXED_ONCE_USED");
        }
        // Who submits is of no matter to a target, nor what stands beside it, nor later periods.
        admin.replace("/v1/forms/m", &with("submitted_by", json!(["hamlet"]))).expect_status(200);
        admin.replace("/v1/forms/m", &monthly(&["y"])).expect_status(200);
        let mut later = with("frequency", json!("quarter"));
        later["valid_from"] = json!("2024-12-15");
        admin.replace("/v1/forms/m", &later).expect_status(200);
        assert_eq!(admin.get(&path).expect_status(200).json()["value"], 100);

        admin.replace(&path, &body(Value::Null)).expect_status(200);
        for change in changes() {
            admin.replace("/v1/forms/m", &change).expect_status(200);
        }
    }
}
