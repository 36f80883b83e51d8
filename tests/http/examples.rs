//! The examples of the document work on a server with the demo, as they are printed: paths, queries and bodies.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Days;
use serde_json::{Value, json};

use super::openapi::{Operation, document, operations};
use crate::harness::server::now;
use crate::harness::{Answer, Backend, Client, Server};

/// All changes, in an order in which each finds what it needs.
const CHANGES: [&str; 45] = [
    "issue_token",
    "send_release",
    "receive_release",
    "send_release",
    "return_release",
    "send_release",
    "recall_release",
    "import_units",
    "create_unit",
    "put_level",
    "put_indicator",
    "put_form",
    "put_holidays",
    "put_submission",
    "withdraw_submission",
    "submit_submission",
    "approve_submission",
    "reopen_submission",
    "discard_submission",
    "approve_submissions",
    "batch_submissions",
    "import_submissions",
    "return_submission",
    "put_target",
    "put_extension",
    "put_subtree_reporting",
    "verify_rollup",
    "create_account",
    "import_accounts",
    "put_account",
    "put_grants",
    "invite_account",
    "disable_account",
    "enable_account",
    "hand_over_account",
    "create_key",
    "delete_key",
    "delete_extension",
    "delete_subtree_reporting",
    "preview_reorganisation",
    "create_reorganisation",
    "undo_reorganisation",
    "end_my_session",
    "end_my_sessions",
    "put_my_password",
];

/// The changes that one makes for oneself, each by somebody who has just signed in.
const OWN: [&str; 3] = ["end_my_session", "end_my_sessions", "put_my_password"];

/// The code of its example is of no invitation: a real one is shown once.
const LEFT_OUT: [&str; 1] = ["accept_invitation"];

/// Days of examples that must not be past, which they will be: the test sends one in half a year.
const PASSING: [(&str, &str); 3] = [
    ("create_key", "/last_day"),
    ("hand_over_account", "/on"),
    ("put_grants", "/1/to"),
];

/// Sends examples, and remembers the ids of what they made.
struct Sender {
    operations: Vec<Operation>,
    ids: BTreeMap<&'static str, String>,
}

impl Sender {
    fn operation(&self, id: &str) -> &Operation {
        let mut operations = self.operations.iter();
        operations.find(|operation| operation.id == id).expect(id)
    }

    /// The path with the examples of its names, or the ids that are known, and with what its query needs.
    fn path(&self, operation: &Operation) -> String {
        let mut path = operation.path.clone();
        for named in operation.parameters("path") {
            let name = named["name"].as_str().unwrap();
            let value = match self.ids.get(name) {
                Some(id) => id.clone(),
                None => example_of(named),
            };
            path = path.replace(&format!("{{{name}}}"), &value);
        }
        let needed = operation.parameters("query").into_iter();
        let needed = needed.filter(|parameter| operation.needs(parameter));
        let query: Vec<String> = needed.map(in_query).collect();
        format!("{path}?{}", query.join("&"))
    }

    /// Keeps a draft over the submission of the examples, so that there is one to discard.
    #[track_caller]
    fn keep_draft(&self, client: &Client) {
        let path = self.path(self.operation("put_submission"));
        let draft = client
            .with("If-Match", "*")
            .put(&path, &json!({"values": []}));
        draft.expect_status(200);
    }

