//! Access tokens: JSON Web Tokens (RFC 9068) that this server signs. Tokens are verified here and
//! nowhere else.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::api_key::{ApiKey, KeyHash};
use super::key_ring::KeyRing;
use super::keys::{JsonWebKey, KeyId, SigningKeyError};
use crate::domain::id::{AccountId, SessionId, TenantId};
use crate::error::{Code, Explain, Explanation};
use crate::message;

/// The time for which an access token is valid.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(15);

/// The allowed difference between the clocks of several servers.
pub(super) const LEEWAY: TimeDelta = TimeDelta::seconds(5);
/// The longest token that is read, in bytes. Real ones have about 500.
const LONGEST: usize = 4096;
const TYPE: &str = "at+jwt";
const AUDIENCE: &str = "tonghop";

/// What a caller is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// A token of a person's sign-in.
    Session(SessionId),
    /// A program's key, or a token that was got for it.
    Key,
}

/// A signed-in account. Only a verified token or key makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    tenant: TenantId,
    account: AccountId,
    credential: Credential,
    seen: DateTime<Utc>,
}

impl Identity {
    /// Identifies a program by its key, if the hash that is kept for it is the key's.
    pub fn of_key(
        key: &ApiKey,
        kept: &KeyHash,
        program: AccountId,
        seen: DateTime<Utc>,
    ) -> Option<Identity> {
        (key.hash() == kept).then(|| Identity {
            tenant: key.tenant(),
            account: program,
            credential: Credential::Key,
            seen,
        })
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub fn account(&self) -> AccountId {
        self.account
    }

    pub fn credential(&self) -> Credential {
        self.credential
    }

    /// Returns the sign-in from which a person's token comes; `None` for a program.
    pub fn session(&self) -> Option<SessionId> {
        match self.credential {
            Credential::Session(session) => Some(session),
            Credential::Key => None,
        }
    }

    /// Returns the time at which the token or key was verified.
    pub fn seen(&self) -> DateTime<Utc> {
        self.seen
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    tenant: String,
    /// The sign-in, in a person's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    /// The prefix of the key, in a program's token.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
}

/// A token that identifies nobody. The reason is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token has expired")]
    Expired,
    #[error("the token is not acceptable: {0}")]
    Refused(String),
    #[error("cannot sign a token: {0}")]
    Sign(String),
}

/// Signs and verifies tokens.
pub struct Tokens {
    issuer: String,
    keys: KeyRing,
    known: Known,
}

/// The public keys of a server (RFC 7517, section 5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct JsonWebKeySet {
    pub keys: Vec<JsonWebKey>,
}

impl Tokens {
    /// Reads the keys of a directory, or makes the first one.
    ///
    /// # Errors
    /// [`SigningKeyError`] of the directory or a key.
    pub fn open(keys: &Path, issuer: &str) -> Result<Tokens, SigningKeyError> {
        Ok(Tokens::of(KeyRing::open(keys)?, issuer))
    }

    /// Makes a signer for a command, which issues no tokens: its key is not saved.
    ///
    /// # Errors
    /// [`SigningKeyError::Generate`].
    pub fn of_command(issuer: &str) -> Result<Tokens, SigningKeyError> {
        Ok(Tokens::of(KeyRing::passing()?, issuer))
    }

    fn of(keys: KeyRing, issuer: &str) -> Tokens {
        Tokens {
            issuer: issuer.to_owned(),
            keys,
            known: Known::default(),
        }
    }

    /// Returns the public keys: of the next key as well, so that others know it before it signs.
    pub fn jwks(&self, now: DateTime<Utc>) -> JsonWebKeySet {
        JsonWebKeySet {
            keys: self.keys.at(now).public.clone(),
        }
    }

    /// Signs a token for an account whose password or refresh token was checked.
    ///
    /// # Errors
    /// [`TokenError::Sign`] if the library fails.
    pub fn issue(
        &self,
        tenant: TenantId,
        (account, session): (AccountId, SessionId),
        now: DateTime<Utc>,
    ) -> Result<String, TokenError> {
        self.sign(
            &Claims {
                sid: Some(session.to_string()),
                ..self.claims(tenant, account, now)
            },
            now,
        )
    }

