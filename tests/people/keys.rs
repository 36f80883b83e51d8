//! Keys of programs: what they may do, until when, and that nobody reads them a second time.

use std::time::Duration;

use chrono::{Days, TimeDelta};
use serde_json::{Value, json};
use tonghop::authn::api_key::{ApiKey, NewKey};
use tonghop::authz::Operation;
use tonghop::domain::id::TenantId;
use tonghop::service::people::program::{ProgramError, ShownKey, admit};

use crate::harness::report::{Reports, value};
use crate::harness::server::{TestDatabase, now};
use crate::harness::town::Town;
use crate::harness::{Answer, Backend, Client, Program, Server, expect_in_time};

/// The day in the tenant's time zone, with some days added.
fn day(later: u64) -> String {
    let here = now().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh);
    let day = here.date_naive() + Days::new(later);
    day.to_string()
}

fn body(name: &str, unit: &str, operations: &[&str]) -> Value {
    json!({"name": name, "unit": unit, "operations": operations, "last_day": day(30)})
}

#[track_caller]
fn create(client: &Client, body: &Value) -> Value {
    client.post_json("/v1/keys", body).expect_status(201).json()
}

fn secret(key: &Value) -> &str {
    key["secret"].as_str().expect("a secret")
}

fn delete(client: &Client, key: &Value) -> Answer {
    let path = format!("/v1/keys/{}", key["id"].as_str().unwrap());
    client.send("DELETE", &path, None, b"")
}

/// The names of the keys that somebody sees.
fn names(client: &Client) -> Vec<String> {
    let list = client.get("/v1/keys").expect_status(200).json();
    let items = list["items"].as_array().unwrap().iter();
    let names = items.map(|item| item["name"].as_str().unwrap().to_owned());
    names.collect()
}

/// A town with a monthly form, and managers of its communes.
fn town(backend: Backend) -> (Server, Client, Reports) {
    let (server, admin, reports) = Town::new(backend)
        .indicators(&[("x", "sum")])
        .form("m", "month")
        .build();
    server.create_account(
        "test",
        "manager-a",
        &["unit_admin@code:A", "reporter@code:A"],
    );
    server.create_account("test", "manager-b", &["unit_admin@code:B"]);
    (server, admin, reports)
}

/// A token for a key, by its client id.
fn token_for(client: &Client, id: &str, secret: &str) -> Answer {
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    client.post_form("/v1/auth/token", &form)
}

#[track_caller]
fn refused(client: &Client, path: &str) {
    client.get(path).expect_problem(401, "INVALID_TOKEN");
}

#[test]
fn what_is_about_the_whole_tenant_is_in_no_key_for_a_unit_and_the_guide_names_it() {
    let (server, admin, _) = town(Backend::Sqlite);
    let guide = include_str!("../../docs/clients.md");
    let document = server.anonymous().get("/openapi.json").json();
    let told = &document["paths"]["/v1/keys"]["post"]["description"];
    let told = told.as_str().unwrap().to_owned();
    let line = guide
        .lines()
        .find(|line| line.contains("operations are about the whole tenant"));
    let line = line.unwrap();
    let mut refused = 0;
    for operation in Operation::ALL
        .iter()
        .filter(|operation| operation.is_for_programs())
    {
        let id = operation.id();
        let answer = admin.post_json("/v1/keys", &body(id, "code:A", &[id]));
        let name = format!("`{id}`");
        let is_refused = answer.status == 422;
        assert_eq!(is_refused, line.contains(&name), "{id}: {}", answer.text);
        assert_eq!(is_refused, told.contains(&name), "{id}: {}", answer.text);
        if is_refused {
            refused += 1;
        } else {
            delete(&admin, &answer.expect_status(201).json());
        }
    }
    assert_eq!(refused, 9);
}

