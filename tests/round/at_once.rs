//! Sixteen people at once on the hamlets of one commune: those who enter and those who decide. Whatever
//! becomes of it, nobody changes what they have not seen, no step that was answered is lost, and in the
//! end totals, completeness and tasks are what the answers come to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Barrier;
use std::thread::sleep;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::tasks::{key, short, window, windowed};
use crate::harness::report::{Report, value};
use crate::harness::town::Town;
use crate::harness::{Answer, Backend, Client, Server};

const WORKERS: u64 = 16;
/// The steps that each of them tries.
const STEPS: usize = 25;
const HAMLETS: [&str; 10] = ["H0", "H1", "H2", "H3", "H4", "H5", "H6", "H7", "H8", "H9"];

/// What those who enter do, and what those who decide do.
const ENTERING: [&str; 7] = [
    "replace", "replace", "save", "save", "submit", "withdraw", "discard",
];
const DECIDING: [&str; 4] = ["approve", "approve many", "return", "reopen"];

/// The answers to those who were not fast enough, or whose step is none of that status.
const REFUSALS: [&str; 3] = ["PRECONDITION_FAILED", "WRONG_STATUS", "SUBMISSION_APPROVED"];

/// A step that was answered with success.
#[derive(Debug, Clone)]
struct Taken {
    hamlet: &'static str,
    revision: i64,
    rev: i64,
    step: &'static str,
    /// What was typed, for the steps that bring a value.
    value: i64,
}

/// A submission as its steps leave it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    status: &'static str,
    /// The status that a draft was kept over.
    under: &'static str,
    latest: i64,
    counting: Option<i64>,
}

impl Kept {
    const NOTHING: Kept = Kept {
        status: "none",
        under: "none",
        latest: 0,
        counting: None,
    };

    fn after(mut self, taken: &Taken) -> Kept {
        match taken.step {
            "save" => {
                if self.status != "draft" {
                    self.under = self.status;
                }
                self.latest = taken.value;
            }
            "replace" => {
                self.latest = taken.value;
                self.counting = Some(taken.value);
            }
            "submit" => self.counting = Some(self.latest),
            "withdraw" | "return" => self.counting = None,
            "discard" => self.latest = self.counting.expect("a draft over something that counts"),
            "approve" | "reopen" => {}
            other => panic!("{other}"),
        }
        self.status = match taken.step {
            "save" => "draft",
            "replace" | "submit" => "submitted",
            "withdraw" => "withdrawn",
            "discard" => self.under,
            "approve" => "approved",
            "return" => "returned",
            "reopen" => "reopened",
            other => panic!("{other}"),
        };
        self
    }

    fn counts(&self) -> bool {
        self.counting.is_some()
    }

    fn is_approved(&self) -> bool {
        self.status == "approved"
    }

    /// Tells whether it was returned or reopened, whatever draft was kept since.
    fn is_given_back(&self) -> bool {
        let answered = match self.status {
            "draft" => self.under,
            status => status,
        };
        matches!(answered, "returned" | "reopened")
    }

    fn is_drafted_over(&self) -> bool {
        self.status == "draft" && self.counts()
    }

    fn is_to_be_corrected(&self) -> bool {
        self.is_given_back() || self.is_drafted_over()
    }

    fn waits_for_approval(&self) -> bool {
        self.counts() && !self.is_approved() && !self.is_drafted_over()
    }
}

/// Sums and maxima of some submissions, as a report of so many units shows them.
fn figures<'k>(counted: impl Iterator<Item = &'k Kept>) -> [String; 2] {
    let values: Vec<i64> = counted.filter_map(|kept| kept.counting).collect();
    let expected = HAMLETS.len() + 1;
    let shown = |value: Option<i64>| {
        let value = value.map_or("null".to_owned(), |value| value.to_string());
        format!("{value} {}/{expected}", values.len())
    };
    let sum = values.iter().copied().reduce(|sum, value| sum + value);
    [shown(sum), shown(values.iter().copied().max())]
}

