//! Holidays: what may be entered, who may, and how the deadlines move with them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tonghop::service::application::call::Call;
use tonghop::service::application::condition::Precondition;
use tonghop::service::application::text::EnteredName;
use tonghop::service::catalogue::holiday::{EnteredHoliday, EnteredHolidays, put_holidays};

use crate::harness::town::{Town, form};
use crate::harness::{Backend, Client, Server};

fn days_off(days: &[&str], working_saturdays: &[&str]) -> Value {
    let days = days
        .iter()
        .map(|day| json!({"day": day, "name": {"vi": "Nghỉ"}}));
    json!({"days": days.collect::<Vec<_>>(), "working_saturdays": working_saturdays})
}

/// The new year of 2026 falls on 17 February, a Tuesday, and Monday to Friday are off. Friday,
/// 2 January is off too, and worked on Saturday the 10th; 28 February is a working Saturday.
fn year_2026() -> Value {
    let days = [
        "2026-01-01",
        "2026-01-02",
        "2026-02-16",
        "2026-02-17",
        "2026-02-18",
        "2026-02-19",
        "2026-02-20",
    ];
    days_off(&days, &["2026-01-10", "2026-02-28"])
}

/// The town with a form `w` whose windows end before Tết, at the turn of the year, before a working
/// Saturday, and before the one after the new year. Hamlets have one working day, communes three.
fn town(backend: Backend) -> (Server, Client) {
    let mut body = form(&["x"]);
    let fields = body.as_object_mut().unwrap();
    fields.retain(|field, _| field != "calendar" && field != "frequency");
    body["deadlines"] = json!({"hamlet": 1, "commune": 3});
    body["windows"] = json!([
        {"key": "2026-turn", "from": "2025-12-01", "to": "2026-01-01"},
        {"key": "2026-january", "from": "2025-12-15", "to": "2026-01-08"},
        {"key": "2026-tet", "from": "2026-01-15", "to": "2026-02-13"},
        {"key": "2026-saturday", "from": "2026-02-01", "to": "2026-02-26"},
    ]);
    let (server, admin, _) = Town::new(backend)
        .indicators(&[("x", "sum")])
        .own_form("w", body)
        .build();
    (server, admin)
}

