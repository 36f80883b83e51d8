//! A year's round as people live it, over HTTP: seven hamlets, their commune, its town and the province,
//! from the first report to the last receipt, through a late correction and a new map. A ledger has what
//! everybody owes. Each step changes it for those whom it concerns, and the server must say the same of all.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, TimeDelta, Timelike};
use serde_json::{Value, json};

use super::tasks::{short, windowed};
use crate::harness::decree::{commune, decree, merge};
use crate::harness::report::{Report, value};
use crate::harness::server::now;
use crate::harness::town::Town;
use crate::harness::{Answer, Backend, Client, Server, at_once};

/// Commune A with seven hamlets, and commune B, whose clerk sends nothing in the first round.
const UNITS: &str = "P,Tỉnh,province,\nT,Thị xã,town,P\nA,Xã A,commune,T\nB,Xã B,commune,T\n\
    A1,Ấp Một,hamlet,A\nA2,Ấp Hai,hamlet,A\nA3,Ấp Ba,hamlet,A\nA4,Ấp Bốn,hamlet,A\n\
    A5,Ấp Năm,hamlet,A\nA6,Ấp Sáu,hamlet,A\nA7,Ấp Bảy,hamlet,A\nB1,Ấp Tám,hamlet,B\n";

/// The hamlets of commune A.
const HAMLETS: [&str; 7] = ["A1", "A2", "A3", "A4", "A5", "A6", "A7"];

/// The people with their duties. Hamlet A1 has two accounts; A6 and A7 have none.
const PEOPLE: [(&str, &[&str]); 13] = [
    ("head1", &["reporter@code:A1"]),
    ("deputy1", &["reporter@code:A1"]),
    ("head2", &["reporter@code:A2"]),
    ("head3", &["reporter@code:A3"]),
    ("head4", &["reporter@code:A4"]),
    ("head5", &["reporter@code:A5"]),
    ("clerk", &["reporter@code:A"]),
    ("chair", &["reporter@code:A", "approver@code:A"]),
    ("manager", &["unit_admin@code:A"]),
    ("neighbour", &["reporter@code:B"]),
    ("town", &["approver@code:T"]),
    ("province", &["approver@code:P"]),
    ("viewer", &["viewer@code:P"]),
];

const NOTHING: &[&str] = &[];

struct Year {
    server: Server,
    admin: Client,
    people: BTreeMap<&'static str, Client>,
    /// Everybody's tasks, as they should be.
    ledger: BTreeMap<&'static str, Vec<String>>,
    /// The first round, of the months before 1 July.
    first: Report,
    /// Its last day in time, which is today until night falls.
    last_day: NaiveDate,
    /// The day of the new map.
    first_of_july: NaiveDate,
}

/// The west of the world, where it is still the last day, and how far its clock is behind. That day
/// does not end within the hour.
fn west() -> (&'static str, TimeDelta) {
    match now().hour() {
        11 => ("Etc/GMT+11", TimeDelta::hours(11)),
        _ => ("Etc/GMT+12", TimeDelta::hours(12)),
    }
}

/// The east of the world, whose clock is a day ahead of the west.
const EAST: &str = "Pacific/Kiritimati";

/// The latest 1 July around which both rounds are over.
fn latest_first_of_july() -> NaiveDate {
    let day = now().date_naive() - Days::new(15);
    let in_year = |year| NaiveDate::from_ymd_opt(year, 7, 1).unwrap();
    match day < in_year(day.year()) {
        true => in_year(day.year() - 1),
        false => in_year(day.year()),
    }
}

impl Year {
    /// The months from January to 14 June are over, and it is the last day on which to report on them.
    fn begins(backend: Backend) -> Year {
        let first_of_july = latest_first_of_july();
        let (west, behind) = west();
        let last_day = (now() - behind).date_naive();
        let (server, admin, reports) = Town::of(backend, UNITS)
            .indicators(&[("x", "sum")])
            .own_form("f", form(&[first_window(first_of_july, last_day)]))
            .build();
        let people = PEOPLE.map(|(login, grants)| {
            server.create_account("test", login, grants);
            (login, server.sign_in("test", login))
        });
        let year = Year {
            server,
            admin,
            people: people.into(),
            ledger: PEOPLE.map(|(login, _)| (login, Vec::new())).into(),
            first: reports.of(&first_key(first_of_july)),
            last_day,
            first_of_july,
        };
        year.live_in(west);
        year
    }

