//! Formulas and rules while the catalogue changes: whatever a formula or a rule uses stays, or the
//! change is refused and names what depends on it.

use serde_json::{Value, json};

use crate::harness::report::{Report, value};
use crate::harness::town::{broken_down, form, indicator};
use crate::harness::{Client, Server};

fn derived(formula: &str) -> Value {
    json!({
        "name": {"vi": "Công thức"}, "unit_of_measure": "x", "decimals": 1, "formula": formula,
    })
}

fn dated(mut body: Value, valid_from: &str) -> Value {
    body["valid_from"] = json!(valid_from);
    body
}

fn put_derived(admin: &Client, code: &str, formula: &str) {
    let path = format!("/v1/indicators/{code}");
    admin.put(&path, &derived(formula)).expect_status(201);
}

on_both_backends! {
    fn a_formula_whose_operand_is_gone_has_none_of_what_it_expects(backend) {
        let (server, admin) = Server::with_town(backend);
        admin.add_indicators(&[("x", "sum"), ("y", "sum")]);
        for (code, formula) in [("f", "coalesce(x, 1) + x"), ("g", "x / y"), ("h", "100 * x / f")] {
            put_derived(&admin, code, formula);
        }
        admin.put("/v1/forms/m", &form(&["x", "y", "f", "g", "h"])).expect_status(201);
        let report = Report::new(&admin, "m");
        for unit in ["A", "A1", "A2"] {
            report.submit(unit, &[value("x", 2), value("y", 4)]);
        }
        let figures = || ["f", "g", "h"].map(|code| report.figure("A", code));
        assert_eq!(figures(), ["12 3/3", "0.5 3/3", "50 3/3"]);

        // As an earlier release could have left it; it is seen when the catalogue is read anew.
        admin.add_indicators(&[("other", "sum")]);
        server.write_beside("UPDATE indicator_version SET definition = \
            replace(replace(definition, 'coalesce(x, 1)', 'coalesce(gone, 1)'), 'x / y', 'x / y[gone]')");
        // One has a value nevertheless; the third is made of the first.
        assert_eq!(figures(), ["7 0/3", "null 0/3", "85.7 0/3"]);
        assert_eq!(report.figure("T", "f"), "7 0/5");
        assert_eq!(report.figure("A", "x"), "6 3/3");
        let lineage = report.read("A/rollup/lineage?indicator=f");
        assert_eq!(lineage["operands"].as_array().unwrap().len(), 1);
    }

    fn an_option_that_a_formula_uses_stays_as_long_as_the_formula_does(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin.put("/v1/indicators/docs", &broken_down(false, &["plan", "letter"])).expect_status(201);
        put_derived(&admin, "f", "docs[plan] / docs");
        let without_plan = |valid_from: &str| dated(broken_down(false, &["letter"]), valid_from);
        let refused = |body: &Value| {
            let answer = admin.replace("/v1/indicators/docs", body);
            for name in ["(f) dùng ", "docs[plan]"] {
                assert!(answer.text.contains(name), "{}", answer.text);
            }
            assert_eq!(answer.expect_problem(422, "INVALID_INDICATOR"), ["/breakdowns UNKNOWN_OPTION"]);
        };
        refused(&without_plan("1900-01-01"));
        refused(&without_plan("2030-01-01"));
        // It would have no options at all.
        refused(&derived("1 + 1"));
        admin.replace("/v1/indicators/docs", &broken_down(false, &["plan"])).expect_status(200);

        // From a day on the formula does without it.
        admin.replace("/v1/indicators/f", &dated(derived("docs"), "2030-01-01")).expect_status(200);
        refused(&without_plan("2029-12-31"));
        admin.replace("/v1/indicators/docs", &without_plan("2030-01-01")).expect_status(200);
        // And so must every other one from then on.
        let taken = |code: &str, body: &Value| admin.put(&format!("/v1/indicators/{code}"), body);
        let faults = taken("g", &derived("docs[plan]")).expect_problem(422, "INVALID_INDICATOR");
        assert_eq!(faults, ["/formula UNKNOWN_INDICATOR"]);
        taken("g", &dated(derived("docs"), "2030-01-01")).expect_status(201);
        admin.with("If-Match", "*").put("/v1/indicators/g", &derived("docs[plan]")).expect_status(200);
    }

    fn what_a_rule_of_a_form_uses_stays_as_long_as_the_rule_does(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin.put("/v1/indicators/docs", &broken_down(false, &["plan", "letter"])).expect_status(201);
        admin.add_indicators(&[("money", "transfer")]);
        let mut ruled = form(&["docs", "money"]);
        ruled["rules"] = json!([
            {"code": "PLANS", "severity": "warning", "expression": "docs[plan] < 10", "message": {"vi": "Sai"}},
            {"code": "MONEY", "severity": "error", "expression": "money >= received_from_below(money)",
             "message": {"vi": "Sai"}}
        ]);
        admin.put("/v1/forms/m", &ruled).expect_status(201);
        for (code, body, rule, fault) in [
            ("docs", broken_down(false, &["letter"]), "PLANS", "/breakdowns UNKNOWN_OPTION"),
            ("money", indicator("sum"), "MONEY", "/across_units INVALID_VALUE"),
        ] {
            let answer = admin.replace(&format!("/v1/indicators/{code}"), &body);
            assert!(answer.text.contains(&format!("Quy tắc {rule} của mẫu Mẫu (m) dùng Chỉ tiêu (")), "{}", answer.text);
            assert_eq!(answer.expect_problem(422, "INVALID_INDICATOR"), [fault]);
        }
        // A version of the form without the rules comes first.
        admin.replace("/v1/forms/m", &dated(form(&["docs", "money"]), "2030-01-01")).expect_status(200);
        let later = dated(broken_down(false, &["letter"]), "2030-01-01");
        admin.replace("/v1/indicators/docs", &later).expect_status(200);
        // With the rules the form would not do any more from then on.
        ruled["valid_from"] = json!("2030-01-01");
        assert_eq!(
            admin.replace("/v1/forms/m", &ruled).expect_problem(422, "INVALID_FORM"),
            ["/rules/0/expression UNKNOWN_INDICATOR"]
        );
    }

    fn a_form_that_holds_a_formula_holds_what_it_is_made_of_in_all_its_versions(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin.add_indicators(&[("x", "sum"), ("y", "sum"), ("z", "sum")]);
        put_derived(&admin, "f", "x + 1");
        admin.put("/v1/forms/m", &form(&["x", "f"])).expect_status(201);
        for valid_from in ["1900-01-01", "2030-01-01"] {
            let changed = dated(derived("x / y"), valid_from);
            let answer = admin.replace("/v1/indicators/f", &changed);
            assert!(answer.text.contains("Mẫu Mẫu (m) "), "{}", answer.text);
            assert_eq!(answer.expect_problem(422, "INVALID_INDICATOR"), ["/formula UNKNOWN_INDICATOR"]);
        }
        // The form first; from its day on the formula may use what it holds.
        admin.replace("/v1/forms/m", &dated(form(&["x", "y", "f"]), "2030-01-01")).expect_status(200);
        admin
            .replace("/v1/indicators/f", &dated(derived("x / y"), "2029-12-31"))
            .expect_problem(422, "INVALID_INDICATOR");
        admin.replace("/v1/indicators/f", &dated(derived("x / y"), "2030-01-01")).expect_status(200);

        // A new form is held to the formula's later versions too.
        let put = |body: &Value| admin.put("/v1/forms/n", body);
        let faults = put(&form(&["x", "f"])).expect_problem(422, "INVALID_FORM");
        assert_eq!(faults, ["/outline UNKNOWN_INDICATOR"]);
        put(&dated(form(&["x", "y", "f"]), "2030-01-01")).expect_status(201);
        admin.with("If-Match", "*").put("/v1/forms/n", &form(&["x", "f"])).expect_status(200);
    }
}
