//! The commands of `docs/people.md` work as they are printed.

use std::path::Path;
use std::process::Command;

use crate::harness::server::TestDatabase;
use crate::harness::{Backend, Program};

const GUIDE: &str = include_str!("../../docs/people.md");

/// The line of the guide that starts the server.
const SERVE: &str = "tonghop serve &\n";

/// The address of the server in the guide.
const ADDRESS: &str = "127.0.0.1:8080";

/// All commands of the guide, one after the other.
fn commands() -> String {
    let blocks = GUIDE.split("```sh\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    blocks.collect::<Vec<_>>().join("\n")
}

/// Runs a script with the program on the path, and stops at the first command that fails.
fn run(script: &str, database: &TestDatabase, at: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_tonghop")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let ran = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(at)
        .env_clear()
        .env("PATH", format!("{}:{path}", program.display()))
        .env(
            "DATABASE_URL",
            format!("sqlite:{}", at.join("tonghop.db").display()),
        )
        .env("TONGHOP_KEYS", database.directory.path().join("keys"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let complained = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}\n{complained}");
    said
}

#[test]
fn the_commands_of_the_guide_on_people_work_as_printed() {
    let database = TestDatabase::empty(Backend::Sqlite);
    let at = database.directory.path();
    let commands = commands();
    let (before, after) = commands.split_once(SERVE).unwrap();
    run(before, &database, at);
    let program = Program::serve(&database);
    let after = after.replace(ADDRESS, &program.address.to_string());
    let said = run(&after, &database, at);
    for expected in [
        // The manager's own rights, the successor, the program's units, the feed, the proof.
        r#""name":"Bùi Thị Kim""#,
        r#""login":"0912000009""#,
        r#""name":"Tân Hậu A""#,
        r#""kind":"account.handed_over""#,
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let invitations = std::fs::read_to_string(at.join("invitations.csv")).unwrap();
    assert_eq!(invitations.lines().count(), 9, "{invitations}");
}
