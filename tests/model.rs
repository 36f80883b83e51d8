//! The engine against a naive model: random steps on several months of one form, and after each
//! one what is kept of the month and of what it is part of is the fold of the submissions, and
//! what the API's use case shows of the month is what the model works out.
//!
//! `TONGHOP_TEST_SEED` repeats a run, `TONGHOP_TEST_STEPS` makes it longer.

mod naive;

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tonghop::authn::Identity;
use tonghop::domain::quantity::Qualifier;
use tonghop::domain::submission::{EnteredValue, Stage};
use tonghop::service::Application;
use tonghop::service::condition::Precondition;
use tonghop::service::locate::ReportPath;
use tonghop::service::rollup::{Children, RollupQuery, get_rollup};
use tonghop::service::submission::{
    ChangeRequest, Entered, EnteredReason, Intent, SubmissionError, approve_submission,
    put_submission, reopen_submission, return_submission, submit_submission, withdraw_submission,
};
use tonghop::service::token::{Credentials, issue_token};
use tonghop::service::unit::{EnteredUnit, create_unit};
use tonghop::service::verification::verify_rollup;

use crate::harness::server::{PASSWORD, now};
use crate::harness::{Backend, Client, Server, postgres};
use naive::{COLLECTED, DERIVED, LEVELS, Model, Quantity, Ratio, SUBMITTING, Step, Unit, Values};

const FORM: &str = "model";
/// The months that are reported on, of two quarters.
const MONTHS: [&str; 3] = ["2024-02", "2024-03", "2024-05"];
/// What they make.
const LONGER: [&str; 5] = ["2024-Q1", "2024-Q2", "2024", "2024-H1", "2024-9M"];

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    let parsed = text.parse().ok();
    Some(parsed.unwrap_or_else(|| panic!("{name} is not a number: {text}")))
}

fn seed() -> u64 {
    setting("TONGHOP_TEST_SEED").unwrap_or_else(rand::random)
}

fn steps() -> usize {
    setting("TONGHOP_TEST_STEPS").unwrap_or(60)
}

/// Says how to repeat a run that failed.
struct Told(u64, usize);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Told(seed, step) = self;
            eprintln!("repeat with TONGHOP_TEST_SEED={seed}; it failed at step {step}");
        }
    }
}

/// A tenant with the model's form, no units yet.
fn put_catalogue(admin: &Client) {
    let option = |code: &&str| json!({"code": code, "name": {"vi": code}});
    for indicator in &COLLECTED {
        let breakdown = |code: &str, closed: bool, options: &[&str]| {
            let options: Vec<Value> = options.iter().map(option).collect();
            (!options.is_empty())
                .then(|| json!({"code": code, "closed": closed, "options": options}))
        };
        let breakdowns = [
            breakdown("closed", true, indicator.closed),
            breakdown("open", false, indicator.open),
        ];
        let body = json!({
            "name": {"vi": indicator.code}, "unit_of_measure": "x", "decimals": indicator.decimals,
            "across_units": indicator.across_units, "across_time": indicator.across_time,
            "breakdowns": breakdowns.into_iter().flatten().collect::<Vec<_>>(),
        });
        let path = format!("/v1/indicators/{}", indicator.code);
        admin.put(&path, &body).expect_status(201);
    }
    for derived in &DERIVED {
        let body = json!({
            "name": {"vi": derived.code}, "unit_of_measure": "x", "decimals": derived.decimals,
            "formula": derived.formula,
        });
        let path = format!("/v1/indicators/{}", derived.code);
        admin.put(&path, &body).expect_status(201);
    }
    let form = form(&all_indicators());
    admin.put("/v1/forms/model", &form).expect_status(201);
}

fn all_indicators() -> Vec<&'static str> {
    let derived = DERIVED.iter().map(|derived| derived.code);
    COLLECTED
        .iter()
        .map(|collected| collected.code)
        .chain(derived)
        .collect()
}

