//! Measures the country's reform in the middle of a year, and reads of figures on the map after it,
//! on either backend.
//!
//! `cargo bench --bench reform -- --lists DIRECTORY` runs on SQLite in a fresh directory, on the
//! lists `units_2024.csv`, `units_2025.csv` and `mapping_2025.csv` of that directory. Without
//! `--lists` it makes a country of the same size: 63 provinces, 696 towns and 10,035 communes become
//! 34 provinces and 3,321 communes, one of 21 by being divided; `--part 10` makes a tenth of it.
//! With `DATABASE_URL` (and `TONGHOP_OWNER_URL`) it runs on that database, in a tenant of its own.
//!
//! Every commune submits a monthly form of 40 indicators for the twelve months of a year, on the
//! map of before; `--months 4` loads only so many of them, as many after the reform's day as
//! before. Submissions go one by one through the service function, which takes minutes: that time
//! is no measure of this benchmark, though it is shown. Then, through the same functions as over
//! HTTP and without it:
//!
//! 1. The reform is looked at (dry run, with its figures by province) and carried out as of the
//!    1st of July, so that all months after it are entered late and every period that ends later is
//!    made anew. All periods are verified, and the reform is undone.
//! 2. It is looked at and carried out as of the 1st of January after, so that the whole year is
//!    one of before. Its figures are read as they were and restated: of the province that most
//!    provinces became part of, and of the country. All periods are verified once more.
//!
//! What is only read is read ten times: the first time finds the map after as nobody has looked at
//! it yet. Beside each time stands how much of it this program computed; the rest it waited, for
//! the database's server, the disk, its own threads (of the submissions), or whatever else the
//! machine was doing. The peak memory is that of this process while it did the one thing. Both
//! are as the kernel counts them, so it needs Linux, and what was computed is known to its tick
//! only, a few milliseconds. On PostgreSQL what the server computes and holds is in neither.

mod country;
mod measured;
mod organisation;

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use clap::Parser;
use country::Country;
use measured::Measurements;
use tonghop::authn::{Identity, Tokens};
use tonghop::authz::Scope;
use tonghop::domain::day::Day;
use tonghop::domain::reorganisation::ReorganisationDocument;
use tonghop::domain::submission::Stage;
use tonghop::service::Application;
use tonghop::service::application::call::Call;
use tonghop::service::application::condition::Precondition;
use tonghop::service::application::locate::ReportPath;
use tonghop::service::application::watcher::Nobody;
use tonghop::service::map::mapping::{Mapping, Unlisted, document_of};
use tonghop::service::map::reorganisation::{
    create_reorganisation, preview_reorganisation, undo_reorganisation,
};
use tonghop::service::people::tenant::find_tenant;
use tonghop::service::report::rollup::{Children, RollupQuery, get_rollup};
use tonghop::service::report::verification::{reported_periods, verify_period};
use tonghop::store::migration::{make_database, migrate};
use tonghop::store::{Database, DatabaseUrl};

type Failure = Box<dyn std::error::Error>;

pub const FORM: &str = "monthly";
/// The unit above all provinces, as an import with a country makes it.
const COUNTRY: &str = "VN";
const MONTHS: usize = 12;
/// The days of the reform: in the middle of the year, and after it.
const MIDDLE: &str = "2025-07-01";
const AFTER: &str = "2026-01-01";

/// The country's reform, measured.
#[derive(Parser)]
struct Arguments {
    /// A directory with the real lists.
    #[arg(long)]
    lists: Option<PathBuf>,
    /// Without lists: generate a country of one so-many-th of the real size.
    #[arg(long, default_value_t = 1)]
    part: usize,
    /// The number of months to load.
    #[arg(long, default_value_t = MONTHS)]
    months: usize,
    /// The flag that cargo passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let directory = tempfile::tempdir()?;
    let url: DatabaseUrl = match std::env::var("DATABASE_URL") {
        Ok(url) => url.parse()?,
        Err(_) => format!("sqlite:{}", directory.path().join("bench.db").display()).parse()?,
    };
    let owner = std::env::var("TONGHOP_OWNER_URL").map_or(Ok(url.clone()), |url| url.parse())?;
    make_database(&owner)?;
    migrate(&owner, &url)?;
    let tokens = Tokens::open(&directory.path().join("keys"), "bench")?;
    let country = match &arguments.lists {
        Some(lists) => Country::listed(lists)?,
        None => Country::made(arguments.part),
    };
    println!("{url}");
    let application = Application::new(Database::new(url), tokens);
    let mut bench = Bench::load(application, country, &months(arguments.months))?;
    bench.entered_late()?;
    bench.after_the_year()?;
    println!("{}", bench.measurements);
    bench.print_ratios();
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark runs at the time that it is"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}

/// Returns months around the middle of the year, at least June and July.
fn months(count: usize) -> Vec<String> {
    let count = count.clamp(2, MONTHS);
    let first = MONTHS / 2 + 1 - count.div_ceil(2);
    let months = first..first + count;
    months.map(|month| format!("2025-{month:02}")).collect()
}

/// The periods that are read, which hold figures however few months were loaded.
const READ: [(&str, &str); 3] = [
    ("month", "2025-06"),
    ("quarter", "2025-Q2"),
    ("year", "2025"),
];

/// A tenant whose country goes through its reform.
struct Bench {
    application: Application,
    identity: Identity,
    scope: Scope,
    country: Country,
    province: String,
    measurements: Measurements,
}

impl Bench {
    fn load(
        application: Application,
        country: Country,
        months: &[String],
    ) -> Result<Bench, Failure> {
        let slug = format!("bench-{}", uuid::Uuid::now_v7().simple());
        let identity = organisation::found(&application, &slug)?;
        let mut measurements = Measurements::default();
        let communes = country.communes()?;
        let submissions = communes.len() * months.len();
        println!(
            "{} communes, {} indicators, {} months: {submissions} submissions",
            communes.len(),
            organisation::INDICATORS,
            months.len()
        );
        measurements.once("import of the units, the indicators and the form", || {
            organisation::furnish(&application, &identity, &country.before)
        })?;
        measurements.once(format!("{submissions} submissions, one by one"), || {
            organisation::submit_all(&application, &identity, &communes, months)
        })?;
        Ok(Bench {
            identity,
            scope: find_tenant(&application.database, &slug)?,
            province: country.largest_merger()?,
            application,
            country,
            measurements,
        })
    }

