//! The schema of a JSON body, and all that is wrong with a body that does not fit it. A body is taken
//! apart along its schema and checked a part at a time, so that one which is wrong everywhere takes
//! no more memory than one that is wrong in few places. Never the sentences: those are `contract`'s.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::contract::{faults_of, fields_of, missing_field, unknown_field};
use crate::domain::day::Day;
use crate::error::{Fault, MOST_FAULTS, pointer_step};

/// A part of so many bytes is checked as a whole. What the checker collects of a wrong part is
/// thousands of times its size.
const LARGEST_PART: usize = 4 * 1024;

/// The schemas of all bodies, in one document. A schema is compiled, part by part, when a first body
/// is wrong, since right ones never need it, and once for all operations: there are no more validators
/// than there are schemas in the document.
pub(super) struct Schemas {
    /// The bodies' schemas by their operations, and the components that they refer to.
    pub document: Value,
    /// By where schemas are written out in the document.
    compiled: Mutex<HashMap<String, Compiled>>,
}

/// The validator of a part, once it was needed; none for a schema that is wrong.
type Compiled = Arc<OnceLock<Option<Validator>>>;

impl Schemas {
    /// `bodies` are by the ids of their operations.
    pub fn new(bodies: &Map<String, Value>, components: &Value) -> Schemas {
        Schemas {
            document: json!({"bodies": bodies, "components": components}),
            compiled: Mutex::default(),
        }
    }

    /// The schema at a pointer, and where it is written out, behind references.
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

    /// The place of a part's validator. Who fills it keeps nobody else waiting but those who want
    /// the same.
    fn compiled(&self, pointer: &str) -> Compiled {
        let compiled = self.compiled.lock();
        let mut compiled = compiled.unwrap_or_else(PoisonError::into_inner);
        Arc::clone(compiled.entry(pointer.to_owned()).or_default())
    }

    fn compile(&self, pointer: &str) -> Option<Validator> {
        // Only for as long as it takes: a validator holds on to what it needs.
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

/// The schema of a body, among all.
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

    /// The faults of a body of right JSON, up to a number that somebody can read. A large part for
    /// which there are several schemas is passed over.
    pub fn faults(&self, body: &[u8]) -> Vec<Fault> {
        let mut walk = Walk {
            schemas: &self.schemas,
            faults: Vec::new(),
        };
        walk.check(&self.pointer, body.trim_ascii(), "");
        walk.faults.truncate(MOST_FAULTS);
        walk.faults
    }
}

/// One body on its way along the schema.
struct Walk<'s> {
    schemas: &'s Schemas,
    faults: Vec<Fault>,
}

impl Walk<'_> {
    fn is_full(&self) -> bool {
        self.faults.len() >= MOST_FAULTS
    }

    /// Checks a part, which is at `at` in the body.
    fn check(&mut self, schema: &str, part: &[u8], at: &str) {
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

    /// Of a schema or null the schema: a large part is not null.
    fn other_than_null(&self, pointer: &str, schema: &Map<String, Value>) -> Option<String> {
        let forms = schema.get("oneOf")?.as_array()?.iter().enumerate();
        let is_null = |form: &Value| form.get("type").is_some_and(|of_type| of_type == "null");
        let mut others = forms.filter(|(_, form)| !is_null(form));
        let (index, _) = others.next()?;
        let is_only = others.next().is_none();
        is_only.then(|| format!("{pointer}/oneOf/{index}"))
    }

    fn check_items(&mut self, schema: &str, list: &[u8], at: &str) {
        for (index, item) in parts(list).enumerate() {
            if self.is_full() {
                return;
            }
            self.check(schema, item, &format!("{at}/{index}"));
        }
    }

    fn check_members(&mut self, object: &Object<'_>, text: &[u8], at: &str) {
        let mut found = BTreeSet::new();
        for member in parts(text) {
            if self.is_full() {
                return;
            }
            let (name, value) = split_at(member, b':');
            let Ok(name) = serde_json::from_slice::<String>(name) else {
                continue;
            };
            let step = pointer_step(&name);
            if object.known.contains(name.as_str()) {
                let schema = format!("{}/properties/{step}", object.pointer);
                self.check(&schema, value, &format!("{at}/{step}"));
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

    fn check_whole(&mut self, schema: &str, part: &[u8], at: &str) {
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
    /// Of the schema.
    pointer: &'s str,
    known: BTreeSet<&'s str>,
    required: Vec<&'s str>,
    allows_others: bool,
}

/// The items of a list or the members of an object, as they are written in right JSON.
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

/// The text before and after the first of a sign that is in no string, list or object.
fn split_at(text: &[u8], sign: u8) -> (&[u8], &[u8]) {
    let mut depth = 0_usize;
    let mut place = Place::Outside;
    let found = text.iter().position(|byte| {
        place = match (place, byte) {
            (Place::Escaped, _) | (Place::InString, b'\\' | b'"') | (Place::Outside, b'"') => {
                place.after(*byte)
            }
            (Place::InString, _) => Place::InString,
            (Place::Outside, b'[' | b'{') => {
                depth += 1;
                Place::Outside
            }
            (Place::Outside, b']' | b'}') => {
                depth = depth.saturating_sub(1);
                Place::Outside
            }
            (Place::Outside, _) => Place::Outside,
        };
        place == Place::Outside && depth == 0 && *byte == sign
    });
    let end = found.unwrap_or(text.len());
    let before = text.get(..end).unwrap_or_default();
    let after = text.get(end.saturating_add(1)..).unwrap_or_default();
    (before.trim_ascii(), after.trim_ascii())
}

/// The place of a byte of JSON: in a string or outside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    InString,
    /// After a backslash.
    Escaped,
}

impl Place {
    fn after(self, byte: u8) -> Place {
        match (self, byte) {
            (Place::Outside, _) | (Place::Escaped, _) => Place::InString,
            (Place::InString, b'\\') => Place::Escaped,
            (Place::InString, _) => Place::Outside,
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
