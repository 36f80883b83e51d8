//! Sessions: how many an account has, and that one that has ended holds nowhere, at no cost to others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection};
use serde_json::{Value, json};
use tonghop::store::DatabaseUrl;

use crate::harness::server::{PASSWORD, now};
use crate::harness::{Answer, Client, Program, Server};

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

/// The sessions of the account `clerk` that have not ended.
fn open_sessions(server: &Server) -> i64 {
    let count = "SELECT count(*) FROM sign_in WHERE ended_at IS NULL \
        AND account_id = (SELECT account_id FROM account WHERE login = 'clerk')";
    number(server, count)
}

/// Takes all sessions of the account `clerk` away, as if they had never been.
fn forget_sessions(server: &Server) {
    let of_clerk = "(SELECT account_id FROM account WHERE login = 'clerk')";
    server.write_beside(&format!(
        "DELETE FROM refresh_token WHERE family_id IN \
             (SELECT family_id FROM sign_in WHERE account_id = {of_clerk}); \
         DELETE FROM sign_in WHERE account_id = {of_clerk}"
    ));
}

fn sign_in(client: &Client) -> Answer {
    let form = format!("grant_type=password&tenant=test&username=clerk&password={PASSWORD}");
    client.post_form("/v1/auth/token", &form)
}

fn refresh(client: &Client, token: &str) -> Answer {
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    client.post_form("/v1/auth/token", &form)
}

fn token(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap().to_owned()
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
    fn many_who_sign_in_at_once_never_have_more_sessions_than_the_most(backend) {
        let (server, admin) = Server::with_town(backend);
        server.create_account("test", "clerk", &["reporter@code:A"]);
        add_sessions(&server, 119, -5);
        // A server hashes few passwords at once, so there are several.
        let programs: Vec<Program> = (0..4).map(|_| Program::serve(&server.database)).collect();
        let clients: Vec<Client> = programs.iter().map(Program::anonymous).collect();
        let (is_over, made) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        let most = std::thread::scope(|scope| {
            let watching = scope.spawn(|| {
                let mut most = 0;
                while !is_over.load(Ordering::Relaxed) {
                    most = most.max(open_sessions(&server));
                }
                most
            });
            let signing_in = clients.iter().map(|client| scope.spawn(|| {
                for _ in 0..12 {
                    let signed_in = sign_in(client).expect_status(200);
                    let access = token(&signed_in, "access_token");
                    client.with_token(&access).get("/v1/me").expect_status(200);
                    made.lock().unwrap().push((access, token(&signed_in, "refresh_token")));
                }
            }));
            let signing_in: Vec<_> = signing_in.collect();
            let ends: Vec<_> = signing_in.into_iter().map(|thread| thread.join()).collect();
            is_over.store(true, Ordering::Relaxed);
            assert!(ends.iter().all(Result::is_ok));
            watching.join().unwrap()
        });
        assert!(most <= 120, "{most}");
        // Nobody's new session was ended, and each time twenty or more were.
        let client = programs[0].anonymous();
        for (access, refresh_token) in made.into_inner().unwrap() {
            client.with_token(&access).get("/v1/me").expect_status(200);
            refresh(&client, &refresh_token).expect_status(200);
        }
        let times = ended(&admin);
        assert!((1..=3).contains(&times), "{times}");
    }

    fn a_session_that_is_refreshed_while_too_many_end_goes_on_or_is_refused(backend) {
        const OLD: usize = 16;
        let (server, _admin) = Server::with_town(backend);
        server.create_account("test", "clerk", &["reporter@code:A"]);
        let programs: Vec<Program> = (0..2).map(|_| Program::serve(&server.database)).collect();
        for round in 0..5 {
            forget_sessions(&server);
            let old: Vec<String> = (0..OLD).map(|_| {
                let signed_in = sign_in(&server.anonymous()).expect_status(200);
                token(&signed_in, "refresh_token")
            }).collect();
            let used = minutes_from_now(-20);
            server.write_beside(&format!("UPDATE sign_in SET used_at = '{used}' \
                WHERE account_id = (SELECT account_id FROM account WHERE login = 'clerk')"));
            add_sessions(&server, 104, -5);
            let start = Barrier::new(OLD + 1);
            let refreshed: Vec<(Client, Answer)> = std::thread::scope(|scope| {
                let refreshing: Vec<_> = old.iter().enumerate().map(|(racer, old)| {
                    let (client, start) = (programs[racer % programs.len()].anonymous(), &start);
                    scope.spawn(move || {
                        start.wait();
                        let pause = 10 + 5 * u64::try_from(racer).unwrap() + round;
                        std::thread::sleep(Duration::from_millis(pause));
                        let answer = refresh(&client, old);
                        (client, answer)
                    })
                }).collect();
                start.wait();
                sign_in(&server.anonymous()).expect_status(200);
                refreshing.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let most = open_sessions(&server);
            assert!(most <= 120, "{most}");
            for (client, answer) in refreshed {
                if answer.status != 200 {
                    answer.expect_problem(400, "INVALID_CREDENTIALS");
                    continue;
                }
                // Who got new tokens can use them.
                client.with_token(&token(&answer, "access_token")).get("/v1/me").expect_status(200);
                refresh(&client, &token(&answer, "refresh_token")).expect_status(200);
            }
        }
    }

    fn signing_in_while_all_sessions_end_hinders_neither(backend) {
        let (server, _admin) = Server::with_town(backend);
        server.create_account("test", "clerk", &["reporter@code:A"]);
        for round in 0..6 {
            forget_sessions(&server);
            let clerk = server.sign_in("test", "clerk");
            add_sessions(&server, 500, -120);
            std::thread::scope(|scope| {
                let signing_in = scope.spawn(|| sign_in(&server.anonymous()));
                std::thread::sleep(Duration::from_millis(12 + 4 * round));
                clerk.send("DELETE", "/v1/me/sessions", None, b"").expect_status(204);
                signing_in.join().unwrap().expect_status(200);
            });
            let left = open_sessions(&server);
            assert!(left <= 1, "{left}");
        }
    }
}
