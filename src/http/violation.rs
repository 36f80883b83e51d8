//! A violation: how a body differs from its schema, in our words. Never whether it does.

use itertools::Itertools;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use crate::domain::fault::FieldPath;
use crate::error::{Code, Fault, Message, shortened};
use crate::message;
use crate::pointer::path_at;
use crate::sentence::naming::any_of;

/// The most names that an error lists. A longer list helps nobody.
const MOST_NAMES: usize = 16;

/// Turns an error of the checker into faults.
pub(super) fn faults_of(document: &Value, error: &ValidationError<'_>) -> Vec<Fault> {
    Told { document }.faults_of(error)
}

/// Lists the fields that an object may have by the schema at a pointer.
pub(super) fn fields_of(document: &Value, schema: &str) -> Option<String> {
    let properties = document.pointer(schema)?.get("properties")?;
    listed(properties.as_object()?.keys())
}

/// Translates errors of the checker with the help of the document that it checked against.
struct Told<'d> {
    document: &'d Value,
}

impl Told<'_> {
    fn faults_of(&self, error: &ValidationError<'_>) -> Vec<Fault> {
        let pointer = error.instance_path().as_str();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let allowed = self.fields_beside(error.schema_path().as_str());
                let unexpected = unexpected.iter();
                unexpected
                    .map(|field| unknown_field(&path_at(pointer), field, allowed.as_deref()))
                    .collect()
            }
            ValidationErrorKind::Required { property } => {
                vec![missing_field(
                    &path_at(pointer),
                    property.as_str().unwrap_or_default(),
                )]
            }
            ValidationErrorKind::Type { kind } => vec![wrong_type(pointer, &types_of(kind))],
            ValidationErrorKind::Enum { options } => {
                let options = options.as_array().map(Vec::as_slice);
                vec![not_an_option(pointer, options.unwrap_or_default())]
            }
            ValidationErrorKind::Constant { expected_value } => {
                vec![not_an_option(pointer, &[expected_value.as_ref().clone()])]
            }
            ValidationErrorKind::Format { format } if format == "date" => vec![no_day(pointer)],
            // The rules of the domain tell these better, once the body has its shape.
            ValidationErrorKind::MinLength { .. }
            | ValidationErrorKind::MaxLength { .. }
            | ValidationErrorKind::Pattern { .. }
            | ValidationErrorKind::MaxItems { .. }
            | ValidationErrorKind::PropertyNames { .. } => Vec::new(),
            ValidationErrorKind::Minimum { limit } => vec![too_small(pointer, limit)],
            ValidationErrorKind::Maximum { limit } => vec![too_large(pointer, limit)],
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => self.alternatives(pointer, context),
            _ => vec![not_as_described(pointer)],
        }
    }

    /// Lists the fields that an object may have, for a keyword of its schema that refused others.
    fn fields_beside(&self, keyword: &str) -> Option<String> {
        let (schema, _) = keyword.rsplit_once('/')?;
        fields_of(self.document, schema)
    }

    /// Explains a value that fits none of several schemas. Picks the schema that the value was
    /// meant for, by its type and then by its tag, and returns that schema's faults.
    fn alternatives(&self, pointer: &str, tried: &[Tried]) -> Vec<Fault> {
        let of_type = tried.iter();
        let of_type = of_type.filter(|errors| refused_type(pointer, errors).is_none());
        let of_type = of_type.collect_vec();
        let tagged = of_type.iter().copied();
        let tagged = tagged.filter(|errors| refused_tag(pointer, errors).is_none());
        let tagged = tagged.collect_vec();
        match (of_type.as_slice(), tagged.as_slice()) {
            ([], _) => vec![wrong_type(pointer, &types_tried(pointer, tried))],
            ([meant], _) | (_, [meant]) => self.faults_of_all(meant),
            (_, []) => wrong_tag(pointer, &of_type),
            (_, several) => self.faults_in_common(pointer, several),
        }
    }

    fn faults_of_all(&self, errors: &Tried) -> Vec<Fault> {
        errors
            .iter()
            .flat_map(|error| self.faults_of(error))
            .collect()
    }

    /// Returns the faults that all schemas share: a missing tag, for instance, is missing in each.
    fn faults_in_common(&self, pointer: &str, several: &[&Tried]) -> Vec<Fault> {
        let each = several.iter().map(|errors| self.faults_of_all(errors));
        let common = each.reduce(|common, faults| {
            let shared = common.into_iter().filter(|fault| faults.contains(fault));
            shared.collect()
        });
        let common = common.unwrap_or_default();
        if common.is_empty() {
            vec![not_as_described(pointer)]
        } else {
            common
        }
    }
}

