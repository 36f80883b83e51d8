//! Received days: the day a submission first came in, the day of its last correction, whether it is
//! late, and whether its period was still running.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tonghop::authn::Identity;
use tonghop::domain::quantity::Qualifier;
use tonghop::domain::submission::{EnteredValue, Nil};
use tonghop::service::application::call::Call;
use tonghop::service::application::condition::Precondition;
use tonghop::service::application::locate::ReportPath;
use tonghop::service::submission::{
    Arrival, Entered, EnteredReason, Intent, SubmissionChange, change_now,
};
use tonghop::store::migration::migrate;

use crate::harness::report::Report;
use crate::harness::town::{Town, form};
use crate::harness::{Backend, Client, Server};

/// The town with the year 2024 of the form `f`, which ends on 2024-12-14 and is due from hamlets on
/// 2024-12-16.
struct Case {
    server: Server,
    admin: Client,
    identity: Identity,
}

impl Case {
    fn new(backend: Backend) -> Case {
        let (server, admin, _) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .form("f", "year")
            .with("deadlines", json!({"hamlet": 1}))
            .build();
        let identity = server.identity();
        Case {
            server,
            admin,
            identity,
        }
    }

    /// Takes a step on a day of December 2024, at ten in the morning where the tenant is.
    fn step(&self, unit: &str, day: u32, change: SubmissionChange) -> Value {
        let at: DateTime<Utc> = format!("2024-12-{day:02}T03:00:00Z").parse().unwrap();
        let path = ReportPath {
            form: "f".to_owned(),
            period: "2024".to_owned(),
            unit: format!("code:{unit}"),
        };
        let is_there = self.admin.get(&self.report().submission(unit)).status == 200;
        let call = Call::new(self.identity, at).on(if is_there {
            Precondition::Present
        } else {
            Precondition::Absent
        });
        let reply = change_now(&self.server.application, call, path, change).unwrap();
        serde_json::from_str(&reply.body).unwrap()
    }

    fn report(&self) -> Report {
        Report::new(&self.admin, "f")
    }

    /// What completeness says of a hamlet of `A`: its own part, and how many are late.
    fn completeness(&self, unit: &str) -> (Value, Value) {
        let of_unit = self.report().read(&format!("{unit}/completeness"));
        (of_unit["own"].clone(), of_unit["total"]["late"].clone())
    }
}

fn put(number: i64, intent: Intent) -> SubmissionChange {
    SubmissionChange::Put(Entered {
        values: vec![EnteredValue {
            indicator: "x".to_owned(),
            option: None,
            value: number.to_string(),
            qualifier: Qualifier::Exact,
        }],
        narrative: Vec::new(),
        nil: Nil::NotDeclared,
        intent,
        arrival: Arrival::Now,
    })
}

fn give_back() -> SubmissionChange {
    SubmissionChange::Return(EnteredReason {
        text: "Xem lại".to_owned(),
        values: Vec::new(),
    })
}

/// `received_on corrected_on late` with days of the month.
fn received(submission: &Value) -> String {
    let day = |field: &str| match submission[field].as_str() {
        Some(day) => day.trim_start_matches("2024-12-").to_owned(),
        None => "-".to_owned(),
    };
    format!(
        "{} {} {}",
        day("received_on"),
        day("corrected_on"),
        submission["late"]
    )
}

fn codes(submission: &Value) -> Vec<&str> {
    let warnings = submission["warnings"].as_array().unwrap().iter();
    warnings
        .map(|warning| warning["code"].as_str().unwrap())
        .collect()
}

