//! The document's schemas: what holds for all of them, and utoipa cannot say by itself. No schema is
//! named here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayItems, Discriminator, KnownFormat, Object, OneOf, Schema,
    SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{OpenApi, Ref, RefOr};

use super::object::each_object;
use super::{content, enumeration, limit, operations};
use crate::http::text::EXACT;

/// Completes the schemas of a document.
pub(super) fn complete(document: &mut OpenApi) {
    let asked = schemas_of_requests(document);
    let schemas = &mut document.components.get_or_insert_default().schemas;
    close_variants(schemas, &asked);
    complete_answers(schemas, &asked);
    name_variants(schemas);
    schemas.values_mut().for_each(complete_fields);
    // Those of the variants too, which have names by now.
    let asked = schemas_of_requests(document);
    let schemas = &mut document.components.get_or_insert_default().schemas;
    for (name, schema) in schemas {
        match asked.contains(name) {
            true => limit::limit_request(schema),
            false => {
                enumeration::open(schema);
                limit::mark_ids(schema);
            }
        }
        limit::complete_forms(schema);
    }
}

pub(super) type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Forbids additional fields in each variant of a body with several forms. utoipa does so for types
/// only.
fn close_variants(schemas: &mut Schemas, asked: &BTreeSet<String>) {
    for (_, schema) in schemas.iter_mut().filter(|(name, _)| asked.contains(*name)) {
        let RefOr::T(Schema::OneOf(forms)) = schema else {
            continue;
        };
        for form in &mut forms.items {
            if let RefOr::T(Schema::Object(object)) = form
                && !object.properties.is_empty()
            {
                object.additional_properties =
                    Some(Box::new(AdditionalProperties::FreeForm(false)));
            }
        }
    }
}

/// Makes every field of an answer required, since an absent value is null. utoipa treats each
/// `Option` as a field that may be missing, which is right for requests only.
fn complete_answers(schemas: &mut Schemas, asked: &BTreeSet<String>) {
    let names: BTreeSet<String> = schemas.keys().cloned().collect();
    for (name, schema) in schemas {
        let RefOr::T(Schema::Object(object)) = schema else {
            continue;
        };
        if let Some(item) = name.strip_prefix(PAGE).filter(|item| names.contains(*item)) {
            name_items(object, item);
        }
        if !asked.contains(name) {
            let nullable = object
                .properties
                .iter()
                .filter(|(_, field)| may_be_null(field));
            let nullable: BTreeSet<String> = nullable.map(|(name, _)| name.clone()).collect();
            let known: BTreeSet<String> = object.required.drain(..).collect();
            object.required = known.union(&nullable).cloned().collect();
        }
    }
}

/// Returns the names of the schemas that requests use.
fn schemas_of_requests(document: &OpenApi) -> BTreeSet<String> {
    let items = document.paths.paths.values();
    let bodies = items.flat_map(|item| {
        let operations = [&item.get, &item.put, &item.post, &item.delete];
        operations
            .into_iter()
            .flatten()
            .map(|operation| &operation.request_body)
    });
    let mut open: Vec<Value> = bodies
        .filter_map(|body| serde_json::to_value(body).ok())
        .collect();
    let mut found = BTreeSet::new();
    let schemas = document
        .components
        .as_ref()
        .map(|components| &components.schemas);
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => {
                let name = fields.get("$ref").and_then(Value::as_str);
                let name = name.and_then(|reference| reference.rsplit('/').next());
                if let Some(name) = name.filter(|name| found.insert((*name).to_owned())) {
                    let schema = schemas.and_then(|schemas| schemas.get(name));
                    open.extend(serde_json::to_value(schema));
                }
                open.extend(fields.into_iter().map(|(_, field)| field));
            }
            _ => {}
        }
    }
    found
}

fn may_be_null(field: &RefOr<Schema>) -> bool {
    let is_null = |schema_type: &SchemaType| match schema_type {
        SchemaType::Type(one) => *one == Type::Null,
        SchemaType::Array(several) => several.contains(&Type::Null),
        SchemaType::AnyValue => false,
    };
    match field {
        RefOr::T(Schema::Object(object)) => is_null(&object.schema_type),
        RefOr::T(Schema::Array(array)) => is_null(&array.schema_type),
        RefOr::T(Schema::OneOf(several)) => several.items.iter().any(may_be_null),
        _ => false,
    }
}

/// Refers to a page's items by the name of their schema, which utoipa would write out again.
fn name_items(page: &mut Object, item: &str) {
    if let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items") {
        let named = RefOr::Ref(Ref::from_schema_name(item));
        items.items = ArrayItems::RefOrSchema(Box::new(named));
    }
}

/// The beginning of utoipa's name of a page's schema; the items' name follows.
const PAGE: &str = "Page_";

/// Returns true if a reference names the schema of a page.
pub(super) fn is_page_reference(reference: &Ref) -> bool {
    schema_named(reference).is_some_and(|name| name.starts_with(PAGE))
}

