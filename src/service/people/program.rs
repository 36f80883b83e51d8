//! Programs as callers: a request with a key, or with a token that was got for one. Whether the key
//! serves is asked of the tenant's people, which are cached until the tenant's grants change; so a
//! deletion holds at once on every server.

use std::net::IpAddr;

use chrono::{DateTime, NaiveDate, Utc};

use crate::authn::api_key::{ApiKey, InvalidKey};
use crate::authn::token::LIFETIME;
use crate::authn::{Identity, TokenError};
use crate::authz::{KeyOperations, Operation, Scope};
use crate::domain::id::{Login, TenantId};
use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::service::application::Application;
use crate::service::application::key_uses::NOTED_EVERY;
use crate::service::application::snapshot::People;
use crate::service::application::throttle::TooManyFailures;
use crate::service::people::sign_in_attempt::{Attempted, SignInOutcome, record_apart};
use crate::service::people::token::TokenView;
use crate::store::StoreError;
use crate::store::account::account_by_login;
use crate::store::api_key::key_note_use;
use crate::store::tenant::tenant_by_id;

/// What a program shows.
#[derive(Debug, Clone)]
pub enum ShownKey {
    Key(ApiKey),
    /// The identity of a token that was got for a key.
    Token(Identity),
}

impl ShownKey {
    fn tenant(&self) -> TenantId {
        match self {
            ShownKey::Key(key) => key.tenant(),
            ShownKey::Token(identity) => identity.tenant(),
        }
    }

    /// Finds the key among a tenant's people, if it serves today, with what it allows.
    fn among(
        &self,
        people: &People,
        today: NaiveDate,
        now: DateTime<Utc>,
    ) -> Option<(Identity, KeyOperations)> {
        match self {
            ShownKey::Key(key) => {
                let kept = people.key_with(key.hash(), today)?;
                let identity = Identity::of_key(key, &kept.hash, kept.account, now)?;
                Some((identity, kept.operations.clone()))
            }
            ShownKey::Token(identity) => {
                let kept = people.key_of(identity.account(), today)?;
                Some((*identity, kept.operations.clone()))
            }
        }
    }
}

/// The reasons for which a program is turned away.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Unreadable(#[from] InvalidKey),
    #[error("the key is not known, is deleted or has expired")]
    NotServing,
    #[error(transparent)]
    TooMany(#[from] TooManyFailures),
    #[error("the key allows only {allowed}")]
    Outside {
        operation: Operation,
        allowed: KeyOperations,
    },
    #[error("no key allows {}", .0.id())]
    NotForPrograms(Operation),
}

impl Explain for ProgramError {
    fn explain(&self) -> Explanation {
        match self {
            ProgramError::Store(held) => held.explain(),
            ProgramError::Unreadable(_) => {
                Explanation::new(Code::InvalidToken, message!("program-key-unreadable"))
            }
            ProgramError::NotServing => {
                Explanation::new(Code::InvalidToken, message!("program-key-not-serving"))
            }
            ProgramError::TooMany(held) => held.explain(),
            ProgramError::Outside { operation, allowed } => {
                let operation = operation.id();
                let message = message!("program-outside-key", operation, operations = allowed);
                Explanation::new(Code::OutsideKey, message)
            }
            ProgramError::NotForPrograms(operation) => {
                let operation = operation.id();
                let message = message!("program-not-for-programs", operation);
                Explanation::new(Code::OutsideKey, message)
            }
        }
    }
}

/// Reads the text of a key. What is no whole key costs no read of the database, and is counted as a
/// failure of its address all the same.
///
/// # Errors
/// [`ProgramError`].
pub fn read_key(
    application: &Application,
    text: &str,
    address: Option<IpAddr>,
) -> Result<ApiKey, ProgramError> {
    let unreadable = match text.parse() {
        Ok(key) => return Ok(key),
        Err(unreadable) => unreadable,
    };
    application.throttle.admit(address)?;
    application.throttle.note_failure(address);
    Err(ProgramError::Unreadable(unreadable))
}

