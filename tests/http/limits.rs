//! Limits of sign-ins, requests and bytes: each is reached, named and refilled, and harms nobody else.
//! And what proxies and browsers are told and believed.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tonghop::allowance::{Allowance, AllowanceLimits};
use tonghop::authn::api_key::{ApiKey, NewKey};
use tonghop::rate::Rate;
use tonghop::service::application::throttle::SignInLimits;

use crate::harness::server::{Guards, PASSWORD, now};
use crate::harness::{Answer, Backend, Client, Server};

/// The network of the tests' own clients, as a proxy that tells from whom it got a request.
fn with_proxy(guards: Guards) -> Guards {
    Guards {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..guards
    }
}

fn failures(burst: u64, seconds: u64) -> Option<Rate> {
    Rate::of(burst, Duration::from_secs(seconds))
}

fn sign_in(client: &Client, login: &str, password: &str) -> Answer {
    let form = format!("grant_type=password&tenant=test&username={login}&password={password}");
    client.post_form("/v1/auth/token", &form)
}

/// A client that the proxy says to be at an address.
fn at(server: &Server, address: &str) -> Client {
    server.anonymous().with("X-Forwarded-For", address)
}

fn wait_of(answer: &Answer) -> u64 {
    answer.header("retry-after").unwrap().parse().unwrap()
}

/// All of an answer but its number, and the seconds that pass meanwhile.
fn told(answer: &Answer) -> (u16, Value) {
    let body = answer.json();
    (
        answer.status,
        json!([body["code"], body["title"], body["errors"]]),
    )
}

on_both_backends! {
    fn an_attacker_is_refused_and_the_owner_gets_in(backend) {
        let server = Server::guarded(backend, with_proxy(Guards {
            sign_ins: SignInLimits { of_account: failures(3, 300), ..SignInLimits::default() },
            ..Guards::default()
        }));
        let owner = at(&server, "203.0.113.1");
        sign_in(&owner, "admin", PASSWORD).expect_status(200);
        for attacker in ["198.51.100.1", "198.51.100.2", "198.51.100.3"] {
            let answer = sign_in(&at(&server, attacker), "admin", "wrong-password");
            answer.expect_problem(400, "INVALID_CREDENTIALS");
        }
        for stranger in ["198.51.100.1", "198.51.100.4"] {
            let refused = sign_in(&at(&server, stranger), "admin", PASSWORD);
            let wait = wait_of(&refused);
            assert!((1..=100).contains(&wait), "{wait}");
            refused.expect_problem(429, "TOO_MANY_SIGN_INS");
        }
        sign_in(&owner, "admin", PASSWORD).expect_status(200);
        // Whoever sits beside the owner has few tries too.
        for _ in 0..3 {
            sign_in(&owner, "admin", "wrong-password").expect_problem(400, "INVALID_CREDENTIALS");
        }
        sign_in(&owner, "admin", "wrong-password").expect_problem(429, "TOO_MANY_SIGN_INS");
    }

    fn a_name_that_no_account_has_is_answered_like_one_that_has(backend) {
        let server = Server::guarded(backend, with_proxy(Guards {
            sign_ins: SignInLimits { of_account: failures(3, 300), ..SignInLimits::default() },
            ..Guards::default()
        }));
        server.create_account("test", "clerk", &["tenant_admin"]);
        let stranger = at(&server, "198.51.100.1");
        let tried = |login: &str| -> Vec<(u16, Value)> {
            (0..5).map(|_| told(&sign_in(&stranger, login, "wrong-password"))).collect()
        };
        let known = tried("clerk");
        assert_eq!(known.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [400, 400, 400, 429, 429]);
        assert_eq!(tried("nobody"), known);
    }
}

#[test]
fn a_count_of_failures_refills() {
    let server = Server::guarded(
        Backend::Sqlite,
        Guards {
            sign_ins: SignInLimits {
                of_account: failures(1, 2),
                of_address: None,
                pause: Duration::from_millis(300),
            },
            ..Guards::default()
        },
    );
    let client = server.anonymous();
    let began = Instant::now();
    sign_in(&client, "admin", "wrong-password").expect_problem(400, "INVALID_CREDENTIALS");
    assert!(
        began.elapsed() >= Duration::from_millis(300),
        "it is slowed"
    );
    let refused = sign_in(&client, "admin", PASSWORD);
    let wait = wait_of(&refused);
    refused.expect_problem(429, "TOO_MANY_SIGN_INS");
    sleep(Duration::from_secs(wait));
    sign_in(&client, "admin", PASSWORD).expect_status(200);
}

