//! A PostgreSQL server for the tests, and a fresh database on it for each test that asks.
//!
//! Where it comes from, in this order:
//!
//! 1. `TONGHOP_TEST_POSTGRES_URL`: a running server, as a role that may create roles and databases. Several test
//!    processes may share it. Two login roles with a well-known password stay behind there, so: a server for tests only.
//! 2. The programs of PostgreSQL, from the PATH or `/usr/lib/postgresql/*/bin`: one cluster for each test process, gone
//!    when the process ends, however it ends.
//! 3. Neither: [`server`] answers `None`, and says once, loudly, that the PostgreSQL tests were skipped. With
//!    `TONGHOP_TEST_POSTGRES=required` it panics instead, so that CI cannot pass by leaving them out.
//!
//! A fresh database is a schema in the one database `tonghop_test`: to create a database costs a hundred times as much.
//! As in production, the role that owns the schema is not the role that the server signs in with.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

const DATABASE: &str = "tonghop_test";
const OWNER: &str = "tonghop_test_owner";
const SERVER: &str = "tonghop_test_server";
const MAINTENANCE: &str = "tonghop_test_maintenance";
/// Known to every test process, because they may share one server.
const PASSWORD: &str = "tonghop_test";

/// A server that is there for as long as this value, or this process.
pub struct Server {
    address: Address,
    admin_url: String,
    /// While this end of its pipe is open, the watchdog lets the cluster live.
    watchdog: Option<Child>,
}

/// An empty schema of one's own, dropped with this value.
pub struct FreshDatabase {
    /// Signs in as the role that owns the schema: for migrations.
    pub owner_url: String,
    /// Signs in as a role that owns nothing and cannot pass by row-level security: for the server.
    pub server_url: String,
    schema: String,
}

/// What it takes to dump a fresh database and to restore the dump into another one, which is
/// dropped with this value.
pub struct Restoring {
    /// Dumps: sees every row of every schema of the server's database.
    pub maintenance_url: String,
    /// The one schema that there is to dump.
    pub schema: String,
    /// The other database, as the administrator.
    pub admin_url: String,
    /// The other database, as the server's role.
    pub server_url: String,
    database: String,
    cluster: String,
}

impl Drop for Restoring {
    fn drop(&mut self) {
        let _ = execute(
            &self.cluster,
            &format!("DROP DATABASE {} WITH (FORCE)", self.database),
        );
    }
}

/// The server of this process, started by the first test that asks for it.
pub fn server() -> Option<&'static Server> {
    static FOUND: OnceLock<Result<Server, String>> = OnceLock::new();
    match FOUND.get_or_init(|| find_or_start().inspect_err(|reason| say_skipped(reason))) {
        Ok(server) => Some(server),
        Err(reason) if is_required() => panic!("no PostgreSQL for the tests: {reason}"),
        Err(_) => None,
    }
}

impl Server {
    /// A cluster for one test alone, which keeps what it has committed and may be stopped; where
    /// there are no programs of PostgreSQL to start it with there is none.
    pub fn of_one_s_own() -> Option<Server> {
        find_programs()?;
        Some(start(Keeps::Commits).expect("a cluster of one's own"))
    }

    /// Ends it without letting it finish anything, and waits until it is gone.
    pub fn stop_at_once(&mut self) {
        self.order("stop");
        while execute(&self.admin_url(), "SELECT 1").is_ok() {
            sleep(Duration::from_millis(20));
        }
    }

    /// Starts it again, and waits until it answers.
    pub fn start_again(&mut self) {
        self.order("start");
        while execute(&self.admin_url(), "SELECT 1").is_err() {
            sleep(Duration::from_millis(20));
        }
    }

    fn order(&mut self, order: &str) {
        let watchdog = self.watchdog.as_mut().expect("a cluster of one's own");
        let orders = watchdog.stdin.as_mut().expect("a pipe to its watchdog");
        writeln!(orders, "{order}").expect("a watchdog that listens");
    }

    fn admin_url(&self) -> String {
        format!(
            "postgres://postgres@{}/postgres",
            self.address.host_and_port
        )
    }

