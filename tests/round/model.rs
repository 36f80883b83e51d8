//! Random steps on random units: after each, what everybody owes and how far the round is are what a
//! naive recount says.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::tasks::{key, short, window, windowed};
use crate::harness::report::{Report, value};
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Server};

/// Units with the unit above each.
const UNITS: [(&str, Option<&str>); 6] = [
    ("T", None),
    ("A", Some("T")),
    ("A1", Some("A")),
    ("A2", Some("A")),
    ("B", Some("T")),
    ("B1", Some("B")),
];

/// A submission as the model has it: its status, and whether it counts.
type States = BTreeMap<&'static str, (String, bool)>;

fn below(unit: &str) -> Vec<&'static str> {
    let children = UNITS.iter().filter(|(_, above)| *above == Some(unit));
    children
        .flat_map(|(child, _)| [vec![*child], below(child)].concat())
        .collect()
}

/// Whether a unit submits the form: the town does not.
fn submits(unit: &str) -> bool {
    unit != "T"
}

fn counts(states: &States, unit: &str) -> bool {
    states.get(unit).is_some_and(|(_, counts)| *counts)
}

fn has(states: &States, unit: &str, status: &str) -> bool {
    states.get(unit).is_some_and(|(known, _)| known == status)
}

fn number(units: &[&str], is_counted: impl Fn(&str) -> bool) -> usize {
    units.iter().filter(|unit| is_counted(unit)).count()
}

fn is_to_be_corrected(states: &States, unit: &str) -> bool {
    let is_drafted_over = has(states, unit, "draft") && counts(states, unit);
    has(states, unit, "returned") || has(states, unit, "reopened") || is_drafted_over
}

/// What a reporter of a unit owes, but for sending up.
fn owed_by_reporter(states: &States, unit: &str) -> Vec<String> {
    let missing = number(&below(unit), |unit| !counts(states, unit));
    let corrects = submits(unit) && is_to_be_corrected(states, unit);
    let mut owed = Vec::new();
    if submits(unit) && !counts(states, unit) && !corrects {
        owed.push(format!("submit {unit} own {missing}"));
    } else if missing > 0 {
        owed.push(format!("submit {unit} below {missing}"));
    }
    if corrects {
        owed.push(format!("correct {unit} own 0"));
    }
    owed
}

fn owed_by_approver(states: &States, unit: &str) -> Vec<String> {
    let waits = |unit: &str| counts(states, unit) && !has(states, unit, "approved");
    let waiting = number(&below(unit), waits);
    match waiting {
        0 => Vec::new(),
        _ => vec![format!("approve {unit} below {waiting}")],
    }
}

/// `expected submitted approved returned missing` of a unit and everything below it.
fn progress(states: &States, unit: &str) -> String {
    let mut units = below(unit);
    units.push(UNITS.iter().find(|(known, _)| *known == unit).unwrap().0);
    units.retain(|unit| submits(unit));
    let counted = number(&units, |unit| counts(states, unit));
    let approved = number(&units, |unit| {
        counts(states, unit) && has(states, unit, "approved")
    });
    let returned = number(&units, |unit| has(states, unit, "returned"));
    format!(
        "{} {counted} {approved} {returned} {}",
        units.len(),
        units.len() - counted
    )
}

fn shown(total: &Value) -> String {
    let fields = ["expected", "submitted", "approved", "returned", "missing"];
    fields.map(|field| total[field].to_string()).join(" ")
}

/// Takes a random step, which may be refused.
fn step(rng: &mut StdRng, report: &Report, states: &mut States) {
    let units: Vec<&'static str> = UNITS.iter().map(|(unit, _)| *unit).collect();
    let units: Vec<&'static str> = units.into_iter().filter(|unit| submits(unit)).collect();
    let unit = *units.choose(rng).unwrap();
    let steps = [
        "put", "put", "draft", "withdraw", "approve", "approve", "return", "reopen",
    ];
    let taken = *steps.choose(rng).unwrap();
    let values = json!([value("x", rng.random_range(0..100))]);
    let answer = match taken {
        "put" => report.put(unit, &json!({"values": values, "submit": true})),
        "draft" => report.put(unit, &json!({"values": values})),
        _ if !states.contains_key(unit) => return,
        "return" => report.give_back(unit, &json!({"reason": "Sai"})),
        other => report.step(unit, other),
    };
    if !matches!(answer.status, 200 | 201) {
        return;
    }
    let was_counting = counts(states, unit);
    let (status, is_counting) = match taken {
        "put" => ("submitted", true),
        "draft" => ("draft", was_counting),
        "withdraw" => ("withdrawn", false),
        "approve" => ("approved", true),
        "return" => ("returned", false),
        "reopen" => ("reopened", true),
        _ => panic!("{taken}"),
    };
    states.insert(unit, (status.to_owned(), is_counting));
}

