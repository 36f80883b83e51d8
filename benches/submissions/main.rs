//! Measures the submissions a second through the service function, on either backend, and what one
//! of them writes.
//!
//! `cargo bench --bench submissions` runs on SQLite in a fresh directory; with `DATABASE_URL`
//! (and `TONGHOP_OWNER_URL`) it runs on that database, in a tenant of its own. Two forms, so that
//! one can be held against the other: a yearly one, which has base periods only, and a monthly one
//! with all its longer periods. Each is reported by one writer and by as many as the first argument
//! says, by as many hamlets as the second says (`-- 16 1000`).
//!
//! * **Rows** are those that a submission's commit inserted or updated, by table: the rows that
//!   carry its rev. They are counted for the first submission of a period, which makes its
//!   ancestors' rows, and for one after it.
//! * **Bytes** are counted over a whole run and divided by its submissions. On SQLite they are what
//!   this process hands to write calls (`wchar` in `/proc/self/io`: the log, and the pages that
//!   checkpoints copy from it), so it needs Linux. On PostgreSQL they are what the server's
//!   write-ahead log grows by, full-page images with it and the pages of checkpoints without, so
//!   nothing else should be written on that server.

mod written;

use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tonghop::service::application::idempotency::{Outcome, Reply};
use tonghop::service::application::import_mode::ImportMode;
use tonghop::service::application::watcher::Nobody;
use tonghop::service::map::import::{UnitList, import_units};

use chrono::{DateTime, Utc};
use tonghop::authn::{Identity, Tokens};
use tonghop::domain::form::{FourEyes, Late, Narrative, Need, Show};
use tonghop::domain::indicator::{AcrossTime, AcrossUnits};
use tonghop::domain::level::LevelPreset;
use tonghop::domain::period::{Calendar, Frequency};
use tonghop::domain::quantity::Qualifier;
use tonghop::domain::submission::{EnteredValue, Nil};
use tonghop::service::Application;
use tonghop::service::application::call::Call;
use tonghop::service::application::condition::Precondition;
use tonghop::service::application::locate::ReportPath;
use tonghop::service::application::text::EnteredName;
use tonghop::service::catalogue::form::{EnteredForm, EnteredItem, EnteredSection, put_form};
use tonghop::service::catalogue::indicator::{EnteredBounds, EnteredIndicator, put_indicator};
use tonghop::service::people::tenant::{EnteredTenant, create_tenant};
use tonghop::service::people::token::{Client, Credentials, issue_token};
use tonghop::service::submission::{
    Arrival, Entered, EnteredItem as BatchItem, Intent, SubmissionChange, SubmissionFile, Unnamed,
    change_now, enter_together, import_submissions,
};
use tonghop::store::migration::{make_database, migrate};
use tonghop::store::{Database, DatabaseUrl};
use written::Meter;

type Failure = Box<dyn std::error::Error>;

