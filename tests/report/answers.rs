//! Cached reports: never older than the last acknowledged change, on one server and on several.

use serde_json::json;

use crate::harness::clerk::put_case;
use crate::harness::server::TestDatabase;
use crate::harness::{Client, Program};

/// Submits a hamlet's value for a month, once however often it is sent.
fn submit_once(client: &Client, hamlet: &str, value: i64) {
    let path = format!("/v1/forms/battery/periods/2024-03/units/code:{hamlet}/submission");
    let body = json!({"values": [{"indicator": "b.sum", "value": value}], "submit": true});
    client
        .with("If-None-Match", "*")
        .with("Idempotency-Key", hamlet)
        .put(&path, &body)
        .expect_status(201);
}

/// The province's sum of the month.
fn total(client: &Client) -> i64 {
    let rollup = client.get("/v1/forms/battery/periods/2024-03/units/code:P/rollup");
    let cells = rollup.expect_status(200).json()["cells"].clone();
    let sum = cells.as_array().unwrap()[0]["value"].as_i64();
    sum.unwrap_or(0)
}

fn two_servers(database: &TestDatabase) -> [(Program, Client); 2] {
    [(); 2].map(|()| {
        let server = Program::serve(database);
        let admin = server.sign_in("test", "admin");
        (server, admin)
    })
}

on_both_backends! {
    fn what_another_server_has_taken_is_in_the_next_report(backend) {
        let database = TestDatabase::migrated(backend).with_tenant();
        let [(_one, here), (_other, there)] = two_servers(&database);
        put_case(&here);
        for clerk in 0..5 {
            let before = total(&here);
            submit_once(&there, &format!("H{clerk}-0"), 3);
            assert_eq!(total(&here), before + 3);
            submit_once(&here, &format!("H{clerk}-1"), 4);
            assert_eq!((total(&here), total(&there)), (before + 7, before + 7));
        }
    }
}
