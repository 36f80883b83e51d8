//! A changing map against a naive model. Random submissions, corrections and withdrawals go on
//! while random reorganisations happen, in time or late, and are undone. Every few steps the
//! reports, as they were and restated, must show what the model works out, the kept totals must be
//! the fold, and what ended before a reorganisation must not have moved.
//!
//! `TONGHOP_TEST_SEED` repeats a run; `TONGHOP_TEST_STEPS` and `TONGHOP_TEST_CASES` make it longer.

mod document;
mod naive;

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::harness::report::{cell, option};
use crate::harness::table::TableCheck;
use crate::harness::town::{broken_down, form, indicator};
use crate::harness::{Backend, Client, Server};
use crate::totals::model::setting;
use document::Writing;
use naive::{
    Cell, Day, LEVELS, LONGER, MONTHS, Map, Model, PAIRS, Period, Place, Shown, State, Submission,
    Unit, View,
};

/// The days on which maps begin.
const EFFECTIVE: [Day; 12] = [
    "2024-11-15",
    "2024-12-01",
    "2024-12-20",
    "2025-01-01",
    "2025-01-20",
    "2025-02-01",
    "2025-03-10",
    "2025-04-01",
    "2025-05-01",
    "2025-05-20",
    "2025-07-01",
    "2026-06-01",
];

/// The days whose maps are looked at.
const AS_OF: [Day; 6] = [
    "2024-12-10",
    "2025-01-01",
    "2025-02-15",
    "2025-05-10",
    "2025-07-01",
    "2027-01-01",
];

/// Says how to repeat a run that failed, and what it did.
struct Told {
    seed: u64,
    story: Vec<String>,
}

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (seed, story) = (self.seed, self.story.join("\n"));
            eprintln!("{story}\nrepeat with TONGHOP_TEST_SEED={seed} TONGHOP_TEST_CASES=1");
        }
    }
}

/// A reorganisation that can be taken back: where it is, and the map before it.
struct Last {
    path: String,
    before: Map,
    /// Whether nobody has submitted anything since.
    is_last_word: bool,
}

/// The service and the model, side by side.
struct Run {
    _server: Server,
    admin: Client,
    model: Model,
    random: StdRng,
    names: usize,
    last: Vec<Last>,
    /// Where something was ever entered.
    entered: BTreeSet<(usize, Unit)>,
    told: Told,
}

impl Run {
    fn new(backend: Backend, seed: u64) -> Run {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        for (number, (units, time)) in PAIRS.iter().enumerate() {
            let mut body = indicator(units);
            body["across_time"] = json!(time);
            admin
                .put(&format!("/v1/indicators/i{number}"), &body)
                .expect_status(201);
        }
        admin
            .put("/v1/indicators/broken", &broken_down_twice())
            .expect_status(201);
        let codes = (0..PAIRS.len()).map(|number| format!("i{number}"));
        let codes: Vec<String> = codes.chain(["broken".to_owned()]).collect();
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        let mut body = form(&codes);
        body["frequency"] = json!("month");
        body["calendar"] = json!("civil");
        body["submitted_by"] = json!(LEVELS[1..]);
        admin.put("/v1/forms/m", &body).expect_status(201);
        let mut run = Run {
            _server: server,
            admin,
            model: Model::default(),
            random: StdRng::seed_from_u64(seed),
            names: 0,
            last: Vec::new(),
            entered: BTreeSet::new(),
            told: Told {
                seed,
                story: Vec::new(),
            },
        };
        run.grow();
        run
    }

    /// A province with towns, communes and hamlets; not every commune is part of a town.
    fn grow(&mut self) {
        let mut csv = "code,name,level,parent_code\n".to_owned();
        let mut states: Vec<State> = Vec::new();
        for level in [0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3] {
            let unit = states.len();
            let above = (0..unit).filter(|above| states[*above].level < level);
            let parent = above.choose(&mut self.random);
            let above = parent.map_or("", |parent| states[parent].code.as_str());
            let code = format!("U{unit}");
            csv += &format!("{code},{code},{},{above}\n", LEVELS[level]);
            states.push(State {
                name: code.clone(),
                code,
                kind: None,
                level,
                parent,
            });
        }
        self.admin
            .post_csv("/v1/units/import", &csv)
            .expect_status(200);
        let ids: BTreeMap<String, String> = self
            .units(AS_OF[0])
            .into_iter()
            .map(|(id, code, _)| (code, id))
            .collect();
        for (unit, state) in states.into_iter().enumerate() {
            self.model.ids.push(ids[&state.code].clone());
            self.model.map.begin(unit, state);
        }
    }

