//! The walls: every operation that names a thing is tried by every role on things of its own, of
//! others in the tenant, of another tenant, and on none at all. Operations come from the document, so
//! a new one is tried by itself.

use serde_json::{Value, json};
use tonghop::authz::{Extent, Operation, Role};

use super::openapi::{self, document, operations};
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
            (Extent::Everywhere, _) | (Extent::Covered | Extent::Below, Relation::Descendant) => {
                true
            }
            (Extent::Covered, Relation::Own) => true,
            (
                Extent::Covered | Extent::Below,
                Relation::Own | Relation::Sibling | Relation::Ancestor | Relation::OtherTown,
            ) => false,
        }
    }
}

/// Two tenants alike, `test` and `other`.
struct Walled {
    server: Server,
    admin: Client,
    neighbour: Client,
}

impl Walled {
    fn new(backend: Backend) -> Walled {
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
}

/// A body with which an operation gets as far as to the question who may.
fn body_of(operation: &str) -> &'static str {
    match operation {
        "put_submission" => r#"{"values": [{"indicator": "docs.issued", "value": 9}]}"#,
        "return_submission" => r#"{"reason": "Sai"}"#,
        "put_target" => r#"{"value": 5}"#,
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

on_both_backends! {
    fn every_operation_on_a_unit_holds_to_the_policy_at_every_place(backend) {
        let walled = Walled::new(backend);
        let document = document();
        let on_units: Vec<openapi::Operation> = operations(&document)
            .into_iter()
            .filter(|operation| operation.names("{unit}"))
            .collect();
        assert!(on_units.len() >= 16, "the document lost its units");
        let places = Relation::ALL.map(|relation| (relation, walled.unit_at(relation)));
        let mut tried = 0;
        for role in Role::ALL {
            let client = walled.of_role(role).with("If-Match", "*");
            for operation in &on_units {
                let policy: Operation = operation.id.parse().unwrap();
                let extent = policy.audience().extent(role);
                let body = body_of(&operation.id);
                let mut answers = Vec::new();
                for (relation, unit) in &places {
                    let names = [("{unit}", unit.as_str()), ("{indicator}", "docs.issued")];
                    let answer = operation.call_on(&client, &names, body);
                    let what = format!("{role} {} {relation:?}: {}", operation.id, answer.text);
                    assert!(answer.status < 500, "{what}");
                    match relation.is_reached(extent) {
                        true => assert!(![401, 403].contains(&answer.status), "{what}"),
                        false => assert!([403, 404].contains(&answer.status), "{what}"),
                    }
                    tried += 1;
                    if let Relation::OtherTenant | Relation::Nowhere = relation {
                        answers.push((told(&answer, unit), what));
                    }
                }
                // Another tenant's unit and one that never was look the same.
                assert_eq!(answers[0].0, answers[1].0, "{}", answers[0].1);
            }
        }
        println!("{tried} calls on units");
    }

    fn another_tenants_things_look_as_if_they_never_were(backend) {
        let walled = Walled::new(backend);
        let neighbour = &walled.neighbour;
        let account = json!({"login": "clerk", "name": "clerk", "grants": [{"role": "viewer", "unit": "code:A"}]});
        let account = neighbour.post_json("/v1/accounts", &account).expect_status(201).json();
        let sessions = neighbour.get("/v1/me/sessions").json();
        let made = neighbour.reorganise(
            "2026-01-01",
            &json!([{"op": "rename", "unit": "code:B", "name": "Xã Bê"}]),
        );
        let things = [
            ("{account}", account["id"].as_str().unwrap().to_owned()),
            ("{session}", sessions["items"][0]["id"].as_str().unwrap().to_owned()),
            ("{reorganisation}", made.rsplit_once('/').unwrap().1.to_owned()),
        ];
        let document = document();
        let mut tried = 0;
        for role in Role::ALL {
            let client = walled.of_role(role).with("If-Match", "*");
            for operation in operations(&document) {
                let Some((name, id)) = things.iter().find(|(name, _)| operation.names(name)) else {
                    continue;
                };
                let body = body_of(&operation.id);
                let foreign = operation.call_on(&client, &[(name, id)], body);
                let nothing = operation.call_on(&client, &[(name, NOTHING)], body);
                assert!((400..500).contains(&foreign.status), "{role} {}: {}", operation.id, foreign.text);
                assert_eq!(told(&foreign, id), told(&nothing, NOTHING), "{role} {}", operation.id);
                tried += 1;
            }
        }
        assert!(tried >= 50, "only {tried} calls");
        // Nothing of the neighbour's has changed.
        let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
        assert_eq!(neighbour.get(&path).json(), account);
    }

    fn foreign_names_in_queries_bodies_keys_and_cursors_open_nothing(backend) {
        let walled = Walled::new(backend);
        let foreign = walled.unit_at(Relation::OtherTenant);
        let client = walled.of_role(Role::TenantAdmin);
        for path in ["/v1/units?parent=", "/v1/accounts?unit=", "/v1/changes?unit="] {
            let one = client.get(&format!("{path}{foreign}"));
            let other = client.get(&format!("{path}{NOTHING}"));
            assert_eq!(told(&one, &foreign), told(&other, NOTHING), "{path}");
            assert_eq!(one.status, 404, "{path}");
        }
        let in_bodies = [
            ("/v1/units", json!({"code": "N", "name": "Mới", "level": "hamlet", "parent": foreign})),
            ("/v1/accounts", json!({"login": "n", "name": "n", "grants": [{"role": "viewer", "unit": foreign}]})),
            ("/v1/reorganisations", json!({
                "effective": "2027-01-01", "legal_basis": "x",
                "steps": [{"op": "rename", "unit": foreign, "name": "Khác"}],
            })),
        ];
        for (path, body) in in_bodies {
            let one = client.post_json(path, &body);
            let nothing: Value = serde_json::from_str(&body.to_string().replace(&foreign, NOTHING)).unwrap();
            let other = client.post_json(path, &nothing);
            assert_eq!(told(&one, &foreign), told(&other, NOTHING), "{path}");
            assert_eq!(one.status, 422, "{path}: {}", one.text);
        }
        // The same key in two tenants is two requests.
        let new = json!({"code": "K", "name": "Khóa", "level": "hamlet", "parent": "code:A"});
        let keyed = |client: &Client| client.with("Idempotency-Key", "one").post_json("/v1/units", &new);
        let first = keyed(&walled.neighbour).expect_status(201);
        let second = keyed(&walled.admin).expect_status(201);
        assert_eq!(second.header("idempotency-replayed"), None);
        assert_ne!(first.json()["id"], second.json()["id"]);
        // A foreign cursor is none of this list.
        let page = walled.neighbour.get("/v1/units?limit=2").json();
        let cursor = page["next"].as_str().unwrap();
        let stolen = client.get(&format!("/v1/units?limit=2&cursor={cursor}"));
        stolen.expect_problem(400, "INVALID_PARAMETER");
    }
}
