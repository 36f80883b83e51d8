//! The settings of the program: a TOML file and the environment, which wins. Never a default that
//! hides a mistake: a setting that is unknown or cannot be read stops the start, with its name.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use crate::store::{DatabaseUrl, Servers};

/// The settings by their names in the file, with their names in the environment.
const NAMES: [(&str, &str); 14] = [
    ("database_url", "DATABASE_URL"),
    ("listen", "TONGHOP_LISTEN"),
    ("owner_url", "TONGHOP_OWNER_URL"),
    ("servers", "TONGHOP_SERVERS"),
    ("keys", "TONGHOP_KEYS"),
    ("issuer", "TONGHOP_ISSUER"),
    ("body_limit", "TONGHOP_BODY_LIMIT"),
    ("body_time", "TONGHOP_BODY_TIME"),
    ("request_limit", "TONGHOP_REQUEST_LIMIT"),
    ("stop_grace", "TONGHOP_STOP_GRACE"),
    ("workers", "TONGHOP_WORKERS"),
    ("verify_every", "TONGHOP_VERIFY_EVERY"),
    ("log", "TONGHOP_LOG"),
    ("log_format", "TONGHOP_LOG_FORMAT"),
];

/// Every setting, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the data is.
    pub database_url: DatabaseUrl,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The database as the schema's owner, for migrations; the server has no use for it.
    pub owner_url: Option<DatabaseUrl>,
    /// Whether other servers are on the database.
    pub servers: Servers,
    /// The directory of the keys that sign tokens.
    pub keys: PathBuf,
    /// Who tokens say that they are from.
    pub issuer: String,
    /// The largest body of a request, in bytes.
    pub body_limit: usize,
    /// How long a request may take to bring its body.
    pub body_time: Duration,
    /// The most requests that are worked on at once.
    pub request_limit: usize,
    /// For how long a server that was told to stop says so before it takes no more.
    pub stop_grace: Duration,
    /// How many threads answer requests; by default one a core.
    pub workers: Option<NonZeroUsize>,
    /// How long the server waits before it verifies one more period; `None` for never.
    pub verify_every: Option<Duration>,
    /// What is logged, as directives such as `info,tonghop=debug`.
    pub log: String,
    /// How the log is written.
    pub log_format: LogFormat,
}

/// How the log is written.
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

/// A setting that stops the start. Values are not repeated: one may be a secret.
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
    /// There is no such setting.
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
}

/// A value as it was given, and the name under which it was.
struct GivenValue {
    name: String,
    text: String,
}

/// What was given, by the setting's name in the file.
#[derive(Default)]
struct Given(BTreeMap<&'static str, GivenValue>);

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
            // Compose files and unit files cannot leave a variable out, they empty it.
            if !text.is_empty() {
                self.add(setting, name, text);
            }
        }
        Ok(())
    }

    fn add(&mut self, setting: &'static str, name: &str, text: String) {
        let name = name.to_owned();
        self.0.insert(setting, GivenValue { name, text });
    }

    fn settings(&self) -> Result<Settings, SettingsError> {
        let database_url = self.parsed("database_url")?;
        let body_limit: Option<NonZeroUsize> = self.parsed("body_limit")?;
        let request_limit: Option<NonZeroUsize> = self.parsed("request_limit")?;
        let issuer: Option<String> = self.parsed("issuer")?;
        let log_format = self.parsed("log_format")?;
        Ok(Settings {
            database_url: database_url.unwrap_or_else(default_database),
            listen: self
                .parsed("listen")?
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            owner_url: self.parsed("owner_url")?,
            servers: self.parsed("servers")?.unwrap_or(Servers::Several),
            keys: self
                .parsed("keys")?
                .unwrap_or_else(|| PathBuf::from("./keys")),
            issuer: issuer.unwrap_or_else(|| "tonghop".to_owned()),
            body_limit: body_limit.map_or(2 * 1024 * 1024, NonZeroUsize::get),
            body_time: self.seconds("body_time")?.unwrap_or(DEFAULT_BODY_TIME),
            request_limit: request_limit.map_or(DEFAULT_REQUEST_LIMIT, NonZeroUsize::get),
            stop_grace: self.seconds("stop_grace")?.unwrap_or(DEFAULT_STOP_GRACE),
            workers: self.parsed("workers")?,
            verify_every: some_time(self.parsed("verify_every")?.unwrap_or(600)),
            log: self.directives()?.unwrap_or_else(|| "info".to_owned()),
            log_format: log_format.unwrap_or(LogFormat::Text),
        })
    }

    fn parsed<T: FromStr<Err: Display>>(
        &self,
        setting: &'static str,
    ) -> Result<Option<T>, SettingsError> {
        let Some(given) = self.0.get(setting) else {
            return Ok(None);
        };
        let parsed = given.text.parse();
        parsed
            .map(Some)
            .map_err(|error: T::Err| invalid(&given.name, error))
    }

    fn seconds(&self, setting: &'static str) -> Result<Option<Duration>, SettingsError> {
        let seconds: Option<u32> = self.parsed(setting)?;
        Ok(seconds.map(|seconds| Duration::from_secs(seconds.into())))
    }

    fn directives(&self) -> Result<Option<String>, SettingsError> {
        let Some(given) = self.0.get("log") else {
            return Ok(None);
        };
        EnvFilter::try_new(&given.text).map_err(|error| invalid(&given.name, error))?;
        Ok(Some(given.text.clone()))
    }
}

