//! The tenant that goes through the reform: its units, its form of 40 indicators, and what every
//! commune submits.

use std::sync::atomic::{AtomicUsize, Ordering};
use tonghop::service::application::import_mode::ImportMode;
use tonghop::service::map::import::{UnitList, import_units};

use indicatif::{ProgressBar, ProgressStyle};
use tonghop::authn::Identity;
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
use tonghop::service::submission::{Arrival, Entered, Intent, SubmissionChange, change_now};

use crate::{FORM, Failure, now};

pub const INDICATORS: usize = 40;
const PASSWORD: &str = "only for a benchmark";
const WRITERS: usize = 8;

fn name(text: &str) -> EnteredName {
    EnteredName {
        vi: text.to_owned(),
        en: None,
    }
}

fn code(index: usize) -> String {
    format!("figure.n{index}")
}

/// Makes the tenant and signs its administrator in.
pub fn found(application: &Application, slug: &str) -> Result<Identity, Failure> {
    let tenant = EnteredTenant {
        slug: slug.to_owned(),
        name: "Benchmark".to_owned(),
        admin: "admin".to_owned(),
        password: PASSWORD.to_owned(),
        levels: Some(LevelPreset::Vietnam),
    };
    create_tenant(&application.database, &tenant, now())?;
    let credentials = Credentials::Password {
        tenant: Some(slug.to_owned()),
        username: "admin".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let token = issue_token(application, &credentials, &Client::default(), now())?;
    Ok(application.tokens.verify(&token.access_token, now())?)
}

/// Adds the units below one country, the indicators and the form.
pub fn furnish(application: &Application, identity: &Identity, units: &str) -> Result<(), Failure> {
    let list = UnitList {
        file: units.as_bytes().to_vec(),
        valid_from: None,
        country: Some("Việt Nam".to_owned()),
        mode: ImportMode::Write,
    };
    let call = Call::new(*identity, now());
    import_units(application, &call, &list)?;
    for index in 0..INDICATORS {
        put_indicator(application, &call, &indicator(index))?;
    }
    put_form(application, &call, &form())?;
    Ok(())
}

fn indicator(index: usize) -> EnteredIndicator {
    EnteredIndicator {
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
    }
}

fn form() -> EnteredForm {
    let items = (0..INDICATORS).map(|index| EnteredItem {
        indicator: code(index),
        collected_at: None,
        need: Need::Optional,
        show: Show::Total,
        from_form: None,
    });
    EnteredForm {
        code: FORM.to_owned(),
        name: name("Monthly"),
        calendar: Some(Calendar::Civil),
        frequency: Some(Frequency::Month),
        windows: None,
        owner: None,
        submitted_by: vec!["commune".to_owned()],
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

/// Submits for every commune and month, from several threads, and shows how far it is.
pub fn submit_all(
    application: &Application,
    identity: &Identity,
    communes: &[String],
    months: &[String],
) -> Result<(), Failure> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} submissions, {per_sec}, {eta}")?;
    let all = communes.len() * months.len();
    let progress = ProgressBar::new(u64::try_from(all)?).with_style(style);
    let next = AtomicUsize::new(0);
    let write = || -> Result<(), String> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let month = months.get(at / communes.len());
            let (Some(month), Some(commune)) = (month, communes.get(at % communes.len())) else {
                return Ok(());
            };
            submit(application, identity, month, commune, at)
                .map_err(|error| format!("{commune} {month}: {error}"))?;
            progress.inc(1);
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..WRITERS).map(|_| scope.spawn(write)).collect();
        let mut ends = threads.into_iter().map(|thread| thread.join());
        ends.try_for_each(|end| end.unwrap_or_else(|_| Err("a writer panicked".to_owned())))
    })?;
    progress.finish_and_clear();
    Ok(())
}

fn submit(
    application: &Application,
    identity: &Identity,
    month: &str,
    commune: &str,
    seed: usize,
) -> Result<(), Failure> {
    let values = (0..INDICATORS).map(|figure| EnteredValue {
        indicator: code(figure),
        option: None,
        value: (1_000_000 + seed * 1000 + figure).to_string(),
        qualifier: Qualifier::Exact,
    });
    let entered = Entered {
        values: values.collect(),
        narrative: Vec::new(),
        nil: Nil::NotDeclared,
        intent: Intent::Submit,
        arrival: Arrival::Now,
    };
    let path = ReportPath {
        form: FORM.to_owned(),
        period: month.to_owned(),
        unit: format!("code:{commune}"),
    };
    let call = Call::new(*identity, now()).on(Precondition::Absent);
    change_now(application, call, path, SubmissionChange::Put(entered))?;
    Ok(())
}