    #[track_caller]
    fn change(&mut self, client: &Client, id: &str) -> Answer {
        let operation = self.operation(id);
        let path = self.path(operation);
        let content = operation.body["requestBody"]["content"].as_object();
        // Bytes are printed nowhere, so what can come as text is sent as text.
        let is_text = |(media_type, _): &(&String, &Value)| media_type.starts_with("text/");
        let content = content.and_then(|content| content.iter().max_by_key(is_text));
        let content_type = content.map(|(media_type, _)| media_type.as_str());
        let body = content.map_or(String::new(), |(media_type, content)| {
            body_of(id, media_type, content["example"].clone())
        });
        let method = operation.method.to_uppercase();
        let send = |client: &Client| client.send(&method, &path, content_type, body.as_bytes());
        let answer = match operation.takes_header("If-Match") {
            false => send(client),
            true => match send(&client.with("If-Match", "*")) {
                nothing_there if nothing_there.status == 412 => {
                    send(&client.with("If-None-Match", "*"))
                }
                answer => answer,
            },
        };
        assert!(
            (200..300).contains(&answer.status),
            "{id} {path}: {}",
            answer.text
        );
        let (made, field) = match id {
            "create_account" => ("account", "id"),
            "create_key" => ("key", "id"),
            "create_reorganisation" => ("reorganisation", "id"),
            "send_release" => ("number", "number"),
            "put_submission" => ("receipt", "receipt"),
            _ => return answer,
        };
        let made_id = match &answer.json()[field] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.ids.insert(made, made_id);
        answer
    }

    /// Sends every read, and once more with each example of its query.
    #[track_caller]
    fn read_all(&self, client: &Client) {
        for operation in self
            .operations
            .iter()
            .filter(|operation| operation.method == "get")
        {
            let path = self.path(operation);
            let examples = operation.parameters("query").into_iter();
            let examples = examples.filter(|parameter| parameter.get("example").is_some());
            let examples = examples.filter(|parameter| !operation.needs(parameter));
            let asked = std::iter::once(path.clone());
            for path in asked.chain(examples.map(|asked| format!("{path}&{}", in_query(asked)))) {
                let answer = client.get(&path);
                assert_eq!(
                    answer.status, 200,
                    "{} {path}: {}",
                    operation.id, answer.text
                );
            }
        }
    }
}

fn example_of(parameter: &Value) -> String {
    match &parameter["example"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn in_query(parameter: &Value) -> String {
    let name = parameter["name"].as_str().unwrap();
    format!("{name}={}", example_of(parameter))
}

fn body_of(id: &str, media_type: &str, mut example: Value) -> String {
    for (_, day) in PASSING.iter().filter(|(passing, _)| *passing == id) {
        let later = now().date_naive() + Days::new(180);
        *example.pointer_mut(day).unwrap() = json!(later.to_string());
    }
    match (media_type, &example) {
        ("application/x-www-form-urlencoded", Value::Object(fields)) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
            fields.collect::<Vec<_>>().join("&")
        }
        (_, Value::String(text)) => text.clone(),
        (_, example) => example.to_string(),
    }
}

#[test]
fn every_example_of_the_document_works_on_the_demo_as_it_is_printed() {
    let server = Server::with_demo(Backend::Sqlite);
    let admin = server.sign_in("mttq-an-giang", "admin@demo");
    let mut sender = Sender {
        operations: operations(&document()),
        ids: BTreeMap::new(),
    };
    let first = |path: &str| {
        let listed = admin.get(path).expect_status(200).json();
        listed["items"][0]["id"].as_str().unwrap().to_owned()
    };
    sender
        .ids
        .insert("reorganisation", first("/v1/reorganisations"));
    for id in CHANGES {
        // The reads come while all is there, and before the map of its example.
        if id == "delete_key" {
            sender.read_all(&admin);
        }
        if OWN.contains(&id) {
            let hamlet = server.sign_in("mttq-an-giang", "hamlet@demo");
            let sessions = hamlet.get("/v1/me/sessions").expect_status(200).json();
            let session = sessions["items"][0]["id"].as_str().unwrap().to_owned();
            sender.ids.insert("session", session);
            sender.change(&hamlet, id);
        } else {
            if id == "discard_submission" {
                sender.keep_draft(&admin);
            }
            sender.change(&admin, id);
        }
    }
    let sent: BTreeSet<&str> = CHANGES.into_iter().chain(LEFT_OUT).collect();
    let changes = sender
        .operations
        .iter()
        .filter(|operation| operation.method != "get");
    let changes: BTreeSet<&str> = changes.map(|operation| operation.id.as_str()).collect();
    assert_eq!(sent, changes);
}
