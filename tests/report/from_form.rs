//! Figures that a form takes from another one (`from_form`): they are typed once, shown and rolled up
//! on both, and the same in every answer.

use serde_json::{Value, json};

use crate::harness::decree::{commune, merge, split};
use crate::harness::report::{Report, Reports, cell, option, shown, value};
use crate::harness::town::{Town, broken_down, form, formula};
use crate::harness::{Answer, Backend, Client, Server};

/// What the yearly form takes from the monthly one.
const TAKEN: [&str; 5] = ["x", "stock", "mean", "docs", "handed"];

fn item(indicator: &str) -> Value {
    json!({"indicator": indicator})
}

fn taken(indicator: &str) -> Value {
    json!({"indicator": indicator, "from_form": "m"})
}

/// A form with these items.
fn with_items(items: Vec<Value>, frequency: &str) -> Value {
    let mut body = form(&[]);
    body["outline"][0]["items"] = items.into();
    body["frequency"] = frequency.into();
    body
}

/// The yearly form: what it takes, what was spent, its share of `x`, and a rule on both.
fn yearly() -> Value {
    let items = TAKEN.iter().map(|code| taken(code));
    let mut body = with_items(items.chain([item("spent"), item("rate")]).collect(), "year");
    body["rules"] = json!([{
        "code": "WITHIN", "severity": "error", "expression": "spent <= x",
        "message": {"vi": "Chi nhiều hơn thu", "en": "More spent than raised"}
    }]);
    body
}

fn indicators(backend: Backend) -> Town {
    Town::new(backend)
        .over_time(&[
            ("x", "sum", "sum"),
            ("stock", "sum", "last"),
            ("mean", "average", "average"),
            ("handed", "transfer", "sum"),
            ("spent", "sum", "sum"),
        ])
        .indicator("docs", &broken_down(true, &["plan", "letter"]))
        .indicator("rate", &formula("100 * spent / x", 1))
}

/// The town with the monthly form `m`, on which five indicators are entered, and the yearly form `y`,
/// which takes them from there.
struct World {
    _server: Server,
    admin: Client,
    months: Reports,
    year: Report,
}

impl World {
    fn new(backend: Backend) -> World {
        let (server, admin, _) = indicators(backend)
            .own_form("m", with_items(TAKEN.map(item).into(), "month"))
            .own_form("y", yearly())
            .build();
        World {
            _server: server,
            months: Reports::new(&admin, "m"),
            year: Report::new(&admin, "y"),
            admin,
        }
    }

    /// Three units report in March and May.
    fn report(&self) {
        let submit = |unit, month, figures| self.months.submit(unit, month, figures);
        submit("A1", "2024-03", json!({"x": 10, "stock": 5, "mean": 1}));
        submit(
            "A1",
            "2024-05",
            json!({"x": 7, "stock": 6, "mean": 4, "docs/plan": 1, "docs/letter": 2}),
        );
        submit("A", "2024-05", json!({"x": 3, "handed": 2}));
        submit("B1", "2024-05", json!({"x": 20, "stock": 9}));
    }

    /// The yearly form shows of a unit what the monthly one shows of its year.
    #[track_caller]
    fn expect_same(&self, what: &str) {
        let (year, months) = (self.year.read(what), self.months.of("2024").read(what));
        let (own, there) = (parts(&year), parts(&months));
        assert_eq!(own.len(), there.len(), "{what}");
        for (year, months) in own.iter().zip(&there) {
            for name in [
                "x",
                "stock",
                "mean",
                "docs",
                "docs/plan",
                "docs/letter",
                "handed",
            ] {
                let (mut one, other) = (cell(year, name), cell(months, name));
                assert_eq!(one["from_form"], "m");
                one["from_form"] = Value::Null;
                assert_eq!(one, other, "{what} {name}");
            }
        }
        let map = |report: &Value| {
            let mut map = report["map"].clone();
            for leaf in map["not_divided"].as_array_mut().unwrap() {
                leaf["cells"] = leaf["cells"].is_null().into();
            }
            map
        };
        assert_eq!(map(&year), map(&months), "{what}");
    }
}

