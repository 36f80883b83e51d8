//! Rights in a subtree over time: whoever writes something that holds over several days needs the
//! right on each of them, on the map of that day.

use serde_json::json;

use crate::harness::town::{form, indicator};
use crate::harness::{Answer, Backend, Client, Server};

const UNITS: &str = "code,name,level,parent_code\n\
    P1,Tỉnh,province,\nT11,Huyện Một,town,P1\nT12,Huyện Hai,town,P1\n\
    C111,Xã Một,commune,T11\nC112,Xã Hai,commune,T11\n";

/// The commune `C112` is below the town `T11` until 2025 and below `T12` from 2026 on. Each town has
/// somebody with this role.
fn moved_commune(backend: Backend, role: &str) -> (Server, Client, [Client; 2]) {
    let server = Server::with_tenant(backend);
    let admin = server.sign_in("test", "admin");
    admin.post_csv("/v1/units/import", UNITS).expect_status(200);
    admin.reorganise(
        "2026-01-01",
        &json!([{"op": "move", "unit": "code:C112", "parent": "code:T12"}]),
    );
    let of_towns = ["T11", "T12"].map(|town| {
        server.create_account("test", town, &[&format!("{role}@code:{town}")]);
        server.sign_in("test", town)
    });
    (server, admin, of_towns)
}

/// Adds a hamlet between two days.
fn add(client: &Client, code: &str, parent: &str, from: Option<&str>, to: Option<&str>) -> Answer {
    let body = json!({
        "code": code, "name": "Ấp", "level": "hamlet", "parent": format!("code:{parent}"),
        "valid_from": from, "valid_to": to,
    });
    client
        .with("Accept-Language", "en")
        .post_json("/v1/units", &body)
}

fn detail(refused: Answer) -> String {
    let problem = refused.json();
    refused.expect_problem(403, "NOT_ALLOWED");
    problem["detail"].as_str().unwrap().to_owned()
}

on_both_backends! {
    fn a_unit_is_added_by_one_who_may_on_each_of_its_days(backend) {
        let (_server, _admin, [before, after]) = moved_commune(backend, "unit_admin");
        for (from, to) in [("2015-01-01", None), ("2015-01-01", Some("2026-01-01")), ("2026-01-01", None)] {
            let told = detail(add(&before, "H", "C112", Some(from), to));
            assert_eq!(told.contains("from 2015-01-01 to 2025-12-31 only"), from == "2015-01-01", "{told}");
        }
        add(&before, "H1", "C112", Some("2015-01-01"), Some("2025-12-31")).expect_status(201);
        let told = detail(add(&after, "H", "C112", Some("2015-01-01"), None));
        assert!(told.contains("from 2026-01-01 on only"), "{told}");
        detail(add(&after, "H", "C112", Some("2025-12-31"), None));
        detail(add(&after, "H", "C112", Some("2015-01-01"), Some("2025-12-31")));
        add(&after, "H2", "C112", Some("2026-01-01"), None).expect_status(201);
        // Days that end before they begin are a fault, and nobody's secret.
        let reversed = add(&after, "H", "C112", Some("2026-02-01"), Some("2026-01-01"));
        assert_eq!(reversed.expect_problem(422, "INVALID_UNIT"), ["/valid_to INVALID_VALUE"]);
    }

    fn without_a_first_day_a_unit_stands_since_its_parent_is_in_the_subtree(backend) {
        let (_server, admin, [before, after]) = moved_commune(backend, "unit_admin");
        let since = |client: &Client, code: &str, parent: &str, to: Option<&str>| {
            let created = add(client, code, parent, None, to).expect_status(201);
            created.json()["valid_from"].as_str().unwrap().to_owned()
        };
        assert_eq!(since(&after, "H1", "C112", None), "2026-01-01");
        assert_eq!(since(&before, "H2", "C112", Some("2025-12-31")), "1900-01-01");
        assert_eq!(since(&before, "H3", "C111", None), "1900-01-01");
        assert_eq!(since(&admin, "H4", "C112", None), "1900-01-01");
        detail(add(&before, "H", "C112", None, None));
        // A commune that came later, and was given another code.
        let later = json!({
            "code": "C121", "name": "Xã Ba", "level": "commune", "parent": "code:T12", "valid_from": "2024-03-01"
        });
        after.post_json("/v1/units", &later).expect_status(201);
        assert_eq!(since(&after, "H5", "C121", None), "2024-03-01");
        admin.reorganise("2026-06-01", &json!([{"op": "recode", "unit": "code:C121", "code": "C129"}]));
        assert_eq!(since(&after, "H6", "C129", None), "2024-03-01");
        let too_early = add(&after, "H", "C121", Some("2020-01-01"), Some("2025-01-01"));
        assert_eq!(too_early.expect_problem(422, "INVALID_UNIT"), ["/parent UNKNOWN_UNIT"]);
        // What one may do nothing with is no more told of.
        detail(add(&before, "H", "C121", Some("2020-01-01"), None));
        detail(add(&before, "H", "C199", None, None));
    }

    fn a_list_and_a_level_are_the_whole_tenant_s_on_every_day(backend) {
        let (_server, admin, towns) = moved_commune(backend, "unit_admin");
        let list = "code,name,level,parent_code\nH,Ấp,hamlet,C112\n";
        let level = json!({"name": {"vi": "Tổ"}, "rank": 50, "valid_from": "2026-01-01"});
        for client in &towns {
            for query in ["", "?valid_from=2015-01-01", "?valid_from=2026-01-01", "?valid_from=2026-01-01&dry_run=true"] {
                let refused = client.post_csv(&format!("/v1/units/import{query}"), list);
                refused.expect_problem(403, "NOT_ALLOWED");
            }
            client.create("/v1/levels/team", &level).expect_problem(403, "NOT_ALLOWED");
        }
        admin.get("/v1/units/code:H?as_of=2026-06-01").expect_problem(404, "UNIT_NOT_FOUND");
        let levels = admin.get("/v1/levels").expect_status(200);
        assert!(!levels.text.contains("team"), "{}", levels.text);
    }

    fn a_target_is_set_by_one_who_may_on_each_day_of_its_period(backend) {
        let (server, admin, [before, after]) = moved_commune(backend, "approver");
        admin.put("/v1/indicators/x", &indicator("sum")).expect_status(201);
        let mut monthly = form(&["x"]);
        monthly["frequency"] = json!("month");
        for (code, form) in [("y", form(&["x"])), ("m", monthly)] {
            admin.put(&format!("/v1/forms/{code}"), &form).expect_status(201);
        }
        server.create_account("test", "province", &["approver@code:P1"]);
        let province = server.sign_in("test", "province");
        let path = |form: &str, period: &str| format!("/v1/forms/{form}/periods/{period}/units/code:C112/targets/x");
        let set = |client: &Client, form: &str, period: &str| {
            client.with("Accept-Language", "en").put(&path(form, period), &json!({"value": 5}))
        };
        for form in ["y", "m"] {
            set(&before, form, "2025").expect_status(201);
            // From 2025-12-15 to 2026-12-14: the commune was not its own all the time.
            detail(set(&before, form, "2026"));
            let told = detail(set(&after, form, "2026"));
            assert!(told.contains("from 2026-01-01 to 2026-12-14 only"), "{told}");
            set(&province, form, "2026").expect_status(201);
            set(&after, form, "2027").expect_status(201);
        }
        detail(set(&after, "m", "2026-Q1"));
        detail(set(&after, "m", "2026-01"));
        set(&after, "m", "2026-02").expect_status(201);
        set(&after, "m", "2026-Q2").expect_status(201);
    }
}
