//! Numbers at the limits: the largest and smallest values from many units add up exactly, with
//! decimals and through formulas too.

use serde_json::{Value, json};

use crate::harness::report::{Reports, cell, value};
use crate::harness::town::{Town, formula, over_time};
use crate::harness::{Backend, Client, Server};

/// The edges, as they are written without decimals and with nine.
const MOST: [&str; 2] = ["9223372036854775807", "9223372036.854775807"];
const LEAST: [&str; 2] = ["-9223372036854775808", "-9223372036.854775808"];
const BEYOND: [[&str; 2]; 2] = [
    ["9223372036854775808", "9223372036.854775808"],
    ["-9223372036854775809", "-9223372036.854775809"],
];

const COLLECTED: [(&str, &str, &str, u8); 5] = [
    ("whole", "sum", "sum", 0),
    ("fine", "sum", "sum", 9),
    ("least", "min", "min", 9),
    ("greatest", "max", "max", 9),
    ("mean", "average", "average", 9),
];
const DERIVED: [(&str, &str); 2] = [("product", "whole * fine"), ("quotient", "whole / least")];

/// How many hamlets report below the commune A, `N1` and so on.
const HAMLETS: usize = 40;

/// The town with all these hamlets and a monthly form `m` of all indicators.
fn reporting(backend: Backend) -> (Server, Client, Reports) {
    let hamlets = (1..=HAMLETS).map(|number| format!("N{number},Ấp,hamlet,A\n"));
    let mut town = Town::new(backend).units(&hamlets.collect::<String>());
    for (code, units, time, decimals) in COLLECTED {
        let mut body = over_time(units, time);
        body["decimals"] = json!(decimals);
        town = town.indicator(code, &body);
    }
    for (code, of) in DERIVED {
        town = town.indicator(code, &formula(of, 9));
    }
    town.form("m", "month").build()
}

/// An edge in every indicator, at its decimals.
fn values([whole, fine]: [&str; 2]) -> Vec<Value> {
    let number = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let values = COLLECTED.iter().map(|(code, .., decimals)| match decimals {
        0 => value(code, number(whole)),
        _ => value(code, number(fine)),
    });
    values.collect()
}

/// What each figure of a unit is, to the last digit.
#[track_caller]
fn expect(m: &Reports, unit: &str, period: &str, expected: &[(&str, &str)]) {
    let rollup = m.of(period).read(&format!("{unit}/rollup"));
    for (code, figure) in expected {
        let shown = cell(&rollup, code)["value"].to_string();
        assert_eq!(shown, *figure, "{code} of {unit} in {period}");
    }
    m.expect_verified(unit, &[period]);
}

on_both_backends! {
    fn values_at_the_edges_from_many_units_are_put_together_exactly(backend) {
        let (_server, _, m) = reporting(backend);
        let month = m.of("2024-01");
        let hamlets: Vec<String> = (1..=HAMLETS).map(|number| format!("N{number}")).collect();
        for hamlet in &hamlets {
            month.submit(hamlet, &values(MOST));
        }
        let most = [
            // 40 · 9223372036854775807.
            ("whole", "368934881474191032280"),
            ("fine", "368934881474.19103228"),
            ("least", MOST[1]),
            ("greatest", MOST[1]),
            ("mean", MOST[1]),
            // The square of the first, over a thousand million.
            ("product", "136112946768375385355835052454772.0019984"),
            ("quotient", "40000000000"),
        ];
        for (unit, period) in [("A", "2024-01"), ("T", "2024-01"), ("T", "2024-Q1"), ("T", "2024")] {
            expect(&m, unit, period, &most);
        }

        // One goes from one edge to the other.
        month.submit("N7", &values(LEAST));
        expect(&m, "T", "2024-01", &[
            // 39 · 9223372036854775807 – 9223372036854775808.
            ("whole", "350488137400481480665"),
            ("fine", "350488137400.481480665"),
            ("least", LEAST[1]),
            ("greatest", MOST[1]),
            // A fortieth of the sum, …037016625, rounded half up at eleven decimals.
            ("mean", "8762203435.01203701663"),
            ("product", "122841934458458785282940158565630.768842225"),
            // – 38 · 10⁹ and a little.
            ("quotient", "-37999999999.999999996"),
        ]);
        let mean = month.cell("T", "mean");
        let parts = ["numerator", "denominator"].map(|part| mean[part].to_string());
        assert_eq!(parts, ["350488137400.481480665", "40"]);

        for hamlet in &hamlets {
            month.submit(hamlet, &values(LEAST));
        }
        let least = [
            // 40 · –9223372036854775808.
            ("whole", "-368934881474191032320"),
            ("fine", "-368934881474.19103232"),
            ("least", LEAST[1]),
            ("greatest", LEAST[1]),
            ("mean", LEAST[1]),
            ("product", "136112946768375385385349842972707.2845824"),
            ("quotient", "40000000000"),
        ];
        for (unit, period) in [("A", "2024-01"), ("T", "2024-Q1")] {
            expect(&m, unit, period, &least);
        }
        // The last one alone, when all others are gone: nothing is left of what they were.
        for hamlet in &hamlets[1..] {
            month.step(hamlet, "withdraw").expect_status(200);
        }
        expect(&m, "T", "2024", &[("whole", LEAST[0]), ("fine", LEAST[1]), ("mean", LEAST[1])]);
        month.step("N1", "withdraw").expect_status(200);
        expect(&m, "T", "2024", &[("whole", "null"), ("least", "null"), ("quotient", "null")]);
    }

    fn a_year_at_the_edges_is_exact(backend) {
        let (_server, _, m) = reporting(backend);
        for unit in ["A1", "A2", "B1"] {
            for month in ["2024-01", "2024-07"] {
                m.of(month).submit(unit, &values(MOST));
            }
        }
        expect(&m, "T", "2024", &[
            // 6 · 9223372036854775807.
            ("whole", "55340232221128654842"),
            ("least", MOST[1]),
            ("mean", MOST[1]),
            ("quotient", "6000000000"),
        ]);
        m.of("2024-07").submit("B1", &values(LEAST));
        expect(&m, "T", "2024", &[
            // 5 · 9223372036854775807 – 9223372036854775808, and a sixth of it.
            ("whole", "36893488147419103227"),
            ("fine", "36893488147.419103227"),
            ("mean", "6148914691.2365172045"),
            ("least", LEAST[1]),
            ("greatest", MOST[1]),
        ]);
        // B1 alone: an edge and the other.
        expect(&m, "B1", "2024", &[("whole", "-1"), ("fine", "-0.000000001"), ("mean", "-0.0000000005")]);
        expect(&m, "B1", "2024-H1", &[("whole", MOST[0]), ("least", MOST[1])]);
    }

    fn what_is_beyond_the_edges_is_the_submitter_s_fault_alone(backend) {
        let (_server, _, m) = reporting(backend);
        let month = m.of("2024-01");
        month.submit("N1", &values(MOST));
        for beyond in BEYOND {
            let faults = month
                .try_submit("N2", &values(beyond))
                .expect_problem(422, "INVALID_SUBMISSION");
            let expected = (0..COLLECTED.len()).map(|at| format!("/values/{at}/value VALUE_OUT_OF_RANGE"));
            assert_eq!(faults, expected.collect::<Vec<_>>());
        }
        // The neighbours' sum is beyond too, and nobody is kept from it.
        month.submit("N3", &values(MOST));
        expect(&m, "T", "2024-01", &[("whole", "18446744073709551614")]);
    }
}