const INDICATORS: usize = 40;
const COMMUNES: usize = 100;
const HAMLETS_A_COMMUNE: usize = 10;
const HAMLETS: usize = COMMUNES * HAMLETS_A_COMMUNE;
const PASSWORD: &str = "only for a benchmark";

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().filter_map(|argument| argument.parse().ok());
    let writers = arguments.next().unwrap_or(16);
    let hamlets = arguments.next().unwrap_or(HAMLETS).clamp(2, HAMLETS);
    let directory = tempfile::tempdir()?;
    let url: DatabaseUrl = match std::env::var("DATABASE_URL") {
        Ok(url) => url.parse()?,
        Err(_) => format!("sqlite:{}", directory.path().join("bench.db").display()).parse()?,
    };
    let owner = std::env::var("TONGHOP_OWNER_URL").map_or(Ok(url.clone()), |url| url.parse())?;
    make_database(&owner)?;
    migrate(&owner, &url)?;
    let tokens = Tokens::open(&directory.path().join("keys"), "bench")?;
    let application = Application::new(Database::new(url.clone()), tokens);
    let identity = prepare(&application)?;
    let mut bench = Bench {
        meter: Meter::open(&url, identity.tenant())?,
        application,
        identity,
        hamlets,
    };
    println!(
        "{url}: {INDICATORS} values a submission, 3 ancestors, {hamlets} of {HAMLETS} hamlets"
    );
    println!("bytes: {}", bench.meter.counted());
    for (form, [first, second, third, fourth, fifth]) in [
        ("year", ["2020", "2021", "2022", "2023", "2024"]),
        (
            "month",
            ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05"],
        ),
    ] {
        for (index, which) in [(0, "the first of a period"), (1, "one after it")] {
            let rows = bench.rows(form, first, index)?;
            println!("{form}ly form, {which}: {rows}");
        }
        for (period, writers) in [(second, 1), (third, writers)] {
            let run = bench.run(form, period, writers)?;
            println!("{form}ly form, {writers} writers: {run}");
        }
        let run = bench.measured(|bench| bench.enter_together(form, fourth))?;
        println!("{form}ly form, all in one call: {run}");
        let run = bench.measured(|bench| bench.import(form, fifth))?;
        println!("{form}ly form, all from one file: {run}");
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark runs at the time that it is"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}

fn name(text: &str) -> EnteredName {
    EnteredName {
        vi: text.to_owned(),
        en: None,
    }
}

fn code(index: usize) -> String {
    format!("figure.n{index}")
}

fn prepare(application: &Application) -> Result<Identity, Failure> {
    let slug = format!("bench-{}", uuid::Uuid::now_v7().simple());
    let tenant = EnteredTenant {
        slug: slug.clone(),
        name: "Benchmark".to_owned(),
        admin: "admin".to_owned(),
        password: PASSWORD.to_owned(),
        levels: Some(LevelPreset::Vietnam),
    };
    create_tenant(&application.database, &tenant, now())?;
    let credentials = Credentials::Password {
        tenant: Some(slug),
        username: "admin".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let token = issue_token(application, &credentials, &Client::default(), now())?;
    let identity = application.tokens.verify(&token.access_token, now())?;
    let mut csv = "code,name,level,parent_code\nP,P,province,\nT,T,town,P\n".to_owned();
    for commune in 0..COMMUNES {
        csv.push_str(&format!("C{commune},C{commune},commune,T\n"));
        for hamlet in 0..HAMLETS_A_COMMUNE {
            csv.push_str(&format!("C{commune}-{hamlet},H,hamlet,C{commune}\n"));
        }
    }
    let list = UnitList {
        file: csv.into_bytes(),
        valid_from: None,
        country: None,
        mode: ImportMode::Write,
    };
    let call = Call::new(identity, now());
    import_units(application, &call, &list)?;
    for index in 0..INDICATORS {
        let indicator = EnteredIndicator {
            code: code(index),
            name: name("Figure"),
            unit_of_measure: "đồng".to_owned(),
            decimals: 0,
            across_units: Some(AcrossUnits::Sum),
            across_time: Some(AcrossTime::Sum),
            breakdowns: Vec::new(),
            bounds: EnteredBounds::default(),
            formula: None,
            valid_from: None,
        };
        put_indicator(application, &call, &indicator)?;
    }
    for (code, frequency) in [("year", Frequency::Year), ("month", Frequency::Month)] {
        let form = form(code, frequency);
        put_form(application, &call, &form)?;
    }
    Ok(identity)
}

fn form(name_and_code: &str, frequency: Frequency) -> EnteredForm {
    let items = (0..INDICATORS).map(|index| EnteredItem {
        indicator: code(index),
        collected_at: None,
        need: Need::Optional,
        show: Show::Total,
        from_form: None,
    });
    EnteredForm {
        code: name_and_code.to_owned(),
        name: name(name_and_code),
        calendar: Some(Calendar::Civil),
        frequency: Some(frequency),
        windows: None,
        owner: None,
        submitted_by: vec!["hamlet".to_owned()],
        recipients: None,
        opens: None,
        deadlines: Default::default(),
        late: Late::Accept,
        four_eyes: FourEyes::NotRequired,
        jump_factor: None,
        outline: vec![EnteredSection {
            number: "I".to_owned(),
            title: name("All"),
            narrative: Narrative::NotTaken,
            items: items.collect(),
            sections: Vec::new(),
        }],
        rules: Vec::new(),
        valid_from: None,
    }
}

/// A tenant to submit in, and what sees the writing.
struct Bench {
    application: Application,
    identity: Identity,
    meter: Meter,
    hamlets: usize,
}

impl Bench {
    /// The rows that one hamlet's submission writes.
    fn rows(&mut self, form: &str, period: &str, hamlet: usize) -> Result<String, Failure> {
        let rev = submit(&self.application, &self.identity, form, period, hamlet)?;
        let rows = self.meter.rows_of(rev)?;
        let all: i64 = rows.iter().map(|(_, count)| count).sum();
        let tables = rows.iter().map(|(table, count)| format!("{table} {count}"));
        let tables = tables.collect::<Vec<_>>().join(", ");
        Ok(format!("{all} rows ({tables})"))
    }

    /// Submits once for every hamlet, from several threads.
    fn run(&mut self, form: &str, period: &str, writers: usize) -> Result<String, Failure> {
        self.measured(|bench| Ok(bench.submit_all(form, period, writers)?))
    }

    /// Measures what enters once for every hamlet.
    fn measured(
        &mut self,
        work: impl FnOnce(&Bench) -> Result<(), Failure>,
    ) -> Result<String, Failure> {
        let before = self.meter.bytes()?;
        let began = Instant::now();
        work(self)?;
        let milliseconds = usize::try_from(began.elapsed().as_millis())?.max(1);
        let rate = self.hamlets * 1000 / milliseconds;
        let bytes = (self.meter.bytes()? - before) / i64::try_from(self.hamlets)?;
        Ok(format!("{rate} submissions/s, {bytes} bytes a submission"))
    }

    /// Enters for all hamlets in one call, all or none.
    fn enter_together(&self, form: &str, period: &str) -> Result<(), Failure> {
        let items = (0..self.hamlets).map(|hamlet| BatchItem {
            path: path_of(form, period, hamlet),
            condition: Ok(Precondition::Absent),
            entered: entered(hamlet),
        });
        let call = Call::new(self.identity, now());
        enter_together(&self.application, &call, items.collect(), |entered| {
            Reply::new(Outcome::Done, None, &entered.len())
        })?;
        Ok(())
    }

    /// Enters for all hamlets from one list.
    fn import(&self, form: &str, period: &str) -> Result<(), Failure> {
        let mut list = "unit,indicator,value\n".to_owned();
        for hamlet in 0..self.hamlets {
            let unit = unit_of(hamlet);
            for value in entered(hamlet).values {
                list.push_str(&format!("{unit},{},{}\n", value.indicator, value.value));
            }
        }
        let file = SubmissionFile {
            form: form.to_owned(),
            period: period.to_owned(),
            unnamed: Unnamed::Kept,
            intent: Intent::Submit,
            mode: ImportMode::Write,
            file: Cursor::new(list),
        };
        let call = Call::new(self.identity, now());
        import_submissions(&self.application, &call, file, &Nobody)?;
        Ok(())
    }

    fn submit_all(&self, form: &str, period: &str, writers: usize) -> Result<(), String> {
        let Bench {
            application,
            identity,
            hamlets,
            ..
        } = self;
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let write = || {
                loop {
                    let hamlet = next.fetch_add(1, Ordering::Relaxed);
                    if hamlet >= *hamlets {
                        return Ok(());
                    }
                    submit(application, identity, form, period, hamlet)
                        .map_err(|error| error.to_string())?;
                }
            };
            let threads: Vec<_> = (0..writers).map(|_| scope.spawn(write)).collect();
            let mut ends = threads.into_iter().map(|thread| thread.join());
            ends.try_for_each(|end| end.unwrap_or_else(|_| Err("a writer panicked".to_owned())))
        })
    }
}

