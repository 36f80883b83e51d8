//! Tables beside what they are made of: each cell must be what the rollup of its unit shows, read singly.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Client;

/// A table that was read, and how to read the rollups that it must be made of.
pub struct TableCheck<'c> {
    pub client: &'c Client,
    pub form: &'c str,
    /// `&stage=approved`, `&as_of=2025-07-01`.
    pub reading: String,
}

impl TableCheck<'_> {
    /// Reads a table of a unit, and compares each of its cells.
    #[track_caller]
    pub fn expect_rollups(&self, unit: &str, query: &str) -> Value {
        let (form, reading) = (self.form, &self.reading);
        let path = format!("/v1/forms/{form}/units/{unit}/table?{query}{reading}");
        let table = self.client.get(&path).expect_status(200).json();
        let mut read = BTreeMap::new();
        for row in rows(&table) {
            // What is left of a unit that goes on is found under its own name no more.
            if row["not_divided"] == false {
                self.expect_row(&table, row, &mut read);
            }
        }
        self.expect_children(&table, query);
        table
    }

    fn expect_row(
        &self,
        table: &Value,
        row: &Value,
        read: &mut BTreeMap<(String, String), Option<Value>>,
    ) {
        let unit = row["unit"]["id"].as_str().unwrap();
        for (number, column) in table["columns"].as_array().unwrap().iter().enumerate() {
            let about = format!("{} of {}", column, row["unit"]["code"]);
            let Some(period) = column["period"]["key"].as_str() else {
                assert_eq!(shown(row, number), nothing(), "{about}");
                continue;
            };
            let key = (unit.to_owned(), period.to_owned());
            let rollup = read.entry(key).or_insert_with(|| self.rollup(unit, period));
            let expected = expected(rollup.as_ref(), column);
            assert_eq!(shown(row, number), expected, "{about}");
        }
    }

    /// The rollup of a unit, if it is there and may be read.
    fn rollup(&self, unit: &str, period: &str) -> Option<Value> {
        let (form, reading) = (self.form, &self.reading);
        let path = format!("/v1/forms/{form}/periods/{period}/units/{unit}/rollup?{reading}");
        let answer = self.client.get(&path.replace("?&", "?"));
        match answer.status {
            403 | 404 => None,
            _ => Some(answer.expect_status(200).json()),
        }
    }

    /// The rows of children are those of the rollup, with what is left of former units.
    fn expect_children(&self, table: &Value, query: &str) {
        if table["period"]["key"] != table["columns"][0]["period"]["key"]
            || !query.contains("rows=children")
            || query.contains("from=")
        {
            return;
        }
        let period = table["period"]["key"].as_str().unwrap();
        let unit = table["unit"]["id"].as_str().unwrap();
        let (form, reading) = (self.form, &self.reading);
        let path = format!(
            "/v1/forms/{form}/periods/{period}/units/{unit}/rollup?include=children{reading}"
        );
        let rollup = self.client.get(&path).expect_status(200).json();
        let children = rollup["children"].as_array().unwrap();
        let mut rows = table["rows"].as_array().unwrap().iter();
        for child in children {
            let is_of_child = |row: &&Value| {
                let fields = ["unit", "not_divided"];
                fields.iter().all(|field| row[*field] == child[*field])
            };
            // Between them only what was left of a unit a year before.
            let row = rows.find(is_of_child);
            let row = row.unwrap_or_else(|| panic!("{path}: no row of {}", child["unit"]));
            for (number, column) in table["columns"].as_array().unwrap().iter().enumerate() {
                if column["measure"] == "value" {
                    let expected = expected(Some(child), column);
                    assert_eq!(shown(row, number), expected, "{column} of {}", row["unit"]);
                }
            }
        }
        assert!(rows.all(|row| row["not_divided"] == true), "{path}");
        for field in ["form", "unit", "stage", "period"] {
            assert_eq!(table[field], rollup[field], "{field}");
        }
    }
}

/// A cell of nobody.
fn nothing() -> Value {
    json!([null, "exact", 0, 0])
}

fn rows(table: &Value) -> impl Iterator<Item = &Value> {
    let rows = table["rows"].as_array().unwrap().iter();
    rows.chain([&table["total"]])
}

fn shown(row: &Value, column: usize) -> Value {
    let fields = ["values", "qualifiers", "reported", "expected"];
    fields
        .map(|field| row[field][column].clone())
        .into_iter()
        .collect()
}

/// The column's cell of a rollup.
fn expected(rollup: Option<&Value>, column: &Value) -> Value {
    let cells = rollup.and_then(|rollup| rollup["cells"].as_array());
    let mut cells = cells.into_iter().flatten();
    let is_same = |cell: &&Value| {
        ["indicator", "option"]
            .iter()
            .all(|field| cell[*field] == column[*field])
    };
    let Some(cell) = cells.find(is_same) else {
        return nothing();
    };
    match column["measure"].as_str().unwrap() {
        "target" => json!([cell["target"]["value"], "exact", 0, 0]),
        _ => json!([
            cell["value"],
            cell["qualifier"],
            cell["reported"],
            cell["expected"]
        ]),
    }
}
