//! Running an installation: the verifier of a live server, backups under load and restoring them,
//! and the check of a machine, all through the command line.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use serde_json::{Value, json};
use tempfile::TempDir;
use tonghop::store::DatabaseUrl;

use crate::harness::report::{Report, value};
use crate::harness::server::TestDatabase;
use crate::harness::town::Town;
use crate::harness::{Backend, Client, Program, Server, postgres};

/// The address with its password, which [`DatabaseUrl`] never shows.
fn address(url: &DatabaseUrl) -> String {
    match url {
        DatabaseUrl::Sqlite { path } => format!("sqlite:{path}"),
        DatabaseUrl::Postgresql { url } => url.clone(),
    }
}

fn tonghop(database: &str, keys: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tonghop"));
    command
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", database)
        .env("TONGHOP_KEYS", keys)
        // Of which there is always one more.
        .env("TONGHOP_LISTEN", "127.0.0.1:0")
        .stdin(Stdio::null());
    command
}

fn beside(server: &Server, arguments: &[&str]) -> Output {
    let keys = server.database.directory.path().join("keys");
    let database = address(&server.database.server);
    tonghop(&database, &keys, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The town with the monthly form `m` of the sum `x`.
fn reporting(backend: Backend) -> (Server, Client) {
    let (server, admin, _) = Town::new(backend)
        .indicators(&[("x", "sum")])
        .form("m", "month")
        .build();
    (server, admin)
}

/// `tonghop serve` as a process, and the lines of its log. It ends with this value.
struct Served {
    child: Child,
    address: SocketAddr,
    log: Receiver<Value>,
}

impl Served {
    fn start(database: &str, keys: &Path, settings: &[(&str, &str)]) -> Served {
        let mut command = tonghop(database, keys, &["serve"]);
        command
            .env("TONGHOP_LISTEN", "127.0.0.1:0")
            .env("TONGHOP_LOG_FORMAT", "json")
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        let mut served = Served {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            log,
        };
        let line = served.wait_for("serving");
        served.address = line["fields"]["address"].as_str().unwrap().parse().unwrap();
        served
    }

    /// The next line of the log with this message.
    fn wait_for(&self, message: &str) -> Value {
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(20));
            let line = line.unwrap_or_else(|_| panic!("the log has no line {message:?}"));
            if line["fields"]["message"] == message {
                return line;
            }
        }
    }

    fn metric(&self, name: &str) -> u64 {
        let text = Client::new(self.address)
            .get("/metrics")
            .expect_status(200)
            .text;
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")));
        let line = line.unwrap_or_else(|| panic!("no {name} in\n{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where hamlet A1 sends its report of January.
const RELEASES: &str = "/v1/forms/m/periods/2024-01/units/code:A1/releases";

/// Reports that were sent, as they were when they were sent.
struct Sent {
    /// The path, the hash that was acknowledged, and the text, if it was read.
    copies: Vec<(String, Value, Option<Value>)>,
    /// The paths of receipts, with their texts.
    receipts: Vec<(String, Value)>,
}

impl Sent {
    /// Sends the report of hamlet A1 twice, each time of another value, and recalls it.
    fn several(admin: &Client) -> Sent {
        let mut sent = Sent {
            copies: Vec::new(),
            receipts: Vec::new(),
        };
        for number in 1..=2 {
            Report::of(admin, "m", "2024-01").submit("A1", &[value("x", number)]);
            let answer = admin.post_json(RELEASES, &json!({})).expect_status(201);
            sent.note(&answer.json());
            let (_, _, text) = sent.copies.last_mut().unwrap();
            let path = format!("{RELEASES}/{number}");
            *text = Some(admin.get(&path).expect_status(200).json()["canonical"].clone());
            let recalled = admin.with("If-Match", "*").post(&format!("{path}/recall"));
            let number = recalled.expect_status(200).json()["receipt"].clone();
            let receipt = format!("/v1/receipts/{}", number.as_str().unwrap());
            let text = admin.get(&receipt).expect_status(200).json()["canonical"].clone();
            sent.receipts.push((receipt, text));
        }
        sent
    }

    fn note(&mut self, acknowledged: &Value) {
        // The unit by its id, since a reorganisation may give its code to another.
        let unit = acknowledged["unit"]["id"].as_str().unwrap();
        let path = RELEASES.replace("code:A1", unit);
        let path = format!("{path}/{}", acknowledged["number"]);
        self.copies.push((path, acknowledged["hash"].clone(), None));
    }

    /// Sends and recalls until there is no answer any more.
    fn more_until_cut_off(&mut self, client: &Client) {
        let any = client.with("If-Match", "*");
        let json = Some("application/json");
        // The last one before an earlier cut may still wait.
        let Ok(listed) = client.try_send("GET", RELEASES, None, b"") else {
            return;
        };
        let latest = listed.json()["items"][0]["number"].to_string();
        let mut recall = format!("{RELEASES}/{latest}/recall");
        loop {
            if any.try_send("POST", &recall, None, b"").is_err() {
                return;
            }
            let Ok(answer) = client.try_send("POST", RELEASES, json, b"{}") else {
                return;
            };
            let acknowledged = answer.expect_status(201).json();
            self.note(&acknowledged);
            recall = format!("{RELEASES}/{}/recall", acknowledged["number"]);
        }
    }

    /// Reads everything again. What was not read before the power went is held to its hash.
    #[track_caller]
    fn expect_same(&self, client: &Client) {
        for (path, hash, text) in &self.copies {
            let release = client.get(path).expect_status(200).json();
            assert_eq!(&release["hash"], hash, "{path}");
            if let Some(text) = text {
                assert_eq!(&release["canonical"], text, "{path}");
            }
        }
        for (path, text) in &self.receipts {
            let receipt = client.get(path).expect_status(200).json();
            assert_eq!(&receipt["canonical"], text, "{path}");
        }
    }
}

on_both_backends! {
    fn a_running_server_tells_of_a_row_that_is_not_what_its_submissions_make(backend) {
        let (server, admin) = reporting(backend);
        for (unit, number) in [("A1", 1), ("B1", 4)] {
            Report::of(&admin, "m", "2024-01").submit(unit, &[value("x", number)]);
        }
        let database = address(&server.database.server);
        let keys = server.database.directory.path().join("keys");
        let settings = [("TONGHOP_VERIFY_EVERY", "1"), ("TONGHOP_LOG", "info,tonghop::operation=debug")];
        let served = Served::start(&database, &keys, &settings);
        served.wait_for("verified");
        assert_eq!(served.metric("tonghop_verification_differences_total"), 0);
        assert!(served.metric("tonghop_verification_last_time_seconds") > 1_700_000_000);

        server.write_beside(
            "UPDATE rollup SET cells = \
               (SELECT other.cells FROM rollup AS other \
                JOIN unit_fact ON unit_fact.unit_id = other.unit_id WHERE unit_fact.code = 'B') \
             WHERE unit_id = (SELECT unit_id FROM unit_fact WHERE code = 'A')",
        );
        let line = served.wait_for("a total is not what its submissions make");
        assert_eq!(line["level"], "ERROR");
        let unit = admin.get("/v1/units/code:A").json();
        let named = ["tenant", "form", "period", "unit", "code"].map(|name| line["fields"][name].clone());
        assert_eq!(named, [json!("test"), json!("m"), json!("2024-01"), unit["id"].clone(), json!("A")]);
        let fields = line["fields"].as_object().unwrap();
        assert_eq!(fields.len(), 6, "more than the message and the names: {line}");

        served.wait_for("verified");
        assert!(served.metric("tonghop_verification_differences_total") >= 1);
        assert!(served.metric("tonghop_verification_periods_total") >= 2);
        assert_eq!(served.metric("tonghop_verification_failures_total"), 0);
    }

    fn a_running_server_tells_of_a_release_that_is_not_what_was_sent(backend) {
        let (server, admin) = reporting(backend);
        let sent = Sent::several(&admin);
        let database = address(&server.database.server);
        let keys = server.database.directory.path().join("keys");
        let settings = [("TONGHOP_VERIFY_EVERY", "1"), ("TONGHOP_LOG", "info,tonghop::operation=debug")];
        let served = Served::start(&database, &keys, &settings);
        served.wait_for("releases verified");
        assert_eq!(served.metric("tonghop_verification_altered_releases_total"), 0);
        assert!(served.metric("tonghop_verification_releases_total") >= sent.copies.len().try_into().unwrap());
        server.write_beside(
            "UPDATE release_content SET content = \
               (SELECT other.content FROM release_content AS other WHERE other.number = 2) \
             WHERE number = 1",
        );
        let line = served.wait_for("a release is not what was sent");
        assert_eq!(line["level"], "ERROR");
        let unit = admin.get("/v1/units/code:A1").json()["id"].as_str().unwrap().to_owned();
        let named = ["tenant", "release"].map(|name| line["fields"][name].clone());
        assert_eq!(named, [json!("test"), json!(format!("m 2024-01 {unit} release 1"))]);
        served.wait_for("releases verified");
        assert!(served.metric("tonghop_verification_altered_releases_total") >= 1);
        assert_eq!(served.metric("tonghop_verification_failures_total"), 0);
    }

    fn what_was_sent_survives_a_kill_and_a_reorganisation_byte_for_byte(backend) {
        let (server, admin) = reporting(backend);
        let mut sent = Sent::several(&admin);
        for _ in 0..3 {
            let program = Program::serve(&server.database);
            let client = program.sign_in("test", "admin");
            sent.expect_same(&client);
            // Killed while reports are sent and recalled: what was acknowledged is there as it was told.
            std::thread::scope(|scope| {
                let sender = scope.spawn(|| sent.more_until_cut_off(&client));
                std::thread::sleep(Duration::from_millis(300));
                program.kill();
                sender.join().unwrap();
            });
            sent.expect_same(&admin);
        }
        let moved = json!([{"op": "rename", "unit": "code:A1", "name": "Ấp Mới"}, {"op": "move", "unit": "code:A1", "parent": "code:B"}]);
        admin.reorganise("2024-01-10", &moved);
        sent.expect_same(&admin);
        let program = Program::serve(&server.database);
        sent.expect_same(&program.sign_in("test", "admin"));
        let verified = beside(&server, &["verify"]);
        assert!(verified.status.success(), "{verified:?}");
    }

    fn a_sound_installation_has_no_fault(backend) {
        let (server, _admin) = reporting(backend);
        let checked = beside(&server, &["check"]);
        let told = text(&checked.stdout);
        assert!(checked.status.success(), "{checked:?}");
        let about = match backend {
            Backend::Sqlite => vec!["disk", "access", "database", "schema", "pages", "writing", "clock", "keys", "listen"],
            Backend::Postgresql => {
                vec!["database", "collation", "role", "rows", "rights", "schema", "clocks", "clock", "keys", "listen"]
            }
        };
        for what in about {
            let is_well = |line: &str| line.split_whitespace().take(2).eq(["ok", what]);
            assert!(told.lines().any(is_well), "{what} is not ok in\n{told}");
        }
    }

    fn a_newer_schema_and_an_exposed_key_are_faults_and_stop_a_server(backend) {
        let database = TestDatabase::migrated(backend);
        let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990000000000')";
        match &database.owner {
            DatabaseUrl::Sqlite { path } => SqliteConnection::establish(path).unwrap().batch_execute(newer).unwrap(),
            DatabaseUrl::Postgresql { url } => PgConnection::establish(url).unwrap().batch_execute(newer).unwrap(),
        }
        let keys = database.directory.path().join("keys");
        std::fs::create_dir(&keys).unwrap();
        std::fs::write(keys.join("0001.ed25519"), "secret").unwrap();
        std::fs::set_permissions(keys.join("0001.ed25519"), std::fs::Permissions::from_mode(0o644)).unwrap();
        let url = address(&database.server);
        let checked = tonghop(&url, &keys, &["check"]).output().unwrap();
        let told = text(&checked.stdout);
        assert_eq!(checked.status.code(), Some(1), "{told}");
        for (what, remedy) in [("schema", "newer program"), ("keys", "chmod 600")] {
            let is_fault = |line: &str| line.split_whitespace().take(2).eq(["fault", what]) && line.contains(remedy);
            assert!(told.lines().any(is_fault), "{told}");
        }
        let refused = tonghop(&url, &keys, &["serve"]).output().unwrap();
        assert!(!refused.status.success());
        assert!(text(&refused.stderr).contains("newer than this program"), "{refused:?}");
    }
}

/// Submits without a break, in turn in both communes, until it is told to stop.
fn submit_until(stop: &AtomicBool, submitted: &AtomicUsize, admin: &Client) {
    while !stop.load(Ordering::Relaxed) {
        let count = submitted.fetch_add(1, Ordering::Relaxed);
        let month = format!("2024-{:02}", 1 + count % 12);
        let unit = ["A1", "A2", "B1"][count % 3];
        Report::of(admin, "m", &month).submit(unit, &[value("x", i64::try_from(count).unwrap())]);
    }
}

#[test]
fn a_backup_under_load_is_whole_and_serves_when_it_is_restored() {
    let (server, admin) = reporting(Backend::Sqlite);
    let sent = Sent::several(&admin);
    let directory = TempDir::new().unwrap();
    let copies: Vec<_> = (0..3)
        .map(|number| directory.path().join(format!("{number}.db")))
        .collect();
    let (stop, submitted) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| submit_until(&stop, &submitted, &admin));
        for copy in &copies {
            let before = submitted.load(Ordering::Relaxed);
            let taken = beside(&server, &["backup", "--to", copy.to_str().unwrap()]);
            assert!(taken.status.success(), "{taken:?}");
            let until = Instant::now() + Duration::from_secs(20);
            while submitted.load(Ordering::Relaxed) < before + 2 && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
    });
    assert!(submitted.load(Ordering::Relaxed) > 3);
    let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(left.len(), copies.len(), "{left:?}");

    for copy in &copies {
        assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let restored = directory.path().join("restored").join("tonghop.db");
        std::fs::create_dir_all(restored.parent().unwrap()).unwrap();
        std::fs::copy(copy, &restored).unwrap();
        let database = format!("sqlite:{}", restored.display());
        let keys = server.database.directory.path().join("keys");
        let verified = tonghop(&database, &keys, &["verify"]).output().unwrap();
        assert!(verified.status.success(), "{verified:?}");
        let served = Served::start(&database, &keys, &[]);
        let admin =
            Client::new(served.address).sign_in("test", "admin", crate::harness::server::PASSWORD);
        sent.expect_same(&admin);
        Report::of(&admin, "m", "2025-01").submit("A1", &[value("x", 3)]);
        assert_eq!(Report::of(&admin, "m", "2025-01").figure("T", "x"), "3 1/5");
        drop(served);
        std::fs::remove_dir_all(restored.parent().unwrap()).unwrap();
    }
}

#[test]
fn a_backup_replaces_nothing_and_leaves_nothing_where_it_fails() {
    let (server, _admin) = reporting(Backend::Sqlite);
    let directory = TempDir::new().unwrap();
    let there = directory.path().join("there.db");
    std::fs::write(&there, "precious").unwrap();
    let nowhere = directory.path().join("no/such/place.db");
    for (to, about) in [(&there, "there already"), (&nowhere, "no/such")] {
        let refused = beside(&server, &["backup", "--to", to.to_str().unwrap()]);
        assert!(!refused.status.success());
        assert!(text(&refused.stderr).contains(about), "{refused:?}");
    }
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "precious");

    // Of no database there is no copy, and none is made.
    let missing = directory.path().join("missing.db");
    let to = directory.path().join("copy.db");
    let database = format!("sqlite:{}", missing.display());
    let refused = tonghop(
        &database,
        directory.path(),
        &["backup", "--to", to.to_str().unwrap()],
    )
    .output()
    .unwrap();
    assert!(!refused.status.success());
    let left = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, 1, "{refused:?}");
}

