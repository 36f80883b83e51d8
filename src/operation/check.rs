//! Checks an installation: what a server will find when it starts here, and how to correct what is
//! wrong. Changes neither data nor settings.

use std::fmt;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Datelike, TimeDelta, Utc};

use crate::authn::keys;
use crate::config::Settings;
use crate::http::server::bind;
use crate::http::tls::{CertificateFiles, CertificateLife, greeted, is_exposed, life_of};
use crate::store::DatabaseUrl;
use crate::store::file::followed;
use crate::store::inspection::{clock, journal_mode};
use crate::store::migration::{MigrationError, Requirement, check_each, check_pages};
use crate::system::{DirectoryUse, directory_of, try_to_make, try_to_write_in};

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    /// A server starts and works, but somebody should look.
    Warning,
    /// A server does not start or does not work correctly.
    Fault,
}

/// The result of one check, with advice if it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub verdict: Verdict,
    pub what: &'static str,
    pub text: String,
}

impl Finding {
    fn new(verdict: Verdict, what: &'static str, text: impl Into<String>) -> Finding {
        Finding {
            verdict,
            what,
            text: text.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Fault => "fault",
        };
        write!(f, "{verdict:<7}  {:<10} {}", self.what, self.text)
    }
}

pub fn is_ok(finding: &Finding) -> bool {
    finding.verdict == Verdict::Ok
}

pub fn is_fault(finding: &Finding) -> bool {
    finding.verdict == Verdict::Fault
}

/// Checks everything that a server with these settings needs.
pub fn check_installation(settings: &Settings, now: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = database(&settings.database_url, now);
    findings.push(our_clock(now));
    findings.push(signing_keys(&settings.keys));
    findings.extend(check_tls(settings, now));
    findings.push(listening(settings));
    findings
}

fn database(url: &DatabaseUrl, now: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let DatabaseUrl::Sqlite { path } = url {
        let path = Path::new(path);
        findings.push(disk(&followed(path)));
        if path.exists() {
            findings.push(privacy("file", path));
        } else if let Err(error) = try_to_write_in(directory_of(path), DirectoryUse::Database) {
            findings.push(Finding::new(Verdict::Fault, "access", error.to_string()));
        }
    }
    let checked = match check_each(url) {
        Ok(checked) => checked,
        Err(error) => {
            let text = match error {
                MigrationError::Open { .. } => {
                    format!("{error}; see DATABASE_URL, and whether the database runs")
                }
                _ => error.to_string(),
            };
            findings.push(Finding::new(Verdict::Fault, "database", text));
            return findings;
        }
    };
    findings.push(Finding::new(
        Verdict::Ok,
        "database",
        format!("{url} answers"),
    ));
    let checked = checked.into_iter();
    findings.extend(checked.map(|checked| requirement(url, checked)));
    if findings.iter().any(is_fault) {
        return findings;
    }
    findings.extend(pages(url));
    findings.extend(writing(url));
    findings.extend(its_clock(url, now));
    findings
}

fn pages(url: &DatabaseUrl) -> Option<Finding> {
    let DatabaseUrl::Sqlite { .. } = url else {
        return None;
    };
    Some(match check_pages(url) {
        Ok(()) => Finding::new(Verdict::Ok, "pages", "the whole file is sound"),
        Err(error) => Finding::new(Verdict::Fault, "pages", error.to_string()),
    })
}

fn requirement(url: &DatabaseUrl, (what, outcome): Requirement) -> Finding {
    match (outcome, url) {
        (Ok(()), _) => Finding::new(Verdict::Ok, what, "as a server needs it"),
        (Err(MigrationError::Outdated(_)), DatabaseUrl::Sqlite { .. }) => {
            let text = "older than this program; a server brings it up to date when it starts: \
                        take a backup first";
            Finding::new(Verdict::Warning, what, text)
        }
        (Err(error), _) => Finding::new(Verdict::Fault, what, error.to_string()),
    }
}

/// Thresholds of free disk space, in bytes. Below the first there is no room to work. Below the
/// second, or with less than a copy of the database needs, somebody should look.
const LEAST_FREE: u64 = 64 << 20;
const ENOUGH_FREE: u64 = 1 << 30;

