//! Limits of what requests may send: lengths, patterns, numbers of items. A field of one name has one
//! limit wherever it stands; a field that means something else says its own where it is declared.
//! The limits are those of the code that reads the field.

use utoipa::Number;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayItems, KnownFormat, Object, Schema, SchemaFormat, SchemaType, Type,
};

use super::content;
use super::object::each_object;
use crate::authn::password;
use crate::domain::formula::MAX_BYTES;
use crate::domain::text::{NAME_LIMIT, PROSE_LIMIT};
use crate::http::request::{LARGEST_FORM, MOST_ITEMS};
use crate::service::people::account::LONGEST_TELEPHONE;
use crate::service::people::grant::MOST_GRANTS;
use crate::service::report::release::MOST_RECIPIENTS;

/// The limits of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TextLimit {
    shortest: usize,
    longest: usize,
    pattern: &'static str,
}

impl TextLimit {
    const fn any(longest: usize) -> TextLimit {
        TextLimit {
            shortest: 0,
            longest,
            pattern: ANY,
        }
    }

    const fn pattern(longest: usize, pattern: &'static str) -> TextLimit {
        TextLimit {
            shortest: 1,
            longest,
            pattern,
        }
    }

    fn set(self, object: &mut Object) {
        let password = SchemaFormat::KnownFormat(KnownFormat::Password);
        let is_free = object
            .format
            .as_ref()
            .is_none_or(|format| *format == password);
        let has_own = object.max_length.is_some() || object.pattern.is_some();
        if !is_free || object.enum_values.is_some() || has_own || !is_text(object) {
            return;
        }
        object.min_length = Some(self.shortest);
        object.max_length = Some(self.longest);
        if object.format.is_none() {
            object.pattern = Some(self.pattern.to_owned());
        }
    }
}

/// A text without the character NUL.
const ANY: &str = r"^[^\x00]*$";
/// A text that is not blank.
const WRITTEN: &str = r"\S";

const NAME: TextLimit = TextLimit::pattern(NAME_LIMIT, WRITTEN);
const PROSE: TextLimit = TextLimit::any(PROSE_LIMIT);
const EXPRESSION: TextLimit = TextLimit::pattern(MAX_BYTES, WRITTEN);
const PASSWORD: TextLimit = TextLimit::any(password::LONGEST);
const OF_A_FORM: TextLimit = TextLimit::any(LARGEST_FORM);
const TELEPHONE: TextLimit =
    TextLimit::pattern(LONGEST_TELEPHONE, "^[0-9+./() -]*[0-9][0-9+./() -]*$");
const LOGIN: TextLimit = TextLimit::pattern(120, r"^\S+$");
const SEARCHED: TextLimit = TextLimit::any(NAME_LIMIT);
const TENANT: TextLimit = TextLimit::pattern(63, "^[a-z][a-z0-9-]+$");
const UNIT: TextLimit = TextLimit::pattern(
    45,
    "^(code:[A-Za-z0-9._-]{1,40}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
);
const LEVEL: TextLimit = TextLimit::pattern(40, "^[a-z][a-z0-9_]*$");
/// An indicator's or a form's code.
const DOTTED: TextLimit = TextLimit::pattern(100, r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$");
const OPTION: TextLimit = TextLimit::pattern(60, "^[a-z0-9_]+$");
const SECTION: TextLimit = TextLimit::pattern(20, "^[A-Za-z0-9.]+$");
const WINDOW: TextLimit = TextLimit::pattern(29, "^[0-9]{4}-[a-z][a-z0-9-]{0,23}$");
const PERIOD: TextLimit = TextLimit::pattern(29, "^[0-9]{4}(-[A-Za-z0-9-]{1,24})?$");
/// One ETag.
const SEEN: TextLimit = TextLimit::pattern(200, r#"^ *(W/)?"[ !#-~]*" *$"#);
const SHARE: TextLimit = TextLimit::pattern(21, "^[0-9]{1,10}(/[0-9]{1,10})?$");
const INSTANT: TextLimit = TextLimit::pattern(
    35,
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$",
);
const OPERATION: TextLimit = TextLimit::pattern(40, "^[a-z_]+$");

/// Returns the limit of a text of a body, by the name of its field.
fn of_field(name: &str) -> Option<TextLimit> {
    Some(match name {
        "name" | "vi" | "en" | "unit_of_measure" | "kind" | "legal_basis" | "basis" | "place"
        | "capacity" | "office" | "recipients" => NAME,
        "text" | "reason" => PROSE,
        "formula" | "expression" => EXPRESSION,
        "telephone" => TELEPHONE,
        "login" | "username" => LOGIN,
        "tenant" => TENANT,
        "unit" | "owner" | "parent" | "from" | "children" => UNIT,
        "level" | "submitted_by" | "collected_at" | "deadlines" => LEVEL,
        "indicator" | "form" | "from_form" => DOTTED,
        "period" => PERIOD,
        "if_match" => SEEN,
        "option" => OPTION,
        "section" | "number" => SECTION,
        "key" => WINDOW,
        "share" => SHARE,
        "due_at" => INSTANT,
        "operations" => OPERATION,
        "password" | "current_password" | "new_password" => PASSWORD,
        "refresh_token" | "client_id" | "client_secret" => OF_A_FORM,
        _ => return None,
    })
}

/// Returns the limit of a text of a path or a query, by the name of its parameter. What is looked
/// for may be longer than what can be found.
fn of_parameter(name: &str) -> Option<TextLimit> {
    Some(match name {
        "form" | "indicator" => DOTTED,
        "option" => OPTION,
        "period" | "from" | "to" => PERIOD,
        "unit" | "parent" => UNIT,
        "level" => LEVEL,
        "code" | "login" | "q" | "cursor" => SEARCHED,
        _ => return None,
    })
}

/// Limits the fields of a schema that requests use.
pub(super) fn limit_request(schema: &mut RefOr<Schema>) {
    each_object(schema, &mut |object| {
        for (name, field) in &mut object.properties {
            limit_field(name, field);
        }
    });
    limit_forms(schema);
}

fn limit_field(name: &str, field: &mut RefOr<Schema>) {
    let RefOr::T(field) = field else { return };
    match field {
        Schema::Object(object) => {
            set_text(name, object);
            if let Some(Schema::Object(names)) = object.property_names.as_deref_mut() {
                set_text(name, names);
            }
            if let Some(AdditionalProperties::RefOr(RefOr::T(Schema::Object(values)))) =
                object.additional_properties.as_deref_mut()
            {
                set_text(name, values);
                set_largest(name, values);
            }
        }
        Schema::Array(array) => {
            array.max_items.get_or_insert(most_items(name));
            if let ArrayItems::RefOrSchema(items) = &mut array.items
                && let RefOr::T(Schema::Object(item)) = items.as_mut()
            {
                set_text(name, item);
            }
        }
        _ => {}
    }
}

/// Returns the most items of a list of a body, by the name of its field.
fn most_items(name: &str) -> usize {
    match name {
        "grants" => MOST_GRANTS,
        "recipients" => MOST_RECIPIENTS,
        _ => MOST_ITEMS,
    }
}

/// Limits the numbers of a map, by the name of its field.
fn set_largest(name: &str, values: &mut Object) {
    if name == "deadlines" {
        values.maximum = Some(usize::from(u16::MAX).into());
    }
}

fn set_text(name: &str, object: &mut Object) {
    if let Some(limit) = of_field(name) {
        limit.set(object);
    }
}

/// Limits a text that is one of several forms of a schema: the name of a unit, instead of the unit.
fn limit_forms(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::OneOf(forms)) = schema else {
        return;
    };
    for form in &mut forms.items {
        if let RefOr::T(Schema::Object(object)) = form {
            UNIT.set(object);
        }
    }
}

/// Limits the parameters of an operation, and says which are ids.
pub(super) fn complete_parameters(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            complete_parameter(parameter);
        }
    }
    for content in content::of_body(operation) {
        if let Some(RefOr::T(Schema::Array(list))) = &mut content.schema {
            list.max_items.get_or_insert(MOST_ITEMS);
        }
    }
}

