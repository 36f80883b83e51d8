//! Figures to the last digit: shares of breakdowns, when a report counts as changed, numerators and
//! denominators, and the worked numbers of `docs/figures.md`.

use serde_json::{Value, json};
use tonghop::domain::quantity::Qualifier;
use tonghop::domain::submission::{EnteredValue, Nil};
use tonghop::service::application::call::Call;
use tonghop::service::application::condition::Precondition;
use tonghop::service::application::locate::ReportPath;
use tonghop::service::submission::{Arrival, Asked, Entered, Intent, SubmissionChange, change_all};

use crate::harness::decree::{commune, merge, split};
use crate::harness::program::tonghop_on;
use crate::harness::report::{Report, Reports, cell, option, shown, value};
use crate::harness::server::now;
use crate::harness::town::{Town, broken_down, formula, indicator, over_time};
use crate::harness::{Answer, Backend, Client, Server};

/// A town with three communes, and one with a single one.
const UNITS: &str = "T,Thị xã,town,\nA,Xã A,commune,T\nB,Xã B,commune,T\nD,Xã D,commune,T\n\
    T2,Thị xã khác,town,\nE,Xã E,commune,T2\n";

/// The towns with a monthly form `m` of the communes that holds these indicators.
fn reporting(backend: Backend, indicators: &[(&str, Value)]) -> (Server, Client, Reports) {
    let towns = Town::of(backend, UNITS);
    let holding = indicators
        .iter()
        .fold(towns, |towns, (code, body)| towns.indicator(code, body));
    holding
        .form("m", "month")
        .with("calendar", "civil")
        .with("submitted_by", json!(["commune"]))
        .build()
}

/// The values of some cells of a unit's report; `what` is a unit's code and a query.
fn values(report: &Report, what: &str, names: &[&str]) -> Vec<String> {
    let rollup = report.read(&rollup_of(what));
    let shown = names
        .iter()
        .map(|name| cell(&rollup, name)["value"].to_string());
    shown.collect()
}

/// `A?as_of=…` as it stands in a path.
fn rollup_of(what: &str) -> String {
    match what.split_once('?') {
        Some((unit, query)) => format!("{unit}/rollup?{query}"),
        None => format!("{what}/rollup"),
    }
}

/// `4.5 = 9 / 2`.
fn quotient(report: &Report, what: &str, name: &str) -> String {
    let cell = cell(&report.read(&rollup_of(what)), name);
    format!(
        "{} = {} / {}",
        cell["value"], cell["numerator"], cell["denominator"]
    )
}

fn read(admin: &Client, unit: &str, key: &str) -> Answer {
    let path = format!("/v1/forms/m/periods/{key}/units/code:{unit}/rollup?include=children");
    admin.get(&path).expect_status(200)
}

/// Some reports, byte for byte, each with its ETag.
fn reports(admin: &Client, of: &[(&str, &str)]) -> Vec<(String, String)> {
    let read = of.iter().map(|(unit, key)| read(admin, unit, key));
    read.map(|answer| (answer.etag().to_owned(), answer.text.clone()))
        .collect()
}

/// Submits `x` of January 2024 for several units in one commit.
fn submit_at_once(server: &Server, numbers: &[(&str, i64)]) {
    let application = &server.application;
    let asked = numbers.iter().map(|(unit, number)| {
        let path = ReportPath {
            form: "m".to_owned(),
            period: "2024-01".to_owned(),
            unit: format!("code:{unit}"),
        };
        let call = Call::new(server.identity(), now()).on(Precondition::Present);
        let entered = Entered {
            values: vec![EnteredValue {
                indicator: "x".to_owned(),
                option: None,
                value: number.to_string(),
                qualifier: Qualifier::Exact,
            }],
            narrative: Vec::new(),
            nil: Nil::NotDeclared,
            intent: Intent::Submit,
            arrival: Arrival::Now,
        };
        Asked::new(application, call, path, SubmissionChange::Put(entered)).unwrap()
    });
    let answers = change_all(application, server.identity().tenant(), asked.collect());
    let revs: Vec<Value> = answers
        .into_iter()
        .map(|answer| serde_json::from_str::<Value>(&answer.unwrap().body).unwrap()["rev"].clone())
        .collect();
    assert!(revs.iter().all(|rev| *rev == revs[0]), "{revs:?}");
}

