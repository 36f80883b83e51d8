//! Units, levels, indicators and forms: what can be added, found and changed, and every fault of
//! what cannot.

use serde_json::{Value, json};

use crate::harness::town::{Report, broken_down, form, indicator, value};
use crate::harness::{Backend, Client, Server};

/// The codes of a page of units.
fn codes(client: &Client, query: &str) -> String {
    let page = client.get(&format!("/v1/units?{query}"));
    let page = page.expect_status(200).json();
    let items = page["items"].as_array().unwrap().iter();
    let codes: Vec<&str> = items.map(|unit| unit["code"].as_str().unwrap()).collect();
    codes.join(" ")
}

fn rev(client: &Client) -> String {
    client
        .get("/v1/levels")
        .expect_status(200)
        .etag()
        .to_owned()
}

const HEADING: &str = "code,name,level,parent_code,kind\n";

on_both_backends! {
    fn a_unit_is_created_once_for_its_code_below_one_of_a_higher_level(backend) {
        let (_server, admin) = Server::with_town(backend);
        let post = |body: Value| admin.post_json("/v1/units", &body);
        let body = json!({
            "code": "A3", "name": "Tân Phú A", "kind": "ấp", "level": "hamlet", "parent": "code:A",
            "valid_from": "2024-03-01"
        });
        let created = post(body.clone()).expect_status(201);
        let unit = created.json();
        let id = unit["id"].as_str().unwrap();
        assert_eq!(
            created.header("location"),
            Some(format!("/v1/units/{id}").as_str())
        );
        let parent = admin.get("/v1/units/code:A").json();
        let expected = json!({
            "id": id, "code": "A3", "name": "Tân Phú A", "kind": "ấp", "level": "hamlet",
            "parent": parent["id"], "valid_from": "2024-03-01", "valid_to": null
        });
        let mut answered = expected.clone();
        answered["warnings"] = json!([]);
        assert_eq!(unit, answered);
        for name in [id, "code:A3"] {
            let read = admin.get(&format!("/v1/units/{name}")).expect_status(200);
            assert_eq!(read.json(), expected);
            assert_eq!(read.etag(), created.etag());
        }
        admin
            .get("/v1/units/code:A3?as_of=2024-02-29")
            .expect_problem(404, "UNIT_NOT_FOUND");
        admin
            .get("/v1/units/code:A3?as_of=2024-03-01")
            .expect_status(200);

        // The code is its own from its first day on, so whoever overlaps cannot have it.
        for from in [json!(null), json!("2024-02-29"), json!("2030-01-01")] {
            let mut again = body.clone();
            again["valid_from"] = from;
            assert_eq!(
                post(again).expect_problem(422, "INVALID_UNIT"),
                ["/code CODE_TAKEN"]
            );
        }
        let faults = post(
            json!({"code": "a b", "name": " ", "kind": "a\u{0}", "level": "Xã", "parent": "code:Q"}),
        );
        assert_eq!(
            faults.expect_problem(422, "INVALID_UNIT"),
            [
                "/code INVALID_CODE",
                "/kind INVALID_TEXT",
                "/level UNKNOWN_LEVEL",
                "/name INVALID_TEXT",
                "/parent UNKNOWN_UNIT",
            ]
        );
        let above = |level: &str, parent: &str| {
            let refused = post(json!({"code": "N", "name": "N", "level": level, "parent": parent}));
            refused.expect_problem(422, "INVALID_UNIT")
        };
        assert_eq!(
            above("hamlet", "code:A1"),
            ["/parent PARENT_ABOVE_REQUIRED"]
        );
        assert_eq!(above("town", "code:A"), ["/parent PARENT_ABOVE_REQUIRED"]);
        assert_eq!(above("hamlet", "code:A3"), ["/parent UNKNOWN_UNIT"]);
        // A level may be left out in between, and a root is of any level.
        post(json!({"code": "T1", "name": "N", "level": "hamlet", "parent": "code:T"}))
            .expect_status(201);
        post(json!({"code": "R", "name": "N", "level": "commune"})).expect_status(201);
        assert_eq!(codes(&admin, "as_of=2024-02-29"), "R T A A1 A2 B B1 T1");
    }

    fn a_list_is_added_as_a_whole_or_not_at_all(backend) {
        let (_server, admin) = Server::with_town(backend);
        let import = |query: &str, rows: &str| {
            admin.post_csv(
                &format!("/v1/units/import{query}"),
                &format!("{HEADING}{rows}"),
            )
        };
        let before = rev(&admin);
        // Children may come before their parents, and a byte order mark and CRLF do no harm.
        let rows = "C1,Ấp Năm,hamlet,C,ấp\r\nC,\"Xã C, mới\",commune,T,\r\nA,Xã A,commune,T,\r\n";
        let planned = import("?dry_run=true", rows).expect_status(200).json();
        assert_eq!(
            planned,
            json!({"dry_run": true, "created": 2, "unchanged": 1, "rev": null, "warnings": []})
        );
        assert_eq!(rev(&admin), before);
        let written = admin.post_csv("/v1/units/import", &format!("\u{feff}{HEADING}{rows}"));
        let written = written.expect_status(200).json();
        assert_eq!(
            (&written["created"], &written["unchanged"]),
            (&json!(2), &json!(1))
        );
        assert!(written["rev"].is_i64());
        assert_eq!(codes(&admin, ""), "T A A1 A2 B B1 C C1");
        assert_eq!(admin.get("/v1/units/code:C").json()["name"], "Xã C, mới");
        assert_eq!(admin.get("/v1/units/code:C1").json()["kind"], "ấp");
        let again = import("", rows).expect_status(200).json();
        assert_eq!(
            (&again["created"], &again["unchanged"]),
            (&json!(0), &json!(3))
        );

        let before = rev(&admin);
        let rows = "D,Xã D,commune,T,\n\
            D,Xã D,commune,T,\n\
            d d,Xã,commune,T,\n\
            E,,commune,T,\n\
            F,Xã F,ward,T,\n\
            G,Xã G,commune,Q,\n\
            H,Xã H,commune,A1,\n\
            B,Tên khác,commune,T,\n";
        let expected = [
            "/1/code DUPLICATE",
            "/2/code INVALID_CODE",
            "/3/name INVALID_TEXT",
            "/4/level UNKNOWN_LEVEL",
            "/5/parent_code UNKNOWN_UNIT",
            "/6/parent_code PARENT_ABOVE_REQUIRED",
            "/7/code CODE_TAKEN",
        ];
        for query in ["", "?dry_run=true"] {
            assert_eq!(
                import(query, rows).expect_problem(422, "INVALID_UNIT"),
                expected
            );
        }
        assert_eq!(rev(&admin), before);
        admin
            .get("/v1/units/code:D")
            .expect_problem(404, "UNIT_NOT_FOUND");

        let later = import("?valid_from=2025-01-01", "D,Xã D,commune,T,\n");
        assert_eq!(later.expect_status(200).json()["created"], 1);
        assert_eq!(codes(&admin, "code=D&as_of=2024-12-31"), "");
        assert_eq!(codes(&admin, "code=D&as_of=2025-01-01"), "D");
        let unread = [
            ("code,name\nD,Xã\n", "/0 MALFORMED_CSV"),
            (
                "code,name,level,parent_code,colour\nD,Xã,commune,T,đỏ\n",
                "/0 MALFORMED_CSV",
            ),
            (
                "code,name,level,parent_code\nD,Xã,commune,T\nE,Xã,commune\n",
                "/1 MALFORMED_CSV",
            ),
        ];
        for (list, fault) in unread {
            let refused = admin.post_csv("/v1/units/import", list);
            assert_eq!(
                refused.expect_problem(400, "MALFORMED_CSV"),
                [fault],
                "{list}"
            );
        }
    }

    fn what_the_values_rest_on_is_fixed_once_they_are_there(backend) {
        let (_server, admin) = Server::with_town(backend);
        admin
            .put("/v1/indicators/x", &broken_down(false, &["women"]))
            .expect_status(201);
        admin.put("/v1/forms/f", &form(&["x"])).expect_status(201);
        let with = |field: &str, value: Value| {
            let mut body = broken_down(false, &["women"]);
            body[field] = value;
            body
        };
        let changes = || {
            [
                with("decimals", json!(1)),
                with("unit_of_measure", json!("người")),
                with("across_units", json!("max")),
                with("across_time", json!("last")),
                with(
                    "breakdowns",
                    broken_down(true, &["women"])["breakdowns"].clone(),
                ),
                with("breakdowns", json!([])),
            ]
        };
        for change in changes() {
            admin
                .replace("/v1/indicators/x", &change)
                .expect_status(200);
        }
        admin
            .replace("/v1/indicators/x", &broken_down(false, &["women"]))
            .expect_status(200);
        // A draft is a value too.
        let report = Report::new(&admin, "f");
        report
            .put("A1", &json!({"values": [value("x", 1)]}))
            .expect_status(201);
        for change in changes() {
            admin
                .replace("/v1/indicators/x", &change)
                .expect_problem(409, "FIXED_ONCE_USED");
            let mut later = change;
            later["valid_from"] = json!("2030-01-01");
            admin
                .replace("/v1/indicators/x", &later)
                .expect_problem(409, "FIXED_ONCE_USED");
        }
        // Its name and its options are not.
        let mut renamed = broken_down(false, &["women", "young"]);
        renamed["name"] = json!({"vi": "Tên mới"});
        admin
            .replace("/v1/indicators/x", &renamed)
            .expect_status(200);
        assert_eq!(
            admin.get("/v1/indicators/x").json()["name"],
            json!({"vi": "Tên mới", "en": null})
        );
        assert_eq!(report.figure("A1", "x/young"), "null 0/1");
    }
}

