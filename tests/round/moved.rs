//! Tasks where the map moves within the period: they ask for what completeness counts as missing, and
//! nobody is asked for a unit for which nothing can be entered any more.

use serde_json::{Value, json};

use super::tasks::{day, key, short, somebody, window, windowed};
use crate::harness::decree::{decree, merge};
use crate::harness::report::{Report, value};
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Server};

const NOTHING: [&str; 0] = [];

/// The town with one form `f` of communes and hamlets, whose window is running.
fn running(backend: Backend) -> (Server, Client, Report) {
    Town::new(backend)
        .indicators(&[("x", "sum")])
        .own_form("f", windowed(&[window("a", (-30, 20), Some(25))]))
        .build_for(&key("a", -30))
}

fn hamlet(code: &str, parent: &str) -> Value {
    json!({"code": code, "name": format!("Ấp {code}"), "level": "hamlet", "parent": format!("code:{parent}")})
}

/// Five days ago, within the period.
fn carry_out(admin: &Client, steps: &Value) {
    admin.carry_out(&decree(&day(-5).to_string(), steps));
}

/// `expected submitted approved returned missing` of a unit and everything below it.
#[track_caller]
fn progress(report: &Report, unit: &str) -> String {
    let total = report.read(&format!("{unit}/completeness"))["total"].clone();
    let fields = ["expected", "submitted", "approved", "returned", "missing"];
    fields.map(|field| total[field].to_string()).join(" ")
}

/// The units that are listed as missing below a unit.
#[track_caller]
fn missing(report: &Report, unit: &str, of: &str) -> Vec<String> {
    let listed = report.read(&format!("{unit}/completeness?of={of}&status=missing"));
    let items = listed["items"].as_array().unwrap().iter();
    items
        .map(|item| item["unit"]["code"].as_str().unwrap().to_owned())
        .collect()
}

