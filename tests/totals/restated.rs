//! Figures across a change of the map: as they were, restated on a later map, and as they pass from
//! units that ended to their successors.

use serde_json::{Value, json};

use crate::harness::report::{Report, Reports, cell, shown};
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Server};

/// Two provinces before the reform: An Giang (89) with the town Tân Châu (887), and Kiên Giang
/// (91) with one commune directly under it. Tân An (30388) has two neighbours.
const UNITS: &str = "code,name,level,parent_code,kind\n\
    89,An Giang,province,,tỉnh\n91,Kiên Giang,province,,tỉnh\n887,Tân Châu,town,89,thị xã\n\
    30387,Tân Thạnh,commune,887,xã\n30388,Tân An,commune,887,xã\n30391,Long An,commune,887,xã\n\
    30600,Rạch Giá,commune,91,phường\n\
    30387-1,Ấp Tân Thạnh,hamlet,30387,ấp\n30388-1,Ấp Tân An,hamlet,30388,ấp\n30391-1,Ấp Long An,hamlet,30391,ấp\n";

/// Indicators of the monthly form `m`: code, across units, across time.
const INDICATORS: [(&str, &str, &str); 7] = [
    ("raised", "sum", "sum"),
    ("members", "sum", "last"),
    ("rate", "average", "average"),
    ("largest", "max", "max"),
    ("staff", "none", "last"),
    ("handed_up", "transfer", "sum"),
    ("meetings", "count", "count"),
];

fn country(backend: Backend) -> (Server, Client, Reports) {
    Town::of(backend, UNITS)
        .over_time(&INDICATORS)
        .form("m", "month")
        .with("submitted_by", json!(["town", "commune", "hamlet"]))
        .build()
}

/// What happened on 2025-07-01: An Giang and Kiên Giang became one, the town ceased to exist, and
/// Tân An took in its two neighbours.
fn reform() -> Value {
    json!({
        "effective": "2025-07-01", "legal_basis": "Nghị quyết 1654/NQ-UBTVQH15",
        "steps": [
            {"op": "merge", "from": ["code:89", "code:91"],
             "into": {"code": "91", "name": "An Giang", "kind": "tỉnh", "level": "province", "parent": null}},
            {"op": "merge", "from": ["code:30387", "code:30388", "code:30391"],
             "into": {"code": "30388", "name": "Tân An", "kind": "xã", "level": "commune", "parent": "code:91"}},
            {"op": "abolish", "unit": "code:887"},
            {"op": "abolish_level", "level": "town"},
        ]
    })
}

/// A figure of a unit in a period, on the map of a day if one is given.
#[track_caller]
fn figure(m: &Reports, unit: &str, period: &str, as_of: &str, indicator: &str) -> String {
    match as_of {
        "" => m.figure(unit, period, indicator),
        day => m.restated(unit, period, day, indicator),
    }
}

