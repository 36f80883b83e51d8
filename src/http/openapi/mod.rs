//! The OpenAPI document: made from the route list. Adds what holds for many operations (errors,
//! ETags, tokens) in one place. It follows from what each operation shows of itself and from the
//! table of operations; no operation is named here.

mod content;
mod enumeration;
mod example;
mod header;
mod limit;
mod number;
mod object;
mod operation;
mod schema;

pub use number::with_numbers_as_text;

use actix_web::App;
use utoipa::OpenApi;
use utoipa::openapi::HttpMethod;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes, SecurityScheme,
};
use utoipa::openapi::server::ServerBuilder;
use utoipa_actix_web::AppExt;

use super::problem::{FaultBody, ProblemBody};
use super::refusal;
use super::routes::routes;
use crate::error::Code;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tonghop",
        description = "Hierarchical reporting: lower units submit indicators, and every level above has its report, exact, at once.\n\nWhat may change in later versions is in docs/compatibility.md. A program passes over fields that it does not know, and over values of enumerations that are marked with `x-extensible-enum`.",
        contact(name = "The operators of this installation"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "sign-in", description = "Tokens, and who is calling"),
        (name = "people", description = "Accounts of people (tài khoản), their roles and invitations, and keys of programs"),
        (name = "units", description = "Units (đơn vị) and levels (cấp)"),
        (name = "catalogue", description = "Indicators (chỉ tiêu), forms (mẫu báo cáo) and their periods (kỳ báo cáo)"),
        (name = "submissions", description = "What units report (số liệu báo cáo)"),
        (name = "releases", description = "What units sent up (bản báo cáo gửi lên)"),
        (name = "reports", description = "What it adds up to (tổng hợp), and who has reported"),
        (name = "changes", description = "What has happened (nhật ký thay đổi)"),
        (name = "operation", description = "For operators and their machines"),
    ),
    components(schemas(ProblemBody, FaultBody, Code)),
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

/// Says of a token how it is made and checked (RFC 8725).
const TOKEN: &str = "An access token is a JWT, made and checked as RFC8725 advises: one algorithm (EdDSA), \
                     with its issuer, audience and expiry.";

fn complete(document: &mut utoipa::openapi::OpenApi) {
    document.servers = Some(vec![
        ServerBuilder::new()
            .url("/")
            .description(Some(
                "The server that shows this document, in production, staging or development",
            ))
            .extensions(Some(Extensions::from_iter([("x-internal", false)])))
            .build(),
    ]);
    add_security(document);
    for (_, operation) in operations(document) {
        content::refuse_null(operation);
    }
    schema::complete(document);
    let exact = number::operations_with_exact_numbers(document);
    for (method, operation) in operations(document) {
        let shown = operation::Shown::by(method, operation, &exact);
        operation::complete(operation, &shown);
        limit::complete_parameters(operation);
        example::add(operation);
    }
    schema::name_pages(document);
    let components = document.components.get_or_insert_default();
    components.headers = header::all();
    components.examples = refusal::examples();
}

/// Lists all operations, with their methods.
fn operations(
    document: &mut utoipa::openapi::OpenApi,
) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    document.paths.paths.values_mut().flat_map(of_path)
}

fn of_path(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Delete, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn add_security(document: &mut utoipa::openapi::OpenApi) {
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        "token",
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some(format!(
                    "An access token, or a program's key (`thk_…`) itself. {TOKEN}"
                )))
                .build(),
        ),
    );
    components.add_security_scheme(
        "password",
        SecurityScheme::OAuth2(OAuth2::with_description(
            [Flow::Password(Password::with_refresh_url(
                "/v1/auth/token",
                Scopes::new(),
                "/v1/auth/token",
            ))],
            format!("A person's login and password. {TOKEN}"),
        )),
    );
    components.add_security_scheme(
        "key",
        SecurityScheme::OAuth2(OAuth2::with_description(
            [Flow::ClientCredentials(ClientCredentials::new(
                "/v1/auth/token",
                Scopes::new(),
            ))],
            format!(
                "A program's key, which allows the operations in its list: `client_id` is its prefix, \
                 `client_secret` the key. {TOKEN}"
            ),
        )),
    );
}
