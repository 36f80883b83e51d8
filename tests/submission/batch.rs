//! Many submissions entered in one call: all or none, or each by itself, with the meaning of single
//! calls.

use std::sync::Barrier;

use serde_json::{Value, json};

use crate::harness::report::{Report, value};
use crate::harness::town::Town;
use crate::harness::{Answer, Backend, Client, Server};

const PATH: &str = "/v1/submissions/batch";

/// Commune `A` with many hamlets, more than one chunk takes, and commune `B` with one.
const HAMLETS: usize = 300;

fn units(hamlets: usize) -> String {
    let hamlets = (1..=hamlets).map(|number| format!("A{number},Ấp {number},hamlet,A\n"));
    let communes = "T,Thị xã,town,\nA,Xã A,commune,T\nB,Xã B,commune,T\nB1,Ấp B,hamlet,B\n";
    format!("{communes}{}", hamlets.collect::<String>())
}

struct World {
    server: Server,
    admin: Client,
    /// Enters for commune `A` and all below it.
    clerk: Client,
    report: Report,
}

impl World {
    fn new(backend: Backend, hamlets: usize) -> World {
        World::of(Town::of(backend, &units(hamlets)))
    }

    fn of(town: Town) -> World {
        let town = town.indicators(&[("x", "sum"), ("high", "max")]);
        let (server, admin, report) = town.form("f", "year").build_for("2024");
        server.create_account("test", "clerk", &["reporter@code:A"]);
        let clerk = server.sign_in("test", "clerk");
        World {
            server,
            admin,
            clerk,
            report,
        }
    }

    /// A unit's submission over what is there now.
    fn over(&self, unit: &str, x: impl Into<Value>) -> Value {
        let etag = self
            .admin
            .get(&self.report.submission(unit))
            .etag()
            .to_owned();
        replacing(unit, &etag, x)
    }

    /// The rev of the last commit.
    fn rev(&self) -> i64 {
        let changes = self.admin.get("/v1/changes?limit=1000").json();
        let last = changes["items"].as_array().unwrap().last();
        last.unwrap()["rev"].as_i64().unwrap()
    }
}

fn item(unit: &str, x: impl Into<Value>) -> Value {
    json!({"form": "f", "period": "2024", "unit": format!("code:{unit}"),
           "values": [value("x", x)], "submit": true})
}

fn creating(unit: &str, x: impl Into<Value>) -> Value {
    let mut item = item(unit, x);
    item["create"] = json!(true);
    item
}

fn replacing(unit: &str, etag: &str, x: impl Into<Value>) -> Value {
    let mut item = item(unit, x);
    item["if_match"] = json!(etag);
    item
}

