//! Programs as callers: a request with a key, or with a token that was got for one. Whether the key
//! serves is asked of the tenant's people, which are cached until the tenant's grants change; so a
//! deletion holds at once on every server.

use chrono::{DateTime, Utc};

use crate::authn::api_key::{ApiKey, InvalidKey};
use crate::authn::token::LIFETIME;
use crate::authn::{Identity, TokenError};
use crate::authz::{KeyOperations, Operation, Scope};
use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::service::application::Application;
use crate::service::application::key_uses::NOTED_EVERY;
use crate::service::people::token::TokenView;
use crate::store::StoreError;
use crate::store::api_key::key_note_use;

/// What a program shows.
#[derive(Debug, Clone)]
pub enum ShownKey {
    Key(ApiKey),
    /// The identity of a token that was got for a key.
    Token(Identity),
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

/// Identifies a program that is about to do an operation. Every request of a program passes here
/// once.
///
/// # Errors
/// [`ProgramError`].
pub fn admit(
    application: &Application,
    shown: &ShownKey,
    operation: Operation,
    now: DateTime<Utc>,
) -> Result<Identity, ProgramError> {
    let (identity, allowed) = serving(application, shown, now)?;
    if allowed.includes(operation) {
        Ok(identity)
    } else if operation.is_for_programs() {
        Err(ProgramError::Outside { operation, allowed })
    } else {
        Err(ProgramError::NotForPrograms(operation))
    }
}

/// Finds the key that a program shows, if it serves today.
fn serving(
    application: &Application,
    shown: &ShownKey,
    now: DateTime<Utc>,
) -> Result<(Identity, KeyOperations), ProgramError> {
    let tenant = match shown {
        ShownKey::Key(key) => key.tenant(),
        ShownKey::Token(identity) => identity.tenant(),
    };
    let scope = Scope::of_sign_in(tenant);
    let found = application
        .database
        .glance(&scope, |transaction, counters| {
            let people = application
                .caches
                .people_in(transaction, tenant, counters)?;
            let today = counters.day_of(now);
            let found = match shown {
                ShownKey::Key(key) => people.key_with(key.hash(), today).and_then(|kept| {
                    let identity = Identity::of_key(key, &kept.hash, kept.account, now)?;
                    Some((identity, kept.operations.clone()))
                }),
                ShownKey::Token(identity) => people
                    .key_of(identity.account(), today)
                    .map(|kept| (*identity, kept.operations.clone())),
            };
            Ok(found)
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
    #[error("the client or its key is wrong")]
    WrongKey,
}

impl Explain for ProgramTokenError {
    fn explain(&self) -> Explanation {
        match self {
            ProgramTokenError::Store(held) => held.explain(),
            ProgramTokenError::Token(held) => held.explain(),
            ProgramTokenError::WrongKey => {
                Explanation::new(Code::InvalidCredentials, message!("program-wrong-key"))
            }
        }
    }
}

impl From<ProgramError> for ProgramTokenError {
    fn from(error: ProgramError) -> ProgramTokenError {
        match error {
            ProgramError::Store(error) => ProgramTokenError::Store(error),
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
    now: DateTime<Utc>,
) -> Result<ProgramToken, ProgramTokenError> {
    let key: ApiKey = credentials.secret.parse().map_err(ProgramError::from)?;
    let (program, _) = serving(application, &ShownKey::Key(key.clone()), now)?;
    let client = credentials.client.as_str();
    if client != key.prefix() && client != program.account().to_string() {
        return Err(ProgramTokenError::WrongKey);
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
