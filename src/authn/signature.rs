//! Ed25519 signatures (RFC 8032) by OpenSSL, which is linked for PostgreSQL anyway, behind the
//! token library's interface. Knows no tokens and no files.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey};
use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::sign;

/// Registers OpenSSL as the token library's only cryptography. The library accepts one provider a
/// process; later calls do nothing.
pub fn install() {
    let _ = PROVIDER.install_default();
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // Used for keys in JSON only, which the server never reads.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes a private key in PKCS #8.
///
/// # Errors
/// If the library has no randomness.
pub fn new_private_key() -> std::result::Result<Vec<u8>, ErrorStack> {
    PKey::generate_ed25519()?.private_key_to_pkcs8()
}

/// Returns the public key (32 bytes) of a private key in PKCS #8, or `None` if that is no Ed25519
/// key.
pub fn public_key_of(private: &[u8]) -> Option<Vec<u8>> {
    private_key(private)?.raw_public_key().ok()
}

fn private_key(private: &[u8]) -> Option<PKey<Private>> {
    let key = PKey::private_key_from_pkcs8(private).ok()?;
    (key.id() == Id::ED25519).then_some(key)
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    check(*algorithm, key.family())?;
    let key = private_key(key.as_bytes()).ok_or(ErrorKind::InvalidEddsaKey)?;
    Ok(Box::new(Ed25519Signer(key)))
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    check(*algorithm, key.family())?;
    let key = PKey::public_key_from_raw_bytes(key.try_get_as_bytes()?, Id::ED25519)
        .map_err(|_| ErrorKind::InvalidEddsaKey)?;
    Ok(Box::new(Ed25519Verifier(key)))
}

fn check(algorithm: Algorithm, family: AlgorithmFamily) -> Result<()> {
    match (algorithm, family) {
        (Algorithm::EdDSA, AlgorithmFamily::Ed) => Ok(()),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

struct Ed25519Signer(PKey<Private>);

impl Signer<Vec<u8>> for Ed25519Signer {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        sign::Signer::new_without_digest(&self.0)
            .and_then(|mut signer| signer.sign_oneshot_to_vec(message))
            .map_err(Error::from_source)
    }
}

impl JwtSigner for Ed25519Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct Ed25519Verifier(PKey<Public>);

impl Verifier<Vec<u8>> for Ed25519Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let verified = sign::Verifier::new_without_digest(&self.0)
            .and_then(|mut verifier| verifier.verify_oneshot(signature, message))
            .map_err(Error::from_source)?;
        match verified {
            true => Ok(()),
            false => Err(Error::new()),
        }
    }
}

impl JwtVerifier for Ed25519Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 2, with the private key in PKCS #8 (RFC 8410, section 7).
    const SEED: &str = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    const PUBLIC: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    const MESSAGE: &[u8] = &[0x72];

    fn bytes(hexadecimal: &str) -> Vec<u8> {
        let pairs = hexadecimal.as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        pairs.map(byte).collect()
    }

    fn private() -> Vec<u8> {
        [bytes("302e020100300506032b657004220420"), bytes(SEED)].concat()
    }

    #[test]
    fn a_known_key_signs_a_known_message_as_the_rfc_has_it() {
        let key = EncodingKey::from_ed_der(&private());
        let signer = signer(&Algorithm::EdDSA, &key).unwrap();
        assert_eq!(signer.try_sign(MESSAGE).unwrap(), bytes(SIGNATURE));
        assert_eq!(public_key_of(&private()), Some(bytes(PUBLIC)));
    }

    #[test]
    fn a_signature_verifies_its_own_message_and_no_other() {
        let key = DecodingKey::from_ed_der(&bytes(PUBLIC));
        let verifier = verifier(&Algorithm::EdDSA, &key).unwrap();
        assert!(verifier.verify(MESSAGE, &bytes(SIGNATURE)).is_ok());
        assert!(verifier.verify(b"s", &bytes(SIGNATURE)).is_err());
        assert!(verifier.verify(MESSAGE, &Vec::new()).is_err());
        let mut forged = bytes(SIGNATURE);
        forged[0] ^= 1;
        assert!(verifier.verify(MESSAGE, &forged).is_err());
    }

    #[test]
    fn a_key_or_an_algorithm_of_another_kind_is_refused() {
        let other = PKey::generate_x25519().unwrap();
        assert_eq!(public_key_of(&other.private_key_to_pkcs8().unwrap()), None);
        assert_eq!(public_key_of(b"no key"), None);
        let secret = EncodingKey::from_secret(b"secret");
        assert!(signer(&Algorithm::EdDSA, &secret).is_err());
        let key = EncodingKey::from_ed_der(&private());
        assert!(signer(&Algorithm::HS256, &key).is_err());
        let public = DecodingKey::from_ed_der(&bytes(PUBLIC));
        assert!(verifier(&Algorithm::RS256, &public).is_err());
    }
}