on_both_backends! {
    fn a_year_in_which_the_map_changed_folds_per_month_at_the_successor_and_then_across_time(backend) {
        let (_server, admin, m) = country(backend);
        m.submit("30387", "2025-06", json!({"members": 35, "raised": 10}));
        m.submit("30388", "2025-06", json!({"members": 30, "raised": 12}));
        m.submit("30391", "2025-06", json!({"members": 33}));
        admin.carry_out(&reform());
        m.submit("30388", "2025-12", json!({"members": 60, "raised": 25}));
        // 35 + 30 + 33 committee members in June and 60 in December are 60 for the year, not 158.
        assert!(figure(&m, "30388", "2025", "", "members").starts_with("60 4/"));
        // 10 in one and 12 in another in June, 25 in December: 47.
        assert!(figure(&m, "30388", "2025", "", "raised").starts_with("47 3/"));
        assert!(figure(&m, "91", "2025", "", "raised").starts_with("47 3/"));
        assert!(figure(&m, "30388", "2025-06", "2025-07-01", "members").starts_with("98 3/"));
        m.expect_verified("91", &["2025", "2025-Q4", "2025-12"]);
        m.expect_verified("89", &["2025-06", "2025-Q2"]);
    }

    fn what_ended_before_the_reform_stays_as_it_was_byte_for_byte(backend) {
        let (_server, admin, m) = country(backend);
        for (unit, number) in [("30387", 10), ("30388", 12), ("30391", 11), ("30600", 13), ("887", 5), ("30388-1", 7)] {
            for month in ["2024-01", "2024-12", "2025-06"] {
                m.submit(unit, month, json!({"raised": number, "members": number, "rate": number, "largest": number, "handed_up": number}));
            }
        }
        let paths: Vec<String> = ["89", "91", "887", "30387", "30388", "30388-1"].iter()
            .flat_map(|unit| ["2024-01", "2024-12", "2024-Q1", "2024", "2025-06", "2025-H1"].map(|period| (unit, period)))
            .flat_map(|(unit, period)| {
                let base = format!("/v1/forms/m/periods/{period}/units/code:{unit}");
                [format!("{base}/rollup?include=children"), format!("{base}/rollup?stage=approved"), format!("{base}/completeness")]
            })
            .collect();
        let read = || -> Vec<String> {
            paths.iter().map(|path| without_rev(admin.get(path).expect_status(200).json())).collect()
        };
        let before = read();
        admin.carry_out(&reform());
        for (path, (then, now)) in paths.iter().zip(before.iter().zip(read())) {
            assert_eq!(*then, now, "{path}");
        }
        m.expect_verified("89", &["2024", "2024-12", "2025-H1"]);
        m.expect_verified("91", &["2024", "2025"]);
    }

    fn a_report_of_before_can_be_seen_on_the_map_of_today(backend) {
        let (_server, admin, m) = country(backend);
        for (unit, number) in [("30387", 10), ("30388", 12), ("30391", 11), ("30600", 13), ("887", 5), ("30388-1", 7), ("30391-1", 1)] {
            m.submit(unit, "2024-12", json!({"raised": number, "rate": number, "largest": number, "staff": number, "handed_up": number, "meetings": number}));
        }
        admin.carry_out(&reform());
        let on = |unit: &str, day: &str, code: &str| figure(&m, unit, "2024-12", day, code);
        // As it was: the town's report is still there under Tân Châu.
        assert_eq!(on("887", "", "raised"), "46 6/7");
        assert_eq!(on("30388", "", "raised"), "19 2/2");
        // Restated: Tân An with Tân Thạnh and Long An inside, 12 + 10 + 11 and the hamlets' 7 + 1.
        assert_eq!(on("30388", "2025-07-01", "raised"), "41 5/6");
        assert_eq!(on("91", "2025-07-01", "raised"), "59 7/8", "13 of Rạch Giá and the town's own 5 too");
        assert_eq!(on("30388", "2025-07-01", "largest"), "12 5/6");
        assert_eq!(on("30388", "2025-07-01", "rate"), "8.2 5/6", "(10 + 12 + 11 + 7 + 1) / 5");
        // What is only a unit's own stays its own; what was handed up is that of the three.
        assert_eq!(on("30388", "2025-07-01", "staff"), "12 1/1");
        assert_eq!(on("30388", "2025-07-01", "handed_up"), "33 3/3");
        assert_eq!(on("30388", "2025-07-01", "meetings"), "5 5/6");
        let rollup = m.of("2024-12").read("91/rollup?as_of=2025-07-01&include=children");
        assert_eq!(rollup["map"]["as_of"], "2025-07-01");
        assert_eq!(rollup["map"]["reorganisations"][0]["legal_basis"], "Nghị quyết 1654/NQ-UBTVQH15");
        // The town ended and nobody took it over: what it reported itself counts under its province.
        assert_eq!(rollup["map"]["not_divided"][0]["unit"]["name"], "Tân Châu");
        let children: Vec<(&str, bool)> = rollup["children"].as_array().unwrap().iter()
            .map(|child| (child["unit"]["name"].as_str().unwrap(), child["not_divided"].as_bool().unwrap())).collect();
        assert_eq!(children, [("Tân An", false), ("Rạch Giá", false), ("Tân Châu", true)]);
    }

    fn the_map_names_only_what_touched_the_unit_and_what_is_below_it(backend) {
        let (server, admin, m) = country(backend);
        m.submit("30600", "2024-12", json!({"raised": 1}));
        admin.carry_out(&json!({"effective": "2025-06-01", "legal_basis": "tách Rạch Giá", "steps": [
            {"op": "split", "from": "code:30600", "into": [
                {"unit": "code:30600", "share": "1/2"}, {"unit": {"code": "30601", "name": "Rạch Sỏi", "level": "commune", "parent": "code:91"}, "share": "1/2"}], "basis": "dân số"}]}));
        admin.carry_out(&json!({"effective": "2025-06-15", "legal_basis": "chuyển Ấp Long An", "steps": [
            {"op": "move", "unit": "code:30391-1", "parent": "code:30387"}]}));
        admin.carry_out(&reform());
        admin.carry_out(&json!({"effective": "2025-07-01", "legal_basis": "đổi tên Rạch Giá", "steps": [
            {"op": "rename", "unit": "code:30600", "name": "Rạch Giá mới"}]}));
        let named = |client: &Client, unit: &str, day: &str| -> Vec<String> {
            let rollup = Report::of(client, "m", "2024-12").read(&format!("{unit}/rollup?as_of={day}"));
            let all = rollup["map"]["reorganisations"].as_array().unwrap().iter();
            all.map(|one| one["legal_basis"].as_str().unwrap().to_owned()).collect()
        };
        let (split, moved, reform, renamed) = ("tách Rạch Giá", "chuyển Ấp Long An", "Nghị quyết 1654/NQ-UBTVQH15", "đổi tên Rạch Giá");
        assert_eq!(named(&admin, "30600", "2025-07-01"), [split, renamed]);
        assert_eq!(named(&admin, "30601", "2025-07-01"), [split]);
        assert_eq!(named(&admin, "30388", "2025-07-01"), [moved, reform]);
        // What left a unit touched it, too.
        assert_eq!(named(&admin, "30391", "2025-06-20"), [moved]);
        assert_eq!(named(&admin, "30388", "2025-06-20"), [""; 0]);
        assert_eq!(named(&admin, "91", "2025-07-01"), [split, moved, reform, renamed]);
        assert_eq!(named(&admin, "91", "2025-06-20"), [split]);
        server.create_account("test", "rach-gia", &["viewer@code:91"]);
        let viewer = server.sign_in("test", "rach-gia");
        assert_eq!(named(&viewer, "30600", "2025-07-01"), [split, renamed]);
        let series = "/v1/forms/m/units/code:30600/series?indicator=raised&from=2024&to=2025&as_of=2026-01-01";
        let map = viewer.get(series).expect_status(200).json()["map"].clone();
        assert_eq!(map["reorganisations"].as_array().unwrap().len(), 2, "{map}");
        // What is taken back is not named any more.
        let last = admin.get("/v1/reorganisations").json()["items"].as_array().unwrap().iter()
            .find(|one| one["legal_basis"] == renamed).unwrap()["id"].as_str().unwrap().to_owned();
        admin.with("If-Match", "*").post(&format!("/v1/reorganisations/{last}/undo")).expect_status(200);
        assert_eq!(named(&viewer, "30600", "2025-07-01"), [split]);
    }

    fn a_merge_adds_up_to_the_same_before_and_after(backend) {
        let (_server, admin, m) = country(backend);
        for (unit, a, b) in [("30387", 10, 12), ("30391", 11, 13)] {
            m.submit(unit, "2024-11", json!({"raised": a}));
            m.submit(unit, "2024-12", json!({"raised": b}));
        }
        assert!(figure(&m, "89", "2024", "", "raised").starts_with("46 "));
        admin.carry_out(&reform());
        assert!(figure(&m, "89", "2024", "", "raised").starts_with("46 "));
        assert!(figure(&m, "30388", "2024", "2025-07-01", "raised").starts_with("46 "));
        assert!(figure(&m, "91", "2024", "2025-07-01", "raised").starts_with("46 "));
    }

    fn shares_divide_what_sums_and_conserve_it_and_the_rest_stays_a_leaf(backend) {
        let (_server, admin, m) = country(backend);
        let numbers = [("2024-01", 100), ("2024-02", 1), ("2024-03", 0), ("2024-04", -7)];
        for (month, number) in numbers {
            m.submit("30387", month, json!({"raised": number, "rate": number, "largest": number}));
        }
        let new = |code: &str, name: &str| json!({"code": code, "name": name, "kind": "xã", "level": "commune", "parent": "code:887"});
        admin.carry_out(&json!({
            "effective": "2025-01-01", "legal_basis": "Nghị quyết về chia xã",
            "steps": [{"op": "split", "from": "code:30387", "basis": "dân số", "children": {"code:30387-1": "code:X"}, "into": [
                {"unit": new("30387", "Tân Thạnh"), "share": "1/3"}, {"unit": new("X", "Mới"), "share": "1/3"}, {"unit": "code:30391", "share": "1/3"},
            ]}]
        }));
        let parts = |month: &str, code: &str| ["30387", "X", "30391"].map(|unit| {
            let shown = figure(&m, unit, month, "2025-01-01", code);
            shown.split(' ').next().unwrap().to_owned()
        });
        assert_eq!(parts("2024-01", "raised"), ["34", "33", "33"]);
        assert_eq!(parts("2024-02", "raised"), ["1", "0", "0"]);
        assert_eq!(parts("2024-03", "raised"), ["0", "0", "0"]);
        assert_eq!(parts("2024-04", "raised"), ["-3", "-2", "-2"]);
        // An average and a largest cannot be divided: they stay right one level above.
        assert_eq!(parts("2024-01", "rate"), ["null", "null", "null"]);
        for (month, number) in numbers {
            assert!(figure(&m, "887", month, "2025-01-01", "raised").starts_with(&format!("{number} 3/")));
            assert!(figure(&m, "887", month, "2025-01-01", "largest").starts_with(&format!("{number} 1/")));
        }
        assert!(figure(&m, "887", "2024-01", "2025-01-01", "rate").starts_with("100 1/"));
        let cell = cell(&m.of("2024-01").read("X/rollup?as_of=2025-01-01"), "raised");
        assert_eq!(cell["apportioned"], 1);
        assert_eq!(cell["own"]["value"], 33);
        let map = &m.of("2024-01").read("887/rollup?as_of=2025-01-01")["map"];
        assert_eq!(map["apportioned"].as_array().unwrap().len(), 3);
        assert_eq!(map["apportioned"][1]["share"], "1/3");
        assert_eq!(map["not_divided"][0]["unit"]["code"], "30387");
    }

    fn a_split_without_known_shares_leaves_the_level_above_exact(backend) {
        let (_server, admin, m) = country(backend);
        m.submit("30387", "2024-01", json!({"raised": 100, "handed_up": 9}));
        m.submit("30387-1", "2024-01", json!({"raised": 5}));
        let new = json!({"code": "X", "name": "Mới", "kind": "xã", "level": "commune", "parent": "code:887"});
        admin.carry_out(&json!({
            "effective": "2025-01-01", "legal_basis": "Nghị quyết về chia xã",
            "steps": [{"op": "split", "from": "code:30387", "children": {"code:30387-1": "code:X"}, "into": [{"unit": new}, {"unit": "code:30391"}]}]
        }));
        assert!(figure(&m, "30391", "2024-01", "2025-01-01", "raised").starts_with("null 0/"));
        assert!(figure(&m, "X", "2024-01", "2025-01-01", "raised").starts_with("5 1/"), "the hamlet went there");
        assert!(figure(&m, "887", "2024-01", "2025-01-01", "raised").starts_with("105 2/"));
        let town = m.of("2024-01").read("887/rollup?as_of=2025-01-01");
        assert_eq!(cell(&town, "handed_up")["received_from_below"], 9);
    }

    fn a_reorganisation_entered_late_changes_exactly_the_periods_that_end_on_or_after_its_day(backend) {
        let (_server, admin, m) = country(backend);
        let months = ["2025-06", "2025-07", "2025-08"];
        for month in months {
            for (unit, number) in [("30387", 10), ("30388", 12), ("30391", 11)] {
                m.submit(unit, month, json!({"raised": number, "rate": number}));
            }
        }
        m.of("2025-07").step("30387", "approve").expect_status(200);
        admin.carry_out(&reform());
        assert!(figure(&m, "30388", "2025-06", "", "raised").starts_with("12 1/"));
        for month in ["2025-07", "2025-08"] {
            // All that came in for the three stands for the one submission that is expected.
            assert_eq!(figure(&m, "30388", month, "", "raised"), "33 1/4");
            assert_eq!(figure(&m, "30388", month, "", "rate"), "11 1/4");
        }
        let rollup = m.of("2025-07").read("30388/rollup");
        assert_eq!(rollup["completeness"], json!({"expected": 4, "submitted": 1, "approved": 0}));
        m.expect_verified("91", &["2025", "2025-07", "2025-08", "2025-Q3"]);
        // The successor's own submission takes the place of what passed to it.
        m.submit("30388", "2025-07", json!({"raised": 40}));
        assert_eq!(figure(&m, "30388", "2025-07", "", "raised"), "40 1/4");
        assert_eq!(figure(&m, "30388", "2025-08", "", "raised"), "33 1/4");
        m.expect_verified("91", &["2025", "2025-07", "2025-H2"]);
        let answer = m.of("2025-07").step("30388", "withdraw");
        answer.expect_status(200);
        m.expect_verified("91", &["2025", "2025-07", "2025-H2"]);
    }

    fn a_dry_run_says_what_the_figures_would_be_by_province(backend) {
        let (_server, admin, m) = country(backend);
        for (unit, number) in [("30387", 10), ("30388", 12), ("30600", 13)] {
            m.submit(unit, "2025-06", json!({"raised": number}));
            m.submit(unit, "2025-07", json!({"raised": number, "largest": number}));
        }
        let preview = || {
            let answer = admin.post_json("/v1/reorganisations/preview", &reform());
            let preview = answer.expect_status(200).json();
            assert_eq!(preview["possible"], true, "{preview}");
            preview["figures"][0].clone()
        };
        let figures = preview();
        assert_eq!((&figures["form"], &figures["period"]["key"]), (&json!("m"), &json!("2025-07")));
        let shown = |side: &str| -> Vec<String> {
            let units = figures[side].as_array().unwrap().iter();
            units.map(|unit| format!(
                "{} {} {}/{}", unit["unit"]["name"].as_str().unwrap(), unit["totals"][0]["value"],
                unit["completeness"]["submitted"], unit["completeness"]["expected"],
            )).collect()
        };
        assert_eq!(shown("before"), ["An Giang 22 2/7", "Kiên Giang 13 1/1"]);
        assert_eq!(shown("after"), ["An Giang null 0/0", "An Giang 35 2/5"], "the same rows on both sides");
        admin.carry_out(&reform());
        let rollup = m.of("2025-07").read("91/rollup");
        let after = &figures["after"][1];
        assert_eq!(rollup["completeness"], after["completeness"]);
        for total in after["totals"].as_array().unwrap() {
            let now = cell(&rollup, total["indicator"].as_str().unwrap());
            assert_eq!((&now["value"], &now["reported"], &now["expected"]), (&total["value"], &total["reported"], &total["expected"]), "{total}");
        }
    }

    fn a_series_goes_through_the_reform_in_both_views(backend) {
        let (_server, admin, m) = country(backend);
        for (unit, number) in [("30387", 35), ("30388", 30), ("30391", 33)] {
            for month in ["2023-12", "2024-12", "2025-06"] {
                m.submit(unit, month, json!({"members": number, "raised": 1}));
            }
        }
        admin.carry_out(&reform());
        m.submit("30388", "2025-12", json!({"members": 60, "raised": 5}));
        let years = |code: &str, rest: &str| -> Vec<String> {
            let path = format!("/v1/forms/m/units/code:30388/series?indicator={code}&from=2023&to=2025{rest}");
            let series = admin.get(&path).expect_status(200).json();
            let items = series["items"].as_array().unwrap().iter();
            items.map(|item| item["figure"]["value"].to_string()).collect()
        };
        assert_eq!(years("members", ""), ["30", "30", "60"]);
        assert_eq!(years("members", "&as_of=2026-01-01"), ["98", "98", "60"]);
        assert_eq!(years("raised", ""), ["1", "1", "8"]);
        assert_eq!(years("raised", "&as_of=2026-01-01"), ["3", "3", "8"]);
        let path = "/v1/forms/m/units/code:30388/series?indicator=raised&from=2025-05&to=2025-12&as_of=2026-01-01";
        let series = admin.get(path).expect_status(200).json();
        let items = series["items"].as_array().unwrap().iter();
        let to_date: Vec<String> = items.map(|item| item["cumulative"]["value"].to_string()).collect();
        assert_eq!(to_date, ["null", "3", "3", "3", "3", "3", "3", "8"]);
        assert_eq!(series["map"]["reorganisations"].as_array().unwrap().len(), 1);
    }

    fn lineage_goes_through_the_reform(backend) {
        let (_server, admin, m) = country(backend);
        for (unit, number) in [("30387", 10), ("30391", 11), ("30388", 12)] {
            m.submit(unit, "2025-06", json!({"raised": number}));
        }
        admin.carry_out(&reform());
        m.submit("30388", "2025-12", json!({"raised": 25}));
        let path = "/v1/forms/m/periods/2025/units/code:30388/rollup/lineage?indicator=raised&limit=1000";
        let lineage = admin.get(path).expect_status(200).json();
        assert_eq!(lineage["figure"]["value"], 58);
        let items = lineage["items"].as_array().unwrap();
        assert_eq!(json!(items.len()), lineage["figure"]["expected"]);
        let sent: Vec<String> = items.iter().filter(|item| !item["value"].is_null())
            .map(|item| format!("{} {} {}", item["unit"]["name"].as_str().unwrap(), item["period"]["key"].as_str().unwrap(), item["value"]["value"])).collect();
        assert_eq!(sent, ["Tân Thạnh 2025-06 10", "Tân An 2025-06 12", "Long An 2025-06 11", "Tân An 2025-12 25"]);
    }

    fn completeness_is_counted_on_either_map(backend) {
        let (_server, admin, m) = country(backend);
        for unit in ["30387", "30388", "30387-1"] {
            m.submit(unit, "2024-12", json!({"raised": 1}));
        }
        admin.carry_out(&reform());
        let read = |unit: &str, rest: &str| {
            let path = format!("/v1/forms/m/periods/2024-12/units/code:{unit}/completeness{rest}");
            admin.get(&path).expect_status(200).json()
        };
        let total = |view: &Value| (view["total"]["submitted"].clone(), view["total"]["expected"].clone());
        assert_eq!(total(&read("30388", "")), (json!(1), json!(2)));
        let restated = read("30388", "?as_of=2025-07-01");
        assert_eq!(total(&restated), (json!(3), json!(6)));
        assert_eq!(restated["own_periods"]["expected"], 3);
        assert_eq!(total(&read("91", "?as_of=2025-07-01")), (json!(3), json!(8)));
    }

    fn a_reorganisation_cannot_be_dated_before_something_that_passed_later(backend) {
        let (_server, admin, _) = country(backend);
        let split = |effective: &str, shares: [&str; 2], to: &str| json!({
            "effective": effective, "legal_basis": "Nghị quyết",
            "steps": [{"op": "split", "from": "code:30388", "basis": "dân số", "children": {"code:30388-1": "code:30388"},
                       "into": [{"unit": "code:30388", "share": shares[0]}, {"unit": to, "share": shares[1]}]}]
        });
        // Both stand on as they were, so that only what passed tells of it.
        admin.carry_out(&split("2025-08-01", ["1/2", "1/2"], "code:30387"));
        let earlier = split("2025-07-01", ["9/10", "1/10"], "code:30391");
        let refused = admin.post_json("/v1/reorganisations", &earlier).expect_status(422).json();
        assert!(refused["errors"].as_array().unwrap().iter().all(|fault| fault["code"] == "CHANGED_LATER"), "{refused}");
    }

    fn pages_of_lineage_end_where_a_divided_unit_lies_at_several_places(backend) {
        let (_server, admin, m) = country(backend);
        for unit in ["30387", "30388", "30391"] {
            m.submit(unit, "2025-06", json!({"raised": 10}));
        }
        let new = |code: &str| json!({"code": code, "name": code, "kind": "xã", "level": "commune", "parent": "code:887"});
        admin.carry_out(&json!({
            "effective": "2025-07-01", "legal_basis": "Nghị quyết",
            "steps": [{"op": "split", "from": "code:30387", "basis": "dân số", "children": {"code:30387-1": "code:X"},
                       "into": [{"unit": new("X"), "share": "1/2"}, {"unit": new("Y"), "share": "1/2"}]}]
        }));
        let path = "/v1/forms/m/periods/2025/units/code:887/rollup/lineage?indicator=raised";
        let all = admin.get(&format!("{path}&limit=1000")).expect_status(200).json();
        let all = all["items"].as_array().unwrap().clone();
        let mut paged = Vec::new();
        let mut next = format!("{path}&limit=2");
        while paged.len() <= all.len() {
            let page = admin.get(&next).expect_status(200).json();
            paged.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(cursor) => next = format!("{path}&limit=2&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(paged, all);
    }

    fn a_series_shows_of_a_unit_that_came_only_what_came_with_it(backend) {
        let (server, admin, m) = country(backend);
        m.submit("30388", "2025-06", json!({"raised": 12}));
        admin.carry_out(&reform());
        m.submit("30388", "2025-07", json!({"raised": 7}));
        server.create_account("test", "kien-giang", &["viewer@code:91"]);
        let viewer = server.sign_in("test", "kien-giang");
        let path = "/v1/forms/m/units/code:30388/series?indicator=raised&from=2025-06&to=2025-07";
        let series = viewer.get(path).expect_status(200).json();
        let keys: Vec<&Value> = series["items"].as_array().unwrap().iter().map(|item| &item["period"]["key"]).collect();
        assert_eq!(keys, ["2025-07"], "in June Tân An was not below 91");
    }

    fn what_is_only_a_unit_s_own_stays_with_it_when_a_part_of_it_passes(backend) {
        let (_server, admin, m) = country(backend);
        m.submit("30388", "2025-08", json!({"staff": 9, "raised": 10}));
        admin.carry_out(&json!({
            "effective": "2025-07-01", "legal_basis": "Nghị quyết",
            "steps": [{"op": "split", "from": "code:30388", "basis": "dân số", "children": {"code:30388-1": "code:30388"},
                       "into": [{"unit": "code:30388", "share": "7/10"}, {"unit": "code:30391", "share": "3/10"}]}]
        }));
        assert_eq!(figure(&m, "30388", "2025-08", "", "staff"), "9 1/1");
        assert!(figure(&m, "30388", "2025-08", "", "raised").starts_with("7 1/"));
        assert!(figure(&m, "30391", "2025-08", "", "raised").starts_with("3 1/"));
        m.expect_verified("89", &["2025-08", "2025", "2025-Q3"]);
    }

    fn what_is_only_a_unit_s_own_stays_with_it_when_nobody_knows_the_parts(backend) {
        let (_server, admin, m) = country(backend);
        m.submit("30388", "2025-06", json!({"staff": 9, "raised": 10}));
        admin.carry_out(&json!({
            "effective": "2025-07-01", "legal_basis": "Nghị quyết",
            "steps": [{"op": "split", "from": "code:30388", "children": {"code:30388-1": "code:30388"},
                       "into": [{"unit": "code:30388"}, {"unit": "code:30391"}]}]
        }));
        assert_eq!(figure(&m, "30388", "2025-06", "2025-07-01", "staff"), "9 1/1");
        assert!(figure(&m, "30388", "2025-06", "2025-07-01", "raised").starts_with("null 0/"));
    }

    fn what_a_successor_submitted_replaces_what_had_passed_to_it_also_when_it_passes_on_itself(backend) {
        let (_server, admin, m) = country(backend);
        for (unit, number) in [("30387", 10), ("30388", 12), ("30391", 11)] {
            m.submit(unit, "2025-08", json!({"raised": number, "largest": number}));
        }
        let merge = |from: &str, into: &str| json!({
            "effective": "2025-07-01", "legal_basis": "Nghị quyết", "steps": [{"op": "merge", "from": [from], "into": into}],
        });
        admin.carry_out(&merge("code:30387", "code:30388"));
        m.submit("30388", "2025-08", json!({"raised": 20, "largest": 7}));
        admin.carry_out(&merge("code:30388", "code:30391"));
        // 11 and 20, and not the 10 that the 20 took the place of.
        assert!(figure(&m, "30391", "2025-08", "", "raised").starts_with("31 1/"));
        assert!(figure(&m, "30391", "2025-08", "", "largest").starts_with("11 1/"));
        m.expect_verified("89", &["2025-08", "2025"]);
    }

    fn what_was_submitted_before_a_unit_became_the_successor_replaces_nothing(backend) {
        let (_server, admin, m) = country(backend);
        let merge = |from: &str, into: &str| json!({
            "effective": "2025-07-01", "legal_basis": "Nghị quyết", "steps": [{"op": "merge", "from": [from], "into": into}],
        });
        m.submit("30387", "2025-08", json!({"raised": 10}));
        admin.carry_out(&merge("code:30387", "code:30388"));
        m.submit("30391", "2025-08", json!({"raised": 11}));
        admin.carry_out(&merge("code:30388", "code:30391"));
        assert!(figure(&m, "30391", "2025-08", "", "raised").starts_with("21 1/"));
        m.expect_verified("89", &["2025-08", "2025"]);
    }

    fn what_is_not_divided_stays_until_all_successors_have_submitted_the_unit_itself_too(backend) {
        let (_server, admin, m) = country(backend);
        m.submit("30388", "2025-08", json!({"largest": 9}));
        admin.carry_out(&json!({
            "effective": "2025-07-01", "legal_basis": "Nghị quyết",
            "steps": [{"op": "split", "from": "code:30388", "basis": "dân số", "children": {"code:30388-1": "code:30388"},
                       "into": [{"unit": "code:30388", "share": "7/10"}, {"unit": "code:30391", "share": "3/10"}]}]
        }));
        let largest = || figure(&m, "887", "2025-08", "", "largest");
        m.submit("30391", "2025-08", json!({"largest": 4}));
        assert!(largest().starts_with("9 2/"), "{}", largest());
        m.submit("30388", "2025-08", json!({"largest": 5}));
        assert!(largest().starts_with("5 2/"), "{}", largest());
        m.expect_verified("89", &["2025-08", "2025"]);
    }

    fn what_stood_in_for_one_report_is_one_report_wherever_it_passes_later(backend) {
        let (_server, admin, m) = country(backend);
        for unit in ["30387", "30388", "30391"] {
            m.submit(unit, "2025-08", json!({"raised": 10}));
        }
        let merge = |effective: &str, from: &str, into: &str| json!({
            "effective": effective, "legal_basis": "Nghị quyết", "steps": [{"op": "merge", "from": [from], "into": into}],
        });
        // Two stand for the one that is expected of Tân An in August; Long An has its own.
        admin.carry_out(&merge("2025-07-01", "code:30387", "code:30388"));
        admin.carry_out(&merge("2025-10-01", "code:30388", "code:30391"));
        let path = "/v1/forms/m/periods/2025-08/units/code:30391/rollup?as_of=2025-10-01";
        let restated = admin.get(path).expect_status(200).json();
        assert_eq!(shown(&cell(&restated, "raised")), "30 2/5");
        assert_eq!(restated["completeness"], json!({"expected": 5, "submitted": 2, "approved": 0}));
    }

    fn what_was_submitted_between_a_split_and_the_end_of_the_same_day_is_whole_in_the_leaf(backend) {
        let (_server, admin, m) = country(backend);
        let on_the_day = |step: Value| json!({"effective": "2025-07-01", "legal_basis": "Nghị quyết", "steps": [step]});
        admin.carry_out(&on_the_day(json!({
            "op": "split", "from": "code:30388", "basis": "dân số", "children": {"code:30388-1": "code:30391"},
            "into": [{"unit": "code:30388", "share": "1/2"}, {"unit": "code:30391", "share": "1/2"}]
        })));
        m.submit("30388", "2025-08", json!({"raised": 10, "largest": 10}));
        m.submit("30391", "2025-08", json!({"raised": 3, "largest": 3}));
        admin.carry_out(&on_the_day(json!({"op": "abolish", "unit": "code:30388"})));
        assert!(figure(&m, "30391", "2025-08", "", "raised").starts_with("3 1/"));
        let raised = figure(&m, "887", "2025-08", "", "raised");
        assert!(raised.starts_with("13 2/"), "{raised}");
        assert!(figure(&m, "887", "2025-08", "", "largest").starts_with("10 2/"));
        m.expect_verified("89", &["2025-08", "2025"]);
    }

    fn what_a_map_does_not_divide_is_the_same_whatever_passes_later(backend) {
        let (_server, admin, m) = country(backend);
        let split = |effective: &str| json!({
            "effective": effective, "legal_basis": "Nghị quyết",
            "steps": [{"op": "split", "from": "code:30388", "basis": "dân số", "children": {"code:30388-1": "code:30388"},
                       "into": [{"unit": "code:30388", "share": "1/2"}, {"unit": "code:30391", "share": "1/2"}]}]
        });
        let back = |effective: &str| json!({
            "effective": effective, "legal_basis": "Nghị quyết",
            "steps": [{"op": "split", "from": "code:30387", "basis": "dân số", "children": {"code:30387-1": "code:30387"},
                       "into": [{"unit": "code:30387", "share": "1/2"}, {"unit": "code:30388", "share": "1/2"}]}]
        });
        admin.carry_out(&split("2024-03-01"));
        admin.carry_out(&back("2024-03-01"));
        let map = || m.of("2024-05").read("89/rollup?as_of=2024-07-01")["map"].clone();
        admin.carry_out(&json!({
            "effective": "2024-06-15", "legal_basis": "Nghị quyết", "steps": [{"op": "rename", "unit": "code:30391", "name": "Long Sơn"}]
        }));
        let before = map();
        admin.carry_out(&back("2025-01-01"));
        assert_eq!(map(), before);
    }

    fn an_earlier_map_cannot_be_asked_for(backend) {
        let (_server, admin, _) = country(backend);
        let path = "/v1/forms/m/periods/2025-12/units/code:91/rollup?as_of=2025-07-01";
        let problem = admin.get(path).expect_status(400).json();
        assert_eq!(problem["errors"][0]["parameter"], "as_of");
    }
}

/// A report's figures, without the counters that tell of commits.
fn without_rev(mut report: Value) -> String {
    report.as_object_mut().unwrap().remove("rev");
    report.to_string()
}