    /// Signs a token for a program whose key was checked.
    ///
    /// # Errors
    /// [`TokenError::Sign`] if the library fails.
    pub fn issue_for_key(
        &self,
        key: &ApiKey,
        program: AccountId,
        now: DateTime<Utc>,
    ) -> Result<String, TokenError> {
        self.sign(
            &Claims {
                client_id: Some(key.prefix().to_owned()),
                ..self.claims(key.tenant(), program, now)
            },
            now,
        )
    }

    fn claims(&self, tenant: TenantId, account: AccountId, now: DateTime<Utc>) -> Claims {
        Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.to_owned(),
            sub: account.to_string(),
            tenant: tenant.to_string(),
            sid: None,
            client_id: None,
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: (now + LIFETIME).timestamp(),
            jti: uuid::Uuid::now_v7().to_string(),
        }
    }

    fn sign(&self, claims: &Claims, now: DateTime<Utc>) -> Result<String, TokenError> {
        let keys = self.keys.at(now);
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(keys.signing_id.to_string()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, claims, &keys.signing)
            .map_err(|error| TokenError::Sign(error.to_string()))
    }

    /// Returns the caller's identity. All checks of a token are made here.
    ///
    /// # Errors
    /// [`TokenError`] for anything but a token of this server that is valid now.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Identity, TokenError> {
        if token.len() > LONGEST {
            return Err(refused("it is too long"));
        }
        let digest = Digest::of(token);
        let keys = self.keys.at(now);
        if let Some(verified) = self.known.get(&digest)
            && keys.verifying(verified.signed_by).is_some()
        {
            return verified.identity_at(now);
        }
        let verified = self.verify_signature(token)?;
        let identity = verified.identity_at(now)?;
        self.known.keep(digest, verified);
        Ok(identity)
    }

    /// Checks everything about a token except its times; the result can be cached.
    fn verify_signature(&self, token: &str) -> Result<Verified, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(refused)?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(refused("it is of another type"));
        }
        if header.crit.is_some() {
            return Err(refused("it demands extensions"));
        }
        let signed_by = header.kid.as_deref().and_then(KeyId::read);
        let signed_by = signed_by.ok_or_else(|| refused("it names no key"))?;
        let keys = self.keys.with(signed_by);
        let key = keys.verifying(signed_by);
        let key = key.ok_or_else(|| refused("its key is unknown"))?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation())
            .map_err(refused)?
            .claims;
        let credential = match (claims.sid, claims.client_id) {
            (Some(session), None) => Credential::Session(session.parse().map_err(refused)?),
            (None, Some(_)) => Credential::Key,
            (None, None) | (Some(_), Some(_)) => return Err(refused("it is of nobody")),
        };
        Ok(Verified {
            tenant: claims.tenant.parse().map_err(refused)?,
            account: claims.sub.parse().map_err(refused)?,
            credential,
            signed_by,
            expires: claims.exp,
            begins: claims.nbf,
        })
    }

    /// Turns the library's time checks off, because they read the system's clock.
    /// [`Verified::identity_at`] replaces them.
    fn validation(&self) -> Validation {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub"]);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation
    }
}

/// A token whose signature was verified. Both times are in seconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
struct Verified {
    tenant: TenantId,
    account: AccountId,
    credential: Credential,
    signed_by: KeyId,
    expires: i64,
    begins: i64,
}

impl Verified {
    /// Returns the identity, if the token is valid now.
    fn identity_at(&self, now: DateTime<Utc>) -> Result<Identity, TokenError> {
        if self.expires <= (now - LEEWAY).timestamp() {
            Err(TokenError::Expired)
        } else if self.begins > (now + LEEWAY).timestamp() {
            Err(refused("it is not valid yet"))
        } else {
            Ok(Identity {
                tenant: self.tenant,
                account: self.account,
                credential: self.credential,
                seen: now,
            })
        }
    }
}

/// The SHA-256 of a token. The cache holds digests, which nobody can sign in with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Digest([u8; 32]);

impl Digest {
    fn of(token: &str) -> Digest {
        Digest(Sha256::digest(token).into())
    }
}

/// A cache of verified tokens, kept until they expire: checking a signature takes longer than
/// reading a report. What it holds counts only while the token's key is accepted. This revokes nothing late: closed accounts, ended sessions and an account's
/// grants are looked up on every request.
#[derive(Default)]
struct Known(RwLock<HashMap<Digest, Verified>>);

