//! Hashes and checks passwords. Knows no accounts.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use crate::domain::text::{composed, decomposed, folded};

/// The shortest accepted new password, in characters. Older ones may be shorter.
pub const SHORTEST: usize = 12;
/// The longest accepted password, in characters. A longer one adds no safety, only work for the
/// server.
pub const LONGEST: usize = 128;

/// The longest password that is compared at sign-in, in characters: earlier versions took longer
/// ones.
const LONGEST_COMPARED: usize = 200;

/// Passwords that are guessed first, in lower case, one a line: keyboard rows, years, names, and
/// what people write where a password is wanted.
const COMMON: &str = include_str!("common_passwords.txt");

/// A failure inside the hashing library; the text is for the log.
#[derive(Debug, thiserror::Error)]
#[error("cannot hash a password: {0}")]
pub struct HashError(String);

/// Returns true if a new password's length is accepted. Counts composed characters, as its owner
/// would.
pub fn is_acceptable(password: &str) -> bool {
    (SHORTEST..=LONGEST).contains(&composed(password).chars().count())
}

/// Returns true if a password is short enough to be worth hashing at sign-in.
pub fn is_sensible(password: &str) -> bool {
    composed(password).chars().count() <= LONGEST_COMPARED
}

/// Returns true if a password is on the list of common ones, in any case and with any gaps, or is
/// one character or a short piece again and again.
pub fn is_common(password: &str) -> bool {
    let plain: String = folded(password).split_whitespace().collect();
    let letters: Vec<char> = plain.chars().collect();
    let is_repeated = (1..=4).any(|length| {
        let mut pairs = letters.iter().zip(letters.iter().skip(length));
        letters.len() > length && pairs.all(|(one, next)| one == next)
    });
    is_repeated || COMMON.lines().any(|common| common == plain)
}

/// Hashes a password with Argon2id at OWASP's minimum parameters; takes about 20 ms. Composes it
/// first (Unicode's form C), since keyboards write an accented letter in several ways.
///
/// # Errors
/// [`HashError`] if the library fails.
pub fn hash(password: &str) -> Result<String, HashError> {
    let hash = Argon2::default().hash_password(composed(password).as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| HashError(error.to_string()))
}

/// Compares a password with a hash. Tries it composed, then as typed or decomposed, because older
/// hashes were made before passwords were composed. A wrong password therefore costs one hash if it
/// is plain ASCII, otherwise two.
///
/// Without a hash it takes equally long, so the response time does not reveal whether a login
/// exists.
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

/// Returns the forms in which a password may have been hashed, the composed one first. Plain
/// letters have one form; others have two, and each costs a hash. If the password arrives
/// uncomposed, the second form is as typed; if it arrives composed, the second is decomposed.
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

/// A well-formed hash with the same parameters, which no password matches.
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