fn send(client: &Client, atomic: bool, items: &[Value]) -> Answer {
    client.post_json(PATH, &json!({"atomic": atomic, "items": items}))
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

/// All hamlets, each with its number as its value.
fn all_new(hamlets: usize) -> Vec<Value> {
    let numbers = 1..=i64::try_from(hamlets).unwrap();
    numbers
        .map(|number| creating(&format!("A{number}"), number))
        .collect()
}

on_both_backends! {
    fn many_are_entered_in_one_commit_and_each_as_if_it_were_alone(backend) {
        let world = World::new(backend, HAMLETS);
        let answer = send(&world.clerk, true, &all_new(HAMLETS)).expect_status(200);
        assert_eq!(told(&answer), vec!["201"; HAMLETS]);
        let sum: usize = (1..=HAMLETS).sum();
        let reported = format!("{sum} {HAMLETS}/{}", HAMLETS + 3);
        assert_eq!(world.report.figure("T", "x"), reported);
        assert_eq!(world.report.verify("T")["equal"], true);
        // In each chunk what a single call would have answered.
        let items = answer.json();
        let rev = &items["items"][0]["submission"]["rev"];
        let of_commit = items["items"].as_array().unwrap().iter();
        assert!(of_commit.map(|item| &item["submission"]["rev"]).all(|of_item| of_item == rev));
        for number in [1, 256, 257, HAMLETS] {
            let item = &items["items"][number - 1];
            let unit = format!("A{number}");
            let alone = world.clerk.get(&world.report.submission(&unit));
            assert_eq!(item["etag"], json!(alone.etag()));
            let alone = alone.json();
            for field in ["form", "period", "unit", "status", "revision", "rev", "receipt", "warnings"] {
                assert_eq!(item["submission"][field], alone[field], "{unit} {field}");
            }
            assert_eq!(item["submission"].get("values"), None);
            let receipt = item["submission"]["receipt"].as_str().unwrap();
            let receipt = world.clerk.get(&format!("/v1/receipts/{receipt}")).expect_status(200);
            assert_eq!(receipt.json()["unit"]["code"], json!(unit));
        }
        // One item of the feed each.
        let changes = world.admin.get("/v1/changes?limit=1000&kind=submission.submitted").json();
        assert_eq!(changes["items"].as_array().unwrap().len(), HAMLETS);
    }

    fn one_that_is_refused_keeps_all_out_and_every_fault_of_every_item_is_told(backend) {
        let world = World::new(backend, 20);
        world.report.submit("A4", &[value("x", 4)]);
        let stale = world.over("A4", 40);
        world.report.submit("A4", &[value("x", 5)]);
        let before = world.rev();
        let mut items = all_new(20);
        items[1]["values"] = json!([value("x", "1.5"), value("y", 2)]);
        items[3] = stale;
        items[4] = creating("A4", 3);
        items[6] = creating("B1", 1);
        items[7] = creating("nowhere", 1);
        items[8]["form"] = json!("unknown");
        items[9] = item("A10", 1);
        items[10] = creating("A1", 1);
        items[11]["if_match"] = json!("\"1\"");
        items[12] = replacing("A13", "1", 1);
        items[13]["period"] = json!("2024-06");
        items[14]["narrative"] = json!([{"section": "IX", "text": "?"}]);
        let faults = send(&world.clerk, true, &items).expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(
            faults,
            [
                "/items/1/values/0/value TOO_MANY_DECIMALS",
                "/items/1/values/1/indicator UNKNOWN_INDICATOR",
                "/items/10 DUPLICATE",
                "/items/11/create INVALID_BODY",
                "/items/12/if_match INVALID_BODY",
                "/items/13/period PERIOD_NOT_FOUND",
                "/items/14/narrative/0/section UNKNOWN_SECTION",
                "/items/3 PRECONDITION_FAILED",
                "/items/4 DUPLICATE",
                "/items/6 NOT_ALLOWED",
                "/items/7/unit UNIT_NOT_FOUND",
                "/items/8/form FORM_NOT_FOUND",
                "/items/9 PRECONDITION_REQUIRED",
            ]
        );
        assert_eq!(world.rev(), before);
        assert_eq!(world.report.figure("T", "x"), "5 1/23");
        // What is found only among what is there is told with the others, and keeps all out too.
        let items = [creating("A1", 1), creating("A4", 1), replacing("A5", "*", 1), creating("A6", "x")];
        let faults = send(&world.clerk, true, &items).expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(
            faults,
            ["/items/1 PRECONDITION_FAILED", "/items/2 PRECONDITION_FAILED", "/items/3/values/0/value INVALID_NUMBER"]
        );
        assert_eq!(world.rev(), before);
    }

    fn each_by_itself_leaves_the_others_alone(backend) {
        let world = World::new(backend, 20);
        world.report.submit("A4", &[value("x", 4)]);
        let mut items = all_new(20);
        items[1]["values"] = json!([value("x", "1.5")]);
        items[3] = world.over("A4", 40);
        items[6] = creating("B1", 1);
        items[7] = creating("nowhere", 1);
        items[9] = item("A10", 1);
        items[10] = creating("A1", 1);
        items[11]["if_match"] = json!("\"1\"");
        items[12]["submit"] = json!(false);
        items[13] = replacing("A14", "*", 1);
        let answer = send(&world.clerk, false, &items).expect_status(207);
        let mut expected = vec!["201".to_owned(); 20];
        expected[1] = "422 INVALID_SUBMISSION /items/1/values/0/value".to_owned();
        expected[3] = "200".to_owned();
        expected[6] = "403 NOT_ALLOWED".to_owned();
        expected[7] = "404 UNIT_NOT_FOUND /items/7/unit".to_owned();
        expected[9] = "428 PRECONDITION_REQUIRED".to_owned();
        expected[10] = "422 DUPLICATE".to_owned();
        expected[11] = "422 INVALID_SUBMISSION /items/11/create".to_owned();
        expected[13] = "412 PRECONDITION_FAILED".to_owned();
        assert_eq!(told(&answer), expected);
        assert_eq!(world.report.get("A13")["status"], "draft");
        let entered = [1, 3, 40, 5, 6, 9, 15, 16, 17, 18, 19, 20];
        let sum: i64 = entered.iter().sum();
        assert_eq!(world.report.figure("T", "x"), format!("{sum} {}/23", entered.len()));
        assert_eq!(world.report.verify("T")["equal"], true);
        let items = answer.json();
        assert_eq!(items["items"][1]["problem"]["request_id"], json!(answer.header("x-request-id")));
        let alone = world.clerk.get(&world.report.submission("A1"));
        assert_eq!(items["items"][0]["etag"], json!(alone.etag()));
    }

    fn a_whole_that_is_sent_again_has_one_effect(backend) {
        let world = World::new(backend, 20);
        let keyed = world.clerk.with("Idempotency-Key", "night-1");
        let first = send(&keyed, true, &all_new(20)).expect_status(200);
        assert_eq!(first.header("idempotency-replayed"), None);
        let before = world.rev();
        let again = send(&keyed, true, &all_new(20)).expect_status(200);
        assert_eq!(again.text, first.text);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(world.rev(), before);
        send(&keyed, true, &all_new(19)).expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
        // Whoever may not enter for the units any more is not told what was answered.
        let account = world.admin.get("/v1/accounts?q=clerk").json()["items"][0]["id"].clone();
        let path = format!("/v1/accounts/{}/grants", account.as_str().unwrap());
        let grants = json!([{"role": "reporter", "unit": "code:B"}]);
        world.admin.with("If-Match", "*").put(&path, &grants).expect_status(200);
        let faults = send(&keyed, true, &all_new(20)).expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(faults.len(), 20);
        assert_eq!(faults[0], "/items/0 NOT_ALLOWED");
    }

    fn each_by_itself_that_is_sent_again_repeats_what_was_entered_and_tries_the_rest(backend) {
        let world = World::new(backend, 20);
        let keyed = world.clerk.with("Idempotency-Key", "night-1");
        let mut items = all_new(20);
        items[3]["values"] = json!([value("x", "x")]);
        let first = send(&keyed, false, &items).expect_status(207);
        assert_eq!(told(&first).iter().filter(|told| *told == "201").count(), 19);
        let again = send(&keyed, false, &items).expect_status(207);
        assert_eq!(told(&again), told(&first));
        assert_eq!(again.json()["items"][0], first.json()["items"][0]);
        assert_eq!(again.header("idempotency-replayed"), None);
        items[3] = creating("A4", 4);
        items.remove(1);
        let mended = send(&keyed, false, &items).expect_status(207);
        assert_eq!(told(&mended), vec!["201"; 19]);
        assert_eq!(mended.json()["items"][0], first.json()["items"][0]);
        let whole = send(&keyed, false, &items).expect_status(207);
        assert_eq!(whole.header("idempotency-replayed"), Some("true"));
        assert_eq!(world.report.get("A1")["revision"], 1);
        assert_eq!(world.report.figure("T", "x"), "210 20/23");
        items[0] = creating("A1", 7);
        let reused = send(&keyed, false, &items[..1]).expect_status(207);
        assert_eq!(told(&reused), ["422 IDEMPOTENCY_KEY_REUSED"]);
    }

    fn a_rule_holds_for_what_all_add_up_to(backend) {
        let rules = json!([
            {"code": "MOST", "severity": "error", "expression": "x <= 100",
             "message": {"vi": "Quá nhiều", "en": "Too much"}},
            {"code": "USUAL", "severity": "warning", "expression": "x <= 50",
             "message": {"vi": "Nhiều", "en": "Much"}},
        ]);
        let town = Town::of(backend, &units(HAMLETS)).indicators(&[("x", "sum")]);
        let (_server, admin, report) = town.form("f", "year").with("rules", rules).build_for("2024");
        // The commune's own total is right after the first chunk, and not after the last.
        let mut items = vec![creating("A", 1)];
        items.extend((1..=HAMLETS).map(|number| creating(&format!("A{number}"), i64::from(number > 180))));
        let faults = send(&admin, true, &items).expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(faults, ["/items/0/values RULE_BROKEN"]);
        assert_eq!(report.read("T/rollup")["cells"][0]["value"], Value::Null);
        items[1] = creating("A1", 101);
        let faults = send(&admin, true, &items).expect_problem(422, "INVALID_SUBMISSION");
        assert_eq!(faults, ["/items/0/values RULE_BROKEN", "/items/1/values RULE_BROKEN"]);
        let items = [creating("A", 1), creating("A1", 60), creating("A2", 2)];
        let entered = send(&admin, true, &items).expect_status(200).json();
        let warnings = |index: usize| {
            let warnings = entered["items"][index]["submission"]["warnings"].as_array().unwrap();
            warnings.iter().map(|warning| warning["code"].clone()).collect::<Vec<_>>()
        };
        assert_eq!([warnings(0), warnings(1), warnings(2)], [vec![json!("USUAL")], vec![json!("USUAL")], vec![]]);
        let alone = admin.get(&report.submission("A"));
        assert_eq!(entered["items"][0]["etag"], json!(alone.etag()));
    }

    fn a_call_may_be_of_several_periods_of_a_year(backend) {
        let town = Town::of(backend, &units(2)).over_time(&[("x", "sum", "sum"), ("end", "sum", "last")]);
        let (_server, admin, reports) = town.form("m", "month").build();
        let months: Vec<String> = (1..=12).map(|month| format!("2024-{month:02}")).collect();
        let items = months.iter().enumerate().flat_map(|(index, month)| {
            ["A1", "A2"].map(|unit| {
                json!({"form": "m", "period": month, "unit": format!("code:{unit}"), "create": true, "submit": true,
                       "values": [value("x", index + 1), value("end", index + 1)]})
            })
        });
        let items: Vec<Value> = items.collect();
        let answer = send(&admin, true, &items).expect_status(200);
        assert_eq!(told(&answer), vec!["201"; 24]);
        assert_eq!(reports.figure("T", "2024", "x"), "156 24/60");
        assert_eq!(reports.figure("T", "2024-Q1", "x"), "12 6/15");
        assert_eq!(reports.figure("T", "2024", "end"), "24 24/60");
        reports.expect_verified("T", &["2024", "2024-Q1", "2024-07"]);
        let mut corrected = items;
        for item in &mut corrected {
            item.as_object_mut().unwrap().remove("create");
            item["if_match"] = json!("*");
            item["values"] = json!([value("x", 1)]);
        }
        let answer = send(&admin, false, &corrected).expect_status(207);
        assert_eq!(told(&answer), vec!["200"; 24]);
        assert_eq!(reports.figure("T", "2024", "x"), "24 24/60");
        reports.expect_verified("T", &["2024", "2024-Q1", "2024-07"]);
    }

    fn of_two_wholes_at_once_over_the_same_units_one_is_entered(backend) {
        let world = World::new(backend, 40);
        let start = Barrier::new(4);
        let revs = std::thread::scope(|threads| {
            let senders: Vec<_> = (0..4).map(|sender| {
                let (clerk, start) = (world.clerk.clone(), &start);
                threads.spawn(move || {
                    let items: Vec<Value> = (1..=40).map(|number| creating(&format!("A{number}"), sender)).collect();
                    start.wait();
                    let answer = send(&clerk, true, &items);
                    if answer.status == 200 {
                        return Some(sender);
                    }
                    let faults = answer.expect_problem(422, "INVALID_SUBMISSION");
                    assert_eq!(faults.len(), 40);
                    assert!(faults.iter().all(|fault| fault.ends_with(" PRECONDITION_FAILED")), "{faults:?}");
                    None
                })
            }).collect();
            senders.into_iter().filter_map(|sender| sender.join().unwrap()).collect::<Vec<i64>>()
        });
        assert_eq!(revs.len(), 1);
        assert_eq!(world.report.figure("T", "x"), format!("{} 40/43", revs[0] * 40));
        assert_eq!(world.report.verify("T")["equal"], true);
    }

    fn who_enters_nowhere_is_refused_as_a_whole_and_a_call_has_one_to_a_thousand_items(backend) {
        let world = World::new(backend, 2);
        world.server.create_account("test", "reader", &["viewer@code:A"]);
        let reader = world.server.sign_in("test", "reader");
        for atomic in [true, false] {
            send(&reader, atomic, &[creating("A1", 1)]).expect_problem(403, "NOT_ALLOWED");
            for count in [0, 1001] {
                let refused = send(&world.clerk, atomic, &vec![creating("A1", 1); count]);
                assert_eq!(refused.expect_problem(400, "INVALID_BODY"), ["/items INVALID_BODY"]);
            }
        }
        let most = send(&world.clerk, false, &vec![creating("A1", 1); 1000]).expect_status(207);
        let told = told(&most);
        assert_eq!(told[0], "201");
        assert!(told[1..].iter().all(|told| told == "422 DUPLICATE"));
        let unknown = json!({"atomic": true, "items": [{"form": "f", "period": "2024", "unit": "code:A1", "etag": "\"1\"", "values": []}]});
        let refused = world.clerk.post_json(PATH, &unknown).expect_problem(400, "INVALID_BODY");
        assert_eq!(refused, ["/items/0/etag UNKNOWN_FIELD"]);
    }
}
