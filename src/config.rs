//! The settings: a TOML file, overridden by the environment. No default hides a mistake: a setting
//! that is unknown or cannot be read stops the start and is named.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::allowance::{Allowance, AllowanceLimits};
use crate::http::tls::CertificateFiles;
use crate::service::application::DEFAULT_READ_TIME;
pub use crate::service::application::DEFAULT_REQUEST_LIMIT;
use crate::store::DatabaseUrl;
use crate::system::User;

/// The settings' names in the file, with their names in the environment.
const NAMES: [(&str, &str); 23] = [
    ("database_url", "DATABASE_URL"),
    ("listen", "TONGHOP_LISTEN"),
    ("public_url", "TONGHOP_PUBLIC_URL"),
    ("tls_certificate", "TONGHOP_TLS_CERTIFICATE"),
    ("tls_key", "TONGHOP_TLS_KEY"),
    ("trusted_proxies", "TONGHOP_TRUSTED_PROXIES"),
    ("allowed_origins", "TONGHOP_ALLOWED_ORIGINS"),
    ("account_rate", "TONGHOP_ACCOUNT_RATE"),
    ("tenant_rate", "TONGHOP_TENANT_RATE"),
    ("account_bytes", "TONGHOP_ACCOUNT_BYTES"),
    ("tenant_bytes", "TONGHOP_TENANT_BYTES"),
    ("owner_url", "TONGHOP_OWNER_URL"),
    ("keys", "TONGHOP_KEYS"),
    ("issuer", "TONGHOP_ISSUER"),
    ("body_limit", "TONGHOP_BODY_LIMIT"),
    ("body_time", "TONGHOP_BODY_TIME"),
    ("read_time", "TONGHOP_READ_TIME"),
    ("request_limit", "TONGHOP_REQUEST_LIMIT"),
    ("stop_grace", "TONGHOP_STOP_GRACE"),
    ("workers", "TONGHOP_WORKERS"),
    ("verify_every", "TONGHOP_VERIFY_EVERY"),
    ("log", "TONGHOP_LOG"),
    ("log_format", "TONGHOP_LOG_FORMAT"),
];

/// All settings, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The database.
    pub database_url: DatabaseUrl,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The address at which people reach the server, if it is not that of `listen`.
    pub public_url: Option<String>,
    /// The files of the certificate, if the server itself speaks TLS.
    pub certificate: Option<CertificateFiles>,
    /// The proxies in front, whose word on a client's address counts.
    pub trusted_proxies: Vec<IpNet>,
    /// The other sites whose pages may call the API.
    pub allowed_origins: Vec<String>,
    /// The requests and bytes that each account and each tenant may send.
    pub allowances: AllowanceLimits,
    /// The database as its schema's owner, for migrations only.
    pub owner_url: Option<DatabaseUrl>,
    /// The directory of the keys that sign tokens.
    pub keys: PathBuf,
    /// The issuer named in tokens.
    pub issuer: String,
    /// The largest body of a request, in bytes.
    pub body_limit: usize,
    /// The time in which a request must deliver its body.
    pub body_time: Duration,
    /// The longest time of a read.
    pub read_time: Duration,
    /// The most requests processed at once.
    pub request_limit: usize,
    /// The time for which a stopping server says so in `/readyz` before it refuses requests.
    pub stop_grace: Duration,
    /// The number of threads that answer requests; by default one a core.
    pub workers: Option<NonZeroUsize>,
    /// The pause between two verifications; `None` turns the verifier off.
    pub verify_every: Option<Duration>,
    /// The log's filter, as directives such as `info,tonghop=debug`.
    pub log: String,
    /// The format of the log.
    pub log_format: LogFormat,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// An object a line, for programs.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<LogFormat, String> {
        match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("it must be text or json".to_owned()),
        }
    }
}