/// The errors of a value against one of several schemas.
type Tried = Vec<ValidationError<'static>>;

/// Returns the types that a schema wanted, if it refused the value's type.
fn refused_type(pointer: &str, errors: &Tried) -> Option<Vec<JsonType>> {
    errors.iter().find_map(|error| match error.kind() {
        ValidationErrorKind::Type { kind } if error.instance_path().as_str() == pointer => {
            Some(types_of(kind))
        }
        _ => None,
    })
}

fn types_tried(pointer: &str, tried: &[Tried]) -> Vec<JsonType> {
    let types = tried
        .iter()
        .filter_map(|errors| refused_type(pointer, errors));
    types.flatten().unique().collect()
}

/// Returns the place and the options of the tag that a schema wanted, if it refused the value's
/// tag.
fn refused_tag(pointer: &str, errors: &Tried) -> Option<(String, Vec<Value>)> {
    errors.iter().find_map(|error| {
        let options = match error.kind() {
            ValidationErrorKind::Enum { options } => options.as_array()?.clone(),
            ValidationErrorKind::Constant { expected_value } => {
                vec![expected_value.as_ref().clone()]
            }
            _ => return None,
        };
        let place = error.instance_path().as_str();
        let below = place.strip_prefix(pointer)?;
        (below.matches('/').count() <= 1).then(|| (place.to_owned(), options))
    })
}

fn wrong_tag(pointer: &str, tried: &[&Tried]) -> Vec<Fault> {
    let tags = tried
        .iter()
        .filter_map(|errors| refused_tag(pointer, errors));
    let (places, options): (Vec<String>, Vec<Vec<Value>>) = tags.unzip();
    let place = places.first().map_or(pointer, String::as_str);
    vec![not_an_option(place, &options.concat())]
}

fn types_of(kind: &TypeKind) -> Vec<JsonType> {
    match kind {
        TypeKind::Single(json_type) => vec![*json_type],
        TypeKind::Multiple(types) => types.iter().collect(),
    }
}

fn type_name(json_type: JsonType) -> Message {
    match json_type {
        JsonType::Null => message!("json-type-null"),
        JsonType::Boolean => message!("json-type-boolean"),
        JsonType::Integer => message!("json-type-integer"),
        JsonType::Number => message!("json-type-number"),
        JsonType::String => message!("json-type-string"),
        JsonType::Array => message!("json-type-array"),
        JsonType::Object => message!("json-type-object"),
    }
}

pub(super) fn unknown_field(object: &FieldPath, field: &str, allowed: Option<&str>) -> Fault {
    let field = &shortened(field);
    let message = match allowed {
        Some(allowed) => message!("contract-unknown-field", field, allowed),
        None => message!("contract-unknown-field-none-like-it", field),
    };
    Fault::in_body(object.below(field.to_owned()), Code::UnknownField, message)
}

pub(super) fn missing_field(object: &FieldPath, field: &str) -> Fault {
    let message = message!("contract-missing-field", field);
    Fault::in_body(object.below(field.to_owned()), Code::MissingField, message)
}

fn wrong_type(at: &str, expected: &[JsonType]) -> Fault {
    let Some(words) = any_of(expected.iter().copied().map(type_name)) else {
        return not_as_described(at);
    };
    let message = message!("contract-wrong-type", words);
    Fault::in_body(path_at(at), Code::WrongType, message)
}

fn not_an_option(at: &str, options: &[Value]) -> Fault {
    let options = options.iter().join(", ");
    let message = message!("contract-not-an-option", options);
    Fault::in_body(path_at(at), Code::WrongType, message)
}

fn no_day(at: &str) -> Fault {
    let message = message!("contract-no-day");
    Fault::in_body(path_at(at), Code::InvalidValue, message)
}

fn too_small(at: &str, limit: &Value) -> Fault {
    let message = message!("contract-too-small", limit);
    Fault::in_body(path_at(at), Code::InvalidBody, message)
}

fn too_large(at: &str, limit: &Value) -> Fault {
    let message = message!("contract-too-large", limit);
    Fault::in_body(path_at(at), Code::InvalidBody, message)
}

fn not_as_described(at: &str) -> Fault {
    let message = message!("contract-not-as-described");
    Fault::in_body(path_at(at), Code::InvalidBody, message)
}

/// Joins names for a message, unless there are none or too many.
pub(super) fn listed<'names>(
    names: impl ExactSizeIterator<Item = &'names String>,
) -> Option<String> {
    let is_short = (1..=MOST_NAMES).contains(&names.len());
    is_short.then(|| names.into_iter().join(", "))
}
