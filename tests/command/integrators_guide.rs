//! The commands of `docs/integrators.md` work as they are printed, and its nightly job does what the guide says of it
//! when things go wrong.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

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