/// Sends a request until it is answered: on a busy machine a connection may end before.
fn insist(client: &Client, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let text = body.map_or(String::new(), Value::to_string);
    let content_type = body.map(|_| "application/json");
    for _ in 0..500 {
        match client.try_send(method, path, content_type, text.as_bytes()) {
            Ok(answer) if !answer.text.contains("REQUEST_IN_FLIGHT") => return answer,
            Ok(_) | Err(_) => sleep(Duration::from_millis(20)),
        }
    }
    panic!("{method} {path} was never answered");
}

/// The same client, whose request has the effect of one however often it is sent.
fn once(rng: &mut StdRng, client: &Client) -> Client {
    client.with("Idempotency-Key", &rng.random::<u64>().to_string())
}

fn expect_refusal(problem: &Value) {
    let code = problem["code"].as_str().unwrap_or_default();
    assert!(REFUSALS.contains(&code), "{problem}");
}

/// A submission as somebody saw it.
struct Seen {
    hamlet: &'static str,
    /// 0 if there is none.
    revision: i64,
    etag: Option<String>,
}

impl Seen {
    /// The step that was answered with a submission: the next one after what was seen.
    fn taken(&self, step: &'static str, value: i64, answer: &Value) -> Taken {
        let revision = answer["revision"].as_i64().unwrap();
        assert_eq!(
            revision,
            self.revision + 1,
            "{step} over the unseen: {answer}"
        );
        Taken {
            hamlet: self.hamlet,
            revision,
            rev: answer["rev"].as_i64().unwrap(),
            step,
            value,
        }
    }
}

struct World {
    report: Report,
    /// The clerk of the commune, who enters for its hamlets.
    clerk: Client,
    /// The chair of the commune, who decides.
    chair: Client,
    /// The heads of all hamlets, with one account.
    heads: Client,
    _server: Server,
}

impl World {
    fn new(backend: Backend) -> World {
        let hamlets = HAMLETS.map(|hamlet| format!("{hamlet},Ấp {hamlet},hamlet,A\n"));
        let units = format!("T,Thị xã,town,\nA,Xã A,commune,T\n{}", hamlets.concat());
        let mut form = windowed(&[window("a", (-30, 30), Some(40))]);
        form["outline"][0]["items"] = json!([{"indicator": "x"}, {"indicator": "y"}]);
        let (server, _, report) = Town::of(backend, &units)
            .indicators(&[("x", "sum"), ("y", "max")])
            .own_form("f", form)
            .build_for(&key("a", -30));
        let somebody = |login: &str, grants: &[&str]| {
            server.create_account("test", login, grants);
            server.sign_in("test", login)
        };
        let grants = HAMLETS.map(|hamlet| format!("reporter@code:{hamlet}"));
        World {
            clerk: somebody("clerk", &["reporter@code:A"]),
            chair: somebody("chair", &["approver@code:A"]),
            heads: somebody("heads", &grants.each_ref().map(String::as_str)),
            report,
            _server: server,
        }
    }

    /// Looks at a hamlet's submission, before a step is taken on it.
    fn look(&self, client: &Client, hamlet: &'static str) -> Seen {
        let answer = insist(client, "GET", &self.report.submission(hamlet), None);
        match answer.status {
            404 => Seen {
                hamlet,
                revision: 0,
                etag: None,
            },
            _ => Seen {
                hamlet,
                revision: answer.json()["revision"].as_i64().unwrap(),
                etag: Some(answer.etag().to_owned()),
            },
        }
    }