/// All of a report that has cells: itself, its children, and undivided parts that it names.
fn parts(report: &Value) -> Vec<Value> {
    let children = report["children"].as_array().into_iter().flatten();
    let leaves = report["map"]["not_divided"]
        .as_array()
        .into_iter()
        .flatten();
    let parts = std::iter::once(report).chain(children).chain(leaves);
    parts
        .filter(|part| part["cells"].is_array())
        .cloned()
        .collect()
}

/// The pairs of a unit and a month that have a value in a lineage, with the value.
fn sources(lineage: &Value) -> Vec<String> {
    let items = lineage["items"].as_array().unwrap().iter();
    let with_value = items.filter(|item| !item["value"].is_null());
    let lines = with_value.map(|item| {
        let (unit, period) = (&item["unit"]["code"], &item["period"]["key"]);
        let parts = [unit, period].map(|text| text.as_str().unwrap());
        format!("{} {}", parts.join(" "), item["value"]["value"])
    });
    lines.collect()
}

/// The figures of a series, those to date, and those of the year before.
fn points(series: &Value, of: &str) -> Vec<String> {
    let items = series["items"].as_array().unwrap().iter();
    let lines = items.map(|item| {
        let figure = &item[of];
        format!(
            "{} {}/{}",
            figure["value"], figure["reported"], figure["expected"]
        )
    });
    lines.collect()
}