    /// The id, the code and all else of every unit of a day.
    fn units(&self, day: Day) -> Vec<(String, String, Value)> {
        let path = format!("/v1/units?limit=1000&as_of={day}");
        let page = self.admin.get(&path).expect_status(200).json();
        let text = |unit: &Value, field: &str| unit[field].as_str().unwrap().to_owned();
        let units = page["items"].as_array().unwrap().iter();
        units
            .map(|unit| (text(unit, "id"), text(unit, "code"), unit.clone()))
            .collect()
    }

    fn step(&mut self) {
        match self.random.random_range(0..20) {
            0..=11 => self.submit(),
            12 => self.withdraw(),
            13..=18 => self.reorganise(),
            _ => self.undo(),
        }
    }

    // ---- Submissions --------------------------------------------------------------------------

    fn path(&self, period: &Period, unit: Unit) -> String {
        format!(
            "/v1/forms/m/periods/{}/units/{}",
            period.key, self.model.ids[unit]
        )
    }

    fn submit(&mut self) {
        let month = self.random.random_range(0..MONTHS.len());
        let tree = self.model.map.tree(MONTHS[month].last_day);
        let submitting = tree.0.iter().filter(|(_, state)| state.level > 0);
        let Some((unit, _)) = submitting.choose(&mut self.random) else {
            return;
        };
        let mut values = BTreeMap::new();
        for indicator in 0..PAIRS.len() {
            let value = match self.random.random_range(0..12) {
                0..=2 => continue,
                3..=5 => self.random.random_range(-2..=2),
                6 => *[i64::MAX, i64::MIN, i64::MAX - 1]
                    .choose(&mut self.random)
                    .unwrap(),
                _ => self.random.random_range(-1000..=1000),
            };
            values.insert(indicator, value);
        }
        let sent = values.iter().map(
            |(indicator, value)| json!({"indicator": format!("i{indicator}"), "value": value}),
        );
        let sent: Vec<Value> = sent.chain(self.breakdowns()).collect();
        let body = json!({"values": sent, "submit": true});
        let condition = match self.entered.insert((month, *unit)) {
            true => self.admin.with("If-None-Match", "*"),
            false => self.admin.with("If-Match", "*"),
        };
        let path = format!("{}/submission", self.path(&MONTHS[month], *unit));
        let answer = condition.put(&path, &body);
        assert!(matches!(answer.status, 200 | 201), "{path} {}", answer.text);
        let given = answer.json()["rev"].as_i64().unwrap();
        self.told.story.push(format!(
            "{given}: unit {unit} submits {} {values:?}",
            MONTHS[month].key
        ));
        let submission = Submission { given, values };
        let history = self.model.history.entry((month, *unit)).or_default();
        history.insert(given, Some(submission.clone()));
        self.model.submissions.insert((month, *unit), submission);
        self.is_worked_on();
    }

    /// Values of what is broken down: all of its total, and no more than that.
    fn breakdowns(&mut self) -> Vec<Value> {
        let closed = CLOSED.map(|code| (code, self.random.random_range(0..40_i64)));
        let total: i64 = closed.iter().map(|(_, number)| number).sum();
        let open = self.random.random_range(0..=total);
        let all = closed.into_iter().chain([(OPEN, open)]);
        all.map(|(code, number)| option("broken", code, number))
            .collect()
    }

    fn withdraw(&mut self) {
        let standing = self
            .model
            .submissions
            .keys()
            .filter(|(month, unit)| self.model.map.tree(MONTHS[*month].last_day).stands(*unit));
        let Some((month, unit)) = standing.choose(&mut self.random).copied() else {
            return;
        };
        let path = format!("{}/submission/withdraw", self.path(&MONTHS[month], unit));
        let answer = self.admin.with("If-Match", "*").post(&path);
        let rev = answer.expect_status(200).json()["rev"].as_i64().unwrap();
        let history = self.model.history.entry((month, unit)).or_default();
        history.insert(rev, None);
        self.told
            .story
            .push(format!("unit {unit} withdraws {}", MONTHS[month].key));
        self.model.submissions.remove(&(month, unit));
        self.is_worked_on();
    }

    fn is_worked_on(&mut self) {
        for last in &mut self.last {
            last.is_last_word = false;
        }
    }

    // ---- Reorganisations ----------------------------------------------------------------------

