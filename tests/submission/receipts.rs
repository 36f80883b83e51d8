//! Receipts: every step has one, it is read by its number, by whom it concerns, and it never changes.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tonghop::service::application::call::Call;
use tonghop::service::application::condition::Precondition;
use tonghop::service::application::locate::ReportPath;
use tonghop::service::submission::{Asked, SubmissionChange, change_all};

use crate::harness::decree::{commune, decree, merge};
use crate::harness::report::{Report, Reports, value};
use crate::harness::server::now;
use crate::harness::town::{Town, form, indicator};
use crate::harness::{Answer, Backend, Client, Server};

/// An indicator of money, in đồng.
fn money() -> Value {
    let mut body = indicator("sum");
    body["unit_of_measure"] = json!("đồng");
    body["name"] = json!({"vi": "Vận động Quỹ", "en": "Fund raised"});
    body
}

/// The town with a yearly form `f` of the count `x` and the money `fund`.
fn reporting(backend: Backend) -> (Server, Client, Reports) {
    Town::new(backend)
        .indicators(&[("x", "sum")])
        .indicator("fund", &money())
        .form("f", "year")
        .build()
}

fn path(number: &Value) -> String {
    format!("/v1/receipts/{}", number.as_str().expect("a number"))
}

/// A receipt, whose hash fits its text, which says what is shown.
#[track_caller]
fn receipt(client: &Client, number: &Value) -> Value {
    let receipt = client.get(&path(number)).expect_status(200).json();
    let canonical = receipt["canonical"].as_str().unwrap();
    let hash: [u8; 32] = Sha256::digest(canonical.as_bytes()).into();
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(receipt["hash"], hash);
    let content: Value = serde_json::from_str(canonical).unwrap();
    assert_eq!(receipt["content"], content);
    assert_eq!(
        (&receipt["number"], &content["number"]),
        (number, &receipt["number"])
    );
    receipt
}

/// What a receipt says for ever.
#[track_caller]
fn sealed(client: &Client, number: &Value) -> [String; 2] {
    let receipt = receipt(client, number);
    ["canonical", "hash"].map(|field| receipt[field].as_str().unwrap().to_owned())
}

/// Takes a step by its name.
fn take(report: &Report, step: &str) -> Answer {
    let values = |number: i64| json!([value("x", number), value("fund", 1_562_410_000)]);
    match step {
        "save" => report.put("A1", &json!({"values": values(1)})),
        "replace" => report.put("A1", &json!({"values": values(2), "submit": true})),
        "return" => {
            let values = json!([{"indicator": "fund", "reason": "Thiếu chứng từ"}]);
            report.give_back("A1", &json!({"reason": "Sai", "values": values}))
        }
        step => report.step("A1", step),
    }
}

/// The receipts of a unit's history, the first one first.
fn history(report: &Report, client: &Client, unit: &str) -> Vec<Value> {
    let path = format!("{}/revisions", report.submission(unit));
    let page = client.get(&path).expect_status(200).json();
    let steps = page["items"].as_array().unwrap().iter().rev();
    steps.map(|step| step["receipt"].clone()).collect()
}

fn id(client: &Client, unit: &str) -> String {
    let unit = client
        .get(&format!("/v1/units/code:{unit}"))
        .expect_status(200)
        .json();
    unit["id"].as_str().unwrap().to_owned()
}

/// Approves submissions in one commit.
fn approve_together(server: &Server, units: &[&str]) -> Vec<Value> {
    let identity = server.identity();
    let asked = units.iter().map(|unit| {
        let path = ReportPath {
            form: "f".to_owned(),
            period: "2024".to_owned(),
            unit: format!("code:{unit}"),
        };
        let call = Call::new(identity, now()).on(Precondition::Present);
        let approve = SubmissionChange::Approve;
        Asked::new(&server.application, call, path, approve).unwrap()
    });
    let replies = change_all(&server.application, identity.tenant(), asked.collect());
    let answers = replies.into_iter();
    answers
        .map(|reply| serde_json::from_str(&reply.unwrap().body).unwrap())
        .collect()
}