    /// A new schema and the two roles' URLs to it.
    pub fn fresh(&self) -> FreshDatabase {
        let schema = format!("test_{}", uuid::Uuid::now_v7().simple());
        let fresh = FreshDatabase {
            owner_url: self.address.url(OWNER, &schema),
            server_url: self.address.url(SERVER, &schema),
            schema,
        };
        let schema = &fresh.schema;
        execute(
            &fresh.owner_url,
            &format!("CREATE SCHEMA {schema}; GRANT USAGE ON SCHEMA {schema} TO {SERVER}"),
        )
        .expect("a schema can be created");
        fresh
    }

    /// For the fresh database of this URL. Nothing where the role that was given for the tests may
    /// not make one that passes by row-level security.
    pub fn to_restore(&self, fresh: &str) -> Option<Restoring> {
        let (_, schema) = fresh.split_once("search_path%3D")?;
        let role = format!(
            "DO $$ BEGIN
                 CREATE ROLE {MAINTENANCE} LOGIN PASSWORD '{PASSWORD}' BYPASSRLS;
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
             END $$; GRANT pg_read_all_data TO {MAINTENANCE}"
        );
        execute(&self.admin_url, &role).ok()?;
        let database = format!("tonghop_test_{}", uuid::Uuid::now_v7().simple());
        let create = format!(
            "CREATE DATABASE {database} TEMPLATE template0 LOCALE_PROVIDER libc \
             LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'"
        );
        execute(&self.admin_url, &create).ok()?;
        let (authority, rest) = self.admin_url.rsplit_once('/')?;
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        let in_other =
            |url: String| url.replace(&format!("/{DATABASE}?"), &format!("/{database}?"));
        Some(Restoring {
            maintenance_url: self.address.url(MAINTENANCE, schema),
            schema: schema.to_owned(),
            admin_url: format!("{authority}/{database}?{query}"),
            server_url: in_other(self.address.url(SERVER, schema)),
            cluster: self.admin_url.clone(),
            database,
        })
    }
}

/// Another database on a server, dropped with this value.
pub struct OtherDatabase {
    /// As the server's role.
    pub server_url: String,
    name: String,
    cluster: String,
}

impl Drop for OtherDatabase {
    fn drop(&mut self) {
        let _ = execute(
            &self.cluster,
            &format!("DROP DATABASE {} WITH (FORCE)", self.name),
        );
    }
}

impl Server {
    /// A database that compares texts otherwise than ours; nothing where this PostgreSQL cannot.
    pub fn with_locale(&self, locale: &str) -> Option<OtherDatabase> {
        let name = format!("tonghop_test_{}", uuid::Uuid::now_v7().simple());
        let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' {locale}");
        execute(&self.admin_url, &create).ok()?;
        let url = self.address.url(SERVER, "public");
        Some(OtherDatabase {
            server_url: url.replace(&format!("/{DATABASE}?"), &format!("/{name}?")),
            name,
            cluster: self.admin_url.clone(),
        })
    }
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        // Best effort: a connection that the test forgot may hold a lock, and a panic here would hide the test's own.
        let _ = execute(
            &self.owner_url,
            &format!(
                "SET lock_timeout = '2s'; SET client_min_messages = 'warning'; DROP SCHEMA {} CASCADE",
                self.schema
            ),
        );
    }
}

fn find_or_start() -> Result<Server, String> {
    match env::var("TONGHOP_TEST_POSTGRES_URL") {
        Ok(url) => prepared(&url, None),
        Err(_) => start(Keeps::Little),
    }
}

fn start(keeps: Keeps) -> Result<Server, String> {
    let (admin_url, watchdog) = start_cluster(keeps)?;
    prepared(&admin_url, Some(watchdog))
}

fn prepared(admin_url: &str, watchdog: Option<Child>) -> Result<Server, String> {
    let address = Address::of(admin_url)?;
    prepare(admin_url)?;
    Ok(Server {
        address,
        admin_url: admin_url.to_owned(),
        watchdog,
    })
}