fn disk(database: &Path) -> Finding {
    let directory = directory_of(database);
    let size = database.metadata().map_or(0, |file| file.len());
    let free = match rustix::fs::statvfs(directory) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => {
            let text = format!("{}: {error}", directory.display());
            return Finding::new(Verdict::Fault, "disk", text);
        }
    };
    let megabytes = free >> 20;
    let place = directory.display();
    if free < LEAST_FREE {
        let text =
            format!("{megabytes} MB free in {place}: nothing can be written soon; make room");
        Finding::new(Verdict::Fault, "disk", text)
    } else if free < ENOUGH_FREE.max(size) {
        let text = format!("{megabytes} MB free in {place}: make room before it is full");
        Finding::new(Verdict::Warning, "disk", text)
    } else {
        Finding::new(
            Verdict::Ok,
            "disk",
            format!("{megabytes} MB free in {place}"),
        )
    }
}

fn privacy(what: &'static str, path: &Path) -> Finding {
    let place = path.display();
    match path.metadata() {
        Ok(file) if file.permissions().mode() & 0o077 == 0 => Finding::new(
            Verdict::Ok,
            what,
            format!("only its owner can reach {place}"),
        ),
        Ok(_) => {
            let text = format!("others than its owner can reach {place}; run: chmod go= {place}");
            Finding::new(Verdict::Warning, what, text)
        }
        Err(error) => Finding::new(Verdict::Fault, what, format!("{place}: {error}")),
    }
}

fn writing(url: &DatabaseUrl) -> Option<Finding> {
    let mode = match journal_mode(url) {
        Ok(found) => found?,
        Err(error) => return Some(Finding::new(Verdict::Fault, "writing", error.to_string())),
    };
    Some(if mode == "wal" {
        let text = "write-ahead log; changes are on the disk before they are acknowledged";
        Finding::new(Verdict::Ok, "writing", text)
    } else {
        let text = format!(
            "journal_mode is {mode}; a server changes it to wal when it starts: if it stays the \
             same, put the file on a local disk"
        );
        Finding::new(Verdict::Warning, "writing", text)
    })
}

/// Allowed differences between two machines' clocks, in seconds. Deadlines and tokens go by this
/// machine's clock.
const CLOSE: u64 = 2;
const FAR: u64 = 60;

fn its_clock(url: &DatabaseUrl, now: DateTime<Utc>) -> Option<Finding> {
    let theirs = match clock(url) {
        Ok(theirs) => theirs?,
        Err(error) => return Some(Finding::new(Verdict::Fault, "clocks", error.to_string())),
    };
    let apart = theirs.abs_diff(now.timestamp());
    let verdict = if apart <= CLOSE {
        Verdict::Ok
    } else if apart <= FAR {
        Verdict::Warning
    } else {
        Verdict::Fault
    };
    let text = match verdict {
        Verdict::Ok => "the database's clock agrees with this one".to_owned(),
        _ => format!("the database's clock differs by {apart} s: let both follow a time server"),
    };
    Some(Finding::new(verdict, "clocks", text))
}

/// The years that a clock may show. This program dates from the first; an earlier year means that
/// the clock lost its battery.
const PLAUSIBLE_YEARS: std::ops::Range<i32> = 2025..2100;

/// A clock too wrong to judge deadlines and the expiry of tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the clock of this machine shows {0}: set it, or let it follow a time server")]
pub struct WrongClock(String);

/// Checks that the clock's time is plausible.
///
/// # Errors
/// [`WrongClock`].
pub fn check_clock(now: DateTime<Utc>) -> Result<(), WrongClock> {
    match PLAUSIBLE_YEARS.contains(&now.year()) {
        true => Ok(()),
        false => Err(WrongClock(shown(now))),
    }
}

