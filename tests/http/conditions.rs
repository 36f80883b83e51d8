//! Conditional requests and repeated requests: a change names the state it builds on, a reader is
//! told that nothing is new, and a request that comes twice has one effect.

use serde_json::{Value, json};

use crate::harness::report::{Report, value};
use crate::harness::town::{Town, form, indicator};
use crate::harness::{Answer, Backend, Client, Server};

/// The town with the yearly forms `g` and `f` of the indicator `x`, and the year 2024 of `f`.
fn reporting(backend: Backend) -> (Server, Client, Report) {
    Town::new(backend)
        .indicators(&[("x", "sum")])
        .form("g", "year")
        .form("f", "year")
        .build_for("2024")
}

fn submitted(x: i64) -> Value {
    json!({"values": [value("x", x)], "submit": true})
}

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

fn revisions(client: &Client, path: &str) -> usize {
    let list = client.get(&format!("{path}/revisions")).expect_status(200);
    list.json()["items"].as_array().unwrap().len()
}

on_both_backends! {
    fn a_change_of_a_submission_names_the_state_that_it_builds_on(backend) {
        let (_server, admin, report) = reporting(backend);
        let path = report.submission("A1");
        let with = |name: &str, value: &str| admin.with(name, value);
        let body = submitted(1);

        admin
            .put(&path, &body)
            .expect_problem(428, "PRECONDITION_REQUIRED");
        with("If-Match", "*")
            .put(&path, &body)
            .expect_problem(412, "PRECONDITION_FAILED");
        with("If-Match", "\"1\"")
            .put(&path, &body)
            .expect_problem(412, "PRECONDITION_FAILED");
        for refused in ["1", "\"1", "\"1\" \"2\""] {
            with("If-Match", refused)
                .put(&path, &body)
                .expect_problem(400, "INVALID_HEADER");
        }
        with("If-Match", "*")
            .with("If-None-Match", "*")
            .put(&path, &body)
            .expect_problem(400, "INVALID_HEADER");
        admin.get(&path).expect_problem(404, "SUBMISSION_NOT_FOUND");
        for step in ["submit", "withdraw", "discard", "approve", "reopen"] {
            let missing = with("If-Match", "*").post(&format!("{path}/{step}"));
            missing.expect_problem(404, "SUBMISSION_NOT_FOUND");
        }

        let created = with("If-None-Match", "*")
            .put(&path, &body)
            .expect_status(201);
        assert!(created.etag().starts_with("\"1."), "{}", created.etag());
        assert_eq!(admin.get(&path).etag(), created.etag());
        with("If-None-Match", "*")
            .put(&path, &body)
            .expect_problem(412, "PRECONDITION_FAILED");
        admin
            .put(&path, &body)
            .expect_problem(428, "PRECONDITION_REQUIRED");
        let changed = with("If-Match", "\"7\", \"1\"")
            .put(&path, &submitted(2))
            .expect_status(200);
        assert!(changed.etag().starts_with("\"2."), "{}", changed.etag());

        // Every step asks for the same, and none of the refused ones did anything.
        let mut current = changed.etag().to_owned();
        for step in [
            "withdraw", "submit", "return", "submit", "approve", "reopen",
        ] {
            let step_path = format!("{path}/{step}");
            let body = match step {
                "return" => json!({"reason": "Xem lại"}),
                _ => json!({}),
            };
            admin
                .post_json(&step_path, &body)
                .expect_problem(428, "PRECONDITION_REQUIRED");
            let stale = with("If-Match", "\"1\"").post_json(&step_path, &body);
            stale.expect_problem(412, "PRECONDITION_FAILED");
            assert_eq!(admin.get(&path).etag(), current);
            let done = with("If-Match", &current)
                .post_json(&step_path, &body)
                .expect_status(200);
            assert_ne!(done.etag(), current);
            current = done.etag().to_owned();
        }
        with("If-Match", "*")
            .put(&path, &submitted(3))
            .expect_status(200);
        assert_eq!(report.figure("T", "x"), "3 1/5");
    }

    fn an_etag_changes_with_every_name_that_the_answer_shows_and_changes_go_on(backend) {
        let (_server, admin, report) = reporting(backend);
        report.submit("A1", &[value("x", 1)]);
        let target = "/v1/forms/f/periods/2024/units/code:A1/targets/x";
        admin.put(target, &json!({"value": 5})).expect_status(201);
        let paths = [report.submission("A1"), target.to_owned()];
        let before = paths.each_ref().map(|path| admin.get(path).expect_status(200).etag().to_owned());
        let rename = json!([{"op": "rename", "unit": "code:A1", "name": "Ấp Mới"}]);
        admin.reorganise("2024-02-01", &rename);

        for (path, seen) in paths.iter().zip(&before) {
            let again = admin.with("If-None-Match", seen).get(path).expect_status(200);
            assert!(again.text.contains("Ấp Mới"), "{}", again.text);
            assert_ne!(again.etag(), seen);
            admin.with("If-None-Match", again.etag()).get(path).expect_status(304);
        }
        // Nobody changed the figures themselves, so what was seen is still what a change builds on.
        admin.with("If-Match", &before[0]).put(&paths[0], &submitted(2)).expect_status(200);
        admin.with("If-Match", &before[1]).put(&paths[1], &json!({"value": 6})).expect_status(200);
        admin.with("If-Match", &before[0]).put(&paths[0], &submitted(3)).expect_problem(412, "PRECONDITION_FAILED");
    }

    fn writes_elsewhere_do_not_make_a_change_stale(backend) {
        let (_server, admin, report) = reporting(backend);
        let things = [
            ("/v1/levels", "/v1/levels/hamlet"),
            ("/v1/forms/f", "/v1/forms/f"),
            ("/v1/indicators/x", "/v1/indicators/x"),
        ];
        let seen = things.map(|(read, _)| admin.get(read).expect_status(200).etag().to_owned());
        let unit = json!({"code": "B2", "name": "Ấp", "level": "hamlet", "parent": "code:B"});
        admin.post_json("/v1/units", &unit).expect_status(201);
        admin.put("/v1/indicators/y", &indicator("sum")).expect_status(201);
        admin.put("/v1/forms/h", &form(&["y"])).expect_status(201);
        report.submit("A1", &[value("x", 1)]);
        for ((read, _), seen) in things.iter().zip(&seen) {
            admin.with("If-None-Match", seen).get(read).expect_status(304);
        }
        let level = json!({"name": {"vi": "Ấp, khóm", "en": "Hamlet"}, "rank": 4});
        let bodies = [level, form(&["x"]), indicator("sum")];
        for (((_, change), seen), body) in things.iter().zip(&seen).zip(&bodies) {
            let changed = admin.with("If-Match", seen).put(change, body).expect_status(200);
            admin.with("If-Match", changed.etag()).put(change, body).expect_status(200);
        }
        let stale = admin.with("If-Match", &seen[0]).put("/v1/levels/hamlet", &bodies[0]);
        stale.expect_problem(412, "PRECONDITION_FAILED");
    }

    fn every_read_tells_a_reader_that_nothing_is_new(backend) {
        let (_server, admin, report) = reporting(backend);
        report.submit("A1", &[value("x", 1)]);
        let reported = "/v1/forms/f/periods/2024/units/code:A";
        for path in [
            "/v1/me", "/v1/me/tasks", "/v1/me/sessions", "/v1/units", "/v1/units/code:A1", "/v1/levels", "/v1/levels/hamlet",
            "/v1/indicators", "/v1/indicators/x", "/v1/forms", "/v1/forms/f",
            "/v1/forms/f/periods?year=2024", "/v1/reorganisations", "/v1/accounts", "/v1/keys",
            "/v1/sign-ins", "/v1/changes", &report.submission("A1"),
            &format!("{}/revisions", report.submission("A1")), &format!("{reported}/rollup"),
            &format!("{reported}/rollup/lineage?indicator=x"), &format!("{reported}/completeness"),
            "/v1/forms/f/units/code:A/series?indicator=x&from=2023&to=2024",
        ] {
            let first = admin.get(path).expect_status(200);
            assert_eq!(first.header("cache-control"), Some("private, no-cache"), "{path}");
            let again = admin.with("If-None-Match", first.etag()).get(path);
            assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
            assert_eq!(again.etag(), first.etag());
        }
    }

    fn a_rollup_s_etag_changes_with_all_that_its_body_depends_on_and_nothing_else(backend) {
        let (_server, admin, report) = reporting(backend);
        let etags = || {
            let read = |unit: &str| {
                let path = format!("/v1/forms/f/periods/2024/units/code:{unit}/rollup");
                admin.get(&path).expect_status(200).etag().to_owned()
            };
            ["T", "A", "A1", "B"].map(read)
        };
        let same = |before: &[String; 4], after: &[String; 4]| {
            std::array::from_fn::<bool, 4, _>(|index| before[index] == after[index])
        };
        let start = etags();
        assert!(start.iter().all(|etag| etag.starts_with('"')), "{start:?}");
        report
            .put("A1", &json!({"values": [value("x", 1)]}))
            .expect_status(201);
        Report::new(&admin, "g").submit("A1", &[value("x", 1)]);
        Report::of(&admin, "f", "2023").submit("A1", &[value("x", 1)]);
        assert_eq!(etags(), start);

        report.submit("A1", &[value("x", 1)]);
        let one = etags();
        assert_eq!(same(&start, &one), [false, false, false, true]);
        report.step("A1", "approve").expect_status(200);
        let approved = etags();
        assert_eq!(same(&one, &approved), [false, false, false, true]);
        let of_query = |query: &str| {
            let path = format!("/v1/forms/f/periods/2024/units/code:T/rollup?{query}");
            admin.get(&path).expect_status(200).etag().to_owned()
        };
        let of_queries = [
            "stage=submitted",
            "stage=approved",
            "include=children",
            "stage=approved&include=children",
        ]
        .map(of_query);
        assert_eq!(of_queries[0], approved[0]);
        for (index, etag) in of_queries.iter().enumerate() {
            assert!(!of_queries[..index].contains(etag), "{of_queries:?}");
        }

        let unit = json!({"code": "B2", "name": "Ấp", "level": "hamlet", "parent": "code:B"});
        admin.post_json("/v1/units", &unit).expect_status(201);
        // One more is expected of the town and of B; the others' reports are what they were.
        let grown = etags();
        assert_eq!(same(&approved, &grown), [false, true, true, false]);
        admin
            .put("/v1/indicators/y", &indicator("sum"))
            .expect_status(201);
        assert_eq!(etags(), grown);
        let settled = etags();
        report.step("A1", "reopen").expect_status(200);
        report.step("A1", "withdraw").expect_status(200);
        let withdrawn = etags();
        assert_eq!(same(&settled, &withdrawn), [false, false, false, true]);
    }

    fn a_request_that_comes_twice_with_its_key_has_one_effect_and_one_answer(backend) {
        let (_server, admin, report) = reporting(backend);
        let path = report.submission("A1");
        let keyed = admin.with("Idempotency-Key", "k1");
        let new = keyed.with("If-None-Match", "*");

        let first = new.put(&path, &submitted(1)).expect_status(201);
        assert!(!is_replayed(&first));
        // Replayed before any condition is looked at, and whatever the condition is.
        for again in [&new, &keyed, &admin.with("Idempotency-Key", "\"k1\"")] {
            let again = again.put(&path, &submitted(1)).expect_status(201);
            assert!(is_replayed(&again));
            assert_eq!(again.text, first.text);
            for header in ["etag", "location", "content-type"] {
                assert_eq!(again.header(header), first.header(header));
            }
        }
        assert_eq!(revisions(&admin, &path), 1);
        report.submit("A1", &[value("x", 2)]);
        let again = new.put(&path, &submitted(1)).expect_status(201);
        assert!(is_replayed(&again));
        assert_eq!(again.text, first.text);
        assert_eq!(report.figure("T", "x"), "2 1/5");
        let reused = new.put(&path, &submitted(3));
        reused.expect_problem(422, "IDEMPOTENCY_KEY_REUSED");

        // Another path and another operation are other requests.
        let elsewhere = new
            .put(&report.submission("A2"), &submitted(1))
            .expect_status(201);
        assert!(!is_replayed(&elsewhere));
        let step = keyed.with("If-Match", "*");
        let withdrawn = step.post(&format!("{path}/withdraw")).expect_status(200);
        assert!(!is_replayed(&withdrawn));
        let again = step.post(&format!("{path}/withdraw")).expect_status(200);
        assert!(is_replayed(&again));
        assert_eq!(again.text, withdrawn.text);
        assert_eq!(revisions(&admin, &path), 3);

        let unit = json!({"code": "A7", "name": "Ấp", "level": "hamlet", "parent": "code:A"});
        let created = keyed.post_json("/v1/units", &unit).expect_status(201);
        let again = keyed.post_json("/v1/units", &unit).expect_status(201);
        assert!(is_replayed(&again));
        assert_eq!(again.json()["id"], created.json()["id"]);
        let list = "code,name,level,parent_code\nA8,Ấp,hamlet,A\n";
        let imported = keyed.post_csv("/v1/units/import", list).expect_status(200);
        let again = keyed.post_csv("/v1/units/import", list).expect_status(200);
        assert!(is_replayed(&again));
        assert_eq!(
            (again.json()["created"].clone(), again.text),
            (json!(1), imported.text)
        );
        // Another query makes it another request, as another body does.
        keyed
            .post_csv("/v1/units/import?valid_from=2025-01-01", list)
            .expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
        for path in ["/v1/indicators/z", "/v1/levels/z", "/v1/forms/z"] {
            let body = match path {
                "/v1/indicators/z" => indicator("sum"),
                "/v1/levels/z" => json!({"name": {"vi": "Tổ"}, "rank": 9}),
                _ => form(&["x"]),
            };
            let first = keyed.put(path, &body).expect_status(201);
            let again = keyed.put(path, &body).expect_status(201);
            assert!(is_replayed(&again), "{path}");
            assert_eq!(again.text, first.text);
        }
        for refused in ["", "a\\b", "\u{e1}"] {
            let refused = admin
                .with("Idempotency-Key", refused)
                .post_json("/v1/units", &unit);
            refused.expect_problem(400, "INVALID_HEADER");
        }
    }

    fn an_answer_that_is_given_again_is_no_commit(backend) {
        let (_server, admin, report) = reporting(backend);
        let rev = |submission: Value| submission["rev"].as_i64().unwrap();
        let before = rev(report.submit("A1", &[value("x", 1)]));
        let level = json!({"rank": 99, "name": {"vi": "Khu", "en": "Area"}});
        let unit = json!({"code": "N", "name": "N", "level": "commune", "parent": "code:T"});
        let once = admin.with("Idempotency-Key", "once");
        let change = || {
            [
                once.put("/v1/indicators/y", &indicator("sum")),
                once.put("/v1/forms/h", &form(&["x"])),
                once.put("/v1/levels/area", &level),
                once.post_json("/v1/units", &unit),
                once.post_csv("/v1/units/import", "code,name,level,parent_code\nN1,N1,hamlet,N\n"),
            ]
        };
        let first = change().map(|answer| {
            assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
            answer.text
        });
        for _ in 0..2 {
            let again = change().map(|answer| {
                assert!(is_replayed(&answer), "{}", answer.text);
                answer.text
            });
            assert_eq!(again, first);
        }
        let commits = i64::try_from(first.len()).unwrap();
        assert_eq!(rev(report.submit("A2", &[value("x", 1)])), before + commits + 1);
    }

    fn a_failed_request_leaves_its_key_free_and_a_key_is_its_account_s_own(backend) {
        let (server, admin, report) = reporting(backend);
        let path = report.submission("A1");
        let keyed = admin.with("Idempotency-Key", "k");
        let new = keyed.with("If-None-Match", "*");
        keyed
            .put(&path, &submitted(1))
            .expect_problem(428, "PRECONDITION_REQUIRED");
        new.put(&path, &json!({"values": [value("y", 1)]}))
            .expect_problem(422, "INVALID_SUBMISSION");
        new.put(&path, &json!({"valuse": []}))
            .expect_problem(400, "INVALID_BODY");
        let done = new.put(&path, &submitted(1)).expect_status(201);
        assert!(!is_replayed(&done));
        // A dry run did nothing, so there is nothing to replay.
        let list = "code,name,level,parent_code\nA8,Ấp,hamlet,A\n";
        for _ in 0..2 {
            let tried = keyed
                .post_csv("/v1/units/import?dry_run=true", list)
                .expect_status(200);
            assert!(!is_replayed(&tried));
        }
        let written = keyed.post_csv("/v1/units/import", list).expect_status(200);
        assert!(!is_replayed(&written));

        server.create_account("test", "hamlet", &["reporter@code:A1"]);
        server.create_account("test", "stranger", &["reporter@code:B1"]);
        let by = |login: &str| {
            let client = server.sign_in("test", login).with("Idempotency-Key", "k");
            client.with("If-None-Match", "*").put(&path, &submitted(1))
        };
        by("hamlet").expect_problem(412, "PRECONDITION_FAILED");
        by("stranger").expect_problem(403, "NOT_ALLOWED");
    }

    fn requests_at_the_same_moment_have_one_effect(backend) {
        let (_server, admin, report) = reporting(backend);
        let at_once = |send: &(dyn Fn(usize) -> Answer + Sync)| -> Vec<Answer> {
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..6)
                    .map(|number| scope.spawn(move || send(number)))
                    .collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().unwrap())
                    .collect()
            })
        };
        // The same key: one is the first, the others are its replay or told to wait.
        let keyed = admin.with("Idempotency-Key", "race");
        let unit = json!({"code": "A7", "name": "Ấp", "level": "hamlet", "parent": "code:A"});
        let answers = at_once(&|_| keyed.post_json("/v1/units", &unit));
        let first = answers
            .iter()
            .filter(|answer| answer.status == 201 && !is_replayed(answer));
        assert_eq!(first.count(), 1);
        for answer in answers {
            match answer.status {
                201 => assert_eq!(answer.json()["code"], "A7"),
                _ => assert!(answer.expect_problem(409, "REQUEST_IN_FLIGHT").is_empty()),
            }
        }
        let found = admin.get("/v1/units?code=A7").expect_status(200).json();
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
        assert!(is_replayed(
            &keyed.post_json("/v1/units", &unit).expect_status(201)
        ));

        // Different requests that build on the same state: one wins.
        let path = report.submission("A1");
        let new = admin.with("If-None-Match", "*");
        let answers = at_once(&|_| new.put(&path, &submitted(1)));
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 412, 412, 412, 412, 412]);
        assert_eq!(revisions(&admin, &path), 1);

        // Neighbours do not lose each other's numbers.
        let answers = at_once(&|number| {
            let unit = ["A", "B", "A1", "A2", "B1", "A7"][number];
            report.try_submit(unit, &[value("x", 1 << number)])
        });
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer.status, 200 | 201))
        );
        assert_eq!(report.figure("T", "x"), "63 6/6");
        assert_eq!(report.figure("A", "x"), "45 4/4");
    }
}