/// Steps with the kinds that their receipts tell, and the value of `x` at each.
const STEPS: [(&str, &str, i64); 9] = [
    ("save", "submission.saved", 1),
    ("submit", "submission.submitted", 1),
    ("return", "submission.returned", 1),
    ("replace", "submission.submitted", 2),
    ("approve", "submission.approved", 2),
    ("reopen", "submission.reopened", 2),
    ("save", "submission.saved", 1),
    ("discard", "submission.discarded", 2),
    ("withdraw", "submission.withdrawn", 2),
];

on_both_backends! {
    fn every_step_has_a_receipt_and_says_its_number(backend) {
        let (_server, admin, reports) = reporting(backend);
        let report = reports.of("2024");
        let mut told = Vec::new();
        for (step, kind, x) in STEPS {
            let answer = take(&report, step);
            assert!(answer.status < 300, "{step}: {}", answer.text);
            let answer = answer.json();
            let number = answer["receipt"].clone();
            assert_eq!(report.get("A1")["receipt"], number, "{step}");
            let receipt = receipt(&admin, &number);
            let content = &receipt["content"];
            for field in ["kind", "at"] {
                assert_eq!(receipt[field], content[field]);
            }
            assert_eq!(content["kind"], kind);
            for (said, of_answer) in [("revision", "revision"), ("status", "status")] {
                assert_eq!(content[said], answer[of_answer], "{step}");
            }
            assert_eq!(content["values"], json!([
                {"indicator": "fund", "option": null, "value": 1_562_410_000, "qualifier": "exact"},
                {"indicator": "x", "option": null, "value": x, "qualifier": "exact"},
            ]), "{step}");
            assert_eq!(content["reason"].is_object(), step == "return");
            assert_eq!(content["unit"], answer["unit"]["id"]);
            assert_eq!((&receipt["form"]["code"], &receipt["period"], &receipt["unit"]), (&answer["form"], &answer["period"], &answer["unit"]));
            assert_eq!(receipt["by"]["login"], "admin");
            assert_eq!(receipt["by"]["id"], content["by"]);
            told.push(number);
        }
        assert_eq!(history(&report, &admin, "A1"), told);
        let returned = &receipt(&admin, &told[2])["content"]["reason"];
        assert_eq!((&returned["text"], &returned["values"][0]["reason"]), (&json!("Sai"), &json!("Thiếu chứng từ")));
        // The receipt of what was sent first still says what was sent first.
        assert_eq!(receipt(&admin, &told[1])["content"]["values"][1]["value"], 1);
    }

    fn the_text_of_a_receipt_stays_as_it_is_printed(backend) {
        let (_server, admin, reports) = reporting(backend);
        let report = reports.of("2024");
        let values = json!([value("fund", 1_562_410_000)]);
        let narrative = json!([{"section": "I", "text": "Đã vận động"}]);
        let body = json!({"values": values, "narrative": narrative, "nil": true, "submit": true});
        let sent = report.put("A1", &body).expect_status(201).json();
        let returned = take(&report, "return").expect_status(200).json();
        // As it was printed, but for what is another in each run.
        let printed = |number: &Value, [kind, told]: [&str; 2]| {
            let receipt = receipt(&admin, number);
            let content = &receipt["content"];
            let word = |field: &str| content[field].as_str().unwrap();
            let copy = content["copy"].as_str().unwrap_or_default();
            let told = told.replace("COPY", copy);
            let (number, at, by, unit) = (word("number"), word("at"), word("by"), word("unit"));
            let expected = format!(
                r#"{{"edition":1,"number":"{number}","kind":"{kind}","at":"{at}","by":"{by}","form":"f","period":"2024","unit":"{unit}",{told}}}"#
            );
            assert_eq!(receipt["canonical"], expected);
        };
        let said = r#""values":[{"indicator":"fund","option":null,"value":1562410000,"qualifier":"exact"},{"indicator":"x","option":null,"value":0,"qualifier":"exact"}],"narrative":[{"section":"I","text":"Đã vận động"}],"release":null,"copy":null,"#;
        printed(&sent["receipt"], ["submission.submitted", &format!(
            r#""revision":1,"status":"submitted","on_behalf":true,"received_on":null,"speaks_for":"unit","nil":true,{said}"reason":null"#
        )]);
        printed(&returned["receipt"], ["submission.returned", &format!(
            r#""revision":2,"status":"returned","on_behalf":null,"received_on":null,"speaks_for":"unit","nil":true,{said}"reason":{{"text":"Sai","values":[{{"indicator":"fund","option":null,"reason":"Thiếu chứng từ"}}]}}"#
        )]);
        report.submit("B1", &[value("x", 3)]);
        report.step("B1", "approve").expect_status(200);
        let path = "/v1/forms/f/periods/2024/units/code:B/releases";
        let accept = json!({"accept": [{"unit": "code:B", "reason": "Không có"}]});
        let released = admin.post_json(path, &accept).expect_status(201).json();
        printed(&released["receipt"], ["release.sent",
            r#""revision":null,"status":null,"on_behalf":null,"received_on":null,"speaks_for":null,"nil":null,"values":[],"narrative":[],"release":1,"copy":"COPY","reason":null"#]);
    }

    fn a_decision_is_about_what_was_sent_and_not_about_the_draft_over_it(backend) {
        let (_server, admin, reports) = reporting(backend);
        let report = reports.of("2024");
        let receipt_of = |answer: Answer| {
            assert_eq!(answer.status, 200, "{}", answer.text);
            receipt(&admin, &answer.json()["receipt"])["content"]["values"][0]["value"].clone()
        };
        for step in ["return", "withdraw"] {
            report.submit("A1", &[value("x", 5)]);
            report.put("A1", &json!({"values": [value("x", 7)]})).expect_status(200);
            let answer = match step {
                "return" => report.give_back("A1", &json!({"reason": "Sai"})),
                step => report.step("A1", step),
            };
            assert_eq!(receipt_of(answer), 5, "{step}");
        }
        // A draft that was given up is nobody's business any more.
        report.submit("A1", &[value("x", 6)]);
        report.put("A1", &json!({"values": [value("x", 8)]})).expect_status(200);
        assert_eq!(receipt_of(report.step("A1", "discard")), 6);
        assert_eq!(receipt_of(report.step("A1", "approve")), 6);
    }

    fn figures_are_written_in_vietnamese_and_money_in_words(backend) {
        let (_server, admin, reports) = reporting(backend);
        let submitted = reports.submit("A1", "2024", json!({"x": 1234, "fund": 1_562_410_000}));
        let figures = receipt(&admin, &submitted["receipt"])["figures"].clone();
        assert_eq!(figures[0], json!({
            "indicator": "x", "option": null, "name": {"vi": "Chỉ tiêu", "en": "Indicator"},
            "unit_of_measure": "cái", "figure": "1.234", "qualifier": "exact", "words": null,
        }));
        assert_eq!(figures[1], json!({
            "indicator": "fund", "option": null, "name": {"vi": "Vận động Quỹ", "en": "Fund raised"},
            "unit_of_measure": "đồng", "figure": "1.562.410.000", "qualifier": "exact",
            "words": {
                "vi": "Một tỷ năm trăm sáu mươi hai triệu bốn trăm mười nghìn đồng",
                "en": "One billion five hundred sixty two million four hundred ten thousand dong",
            },
        }));
    }

    fn steps_of_one_commit_have_a_receipt_each(backend) {
        let (server, admin, reports) = reporting(backend);
        let report = reports.of("2024");
        let units = ["A1", "A2", "B1"];
        for unit in units {
            report.submit(unit, &[value("x", 1)]);
        }
        let approved = approve_together(&server, &units);
        let rev = approved[0]["rev"].clone();
        for (place, (unit, submission)) in (1..).zip(units.iter().zip(approved)) {
            assert_eq!(submission["rev"], rev, "one commit");
            let number = match place {
                1 => rev.to_string(),
                place => format!("{rev}-{place}"),
            };
            assert_eq!(submission["receipt"], number);
            let receipt = receipt(&admin, &submission["receipt"]);
            assert_eq!((&receipt["unit"]["code"], &receipt["kind"]), (&json!(unit), &json!("submission.approved")));
            assert_eq!(report.get(unit)["receipt"], number);
            assert_eq!(history(&report, &admin, unit).last(), Some(&json!(number)));
        }
        // The commit did no more than that.
        for number in [format!("{rev}-4"), format!("{rev}-1"), "0".to_owned(), "x".to_owned()] {
            admin.get(&format!("/v1/receipts/{number}")).expect_problem(404, "RECEIPT_NOT_FOUND");
        }
    }

    fn a_repeated_request_tells_the_number_of_the_first(backend) {
        let (_server, admin, reports) = reporting(backend);
        let report = reports.of("2024");
        let send = || {
            let client = admin.with("Idempotency-Key", "one").with("If-None-Match", "*");
            client.put(&report.submission("A1"), &json!({"values": [value("x", 1)], "submit": true})).expect_status(201)
        };
        let first = send();
        reports.submit("A2", "2024", json!({"x": 1}));
        let again = send();
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(first.json()["receipt"], again.json()["receipt"]);
    }

    fn a_receipt_is_the_same_text_for_ever(backend) {
        let (_server, admin, reports) = reporting(backend);
        let report = reports.of("2024");
        let sent = reports.submit("B1", "2024", json!({"x": 5, "fund": 7}))["receipt"].clone();
        let of_commune = reports.submit("B", "2024", json!({"x": 6, "fund": 8}))["receipt"].clone();
        let approved = report.step("B", "approve").expect_status(200).json()["receipt"].clone();
        let all = [&sent, &of_commune, &approved];
        let before = all.map(|number| sealed(&admin, number));
        let expect_same = |when: &str| {
            assert_eq!(all.map(|number| sealed(&admin, number)), before, "{when}");
        };
        reports.submit("B1", "2024", json!({"x": 50, "fund": 70}));
        expect_same("corrected");
        admin.reorganise("2024-02-01", &json!([{"op": "rename", "unit": "code:B1", "name": "Ấp Mới"}]));
        expect_same("unit renamed");
        assert_eq!(receipt(&admin, &sent)["unit"]["name"], "Ấp Mới");
        let mut renamed = money();
        renamed["name"] = json!({"vi": "Quỹ đã vận động"});
        admin.replace("/v1/indicators/fund", &renamed).expect_status(200);
        expect_same("indicator renamed");
        assert_eq!(receipt(&admin, &sent)["figures"][1]["name"]["vi"], "Quỹ đã vận động");
        let mut other = form(&["fund", "x"]);
        other["frequency"] = json!("year");
        other["name"] = json!({"vi": "Mẫu khác"});
        admin.replace("/v1/forms/f", &other).expect_status(200);
        expect_same("another outline");
        let figures = receipt(&admin, &sent)["figures"].clone();
        assert_eq!(figures[0]["indicator"], "fund", "in the order of the outline");
        let b = id(&admin, "B");
        let merged = admin.reorganise("2024-07-01", &json!([merge(&["A", "B"], &commune("C", "T"))]));
        expect_same("the commune ended");
        assert_eq!(receipt(&admin, &approved)["unit"]["id"], b);
        admin.undo(&merged);
        expect_same("the commune is there again");
    }

    fn what_passes_to_a_successor_keeps_its_receipts(backend) {
        let (server, admin, reports) = reporting(backend);
        let report = reports.of("2024");
        let submitted = reports.submit("B", "2024", json!({"x": 6, "fund": 8}))["receipt"].clone();
        let approved = report.step("B", "approve").expect_status(200).json()["receipt"].clone();
        let before = [&submitted, &approved].map(|number| sealed(&admin, number));
        let mut document = decree("2024-07-01", &json!([merge(&["B"], &commune("N", "T"))]));
        document["work_in_progress"] = json!("pass_on");
        let path = admin.carry_out(&document);
        assert_eq!([&submitted, &approved].map(|number| sealed(&admin, number)), before);
        // What the reorganisation noted is no step, and has none.
        let kept = vec![submitted.clone(), approved.clone(), Value::Null];
        assert_eq!(history(&report, &admin, "N"), kept);
        assert_eq!(report.get("N")["receipt"], Value::Null);
        server.create_account("test", "heir", &["viewer@code:N"]);
        let heir = server.sign_in("test", "heir");
        assert_eq!([&submitted, &approved].map(|number| sealed(&heir, number)), before);
        let reopened = report.step("N", "reopen").expect_status(200).json()["receipt"].clone();
        assert_eq!(receipt(&admin, &reopened)["unit"]["code"], "N");
        assert_eq!(history(&report, &admin, "N").last(), Some(&reopened));
        assert_eq!(report.get("N")["receipt"], reopened);
        // A reorganisation that was built on is not undone; another one is.
        admin.with("If-Match", "*").post(&format!("{path}/undo")).expect_status(409);
    }

    fn who_took_the_step_and_who_may_read_the_submission_read_the_receipt(backend) {
        let (server, admin, reports) = reporting(backend);
        let people = [
            ("hamlet", "reporter@code:A1"), ("chair", "approver@code:A"), ("town", "viewer@code:T"),
            ("beside", "reporter@code:A2"), ("other", "approver@code:B"),
        ];
        let [hamlet, chair, town, beside, other] = people.map(|(login, grant)| {
            server.create_account("test", login, &[grant]);
            server.sign_in("test", login)
        });
        let sent = reports.by(&hamlet).submit("A1", "2024", json!({"x": 1, "fund": 1}))["receipt"].clone();
        for reader in [&hamlet, &chair, &town, &admin] {
            sealed(reader, &sent);
        }
        // A login is told only to those who manage the account.
        assert_eq!(receipt(&town, &sent)["by"]["login"], "");
        for stranger in [&beside, &other] {
            let [hidden, nothing] = [path(&sent), "/v1/receipts/99999".to_owned()].map(|path| {
                let refused = stranger.get(&path);
                let says = refused.json()["detail"].as_str().unwrap().replace("99999", sent.as_str().unwrap());
                assert_eq!(refused.expect_problem(404, "RECEIPT_NOT_FOUND"), ["receipt RECEIPT_NOT_FOUND"]);
                says
            });
            assert_eq!(hidden, nothing, "as if it never was");
        }
        // Whoever sent reads the receipt also after the duty has gone to somebody else.
        let accounts = admin.get("/v1/accounts?q=hamlet").expect_status(200).json();
        let account = accounts["items"][0]["id"].as_str().unwrap();
        let any = admin.with("If-Match", "*");
        any.put(&format!("/v1/accounts/{account}/grants"), &json!([])).expect_status(200);
        let before = sealed(&admin, &sent);
        let hamlet = server.sign_in("test", "hamlet");
        assert_eq!(sealed(&hamlet, &sent), before);
        // Other changes of the tenant are no steps, and have no receipt.
        let changes = admin.get("/v1/changes?limit=1000").expect_status(200).json();
        let other = changes["items"].as_array().unwrap().iter().find(|change| change["kind"] == "form.put");
        let rev = &other.unwrap()["rev"];
        admin.get(&format!("/v1/receipts/{rev}")).expect_problem(404, "RECEIPT_NOT_FOUND");
    }

    fn the_refusal_says_what_to_do_in_both_languages(backend) {
        let (_server, admin, _) = reporting(backend);
        let says = |language: &str| {
            let refused = admin.with("Accept-Language", language).get("/v1/receipts/7777");
            refused.json()["detail"].as_str().unwrap().to_owned()
        };
        assert_eq!(says("vi"), "Không có biên nhận số \"7777\", hoặc tài khoản này không được xem. \
            Hãy kiểm tra lại số ghi trong câu trả lời khi gửi, hoặc tìm trong lịch sử của báo cáo.");
        assert_eq!(says("en"), "There is no receipt \"7777\", or this account may not read it. \
            Compare the number with the one that you were told when you sent, or look for it in the history of the report.");
    }
}
