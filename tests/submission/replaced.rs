//! What a submission does with the values that it replaces: what it leaves out is told, and that what
//! was returned comes again unchanged.

use serde_json::{Value, json};

use crate::harness::report::{Report, option, value};
use crate::harness::town::{Town, broken_down, form};
use crate::harness::{Backend, Client, Server};

fn yearly(backend: Backend) -> (Server, Client, Report) {
    let town = Town::new(backend).indicators(&[("x", "sum"), ("y", "sum")]);
    town.form("f", "year").build_for("2024")
}

/// The warnings with a code, by their indicators.
fn warned(submission: &Value, code: &str) -> Vec<Value> {
    let warnings = submission["warnings"].as_array().unwrap().iter();
    let warned = warnings.filter(|warning| warning["code"] == code);
    warned.map(|warning| warning["indicator"].clone()).collect()
}

fn removed(submission: &Value) -> Vec<Value> {
    warned(submission, "VALUE_REMOVED")
}

fn is_unchanged(submission: &Value) -> bool {
    !warned(submission, "RETURNED_UNCHANGED").is_empty()
}

fn returned(report: &Report) {
    let reason = json!({"reason": "Xem lại"});
    report.give_back("A1", &reason).expect_status(200);
}

on_both_backends! {
    fn a_value_that_counted_and_is_left_out_is_warned_of(backend) {
        let (_server, _admin, report) = yearly(backend);
        let first = report.submit("A1", &[value("x", 1500), value("y", 2)]);
        assert!(removed(&first).is_empty());
        let corrected = report.submit("A1", &[value("y", 3)]);
        assert_eq!(removed(&corrected), ["x"]);
        let message = corrected["warnings"][0]["message"].as_str().unwrap();
        assert!(message.starts_with("Lần gửi trước có Chỉ tiêu (x) là 1.500 cái, lần này không có."), "{message}");
        // It is told once: the next one leaves out nothing that counts.
        assert!(removed(&report.submit("A1", &[value("y", 4)])).is_empty());
        // A draft counts nowhere, so it removes nothing; sending it does.
        let draft = report.put("A1", &json!({"values": [value("x", 1)]})).expect_status(200).json();
        assert!(removed(&draft).is_empty());
        assert_eq!(removed(&report.step("A1", "submit").expect_status(200).json()), ["y"]);
    }

    fn a_value_that_was_returned_and_is_left_out_is_warned_of(backend) {
        let (_server, _admin, report) = yearly(backend);
        report.submit("A1", &[value("x", 1), value("y", 2)]);
        returned(&report);
        assert_eq!(removed(&report.submit("A1", &[value("x", 5)])), ["y"]);
        // With a draft over what was returned, too.
        report.submit("A1", &[value("x", 5), value("y", 2)]);
        returned(&report);
        report.put("A1", &json!({"values": [value("y", 2)]})).expect_status(200);
        report.put("A1", &json!({"values": [value("y", 3)]})).expect_status(200);
        assert_eq!(removed(&report.step("A1", "submit").expect_status(200).json()), ["x"]);
        // What the unit withdrew itself is not missed.
        report.step("A1", "withdraw").expect_status(200);
        assert!(removed(&report.submit("A1", &[value("x", 1)])).is_empty());
    }

    fn an_option_that_is_left_out_is_warned_of_by_its_name(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin.put("/v1/indicators/p", &broken_down(false, &["m", "n"])).expect_status(201);
        admin.put("/v1/forms/f", &form(&["p"])).expect_status(201);
        let report = Report::of(&admin, "f", "2024");
        report.submit("A1", &[value("p", 9), option("p", "m", 4), option("p", "n", 5)]);
        let corrected = report.submit("A1", &[value("p", 9), option("p", "m", 4)]);
        assert_eq!(removed(&corrected), ["p"]);
        let message = corrected["warnings"][0]["message_en"].as_str().unwrap();
        assert!(message.contains("(n) as 5"), "{message}");
    }

    fn what_was_returned_and_comes_again_unchanged_is_warned_of_with_the_reason(backend) {
        let (_server, _admin, report) = yearly(backend);
        report.submit("A1", &[value("x", 1)]);
        returned(&report);
        let again = report.step("A1", "submit").expect_status(200).json();
        assert!(is_unchanged(&again));
        let message = again["warnings"][0]["message"].as_str().unwrap();
        assert!(message.contains("«Xem lại»"), "{message}");
        assert!(!is_unchanged(&report.submit("A1", &[value("x", 1)])));
        returned(&report);
        assert!(is_unchanged(&report.submit("A1", &[value("x", 1)])));
        returned(&report);
        assert!(!is_unchanged(&report.submit("A1", &[value("x", 2)])));
        report.step("A1", "approve").expect_status(200);
        report.step("A1", "reopen").expect_status(200);
        // Nobody gave a reason that could be answered.
        assert!(!is_unchanged(&report.step("A1", "submit").expect_status(200).json()));
    }
}
