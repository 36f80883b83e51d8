//! A full disk: writes are refused with the reason and a time to try again, reads go on, readiness
//! says why, and everything recovers by itself once there is room.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::harness::clerk::{Attempt, clerks, compare, put_case};
use crate::harness::server::TestDatabase;
use crate::harness::{Backend, Program, expect_in_time};

/// Mounts a small disk that nobody else sees and that is gone with the process.
const ON_A_SMALL_DISK: &str = "mount -t tmpfs -o size=16m tmpfs \"$DISK\" && exec \"$@\"";

/// A command that runs another with a small disk of its own at a place, where that is allowed:
/// as root, or as somebody who may be root in a space of names of their own.
fn on_a_small_disk(place: &Path) -> Option<Command> {
    let command = |spaces: &str| {
        let mut command = Command::new("unshare");
        command.args([spaces, "sh", "-c", ON_A_SMALL_DISK, "sh"]);
        command.env("DISK", place).stdin(Stdio::null());
        command
    };
    ["-m", "-Urm"]
        .into_iter()
        .map(command)
        .find_map(|mut tried| {
            let probe = command(tried.get_args().next()?.to_str()?)
                .arg("true")
                .output();
            probe.is_ok_and(|probe| probe.status.success()).then(|| {
                tried.env_clear();
                tried.env("PATH", std::env::var_os("PATH").unwrap_or_default());
                tried.env("DISK", place);
                tried
            })
        })
}

/// A server on a copy of a database, on a small disk, and the disk as this process sees it.
fn serve_on_a_small_disk(database: &TestDatabase, place: &TempDir) -> Option<(Program, PathBuf)> {
    let mut command = on_a_small_disk(place.path())?;
    let from = database.directory.path();
    let serve = "cp \"$FROM\"/tonghop.db* \"$DISK\" && exec \"$PROGRAM\" serve";
    command
        .args(["sh", "-c", serve])
        .env("FROM", from)
        .env("PROGRAM", env!("CARGO_BIN_EXE_tonghop"))
        .env("TONGHOP_KEYS", from.join("keys"))
        .env(
            "DATABASE_URL",
            format!("sqlite:{}/tonghop.db", place.path().display()),
        );
    let server = Program::start(command);
    let disk = format!("/proc/{}/root{}", server.id(), place.path().display());
    Some((server, disk.into()))
}

/// Leaves no room.
fn fill(ballast: &Path) {
    let mut file = File::create(ballast).unwrap();
    while file.write_all(&[1; 1024]).is_ok() {}
}

#[test]
fn a_full_disk_is_told_and_when_there_is_room_again_all_goes_on() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let place = tempfile::tempdir().unwrap();
    let Some((server, disk)) = serve_on_a_small_disk(&database, &place) else {
        // Not `eprintln!`: that is shown for failed tests only.
        let reason = "SKIPPED: a full disk: no small disk can be mounted here (unshare, mount)";
        let _ = writeln!(std::io::stderr(), "{reason}");
        return;
    };
    let admin = server.sign_in("test", "admin");
    let before = put_case(&admin);
    let mut clerks = clerks(1);
    let clerk = &mut clerks[0];
    for _ in 0..5 {
        clerk.go_on(&admin);
    }
    let ballast = disk.join("ballast");
    fill(&ballast);
    // The log may have room left for some.
    let mut sendings = 0..2000;
    assert!(sendings.any(|_| clerk.go_on(&admin) == Attempt::Unanswered));

    let refused = |language: &str| {
        let client = admin.with("Accept-Language", language);
        let answer = client.put(
            "/v1/indicators/more",
            &crate::harness::town::indicator("sum"),
        );
        assert!(answer.header("retry-after").is_some());
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        answer.expect_problem(503, "STORAGE_FULL");
        detail
    };
    assert!(refused("en").contains("no room"));
    assert!(refused("vi").contains("hết chỗ lưu trữ"));
    let ready = admin.get("/readyz").expect_status(503).json();
    let shown = [&ready["checks"]["storage"], &ready["checks"]["database"]];
    assert_eq!(shown, [&json!("full"), &json!("ok")]);
    let read = "/v1/forms/battery/periods/2024-01/units/code:P/rollup";
    admin.get(read).expect_status(200);

    std::fs::remove_file(&ballast).unwrap();
    clerk.settle(&admin);
    compare(&admin, &mut clerks, before);
    expect_in_time("the server is ready again", || {
        admin.get("/readyz").status == 200
    });
}