on_both_backends! {
    fn a_key_is_shown_once_and_does_what_it_is_for(backend) {
        let (server, admin, reports) = town(backend);
        let manager = server.sign_in("test", "manager-a");
        let repeatable = manager.with("Idempotency-Key", "k");
        let asked = body("Phần mềm xã", "code:A", &["submit", "read"]);
        let key = create(&repeatable, &asked);
        assert!(secret(&key).starts_with(key["prefix"].as_str().unwrap()));
        assert_eq!(key["unit"]["code"], "A");
        assert_eq!(key["operations"], json!(["read", "submit"]));
        assert_eq!(key["last_used"], Value::Null);
        assert_eq!(key["created_by"]["login"], "manager-a");

        let replayed = repeatable.post_json("/v1/keys", &asked).expect_status(201);
        assert_eq!(replayed.header("idempotency-replayed"), Some("true"));
        let mut without = key.clone();
        without["secret"] = Value::Null;
        assert_eq!(replayed.json(), without);
        let listed = manager.get("/v1/keys").expect_status(200);
        assert!(!listed.text.contains("secret") && !listed.text.contains(secret(&key)));
        assert_eq!(names(&manager), ["Phần mềm xã"]);
        assert_eq!(names(&admin), ["Phần mềm xã"]);
        assert_eq!(listed.json()["items"][0]["created_by"], key["created_by"]);
        assert!(names(&server.sign_in("test", "manager-b")).is_empty());

        let program = server.anonymous().with_token(secret(&key));
        let report = reports.of("2025-06").by(&program);
        report.submit("A1", &[value("x", 5)]);
        assert_eq!(report.figure("A1", "x"), "5 1/1");
        let me = program.get("/v1/me").expect_status(200).json();
        assert_eq!(me["account"]["login"], key["prefix"]);
        assert_eq!(me["account"]["name"], "Phần mềm xã");
        assert_eq!(me["grants"].as_array().unwrap().len(), 1);
        assert_eq!(me["grants"][0]["role"], "reporter");
        expect_in_time("the use is noted", || {
            let listed = admin.get("/v1/keys").json();
            listed["items"][0]["last_used"].is_string()
        });
    }

    fn a_key_reaches_no_further_than_its_unit_and_its_operations(backend) {
        let (server, admin, reports) = town(backend);
        let key = create(&admin, &body("đọc", "code:A", &["read"]));
        let program = server.anonymous().with_token(secret(&key)).with("Accept-Language", "en");
        let report = reports.of("2025-06").by(&program);
        let path = report.submission("A1");
        program.get(&path).expect_problem(404, "SUBMISSION_NOT_FOUND");
        program.get(&report.submission("B1")).expect_problem(403, "NOT_ALLOWED");
        let put = program.create(&path, &json!({"values": []}));
        let told = put.json();
        put.expect_problem(403, "OUTSIDE_KEY");
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.starts_with("This key does not allow put_submission, only read. "), "{told}");
        let told = program.get("/v1/accounts").json();
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.starts_with("No key allows list_accounts: that is for people. "), "{told}");
        for (method, path) in [
            ("GET", "/v1/me/sessions"),
            ("DELETE", "/v1/me/sessions"),
            ("GET", "/v1/accounts"),
            ("GET", "/v1/keys"),
        ] {
            let answer = program.send(method, path, None, b"");
            answer.expect_problem(403, "OUTSIDE_KEY");
        }
        let password = json!({"current_password": "x", "new_password": "y"});
        program.put("/v1/me/password", &password).expect_problem(403, "OUTSIDE_KEY");
        // A token for the key allows no more.
        let token = token_for(&server.anonymous(), key["prefix"].as_str().unwrap(), secret(&key));
        let token = token.expect_status(200).json();
        assert_eq!(token["refresh_token"], Value::Null);
        let program = program.with_token(token["access_token"].as_str().unwrap());
        program.get(&path).expect_problem(404, "SUBMISSION_NOT_FOUND");
        program.get("/v1/keys").expect_problem(403, "OUTSIDE_KEY");
        // Everything about the tenant, for an administrator's key.
        let whole = json!({"name": "hệ thống", "operations": ["read", "put_level"], "last_day": day(0)});
        let whole = create(&admin, &whole);
        assert_eq!(whole["unit"], Value::Null);
        let program = server.anonymous().with_token(secret(&whole));
        program.get("/v1/units/code:B1").expect_status(200);
        program.post_json("/v1/units", &json!({})).expect_problem(403, "OUTSIDE_KEY");
    }

    fn a_key_s_maker_is_named_to_those_who_see_the_account(backend) {
        let (server, admin, _reports) = town(backend);
        let made = create(&admin, &body("của tỉnh", "code:A", &["read"]));
        assert_eq!(made["created_by"]["login"], "admin");
        let maker = |client: &Client| {
            let list = client.get("/v1/keys").expect_status(200).json();
            list["items"][0]["created_by"].clone()
        };
        assert_eq!(maker(&admin), made["created_by"]);
        let below = maker(&server.sign_in("test", "manager-a"));
        assert_eq!(below, json!({"id": made["created_by"]["id"], "login": "", "name": ""}));
    }

    fn nobody_gives_a_key_more_than_it_has(backend) {
        let (server, admin, _reports) = town(backend);
        let [a, b] = ["manager-a", "manager-b"].map(|login| server.sign_in("test", login));
        create(&a, &body("gửi", "code:A1", &["submit"]));
        // This manager reports nothing itself, and so does none of its programs.
        b.post_json("/v1/keys", &body("gửi", "code:B", &["submit"])).expect_problem(403, "NOT_ALLOWED");
        create(&b, &body("đọc", "code:B", &["read"]));
        for wrong in [
            body("x", "code:T", &["read"]),
            body("x", "code:B", &["read"]),
            body("x", "code:A", &["approve_submission"]),
            // Only a manager above appoints managers.
            body("x", "code:A", &["create_unit"]),
            json!({"name": "x", "operations": ["read"], "last_day": day(1)}),
        ] {
            a.post_json("/v1/keys", &wrong).expect_problem(403, "NOT_ALLOWED");
        }
        server.create_account("test", "above", &["unit_admin@code:T", "approver@code:T"]);
        let above = server.sign_in("test", "above");
        create(&above, &body("duyệt", "code:A", &["approve_submission", "read", "create_unit"]));
        create(&admin, &body("duyệt", "code:A", &["approve_submission", "submit"]));
        assert_eq!(names(&a).len(), 3);
        // Where the other may not look, there is no key.
        let key = create(&a, &body("riêng", "code:A", &["read"]));
        delete(&b, &key).expect_problem(404, "KEY_NOT_FOUND");
        server.create_account("test", "reader", &["viewer@code:T"]);
        let reader = server.sign_in("test", "reader");
        delete(&reader, &key).expect_problem(403, "NOT_ALLOWED");
        reader.get("/v1/keys").expect_problem(403, "NOT_ALLOWED");
    }

    fn a_key_that_is_not_in_order_is_told_all_its_faults(backend) {
        let (_server, admin, _reports) = town(backend);
        let faulty = |change: &dyn Fn(&mut Value)| {
            let mut body = body("tên", "code:A", &["read"]);
            change(&mut body);
            admin.post_json("/v1/keys", &body).expect_problem(422, "INVALID_KEY")
        };
        let all = faulty(&|body| *body = json!({
            "name": " ", "unit": "code:none", "operations": ["read", "magic", "create_key", "get_livez"],
            "last_day": "2020-01-01",
        }));
        assert_eq!(all, [
            "/last_day INVALID_VALUE",
            "/name INVALID_TEXT",
            "/operations/1 UNKNOWN_OPERATION",
            "/operations/2 INVALID_VALUE",
            "/operations/3 INVALID_VALUE",
            "/unit UNKNOWN_UNIT",
        ]);
        assert_eq!(faulty(&|body| body["operations"] = json!([])), ["/operations INVALID_VALUE"]);
        assert_eq!(faulty(&|body| body["operations"] = json!(["put_indicator"])), ["/operations INVALID_VALUE"]);
        assert_eq!(faulty(&|body| body["last_day"] = json!(day(800))), ["/last_day INVALID_VALUE"]);
        assert!(names(&admin).is_empty());
    }

    fn two_keys_of_a_name_serve_at_once_so_that_one_replaces_the_other(backend) {
        let (server, admin, _reports) = town(backend);
        let asked = body("bảng", "code:A", &["read"]);
        let keys = [create(&admin, &asked), create(&admin, &asked)];
        let programs = keys.each_ref().map(|key| server.anonymous().with_token(secret(key)));
        for program in &programs {
            program.get("/v1/me").expect_status(200);
        }
        admin.post_json("/v1/keys", &asked).expect_problem(409, "TOO_MANY_KEYS");
        create(&admin, &body("bảng", "code:B", &["read"]));
        let old = admin.with("Idempotency-Key", "gone");
        delete(&old, &keys[0]).expect_status(204);
        assert_eq!(delete(&old, &keys[0]).expect_status(204).header("idempotency-replayed"), Some("true"));
        delete(&admin, &keys[0]).expect_problem(404, "KEY_NOT_FOUND");
        refused(&programs[0], "/v1/me");
        programs[1].get("/v1/me").expect_status(200);
        create(&admin, &asked);
        // One that has expired takes no place, and is listed until it is deleted.
        server.write_beside("UPDATE api_key SET last_day = '2026-01-01'");
        create(&admin, &asked);
        assert_eq!(names(&admin).len(), 4);
        let first = admin.get("/v1/keys?limit=2").expect_status(200).json();
        let next = format!("/v1/keys?limit=2&cursor={}", first["next"].as_str().unwrap());
        let second = admin.get(&next).expect_status(200).json();
        assert_eq!(second["items"].as_array().unwrap().len(), 2);
        assert_eq!(second["next"], Value::Null);
    }

    fn a_deleted_or_expired_key_serves_no_more_at_once_and_neither_do_its_tokens(backend) {
        let (server, admin, reports) = town(backend);
        reports.of("2025-06").submit("A1", &[value("x", 5)]);
        let path = reports.of("2025-06").submission("A1").replace("A1/submission", "A/rollup");
        let keys = ["một", "hai"].map(|name| create(&admin, &body(name, "code:A", &["read"])));
        let programs = keys.each_ref().map(|key| {
            let prefix = key["prefix"].as_str().unwrap();
            let token = token_for(&server.anonymous(), prefix, secret(key)).expect_status(200);
            let token = token.json()["access_token"].as_str().unwrap().to_owned();
            [secret(key).to_owned(), token].map(|token| server.anonymous().with_token(&token))
        });
        for program in programs.as_flattened() {
            for _ in 0..2 {
                program.get(&path).expect_status(200);
            }
        }
        delete(&admin, &keys[0]).expect_status(204);
        for program in &programs[0] {
            refused(program, &path);
        }
        for program in &programs[1] {
            program.get(&path).expect_status(200);
        }
        server.write_beside(
            "UPDATE api_key SET last_day = '2026-01-01'; \
             UPDATE tenant SET rev = rev + 1, grants_rev = rev + 1",
        );
        for program in &programs[1] {
            refused(program, &path);
        }
        let prefix = keys[1]["prefix"].as_str().unwrap();
        token_for(&server.anonymous(), prefix, secret(&keys[1])).expect_problem(401, "INVALID_CLIENT");
    }

    fn the_last_day_of_a_key_ends_at_midnight_of_the_tenant(backend) {
        let (server, admin, _reports) = town(backend);
        let mut asked = body("hôm nay", "code:A", &["read"]);
        asked["last_day"] = json!(day(0));
        let key: ApiKey = secret(&create(&admin, &asked)).parse().unwrap();
        let midnight = now().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh).date_naive();
        let midnight = midnight.succ_opt().unwrap().and_hms_opt(0, 0, 0).unwrap();
        let midnight = midnight.and_local_timezone(chrono_tz::Asia::Ho_Chi_Minh).unwrap().to_utc();
        let asks = |at| admit(&server.application, &ShownKey::Key(key.clone()), Operation::GetMe, None, at);
        let identity = asks(midnight - TimeDelta::seconds(1)).unwrap();
        assert_eq!(identity.session(), None);
        assert!(matches!(asks(midnight), Err(ProgramError::NotServing)));
        let token = ShownKey::Token(identity);
        let late = admit(&server.application, &token, Operation::GetMe, None, midnight);
        assert!(matches!(late, Err(ProgramError::NotServing)));
    }

    fn a_wrong_key_identifies_nobody(backend) {
        let (server, admin, _reports) = town(backend);
        server.create_tenant("other");
        let key = create(&admin, &body("đúng", "code:A", &["read"]));
        let right: ApiKey = secret(&key).parse().unwrap();
        let mistyped = format!("{}{}", &secret(&key)[..83], if secret(&key).ends_with('0') { '1' } else { '0' });
        // Whole keys, of this tenant and of one that is not there.
        let forged = NewKey::of(right.tenant()).unwrap().text;
        let astray = NewKey::of(TenantId::new()).unwrap().text;
        let anonymous = server.anonymous();
        for wrong in [&mistyped, &forged, &astray, "thk_", "thk_x"] {
            refused(&anonymous.with_token(wrong), "/v1/me");
            let prefix = key["prefix"].as_str().unwrap();
            token_for(&anonymous, prefix, wrong).expect_problem(401, "INVALID_CLIENT");
        }
        // What is public takes no notice.
        anonymous.with_token(&mistyped).get("/livez").expect_status(200);
        // Another tenant's key reads its own tenant.
        let other = server.sign_in("other", "admin");
        let theirs = json!({"name": "khác", "operations": ["read"], "last_day": day(1)});
        let theirs = create(&other, &theirs);
        let program = anonymous.with_token(secret(&theirs));
        assert_eq!(program.get("/v1/me").json()["tenant"]["slug"], "other");
        program.get("/v1/units/code:A").expect_problem(404, "UNIT_NOT_FOUND");
        assert_eq!(names(&admin), ["đúng"]);
        delete(&admin, &theirs).expect_problem(404, "KEY_NOT_FOUND");
    }

    fn a_program_gets_a_token_by_its_prefix_or_id_in_the_form_or_the_header(backend) {
        let (server, admin, _reports) = town(backend);
        let key = create(&admin, &body("phần mềm", "code:A", &["read"]));
        let other = create(&admin, &body("khác", "code:A", &["read"]));
        let anonymous = server.anonymous();
        let [prefix, id] = ["prefix", "id"].map(|field| key[field].as_str().unwrap());
        for client in [prefix, id] {
            let token = token_for(&anonymous, client, secret(&key)).expect_status(200);
            assert_eq!(token.header("cache-control"), Some("no-store"));
            assert_eq!(token.json()["expires_in"], 900);
            let program = anonymous.with_token(token.json()["access_token"].as_str().unwrap());
            assert_eq!(program.get("/v1/me").json()["account"]["login"], prefix);
        }
        let basic = |pair: &str| {
            use base64::Engine as _;
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            anonymous.with("Authorization", &format!("Basic {encoded}"))
        };
        let in_header = basic(&format!("{prefix}:{}", secret(&key)));
        let form = "grant_type=client_credentials";
        in_header.post_form("/v1/auth/token", form).expect_status(200);
        let twice = token_for(&in_header, prefix, secret(&key));
        twice.expect_problem(400, "INVALID_BODY");
        let missing = anonymous.post_form("/v1/auth/token", form);
        assert_eq!(
            missing.expect_problem(400, "INVALID_BODY"),
            ["/client_id MISSING_FIELD", "/client_secret MISSING_FIELD"]
        );
        let crossed = token_for(&anonymous, other["prefix"].as_str().unwrap(), secret(&key));
        crossed.expect_problem(401, "INVALID_CLIENT");
        // A program has no password.
        let form = format!("grant_type=password&username={prefix}&password={}", secret(&key));
        anonymous.post_form("/v1/auth/token", &form).expect_problem(400, "INVALID_CREDENTIALS");
    }
}

