//! Installing safely: `tonghop check` finds what would stop a server, a server refuses to start
//! where it could not keep its promises, and no database is lost or created by accident.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tonghop::store::DatabaseUrl;

use crate::harness::program::{tonghop, tonghop_on};
use crate::harness::server::{PASSWORD, TestDatabase};
use crate::harness::town::indicator;
use crate::harness::{Backend, Client, Program, expect_in_time, postgres};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What a command complains of that fails, in one line.
#[track_caller]
fn complaint(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let complained = text(&output.stderr);
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(complained.lines().count(), 1, "{complained}");
    complained
}

/// The findings of `tonghop check` that begin like this.
fn findings(command: &mut Command, verdict: &str, what: &str) -> Vec<String> {
    let output = command.output().unwrap();
    let told = text(&output.stdout);
    assert!(!told.is_empty(), "{output:?}");
    let is_one = |line: &&str| line.split_whitespace().take(2).eq([verdict, what]);
    told.lines().filter(is_one).map(str::to_owned).collect()
}

/// Fails the check and keeps a server from starting, both with all of `words`.
#[track_caller]
fn expect_fault(command: impl Fn(&str) -> Command, what: &str, words: &[&str]) {
    let checked = findings(&mut command("check"), "fault", what).join("\n");
    let refused = complaint(&mut command("serve"));
    for told in [checked, refused] {
        assert!(
            words.iter().all(|word| told.contains(word)),
            "{words:?}: {told}"
        );
    }
}

fn in_directory(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = tonghop(arguments);
    command
        .current_dir(directory)
        .env(
            "DATABASE_URL",
            format!("sqlite:{}", directory.join("tonghop.db").display()),
        )
        .env("TONGHOP_KEYS", directory.join("keys"))
        .env("TONGHOP_LISTEN", "127.0.0.1:0");
    command
}

fn run_with_password(command: &mut Command) -> Output {
    run_with_input(command, PASSWORD)
}

fn run_with_input(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that fails before it asks for the password does not read it.
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes());
    child.wait_with_output().unwrap()
}

const FIRST_TENANT: [&str; 8] = [
    "tenant", "create", "--slug", "first", "--name", "First", "--admin", "admin",
];

#[test]
fn a_database_is_made_by_init_and_by_the_first_tenant_and_by_nothing_else() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("tonghop.db");
    let others: [&[&str]; 6] = [
        &["serve"],
        &["tenant", "list"],
        &["migrate"],
        &["verify"],
        &[
            "account",
            "create",
            "--tenant",
            "t",
            "--login",
            "l",
            "--name",
            "N",
            "--grant",
            "tenant_admin",
        ],
        &[
            "import", "units", "--tenant", "t", "--login", "l", "list.csv",
        ],
    ];
    let refuse = || {
        for arguments in others {
            let complained = complaint(&mut in_directory(directory.path(), arguments));
            let is_told = complained.contains(path.to_str().unwrap());
            assert!(
                is_told && complained.contains("tonghop init"),
                "{arguments:?}: {complained}"
            );
        }
    };
    refuse();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let fault = findings(
        &mut in_directory(directory.path(), &["check"]),
        "fault",
        "database",
    );
    assert!(fault.join("").contains("tonghop init"), "{fault:?}");

    // A file that somebody emptied is no database either, nor is another program's.
    std::fs::write(&path, "").unwrap();
    refuse();
    let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    other
        .batch_execute("CREATE TABLE of_another_program (id TEXT)")
        .unwrap();
    drop(other);
    let foreign = std::fs::read(&path).unwrap();
    refuse();
    assert!(std::fs::read(&path).unwrap() == foreign);
    std::fs::remove_file(&path).unwrap();

    let made = in_directory(directory.path(), &["init"]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let again = complaint(&mut in_directory(directory.path(), &["init"]));
    assert!(again.contains("already"), "{again}");

    std::fs::remove_file(&path).unwrap();
    let made = run_with_password(&mut in_directory(directory.path(), &FIRST_TENANT));
    assert!(made.status.success(), "{made:?}");
}

