//! Many submissions approved in one call: each answered by itself, and each seen before.

use serde_json::{Value, json};

use crate::harness::report::{Report, value};
use crate::harness::town::Town;
use crate::harness::{Answer, Backend, Client, Server};

/// Commune `A` with twenty hamlets, and commune `B` with one.
fn units() -> String {
    let hamlets = (1..=20).map(|number| format!("A{number},Ấp {number},hamlet,A\n"));
    let communes = "T,Thị xã,town,\nA,Xã A,commune,T\nB,Xã B,commune,T\nB1,Ấp B,hamlet,B\n";
    format!("{communes}{}", hamlets.collect::<String>())
}

/// The hamlets have submitted their numbers, and `chief` approves in commune `A`.
struct World {
    server: Server,
    admin: Client,
    chief: Client,
    report: Report,
}

const PATH: &str = "/v1/submissions/approve";

impl World {
    fn new(backend: Backend) -> World {
        let town = Town::of(backend, &units()).indicators(&[("x", "sum")]);
        let (server, admin, report) = town.form("f", "year").build_for("2024");
        server.create_account("test", "chief", &["approver@code:A"]);
        let chief = server.sign_in("test", "chief");
        for number in 1..=20 {
            report.submit(&format!("A{number}"), &[value("x", number)]);
        }
        report.submit("B1", &[value("x", 100)]);
        World {
            server,
            admin,
            chief,
            report,
        }
    }

    /// A unit's submission as it is now, as an item.
    fn item(&self, unit: &str) -> Value {
        let seen = self.admin.get(&self.report.submission(unit));
        item(unit, &json!(seen.etag()))
    }

    /// The hamlets of `A` as they are now.
    fn items(&self) -> Vec<Value> {
        let hamlets = (1..=20).map(|number| self.item(&format!("A{number}")));
        hamlets.collect()
    }
}

fn item(unit: &str, if_match: &Value) -> Value {
    json!({"form": "f", "period": "2024", "unit": format!("code:{unit}"), "if_match": if_match})
}

fn approve(client: &Client, items: &[Value]) -> Answer {
    client.post_json(PATH, &json!({"items": items}))
}

/// The items of an answer as `status`, or `status CODE`, with the pointers of its faults.
fn told(answer: &Answer) -> Vec<String> {
    let answer = answer.json();
    let items = answer["items"].as_array().unwrap().iter();
    let told = items.map(|item| {
        let problem = &item["problem"];
        let faults = problem["errors"].as_array().into_iter().flatten();
        let faults = faults.map(|fault| format!(" {}", fault["pointer"].as_str().unwrap()));
        match problem["code"].as_str() {
            None => item["status"].to_string(),
            Some(code) => {
                assert_eq!(problem["status"], item["status"]);
                assert_eq!(item["submission"], Value::Null);
                format!("{} {code}{}", item["status"], faults.collect::<String>())
            }
        }
    });
    told.collect()
}

