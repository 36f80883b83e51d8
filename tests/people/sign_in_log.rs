//! The log of attempts to sign in: what is written, what is not, who reads it, and how much of it is
//! kept.

use serde_json::Value;

use crate::harness::server::{Guards, PASSWORD, now};
use crate::harness::{Answer, Client, Server};

fn sign_in(client: &Client, form: &str) -> Answer {
    client.post_form("/v1/auth/token", &format!("grant_type=password&{form}"))
}

fn refresh(client: &Client, token: &str) -> Answer {
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    client.post_form("/v1/auth/token", &form)
}

fn refresh_token(answer: Answer) -> String {
    let body = answer.expect_status(200).json();
    body["refresh_token"].as_str().unwrap().to_owned()
}

/// Reads the log with a query, from the newest on.
fn log(admin: &Client, query: &str) -> Vec<Value> {
    let answer = admin
        .get(&format!("/v1/sign-ins?{query}"))
        .expect_status(200);
    answer.json()["items"].as_array().unwrap().clone()
}

fn outcomes(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["outcome"].as_str().unwrap())
        .collect()
}

on_both_backends! {
    fn each_attempt_is_written_with_what_became_of_it(backend) {
        let server = Server::with_tenant(backend);
        server.create_account("test", "clerk", &["tenant_admin"]);
        let admin = server.sign_in("test", "admin");
        let client = server.anonymous();
        let form = |login: &str, password: &str| format!("tenant=test&username={login}&password={password}");
        sign_in(&client, &form("clerk", "a-secret-guess")).expect_status(400);
        sign_in(&client, &form("nobody", PASSWORD)).expect_status(400);
        sign_in(&client, "tenant=elsewhere&username=clerk&password=x").expect_status(400);
        let parent = refresh_token(sign_in(&client, &form("clerk", PASSWORD)));
        let child = refresh_token(refresh(&client, &parent));
        refresh(&client, &child).expect_status(200);
        refresh(&client, &parent).expect_status(400);
        refresh(&client, &child).expect_status(400);
        server.write_beside("UPDATE account SET disabled_at = '2026-01-01 00:00:00' WHERE login = 'clerk'");
        sign_in(&client, &form("clerk", PASSWORD)).expect_status(400);
        server.write_beside("UPDATE account SET disabled_at = NULL, password_hash = '' WHERE login = 'clerk'");
        sign_in(&client, &form("clerk", PASSWORD)).expect_status(400);

        let items = log(&admin, "");
        let expected = [
            ("clerk", "no_password"),
            ("clerk", "disabled"),
            ("", "refused_token"),
            ("clerk", "reused_token"),
            ("clerk", "signed_in"),
            ("nobody", "unknown_login"),
            ("clerk", "wrong_password"),
            ("admin", "signed_in"),
        ];
        let found = items.iter().map(|item| (item["login"].as_str().unwrap(), item["outcome"].as_str().unwrap()));
        assert_eq!(found.collect::<Vec<_>>(), expected);
        for item in &items {
            assert_eq!(item["address"], "127.0.0.1", "{item}");
            let has_account = ["clerk", "admin"].contains(&item["login"].as_str().unwrap());
            assert_eq!(item["account"].is_string(), has_account, "{item}");
        }
        let text = admin.get("/v1/sign-ins").text;
        assert!(!text.contains("a-secret-guess") && !text.contains(PASSWORD));
        assert_eq!(outcomes(&log(&admin, "login=nobody")), ["unknown_login"]);
        assert_eq!(log(&admin, "login=clerk").len(), 5);
    }

    fn the_log_is_read_in_pages_and_by_administrators_of_the_tenant_only(backend) {
        let server = Server::with_tenant(backend);
        server.create_tenant("other");
        server.sign_in("other", "admin");
        let admin = server.sign_in("test", "admin");
        for number in 0..4 {
            sign_in(&server.anonymous(), &format!("tenant=test&username=n{number}&password=x")).expect_status(400);
        }
        let first = admin.get("/v1/sign-ins?limit=3").expect_status(200).json();
        let next = first["next"].as_str().unwrap();
        let second = admin.get(&format!("/v1/sign-ins?limit=3&cursor={next}")).expect_status(200).json();
        assert_eq!(second["next"], Value::Null);
        let pages = [&first, &second].map(|page| page["items"].as_array().unwrap().clone());
        let logins: Vec<Value> = pages.concat().into_iter().map(|item| item["login"].clone()).collect();
        assert_eq!(logins, ["n3", "n2", "n1", "n0", "admin"]);
        admin.get("/v1/sign-ins?cursor=x").expect_problem(400, "INVALID_PARAMETER");
    }

    fn a_login_is_shortened_and_may_hold_anything(backend) {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        let long = "ă".repeat(5000);
        for login in [long.as_str(), "%00", "a%00b", "%F0%9F%92%A9"] {
            sign_in(&server.anonymous(), &format!("tenant=test&username={login}&password=x")).expect_status(400);
        }
        let logins: Vec<Value> = log(&admin, "").into_iter().map(|item| item["login"].clone()).collect();
        let shortened = "ă".repeat(200);
        assert_eq!(logins, ["\u{1F4A9}", "a\u{FFFD}b", "\u{FFFD}", shortened.as_str(), "admin"]);
        assert_eq!(log(&admin, &format!("login={}", "%C4%83".repeat(200))).len(), 1);
    }

    fn of_much_the_newest_is_kept_and_of_the_old_nothing(backend) {
        let server = Server::guarded(backend, Guards::default());
        let insert = |count: u32, from: u64, days: i64| {
            let at = (now() - chrono::TimeDelta::days(days)).format("%Y-%m-%d %H:%M:%S");
            server.write_beside(&format!(
                "INSERT INTO sign_in_attempt (tenant_id, attempt_id, at, login, outcome) \
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
                 SELECT tenant.tenant_id, '00000000-0000-7000-8000-' || CAST({from} + n.i AS TEXT), '{at}', 'x', 'wrong_password' \
                 FROM n, tenant"
            ));
        };
        insert(20, 100_000_000_000, 91);
        insert(10_050, 200_000_000_000, 1);
        let admin = server.sign_in("test", "admin");
        let mut kept = 0;
        let mut query = "limit=1000".to_owned();
        loop {
            let page = admin.get(&format!("/v1/sign-ins?{query}")).expect_status(200).json();
            kept += page["items"].as_array().unwrap().len();
            let Some(next) = page["next"].as_str() else { break };
            query = format!("limit=1000&cursor={next}");
        }
        assert_eq!(kept, 10_001, "the newest failures, and the sign-in");
        assert_eq!(log(&admin, "limit=1")[0]["login"], "admin");
    }

    fn the_bound_of_the_log_holds_for_each_tenant_however_busy_others_are(backend) {
        let server = Server::guarded(backend, Guards::default());
        server.create_tenant("other");
        // What was written last of this process is another tenant's.
        server.sign_in("other", "admin");
        let old = (now() - chrono::TimeDelta::days(91)).format("%Y-%m-%d %H:%M:%S");
        server.write_beside(&format!(
            "INSERT INTO sign_in_attempt (tenant_id, attempt_id, at, login, outcome) \
             SELECT id, '00000000-0000-7000-8000-100000000000', '{old}', 'x', 'wrong_password' \
             FROM tenant_registry WHERE slug = 'test'"
        ));
        let admin = server.sign_in("test", "admin");
        assert_eq!(outcomes(&log(&admin, "")), ["signed_in"]);
    }
}
