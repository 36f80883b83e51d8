//! Signing in: issues an access token for a password or a refresh token.
//!
//! A refresh token yields an access token and a child, which is the next refresh token. If that
//! answer is lost, the same token may be sent again and yields another child. Once a child is used,
//! its parent and siblings are spent. Using a spent token means that two parties have the family's
//! tokens, so the whole sign-in ends. Only the newest few children are kept.
//!
//! For example, P yields C1, whose answer is lost, and then C2; C2 yields D. Now P or C1 ends the
//! family, and D with it.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::authn::password;
use crate::authn::token::{LIFETIME, TokenError};
use crate::authz::Scope;
use crate::domain::id::{SessionId, TenantId, TenantSlug};
use crate::domain::text::composed;
use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::service::application::Application;
use crate::store::account::{Account, account_note_sign_in, accounts_by_logins};
use crate::store::sign_in::{
    Family, RefreshToken, family_delete, family_insert, family_lock, family_note_use,
    refresh_token_by_hash, refresh_token_children, refresh_token_delete, refresh_token_insert,
    refresh_tokens_delete_expired, sign_ins_delete_ended,
};
use crate::store::tenant::{tenant_by_slug, tenants};
use crate::store::{StoreError, Transaction};

/// The lifetime of a refresh token: a clerk who works once a month signs in once a month.
const REFRESH_LIFETIME: TimeDelta = TimeDelta::days(45);

/// The lifetime of a sign-in, however often it is refreshed. It limits the use of a stolen token
/// that nobody misses.
const FAMILY_LIFETIME: TimeDelta = TimeDelta::days(90);

/// The number of lost or simultaneous answers of one refresh that are tolerated. Beyond it, the
/// oldest children expire.
const MOST_CHILDREN: usize = 8;

/// The credentials of a sign-in.
#[derive(Clone)]
pub enum Credentials {
    Password {
        /// May be omitted while there is only one tenant.
        tenant: Option<String>,
        username: String,
        password: String,
    },
    RefreshToken(String),
}

/// The program from which somebody signs in. A command tells neither.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// The name that it gives itself (User-Agent).
    pub agent: Option<String>,
    pub address: Option<IpAddr>,
}

/// The errors of signing in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("the tenant must be named")]
    TenantRequired,
    #[error("the login or the password is wrong")]
    WrongPassword,
    #[error("the refresh token does not serve")]
    WrongRefreshToken,
    #[error("no randomness")]
    NoRandomness,
}

impl Explain for SignInError {
    fn explain(&self) -> Explanation {
        match self {
            SignInError::Store(held) => held.explain(),
            SignInError::Token(held) => held.explain(),
            SignInError::TenantRequired => {
                Explanation::new(Code::TenantRequired, message!("sign-in-tenant-required"))
            }
            SignInError::WrongRefreshToken => Explanation::new(
                Code::InvalidCredentials,
                message!("sign-in-wrong-refresh-token"),
            ),
            SignInError::WrongPassword => {
                Explanation::new(Code::InvalidCredentials, message!("sign-in-wrong-password"))
            }
            SignInError::NoRandomness => Explanation::internal(),
        }
    }
}

/// The tokens of a sign-in (RFC 6749, section 5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TokenView {
    /// To be sent as `Authorization: Bearer …`.
    pub access_token: String,
    #[schema(example = "Bearer")]
    pub token_type: String,
    /// In seconds.
    pub expires_in: i64,
    /// Yields the next access token and the next refresh token. May be sent again until its child
    /// is used. Null for a program, which has its key.
    pub refresh_token: Option<String>,
}

