//! The commands of `docs/integrators.md` work as they are printed, and its nightly job does what the guide says of it
//! when things go wrong.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::harness::guide::Guide;
use crate::harness::proxy::{Accident, Proxy, Trap};
use crate::harness::{Client, Program};

const GUIDE: &str = include_str!("../../docs/integrators.md");

/// The last hamlet, for which the guide sends nothing.
const SUBMISSION: &str = "/v1/forms/monthly/periods/2025-10/units/code:30388-04/submission";

/// What the job prints for each report that is new.
const NEW: &str = ": new\n";

/// Puts a figure of the last hamlet into the outbox.
fn put_into_outbox(guide: &Guide, value: u32) {
    let body = format!(
        r#"{{"values": [{{"indicator": "fund.raised", "value": {value}}}], "submit": true}}"#
    );
    std::fs::write(guide.path("outbox/30388-04.2025-10.again"), body).unwrap();
}

fn run_job(guide: &Guide, address: impl std::fmt::Display) -> String {
    guide.run(&format!("API=http://{address}/v1 bash nightly.sh 2025-10"))
}

/// The administrator of the guide's tenant.
fn admin(guide: &Guide) -> Client {
    let anonymous = guide.program.anonymous();
    anonymous.sign_in("demo", "admin", "mưa+rơi+trên+mái+ngói")
}

fn signed_in(guide: &Guide) -> Client {
    let key = std::fs::read_to_string(guide.path("key")).unwrap();
    guide.program.anonymous().with_token(key.trim())
}

#[test]
fn the_commands_of_the_guide_for_integrators_work_as_printed() {
    let guide = Guide::follow(GUIDE);
    for expected in [
        // The replay, the refusal, the report that is as before; then the job's two runs and its total.
        "idempotency-replayed: true",
        r#""pointer":"/values/0/value","code":"VALUE_OUT_OF_RANGE""#,
        "\n304\n",
        ": sent\n",
        ": refused\n",
        "30388.rollup: new\n",
        "30388-04.completeness: as before\n",
        r#""value":"9007199256340993""#,
    ] {
        assert!(guide.said.contains(expected), "{expected}: {}", guide.said);
    }
}

#[test]
fn the_nightly_job_of_the_guide_survives_a_bad_network() {
    let guide = Guide::follow(GUIDE);
    let connections = AtomicUsize::new(0);
    let proxy = Proxy::to(guide.program.address, move || {
        match connections.fetch_add(1, Ordering::Relaxed) % 8 {
            2 => Accident::CutAnswer(0),
            5 => Accident::CutRequest(20),
            7 => Accident::CutAnswer(900),
            _ => Accident::None,
        }
    });
    std::fs::remove_dir_all(guide.path("reports")).unwrap();
    put_into_outbox(&guide, 7);
    proxy.lay(Trap::After("30388-04.2025-10.again"));
    let said = run_job(&guide, proxy.address);
    assert_eq!(said.matches(NEW).count(), 10, "{said}");
    assert!(proxy.accidents() > 2);

    // The answer was lost, and the figure taken once. The same holds for a job that ended before it knew.
    let client = signed_in(&guide);
    let revision = || client.get(SUBMISSION).expect_status(200).json()["revision"].clone();
    assert_eq!(revision(), 1);
    put_into_outbox(&guide, 7);
    let said = run_job(&guide, guide.program.address);
    assert!(said.contains("30388-04.2025-10.again: sent\n"), "{said}");
    assert_eq!(said.matches(NEW).count(), 0, "{said}");
    assert_eq!(revision(), 1);
}

/// The answer of a server that is still at an earlier try with the same key.
const IN_FLIGHT: &str = "HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\n\
    Retry-After: 1\r\nConnection: close\r\nContent-Length: 28\r\n\r\n{\"code\":\"REQUEST_IN_FLIGHT\"}";