#[track_caller]
fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_dump_of_postgresql_restores_rows_roles_and_policies() {
    if postgres::server().is_none() {
        return;
    }
    let program = |name| Command::new(postgres::find_program(name).expect("PostgreSQL's clients"));
    let (server, admin) = reporting(Backend::Postgresql);
    let sent = Sent::several(&admin);
    for (unit, number) in [("A1", 1), ("B1", 4)] {
        Report::of(&admin, "m", "2024-01").submit(unit, &[value("x", number)]);
    }
    let dump = server.database.directory.path().join("tonghop.dump");
    let refused = beside(&server, &["backup", "--to", dump.to_str().unwrap()]);
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).contains("pg_dump"), "{refused:?}");

    let owner = address(&server.database.owner);
    let Some(restoring) = postgres::server().and_then(|cluster| cluster.to_restore(&owner)) else {
        return;
    };
    let schema = format!("--schema={}", restoring.schema);
    let dumping = |url: &str| {
        let mut command = program("pg_dump");
        command
            .args(["--format=custom", &schema, "--file"])
            .arg(&dump)
            .arg(url);
        command
    };
    // Forced row-level security binds the owner too: its dump fails, so nobody keeps an empty one.
    let blind = dumping(&owner).output().unwrap();
    assert!(
        text(&blind.stderr).contains("row-level security"),
        "{blind:?}"
    );
    succeed(&mut dumping(&restoring.maintenance_url));
    let mut restore = program("pg_restore");
    restore.args([
        "--exit-on-error",
        "--single-transaction",
        "--dbname",
        &restoring.admin_url,
    ]);
    succeed(restore.arg(&dump));

    let keys = server.database.directory.path().join("keys");
    for command in [["check"], ["verify"]] {
        let done = tonghop(&restoring.server_url, &keys, &command)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    }
    let served = Served::start(&restoring.server_url, &keys, &[]);
    let restored =
        Client::new(served.address).sign_in("test", "admin", crate::harness::server::PASSWORD);
    sent.expect_same(&restored);
    assert_eq!(
        Report::of(&restored, "m", "2024-01").figure("T", "x"),
        "5 2/5"
    );
    Report::of(&restored, "m", "2024-01").submit("A2", &[value("x", 2)]);
    assert_eq!(
        Report::of(&restored, "m", "2024-01").figure("T", "x"),
        "7 3/5"
    );
}

