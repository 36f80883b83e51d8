//! Tonghop on this machine: the program run for one command, the server as a process of its own,
//! and a tenant prepared in it. Leaves no process behind.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tempfile::TempDir;
use tonghop::authn::{Identity, Tokens};
use tonghop::service::Application;
use tonghop::service::application::call::Call;
use tonghop::service::catalogue::form::put_form;
use tonghop::service::catalogue::indicator::put_indicator;
use tonghop::service::people::operator::{EnteredAccount, add_account};
use tonghop::service::people::tenant::find_tenant;
use tonghop::service::people::token::{Client, Credentials, issue_token};
use tonghop::store::migration::is_there;
use tonghop::store::{Database, DatabaseUrl};

use crate::connection::{Connection, get, post_fields};
use crate::country::{Country, ROOT};
use crate::form::{Form, indicators};
use crate::{Accounts, Failure, bar, now};

/// The program that is measured.
const PROGRAM: &str = env!("CARGO_BIN_EXE_tonghop");
/// The issuer named in tokens.
const ISSUER: &str = "deadline-day";
/// The login of an approver of the whole country.
pub const APPROVER: &str = "country";
const PASSWORD: &str = "only for a benchmark";
/// The time in which a server must become ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database and a directory for one Tonghop.
pub struct Installation {
    pub directory: TempDir,
    pub database: DatabaseUrl,
    pub owner: DatabaseUrl,
}

impl Installation {
    /// Uses a database, or a new file that is deleted at the end.
    pub fn new(
        database: Option<DatabaseUrl>,
        owner: Option<DatabaseUrl>,
    ) -> Result<Installation, Failure> {
        match database {
            None => Installation::on_new_file(&std::env::temp_dir()),
            Some(DatabaseUrl::Sqlite { path }) => {
                let path = std::path::absolute(path)?;
                let database: DatabaseUrl = format!("sqlite:{}", path.display()).parse()?;
                Ok(Installation {
                    // Put files to compare with on the same disk as the database.
                    directory: directory_in(path.parent().ok_or("a file lies in a directory")?)?,
                    owner: database.clone(),
                    database,
                })
            }
            Some(database) => Ok(Installation {
                directory: directory_in(&std::env::temp_dir())?,
                owner: owner.unwrap_or_else(|| database.clone()),
                database,
            }),
        }
    }

    fn on_new_file(directory: &Path) -> Result<Installation, Failure> {
        let directory = directory_in(directory)?;
        let path = directory.path().join("day.db");
        let database: DatabaseUrl = format!("sqlite:{}", path.display()).parse()?;
        Ok(Installation {
            directory,
            owner: database.clone(),
            database,
        })
    }

    /// Another one of the same kind: a new file on the same disk, or the same PostgreSQL.
    pub fn beside(&self) -> Result<Installation, Failure> {
        match &self.database {
            DatabaseUrl::Sqlite { .. } => Installation::on_new_file(self.directory.path()),
            DatabaseUrl::Postgresql { .. } => {
                Installation::new(Some(self.database.clone()), Some(self.owner.clone()))
            }
        }
    }

    /// The application on this database, in this process.
    pub fn application(&self) -> Result<Application, Failure> {
        let tokens = Tokens::open(&self.directory.path().join("keys"), ISSUER)?;
        Ok(Application::new(
            Database::new(self.database.clone()),
            tokens,
        ))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .env("DATABASE_URL", address_of(&self.database))
            .env("TONGHOP_KEYS", self.directory.path().join("keys"))
            .env("TONGHOP_ISSUER", ISSUER);
        // The program refuses an owner for a SQLite file.
        if let DatabaseUrl::Postgresql { .. } = self.owner {
            command.env("TONGHOP_OWNER_URL", address_of(&self.owner));
        }
        command
    }

