//! Calendars: the days of a form's periods, what quarterly, half-yearly and weekly forms add up to,
//! and where leap days, week 53 and the turn of a year belong.

use serde_json::{Value, json};

use crate::harness::report::{Reports, value};
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Server};

/// The town with a form `m` that asks for a sum, a stock (the last one counts) and a rate (the mean
/// of all there are).
fn reporting(backend: Backend, calendar: &str, frequency: &str) -> (Server, Client, Reports) {
    Town::new(backend)
        .over_time(&[
            ("sum", "sum", "sum"),
            ("stock", "sum", "last"),
            ("rate", "average", "average"),
        ])
        .form("m", frequency)
        .with("calendar", calendar)
        .with("deadlines", json!({"commune": 2}))
        .build()
}

/// The same number in all three.
fn all(number: i64) -> Value {
    json!({"sum": number, "stock": number, "rate": number})
}

/// A period's days and a unit's three figures in it: `from to, sum, stock, rate`.
fn shown(m: &Reports, unit: &str, period: &str) -> String {
    let report = m.of(period);
    let days = report.read(&format!("{unit}/rollup"))["period"].clone();
    let figures = ["sum", "stock", "rate"].map(|code| report.figure(unit, code));
    let (from, to) = (days["from"].as_str().unwrap(), days["to"].as_str().unwrap());
    format!("{from} {to}, {}", figures.join(", "))
}

#[track_caller]
fn expect(m: &Reports, unit: &str, expected: &[(&str, &str)]) {
    let all: Vec<String> = expected
        .iter()
        .map(|(period, _)| format!("{period}: {}", shown(m, unit, period)))
        .collect();
    let wanted = expected
        .iter()
        .map(|(period, shown)| format!("{period}: {shown}"));
    assert_eq!(all, wanted.collect::<Vec<_>>());
    for (period, _) in expected {
        m.expect_verified(unit, &[period]);
    }
}

#[track_caller]
fn expect_no_period(admin: &Client, periods: &[&str]) {
    for period in periods {
        let path = format!("/v1/forms/m/periods/{period}/units/code:T/rollup");
        admin.get(&path).expect_problem(404, "PERIOD_NOT_FOUND");
    }
}

fn listed(admin: &Client, year: i32) -> Vec<Value> {
    let path = format!("/v1/forms/m/periods?year={year}");
    let list = admin.get(&path).expect_status(200).json();
    list["items"].as_array().unwrap().clone()
}

/// The listed periods of a year: `key from to`.
fn days_of(admin: &Client, year: i32) -> Vec<String> {
    let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
    let fields = |item: &Value| {
        ["key", "from", "to"]
            .map(|field| text(item, field))
            .join(" ")
    };
    listed(admin, year).iter().map(fields).collect()
}