on_both_backends! {
    fn a_successor_owes_what_none_of_its_predecessors_sent(backend) {
        let (server, admin, report) = running(backend);
        let first = somebody(&server, "first", &["reporter@code:A1"]);
        let clerk = somebody(&server, "clerk", &["reporter@code:A"]);
        let chair = somebody(&server, "chair", &["approver@code:A"]);
        assert_eq!(short(&first), ["submit A1 own 0"]);
        assert_eq!(short(&clerk), ["submit A own 2"]);
        // Given back, and not answered when the unit ended.
        report.submit("A1", &[value("x", 1)]);
        report.give_back("A1", &json!({"reason": "Sai"})).expect_status(200);
        assert_eq!(short(&first), ["correct A1 own 0"]);

        carry_out(&admin, &json!([merge(&["A1", "A2"], &hamlet("A3", "A"))]));
        let third = somebody(&server, "third", &["reporter@code:A3"]);
        assert_eq!(progress(&report, "A"), "2 0 0 0 2");
        assert_eq!(missing(&report, "A", "children"), ["A3"]);
        assert_eq!(short(&first), NOTHING);
        assert_eq!(short(&third), ["submit A3 own 0"]);
        assert_eq!(short(&clerk), ["submit A own 1"]);
        assert_eq!(short(&chair), NOTHING);
        report.by(&third).submit("A3", &[value("x", 3)]);
        assert_eq!(progress(&report, "A"), "2 1 0 0 1");
        assert_eq!(short(&third), NOTHING);
        assert_eq!(short(&clerk), ["submit A own 0"]);
        assert_eq!(short(&chair), ["approve A below 1"]);
    }

    fn what_a_predecessor_sent_stands_for_its_successor_until_that_sends_its_own(backend) {
        let (server, admin, report) = running(backend);
        let first = somebody(&server, "first", &["reporter@code:A1"]);
        let second = somebody(&server, "second", &["reporter@code:A2"]);
        let clerk = somebody(&server, "clerk", &["reporter@code:A"]);
        let chair = somebody(&server, "chair", &["approver@code:A"]);
        report.submit("A1", &[value("x", 1)]);
        assert_eq!(short(&chair), ["approve A below 1"]);

        carry_out(&admin, &json!([merge(&["A1", "A2"], &hamlet("A3", "A"))]));
        let third = somebody(&server, "third", &["reporter@code:A3"]);
        // What the former unit sent counts, and cannot be approved any more.
        assert_eq!(progress(&report, "A"), "2 1 0 0 1");
        assert_eq!(missing(&report, "A", "children"), NOTHING);
        for former in [&first, &second] {
            assert_eq!(short(former), NOTHING);
        }
        assert_eq!(short(&third), NOTHING);
        assert_eq!(short(&clerk), ["submit A own 0"]);
        assert_eq!(short(&chair), NOTHING);
        report.step("A1", "approve").expect_problem(404, "UNIT_ENDED");

        report.by(&third).submit("A3", &[value("x", 3)]);
        assert_eq!(progress(&report, "A"), "2 1 0 0 1");
        assert_eq!(short(&chair), ["approve A below 1"]);
        report.by(&chair).step("A3", "approve").expect_status(200);
        assert_eq!(progress(&report, "A"), "2 1 1 0 1");
        assert_eq!(short(&chair), NOTHING);
    }

    fn a_unit_that_took_another_in_owes_what_neither_sent(backend) {
        let (server, admin, report) = running(backend);
        let first = somebody(&server, "first", &["reporter@code:A1"]);
        let second = somebody(&server, "second", &["reporter@code:A2"]);
        let chair = somebody(&server, "chair", &["approver@code:A"]);
        report.submit("A2", &[value("x", 2)]);
        carry_out(&admin, &json!([merge(&["A2"], &json!("code:A1"))]));
        assert_eq!(progress(&report, "A"), "2 1 0 0 1");
        assert_eq!((short(&first), short(&second)), (vec![], vec![]));
        assert_eq!(short(&chair), NOTHING);
        // Its own report takes the place of what the other had sent.
        report.by(&first).submit("A1", &[value("x", 1)]);
        assert_eq!(progress(&report, "A"), "2 1 0 0 1");
        assert_eq!(short(&chair), ["approve A below 1"]);
        report.by(&chair).give_back("A1", &json!({"reason": "Sai"})).expect_status(200);
        // The other's stands for it again, and what was returned is still to be corrected.
        assert_eq!(progress(&report, "A"), "2 1 0 0 1");
        assert_eq!(short(&first), ["correct A1 own 0"]);
        assert_eq!(short(&chair), NOTHING);
    }

    fn what_is_left_of_a_former_unit_hides_nobody_who_owes(backend) {
        let (server, admin, report) = running(backend);
        let town = somebody(&server, "town", &["reporter@code:T"]);
        let head = somebody(&server, "head", &["approver@code:T"]);
        report.submit("A1", &[value("x", 1)]);
        assert_eq!(short(&town), ["submit T below 4"]);
        // Nobody knows in which shares: what A1 sent stays under the town.
        carry_out(&admin, &json!([{"op": "split", "from": "code:A1", "into": [
            {"unit": hamlet("A3", "A")}, {"unit": hamlet("B3", "B")}]}]));
        assert_eq!(progress(&report, "T"), "6 1 0 0 6");
        assert_eq!(short(&town), ["submit T below 6"]);
        assert_eq!(missing(&report, "T", "level:hamlet"), ["A2", "A3", "B1", "B3"]);
        assert_eq!(missing(&report, "T", "level:commune"), ["A", "B"]);
        assert_eq!(short(&head), NOTHING);
        for unit in ["A", "A2", "A3", "B", "B1", "B3"] {
            report.submit(unit, &[value("x", 1)]);
        }
        assert_eq!(progress(&report, "T"), "6 6 0 0 0");
        assert_eq!(short(&town), NOTHING);
        assert_eq!(short(&head), ["approve T below 6"]);
    }

    fn a_period_that_closed_before_the_change_is_still_owed_by_the_units_of_then(backend) {
        let (server, admin, report) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .own_form("f", windowed(&[window("a", (-30, -10), Some(25))]))
            .build_for(&key("a", -30));
        let first = somebody(&server, "first", &["reporter@code:A1"]);
        let clerk = somebody(&server, "clerk", &["reporter@code:A"]);
        carry_out(&admin, &json!([merge(&["A1", "A2"], &hamlet("A3", "A"))]));
        let third = somebody(&server, "third", &["reporter@code:A3"]);
        assert_eq!(short(&first), ["submit A1 own 0"]);
        assert_eq!(short(&third), NOTHING);
        assert_eq!(short(&clerk)[0], "submit A own 2");
        report.by(&first).submit("A1", &[value("x", 1)]);
        assert_eq!(short(&first), NOTHING);
    }
}