/// The form with these indicators in its outline.
fn form(outline: &[&str]) -> Value {
    let items = outline.iter().map(|code| match naive::collected(code) {
        Some(indicator) => json!({"indicator": code, "collected_at": indicator.collected_at}),
        None => json!({"indicator": code}),
    });
    json!({
        "name": {"vi": "M"}, "calendar": "statutory", "frequency": "month",
        "submitted_by": SUBMITTING,
        "outline": [{"number": "I", "title": {"vi": "I"}, "items": items.collect::<Vec<_>>()}],
    })
}

/// The service and the model, side by side.
struct Run {
    server: Server,
    identity: Identity,
    /// A model of each month; the units are the same in all.
    months: Vec<Model>,
    /// The indicators that the outline has at the moment.
    outline: Vec<&'static str>,
    random: StdRng,
    /// Everything that was compared, to hold one backend's run to another's.
    transcript: Vec<Value>,
}

impl Run {
    fn new(backend: Backend, seed: u64) -> Run {
        let server = Server::with_tenant(backend);
        put_catalogue(&server.sign_in("test", "admin"));
        let identity = identity(&server.application);
        let random = StdRng::seed_from_u64(seed);
        let mut run = Run {
            server,
            identity,
            months: vec![Model::default(); MONTHS.len()],
            outline: all_indicators(),
            random,
            transcript: Vec::new(),
        };
        run.grow();
        run
    }

    /// A tree of three or four levels, with one root or two.
    fn grow(&mut self) {
        let without = *["town", "commune", "none"]
            .choose(&mut self.random)
            .unwrap();
        let used: Vec<&str> = LEVELS
            .into_iter()
            .filter(|level| *level != without)
            .collect();
        for _ in 0..self.random.random_range(1..=2) {
            self.add(used[0], None);
        }
        for level in &used[1..] {
            let above: Vec<usize> = (0..self.months[0].units.len()).collect();
            for _ in 0..self.random.random_range(2..=5) {
                let parents = above
                    .iter()
                    .filter(|unit| rank(&self.months[0].units[**unit]) < rank_of(level));
                let parents: Vec<usize> = parents.copied().collect();
                let parent = *parents.choose(&mut self.random).unwrap();
                self.add(level, Some(parent));
            }
        }
    }

    fn add(&mut self, level: &'static str, parent: Option<usize>) {
        // Codes in no order, so that children are not listed as they came.
        let code = format!(
            "{}-{}",
            self.random.random_range(100..1000),
            self.months[0].units.len()
        );
        let entered = EnteredUnit {
            code: code.clone(),
            name: code.clone(),
            kind: None,
            level: level.to_owned(),
            parent: parent.map(|parent| self.months[0].units[parent].id.clone()),
            valid_from: None,
        };
        let reply = create_unit(
            &self.server.application,
            &self.identity,
            &entered,
            None,
            now(),
        );
        let created: Value = serde_json::from_str(&reply.unwrap().body).unwrap();
        let unit = Unit {
            code,
            id: created["id"].as_str().unwrap().to_owned(),
            level,
            parent,
            status: None,
            latest: Values::new(),
            counting: None,
        };
        for month in &mut self.months {
            month.units.push(unit.clone());
        }
    }

    fn step(&mut self) {
        let happens = self.random.random_range(0..100);
        let month = self.random.random_range(0..MONTHS.len());
        if happens < 8 {
            self.add_below();
        } else {
            self.submit(month);
        }
        self.compare(month);
    }

    /// Adds a unit below any that has a level under it, one that has submitted too.
    fn add_below(&mut self) {
        let parents =
            (0..self.months[0].units.len()).filter(|unit| rank(&self.months[0].units[*unit]) < 3);
        let parents: Vec<usize> = parents.collect();
        let parent = *parents.choose(&mut self.random).unwrap();
        let levels = &LEVELS[rank(&self.months[0].units[parent]) + 1..];
        let level = *levels.choose(&mut self.random).unwrap();
        self.add(level, Some(parent));
    }

