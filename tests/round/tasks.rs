//! What each owes: by which grants, of which periods, until it is done.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use crate::harness::report::{Report, value};
use crate::harness::server::now;
use crate::harness::town::{Town, form};
use crate::harness::{Backend, Client, Server};
use crate::store::statements;

/// A day in the tenant's time zone, so many days from today.
pub fn day(later: i64) -> NaiveDate {
    let here = now().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh);
    let days = Days::new(later.unsigned_abs());
    match later < 0 {
        true => here.date_naive() - days,
        false => here.date_naive() + days,
    }
}

/// The key of a window that begins so many days from today.
pub fn key(name: &str, from: i64) -> String {
    format!("{}-{name}", day(from).format("%Y"))
}

/// A window: its name, its first and last day from today, and its last day in time.
pub fn window(name: &str, (from, to): (i64, i64), due: Option<i64>) -> Value {
    json!({"key": key(name, from), "from": day(from), "to": day(to), "due_at": due.map(day)})
}

/// A form of `x` with windows of its own.
pub fn windowed(windows: &[Value]) -> Value {
    let mut body = form(&["x"]);
    let fields = body.as_object_mut().unwrap();
    fields.remove("calendar");
    fields.remove("frequency");
    fields.insert("windows".to_owned(), json!(windows));
    body
}

pub fn somebody(server: &Server, login: &str, grants: &[&str]) -> Client {
    server.create_account("test", login, grants);
    server.sign_in("test", login)
}

#[track_caller]
fn list(client: &Client, query: &str) -> Value {
    let answer = client.get(&format!("/v1/me/tasks{query}"));
    answer.expect_status(200).json()
}

/// The tasks of somebody: `submit f a A1 own 0 2026-12-16 late`. Of the window, its name.
#[track_caller]
fn tasks(client: &Client, query: &str) -> Vec<String> {
    let items = list(client, query)["items"].clone();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let shown = items.as_array().unwrap().iter().map(|task| {
        let (form, period) = (&task["form"]["code"], &task["period"]["key"]);
        let whose = match task["own"].as_bool().unwrap() {
            true => "own",
            false => "below",
        };
        let words = [
            text(&task["kind"]),
            text(form),
            text(period).split_once('-').unwrap().1.to_owned(),
            text(&task["unit"]["code"]),
            whose.to_owned(),
            task["waiting"].to_string(),
            text(&task["due"]),
            text(&task["state"]),
        ];
        words.join(" ")
    });
    shown.collect()
}

/// The same without days and states.
#[track_caller]
pub fn short(client: &Client) -> Vec<String> {
    let all = tasks(client, "").into_iter();
    let words = all.map(|task| {
        let words: Vec<&str> = task.split(' ').collect();
        [words[0], words[3], words[4], words[5]].join(" ")
    });
    words.collect()
}

/// The town with one form `f`, whose window is over and due soon, and which the town sends up.
fn one_window(backend: Backend) -> (Server, Client, Report) {
    Town::new(backend)
        .indicators(&[("x", "sum")])
        .own_form("f", windowed(&[window("a", (-30, -2), Some(2))]))
        .build_for(&key("a", -30))
}

