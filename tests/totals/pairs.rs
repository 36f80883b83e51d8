//! Every pair of aggregation across units and across time, worked out by hand: a quarter of a
//! monthly form over three levels, with units and months missing, then again after corrections and
//! withdrawals.

use serde_json::{Value, json};

use crate::harness::report::{Reports, cell};
use crate::harness::town::{Town, formula, indicator, over_time};
use crate::harness::{Backend, Client, Server};

const UNITS: [&str; 7] = ["sum", "average", "min", "max", "count", "none", "transfer"];
const TIME: [&str; 8] = [
    "sum", "average", "min", "max", "first", "last", "count", "none",
];

/// Who reports what in January, February and March:
///
/// | | January | February | March | | sum | average | min | max | first | last | months |
/// |----|----|---|---|-|----|------|---|----|----|---|---|
/// | A  | 10 | – | 4 | | 14 | 7    | 4 | 10 | 10 | 4 | 2 |
/// | A1 | 3  | 8 | 5 | | 16 | 16/3 | 3 | 8  | 3  | 5 | 3 |
/// | A2 | –  | 6 | – | | 6  | 6    | 6 | 6  | 6  | 6 | 1 |
/// | B  | –  | – | – | | –  | –    | – | –  | –  | – | – |
/// | B1 | 2  | – | 9 | | 11 | 11/2 | 2 | 9  | 2  | 9 | 2 |
const REPORTED: [(&str, &str, i64); 8] = [
    ("A", "2024-01", 10),
    ("A", "2024-03", 4),
    ("A1", "2024-01", 3),
    ("A1", "2024-02", 8),
    ("A1", "2024-03", 5),
    ("A2", "2024-02", 6),
    ("B1", "2024-01", 2),
    ("B1", "2024-03", 9),
];

const NULL: &str = "null";

