//! The model case end to end over HTTP: what the hamlets and the commune of Tân An submitted is,
//! at every level, what their printed report says.

use std::collections::HashMap;

use serde_json::Value;

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
}
