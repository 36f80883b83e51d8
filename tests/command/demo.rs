//! The command line: the demo, the server, and an operator's commands beside a running server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::Client;
use crate::harness::program::tonghop;

/// A process that ends with this value, however the test ends.
struct Running {
    child: Child,
}

impl Running {
    fn start(command: &mut Command) -> Running {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running {
            child: command.spawn().unwrap(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads lines up to and with the first one that `is_last` says is it; gives the rest back.
fn read_lines<R: Read>(source: R, is_last: impl Fn(&str) -> bool) -> (Vec<String>, BufReader<R>) {
    let mut source = BufReader::new(source);
    let mut lines = Vec::new();
    let mut line = String::new();
    while source.read_line(&mut line).unwrap() > 0 {
        lines.push(line.trim_end().to_owned());
        line.clear();
        if is_last(lines.last().unwrap()) {
            return (lines, source);
        }
    }
    panic!("the program ended after:\n{}", lines.join("\n"));
}

/// The one line on standard error of a program that did not do what it was told.
#[track_caller]
fn complaint(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("tonghop: "), "{stderr}");
    stderr.trim_end().to_owned()
}

#[track_caller]
fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs a program that reads a password.
fn run_with_password(command: &mut Command, password: &str) -> Output {
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn the_demo_prints_the_report_as_it_was_printed() {
    let printed = stdout(&tonghop(&["demo", "--once"]).output().unwrap());
    for figure in ["1.562.410.000", "93,64%", "trên 800"] {
        assert!(printed.contains(figure), "{figure} is not in:\n{printed}");
    }
    let line = |text: &str| {
        let line = printed.lines().find(|line| line.contains(text));
        let line = line.unwrap_or_else(|| panic!("{text} is not in:\n{printed}"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (text, words) in [
        ("Xã Tân An (30388)", "Xã Tân An (30388)"),
        ("Trực thuộc", "Trực thuộc: thị xã Tân Châu, tỉnh An Giang"),
        ("Hạn gửi", "Hạn gửi: ấp 17/12/2024; xã 20/12/2024"),
        ("Đã nhận", "Đã nhận 8/8 báo cáo: 1 gửi muộn, 0 đã duyệt."),
        // Beside what was done: the plan, how much of it was reached, the year before.
        (
            "1.600.000.000",
            "1.600.000.000 1.562.410.000 97,65% 1.381.000.000 8/8",
        ),
        ("95%", "95% ước 93,64% 98,57% ước 90,56% 7/7"),
        // The voters of twelve months, and those of the year before.
        ("590", "625 590 12/12"),
        ("Xây mới", "Xây mới căn 7"),
        ("Phó Trưởng ban", "Phó Trưởng ban vị 7"),
        // The town stood until the reform, and is seen on the map of 2024.
        ("Thị xã Tân Châu (887)", "Thị xã Tân Châu (887)"),
        ("có đến ngày", "Đơn vị này có đến ngày 30/06/2025"),
        (
            "quá hạn",
            "Đã nhận 10/21 báo cáo: 2 gửi muộn, 0 đã duyệt. Còn thiếu 11, trong đó 11 quá hạn. Chưa gửi:",
        ),
    ] {
        assert!(
            line(text).contains(words),
            "{words:?} is not {:?}",
            line(text)
        );
    }
    assert!(printed.contains("\nSố đơn vị có số liệu: "), "{printed}");
    let taken = "\nLượt cử tri dự tiếp xúc: lấy từ mẫu Báo cáo tháng về công tác Mặt trận, ";
    assert!(printed.contains(taken), "{printed}");
    // No number of the outline is left out, and each line has one of its own.
    let is_numbered = |number: &str| printed.lines().any(|line| line.starts_with(number));
    for number in ["II.2.3. ", "II.2.4. ", "II.2.5. ", "II.3.2. ", "II.4. "] {
        assert!(is_numbered(number), "{number} is not in:\n{printed}");
    }
    for number in 1..=33 {
        let number = number.to_string();
        let is_line = |line: &str| line.split_whitespace().next() == Some(&number);
        assert!(
            printed.lines().any(is_line),
            "{number} is not in:\n{printed}"
        );
    }
    for line in printed.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    // Both views of the year before the reform: 35 committee members of Tân An alone, and 37 more
    // of the two communes that it took in.
    let members = |year: &str| {
        let is_title = |line: &&str| line.contains("Ủy viên") && line.contains("lúc đó");
        let mut lines = printed.lines().skip_while(|line| !is_title(line));
        let line = lines.find(|line| line.contains(year)).unwrap();
        let cells = line.split(['│', '┆']).map(str::trim);
        cells
            .filter(|cell| !cell.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(members("2024"), ["2024", "35", "98"]);
    assert_eq!(members("2025"), ["2025", "60", "60"]);
}

#[test]
fn what_the_demo_says_to_try_works_as_it_is_printed() {
    let mut demo = Running::start(&mut tonghop(&["demo", "--listen", "127.0.0.1:0"]));
    let stdout = demo.child.stdout.take().unwrap();
    let (lines, _unread) = read_lines(stdout, |line| line.contains("/completeness"));
    assert!(
        lines.iter().any(|line| line.contains("/docs")),
        "{lines:#?}"
    );
    if Command::new("curl").arg("--version").output().is_err() {
        let _ = writeln!(
            std::io::stderr(),
            "there is no curl: the demo's lines were not tried"
        );
        return;
    }
    let tried: Vec<&str> = lines
        .iter()
        .filter(|line| line.contains("curl "))
        .map(String::as_str)
        .collect();
    let [token, rollup, completeness] = tried[..] else {
        panic!("{tried:#?}");
    };
    let run = |line: &str| {
        let output = Command::new("sh")
            .args(["-c", &format!("{token}\n{line}")])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str::<Value>(&text)
            .unwrap_or_else(|error| panic!("{line}: {error}: {text}"))
    };
    let rollup = run(rollup);
    let cells = rollup["cells"].as_array().unwrap();
    let raised = cells
        .iter()
        .find(|cell| cell["indicator"] == "fund.raised")
        .unwrap();
    assert_eq!(raised["value"].to_string(), "1562410000");
    let completeness = run(completeness);
    assert_eq!(completeness["unit"]["code"], "887");
    assert_eq!(completeness["children"].as_array().unwrap().len(), 14);
}

#[test]
fn the_demo_says_in_one_line_why_it_cannot_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let complained = complaint(&tonghop(&["demo", "--listen", &address]).output().unwrap());
    assert!(complained.contains(&address), "{complained}");

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "no directory").unwrap();
    for place in [file.clone(), file.join("below")] {
        let place = place.to_str().unwrap();
        let arguments = ["demo", "--once", "--data-dir", place];
        let complained = complaint(&tonghop(&arguments).output().unwrap());
        assert!(complained.contains(place), "{complained}");
    }

    let complained = complaint(
        &tonghop(&["demo", "--listen", "0.0.0.0:0"])
            .output()
            .unwrap(),
    );
    assert!(complained.contains("127.0.0.1"), "{complained}");
}

#[test]
fn the_demo_listens_where_the_setting_says_unless_it_is_told_otherwise() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let free = "127.0.0.1:0";
    for (setting, arguments) in [
        (free, vec!["demo"]),
        (&taken, vec!["demo", "--listen", free]),
    ] {
        let mut demo = Running::start(tonghop(&arguments).env("TONGHOP_LISTEN", setting));
        let stdout = demo.child.stdout.take().unwrap();
        let (lines, _unread) = read_lines(stdout, |line| line.contains("/docs"));
        let place = lines.last().unwrap();
        assert!(
            !place.contains(":8080/") && !place.contains(&taken),
            "{place}"
        );
    }
}

#[test]
fn the_demo_lets_the_pages_of_a_named_site_call_it() {
    let site = "https://sohoa.example.vn";
    let mut command = tonghop(&["demo", "--listen", "127.0.0.1:0"]);
    let mut demo = Running::start(command.env("TONGHOP_ALLOWED_ORIGINS", site));
    let stdout = demo.child.stdout.take().unwrap();
    let (lines, _unread) = read_lines(stdout, |line| line.contains("/docs"));
    let (_, place) = lines.last().unwrap().split_once("http://").unwrap();
    let place = place.split('/').next().unwrap();
    let client = Client::new(place.parse().unwrap());
    let answer = client.with("Origin", site).get("/v1/forms");
    assert_eq!(answer.header("access-control-allow-origin"), Some(site));
    let answer = client
        .with("Origin", "https://other.example")
        .get("/v1/forms");
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn the_demo_keeps_its_data_where_it_is_told_and_starts_on_them_again() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("demo");
    let arguments = ["demo", "--once", "--data-dir", place.to_str().unwrap()];
    let first = stdout(&tonghop(&arguments).output().unwrap());
    assert!(place.join("tonghop.db").is_file());
    assert_eq!(stdout(&tonghop(&arguments).output().unwrap()), first);
}

/// A directory with a database of its own, and a server on it.
struct Served {
    directory: TempDir,
    address: SocketAddr,
    _server: Running,
}

fn set(command: &mut Command, directory: &Path) {
    let database = directory.join("tonghop.db");
    command
        .current_dir(directory)
        .env("DATABASE_URL", format!("sqlite:{}", database.display()))
        .env("TONGHOP_KEYS", directory.join("keys"));
}

impl Served {
    fn start() -> Served {
        Served::start_with(|mut log| {
            std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        })
    }

    /// A server; what becomes of its log after the start is the caller's.
    fn start_with(rest_of_log: impl FnOnce(BufReader<ChildStderr>)) -> Served {
        let directory = tempfile::tempdir().unwrap();
        let mut made = tonghop(&["init"]);
        set(&mut made, directory.path());
        stdout(&made.output().unwrap());
        let mut command = tonghop(&["serve"]);
        set(&mut command, directory.path());
        command
            .env("TONGHOP_LISTEN", "127.0.0.1:0")
            .env("TONGHOP_LOG_FORMAT", "json");
        let mut server = Running::start(&mut command);
        let log = server.child.stderr.take().unwrap();
        let (lines, log) = read_lines(log, |line| line.contains("\"serving\""));
        rest_of_log(log);
        let line: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
        let address = line.pointer("/fields/address").or(line.get("address"));
        Served {
            directory,
            address: address.unwrap().as_str().unwrap().parse().unwrap(),
            _server: server,
        }
    }

    /// A command of the operator beside the server.
    fn beside(&self, arguments: &[&str], password: &str) -> Output {
        let mut command = tonghop(arguments);
        set(&mut command, self.directory.path());
        run_with_password(&mut command, password)
    }
}

#[test]
fn tenants_and_accounts_are_made_beside_a_running_server() {
    let served = Served::start();
    let create = [
        "tenant", "create", "--slug", "an-giang", "--name", "An Giang", "--admin", "admin",
        "--levels", "vietnam",
    ];
    let created = stdout(&served.beside(&create, "mat-khau-dau-tien"));
    assert!(created.starts_with("an-giang "), "{created}");
    let admin = Client::new(served.address).sign_in("an-giang", "admin", "mat-khau-dau-tien");
    let me = admin.get("/v1/me").expect_status(200).json();
    assert_eq!(me["account"]["login"], "admin", "{me}");
    let unit = json!({"code": "30388", "name": "Tân An", "level": "commune", "parent": null});
    admin.post_json("/v1/units", &unit).expect_status(201);

    let arguments = |login: &'static str, grant: &'static str| {
        [
            "account",
            "create",
            "--tenant",
            "an-giang",
            "--login",
            login,
            "--name",
            "Xã Tân An",
            "--grant",
            grant,
        ]
    };
    let account = arguments("0912345678", "reporter@code:30388");
    stdout(&served.beside(&account, "mat-khau-cua-xa"));
    let commune = Client::new(served.address).sign_in("an-giang", "0912345678", "mat-khau-cua-xa");
    let me = commune.get("/v1/me").expect_status(200).json();
    assert_eq!(me["grants"][0]["role"], "reporter", "{me}");
    commune.post_json("/v1/units", &unit).expect_status(403);

    for (arguments, password, about) in [
        (create.to_vec(), "mat-khau-dau-tien", "an-giang"),
        (account.to_vec(), "mat-khau-cua-xa", "0912345678"),
        (
            arguments("other", "reporter@code:0").to_vec(),
            "mat-khau-cua-xa",
            "code:0",
        ),
        (
            arguments("other", "tenant_admin").to_vec(),
            "short",
            "character",
        ),
    ] {
        let complained = complaint(&served.beside(&arguments, password));
        assert!(complained.contains(about), "{complained}");
        assert!(!complained.contains(password), "{complained}");
    }
    let listed = stdout(&served.beside(&["tenant", "list"], ""));
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

#[test]
fn a_server_whose_log_nobody_reads_any_more_goes_on() {
    let served = Served::start_with(drop);
    let client = Client::new(served.address);
    for _ in 0..3 {
        client.get("/v1/me").expect_status(401);
        client.get("/readyz").expect_status(200);
    }
}

#[test]
fn a_bad_setting_stops_a_server_with_its_name() {
    for (name, value) in [
        ("TONGHOP_LISTEN", "here"),
        ("TONGHOP_LISEN", "127.0.0.1:0"),
        ("DATABASE_URL", "mysql://u:secret@h/d"),
        ("TONGHOP_BODY_LIMIT", "much"),
        ("TONGHOP_LOG_FORMAT", "xml"),
        ("TONGHOP_LOG", "=="),
        ("TONGHOP_LOG", "loud"),
        ("TONGHOP_ISSUER", "  "),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let mut command = tonghop(&["serve"]);
        set(&mut command, directory.path());
        let complained = complaint(&command.env(name, value).output().unwrap());
        assert!(complained.contains(name), "{name}: {complained}");
        assert!(!complained.contains("secret"), "{complained}");
    }
    let directory = tempfile::tempdir().unwrap();
    let mut command = tonghop(&["serve", "--config", "there-is-none.toml"]);
    set(&mut command, directory.path());
    let complained = complaint(&command.output().unwrap());
    assert!(complained.contains("there-is-none.toml"), "{complained}");
}

#[test]
fn a_server_says_in_one_line_why_it_cannot_open_its_database() {
    let directory = tempfile::tempdir().unwrap();
    for command in [vec!["serve"], vec!["migrate"], vec!["tenant", "list"]] {
        let mut command = tonghop(&command);
        set(&mut command, directory.path());
        command.env(
            "DATABASE_URL",
            "sqlite:/there/is/no/such/directory/tonghop.db",
        );
        let complained = complaint(&command.output().unwrap());
        assert!(
            complained.contains("/there/is/no/such/directory"),
            "{complained}"
        );
    }
}

#[test]
fn the_openapi_command_prints_the_document_that_is_checked_in() {
    let printed = stdout(&tonghop(&["openapi"]).output().unwrap());
    assert!(printed == include_str!("../../openapi/openapi.json"));
}
