//! Many writers at once: the tenant's row orders them, so that no total loses a value and every
//! commit has a rev of its own, without gaps.

use std::collections::BTreeSet;
use std::sync::Barrier;

use serde_json::{Value, json};
use tonghop::authn::Identity;
use tonghop::domain::quantity::Qualifier;
use tonghop::domain::submission::{EnteredValue, Nil};
use tonghop::service::Application;
use tonghop::service::application::call::Call;
use tonghop::service::application::condition::Precondition;
use tonghop::service::application::locate::ReportPath;
use tonghop::service::report::verification::verify_rollup;
use tonghop::service::submission::{
    Arrival, Asked, Entered, Intent, SubmissionChange, change_all, change_now,
};

use crate::harness::server::now;
use crate::harness::{Client, Server};

const WRITERS: usize = 16;
/// The hamlets of one writer, each of which it submits and then corrects.
const HAMLETS: usize = 4;
const CORRECTIONS: usize = 3;
const COMMITS: usize = WRITERS * HAMLETS * (1 + CORRECTIONS);

/// A province with one town and one commune: all hamlets share every ancestor. Answers with the
/// rev of the last commit.
fn put_case(server: &Server) -> i64 {
    let admin = server.sign_in("test", "admin");
    for across_units in ["sum", "max"] {
        let indicator = json!({
            "name": {"vi": across_units}, "unit_of_measure": "x", "decimals": 0,
            "across_units": across_units, "across_time": "sum",
        });
        let path = format!("/v1/indicators/w.{across_units}");
        admin.put(&path, &indicator).expect_status(201);
    }
    let form = json!({
        "name": {"vi": "W"}, "calendar": "statutory", "frequency": "year", "submitted_by": ["hamlet"],
        "outline": [{"number": "I", "title": {"vi": "I"},
                     "items": [{"indicator": "w.sum"}, {"indicator": "w.max"}]}],
    });
    admin.put("/v1/forms/writers", &form).expect_status(201);
    let mut units = "code,name,level,parent_code\n\
                     P,P,province,\nT,T,town,P\nC,C,commune,T\n"
        .to_owned();
    for hamlet in 0..WRITERS * HAMLETS {
        units.push_str(&format!("H{hamlet},H{hamlet},hamlet,C\n"));
    }
    let imported = admin.post_csv("/v1/units/import", &units);
    imported.expect_status(200).json()["rev"].as_i64().unwrap()
}

fn path_of(code: &str) -> ReportPath {
    ReportPath {
        form: "writers".to_owned(),
        period: "2024".to_owned(),
        unit: format!("code:{code}"),
    }
}

/// What hamlet `hamlet` reports in its last correction: 1, 2, 3 …
fn last_value(hamlet: usize) -> i64 {
    i64::try_from(hamlet).unwrap() + 1
}

/// Submits and corrects each of a writer's hamlets; answers with the revs of the answers.
fn write_all(application: &Application, identity: &Identity, writer: usize) -> Vec<i64> {
    let mut revs = Vec::new();
    for round in 0..=CORRECTIONS {
        for hamlet in writer * HAMLETS..(writer + 1) * HAMLETS {
            // Each correction takes a large value back: the extreme gives way all the time.
            let more = i64::try_from(CORRECTIONS - round).unwrap() * 1000;
            let value = |indicator: &str| EnteredValue {
                indicator: indicator.to_owned(),
                option: None,
                value: (last_value(hamlet) + more).to_string(),
                qualifier: Qualifier::Exact,
            };
            let entered = Entered {
                values: vec![value("w.sum"), value("w.max")],
                narrative: Vec::new(),
                nil: Nil::NotDeclared,
                intent: Intent::Submit,
                arrival: Arrival::Now,
            };
            let call = Call::new(*identity, now()).on(match round {
                0 => Precondition::Absent,
                _ => Precondition::Present,
            });
            let path = path_of(&format!("H{hamlet}"));
            let change = SubmissionChange::Put(entered);
            let reply = change_now(application, call, path, change).unwrap();
            let body: Value = serde_json::from_str(&reply.body).unwrap();
            revs.push(body["rev"].as_i64().unwrap());
        }
    }
    revs
}

fn check_totals(server: &Server) {
    let admin = server.sign_in("test", "admin");
    let cells = |code: &str| {
        let path = format!("/v1/forms/writers/periods/2024/units/code:{code}/rollup");
        let rollup = admin.get(&path).expect_status(200).json();
        let cells = rollup["cells"].as_array().unwrap().clone();
        let values = cells.iter().map(|cell| cell["value"].to_string());
        values.collect::<Vec<_>>()
    };
    let last: Vec<i64> = (0..WRITERS * HAMLETS).map(last_value).collect();
    let right = vec![
        last.iter().sum::<i64>().to_string(),
        last.iter().max().unwrap().to_string(),
    ];
    let shown = [cells("P"), cells("T"), cells("C")];
    let names = "sum and max of province, town, commune";
    assert_eq!(shown, [right.clone(), right.clone(), right], "{names}");
    let identity = server.identity();
    let verified = verify_rollup(&server.application, &identity, &path_of("P")).unwrap();
    assert_eq!(verified.differing, []);
}