#[test]
fn the_nightly_job_of_the_guide_sends_again_what_is_still_in_flight() {
    let guide = Guide::follow(GUIDE);
    let proxy = Proxy::to(guide.program.address, || Accident::None);
    put_into_outbox(&guide, 7);
    proxy.lay(Trap::Instead("30388-04.2025-10.again", IN_FLIGHT));
    let said = run_job(&guide, proxy.address);
    assert_eq!(proxy.accidents(), 1);
    assert!(said.contains("30388-04.2025-10.again: sent\n"), "{said}");
    let kept = signed_in(&guide).get(SUBMISSION).expect_status(200);
    assert_eq!(kept.json()["revision"], 1);
}

#[test]
fn the_nightly_job_of_the_guide_passes_over_units_that_the_period_does_not_have() {
    let guide = Guide::follow(GUIDE);
    let admin = admin(&guide);
    for (code, first, last) in [
        ("30388-05", "2026-01-01", None),
        ("30388-06", "2025-01-01", Some("2025-06-30")),
    ] {
        let unit = json!({
            "code": code, "name": format!("Tân Phú {code}"), "level": "hamlet", "kind": "ấp",
            "parent": "code:30388", "valid_from": first, "valid_to": last,
        });
        admin.post_json("/v1/units", &unit).expect_status(201);
        let body = r#"{"values": [{"indicator": "fund.raised", "value": 1}], "submit": true}"#;
        std::fs::write(guide.path(&format!("outbox/{code}.2025-10.new")), body).unwrap();
    }
    std::fs::remove_dir_all(guide.path("reports")).unwrap();
    let said = run_job(&guide, guide.program.address);
    assert_eq!(said.matches(NEW).count(), 10, "{said}");
    for (code, problem) in [("30388-05", "UNIT_NOT_FOUND"), ("30388-06", "UNIT_ENDED")] {
        assert!(
            said.contains(&format!("{code}.2025-10.new: refused\n")),
            "{said}"
        );
        let kept = guide.path(&format!("refused/{code}.2025-10.new.problem"));
        let kept = std::fs::read_to_string(kept).unwrap();
        assert!(kept.contains(problem), "{kept}");
        assert!(!said.contains(&format!("{code}.rollup")), "{said}");
    }
}

#[test]
fn the_nightly_job_of_the_guide_stops_at_once_when_its_key_has_ended() {
    let guide = Guide::follow(GUIDE);
    let admin = admin(&guide);
    let keys = admin.get("/v1/keys").expect_status(200).json();
    let path = format!("/v1/keys/{}", keys["items"][0]["id"].as_str().unwrap());
    admin.send("DELETE", &path, None, b"").expect_status(204);
    let address = guide.program.address;
    let said = guide.run(&format!(
        "API=http://{address}/v1 bash nightly.sh 2025-10 2>&1 || echo stopped with $?"
    ));
    assert!(said.ends_with("\nstopped with 1\n"), "{said}");
    let metrics = guide.program.anonymous().get("/metrics").expect_status(200);
    let refused = metrics
        .text
        .lines()
        .filter(|line| line.contains(r#"status="401""#));
    let refused: Vec<&str> = refused.filter(|line| line.contains("_total")).collect();
    assert!(
        refused.len() == 1 && refused[0].ends_with(" 1"),
        "{refused:?}"
    );
}

#[test]
fn the_nightly_job_of_the_guide_waits_as_long_as_it_is_told() {
    let mut guide = Guide::follow(GUIDE);
    guide.program.terminate();
    guide.program.wait(Duration::from_secs(20)).unwrap();
    guide.program = Program::serve_with(&guide.database, &[("TONGHOP_ACCOUNT_RATE", "2")]);
    std::fs::remove_dir_all(guide.path("reports")).unwrap();
    let said = run_job(&guide, guide.program.address);
    assert_eq!(said.matches(NEW).count(), 10, "{said}");
    let metrics = guide.program.anonymous().get("/metrics").expect_status(200);
    assert!(metrics.text.contains(r#"status="429""#), "{}", metrics.text);
}