#[test]
fn where_there_are_keys_there_was_a_database_and_a_tenant_makes_no_new_one() {
    let directory = TempDir::new().unwrap();
    let made = run_with_password(&mut in_directory(directory.path(), &FIRST_TENANT));
    assert!(made.status.success(), "{made:?}");
    drop(Program::start(in_directory(directory.path(), &["serve"])));
    for file in ["tonghop.db", "tonghop.db-wal", "tonghop.db-shm"] {
        let _ = std::fs::remove_file(directory.path().join(file));
    }
    let refused = run_with_password(&mut in_directory(directory.path(), &FIRST_TENANT));
    let complained = text(&refused.stderr);
    assert!(
        !refused.status.success() && complained.contains("tonghop init"),
        "{complained}"
    );
    assert!(!directory.path().join("tonghop.db").exists());
    let made = in_directory(directory.path(), &["init"]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let made = run_with_password(&mut in_directory(directory.path(), &FIRST_TENANT));
    assert!(made.status.success(), "{made:?}");
}

/// Serves a database of its own, and gives the files that it consists of.
fn served() -> (TestDatabase, Program, Client, PathBuf) {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let server = Program::serve(&database);
    let admin = server.sign_in("test", "admin");
    put_some(&admin, "before").expect_status(201);
    let path = database.directory.path().join("tonghop.db");
    (database, server, admin, path)
}

fn put_some(admin: &Client, code: &str) -> crate::harness::Answer {
    admin.put(&format!("/v1/indicators/{code}"), &indicator("sum"))
}

/// Nothing is acknowledged any more, and everybody who asks learns of it.
#[track_caller]
fn expect_lost(server: &Program, admin: &Client, file: &str) {
    for code in ["lost", "lost.too"] {
        let answer = put_some(admin, code);
        assert!(answer.header("retry-after").is_some());
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(!answer.text.contains("tonghop.db"), "{}", answer.text);
    }
    let ready = admin.get("/readyz").expect_status(503).json();
    assert_eq!(ready["checks"]["database"], "unavailable");
    assert!(
        server
            .log()
            .contains(&format!("{file} was removed or replaced"))
    );
}

#[test]
fn what_is_written_to_a_database_that_was_taken_away_is_not_acknowledged() {
    let (database, server, admin, path) = served();
    let aside = database.directory.path().join("aside.db");
    std::fs::rename(&path, &aside).unwrap();
    expect_lost(&server, &admin, "tonghop.db");
    admin.get("/v1/indicators/before").expect_status(503);
    assert!(!path.exists());

    // Put back it is the same file, and all goes on.
    std::fs::rename(&aside, &path).unwrap();
    expect_in_time("the server is ready again", || {
        admin.get("/readyz").status == 200
    });
    put_some(&admin, "after").expect_status(201);
    admin.get("/v1/indicators/lost").expect_status(404);
}

#[test]
fn a_database_that_was_deleted_or_replaced_by_a_copy_is_noticed_and_no_new_one_is_made() {
    let (database, server, admin, path) = served();
    let copy = database.directory.path().join("copy.db");
    let taken = tonghop_on(&database, &["backup", "--to", copy.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(taken.status.success(), "{taken:?}");
    std::fs::remove_file(&path).unwrap();
    expect_lost(&server, &admin, "tonghop.db");
    std::fs::rename(&copy, &path).unwrap();
    expect_lost(&server, &admin, "tonghop.db");
    drop(server);

    std::fs::remove_file(&path).unwrap();
    let complained = complaint(&mut tonghop_on(&database, &["serve"]));
    assert!(
        complained.contains("there is no database at"),
        "{complained}"
    );
    assert!(!path.exists());
}

#[test]
fn what_is_written_to_a_log_that_was_taken_away_is_not_acknowledged() {
    let (database, server, admin, _) = served();
    let log = database.directory.path().join("tonghop.db-wal");
    std::fs::remove_file(&log).unwrap();
    expect_lost(&server, &admin, "tonghop.db-wal");
}

#[test]
fn behind_a_link_the_log_and_the_link_itself_are_watched_too() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let place = database.directory.path().join("place");
    std::fs::create_dir(&place).unwrap();
    let path = database.directory.path().join("tonghop.db");
    let link = |to: &Path| std::os::unix::fs::symlink(to, &path).unwrap();
    std::fs::rename(&path, place.join("real.db")).unwrap();
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(path.with_file_name(format!("tonghop.db{ending}")));
    }
    link(&place.join("real.db"));
    let serve = || {
        let server = Program::serve(&database);
        let admin = server.sign_in("test", "admin");
        (server, admin)
    };
    let (server, admin) = serve();
    put_some(&admin, "before").expect_status(201);
    // It leads to another database now.
    std::fs::copy(place.join("real.db"), place.join("other.db")).unwrap();
    std::fs::remove_file(&path).unwrap();
    link(&place.join("other.db"));
    expect_lost(&server, &admin, "tonghop.db");
    std::fs::remove_file(&path).unwrap();
    link(&place.join("real.db"));
    drop(server);

    let (server, admin) = serve();
    put_some(&admin, "after").expect_status(201);
    std::fs::remove_file(place.join("real.db-wal")).unwrap();
    expect_lost(&server, &admin, "real.db-wal");
}

/// Makes a database as it was before logins were composed, with two that are the same composed.
fn with_two_logins_that_are_one() -> TestDatabase {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let DatabaseUrl::Sqlite { path } = &database.owner else {
        panic!("not SQLite");
    };
    let before_sessions = include_str!("../../migrations/00000000000013_sessions/down.sql");
    let before_people = include_str!("../../migrations/00000000000012_people_and_changes/down.sql");
    SqliteConnection::establish(path)
        .unwrap()
        .batch_execute(&format!(
            "{before_sessions}; {before_people}; UPDATE account SET login = 'h\u{1ead}u'; \
             INSERT INTO account SELECT tenant_id, 'other', 'ha\u{323}\u{302}u', name, password_hash, created_at \
                 FROM account; \
             DROP TABLE sign_in; \
             DELETE FROM __diesel_schema_migrations WHERE version LIKE '%13' OR version LIKE '%12' OR version LIKE '%10' OR version LIKE '%09'",
        ))
        .unwrap();
    database
}

#[test]
fn logins_that_could_not_be_composed_are_told_by_whatever_brings_the_database_up_to_date() {
    let told = "have the login h\u{1ead}u, written in two ways";
    let database = with_two_logins_that_are_one();
    let server = Program::serve(&database);
    assert!(server.log().contains(told), "{}", server.log());
    drop(server);
    // Whoever asks later is told as well; what needs nothing brought up to date says nothing.
    let says = |database: &TestDatabase, arguments: &[&str]| {
        let done = tonghop_on(database, arguments).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        text(&done.stderr)
    };
    assert!(says(&database, &["migrate"]).contains(told));
    assert_eq!(says(&database, &["tenant", "list"]), "");
    for arguments in [["tenant", "list"].as_slice(), &["verify"], &["migrate"]] {
        let said = says(&with_two_logins_that_are_one(), arguments);
        assert!(said.contains(told), "{arguments:?}: {said}");
    }
}

/// Whoever may do nothing but what everybody may: a test of root's would pass by every wall.
fn as_nobody(mut command: Command) -> Command {
    if let Some((user, group)) = nobody() {
        command.uid(user).gid(group);
    }
    command
}

fn nobody() -> Option<(u32, u32)> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    is_root.then(|| postgres::unprivileged_account().unwrap())
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A directory with a database and keys that nobody in particular may use.
fn of_nobody() -> TempDir {
    let directory = tempfile::tempdir_in("/tmp").unwrap();
    let made = run_with_password(&mut in_directory(directory.path(), &FIRST_TENANT));
    assert!(made.status.success(), "{made:?}");
    if let Some((user, group)) = nobody() {
        for path in [
            directory.path().to_owned(),
            directory.path().join("tonghop.db"),
        ] {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }
    directory
}

#[test]
fn a_place_that_cannot_be_written_is_told_by_the_check_and_by_the_server_with_the_cure() {
    let directory = of_nobody();
    let place = directory.path().to_str().unwrap();
    let command = |argument: &str| as_nobody(in_directory(directory.path(), &[argument]));
    let sound = command("check").output().unwrap();
    assert!(sound.status.success(), "{sound:?}");

    set_mode(directory.path(), 0o555);
    expect_fault(
        command,
        "access",
        &["cannot write in the directory", place, "run: chmod u+rwx"],
    );
    let keys = findings(&mut command("check"), "fault", "keys").join("");
    assert!(keys.contains(place), "{keys}");
    set_mode(directory.path(), 0o755);

    let file = directory.path().join("tonghop.db");
    set_mode(&file, 0o400);
    expect_fault(
        command,
        "access",
        &[
            "cannot write the file",
            file.to_str().unwrap(),
            "run: chmod u+rw",
        ],
    );
    set_mode(&file, 0o600);

    // Another's, such as root's who made the first tenant and forgot `sudo -u`.
    if nobody().is_some() {
        chown(&file, Some(0), Some(0)).unwrap();
        expect_fault(
            command,
            "access",
            &[
                "which is root's",
                "if it is this program's database",
                "chown postgres",
            ],
        );
    }

    let keys = directory.path().join("closed").join("keys");
    std::fs::create_dir(directory.path().join("closed")).unwrap();
    set_mode(&directory.path().join("closed"), 0o555);
    let elsewhere = |argument: &str| {
        let mut command = command(argument);
        command.env("TONGHOP_KEYS", &keys);
        command
    };
    if let Some((user, group)) = nobody() {
        chown(&file, Some(user), Some(group)).unwrap();
    }
    let own = match nobody() {
        Some(_) => "install -d -o postgres -m 700 /var/lib/tonghop",
        None => "chmod u+rwx",
    };
    expect_fault(
        elsewhere,
        "keys",
        &["cannot write in the directory", "closed", own],
    );
}

#[test]
fn no_advice_gives_away_a_directory_of_root_or_the_rights_of_root() {
    if nobody().is_none() {
        return;
    }
    let roots = tempfile::tempdir_in("/tmp").unwrap();
    set_mode(roots.path(), 0o755);
    let place = roots.path().to_str().unwrap();
    for (name, value, setting) in [
        (
            "DATABASE_URL",
            format!("sqlite:{place}/tonghop.db"),
            "set DATABASE_URL=sqlite:/var/lib/tonghop",
        ),
        (
            "DATABASE_URL",
            "sqlite:tonghop.db".to_owned(),
            "set DATABASE_URL=sqlite:/var/lib/tonghop",
        ),
        (
            "TONGHOP_KEYS",
            format!("{place}/keys"),
            "set TONGHOP_KEYS=/var/lib/tonghop",
        ),
    ] {
        let mut command = as_nobody(in_directory(roots.path(), &["check"]));
        let checked = command.env(name, &value).output().unwrap();
        let told = String::from_utf8(checked.stdout).unwrap();
        assert!(
            told.contains(&format!("the directory {place}, which is root's")),
            "{told}"
        );
        assert!(
            told.contains("install -d -o postgres -m 700 /var/lib/tonghop"),
            "{told}"
        );
        assert!(told.contains(setting), "{told}");
        assert!(
            !told.contains("chown") && !told.contains("program as root"),
            "{told}"
        );
    }
}

#[test]
fn a_first_tenant_that_is_refused_leaves_no_database() {
    let directory = TempDir::new().unwrap();
    let mut create = in_directory(directory.path(), &FIRST_TENANT);
    let refused = run_with_input(&mut create, "short");
    assert!(!refused.status.success(), "{refused:?}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let made = in_directory(directory.path(), &["init"]).output().unwrap();
    assert!(made.status.success(), "{made:?}");
}

#[test]
fn output_that_nobody_reads_or_that_finds_no_room_ends_a_command_without_a_panic() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let commands: [&[&str]; 4] = [
        &["openapi"],
        &["tenant", "list"],
        &["check"],
        &["demo", "--once"],
    ];
    for arguments in commands {
        let run = |output: Stdio| {
            let mut command = tonghop_on(&database, arguments);
            command.env("TONGHOP_LISTEN", "127.0.0.1:0");
            command
                .stdout(output)
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let mut unread = run(Stdio::piped());
        drop(unread.stdout.take());
        let unread = unread.wait_with_output().unwrap();
        assert_eq!(
            (unread.status.code(), unread.stderr.as_slice()),
            (Some(141), &b""[..]),
            "{arguments:?}"
        );
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let full = run(full.into()).wait_with_output().unwrap();
        let told = String::from_utf8(full.stderr).unwrap();
        assert_eq!(full.status.code(), Some(1), "{told}");
        assert!(
            told.starts_with("tonghop: cannot write the output: "),
            "{told}"
        );
    }
}

#[test]
fn a_damaged_page_is_found_by_the_check_and_before_a_server_starts() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let path = database.directory.path().join("tonghop.db");
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection
        .batch_execute(
            "PRAGMA journal_mode = DELETE; CREATE TABLE filling (value TEXT); \
             WITH RECURSIVE count (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 2000) \
             INSERT INTO filling SELECT hex(randomblob(200)) FROM count",
        )
        .unwrap();
    drop(connection);
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let middle = file.metadata().unwrap().len() / 2 / 4096 * 4096;
    file.write_all_at(&[0xAA; 8192], middle).unwrap();
    let command = |argument: &str| tonghop_on(&database, &[argument]);
    expect_fault(command, "pages", &["damaged", "restore a backup"]);

    file.write_all_at(&[0xAA; 100], 0).unwrap();
    expect_fault(command, "schema", &["damaged", "restore a backup"]);
}

#[test]
fn keys_that_others_may_put_there_or_own_are_told_and_stop_a_server() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    drop(Program::serve(&database));
    let keys = database.directory.path().join("keys");
    let key = keys.join("0001.ed25519");
    let command = |argument: &str| tonghop_on(&database, &[argument]);
    for mode in [0o777, 0o770, 0o1777] {
        set_mode(&keys, mode);
        expect_fault(
            command,
            "keys",
            &["others than its owner can write", "chmod go-w"],
        );
    }
    set_mode(&keys, 0o700);
    if let Some((user, group)) = nobody() {
        for path in [&key, &keys] {
            chown(path, Some(user), Some(group)).unwrap();
            expect_fault(
                command,
                "keys",
                &["postgres's", "runs as root", "run this as postgres"],
            );
            let told = findings(&mut command("check"), "fault", "keys").join("");
            assert!(!told.contains("chown"), "{told}");
            chown(path, Some(0), Some(0)).unwrap();
        }
    }
    std::fs::write(&key, "no key").unwrap();
    expect_fault(command, "keys", &["no signing key", key.to_str().unwrap()]);
}

#[test]
fn a_port_that_is_taken_is_told_with_the_ways_to_another_one() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let command = |argument: &str| {
        let mut command = tonghop_on(&database, &[argument]);
        command.env("TONGHOP_LISTEN", &address);
        command
    };
    expect_fault(
        command,
        "listen",
        &[&address, "another program", "--listen", "TONGHOP_LISTEN"],
    );
    let elsewhere = tonghop_on(&database, &["serve", "--listen", "127.0.0.1:0"]);
    let server = Program::start(elsewhere);
    let mut beside = tonghop_on(&database, &["check"]);
    beside.env("TONGHOP_LISTEN", server.address.to_string());
    let told = findings(&mut beside, "ok", "listen").join("");
    assert!(told.contains("a server of Tonghop answers"), "{told}");
    let wrong = tonghop_on(&database, &["serve", "--listen", "here"])
        .output()
        .unwrap();
    assert!(
        text(&wrong.stderr).contains("as in 127.0.0.1:8080"),
        "{wrong:?}"
    );
}