    fn submit(&mut self, month: usize) {
        let units = (0..self.months[month].units.len())
            .filter(|unit| SUBMITTING.contains(&self.months[month].units[*unit].level));
        let unit = *units.collect::<Vec<_>>().choose(&mut self.random).unwrap();
        let step = match self.random.random_range(0..16) {
            0..=6 => Step::PutSubmitted(self.values(unit)),
            7..=8 => Step::PutDraft(self.values(unit)),
            9 => Step::Submit,
            10 => Step::Withdraw,
            11..=13 => Step::Approve,
            14 => Step::Return,
            _ => Step::Reopen,
        };
        let before = self.months[month].units[unit].status;
        let allowed = self.months[month].units[unit].take(&step, &self.outline);
        let result = self.take(month, unit, &step, before.is_some());
        match result {
            Ok(body) => {
                assert!(allowed, "{step:?} after {before:?} was taken: {body}");
                assert_eq!(body["status"], json!(self.months[month].units[unit].status));
            }
            Err(SubmissionError::Missing | SubmissionError::WrongStatus(_)) => {
                assert!(!allowed, "{step:?} after {before:?} was refused");
            }
            Err(other) => panic!("{step:?} after {before:?}: {other:?}"),
        }
    }

    fn values(&mut self, unit: usize) -> Values {
        let level = self.months[0].units[unit].level;
        let random = &mut self.random;
        let mut values = Values::new();
        for indicator in &COLLECTED {
            // One in three says nothing about an indicator.
            let is_asked = indicator.collected_at.contains(&level);
            let is_asked = is_asked && self.outline.contains(&indicator.code);
            if !is_asked || random.random_range(0..3) == 0 {
                continue;
            }
            let mut total: i64 = match indicator.code {
                "m.huge" => *[i64::MAX, i64::MAX - 1, i64::MIN, 1]
                    .choose(random)
                    .unwrap(),
                // Few different ones, so that extremes are held by several.
                "m.min" | "m.max" => random.random_range(-2..=2),
                _ => random.random_range(-100_000..=100_000),
            };
            if !indicator.open.is_empty() {
                total = total.abs();
            }
            for option in indicator.closed {
                let value = quantity(random.random_range(-5..=50), random);
                values.insert((indicator.code, Some(option)), value);
            }
            for option in indicator.open {
                if random.random_bool(0.5) {
                    let value = quantity(random.random_range(0..=total / 2), random);
                    values.insert((indicator.code, Some(option)), value);
                }
            }
            if indicator.closed.is_empty() {
                values.insert((indicator.code, None), quantity(total, random));
            }
        }
        values
    }

    fn path(unit: &Unit, period: &str) -> ReportPath {
        ReportPath {
            form: FORM.to_owned(),
            period: period.to_owned(),
            unit: unit.id.clone(),
        }
    }

    fn take(
        &self,
        month: usize,
        unit: usize,
        step: &Step,
        there: bool,
    ) -> Result<Value, SubmissionError> {
        let (application, identity) = (&self.server.application, &self.identity);
        let request = ChangeRequest {
            path: Run::path(&self.months[month].units[unit], MONTHS[month]),
            precondition: if there {
                Precondition::Present
            } else {
                Precondition::Absent
            },
            repeatable: None,
            now: now(),
        };
        let reply = match step {
            Step::PutSubmitted(values) => put_submission(
                application,
                identity,
                request,
                entered(values, Intent::Submit),
            ),
            Step::PutDraft(values) => put_submission(
                application,
                identity,
                request,
                entered(values, Intent::KeepDraft),
            ),
            Step::Submit => submit_submission(application, identity, request),
            Step::Withdraw => withdraw_submission(application, identity, request),
            Step::Approve => approve_submission(application, identity, request),
            Step::Return => return_submission(application, identity, request, reason()),
            Step::Reopen => reopen_submission(application, identity, request),
        }?;
        Ok(serde_json::from_str(&reply.body).unwrap())
    }