#[test]
fn units_are_found_by_what_is_known_of_them_and_only_where_one_may_look() {
    let (server, admin) = Server::with_town(Backend::Sqlite);
    assert_eq!(codes(&admin, ""), "T A A1 A2 B B1");
    assert_eq!(codes(&admin, "parent=code:A"), "A1 A2");
    assert_eq!(codes(&admin, "level=commune"), "A B");
    assert_eq!(codes(&admin, "level=hamlet&parent=code:B"), "B1");
    assert_eq!(codes(&admin, "code=A"), "A");
    assert_eq!(codes(&admin, "q=%E1%BA%A5P+m%E1%BB%99t"), "A1");
    assert_eq!(codes(&admin, "q=a"), "T A A1 A2 B B1");
    assert_eq!(codes(&admin, "q=mot"), "A1");
    assert_eq!(codes(&admin, "q=b1"), "B1");
    assert_eq!(codes(&admin, "q=%25"), "");
    assert_eq!(codes(&admin, "level=nothing"), "");
    let missing = admin.get("/v1/units?parent=code:Q");
    missing.expect_problem(404, "UNIT_NOT_FOUND");

    server.create_account("test", "clerk", &["reporter@code:A"]);
    server.create_account("test", "two", &["viewer@code:A2", "viewer@code:B"]);
    server.create_account("test", "none", &[]);
    let clerk = server.sign_in("test", "clerk");
    assert_eq!(codes(&clerk, ""), "A A1 A2");
    assert_eq!(codes(&clerk, "code=B"), "");
    clerk
        .get("/v1/units/code:B")
        .expect_problem(403, "NOT_ALLOWED");
    assert_eq!(codes(&server.sign_in("test", "two"), ""), "A2 B B1");
    assert_eq!(codes(&server.sign_in("test", "none"), ""), "");
}