on_both_backends! {
    fn civil_months_make_civil_quarters_halves_nine_months_and_years(backend) {
        let (_server, _, m) = reporting(backend, "civil", "month");
        for (unit, month, number) in [
            ("A1", "2023-12", 1000), ("A1", "2024-01", 1), ("B1", "2024-02", 2), ("A1", "2024-03", 4),
            ("A1", "2024-06", 8), ("A1", "2024-09", 16), ("A2", "2024-12", 32), ("A1", "2025-01", 1000),
        ] {
            m.submit(unit, month, all(number));
        }
        expect(&m, "T", &[
            ("2024-02", "2024-02-01 2024-02-29, 2 1/5, 2 1/5, 2 1/5"),
            // A1 has 4 as its last, B1 its 2; (1 + 2 + 4) / 3.
            ("2024-Q1", "2024-01-01 2024-03-31, 7 3/15, 6 3/15, 2.33 3/15"),
            ("2024-Q2", "2024-04-01 2024-06-30, 8 1/15, 8 1/15, 8 1/15"),
            ("2024-Q3", "2024-07-01 2024-09-30, 16 1/15, 16 1/15, 16 1/15"),
            ("2024-Q4", "2024-10-01 2024-12-31, 32 1/15, 32 1/15, 32 1/15"),
            // 8 + 2; 15 / 4.
            ("2024-H1", "2024-01-01 2024-06-30, 15 4/30, 10 4/30, 3.75 4/30"),
            // 16 + 32; 48 / 2.
            ("2024-H2", "2024-07-01 2024-12-31, 48 2/30, 48 2/30, 24 2/30"),
            // 16 + 2; 31 / 5.
            ("2024-9M", "2024-01-01 2024-09-30, 31 5/45, 18 5/45, 6.2 5/45"),
            // 16 + 2 + 32; 63 / 6.
            ("2024", "2024-01-01 2024-12-31, 63 6/60, 50 6/60, 10.5 6/60"),
            ("2023", "2023-01-01 2023-12-31, 1000 1/60, 1000 1/60, 1000 1/60"),
        ]);
    }

    fn a_quarterly_form_has_halves_nine_months_and_the_year(backend) {
        let (_server, admin, m) = reporting(backend, "statutory", "quarter");
        for (unit, quarter, number) in [
            ("A1", "2024-Q1", 1), ("B1", "2024-Q1", 2), ("A1", "2024-Q2", 4),
            ("A1", "2024-Q3", 8), ("A2", "2024-Q4", 16), ("A1", "2025-Q1", 1000),
        ] {
            m.submit(unit, quarter, all(number));
        }
        expect(&m, "T", &[
            ("2024-Q1", "2023-12-15 2024-03-14, 3 2/5, 3 2/5, 1.5 2/5"),
            // A1 4, B1 2; (1 + 2 + 4) / 3.
            ("2024-H1", "2023-12-15 2024-06-14, 7 3/10, 6 3/10, 2.33 3/10"),
            // A1 8, A2 16.
            ("2024-H2", "2024-06-15 2024-12-14, 24 2/10, 24 2/10, 12 2/10"),
            // A1 8, B1 2; 15 / 4.
            ("2024-9M", "2023-12-15 2024-09-14, 15 4/15, 10 4/15, 3.75 4/15"),
            // A1 8, B1 2, A2 16; 31 / 5.
            ("2024", "2023-12-15 2024-12-14, 31 5/20, 26 5/20, 6.2 5/20"),
        ]);
        expect_no_period(&admin, &["2024-01", "2024-W01"]);
        // Of A1: its last falls back when the third quarter is withdrawn.
        m.of("2024-Q3").step("A1", "withdraw").expect_status(200);
        expect(&m, "A1", &[
            ("2024-9M", "2023-12-15 2024-09-14, 5 2/3, 4 2/3, 2.5 2/3"),
            ("2024", "2023-12-15 2024-12-14, 5 2/4, 4 2/4, 2.5 2/4"),
        ]);
    }

    fn a_half_yearly_form_has_the_year(backend) {
        let (_server, admin, m) = reporting(backend, "civil", "half");
        for (unit, half, number) in [
            ("A1", "2024-H1", 1), ("A1", "2024-H2", 2), ("A", "2024-H2", 4), ("B1", "2024-H1", 8),
        ] {
            m.submit(unit, half, all(number));
        }
        assert_eq!(days_of(&admin, 2024), [
            "2024-H1 2024-01-01 2024-06-30", "2024-H2 2024-07-01 2024-12-31",
        ]);
        expect(&m, "T", &[
            ("2024-H1", "2024-01-01 2024-06-30, 9 2/5, 9 2/5, 4.5 2/5"),
            // A1 2, A 4, B1 8; 15 / 4.
            ("2024", "2024-01-01 2024-12-31, 15 4/10, 14 4/10, 3.75 4/10"),
        ]);
        expect_no_period(&admin, &["2024-9M", "2024-Q1", "2024-01", "2024-W01"]);
    }

    /// 2020-W53 is the week of Thursday, 31 December 2020, and ends in 2021.
    fn week_53_belongs_to_the_december_and_to_the_year_of_its_thursday(backend) {
        let (_server, admin, m) = reporting(backend, "civil", "week");
        for (unit, week, number) in [
            // Thursday, 26 November.
            ("A1", "2020-W48", 1), ("A1", "2020-W49", 2), ("B1", "2020-W53", 4), ("A1", "2021-W01", 8),
            ("A1", "2020-W01", 16),
        ] {
            m.submit(unit, week, all(number));
        }
        expect(&m, "T", &[
            ("2020-W53", "2020-12-28 2021-01-03, 4 1/5, 4 1/5, 4 1/5"),
            ("2020-11", "2020-11-02 2020-11-29, 1 1/20, 1 1/20, 1 1/20"),
            // Weeks 49 to 53.
            ("2020-12", "2020-11-30 2021-01-03, 6 2/25, 6 2/25, 3 2/25"),
            ("2021-01", "2021-01-04 2021-01-31, 8 1/20, 8 1/20, 8 1/20"),
            // 53 weeks of five units; A1 2, B1 4; 23 / 4.
            ("2020", "2019-12-30 2021-01-03, 23 4/265, 6 4/265, 5.75 4/265"),
            ("2021", "2021-01-04 2022-01-02, 8 1/260, 8 1/260, 8 1/260"),
        ]);
        expect_no_period(&admin, &["2021-W53", "2025-W53", "2020-Q4", "2020-H2", "2020-9M"]);
    }
}

