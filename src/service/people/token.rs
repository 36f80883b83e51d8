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
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::authn::password;
use crate::authn::secret::{NoRandomness, hash_of, random_text};
use crate::authn::token::{LIFETIME, TokenError};
use crate::authz::{Permit, Scope};
use crate::domain::id::{AccountId, SessionId, TenantId, TenantSlug};
use crate::domain::text::composed;
use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::service::application::Application;
use crate::service::application::change::ChangeKind;
use crate::service::application::throttle::{Acquaintance, Attempt, TooManyFailures};
use crate::service::people::account_item::item_on;
use crate::service::people::session::{
    Room, end_sessions, end_unused_surplus, make_room_for_session,
};
use crate::service::people::sign_in_attempt::{
    Attempted, SignInOutcome, is_known, record, record_apart,
};
use crate::store::account::{Account, account_by_id, account_note_sign_in, accounts_by_logins};
use crate::store::sign_in::{
    Family, RefreshToken, Sessions, family_insert, family_lock, family_note_use,
    refresh_token_by_hash, refresh_token_children, refresh_token_delete, refresh_token_insert,
    refresh_tokens_delete_expired, sign_ins_delete_ended,
};
use crate::store::tenant::{tenant_by_id, tenant_by_slug, tenants};
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
    #[error(transparent)]
    TooMany(#[from] TooManyFailures),
    #[error("the login or the password is wrong")]
    WrongPassword {
        /// The time for which the answer waits.
        pause: Duration,
    },
    #[error("the refresh token does not serve")]
    WrongRefreshToken,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
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
            SignInError::TooMany(held) => held.explain(),
            SignInError::WrongPassword { .. } => {
                Explanation::new(Code::InvalidCredentials, message!("sign-in-wrong-password"))
            }
            SignInError::NoRandomness(_) => Explanation::internal(),
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
            let slug = tenant.as_deref();
            let entered = EnteredPassword {
                tenant: find_tenant(application, slug)?,
                slug,
                login: username,
                password,
            };
            by_password(application, entered, client, now)
        }
        Credentials::RefreshToken(token) => by_refresh_token(application, token, client, now),
    }
}

/// A login and a password, and the tenant that they are for.
#[derive(Clone, Copy)]
struct EnteredPassword<'e> {
    /// `None` if there is no such tenant.
    tenant: Option<TenantId>,
    slug: Option<&'e str>,
    login: &'e str,
    password: &'e str,
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

/// Signs in with a password. A name that no account has takes the same steps as one that has: the
/// same counts, the same reads, one hash, one row of the log.
fn by_password(
    application: &Application,
    entered: EnteredPassword<'_>,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<TokenView, SignInError> {
    let throttle = &application.throttle;
    let names = (entered.tenant, entered.slug);
    let attempt = throttle.attempt(names, entered.login, client.address);
    let account = find_account(application, entered)?;
    let refused = |outcome| Attempted {
        login: entered.login,
        account: account.as_ref().map(|account| account.id),
        outcome,
        address: client.address,
    };
    let scope = entered.tenant.map(Scope::of_sign_in);
    let known = refused(SignInOutcome::Throttled);
    let acquaintance = match admitted(application, &attempt, (scope, &known), now)? {
        Ok(acquaintance) => acquaintance,
        Err(too_many) => {
            if let Some(scope) = scope.filter(|_| throttle.is_noted(client.address)) {
                record_apart(application, &scope, &known, now)?;
            }
            return Err(too_many.into());
        }
    };
    match (scope, &account, wrong(account.as_ref(), entered.password)) {
        (Some(scope), Some(account), None) => {
            begin_session(application, (&scope, account), entered.login, client, now)
        }
        (scope, _, outcome) => {
            let pause = attempt.note_failure(acquaintance);
            let outcome = outcome.unwrap_or(SignInOutcome::UnknownLogin);
            if let Some(scope) = scope {
                record_apart(application, &scope, &refused(outcome), now)?;
            }
            Err(SignInError::WrongPassword { pause })
        }
    }
}

