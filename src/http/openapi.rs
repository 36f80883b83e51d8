//! The OpenAPI document: made from the route list. Adds what holds for many operations (errors,
//! ETags, tokens) in one place. It follows from what each operation shows of itself and from the
//! table of operations; no operation is named here.

use std::collections::BTreeSet;

use actix_web::App;
use actix_web::http::header::{self, HeaderName};
use serde_json::Value;
use utoipa::OpenApi;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayItems, Object, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::security::{
    ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes,
};
use utoipa::openapi::security::{SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Ref, RefOr, Response};
use utoipa_actix_web::AppExt;

use super::problem::{FaultBody, ProblemBody};
use super::refusal::Refusal;
use super::request::{IDEMPOTENCY_KEY, header_parameter};
use super::routes::routes;
use crate::authz::{self, Audience};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tonghop",
        description = "Hierarchical reporting: lower units submit indicators, and every level above has its report, exact, at once.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "sign-in", description = "Tokens, and who is calling"),
        (name = "people", description = "Accounts of people (tài khoản), their roles and invitations, and keys of programs"),
        (name = "units", description = "Units (đơn vị) and levels (cấp)"),
        (name = "catalogue", description = "Indicators (chỉ tiêu), forms (mẫu báo cáo) and their periods (kỳ báo cáo)"),
        (name = "submissions", description = "What units report (số liệu báo cáo)"),
        (name = "reports", description = "What it adds up to (tổng hợp), and who has reported"),
        (name = "changes", description = "What has happened (nhật ký thay đổi)"),
        (name = "operation", description = "For operators and their machines"),
    ),
    components(schemas(ProblemBody, FaultBody)),
)]
struct Base;

/// Makes the document of the whole API.
pub fn document() -> utoipa::openapi::OpenApi {
    let app = App::new()
        .into_utoipa_app()
        .openapi(Base::openapi())
        .configure(routes);
    let (_, mut document) = app.split_for_parts();
    complete(&mut document);
    document
}

fn complete(document: &mut utoipa::openapi::OpenApi) {
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        "token",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some(
                    "An access token, which is a JWT, or a program's key (`thk_…`) itself",
                ))
                .build(),
        ),
    );
    components.add_security_scheme(
        "password",
        SecurityScheme::OAuth2(OAuth2::new([Flow::Password(Password::new(
            "/v1/auth/token",
            Scopes::new(),
        ))])),
    );
    components.add_security_scheme(
        "key",
        SecurityScheme::OAuth2(OAuth2::with_description(
            [Flow::ClientCredentials(ClientCredentials::new(
                "/v1/auth/token",
                Scopes::new(),
            ))],
            "A program's key, which allows the operations in its list: `client_id` is its prefix, \
             `client_secret` the key",
        )),
    );
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
        ];
        operations
            .into_iter()
            .flatten()
            .for_each(complete_operation);
    }
    complete_variants(document);
    complete_answers(document);
}