/// Identifies a program as [`admit`] does, if its tenant's people are cached and its key serves for the
/// operation. Never blocks.
pub async fn admit_cached(
    application: &Application,
    shown: &ShownKey,
    operation: Operation,
    now: DateTime<Utc>,
) -> Option<Identity> {
    let tenant = shown.tenant();
    application.caches.latest_people(tenant)?;
    let scope = Scope::of_sign_in(tenant);
    let counters = application.database.current(&scope).await?;
    let people = application.caches.cached_people(tenant, counters)?;
    let (identity, allowed) = shown.among(&people, counters.day_of(now), now)?;
    allowed.includes(operation).then_some(identity)
}

/// Identifies a program that is about to do an operation. Every request of a program passes here, or
/// [`admit_cached`], once.
///
/// # Errors
/// [`ProgramError`].
pub fn admit(
    application: &Application,
    shown: &ShownKey,
    operation: Operation,
    address: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<Identity, ProgramError> {
    let (identity, allowed) = match shown {
        ShownKey::Key(key) => guarded(application, key, address, now)?,
        ShownKey::Token(_) => serving(application, shown, now)?,
    };
    if allowed.includes(operation) {
        Ok(identity)
    } else if operation.is_for_programs() {
        Err(ProgramError::Outside { operation, allowed })
    } else {
        Err(ProgramError::NotForPrograms(operation))
    }
}

/// Finds a key that serves today. After too many wrong ones from an address, a key is read only if
/// it is likely to serve.
fn guarded(
    application: &Application,
    key: &ApiKey,
    address: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<(Identity, KeyOperations), ProgramError> {
    if application.throttle.admit(address).is_err() && !is_worth_reading(application, key, now) {
        return Err(turn_away(application, key, address, now)?);
    }
    match serving(application, &ShownKey::Key(key.clone()), now) {
        Err(ProgramError::NotServing) => Err(turn_away(application, key, address, now)?),
        found => found,
    }
}

/// Returns true for a key that served when the tenant's people were read last: others may fail behind
/// the same address, and the programs there go on. A key may be newer than that, so now and then
/// another one is read too.
fn is_worth_reading(application: &Application, key: &ApiKey, now: DateTime<Utc>) -> bool {
    let Some(people) = application.caches.latest_people(key.tenant()) else {
        // The tenant may be made up, so all of these share one count.
        return application.throttle.is_look_due(None);
    };
    let known = people.key_with(key.hash(), people.day_of(now));
    known.is_some() || application.throttle.is_look_due(Some(key.tenant()))
}

/// Turns away whoever shows a wrong key. It is counted and written into the log as a wrong password
/// is. After too many from an address it is told to wait, and the log says so now and then.
fn turn_away(
    application: &Application,
    key: &ApiKey,
    address: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<ProgramError, StoreError> {
    let throttle = &application.throttle;
    let Err(too_many) = throttle.admit(address) else {
        throttle.note_failure(address);
        record_key(application, key, SignInOutcome::WrongKey, address, now)?;
        return Ok(ProgramError::NotServing);
    };
    if throttle.is_noted(address) {
        record_key(application, key, SignInOutcome::Throttled, address, now)?;
    }
    Ok(too_many.into())
}

/// Writes into the log what became of a key, if its tenant is not made up.
fn record_key(
    application: &Application,
    key: &ApiKey,
    outcome: SignInOutcome,
    address: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let database = &application.database;
    if tenant_by_id(database, key.tenant())?.is_none() {
        return Ok(());
    }
    let scope = Scope::of_sign_in(key.tenant());
    let login = Login::kept(key.prefix().to_owned());
    let program =
        database.read_uncounted(&scope, |transaction| account_by_login(transaction, &login))?;
    let attempted = Attempted {
        login: login.as_str(),
        account: program.map(|program| program.id),
        outcome,
        address,
    };
    record_apart(application, &scope, &attempted, now)
}

/// Finds the key that a program shows, if it serves today.
fn serving(
    application: &Application,
    shown: &ShownKey,
    now: DateTime<Utc>,
) -> Result<(Identity, KeyOperations), ProgramError> {
    let tenant = shown.tenant();
    let scope = Scope::of_sign_in(tenant);
    let found = application
        .database
        .glance(&scope, |transaction, counters| {
            let people = application
                .caches
                .people_in(transaction, tenant, counters)?;
            Ok(shown.among(&people, counters.day_of(now), now))
        });
    match found {
        Ok(found) => found.ok_or(ProgramError::NotServing),
        // A tenant that somebody made up is told like a secret that somebody made up.
        Err(StoreError::TenantGone) => Err(ProgramError::NotServing),
        Err(error) => Err(error.into()),
    }
}

/// Returns true if the use of a program's key is to be noted. Told once a minute.
pub fn is_use_due(application: &Application, program: &Identity, now: DateTime<Utc>) -> bool {
    application.key_uses.is_due(program.account(), now)
}

/// Notes that a program's key was used. Nobody waits for it, so a failure is only logged.
#[expect(
    clippy::disallowed_methods,
    reason = "the use of a key is no part of a tenant's history"
)]
pub fn note_use(application: &Application, program: &Identity, now: DateTime<Utc>) {
    let scope = Scope::of(program);
    let noted = application.database.write_unlocked(&scope, |transaction| {
        // Another server may have noted one.
        let before = (now - NOTED_EVERY).naive_utc();
        key_note_use(transaction, program.account(), before, now.naive_utc())
    });
    if let Err(error) = noted {
        tracing::warn!(%error, "the use of a key is not noted");
    }
}

/// The credentials of a program (RFC 6749, section 4.4).
#[derive(Clone)]
pub struct ProgramCredentials {
    /// The key's prefix, or its id.
    pub client: String,
    /// The key.
    pub secret: String,
}

/// The errors of getting a token for a key.
#[derive(Debug, thiserror::Error)]
pub enum ProgramTokenError {
    #[error(transparent)]
    Store(StoreError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    TooMany(TooManyFailures),
    #[error("the client or its key is wrong")]
    WrongKey,
}

impl Explain for ProgramTokenError {
    fn explain(&self) -> Explanation {
        match self {
            ProgramTokenError::Store(held) => held.explain(),
            ProgramTokenError::Token(held) => held.explain(),
            ProgramTokenError::TooMany(held) => held.explain(),
            ProgramTokenError::WrongKey => {
                Explanation::new(Code::InvalidClient, message!("program-wrong-key"))
            }
        }
    }
}

impl From<ProgramError> for ProgramTokenError {
    fn from(error: ProgramError) -> ProgramTokenError {
        match error {
            ProgramError::Store(error) => ProgramTokenError::Store(error),
            ProgramError::TooMany(error) => ProgramTokenError::TooMany(error),
            ProgramError::Unreadable(_)
            | ProgramError::NotServing
            | ProgramError::Outside { .. }
            | ProgramError::NotForPrograms(_) => ProgramTokenError::WrongKey,
        }
    }
}

/// An access token for a key, and the program that has it.
pub struct ProgramToken {
    pub view: TokenView,
    pub program: Identity,
}

/// Checks a key and issues an access token for it. It serves no longer than the key.
///
/// # Errors
/// [`ProgramTokenError`].
pub fn issue_program_token(
    application: &Application,
    credentials: &ProgramCredentials,
    address: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<ProgramToken, ProgramTokenError> {
    let key = read_key(application, &credentials.secret, address)?;
    let (program, _) = guarded(application, &key, address, now)?;
    let client = credentials.client.as_str();
    if client != key.prefix() && client != program.account().to_string() {
        let refused = turn_away(application, &key, address, now);
        return Err(refused.map_err(ProgramTokenError::Store)?.into());
    }
    let access_token = application
        .tokens
        .issue_for_key(&key, program.account(), now)?;
    let view = TokenView {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: LIFETIME.num_seconds(),
        refresh_token: None,
    };
    Ok(ProgramToken { view, program })
}