/// Only `required` requires; to name a server with a URL asks for it just as clearly.
fn is_required() -> bool {
    env::var("TONGHOP_TEST_POSTGRES").is_ok_and(|value| value == "required")
        || env::var_os("TONGHOP_TEST_POSTGRES_URL").is_some()
}

fn say_skipped(reason: &str) {
    if is_required() {
        return;
    }
    // Not `eprintln!`: the test harness would capture that and show it for failed tests only.
    let _ = writeln!(
        std::io::stderr(),
        "\n\
         ************************************************************************\n\
         * PostgreSQL tests SKIPPED: {reason}\n\
         * To have them, install PostgreSQL (Debian: apt-get install postgresql)\n\
         * or set TONGHOP_TEST_POSTGRES_URL=postgres://role:password@host/database,\n\
         * a role that may create roles and databases.\n\
         * TONGHOP_TEST_POSTGRES=required makes their absence a failure.\n\
         ************************************************************************\n"
    );
}

// ---- What the tests need on a server --------------------------------------------------------------------------------

/// Creates what is not there yet. Another process may be doing the same at this moment, and PostgreSQL answers some of
/// such meetings with an error ("tuple concurrently updated"): all of it can be repeated, so it is.
fn prepare(admin_url: &str) -> Result<(), String> {
    const TRIES: usize = 10;
    let mut outcome = prepare_once(admin_url);
    for _ in 1..TRIES {
        if outcome.is_ok() {
            break;
        }
        sleep(Duration::from_millis(200));
        outcome = prepare_once(admin_url);
    }
    outcome
}

fn prepare_once(admin_url: &str) -> Result<(), String> {
    for role in [OWNER, SERVER] {
        execute(admin_url, &create_role(role))?;
    }
    // C collation of libc, whatever the server's default: Tonghop asks for it at its start.
    let created = execute(
        admin_url,
        &format!(
            "CREATE DATABASE {DATABASE} TEMPLATE template0 LOCALE_PROVIDER libc \
             LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'"
        ),
    );
    // That it exists already is no fault, and then the grant works; otherwise the first error is the one to tell.
    let granted = execute(
        admin_url,
        &format!("GRANT CREATE ON DATABASE {DATABASE} TO {OWNER}"),
    );
    granted.map_err(|reason| created.err().unwrap_or(reason))
}

/// A role with no rights but to sign in. (`unique_violation`: another process won the race.)
fn create_role(role: &str) -> String {
    format!(
        "DO $$ BEGIN
             CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}' NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
         END $$"
    )
}

fn execute(url: &str, sql: &str) -> Result<(), String> {
    PgConnection::establish(url)
        .map_err(|e| e.to_string())?
        .batch_execute(sql)
        .map_err(|e| e.to_string())
}

/// Where a server is: what the URLs of all roles on it have in common.
struct Address {
    host_and_port: String,
    query: String,
}

impl Address {
    /// Takes `postgres://user:password@host:port/database?query` apart, no further than needed.
    fn of(url: &str) -> Result<Self, String> {
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or("TONGHOP_TEST_POSTGRES_URL does not begin with postgres://")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, _database) = rest.split_once('/').unwrap_or((rest, ""));
        let (_user, host_and_port) = authority.rsplit_once('@').unwrap_or(("", authority));
        Ok(Self {
            host_and_port: host_and_port.to_owned(),
            query: query.to_owned(),
        })
    }

    fn url(&self, role: &str, schema: &str) -> String {
        let Self {
            host_and_port,
            query,
        } = self;
        let and = if query.is_empty() { "" } else { "&" };
        format!(
            "postgres://{role}:{PASSWORD}@{host_and_port}/{DATABASE}?{query}{and}options=-csearch_path%3D{schema}"
        )
    }
}

// ---- A cluster of our own -------------------------------------------------------------------------------------------

