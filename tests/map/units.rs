//! Units and levels: what can be added, found and changed, and every fault of what cannot.

use serde_json::{Value, json};

use crate::harness::town::form;
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
            let mut detail = expected.clone();
            detail["contacts"] = json!([]);
            assert_eq!(read.json(), detail);
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
            ("code,name\nD,Xã\n", &["/0 MALFORMED_CSV"][..]),
            (
                "code,name,level,parent_code,colour\nD,Xã,commune,T,đỏ\n",
                &["/0 MALFORMED_CSV"],
            ),
            (
                "code,name,level,parent_code\nD,Xã,commune,T\nE,Xã,commune\n",
                &["/0/code CODE_TAKEN", "/1 MALFORMED_CSV"],
            ),
        ];
        for (list, faults) in unread {
            let refused = admin.post_csv("/v1/units/import", list);
            assert_eq!(
                refused.expect_problem(400, "MALFORMED_CSV"),
                faults,
                "{list}"
            );
        }
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
    let unknown = admin.get("/v1/units?level=nothing");
    let faults = unknown.expect_problem(400, "INVALID_PARAMETER");
    assert_eq!(faults, ["level INVALID_PARAMETER"]);
    let unknown = admin.get("/v1/units?parent=code:NONE");
    let faults = unknown.expect_problem(404, "UNIT_NOT_FOUND");
    assert_eq!(faults, ["parent UNIT_NOT_FOUND"]);
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