/// Submits and corrects each of a writer's hamlets over HTTP; answers with the revs of the answers.
fn write_all_over_http(client: &Client, writer: usize) -> Vec<i64> {
    let mut revs = Vec::new();
    for round in 0..=CORRECTIONS {
        for hamlet in writer * HAMLETS..(writer + 1) * HAMLETS {
            let more = i64::try_from(CORRECTIONS - round).unwrap() * 1000;
            let value = last_value(hamlet) + more;
            let body = json!({"submit": true, "values": [
                {"indicator": "w.sum", "value": value}, {"indicator": "w.max", "value": value},
            ]});
            let path = format!("/v1/forms/writers/periods/2024/units/code:H{hamlet}/submission");
            let conditional = match round {
                0 => client.with("If-None-Match", "*"),
                _ => client.with("If-Match", "*"),
            };
            let key = format!("{writer}-{hamlet}-{round}");
            let answer = conditional.with("Idempotency-Key", &key).put(&path, &body);
            revs.push(answer.json()["rev"].as_i64().unwrap());
        }
    }
    revs
}

on_both_backends! {
    fn sixteen_writers_at_once_lose_nothing_and_leave_no_gap(backend) {
        let server = Server::with_tenant(backend);
        let before = put_case(&server);
        let (application, identity) = (&server.application, &server.identity());
        let together = &Barrier::new(WRITERS);
        let mut revs: Vec<i64> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    scope.spawn(move || {
                        together.wait();
                        write_all(application, identity, writer)
                    })
                })
                .collect();
            writers
                .into_iter()
                .flat_map(|writer| writer.join().expect("a writer that finds no fault"))
                .collect()
        });
        check_totals(&server);
        revs.sort_unstable();
        let contiguous = (before + 1..).take(COMMITS).collect::<Vec<_>>();
        assert_eq!(revs, contiguous);
    }

    fn changes_that_come_at_once_share_commits_and_lose_nothing(backend) {
        let server = Server::with_tenant(backend);
        let before = put_case(&server);
        // Once: on a busy machine sixteen sign-ins at the same moment are too many.
        let admin = server.sign_in("test", "admin");
        let together = &Barrier::new(WRITERS);
        let revs: Vec<i64> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let admin = &admin;
                    scope.spawn(move || {
                        together.wait();
                        write_all_over_http(admin, writer)
                    })
                })
                .collect();
            writers
                .into_iter()
                .flat_map(|writer| writer.join().expect("a writer that finds no fault"))
                .collect()
        });
        check_totals(&server);
        assert_eq!(revs.len(), COMMITS);
        let commits: BTreeSet<i64> = revs.into_iter().collect();
        let contiguous: BTreeSet<i64> = (before + 1..).take(commits.len()).collect();
        assert_eq!(commits, contiguous, "no commit without a submission, none without a rev");
        assert!(commits.len() < COMMITS, "nothing was committed together");
    }

    fn what_is_refused_below_is_not_held_against_the_unit_above(backend) {
        let server = Server::with_tenant(backend);
        put_case(&server);
        let admin = server.sign_in("test", "admin");
        let mut form = admin.get("/v1/forms/writers").json();
        let form = json!({
            "name": form["name"].take(), "calendar": "statutory", "frequency": "year",
            "submitted_by": ["hamlet", "commune"],
            "outline": [{"number": "I", "title": {"vi": "I"},
                         "items": [{"indicator": "w.sum"}, {"indicator": "w.max"}]}],
            "rules": [{"code": "R", "severity": "error", "expression": "w.sum <= 10",
                       "message": {"vi": "Quá", "en": "Too much"}}],
        });
        admin.put("/v1/forms/ruled", &form).expect_status(201);
        let identity = server.identity();
        // The hamlet breaks the rule, and with it in its total so does the commune.
        let asked = [("C", 5), ("H0", 100), ("H1", 3)].map(|(code, value)| {
            let value = EnteredValue {
                indicator: "w.sum".to_owned(),
                option: None,
                value: i64::to_string(&value),
                qualifier: Qualifier::Exact,
            };
            let entered = Entered {
                values: vec![value],
                narrative: Vec::new(),
                nil: Nil::NotDeclared,
                intent: Intent::Submit,
                arrival: Arrival::Now,
            };
            let path = ReportPath { form: "ruled".to_owned(), ..path_of(code) };
            let call = Call::new(identity, now()).on(Precondition::Absent);
            Asked::new(&server.application, call, path, SubmissionChange::Put(entered)).unwrap()
        });
        let answers = change_all(&server.application, identity.tenant(), asked.into());
        let taken: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(taken, [true, false, true]);
        let path = "/v1/forms/ruled/periods/2024/units/code:P/rollup";
        let rollup = admin.get(path).expect_status(200).json();
        assert_eq!(rollup["cells"][0]["value"].to_string(), "8");
    }
}
