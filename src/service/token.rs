//! Signing in: an access token for a password, or for a refresh token that was not used before.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::application::Application;
use crate::authn::password;
use crate::authn::token::{LIFETIME, TokenError};
use crate::authz::Scope;
use crate::domain::id::{AccountId, Login, TenantId, TenantSlug};
use crate::error::{Code, Fault, Message};
use crate::store::account::{
    RefreshToken, account_by_login, refresh_token_by_hash, refresh_token_family_delete,
    refresh_token_insert, refresh_token_use, refresh_tokens_delete_expired,
};
use crate::store::tenant::{tenant_by_slug, tenants};
use crate::store::{StoreError, Transaction};
use crate::{explain, message};

/// How long a refresh token serves: a clerk who works once a month signs in once a month.
const REFRESH_LIFETIME: TimeDelta = TimeDelta::days(45);

/// What somebody signs in with.
#[derive(Clone)]
pub enum Credentials {
    Password {
        /// May be left out while there is one tenant.
        tenant: Option<String>,
        username: String,
        password: String,
    },
    RefreshToken(String),
}

/// Why somebody is not signed in.
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

impl SignInError {
    fn own(&self) -> (Code, Message, Vec<Fault>) {
        let (code, message) = match self {
            SignInError::TenantRequired => (
                Code::TenantRequired,
                message!(
                    "Máy chủ có nhiều hệ thống. Hãy ghi thêm tên ngắn của hệ thống (tenant).",
                    "There are several systems here. Say which one by its short name (tenant)."
                ),
            ),
            SignInError::WrongRefreshToken => (
                Code::InvalidCredentials,
                message!(
                    "Phiên đăng nhập đã hết hạn hoặc đã được gia hạn ở nơi khác. Hãy đăng nhập lại bằng mật khẩu. (refresh_token đã dùng, đã hết hạn hoặc không đúng.)",
                    "Your session has expired or was prolonged elsewhere. Sign in with your password. (The refresh_token was used, has expired or is wrong.)"
                ),
            ),
            SignInError::WrongPassword => (
                Code::InvalidCredentials,
                message!(
                    "Tên đăng nhập hoặc mật khẩu không đúng. Hãy kiểm tra lại, kể cả phím Caps Lock.",
                    "The login or the password is wrong. Check both, and the Caps Lock key."
                ),
            ),
            SignInError::Store(_) | SignInError::Token(_) | SignInError::NoRandomness => (
                Code::Internal,
                message!("Hệ thống gặp lỗi.", "The service failed."),
            ),
        };
        (code, message, Vec::new())
    }
}

explain!(SignInError, held: Store, Token; own);

/// Tokens for somebody who signed in (RFC 6749, section 5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TokenView {
    /// To be sent as `Authorization: Bearer …`.
    pub access_token: String,
    #[schema(example = "Bearer")]
    pub token_type: String,
    /// Seconds.
    pub expires_in: i64,
    /// Serves once, for the next access token.
    pub refresh_token: String,
}

/// Checks credentials and gives tokens for them.
///
/// # Errors
/// [`SignInError`].
pub fn issue_token(
    application: &Application,
    credentials: &Credentials,
    now: DateTime<Utc>,
) -> Result<TokenView, SignInError> {
    match credentials {
        Credentials::Password {
            tenant,
            username,
            password,
        } => {
            let tenant = find_tenant(application, tenant.as_deref())?;
            by_password(application, tenant, username, password, now)
        }
        Credentials::RefreshToken(token) => by_refresh_token(application, token, now),
    }
}

/// The tenant of this slug, or the only one there is; `None` for one that does not exist, which
/// is told no differently from a wrong password.
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

fn by_password(
    application: &Application,
    tenant: Option<TenantId>,
    username: &str,
    password: &str,
    now: DateTime<Utc>,
) -> Result<TokenView, SignInError> {
    let account = match (tenant, username.parse::<Login>()) {
        (Some(tenant), Ok(login)) => {
            let scope = Scope::of_sign_in(tenant);
            application
                .database
                .read_uncounted(&scope, |transaction| account_by_login(transaction, &login))?
        }
        _ => None,
    };
    let hash = account
        .as_ref()
        .map(|account| account.password_hash.as_str());
    let is_right = password.len() <= password::LONGEST * 4 && password::matches(password, hash);
    let (Some(tenant), Some(account), true) = (tenant, account, is_right) else {
        return Err(SignInError::WrongPassword);
    };
    let family = uuid::Uuid::now_v7().to_string();
    application
        .database
        .write_unlocked(&Scope::of_sign_in(tenant), |transaction| {
            refresh_tokens_delete_expired(transaction, now.naive_utc())?;
            give(application, transaction, tenant, account.id, family, now)
        })
}

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
    // Anybody can send anything here: only what is known goes among the writes.
    let known = application.database.read_uncounted(&scope, |transaction| {
        refresh_token_by_hash(transaction, &hash)
    })?;
    if known.is_none() {
        return Err(SignInError::WrongRefreshToken);
    }
    let given = application
        .database
        .write_unlocked(&Scope::of_sign_in(tenant), |transaction| {
            let Some(found) = refresh_token_by_hash(transaction, &hash)? else {
                return Ok(None);
            };
            if found.expires_at <= now.naive_utc() {
                return Ok(None);
            }
            if !refresh_token_use(transaction, &hash, now.naive_utc())? {
                // Used twice means that somebody else has it: whoever is right signs in again.
                refresh_token_family_delete(transaction, &found.family)?;
                return Ok(None);
            }
            give(
                application,
                transaction,
                tenant,
                found.account,
                found.family,
                now,
            )
            .map(Some)
        })?;
    given.ok_or(SignInError::WrongRefreshToken)
}

fn give(
    application: &Application,
    transaction: &mut Transaction<'_>,
    tenant: TenantId,
    account: AccountId,
    family: String,
    now: DateTime<Utc>,
) -> Result<TokenView, SignInError> {
    let access_token = application.tokens.issue(tenant, account, now)?;
    let refresh_token = format!("{tenant}.{}", random_text()?);
    let kept = RefreshToken {
        hash: hash_of(&refresh_token),
        account,
        family,
        expires_at: (now + REFRESH_LIFETIME).naive_utc(),
        used_at: None,
    };
    refresh_token_insert(transaction, &kept)?;
    Ok(TokenView {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: LIFETIME.num_seconds(),
        refresh_token,
    })
}

fn random_text() -> Result<String, SignInError> {
    use base64::Engine;
    let mut bytes = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| SignInError::NoRandomness)?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}

fn hash_of(token: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}
