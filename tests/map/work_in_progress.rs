//! Submissions, targets and grants of units that a reorganisation ends.

use serde_json::{Value, json};

use crate::harness::report::{Reports, value};
use crate::harness::server::now;
use crate::harness::town::{Town, form};
use crate::harness::{Backend, Client, Server};

/// The first day of the new map.
const DAY: &str = "2025-07-01";

/// The town with a monthly form `m` of communes and hamlets.
fn reporting(backend: Backend) -> (Server, Client, Reports) {
    let town = Town::new(backend).indicators(&[("x", "sum")]);
    town.form("m", "month").with("calendar", "civil").build()
}

/// Commune B becomes part of `into`.
fn merger(into: Value) -> Value {
    json!({
        "effective": DAY, "legal_basis": "Nghị quyết 1654",
        "steps": [{"op": "merge", "from": ["code:B"], "into": into}]
    })
}

fn new_commune() -> Value {
    json!({"code": "N", "name": "Xã Mới", "kind": "xã", "level": "commune", "parent": "code:T"})
}

/// The steps of a submission with their reasons, the first one first.
fn history(client: &Client, unit: &str, of: &str) -> Vec<String> {
    let path = format!("/v1/forms/m/periods/{of}/units/{unit}/submission/revisions");
    let page = client.get(&path).expect_status(200).json();
    let mut steps: Vec<String> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|revision| {
            let reason = revision["reason"]["text"]
                .as_str()
                .map_or(String::new(), |text| format!(": {text}"));
            format!(
                "{} {}{reason}",
                revision["step"].as_str().unwrap(),
                revision["status"].as_str().unwrap()
            )
        })
        .collect();
    steps.reverse();
    steps
}

/// The day in the tenant's time zone, with some days added.
fn day(later: u64) -> String {
    let here = now().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh);
    (here.date_naive() + chrono::Days::new(later)).to_string()
}

/// A text, or nothing for null.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn id(client: &Client, code: &str, day: &str) -> String {
    let unit = client
        .get(&format!("/v1/units/code:{code}?as_of={day}"))
        .expect_status(200);
    unit.json()["id"].as_str().unwrap().to_owned()
}