#[test]
fn the_verifier_comes_to_every_tenant_however_many_there_are() {
    let (server, admin) = reporting(Backend::Sqlite);
    Report::of(&admin, "m", "2024-01").submit("A1", &[value("x", 1)]);
    server.write_beside(
        "WITH RECURSIVE count (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 10001) \
         INSERT INTO tenant_registry (slug, id, name, created_at) \
           SELECT 'a' || n, printf('00000000-0000-7000-8000-%012d', n), 'A', '2026-01-01' FROM count; \
         INSERT INTO tenant (tenant_id, rev, tree_rev, catalogue_rev, grants_rev, time_zone) \
           SELECT id, 0, 0, 0, 0, 'Asia/Ho_Chi_Minh' FROM tenant_registry WHERE slug <> 'test'",
    );
    let listed = text(&beside(&server, &["tenant", "list"]).stdout);
    assert_eq!(listed.lines().count(), 10_002);
    let database = address(&server.database.server);
    let keys = server.database.directory.path().join("keys");
    let settings = [
        ("TONGHOP_VERIFY_EVERY", "1"),
        ("TONGHOP_LOG", "info,tonghop::operation=debug"),
    ];
    let served = Served::start(&database, &keys, &settings);
    assert_eq!(served.wait_for("verified")["fields"]["tenant"], "test");
}