    /// What is kept of a month, and of all that is made of it, is the fold; a few of the month's
    /// reports are what the model says.
    fn compare(&mut self, month: usize) {
        let (application, identity) = (&self.server.application, &self.identity);
        // All that is made of the month is compared in turn, and once more at the end: what has
        // gone wrong stays wrong.
        let longer = *LONGER.choose(&mut self.random).unwrap();
        let roots: Vec<&Unit> = self.months[month].roots().collect();
        let root = *roots.choose(&mut self.random).unwrap();
        for period in [MONTHS[month], longer] {
            let path = Run::path(root, period);
            let verified = verify_rollup(application, identity, &path).unwrap();
            assert_eq!(verified.differing, [], "{period} below {}", root.code);
            let verified = serde_json::to_value(&verified).unwrap();
            self.transcript.push(without_ids(&verified));
        }
        for _ in 0..2 {
            let unit = self.random.random_range(0..self.months[month].units.len());
            for (stage, name) in [
                (Stage::Submitted, "submitted"),
                (Stage::Approved, "approved"),
            ] {
                let query = RollupQuery {
                    stage,
                    children: Children::Included,
                    as_of: None,
                };
                let path = Run::path(&self.months[month].units[unit], MONTHS[month]);
                let (_, view) = get_rollup(application, identity, &path, query).unwrap();
                let mut shown = serde_json::to_value(&view).unwrap();
                self.transcript.push(without_ids(&shown));
                let known = shown.as_object_mut().unwrap();
                for other in ["form", "period", "stage", "rev"] {
                    known.remove(other).unwrap();
                }
                name_units_by_code(&mut shown);
                let expected = self.months[month].report(unit, name, &self.outline);
                assert_same(&shown, &expected);
            }
        }
    }
}

impl Run {
    /// Everything that is kept is the fold.
    fn compare_all(&self) {
        let (application, identity) = (&self.server.application, &self.identity);
        for root in self.months[0].roots() {
            for period in MONTHS.iter().chain(&LONGER) {
                let path = Run::path(root, period);
                let verified = verify_rollup(application, identity, &path).unwrap();
                assert_eq!(verified.differing, [], "{period} below {}", root.code);
            }
        }
    }
}

fn identity(application: &Application) -> Identity {
    let credentials = Credentials::Password {
        tenant: Some("test".to_owned()),
        username: "admin".to_owned(),
        password: PASSWORD.to_owned(),
    };
    let token = issue_token(application, &credentials, now()).unwrap();
    let verified = application.tokens.verify(&token.access_token, now());
    verified.unwrap()
}

fn rank_of(level: &str) -> usize {
    LEVELS.iter().position(|known| *known == level).unwrap()
}

fn rank(unit: &Unit) -> usize {
    rank_of(unit.level)
}

fn quantity(mantissa: i64, random: &mut StdRng) -> Quantity {
    let qualifier = match random.random_range(0..10) {
        0 => "at_least",
        1 => "at_most",
        2 => "estimate",
        _ => "exact",
    };
    Quantity {
        mantissa,
        qualifier,
    }
}

fn entered(values: &Values, intent: Intent) -> Entered {
    let values = values.iter().map(|((indicator, option), value)| {
        let decimals = naive::collected(indicator).unwrap().decimals;
        EnteredValue {
            indicator: (*indicator).to_owned(),
            option: option.map(str::to_owned),
            value: Ratio::scaled(value.mantissa.into(), decimals).shown(decimals),
            qualifier: match value.qualifier {
                "at_least" => Qualifier::AtLeast,
                "at_most" => Qualifier::AtMost,
                "estimate" => Qualifier::Estimate,
                _ => Qualifier::Exact,
            },
        }
    });
    Entered {
        values: values.collect(),
        narrative: Vec::new(),
        intent,
    }
}