#[test]
fn pages_lead_to_one_another_until_all_was_read_once() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    let everything: Vec<Value> = {
        let all = admin.get("/v1/units").expect_status(200);
        assert_eq!(all.header("link"), None);
        assert_eq!(all.json()["next"], Value::Null);
        all.json()["items"].as_array().unwrap().clone()
    };
    for limit in [1, 2, 3, 5, 6] {
        let mut path = format!("/v1/units?limit={limit}");
        let mut read = Vec::new();
        loop {
            let page = admin.get(&path).expect_status(200);
            let body = page.json();
            let items = body["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            read.extend(items.clone());
            let Some(link) = page.header("link") else {
                assert_eq!(body["next"], Value::Null);
                break;
            };
            let target = link.strip_prefix('<').unwrap();
            let target = target.strip_suffix(">; rel=\"next\"").unwrap();
            assert!(target.contains(&format!("limit={limit}&cursor=")));
            assert!(target.ends_with(body["next"].as_str().unwrap()));
            path = target.to_owned();
        }
        assert_eq!(read, everything, "{limit}");
    }
    admin.add_indicators(&[("a", "sum"), ("b", "sum"), ("c", "sum")]);
    for code in ["a", "b", "c"] {
        let path = format!("/v1/forms/{code}");
        admin.put(&path, &form(&[code])).expect_status(201);
    }
    for list in ["/v1/indicators", "/v1/forms"] {
        let first = admin.get(&format!("{list}?limit=2")).expect_status(200);
        assert_eq!(first.json()["next"], "b");
        let rest = admin.get(&format!("{list}?limit=2&cursor=b"));
        let rest = rest.expect_status(200).json();
        assert_eq!(
            (&rest["items"][0]["code"], &rest["next"]),
            (&json!("c"), &Value::Null)
        );
    }
}