on_both_backends! {
    fn an_app_finds_out_in_one_request_what_it_owes(backend) {
        let (server, admin, report) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .own_form("f", windowed(&[
                window("late", (-30, -10), Some(-1)),
                window("begun", (0, 30), Some(31)),
                window("before", (1, 30), Some(31)),
            ]))
            .own_form("g", windowed(&[
                window("soon", (-30, -1), Some(3)),
                window("last", (-500, -400), Some(-380)),
                window("forgotten", (-500, -401), Some(-380)),
            ]))
            .own_form("h", windowed(&[window("free", (-5, 5), None)]))
            .build_for(&key("free", -5));
        let hamlet = somebody(&server, "hamlet", &["reporter@code:A1"]);
        let due = |later: i64| day(later).to_string();
        let all = [
            format!("submit g last A1 own 0 {} late", due(-380)),
            format!("submit f late A1 own 0 {} late", due(-1)),
            format!("submit g soon A1 own 0 {} due_soon", due(3)),
            format!("submit f begun A1 own 0 {} open", due(31)),
            "submit h free A1 own 0 - open".to_owned(),
        ];
        assert_eq!(tasks(&hamlet, ""), all);
        let read = list(&hamlet, "");
        assert_eq!(read["counts"], json!({"submit": 5, "correct": 0, "approve": 0, "send": 0, "receive": 0}));
        assert_eq!(read["next"], Value::Null);
        assert_eq!(read["items"][3]["since"], json!(day(0)));
        assert_eq!(read["items"][0]["form"]["name"], json!({"vi": "Mẫu", "en": "Form"}));

        // Due by a day, of a kind, and in pages.
        assert_eq!(tasks(&hamlet, &format!("?until={}", due(3))), all[..3]);
        let counts = list(&hamlet, &format!("?kind=approve&until={}", due(3)))["counts"].clone();
        assert_eq!(counts["submit"], 3);
        assert_eq!(tasks(&hamlet, "?kind=approve"), [""; 0]);
        let mut paged = Vec::new();
        let mut query = "?limit=2".to_owned();
        loop {
            let answer = hamlet.get(&format!("/v1/me/tasks{query}"));
            assert_eq!(answer.json()["counts"]["submit"], 5);
            paged.extend(tasks(&hamlet, &query));
            let Some(next) = answer.json()["next"].as_str().map(str::to_owned) else { break };
            assert!(answer.header("link").unwrap().contains(&format!("cursor={next}")));
            query = format!("?limit=2&cursor={next}");
        }
        assert_eq!(paged, all);
        for wrong in ["x", "-~~~~", "2026-02-30~f~2025-a~A1~submit", "-~f~2025-a~A1~none"] {
            hamlet.get(&format!("/v1/me/tasks?cursor={wrong}")).expect_problem(400, "INVALID_PARAMETER");
        }
        hamlet.get("/v1/me/tasks?kind=none").expect_problem(400, "INVALID_PARAMETER");

        // A task is gone when it is done, and the page after it stays the same.
        report.by(&hamlet).submit("A1", &[value("x", 1)]);
        assert_eq!(tasks(&hamlet, ""), all[..4]);
        assert_eq!(tasks(&hamlet, &format!("?cursor=-~h~{}~A1~submit", key("free", -5))), [""; 0]);
        assert_eq!(tasks(&admin, ""), [""; 0]);
    }

    fn more_time_is_told_in_what_a_unit_submits_and_sends(backend) {
        let (server, admin, report) = one_window(backend);
        let clerk = somebody(&server, "clerk", &["reporter@code:A"]);
        for unit in ["A1", "A2"] {
            report.submit(unit, &[value("x", 1)]);
        }
        let told = |due: i64, state: &str| {
            let kinds = ["submit", "send"];
            kinds.map(|kind| format!("{kind} f a A own 0 {} {state}", day(due)))
        };
        assert_eq!(tasks(&clerk, ""), told(2, "due_soon"));
        let path = report.submission("A").replace("/submission", "/extension");
        admin.put(&path, &json!({"until": day(20), "reason": "Lũ"})).expect_status(201);
        assert_eq!(tasks(&clerk, ""), told(20, "open"));
    }

    fn a_submission_goes_from_desk_to_desk(backend) {
        let (server, _, report) = one_window(backend);
        let hamlet = somebody(&server, "hamlet", &["reporter@code:A1"]);
        let clerk = somebody(&server, "clerk", &["reporter@code:A"]);
        let chair = somebody(&server, "chair", &["approver@code:A"]);
        let both = somebody(&server, "both", &["reporter@code:A", "approver@code:A", "reporter@code:A2"]);
        let none: [&str; 0] = [];
        assert_eq!(short(&hamlet), ["submit A1 own 0"]);
        assert_eq!(short(&clerk), ["submit A own 2", "send A own 0"]);
        assert_eq!(short(&chair), ["send A own 0"]);
        assert_eq!(short(&both), ["submit A own 2", "send A own 0", "submit A2 own 0"]);

        // A draft is not sent yet.
        let draft = json!({"values": [value("x", 1)]});
        report.by(&hamlet).put("A1", &draft).expect_status(201);
        assert_eq!(short(&hamlet), ["submit A1 own 0"]);
        report.by(&hamlet).step("A1", "submit").expect_status(200);
        assert_eq!(short(&hamlet), none);
        assert_eq!(short(&clerk), ["submit A own 1", "send A own 0"]);
        assert_eq!(short(&chair), ["approve A below 1", "send A own 0"]);

        // Returned: to be corrected since today.
        report.by(&chair).give_back("A1", &json!({"reason": "Sai"})).expect_status(200);
        assert_eq!(short(&hamlet), ["correct A1 own 0"]);
        assert_eq!(list(&hamlet, "")["items"][0]["since"], json!(day(0)));
        assert_eq!(short(&clerk), ["submit A own 2", "send A own 0"]);
        assert_eq!(short(&chair), ["send A own 0"]);
        report.by(&hamlet).submit("A1", &[value("x", 2)]);
        report.by(&chair).step("A1", "approve").expect_status(200);
        assert_eq!(short(&hamlet), none);
        assert_eq!(short(&chair), ["send A own 0"]);

        // Reopened, and the correction kept as a draft: still to be corrected.
        report.by(&chair).step("A1", "reopen").expect_status(200);
        assert_eq!(short(&hamlet), ["correct A1 own 0"]);
        assert_eq!(short(&chair), ["approve A below 1", "send A own 0"]);
        report.by(&hamlet).put("A1", &draft).expect_status(200);
        assert_eq!(short(&hamlet), ["correct A1 own 0"]);
        report.by(&hamlet).step("A1", "submit").expect_status(200);
        assert_eq!(short(&hamlet), none);

        // The commune's own is sent; one hamlet below is missing, which the clerk may enter for.
        report.by(&clerk).submit("A", &[value("x", 3)]);
        assert_eq!(short(&clerk), ["submit A below 1", "send A own 0"]);
        report.by(&clerk).submit("A2", &[value("x", 3)]);
        assert_eq!(short(&clerk), ["send A own 0"]);
        assert_eq!(short(&both), ["approve A below 2", "send A own 0"]);
        report.by(&hamlet).step("A1", "withdraw").expect_status(200);
        assert_eq!(short(&hamlet), ["submit A1 own 0"]);
    }

    fn a_correction_that_is_kept_stays_a_correction_until_it_is_sent(backend) {
        let (server, admin, report) = one_window(backend);
        let hamlet = somebody(&server, "hamlet", &["reporter@code:A1"]);
        let chair = somebody(&server, "chair", &["approver@code:A"]);
        let completeness = report.submission("A").replace("/submission", "/completeness");
        // From the submissions, and from what is kept.
        let returned = || {
            let whole = admin.get(&completeness).expect_status(200).json();
            let listed = admin.get(&format!("{completeness}?of=children&status=returned"));
            let listed = listed.expect_status(200).json();
            assert_eq!(listed["total"], whole["total"]);
            let items = listed["items"].as_array().unwrap().iter();
            let units: Vec<String> = items.map(|item| item["unit"]["code"].as_str().unwrap().to_owned()).collect();
            (whole["total"]["returned"].as_u64().unwrap(), units)
        };
        let draft = json!({"values": [value("x", 2)]});
        // A first draft corrects nothing.
        report.put("A2", &draft).expect_status(201);
        assert_eq!(returned(), (0, vec![]));
        report.by(&hamlet).submit("A1", &[value("x", 1)]);
        report.by(&chair).give_back("A1", &json!({"reason": "Sai"})).expect_status(200);
        assert_eq!(returned(), (1, vec!["A1".to_owned()]));
        for _ in 0..2 {
            report.by(&hamlet).put("A1", &draft).expect_status(200);
            assert_eq!(returned(), (1, vec!["A1".to_owned()]));
            assert_eq!(short(&hamlet), ["correct A1 own 0"]);
            assert_eq!(list(&hamlet, "")["items"][0]["since"], json!(day(0)));
            let kept = report.get("A1");
            assert_eq!((&kept["status"], &kept["last_return"]["text"]), (&json!("draft"), &json!("Sai")));
        }
        report.by(&hamlet).step("A1", "submit").expect_status(200);
        assert_eq!((returned(), short(&hamlet)), ((0, vec![]), vec![]));
        assert_eq!(report.get("A1")["last_return"], Value::Null);
        // Taken back by the unit itself, it is no correction any more.
        report.by(&chair).give_back("A1", &json!({"reason": "Sai"})).expect_status(200);
        report.by(&hamlet).submit("A1", &[value("x", 1)]);
        report.by(&hamlet).step("A1", "withdraw").expect_status(200);
        report.by(&hamlet).put("A1", &draft).expect_status(200);
        assert_eq!((returned(), short(&hamlet)), ((0, vec![]), vec!["submit A1 own 0".to_owned()]));
    }

    fn an_approver_is_asked_only_for_what_it_can_approve_now(backend) {
        let mut form = windowed(&[window("a", (-30, -2), Some(2))]);
        form["four_eyes"] = json!(true);
        let (server, _, report) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .own_form("f", form)
            .build_for(&key("a", -30));
        let hamlet = somebody(&server, "hamlet", &["reporter@code:A1"]);
        let chair = somebody(&server, "chair", &["approver@code:A"]);
        let both = somebody(&server, "both", &["reporter@code:A", "approver@code:A"]);
        let asked = |client: &Client| {
            let all = short(client).into_iter();
            let approving = all.filter(|task| task.starts_with("approve"));
            approving.collect::<Vec<_>>()
        };
        let one = ["approve A below 1"];
        // Entered by one who may approve what others entered.
        report.by(&both).submit("A2", &[value("x", 1)]);
        assert_eq!(asked(&chair), one);
        assert_eq!(asked(&both), [""; 0]);
        report.by(&both).step("A2", "approve").expect_problem(403, "FOUR_EYES");
        report.by(&hamlet).submit("A1", &[value("x", 1)]);
        assert_eq!(asked(&chair), ["approve A below 2"]);
        assert_eq!(asked(&both), one);
        // The draft of one, sent by another: both have entered it.
        let draft = json!({"values": [value("x", 2)]});
        report.by(&both).put("A1", &draft).expect_status(200);
        assert_eq!(asked(&chair), one, "a draft lies over it");
        assert_eq!(asked(&both), [""; 0]);
        report.by(&hamlet).step("A1", "submit").expect_status(200);
        assert_eq!(asked(&chair), ["approve A below 2"]);
        assert_eq!(asked(&both), [""; 0]);
        // A draft that is given up is nobody's.
        report.by(&hamlet).submit("A1", &[value("x", 3)]);
        assert_eq!(asked(&both), one);
        report.by(&both).put("A1", &draft).expect_status(200);
        assert_eq!((asked(&both), asked(&chair)), (vec![], one.map(str::to_owned).to_vec()));
        report.by(&both).step("A1", "discard").expect_status(200);
        assert_eq!(asked(&both), one);
        report.by(&both).step("A1", "approve").expect_status(200);
        report.by(&chair).step("A2", "approve").expect_status(200);
        assert_eq!((asked(&both), asked(&chair)), (vec![], vec![]));
    }

    /// Hamlets have one working day, communes ten.
    fn who_waits_for_others_is_told_the_first_day_of_those_that_are_missing(backend) {
        let (server, admin, reports) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .form("m", "month")
            .with("calendar", "civil")
            .with("deadlines", json!({"hamlet": 1, "commune": 10}))
            .build();
        let town = somebody(&server, "town", &["reporter@code:T"]);
        let month = (day(0) - chrono::Months::new(1)).format("%Y-%m").to_string();
        let m = reports.of(&month);
        let told = || {
            let items = list(&town, "?limit=1000")["items"].as_array().unwrap().clone();
            let task = items.into_iter().find(|task| task["period"]["key"] == month.as_str());
            task.map(|task| (task["waiting"].as_u64().unwrap(), task["due"].as_str().unwrap().to_owned()))
        };
        let deadline = |unit: &str| {
            let own = m.read(&format!("{unit}/completeness"))["own"].clone();
            own["deadline"].as_str().unwrap().to_owned()
        };
        let (hamlets, communes) = (deadline("A1"), deadline("A"));
        assert!(hamlets < communes);
        assert_eq!(told(), Some((5, hamlets.clone())));
        m.submit("A1", &[value("x", 1)]);
        m.submit("A2", &[value("x", 1)]);
        assert_eq!(told(), Some((3, hamlets)));
        // The last hamlet has more time than the communes.
        let extend = |unit: &str, until: i64| {
            let path = m.submission(unit).replace("/submission", "/extension");
            admin.put(&path, &json!({"until": day(until), "reason": "Lũ"})).expect_status(201);
        };
        extend("B1", 60);
        assert_eq!(told(), Some((3, communes.clone())));
        m.submit("A", &[value("x", 1)]);
        extend("B", 40);
        assert_eq!(told(), Some((2, day(40).to_string())));
        m.submit("B", &[value("x", 1)]);
        assert_eq!(told(), Some((1, day(60).to_string())));
        m.submit("B1", &[value("x", 1)]);
        assert_eq!(told(), None);
    }

    fn reports_are_sent_up_and_received(backend) {
        let (server, admin, report) = one_window(backend);
        let chair = somebody(&server, "chair", &["approver@code:A"]);
        let town = somebody(&server, "town", &["approver@code:T"]);
        report.submit("A", &[value("x", 1)]);
        report.submit("A1", &[value("x", 1)]);
        report.submit("A2", &[value("x", 1)]);
        report.step("A1", "approve").expect_status(200);
        report.step("A2", "approve").expect_status(200);
        // The form gives the town no deadline for sending up.
        assert_eq!(short(&town), ["approve T below 1"]);
        assert_eq!(short(&chair), ["send A own 0"]);
        let releases = format!("/v1/forms/f/periods/{}/units/code:A/releases", key("a", -30));
        let seeing = |number: u32| {
            let etag = admin.get(&format!("{releases}/{number}")).expect_status(200).etag().to_owned();
            town.with("If-Match", &etag)
        };
        chair.post_json(&releases, &json!({})).expect_status(201);
        assert_eq!(short(&chair), [""; 0]);
        assert_eq!(short(&town), ["approve T below 1", "receive T below 1"]);
        let reason = json!({"reason": "Thiếu"});
        seeing(1).post_json(&format!("{releases}/1/return"), &reason).expect_status(200);
        assert_eq!(short(&town), ["approve T below 1"]);
        assert_eq!(short(&chair), ["send A own 0"]);
        chair.post_json(&releases, &json!({})).expect_status(201);
        seeing(2).post(&format!("{releases}/2/receive")).expect_status(200);
        assert_eq!(short(&town), ["approve T below 1"]);
        assert_eq!(short(&chair), [""; 0]);
        let counts = list(&town, "")["counts"].clone();
        assert_eq!(counts, json!({"submit": 0, "correct": 0, "approve": 1, "send": 0, "receive": 0}));
    }

    fn duties_follow_the_grants_and_the_map(backend) {
        let (server, admin, _) = one_window(backend);
        for (login, grant) in [("viewer", "viewer@code:A"), ("manager", "unit_admin@code:A"), ("all", "tenant_admin")] {
            assert_eq!(short(&somebody(&server, login, &[grant])), [""; 0], "{login}");
        }
        server.anonymous().get("/v1/me/tasks").expect_status(401);
        // A unit that came after the period's last day.
        let late = json!({"code": "A9", "name": "Ấp Chín", "level": "hamlet", "parent": "code:A", "valid_from": day(-1)});
        admin.post_json("/v1/units", &late).expect_status(201);
        assert_eq!(short(&somebody(&server, "late", &["reporter@code:A9"])), [""; 0]);
        assert_eq!(short(&somebody(&server, "clerk", &["reporter@code:A"]))[0], "submit A own 2");
        // The town submits nothing itself: those below it are waited for.
        let town = somebody(&server, "town", &["reporter@code:T"]);
        assert_eq!(short(&town), ["submit T below 5"]);
        assert_eq!(list(&town, "")["items"][0]["due"], json!(day(2)));
        // A program owes what its grants say.
        let key = json!({"name": "Phần mềm", "unit": "code:A1", "operations": ["read", "submit"], "last_day": day(30)});
        let key = admin.post_json("/v1/keys", &key).expect_status(201).json();
        let program = server.anonymous().with_token(key["secret"].as_str().unwrap());
        assert_eq!(short(&program), ["submit A1 own 0"]);
    }

    /// Two forms, one of them monthly: some thirteen months of the town, read at once.
    fn all_is_read_in_a_few_statements(backend) {
        statements::record();
        let (server, _, reports) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .own_form("f", windowed(&[window("a", (-30, -2), Some(2))]))
            .form("m", "month")
            .build();
        let clerk = somebody(&server, "clerk", &["reporter@code:A", "approver@code:T", "approver@code:A"]);
        let month = day(-60).format("%Y-%m").to_string();
        for unit in ["A", "A1", "A2", "B1"] {
            reports.submit(unit, &month, json!({"x": 1}));
        }
        reports.of(&month).give_back("A", &json!({"reason": "Sai"})).expect_status(200);
        list(&clerk, "");
        let sent = statements::sent_during(&server, || {
            let counts = list(&clerk, "?limit=1000")["counts"].clone();
            assert_eq!((&counts["correct"], &counts["approve"]), (&json!(1), &json!(2)), "{counts}");
            assert!(counts["submit"].as_u64().unwrap() > 12, "{counts}");
        });
        // The units' own, and those with drafts over them.
        for (table, count) in [("submission", 2), ("rollup", 1), ("submission_revision", 1)] {
            assert_eq!(statements::about(&sent, table), count, "{table}: {sent:#?}");
        }
        // One for each frequency of the forms.
        assert_eq!(statements::about(&sent, "release"), 2, "{sent:#?}");
    }
}
