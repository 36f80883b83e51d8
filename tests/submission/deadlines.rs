//! Deadlines as a round meets them: when entry opens, what is late, and by whose clock. Steps are
//! taken at times of the test's own, by the use cases that the server calls.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tonghop::authn::Identity;
use tonghop::domain::quantity::Qualifier;
use tonghop::domain::submission::{EnteredValue, Nil};
use tonghop::error::Explain;
use tonghop::service::application::call::Call;
use tonghop::service::application::condition::Precondition;
use tonghop::service::application::locate::ReportPath;
use tonghop::service::report::completeness::get_completeness;
use tonghop::service::submission::{
    Arrival, Entered, EnteredReason, Intent, SubmissionChange, change_now,
};

use crate::harness::report::Report;
use crate::harness::server::now;
use crate::harness::town::{Town, form};
use crate::harness::{Backend, Client, Server};

/// The town with the months of 2026 of a form `m` of `x`. February closes on Saturday 28, and is due
/// from hamlets on the first working day after it, from communes on the third.
struct Round {
    server: Server,
    admin: Client,
    identity: Identity,
}

impl Round {
    fn new(backend: Backend) -> Round {
        Round::with(backend, json!({}))
    }

    /// With other fields of the form.
    fn with(backend: Backend, fields: Value) -> Round {
        let mut town = Town::new(backend)
            .indicators(&[("x", "sum")])
            .form("m", "month")
            .with("calendar", "civil")
            .with("deadlines", json!({"hamlet": 1, "commune": 3}));
        for (field, value) in fields.as_object().unwrap() {
            town = town.with(field, value.clone());
        }
        let (server, admin, _) = town.build();
        let identity = server.identity();
        Round {
            server,
            admin,
            identity,
        }
    }

    /// The same, with the tenant on another side of the world.
    fn in_time_zone(self, time_zone: &str) -> Round {
        let sql = format!("UPDATE tenant SET time_zone = '{time_zone}'");
        self.server.write_beside(&sql);
        self
    }

    fn path(period: &str, unit: &str) -> ReportPath {
        ReportPath {
            form: "m".to_owned(),
            period: period.to_owned(),
            unit: format!("code:{unit}"),
        }
    }

    fn report(&self) -> Report {
        Report::of(&self.admin, "m", "2026-02")
    }

    /// Takes a step for February as the administrator: what the answer says, or the code and the
    /// English sentence of the refusal.
    fn step(
        &self,
        unit: &str,
        at: &str,
        change: SubmissionChange,
    ) -> Result<Value, (String, String)> {
        self.step_by(self.identity, unit, at, change)
    }

    fn step_by(
        &self,
        identity: Identity,
        unit: &str,
        at: &str,
        change: SubmissionChange,
    ) -> Result<Value, (String, String)> {
        self.step_in("2026-02", identity, unit, at, change)
    }

    fn step_in(
        &self,
        period: &str,
        identity: Identity,
        unit: &str,
        at: &str,
        change: SubmissionChange,
    ) -> Result<Value, (String, String)> {
        let report = Report::of(&self.admin, "m", period);
        let is_there = self.admin.get(&report.submission(unit)).status == 200;
        let call = Call::new(identity, time(at)).on(match is_there {
            true => Precondition::Present,
            false => Precondition::Absent,
        });
        let path = Round::path(period, unit);
        let reply = change_now(&self.server.application, call, path, change);
        match reply {
            Ok(reply) => Ok(serde_json::from_str(&reply.body).unwrap()),
            Err(error) => {
                let told = error.explain();
                let faults = told.faults.iter().map(|fault| fault.message.en.clone());
                let sentences: Vec<String> = [told.message.en].into_iter().chain(faults).collect();
                Err((told.code.as_str().to_owned(), sentences.join(" ")))
            }
        }
    }

    /// `late overdue` of a unit's subtree in February, as completeness tells it at a time.
    fn counts(&self, unit: &str, at: &str) -> String {
        let path = Round::path("2026-02", unit);
        let application = &self.server.application;
        let view = get_completeness(application, &self.identity, &path, None, time(at)).unwrap();
        format!("{} {}", view.total.late, view.total.overdue)
    }
}