#[test]
fn a_list_s_faults_are_only_those_of_its_own_rows() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    // What is below a row that is wrong is not wrong itself.
    let rows = "C,,commune,T,\nC1,Ấp,hamlet,C,\nC2,Ấp,hamlet,C,\nC3,,hamlet,C,\nS,Ấp,hamlet,S,\n";
    let refused = admin.post_csv("/v1/units/import", &format!("{HEADING}{rows}"));
    let faults = refused.expect_problem(422, "INVALID_UNIT");
    assert_eq!(
        faults,
        [
            "/0/name INVALID_TEXT",
            "/3/name INVALID_TEXT",
            "/4/parent_code UNKNOWN_UNIT",
        ]
    );
    assert_eq!(codes(&admin, ""), "T A A1 A2 B B1");
}

#[test]
fn levels_have_ranks_of_their_own_that_stay() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    let level = |rank: i64| json!({"name": {"vi": "Tổ", "en": "Group"}, "rank": rank});
    let created = admin.put("/v1/levels/group", &level(5)).expect_status(201);
    let expected = json!({
        "code": "group", "name": {"vi": "Tổ", "en": "Group"}, "rank": 5,
        "valid_from": "1900-01-01", "valid_to": null
    });
    assert_eq!(created.json(), expected);
    let list = admin.get("/v1/levels").expect_status(200).json();
    let items = list["items"].as_array().unwrap();
    let all: Vec<&str> = items
        .iter()
        .map(|level| level["code"].as_str().unwrap())
        .collect();
    assert_eq!(all, ["province", "town", "commune", "hamlet", "group"]);
    assert_eq!(items[4], expected);

    let refused = |path: &str, body: &Value| admin.put(path, body);
    let taken = refused("/v1/levels/block", &level(4)).expect_problem(422, "INVALID_LEVEL");
    assert_eq!(taken, ["/rank INVALID_VALUE"]);
    let moved = admin.replace_level("group", &level(6));
    assert_eq!(
        moved.expect_problem(422, "INVALID_LEVEL"),
        ["/rank INVALID_VALUE"]
    );
    let wrong = json!({
        "name": {"vi": ""}, "rank": 7, "valid_from": "2025-01-02", "valid_to": "2025-01-01"
    });
    assert_eq!(
        refused("/v1/levels/B-B", &wrong).expect_problem(422, "INVALID_LEVEL"),
        [
            "/name/vi INVALID_TEXT",
            "/valid_to INVALID_VALUE",
            "level INVALID_CODE"
        ]
    );
    // The rank of a level that ended is free again, and nothing new is of that level.
    let mut ended = level(5);
    ended["valid_to"] = json!("2025-06-30");
    admin.replace_level("group", &ended).expect_status(200);
    let mut next = level(5);
    next["valid_from"] = json!("2025-07-01");
    admin.put("/v1/levels/block", &next).expect_status(201);
    let unit = json!({
        "code": "G", "name": "G", "level": "group", "parent": "code:A1", "valid_from": "2025-07-01"
    });
    let late = admin.post_json("/v1/units", &unit);
    assert_eq!(
        late.expect_problem(422, "INVALID_UNIT"),
        ["/level UNKNOWN_LEVEL"]
    );
}

