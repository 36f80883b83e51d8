//! Indicators and forms: what can be added and changed, what is fixed once values rest on it, and
//! every fault of what cannot be.

use serde_json::{Value, json};

use crate::harness::report::{Report, value};
use crate::harness::town::{Town, broken_down, form, indicator};
use crate::harness::{Backend, Server};

on_both_backends! {
    fn what_the_values_rest_on_is_fixed_once_they_are_there(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin
            .put("/v1/indicators/x", &broken_down(false, &["women"]))
            .expect_status(201);
        admin.put("/v1/forms/f", &form(&["x"])).expect_status(201);
        let with = |field: &str, value: Value| {
            let mut body = broken_down(false, &["women"]);
            body[field] = value;
            body
        };
        let changes = || {
            [
                with("decimals", json!(1)),
                with("unit_of_measure", json!("người")),
                with("across_units", json!("max")),
                with("across_time", json!("last")),
                with(
                    "breakdowns",
                    broken_down(true, &["women"])["breakdowns"].clone(),
                ),
                with("breakdowns", json!([])),
            ]
        };
        for change in changes() {
            admin
                .replace("/v1/indicators/x", &change)
                .expect_status(200);
        }
        admin
            .replace("/v1/indicators/x", &broken_down(false, &["women"]))
            .expect_status(200);
        // A draft is a value too.
        let report = Report::new(&admin, "f");
        report
            .put("A1", &json!({"values": [value("x", 1)]}))
            .expect_status(201);
        for change in changes() {
            admin
                .replace("/v1/indicators/x", &change)
                .expect_problem(409, "FIXED_ONCE_USED");
            let mut later = change;
            later["valid_from"] = json!("2030-01-01");
            admin
                .replace("/v1/indicators/x", &later)
                .expect_problem(409, "FIXED_ONCE_USED");
        }
        // Its name and its options are not.
        let mut renamed = broken_down(false, &["women", "young"]);
        renamed["name"] = json!({"vi": "Tên mới"});
        admin
            .replace("/v1/indicators/x", &renamed)
            .expect_status(200);
        assert_eq!(
            admin.get("/v1/indicators/x").json()["name"],
            json!({"vi": "Tên mới", "en": null})
        );
        assert_eq!(report.figure("A1", "x/young"), "null 0/1");
    }
}

#[test]
fn every_fault_of_an_indicator_is_told() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum"), ("y", "sum")]);
    let faults = |code: &str, body: &Value| {
        let refused = admin.put(&format!("/v1/indicators/{code}"), body);
        refused.expect_problem(422, "INVALID_INDICATOR")
    };
    let mut wrong = broken_down(true, &["a", "a", "B"]);
    wrong["name"] = json!({"vi": " ", "en": "a\u{0}"});
    wrong["unit_of_measure"] = json!("");
    let kind = wrong["breakdowns"][0].clone();
    let empty = json!({"code": "E", "closed": false, "options": []});
    wrong["breakdowns"] = json!([kind, kind, empty]);
    assert_eq!(
        faults("Docs", &wrong),
        [
            "/breakdowns/0/options/1/code INVALID_CODE",
            "/breakdowns/0/options/2/code INVALID_CODE",
            "/breakdowns/1/code INVALID_CODE",
            "/breakdowns/1/options/0/code INVALID_CODE",
            "/breakdowns/1/options/1/code INVALID_CODE",
            "/breakdowns/1/options/2/code INVALID_CODE",
            "/breakdowns/2/code INVALID_CODE",
            "/breakdowns/2/options INVALID_VALUE",
            "/name/en INVALID_TEXT",
            "/name/vi INVALID_TEXT",
            "/unit_of_measure INVALID_TEXT",
            "indicator INVALID_CODE",
        ]
    );
    let bare = json!({"name": {"vi": "a"}, "unit_of_measure": "cái", "decimals": 0});
    assert_eq!(
        faults("z", &bare),
        ["/across_time MISSING_FIELD", "/across_units MISSING_FIELD"]
    );
    let derived = |formula: &str| {
        let mut body = bare.clone();
        body["formula"] = json!(formula);
        body
    };
    let mut both = derived("x / y");
    both["across_units"] = json!("sum");
    assert_eq!(faults("z", &both), ["/formula INVALID_VALUE"]);
    for unread in ["x +", "(x", "x ** y", "", "x / 'y'"] {
        assert_eq!(
            faults("z", &derived(unread)),
            ["/formula INVALID_FORMULA"],
            "{unread}"
        );
    }
    assert_eq!(
        faults("z", &derived("x / p + q")),
        ["/formula UNKNOWN_INDICATOR", "/formula UNKNOWN_INDICATOR"]
    );
    assert_eq!(
        faults("z", &derived("z + 1")),
        ["/formula CIRCULAR_FORMULA"]
    );
    admin
        .put("/v1/indicators/one", &derived("x + y"))
        .expect_status(201);
    admin
        .put("/v1/indicators/two", &derived("one * 2"))
        .expect_status(201);
    let circular = admin.replace("/v1/indicators/one", &derived("two + x"));
    assert_eq!(
        circular.expect_problem(422, "INVALID_INDICATOR"),
        ["/formula CIRCULAR_FORMULA"]
    );
    assert_eq!(admin.get("/v1/indicators/one").json()["formula"], "x + y");
    // A version holds from its day on.
    let mut later = indicator("sum");
    later["name"] = json!({"vi": "Sau"});
    later["valid_from"] = json!("2025-01-01");
    admin.replace("/v1/indicators/x", &later).expect_status(200);
    let name = |day: &str| {
        admin.get(&format!("/v1/indicators/x?as_of={day}")).json()["name"]["vi"].clone()
    };
    assert_eq!(name("2024-12-31"), "Chỉ tiêu");
    assert_eq!(name("2025-01-01"), "Sau");
    admin
        .get("/v1/indicators/nothing")
        .expect_problem(404, "INDICATOR_NOT_FOUND");
}

