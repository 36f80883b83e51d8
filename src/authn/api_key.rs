//! The keys of programs: `thk_`, an id, the tenant, a secret and a checksum, each of a fixed length.
//!
//! The checksum tells a mistyped key, and a key that was found somewhere, without the database. The
//! database has a key's hash only, and a key identifies its program only against that hash.

use std::str::FromStr;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::secret::{NoRandomness, hash_of, random_bytes};
use crate::domain::id::TenantId;

/// The beginning of every key, by which it is told from a token.
pub const MARK: &str = "thk_";

/// The letters and digits of a key (Crockford's base 32, in lower case): each is five bits.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

const ID_LENGTH: usize = 8;
/// The letters of 128 bits, with two bits to spare.
const TENANT_LENGTH: usize = 26;
/// The letters of 200 random bits.
const SECRET_LENGTH: usize = 40;
/// The letters of 30 bits.
const CHECK_LENGTH: usize = 6;

/// A text that is no key: it was not copied whole, or is something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no key, or not a whole one")]
pub struct InvalidKey;

/// The hash of a whole key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyHash(Box<str>);

impl KeyHash {
    fn of(key: &str) -> KeyHash {
        KeyHash(hash_of(key).into())
    }

    /// Takes a hash as the database has it.
    pub fn kept(text: String) -> KeyHash {
        KeyHash(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key whose checksum is right. It holds nothing that a log may not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    prefix: Box<str>,
    tenant: TenantId,
    hash: KeyHash,
}

/// A new key and its text, which is shown once.
pub struct NewKey {
    pub key: ApiKey,
    pub text: String,
}

impl NewKey {
    /// Makes a key of a tenant.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn of(tenant: TenantId) -> Result<NewKey, NoRandomness> {
        let random = random_bytes::<{ ID_LENGTH + SECRET_LENGTH }>()?;
        let (id, secret) = random.split_at(ID_LENGTH);
        let prefix = format!("{MARK}{}", letters(id));
        let body = format!("{prefix}{}{}", encoded(tenant), letters(secret));
        let text = format!("{body}{}", checksum(&body));
        let key = ApiKey {
            prefix: prefix.into(),
            tenant,
            hash: KeyHash::of(&text),
        };
        Ok(NewKey { key, text })
    }
}

impl ApiKey {
    /// Returns the first letters, by which people tell one key from another.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub fn hash(&self) -> &KeyHash {
        &self.hash
    }
}

impl FromStr for ApiKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<ApiKey, InvalidKey> {
        let rest = text.strip_prefix(MARK).ok_or(InvalidKey)?;
        if !rest.bytes().all(|letter| LETTERS.contains(&letter)) {
            return Err(InvalidKey);
        }
        // All letters are ASCII, so every place is between two of them.
        let (_id, rest) = rest.split_at_checked(ID_LENGTH).ok_or(InvalidKey)?;
        let (tenant, rest) = rest.split_at_checked(TENANT_LENGTH).ok_or(InvalidKey)?;
        let (_secret, check) = rest.split_at_checked(SECRET_LENGTH).ok_or(InvalidKey)?;
        let body = text.strip_suffix(check).ok_or(InvalidKey)?;
        if check != checksum(body) {
            return Err(InvalidKey);
        }
        let prefix = text.get(..MARK.len() + ID_LENGTH).ok_or(InvalidKey)?;
        Ok(ApiKey {
            prefix: prefix.into(),
            tenant: decoded(tenant).ok_or(InvalidKey)?,
            hash: KeyHash::of(text),
        })
    }
}

/// Writes the five lowest bits of each byte.
fn letters(bytes: &[u8]) -> String {
    let letters = bytes
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte % 32)));
    letters.copied().map(char::from).collect()
}

/// Returns the first bits of the hash of a key's other parts.
fn checksum(body: &str) -> String {
    let hash: [u8; 32] = Sha256::digest(body).into();
    letters(hash.get(..CHECK_LENGTH).unwrap_or_default())
}

fn encoded(tenant: TenantId) -> String {
    let bits = Uuid::parse_str(&tenant.to_string()).map_or(0, |id| id.as_u128());
    let digits = (0..TENANT_LENGTH).rev().map(|place| {
        let [.., lowest] = (bits >> (5 * place)).to_be_bytes();
        lowest
    });
    letters(&digits.collect::<Vec<u8>>())
}

fn decoded(text: &str) -> Option<TenantId> {
    let mut bits: u128 = 0;
    for letter in text.bytes() {
        let digit = LETTERS.iter().position(|known| *known == letter)?;
        // More than 128 bits would be the text of another tenant too.
        bits = bits.checked_mul(32)? + u128::try_from(digit).ok()?;
    }
    Uuid::from_u128(bits).to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_tells_its_tenant_and_not_its_secret() {
        let tenant = TenantId::new();
        let NewKey { key, text } = NewKey::of(tenant).unwrap();
        assert_eq!(text.len(), 84);
        assert_eq!(text.parse(), Ok(key.clone()));
        assert_eq!(key.tenant(), tenant);
        assert_eq!(key.prefix(), &text[..12]);
        let other = NewKey::of(tenant).unwrap();
        assert_ne!(other.text, text);
        assert!(!format!("{key:?}").contains(&text[12..]));
    }

    proptest! {
        #[test]
        fn rubbish_is_no_key(text in "\\PC*") {
            prop_assert_eq!(text.parse::<ApiKey>(), Err(InvalidKey));
            prop_assert_eq!(format!("{MARK}{text}").parse::<ApiKey>(), Err(InvalidKey));
        }

        #[test]
        fn a_key_with_another_letter_or_length_is_none(
            place in 0_usize..84,
            letter in proptest::char::any(),
        ) {
            let NewKey { text, .. } = NewKey::of(TenantId::new()).unwrap();
            let mut letters: Vec<char> = text.chars().collect();
            letters[place] = letter;
            let changed: String = letters.iter().collect();
            prop_assume!(changed != text);
            prop_assert_eq!(changed.parse::<ApiKey>(), Err(InvalidKey));
            prop_assert_eq!(text[..place].parse::<ApiKey>(), Err(InvalidKey));
            prop_assert_eq!(format!("{text}{letter}").parse::<ApiKey>(), Err(InvalidKey));
        }

        #[test]
        fn every_tenant_has_one_text(bits in any::<u128>()) {
            let tenant: TenantId = Uuid::from_u128(bits).to_string().parse().unwrap();
            prop_assert_eq!(decoded(&encoded(tenant)), Some(tenant));
            prop_assert_eq!(encoded(tenant).len(), TENANT_LENGTH);
        }
    }
}