    fn entered_late(&mut self) -> Result<(), Failure> {
        let id = self.reform(MIDDLE, "entered half a year late")?;
        self.verify("half a year late")?;
        let Bench {
            application,
            identity,
            measurements,
            ..
        } = self;
        measurements.once("undo", || {
            let call = Call::new(*identity, now()).on(Precondition::Present);
            undo_reorganisation(application, &call, &id)?;
            Ok(())
        })
    }

    fn after_the_year(&mut self) -> Result<(), Failure> {
        self.reform(AFTER, "entered in time")?;
        let province = self.province.clone();
        for (unit, code) in [("province", province.as_str()), ("country", COUNTRY)] {
            for (length, period) in READ {
                for view in [View::AsItWas, View::Restated] {
                    self.read(&view.of(unit, length), code, period, view)?;
                }
            }
        }
        self.verify("in time")
    }

    /// Previews the reform and carries it out. Returns its id.
    fn reform(&mut self, effective: &str, when: &str) -> Result<String, Failure> {
        let document = self.document(effective.parse()?)?;
        let Bench {
            application,
            identity,
            measurements,
            ..
        } = self;
        let preview = measurements.once(format!("preview, {when}"), || {
            Ok(preview_reorganisation(
                application,
                identity,
                &document,
                &Nobody,
            )?)
        })?;
        if !preview.possible {
            return Err("the reform has faults".into());
        }
        let done = measurements.once(format!("apply, {when}"), || {
            let call = Call::new(*identity, now());
            let reply = create_reorganisation(application, &call, &document, &Nobody)?;
            Ok::<serde_json::Value, Failure>(serde_json::from_str(&reply.body)?)
        })?;
        let id = done.get("id").and_then(serde_json::Value::as_str);
        Ok(id.ok_or("a reorganisation has an id")?.to_owned())
    }

    fn document(&self, effective: Day) -> Result<ReorganisationDocument, Failure> {
        let tables = Mapping {
            mapping: self.country.mapping.clone(),
            after: self.country.after.clone(),
            effective,
            legal_basis: "Nghị quyết 202/2025/QH15".to_owned(),
            unlisted: Unlisted::Refuse,
        };
        Ok(document_of(&self.application, &self.identity, &tables)?)
    }

    fn verify(&mut self, when: &str) -> Result<(), Failure> {
        let Bench {
            application,
            scope,
            measurements,
            ..
        } = self;
        let periods = reported_periods(application, scope)?;
        let what = format!("verify of all {} periods, {when}", periods.len());
        measurements.once(what, || {
            for period in &periods {
                if !verify_period(application, scope, period)?.is_empty() {
                    return Err(format!("{} differs", period.period).into());
                }
            }
            Ok(())
        })
    }

    fn read(&mut self, what: &str, code: &str, period: &str, view: View) -> Result<(), Failure> {
        let Bench {
            application,
            identity,
            measurements,
            ..
        } = self;
        let path = ReportPath {
            form: FORM.to_owned(),
            period: period.to_owned(),
            unit: format!("code:{code}"),
        };
        let query = RollupQuery {
            stage: Stage::Submitted,
            children: Children::LeftOut,
            indicators: None,
            as_of: view.day()?,
        };
        measurements.often(what, || {
            let rollup = get_rollup(application, identity, &path, &query)?;
            let has_figures = rollup.cells.iter().all(|cell| cell.value.is_some());
            has_figures.then_some(()).ok_or("no figures".into())
        })
    }

    fn print_ratios(&self) {
        for unit in ["province", "country"] {
            for (length, _) in READ {
                let [restated, as_was] =
                    [View::Restated, View::AsItWas].map(|v| v.of(unit, length));
                if let Some(ratio) = self.measurements.ratio(&restated, &as_was) {
                    println!("{restated}: {ratio} times as long as as it was");
                }
            }
        }
    }
}

/// The map that a figure is read on.
#[derive(Clone, Copy)]
enum View {
    AsItWas,
    Restated,
}

impl View {
    fn of(self, unit: &str, length: &str) -> String {
        match self {
            View::AsItWas => format!("{unit}'s {length} as it was"),
            View::Restated => format!("{unit}'s {length} restated"),
        }
    }

    fn day(self) -> Result<Option<NaiveDate>, Failure> {
        match self {
            View::AsItWas => Ok(None),
            View::Restated => Ok(Some(AFTER.parse()?)),
        }
    }
}