/// What 2024-Q1 shows: the pair, the hamlet A1, the commune A (A, A1, A2), the town T (and B1).
#[rustfmt::skip]
const EXPECTED: [(&str, &str, &str, &str); 56] = [
    ("sum.sum", "16", "36", "47"),                // 14 + 16 + 6, + 11
    ("sum.average", "5.33", "18.33", "23.83"),    // 7 + 16/3 + 6, + 11/2; rounded once
    ("sum.min", "3", "13", "15"),                 // 4 + 3 + 6, + 2
    ("sum.max", "8", "24", "33"),                 // 10 + 8 + 6, + 9
    ("sum.first", "3", "19", "21"),               // 10 + 3 + 6 (its February), + 2
    ("sum.last", "5", "15", "24"),                // 4 + 5 + 6 (its February), + 9
    ("sum.count", "3", "6", "8"),                 // 2 + 3 + 1 months, + 2
    ("sum.none", NULL, NULL, NULL),               // not to be put together across time
    ("average.sum", "16", "12", "11.75"),         // 36 / 3 units; 47 / 4 units
    ("average.average", "5.33", "6", "5.88"),     // all values: 36 / 6; 47 / 8 = 5.875, half up
    ("average.min", "3", "4.33", "3.75"),         // 13 / 3; 15 / 4
    ("average.max", "8", "8", "8.25"),            // 24 / 3; 33 / 4
    ("average.first", "3", "6.33", "5.25"),       // 19 / 3; 21 / 4
    ("average.last", "5", "5", "6"),              // 15 / 3; 24 / 4
    ("average.count", "3", "2", "2"),             // 6 / 3; 8 / 4
    ("average.none", NULL, NULL, NULL),
    ("min.sum", "16", "6", "6"),                  // of 14, 16, 6, and 11
    ("min.average", "5.33", "5.33", "5.33"),      // of 7, 16/3, 6, and 11/2
    ("min.min", "3", "3", "2"),                   // of 4, 3, 6, and 2
    ("min.max", "8", "6", "6"),                   // of 10, 8, 6, and 9
    ("min.first", "3", "3", "2"),                 // of 10, 3, 6, and 2
    ("min.last", "5", "4", "4"),                  // of 4, 5, 6, and 9
    ("min.count", "3", "1", "1"),                 // of 2, 3, 1, and 2
    ("min.none", NULL, NULL, NULL),
    ("max.sum", "16", "16", "16"),                // of 14, 16, 6, and 11
    ("max.average", "5.33", "7", "7"),            // of 7, 16/3, 6, and 11/2
    ("max.min", "3", "6", "6"),                   // of 4, 3, 6, and 2
    ("max.max", "8", "10", "10"),                 // of 10, 8, 6, and 9
    ("max.first", "3", "10", "10"),               // of 10, 3, 6, and 2
    ("max.last", "5", "6", "9"),                  // of 4, 5, 6, and 9
    ("max.count", "3", "3", "3"),                 // of 2, 3, 1, and 2
    ("max.none", NULL, NULL, NULL),
    ("count.sum", "1", "3", "4"),                 // a unit's quarter is one value, whatever it is
    ("count.average", "1", "3", "4"),
    ("count.min", "1", "3", "4"),
    ("count.max", "1", "3", "4"),
    ("count.first", "1", "3", "4"),
    ("count.last", "1", "3", "4"),
    ("count.count", "1", "3", "4"),
    ("count.none", NULL, NULL, NULL),
    ("none.sum", "16", "14", NULL),               // own only: 10 + 4; the town has none
    ("none.average", "5.33", "7", NULL),          // 14 / 2
    ("none.min", "3", "4", NULL),
    ("none.max", "8", "10", NULL),
    ("none.first", "3", "10", NULL),
    ("none.last", "5", "4", NULL),
    ("none.count", "3", "2", NULL),
    ("none.none", NULL, NULL, NULL),
    ("transfer.sum", "16", "14", NULL),           // own only; see RECEIVED
    ("transfer.average", "5.33", "7", NULL),
    ("transfer.min", "3", "4", NULL),
    ("transfer.max", "8", "10", NULL),
    ("transfer.first", "3", "10", NULL),
    ("transfer.last", "5", "4", NULL),
    ("transfer.count", "3", "2", NULL),
    ("transfer.none", NULL, NULL, NULL),
];

/// What of a transfer was received from below: by A (from A1 and A2), by T (from A; B has none).
#[rustfmt::skip]
const RECEIVED: [(&str, &str, &str); 8] = [
    ("transfer.sum", "22", "14"),                 // 16 + 6; 14
    ("transfer.average", "11.33", "7"),           // 16/3 + 6; 7
    ("transfer.min", "9", "4"),                   // 3 + 6; 4
    ("transfer.max", "14", "10"),                 // 8 + 6; 10
    ("transfer.first", "9", "10"),                // 3 + 6; 10
    ("transfer.last", "11", "4"),                 // 5 + 6; 4
    ("transfer.count", "4", "2"),                 // 3 + 1; 2
    ("transfer.none", NULL, NULL),
];

fn pairs() -> Vec<String> {
    UNITS
        .iter()
        .flat_map(|units| TIME.iter().map(move |time| format!("{units}.{time}")))
        .collect()
}

/// The town with a monthly form of all pairs.
fn reporting(backend: Backend) -> (Server, Client, Reports) {
    let pairs = pairs();
    let town = pairs.iter().fold(Town::new(backend), |town, pair| {
        let (units, time) = pair.split_once('.').unwrap();
        town.indicator(pair, &over_time(units, time))
    });
    town.form("m", "month").build()
}

/// The same number in every indicator.
fn all(number: i64) -> Value {
    pairs()
        .into_iter()
        .map(|pair| (pair, json!(number)))
        .collect()
}

fn submit_all(m: &Reports) {
    // Not in the order of the months: first and last go by period.
    for (unit, month, number) in REPORTED.iter().rev() {
        m.submit(unit, month, all(*number));
    }
}