on_both_backends! {
    // ---- Breakdowns -----------------------------------------------------------------------------

    fn the_options_of_a_part_add_up_to_its_total_where_a_breakdown_is_closed(backend) {
        let (_server, admin, m) = reporting(backend, &[("docs", broken_down(true, &["plan", "letter"]))]);
        let names = ["docs", "docs/plan", "docs/letter"];
        let sent = [option("docs", "plan", 50), option("docs", "letter", 50)];
        for key in ["2024-12", "2025-02"] {
            m.of(key).submit("A", &sent);
        }
        // Of December after it ended, of February as it was entered late.
        admin.reorganise("2025-01-01", &json!([split("A", &[(commune("X", "T"), "1/3"), (commune("Y", "T"), "2/3")])]));
        let december = m.of("2024-12");
        for (unit, parts) in [("X", ["33", "16", "17"]), ("Y", ["67", "34", "33"]), ("T", ["100", "50", "50"])] {
            assert_eq!(values(&december, &format!("{unit}?as_of=2025-01-01"), &names), parts);
            for key in ["2025-02", "2025-Q1", "2025"] {
                assert_eq!(values(&m.of(key), unit, &names), parts, "{unit} {key}");
            }
        }
        m.expect_verified("T", &["2024-12", "2025-02", "2025"]);
    }

    fn the_options_of_a_part_stay_within_its_total_where_a_breakdown_is_open(backend) {
        let (_server, admin, m) = reporting(backend, &[("docs", broken_down(false, &["plan"]))]);
        let names = ["docs", "docs/plan"];
        m.of("2025-02").submit("A", &[value("docs", 4), option("docs", "plan", 3)]);
        admin.reorganise("2025-01-01", &json!([split("A", &[(commune("X", "T"), "1/7"), (commune("Y", "T"), "3/7"), (commune("Z", "T"), "3/7")])]));
        let february = m.of("2025-02");
        for (unit, parts) in [("X", ["0", "0"]), ("Y", ["2", "1"]), ("Z", ["2", "2"]), ("T", ["4", "3"])] {
            assert_eq!(values(&february, unit, &names), parts, "{unit}");
        }
        m.expect_verified("T", &["2025-02", "2025"]);
    }

    fn several_breakdowns_are_divided_beside_the_same_totals_and_what_is_divided_again_still_adds_up(backend) {
        let mut docs = broken_down(true, &["plan", "letter"]);
        let topic = json!({"code": "topic", "closed": true, "options": [
            {"code": "land", "name": {"vi": "Đất"}}, {"code": "water", "name": {"vi": "Nước"}}, {"code": "road", "name": {"vi": "Đường"}}]});
        docs["breakdowns"].as_array_mut().unwrap().push(topic);
        let (_server, admin, m) = reporting(backend, &[("docs", docs)]);
        let sent = [("plan", 50), ("letter", 50), ("land", 34), ("water", 33), ("road", 33)];
        let sent: Vec<Value> = sent.iter().map(|(code, number)| option("docs", code, *number)).collect();
        let january = m.of("2025-01");
        january.submit("A", &sent);
        admin.reorganise("2025-03-01", &json!([split("A", &[(commune("X", "T"), "1/3"), (commune("Y", "T"), "2/3")])]));
        let again = [("X1", "1/7"), ("X2", "6/7")]
            .map(|(code, share)| json!({"unit": commune(code, "T"), "share": share}));
        admin.reorganise("2025-05-01", &json!([{"op": "split", "from": "code:X", "basis": "dân số", "into": again}]));
        let of = |unit: &str, day: &str| -> Vec<i64> {
            let names = ["docs", "docs/plan", "docs/letter", "docs/land", "docs/water", "docs/road"];
            let shown = values(&january, &format!("{unit}?as_of={day}"), &names);
            shown.iter().map(|shown| shown.parse().unwrap()).collect()
        };
        let units = ["Y", "X1", "X2"].map(|unit| of(unit, "2025-05-01"));
        for parts in &units {
            assert_eq!((parts[1] + parts[2], parts[3] + parts[4] + parts[5]), (parts[0], parts[0]), "{units:?}");
        }
        assert_eq!((0..6).map(|at| units.iter().map(|parts| parts[at]).sum()).collect::<Vec<i64>>(), [100, 50, 50, 34, 33, 33]);
        // What was divided once does not move when a part is divided later.
        assert_eq!(of("Y", "2025-05-01"), of("Y", "2025-03-01"));
        assert_eq!(of("X", "2025-03-01"), (0..6).map(|at| units[1][at] + units[2][at]).collect::<Vec<_>>());
    }

    // ---- When a report is another one -----------------------------------------------------------

    fn a_later_month_leaves_a_long_period_that_is_not_made_of_it_as_it_was(backend) {
        let (_server, admin, m) = reporting(backend, &[("x", over_time("sum", "sum"))]);
        m.submit("A", "2024-01", json!({"x": 1}));
        let of = [("T", "2024-Q1"), ("A", "2024-Q1"), ("T", "2024-H1"), ("T", "2024-9M")];
        let before = reports(&admin, &of);
        let year = read(&admin, "T", "2024");
        m.submit("A", "2024-12", json!({"x": 2}));
        m.submit("B", "2024-11", json!({"x": 2}));
        assert_eq!(reports(&admin, &of), before);
        let after = read(&admin, "T", "2024");
        assert_ne!(after.etag(), year.etag());
        assert_eq!(after.json()["rev"].as_i64(), year.json()["rev"].as_i64().map(|rev| rev + 2));
        // What it is made of moves it.
        m.submit("B", "2024-02", json!({"x": 2}));
        for (then, now) in before.iter().zip(reports(&admin, &of)) {
            assert_eq!(then.0 == now.0, then.1 == now.1, "the ETag goes with the body");
        }
        assert_ne!(reports(&admin, &of[..1]), before[..1]);
        m.expect_verified("T", &["2024-Q1", "2024"]);
    }

    fn what_changes_no_figure_of_a_report_leaves_its_rev_and_etag(backend) {
        let (_server, admin, m) = reporting(backend, &[("x", over_time("sum", "sum")), ("least", over_time("min", "min"))]);
        for (unit, number) in [("A", 1), ("B", 5), ("E", 7)] {
            for key in ["2024-01", "2024-03"] {
                m.submit(unit, key, json!({"x": number, "least": number}));
            }
        }
        let of = [("T", "2024-01"), ("T", "2024-Q1"), ("T", "2024"), ("A", "2024-01"), ("A", "2024-Q1")];
        let before = reports(&admin, &of);
        let towns = &of[..3];
        // The same once more.
        m.submit("B", "2024-03", json!({"x": 5, "least": 5}));
        assert_eq!(reports(&admin, towns)[..], before[..3]);
        // Another map later, and another one elsewhere, entered late; then taken back.
        admin.reorganise("2025-07-01", &json!([merge(&["A", "B"], &commune("C", "T"))]));
        assert_eq!(reports(&admin, &of), before);
        m.submit("C", "2025-07", json!({"x": 1}));
        assert_eq!(reports(&admin, &of), before);
        let elsewhere = [("T2", "2024-Q1"), ("T2", "2024-01")];
        let there = reports(&admin, &elsewhere);
        admin.post_json("/v1/units", &json!({
            "code": "F", "name": "Xã F", "level": "commune", "parent": "code:T2", "valid_from": "2024-03-01"
        })).expect_status(201);
        assert_ne!(reports(&admin, &elsewhere[..1]), there[..1], "one more is expected");
        assert_eq!(reports(&admin, &elsewhere[1..]), there[1..]);
        let there = reports(&admin, &elsewhere);
        let late = admin.reorganise("2024-03-15", &json!([merge(&["E"], &commune("G", "T2"))]));
        assert_eq!(reports(&admin, &of), before);
        assert_ne!(reports(&admin, &elsewhere[..1]), there[..1]);
        assert_eq!(reports(&admin, &elsewhere[1..]), there[1..]);
        admin.with("If-Match", "*").post(&format!("{late}/undo")).expect_status(200);
        assert_eq!(reports(&admin, &of), before);
        assert_eq!(reports(&admin, &elsewhere[1..]), there[1..]);
        // An indicator that the form does not ask for.
        admin.put("/v1/indicators/other", &indicator("sum")).expect_status(201);
        assert_eq!(reports(&admin, &of), before);
        m.expect_verified("T", &["2024-01", "2024"]);
        m.expect_verified("T2", &["2024-03", "2024"]);
    }

    fn what_a_report_shows_beside_its_figures_moves_its_etag(backend) {
        let (_server, admin, m) = reporting(backend, &[("x", over_time("sum", "sum"))]);
        m.submit("A", "2025-01", json!({"x": 1}));
        let quarter = || read(&admin, "T", "2025-Q1");
        let before = quarter();
        admin.reorganise("2025-02-15", &json!([{"op": "rename", "unit": "code:A", "name": "Xã Mới"}]));
        let after = quarter();
        assert_eq!(after.json()["children"][0]["unit"]["name"], "Xã Mới");
        assert_ne!(after.etag(), before.etag());
        assert_eq!(after.json()["rev"], before.json()["rev"], "its figures did not change");
    }

    fn what_cancels_out_moves_the_etag_of_a_report_with_its_children_alone(backend) {
        let (server, admin, m) = reporting(backend, &[("x", over_time("sum", "sum"))]);
        for unit in ["A", "B"] {
            m.submit(unit, "2024-01", json!({"x": 5}));
        }
        let alone = || admin.get("/v1/forms/m/periods/2024-01/units/code:T/rollup").expect_status(200);
        let before = (alone(), read(&admin, "T", "2024-01"));
        submit_at_once(&server, &[("A", 6), ("B", 4)]);
        let after = (alone(), read(&admin, "T", "2024-01"));
        let child = |number: usize| after.1.json()["children"][number]["cells"][0]["value"].clone();
        assert_eq!((child(0), child(1)), (json!(6), json!(4)));
        assert_ne!(after.1.etag(), before.1.etag());
        // The town's own totals are what they were.
        assert_eq!(after.1.json()["rev"], before.1.json()["rev"]);
        assert_eq!((after.0.etag(), &after.0.text), (before.0.etag(), &before.0.text));
    }

    // ---- What is divided by what ----------------------------------------------------------------

    fn an_average_over_time_is_divided_by_its_months_however_many_units_reported_them(backend) {
        let (_server, admin, m) = reporting(backend, &[("members", over_time("sum", "average")), ("most", over_time("max", "average"))]);
        let report = |unit: &str, key: &str, number: i64| m.submit(unit, key, json!({"members": number, "most": number}));
        let quarter = m.of("2025-Q1");
        report("A", "2025-01", 2);
        report("B", "2025-01", 3);
        admin.reorganise("2025-02-01", &json!([merge(&["A", "B"], &commune("C", "T"))]));
        report("C", "2025-02", 4);
        // 2 + 3 in January, 4 in February.
        assert_eq!(quotient(&quarter, "C", "members"), "4.5 = 9 / 2");
        assert_eq!(quotient(&quarter, "T", "members"), "4.5 = 9 / 2");
        // The larger of 2 and 3, then 4; an extreme is in lowest terms.
        assert_eq!(quotient(&quarter, "T", "most"), "3.5 = 7 / 2");
        for (key, number) in [("2025-01", 8), ("2025-02", 5), ("2025-03", 3)] {
            report("D", key, number);
        }
        // 9/2 + 16/3: shown when two have reported as when one has.
        assert_eq!(quotient(&quarter, "D", "members"), "5.33 = 16 / 3");
        assert_eq!(quotient(&quarter, "T", "members"), "9.83 = 59 / 6");
        assert_eq!(quotient(&quarter, "T", "most"), "5.33 = 16 / 3");
        m.expect_verified("T", &["2025-Q1"]);
    }

    fn the_parts_of_a_quotient_are_shown_to_the_last_digit(backend) {
        let (_server, admin, m) = reporting(backend, &[
            ("rate", over_time("average", "last")), ("people", over_time("sum", "last")),
            ("each", formula("rate / people", 4)), ("all", formula("people / rate", 4)),
        ]);
        for (unit, rate, people) in [("A", 5, 1), ("B", 5, 1), ("D", 6, 2)] {
            m.submit(unit, "2025-01", json!({"rate": rate, "people": people}));
        }
        admin.reorganise("2025-02-01", &json!([merge(&["A", "B", "D"], &commune("C", "T"))]));
        let quarter = m.of("2025-Q1");
        // One unit's mean of three: 16 / 3 and not 5.333333333333 / 1.
        assert_eq!(quotient(&quarter, "T", "rate"), "5.33 = 16 / 3");
        // 16/3 over 4, and 4 over it, both times three.
        assert_eq!(quotient(&quarter, "T", "each"), "1.3333 = 16 / 12");
        assert_eq!(quotient(&quarter, "T", "all"), "0.75 = 12 / 16");
    }

    // ---- The worked numbers of docs/figures.md, in its order ------------------------------------

    fn halves_are_rounded_away_from_zero_on_either_side(backend) {
        let (_server, _, m) = reporting(backend, &[("x", over_time("sum", "sum")), ("half", formula("x / 2", 0))]);
        for (unit, number) in [("A", 1), ("B", -1), ("D", -5), ("E", 5)] {
            m.submit(unit, "2025-01", json!({"x": number}));
        }
        let half = |unit: &str| values(&m.of("2025-01"), unit, &["half"]).concat();
        assert_eq!(["A", "B", "E", "D"].map(half), ["1", "-1", "3", "-3"]);
    }

    fn a_formula_is_worked_out_with_exact_figures_and_rounded_once(backend) {
        let (_server, _, m) = reporting(backend, &[
            ("x", over_time("average", "sum")), ("third", formula("x / 3", 1)), ("again", formula("3 * third", 1)),
            ("eighth", formula("x / 8", 2)), ("tenfold", formula("10 * eighth", 1)),
        ]);
        m.submit("A", "2025-01", json!({"x": 1}));
        let names = ["third", "again", "eighth", "tenfold"];
        assert_eq!(values(&m.of("2025-01"), "A", &names), ["0.3", "1", "0.13", "1.3"]);
        // (1 + 2 + 2) / 3 = 1.67; a third of 5/3 is 0.56 and not 0.6 of it.
        m.submit("B", "2025-01", json!({"x": 2}));
        m.submit("D", "2025-01", json!({"x": 2}));
        assert_eq!(values(&m.of("2025-01"), "T", &["x", "third", "again"]), ["1.67", "0.6", "1.7"]);
    }

    fn an_average_has_two_decimals_more_and_of_counts_two(backend) {
        let mut counted = over_time("average", "count");
        counted["decimals"] = json!(3);
        let mut mean = over_time("average", "average");
        mean["decimals"] = json!(1);
        let (_server, _, m) = reporting(backend, &[("counted", counted), ("mean", mean)]);
        for (unit, key) in [("A", "2025-01"), ("A", "2025-02"), ("A", "2025-03"), ("B", "2025-01"), ("B", "2025-02"), ("B", "2025-03"), ("D", "2025-01"), ("D", "2025-02")] {
            let number = json!(if unit == "A" { 1.5 } else { 2.5 });
            m.of(key).submit(unit, &[value("counted", number.clone()), value("mean", number)]);
        }
        let quarter = m.of("2025-Q1");
        // 3 + 3 + 2 months of three units; 3 × 1.5 and 5 × 2.5 of eight values.
        assert_eq!(quotient(&quarter, "T", "counted"), "2.67 = 8 / 3");
        assert_eq!(quotient(&quarter, "T", "mean"), "2.125 = 17 / 8");
        // A month's own average of what counts months is still that of its values.
        assert_eq!(quotient(&m.of("2025-03"), "T", "counted"), "2 = 4 / 2");
    }

    fn a_month_s_average_is_of_all_values_and_a_long_period_s_of_one_a_unit(backend) {
        let (_server, admin, m) = reporting(backend, &[("rate", over_time("average", "last")), ("mean", over_time("average", "average"))]);
        for (unit, number) in [("A", 1), ("B", 3), ("D", 5)] {
            m.submit(unit, "2025-05", json!({"rate": number, "mean": number}));
        }
        let (may, quarter) = (m.of("2025-05"), m.of("2025-Q2"));
        assert_eq!(quotient(&quarter, "T", "rate"), "3 = 9 / 3");
        admin.reorganise("2025-06-01", &json!([merge(&["A", "B"], &commune("C", "T"))]));
        assert_eq!(quotient(&may, "T", "rate"), "3 = 9 / 3");
        assert_eq!(quotient(&may, "T?as_of=2025-06-01", "rate"), "3 = 9 / 3");
        assert_eq!(quotient(&may, "C?as_of=2025-06-01", "rate"), "2 = 4 / 2");
        assert_eq!(quotient(&quarter, "C", "rate"), "2 = 2 / 1");
        assert_eq!(quotient(&quarter, "T", "rate"), "3.5 = 7 / 2");
        // The mean of all values there are is the same wherever they are counted.
        assert_eq!(quotient(&quarter, "T", "mean"), "3 = 9 / 3");
        assert_eq!(quotient(&may, "T?as_of=2025-06-01", "mean"), "3 = 9 / 3");
    }

    fn shares_are_counted_where_they_are_and_what_is_whole_once(backend) {
        let (_server, admin, m) = reporting(backend, &[("raised", over_time("sum", "sum")), ("largest", over_time("max", "max"))]);
        for unit in ["A", "B", "D"] {
            m.submit(unit, "2024-12", json!({"raised": 10, "largest": 10}));
        }
        admin.reorganise("2025-01-01", &json!([split("A", &[(commune("X", "T"), "1/2"), (commune("Y", "T"), "1/2")])]));
        let restated = m.of("2024-12").read("T/rollup?as_of=2025-01-01");
        assert_eq!(shown(&cell(&restated, "raised")), "30 4/4");
        assert_eq!(shown(&cell(&restated, "largest")), "10 3/3");
        assert_eq!(restated["completeness"], json!({"expected": 3, "submitted": 3, "approved": 0}));
    }

    fn what_nobody_can_divide_counts_until_all_heirs_have_submitted(backend) {
        let (server, admin, m) = reporting(backend, &[("raised", over_time("sum", "sum"))]);
        m.submit("A", "2025-02", json!({"raised": 10}));
        let into = ["X", "Y"].map(|code| json!({"unit": commune(code, "T")}));
        admin.reorganise("2025-01-01", &json!([{"op": "split", "from": "code:A", "into": into}]));
        let february = m.of("2025-02");
        assert_eq!(february.figure("T", "raised"), "10 1/4");
        let named = |period: &str, rest: &str| -> Value {
            let of_period = m.of(period).read(&format!("T/{rest}"));
            of_period["map"]["not_divided"].as_array().unwrap().iter().map(|one| one["unit"]["code"].clone()).collect()
        };
        for (period, rest) in [("2025-02", "rollup"), ("2025-02", "rollup?include=children"), ("2025-02", "completeness"), ("2025", "rollup")] {
            assert_eq!(named(period, rest), json!(["A"]), "{period} {rest}");
        }
        assert_eq!(named("2025-03", "rollup"), json!([]));
        let series = admin.get("/v1/forms/m/units/code:T/series?indicator=raised&from=2025-02&to=2025-02").expect_status(200).json();
        assert_eq!(series["map"]["not_divided"][0]["unit"]["code"], "A");
        let printed = tonghop_on(&server.database, &["report", "--tenant", "test", "--form", "m", "--period", "2025-02", "--unit", "T"]).output().unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        assert!(printed.contains("chưa chia được cho các đơn vị mới: Xã A (A)."), "{printed}");
        // A's leaf has what was expected of A; X, Y, B and D are expected now.
        let report = february.read("T/rollup?include=children");
        let leaf = report["children"].as_array().unwrap().iter().find(|child| child["not_divided"] == true).unwrap();
        assert_eq!(shown(&cell(leaf, "raised")), "10 1/0");
        m.submit("X", "2025-02", json!({"raised": 4}));
        assert_eq!(february.figure("T", "raised"), "14 2/4");
        assert_eq!(named("2025-02", "rollup"), json!(["A"]));
        // The two received are X's and the former A's: Y, B and D are missing.
        let progress = february.read("T/completeness");
        assert_eq!((&progress["total"]["submitted"], &progress["total"]["missing"]), (&json!(2), &json!(3)));
        m.submit("Y", "2025-02", json!({"raised": 6}));
        assert_eq!(february.figure("T", "raised"), "10 2/4");
        assert_eq!(named("2025-02", "rollup"), json!([]));
        m.expect_verified("T", &["2025-02", "2025"]);
    }

    fn a_merger_counts_the_values_that_were_and_leaves_what_is_only_a_unit_s_own(backend) {
        let (_server, admin, m) = reporting(backend, &[("meetings", over_time("count", "count")), ("staff", over_time("none", "last"))]);
        for unit in ["A", "B", "D"] {
            m.submit(unit, "2025-05", json!({"meetings": 1, "staff": 7}));
        }
        admin.reorganise("2025-06-01", &json!([merge(&["A", "B"], &commune("C", "T"))]));
        let (may, quarter) = (m.of("2025-05"), m.of("2025-Q2"));
        let of_may = |unit: &str, code: &str| shown(&cell(&may.read(&rollup_of(&format!("{unit}?as_of=2025-06-01"))), code));
        // Two values were reported in what is C now.
        assert_eq!((of_may("C", "meetings"), of_may("T", "meetings")), ("2 2/2".to_owned(), "3 3/3".to_owned()));
        // Of a quarter each unit that stands at its end has one, of the months that it has.
        assert!(quarter.figure("C", "meetings").starts_with("1 2/"), "{}", quarter.figure("C", "meetings"));
        assert!(quarter.figure("T", "meetings").starts_with("2 3/"), "{}", quarter.figure("T", "meetings"));
        // Nobody has the staff of A and B, and of C nobody was asked in May.
        assert_eq!(of_may("C", "staff"), "null 0/0");
        assert_eq!(of_may("D", "staff"), "7 1/1");
        assert_eq!(quarter.figure("C", "staff"), "null 0/1", "June's is missing");
        assert_eq!(quarter.figure("T", "staff"), "null 0/0");
    }
}