/// Checks credentials and issues tokens.
///
/// # Errors
/// [`SignInError`].
pub fn issue_token(
    application: &Application,
    credentials: &Credentials,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<TokenView, SignInError> {
    match credentials {
        Credentials::Password {
            tenant,
            username,
            password,
        } => {
            let tenant = find_tenant(application, tenant.as_deref())?;
            by_password(application, tenant, (username, password), client, now)
        }
        Credentials::RefreshToken(token) => by_refresh_token(application, token, now),
    }
}

/// Finds the tenant of a slug, or the only tenant. `None` if the slug does not exist, which looks
/// the same to the caller as a wrong password.
fn find_tenant(
    application: &Application,
    slug: Option<&str>,
) -> Result<Option<TenantId>, SignInError> {
    let database = &application.database;
    let Some(slug) = slug else {
        let mut found = tenants(database, None, 2)?;
        return match (found.pop(), found.pop()) {
            (Some(only), None) => Ok(Some(only.id)),
            (None, _) => Ok(None),
            _ => Err(SignInError::TenantRequired),
        };
    };
    match slug.parse::<TenantSlug>() {
        Ok(slug) => Ok(tenant_by_slug(database, &slug)?.map(|tenant| tenant.id)),
        Err(_) => Ok(None),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "signing in is no part of a tenant's history"
)]
fn by_password(
    application: &Application,
    tenant: Option<TenantId>,
    (username, password): (&str, &str),
    client: &Client,
    now: DateTime<Utc>,
) -> Result<TokenView, SignInError> {
    let account = match tenant.filter(|_| !username.contains('\0')) {
        Some(tenant) => {
            let scope = Scope::of_sign_in(tenant);
            application
                .database
                .read_uncounted(&scope, |transaction| account_meant(transaction, username))?
        }
        None => None,
    };
    // An account that is disabled or was never activated looks like one that is not there.
    let account = account.filter(|account| account.disabled_at.is_none());
    let hash = account
        .as_ref()
        .and_then(|account| account.password_hash.as_deref());
    let is_right = password::is_sensible(password) && password::matches(password, hash);
    let (Some(tenant), Some(account), true) = (tenant, account, is_right) else {
        return Err(SignInError::WrongPassword);
    };
    let family = Family {
        id: SessionId::new(),
        account: account.id,
        ends_at: (now + FAMILY_LIFETIME).naive_utc(),
        last_used: None,
    };
    application
        .database
        .write_unlocked(&Scope::of_sign_in(tenant), |transaction| {
            sign_ins_delete_ended(transaction, now.naive_utc())?;
            family_insert(
                transaction,
                &family,
                client.agent.as_deref(),
                now.naive_utc(),
            )?;
            account_note_sign_in(transaction, family.account, now.naive_utc())?;
            give(application, transaction, tenant, &family, now)
        })
}

/// Finds the account meant by a login: that of the composed text, or one whose login was left
/// uncomposed.
fn account_meant(
    transaction: &mut Transaction<'_>,
    username: &str,
) -> Result<Option<Account>, StoreError> {
    let composed = composed(username);
    let mut found = accounts_by_logins(transaction, &[username, composed.as_ref()])?;
    let as_sent = found
        .iter()
        .position(|account| account.login.as_str() == username);
    Ok(match as_sent {
        Some(index) => Some(found.swap_remove(index)),
        None => found.pop(),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "signing in is no part of a tenant's history"
)]
fn by_refresh_token(
    application: &Application,
    token: &str,
    now: DateTime<Utc>,
) -> Result<TokenView, SignInError> {
    let tenant = token
        .split_once('.')
        .and_then(|(tenant, _)| tenant.parse::<TenantId>().ok());
    let tenant = tenant.ok_or(SignInError::WrongRefreshToken)?;
    let hash = hash_of(token);
    let scope = Scope::of_sign_in(tenant);
    // Anybody can send anything here, so look the token up before taking a turn to write.
    let known = application.database.read_uncounted(&scope, |transaction| {
        refresh_token_by_hash(transaction, &hash)
    })?;
    if known.is_none() {
        return Err(SignInError::WrongRefreshToken);
    }
    let given = application.database.write_unlocked(&scope, |transaction| {
        let Some(family) = family_of(transaction, &hash, now)? else {
            return Ok(None);
        };
        give(application, transaction, tenant, &family, now).map(Some)
    })?;
    given.ok_or(SignInError::WrongRefreshToken)
}

/// Finds the family of a valid token, and records the token as used last.
fn family_of(
    transaction: &mut Transaction<'_>,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<Family>, StoreError> {
    let Some(token) = refresh_token_by_hash(transaction, hash)? else {
        return Ok(None);
    };
    let Some(mut family) = family_lock(transaction, token.family)? else {
        return Ok(None);
    };
    if token.expires_at <= now.naive_utc() {
        return Ok(None);
    }
    let is_last = family.last_used.as_deref() == Some(hash);
    let is_child_of_last = family.last_used == token.parent;
    if !is_last && !is_child_of_last {
        // Two parties have this family's tokens; the rightful one signs in again.
        family_delete(transaction, family.id)?;
        return Ok(None);
    }
    refresh_tokens_delete_expired(transaction, family.id, now.naive_utc())?;
    family_note_use(transaction, family.id, hash, now.naive_utc())?;
    family.last_used = Some(token.hash);
    Ok(Some(family))
}

/// Issues an access token, and a child of the token that was used last.
fn give(
    application: &Application,
    transaction: &mut Transaction<'_>,
    tenant: TenantId,
    family: &Family,
    now: DateTime<Utc>,
) -> Result<TokenView, SignInError> {
    let access_token = application
        .tokens
        .issue(tenant, (family.account, family.id), now)?;
    let refresh_token = format!("{tenant}.{}", random_text()?);
    let expires_at = (now + REFRESH_LIFETIME).naive_utc();
    let kept = RefreshToken {
        hash: hash_of(&refresh_token),
        family: family.id,
        parent: family.last_used.clone(),
        expires_at: expires_at.min(family.ends_at),
    };
    if let Some(parent) = &family.last_used {
        make_room(transaction, family.id, parent)?;
    }
    refresh_token_insert(transaction, &kept)?;
    Ok(TokenView {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: LIFETIME.num_seconds(),
        refresh_token: Some(refresh_token),
    })
}

/// Deletes the oldest children of a token, to make room for one more.
fn make_room(
    transaction: &mut Transaction<'_>,
    family: SessionId,
    parent: &str,
) -> Result<(), StoreError> {
    let newest_first = refresh_token_children(transaction, family, parent)?;
    for forgotten in newest_first.iter().skip(MOST_CHILDREN - 1) {
        refresh_token_delete(transaction, forgotten)?;
    }
    Ok(())
}

fn random_text() -> Result<String, SignInError> {
    use base64::Engine;
    let mut bytes = [0_u8; 32];
    openssl::rand::rand_bytes(&mut bytes).map_err(|_| SignInError::NoRandomness)?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}

fn hash_of(token: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}
