//! The history of a tenant: the list of changes, the stream of them, and their audit.

use serde_json::Value;

use crate::harness::Client;

mod audit;
mod changes;
mod stream;
mod who_is_named;

/// What `GET /v1/changes` lists.
#[track_caller]
fn listed(client: &Client, query: &str) -> Vec<Value> {
    let answer = client.get(&format!("/v1/changes?limit=1000{query}"));
    let answer = answer.expect_status(200).json();
    answer["items"].as_array().unwrap().clone()
}

/// The rev of the last commit.
#[track_caller]
fn last_rev(client: &Client) -> i64 {
    let answer = client.get("/v1/changes?limit=1000").expect_status(200);
    answer.json()["next"].as_i64().unwrap()
}
