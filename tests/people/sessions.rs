//! Sessions: how many an account has, and that one that has ended holds nowhere, at no cost to others.

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection};
use serde_json::{Value, json};
use tonghop::store::DatabaseUrl;

use crate::harness::server::{PASSWORD, now};
use crate::harness::{Client, Program, Server};

/// A number that is kept of the tenant `test`.
fn number(server: &Server, expression: &str) -> i64 {
    let id = "SELECT id FROM tenant_registry WHERE slug = 'test'";
    match &server.database.owner {
        DatabaseUrl::Sqlite { path } => {
            let mut connection = SqliteConnection::establish(path).unwrap();
            sql::<BigInt>(expression)
                .get_result(&mut connection)
                .unwrap()
        }
        DatabaseUrl::Postgresql { url } => {
            let mut connection = PgConnection::establish(url).unwrap();
            let context = format!("SELECT set_config('app.tenant', ({id}), false)");
            connection.batch_execute(&context).unwrap();
            sql::<BigInt>(expression)
                .get_result(&mut connection)
                .unwrap()
        }
    }
}

fn minutes_from_now(minutes: i64) -> String {
    let time = now() + chrono::TimeDelta::minutes(minutes);
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Gives the account `clerk` sessions that were used some minutes ago, or will be.
fn add_sessions(server: &Server, count: u32, minutes: i64) {
    let used = minutes_from_now(minutes);
    server.write_beside(&format!(
        "INSERT INTO sign_in (tenant_id, family_id, account_id, ends_at, used_at) \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
         SELECT account.tenant_id, '00000000-0000-7000-8000-' || CAST(100000000000 + n.i AS TEXT), \
             account.account_id, '2199-01-01 00:00:00', '{used}' \
         FROM n, account WHERE account.login = 'clerk'"
    ));
}

fn sessions(client: &Client) -> Vec<Value> {
    let list = client.get("/v1/me/sessions").expect_status(200).json();
    list["items"].as_array().unwrap().clone()
}

fn ended(admin: &Client) -> usize {
    let changes = admin
        .get("/v1/changes?kind=session.ended")
        .expect_status(200)
        .json();
    changes["items"].as_array().unwrap().len()
}

on_both_backends! {
    fn sessions_too_many_end_at_once_the_longest_unused_first(backend) {
        let (server, admin) = Server::with_town(backend);
        server.create_account("test", "clerk", &["reporter@code:A"]);
        let oldest = server.sign_in("test", "clerk");
        let used = minutes_from_now(-10);
        server.write_beside(&format!("UPDATE sign_in SET used_at = '{used}' \
            WHERE account_id = (SELECT account_id FROM account WHERE login = 'clerk')"));
        add_sessions(&server, 118, -5);
        let second = server.sign_in("test", "clerk");
        assert_eq!(sessions(&second).len(), 120);
        oldest.get("/v1/me").expect_status(200);
        let next = server.sign_in("test", "clerk");
        assert_eq!(sessions(&next).len(), 100);
        oldest.get("/v1/me").expect_problem(401, "INVALID_TOKEN");
        second.get("/v1/me").expect_status(200);
        assert_eq!(ended(&admin), 1);
        // The next ones end nothing, and write nothing into the history.
        let rev = number(&server, "SELECT rev FROM tenant");
        for _ in 0..3 {
            server.sign_in("test", "clerk");
        }
        assert_eq!((ended(&admin), number(&server, "SELECT rev FROM tenant")), (1, rev));
        // Another account has its own.
        admin.get("/v1/me").expect_status(200);
    }

    fn sessions_too_many_of_which_no_token_is_valid_end_without_a_word(backend) {
        let (server, admin) = Server::with_town(backend);
        server.create_account("test", "clerk", &["reporter@code:A"]);
        add_sessions(&server, 700, -120);
        let rev = number(&server, "SELECT rev FROM tenant");
        let clerk = server.sign_in("test", "clerk");
        assert_eq!(sessions(&clerk).len(), 100);
        assert_eq!((ended(&admin), number(&server, "SELECT rev FROM tenant")), (0, rev));
        server.sign_in("test", "clerk");
        assert_eq!(number(&server, "SELECT count(*) FROM sign_in"), 102, "and the administrator's");
    }

    fn an_ended_session_holds_on_no_server_and_nobody_reads_the_grants_again(backend) {
        let (server, _admin) = Server::with_town(backend);
        server.create_account("test", "clerk", &["reporter@code:A"]);
        let (one, other) = (Program::serve(&server.database), Program::serve(&server.database));
        let grants_rev = || number(&server, "SELECT grants_rev FROM tenant");
        let before = grants_rev();
        for all in [false, true] {
            let clerk = other.sign_in("test", "clerk");
            let here = one.anonymous().with_token(clerk.token());
            here.get("/v1/me").expect_status(200);
            let own = sessions(&clerk);
            let current = own.iter().find(|session| session["current"] == true).unwrap();
            let this = format!("/v1/me/sessions/{}", current["id"].as_str().unwrap());
            let path = if all { "/v1/me/sessions" } else { this.as_str() };
            clerk.send("DELETE", path, None, b"").expect_status(204);
            here.get("/v1/me").expect_problem(401, "INVALID_TOKEN");
            clerk.get("/v1/me").expect_problem(401, "INVALID_TOKEN");
        }
        let clerk = other.sign_in("test", "clerk");
        let elsewhere = one.sign_in("test", "clerk");
        let body = json!({"current_password": PASSWORD, "new_password": "con mèo ngủ trên mái"});
        clerk.put("/v1/me/password", &body).expect_status(204);
        elsewhere.get("/v1/me").expect_problem(401, "INVALID_TOKEN");
        clerk.get("/v1/me").expect_status(200);
        assert_eq!(grants_rev(), before);
    }
}
