//! The keys that sign tokens: Ed25519 key pairs in a directory that only the server can read. The
//! first start makes one. Every key in the directory verifies; the last by name signs. To rotate,
//! add a file with a later name, and remove the old file when its tokens have expired.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::signature::{new_private_key, public_key_of};
use crate::system::{AccessError, User, try_to_make, try_to_write_in};

/// The reasons for which the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
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
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error("cannot make a key")]
    Generate,
}

/// A key pair and the id by which tokens refer to it.
pub struct Key {
    pub id: String,
    /// In PKCS #8.
    pub private: Vec<u8>,
    /// 32 bytes (RFC 8032).
    pub public: Vec<u8>,
}

const EXTENSION: &str = "ed25519";
const FIRST: &str = "0001.ed25519";

/// Reads all keys of a directory in the order of their names. Makes the first key if there is none.
///
/// # Errors
/// [`KeyError`], also if anybody but the owner can read a key.
pub fn load_or_create(directory: &Path) -> Result<Vec<Key>, KeyError> {
    make_directory(directory)?;
    check_directory(directory)?;
    if key_files(directory)?.is_empty() {
        try_to_write_in(directory)?;
        create_first(directory)?;
    }
    load_all(directory)
}

fn make_directory(directory: &Path) -> Result<(), KeyError> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(directory);
    made.map_err(|source| match try_to_make(directory) {
        Err(access) => KeyError::Access(access),
        Ok(()) => KeyError::File {
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
fn check_directory(directory: &Path) -> Result<(), KeyError> {
    let in_directory = |source| KeyError::File {
        path: directory.to_owned(),
        source,
    };
    let metadata = std::fs::metadata(directory).map_err(in_directory)?;
    if metadata.permissions().mode() & 0o022 != 0 {
        return Err(KeyError::OpenToOthers(directory.to_owned()));
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

fn owned_by(path: &Path, owner: User, user: User) -> KeyError {
    let path = path.to_owned();
    match user.is_root() {
        true => KeyError::RunAsRoot { path, owner },
        false => KeyError::OfAnotherUser { path, owner, user },
    }
}

/// Reads all keys of a directory in the order of their names. Makes nothing.
///
/// # Errors
/// As [`load_or_create`].
pub fn load_all(directory: &Path) -> Result<Vec<Key>, KeyError> {
    check_directory(directory)?;
    key_files(directory)?
        .iter()
        .map(|path| load(path))
        .collect()
}

fn key_files(directory: &Path) -> Result<Vec<PathBuf>, KeyError> {
    let in_directory = |source| KeyError::File {
        path: directory.to_owned(),
        source,
    };
    let entries = std::fs::read_dir(directory).map_err(in_directory)?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(in_directory)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == EXTENSION)
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Writes a draft and links it to its final name, so that two servers starting at once agree on one
/// complete key.
fn create_first(directory: &Path) -> Result<(), KeyError> {
    let private = new_private_key().map_err(|_| KeyError::Generate)?;
    let draft = directory.join(format!(".{}.new", uuid::Uuid::now_v7()));
    let in_draft = |source| KeyError::File {
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
    let path = directory.join(FIRST);
    let linked = std::fs::hard_link(&draft, &path);
    std::fs::remove_file(&draft).map_err(in_draft)?;
    match linked {
        Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(KeyError::File { path, source })
        }
        _ => Ok(()),
    }
}

fn load(path: &Path) -> Result<Key, KeyError> {
    let in_file = |source| KeyError::File {
        path: path.to_owned(),
        source,
    };
    let permissions: Permissions = std::fs::metadata(path).map_err(in_file)?.permissions();
    if permissions.mode() & 0o077 != 0 {
        return Err(KeyError::Exposed(path.to_owned()));
    }
    let (owner, user) = (User::owner_of(path).map_err(in_file)?, User::current());
    if owner != user {
        return Err(owned_by(path, owner, user));
    }
    let private = std::fs::read(path).map_err(in_file)?;
    read(private).ok_or_else(|| KeyError::Damaged(path.to_owned()))
}

/// Makes a key that is not saved.
///
/// # Errors
/// [`KeyError::Generate`].
pub fn passing() -> Result<Key, KeyError> {
    let private = new_private_key().map_err(|_| KeyError::Generate)?;
    read(private).ok_or(KeyError::Generate)
}

fn read(private: Vec<u8>) -> Option<Key> {
    let public = public_key_of(&private)?;
    let id = URL_SAFE_NO_PAD.encode(Sha256::digest(&public));
    Some(Key {
        id,
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
            kid: key.id.clone(),
            usage: "sig".to_owned(),
            alg: "EdDSA".to_owned(),
            x: URL_SAFE_NO_PAD.encode(&key.public),
        }
    }
}