fn schema_named(reference: &Ref) -> Option<&str> {
    reference.ref_location.rsplit('/').next()
}

/// Names the schemas of pages after their items: `UnitPage`.
pub(super) fn name_pages(document: &mut OpenApi) {
    for (_, operation) in operations(document) {
        for content in content::of_answers(operation) {
            if let Some(RefOr::Ref(reference)) = &mut content.schema
                && let Some(name) = schema_named(reference).and_then(page_name)
            {
                *reference = Ref::from_schema_name(name);
            }
        }
    }
    let schemas = &mut document.components.get_or_insert_default().schemas;
    let renamed = std::mem::take(schemas).into_iter();
    *schemas = renamed
        .map(|(name, schema)| (page_name(&name).unwrap_or(name), schema))
        .collect();
}

fn page_name(name: &str) -> Option<String> {
    let item = name.strip_prefix(PAGE)?;
    let noun = item.strip_suffix("View").unwrap_or(item);
    Some(format!("{noun}Page"))
}

/// Gives each variant of a tagged schema a name of its own, and says by which field they are told
/// apart. A generated client cannot make a variant without a name.
fn name_variants(schemas: &mut Schemas) {
    let mut named = Schemas::new();
    for (name, schema) in schemas.iter_mut() {
        let RefOr::T(Schema::OneOf(forms)) = schema else {
            continue;
        };
        if let Some(tag) = tag_of(forms) {
            let noun = name.strip_suffix("Document").unwrap_or(name);
            named.extend(name_each(forms, &tag, noun));
        }
    }
    schemas.extend(named);
}

/// Returns the field by which all variants are told apart: each has one value of its own for it.
fn tag_of(forms: &OneOf) -> Option<String> {
    let fields_of = |form: &RefOr<Schema>| match form {
        RefOr::T(Schema::Object(object)) => {
            let fields = object.properties.iter();
            let tags = fields.filter(|(_, field)| only_value(field).is_some());
            tags.map(|(name, _)| name.clone()).collect()
        }
        _ => BTreeSet::new(),
    };
    let common = forms.items.iter().map(fields_of);
    let common = common.reduce(|common, fields| &common & &fields)?;
    common.into_iter().next()
}

/// Returns the only value that a field may have.
fn only_value(field: &RefOr<Schema>) -> Option<&str> {
    let RefOr::T(Schema::Object(object)) = field else {
        return None;
    };
    match object.enum_values.as_deref()? {
        [Value::String(value)] => Some(value),
        _ => None,
    }
}

/// Takes the variants out of a schema that refers to them from then on.
fn name_each(forms: &mut OneOf, tag: &str, noun: &str) -> Schemas {
    let mut named = Schemas::new();
    let mut mapping = BTreeMap::new();
    for form in &mut forms.items {
        let RefOr::T(Schema::Object(object)) = form else {
            continue;
        };
        let Some(value) = object.properties.get(tag).and_then(only_value) else {
            continue;
        };
        let (value, name) = (value.to_owned(), format!("{}{noun}", capitalised(value)));
        let reference = Ref::from_schema_name(&name);
        mapping.insert(value, reference.ref_location.clone());
        let variant = std::mem::replace(form, RefOr::Ref(reference));
        named.insert(name, variant);
    }
    forms.discriminator = Some(Discriminator::with_mapping(tag, mapping));
    named
}

/// Writes `abolish_level` as `AbolishLevel`.
fn capitalised(value: &str) -> String {
    let words = value.split('_').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    words.collect()
}

/// Completes the fields of a schema, and of those inside it.
fn complete_fields(schema: &mut RefOr<Schema>) {
    each_object(schema, &mut |object| {
        say_exactness(object);
        object.properties.values_mut().for_each(say_default);
    });
}

/// Says that a number is a decimal number of any size and not a float. utoipa knows floats only, and
/// no figure is one.
fn say_exactness(object: &mut Object) {
    let float = SchemaFormat::KnownFormat(KnownFormat::Double);
    if object.format.as_ref() == Some(&float) {
        object.format = Some(SchemaFormat::Custom(EXACT.to_owned()));
    }
}

/// Says in words what holds if a field is left out. Generators take a field with a `default` for one
/// that must be sent.
fn say_default(field: &mut RefOr<Schema>) {
    match field {
        RefOr::T(Schema::Object(object)) => {
            if let Some(default) = object.default.take() {
                let description = object.description.take().unwrap_or_default();
                object.description = Some(with_default(&description, &default));
            }
        }
        RefOr::Ref(reference) => {
            if let Some(default) = reference.default.take() {
                reference.description = with_default(&reference.description, &default);
            }
        }
        RefOr::T(_) => {}
    }
}

fn with_default(description: &str, default: &Value) -> String {
    let default = match default {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    format!("{description} By default `{default}`.")
        .trim_start()
        .to_owned()
}
