//! The signing keys in use. Follows the directory that they come from, so that keys are rotated
//! under running servers, and several servers may share a directory.
//!
//! What changed is seen from the names and dates of the files, which takes less time than checking
//! a signature. It is looked for every few seconds, and when a token names a key that is not known:
//! another server may just have begun to sign with it. Keys are read only after a change. If they
//! cannot be used then, the former ones stay in use.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{DecodingKey, EncodingKey};

use super::keys::{
    self, JsonWebKey, Key, KeyId, KeyState, SigningKey, SigningKeyError, key_files, load_all,
    load_or_create,
};
use super::signature;

/// The longest time for which a server in use does not look for changes.
const LOOKS_EVERY: TimeDelta = TimeDelta::seconds(3);

/// The keys of one moment.
pub(super) struct Keys {
    pub signing: EncodingKey,
    pub signing_id: KeyId,
    pub public: Vec<JsonWebKey>,
    verifying: Vec<(KeyId, DecodingKey)>,
}

impl Keys {
    fn of<'k>(signing: &Key, all: impl Iterator<Item = &'k Key> + Clone) -> Keys {
        let verifying = all.clone();
        Keys {
            signing: EncodingKey::from_ed_der(&signing.private),
            signing_id: signing.id,
            public: all.map(JsonWebKey::from).collect(),
            verifying: verifying
                .map(|key| (key.id, DecodingKey::from_ed_der(&key.public)))
                .collect(),
        }
    }

    fn of_directory(directory: &Path, keys: &[SigningKey]) -> Result<Keys, SigningKeyError> {
        let mut states = keys.iter();
        let active = states.find(|key| key.state == KeyState::Active);
        let active = active.ok_or_else(|| SigningKeyError::NoneActive(directory.to_owned()))?;
        Ok(Keys::of(&active.key, keys.iter().map(|kept| &kept.key)))
    }

    /// Returns the key that verifies tokens of an id, if they are accepted.
    pub fn verifying(&self, id: KeyId) -> Option<&DecodingKey> {
        let mut keys = self.verifying.iter();
        keys.find(|(known, _)| *known == id).map(|(_, key)| key)
    }
}

/// The names and dates of a directory's keys. Unlike the date of its contents, a file's date of
/// change cannot be set, and tells of rights and owners as well.
#[derive(PartialEq, Eq)]
struct Listing(Vec<(PathBuf, u64, u64, i64, i64)>);

impl Listing {
    fn of(directory: &Path) -> Result<Listing, SigningKeyError> {
        let files = key_files(directory)?.into_iter().map(|file| file.path);
        let paths = files.chain([directory.to_owned()]);
        let dated = paths.map(|path| match path.metadata() {
            Ok(found) => Ok((
                path,
                found.ino(),
                found.size(),
                found.ctime(),
                found.ctime_nsec(),
            )),
            Err(source) => Err(SigningKeyError::File { path, source }),
        });
        dated.collect::<Result<_, _>>().map(Listing)
    }
}

/// A directory, and how it was when it was looked at last.
struct Followed {
    directory: PathBuf,
    /// In milliseconds since the Unix epoch.
    looked_at: AtomicI64,
    seen: Mutex<SeenFiles>,
}

struct SeenFiles {
    /// `None` if it could not be listed.
    listing: Option<Listing>,
    could_be_used: bool,
}

/// The keys, which may change at any moment.
pub(super) struct KeyRing {
    keys: RwLock<Arc<Keys>>,
    /// `None` for keys that are not saved.
    followed: Option<Followed>,
}

impl KeyRing {
    /// Reads the keys of a directory, or makes the first one.
    pub fn open(directory: &Path) -> Result<KeyRing, SigningKeyError> {
        signature::install();
        let first = load_or_create(directory)?;
        let keys = Keys::of_directory(directory, &first)?;
        // The first question looks again: what changed since is noticed then.
        let followed = Followed {
            directory: directory.to_owned(),
            looked_at: AtomicI64::new(i64::MIN),
            seen: Mutex::new(SeenFiles {
                listing: None,
                could_be_used: true,
            }),
        };
        Ok(KeyRing {
            keys: RwLock::new(Arc::new(keys)),
            followed: Some(followed),
        })
    }

    /// Makes a key that is not saved.
    pub fn passing() -> Result<KeyRing, SigningKeyError> {
        signature::install();
        let key = keys::passing()?;
        Ok(KeyRing {
            keys: RwLock::new(Arc::new(Keys::of(&key, std::iter::once(&key)))),
            followed: None,
        })
    }

    /// Returns the keys as they were a few seconds ago or later.
    pub fn at(&self, now: DateTime<Utc>) -> Arc<Keys> {
        if let Some(followed) = &self.followed
            && followed.is_due(now)
        {
            self.look(followed, true);
        }
        self.current()
    }

    /// Returns the keys, with a certain one if it is in the directory now.
    pub fn with(&self, id: KeyId) -> Arc<Keys> {
        let keys = self.current();
        match &self.followed {
            Some(followed) if keys.verifying(id).is_none() => {
                self.look(followed, false);
                self.current()
            }
            Some(_) | None => keys,
        }
    }

    fn current(&self) -> Arc<Keys> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.clone()
    }

    /// Reads the keys again if something changed, or, if asked to, after a failure.
    fn look(&self, followed: &Followed, after_failure: bool) {
        let mut seen = followed.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Made before the keys are read: what changes meanwhile is noticed the next time.
        let listing = Listing::of(&followed.directory).ok();
        let is_new = listing.is_none() || listing != seen.listing;
        if !is_new && (seen.could_be_used || !after_failure) {
            return;
        }
        let read = load_all(&followed.directory)
            .and_then(|keys| Keys::of_directory(&followed.directory, &keys));
        let could_be_used = read.is_ok();
        match read {
            Ok(keys) => {
                let mut current = self.keys.write().unwrap_or_else(PoisonError::into_inner);
                if current.signing_id != keys.signing_id {
                    tracing::info!(key = %keys.signing_id, "another key signs");
                }
                *current = Arc::new(keys);
            }
            Err(error) if seen.could_be_used => {
                tracing::error!(%error, "the signing keys changed; the former ones stay in use");
            }
            Err(_) => (),
        }
        *seen = SeenFiles {
            listing,
            could_be_used,
        };
    }
}

impl Followed {
    /// Returns true to one of those who ask, every few seconds.
    fn is_due(&self, now: DateTime<Utc>) -> bool {
        let now = now.timestamp_millis();
        let last = self.looked_at.load(Ordering::Relaxed);
        let is_over = now.abs_diff(last) >= LOOKS_EVERY.num_milliseconds().unsigned_abs();
        is_over
            && self
                .looked_at
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}
