//! Steps of a submission beyond sending it: drafts that are discarded, what each step changed, what
//! stays of a return, and who entered for whom.

use serde_json::{Value, json};

use crate::harness::report::{Report, cell, option, shown, value};
use crate::harness::town::{Town, broken_down, form};
use crate::harness::{Answer, Backend, Client, Server};

/// The town with a yearly form `f` of the indicator `x`, and its year 2024.
fn reporting(backend: Backend) -> (Server, Client, Report) {
    let town = Town::new(backend).indicators(&[("x", "sum")]);
    town.form("f", "year").build_for("2024")
}

/// Takes a step by its name: `save 5`, `replace 5`, `return`, or one without anything more.
fn take(report: &Report, step: &str) -> Answer {
    let of = |number: &str| [value("x", number.parse::<i64>().unwrap())];
    match step.split_once(' ') {
        Some(("save", number)) => report.put("A1", &json!({"values": of(number)})),
        Some((_, number)) => report.try_submit("A1", &of(number)),
        None if step == "return" => report.give_back("A1", &json!({"reason": "Sai"})),
        None => report.step("A1", step),
    }
}

/// What an answer about a submission says: its status or code.
fn told(answer: &Answer) -> String {
    let field = if answer.status < 400 {
        "status"
    } else {
        "code"
    };
    let says = answer.json()[field].as_str().unwrap().to_owned();
    format!("{} {says}", answer.status)
}

/// Drafts that are discarded: the steps before, what is told, the latest value, the revision that
/// counts, and what the town has of it.
#[rustfmt::skip]
const DISCARDED: [(&str, &str, &str, Option<i64>, &str); 22] = [
    ("save 5",    "201 draft",               "5",  None,     "null 0/5"),
    ("discard",   "409 WRONG_STATUS",        "5",  None,     "null 0/5"),
    ("submit",    "200 submitted",           "5",  Some(2),  "5 1/5"),
    ("discard",   "409 WRONG_STATUS",        "5",  Some(2),  "5 1/5"),
    ("save 7",    "200 draft",               "7",  Some(2),  "5 1/5"),
    ("save 8",    "200 draft",               "8",  Some(2),  "5 1/5"),
    ("discard",   "200 submitted",           "5",  Some(2),  "5 1/5"),
    ("discard",   "409 WRONG_STATUS",        "5",  Some(2),  "5 1/5"),
    ("approve",   "200 approved",            "5",  Some(2),  "5 1/5"),
    ("discard",   "409 SUBMISSION_APPROVED", "5",  Some(2),  "5 1/5"),
    ("reopen",    "200 reopened",            "5",  Some(2),  "5 1/5"),
    ("discard",   "409 WRONG_STATUS",        "5",  Some(2),  "5 1/5"),
    ("save 9",    "200 draft",               "9",  Some(2),  "5 1/5"),
    ("discard",   "200 reopened",            "5",  Some(2),  "5 1/5"),
    ("save 6",    "200 draft",               "6",  Some(2),  "5 1/5"),
    ("submit",    "200 submitted",           "6",  Some(11), "6 1/5"),
    ("save 4",    "200 draft",               "4",  Some(11), "6 1/5"),
    ("discard",   "200 submitted",           "6",  Some(11), "6 1/5"),
    ("return",    "200 returned",            "6",  None,     "null 0/5"),
    ("discard",   "409 WRONG_STATUS",        "6",  None,     "null 0/5"),
    ("save 3",    "200 draft",               "3",  None,     "null 0/5"),
    ("discard",   "409 WRONG_STATUS",        "3",  None,     "null 0/5"),
];

/// The changes of a step, each as `indicator/option: before -> after`.
fn changes(revision: &Value) -> Value {
    let Some(changes) = revision["changes"].as_array() else {
        return Value::Null;
    };
    let lines = changes.iter().map(|change| {
        let quantity = |side: &str| match &change[side] {
            Value::Null => "-".to_owned(),
            there if there["qualifier"] == "exact" => there["value"].to_string(),
            there => format!(
                "{} {}",
                there["value"],
                there["qualifier"].as_str().unwrap()
            ),
        };
        let option = change["option"].as_str().map(|option| format!("/{option}"));
        format!(
            "{}{}: {} -> {}",
            change["indicator"].as_str().unwrap(),
            option.unwrap_or_default(),
            quantity("before"),
            quantity("after")
        )
    });
    Value::from(lines.collect::<Vec<_>>())
}

