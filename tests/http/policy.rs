//! Who may do what: the table of operations as a checked-in list, and the server against the table.
//!
//! `TONGHOP_WRITE_SNAPSHOTS=1` writes `operations.txt` anew.

use std::fmt::Write;

use tonghop::authz::{Audience, Extent, Operation, OperationKind, Role};

use super::openapi::{document, operations};
use crate::harness::{Backend, Server};

fn line(cells: impl IntoIterator<Item = String>) -> String {
    let cells = cells.into_iter().enumerate();
    let padded = cells.fold(String::new(), |mut line, (column, cell)| {
        let width = [22, 8, 26].get(column).copied().unwrap_or(14);
        write!(line, "{cell:width$}").unwrap();
        line
    });
    format!("{}\n", padded.trim_end())
}

fn kind(operation: Operation) -> &'static str {
    match operation.kind() {
        OperationKind::Read => "read",
        OperationKind::Submit => "submit",
        OperationKind::Change => "change",
    }
}

fn audience(operation: Operation) -> String {
    match operation.audience() {
        Audience::Public => "public".to_owned(),
        Audience::SignedIn => "signed in".to_owned(),
        Audience::Person => "person".to_owned(),
        Audience::Needs(action) => format!("tenant: {action:?}"),
        Audience::NeedsOn(action) => format!("unit: {action:?}"),
    }
}

fn extent(operation: Operation, role: Role) -> &'static str {
    match operation.audience().extent(role) {
        Extent::Never => "-",
        Extent::Covered => "covered",
        Extent::CoveredAndAbove => "and above",
        Extent::Below => "below",
        Extent::Everywhere => "everywhere",
    }
}

/// The roles by the operations.
fn table() -> String {
    let names = ["operation", "kind", "asks for"].map(str::to_owned);
    let head = line(
        names
            .into_iter()
            .chain(Role::ALL.map(|role| role.to_string())),
    );
    let lines = Operation::ALL.iter().map(|operation| {
        let row = [
            operation.id().to_owned(),
            kind(*operation).to_owned(),
            audience(*operation),
        ];
        let extents = Role::ALL.map(|role| extent(*operation, role).to_owned());
        line(row.into_iter().chain(extents))
    });
    lines.fold(head, |table, line| table + &line)
}

#[test]
fn the_checked_in_policy_is_the_programs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/operations.txt");
    if std::env::var_os("TONGHOP_WRITE_SNAPSHOTS").is_some() {
        std::fs::write(path, table()).unwrap();
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        checked_in == table(),
        "tests/http/operations.txt is out of date: run TONGHOP_WRITE_SNAPSHOTS=1 cargo test policy"
    );
}

/// A body with which a request gets as far as to the use case, where the early check leaves it to.
fn body_of(operation: &str) -> &'static str {
    match operation {
        "put_submission" => r#"{"values": []}"#,
        "return_submission" | "return_release" => r#"{"reason": "Sai"}"#,
        _ => "{}",
    }
}

/// Each role is given on the unit above, so that only the role decides.
#[test]
fn the_server_refuses_those_whom_the_policy_refuses() {
    let server = Server::with_demo(Backend::Sqlite);
    let document = document();
    for role in Role::ALL {
        let grant = match role {
            Role::TenantAdmin => role.to_string(),
            Role::Reporter | Role::Approver | Role::Viewer | Role::UnitAdmin => {
                format!("{role}@code:30388")
            }
        };
        server.create_account("mttq-an-giang", role.as_str(), &[&grant]);
        let sign_in = || {
            let client = server.sign_in("mttq-an-giang", role.as_str());
            client.with("If-Match", "*")
        };
        let mut client = sign_in();
        for described in operations(&document) {
            let operation: Operation = described.id.parse().unwrap();
            let answer = described.call(&client, body_of(&described.id));
            let is_refused = answer.status == 403 && answer.json()["code"] == "NOT_ALLOWED";
            let never = operation.audience().extent(role) == Extent::Never;
            assert_eq!(
                is_refused, never,
                "{role} {}: {}",
                described.id, answer.text
            );
            if operation == Operation::EndMySessions {
                client = sign_in();
            }
        }
    }
}
