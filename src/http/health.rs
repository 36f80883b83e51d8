//! The addresses for operators and their machines: liveness, readiness, metrics, and public signing
//! keys. Shows nothing of a tenant.

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::with_json;
use super::problem::Problem;
use super::request::Now;
use super::state::ServerState;
use crate::authn::token::JsonWebKeySet;
use crate::service::Application;
use crate::telemetry::Metrics;

/// The readiness of the server.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// `unavailable` if any check is.
    status: Health,
    checks: Checks,
}

/// The checks on which readiness depends.
#[derive(Debug, Serialize, ToSchema)]
pub struct Checks {
    /// `stopping` once the server was told to stop.
    server: Health,
    database: Health,
    /// `full` if a write met a full disk in the last seconds.
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

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It works.
    Ok,
    /// It does not answer now.
    Unavailable,
    /// The disk is full.
    Full,
    /// The server was told to stop and will soon refuse requests.
    Stopping,
}

/// Tell whether the process is alive.
///
/// For supervisors: a process that does not answer is started anew. It asks no database.
#[utoipa::path(
    operation_id = "get_livez",
    tag = "operation",
    responses((status = 200, description = "It is alive: `ok`.", body = String, content_type = "text/plain"))
)]
#[get("/livez")]
pub async fn livez() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok")
}

/// Tell whether the server can work now.
///
/// For load balancers: a server that is not ready gets no requests. It asks the database, and says
/// so if the disk is full or the server was told to stop.
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

/// Read the metrics of this process.
///
/// For a monitoring system. They hold counts and times, and nothing of a tenant.
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

/// Read the public keys that verify access tokens.
///
/// A program that checks access tokens by itself reads these keys now and then, since they are
/// changed. Everybody may read them.
#[utoipa::path(
    operation_id = "get_jwks",
    tag = "operation",
    responses((status = 200, description = "A JSON Web Key Set (RFC 7517).", body = JsonWebKeySet))
)]
#[get("/.well-known/jwks.json")]
pub async fn jwks(application: web::Data<Application>, now: Now) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "public, max-age=300"));
    with_json(&mut response, &application.tokens.jwks(now.0))
}
