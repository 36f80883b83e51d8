//! Sending up: what a report must have before it is sent, what becomes of it, who reads it, and that
//! the copy never changes.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::decree::{commune, merge};
use crate::harness::program::tonghop_on;
use crate::harness::report::{Report, Reports, value};
use crate::harness::town::{Town, form};
use crate::harness::{Answer, Backend, Client, Program, Server, at_once};

/// A province with one town, its commune A with three hamlets, and its commune B with one.
const UNITS: &str = "P,Tỉnh,province,\nT,Thị xã,town,P\nA,Xã A,commune,T\nB,Xã B,commune,T\n\
    A1,Ấp Một,hamlet,A\nA2,Ấp Hai,hamlet,A\nA3,Ấp Ba,hamlet,A\nB1,Ấp Bốn,hamlet,B\n";

/// A province and those who work in it.
struct World {
    server: Server,
    admin: Client,
    /// The clerk of commune A, who reports for it.
    clerk: Client,
    /// The chair of commune A, who approves what its hamlets send.
    chair: Client,
    /// The officer of the town.
    town: Client,
    /// The officer of the province.
    province: Client,
    /// The head of a hamlet of commune A.
    hamlet: Client,
    reports: Reports,
}

impl World {
    fn new(backend: Backend) -> World {
        World::with_form(backend, form(&["x", "y"]))
    }

    fn with_form(backend: Backend, form: Value) -> World {
        let (server, admin, reports) = Town::of(backend, UNITS)
            .indicators(&[("x", "sum"), ("y", "sum")])
            .own_form("m", form)
            .build();
        let somebody = |login: &str, grant: &str| {
            server.create_account("test", login, &[grant]);
            server.sign_in("test", login)
        };
        World {
            clerk: somebody("clerk", "reporter@code:A"),
            chair: somebody("chair", "approver@code:A"),
            town: somebody("town", "approver@code:T"),
            province: somebody("province", "approver@code:P"),
            hamlet: somebody("hamlet", "reporter@code:A2"),
            server,
            admin,
            reports,
        }
    }

    fn report(&self) -> Report {
        self.reports.of("2024")
    }

    /// All units of commune A report, and what the hamlets sent is approved.
    fn commune_is_complete(&self) {
        self.hamlets_report(&["A1", "A2", "A3"]);
    }

    /// The commune and some of its hamlets report, and what these sent is approved.
    fn hamlets_report(&self, hamlets: &[&str]) {
        let narrative = json!([{"section": "I", "text": "Đã làm tốt."}]);
        let own = json!({"values": [value("x", 10)], "narrative": narrative, "submit": true});
        self.report().by(&self.clerk).put("A", &own);
        for (number, unit) in (1..).zip(hamlets) {
            self.report().submit(unit, &[value("x", number)]);
            let approved = self.report().by(&self.chair).step(unit, "approve");
            approved.expect_status(200);
        }
    }

    /// Commune A is complete, and its report was sent and received.
    fn commune_is_received(&self) {
        self.commune_is_complete();
        self.send(&self.clerk, "A", &json!({})).expect_status(201);
        self.step(&self.town, "A", 1, "receive").expect_status(200);
    }

    fn send(&self, client: &Client, unit: &str, body: &Value) -> Answer {
        client.post_json(&releases(unit), body)
    }

    /// Takes a step with a release as it is now.
    fn step(&self, client: &Client, unit: &str, number: i32, step: &str) -> Answer {
        let client = self.seeing(client, unit, number);
        client.post(&format!("{}/{number}/{step}", releases(unit)))
    }

    fn give_back(&self, client: &Client, unit: &str, number: i32, reason: &str) -> Answer {
        let client = self.seeing(client, unit, number);
        let path = format!("{}/{number}/return", releases(unit));
        client.post_json(&path, &json!({"reason": reason}))
    }

    fn seeing(&self, client: &Client, unit: &str, number: i32) -> Client {
        let read = self.admin.get(&format!("{}/{number}", releases(unit)));
        client.with("If-Match", read.expect_status(200).etag())
    }

    #[track_caller]
    fn read(&self, unit: &str, number: i32) -> Value {
        read(&self.admin, unit, number)
    }
}

fn releases(unit: &str) -> String {
    format!("/v1/forms/m/periods/2024/units/{}/releases", named(unit))
}

/// A unit by its code, or by its id.
fn named(unit: &str) -> String {
    match unit.len() < 10 {
        true => format!("code:{unit}"),
        false => unit.to_owned(),
    }
}

#[track_caller]
fn read(client: &Client, unit: &str, number: i32) -> Value {
    let answer = client.get(&format!("{}/{number}", releases(unit)));
    answer.expect_status(200).json()
}

/// The copy of a release: its text and its hash, which fits the text.
#[track_caller]
fn copy(client: &Client, unit: &str, number: i32) -> (String, String) {
    let release = read(client, unit, number);
    let text = release["canonical"].as_str().unwrap().to_owned();
    let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(release["hash"], hash);
    assert_eq!(
        release["content"],
        serde_json::from_str::<Value>(&text).unwrap()
    );
    (text, hash)
}