    /// Runs one command of the program and gives what it printed.
    pub fn run(&self, arguments: &[&str], input: &str) -> Result<String, Failure> {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        if let Some(mut pipe) = child.stdin.take() {
            pipe.write_all(input.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        match output.status.success() {
            true => Ok(said),
            false => {
                Err(format!("tonghop {}: {}\n{said}", arguments.join(" "), output.status).into())
            }
        }
    }

    /// Makes a tenant with the country, the form and accounts.
    pub fn prepare(
        &self,
        country: &Country,
        form: &Form,
        accounts: Accounts,
    ) -> Result<Tenant, Failure> {
        let tenant = Tenant {
            slug: format!("deadline-{}", uuid::Uuid::now_v7().simple()),
        };
        match &self.database {
            database if !is_there(database) => self.run(&["init"], "")?,
            _ => self.run(&["migrate"], "")?,
        };
        let create = [
            "tenant",
            "create",
            "--slug",
            &tenant.slug,
            "--name",
            "Deadline day",
            "--admin",
            "admin",
            "--levels",
            "vietnam",
        ];
        self.run(&create, PASSWORD)?;
        self.import(&tenant, &country.upper_list(), "provinces and towns")?;
        let application = self.application()?;
        if accounts == Accounts::OneATown {
            // While the map is small: making an account reads all of it.
            tenant.create_accounts(&application, country)?;
        }
        tenant.put_catalogue(&application, form)?;
        self.import(&tenant, &country.lower_list(), "communes and hamlets")?;
        Ok(tenant)
    }

    fn import(&self, tenant: &Tenant, list: &str, what: &str) -> Result<(), Failure> {
        let spinner = ProgressBar::new_spinner()
            .with_style(ProgressStyle::with_template("{spinner} {msg} {elapsed}")?)
            .with_message(format!("importing {what}"));
        spinner.enable_steady_tick(Duration::from_millis(100));
        let path = self.directory.path().join("units.csv");
        std::fs::write(&path, list)?;
        let path = path.display().to_string();
        let import = [
            "import",
            "units",
            "--tenant",
            &tenant.slug,
            "--login",
            "admin",
            "--country",
            "Việt Nam",
            &path,
        ];
        let done = self.run(&import, PASSWORD).map(drop);
        spinner.finish_and_clear();
        done
    }
}

fn directory_in(parent: &Path) -> std::io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix("deadline-")
        .tempdir_in(parent)
}

/// Returns the address with its password, which `Display` leaves out.
fn address_of(url: &DatabaseUrl) -> String {
    match url {
        DatabaseUrl::Sqlite { path } => format!("sqlite:{path}"),
        DatabaseUrl::Postgresql { url } => url.clone(),
    }
}

/// The organisation that reports.
pub struct Tenant {
    pub slug: String,
}

impl Tenant {
    fn create_accounts(&self, application: &Application, country: &Country) -> Result<(), Failure> {
        let scope = find_tenant(&application.database, &self.slug)?;
        let add = |login: String, grants: &[String]| {
            let grants: Result<_, _> = grants.iter().map(|grant| grant.parse()).collect();
            let account = EnteredAccount {
                name: login.clone(),
                login,
                telephone: None,
                password: Some(PASSWORD.to_owned()),
                grants: grants?,
            };
            add_account(application, &scope, &account, now())?;
            Ok::<_, Failure>(())
        };
        add(APPROVER.to_owned(), &[format!("approver@code:{ROOT}")])?;
        let progress = bar("making accounts", country.towns.len())?;
        for town in &country.towns {
            let grants = ["reporter", "approver"].map(|role| format!("{role}@code:{town}"));
            add(format!("town-{town}"), &grants)?;
            progress.inc(1);
        }
        progress.finish_and_clear();
        Ok(())
    }

    fn put_catalogue(&self, application: &Application, form: &Form) -> Result<(), Failure> {
        let admin = self.admin(application)?;
        let call = Call::new(admin, now());
        for indicator in indicators() {
            put_indicator(application, &call, &indicator)?;
        }
        put_form(application, &call, &form.entered())?;
        Ok(())
    }

    /// The administrator, signed in without a server.
    pub fn admin(&self, application: &Application) -> Result<Identity, Failure> {
        let credentials = Credentials::Password {
            tenant: Some(self.slug.clone()),
            username: "admin".to_owned(),
            password: PASSWORD.to_owned(),
        };
        let token = issue_token(application, &credentials, &Client::default(), now())?;
        Ok(application.tokens.verify(&token.access_token, now())?)
    }

