//! The model case: the 2024 report of Tân An commune, as data loaded through the API's own use
//! cases. `README.md` in this directory says which parts are real.

mod round;

use crate::service::map::import::{UnitList, import_units};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use crate::authn::Identity;
use crate::domain::level::LevelPreset;
use crate::domain::period::{Calendar, CalendarPeriod};
use crate::domain::quantity::Qualifier;
use crate::domain::submission::{EnteredPassage, EnteredValue, Nil, Stage};
use crate::error::{Explain, Explanation};
use crate::http::form::FormBody;
use crate::http::indicator::IndicatorBody;
use crate::service::Application;
use crate::service::application::call::Call;
use crate::service::application::condition::Precondition;
use crate::service::application::import_mode::ImportMode;
use crate::service::application::locate::ReportPath;
use crate::service::application::watcher::Nobody;
use crate::service::catalogue::form::put_form;
use crate::service::catalogue::indicator::{get_indicator, put_indicator};
use crate::service::map::reorganisation::create_reorganisation;
use crate::service::people::grant::EnteredGrant;
use crate::service::people::operator::{EnteredAccount, add_account};
use crate::service::people::tenant::{EnteredTenant, create_tenant, find_tenant, list_tenants};
use crate::service::people::token::{Client, Credentials, issue_token};
use crate::service::report::lineage::FigureName;
use crate::service::report::series::{SeriesQuery, SeriesView, get_series};
use crate::service::report::target::{EnteredTarget, put_target};
use crate::service::submission::{Arrival, Entered, Intent, SubmissionChange, change_now};

/// The slug of the demo's tenant.
pub const TENANT: &str = "mttq-an-giang";
/// The password of all demo accounts.
pub const PASSWORD: &str = "tonghop-demo";
/// The form of the months of 2024, submitted at Tân An and its neighbours.
pub const MONTHLY_FORM: &str = "mttq.monthly";
/// The annual form, its period and its commune, which the demo prints.
pub const FORM: &str = "mttq.annual";
pub const PERIOD: &str = "2024";
pub const COMMUNE: &str = "code:30388";
/// The commune's town, which existed until the reform. Its report is on the map of 2024.
pub const TOWN: &str = "code:887";

const ADMIN: &str = "admin@demo";