#[test]
fn an_address_that_tries_many_names_is_refused_and_others_are_not() {
    let guards = with_proxy(Guards {
        sign_ins: SignInLimits {
            of_address: failures(3, 300),
            ..SignInLimits::default()
        },
        ..Guards::default()
    });
    let server = Server::guarded(Backend::Sqlite, guards);
    let attacker = at(&server, "198.51.100.1");
    for login in ["a", "b"] {
        sign_in(&attacker, login, "wrong-password").expect_problem(400, "INVALID_CREDENTIALS");
    }
    let code = json!({"tenant": "test", "code": "AAAA-BBBB", "password": "a long enough password"});
    let accept = |client: &Client| client.post_json("/v1/auth/invitation", &code);
    accept(&attacker).expect_problem(401, "INVALID_INVITATION");
    let refused = accept(&attacker);
    assert!(wait_of(&refused) >= 1);
    refused.expect_problem(429, "TOO_MANY_SIGN_INS");
    sign_in(&attacker, "admin", PASSWORD).expect_problem(429, "TOO_MANY_SIGN_INS");
    let neighbour = at(&server, "198.51.100.2");
    sign_in(&neighbour, "admin", PASSWORD).expect_status(200);
    accept(&neighbour).expect_problem(401, "INVALID_INVITATION");
}

/// Asks for an access token by a key.
fn token_for(client: &Client, id: &str, key: &str) -> Answer {
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={key}");
    client.post_form("/v1/auth/token", &form)
}