    /// Puts the tenant on a side of the world.
    fn live_in(&self, time_zone: &str) {
        let sql = format!("UPDATE tenant SET time_zone = '{time_zone}'");
        self.server.write_beside(&sql);
    }

    /// Lets the last day in time end: in the east it is over.
    fn night_falls(&self) {
        self.live_in(EAST);
    }

    fn who(&self, login: &str) -> &Client {
        &self.people[login]
    }

    /// The first round, as somebody works on it.
    fn by(&self, login: &str) -> Report {
        self.first.by(self.who(login))
    }

    /// From now on these owe something else than before, and everybody owes what the ledger says.
    #[track_caller]
    fn now_owe(&mut self, changes: &[(&'static str, &[&str])]) {
        for (login, tasks) in changes {
            let tasks = tasks.iter().map(|task| (*task).to_owned()).collect();
            self.ledger.insert(login, tasks).expect("somebody known");
        }
        for (login, client) in &self.people {
            assert_eq!(short(client), self.ledger[login], "{login}");
        }
    }

    /// What somebody has to do first.
    #[track_caller]
    fn first_task_of(&self, login: &str) -> Value {
        let tasks = self.who(login).get("/v1/me/tasks").expect_status(200);
        tasks.json()["items"][0].clone()
    }

    #[track_caller]
    fn send(&self, login: &str, report: &Report, unit: &str, body: &Value) -> Answer {
        self.who(login).post_json(&releases(report, unit), body)
    }

    /// Takes a step with a report that was sent, as it is now.
    #[track_caller]
    fn step(&self, login: &str, report: &Report, unit: &str, step: &str, body: &Value) {
        let (number, step) = step.split_once(' ').unwrap();
        let path = format!("{}/{number}", releases(report, unit));
        let seen = self.who(login).get(&path).expect_status(200);
        let client = self.who(login).with("If-Match", seen.etag());
        let taken = client.post_json(&format!("{path}/{step}"), body);
        taken.expect_status(200);
    }

    /// A report that was sent, as the administrator reads it.
    #[track_caller]
    fn release(&self, unit: &str, number: u32) -> Value {
        let path = format!("{}/{number}", releases(&self.first, unit));
        self.admin.get(&path).expect_status(200).json()
    }

    /// What the commune and the town sent in the first round and what stands, byte for byte.
    fn copies(&self) -> [Value; 2] {
        [("A", 2), ("T", 1)].map(|(unit, number)| self.release(unit, number)["canonical"].clone())
    }
}

/// The form of communes and hamlets, which towns send up.
fn form(windows: &[Value]) -> Value {
    let mut form = windowed(windows);
    form["deadlines"] = json!({"hamlet": 1, "commune": 2, "town": 3});
    form
}

fn first_key(first_of_july: NaiveDate) -> String {
    format!("{}-truoc", first_of_july.year())
}

fn second_key(first_of_july: NaiveDate) -> String {
    format!("{}-sau", first_of_july.year())
}

/// The months before the new map, and the last day on which reports on them are in time.
fn first_window(first_of_july: NaiveDate, due: NaiveDate) -> Value {
    let year = first_of_july.year();
    json!({
        "key": first_key(first_of_july), "due_at": due,
        "from": format!("{year}-01-01"), "to": format!("{year}-06-14"),
    })
}

/// The weeks around the new map, which close on it.
fn second_window(first_of_july: NaiveDate, due: NaiveDate) -> Value {
    let year = first_of_july.year();
    json!({
        "key": second_key(first_of_july), "due_at": due,
        "from": format!("{year}-06-15"), "to": format!("{year}-07-10"),
    })
}

fn releases(report: &Report, unit: &str) -> String {
    report.submission(unit).replace("/submission", "/releases")
}

/// How far a unit and those below it are, without what there is none of.
#[track_caller]
fn progress(report: &Report, unit: &str) -> String {
    let total = report.read(&format!("{unit}/completeness"))["total"].clone();
    let fields = [
        "expected",
        "submitted",
        "approved",
        "returned",
        "late",
        "missing",
        "overdue",
    ];
    let counted = fields.iter().filter(|field| total[**field] != 0);
    let counted = counted.map(|field| format!("{field} {}", total[*field]));
    counted.collect::<Vec<_>>().join(", ")
}

/// What has changed since a report was sent: the figures then and now, and whose they are.
fn drift(release: &Value) -> String {
    let drift = &release["drift"];
    let cells = drift["cells"].as_array().unwrap().iter();
    let cells = cells.map(|cell| {
        let side = |side: &str| cell[side]["value"].to_string();
        format!(
            "{} then {} now {}",
            cell["indicator"],
            side("then"),
            side("now")
        )
    });
    let units = drift["units"].as_array().unwrap().iter();
    let units = units.map(|unit| format!("of {}", unit["code"]));
    cells
        .chain(units)
        .collect::<Vec<_>>()
        .join(", ")
        .replace('"', "")
}

fn submitted(number: i64) -> Value {
    json!({"values": [value("x", number)], "submit": true})
}

/// The steps of the first round, in their order.
impl Year {
    fn everybody_has_something_to_do(&mut self) {
        let own = ["submit A own 7", "send A own 0"];
        self.now_owe(&[
            ("head1", &["submit A1 own 0"]),
            ("deputy1", &["submit A1 own 0"]),
            ("head2", &["submit A2 own 0"]),
            ("head3", &["submit A3 own 0"]),
            ("head4", &["submit A4 own 0"]),
            ("head5", &["submit A5 own 0"]),
            ("clerk", &own),
            ("chair", &own),
            ("neighbour", &["submit B own 1", "send B own 0"]),
            ("town", &["send T own 0"]),
        ]);
        assert_eq!(progress(&self.first, "T"), "expected 10, missing 10");
    }

    /// Both type the hamlet's report at the same time. One is first, and the other sees it before it is
    /// replaced; and what is built on the first one then is refused.
    fn two_report_for_one_hamlet_at_once(&self) {
        let path = self.first.submission("A1");
        let type_in = |login: &str, number: i64| self.who(login).create(&path, &submitted(number));
        let statuses = at_once(&[&|| type_in("head1", 100), &|| type_in("deputy1", 105)]);
        assert_eq!(statuses, [201, 412]);
        let first = self.admin.get(&path).expect_status(200);
        let (winner, loser) = match first.json()["values"][0]["value"] == 100 {
            true => ("head1", "deputy1"),
            false => ("deputy1", "head1"),
        };
        self.by(loser).submit("A1", &[value("x", 110)]);
        let stale = self.who(winner).with("If-Match", first.etag());
        stale
            .put(&path, &submitted(120))
            .expect_problem(412, "PRECONDITION_FAILED");
        assert_eq!(self.by(winner).get("A1")["values"][0]["value"], 110);
    }

    fn three_more_hamlets_report(&mut self) {
        for (login, unit, number) in [
            ("head2", "A2", 20),
            ("head3", "A3", 30),
            ("head4", "A4", 4000),
        ] {
            let sent = self.by(login).submit(unit, &[value("x", number)]);
            assert_eq!(
                (&sent["late"], &sent["on_behalf"]),
                (&json!(false), &json!(false))
            );
        }
        self.now_owe(&[
            ("head1", NOTHING),
            ("deputy1", NOTHING),
            ("head2", NOTHING),
            ("head3", NOTHING),
            ("head4", NOTHING),
            ("clerk", &["submit A own 3", "send A own 0"]),
            (
                "chair",
                &["submit A own 3", "approve A below 4", "send A own 0"],
            ),
            ("town", &["approve T below 4", "send T own 0"]),
            ("province", &["approve P below 4"]),
        ]);
        assert_eq!(
            progress(&self.first, "A"),
            "expected 8, submitted 4, missing 4"
        );
    }

    /// The chair returns one value of a hamlet, which sees why beside it, and corrects it.
    fn one_is_returned_by_value_and_corrected(&mut self) {
        let why = json!({"reason": "Xem lại quỹ", "values": [{"indicator": "x", "reason": "Thừa hai số 0"}]});
        self.by("chair").give_back("A4", &why).expect_status(200);
        self.now_owe(&[
            ("head4", &["correct A4 own 0"]),
            ("clerk", &["submit A own 4", "send A own 0"]),
            (
                "chair",
                &["submit A own 4", "approve A below 3", "send A own 0"],
            ),
            ("town", &["approve T below 3", "send T own 0"]),
            ("province", &["approve P below 3"]),
        ]);
        assert_eq!(
            progress(&self.first, "A"),
            "expected 8, submitted 3, returned 1, missing 5"
        );
        let returned = self.by("head4").get("A4")["last_return"].clone();
        assert_eq!(returned["text"], "Xem lại quỹ");
        assert_eq!(
            returned["values"],
            json!([{"indicator": "x", "option": null, "reason": "Thừa hai số 0"}])
        );
        self.by("head4").submit("A4", &[value("x", 40)]);
        self.now_owe(&[
            ("head4", NOTHING),
            ("clerk", &["submit A own 3", "send A own 0"]),
            (
                "chair",
                &["submit A own 3", "approve A below 4", "send A own 0"],
            ),
            ("town", &["approve T below 4", "send T own 0"]),
            ("province", &["approve P below 4"]),
        ]);
    }

    /// The clerk types the figures and the chair the text, both over the same draft at the same time:
    /// the one who is second sees the other's work and adds to it.
    fn two_clerks_work_on_the_commune_s_own_report(&mut self) {
        let path = self.first.submission("A");
        self.who("clerk")
            .create(&path, &json!({"values": []}))
            .expect_status(201);
        let seen = self.who("chair").get(&path).etag().to_owned();
        let (figures, text) = (
            json!([value("x", 5)]),
            json!([{"section": "I", "text": "Đã vận động."}]),
        );
        let type_in =
            |login: &str, draft: &Value| self.who(login).with("If-Match", &seen).put(&path, draft);
        let statuses = at_once(&[&|| type_in("clerk", &json!({"values": figures})), &|| {
            type_in("chair", &json!({"values": [], "narrative": text}))
        }]);
        assert_eq!(statuses, [200, 412]);
        let kept = self.by("clerk").get("A");
        let second = match kept["values"].as_array().unwrap().is_empty() {
            true => "clerk",
            false => "chair",
        };
        // A draft counts nowhere, and nobody owes anything else.
        self.now_owe(&[]);
        let whole = json!({"values": figures, "narrative": text, "submit": true});
        self.by(second).put("A", &whole).expect_status(200);
        assert_eq!(self.by("clerk").get("A")["revision"], 3);
        self.now_owe(&[
            ("clerk", &["submit A below 3", "send A own 0"]),
            (
                "chair",
                &["submit A below 3", "approve A below 4", "send A own 0"],
            ),
            ("town", &["approve T below 5", "send T own 0"]),
            ("province", &["approve P below 5"]),
        ]);
    }

    fn a_flooded_hamlet_is_given_more_time(&mut self) {
        let until = self.last_day + Days::new(9);
        let path = self
            .first
            .submission("A5")
            .replace("/submission", "/extension");
        let given = self
            .who("chair")
            .put(&path, &json!({"until": until, "reason": "Lũ"}));
        given.expect_status(201);
        assert_eq!(self.first_task_of("head5")["due"], json!(until));
        self.now_owe(&[]);
    }

    fn the_last_day_is_over(&mut self) {
        assert_eq!(
            progress(&self.first, "T"),
            "expected 10, submitted 5, missing 5"
        );
        self.night_falls();
        self.now_owe(&[]);
        // Overdue are A6, A7 and commune B with its hamlet; A5 has more time.
        assert_eq!(
            progress(&self.first, "T"),
            "expected 10, submitted 5, missing 5, overdue 4"
        );
        assert_eq!(self.first_task_of("head5")["state"], "open");
        assert_eq!(self.first_task_of("town")["state"], "late");
    }

    /// Two hamlets without accounts: a paper came yesterday, the other comes today. The one that has
    /// more time is in time.
    fn the_last_three_hamlets_report(&mut self) {
        let paper =
            json!({"values": [value("x", 70)], "submit": true, "received_on": self.last_day});
        self.by("chair").put("A7", &paper).expect_status(201);
        self.by("clerk").submit("A6", &[value("x", 60)]);
        self.by("head5").submit("A5", &[value("x", 50)]);
        for (unit, on_behalf, late) in [
            ("A7", true, false),
            ("A6", true, true),
            ("A5", false, false),
        ] {
            let sent = self.by("clerk").get(unit);
            assert_eq!(
                (&sent["on_behalf"], &sent["late"]),
                (&json!(on_behalf), &json!(late)),
                "{unit}"
            );
        }
        self.now_owe(&[
            ("head5", NOTHING),
            ("clerk", &["send A own 0"]),
            ("chair", &["approve A below 7", "send A own 0"]),
            ("town", &["approve T below 8", "send T own 0"]),
            ("province", &["approve P below 8"]),
        ]);
        assert_eq!(
            progress(&self.first, "A"),
            "expected 8, submitted 8, late 1"
        );
        assert_eq!(self.first.figure("A", "x"), "385 8/8");
    }

    /// The chair approves the hamlets of a unit in one call, each as it was seen.
    #[track_caller]
    fn chair_approves(&self, report: &Report, hamlets: &[&str]) {
        let chair = self.who("chair");
        let items = hamlets.iter().map(|unit| {
            let path = report.submission(unit);
            let seen = chair.get(&path).expect_status(200);
            let period = seen.json()["period"]["key"].clone();
            json!({"form": "f", "period": period, "unit": format!("code:{unit}"), "if_match": seen.etag()})
        });
        let items: Vec<Value> = items.collect();
        let answer = chair.post_json("/v1/submissions/approve", &json!({"items": items}));
        let answer = answer.expect_status(207).json();
        let answered = answer["items"].as_array().unwrap().iter();
        assert!(
            answered.clone().all(|item| item["status"] == 200),
            "{answer}"
        );
        assert_eq!(answered.len(), hamlets.len());
    }

    fn the_commune_approves_and_sends(&mut self) {
        self.chair_approves(&self.first, &HAMLETS);
        self.now_owe(&[
            ("chair", &["send A own 0"]),
            ("town", &["approve T below 1", "send T own 0"]),
            ("province", &["approve P below 1"]),
        ]);
        assert_eq!(
            progress(&self.first, "A"),
            "expected 8, submitted 8, approved 7, late 1"
        );
        let sent = self.send("clerk", &self.first, "A", &json!({}));
        assert_eq!(sent.expect_status(201).json()["number"], 1);
        self.now_owe(&[
            ("clerk", NOTHING),
            ("chair", NOTHING),
            (
                "town",
                &["approve T below 1", "send T own 0", "receive T below 1"],
            ),
        ]);
    }

    fn the_town_returns_it_and_the_commune_sends_again(&mut self) {
        let why = json!({"reason": "Số của xã thiếu tháng 5"});
        self.step("town", &self.first, "A", "1 return", &why);
        self.now_owe(&[
            ("clerk", &["send A own 0"]),
            ("chair", &["send A own 0"]),
            ("town", &["approve T below 1", "send T own 0"]),
        ]);
        let steps = self.by("clerk").read("A/releases/1")["steps"].clone();
        assert_eq!(steps[1]["reason"], why["reason"]);
        self.by("clerk").submit("A", &[value("x", 7)]);
        self.now_owe(&[]);
        let sent = self.send("chair", &self.first, "A", &json!({}));
        assert_eq!(sent.expect_status(201).json()["number"], 2);
        self.now_owe(&[
            ("clerk", NOTHING),
            ("chair", NOTHING),
            (
                "town",
                &["approve T below 1", "send T own 0", "receive T below 1"],
            ),
        ]);
        assert_eq!(drift(&self.release("A", 1)), "x then 385 now 387, of A");
    }

    /// The town receives the commune's report, and accepts by name that the other commune is missing.
    fn the_town_receives_and_sends(&mut self) {
        self.step("town", &self.first, "A", "2 receive", &json!({}));
        self.by("town").step("A", "approve").expect_status(200);
        self.now_owe(&[("town", &["send T own 0"]), ("province", NOTHING)]);
        let refused = self.send("town", &self.first, "T", &json!({}));
        assert_eq!(
            refused.expect_problem(422, "INVALID_RELEASE"),
            ["/accept ACCEPTANCE_REQUIRED"]
        );
        self.now_owe(&[]);
        let accept = json!([{"unit": "code:B", "reason": "Xã khuyết cán bộ"}]);
        let sent = self.send("town", &self.first, "T", &json!({"accept": accept}));
        sent.expect_status(201);
        self.now_owe(&[("town", NOTHING), ("province", &["receive P below 1"])]);
    }

    fn the_province_receives(&mut self) {
        self.step("province", &self.first, "T", "1 receive", &json!({}));
        self.now_owe(&[("province", NOTHING)]);
        let content = self.release("T", 1)["content"].clone();
        assert_eq!(
            (
                &content["cells"][0]["value"],
                &content["accepted"][0]["unit"]["code"]
            ),
            (&json!(387), &json!("B"))
        );
        let children = self.first.read("T/completeness")["children"].clone();
        let released = [0, 1].map(|child: usize| children[child]["release"]["status"].clone());
        assert_eq!(released, [json!("received"), Value::Null]);
        // Those below read what was sent above them.
        let read = self
            .who("head2")
            .get(&format!("{}/2", releases(&self.first, "A")));
        assert_eq!(
            read.expect_status(200).json()["content"],
            self.release("A", 2)["content"]
        );
    }

    /// A figure that was approved turns out to be wrong: both reports keep it, and tell what it is now.
    fn a_hamlet_corrects_what_was_approved(&mut self) {
        let sent = self.copies();
        self.by("head3")
            .try_submit("A3", &[value("x", 35)])
            .expect_problem(409, "SUBMISSION_APPROVED");
        self.by("chair").step("A3", "reopen").expect_status(200);
        self.now_owe(&[
            ("head3", &["correct A3 own 0"]),
            ("chair", &["approve A below 1"]),
            ("town", &["approve T below 1"]),
            ("province", &["approve P below 1"]),
        ]);
        for unit in [("A", 2), ("T", 1)] {
            assert_eq!(
                self.release(unit.0, unit.1)["drift"]["changed"],
                false,
                "{unit:?}"
            );
        }
        self.by("head3").submit("A3", &[value("x", 35)]);
        self.now_owe(&[("head3", NOTHING)]);
        self.by("chair").step("A3", "approve").expect_status(200);
        self.now_owe(&[("chair", NOTHING), ("town", NOTHING), ("province", NOTHING)]);
        for unit in [("A", 2), ("T", 1)] {
            let release = self.release(unit.0, unit.1);
            assert_eq!(drift(&release), "x then 387 now 392, of A3", "{unit:?}");
            assert_eq!(release["status"], "received");
        }
        assert_eq!(self.copies(), sent);
    }
}

/// The new map, and the second round on it.
impl Year {
    /// From 1 July on both communes are commune C, and the next round closes after that day.
    fn the_communes_become_one(&mut self) {
        let before = (
            self.copies(),
            progress(&self.first, "T"),
            self.first.figure("T", "x"),
        );
        let merged = json!([merge(&["A", "B"], &commune("C", "T"))]);
        let mut merged = decree(&self.first_of_july.to_string(), &merged);
        merged["grants"] = json!("follow");
        self.admin.carry_out(&merged);
        let due = self.last_day + Days::new(30);
        let windows = [
            first_window(self.first_of_july, self.last_day),
            second_window(self.first_of_july, due),
        ];
        self.admin
            .replace("/v1/forms/f", &form(&windows))
            .expect_status(200);
        let own = ["submit C own 8", "send C own 0"];
        self.now_owe(&[
            ("head1", &["submit A1 own 0"]),
            ("deputy1", &["submit A1 own 0"]),
            ("head2", &["submit A2 own 0"]),
            ("head3", &["submit A3 own 0"]),
            ("head4", &["submit A4 own 0"]),
            ("head5", &["submit A5 own 0"]),
            ("clerk", &own),
            ("chair", &own),
            // What it owes of the first round stays, on the map of that round.
            (
                "neighbour",
                &[
                    "submit B own 1",
                    "send B own 0",
                    "submit C own 8",
                    "send C own 0",
                ],
            ),
            ("town", &["send T own 0"]),
        ]);
        let after = (
            self.copies(),
            progress(&self.first, "T"),
            self.first.figure("T", "x"),
        );
        assert_eq!(before, after);
        for unit in [("A", 2), ("T", 1)] {
            assert_eq!(
                drift(&self.release(unit.0, unit.1)),
                "x then 387 now 392, of A3",
                "{unit:?}"
            );
        }
    }

    /// Another unit is expected, nobody reports for those that ended, and all goes up to the province.
    fn the_second_round_is_on_the_new_map(&mut self) {
        let sent = self.copies();
        let second = Report::of(&self.admin, "f", &second_key(self.first_of_july));
        assert_eq!(progress(&second, "T"), "expected 9, missing 9");
        let ended = self
            .who("clerk")
            .create(&second.submission("A"), &submitted(1));
        ended.expect_problem(404, "UNIT_ENDED");
        for (number, login) in (1..).zip(["head1", "head2", "head3", "head4", "head5"]) {
            second
                .by(self.who(login))
                .submit(HAMLETS[number - 1], &[value("x", 1)]);
        }
        for unit in ["A6", "A7", "B1", "C"] {
            second.by(self.who("clerk")).submit(unit, &[value("x", 1)]);
        }
        self.now_owe(&[
            ("head1", NOTHING),
            ("deputy1", NOTHING),
            ("head2", NOTHING),
            ("head3", NOTHING),
            ("head4", NOTHING),
            ("head5", NOTHING),
            ("clerk", &["send C own 0"]),
            ("chair", &["approve C below 8", "send C own 0"]),
            (
                "neighbour",
                &["submit B own 1", "send B own 0", "send C own 0"],
            ),
            ("town", &["approve T below 9", "send T own 0"]),
            ("province", &["approve P below 9"]),
        ]);
        self.chair_approves(&second, &[&HAMLETS[..], &["B1"]].concat());
        self.send("clerk", &second, "C", &json!({}))
            .expect_status(201);
        second
            .by(self.who("town"))
            .step("C", "approve")
            .expect_status(200);
        self.step("town", &second, "C", "1 receive", &json!({}));
        self.send("town", &second, "T", &json!({}))
            .expect_status(201);
        self.step("province", &second, "T", "1 receive", &json!({}));
        // Only what the neighbour never sent in the first round is left of the year.
        self.now_owe(&[
            ("clerk", NOTHING),
            ("chair", NOTHING),
            ("neighbour", &["submit B own 1", "send B own 0"]),
            ("town", NOTHING),
            ("province", NOTHING),
        ]);
        assert_eq!(
            progress(&second, "T"),
            "expected 9, submitted 9, approved 9"
        );
        assert_eq!(self.copies(), sent);
        for report in [&self.first, &second] {
            assert_eq!(report.verify("P")["equal"], true);
        }
    }
}

on_both_backends! {
    fn a_year_goes_from_the_first_report_to_the_last_receipt(backend) {
        let mut year = Year::begins(backend);
        year.everybody_has_something_to_do();
        year.two_report_for_one_hamlet_at_once();
        year.three_more_hamlets_report();
        year.one_is_returned_by_value_and_corrected();
        year.two_clerks_work_on_the_commune_s_own_report();
        year.a_flooded_hamlet_is_given_more_time();
        year.the_last_day_is_over();
        year.the_last_three_hamlets_report();
        year.the_commune_approves_and_sends();
        year.the_town_returns_it_and_the_commune_sends_again();
        year.the_town_receives_and_sends();
        year.the_province_receives();
        year.a_hamlet_corrects_what_was_approved();
        year.the_communes_become_one();
        year.the_second_round_is_on_the_new_map();
    }
}
