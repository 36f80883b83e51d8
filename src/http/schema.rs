//! Checks a JSON body against its schema and collects its faults. Walks the body along the schema,
//! a part at a time, so that a body that is wrong everywhere takes no more memory than one with few
//! faults. The sentences are `contract`'s.

use crate::domain::fault::FieldPath;
use crate::path;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::violation::{faults_of, fields_of, missing_field, unknown_field};
use crate::domain::day::Day;
use crate::error::{Fault, MOST_FAULTS};
use crate::pointer::pointer_step;

/// The largest part that is checked as a whole, in bytes. The checker collects thousands of times
/// the size of a wrong part.
const LARGEST_PART: usize = 4 * 1024;

/// The schemas of all bodies, in one document. Each part of a schema is compiled when a first wrong
/// body needs it; correct bodies need none. All operations share the validators, one a schema.
pub(super) struct Schemas {
    /// The bodies' schemas by operation, and the components that they refer to.
    pub document: Value,
    /// Validators by the place of their schema in the document.
    compiled: Mutex<HashMap<String, Compiled>>,
}

/// The validator of a part once it was needed; `None` inside for an invalid schema.
type Compiled = Arc<OnceLock<Option<Validator>>>;

impl Schemas {
    /// Collects schemas. `bodies` are keyed by operation id.
    pub fn new(bodies: &Map<String, Value>, components: &Value) -> Schemas {
        Schemas {
            document: json!({"bodies": bodies, "components": components}),
            compiled: Mutex::default(),
        }
    }

    /// Follows references from a pointer to a schema and the place where it is written out.
    fn resolved(&self, pointer: &str) -> Option<(String, &Map<String, Value>)> {
        let mut pointer = pointer.to_owned();
        loop {
            let schema = self.document.pointer(&pointer)?.as_object()?;
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
                return Some((pointer, schema));
            };
            pointer = reference.strip_prefix('#')?.to_owned();
        }
    }

    /// Returns the slot of a part's validator. Filling it blocks only those who need the same
    /// validator.
    fn compiled(&self, pointer: &str) -> Compiled {
        let compiled = self.compiled.lock();
        let mut compiled = compiled.unwrap_or_else(PoisonError::into_inner);
        Arc::clone(compiled.entry(pointer.to_owned()).or_default())
    }

    fn compile(&self, pointer: &str) -> Option<Validator> {
        // A short-lived copy: a validator keeps what it needs.
        let mut document = self.document.clone();
        if let Some(fields) = document.as_object_mut() {
            fields.insert("allOf".to_owned(), json!([{"$ref": format!("#{pointer}")}]));
        }
        let options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .with_format("date", |text| text.parse::<Day>().is_ok());
        match options.build(&document) {
            Ok(validator) => Some(validator),
            Err(error) => {
                tracing::error!(%error, "a schema of the OpenAPI document is wrong");
                None
            }
        }
    }
}

/// The schema of one body, within all schemas.
pub(super) struct BodySchema {
    schemas: Arc<Schemas>,
    pointer: String,
}

impl BodySchema {
    pub fn of(operation: &str, schemas: &Arc<Schemas>) -> BodySchema {
        BodySchema {
            schemas: Arc::clone(schemas),
            pointer: format!("/bodies/{}", pointer_step(operation)),
        }
    }

    /// Returns the faults of a well-formed JSON body, up to [`MOST_FAULTS`]. Skips a large part
    /// that has several alternative schemas.
    pub fn faults(&self, body: &[u8]) -> Vec<Fault> {
        let mut walk = Walk {
            schemas: &self.schemas,
            faults: Vec::new(),
        };
        walk.check(&self.pointer, body.trim_ascii(), &path![]);
        walk.faults.truncate(MOST_FAULTS);
        walk.faults
    }
}

/// The walk of one body along its schema.
struct Walk<'s> {
    schemas: &'s Schemas,
    faults: Vec<Fault>,
}

