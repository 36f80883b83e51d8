//! Examples of bodies and answers: a file for each operation in `openapi/examples/`, named after it.
//! Tests hold each to its schema.

use std::collections::BTreeMap;

use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::Value;
use utoipa::openapi::path::Operation;

use super::content;

#[derive(RustEmbed)]
#[folder = "openapi/examples"]
struct Files;

/// The examples of one operation.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Examples {
    /// The body of a request.
    request: Option<Value>,
    /// The bodies of answers, by status.
    #[serde(default)]
    answers: BTreeMap<String, Value>,
}

impl Examples {
    /// Reads the examples of an operation. A file that cannot be read has none; a test says so.
    fn of(operation: &Operation) -> Option<Examples> {
        let id = operation.operation_id.as_deref()?;
        let file = Files::get(&format!("{id}.json"))?;
        serde_json::from_slice(&file.data).ok()
    }
}

/// Adds the examples of an operation.
pub(super) fn add(operation: &mut Operation) {
    let Some(mut examples) = Examples::of(operation) else {
        return;
    };
    if let Some(example) = examples.request.take() {
        content::of_body(operation).for_each(|content| content.example = Some(example.clone()));
    }
    for (status, example) in examples.answers {
        let response = operation.responses.responses.get_mut(&status);
        let response = response.and_then(content::written_out);
        let json = response.and_then(|response| response.content.get_mut("application/json"));
        if let Some(content) = json.and_then(content::written_out) {
            content.example = Some(example);
        }
    }
}
