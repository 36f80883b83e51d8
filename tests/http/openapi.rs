//! The OpenAPI document: the checked-in file is the generated one, it is complete, and the server
//! does what it says.
//!
//! `UPDATE_OPENAPI=1` writes `openapi/openapi.json` and `openapi/openapi-text.json` anew.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tonghop::authz::{self, Audience};

use crate::harness::server::{PASSWORD, now};
use crate::harness::{Answer, Backend, Client, Server};

/// Parameters without which a read is refused, though others may stand in their place.
const ALTERNATIVES: [(&str, &str); 1] = [("get_table", "period")];

/// The operations of the design's table that exist so far, with their methods and paths.
const OPERATIONS: [(&str, &str, &str); 80] = [
    ("issue_token", "post", "/v1/auth/token"),
    ("get_me", "get", "/v1/me"),
    ("list_my_tasks", "get", "/v1/me/tasks"),
    ("list_sign_ins", "get", "/v1/sign-ins"),
    ("list_keys", "get", "/v1/keys"),
    ("create_key", "post", "/v1/keys"),
    ("get_key", "get", "/v1/keys/{key}"),
    ("delete_key", "delete", "/v1/keys/{key}"),
    ("list_units", "get", "/v1/units"),
    ("get_unit", "get", "/v1/units/{unit}"),
    ("create_unit", "post", "/v1/units"),
    ("import_units", "post", "/v1/units/import"),
    ("list_levels", "get", "/v1/levels"),
    ("get_level", "get", "/v1/levels/{level}"),
    ("put_level", "put", "/v1/levels/{level}"),
    ("create_reorganisation", "post", "/v1/reorganisations"),
    (
        "preview_reorganisation",
        "post",
        "/v1/reorganisations/preview",
    ),
    ("list_reorganisations", "get", "/v1/reorganisations"),
    (
        "get_reorganisation",
        "get",
        "/v1/reorganisations/{reorganisation}",
    ),
    (
        "undo_reorganisation",
        "post",
        "/v1/reorganisations/{reorganisation}/undo",
    ),
    ("list_indicators", "get", "/v1/indicators"),
    ("get_indicator", "get", "/v1/indicators/{indicator}"),
    ("put_indicator", "put", "/v1/indicators/{indicator}"),
    ("list_forms", "get", "/v1/forms"),
    ("get_form", "get", "/v1/forms/{form}"),
    ("put_form", "put", "/v1/forms/{form}"),
    ("list_periods", "get", "/v1/forms/{form}/periods"),
    ("get_holidays", "get", "/v1/holidays/{year}"),
    ("put_holidays", "put", "/v1/holidays/{year}"),
    (
        "get_submission",
        "get",
        "/v1/forms/{form}/periods/{period}/units/{unit}/submission",
    ),
    (
        "put_submission",
        "put",
        "/v1/forms/{form}/periods/{period}/units/{unit}/submission",
    ),
    (
        "submit_submission",
        "post",
        "/v1/forms/{form}/periods/{period}/units/{unit}/submission/submit",
    ),
    (
        "withdraw_submission",
        "post",
        "/v1/forms/{form}/periods/{period}/units/{unit}/submission/withdraw",
    ),
    (
        "discard_submission",
        "post",
        "/v1/forms/{form}/periods/{period}/units/{unit}/submission/discard",
    ),
    (
        "approve_submission",
        "post",
        "/v1/forms/{form}/periods/{period}/units/{unit}/submission/approve",
    ),
    ("approve_submissions", "post", "/v1/submissions/approve"),
    ("batch_submissions", "post", "/v1/submissions/batch"),
    ("import_submissions", "post", "/v1/submissions/import"),
    (
        "return_submission",
        "post",
        "/v1/forms/{form}/periods/{period}/units/{unit}/submission/return",
    ),
    (
        "reopen_submission",
        "post",
        "/v1/forms/{form}/periods/{period}/units/{unit}/submission/reopen",
    ),
    (
        "list_revisions",
        "get",
        "/v1/forms/{form}/periods/{period}/units/{unit}/submission/revisions",
    ),
    (
        "get_extension",
        "get",
        "/v1/forms/{form}/periods/{period}/units/{unit}/extension",
    ),
    (
        "put_extension",
        "put",
        "/v1/forms/{form}/periods/{period}/units/{unit}/extension",
    ),
    (
        "delete_extension",
        "delete",
        "/v1/forms/{form}/periods/{period}/units/{unit}/extension",
    ),
    (
        "get_subtree_reporting",
        "get",
        "/v1/forms/{form}/units/{unit}/subtree-reporting",
    ),
    (
        "get_template",
        "get",
        "/v1/forms/{form}/periods/{period}/units/{unit}/submission/template",
    ),
    (
        "get_sheet",
        "get",
        "/v1/forms/{form}/periods/{period}/units/{unit}/sheet",
    ),
    (
        "put_subtree_reporting",
        "put",
        "/v1/forms/{form}/units/{unit}/subtree-reporting",
    ),
    (
        "delete_subtree_reporting",
        "delete",
        "/v1/forms/{form}/units/{unit}/subtree-reporting",
    ),
    (
        "get_rollup",
        "get",
        "/v1/forms/{form}/periods/{period}/units/{unit}/rollup",
    ),
    (
        "get_completeness",
        "get",
        "/v1/forms/{form}/periods/{period}/units/{unit}/completeness",
    ),
    (
        "get_lineage",
        "get",
        "/v1/forms/{form}/periods/{period}/units/{unit}/rollup/lineage",
    ),
    (
        "verify_rollup",
        "post",
        "/v1/forms/{form}/periods/{period}/units/{unit}/rollup/verify",
    ),
    ("get_series", "get", "/v1/forms/{form}/units/{unit}/series"),
    ("get_table", "get", "/v1/forms/{form}/units/{unit}/table"),
    (
        "get_target",
        "get",
        "/v1/forms/{form}/periods/{period}/units/{unit}/targets/{indicator}",
    ),
    (
        "put_target",
        "put",
        "/v1/forms/{form}/periods/{period}/units/{unit}/targets/{indicator}",
    ),
    (
        "send_release",
        "post",
        "/v1/forms/{form}/periods/{period}/units/{unit}/releases",
    ),
    (
        "list_releases",
        "get",
        "/v1/forms/{form}/periods/{period}/units/{unit}/releases",
    ),
    (
        "get_release",
        "get",
        "/v1/forms/{form}/periods/{period}/units/{unit}/releases/{number}",
    ),
    (
        "receive_release",
        "post",
        "/v1/forms/{form}/periods/{period}/units/{unit}/releases/{number}/receive",
    ),
    (
        "return_release",
        "post",
        "/v1/forms/{form}/periods/{period}/units/{unit}/releases/{number}/return",
    ),
    (
        "recall_release",
        "post",
        "/v1/forms/{form}/periods/{period}/units/{unit}/releases/{number}/recall",
    ),
    ("get_receipt", "get", "/v1/receipts/{receipt}"),
    ("list_changes", "get", "/v1/changes"),
    ("import_accounts", "post", "/v1/accounts/import"),
    ("accept_invitation", "post", "/v1/auth/invitation"),
    ("put_my_password", "put", "/v1/me/password"),
    ("list_my_sessions", "get", "/v1/me/sessions"),
    ("end_my_session", "delete", "/v1/me/sessions/{session}"),
    ("end_my_sessions", "delete", "/v1/me/sessions"),
    ("list_accounts", "get", "/v1/accounts"),
    ("create_account", "post", "/v1/accounts"),
    ("get_account", "get", "/v1/accounts/{account}"),
    ("put_account", "put", "/v1/accounts/{account}"),
    ("put_grants", "put", "/v1/accounts/{account}/grants"),
    (
        "invite_account",
        "post",
        "/v1/accounts/{account}/invitation",
    ),
    ("disable_account", "post", "/v1/accounts/{account}/disable"),
    ("enable_account", "post", "/v1/accounts/{account}/enable"),
    (
        "hand_over_account",
        "post",
        "/v1/accounts/{account}/hand-over",
    ),
];

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

fn generated() -> String {
    let document = tonghop::http::openapi::document();
    format!("{}\n", document.to_pretty_json().unwrap())
}

pub fn document() -> Value {
    serde_json::from_str(&generated()).unwrap()
}

/// One operation of the document.
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub(super) body: Value,
}

impl Operation {
    pub(super) fn parameters(&self, place: &str) -> Vec<&Value> {
        let parameters = self.body["parameters"].as_array().unwrap().iter();
        parameters
            .filter(|parameter| parameter["in"] == place)
            .collect()
    }

    pub fn responses(&self) -> &Map<String, Value> {
        self.body["responses"].as_object().unwrap()
    }

    fn is_public(&self) -> bool {
        let operation: authz::Operation = self.id.parse().unwrap();
        operation.audience() == Audience::Public
    }

    pub fn takes_header(&self, name: &str) -> bool {
        let headers = self.parameters("header");
        headers.iter().any(|header| header["name"] == name)
    }

    pub fn takes_query(&self, name: &str) -> bool {
        let queries = self.parameters("query");
        queries.iter().any(|query| query["name"] == name)
    }

    /// A problem blames no parameter that the operation does not have.
    #[track_caller]
    fn expect_own_parameters(&self, answer: &Answer) {
        let is_problem = answer.header("content-type") == Some("application/problem+json");
        let errors = is_problem.then(|| answer.json()["errors"].clone());
        let errors = errors.as_ref().and_then(Value::as_array);
        for error in errors.into_iter().flatten() {
            let Some(blamed) = error["parameter"].as_str() else {
                continue;
            };
            let mut known = ["path", "query"]
                .into_iter()
                .flat_map(|place| self.parameters(place));
            // One that nobody knows is blamed for that.
            assert!(
                error["code"] == "UNKNOWN_PARAMETER" || known.any(|known| known["name"] == blamed),
                "{} has no {blamed}: {}",
                self.id,
                answer.text
            );
        }
    }

