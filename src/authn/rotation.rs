//! Rotates the signing keys of a directory: makes the next key, lets it sign, and removes retired
//! ones. Running servers follow by themselves (`key_ring.rs`).

use std::fs::File;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::keys::{
    KeyFile, KeyState, SigningKey, SigningKeyError, check_directory, create, key_files, load_all,
};
use super::token::{LEEWAY, LIFETIME};
use crate::system::{DirectoryUse, try_to_write_in};

/// The time that servers have to notice that another key signs, also those whose directory is on a
/// network and shows changes late.
const NOTICING: TimeDelta = TimeDelta::minutes(1);

/// The reasons for which keys cannot be rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    #[error(transparent)]
    Keys(#[from] SigningKeyError),
    #[error("no signing key is in {0}; a server makes the first one when it starts")]
    NoKeys(PathBuf),
    #[error("{0} is the next key already; to let it sign, run: tonghop keys activate")]
    NextExists(PathBuf),
    #[error("no next key is in {0}; to make one, run: tonghop keys next")]
    NoNext(PathBuf),
    #[error(
        "tokens of {path} serve until {}; it may be removed then",
        .until.to_rfc3339_opts(SecondsFormat::Secs, true)
    )]
    StillServing { path: PathBuf, until: DateTime<Utc> },
}

/// Makes the next key: servers publish and accept it from now on.
///
/// # Errors
/// [`RotationError`].
pub fn make_next(directory: &Path) -> Result<PathBuf, RotationError> {
    let files = files_to_change(directory)?;
    let last = files.last();
    let last = last.ok_or_else(|| RotationError::NoKeys(directory.to_owned()))?;
    let next = KeyFile::new(directory, last.number.saturating_add(1), true);
    match files.iter().find(|file| file.is_next) {
        Some(file) => Err(RotationError::NextExists(file.path.clone())),
        None if create(&next)? => {
            persist(directory)?;
            Ok(next.path)
        }
        None => Err(RotationError::NextExists(next.path)),
    }
}

/// Lets the next key sign. The one that signed before is retired by the same renaming.
///
/// # Errors
/// [`RotationError`].
pub fn activate_next(directory: &Path, now: DateTime<Utc>) -> Result<PathBuf, RotationError> {
    let files = files_to_change(directory)?;
    let next = files.iter().find(|file| file.is_next);
    let next = next.ok_or_else(|| RotationError::NoNext(directory.to_owned()))?;
    let active = KeyFile::new(directory, next.number, false).path;
    // The date tells how long tokens of the retired key serve, so it is set before the renaming.
    let dated = File::open(&next.path).and_then(|file| file.set_modified(now.into()));
    dated
        .and_then(|()| std::fs::rename(&next.path, &active))
        .map_err(|source| of_file(&next.path, source))?;
    persist(directory)?;
    Ok(active)
}

/// Removes the retired keys whose tokens have all expired.
///
/// # Errors
/// [`RotationError::StillServing`] if there are only younger ones.
pub fn remove_retired(directory: &Path, now: DateTime<Utc>) -> Result<Vec<PathBuf>, RotationError> {
    files_to_change(directory)?;
    let mut removed = Vec::new();
    let mut serving = None;
    for key in load_all(directory)? {
        match last_token_of(&key) {
            None => (),
            Some(until) if now < until => serving = serving.or(Some((key.path, until))),
            Some(_) => {
                std::fs::remove_file(&key.path).map_err(|source| of_file(&key.path, source))?;
                removed.push(key.path);
            }
        }
    }
    match serving {
        Some((path, until)) if removed.is_empty() => {
            Err(RotationError::StillServing { path, until })
        }
        _ => {
            persist(directory)?;
            Ok(removed)
        }
    }
}

/// Returns the time from which on no token of a retired key is valid; `None` for other keys.
pub fn last_token_of(key: &SigningKey) -> Option<DateTime<Utc>> {
    match key.state {
        KeyState::Next | KeyState::Active => None,
        KeyState::Retired => Some(key.since + NOTICING + LIFETIME + LEEWAY),
    }
}

fn files_to_change(directory: &Path) -> Result<Vec<KeyFile>, SigningKeyError> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    check_directory(directory)?;
    try_to_write_in(directory, DirectoryUse::Keys)?;
    key_files(directory)
}

