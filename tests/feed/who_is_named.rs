//! Whom answers name to whom: a login only to those who see the account, a person's name also to
//! those who may read a unit where that person has a duty.

use std::collections::BTreeSet;

use chrono::Days;
use serde_json::{Value, json};

use super::listed;
use super::stream::Events;
use crate::harness::decree::{decree, merge};
use crate::harness::report::{Report, value};
use crate::harness::server::now;
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Server};

/// The accounts of the town: login, name, and role.
const PEOPLE: [(&str, &str, &str); 8] = [
    ("login-chief", "Ông Trưởng", "approver@code:T"),
    ("login-head", "Bà Chủ", "unit_admin@code:T"),
    ("login-manager", "Bà Quản", "unit_admin@code:A"),
    ("login-clerk", "Anh Báo", "reporter@code:A"),
    ("login-hamlet", "Chị Ấp", "reporter@code:A1"),
    ("login-moved", "Chú Dời", "reporter@code:A2"),
    ("login-neighbour", "Cô Láng", "reporter@code:B"),
    ("login-guest", "Khách", "viewer@code:A"),
];

/// Town `T` with everybody, keys of all kinds, and something done by everybody.
struct World {
    server: Server,
    admin: Client,
    readers: Vec<(String, Client)>,
    /// The prefixes of the keys.
    prefixes: BTreeSet<String>,
}

impl World {
    fn new(backend: Backend) -> World {
        let (server, admin, reports) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .form("m", "month")
            .build();
        for (login, name, grant) in PEOPLE {
            server.create_account("test", login, &[grant]);
            let list = admin.get(&format!("/v1/accounts?q={login}")).json();
            let path = format!("/v1/accounts/{}", list["items"][0]["id"].as_str().unwrap());
            let put = json!({"login": login, "name": name});
            admin
                .with("If-Match", "*")
                .put(&path, &put)
                .expect_status(200);
        }
        let mut readers: Vec<(String, Client)> = PEOPLE
            .iter()
            .map(|(login, ..)| ((*login).to_owned(), server.sign_in("test", login)))
            .collect();
        readers.push(("admin".to_owned(), admin.clone()));
        let mut prefixes = BTreeSet::new();
        let head = server.sign_in("test", "login-head");
        for (maker, name, unit, operations) in [
            (
                &admin,
                "Phần mềm một",
                json!("code:A"),
                json!(["read", "submit"]),
            ),
            (
                &head,
                "Phần mềm hai",
                json!("code:A"),
                json!(["read", "create_unit"]),
            ),
            (
                &admin,
                "Phần mềm ba",
                Value::Null,
                json!(["read", "preview_reorganisation", "list_reorganisations"]),
            ),
        ] {
            let last_day = now().date_naive() + Days::new(30);
            let key = json!({
                "name": name, "unit": unit, "operations": operations, "last_day": last_day.to_string(),
            });
            let key = maker.post_json("/v1/keys", &key).expect_status(201).json();
            prefixes.insert(key["prefix"].as_str().unwrap().to_owned());
            let program = server
                .anonymous()
                .with_token(key["secret"].as_str().unwrap());
            readers.push((name.to_owned(), program));
        }
        let world = World {
            server,
            admin,
            readers,
            prefixes,
        };
        let report = reports.of("2024-01");
        let by = |who: &str| report.by(world.reader(who));
        by("login-clerk").submit("A", &[value("x", 1)]);
        by("login-chief")
            .give_back("A", &json!({"reason": "Sai"}))
            .expect_status(200);
        by("Phần mềm một").submit("A", &[value("x", 2)]);
        by("login-chief").step("A", "approve").expect_status(200);
        by("admin").step("A", "reopen").expect_status(200);
        by("login-hamlet").submit("A1", &[value("x", 3)]);
        by("login-neighbour").submit("B", &[value("x", 4)]);
        by("login-moved").submit("A2", &[value("x", 5)]);
        let unit = json!({"code": "A3", "name": "Ấp Bốn", "level": "hamlet", "parent": "code:A"});
        world
            .reader("Phần mềm hai")
            .post_json("/v1/units", &unit)
            .expect_status(201);
        world.admin.reorganise(
            "2026-01-01",
            &json!([{"op": "move", "unit": "code:A2", "parent": "code:B"}]),
        );
        // As if everything had happened while the hamlet was in `A`.
        world
            .server
            .write_beside("UPDATE change SET at = '2025-06-01 00:00:00'");
        world
    }

