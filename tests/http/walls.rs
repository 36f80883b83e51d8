//! The walls: every operation that names a thing is tried by every role and every kind of key on
//! things of its own, of others in the tenant, of another tenant, and on none at all. Operations come
//! from the document, so a new one is tried by itself.
//!
//! With another tenant's ETag and Idempotency-Key, three places are tried: the caller's own unit, the
//! other tenant's, and none. `TONGHOP_TEST_CYCLES=1` tries all seven.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tonghop::authz::{
    Audience, Extent, KeyOperation, KeyOperations, Operation, OperationKind, Reach, Role,
};
use tonghop::domain::id::UnitId;

use super::openapi::{self, document, operations};
use crate::harness::server::now;
use crate::harness::town::{form, indicator};
use crate::harness::{Answer, Backend, Client, Server};

/// A thing that never was.
const NOTHING: &str = "0191e4a5-6d1c-7c3a-9a60-2f6d0c9b1a11";

/// Two provinces' worth of units in each tenant; every role is on commune A.
const UNITS: &str = "code,name,level,parent_code\n\
    P,Tỉnh,province,\nT,Thị xã,town,P\nA,Xã A,commune,T\nA1,Ấp Một,hamlet,A\n\
    B,Xã B,commune,T\nU,Huyện,town,P\nC,Xã C,commune,U\n";

/// The relation of a place to the unit on which a role was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Own,
    Descendant,
    Sibling,
    Ancestor,
    OtherTown,
    OtherTenant,
    Nowhere,
}

impl Relation {
    const ALL: [Relation; 7] = [
        Relation::Own,
        Relation::Descendant,
        Relation::Sibling,
        Relation::Ancestor,
        Relation::OtherTown,
        Relation::OtherTenant,
        Relation::Nowhere,
    ];

    /// Tells whether a role's extent reaches the place.
    fn is_reached(self, extent: Extent) -> bool {
        match (extent, self) {
            (Extent::Never, _) | (_, Relation::OtherTenant | Relation::Nowhere) => false,
            (Extent::Everywhere, _)
            | (Extent::Covered | Extent::CoveredAndAbove | Extent::Below, Relation::Descendant) => {
                true
            }
            (Extent::Covered | Extent::CoveredAndAbove, Relation::Own)
            | (Extent::CoveredAndAbove, Relation::Ancestor) => true,
            (
                Extent::Covered | Extent::CoveredAndAbove | Extent::Below,
                Relation::Own | Relation::Sibling | Relation::Ancestor | Relation::OtherTown,
            ) => false,
        }
    }
}

/// The part of the tenant on which a caller has its roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Granted {
    OnUnit,
    OnTenant,
}

/// Somebody, or some program, that tries everything.
pub struct Caller {
    name: String,
    client: Client,
    roles: Vec<Role>,
    granted: Granted,
    /// The list of a program's key.
    key: Option<KeyOperations>,
}

impl Caller {
    /// Tells whether the policy lets the caller do an operation at a place.
    fn reaches(&self, operation: Operation, relation: Relation) -> bool {
        let is_listed = self.key.as_ref().is_none_or(|key| key.includes(operation));
        let mut extents = self
            .roles
            .iter()
            .map(|role| operation.audience().extent(*role));
        let reached = extents.any(|extent| match (self.granted, extent) {
            (Granted::OnTenant, Extent::Covered | Extent::CoveredAndAbove | Extent::Below) => {
                relation.is_reached(Extent::Everywhere)
            }
            (Granted::OnUnit | Granted::OnTenant, extent) => relation.is_reached(extent),
        });
        is_listed && reached
    }
}

/// The kinds of keys: what each allows, and where. The last one is used by a token that was got for
/// it.
const KEYS: [(&[&str], Granted); 6] = [
    (&["read"], Granted::OnUnit),
    (&["submit"], Granted::OnUnit),
    (&["approve_submission"], Granted::OnUnit),
    (&["get_submission"], Granted::OnUnit),
    (&["read"], Granted::OnTenant),
    (&["read", "submit"], Granted::OnUnit),
];

/// Two tenants alike, `test` and `other`.
pub struct Walled {
    pub server: Server,
    pub admin: Client,
    pub neighbour: Client,
}