/// Waits until the names of a directory are on the disk.
fn persist(directory: &Path) -> Result<(), SigningKeyError> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|source| of_file(directory, source))
}

fn of_file(path: &Path, source: std::io::Error) -> SigningKeyError {
    SigningKeyError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use chrono::TimeZone;

    use super::*;
    use crate::authn::{TokenError, Tokens};
    use crate::domain::id::{AccountId, SessionId, TenantId};

    fn noon() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap()
    }

    fn seconds(count: i64) -> TimeDelta {
        TimeDelta::seconds(count)
    }

    fn issued(tokens: &Tokens, now: DateTime<Utc>) -> String {
        let holder = (AccountId::new(), SessionId::new());
        tokens.issue(TenantId::new(), holder, now).unwrap()
    }

    fn signer_of(token: &str) -> String {
        jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
    }

    /// The files of the keys with their states.
    fn states(directory: &Path) -> Vec<(String, KeyState)> {
        let keys = load_all(directory).unwrap().into_iter();
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        keys.map(|key| (name(&key.path), key.state)).collect()
    }

    fn named(files: &[(&str, KeyState)]) -> Vec<(String, KeyState)> {
        let files = files.iter();
        files
            .map(|(name, state)| ((*name).to_owned(), *state))
            .collect()
    }

    fn published(tokens: &Tokens, now: DateTime<Utc>) -> usize {
        tokens.jwks(now).keys.len()
    }

    #[test]
    fn two_servers_verify_every_token_of_a_rotation() {
        let directory = tempfile::tempdir().unwrap();
        let keys = directory.path();
        let one = Tokens::open(keys, "tonghop").unwrap();
        let other = Tokens::open(keys, "tonghop").unwrap();
        let mut living: Vec<(DateTime<Utc>, String)> = Vec::new();
        // Both sign, and both verify whatever is not expired.
        let mut all_serve = |now: DateTime<Utc>| {
            for server in [&one, &other] {
                living.push((now, issued(server, now)));
            }
            living.retain(|(begun, _)| now < *begun + LIFETIME);
            for (begun, token) in &living {
                for server in [&one, &other] {
                    let verified = server.verify(token, now);
                    assert!(verified.is_ok(), "{begun} at {now}: {verified:?}");
                }
            }
            let signers = living.iter().rev().take(2);
            let mut signers: Vec<String> = signers.map(|(_, token)| signer_of(token)).collect();
            signers.dedup();
            signers
        };
        let first = all_serve(noon());
        assert_eq!(first.len(), 1);

        make_next(keys).unwrap();
        assert_eq!(all_serve(noon()), first);
        assert_eq!(all_serve(noon() + seconds(4)), first);
        assert_eq!(published(&one, noon() + seconds(4)), 2);
        assert_eq!(
            states(keys),
            named(&[
                ("0001.ed25519", KeyState::Active),
                ("0002.next.ed25519", KeyState::Next)
            ])
        );

        let activated = noon() + seconds(5);
        activate_next(keys, activated).unwrap();
        // Nobody looked again yet: the former key signs for some seconds more.
        assert_eq!(all_serve(activated), first);
        let second = all_serve(activated + seconds(4));
        assert_eq!(second.len(), 1);
        assert_ne!(second, first);

        let early = remove_retired(keys, activated + LIFETIME);
        assert!(matches!(early, Err(RotationError::StillServing { .. })));
        for minutes in 1..17 {
            all_serve(activated + TimeDelta::minutes(minutes));
        }
        let removed = activated + TimeDelta::minutes(17);
        assert_eq!(
            remove_retired(keys, removed).unwrap(),
            [keys.join("0001.ed25519")]
        );
        assert_eq!(all_serve(removed + seconds(4)), second);
        assert_eq!(published(&other, removed + seconds(8)), 1);
        assert_eq!(states(keys), named(&[("0002.ed25519", KeyState::Active)]));
        assert_eq!(
            remove_retired(keys, removed).unwrap(),
            Vec::<PathBuf>::new()
        );
    }

    #[test]
    fn a_key_made_and_activated_between_two_looks_is_found_by_its_first_token() {
        let directory = tempfile::tempdir().unwrap();
        let one = Tokens::open(directory.path(), "tonghop").unwrap();
        for _ in 0..5 {
            assert!(one.verify(&issued(&one, noon()), noon()).is_ok());
            make_next(directory.path()).unwrap();
            activate_next(directory.path(), noon()).unwrap();
            let other = Tokens::open(directory.path(), "tonghop").unwrap();
            assert!(one.verify(&issued(&other, noon()), noon()).is_ok());
        }
    }

    #[test]
    fn a_removed_keys_token_is_refused_even_if_it_was_verified_before() {
        let directory = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(directory.path(), "tonghop").unwrap();
        let token = issued(&tokens, noon());
        assert!(tokens.verify(&token, noon()).is_ok());
        make_next(directory.path()).unwrap();
        activate_next(directory.path(), noon()).unwrap();
        // By hand, as after a theft: the command refuses so early.
        std::fs::remove_file(directory.path().join("0001.ed25519")).unwrap();
        let refused = tokens.verify(&token, noon() + seconds(4));
        assert!(
            matches!(refused, Err(TokenError::Refused(_))),
            "{refused:?}"
        );
        let again = issued(&tokens, noon() + seconds(4));
        assert!(tokens.verify(&again, noon() + seconds(4)).is_ok());
    }

    #[test]
    fn other_files_and_copies_left_behind_are_ignored() {
        let directory = tempfile::tempdir().unwrap();
        let keys = directory.path();
        let tokens = Tokens::open(keys, "tonghop").unwrap();
        for name in [
            "README",
            "0009.pem",
            "old.ed25519",
            "+002.ed25519",
            "0003.next.ed25519~",
        ] {
            std::fs::write(keys.join(name), "x").unwrap();
        }
        make_next(keys).unwrap();
        let next = keys.join("0002.next.ed25519");
        let copied = std::fs::read(&next).unwrap();
        activate_next(keys, noon()).unwrap();
        std::fs::write(&next, copied).unwrap();
        let expected = named(&[
            ("0001.ed25519", KeyState::Retired),
            ("0002.ed25519", KeyState::Active),
        ]);
        assert_eq!(states(keys), expected);
        assert!(tokens.verify(&issued(&tokens, noon()), noon()).is_ok());
        assert!(matches!(
            activate_next(keys, noon()),
            Err(RotationError::NoNext(_))
        ));
    }

    #[test]
    fn a_key_that_others_can_read_is_not_used_until_that_is_mended() {
        let directory = tempfile::tempdir().unwrap();
        let keys = directory.path();
        let tokens = Tokens::open(keys, "tonghop").unwrap();
        let first = signer_of(&issued(&tokens, noon()));
        let next = make_next(keys).unwrap();
        let mode = |mode| std::fs::set_permissions(&next, std::fs::Permissions::from_mode(mode));
        assert_eq!(next.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        mode(0o644).unwrap();
        assert!(matches!(
            Tokens::open(keys, "tonghop"),
            Err(SigningKeyError::Exposed(_))
        ));
        assert_eq!(published(&tokens, noon() + seconds(4)), 1);
        assert_eq!(signer_of(&issued(&tokens, noon() + seconds(4))), first);
        mode(0o600).unwrap();
        assert_eq!(published(&tokens, noon() + seconds(8)), 2);
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let keys = directory.path();
        assert!(matches!(
            make_next(&keys.join("none")),
            Err(RotationError::NoKeys(_))
        ));
        assert!(matches!(make_next(keys), Err(RotationError::NoKeys(_))));
        assert!(matches!(
            activate_next(keys, noon()),
            Err(RotationError::NoNext(_))
        ));
        Tokens::open(keys, "tonghop").unwrap();
        make_next(keys).unwrap();
        assert!(matches!(make_next(keys), Err(RotationError::NextExists(_))));
        std::fs::remove_file(keys.join("0001.ed25519")).unwrap();
        assert!(matches!(
            Tokens::open(keys, "tonghop"),
            Err(SigningKeyError::NoneActive(_))
        ));
        activate_next(keys, noon()).unwrap();
        assert!(Tokens::open(keys, "tonghop").is_ok());
    }
}