on_both_backends! {
    fn a_report_shows_the_other_form_s_figures_of_the_same_days(backend) {
        let world = World::new(backend);
        assert_eq!(world.year.figure("T", "x"), "null 0/60");
        world.report();
        for (unit, figure, expected) in [
            // 10 + 7 + 3 + 20, of 5 units in 12 months.
            ("T", "x", "40 4/60"), ("A", "x", "20 3/36"), ("A1", "x", "17 2/12"),
            // The last month's: 6 and 9.
            ("T", "stock", "15 3/60"), ("T", "docs", "3 1/60"), ("T", "docs/letter", "2 1/60"),
            // The mean of all values: (1 + 4) / 2.
            ("T", "mean", "2.5 2/60"),
        ] {
            assert_eq!(world.year.figure(unit, figure), expected, "{figure} of {unit}");
        }
        assert_eq!(world.year.cell("A", "x")["own"]["value"], 3);
        assert_eq!(world.year.cell("T", "handed")["received_from_below"], 2);
        for what in ["T/rollup?include=children", "A/rollup?include=children", "A1/rollup", "B/rollup", "A2/rollup"] {
            world.expect_same(what);
        }
        world.months.of("2024-05").step("A1", "approve").expect_status(200);
        assert_eq!(world.year.approved_figure("T", "x"), "7 1/60");
        world.expect_same("T/rollup?stage=approved&include=children");
        let some = world.year.read("T/rollup?indicators=x,spent");
        assert_eq!(some["cells"].as_array().unwrap().len(), 2);
        assert_eq!(shown(&cell(&some, "x")), "40 4/60");
        assert_eq!(cell(&some, "spent")["from_form"], Value::Null);
        // Completeness is that of the form itself: nobody has submitted it.
        assert_eq!(some["completeness"], json!({"expected": 5, "submitted": 0, "approved": 0}));
        let verified = world.year.verify("T");
        assert_eq!(verified["equal"], true);
        for side in ["kept", "folded"] {
            let cells = json!({"cells": verified[side]["submitted"]});
            assert_eq!(shown(&cell(&cells, "x")), "40 4/60");
        }
    }

    fn a_formula_and_a_rule_use_what_was_taken_as_it_is_at_that_moment(backend) {
        let world = World::new(backend);
        let refused = |answer: Answer| answer.expect_problem(422, "INVALID_SUBMISSION");
        // Without a figure a rule says nothing.
        world.year.submit("A1", &[value("spent", 50)]);
        world.report();
        assert_eq!(world.year.figure("T", "rate"), "125 4/60");
        let too_much = world.year.try_submit("A1", &[value("spent", 18)]);
        assert_eq!(refused(too_much), ["/values RULE_BROKEN"]);
        world.year.submit("A1", &[value("spent", 17)]);
        assert_eq!(world.year.figure("T", "rate"), "42.5 4/60");
        // What changes over there is not held to the rules of this form, but this form tells of it.
        world.months.submit("A1", "2024-05", json!({"x": 1}));
        assert_eq!(world.year.get("A1")["warnings"][0]["code"], "WITHIN");
        let again = world.year.try_submit("A1", &[value("spent", 17)]);
        assert_eq!(refused(again), ["/values RULE_BROKEN"]);
        world.year.submit("A1", &[value("spent", 11)]);
    }

    fn a_figure_that_is_taken_is_not_entered_here(backend) {
        let world = World::new(backend);
        let body = json!({"values": [value("x", 1), option("docs", "plan", 1)], "submit": true});
        let refused = world.year.put("A1", &body);
        assert_eq!(refused.expect_problem(422, "INVALID_SUBMISSION"), [
            "/values/0/indicator NOT_COLLECTED_HERE", "/values/1/indicator NOT_COLLECTED_HERE",
        ]);
        for (language, sentence) in [
            ("vi", "Chỉ tiêu Chỉ tiêu (x) lấy từ mẫu Mẫu (m). Hãy nhập ở mẫu đó"),
            ("en", "Indicator (x) comes from the form Form (m). Enter it there"),
        ] {
            let by = world.year.by(&world.admin.with("Accept-Language", language));
            let problem = by.put("A1", &body).json();
            let told = problem["errors"][0]["detail"].as_str().unwrap();
            assert!(told.starts_with(sentence), "{told}");
        }
        // Nil is about what is entered here.
        let body = json!({"values": [], "nil": true, "submit": true});
        let sent = world.year.put("A1", &body).expect_status(201).json();
        assert_eq!(sent["values"], json!([{"indicator": "spent", "option": null, "value": 0, "qualifier": "exact"}]));
    }

    fn rev_and_etag_cover_the_other_form(backend) {
        let world = World::new(backend);
        let path = "/v1/forms/y/periods/2024/units/code:T/rollup";
        let read = || {
            let answer = world.admin.get(path).expect_status(200);
            (answer.json()["rev"].as_i64().unwrap(), answer.etag().to_owned())
        };
        let (before, first) = read();
        assert_eq!(before, 0);
        world.months.submit("A1", "2024-03", json!({"x": 10}));
        let (one, second) = read();
        world.year.submit("B1", &[value("spent", 1)]);
        let (two, third) = read();
        world.months.submit("A1", "2024-03", json!({"x": 11}));
        let (three, fourth) = read();
        assert!(0 < one && one < two && two < three, "{one} {two} {three}");
        let etags = [first, second, third, fourth];
        assert!(etags.windows(2).all(|pair| pair[0] != pair[1]), "{etags:?}");
        // Another year of the other form is nothing to this one.
        world.months.submit("A1", "2025-01", json!({"x": 5}));
        assert_eq!(read(), (three, etags[3].clone()));
        assert_eq!(world.year.read("A2/rollup")["rev"], 0);
    }

    fn lineage_leads_to_the_submissions_of_the_other_form(backend) {
        let world = World::new(backend);
        world.report();
        let lineage = world.year.read("A/rollup/lineage?indicator=x");
        assert_eq!((&lineage["form"], &lineage["figure"]["from_form"]), (&json!("y"), &json!("m")));
        assert_eq!(sources(&lineage), ["A 2024-05 3", "A1 2024-03 10", "A1 2024-05 7"]);
        let there = world.months.of("2024").read("A/rollup/lineage?indicator=x");
        assert_eq!(lineage["items"], there["items"]);
        let formula = world.year.read("A/rollup/lineage?indicator=rate");
        let operands = formula["operands"].as_array().unwrap().iter();
        let operands: Vec<Value> = operands.map(|one| json!([one["indicator"], one["from_form"], one["value"]])).collect();
        assert_eq!(json!(operands), json!([["spent", null, null], ["x", "m", 20]]));
    }

    fn a_series_is_that_of_the_other_form(backend) {
        let world = World::new(backend);
        world.report();
        world.months.submit("A1", "2023-07", json!({"x": 2}));
        let read = |form: &str, range: &str| {
            let path = format!("/v1/forms/{form}/units/code:T/series?indicator=x,rate&{range}");
            world.admin.get(&path).expect_status(200).json()
        };
        let years = read("y", "from=2023&to=2024");
        assert_eq!(points(&years, "figure"), ["2 1/60", "40 4/60"]);
        assert_eq!(points(&years, "cumulative"), ["2 1/60", "40 4/60"]);
        assert_eq!(points(&years, "same_period_last_year"), ["null 0/60", "2 1/60"]);
        // A form of the same months, with a figure made of both forms' values, to date.
        let mut body = with_items(vec![taken("x"), item("spent"), item("rate")], "month");
        body["submitted_by"] = json!(["commune"]);
        world.admin.put("/v1/forms/k", &body).expect_status(201);
        let k = Reports::new(&world.admin, "k");
        k.submit("A", "2024-03", json!({"spent": 5}));
        k.submit("A", "2024-05", json!({"spent": 10}));
        let months = read("k", "from=2024-03&to=2024-05");
        assert_eq!(points(&months, "figure"), ["10 1/5", "null 0/5", "30 3/5"]);
        assert_eq!(points(&months, "cumulative"), ["10 1/15", "10 1/20", "40 4/25"]);
        let rates = &months["others"][0];
        assert_eq!(points(rates, "figure"), ["50 1/5", "null 0/5", "33.3 1/2"]);
        // 5 of 10 in March, then 15 of 40.
        assert_eq!(points(rates, "cumulative"), ["50 1/15", "50 1/20", "37.5 4/25"]);
    }

    fn a_release_copies_what_was_taken_and_tells_its_drift(backend) {
        let world = World::new(backend);
        world.report();
        let releases = "/v1/forms/y/periods/2024/units/code:B/releases";
        let accept = json!({"accept": [
            {"unit": "code:B", "reason": "Không có"}, {"unit": "code:B1", "reason": "Không có"}
        ]});
        let sent = world.admin.post_json(releases, &accept).expect_status(201).json();
        assert_eq!(sent["status"], "sent");
        let read = || world.admin.get(&format!("{releases}/1")).expect_status(200).json();
        assert_eq!(shown(&cell(&read()["content"], "x")), "20 1/24");
        assert_eq!(read()["drift"]["changed"], false);
        world.months.submit("B1", "2024-05", json!({"x": 21, "stock": 9}));
        let release = read();
        assert_eq!(shown(&cell(&release["content"], "x")), "20 1/24");
        let drift = &release["drift"];
        assert_eq!(drift["changed"], true);
        let cells = drift["cells"].as_array().unwrap().iter();
        let cells: Vec<Value> = cells.map(|one| json!([one["indicator"], one["then"]["value"], one["now"]["value"]])).collect();
        assert_eq!(json!(cells), json!([["x", 20, 21]]));
        let units = drift["units"].as_array().unwrap().iter();
        assert_eq!(units.map(|unit| unit["code"].clone()).collect::<Vec<_>>(), ["B1"]);
    }

    fn what_is_missing_on_the_form_that_gives_the_figures_is_accepted_by_name_too(backend) {
        let world = World::new(backend);
        // On the yearly form nothing is missing.
        world.year.submit("B", &[value("spent", 0)]);
        world.year.submit("B1", &[value("spent", 0)]);
        world.year.step("B1", "approve").expect_status(200);
        world.months.submit("B1", "2024-05", json!({"x": 20}));
        let releases = "/v1/forms/y/periods/2024/units/code:B/releases";
        let english = world.admin.with("Accept-Language", "en");
        let send = |body: &Value| english.post_json(releases, body);
        let refused = |answer: Answer| -> Vec<String> {
            answer.clone().expect_problem(422, "INVALID_RELEASE");
            let problem = answer.json();
            let faults = problem["errors"].as_array().unwrap().iter();
            let told = faults.map(|fault| fault["detail"].as_str().unwrap().to_owned());
            told.map(|told| told.split(", from which").next().unwrap().to_owned()).collect()
        };
        assert_eq!(refused(send(&json!({}))), [
            "Xã B (B) has not submitted all of its own figures on the form Form (m)",
            "Ấp Ba (B1) lacks 11 of 12 reports on the form Form (m)",
        ]);
        for month in 1..=12 {
            let month = format!("2024-{month:02}");
            world.months.submit("B", &month, json!({"x": 1}));
            world.months.submit("B1", &month, json!({"x": 2}));
        }
        assert_eq!(refused(send(&json!({}))), [
            "Ấp Ba (B1) has 12 reports that are not approved on the form Form (m)",
        ]);
        let sent = send(&json!({"accept": [{"unit": "code:B1", "reason": "Duyệt sau"}]}));
        sent.expect_status(201);
        let content = english.get(&format!("{releases}/1")).json()["content"].clone();
        assert_eq!(shown(&cell(&content, "x")), "36 24/24");
        let accepted = content["accepted"].as_array().unwrap();
        assert_eq!(accepted.len(), 1);
        let fields = ["form", "lack", "reason", "counts"].map(|field| accepted[0][field].clone());
        assert_eq!(json!(fields), json!(["m", "unapproved", "Duyệt sau",
            {"expected": 12, "submitted": 12, "approved": 0}]));
    }

    fn reorganisations_within_the_days_and_after_change_both_alike(backend) {
        let world = World::new(backend);
        world.report();
        // In the middle of the year A is divided.
        let half = [(json!("code:A"), "1/2"), (commune("D", "T"), "1/2")];
        let mut divided = split("A", &half);
        divided["children"] = json!({"code:A1": "code:A", "code:A2": "code:D"});
        world.admin.reorganise("2024-07-01", &json!([divided]));
        world.months.submit("D", "2024-08", json!({"x": 4}));
        for what in ["T/rollup?include=children", "A/rollup", "D/rollup"] {
            world.expect_same(what);
        }
        assert_eq!(world.year.figure("T", "x"), world.months.figure("T", "2024", "x"));
        world.admin.reorganise("2025-07-01", &json!([merge(&["A", "B"], &commune("C", "T"))]));
        world.expect_same("T/rollup?include=children&as_of=2025-08-01");
        world.expect_same("C/rollup?as_of=2025-08-01");
        let lineage = |report: &Report| report.read("D/rollup/lineage?indicator=x")["items"].clone();
        assert_eq!(lineage(&world.year), lineage(&world.months.of("2024")));
        assert_eq!(world.year.verify("T")["equal"], true);
    }

    fn a_preview_of_a_reorganisation_shows_what_was_taken(backend) {
        let world = World::new(backend);
        world.report();
        world.year.submit("A1", &[value("spent", 5)]);
        let body = json!({"effective": "2025-07-01", "legal_basis": "Nghị quyết",
            "steps": [merge(&["A", "B"], &commune("C", "T"))]});
        let preview = world.admin.post_json("/v1/reorganisations/preview", &body).expect_status(200).json();
        let forms = preview["figures"].as_array().unwrap();
        let year = forms.iter().find(|one| one["form"] == "y").unwrap();
        let x = |side: &str| {
            let units = year[side].as_array().unwrap().iter();
            let lines = units.map(|unit| {
                let x = &unit["totals"][0];
                format!("{} {} {}/{}", unit["unit"]["code"].as_str().unwrap(), x["value"], x["reported"], x["expected"])
            });
            lines.collect::<Vec<_>>()
        };
        assert_eq!(x("before")[..2], ["A 20 3/36", "B 20 1/24"]);
        assert!(x("after").contains(&"C 40 4/60".to_owned()), "{year}");
    }

    fn only_a_form_with_the_figure_and_the_same_days_can_give_it(backend) {
        let (_server, admin, _) = indicators(backend)
            .own_form("m", with_items(vec![item("x"), item("rate"), item("spent")], "month"))
            .own_form("y", with_items(vec![taken("x")], "year"))
            .build();
        let mut windows = with_items(vec![item("x")], "year");
        windows["windows"] = json!([{"key": "2025-tet", "from": "2025-01-10", "to": "2025-02-20"}]);
        for field in ["calendar", "frequency"] {
            windows.as_object_mut().unwrap().remove(field);
        }
        admin.put("/v1/forms/w", &windows).expect_status(201);
        let at = |field: &str, code: &str| vec![format!("/outline/0/items/0/{field} {code}")];
        let from = |form: &str| json!({"indicator": "x", "from_form": form});
        let mut civil = with_items(vec![from("m")], "year");
        civil["calendar"] = json!("civil");
        let yearly = |item: Value| with_items(vec![item], "year");
        let mut taking_window = windows.clone();
        taking_window["outline"][0]["items"][0] = from("m");
        for (body, expected) in [
            (yearly(from("nothing")), at("from_form", "UNKNOWN_FORM")),
            (yearly(from("no code")), at("from_form", "UNKNOWN_FORM")),
            (yearly(from("z")), at("from_form", "INVALID_VALUE")),
            (yearly(from("w")), at("from_form", "INVALID_VALUE")),
            (taking_window, at("from_form", "INVALID_VALUE")),
            (civil, at("from_form", "INVALID_VALUE")),
            (with_items(vec![from("m")], "week"), at("from_form", "INVALID_VALUE")),
            // What is computed, or not in the outline, or comes from a third form, is not entered there.
            (yearly(json!({"indicator": "stock", "from_form": "m"})), at("from_form", "UNKNOWN_INDICATOR")),
            (yearly(from("y")), at("from_form", "UNKNOWN_INDICATOR")),
            (yearly(json!({"indicator": "x", "from_form": "m", "required": true})), at("required", "INVALID_VALUE")),
            (yearly(json!({"indicator": "x", "from_form": "m", "collected_at": ["commune"]})), at("collected_at", "INVALID_VALUE")),
        ] {
            assert_eq!(admin.put("/v1/forms/z", &body).expect_problem(422, "INVALID_FORM"), expected, "{body}");
        }
        let mut computed = with_items(vec![item("x"), item("spent")], "year");
        let items = computed["outline"][0]["items"].as_array_mut().unwrap();
        items.push(json!({"indicator": "rate", "from_form": "m"}));
        let refused = admin.put("/v1/forms/z", &computed);
        assert_eq!(refused.expect_problem(422, "INVALID_FORM"), ["/outline/0/items/2/from_form UNKNOWN_INDICATOR"]);
    }

    fn a_form_goes_on_giving_what_another_one_needs(backend) {
        let (_server, admin, _) = indicators(backend)
            .own_form("m", with_items(vec![item("x"), item("spent")], "month"))
            .own_form("y", with_items(vec![taken("x")], "year"))
            .build();
        let path = "/v1/forms/m";
        let change = |body: &Value| admin.with("If-Match", "*").put(path, body);
        let mut civil = with_items(vec![item("x"), item("spent")], "month");
        civil["calendar"] = json!("civil");
        let mut later = with_items(vec![item("spent")], "month");
        later["valid_from"] = json!("2030-12-15");
        for body in [with_items(vec![item("spent")], "month"), civil, later.clone()] {
            change(&body).expect_problem(409, "FIXED_ONCE_USED");
        }
        for (language, sentence) in [
            ("vi", "Mẫu Mẫu (y) đang lấy chỉ tiêu Chỉ tiêu (x) từ mẫu này"),
            ("en", "The form Form (y) takes Indicator (x) from this form"),
        ] {
            let client = admin.with("If-Match", "*").with("Accept-Language", language);
            let told = client.put(path, &later).json()["detail"].as_str().unwrap().to_owned();
            assert!(told.starts_with(sentence), "{told}");
        }
        // What nobody takes may go, and periods may become shorter.
        change(&with_items(vec![item("x")], "month")).expect_status(200);
        // From the day on which nobody takes it any more.
        let mut own = with_items(vec![item("x")], "year");
        own["valid_from"] = json!("2030-12-15");
        admin.with("If-Match", "*").put("/v1/forms/y", &own).expect_status(200);
        change(&later).expect_status(200);
    }

    fn an_indicator_that_another_form_takes_stays_one_that_is_entered(backend) {
        let (_server, admin, _) = Town::new(backend)
            .indicators(&[("x", "sum"), ("a", "sum"), ("b", "sum")])
            .own_form("m", with_items(vec![item("x"), item("a"), item("b")], "month"))
            .own_form("y", with_items(vec![taken("x"), item("a"), item("b")], "year"))
            .build();
        let computed = admin.replace("/v1/indicators/x", &formula("a / b", 1));
        assert_eq!(computed.expect_problem(422, "INVALID_INDICATOR"), ["/formula INVALID_VALUE"]);
        let told = admin.with("Accept-Language", "en").replace("/v1/indicators/x", &formula("a / b", 1)).json();
        let told = told["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert!(told.starts_with("The form Form (y) takes this indicator from the form Form (m)"), "{told}");
        // Once nobody takes it any more it may.
        admin.replace("/v1/forms/y", &with_items(vec![item("a"), item("b")], "year")).expect_status(200);
        admin.replace("/v1/indicators/x", &formula("a / b", 1)).expect_status(200);
    }

    fn where_a_figure_comes_from_is_fixed_once_the_form_is_used(backend) {
        let world = World::new(backend);
        world.report();
        world.year.submit("A1", &[value("spent", 5)]);
        let items = |x: Value| {
            let others = TAKEN[1..].iter().map(|code| taken(code));
            others.chain([x, item("spent"), item("rate")]).collect::<Vec<_>>()
        };
        let change = |form: &str, body: &Value| {
            world.admin.with("If-Match", "*").put(&format!("/v1/forms/{form}"), body)
        };
        // Another form that could give it.
        world.admin.put("/v1/forms/n", &with_items(vec![item("x")], "month")).expect_status(201);
        let other = json!({"indicator": "x", "from_form": "n"});
        for x in [item("x"), other] {
            let refused = change("y", &with_items(items(x), "year"));
            refused.expect_problem(409, "FIXED_ONCE_USED");
        }
        change("y", &with_items(items(taken("x")), "year")).expect_status(200);
        assert_eq!(world.year.figure("T", "x"), "40 4/60");
    }

    fn a_figure_that_named_units_entered_is_not_taken_from_another_form_afterwards(backend) {
        let world = World::new(backend);
        let recipients = |x: Value| {
            let mut body = with_items(vec![x], "month");
            body.as_object_mut().unwrap().remove("submitted_by");
            body["recipients"] = json!(["code:A", "code:B"]);
            body
        };
        world.admin.put("/v1/forms/k", &recipients(item("x"))).expect_status(201);
        let reports = Reports::new(&world.admin, "k");
        reports.submit("A", "2025-06", json!({"x": 5}));
        let change = |body: &Value| world.admin.with("If-Match", "*").put("/v1/forms/k", body);
        change(&recipients(taken("x"))).expect_problem(409, "FIXED_ONCE_USED");
        assert_eq!(reports.figure("T", "2025-06", "x"), "5 1/2");
        // Not used yet.
        let mut later = recipients(taken("x"));
        later["valid_from"] = json!("2025-07-01");
        change(&later).expect_status(200);
    }

    fn faults_of_figures_that_are_taken_say_what_to_do(backend) {
        let (_server, admin, _) = indicators(backend)
            .own_form("m", with_items(vec![item("x")], "month"))
            .build();
        let from = |form: &str| json!({"indicator": "x", "from_form": form});
        for (item, vi, en) in [
            (from("gone"), "Không có mẫu \"gone\" để lấy số liệu.", "There is no form \"gone\" to take figures from."),
            (from("z"), "Chỉ tiêu Chỉ tiêu (x) không lấy được từ chính mẫu này.", "Indicator (x) cannot come from this very form."),
            (json!({"indicator": "stock", "from_form": "m"}), "Mẫu Mẫu (m) không có chỗ nhập chỉ tiêu Chỉ tiêu (stock)", "Nobody enters Indicator (stock) on the form Form (m)"),
            (json!({"indicator": "x", "from_form": "m", "required": true}), "Số liệu lấy từ mẫu khác thì không nhập ở mẫu này.", "A figure that comes from another form is not entered"),
        ] {
            for (language, sentence) in [("vi", vi), ("en", en)] {
                let client = admin.with("Accept-Language", language);
                let problem = client.put("/v1/forms/z", &with_items(vec![item.clone()], "year")).json();
                let told = problem["errors"][0]["detail"].as_str().unwrap();
                assert!(told.starts_with(sentence), "{told}");
            }
        }
        for (language, sentence) in [
            ("vi", "Mẫu Mẫu (m) không có kỳ trùng ngày với mọi kỳ của mẫu này"),
            ("en", "The form Form (m) has no period with the same days"),
        ] {
            let client = admin.with("Accept-Language", language);
            let problem = client.put("/v1/forms/z", &with_items(vec![from("m")], "week")).json();
            let told = problem["errors"][0]["detail"].as_str().unwrap();
            assert!(told.starts_with(sentence), "{told}");
        }
    }
}