impl Client {
    /// A level has no address to read alone: its ETag is that of the list.
    fn replace_level(&self, code: &str, body: &Value) -> crate::harness::Answer {
        let etag = rev(self);
        let path = format!("/v1/levels/{code}");
        self.with("If-Match", &etag).put(&path, body)
    }
}

#[test]
fn every_fault_of_an_indicator_is_told() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum"), ("y", "sum")]);
    let faults = |code: &str, body: &Value| {
        let refused = admin.put(&format!("/v1/indicators/{code}"), body);
        refused.expect_problem(422, "INVALID_INDICATOR")
    };
    let mut wrong = broken_down(true, &["a", "a", "B"]);
    wrong["name"] = json!({"vi": " ", "en": "a\u{0}"});
    wrong["unit_of_measure"] = json!("");
    let kind = wrong["breakdowns"][0].clone();
    let empty = json!({"code": "E", "closed": false, "options": []});
    wrong["breakdowns"] = json!([kind, kind, empty]);
    assert_eq!(
        faults("Docs", &wrong),
        [
            "/breakdowns/0/options/1/code INVALID_CODE",
            "/breakdowns/0/options/2/code INVALID_CODE",
            "/breakdowns/1/code INVALID_CODE",
            "/breakdowns/1/options/0/code INVALID_CODE",
            "/breakdowns/1/options/1/code INVALID_CODE",
            "/breakdowns/1/options/2/code INVALID_CODE",
            "/breakdowns/2/code INVALID_CODE",
            "/breakdowns/2/options INVALID_VALUE",
            "/name/en INVALID_TEXT",
            "/name/vi INVALID_TEXT",
            "/unit_of_measure INVALID_TEXT",
            "indicator INVALID_CODE",
        ]
    );
    let bare = json!({"name": {"vi": "a"}, "unit_of_measure": "cái", "decimals": 0});
    assert_eq!(
        faults("z", &bare),
        ["/across_time MISSING_FIELD", "/across_units MISSING_FIELD"]
    );
    let derived = |formula: &str| {
        let mut body = bare.clone();
        body["formula"] = json!(formula);
        body
    };
    let mut both = derived("x / y");
    both["across_units"] = json!("sum");
    assert_eq!(faults("z", &both), ["/formula INVALID_VALUE"]);
    for unread in ["x +", "(x", "x ** y", "", "x / 'y'"] {
        assert_eq!(
            faults("z", &derived(unread)),
            ["/formula INVALID_FORMULA"],
            "{unread}"
        );
    }
    assert_eq!(
        faults("z", &derived("x / p + q")),
        ["/formula UNKNOWN_INDICATOR", "/formula UNKNOWN_INDICATOR"]
    );
    assert_eq!(
        faults("z", &derived("z + 1")),
        ["/formula CIRCULAR_FORMULA"]
    );
    admin
        .put("/v1/indicators/one", &derived("x + y"))
        .expect_status(201);
    admin
        .put("/v1/indicators/two", &derived("one * 2"))
        .expect_status(201);
    let circular = admin.replace("/v1/indicators/one", &derived("two + x"));
    assert_eq!(
        circular.expect_problem(422, "INVALID_INDICATOR"),
        ["/formula CIRCULAR_FORMULA"]
    );
    assert_eq!(admin.get("/v1/indicators/one").json()["formula"], "x + y");
    // A version holds from its day on.
    let mut later = indicator("sum");
    later["name"] = json!({"vi": "Sau"});
    later["valid_from"] = json!("2025-01-01");
    admin.replace("/v1/indicators/x", &later).expect_status(200);
    let name = |day: &str| {
        admin.get(&format!("/v1/indicators/x?as_of={day}")).json()["name"]["vi"].clone()
    };
    assert_eq!(name("2024-12-31"), "Chỉ tiêu");
    assert_eq!(name("2025-01-01"), "Sau");
    admin
        .get("/v1/indicators/nothing")
        .expect_problem(404, "INDICATOR_NOT_FOUND");
}

