//! Deadline day: every hamlet of a country reports in one evening, over HTTP, to the real server.
//!
//! `cargo bench --bench deadline_day` makes a country of 63 provinces, 696 towns, 10,035 communes
//! and 90,508 hamlets in a fresh database, starts the server as a process of its own, and submits
//! for every hamlet from 256 connections. Then it adds the figures up itself and compares every
//! province's report with its own sum, and fails where one differs. What it measured it prints as a
//! table. `-- --help` lists the options.
//!
//! * **The database** is a SQLite file in a temporary directory, or the one of `--database
//!   sqlite:PATH`; with `DATABASE_URL` (and `TONGHOP_OWNER_URL`) it is that PostgreSQL, in a tenant
//!   of its own that stays there. Other settings of the server are taken from the environment.
//! * **The load**: 40 indicators (43 values) a submission, in shuffled order, one account a town,
//!   an Idempotency-Key each; some are corrected later by another PUT with the ETag of the first.
//!   A 503 with Retry-After is waited for and sent again with its key, as is a request whose
//!   connection was lost; anything else unexpected ends the run. Signing in, the lists and the
//!   first read, which loads the map into the server's memory, come before the clock starts. Access
//!   tokens hold for 15 minutes, so a run must not take longer.
//! * **The load generator** runs on the machine's processors beside the server (and PostgreSQL):
//!   one thread that formats requests as it sends them.
//! * **A dashboard** reads fifty reports a second meanwhile, of all levels (`watch.rs`).
//! * **The round**: what people ask about completeness and tasks is timed before and after (`round.rs`).
//! * **Latency** is from sending a request to its answer, of the attempt that was acknowledged.
//! * **Bytes a submission** are what the database grew by, whatever else of it (indexes, dead rows,
//!   kept answers of idempotent requests) that is.
//! * **The ratios** hold this against other ways on the same machine in the same run; `ratios.rs`,
//!   `reads.rs`, `tables.rs` and `sql.rs` say of each what is compared. `--without-ratios` leaves them out.
//!
//! `cargo test --bench deadline_day -- --hamlets 2000 --without-ratios` is the same program, small
//! and not optimised: for its checks, not for its figures.

mod checks;
mod connection;
mod country;
mod form;
mod load;
mod plain;
mod ratios;
mod reads;
mod report;
mod round;
mod server;
mod sql;
mod tables;
mod watch;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use tonghop::domain::period::Frequency;
use tonghop::service::people::tenant::find_tenant;
use tonghop::service::report::verification::{reported_periods, verify_period};
use tonghop::store::DatabaseUrl;

use connection::Connection;
use country::Country;
use form::Form;
use load::Load;
use ratios::Ratios;
use report::{Report, milliseconds, rate, with_commas};
use round::Round;
use server::{Installation, Server, Tenant};
use watch::Watch;

type Failure = Box<dyn std::error::Error>;

