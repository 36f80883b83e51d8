//! Requests of one's own (đột xuất): forms that belong to a unit, and ask units by name or those of a
//! level at and below it.

use serde_json::{Value, json};

use super::tasks::{day, key, short, window, windowed};
use crate::harness::decree::{commune, merge};
use crate::harness::report::{Report, value};
use crate::harness::town::{broken_down, form};
use crate::harness::{Answer, Backend, Client, Server};

/// A town with three communes and a district with one, in a province.
const UNITS: &str = "code,name,level,parent_code\n\
    P,Tỉnh,province,\nT,Thị xã,town,P\nA,Xã A,commune,T\nB,Xã B,commune,T\nC,Xã C,commune,T\n\
    A1,Ấp Một,hamlet,A\nU,Huyện,town,P\nD,Xã D,commune,U\n";

/// Somebody who looks up no tenant but `test`.
fn somebody(server: &Server, login: &str, grants: &[&str]) -> Client {
    server.create_account("test", login, grants);
    server.sign_in("test", login).with("Accept-Language", "en")
}

/// The administrator, and the manager of the town.
fn world(backend: Backend) -> (Server, Client, Client) {
    let server = Server::with_tenant(backend);
    let admin = server
        .sign_in("test", "admin")
        .with("Accept-Language", "en");
    admin.post_csv("/v1/units/import", UNITS).expect_status(200);
    admin.add_indicators(&[("x", "sum")]);
    let town = somebody(&server, "town", &["unit_admin@code:T"]);
    (server, admin, town)
}

/// A request with one window, due so many days from today: to units, or to a level.
fn request(owner: &str, asked: (&str, &[&str]), due: i64) -> Value {
    let mut body = windowed(&[window("bao", (-10, 0), Some(due))]);
    body.as_object_mut().unwrap().remove("submitted_by");
    let (field, names) = asked;
    body["owner"] = json!(format!("code:{owner}"));
    body[field] = json!(names);
    body
}

