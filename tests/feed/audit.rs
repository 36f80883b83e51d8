//! The audit of the history: rows that are taken out, put in, changed or moved by hand are found.

use std::process::Output;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Binary;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use serde_json::json;
use tonghop::store::DatabaseUrl;

use super::last_rev;
use crate::harness::program::tonghop_on;
use crate::harness::report::{Report, value};
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Program, Server, expect_in_time};

/// A row of the history, as it is stored.
#[derive(QueryableByName)]
pub struct Row {
    #[diesel(sql_type = Binary)]
    pub items: Vec<u8>,
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
}

/// All rows of the tenant `test`, in order.
pub fn rows(server: &Server) -> Vec<Row> {
    let id = "SELECT id FROM tenant_registry WHERE slug = 'test'";
    let query = sql_query(format!(
        "SELECT items, hash FROM change WHERE tenant_id = ({id}) ORDER BY rev"
    ));
    match &server.database.owner {
        DatabaseUrl::Sqlite { path } => {
            let mut connection = SqliteConnection::establish(path).unwrap();
            query.load(&mut connection).unwrap()
        }
        DatabaseUrl::Postgresql { url } => {
            let mut connection = PgConnection::establish(url).unwrap();
            let context = format!("SELECT set_config('app.tenant', ({id}), false)");
            connection.batch_execute(&context).unwrap();
            query.load(&mut connection).unwrap()
        }
    }
}

/// The town with the monthly form `m` of `x` and figures: revs 0 to 8.
fn reporting(backend: Backend) -> (Server, Client) {
    let (server, admin, reports) = Town::new(backend)
        .indicators(&[("x", "sum")])
        .form("m", "month")
        .build();
    for month in 1..=5 {
        reports.submit("A", &format!("2024-0{month}"), json!({"x": month}));
    }
    assert_eq!(last_rev(&admin), 8);
    (server, admin)
}

fn verify(server: &Server, arguments: &[&str]) -> Output {
    let arguments = [&["verify", "--changes"], arguments].concat();
    tonghop_on(&server.database, &arguments).output().unwrap()
}

