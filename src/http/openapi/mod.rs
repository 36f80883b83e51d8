//! The OpenAPI document: made from the route list. Adds what holds for many operations (errors,
//! ETags, tokens) in one place. It follows from what each operation shows of itself and from the
//! table of operations; no operation is named here.

mod schema;

pub(super) use schema::EXACT;

use actix_web::App;
use actix_web::http::header::{self, HeaderName};
use utoipa::OpenApi;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes,
};
use utoipa::openapi::security::{SecurityRequirement, SecurityScheme};
use utoipa::openapi::{RefOr, Response};
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
    schema::complete(document);
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
