//! Random steps on random units: after each, what everybody owes and how far the round is are what a
//! naive recount says.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::tasks::{day, key, short, window, windowed};
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

/// A submission as the model has it: its status, and the value that counts.
#[derive(Debug)]
struct Sent {
    status: &'static str,
    counting: Option<i64>,
    /// Whether it was returned or reopened, and not sent or taken back since.
    given_back: bool,
}

/// The submissions, and the units that report for all below them.
#[derive(Debug, Default)]
struct States {
    sent: BTreeMap<&'static str, Sent>,
    covering: BTreeSet<&'static str>,
}

fn below(unit: &str) -> Vec<&'static str> {
    let children = UNITS.iter().filter(|(_, above)| *above == Some(unit));
    children
        .flat_map(|(child, _)| [vec![*child], below(child)].concat())
        .collect()
}

fn with_below(unit: &'static str) -> Vec<&'static str> {
    [vec![unit], below(unit)].concat()
}

impl States {
    fn is_covered(&self, unit: &str) -> bool {
        self.covering.iter().any(|top| below(top).contains(&unit))
    }

    /// Whether a unit is to submit the form. The town is not, unless it reports for all below it.
    fn expects(&self, unit: &str) -> bool {
        !self.is_covered(unit) && (unit != "T" || self.covering.contains(unit))
    }

    fn value(&self, unit: &str) -> Option<i64> {
        self.sent.get(unit)?.counting
    }

    fn counts(&self, unit: &str) -> bool {
        self.value(unit).is_some()
    }

    fn has(&self, unit: &str, status: &str) -> bool {
        self.sent
            .get(unit)
            .is_some_and(|sent| sent.status == status)
    }

    fn is_missing(&self, unit: &str) -> bool {
        self.expects(unit) && !self.counts(unit)
    }

    fn is_to_be_corrected(&self, unit: &str) -> bool {
        self.expects(unit) && (self.is_given_back(unit) || self.is_drafted_over(unit))
    }

    fn is_given_back(&self, unit: &str) -> bool {
        self.sent.get(unit).is_some_and(|sent| sent.given_back)
    }

    fn is_drafted_over(&self, unit: &str) -> bool {
        self.has(unit, "draft") && self.counts(unit)
    }

    fn waits_for_approval(&self, unit: &str) -> bool {
        self.counts(unit) && !self.has(unit, "approved") && !self.is_drafted_over(unit)
    }

    /// What a reporter of a unit owes, but for sending up.
    fn owed_by_reporter(&self, unit: &str) -> Vec<String> {
        let missing = number(&below(unit), |unit| self.is_missing(unit));
        let corrects = self.is_to_be_corrected(unit);
        let mut owed = Vec::new();
        if self.is_missing(unit) && !corrects {
            owed.push(format!("submit {unit} own {missing}"));
        } else if missing > 0 {
            owed.push(format!("submit {unit} below {missing}"));
        }
        if corrects {
            owed.push(format!("correct {unit} own 0"));
        }
        owed
    }

    fn owed_by_approver(&self, unit: &'static str) -> Vec<String> {
        // Nobody is above the town, so it is approved by itself.
        let units = match unit {
            "T" => with_below(unit),
            _ => below(unit),
        };
        match number(&units, |unit| self.waits_for_approval(unit)) {
            0 => Vec::new(),
            waiting => vec![format!("approve {unit} below {waiting}")],
        }
    }

    /// `expected submitted approved returned missing` of a unit and everything below it.
    fn progress(&self, unit: &'static str) -> String {
        let units = with_below(unit);
        let counts = [
            number(&units, |unit| self.expects(unit)),
            number(&units, |unit| self.counts(unit)),
            number(&units, |unit| {
                self.counts(unit) && self.has(unit, "approved")
            }),
            number(&units, |unit| {
                self.is_missing(unit) && self.is_given_back(unit)
            }),
            number(&units, |unit| self.is_missing(unit)),
        ];
        counts.map(|count| count.to_string()).join(" ")
    }

    /// The figure of a unit and everything below it: `12 2/3`.
    fn figure(&self, unit: &'static str) -> String {
        let units = with_below(unit);
        let values: Vec<i64> = units.iter().filter_map(|unit| self.value(unit)).collect();
        let sum = match values.is_empty() {
            true => "null".to_owned(),
            false => values.iter().sum::<i64>().to_string(),
        };
        let expected = number(&units, |unit| self.expects(unit));
        format!("{sum} {}/{expected}", values.len())
    }
}

fn number(units: &[&str], is_counted: impl Fn(&str) -> bool) -> usize {
    units.iter().filter(|unit| is_counted(unit)).count()
}

fn shown(total: &Value) -> String {
    let fields = ["expected", "submitted", "approved", "returned", "missing"];
    fields.map(|field| total[field].to_string()).join(" ")
}

/// Takes a random step on a submission, which may be refused. What is not expected cannot be sent.
fn step(rng: &mut StdRng, report: &Report, states: &mut States) {
    let (unit, _) = *UNITS.choose(rng).unwrap();
    let steps = [
        "put", "put", "put", "draft", "withdraw", "withdraw", "approve", "approve", "return",
        "return", "reopen",
    ];
    let taken = *steps.choose(rng).unwrap();
    let number = rng.random_range(0..100);
    let values = json!([value("x", number)]);
    let answer = match taken {
        "put" => report.put(unit, &json!({"values": values, "submit": true})),
        "draft" => report.put(unit, &json!({"values": values})),
        _ if !states.sent.contains_key(unit) => return,
        "return" => report.give_back(unit, &json!({"reason": "Sai"})),
        other => report.step(unit, other),
    };
    let is_taken = matches!(answer.status, 200 | 201);
    if matches!(taken, "put" | "draft") && !states.has(unit, "approved") {
        assert_eq!(
            is_taken,
            states.expects(unit),
            "{taken} {unit}: {}",
            answer.text
        );
    }
    if !is_taken {
        return;
    }
    let counted = states.value(unit);
    let (status, counting) = match taken {
        "put" => ("submitted", Some(number)),
        "draft" => ("draft", counted),
        "withdraw" => ("withdrawn", None),
        "approve" => ("approved", counted),
        "return" => ("returned", None),
        "reopen" => ("reopened", counted),
        _ => panic!("{taken}"),
    };
    let given_back = match taken {
        "return" | "reopen" => true,
        "draft" => states.is_given_back(unit),
        _ => false,
    };
    let sent = Sent {
        status,
        counting,
        given_back,
    };
    states.sent.insert(unit, sent);
}

/// Gives a random unit more time, or takes it back. Nothing is due otherwise than before.
fn extend(rng: &mut StdRng, admin: &Client, period: &str) {
    let (unit, _) = *UNITS[1..].choose(rng).unwrap();
    let path = format!("/v1/forms/f/periods/{period}/units/code:{unit}/extension");
    match admin.get(&path).status {
        404 => {
            let body = json!({"until": day(50), "reason": "Lũ"});
            admin.put(&path, &body).expect_status(201)
        }
        _ => admin.send("DELETE", &path, None, b"").expect_status(204),
    };
}

/// Lets a random unit report for all below it, or takes that back: only while nothing that counts
/// gets another meaning, and no unit above or below does.
fn cover(rng: &mut StdRng, admin: &Client, period: &str, states: &mut States) {
    let unit = *["T", "A", "B"].choose(rng).unwrap();
    let path = format!("/v1/forms/f/units/code:{unit}/subtree-reporting");
    if states.covering.contains(unit) {
        let deleted = admin.send("DELETE", &path, None, b"");
        match states.counts(unit) {
            true => drop(deleted.expect_problem(409, "ALREADY_REPORTED")),
            false => {
                deleted.expect_status(204);
                states.covering.remove(unit);
            }
        }
        return;
    }
    let arranged = admin.put(&path, &json!({"from": period, "to": period}));
    let below = below(unit);
    if states.is_covered(unit) {
        arranged.expect_problem(409, "COVERED_BY_UNIT");
    } else if states.covering.iter().any(|top| below.contains(top)) {
        arranged.expect_problem(409, "UNIT_BELOW_COVERS");
    } else if with_below(unit).iter().any(|unit| states.counts(unit)) {
        arranged.expect_problem(409, "ALREADY_REPORTED");
    } else {
        arranged.expect_status(201);
        states.covering.insert(unit);
    }
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
                "reporter" => states.owed_by_reporter(unit),
                _ => states.owed_by_approver(unit),
            };
            assert_eq!(short(client), expected, "{role} {unit}: {states:?}");
        }
        let period = key("a", -30);
        let base = format!("/v1/forms/f/periods/{period}/units/code:T/completeness");
        let whole = self.admin.get(&base).expect_status(200).json();
        assert_eq!(shown(&whole["total"]), states.progress("T"), "{states:?}");
        for unit in ["T", "A", "A1", "B"] {
            assert_eq!(
                self.report.figure(unit, "x"),
                states.figure(unit),
                "{unit}: {states:?}"
            );
        }
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
                .map(|unit| (*unit, states.progress(unit)))
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
        let period = key("a", -30);
        let mut states = States::default();
        let mut covered = 0;
        world.check(&states);
        for _ in 0..60 {
            match rng.random_range(0..10) {
                0 => extend(&mut rng, &world.admin, &period),
                1..4 => cover(&mut rng, &world.admin, &period, &mut states),
                _ => step(&mut rng, &world.report, &mut states),
            }
            covered += states.covering.len();
            world.check(&states);
        }
        assert!(states.sent.len() >= 4 && covered > 0, "{states:?}");
        assert_eq!(world.report.verify("T")["equal"], true);
    }
}