    fn has_etag(&self, status: &str) -> bool {
        self.responses()[status]["headers"]["ETag"].is_object()
    }

    /// Calls the operation with something in the place of each name, what its query needs, and the
    /// body if it takes one.
    pub fn call(&self, client: &Client, body: &str) -> Answer {
        self.call_on(client, &[], body)
    }

    /// Calls the operation with some of its names given: `("{unit}", "code:A")`.
    pub fn call_on(&self, client: &Client, names: &[(&str, &str)], body: &str) -> Answer {
        self.call_asking(client, names, &[], body)
    }

    /// Like [`Operation::call_on`], with more in its query.
    pub fn call_asking(
        &self,
        client: &Client,
        names: &[(&str, &str)],
        asked: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let content = self.body["requestBody"]["content"].as_object();
        let content_type = content.and_then(|content| content.keys().next());
        let queries = self.parameters("query").into_iter();
        let needed = queries.filter(|parameter| self.needs(parameter));
        let needed = needed.map(|needed| (needed["name"].as_str().unwrap(), "2024"));
        let query: Vec<String> = needed
            .chain(asked.iter().copied())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let path = format!("{}?{}", self.filled_path(names), query.join("&"));
        let body = content_type.map_or("", |_| body).as_bytes();
        let content_type = content_type.map(String::as_str);
        client.send(&self.method.to_uppercase(), &path, content_type, body)
    }

    /// True if a request is refused without this parameter of its query.
    pub fn needs(&self, parameter: &Value) -> bool {
        let name = parameter["name"].as_str().unwrap();
        parameter["required"] == true || ALTERNATIVES.contains(&(self.id.as_str(), name))
    }

    /// True if the path has this name.
    pub fn names(&self, name: &str) -> bool {
        self.path.contains(name)
    }

    /// The path with something in the place of each parameter.
    fn filled_path(&self, names: &[(&str, &str)]) -> String {
        let usual = [
            ("{form}", "mttq.annual"),
            ("{period}", "2024"),
            ("{unit}", "code:30388-01"),
            ("{level}", "commune"),
            ("{year}", "2026"),
            ("{indicator}", "docs.issued"),
            ("{number}", "1"),
            ("{reorganisation}", "0191e4a5-6d1c-7c3a-9a60-2f6d0c9b1a11"),
            ("{account}", "0191e4a5-6d1c-7c3a-9a60-2f6d0c9b1a11"),
            ("{session}", "0191e4a5-6d1c-7c3a-9a60-2f6d0c9b1a11"),
            ("{key}", "0191e4a5-6d1c-7c3a-9a60-2f6d0c9b1a11"),
        ];
        let names = names.iter().chain(&usual);
        names.fold(self.path.clone(), |path, (name, value)| {
            path.replace(name, value)
        })
    }
}

pub fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let item = item.as_object().unwrap().iter();
            let operations = item.filter(|(method, _)| METHODS.contains(&method.as_str()));
            operations.map(|(method, body)| Operation {
                id: body["operationId"].as_str().unwrap().to_owned(),
                method: method.clone(),
                path: path.clone(),
                body: body.clone(),
            })
        })
        .collect()
}

/// Calls `see` with every object of a document, at any depth.
fn walk<'v>(value: &'v Value, see: &mut impl FnMut(&'v Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            see(fields);
            fields.values().for_each(|field| walk(field, see));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        _ => {}
    }
}

fn references(value: &Value) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    walk(value, &mut |fields| {
        found.extend(fields.get("$ref").and_then(Value::as_str));
    });
    found
}

/// The document for clients that take exact numbers as text.
fn generated_with_text() -> String {
    let document = tonghop::http::openapi::document();
    let document = tonghop::http::openapi::with_numbers_as_text(&document).unwrap();
    format!("{}\n", document.to_pretty_json().unwrap())
}

#[test]
fn the_checked_in_documents_are_what_the_code_makes() {
    for (name, generated) in [
        ("openapi.json", generated()),
        ("openapi-text.json", generated_with_text()),
    ] {
        let path = format!("{}/openapi/{name}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(&path, &generated).unwrap();
        }
        let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            checked_in == generated,
            "openapi/{name} is out of date: run UPDATE_OPENAPI=1 cargo test openapi"
        );
    }
}

#[test]
fn a_server_shows_both_documents() {
    let server = Server::with_demo(Backend::Sqlite);
    let client = server.anonymous();
    assert_eq!(client.get("/openapi.json").text, generated());
    assert_eq!(client.get("/openapi-text.json").text, generated_with_text());
}

/// A number that is exact is a string there, and all else is the same.
#[test]
fn in_the_document_for_text_every_exact_number_is_a_string() {
    let usual = document();
    let text: Value = serde_json::from_str(&generated_with_text()).unwrap();
    let mut exact = 0;
    let mut open = vec![(&usual, &text)];
    while let Some((usual, text)) = open.pop() {
        match (usual, text) {
            (Value::Object(usual), Value::Object(text)) => {
                if usual.get("format") == Some(&json!("decimal")) {
                    exact += 1;
                    let types = text["type"].to_string();
                    assert!(
                        types.contains("string") && !types.contains("number"),
                        "{types}"
                    );
                    assert!(text.contains_key("pattern") && !text.contains_key("format"));
                    continue;
                }
                let names = |object: &Map<String, Value>| -> Vec<String> {
                    object.keys().cloned().collect()
                };
                assert_eq!(names(usual), names(text));
                let pairs = usual.iter().filter(|(name, _)| *name != "example");
                open.extend(pairs.map(|(name, value)| (value, &text[name])));
            }
            (Value::Array(usual), Value::Array(text)) => {
                assert_eq!(usual.len(), text.len());
                open.extend(usual.iter().zip(text));
            }
            // The description of the whole says what is different.
            (Value::String(usual), Value::String(text)) if text.starts_with(usual.as_str()) => {}
            _ => assert_eq!(usual, text),
        }
    }
    assert!(exact > 10, "{exact}");
}

#[test]
fn an_operation_with_exact_numbers_says_how_to_get_them_as_text() {
    let document = document();
    let with_preference = operations(&document);
    let with_preference = with_preference
        .iter()
        .filter(|operation| operation.takes_header("Prefer"))
        .inspect(|operation| {
            let answers = operation.responses().iter();
            let mut answers = answers.filter(|(status, _)| status.starts_with('2'));
            assert!(
                answers.all(|(_, answer)| answer["headers"]["Preference-Applied"].is_object()),
                "{}",
                operation.id
            );
        });
    let ids: BTreeSet<&str> = with_preference
        .map(|operation| operation.id.as_str())
        .collect();
    for id in ["get_rollup", "get_series", "put_submission", "put_target"] {
        assert!(ids.contains(id), "{id}");
    }
    assert!(!ids.contains("list_units") && !ids.contains("get_me"));
}

/// A generated client refuses a value that is not in `enum`.
#[test]
fn a_client_made_today_reads_a_value_of_tomorrow() {
    let document = document();
    let mut open = 0;
    let named_by_answers = schemas_of_answers_alone(&document);
    for name in &named_by_answers {
        let schema = &document["components"]["schemas"][name];
        walk(schema, &mut |object| {
            let closed = object.get("enum").and_then(Value::as_array);
            assert!(closed.is_none_or(|values| values.len() == 1), "{name}");
            if let Some(known) = object.get("x-extensible-enum").and_then(Value::as_array) {
                open += 1;
                assert!(known.len() > 1, "{name}");
                let description = object["description"].as_str().unwrap();
                assert!(description.contains("Later versions may have more"));
                let mut tomorrow = schema.clone();
                tomorrow["components"] = document["components"].clone();
                let validator = jsonschema::validator_for(&tomorrow).unwrap();
                assert!(schema["type"] != "string" || validator.is_valid(&json!("of tomorrow")));
            }
        });
    }
    assert!(open >= 8, "{open}");
    let schemas = &document["components"]["schemas"];
    for name in ["ProblemCode", "ChangeKind", "Status", "AccountStatus"] {
        assert!(schemas[name]["x-extensible-enum"].is_array(), "{name}");
    }
    let codes = schemas["ProblemCode"]["x-extensible-enum"].as_array();
    assert_eq!(codes.unwrap().len(), tonghop::error::Code::ALL.len());
}

/// The names of the schemas that no request uses.
fn schemas_of_answers_alone(document: &Value) -> BTreeSet<String> {
    let mut asked = BTreeSet::new();
    let operations = operations(document);
    let mut open: Vec<&Value> = Vec::new();
    for operation in &operations {
        open.push(&operation.body["requestBody"]);
    }
    while let Some(part) = open.pop() {
        for reference in references(part) {
            let name = reference.rsplit('/').next().unwrap().to_owned();
            if asked.insert(name.clone()) {
                open.push(&document["components"]["schemas"][name]);
            }
        }
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let names = schemas.keys().filter(|name| !asked.contains(*name));
    names.cloned().collect()
}

/// Each file of examples is for an operation, and each of its examples fits what it is for.
#[test]
fn every_body_has_an_example_and_every_example_fits() {
    let document = document();
    let operations = operations(&document);
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/examples");
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let id = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            operations.iter().any(|operation| operation.id == id),
            "{path:?} is for no operation"
        );
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(serde_json::from_str::<Value>(&text).is_ok(), "{path:?}");
    }
    let mut shown = 0;
    for operation in &operations {
        let id = &operation.id;
        let bodies = operation.body["requestBody"]["content"].as_object();
        for content in bodies.into_iter().flat_map(Map::values) {
            assert!(
                !content["example"].is_null(),
                "{id}: its body has no example"
            );
        }
        let answers = operation.responses().values();
        let answers = answers.flat_map(|answer| answer["content"].as_object());
        let contents = answers.chain(bodies).flat_map(Map::values);
        for content in contents.filter(|content| content.get("example").is_some()) {
            shown += 1;
            let schema = json!({
                "allOf": [content["schema"]],
                "components": document["components"],
            });
            let options = jsonschema::options().should_validate_formats(true);
            let validator = options.build(&schema).unwrap();
            let faults: Vec<String> = validator
                .iter_errors(&content["example"])
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{id}: {faults:#?}");
        }
    }
    assert!(shown > 30, "{shown}");
}

