//! The server: the application behind its middlewares, on a socket. Never a route.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use utoipa_actix_web::AppExt;

use super::contract::{self, Contract};
use super::docs::Document;
use super::extract::BodyLimit;
use super::problem::{self, Problem};
use super::token::PasswordSlots;
use super::{openapi, routes};
use crate::service::Application;
use crate::telemetry::Metrics;

/// What a server needs beside the application.
#[derive(Debug, Clone, Copy)]
pub struct ServerOptions {
    /// The largest body that is read, in bytes.
    pub body_limit: usize,
    /// How many threads take connections; as many as there are processors where none is given.
    pub workers: Option<usize>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("the OpenAPI document cannot be made: {0}")]
    Document(#[from] serde_json::Error),
}

/// Binds an address.
///
/// # Errors
/// [`ServerError::Listen`], for instance where another program has the port.
pub fn bind(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).map_err(|source| ServerError::Listen { address, source })
}

/// Starts to serve on a bound address. It stops, after what it has accepted is answered, when
/// the process is told to (SIGTERM, SIGINT) or through the server's handle.
///
/// # Errors
/// [`ServerError`].
pub fn serve(
    listener: TcpListener,
    application: Arc<Application>,
    metrics: Metrics,
    options: ServerOptions,
) -> Result<Server, ServerError> {
    let document = openapi::document();
    let contract = web::Data::new(Contract::new(&document)?);
    let docs = Document::new(&document)?;
    let application = web::Data::from(application);
    let metrics = web::Data::new(metrics);
    let slots = web::Data::new(PasswordSlots::default());
    let address = listener.local_addr();
    let server = HttpServer::new(move || {
        let docs = docs.clone();
        App::new()
            .into_utoipa_app()
            .app_data(application.clone())
            .app_data(contract.clone())
            .app_data(metrics.clone())
            .app_data(slots.clone())
            .app_data(BodyLimit(options.body_limit))
            .configure(routes::routes)
            .into_app()
            .configure(|config| docs.serve(config))
            .default_service(web::to(route_not_found))
            .wrap(from_fn(contract::hold))
            .wrap(from_fn(problem::render))
    })
    .workers(options.workers.unwrap_or_else(default_workers))
    .shutdown_timeout(30)
    .listen(listener);
    match (server, address) {
        (Ok(server), _) => Ok(server.run()),
        (Err(source), Ok(address)) => Err(ServerError::Listen { address, source }),
        (Err(source), Err(_)) => Err(ServerError::Listen {
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            source,
        }),
    }
}

fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

async fn route_not_found() -> Result<actix_web::HttpResponse, Problem> {
    Err(Problem::route_not_found())
}