/// A day after the reform that is the last day of no period before it.
const AFTER_REFORM: NaiveDate = match NaiveDate::from_ymd_opt(2026, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// The demo's other accounts: login, name, grants.
pub const ACCOUNTS: [(&str, &str, &[&str]); 4] = [
    ("province@demo", "Tỉnh An Giang", &["approver@code:89"]),
    ("town@demo", "Thị xã Tân Châu", &["approver@code:887"]),
    (
        "commune@demo",
        "Xã Tân An",
        &["reporter@code:30388", "approver@code:30388"],
    ),
    ("hamlet@demo", "Ấp Tân Hậu A1", &["reporter@code:30388-01"]),
];

/// A failure to load the demo: an error in the built-in data or in a use case.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {reason}")]
pub struct DemoError {
    what: String,
    reason: String,
}

fn in_data<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> DemoError {
    move |error| DemoError {
        what: what.to_owned(),
        reason: error.to_string(),
    }
}

fn in_use_case<E: Explain>(what: &str) -> impl Fn(E) -> DemoError {
    move |error| {
        let Explanation {
            message, faults, ..
        } = error.explain();
        let faults = faults
            .iter()
            .map(|fault| format!("; {:?}: {}", fault.place, fault.message.en));
        let reason = format!("{} ({error}){}", message.en, faults.collect::<String>());
        DemoError {
            what: what.to_owned(),
            reason,
        }
    }
}

/// Loads the model case, unless it is loaded already.
///
/// # Errors
/// [`DemoError`].
pub fn load(application: &Application, now: DateTime<Utc>) -> Result<(), DemoError> {
    let there = list_tenants(&application.database).map_err(in_use_case("tenants"))?;
    if there.iter().any(|tenant| tenant.slug.as_str() == TENANT) {
        return Ok(());
    }
    let tenant = EnteredTenant {
        slug: TENANT.to_owned(),
        name: "Mặt trận Tổ quốc Việt Nam tỉnh An Giang".to_owned(),
        admin: ADMIN.to_owned(),
        password: PASSWORD.to_owned(),
        levels: Some(LevelPreset::Vietnam),
    };
    create_tenant(&application.database, &tenant, now).map_err(in_use_case("tenant"))?;
    let admin = sign_in(application, ADMIN, now)?;
    load_units(application, &admin, now)?;
    load_accounts(application, now)?;
    load_catalogue(application, &admin, now)?;
    load_submissions(application, &admin, now)
}

fn sign_in(
    application: &Application,
    login: &str,
    now: DateTime<Utc>,
) -> Result<Identity, DemoError> {
    let credentials = Credentials::Password {
        tenant: Some(TENANT.to_owned()),
        username: login.to_owned(),
        password: PASSWORD.to_owned(),
    };
    let token = issue_token(application, &credentials, &Client::default(), now)
        .map_err(in_use_case(login))?;
    application
        .tokens
        .verify(&token.access_token, now)
        .map_err(in_use_case(login))
}

/// A call for what must not be there yet.
fn new(admin: &Identity, now: DateTime<Utc>) -> Call {
    Call::new(*admin, now).on(Precondition::Absent)
}

fn load_units(
    application: &Application,
    admin: &Identity,
    now: DateTime<Utc>,
) -> Result<(), DemoError> {
    let list = UnitList {
        file: include_bytes!("units.csv").to_vec(),
        valid_from: None,
        country: None,
        mode: ImportMode::Write,
    };
    import_units(application, &Call::new(*admin, now), &list).map_err(in_use_case("units.csv"))?;
    Ok(())
}

fn load_accounts(application: &Application, now: DateTime<Utc>) -> Result<(), DemoError> {
    let scope = find_tenant(&application.database, TENANT).map_err(in_use_case(TENANT))?;
    for (login, name, grants) in ACCOUNTS {
        let grants = grants.iter().map(|grant| grant.parse::<EnteredGrant>());
        let account = EnteredAccount {
            login: login.to_owned(),
            name: name.to_owned(),
            telephone: None,
            password: Some(PASSWORD.to_owned()),
            grants: grants.collect::<Result<_, _>>().map_err(in_data(login))?,
        };
        add_account(application, &scope, &account, now).map_err(in_use_case(login))?;
    }
    Ok(())
}

fn load_catalogue(
    application: &Application,
    admin: &Identity,
    now: DateTime<Utc>,
) -> Result<(), DemoError> {
    let what = "indicators.json";
    let entries: Vec<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_str(include_str!("indicators.json")).map_err(in_data(what))?;
    for mut entry in entries {
        let code = entry.remove("code").unwrap_or_default();
        let code = code.as_str().unwrap_or_default().to_owned();
        let body: IndicatorBody = serde_json::from_value(entry.into()).map_err(in_data(&code))?;
        let entered = body.entered(code.clone());
        put_indicator(application, &new(admin, now), &entered).map_err(in_use_case(&code))?;
    }
    for (code, what, text) in [
        // The annual form takes a figure from the monthly one.
        (MONTHLY_FORM, "monthly.json", include_str!("monthly.json")),
        (FORM, "form.json", include_str!("form.json")),
    ] {
        let body: FormBody = serde_json::from_str(text).map_err(in_data(what))?;
        let entered = body.entered(code.to_owned());
        put_form(application, &new(admin, now), &entered).map_err(in_use_case(what))?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct ValueRow {
    unit: String,
    /// The period, or none in the file of the year.
    #[serde(default)]
    period: Option<String>,
    indicator: String,
    #[serde(default)]
    option: Option<String>,
    value: String,
    qualifier: Option<Qualifier>,
}

#[derive(Deserialize)]
struct PassageRow {
    unit: String,
    section: String,
    text: String,
}

fn load_submissions(
    application: &Application,
    admin: &Identity,
    now: DateTime<Utc>,
) -> Result<(), DemoError> {
    let load = |form, what, text| load_file(application, admin, form, what, text, now);
    let text = include_str!("submissions_2023.csv");
    load(FORM, "submissions_2023.csv", text)?;
    // The annual form takes the voters of these months, so they come before its report is sent.
    load(
        MONTHLY_FORM,
        "monthly_2023.csv",
        include_str!("monthly_2023.csv"),
    )?;
    round::finish_2023(application, now)?;
    load(FORM, "submissions.csv", include_str!("submissions.csv"))?;
    load(FORM, "returned.csv", include_str!("returned.csv"))?;
    round::return_one(application, now)?;
    set_targets(application, admin, now)?;
    load(MONTHLY_FORM, "monthly.csv", include_str!("monthly.csv"))?;
    let text = include_str!("monthly_before_reform.csv");
    load(MONTHLY_FORM, "monthly_before_reform.csv", text)?;
    reform(application, admin, now)?;
    let text = include_str!("monthly_after_reform.csv");
    load(MONTHLY_FORM, "monthly_after_reform.csv", text)
}

#[derive(Deserialize)]
struct TargetRow {
    unit: String,
    indicator: String,
    value: String,
}

/// Sets Tân An's targets for the year.
fn set_targets(
    application: &Application,
    admin: &Identity,
    now: DateTime<Utc>,
) -> Result<(), DemoError> {
    let what = "targets.csv";
    let text = include_str!("targets.csv");
    for goal in csv::Reader::from_reader(text.as_bytes()).deserialize::<TargetRow>() {
        let goal = goal.map_err(in_data(what))?;
        let entered = EnteredTarget {
            path: report_of(&format!("code:{}", goal.unit)),
            figure: FigureName {
                indicator: goal.indicator,
                option: None,
                stage: Stage::Submitted,
            },
            value: Some(goal.value),
        };
        put_target(application, &new(admin, now), &entered).map_err(in_use_case(what))?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct LateArrival {
    form: String,
    period: String,
    unit: String,
    received_on: NaiveDate,
}

/// The times at which submissions came in: the day after the period, except for the late ones
/// listed.
struct Arrivals(Vec<LateArrival>);

impl Arrivals {
    fn read() -> Result<Arrivals, DemoError> {
        let text = include_str!("received_late.csv");
        let late = csv::Reader::from_reader(text.as_bytes()).into_deserialize();
        let late: Result<Vec<LateArrival>, csv::Error> = late.collect();
        late.map(Arrivals).map_err(in_data("received_late.csv"))
    }

    /// Returns the morning of the day of receipt, or `now` if that day is still to come.
    fn of(&self, path: &ReportPath, now: DateTime<Utc>) -> DateTime<Utc> {
        let mut late = self.0.iter();
        let late = late.find(|late| {
            (&late.form, &late.period) == (&path.form, &path.period)
                && path.unit == format!("code:{}", late.unit)
        });
        let period = path.period.parse::<CalendarPeriod>().ok();
        let closing = period.map(|period| period.range(Calendar::Statutory).to);
        let in_time = || closing?.succ_opt();
        let day = late.map(|late| late.received_on).or_else(in_time);
        morning_of(day, now)
    }
}

/// Returns the morning of a day, or `now` if that day is still to come.
fn morning_of(day: Option<NaiveDate>, now: DateTime<Utc>) -> DateTime<Utc> {
    let morning = day.and_then(|day| day.and_hms_opt(2, 0, 0));
    morning.map_or(now, |morning| morning.and_utc().min(now))
}

/// Applies the reform of 2025-07-01 to the model case.
fn reform(
    application: &Application,
    admin: &Identity,
    now: DateTime<Utc>,
) -> Result<(), DemoError> {
    let what = "reform.json";
    let document = serde_json::from_str(include_str!("reform.json")).map_err(in_data(what))?;
    create_reorganisation(application, &Call::new(*admin, now), &document, &Nobody)
        .map_err(in_use_case(what))?;
    Ok(())
}

fn load_file(
    application: &Application,
    admin: &Identity,
    form: &str,
    what: &str,
    text: &str,
    now: DateTime<Utc>,
) -> Result<(), DemoError> {
    let passages: Vec<PassageRow> =
        serde_json::from_str(include_str!("narrative.json")).map_err(in_data("narrative.json"))?;
    let arrivals = Arrivals::read()?;
    for (path, values) in submissions(form, text).map_err(in_data(what))? {
        let has_narrative = form == FORM && path.period == PERIOD;
        let narrative = passages.iter().filter(|_| has_narrative);
        let narrative = narrative.filter(|passage| path.unit == format!("code:{}", passage.unit));
        let narrative = narrative.map(|passage| EnteredPassage {
            section: passage.section.clone(),
            text: passage.text.clone(),
        });
        let entered = submitted(values, narrative.collect());
        let what = format!("{} {} {}", path.form, path.period, path.unit);
        let call = new(admin, arrivals.of(&path, now));
        change_now(application, call, path, SubmissionChange::Put(entered))
            .map_err(in_use_case(&what))?;
    }
    Ok(())
}

/// Returns what is entered and submitted at once.
fn submitted(values: Vec<EnteredValue>, narrative: Vec<EnteredPassage>) -> Entered {
    Entered {
        values,
        narrative,
        nil: Nil::NotDeclared,
        intent: Intent::Submit,
        arrival: Arrival::Now,
    }
}

/// Reads the submissions of a file in its order: lower units come first.
fn submissions(form: &str, text: &str) -> Result<Vec<(ReportPath, Vec<EnteredValue>)>, csv::Error> {
    let mut found: Vec<(ReportPath, Vec<EnteredValue>)> = Vec::new();
    for row in csv::Reader::from_reader(text.as_bytes()).deserialize::<ValueRow>() {
        let row = row?;
        let value = EnteredValue {
            indicator: row.indicator,
            option: row.option,
            value: row.value,
            qualifier: row.qualifier.unwrap_or_default(),
        };
        let path = ReportPath {
            form: form.to_owned(),
            period: row.period.unwrap_or_else(|| PERIOD.to_owned()),
            unit: format!("code:{}", row.unit),
        };
        match found.last_mut() {
            Some((last, values)) if (&last.unit, &last.period) == (&path.unit, &path.period) => {
                values.push(value);
            }
            _ => found.push((path, vec![value])),
        }
    }
    Ok(found)
}

/// Returns the path of the annual report of one of the demo's units.
pub fn report_of(unit: &str) -> ReportPath {
    ReportPath {
        form: FORM.to_owned(),
        period: PERIOD.to_owned(),
        unit: unit.to_owned(),
    }
}

/// The title of [`both_maps`].
pub const BOTH_MAPS: &str =
    "Xã Tân An trước và sau khi nhận xã Tân Thạnh và xã Long An (01/07/2025), báo cáo tháng";

/// A figure over several years as it was, and on the map after the reform.
pub struct MapsBeside {
    pub name: String,
    pub unit_of_measure: String,
    pub as_was: SeriesView,
    pub restated: SeriesView,
}

/// Reads Tân An's figures of the years around the reform, on both maps.
///
/// # Errors
/// [`DemoError`].
pub fn both_maps(
    application: &Application,
    now: DateTime<Utc>,
) -> Result<Vec<MapsBeside>, DemoError> {
    let admin = sign_in(application, ADMIN, now)?;
    let codes = ["fund.raised", "committee.members"];
    let both = codes.map(|code| {
        let (_, indicator) = get_indicator(application, &admin, code, Some(AFTER_REFORM), now)
            .map_err(in_use_case(code))?;
        let series = |as_of| {
            let query = SeriesQuery {
                form: MONTHLY_FORM.to_owned(),
                unit: COMMUNE.to_owned(),
                figure: FigureName {
                    indicator: code.to_owned(),
                    option: None,
                    stage: Stage::Submitted,
                },
                others: Vec::new(),
                from: PERIOD.to_owned(),
                to: "2025".to_owned(),
                as_of,
            };
            get_series(application, &admin, &query).map_err(in_use_case("series"))
        };
        Ok(MapsBeside {
            name: indicator.name.vi,
            unit_of_measure: indicator.unit_of_measure,
            as_was: series(None)?,
            restated: series(Some(AFTER_REFORM))?,
        })
    });
    both.into_iter().collect()
}

/// Suggests next steps to somebody who has started the demo on `address`.
pub fn invitation(address: std::net::SocketAddr) -> String {
    let base = format!("http://{address}");
    let unit = |code: &str| format!("{base}/v1/forms/{FORM}/periods/{PERIOD}/units/code:{code}");
    let accounts: Vec<String> = std::iter::once(ADMIN)
        .chain(ACCOUNTS.iter().map(|(login, ..)| *login))
        .map(str::to_owned)
        .collect();
    format!(
        "API: {base}/v1    Docs: {base}/docs\n\
         Accounts (password {PASSWORD}): {}\n\n\
         Try it, in another terminal:\n\n\
         TOKEN=$(curl -s {base}/v1/auth/token -d grant_type=password -d username=town@demo -d password={PASSWORD} | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n\
         curl -s -H \"Authorization: Bearer $TOKEN\" '{}/rollup'\n\
         curl -s -H \"Authorization: Bearer $TOKEN\" '{}/completeness'\n",
        accounts.join(", "),
        unit("30388"),
        unit("887"),
    )
}