/// The examples are made by the code that answers, so their sentences are those of the server.
#[test]
fn every_problem_has_an_example_with_its_status() {
    let document = document();
    let schema = json!({
        "$ref": "#/components/schemas/ProblemBody",
        "components": document["components"],
    });
    let validator = jsonschema::validator_for(&schema).unwrap();
    for operation in operations(&document) {
        let id = &operation.id;
        for (status, answer) in operation.responses() {
            let problem = &answer["content"]["application/problem+json"];
            if problem.is_null() {
                continue;
            }
            let reference = problem["examples"]["problem"]["$ref"].as_str();
            let reference = reference.unwrap_or_else(|| panic!("{id} {status}: no example"));
            let example = &document.pointer(&reference[1..]).unwrap()["value"];
            assert_eq!(example["status"].to_string(), *status, "{id}");
            assert!(validator.is_valid(example), "{id} {status}: {example}");
        }
    }
}

#[test]
fn a_problem_s_example_is_what_the_server_answers() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    let english = admin.with("Accept-Language", "en");
    let backwards = json!({
        "name": {"vi": "Tổ"}, "rank": 5, "valid_from": "2025-02-01", "valid_to": "2025-01-01",
    });
    let nameless = json!({"rank": 5});
    let text = english.send("PUT", "/v1/levels/group", Some("text/plain"), b"x");
    let answers = [
        ("Unreadable", english.put("/v1/levels/group", &nameless)),
        ("AgainstRules", english.put("/v1/levels/group", &backwards)),
        ("NotThere", english.get("/v1/levels/ward")),
        ("WrongType", text),
        (
            "ConditionRequired",
            english.put(
                "/v1/levels/hamlet",
                &json!({"name": {"vi": "Ấp"}, "rank": 4}),
            ),
        ),
        (
            "Stale",
            english.with("If-Match", "\"0\"").put(
                "/v1/levels/hamlet",
                &json!({"name": {"vi": "Ấp"}, "rank": 4}),
            ),
        ),
    ];
    let examples = &document()["components"]["examples"];
    let without_id = |mut body: Value| {
        body.as_object_mut().unwrap().remove("request_id");
        body
    };
    for (name, answer) in answers {
        assert_eq!(
            without_id(answer.json()),
            without_id(examples[name]["value"].clone())
        );
    }
}

#[test]
fn a_number_that_fits_32_bits_says_so() {
    let mut limits = 0;
    for operation in operations(&document()) {
        for parameter in operation.parameters("query") {
            let schema = &parameter["schema"];
            if parameter["name"] == "limit" {
                limits += 1;
                let told = ["format", "minimum", "maximum"].map(|key| schema[key].clone());
                assert_eq!(
                    told,
                    [json!("int32"), json!(1), json!(1000)],
                    "{}",
                    operation.id
                );
            }
            if parameter["name"] == "after" {
                assert_eq!(schema["format"], "int64", "{}", operation.id);
            }
        }
    }
    assert!(limits > 5, "{limits}");
}

/// A field that is left out is not null: whoever forgets it takes nothing away.
#[test]
fn a_body_without_a_required_field_is_refused_by_the_name_of_the_field() {
    let server = Server::with_demo(Backend::Sqlite);
    let admin = server.sign_in("mttq-an-giang", "admin@demo");
    let document = document();
    let mut tried = BTreeSet::new();
    for operation in operations(&document) {
        let schema = &operation.body["requestBody"]["content"]["application/json"]["schema"];
        let schema = match schema["$ref"].as_str() {
            Some(reference) => document.pointer(&reference[1..]).unwrap(),
            None => schema,
        };
        let required = schema["required"].as_array().into_iter().flatten();
        let expected: BTreeSet<String> = required
            .map(|field| format!("/{} MISSING_FIELD", field.as_str().unwrap()))
            .collect();
        if expected.is_empty() {
            continue;
        }
        let answer = operation.call(&admin.with("If-Match", "*"), "{}");
        let missing = answer.expect_problem(400, "INVALID_BODY").into_iter();
        assert_eq!(
            missing.collect::<BTreeSet<_>>(),
            expected,
            "{}",
            operation.id
        );
        tried.insert(operation.id);
    }
    assert!(
        tried.len() > 10 && tried.contains("put_target"),
        "{tried:?}"
    );
}

/// The names of all fields of bodies that are required and may be null.
fn required_and_nullable(document: &Value) -> BTreeSet<&str> {
    let of_answers = schemas_of_answers_alone(document);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let of_bodies = schemas
        .iter()
        .filter(|(name, _)| !of_answers.contains(*name));
    let mut found = BTreeSet::new();
    for (_, schema) in of_bodies {
        walk(schema, &mut |object| {
            let required = object.get("required").and_then(Value::as_array);
            let names = required.into_iter().flatten().filter_map(Value::as_str);
            found.extend(names.filter(|name| {
                let field = &object["properties"][*name];
                let forms = field["oneOf"].as_array().into_iter().flatten();
                let mut types = forms.chain([field]).map(|form| form["type"].to_string());
                types.any(|types| types.contains("null") && types != "null")
            }));
        });
    }
    found
}

#[test]
fn a_field_that_may_be_null_is_missed_at_any_depth() {
    let document = document();
    // Each is tried here or, at the top of a body, above. One more needs a try of its own.
    let known = BTreeSet::from(["kind", "parent", "value"]);
    assert_eq!(required_and_nullable(&document), known);
    let server = Server::with_demo(Backend::Sqlite);
    let admin = server.sign_in("mttq-an-giang", "admin@demo");
    let unit = json!({"code": "1", "name": "Một", "level": "province"});
    for (step, missing) in [
        (
            json!({"op": "move", "unit": "code:30388"}),
            "/steps/0/parent",
        ),
        (
            json!({"op": "retype", "unit": "code:30388"}),
            "/steps/0/kind",
        ),
        (
            json!({"op": "create", "unit": unit}),
            "/steps/0/unit/parent",
        ),
    ] {
        let body = json!({"effective": "2027-01-01", "legal_basis": "Nghị quyết", "steps": [step]});
        for path in ["/v1/reorganisations", "/v1/reorganisations/preview"] {
            let refused = admin
                .post_json(path, &body)
                .expect_problem(400, "INVALID_BODY");
            assert_eq!(refused, [format!("{missing} MISSING_FIELD")], "{path}");
        }
    }
}

/// What reads a body, if only to see that there is none, refuses one that it cannot take.
#[test]
fn what_reads_a_body_says_how_it_refuses_one() {
    let server = Server::with_demo(Backend::Sqlite);
    let admin = server.sign_in("mttq-an-giang", "admin@demo");
    let packed = admin.with("Content-Encoding", "zstd").with("If-Match", "*");
    for operation in operations(&document()) {
        let id = &operation.id;
        let answer = operation.call(&packed, "{}");
        let is_refused = answer.status == 415;
        for status in ["408", "413", "415"] {
            let is_told = operation.responses().contains_key(status);
            assert_eq!(is_told, is_refused, "{id} {status}: {}", answer.text);
        }
    }
}

#[test]
fn headers_that_an_answer_has_are_those_of_the_document() {
    let server = Server::with_demo(Backend::Sqlite);
    let admin = server.sign_in("mttq-an-giang", "admin@demo");
    let gzip = admin
        .with("Accept-Encoding", "gzip")
        .with("Prefer", "numbers=text");
    let told = [
        "ETag",
        "Cache-Control",
        "Vary",
        "Content-Encoding",
        "Content-Language",
        "Preference-Applied",
        "Location",
        "Link",
        "Idempotency-Replayed",
        "Retry-After",
        "WWW-Authenticate",
        "RateLimit",
        "RateLimit-Policy",
        "X-Request-Id",
    ];
    let anonymous = server.anonymous();
    let document = document();
    let mut seen = BTreeSet::new();
    for operation in operations(&document) {
        for client in [&admin, &gzip, &anonymous] {
            let answer = operation.call_asking(client, &[], &[("limit", "1")], "{}");
            operation.expect_own_parameters(&answer);
            let status = answer.status.to_string();
            let Some(response) = operation.responses().get(&status) else {
                panic!("{} has no {status}: {}", operation.id, answer.text);
            };
            for header in told.iter().filter(|header| answer.header(header).is_some()) {
                // Every answer in JSON can prefer numbers as text; told where there are some.
                let is_needless = *header == "Preference-Applied";
                assert!(
                    response["headers"][*header].is_object() || is_needless,
                    "{} {status}: {header}",
                    operation.id
                );
                seen.insert(*header);
            }
        }
    }
    for header in ["ETag", "Link", "WWW-Authenticate", "Vary"] {
        assert!(seen.contains(header), "{header}");
    }
}

