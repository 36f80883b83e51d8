//! The command line. Each command reads its arguments, calls the library, and reports a failure in
//! one line. Contains no logic.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod command;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand, ValueEnum};
use command::account::{self, AccountCommand};
use command::import::{self, ImportCommand};
use command::keys::KeysCommand;
use command::output::{OutputError, print_line, print_note};
use command::password::choose_password;
use command::report::{self, ReportArguments};
use indicatif::{ProgressBar, ProgressStyle};

use tonghop::authn::{Tokens, keys};
use tonghop::authz::Scope;
use tonghop::config::{DEFAULT_BODY_TIME, DEFAULT_REQUEST_LIMIT, Settings, listen_address};
use tonghop::demo;
use tonghop::domain::level::LevelPreset;
use tonghop::error::{Explain, Explanation, Kind};
use tonghop::http::openapi;
use tonghop::http::server::{ServerOptions, Stopping, bind, serve};
use tonghop::operation::check::{check_clock, check_installation, check_tls, is_fault, is_ok};
use tonghop::operation::{backup, verifier};
use tonghop::service::application::throttle::SignInLimits;
use tonghop::service::feed::audit::{Audit, LastChange, verify_changes};
use tonghop::service::people::tenant::{
    EnteredTenant, check_tenant, create_tenant, find_tenant, list_tenants,
};
use tonghop::service::report::release::audit::verify_releases;
use tonghop::service::report::verification::{reported_periods, verify_period};
use tonghop::service::totals::renewal::renew_totals;
use tonghop::service::{Application, ReadLimits};
use tonghop::store::migration::{
    LeftLogin, is_there, make_database, migrate, prepare, prepare_to_serve,
};
use tonghop::store::{Database, DatabaseUrl};
use tonghop::system::{DirectoryUse, try_to_write_in};
use tonghop::telemetry::{Metrics, start_log};

type Failure = Box<dyn std::error::Error>;

/// A batch of submissions allocates and frees a great deal of memory in small pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Hierarchical reporting: lower units submit, every level above has its report at once.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// A TOML file with settings; environment variables override it.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Try it out: load an example, print its report, and serve it on this machine only.
    Demo(DemoArguments),
    /// Make a new, empty SQLite database where DATABASE_URL says.
    Init,
    /// Run the server: answer the API's requests until it is stopped.
    Serve {
        /// The address to listen on, instead of the setting's.
        #[arg(long, value_parser = listen_address)]
        listen: Option<SocketAddr>,
    },
    /// Bring the database's tables up to this version of the program.
    Migrate,
    /// Create a tenant (one organisation, with units, people and data of its own), or list all.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// List, create, invite, disable and enable accounts, and give them roles.
    #[command(subcommand)]
    Account(AccountCommand),
    /// List and replace the keys that sign access tokens, beside running servers.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Import units, people, submissions or a reorganisation from files, signed in as an administrator.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Print a unit's report on a form and a period, as an official reads it.
    Report(ReportArguments),
    /// Compute every total anew from the submissions and compare, one period at a time.
    Verify {
        /// Check only the tenant with this slug; without it, all tenants.
        #[arg(long)]
        tenant: Option<String>,
        /// Check the history of changes instead: nothing in it was taken out, put in or changed.
        #[arg(long)]
        changes: bool,
    },
    /// Copy a SQLite database while it is in use, and check the copy.
    Backup {
        /// The file of the copy, which must not exist yet.
        #[arg(long)]
        to: PathBuf,
    },
    /// Check that a server can run here, and say how to correct what is wrong.
    Check,
    /// Print the OpenAPI document.
    Openapi {
        /// How the document has exact numbers: as JSON numbers, or as text, for clients that send
        /// `Prefer: numbers=text` with every request.
        #[arg(long, value_enum, default_value_t = Numbers::Json)]
        numbers: Numbers,
    },
}

/// The ways to write exact numbers.
#[derive(Clone, Copy, ValueEnum)]
enum Numbers {
    Json,
    Text,
}

#[derive(Parser)]
struct DemoArguments {
    /// Keep the demo's data in this directory; without it, they are deleted at the end.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// The address to listen on, instead of the setting's; local addresses only.
    #[arg(long, value_parser = listen_address)]
    listen: Option<SocketAddr>,
    /// Print the report and exit.
    #[arg(long)]
    once: bool,
}

