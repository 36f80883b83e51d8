//! The server: the application behind its middlewares, on a socket. Defines no route.

use std::future::ready;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::h1::UpgradeHandler;
use actix_http::{HttpService, Protocol, Request, TlsAcceptorConfig};
use actix_server::{GracefulShutdownSignal, Server, ServerHandle};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, web};
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};
use utoipa::openapi::OpenApi;
use utoipa_actix_web::AppExt;

use super::allowance::Allowances;
use super::bodiless::Bodiless;
use super::browser::{self, Browsers};
use super::contract::{self, Contract, ContractError};
use super::docs::Documents;
use super::event_stream::Streams;
use super::expect::Expectations;
use super::problem::Problem;
use super::reception;
use super::representation::{self, ExactFields, Writers};
use super::request::{BodyLimit, BodyTime, TrustedProxies};
use super::state::ServerState;
use super::tls::{Certificate, CertificateError, CertificateFiles};
use super::token::PasswordSlots;
use super::{front_page, openapi, routes, upgrade};
use crate::allowance::AllowanceLimits;
use crate::service::Application;
use crate::service::submission::SubmissionQueue;
use crate::system::User;
use crate::telemetry::Metrics;

/// The options of a server, beside the application.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The largest body that is read, in bytes.
    pub body_limit: usize,
    /// The time in which a body must arrive.
    pub body_time: Duration,
    /// The most requests in progress at once.
    pub request_limit: usize,
    /// The number of threads that accept connections; by default one a processor.
    pub workers: Option<usize>,
    pub stopping: Stopping,
    /// What each account and each tenant may ask for.
    pub allowances: AllowanceLimits,
    /// The proxies in front, whose word on a client's address counts.
    pub trusted_proxies: Vec<IpNet>,
    /// The other sites whose pages may call the API.
    pub allowed_origins: Vec<String>,
    /// The files of the certificate, if the server itself speaks TLS.
    pub certificate: Option<CertificateFiles>,
}

/// The ways in which a server is told to stop. Its handle always works.
#[derive(Debug, Clone, Copy)]
pub enum Stopping {
    /// By SIGTERM or SIGINT: the server is the whole process.
    OnSignals {
        /// The time for which a stopping server says so before it refuses requests.
        grace: Duration,
    },
    /// By its handle only: the process has other work.
    ByHandle,
}

/// The reasons for which a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(
        "cannot listen on {address}: {}; choose another address and port with --listen or \
         TONGHOP_LISTEN, as in 127.0.0.1:9000",
        why_not(.source)
    )]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("the OpenAPI document cannot be made: {0}")]
    Document(#[from] serde_json::Error),
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("signals cannot be received: {0}")]
    Signals(std::io::Error),
}

fn why_not(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => "another program has the port".to_owned(),
        ErrorKind::AddrNotAvailable => "this machine does not have the address".to_owned(),
        ErrorKind::PermissionDenied => {
            let user = User::current();
            format!("the user {user} may not take the port (below 1024 only root may)")
        }
        _ => error.to_string(),
    }
}

/// The most connections that wait to be accepted. On the evening of a deadline more than the
/// default of 128 come at once, and a client that finds no room tries again only after a second.
const WAITING_CONNECTIONS: i32 = 4096;

/// Binds an address.
///
/// # Errors
/// [`ServerError::Listen`], for instance if another program has the port.
pub fn bind(address: SocketAddr) -> Result<TcpListener, ServerError> {
    let listen = || {
        let listener = TcpListener::bind(address)?;
        rustix::net::listen(&listener, WAITING_CONNECTIONS)?;
        Ok(listener)
    };
    listen().map_err(|source| ServerError::Listen { address, source })
}

/// The time in which accepted requests must finish when the server stops.
const TIME_TO_FINISH: Duration = Duration::from_secs(30);

/// The time in which a client must read its answer before its connection is closed.
const TIME_TO_DISCONNECT: Duration = Duration::from_secs(1);

/// The time in which a client must agree with the server on TLS.
const TIME_TO_GREET: Duration = Duration::from_secs(5);