fn recipients(names: &[&str]) -> Value {
    let codes: Vec<String> = names.iter().map(|name| format!("code:{name}")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    request("T", ("recipients", &codes), 1)
}

const STORM: &str = "/v1/forms/storm";

/// The report on the storm, of whose window the key does not say the day.
fn storm(client: &Client) -> Report {
    Report::of(client, "storm", &key("bao", -10))
}

/// `expected submitted late missing overdue` of a unit and everything below it, as it is counted from
/// what is kept and by submission.
#[track_caller]
fn progress(report: &Report, unit: &str) -> String {
    let whole = report.read(&format!("{unit}/completeness"));
    let listed = report.read(&format!("{unit}/completeness?of=children"));
    assert_eq!(whole["total"], listed["total"], "{unit}");
    let children = whole["children"].as_array().unwrap();
    for (child, item) in children.iter().zip(listed["items"].as_array().unwrap()) {
        assert_eq!(child["total"], item["total"], "{child}");
        assert_eq!(child["own"], item["own"], "{child}");
    }
    let fields = ["expected", "submitted", "late", "missing", "overdue"];
    fields
        .map(|field| whole["total"][field].to_string())
        .join(" ")
}

/// The codes of the units below one of which something is missing.
fn missing(report: &Report, unit: &str) -> Vec<String> {
    let listed = report.read(&format!(
        "{unit}/completeness?of=level:commune&status=missing"
    ));
    let items = listed["items"].as_array().unwrap().iter();
    items
        .map(|item| item["unit"]["code"].as_str().unwrap().to_owned())
        .collect()
}

fn detail(refused: &Answer) -> String {
    refused.json()["detail"].as_str().unwrap().to_owned()
}

/// The sentence of each fault.
fn sentences(refused: &Answer) -> Vec<String> {
    let problem = refused.json();
    let faults = problem["errors"].as_array().unwrap().iter();
    faults
        .map(|fault| fault["detail"].as_str().unwrap().to_owned())
        .collect()
}

on_both_backends! {
    fn a_town_asks_its_communes_and_sees_who_is_missing_and_the_sum(backend) {
        let (server, admin, town) = world(backend);
        let made = town.put(STORM, &recipients(&["A", "B", "C"])).expect_status(201).json();
        let id = |code: &str| admin.get(&format!("/v1/units/code:{code}")).json()["id"].clone();
        assert_eq!(made["owner"], id("T"));
        let mut named = ["A", "B", "C"].map(|code| id(code).as_str().unwrap().to_owned());
        named.sort();
        assert_eq!(made["recipients"], json!(named));
        assert_eq!(made["submitted_by"], json!([]));
        // Whoever may see forms sees it, and what was read can be put.
        let clerk = somebody(&server, "clerk", &["reporter@code:A"]);
        assert_eq!(clerk.get(STORM).expect_status(200).json(), made);
        let mut again = made.clone();
        again.as_object_mut().unwrap().remove("code");
        town.replace(STORM, &again).expect_status(200);

        let may_submit = |client: &Client| client.get("/v1/me").json()["may_submit"].clone();
        assert_eq!(may_submit(&clerk)[0]["form"], "storm");
        assert_eq!(may_submit(&clerk)[0]["levels"], json!(["commune"]));
        let other = somebody(&server, "other", &["reporter@code:D", "reporter@code:A1"]);
        assert_eq!(may_submit(&other), json!([]));
        assert_eq!(short(&other), Vec::<String>::new());
        assert_eq!(short(&clerk), ["submit A own 0"]);
        let officer = somebody(&server, "officer", &["reporter@code:T", "approver@code:T"]);
        assert_eq!(short(&officer), ["submit T below 3"]);

        storm(&clerk).submit("A", &[value("x", 5)]);
        assert_eq!(short(&clerk), Vec::<String>::new());
        assert_eq!(short(&officer), ["submit T below 2", "approve T below 1"]);
        let report = storm(&admin);
        report.submit("C", &[value("x", 7)]);
        for unit in ["P", "T"] {
            assert_eq!(progress(&report, unit), "3 2 0 1 0", "{unit}");
            assert_eq!(report.figure(unit, "x"), "12 2/3");
            assert_eq!(missing(&report, unit), ["B"]);
            let verified = report.verify(unit);
            assert_eq!((&verified["equal"], &verified["kept"]), (&json!(true), &verified["folded"]));
        }
        assert_eq!(progress(&report, "A"), "1 1 0 0 0");
        assert_eq!(progress(&report, "U"), "0 0 0 0 0");
        let lineage = report.read("T/rollup/lineage?indicator=x");
        let sources = lineage["items"].as_array().unwrap().iter();
        let sources: Vec<String> = sources
            .map(|item| format!("{} {}", item["unit"]["code"], item["value"]["value"]))
            .collect();
        assert_eq!(sources, [r#""A" 5"#, r#""B" null"#, r#""C" 7"#]);
        let periods = admin.get(&format!("{STORM}/periods?year={}", day(-10).format("%Y")));
        let deadlines = &periods.expect_status(200).json()["items"][0]["deadlines"];
        assert_eq!(*deadlines, json!({"commune": day(1)}));
    }

    fn only_who_manages_the_owner_puts_its_form(backend) {
        let (server, admin, town) = world(backend);
        let asked = recipients(&["A"]);
        let commune = somebody(&server, "commune", &["unit_admin@code:A"]);
        let district = somebody(&server, "district", &["unit_admin@code:U"]);
        let officer = somebody(&server, "officer", &["reporter@code:T", "approver@code:T"]);
        let province = somebody(&server, "province", &["unit_admin@code:P"]);
        for client in [&commune, &district, &officer] {
            client.put(STORM, &asked).expect_problem(403, "NOT_ALLOWED");
        }
        let told = detail(&district.put(STORM, &asked));
        assert!(told.contains("unit_admin") && !told.contains("Thị xã"), "{told}");
        town.put(STORM, &asked).expect_status(201);
        for client in [&commune, &district, &officer] {
            client.replace(STORM, &asked).expect_problem(403, "NOT_ALLOWED");
        }
        province.replace(STORM, &asked).expect_status(200);
        town.create("/v1/forms/own", &request("A", ("submitted_by", &["hamlet"]), 1)).expect_status(201);

        // A form of the whole tenant is an administrator's, and is nobody's to take.
        let mut of_all = windowed(&[window("bao", (-10, 0), None)]);
        let told = detail(&town.put("/v1/forms/all", &of_all));
        assert!(told.contains("which only an administrator makes") && told.contains("such as code:T."), "{told}");
        admin.put("/v1/forms/all", &of_all).expect_status(201);
        of_all["owner"] = json!("code:T");
        town.replace("/v1/forms/all", &of_all).expect_problem(403, "NOT_ALLOWED");
        let refused = admin.replace("/v1/forms/all", &of_all);
        assert!(detail(&refused).contains("no unit can take it over"), "{}", refused.text);
        refused.expect_problem(409, "FIXED_ONCE_USED");
        // Nor does a form change hands.
        let mut given = asked.clone();
        given["owner"] = json!("code:A");
        let refused = town.replace(STORM, &given);
        assert!(detail(&refused).contains("belongs to Thị xã (T)"), "{}", refused.text);
        refused.expect_problem(409, "FIXED_ONCE_USED");
        given.as_object_mut().unwrap().remove("owner");
        admin.replace(STORM, &given).expect_problem(409, "FIXED_ONCE_USED");

        // Indicators stay an administrator's.
        let indicator = crate::harness::town::indicator("sum");
        town.put("/v1/indicators/y", &indicator).expect_problem(403, "NOT_ALLOWED");
    }

    fn a_key_puts_the_forms_of_what_it_is_for(backend) {
        let (server, admin, _town) = world(backend);
        let program = |unit: Option<&str>| {
            let body = json!({"name": "mẫu", "unit": unit, "operations": ["put_form"], "last_day": day(30)});
            let key = admin.post_json("/v1/keys", &body).expect_status(201).json();
            server.anonymous().with_token(key["secret"].as_str().unwrap())
        };
        let of_all = windowed(&[window("bao", (-10, 0), None)]);
        program(None).put("/v1/forms/all", &of_all).expect_status(201);
        let of_town = program(Some("code:T"));
        of_town.put("/v1/forms/none", &of_all).expect_problem(403, "NOT_ALLOWED");
        of_town.put(STORM, &recipients(&["A"])).expect_status(201);
    }

    fn a_unit_s_form_does_not_hold_up_the_forms_and_indicators_of_all(backend) {
        let (_server, admin, town) = world(backend);
        admin.put("/v1/indicators/docs", &broken_down(false, &["plan", "letter"])).expect_status(201);
        let monthly = |codes: &[&str]| {
            let mut body = form(codes);
            body["frequency"] = json!("month");
            body["submitted_by"] = json!(["commune"]);
            body
        };
        admin.put("/v1/forms/m", &monthly(&["x", "docs"])).expect_status(201);
        let mut own = monthly(&["docs"]);
        own.as_object_mut().unwrap().remove("submitted_by");
        own["owner"] = json!("code:T");
        own["recipients"] = json!(["code:A"]);
        own["outline"][0]["items"] = json!([{"indicator": "x", "from_form": "m"}, {"indicator": "docs"}]);
        own["rules"] = json!([{
            "code": "FEW", "severity": "error", "expression": "docs[letter] <= 5",
            "message": {"vi": "Nhiều công văn", "en": "Many letters"},
        }]);
        town.put("/v1/forms/own", &own).expect_status(201);
        admin.replace("/v1/forms/m", &monthly(&["docs"])).expect_status(200);
        admin.replace("/v1/indicators/docs", &broken_down(false, &["plan"])).expect_status(200);
        // What is no longer there is empty, and no reason to refuse anything.
        let report = Report::of(&admin, "own", "2024-05");
        report.submit("A", &[value("docs", 9)]);
        assert_eq!(report.cell("T", "x")["value"], Value::Null);
        assert_eq!(report.figure("T", "docs"), "9 1/1");
        // The town is told of it when it changes its form.
        let refused = town.replace("/v1/forms/own", &own);
        assert_eq!(refused.expect_problem(422, "INVALID_FORM"), ["/rules/0/expression UNKNOWN_INDICATOR"]);
        own["rules"] = json!([]);
        let refused = town.replace("/v1/forms/own", &own);
        assert_eq!(refused.expect_problem(422, "INVALID_FORM"), ["/outline/0/items/0/from_form UNKNOWN_INDICATOR"]);
    }

    fn a_form_asks_nobody_outside_its_owner(backend) {
        let (server, _admin, town) = world(backend);
        let refused = town.put(STORM, &recipients(&["A", "D", "A", "none"]));
        assert_eq!(sentences(&refused), [
            format!("On {} there is no unit \"code:D\" at or below Thị xã (T). A form of Thị xã (T) asks only units there: choose one of them.", day(0)),
            "The unit Xã A (A) stands there twice. Remove one of the two.".to_owned(),
            format!("On {} there is no unit \"code:none\" at or below Thị xã (T). A form of Thị xã (T) asks only units there: choose one of them.", day(0)),
        ]);
        assert_eq!(refused.expect_problem(422, "INVALID_FORM"), [
            "/recipients/1 UNKNOWN_UNIT", "/recipients/2 DUPLICATE", "/recipients/3 UNKNOWN_UNIT"
        ]);
        let vietnamese = town.with("Accept-Language", "vi");
        let told = sentences(&vietnamese.put(STORM, &recipients(&["D", "A", "A"]))).concat();
        assert!(told.contains("không có đơn vị \"code:D\"") && told.contains("Xã A (A) có hai lần"), "{told}");
        let refused = town.put(STORM, &recipients(&[]));
        assert_eq!(refused.expect_problem(422, "INVALID_FORM"), ["/recipients INVALID_VALUE"]);
        let mut both = recipients(&["A"]);
        both["submitted_by"] = json!(["commune"]);
        assert_eq!(town.put(STORM, &both).expect_problem(422, "INVALID_FORM"), ["/recipients INVALID_VALUE"]);
        let mut neither = recipients(&["A"]);
        neither.as_object_mut().unwrap().remove("recipients");
        assert_eq!(town.put(STORM, &neither).expect_problem(422, "INVALID_FORM"), ["/submitted_by INVALID_VALUE"]);

        // Another tenant's unit and one that never was look the same.
        server.create_tenant("other");
        let neighbour = server.sign_in("other", "admin");
        neighbour.post_csv("/v1/units/import", UNITS).expect_status(200);
        let theirs = neighbour.get("/v1/units/code:T").json()["id"].clone();
        for owner in [theirs, json!("0191e4a5-6d1c-7c3a-9a60-2f6d0c9b1a11")] {
            let mut body = recipients(&["A"]);
            body["owner"] = owner;
            assert_eq!(town.put(STORM, &body).expect_problem(422, "INVALID_FORM"), ["/owner UNKNOWN_UNIT"]);
        }
    }

    fn units_of_a_level_are_asked_below_the_owner_only(backend) {
        let (_server, admin, town) = world(backend);
        let body = request("T", ("submitted_by", &["commune", "town"]), 1);
        town.put(STORM, &body).expect_status(201);
        let report = storm(&admin);
        report.submit("T", &[value("x", 1)]);
        report.submit("A", &[value("x", 2)]);
        assert_eq!(progress(&report, "P"), "4 2 0 2 0");
        assert_eq!(progress(&report, "U"), "0 0 0 0 0");
        assert_eq!(progress(&report, "T"), "4 2 0 2 0");
        assert_eq!(report.figure("P", "x"), "3 2/4");
        assert_eq!(missing(&report, "P"), ["B", "C"]);
        let refused = report.try_submit("D", &[value("x", 1)]);
        assert_eq!(
            detail(&refused),
            "Xã D (D) is not asked by Form (storm), so nothing can be submitted for it. Choose a unit that is \
             asked, or have the person who made the form ask this one too."
        );
        refused.expect_problem(422, "UNIT_DOES_NOT_SUBMIT");
        let refused = report.try_submit("A1", &[value("x", 1)]);
        refused.expect_problem(422, "UNIT_DOES_NOT_SUBMIT");
    }

    fn a_unit_that_is_not_named_submits_nothing(backend) {
        let (_server, admin, town) = world(backend);
        town.put(STORM, &recipients(&["A", "B"])).expect_status(201);
        for unit in ["C", "A1", "T", "D"] {
            let refused = storm(&admin).try_submit(unit, &[value("x", 1)]);
            assert!(detail(&refused).contains("is not asked by"), "{}", refused.text);
            refused.expect_problem(422, "UNIT_DOES_NOT_SUBMIT");
        }
        // More units can be asked later.
        town.replace(STORM, &recipients(&["A", "B", "C"])).expect_status(200);
        storm(&admin).submit("C", &[value("x", 1)]);
        assert_eq!(progress(&storm(&admin), "T"), "3 1 0 2 0");
    }

    fn who_has_submitted_stays_among_the_units_that_are_asked(backend) {
        let (_server, admin, town) = world(backend);
        town.put(STORM, &recipients(&["A", "B"])).expect_status(201);
        storm(&admin).submit("A", &[value("x", 1)]);
        let refused = town.replace(STORM, &recipients(&["B"]));
        assert!(detail(&refused).contains("the unit Xã A (A) that submits"), "{}", refused.text);
        refused.expect_problem(409, "FIXED_ONCE_USED");
        let of_hamlets = request("T", ("submitted_by", &["hamlet"]), 1);
        town.replace(STORM, &of_hamlets).expect_problem(409, "FIXED_ONCE_USED");
        town.replace(STORM, &recipients(&["C", "A"])).expect_status(200);
        assert_eq!(progress(&storm(&admin), "T"), "2 1 0 1 0");
        let of_communes = request("T", ("submitted_by", &["commune"]), 1);
        town.replace(STORM, &of_communes).expect_status(200);
        assert_eq!(progress(&storm(&admin), "T"), "3 1 0 2 0");
        town.replace(STORM, &recipients(&["B"])).expect_problem(409, "FIXED_ONCE_USED");
        town.replace(STORM, &recipients(&["A"])).expect_status(200);
    }

    fn what_comes_after_the_hour_of_the_request_is_late(backend) {
        let (_server, admin, town) = world(backend);
        let mut body = request("T", ("recipients", &["code:A", "code:B"]), -1);
        body["windows"][0]["due_at"] = json!(format!("{}T17:00:00+07:00", day(-1)));
        town.put(STORM, &body).expect_status(201);
        let report = storm(&admin);
        report.submit("A", &[value("x", 5)]);
        assert_eq!(progress(&report, "T"), "2 1 1 1 1");
        let own = |unit: &str| report.read(&format!("{unit}/completeness"))["own"].clone();
        assert_eq!(own("A")["deadline"], json!(day(-1)));
        // Who is not asked has no deadline.
        for unit in ["C", "A1", "T"] {
            let own = own(unit);
            assert_eq!((&own["expected"], &own["deadline"]), (&json!(false), &Value::Null), "{unit}");
        }
        // A level of which a unit is asked can have a deadline, and one that sends up.
        body["windows"][0]["due_at"] = Value::Null;
        body["deadlines"] = json!({"commune": 5, "town": 9});
        town.replace(STORM, &body).expect_status(200);
        assert_eq!(progress(&report, "T"), "2 1 0 1 0");
        body["deadlines"] = json!({"hamlet": 5});
        let refused = town.replace(STORM, &body);
        assert_eq!(refused.expect_problem(422, "INVALID_FORM"), ["/deadlines/hamlet UNKNOWN_LEVEL"]);
    }

    fn an_indicator_can_be_asked_of_some_levels_among_the_units(backend) {
        let (_server, admin, town) = world(backend);
        admin.add_indicators(&[("y", "sum")]);
        let mut body = recipients(&["A", "B", "A1"]);
        body["outline"][0]["items"] = json!([{"indicator": "x"}, {"indicator": "y", "collected_at": ["hamlet"]}]);
        town.put(STORM, &body).expect_status(201);
        let report = storm(&admin);
        report.submit("A1", &[value("x", 1), value("y", 2)]);
        let refused = report.try_submit("A", &[value("y", 1)]);
        refused.expect_problem(422, "INVALID_SUBMISSION");
        report.submit("A", &[value("x", 3)]);
        assert_eq!(report.figure("T", "x"), "4 2/3");
        assert_eq!(report.figure("T", "y"), "2 1/1");
        body["outline"][0]["items"][1]["collected_at"] = json!(["town"]);
        let refused = town.replace(STORM, &body);
        assert_eq!(refused.expect_problem(422, "INVALID_FORM"), ["/outline/0/items/1/collected_at UNKNOWN_LEVEL"]);
        // Nobody who has submitted an indicator is relieved of it.
        body["outline"][0]["items"] = json!([{"indicator": "x", "collected_at": ["hamlet"]}, {"indicator": "y"}]);
        town.replace(STORM, &body).expect_problem(409, "FIXED_ONCE_USED");
    }

    fn a_unit_that_a_reorganisation_ends_is_asked_no_more_and_its_successor_neither(backend) {
        let (_server, admin, town) = world(backend);
        let mut body = recipients(&["A", "B", "C"]);
        body["windows"] = json!([window("bao", (-10, 0), None), window("lu", (-5, 20), None)]);
        town.put(STORM, &body).expect_status(201);
        let before = storm(&admin);
        let after = Report::of(&admin, "storm", &key("lu", -5));
        before.submit("B", &[value("x", 1)]);
        before.submit("C", &[value("x", 2)]);
        after.submit("A", &[value("x", 4)]);
        admin.reorganise(&day(10).to_string(), &json!([merge(&["B", "C"], &commune("E", "T"))]));
        assert_eq!(progress(&before, "T"), "3 2 0 1 0");
        assert_eq!(progress(&after, "T"), "1 1 0 0 0");
        assert_eq!(after.figure("T", "x"), "4 1/1");
        after.try_submit("E", &[value("x", 1)]).expect_problem(422, "UNIT_DOES_NOT_SUBMIT");
        // On the later map the figures of both are the successor's.
        let restated = before.read(&format!("T/rollup?as_of={}&include=children", day(15)));
        let cells = restated["children"].as_array().unwrap().iter();
        let cells: Vec<String> = cells
            .map(|child| {
                let cell = crate::harness::report::cell(child, "x");
                format!("{} {}", child["unit"]["code"], crate::harness::report::shown(&cell))
            })
            .collect();
        assert_eq!(cells, [r#""A" null 0/1"#, r#""E" 3 2/2"#]);
        let completeness = before.read(&format!("T/completeness?as_of={}", day(15)));
        assert_eq!(completeness["total"]["expected"], 3);

        // The ended units stay named by their ids, so that the form can be changed. The successor is
        // asked once a version names it.
        let mut next = town.get(STORM).json();
        next.as_object_mut().unwrap().remove("code");
        town.replace(STORM, &next).expect_status(200);
        let named = next["recipients"].as_array_mut().unwrap();
        named.push(admin.get(&format!("/v1/units/code:E?as_of={}", day(10))).json()["id"].clone());
        next["valid_from"] = json!(day(10));
        next["windows"] = json!([window("lu", (-5, 20), None)]);
        town.replace(STORM, &next).expect_status(200);
        assert_eq!(progress(&before, "T"), "3 2 0 1 0");
        assert_eq!(progress(&after, "T"), "2 1 0 1 0");
        after.submit("E", &[value("x", 8)]);
        assert_eq!(after.figure("T", "x"), "12 2/2");
    }

    fn a_unit_that_moves_away_is_asked_no_more(backend) {
        let (_server, admin, town) = world(backend);
        let mut body = recipients(&["A", "B"]);
        body["windows"] = json!([window("bao", (-10, 0), None), window("lu", (-5, 20), None)]);
        town.put(STORM, &body).expect_status(201);
        let steps = json!([{"op": "move", "unit": "code:B", "parent": "code:U"}]);
        admin.reorganise(&day(10).to_string(), &steps);
        let after = Report::of(&admin, "storm", &key("lu", -5));
        assert_eq!(progress(&storm(&admin), "P"), "2 0 0 2 0");
        assert_eq!(progress(&after, "P"), "1 0 0 1 0");
        assert_eq!(progress(&after, "U"), "0 0 0 0 0");
        after.try_submit("B", &[value("x", 1)]).expect_problem(422, "UNIT_DOES_NOT_SUBMIT");
    }

    fn the_report_of_a_request_answers_for_the_units_that_were_asked(backend) {
        let (server, admin, town) = world(backend);
        town.put(STORM, &recipients(&["A", "B"])).expect_status(201);
        let officer = somebody(&server, "officer", &["reporter@code:T"]);
        storm(&admin).submit("A", &[value("x", 5)]);
        storm(&admin).step("A", "approve").expect_status(200);
        let path = format!("{STORM}/periods/{}/units/code:T/releases", key("bao", -10));
        let refused = officer.post_json(&path, &json!({}));
        assert_eq!(refused.expect_problem(422, "INVALID_RELEASE"), ["/accept ACCEPTANCE_REQUIRED"]);
        let accepted = json!({"accept": [{"unit": "code:B", "reason": "Mất điện"}]});
        officer.post_json(&path, &accepted).expect_status(201);
    }
}
