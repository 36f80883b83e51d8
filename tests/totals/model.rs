//! The engine against a naive model: random steps on several months of one form, some in one call or
//! from one file, with a new version of the form or of an indicator now and then, and units that report
//! for all below them. After each step the kept totals are the fold of the submissions, and the API's
//! use case shows what the model works out, for the month and for every longer period.
//!
//! `TONGHOP_TEST_SEED` repeats a run, `TONGHOP_TEST_STEPS` makes it longer.

mod catalogue;
mod naive;

use std::collections::{BTreeMap, BTreeSet};
use tonghop::service::map::draft::EnteredUnit;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tonghop::authn::Identity;
use tonghop::domain::quantity::{Decimal, Qualifier};
use tonghop::domain::submission::{EnteredValue, Nil, Stage};
use tonghop::domain::written::in_plain_form;
use tonghop::error::Language;
use tonghop::service::application::call::Call;
use tonghop::service::application::condition::Precondition;
use tonghop::service::application::idempotency::Reply;
use tonghop::service::application::locate::ReportPath;
use tonghop::service::map::unit::create_unit;
use tonghop::service::report::rollup::{Children, RollupQuery, get_rollup};
use tonghop::service::report::table::{AskedColumns, TableQuery, get_table};
use tonghop::service::report::verification::verify_rollup;
use tonghop::service::submission::{
    Arrival, Asked as AskedChange, Entered, EnteredReason, Intent, SubmissionChange,
    SubmissionError, change_all,
};

use crate::harness::server::now;
use crate::harness::{Backend, Client, Server, postgres};
use catalogue::{Change, TAKING, put_catalogue};
use naive::{
    Asked, Edition, Key, LEVELS, LONGER, MONTHS, Model, Month, Period, Quantity, Ratio, Sent, Step,
    UNUSED, Unit, Values,
};

const FORM: &str = "model";
const STAGES: [(Stage, &str); 2] = [
    (Stage::Submitted, "submitted"),
    (Stage::Approved, "approved"),
];

/// What the environment says of how to run.
pub fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    let parsed = text.parse().ok();
    Some(parsed.unwrap_or_else(|| panic!("{name} is not a number: {text}")))
}

fn seed() -> u64 {
    setting("TONGHOP_TEST_SEED").unwrap_or_else(rand::random)
}