/// A setting that stops the start. Errors do not repeat values: one may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The settings file cannot be read.
    #[error("the settings file {path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
    /// No setting has this name.
    #[error("{0}: there is no such setting")]
    Unknown(String),
    /// The value of a setting cannot be used.
    #[error("{name}: {reason}")]
    Invalid {
        /// The setting.
        name: String,
        /// Why not.
        reason: String,
    },
}

impl Settings {
    /// Reads the settings from `file`, if there is one, and from `environment`.
    ///
    /// # Errors
    /// [`SettingsError`] for the first setting that is unknown or cannot be read.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Settings, SettingsError> {
        let mut given = match file {
            Some(path) => from_file(path)?,
            None => Given::default(),
        };
        given.add_environment(environment)?;
        given.settings()
    }

    /// Returns the address at which people reach the server.
    pub fn reached_at(&self) -> String {
        let scheme = match self.certificate {
            Some(_) => "https",
            None => "http",
        };
        let own = || format!("{scheme}://{}", self.listen);
        self.public_url.clone().unwrap_or_else(own)
    }
}

/// A value as given, and the name under which it was given.
struct GivenSetting {
    name: String,
    text: String,
}

/// The given values, by the setting's name in the file.
#[derive(Default)]
struct Given(BTreeMap<&'static str, GivenSetting>);

impl Given {
    fn add_environment(
        &mut self,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), SettingsError> {
        for (name, value) in environment {
            let Some(name) = name.to_str() else { continue };
            let Some(setting) = setting_of_variable(name)? else {
                continue;
            };
            let text = value
                .into_string()
                .map_err(|_| invalid(name, "it is not UTF-8"))?;
            // Compose files and unit files cannot omit a variable, so they set it to nothing.
            if !text.is_empty() {
                self.add(setting, name, text);
            }
        }
        Ok(())
    }

    fn add(&mut self, setting: &'static str, name: &str, text: String) {
        let name = name.to_owned();
        self.0.insert(setting, GivenSetting { name, text });
    }

    fn settings(&self) -> Result<Settings, SettingsError> {
        let mebibyte = 1024 * 1024;
        Ok(Settings {
            database_url: self
                .read("database_url", str::parse)?
                .unwrap_or_else(default_database),
            listen: self
                .read("listen", listen_address)?
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            public_url: self.read("public_url", public_url)?,
            certificate: self.certificate()?,
            trusted_proxies: self.list("trusted_proxies", network)?,
            allowed_origins: self.list("allowed_origins", origin)?,
            allowances: self.allowances()?,
            owner_url: self.read("owner_url", owner_address)?,
            keys: self
                .read("keys", directory)?
                .unwrap_or_else(|| PathBuf::from("./keys")),
            issuer: self
                .read("issuer", issuer)?
                .unwrap_or_else(|| "tonghop".to_owned()),
            body_limit: self
                .number("body_limit", 1..=1024 * mebibyte, 2 * mebibyte)?
                .try_into()
                .unwrap_or(usize::MAX),
            body_time: self.seconds("body_time", 1..=A_DAY, DEFAULT_BODY_TIME)?,
            read_time: self.seconds("read_time", 0..=A_DAY, DEFAULT_READ_TIME)?,
            request_limit: self
                .number("request_limit", 1..=100_000, DEFAULT_REQUEST_LIMIT.into())?
                .try_into()
                .unwrap_or(usize::MAX),
            stop_grace: self.seconds("stop_grace", 0..=A_DAY, DEFAULT_STOP_GRACE)?,
            workers: self.workers()?,
            verify_every: some_time(self.seconds("verify_every", 0..=365 * A_DAY, VERIFY_EVERY)?),
            log: self
                .read("log", directives)?
                .unwrap_or_else(|| "info".to_owned()),
            log_format: self
                .read("log_format", str::parse)?
                .unwrap_or(LogFormat::Text),
        })
    }

    fn read<T>(
        &self,
        setting: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, SettingsError> {
        let Some(given) = self.0.get(setting) else {
            return Ok(None);
        };
        read(&given.text)
            .map(Some)
            .map_err(|reason| invalid(&given.name, reason))
    }

    /// Reads a whole number. `usual` is the default, and the example in the error.
    fn number(
        &self,
        setting: &'static str,
        within: RangeInclusive<u64>,
        usual: u64,
    ) -> Result<u64, SettingsError> {
        let number = self.read(setting, |text| whole_number(text, &within, usual))?;
        Ok(number.unwrap_or(usual))
    }

    fn seconds(
        &self,
        setting: &'static str,
        within: RangeInclusive<u64>,
        usual: Duration,
    ) -> Result<Duration, SettingsError> {
        let seconds = self.number(setting, within, usual.as_secs())?;
        Ok(Duration::from_secs(seconds))
    }

    /// Reads a list with commas between its items.
    fn list<T>(
        &self,
        setting: &'static str,
        read: fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, SettingsError> {
        let items = self.read(setting, |text| {
            let items = text.split(',').map(str::trim);
            items.filter(|item| !item.is_empty()).map(read).collect()
        })?;
        Ok(items.unwrap_or_default())
    }

    fn allowances(&self) -> Result<AllowanceLimits, SettingsError> {
        let rate = |setting, usual| self.number(setting, 0..=1_000_000, usual);
        let bytes = |setting, usual| self.number(setting, 0..=1 << 50, usual);
        Ok(AllowanceLimits {
            of_account: Allowance {
                requests_a_second: rate("account_rate", 200)?,
                bytes_a_day: bytes("account_bytes", 64 << 20)?,
            },
            of_tenant: Allowance {
                requests_a_second: rate("tenant_rate", 2000)?,
                bytes_a_day: bytes("tenant_bytes", 2 << 30)?,
            },
        })
    }

    fn certificate(&self) -> Result<Option<CertificateFiles>, SettingsError> {
        let chain = self.read("tls_certificate", pem_file)?;
        let key = self.read("tls_key", pem_file)?;
        let alone = |setting, other: &str| {
            let name = self.0.get(setting).map(|given| given.name.as_str());
            invalid(
                name.unwrap_or(setting),
                format!("it must be given together with {other}"),
            )
        };
        match (chain, key) {
            (None, None) => Ok(None),
            (Some(chain), Some(key)) => Ok(Some(CertificateFiles { chain, key })),
            (Some(_), None) => Err(alone("tls_certificate", "TONGHOP_TLS_KEY")),
            (None, Some(_)) => Err(alone("tls_key", "TONGHOP_TLS_CERTIFICATE")),
        }
    }

    fn workers(&self) -> Result<Option<NonZeroUsize>, SettingsError> {
        let workers = self.read("workers", |text| whole_number(text, &(1..=1024), 4))?;
        let workers = workers.and_then(|workers| usize::try_from(workers).ok());
        Ok(workers.and_then(NonZeroUsize::new))
    }
}

fn whole_number(text: &str, within: &RangeInclusive<u64>, example: u64) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| within.contains(number));
    number.ok_or_else(|| {
        let (least, most) = (within.start(), within.end());
        format!("it must be a whole number from {least} to {most}, as in {example}")
    })
}

/// Reads an address to listen on.
///
/// # Errors
/// A sentence with an example.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "it must be an address in numbers and a port, as in 127.0.0.1:8080 or 0.0.0.0:8080"
            .to_owned()
    })
}

