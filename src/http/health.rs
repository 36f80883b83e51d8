//! What operators and their machines ask: is it alive, can it work, how is it doing, with which
//! keys does it sign. Never anything of a tenant.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::with_json;
use super::problem::Problem;
use super::state::ServerState;
use crate::authn::token::JsonWebKeySet;
use crate::service::Application;
use crate::telemetry::Metrics;

/// Whether the server can work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// `unavailable` where any check is.
    status: Health,
    checks: Checks,
}

/// What the server needs to work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Checks {
    /// Whether this process goes on taking requests.
    server: Health,
    database: Health,
    /// Whether there was room to write to in the last seconds.
    storage: Health,
}

impl Checks {
    fn all(&self) -> Health {
        let all = [self.server, self.database, self.storage];
        match all.into_iter().all(|check| check == Health::Ok) {
            true => Health::Ok,
            false => Health::Unavailable,
        }
    }
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It works.
    Ok,
    /// Not now.
    Unavailable,
    /// There is no room left to write to.
    Full,
    /// It was told to stop, and takes no more in a moment.
    Stopping,
}

/// Says that the process is alive.
#[utoipa::path(
    operation_id = "get_livez",
    tag = "operation",
    responses((status = 200, description = "It is alive: `ok`.", body = String, content_type = "text/plain"))
)]
#[get("/livez")]
pub async fn livez() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok")
}

/// Says whether the server can work now.
#[utoipa::path(
    operation_id = "get_readyz",
    tag = "operation",
    responses(
        (status = 200, description = "It can.", body = Readiness),
        (status = 503, description = "It cannot; the checks say why.", body = Readiness),
    )
)]
#[get("/readyz")]
pub async fn readyz(
    application: web::Data<Application>,
    state: web::Data<ServerState>,
) -> Result<HttpResponse, Problem> {
    let answered = web::block(move || application.database.ping()).await?;
    let database = match answered {
        Ok(()) => Health::Ok,
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            Health::Unavailable
        }
    };
    let checks = Checks {
        server: unless(state.is_stopping(), Health::Stopping),
        database,
        storage: unless(state.is_disk_full(), Health::Full),
    };
    let status = checks.all();
    let mut response = match status {
        Health::Ok => HttpResponse::Ok(),
        _ => HttpResponse::ServiceUnavailable(),
    };
    Ok(with_json(&mut response, &Readiness { status, checks }))
}

fn unless(holds: bool, health: Health) -> Health {
    if holds { health } else { Health::Ok }
}

/// Gives the metrics of this process.
#[utoipa::path(
    operation_id = "get_metrics",
    tag = "operation",
    responses((status = 200, description = "In the OpenMetrics text format.", body = String, content_type = "application/openmetrics-text"))
)]
#[get("/metrics")]
pub async fn metrics(metrics: web::Data<Metrics>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(metrics.encode())
}

/// Gives the public keys that access tokens are signed with.
#[utoipa::path(
    operation_id = "get_jwks",
    tag = "operation",
    responses((status = 200, description = "A JSON Web Key Set (RFC 7517).", body = JsonWebKeySet))
)]
#[get("/.well-known/jwks.json")]
pub async fn jwks(application: web::Data<Application>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "public, max-age=300"));
    with_json(&mut response, &application.tokens.jwks())
}
