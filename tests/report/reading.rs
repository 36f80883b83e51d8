//! The cost of reading: asking about a part does not read the whole, and asking about a whole reads
//! it at once.

use serde_json::{Value, json};

use crate::harness::report::Reports;
use crate::harness::town::{Town, form};
use crate::harness::{Backend, Client, Server};
use crate::store::statements::{about, record, sent_during};

/// The town with a form `m` of the indicators `x` and `y` since 2024, of this frequency.
fn reporting(backend: Backend, frequency: &str) -> (Server, Client, Reports) {
    record();
    Town::new(backend)
        .indicators(&[("x", "sum"), ("y", "sum")])
        .form("m", frequency)
        .with("valid_from", "2023-12-15")
        .build()
}

/// How many units each statement on submissions names; `None` where it names none and reads those
/// of all. PostgreSQL's take any number in one array, which counts as one.
fn units_named(server: &Server, work: impl FnOnce()) -> Vec<Option<usize>> {
    let sent = sent_during(server, work).into_iter();
    let on_submissions = sent.filter(|sql| about(std::slice::from_ref(sql), "submission") > 0);
    on_submissions
        .map(|sql| {
            let (_, condition) = sql.split_once(" WHERE ").unwrap();
            let (_, ids) = condition.split_once("\"submission\".\"unit_id\" ")?;
            let ids = ids.split(" OFFSET ").next()?;
            Some(ids.split(',').count())
        })
        .collect()
}

fn series(admin: &Client, unit: &str, from: &str, to: &str) -> Vec<String> {
    let path = format!("/v1/forms/m/units/code:{unit}/series?indicator=x&from={from}&to={to}");
    let series = admin.get(&path).expect_status(200).json();
    let items = series["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            format!(
                "{} {}",
                item["figure"]["value"], item["cumulative"]["value"]
            )
        })
        .collect()
}

/// The pages of a figure's lineage, as many items each; an item as `unit period value`.
fn pages(m: &Reports, unit: &str, period: &str, limit: usize) -> Vec<Vec<String>> {
    let base = format!("{unit}/rollup/lineage?indicator=x&limit={limit}");
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = m.of(period).read(&format!("{base}{cursor}"));
        let items = page["items"].as_array().unwrap().iter();
        let shown = items.map(|item| {
            let (unit, period) = (&item["unit"]["code"], &item["period"]["key"]);
            let value = &item["value"]["value"];
            format!(
                "{} {} {value}",
                unit.as_str().unwrap(),
                period.as_str().unwrap()
            )
        });
        pages.push(shown.collect());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
    }
}