/// The number of cached tokens: about 20 MB.
const MOST_KNOWN: usize = 200_000;

impl Known {
    fn get(&self, token: &Digest) -> Option<Verified> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(token).copied()
    }

    fn keep(&self, token: Digest, verified: Verified) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            // Tokens in use are verified again on their next request.
            known.clear();
        }
        known.insert(token, verified);
    }
}

fn refused(reason: impl std::fmt::Display) -> TokenError {
    TokenError::Refused(reason.to_string())
}

impl Explain for TokenError {
    fn explain(&self) -> Explanation {
        let (code, message) = match self {
            TokenError::Expired => (Code::InvalidToken, message!("token-expired")),
            TokenError::Refused(_) => (Code::InvalidToken, message!("token-refused")),
            TokenError::Sign(_) => (Code::Internal, message!("internal-with-request-id")),
        };
        Explanation::new(code, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::api_key::NewKey;
    use chrono::TimeZone;

    #[test]
    fn a_key_identifies_its_program_only_against_its_own_hash() {
        let (tenant, program) = (TenantId::new(), AccountId::new());
        let [one, other] = [(); 2].map(|()| NewKey::of(tenant).unwrap().key);
        let identity = Identity::of_key(&one, one.hash(), program, noon()).unwrap();
        assert_eq!((identity.tenant(), identity.account()), (tenant, program));
        assert_eq!(identity.session(), None);
        assert_eq!(Identity::of_key(&one, other.hash(), program, noon()), None);
    }

    fn noon() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap()
    }

    fn tokens() -> (tempfile::TempDir, Tokens) {
        let directory = tempfile::tempdir().unwrap();
        let tokens = Tokens::open(directory.path(), "tonghop").unwrap();
        (directory, tokens)
    }

    fn signed(tokens: &Tokens, header: &Header, claims: &serde_json::Value) -> String {
        jsonwebtoken::encode(header, claims, &tokens.keys.at(noon()).signing).unwrap()
    }

    fn good_header(tokens: &Tokens) -> Header {
        Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(tokens.keys.at(noon()).signing_id.to_string()),
            ..Header::new(Algorithm::EdDSA)
        }
    }

    fn good_claims() -> serde_json::Value {
        let now = noon().timestamp();
        serde_json::json!({
            "iss": "tonghop", "aud": "tonghop", "sub": AccountId::new().to_string(),
            "tenant": TenantId::new().to_string(), "sid": SessionId::new().to_string(), "iat": now, "nbf": now, "exp": now + 900,
            "jti": "1",
        })
    }

    #[test]
    fn a_token_tells_who_it_was_issued_to_until_it_expires() {
        let (_directory, tokens) = tokens();
        let (tenant, account) = (TenantId::new(), AccountId::new());
        let (session, seen) = (SessionId::new(), noon());
        let credential = Credential::Session(session);
        let token = tokens.issue(tenant, (account, session), noon()).unwrap();
        assert_eq!(
            tokens.verify(&token, noon()),
            Ok(Identity {
                tenant,
                account,
                credential,
                seen
            })
        );
        let last = noon() + LIFETIME;
        assert!(tokens.verify(&token, last).is_ok());
        assert_eq!(
            tokens.verify(&token, last + LEEWAY),
            Err(TokenError::Expired)
        );
        assert!(
            tokens
                .verify(&token, noon() - TimeDelta::seconds(6))
                .is_err()
        );
    }

    #[test]
    fn a_token_that_was_verified_before_expires_all_the_same() {
        let (_directory, tokens) = tokens();
        let (tenant, account) = (TenantId::new(), AccountId::new());
        let (session, seen) = (SessionId::new(), noon());
        let credential = Credential::Session(session);
        let token = tokens.issue(tenant, (account, session), noon()).unwrap();
        for _ in 0..3 {
            assert_eq!(
                tokens.verify(&token, noon()),
                Ok(Identity {
                    tenant,
                    account,
                    credential,
                    seen
                })
            );
        }
        let expired = noon() + LIFETIME + LEEWAY;
        assert_eq!(tokens.verify(&token, expired), Err(TokenError::Expired));
        let (_, signature) = token.rsplit_once('.').unwrap();
        let other = tokens
            .issue(tenant, (AccountId::new(), SessionId::new()), noon())
            .unwrap();
        let (body, _) = other.rsplit_once('.').unwrap();
        assert!(
            tokens
                .verify(&format!("{body}.{signature}"), noon())
                .is_err()
        );
    }