fn complete_parameter(parameter: &mut Parameter) {
    let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema else {
        return;
    };
    let is_named = matches!(
        parameter.parameter_in,
        ParameterIn::Path | ParameterIn::Query
    );
    if is_named {
        match of_parameter(&parameter.name) {
            Some(limit) => limit.set(object),
            None if ID_PARAMETERS.contains(&parameter.name.as_str()) => set_id(object),
            None => {}
        }
    }
    set_width(object);
    complete_integer(object);
    if is_of(object, &Type::Integer) {
        object.minimum.get_or_insert(0.into());
        object.maximum.get_or_insert(isize::MAX.into());
    }
}

/// The parameters that are ids.
const ID_PARAMETERS: [&str; 4] = ["account", "session", "key", "reorganisation"];

/// The fields of answers that are ids.
const ID_FIELDS: [&str; 4] = ["id", "request_id", "reorganisation", "parent"];

fn set_id(object: &mut Object) {
    let is_plain = object.format.is_none() && object.pattern.is_none();
    if is_plain && is_text(object) {
        object.format = Some(SchemaFormat::Custom("uuid".to_owned()));
    }
}

/// Gives each whole number a format.
pub(super) fn complete_forms(schema: &mut RefOr<Schema>) {
    each_object(schema, &mut complete_integer);
}

/// Says which fields of an answer are ids.
pub(super) fn mark_ids(schema: &mut RefOr<Schema>) {
    each_object(schema, &mut |object| {
        for (name, field) in &mut object.properties {
            if let RefOr::T(Schema::Object(field)) = field
                && ID_FIELDS.contains(&name.as_str())
            {
                set_id(field);
            }
        }
    });
}

/// Says that a whole number fits 32 bits, where its bounds do: in Java it is then an `int`.
fn set_width(object: &mut Object) {
    let is_narrow = |bound: &Option<Number>| bound.as_ref().is_some_and(fits_32_bits);
    if is_of(object, &Type::Integer)
        && object.format.is_none()
        && is_narrow(&object.minimum)
        && is_narrow(&object.maximum)
    {
        object.format = Some(SchemaFormat::KnownFormat(KnownFormat::Int32));
    }
}

fn fits_32_bits(bound: &Number) -> bool {
    match bound {
        Number::Int(bound) => i32::try_from(*bound).is_ok(),
        Number::UInt(bound) => i32::try_from(*bound).is_ok(),
        Number::Float(_) => false,
    }
}

fn complete_integer(object: &mut Object) {
    if is_of(object, &Type::Integer) && object.format.is_none() {
        object.format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
    }
}

fn is_text(object: &Object) -> bool {
    is_of(object, &Type::String)
}

fn is_of(object: &Object, wanted: &Type) -> bool {
    match &object.schema_type {
        SchemaType::Type(one) => one == wanted,
        SchemaType::Array(types) => {
            types.contains(wanted) && types.iter().all(|one| one == wanted || *one == Type::Null)
        }
        SchemaType::AnyValue => false,
    }
}