#[test]
fn every_fault_of_a_form_is_told() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum"), ("y", "sum")]);
    let rate = json!({
        "name": {"vi": "Tỷ lệ"}, "unit_of_measure": "%", "decimals": 1, "formula": "100 * x / y"
    });
    admin.put("/v1/indicators/rate", &rate).expect_status(201);
    let message = json!({"vi": "Sai"});
    let wrong = json!({
        "name": {"vi": ""}, "calendar": "statutory", "frequency": "year",
        "submitted_by": ["hamlet", "ward"], "deadlines": {"ward": 1},
        "outline": [
            {"number": "I", "title": {"vi": "a"}, "items": [
                {"indicator": "x"}, {"indicator": "nothing"}, {"indicator": "x"},
                {"indicator": "rate", "collected_at": ["ward"]}
            ]},
            {"number": "I", "title": {"vi": ""}, "sections": [{"number": "a b", "title": {"vi": "b"}}]}
        ],
        "rules": [
            {"code": "SAME", "severity": "error", "expression": "x < 1", "message": message},
            {"code": "SAME", "severity": "error", "expression": "x ~ 1", "message": message},
            {"code": "lower", "severity": "warning", "expression": "z < 1", "message": {"vi": ""}},
            {"code": "PERIOD_RUNNING", "severity": "warning", "expression": "x < 1", "message": message}
        ]
    });
    let refused = admin.put("/v1/forms/F", &wrong);
    assert_eq!(
        refused.expect_problem(422, "INVALID_FORM"),
        [
            "/deadlines/ward UNKNOWN_LEVEL",
            "/name/vi INVALID_TEXT",
            "/outline UNKNOWN_INDICATOR",
            "/outline/0/items/1/indicator UNKNOWN_INDICATOR",
            "/outline/0/items/2/indicator DUPLICATE",
            "/outline/0/items/3/collected_at/0 UNKNOWN_LEVEL",
            "/outline/1/number INVALID_CODE",
            "/outline/1/sections/0/number INVALID_CODE",
            "/outline/1/title/vi INVALID_TEXT",
            "/rules/1/code INVALID_CODE",
            "/rules/1/expression INVALID_FORMULA",
            "/rules/2/code INVALID_CODE",
            "/rules/2/expression UNKNOWN_INDICATOR",
            "/rules/2/message/vi INVALID_TEXT",
            "/rules/3/code INVALID_CODE",
            "/submitted_by/1 UNKNOWN_LEVEL",
            "form INVALID_CODE",
        ]
    );
    let mut nobody = form(&["x"]);
    nobody["submitted_by"] = json!([]);
    assert_eq!(
        admin
            .put("/v1/forms/g", &nobody)
            .expect_problem(422, "INVALID_FORM"),
        ["/submitted_by INVALID_VALUE"]
    );
    admin
        .get("/v1/forms/g")
        .expect_problem(404, "FORM_NOT_FOUND");
}

