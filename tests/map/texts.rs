//! Texts: one Unicode form for every text, no invisible characters, search without accents, and
//! warnings for names that look the same.

use serde_json::{Value, json};
use tonghop::service::people::account::AccountError;
use tonghop::service::people::operator::{EnteredAccount, add_account};
use tonghop::service::people::tenant::find_tenant;
use tonghop::store::migration::{check, migrate};

use crate::harness::program::tonghop_on;
use crate::harness::report::{Report, value};
use crate::harness::server::{PASSWORD, now};
use crate::harness::town::{form, indicator};
use crate::harness::{Client, Server};

/// `Tân Hậu` as most keyboards write it, and as files from some computers have it.
const COMPOSED: &str = "Tân Hậu";
const DECOMPOSED: &str = "Ta\u{302}n Ha\u{323}\u{302}u";

const HEADING: &str = "code,name,level,parent_code,kind\n";

fn names(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|unit| unit["name"].as_str().unwrap().to_owned())
        .collect()
}

fn account(server: &Server, login: &str, password: &str) -> Result<(), AccountError> {
    let entered = EnteredAccount {
        login: login.to_owned(),
        name: login.to_owned(),
        telephone: None,
        password: Some(password.to_owned()),
        grants: vec!["viewer@code:T".parse().unwrap()],
    };
    let database = &server.application.database;
    let scope = find_tenant(database, "test").unwrap();
    add_account(&server.application, &scope, &entered, now()).map(|_| ())
}

fn sign_in(server: &Server, login: &str, password: &str) -> u16 {
    let form = format!("grant_type=password&tenant=test&username={login}&password={password}");
    server.anonymous().post_form("/v1/auth/token", &form).status
}

fn warned(answer: &Value) -> Vec<String> {
    let warnings = answer["warnings"].as_array().unwrap().iter();
    let warnings = warnings.map(|warning| {
        assert!(warning["message_en"].as_str().unwrap().ends_with('.'));
        format!(
            "{} {}",
            warning["unit"].as_str().unwrap(),
            warning["code"].as_str().unwrap()
        )
    });
    warnings.collect()
}

fn unit(code: &str, name: &str) -> Value {
    json!({"code": code, "name": name, "level": "hamlet", "parent": "code:A", "kind": "ấp"})
}