/// Enough for the largest usual body on a slow mobile network.
pub const DEFAULT_BODY_TIME: Duration = Duration::from_secs(60);

/// More than one machine works on at once, few enough for its memory.
pub const DEFAULT_REQUEST_LIMIT: usize = 512;

/// A balancer that asks each second has asked.
pub const DEFAULT_STOP_GRACE: Duration = Duration::from_secs(2);

/// One file, nothing to install.
fn default_database() -> DatabaseUrl {
    DatabaseUrl::Sqlite {
        path: "tonghop.db".to_owned(),
    }
}

/// Of so many seconds; 0 turns it off.
fn some_time(seconds: u32) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds.into()))
}

fn invalid(name: &str, reason: impl Display) -> SettingsError {
    SettingsError::Invalid {
        name: name.to_owned(),
        reason: reason.to_string(),
    }
}

/// A name that begins like ours and is none of ours is a mistake, except in tests.
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
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    // The error's own display quotes the line, which may hold a password.
    let table: toml::Table = toml::from_str(&text).map_err(|error| {
        let line = line_of(&text, error.span().map_or(0, |span| span.start));
        unreadable(format!("line {line}: {}", error.message()))
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

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or_default();
    before.matches('\n').count() + 1
}

fn text_of(name: &str, value: toml::Value) -> Result<String, SettingsError> {
    match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        _ => Err(invalid(name, "it must be a text or a whole number")),
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
        assert_eq!(settings.stop_grace, DEFAULT_STOP_GRACE);
        assert_eq!(settings.workers, None);
        assert_eq!(settings.servers, Servers::Several);
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
                "TONGHOP_LISTEN: invalid socket address syntax",
            ),
            (
                None,
                ("DATABASE_URL", "mysql://u:secret@h"),
                "DATABASE_URL: it must begin with sqlite: or postgres://",
            ),
            (
                None,
                ("TONGHOP_STOP_GRACE", "-1"),
                "TONGHOP_STOP_GRACE: invalid digit found in string",
            ),
            (
                None,
                ("TONGHOP_WORKERS", "0"),
                "TONGHOP_WORKERS: number would be zero for non-zero type",
            ),
            (
                None,
                ("TONGHOP_SERVERS", "1"),
                "TONGHOP_SERVERS: it must be several or sole",
            ),
            (
                None,
                ("TONGHOP_VERIFY_EVERY", "-1"),
                "TONGHOP_VERIFY_EVERY: invalid digit found in string",
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
                "keys: it must be a text or a whole number",
            ),
        ] {
            assert_eq!(load(file, &[environment]), Err(complaint.to_owned()));
        }
    }

    #[test]
    fn no_message_and_no_debug_shows_a_password() {
        let broken = "listen = 'x'\ndatabase_url = 'postgres://u:secret@h/d";
        let complaint = load(Some(broken), &[]).unwrap_err();
        assert!(complaint.starts_with("the settings file FILE: line 2: "));
        assert!(!complaint.contains("secret"), "{complaint}");

        let settings = load(None, &[("DATABASE_URL", "postgres://u:secret@h/d")]).unwrap();
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