#[test]
fn an_address_that_tries_wrong_keys_is_refused_and_those_with_right_ones_are_not() {
    let guards = with_proxy(Guards {
        sign_ins: SignInLimits {
            of_address: failures(4, 300),
            ..SignInLimits::default()
        },
        ..Guards::default()
    });
    let server = Server::guarded(Backend::Sqlite, guards);
    let admin = at(&server, "203.0.113.1").sign_in("test", "admin", PASSWORD);
    let last_day = (now() + chrono::TimeDelta::days(30)).date_naive();
    let new = |name: &str| {
        let body = json!({"name": name, "operations": ["read"], "last_day": last_day.to_string()});
        admin.post_json("/v1/keys", &body).expect_status(201).json()
    };
    let (key, other) = (new("one"), new("other"));
    let [right, prefix] = ["secret", "prefix"].map(|field| key[field].as_str().unwrap());
    let tenant = right.parse::<ApiKey>().unwrap().tenant();
    let forged = NewKey::of(tenant).unwrap();
    let damaged = format!("{right}0");
    let office = at(&server, "198.51.100.1");
    let me = |key: &str| office.with_token(key).get("/v1/me");
    me(right).expect_status(200);
    me(&damaged).expect_problem(401, "INVALID_TOKEN");
    me(&forged.text).expect_problem(401, "INVALID_TOKEN");
    token_for(&office, prefix, &forged.text).expect_problem(401, "INVALID_CLIENT");
    let crossed = token_for(&office, other["prefix"].as_str().unwrap(), right);
    crossed.expect_problem(401, "INVALID_CLIENT");
    for wrong in [damaged.as_str(), &forged.text] {
        let refused = me(wrong);
        assert!(wait_of(&refused) >= 1);
        refused.expect_problem(429, "TOO_MANY_SIGN_INS");
        let refused = token_for(&office, prefix, wrong);
        assert!(wait_of(&refused) >= 1);
        refused.expect_problem(429, "TOO_MANY_SIGN_INS");
    }
    sign_in(&office, "admin", PASSWORD).expect_problem(429, "TOO_MANY_SIGN_INS");
    // The programs of the same office go on, if they say who they are.
    me(right).expect_status(200);
    token_for(&office, prefix, right).expect_status(200);
    let crossed = token_for(&office, other["prefix"].as_str().unwrap(), right);
    crossed.expect_problem(429, "TOO_MANY_SIGN_INS");
    let neighbour = at(&server, "198.51.100.2").with_token(&forged.text);
    neighbour.get("/v1/me").expect_problem(401, "INVALID_TOKEN");

    let log = admin.get("/v1/sign-ins").expect_status(200).json();
    let items = log["items"].as_array().unwrap().iter().rev().skip(1);
    let told = items.map(|item| {
        let [login, outcome] = ["login", "outcome"].map(|field| item[field].as_str().unwrap());
        (login, outcome, item["account"].is_string())
    });
    let forged = forged.key.prefix();
    let expected = [
        (forged, "wrong_key", false),
        (forged, "wrong_key", false),
        (prefix, "wrong_key", true),
        (forged, "throttled", false),
        (forged, "wrong_key", false),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}

/// A server that lets an address fail twice, and a client whose address has done so.
fn refused_office() -> (Server, Client, Client) {
    let guards = with_proxy(Guards {
        sign_ins: SignInLimits {
            of_address: failures(2, 300),
            ..SignInLimits::default()
        },
        ..Guards::default()
    });
    let server = Server::guarded(Backend::Sqlite, guards);
    let admin = at(&server, "203.0.113.1").sign_in("test", "admin", PASSWORD);
    let office = at(&server, "198.51.100.1");
    for _ in 0..2 {
        sign_in(&office, "admin", "wrong-password").expect_problem(400, "INVALID_CREDENTIALS");
    }
    (server, admin, office)
}

/// Makes a key that reads.
fn key_of(admin: &Client, name: &str) -> String {
    let last_day = (now() + chrono::TimeDelta::days(30)).date_naive();
    let body = json!({"name": name, "operations": ["read"], "last_day": last_day.to_string()});
    let key = admin.post_json("/v1/keys", &body).expect_status(201).json();
    key["secret"].as_str().unwrap().to_owned()
}

#[test]
fn an_expired_key_is_refused_like_any_wrong_one_and_fills_no_log() {
    let (server, admin, office) = refused_office();
    let key = key_of(&admin, "old");
    let program = at(&server, "203.0.113.1").with_token(&key);
    program.get("/v1/me").expect_status(200);
    server.write_beside(
        "UPDATE api_key SET last_day = '2026-01-01'; \
         UPDATE tenant SET rev = rev + 1, grants_rev = rev + 1",
    );
    admin.get("/v1/me").expect_status(200);
    let rows = || {
        let log = admin.get("/v1/sign-ins").expect_status(200).json();
        log["items"].as_array().unwrap().len()
    };
    let before = rows();
    for _ in 0..5 {
        let refused = office.with_token(&key).get("/v1/me");
        refused.expect_problem(429, "TOO_MANY_SIGN_INS");
    }
    assert_eq!(rows(), before + 1);
}

#[test]
fn a_key_that_the_server_has_not_read_yet_serves_behind_a_refused_address() {
    let (_server, admin, office) = refused_office();
    admin.get("/v1/me").expect_status(200);
    // Nobody has asked since it was made.
    let key = key_of(&admin, "new");
    let tenant = key.parse::<ApiKey>().unwrap().tenant();
    office.with_token(&key).get("/v1/me").expect_status(200);
    let later = key_of(&admin, "later");
    let forged = NewKey::of(tenant).unwrap();
    let wrong = office.with_token(&forged.text);
    for _ in 0..3 {
        wrong.get("/v1/me").expect_problem(429, "TOO_MANY_SIGN_INS");
    }
    sleep(Duration::from_millis(1100));
    office.with_token(&later).get("/v1/me").expect_status(200);
}

#[test]
fn an_address_that_a_client_forges_does_not_count() {
    let limits = SignInLimits {
        of_address: failures(3, 300),
        ..SignInLimits::default()
    };
    let guards = Guards {
        sign_ins: limits,
        ..Guards::default()
    };
    let server = Server::guarded(Backend::Sqlite, guards);
    let statuses = (1..=4).map(|last| {
        let forger = at(&server, &format!("198.51.100.{last}"));
        let forger = forger.with("Forwarded", &format!("for=198.51.100.{last}"));
        sign_in(&forger, "admin", "wrong-password").status
    });
    assert_eq!(statuses.collect::<Vec<_>>(), [400, 400, 400, 429]);

    let guards = with_proxy(Guards {
        sign_ins: limits,
        ..Guards::default()
    });
    let server = Server::guarded(Backend::Sqlite, guards);
    let statuses = (1..=4).map(|last| {
        let forger = at(&server, &format!("192.0.2.{last}, 198.51.100.1"));
        sign_in(&forger, "admin", "wrong-password").status
    });
    assert_eq!(statuses.collect::<Vec<_>>(), [400, 400, 400, 429]);
    let admin = at(&server, "203.0.113.1").sign_in("test", "admin", PASSWORD);
    let log = admin.get("/v1/sign-ins").expect_status(200).json();
    let addresses = log["items"].as_array().unwrap().iter();
    let addresses: Vec<&str> = addresses
        .map(|item| item["address"].as_str().unwrap())
        .collect();
    assert_eq!(addresses[0], "203.0.113.1");
    assert!(
        addresses[1..]
            .iter()
            .all(|address| *address == "198.51.100.1"),
        "{addresses:?}"
    );
}

fn allowing(of_account: Allowance, of_tenant: Allowance) -> Guards {
    Guards {
        allowances: AllowanceLimits {
            of_account,
            of_tenant,
        },
        ..Guards::default()
    }
}

fn requests(requests_a_second: u64) -> Allowance {
    Allowance {
        requests_a_second,
        bytes_a_day: 0,
    }
}

/// Sends requests until one is refused, which is soon.
fn until_refused(client: &Client) -> Answer {
    let mut answers = (0..100).map(|_| client.get("/v1/me"));
    answers
        .find(|answer| answer.status != 200)
        .expect("a refusal")
}

#[test]
fn an_account_that_asks_without_end_is_told_to_wait_and_its_colleagues_are_not() {
    let server = Server::guarded(Backend::Sqlite, allowing(requests(2), requests(0)));
    server.create_account("test", "clerk", &["tenant_admin"]);
    let (admin, clerk) = (
        server.sign_in("test", "admin"),
        server.sign_in("test", "clerk"),
    );
    let first = admin.get("/v1/me").expect_status(200);
    assert_eq!(
        first.header("ratelimit-policy"),
        Some(r#""account";q=4;w=2"#)
    );
    assert_eq!(first.header("ratelimit"), Some(r#""account";r=3;t=1"#));
    let refused = until_refused(&admin);
    assert_eq!(refused.header("ratelimit"), Some(r#""account";r=0;t=2"#));
    let wait = wait_of(&refused);
    assert_eq!(wait, 1);
    assert!(refused.json()["detail"].as_str().unwrap().contains("chờ"));
    refused.expect_problem(429, "RATE_LIMITED");
    clerk.get("/v1/me").expect_status(200);
    // Nobody needs a token for these.
    let health = admin.get("/livez").expect_status(200);
    assert_eq!(health.header("ratelimit"), None);
    sleep(Duration::from_secs(wait));
    admin.get("/v1/me").expect_status(200);
}

#[test]
fn a_tenant_that_asks_without_end_takes_nothing_from_another() {
    let server = Server::guarded(Backend::Sqlite, allowing(requests(0), requests(2)));
    server.create_tenant("other");
    let (admin, other) = (
        server.sign_in("test", "admin"),
        server.sign_in("other", "admin"),
    );
    let began = Instant::now();
    let refused = until_refused(&admin);
    assert!(
        began.elapsed() >= Duration::from_millis(500),
        "it is slowed"
    );
    assert_eq!(
        refused.header("ratelimit-policy"),
        Some(r#""tenant";q=4;w=2"#)
    );
    refused.expect_problem(429, "RATE_LIMITED");
    other.get("/v1/me").expect_status(200);
}

#[test]
fn submissions_may_bring_so_many_bytes_a_day() {
    let bytes = |bytes_a_day| Allowance {
        requests_a_second: 0,
        bytes_a_day,
    };
    let server = Server::guarded(Backend::Sqlite, allowing(bytes(1500), bytes(2500)));
    server.create_account("test", "clerk", &["tenant_admin"]);
    let put = |client: &Client| {
        let path = "/v1/forms/f/periods/2024/units/code:1/submission";
        let passage = json!({"section": "I", "text": "x".repeat(900)});
        let body = json!({"values": [], "narrative": [passage]});
        client.with("If-None-Match", "*").put(path, &body)
    };
    let (admin, clerk) = (
        server.sign_in("test", "admin"),
        server.sign_in("test", "clerk"),
    );
    put(&admin).expect_problem(404, "FORM_NOT_FOUND");
    let refused = put(&admin);
    assert!(wait_of(&refused) > 3600);
    refused.expect_problem(429, "RATE_LIMITED");
    // It may still read, and bring what is no submission.
    admin.get("/v1/me").expect_status(200);
    put(&clerk).expect_problem(404, "FORM_NOT_FOUND");
    server.create_account("test", "third", &["tenant_admin"]);
    put(&server.sign_in("test", "third")).expect_problem(429, "RATE_LIMITED");
}

#[test]
fn every_answer_tells_browsers_what_not_to_do() {
    let server = Server::guarded(Backend::Sqlite, Guards::default());
    let client = server.anonymous();
    let answers = [
        client.get("/livez").expect_status(200),
        client.get("/v1/me").expect_status(401),
        client.get("/nothing").expect_status(404),
        client
            .send("DELETE", "/livez", None, b"")
            .expect_status(405),
        server
            .sign_in("test", "admin")
            .get("/v1/me")
            .expect_status(200),
        client.get("/openapi.json").expect_status(200),
        client.get("/docs/").expect_status(200),
        client
            .get("/docs/swagger-initializer.js")
            .expect_status(200),
    ];
    for answer in &answers {
        let text = &answer.text;
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{text}"
        );
        assert_eq!(
            answer.header("referrer-policy"),
            Some("no-referrer"),
            "{text}"
        );
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.header("strict-transport-security"), None);
    }
    let of_docs = answers[6].header("content-security-policy").unwrap();
    assert!(of_docs.contains("script-src 'self';"), "{of_docs}");
    // The page has no program in itself, which the policy would stop.
    assert!(!answers[6].text.contains("<script>"));

    let guards = Guards {
        public_url: Some("https://baocao.example.vn"),
        ..Guards::default()
    };
    let server = Server::guarded(Backend::Sqlite, guards);
    let answer = server.anonymous().get("/livez");
    let transport = answer.header("strict-transport-security");
    assert_eq!(transport, Some("max-age=31536000"));
}

#[test]
fn another_site_may_call_the_api_only_if_it_is_named() {
    let question = |server: &Server, origin: &str| {
        let client = server.anonymous().with("Origin", origin);
        let client = client.with("Access-Control-Request-Method", "PUT");
        client.send("OPTIONS", "/v1/me", None, b"")
    };
    let named = "https://sohoa.example.vn";
    let closed = Server::guarded(Backend::Sqlite, Guards::default());
    let refused = question(&closed, named);
    assert_eq!(refused.header("access-control-allow-origin"), None);
    refused.expect_problem(405, "METHOD_NOT_ALLOWED");
    let answer = closed.anonymous().with("Origin", named).get("/livez");
    assert_eq!(answer.header("access-control-allow-origin"), None);

    let guards = Guards {
        allowed_origins: vec![named.to_owned()],
        ..Guards::default()
    };
    let open = Server::guarded(Backend::Sqlite, guards);
    let answer = question(&open, named).expect_status(204);
    assert_eq!(answer.header("access-control-allow-origin"), Some(named));
    let methods = answer.header("access-control-allow-methods").unwrap();
    assert!(
        methods.contains("PUT") && methods.contains("DELETE"),
        "{methods}"
    );
    let headers = answer.header("access-control-allow-headers").unwrap();
    assert!(
        ["Authorization", "If-Match", "Prefer"]
            .iter()
            .all(|header| headers.contains(header)),
        "{headers}"
    );
    let answer = open.anonymous().with("Origin", named).get("/v1/me");
    assert_eq!(answer.header("access-control-allow-origin"), Some(named));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert!(answer.header("vary").unwrap().contains("Origin"));
    for other in [
        "https://boc.example",
        "https://sohoa.example.vn.boc.example",
        "null",
    ] {
        question(&open, other).expect_problem(405, "METHOD_NOT_ALLOWED");
        let answer = open.anonymous().with("Origin", other).get("/livez");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            None,
            "{other}"
        );
    }
}
