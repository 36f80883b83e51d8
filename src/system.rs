//! The rights of this process on the machine: its user, and where it may write. Does not know what
//! is written.

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
    /// Returns the user that this process runs as.
    pub fn current() -> User {
        User::of_id(rustix::process::geteuid().as_raw())
    }

    /// Returns the owner of a file or directory.
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

/// Writes the user as `chown` takes it.
impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.id),
        }
    }
}

/// The use of a directory, which tells by which setting another one is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectoryUse {
    Database,
    Keys,
    Demo,
}

impl DirectoryUse {
    /// Writes the setting that puts its files into `directory`.
    fn setting(self, directory: &Path) -> String {
        let place = directory.display();
        match self {
            DirectoryUse::Database => format!("set DATABASE_URL=sqlite:{place}/tonghop.db"),
            DirectoryUse::Keys => format!("set TONGHOP_KEYS={place}/keys"),
            DirectoryUse::Demo => format!("give --data-dir {place}"),
        }
    }
}

/// The reasons for which this process may not write, each with its cure. No cure gives the program
/// root's rights, or a directory that other programs use.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error(
        "there is no directory {directory}; as root run: install -d -o {user} -m 700 {directory}"
    )]
    NoDirectory { directory: PathBuf, user: User },
    #[error(
        "the user {user} cannot write in the directory {directory}, which is {owner}'s; {cure}"
    )]
    Directory {
        directory: PathBuf,
        user: User,
        owner: User,
        cure: String,
    },
    #[error("the user {user} cannot write the file {file}, which is {owner}'s; {cure}")]
    File {
        file: PathBuf,
        user: User,
        owner: User,
        cure: String,
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

fn directory_cure(directory: &Path, user: &User, owner: &User, using: DirectoryUse) -> String {
    if owner == user {
        return format!("run: chmod u+rwx {}", directory.display());
    }
    let own = own_directory(user);
    let (place, setting) = (own.display(), using.setting(&own));
    let made = format!("as root make a directory for it: install -d -o {user} -m 700 {place}");
    match owner.is_root() {
        true => format!("{made} and {setting}"),
        false => format!("run the program as {owner}, or {made} and {setting}"),
    }
}

/// Returns a directory that can be the user's alone: no other user has it.
fn own_directory(user: &User) -> PathBuf {
    let usual = Path::new("/var/lib/tonghop");
    match User::owner_of(usual) {
        Ok(owner) if owner != *user => PathBuf::from(format!("/var/lib/tonghop-{user}")),
        _ => usual.to_owned(),
    }
}

fn file_cure(file: &Path, user: &User, owner: &User) -> String {
    let file = file.display();
    if owner == user {
        format!("run: chmod u+rw {file}")
    } else if owner.is_root() {
        format!("if it is this program's database, run as root: chown {user} {file}")
    } else {
        format!("run the program as {owner}")
    }
}

/// Returns the path from the root, so that an advice holds in every directory.
fn from_root(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn other(path: &Path, source: std::io::Error) -> AccessError {
    AccessError::Other {
        path: path.to_owned(),
        source,
    }
}

/// Returns the directory that contains a path.
pub fn directory_of(path: &Path) -> &Path {
    let parent = path.parent();
    let named = parent.filter(|parent| !parent.as_os_str().is_empty());
    named.unwrap_or(Path::new("."))
}

/// Makes a file in a directory and removes it again. A full disk is no error here, since it can
/// pass.
///
/// # Errors
/// [`AccessError`].
pub fn try_to_write_in(directory: &Path, using: DirectoryUse) -> Result<(), AccessError> {
    let tried = tempfile::Builder::new()
        .prefix(".tonghop-try-")
        .tempfile_in(directory);
    let Err(error) = tried else { return Ok(()) };
    let user = User::current();
    Err(match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => return Ok(()),
        ErrorKind::NotFound => AccessError::NoDirectory {
            directory: from_root(directory),
            user,
        },
        ErrorKind::PermissionDenied => match nearest(directory) {
            Some((directory, owner)) => AccessError::Directory {
                cure: directory_cure(&directory, &user, &owner, using),
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

/// Returns the nearest existing directory at or above `directory` whose owner can be read. Nothing
/// below a closed directory can be.
fn nearest(directory: &Path) -> Option<(PathBuf, User)> {
    from_root(directory).ancestors().find_map(|above| {
        let owner = User::owner_of(above).ok()?;
        Some((above.to_owned(), owner))
    })
}

/// Checks that a missing directory could be made, by trying in the first existing directory above
/// it.
///
/// # Errors
/// [`AccessError`].
pub fn try_to_make(directory: &Path, using: DirectoryUse) -> Result<(), AccessError> {
    let above = directory
        .ancestors()
        .skip(1)
        .map(|above| match above.as_os_str().is_empty() {
            true => Path::new("."),
            false => above,
        })
        .find(|above| above.exists());
    try_to_write_in(above.unwrap_or(Path::new("/")), using)
}

/// Checks that an existing file may be read and written, without opening it: closing a database's
/// file would drop the locks that this process holds on it.
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
            cure: file_cure(&from_root(file), &user, &owner),
            file: from_root(file),
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