    fn reorganise(&mut self) {
        let days = match self.model.map.last_day() {
            Some(day) if self.random.random_bool(0.8) => {
                EFFECTIVE.iter().filter(|other| **other >= day).collect()
            }
            _ => EFFECTIVE.iter().collect::<Vec<_>>(),
        };
        let Some(effective) = days.iter().take(4).choose(&mut self.random) else {
            return;
        };
        let effective: Day = effective;
        let before = self.past(effective);
        let tree = self.model.map.tree(effective);
        let mut writing = Writing::on(tree, &self.model.ids, &mut self.names, &mut self.random);
        writing.write();
        let document = writing.document(effective);
        let (after, passings) = (writing.after, writing.passings);
        let answer = self.admin.post_json("/v1/reorganisations", &document);
        if answer.status == 422 {
            let faults = answer.expect_problem(422, "INVALID_REORGANISATION");
            assert!(
                faults.iter().all(|fault| fault.ends_with("CHANGED_LATER")),
                "{document:#} {faults:?}"
            );
            assert!(
                self.model.map.changes_since(effective),
                "{document:#} {faults:?}"
            );
            return;
        }
        let path = answer
            .header("location")
            .unwrap_or_else(|| panic!("{document:#} {}", answer.text))
            .to_owned();
        let rev = answer.expect_status(201).json()["rev"].as_i64().unwrap();
        self.told
            .story
            .push(format!("{rev}: {document} {passings:?}"));
        let is_last_word = true;
        self.last.push(Last {
            path,
            before: self.model.map.clone(),
            is_last_word,
        });
        self.model.map.change(effective, rev, &after, passings);
        self.meet_new_units(effective);
        self.compare_units(effective);
        assert_eq!(
            self.past(effective),
            before,
            "periods that ended before {effective}"
        );
    }

    /// Learns the ids of the units that a document has made.
    fn meet_new_units(&mut self, effective: Day) {
        let units = self.units(effective);
        let tree = self.model.map.tree(effective);
        for unit in self.model.ids.len().. {
            let Some(state) = tree.0.get(&unit) else {
                return;
            };
            let (id, ..) = units
                .iter()
                .find(|(_, code, _)| *code == state.code)
                .unwrap();
            self.model.ids.push(id.clone());
        }
    }

    fn undo(&mut self) {
        let Some(last) = self.last.pop() else { return };
        let undone = self
            .admin
            .with("If-Match", "*")
            .post(&format!("{}/undo", last.path));
        if undone.status == 409 && !last.is_last_word {
            undone.expect_problem(409, "REORGANISATION_BUILT_ON");
            self.last.push(last);
            return;
        }
        let answer = undone.expect_status(200).json();
        self.told.story.push(format!("undone: {answer}"));
        self.model.map = last.before;
        for day in AS_OF {
            self.compare_units(day);
        }
    }

    /// What is shown of some periods that ended before a day, on maps of before it.
    fn past(&self, day: Day) -> Vec<String> {
        let periods = MONTHS
            .iter()
            .chain(&LONGER)
            .filter(|period| period.last_day < day);
        let mut shown = Vec::new();
        for period in periods {
            for as_of in std::iter::once(None).chain(later_maps(period).map(Some)) {
                if as_of.is_some_and(|as_of| as_of >= day) {
                    continue;
                }
                // The province's report has its towns' in it; more would take too long each time.
                let mut body = self.read(period, 0, as_of);
                body.as_object_mut().unwrap().remove("rev").unwrap();
                shown.push(body.to_string());
            }
        }
        shown
    }

    // ---- Comparing ----------------------------------------------------------------------------

    fn compare_units(&self, day: Day) {
        let shown: BTreeMap<String, Value> = self
            .units(day)
            .into_iter()
            .map(|(id, _, unit)| (id, unit))
            .collect();
        let tree = self.model.map.tree(day);
        assert_eq!(shown.len(), tree.0.len(), "units of {day}");
        for (unit, state) in &tree.0 {
            let parent = state.parent.map(|parent| &self.model.ids[parent]);
            let shown = &shown[&self.model.ids[*unit]];
            let expected = json!([
                state.code,
                state.name,
                state.kind,
                LEVELS[state.level],
                parent
            ]);
            let fields =
                ["code", "name", "kind", "level", "parent"].map(|field| shown[field].clone());
            assert_eq!(json!(fields), expected, "unit {unit} on {day}");
        }
    }

    fn read(&self, period: &Period, unit: Unit, as_of: Option<Day>) -> Value {
        let as_of = as_of.map_or(String::new(), |day| format!("&as_of={day}"));
        let path = format!("{}/rollup?include=children{as_of}", self.path(period, unit));
        self.admin.get(&path).expect_status(200).json()
    }

