//! Signing in: passwords, refresh tokens and what happens when they are sent again, choosing a
//! tenant, and what a token gives access to.

use std::sync::Barrier;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection};
use serde_json::{Value, json};
use tonghop::store::DatabaseUrl;

use crate::harness::server::{PASSWORD, now};
use crate::harness::{Answer, Backend, Client, Server};

fn by_password(client: &Client, tenant: &str, login: &str, password: &str) -> Answer {
    let tenant = match tenant {
        "" => String::new(),
        slug => format!("&tenant={slug}"),
    };
    let form = format!("grant_type=password&username={login}&password={password}{tenant}");
    client.post_form("/v1/auth/token", &form)
}

fn refresh(client: &Client, token: &str) -> Answer {
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    client.post_form("/v1/auth/token", &form)
}

#[track_caller]
fn token(answer: Answer, name: &str) -> String {
    let body = answer.expect_status(200).json();
    body[name].as_str().unwrap().to_owned()
}

/// The refresh token of a new sign-in.
#[track_caller]
fn signed_in(client: &Client) -> String {
    let answer = by_password(client, "test", "admin", PASSWORD);
    token(answer, "refresh_token")
}

/// The child that a refresh token gives.
#[track_caller]
fn refreshed(client: &Client, parent: &str) -> String {
    token(refresh(client, parent), "refresh_token")
}

/// How many send something at the same moment.
const RACERS: usize = 8;

fn at_once(send: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    let (send, start) = (&send, &Barrier::new(RACERS));
    std::thread::scope(|scope| {
        let racers = (0..RACERS).map(|racer| {
            scope.spawn(move || {
                start.wait();
                send(racer)
            })
        });
        let racers: Vec<_> = racers.collect();
        racers
            .into_iter()
            .map(|racer| racer.join().unwrap())
            .collect()
    })
}

/// How many refresh tokens are kept of the tenant `test`.
fn kept_tokens(server: &Server) -> usize {
    let count = "SELECT count(*) FROM refresh_token";
    let counted: i64 = match &server.database.owner {
        DatabaseUrl::Sqlite { path } => {
            let mut connection = SqliteConnection::establish(path).unwrap();
            sql::<BigInt>(count).get_result(&mut connection).unwrap()
        }
        DatabaseUrl::Postgresql { url } => {
            let mut connection = PgConnection::establish(url).unwrap();
            let id = "SELECT id FROM tenant_registry WHERE slug = 'test'";
            let context = format!("SELECT set_config('app.tenant', ({id}), false)");
            connection.batch_execute(&context).unwrap();
            sql::<BigInt>(count).get_result(&mut connection).unwrap()
        }
    };
    counted.try_into().unwrap()
}

/// Everything of an answer that its sender could tell apart, but for its number.
fn told(answer: &Answer) -> (u16, Value) {
    let mut body = answer.json();
    body["request_id"] = Value::Null;
    (answer.status, body)
}