impl Walled {
    pub fn new(backend: Backend) -> Walled {
        let server = Server::with_tenant(backend);
        server.create_tenant("other");
        let [admin, neighbour] = ["test", "other"].map(|tenant| {
            let admin = server.sign_in(tenant, "admin");
            admin.post_csv("/v1/units/import", UNITS).expect_status(200);
            admin
                .put("/v1/indicators/docs.issued", &indicator("sum"))
                .expect_status(201);
            let mut form = form(&["docs.issued"]);
            form["frequency"] = json!("year");
            form["submitted_by"] = json!(["hamlet", "commune", "town"]);
            admin.put("/v1/forms/mttq.annual", &form).expect_status(201);
            for unit in ["A", "A1", "B", "T", "C"] {
                let path =
                    format!("/v1/forms/mttq.annual/periods/2024/units/code:{unit}/submission");
                let body =
                    json!({"values": [{"indicator": "docs.issued", "value": 7}], "submit": true});
                admin
                    .with("If-None-Match", "*")
                    .put(&path, &body)
                    .expect_status(201);
            }
            admin
        });
        Walled {
            server,
            admin,
            neighbour,
        }
    }

    /// The id of a unit at a place, as seen from commune A of `test`.
    fn unit_at(&self, relation: Relation) -> String {
        let id = |client: &Client, code: &str| {
            let unit = client.get(&format!("/v1/units/code:{code}"));
            let unit = unit.expect_status(200).json();
            unit["id"].as_str().unwrap().to_owned()
        };
        match relation {
            Relation::Own => id(&self.admin, "A"),
            Relation::Descendant => id(&self.admin, "A1"),
            Relation::Sibling => id(&self.admin, "B"),
            Relation::Ancestor => id(&self.admin, "T"),
            Relation::OtherTown => id(&self.admin, "C"),
            Relation::OtherTenant => id(&self.neighbour, "A"),
            Relation::Nowhere => NOTHING.to_owned(),
        }
    }

    /// A client of a role on commune A, or on the tenant.
    fn of_role(&self, role: Role) -> Client {
        let grant = match role {
            Role::TenantAdmin => role.to_string(),
            Role::Reporter | Role::Approver | Role::Viewer | Role::UnitAdmin => {
                format!("{role}@code:A")
            }
        };
        self.server.create_account("test", role.as_str(), &[&grant]);
        self.server.sign_in("test", role.as_str())
    }

    /// Everybody who tries: a person of each role, and a program with each kind of key.
    pub fn callers(&self) -> Vec<Caller> {
        let people = Role::ALL.into_iter().map(|role| Caller {
            name: role.to_string(),
            client: self.of_role(role),
            roles: vec![role],
            granted: Granted::OnUnit,
            key: None,
        });
        let keys = KEYS.iter().enumerate();
        let programs = keys.map(|(number, (words, granted))| self.program(number, words, *granted));
        people.chain(programs).collect()
    }

    fn program(&self, number: usize, words: &[&str], granted: Granted) -> Caller {
        let last_day = now().date_naive() + chrono::Days::new(30);
        let mut body =
            json!({"name": format!("{number}"), "operations": words, "last_day": last_day});
        let reach = match granted {
            Granted::OnUnit => Reach::Subtree(UnitId::new()),
            Granted::OnTenant => Reach::Tenant,
        };
        if granted == Granted::OnUnit {
            body["unit"] = json!("code:A");
        }
        let made = self
            .admin
            .post_json("/v1/keys", &body)
            .expect_status(201)
            .json();
        let [prefix, secret] = ["prefix", "secret"].map(|field| made[field].as_str().unwrap());
        let anonymous = self.server.anonymous();
        let client = if number + 1 < KEYS.len() {
            anonymous.with_token(secret)
        } else {
            let form =
                format!("grant_type=client_credentials&client_id={prefix}&client_secret={secret}");
            let token = anonymous
                .post_form("/v1/auth/token", &form)
                .expect_status(200);
            anonymous.with_token(token.json()["access_token"].as_str().unwrap())
        };
        let words = words
            .iter()
            .map(|word| word.parse::<KeyOperation>().unwrap());
        let key: KeyOperations = words.collect();
        Caller {
            name: format!("a key for {key}, {granted:?}"),
            client,
            roles: key.roles(reach).unwrap(),
            granted,
            key: Some(key),
        }
    }
}

/// The operations of the document that name a unit.
fn operations_on_units() -> Vec<openapi::Operation> {
    let all = operations(&document()).into_iter();
    let on_units: Vec<openapi::Operation> = all.filter(|one| one.names("{unit}")).collect();
    assert!(on_units.len() >= 16, "the document lost its units");
    on_units
}

/// Calls an operation on a unit.
fn try_on(operation: &openapi::Operation, client: &Client, unit: &str) -> Answer {
    let names = [("{unit}", unit), ("{indicator}", "docs.issued")];
    operation.call_on(client, &names, body_of(&operation.id))
}

