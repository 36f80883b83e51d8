//! The engine against a naive model: random steps, and after each one every kept rollup is the
//! fold of the submissions, and what the API's use case shows is what the model works out.
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
const PERIOD: &str = "2024";

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
            "across_units": indicator.across_units, "across_time": "sum",
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
        "name": {"vi": "M"}, "calendar": "statutory", "frequency": "year",
        "submitted_by": SUBMITTING,
        "outline": [{"number": "I", "title": {"vi": "I"}, "items": items.collect::<Vec<_>>()}],
    })
}

/// The service and the model, side by side.
struct Run {
    server: Server,
    identity: Identity,
    model: Model,
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
            model: Model::default(),
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
            let above: Vec<usize> = (0..self.model.units.len()).collect();
            for _ in 0..self.random.random_range(2..=5) {
                let parents = above
                    .iter()
                    .filter(|unit| rank(&self.model.units[**unit]) < rank_of(level));
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
            self.model.units.len()
        );
        let entered = EnteredUnit {
            code: code.clone(),
            name: code.clone(),
            kind: None,
            level: level.to_owned(),
            parent: parent.map(|parent| self.model.units[parent].id.clone()),
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
        self.model.units.push(Unit {
            code,
            id: created["id"].as_str().unwrap().to_owned(),
            level,
            parent,
            status: None,
            latest: Values::new(),
            counting: None,
        });
    }

    fn step(&mut self) {
        let happens = self.random.random_range(0..100);
        if happens < 8 {
            self.add_below();
        } else {
            self.submit();
        }
        self.compare();
    }

    /// Adds a unit below any that has a level under it, one that has submitted too.
    fn add_below(&mut self) {
        let parents = (0..self.model.units.len()).filter(|unit| rank(&self.model.units[*unit]) < 3);
        let parents: Vec<usize> = parents.collect();
        let parent = *parents.choose(&mut self.random).unwrap();
        let levels = &LEVELS[rank(&self.model.units[parent]) + 1..];
        let level = *levels.choose(&mut self.random).unwrap();
        self.add(level, Some(parent));
    }

    fn submit(&mut self) {
        let units = (0..self.model.units.len())
            .filter(|unit| SUBMITTING.contains(&self.model.units[*unit].level));
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
        let before = self.model.units[unit].status;
        let allowed = self.model.units[unit].take(&step, &self.outline);
        let result = self.take(unit, &step, before.is_some());
        match result {
            Ok(body) => {
                assert!(allowed, "{step:?} after {before:?} was taken: {body}");
                assert_eq!(body["status"], json!(self.model.units[unit].status));
            }
            Err(SubmissionError::Missing | SubmissionError::WrongStatus(_)) => {
                assert!(!allowed, "{step:?} after {before:?} was refused");
            }
            Err(other) => panic!("{step:?} after {before:?}: {other:?}"),
        }
    }

    fn values(&mut self, unit: usize) -> Values {
        let level = self.model.units[unit].level;
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

    fn path(&self, unit: &Unit) -> ReportPath {
        ReportPath {
            form: FORM.to_owned(),
            period: PERIOD.to_owned(),
            unit: unit.id.clone(),
        }
    }

    fn take(&self, unit: usize, step: &Step, there: bool) -> Result<Value, SubmissionError> {
        let (application, identity) = (&self.server.application, &self.identity);
        let request = ChangeRequest {
            path: self.path(&self.model.units[unit]),
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

    fn compare(&mut self) {
        let (application, identity) = (&self.server.application, &self.identity);
        for root in self.model.roots() {
            let verified = verify_rollup(application, identity, &self.path(root)).unwrap();
            assert_eq!(verified.differing, [], "below {}", root.code);
        }
        for _ in 0..2 {
            let unit = self.random.random_range(0..self.model.units.len());
            for (stage, name) in [
                (Stage::Submitted, "submitted"),
                (Stage::Approved, "approved"),
            ] {
                let query = RollupQuery {
                    stage,
                    children: Children::Included,
                };
                let path = self.path(&self.model.units[unit]);
                let (_, view) = get_rollup(application, identity, &path, query).unwrap();
                let mut shown = serde_json::to_value(&view).unwrap();
                self.transcript.push(without_ids(&shown));
                let known = shown.as_object_mut().unwrap();
                for other in ["form", "period", "stage", "rev"] {
                    known.remove(other).unwrap();
                }
                name_units_by_code(&mut shown);
                let expected = self.model.report(unit, name, &self.outline);
                assert_same(&shown, &expected);
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
    }
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
        while run.model.units.iter().all(|unit| unit.counting.is_none()) {
            run.step();
        }
        let admin = run.server.sign_in("test", "admin").with("If-Match", "*");
        let mut shortened = form(&["m.sum", "m.max"]);
        let refused = admin.put("/v1/forms/model", &shortened);
        assert_eq!(refused.expect_problem(409, "FIXED_ONCE_USED"), [""; 0]);
        run.compare();
        shortened["valid_from"] = json!("2024-12-15");
        admin.put("/v1/forms/model", &shortened).expect_status(200);
        run.compare();
        for _ in 0..15 {
            run.step();
        }
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