on_both_backends! {
    fn a_refresh_token_whose_child_was_used_has_served_and_ends_the_family(backend) {
        let server = Server::with_tenant(backend);
        let client = server.anonymous();
        let signed_in = by_password(&client, "test", "admin", PASSWORD).expect_status(200);
        assert_eq!(signed_in.header("cache-control"), Some("no-store"));
        let body = signed_in.json();
        assert_eq!(body["token_type"], "Bearer");
        assert!(body["expires_in"].as_i64().unwrap() > 0);
        let first = token(signed_in, "refresh_token");
        // A family of its own, which the others' end does not touch.
        let apart = token(
            by_password(&client, "test", "admin", PASSWORD),
            "refresh_token",
        );

        let refreshed = refresh(&client, &first).expect_status(200);
        client
            .with_token(&token(refreshed.clone(), "access_token"))
            .get("/v1/me")
            .expect_status(200);
        let second = token(refreshed, "refresh_token");
        assert_ne!(first, second);
        let third = token(refresh(&client, &second), "refresh_token");

        let reused = refresh(&client, &first);
        reused.expect_problem(400, "INVALID_CREDENTIALS");
        for ended in [&third, &second, &first] {
            refresh(&client, ended).expect_problem(400, "INVALID_CREDENTIALS");
        }
        refresh(&client, &apart).expect_status(200);

        let tenant = apart.split_once('.').unwrap().0;
        let unknown = [
            String::new(),
            "x".to_owned(),
            format!("{tenant}."),
            format!("{tenant}.x"),
            format!("x{apart}"),
        ];
        for unknown in unknown {
            refresh(&client, &unknown).expect_problem(400, "INVALID_CREDENTIALS");
        }
    }

    fn a_refresh_whose_answer_was_lost_is_sent_again(backend) {
        let server = Server::with_tenant(backend);
        let client = server.anonymous();
        let parent = signed_in(&client);
        // None of these answers arrived, the next one did.
        for _ in 0..3 {
            refresh(&client, &parent).expect_status(200);
        }
        let child = refreshed(&client, &parent);
        refresh(&client, &child).expect_status(200);
        // The same one generation later.
        let grandchild = refreshed(&client, &child);
        refresh(&client, &grandchild).expect_status(200);
    }

    fn a_refresh_that_is_sent_again_and_again_keeps_the_newest_few_answers(backend) {
        let server = Server::with_tenant(backend);
        let client = server.anonymous();
        let parent = signed_in(&client);
        let children: Vec<String> = (0..3 * RACERS).map(|_| refreshed(&client, &parent)).collect();
        // The first was forgotten. It ends nobody's session.
        refresh(&client, &children[0]).expect_problem(400, "INVALID_CREDENTIALS");
        assert_eq!(kept_tokens(&server), RACERS + 1);
        let kept = children.len() - RACERS;
        refresh(&client, &children[kept]).expect_status(200);
        // Now it is told from its brothers.
        refresh(&client, &children[kept + 1]).expect_problem(400, "INVALID_CREDENTIALS");
    }

    fn what_has_expired_of_a_session_goes_when_it_is_refreshed(backend) {
        let server = Server::with_tenant(backend);
        let client = server.anonymous();
        let first = signed_in(&client);
        let second = refreshed(&client, &first);
        server.write_beside("UPDATE refresh_token SET expires_at = '2026-01-01 00:00:00' WHERE parent_hash IS NULL");
        refreshed(&client, &second);
        assert_eq!(kept_tokens(&server), 2);
    }

    fn in_whatever_order_two_children_come_only_one_of_them_goes_on(backend) {
        let server = Server::with_tenant(backend);
        let client = server.anonymous();
        // Of a parent with two children: who is used first, and who ends the family afterwards.
        for (used, sent_after) in [(0, 1), (1, 0), (0, 2), (1, 2)] {
            let parent = signed_in(&client);
            let family = [refreshed(&client, &parent), refreshed(&client, &parent), parent];
            let next = refreshed(&client, &family[used]);
            refresh(&client, &family[sent_after]).expect_problem(400, "INVALID_CREDENTIALS");
            for ended in family.iter().chain([&next]) {
                refresh(&client, ended).expect_problem(400, "INVALID_CREDENTIALS");
            }
        }
    }

    fn of_refreshes_at_the_same_moment_each_is_answered_and_any_answer_goes_on(backend) {
        let server = Server::with_tenant(backend);
        let client = server.anonymous();
        for kept in 0..RACERS {
            let parent = signed_in(&client);
            let children = at_once(|_| refresh(&client, &parent));
            let children: Vec<String> = children.into_iter().map(|answer| token(answer, "refresh_token")).collect();
            let next = refreshed(&client, &children[kept]);
            refresh(&client, &next).expect_status(200);
        }
    }

    fn of_children_that_are_used_at_the_same_moment_none_lives_on_beside_another(backend) {
        let server = Server::with_tenant(backend);
        let client = server.anonymous();
        for _ in 0..3 {
            let parent = signed_in(&client);
            let children: Vec<String> = (0..RACERS).map(|_| refreshed(&client, &parent)).collect();
            let answers = at_once(|racer| refresh(&client, &children[racer]));
            let won: Vec<Answer> = answers.into_iter().filter(|answer| answer.status == 200).collect();
            assert_eq!(won.len(), 1);
            for answer in won {
                refresh(&client, &token(answer, "refresh_token")).expect_problem(400, "INVALID_CREDENTIALS");
            }
        }
    }

    fn a_sign_in_ends_some_day_however_often_it_is_refreshed(backend) {
        let server = Server::with_tenant(backend);
        let client = server.anonymous();
        let first = signed_in(&client);
        let second = refreshed(&client, &first);
        // Its end comes nearer: in a minute, and no token that is given now holds for longer.
        let soon = (now() + chrono::TimeDelta::minutes(1)).naive_utc();
        server.write_beside(&format!("UPDATE sign_in SET ends_at = '{soon}'"));
        let third = refreshed(&client, &second);
        let longer = format!("DELETE FROM refresh_token WHERE expires_at > '{soon}'");
        server.write_beside(&longer);
        refresh(&client, &third).expect_status(200);
        server.write_beside("UPDATE refresh_token SET expires_at = '2026-01-01 00:00:00'");
        refresh(&client, &third).expect_problem(400, "INVALID_CREDENTIALS");
        signed_in(&client);
    }

    fn a_tenant_is_named_where_there_are_two_and_its_tokens_open_nothing_of_the_other(backend) {
        let (server, admin) = Server::with_town(backend);
        let client = server.anonymous();
        let only = token(by_password(&client, "", "admin", PASSWORD), "access_token");
        client
            .with_token(&only)
            .get("/v1/units/code:A")
            .expect_status(200);

        server.create_tenant("other");
        by_password(&client, "", "admin", PASSWORD).expect_problem(400, "TENANT_REQUIRED");
        let other = client.with_token(&token(
            by_password(&client, "other", "admin", PASSWORD),
            "access_token",
        ));
        assert_eq!(
            other.get("/v1/me").expect_status(200).json()["tenant"]["slug"],
            "other"
        );
        assert_eq!(
            admin.get("/v1/me").expect_status(200).json()["tenant"]["slug"],
            "test"
        );
        let of_ours = admin.get("/v1/units/code:A").expect_status(200).json();
        assert_eq!(
            other.get("/v1/units").expect_status(200).json()["items"],
            json!([])
        );
        let by_id = format!("/v1/units/{}", of_ours["id"].as_str().unwrap());
        other.get(&by_id).expect_problem(404, "UNIT_NOT_FOUND");
        other
            .get("/v1/units/code:A")
            .expect_problem(404, "UNIT_NOT_FOUND");
        admin.add_indicators(&[("x", "sum")]);
        other
            .get("/v1/indicators/x")
            .expect_problem(404, "INDICATOR_NOT_FOUND");
        // The same code there is another indicator.
        other.add_indicators(&[("x", "max")]);
        assert_eq!(admin.get("/v1/indicators/x").json()["across_units"], "sum");
    }

    fn a_wrong_login_password_and_tenant_are_told_alike(backend) {
        let server = Server::with_tenant(backend);
        server.create_tenant("other");
        server.create_account("other", "somebody", &[]);
        let client = server.anonymous();
        let wrong = by_password(&client, "test", "admin", "another-password");
        let expected = told(&wrong);
        wrong.expect_problem(400, "INVALID_CREDENTIALS");
        let long = "x".repeat(10_000);
        let alike = [
            ("test", "nobody", PASSWORD),
            ("nowhere", "admin", PASSWORD),
            ("NO WHERE", "admin", PASSWORD),
            ("test", "somebody", PASSWORD),
            ("test", "ADMIN", PASSWORD),
            ("test", "a%00b", PASSWORD),
            ("test", "admin", ""),
            ("test", "", ""),
            ("test", "admin", long.as_str()),
            ("test", "admin", "tonghop-demo%20"),
        ];
        for (tenant, login, password) in alike {
            let answer = by_password(&client, tenant, login, password);
            assert_eq!(told(&answer), expected, "{tenant} {login}");
        }
    }
}