/// Holds the cluster's life. It outlives the test process by a moment, so it can clean up after any death of it: the
/// pipe that is its standard input closes even on SIGKILL. It makes the directory itself, so that there is no moment at
/// which one exists that nobody would remove. On standard output it reports `ready`, or what went wrong; nobody may be
/// left to read that, hence PIPE among the signals that must not end it.
const WATCHDOG: &str = r#"
trap '' HUP INT TERM PIPE
exec 2>&1
dir=$(mktemp -d "$BASE/tonghop-test-postgres.XXXXXXXX") || exit 1
start() {
    "$PROGRAMS/initdb" -D "$dir/data" -U postgres -E UTF8 --locale=C --auth=trust --no-sync &&
    "$PROGRAMS/pg_ctl" start -w -D "$dir/data" -o "$OPTIONS"
}
if start </dev/null >"$dir/log" 2>&1; then echo ready; else cat "$dir/log"; fi
exec >/dev/null 2>&1
while read -r order; do
    case $order in
        start) "$PROGRAMS/pg_ctl" start -w -D "$dir/data" -o "$OPTIONS" </dev/null ;;
        stop) "$PROGRAMS/pg_ctl" stop -w -m immediate -D "$dir/data" ;;
    esac
done
"$PROGRAMS/pg_ctl" stop -w -m immediate -D "$dir/data"
rm -rf "$dir"
"#;

/// Reached on the loopback address only, and leaving nothing outside its directory.
const OPTIONS: &str = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c dynamic_shared_memory_type=mmap \
    -c max_connections=200 -c shared_buffers=32MB";

/// What a cluster keeps when its processes are killed.
#[derive(Clone, Copy)]
enum Keeps {
    /// Not the last commits: most tests end before it would.
    Little,
    /// Every commit, as in production.
    Commits,
}

impl Keeps {
    fn options(self) -> &'static str {
        match self {
            Keeps::Little => "-c fsync=off -c synchronous_commit=off -c full_page_writes=off",
            Keeps::Commits => "",
        }
    }
}

/// The URL of its administrator, and its watchdog.
fn start_cluster(keeps: Keeps) -> Result<(String, Child), String> {
    const TRIES: usize = 5;
    let programs = find_programs()
        .ok_or("no initdb, pg_ctl and postgres on the PATH or in /usr/lib/postgresql/*/bin")?;
    let mut outcome = start_cluster_once(&programs, keeps);
    for _ in 1..TRIES {
        // Between our looking for a free port and the server's taking it, somebody else may have.
        if !matches!(&outcome, Err(reason) if reason.contains("Address already in use")) {
            break;
        }
        outcome = start_cluster_once(&programs, keeps);
    }
    outcome
}

fn start_cluster_once(programs: &Path, keeps: Keeps) -> Result<(String, Child), String> {
    let port = free_port().map_err(|e| format!("no free port: {e}"))?;
    let mut watchdog = watchdog_command(programs, keeps, port)?
        .spawn()
        .map_err(|e| format!("sh could not be started: {e}"))?;
    let mut report = String::new();
    let read = match watchdog.stdout.take() {
        Some(mut stdout) => stdout.read_to_string(&mut report),
        None => Ok(0),
    };
    if read.is_ok() && report.trim() == "ready" {
        return Ok((
            format!("postgres://postgres@127.0.0.1:{port}/postgres"),
            watchdog,
        ));
    }
    drop(watchdog.stdin.take());
    let _ = watchdog.wait();
    Err(format!(
        "a cluster could not be started with {}:\n{}",
        programs.display(),
        report.trim_end()
    ))
}