#[test]
fn a_check_leaves_a_restored_copy_as_it_is() {
    let (server, _admin) = reporting(Backend::Sqlite);
    let directory = TempDir::new().unwrap();
    let copy = directory.path().join("tonghop.db");
    let taken = beside(&server, &["backup", "--to", copy.to_str().unwrap()]);
    assert!(taken.status.success(), "{taken:?}");
    let before = std::fs::read(&copy).unwrap();

    let keys = server.database.directory.path().join("keys");
    let database = format!("sqlite:{}", copy.display());
    let checked = tonghop(&database, &keys, &["check"]).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let told = text(&checked.stdout);
    let is_told = |line: &str| line.split_whitespace().take(2).eq(["warning", "writing"]);
    assert!(told.lines().any(is_told), "{told}");
    assert!(std::fs::read(&copy).unwrap() == before);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_check_makes_no_database_and_no_key() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("tonghop.db");
    let keys = directory.path().join("keys");
    let url = format!("sqlite:{}", path.display());
    let checked = tonghop(&url, &keys, &["check"]).output().unwrap();
    // A server would not start here: it makes no database.
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    let told = text(&checked.stdout);
    for (verdict, what) in [("fault", "database"), ("warning", "keys")] {
        let is_told = |line: &str| line.split_whitespace().take(2).eq([verdict, what]);
        assert!(told.lines().any(is_told), "{told}");
    }
    assert!(!path.exists() && !keys.exists());
}

#[test]
fn the_log_names_the_trace_of_a_request_and_takes_nonsense_for_no_error() {
    let database = TestDatabase::migrated(Backend::Sqlite);
    let program = Program::serve_with(&database, &[("TONGHOP_LOG", "info,tonghop=debug")]);
    let mut stream = TcpStream::connect(program.address).unwrap();
    stream.write_all(b"nonsense\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");

    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let traced = program.anonymous().with("traceparent", &parent);
    traced.get("/v1/me").expect_status(401);
    let forged = program.anonymous().with("traceparent", "00-forged-00f0-01");
    let form = "grant_type=password&tenant=no&username=a&password=b";
    traced.post_form("/v1/auth/token", form);
    forged.post_form("/v1/auth/token", form);
    let log = program.log();
    assert!(log.contains(trace), "{log}");
    assert!(!log.contains("forged"), "{log}");
    assert!(!log.contains("\"level\":\"ERROR\""), "{log}");
}
