//! The schema: the same after up, down and up again; portable, checked by a linter; and on
//! PostgreSQL the server's role never sees a row of another tenant.

use std::collections::BTreeSet;
use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::{Value, json};
use tonghop::store::DatabaseUrl;
use tonghop::store::migration::{MigrationError, check, migrate, revert_all};

use crate::harness::report::value;
use crate::harness::server::TestDatabase;
use crate::harness::town::Town;
use crate::harness::{Backend, Server, postgres};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    value: String,
}

pub fn postgresql(url: &DatabaseUrl) -> PgConnection {
    let DatabaseUrl::Postgresql { url } = url else {
        panic!("not PostgreSQL");
    };
    PgConnection::establish(url).unwrap()
}

pub fn values(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let rows: Vec<Row> = diesel::sql_query(sql).load(connection).unwrap();
    rows.into_iter().map(|row| row.value).collect()
}

/// Everything that the database knows about its tables.
fn dump(url: &DatabaseUrl) -> Vec<String> {
    match url {
        DatabaseUrl::Sqlite { path } => {
            let mut connection = SqliteConnection::establish(path).unwrap();
            let sql = "SELECT type || ' ' || name || ': ' || coalesce(sql, '') AS value \
                       FROM sqlite_master ORDER BY 1";
            let rows: Vec<Row> = diesel::sql_query(sql).load(&mut connection).unwrap();
            rows.into_iter().map(|row| row.value).collect()
        }
        DatabaseUrl::Postgresql { .. } => {
            let mut connection = postgresql(url);
            [
                "SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, is_nullable, \
                     column_default) AS value \
                 FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1",
                "SELECT concat_ws(' ', conrelid::regclass::text, conname, pg_get_constraintdef(oid)) AS value \
                 FROM pg_constraint WHERE connamespace = current_schema()::regnamespace ORDER BY 1",
                "SELECT replace(indexdef, current_schema() || '.', '') AS value \
                 FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1",
                "SELECT concat_ws(' ', tablename, policyname, cmd, roles::text, qual, with_check) AS value \
                 FROM pg_policies WHERE schemaname = current_schema() ORDER BY 1",
                "SELECT concat_ws(' ', relname, relrowsecurity, relforcerowsecurity, \
                     (SELECT string_agg(entry::text, ',' ORDER BY entry::text) FROM unnest(relacl) AS entry)) AS value \
                 FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' ORDER BY 1",
            ]
            .into_iter()
            .flat_map(|sql| values(&mut connection, sql))
            .collect()
        }
    }
}

