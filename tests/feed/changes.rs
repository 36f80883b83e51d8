//! The list of changes: what each write leaves there, who sees it, and reading on.

use serde_json::{Value, json};

use super::audit::rows;
use super::{last_rev, listed};
use crate::harness::program::tonghop_on;
use crate::harness::report::{Report, value};
use crate::harness::server::PASSWORD;
use crate::harness::town::{Town, form, indicator};
use crate::harness::{Backend, Client, Server};

/// The town with a yearly form `f` and a monthly form `m` of `x`, and the account `a` of commune `A`,
/// which reports and reads.
fn town(backend: Backend) -> (Server, Client, Client) {
    let (server, admin, _) = Town::new(backend)
        .indicators(&[("x", "sum")])
        .form("f", "year")
        .form("m", "month")
        .build();
    server.create_account("test", "a", &["reporter@code:A"]);
    let a = server.sign_in("test", "a");
    (server, admin, a)
}

fn texts<'v>(items: &'v [Value], pointer: &str) -> Vec<&'v str> {
    let texts = items.iter().map(|item| item.pointer(pointer));
    texts
        .map(|text| text.and_then(Value::as_str).unwrap_or("-"))
        .collect()
}

/// The items that are neither null nor of every change, and the author's login.
fn told(item: &Value) -> Value {
    let mut told = item.clone();
    let fields = told.as_object_mut().unwrap();
    fields.retain(|_, value| !value.is_null());
    for field in ["rev", "at"] {
        assert!(fields.remove(field).is_some(), "{item}");
    }
    for (name, shown) in [("unit", "code"), ("account", "login"), ("period", "key")] {
        if let Some(named) = fields.get_mut(name) {
            *named = named[shown].clone();
        }
    }
    fields["by"] = match &item["by"]["account"] {
        Value::Null => item["by"]["kind"].clone(),
        account => account["login"].clone(),
    };
    told
}