on_both_backends! {
    fn to_verify_a_unit_reads_what_is_below_it(backend) {
        let (server, _, m) = reporting(backend, "month");
        for unit in ["A1", "A2", "B1"] {
            m.submit(unit, "2024-01", json!({"x": 1, "y": 1000}));
        }
        let most = |unit: &str, period: &str| {
            let named = units_named(&server, || m.expect_verified(unit, &[period]));
            assert!(!named.is_empty());
            named.into_iter().map(Option::unwrap).max().unwrap()
        };
        for period in ["2024-01", "2024-Q1"] {
            assert_eq!(most("A1", period), 1);
            assert!(most("A", period) <= 3);
        }
    }

    fn a_series_of_weeks_reads_what_is_below_the_unit_once_a_year(backend) {
        let (server, admin, m) = reporting(backend, "week");
        let weeks = ["2024-W01", "2024-W02", "2024-W03", "2024-W04", "2024-W05", "2024-W06"];
        for (week, number) in weeks.iter().zip([1, 2, 4, 8, 16, 32]) {
            m.submit("A1", week, json!({"x": number, "y": 1000}));
        }
        // The fourth week ends a month, whose total is kept; it is the same.
        let mut shown = Vec::new();
        let named = units_named(&server, || shown = series(&admin, "T", "2024-W01", "2024-W06"));
        assert_eq!(shown, ["1 1", "2 3", "4 7", "8 15", "16 31", "32 63"]);
        assert_eq!(named.len(), 1, "{named:?}");
        // Each year begins anew.
        m.submit("A1", "2024-W52", json!({"x": 64, "y": 1000}));
        m.submit("B1", "2025-W01", json!({"x": 3, "y": 1000}));
        m.submit("A2", "2025-W02", json!({"x": 5, "y": 1000}));
        let across = series(&admin, "T", "2024-W51", "2025-W02");
        assert_eq!(across, ["null 63", "64 127", "3 3", "5 8"]);
        assert_eq!(series(&admin, "A1", "2024-W05", "2024-W07"), ["16 31", "32 63", "null 63"]);
        // Of a formula all that it is made of is read, however deep.
        for (code, formula) in [("rate", "x / y"), ("percent", "100 * rate")] {
            let derived = json!({
                "name": {"vi": "Tỷ lệ"}, "unit_of_measure": "x", "decimals": 3, "formula": formula,
            });
            admin.put(&format!("/v1/indicators/{code}"), &derived).expect_status(201);
        }
        let mut body = form(&["x", "y", "rate", "percent"]);
        body["frequency"] = json!("week");
        body["valid_from"] = json!("2023-12-15");
        admin.replace("/v1/forms/m", &body).expect_status(200);
        let path = "/v1/forms/m/units/code:T/series?indicator=percent&from=2024-W06&to=2024-W06";
        let percent = admin.get(path).expect_status(200).json();
        // 63 of 6000.
        assert_eq!(percent["items"][0]["cumulative"]["value"].to_string(), "1.05");
    }

    fn a_page_of_lineage_reads_the_units_of_the_page(backend) {
        let (server, admin, m) = reporting(backend, "month");
        for (unit, period) in [("A", "2024-02"), ("A2", "2024-01"), ("B1", "2024-03")] {
            m.submit(unit, period, json!({"x": 7, "y": 1000}));
        }
        let all: Vec<String> = pages(&m, "T", "2024-Q1", 1000).concat();
        assert_eq!(all.len(), 15);
        assert_eq!(all[..3], ["A 2024-01 null", "A 2024-02 7", "A 2024-03 null"]);
        assert_eq!(all[14], "B1 2024-03 7");
        for limit in [1, 2, 4, 7, 14, 15, 16] {
            let pages = pages(&m, "T", "2024-Q1", limit);
            assert!(pages.iter().all(|page| page.len() <= limit && !page.is_empty()));
            assert_eq!(pages.concat(), all, "{limit}");
        }
        // The town, which submits nothing, and the first commune.
        let path = "/v1/forms/m/periods/2024-Q1/units/code:T/rollup/lineage?indicator=x&limit=2";
        let named = units_named(&server, || {
            admin.get(path).expect_status(200);
        });
        assert_eq!(named.len(), 1);
        assert!(named[0].unwrap() <= 2, "{named:?}");
        for cursor in ["x", "2024-01", "0190e4a5-6d1c-7c3a-9a60-2f6d0c9b1a11.2024-01"] {
            let unknown = admin.get(&format!("{path}&cursor={cursor}"));
            unknown.expect_problem(400, "INVALID_PARAMETER");
        }
    }

    fn a_value_that_is_not_expected_any_more_is_in_the_lineage_too(backend) {
        let (server, admin, m) = reporting(backend, "month");
        let mut of_hamlets = form(&["x", "y"]);
        of_hamlets["frequency"] = json!("month");
        of_hamlets["submitted_by"] = json!(["hamlet"]);
        of_hamlets["valid_from"] = json!("2023-12-15");
        admin.replace("/v1/forms/m", &of_hamlets).expect_status(200);
        m.submit("A2", "2024-01", json!({"x": 7, "y": 1000}));
        // The hamlet turns out to be none; it is seen when the units are read anew.
        let hamlet = json!({"code": "A3", "name": "Ấp", "level": "hamlet", "parent": "code:A"});
        admin.post_json("/v1/units", &hamlet).expect_status(201);
        server.write_beside("UPDATE unit_fact SET level = 'commune' WHERE code = 'A2'");
        for limit in [1, 2, 3, 10] {
            let pages = pages(&m, "T", "2024-01", limit);
            let all = ["A1 2024-01 null", "A2 2024-01 7", "A3 2024-01 null", "B1 2024-01 null"];
            assert_eq!(pages.concat(), all);
        }
        assert_eq!(m.of("2024-01").figure("T", "x"), "7 1/3");
    }

    /// More units than a statement names.
    fn a_large_unit_is_read_at_once_and_without_its_neighbours(backend) {
        let (server, admin, m) = reporting(backend, "month");
        let hamlets: Vec<String> = (0..2001).map(|number| format!("C{number:04}")).collect();
        let list = hamlets.iter().map(|code| format!("{code},Ấp,hamlet,C\n"));
        let list: String = std::iter::once("code,name,level,parent_code\nC,Xã C,commune,T\n".to_owned())
            .chain(list)
            .collect();
        admin.post_csv("/v1/units/import", &list).expect_status(200);
        for (unit, number) in [("C", 1), ("C0000", 10), ("C2000", 100), ("A1", 1000)] {
            m.submit(unit, "2024-01", json!({"x": number, "y": 1000}));
            m.submit(unit, "2024-02", json!({"x": 2 * number, "y": 1000}));
        }
        let whole = |work: &dyn Fn()| {
            let named = units_named(&server, work);
            assert!(named.contains(&None), "{named:?}");
        };
        whole(&|| {
            let completeness = m.of("2024-Q1").read("C/completeness");
            let total = &completeness["total"];
            assert_eq!((&total["expected"], &total["submitted"]), (&json!(6006), &json!(6)));
        });
        // Verification goes part by part, so that it never holds the whole.
        let named = units_named(&server, || m.expect_verified("C", &["2024-Q1"]));
        assert!(named.len() > 2 && named.iter().all(|units| units.is_some_and(|count| count <= 1000)), "{named:?}");
        whole(&|| {
            let shown = series(&admin, "C", "2024-01", "2024-02");
            assert_eq!(shown, ["111 111", "222 333"]);
        });
        assert_eq!(m.of("2024-Q1").figure("T", "x"), "3333 8/6021");
        let lineage = m.of("2024-Q1").read("C/rollup/lineage?indicator=x&limit=7");
        assert_eq!(lineage["items"][3]["value"]["value"], 10);
        assert_eq!(lineage["items"].as_array().unwrap().len(), 7);
        assert_ne!(lineage["next"], Value::Null);
    }
}