/// Everything that SQLite wrote, and everything that the program logged.
#[test]
fn a_key_is_in_no_log_and_in_no_file() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let program = Program::serve_with(&database, &[("TONGHOP_LOG", "trace")]);
    let admin = program
        .sign_in("test", "admin")
        .with("Idempotency-Key", "k");
    let whole = json!({"name": "bảng", "operations": ["read"], "last_day": day(1)});
    let key = create(&admin, &whole);
    let client = program.anonymous().with_token(secret(&key));
    client.get("/v1/me").expect_status(200);
    client
        .post_json("/v1/units", &json!({}))
        .expect_problem(403, "OUTSIDE_KEY");
    token_for(&client, key["prefix"].as_str().unwrap(), secret(&key)).expect_status(200);
    token_for(&client, "other", secret(&key)).expect_problem(401, "INVALID_CLIENT");
    let damaged = format!("{}!", secret(&key));
    refused(&client.with_token(&damaged), "/v1/me");
    delete(&program.sign_in("test", "admin"), &key).expect_status(204);
    refused(&client, "/v1/me");
    // The log is written by a thread of its own.
    std::thread::sleep(Duration::from_millis(200));
    let unique = &secret(&key)[12 + 26..];
    let log = program.log();
    assert!(
        !log.contains(unique) && log.contains("OUTSIDE_KEY"),
        "{log}"
    );
    for file in std::fs::read_dir(database.directory.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let is_there = bytes
            .windows(unique.len())
            .any(|part| part == unique.as_bytes());
        assert!(!is_there, "{}", path.display());
    }
}