#[test]
fn a_reader_that_has_the_present_state_is_told_only_that() {
    let (_server, admin, report) = reporting(Backend::Sqlite);
    report.submit("A1", &[value("x", 1)]);
    let paths = [
        "/v1/forms/f/periods/2024/units/code:T/rollup",
        "/v1/forms/f/periods/2024/units/code:T/rollup?stage=approved&include=children",
        "/v1/forms/f/periods/2024/units/code:A1/submission",
        "/v1/forms/f/periods?year=2024",
        "/v1/units/code:A",
        "/v1/indicators/x",
        "/v1/forms/f",
        "/v1/levels",
        "/v1/levels/hamlet",
    ];
    for path in paths {
        let read = admin.get(path).expect_status(200);
        let etag = read.etag();
        assert!(etag.starts_with('"') && etag.len() > 2, "{path}: {etag}");
        for seen in [
            etag,
            &format!("\"other\", {etag}"),
            &format!("W/{etag}"),
            "*",
        ] {
            let unchanged = admin.with("If-None-Match", seen).get(path);
            assert_eq!(unchanged.status, 304, "{path} {seen}");
            assert_eq!(unchanged.text, "");
            assert_eq!(unchanged.etag(), etag);
        }
        let other = admin.with("If-None-Match", "\"other\"").get(path);
        assert_eq!(other.expect_status(200).text, read.text);
        // A representation says by whom it may be kept.
        assert_eq!(read.header("cache-control"), Some("private, no-cache"));
    }
}