fn unit_of(hamlet: usize) -> String {
    let (commune, hamlet) = (hamlet / HAMLETS_A_COMMUNE, hamlet % HAMLETS_A_COMMUNE);
    format!("C{commune}-{hamlet}")
}

fn path_of(form: &str, period: &str, hamlet: usize) -> ReportPath {
    ReportPath {
        form: form.to_owned(),
        period: period.to_owned(),
        unit: format!("code:{}", unit_of(hamlet)),
    }
}

/// What a hamlet submits.
fn entered(hamlet: usize) -> Entered {
    let values = (0..INDICATORS).map(|figure| EnteredValue {
        indicator: code(figure),
        option: None,
        value: (1_000_000 + hamlet * 1000 + figure).to_string(),
        qualifier: Qualifier::Exact,
    });
    Entered {
        values: values.collect(),
        narrative: Vec::new(),
        nil: Nil::NotDeclared,
        intent: Intent::Submit,
        arrival: Arrival::Now,
    }
}

/// Submits for one hamlet and gives the commit's rev.
fn submit(
    application: &Application,
    identity: &Identity,
    form: &str,
    period: &str,
    hamlet: usize,
) -> Result<i64, Failure> {
    let call = Call::new(*identity, now()).on(Precondition::Absent);
    let path = path_of(form, period, hamlet);
    let change = SubmissionChange::Put(entered(hamlet));
    let reply = change_now(application, call, path, change)?;
    let view: serde_json::Value = serde_json::from_str(&reply.body)?;
    Ok(view
        .get("rev")
        .and_then(serde_json::Value::as_i64)
        .ok_or("a submission has a rev")?)
}