fn reason() -> EnteredReason {
    EnteredReason {
        text: "Sai".to_owned(),
        values: Vec::new(),
    }
}

/// The model knows units by their codes.
fn name_units_by_code(report: &mut Value) {
    report["unit"] = report["unit"]["code"].clone();
    for child in report["children"].as_array_mut().into_iter().flatten() {
        child["unit"] = child["unit"]["code"].clone();
    }
}

/// Ids are made anew in each run; all the rest, revs too, is the same everywhere.
fn without_ids(shown: &Value) -> Value {
    match shown {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| *name != "id");
            let fields = fields.map(|(name, value)| (name.clone(), without_ids(value)));
            Value::Object(fields.collect())
        }
        Value::Array(items) => items.iter().map(without_ids).collect(),
        other => other.clone(),
    }
}

#[track_caller]
fn assert_same(shown: &Value, expected: &Value) {
    if shown == expected {
        return;
    }
    let mut differences = BTreeMap::new();
    collect_differences(shown, expected, "", &mut differences);
    panic!("shown against expected: {differences:#?}");
}

fn collect_differences(
    shown: &Value,
    expected: &Value,
    at: &str,
    differences: &mut BTreeMap<String, String>,
) {
    let below: Vec<(String, &Value, &Value)> = match (shown, expected) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => one
            .iter()
            .map(|(name, value)| (format!("{at}/{name}"), value, &other[name]))
            .collect(),
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs
                .map(|(index, (one, other))| (format!("{at}/{index}"), one, other))
                .collect()
        }
        _ if shown == expected => return,
        _ => {
            differences.insert(at.to_owned(), format!("{shown} against {expected}"));
            return;
        }
    };
    for (at, shown, expected) in below {
        collect_differences(shown, expected, &at, differences);
    }
}

fn run(backend: Backend, seed: u64, steps: usize) -> Vec<Value> {
    let mut told = Told(seed, 0);
    let mut run = Run::new(backend, seed);
    for step in 0..steps {
        told.1 = step;
        run.step();
        if step % 25 == 24 {
            run.compare_all();
        }
    }
    run.compare_all();
    run.transcript
}

on_both_backends! {
    fn after_every_step_rollups_are_the_fold_and_show_what_a_naive_model_shows(backend) {
        run(backend, seed(), steps());
    }

    /// What a period with submissions has, a form keeps; a version for later periods may drop it,
    /// and the past report stays as it is.
    fn a_changed_outline_leaves_every_past_report_as_it_was(backend) {
        let seed = seed();
        let _told = Told(seed, 0);
        let mut run = Run::new(backend, seed);
        let is_silent = |run: &Run| {
            let mut units = run.months.iter().flat_map(|month| &month.units);
            units.all(|unit| unit.counting.is_none())
        };
        while is_silent(&run) {
            run.step();
        }
        let admin = run.server.sign_in("test", "admin").with("If-Match", "*");
        let mut shortened = form(&["m.sum", "m.max"]);
        let refused = admin.put("/v1/forms/model", &shortened);
        assert_eq!(refused.expect_problem(409, "FIXED_ONCE_USED"), [""; 0]);
        (0..MONTHS.len()).for_each(|month| run.compare(month));
        shortened["valid_from"] = json!("2024-12-15");
        admin.put("/v1/forms/model", &shortened).expect_status(200);
        (0..MONTHS.len()).for_each(|month| run.compare(month));
        for _ in 0..15 {
            run.step();
        }
        run.compare_all();
    }
}

#[test]
fn the_same_steps_show_the_same_on_both_backends() {
    if postgres::server().is_none() {
        return;
    }
    let (seed, steps) = (seed(), steps());
    let sqlite = run(Backend::Sqlite, seed, steps);
    let postgresql = run(Backend::Postgresql, seed, steps);
    let _told = Told(seed, steps);
    for (one, other) in sqlite.iter().zip(&postgresql) {
        assert_same(one, other);
    }
    assert_eq!(sqlite.len(), postgresql.len());
}
