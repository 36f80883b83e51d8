//! Several reorganisations of the same units, one after another. The expected figures are worked
//! out by hand, dividing by largest remainder at each step.

use serde_json::{Value, json};

use crate::harness::decree::{commune, merge};
use crate::harness::report::{Reports, cell};
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Server};

/// The town with a monthly form `m` of a sum, a stock and a largest.
fn reporting(backend: Backend) -> (Server, Client, Reports) {
    Town::new(backend)
        .over_time(&[
            ("raised", "sum", "sum"),
            ("members", "sum", "last"),
            ("largest", "max", "max"),
        ])
        .form("m", "month")
        .with("calendar", "civil")
        .build()
}

/// The same number for every indicator.
fn all(number: i64) -> Value {
    json!({"raised": number, "members": number, "largest": number})
}

/// A commune is divided; who gets which share, in this order. Its hamlets go to the first.
fn split_with_hamlets(from: &str, hamlets: &[&str], into: &[(Value, &str)]) -> Value {
    let first = match &into[0].0 {
        Value::String(standing) => standing.clone(),
        described => format!("code:{}", described["code"].as_str().unwrap()),
    };
    let children: serde_json::Map<String, Value> = hamlets
        .iter()
        .map(|hamlet| (format!("code:{hamlet}"), json!(first)))
        .collect();
    let parts: Vec<Value> = into
        .iter()
        .map(|(unit, share)| json!({"unit": unit, "share": share}))
        .collect();
    json!({"op": "split", "from": format!("code:{from}"), "basis": "dân số", "children": children, "into": parts})
}

/// What a figure of units is in a period, on the map of the period or on that of a day.
fn figures<const N: usize>(
    m: &Reports,
    (indicator, period, as_of): (&str, &str, &str),
    units: [&str; N],
) -> [Option<i64>; N] {
    let query = match as_of {
        "" => String::new(),
        day => format!("?as_of={day}"),
    };
    units.map(|unit| {
        let rollup = m.of(period).read(&format!("{unit}/rollup{query}"));
        cell(&rollup, indicator)["value"].as_i64()
    })
}

/// Reports without the counters that tell of commits.
fn read_all(m: &Reports, units: &[&str], periods: &[&str]) -> Vec<String> {
    let of_unit = |unit: &&str| {
        let read = |period: &&str| {
            let mut report = m
                .of(period)
                .read(&format!("{unit}/rollup?include=children"));
            report.as_object_mut().unwrap().remove("rev");
            report.to_string()
        };
        periods.iter().map(read).collect::<Vec<String>>()
    };
    units.iter().flat_map(of_unit).collect()
}

