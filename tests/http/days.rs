//! Days and other query parameters: accepted exactly as the API document describes them.

use crate::harness::town::{Town, form, indicator};
use serde_json::{Value, json};

/// What is no day: written another way, out of the calendar, before 1900 or after 2199.
const NO_DAYS: [&str; 10] = [
    "26-1-2",
    "2026-1-2",
    " 2026-01-02",
    "-26-01-02",
    "-4800-01-02",
    "+10000-01-01",
    "2026-02-30",
    "1899-12-31",
    "2200-01-01",
    "",
];

const PARAMETERS: [(&str, &str); 10] = [
    ("/v1/units", "as_of"),
    ("/v1/units/code:A", "as_of"),
    ("/v1/indicators", "as_of"),
    ("/v1/indicators/x", "as_of"),
    ("/v1/me/tasks", "until"),
    ("/v1/forms", "as_of"),
    ("/v1/forms/f", "as_of"),
    ("/v1/forms/f/periods/2024/units/code:T/rollup", "as_of"),
    (
        "/v1/forms/f/periods/2024/units/code:T/completeness",
        "as_of",
    ),
    (
        "/v1/forms/f/units/code:T/series?indicator=x&from=2024&to=2024",
        "as_of",
    ),
];

fn encoded(day: &str) -> String {
    day.replace('+', "%2B").replace(' ', "%20")
}

/// A body for each place in which a request has a day, with the day put in.
fn bodies(day: &str) -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let unit = |field: &str| {
        let mut unit = json!({"code": "N", "name": "N", "level": "hamlet", "parent": "code:A"});
        unit[field] = json!(day);
        unit
    };
    let level = |field: &str| {
        let mut level = json!({"name": {"vi": "Tổ"}, "rank": 50});
        level[field] = json!(day);
        level
    };
    let mut of_day = indicator("sum");
    of_day["valid_from"] = json!(day);
    let mut version = form(&["x"]);
    version["valid_from"] = json!(day);
    let window = |field: &str| {
        let mut windows = form(&["x"]);
        let fields = windows.as_object_mut().unwrap();
        fields.remove("calendar");
        fields.remove("frequency");
        windows["windows"] = json!([{"key": "2025-tet", "from": "2025-01-10", "to": "2025-02-20"}]);
        windows["windows"][0][field] = json!(day);
        windows
    };
    let steps = json!([{"op": "rename", "unit": "code:A", "name": "Xã B"}]);
    let document = json!({"effective": day, "legal_basis": "Nghị quyết", "steps": steps});
    vec![
        ("POST", "/v1/units", unit("valid_from"), "/valid_from"),
        ("POST", "/v1/units", unit("valid_to"), "/valid_to"),
        ("PUT", "/v1/levels/team", level("valid_from"), "/valid_from"),
        ("PUT", "/v1/levels/team", level("valid_to"), "/valid_to"),
        ("PUT", "/v1/indicators/new", of_day, "/valid_from"),
        ("PUT", "/v1/forms/new", version, "/valid_from"),
        ("PUT", "/v1/forms/new", window("from"), "/windows/0/from"),
        ("PUT", "/v1/forms/new", window("to"), "/windows/0/to"),
        (
            "POST",
            "/v1/reorganisations",
            document.clone(),
            "/effective",
        ),
        (
            "POST",
            "/v1/reorganisations/preview",
            document,
            "/effective",
        ),
    ]
}