#[test]
fn the_catalogue_and_levels_are_created_freely_and_changed_on_condition() {
    let (_server, admin, _) = reporting(Backend::Sqlite);
    let bodies = [
        ("/v1/indicators/y", indicator("sum")),
        ("/v1/forms/h", form(&["x"])),
        ("/v1/levels/group", json!({"name": {"vi": "Tổ"}, "rank": 5})),
    ];
    for (path, body) in bodies {
        let stale = admin.with("If-Match", "*").put(path, &body);
        stale.expect_problem(412, "PRECONDITION_FAILED");
        let created = admin.put(path, &body).expect_status(201);
        assert_eq!(created.header("location"), Some(path));
        assert_eq!(admin.get(path).etag(), created.etag());
        admin
            .put(path, &body)
            .expect_problem(428, "PRECONDITION_REQUIRED");
        admin
            .create(path, &body)
            .expect_problem(412, "PRECONDITION_FAILED");
        let mut other = body.clone();
        other["name"]["en"] = json!("Another");
        let changed = admin.with("If-Match", created.etag()).put(path, &other);
        let changed = changed.expect_status(200);
        assert_ne!(changed.etag(), created.etag());
        let stale = admin.with("If-Match", created.etag()).put(path, &body);
        stale.expect_problem(412, "PRECONDITION_FAILED");
    }
}