on_both_backends! {
    fn each_write_is_told_with_its_author(backend) {
        let (_server, admin, a) = town(backend);
        let made: Vec<Value> = listed(&admin, "").iter().map(told).collect();
        let expected = json!([
            {"kind": "tenant.created", "by": "operator", "account": "admin"},
            {"kind": "account.created", "by": "operator", "account": "admin"},
            {"kind": "units.imported", "by": "admin", "count": 6},
            {"kind": "indicator.put", "by": "admin", "indicator": "x"},
            {"kind": "form.put", "by": "admin", "form": "f"},
            {"kind": "form.put", "by": "admin", "form": "m"},
            {"kind": "account.created", "by": "operator", "account": "a", "unit": "A"},
            {"kind": "grant.given", "by": "operator", "account": "a", "unit": "A", "role": "reporter"},
        ]);
        assert_eq!(Value::from(made), expected);

        let mut after = last_rev(&admin);
        let mut expect = |expected: Value| {
            let items = listed(&admin, &format!("&after={after}"));
            assert!(items.iter().all(|item| item["rev"] == after + 1), "{items:?}");
            after += 1;
            assert_eq!(Value::from(items.iter().map(told).collect::<Vec<_>>()), json!([expected]));
        };
        let report = Report::of(&a, "m", "2024-01");
        let step = |kind: &str, by: &str, revision: i32| json!({
            "kind": kind, "by": by, "form": "m", "period": "2024-01", "unit": "A", "revision": revision,
        });
        report.put("A", &json!({"values": [value("x", 1)]})).expect_status(201);
        expect(step("submission.saved", "a", 1));
        report.step("A", "submit").expect_status(200);
        expect(step("submission.submitted", "a", 2));
        report.step("A", "withdraw").expect_status(200);
        expect(step("submission.withdrawn", "a", 3));
        report.submit("A", &[value("x", 2)]);
        expect(step("submission.submitted", "a", 4));
        let above = report.by(&admin);
        above.give_back("A", &json!({"reason": "Sai"})).expect_status(200);
        expect(step("submission.returned", "admin", 5));
        report.step("A", "submit").expect_status(200);
        expect(step("submission.submitted", "a", 6));
        above.step("A", "approve").expect_status(200);
        expect(step("submission.approved", "admin", 7));
        above.step("A", "reopen").expect_status(200);
        expect(step("submission.reopened", "admin", 8));
        report.put("A", &json!({"values": [value("x", 3)]})).expect_status(200);
        expect(step("submission.saved", "a", 9));
        report.step("A", "discard").expect_status(200);
        expect(step("submission.discarded", "a", 10));

        let target = "/v1/forms/m/periods/2024-01/units/code:A/targets/x";
        admin.put(target, &json!({"value": 5})).expect_status(201);
        expect(json!({"kind": "target.set", "by": "admin", "form": "m", "period": "2024-01", "unit": "A", "indicator": "x"}));
        let releases = "/v1/forms/m/periods/2024-01/units/code:A1/releases";
        let accept = json!({"accept": [{"unit": "code:A1", "reason": "Chưa gửi"}]});
        let of_release = |kind: &str| json!({
            "kind": kind, "by": "admin", "form": "m", "period": "2024-01", "unit": "A1", "release": 1,
        });
        admin.post_json(releases, &accept).expect_status(201);
        expect(of_release("release.sent"));
        let recalled = admin.with("If-Match", "*").post(&format!("{releases}/1/recall"));
        recalled.expect_status(200);
        expect(of_release("release.recalled"));
        let unit = json!({"code": "A3", "name": "Ấp Bốn", "level": "hamlet", "parent": "code:A"});
        admin.post_json("/v1/units", &unit).expect_status(201);
        expect(json!({"kind": "unit.created", "by": "admin", "unit": "A3"}));
        let level = json!({"rank": 9, "name": {"vi": "Tổ"}});
        admin.put("/v1/levels/group", &level).expect_status(201);
        expect(json!({"kind": "level.put", "by": "admin", "level": "group"}));
        admin.put("/v1/holidays/2026", &json!({"days": []})).expect_status(201);
        expect(json!({"kind": "holidays.changed", "by": "admin", "year": 2026}));
        let document = json!({
            "effective": "2030-01-01", "legal_basis": "Nghị quyết",
            "steps": [{"op": "rename", "unit": "code:B", "name": "Xã Bê"}],
        });
        let made = admin.post_json("/v1/reorganisations", &document).expect_status(201);
        let path = made.header("location").unwrap();
        let id = path.rsplit('/').next().unwrap();
        expect(json!({"kind": "reorganisation.made", "by": "admin", "reorganisation": id}));
        admin.with("If-Match", "*").post(&format!("{path}/undo")).expect_status(200);
        expect(json!({"kind": "reorganisation.undone", "by": "admin", "reorganisation": id}));

        // What changes nothing, and what was refused, did not happen.
        let keyed = admin.with("Idempotency-Key", "once");
        let unit = json!({"code": "A4", "name": "Ấp Năm", "level": "hamlet", "parent": "code:A"});
        for _ in 0..2 {
            keyed.post_json("/v1/units", &unit).expect_status(201);
        }
        admin.post_json("/v1/units", &unit).expect_status(422);
        expect(json!({"kind": "unit.created", "by": "admin", "unit": "A4"}));
        assert_eq!(last_rev(&admin), after);
    }

    fn what_becomes_of_accounts_is_told_without_their_secrets(backend) {
        let (server, admin, a) = town(backend);
        let after = last_rev(&admin);
        let account = json!({
            "login": "b", "name": "Bình", "grants": [{"role": "viewer", "unit": "code:B"}],
        });
        let created = admin.post_json("/v1/accounts", &account).expect_status(201);
        let path = format!("/v1/accounts/{}", created.json()["id"].as_str().unwrap());
        let invited = admin.post(&format!("{path}/invitation")).expect_status(201).json();
        for step in ["disable", "enable"] {
            admin.with("If-Match", "*").post(&format!("{path}/{step}")).expect_status(200);
        }
        let of_b = |kind: &str| json!({"kind": kind, "by": "admin", "account": "b", "unit": "B"});
        let mut given = of_b("grant.given");
        given["role"] = json!("viewer");
        let told: Vec<Value> = listed(&admin, &format!("&after={after}")).iter().map(told).collect();
        let kinds = ["account.invited", "account.disabled", "account.enabled"].map(of_b);
        assert_eq!(told, [vec![of_b("account.created"), given], kinds.to_vec()].concat());

        let code = invited["code"].as_str().unwrap();
        let secrets = [PASSWORD, "argon2", a.token(), admin.token(), code];
        for row in rows(&server) {
            let text = String::from_utf8(row.items).unwrap();
            assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
        }
    }

    fn readers_see_what_their_grants_cover(backend) {
        let (server, admin, a) = town(backend);
        for unit in ["A", "A1", "B", "B1"] {
            Report::of(&admin, "m", "2024-01").submit(unit, &[value("x", 1)]);
        }
        server.create_account("test", "keeper", &["unit_admin@code:B"]);
        let kinds = |client: &Client| {
            let items = listed(client, "");
            let mut told: Vec<String> = texts(&items, "/kind").iter().zip(texts(&items, "/unit/code"))
                .map(|(kind, unit)| format!("{kind} {unit}")).collect();
            told.sort_unstable();
            told.dedup();
            told
        };
        let everybody_s = ["form.put -", "indicator.put -", "units.imported -"];
        let mut of_a = vec!["submission.submitted A", "submission.submitted A1"];
        of_a.extend(everybody_s);
        of_a.sort_unstable();
        assert_eq!(kinds(&a), of_a);
        let keeper = server.sign_in("test", "keeper");
        let mut of_keeper = vec![
            "account.created B", "grant.given B", "submission.submitted B", "submission.submitted B1",
        ];
        of_keeper.extend(everybody_s);
        of_keeper.sort_unstable();
        assert_eq!(kinds(&keeper), of_keeper);
        assert_eq!(listed(&keeper, "&unit=code:A"), Vec::<Value>::new());

        server.create_tenant("other");
        let other = server.sign_in("other", "admin");
        assert_eq!(texts(&listed(&other, ""), "/kind"), ["tenant.created", "account.created"]);
        other.get("/v1/changes?unit=code:A").expect_problem(404, "UNIT_NOT_FOUND");
        server.anonymous().get("/v1/changes").expect_problem(401, "NOT_SIGNED_IN");
    }

    fn where_a_unit_was_on_the_day_decides_who_sees_its_report(backend) {
        let (server, admin, a) = town(backend);
        server.create_account("test", "b", &["viewer@code:B"]);
        let b = server.sign_in("test", "b");
        admin.reorganise("2026-01-01", &json!([{"op": "move", "unit": "code:A1", "parent": "code:B"}]));
        for period in ["2025-01", "2026-02"] {
            Report::of(&admin, "m", period).submit("A1", &[value("x", 1)]);
        }
        let periods = |client: &Client, query: &str| {
            let items = listed(client, &format!("&kind=submission.submitted{query}"));
            texts(&items, "/period/key").join(" ")
        };
        assert_eq!((periods(&a, ""), periods(&b, "")), ("2025-01".to_owned(), "2026-02".to_owned()));
        assert_eq!(periods(&admin, "&unit=code:A"), "2025-01");
        assert_eq!(periods(&admin, "&unit=code:B"), "2026-02");
        // A unit that had ended by the day is where it was last.
        Report::of(&admin, "m", "2026-07").submit("A1", &[value("x", 1)]);
        admin.reorganise("2026-06-01", &json!([{"op": "merge", "from": ["code:A1"], "into": "code:B1"}]));
        assert_eq!((periods(&a, ""), periods(&b, "")), ("2025-01".to_owned(), "2026-02 2026-07".to_owned()));
        assert_eq!(periods(&admin, "&unit=code:B"), "2026-02 2026-07");
        let last = listed(&admin, "&kind=submission.submitted");
        assert_eq!(texts(&last, "/unit/code"), ["A1", "A1", "A1"]);
    }

    fn pages_go_on_without_a_loss_and_without_anything_twice(backend) {
        let (_server, admin, a) = town(backend);
        for month in 1..=12 {
            for unit in ["A", "B1"] {
                Report::of(&admin, "m", &format!("2024-{month:02}")).submit(unit, &[value("x", month)]);
            }
        }
        for client in [&admin, &a] {
            let whole = listed(client, "");
            for limit in [1, 2, 7] {
                let (mut read, mut after) = (Vec::new(), None::<i64>);
                loop {
                    let from = after.map(|after| format!("&after={after}")).unwrap_or_default();
                    let page = client.get(&format!("/v1/changes?limit={limit}{from}")).expect_status(200);
                    assert_eq!(page.header("cache-control"), Some("private, no-cache"));
                    let page = page.json();
                    let next = page["next"].as_i64();
                    read.extend(page["items"].as_array().unwrap().iter().cloned());
                    if next == after {
                        break;
                    }
                    after = next;
                }
                assert_eq!(read, whole, "{limit}");
            }
        }
        // A commit is never torn: the account and its grant.
        let created = listed(&admin, "&kind=grant.given");
        let rev = created[0]["rev"].as_i64().unwrap();
        let page = admin.get(&format!("/v1/changes?limit=1&after={}", rev - 1)).json();
        assert_eq!(texts(page["items"].as_array().unwrap(), "/kind"), ["account.created", "grant.given"]);
        // Where nothing fits, one knows how far was read.
        let last = last_rev(&admin);
        let none = admin.get("/v1/changes?kind=level.put&limit=1").json();
        assert_eq!(none, json!({"items": [], "next": last}));
        let ahead = admin.with("Accept-Language", "en").get(&format!("/v1/changes?after={}", last + 1));
        let detail = ahead.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&format!("is number {last}; there is no {} yet", last + 1)), "{detail}");
        assert_eq!(ahead.expect_problem(400, "INVALID_PARAMETER"), ["after INVALID_PARAMETER"]);
        for wrong in ["after=-1", "after=x", "limit=0", "limit=1001", "kind=x"] {
            admin.get(&format!("/v1/changes?{wrong}")).expect_problem(400, "INVALID_PARAMETER");
        }
    }

    fn a_long_history_to_which_nothing_fits_is_read_in_parts(backend) {
        let server = Server::with_tenant(backend);
        let admin = server.sign_in("test", "admin");
        admin.put("/v1/indicators/x", &indicator("sum")).expect_status(201);
        // As if the administrator had put the indicator again and again.
        let copies = "WITH RECURSIVE copies (rev) AS (SELECT 2 UNION ALL SELECT rev + 1 FROM copies WHERE rev < 1500) \
            INSERT INTO change (tenant_id, rev, at, items, previous, hash) \
            SELECT tenant_id, copies.rev, at, items, previous, hash FROM change, copies WHERE change.rev = 1; \
            UPDATE tenant SET rev = 1500";
        server.write_beside(copies);
        let first = admin.get("/v1/changes?kind=level.put").expect_status(200).json();
        assert_eq!(first, json!({"items": [], "next": 999}));
        let rest = admin.get("/v1/changes?kind=level.put&after=999").expect_status(200).json();
        assert_eq!(rest, json!({"items": [], "next": 1500}));
    }

    fn filters_pick_by_kind_form_and_unit(backend) {
        let (_server, admin, _) = town(backend);
        for (code, unit) in [("m", "A1"), ("m", "B"), ("f", "A2")] {
            let period = if code == "m" { "2024-01" } else { "2024" };
            Report::of(&admin, code, period).submit(unit, &[value("x", 1)]);
        }
        let found = |query: &str| {
            let items = listed(&admin, query);
            texts(&items, "/kind").iter().zip(texts(&items, "/unit/code"))
                .map(|(kind, unit)| format!("{kind} {unit}")).collect::<Vec<_>>()
        };
        assert_eq!(found("&form=f"), ["form.put -", "submission.submitted A2"]);
        assert_eq!(found("&form=f&kind=submission.submitted"), ["submission.submitted A2"]);
        assert_eq!(found("&unit=code:B"), ["submission.submitted B"]);
        let below = ["account.created A", "grant.given A", "submission.submitted A1", "submission.submitted A2"];
        assert_eq!(found("&unit=code:A"), below);
        let id = admin.get("/v1/units/code:A").json()["id"].as_str().unwrap().to_owned();
        assert_eq!(found(&format!("&unit={id}")), below);
        assert_eq!(found("&unit=code:A&form=m"), ["submission.submitted A1"]);
        admin.get("/v1/changes?form=none").expect_problem(404, "FORM_NOT_FOUND");
        for unit in ["code:none", "none"] {
            admin.get(&format!("/v1/changes?unit={unit}")).expect_problem(404, "UNIT_NOT_FOUND");
        }
        let put = admin.put("/v1/forms/f2", &form(&["x"]));
        put.expect_status(201);
        assert_eq!(found("&form=f2"), ["form.put -"]);
    }

    fn what_happens_to_an_account_is_seen_wherever_its_duties_are(backend) {
        let (server, admin, _) = town(backend);
        for unit in ["A", "B"] {
            server.create_account("test", &format!("of-{unit}"), &[&format!("unit_admin@code:{unit}")]);
        }
        let chosen = "con mèo ngủ trên mái";
        let live = |login: &str, grants: &[&str]| {
            server.create_account("test", login, grants);
            let invite = ["account", "invite", "--tenant", "test", "--login", login];
            let told = tonghop_on(&server.database, &invite).output().unwrap();
            let told = String::from_utf8(told.stdout).unwrap();
            let code = told.lines().find_map(|line| line.strip_prefix("code: ")).unwrap();
            let accepted = json!({"tenant": "test", "code": code, "password": chosen});
            server.anonymous().post_json("/v1/auth/invitation", &accepted).expect_status(204);
            let person = server.anonymous().sign_in("test", login, chosen);
            let next = json!({"current_password": chosen, "new_password": "một câu khác hẳn"});
            person.put("/v1/me/password", &next).expect_status(204);
            person.send("DELETE", "/v1/me/sessions", None, b"").expect_status(204);
        };
        live("everywhere", &["reporter@code:A", "viewer@code:B1", "viewer@code:A"]);
        live("in-a", &["reporter@code:A1"]);
        let kinds = ["account.invited", "account.activated", "password.changed", "session.ended"];
        let seen = |client: &Client, login: &str| {
            let items = listed(client, "");
            let mut found: Vec<String> = Vec::new();
            for item in items.iter().filter(|item| item["account"]["login"] == login) {
                let kind = item["kind"].as_str().unwrap();
                if kinds.contains(&kind) {
                    found.push(format!("{kind} {}", item["unit"]["code"].as_str().unwrap_or("-")));
                }
            }
            found
        };
        let at = |unit: &str| kinds.map(|kind| format!("{kind} {unit}")).to_vec();
        let of = |unit: &str| server.sign_in("test", &format!("of-{unit}"));
        assert_eq!(seen(&admin, "everywhere"), at("A"));
        assert_eq!(seen(&of("A"), "everywhere"), at("A"));
        assert_eq!(seen(&of("B"), "everywhere"), at("B1"));
        assert_eq!(seen(&of("A"), "in-a"), at("A1"));
        assert!(seen(&of("B"), "in-a").is_empty());
        let below_b = listed(&admin, "&unit=code:B&kind=session.ended");
        assert_eq!(texts(&below_b, "/account/login"), ["everywhere"]);
    }
}