/// Serves on a bound address. Stops as [`Stopping`] says, after answering what it has accepted.
///
/// # Errors
/// [`ServerError`].
pub fn serve(
    listener: TcpListener,
    application: Arc<Application>,
    metrics: Metrics,
    options: ServerOptions,
) -> Result<Server, ServerError> {
    let Described {
        contract,
        exact,
        docs,
    } = Described::made_once()?;
    let parts = Parts {
        contract,
        exact,
        docs,
        writers: web::Data::new(Writers::default()),
        browsers: web::Data::new(Browsers::new(
            options.allowed_origins,
            &application.public_url,
        )),
        proxies: web::Data::new(TrustedProxies::new(options.trusted_proxies)),
        allowances: web::Data::new(Allowances::new(options.allowances)),
        application: web::Data::from(application),
        metrics: web::Data::new(metrics),
        queue: web::Data::new(SubmissionQueue::default()),
        slots: web::Data::new(PasswordSlots::default()),
        streams: web::Data::new(Streams::default()),
        state: web::Data::new(ServerState::new(
            options.request_limit,
            options.request_limit.saturating_mul(options.body_limit),
        )),
        body_limit: BodyLimit(options.body_limit),
        body_time: BodyTime(options.body_time),
    };
    let orders = match options.stopping {
        Stopping::OnSignals { grace } => Some((Orders::listen()?, grace)),
        Stopping::ByHandle => None,
    };
    let told = parts.state.clone();
    let address = listener.local_addr();
    let builder = Server::build()
        .workers(options.workers.unwrap_or_else(default_workers))
        .disable_signals()
        // A read that waits for its turn blocks a thread.
        .worker_max_blocking_threads(options.request_limit.max(512))
        .shutdown_timeout(TIME_TO_FINISH.as_secs());
    let stop = builder.graceful_shutdown_signal();
    let server = match options.certificate {
        None => builder.listen("http", listener, move || {
            fn_service(bodiless).and_then(http_service(parts.clone(), stop.clone()))
        }),
        Some(files) => {
            let certificate = Certificate::read(files)?;
            let acceptor = certificate.acceptor()?;
            actix_web::rt::spawn(certificate.follow());
            builder.listen("https", listener, move || {
                let shaking_hands = TlsAcceptorConfig::default().handshake_timeout(TIME_TO_GREET);
                http_service(parts.clone(), stop.clone())
                    .openssl_with_config(acceptor.clone(), shaking_hands)
            })
        }
    };
    match (server, address) {
        (Ok(server), _) => {
            let server = server.run();
            if let Some((orders, grace)) = orders {
                let stopping = stop_when_told(server.handle(), orders, told, grace);
                actix_web::rt::spawn(stopping);
            }
            Ok(server)
        }
        (Err(source), Ok(address)) => Err(ServerError::Listen { address, source }),
        (Err(source), Err(_)) => Err(ServerError::Listen {
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            source,
        }),
    }
}

/// Prepares a connection for the service.
async fn bodiless(
    stream: TcpStream,
) -> Result<(Bodiless<TcpStream>, Protocol, Option<SocketAddr>), DispatchError> {
    let client = stream.peer_addr().ok();
    Ok((Bodiless::new(stream), Protocol::Http1, client))
}

/// The parts of a server that follow from the document. They are the same for every server of a
/// process, as there are many in the tests.
#[derive(Clone)]
struct Described {
    contract: web::Data<Contract>,
    exact: web::Data<ExactFields>,
    docs: Documents,
}

impl Described {
    /// Makes it for the first server, and gives the same to the others.
    fn made_once() -> Result<Described, ServerError> {
        static MADE: OnceLock<Described> = OnceLock::new();
        if let Some(made) = MADE.get() {
            return Ok(made.clone());
        }
        let made = Described::new(&openapi::document())?;
        Ok(MADE.get_or_init(|| made).clone())
    }

    fn new(document: &OpenApi) -> Result<Described, ServerError> {
        Ok(Described {
            contract: web::Data::new(Contract::new(document)?),
            exact: web::Data::new(ExactFields::of(&serde_json::to_value(document)?)),
            docs: Documents::new(document)?,
        })
    }
}

/// What the threads of a server share.
#[derive(Clone)]
struct Parts {
    application: web::Data<Application>,
    contract: web::Data<Contract>,
    metrics: web::Data<Metrics>,
    queue: web::Data<SubmissionQueue>,
    slots: web::Data<PasswordSlots>,
    streams: web::Data<Streams>,
    state: web::Data<ServerState>,
    allowances: web::Data<Allowances>,
    proxies: web::Data<TrustedProxies>,
    browsers: web::Data<Browsers>,
    exact: web::Data<ExactFields>,
    writers: web::Data<Writers>,
    docs: Documents,
    body_limit: BodyLimit,
    body_time: BodyTime,
}

