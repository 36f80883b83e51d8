//! A server in this process, on a port that the system chose, with a database of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use chrono::Utc;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use ipnet::IpNet;
use tempfile::TempDir;
use tonghop::allowance::AllowanceLimits;
use tonghop::authn::{Identity, Tokens};
use tonghop::domain::level::LevelPreset;
use tonghop::http::server::{ServerOptions, Stopping, bind, serve};
use tonghop::service::Application;
use tonghop::service::application::throttle::SignInLimits;
use tonghop::service::people::operator::{EnteredAccount, add_account};
use tonghop::service::people::tenant::{EnteredTenant, create_tenant, find_tenant};
use tonghop::service::people::token::{Client as SignInClient, Credentials, issue_token};
use tonghop::store::migration::{check, make_database, migrate};
use tonghop::store::{Database, DatabaseUrl};
use tonghop::telemetry::Metrics;

use super::client::Client;
use super::postgres::{self, FreshDatabase};

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgresql,
}

/// The password of every account that the harness makes.
pub const PASSWORD: &str = "tonghop-demo";
/// The body limit of test servers: small, so that a body over it is quickly made.
pub const BODY_LIMIT: usize = 256 * 1024;

/// A database that is gone when it is dropped.
pub struct TestDatabase {
    pub directory: TempDir,
    pub owner: DatabaseUrl,
    pub server: DatabaseUrl,
    _schema: Option<FreshDatabase>,
}

impl TestDatabase {
    /// An empty database: no schema yet.
    pub fn empty(backend: Backend) -> TestDatabase {
        match backend {
            Backend::Sqlite => {
                let directory = tempfile::tempdir().unwrap();
                let path = directory.path().join("tonghop.db");
                let url: DatabaseUrl = format!("sqlite:{}", path.display()).parse().unwrap();
                make_database(&url).unwrap();
                TestDatabase {
                    directory,
                    owner: url.clone(),
                    server: url,
                    _schema: None,
                }
            }
            Backend::Postgresql => TestDatabase::empty_on(postgres::server().expect("PostgreSQL")),
        }
    }

    /// An empty database on a PostgreSQL server.
    fn empty_on(server: &postgres::Server) -> TestDatabase {
        let schema = server.fresh();
        TestDatabase {
            directory: tempfile::tempdir().unwrap(),
            owner: schema.owner_url.parse().unwrap(),
            server: schema.server_url.parse().unwrap(),
            _schema: Some(schema),
        }
    }

    /// A database with the schema.
    pub fn migrated(backend: Backend) -> TestDatabase {
        TestDatabase::empty(backend).with_schema()
    }

    /// A database with the schema on a PostgreSQL server.
    pub fn migrated_on(server: &postgres::Server) -> TestDatabase {
        TestDatabase::empty_on(server).with_schema()
    }

    fn with_schema(self) -> TestDatabase {
        migrate(&self.owner, &self.server).unwrap();
        check(&self.server).unwrap();
        self
    }

    /// With the tenant `test`, as [`Server::with_tenant`] has it.
    pub fn with_tenant(self) -> TestDatabase {
        create_tenant(&Database::new(self.server.clone()), &tenant("test"), now()).unwrap();
        self
    }
}

/// A tenant with the levels of Viet Nam and the administrator `admin`.
fn tenant(slug: &str) -> EnteredTenant {
    EnteredTenant {
        slug: slug.to_owned(),
        name: format!("Tenant {slug}"),
        admin: "admin".to_owned(),
        password: PASSWORD.to_owned(),
        levels: Some(LevelPreset::Vietnam),
    }
}

/// What a server limits and whom it trusts: nothing and nobody, unless a test is about that.
#[derive(Default)]
pub struct Guards {
    pub sign_ins: SignInLimits,
    pub allowances: AllowanceLimits,
    pub trusted_proxies: Vec<IpNet>,
    pub allowed_origins: Vec<String>,
    pub public_url: Option<&'static str>,
}

/// A running server; it stops when it is dropped.
pub struct Server {
    pub application: Arc<Application>,
    pub address: SocketAddr,
    pub database: TestDatabase,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// A server on a fresh database without any tenant.
    pub fn start(backend: Backend) -> Server {
        Server::on(TestDatabase::migrated(backend))
    }

    /// A server with the demo case.
    pub fn with_demo(backend: Backend) -> Server {
        let server = Server::start(backend);
        tonghop::demo::load(&server.application, now()).unwrap();
        server
    }

    /// A server with one tenant `test`, the levels of Viet Nam, and its administrator `admin`.
    pub fn with_tenant(backend: Backend) -> Server {
        let server = Server::start(backend);
        server.create_tenant("test");
        server
    }

