//! Documents that change the map: what each step does to it, what speaks against one, what a dry
//! run says, what becomes of submissions, targets and grants, and how all of it is taken back.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::harness::town::{Report, form, value};
use crate::harness::{Answer, Backend, Client, Server};

/// The first day of the new map in most of these tests, and the last of the former.
const DAY: &str = "2025-07-01";
const EVE: &str = "2025-06-30";

/// The map of a day in the order of the tree: `T A<T A1<A`, with names and kinds where `with` asks.
fn map(client: &Client, day: &str) -> String {
    let units = units(client, day);
    let codes: HashMap<&str, &str> = units
        .iter()
        .map(|unit| (text(unit, "id"), text(unit, "code")))
        .collect();
    let shown = units.iter().map(|unit| {
        let parent = unit["parent"].as_str().map(|parent| codes[parent]);
        let above = parent.map_or(String::new(), |parent| format!("<{parent}"));
        format!("{}{above}", text(unit, "code"))
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn units(client: &Client, day: &str) -> Vec<Value> {
    let page = client.get(&format!("/v1/units?limit=1000&as_of={day}"));
    let page = page.expect_status(200).json();
    page["items"].as_array().unwrap().clone()
}

fn unit(client: &Client, code: &str, day: &str) -> Value {
    let answer = client.get(&format!("/v1/units/code:{code}?as_of={day}"));
    answer.expect_status(200).json()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap()
}

fn id(client: &Client, code: &str, day: &str) -> String {
    text(&unit(client, code, day), "id").to_owned()
}

/// A commune as a document describes it.
fn commune(code: &str, name: &str, parent: &str) -> Value {
    json!({"code": code, "name": name, "kind": "xã", "level": "commune", "parent": format!("code:{parent}")})
}

fn document(steps: Value) -> Value {
    json!({"effective": DAY, "legal_basis": "Nghị quyết 1654/NQ-UBTVQH15", "steps": steps})
}

fn reorganise(client: &Client, document: &Value) -> Answer {
    client.post_json("/v1/reorganisations", document)
}

/// Carries out what must be possible; the path of the reorganisation comes back.
#[track_caller]
fn reorganised(client: &Client, document: &Value) -> String {
    let answer = reorganise(client, document).expect_status(201);
    answer.header("location").unwrap().to_owned()
}

#[track_caller]
fn refused(client: &Client, steps: Value) -> Vec<String> {
    reorganise(client, &document(steps)).expect_problem(422, "INVALID_REORGANISATION")
}

fn undo(client: &Client, path: &str) -> Answer {
    client.with("If-Match", "*").post(&format!("{path}/undo"))
}

fn preview(client: &Client, document: &Value) -> Value {
    let answer = client.post_json("/v1/reorganisations?dry_run=true", document);
    answer.expect_status(200).json()
}

/// A town with the yearly form `y` and the monthly `m`, both of communes and hamlets.
fn reporting_town(backend: Backend) -> (Server, Client) {
    let (server, admin) = Server::with_town(backend);
    admin.add_indicators(&[("x", "sum")]);
    let mut monthly = form(&["x"]);
    monthly["frequency"] = json!("month");
    monthly["calendar"] = json!("civil");
    admin.put("/v1/forms/m", &monthly).expect_status(201);
    (server, admin)
}

fn revisions(client: &Client, unit: &str, month: &str) -> Vec<Value> {
    let path = format!("/v1/forms/m/periods/{month}/units/{unit}/submission/revisions");
    let page = client.get(&path).expect_status(200).json();
    page["items"].as_array().unwrap().clone()
}

on_both_backends! {
    fn each_step_changes_the_map_from_its_day_on_and_not_before(backend) {
        let (_server, admin) = Server::with_town(backend);
        let before = map(&admin, EVE);
        assert_eq!(before, "T A<T A1<A A2<A B<T B1<B");
        let step = |step: Value, day: &str| {
            let document = json!({"effective": day, "legal_basis": "NQ", "steps": [step]});
            reorganised(&admin, &document);
        };
        step(json!({"op": "create", "unit": commune("C", "Xã C", "T")}), "2025-01-01");
        assert_eq!(map(&admin, "2025-01-01"), "T A<T A1<A A2<A B<T B1<B C<T");
        step(json!({"op": "rename", "unit": "code:C", "name": "Xã Mới"}), "2025-01-02");
        step(json!({"op": "retype", "unit": "code:C", "kind": "phường"}), "2025-01-03");
        step(json!({"op": "retype", "unit": "code:C", "kind": null}), "2025-01-04");
        let kinds = ["2025-01-02", "2025-01-03", "2025-01-04"].map(|day| unit(&admin, "C", day)["kind"].clone());
        assert_eq!(kinds, [json!("xã"), json!("phường"), json!(null)]);
        assert_eq!(unit(&admin, "C", "2025-01-01")["name"], "Xã C");
        assert_eq!(unit(&admin, "C", "2025-01-02")["name"], "Xã Mới");
        step(json!({"op": "recode", "unit": "code:C", "code": "D"}), "2025-01-05");
        assert_eq!(id(&admin, "C", "2025-01-04"), id(&admin, "D", "2025-01-05"));
        step(json!({"op": "move", "unit": "code:B1", "parent": "code:D"}), "2025-01-06");
        assert_eq!(map(&admin, "2025-01-06"), "T A<T A1<A A2<A B<T D<T B1<D");
        step(json!({"op": "move", "unit": "code:B1", "parent": null}), "2025-01-07");
        assert_eq!(map(&admin, "2025-01-07"), "B1 T A<T A1<A A2<A B<T D<T");
        step(json!({"op": "abolish", "unit": "code:D"}), "2025-01-08");
        assert_eq!(map(&admin, "2025-01-08"), "B1 T A<T A1<A A2<A B<T");
        assert_eq!(map(&admin, "2025-01-05"), "T A<T A1<A A2<A B<T B1<B D<T");
        assert_eq!(map(&admin, "2024-12-31"), before);
    }

    fn units_become_one_that_is_new_or_stands_or_has_the_code_of_one_of_them(backend) {
        let (_server, admin) = Server::with_town(backend);
        let (a, b) = (id(&admin, "A", EVE), id(&admin, "B", EVE));
        let merged = |into: Value| document(json!([{"op": "merge", "from": ["code:A", "code:B"], "into": into}]));
        // With the code of one of them it is that unit.
        let path = reorganised(&admin, &merged(commune("B", "Xã AB", "T")));
        assert_eq!(map(&admin, DAY), "T B<T A1<B A2<B B1<B");
        assert_eq!(map(&admin, EVE), "T A<T A1<A A2<A B<T B1<B");
        assert_eq!(id(&admin, "B", DAY), b);
        assert_eq!(unit(&admin, "B", DAY)["name"], "Xã AB");
        let detail = admin.get(&path).expect_status(200).json();
        let successions = detail["successions"].as_array().unwrap();
        assert_eq!(successions.len(), 1, "who lives on does not succeed itself");
        assert_eq!((&successions[0]["from"]["id"], &successions[0]["to"]["id"]), (&json!(a), &json!(b)));
        assert_eq!(successions[0]["share"], "1/1");
        undo(&admin, &path).expect_status(200);
        // A unit that stands stays as it is.
        let path = reorganised(&admin, &merged(json!("code:A")));
        assert_eq!(map(&admin, DAY), "T A<T A1<A A2<A B1<A");
        assert_eq!(unit(&admin, "A", DAY)["valid_from"], "1900-01-01");
        undo(&admin, &path).expect_status(200);
        // Any other code makes another unit.
        reorganised(&admin, &merged(commune("N", "Xã Mới", "T")));
        assert_eq!(map(&admin, DAY), "T N<T A1<N A2<N B1<N");
        assert!(![a, b].contains(&id(&admin, "N", DAY)));
    }

    fn a_unit_is_divided_and_each_unit_below_it_goes_to_one_part(backend) {
        let (_server, admin) = Server::with_town(backend);
        let a = id(&admin, "A", EVE);
        let path = reorganised(&admin, &document(json!([
            {"op": "create", "unit": commune("N", "Xã Mới", "T")},
            {"op": "split", "from": "code:A", "basis": "dân số", "children": {"code:A1": "code:N", "code:A2": "code:A"}, "into": [
                {"unit": commune("A", "Xã A (còn lại)", "T"), "share": "7/10"}, {"unit": "code:N", "share": "3/10"},
            ]},
        ])));
        assert_eq!(map(&admin, DAY), "T A<T A2<A B<T B1<B N<T A1<N");
        assert_eq!(id(&admin, "A", DAY), a);
        let detail = admin.get(&path).expect_status(200).json();
        let shares: Vec<(String, String)> = detail["successions"].as_array().unwrap().iter()
            .map(|one| (text(&one["to"], "code").to_owned(), text(one, "share").to_owned())).collect();
        let pair = |code: &str, share: &str| (code.to_owned(), share.to_owned());
        assert_eq!(shares, [pair("A", "7/10"), pair("N", "3/10")]);
        undo(&admin, &path).expect_status(200);
        // Without the source among the parts it ends, and shares may be unknown.
        let path = reorganised(&admin, &document(json!([
            {"op": "split", "from": "code:A", "children": {"code:A1": "code:B", "code:A2": "code:N"},
             "into": [{"unit": "code:B"}, {"unit": commune("N", "Xã Mới", "T")}]},
        ])));
        assert_eq!(map(&admin, DAY), "T B<T A1<B B1<B N<T A2<N");
        let detail = admin.get(&path).expect_status(200).json();
        assert_eq!(detail["successions"][1]["share"], json!(null));
    }

    fn two_units_give_each_other_a_piece_at_once(backend) {
        let (_server, admin) = reporting_town(backend);
        Report::of(&admin, "m", "2025-06").submit("A", &[value("x", 100)]);
        Report::of(&admin, "m", "2025-06").submit("B", &[value("x", 1000)]);
        let half = |from: &str, to: &str| json!({
            "op": "split", "from": format!("code:{from}"), "basis": "diện tích",
            "children": (if from == "A" { json!({"code:A1": "code:A", "code:A2": "code:A"}) } else { json!({"code:B1": "code:B"}) }),
            "into": [{"unit": format!("code:{from}"), "share": "1/2"}, {"unit": format!("code:{to}"), "share": "1/2"}],
        });
        reorganised(&admin, &document(json!([half("A", "B"), half("B", "A")])));
        // 50 + 500 each: no piece is divided again.
        for code in ["A", "B"] {
            let rollup = Report::of(&admin, "m", "2025-06").read(&format!("{code}/rollup?as_of={DAY}"));
            assert_eq!(rollup["cells"][0]["value"], 550, "{code}");
        }
    }

    fn what_a_unit_takes_over_goes_on_with_it_when_a_later_step_ends_it(backend) {
        let (_server, admin) = reporting_town(backend);
        Report::of(&admin, "m", "2025-06").submit("A", &[value("x", 1)]);
        Report::of(&admin, "m", "2025-06").submit("B", &[value("x", 2)]);
        reorganised(&admin, &document(json!([
            {"op": "merge", "from": ["code:A"], "into": "code:B"},
            {"op": "merge", "from": ["code:B"], "into": commune("N", "Xã Mới", "T")},
        ])));
        assert_eq!(map(&admin, DAY), "T N<T A1<N A2<N B1<N");
        let rollup = Report::of(&admin, "m", "2025-06").read(&format!("N/rollup?as_of={DAY}"));
        assert_eq!(rollup["cells"][0]["value"], 3);
    }

    fn codes_are_swapped_freed_and_taken_again_and_a_name_may_be_any_ones(backend) {
        let (_server, admin) = Server::with_town(backend);
        let (a, b) = (id(&admin, "A", EVE), id(&admin, "B", EVE));
        let recode = |unit: &str, code: &str| json!({"op": "recode", "unit": unit, "code": code});
        // By their codes over a third one, by their ids at once.
        let path = reorganised(&admin, &document(json!([recode("code:A", "Z"), recode("code:B", "A"), recode("code:Z", "B")])));
        assert_eq!((id(&admin, "B", DAY), id(&admin, "A", DAY)), (a.clone(), b.clone()));
        assert_eq!(id(&admin, "A", EVE), a);
        undo(&admin, &path).expect_status(200);
        reorganised(&admin, &document(json!([recode(&a, "B"), recode(&b, "A")])));
        assert_eq!((id(&admin, "B", DAY), id(&admin, "A", DAY)), (a.clone(), b.clone()));
        // A code that two have at this step names neither.
        let day = |steps: Value| json!({"effective": "2025-08-01", "legal_basis": "NQ", "steps": steps});
        let faults = reorganise(&admin, &day(json!([recode(&a, "A"), recode("code:A", "B")])));
        assert_eq!(faults.expect_problem(422, "INVALID_REORGANISATION"),
            ["/steps/0/unit CODE_TAKEN", "/steps/1/unit AMBIGUOUS_UNIT"]);
        // What a unit leaves behind, another may have: a code and a name.
        reorganised(&admin, &day(json!([
            {"op": "merge", "from": ["code:A"], "into": "code:B"},
            {"op": "create", "unit": commune("A", "Xã B", "T")},
        ])));
        let again = id(&admin, "A", "2025-08-01");
        assert!(![&a, &b].contains(&&again));
        assert_eq!(unit(&admin, "A", "2025-08-01")["name"], "Xã B");
        assert_eq!(id(&admin, "A", "2025-07-31"), b);
    }

    fn a_level_ends_and_nothing_stands_at_it_from_then_on(backend) {
        let (_server, admin) = Server::with_town(backend);
        let town_less = json!([
            {"op": "create", "unit": {"code": "P", "name": "Tỉnh", "kind": "tỉnh", "level": "province", "parent": null}},
            {"op": "move", "unit": "code:A", "parent": "code:P"}, {"op": "move", "unit": "code:B", "parent": "code:P"},
            {"op": "abolish", "unit": "code:T"}, {"op": "abolish_level", "level": "town"},
        ]);
        let path = reorganised(&admin, &document(town_less));
        assert_eq!(map(&admin, DAY), "P A<P A1<A A2<A B<P B1<B");
        let town = |levels: Value| levels["items"].as_array().unwrap().iter().find(|level| level["code"] == "town").unwrap()["valid_to"].clone();
        assert_eq!(town(admin.get("/v1/levels").json()), EVE);
        let create = |from: &str, to: Value| admin.post_json("/v1/units", &json!({
            "code": "U", "name": "Thị xã U", "level": "town", "valid_from": from, "valid_to": to
        }));
        let refused = |answer: Answer| answer.expect_problem(422, "INVALID_UNIT");
        assert_eq!(refused(create(DAY, json!(null))), ["/level UNKNOWN_LEVEL"]);
        assert_eq!(refused(create("2025-01-01", json!(null))), ["/level UNKNOWN_LEVEL"]);
        assert_eq!(refused(create("2025-01-01", json!("2024-12-31"))), ["/valid_to INVALID_VALUE"]);
        create("2025-01-01", json!(EVE)).expect_status(201);
        assert_eq!(map(&admin, EVE), "T A<T A1<A A2<A B<T B1<B U");
        // Nothing can be put below what has ended, either.
        let below = |to: Value| admin.post_json("/v1/units", &json!({
            "code": "V", "name": "Xã V", "level": "commune", "parent": "code:T", "valid_from": "2025-01-01", "valid_to": to
        }));
        assert_eq!(refused(below(json!(null))), ["/valid_to PARENT_ABOVE_REQUIRED"]);
        below(json!(EVE)).expect_status(201);
        undo(&admin, &path).expect_status(200);
        assert_eq!(town(admin.get("/v1/levels").json()), json!(null));
    }

    fn every_fault_of_a_document_is_told_at_once_with_its_place(backend) {
        let (_server, admin) = Server::with_town(backend);
        let before = map(&admin, DAY);
        // First of what can be seen without the map …
        let faults = reorganise(&admin, &json!({
            "effective": "1900-01-01", "legal_basis": " ", "steps": [
                {"op": "create", "unit": {"code": "a b", "name": "", "kind": "\u{0}", "level": "Xã", "parent": "T"}},
                {"op": "rename", "unit": "A", "name": ""}, {"op": "recode", "unit": "code:", "code": ""},
                {"op": "merge", "from": [], "into": "A"},
                {"op": "split", "from": "code:A", "into": [{"unit": "code:B", "share": "7/10"}], "children": {"A/1": "code:B"}},
                {"op": "split", "from": "code:A", "basis": "x", "into": [{"unit": "code:B", "share": "1/0"}, {"unit": "code:T", "share": "1/2"}]},
                {"op": "split", "from": "code:A", "basis": "x", "into": [{"unit": "code:B", "share": "1/2"}, {"unit": "code:T", "share": "1/3"}]},
                {"op": "split", "from": "code:A", "into": [{"unit": "code:B", "share": "1/2"}, {"unit": "code:T"}]},
                {"op": "abolish_level", "level": "Xã"},
            ]
        }));
        assert_eq!(faults.expect_problem(422, "INVALID_REORGANISATION"), [
            "/effective INVALID_VALUE", "/legal_basis INVALID_TEXT",
            "/steps/0/unit/code INVALID_CODE", "/steps/0/unit/kind INVALID_TEXT", "/steps/0/unit/level UNKNOWN_LEVEL",
            "/steps/0/unit/name INVALID_TEXT", "/steps/0/unit/parent UNKNOWN_UNIT",
            "/steps/1/name INVALID_TEXT", "/steps/1/unit UNKNOWN_UNIT", "/steps/2/code INVALID_CODE", "/steps/2/unit UNKNOWN_UNIT",
            "/steps/3/from REQUIRED_MISSING", "/steps/3/into UNKNOWN_UNIT",
            "/steps/4/basis REQUIRED_MISSING", "/steps/4/children/A~11 UNKNOWN_UNIT", "/steps/4/into INVALID_SHARE", "/steps/4/into REQUIRED_MISSING",
            "/steps/5/into/0/share INVALID_SHARE", "/steps/6/into INVALID_SHARE", "/steps/7/basis REQUIRED_MISSING", "/steps/7/into INVALID_SHARE",
            "/steps/8/level UNKNOWN_LEVEL",
        ]);
        // … then of what cannot be on it.
        let faults = refused(&admin, json!([
            {"op": "rename", "unit": "code:Q", "name": "Q"},
            {"op": "create", "unit": commune("B", "Xã trùng", "T")},
            {"op": "create", "unit": {"code": "W", "name": "W", "kind": null, "level": "ward", "parent": null}},
            {"op": "move", "unit": "code:B1", "parent": "code:A2"},
            {"op": "merge", "from": ["code:A2", "code:A2", "code:Q"], "into": "code:A1"},
            {"op": "merge", "from": ["code:A1"], "into": "code:A1"},
            {"op": "split", "from": "code:A", "into": [{"unit": "code:A"}, {"unit": commune("N", "N", "T")}, {"unit": "code:N"}],
             "children": {"code:B1": "code:A", "code:Q": "code:A"}},
            {"op": "split", "from": "code:A", "into": [{"unit": "code:A"}, {"unit": commune("M", "M", "T")}],
             "children": {"code:A1": "code:T"}},
            {"op": "create", "unit": commune("O", "O", "T")}, {"op": "abolish", "unit": "code:O"},
            {"op": "abolish", "unit": "code:T"}, {"op": "abolish_level", "level": "hamlet"}, {"op": "abolish_level", "level": "ward"},
        ]));
        assert_eq!(faults, [
            "/steps/0/unit UNKNOWN_UNIT", "/steps/1/unit CODE_TAKEN", "/steps/1/unit PARENT_ABOVE_REQUIRED",
            "/steps/10/unit UNITS_BELOW", "/steps/11/level UNITS_BELOW", "/steps/12/level UNKNOWN_LEVEL",
            "/steps/2/unit UNKNOWN_LEVEL", "/steps/4/from/0 PARENT_ABOVE_REQUIRED",
            "/steps/4/from/1 DUPLICATE", "/steps/4/from/2 UNKNOWN_UNIT", "/steps/5/into DUPLICATE",
            "/steps/6/children CHILD_UNASSIGNED", "/steps/6/children/code:B1 UNKNOWN_UNIT", "/steps/6/children/code:Q UNKNOWN_UNIT",
            "/steps/6/into/1/unit PARENT_ABOVE_REQUIRED", "/steps/6/into/2/unit DUPLICATE",
            "/steps/7/children/code:A1 UNKNOWN_UNIT", "/steps/7/from DUPLICATE",
            "/steps/7/into/1/unit PARENT_ABOVE_REQUIRED", "/steps/9/unit INVALID_VALUE",
        ]);
        assert_eq!(map(&admin, DAY), before);
    }
}
