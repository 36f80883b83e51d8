//! Accounts: who manages whom, invitations, sessions, and what holds at once.

use serde_json::{Value, json};

use crate::harness::program::tonghop_on;
use crate::harness::server::PASSWORD;
use crate::harness::{Answer, Backend, Client, Server};

const CHOSEN: &str = "con mèo ngủ trên mái";

/// The town with a manager of the town and one of commune A.
fn town(backend: Backend) -> (Server, Client) {
    let (server, admin) = Server::with_town(backend);
    for (login, grant) in [
        ("of-t", "unit_admin@code:T"),
        ("of-a", "unit_admin@code:A"),
        ("of-b", "unit_admin@code:B"),
        ("clerk", "reporter@code:A"),
    ] {
        server.create_account("test", login, &[grant]);
    }
    (server, admin)
}

fn person(login: &str, role: &str, unit: &str) -> Value {
    json!({"login": login, "name": login, "grants": [{"role": role, "unit": format!("code:{unit}")}]})
}

#[track_caller]
fn created(client: &Client, body: &Value) -> String {
    let account = client.post_json("/v1/accounts", body).expect_status(201);
    let id = account.json()["id"].as_str().unwrap().to_owned();
    format!("/v1/accounts/{id}")
}

/// The same client, building on the account as it is now.
#[track_caller]
fn on(client: &Client, path: &str) -> Client {
    let read = client.get(path).expect_status(200);
    client.with("If-Match", read.header("etag").unwrap())
}

#[track_caller]
fn invited(client: &Client, path: &str) -> String {
    let answer = client.post(&format!("{path}/invitation"));
    let code = answer.expect_status(201).json()["code"].clone();
    code.as_str().unwrap().to_owned()
}

fn accept(server: &Server, code: &str, password: &str) -> Answer {
    let body = json!({"tenant": "test", "code": code, "password": password});
    server.anonymous().post_json("/v1/auth/invitation", &body)
}

fn sign_in(server: &Server, login: &str, password: &str) -> Answer {
    let form = format!("grant_type=password&tenant=test&username={login}&password={password}");
    server.anonymous().post_form("/v1/auth/token", &form)
}

fn logins(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["login"].as_str().unwrap()).collect()
}

