//! Nil (không phát sinh): a unit says that nothing more happened than what it entered. Each flow that
//! it left blank is then an explicit 0, and everything else is still asked for.

use serde_json::{Value, json};

use crate::harness::report::{Report, option, value};
use crate::harness::town::{Town, broken_down, form, indicator, over_time};
use crate::harness::{Answer, Backend, Client, Server};

/// The town with a yearly form `f`: a flow `x`, a stock `stock` that must be there, a flow with a
/// closed breakdown `docs` and one with an open breakdown `houses`.
fn reporting(backend: Backend) -> (Server, Client, Report) {
    let mut body = form(&["x", "stock", "docs", "houses"]);
    body["outline"][0]["items"][1]["required"] = json!(true);
    let town = Town::new(backend)
        .indicators(&[("x", "sum")])
        .over_time(&[("stock", "sum", "last")])
        .indicator("docs", &broken_down(true, &["plan", "letter"]))
        .indicator("houses", &broken_down(false, &["new", "repaired"]));
    town.own_form("f", body).build_for("2024")
}

fn nil(report: &Report, unit: &str, values: &[Value]) -> Answer {
    report.put(
        unit,
        &json!({"values": values, "nil": true, "submit": true}),
    )
}

/// The values of a submission or a revision: `x 0, docs/plan 2`.
fn values(shown: &Value) -> String {
    let values = shown["values"].as_array().unwrap().iter();
    let lines = values.map(|value| {
        let indicator = value["indicator"].as_str().unwrap();
        match value["option"].as_str() {
            Some(option) => format!("{indicator}/{option} {}", value["value"]),
            None => format!("{indicator} {}", value["value"]),
        }
    });
    lines.collect::<Vec<_>>().join(", ")
}