#[test]
fn every_reference_names_something_and_every_schema_is_referred_to() {
    let document = document();
    let references = references(&document);
    for reference in &references {
        let pointer = reference.strip_prefix('#').expect("a local reference");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in schemas.keys() {
        let reference = format!("#/components/schemas/{name}");
        assert!(
            references.contains(reference.as_str()),
            "nothing uses {name}"
        );
    }
}

#[test]
fn every_operation_of_the_design_has_its_name_its_method_and_its_path() {
    let document = document();
    let operations = operations(&document);
    let by_id: BTreeMap<&str, (&str, &str)> = operations
        .iter()
        .map(|operation| {
            (
                operation.id.as_str(),
                (operation.method.as_str(), operation.path.as_str()),
            )
        })
        .collect();
    assert_eq!(
        by_id.len(),
        operations.len(),
        "an operationId is there twice"
    );
    for (id, method, path) in OPERATIONS {
        assert_eq!(by_id.get(id), Some(&(method, path)), "{id}");
    }
}

#[test]
fn every_operation_says_what_it_does_and_how_it_can_fail() {
    let document = document();
    for operation in operations(&document) {
        let id = &operation.id;
        let summary = operation.body["summary"].as_str().unwrap_or_default();
        let description = operation.body["description"].as_str();
        assert!(description.is_some_and(|text| !text.is_empty()), "{id}");
        assert!(
            !summary.is_empty() && summary.len() <= 100,
            "{id}: {summary:?}"
        );
        let tags = operation.body["tags"].as_array().unwrap();
        let known = document["tags"].as_array().unwrap().iter();
        let known: Vec<&Value> = known.map(|tag| &tag["name"]).collect();
        assert!(
            tags.len() == 1 && known.contains(&&tags[0]),
            "{id}: {tags:?}"
        );
        for parameter in operation
            .parameters("path")
            .into_iter()
            .chain(operation.parameters("query"))
        {
            let description = parameter["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{id}: {parameter}");
        }
        for (status, response) in operation.responses() {
            let description = response["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{id} {status}");
            // Whoever probes wants the checks, whatever the status.
            let is_probe = id == "get_readyz" && status == "503";
            // What could not be read whole has no answer of ours.
            let is_unread = status == "431";
            if status.starts_with(['4', '5']) && !is_probe && !is_unread {
                let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/ProblemBody", "{id} {status}");
            }
        }
        let statuses: Vec<&str> = operation.responses().keys().map(String::as_str).collect();
        assert!(
            statuses.iter().any(|status| status.starts_with('2')),
            "{id}: {statuses:?}"
        );
        assert!(statuses.contains(&"500"), "{id}: {statuses:?}");
        let is_public = operation.is_public();
        let security = operation.body["security"].as_array().unwrap();
        assert_eq!(security.is_empty(), is_public, "{id}");
        assert!(is_public || statuses.contains(&"401"), "{id}: {statuses:?}");
    }
}

#[test]
fn a_query_parameter_that_may_be_left_out_is_not_nullable() {
    let document = document();
    for operation in operations(&document) {
        for parameter in operation.parameters("query") {
            let mut nullable = false;
            walk(parameter, &mut |fields| {
                let has_null = fields.get("type").is_some_and(|found| {
                    found == "null"
                        || found
                            .as_array()
                            .is_some_and(|types| types.contains(&json!("null")))
                });
                nullable |= has_null;
            });
            assert!(!nullable, "{}: {parameter}", operation.id);
        }
    }
}

#[test]
fn an_answer_always_has_all_its_fields() {
    let document = document();
    let operations = operations(&document);
    // The document of a reorganisation is shown as it may be sent again.
    let bodies = operations.iter().map(|operation| &operation.body);
    let sent: BTreeSet<&str> = bodies
        .flat_map(|body| references(&body["requestBody"]))
        .collect();
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<Value> = Vec::new();
    for operation in &operations {
        let answers = operation.responses().iter();
        let answers = answers.filter(|(status, _)| status.starts_with('2'));
        open.extend(answers.map(|(_, answer)| answer.clone()));
    }
    let mut missing = Vec::new();
    while let Some(schema) = open.pop() {
        walk(&schema, &mut |fields| {
            let Some(properties) = fields.get("properties").and_then(Value::as_object) else {
                return;
            };
            let required = fields.get("required").cloned().unwrap_or(json!([]));
            let optional = properties
                .keys()
                .filter(|name| !required.as_array().unwrap().contains(&json!(name)));
            let optional: Vec<&String> = optional.collect();
            if !optional.is_empty() {
                missing.push(format!("{optional:?} of {:?}", fields.get("description")));
            }
        });
        for reference in references(&schema) {
            // An answer for each of many items holds problems as they are everywhere.
            let is_problem = reference.ends_with("/ProblemBody");
            if !is_problem && !sent.contains(reference) && names.insert(reference.to_owned()) {
                open.push(document.pointer(&reference[1..]).unwrap().clone());
            }
        }
    }
    assert!(names.len() > 20, "{names:?}");
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_operation_needs_a_token_unless_it_is_public() {
    let server = Server::with_demo(Backend::Sqlite);
    let document = document();
    let mut refused = BTreeSet::new();
    let operations = operations(&document);
    for operation in &operations {
        let anonymous = server.anonymous();
        for client in [&anonymous, &anonymous.with_token("not.a.token")] {
            let answer = operation.call(client, "{}");
            if answer.status == 401 {
                assert!(
                    answer.header("www-authenticate").is_some(),
                    "{}",
                    operation.id
                );
                refused.insert(operation.id.as_str());
            } else {
                assert!(operation.is_public(), "{}: {}", operation.id, answer.text);
            }
        }
    }
    let guarded = operations.iter().filter(|operation| !operation.is_public());
    let guarded: BTreeSet<&str> = guarded.map(|operation| operation.id.as_str()).collect();
    assert_eq!(refused, guarded);
}

/// What a handler reads and what it says that it reads are two lists, so each is asked.
#[test]
fn the_headers_that_an_operation_reads_are_those_of_the_document() {
    let server = Server::with_demo(Backend::Sqlite);
    let admin = server.sign_in("mttq-an-giang", "admin@demo");
    for operation in operations(&document()) {
        let id = &operation.id;
        let reads = |header: &str| {
            // No header takes half a quotation.
            let answer = operation.call(&admin.with(header, "a\"b"), "{}");
            answer.status == 400 && answer.json()["code"] == "INVALID_HEADER"
        };
        for header in ["Idempotency-Key", "If-Match"] {
            assert_eq!(
                reads(header),
                operation.takes_header(header),
                "{id}: {header}"
            );
        }
        // What is read has an ETag to compare; only a PUT can be for what is not there yet.
        let may_be_seen = operation.method == "get" && operation.has_etag("200");
        assert_eq!(
            operation.responses().contains_key("304"),
            may_be_seen,
            "{id}"
        );
        let may_create = operation.method == "put" && operation.responses().contains_key("201");
        let is_told = operation.takes_header("If-None-Match");
        assert_eq!(is_told, may_be_seen || may_create, "{id}");
        let is_read = reads("If-None-Match");
        assert_eq!(
            is_read,
            is_told || operation.takes_header("If-Match"),
            "{id}"
        );
    }
}

/// All objects of a document, wherever they are.
fn objects(value: &Value) -> Vec<&serde_json::Map<String, Value>> {
    let mut found = Vec::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                found.push(fields);
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    found
}

#[test]
fn no_figure_of_the_document_is_a_float() {
    let document = document();
    let objects = objects(&document);
    let of_format = |format: &str| {
        let of_format = objects.iter().filter(|object| {
            let numbers = ["number", "null"].map(Value::from);
            let types = object.get("type");
            object.get("format") == Some(&Value::from(format))
                && (types == Some(&numbers[0]) || types == Some(&numbers.to_vec().into()))
        });
        of_format.count()
    };
    assert_eq!((of_format("double"), of_format("float")), (0, 0));
    assert!(of_format("decimal") > 10);
}

#[test]
fn each_variant_of_a_body_has_a_name_and_is_told_by_its_field() {
    let document = document();
    let steps = &document["components"]["schemas"]["StepDocument"];
    let mapping = steps["discriminator"]["mapping"].as_object().unwrap();
    assert_eq!(steps["discriminator"]["propertyName"], "op");
    assert_eq!(mapping.len(), 9);
    assert_eq!(
        mapping["abolish_level"],
        "#/components/schemas/AbolishLevelStep"
    );
    for (value, place) in mapping {
        let pointer = place.as_str().unwrap().strip_prefix('#').unwrap();
        let variant = document.pointer(pointer).unwrap();
        assert_eq!(variant["properties"]["op"]["enum"], json!([value]));
    }
    let inline = objects(&document)
        .into_iter()
        .flat_map(|object| object.get("oneOf"));
    let inline = inline.flat_map(|forms| forms.as_array().unwrap());
    let inline: Vec<&Value> = inline.filter(|form| form["type"] == "object").collect();
    assert!(inline.is_empty(), "{inline:?}");
}

/// Generators make a field with a default one that must be sent.
#[test]
fn no_field_has_a_default_but_in_words() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let with_default = objects(schemas);
    let with_default = with_default
        .iter()
        .filter(|object| object.contains_key("default"));
    assert_eq!(with_default.count(), 0);
    let late = &schemas["FormBody"]["properties"]["late"]["description"];
    assert!(
        late.as_str().unwrap().ends_with("By default `accept`."),
        "{late}"
    );
}

/// The names of a schema's fields, wherever it is written out.
fn fields_of(document: &Value, schema: &Value) -> BTreeSet<String> {
    let named = schema["$ref"].as_str();
    let schema = match named.and_then(|name| name.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap(),
        None => schema,
    };
    let fields = schema["properties"].as_object().into_iter().flatten();
    fields.map(|(name, _)| name.clone()).collect()
}

/// What only answers have cannot be assigned by sending it: not an id, not a rev, not a status.
#[test]
fn a_field_that_only_answers_have_is_refused_in_every_write() {
    let server = Server::with_demo(Backend::Sqlite);
    let admin = server.sign_in("mttq-an-giang", "admin@demo");
    let admin = admin.with("If-Match", "*");
    let document = document();
    let mut tried = 0;
    for operation in operations(&document) {
        let asked = &operation.body["requestBody"]["content"]["application/json"]["schema"];
        let taken = fields_of(&document, asked);
        if taken.is_empty() {
            continue;
        }
        let answers = operation.responses().iter();
        let answers = answers.filter(|(status, _)| status.starts_with('2'));
        let shown: BTreeSet<String> = answers
            .flat_map(|(_, answer)| {
                fields_of(&document, &answer["content"]["application/json"]["schema"])
            })
            .chain(["tenant_id", "id", "rev", "status"].map(str::to_owned))
            .collect();
        for field in shown.difference(&taken) {
            let answer = operation.call(&admin, &json!({field: "x"}).to_string());
            let what = format!("{} {field}: {}", operation.id, answer.text);
            assert_eq!(answer.status, 400, "{what}");
            let errors = answer.json()["errors"].clone();
            let mut errors = errors.as_array().unwrap().iter();
            let is_unknown = |error: &Value| {
                error["code"] == "UNKNOWN_FIELD" && error["pointer"] == format!("/{field}")
            };
            assert!(errors.any(is_unknown), "{what}");
            tried += 1;
        }
    }
    assert!(tried >= 60, "only {tried} fields");
}

/// Holds answers to the document.
struct Holder {
    document: Value,
    /// Each operation and status that was held.
    held: BTreeSet<(String, String)>,
}

impl Holder {
    fn new() -> Holder {
        Holder {
            document: document(),
            held: BTreeSet::new(),
        }
    }

    /// The answer itself, if the document has its status, its content type and its shape.
    #[track_caller]
    fn hold(&mut self, id: &str, answer: Answer) -> Answer {
        let operations = operations(&self.document);
        let operation = operations
            .iter()
            .find(|operation| operation.id == id)
            .expect(id);
        let status = answer.status.to_string();
        let response = operation.responses().get(&status);
        let response = response.unwrap_or_else(|| panic!("{id} has no {status}: {}", answer.text));
        operation.expect_own_parameters(&answer);
        let tag = answer.header("etag");
        assert_eq!(tag.is_some(), operation.has_etag(&status), "{id} {status}");
        let Some(content) = response["content"].as_object() else {
            assert_eq!((status.as_str(), answer.text.as_str()), ("204", ""), "{id}");
            self.held.insert((id.to_owned(), status));
            return answer;
        };
        let media_type = answer
            .header("content-type")
            .unwrap()
            .split(';')
            .next()
            .unwrap();
        let described = content.get(media_type);
        let described = described.unwrap_or_else(|| panic!("{id} {status} is no {media_type}"));
        if media_type.ends_with("json") {
            let schema = json!({
                "allOf": [described["schema"]],
                "components": self.document["components"],
            });
            let validator = jsonschema::options()
                .with_draft(jsonschema::Draft::Draft202012)
                .should_validate_formats(true)
                .build(&schema)
                .unwrap();
            let body = answer.json();
            let faults: Vec<String> = validator
                .iter_errors(&body)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{id} {status}: {faults:#?}");
        }
        self.held.insert((id.to_owned(), status));
        answer
    }
}

fn to_bodies(mut view: Value, without: &[&str]) -> Value {
    for field in without {
        view.as_object_mut().unwrap().remove(*field);
    }
    view
}

fn report(unit: &str, rest: &str) -> String {
    format!("/v1/forms/mttq.annual/periods/2024/units/code:{unit}/{rest}")
}

/// Sends a report up, and takes each of its steps.
fn hold_releases(holder: &mut Holder, admin: &Client) {
    let path = report("30388", "releases");
    let refused = holder.hold("send_release", admin.post_json(&path, &json!({})));
    refused.expect_problem(422, "INVALID_RELEASE");
    let hamlets = (1..=7).map(|hamlet| format!("code:30388-0{hamlet}"));
    let accept: Vec<Value> = hamlets
        .map(|unit| json!({"unit": unit, "reason": "Sẽ duyệt sau"}))
        .collect();
    let body = json!({
        "document": {"number": "25/BC", "place": "Tân An", "date": "2024-12-16"},
        "signer": {"capacity": "TM.", "office": "CHỦ TỊCH", "name": "An"},
        "recipients": ["Thị xã"], "accept": accept,
    });
    let reason = json!({"reason": "Sai"});
    for (number, step) in [(1, "receive"), (2, "return"), (3, "recall")] {
        let sent = holder.hold("send_release", admin.post_json(&path, &body));
        sent.expect_status(201);
        let waits = holder.hold("send_release", admin.post_json(&path, &body));
        waits.expect_problem(409, "RELEASE_WAITS");
        let one = format!("{path}/{number}");
        let read = holder.hold("get_release", admin.get(&format!("{one}?against=1")));
        let seen = admin.with("If-Match", read.expect_status(200).etag());
        let (id, step) = (format!("{step}_release"), format!("{one}/{step}"));
        let take = |client: &Client| match id.as_str() {
            "return_release" => client.post_json(&step, &reason),
            _ => client.post(&step),
        };
        let unseen = holder.hold(&id, take(admin));
        unseen.expect_problem(428, "PRECONDITION_REQUIRED");
        holder.hold(&id, take(&seen)).expect_status(200);
        let again = holder.hold(&id, take(&seen));
        again.expect_problem(412, "PRECONDITION_FAILED");
        let again = holder.hold(&id, take(&admin.with("If-Match", "*")));
        again.expect_problem(409, "WRONG_STATUS");
    }
    let listed = admin.get(&format!("{path}?limit=2"));
    holder.hold("list_releases", listed).expect_status(200);
    let missing = admin.get(&format!("{path}/9"));
    holder
        .hold("get_release", missing)
        .expect_problem(404, "RELEASE_NOT_FOUND");
}

/// Takes one submission through all its states.
fn hold_submission(holder: &mut Holder, admin: &Client) {
    let path = report("30388-08", "submission");
    let draft = json!({"values": [{"indicator": "fund.raised", "value": 5}],
                       "narrative": [{"section": "I", "text": "Lời"}]});
    let fresh = admin.with("If-None-Match", "*");
    holder
        .hold("put_submission", fresh.put(&path, &draft))
        .expect_status(201);
    holder
        .hold("put_submission", fresh.put(&path, &draft))
        .expect_problem(412, "PRECONDITION_FAILED");
    holder
        .hold("put_submission", admin.put(&path, &draft))
        .expect_problem(428, "PRECONDITION_REQUIRED");
    let seen = admin.with("If-Match", "*");
    holder
        .hold("put_submission", seen.put(&path, &draft))
        .expect_status(200);
    let wrong = json!({"values": [{"indicator": "nothing", "value": 5}]});
    holder
        .hold("put_submission", seen.put(&path, &wrong))
        .expect_status(422);
    let faulty = json!({"values": [{"indicator": 5}], "other": 1});
    holder
        .hold("put_submission", seen.put(&path, &faulty))
        .expect_status(400);
    holder
        .hold("submit_submission", seen.post(&format!("{path}/submit")))
        .expect_status(422);
    let path = report("30388", "submission");
    for (step, status) in [
        ("withdraw", 200),
        ("submit", 200),
        ("approve", 200),
        ("approve", 409),
        ("reopen", 200),
    ] {
        let id = format!("{step}_submission");
        holder
            .hold(&id, seen.post(&format!("{path}/{step}")))
            .expect_status(status);
    }
    let draft = json!({"values": []});
    holder
        .hold("put_submission", seen.put(&path, &draft))
        .expect_status(200);
    for status in [200, 409] {
        holder
            .hold("discard_submission", seen.post(&format!("{path}/discard")))
            .expect_status(status);
    }
    let etag = admin.get(&path).etag().to_owned();
    let item = |if_match: Value| json!({"form": "mttq.annual", "period": "2024", "unit": "code:30388", "if_match": if_match});
    let approvals = json!({"items": [item(json!(etag)), item(json!(etag)), item(Value::Null)]});
    let approve = |body: &Value| admin.post_json("/v1/submissions/approve", body);
    holder
        .hold("approve_submissions", approve(&approvals))
        .expect_status(207);
    holder
        .hold("approve_submissions", approve(&json!({"items": []})))
        .expect_status(400);
    let value = json!({"indicator": "fund.raised", "value": 5});
    let item = |unit: &str| {
        json!({"form": "mttq.annual", "period": "2024", "unit": format!("code:{unit}"), "if_match": "*",
               "values": [value.clone()], "submit": false})
    };
    let batch = |atomic: bool, items: &[Value]| {
        let body = json!({"atomic": atomic, "items": items});
        admin.post_json("/v1/submissions/batch", &body)
    };
    let (good, bad) = (item("30388-03"), item("nowhere"));
    let both = [good.clone(), bad];
    for (atomic, items, status) in [
        (true, &both[..1], 200),
        (true, &both, 422),
        (false, &both, 207),
        (false, &[], 400),
    ] {
        holder
            .hold("batch_submissions", batch(atomic, items))
            .expect_status(status);
    }
    for (value, status) in [("trên 24.500.000", 200), ("x", 422)] {
        let list = format!("unit,indicator,value\n30388-03,fund.raised,{value}\n");
        let path = "/v1/submissions/import?form=mttq.annual&period=2024";
        holder
            .hold("import_submissions", admin.post_csv(path, &list))
            .expect_status(status);
    }
    holder
        .hold("reopen_submission", seen.post(&format!("{path}/reopen")))
        .expect_status(200);
    let reason = json!({"reason": "Sai", "values": [{"indicator": "docs.issued", "option": "plan", "reason": "?"}]});
    let returned = seen.post_json(&format!("{path}/return"), &reason);
    holder
        .hold("return_submission", returned)
        .expect_status(200);
    let shown = holder
        .hold("get_submission", admin.get(&path))
        .expect_status(200);
    let receipt = shown.json()["receipt"].as_str().unwrap().to_owned();
    for (number, status) in [(receipt.as_str(), 200), ("7-7", 404)] {
        let read = admin.get(&format!("/v1/receipts/{number}"));
        holder.hold("get_receipt", read).expect_status(status);
    }
    holder
        .hold(
            "list_revisions",
            admin.get(&format!("{path}/revisions?limit=2")),
        )
        .expect_status(200);
    let missing = admin.get(&report("887", "submission"));
    holder
        .hold("get_submission", missing)
        .expect_problem(404, "SUBMISSION_NOT_FOUND");
}

fn hold_catalogue(holder: &mut Holder, admin: &Client) {
    let indicators = holder.hold("list_indicators", admin.get("/v1/indicators?limit=100"));
    let next = admin.get("/v1/indicators?limit=2").json()["next"].clone();
    assert!(next.is_string());
    assert!(indicators.json()["items"].as_array().unwrap().len() > 30);
    for code in ["docs.issued", "population.insured_rate"] {
        let path = format!("/v1/indicators/{code}");
        let seen = holder
            .hold("get_indicator", admin.get(&path))
            .expect_status(200);
        let body = to_bodies(seen.json(), &["code", "number", "rev"]);
        let put = admin.with("If-Match", seen.etag()).put(&path, &body);
        holder.hold("put_indicator", put).expect_status(200);
    }
    let new = json!({"name": {"vi": "Mới"}, "unit_of_measure": "x", "decimals": 2,
                     "across_units": "average", "across_time": "last"});
    holder
        .hold("put_indicator", admin.put("/v1/indicators/new.one", &new))
        .expect_status(201);
    holder
        .hold("put_indicator", admin.put("/v1/indicators/new.one", &new))
        .expect_status(428);
    let seen = holder
        .hold("get_form", admin.get("/v1/forms/mttq.annual"))
        .expect_status(200);
    let body = to_bodies(seen.json(), &["code", "number", "rev"]);
    let put = admin
        .with("If-Match", seen.etag())
        .put("/v1/forms/mttq.annual", &body);
    holder.hold("put_form", put).expect_status(200);
    holder
        .hold("put_form", admin.put("/v1/forms/other", &body))
        .expect_status(201);
    holder
        .hold("list_forms", admin.get("/v1/forms"))
        .expect_status(200);
    holder
        .hold(
            "list_periods",
            admin.get("/v1/forms/mttq.annual/periods?year=2024"),
        )
        .expect_status(200);
    holder
        .hold("list_periods", admin.get("/v1/forms/mttq.annual/periods"))
        .expect_status(400);
    hold_holidays(holder, admin);
    hold_extension(holder, admin);
    hold_subtree_reporting(holder, admin);
}

fn hold_extension(holder: &mut Holder, admin: &Client) {
    let path = report("30388-01", "extension");
    let missing = holder.hold("get_extension", admin.get(&path));
    missing.expect_problem(404, "EXTENSION_NOT_FOUND");
    let body = json!({"until": "2024-12-31", "reason": "Lũ"});
    holder
        .hold("put_extension", admin.put(&path, &body))
        .expect_status(201);
    let seen = holder
        .hold("get_extension", admin.get(&path))
        .expect_status(200);
    let matching = admin.with("If-Match", seen.etag());
    holder
        .hold("put_extension", matching.put(&path, &body))
        .expect_status(200);
    let early = json!({"until": "2024-12-01", "reason": "Lũ"});
    let early = admin.with("If-Match", "*").put(&path, &early);
    holder.hold("put_extension", early).expect_status(422);
    for status in [204, 404] {
        let deleted = admin.send("DELETE", &path, None, b"");
        holder
            .hold("delete_extension", deleted)
            .expect_status(status);
    }
}

fn hold_subtree_reporting(holder: &mut Holder, admin: &Client) {
    let path = "/v1/forms/mttq.annual/units/code:30388/subtree-reporting";
    let missing = holder.hold("get_subtree_reporting", admin.get(path));
    missing.expect_problem(404, "SUBTREE_REPORTING_NOT_FOUND");
    let body = json!({"from": "2031", "to": "2032"});
    holder
        .hold("put_subtree_reporting", admin.put(path, &body))
        .expect_status(201);
    let seen = holder
        .hold("get_subtree_reporting", admin.get(path))
        .expect_status(200);
    let matching = admin.with("If-Match", seen.etag());
    let longer = json!({"from": "2031"});
    holder
        .hold("put_subtree_reporting", matching.put(path, &longer))
        .expect_status(200);
    let present = admin.with("If-Match", "*");
    let wrong = present.put(path, &json!({"from": "2031-13"}));
    holder
        .hold("put_subtree_reporting", wrong)
        .expect_status(422);
    let path_of_months = "/v1/forms/mttq.monthly/units/code:30388/subtree-reporting";
    let used = admin.put(path_of_months, &json!({"from": "2025"}));
    holder
        .hold("put_subtree_reporting", used)
        .expect_status(409);
    for status in [204, 404] {
        let deleted = admin.send("DELETE", path, None, b"");
        holder
            .hold("delete_subtree_reporting", deleted)
            .expect_status(status);
    }
}

fn hold_holidays(holder: &mut Holder, admin: &Client) {
    let path = "/v1/holidays/2031";
    holder
        .hold("get_holidays", admin.get(path))
        .expect_status(404);
    let day = json!({"day": "2031-01-23", "name": {"vi": "Tết", "en": "Tet"}});
    let body = json!({"days": [day], "working_saturdays": ["2031-02-01"]});
    holder
        .hold("put_holidays", admin.put(path, &body))
        .expect_status(201);
    let seen = holder
        .hold("get_holidays", admin.get(path))
        .expect_status(200);
    let put = admin.with("If-Match", seen.etag()).put(path, &body);
    holder.hold("put_holidays", put).expect_status(200);
    let wrong = json!({"days": [], "working_saturdays": ["2031-02-02"]});
    let put = admin.with("If-Match", "*").put(path, &wrong);
    holder.hold("put_holidays", put).expect_status(422);
}

fn hold_units(holder: &mut Holder, admin: &Client) {
    holder
        .hold("list_units", admin.get("/v1/units?parent=code:91&limit=3"))
        .expect_status(200);
    holder
        .hold("get_unit", admin.get("/v1/units/code:30388"))
        .expect_status(200);
    holder
        .hold("get_unit", admin.get("/v1/units/code:0"))
        .expect_problem(404, "UNIT_NOT_FOUND");
    let unit = json!({"code": "30388-08", "name": "Tân Phú A", "kind": "ấp", "level": "hamlet", "parent": "code:30388"});
    let keyed = admin.with("Idempotency-Key", "once");
    for replayed in [None, Some("true")] {
        let created = holder.hold("create_unit", keyed.post_json("/v1/units", &unit));
        let created = created.expect_status(201);
        assert_eq!(created.header("idempotency-replayed"), replayed);
    }
    holder
        .hold("create_unit", admin.post_json("/v1/units", &unit))
        .expect_status(422);
    let list = "code,name,level,parent_code\n30388-09,Tân Phú C,hamlet,30388\n";
    for dry_run in [true, false] {
        let path = format!("/v1/units/import?dry_run={dry_run}");
        holder
            .hold("import_units", admin.post_csv(&path, list))
            .expect_status(200);
    }
    let levels = holder
        .hold("list_levels", admin.get("/v1/levels"))
        .expect_status(200);
    let level = json!({"name": {"vi": "Tổ", "en": "Group"}, "rank": 5});
    holder
        .hold("put_level", admin.put("/v1/levels/group", &level))
        .expect_status(201);
    holder
        .hold("get_level", admin.get("/v1/levels/group"))
        .expect_status(200);
    holder
        .hold("get_level", admin.get("/v1/levels/none"))
        .expect_problem(404, "LEVEL_NOT_FOUND");
    let again = admin.with("If-Match", "*").put("/v1/levels/group", &level);
    holder.hold("put_level", again).expect_status(200);
    assert!(!levels.text.is_empty());
}

/// Where figures come from, how they go on, what they are to reach.
fn hold_figures(holder: &mut Holder, admin: &Client) {
    let path = report("30387", "targets/fund.raised");
    let target = |value: Value| json!({"value": value});
    holder
        .hold("get_target", admin.get(&path))
        .expect_problem(404, "TARGET_NOT_FOUND");
    holder
        .hold(
            "put_target",
            admin.put(&path, &target(json!(1_600_000_000))),
        )
        .expect_status(201);
    holder
        .hold("put_target", admin.put(&path, &target(json!(2))))
        .expect_problem(428, "PRECONDITION_REQUIRED");
    let seen = admin.with("If-Match", "*");
    for value in [json!(1.5), json!("x")] {
        let refused = holder.hold("put_target", seen.put(&path, &target(value)));
        assert!((400..=422).contains(&refused.status), "{}", refused.text);
    }
    for value in [json!("1700000000"), Value::Null] {
        holder
            .hold("put_target", seen.put(&path, &target(value)))
            .expect_status(200);
        holder
            .hold("get_target", admin.get(&path))
            .expect_status(200);
    }
    for unit in ["30388", "30388-01", "89"] {
        // Collected and derived, of the total and of an option.
        for figure in [
            "indicator=fund.raised&limit=3",
            "indicator=population.insured_rate&stage=approved",
            "indicator=docs.issued&option=plan",
        ] {
            let path = report(unit, &format!("rollup/lineage?{figure}"));
            holder
                .hold("get_lineage", admin.get(&path))
                .expect_status(200);
            let series = format!(
                "/v1/forms/mttq.annual/units/code:{unit}/series?{figure}&from=2023&to=2024"
            );
            let series = series.replace("&limit=3", "");
            holder
                .hold("get_series", admin.get(&series))
                .expect_status(200);
        }
        // The province enters nothing itself.
        let status = if unit == "89" { 422 } else { 200 };
        for what in ["submission/template", "submission/template?format=xlsx"] {
            holder
                .hold("get_template", admin.get(&report(unit, what)))
                .expect_status(status);
        }
        holder
            .hold("get_sheet", admin.get(&report(unit, "sheet")))
            .expect_status(200);
        let table = "period=2024&rows=children&include=previous,target,completeness";
        let table = format!("/v1/forms/mttq.annual/units/code:{unit}/table?{table}");
        holder
            .hold("get_table", admin.get(&table))
            .expect_status(200);
        let verified = admin.post(&report(unit, "rollup/verify"));
        let verified = holder.hold("verify_rollup", verified).expect_status(200);
        assert_eq!(verified.json()["equal"], true, "{}", verified.text);
    }
    let wrong =
        "/v1/forms/mttq.annual/units/code:30388/series?indicator=fund.raised&from=2025&to=2024";
    holder
        .hold("get_series", admin.get(wrong))
        .expect_problem(400, "INVALID_PARAMETER");
    // It has no parameter `period`.
    let monthly = "/v1/forms/mttq.annual/units/code:30388/series?indicator=fund.raised&from=2024-01&to=2024-12";
    let missing = holder
        .hold("get_series", admin.get(monthly))
        .expect_problem(404, "PERIOD_NOT_FOUND");
    assert_eq!(missing, ["to PERIOD_NOT_FOUND"]);
}

/// A monthly form, since a yearly one has no longer periods.
fn hold_months(holder: &mut Holder, admin: &Client) {
    let form = json!({
        "name": {"vi": "Tháng"}, "calendar": "statutory", "frequency": "month",
        "submitted_by": ["hamlet"],
        "outline": [{"number": "I", "title": {"vi": "Mục"}, "items": [{"indicator": "new.one"}]}],
    });
    holder
        .hold("put_form", admin.put("/v1/forms/monthly", &form))
        .expect_status(201);
    let values = json!({"values": [{"indicator": "new.one", "value": 2.5}], "submit": true});
    let path = "/v1/forms/monthly/periods/2024-02/units/code:30388-01/submission";
    let created = admin.with("If-None-Match", "*").put(path, &values);
    holder.hold("put_submission", created).expect_status(201);
    for (id, rest) in [
        ("get_rollup", "rollup"),
        ("get_lineage", "rollup/lineage?indicator=new.one"),
    ] {
        let path = format!("/v1/forms/monthly/periods/2024-Q1/units/code:30388/{rest}");
        holder.hold(id, admin.get(&path)).expect_status(200);
    }
    let path = "/v1/forms/monthly/periods/2024/units/code:30388/rollup/verify";
    let verified = holder.hold("verify_rollup", admin.post(path));
    assert_eq!(verified.expect_status(200).json()["equal"], true);
    let path =
        "/v1/forms/monthly/units/code:30388/series?indicator=new.one&from=2024-01&to=2024-03";
    holder
        .hold("get_series", admin.get(path))
        .expect_status(200);
}

/// Two hamlets become one in a year that was reported, another gets a new code with all that it
/// had, and a level ends; then all of that is taken back.
fn hold_reorganisations(holder: &mut Holder, server: &Server, admin: &Client) {
    server.create_account("mttq-an-giang", "clerk", &["reporter@code:30388-08"]);
    let hamlet = |code: &str| json!({"code": code, "name": "Ấp mới", "kind": "ấp", "level": "hamlet", "parent": "code:30388"});
    let document = json!({
        "effective": "2024-12-01", "legal_basis": "Nghị quyết về sắp xếp ấp",
        "grants": "follow", "work_in_progress": "pass_on",
        "steps": [
            {"op": "merge", "from": ["code:30388-06", "code:30388-07"], "into": "code:30388-06"},
            {"op": "merge", "from": ["code:30388-08"], "into": hamlet("30388-10")},
            {"op": "split", "from": "code:30388-05", "basis": "dân số", "children": {}, "into": [
                {"unit": hamlet("30388-05"), "share": "7/10"}, {"unit": hamlet("30388-11"), "share": "3/10"}
            ]},
            {"op": "abolish_level", "level": "group"},
        ],
    });
    let path = "/v1/reorganisations";
    let planned = admin.post_json(&format!("{path}/preview"), &document);
    let planned = holder
        .hold("preview_reorganisation", planned)
        .expect_status(200);
    assert_eq!(planned.json()["possible"], true, "{}", planned.text);
    assert_eq!(
        planned.json()["submissions"]["count"],
        2,
        "{}",
        planned.text
    );
    let wrong = json!({
        "effective": "2024-12-01", "legal_basis": "?",
        "steps": [{"op": "abolish", "unit": "code:0"}, {"op": "move", "unit": "code:0", "parent": null}],
    });
    let planned = admin.post_json(&format!("{path}/preview"), &wrong);
    let planned = holder
        .hold("preview_reorganisation", planned)
        .expect_status(200);
    assert_eq!(planned.json()["faults"].as_array().unwrap().len(), 2);
    holder
        .hold("create_reorganisation", admin.post_json(path, &wrong))
        .expect_problem(422, "INVALID_REORGANISATION");
    let malformed = json!({"effective": "2024-12-01", "legal_basis": "?", "steps": [{"op": "move", "unit": "code:0"}]});
    holder
        .hold("create_reorganisation", admin.post_json(path, &malformed))
        .expect_problem(400, "INVALID_BODY");
    let target = report("30388-08", "targets/fund.raised");
    admin.put(&target, &json!({"value": 7})).expect_status(201);
    let created = holder.hold("create_reorganisation", admin.post_json(path, &document));
    let created = created.expect_status(201);
    let path = created.header("location").unwrap().to_owned();
    holder
        .hold("list_reorganisations", admin.get("/v1/reorganisations"))
        .expect_status(200);
    let seen = holder
        .hold("get_reorganisation", admin.get(&path))
        .expect_status(200);
    assert_eq!(seen.json()["document"], document);
    assert_eq!(seen.json()["successions"].as_array().unwrap().len(), 4);
    let undo = format!("{path}/undo");
    for (client, status) in [
        (admin.clone(), 428),
        (admin.with("If-Match", "\"0\""), 412),
        (admin.with("If-Match", seen.etag()), 200),
    ] {
        let undone = holder.hold("undo_reorganisation", client.post(&undo));
        undone.expect_status(status);
    }
    let again = admin.with("If-Match", "*").post(&undo);
    holder
        .hold("undo_reorganisation", again)
        .expect_problem(409, "REORGANISATION_UNDONE");
    let none = admin.get("/v1/reorganisations/1");
    holder
        .hold("get_reorganisation", none)
        .expect_problem(404, "REORGANISATION_NOT_FOUND");
    for unit in ["30388", "89"] {
        let table = "period=2024&rows=children&include=previous,target,completeness";
        let table = format!("/v1/forms/mttq.annual/units/code:{unit}/table?{table}");
        holder
            .hold("get_table", admin.get(&table))
            .expect_status(200);
        let verified = admin.post(&report(unit, "rollup/verify"));
        assert_eq!(verified.json()["equal"], true, "{}", verified.text);
    }
}

/// A form with windows of its own, which has no calendar and no total to date.
fn hold_windows(holder: &mut Holder, admin: &Client) {
    let form = json!({
        "name": {"vi": "Đợt"}, "submitted_by": ["hamlet"],
        "windows": [
            {"key": "2024-tet", "from": "2024-01-15", "to": "2024-02-25"},
            {"key": "2025-tet", "name": {"vi": "Tết"}, "from": "2025-01-10", "to": "2025-02-20",
             "due_at": "2025-02-21T17:00:00+07:00"},
        ],
        "outline": [{"number": "I", "title": {"vi": "Mục"}, "items": [{"indicator": "new.one"}]}],
    });
    holder
        .hold("put_form", admin.put("/v1/forms/windowed", &form))
        .expect_status(201);
    let report = "/v1/forms/windowed/periods/2025-tet/units";
    let values = json!({"values": [{"indicator": "new.one", "value": 2.5}], "submit": true});
    let path = format!("{report}/code:30388-01/submission");
    let created = admin.with("If-None-Match", "*").put(&path, &values);
    holder.hold("put_submission", created).expect_status(201);
    for (id, path) in [
        ("get_form", "/v1/forms/windowed"),
        ("list_periods", "/v1/forms/windowed/periods?year=2025"),
        ("get_rollup", &format!("{report}/code:30388/rollup")),
        (
            "get_completeness",
            &format!("{report}/code:30388/completeness"),
        ),
        (
            "get_series",
            "/v1/forms/windowed/units/code:30388/series?indicator=new.one&from=2024-tet&to=2025-tet",
        ),
    ] {
        holder.hold(id, admin.get(path)).expect_status(200);
    }
}

/// A person is invited, signs in, and hands over.
fn hold_people(holder: &mut Holder, server: &Server, admin: &Client) {
    let new = json!({
        "login": "0912345678", "name": "Ấp Tân Hòa A", "telephone": "0912 345 678",
        "grants": [{"role": "reporter", "unit": "code:30388-02"}],
    });
    let created = holder.hold("create_account", admin.post_json("/v1/accounts", &new));
    let account = created.expect_status(201).json();
    let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
    let list = "login,name,telephone,role,unit_code\n0900,An,,reporter,30388-01\n";
    let imported = admin.post_csv("/v1/accounts/import", list);
    holder.hold("import_accounts", imported).expect_status(200);
    let listed = admin.get("/v1/accounts?unit=code:30388&status=invited&limit=5");
    holder.hold("list_accounts", listed).expect_status(200);
    let read = || admin.get(&path);
    let on = |answer: Answer| admin.with("If-Match", answer.header("etag").unwrap());
    holder.hold("get_account", read()).expect_status(200);
    let invited = admin.post(&format!("{path}/invitation"));
    let invited = holder.hold("invite_account", invited).expect_status(201);
    let accepted = json!({
        "tenant": "mttq-an-giang", "code": invited.json()["code"], "password": "một mật khẩu dài",
    });
    let anonymous = server.anonymous();
    let mut short = accepted.clone();
    short["password"] = json!("ngắn");
    let refused = anonymous.post_json("/v1/auth/invitation", &short);
    holder
        .hold("accept_invitation", refused)
        .expect_problem(422, "INVALID_ACCOUNT");
    let done = anonymous.post_json("/v1/auth/invitation", &accepted);
    holder.hold("accept_invitation", done).expect_status(204);
    let again = anonymous.post_json("/v1/auth/invitation", &accepted);
    holder.hold("accept_invitation", again).expect_status(401);
    let person = anonymous.sign_in("mttq-an-giang", "0912345678", "một mật khẩu dài");
    let changed =
        json!({"current_password": "một mật khẩu dài", "new_password": "một mật khẩu khác"});
    let changed = person.put("/v1/me/password", &changed);
    holder.hold("put_my_password", changed).expect_status(204);
    let again = person.put(
        "/v1/me/password",
        &json!({"current_password": "một mật khẩu dài", "new_password": "ngắn"}),
    );
    holder
        .hold("put_my_password", again)
        .expect_problem(422, "INVALID_ACCOUNT");
    let sessions = holder.hold("list_my_sessions", person.get("/v1/me/sessions"));
    let sessions = sessions.expect_status(200).json();
    let session = sessions["items"][0]["id"].as_str().unwrap();
    let ended = person.send("DELETE", &format!("/v1/me/sessions/{session}"), None, b"");
    holder.hold("end_my_session", ended).expect_status(204);
    let person = anonymous.sign_in("mttq-an-giang", "0912345678", "một mật khẩu khác");
    let ended = person.send("DELETE", "/v1/me/sessions", None, b"");
    holder.hold("end_my_sessions", ended).expect_status(204);
    let data = json!({"login": "0912345678", "name": "Ấp Tân Hòa A", "telephone": null});
    let put = on(read()).put(&path, &data);
    holder.hold("put_account", put).expect_status(200);
    let grants = json!([{"role": "reporter", "unit": "code:30388-02", "to": "2099-12-31"}]);
    let put = on(read()).put(&format!("{path}/grants"), &grants);
    holder.hold("put_grants", put).expect_status(200);
    let disabled = on(read()).post(&format!("{path}/disable"));
    holder.hold("disable_account", disabled).expect_status(200);
    let enabled = on(read()).post(&format!("{path}/enable"));
    holder.hold("enable_account", enabled).expect_status(200);
    let next = json!({"login": "0987654321", "name": "Ấp Tân Hòa A", "on": "2090-01-01"});
    let handed = on(read()).post_json(&format!("{path}/hand-over"), &next);
    holder.hold("hand_over_account", handed).expect_status(201);
}

/// What all of the above did.
fn hold_changes(holder: &mut Holder, admin: &Client) {
    for query in ["", "?limit=1000", "?kind=submission.submitted&unit=code:91"] {
        let listed = holder.hold("list_changes", admin.get(&format!("/v1/changes{query}")));
        let items = listed.expect_status(200).json()["items"].clone();
        assert!(!items.as_array().unwrap().is_empty(), "{query}");
    }
    holder
        .hold("list_changes", admin.get("/v1/changes?form=none"))
        .expect_problem(404, "FORM_NOT_FOUND");
    holder
        .hold("list_changes", admin.get("/v1/changes?kind=none"))
        .expect_problem(400, "INVALID_PARAMETER");
}

/// A program gets a key and a token for it, and loses both.
fn hold_keys(holder: &mut Holder, server: &Server, admin: &Client) {
    let new = json!({
        "name": "bảng", "unit": "code:30388", "operations": ["read"], "last_day": "2000-01-01",
    });
    let late = holder.hold("create_key", admin.post_json("/v1/keys", &new));
    late.expect_problem(422, "INVALID_KEY");
    let next_year = now() + chrono::Days::new(365);
    let new = json!({
        "name": "bảng", "unit": "code:30388", "operations": ["read"],
        "last_day": next_year.date_naive().to_string(),
    });
    let key = holder.hold("create_key", admin.post_json("/v1/keys", &new));
    let key = key.expect_status(201).json();
    holder
        .hold("list_keys", admin.get("/v1/keys?limit=5"))
        .expect_status(200);
    let [id, secret] = ["id", "secret"].map(|field| key[field].as_str().unwrap());
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let token = server.anonymous().post_form("/v1/auth/token", &form);
    holder.hold("issue_token", token).expect_status(200);
    let program = server.anonymous().with_token(secret);
    holder
        .hold("get_me", program.get("/v1/me"))
        .expect_status(200);
    holder
        .hold("list_keys", program.get("/v1/keys"))
        .expect_problem(403, "OUTSIDE_KEY");
    let path = format!("/v1/keys/{id}");
    holder.hold("get_key", admin.get(&path)).expect_status(200);
    let delete = || admin.send("DELETE", &path, None, b"");
    holder.hold("delete_key", delete()).expect_status(204);
    holder
        .hold("get_key", admin.get(&path))
        .expect_problem(404, "KEY_NOT_FOUND");
    holder.hold("delete_key", delete()).expect_status(404);
    holder
        .hold("get_me", program.get("/v1/me"))
        .expect_status(401);
}

/// Calls every operation on a server with the demo case, and holds each answer to the document.
pub fn call_every_operation(server: &Server) {
    let mut holder = Holder::new();
    let anonymous = server.anonymous();
    for (id, path) in [
        ("get_livez", "/livez"),
        ("get_readyz", "/readyz"),
        ("get_metrics", "/metrics"),
        ("get_jwks", "/.well-known/jwks.json"),
    ] {
        holder.hold(id, anonymous.get(path)).expect_status(200);
    }
    let sign_in = |password: &str| {
        let form = format!("grant_type=password&username=commune@demo&password={password}");
        anonymous.post_form("/v1/auth/token", &form)
    };
    holder
        .hold("issue_token", sign_in(PASSWORD))
        .expect_status(200);
    let wrong = holder.hold("issue_token", sign_in("wrong"));
    assert!((400..=401).contains(&wrong.status), "{}", wrong.text);
    for login in ["admin@demo", "commune@demo", "hamlet@demo"] {
        let client = server.sign_in("mttq-an-giang", login);
        holder
            .hold("get_me", client.get("/v1/me"))
            .expect_status(200);
        holder
            .hold("list_my_tasks", client.get("/v1/me/tasks?limit=5"))
            .expect_status(200);
    }
    let admin = server.sign_in("mttq-an-giang", "admin@demo");
    holder
        .hold("list_sign_ins", admin.get("/v1/sign-ins?login=admin@demo"))
        .expect_status(200);
    for unit in ["30388", "30387", "89"] {
        let path = report(unit, "rollup?include=children");
        holder
            .hold("get_rollup", admin.get(&path))
            .expect_status(200);
        holder
            .hold("get_completeness", admin.get(&report(unit, "completeness")))
            .expect_status(200);
        let list = "completeness?of=level:hamlet&status=submitted&limit=2";
        holder
            .hold("get_completeness", admin.get(&report(unit, list)))
            .expect_status(200);
    }
    let hamlet = server.sign_in("mttq-an-giang", "hamlet@demo");
    holder
        .hold("get_rollup", hamlet.get(&report("89", "rollup")))
        .expect_status(403);
    hold_releases(&mut holder, &admin);
    hold_units(&mut holder, &admin);
    hold_submission(&mut holder, &admin);
    hold_figures(&mut holder, &admin);
    hold_catalogue(&mut holder, &admin);
    hold_months(&mut holder, &admin);
    hold_windows(&mut holder, &admin);
    hold_reorganisations(&mut holder, server, &admin);
    hold_people(&mut holder, server, &admin);
    hold_changes(&mut holder, &admin);
    hold_keys(&mut holder, server, &admin);

    let operations = operations(&holder.document);
    let promised = operations.iter().flat_map(|operation| {
        let statuses = operation
            .responses()
            .keys()
            .filter(|status| status.starts_with('2'));
        statuses.map(|status| (operation.id.clone(), status.clone()))
    });
    let unheld: Vec<_> = promised
        .filter(|promise| !holder.held.contains(promise))
        .collect();
    assert!(unheld.is_empty(), "no call was made for {unheld:?}");
}

on_both_backends! {
    fn every_answer_has_the_status_and_the_shape_that_the_document_gives_it(backend) {
        call_every_operation(&Server::with_demo(backend));
    }
}