fn watchdog_command(programs: &Path, keeps: Keeps, port: u16) -> Result<Command, String> {
    let mut command = Command::new("sh");
    command
        .args(["-c", WATCHDOG])
        .env("PROGRAMS", programs)
        .env(
            "OPTIONS",
            format!("{OPTIONS} {} -c port={port}", keeps.options()),
        )
        .env("BASE", env::temp_dir())
        // A place that every account may enter.
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Away from the terminal's group: ctrl-C is for the tests, the watchdog then sees its pipe close.
        .process_group(0);
    if is_root() {
        // PostgreSQL refuses to run as root. Root's own temporary directory is often closed to others; /tmp is not.
        let (uid, gid) =
            unprivileged_account().ok_or("root, and neither postgres nor nobody in /etc/passwd")?;
        command.uid(uid).gid(gid).env("BASE", "/tmp");
    }
    Ok(command)
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// The directory of the programs: the first on the PATH, otherwise Debian's newest.
fn find_programs() -> Option<PathBuf> {
    program_directories().into_iter().find(|directory| {
        ["initdb", "pg_ctl", "postgres"]
            .iter()
            .all(|program| directory.join(program).is_file())
    })
}

/// A program of PostgreSQL's clients, which may lie elsewhere than the server's.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let directories = program_directories().into_iter();
    let mut programs = directories.map(|directory| directory.join(name));
    programs.find(|program| program.is_file())
}

fn program_directories() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(debian_program_directories())
        .collect()
}

fn debian_program_directories() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, bin)| bin).collect()
}

fn is_root() -> bool {
    // Where there is no /proc, nobody is taken for root; initdb then says so itself.
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Whose processes may do what everybody may.
pub fn unprivileged_account() -> Option<(u32, u32)> {
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| account(&accounts, name))
}

/// User and group id from the lines `name:password:uid:gid:…`.
fn account(accounts: &str, name: &str) -> Option<(u32, u32)> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some((uid, gid))
    })
}

#[cfg(test)]
mod tests {
    use diesel::dsl::sql;
    use diesel::sql_types::Bool;
    use diesel::{RunQueryDsl, select};

    use super::*;

    fn holds(url: &str, condition: &str) -> bool {
        let mut connection = PgConnection::establish(url).unwrap();
        select(sql::<Bool>(condition))
            .get_result(&mut connection)
            .unwrap()
    }

    #[test]
    fn fresh_databases_do_not_see_each_other() {
        let Some(server) = server() else { return };
        let (one, other) = (server.fresh(), server.fresh());
        execute(&one.owner_url, "CREATE TABLE t (id BIGINT)").unwrap();
        assert!(holds(&one.owner_url, "to_regclass('t') IS NOT NULL"));
        assert!(holds(&other.owner_url, "to_regclass('t') IS NULL"));
    }

    #[test]
    fn the_server_role_sees_the_schema_and_owns_nothing() {
        let Some(server) = server() else { return };
        let fresh = server.fresh();
        execute(&fresh.owner_url, "CREATE TABLE t (id BIGINT)").unwrap();
        assert!(holds(&fresh.server_url, "to_regclass('t') IS NOT NULL"));
        assert!(execute(&fresh.server_url, "SELECT * FROM t").is_err());
        assert!(execute(&fresh.server_url, "CREATE TABLE u (id BIGINT)").is_err());
        assert!(holds(
            &fresh.server_url,
            "(SELECT NOT (rolsuper OR rolbypassrls) FROM pg_roles WHERE rolname = current_user)"
        ));
    }

    #[test]
    fn the_database_compares_by_bytes() {
        let Some(server) = server() else { return };
        assert!(holds(
            &server.fresh().server_url,
            "(SELECT datcollate = 'C' AND datlocprovider = 'c' FROM pg_database WHERE datname = current_database())"
        ));
    }

    #[test]
    fn a_fresh_database_is_dropped_with_its_value() {
        let Some(server) = server() else { return };
        let (gone, other) = (server.fresh(), server.fresh());
        let is_gone = format!("to_regnamespace('{}') IS NULL", gone.schema);
        assert!(!holds(&other.owner_url, &is_gone));
        drop(gone);
        assert!(holds(&other.owner_url, &is_gone));
    }

    #[test]
    fn a_role_s_url_keeps_the_rest_of_the_administrator_s() {
        let address = Address::of("postgresql://me:p%40ss@db:5433/x?sslmode=require").unwrap();
        assert_eq!(
            address.url(SERVER, "s"),
            "postgres://tonghop_test_server:tonghop_test@db:5433/tonghop_test?sslmode=require&options=-csearch_path%3Ds"
        );
        assert!(Address::of("sqlite:x").is_err());
    }
}