/// The steps of a submission by pages of a size, the latest first.
fn history(client: &Client, path: &str, size: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = format!("{path}/revisions?limit={size}{cursor}");
        let page = client.get(&page).expect_status(200).json();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

on_both_backends! {
    fn a_discarded_draft_leaves_everything_as_it_was_before_it(backend) {
        let (_server, _, report) = reporting(backend);
        for (at, (step, says, latest, counting, figure)) in DISCARDED.into_iter().enumerate() {
            let case = format!("{at}: {step}");
            let before = (at > 0).then(|| report.read("T/rollup"));
            let answer = take(&report, step);
            assert_eq!(told(&answer), says, "{case}");
            let now = report.get("A1");
            assert_eq!(now["values"][0]["value"].to_string(), latest, "{case}");
            assert_eq!(now["counting_revision"], json!(counting), "{case}");
            let rollup = report.read("T/rollup");
            assert_eq!(shown(&cell(&rollup, "x")), figure, "{case}");
            if step == "discard" && answer.status == 200 {
                // Not even the rev of the totals moves.
                assert_eq!(before, Some(rollup), "{case}");
            }
        }
        assert_eq!(report.verify("T")["equal"], true);
    }

    fn a_refused_discard_says_what_to_do_instead(backend) {
        let (_server, admin, report) = reporting(backend);
        let english = report.by(&admin.with("Accept-Language", "en"));
        let refused = || english.step("A1", "discard").json()["detail"].as_str().unwrap().to_owned();
        take(&report, "save 5").expect_status(201);
        assert!(refused().contains("Nothing of the unit counts for this period yet"), "{}", refused());
        report.step("A1", "submit").expect_status(200);
        assert!(refused().contains("There is no draft to discard."), "{}", refused());
        report.step("A1", "approve").expect_status(200);
        assert!(refused().contains("approver"), "{}", refused());
        assert!(refused().contains("to reopen it before you change it"), "{}", refused());
        assert!(!refused().contains("{$"), "{}", refused());
    }

    fn a_draft_is_discarded_even_if_the_form_s_rules_are_broken_meanwhile(backend) {
        let town = Town::new(backend).indicators(&[("x", "sum"), ("y", "sum")]);
        let (_server, admin, report) = town.form("f", "year").build_for("2024");
        report.submit("A1", &[value("x", 5), value("y", 3)]);
        report.put("A1", &json!({"values": [value("x", 1)]})).expect_status(200);
        let mut ruled = form(&["x", "y"]);
        ruled["frequency"] = json!("year");
        ruled["rules"] = json!([{
            "code": "LITTLE", "severity": "error", "expression": "x <= y", "message": {"vi": "Quá nhiều"},
        }]);
        admin.with("If-Match", "*").put("/v1/forms/f", &ruled).expect_status(200);
        let discarded = report.step("A1", "discard").expect_status(200).json();
        assert_eq!(discarded["status"], "submitted");
        assert_eq!(discarded["warnings"][0]["code"], "LITTLE");
        // Sending the same is refused.
        report.try_submit("A1", &[value("x", 5), value("y", 3)])
            .expect_problem(422, "INVALID_SUBMISSION");
    }

    fn who_wrote_only_a_discarded_draft_did_not_enter_the_values(backend) {
        let mut form = form(&["x"]);
        form["frequency"] = json!("year");
        form["four_eyes"] = json!(true);
        let town = Town::new(backend).indicators(&[("x", "sum")]);
        let (server, _, report) = town.own_form("f", form).build_for("2024");
        server.create_account("test", "clerk", &["reporter@code:A1"]);
        for login in ["first", "second"] {
            server.create_account("test", login, &["reporter@code:A", "approver@code:A"]);
        }
        let by = |login: &str| report.by(&server.sign_in("test", login));
        by("first").submit("A1", &[value("x", 5)]);
        by("second").put("A1", &json!({"values": [value("x", 6)]})).expect_status(200);
        by("clerk").step("A1", "discard").expect_status(200);
        let refused = by("first").step("A1", "approve");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("người có vai trò người duyệt (approver)"), "{detail}");
        refused.expect_problem(403, "FOUR_EYES");
        by("second").step("A1", "approve").expect_status(200);
        by("second").step("A1", "reopen").expect_status(200);
        by("second").put("A1", &json!({"values": [value("x", 7)]})).expect_status(200);
        by("clerk").step("A1", "discard").expect_status(200);
        // What is sent again is what the first one entered.
        by("clerk").step("A1", "submit").expect_status(200);
        by("first").step("A1", "approve").expect_problem(403, "FOUR_EYES");
        by("second").step("A1", "approve").expect_status(200);
    }

    fn what_is_reopened_says_why_until_it_is_sent_again(backend) {
        let (_server, admin, report) = reporting(backend);
        report.submit("A1", &[value("x", 5)]);
        report.step("A1", "approve").expect_status(200);
        let path = format!("{}/reopen", report.submission("A1"));
        let reopen = |body: &Value| admin.with("If-Match", "*").post_json(&path, body);
        let faults = reopen(&json!({"values": [{"indicator": "x", "reason": "Sai"}]}));
        assert_eq!(faults.expect_problem(422, "INVALID_SUBMISSION"), ["/reason INVALID_TEXT"]);
        let why = json!({"reason": "Thiếu một hộ", "values": [{"indicator": "x", "reason": "6, không phải 5"}]});
        let reopened = reopen(&why).expect_status(200).json();
        assert_eq!(reopened["reason"]["text"], "Thiếu một hộ");
        assert_eq!(reopened["last_return"]["values"][0]["reason"], "6, không phải 5");
        assert_eq!(report.get("A1"), reopened);
        // It stays beside a draft, and ends with the answer.
        report.put("A1", &json!({"values": [value("x", 6)]})).expect_status(200);
        assert_eq!(report.get("A1")["last_return"]["text"], "Thiếu một hộ");
        assert_eq!(report.get("A1")["reason"], Value::Null);
        report.step("A1", "submit").expect_status(200);
        assert_eq!(report.get("A1")["last_return"], Value::Null);
        // Nobody must give a reason.
        report.step("A1", "approve").expect_status(200);
        let reopened = report.step("A1", "reopen").expect_status(200).json();
        assert_eq!((&reopened["reason"], &reopened["last_return"]), (&Value::Null, &Value::Null));
        let path = format!("{}/revisions", report.submission("A1"));
        let steps = admin.get(&path).json()["items"].clone();
        let reasons = steps.as_array().unwrap().iter().filter(|step| step["reason"].is_object());
        assert_eq!(reasons.count(), 1);
    }

    fn two_clerks_on_one_submission_do_not_overwrite_each_other_unseen(backend) {
        let (server, admin, report) = reporting(backend);
        report.submit("A1", &[value("x", 5)]);
        let path = report.submission("A1");
        for login in ["one", "two"] {
            server.create_account("test", login, &["reporter@code:A1"]);
        }
        let [one, two] = ["one", "two"].map(|login| server.sign_in("test", login));
        let seen = one.get(&path).etag().to_owned();
        let draft = |number: i64| json!({"values": [value("x", number)]});
        one.with("If-Match", &seen).put(&path, &draft(6)).expect_status(200);
        let late = two.with("If-Match", &seen);
        late.put(&path, &draft(7)).expect_problem(412, "PRECONDITION_FAILED");
        for step in ["submit", "withdraw", "discard"] {
            late.post(&format!("{path}/{step}")).expect_problem(412, "PRECONDITION_FAILED");
        }
        let drafted = two.get(&path).etag().to_owned();
        two.with("If-Match", &drafted).post(&format!("{path}/discard")).expect_status(200);
        one.with("If-Match", &drafted).put(&path, &draft(8)).expect_problem(412, "PRECONDITION_FAILED");
        // Both at once, many times: one of the two wins, and the other is told.
        for round in 0..5 {
            let seen = admin.get(&path).etag().to_owned();
            let put = |client: &Client, number: i64| {
                client.with("If-Match", &seen).put(&path, &draft(number)).status
            };
            let (first, second) = std::thread::scope(|scope| {
                let first = scope.spawn(|| put(&one, 10 + round));
                let second = scope.spawn(|| put(&two, 20 + round));
                (first.join().unwrap(), second.join().unwrap())
            });
            let mut statuses = [first, second];
            statuses.sort();
            assert_eq!(statuses, [200, 412], "{round}");
            let kept = report.get("A1")["values"][0]["value"].clone();
            let winner = if first == 200 { 10 + round } else { 20 + round };
            assert_eq!(kept, winner);
        }
    }

    fn a_discard_is_repeated_by_its_key(backend) {
        let (_server, admin, report) = reporting(backend);
        report.submit("A1", &[value("x", 5)]);
        take(&report, "save 6").expect_status(200);
        let path = report.submission("A1");
        let etag = admin.get(&path).etag().to_owned();
        let keyed = admin.with("If-Match", &etag).with("Idempotency-Key", "k");
        let first = keyed.post(&format!("{path}/discard")).expect_status(200);
        let again = keyed.post(&format!("{path}/discard")).expect_status(200);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(first.text, again.text);
        assert_eq!(report.get("A1")["revision"], 3);
    }

    fn the_history_tells_each_step_s_difference_value_by_value(backend) {
        let (_server, admin) = Server::with_town(backend);
        for code in ["x", "y"] {
            let body = json!({"name": {"vi": format!("Số {code}")}, "unit_of_measure": "người",
                "decimals": 1, "across_units": "sum", "across_time": "sum"});
            admin.put(&format!("/v1/indicators/{code}"), &body).expect_status(201);
        }
        admin.put("/v1/indicators/docs", &broken_down(true, &["plan", "letter"])).expect_status(201);
        let mut outline = form(&["y", "docs", "x"]);
        outline["frequency"] = json!("year");
        outline["outline"][0]["narrative"] = json!(true);
        admin.put("/v1/forms/f", &outline).expect_status(201);
        let section = outline["outline"][0]["number"].clone();
        let report = Report::new(&admin, "f");
        let path = report.submission("A1");
        let text = |text: &str| json!([{"section": section, "text": text}]);
        let docs = [option("docs", "plan", 2), option("docs", "letter", 1)];
        let draft = |values: Vec<Value>, narrative: Value| json!({
            "values": values.iter().chain(&docs).collect::<Vec<_>>(), "narrative": narrative,
        });

        // 1: the first values.
        report.put("A1", &draft(vec![value("x", 5), value("y", 1)], text("Một"))).expect_status(201);
        // 2: sent as they are. The computed total is nobody's change.
        report.step("A1", "submit").expect_status(200);
        // 3: a value is changed, another one taken out, a text changed.
        report.put("A1", &draft(vec![value("x", 5.5)], text("Hai"))).expect_status(200);
        // 4: given up.
        report.step("A1", "discard").expect_status(200);
        // 5, 6: approved and reopened.
        report.step("A1", "approve").expect_status(200);
        report.step("A1", "reopen").expect_status(200);
        // 7: only a qualifier is changed, an option too, and the text is taken out.
        let estimated = json!({"indicator": "x", "value": 5, "qualifier": "estimate"});
        let last = json!({
            "values": [estimated, value("y", 1), option("docs", "plan", 3), option("docs", "letter", 1)],
            "submit": true,
        });
        report.put("A1", &last).expect_status(200);
        // 8: returned.
        report.give_back("A1", &json!({"reason": "Sai"})).expect_status(200);

        let expected = [
            (8, "return", json!(null)),
            (7, "replace", json!(["docs/plan: 2 -> 3", "x: 5 -> 5 estimate"])),
            (6, "reopen", json!(null)),
            (5, "approve", json!(null)),
            (4, "discard", json!(["y: - -> 1", "x: 5.5 -> 5"])),
            (3, "save", json!(["y: 1 -> -", "x: 5 -> 5.5"])),
            (2, "submit", json!([])),
            (1, "save", json!(["y: - -> 1", "docs/plan: - -> 2", "docs/letter: - -> 1", "x: - -> 5"])),
        ];
        // Wherever a page ends.
        for size in 1..=9 {
            let history = history(&admin, &path, size);
            assert_eq!(history.len(), expected.len(), "{size}");
            for (found, (revision, step, changed)) in history.iter().zip(&expected) {
                assert_eq!(found["revision"], json!(revision));
                assert_eq!(found["step"], json!(step));
                assert_eq!(&changes(found), changed, "{size}, {revision}: {found}");
            }
        }
        let history = history(&admin, &path, 100);
        assert_eq!(history[1]["changes"][0]["name"]["vi"], "Chỉ tiêu: plan");
        let texts: Vec<_> = history.iter().map(|step| step["narrative_changes"].clone()).collect();
        let change = |before: Value, after: Value| {
            json!([{"section": section, "before": before, "after": after}])
        };
        assert_eq!(texts[0], Value::Null);
        assert_eq!(texts[1], change(json!("Một"), Value::Null));
        assert_eq!(texts[4], change(json!("Hai"), json!("Một")));
        assert_eq!(texts[5], change(json!("Một"), json!("Hai")));
        assert_eq!(texts[6], json!([]));
        assert_eq!(texts[7], change(Value::Null, json!("Một")));
    }

    fn the_reasons_of_a_return_stay_until_values_are_sent_anew(backend) {
        let (server, admin, report) = reporting(backend);
        server.create_account("test", "chief", &["approver@code:T"]);
        let chief = server.sign_in("test", "chief");
        report.submit("A1", &[value("x", 8)]);
        let reason =
            json!({"reason": "Số chưa khớp", "values": [{"indicator": "x", "reason": "Xem lại"}]});
        let returned = report.by(&chief).give_back("A1", &reason).expect_status(200).json();
        let stands = returned["last_return"].clone();
        assert_eq!(stands["revision"], 2);
        assert_eq!(stands["text"], "Số chưa khớp");
        assert_eq!(
            stands["values"],
            json!([{"indicator": "x", "option": null, "reason": "Xem lại"}])
        );
        assert_eq!(stands["by"]["name"], "chief");
        // What is told by a change is what is read afterwards.
        let same = |answer: Answer| {
            let read = admin.get(&report.submission("A1")).expect_status(200);
            assert_eq!(answer.expect_status(200).json(), read.json());
            read.json()
        };
        for number in [9, 10] {
            let saved = same(report.put("A1", &json!({"values": [value("x", number)]})));
            assert_eq!(saved["status"], "draft");
            assert_eq!(saved["reason"], Value::Null);
            let (kept, stood) = (&saved["last_return"], &stands);
            assert_eq!(kept["text"], stood["text"]);
            assert_eq!(kept["values"], stood["values"]);
            assert_eq!(kept["at"], stood["at"]);
            assert_eq!(kept["revision"], stood["revision"]);
        }
        let sent = same(report.step("A1", "submit"));
        assert_eq!(sent["last_return"], Value::Null);
        let redrafted = same(report.put("A1", &json!({"values": [value("x", 11)]})));
        assert_eq!(redrafted["last_return"], Value::Null);
        // Returned once more, and sent at once.
        let again = report.by(&chief).give_back("A1", &json!({"reason": "Còn sai"}));
        assert_eq!(again.expect_status(200).json()["last_return"]["text"], "Còn sai");
        report.submit("A1", &[value("x", 12)]);
        assert_eq!(report.get("A1")["last_return"], Value::Null);
        // A withdrawn one was returned before it was sent anew.
        report.step("A1", "withdraw").expect_status(200);
        let drafted = same(report.put("A1", &json!({"values": [value("x", 13)]})));
        assert_eq!(drafted["last_return"], Value::Null);
    }

    fn entering_for_a_unit_below_is_recorded(backend) {
        let (server, admin, report) = reporting(backend);
        server.create_account("test", "hamlet", &["reporter@code:A1"]);
        server.create_account("test", "commune", &["reporter@code:A", "approver@code:A"]);
        let by = |login: &str| report.by(&server.sign_in("test", login));
        by("hamlet").put("A1", &json!({"values": [value("x", 1)]})).expect_status(201);
        assert_eq!(report.get("A1")["on_behalf"], false);
        let sent = by("commune").step("A1", "submit").expect_status(200).json();
        assert_eq!(sent["on_behalf"], true);
        by("commune").put("A1", &json!({"values": [value("x", 2)]})).expect_status(200);
        by("hamlet").step("A1", "discard").expect_status(200);
        // The latest values are those that the commune sent.
        assert_eq!(report.get("A1")["on_behalf"], true);
        by("commune").step("A1", "approve").expect_status(200);
        report.step("A1", "reopen").expect_status(200);
        by("hamlet").submit("A1", &[value("x", 3)]);
        assert_eq!(report.get("A1")["on_behalf"], false);
        by("commune").step("A1", "withdraw").expect_status(200);
        // Values are those that the hamlet sent; the withdrawal is the commune's.
        assert_eq!(report.get("A1")["on_behalf"], false);
        // For its own unit, and an administrator of all units.
        by("commune").submit("A", &[]);
        assert_eq!(report.get("A")["on_behalf"], false);
        report.submit("B1", &[value("x", 4)]);
        assert_eq!(report.get("B1")["on_behalf"], true);
        // It stays so when the hamlet gets another clerk, and when the account gets other duties.
        server.create_account("test", "later", &["reporter@code:A1"]);
        let history = history(&admin, &report.submission("A1"), 100);
        let told: Vec<_> = history.iter().rev().map(|step| step["on_behalf"].clone()).collect();
        assert_eq!(
            Value::from(told),
            json!([false, true, true, false, null, null, false, true])
        );
    }
}
