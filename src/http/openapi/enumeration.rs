//! Enumerations of answers: open, so that a client made today reads a later version's value. A
//! generated client refuses a value that is not in `enum`, so the known ones stand in
//! `x-extensible-enum`. No enumeration is named here.

use itertools::Itertools;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{Object, Schema};

use super::object::each_object;

const EXTENSIBLE: &str = "x-extensible-enum";

/// Opens the enumerations of a schema that only answers have.
pub(super) fn open(schema: &mut RefOr<Schema>) {
    each_object(schema, &mut open_one);
}

fn open_one(object: &mut Object) {
    // A single value is the mark of a variant.
    let Some(values) = object.enum_values.take_if(|values| values.len() > 1) else {
        return;
    };
    let known = values.iter().filter_map(Value::as_str);
    let known = known.map(|value| format!("`{value}`")).join(", ");
    let described = object.description.take().unwrap_or_default();
    let description =
        format!("{described}\n\nKnown values: {known}. Later versions may have more.");
    object.description = Some(description.trim_start().to_owned());
    let extensions = object.extensions.get_or_insert_default();
    extensions.merge(Extensions::from_iter([(EXTENSIBLE, values)]));
}