on_both_backends! {
    fn nil_makes_each_blank_flow_an_explicit_zero_and_leaves_what_was_entered(backend) {
        let (_server, _admin, report) = reporting(backend);
        report.submit("B1", &[value("stock", 4), value("x", 7)]);
        let entered = [value("stock", 3), option("docs", "plan", 2)];
        let sent = nil(&report, "A1", &entered).expect_status(201).json();
        assert_eq!(sent["nil"], true);
        assert_eq!(values(&sent), "x 0, stock 3, docs/plan 2, docs/letter 0, houses 0");
        assert_eq!(sent["warnings"], json!([]));
        // The zeros are reported like any other value.
        for (figure, town) in [
            ("x", "7 2/5"), ("stock", "7 2/5"), ("docs", "2 1/5"), ("docs/letter", "0 1/5"),
            ("houses", "0 1/5"), ("houses/new", "null 0/5"),
        ] {
            assert_eq!(report.figure("T", figure), town, "{figure}");
        }
        assert_eq!(report.verify("T")["equal"], true);
    }

    fn a_stock_is_never_made_up(backend) {
        let (_server, admin, report) = reporting(backend);
        let refused = nil(&report, "A1", &[value("x", 1)]);
        assert_eq!(refused.clone().expect_problem(422, "INVALID_SUBMISSION"), ["/values REQUIRED_MISSING"]);
        // Who says that nothing happened is not told to enter 0.
        let told = refused.json()["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert!(told.starts_with("\"Không phát sinh\" không áp dụng cho số hiện có") && !told.contains("nhập 0"), "{told}");
        // Nor one that need not be there.
        let path = "/v1/forms/f";
        let mut body = form(&["x", "stock", "docs", "houses"]);
        body["outline"][0]["items"][1]["required"] = json!(false);
        admin.replace(path, &body).expect_status(200);
        let sent = nil(&report, "A1", &[]).expect_status(201).json();
        assert_eq!(values(&sent), "x 0, docs/plan 0, docs/letter 0, houses 0");
        assert_eq!(report.figure("T", "stock"), "null 0/5");
    }

    fn only_what_adds_up_over_time_is_a_flow(backend) {
        let times = ["sum", "average", "min", "max", "first", "last", "count", "none"];
        let units = ["average", "min", "max", "count", "none", "transfer"];
        let town = times.iter().fold(Town::new(backend), |town, time| {
            town.indicator(&format!("time.{time}"), &over_time("sum", time))
        });
        let town = units.iter().fold(town, |town, units| {
            town.indicator(&format!("units.{units}"), &indicator(units))
        });
        let (_server, _admin, report) = town.form("f", "year").build_for("2024");
        let sent = nil(&report, "A1", &[]).expect_status(201).json();
        // Where units with a value are counted, a 0 would count as one.
        assert_eq!(values(&sent), "time.sum 0, units.average 0, units.min 0, units.max 0, units.none 0, units.transfer 0");
    }

    fn what_was_entered_beside_nil_must_fit_the_zeros(backend) {
        let (_server, _admin, report) = reporting(backend);
        let stock = value("stock", 3);
        for (entered, fault) in [
            // The total of a closed breakdown whose options are all 0.
            (value("docs", 5), "/values TOTALS_DIFFER"),
            // Parts of an open breakdown are parts of something.
            (option("houses", "new", 1), "/values TOTAL_MISSING"),
        ] {
            let refused = nil(&report, "A1", &[stock.clone(), entered]);
            assert_eq!(refused.expect_problem(422, "INVALID_SUBMISSION"), [fault]);
        }
    }

    fn nil_is_kept_with_a_draft_until_values_are_put_without_it(backend) {
        let (_server, _admin, report) = reporting(backend);
        let body = json!({"values": [value("stock", 3)], "nil": true});
        let draft = report.put("A1", &body).expect_status(201).json();
        assert_eq!((draft["nil"].clone(), values(&draft)), (json!(true), "stock 3".to_owned()));
        let sent = report.step("A1", "submit").expect_status(200).json();
        let zeros = "x 0, stock 3, docs/plan 0, docs/letter 0, houses 0";
        assert_eq!((sent["nil"].clone(), values(&sent)), (json!(true), zeros.to_owned()));
        assert_eq!(report.figure("T", "x"), "0 1/5");
        // A draft without it lies over it, and is given up again.
        let body = json!({"values": [value("stock", 9)]});
        assert_eq!(report.put("A1", &body).expect_status(200).json()["nil"], false);
        let discarded = report.step("A1", "discard").expect_status(200).json();
        assert_eq!((discarded["nil"].clone(), values(&discarded)), (json!(true), zeros.to_owned()));
        // Values without it take the zeros away.
        let sent = report.submit("A1", &[value("stock", 9)]);
        assert_eq!((sent["nil"].clone(), values(&sent)), (json!(false), "stock 9".to_owned()));
        assert_eq!(report.figure("T", "x"), "null 0/5");
        let revisions = report.read("A1/submission/revisions");
        let told = revisions["items"].as_array().unwrap().iter();
        let told: Vec<Value> = told.map(|one| json!([one["step"], one["nil"]])).collect();
        assert_eq!(json!(told), json!([
            ["replace", false], ["discard", true], ["save", false], ["submit", true], ["save", true],
        ]));
        let zeros = revisions["items"][3]["changes"].as_array().unwrap().len();
        assert_eq!(zeros, 4, "{revisions}");
    }

    fn who_approves_and_who_is_returned_something_sees_nil(backend) {
        let (_server, _admin, report) = reporting(backend);
        nil(&report, "A1", &[value("stock", 3)]).expect_status(201);
        report.give_back("A1", &json!({"reason": "Có phát sinh"})).expect_status(200);
        assert_eq!(report.get("A1")["nil"], true);
        let revisions = report.read("A1/submission/revisions");
        assert_eq!(revisions["items"][0]["nil"], Value::Null, "a return brings no values");
        report.step("A1", "submit").expect_status(200);
        let approved = report.step("A1", "approve").expect_status(200).json();
        assert_eq!(approved["nil"], true);
        assert_eq!(report.approved_figure("T", "houses"), "0 1/5");
    }

    fn nil_says_nothing_where_no_flow_is_collected(backend) {
        let town = Town::new(backend).over_time(&[("stock", "sum", "last")]);
        let (_server, admin, report) = town.form("f", "year").build_for("2024");
        for submit in [true, false] {
            let body = json!({"values": [value("stock", 3)], "nil": true, "submit": submit});
            let refused = report.put("A1", &body);
            assert_eq!(refused.expect_problem(422, "INVALID_SUBMISSION"), ["/nil NIL_WITHOUT_FLOWS"]);
        }
        let body = json!({"values": [], "nil": true});
        for (language, sentence) in [
            ("vi", "Mẫu Mẫu (f) không hỏi đơn vị này chỉ tiêu phát sinh nào"),
            ("en", "The form Form (f) asks this unit for nothing that happens within a period"),
        ] {
            let problem = report.by(&admin.with("Accept-Language", language)).put("A1", &body).json();
            let told = problem["errors"][0]["detail"].as_str().unwrap();
            assert!(told.starts_with(sentence), "{told}");
        }
    }
}