impl Walk<'_> {
    fn is_full(&self) -> bool {
        self.faults.len() >= MOST_FAULTS
    }

    /// Checks the part that is at `at` in the body.
    fn check(&mut self, schema: &str, part: &[u8], at: &FieldPath) {
        if part.len() <= LARGEST_PART {
            return self.check_whole(schema, part, at);
        }
        let Some((pointer, schema)) = self.schemas.resolved(schema) else {
            return;
        };
        if let Some(pointer) = self.other_than_null(&pointer, schema) {
            return self.check(&pointer, part, at);
        }
        match (part.first(), schema.get("items"), schema.get("properties")) {
            (Some(b'['), Some(_), _) => self.check_items(&format!("{pointer}/items"), part, at),
            (Some(b'{'), _, Some(Value::Object(properties))) => {
                let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
                let known = properties.keys().map(String::as_str).collect();
                let required = schema.get("required").and_then(Value::as_array);
                let required = required.into_iter().flatten().filter_map(Value::as_str);
                let object = Object {
                    pointer: &pointer,
                    known,
                    required: required.collect(),
                    allows_others: !closed,
                };
                self.check_members(&object, part, at);
            }
            _ => {}
        }
    }

    /// Resolves a schema-or-null to the schema, since a large part is not null.
    fn other_than_null(&self, pointer: &str, schema: &Map<String, Value>) -> Option<String> {
        let forms = schema.get("oneOf")?.as_array()?.iter().enumerate();
        let is_null = |form: &Value| form.get("type").is_some_and(|of_type| of_type == "null");
        let mut others = forms.filter(|(_, form)| !is_null(form));
        let (index, _) = others.next()?;
        let is_only = others.next().is_none();
        is_only.then(|| format!("{pointer}/oneOf/{index}"))
    }

    fn check_items(&mut self, schema: &str, list: &[u8], at: &FieldPath) {
        for (index, item) in parts(list).enumerate() {
            if self.is_full() {
                return;
            }
            self.check(schema, item, &at.below(index));
        }
    }

    fn check_members(&mut self, object: &Object<'_>, text: &[u8], at: &FieldPath) {
        let mut found = BTreeSet::new();
        for member in parts(text) {
            if self.is_full() {
                return;
            }
            let (name, value) = split_at(member, b':');
            let Ok(name) = serde_json::from_slice::<String>(name) else {
                continue;
            };
            if object.known.contains(name.as_str()) {
                let step = pointer_step(&name);
                let schema = format!("{}/properties/{step}", object.pointer);
                self.check(&schema, value, &at.below(name.clone()));
                found.insert(name);
            } else if !object.allows_others {
                let allowed = fields_of(&self.schemas.document, object.pointer);
                let fault = unknown_field(at, &name, allowed.as_deref());
                self.faults.push(fault);
            }
        }
        let missing = object.required.iter();
        let missing = missing.filter(|name| !found.contains(**name));
        self.faults
            .extend(missing.map(|name| missing_field(at, name)));
    }

    fn check_whole(&mut self, schema: &str, part: &[u8], at: &FieldPath) {
        let Some((pointer, _)) = self.schemas.resolved(schema) else {
            return;
        };
        let compiled = self.schemas.compiled(&pointer);
        let compiled = compiled.get_or_init(|| self.schemas.compile(&pointer));
        let Some(validator) = compiled else {
            return;
        };
        let Ok(value) = serde_json::from_slice::<Value>(part) else {
            return;
        };
        let errors = validator.iter_errors(&value);
        let faults = errors.flat_map(|error| faults_of(&self.schemas.document, &error));
        let faults = faults.map(|fault| fault.below(at));
        let room = MOST_FAULTS.saturating_sub(self.faults.len());
        self.faults.extend(faults.take(room));
    }
}

/// The members of an object, as a schema describes them.
struct Object<'s> {
    /// The place of the object's schema.
    pointer: &'s str,
    known: BTreeSet<&'s str>,
    required: Vec<&'s str>,
    allows_others: bool,
}

/// Iterates over the items of a list or the members of an object, as written in well-formed JSON.
fn parts(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let inside = text.get(1..text.len().saturating_sub(1));
    let mut rest = inside.unwrap_or_default().trim_ascii();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (part, others) = split_at(rest, b',');
        rest = others;
        Some(part)
    })
}

/// Splits a text at the first `sign` that is in no string, list or object.
fn split_at(text: &[u8], sign: u8) -> (&[u8], &[u8]) {
    let mut depth = 0_usize;
    let mut place = Context::Outside;
    let found = text.iter().position(|byte| {
        place = match (place, byte) {
            (Context::Escaped, _)
            | (Context::InString, b'\\' | b'"')
            | (Context::Outside, b'"') => place.after(*byte),
            (Context::InString, _) => Context::InString,
            (Context::Outside, b'[' | b'{') => {
                depth += 1;
                Context::Outside
            }
            (Context::Outside, b']' | b'}') => {
                depth = depth.saturating_sub(1);
                Context::Outside
            }
            (Context::Outside, _) => Context::Outside,
        };
        place == Context::Outside && depth == 0 && *byte == sign
    });
    let end = found.unwrap_or(text.len());
    let before = text.get(..end).unwrap_or_default();
    let after = text.get(end.saturating_add(1)..).unwrap_or_default();
    (before.trim_ascii(), after.trim_ascii())
}

/// The position of a byte of JSON: inside or outside a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Outside,
    InString,
    /// After a backslash.
    Escaped,
}

impl Context {
    fn after(self, byte: u8) -> Context {
        match (self, byte) {
            (Context::Outside, _) | (Context::Escaped, _) => Context::InString,
            (Context::InString, b'\\') => Context::Escaped,
            (Context::InString, _) => Context::Outside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_that_several_bodies_refer_to_is_compiled_once() {
        let name = json!({"type": "object", "required": ["vi"]});
        let to = |schema: &str| json!({"$ref": format!("#/components/schemas/{schema}")});
        let bodies = json!({"put_a": to("Name"), "put_b": to("Alias")});
        let components = json!({"schemas": {"Name": name, "Alias": to("Name")}});
        let schemas = Arc::new(Schemas::new(bodies.as_object().unwrap(), &components));
        for operation in ["put_a", "put_b"] {
            assert_eq!(BodySchema::of(operation, &schemas).faults(b"{}").len(), 1);
        }
        assert_eq!(schemas.compiled.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_text_is_taken_apart_where_its_own_commas_are() {
        let taken = |text: &'static str| -> Vec<&str> {
            let parts = parts(text.as_bytes());
            parts
                .map(|part| std::str::from_utf8(part).unwrap())
                .collect()
        };
        assert_eq!(taken("[]"), [""; 0]);
        assert_eq!(
            taken("[1 , [2,3],\"a,\\\",b\", {\"c\":4,\"d\":[5]}]"),
            ["1", "[2,3]", "\"a,\\\",b\"", "{\"c\":4,\"d\":[5]}"]
        );
        let member = split_at(br#""a:\\" : {"b":1}"#, b':');
        assert_eq!(member, (&br#""a:\\""#[..], &br#"{"b":1}"#[..]));
    }
}