on_both_backends! {
    fn five_reorganisations_over_the_same_units_leave_every_figure_where_it_can_be_worked_out(backend) {
        let (_server, admin, m) = reporting(backend);
        let periods = ["2024-01", "2024-08", "2024-11", "2024", "2025-02", "2025-05", "2025-08", "2025"];
        m.submit("A", "2024-01", all(100));
        m.submit("B", "2024-01", all(50));
        let before = read_all(&m, &["T", "A", "B"], &["2024-01", "2024-Q1"]);

        // The first: three tenths of A become C.
        admin.reorganise("2024-07-01", &json!([split_with_hamlets("A", &["A1", "A2"], &[(json!("code:A"), "7/10"), (commune("C", "T"), "3/10")])]));
        assert_eq!(figures(&m, ("raised", "2024-01", "2024-07-01"), ["A", "B", "C", "T"]), [Some(70), Some(50), Some(30), Some(150)]);
        for (unit, number) in [("A", 10), ("B", 20), ("C", 7)] {
            m.submit(unit, "2024-08", all(number));
        }
        m.expect_verified("T", &periods);

        // The second: B and C become D.
        admin.reorganise("2024-10-01", &json!([merge(&["B", "C"], &commune("D", "T"))]));
        assert_eq!(figures(&m, ("raised", "2024-01", "2024-10-01"), ["A", "D", "T"]), [Some(70), Some(80), Some(150)]);
        assert_eq!(figures(&m, ("raised", "2024-08", "2024-10-01"), ["A", "D", "T"]), [Some(10), Some(27), Some(37)]);
        m.submit("A", "2024-11", all(1));
        m.submit("D", "2024-11", all(2));
        // The year's own map is that of its last day: A 70 + 10 + 1, D 80 + 27 + 2.
        assert_eq!(figures(&m, ("raised", "2024", ""), ["A", "D", "T"]), [Some(81), Some(109), Some(190)]);
        assert_eq!(figures(&m, ("members", "2024", ""), ["A", "D", "T"]), [Some(1), Some(2), Some(3)]);
        m.expect_verified("T", &periods);
        let year = read_all(&m, &["T", "A", "D"], &["2024", "2024-11", "2024-Q4"]);

        // The third: thirds of D. Of January C's 30 are 10, 10, 10 and B's 50 are 17, 17, 16; of
        // August B's 20 are 7, 7, 6 and C's 7 are 3, 2, 2; of November 2 are 1, 1, 0.
        let thirds = [(json!("code:D"), "1/3"), (commune("E", "T"), "1/3"), (commune("F", "T"), "1/3")];
        admin.reorganise("2025-01-01", &json!([split_with_hamlets("D", &["B1"], &thirds)]));
        let parts = ["A", "D", "E", "F", "T"];
        assert_eq!(figures(&m, ("raised", "2024-01", "2025-01-01"), parts), [Some(70), Some(27), Some(27), Some(26), Some(150)]);
        assert_eq!(figures(&m, ("raised", "2024-08", "2025-01-01"), parts), [Some(10), Some(10), Some(9), Some(8), Some(37)]);
        assert_eq!(figures(&m, ("raised", "2024", "2025-01-01"), parts), [Some(81), Some(38), Some(37), Some(34), Some(190)]);
        assert_eq!(figures(&m, ("members", "2024", "2025-01-01"), parts), [Some(1), Some(1), Some(1), Some(0), Some(3)]);
        assert_eq!(figures(&m, ("largest", "2024-01", "2025-01-01"), ["D", "T"]), [None, Some(100)], "a largest is not divided");
        for (unit, number) in [("A", 5), ("D", 8), ("E", 4), ("F", 3)] {
            m.submit(unit, "2025-02", all(number));
        }
        m.expect_verified("T", &periods);

        // The fourth: A takes E in.
        admin.reorganise("2025-04-01", &json!([merge(&["A", "E"], &commune("A", "T"))]));
        let parts = ["A", "D", "F", "T"];
        assert_eq!(figures(&m, ("raised", "2024-01", "2025-04-01"), parts), [Some(97), Some(27), Some(26), Some(150)]);
        assert_eq!(figures(&m, ("raised", "2024", "2025-04-01"), parts), [Some(118), Some(38), Some(34), Some(190)]);
        assert_eq!(figures(&m, ("members", "2024", "2025-04-01"), parts), [Some(2), Some(1), Some(0), Some(3)]);
        for (unit, number) in [("A", 9), ("D", 6), ("F", 1)] {
            m.submit(unit, "2025-05", all(number));
        }
        m.expect_verified("T", &periods);

        // The fifth: D and F become one under a code that another had.
        admin.reorganise("2025-07-01", &json!([merge(&["D", "F"], &commune("C", "T"))]));
        m.submit("A", "2025-08", all(30));
        m.submit("C", "2025-08", all(40));
        let parts = ["A", "C", "T"];
        assert_eq!(figures(&m, ("raised", "2024-01", "2025-07-01"), parts), [Some(97), Some(53), Some(150)]);
        assert_eq!(figures(&m, ("raised", "2024", "2025-07-01"), parts), [Some(118), Some(72), Some(190)]);
        // A 5 and E's 4, 9, 30; D's 8 and F's 3, D's 6 and F's 1, 40.
        assert_eq!(figures(&m, ("raised", "2025", ""), parts), [Some(48), Some(58), Some(106)]);
        assert_eq!(figures(&m, ("members", "2025", ""), parts), [Some(30), Some(40), Some(70)]);
        assert_eq!(figures(&m, ("members", "2025-Q1", "2025-07-01"), parts), [Some(9), Some(11), Some(20)]);
        assert_eq!(figures(&m, ("raised", "2024-08", ""), ["C"]), [Some(7)], "the former C, on the map of then");
        m.expect_verified("T", &periods);

        assert_eq!(read_all(&m, &["T", "A", "B"], &["2024-01", "2024-Q1"]), before);
        assert_eq!(read_all(&m, &["T", "A", "D"], &["2024", "2024-11", "2024-Q4"]), year);
    }

    fn parts_of_parts_are_each_divided_for_themselves(backend) {
        let (_server, admin, m) = reporting(backend);
        for (month, number) in [("2024-01", 100), ("2024-02", 1), ("2024-03", 0), ("2024-04", -7)] {
            m.submit("A", month, all(number));
        }
        let thirds = [(json!("code:A"), "1/3"), (commune("C", "T"), "1/3"), (commune("D", "T"), "1/3")];
        admin.reorganise("2025-01-01", &json!([split_with_hamlets("A", &["A1", "A2"], &thirds)]));
        let of = |month, day| figures(&m, ("raised", month, day), ["A", "C", "D"]);
        assert_eq!(of("2024-01", "2025-01-01"), [Some(34), Some(33), Some(33)]);
        assert_eq!(of("2024-02", "2025-01-01"), [Some(1), Some(0), Some(0)]);
        assert_eq!(of("2024-03", "2025-01-01"), [Some(0), Some(0), Some(0)]);
        assert_eq!(of("2024-04", "2025-01-01"), [Some(-3), Some(-2), Some(-2)]);
        // Half of C becomes E; by another document of the same day, three quarters of E become F;
        // and later three tenths of D pass to F.
        let halves = [(json!("code:C"), "1/2"), (commune("E", "T"), "1/2")];
        admin.reorganise("2025-04-01", &json!([split_with_hamlets("C", &[], &halves)]));
        let quarters = [(json!("code:E"), "1/4"), (commune("F", "T"), "3/4")];
        admin.reorganise("2025-04-01", &json!([split_with_hamlets("E", &[], &quarters)]));
        let tenths = [(json!("code:D"), "7/10"), (json!("code:F"), "3/10")];
        admin.reorganise("2025-07-01", &json!([split_with_hamlets("D", &[], &tenths)]));
        // Of 100: C's 33 are 17 and 16, E's 16 are 4 and 12, D's 33 are 23 and 10 (of 23.1 and 9.9).
        // Of -7: C's -2 are -1 and -1, E's -1 is 0 and -1, D's -2 are -1 and -1 (of 1.4 and 0.6).
        let of = |month, day| figures(&m, ("raised", month, day), ["A", "C", "D", "E", "F", "T"]);
        assert_eq!(of("2024-01", "2025-04-01"), [34, 17, 33, 4, 12, 100].map(Some));
        assert_eq!(of("2024-01", "2025-07-01"), [34, 17, 23, 4, 22, 100].map(Some));
        assert_eq!(of("2024-02", "2025-07-01"), [1, 0, 0, 0, 0, 1].map(Some));
        assert_eq!(of("2024-03", "2025-07-01"), [0, 0, 0, 0, 0, 0].map(Some));
        assert_eq!(of("2024-04", "2025-07-01"), [-3, -1, -1, 0, -2, -7].map(Some));
        assert_eq!(of("2024-Q1", "2025-07-01"), [35, 17, 23, 4, 22, 101].map(Some));
        assert_eq!(of("2024", "2025-07-01"), [32, 16, 22, 4, 20, 94].map(Some));
        let [town] = figures(&m, ("largest", "2024", "2025-07-01"), ["T"]);
        assert_eq!(town, Some(100));
        m.expect_verified("T", &["2024-01", "2024-04", "2024", "2025"]);
    }

    fn a_unit_that_keeps_seven_tenths_of_itself_shares_only_what_it_submitted(backend) {
        let (_server, admin, m) = reporting(backend);
        let months = [("2024-01", 9, 5), ("2024-02", -9, 5), ("2024-03", 100, 0), ("2025-08", 9, 5)];
        for (month, of_a, of_b) in months {
            m.submit("A", month, all(of_a));
            m.submit("B", month, all(of_b));
            m.submit("A1", month, all(1000));
            m.submit("A2", month, all(2000));
        }
        let before = read_all(&m, &["T", "A", "B"], &["2024-01", "2024-02", "2024"]);
        let mut step = split_with_hamlets("A", &["A1"], &[(json!("code:A"), "7/10"), (json!("code:B"), "3/10")]);
        step["children"]["code:A2"] = json!("code:B");
        admin.reorganise("2025-07-01", &json!([step]));
        // 9 are 6 and 3 (of 6.3 and 2.7); B has 5 of its own, and each hamlet counts where it went.
        let of = |month, day| figures(&m, ("raised", month, day), ["A", "B", "T"]);
        assert_eq!(of("2024-01", "2025-07-01"), [1006, 2008, 3014].map(Some));
        assert_eq!(of("2024-02", "2025-07-01"), [994, 2002, 2996].map(Some));
        assert_eq!(of("2024-03", "2025-07-01"), [1070, 2030, 3100].map(Some));
        // Entered before the reform and of a month after it: the same.
        assert_eq!(of("2025-08", ""), [1006, 2008, 3014].map(Some));
        m.expect_verified("T", &["2025-08", "2025"]);
        // What B submits on the map of after is all of it, and so is what A does.
        m.submit("B", "2025-08", all(6));
        assert_eq!(of("2025-08", ""), [1006, 2006, 3012].map(Some));
        m.submit("A", "2025-08", all(8));
        assert_eq!(of("2025-08", ""), [1008, 2006, 3014].map(Some));
        m.expect_verified("T", &["2025-08", "2025"]);
        assert_eq!(read_all(&m, &["T", "A", "B"], &["2024-01", "2024-02", "2024"]), before);
    }

    fn a_merge_undone_leaves_every_report_as_if_it_had_never_been(backend) {
        let (_server, admin, m) = reporting(backend);
        for (month, number) in [("2024-12", 3), ("2025-06", 5), ("2025-07", 7), ("2025-08", 11)] {
            for (unit, times) in [("A", 1), ("B", 10), ("A1", 100), ("B1", 1000)] {
                m.submit(unit, month, all(number * times));
            }
        }
        m.of("2025-08").step("A", "approve").expect_status(200);
        let units = ["T", "A", "B", "A1", "A2", "B1"];
        let periods = ["2024-12", "2024", "2025-06", "2025-07", "2025-08", "2025-Q3", "2025-H1", "2025"];
        let before = read_all(&m, &units, &periods);
        // All of 11 and of 3, then B's and its hamlet's of them alone.
        for (work, from, into, august, december) in [
            ("stay", vec!["A", "B"], "A", 12221, 3333),
            ("pass_on", vec!["B"], "N", 11110, 3030),
        ] {
            let document = json!({
                "effective": "2025-07-01", "legal_basis": "Nghị quyết", "work_in_progress": work,
                "steps": [merge(&from, &commune(into, "T"))],
            });
            let created = admin.post_json("/v1/reorganisations", &document).expect_status(201);
            assert_eq!(figures(&m, ("raised", "2025-08", ""), [into, "T"]), [august, 12221].map(Some));
            assert_eq!(figures(&m, ("raised", "2024-12", "2025-07-01"), [into]), [Some(december)]);
            m.expect_verified("T", &periods);
            admin.undo(created.header("location").unwrap());
            assert_eq!(read_all(&m, &units, &periods), before, "{work}");
            m.expect_verified("T", &periods);
        }
    }

    fn work_is_not_passed_on_to_a_unit_that_is_divided_in_the_same_document(backend) {
        let (_server, admin, m) = reporting(backend);
        m.submit("B", "2025-08", all(10));
        let halves = [(json!("code:A"), "1/2"), (commune("C", "T"), "1/2")];
        let document = json!({
            "effective": "2025-07-01", "legal_basis": "Nghị quyết", "work_in_progress": "pass_on",
            "steps": [split_with_hamlets("A", &["A1", "A2"], &halves), merge(&["B"], &json!("code:A"))],
        });
        admin.post_json("/v1/reorganisations", &document).expect_status(201);
        // It stays with B and stands in at A as a whole.
        assert_eq!(m.of("2025-08").get("B")["status"], "submitted");
        admin.get(&m.of("2025-08").submission("A")).expect_problem(404, "SUBMISSION_NOT_FOUND");
        let parts = ["A", "C", "T"];
        assert_eq!(figures(&m, ("raised", "2025-08", ""), parts), [Some(10), None, Some(10)]);
        assert_eq!(figures(&m, ("largest", "2025-08", ""), parts), [Some(10), None, Some(10)]);
        m.expect_verified("T", &["2025-08", "2025"]);
    }

    fn work_is_not_passed_on_to_a_unit_that_was_divided_before(backend) {
        let (_server, admin, m) = reporting(backend);
        m.submit("B", "2025-08", all(10));
        let halves = [(json!("code:A"), "1/2"), (commune("C", "T"), "1/2")];
        admin.reorganise("2025-06-01", &json!([split_with_hamlets("A", &["A1", "A2"], &halves)]));
        let document = json!({
            "effective": "2025-07-01", "legal_basis": "Nghị quyết", "work_in_progress": "pass_on",
            "steps": [merge(&["B"], &json!("code:A"))],
        });
        admin.post_json("/v1/reorganisations", &document).expect_status(201);
        assert_eq!(m.of("2025-08").get("B")["status"], "submitted");
        let parts = ["A", "C", "T"];
        assert_eq!(figures(&m, ("raised", "2025-08", ""), parts), [Some(10), None, Some(10)]);
        m.expect_verified("T", &["2025-08", "2025"]);
    }

    fn work_that_was_passed_on_is_divided_with_its_new_unit_from_that_day_on(backend) {
        let (_server, admin, m) = reporting(backend);
        for month in ["2025-07", "2025-08"] {
            m.submit("B", month, all(9));
        }
        let document = json!({
            "effective": "2025-07-01", "legal_basis": "Nghị quyết", "work_in_progress": "pass_on",
            "steps": [merge(&["B"], &commune("N", "T"))],
        });
        let passed = admin.post_json("/v1/reorganisations", &document).expect_status(201);
        let halves = [(json!("code:N"), "1/2"), (commune("C", "T"), "1/2")];
        let divided = admin.reorganise("2025-08-01", &json!([split_with_hamlets("N", &["B1"], &halves)]));
        let parts = ["N", "C", "T"];
        assert_eq!(figures(&m, ("raised", "2025-07", ""), ["N", "T"]), [9, 9].map(Some));
        assert_eq!(figures(&m, ("raised", "2025-07", "2025-08-01"), parts), [5, 4, 9].map(Some));
        assert_eq!(figures(&m, ("raised", "2025-08", ""), parts), [5, 4, 9].map(Some));
        assert_eq!(figures(&m, ("largest", "2025-08", ""), parts), [None, None, Some(9)]);
        assert_eq!(m.of("2025-08").get("N")["values"][0]["value"], 9, "as it was submitted");
        m.expect_verified("T", &["2025-07", "2025-08", "2025"]);
        admin.undo(&divided);
        admin.undo(passed.header("location").unwrap());
        assert_eq!(figures(&m, ("raised", "2025-08", ""), ["B", "A", "T"]), [Some(9), None, Some(9)]);
        m.expect_verified("T", &["2025-07", "2025-08", "2025"]);
    }
}
