//! Exact numbers of the document, and the document for clients that take them as text.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use utoipa::openapi::OpenApi;
use utoipa::openapi::schema::{Object, SchemaFormat, SchemaType, Type};

use super::object::each_object;
use super::{content, operations};
use crate::http::representation::ExactFields;
use crate::http::text::EXACT;

/// The way in which exact numbers are written as text.
const DECIMAL_PATTERN: &str = r"^-?[0-9]+(\.[0-9]+)?$";

/// Makes the document for clients that send `Prefer: numbers=text` with every request: each exact
/// number is a string, in bodies too.
///
/// # Errors
/// The encoder's.
pub fn with_numbers_as_text(document: &OpenApi) -> Result<OpenApi, serde_json::Error> {
    let exact = ExactFields::of(&serde_json::to_value(document)?);
    let mut document = document.clone();
    let schemas = &mut document.components.get_or_insert_default().schemas;
    for schema in schemas.values_mut() {
        each_object(schema, &mut write_as_text);
    }
    for (_, operation) in operations(&mut document) {
        let bodies = content::of_body(operation).filter_map(|content| content.example.as_mut());
        bodies.for_each(|example| exact.rewrite(example));
        let answers = content::of_answers(operation);
        let answers = answers.filter_map(|content| content.example.as_mut());
        answers.for_each(|example| exact.rewrite(example));
    }
    let described = document.info.description.take().unwrap_or_default();
    document.info.description = Some(format!(
        "{described}\n\nThis document is for clients that send `Prefer: numbers=text` with every request: \
         exact numbers are strings."
    ));
    Ok(document)
}

fn is_exact(object: &Object) -> bool {
    object.format.as_ref() == Some(&SchemaFormat::Custom(EXACT.to_owned()))
}

fn write_as_text(object: &mut Object) {
    if !is_exact(object) {
        return;
    }
    object.schema_type = match may_be_null(&object.schema_type) {
        true => SchemaType::Array(vec![Type::String, Type::Null]),
        false => SchemaType::Type(Type::String),
    };
    object.format = None;
    object.pattern = Some(DECIMAL_PATTERN.to_owned());
    let examples = object.examples.iter_mut().chain(&mut object.example);
    for example in examples {
        if let Value::Number(number) = example {
            *example = Value::String(number.to_string());
        }
    }
}

fn may_be_null(schema_type: &SchemaType) -> bool {
    matches!(schema_type, SchemaType::Array(types) if types.contains(&Type::Null))
}

/// Finds the operations whose body or answer has exact numbers, by their ids.
pub(super) fn operations_with_exact_numbers(document: &mut OpenApi) -> BTreeSet<String> {
    let schemas = schemas_with_exact_numbers(document);
    let all = operations(document);
    let with_numbers = all.filter(|(_, operation)| {
        let parts = [
            serde_json::to_value(&operation.request_body),
            serde_json::to_value(&operation.responses),
        ];
        let mut named = parts.iter().flatten().flat_map(references);
        named.any(|name| schemas.contains(name))
    });
    with_numbers
        .filter_map(|(_, operation)| operation.operation_id.clone())
        .collect()
}

/// Finds the schemas that have exact numbers, themselves or in those to which they refer.
fn schemas_with_exact_numbers(document: &mut OpenApi) -> BTreeSet<String> {
    let schemas = &mut document.components.get_or_insert_default().schemas;
    let mut found = BTreeSet::new();
    for (name, schema) in schemas.iter_mut() {
        each_object(schema, &mut |object| {
            if is_exact(object) {
                found.insert(name.clone());
            }
        });
    }
    let all = schemas.iter();
    let all =
        all.filter_map(|(name, schema)| Some((name.clone(), serde_json::to_value(schema).ok()?)));
    let all: BTreeMap<String, Value> = all.collect();
    loop {
        let more = all.iter().filter(|(name, schema)| {
            let mut named = references(schema).into_iter();
            !found.contains(*name) && named.any(|other| found.contains(other))
        });
        let more: Vec<String> = more.map(|(name, _)| name.clone()).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Lists the names of the schemas to which a part of the document refers.
fn references(part: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open = vec![part];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => {
                let reference = fields.get("$ref").and_then(Value::as_str);
                found.extend(reference.and_then(|reference| reference.rsplit('/').next()));
                open.extend(fields.values());
            }
            _ => {}
        }
    }
    found
}