#[derive(Subcommand)]
enum TenantCommand {
    /// Create a tenant and its first administrator. The administrator's password is asked for, or
    /// is the first line of standard input.
    Create {
        /// The tenant's short name, which people give when they sign in, such as an-giang.
        #[arg(long)]
        slug: String,
        /// The tenant's full name, as people read it.
        #[arg(long)]
        name: String,
        /// The login of the first administrator.
        #[arg(long)]
        admin: String,
        /// The levels to begin with: vietnam makes province, town, commune and hamlet. Without it
        /// there are none.
        #[arg(long)]
        levels: Option<Levels>,
    },
    /// List all tenants: slug, id and name.
    List,
}

#[derive(Clone, Copy, ValueEnum)]
enum Levels {
    Vietnam,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => match failure.downcast_ref() {
            Some(OutputError::ReaderGone) => ExitCode::from(READER_GONE),
            Some(OutputError::Other(_)) | None => {
                print_note(format_args!("tonghop: {failure}"));
                ExitCode::FAILURE
            }
        },
    }
}

/// The exit code of a program that ends because nobody reads its output any more, as shells show it
/// for others (128 + SIGPIPE). Not 0: the command may have stopped before its end.
const READER_GONE: u8 = 141;

fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = arguments.config.as_deref();
    if !matches!(arguments.command, Command::Check | Command::Openapi { .. }) {
        check_clock(now())?;
    }
    match arguments.command {
        Command::Demo(demo) => run_demo(&settings(config)?, &demo),
        Command::Init => run_init(&settings(config)?),
        Command::Serve { listen } => {
            let mut settings = settings(config)?;
            settings.listen = listen.unwrap_or(settings.listen);
            run_serve(&settings)
        }
        Command::Migrate => run_migrate(&settings(config)?),
        Command::Tenant(command) => run_tenant(&settings(config)?, command),
        Command::Account(command) => account::run(&ready(&settings(config)?)?, command, now()),
        Command::Keys(command) => command::keys::run(&settings(config)?.keys, &command, now()),
        Command::Import(command) => import::run(&settings(config)?, command),
        Command::Report(arguments) => report::run(&settings(config)?, arguments),
        Command::Verify { tenant, changes } => {
            let settings = settings(config)?;
            match changes {
                true => run_verify_changes(&settings, tenant.as_deref()),
                false => run_verify(&settings, tenant.as_deref()),
            }
        }
        Command::Backup { to } => run_backup(&settings(config)?, &to),
        Command::Check => run_check(&settings(config)?),
        Command::Openapi { numbers } => {
            let document = match numbers {
                Numbers::Json => openapi::document(),
                Numbers::Text => openapi::with_numbers_as_text(&openapi::document())?,
            };
            print_line(document.to_pretty_json()?)?;
            Ok(())
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line is where the clock is read"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}

fn settings(config: Option<&Path>) -> Result<Settings, Failure> {
    Ok(Settings::load(config, std::env::vars_os())?)
}

fn run_serve(settings: &Settings) -> Result<(), Failure> {
    start_log(settings)?;
    for left in prepare_to_serve(&settings.database_url)? {
        tracing::warn!(%left, "a login was left as it is");
    }
    let database = Database::new(settings.database_url.clone());
    let tokens = Tokens::open(&settings.keys, &settings.issuer)?;
    let limits = ReadLimits {
        time: settings.read_time,
        requests: settings.request_limit,
    };
    let application = Application::with(database, tokens, limits)
        .reached_at(&settings.reached_at())
        .limiting_sign_ins(SignInLimits::usual());
    renew_totals(&application, now()).map_err(explained)?;
    for finding in check_tls(settings, now()).iter().filter(|one| !is_ok(one)) {
        tracing::warn!("{}", finding.text);
    }
    let listener = bind(settings.listen)?;
    let options = ServerOptions {
        body_limit: settings.body_limit,
        body_time: settings.body_time,
        request_limit: settings.request_limit,
        workers: settings.workers.map(std::num::NonZero::get),
        stopping: Stopping::OnSignals {
            grace: settings.stop_grace,
        },
        allowances: settings.allowances,
        trusted_proxies: settings.trusted_proxies.clone(),
        allowed_origins: settings.allowed_origins.clone(),
        certificate: settings.certificate.clone(),
    };
    tracing::info!(
        address = %listener.local_addr()?,
        database = %settings.database_url,
        "serving"
    );
    let application = Arc::new(application);
    let metrics = Metrics::new(now());
    if let Some(every) = settings.verify_every {
        verifier::start(application.clone(), metrics.verification(), every, now)?;
    }
    actix_web::rt::System::new().block_on(async {
        serve(listener, application, metrics, options)?
            .await
            .map_err(Failure::from)
    })
}

fn run_init(settings: &Settings) -> Result<(), Failure> {
    let url = &settings.database_url;
    if let DatabaseUrl::Postgresql { .. } = url {
        return Err(
            "PostgreSQL's administrator makes the database, as README says, and `tonghop migrate` \
             its tables"
                .into(),
        );
    }
    make_database(url)?;
    migrate(url, url)?;
    print_line(format_args!("{url}: a new and empty database"))?;
    Ok(())
}

fn run_migrate(settings: &Settings) -> Result<(), Failure> {
    let server = &settings.database_url;
    let owner = settings.owner_url.as_ref().unwrap_or(server);
    let migrated = match owner {
        // Servers migrate a SQLite file by themselves; migrating again only lists the skipped
        // logins.
        DatabaseUrl::Sqlite { .. } => prepare(owner).and_then(|_| migrate(owner, owner)),
        DatabaseUrl::Postgresql { .. } => migrate(owner, server),
    };
    let left = migrated.map_err(|error| match (owner, &settings.owner_url) {
        (DatabaseUrl::Postgresql { .. }, None) => {
            format!("{error}; the schema's owner is given as TONGHOP_OWNER_URL")
        }
        _ => error.to_string(),
    })?;
    print_line(format_args!("{owner}: the schema is up to date"))?;
    tell(&left);
    Ok(())
}

/// Prints notes on standard error, beside a command's output.
fn tell(left: &[LeftLogin]) {
    for left in left {
        print_note(left);
    }
}

/// Reports a use case's failure in one line.
fn explained<E: Explain>(error: E) -> Failure {
    reason_of(&error).into()
}

fn reason_of(error: &impl Explain) -> String {
    let Explanation {
        code,
        message,
        faults,
    } = error.explain();
    let details: Vec<String> = faults.into_iter().map(|fault| fault.message.en).collect();
    match code.kind() {
        // The operator has access to the database, and may know the internal reason.
        Kind::Internal | Kind::Unavailable => error.to_string(),
        _ if details.is_empty() => message.en,
        _ => details.join(" "),
    }
}

/// Opens an existing database and migrates it. A mistyped path is an error, never a new database.
fn ready(settings: &Settings) -> Result<Application, Failure> {
    tell(&prepare(&settings.database_url)?);
    let database = Database::new(settings.database_url.clone());
    let application = Application::new(database, Tokens::of_command(&settings.issuer)?)
        .reached_at(&settings.reached_at());
    renew_totals(&application, now()).map_err(explained)?;
    Ok(application)
}

/// Makes the database for the first tenant. If signing keys exist, a server has run here and its
/// database must be missing, so no empty one replaces it silently.
fn make_for_first_tenant(settings: &Settings) -> Result<(), Failure> {
    if is_there(&settings.database_url) || keys::has_keys(&settings.keys) {
        return Ok(());
    }
    make_database(&settings.database_url)?;
    migrate(&settings.database_url, &settings.database_url)?;
    Ok(())
}

fn run_tenant(settings: &Settings, command: TenantCommand) -> Result<(), Failure> {
    match command {
        TenantCommand::Create {
            slug,
            name,
            admin,
            levels,
        } => {
            let levels = levels.map(|Levels::Vietnam| LevelPreset::Vietnam);
            let entered = EnteredTenant {
                password: choose_password(&admin)?,
                slug,
                name,
                admin,
                levels,
            };
            // No database is made for a tenant that cannot be.
            check_tenant(&entered).map_err(explained)?;
            make_for_first_tenant(settings)?;
            let database = &ready(settings)?.database;
            let id = create_tenant(database, &entered, now()).map_err(explained)?;
            print_line(format_args!("{} {id}", entered.slug))?;
        }
        TenantCommand::List => {
            let database = &ready(settings)?.database;
            for tenant in list_tenants(database).map_err(explained)? {
                print_line(format_args!(
                    "{} {} {}",
                    tenant.slug, tenant.id, tenant.name
                ))?;
            }
        }
    }
    Ok(())
}

/// Lists the tenants to verify: the one of the slug, or all.
fn tenants_to_verify(
    application: &Application,
    slug: Option<&str>,
) -> Result<Vec<String>, Failure> {
    let slugs: Vec<String> = match slug {
        Some(slug) => vec![slug.to_owned()],
        None => {
            let tenants = list_tenants(&application.database).map_err(explained)?;
            tenants
                .iter()
                .map(|tenant| tenant.slug.to_string())
                .collect()
        }
    };
    match slugs.is_empty() {
        true => Err("there is no tenant: nothing was verified".into()),
        false => Ok(slugs),
    }
}

fn run_verify(settings: &Settings, slug: Option<&str>) -> Result<(), Failure> {
    let application = ready(settings)?;
    let (mut differences, mut altered) = (0, 0);
    for slug in tenants_to_verify(&application, slug)? {
        let scope = find_tenant(&application.database, &slug).map_err(explained)?;
        let periods = reported_periods(&application, &scope).map_err(explained)?;
        let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} periods {eta}")?;
        let progress = ProgressBar::new(u64::try_from(periods.len())?).with_style(style);
        progress.set_message(slug.clone());
        for period in &periods {
            let lines: Vec<String> = match verify_period(&application, &scope, period) {
                Ok(found) => found
                    .iter()
                    .map(|one| format!("{} {} differs", one.code, one.name))
                    .collect(),
                Err(error) => vec![format!("cannot be read: {error}")],
            };
            differences += lines.len();
            progress.suspend(|| {
                lines.iter().try_for_each(|line| {
                    let (form, period) = (&period.form, &period.period);
                    print_line(format_args!("{slug}: {form} {period} {line}"))
                })
            })?;
            progress.inc(1);
        }
        progress.finish_and_clear();
        print_line(format_args!(
            "{slug}: {} periods folded anew",
            periods.len()
        ))?;
        altered += print_releases(&application, &slug, &scope)?;
    }
    match (differences, altered) {
        (0, 0) => Ok(()),
        (0, _) => Err(format!("{altered} releases are not what was sent").into()),
        (_, 0) => Err(format!("{differences} totals are not what their submissions make").into()),
        (_, _) => Err(format!(
            "{differences} totals are not what their submissions make, and {altered} releases are \
             not what was sent"
        )
        .into()),
    }
}

/// Compares a tenant's releases with their hashes, and returns how many are not what was sent.
fn print_releases(application: &Application, slug: &str, scope: &Scope) -> Result<usize, Failure> {
    let audit = verify_releases(application, scope).map_err(explained)?;
    for release in &audit.altered {
        print_line(format_args!("{slug}: {release} is not what was sent"))?;
    }
    print_line(format_args!(
        "{slug}: {} releases compared with their hashes",
        audit.releases
    ))?;
    Ok(audit.altered.len())
}

fn run_verify_changes(settings: &Settings, slug: Option<&str>) -> Result<(), Failure> {
    let application = ready(settings)?;
    let mut broken = 0;
    for slug in tenants_to_verify(&application, slug)? {
        let scope = find_tenant(&application.database, &slug).map_err(explained)?;
        match verify_changes(&application, &scope) {
            Ok(Audit::Sound { rows, first, last }) => {
                print_line(format_args!(
                    "{slug}: {}",
                    sound_history(rows, first.zip(last))
                ))?;
            }
            Ok(Audit::Broken(fault)) => {
                broken += 1;
                print_line(format_args!("{slug}: {fault}"))?;
            }
            Err(error) => {
                broken += 1;
                print_line(format_args!("{slug}: the history cannot be read: {error}"))?;
            }
        }
    }
    match broken {
        0 => Ok(()),
        _ => Err(format!("{broken} histories of changes are not as they were written").into()),
    }
}

/// Says of what an unbroken history consists.
fn sound_history(rows: u64, ends: Option<(i64, LastChange)>) -> String {
    let noun = if rows == 1 { "commit" } else { "commits" };
    match ends {
        None => "nothing was changed yet".to_owned(),
        Some((first, LastChange { rev, hash })) => format!(
            "every change is as it was written: {rows} {noun}, numbered from {first} to {rev}; \
             the last has the hash {hash}"
        ),
    }
}

fn run_backup(settings: &Settings, to: &Path) -> Result<(), Failure> {
    let bytes = backup::back_up(&settings.database_url, to)?;
    print_line(format_args!("{}: {bytes} bytes, checked", to.display()))?;
    print_line(format_args!(
        "keep the keys with it: {}",
        settings.keys.display()
    ))?;
    Ok(())
}

fn run_check(settings: &Settings) -> Result<(), Failure> {
    let findings = check_installation(settings, now());
    for finding in &findings {
        print_line(finding)?;
    }
    if findings.iter().any(is_fault) {
        return Err("a server cannot work like this; see the lines that say fault".into());
    }
    Ok(())
}

/// Returns the demo's address unless one is asked for: the setting's port, on this machine.
fn demo_address(settings: &Settings) -> SocketAddr {
    match settings.listen.ip().is_loopback() {
        true => settings.listen,
        false => SocketAddr::from((Ipv4Addr::LOCALHOST, settings.listen.port())),
    }
}

fn bind_on_this_machine(address: SocketAddr) -> Result<TcpListener, Failure> {
    if address.ip().is_loopback() {
        return Ok(bind(address)?);
    }
    Err(
        "the demo's passwords are known to everybody: it listens on this machine only, \
         as with --listen 127.0.0.1:8080"
            .into(),
    )
}

fn print_demo(application: &Application) -> Result<(), Failure> {
    let scope = find_tenant(&application.database, demo::TENANT).map_err(explained)?;
    for unit in [demo::COMMUNE, demo::TOWN] {
        print_line(format_args!(
            "{}\n",
            report::printed(application, &scope, &demo::report_of(unit))?
        ))?;
    }
    print_line(demo::BOTH_MAPS)?;
    for beside in demo::both_maps(application, now())? {
        print_line(report::of_both_maps(&beside))?;
    }
    Ok(())
}

fn run_demo(settings: &Settings, arguments: &DemoArguments) -> Result<(), Failure> {
    // Bind the port first, so that a user who cannot have it does not wait for the loading.
    let listener = if arguments.once {
        None
    } else {
        Some(bind_on_this_machine(
            arguments.listen.unwrap_or_else(|| demo_address(settings)),
        )?)
    };
    let fresh;
    let directory = match &arguments.data_dir {
        Some(directory) => directory.as_path(),
        None => {
            fresh = tempfile::Builder::new().prefix("tonghop-demo-").tempdir()?;
            fresh.path()
        }
    };
    std::fs::create_dir_all(directory)
        .map_err(|error| format!("cannot write to {}: {error}", directory.display()))?;
    try_to_write_in(directory, DirectoryUse::Demo)?;
    let path = directory.join("tonghop.db");
    let url = DatabaseUrl::Sqlite {
        path: path.display().to_string(),
    };
    if !is_there(&url) {
        make_database(&url)?;
    }
    tell(&migrate(&url, &url)?);
    let tokens = Tokens::open(&directory.join("keys"), "tonghop-demo")?;
    let address = listener.as_ref().map(TcpListener::local_addr).transpose()?;
    let address = address.unwrap_or(settings.listen);
    let application = Application::new(Database::new(url.clone()), tokens)
        .reached_at(&format!("http://{address}"))
        .limiting_sign_ins(SignInLimits::usual());
    let application = Arc::new(application);
    renew_totals(&application, now()).map_err(explained)?;
    demo::load(&application, now())?;
    print_demo(&application)?;
    let Some(listener) = listener else {
        return Ok(());
    };
    print_line(format_args!(
        "\n{}",
        demo::invitation(listener.local_addr()?)
    ))?;
    let options = ServerOptions {
        body_limit: 2 * 1024 * 1024,
        body_time: DEFAULT_BODY_TIME,
        request_limit: DEFAULT_REQUEST_LIMIT.into(),
        workers: None,
        stopping: Stopping::OnSignals {
            grace: Duration::ZERO,
        },
        allowances: settings.allowances,
        trusted_proxies: Vec::new(),
        allowed_origins: settings.allowed_origins.clone(),
        certificate: None,
    };
    let metrics = Metrics::new(now());
    actix_web::rt::System::new().block_on(async {
        serve(listener, application, metrics, options)?
            .await
            .map_err(Failure::from)
    })
}