/// Reads an origin (RFC 6454): a scheme, a host and perhaps a port, and nothing after them.
fn is_origin(text: &str) -> bool {
    let host = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    host.is_some_and(|host| {
        let letters = host.chars();
        let is_plain = letters.clone().all(|letter| {
            letter.is_ascii_lowercase()
                || letter.is_ascii_digit()
                || ['.', '-', ':', '[', ']'].contains(&letter)
        });
        is_plain && letters.clone().any(|letter| letter.is_ascii_alphanumeric())
    })
}

fn public_url(text: &str) -> Result<String, String> {
    let url = text.trim_end_matches('/');
    match is_origin(url) {
        true => Ok(url.to_owned()),
        false => Err(
            "it must be http:// or https:// and a host in lower case, with a port if needed, as in \
             https://baocao.example.vn"
                .to_owned(),
        ),
    }
}

fn origin(text: &str) -> Result<String, String> {
    match is_origin(text) {
        true => Ok(text.to_owned()),
        false => Err(
            "it must be sites with commas between them, each http:// or https:// and a host, as in \
             https://sohoa.example.vn, https://bieudo.example.vn"
                .to_owned(),
        ),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let single = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| single()).map_err(|_| {
        "it must be addresses or networks with commas between them, as in 10.0.0.5, 192.168.0.0/24"
            .to_owned()
    })
}

