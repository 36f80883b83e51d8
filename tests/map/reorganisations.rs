//! Reorganisations: what each step does to the map, which faults stop a document, what a dry run
//! shows, what happens to submissions, targets and grants, and how it is all undone.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::harness::report::{Reports, value};
use crate::harness::server::now;
use crate::harness::town::Town;
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

#[track_caller]
fn refused(client: &Client, steps: Value) -> Vec<String> {
    reorganise(client, &document(steps)).expect_problem(422, "INVALID_REORGANISATION")
}

fn undo(client: &Client, path: &str) -> Answer {
    client.with("If-Match", "*").post(&format!("{path}/undo"))
}

fn preview(client: &Client, document: &Value) -> Value {
    let answer = client.post_json("/v1/reorganisations/preview", document);
    answer.expect_status(200).json()
}

/// The town with a monthly form `m` of communes and hamlets.
fn reporting(backend: Backend) -> (Server, Client, Reports) {
    let town = Town::new(backend).indicators(&[("x", "sum")]);
    town.form("m", "month").with("calendar", "civil").build()
}

/// A list that is larger than one body may be.
fn import_in_parts(client: &Client, csv: &str) {
    let (heading, rows) = csv.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    for part in rows.chunks(3000) {
        let list = format!("{heading}\n{}\n", part.join("\n"));
        client
            .post_csv("/v1/units/import", &list)
            .expect_status(200);
    }
}

/// Everything that can be read of the map: its units on several days, its levels.
fn whole_map(client: &Client) -> Vec<String> {
    let days = ["2024-01-01", EVE, DAY, "2030-01-01"];
    let pages = days.map(|day| {
        client
            .get(&format!("/v1/units?limit=1000&as_of={day}"))
            .text
    });
    let levels = client.get("/v1/levels").text;
    pages.into_iter().chain([levels]).collect()
}

/// What the communes A and B become: one, with another name.
fn one_commune() -> Value {
    document(
        json!([{"op": "merge", "from": ["code:A", "code:B"], "into": commune("A", "Xã AB", "T")}]),
    )
}