    fn reader(&self, who: &str) -> &Client {
        let found = self.readers.iter().find(|(reader, _)| reader == who);
        &found.unwrap().1
    }

    /// Everything that nobody may be told without a reason: logins, and names of people.
    fn secrets(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let accounts = seen(&self.admin, "/v1/accounts?limit=1000");
        let logins = texts_of(&accounts, &["login"]);
        let names = texts_of(&accounts, &["name"]).into_iter();
        let names = names.filter(|name| PEOPLE.iter().any(|(_, of_person, _)| of_person == name));
        (
            logins.union(&self.prefixes).cloned().collect(),
            names.collect(),
        )
    }
}

/// The answer to a reader who may read it, or nothing.
fn seen(client: &Client, path: &str) -> Value {
    let answer = client.get(path);
    match answer.status {
        200 => answer.json(),
        _ => Value::Null,
    }
}

/// The texts that stand in fields of these names anywhere in an answer.
fn texts_of(answer: &Value, fields: &[&str]) -> BTreeSet<String> {
    match answer {
        Value::Array(items) => items
            .iter()
            .flat_map(|item| texts_of(item, fields))
            .collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(field, value)| match value {
                Value::String(text) if fields.contains(&field.as_str()) => {
                    BTreeSet::from([text.clone()])
                }
                other => texts_of(other, fields),
            })
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => BTreeSet::new(),
    }
}

/// Every text of an answer.
fn texts(answer: &Value) -> BTreeSet<String> {
    match answer {
        Value::String(text) => BTreeSet::from([text.clone()]),
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => BTreeSet::new(),
    }
}

/// The logins and names that a reader may know: its own, those of accounts and keys that it may read,
/// and the names of the people to call about units that it may read.
fn may_know(client: &Client) -> BTreeSet<String> {
    let mut known = texts(&seen(client, "/v1/me")["account"]);
    known.extend(texts(&seen(client, "/v1/accounts?limit=1000")));
    let keys = seen(client, "/v1/keys?limit=1000");
    known.extend(texts_of(&keys, &["prefix"]));
    let units = seen(client, "/v1/units?limit=1000");
    for unit in units["items"].as_array().unwrap() {
        let unit = seen(
            client,
            &format!("/v1/units/{}", unit["id"].as_str().unwrap()),
        );
        known.extend(texts(&unit["contacts"]));
    }
    known
}

/// Everything that names accounts and that a reader may read, each with its path.
fn answers(client: &Client) -> Vec<(String, Value)> {
    let mut answers = Vec::new();
    let changes = listed(client, "");
    let mut events = Events::follow(client, "");
    for change in &changes {
        let event = events.next().data;
        assert_eq!(&event, change);
        answers.push(("stream of changes".to_owned(), event));
    }
    answers.push(("/v1/changes".to_owned(), Value::from(changes)));
    let report = Report::of(client, "m", "2024-01");
    for unit in ["T", "A", "A1", "A2", "B"] {
        let submission = report.submission(unit);
        let of_unit = submission.trim_end_matches("/submission").to_owned();
        let lineage = format!("{of_unit}/rollup/lineage?indicator=x");
        let revisions = format!("{submission}/revisions");
        for path in [submission, revisions, lineage] {
            answers.push((path.clone(), seen(client, &path)));
        }
    }
    for path in ["/v1/keys", "/v1/reorganisations", "/v1/sign-ins"] {
        answers.push((path.to_owned(), seen(client, path)));
    }
    let document = decree("2030-01-01", &json!([merge(&["B"], &json!("code:A"))]));
    let preview = client.post_json("/v1/reorganisations/preview", &document);
    if preview.status == 200 {
        answers.push(("preview".to_owned(), preview.json()));
    }
    answers
}