on_both_backends! {
    fn up_down_and_up_again_is_the_same_schema(backend) {
        let database = TestDatabase::migrated(backend);
        let first = dump(&database.owner);
        assert!(first.len() > 15, "{first:#?}");
        revert_all(&database.owner).unwrap();
        let nothing = dump(&database.owner);
        let left: Vec<&String> = nothing.iter().filter(|line| !line.contains("__diesel_schema_migrations")).collect();
        assert!(left.is_empty(), "{left:#?}");
        migrate(&database.owner, &database.server).unwrap();
        assert_eq!(dump(&database.owner), first);
        check(&database.server).unwrap();
    }

    fn what_units_have_to_answer_is_found_in_a_database_that_did_not_store_it(backend) {
        let (server, admin, report) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .form("f", "year")
            .with("deadlines", json!({"hamlet": 1}))
            .build_for("2024");
        let values = |number: i64| json!({"values": [value("x", number)]});
        // A draft over a return, a return that was answered and has a draft over the answer, a
        // reopening, and a first draft.
        for unit in ["A1", "A2", "B1"] {
            report.submit(unit, &[value("x", 1)]);
        }
        for unit in ["A1", "A2"] {
            report.give_back(unit, &json!({"reason": "Sai"})).expect_status(200);
        }
        report.put("A1", &values(2)).expect_status(200);
        report.submit("A2", &[value("x", 2)]);
        report.put("A2", &values(3)).expect_status(200);
        report.step("B1", "approve").expect_status(200);
        report.step("B1", "reopen").expect_status(200);
        report.put("A", &values(1)).expect_status(201);
        let extension = report.submission("A1").replace("/submission", "/extension");
        admin.put(&extension, &json!({"until": "2190-01-01", "reason": "Lũ"})).expect_status(201);
        let told = || {
            let returns = ["A1", "A2", "B1", "A"].map(|unit| report.get(unit)["last_return"]["text"].clone());
            let returned = report.read("T/completeness")["total"]["returned"].clone();
            let given = admin.get(&extension).expect_status(200).json()["history"].clone();
            (returns, returned, given)
        };
        let before = told();
        assert_eq!((&before.0[0], &before.0[1], &before.1), (&json!("Sai"), &Value::Null, &json!(1)));
        assert_eq!(before.2.as_array().unwrap().len(), 1);

        let former = format!(
            "{}; DELETE FROM __diesel_schema_migrations WHERE version = '00000000000018'",
            include_str!("../../migrations/00000000000018_given_back/down.sql").trim_end().trim_end_matches(';')
        );
        let database = &server.database;
        match &database.owner {
            DatabaseUrl::Sqlite { path } => SqliteConnection::establish(path).unwrap().batch_execute(&former).unwrap(),
            DatabaseUrl::Postgresql { .. } => postgresql(&database.owner).batch_execute(&former).unwrap(),
        }
        migrate(&database.owner, &database.server).unwrap();
        assert_eq!(told(), before);
    }

    fn to_migrate_twice_changes_nothing(backend) {
        let database = TestDatabase::migrated(backend);
        let first = dump(&database.owner);
        migrate(&database.owner, &database.server).unwrap();
        assert_eq!(dump(&database.owner), first);
    }

    fn a_schema_newer_than_the_program_is_refused(backend) {
        let database = TestDatabase::migrated(backend);
        let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990000000000')";
        match &database.owner {
            DatabaseUrl::Sqlite { path } => SqliteConnection::establish(path).unwrap().batch_execute(newer).unwrap(),
            DatabaseUrl::Postgresql { .. } => postgresql(&database.owner).batch_execute(newer).unwrap(),
        }
        for refused in [check(&database.server), migrate(&database.owner, &database.server).map(|_| ())] {
            assert!(matches!(&refused, Err(MigrationError::Newer(version)) if version == "99990000000000"), "{refused:?}");
        }
    }
}

// ---- The rules of portable SQL, on the text of the migrations --------------------------------

const TYPES: [&str; 8] = [
    "TEXT",
    "BIGINT",
    "INTEGER",
    "BOOLEAN",
    "DATE",
    "TIMESTAMP",
    // Binary: SQLite takes any type's name, PostgreSQL has this one.
    "BYTEA",
    "BOOL",
];

const FORBIDDEN: [&str; 16] = [
    "TRIGGER",
    "SEQUENCE",
    "SERIAL",
    "SET NULL",
    "REAL",
    "DOUBLE",
    "FLOAT",
    "NUMERIC",
    "DECIMAL",
    "JSON",
    "UUID",
    "TIMESTAMPTZ",
    "AUTOINCREMENT",
    "IDENTITY",
    "NOW()",
    "CURRENT_TIMESTAMP",
];

const LONGEST_NAME: usize = 48;

/// Every migration's SQL, by file: comments gone, white space single.
fn scripts(file: &str) -> Vec<(PathBuf, String)> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let mut found: Vec<(PathBuf, String)> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path().join(file))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines = text.lines().map(|line| line.split("--").next().unwrap());
            let words = lines.flat_map(str::split_whitespace).collect::<Vec<_>>();
            (path, words.join(" "))
        })
        .collect();
    found.sort();
    found
}

/// Whether `text` has `word` as words of its own.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part)
    })
}

