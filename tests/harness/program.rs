//! The program as an operator runs it, in a process of its own, so that it can be ended and
//! starved as the world does it. Never an assertion about the product.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tonghop::store::DatabaseUrl;

use super::client::Client;
use super::server::TestDatabase;

/// The program, with nothing of this process's settings.
pub fn tonghop(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tonghop"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TMPDIR", std::env::temp_dir())
        .stdin(Stdio::null());
    command
}

/// The program on a test's database.
pub fn tonghop_on(database: &TestDatabase, arguments: &[&str]) -> Command {
    let url = match &database.server {
        DatabaseUrl::Sqlite { path } => format!("sqlite:{path}"),
        DatabaseUrl::Postgresql { url } => url.clone(),
    };
    let mut command = tonghop(arguments);
    command
        .current_dir(database.directory.path())
        .env("DATABASE_URL", url)
        .env("TONGHOP_KEYS", database.directory.path().join("keys"))
        // A test asks for more than people do.
        .env("TONGHOP_ACCOUNT_RATE", "0")
        .env("TONGHOP_TENANT_RATE", "0")
        .env("TONGHOP_ACCOUNT_BYTES", "0")
        .env("TONGHOP_TENANT_BYTES", "0");
    command
}

/// Starts a command with a line on standard input.
pub fn start_with_line(command: &mut Command, line: &str) -> Child {
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refuses before it asks for the line may be gone by now.
    let _ = writeln!(child.stdin.take().unwrap(), "{line}");
    child
}

/// Runs a command with a line on standard input.
pub fn run_with_line(command: &mut Command, line: &str) -> Output {
    start_with_line(command, line).wait_with_output().unwrap()
}

/// `tonghop serve` in a process of its own, which ends with this value.
pub struct Program {
    child: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
}

impl Program {
    /// Serves a database, and waits until it does.
    pub fn serve(database: &TestDatabase) -> Program {
        Program::serve_with(database, &[])
    }

    pub fn serve_with(database: &TestDatabase, settings: &[(&str, &str)]) -> Program {
        let mut command = tonghop_on(database, &["serve"]);
        command.envs(settings.iter().copied());
        Program::start(command)
    }

    /// Runs a command that becomes `tonghop serve`.
    pub fn start(mut command: Command) -> Program {
        command
            .env("TONGHOP_LISTEN", "127.0.0.1:0")
            .env("TONGHOP_LOG_FORMAT", "json")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut early = String::new();
        let address = loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("the program ended after:\n{early}");
            };
            if let Some(address) = address_in(&line) {
                break address;
            }
            early.push_str(&line);
            early.push('\n');
        };
        let log = Arc::new(Mutex::new(early));
        let written = log.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut log = written.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Program {
            child,
            address,
            log,
        }
    }

    /// A client that is not signed in.
    pub fn anonymous(&self) -> Client {
        Client::new(self.address)
    }

    /// A client signed in to a tenant.
    pub fn sign_in(&self, tenant: &str, login: &str) -> Client {
        self.anonymous()
            .sign_in(tenant, login, super::server::PASSWORD)
    }

    /// A request of which the last byte of the body has not been sent.
    pub fn begin_put(&self, path: &str, token: &str, body: &str) -> TcpStream {
        let (sent, _) = body.split_at(body.len() - 1);
        let request = format!(
            "PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             If-None-Match: *\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             \r\n{sent}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// The most memory that it has had, in KiB.
    pub fn most_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.unwrap().split_whitespace().next();
        number.unwrap().parse().unwrap()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Ends it without a word to it, as a power cut does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, as a supervisor does.
    pub fn terminate(&self) {
        let kill = Command::new("kill")
            .args(["-TERM", &self.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    }

    /// How it ended, if it does in time.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + patience;
        loop {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || Instant::now() > until {
                return ended;
            }
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("what the program said:\n{}", self.log());
        }
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let line: Value = serde_json::from_str(line).ok()?;
    if line.pointer("/fields/message")? != "serving" {
        return None;
    }
    line.pointer("/fields/address")?.as_str()?.parse().ok()
}
