//! How many submissions a second go through the service function, on either backend.
//!
//! `cargo bench --bench submissions` runs on SQLite in a fresh directory; with `DATABASE_URL`
//! (and `TONGHOP_OWNER_URL`) it runs on that database, in a tenant of its own. Four figures, so
//! that one can be held against another: a yearly form, which has base periods only, and a monthly
//! one with all its longer periods, each with one writer and with as many as the arguments say
//! (`-- 16`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use chrono::{DateTime, Utc};
use tonghop::authn::{Identity, Tokens};
use tonghop::domain::form::{FourEyes, Late, Narrative, Need, Show};
use tonghop::domain::indicator::{AcrossTime, AcrossUnits};
use tonghop::domain::level::LevelPreset;
use tonghop::domain::period::{Calendar, Frequency};
use tonghop::domain::quantity::Qualifier;
use tonghop::domain::submission::EnteredValue;
use tonghop::service::Application;
use tonghop::service::condition::Precondition;
use tonghop::service::form::{EnteredForm, EnteredItem, EnteredSection, put_form};
use tonghop::service::indicator::{EnteredIndicator, put_indicator};
use tonghop::service::locate::ReportPath;
use tonghop::service::submission::{ChangeRequest, Entered, Intent, put_submission};
use tonghop::service::tenant::{EnteredTenant, create_tenant};
use tonghop::service::text::EnteredName;
use tonghop::service::token::{Credentials, issue_token};
use tonghop::service::unit::{ImportMode, UnitList, import_units};
use tonghop::store::migration::migrate;
use tonghop::store::{Database, DatabaseUrl};

type Failure = Box<dyn std::error::Error>;

const INDICATORS: usize = 40;
const COMMUNES: usize = 100;
const HAMLETS: usize = 10;
const PASSWORD: &str = "only for a benchmark";

fn main() -> Result<(), Failure> {
    let writers = std::env::args()
        .filter_map(|argument| argument.parse().ok())
        .next()
        .unwrap_or(16);
    let directory = tempfile::tempdir()?;
    let url: DatabaseUrl = match std::env::var("DATABASE_URL") {
        Ok(url) => url.parse()?,
        Err(_) => format!("sqlite:{}", directory.path().join("bench.db").display()).parse()?,
    };
    let owner = std::env::var("TONGHOP_OWNER_URL").map_or(Ok(url.clone()), |url| url.parse())?;
    migrate(&owner, &url)?;
    let tokens = Tokens::open(&directory.path().join("keys"), "bench")?;
    let application = Arc::new(Application::new(Database::new(url.clone()), tokens));
    let identity = prepare(&application)?;
    println!(
        "{url}: {INDICATORS} values a submission, 3 ancestors, {} hamlets",
        COMMUNES * HAMLETS
    );
    for (form, periods) in [
        ("year", ["2023", "2024"]),
        ("month", ["2024-01", "2024-02"]),
    ] {
        for (period, writers) in periods.into_iter().zip([1, writers]) {
            let rate = rate(&application, identity, form, period, writers)?;
            println!("{form}ly form, {writers} writers: {rate} submissions/s");
        }
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
    let token = issue_token(application, &credentials, now())?;
    let identity = application.tokens.verify(&token.access_token, now())?;
    let mut csv = "code,name,level,parent_code\nP,P,province,\nT,T,town,P\n".to_owned();
    for commune in 0..COMMUNES {
        csv.push_str(&format!("C{commune},C{commune},commune,T\n"));
        for hamlet in 0..HAMLETS {
            csv.push_str(&format!("C{commune}-{hamlet},H,hamlet,C{commune}\n"));
        }
    }
    let list = UnitList {
        csv,
        valid_from: None,
        mode: ImportMode::Write,
    };
    import_units(application, &identity, &list, None, now())?;
    for index in 0..INDICATORS {
        let indicator = EnteredIndicator {
            code: code(index),
            name: name("Figure"),
            unit_of_measure: "đồng".to_owned(),
            decimals: 0,
            across_units: Some(AcrossUnits::Sum),
            across_time: Some(AcrossTime::Sum),
            breakdowns: Vec::new(),
            formula: None,
            valid_from: None,
        };
        put_indicator(
            application,
            &identity,
            &indicator,
            &Precondition::None,
            None,
            now(),
        )?;
    }
    for (code, frequency) in [("year", Frequency::Year), ("month", Frequency::Month)] {
        let form = form(code, frequency);
        put_form(
            application,
            &identity,
            &form,
            &Precondition::None,
            None,
            now(),
        )?;
    }
    Ok(identity)
}

fn form(name_and_code: &str, frequency: Frequency) -> EnteredForm {
    let items = (0..INDICATORS).map(|index| EnteredItem {
        indicator: code(index),
        collected_at: None,
        need: Need::Optional,
        show: Show::Total,
    });
    EnteredForm {
        code: name_and_code.to_owned(),
        name: name(name_and_code),
        calendar: Some(Calendar::Civil),
        frequency: Some(frequency),
        windows: None,
        submitted_by: vec!["hamlet".to_owned()],
        deadlines: Default::default(),
        late: Late::Accept,
        four_eyes: FourEyes::NotRequired,
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

/// Submits once for every hamlet, from several threads, and gives submissions a second.
fn rate(
    application: &Arc<Application>,
    identity: Identity,
    form: &str,
    period: &str,
    writers: usize,
) -> Result<usize, Failure> {
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= COMMUNES * HAMLETS {
                            return Ok(());
                        }
                        submit(application, &identity, form, period, index)
                            .map_err(|error| error.to_string())?;
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err("a writer panicked".to_owned()))
            })
            .collect::<Result<Vec<()>, String>>()
    })?;
    let milliseconds = usize::try_from(began.elapsed().as_millis())?.max(1);
    Ok(COMMUNES * HAMLETS * 1000 / milliseconds)
}

fn submit(
    application: &Application,
    identity: &Identity,
    form: &str,
    period: &str,
    index: usize,
) -> Result<(), Failure> {
    let values = (0..INDICATORS).map(|figure| EnteredValue {
        indicator: code(figure),
        option: None,
        value: (1_000_000 + index * 1000 + figure).to_string(),
        qualifier: Qualifier::Exact,
    });
    let entered = Entered {
        values: values.collect(),
        narrative: Vec::new(),
        intent: Intent::Submit,
    };
    let unit = format!("code:C{}-{}", index / HAMLETS, index % HAMLETS);
    let request = ChangeRequest {
        path: ReportPath {
            form: form.to_owned(),
            period: period.to_owned(),
            unit,
        },
        precondition: Precondition::Absent,
        repeatable: None,
        now: now(),
    };
    put_submission(application, identity, request, entered)?;
    Ok(())
}