fn owner_address(text: &str) -> Result<DatabaseUrl, String> {
    match text.parse() {
        Ok(url @ DatabaseUrl::Postgresql { .. }) => Ok(url),
        Ok(DatabaseUrl::Sqlite { .. }) => {
            Err("only PostgreSQL has an owner beside the server, as in \
             postgres://tonghop_owner:…@localhost/tonghop"
                .to_owned())
        }
        Err(reason) => Err(reason),
    }
}

fn directory(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() || text.contains('\0') {
        return Err("it must be a directory, as in /var/lib/tonghop/keys".to_owned());
    }
    Ok(PathBuf::from(text))
}

fn pem_file(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() || text.contains('\0') {
        return Err("it must be a file, as in /etc/tonghop/server.pem".to_owned());
    }
    Ok(PathBuf::from(text))
}

fn issuer(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err("it must be a name, as in tonghop or https://baocao.example.vn".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads directives of the log. The library takes a single unknown word for the name of a module
/// and then logs nothing of this program, so such a word is refused as a typing error.
fn directives(text: &str) -> Result<String, String> {
    let given = text.split(',').map(str::trim);
    let given: Vec<&str> = given.filter(|directive| !directive.is_empty()).collect();
    // The library misreads a directive after a space.
    let joined = given.join(",");
    let is_meant = !given.is_empty() && given.iter().all(|directive| !is_slip(directive));
    if is_meant && EnvFilter::try_new(&joined).is_ok() {
        return Ok(joined);
    }
    Err(
        "it must be off, error, warn, info, debug or trace, for one part of the program as in \
         info,tonghop::operation=debug"
            .to_owned(),
    )
}

fn is_slip(directive: &str) -> bool {
    let is_word = !directive.contains(['=', '[']);
    let is_ours = directive == "tonghop" || directive.starts_with("tonghop::");
    is_word && !is_ours && directive.parse::<LevelFilter>().is_err()
}

const A_DAY: u64 = 24 * 60 * 60;

/// Often enough to find a wrong total before its report is sent up.
const VERIFY_EVERY: Duration = Duration::from_secs(600);

/// Enough for the largest usual body on a slow mobile network.
pub const DEFAULT_BODY_TIME: Duration = Duration::from_secs(60);

/// Enough for a load balancer that checks every second.
pub const DEFAULT_STOP_GRACE: Duration = Duration::from_secs(2);

/// The default database: one file, nothing to install.
fn default_database() -> DatabaseUrl {
    DatabaseUrl::Sqlite {
        path: "tonghop.db".to_owned(),
    }
}

/// Turns a zero duration into `None`, which means off.
fn some_time(time: Duration) -> Option<Duration> {
    (time > Duration::ZERO).then_some(time)
}

fn invalid(name: &str, reason: impl Display) -> SettingsError {
    SettingsError::Invalid {
        name: name.to_owned(),
        reason: reason.to_string(),
    }
}

/// Finds a variable's setting. An unknown name with this program's prefix is a mistake, except in
/// tests.
fn setting_of_variable(variable: &str) -> Result<Option<&'static str>, SettingsError> {
    let known = NAMES.iter().find(|(_, name)| *name == variable);
    if let Some((setting, _)) = known {
        return Ok(Some(setting));
    }
    if variable.starts_with("TONGHOP_") && !variable.starts_with("TONGHOP_TEST_") {
        return Err(SettingsError::Unknown(variable.to_owned()));
    }
    Ok(None)
}

fn from_file(path: &Path) -> Result<Given, SettingsError> {
    let unreadable = |reason: String| SettingsError::File {
        path: path.display().to_string(),
        reason,
    };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(why_unread(&error)))?;
    // The parser's own message quotes the line, which may hold a password.
    let table: toml::Table = toml::from_str(&text).map_err(|error| {
        let line = line_of(&text, error.span().map_or(0, |span| span.start));
        unreadable(format!(
            "line {line} is not a name and a value, as in listen = \"127.0.0.1:8080\"; each name \
             may stand once"
        ))
    })?;
    let mut given = Given::default();
    for (name, value) in table {
        let known = NAMES.iter().find(|(setting, _)| *setting == name);
        let Some((setting, _)) = known else {
            return Err(SettingsError::Unknown(name));
        };
        given.add(setting, &name, text_of(&name, value)?);
    }
    Ok(given)
}

