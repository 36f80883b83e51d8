//! Every SQL statement names the tenant: while all operations of the API run, each recorded
//! statement must filter every table that has tenants. Other tests use the recorder to see which
//! statements a piece of work sends.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use tonghop::store::DatabaseUrl;

use crate::harness::server::now;
use crate::harness::{Backend, Server};
use crate::http::openapi::call_every_operation;

/// The addresses of the databases whose statements are noted: other tests run beside this one.
static WATCHED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
/// What was sent to them, with the address, in order.
static SENT: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes what one connection sends.
#[derive(Default)]
struct Recorder {
    url: Option<String>,
}

impl Instrumentation for Recorder {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match (event, &self.url) {
            (InstrumentationEvent::StartEstablishConnection { url, .. }, _) => {
                // SQLite's as it is opened: where it is and how.
                let url = url.trim_start_matches("file://");
                self.url = Some(url.trim_end_matches("?mode=rw").to_owned());
            }
            (InstrumentationEvent::StartQuery { query, .. }, Some(url))
                if held(&WATCHED).contains(url) =>
            {
                let text = query.to_string();
                let sql = text.split(" -- binds:").next().unwrap_or_default();
                let words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
                // SQLite's quotes are others.
                held(&SENT).push((url.clone(), words.replace('`', "\"")));
            }
            _ => {}
        }
    }
}

fn recorder() -> Option<Box<dyn Instrumentation>> {
    Some(Box::<Recorder>::default())
}

/// Lets statements be noted of servers that are started from here on.
pub fn record() {
    set_default_instrumentation(recorder).unwrap();
}

/// What `work` sends to a server's database.
pub fn sent_during(server: &Server, work: impl FnOnce()) -> Vec<String> {
    let url = own_url(&server.database.server);
    held(&WATCHED).insert(url.to_owned());
    work();
    held(&WATCHED).remove(url);
    let mut all = held(&SENT);
    let (own, others) = std::mem::take(&mut *all)
        .into_iter()
        .partition(|(to, _)| to == url);
    *all = others;
    let own: Vec<(String, String)> = own;
    own.into_iter().map(|(_, sql)| sql).collect()
}

/// How many of the statements name a table.
pub fn about(sent: &[String], table: &str) -> usize {
    let naming = sent.iter().filter(|sql| tables_of(sql).contains(table));
    naming.count()
}

/// The tables of the schema, as the migrations make them.
fn tables_with_tenant() -> BTreeSet<String> {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let migrations = std::fs::read_dir(migrations).unwrap();
    let scripts = migrations
        .map(|migration| migration.unwrap().path().join("up.sql"))
        .map(|script| std::fs::read_to_string(script).unwrap());
    let mut names = BTreeSet::new();
    for script in scripts {
        let created = script
            .lines()
            .filter_map(|line| line.strip_prefix("CREATE TABLE "));
        names.extend(created.map(|line| line.trim_end_matches(" (").to_owned()));
    }
    names.remove("tenant_registry");
    names
}

/// The tables that a statement names, in diesel's manner of writing.
fn tables_of(sql: &str) -> BTreeSet<String> {
    let words: Vec<&str> = sql.split(' ').collect();
    let pairs = words.windows(2);
    pairs
        .filter(|pair| {
            ["FROM", "JOIN", "INTO", "UPDATE"].contains(&pair[0].trim_start_matches('('))
        })
        .map(|pair| pair[1].trim_matches(['(', ')', '"', ',']).to_owned())
        // What is bound is no table, nor is a query within the query.
        .filter(|name| !["SET", "LATERAL", ""].contains(&name.as_str()))
        .filter(|name| !name.starts_with("unnest("))
        .collect()
}

/// Whether a statement says of a table whose rows it is about, with a bound value.
fn names_tenant(sql: &str, table: &str) -> bool {
    let column = format!("\"{table}\".\"tenant_id\" = ");
    let compared = sql.match_indices(&column).any(|(at, found)| {
        let rest = &sql[at + found.len()..];
        rest.starts_with('$') || rest.starts_with('?')
    });
    let inserted = sql
        .split_once(&format!("INSERT INTO \"{table}\" ("))
        .is_some_and(|(_, columns)| columns.starts_with("\"tenant_id\""));
    compared || inserted
}

/// What stands for the time or for chance in SQL. Times and ids are bound, so that every node of a
/// cluster and every backend writes the same.
const UNSTABLE: [&str; 9] = [
    "NOW(",
    "CURRENT_TIMESTAMP",
    "CURRENT_DATE",
    "LOCALTIMESTAMP",
    "CLOCK_TIMESTAMP(",
    "STATEMENT_TIMESTAMP(",
    "RANDOM(",
    "GEN_RANDOM_UUID(",
    "NEXTVAL(",
];

