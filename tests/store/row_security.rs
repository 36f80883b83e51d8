//! Two walls stand between tenants on PostgreSQL, and each holds alone: the tenant in every
//! statement, and row-level security.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::json;

use super::migrations::{postgresql, values};
use crate::harness::{Backend, postgres};
use crate::http::walls::Walled;

/// The tables whose rows are of a tenant.
fn tables(connection: &mut PgConnection) -> Vec<String> {
    let sql = "SELECT table_name::text AS value FROM information_schema.columns \
               WHERE table_schema = current_schema() AND column_name = 'tenant_id' ORDER BY 1";
    values(connection, sql)
}

#[test]
fn the_tenant_in_every_statement_keeps_tenants_apart_without_row_security() {
    if postgres::server().is_none() {
        return;
    }
    let walled = Walled::new(Backend::Postgresql);
    let mut owner = postgresql(&walled.server.database.owner);
    for table in tables(&mut owner) {
        for change in ["DISABLE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"] {
            let sql = format!("ALTER TABLE {table} {change}");
            owner.batch_execute(&sql).unwrap();
        }
    }
    // Now the server's role sees both tenants, if a statement lets it.
    let mut role = postgresql(&walled.server.database.server);
    let seen = "SELECT count(DISTINCT tenant_id)::text AS value FROM unit";
    assert_eq!(values(&mut role, seen), ["2"]);

    let callers = walled.callers();
    walled.check_cursors(&callers);
    walled.check_etags_and_keys(&callers);
    walled.check_names();
    walled.check_things(&callers);
    // The administrator, whom no grant stops, and a program that reads.
    walled.check_units(&callers[4..6]);
    walled.check_lists();
}

/// What each table holds of a tenant, as one text a table.
fn rows_of(role: &mut PgConnection, tenant: &str, tables: &[String]) -> BTreeMap<String, String> {
    let begin = format!("BEGIN; SET LOCAL app.tenant = '{tenant}'");
    role.batch_execute(&begin).unwrap();
    let held = tables.iter().map(|table| {
        let sql = format!(
            "SELECT coalesce(string_agg(held::text, E'\\n' ORDER BY held::text), '') AS value \
             FROM {table} AS held"
        );
        (table.clone(), values(role, &sql).remove(0))
    });
    let held = held.collect();
    role.batch_execute("ROLLBACK").unwrap();
    held
}

/// Sends a statement within a transaction that goes on if it fails.
fn attempt(role: &mut PgConnection, sql: &str) -> Result<usize, String> {
    role.batch_execute("SAVEPOINT attempt").unwrap();
    let done = diesel::sql_query(sql).execute(role);
    let end = match done {
        Ok(_) => "RELEASE SAVEPOINT attempt",
        Err(_) => "ROLLBACK TO SAVEPOINT attempt",
    };
    role.batch_execute(end).unwrap();
    done.map_err(|error| error.to_string())
}

#[test]
fn row_security_keeps_tenants_apart_where_no_statement_names_the_tenant() {
    if postgres::server().is_none() {
        return;
    }
    let walled = Walled::new(Backend::Postgresql);
    for client in [&walled.admin, &walled.neighbour] {
        let target = "/v1/forms/mttq.annual/periods/2024/units/code:A/targets/docs.issued";
        client
            .create(target, &json!({"value": 4}))
            .expect_status(201);
        client.reorganise(
            "2026-01-01",
            &json!([{"op": "rename", "unit": "code:B", "name": "Xã Bê"}]),
        );
    }
    let mut role = postgresql(&walled.server.database.server);
    let id_of = |role: &mut PgConnection, slug: &str| {
        let sql = format!("SELECT id AS value FROM tenant_registry WHERE slug = '{slug}'");
        values(role, &sql).remove(0)
    };
    let (own, other) = (id_of(&mut role, "test"), id_of(&mut role, "other"));
    let tables = tables(&mut role);
    let [mine, theirs] = [&own, &other].map(|tenant| rows_of(&mut role, tenant, &tables));
    let filled = theirs.values().filter(|rows| !rows.is_empty());
    assert!(filled.count() >= 15, "too few tables hold anything");
    for (table, rows) in &mine {
        assert!(!rows.contains(&other), "{table} shows a row of the other");
    }

    // Change and delete every row that is seen, with no word about the tenant.
    role.batch_execute(&format!("BEGIN; SET LOCAL app.tenant = '{own}'"))
        .unwrap();
    let lines = |table: &str| mine[table].lines().count();
    let mut changed = 0;
    for table in &tables {
        let sql = format!("UPDATE {table} SET tenant_id = tenant_id");
        match attempt(&mut role, &sql) {
            Ok(rows) => {
                assert!(rows <= lines(table), "{table}: {rows} rows changed");
                changed += rows;
            }
            Err(refused) => assert!(refused.contains("permission denied"), "{sql}: {refused}"),
        }
    }
    assert!(changed > 20, "only {changed} rows were changed");
    // Rows that others refer to go after those.
    let mut left: Vec<&String> = tables.iter().collect();
    let mut deleted = 0;
    loop {
        let before = left.len();
        left.retain(|table| {
            let sql = format!("DELETE FROM {table}");
            let rows = attempt(&mut role, &sql);
            deleted += rows.as_ref().copied().unwrap_or_default();
            rows.is_err()
        });
        if left.len() == before {
            break;
        }
    }
    assert!(
        deleted > 20,
        "only {deleted} rows were deleted; left are {left:?}"
    );
    role.batch_execute("COMMIT").unwrap();
    assert_ne!(rows_of(&mut role, &own, &tables), mine);
    assert_eq!(rows_of(&mut role, &other, &tables), theirs);
    println!("{changed} rows changed and {deleted} deleted, all of one tenant");
}