#[test]
fn what_signing_in_needs_is_told_field_by_field() {
    let server = Server::with_tenant(Backend::Sqlite);
    let client = server.anonymous();
    let post = |form: &str| client.post_form("/v1/auth/token", form);
    let missing = post("grant_type=password").expect_problem(400, "INVALID_BODY");
    assert_eq!(
        missing,
        ["/password MISSING_FIELD", "/username MISSING_FIELD"]
    );
    let missing = post("grant_type=refresh_token").expect_problem(400, "INVALID_BODY");
    assert_eq!(missing, ["/refresh_token MISSING_FIELD"]);
    post("grant_type=magic").expect_problem(400, "UNSUPPORTED_GRANT_TYPE");
    post("").expect_problem(400, "INVALID_BODY");
    post("grant_type=password&usrname=admin").expect_problem(400, "INVALID_BODY");
    let as_json = client.post_json("/v1/auth/token", &json!({"grant_type": "password"}));
    as_json.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[test]
fn every_route_but_the_public_ones_wants_a_token_that_this_server_signed() {
    let server = Server::with_tenant(Backend::Sqlite);
    let client = server.anonymous();
    for public in ["/livez", "/readyz", "/metrics", "/.well-known/jwks.json"] {
        client.get(public).expect_status(200);
    }
    let protected = [
        "/v1/me",
        "/v1/units",
        "/v1/levels",
        "/v1/indicators",
        "/v1/forms",
        "/v1/forms/f/periods/2024/units/code:A/rollup",
    ];
    for path in protected {
        let refused = client.get(path);
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
        refused.expect_problem(401, "NOT_SIGNED_IN");
    }
    let good = token(by_password(&client, "", "admin", PASSWORD), "access_token");
    let with = |credentials: &str| client.with("Authorization", credentials).get("/v1/me");
    with(&format!("Bearer {good}")).expect_status(200);
    with(&format!("bearer {good}")).expect_status(200);
    for unread in ["", "Bearer", "Basic YTpi", &good, &format!("Token {good}")] {
        with(unread).expect_problem(401, "NOT_SIGNED_IN");
    }
    let parts: Vec<&str> = good.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("{good}")
    };
    // {"typ":"at+jwt","alg":"none"}
    let unsigned = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJub25lIn0";
    let forged = [
        "x".to_owned(),
        "a.b.c".to_owned(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}."),
        format!("{unsigned}.{claims}."),
        format!("{unsigned}.{claims}.{signature}"),
        format!("{header}.{claims}x.{signature}"),
        format!("{good}, {good}"),
        format!("{header}.{claims}.{}", "A".repeat(20_000)),
    ];
    for forged in forged {
        let refused = with(&format!("Bearer {forged}"));
        refused.expect_problem(401, "INVALID_TOKEN");
    }
    // A token of another server, which has keys of its own, and a refresh token.
    let stranger = Server::with_tenant(Backend::Sqlite);
    let signed_in = by_password(&stranger.anonymous(), "", "admin", PASSWORD);
    let theirs = token(signed_in, "access_token");
    with(&format!("Bearer {theirs}")).expect_problem(401, "INVALID_TOKEN");
    let refresh_token = token(by_password(&client, "", "admin", PASSWORD), "refresh_token");
    with(&format!("Bearer {refresh_token}")).expect_problem(401, "INVALID_TOKEN");
}

