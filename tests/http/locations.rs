//! What a change created can be read at once where its Location says.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::openapi::{Operation, document, operations};
use crate::harness::server::now;
use crate::harness::town::{form, indicator};
use crate::harness::{Answer, Backend, Client, Server};

/// The operations whose 201 has a Location.
fn creating(document: &Value) -> BTreeSet<String> {
    let creating = operations(document).into_iter().filter(|operation| {
        let created = operation.responses().get("201");
        created.is_some_and(|created| created["headers"]["Location"].is_object())
    });
    creating.map(|operation| operation.id).collect()
}

/// Tells whether a path is one of an operation's.
fn is_of(path: &str, operation: &Operation) -> bool {
    let (parts, template) = (path.split('/'), operation.path.split('/'));
    parts.clone().count() == template.clone().count()
        && parts
            .zip(template)
            .all(|(part, name)| name.starts_with('{') || part == name)
}

/// Follows Locations, and notes which operations gave them.
struct Follower<'c> {
    admin: &'c Client,
    reads: Vec<Operation>,
    followed: BTreeSet<String>,
}

impl Follower<'_> {
    #[track_caller]
    fn follow(&mut self, operation: &str, answer: Answer) -> Answer {
        let created = answer.expect_status(201);
        let location = created.header("location").unwrap();
        let read = self.reads.iter().find(|read| is_of(location, read));
        assert!(read.is_some(), "{operation}: no operation reads {location}");
        self.admin.get(location).expect_status(200);
        self.followed.insert(operation.to_owned());
        created
    }
}

fn create_catalogue(follower: &mut Follower<'_>) {
    let admin = follower.admin;
    let level = json!({"name": {"vi": "Tổ"}, "rank": 5});
    let created = admin.put("/v1/levels/group", &level);
    let created = follower.follow("put_level", created);
    let read = admin.get("/v1/levels/group");
    assert_eq!((read.etag(), read.json()), (created.etag(), created.json()));
    let created = admin.put("/v1/indicators/x", &indicator("sum"));
    follower.follow("put_indicator", created);
    let holidays = admin.put("/v1/holidays/2026", &json!({"days": []}));
    follower.follow("put_holidays", holidays);
    let mut dated = form(&["x"]);
    dated["deadlines"] = json!({"hamlet": 1});
    follower.follow("put_form", admin.put("/v1/forms/f", &dated));
}

fn create_units_and_reports(follower: &mut Follower<'_>) {
    let admin = follower.admin;
    let unit = json!({"code": "B2", "name": "Ấp", "level": "hamlet", "parent": "code:B"});
    follower.follow("create_unit", admin.post_json("/v1/units", &unit));
    let of_unit = "/v1/forms/f/periods/2024/units/code:A1";
    let target = admin.put(&format!("{of_unit}/targets/x"), &json!({"value": 5}));
    follower.follow("put_target", target);
    let extension = json!({"until": "2024-12-31", "reason": "Lũ"});
    let extension = admin.put(&format!("{of_unit}/extension"), &extension);
    follower.follow("put_extension", extension);
    let path = "/v1/forms/f/units/code:B/subtree-reporting";
    let arranged = admin.put(path, &json!({"from": "2030"}));
    follower.follow("put_subtree_reporting", arranged);
    let values = json!({"values": [{"indicator": "x", "value": 1}]});
    let submission = admin.create(&format!("{of_unit}/submission"), &values);
    follower.follow("put_submission", submission);
    let accept = json!([{"unit": "code:A1", "reason": "Chưa gửi"}]);
    let sent = admin.post_json(&format!("{of_unit}/releases"), &json!({"accept": accept}));
    follower.follow("send_release", sent);
    let document = json!({
        "effective": "2025-02-01", "legal_basis": "NQ",
        "steps": [{"op": "rename", "unit": "code:A1", "name": "Ấp Mới"}],
    });
    let made = admin.post_json("/v1/reorganisations", &document);
    follower.follow("create_reorganisation", made);
}

fn create_people_and_keys(follower: &mut Follower<'_>) {
    let admin = follower.admin;
    let account = json!({
        "login": "one", "name": "One", "grants": [{"role": "viewer", "unit": "code:A"}],
    });
    let created = admin.post_json("/v1/accounts", &account);
    let created = follower.follow("create_account", created).json();
    let path = format!("/v1/accounts/{}", created["id"].as_str().unwrap());
    let invited = admin.post(&format!("{path}/invitation"));
    follower.follow("invite_account", invited);
    let next = json!({"login": "two", "name": "Two", "on": "2090-01-01"});
    let seen = admin.get(&path).etag().to_owned();
    let handed = admin.with("If-Match", &seen);
    let handed = handed.post_json(&format!("{path}/hand-over"), &next);
    follower.follow("hand_over_account", handed);
    let last_day = now().date_naive() + chrono::Days::new(9);
    let key = json!({"name": "key", "operations": ["read"], "last_day": last_day});
    let created = follower.follow("create_key", admin.post_json("/v1/keys", &key));
    let mut created = created.json();
    created.as_object_mut().unwrap().remove("secret");
    let path = format!("/v1/keys/{}", created["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).json(), created);
}

#[test]
fn what_was_created_answers_where_its_location_says() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    let document = document();
    let all = operations(&document).into_iter();
    let mut follower = Follower {
        admin: &admin,
        reads: all.filter(|operation| operation.method == "get").collect(),
        followed: BTreeSet::new(),
    };
    create_catalogue(&mut follower);
    create_units_and_reports(&mut follower);
    create_people_and_keys(&mut follower);
    assert_eq!(follower.followed, creating(&document));
}
