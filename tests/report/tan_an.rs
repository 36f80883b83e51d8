//! The model case over HTTP: the totals of Tân An at every level are the figures of its printed
//! report.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::harness::Server;

const FIGURES: &str = include_str!("data/figures.csv");

fn rollup_path(code: &str) -> String {
    format!("/v1/forms/mttq.annual/periods/2024/units/code:{code}/rollup")
}

/// The cells of a rollup by indicator and option.
fn cells(rollup: &Value) -> HashMap<(String, String), Value> {
    let cells = rollup["cells"].as_array().unwrap().iter();
    cells
        .map(|cell| {
            let option = cell["option"].as_str().unwrap_or_default();
            (
                (
                    cell["indicator"].as_str().unwrap().to_owned(),
                    option.to_owned(),
                ),
                cell.clone(),
            )
        })
        .collect()
}

/// What the neighbours add to Tân An's figures at the town and the province: ones and twos.
const WITH_NEIGHBOURS: [(&str, &str, &str); 12] = [
    ("docs.issued", "86", "exact"),
    ("conferences.held", "13", "at_least"),
    ("fund.raised", "1565410000", "exact"),
    ("fund.spent", "1550170000", "exact"),
    ("appeal.received", "21090000", "exact"),
    ("voters.attendance", "655", "exact"),
    ("voters.opinions", "81", "exact"),
    // Nobody but Tân An has these.
    ("propaganda.attendance", "800", "at_least"),
    ("population.insured_rate", "93.64", "estimate"),
    ("houses.unity", "14", "exact"),
    // A plan is each body's own, and what was handed up is not summed.
    ("plan.tasks", "null", "exact"),
    ("appeal.transferred", "null", "exact"),
];

on_both_backends! {
    fn every_printed_figure_of_the_commune_comes_out_of_its_hamlets(backend) {
        let server = Server::with_demo(backend);
        let commune = server.sign_in("mttq-an-giang", "commune@demo");
        let rollup = commune.get(&rollup_path("30388")).expect_status(200).json();
        let cells = cells(&rollup);
        let mut rows = csv::Reader::from_reader(FIGURES.as_bytes());
        let mut compared = 0;
        for row in rows.deserialize::<HashMap<String, String>>() {
            let row = row.unwrap();
            let cell = &cells[&(row["indicator"].clone(), row["option"].clone())];
            // Households and population are not printed; the rates made of them are.
            if row["value"].is_empty() {
                continue;
            }
            assert_eq!(cell["value"].to_string(), row["value"], "{row:?}");
            assert_eq!(cell["qualifier"], row["qualifier"], "{row:?}");
            compared += 1;
        }
        assert_eq!(compared, 40);
        assert_eq!(rollup["completeness"]["expected"], 8);
        assert_eq!(rollup["completeness"]["submitted"], 8);
        assert_eq!(rollup["completeness"]["approved"], 0);
    }

    fn the_town_and_the_province_have_sums_that_anyone_can_check(backend) {
        let server = Server::with_demo(backend);
        let province = server.sign_in("mttq-an-giang", "province@demo");
        for unit in ["887", "89"] {
            let rollup = province.get(&rollup_path(unit)).expect_status(200).json();
            let cells = cells(&rollup);
            for (indicator, value, qualifier) in WITH_NEIGHBOURS {
                let cell = &cells[&(indicator.to_owned(), String::new())];
                assert_eq!(cell["value"].to_string(), value, "{indicator} at {unit}");
                assert_eq!(cell["qualifier"], qualifier, "{indicator} at {unit}");
            }
            let handed_up = &cells[&("appeal.transferred".to_owned(), String::new())];
            let received = if unit == "887" { "21090000" } else { "null" };
            assert_eq!(handed_up["received_from_below"].to_string(), received);
            assert_eq!(rollup["completeness"]["expected"], 21);
            assert_eq!(rollup["completeness"]["submitted"], 10);
        }
    }

    fn a_commune_that_has_sent_nothing_is_shown_as_missing(backend) {
        let server = Server::with_demo(backend);
        let town = server.sign_in("mttq-an-giang", "town@demo");
        let path = "/v1/forms/mttq.annual/periods/2024/units/code:887/completeness";
        let answer = town.get(path).expect_status(200).json();
        assert_eq!(answer["total"]["missing"], 11);
        let children = answer["children"].as_array().unwrap();
        assert_eq!(children.len(), 14);
        let sent = children.iter().filter(|child| child["own"]["status"] == "submitted");
        let sent: Vec<_> = sent.map(|child| child["unit"]["code"].as_str().unwrap()).collect();
        assert_eq!(sent, ["30387", "30388", "30391"]);
        let empty = town.get(&rollup_path("30376")).expect_status(200).json();
        assert_eq!(empty["completeness"]["submitted"], 0);
        assert!(empty["cells"].as_array().unwrap().iter().all(|cell| cell["value"].is_null()));
    }

    fn one_round_goes_on_and_the_one_before_was_corrected_after_it(backend) {
        let server = Server::with_demo(backend);
        let town = server.sign_in("mttq-an-giang", "town@demo");
        let read = |path: &str| {
            let path = format!("/v1/forms/mttq.annual/periods/{path}");
            town.get(&path).expect_status(200).json()
        };
        // Of 2024 some have sent, some of them late, and one report was returned.
        let total = read("2024/units/code:887/completeness")["total"].clone();
        let counts = ["submitted", "approved", "late", "returned", "missing"];
        assert_eq!(counts.map(|count| total[count].as_u64().unwrap()), [10, 0, 2, 1, 11]);
        let returned = read("2024/units/code:30400/submission")["last_return"].clone();
        assert_eq!(returned["values"][0]["indicator"], "fund.spent");
        // The report of 2023 was received, and has changed since by what one hamlet corrected.
        let release = read("2023/units/code:30388/releases/1");
        assert_eq!(release["status"], "received");
        let drift = &release["drift"];
        assert_eq!(drift["cells"].as_array().unwrap().len(), 1, "{drift}");
        let cell = &drift["cells"][0];
        assert_eq!((&cell["indicator"], &cell["option"]), (&json!("fund.raised"), &Value::Null));
        let sides = ["then", "now"].map(|side| cell[side]["value"].as_i64().unwrap());
        assert_eq!(sides, [1_371_000_000, 1_381_000_000]);
        assert_eq!(drift["units"][0]["code"], "30388-07");
    }

    fn the_months_of_the_commune_make_its_year(backend) {
        let server = Server::with_demo(backend);
        let town = server.sign_in("mttq-an-giang", "town@demo");
        let year = |unit: &str| {
            let path = format!("/v1/forms/mttq.monthly/periods/2024/units/code:{unit}/rollup");
            let rollup = town.get(&path).expect_status(200).json();
            let cells = cells(&rollup);
            ["fund.raised", "propaganda.sessions", "voters.attendance", "committee.members"]
                .map(|code| cells[&(code.to_owned(), String::new())]["value"].to_string())
        };
        assert_eq!(year("30388"), ["1562410000", "12", "625", "35"]);
        // The annual form takes the voters from there: of each month of the commune.
        let annual = town.get(&rollup_path("30388")).expect_status(200).json();
        let voters = &cells(&annual)[&("voters.attendance".to_owned(), String::new())];
        assert_eq!(voters["from_form"], "mttq.monthly");
        assert_eq!((&voters["value"], &voters["reported"], &voters["expected"]), (&json!(625), &json!(12), &json!(12)));
        // 12 and 24 million more; 30 and 33 members more: those of the last month.
        assert_eq!(year("887"), ["1598410000", "48", "655", "98"]);
    }
}