#[test]
fn week_53_is_the_last_of_the_years_that_have_one() {
    for calendar in ["statutory", "civil"] {
        let (_server, admin, m) = reporting(Backend::Sqlite, calendar, "week");
        let last = |year: i32| days_of(&admin, year).last().unwrap().clone();
        assert_eq!(last(2020), "2020-W53 2020-12-28 2021-01-03");
        assert_eq!(last(2024), "2024-W52 2024-12-23 2024-12-29");
        assert_eq!(last(2025), "2025-W52 2025-12-22 2025-12-28");
        assert_eq!(last(2026), "2026-W53 2026-12-28 2027-01-03");
        assert_eq!(days_of(&admin, 2025)[0], "2025-W01 2024-12-30 2025-01-05");
        assert_eq!(days_of(&admin, 2027)[0], "2027-W01 2027-01-04 2027-01-10");
        assert_eq!(
            [2020, 2021, 2026].map(|year| listed(&admin, year).len()),
            [53, 52, 53]
        );
        expect(
            &m,
            "A1",
            &[
                (
                    "2026-12",
                    "2026-11-30 2027-01-03, null 0/5, null 0/5, null 0/5",
                ),
                (
                    "2027-01",
                    "2027-01-04 2027-01-31, null 0/4, null 0/4, null 0/4",
                ),
                (
                    "2026",
                    "2025-12-29 2027-01-03, null 0/53, null 0/53, null 0/53",
                ),
            ],
        );
    }
}

#[test]
fn statutory_windows_go_from_the_15th_to_the_14th_over_leap_days_and_the_turn_of_a_year() {
    let (_server, admin, _) = reporting(Backend::Sqlite, "statutory", "month");
    let year = days_of(&admin, 2024);
    assert_eq!(year[0], "2024-01 2023-12-15 2024-01-14");
    assert_eq!(year[1], "2024-02 2024-01-15 2024-02-14");
    // With 29 February in it.
    assert_eq!(year[2], "2024-03 2024-02-15 2024-03-14");
    assert_eq!(year[11], "2024-12 2024-11-15 2024-12-14");
    assert_eq!(days_of(&admin, 2023)[11], "2023-12 2023-11-15 2023-12-14");
    assert_eq!(days_of(&admin, 2025)[0], "2025-01 2024-12-15 2025-01-14");
    // Two working days after Saturday, 14 December, and after Tuesday, 14 January.
    let deadline = |year: i32, month: usize| listed(&admin, year)[month]["deadlines"].clone();
    assert_eq!(deadline(2024, 11), json!({"commune": "2024-12-17"}));
    assert_eq!(deadline(2025, 0), json!({"commune": "2025-01-16"}));
}

/// A unit is in a period, and in all that is made of it, if it is there on the period's last day.
#[test]
fn the_last_day_of_a_window_decides_whether_a_unit_is_in_it() {
    for (calendar, valid_from, without, with) in [
        ("statutory", "2024-02-14", "2024-01", "2024-02"),
        ("statutory", "2024-02-15", "2024-02", "2024-03"),
        ("statutory", "2024-02-29", "2024-02", "2024-03"),
        ("statutory", "2024-03-14", "2024-02", "2024-03"),
        ("statutory", "2024-12-14", "2024-11", "2024-12"),
        ("statutory", "2024-12-15", "2024-12", "2025-01"),
        ("civil", "2024-02-29", "2024-01", "2024-02"),
        ("civil", "2024-03-01", "2024-02", "2024-03"),
        ("civil", "2024-12-31", "2024-11", "2024-12"),
        ("civil", "2025-01-01", "2024-12", "2025-01"),
    ] {
        let (_server, admin, m) = reporting(Backend::Sqlite, calendar, "month");
        let list = "code,name,level,parent_code\nA3,Ấp Mới,hamlet,A\n";
        let path = format!("/v1/units/import?valid_from={valid_from}");
        admin.post_csv(&path, list).expect_status(200);
        let values = [value("sum", 7)];
        m.of(without)
            .try_submit("A3", &values)
            .expect_problem(404, "UNIT_NOT_FOUND");
        m.of(with).submit("A3", &values);
        let figure = |period: &str| m.of(period).figure("A", "sum");
        assert_eq!(figure(without), "null 0/3", "{calendar} {valid_from}");
        assert_eq!(figure(with), "7 1/4", "{calendar} {valid_from}");
        let year = &with[..4];
        // From its month on, four units are expected.
        let months = 12 - with[5..].parse::<u32>().unwrap() + 1;
        assert_eq!(figure(year), format!("7 1/{}", 3 * 12 + months));
    }
}

/// One in every base period of two years: neither year has one too many or too few.
#[test]
fn each_base_period_counts_once_in_its_year() {
    for (calendar, frequency, counts) in [
        ("civil", "week", [53, 52]),
        ("statutory", "month", [12, 12]),
        ("civil", "month", [12, 12]),
        ("statutory", "quarter", [4, 4]),
        ("statutory", "half", [2, 2]),
    ] {
        let (_server, admin, m) = reporting(Backend::Sqlite, calendar, frequency);
        let one = json!({"values": [value("sum", 1)], "submit": true});
        for (year, count) in [2020, 2021].into_iter().zip(counts) {
            let periods = listed(&admin, year);
            assert_eq!(periods.len(), count);
            for period in periods {
                let report = m.of(period["key"].as_str().unwrap());
                let created = admin.create(&report.submission("B1"), &one);
                created.expect_status(201);
            }
        }
        for (year, count) in ["2020", "2021"].into_iter().zip(counts) {
            let figure = m.of(year).figure("B", "sum");
            assert_eq!(figure, format!("{count} {count}/{}", 2 * count));
        }
    }
}