/// A body with which an operation gets as far as to the question who may.
fn body_of(operation: &str) -> &'static str {
    match operation {
        "put_submission" => r#"{"values": [{"indicator": "docs.issued", "value": 9}]}"#,
        "return_submission" | "return_release" => r#"{"reason": "Sai"}"#,
        // Wrong wherever it is sent.
        "send_release" => r#"{"recipients": [""]}"#,
        "put_target" => r#"{"value": 5}"#,
        "put_extension" => r#"{"until": "2190-01-01", "reason": "Lũ"}"#,
        // Wrong wherever it is sent.
        "put_subtree_reporting" => r#"{"from": "2024-13"}"#,
        "put_account" => r#"{"login": "x", "name": "x"}"#,
        "put_grants" => "[]",
        "hand_over_account" => r#"{"login": "x", "name": "x", "on": "2190-01-01"}"#,
        _ => "{}",
    }
}

/// What an answer says, without what is of the request alone: its id, and the name that was asked
/// for.
fn told(answer: &Answer, asked: &str) -> (u16, Value) {
    let mut body = answer.json();
    body["request_id"] = Value::Null;
    let text = body.to_string().replace(asked, "…");
    (answer.status, serde_json::from_str(&text).unwrap())
}

/// The ids (UUIDs) in a text.
fn ids_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('"')
        .filter(|part| uuid::Uuid::parse_str(part).is_ok())
}

impl Walled {
    /// Tries every operation that names a unit, at every place.
    pub fn check_units(&self, callers: &[Caller]) {
        let on_units = operations_on_units();
        let places = Relation::ALL.map(|relation| (relation, self.unit_at(relation)));
        let mut tried = 0;
        for caller in callers {
            let client = caller.client.with("If-Match", "*");
            for operation in &on_units {
                let mut unknown = Vec::new();
                for (relation, unit) in &places {
                    let answer = try_on(operation, &client, unit);
                    let what = format!(
                        "{} {} {relation:?}: {}",
                        caller.name, operation.id, answer.text
                    );
                    assert!(answer.status < 500, "{what}");
                    match caller.reaches(operation.id.parse().unwrap(), *relation) {
                        true => assert!(![401, 403].contains(&answer.status), "{what}"),
                        false => assert!([403, 404].contains(&answer.status), "{what}"),
                    }
                    tried += 1;
                    if let Relation::OtherTenant | Relation::Nowhere = relation {
                        unknown.push((told(&answer, unit), what));
                    }
                }
                // Another tenant's unit and one that never was look the same.
                assert_eq!(unknown[0].0, unknown[1].0, "{}", unknown[0].1);
            }
        }
        println!(
            "{tried} calls on units: {} callers, {} operations, {} places",
            callers.len(),
            on_units.len(),
            places.len()
        );
    }

    /// Tries what changes a unit with the neighbour's ETags and Idempotency-Key.
    pub fn check_etags_and_keys(&self, callers: &[Caller]) {
        let on_units = operations_on_units();
        let mut places: Vec<(Relation, String)> = Relation::ALL
            .into_iter()
            .filter(|relation| {
                std::env::var_os("TONGHOP_TEST_CYCLES").is_some()
                    || matches!(
                        relation,
                        Relation::Own | Relation::OtherTenant | Relation::Nowhere
                    )
            })
            .map(|relation| (relation, self.unit_at(relation)))
            .collect();
        places.push((Relation::Own, "code:A".to_owned()));
        // The neighbour does all of it with the key that the others will send, on the very paths.
        let foreign = self.unit_at(Relation::OtherTenant);
        let of_period = format!("/v1/forms/mttq.annual/periods/2024/units/{foreign}");
        let target = format!("{of_period}/targets/docs.issued");
        self.neighbour
            .create(&target, &json!({"value": 4}))
            .expect_status(201);
        let keyed = self
            .neighbour
            .with("If-Match", "*")
            .with("Idempotency-Key", "stolen");
        let mut done = 0;
        for path in [foreign.as_str(), "code:A"] {
            let answers = on_units
                .iter()
                .map(|operation| try_on(operation, &keyed, path));
            done += answers.filter(|answer| answer.status < 300).count();
        }
        assert!(
            done >= 16,
            "only {done} requests of the neighbour succeeded"
        );
        let tag_of = |path: &str| {
            self.neighbour
                .get(path)
                .expect_status(200)
                .etag()
                .to_owned()
        };
        let tags = [tag_of(&format!("{of_period}/submission")), tag_of(&target)].join(", ");
        let mut tried = 0;
        for caller in callers {
            let client = caller
                .client
                .with("If-Match", &tags)
                .with("Idempotency-Key", "stolen");
            for operation in on_units
                .iter()
                .filter(|operation| operation.takes_header("Idempotency-Key"))
            {
                let mut unknown = Vec::new();
                for (relation, unit) in &places {
                    let answer = try_on(operation, &client, unit);
                    let what = format!(
                        "{} {} {relation:?}: {}",
                        caller.name, operation.id, answer.text
                    );
                    assert!((400..500).contains(&answer.status), "{what}");
                    assert_eq!(answer.header("idempotency-replayed"), None, "{what}");
                    tried += 1;
                    if let Relation::OtherTenant | Relation::Nowhere = relation {
                        unknown.push((told(&answer, unit), what));
                    }
                }
                assert_eq!(unknown[0].0, unknown[1].0, "{}", unknown[0].1);
            }
        }
        println!("{tried} calls with another tenant's ETag and Idempotency-Key");
    }