/// What Citus refuses in a statement that names its tenants.
fn refused_by_citus(sql: &str) -> Option<String> {
    let sql = sql.to_uppercase();
    let is_write = ["INSERT", "UPDATE", "DELETE"]
        .iter()
        .any(|verb| sql.starts_with(verb));
    let unstable = UNSTABLE.iter().find(|word| is_write && sql.contains(*word));
    if let Some(word) = unstable {
        return Some(format!("{word} in a statement that writes"));
    }
    let rows = sql.split_once(" VALUES ").map(|(_, rows)| rows);
    if rows.is_some_and(|rows| rows.contains("(SELECT ")) {
        return Some("a sub-select in VALUES".to_owned());
    }
    let is_locking = sql.contains(" FOR UPDATE") || sql.contains(" FOR SHARE");
    if is_locking && !sql.contains("\"TENANT_ID\" = ") {
        return Some("a lock without a tenant".to_owned());
    }
    None
}

/// What concerns no table, or the registry, which is of no tenant.
fn is_free(sql: &str) -> bool {
    let control = ["BEGIN", "COMMIT", "ROLLBACK", "PRAGMA ", "SET ", "SELECT 1"];
    control.iter().any(|begin| sql.starts_with(begin))
}

fn own_url(url: &DatabaseUrl) -> &str {
    match url {
        DatabaseUrl::Sqlite { path } => path,
        DatabaseUrl::Postgresql { url } => url,
    }
}

on_both_backends! {
    fn every_statement_says_for_each_of_its_tables_whose_rows_it_is_about(backend) {
        record();
        // The schema first: its statements are no tenant's.
        let server = Server::start(backend);
        let sent: BTreeSet<String> = sent_during(&server, || {
            tonghop::demo::load(&server.application, now()).unwrap();
            call_every_operation(&server);
        }).into_iter().collect();
        let tables = tables_with_tenant();
        let mut named = BTreeSet::new();
        let mut faults = Vec::new();
        for sql in sent.iter().filter(|sql| !is_free(sql)) {
            let refused = refused_by_citus(sql);
            faults.extend(refused.map(|reason| format!("{reason}: {sql}")));
            let of_statement = tables_of(sql);
            if of_statement.is_empty() {
                faults.push(format!("no table is seen in: {sql}"));
            }
            for table in of_statement {
                let is_known = tables.contains(&table) || table == "tenant_registry";
                if !is_known || tables.contains(&table) && !names_tenant(sql, &table) {
                    faults.push(format!("{table} without its tenant: {sql}"));
                }
                named.insert(table);
            }
        }
        assert!(faults.is_empty(), "{faults:#?}");
        let unseen: Vec<&String> = tables.difference(&named).collect();
        assert!(unseen.is_empty(), "no statement was about {unseen:?}");
        let contexts = sent.iter().filter(|sql| sql.contains("SET LOCAL app.tenant = "));
        assert_eq!(contexts.count() > 0, backend == Backend::Postgresql);
    }
}

#[test]
fn the_check_finds_a_statement_without_its_tenant() {
    let forgetful = r#"SELECT "unit"."rev" FROM "unit" INNER JOIN "level" ON ("level"."tenant_id" = "unit"."tenant_id") WHERE ("unit"."tenant_id" = $1)"#;
    assert_eq!(tables_of(forgetful).len(), 2);
    assert!(names_tenant(forgetful, "unit"));
    assert!(!names_tenant(forgetful, "level"));
    assert!(!names_tenant(
        r#"INSERT INTO "unit" ("unit_id") VALUES ($1)"#,
        "unit"
    ));
    assert!(!is_free("DELETE FROM \"unit\""));
}

#[test]
fn the_check_finds_what_citus_refuses() {
    for refused in [
        r#"INSERT INTO "rollup" ("tenant_id", "at") VALUES ($1, $2) ON CONFLICT ("tenant_id") DO UPDATE SET "at" = now()"#,
        r#"UPDATE "unit" SET "at" = CURRENT_TIMESTAMP WHERE "unit"."tenant_id" = $1"#,
        r#"UPDATE "unit" SET "rev" = random() WHERE "unit"."tenant_id" = $1"#,
        r#"INSERT INTO "unit" ("tenant_id", "rev") VALUES ($1, (SELECT max("rev") FROM "unit"))"#,
        r#"SELECT "tenant"."rev" FROM "tenant" FOR UPDATE"#,
    ] {
        assert!(refused_by_citus(refused).is_some(), "{refused}");
    }
    for taken in [
        r#"INSERT INTO "rollup" ("tenant_id") VALUES ($1) ON CONFLICT ("tenant_id") DO UPDATE SET "rev" = excluded."rev""#,
        r#"SELECT "tenant"."rev" FROM "tenant" WHERE "tenant"."tenant_id" = $1 FOR UPDATE"#,
    ] {
        assert_eq!(refused_by_citus(taken), None, "{taken}");
    }
}
