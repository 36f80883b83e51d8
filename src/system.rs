//! The rights of this process on the machine: the user it runs as, and where it may write. Never
//! what is written.

use std::fmt;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};

/// A user of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    id: u32,
    name: Option<String>,
}

impl User {
    /// The one that this process runs as.
    pub fn current() -> User {
        User::of_id(rustix::process::geteuid().as_raw())
    }

    /// The one whose file or directory it is.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn owner_of(path: &Path) -> std::io::Result<User> {
        Ok(User::of_id(path.metadata()?.uid()))
    }

    pub fn is_root(&self) -> bool {
        self.id == 0
    }

    fn of_id(id: u32) -> User {
        let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let name = accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
        });
        User { id, name }
    }
}

/// As `chown` takes it.
impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.id),
        }
    }
}

/// Why this process may not write where it has to, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error(
        "there is no directory {directory}; as root run: install -d -o {user} -m 700 {directory}"
    )]
    NoDirectory { directory: PathBuf, user: User },
    #[error(
        "the user {user} cannot write in the directory {directory}, which is {owner}'s; run the \
         program as {owner}, or as root: chown {user} {directory} && chmod u+rwx {directory}"
    )]
    Directory {
        directory: PathBuf,
        user: User,
        owner: User,
    },
    #[error(
        "the user {user} cannot write the file {file}, which is {owner}'s; run the program as \
         {owner}, or as root: chown {user} {file} && chmod u+rw {file}"
    )]
    File {
        file: PathBuf,
        user: User,
        owner: User,
    },
    #[error(
        "the user {user} cannot write {path}: its file system is read-only; mount it writable, or \
         name another place"
    )]
    ReadOnly { path: PathBuf, user: User },
    #[error("{path}: {source}")]
    Other {
        path: PathBuf,
        source: std::io::Error,
    },
}

fn other(path: &Path, source: std::io::Error) -> AccessError {
    AccessError::Other {
        path: path.to_owned(),
        source,
    }
}

/// The directory that a path lies in.
pub fn directory_of(path: &Path) -> &Path {
    let parent = path.parent();
    let named = parent.filter(|parent| !parent.as_os_str().is_empty());
    named.unwrap_or(Path::new("."))
}

/// Makes a file in a directory and takes it away again. That there is no room is another matter, and
/// passes by itself.
///
/// # Errors
/// [`AccessError`].
pub fn try_to_write_in(directory: &Path) -> Result<(), AccessError> {
    let tried = tempfile::Builder::new()
        .prefix(".tonghop-try-")
        .tempfile_in(directory);
    let Err(error) = tried else { return Ok(()) };
    let user = User::current();
    Err(match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => return Ok(()),
        ErrorKind::NotFound => AccessError::NoDirectory {
            directory: directory.to_owned(),
            user,
        },
        ErrorKind::PermissionDenied => match nearest(directory) {
            Some((directory, owner)) => AccessError::Directory {
                directory,
                user,
                owner,
            },
            None => other(directory, error),
        },
        ErrorKind::ReadOnlyFilesystem => AccessError::ReadOnly {
            path: directory.to_owned(),
            user,
        },
        _ => other(directory, error),
    })
}

/// The directory itself, or above it the first of which the owner can be told: below one that is
/// closed nothing can.
fn nearest(directory: &Path) -> Option<(PathBuf, User)> {
    directory.ancestors().find_map(|above| {
        // The last one above a relative path is empty, and means the directory that one is in.
        let above = directory_of(&above.join("x")).to_owned();
        let owner = User::owner_of(&above).ok()?;
        Some((above, owner))
    })
}

/// Checks that a directory that is not there could be made: in the first above it that is there.
///
/// # Errors
/// [`AccessError`].
pub fn try_to_make(directory: &Path) -> Result<(), AccessError> {
    let above = directory
        .ancestors()
        .skip(1)
        .map(|above| match above.as_os_str().is_empty() {
            true => Path::new("."),
            false => above,
        })
        .find(|above| above.exists());
    try_to_write_in(above.unwrap_or(Path::new("/")))
}

/// Checks that a file that is there may be read and written. It is asked for and not opened: to
/// close a database's file takes away the locks that this process has on it.
///
/// # Errors
/// [`AccessError`].
pub fn check_writable(file: &Path) -> Result<(), AccessError> {
    let wanted = Access::READ_OK | Access::WRITE_OK;
    let Err(error) = accessat(CWD, file, wanted, AtFlags::EACCESS) else {
        return Ok(());
    };
    let error = std::io::Error::from(error);
    let user = User::current();
    Err(match (error.kind(), User::owner_of(file)) {
        (ErrorKind::PermissionDenied, Ok(owner)) => AccessError::File {
            file: file.to_owned(),
            user,
            owner,
        },
        (ErrorKind::ReadOnlyFilesystem, _) => AccessError::ReadOnly {
            path: file.to_owned(),
            user,
        },
        _ => other(file, error),
    })
}