/// Splits at commas outside parentheses.
fn parts(list: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found) = (0, 0, Vec::new());
    for (at, character) in list.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                found.push(list[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(list[from..].trim());
    found
}

/// What stands between the first parenthesis and the last.
fn inside(text: &str) -> &str {
    &text[text.find('(').unwrap() + 1..text.rfind(')').unwrap()]
}

/// What is wrong with a statement.
fn faults_of(statement: &str) -> Vec<String> {
    let upper = statement.to_uppercase();
    let mut faults: Vec<String> = FORBIDDEN
        .iter()
        .filter(|word| has_word(&upper, word) || upper.contains("SET NULL") && **word == "SET NULL")
        .map(|word| format!("{word} in: {statement}"))
        .collect();
    let words: Vec<&str> = statement.split(' ').collect();
    match words[..] {
        ["CREATE", "TABLE", table, ..] => faults.extend(table_faults(table, inside(statement))),
        ["CREATE", "INDEX", name, "ON", ..] | ["CREATE", "UNIQUE", "INDEX", name, "ON", ..] => {
            faults.extend(name_fault(name));
            if !inside(statement).starts_with("tenant_id") {
                faults.push(format!("tenant_id is not first: {statement}"));
            }
        }
        ["ALTER", "TABLE", ..] => {
            if upper.matches("CONSTRAINT").count() > 1 || parts(statement).len() > 1 {
                faults.push(format!("more than one change: {statement}"));
            }
            faults.extend(alter_faults(words[2], &words[3..]));
        }
        // Its rows are made anew, or the migration says why they may go.
        ["DROP", "TABLE" | "INDEX", _] => {}
        // What the program carries out itself: PostgreSQL takes no migration without a statement.
        ["SELECT", "1"] => {}
        _ => faults.push(format!("no rule knows: {statement}")),
    }
    faults
}

/// What is wrong with the one change of a table.
fn alter_faults(table: &str, change: &[&str]) -> Vec<String> {
    match change {
        ["ADD", "COLUMN", column @ ..] => column_faults(table, &column.join(" ")),
        ["ADD", "CONSTRAINT", name, rule @ ..] => {
            constraint_faults(table, name, &rule.join(" "), HasTenant::Yes)
        }
        ["DROP", "COLUMN" | "CONSTRAINT", _] => Vec::new(),
        _ => vec![format!("{table}: no rule knows {}", change.join(" "))],
    }
}

/// Whether a table's rows are of a tenant.
#[derive(Clone, Copy, PartialEq)]
enum HasTenant {
    Yes,
    No,
}

/// What is wrong with the name of a constraint, and with its lists of columns: those here, and for a
/// foreign key those that it refers to.
fn constraint_faults(table: &str, name: &str, rule: &str, has_tenant: HasTenant) -> Vec<String> {
    let mut faults: Vec<String> = name_fault(name).into_iter().collect();
    if !name.starts_with(table) {
        faults.push(format!("{name} is not named after {table}"));
    }
    let lists = rule.split('(').skip(1).map(str::trim_start);
    let is_of_keys = has_tenant == HasTenant::Yes && !rule.starts_with("CHECK");
    for list in lists.filter(|list| is_of_keys && !list.starts_with("tenant_id")) {
        faults.push(format!("{name}: tenant_id is not first in ({list}"));
    }
    faults
}

fn name_fault(name: &str) -> Option<String> {
    (name.len() > LONGEST_NAME).then(|| format!("{name} has more than {LONGEST_NAME} bytes"))
}

fn table_faults(table: &str, body: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let definitions = parts(body);
    let has_tenant = match definitions[0].starts_with("tenant_id ") {
        true => HasTenant::Yes,
        false => HasTenant::No,
    };
    if has_tenant == HasTenant::No && table != "tenant_registry" {
        faults.push(format!("{table} does not begin with tenant_id"));
    }
    let mut keys = 0;
    for definition in definitions {
        let Some(constraint) = definition.strip_prefix("CONSTRAINT ") else {
            faults.extend(column_faults(table, definition));
            continue;
        };
        let (name, rule) = constraint.split_once(' ').unwrap();
        faults.extend(constraint_faults(table, name, rule, has_tenant));
        keys += usize::from(rule.starts_with("PRIMARY KEY"));
    }
    if keys != 1 {
        faults.push(format!("{table} has {keys} primary keys with a name"));
    }
    faults
}

fn column_faults(table: &str, definition: &str) -> Vec<String> {
    let words: Vec<&str> = definition.split(' ').collect();
    let mut faults = Vec::new();
    if !TYPES.contains(&words[1]) {
        faults.push(format!("{table}: the type of {definition}"));
    }
    if !matches!(
        words[2..],
        [] | ["NOT", "NULL"] | ["NOT", "NULL", "DEFAULT", _]
    ) {
        faults.push(format!(
            "{table}: a constraint without a name in {definition}"
        ));
    }
    faults
}

#[test]
fn every_migration_keeps_to_the_portable_rules() {
    let mut statements = 0;
    let both = ["up.sql", "down.sql"].map(scripts);
    for (path, script) in both.into_iter().flatten() {
        for statement in script
            .split(';')
            .map(str::trim)
            .filter(|statement| !statement.is_empty())
        {
            let faults = faults_of(statement);
            assert!(faults.is_empty(), "{}: {faults:#?}", path.display());
            statements += 1;
        }
    }
    assert!(statements > 15);
    assert_eq!(scripts("up.sql").len(), scripts("down.sql").len());
}

#[test]
fn the_linter_finds_what_breaks_a_rule() {
    let broken = [
        "CREATE TABLE t (id TEXT NOT NULL, CONSTRAINT t_pk PRIMARY KEY (id))",
        "CREATE TABLE t (tenant_id TEXT NOT NULL, id TEXT NOT NULL, CONSTRAINT t_pk PRIMARY KEY (id, tenant_id))",
        "CREATE TABLE t (tenant_id TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (tenant_id, id))",
        "CREATE TABLE t (tenant_id TEXT NOT NULL, id UUID NOT NULL, CONSTRAINT t_pk PRIMARY KEY (tenant_id, id))",
        "CREATE TABLE t (tenant_id TEXT NOT NULL, id BIGSERIAL, CONSTRAINT t_pk PRIMARY KEY (tenant_id, id))",
        "CREATE TABLE t (tenant_id TEXT NOT NULL REFERENCES u (x), CONSTRAINT t_pk PRIMARY KEY (tenant_id))",
        "CREATE TABLE t (tenant_id TEXT NOT NULL, x REAL, CONSTRAINT t_pk PRIMARY KEY (tenant_id))",
        "CREATE TABLE t (tenant_id TEXT NOT NULL, x TEXT, CONSTRAINT t_pk PRIMARY KEY (tenant_id), \
         CONSTRAINT t_x_fk FOREIGN KEY (x) REFERENCES u (x))",
        "CREATE TABLE t (tenant_id TEXT NOT NULL, x TEXT, CONSTRAINT t_pk PRIMARY KEY (tenant_id), \
         CONSTRAINT t_x_fk FOREIGN KEY (tenant_id, x) REFERENCES u (tenant_id, x) ON DELETE SET NULL)",
        "CREATE TABLE t (tenant_id TEXT NOT NULL, CONSTRAINT t_pk_that_has_a_name_of_more_than_forty_eight_bytes \
         PRIMARY KEY (tenant_id))",
        "CREATE INDEX t_x_ix ON t (x, tenant_id)",
        "ALTER TABLE t ADD CONSTRAINT t_a CHECK (a > 0), ADD CONSTRAINT t_b CHECK (b > 0)",
        "ALTER TABLE t ADD CONSTRAINT t_u_fk FOREIGN KEY (x) REFERENCES u (x)",
        "ALTER TABLE t ADD CONSTRAINT t_pk_that_has_a_name_of_more_than_forty_eight_bytes UNIQUE (tenant_id, x)",
        "ALTER TABLE t ADD COLUMN share DOUBLE PRECISION",
        "ALTER TABLE t ADD COLUMN at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP",
        "ALTER TABLE t ADD COLUMN id TEXT UNIQUE",
        "ALTER TABLE t ALTER COLUMN x TYPE INTEGER",
        "CREATE FUNCTION f() RETURNS TEXT",
        "CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION y()",
        "CREATE SEQUENCE s",
    ];
    for statement in broken {
        assert!(!faults_of(statement).is_empty(), "{statement}");
    }
}

// ---- Row-level security ----------------------------------------------------------------------

#[test]
fn row_level_security_is_forced_on_every_table_with_a_tenant() {
    if postgres::server().is_none() {
        return;
    }
    let database = TestDatabase::migrated(Backend::Postgresql);
    let mut owner = postgresql(&database.owner);
    let with_tenant = "SELECT table_name::text AS value FROM information_schema.columns \
         WHERE table_schema = current_schema() AND column_name = 'tenant_id' ORDER BY 1";
    let forced = "SELECT relname::text AS value FROM pg_class \
         WHERE relnamespace = current_schema()::regnamespace AND relrowsecurity AND relforcerowsecurity ORDER BY 1";
    let with_policy = "SELECT tablename::text AS value FROM pg_policies \
         WHERE schemaname = current_schema() AND cmd = 'ALL' ORDER BY 1";
    let tables = values(&mut owner, with_tenant);
    assert!(tables.len() > 10);
    assert_eq!(values(&mut owner, forced), tables);
    assert_eq!(values(&mut owner, with_policy), tables);
    // Citus takes no sub-select in a policy.
    let rules = "SELECT DISTINCT concat_ws(' ', qual, with_check) AS value FROM pg_policies \
         WHERE schemaname = current_schema()";
    let rules = values(&mut owner, rules);
    assert!(
        rules.iter().all(|rule| !rule.contains("SELECT")),
        "{rules:?}"
    );
    let all: BTreeSet<String> = values(
        &mut owner,
        "SELECT tablename::text AS value FROM pg_tables WHERE schemaname = current_schema()",
    )
    .into_iter()
    .collect();
    let without: Vec<&String> = all.iter().filter(|table| !tables.contains(table)).collect();
    assert_eq!(without, ["__diesel_schema_migrations", "tenant_registry"]);
}

#[test]
fn the_server_s_role_sees_no_row_but_its_tenant_s_and_makes_no_table() {
    if postgres::server().is_none() {
        return;
    }
    let server = Server::with_demo(Backend::Postgresql);
    server.create_tenant("other");
    let mut role = postgresql(&server.database.server);
    let id = |role: &mut PgConnection, slug: &str| {
        values(
            role,
            &format!("SELECT id AS value FROM tenant_registry WHERE slug = '{slug}'"),
        )
        .remove(0)
    };
    let (demo, other) = (id(&mut role, "mttq-an-giang"), id(&mut role, "other"));
    let tables = [
        "tenant",
        "level",
        "unit",
        "unit_fact",
        "account",
        "account_grant",
        "indicator",
        "indicator_option",
        "indicator_version",
        "form",
        "form_version",
        "submission",
        "submission_revision",
        "rollup",
    ];
    let count = |role: &mut PgConnection, table: &str| {
        values(
            role,
            &format!("SELECT count(*)::text AS value FROM {table}"),
        )
        .remove(0)
    };
    for table in tables {
        assert_eq!(count(&mut role, table), "0", "{table} without a context");
    }
    for tenant in [&demo, &other] {
        role.batch_execute(&format!("BEGIN; SET LOCAL app.tenant = '{tenant}'"))
            .unwrap();
        for table in tables {
            let seen = values(
                &mut role,
                &format!("SELECT DISTINCT tenant_id AS value FROM {table}"),
            );
            let has_any =
                tenant == &demo || ["tenant", "level", "account", "account_grant"].contains(&table);
            let expected = if has_any {
                vec![tenant.clone()]
            } else {
                vec![]
            };
            assert_eq!(seen, expected, "{table}");
        }
        role.batch_execute("ROLLBACK").unwrap();
    }
    // A row of another tenant cannot be written either, nor one moved there.
    for sql in [
        format!("INSERT INTO unit (tenant_id, unit_id, rev) VALUES ('{demo}', 'x', 1)"),
        format!("UPDATE tenant SET tenant_id = '{demo}'"),
    ] {
        role.batch_execute(&format!("BEGIN; SET LOCAL app.tenant = '{other}'"))
            .unwrap();
        let refused = role.batch_execute(&sql).unwrap_err().to_string();
        assert!(refused.contains("row-level security"), "{sql}: {refused}");
        role.batch_execute("ROLLBACK").unwrap();
    }
    for sql in [
        "CREATE TABLE mine (id TEXT)",
        "ALTER TABLE unit DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_tenant ON unit",
        "TRUNCATE unit",
        "DELETE FROM tenant_registry",
        "UPDATE __diesel_schema_migrations SET version = '0'",
    ] {
        let refused = role.batch_execute(sql).expect_err(sql).to_string();
        let is_refusal = refused.contains("permission denied") || refused.contains("must be owner");
        assert!(is_refusal, "{sql}: {refused}");
    }
}

/// The URL as another role of the test server.
fn as_role(url: &DatabaseUrl, role: &str) -> Option<DatabaseUrl> {
    let DatabaseUrl::Postgresql { url } = url else {
        return None;
    };
    // The harness's own cluster trusts everybody; a server that was given may not.
    let (_, place) = url.split_once('@')?;
    let url = format!("postgres://{role}@{place}");
    PgConnection::establish(&url).ok()?;
    url.parse().ok()
}

fn as_superuser(url: &DatabaseUrl) -> Option<DatabaseUrl> {
    as_role(url, "postgres")
}

/// A server's role of one test alone, dropped with this value.
struct OwnRole {
    name: String,
    administrator: DatabaseUrl,
}

impl OwnRole {
    fn on(database: &TestDatabase) -> Option<OwnRole> {
        let administrator = as_superuser(&database.server)?;
        let name = format!("tonghop_test_{}", uuid::Uuid::now_v7().simple());
        let made = OwnRole {
            name,
            administrator,
        };
        let name = &made.name;
        made.execute(&format!("CREATE ROLE {name} LOGIN"));
        let grant = format!(
            "DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO {name}', current_schema()); END $$"
        );
        made.execute(&grant);
        Some(made)
    }

    fn execute(&self, sql: &str) {
        let mut administrator = postgresql(&self.administrator);
        administrator.batch_execute(sql).unwrap();
    }
}

impl Drop for OwnRole {
    fn drop(&mut self) {
        let name = &self.name;
        let drop = format!("DROP OWNED BY {name}; DROP ROLE {name}");
        let _ = postgresql(&self.administrator).batch_execute(&drop);
    }
}

/// A database with the schema, a role of its own, and the database as the server that signs in with
/// this role sees it. None where there is no PostgreSQL, or one that takes no roles from tests.
fn migrated_for_a_role() -> Option<(TestDatabase, OwnRole, DatabaseUrl)> {
    postgres::server()?;
    let database = TestDatabase::migrated(Backend::Postgresql);
    let Some(role) = OwnRole::on(&database) else {
        assert!(std::env::var_os("TONGHOP_TEST_POSTGRES_URL").is_some());
        return None;
    };
    let server = as_role(&database.server, &role.name).unwrap();
    migrate(&database.owner, &server).unwrap();
    Some((database, role, server))
}

#[test]
fn a_role_that_could_make_itself_stronger_is_too_strong() {
    let Some((database, role, server)) = migrated_for_a_role() else {
        return;
    };
    let name = &role.name;
    check(&server).unwrap();

    let mut owner = postgresql(&database.owner);
    let owner = values(&mut owner, "SELECT current_user::text AS value").remove(0);
    for other in [owner.as_str(), "postgres", "pg_execute_server_program"] {
        role.execute(&format!("GRANT {other} TO {name}"));
        let refused = check(&server).unwrap_err();
        let is_named = matches!(&refused, MigrationError::RoleMayBecome { other: named, .. } if named == other);
        assert!(is_named, "{refused:?}");
        assert!(
            refused
                .to_string()
                .contains(&format!("REVOKE {other} FROM {name}")),
            "{refused}"
        );
        role.execute(&format!("REVOKE {other} FROM {name}"));
    }
    role.execute(&format!("ALTER ROLE {name} CREATEROLE"));
    let refused = check(&server).unwrap_err();
    assert!(
        matches!(refused, MigrationError::RoleMakesRoles(_)),
        "{refused:?}"
    );
    role.execute(&format!("ALTER ROLE {name} NOCREATEROLE BYPASSRLS"));
    let refused = check(&server).unwrap_err();
    assert!(
        matches!(refused, MigrationError::RoleTooStrong),
        "{refused:?}"
    );
    role.execute(&format!("ALTER ROLE {name} NOBYPASSRLS REPLICATION"));
    let refused = check(&server).unwrap_err();
    let cure = format!("ALTER ROLE {name} NOREPLICATION");
    assert!(refused.to_string().contains(&cure), "{refused}");
    role.execute(&cure);
    check(&server).unwrap();

    // Who signs in as another takes that back with one statement.
    let DatabaseUrl::Postgresql { url } = &role.administrator else {
        panic!("not PostgreSQL");
    };
    let disguised: DatabaseUrl = format!("{url}%20-crole%3D{name}").parse().unwrap();
    let refused = check(&disguised).unwrap_err();
    assert!(
        matches!(refused, MigrationError::RoleTooStrong),
        "{refused:?}"
    );
}

#[test]
fn the_walls_are_looked_for_where_the_server_s_queries_go_whatever_schema_is_first() {
    let Some((database, role, server)) = migrated_for_a_role() else {
        return;
    };
    let name = &role.name;
    // A schema before ours, by the usual path and by one that was set.
    role.execute(&format!("CREATE SCHEMA {name} AUTHORIZATION {name}"));
    let DatabaseUrl::Postgresql { url } = &server else {
        panic!("not PostgreSQL");
    };
    for first in ["%22$user%22", name] {
        let first = format!("search_path%3D{first}%2C");
        let server: DatabaseUrl = url.replace("search_path%3D", &first).parse().unwrap();
        let refused = || check(&server).unwrap_err();
        check(&server).unwrap();
        let mut owner = postgresql(&database.owner);
        let mut broken = |sql: &str, holds: fn(&MigrationError) -> bool, mended: &str| {
            owner.batch_execute(sql).unwrap();
            assert!(holds(&refused()), "{sql}: {:?}", refused());
            owner.batch_execute(mended).unwrap();
            check(&server).unwrap();
        };
        broken(
            "ALTER TABLE unit DISABLE ROW LEVEL SECURITY",
            |error| matches!(error, MigrationError::RowsUnguarded(table) if table == "unit"),
            "ALTER TABLE unit ENABLE ROW LEVEL SECURITY",
        );
        broken(
            "GRANT TRUNCATE ON unit TO PUBLIC",
            |error| {
                error
                    .to_string()
                    .contains("REVOKE TRUNCATE ON unit FROM PUBLIC")
            },
            "REVOKE TRUNCATE ON unit FROM PUBLIC",
        );
        broken(
            "ALTER TABLE unit RENAME TO unit_of_before",
            |error| matches!(error, MigrationError::TableMissing { table, .. } if table == "unit"),
            "ALTER TABLE unit_of_before RENAME TO unit",
        );
        // Another table of that name, which the queries find first.
        role.execute(&format!("CREATE TABLE {name}.unit (tenant_id TEXT)"));
        let named =
            matches!(refused(), MigrationError::TableHidden { table, .. } if table == "unit");
        assert!(named, "{:?}", refused());
        assert!(
            refused()
                .to_string()
                .contains(&format!("ALTER ROLE {name} SET search_path = test_"))
        );
        role.execute(&format!("DROP TABLE {name}.unit"));
        check(&server).unwrap();
    }
}

#[test]
fn a_right_that_is_too_much_is_taken_from_whoever_it_was_given_to() {
    let Some((database, role, server)) = migrated_for_a_role() else {
        return;
    };
    let name = &role.name;
    let group = OwnRole::on(&database).unwrap();
    let group_name = &group.name;
    role.execute(&format!("GRANT {group_name} TO {name}"));
    check(&server).unwrap();
    let mut owner = postgresql(&database.owner);
    for (given, cure) in [
        ("TRUNCATE ON unit", "PUBLIC"),
        ("TRUNCATE ON unit", group_name),
        ("DELETE ON tenant_registry", group_name),
        ("DELETE ON tenant_registry", name),
    ] {
        let execute = |owner: &mut PgConnection, sql: &str| owner.batch_execute(sql).unwrap();
        execute(&mut owner, &format!("GRANT {given} TO {cure}"));
        let refused = check(&server).unwrap_err().to_string();
        let cure = format!("REVOKE {given} FROM {cure}");
        assert!(refused.ends_with(&format!("run: {cure}")), "{refused}");
        execute(&mut owner, &cure);
        check(&server).unwrap();
    }
    // On a column, and what is cured for the table is cured for it.
    owner
        .batch_execute(&format!("GRANT UPDATE (name) ON tenant_registry TO {name}"))
        .unwrap();
    let refused = check(&server).unwrap_err().to_string();
    let cure = format!("REVOKE UPDATE ON tenant_registry FROM {name}");
    assert!(refused.ends_with(&format!("run: {cure}")), "{refused}");
    owner.batch_execute(&cure).unwrap();
    check(&server).unwrap();

    for holder in [name, group_name] {
        role.execute(&format!("GRANT pg_write_all_data TO {holder}"));
        let refused = check(&server).unwrap_err().to_string();
        let cure = format!("REVOKE pg_write_all_data FROM {holder}");
        assert!(refused.ends_with(&format!("run: {cure}")), "{refused}");
        role.execute(&cure);
        check(&server).unwrap();
    }
}

#[test]
fn a_database_that_compares_texts_by_a_language_is_refused() {
    let Some(server) = postgres::server() else {
        return;
    };
    let by_icu = "LOCALE_PROVIDER icu ICU_LOCALE 'vi' LC_COLLATE 'C' LC_CTYPE 'C'";
    // Not every PostgreSQL is built with ICU.
    let Some(other) = server.with_locale(by_icu) else {
        return;
    };
    let refused = check(&other.server_url.parse().unwrap()).unwrap_err();
    let is_named = matches!(&refused, MigrationError::Collation(name) if name == "ICU's vi");
    assert!(is_named, "{refused:?}");
}

#[test]
fn a_server_does_not_start_with_a_role_that_is_too_strong_or_on_an_old_schema() {
    if postgres::server().is_none() {
        return;
    }
    let database = TestDatabase::migrated(Backend::Postgresql);
    let owner = check(&database.owner);
    assert!(
        matches!(owner, Err(MigrationError::RoleOwns(_))),
        "{owner:?}"
    );
    match as_superuser(&database.server) {
        Some(superuser) => {
            let refused = check(&superuser);
            assert!(
                matches!(refused, Err(MigrationError::RoleTooStrong)),
                "{refused:?}"
            );
        }
        // The harness's own cluster lets everybody in.
        None => assert!(std::env::var_os("TONGHOP_TEST_POSTGRES_URL").is_some()),
    }
    let empty = TestDatabase::empty(Backend::Postgresql);
    let refused = check(&empty.server);
    assert!(
        matches!(refused, Err(MigrationError::Outdated(_))),
        "{refused:?}"
    );
    revert_all(&database.owner).unwrap();
    let refused = check(&database.server);
    assert!(
        matches!(refused, Err(MigrationError::Outdated(_))),
        "{refused:?}"
    );
}