on_both_backends! {
    fn many_are_approved_in_one_call_and_each_is_answered_by_itself(backend) {
        let world = World::new(backend);
        let mut items = world.items();
        // The fourth is changed after it was seen, the sixth is approved already.
        world.report.submit("A4", &[value("x", 40)]);
        world.report.step("A6", "approve").expect_status(200);
        items[5] = world.item("A6");
        // The eighth is of a unit of somebody else, the tenth of one that never was.
        items[7] = world.item("B1");
        items[9] = item("nowhere", &json!("\"1\""));
        // The others lack what was seen, in one way or another.
        items[11] = item("A12", &Value::Null);
        items[13] = item("A14", &json!("*"));
        items[15]["form"] = json!("unknown");
        // The last is there twice.
        items[18] = items[19].clone();

        let answer = approve(&world.chief, &items).expect_status(207);
        let told = told(&answer);
        let mut expected = vec!["200".to_owned(); 20];
        expected[3] = "412 PRECONDITION_FAILED".to_owned();
        expected[5] = "409 SUBMISSION_APPROVED".to_owned();
        expected[7] = "403 NOT_ALLOWED".to_owned();
        expected[9] = told[9].clone();
        expected[11] = "428 PRECONDITION_REQUIRED".to_owned();
        expected[13] = "400 INVALID_BODY /items/13/if_match".to_owned();
        expected[15] = told[15].clone();
        expected[19] = "412 PRECONDITION_FAILED".to_owned();
        assert_eq!(told, expected);
        assert!(told[9].starts_with("404 UNIT_NOT_FOUND"), "{told:?}");
        assert!(told[15].starts_with("404 FORM_NOT_FOUND"), "{told:?}");

        let json = answer.json();
        let first = &json["items"][0];
        // Its values have been seen.
        let whole = world.report.get("A1");
        for field in ["form", "period", "unit", "status", "revision", "rev", "receipt"] {
            assert_eq!(first["submission"][field], whole[field], "{field}");
        }
        assert_eq!(first["submission"].get("values"), None);
        let etag = world.admin.get(&world.report.submission("A1")).etag().to_owned();
        assert_eq!(first["etag"], json!(etag));
        assert_eq!(json["items"][3]["problem"]["request_id"], json!(answer.header("x-request-id")));
        let statuses = |units: &[&str]| -> Vec<String> {
            let units = units.iter();
            units.map(|unit| world.report.get(unit)["status"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(
            statuses(&["A1", "A4", "A6", "A8", "A12", "B1", "A19", "A20"]),
            ["approved", "submitted", "approved", "submitted", "submitted", "submitted", "submitted", "approved"]
        );
        let approved = [1, 2, 3, 5, 6, 7, 9, 11, 13, 15, 17, 18, 20];
        let sum: i64 = approved.iter().sum();
        assert_eq!(
            world.report.approved_figure("T", "x"),
            format!("{sum} {}/23", approved.len())
        );
        assert_eq!(world.report.verify("T")["equal"], true);
        // One item of the feed each.
        let changes = world.admin.get("/v1/changes?limit=1000&kind=submission.approved").json();
        assert_eq!(changes["items"].as_array().unwrap().len(), approved.len());
    }

    fn what_a_neighbour_has_looks_like_what_never_was(backend) {
        let world = World::new(backend);
        world.server.create_tenant("other");
        let stranger = world.server.sign_in("other", "admin");
        let id = world.report.get("A1")["unit"]["id"].as_str().unwrap().to_owned();
        let of = |unit: &str| json!({"form": "f", "period": "2024", "unit": unit, "if_match": "\"1\""});
        let never = "0191e4a5-6d1c-7c3a-9a60-2f6d0c9b1a11";
        let answer = approve(&stranger, &[of(&id), of(never)]).expect_status(207).json();
        let without_name = |index: usize, name: &str| {
            let item = answer["items"][index].to_string();
            item.replace(name, "…").replace(&format!("/items/{index}"), "/items/…")
        };
        assert_eq!(without_name(0, &id), without_name(1, never));
        assert_eq!(answer["items"][0]["status"], 404);
        assert_eq!(world.report.get("A1")["status"], "submitted");
    }

    fn who_approves_nowhere_is_refused_as_a_whole(backend) {
        let world = World::new(backend);
        world.server.create_account("test", "clerk", &["reporter@code:A"]);
        let clerk = world.server.sign_in("test", "clerk");
        approve(&clerk, &[world.item("A1")]).expect_problem(403, "NOT_ALLOWED");
        // An approver of the hamlet itself decides about nothing there.
        world.server.create_account("test", "own", &["approver@code:A1"]);
        let own = world.server.sign_in("test", "own");
        let answer = approve(&own, &[world.item("A1")]).expect_status(207);
        assert_eq!(told(&answer), ["403 NOT_ALLOWED"]);
    }

    fn a_call_that_is_sent_again_repeats_each_answer_and_tries_the_rest(backend) {
        let world = World::new(backend);
        let mut items = world.items();
        world.report.submit("A4", &[value("x", 40)]);
        let keyed = world.chief.with("Idempotency-Key", "round-1");
        let first = approve(&keyed, &items).expect_status(207);
        assert_eq!(told(&first).iter().filter(|told| *told == "200").count(), 19);
        assert_eq!(first.header("idempotency-replayed"), None);
        let revision = world.report.get("A1")["revision"].clone();
        let again = approve(&keyed, &items).expect_status(207);
        assert_eq!(told(&again), told(&first));
        assert_eq!(again.json()["items"][0], first.json()["items"][0]);
        assert_eq!(world.report.get("A1")["revision"], revision);
        // Seen anew, the one that failed is approved, and the others are repeated in any order.
        items[3] = world.item("A4");
        items.remove(1);
        let other = approve(&keyed, &items).expect_status(207);
        assert_eq!(told(&other), vec!["200"; 19]);
        assert_eq!(other.json()["items"][0], first.json()["items"][0]);
        assert_eq!(other.header("idempotency-replayed"), None);
        assert_eq!(world.report.get("A1")["revision"], revision);
        // What was approved as it was seen cannot be approved as something else under that key.
        let changed = [item("A1", &json!("\"9\""))];
        let reused = approve(&keyed, &changed).expect_status(207);
        assert_eq!(told(&reused), ["422 IDEMPOTENCY_KEY_REUSED"]);
        let keyed = world.chief.with("Idempotency-Key", "round-2");
        for unit in ["A1", "A4"] {
            world.report.step(unit, "reopen").expect_status(200);
        }
        let few = [world.item("A1"), world.item("A4")];
        let first = approve(&keyed, &few).expect_status(207);
        assert_eq!(told(&first), ["200", "200"]);
        let again = approve(&keyed, &few).expect_status(207);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.text, first.text);
        // A single approval under the same key is another request.
        let key = world.chief.with("Idempotency-Key", "round-2").with("If-Match", "*");
        key.post(&format!("{}/approve", world.report.submission("A1")))
            .expect_problem(409, "SUBMISSION_APPROVED");
    }

    fn a_call_has_one_to_a_thousand_items(backend) {
        let world = World::new(backend);
        let refused = approve(&world.chief, &[]).expect_problem(400, "INVALID_BODY");
        assert_eq!(refused, ["/items INVALID_BODY"]);
        let item = item("A1", &json!("\"9\""));
        let refused = approve(&world.chief, &vec![item.clone(); 1001]);
        assert_eq!(refused.expect_problem(400, "INVALID_BODY"), ["/items INVALID_BODY"]);
        let most = approve(&world.chief, &vec![item; 1000]).expect_status(207);
        assert!(told(&most).iter().all(|told| told == "412 PRECONDITION_FAILED"));
        let unknown = json!({"items": [{"form": "f", "period": "2024", "unit": "code:A1", "etag": "\"1\""}]});
        let refused = world.chief.post_json(PATH, &unknown).expect_problem(400, "INVALID_BODY");
        assert_eq!(refused, ["/items/0/etag UNKNOWN_FIELD"]);
    }
}