    /// A month and a longer period, as they were and on two later maps.
    fn check(&mut self) {
        let month = MONTHS.choose(&mut self.random).unwrap();
        let longer = LONGER.choose(&mut self.random).unwrap();
        for period in [month, longer] {
            let later: Vec<Day> = later_maps(period).sample(&mut self.random, 2);
            self.verify(period);
            let as_it_was = self.compare(period, None);
            for as_of in later {
                let restated = self.compare(period, Some(as_of));
                assert_eq!(
                    as_it_was, restated,
                    "{} is conserved on {as_of}",
                    period.key
                );
            }
            self.check_table(period);
        }
    }

    /// A table of the whole map shows what the rollups show, in one period and in several.
    fn check_table(&mut self, period: &Period) {
        let later = later_maps(period).choose(&mut self.random);
        let reading = later.filter(|_| self.random.random_bool(0.5));
        let check = TableCheck {
            client: &self.admin,
            form: "m",
            reading: reading.map_or(String::new(), |day| format!("&as_of={day}")),
        };
        let rows = ["children", "subtree", "level:commune", "level:hamlet"];
        let rows = rows.choose(&mut self.random).unwrap();
        let of_period = format!("period={}", period.key);
        let of_months = format!(
            "from=2024-11&to={}&indicator=i0",
            MONTHS.last().unwrap().key
        );
        let of_several = reading.is_none() && self.random.random_bool(0.3);
        let columns = if of_several { of_months } else { of_period };
        let query = format!("{columns}&rows={rows}&include=previous");
        let table = check.expect_rollups(&self.model.ids[0], &query);
        expect_sums(&table);
    }

    fn check_all(&self) {
        for period in MONTHS.iter().chain(&LONGER) {
            self.verify(period);
            let as_it_was = self.compare(period, None);
            for as_of in later_maps(period) {
                let restated = self.compare(period, Some(as_of));
                assert_eq!(
                    as_it_was, restated,
                    "{} is conserved on {as_of}",
                    period.key
                );
            }
        }
    }

    fn verify(&self, period: &Period) {
        let path = format!("{}/rollup/verify", self.path(period, 0));
        let verified = self.admin.post(&path).expect_status(200).json();
        assert_eq!(
            verified["equal"], true,
            "{}: {}",
            period.key, verified["differing"]
        );
    }

    /// Every unit's report is what the model says, and breakdowns belong to their totals. What the
    /// province has of what sums over both units and months comes back.
    fn compare(&self, period: &Period, as_of: Option<Day>) -> Value {
        let view = self.model.view(*period, as_of.unwrap_or(period.last_day));
        let mut total = Value::Null;
        for unit in view.tree.0.keys() {
            let parts = view.parts(*unit);
            if parts.is_empty() && *unit > 0 {
                continue;
            }
            let report = self.read(period, *unit, as_of);
            let about = format!("{} of unit {unit} on the map of {as_of:?}", period.key);
            self.compare_part(&view, Place::Unit(*unit), &report, &about);
            let mut left: Vec<Place> = parts;
            for child in report["children"].as_array().unwrap() {
                let place = self.place_of(child, *unit);
                let about = format!("{about}, its {place:?}");
                self.compare_part(&view, place, child, &about);
                left.retain(|part| *part != place);
            }
            let is_missing = |part: &&Place| {
                let shown = view.shown(**part);
                shown.submitted > 0 || shown.cells.iter().any(|cell| cell.value.is_some())
            };
            let missing: Vec<&Place> = left.iter().filter(is_missing).collect();
            assert!(missing.is_empty(), "{about} lacks {missing:?}");
            if *unit == 0 {
                let broken = broken_cells(&report).map(|cell| cell["value"].clone());
                let first = report["cells"][0]["value"].clone();
                total = broken.into_iter().chain([first]).collect();
            }
        }
        total
    }

    fn place_of(&self, child: &Value, under: Unit) -> Place {
        let id = child["unit"]["id"].as_str().unwrap();
        let unit = self.model.ids.iter().position(|known| known == id).unwrap();
        match child["not_divided"].as_bool().unwrap() {
            true => Place::Leaf(unit, Some(under)),
            false => Place::Unit(unit),
        }
    }