#[test]
fn a_grant_on_a_unit_without_code_before_it_is_told_how_it_is_written() {
    let database = TestDatabase::migrated(Backend::Sqlite).with_tenant();
    let create = |grant| {
        let account = [
            "account", "create", "--tenant", "test", "--login", "l", "--name", "N", "--grant",
            grant,
        ];
        let refused = run_with_password(&mut tonghop_on(&database, &account));
        assert!(!refused.status.success());
        text(&refused.stderr)
    };
    let told = create("reporter@C1");
    assert!(told.contains("reporter@code:C1"), "{told}");
    let told = create("boss@code:C1");
    assert!(told.contains("reporter@code:30388"), "{told}");
}

on_both_backends! {
    fn whoever_only_reads_makes_no_keys(backend) {
        let database = TestDatabase::migrated(backend).with_tenant();
        for arguments in [vec!["verify"], vec!["tenant", "list"], vec!["check"]] {
            let done = tonghop_on(&database, &arguments).env("TONGHOP_LISTEN", "127.0.0.1:0").output().unwrap();
            assert!(done.status.success(), "{done:?}");
        }
        // There is no such form; a report would be printed by now.
        let report = ["report", "--tenant", "test", "--form", "f", "--period", "2026", "--unit", "C1"];
        let told = complaint(&mut tonghop_on(&database, &report));
        assert!(told.contains("form"), "{told}");
        let list = database.directory.path().join("list.csv");
        std::fs::write(&list, "code,name,level,parent_code,kind\nC1,Tân An,commune,,xã\n").unwrap();
        let import = ["import", "units", "--tenant", "test", "--login", "admin", list.to_str().unwrap()];
        let done = run_with_password(&mut tonghop_on(&database, &import));
        assert!(done.status.success(), "{done:?}");
        assert!(!database.directory.path().join("keys").exists());
    }
}