    #[test]
    fn a_token_for_a_key_has_no_session_and_no_token_has_both() {
        let (_directory, tokens) = tokens();
        let program = AccountId::new();
        let key = NewKey::of(TenantId::new()).unwrap().key;
        let token = tokens.issue_for_key(&key, program, noon()).unwrap();
        let identity = tokens.verify(&token, noon()).unwrap();
        assert_eq!(identity.account(), program);
        assert_eq!(identity.credential(), Credential::Key);
        let mut claims = good_claims();
        claims["client_id"] = key.prefix().into();
        let both = signed(&tokens, &good_header(&tokens), &claims);
        assert!(tokens.verify(&both, noon()).is_err());
    }

    #[test]
    fn a_token_that_lacks_a_claim_or_has_another_value_is_refused() {
        let (_directory, tokens) = tokens();
        let header = good_header(&tokens);
        assert!(
            tokens
                .verify(&signed(&tokens, &header, &good_claims()), noon())
                .is_ok()
        );
        for claim in ["iss", "aud", "sub", "tenant", "sid", "nbf", "exp"] {
            let mut claims = good_claims();
            claims.as_object_mut().unwrap().remove(claim);
            assert!(
                tokens
                    .verify(&signed(&tokens, &header, &claims), noon())
                    .is_err(),
                "{claim}"
            );
        }
        for (claim, value) in [
            ("iss", "other"),
            ("aud", "other"),
            ("sub", "x"),
            ("tenant", ""),
            ("sid", "x"),
        ] {
            let mut claims = good_claims();
            claims[claim] = value.into();
            assert!(
                tokens
                    .verify(&signed(&tokens, &header, &claims), noon())
                    .is_err(),
                "{claim}"
            );
        }
    }

    #[test]
    fn a_header_of_another_type_key_or_with_extensions_is_refused() {
        let (_directory, tokens) = tokens();
        let claims = good_claims();
        let with = |change: &dyn Fn(&mut Header)| {
            let mut header = good_header(&tokens);
            change(&mut header);
            tokens.verify(&signed(&tokens, &header, &claims), noon())
        };
        assert!(with(&|_| ()).is_ok());
        assert!(with(&|header| header.typ = Some("JWT".to_owned())).is_err());
        assert!(with(&|header| header.typ = None).is_err());
        assert!(with(&|header| header.kid = None).is_err());
        assert!(with(&|header| header.kid = Some("other".to_owned())).is_err());
        assert!(with(&|header| header.crit = Some(vec!["exp".to_owned()])).is_err());
    }

    #[test]
    fn a_token_of_another_server_or_changed_on_the_way_is_refused() {
        let (_directory, ours) = tokens();
        let (_other_directory, theirs) = tokens();
        let token = theirs
            .issue(
                TenantId::new(),
                (AccountId::new(), SessionId::new()),
                noon(),
            )
            .unwrap();
        assert!(ours.verify(&token, noon()).is_err());
        let forged = signed(&theirs, &good_header(&ours), &good_claims());
        assert!(ours.verify(&forged, noon()).is_err());
        let token = ours
            .issue(
                TenantId::new(),
                (AccountId::new(), SessionId::new()),
                noon(),
            )
            .unwrap();
        let (body, _signature) = token.rsplit_once('.').unwrap();
        assert!(ours.verify(&format!("{body}."), noon()).is_err());
        assert!(ours.verify(&"a".repeat(LONGEST + 1), noon()).is_err());
        assert!(ours.verify("", noon()).is_err());
    }

    #[test]
    fn keys_are_made_once_and_only_their_owner_can_read_them() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let keys = directory.path().join("keys");
        let first = Tokens::open(&keys, "tonghop").unwrap();
        let token = first
            .issue(
                TenantId::new(),
                (AccountId::new(), SessionId::new()),
                noon(),
            )
            .unwrap();
        let second = Tokens::open(&keys, "tonghop").unwrap();
        assert!(second.verify(&token, noon()).is_ok());
        let file = keys.join("0001.ed25519");
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            Tokens::open(&keys, "tonghop"),
            Err(SigningKeyError::Exposed(_))
        ));
    }
}