fn why_unread(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => format!("the user {} may not read it", User::current()),
        ErrorKind::InvalidData => "it is not UTF-8".to_owned(),
        ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or_default();
    before.matches('\n').count() + 1
}

fn text_of(name: &str, value: toml::Value) -> Result<String, SettingsError> {
    match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        _ => Err(invalid(
            name,
            "it must be a text in quotes or a whole number, as in \"text\" or 600",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn load(file: Option<&str>, environment: &[(&str, &str)]) -> Result<Settings, String> {
        let mut written = tempfile::NamedTempFile::new().unwrap();
        written
            .write_all(file.unwrap_or_default().as_bytes())
            .unwrap();
        let environment = environment.iter();
        let environment = environment.map(|(name, value)| (name.into(), value.into()));
        Settings::load(file.map(|_| written.path()), environment).map_err(|error| {
            error
                .to_string()
                .replace(&written.path().display().to_string(), "FILE")
        })
    }

    #[test]
    fn nothing_given_is_a_small_server_on_this_machine() {
        let settings = load(None, &[("PATH", "/bin"), ("TONGHOP_TEST_X", "1")]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.database_url.to_string(), "sqlite:tonghop.db");
        assert_eq!(settings.body_limit, 2 * 1024 * 1024);
        assert_eq!(settings.read_time, DEFAULT_READ_TIME);
        assert_eq!(settings.stop_grace, DEFAULT_STOP_GRACE);
        assert_eq!(settings.workers, None);
        assert_eq!(settings.verify_every, Some(Duration::from_secs(600)));
        assert_eq!(settings.log_format, LogFormat::Text);
    }

    #[test]
    fn the_environment_wins_over_the_file_unless_it_is_empty() {
        let file = "listen = '0.0.0.0:1'\nbody_limit = 5\nissuer = 'here'\n";
        let environment = [("TONGHOP_LISTEN", "0.0.0.0:2"), ("TONGHOP_ISSUER", "")];
        let settings = load(Some(file), &environment).unwrap();
        assert_eq!(settings.listen.to_string(), "0.0.0.0:2");
        assert_eq!(settings.body_limit, 5);
        assert_eq!(settings.issuer, "here");
    }

    #[test]
    fn lists_have_commas_and_the_public_address_is_that_of_the_port_unless_given() {
        let settings = load(None, &[]).unwrap();
        assert_eq!(settings.reached_at(), "http://127.0.0.1:8080");
        assert!(settings.trusted_proxies.is_empty() && settings.allowed_origins.is_empty());
        assert_eq!(settings.allowances.of_account.requests_a_second, 200);
        assert_eq!(
            settings.allowances.of_tenant.bytes_a_day,
            2 * 1024 * 1024 * 1024
        );
        let file = "public_url = 'https://baocao.example.vn/'
            trusted_proxies = '10.0.0.5, fd00::/8'
            allowed_origins = 'https://a.example,http://localhost:3000'
            account_rate = 0";
        let settings = load(Some(file), &[]).unwrap();
        assert_eq!(settings.reached_at(), "https://baocao.example.vn");
        let proxies: Vec<String> = settings
            .trusted_proxies
            .iter()
            .map(IpNet::to_string)
            .collect();
        assert_eq!(proxies, ["10.0.0.5/32", "fd00::/8"]);
        let origins = ["https://a.example", "http://localhost:3000"];
        assert_eq!(settings.allowed_origins, origins);
        assert_eq!(settings.allowances.of_account.requests_a_second, 0);
    }

    #[test]
    fn zero_seconds_turn_the_verifier_off() {
        let settings = load(Some("verify_every = 0"), &[]).unwrap();
        assert_eq!(settings.verify_every, None);
    }

    #[test]
    fn a_bad_setting_stops_with_its_name() {
        for (file, environment, complaint) in [
            (
                None,
                ("TONGHOP_LISEN", "x"),
                "TONGHOP_LISEN: there is no such setting",
            ),
            (
                None,
                ("TONGHOP_LISTEN", "x"),
                "TONGHOP_LISTEN: it must be an address in numbers and a port, as in 127.0.0.1:8080 or 0.0.0.0:8080",
            ),
            (
                None,
                ("DATABASE_URL", "mysql://u:secret@h"),
                "DATABASE_URL: it must begin with sqlite: or postgres://, as in sqlite:tonghop.db",
            ),
            (
                None,
                ("TONGHOP_STOP_GRACE", "-1"),
                "TONGHOP_STOP_GRACE: it must be a whole number from 0 to 86400, as in 2",
            ),
            (
                None,
                ("TONGHOP_WORKERS", "0"),
                "TONGHOP_WORKERS: it must be a whole number from 1 to 1024, as in 4",
            ),
            (
                None,
                ("TONGHOP_VERIFY_EVERY", "-1"),
                "TONGHOP_VERIFY_EVERY: it must be a whole number from 0 to 31536000, as in 600",
            ),
            (
                None,
                ("TONGHOP_TLS_KEY", "/etc/tonghop/key.pem"),
                "TONGHOP_TLS_KEY: it must be given together with TONGHOP_TLS_CERTIFICATE",
            ),
            (
                None,
                ("TONGHOP_LOG_FORMAT", "xml"),
                "TONGHOP_LOG_FORMAT: it must be text or json",
            ),
            (
                Some("keys = 'k'\nport = 1"),
                ("A", "b"),
                "port: there is no such setting",
            ),
            (
                Some("keys = true"),
                ("A", "b"),
                "keys: it must be a text in quotes or a whole number, as in \"text\" or 600",
            ),
        ] {
            assert_eq!(load(file, &[environment]), Err(complaint.to_owned()));
        }
    }

    #[test]
    fn every_setting_that_cannot_be_read_is_told_in_our_own_words_with_an_example() {
        let wrong = [
            ("database_url", ""),
            ("database_url", "postgres:/h/d"),
            ("database_url", "sqlite:"),
            ("listen", "localhost:8080"),
            ("listen", "127.0.0.1"),
            ("listen", "127.0.0.1:99999"),
            ("owner_url", "sqlite:tonghop.db"),
            ("owner_url", "mysql://h/d"),
            ("public_url", "baocao.example.vn"),
            ("public_url", "https://baocao.example.vn/x"),
            ("public_url", "https://"),
            ("trusted_proxies", "10.0.0.0/33"),
            ("trusted_proxies", "10.0.0.1; 10.0.0.2"),
            ("allowed_origins", "*"),
            ("allowed_origins", "https://a.example, https://b.example/"),
            ("account_rate", "-1"),
            ("tenant_bytes", "2 GB"),
            ("tls_certificate", ""),
            ("tls_key", ""),
            ("keys", ""),
            ("issuer", ""),
            ("issuer", "  "),
            ("body_limit", "0"),
            ("body_limit", "2 MB"),
            ("body_limit", "99999999999999999999"),
            ("body_time", "0"),
            ("request_limit", "0"),
            ("stop_grace", "1.5"),
            ("workers", "1000000"),
            ("verify_every", "often"),
            ("log", "loud"),
            ("log", "info,loud"),
            ("log", "tonghop=loud"),
            ("log", "in fo"),
            ("log", "=info"),
            ("log", ""),
            ("log", " , "),
            ("log_format", "xml"),
        ];
        for (setting, value) in wrong {
            let file = format!("{setting} = '{value}'");
            let complaint = load(Some(&file), &[]).unwrap_err();
            let own = [
                ": it must be",
                ": only PostgreSQL has",
                ": sqlite: needs a file",
            ];
            let is_own = own
                .iter()
                .any(|own| complaint.starts_with(&format!("{setting}{own}")));
            let example = match setting {
                "log_format" => "text or json",
                _ => "as in ",
            };
            assert!(
                is_own && complaint.contains(example),
                "{setting} = {value:?}: {complaint}"
            );
        }
        let spaced = load(None, &[("TONGHOP_LOG", " info, tonghop=debug,")]).unwrap();
        assert_eq!(spaced.log, "info,tonghop=debug");
        for log in [
            "off",
            "INFO",
            "3",
            "tonghop",
            "tonghop::operation",
            "info,tonghop",
            "actix_server=info",
            "tonghop[request]=debug",
            "info,tonghop::operation=debug",
            "tonghop=debug",
            "warn,actix_server=info",
        ] {
            let settings = load(None, &[("TONGHOP_LOG", log)]).unwrap();
            assert_eq!(settings.log, log);
        }
    }

    #[test]
    fn an_address_that_postgresql_would_quote_back_is_refused_without_its_password() {
        for url in [
            "postgres://u:se%zzcret@h/d",
            "postgres://u:se%secret@h/d",
            "postgres://u:secret/more@h/d",
            "postgres://u:secret@more:x@h/d",
            "postgres://u:secret?x@h/d",
            "postgres://u@h:secret/d",
        ] {
            let complaint = load(None, &[("DATABASE_URL", url)]).unwrap_err();
            assert!(
                complaint.starts_with("DATABASE_URL: "),
                "{url}: {complaint}"
            );
            assert!(
                complaint.contains("%40") && !complaint.contains("secret"),
                "{url}: {complaint}"
            );
        }
        for url in [
            "postgres://u:p%40ss@h/d",
            "postgresql://u@[::1]:5432/d?sslmode=require",
            "postgres://u:p@h1:5432,h2:5433/d",
            "postgres://u:p:#@h/d",
            "postgres://u:p@h/d?options=-csearch_path%3Dx",
            "postgres:///d?host=/run/postgresql",
        ] {
            load(None, &[("DATABASE_URL", url)]).unwrap();
        }
    }

    #[test]
    fn no_message_and_no_debug_shows_a_password() {
        let broken = "listen = 'x'\ndatabase_url = 'postgres://u:secret@h/d";
        let complaint = load(Some(broken), &[]).unwrap_err();
        assert!(complaint.starts_with("the settings file FILE: line 2 is not "));
        assert!(!complaint.contains("secret"), "{complaint}");

        let settings = load(None, &[("DATABASE_URL", "postgres://u:secret@h/d")]).unwrap();
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