    /// Reads every list from a cursor of the neighbour's list.
    pub fn check_cursors(&self, callers: &[Caller]) {
        let neighbour = &self.neighbour;
        for login in ["one", "two"] {
            let account = json!({"login": login, "name": login, "grants": [{"role": "viewer", "unit": "code:A"}]});
            neighbour
                .post_json("/v1/accounts", &account)
                .expect_status(201);
            let key = json!({"name": login, "operations": ["read"], "last_day": now().date_naive() + chrono::Days::new(9)});
            neighbour.post_json("/v1/keys", &key).expect_status(201);
        }
        self.server.sign_in("other", "admin");
        let submission = "/v1/forms/mttq.annual/periods/2024/units/code:A/submission";
        neighbour
            .replace(submission, &json!({"values": []}))
            .expect_status(200);
        let document = document();
        let mut lists = 0;
        let mut tried = 0;
        for operation in operations(&document)
            .iter()
            .filter(|operation| operation.takes_query("cursor"))
        {
            let names = [("{unit}", "code:A")];
            let page = operation.call_asking(neighbour, &names, &[("limit", "1")], "");
            let Some(cursor) = page.json()["next"].as_str().map(str::to_owned) else {
                continue;
            };
            lists += 1;
            let whole = operation.call_on(neighbour, &names, "").text;
            let theirs: BTreeSet<&str> = ids_in(&whole).filter(|id| *id != cursor).collect();
            for caller in callers {
                let answer =
                    operation.call_asking(&caller.client, &names, &[("cursor", &cursor)], "");
                let what = format!("{} {}: {}", caller.name, operation.id, answer.text);
                assert!(answer.status < 500, "{what}");
                assert!(
                    ids_in(&answer.text).all(|id| !theirs.contains(id)),
                    "{what}"
                );
                tried += 1;
            }
        }
        assert!(lists >= 5, "only {lists} lists had a second page");
        println!("{tried} calls with another tenant's cursor");
    }

    /// Tries every operation that names another thing, on the neighbour's.
    pub fn check_things(&self, callers: &[Caller]) {
        let neighbour = &self.neighbour;
        let account = json!({"login": "clerk", "name": "clerk", "grants": [{"role": "viewer", "unit": "code:A"}]});
        let account = neighbour
            .post_json("/v1/accounts", &account)
            .expect_status(201)
            .json();
        let sessions = neighbour.get("/v1/me/sessions").json();
        let made = neighbour.reorganise(
            "2026-01-01",
            &json!([{"op": "rename", "unit": "code:B", "name": "Xã Bê"}]),
        );
        let key = json!({"name": "key", "operations": ["read"], "last_day": now().date_naive() + chrono::Days::new(9)});
        let key = neighbour
            .post_json("/v1/keys", &key)
            .expect_status(201)
            .json();
        let things = [
            ("{key}", key["id"].as_str().unwrap().to_owned()),
            ("{account}", account["id"].as_str().unwrap().to_owned()),
            (
                "{session}",
                sessions["items"][0]["id"].as_str().unwrap().to_owned(),
            ),
            (
                "{reorganisation}",
                made.rsplit_once('/').unwrap().1.to_owned(),
            ),
        ];
        let document = document();
        let mut tried = 0;
        for caller in callers {
            let client = caller.client.with("If-Match", "*");
            let who = &caller.name;
            for operation in operations(&document) {
                let Some((name, id)) = things.iter().find(|(name, _)| operation.names(name)) else {
                    continue;
                };
                let body = body_of(&operation.id);
                let foreign = operation.call_on(&client, &[(name, id)], body);
                let nothing = operation.call_on(&client, &[(name, NOTHING)], body);
                assert!(
                    (400..500).contains(&foreign.status),
                    "{who} {}: {}",
                    operation.id,
                    foreign.text
                );
                assert_eq!(
                    told(&foreign, id),
                    told(&nothing, NOTHING),
                    "{who} {}",
                    operation.id
                );
                tried += 1;
            }
        }
        assert!(tried >= 100, "only {tried} calls");
        println!("{tried} calls on other things");
        // Nothing of the neighbour's has changed.
        let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
        assert_eq!(neighbour.get(&path).json(), account);
    }

