//! Secrets: random bytes and texts, and the hashes by which the database has them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The lack of randomness, without which no secret can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no randomness")]
pub struct NoRandomness;

/// Draws random bytes.
///
/// # Errors
/// [`NoRandomness`].
pub fn random_bytes<const LENGTH: usize>() -> Result<[u8; LENGTH], NoRandomness> {
    let mut bytes = [0_u8; LENGTH];
    openssl::rand::rand_bytes(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// Makes a text of 256 random bits.
///
/// # Errors
/// [`NoRandomness`].
pub fn random_text() -> Result<String, NoRandomness> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes::<32>()?))
}

/// Hashes a random secret, as it is stored. Only what nobody can guess may be hashed so; a password
/// takes [`super::password::hash`].
pub fn hash_of(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}