#[test]
fn every_fault_of_a_form_is_told() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum"), ("y", "sum")]);
    let rate = json!({
        "name": {"vi": "Tỷ lệ"}, "unit_of_measure": "%", "decimals": 1, "formula": "100 * x / y"
    });
    admin.put("/v1/indicators/rate", &rate).expect_status(201);
    let message = json!({"vi": "Sai"});
    let wrong = json!({
        "name": {"vi": ""}, "calendar": "statutory", "frequency": "year",
        "submitted_by": ["hamlet", "ward"], "deadlines": {"ward": 1},
        "outline": [
            {"number": "I", "title": {"vi": "a"}, "items": [
                {"indicator": "x"}, {"indicator": "nothing"}, {"indicator": "x"},
                {"indicator": "rate", "collected_at": ["ward"]}
            ]},
            {"number": "I", "title": {"vi": ""}, "sections": [{"number": "a b", "title": {"vi": "b"}}]}
        ],
        "rules": [
            {"code": "SAME", "severity": "error", "expression": "x < 1", "message": message},
            {"code": "SAME", "severity": "error", "expression": "x ~ 1", "message": message},
            {"code": "lower", "severity": "warning", "expression": "z < 1", "message": {"vi": ""}},
            {"code": "PERIOD_RUNNING", "severity": "warning", "expression": "x < 1", "message": message}
        ]
    });
    let refused = admin.put("/v1/forms/F", &wrong);
    assert_eq!(
        refused.expect_problem(422, "INVALID_FORM"),
        [
            "/deadlines/ward UNKNOWN_LEVEL",
            "/name/vi INVALID_TEXT",
            "/outline UNKNOWN_INDICATOR",
            "/outline/0/items/1/indicator UNKNOWN_INDICATOR",
            "/outline/0/items/2/indicator DUPLICATE",
            "/outline/0/items/3/collected_at/0 UNKNOWN_LEVEL",
            "/outline/1/number INVALID_CODE",
            "/outline/1/sections/0/number INVALID_CODE",
            "/outline/1/title/vi INVALID_TEXT",
            "/rules/1/code INVALID_CODE",
            "/rules/1/expression INVALID_FORMULA",
            "/rules/2/code INVALID_CODE",
            "/rules/2/expression UNKNOWN_INDICATOR",
            "/rules/2/message/vi INVALID_TEXT",
            "/rules/3/code INVALID_CODE",
            "/submitted_by/1 UNKNOWN_LEVEL",
            "form INVALID_CODE",
        ]
    );
    let mut nobody = form(&["x"]);
    nobody["submitted_by"] = json!([]);
    assert_eq!(
        admin
            .put("/v1/forms/g", &nobody)
            .expect_problem(422, "INVALID_FORM"),
        ["/submitted_by INVALID_VALUE"]
    );
    admin
        .get("/v1/forms/g")
        .expect_problem(404, "FORM_NOT_FOUND");
}

