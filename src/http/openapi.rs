//! The OpenAPI document: made from the route list. Adds what holds for many operations (errors,
//! conditions, keys, tokens) in one place, and no path.

use std::collections::BTreeSet;

use actix_web::App;
use serde_json::Value;
use utoipa::OpenApi;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayItems, Object, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::security::{Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes};
use utoipa::openapi::security::{SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required};
use utoipa_actix_web::AppExt;

use super::problem::{FaultBody, ProblemBody};
use super::routes::{PUBLIC, routes};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tonghop",
        description = "Hierarchical reporting: lower units submit indicators, and every level above has its report, exact, at once.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "sign-in", description = "Tokens, and who is calling"),
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
                .bearer_format("JWT")
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
    for (path, item) in &mut document.paths.paths {
        let methods = [
            (HttpMethod::Get, &mut item.get),
            (HttpMethod::Put, &mut item.put),
            (HttpMethod::Post, &mut item.post),
        ];
        for (method, operation) in methods {
            if let Some(operation) = operation {
                complete_operation(path, &method, operation);
            }
        }
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
        let operations = [&item.get, &item.put, &item.post];
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

/// Operations without a validator: reads that are always recomputed, pages, and the answers of
/// deeds.
const WITHOUT_ETAG: [&str; 11] = [
    "get_completeness",
    "get_lineage",
    "get_me",
    "get_series",
    "import_units",
    "list_changes",
    "list_forms",
    "list_indicators",
    "list_reorganisations",
    "list_revisions",
    "list_units",
];

fn complete_operation(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let id = operation.operation_id.clone().unwrap_or_default();
    let is_public = PUBLIC.contains(&id.as_str());
    operation.security = Some(if is_public {
        Vec::new()
    } else {
        vec![
            SecurityRequirement::new("token", Vec::<String>::new()),
            SecurityRequirement::new("password", Vec::<String>::new()),
        ]
    });
    // Verifying is a POST because of its cost, and changes nothing.
    let changes = !is_public && *method != HttpMethod::Get && id != "verify_rollup";
    let parameters = operation.parameters.get_or_insert_default();
    parameters.push(language_header().into());
    if changes {
        parameters.push(idempotency_header().into());
        parameters.extend(condition_headers(path, method).into_iter().map(RefOr::from));
    }
    let statuses = Statuses {
        is_public,
        changes,
        names_something: path.contains('{') || id == "list_units",
        conditional: !condition_headers(path, method).is_empty() && changes,
        names_figure: ["get_lineage", "get_series", "get_target"].contains(&id.as_str()),
        has_body: operation.request_body.is_some(),
    };
    for (status, description) in statuses.problems() {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| problem_response(description));
    }
    let with_etag = changes || *method == HttpMethod::Get;
    if with_etag && !is_public && !WITHOUT_ETAG.contains(&id.as_str()) {
        add_etag(operation);
    }
}

/// The properties of an operation that decide its possible problems.
struct Statuses {
    is_public: bool,
    changes: bool,
    names_something: bool,
    conditional: bool,
    names_figure: bool,
    has_body: bool,
}

impl Statuses {
    fn problems(&self) -> Vec<(&'static str, &'static str)> {
        let all = [
            (
                "400",
                "The request cannot be read; `errors` names every fault",
                true,
            ),
            (
                "401",
                "Nobody is signed in, or the token does not serve",
                !self.is_public || self.has_body,
            ),
            (
                "403",
                "The caller's grants do not allow it",
                !self.is_public,
            ),
            (
                "404",
                "What the path names is not there",
                self.names_something,
            ),
            ("409", "What is there does not allow it now", self.changes),
            ("412", "It has changed since it was read", self.conditional),
            ("413", "The body is too large", self.has_body),
            ("415", "The body is of another type", self.has_body),
            (
                "422",
                "Against the rules of the domain; `errors` names every fault",
                self.changes || self.names_figure,
            ),
            (
                "428",
                "The request must say on which state it builds",
                self.conditional,
            ),
            (
                "429",
                "Too many at once; try again after `Retry-After` seconds",
                self.is_public && self.has_body,
            ),
            ("500", "The service failed", true),
            (
                "503",
                "Not now; try again after `Retry-After` seconds",
                true,
            ),
        ];
        let wanted = all.into_iter().filter(|(_, _, wanted)| *wanted);
        wanted
            .map(|(status, description, _)| (status, description))
            .collect()
    }
}

fn problem_response(description: &str) -> RefOr<utoipa::openapi::Response> {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ProblemBody")))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
        .into()
}

fn add_etag(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
            let header = HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .description(Some("A strong validator of the body"))
                .build();
            response.headers.insert("ETag".to_owned(), header.into());
        }
    }
}

/// Describes a header without an example, since the API's page would send the example.
fn header_parameter(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

fn language_header() -> Parameter {
    header_parameter(
        "Accept-Language",
        "The language of error messages: vi or en",
    )
}

fn idempotency_header() -> Parameter {
    header_parameter(
        "Idempotency-Key",
        "Such as a new UUID. Sent again with the same key and body within seven days, the request has the effect of one",
    )
}

/// Returns the condition headers of an operation. A PUT creates or replaces; steps of a submission
/// and an undo build on a state that was read.
fn condition_headers(path: &str, method: &HttpMethod) -> Vec<Parameter> {
    let if_match = || {
        header_parameter(
            "If-Match",
            "The ETag of the state that the change builds on, such as `\"3\"`; or If-None-Match, not both",
        )
    };
    match method {
        HttpMethod::Put => vec![
            if_match(),
            header_parameter("If-None-Match", "`*`: only if there is nothing yet"),
        ],
        _ if path.contains("/submission/") || path.ends_with("/undo") => vec![if_match()],
        _ => Vec::new(),
    }
}