fn time(at: &str) -> DateTime<Utc> {
    at.parse().unwrap()
}

fn entered(intent: Intent) -> Entered {
    Entered {
        values: vec![EnteredValue {
            indicator: "x".to_owned(),
            option: None,
            value: "1".to_owned(),
            qualifier: Qualifier::Exact,
        }],
        narrative: Vec::new(),
        nil: Nil::NotDeclared,
        intent,
        arrival: Arrival::Now,
    }
}

fn submitted() -> SubmissionChange {
    SubmissionChange::Put(entered(Intent::Submit))
}

/// What came in on paper on a day, entered and submitted.
fn paper(day: &str) -> SubmissionChange {
    SubmissionChange::Put(Entered {
        arrival: Arrival::OnPaper(day.parse().unwrap()),
        ..entered(Intent::Submit)
    })
}

/// `received_on corrected_on late` of an answer about a submission.
fn received(submission: &Value) -> String {
    let day = |field: &str| {
        submission[field]
            .as_str()
            .unwrap_or("-")
            .replace("2026-", "")
    };
    let (received, corrected) = (day("received_on"), day("corrected_on"));
    format!("{received} {corrected} {}", submission["late"])
}

#[track_caller]
fn code_of(refused: Result<Value, (String, String)>) -> String {
    refused.unwrap_err().0
}