#[test]
fn the_key_that_signs_is_among_the_published_ones() {
    use base64::Engine;
    let server = Server::with_tenant(Backend::Sqlite);
    let client = server.anonymous();
    let good = token(by_password(&client, "", "admin", PASSWORD), "access_token");
    let header = good.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header);
    let header: Value = serde_json::from_slice(&header.unwrap()).unwrap();
    assert_eq!(
        (header["alg"].clone(), header["typ"].clone()),
        (json!("EdDSA"), json!("at+jwt"))
    );
    let keys = client.get("/.well-known/jwks.json").expect_status(200);
    let keys = keys.json()["keys"].as_array().unwrap().clone();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
    assert_eq!(
        (key["kty"].clone(), key["crv"].clone()),
        (json!("OKP"), json!("Ed25519"))
    );
    assert!(keys.iter().all(|key| key.get("d").is_none()), "{keys:?}");
}

#[test]
fn me_says_who_i_am_and_what_i_may_submit() {
    let server = Server::with_demo(Backend::Sqlite);
    let expected = [
        (
            "admin@demo",
            "tenant_admin@*",
            "mttq.annual *: hamlet commune, mttq.monthly *: commune",
        ),
        ("province@demo", "approver@89 approver@91", ""),
        ("town@demo", "approver@887", ""),
        (
            "commune@demo",
            "approver@30388 reporter@30388",
            "mttq.annual 30388: hamlet commune, mttq.monthly 30388: commune",
        ),
        (
            "hamlet@demo",
            "reporter@30388-01",
            "mttq.annual 30388-01: hamlet",
        ),
    ];
    for (login, grants, may_submit) in expected {
        let answer = server.sign_in("mttq-an-giang", login).get("/v1/me");
        assert!(!answer.text.contains(PASSWORD) && !answer.text.contains("argon2"));
        let me = answer.expect_status(200).json();
        assert_eq!(me["tenant"]["slug"], "mttq-an-giang");
        assert_eq!(me["account"]["login"], login);
        let of = |unit: &Value| unit["code"].as_str().unwrap_or("*").to_owned();
        let all = me["grants"].as_array().unwrap().iter();
        let all =
            all.map(|grant| format!("{}@{}", grant["role"].as_str().unwrap(), of(&grant["unit"])));
        let mut all: Vec<String> = all.collect();
        all.sort();
        assert_eq!(all.join(" "), grants);
        let forms = me["may_submit"].as_array().unwrap().iter();
        let forms = forms.map(|entry| {
            let levels = entry["levels"].as_array().unwrap().iter();
            let levels: Vec<&str> = levels.map(|level| level.as_str().unwrap()).collect();
            let form = entry["form"].as_str().unwrap();
            format!("{form} {}: {}", of(&entry["unit"]), levels.join(" "))
        });
        assert_eq!(forms.collect::<Vec<_>>().join(", "), may_submit);
    }
}

