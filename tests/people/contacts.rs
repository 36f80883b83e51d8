//! Whom to call about a unit: who is named, who sees it, and when the answer changes.

use chrono::Days;
use serde_json::{Value, json};

use crate::harness::server::now;
use crate::harness::{Client, Server};

/// A day in the tenant's time zone, with some days added.
fn day(later: u64) -> String {
    let here = now().with_timezone(&chrono_tz::Asia::Ho_Chi_Minh);
    (here.date_naive() + Days::new(later)).to_string()
}

/// Makes an account with a telephone number, and returns its path.
#[track_caller]
fn add(admin: &Client, (login, name): (&str, &str), grants: Value) -> String {
    let telephone = format!("0912 {}", login.len());
    let body = json!({"login": login, "name": name, "telephone": telephone, "grants": grants});
    let made = admin.post_json("/v1/accounts", &body).expect_status(201);
    format!("/v1/accounts/{}", made.json()["id"].as_str().unwrap())
}

fn role(role: &str, unit: &str) -> Value {
    json!({"role": role, "unit": format!("code:{unit}")})
}

/// The contacts of a unit: `reporter An 0912 2, …`.
#[track_caller]
fn contacts(client: &Client, unit: &str) -> String {
    let read = client.get(&format!("/v1/units/code:{unit}"));
    let read = read.expect_status(200).json();
    let shown = read["contacts"].as_array().unwrap().iter().map(|contact| {
        assert_eq!(contact.as_object().unwrap().len(), 3, "{contact}");
        let text = |field: &str| contact[field].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", text("role"), text("name"), text("telephone"))
    });
    shown.collect::<Vec<_>>().join(", ")
}

on_both_backends! {
    fn whoever_may_see_a_unit_sees_whom_to_call_there(backend) {
        let (server, admin) = Server::with_town(backend);
        server.create_account("test", "viewer", &["viewer@code:A"]);
        let viewer = server.sign_in("test", "viewer");
        assert_eq!(contacts(&viewer, "A"), "");
        add(&admin, ("m", "Minh"), json!([role("unit_admin", "A")]));
        add(&admin, ("binh", "Bình"), json!([role("reporter", "A"), role("approver", "A")]));
        add(&admin, ("an", "Ân"), json!([role("reporter", "A")]));
        add(&admin, ("above", "Trên"), json!([role("approver", "T")]));
        add(&admin, ("below", "Dưới"), json!([role("reporter", "A1")]));
        let expected = "reporter Ân 0912 2, reporter Bình 0912 4, approver Bình 0912 4, unit_admin Minh 0912 1";
        assert_eq!(contacts(&viewer, "A"), expected);
        assert_eq!(contacts(&admin, "A"), expected);
        assert_eq!(contacts(&viewer, "A1"), "reporter Dưới 0912 5");
        // Lists have none, and another unit is not seen at all.
        assert!(!viewer.get("/v1/units").text.contains("contacts"));
        viewer.get("/v1/units/code:B").expect_status(403);
        server.anonymous().get("/v1/units/code:A").expect_status(401);
        // A unit's duties are those of today, on whichever day it is seen.
        let before = viewer.get("/v1/units/code:A?as_of=2001-01-01").expect_status(200).json();
        assert_eq!(before["contacts"].as_array().unwrap().len(), 4);
    }

    fn nobody_is_named_who_is_disabled_ended_not_yet_there_or_no_person(backend) {
        let (server, admin) = Server::with_town(backend);
        let seen = || contacts(&admin, "A");
        let clerk = add(&admin, ("an", "An"), json!([role("reporter", "A")]));
        assert_eq!(seen(), "reporter An 0912 2");
        let read = admin.get(&clerk);
        let on = admin.with("If-Match", read.header("etag").unwrap());
        on.post(&format!("{clerk}/disable")).expect_status(200);
        assert_eq!(seen(), "");

        let mut later = role("reporter", "A");
        later["from"] = json!(day(2));
        add(&admin, ("mai", "Mai"), json!([later]));
        let mut today = role("reporter", "A");
        today["to"] = json!(day(0));
        let leaves = add(&admin, ("hoa", "Hoa"), json!([today]));
        assert_eq!(seen(), "reporter Hoa 0912 3");
        let id = leaves.rsplit('/').next().unwrap();
        server.write_beside(&format!(
            "UPDATE account_grant SET valid_from = '2020-01-01', valid_to = '2025-01-01' WHERE account_id = '{id}'"
        ));
        let key = json!({"name": "Phần mềm", "unit": "code:A", "operations": ["read", "submit"], "last_day": day(30)});
        admin.post_json("/v1/keys", &key).expect_status(201);
        assert_eq!(seen(), "");

        // Another tenant has a unit of the same code, and people of its own.
        server.create_tenant("other");
        let other = server.sign_in("other", "admin");
        let units = "code,name,level,parent_code\nA,Xã A,commune,\n";
        other.post_csv("/v1/units/import", units).expect_status(200);
        add(&other, ("xa", "Xa"), json!([role("reporter", "A")]));
        assert_eq!(contacts(&other, "A"), "reporter Xa 0912 2");
        assert_eq!(seen(), "");
        let id = other.get("/v1/units/code:A").json()["id"].as_str().unwrap().to_owned();
        admin.get(&format!("/v1/units/{id}")).expect_problem(404, "UNIT_NOT_FOUND");
    }

    fn the_validator_changes_with_whom_to_call(backend) {
        let (_server, admin) = Server::with_town(backend);
        let etag = || admin.get("/v1/units/code:A").expect_status(200).etag().to_owned();
        let none = etag();
        let clerk = add(&admin, ("an", "An"), json!([role("reporter", "A")]));
        let one = etag();
        assert_ne!(none, one);
        add(&admin, ("b", "Ba"), json!([role("reporter", "B"), role("viewer", "A")]));
        assert_eq!(etag(), one);
        admin.with("If-None-Match", &one).get("/v1/units/code:A").expect_status(304);
        let read = admin.get(&clerk);
        let on = admin.with("If-Match", read.header("etag").unwrap());
        let body = json!({"login": "an", "name": "An", "telephone": "0988 1"});
        on.put(&clerk, &body).expect_status(200);
        assert_ne!(etag(), one);
        admin.with("If-None-Match", &one).get("/v1/units/code:A").expect_status(200);
        assert_eq!(contacts(&admin, "A"), "reporter An 0988 1");
    }
}