/// Forbids additional fields in each variant of a body with several forms. utoipa does so for types
/// only.
fn complete_variants(document: &mut utoipa::openapi::OpenApi) {
    let asked = schemas_of_requests(document);
    let schemas = &mut document.components.get_or_insert_default().schemas;
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
fn complete_answers(document: &mut utoipa::openapi::OpenApi) {
    let asked = schemas_of_requests(document);
    let schemas = &mut document.components.get_or_insert_default().schemas;
    let names: BTreeSet<String> = schemas.keys().cloned().collect();
    for (name, schema) in schemas {
        let RefOr::T(Schema::Object(object)) = schema else {
            continue;
        };
        if let Some(item) = name
            .strip_prefix("Page_")
            .filter(|item| names.contains(*item))
        {
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
fn schemas_of_requests(document: &utoipa::openapi::OpenApi) -> BTreeSet<String> {
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

/// The answer to a reader who has the current state.
const NOT_MODIFIED: &str = "304";

/// What an operation shows of itself. All that the common part adds follows from it.
struct Shown {
    is_public: bool,
    /// A program's key may allow it.
    is_for_programs: bool,
    /// Its path has names in it.
    names_something: bool,
    has_body: bool,
    /// It takes an Idempotency-Key.
    changes: bool,
    /// It takes If-Match.
    builds_on_state: bool,
    /// It reads, and takes If-None-Match.
    may_be_seen: bool,
}

impl Shown {
    fn by(operation: &Operation) -> Shown {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        let known = id.parse::<authz::Operation>();
        let changes = takes_header(operation, &IDEMPOTENCY_KEY);
        let mut parameters = operation.parameters.iter().flatten();
        Shown {
            // What is not in the table is refused when the server starts.
            is_public: known
                .as_ref()
                .is_ok_and(|known| known.audience() == Audience::Public),
            is_for_programs: known.is_ok_and(authz::Operation::is_for_programs),
            names_something: parameters.any(|parameter| is_in(parameter, &ParameterIn::Path)),
            has_body: operation.request_body.is_some(),
            changes,
            builds_on_state: takes_header(operation, &header::IF_MATCH),
            may_be_seen: !changes && takes_header(operation, &header::IF_NONE_MATCH),
        }
    }

    fn refusals(&self) -> impl Iterator<Item = Refusal> {
        let all = [
            (Refusal::Unreadable, true),
            (Refusal::NotSignedIn, !self.is_public || self.has_body),
            (Refusal::NotAllowed, !self.is_public),
            (Refusal::NotThere, self.names_something),
            (Refusal::Conflict, self.changes),
            (Refusal::Stale, self.builds_on_state),
            (Refusal::TooLarge, self.has_body),
            (Refusal::WrongType, self.has_body),
            (Refusal::AgainstRules, self.changes),
            (Refusal::ConditionRequired, self.builds_on_state),
            (Refusal::TooMany, !self.is_public || self.has_body),
            (Refusal::Failure, true),
            (Refusal::NotNow, true),
        ];
        all.into_iter()
            .filter_map(|(refusal, is_possible)| is_possible.then_some(refusal))
    }

    /// Returns true if an answer carries the validator of what it shows: what was read on a
    /// condition, what a change built on, or what it created.
    fn has_validator(&self, status: &str) -> bool {
        let is_tagged = self.may_be_seen || self.builds_on_state;
        // Nothing to validate without a body.
        status != "204" && status.starts_with('2') && is_tagged
            || matches!(status, "201" | NOT_MODIFIED)
    }

    /// Returns true if an answer says how many requests its caller has left.
    fn tells_allowance(&self, status: &str) -> bool {
        !self.is_public && (status.starts_with('2') || status == Refusal::TooMany.status())
    }
}

fn is_in(parameter: &RefOr<Parameter>, place: &ParameterIn) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == *place)
}

fn is_header(parameter: &RefOr<Parameter>, header: &HeaderName) -> bool {
    is_in(parameter, &ParameterIn::Header)
        && matches!(parameter, RefOr::T(parameter) if parameter.name.eq_ignore_ascii_case(header.as_str()))
}

fn takes_header(operation: &Operation, header: &HeaderName) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.any(|parameter| is_header(parameter, header))
}

fn complete_operation(operation: &mut Operation) {
    let shown = Shown::by(operation);
    let schemes = [
        ("token", !shown.is_public),
        ("password", !shown.is_public),
        ("key", shown.is_for_programs),
    ];
    let accepted = schemes.iter().filter(|(_, is_accepted)| *is_accepted);
    let required = accepted.map(|(name, _)| SecurityRequirement::new(*name, Vec::<String>::new()));
    operation.security = Some(required.collect());
    complete_parameters(operation);
    let responses = &mut operation.responses.responses;
    if shown.may_be_seen {
        let not_modified =
            Response::new("The reader has what If-None-Match names: there is no body");
        responses.insert(NOT_MODIFIED.to_owned(), not_modified.into());
    }
    for refusal in shown.refusals() {
        let known = responses.entry(refusal.status().to_owned());
        known.or_insert_with(|| refusal.response());
    }
    for (status, response) in responses {
        let RefOr::T(response) = response else {
            continue;
        };
        let mut add = |name: &str, description| {
            let header = HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .description(Some(description))
                .build();
            response.headers.insert(name.to_owned(), header.into());
        };
        if shown.has_validator(status) {
            add("ETag", "A strong validator of the body");
        }
        if shown.tells_allowance(status) {
            add("RateLimit", "What the account and its tenant have left");
        }
    }
}

/// Puts the header that every operation takes before those that its extractors read.
fn complete_parameters(operation: &mut Operation) {
    let parameters = operation.parameters.get_or_insert_default();
    let headers = |parameter: &RefOr<Parameter>| is_in(parameter, &ParameterIn::Header);
    let first = parameters.iter().position(headers);
    let language = header_parameter(
        "Accept-Language",
        "The language of error messages: vi or en",
    );
    parameters.insert(first.unwrap_or(parameters.len()), language.into());
}