#[test]
fn a_password_is_in_no_answer() {
    let server = Server::with_tenant(Backend::Sqlite);
    let client = server.anonymous();
    let secret = "mat-khau-bi-mat-4711";
    let forms = [
        format!("grant_type=password&username=admin&password={secret}"),
        format!("grant_type=password&password={secret}"),
        format!("grant_type=magic&username=admin&password={secret}"),
        format!("grant_type=password&username=admin&password={secret}&password={secret}"),
        format!("grant_type=password&username=admin&passwort={secret}"),
        format!("username=admin&password={secret}"),
        format!("grant_type=refresh_token&refresh_token={secret}"),
    ];
    for form in forms {
        let answer = client.post_form("/v1/auth/token", &form);
        assert!((400..500).contains(&answer.status));
        assert!(!answer.text.contains(secret), "{}", answer.text);
        assert!(!format!("{:?}", answer.headers).contains(secret));
    }
    let signed_in = by_password(&client, "", "admin", PASSWORD).expect_status(200);
    assert!(!signed_in.text.contains(PASSWORD));
    let metrics = client.get("/metrics").expect_status(200);
    assert!(!metrics.text.contains(secret) && !metrics.text.contains(PASSWORD));
}

/// RFC 6749, section 5.2: clients of OAuth read `error`, people the rest.
#[test]
fn a_failed_sign_in_is_told_in_the_words_of_oauth_too() {
    let server = Server::with_tenant(Backend::Sqlite);
    let client = server.anonymous().with("Accept-Language", "en");
    let tried = |form: &str| {
        let answer = client.post_form("/v1/auth/token", form);
        let body = answer.json();
        (answer.status, body["code"].clone(), body["error"].clone())
    };
    let told = |status: u16, code: &str, error: &str| (status, json!(code), json!(error));
    let person = "grant_type=password&tenant=test&username=admin";
    for (form, expected) in [
        (
            format!("{person}&password=wrong"),
            told(400, "INVALID_CREDENTIALS", "invalid_grant"),
        ),
        (
            "grant_type=refresh_token&refresh_token=x".to_owned(),
            told(400, "INVALID_CREDENTIALS", "invalid_grant"),
        ),
        (
            "grant_type=client_credentials&client_id=a&client_secret=b".to_owned(),
            told(401, "INVALID_CLIENT", "invalid_client"),
        ),
        (
            "grant_type=implicit".to_owned(),
            told(400, "UNSUPPORTED_GRANT_TYPE", "unsupported_grant_type"),
        ),
        (
            person.to_owned(),
            told(400, "INVALID_BODY", "invalid_request"),
        ),
        (String::new(), told(400, "INVALID_BODY", "invalid_request")),
    ] {
        assert_eq!(tried(&form), expected, "{form}");
    }
    let refused = client.post_form("/v1/auth/token", &format!("{person}&password=wrong"));
    let description = refused.json()["error_description"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        description.is_ascii() && !description.contains('"'),
        "{description}"
    );
    let program = client.with("Authorization", "Basic YTpi");
    let refused = program.post_form("/v1/auth/token", "grant_type=client_credentials");
    assert_eq!(
        refused.expect_status(401).header("www-authenticate"),
        Some("Basic realm=\"tonghop\"")
    );
    let unknown = client.post_form("/v1/auth/token?x=1", "grant_type=implicit");
    assert_eq!(
        unknown.expect_status(400).json()["error"],
        "invalid_request"
    );
    // Elsewhere nobody speaks OAuth.
    let elsewhere = client.get("/v1/me").expect_status(401);
    assert_eq!(elsewhere.json().get("error"), None);
    assert_eq!(elsewhere.header("www-authenticate"), Some("Bearer"));
    let stale = client.with_token("a.b.c").get("/v1/me").expect_status(401);
    assert_eq!(
        stale.header("www-authenticate"),
        Some("Bearer error=\"invalid_token\"")
    );
}
