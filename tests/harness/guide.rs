//! A guide of `docs/`, whose commands are run as they are printed. Never an assertion about the product.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Program;
use super::program::tonghop_on;
use super::server::{Backend, TestDatabase};

/// The line of a guide that starts the server.
const SERVE: &str = "tonghop serve &\n";

/// The line of a guide that starts the demo.
const DEMO: &str = "tonghop demo > demo.txt &\n";

/// The address of the server in a guide.
const ADDRESS: &str = "127.0.0.1:8080";

/// A guide that has been followed to its end.
pub struct Guide {
    pub database: TestDatabase,
    pub program: Program,
    /// What the commands said that follow the start of the server.
    pub said: String,
    /// The commands that set variables, each a line.
    variables: String,
}

impl Guide {
    /// Follows a guide, in a directory of its own.
    pub fn follow(text: &str) -> Guide {
        Guide::follow_from(text, SERVE, |_| {})
    }

    /// Follows a guide that starts the demo: its data are loaded and served.
    pub fn follow_on_demo(text: &str) -> Guide {
        Guide::follow_from(text, DEMO, |database| {
            let place = database.directory.path().to_str().unwrap();
            let loaded = tonghop_on(database, &["demo", "--once", "--data-dir", place]).output();
            assert!(loaded.unwrap().status.success());
        })
    }

    fn follow_from(text: &str, start: &str, prepare: impl FnOnce(&TestDatabase)) -> Guide {
        let database = TestDatabase::empty(Backend::Sqlite);
        let commands = commands(text);
        let (before, after) = commands.split_once(start).unwrap();
        run(before, &database);
        prepare(&database);
        let program = Program::serve(&database);
        let after = after.replace(ADDRESS, &program.address.to_string());
        let said = run(&after, &database);
        let variables = after.lines().filter(|line| sets_a_variable(line));
        Guide {
            variables: variables.collect::<Vec<_>>().join("\n"),
            database,
            program,
            said,
        }
    }

    /// Follows another part of the guide after something was done by hand, and returns what its commands
    /// said. The variables of the part before are set.
    pub fn go_on(&self, text: &str) -> String {
        let after = commands(text).replace(ADDRESS, &self.program.address.to_string());
        self.run(&format!("{}\n{after}", self.variables))
    }

    /// Runs more commands, and returns what they said.
    pub fn run(&self, script: &str) -> String {
        run(script, &self.database)
    }

    /// The path of a file that a command made.
    pub fn path(&self, name: &str) -> PathBuf {
        self.database.directory.path().join(name)
    }
}

/// All commands of a guide, one after the other.
fn commands(text: &str) -> String {
    blocks(text, "```sh\n").join("\n")
}

/// The lines that a guide shows as the answers to its commands.
pub fn shown(text: &str) -> impl Iterator<Item = &str> {
    blocks(text, "```text\n").into_iter().flat_map(str::lines)
}

fn blocks<'t>(text: &'t str, opening: &str) -> Vec<&'t str> {
    let blocks = text.split(opening).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

/// Tells whether a command is `NAME=…`.
fn sets_a_variable(line: &str) -> bool {
    let name = line.split_once('=').map_or("", |(name, _)| name);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Runs a script with the program on the path, and stops at the first command that fails.
fn run(script: &str, database: &TestDatabase) -> String {
    let at = database.directory.path();
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
        .env("TONGHOP_KEYS", at.join("keys"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let complained = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}\n{complained}");
    said
}