on_both_backends! {
    fn a_day_in_a_query_is_written_in_one_way(backend) {
        let (_server, admin, _) = Town::new(backend).indicators(&[("x", "sum")]).form("f", "year").build();
        let english = admin.with("Accept-Language", "en");
        for (path, name) in PARAMETERS {
            let with = |day: &str| {
                let sign = if path.contains('?') { '&' } else { '?' };
                format!("{path}{sign}{name}={}", encoded(day))
            };
            for day in NO_DAYS {
                let faults = admin.get(&with(day)).expect_problem(400, "INVALID_PARAMETER");
                assert_eq!(faults, [format!("{name} INVALID_PARAMETER")], "{path} {day}");
            }
            let told = english.get(&with("26-1-2")).json();
            let detail = told["errors"][0]["detail"].as_str().unwrap();
            assert!(detail.contains("YYYY-MM-DD") && detail.contains("2199-12-31"), "{detail}");
            admin.get(&with("2026-01-02")).expect_status(200);
        }
        for day in ["1900-01-01", "2199-12-31"] {
            admin.get(&format!("/v1/units?as_of={day}")).expect_status(200);
            let unit = json!({
                "code": day, "name": "Ấp", "level": "hamlet", "parent": "code:A", "valid_from": day, "valid_to": day
            });
            let created = admin.post_json("/v1/units", &unit).expect_status(201).json();
            assert_eq!((&created["valid_from"], &created["valid_to"]), (&json!(day), &json!(day)));
        }
        for day in NO_DAYS {
            let path = format!("/v1/units/import?valid_from={}", encoded(day));
            admin.post_csv(&path, "code,name,level,parent_code\nN,N,hamlet,A\n").expect_problem(400, "INVALID_PARAMETER");
        }
    }

    fn a_day_in_a_body_is_written_in_one_way(backend) {
        let (_server, admin, _) = Town::new(backend).indicators(&[("x", "sum")]).form("f", "year").build();
        for day in NO_DAYS {
            for (method, path, body, pointer) in bodies(day) {
                let body = body.to_string();
                let answer = admin.send(method, path, Some("application/json"), body.as_bytes());
                let faults = answer.expect_problem(400, "INVALID_BODY");
                assert_eq!(faults, [format!("{pointer} INVALID_VALUE")], "{path} {day:?}");
            }
        }
        // All that is wrong is told at once.
        let body = json!({"code": "N", "name": 1, "level": "hamlet", "valid_from": "1-1-1", "valid_to": "2-2-2"});
        let faults = admin.post_json("/v1/units", &body).expect_problem(400, "INVALID_BODY");
        assert_eq!(faults, ["/name WRONG_TYPE", "/valid_from INVALID_VALUE", "/valid_to INVALID_VALUE"]);
    }

    fn when_a_window_is_due_is_written_in_one_way(backend) {
        let (_server, admin, _) = Town::new(backend).indicators(&[("x", "sum")]).form("f", "year").build();
        let mut windows = form(&["x"]);
        let fields = windows.as_object_mut().unwrap();
        fields.remove("calendar");
        fields.remove("frequency");
        for due in ["25-2-10", " 2025-02-10", "+12025-02-10", "2200-01-01", "9999-12-31T00:00:00Z"] {
            windows["windows"] = json!([{"key": "2025-tet", "from": "2025-01-10", "to": "2025-02-20", "due_at": due}]);
            let faults = admin.put("/v1/forms/new", &windows).expect_problem(422, "INVALID_FORM");
            assert_eq!(faults, ["/windows/0/due_at INVALID_VALUE"], "{due}");
        }
    }

    fn the_bounds_of_the_document_hold(backend) {
        let (_server, admin, _) = Town::new(backend).indicators(&[("x", "sum")]).form("f", "year").build();
        for year in ["-1", "0", "1899", "2200", "99999999999", "x", ""] {
            let path = format!("/v1/forms/f/periods?year={year}");
            let faults = admin.get(&path).expect_problem(400, "INVALID_PARAMETER");
            assert_eq!(faults, ["year INVALID_PARAMETER"], "{year}");
        }
        for year in ["1900", "2199"] {
            admin.get(&format!("/v1/forms/f/periods?year={year}")).expect_status(200);
        }
        for list in ["/v1/units", "/v1/indicators", "/v1/forms"] {
            for limit in ["0", "-1", "1001", "1.5"] {
                let answer = admin.get(&format!("{list}?limit={limit}"));
                assert_eq!(answer.expect_problem(400, "INVALID_PARAMETER"), ["limit INVALID_PARAMETER"], "{list} {limit}");
            }
        }
        let told = admin.get("/v1/forms/f/periods?year=-1").json();
        assert_eq!(told["detail"], "Tham số year là số nguyên từ 1900 đến 2199.");
    }
}