    /// Tries a step on what is there at the moment, which may be refused.
    fn try_step(&self, rng: &mut StdRng, client: &Client, step: &'static str) -> Option<Taken> {
        let seen = self.look(client, HAMLETS.choose(rng).unwrap());
        let client = match &seen.etag {
            Some(etag) => client.with("If-Match", etag),
            // There is nothing yet to take another step on.
            None if !matches!(step, "save" | "replace") => return None,
            None => client.with("If-None-Match", "*"),
        };
        let number = rng.random_range(1..1000);
        let values = json!([value("x", number), value("y", number)]);
        let path = self.report.submission(seen.hamlet);
        let (method, path, body) = match step {
            "save" => ("PUT", path, Some(json!({"values": values}))),
            "replace" => ("PUT", path, Some(json!({"values": values, "submit": true}))),
            "return" => (
                "POST",
                format!("{path}/return"),
                Some(json!({"reason": "Sai"})),
            ),
            other => ("POST", format!("{path}/{other}"), None),
        };
        let answer = insist(&once(rng, &client), method, &path, body.as_ref());
        match answer.status {
            200 | 201 => Some(seen.taken(step, number, &answer.json())),
            _ => {
                expect_refusal(&answer.json());
                None
            }
        }
    }

    /// Tries to approve some hamlets in one call.
    fn try_approving_many(&self, rng: &mut StdRng, client: &Client) -> Vec<Taken> {
        let hamlets: Vec<&'static str> = HAMLETS.sample(rng, 3).copied().collect();
        let seen = hamlets.into_iter().map(|hamlet| self.look(client, hamlet));
        let seen: Vec<Seen> = seen.filter(|seen| seen.etag.is_some()).collect();
        if seen.is_empty() {
            return Vec::new();
        }
        let items = seen.iter().map(|seen| {
            let unit = format!("code:{}", seen.hamlet);
            json!({"form": "f", "period": key("a", -30), "unit": unit, "if_match": seen.etag})
        });
        let body = json!({"items": items.collect::<Vec<_>>()});
        let client = once(rng, client);
        let answer = insist(&client, "POST", "/v1/submissions/approve", Some(&body));
        let answer = answer.expect_status(207).json();
        let answers = answer["items"].as_array().unwrap();
        assert_eq!(answers.len(), seen.len());
        let answered = seen.iter().zip(answers);
        let taken = answered.filter_map(|(seen, item)| match item["status"] == 200 {
            true => Some(seen.taken("approve", 0, &item["submission"])),
            false => {
                expect_refusal(&item["problem"]);
                None
            }
        });
        taken.collect()
    }

    /// Lets all work at once, half of them entering and half deciding.
    fn all_work(&self) -> Vec<Taken> {
        let together = &Barrier::new(usize::try_from(WORKERS).unwrap());
        std::thread::scope(|scope| {
            let workers = (0..WORKERS).map(|worker| {
                scope.spawn(move || {
                    let mut rng = StdRng::seed_from_u64(worker);
                    let (client, steps) = match worker % 2 {
                        0 => (&self.clerk, &ENTERING[..]),
                        _ => (&self.chair, &DECIDING[..]),
                    };
                    together.wait();
                    let tried = (0..STEPS).map(|_| match *steps.choose(&mut rng).unwrap() {
                        "approve many" => self.try_approving_many(&mut rng, client),
                        step => Vec::from_iter(self.try_step(&mut rng, client, step)),
                    });
                    tried.flatten().collect::<Vec<_>>()
                })
            });
            let workers: Vec<_> = workers.collect();
            let taken = workers.into_iter();
            taken
                .flat_map(|worker| worker.join().expect("a worker who finds no fault"))
                .collect()
        })
    }

    /// The steps of a hamlet's history, the first one first.
    fn history(&self, hamlet: &str) -> Vec<(i64, String)> {
        let read = self
            .report
            .read(&format!("{hamlet}/submission/revisions?limit=1000"));
        let steps = read["items"].as_array().unwrap().iter().rev();
        let steps = steps.map(|step| {
            (
                step["revision"].as_i64().unwrap(),
                step["step"].as_str().unwrap().to_owned(),
            )
        });
        steps.collect()
    }

