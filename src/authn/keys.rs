//! The keys that sign tokens: Ed25519 key pairs in a directory that only the server can read. The
//! first start makes one. Every key in the directory verifies. The names of the files tell what
//! else each does: the last of `0001.ed25519`, `0002.ed25519` … signs, those before it are retired,
//! and `0003.next.ed25519` is the next. So one renaming makes the next key sign and retires the one
//! before it (`rotation.rs`). Other files are ignored.

use std::fmt;
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::signature::{new_private_key, public_key_of};
use crate::system::{AccessError, DirectoryUse, User, try_to_make, try_to_write_in};

/// The reasons for which the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    #[error("{path}: {source}")]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("others than its owner can read {0}; run: chmod 600 {0}")]
    Exposed(PathBuf),
    #[error(
        "others than its owner can write in {0} and could add a key; check that every key is yours, \
         and run: chmod go-w {0}"
    )]
    OpenToOthers(PathBuf),
    #[error(
        "{path} is {owner}'s, but the program runs as {user}, and its owner could sign tokens; if it \
         is the server's, run: chown {user} {path}; otherwise remove it"
    )]
    OfAnotherUser {
        path: PathBuf,
        owner: User,
        user: User,
    },
    /// Kept apart because `chown` to root would lock out the server that owns the key.
    #[error("{path} is {owner}'s, and the program runs as root: run this as {owner}")]
    RunAsRoot { path: PathBuf, owner: User },
    #[error("{0} is no signing key (Ed25519 in PKCS #8): restore it from a backup, or remove it")]
    Damaged(PathBuf),
    #[error("no key in {0} signs; run: tonghop keys activate")]
    NoneActive(PathBuf),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error("cannot make a key")]
    Generate,
}

/// The id by which tokens refer to a key: the SHA-256 of its public part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId([u8; 32]);

impl KeyId {
    /// Reads an id as tokens have it.
    pub fn read(text: &str) -> Option<KeyId> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(KeyId)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// A key pair.
pub struct Key {
    pub id: KeyId,
    /// In PKCS #8.
    pub private: Vec<u8>,
    /// 32 bytes (RFC 8032).
    pub public: Vec<u8>,
}

/// The use of a key. Tokens of all are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Is published, and signs nothing yet.
    Next,
    /// Signs.
    Active,
    /// Signs no more.
    Retired,
}

/// A key of a directory.
pub struct SigningKey {
    pub key: Key,
    pub path: PathBuf,
    pub state: KeyState,
    /// The time since which it has this state.
    pub since: DateTime<Utc>,
}

/// The file of a key, known by its name. Files are in the order in which their keys sign.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyFile {
    pub number: u32,
    pub is_next: bool,
    pub path: PathBuf,
}

const EXTENSION: &str = ".ed25519";
const NEXT: &str = ".next";

impl KeyFile {
    pub fn new(directory: &Path, number: u32, is_next: bool) -> KeyFile {
        let next = if is_next { NEXT } else { "" };
        KeyFile {
            number,
            is_next,
            path: directory.join(format!("{number:04}{next}{EXTENSION}")),
        }
    }

    fn of(path: PathBuf) -> Option<KeyFile> {
        let stem = path.file_name()?.to_str()?.strip_suffix(EXTENSION)?;
        let (digits, is_next) = match stem.strip_suffix(NEXT) {
            Some(digits) => (digits, true),
            None => (stem, false),
        };
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|_| is_number)?;
        Some(KeyFile {
            number,
            is_next,
            path,
        })
    }
}

/// Reads all keys of a directory in the order in which they sign. Makes the first key if there is
/// none.
///
/// # Errors
/// [`SigningKeyError`], also if anybody but the owner can read a key.
pub fn load_or_create(directory: &Path) -> Result<Vec<SigningKey>, SigningKeyError> {
    make_directory(directory)?;
    check_directory(directory)?;
    if key_files(directory)?.is_empty() {
        try_to_write_in(directory, DirectoryUse::Keys)?;
        // If another server has just made it, that one serves.
        create(&KeyFile::new(directory, 1, false))?;
    }
    load_all(directory)
}

fn make_directory(directory: &Path) -> Result<(), SigningKeyError> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(directory);
    made.map_err(|source| match try_to_make(directory, DirectoryUse::Keys) {
        Err(access) => SigningKeyError::Access(access),
        Ok(()) => SigningKeyError::File {
            path: directory.to_owned(),
            source,
        },
    })
}

/// Returns true if a directory holds a key, or cannot be read.
pub fn has_keys(directory: &Path) -> bool {
    directory.exists() && key_files(directory).map_or(true, |files| !files.is_empty())
}

/// Refuses a directory that others may write in: any key put there verifies, and could be the one
/// that signs.
pub(super) fn check_directory(directory: &Path) -> Result<(), SigningKeyError> {
    let in_directory = |source| SigningKeyError::File {
        path: directory.to_owned(),
        source,
    };
    let metadata = std::fs::metadata(directory).map_err(in_directory)?;
    if metadata.permissions().mode() & 0o022 != 0 {
        return Err(SigningKeyError::OpenToOthers(directory.to_owned()));
    }
    let (owner, user) = (
        User::owner_of(directory).map_err(in_directory)?,
        User::current(),
    );
    // Root may do everything anyway.
    if owner == user || owner.is_root() {
        return Ok(());
    }
    Err(owned_by(directory, owner, user))
}