fn steps() -> usize {
    setting("TONGHOP_TEST_STEPS").unwrap_or(24)
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

/// What the model says of a step that the service was asked for.
struct Expected {
    step: Step,
    before: Option<&'static str>,
    after: Option<&'static str>,
    is_allowed: bool,
}

impl Expected {
    fn compare(self, result: Result<Reply, SubmissionError>) {
        let Expected {
            step,
            before,
            after,
            is_allowed,
        } = self;
        match result {
            Ok(reply) => {
                let body: Value = serde_json::from_str(&reply.body).unwrap();
                assert!(is_allowed, "{step:?} after {before:?} was taken: {body}");
                assert_eq!(body["status"], json!(after));
            }
            Err(SubmissionError::Missing | SubmissionError::WrongStatus { .. }) => {
                assert!(!is_allowed, "{step:?} after {before:?} was refused");
            }
            Err(other) => panic!("{step:?} after {before:?}: {other:?}"),
        }
    }
}

/// What a file does to a unit.
enum Effect {
    /// It has these values already.
    Left(Option<&'static str>),
    Entered(Expected),
}

/// The service and the model, side by side.
struct Run {
    server: Server,
    admin: Client,
    identity: Identity,
    model: Model,
    random: StdRng,
    /// How many names were made up for versions.
    names: usize,
    /// Everything that was compared, to hold one backend's run to another's.
    transcript: Vec<Value>,
}

impl Run {
    fn new(backend: Backend, seed: u64) -> Run {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        let edition = Edition::first();
        put_catalogue(&admin, &edition);
        let identity = server.identity();
        let mut run = Run {
            server,
            admin,
            identity,
            model: Model {
                units: Vec::new(),
                editions: vec![edition],
                covering: BTreeMap::new(),
            },
            random: StdRng::seed_from_u64(seed),
            names: 0,
            transcript: Vec::new(),
        };
        run.grow();
        for _ in 0..4 {
            run.cover();
        }
        run.fill();
        run
    }

    /// Half of all there is to report, so that periods have something to be made of.
    fn fill(&mut self) {
        for month in 0..MONTHS.len() {
            for unit in 0..self.model.units.len() {
                let submits = self.submits(unit, month);
                if submits && self.random.random_bool(0.5) {
                    let step = Step::PutSubmitted(self.sent(unit, month));
                    let (asked, expected) = self.take(month, unit, step);
                    let result = change_all(
                        &self.server.application,
                        self.identity.tenant(),
                        vec![asked],
                    )
                    .pop();
                    expected.compare(result.unwrap());
                }
            }
        }
    }

    fn submits(&self, unit: usize, month: usize) -> bool {
        let levels = self.model.levels_of(unit, MONTHS[month].first);
        !levels.is_empty()
    }

    /// Lets a unit report for all below it during some months of which nobody has entered anything, or
    /// takes back that one does.
    fn cover(&mut self) {
        let above = (0..self.model.units.len()).filter(|unit| rank(&self.model.units[*unit]) < 3);
        let unit = above.choose(&mut self.random).unwrap();
        let id = &self.model.units[unit].id;
        let path = format!("/v1/forms/{FORM}/units/{id}/subtree-reporting");
        if let Some(known) = self.model.covering.get(&unit) {
            if self.model.is_untouched(unit, known) {
                self.admin
                    .send("DELETE", &path, None, b"")
                    .expect_status(204);
                self.model.covering.remove(&unit);
            }
            return;
        }
        let periods = MONTHS.iter().chain(&LONGER);
        let period = *periods.choose(&mut self.random).unwrap();
        if self.model.can_cover(unit, &period) {
            let body = json!({"from": period.key, "to": period.key});
            self.admin.put(&path, &body).expect_status(201);
            self.model.covering.insert(unit, period);
        }
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
            for _ in 0..self.random.random_range(2..=4) {
                let parents = above
                    .iter()
                    .filter(|unit| rank(&self.model.units[**unit]) < rank_of(level));
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
            valid_to: None,
        };
        let reply = create_unit(
            &self.server.application,
            &Call::new(self.identity, now()),
            &entered,
        );
        let created: Value = serde_json::from_str(&reply.unwrap().body).unwrap();
        self.model.units.push(Unit {
            code,
            id: created["id"].as_str().unwrap().to_owned(),
            level,
            parent,
            reports: Default::default(),
        });
    }

    fn step(&mut self) {
        let month = self.random.random_range(0..MONTHS.len());
        match self.random.random_range(0..100) {
            0..6 => self.add_below(),
            6..16 => self.change_catalogue(),
            16..24 => self.cover(),
            24..36 => self.send_batch(month),
            36..46 => self.import(month),
            _ => self.submit(month),
        }
        self.compare(&MONTHS[month]);
    }

    /// Adds a unit below any that has a level under it, one that has submitted too.
    fn add_below(&mut self) {
        let parents = (0..self.model.units.len()).filter(|unit| rank(&self.model.units[*unit]) < 3);
        let parent = parents.choose(&mut self.random).unwrap();
        let levels = &LEVELS[rank(&self.model.units[parent]) + 1..];
        let level = *levels.choose(&mut self.random).unwrap();
        self.add(level, Some(parent));
    }

    /// One step, or some in one slice, of which several may be of one unit.
    fn submit(&mut self, month: usize) {
        let count = *[1, 1, 2, 5].choose(&mut self.random).unwrap();
        let mut units: Vec<usize> = Vec::new();
        let mut taken = Vec::new();
        for _ in 0..count {
            // A slice may be of several months, and a unit in it with more than one.
            let month = match self.random.random_bool(0.3) {
                true => self.random.random_range(0..MONTHS.len()),
                false => month,
            };
            let submitting = (0..self.model.units.len()).filter(|unit| self.submits(*unit, month));
            let submitting: Vec<usize> = submitting.collect();
            let again = units.choose(&mut self.random).copied();
            let again = again.filter(|unit| submitting.contains(unit));
            let again = again.filter(|_| self.random.random_bool(0.3));
            let unit = again.or_else(|| submitting.choose(&mut self.random).copied());
            let unit = unit.unwrap();
            units.push(unit);
            let step = match self.random.random_range(0..17) {
                0..=6 => Step::PutSubmitted(self.sent(unit, month)),
                7..=8 => Step::PutDraft(self.sent(unit, month)),
                9 => Step::Submit,
                10 => Step::Withdraw,
                11..=13 => Step::Approve,
                14 => Step::Return,
                15 => Step::Discard,
                _ => Step::Reopen,
            };
            taken.push(self.take(month, unit, step));
        }
        let (asked, expected): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
        let results = change_all(&self.server.application, self.identity.tenant(), asked);
        assert_eq!(results.len(), expected.len());
        for (expected, result) in expected.into_iter().zip(results) {
            expected.compare(result);
        }
    }

    /// The values of some units in one call, as one or each by itself, of several months.
    fn send_batch(&mut self, month: usize) {
        let mut chosen = BTreeSet::new();
        for _ in 0..self.random.random_range(1..=6) {
            let month = match self.random.random_bool(0.3) {
                true => self.random.random_range(0..MONTHS.len()),
                false => month,
            };
            let submitting = (0..self.model.units.len()).filter(|unit| self.submits(*unit, month));
            let submitting: Vec<usize> = submitting.collect();
            chosen.insert((*submitting.choose(&mut self.random).unwrap(), month));
        }
        let atomic = self.random.random_bool(0.5);
        let before = self.model.units.clone();
        let (mut items, mut expected) = (Vec::new(), Vec::new());
        for (unit, month) in chosen {
            let sent = self.sent(unit, month);
            let is_there = self.model.units[unit].reports[month].status.is_some();
            let submit = self.random.random_bool(0.7);
            let mut item = item(&sent, self.model.edition(&MONTHS[month]));
            item["form"] = json!(FORM);
            item["period"] = json!(MONTHS[month].key);
            item["unit"] = json!(self.model.units[unit].id);
            item["submit"] = json!(submit);
            match is_there {
                true => item["if_match"] = json!("*"),
                false => item["create"] = json!(true),
            }
            items.push(item);
            let step = match submit {
                true => Step::PutSubmitted(sent),
                false => Step::PutDraft(sent),
            };
            expected.push(self.take(month, unit, step).1);
        }
        let body = json!({"atomic": atomic, "items": items});
        let answer = self.admin.post_json("/v1/submissions/batch", &body);
        if atomic && expected.iter().any(|expected| !expected.is_allowed) {
            self.model.units = before;
            answer.expect_status(422);
            return;
        }
        let answer = answer.expect_status(if atomic { 200 } else { 207 }).json();
        for (expected, item) in expected.iter().zip(answer["items"].as_array().unwrap()) {
            match expected.is_allowed {
                true => assert_eq!(
                    item["submission"]["status"],
                    json!(expected.after),
                    "{item}"
                ),
                false => assert_eq!(item["status"], 409, "{item}"),
            }
        }
    }

    /// The values of some units from a file: over what they have, or instead of it.
    fn import(&mut self, month: usize) {
        let submitting = (0..self.model.units.len()).filter(|unit| self.submits(*unit, month));
        let submitting: Vec<usize> = submitting.collect();
        let mut chosen = BTreeSet::new();
        for _ in 0..self.random.random_range(1..=6) {
            chosen.insert(*submitting.choose(&mut self.random).unwrap());
        }
        let mode = *["merge", "replace"].choose(&mut self.random).unwrap();
        let submit = self.random.random_bool(0.7);
        let edition = self.model.edition(&MONTHS[month]).clone();
        let before = self.model.units.clone();
        let mut list = "unit;indicator;option;value;qualifier\n".to_owned();
        let mut effects = BTreeMap::new();
        for unit in chosen {
            let named = self.values(unit, month);
            let report = &self.model.units[unit].reports[month];
            let (there, status) = (report.entered(&edition), report.status);
            let mut sent = there.clone();
            let code = &self.model.units[unit].code;
            // What belongs to an indicator of the file is replaced as a whole, so that it adds up.
            let is_named = |key: &Key| named.keys().any(|(indicator, _)| *indicator == key.0);
            sent.values
                .retain(|key, _| mode == "merge" && !is_named(key));
            for (indicator, option) in there.values.keys().filter(|key| is_named(key)) {
                if !named.contains_key(&(*indicator, *option)) {
                    list.push_str(&format!(
                        "{code};{indicator};{};xóa;\n",
                        option.unwrap_or_default()
                    ));
                }
            }
            for ((indicator, option), quantity) in &named {
                let decimals = edition.collected[indicator].decimals;
                let value = in_plain_form(&Decimal::new(quantity.mantissa, decimals));
                let (option, qualifier) = (option.unwrap_or_default(), quantity.qualifier);
                list.push_str(&format!(
                    "{code};{indicator};{option};{value};{qualifier}\n"
                ));
            }
            if named.is_empty() {
                continue;
            }
            sent.values.extend(named);
            let is_there = match submit {
                true => matches!(status, Some("submitted" | "approved")),
                false => status.is_some(),
            };
            if is_there && sent == there {
                effects.insert(unit, Effect::Left(status));
                continue;
            }
            let step = match submit {
                true => Step::PutSubmitted(sent),
                false => Step::PutDraft(sent),
            };
            effects.insert(unit, Effect::Entered(self.take(month, unit, step).1));
        }
        let period = MONTHS[month].key;
        let path = format!(
            "/v1/submissions/import?form={FORM}&period={period}&mode={mode}&submit={submit}"
        );
        let answer = self.admin.post_csv(&path, &list);
        let is_refused =
            |effect: &Effect| matches!(effect, Effect::Entered(expected) if !expected.is_allowed);
        if effects.is_empty() || effects.values().any(is_refused) {
            self.model.units = before;
            answer.expect_status(422);
            return;
        }
        let answer = answer.expect_status(200).json();
        let told = answer["units"].as_array().unwrap();
        assert_eq!(told.len(), effects.len(), "{list}{answer}");
        for (unit, effect) in &effects {
            let code = json!(self.model.units[*unit].code);
            let told = told
                .iter()
                .find(|told| told["unit"]["code"] == code)
                .unwrap();
            let (name, status) = match effect {
                Effect::Left(status) => ("left", *status),
                Effect::Entered(expected) if expected.before.is_none() => {
                    ("created", expected.after)
                }
                Effect::Entered(expected) => ("changed", expected.after),
            };
            assert_eq!(
                (&told["effect"], &told["status"]),
                (&json!(name), &json!(status)),
                "{list}{told}"
            );
        }
    }

    /// Takes a step in the model, and gives what is to be asked of the service.
    fn take(&mut self, month: usize, unit: usize, step: Step) -> (AskedChange, Expected) {
        let before = self.model.units[unit].reports[month].status;
        let edition = self.model.edition(&MONTHS[month]).clone();
        let levels = self.model.levels_of(unit, MONTHS[month].first);
        let report = &mut self.model.units[unit].reports[month];
        let is_allowed = report.take(&step, &edition, &levels);
        let after = report.status;
        let asked = self.asked(month, unit, &step, before.is_some(), &edition);
        let expected = Expected {
            step,
            before,
            after,
            is_allowed,
        };
        (asked, expected)
    }

    /// Whatever a unit may send of a month. One in four says that nothing more happened.
    fn sent(&mut self, unit: usize, month: usize) -> Sent {
        Sent {
            values: self.values(unit, month),
            nil: self.random.random_bool(0.25),
        }
    }

    /// Whatever a unit may report of a month.
    fn values(&mut self, unit: usize, month: usize) -> Values {
        let levels = self.model.levels_of(unit, MONTHS[month].first);
        let edition = self.model.edition(&MONTHS[month]);
        let random = &mut self.random;
        let mut values = Values::new();
        for (code, indicator) in &edition.collected {
            // One in three says nothing about an indicator.
            if !indicator.is_collected_at(&levels) || random.random_range(0..3) == 0 {
                continue;
            }
            let mut total = match random.random_range(0..12) {
                0 => *[i64::MAX, i64::MAX - 1, i64::MIN].choose(random).unwrap(),
                // Few different ones, so that extremes are held by several.
                1..=6 => random.random_range(-2..=2),
                _ => random.random_range(-100_000..=100_000),
            };
            if indicator.is_closed() {
                total = random.random_range(-5..=50);
            } else if !indicator.breakdowns.is_empty() {
                total = total.saturating_abs();
            }
            for breakdown in &indicator.breakdowns {
                let parts = match breakdown.closed {
                    true => all_parts(total, breakdown.options.len(), random),
                    false => some_parts(total, breakdown.options.len(), random),
                };
                for (option, part) in breakdown.options.iter().zip(parts) {
                    if let Some(part) = part {
                        values.insert((code, Some(option)), quantity(part, random));
                    }
                }
            }
            if !indicator.is_closed() {
                values.insert((code, None), quantity(total, random));
            }
        }
        values
    }

    fn path(unit: &Unit, period: &Period) -> ReportPath {
        ReportPath {
            form: FORM.to_owned(),
            period: period.key.to_owned(),
            unit: unit.id.clone(),
        }
    }

    fn asked(
        &self,
        month: usize,
        unit: usize,
        step: &Step,
        there: bool,
        edition: &Edition,
    ) -> AskedChange {
        let path = Run::path(&self.model.units[unit], &MONTHS[month]);
        let call = Call::new(self.identity, now()).on(if there {
            Precondition::Present
        } else {
            Precondition::Absent
        });
        let change = match step {
            Step::PutSubmitted(sent) => {
                SubmissionChange::Put(entered(sent, edition, Intent::Submit))
            }
            Step::PutDraft(sent) => {
                SubmissionChange::Put(entered(sent, edition, Intent::KeepDraft))
            }
            Step::Submit => SubmissionChange::Submit(Arrival::Now),
            Step::Withdraw => SubmissionChange::Withdraw,
            Step::Discard => SubmissionChange::Discard,
            Step::Approve => SubmissionChange::Approve,
            Step::Return => SubmissionChange::Return(reason()),
            Step::Reopen => SubmissionChange::Reopen(None),
        };
        AskedChange::new(&self.server.application, call, path, change).unwrap()
    }

    /// Puts a version that holds from a month on, not before the last version there is. What
    /// would take something from months in use is refused; past months stay as they are shown.
    fn change_catalogue(&mut self) {
        let last = self.model.editions.last().unwrap();
        let mut next = last.clone();
        let months = MONTHS.iter().chain([&UNUSED]);
        let months = months.filter(|month| month.first >= next.from);
        let from = months.choose(&mut self.random).unwrap();
        next.from = from.first;
        self.names += 1;
        let name = format!("n{}", self.names).leak();
        let change = Change::random(&mut next, name, &mut self.random);
        let refused = change.is_refused(self.model.is_used_from(next.from));
        let past = self.shown_before(next.from);
        for (path, mut body) in change.puts {
            body["valid_from"] = json!(from.first_day());
            let answer = match self.admin.get(&path).status {
                200 => self.admin.with("If-Match", "*").put(&path, &body),
                _ => self.admin.put(&path, &body),
            };
            if refused {
                assert_eq!(answer.expect_problem(409, "FIXED_ONCE_USED"), [""; 0]);
            } else {
                assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
            }
        }
        assert_eq!(self.shown_before(next.from), past);
        if !refused {
            self.model
                .editions
                .retain(|edition| edition.from != next.from);
            self.model.editions.push(next);
        }
    }

    /// What is shown below the first root of periods that end before a month.
    fn shown_before(&self, month: Month) -> Vec<Value> {
        let periods = MONTHS.iter().chain(&LONGER);
        let past = periods.filter(|period| period.last < month);
        let root = self.model.roots().next().unwrap();
        past.flat_map(|period| STAGES.map(|(stage, _)| self.shown(root, period, stage)))
            .collect()
    }

    /// What the use case answers.
    fn shown(&self, unit: &Unit, period: &Period, stage: Stage) -> Value {
        self.shown_on(FORM, unit, period, stage)
    }

    fn shown_on(&self, form: &str, unit: &Unit, period: &Period, stage: Stage) -> Value {
        let (application, identity) = (&self.server.application, &self.identity);
        let query = RollupQuery {
            stage,
            children: Children::Included,
            indicators: None,
            as_of: None,
        };
        let path = ReportPath {
            form: form.to_owned(),
            ..Run::path(unit, period)
        };
        let view = get_rollup(application, identity, &path, &query).unwrap();
        serde_json::to_value(&view).unwrap()
    }

    /// What is kept of a month, and of something that is made of it, is the fold; a few reports
    /// of the month and of all that is made of it are what the model says.
    fn compare(&mut self, month: &Period) {
        let longer = LONGER.iter().filter(|period| period.contains(month));
        let longer: Vec<&Period> = longer.collect();
        let roots: Vec<usize> = self.roots();
        let root = *roots.choose(&mut self.random).unwrap();
        for period in [month, longer.choose(&mut self.random).unwrap()] {
            let verified = self.expect_fold(root, period);
            self.transcript.push(verified);
            let shown = self.shown(&self.model.units[root], period, Stage::Submitted);
            self.transcript.push(without_ids(&shown));
        }
        let other = self.random.random_range(0..self.model.units.len());
        self.compare_report(root, month);
        self.compare_report(other, month);
        for period in longer {
            let unit = *[root, other].choose(&mut self.random).unwrap();
            self.compare_report(unit, period);
            self.compare_taken(unit, period);
        }
        if self.random.random_bool(0.2) {
            self.compare_table(root, month);
        }
    }

    /// A table of everything below a unit shows what the rollups show, read one by one.
    fn compare_table(&self, root: usize, period: &Period) {
        let (application, identity) = (&self.server.application, &self.identity);
        for (stage, _) in STAGES {
            let path = Run::path(&self.model.units[root], period);
            let query = TableQuery {
                form: path.form.clone(),
                unit: path.unit.clone(),
                columns: AskedColumns::Indicators {
                    period: path.period.clone(),
                    indicators: None,
                },
                rows: "subtree".to_owned(),
                stage,
                as_of: None,
                additions: Vec::new(),
                language: Language::English,
            };
            let table = get_table(application, identity, &query).unwrap();
            for row in table.rows.iter().chain([&table.total]) {
                let path = ReportPath {
                    unit: row.unit.id.clone(),
                    ..path.clone()
                };
                let query = RollupQuery {
                    stage,
                    children: Children::LeftOut,
                    indicators: None,
                    as_of: None,
                };
                let rollup = get_rollup(application, identity, &path, &query).unwrap();
                let of_rollup = rollup.cells.into_iter().map(|cell| {
                    let figure = (cell.value, cell.qualifier);
                    (figure, (cell.reported, cell.expected))
                });
                let values = row
                    .values
                    .iter()
                    .cloned()
                    .zip(row.qualifiers.iter().copied());
                let counts = row
                    .reported
                    .iter()
                    .copied()
                    .zip(row.expected.iter().copied());
                assert!(
                    values.zip(counts).eq(of_rollup),
                    "{} {}",
                    path.period,
                    path.unit
                );
            }
        }
    }

    fn roots(&self) -> Vec<usize> {
        let all = 0..self.model.units.len();
        all.filter(|unit| self.model.units[*unit].parent.is_none())
            .collect()
    }

    fn expect_fold(&self, root: usize, period: &Period) -> Value {
        let (application, identity) = (&self.server.application, &self.identity);
        let path = Run::path(&self.model.units[root], period);
        let verified = verify_rollup(application, identity, &path).unwrap();
        assert_eq!(verified.differing, [], "{} of {}", path.period, path.unit);
        without_ids(&serde_json::to_value(&verified).unwrap())
    }

    fn compare_report(&self, unit: usize, period: &Period) {
        for (stage, name) in STAGES {
            let mut shown = self.shown(&self.model.units[unit], period, stage);
            let known = shown.as_object_mut().unwrap();
            for other in ["form", "period", "stage", "rev", "map"] {
                known.remove(other).unwrap();
            }
            name_units_by_code(&mut shown);
            let expected = self.model.report(
                unit,
                Asked {
                    period,
                    stage: name,
                },
            );
            assert_same(&shown, &expected, &format!("{} {name}", period.key));
        }
    }

    /// A form that takes figures from the model's, by quarters, shows them of every longer period as
    /// they are there, and makes the same of them.
    fn compare_taken(&self, unit: usize, period: &Period) {
        for (stage, _) in STAGES {
            let shown = |form: &str| self.shown_on(form, &self.model.units[unit], period, stage);
            compare_cells_taken(&shown(TAKING), &shown(FORM), period);
        }
    }

    /// Everything that is kept is the fold, and everything that is shown is what the model says.
    fn compare_all(&self) {
        for period in MONTHS.iter().chain(&LONGER) {
            for root in self.roots() {
                self.expect_fold(root, period);
            }
            for unit in 0..self.model.units.len() {
                self.compare_report(unit, period);
            }
        }
        for root in self.roots() {
            LONGER
                .iter()
                .for_each(|period| self.compare_taken(root, period));
        }
    }
}

/// Each cell of a form that takes figures from the model's is that of the model's form.
#[track_caller]
fn compare_cells_taken(taking: &Value, there: &Value, period: &Period) {
    let parts = |report: &Value| {
        let children = report["children"].as_array().cloned().unwrap_or_default();
        std::iter::once(report.clone())
            .chain(children)
            .collect::<Vec<_>>()
    };
    for (taking, there) in parts(taking).iter().zip(&parts(there)) {
        for cell in taking["cells"].as_array().unwrap() {
            let mut of_model = there["cells"].as_array().unwrap().iter();
            let named = |other: &&Value| {
                other["indicator"] == cell["indicator"] && other["option"] == cell["option"]
            };
            let mut expected = of_model.find(named).unwrap().clone();
            if !cell["indicator"].as_str().unwrap().starts_with("f.") {
                expected["from_form"] = json!(FORM);
            }
            assert_same(cell, &expected, &format!("{TAKING} {}", period.key));
        }
    }
}

/// Parts that add up to a total.
fn all_parts(total: i64, count: usize, random: &mut StdRng) -> Vec<Option<i64>> {
    let mut parts: Vec<i64> = (1..count).map(|_| random.random_range(-5..=50)).collect();
    parts.push(total - parts.iter().sum::<i64>());
    parts.into_iter().map(Some).collect()
}

/// Parts that do not exceed a total, as far as there are any.
fn some_parts(total: i64, count: usize, random: &mut StdRng) -> Vec<Option<i64>> {
    let most = total.abs() / i64::try_from(count).unwrap();
    let mut part = || {
        random
            .random_bool(0.5)
            .then(|| random.random_range(0..=most))
    };
    (0..count).map(|_| part()).collect()
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

fn entered(sent: &Sent, edition: &Edition, intent: Intent) -> Entered {
    let values = sent.values.iter().map(|((indicator, option), value)| {
        let decimals = edition.collected[indicator].decimals;
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
        nil: match sent.nil {
            true => Nil::Declared,
            false => Nil::NotDeclared,
        },
        intent,
        arrival: Arrival::Now,
    }
}

/// What is sent, as an item of a call.
fn item(sent: &Sent, edition: &Edition) -> Value {
    let entered = entered(sent, edition, Intent::KeepDraft);
    let values = entered.values.into_iter().map(|value| {
        json!({"indicator": value.indicator, "option": value.option, "value": value.value,
               "qualifier": value.qualifier})
    });
    json!({"values": values.collect::<Vec<_>>(), "nil": sent.nil})
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
fn assert_same(shown: &Value, expected: &Value, about: &str) {
    if shown == expected {
        return;
    }
    let mut differences = BTreeMap::new();
    collect_differences(shown, expected, "", &mut differences);
    panic!("{about}, shown against expected: {differences:#?}");
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
    run.compare_all();
    run.transcript
}

on_both_backends! {
    fn after_every_step_rollups_are_the_fold_and_show_what_a_naive_model_shows(backend) {
        run(backend, seed(), steps());
    }
}

/// Takes out the count of commits. Items of one call that are entered each by itself share as many
/// commits as happen to wait together.
fn without_rev(mut shown: Value) -> Value {
    shown.as_object_mut().unwrap().remove("rev");
    shown
}

#[test]
fn the_same_steps_show_the_same_on_both_backends() {
    if postgres::server().is_none() {
        return;
    }
    let (seed, steps) = (seed(), steps() / 2);
    let sqlite = run(Backend::Sqlite, seed, steps);
    let postgresql = run(Backend::Postgresql, seed, steps);
    let _told = Told(seed, steps);
    assert_eq!(sqlite.len(), postgresql.len());
    for (one, other) in sqlite.into_iter().zip(postgresql) {
        assert_same(&without_rev(one), &without_rev(other), "on both backends");
    }
}