    /// An access token for a login.
    pub async fn sign_in(
        &self,
        connection: &mut Connection,
        login: &str,
    ) -> Result<String, Failure> {
        let fields = format!(
            "grant_type=password&tenant={}&username={login}&password={}",
            self.slug,
            PASSWORD.replace(' ', "+")
        );
        let answer = connection
            .exchange(&post_fields("/v1/auth/token", &fields))
            .await?;
        let view: serde_json::Value = serde_json::from_slice(&answer.body)?;
        let token = view.get("access_token").and_then(|token| token.as_str());
        match token {
            Some(token) => Ok(token.to_owned()),
            None => Err(format!("{login} cannot sign in: {}", answer.told()).into()),
        }
    }
}

/// A running server, stopped on drop.
pub struct Server {
    child: Child,
    watchdog: Child,
    pub address: SocketAddr,
    /// From the start of the process to its first positive `readyz`.
    pub ready_after: Duration,
}

/// The server's memory, as reported by the system.
pub struct Memory {
    pub peak: String,
    pub now: String,
}

impl Server {
    pub fn start(installation: &Installation) -> Result<Server, Failure> {
        let began = Instant::now();
        let mut child = installation
            .command(&["serve"])
            .env("TONGHOP_LISTEN", "127.0.0.1:0")
            // Measured is what the server can do, not what it allows.
            .env("TONGHOP_ACCOUNT_RATE", "0")
            .env("TONGHOP_TENANT_RATE", "0")
            .env("TONGHOP_ACCOUNT_BYTES", "0")
            .env("TONGHOP_TENANT_BYTES", "0")
            .env("TONGHOP_LOG", "info")
            .env("TONGHOP_LOG_FORMAT", "json")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let watchdog = watchdog_of(&child).inspect_err(|_| end(&mut child))?;
        let log = child.stderr.take();
        let (found, address) = channel();
        std::thread::spawn(move || log.map(|log| follow(log, &found)));
        let mut server = Server {
            child,
            watchdog,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            ready_after: Duration::ZERO,
        };
        let address = address.recv_timeout(PATIENCE);
        server.address = address.map_err(|_| "the server did not begin to serve")?;
        server.wait_until_ready(began)?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, began: Instant) -> Result<(), Failure> {
        let question = get("/readyz", None, None);
        while began.elapsed() < PATIENCE {
            if status_of(self.address, &question).is_ok_and(|status| status.contains(" 200 ")) {
                self.ready_after = began.elapsed();
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err("the server did not become ready".into())
    }

    pub fn memory(&self) -> Result<Memory, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let figure = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
            let kilobytes: usize = kilobytes.unwrap_or_default().trim().parse()?;
            Ok::<_, Failure>(format!("{} MB", kilobytes / 1024))
        };
        Ok(Memory {
            peak: figure("VmHWM:")?,
            now: figure("VmRSS:")?,
        })
    }

    /// Tells the server to stop, and waits until it has.
    pub fn stop(mut self) -> Result<(), Failure> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        let status = self.child.wait()?;
        match status.success() {
            true => Ok(()),
            false => Err(format!("the server ended with {status}").into()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // End the watchdog first, while the process id that it knows is still the server's.
        end(&mut self.watchdog);
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Starts a process that ends the server when this process is gone, in whatever way: the pipe
/// closes then.
fn watchdog_of(child: &Child) -> std::io::Result<Child> {
    Command::new("sh")
        .args([
            "-c",
            "read -r _; kill -KILL \"$0\"",
            &child.id().to_string(),
        ])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// Reads the server's log to its end: finds the address, and prints unusual lines.
fn follow(log: ChildStderr, found: &Sender<SocketAddr>) {
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        if let Some(address) = address_in(&line) {
            let _ = found.send(address);
        } else if !line.contains(r#""level":"INFO""#) {
            eprintln!("server: {line}");
        }
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let event: serde_json::Value = serde_json::from_str(line).ok()?;
    let fields = event.get("fields")?;
    if fields.get("message")?.as_str()? != "serving" {
        return None;
    }
    fields.get("address")?.as_str()?.parse().ok()
}

/// Returns the first line of an answer. Works without an async runtime.
fn status_of(address: SocketAddr, question: &[u8]) -> std::io::Result<String> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.write_all(question)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line)
}