on_both_backends! {
    fn entry_begins_on_the_day_that_the_form_says(backend) {
        let round = Round::with(backend, json!({"opens": 5}));
        let periods = round.admin.get("/v1/forms/m/periods?year=2026").expect_status(200).json();
        assert_eq!(periods["items"][1]["opens"], "2026-02-23");
        // The last minute of Sunday 22 in Viet Nam, and the first of Monday 23.
        let refused = round.step("A1", "2026-02-22T16:59:00Z", submitted());
        let (code, told) = refused.unwrap_err();
        assert_eq!(code, "PERIOD_NOT_OPEN");
        assert!(told.contains("2026-02-23"), "{told}");
        let draft = SubmissionChange::Put(entered(Intent::KeepDraft));
        assert_eq!(code_of(round.step("A1", "2026-02-22T16:59:00Z", draft)), "PERIOD_NOT_OPEN");
        round.step("A1", "2026-02-22T17:00:00Z", submitted()).unwrap();
        // The same in California, where Monday begins eight hours after midnight in Greenwich.
        let round = round.in_time_zone("America/Los_Angeles");
        assert_eq!(code_of(round.step("A2", "2026-02-23T07:59:00Z", submitted())), "PERIOD_NOT_OPEN");
        round.step("A2", "2026-02-23T08:00:00Z", submitted()).unwrap();
    }

    fn entry_never_begins_before_the_period_does(backend) {
        let round = Round::with(backend, json!({"opens": 40}));
        let periods = round.admin.get("/v1/forms/m/periods?year=2026").expect_status(200).json();
        assert_eq!(periods["items"][1]["opens"], "2026-02-01");
        assert_eq!(round.admin.get("/v1/forms/m").json()["opens"], 40);
        let without = Round::new(backend);
        let periods = without.admin.get("/v1/forms/m/periods?year=2026").expect_status(200).json();
        assert_eq!(periods["items"][1]["opens"], "2026-02-01");
        assert_eq!(without.admin.get("/v1/forms/m").json()["opens"], Value::Null);
    }

    fn a_level_that_only_sends_up_may_have_a_deadline(backend) {
        let deadlines = json!({"hamlet": 1, "commune": 3, "town": 5});
        let round = Round::with(backend, json!({"deadlines": deadlines}));
        let periods = round.admin.get("/v1/forms/m/periods?year=2026").expect_status(200).json();
        // Monday 2 March is the first working day after Saturday 28 February.
        let days = json!({"hamlet": "2026-03-02", "commune": "2026-03-04", "town": "2026-03-06"});
        assert_eq!(periods["items"][1]["deadlines"], days);
        let own = round.report().read("T/completeness")["own"].clone();
        assert_eq!((&own["expected"], &own["deadline"]), (&json!(false), &json!("2026-03-06")));
        // Below the levels that submit there is nothing to send up.
        let mut wrong = form(&["x"]);
        wrong["submitted_by"] = json!(["commune"]);
        wrong["deadlines"] = json!({"hamlet": 1, "town": 2});
        let refused = round.admin.put("/v1/forms/w", &wrong);
        assert_eq!(refused.expect_problem(422, "INVALID_FORM"), ["/deadlines/hamlet UNKNOWN_LEVEL"]);
    }

    fn what_was_sent_and_what_was_not_are_late_by_the_tenant_s_clock(backend) {
        let round = Round::new(backend);
        // 23:59 on Monday 2 March in Viet Nam, and midnight after it.
        let (last, after) = ("2026-03-02T16:59:00Z", "2026-03-02T17:00:00Z");
        assert_eq!((round.counts("A", last), round.counts("A", after)), ("0 0".into(), "0 2".into()));
        assert_eq!(round.step("A1", last, submitted()).unwrap()["late"], false);
        assert_eq!(round.step("A2", after, submitted()).unwrap()["late"], true);
        assert_eq!(round.counts("A", after), "1 0");
        // Communes have until Wednesday 4 March.
        assert_eq!(round.counts("T", "2026-03-04T17:00:00Z"), "1 3");
        // In California both instants are on Monday.
        let round = Round::new(backend).in_time_zone("America/Los_Angeles");
        assert_eq!(round.counts("A", after), "0 0");
        assert_eq!(round.step("A2", after, submitted()).unwrap()["late"], false);
        assert_eq!(round.counts("A", "2026-03-03T07:59:00Z"), "0 0");
        assert_eq!(round.counts("A", "2026-03-03T08:00:00Z"), "0 1");
        assert_eq!(round.step("A1", "2026-03-03T08:00:00Z", submitted()).unwrap()["late"], true);
    }

    fn a_paper_that_came_in_time_is_in_time_whenever_it_is_entered(backend) {
        let round = Round::new(backend);
        // Hamlets are due on Monday 2 March. It is Tuesday 10.
        let at = "2026-03-10T03:00:00Z";
        let entered = round.step("A1", at, paper("2026-03-02")).unwrap();
        assert_eq!(received(&entered), "03-02 - false");
        assert_eq!(received(&round.step("A2", at, paper("2026-03-03")).unwrap()), "03-03 - true");
        // The commune itself has sent nothing by Wednesday 4.
        assert_eq!(round.counts("A", at), "1 1");
        // What was entered late is in time once the paper is entered that came before.
        assert_eq!(received(&round.step("B1", "2026-03-05T03:00:00Z", submitted()).unwrap()), "03-05 - true");
        assert_eq!(received(&round.step("B1", at, paper("2026-02-28")).unwrap()), "02-28 03-05 false");
        // The history says which step entered a paper, and who took it.
        let path = format!("{}/revisions", round.report().submission("B1"));
        let steps = round.admin.get(&path).expect_status(200).json();
        let days = [0, 1].map(|step| steps["items"][step]["received_on"].clone());
        assert_eq!(days, [json!("2026-02-28"), Value::Null]);
        assert_eq!(steps["items"][0]["author"]["login"], "admin");
    }

    fn a_form_that_refuses_what_is_late_goes_by_the_paper(backend) {
        let round = Round::with(backend, json!({"late": "refuse"}));
        let at = "2026-03-10T03:00:00Z";
        assert_eq!(code_of(round.step("A1", at, submitted())), "PERIOD_CLOSED");
        assert_eq!(code_of(round.step("A1", at, paper("2026-03-03"))), "PERIOD_CLOSED");
        let taken = round.step("A1", at, paper("2026-03-02")).unwrap();
        assert_eq!(received(&taken), "03-02 - false");
    }

    fn what_came_in_time_and_was_given_back_is_taken_again_also_from_a_draft(backend) {
        let round = Round::with(backend, json!({"late": "refuse"}));
        let (in_time, late) = ("2026-03-02T03:00:00Z", "2026-03-10T03:00:00Z");
        let reason = || EnteredReason { text: "Sai".to_owned(), values: Vec::new() };
        let draft = || match submitted() {
            SubmissionChange::Put(entered) => SubmissionChange::Put(Entered { intent: Intent::KeepDraft, ..entered }),
            other => other,
        };
        let submit = || SubmissionChange::Submit(Arrival::Now);
        round.step("A1", in_time, submitted()).unwrap();
        round.step("A1", late, SubmissionChange::Return(reason())).unwrap();
        round.step("A1", late, draft()).unwrap();
        assert_eq!(received(&round.step("A1", late, submit()).unwrap()), "03-02 03-10 false");
        round.step("A1", late, SubmissionChange::Approve).unwrap();
        round.step("A1", late, SubmissionChange::Reopen(None)).unwrap();
        round.step("A1", late, draft()).unwrap();
        round.step("A1", late, submit()).unwrap();
        // A correction of one's own is late, and so is what was withdrawn.
        round.step("A1", late, draft()).unwrap();
        assert_eq!(code_of(round.step("A1", late, submit())), "PERIOD_CLOSED");
        round.step("A2", in_time, submitted()).unwrap();
        round.step("A2", late, SubmissionChange::Withdraw).unwrap();
        round.step("A2", late, draft()).unwrap();
        assert_eq!(code_of(round.step("A2", late, submit())), "PERIOD_CLOSED");
    }

    fn a_paper_comes_between_the_opening_and_today_and_never_as_a_draft(backend) {
        let round = Round::with(backend, json!({"opens": 5}));
        // 23:30 on 25 February in Viet Nam.
        let at = "2026-02-25T16:30:00Z";
        for (day, named) in [("2026-02-26", "2026-02-25"), ("2026-02-22", "2026-02-23")] {
            let (code, told) = round.step("A1", at, paper(day)).unwrap_err();
            assert_eq!(code, "INVALID_SUBMISSION", "{day}");
            assert!(told.contains(day) && told.contains(named), "{told}");
        }
        round.step("A1", at, paper("2026-02-25")).unwrap();
        round.step("A2", at, paper("2026-02-23")).unwrap();
        let draft = |submit: bool| json!({
            "values": [{"indicator": "x", "value": "one"}], "received_on": "2026-02-25", "submit": submit,
        });
        let path = round.report().submission("B1");
        let faults = round.admin.create(&path, &draft(false)).expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(faults, ["/received_on INVALID_VALUE", "/values/0/value INVALID_NUMBER"]);
        let faults = round.admin.create(&path, &draft(true)).expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(faults, ["/values/0/value INVALID_NUMBER"]);
    }

    fn only_who_may_approve_for_the_unit_says_when_a_paper_came(backend) {
        let round = Round::new(backend);
        let grants: [(&str, &[&str]); 3] = [
            ("clerk", &["reporter@code:A"]),
            ("both", &["reporter@code:A", "approver@code:A"]),
            ("approver", &["approver@code:A"]),
        ];
        for (login, grants) in grants {
            round.server.create_account("test", login, grants);
        }
        let identity = |login: &str| {
            let token = round.server.token_of(login, now());
            round.server.application.tokens.verify(&token, now()).unwrap()
        };
        let at = "2026-03-10T03:00:00Z";
        let step = |login: &str, unit: &str| {
            round.step_by(identity(login), unit, at, paper("2026-03-02"))
        };
        let (code, told) = step("clerk", "A1").unwrap_err();
        assert_eq!(code, "NOT_ALLOWED");
        assert!(told.contains("approver") && told.contains("Ấp Một (A1)"), "{told}");
        assert_eq!(code_of(step("approver", "A1")), "NOT_ALLOWED");
        step("both", "A1").unwrap();
        // On the own unit somebody above decides.
        assert_eq!(code_of(step("both", "A")), "NOT_ALLOWED");
        // Without the day the clerk may, as ever.
        round.step_by(identity("clerk"), "A2", at, submitted()).unwrap();
    }

    fn a_draft_is_submitted_with_the_day_of_its_paper_or_without_a_body(backend) {
        let round = Round::new(backend);
        let draft = json!({"values": [{"indicator": "x", "value": 1}]});
        for (unit, body, expected) in [
            ("A1", Some(json!({"received_on": "2026-03-02"})), "03-02 - false"),
            ("A2", Some(json!({"received_on": "2026-03-03"})), "03-03 - true"),
            ("A", Some(json!({})), "true"),
            ("B1", None, "true"),
        ] {
            let path = round.report().submission(unit);
            let tag = round.admin.create(&path, &draft).expect_status(201).etag().to_owned();
            let matching = round.admin.with("If-Match", &tag);
            let path = format!("{path}/submit");
            let answer = match body {
                Some(body) => matching.post_json(&path, &body),
                None => matching.post(&path),
            };
            let told = received(&answer.expect_status(200).json());
            assert!(told.ends_with(expected), "{unit}: {told}");
        }
        let path = format!("{}/submit", round.report().submission("B1"));
        let wrong = round.admin.with("If-Match", "*").post_json(&path, &json!({"received_on": "2.3.2026"}));
        assert_eq!(wrong.expect_problem(400, "INVALID_BODY"), ["/received_on INVALID_VALUE"]);
    }

    fn an_extension_into_a_holiday_holds_to_the_end_of_its_day(backend) {
        let round = Round::with(backend, json!({"late": "refuse"}));
        // Tết 2026: Monday 16 to Friday 20 February.
        let days: Vec<Value> = (16..=20)
            .map(|day| json!({"day": format!("2026-02-{day}"), "name": {"vi": "Tết"}}))
            .collect();
        round.admin.put("/v1/holidays/2026", &json!({"days": days})).expect_status(201);
        let january = Report::of(&round.admin, "m", "2026-01");
        // January closes on Saturday 31, so its hamlets are due on Monday 2 February.
        let path = "/v1/forms/m/periods/2026-01/units/code:A1/extension";
        // Wednesday 18 February is a day of Tết.
        let given = round.admin.put(path, &json!({"until": "2026-02-18", "reason": "Lũ"})).expect_status(201);
        assert_eq!((&given.json()["until"], &given.json()["ordinary_deadline"]), (&json!("2026-02-18"), &json!("2026-02-02")));
        assert_eq!(given.json()["by"]["login"], "admin");
        let (last, after) = ("2026-02-18T16:59:00Z", "2026-02-18T17:00:00Z");
        let in_january = |unit: &str, at: &str| round.step_in("2026-01", round.identity, unit, at, submitted());
        assert_eq!(code_of(in_january("A2", last)), "PERIOD_CLOSED");
        let (code, told) = in_january("A1", after).unwrap_err();
        assert_eq!(code, "PERIOD_CLOSED");
        assert!(told.contains("2026-02-18"), "{told}");
        let taken = in_january("A1", last).unwrap();
        assert_eq!(received(&taken), "02-18 - false");
        assert_eq!((&taken["deadline"], &taken["extended_until"]), (&json!("2026-02-18"), &json!("2026-02-18")));
        let completeness = january.read("A/completeness");
        let own = |child: usize| completeness["children"][child]["own"]["deadline"].clone();
        assert_eq!((own(0), own(1)), (json!("2026-02-18"), json!("2026-02-02")));
        assert_eq!(completeness["total"]["late"], 0);

        // Without it the ordinary deadline holds again, and what was taken by it is late.
        round.admin.send("DELETE", path, None, b"").expect_status(204);
        assert_eq!(received(&january.get("A1")), "02-18 - true");
        assert_eq!(january.get("A1")["extended_until"], Value::Null);
        assert_eq!(january.read("A/completeness")["total"]["late"], 1);
        let kinds = ["given", "withdrawn"].map(|kind| {
            let told = round.admin.get(&format!("/v1/changes?kind=extension.{kind}")).json();
            (told["items"][0]["unit"]["code"].clone(), told["items"][1].clone())
        });
        assert_eq!(kinds, [(json!("A1"), Value::Null), (json!("A1"), Value::Null)]);
    }

    fn an_extension_moves_what_is_overdue_on_both_sides_of_the_world(backend) {
        let round = Round::new(backend);
        let path = "/v1/forms/m/periods/2026-02/units/code:A1/extension";
        round.admin.put(path, &json!({"until": "2026-03-04", "reason": "Lũ"})).expect_status(201);
        // A1 has until Wednesday 4 March; A2 until Monday 2; the commune until Wednesday 4.
        assert_eq!(round.counts("A", "2026-03-04T16:59:00Z"), "0 1");
        assert_eq!(round.counts("A", "2026-03-04T17:00:00Z"), "0 3");
        let round = round.in_time_zone("America/Los_Angeles");
        assert_eq!(round.counts("A", "2026-03-05T07:59:00Z"), "0 1");
        assert_eq!(round.counts("A", "2026-03-05T08:00:00Z"), "0 3");
        // Holidays that are entered later move the ordinary deadline beyond it: from Monday 2 to
        // Friday 6 March, and from Wednesday 4 to Tuesday 10.
        let days = ["02", "03", "04", "05"].map(|day| json!({"day": format!("2026-03-{day}"), "name": {"vi": "Nghỉ"}}));
        round.admin.put("/v1/holidays/2026", &json!({"days": days})).expect_status(201);
        let completeness = round.report().read("A/completeness");
        assert_eq!(completeness["own"]["deadline"], "2026-03-10");
        assert_eq!(completeness["children"][0]["own"]["deadline"], "2026-03-06");
    }

    fn who_may_approve_for_a_unit_gives_it_more_time(backend) {
        let round = Round::with(backend, json!({"deadlines": {"hamlet": 1}}));
        for (login, grant) in [("clerk", "reporter@code:A"), ("approver", "approver@code:A"), ("town", "approver@code:T")] {
            round.server.create_account("test", login, &[grant]);
        }
        let [clerk, approver, town] = ["clerk", "approver", "town"].map(|login| round.server.sign_in("test", login));
        let path = |unit: &str| format!("/v1/forms/m/periods/2026-02/units/code:{unit}/extension");
        let body = json!({"until": "2026-03-20", "reason": "  Mất điện  "});
        let refused = clerk.with("Accept-Language", "en").put(&path("A1"), &body);
        assert!(refused.text.contains("approver"), "{}", refused.text);
        refused.expect_problem(403, "NOT_ALLOWED");
        clerk.get(&path("A1")).expect_problem(404, "EXTENSION_NOT_FOUND");
        let given = approver.put(&path("A1"), &body).expect_status(201);
        clerk.get(&path("A1")).expect_status(200);
        let read = approver.get(&path("A1")).expect_status(200);
        assert_eq!((read.etag(), read.json()["until"].clone()), (given.etag(), json!("2026-03-20")));
        approver.put(&path("A1"), &body).expect_problem(428, "PRECONDITION_REQUIRED");
        approver.create(&path("A1"), &body).expect_problem(412, "PRECONDITION_FAILED");
        approver.replace(&path("A1"), &json!({"until": "2026-03-21", "reason": "Lũ"})).expect_status(200);
        clerk.send("DELETE", &path("A1"), None, b"").expect_problem(403, "NOT_ALLOWED");
        // On the own unit somebody above decides.
        approver.put(&path("A"), &body).expect_problem(403, "NOT_ALLOWED");

        let faults = |unit: &str, body: Value| town.put(&path(unit), &body).expect_problem(422, "INVALID_EXTENSION");
        // Communes have no deadline, and Monday 2 March is that of hamlets anyway.
        assert_eq!(faults("A", body), ["/until INVALID_VALUE"]);
        let early = json!({"until": "2026-03-02", "reason": " "});
        assert_eq!(faults("A2", early), ["/reason INVALID_TEXT", "/until INVALID_VALUE"]);
        let quarter = "/v1/forms/m/periods/2026-Q1/units/code:A1/extension";
        let body = json!({"until": "2026-05-20", "reason": "Lũ"});
        town.put(quarter, &body).expect_problem(404, "PERIOD_NOT_FOUND");
        // What was changed since it was read is not withdrawn unseen.
        let stale = approver.with("If-Match", given.etag());
        stale.send("DELETE", &path("A1"), None, b"").expect_problem(412, "PRECONDITION_FAILED");
        let current = approver.get(&path("A1")).etag().to_owned();
        approver.with("If-Match", &current).send("DELETE", &path("A1"), None, b"").expect_status(204);
        approver.put(&path("A1"), &json!({"until": "2026-03-21", "reason": "Lũ"})).expect_status(201);
        approver.send("DELETE", &path("A1"), None, b"").expect_status(204);
        approver.send("DELETE", &path("A1"), None, b"").expect_problem(404, "EXTENSION_NOT_FOUND");
    }

    fn the_history_of_an_extension_shows_each_time_it_was_given(backend) {
        let round = Round::new(backend);
        let path = "/v1/forms/m/periods/2026-02/units/code:A1/extension";
        let history = || {
            let read = round.admin.get(path).expect_status(200).json();
            let steps = read["history"].as_array().unwrap().iter();
            let told = steps.map(|step| {
                assert_eq!(step["by"]["login"], "admin");
                let text = |field: &str| step[field].as_str().unwrap_or("-").to_owned();
                format!("{} {} {}", text("change"), text("until"), text("reason"))
            });
            told.collect::<Vec<String>>()
        };
        let first = round.admin.put(path, &json!({"until": "2026-03-20", "reason": "Lũ"})).expect_status(201);
        assert_eq!(first.json()["history"][0]["at"], first.json()["at"]);
        assert_eq!(history(), ["given 2026-03-20 Lũ"]);
        round.admin.replace(path, &json!({"until": "2026-03-10", "reason": "Nhầm ngày"})).expect_status(200);
        assert_eq!(history(), ["given 2026-03-10 Nhầm ngày", "given 2026-03-20 Lũ"]);
        round.admin.send("DELETE", path, None, b"").expect_status(204);
        round.admin.get(path).expect_problem(404, "EXTENSION_NOT_FOUND");
        round.admin.put(path, &json!({"until": "2026-03-25", "reason": "Bão"})).expect_status(201);
        assert_eq!(history(), [
            "given 2026-03-25 Bão", "withdrawn - -", "given 2026-03-10 Nhầm ngày", "given 2026-03-20 Lũ",
        ]);
    }

    /// Of the units merged, the one with most time decides; what the successor has itself stays if later.
    fn more_time_passes_on_with_the_work_of_units_that_are_merged(backend) {
        let round = Round::new(backend);
        let path = |unit: &str| format!("/v1/forms/m/periods/2026-02/units/code:{unit}/extension");
        let until = |unit: &str| {
            let read = round.admin.get(&path(unit));
            match read.status {
                404 => "-".to_owned(),
                _ => read.json()["until"].as_str().unwrap().to_owned(),
            }
        };
        let history = |unit: &str| {
            let read = round.admin.get(&path(unit)).expect_status(200).json();
            let steps = read["history"].as_array().unwrap().iter();
            let told = steps.map(|step| format!("{} {}", step["change"].as_str().unwrap(), step["until"].as_str().unwrap()));
            told.collect::<Vec<String>>()
        };
        for (unit, day) in [("A1", "2026-03-20"), ("A2", "2026-03-25"), ("B1", "2026-03-22")] {
            round.admin.put(&path(unit), &json!({"until": day, "reason": "Lũ"})).expect_status(201);
        }
        let merging = |from: Value, into: Value, work: &str| json!({
            "effective": "2026-02-10", "legal_basis": "Nghị quyết", "work_in_progress": work,
            "steps": [{"op": "merge", "from": from, "into": into}]
        });
        let new = json!({"code": "A3", "name": "Ấp Mới", "level": "hamlet", "parent": "code:A"});
        // Work that stays leaves more time where it was.
        let stayed = round.admin.carry_out(&merging(json!(["code:A1", "code:A2"]), new.clone(), "stay"));
        assert_eq!(until("A3"), "-");
        round.admin.undo(&stayed);
        let merged = round.admin.carry_out(&merging(json!(["code:A1", "code:A2"]), new, "pass_on"));
        assert_eq!((until("A3"), history("A3")), ("2026-03-25".to_owned(), vec!["passed_on 2026-03-25".to_owned()]));
        let own = round.report().read("A3/completeness")["own"].clone();
        assert_eq!(own["deadline"], "2026-03-25");
        // In the next month nobody had more time.
        round.admin.get(&path("A3").replace("2026-02", "2026-03")).expect_problem(404, "EXTENSION_NOT_FOUND");
        round.admin.undo(&merged);
        assert_eq!((until("A1"), until("A2")), ("2026-03-20".to_owned(), "2026-03-25".to_owned()));

        let took_first = round.admin.carry_out(&merging(json!(["code:A1"]), json!("code:B1"), "pass_on"));
        assert_eq!((until("B1"), history("B1").len()), ("2026-03-22".to_owned(), 1));
        let took_second = round.admin.carry_out(&merging(json!(["code:A2"]), json!("code:B1"), "pass_on"));
        assert_eq!((until("B1"), history("B1").len()), ("2026-03-25".to_owned(), 2));
        round.admin.undo(&took_second);
        assert_eq!(until("B1"), "2026-03-22");
        assert_eq!(history("B1"), ["taken_back 2026-03-22", "passed_on 2026-03-25", "given 2026-03-22"]);
        round.admin.undo(&took_first);
        assert_eq!(history("B1").len(), 3);
    }

    fn an_extension_stays_with_its_unit_through_a_reorganisation(backend) {
        let round = Round::new(backend);
        let path = "/v1/forms/m/periods/2026-02/units/code:A1/extension";
        let given = round.admin.put(path, &json!({"until": "2026-03-20", "reason": "Lũ"})).expect_status(201);
        let id = given.json()["unit"]["id"].as_str().unwrap().to_owned();
        let steps = json!([{"op": "move", "unit": "code:A1", "parent": "code:B"}, {"op": "recode", "unit": "code:A1", "code": "B9"}]);
        round.admin.reorganise("2026-02-15", &steps);
        let by_id = format!("/v1/forms/m/periods/2026-02/units/{id}/extension");
        let moved = round.admin.get(&by_id).expect_status(200).json();
        assert_eq!((&moved["unit"]["code"], &moved["until"]), (&json!("B9"), &json!("2026-03-20")));
        let of_b = round.report().read("B/completeness");
        let own = of_b["children"].as_array().unwrap().iter().find(|child| child["unit"]["code"] == "B9");
        assert_eq!(own.unwrap()["own"]["deadline"], "2026-03-20");
    }

    fn a_refusal_says_which_of_the_reasons_it_is_and_who_can_change_that(backend) {
        let round = Round::with(backend, json!({"late": "refuse", "opens": 5}));
        round.server.create_account("test", "clerk", &["reporter@code:T"]);
        let token = round.server.token_of("clerk", now());
        let clerk = round.server.application.tokens.verify(&token, now()).unwrap();
        let step = |unit: &str, at: &str| round.step_by(clerk, unit, at, submitted()).unwrap_err();
        let (early, open, late) = ("2026-02-20T03:00:00Z", "2026-02-25T03:00:00Z", "2026-03-10T03:00:00Z");

        let (code, told) = step("A1", early);
        assert_eq!(code, "PERIOD_NOT_OPEN");
        assert!(told.contains("begins on 2026-02-23") && told.contains("an administrator of the whole system"), "{told}");
        let (code, told) = step("A1", late);
        assert_eq!(code, "PERIOD_CLOSED");
        let ask = "Ask somebody with the role approver on a unit above Ấp Một (A1)";
        assert!(told.contains("the deadline was 2026-03-02") && told.contains(ask), "{told}");
        // Who may extend is not told to ask for it.
        let (code, told) = round.step("A1", late, submitted()).unwrap_err();
        assert_eq!(code, "PERIOD_CLOSED");
        assert!(told.contains("You may give this unit more time") && told.contains("received_on"), "{told}");
        // Who does not submit at all is told so, whenever it is.
        for at in [early, open, late] {
            let (code, told) = step("T", at);
            assert_eq!(code, "UNIT_DOES_NOT_SUBMIT");
            assert!(told.contains("An administrator of the whole system decides"), "{told}");
        }
        round.step("A1", open, submitted()).unwrap();
        round.step("A1", open, SubmissionChange::Approve).unwrap();
        let (code, told) = step("A1", open);
        assert_eq!(code, "SUBMISSION_APPROVED");
        assert!(told.contains(ask) && told.contains("to reopen it"), "{told}");
        round.admin.reorganise("2026-02-10", &json!([{"op": "merge", "from": ["code:A2", "code:B1"], "into": "code:B1"}]));
        let (code, told) = step("A2", open);
        assert_eq!(code, "UNIT_ENDED");
        assert!(told.contains("Ấp Ba (B1)") && told.contains("an administrator of the whole system"), "{told}");
    }
}