on_both_backends! {
    fn each_step_changes_the_map_from_its_day_on_and_not_before(backend) {
        let (_server, admin) = Server::with_town(backend);
        let before = map(&admin, EVE);
        assert_eq!(before, "T A<T A1<A A2<A B<T B1<B");
        let step = |step: Value, day: &str| {
            let document = json!({"effective": day, "legal_basis": "NQ", "steps": [step]});
            admin.carry_out(&document);
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
        let path = admin.carry_out(&merged(commune("B", "Xã AB", "T")));
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
        let path = admin.carry_out(&merged(json!("code:A")));
        assert_eq!(map(&admin, DAY), "T A<T A1<A A2<A B1<A");
        assert_eq!(unit(&admin, "A", DAY)["valid_from"], "1900-01-01");
        undo(&admin, &path).expect_status(200);
        // Any other code makes another unit.
        admin.carry_out(&merged(commune("N", "Xã Mới", "T")));
        assert_eq!(map(&admin, DAY), "T N<T A1<N A2<N B1<N");
        assert!(![a, b].contains(&id(&admin, "N", DAY)));
    }

    fn a_unit_is_divided_and_each_unit_below_it_goes_to_one_part(backend) {
        let (_server, admin) = Server::with_town(backend);
        let a = id(&admin, "A", EVE);
        let path = admin.carry_out(&document(json!([
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
        let path = admin.carry_out(&document(json!([
            {"op": "split", "from": "code:A", "children": {"code:A1": "code:B", "code:A2": "code:N"},
             "into": [{"unit": "code:B"}, {"unit": commune("N", "Xã Mới", "T")}]},
        ])));
        assert_eq!(map(&admin, DAY), "T B<T A1<B B1<B N<T A2<N");
        let detail = admin.get(&path).expect_status(200).json();
        assert_eq!(detail["successions"][1]["share"], json!(null));
    }

    fn two_units_give_each_other_a_piece_at_once(backend) {
        let (_server, admin, m) = reporting(backend);
        m.of("2025-06").submit("A", &[value("x", 100)]);
        m.of("2025-06").submit("B", &[value("x", 1000)]);
        let half = |from: &str, to: &str| json!({
            "op": "split", "from": format!("code:{from}"), "basis": "diện tích",
            "children": (if from == "A" { json!({"code:A1": "code:A", "code:A2": "code:A"}) } else { json!({"code:B1": "code:B"}) }),
            "into": [{"unit": format!("code:{from}"), "share": "1/2"}, {"unit": format!("code:{to}"), "share": "1/2"}],
        });
        admin.carry_out(&document(json!([half("A", "B"), half("B", "A")])));
        // 50 + 500 each: no piece is divided again.
        for code in ["A", "B"] {
            let rollup = m.of("2025-06").read(&format!("{code}/rollup?as_of={DAY}"));
            assert_eq!(rollup["cells"][0]["value"], 550, "{code}");
        }
    }

    fn what_a_unit_takes_over_goes_on_with_it_when_a_later_step_ends_it(backend) {
        let (_server, admin, m) = reporting(backend);
        m.of("2025-06").submit("A", &[value("x", 1)]);
        m.of("2025-06").submit("B", &[value("x", 2)]);
        admin.carry_out(&document(json!([
            {"op": "merge", "from": ["code:A"], "into": "code:B"},
            {"op": "merge", "from": ["code:B"], "into": commune("N", "Xã Mới", "T")},
        ])));
        assert_eq!(map(&admin, DAY), "T N<T A1<N A2<N B1<N");
        let rollup = m.of("2025-06").read(&format!("N/rollup?as_of={DAY}"));
        assert_eq!(rollup["cells"][0]["value"], 3);
    }

    fn codes_are_swapped_freed_and_taken_again_and_a_name_may_be_any_ones(backend) {
        let (_server, admin) = Server::with_town(backend);
        let (a, b) = (id(&admin, "A", EVE), id(&admin, "B", EVE));
        let recode = |unit: &str, code: &str| json!({"op": "recode", "unit": unit, "code": code});
        // By their codes over a third one, by their ids at once.
        let path = admin.carry_out(&document(json!([recode("code:A", "Z"), recode("code:B", "A"), recode("code:Z", "B")])));
        assert_eq!((id(&admin, "B", DAY), id(&admin, "A", DAY)), (a.clone(), b.clone()));
        assert_eq!(id(&admin, "A", EVE), a);
        undo(&admin, &path).expect_status(200);
        admin.carry_out(&document(json!([recode(&a, "B"), recode(&b, "A")])));
        assert_eq!((id(&admin, "B", DAY), id(&admin, "A", DAY)), (a.clone(), b.clone()));
        // A code that two have at this step names neither.
        let day = |steps: Value| json!({"effective": "2025-08-01", "legal_basis": "NQ", "steps": steps});
        let faults = reorganise(&admin, &day(json!([recode(&a, "A"), recode("code:A", "B")])));
        assert_eq!(faults.expect_problem(422, "INVALID_REORGANISATION"),
            ["/steps/0/unit CODE_TAKEN", "/steps/1/unit AMBIGUOUS_UNIT"]);
        // What a unit leaves behind, another may have: a code and a name.
        admin.carry_out(&day(json!([
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
        let path = admin.carry_out(&document(town_less));
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

    fn a_dry_run_says_all_that_would_change_and_changes_nothing(backend) {
        let (server, admin, m) = reporting(backend);
        server.create_account("test", "clerk", &["reporter@code:B", "viewer@code:T"]);
        m.of("2025-07").submit("B", &[value("x", 1)]);
        m.of("2025-07").submit("A", &[value("x", 2)]);
        m.of("2025-08").put("B", &json!({"values": []})).expect_status(201);
        m.of("2025-06").submit("B", &[value("x", 1)]);
        admin.put("/v1/forms/m/periods/2025/units/code:B/targets/x", &json!({"value": 5})).expect_status(201);
        let before = whole_map(&admin);
        let levels = admin.get("/v1/levels").etag().to_owned();
        let mut document = one_commune();
        document["steps"].as_array_mut().unwrap().push(json!({"op": "create", "unit": commune("N", "Xã Mới", "T")}));
        document["grants"] = json!("follow");
        let planned = preview(&admin, &document);
        let name = |code: &str, name: &str, level: &str| json!({"code": code, "name": name, "level": level});
        let named_alone = |mut unit: Value| {
            unit.as_object_mut().unwrap().retain(|field, _| !matches!(field.as_str(), "id" | "kind"));
            unit
        };
        assert_eq!(planned["possible"], true);
        for (which, count, first) in [
            ("created", 1, name("N", "Xã Mới", "commune")), ("ended", 1, name("B", "Xã B", "commune")),
            ("changed", 2, name("B1", "Ấp Ba", "hamlet")),
        ] {
            let units = &planned[which];
            assert_eq!(units["count"], count, "{which}: {units}");
            let named = units["first"].as_array().unwrap().iter().cloned().map(named_alone);
            assert!(named.into_iter().any(|unit| unit == first), "{which}: {units}");
        }
        assert_eq!(planned["changed"]["by_level"], json!([{"level": "commune", "count": 1}, {"level": "hamlet", "count": 1}]));
        let submissions = &planned["submissions"];
        assert_eq!((&submissions["count"], &submissions["counting"]), (&json!(2), &json!(1)));
        assert_eq!(submissions["first"][0]["period"]["key"], "2025-07");
        assert_eq!((&submissions["first"][1]["status"], &submissions["first"][1]["passes_to"]), (&json!("draft"), &json!(null)));
        assert_eq!(planned["targets"], 1);
        let people = &planned["people"];
        assert_eq!((&people["count"], &people["first"][0]["account"]["login"]), (&json!(1), &json!("clerk")));
        assert_eq!((&people["first"][0]["becomes"], &people["first"][0]["follows_to"]["name"]), (&json!("follows"), &json!("Xã AB")));
        let doubled = &planned["doubled"];
        assert_eq!((&doubled["count"], &doubled["first"][0]["period"]["key"]), (&json!(1), &json!("2025-07")));
        assert_eq!((&doubled["first"][0]["predecessor"]["code"], &doubled["first"][0]["successor"]["code"]), (&json!("B"), &json!("A")));
        // With faults it says them, and what would change all the same.
        document["steps"].as_array_mut().unwrap().push(json!({"op": "abolish", "unit": "code:Q"}));
        let planned = preview(&admin, &document);
        assert_eq!(planned["possible"], false);
        assert_eq!(planned["faults"][0]["pointer"], "/steps/2/unit");
        assert_eq!(planned["faults"][0]["code"], "UNKNOWN_UNIT");
        assert_eq!(planned["ended"]["count"], 1);
        assert_eq!(whole_map(&admin), before);
        assert_eq!(admin.get("/v1/levels").etag(), levels);
        assert_eq!(admin.get("/v1/reorganisations").json()["items"], json!([]));
    }

    fn a_dry_run_names_the_people_whose_units_end_and_what_becomes_of_their_grants(backend) {
        let (server, admin, _) = reporting(backend);
        let day = |later: u64| {
            let here = now().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh);
            (here.date_naive() + chrono::Days::new(later)).to_string()
        };
        let add = |login: &str, grants: Value| {
            let body = json!({"login": login, "name": format!("Tên {login}"), "grants": grants});
            let made = admin.post_json("/v1/accounts", &body).expect_status(201).json();
            made["id"].as_str().unwrap().to_owned()
        };
        server.create_account("test", "chief", &["approver@code:B", "viewer@code:T", "viewer@code:A"]);
        add("acting", json!([{"role": "reporter", "unit": "code:B", "to": day(3)}]));
        add("later", json!([{"role": "reporter", "unit": "code:B", "from": day(20), "to": day(40)}]));
        let gone = add("gone", json!([{"role": "reporter", "unit": "code:B", "to": day(0)}]));
        server.write_beside(&format!(
            "UPDATE account_grant SET valid_from = '2020-01-01', valid_to = '2025-01-01' WHERE account_id = '{gone}'"
        ));
        let key = json!({"name": "Phần mềm", "unit": "code:B", "operations": ["read"], "last_day": day(30)});
        let key = admin.post_json("/v1/keys", &key).expect_status(201).json();
        let effective = day(10);
        let people = |grants: &str, steps: &Value| {
            let document = json!({"effective": effective, "legal_basis": "NQ", "grants": grants, "steps": steps});
            let people = preview(&admin, &document)["people"].clone();
            let shown = people["first"].as_array().unwrap().iter().map(|one| {
                assert_eq!(one["unit"]["code"], "B");
                let follows = one["follows_to"]["code"].as_str();
                let (name, role, becomes) = (text(&one["account"], "name"), text(one, "role"), text(one, "becomes"));
                format!("{name} {role} {becomes}{}", follows.map_or(String::new(), |code| format!(" {code}")))
            });
            let mut shown: Vec<String> = shown.collect();
            assert_eq!(people["count"], shown.len());
            shown.sort();
            (shown, people)
        };
        let merge = one_commune()["steps"].clone();
        let (shown, all) = people("follow", &merge);
        assert_eq!(shown, [
            "Phần mềm viewer follows A", "Tên acting reporter stays", "Tên later reporter follows A", "chief approver follows A",
        ]);
        let of = |name: &str| {
            let mut listed = all["first"].as_array().unwrap().iter();
            listed.find(|one| one["account"]["name"] == name).unwrap().clone()
        };
        assert_eq!(of("Phần mềm")["account"]["login"], key["prefix"]);
        assert_eq!((&of("Tên later")["from"], &of("Tên later")["to"]), (&json!(day(20)), &json!(day(40))));
        assert_eq!((&of("chief")["from"], &of("chief")["to"]), (&Value::Null, &Value::Null));
        for (grants, steps) in [("stay", &merge), ("follow", &json!([
            {"op": "split", "from": "code:B", "children": {"code:B1": "code:A"}, "into": [{"unit": "code:A"}, {"unit": commune("N", "Xã Mới", "T")}]},
        ]))] {
            let (shown, _) = people(grants, steps);
            assert_eq!(shown, [
                "Phần mềm viewer reaches_nothing", "Tên acting reporter stays", "Tên later reporter reaches_nothing",
                "chief approver reaches_nothing",
            ], "{grants}");
        }
        // What it says is what is done.
        server.create_account("test", "of-b", &["viewer@code:B"]);
        admin.carry_out(&json!({"effective": effective, "legal_basis": "NQ", "grants": "follow", "steps": merge}));
        let accounts = admin.get("/v1/accounts?limit=100").expect_status(200).json();
        let has_a = |login: &str| {
            let mut items = accounts["items"].as_array().unwrap().iter();
            let account = items.find(|account| account["login"] == login).unwrap();
            let mut grants = account["grants"].as_array().unwrap().iter();
            grants.any(|grant| grant["unit"]["code"] == "A")
        };
        assert_eq!(["acting", "later", "of-b"].map(has_a), [false, true, true]);
    }

    fn a_dry_run_lists_the_first_200_grants_and_counts_all(backend) {
        let (server, admin, _) = reporting(backend);
        for holder in 0..5 {
            let login = format!("h{holder}");
            server.create_account("test", &login, &[]);
        }
        let accounts = admin.get("/v1/accounts").expect_status(200).json();
        for account in accounts["items"].as_array().unwrap() {
            let id = account["id"].as_str().unwrap();
            if account["login"] == "admin" {
                continue;
            }
            let path = format!("/v1/accounts/{id}");
            let read = admin.get(&path);
            // One grant after another on one unit, each of a week.
            let grants: Vec<Value> = (0..41).map(|week| {
                let start = chrono::NaiveDate::from_ymd_opt(2100, 1, 1).unwrap() + chrono::Days::new(week * 7);
                json!({"role": "viewer", "unit": "code:B", "from": start.to_string(), "to": (start + chrono::Days::new(6)).to_string()})
            }).collect();
            let on = admin.with("If-Match", read.header("etag").unwrap());
            on.put(&format!("{path}/grants"), &json!(grants)).expect_status(200);
        }
        let people = preview(&admin, &one_commune())["people"].clone();
        assert_eq!((&people["count"], people["first"].as_array().unwrap().len()), (&json!(205), 200));
    }

    fn to_undo_brings_everything_back_byte_for_byte(backend) {
        let (_server, admin, m) = reporting(backend);
        m.of("2025-07").submit("B", &[value("x", 1)]);
        m.of("2025-07").submit("A1", &[value("x", 2)]);
        let before = whole_map(&admin);
        let figures = || ["T", "A", "B"].map(|code| m.of("2025-07").figure(code, "x"));
        let former = figures();
        let path = admin.carry_out(&document(json!([
            {"op": "create", "unit": {"code": "P", "name": "Tỉnh", "kind": "tỉnh", "level": "province", "parent": null}},
            {"op": "split", "from": "code:B", "children": {"code:B1": "code:N"}, "into": [{"unit": commune("N", "Xã Mới", "P")}, {"unit": "code:A"}]},
            {"op": "merge", "from": ["code:A1", "code:A2"], "into": {"code": "A1", "name": "Ấp", "kind": null, "level": "hamlet", "parent": "code:A"}},
            {"op": "move", "unit": "code:A", "parent": "code:P"}, {"op": "rename", "unit": "code:A", "name": "Xã A mới"},
            {"op": "abolish", "unit": "code:T"}, {"op": "abolish_level", "level": "town"},
        ])));
        assert_eq!(map(&admin, DAY), "P A<P A1<A N<P B1<N");
        let undone = undo(&admin, &path).expect_status(200);
        assert!(undone.json()["undone_at"].is_string(), "{}", undone.text);
        assert_eq!(whole_map(&admin), before);
        assert_eq!(figures(), former);
        undo(&admin, &path).expect_problem(409, "REORGANISATION_UNDONE");
        let listed = admin.get("/v1/reorganisations").json();
        assert_eq!(listed["items"][0]["undone_rev"], undone.json()["undone_rev"]);
        // And it can be carried out again.
        admin.carry_out(&one_commune());
        assert_eq!(map(&admin, DAY), "T A<T A1<A A2<A B1<A");
    }

    fn what_was_done_on_the_new_map_keeps_it_from_being_undone(backend) {
        let (server, admin, m) = reporting(backend);
        let refused = |path: &str| undo(&admin, path).expect_problem(409, "REORGANISATION_BUILT_ON");
        // A submission for a period that is on the new map; one of before does no harm.
        let path = admin.carry_out(&one_commune());
        m.of("2025-06").submit("B1", &[value("x", 1)]);
        undo(&admin, &path).expect_status(200);
        let path = admin.carry_out(&one_commune());
        m.of("2025-07").put("B1", &json!({"values": []})).expect_status(201);
        refused(&path);

        // A target, a grant, a unit below.
        let day = |day: &str, steps: Value| json!({"effective": day, "legal_basis": "NQ", "steps": steps});
        let create = |code: &str| json!([{"op": "create", "unit": commune(code, "Xã Mới", "T")}]);
        let path = admin.carry_out(&day("2025-08-01", create("N")));
        let target = "/v1/forms/m/periods/2025/units/code:N/targets/x";
        admin.put(target, &json!({"value": 5})).expect_status(201);
        refused(&path);
        let path = admin.carry_out(&day("2025-08-01", create("M")));
        server.create_account("test", "clerk", &["reporter@code:M"]);
        refused(&path);
        let path = admin.carry_out(&day("2025-08-01", create("L")));
        let hamlet = json!({"code": "L1", "name": "Ấp", "level": "hamlet", "parent": "code:L", "valid_from": "2025-08-01"});
        admin.post_json("/v1/units", &hamlet).expect_status(201);
        refused(&path);

        // A code that another has taken since.
        let path = admin.carry_out(&day("2025-08-01", json!([{"op": "recode", "unit": "code:A2", "code": "A3"}])));
        let hamlet = json!({"code": "A2", "name": "Ấp", "level": "hamlet", "parent": "code:A", "valid_from": "2025-08-01"});
        admin.post_json("/v1/units", &hamlet).expect_status(201);
        refused(&path);

        // A later reorganisation of the same units, until that is undone itself.
        let path = admin.carry_out(&day("2025-09-01", json!([{"op": "rename", "unit": "code:A1", "name": "Một"}])));
        let later = admin.carry_out(&day("2025-10-01", json!([{"op": "rename", "unit": "code:A1", "name": "Hai"}])));
        refused(&path);
        undo(&admin, &later).expect_status(200);
        undo(&admin, &path).expect_status(200);
    }

    fn a_unit_cannot_be_changed_before_what_has_become_of_it_later(backend) {
        let (_server, admin) = Server::with_town(backend);
        let day = |day: &str, steps: Value| json!({"effective": day, "legal_basis": "NQ", "steps": steps});
        admin.carry_out(&day("2025-09-01", json!([
            {"op": "rename", "unit": "code:A", "name": "Xã Sau"}, {"op": "move", "unit": "code:B1", "parent": "code:A"},
            {"op": "abolish", "unit": "code:B"}, {"op": "create", "unit": commune("N", "Xã Mới", "T")},
        ])));
        let refused = |steps: Value| reorganise(&admin, &day("2025-03-01", steps)).expect_problem(422, "INVALID_REORGANISATION");
        assert_eq!(refused(json!([{"op": "rename", "unit": "code:A", "name": "Xã Trước"}])), ["/steps/0/unit CHANGED_LATER"]);
        assert_eq!(refused(json!([{"op": "rename", "unit": "code:B", "name": "Xã Trước"}])), ["/steps/0/unit CHANGED_LATER"]);
        // Neither can anything be put below what ends later, nor take a code that another has later,
        let hamlet = |code: &str, parent: &str| json!({"op": "create", "unit": {
            "code": code, "name": "Ấp", "kind": null, "level": "hamlet", "parent": format!("code:{parent}")
        }});
        assert_eq!(refused(json!([hamlet("B2", "B")])), ["/steps/0/unit CHANGED_LATER"]);
        assert_eq!(refused(json!([hamlet("N", "A")])), ["/steps/0/unit CODE_TAKEN"]);
        // nor can what something is put below later end before.
        assert_eq!(refused(json!([{"op": "merge", "from": ["code:A1", "code:A2"], "into": "code:A1"},
            {"op": "move", "unit": "code:A1", "parent": "code:T"}, {"op": "abolish", "unit": "code:T"}])).iter()
            .filter(|fault| fault.contains("CHANGED_LATER")).count(), 1, "a later commune lies below the town");
        // What is called something else later stands all the same.
        admin.carry_out(&day("2025-03-01", json!([hamlet("A3", "A")])));
        assert_eq!(map(&admin, "2025-12-01"), "T A<T A1<A A2<A A3<A B1<A N<T");
    }

    fn two_reorganisations_of_one_day_are_undone_in_turn(backend) {
        let (_server, admin) = Server::with_town(backend);
        let before = whole_map(&admin);
        let first = admin.carry_out(&one_commune());
        let between = whole_map(&admin);
        let second = admin.carry_out(&document(json!([
            {"op": "rename", "unit": "code:A", "name": "Xã Khác"}, {"op": "recode", "unit": "code:B1", "code": "A3"},
        ])));
        assert_eq!(map(&admin, DAY), "T A<T A1<A A2<A A3<A");
        assert_eq!(unit(&admin, "A", DAY)["name"], "Xã Khác");
        assert_eq!(map(&admin, EVE), "T A<T A1<A A2<A B<T B1<B");
        undo(&admin, &first).expect_problem(409, "REORGANISATION_BUILT_ON");
        undo(&admin, &second).expect_status(200);
        assert_eq!(whole_map(&admin), between);
        undo(&admin, &first).expect_status(200);
        assert_eq!(whole_map(&admin), before);
        // What stands from the day on only cannot end on it.
        admin.carry_out(&document(json!([{"op": "create", "unit": commune("N", "N", "T")}])));
        assert_eq!(refused(&admin, json!([{"op": "abolish", "unit": "code:N"}])), ["/steps/0/unit CHANGED_LATER"]);
    }

    fn trees_may_be_ragged(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin.carry_out(&document(json!([
            {"op": "create", "unit": {"code": "P", "name": "Tỉnh", "kind": null, "level": "province", "parent": null}},
            {"op": "create", "unit": {"code": "E", "name": "Huyện đảo", "kind": "huyện", "level": "town", "parent": "code:P"}},
            {"op": "move", "unit": "code:A", "parent": "code:P"}, {"op": "move", "unit": "code:B1", "parent": "code:P"},
            {"op": "move", "unit": "code:T", "parent": "code:P"},
        ])));
        // A commune and a hamlet right below the province, a town with no commune, one with no hamlet.
        assert_eq!(map(&admin, DAY), "P A<P A1<A A2<A B1<P E<P T<P B<T");
        // A district that has no commune becomes a commune itself, with its code or another.
        let path = admin.carry_out(&json!({"effective": "2025-08-01", "legal_basis": "NQ", "steps": [
            {"op": "merge", "from": ["code:E"], "into": {"code": "E1", "name": "Đặc khu", "kind": "đặc khu", "level": "commune", "parent": "code:P"}},
        ]}));
        assert_eq!(map(&admin, "2025-08-01"), "P A<P A1<A A2<A B1<P E1<P T<P B<T");
        undo(&admin, &path).expect_status(200);
        admin.carry_out(&json!({"effective": "2025-08-01", "legal_basis": "NQ", "steps": [
            {"op": "merge", "from": ["code:E"], "into": {"code": "E", "name": "Đặc khu", "kind": "đặc khu", "level": "commune", "parent": "code:P"}},
        ]}));
        assert_eq!(unit(&admin, "E", "2025-08-01")["level"], "commune");
        // Where units lie below it, its level must stay above theirs.
        let below = json!({"op": "merge", "from": ["code:T"], "into": {"code": "T", "name": "T", "kind": null, "level": "commune", "parent": "code:P"}});
        assert_eq!(refused(&admin, json!([below])), ["/steps/0/into PARENT_ABOVE_REQUIRED"]);
    }

    fn only_an_administrator_of_the_tenant_changes_the_map(backend) {
        let (server, admin) = Server::with_town(backend);
        server.create_account("test", "keeper", &["unit_admin@code:T", "approver@code:T"]);
        server.create_tenant("other");
        let path = admin.carry_out(&one_commune());
        let keeper = server.sign_in("test", "keeper");
        for refused in [
            reorganise(&keeper, &one_commune()), keeper.post_json("/v1/reorganisations/preview", &one_commune()),
            keeper.get("/v1/reorganisations"), keeper.get(&path), undo(&keeper, &path),
        ] {
            refused.expect_problem(403, "NOT_ALLOWED");
        }
        let stranger = server.sign_in("other", "admin");
        stranger.get(&path).expect_problem(404, "REORGANISATION_NOT_FOUND");
        undo(&stranger, &path).expect_problem(404, "REORGANISATION_NOT_FOUND");
        assert_eq!(stranger.get("/v1/reorganisations").json()["items"], json!([]));
    }

    fn a_document_sent_again_with_its_key_has_one_effect(backend) {
        let (_server, admin) = Server::with_town(backend);
        let keyed = admin.with("Idempotency-Key", "reform");
        let first = reorganise(&keyed, &one_commune()).expect_status(201);
        let again = reorganise(&keyed, &one_commune()).expect_status(201);
        assert_eq!(again.text, first.text);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        let other = document(json!([{"op": "rename", "unit": "code:T", "name": "T"}]));
        reorganise(&keyed, &other).expect_problem(422, "IDEMPOTENCY_KEY_REUSED");
        let path = first.header("location").unwrap();
        let keyed = keyed.with("If-Match", first.etag());
        for replayed in [None, Some("true")] {
            let undone = keyed.post(&format!("{path}/undo")).expect_status(200);
            assert_eq!(undone.header("idempotency-replayed"), replayed);
        }
    }

    fn the_reform_of_a_whole_country_is_one_document(backend) {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        let codes = |count: usize, of: &str| (0..count).map(|number| format!("{of}{number}")).collect::<Vec<_>>();
        let (provinces, towns, communes) = (codes(30, "P"), codes(300, "T"), codes(3000, "C"));
        let mut csv = "code,name,level,parent_code\n".to_owned();
        let mut add = |code: &str, level: &str, parent: &str| csv.push_str(&format!("{code},Đơn vị {code},{level},{parent}\n"));
        provinces.iter().for_each(|code| add(code, "province", ""));
        towns.iter().enumerate().for_each(|(at, code)| add(code, "town", &provinces[at / 10]));
        communes.iter().enumerate().for_each(|(at, code)| add(code, "commune", &towns[at / 10]));
        import_in_parts(&admin, &csv);

        let reference = |code: &String| format!("code:{code}");
        let mut steps: Vec<Value> = Vec::new();
        // Every second province takes in its neighbour, and every third commune its two.
        for pair in provinces.chunks(2) {
            steps.push(json!({"op": "merge", "from": [reference(&pair[0]), reference(&pair[1])], "into": reference(&pair[1])}));
        }
        // Of each ten communes the last is divided among the nine others and itself.
        for ten in communes.chunks(10) {
            let into: Vec<Value> = ten.iter().map(|code| json!({"unit": reference(code)})).collect();
            steps.push(json!({"op": "split", "from": reference(&ten[9]), "into": into}));
        }
        for (at, ten) in communes.chunks(10).enumerate() {
            let province = &provinces[(at / 10) | 1];
            for three in ten[..9].chunks(3) {
                let from: Vec<String> = three.iter().map(reference).collect();
                let into = commune(&three[0], &format!("Xã mới sau khi sắp xếp ba xã cũ, mã {}", three[0]), province);
                steps.push(json!({"op": "merge", "from": from, "into": into}));
            }
            steps.push(json!({"op": "move", "unit": reference(&ten[9]), "parent": reference(province)}));
        }
        steps.extend(towns.iter().map(|code| json!({"op": "abolish", "unit": reference(code)})));
        steps.push(json!({"op": "abolish_level", "level": "town"}));
        let reform = document(Value::Array(steps));
        assert!(reform.to_string().len() > crate::harness::server::BODY_LIMIT);

        let begun = std::time::Instant::now();
        let planned = preview(&admin, &reform);
        assert_eq!(planned["faults"], json!([]));
        assert_eq!(planned["ended"]["by_level"], json!([
            {"level": "commune", "count": 1800}, {"level": "province", "count": 15}, {"level": "town", "count": 300},
        ]));
        let path = admin.carry_out(&reform);
        let after = |level: &str, day: &str| {
            let units = admin.get(&format!("/v1/units?limit=1000&level={level}&as_of={day}")).json();
            units["items"].as_array().unwrap().len()
        };
        assert_eq!(["province", "town"].map(|level| (after(level, EVE), after(level, DAY))), [(30, 15), (300, 0)]);
        let below = admin.get(&format!("/v1/units?limit=1000&parent=code:P1&as_of={DAY}")).json();
        assert_eq!(below["items"].as_array().unwrap().len(), 80);
        undo(&admin, &path).expect_status(200);
        assert_eq!(["province", "town"].map(|level| after(level, DAY)), [30, 300]);
        let took = begun.elapsed();
        assert!(took.as_secs() < 20, "{took:?}");
    }
}