on_both_backends! {
    fn a_name_is_one_however_its_letters_are_written(backend) {
        let (_server, admin) = Server::with_town(backend);
        let mut sent = unit("A3", DECOMPOSED);
        sent["kind"] = json!("a\u{302}\u{301}p");
        let created = admin.post_json("/v1/units", &sent).expect_status(201).json();
        assert_eq!((&created["name"], &created["kind"]), (&json!(COMPOSED), &json!("ấp")));
        assert_eq!(admin.get("/v1/units/code:A3").json()["name"], COMPOSED);
        // The same list, written in two ways.
        let list = |name: &str| format!("{HEADING}A4,{name},hamlet,A,ấp\n");
        for (name, created, unchanged) in [(DECOMPOSED, 1, 0), (COMPOSED, 0, 1), (DECOMPOSED, 0, 1)] {
            let done = admin.post_csv("/v1/units/import", &list(name)).expect_status(200).json();
            assert_eq!((&done["created"], &done["unchanged"]), (&json!(created), &json!(unchanged)));
        }
        let mut named = indicator("sum");
        named["name"] = json!({"vi": DECOMPOSED});
        named["unit_of_measure"] = json!("đo\u{302}\u{300}ng");
        let named = admin.put("/v1/indicators/x", &named).expect_status(201).json();
        assert_eq!((&named["name"]["vi"], &named["unit_of_measure"]), (&json!(COMPOSED), &json!("đồng")));
        let mut titled = form(&["x"]);
        titled["outline"][0]["title"]["vi"] = json!(DECOMPOSED);
        let titled = admin.put("/v1/forms/f", &titled).expect_status(201).json();
        assert_eq!(titled["outline"][0]["title"]["vi"], COMPOSED);
        let level = json!({"name": {"vi": DECOMPOSED}, "rank": 50});
        assert_eq!(admin.put("/v1/levels/team", &level).expect_status(201).json()["name"]["vi"], COMPOSED);
        let report = Report::new(&admin, "f");
        let body = json!({"values": [value("x", 1)], "submit": true, "narrative": [{"section": "I", "text": DECOMPOSED}]});
        assert_eq!(report.put("A1", &body).json()["narrative"][0]["text"], COMPOSED);
        assert_eq!(report.give_back("A1", &json!({"reason": DECOMPOSED})).expect_status(200).json()["reason"]["text"], COMPOSED);
        let steps = json!([{"op": "rename", "unit": "code:A1", "name": DECOMPOSED}]);
        let document = json!({"effective": "2025-07-01", "legal_basis": "Nghị quyết", "steps": steps});
        admin.post_json("/v1/reorganisations", &document).expect_status(201);
        assert_eq!(admin.get("/v1/units/code:A1?as_of=2025-07-01").json()["name"], COMPOSED);
    }

    fn a_search_minds_neither_accents_nor_case(backend) {
        let (_server, admin) = Server::with_town(backend);
        let list = format!("{HEADING}H1,{COMPOSED},hamlet,A,ấp\nH2,Đông Hoà,hamlet,A,ấp\nH3,Tây,hamlet,A,ấp\n");
        admin.post_csv("/v1/units/import", &list).expect_status(200);
        let find = |q: &str| names(&admin.get(&format!("/v1/units?q={q}")).expect_status(200).json());
        for q in ["tan%20hau", "T%C3%82N", "Ta%CC%82n%20Ha%CC%A3%CC%82u", "h1"] {
            assert_eq!(find(q), [COMPOSED], "{q}");
        }
        for q in ["dong", "%C4%90%C3%94NG", "h%C3%B2a", "ho%C3%A0", "hoa"] {
            assert_eq!(find(q), ["Đông Hoà"], "{q}");
        }
        assert_eq!(find("xyz"), [""; 0]);
    }

    fn a_login_and_a_password_are_one_however_their_letters_are_written(backend) {
        let (server, _admin) = Server::with_town(backend);
        account(&server, DECOMPOSED.replace(' ', "").as_str(), "mâ\u{323}t\u{20}khẩu bí mật").unwrap();
        for login in ["TânHậu", "Ta\u{302}nHa\u{323}\u{302}u", "Ta\u{302}nHậu"] {
            for password in ["mật khẩu bí mật", "ma\u{323}\u{302}t kha\u{302}\u{309}u bi\u{301} mật"] {
                assert_eq!(sign_in(&server, login, password), 200, "{login} {password}");
            }
            assert_eq!(sign_in(&server, login, "mat khau bi mat"), 400);
        }
        let again = account(&server, "TânHậu", PASSWORD).unwrap_err();
        assert!(matches!(again, AccountError::Invalid(_)), "{again:?}");
        assert_eq!(sign_in(&server, "a%00b", PASSWORD), 400);
    }

    fn a_password_hashed_before_still_opens(backend) {
        let (server, _admin) = Server::with_town(backend);
        account(&server, "clerk", PASSWORD).unwrap();
        // Of `mật khẩu`, written with its marks apart.
        let hash = hash_of("ma\u{323}\u{302}t kha\u{302}\u{309}u");
        server.write_beside(&format!("UPDATE account SET password_hash = '{hash}' WHERE login = 'clerk'"));
        for password in ["mật khẩu", "ma\u{323}\u{302}t kha\u{302}\u{309}u"] {
            assert_eq!(sign_in(&server, "clerk", password), 200, "{password}");
        }
    }

    fn nothing_that_nobody_sees_is_in_a_name_or_a_login(backend) {
        let (server, admin) = Server::with_town(backend);
        for hidden in ['\u{200b}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{ad}'] {
            let name = format!("Tân{hidden} An");
            let refused = admin.with("Accept-Language", "en").post_json("/v1/units", &unit("A3", &name));
            let problem = refused.json();
            assert_eq!(refused.expect_problem(422, "INVALID_UNIT"), ["/name INVALID_TEXT"]);
            assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("nobody sees"), "{problem}");
            let list = format!("{HEADING}A3,{name},hamlet,A,ấp\n");
            admin.post_csv("/v1/units/import", &list).expect_problem(422, "INVALID_UNIT");
            let mut named = indicator("sum");
            named["name"]["en"] = json!(name);
            let faults = admin.put("/v1/indicators/x", &named).expect_problem(422, "INVALID_INDICATOR");
            assert_eq!(faults, ["/name/en INVALID_TEXT"]);
            let AccountError::Invalid(faults) = account(&server, &format!("clerk{hidden}"), PASSWORD).unwrap_err() else {
                panic!("not refused")
            };
            assert!(faults.iter().any(|fault| fault.message.en.contains("The login holds a character that nobody sees")));
        }
    }

    fn a_unit_that_looks_like_its_neighbour_is_pointed_out(backend) {
        let (_server, admin) = Server::with_town(backend);
        let create = |code: &str, name: &str| warned(&admin.post_json("/v1/units", &unit(code, name)).expect_status(201).json());
        assert_eq!(create("H1", "Đông Hoà"), [""; 0]);
        assert_eq!(create("H2", "đông  HÒA"), ["H2 NAME_LOOKS_THE_SAME"]);
        assert_eq!(create("H3", "Đông Hoa"), [""; 0]);
        assert_eq!(create("0H1", "Khác"), ["0H1 CODE_DIFFERS_BY_ZEROS"]);
        // Elsewhere, or of another kind, it is another unit.
        let list = format!("{HEADING}B2,Đông Hoà,hamlet,B,ấp\nA9,Đông Hoà,hamlet,A,khóm\nB3,Bắc,hamlet,B,ấp\nB4,bắc,hamlet,B,ấp\n");
        for path in ["/v1/units/import?dry_run=true", "/v1/units/import"] {
            let done = admin.post_csv(path, &list).expect_status(200).json();
            assert_eq!(warned(&done), ["B4 NAME_LOOKS_THE_SAME"], "{path}");
        }
        let roots = format!("{HEADING}01,Tỉnh Một,province,,\n1,Tỉnh Khác,province,,\n");
        let done = admin.post_csv("/v1/units/import", &roots).expect_status(200).json();
        assert_eq!(warned(&done), ["1 CODE_DIFFERS_BY_ZEROS"]);
    }

    fn what_was_kept_before_is_composed_by_migrating(backend) {
        let (server, admin) = Server::with_town(backend);
        admin.add_indicators(&[("x", "sum")]);
        account(&server, "h\u{1ead}u", PASSWORD).unwrap();
        account(&server, "mơ", PASSWORD).unwrap();
        account(&server, "other", "another password").unwrap();
        server.write_beside(&format!("UPDATE unit_fact SET name = '{DECOMPOSED}', kind = 'a\u{302}\u{301}p' WHERE code = 'A1'"));
        server.write_beside("UPDATE account SET login = 'mo\u{31b}' WHERE login = 'mơ'");
        // Composed it would be that of the first account.
        server.write_beside("UPDATE account SET login = 'ha\u{323}\u{302}u' WHERE login = 'other'");
        let definition = "UPDATE indicator_version SET definition = replace(definition, 'Chỉ tiêu', 'Chi\u{309} tie\u{302}u')";
        server.write_beside(definition);
        let etag = admin.get("/v1/units/code:A1").etag().to_owned();
        let left = migrate(&server.database.owner, &server.database.server).unwrap();
        let left: Vec<String> = left.iter().map(|left| format!("{} {}", left.tenant, left.login)).collect();
        assert_eq!(left, ["test hậu"]);
        check(&server.database.server).unwrap();
        let read = |client: &Client| client.get("/v1/units/code:A1").json();
        let composed = read(&admin);
        assert_eq!((&composed["name"], &composed["kind"]), (&json!(COMPOSED), &json!("ấp")));
        assert_ne!(admin.get("/v1/units/code:A1").etag(), etag);
        assert_eq!(admin.get("/v1/indicators/x").json()["name"]["vi"], "Chỉ tiêu");
        for login in ["mơ", "mo\u{31b}"] {
            assert_eq!(sign_in(&server, login, PASSWORD), 200, "{login}");
        }
        // Who was left signs in as before.
        assert_eq!(sign_in(&server, "hậu", PASSWORD), 200);
        assert_eq!(sign_in(&server, "ha\u{323}\u{302}u", "another password"), 200);
        let rev = |client: &Client| client.get("/v1/units/code:A1").etag().to_owned();
        let before = rev(&admin);
        assert_eq!(migrate(&server.database.owner, &server.database.server).unwrap().len(), 1);
        assert_eq!(rev(&admin), before, "to compose twice changes nothing");
        admin.add_indicators(&[("y", "sum")]);
        let verify = ["verify", "--changes", "--tenant", "test"];
        let verified = tonghop_on(&server.database, &verify).output().unwrap();
        assert!(verified.status.success(), "{verified:?}");
    }
}

fn hash_of(password: &str) -> String {
    use argon2::password_hash::PasswordHasher;
    let hash = argon2::Argon2::default().hash_password(password.as_bytes());
    hash.unwrap().to_string()
}