on_both_backends! {
    fn an_invitation_serves_once_and_a_later_one_replaces_it(backend) {
        let (server, admin) = town(backend);
        let path = created(&admin, &person("0912345678", "reporter", "A1"));
        assert_eq!(admin.get(&path).json()["status"], "invited");
        sign_in(&server, "0912345678", "").expect_problem(400, "INVALID_CREDENTIALS");
        let first = invited(&admin, &path);
        let second = invited(&admin, &path);
        accept(&server, &first, CHOSEN).expect_problem(401, "INVALID_INVITATION");
        // A password that is not good enough leaves the code good.
        let faults = accept(&server, &second, "ngắn").expect_problem(422, "INVALID_ACCOUNT");
        assert_eq!(faults, ["/password INVALID_VALUE"]);
        let common = accept(&server, &second, "Matkhau 123456");
        common.expect_problem(422, "INVALID_ACCOUNT");
        let typed = second.to_lowercase().replace('-', " ");
        accept(&server, &typed, CHOSEN).expect_status(204);
        accept(&server, &second, CHOSEN).expect_problem(401, "INVALID_INVITATION");
        sign_in(&server, "0912345678", CHOSEN).expect_status(200);
        let account = admin.get(&path).json();
        assert_eq!(account["status"], "active");
        assert!(account["last_signed_in"].is_string());
    }

    fn a_code_is_stored_nowhere_not_even_in_a_repeated_answer(backend) {
        let (_server, admin) = town(backend);
        let path = created(&admin, &person("new", "reporter", "A1"));
        let keyed = admin.with("Idempotency-Key", "1");
        let first = keyed.post(&format!("{path}/invitation")).expect_status(201);
        let again = keyed.post(&format!("{path}/invitation")).expect_status(201);
        assert!(first.json()["link"].as_str().unwrap().contains("/#/invitation/test/"));
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.json()["code"], Value::Null);
        assert_eq!(again.json()["expires_at"], first.json()["expires_at"]);
    }

    fn a_manager_manages_its_subtree_and_gives_no_more_than_it_has(backend) {
        let (server, admin) = town(backend);
        let (of_a, of_t) = (server.sign_in("test", "of-a"), server.sign_in("test", "of-t"));
        for (role, unit) in [("reporter", "A1"), ("approver", "A"), ("viewer", "A"), ("unit_admin", "A2")] {
            created(&of_a, &person(&format!("{role}-{unit}"), role, unit));
        }
        let refused = [
            person("one", "reporter", "B1"),
            person("two", "viewer", "T"),
            // Another manager of the same unit could give each other what they do not have.
            person("three", "unit_admin", "A"),
            json!({"login": "four", "name": "four", "grants": [{"role": "tenant_admin"}]}),
            json!({"login": "five", "name": "five", "grants": []}),
        ];
        for body in refused {
            of_a.post_json("/v1/accounts", &body).expect_problem(403, "NOT_ALLOWED");
        }
        created(&of_t, &person("three", "unit_admin", "A"));
        let faults = admin
            .post_json("/v1/accounts", &person("four", "viewer", "NOWHERE"))
            .expect_problem(422, "INVALID_ACCOUNT");
        assert_eq!(faults, ["/grants/0/unit UNKNOWN_UNIT"]);
        let clerk = server.sign_in("test", "clerk");
        clerk.get("/v1/accounts").expect_problem(403, "NOT_ALLOWED");
    }

    fn a_manager_sees_only_the_accounts_of_its_subtree(backend) {
        let (server, admin) = town(backend);
        let elsewhere = created(&admin, &person("b1", "reporter", "B1"));
        let own = created(&admin, &person("a1", "reporter", "A1"));
        let of_a = server.sign_in("test", "of-a");
        assert_eq!(logins(&of_a.get("/v1/accounts").json()), ["a1", "clerk", "of-a"]);
        of_a.get(&own).expect_status(200);
        let unknown = of_a.get("/v1/accounts/01900000-0000-7000-8000-000000000000");
        let foreign = of_a.get(&elsewhere);
        unknown.expect_problem(404, "ACCOUNT_NOT_FOUND");
        foreign.expect_problem(404, "ACCOUNT_NOT_FOUND");
        let page = admin.get("/v1/accounts?limit=2").json();
        assert_eq!(logins(&page), ["a1", "admin"]);
        let next = page["next"].as_str().unwrap();
        let page = admin.get(&format!("/v1/accounts?limit=2&cursor={next}")).json();
        assert_eq!(logins(&page), ["b1", "clerk"]);
        assert_eq!(logins(&admin.get("/v1/accounts?unit=code:B").json()), ["b1", "of-b"]);
        assert_eq!(logins(&admin.get("/v1/accounts?q=CLER").json()), ["clerk"]);
        assert_eq!(logins(&admin.get("/v1/accounts?status=invited").json()), ["a1", "b1"]);
    }

    fn a_disabled_account_is_signed_out_at_once(backend) {
        let (server, admin) = town(backend);
        let clerk = server.sign_in("test", "clerk");
        clerk.get("/v1/units").expect_status(200);
        let found = admin.get("/v1/accounts?q=clerk").json();
        let path = format!("/v1/accounts/{}", found["items"][0]["id"].as_str().unwrap());
        let disabled = on(&admin, &path).post(&format!("{path}/disable")).expect_status(200);
        assert_eq!(disabled.json()["status"], "disabled");
        clerk.get("/v1/units").expect_problem(401, "INVALID_TOKEN");
        clerk.get("/v1/me").expect_problem(401, "INVALID_TOKEN");
        sign_in(&server, "clerk", PASSWORD).expect_problem(400, "INVALID_CREDENTIALS");
        admin.post(&format!("{path}/invitation")).expect_problem(409, "ACCOUNT_DISABLED");
        on(&admin, &path).post(&format!("{path}/enable")).expect_status(200);
        // The sessions of before stay ended.
        clerk.get("/v1/me").expect_problem(401, "INVALID_TOKEN");
        sign_in(&server, "clerk", PASSWORD).expect_status(200);
    }

    fn a_grant_holds_on_its_days_and_a_change_of_grants_holds_at_once(backend) {
        let (server, admin) = town(backend);
        let clerk = server.sign_in("test", "clerk");
        let found = admin.get("/v1/accounts?q=clerk").json();
        let path = format!("/v1/accounts/{}", found["items"][0]["id"].as_str().unwrap());
        clerk.get("/v1/units/code:A1").expect_status(200);
        let put = |grants: Value| on(&admin, &path).put(&format!("{path}/grants"), &grants);
        put(json!([{"role": "viewer", "unit": "code:B"}])).expect_status(200);
        clerk.get("/v1/units/code:A1").expect_problem(403, "NOT_ALLOWED");
        clerk.get("/v1/units/code:B1").expect_status(200);
        // One that has not begun does not hold.
        let faults = put(json!([{"role": "viewer", "unit": "code:B", "from": "2026-01-02", "to": "2026-01-01"}]))
            .expect_problem(422, "INVALID_ACCOUNT");
        assert_eq!(faults, ["/grants/0/to INVALID_VALUE"]);
        let faults = put(json!([{"role": "viewer", "unit": "code:B", "from": "2020-01-01", "to": "2020-12-31"}]))
            .expect_problem(422, "INVALID_ACCOUNT");
        assert_eq!(faults, ["/grants/0/to INVALID_VALUE"]);
        put(json!([{"role": "viewer", "unit": "code:A", "from": "2199-01-01"}])).expect_status(200);
        clerk.get("/v1/units/code:A1").expect_problem(403, "NOT_ALLOWED");
        clerk.get("/v1/units/code:B1").expect_problem(403, "NOT_ALLOWED");
        let doubled = json!([{"role": "viewer", "unit": "code:A"}, {"role": "viewer", "unit": "code:A", "from": "2199-01-01"}]);
        let faults = put(doubled).expect_problem(422, "INVALID_ACCOUNT");
        assert_eq!(faults, ["/grants/1 DUPLICATE"]);
    }

    fn duties_are_handed_over_from_a_day_on_in_one_call(backend) {
        let (server, admin) = town(backend);
        let of_a = server.sign_in("test", "of-a");
        let old = created(&admin, &person("old", "reporter", "A1"));
        let next = json!({"login": "next", "name": "Người kế nhiệm", "telephone": "0909 000 111", "on": "2198-02-01"});
        let handed = on(&of_a, &old).post_json(&format!("{old}/hand-over"), &next);
        let handed = handed.expect_status(201).json();
        assert_eq!(handed["account"]["grants"][0]["from"], "2198-02-01");
        assert_eq!(handed["account"]["grants"][0]["unit"]["code"], "A1");
        assert_eq!(admin.get(&old).json()["grants"][0]["to"], "2198-01-31");
        let code = handed["invitation"]["code"].as_str().unwrap();
        accept(&server, code, CHOSEN).expect_status(204);
        let again = json!({"login": "third", "name": "x", "on": "2020-01-01"});
        let faults = on(&of_a, &old)
            .post_json(&format!("{old}/hand-over"), &again)
            .expect_problem(422, "INVALID_ACCOUNT");
        assert_eq!(faults, ["/on INVALID_VALUE"]);
        let stale = of_a.with("If-Match", "\"1\"");
        let next = json!({"login": "third", "name": "x", "on": "2198-01-01"});
        stale
            .post_json(&format!("{old}/hand-over"), &next)
            .expect_problem(412, "PRECONDITION_FAILED");
    }

    fn nobody_changes_the_own_account_by_the_way_of_managers(backend) {
        let (server, admin) = town(backend);
        let of_a = server.sign_in("test", "of-a");
        let found = admin.get("/v1/accounts?q=of-a").json();
        let path = format!("/v1/accounts/{}", found["items"][0]["id"].as_str().unwrap());
        let grants = json!([{"role": "unit_admin", "unit": "code:A", "to": "2199-01-01"}]);
        on(&of_a, &path)
            .put(&format!("{path}/grants"), &grants)
            .expect_problem(409, "OWN_ACCOUNT");
        // Neither that of somebody with more than it has.
        let found = admin.get("/v1/accounts?q=of-t").json();
        let above = format!("/v1/accounts/{}", found["items"][0]["id"].as_str().unwrap());
        of_a.get(&above).expect_problem(404, "ACCOUNT_NOT_FOUND");
    }

    fn a_changed_password_ends_the_other_sessions(backend) {
        let (server, _admin) = town(backend);
        let (here, elsewhere) = (server.sign_in("test", "clerk"), server.sign_in("test", "clerk"));
        let wrong = json!({"current_password": "no", "new_password": CHOSEN});
        let faults = here.put("/v1/me/password", &wrong).expect_problem(422, "INVALID_ACCOUNT");
        assert_eq!(faults, ["/current_password INVALID_VALUE"]);
        let right = json!({"current_password": PASSWORD, "new_password": CHOSEN});
        here.put("/v1/me/password", &right).expect_status(204);
        here.get("/v1/me").expect_status(200);
        elsewhere.get("/v1/me").expect_problem(401, "INVALID_TOKEN");
        sign_in(&server, "clerk", PASSWORD).expect_problem(400, "INVALID_CREDENTIALS");
        sign_in(&server, "clerk", CHOSEN).expect_status(200);
    }

    fn sessions_are_seen_and_ended_by_their_owner(backend) {
        let (server, _admin) = town(backend);
        let (here, elsewhere) = (server.sign_in("test", "clerk"), server.sign_in("test", "clerk"));
        let stranger = server.sign_in("test", "of-a");
        let sessions = here.get("/v1/me/sessions").json();
        let items = sessions["items"].as_array().unwrap();
        assert_eq!(items.len(), 2);
        let other = items.iter().find(|item| item["current"] == false).unwrap();
        let path = format!("/v1/me/sessions/{}", other["id"].as_str().unwrap());
        let foreign = stranger.send("DELETE", &path, None, b"");
        foreign.expect_problem(404, "SESSION_NOT_FOUND");
        here.send("DELETE", &path, None, b"").expect_status(204);
        elsewhere.get("/v1/me").expect_problem(401, "INVALID_TOKEN");
        here.get("/v1/me").expect_status(200);
        here.send("DELETE", "/v1/me/sessions", None, b"").expect_status(204);
        here.get("/v1/me").expect_problem(401, "INVALID_TOKEN");
    }

    fn a_change_of_one_account_needs_the_state_that_it_builds_on(backend) {
        let (_server, admin) = town(backend);
        let path = created(&admin, &person("new", "reporter", "A1"));
        let data = json!({"login": "renamed", "name": "Tên mới", "telephone": "+84 (0) 912-345.678"});
        admin.put(&path, &data).expect_problem(428, "PRECONDITION_REQUIRED");
        let seen = on(&admin, &path);
        let changed = seen.put(&path, &data).expect_status(200);
        assert_eq!(changed.json()["telephone"], "+84 (0) 912-345.678");
        seen.put(&path, &data).expect_problem(412, "PRECONDITION_FAILED");
        let taken = json!({"login": "clerk", "name": "", "telephone": "call me"});
        let faults = on(&admin, &path).put(&path, &taken).expect_problem(422, "INVALID_ACCOUNT");
        assert_eq!(faults, ["/login CODE_TAKEN", "/name INVALID_TEXT", "/telephone INVALID_TEXT"]);
    }

    fn people_come_from_a_list_as_a_whole_with_their_invitations(backend) {
        let (server, admin) = town(backend);
        let list = "login,name,telephone,role,unit_code\n\
            0912000001,Nguyễn Văn An,0912 000 001,reporter,A1\n\
            0912000001,Nguyễn Văn An,0912 000 001,viewer,A\n\
            0912000002,Trần Thị Bình,,reporter,A2\n";
        let path = "/v1/accounts/import";
        let checked = admin.post_csv(&format!("{path}?dry_run=true"), list).expect_status(200).json();
        assert_eq!((&checked["created"], &checked["rev"]), (&json!(2), &Value::Null));
        assert_eq!(logins(&admin.get("/v1/accounts?q=0912").json()), Vec::<&str>::new());
        let keyed = admin.with("Idempotency-Key", "list");
        let done = keyed.post_csv(path, list).expect_status(200).json();
        let first = &done["invitations"][0];
        assert_eq!((&first["login"], &first["unit_code"]), (&json!("0912000001"), &json!("A1")));
        accept(&server, first["invitation"]["code"].as_str().unwrap(), CHOSEN).expect_status(204);
        let person = server.anonymous().sign_in("test", "0912000001", CHOSEN);
        let me = person.get("/v1/me").json();
        assert_eq!(me["grants"].as_array().unwrap().len(), 2);
        let again = keyed.post_csv(path, list).expect_status(200).json();
        assert_eq!(again["invitations"][0]["invitation"]["code"], Value::Null);
        let faulty = "login,name,telephone,role,unit_code\n\
            0912000001,Ai đó,,reporter,A1\nx,,call,chief,A\ny,Y,,reporter,NOWHERE\ny,Z,,viewer,A\n";
        let faults = admin.post_csv(path, faulty).expect_problem(422, "INVALID_ACCOUNT");
        assert_eq!(
            faults,
            [
                "/0/login CODE_TAKEN",
                "/1/name INVALID_TEXT",
                "/1/role INVALID_VALUE",
                "/1/telephone INVALID_TEXT",
                "/2/unit_code UNKNOWN_UNIT",
                "/3 DUPLICATE",
            ]
        );
        let of_a = server.sign_in("test", "of-a");
        let foreign = "login,name,telephone,role,unit_code\nz,Z,,reporter,B1\n";
        for query in ["?dry_run=true", ""] {
            of_a.post_csv(&format!("{path}{query}"), foreign).expect_problem(403, "NOT_ALLOWED");
        }
    }

    fn only_an_administrator_appoints_the_managers_of_a_root(backend) {
        let (server, admin) = town(backend);
        let of_t = server.sign_in("test", "of-t");
        let peer = person("peer", "unit_admin", "T");
        of_t.post_json("/v1/accounts", &peer).expect_problem(403, "NOT_ALLOWED");
        let path = created(&admin, &peer);
        // Who manages the same unit is seen, and not managed: an invitation would be the way in.
        of_t.get(&path).expect_status(200);
        of_t.post(&format!("{path}/invitation")).expect_problem(403, "NOT_ALLOWED");
        on(&of_t, &path).post(&format!("{path}/disable")).expect_problem(403, "NOT_ALLOWED");
    }

    fn a_code_of_before_opens_nothing_after_a_new_role_a_disabling_or_a_new_password(backend) {
        let (server, admin) = town(backend);
        let of_a = server.sign_in("test", "of-a");
        let path = created(&of_a, &person("rising", "reporter", "A"));
        let code = invited(&of_a, &path);
        let grants = json!([{"role": "tenant_admin"}]);
        on(&admin, &path).put(&format!("{path}/grants"), &grants).expect_status(200);
        accept(&server, &code, CHOSEN).expect_problem(401, "INVALID_INVITATION");
        let code = invited(&admin, &path);
        accept(&server, &code, CHOSEN).expect_status(204);
        let code = invited(&admin, &path);
        on(&admin, &path).post(&format!("{path}/disable")).expect_status(200);
        on(&admin, &path).post(&format!("{path}/enable")).expect_status(200);
        accept(&server, &code, CHOSEN).expect_problem(401, "INVALID_INVITATION");
        let code = invited(&admin, &path);
        let person = server.anonymous().sign_in("test", "rising", CHOSEN);
        let changed = json!({"current_password": CHOSEN, "new_password": "một câu khác hẳn"});
        person.put("/v1/me/password", &changed).expect_status(204);
        accept(&server, &code, CHOSEN).expect_problem(401, "INVALID_INVITATION");
    }

    fn an_account_stays_with_those_who_managed_it_when_its_roles_end_on_their_first_day(backend) {
        let (server, _admin) = town(backend);
        let of_a = server.sign_in("test", "of-a");
        let path = created(&of_a, &person("brief", "reporter", "A1"));
        let keyed = on(&of_a, &path).with("Idempotency-Key", "end");
        let ended = keyed.put(&format!("{path}/grants"), &json!([])).expect_status(200);
        assert_eq!(ended.json()["grants"], json!([]));
        let again = keyed.put(&format!("{path}/grants"), &json!([])).expect_status(200);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        of_a.get(&path).expect_status(200);
        on(&of_a, &path).post(&format!("{path}/disable")).expect_status(200);
    }

    fn a_grant_that_does_not_change_is_let_through_though_its_unit_has_ended(backend) {
        let (server, admin) = town(backend);
        server.create_account("test", "both", &["viewer@code:A1", "viewer@code:B", "reporter@code:B"]);
        let found = admin.get("/v1/accounts?q=both").json();
        let path = format!("/v1/accounts/{}", found["items"][0]["id"].as_str().unwrap());
        admin.carry_out(&json!({
            "effective": "2025-07-01", "legal_basis": "NQ",
            "steps": [{"op": "merge", "from": ["code:B"], "into": "code:A"}],
        }));
        let shown = admin.get(&path).json()["grants"].clone();
        let echoed = |name: fn(&Value) -> Value| {
            let mut grants = shown.as_array().unwrap().clone();
            for grant in &mut grants {
                grant["unit"] = name(&grant["unit"]);
            }
            grants
        };
        let put = |grants: &Value| on(&admin, &path).put(&format!("{path}/grants"), grants);
        let by_id = echoed(|unit| unit["id"].clone());
        let by_code = echoed(|unit| json!(format!("code:{}", unit["code"].as_str().unwrap())));
        for grants in [by_id, by_code.clone()] {
            let kept = put(&json!(grants)).expect_status(200).json();
            assert_eq!(kept["grants"], shown);
        }
        let mut more = by_code;
        more.push(json!({"role": "approver", "unit": "code:A"}));
        assert_eq!(put(&json!(more)).expect_status(200).json()["grants"].as_array().unwrap().len(), 4);
        // Nothing new is given on a unit that has ended.
        more.push(json!({"role": "approver", "unit": "code:B"}));
        let faults = put(&json!(more)).expect_problem(422, "INVALID_ACCOUNT");
        assert_eq!(faults, ["/grants/4/unit UNKNOWN_UNIT"]);
        // The operator ends one by the unit's last code.
        let end = ["account", "grant", "--tenant", "test", "--login", "both", "--end", "viewer@code:B"];
        let done = tonghop_on(&server.database, &end).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        assert_eq!(admin.get(&path).json()["grants"].as_array().unwrap().len(), 3);
    }
}
