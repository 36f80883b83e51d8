//! Formulas and what they are made of, while the catalogue changes: what a formula or a rule uses
//! stays, or the change is refused with the name of what depends on it.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use serde_json::{Value, json};
use tonghop::store::DatabaseUrl;

use crate::harness::town::{Report, form, value};
use crate::harness::{Client, Server};

fn derived(formula: &str) -> Value {
    json!({
        "name": {"vi": "Công thức"}, "unit_of_measure": "x", "decimals": 1, "formula": formula,
    })
}

fn put_derived(admin: &Client, code: &str, formula: &str) {
    let path = format!("/v1/indicators/{code}");
    admin.put(&path, &derived(formula)).expect_status(201);
}

/// Changes what is kept of the tenant `test` beside the server, as an earlier release of the
/// program could have left it.
fn write_beside(server: &Server, sql: &str) {
    match &server.database.owner {
        DatabaseUrl::Sqlite { path } => {
            let mut connection = SqliteConnection::establish(path).unwrap();
            let waiting = format!("PRAGMA busy_timeout = 10000; {sql}");
            connection.batch_execute(&waiting).unwrap();
        }
        DatabaseUrl::Postgresql { url } => {
            let mut connection = PgConnection::establish(url).unwrap();
            let tenant = "SELECT set_config('app.tenant', (SELECT id FROM tenant_registry WHERE slug = 'test'), false)";
            connection
                .batch_execute(&format!("{tenant}; {sql}"))
                .unwrap();
        }
    }
}

on_both_backends! {
    fn a_formula_whose_operand_is_gone_has_none_of_what_it_expects(backend) {
        let (server, admin) = Server::with_town(backend);
        admin.add_indicators(&[("x", "sum"), ("y", "sum")]);
        for (code, formula) in [("f", "coalesce(x, 1) + x"), ("g", "x / y"), ("h", "100 * x / f")] {
            put_derived(&admin, code, formula);
        }
        admin.put("/v1/forms/m", &form(&["x", "y", "f", "g", "h"])).expect_status(201);
        let report = Report::new(&admin, "m");
        for unit in ["A", "A1", "A2"] {
            report.submit(unit, &[value("x", 2), value("y", 4)]);
        }
        let figures = || ["f", "g", "h"].map(|code| report.figure("A", code));
        assert_eq!(figures(), ["12 3/3", "0.5 3/3", "50 3/3"]);

        // The change is seen when the catalogue has changed, and is read anew.
        admin.add_indicators(&[("other", "sum")]);
        write_beside(&server, "UPDATE indicator_version SET definition = \
            replace(replace(definition, 'coalesce(x, 1)', 'coalesce(gone, 1)'), 'x / y', 'x / y[gone]')");
        // One has a value nevertheless; the third is made of the first.
        assert_eq!(figures(), ["7 0/3", "null 0/3", "85.7 0/3"]);
        assert_eq!(report.figure("T", "f"), "7 0/5");
        assert_eq!(report.figure("A", "x"), "6 3/3");
        let lineage = report.read("A/rollup/lineage?indicator=f");
        assert_eq!(lineage["operands"].as_array().unwrap().len(), 1);
    }
}