/// `key hamlet commune` with the deadlines of the windows.
fn deadlines(admin: &Client) -> Vec<String> {
    let listed = admin.get("/v1/forms/w/periods?year=2026");
    let listed = listed.expect_status(200).json();
    let items = listed["items"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    items
        .map(|item| {
            let due = &item["deadlines"];
            let parts = [&item["key"], &due["hamlet"], &due["commune"]];
            parts.map(text).join(" ").replace("2026-", "")
        })
        .collect()
}

/// Puts the holidays of 2026 at ten in the morning of a day.
fn put_on(server: &Server, day: &str, days: &[&str], working_saturdays: &[&str]) {
    let at: DateTime<Utc> = format!("{day}T03:00:00Z").parse().unwrap();
    let entered = EnteredHolidays {
        year: "2026".to_owned(),
        days: days
            .iter()
            .map(|day| EnteredHoliday {
                day: day.parse().unwrap(),
                name: EnteredName {
                    vi: "Nghỉ".to_owned(),
                    en: None,
                },
            })
            .collect(),
        working_saturdays: working_saturdays
            .iter()
            .map(|day| day.parse().unwrap())
            .collect(),
    };
    let call = Call::new(server.identity(), at);
    let condition = match server
        .sign_in("test", "admin")
        .get("/v1/holidays/2026")
        .status
    {
        200 => Precondition::Present,
        _ => Precondition::Absent,
    };
    put_holidays(&server.application, &call.on(condition), &entered).unwrap();
}

on_both_backends! {
    fn a_deadline_lies_within_a_year_after_the_period(backend) {
        let (_server, admin) = Server::with_town(backend);
        let mut body = form(&[]);
        body["deadlines"] = json!({"hamlet": 367});
        let refused = admin.put("/v1/forms/f", &body).expect_problem(422, "INVALID_FORM");
        assert_eq!(refused, ["/deadlines/hamlet INVALID_VALUE"]);
        body["deadlines"] = json!({"hamlet": 366});
        admin.put("/v1/forms/f", &body).expect_status(201);
    }

    fn deadlines_are_counted_over_tet_and_the_turn_of_the_year(backend) {
        let (_server, admin) = town(backend);
        // Weekends only. 1 January is a Thursday, and so is the 8th; 13 February is a Friday.
        assert_eq!(deadlines(&admin), [
            "turn 01-02 01-06", "january 01-09 01-13", "tet 02-16 02-18", "saturday 02-27 03-03",
        ]);
        admin.put("/v1/holidays/2026", &year_2026()).expect_status(201);
        assert_eq!(deadlines(&admin), [
            // 2 January is off, then a weekend: Monday 5, and Wednesday 7.
            "turn 01-05 01-07",
            // All had begun when the Saturdays became working days: these move nothing earlier.
            "january 01-09 01-13",
            // Monday 16 to Friday 20 are off: Monday 23, and Wednesday 25.
            "tet 02-23 02-25",
            "saturday 02-27 03-03",
        ]);
    }

    fn holidays_that_are_entered_in_time_count_whole(backend) {
        let (server, admin) = town(backend);
        let days: Vec<String> = (16..=20).map(|day| format!("2026-02-{day}")).collect();
        let mut days: Vec<&str> = days.iter().map(String::as_str).collect();
        days.extend(["2026-01-01", "2026-01-02"]);
        put_on(&server, "2025-11-30", &days, &["2026-01-10", "2026-02-28"]);
        assert_eq!(deadlines(&admin), [
            "turn 01-05 01-07",
            // Friday 9, Saturday 10 (worked), Monday 12.
            "january 01-09 01-12",
            "tet 02-23 02-25",
            // Friday 27, Saturday 28 (worked), Monday 2 March.
            "saturday 02-27 03-02",
        ]);
    }

    fn a_deadline_that_was_told_moves_later_and_never_earlier(backend) {
        let (server, admin) = town(backend);
        put_on(&server, "2025-11-30", &["2026-01-02", "2026-02-16"], &["2026-01-10"]);
        let told = ["turn 01-05 01-07", "january 01-09 01-12", "tet 02-17 02-19", "saturday 02-27 03-03"];
        assert_eq!(deadlines(&admin), told);
        // On 20 January the days off are taken back: only the window of February has not begun.
        put_on(&server, "2026-01-20", &[], &["2026-01-10", "2026-02-28"]);
        assert_eq!(deadlines(&admin), [
            "turn 01-05 01-07", "january 01-09 01-12", "tet 02-17 02-19", "saturday 02-27 03-02",
        ]);
        // More days off move all of them on; what was off once stays so for those that had begun.
        put_on(&server, "2026-02-10", &["2026-02-17", "2026-02-27"], &["2026-02-28"]);
        assert_eq!(deadlines(&admin), [
            "turn 01-05 01-07", "january 01-09 01-13", "tet 02-18 02-20", "saturday 02-28 03-03",
        ]);
    }

    fn holidays_are_read_as_they_were_put_and_every_fault_is_told_at_its_place(backend) {
        let (_server, admin) = town(backend);
        let path = "/v1/holidays/2026";
        let missing = admin.get(path);
        assert_eq!(missing.expect_problem(404, "HOLIDAYS_NOT_FOUND"), ["year HOLIDAYS_NOT_FOUND"]);
        let mut body = year_2026();
        body["days"][0]["name"]["en"] = json!("New Year's Day");
        let created = admin.create(path, &body).expect_status(201);
        assert_eq!(created.header("location"), Some(path));
        let read = admin.get(path).expect_status(200);
        assert_eq!((read.etag(), read.json()), (created.etag(), created.json()));
        let first = json!({"day": "2026-01-01", "name": {"vi": "Nghỉ", "en": "New Year's Day"}});
        assert_eq!(read.json()["days"][0], first);
        assert_eq!(read.json()["working_saturdays"], json!(["2026-01-10", "2026-02-28"]));
        admin.create(path, &body).expect_problem(412, "PRECONDITION_FAILED");
        admin.put(path, &body).expect_problem(428, "PRECONDITION_REQUIRED");
        admin.with("If-Match", "\"x\"").put(path, &body).expect_problem(412, "PRECONDITION_FAILED");
        admin.replace(path, &days_off(&[], &[])).expect_status(200);
        assert_eq!(admin.get(path).json()["days"], json!([]));

        let mut wrong = days_off(
            &["2026-02-17", "2025-12-31", "2026-02-17", "2026-03-07"],
            &["2026-02-28", "2026-03-01", "2026-03-07", "2027-01-02", "2026-02-28"],
        );
        wrong["days"][1]["name"]["vi"] = json!("");
        let faults = admin.replace(path, &wrong).expect_problem(422, "INVALID_HOLIDAYS");
        assert_eq!(faults, [
            "/days/1/day INVALID_VALUE",
            "/days/1/name/vi INVALID_TEXT",
            "/days/2/day DUPLICATE",
            // A Sunday, a Saturday that is off too, one of another year, and one that is there twice.
            "/working_saturdays/1 INVALID_VALUE",
            "/working_saturdays/2 INVALID_VALUE",
            "/working_saturdays/3 INVALID_VALUE",
            "/working_saturdays/4 DUPLICATE",
        ]);
        for year in ["1899", "2200", "26", "02026", "x", "2026-01"] {
            let path = format!("/v1/holidays/{year}");
            admin.get(&path).expect_problem(404, "HOLIDAYS_NOT_FOUND");
            let faults = admin.put(&path, &days_off(&[], &[])).expect_problem(422, "INVALID_HOLIDAYS");
            assert_eq!(faults, ["year INVALID_VALUE"], "{year}");
        }
    }

    fn readers_of_the_catalogue_see_holidays_and_administrators_change_them(backend) {
        let (server, admin) = town(backend);
        server.create_account("test", "hamlet", &["reporter@code:A1"]);
        let hamlet = server.sign_in("test", "hamlet");
        hamlet.put("/v1/holidays/2026", &year_2026()).expect_problem(403, "NOT_ALLOWED");
        admin.put("/v1/holidays/2026", &year_2026()).expect_status(201);
        hamlet.get("/v1/holidays/2026").expect_status(200);
        let changes = hamlet.get("/v1/changes?kind=holidays.changed").expect_status(200).json();
        assert_eq!((&changes["items"][0]["year"], &changes["items"][1]), (&json!(2026), &Value::Null));
    }
}