    fn compare_part(&self, view: &View<'_>, place: Place, report: &Value, about: &str) {
        let (shown, expected) = (read_part(report), view.shown(place));
        expect_whole_breakdowns(report, about);
        let counts = |shown: &Shown| (shown.submitted, shown.expected);
        assert_eq!(
            counts(&shown),
            counts(&expected),
            "{about}: submitted of expected, shown against the model"
        );
        for (pair, (shown, expected)) in PAIRS.iter().zip(shown.cells.iter().zip(&expected.cells)) {
            // What is only a unit's own is nobody's once the unit is gone.
            if pair.0 == "none" && matches!(place, Place::Leaf(..)) {
                continue;
            }
            assert_eq!(
                shown, expected,
                "{about}: {pair:?}, shown against the model"
            );
        }
    }
}

/// The options of the closed breakdown of `broken`, and of the open one.
const CLOSED: [&str; 3] = ["plan", "letter", "report"];
const OPEN: &str = "urgent";

/// What sums, with a closed breakdown and an open one over the same total.
fn broken_down_twice() -> Value {
    let mut body = broken_down(true, &CLOSED);
    let mut open = broken_down(false, &[OPEN])["breakdowns"][0].clone();
    open["code"] = json!("of_these");
    body["breakdowns"].as_array_mut().unwrap().push(open);
    body
}

/// The total, the closed breakdown's options, and the open one's.
fn broken_cells(report: &Value) -> [Value; 5] {
    let closed = CLOSED.map(|option| format!("broken/{option}"));
    let [plan, letter, other] = closed;
    [
        "broken".to_owned(),
        plan,
        letter,
        other,
        format!("broken/{OPEN}"),
    ]
    .map(|name| cell(report, &name))
}

/// However often it was divided: the rule itself, not how it is come by.
#[track_caller]
fn expect_whole_breakdowns(report: &Value, about: &str) {
    let numbers = broken_cells(report).map(|cell| cell["value"].as_i64());
    let [total, closed @ .., open] = numbers;
    let sum: Option<i64> = closed.into_iter().sum();
    assert_eq!(sum, total, "{about}: {numbers:?}");
    assert!(
        open <= total && closed.iter().all(|part| *part >= total.map(|_| 0)),
        "{about}: {numbers:?}"
    );
}

/// Where a table says that it adds up, the figures that sum do; where it does not, it says where.
fn expect_sums(table: &Value) {
    // Beyond an i64 too; of no number 0.
    let numbers = |row: &Value, column: usize| -> i128 {
        let number = row["values"][column].to_string();
        number.parse().unwrap_or(0)
    };
    let adds_up = table["adds_up"].as_bool().unwrap();
    let rows = table["rows"].as_array().unwrap();
    for (number, column) in table["columns"].as_array().unwrap().iter().enumerate() {
        // A mean over months is rounded in each row.
        let is_whole = column["decimals"] == 0;
        if adds_up && is_whole && column["across_units"] == "sum" {
            let sum: i128 = rows.iter().map(|row| numbers(row, number)).sum();
            assert_eq!(sum, numbers(&table["total"], number), "{column}");
        }
    }
    assert!(!adds_up || table["differences"] == json!([]), "{table}");
}

/// The maps of later days than a period's last.
fn later_maps(period: &Period) -> impl Iterator<Item = Day> {
    let last_day = period.last_day;
    AS_OF.into_iter().filter(move |day| *day > last_day)
}

fn read_part(report: &Value) -> Shown {
    let number = |value: &Value| value.as_u64().unwrap();
    let text = |value: &Value| (!value.is_null()).then(|| value.to_string());
    let cells = report["cells"].as_array().unwrap().iter();
    let cells = cells.map(|cell| Cell {
        value: text(&cell["value"]),
        own: text(&cell["own"]["value"]),
        received: text(&cell["received_from_below"]),
        apportioned: number(&cell["apportioned"]),
        reported: number(&cell["reported"]),
        expected: number(&cell["expected"]),
    });
    Shown {
        submitted: number(&report["completeness"]["submitted"]),
        expected: number(&report["completeness"]["expected"]),
        cells: cells.collect(),
    }
}

on_both_backends! {
    fn through_any_chain_of_reorganisations_figures_are_what_a_naive_model_shows(backend) {
        let seed: u64 = setting("TONGHOP_TEST_SEED").unwrap_or_else(rand::random);
        let steps = setting("TONGHOP_TEST_STEPS").unwrap_or(40);
        for case in 0..setting("TONGHOP_TEST_CASES").unwrap_or(1_u64) {
            let mut run = Run::new(backend, seed.wrapping_add(case));
            for step in 1..=steps {
                run.step();
                if step % 4 == 0 {
                    run.check();
                }
            }
            run.check_all();
        }
    }
}