/// Makes what answers the requests of one thread's connections. Does what
/// `actix_web::HttpServer` does, which has no way to answer before `100 Continue`.
#[expect(
    clippy::type_complexity,
    reason = "the library's service names the type of each of its parts"
)]
fn http_service<T: AsyncRead + AsyncWrite + Unpin + 'static>(
    parts: Parts,
    stop: GracefulShutdownSignal,
) -> HttpService<
    T,
    impl ServiceFactory<
        Request,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = HttpResponse,
        InitError = (),
        Future: 'static,
        Service: Service<Request, Future: 'static>,
    >,
    BoxBody,
    impl ServiceFactory<
        Request,
        Config = (),
        Response = Request,
        Error = actix_web::Error,
        InitError = (),
        Future: 'static,
        Service: Service<Request, Future: 'static>,
    >,
    UpgradeHandler,
> {
    let expectations = Expectations {
        contract: parts.contract.clone(),
        metrics: parts.metrics.clone(),
        limit: parts.body_limit,
    };
    let app = map_config(app(parts), |()| AppConfig::default());
    HttpService::build()
        .graceful_shutdown_signal(move || {
            let stop = stop.clone();
            async move { stop.notified().await }
        })
        .client_disconnect_timeout(TIME_TO_DISCONNECT)
        // A client that closes its side has gone, and its request is abandoned.
        .h1_allow_half_closed(false)
        .expect(fn_service(move |request: Request| {
            ready(expectations.admit(request))
        }))
        .finish(app)
}

/// Makes the application: the routes behind their middlewares.
fn app(
    parts: Parts,
) -> impl ServiceFactory<
    Request,
    Config = AppConfig,
    Response = ServiceResponse<BoxBody>,
    Error = HttpResponse,
    InitError = (),
    Future: 'static,
    Service: Service<Request, Future: 'static>,
> {
    App::new()
        .into_utoipa_app()
        .app_data(parts.application)
        .app_data(parts.contract)
        .app_data(parts.metrics)
        .app_data(parts.queue)
        .app_data(parts.slots)
        .app_data(parts.streams)
        .app_data(parts.state)
        .app_data(parts.allowances)
        .app_data(parts.proxies)
        .app_data(parts.browsers)
        .app_data(parts.exact)
        .app_data(parts.writers)
        .app_data(parts.body_limit)
        .app_data(parts.body_time)
        .configure(routes::routes)
        .into_app()
        .configure(|config| parts.docs.serve(config))
        .configure(front_page::serve)
        .default_service(web::to(route_not_found))
        .wrap(from_fn(representation::choose))
        .wrap(from_fn(contract::hold))
        .wrap(from_fn(reception::receive))
        .wrap(from_fn(browser::guard))
        .wrap(from_fn(upgrade::decline))
        .into_factory()
        .map(ServiceResponse::map_into_boxed_body)
        .map_err(|error: actix_web::Error| error.error_response())
}

/// The signals that tell the process to stop.
struct Orders {
    terminate: Signal,
    interrupt: Signal,
}

enum Order {
    /// From a supervisor: load balancers may have to notice first.
    Terminate,
    /// From somebody at a terminal, who is waiting.
    Interrupt,
}

impl Orders {
    fn listen() -> Result<Orders, ServerError> {
        let receive = |kind| signal(kind).map_err(ServerError::Signals);
        Ok(Orders {
            terminate: receive(SignalKind::terminate())?,
            interrupt: receive(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Order {
        std::future::poll_fn(|context| {
            if self.interrupt.poll_recv(context).is_ready() {
                return Poll::Ready(Order::Interrupt);
            }
            self.terminate.poll_recv(context).map(|_| Order::Terminate)
        })
        .await
    }
}

/// Stops the server when told to. Readiness ends first, so that load balancers stop sending
/// requests before they are refused. A second signal ends the grace period.
async fn stop_when_told(
    server: ServerHandle,
    mut orders: Orders,
    state: web::Data<ServerState>,
    grace: Duration,
) {
    let order = orders.next().await;
    tracing::info!("stopping: accepted requests are finished");
    state.note_stop();
    if let Order::Terminate = order {
        let _ = tokio::time::timeout(grace, orders.next()).await;
    }
    server.stop(true).await;
}

fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

async fn route_not_found() -> Result<actix_web::HttpResponse, Problem> {
    Err(Problem::route_not_found())
}