    /// The history of each hamlet is its answers, without a gap; answers with what they come to.
    fn expect_history(&self, taken: &[Taken]) -> BTreeMap<&'static str, Kept> {
        let mut kept = BTreeMap::new();
        for hamlet in HAMLETS {
            let mut steps: Vec<&Taken> = taken
                .iter()
                .filter(|taken| taken.hamlet == hamlet)
                .collect();
            steps.sort_by_key(|taken| taken.revision);
            let answered: Vec<(i64, String)> = (1..)
                .zip(&steps)
                .map(|(number, taken)| (number, taken.step.to_owned()))
                .collect();
            assert_eq!(self.history(hamlet), answered, "{hamlet}: {steps:#?}");
            let state = steps.into_iter().fold(Kept::NOTHING, Kept::after);
            let shown = self.report.get(hamlet);
            assert_eq!(shown["status"], state.status, "{hamlet}");
            assert_eq!(shown["values"][0]["value"], state.latest, "{hamlet}");
            kept.insert(hamlet, state);
        }
        kept
    }

    fn expect_totals(&self, kept: &BTreeMap<&str, Kept>) {
        let all = || kept.values();
        let submitted = figures(all());
        let approved = figures(all().filter(|kept| kept.is_approved()));
        for unit in ["A", "T"] {
            for (number, indicator) in ["x", "y"].into_iter().enumerate() {
                assert_eq!(
                    self.report.figure(unit, indicator),
                    submitted[number],
                    "{unit}"
                );
                assert_eq!(
                    self.report.approved_figure(unit, indicator),
                    approved[number],
                    "{unit}"
                );
            }
            let verified = self.report.verify(unit);
            assert_eq!(verified["equal"], true, "{verified}");
            let total = self.report.read(&format!("{unit}/completeness"))["total"].clone();
            let count =
                |is_counted: fn(&Kept) -> bool| all().filter(|kept| is_counted(kept)).count();
            for (field, expected) in [
                ("expected", HAMLETS.len() + 1),
                ("submitted", count(Kept::counts)),
                ("approved", count(Kept::is_approved)),
                (
                    "returned",
                    count(|kept| kept.is_given_back() && !kept.counts()),
                ),
                ("missing", HAMLETS.len() + 1 - count(Kept::counts)),
            ] {
                assert_eq!(total[field], expected, "{unit} {field}: {total}");
            }
        }
    }

    fn expect_tasks(&self, kept: &BTreeMap<&str, Kept>) {
        let missing = kept.values().filter(|kept| !kept.counts()).count();
        // The commune itself has sent nothing.
        assert_eq!(short(&self.clerk), [format!("submit A own {missing}")]);
        let waiting = kept
            .values()
            .filter(|kept| kept.waits_for_approval())
            .count();
        let deciding = (waiting > 0).then(|| format!("approve A below {waiting}"));
        assert_eq!(short(&self.chair), Vec::from_iter(deciding));
        let owed = kept
            .iter()
            .filter_map(|(hamlet, kept)| match kept.is_to_be_corrected() {
                true => Some(format!("correct {hamlet} own 0")),
                false => (!kept.counts()).then(|| format!("submit {hamlet} own 0")),
            });
        assert_eq!(short(&self.heads), owed.collect::<Vec<_>>());
    }
}

on_both_backends! {
    fn sixteen_at_once_lose_no_step_and_change_nothing_unseen(backend) {
        let world = World::new(backend);
        let taken = world.all_work();
        let tried = usize::try_from(WORKERS).unwrap() * STEPS;
        assert!(taken.len() > tried / 5, "{} of {tried}", taken.len());
        let commits: BTreeSet<i64> = taken.iter().map(|taken| taken.rev).collect();
        let contiguous: BTreeSet<i64> = (*commits.first().unwrap()..).take(commits.len()).collect();
        assert_eq!(commits, contiguous, "no commit without a step, none without a rev");
        let kept = world.expect_history(&taken);
        world.expect_totals(&kept);
        world.expect_tasks(&kept);
    }
}