    /// A server with one tenant, like [`Server::with_tenant`], that limits and trusts.
    pub fn guarded(backend: Backend, guards: Guards) -> Server {
        let server = Server::guarded_on(TestDatabase::migrated(backend), guards);
        server.create_tenant("test");
        server
    }

    fn on(database: TestDatabase) -> Server {
        Server::guarded_on(database, Guards::default())
    }

    fn guarded_on(database: TestDatabase, guards: Guards) -> Server {
        let tokens = Tokens::open(&database.directory.path().join("keys"), "test").unwrap();
        let application = Application::new(Database::new(database.server.clone()), tokens)
            .reached_at(guards.public_url.unwrap_or("http://127.0.0.1"))
            .limiting_sign_ins(guards.sign_ins);
        let application = Arc::new(application);
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let options = ServerOptions {
            body_limit: BODY_LIMIT,
            body_time: Duration::from_secs(60),
            request_limit: 512,
            workers: Some(2),
            stopping: Stopping::ByHandle,
            allowances: guards.allowances,
            trusted_proxies: guards.trusted_proxies,
            allowed_origins: guards.allowed_origins,
            certificate: None,
        };
        let (sender, receiver) = mpsc::channel();
        let served = application.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let server = serve(listener, served, Metrics::new(now()), options).unwrap();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        let Ok(handle) = receiver.recv() else {
            // The thread ended before it served: tell why, and not only that it did.
            std::panic::resume_unwind(thread.join().unwrap_err());
        };
        Server {
            application,
            address,
            database,
            handle,
            thread: Some(thread),
        }
    }

    /// A tenant with the levels of Viet Nam and the administrator `admin`.
    pub fn create_tenant(&self, slug: &str) {
        create_tenant(&self.application.database, &tenant(slug), now()).unwrap();
    }

    /// An account with grants such as `reporter@code:30388`.
    pub fn create_account(&self, tenant: &str, login: &str, grants: &[&str]) {
        let entered = EnteredAccount {
            login: login.to_owned(),
            name: login.to_owned(),
            telephone: None,
            password: Some(PASSWORD.to_owned()),
            grants: grants.iter().map(|grant| grant.parse().unwrap()).collect(),
        };
        let database = &self.application.database;
        let scope = find_tenant(database, tenant).unwrap();
        add_account(&self.application, &scope, &entered, now()).unwrap();
    }

    /// Changes what is kept of the tenant `test` without the program: to what it cannot be brought
    /// to through it, or not yet.
    pub fn write_beside(&self, sql: &str) {
        match &self.database.owner {
            DatabaseUrl::Sqlite { path } => {
                let mut connection = SqliteConnection::establish(path).unwrap();
                let patient = format!("PRAGMA busy_timeout = 10000; {sql}");
                connection.batch_execute(&patient).unwrap();
            }
            DatabaseUrl::Postgresql { url } => {
                let mut connection = PgConnection::establish(url).unwrap();
                let id = "SELECT id FROM tenant_registry WHERE slug = 'test'";
                let context = format!("SELECT set_config('app.tenant', ({id}), false)");
                let in_context = format!("{context}; {sql}");
                connection.batch_execute(&in_context).unwrap();
            }
        }
    }

    /// The administrator of the tenant `test`, for use cases that are called without HTTP.
    pub fn identity(&self) -> Identity {
        let token = self.token_of("admin", now());
        self.application.tokens.verify(&token, now()).unwrap()
    }

    /// An access token of an account of the tenant `test`, issued at a time.
    pub fn token_of(&self, login: &str, at: chrono::DateTime<Utc>) -> String {
        let credentials = Credentials::Password {
            tenant: Some("test".to_owned()),
            username: login.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let client = SignInClient::default();
        let token = issue_token(&self.application, &credentials, &client, at).unwrap();
        token.access_token
    }

    /// A client that is not signed in.
    pub fn anonymous(&self) -> Client {
        Client::new(self.address)
    }

    /// A client signed in to a tenant.
    pub fn sign_in(&self, tenant: &str, login: &str) -> Client {
        self.anonymous().sign_in(tenant, login, PASSWORD)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test runs at the time that it is"
)]
pub fn now() -> chrono::DateTime<Utc> {
    Utc::now()
}

impl Drop for Server {
    fn drop(&mut self) {
        // The stop is sent at once; what it returns only waits for the end.
        let stopping = self.handle.stop(false);
        drop(stopping);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if let (Err(panic), false) = (ended, std::thread::panicking()) {
                std::panic::resume_unwind(panic);
            }
        }
    }
}