fn shown(now: DateTime<Utc>) -> String {
    now.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn our_clock(now: DateTime<Utc>) -> Finding {
    match check_clock(now) {
        Ok(()) => Finding::new(Verdict::Ok, "clock", shown(now)),
        Err(error) => Finding::new(Verdict::Fault, "clock", error.to_string()),
    }
}

/// Takes the port for a moment, unless a server is using it already.
fn listening(settings: &Settings) -> Finding {
    let address = settings.listen;
    match bind(address) {
        Ok(_) => Finding::new(Verdict::Ok, "listen", format!("{address} is free")),
        Err(_) if is_served(settings) => {
            let text = format!("a server of Tonghop answers on {address}");
            Finding::new(Verdict::Ok, "listen", text)
        }
        Err(error) => Finding::new(Verdict::Fault, "listen", error.to_string()),
    }
}

/// The time in which a running server must answer.
const TIME_TO_ANSWER: Duration = Duration::from_secs(5);

fn is_served(settings: &Settings) -> bool {
    let answer = || {
        let stream = TcpStream::connect_timeout(&settings.listen, TIME_TO_ANSWER)?;
        stream.set_read_timeout(Some(TIME_TO_ANSWER))?;
        stream.set_write_timeout(Some(TIME_TO_ANSWER))?;
        match settings.certificate {
            Some(_) => answer_on(greeted(stream)?),
            None => answer_on(stream),
        }
    };
    // Every answer of this program carries a request id.
    answer().is_ok_and(|answer| answer.contains(" 200 ") && answer.contains("x-request-id"))
}

fn answer_on(mut stream: impl Read + Write) -> std::io::Result<String> {
    stream.write_all(b"GET /livez HTTP/1.0\r\n\r\n")?;
    let mut answer = [0; 4096];
    let read = stream.read(&mut answer)?;
    let answer = answer.get(..read).unwrap_or_default();
    Ok(String::from_utf8_lossy(answer).to_lowercase())
}

fn signing_keys(directory: &Path) -> Finding {
    let place = directory.display();
    if !directory.exists() {
        if let Err(error) = try_to_make(directory, DirectoryUse::Keys) {
            return Finding::new(Verdict::Fault, "keys", error.to_string());
        }
        let text = format!("there is no {place}; a server will make it, and all sign in anew");
        return Finding::new(Verdict::Warning, "keys", text);
    }
    match keys::load_all(directory) {
        Err(error) => Finding::new(Verdict::Fault, "keys", error.to_string()),
        Ok(keys) if keys.is_empty() => {
            if let Err(error) = try_to_write_in(directory, DirectoryUse::Keys) {
                return Finding::new(Verdict::Fault, "keys", error.to_string());
            }
            let text = format!("none in {place}; a server will make one, and all sign in anew");
            Finding::new(Verdict::Warning, "keys", text)
        }
        Ok(keys) => {
            let text = format!("{} in {place}, its owner's alone", keys.len());
            Finding::new(Verdict::Ok, "keys", text)
        }
    }
}

/// The time before the end of a certificate in which somebody should renew it.
const RENEWING: TimeDelta = TimeDelta::days(14);

/// Checks the certificate, and that the address that people are told is one of TLS. Finds nothing if
/// the server speaks no TLS itself.
pub fn check_tls(settings: &Settings, now: DateTime<Utc>) -> Vec<Finding> {
    let Some(files) = &settings.certificate else {
        return Vec::new();
    };
    let public = settings.public_url.as_deref();
    let plain = public.and_then(|url| url.strip_prefix("http://"));
    let plain = plain.map(|rest| {
        let text = format!(
            "TONGHOP_PUBLIC_URL is http://{rest}, but the server speaks TLS and the links in \
             invitations would not open; set it to https://{rest}"
        );
        Finding::new(Verdict::Warning, "tls", text)
    });
    let mut findings = Vec::from_iter(exposure(&files.key));
    findings.push(certificate(files, now));
    findings.extend(plain);
    findings
}

fn exposure(key: &Path) -> Option<Finding> {
    is_exposed(key).then(|| {
        let key = key.display();
        let text = format!("everybody on this machine may read {key}; run: chmod o= {key}");
        Finding::new(Verdict::Warning, "tls", text)
    })
}

fn certificate(files: &CertificateFiles, now: DateTime<Utc>) -> Finding {
    let (from, until) = match life_of(files) {
        Ok(CertificateLife { from, until }) => (from, until),
        Err(error) => return Finding::new(Verdict::Fault, "tls", error.to_string()),
    };
    let place = files.chain.display();
    let (verdict, text) = if now < from {
        let from = shown(from);
        let text = format!("{place} is not valid before {from}: see whether the clock is right");
        (Verdict::Fault, text)
    } else if until < now {
        let until = shown(until);
        let text = format!("{place} has expired on {until}: no client trusts it; renew it");
        (Verdict::Fault, text)
    } else if until < now + RENEWING {
        let text = format!("{place} is valid until {}: renew it soon", shown(until));
        (Verdict::Warning, text)
    } else {
        let text = format!("{place} is valid until {}", shown(until));
        (Verdict::Ok, text)
    };
    Finding::new(verdict, "tls", text)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn a_clock_that_cannot_be_right_is_refused_before_anything_is_dated_by_it() {
        let on = |year| Utc.with_ymd_and_hms(year, 6, 1, 0, 0, 0).unwrap();
        for wrong in [1900, 1969, 1970, 2001, 2100] {
            let refused = check_clock(on(wrong)).unwrap_err().to_string();
            assert!(refused.contains(&wrong.to_string()) && refused.contains("time server"));
            assert_eq!(our_clock(on(wrong)).verdict, Verdict::Fault);
        }
        assert_eq!(check_clock(on(2026)), Ok(()));
    }
}