fn id_of(client: &Client, unit: &str) -> String {
    let unit = client.get(&format!("/v1/units/code:{unit}"));
    unit.expect_status(200).json()["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// What a refusal to send names: `code: sentence` of each fault, in English.
fn named_lacks(answer: Answer) -> Vec<String> {
    let problem = answer.expect_status(422).json();
    assert_eq!(problem["code"], "INVALID_RELEASE");
    let faults = problem["errors"].as_array().unwrap().iter();
    faults
        .map(|fault| {
            let text = |field: &str| fault[field].as_str().unwrap();
            format!("{} {}: {}", text("pointer"), text("code"), text("detail"))
        })
        .collect()
}

/// The drift as `indicator then→now`.
fn drifted(release: &Value) -> Vec<String> {
    let cells = release["drift"]["cells"].as_array().unwrap().iter();
    cells
        .map(|cell| {
            let indicator = cell["indicator"].as_str().unwrap();
            format!(
                "{indicator} {}→{}",
                cell["then"]["value"], cell["now"]["value"]
            )
        })
        .collect()
}

on_both_backends! {
    fn what_was_sent_before_a_unit_moved_is_not_said_to_carry_its_figures(backend) {
        let (_server, admin, report) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .form("f", "year")
            .with("submitted_by", json!(["hamlet"]))
            .build_for("2024");
        for unit in ["A1", "A2", "B1"] {
            report.submit(unit, &[value("x", 1)]);
            report.step(unit, "approve").expect_status(200);
        }
        let releases = |unit: &str| format!("/v1/forms/f/periods/2024/units/code:{unit}/releases");
        let send = |unit: &str| {
            admin.post_json(&releases(unit), &json!({})).expect_status(201);
        };
        let carried = || {
            let path = format!("{}?include=whereabouts", report.submission("A1"));
            let releases = admin.get(&path).expect_status(200).json()["whereabouts"]["releases"].clone();
            let releases = releases.as_array().unwrap().iter();
            let told = releases.map(|one| format!("{} {}", one["unit"]["code"].as_str().unwrap(), one["number"]));
            told.collect::<Vec<_>>()
        };
        send("A");
        send("B");
        assert_eq!(carried(), ["A 1"]);
        let steps = json!([{"op": "move", "unit": "code:A1", "parent": "code:B"}]);
        admin.reorganise("2024-07-01", &steps);
        assert_eq!(carried(), [""; 0]);
        let received = admin.with("If-Match", "*").post(&format!("{}/1/receive", releases("B")));
        received.expect_status(200);
        send("B");
        assert_eq!(carried(), ["B 2"]);
        // Where nothing changed in the period it stays.
        admin.reorganise("2025-02-01", &json!([{"op": "rename", "unit": "code:A1", "name": "Ấp Mới"}]));
        assert_eq!(carried(), ["B 2"]);
    }

    fn a_commune_accepts_by_name_what_its_report_lacks(backend) {
        let world = World::new(backend);
        world.hamlets_report(&["A1"]);
        world.report().submit("A2", &[value("x", 4)]);
        let english = world.clerk.with("Accept-Language", "en");
        // Each unit that lacks something is named, with what can be done.
        let lacks = named_lacks(world.send(&english, "A", &json!({})));
        assert_eq!(lacks, [
            "/accept ACCEPTANCE_REQUIRED: Ấp Hai (A2) has 1 report that is not approved. Approve what you find right, or \
             name the unit under accept with a reason.",
            "/accept ACCEPTANCE_REQUIRED: Ấp Ba (A3) lacks 1 of 1 reports. Ask the unit to send what is missing \
             (if it was returned: to correct it and send it again), or name the unit under accept with a reason.",
        ]);
        // All faults are told at once: reasons that are empty, units that lack nothing, or are not below.
        let accept = json!([
            {"unit": "code:A3", "reason": " "}, {"unit": "code:A3", "reason": "Trưởng ấp ốm"},
            {"unit": "code:A1", "reason": "?"}, {"unit": "code:B1", "reason": "?"},
        ]);
        let signer = json!({"capacity": "", "office": "CHỦ TỊCH", "name": "An"});
        let faults = world.send(&english, "A", &json!({"accept": accept, "signer": signer, "recipients": ["Thị xã", ""]}));
        assert_eq!(faults.expect_problem(422, "INVALID_RELEASE"), [
            "/accept ACCEPTANCE_REQUIRED", "/accept/0/reason INVALID_TEXT", "/accept/1/unit DUPLICATE",
            "/accept/2/unit ACCEPTANCE_NOT_NEEDED", "/accept/3/unit UNKNOWN_UNIT", "/recipients/1 INVALID_TEXT",
            "/signer/capacity INVALID_TEXT",
        ]);
        assert_eq!(world.clerk.get(&releases("A")).expect_status(200).json()["items"], json!([]));
        // With reasons it is sent.
        let body = json!({
            "document": {"number": "25/BC-MTTQ-BTT", "place": "Xã A", "date": "2024-12-09"},
            "signer": {"capacity": "TM. BAN THƯỜNG TRỰC", "office": "CHỦ TỊCH", "name": "Nguyễn Văn An"},
            "recipients": ["Thị xã", "Lưu: VT"],
            "accept": [{"unit": "code:A3", "reason": "Trưởng ấp ốm"}, {"unit": id_of(&world.admin, "A2"), "reason": "Chờ duyệt"}],
        });
        let sent = world.send(&world.clerk, "A", &body).expect_status(201);
        let path = sent.header("location").unwrap().to_owned();
        let summary = sent.json();
        assert_eq!((&summary["number"], &summary["status"]), (&json!(1), &json!("sent")));
        assert_eq!(summary["document_number"], "25/BC-MTTQ-BTT");
        let release = world.clerk.get(&path).expect_status(200).json();
        assert_eq!((&release["hash"], &release["rev"]), (&summary["hash"], &summary["rev"]));
        copy(&world.clerk, "A", 1);
        let content = &release["content"];
        let rollup = world.report().read("A/rollup");
        for field in ["form", "period", "unit", "completeness", "map", "cells", "rev"] {
            assert_eq!(content[field], rollup[field], "{field}");
        }
        for field in ["document", "signer", "recipients"] {
            assert_eq!(content[field], body[field], "{field}");
        }
        assert_eq!(content["to"]["code"], "T");
        assert_eq!(content["narrative"], json!([{"section": "I", "text": "Đã làm tốt."}]));
        let accepted = content["accepted"].as_array().unwrap().iter();
        let accepted: Vec<String> = accepted
            .map(|part| format!("{} {} {}", part["unit"]["code"], part["lack"], part["reason"]))
            .collect();
        assert_eq!(accepted, [r#""A2" "unapproved" "Chờ duyệt""#, r#""A3" "missing" "Trưởng ấp ốm""#]);
        let step = &release["steps"][0];
        assert_eq!((&step["step"], &step["by"]["login"], &step["reason"]), (&json!("send"), &json!("clerk"), &json!(null)));
        assert_eq!(release["drift"]["changed"], false);
    }

    fn a_commune_that_lacks_its_own_figures_is_told_to_submit_them(backend) {
        let world = World::new(backend);
        let own = |client: &Client| named_lacks(world.send(client, "A", &json!({}))).swap_remove(0);
        let told = own(&world.clerk.with("Accept-Language", "en"));
        assert!(told.contains("Xã A (A) has not submitted all of its own figures"), "{told}");
        assert!(told.contains("(1 of 1 are missing). Submit them first"), "{told}");
        assert!(own(&world.clerk).contains("Hãy nhập và gửi số liệu đó trước"));
    }

    fn who_may_take_no_step_is_told_the_next_one_of_its_side(backend) {
        let world = World::new(backend);
        world.commune_is_complete();
        let told = |client: &Client, step: &str, number: i32| {
            let client = client.with("Accept-Language", "en");
            let refused = match step {
                "return" => world.give_back(&client, "A", number, "Sai"),
                step => world.step(&client, "A", number, step),
            };
            let detail = refused.json()["detail"].as_str().unwrap().to_owned();
            refused.expect_problem(409, "WRONG_STATUS");
            detail
        };
        world.send(&world.clerk, "A", &json!({})).expect_status(201);
        world.step(&world.clerk, "A", 1, "recall").expect_status(200);
        assert!(told(&world.town, "receive", 1).ends_with("Wait until the unit sends a new one."));
        assert!(told(&world.clerk, "recall", 1).ends_with("Send a new one."));
        world.send(&world.clerk, "A", &json!({})).expect_status(201);
        world.give_back(&world.town, "A", 2, "Sai").expect_status(200);
        assert!(told(&world.town, "return", 2).contains("Wait until the unit has corrected it"));
        assert!(told(&world.clerk, "recall", 2).ends_with("Correct it and send a new one."));
        world.send(&world.clerk, "A", &json!({})).expect_status(201);
        world.step(&world.town, "A", 3, "receive").expect_status(200);
        assert!(told(&world.town, "return", 3).contains("ask the unit to send a new one"));
        assert!(told(&world.clerk, "recall", 3).contains("send a new one that corrects it"));
        // Nothing is made or edited by a step: who decides reads first.
        let blind = world.town.with("Accept-Language", "en").post(&format!("{}/3/receive", releases("A")));
        let detail = blind.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("Read it as it is now first") && !detail.contains("None-Match"), "{detail}");
    }

    fn a_town_answers_for_communes_that_have_not_sent_or_whose_report_it_has_not_received(backend) {
        let world = World::new(backend);
        let lacks = |client: &Client| {
            let problem = world.send(&client.with("Accept-Language", "en"), "T", &json!({}));
            let lacks = named_lacks(problem).into_iter();
            let lacks: Vec<String> = lacks
                .map(|lack| lack.split(": ").nth(1).unwrap().split(". ").next().unwrap().to_owned())
                .collect();
            lacks
        };
        let of_b = "Xã B (B) has not sent its own report";
        assert_eq!(lacks(&world.town), ["Xã A (A) has not sent its own report", of_b]);
        world.hamlets_report(&["A1", "A2"]);
        let accept = json!([{"unit": "code:A3", "reason": "Trưởng ấp ốm"}]);
        world.send(&world.clerk, "A", &json!({"accept": accept})).expect_status(201);
        // What the commune accepted as missing is missing for the town too.
        assert_eq!(lacks(&world.town), ["Xã A (A) lacks 1 of 4 reports", of_b]);
        world.report().submit("A3", &[value("x", 9)]);
        assert_eq!(lacks(&world.town), ["The report of Xã A (A) was sent and is not received", of_b]);
        world.give_back(&world.town, "A", 1, "Thiếu Ấp Ba").expect_status(200);
        assert_eq!(lacks(&world.town), ["Xã A (A) has not sent its own report", of_b]);
        let accept = json!([{"unit": "code:A3", "reason": "Chờ duyệt"}]);
        world.send(&world.clerk, "A", &json!({"accept": accept})).expect_status(201);
        world.step(&world.town, "A", 2, "receive").expect_status(200);
        assert_eq!(lacks(&world.town), [of_b]);
        // A correction that is recalled leaves the received report standing.
        world.send(&world.clerk, "A", &json!({"accept": accept})).expect_status(201);
        assert_eq!(lacks(&world.town), ["The report of Xã A (A) was sent and is not received", of_b]);
        world.step(&world.clerk, "A", 3, "recall").expect_status(200);
        assert_eq!(lacks(&world.town), [of_b]);
        let accept = json!([{"unit": "code:B", "reason": "Xã mới thành lập"}]);
        world.send(&world.town, "T", &json!({"accept": accept})).expect_status(201);
        // Completeness tells of each unit what it sent last.
        let completeness = world.reports.completeness("T", "2024");
        assert_eq!(completeness["release"]["status"], "sent");
        let children = completeness["children"].as_array().unwrap().iter();
        let sent: Vec<String> = children
            .map(|child| format!("{} {}", child["release"]["number"], child["release"]["status"]))
            .collect();
        assert_eq!(sent, [r#"3 "recalled""#, "null null"]);
    }

    fn the_unit_above_receives_or_returns_and_the_sender_recalls(backend) {
        let world = World::new(backend);
        world.commune_is_complete();
        let one = format!("{}/1", releases("A"));
        world.send(&world.clerk, "A", &json!({})).expect_status(201);
        // Only one waits at a time.
        world.send(&world.clerk, "A", &json!({})).expect_problem(409, "RELEASE_WAITS");
        // A step says on what it builds, and a return has a reason.
        world.town.post(&format!("{one}/receive")).expect_problem(428, "PRECONDITION_REQUIRED");
        let stale = world.town.with("If-Match", "\"7.x\"");
        stale.post(&format!("{one}/receive")).expect_problem(412, "PRECONDITION_FAILED");
        let faults = world.give_back(&world.town, "A", 1, " ");
        assert_eq!(faults.expect_problem(422, "INVALID_RELEASE"), ["/reason INVALID_TEXT"]);
        let etag = world.town.get(&one).expect_status(200).etag().to_owned();
        let returned = world.give_back(&world.town, "A", 1, "Sai số liệu quỹ").expect_status(200);
        assert_eq!(returned.json()["status"], "returned");
        // What was seen before is stale, and what was decided stays.
        let stale = world.clerk.with("If-Match", &etag);
        stale.post(&format!("{one}/recall")).expect_problem(412, "PRECONDITION_FAILED");
        world.step(&world.clerk, "A", 1, "recall").expect_problem(409, "WRONG_STATUS");
        // The next number follows a returned and a recalled one.
        for (number, step) in [(2, "recall"), (3, "receive")] {
            let sent = world.send(&world.clerk, "A", &json!({})).expect_status(201).json();
            assert_eq!(sent["number"], number);
            let who = if step == "recall" { &world.clerk } else { &world.town };
            world.step(who, "A", number, step).expect_status(200);
        }
        world.step(&world.clerk, "A", 3, "recall").expect_problem(409, "WRONG_STATUS");
        // A correction of what was received.
        world.report().by(&world.chair).step("A1", "reopen").expect_status(200);
        world.report().submit("A1", &[value("x", 100)]);
        let accept = json!([{"unit": "code:A1", "reason": "Đính chính"}]);
        world.send(&world.clerk, "A", &json!({"accept": accept})).expect_status(201);
        let steps = world.read("A", 1)["steps"].clone();
        let steps: Vec<String> = steps.as_array().unwrap().iter()
            .map(|step| format!("{} {} {}", step["step"], step["by"]["login"], step["reason"]))
            .collect();
        assert_eq!(steps, [r#""send" "clerk" null"#, r#""return" "town" "Sai số liệu quỹ""#]);
        // The list has the latest first, in pages.
        let page = world.clerk.get(&format!("{}?limit=3", releases("A"))).expect_status(200).json();
        let texts = |page: &Value| -> Vec<String> {
            let items = page["items"].as_array().unwrap().iter();
            items.map(|item| format!("{} {}", item["number"], item["status"])).collect()
        };
        assert_eq!(texts(&page), [r#"4 "sent""#, r#"3 "received""#, r#"2 "recalled""#]);
        let rest = format!("{}?cursor={}", releases("A"), page["next"].as_str().unwrap());
        assert_eq!(texts(&world.clerk.get(&rest).expect_status(200).json()), [r#"1 "returned""#]);
        // Against another one: both values side by side.
        let against = world.clerk.get(&format!("{}/4?against=3", releases("A"))).expect_status(200).json();
        let cell = &against["against"]["cells"][0];
        assert_eq!((&cell["indicator"], &cell["option"]), (&json!("x"), &json!(null)));
        assert_eq!((&cell["then"]["value"], &cell["now"]["value"]), (&json!(16), &json!(115)));
        let missing = world.clerk.get(&format!("{}/4?against=9", releases("A")));
        assert_eq!(missing.expect_problem(404, "RELEASE_NOT_FOUND"), ["against RELEASE_NOT_FOUND"]);
        let missing = world.clerk.get(&format!("{}/9", releases("A")));
        assert_eq!(missing.expect_problem(404, "RELEASE_NOT_FOUND"), ["number RELEASE_NOT_FOUND"]);
        // The feed tells each step, with its number.
        let feed = world.town.get("/v1/changes?limit=1000").expect_status(200).json();
        let told: Vec<String> = feed["items"].as_array().unwrap().iter()
            .filter(|item| item["kind"].as_str().unwrap().starts_with("release."))
            .map(|item| format!("{} {} {}", item["kind"], item["release"], item["unit"]["code"]))
            .collect();
        assert_eq!(told, [
            r#""release.sent" 1 "A""#, r#""release.returned" 1 "A""#, r#""release.sent" 2 "A""#,
            r#""release.recalled" 2 "A""#, r#""release.sent" 3 "A""#, r#""release.received" 3 "A""#,
            r#""release.sent" 4 "A""#,
        ]);
    }

    fn who_may_send_receive_and_read(backend) {
        let world = World::new(backend);
        world.commune_is_complete();
        let somebody = |login: &str, grant: &str| {
            world.server.create_account("test", login, &[grant]);
            world.server.sign_in("test", login)
        };
        let viewer = somebody("viewer", "viewer@code:A");
        let neighbour = somebody("neighbour", "approver@code:B");
        for client in [&viewer, &world.hamlet, &neighbour] {
            world.send(client, "A", &json!({})).expect_problem(403, "NOT_ALLOWED");
        }
        // The chair, who decides what the hamlets send, may send too.
        let keyed = world.chair.with("Idempotency-Key", "one");
        let sent = world.send(&keyed, "A", &json!({})).expect_status(201);
        let again = world.send(&keyed, "A", &json!({})).expect_status(201);
        assert_eq!((again.header("idempotency-replayed"), &again.text), (Some("true"), &sent.text));
        // Nobody receives the report of the own unit, and no neighbour does.
        for client in [&world.clerk, &world.chair, &neighbour, &viewer] {
            world.step(client, "A", 1, "receive").expect_problem(403, "NOT_ALLOWED");
            world.give_back(client, "A", 1, "?").expect_problem(403, "NOT_ALLOWED");
        }
        // Those below read what was sent above them, and nothing else of it.
        let seen = read(&world.hamlet, "A", 1);
        assert_eq!(seen["content"], world.read("A", 1)["content"]);
        assert_eq!(seen["drift"], json!(null));
        assert_eq!(seen["steps"][0]["by"]["login"], "");
        let listed = world.hamlet.get(&releases("A")).expect_status(200).json();
        assert_eq!(listed["items"][0]["status"], "sent");
        let of_commune = "/v1/forms/m/periods/2024/units/code:A";
        for hidden in ["submission", "rollup", "completeness"] {
            let refused = world.hamlet.get(&format!("{of_commune}/{hidden}"));
            refused.expect_problem(403, "NOT_ALLOWED");
        }
        world.hamlet.get("/v1/units/code:A").expect_problem(403, "NOT_ALLOWED");
        // A neighbour reads nothing of it; the units above do.
        neighbour.get(&releases("A")).expect_problem(403, "NOT_ALLOWED");
        neighbour.get(&format!("{}/1", releases("A"))).expect_problem(403, "NOT_ALLOWED");
        assert_eq!(read(&world.province, "A", 1)["drift"]["changed"], false);
        world.step(&world.province, "A", 1, "receive").expect_status(200);
        // A root's report is received by whoever decides on the root itself.
        let accept = json!([{"unit": "code:T", "reason": "Chưa gửi"}]);
        world.send(&world.province, "P", &json!({"accept": accept})).expect_status(201);
        world.step(&world.town, "P", 1, "receive").expect_problem(403, "NOT_ALLOWED");
        assert_eq!(read(&world.hamlet, "P", 1)["content"]["to"], json!(null));
        world.step(&world.province, "P", 1, "receive").expect_status(200);
    }

    fn a_late_correction_is_told_beside_every_copy_above_it(backend) {
        let world = World::new(backend);
        world.commune_is_received();
        let accept = json!([{"unit": "code:B", "reason": "Chưa gửi"}]);
        world.send(&world.town, "T", &json!({"accept": accept})).expect_status(201);
        let copies = || [copy(&world.admin, "A", 1), copy(&world.admin, "T", 1)];
        let sent = copies();
        // Approving changes no figure.
        world.report().by(&world.town).step("A", "approve").expect_status(200);
        let approved = world.read("A", 1)["drift"].clone();
        assert_eq!((&approved["changed"], &approved["units"]), (&json!(false), &json!([])));
        assert_eq!(approved["completeness"]["now"]["approved"], 4);
        world.report().by(&world.town).step("A", "reopen").expect_status(200);
        // A correction, and a new text of the commune's own.
        world.report().by(&world.chair).step("A1", "reopen").expect_status(200);
        world.report().submit("A1", &[value("x", 51), value("y", 7)]);
        let narrative = json!([{"section": "I", "text": "Đã làm rất tốt."}]);
        let own = json!({"values": [value("x", 10)], "narrative": narrative, "submit": true});
        world.report().by(&world.clerk).put("A", &own).expect_status(200);
        for (unit, texts) in [("A", 1), ("T", 0)] {
            let release = world.read(unit, 1);
            assert_eq!(drifted(&release), ["x 16→66", "y null→7"], "{unit}");
            let drift = &release["drift"];
            assert_eq!(drift["changed"], true);
            assert_eq!(drift["narrative"].as_array().unwrap().len(), texts);
            let units = drift["units"].as_array().unwrap().iter();
            let units: Vec<&str> = units.map(|unit| unit["code"].as_str().unwrap()).collect();
            assert_eq!(units, ["A", "A1"]);
        }
        let drift = &world.read("A", 1)["drift"];
        assert_eq!(drift["narrative"], json!([{"section": "I", "then": "Đã làm tốt.", "now": "Đã làm rất tốt."}]));
        // What is withdrawn is missing now.
        world.report().by(&world.chair).step("A3", "reopen").expect_status(200);
        world.report().step("A3", "withdraw").expect_status(200);
        let drift = &world.read("T", 1)["drift"];
        assert_eq!((&drift["completeness"]["then"]["submitted"], &drift["completeness"]["now"]["submitted"]), (&json!(4), &json!(3)));
        assert_eq!(copies(), sent);
    }

    fn nothing_changes_what_was_sent(backend) {
        let world = World::new(backend);
        world.commune_is_received();
        let a = id_of(&world.admin, "A");
        let sent = copy(&world.admin, &a, 1);
        let expect_same = |when: &str| {
            assert_eq!(copy(&world.admin, &a, 1), sent, "{when}");
        };
        // Renamed within the period, and taken back.
        let renamed = world.admin.reorganise("2024-07-01", &json!([
            {"op": "rename", "unit": "code:A", "name": "Xã Mới"}, {"op": "rename", "unit": "code:A1", "name": "Ấp Mới"},
        ]));
        expect_same("renamed");
        assert_eq!(world.read(&a, 1)["unit"]["name"], "Xã Mới");
        assert_eq!(world.read(&a, 1)["content"]["unit"]["name"], "Xã A");
        world.admin.undo(&renamed);
        expect_same("named as before");
        // A hamlet goes to another commune within the period: that is drift.
        let moved = world.admin.reorganise("2024-07-01", &json!([{"op": "move", "unit": "code:A1", "parent": "code:B"}]));
        expect_same("moved");
        assert_eq!(drifted(&world.read(&a, 1)), ["x 16→15", "y null→null"]);
        world.admin.undo(&moved);
        assert_eq!(world.read(&a, 1)["drift"]["changed"], false);
        // The commune itself ends within the period: its report stays where it was.
        let merged = world.admin.reorganise("2024-07-01", &json!([merge(&["A", "B"], &commune("C", "T"))]));
        expect_same("merged");
        let release = world.read(&a, 1);
        assert_eq!((&release["drift"], &release["status"]), (&json!(null), &json!("received")));
        assert_eq!(read(&world.hamlet, &a, 1)["content"], release["content"]);
        world.admin.undo(&merged);
        expect_same("divided again");
        // Another process serves the same database.
        let program = Program::serve(&world.server.database);
        assert_eq!(copy(&program.sign_in("test", "admin"), &a, 1), sent);
        drop(program);
        // A new version of an indicator and of the form.
        let mut other = form(&["x"]);
        other["valid_from"] = json!("2025-01-01");
        world.admin.replace("/v1/forms/m", &other);
        expect_same("another form");
    }

    fn what_was_sent_on_a_new_map_keeps_that_map(backend) {
        let world = World::new(backend);
        let merged = world.admin.reorganise("2024-07-01", &json!([merge(&["A", "B"], &commune("C", "T"))]));
        let undo = |client: &Client| client.with("If-Match", "*").post(&format!("{merged}/undo"));
        let units = ["C", "A1", "A2", "A3", "B1"];
        let accept: Vec<Value> = units.iter().map(|unit| json!({"unit": format!("code:{unit}"), "reason": "Chờ"})).collect();
        world.send(&world.admin, "C", &json!({"accept": accept})).expect_status(201);
        let refused = undo(&world.admin.with("Accept-Language", "en"));
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        refused.expect_problem(409, "REORGANISATION_BUILT_ON");
        assert!(detail.contains("Xã C (C) sent its report"), "{detail}");
    }

    fn of_two_at_once_one_wins(backend) {
        let world = World::new(backend);
        world.commune_is_complete();
        let send = || world.send(&world.clerk, "A", &json!({}));
        assert_eq!(at_once(&[&send, &send, &send, &send]), [201, 409, 409, 409]);
        let (town, clerk) = (world.seeing(&world.town, "A", 1), world.seeing(&world.clerk, "A", 1));
        let of_one = |step: &str| format!("{}/1/{step}", releases("A"));
        let receive = || town.post(&of_one("receive"));
        let give_back = || town.post_json(&of_one("return"), &json!({"reason": "Sai"}));
        let recall = || clerk.post(&of_one("recall"));
        assert_eq!(at_once(&[&receive, &recall, &give_back]), [200, 412, 412]);
        assert_eq!(world.read("A", 1)["steps"].as_array().unwrap().len(), 2);
    }

    fn a_longer_period_is_sent_up_too(backend) {
        let mut monthly = form(&["x"]);
        monthly["frequency"] = json!("month");
        let world = World::with_form(backend, monthly);
        for month in ["2024-10", "2024-11", "2024-12"] {
            for unit in ["A", "A1", "A2", "A3"] {
                world.reports.submit(unit, month, json!({"x": 2}));
            }
        }
        world.reports.of("2024-11").step("A3", "withdraw").expect_status(200);
        let path = "/v1/forms/m/periods/2024-Q4/units/code:A/releases";
        let english = world.clerk.with("Accept-Language", "en");
        let lacks = named_lacks(english.post_json(path, &json!({})));
        assert_eq!(lacks.len(), 3, "{lacks:?}");
        assert!(lacks[0].contains("Ấp Một (A1) has 3 reports that are not approved"), "{lacks:?}");
        assert!(lacks[2].contains("Ấp Ba (A3) lacks 1 of 3 reports"), "{lacks:?}");
        let accept: Vec<Value> = ["A1", "A2", "A3"].iter()
            .map(|unit| json!({"unit": format!("code:{unit}"), "reason": "Chờ"})).collect();
        let sent = english.post_json(path, &json!({"accept": accept})).expect_status(201);
        let release = world.clerk.get(sent.header("location").unwrap()).expect_status(200).json();
        assert_eq!(release["content"]["cells"][0]["value"], 22);
        world.reports.submit("A3", "2024-11", json!({"x": 5}));
        let release = world.clerk.get(sent.header("location").unwrap()).expect_status(200).json();
        assert_eq!(drifted(&release), ["x 22→27"]);
        assert_eq!(release["drift"]["units"][0]["code"], "A3");
        let completeness = world.reports.completeness("A", "2024-Q4");
        assert_eq!(completeness["release"]["number"], 1);
        // Nothing is sent before its period begins.
        let early = world.clerk.post_json("/v1/forms/m/periods/2090-Q4/units/code:A/releases", &json!({}));
        early.expect_problem(422, "PERIOD_NOT_OPEN");
    }

    fn each_step_of_a_release_has_a_receipt_with_the_figures_that_were_sent(backend) {
        let world = World::new(backend);
        world.commune_is_complete();
        let sent = world.send(&world.clerk, "A", &json!({})).expect_status(201).json();
        let returned = world.give_back(&world.town, "A", 1, "Sai số liệu quỹ").expect_status(200).json();
        let second = world.send(&world.clerk, "A", &json!({})).expect_status(201).json();
        let received = world.step(&world.town, "A", 2, "receive").expect_status(200).json();
        let steps = |number: i32| -> Vec<Value> {
            let release = world.read("A", number);
            assert_eq!(release["receipt"], release["steps"][1]["receipt"]);
            release["steps"].as_array().unwrap().iter().map(|step| step["receipt"].clone()).collect()
        };
        assert_eq!(steps(1), [&sent, &returned].map(|answer| answer["receipt"].clone()));
        assert_eq!(steps(2), [&second, &received].map(|answer| answer["receipt"].clone()));
        let read = |client: &Client, answer: &Value| {
            let path = format!("/v1/receipts/{}", answer["receipt"].as_str().unwrap());
            client.get(&path).expect_status(200).json()
        };
        let kinds = ["release.sent", "release.returned", "release.sent", "release.received"];
        for (kind, answer) in kinds.into_iter().zip([&sent, &returned, &second, &received]) {
            let receipt = read(&world.town, answer);
            assert_eq!(receipt["kind"], kind);
            let content = &receipt["content"];
            assert_eq!((&content["release"], &content["copy"]), (&answer["number"], &answer["hash"]));
            assert_eq!((&receipt["unit"], &receipt["period"]), (&answer["unit"], &answer["period"]));
            let figures = receipt["figures"].as_array().unwrap();
            let figures: Vec<String> = figures.iter().map(|figure| format!("{} {}", figure["indicator"], figure["figure"])).collect();
            assert_eq!(figures, [r#""x" "16""#], "what nobody reported has no figure");
        }
        assert_eq!(read(&world.town, &returned)["content"]["reason"]["text"], "Sai số liệu quỹ");
        // Whoever is below may read what was sent of it, and what became of it.
        let before = read(&world.hamlet, &sent);
        world.reports.submit("A", "2024", json!({"x": 1000}));
        let renamed = json!([{"op": "rename", "unit": "code:A", "name": "Xã Mới"}]);
        world.admin.reorganise("2024-07-01", &renamed);
        let after = read(&world.hamlet, &sent);
        for field in ["canonical", "hash", "figures"] {
            assert_eq!(after[field], before[field], "{field}");
        }
        world.server.create_account("test", "stranger", &["approver@code:B"]);
        let path = format!("/v1/receipts/{}", sent["receipt"].as_str().unwrap());
        world.server.sign_in("test", "stranger").get(&path).expect_problem(404, "RECEIPT_NOT_FOUND");
    }

    fn whoever_sent_sees_where_it_is_and_in_which_reports_above(backend) {
        let world = World::new(backend);
        let hamlet = world.report().by(&world.hamlet);
        let whereabouts = || {
            let path = format!("{}?include=whereabouts", hamlet.submission("A2"));
            let shown = world.hamlet.get(&path).expect_status(200).json()["whereabouts"].clone();
            assert!(shown["since"].is_string());
            let releases = shown["releases"].as_array().unwrap().iter();
            let releases: Vec<String> = releases
                .map(|one| format!("{} {} {}", one["unit"]["code"], one["number"], one["status"]).replace('"', ""))
                .collect();
            (format!("{} {}", shown["state"].as_str().unwrap(), shown["at"]["code"].as_str().unwrap()), releases)
        };
        let at = |place: &str, releases: &[&str]| {
            let releases = releases.iter().map(|one| (*one).to_owned()).collect();
            (place.to_owned(), releases)
        };
        hamlet.put("A2", &json!({"values": [value("x", 1)]})).expect_status(201);
        assert_eq!(whereabouts(), at("draft A2", &[]));
        let sent = hamlet.step("A2", "submit").expect_status(200).json();
        assert_eq!(sent["whereabouts"], Value::Null);
        assert_eq!(hamlet.get("A2"), sent, "unasked, reading tells what the step told");
        assert_eq!(whereabouts(), at("with_approver A", &[]));
        world.report().by(&world.chair).give_back("A2", &json!({"reason": "Sai"})).expect_status(200);
        assert_eq!(whereabouts(), at("returned A2", &[]));
        world.commune_is_complete();
        assert_eq!(whereabouts(), at("approved A", &[]));
        world.send(&world.clerk, "A", &json!({})).expect_status(201);
        assert_eq!(whereabouts(), at("approved A", &["A 1 sent"]));
        world.give_back(&world.town, "A", 1, "Sai").expect_status(200);
        assert_eq!(whereabouts(), at("approved A", &[]));
        world.send(&world.clerk, "A", &json!({})).expect_status(201);
        world.step(&world.town, "A", 2, "receive").expect_status(200);
        let accept = json!({"accept": [{"unit": "code:B", "reason": "Mới"}]});
        world.send(&world.town, "T", &accept).expect_status(201);
        assert_eq!(whereabouts(), at("approved A", &["A 2 received", "T 1 sent"]));
        // Opening it again and a draft change no value that was sent up; a correction is in no report yet.
        world.report().by(&world.chair).step("A2", "reopen").expect_status(200);
        assert_eq!(whereabouts(), at("reopened A2", &["A 2 received", "T 1 sent"]));
        hamlet.put("A2", &json!({"values": [value("x", 9)]})).expect_status(200);
        assert_eq!(whereabouts(), at("draft A2", &["A 2 received", "T 1 sent"]));
        hamlet.step("A2", "submit").expect_status(200);
        assert_eq!(whereabouts(), at("with_approver A", &[]));
        world.report().by(&world.chair).step("A2", "approve").expect_status(200);
        world.send(&world.clerk, "A", &json!({})).expect_status(201);
        assert_eq!(whereabouts(), at("approved A", &["A 3 sent"]));
        // The commune's own values are in its own report, and with the town.
        let own = format!("{}?include=whereabouts", world.report().submission("A"));
        let own = world.clerk.get(&own).expect_status(200).json()["whereabouts"].clone();
        assert_eq!((&own["at"]["code"], own["releases"].as_array().unwrap().len()), (&json!("T"), 2));
    }

    fn a_copy_changed_with_its_hash_and_a_release_taken_out_are_found_by_the_command(backend) {
        let world = World::new(backend);
        world.commune_is_complete();
        for number in 1..=2 {
            world.send(&world.clerk, "A", &json!({})).expect_status(201);
            world.step(&world.clerk, "A", number, "recall").expect_status(200);
        }
        let altered = || {
            let output = tonghop_on(&world.server.database, &["verify"]).output().unwrap();
            let told = String::from_utf8(output.stdout).unwrap();
            let altered = told.lines().filter(|line| line.contains("is not what was sent"));
            let altered = altered.map(|line| line.split("release ").nth(1).unwrap().to_owned());
            altered.collect::<Vec<String>>()
        };
        assert_eq!(altered(), [""; 0]);
        let of_second = |column: &str| format!(
            "(SELECT other.{column} FROM release_content AS other WHERE other.number = 2)"
        );
        let (content, hash) = (of_second("content"), of_second("hash"));
        let forged = format!("UPDATE release_content SET content = {content}, hash = {hash} WHERE number = 1");
        world.server.write_beside(&forged);
        assert_eq!(altered(), ["1 is not what was sent"]);
        for table in ["release_content", "release_step", "release"] {
            world.server.write_beside(&format!("DELETE FROM {table} WHERE number = 2"));
        }
        assert_eq!(altered(), ["1 is not what was sent", "2 is not what was sent"]);
    }

    fn a_copy_that_is_not_what_was_sent_is_found_by_the_command(backend) {
        let world = World::new(backend);
        world.commune_is_complete();
        for number in 1..=2 {
            world.send(&world.clerk, "A", &json!({})).expect_status(201);
            world.step(&world.clerk, "A", number, "recall").expect_status(200);
        }
        let verify = || {
            let output = tonghop_on(&world.server.database, &["verify"]).output().unwrap();
            let told = String::from_utf8(output.stdout).unwrap();
            let releases = told.lines().filter(|line| line.contains("release")).map(str::to_owned);
            (output.status.success(), releases.collect::<Vec<String>>())
        };
        let compared = "test: 2 releases compared with their hashes";
        assert_eq!(verify(), (true, vec![compared.to_owned()]));
        world.server.write_beside(
            "UPDATE release_content SET content = \
               (SELECT other.content FROM release_content AS other WHERE other.number = 2) \
             WHERE number = 1",
        );
        let altered = |number: i32| format!("test: m 2024 {} release {number} is not what was sent", id_of(&world.admin, "A"));
        assert_eq!(verify(), (false, vec![altered(1), compared.to_owned()]));
        world.server.write_beside("DELETE FROM release_content WHERE number = 2");
        assert_eq!(verify(), (false, vec![altered(1), altered(2), compared.to_owned()]));
    }
}