fn quarter(m: &Reports, unit: &str) -> Value {
    m.of("2024-Q1").read(&format!("{unit}/rollup"))
}

/// What some units show, pair by pair.
fn shown(m: &Reports, units: &[&str], pairs: &[&str]) -> Vec<String> {
    let quarters: Vec<Value> = units.iter().map(|unit| quarter(m, unit)).collect();
    let show = |pair: &&str| {
        let values = quarters
            .iter()
            .map(|quarter| cell(quarter, pair)["value"].to_string());
        format!("{pair}: {}", values.collect::<Vec<_>>().join(" "))
    };
    pairs.iter().map(show).collect()
}

/// Compares what A and T show with what they must.
#[track_caller]
fn expect(m: &Reports, expected: &[(&str, &str, &str)]) {
    let pairs: Vec<&str> = expected.iter().map(|(pair, ..)| *pair).collect();
    let wanted = expected
        .iter()
        .map(|(pair, commune, town)| format!("{pair}: {commune} {town}"));
    assert_eq!(shown(m, &["A", "T"], &pairs), wanted.collect::<Vec<_>>());
    m.expect_verified("T", &["2024-Q1", "2024-H1", "2024-9M", "2024"]);
}

on_both_backends! {
    fn each_pair_folds_across_time_at_a_unit_and_then_up_across_units(backend) {
        let (_server, _, m) = reporting(backend);
        submit_all(&m);
        let pairs: Vec<&str> = EXPECTED.iter().map(|(pair, ..)| *pair).collect();
        let wanted = EXPECTED
            .iter()
            .map(|(pair, hamlet, commune, town)| format!("{pair}: {hamlet} {commune} {town}"));
        let wanted: Vec<String> = wanted.collect();
        assert_eq!(shown(&m, &["A1", "A", "T"], &pairs), wanted);
        // Every longer period with the same months says the same.
        let (quarter, year) = (quarter(&m, "T"), m.of("2024").read("T/rollup"));
        for pair in &pairs {
            assert_eq!(cell(&quarter, pair)["value"], cell(&year, pair)["value"], "{pair}");
        }
    }

    fn transfers_show_what_was_received_from_below_across_time(backend) {
        let (_server, _, m) = reporting(backend);
        submit_all(&m);
        let quarters = ["A", "T"].map(|unit| quarter(&m, unit));
        for (pair, commune, town) in RECEIVED {
            let received = quarters
                .each_ref()
                .map(|quarter| cell(quarter, pair)["received_from_below"].to_string());
            assert_eq!(received, [commune, town], "{pair}");
        }
    }

    /// A unit's own figure is its fold across time, however it goes up.
    fn own_figures_are_folded_across_time(backend) {
        let (_server, _, m) = reporting(backend);
        submit_all(&m);
        for unit in ["A1", "A"] {
            let quarter = quarter(&m, unit);
            let own = |pair: &str| cell(&quarter, pair)["own"]["value"].to_string();
            let differing = pairs().into_iter().filter_map(|pair| {
                let (_, time) = pair.split_once('.').unwrap();
                let alone = cell(&quarter, &format!("none.{time}"))["value"].to_string();
                (own(&pair) != alone).then(|| format!("{pair}: {} for {alone}", own(&pair)))
            });
            assert_eq!(differing.collect::<Vec<_>>(), [""; 0], "{unit}");
        }
    }

    /// To date is across time, from the year's first month on, when that is all there is of it.
    fn a_total_to_date_is_folded_across_time_from_the_first_month_on(backend) {
        let (_server, admin, m) = reporting(backend);
        submit_all(&m);
        let to_date = |pair: &str| {
            let path = format!(
                "/v1/forms/m/units/code:A1/series?indicator={pair}&from=2024-01&to=2024-03"
            );
            let series = admin.get(&path).expect_status(200).json();
            let items = series["items"].as_array().unwrap().iter();
            items
                .map(|item| item["cumulative"]["value"].to_string())
                .collect::<Vec<_>>()
                .join(" ")
        };
        // Of 3, 8, 5.
        for (pair, expected) in [
            ("sum.sum", "3 11 16"),
            ("sum.average", "3 5.5 5.33"),
            ("sum.last", "3 8 5"),
            ("sum.max", "3 8 8"),
            ("average.average", "3 5.5 5.33"),
            ("sum.count", "1 2 3"),
            ("sum.none", "null null null"),
        ] {
            assert_eq!(to_date(pair), expected, "{pair}");
        }
    }

    fn corrections_and_withdrawals_fold_the_quarter_anew(backend) {
        let (_server, _, m) = reporting(backend);
        submit_all(&m);

        // A1 has 3, 1, 5 now: 9 in sum, 3 on average, from 1 to 5.
        m.submit("A1", "2024-02", all(1));
        expect(&m, &[
            ("sum.sum", "29", "40"),              // 14 + 9 + 6, + 11
            ("sum.average", "16", "21.5"),        // 7 + 3 + 6, + 11/2
            ("sum.first", "19", "21"),            // as before
            ("sum.last", "15", "24"),             // as before
            ("sum.count", "6", "8"),              // as before
            ("average.sum", "9.67", "10"),        // 29 / 3; 40 / 4
            ("average.average", "4.83", "5"),     // 29 / 6; 40 / 8
            ("min.min", "1", "1"),                // its own is the least now
            ("min.max", "5", "5"),                // of 10, 5, 6, 9
            ("min.average", "3", "3"),            // of 7, 3, 6, 11/2
            ("max.min", "6", "6"),                // of 4, 1, 6, 2
            ("max.max", "10", "10"),              // as before
            ("max.sum", "14", "14"),              // A1 gave way: of 14, 9, 6, 11
            ("none.sum", "14", NULL),
        ]);

        // A1 has 3, 1 now: 4 in sum, 2 on average, and its last is February's.
        let march = m.of("2024-03");
        march.step("A1", "withdraw").expect_status(200);
        expect(&m, &[
            ("sum.sum", "24", "35"),              // 14 + 4 + 6, + 11
            ("sum.average", "15", "20.5"),        // 7 + 2 + 6, + 11/2
            ("sum.first", "19", "21"),            // as before
            ("sum.last", "11", "20"),             // 4 + 1 + 6, + 9
            ("sum.count", "5", "7"),              // 2 + 2 + 1, + 2
            ("average.sum", "8", "8.75"),         // 24 / 3; 35 / 4
            ("average.average", "4.8", "5"),      // 24 / 5; 35 / 7
            ("average.last", "3.67", "5"),        // 11 / 3; 20 / 4
            ("min.max", "3", "3"),                // of 10, 3, 6, 9
            ("min.average", "2", "2"),            // of 7, 2, 6, 11/2
            ("min.last", "1", "1"),               // of 4, 1, 6, 9
            ("max.last", "6", "9"),               // as before
            ("max.count", "2", "2"),              // of 2, 2, 1, 2
            ("count.last", "3", "4"),             // A1 still has a quarter
        ]);

        // A2 has –7 alone.
        m.submit("A2", "2024-02", all(-7));
        expect(&m, &[
            ("sum.sum", "11", "22"),              // 14 + 4 – 7, + 11
            ("sum.average", "2", "7.5"),          // 7 + 2 – 7, + 11/2
            ("sum.first", "6", "8"),              // 10 + 3 – 7, + 2
            ("sum.last", "-2", "7"),              // 4 + 1 – 7, + 9
            ("sum.count", "5", "7"),              // as before
            ("average.sum", "3.67", "5.5"),       // 11 / 3; 22 / 4
            ("average.average", "2.2", "3.14"),   // 11 / 5; 22 / 7
            ("average.last", "-0.67", "1.75"),    // –2 / 3; 7 / 4
            ("min.min", "-7", "-7"),
            ("min.max", "-7", "-7"),              // of 10, 3, –7, 9
            ("max.min", "4", "4"),                // A2 gave way: of 4, 1, –7, 2
            ("max.last", "4", "9"),               // A2 gave way: of 4, 1, –7, 9
            ("count.sum", "3", "4"),
        ]);

        // A2 has nothing: in no count, in no divisor.
        m.of("2024-02").step("A2", "withdraw").expect_status(200);
        expect(&m, &[
            ("sum.sum", "18", "29"),              // 14 + 4, + 11
            ("sum.average", "9", "14.5"),         // 7 + 2, + 11/2
            ("average.sum", "9", "9.67"),         // 18 / 2; 29 / 3
            ("average.average", "4.5", "4.83"),   // 18 / 4; 29 / 6
            ("min.min", "1", "1"),
            ("count.count", "2", "3"),
        ]);
    }

    /// One month of three does not look complete.
    fn reported_and_expected_count_units_and_months(backend) {
        let (_server, _, m) = reporting(backend);
        submit_all(&m);
        for (unit, pair, reported, expected) in [
            ("A1", "sum.sum", 3, 3),
            ("A", "sum.sum", 6, 9),               // of A, A1, A2 in three months
            ("T", "sum.sum", 8, 15),              // of five units in three months
            ("T", "average.average", 8, 15),
            ("T", "count.last", 8, 15),
            ("T", "min.last", 8, 15),
            ("A", "none.sum", 2, 3),              // of A alone
            ("T", "none.sum", 0, 0),              // the town submits nothing
        ] {
            let cell = cell(&quarter(&m, unit), pair);
            assert_eq!(cell["reported"], reported, "{unit} {pair}: {cell}");
            assert_eq!(cell["expected"], expected, "{unit} {pair}: {cell}");
        }
        assert_eq!(
            quarter(&m, "T")["completeness"],
            json!({"expected": 15, "submitted": 8, "approved": 0})
        );
        let year = m.of("2024").read("T/rollup");
        assert_eq!(
            year["completeness"],
            json!({"expected": 60, "submitted": 8, "approved": 0})
        );
    }

    /// The mean of what units call their rate is not the rate of what they count.
    fn a_mean_of_rates_is_not_the_rate_of_sums(backend) {
        let mut rate = indicator("average");
        rate["across_time"] = json!("average");
        rate["decimals"] = json!(1);
let mut exact = formula("100 * insured / people", 2);
        exact["unit_of_measure"] = json!("%");
        let (_server, _, m) = Town::new(backend)
            .indicator("rate", &rate)
            .indicators(&[("insured", "sum"), ("people", "sum")])
            .indicator("exact", &exact)
            .form("m", "month")
            .build();
        for (unit, month, rate, insured, people) in [
            ("A1", "2024-01", 90, 9, 10),
            ("A1", "2024-02", 50, 50, 100),
            ("A2", "2024-01", 25, 1, 4),
            ("B1", "2024-02", 99, 99, 100),
        ] {
            m.submit(unit, month, json!({"rate": rate, "insured": insured, "people": people}));
        }
        let figures = |unit: &str| {
            let quarter = quarter(&m, unit);
            ["rate", "exact"].map(|code| cell(&quarter, code)["value"].to_string())
        };
        // (90 + 50 + 25) / 3; 60 of 114. Then + 99 over 4; 159 of 214.
        assert_eq!(figures("A1"), ["70", "53.64"]);
        assert_eq!(figures("A"), ["55", "52.63"]);
        assert_eq!(figures("T"), ["66", "74.3"]);
        let quarter = quarter(&m, "T");
        let parts = |code: &str| {
            let cell = cell(&quarter, code);
            [cell["numerator"].to_string(), cell["denominator"].to_string()]
        };
        assert_eq!(parts("rate"), ["264", "4"]);
        assert_eq!(parts("exact"), ["159", "214"]);
    }
}