    /// Names the neighbour's units in queries and bodies.
    pub fn check_names(&self) {
        let foreign = self.unit_at(Relation::OtherTenant);
        let client = &self.admin;
        for path in [
            "/v1/units?parent=",
            "/v1/accounts?unit=",
            "/v1/changes?unit=",
        ] {
            let one = client.get(&format!("{path}{foreign}"));
            let other = client.get(&format!("{path}{NOTHING}"));
            assert_eq!(told(&one, &foreign), told(&other, NOTHING), "{path}");
            assert_eq!(one.status, 404, "{path}");
        }
        let in_bodies = [
            (
                "/v1/units",
                json!({"code": "N", "name": "Mới", "level": "hamlet", "parent": foreign}),
            ),
            (
                "/v1/accounts",
                json!({"login": "n", "name": "n", "grants": [{"role": "viewer", "unit": foreign}]}),
            ),
            (
                "/v1/reorganisations",
                json!({
                    "effective": "2027-01-01", "legal_basis": "x",
                    "steps": [{"op": "rename", "unit": foreign, "name": "Khác"}],
                }),
            ),
        ];
        for (path, body) in in_bodies {
            let one = client.post_json(path, &body);
            let nothing: Value =
                serde_json::from_str(&body.to_string().replace(&foreign, NOTHING)).unwrap();
            let other = client.post_json(path, &nothing);
            assert_eq!(told(&one, &foreign), told(&other, NOTHING), "{path}");
            assert_eq!(one.status, 422, "{path}: {}", one.text);
        }
        // The same key in two tenants is two requests.
        let new = json!({"code": "K", "name": "Khóa", "level": "hamlet", "parent": "code:A"});
        let keyed = |client: &Client| {
            client
                .with("Idempotency-Key", "one")
                .post_json("/v1/units", &new)
        };
        let first = keyed(&self.neighbour).expect_status(201);
        let second = keyed(&self.admin).expect_status(201);
        assert_eq!(second.header("idempotency-replayed"), None);
        assert_ne!(first.json()["id"], second.json()["id"]);
    }

    /// Reads everything that needs no name as both administrators.
    pub fn check_lists(&self) {
        let document = document();
        let is_whole = |operation: &openapi::Operation| {
            let known: Operation = operation.id.parse().unwrap();
            let is_read =
                known.kind() == OperationKind::Read && known.audience() != Audience::Public;
            is_read && operation.method == "get" && !operation.names("{")
        };
        let all = operations(&document);
        let wholes: Vec<&openapi::Operation> = all.iter().filter(|one| is_whole(one)).collect();
        let [ours, theirs] = [&self.admin, &self.neighbour].map(|client| {
            let answers = wholes.iter().map(|operation| operation.call(client, ""));
            let texts: Vec<String> = answers
                .map(|answer| answer.expect_status(200).text)
                .collect();
            texts.join("\n")
        });
        let theirs: BTreeSet<&str> = ids_in(&theirs).collect();
        assert!(theirs.len() > 8, "{theirs:?}");
        assert!(ids_in(&ours).all(|id| !theirs.contains(id)), "{ours}");
    }
}

on_both_backends! {
    fn no_list_of_a_tenant_names_a_thing_of_another(backend) {
        Walled::new(backend).check_lists();
    }

    fn every_operation_on_a_unit_holds_to_the_policy_at_every_place(backend) {
        let walled = Walled::new(backend);
        walled.check_units(&walled.callers());
    }

    fn another_tenants_etags_and_idempotency_keys_open_nothing(backend) {
        let walled = Walled::new(backend);
        walled.check_etags_and_keys(&walled.callers());
    }

    fn another_tenants_cursor_shows_nothing_of_its_list(backend) {
        let walled = Walled::new(backend);
        walled.check_cursors(&walled.callers());
    }

    fn another_tenants_things_look_as_if_they_never_were(backend) {
        let walled = Walled::new(backend);
        walled.check_things(&walled.callers());
    }

    fn foreign_names_in_queries_and_bodies_and_keys_open_nothing(backend) {
        let walled = Walled::new(backend);
        walled.check_names();
    }
}