/// What the command says of a history that is not as it was written.
#[track_caller]
fn fault(server: &Server) -> String {
    let output = verify(server, &["--tenant", "test"]);
    assert!(!output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    told.trim()
        .strip_prefix("test: the change ")
        .unwrap_or_else(|| panic!("{told}"))
        .to_owned()
}

on_both_backends! {
    fn a_history_as_it_was_written_is_sound_and_its_last_hash_is_told(backend) {
        let (server, _) = reporting(backend);
        server.create_tenant("other");
        let output = verify(&server, &[]);
        assert!(output.status.success(), "{output:?}");
        let told = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = told.lines().collect();
        let hash: String = rows(&server).last().unwrap().hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(lines.len(), 2, "{told}");
        let sound = "every change is as it was written";
        let first = format!("other: {sound}: 1 commit, numbered from 0 to 0; the last has the hash ");
        assert!(lines[0].starts_with(&first), "{told}");
        assert_eq!(lines[1], format!("test: {sound}: 9 commits, numbered from 0 to 8; the last has the hash {hash}"));
        assert!(!verify(&server, &["--tenant", "none"]).status.success());
    }

    fn a_row_that_was_taken_out_is_missed(backend) {
        for (taken, first) in [("rev = 5", 5), ("rev = 0", 0), ("rev = 8", 8), ("rev >= 7", 7), ("rev >= 0", 0)] {
            let (server, _) = reporting(backend);
            server.write_beside(&format!("DELETE FROM change WHERE {taken}"));
            assert_eq!(fault(&server), format!("{first} is missing: it was taken out"), "{taken}");
        }
        // The gap is closed.
        let (server, _) = reporting(backend);
        server.write_beside(
            "DELETE FROM change WHERE rev = 5; UPDATE change SET rev = 5 WHERE rev = 6; \
             UPDATE change SET rev = 6 WHERE rev = 7; UPDATE change SET rev = 7 WHERE rev = 8; \
             UPDATE tenant SET rev = 7",
        );
        assert!(fault(&server).starts_with("5 does not follow the one before it"));
        // The beginning is moved.
        let (server, _) = reporting(backend);
        server.write_beside("DELETE FROM change WHERE rev < 5; UPDATE tenant SET changes_from = 5");
        assert!(fault(&server).starts_with("5 does not follow the one before it"));
    }

    fn a_row_that_was_put_in_is_found(backend) {
        let copy = |rev: &str| format!(
            "INSERT INTO change (tenant_id, rev, at, items, previous, hash) \
             SELECT tenant_id, {rev}, at, items, previous, hash FROM change WHERE rev = 5"
        );
        for rev in [-3, 9, 12] {
            let (server, _) = reporting(backend);
            server.write_beside(&copy(&rev.to_string()));
            assert_eq!(fault(&server), format!("{rev} was put in: no commit wrote it"));
        }
        let (server, _) = reporting(backend);
        server.write_beside(&format!("{}; UPDATE tenant SET rev = 9", copy("9")));
        assert!(fault(&server).starts_with("9 does not follow the one before it"));
    }

    fn a_row_that_was_changed_is_found(backend) {
        let items = "items = (SELECT other.items FROM change AS other WHERE other.rev = 4)";
        let hash = "hash = (SELECT other.hash FROM change AS other WHERE other.rev = 4)";
        for (set, found) in [
            (items, "6 was changed after it was written"),
            ("at = '2020-01-01 00:00:00'", "6 was changed after it was written"),
            (hash, "6 was changed after it was written"),
            ("previous = hash", "6 does not follow the one before it: it was put in or moved, or the other was replaced"),
        ] {
            let (server, _) = reporting(backend);
            server.write_beside(&format!("UPDATE change SET {set} WHERE rev = 6"));
            assert_eq!(fault(&server), found, "{set}");
        }
    }

    fn rows_that_changed_places_are_found(backend) {
        let (server, _) = reporting(backend);
        server.write_beside(
            "UPDATE change SET rev = 100 WHERE rev = 4; UPDATE change SET rev = 4 WHERE rev = 6; \
             UPDATE change SET rev = 6 WHERE rev = 100",
        );
        assert!(fault(&server).starts_with("4 does not follow the one before it"));
    }

    fn a_running_server_tells_of_a_broken_history(backend) {
        let (server, _) = reporting(backend);
        let settings = [("TONGHOP_VERIFY_EVERY", "1"), ("TONGHOP_LOG", "info,tonghop::operation=debug")];
        let program = Program::serve_with(&server.database, &settings);
        expect_in_time("it is verified", || program.log().contains("history verified"));
        let metric = |name: &str| {
            let text = program.anonymous().get("/metrics").expect_status(200).text;
            let mut lines = text.lines();
            let value = lines.find_map(|line| line.strip_prefix(&format!("tonghop_verification_{name} ")));
            value.unwrap().parse::<u64>().unwrap()
        };
        assert!(metric("histories_total") >= 1);
        assert_eq!(metric("broken_histories_total"), 0);
        server.write_beside("DELETE FROM change WHERE rev = 5");
        let message = "the history of changes is not as it was written";
        expect_in_time("it is told", || program.log().contains(message));
        let log = program.log();
        let line = log.lines().find(|line| line.contains(message)).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["level"], &line["fields"]["tenant"], &line["fields"]["rev"]), (&json!("ERROR"), &json!("test"), &json!(5)));
        assert!(metric("broken_histories_total") >= 1);
    }
}

#[test]
fn the_server_s_role_can_only_add_to_the_history() {
    if crate::harness::postgres::server().is_none() {
        return;
    }
    let (server, admin) = reporting(Backend::Postgresql);
    let DatabaseUrl::Postgresql { url } = &server.database.server else {
        panic!("PostgreSQL");
    };
    let mut connection = PgConnection::establish(url).unwrap();
    for sql in [
        "UPDATE change SET rev = rev + 100",
        "DELETE FROM change",
        "TRUNCATE change",
        "UPDATE submission_revision SET rev = rev + 100",
        "DELETE FROM submission_revision",
        "TRUNCATE submission_revision",
        "UPDATE release_content SET number = number + 100",
        "DELETE FROM release_content",
        "TRUNCATE release_content",
        "UPDATE release_step SET reason = NULL",
        "DELETE FROM release_step",
        "UPDATE extension_step SET reason = NULL",
        "DELETE FROM extension_step",
    ] {
        let refused = connection.batch_execute(sql).unwrap_err().to_string();
        assert!(refused.contains("permission denied"), "{sql}: {refused}");
    }
    Report::of(&admin, "m", "2024-06").submit("A", &[value("x", 6)]);
    assert!(verify(&server, &[]).status.success());
}
