//! Passwords: how they are hashed and checked. Never whose they are.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// The shortest password that is taken, in characters (NIST SP 800-63B, section 3.1.1).
pub const SHORTEST: usize = 8;
/// The longest: beyond it there is nothing to gain but work for the server.
pub const LONGEST: usize = 200;

/// Hashing failed inside the library; the text is for the log.
#[derive(Debug, thiserror::Error)]
#[error("cannot hash a password: {0}")]
pub struct HashError(String);

/// Whether a password is of an acceptable length.
pub fn is_acceptable(password: &str) -> bool {
    (SHORTEST..=LONGEST).contains(&password.chars().count())
}

/// Hashes a password with Argon2id at the parameters of the OWASP minimum. About 20 ms of work.
///
/// # Errors
/// [`HashError`] where the library cannot.
pub fn hash(password: &str) -> Result<String, HashError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| HashError(error.to_string()))
}

/// Whether a password is the hashed one. Takes as long where there is no hash to compare with,
/// so that the time of an answer does not tell whether a login exists.
pub fn matches(password: &str, hash: Option<&str>) -> bool {
    let known = hash.unwrap_or(HASH_OF_NOTHING);
    let Ok(parsed) = PasswordHash::new(known) else {
        return false;
    };
    let matches = Argon2::default()
        .verify_password(password.as_bytes(), &parsed)
        .is_ok();
    matches && hash.is_some()
}

/// A well-formed hash of the same parameters, of a password that nobody has.
const HASH_OF_NOTHING: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5aGFzdGhpcw$\
     AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hashed_password_matches() {
        let hash = hash("tonghop-demo").unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(matches("tonghop-demo", Some(&hash)));
        assert!(!matches("tonghop-dem", Some(&hash)));
        assert!(!matches("", None));
    }

    #[test]
    fn the_hash_of_nothing_is_well_formed_so_that_it_costs_the_same() {
        assert!(PasswordHash::new(HASH_OF_NOTHING).is_ok());
    }
}