fn owned_by(path: &Path, owner: User, user: User) -> SigningKeyError {
    let path = path.to_owned();
    match user.is_root() {
        true => SigningKeyError::RunAsRoot { path, owner },
        false => SigningKeyError::OfAnotherUser { path, owner, user },
    }
}

/// Reads all keys of a directory in the order in which they sign. Makes nothing.
///
/// # Errors
/// As [`load_or_create`].
pub fn load_all(directory: &Path) -> Result<Vec<SigningKey>, SigningKeyError> {
    check_directory(directory)?;
    let files = key_files(directory)?;
    let mut keys = Vec::with_capacity(files.len());
    for (place, file) in files.iter().enumerate() {
        let signs_later = files.get(place + 1).filter(|following| !following.is_next);
        let (state, dated) = match (file.is_next, signs_later) {
            (true, _) => (KeyState::Next, file),
            (false, Some(following)) => (KeyState::Retired, following),
            (false, None) => (KeyState::Active, file),
        };
        keys.push(SigningKey {
            key: load(&file.path)?,
            path: file.path.clone(),
            state,
            since: modified(&dated.path)?,
        });
    }
    if !keys.is_empty() && !keys.iter().any(|key| key.state == KeyState::Active) {
        return Err(SigningKeyError::NoneActive(directory.to_owned()));
    }
    Ok(keys)
}

/// Returns the time at which a key was made or became active, whichever was later.
fn modified(path: &Path) -> Result<DateTime<Utc>, SigningKeyError> {
    let metadata = std::fs::metadata(path);
    let time = metadata.and_then(|metadata| metadata.modified());
    time.map(DateTime::from)
        .map_err(|source| SigningKeyError::File {
            path: path.to_owned(),
            source,
        })
}

/// Lists the files of the keys. A next key with the number of one that signs or an earlier number is
/// a copy that was left behind, and is ignored.
pub(super) fn key_files(directory: &Path) -> Result<Vec<KeyFile>, SigningKeyError> {
    let in_directory = |source| SigningKeyError::File {
        path: directory.to_owned(),
        source,
    };
    let entries = std::fs::read_dir(directory).map_err(in_directory)?;
    let mut files = Vec::new();
    for entry in entries {
        files.extend(KeyFile::of(entry.map_err(in_directory)?.path()));
    }
    files.sort();
    let signing = files.iter().filter(|file| !file.is_next);
    let active = signing.map(|file| file.number).max();
    files.retain(|file| !file.is_next || Some(file.number) > active);
    Ok(files)
}

/// Makes a key, unless its file exists. Writes a draft and links it to its final name, so that all
/// who try at once agree on one complete key. Returns true if it was made.
pub(super) fn create(new: &KeyFile) -> Result<bool, SigningKeyError> {
    let private = new_private_key().map_err(|_| SigningKeyError::Generate)?;
    let draft = format!(".{}.new", uuid::Uuid::now_v7());
    let draft = new.path.with_file_name(draft);
    let in_draft = |source| SigningKeyError::File {
        path: draft.clone(),
        source,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map_err(in_draft)?;
    file.write_all(&private)
        .and_then(|()| file.sync_all())
        .map_err(in_draft)?;
    let linked = std::fs::hard_link(&draft, &new.path);
    std::fs::remove_file(&draft).map_err(in_draft)?;
    match linked {
        Ok(()) => Ok(true),
        Err(source) if source.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(source) => Err(SigningKeyError::File {
            path: new.path.clone(),
            source,
        }),
    }
}

fn load(path: &Path) -> Result<Key, SigningKeyError> {
    let in_file = |source| SigningKeyError::File {
        path: path.to_owned(),
        source,
    };
    let permissions: Permissions = std::fs::metadata(path).map_err(in_file)?.permissions();
    if permissions.mode() & 0o077 != 0 {
        return Err(SigningKeyError::Exposed(path.to_owned()));
    }
    let (owner, user) = (User::owner_of(path).map_err(in_file)?, User::current());
    if owner != user {
        return Err(owned_by(path, owner, user));
    }
    let private = std::fs::read(path).map_err(in_file)?;
    read(private).ok_or_else(|| SigningKeyError::Damaged(path.to_owned()))
}

/// Makes a key that is not saved.
///
/// # Errors
/// [`SigningKeyError::Generate`].
pub fn passing() -> Result<Key, SigningKeyError> {
    let private = new_private_key().map_err(|_| SigningKeyError::Generate)?;
    read(private).ok_or(SigningKeyError::Generate)
}

fn read(private: Vec<u8>) -> Option<Key> {
    let public = public_key_of(&private)?;
    Some(Key {
        id: KeyId(Sha256::digest(&public).into()),
        private,
        public,
    })
}

/// A public key in the form in which others verify tokens (RFC 8037, section 2).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct JsonWebKey {
    pub kty: String,
    pub crv: String,
    pub kid: String,
    #[serde(rename = "use")]
    pub usage: String,
    pub alg: String,
    pub x: String,
}

impl From<&Key> for JsonWebKey {
    fn from(key: &Key) -> JsonWebKey {
        JsonWebKey {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            kid: key.id.to_string(),
            usage: "sig".to_owned(),
            alg: "EdDSA".to_owned(),
            x: URL_SAFE_NO_PAD.encode(&key.public),
        }
    }
}
