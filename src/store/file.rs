//! The file of a SQLite database: created only on request, and watched while in use. Knows nothing
//! of its content.

use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::system::{AccessError, DirectoryUse, check_writable, directory_of, try_to_write_in};

/// The identity of a file, which stays when the file is written or renamed. Two files never share
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    number: u64,
}

impl FileIdentity {
    fn of(path: &Path) -> std::io::Result<FileIdentity> {
        let file = path.metadata()?;
        Ok(FileIdentity {
            device: file.dev(),
            number: file.ino(),
        })
    }
}

/// The error of a database file that is no longer at the path under which it was opened. Nobody
/// would find what is written to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} was removed or replaced while the server had it open: put it back, or stop the server, \
     restore a backup and start it again"
)]
pub struct Moved(PathBuf);

/// Returns the path of a file that SQLite keeps beside a database in use.
fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn log_of(database: &Path) -> PathBuf {
    beside(database, "-wal")
}

/// Follows links to the real file: SQLite keeps its other files beside that one.
pub fn followed(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The file that all connections of one [`Database`](super::Database) must open.
pub(super) struct WatchedFile {
    path: PathBuf,
    /// The file's identity at the first connection.
    first: OnceLock<FileIdentity>,
    /// Set once the log was removed under a connection. Two logs exist from then on, whatever is
    /// put back.
    lost_log: OnceLock<Moved>,
}

impl WatchedFile {
    pub fn at(path: &str) -> WatchedFile {
        WatchedFile {
            path: path.into(),
            first: OnceLock::new(),
            lost_log: OnceLock::new(),
        }
    }

    /// Checks that the path still leads to the same file.
    pub fn check(&self) -> Result<(), Moved> {
        match (self.lost_log.get(), self.first.get()) {
            (Some(lost), _) => Err(lost.clone()),
            (None, Some(first)) => check(&self.path, *first),
            (None, None) => Ok(()),
        }
    }

    /// Opens a connection with `open` and records the files that it has open. Refuses a connection
    /// to another file than the first.
    pub fn open<T, E>(
        self: &Arc<Self>,
        open: impl FnOnce() -> Result<T, E>,
        moved: impl Fn(Moved) -> E,
    ) -> Result<(T, OpenFiles), E> {
        let before = FileIdentity::of(&self.path).ok();
        let connection = open()?;
        let after = FileIdentity::of(&self.path).ok();
        let (Some(database), true) = (after, before == after) else {
            return Err(moved(Moved(self.path.clone())));
        };
        if *self.first.get_or_init(|| database) != database {
            return Err(moved(Moved(self.path.clone())));
        }
        let log = log_of(&followed(&self.path));
        let files = OpenFiles {
            watched: Arc::clone(self),
            // SQLite keeps the log while anybody has the database open. Some file systems cannot
            // have one.
            log: FileIdentity::of(&log).ok().map(|identity| (log, identity)),
        };
        Ok((connection, files))
    }
}

/// The files that a connection has open.
pub(super) struct OpenFiles {
    watched: Arc<WatchedFile>,
    log: Option<(PathBuf, FileIdentity)>,
}

impl OpenFiles {
    /// Checks that the paths of the database and of its log, to which commits are written, still
    /// lead to the open files.
    pub fn check(&self) -> Result<(), Moved> {
        self.watched.check()?;
        let Some((path, log)) = &self.log else {
            return Ok(());
        };
        check(path, *log).inspect_err(|lost| {
            let _ = self.watched.lost_log.set(lost.clone());
        })
    }
}

fn check(path: &Path, identity: FileIdentity) -> Result<(), Moved> {
    match FileIdentity::of(path) {
        Ok(found) if found == identity => Ok(()),
        _ => Err(Moved(path.to_owned())),
    }
}

/// Returns true if there is a database; an empty file is none.
pub fn is_there(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.len() > 0)
}

/// Makes the file of a new database, readable by its owner only because it will hold password
/// hashes. SQLite gives its other files the same permissions.
///
/// # Errors
/// [`AccessError`], also if a non-empty file exists.
pub(super) fn make(path: &Path) -> Result<(), AccessError> {
    try_to_write_in(directory_of(path), DirectoryUse::Database)?;
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && !is_there(path) => Ok(()),
        Err(source) => Err(AccessError::Other {
            path: path.to_owned(),
            source,
        }),
        Ok(_) => Ok(()),
    }
}

/// Checks that a server can write an existing database: its file, the files beside it, and new
/// ones.
///
/// # Errors
/// [`AccessError`].
pub(super) fn check_access(path: &Path) -> Result<(), AccessError> {
    let path = followed(path);
    let files = [path.clone(), log_of(&path), beside(&path, "-shm")];
    for file in files.iter().filter(|file| file.exists()) {
        check_writable(file)?;
    }
    try_to_write_in(directory_of(&path), DirectoryUse::Database)
}

/// Returns the path as a SQLite address that never creates a file. Otherwise a connection to a
/// removed file would open a new, empty one.
pub(super) fn address(path: &str) -> String {
    let mut address = String::from(if path.starts_with('/') {
        "file://"
    } else {
        "file:"
    });
    for character in path.chars() {
        match character {
            '%' => address.push_str("%25"),
            '?' => address.push_str("%3f"),
            '#' => address.push_str("%23"),
            _ => address.push(character),
        }
    }
    address.push_str("?mode=rw");
    address
}