#[test]
fn a_form_s_version_holds_from_its_day_on_and_gives_its_periods() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum"), ("y", "sum")]);
    let mut first = form(&["x"]);
    first["valid_from"] = json!("2023-12-15");
    let created = admin.put("/v1/forms/f", &first).expect_status(201);
    assert_eq!(created.json()["valid_from"], "2023-12-15");
    assert_eq!(
        created.json()["outline"][0]["items"][0],
        json!({
            "indicator": "x", "collected_at": null, "required": false, "show": "total",
            "from_form": null
        })
    );
    let mut quarterly = form(&["x", "y"]);
    quarterly["frequency"] = json!("quarter");
    quarterly["valid_from"] = json!("2024-12-15");
    admin.replace("/v1/forms/f", &quarterly).expect_status(200);
    let periods = |year: i32| {
        let list = admin.get(&format!("/v1/forms/f/periods?year={year}"));
        let list = list.expect_status(200).json();
        let items = list["items"].as_array().unwrap().iter();
        let keys: Vec<String> = items
            .map(|item| {
                format!(
                    "{} {}",
                    item["key"].as_str().unwrap(),
                    item["to"].as_str().unwrap()
                )
            })
            .collect();
        keys.join(", ")
    };
    assert_eq!(periods(2023), "");
    assert_eq!(periods(2024), "2024 2024-12-14");
    assert_eq!(
        periods(2025),
        "2025-Q1 2025-03-14, 2025-Q2 2025-06-14, 2025-Q3 2025-09-14, 2025-Q4 2025-12-14"
    );
    admin
        .get("/v1/forms/f/periods/2025-01/units/code:A/rollup")
        .expect_problem(404, "PERIOD_NOT_FOUND");
    admin
        .get("/v1/forms/f?as_of=2023-12-14")
        .expect_problem(404, "FORM_NOT_FOUND");
    let frequency =
        |day: &str| admin.get(&format!("/v1/forms/f?as_of={day}")).json()["frequency"].clone();
    assert_eq!(frequency("2024-12-14"), "year");
    assert_eq!(frequency("2024-12-15"), "quarter");
    let report = Report::of(&admin, "f", "2025-Q1");
    report.submit("A1", &[value("y", 4)]);
    assert_eq!(report.figure("T", "y"), "4 1/5");
    assert_eq!(
        Report::of(&admin, "f", "2025-Q2").figure("T", "y"),
        "null 0/5"
    );
}

#[test]
fn a_year_whose_months_are_in_use_cannot_become_one_of_quarters() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum")]);
    let mut monthly = form(&["x"]);
    monthly["frequency"] = json!("month");
    monthly["calendar"] = json!("civil");
    admin.put("/v1/forms/m", &monthly).expect_status(201);
    Report::of(&admin, "m", "2024-01").submit("A1", &[value("x", 10)]);
    let mut quarterly = monthly.clone();
    quarterly["frequency"] = json!("quarter");
    for (valid_from, status) in [("2024-07-01", 409), ("2025-01-01", 200)] {
        quarterly["valid_from"] = json!(valid_from);
        admin
            .replace("/v1/forms/m", &quarterly)
            .expect_status(status);
    }
    assert_eq!(Report::of(&admin, "m", "2024").figure("T", "x"), "10 1/60");
}

#[test]
fn formulas_lie_no_deeper_and_grow_no_larger_than_people_can_read() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum")]);
    let derived = |formula: &str| {
        json!({
            "name": {"vi": "Công thức"}, "unit_of_measure": "cái", "decimals": 0, "formula": formula
        })
    };
    let put =
        |code: &str, formula: &str| admin.put(&format!("/v1/indicators/{code}"), &derived(formula));
    put("d0", "x").expect_status(201);
    for depth in 1..10 {
        put(&format!("d{depth}"), &format!("d{}", depth - 1)).expect_status(201);
    }
    put("d10", "d9").expect_problem(422, "INVALID_INDICATOR");
    let product = ["x"; 100].join(" * ");
    put("wide", &product).expect_status(201);
    let product = ["wide"; 11].join(" * ");
    put("wider", &product).expect_problem(422, "INVALID_INDICATOR");
}

#[test]
fn a_closed_breakdown_cannot_come_over_values_that_have_none() {
    let (_server, admin, _) = Town::new(Backend::Sqlite)
        .indicators(&[("x", "sum")])
        .form("f", "year")
        .build();
    Report::new(&admin, "f").submit("A1", &[value("x", 20)]);
    let mut broken_down = indicator("sum");
    broken_down["breakdowns"] = json!([{
        "code": "sex", "closed": true, "options": [{"code": "women", "name": {"vi": "Nữ"}}]
    }]);
    admin
        .replace("/v1/indicators/x", &broken_down)
        .expect_problem(409, "FIXED_ONCE_USED");
}