fn find_account(
    application: &Application,
    entered: EnteredPassword<'_>,
) -> Result<Option<Account>, StoreError> {
    let Some(tenant) = entered.tenant.filter(|_| !entered.login.contains('\0')) else {
        return Ok(None);
    };
    let scope = Scope::of_sign_in(tenant);
    application.database.read_uncounted(&scope, |transaction| {
        account_meant(transaction, entered.login)
    })
}

/// Decides whether an attempt may be made. Looks whether the address is known to the account only
/// after too many failures.
fn admitted(
    application: &Application,
    attempt: &Attempt<'_>,
    (scope, attempted): (Option<Scope>, &Attempted<'_>),
    now: DateTime<Utc>,
) -> Result<Result<Acquaintance, TooManyFailures>, StoreError> {
    let Err(too_many) = attempt.admit(Acquaintance::Stranger) else {
        return Ok(Ok(Acquaintance::Stranger));
    };
    let (Some(scope), Some(address)) = (scope, attempted.address) else {
        return Ok(Err(too_many));
    };
    let is_known = application.database.read_uncounted(&scope, |transaction| {
        is_known(transaction, attempted.account, address, now)
    })?;
    Ok(match is_known {
        true => {
            let admitted = attempt.admit(Acquaintance::Known);
            admitted.map(|()| Acquaintance::Known)
        }
        false => Err(too_many),
    })
}

/// Compares a password with that of an account, and says what is wrong, for the log only: the caller
/// is told the same of all. Takes equally long without an account.
fn wrong(account: Option<&Account>, password: &str) -> Option<SignInOutcome> {
    let usable = account.filter(|account| account.disabled_at.is_none());
    let hash = usable.and_then(|account| account.password_hash.as_deref());
    let is_right = password::is_sensible(password) && password::matches(password, hash);
    match (account, hash) {
        _ if is_right => None,
        (None, _) => Some(SignInOutcome::UnknownLogin),
        (Some(account), _) if account.disabled_at.is_some() => Some(SignInOutcome::Disabled),
        (Some(_), None) => Some(SignInOutcome::NoPassword),
        (Some(_), Some(_)) => Some(SignInOutcome::WrongPassword),
    }
}

/// The tries of a sign-in to find room: others that sign in with the same account at the same moment
/// may take what was made.
const TRIES_FOR_ROOM: usize = 10;

/// Begins a session, in place of others if the account has as many as it may have.
fn begin_session(
    application: &Application,
    (scope, account): (&Scope, &Account),
    login: &str,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<TokenView, SignInError> {
    for _ in 0..TRIES_FOR_ROOM {
        match try_to_begin_session(application, (scope, account), login, client, now) {
            Ok(tokens) => return Ok(tokens),
            Err(NotBegun::NoRoom) => make_room_for_session(application, scope, account.id, now)?,
            Err(NotBegun::Refused(error)) => return Err(error),
        }
    }
    let others = "others that sign in with the account have taken all room".to_owned();
    Err(StoreError::Unavailable(others).into())
}

/// The reasons for which no session was begun, and nothing was written.
#[derive(Debug, thiserror::Error)]
enum NotBegun {
    #[error(transparent)]
    Refused(SignInError),
    #[error("the account has as many sessions as it may have")]
    NoRoom,
}

impl<E: Into<SignInError>> From<E> for NotBegun {
    fn from(error: E) -> NotBegun {
        NotBegun::Refused(error.into())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "signing in is no part of a tenant's history"
)]
fn try_to_begin_session(
    application: &Application,
    (scope, account): (&Scope, &Account),
    login: &str,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<TokenView, NotBegun> {
    let family = Family {
        id: SessionId::new(),
        account: account.id,
        ends_at: (now + FAMILY_LIFETIME).naive_utc(),
        last_used: None,
    };
    let signed_in = Attempted {
        login,
        account: Some(account.id),
        outcome: SignInOutcome::SignedIn,
        address: client.address,
    };
    application.database.write_unlocked(scope, |transaction| {
        if !account_note_sign_in(transaction, account, now.naive_utc())? {
            // Changed or disabled since the password was read.
            let pause = Duration::ZERO;
            return Err(SignInError::WrongPassword { pause }.into());
        }
        if end_unused_surplus(transaction, account.id, now)? == Room::Full {
            return Err(NotBegun::NoRoom);
        }
        family_insert(
            transaction,
            &family,
            client.agent.as_deref(),
            now.naive_utc(),
        )?;
        record(application, transaction, scope, &signed_in, now)?;
        let tokens = give(application, transaction, scope.tenant(), &family, now)?;
        // Last: a refresh locks its family before such tokens, as this does.
        sign_ins_delete_ended(transaction, now.naive_utc())?;
        Ok(tokens)
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
    client: &Client,
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
        note_unknown_token(application, &scope, client, now)?;
        return Err(SignInError::WrongRefreshToken);
    }
    let mut reused = None;
    let given = application.database.write_unlocked(&scope, |transaction| {
        let (account, outcome) = match use_token(transaction, &hash, now)? {
            TokenUse::Serves(family) => {
                return give(application, transaction, tenant, &family, now).map(Some);
            }
            TokenUse::Unknown => return Ok(None),
            TokenUse::Expired(account) if application.throttle.is_noted(client.address) => {
                (account, SignInOutcome::RefusedToken)
            }
            TokenUse::Expired(_) => return Ok(None),
            TokenUse::Reused(family) => {
                reused = Some(family.clone());
                (family.account, SignInOutcome::ReusedToken)
            }
        };
        let holder = account_by_id(transaction, account)?;
        let attempted = Attempted {
            login: holder.as_ref().map_or("", |holder| holder.login.as_str()),
            account: Some(account),
            outcome,
            address: client.address,
        };
        record(application, transaction, &scope, &attempted, now)?;
        Ok(None)
    })?;
    if let Some(family) = reused {
        end_family(application, &scope, &family, now)?;
    }
    given.ok_or(SignInError::WrongRefreshToken)
}

/// Ends a sign-in of which two parties have tokens, for all servers at once. Its access tokens serve
/// no more either.
#[expect(
    clippy::disallowed_methods,
    reason = "the holder of the token is not signed in by it"
)]
fn end_family(
    application: &Application,
    scope: &Scope,
    family: &Family,
    now: DateTime<Utc>,
) -> Result<(), SignInError> {
    application.changing_many(scope, now, |transaction, counters| {
        let (account, session) = (family.account, Sessions::One(family.id));
        end_sessions(transaction, account, session, (now, counters.rev))?;
        let item = item_on(transaction, account, ChangeKind::SessionEnded)?;
        Ok(((), vec![item.by(&Permit::of_holder(account))]))
    })
}

/// Writes into the log that somebody sent a token of a tenant which nobody got from it, or whose
/// session has ended.
fn note_unknown_token(
    application: &Application,
    scope: &Scope,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let is_noted = application.throttle.is_noted(client.address);
    if !is_noted || tenant_by_id(&application.database, scope.tenant())?.is_none() {
        return Ok(());
    }
    let attempted = Attempted {
        login: "",
        account: None,
        outcome: SignInOutcome::RefusedToken,
        address: client.address,
    };
    record_apart(application, scope, &attempted, now)
}

/// What a refresh token is good for.
enum TokenUse {
    Serves(Family),
    /// It is not there any more.
    Unknown,
    Expired(AccountId),
    /// Its child, or a sibling, was used already.
    Reused(Family),
}

/// Finds the family of a token. A valid one is recorded as used last.
fn use_token(
    transaction: &mut Transaction<'_>,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<TokenUse, StoreError> {
    let Some(token) = refresh_token_by_hash(transaction, hash)? else {
        return Ok(TokenUse::Unknown);
    };
    let Some(mut family) = family_lock(transaction, token.family)? else {
        return Ok(TokenUse::Unknown);
    };
    if token.expires_at <= now.naive_utc() {
        return Ok(TokenUse::Expired(family.account));
    }
    let is_last = family.last_used.as_deref() == Some(hash);
    let is_child_of_last = family.last_used == token.parent;
    if !is_last && !is_child_of_last {
        // Two parties have this family's tokens; the rightful one signs in again.
        return Ok(TokenUse::Reused(family));
    }
    refresh_tokens_delete_expired(transaction, family.id, now.naive_utc())?;
    family_note_use(transaction, family.id, hash, now.naive_utc())?;
    family.last_used = Some(token.hash);
    Ok(TokenUse::Serves(family))
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