/// The server's allocator, for the ways of writing that are measured in this process.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Every hamlet of a country submits to the real server, over HTTP, in one evening.
#[derive(Parser)]
struct Options {
    /// The number of hamlets that submit; the levels above keep their proportions.
    #[arg(long, default_value = "90508")]
    hamlets: NonZeroUsize,
    /// A real list of units (code,name,level,parent_code) with the levels province, town (or
    /// district) and commune, instead of a generated one. Hamlets are added below its communes.
    #[arg(long, value_name = "FILE.csv")]
    units: Option<PathBuf>,
    /// `month` has longer periods, which every submission writes too; `year` has none.
    #[arg(long, default_value = "month", value_parser = frequency)]
    frequency: Frequency,
    /// The number of keep-alive connections that submit.
    #[arg(long, default_value = "256")]
    connections: NonZeroUsize,
    /// The per cent of submissions that are corrected later.
    #[arg(long, default_value_t = 5)]
    corrections: u64,
    /// The database, instead of a temporary file.
    #[arg(long, env = "DATABASE_URL", value_name = "URL")]
    database: Option<DatabaseUrl>,
    /// PostgreSQL as the schema's owner.
    #[arg(long, env = "TONGHOP_OWNER_URL", value_name = "URL")]
    owner: Option<DatabaseUrl>,
    /// Run only the day and its checks.
    #[arg(long)]
    without_ratios: bool,
    /// The number of submissions for each of the other ways of writing.
    #[arg(long, default_value = "20000")]
    sample: NonZeroUsize,
    /// The number of servers on the database, among which the clients that read take turns.
    #[arg(long, default_value = "1")]
    servers: NonZeroUsize,
    /// The flag that `cargo bench` passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn frequency(text: &str) -> Result<Frequency, String> {
    match text {
        "month" => Ok(Frequency::Month),
        "year" => Ok(Frequency::Year),
        _ => Err("month or year".to_owned()),
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut report = Report::default();
    let outcome = measure(&options, &mut report);
    // Print what was measured before a failure too.
    println!("{report}");
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("deadline_day: {failure}");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark runs at the time that it is"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}

fn measure(options: &Options, report: &mut Report) -> Result<(), Failure> {
    let country = Rc::new(Country::new(
        options.hamlets.get(),
        options.units.as_deref(),
    )?);
    let form = Rc::new(Form::new(options.frequency));
    let installation = Installation::new(options.database.clone(), options.owner.clone())?;
    report.titled(format!(
        "{}: {country}; {form}; {} connections",
        installation.database, options.connections
    ));
    let tenant = installation.prepare(&country, &form, Accounts::OneATown)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let empty = sql::size(&installation)?;
    let server = Server::start(&installation)?;
    runtime.block_on(submit(options, report, &server, &tenant, &country, &form))?;
    let grown = sql::size(&installation)?.saturating_sub(empty);
    report.row(
        "database",
        format!("{} bytes a submission", grown / country.hamlets.len()),
    );
    runtime.block_on(check(options, report, &server, &tenant, &country, &form))?;
    server.stop()?;
    verify(report, &installation, &tenant, &form)?;
    runtime.block_on(restart(report, &installation, &tenant, &country, &form))?;
    if options.without_ratios {
        return Ok(());
    }
    let ratios = Ratios {
        installation: &installation,
        tenant: &tenant,
        country: &country,
        form: &form,
        sample: options.sample.get().min(country.hamlets.len()),
        servers: options.servers.get(),
    };
    runtime.block_on(ratios.of_tables(report))?;
    runtime.block_on(ratios.of_reading(report))?;
    ratios.of_writing(report)
}

/// The accounts to make beside the administrator's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Accounts {
    OneATown,
    None,
}

async fn submit(
    options: &Options,
    report: &mut Report,
    server: &Server,
    tenant: &Tenant,
    country: &Rc<Country>,
    form: &Rc<Form>,
) -> Result<(), Failure> {
    let mut connection = Connection::new(server.address);
    let admin = tenant.sign_in(&mut connection, "admin").await?;
    let tokens = sign_in_towns(&mut connection, tenant, country).await?;
    let clerk = tokens.first().cloned().unwrap_or_default();
    // The first read loads the map into the server's memory.
    checks::read_rollup(&mut connection, &admin, form.period, country::ROOT).await?;
    let load = Load {
        address: server.address,
        country: country.clone(),
        form: form.clone(),
        tokens,
        corrections: options.corrections,
    };
    let approver = tenant.sign_in(&mut connection, server::APPROVER).await?;
    let round = Round {
        address: server.address,
        country,
        form,
        approver: &approver,
        clerk: &clerk,
    };
    round.measure(report, "nobody has reported").await?;
    let watch = Watch::start(server.address, &admin, country, form)?;
    let done = load.run(options.connections.get()).await?;
    let watched = watch.end()?;
    let submissions = done.latencies.len();
    report.row(
        "submissions",
        format!(
            "{}/s ({} and {} corrections in {:.1} s); the first nine tenths {}/s",
            rate(submissions, done.took),
            with_commas(country.hamlets.len()),
            with_commas(done.corrections),
            done.took.as_secs_f64(),
            rate(submissions * 9 / 10, done.nine_tenths)
        ),
    );
    report.row(
        "values",
        format!("{}/s", rate(submissions * form.cells.len(), done.took)),
    );
    report.row(
        "latency",
        format!(
            "p50 {}, p99 {}, max {}",
            milliseconds(done.percentile(50)),
            milliseconds(done.percentile(99)),
            milliseconds(done.percentile(100))
        ),
    );
    report.row("reads meanwhile", watched);
    report.row(
        "told to wait",
        format!(
            "{} times (503); {} connections lost; longest to be acknowledged {}",
            done.told_to_wait,
            done.lost,
            milliseconds(done.longest)
        ),
    );
    let memory = server.memory()?;
    report.row(
        "server's memory",
        format!("{} at its peak, {} now", memory.peak, memory.now),
    );
    round.measure(report, "everybody has reported").await?;
    round.extend().await?;
    round.measure(report, "one has more time").await
}

/// Signs every town in, which costs a password's hash each.
async fn sign_in_towns(
    connection: &mut Connection,
    tenant: &Tenant,
    country: &Country,
) -> Result<Vec<String>, Failure> {
    let progress = bar("signing in", country.towns.len())?;
    let mut tokens = Vec::new();
    for town in &country.towns {
        tokens.push(tenant.sign_in(connection, &format!("town-{town}")).await?);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(tokens)
}

/// Compares every province's report with this program's own sums.
async fn check(
    options: &Options,
    report: &mut Report,
    server: &Server,
    tenant: &Tenant,
    country: &Country,
    form: &Form,
) -> Result<(), Failure> {
    let mut connection = Connection::new(server.address);
    let token = tenant.sign_in(&mut connection, "admin").await?;
    let compared =
        checks::provinces(&mut connection, &token, country, form, options.corrections).await?;
    report.row(
        "provinces' reports",
        format!("{compared} figures compared, all as they must be"),
    );
    Ok(())
}

/// Recomputes every report from the submissions, as an operator would: all periods by the command,
/// then the base period alone in this process, with a cached map.
fn verify(
    report: &mut Report,
    installation: &Installation,
    tenant: &Tenant,
    form: &Form,
) -> Result<(), Failure> {
    let began = Instant::now();
    let said = installation.run(&["verify", "--tenant", &tenant.slug], "")?;
    let all = began.elapsed();
    let periods = said.rsplit(": ").next().unwrap_or_default().trim();
    let application = installation.application()?;
    let scope = find_tenant(&application.database, &tenant.slug)?;
    let reported = reported_periods(&application, &scope)?;
    let mut reported = reported.iter();
    let base = reported.find(|reported| reported.period.to_string() == form.period);
    let began = Instant::now();
    let differences = verify_period(&application, &scope, base.ok_or("nothing is reported")?)?;
    let alone = began.elapsed();
    if !differences.is_empty() {
        return Err(format!(
            "{} reports differ from their submissions",
            differences.len()
        )
        .into());
    }
    report.row(
        "tonghop verify",
        format!(
            "{} ({periods}); {} of it {}",
            milliseconds(all),
            form.period,
            milliseconds(alone)
        ),
    );
    Ok(())
}

async fn restart(
    report: &mut Report,
    installation: &Installation,
    tenant: &Tenant,
    country: &Country,
    form: &Form,
) -> Result<(), Failure> {
    let server = Server::start(installation)?;
    let mut connection = Connection::new(server.address);
    let token = tenant.sign_in(&mut connection, "admin").await?;
    let began = Instant::now();
    checks::read_rollup(&mut connection, &token, form.period, country::ROOT).await?;
    let first = began.elapsed();
    let hamlets = with_commas(country.hamlets.len());
    report.row(
        "start on that database",
        format!(
            "{} to readyz, {} more for the first report ({hamlets} hamlets' map); {} then",
            milliseconds(server.ready_after),
            milliseconds(first),
            server.memory()?.now
        ),
    );
    server.stop()
}

/// A progress bar of something that takes long.
fn bar(what: &str, length: usize) -> Result<ProgressBar, Failure> {
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {per_sec} {eta}")?;
    let progress = ProgressBar::new(u64::try_from(length)?).with_style(style);
    progress.set_message(what.to_owned());
    Ok(progress)
}