on_both_backends! {
    fn who_was_in_time_is_so_after_every_correction(backend) {
        let case = Case::new(backend);
        let draft = case.step("A1", 15, put(1, Intent::KeepDraft));
        assert_eq!(received(&draft), "- - false");
        assert_eq!(draft["deadline"], "2024-12-16");
        assert_eq!(received(&case.step("A1", 16, SubmissionChange::Submit(Arrival::Now))), "16 - false");
        assert_eq!(received(&case.step("A1", 17, give_back())), "16 - false");
        assert_eq!(received(&case.step("A1", 18, put(2, Intent::Submit))), "16 18 false");
        assert_eq!(received(&case.step("A1", 19, SubmissionChange::Withdraw)), "16 18 false");
        assert_eq!(received(&case.step("A1", 20, put(3, Intent::Submit))), "16 20 false");
        assert_eq!(received(&case.step("A1", 21, put(4, Intent::KeepDraft))), "16 20 false");
        assert_eq!(received(&case.step("A1", 22, SubmissionChange::Submit(Arrival::Now))), "16 22 false");
        assert_eq!(received(&case.step("A1", 23, SubmissionChange::Approve)), "16 22 false");
        assert_eq!(received(&case.step("A1", 24, SubmissionChange::Reopen(None))), "16 22 false");
        let read = case.report().get("A1");
        assert_eq!((received(&read), codes(&read)), ("16 22 false".to_owned(), vec![]));
        let own = json!({
            "expected": true, "status": "reopened", "deadline": "2024-12-16",
            "received_on": "2024-12-16", "corrected_on": "2024-12-22"
        });
        assert_eq!(case.completeness("A1"), (own, json!(0)));
    }

    fn who_was_late_is_told_so_and_stays_late(backend) {
        let case = Case::new(backend);
        let late = case.step("A1", 17, put(1, Intent::Submit));
        assert_eq!((received(&late), &late["deadline"]), ("17 - true".to_owned(), &json!("2024-12-16")));
        assert_eq!(received(&case.step("A1", 18, put(2, Intent::Submit))), "17 18 true");
        assert_eq!(received(&case.report().get("A1")), "17 18 true");
        assert_eq!(case.completeness("A1").1, 1);
        // Communes have no deadline.
        let commune = case.step("A", 30, put(1, Intent::Submit));
        assert_eq!((received(&commune), &commune["deadline"]), ("30 - false".to_owned(), &Value::Null));
        assert_eq!(case.completeness("A").1, 1);
    }

    fn what_is_sent_while_the_period_runs_is_told_so(backend) {
        let case = Case::new(backend);
        let early = case.step("B1", 14, put(1, Intent::Submit));
        assert_eq!(codes(&early), ["PERIOD_RUNNING"]);
        let warning = &early["warnings"][0];
        assert_eq!((&warning["expression"], &warning["indicator"]), (&Value::Null, &Value::Null));
        let text = warning["message_en"].as_str().unwrap();
        assert!(text.contains("2024-12-14"), "{text}");
        assert_eq!(codes(&case.report().get("B1")), ["PERIOD_RUNNING"]);
        assert_eq!(codes(&case.step("B1", 14, SubmissionChange::Withdraw)), Vec::<&str>::new());
        assert_eq!(codes(&case.step("B1", 15, put(2, Intent::Submit))), Vec::<&str>::new());
        // A draft is nobody's report yet.
        assert_eq!(codes(&case.step("A2", 10, put(1, Intent::KeepDraft))), Vec::<&str>::new());
        // Whoever asks before the end is answered before it.
        let window = json!({"key": "2024-now", "from": "2024-12-01", "to": "2199-01-01", "due_at": "2150-01-01"});
        let mut asked = form(&["x"]);
        asked.as_object_mut().unwrap().retain(|field, _| field != "calendar" && field != "frequency");
        asked["windows"] = json!([window]);
        case.admin.put("/v1/forms/w", &asked).expect_status(201);
        let answered = Report::of(&case.admin, "w", "2024-now").submit("A1", &[json!({"indicator": "x", "value": 1})]);
        assert_eq!(codes(&answered), Vec::<&str>::new());
    }

    fn an_older_database_is_given_the_days_from_its_history(backend) {
        let case = Case::new(backend);
        case.step("A1", 16, put(1, Intent::Submit));
        case.step("A1", 20, put(2, Intent::Submit));
        case.step("A2", 16, put(1, Intent::Submit));
        case.step("A2", 17, give_back());
        case.step("B1", 17, put(1, Intent::Submit));
        case.step("A", 17, put(1, Intent::KeepDraft));
        // As it was: the day of the latest step that counts, and none where nothing counts.
        case.server.write_beside(
            "UPDATE submission SET received_on = '2024-12-20' WHERE corrected_on IS NOT NULL; \
             UPDATE submission SET received_on = NULL WHERE counting_revision IS NULL; \
             ALTER TABLE submission DROP COLUMN corrected_on; \
             DELETE FROM __diesel_schema_migrations WHERE version = '00000000000008'",
        );
        let database = &case.server.database;
        migrate(&database.owner, &database.server).unwrap();
        let all = ["A1", "A2", "B1", "A"].map(|unit| received(&case.report().get(unit)));
        assert_eq!(all, ["16 20 false", "16 - false", "17 - true", "- - false"]);
    }
}