// ---- What keeps tenants apart on PostgreSQL -----------------------------------------------------

fn execute(url: &DatabaseUrl, sql: &str) {
    let DatabaseUrl::Postgresql { url } = url else {
        panic!("not PostgreSQL");
    };
    PgConnection::establish(url)
        .unwrap()
        .batch_execute(sql)
        .unwrap();
}

/// What cures an installation.
enum Cure {
    Migrate,
    Owner(&'static str),
}

#[test]
fn a_wall_between_tenants_that_is_broken_is_named_and_stops_a_server_until_it_is_mended() {
    if postgres::server().is_none() {
        return;
    }
    let database = TestDatabase::migrated(Backend::Postgresql).with_tenant();
    let DatabaseUrl::Postgresql { url: owner } = &database.owner else {
        panic!("not PostgreSQL");
    };
    let command = |argument: &str| {
        let mut command = tonghop_on(&database, &[argument]);
        command
            .env("TONGHOP_LISTEN", "127.0.0.1:0")
            .env("TONGHOP_OWNER_URL", owner);
        command
    };
    let broken = [
        (
            "ALTER TABLE unit DISABLE ROW LEVEL SECURITY",
            "rows",
            "security is off on the table unit",
            Cure::Migrate,
        ),
        (
            "ALTER TABLE unit NO FORCE ROW LEVEL SECURITY",
            "rows",
            "the table unit does not bind its owner",
            Cure::Migrate,
        ),
        (
            "DROP POLICY own_tenant ON target",
            "rows",
            "no policy of the table target",
            Cure::Migrate,
        ),
        (
            "DROP POLICY own_tenant ON unit; CREATE POLICY own_tenant ON unit USING (true)",
            "rows",
            "the policy own_tenant of the table unit",
            Cure::Migrate,
        ),
        (
            "ALTER POLICY own_tenant ON unit WITH CHECK (true)",
            "rows",
            "the policy own_tenant of the table unit",
            Cure::Migrate,
        ),
        (
            "CREATE POLICY more ON account FOR SELECT USING (true)",
            "rows",
            "DROP POLICY more ON account",
            Cure::Owner("DROP POLICY more ON account"),
        ),
        (
            "CREATE POLICY more ON account FOR INSERT WITH CHECK (true)",
            "rows",
            "DROP POLICY more ON account",
            Cure::Owner("DROP POLICY more ON account"),
        ),
        (
            "REVOKE INSERT ON unit FROM tonghop_test_server",
            "rights",
            "has no INSERT on the table unit",
            Cure::Migrate,
        ),
        (
            "GRANT TRUNCATE ON unit TO tonghop_test_server",
            "rights",
            "REVOKE TRUNCATE ON unit FROM tonghop_test_server",
            Cure::Owner("REVOKE TRUNCATE ON unit FROM tonghop_test_server"),
        ),
        (
            "GRANT UPDATE ON tenant_registry TO tonghop_test_server",
            "rights",
            "REVOKE UPDATE ON tenant_registry FROM tonghop_test_server",
            Cure::Owner("REVOKE UPDATE ON tenant_registry FROM tonghop_test_server"),
        ),
    ];
    for (sql, what, named, cure) in broken {
        execute(&database.owner, sql);
        expect_fault(command, what, &[named]);
        match cure {
            Cure::Migrate => assert!(command("migrate").output().unwrap().status.success()),
            Cure::Owner(sql) => execute(&database.owner, sql),
        }
        let checked = command("check").output().unwrap();
        assert!(checked.status.success(), "{sql}: {checked:?}");
    }
    let mut server = Program::serve(&database);
    server.terminate();
    assert!(server.wait(Duration::from_secs(20)).is_some());
}

#[test]
fn signing_keys_are_rotated_by_commands() {
    let directory = TempDir::new().unwrap();
    let keys = |command: &str| in_directory(directory.path(), &["keys", command]);
    let told = |command: &str| {
        let output = keys(command).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    };
    assert!(complaint(&mut keys("next")).contains("a server makes the first one"));
    tonghop::authn::Tokens::open(&directory.path().join("keys"), "test").unwrap();
    assert!(complaint(&mut keys("activate")).contains("tonghop keys next"));
    assert!(told("remove").contains("no key is retired"));
    assert!(told("next").contains("0002.next.ed25519 is the next key"));
    assert!(complaint(&mut keys("next")).contains("tonghop keys activate"));
    assert!(told("activate").contains("0002.ed25519 signs from now on"));
    let refused = complaint(&mut keys("remove"));
    assert!(refused.contains("0001.ed25519 serve until"), "{refused}");
    let listed = told("list");
    for words in [["0001.ed25519", "retired"], ["0002.ed25519", "active"]] {
        let has = |line: &str| words.iter().all(|word| line.contains(word));
        assert!(listed.lines().any(has), "{listed}");
    }
}
