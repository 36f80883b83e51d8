//! What a 403 says: which role is missing, on which unit, and who gives it. A unit that the caller
//! may not read is not named.

use serde_json::json;

use crate::harness::report::Reports;
use crate::harness::town::{Town, form};
use crate::harness::{Answer, Backend, Client, Server};

fn town(backend: Backend) -> (Server, Reports) {
    let (server, _admin, reports) = Town::new(backend)
        .indicators(&[("x", "sum")])
        .form("m", "month")
        .build();
    (server, reports)
}

/// Somebody with these roles, who reads English.
fn somebody(server: &Server, login: &str, grants: &[&str]) -> Client {
    server.create_account("test", login, grants);
    let client = server.sign_in("test", login);
    client.with("Accept-Language", "en").with("If-Match", "*")
}

#[track_caller]
fn told(refused: Answer) -> String {
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    refused.expect_problem(403, "NOT_ALLOWED");
    detail
}

on_both_backends! {
    fn a_refusal_names_the_missing_role_the_unit_and_who_gives_it(backend) {
        let (server, reports) = town(backend);
        let at = |unit: &str| reports.of("2025-06").submission(unit);
        let values = json!({"values": []});
        // Has no role that allows it.
        let viewer = somebody(&server, "viewer", &["viewer@code:T"]);
        assert_eq!(
            told(viewer.put(&at("A1"), &values)),
            "You may not enter or submit for this unit: that takes the role reporter on Ấp Một (A1) \
             or a unit above it, which you do not have. Ask somebody who has it to do this, or ask the person \
             who manages the accounts of Ấp Một (A1) for it."
        );
        // Has the role for another unit, and reads this one.
        let neighbour = somebody(&server, "neighbour", &["reporter@code:B", "viewer@code:A"]);
        assert_eq!(
            told(neighbour.put(&at("A1"), &values)),
            "You may not enter or submit for this unit: your role allows that for other units. Here it takes the \
             role reporter on Ấp Một (A1) or a unit above it. Ask the person who manages the accounts \
             of Ấp Một (A1) for it."
        );
        // Has the role on the unit itself, and it must be above.
        let approver = somebody(&server, "approver", &["approver@code:A"]);
        assert_eq!(
            told(approver.post(&format!("{}/approve", at("A")))),
            "You may not approve, return or reopen for this unit: your role is on this very unit and allows that \
             for the units below it. Here it takes the role approver on a unit above Xã A (A). Ask \
             somebody who has it to do this, or ask the person who manages the accounts of the unit above \
             Xã A (A) for it."
        );
        // It is about the whole system.
        let level = json!({"rank": 0, "name": {"vi": "Quốc gia"}});
        assert_eq!(
            told(approver.put("/v1/levels/country", &level)),
            "You may not change levels: that takes the role administrator (tenant_admin) for the whole system, \
             which you do not have. Ask somebody who has it to do this, or ask an administrator of the whole \
             system for it."
        );
        let manager = somebody(&server, "manager", &["unit_admin@code:A"]);
        let list = "code,name,level,parent_code\nA3,Ấp,hamlet,A\n";
        let refused = told(manager.post_csv("/v1/units/import", list));
        assert!(refused.contains("administrator (tenant_admin) for the whole system"), "{refused}");
    }

    fn every_decision_on_one_unit_names_it(backend) {
        let (server, reports) = town(backend);
        let hamlet = somebody(&server, "hamlet", &["reporter@code:A1"]);
        let at = reports.of("2025-06").submission("A1");
        let reason = json!({"reason": "Sai"});
        let all = [
            told(hamlet.post(&format!("{at}/approve"))),
            told(hamlet.post_json(&format!("{at}/reopen"), &reason)),
            told(hamlet.post_json(&format!("{at}/return"), &reason)),
        ];
        for told in all {
            assert!(told.contains("Ấp Một (A1)") && !told.contains("on a unit above this unit"), "{told}");
        }
    }

    fn a_form_without_its_owner_is_refused_by_naming_the_owner(backend) {
        let (server, _reports) = town(backend);
        let manager = somebody(&server, "manager", &["unit_admin@code:A"]);
        let refused = told(manager.put("/v1/forms/storm", &form(&["x"])));
        assert!(refused.contains("give that unit as owner, such as code:A."), "{refused}");
        let reporter = somebody(&server, "reporter", &["reporter@code:A"]);
        let refused = told(reporter.put("/v1/forms/storm", &form(&["x"])));
        assert!(refused.contains("on the unit that the form belongs to (owner)"), "{refused}");
    }

    fn a_refusal_does_not_name_a_unit_that_the_caller_may_not_read(backend) {
        let (server, reports) = town(backend);
        let reporter = somebody(&server, "reporter", &["reporter@code:A"]);
        let path = reports.of("2025-06").submission("B1");
        let of_units = [
            told(reporter.get("/v1/units/code:B1")),
            told(reporter.get(&path)),
            told(reporter.put(&path, &json!({"values": []}))),
        ];
        for told in of_units {
            assert!(told.contains("this unit") && !told.contains("Ấp Ba"), "{told}");
        }
    }
}