#[test]
fn a_form_s_version_holds_from_its_day_on_and_gives_its_periods() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum"), ("y", "sum")]);
    let mut first = form(&["x"]);
    first["valid_from"] = json!("2023-12-15");
    let created = admin.put("/v1/forms/f", &first).expect_status(201);
    assert_eq!(created.json()["valid_from"], "2023-12-15");
    assert_eq!(
        created.json()["outline"][0]["items"][0],
        json!({
            "indicator": "x", "collected_at": null, "required": false, "show": "total"
        })
    );
    let mut quarterly = form(&["x", "y"]);
    quarterly["frequency"] = json!("quarter");
    quarterly["valid_from"] = json!("2024-12-15");
    admin.replace("/v1/forms/f", &quarterly).expect_status(200);
    let periods = |year: i32| {
        let list = admin.get(&format!("/v1/forms/f/periods?year={year}"));
        let list = list.expect_status(200).json();
        let items = list["items"].as_array().unwrap().iter();
        let keys: Vec<String> = items
            .map(|item| {
                format!(
                    "{} {}",
                    item["key"].as_str().unwrap(),
                    item["to"].as_str().unwrap()
                )
            })
            .collect();
        keys.join(", ")
    };
    assert_eq!(periods(2023), "");
    assert_eq!(periods(2024), "2024 2024-12-14");
    assert_eq!(
        periods(2025),
        "2025-Q1 2025-03-14, 2025-Q2 2025-06-14, 2025-Q3 2025-09-14, 2025-Q4 2025-12-14"
    );
    admin
        .get("/v1/forms/f/periods/2025-01/units/code:A/rollup")
        .expect_problem(404, "PERIOD_NOT_FOUND");
    admin
        .get("/v1/forms/f?as_of=2023-12-14")
        .expect_problem(404, "FORM_NOT_FOUND");
    let frequency =
        |day: &str| admin.get(&format!("/v1/forms/f?as_of={day}")).json()["frequency"].clone();
    assert_eq!(frequency("2024-12-14"), "year");
    assert_eq!(frequency("2024-12-15"), "quarter");
    let report = Report::of(&admin, "f", "2025-Q1");
    report.submit("A1", &[value("y", 4)]);
    assert_eq!(report.figure("T", "y"), "4 1/5");
    assert_eq!(
        Report::of(&admin, "f", "2025-Q2").figure("T", "y"),
        "null 0/5"
    );
}

#[test]
fn a_year_whose_months_are_in_use_cannot_become_one_of_quarters() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum")]);
    let mut monthly = form(&["x"]);
    monthly["frequency"] = json!("month");
    monthly["calendar"] = json!("civil");
    admin.put("/v1/forms/m", &monthly).expect_status(201);
    Report::of(&admin, "m", "2024-01").submit("A1", &[value("x", 10)]);
    let mut quarterly = monthly.clone();
    quarterly["frequency"] = json!("quarter");
    for (valid_from, status) in [("2024-07-01", 409), ("2025-01-01", 200)] {
        quarterly["valid_from"] = json!(valid_from);
        admin
            .replace("/v1/forms/m", &quarterly)
            .expect_status(status);
    }
    assert_eq!(Report::of(&admin, "m", "2024").figure("T", "x"), "10 1/60");
}

#[test]
fn formulas_lie_no_deeper_and_grow_no_larger_than_people_can_read() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum")]);
    let derived = |formula: &str| {
        json!({
            "name": {"vi": "Công thức"}, "unit_of_measure": "cái", "decimals": 0, "formula": formula
        })
    };
    let put =
        |code: &str, formula: &str| admin.put(&format!("/v1/indicators/{code}"), &derived(formula));
    put("d0", "x").expect_status(201);
    for depth in 1..10 {
        put(&format!("d{depth}"), &format!("d{}", depth - 1)).expect_status(201);
    }
    put("d10", "d9").expect_problem(422, "INVALID_INDICATOR");
    let product = ["x"; 100].join(" * ");
    put("wide", &product).expect_status(201);
    let product = ["wide"; 11].join(" * ");
    put("wider", &product).expect_problem(422, "INVALID_INDICATOR");
}

#[test]
fn a_closed_breakdown_cannot_come_over_values_that_have_none() {
    let (_server, admin) = Server::with_town(Backend::Sqlite);
    admin.add_indicators(&[("x", "sum")]);
    admin.put("/v1/forms/f", &form(&["x"])).expect_status(201);
    Report::new(&admin, "f").submit("A1", &[value("x", 20)]);
    let mut broken_down = indicator("sum");
    broken_down["breakdowns"] = json!([{
        "code": "sex", "closed": true, "options": [{"code": "women", "name": {"vi": "Nữ"}}]
    }]);
    admin
        .replace("/v1/indicators/x", &broken_down)
        .expect_problem(409, "FIXED_ONCE_USED");
}