/// The authors of the steps of a unit's report, as a reader is told of them: login, and name.
fn authors(client: &Client, unit: &str) -> Vec<(String, String)> {
    let report = Report::of(client, "m", "2024-01");
    let path = format!("{}/revisions", report.submission(unit));
    let revisions = client.get(&path).expect_status(200).json();
    let items = revisions["items"].as_array().unwrap().iter();
    let authors = items.map(|item| {
        let author = &item["author"];
        assert_eq!(item["by"], author["login"]);
        let text = |field: &str| author[field].as_str().unwrap().to_owned();
        assert!(!text("id").is_empty());
        (text("login"), text("name"))
    });
    authors.collect()
}

on_both_backends! {
    fn nobody_is_told_a_login_or_a_name_that_it_may_not_look_up(backend) {
        let world = World::new(backend);
        let (logins, names) = world.secrets();
        assert_eq!((logins.len(), names.len()), (PEOPLE.len() + 4, PEOPLE.len()));
        let secrets: BTreeSet<String> = logins.union(&names).cloned().collect();
        let mut leaks = Vec::new();
        for (who, client) in &world.readers {
            let known = may_know(client);
            for (path, answer) in answers(client) {
                let told = texts(&answer);
                let leaked: Vec<_> = told.intersection(&secrets).filter(|text| !known.contains(*text)).collect();
                if !leaked.is_empty() {
                    leaks.push(format!("{who}, {path}: {leaked:?}"));
                }
            }
        }
        leaks.dedup();
        assert!(leaks.is_empty(), "{leaks:#?}");
    }

    fn an_author_is_named_as_far_as_the_reader_may_know(backend) {
        let world = World::new(backend);
        let told = |who: &str| {
            let authors = authors(world.reader(who), "A").into_iter();
            authors.map(|(login, name)| format!("{login}/{name}")).collect::<Vec<_>>().join(", ")
        };
        let prefix = |name: &str| {
            let keys = world.admin.get("/v1/keys").json();
            let key = keys["items"].as_array().unwrap().iter().find(|key| key["name"] == name);
            key.unwrap()["prefix"].as_str().unwrap().to_owned()
        };
        let one = prefix("Phần mềm một");
        let chief = "login-chief/Ông Trưởng";
        assert_eq!(
            told("admin"),
            format!("admin/admin, {chief}, {one}/Phần mềm một, {chief}, login-clerk/Anh Báo")
        );
        assert_eq!(
            told("login-head"),
            format!("/, {chief}, {one}/Phần mềm một, {chief}, login-clerk/Anh Báo")
        );
        assert_eq!(told("login-manager"), format!("/, /, {one}/Phần mềm một, /, login-clerk/Anh Báo"));
        assert_eq!(told("login-clerk"), "/, /, /Phần mềm một, /, login-clerk/Anh Báo");
        assert_eq!(told("login-guest"), "/, /, /Phần mềm một, /, /Anh Báo");
        assert_eq!(told("Phần mềm một"), format!("/, /, {one}/Phần mềm một, /, /Anh Báo"));
        assert_eq!(told("Phần mềm hai"), "/, /, /Phần mềm một, /, /Anh Báo");
        assert_eq!(
            told("Phần mềm ba"),
            "/, /Ông Trưởng, /Phần mềm một, /Ông Trưởng, /Anh Báo"
        );
        let by = |who: &str| {
            let items = listed(world.reader(who), "&kind=submission.returned");
            items[0]["by"]["account"].clone()
        };
        let whole = by("admin");
        assert_eq!((&whole["login"], &whole["name"]), (&json!("login-chief"), &json!("Ông Trưởng")));
        let hidden = json!({"id": whole["id"], "login": "", "name": ""});
        assert_eq!(by("login-clerk"), hidden);
        // Who managed a person once, and does not now, still reads what happened then.
        let created = listed(world.reader("login-manager"), "&kind=account.created");
        let named: Vec<_> = created.iter().map(|item| item["account"]["login"].as_str().unwrap()).collect();
        assert_eq!(named, ["login-manager", "login-clerk", "login-hamlet", "", "login-guest"]);
    }
}