on_both_backends! {
    fn what_a_unit_that_ended_had_stays_readable_under_it_and_cannot_be_changed(backend) {
        let (server, admin, m) = reporting(backend);
        server.create_account("test", "clerk", &["reporter@code:B"]);
        let clerk = server.sign_in("test", "clerk");
        m.by(&clerk).of("2025-07").put("B", &json!({"values": [value("x", 7)]})).expect_status(201);
        m.by(&clerk).of("2025-08").submit("B", &[value("x", 8)]);
        let b = id(&admin, "B", "2025-06-30");
        admin.carry_out(&merger(json!("code:A")));
        for client in [&admin, &clerk] {
            for name in ["code:B", &b] {
                let path = format!("/v1/forms/m/periods/2025-07/units/{name}/submission");
                let draft = client.get(&path).expect_status(200);
                assert_eq!(draft.json()["values"][0]["value"], 7);
                assert_eq!((&draft.json()["status"], &draft.json()["unit"]["code"]), (&json!("draft"), &json!("B")));
                let put = client.with("If-Match", draft.etag()).put(&path, &json!({"values": []}));
                assert_eq!(put.clone().expect_problem(404, "UNIT_ENDED"), ["unit UNIT_ENDED"]);
                let told = put.json()["detail"].as_str().unwrap().to_owned();
                assert!(told.contains("Xã A (A)"), "{told}");
                client.get(&format!("/v1/forms/m/periods/2025-07/units/{name}/rollup")).expect_problem(404, "UNIT_ENDED");
                assert_eq!(history(client, name, "2025-07"), ["save draft"]);
            }
        }
        // Who could not see the unit then is not told of it now.
        server.create_account("test", "other", &["viewer@code:A"]);
        let other = server.sign_in("test", "other");
        let path = "/v1/forms/m/periods/2025-07/units/code:B/submission";
        other.get(path).expect_problem(404, "UNIT_NOT_FOUND");
        other.with("If-None-Match", "*").put(path, &json!({"values": []})).expect_problem(404, "UNIT_NOT_FOUND");
        // Another unit that has the code now is the one that is meant by it.
        admin.post_json("/v1/units", &json!({"code": "B", "name": "Xã B mới", "level": "commune", "parent": "code:T", "valid_from": DAY})).expect_status(201);
        admin.get(path).expect_problem(404, "SUBMISSION_NOT_FOUND");
        admin.get(&path.replace("code:B", &b)).expect_status(200);
    }

    fn what_counts_tells_in_its_history_what_became_of_its_unit(backend) {
        let (_server, admin, m) = reporting(backend);
        for of in ["2025-06", "2025-07", "2025-08"] {
            m.of(of).submit("B", &[value("x", 7)]);
        }
        m.of("2025-08").step("B", "approve").expect_status(200);
        m.of("2025-09").put("B", &json!({"values": []})).expect_status(201);
        m.of("2025-10").submit("B", &[value("x", 7)]);
        m.of("2025-10").give_back("B", &json!({"reason": "Sai"})).expect_status(200);
        let path = admin.carry_out(&merger(json!("code:A")));
        let told = "Nghị quyết 1654: từ ngày 01/07/2025, Xã B được nhập vào Xã A (A).";
        assert_eq!(history(&admin, "code:B", "2025-06"), ["replace submitted"]);
        assert_eq!(history(&admin, "code:B", "2025-07"), ["replace submitted".to_owned(), format!("reorganise submitted: {told}")]);
        assert_eq!(history(&admin, "code:B", "2025-08"),
            ["replace submitted".to_owned(), "approve approved".to_owned(), format!("reorganise approved: {told}")]);
        assert_eq!(history(&admin, "code:B", "2025-09"), ["save draft"]);
        assert_eq!(history(&admin, "code:B", "2025-10"), ["replace submitted", "return returned: Sai"]);
        assert_eq!(m.of("2025-08").approved_figure("A", "x").split(' ').next(), Some("7"));
        admin.undo(&path);
        let back = "reorganise submitted: Đã hủy việc sắp xếp theo Nghị quyết 1654.";
        assert_eq!(history(&admin, "code:B", "2025-07"), ["replace submitted".to_owned(), format!("reorganise submitted: {told}"), back.to_owned()]);
        assert_eq!(m.of("2025-08").approved_figure("B", "x").split(' ').next(), Some("7"));
        // Work goes on from there, on the revision that there is now.
        m.of("2025-07").submit("B", &[value("x", 9)]);
        // A unit that is divided, one that is abolished.
        let divided = json!({"effective": "2025-08-01", "legal_basis": "NQ", "steps": [
            {"op": "split", "from": "code:B", "children": {"code:B1": "code:A"}, "into": [{"unit": "code:A"}, {"unit": new_commune()}]},
            {"op": "abolish", "unit": "code:A1"},
        ]});
        m.of("2025-08").submit("A1", &[value("x", 1)]);
        admin.carry_out(&divided);
        assert_eq!(history(&admin, "code:B", "2025-08").last().unwrap(), "reorganise approved: NQ: từ ngày 01/08/2025, Xã B được chia cho Xã A (A), Xã Mới (N).");
        assert_eq!(history(&admin, "code:A1", "2025-08").last().unwrap(), "reorganise submitted: NQ: từ ngày 01/08/2025, Ấp Một được giải thể.");
    }

    fn work_is_passed_on_to_the_one_successor_where_the_document_says_so(backend) {
        let (_server, admin, m) = reporting(backend);
        let b = id(&admin, "B", "2025-06-30");
        m.of("2025-06").submit("B", &[value("x", 6)]);
        m.of("2025-07").submit("B", &[value("x", 7)]);
        m.of("2025-07").step("B", "approve").expect_status(200);
        m.of("2025-08").put("B", &json!({"values": [value("x", 8)]})).expect_status(201);
        m.of("2025-10").submit("B", &[value("x", 10)]);
        m.of("2025-10").give_back("B", &json!({"reason": "Sai"})).expect_status(200);
        let target = |of: &str, unit: &str| format!("/v1/forms/m/periods/{of}/units/{unit}/targets/x");
        admin.put(&target("2025-07", "code:B"), &json!({"value": 70})).expect_status(201);
        admin.put(&target("2025-12", "code:B"), &json!({"value": 12})).expect_status(201);
        let mut document = merger(new_commune());
        document["work_in_progress"] = json!("pass_on");
        let planned = admin.post_json("/v1/reorganisations/preview", &document).expect_status(200).json();
        assert_eq!(planned["submissions"]["first"][0]["passes_to"]["code"], "N");
        let path = admin.carry_out(&document);
        let told = "Nghị quyết 1654: từ ngày 01/07/2025, Xã B được nhập vào Xã Mới (N).";
        assert_eq!(history(&admin, "code:N", "2025-07"),
            ["replace submitted".to_owned(), "approve approved".to_owned(), format!("reorganise approved: {told}")]);
        assert_eq!(m.of("2025-07").get("N")["values"][0]["value"], 7);
        admin.get(&m.of("2025-07").submission("B")).expect_problem(404, "SUBMISSION_NOT_FOUND");
        assert_eq!(history(&admin, "code:N", "2025-08"), ["save draft".to_owned(), format!("reorganise draft: {told}")]);
        let returned = m.of("2025-10").get("N");
        assert_eq!(returned["reason"]["text"], "Sai", "why it was returned, not what became of its unit");
        assert_eq!(m.of("2025-07").get("N")["unit"]["code"], "N");
        assert_eq!(history(&admin, &b, "2025-06"), ["replace submitted"]);
        assert_eq!(m.of("2025-07").cell("N", "x")["target"]["value"], 70);
        assert_eq!(m.of("2025-12").cell("N", "x")["target"]["value"], 12);
        assert_eq!(m.of("2025-07").approved_figure("T", "x").split(' ').next(), Some("7"));
        m.expect_verified("T", &["2025"]);

        admin.undo(&path);
        let back = "reorganise approved: Đã hủy việc sắp xếp theo Nghị quyết 1654.";
        assert_eq!(history(&admin, "code:B", "2025-07"),
            ["replace submitted".to_owned(), "approve approved".to_owned(), format!("reorganise approved: {told}"), back.to_owned()]);
        assert_eq!(m.of("2025-08").get("B")["values"][0]["value"], 8);
        assert_eq!(m.of("2025-07").cell("B", "x")["target"]["value"], 70);
        assert_eq!(m.of("2025-07").approved_figure("B", "x").split(' ').next(), Some("7"));
    }

    fn what_names_a_new_unit_holds_up_the_undoing(backend) {
        let (_server, admin, _) = Town::new(backend)
            .indicators(&[("x", "sum")])
            .form("m", "month")
            .with("calendar", "civil")
            .with("deadlines", json!({"commune": 5, "hamlet": 3}))
            .build();
        let english = admin.with("Accept-Language", "en");
        let path = admin.carry_out(&merger(new_commune()));
        let refused = || {
            let etag = admin.get(&path).etag().to_owned();
            let refused = english.with("If-Match", &etag).post(&format!("{path}/undo"));
            refused.clone().expect_problem(409, "REORGANISATION_BUILT_ON");
            refused.json()["detail"].as_str().unwrap().to_owned()
        };
        let arranged = "/v1/forms/m/units/code:N/subtree-reporting";
        admin.put(arranged, &json!({"from": "2025-08", "to": "2025-12"})).expect_status(201);
        assert!(refused().contains("Xã Mới (N) is to report for all units below it on the form Form (m)"), "{}", refused());
        let etag = admin.get(arranged).etag().to_owned();
        admin.with("If-Match", &etag).send("DELETE", arranged, None, b"").expect_status(204);
        let extension = "/v1/forms/m/periods/2025-09/units/code:N/extension";
        admin.put(extension, &json!({"until": day(30), "reason": "Mới lập"})).expect_status(201);
        assert!(refused().contains("Xã Mới (N) was given more time"), "{}", refused());
        let etag = admin.get(extension).etag().to_owned();
        admin.with("If-Match", &etag).send("DELETE", extension, None, b"").expect_status(204);
        let mut own = form(&["x"]);
        own.as_object_mut().unwrap().remove("submitted_by");
        own["recipients"] = json!(["code:A", "code:N"]);
        own["valid_from"] = json!("2025-08-01");
        admin.put("/v1/forms/own", &own).expect_status(201);
        assert!(refused().starts_with("The form Form (own) belongs to"), "{}", refused());
        own["recipients"] = json!(["code:A"]);
        admin.replace("/v1/forms/own", &own).expect_status(200);
        admin.undo(&path);
    }

    fn work_of_several_predecessors_or_beside_the_successor_s_own_stays_where_it_is(backend) {
        let (_server, admin, m) = reporting(backend);
        let values = [value("x", 1)];
        // In July both have some, in August the successor too, in September only B.
        for (unit, of) in [("A", "2025-07"), ("B", "2025-07"), ("B", "2025-08"), ("B", "2025-09")] {
            m.of(of).submit(unit, &values);
        }
        admin.post_json("/v1/units", &json!({"code": "N", "name": "Xã Mới", "level": "commune", "parent": "code:T"})).expect_status(201);
        m.of("2025-08").submit("N", &values);
        admin.carry_out(&json!({
            "effective": DAY, "legal_basis": "NQ", "work_in_progress": "pass_on",
            "steps": [{"op": "merge", "from": ["code:A", "code:B"], "into": "code:N"}]
        }));
        let has = |unit: &str, of: &str| admin.get(&m.of(of).submission(unit)).status == 200;
        assert_eq!(["2025-07", "2025-08", "2025-09"].map(|of| has("B", of)), [true, true, false]);
        assert_eq!(["2025-07", "2025-08", "2025-09"].map(|of| has("N", of)), [false, true, true]);
        // What is divided has no one successor, and a unit of another level asks for other things.
        m.of("2025-12").submit("A1", &values);
        m.of("2025-12").submit("B1", &values);
        admin.carry_out(&json!({
            "effective": "2025-11-01", "legal_basis": "NQ", "work_in_progress": "pass_on",
            "steps": [
                {"op": "merge", "from": ["code:A1"], "into": "code:N"},
                {"op": "split", "from": "code:B1", "into": [{"unit": "code:A2"}, {"unit": "code:N"}]},
            ]
        }));
        assert_eq!(["A1", "B1", "A2", "N"].map(|unit| has(unit, "2025-12")), [true, true, false, false]);
    }

    fn grants_stay_unless_the_document_lets_them_follow(backend) {
        let (server, admin, m) = reporting(backend);
        server.create_account("test", "clerk", &["reporter@code:B"]);
        server.create_account("test", "chief", &["approver@code:T"]);
        let clerk = server.sign_in("test", "clerk");
        m.by(&clerk).of("2025-06").submit("B", &[value("x", 1)]);
        let july = |unit: &str| clerk.get(&m.by(&clerk).of("2025-07").submission(unit));
        let path = admin.carry_out(&merger(new_commune()));
        july("N").expect_problem(403, "NOT_ALLOWED");
        july("T").expect_problem(403, "NOT_ALLOWED");
        m.by(&clerk).of("2025-06").get("B");
        // A grant on a unit that has ended is not one on everything.
        let me = clerk.get("/v1/me").json();
        assert_eq!(me["grants"][0]["unit"]["name"], "Xã B");
        assert_eq!(me["may_submit"], json!([]));
        admin.undo(&path);

        let mut document = merger(new_commune());
        document["grants"] = json!("follow");
        let path = admin.carry_out(&document);
        july("N").expect_problem(404, "SUBMISSION_NOT_FOUND");
        july("A").expect_problem(403, "NOT_ALLOWED");
        m.by(&clerk).of("2025-06").get("B");
        assert_eq!(clerk.get("/v1/me").json()["grants"].as_array().unwrap().len(), 2);
        admin.undo(&path);
        assert_eq!(clerk.get("/v1/me").json()["grants"].as_array().unwrap().len(), 1);
        // Of a unit that is divided nobody knows to whom.
        admin.carry_out(&json!({"effective": DAY, "legal_basis": "NQ", "grants": "follow", "steps": [
            {"op": "split", "from": "code:B", "children": {"code:B1": "code:A"}, "into": [{"unit": "code:A"}, {"unit": new_commune()}]},
        ]}));
        july("N").expect_problem(403, "NOT_ALLOWED");
        july("A").expect_problem(403, "NOT_ALLOWED");
    }

    fn a_grant_that_follows_begins_on_the_effective_day_and_is_taken_back(backend) {
        let (server, admin, _) = reporting(backend);
        server.create_account("test", "clerk", &["reporter@code:B"]);
        server.create_account("test", "both", &["viewer@code:A", "viewer@code:B"]);
        let body = json!({"login": "later", "name": "later", "grants": [
            {"role": "reporter", "unit": "code:B", "from": day(20), "to": day(40)},
        ]});
        admin.post_json("/v1/accounts", &body).expect_status(201);
        let grants = |login: &str| {
            let accounts = admin.get(&format!("/v1/accounts?q={login}")).expect_status(200).json();
            let grants = accounts["items"][0]["grants"].as_array().unwrap().clone();
            let shown = grants.iter().map(|grant| {
                format!("{} {}..{}", text(&grant["unit"]["code"]), text(&grant["from"]), text(&grant["to"]))
            });
            shown.collect::<Vec<_>>()
        };
        let path = admin.carry_out(&json!({
            "effective": day(10), "legal_basis": "NQ", "grants": "follow",
            "steps": [{"op": "merge", "from": ["code:B"], "into": "code:A"}],
        }));
        assert_eq!(grants("clerk"), ["B 1900-01-01..".to_owned(), format!("A {}..", day(10))]);
        let weeks = format!("{}..{}", day(20), day(40));
        assert_eq!(grants("later"), [format!("B {weeks}"), format!("A {weeks}")]);
        // Nobody gets twice what it has.
        assert_eq!(grants("both"), ["A 1900-01-01..", "B 1900-01-01.."]);
        let clerk = server.sign_in("test", "clerk");
        clerk.get("/v1/units/code:B").expect_status(200);
        clerk.get("/v1/units/code:A").expect_problem(403, "NOT_ALLOWED");
        admin.undo(&path);
        assert_eq!(grants("clerk"), ["B 1900-01-01.."]);
        assert_eq!(grants("later"), [format!("B {weeks}")]);
        assert_eq!(grants("both").len(), 2);
    }

    fn a_key_s_unit_is_that_of_its_grants_also_after_a_reorganisation(backend) {
        let (server, admin, _) = reporting(backend);
        server.create_account("test", "of-a", &["unit_admin@code:A"]);
        server.create_account("test", "of-b", &["unit_admin@code:B"]);
        let key = json!({"name": "Phần mềm", "unit": "code:B", "operations": ["read"], "last_day": day(30)});
        let key = admin.post_json("/v1/keys", &key).expect_status(201).json();
        let program = server.anonymous().with_token(text(&key["secret"]));
        let units = |client: &Client| {
            let keys = client.get("/v1/keys").expect_status(200).json();
            let keys = keys["items"].as_array().unwrap().clone();
            keys.iter().map(|key| text(&key["unit"]["code"]).to_owned()).collect::<Vec<_>>()
        };
        let merge = |effective: &str| admin.carry_out(&json!({
            "effective": effective, "legal_basis": "NQ", "grants": "follow",
            "steps": [{"op": "merge", "from": ["code:B"], "into": "code:A"}],
        }));
        let of_a = server.sign_in("test", "of-a");
        let announced = merge(&day(10));
        assert_eq!(units(&admin), ["B"]);
        program.get("/v1/units/code:B").expect_status(200);
        assert_eq!(units(&of_a), [""; 0]);
        admin.undo(&announced);
        merge(DAY);
        assert_eq!((units(&admin), units(&of_a)), (vec!["A".to_owned()], vec!["A".to_owned()]));
        program.get("/v1/units/code:A").expect_status(200);
        // Two of a name are enough at the successor too.
        let same = json!({"name": "Phần mềm", "unit": "code:A", "operations": ["read"], "last_day": day(30)});
        admin.post_json("/v1/keys", &same).expect_status(201);
        admin.post_json("/v1/keys", &same).expect_problem(409, "TOO_MANY_KEYS");
        let keys = admin.get("/v1/keys").json();
        let made = format!("/v1/keys/{}", text(&keys["items"][1]["id"]));
        admin.send("DELETE", &made, None, b"").expect_status(204);
        let old = format!("/v1/keys/{}", text(&key["id"]));
        of_a.send("DELETE", &old, None, b"").expect_status(204);
        program.get("/v1/units/code:A").expect_problem(401, "INVALID_TOKEN");
    }
}