struct World {
    admin: Client,
    report: Report,
    /// Reporters and approvers by their units.
    people: Vec<(&'static str, &'static str, Client)>,
    _server: Server,
}

impl World {
    fn new(backend: Backend) -> World {
        let (server, admin, report) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .own_form("f", windowed(&[window("a", (-30, 30), Some(40))]))
            .build_for(&key("a", -30));
        let people = [
            ("reporter", "T"),
            ("reporter", "A"),
            ("reporter", "A1"),
            ("approver", "T"),
            ("approver", "A"),
        ];
        let people = people.map(|(role, unit)| {
            let login = format!("{role}-{unit}");
            let grant = format!("{role}@code:{unit}");
            server.create_account("test", &login, &[&grant]);
            (role, unit, server.sign_in("test", &login))
        });
        World {
            admin,
            report,
            people: people.into(),
            _server: server,
        }
    }

    fn check(&self, states: &States) {
        for (role, unit, client) in &self.people {
            let expected = match *role {
                "reporter" => owed_by_reporter(states, unit),
                _ => owed_by_approver(states, unit),
            };
            assert_eq!(short(client), expected, "{role} {unit}: {states:?}");
        }
        let period = key("a", -30);
        let base = format!("/v1/forms/f/periods/{period}/units/code:T/completeness");
        let whole = self.admin.get(&base).expect_status(200).json();
        assert_eq!(shown(&whole["total"]), progress(states, "T"), "{states:?}");
        for (query, units) in [
            ("children", vec!["A", "B"]),
            ("level:hamlet", vec!["A1", "A2", "B1"]),
        ] {
            let listed = self
                .admin
                .get(&format!("{base}?of={query}"))
                .expect_status(200)
                .json();
            assert_eq!(listed["total"], whole["total"], "{states:?}");
            let items = listed["items"].as_array().unwrap();
            let found: Vec<(&str, String)> = items
                .iter()
                .map(|item| {
                    (
                        item["unit"]["code"].as_str().unwrap(),
                        shown(&item["total"]),
                    )
                })
                .collect();
            let expected: Vec<(&str, String)> = units
                .iter()
                .map(|unit| (*unit, progress(states, unit)))
                .collect();
            assert_eq!(found, expected, "{states:?}");
            for (column, status) in ["expected", "submitted", "approved", "returned", "missing"]
                .iter()
                .enumerate()
            {
                let listed = self
                    .admin
                    .get(&format!("{base}?of={query}&status={status}"));
                let listed = listed.expect_status(200).json();
                let found = listed["items"].as_array().unwrap().iter();
                let found: Vec<&str> = found
                    .map(|item| item["unit"]["code"].as_str().unwrap())
                    .collect();
                let has_some = |counts: &str| counts.split(' ').nth(column).unwrap() != "0";
                let expected = expected.iter().filter(|(_, counts)| has_some(counts));
                let expected: Vec<&str> = expected.map(|(unit, _)| *unit).collect();
                assert_eq!(found, expected, "{query} {status}: {states:?}");
            }
        }
        // The list from what is kept and the whole from the submissions say the same.
        let listed = self
            .admin
            .get(&format!("{base}?of=children"))
            .expect_status(200)
            .json();
        let pairs = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .zip(whole["children"].as_array().unwrap());
        for (listed, child) in pairs {
            for field in ["unit", "total", "own", "release", "own_periods"] {
                assert_eq!(listed[field], child[field], "{field}: {states:?}");
            }
        }
    }
}

on_both_backends! {
    fn what_is_owed_and_what_is_missing_are_what_a_recount_says(backend) {
        let world = World::new(backend);
        let mut rng = StdRng::seed_from_u64(16);
        let mut states = States::new();
        world.check(&states);
        for _ in 0..40 {
            step(&mut rng, &world.report, &mut states);
            world.check(&states);
        }
        assert!(states.len() >= 4, "{states:?}");
    }
}
