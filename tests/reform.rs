//! The country's reform of 2025-07-01 on the real lists, where they lie beside the project; elsewhere
//! there is nothing to run.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::{Value, json};
use tonghop::service::mapping::{Mapping, document_of};
use tonghop::service::token::{Credentials, issue_token};
use tonghop::service::unit::{ImportMode, UnitList, import_units};

use crate::harness::server::{PASSWORD, now};
use crate::harness::town::{Report, cell, form, indicator, value};
use crate::harness::{Backend, Client, Server};

const LISTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");

fn list(name: &str) -> Option<String> {
    std::fs::read_to_string(format!("{LISTS}/{name}")).ok()
}

fn rows(csv: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

/// All codes of a level on a day.
fn codes(admin: &Client, level: &str, day: &str) -> Vec<String> {
    let first = format!("/v1/units?level={level}&as_of={day}&limit=1000");
    let (mut codes, mut next) = (Vec::new(), first.clone());
    loop {
        let page = admin.get(&next).expect_status(200).json();
        let units = page["items"].as_array().unwrap().iter();
        codes.extend(units.map(|unit| unit["code"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(cursor) => next = format!("{first}&cursor={cursor}"),
            None => return codes,
        }
    }
}

fn raised(admin: &Client, unit: &str) -> i64 {
    let rollup = Report::of(admin, "m", "2024-12").read(&format!("{unit}/rollup?as_of=2025-07-01"));
    cell(&rollup, "raised")["value"].as_i64().unwrap_or(0)
}

#[test]
fn the_real_reform_loses_no_figure_and_changes_no_report_of_before() {
    let (Some(before), Some(after)) = (list("units_2024.csv"), list("units_2025.csv")) else {
        let _ = writeln!(
            std::io::stderr(),
            "the real lists are not there: nothing was tried"
        );
        return;
    };
    let mapping = list("mapping_2025.csv").unwrap();
    let server = Server::with_tenant(Backend::Sqlite);
    let admin = server.sign_in("test", "admin");
    let before = before.replace(",district,", ",town,");
    let credentials = Credentials::Password {
        tenant: Some("test".to_owned()),
        username: "admin".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let token = issue_token(&server.application, &credentials, now()).unwrap();
    let tokens = &server.application.tokens;
    let identity = tokens.verify(&token.access_token, now()).unwrap();
    // Larger than what the test's server takes in one body.
    let units = UnitList {
        csv: before.clone(),
        valid_from: None,
        country: None,
        mode: ImportMode::Write,
    };
    import_units(&server.application, &identity, &units, None, now()).unwrap();
    admin
        .put("/v1/indicators/raised", &indicator("sum"))
        .expect_status(201);
    let mut monthly = form(&["raised"]);
    monthly["frequency"] = json!("month");
    admin.put("/v1/forms/m", &monthly).expect_status(201);

    // Every twentieth commune has reported.
    let units = rows(&before);
    let of = |code: &str| units.iter().find(|unit| unit["code"] == code).unwrap();
    let communes = units.iter().filter(|unit| unit["level"] == "commune");
    let mut by_province: BTreeMap<String, i64> = BTreeMap::new();
    for (number, commune) in (1_i64..).zip(communes.step_by(20)) {
        let values = json!({"values": [value("raised", number)], "submit": true});
        let path = Report::of(&admin, "m", "2024-12").submission(&commune["code"]);
        admin.create(&path, &values).expect_status(201);
        let town = of(&commune["parent_code"]);
        *by_province.entry(town["parent_code"].clone()).or_default() += number;
    }
    let reports = || -> Vec<Value> {
        let provinces = by_province.keys();
        let read = |code: &String| {
            Report::of(&admin, "m", "2024-12").read(&format!("{code}/rollup?include=children"))
        };
        provinces.map(read).collect()
    };
    let reports_before = reports();

    let tables = Mapping {
        mapping: mapping.clone(),
        after,
        effective: "2025-07-01".parse().unwrap(),
        legal_basis: "Nghị quyết 202/2025/QH15".to_owned(),
    };
    let document = document_of(&server.application, &identity, &tables).unwrap();
    let document = serde_json::to_value(&document).unwrap();
    admin
        .post_json("/v1/reorganisations", &document)
        .expect_status(201);

    assert_eq!(codes(&admin, "province", "2025-06-30").len(), 63);
    assert_eq!(codes(&admin, "province", "2025-07-01").len(), 34);
    assert_eq!(codes(&admin, "town", "2025-07-01").len(), 0);
    assert_eq!(codes(&admin, "commune", "2025-07-01").len(), 3321);
    assert_eq!(reports(), reports_before);
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    for row in rows(&mapping)
        .iter()
        .filter(|row| row["level"] == "province")
    {
        let sum = by_province.get(&row["old_code"]).copied().unwrap_or(0);
        *expected.entry(row["new_code"].clone()).or_default() += sum;
    }
    for (province, sum) in expected {
        assert_eq!(raised(&admin, &province), sum, "{province}");
    }
    let tan_an = admin.get("/v1/units/code:30388?as_of=2025-07-01").json();
    let as_before = admin.get("/v1/units/code:30388?as_of=2025-06-30").json();
    assert_eq!(tan_an["id"], as_before["id"]);
}
