//! Reorganisations of the map, as short as a test needs them.

use serde_json::{Value, json};

use super::client::Client;

impl Client {
    /// Carries steps out as of a day; answers with the path of the reorganisation.
    #[track_caller]
    pub fn reorganise(&self, effective: &str, steps: &Value) -> String {
        self.carry_out(&decree(effective, steps))
    }

    /// Carries out what must be possible; answers with the path of the reorganisation.
    #[track_caller]
    pub fn carry_out(&self, decree: &Value) -> String {
        let answer = self
            .post_json("/v1/reorganisations", decree)
            .expect_status(201);
        answer.header("location").unwrap().to_owned()
    }

    /// Takes a reorganisation back.
    #[track_caller]
    pub fn undo(&self, path: &str) {
        let undone = self.with("If-Match", "*").post(&format!("{path}/undo"));
        undone.expect_status(200);
    }
}

pub fn decree(effective: &str, steps: &Value) -> Value {
    json!({"effective": effective, "legal_basis": "Nghị quyết", "steps": steps})
}

/// A commune that a document makes.
pub fn commune(code: &str, parent: &str) -> Value {
    json!({
        "code": code, "name": format!("Xã {code}"), "kind": "xã", "level": "commune",
        "parent": format!("code:{parent}")
    })
}

/// Units become one.
pub fn merge(from: &[&str], into: &Value) -> Value {
    let from: Vec<String> = from.iter().map(|code| format!("code:{code}")).collect();
    json!({"op": "merge", "from": from, "into": into})
}

/// A unit is divided, in shares: among units that stand (`"code:B"`) and new ones ([`commune`]).
pub fn split(from: &str, into: &[(Value, &str)]) -> Value {
    let into: Vec<Value> = into
        .iter()
        .map(|(unit, share)| json!({"unit": unit, "share": share}))
        .collect();
    json!({"op": "split", "from": format!("code:{from}"), "basis": "dân số", "into": into})
}
