//! Passwords: how they are hashed and checked. Never whose they are.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use crate::domain::text::{composed, decomposed};

/// The shortest password that is taken, in characters (NIST SP 800-63B, section 3.1.1).
pub const SHORTEST: usize = 8;
/// The longest: beyond it there is nothing to gain but work for the server.
pub const LONGEST: usize = 200;

/// Hashing failed inside the library; the text is for the log.
#[derive(Debug, thiserror::Error)]
#[error("cannot hash a password: {0}")]
pub struct HashError(String);

/// Tells whether a password is of an acceptable length, counted as its owner counts.
pub fn is_acceptable(password: &str) -> bool {
    (SHORTEST..=LONGEST).contains(&composed(password).chars().count())
}

/// Tells whether a password is short enough to be worth a look.
pub fn is_sensible(password: &str) -> bool {
    composed(password).chars().count() <= LONGEST
}

/// Hashes a password with Argon2id at the parameters of the OWASP minimum, composed: keyboards
/// write a letter with marks in several ways. About 20 ms of work.
///
/// # Errors
/// [`HashError`] where the library cannot.
pub fn hash(password: &str) -> Result<String, HashError> {
    let hash = Argon2::default().hash_password(composed(password).as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| HashError(error.to_string()))
}

/// Tells whether a password is the hashed one, composed or as it is typed: one that was hashed
/// before passwords were composed may be written in another way. A wrong password of other than plain letters costs
/// two hashes, in the one slot that its sign-in has. It takes as long where there is no hash to
/// compare with, so that the time of an answer does not tell whether a login exists.
pub fn matches(password: &str, hash: Option<&str>) -> bool {
    let known = hash.unwrap_or(HASH_OF_NOTHING);
    let Ok(parsed) = PasswordHash::new(known) else {
        return false;
    };
    let is_hashed = |text: &String| {
        let verified = Argon2::default().verify_password(text.as_bytes(), &parsed);
        verified.is_ok()
    };
    ways_to_write(password).iter().any(is_hashed) && hash.is_some()
}

/// The ways in which a password may have been hashed, the usual one first: one for plain letters,
/// else two, since each costs a hash. Whoever types it uncomposed did so on the day it was hashed;
/// whoever types it composed now may have decomposed it then.
fn ways_to_write(password: &str) -> Vec<String> {
    let composed = composed(password).into_owned();
    let other = match composed == password {
        true => decomposed(password),
        false => password.to_owned(),
    };
    match other == composed {
        true => vec![composed],
        false => vec![composed, other],
    }
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
    fn a_password_is_one_however_its_letters_are_written() {
        let composed = "mật khẩu của tôi";
        let decomposed = decomposed(composed);
        assert_ne!(composed, decomposed);
        let hashed = hash(&decomposed).unwrap();
        let of_before = Argon2::default()
            .hash_password(decomposed.as_bytes())
            .unwrap();
        for hash in [hashed, of_before.to_string()] {
            assert!(matches(composed, Some(&hash)));
            assert!(matches(&decomposed, Some(&hash)));
            assert!(!matches("mat khau cua toi", Some(&hash)));
        }
        assert!(is_acceptable(&super::decomposed(&"ậ".repeat(LONGEST))));
    }

    #[test]
    fn a_wrong_password_costs_two_hashes_at_most() {
        assert_eq!(ways_to_write("tonghop-demo").len(), 1);
        let decomposed = decomposed("mật khẩu");
        // As keyboards for Vietnamese write it: the letter has its hat, the tone comes after.
        let mixed = "m\u{e2}\u{323}t kh\u{e2}\u{309}u";
        for password in ["mật khẩu", decomposed.as_str(), mixed] {
            let ways = ways_to_write(password);
            assert_eq!(ways.len(), 2, "{password:?}");
            assert_eq!(ways.first().map(String::as_str), Some("mật khẩu"));
        }
    }

    #[test]
    fn the_hash_of_nothing_is_well_formed_so_that_it_costs_the_same() {
        assert!(PasswordHash::new(HASH_OF_NOTHING).is_ok());
    }
}
