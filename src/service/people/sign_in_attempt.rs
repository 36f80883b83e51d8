//! The log of attempts to sign in: written beside the tenant's history, bounded, and read by the
//! tenant's administrators.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::{Action, Denied, Scope};
use crate::domain::id::{AccountId, SignInAttemptId};
use crate::domain::text::composed;
use crate::error::{Explain, Explanation};
use crate::service::application::Application;
use crate::service::application::page::{Page, PageRequest, UnknownCursor};
use crate::service::application::throttle::place_of;
use crate::store::sign_in_attempt::{
    AttemptsWanted, SignInAttempt, attempt_insert, attempts, attempts_delete_old,
    has_signed_in_from,
};
use crate::store::{StoreError, Transaction};

pub use crate::store::sign_in_attempt::SignInOutcome;

/// The time for which attempts are stored.
const KEPT_FOR: TimeDelta = TimeDelta::days(90);

/// The most attempts of a tenant that are stored.
const MOST_KEPT: i64 = 10_000;

/// The longest text of a login that is stored, in characters.
const LONGEST_LOGIN: usize = 200;

/// The time for which an address is known to an account after a sign-in.
const KNOWN_FOR: TimeDelta = TimeDelta::days(90);

/// An attempt that has been decided.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempted<'a> {
    /// The login as it was sent.
    pub login: &'a str,
    pub account: Option<AccountId>,
    pub outcome: SignInOutcome,
    pub address: Option<IpAddr>,
}

/// Writes an attempt into the log, and deletes old ones now and then.
pub(super) fn record(
    application: &Application,
    transaction: &mut Transaction<'_>,
    scope: &Scope,
    attempted: &Attempted<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let new = SignInAttempt {
        id: SignInAttemptId::new(),
        at: now.naive_utc(),
        login: shown(attempted.login),
        account: attempted.account,
        outcome: attempted.outcome,
        address: attempted
            .address
            .map(|address| place_of(address).to_string()),
    };
    attempt_insert(transaction, &new)?;
    if application.sweeps.is_due(scope.tenant()) {
        attempts_delete_old(transaction, (now - KEPT_FOR).naive_utc(), MOST_KEPT)?;
    }
    Ok(())
}

/// Writes an attempt into the log in a transaction of its own.
#[expect(
    clippy::disallowed_methods,
    reason = "an attempt to sign in is no part of a tenant's history"
)]
pub(super) fn record_apart(
    application: &Application,
    scope: &Scope,
    attempted: &Attempted<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    application.database.write_unlocked(scope, |transaction| {
        record(application, transaction, scope, attempted, now)
    })
}

/// Brings a login into the form in which it is stored and searched for: no database takes a NUL.
fn shown(login: &str) -> String {
    let letters = login.chars().take(LONGEST_LOGIN);
    let letters = letters.map(|letter| match letter {
        '\0' => char::REPLACEMENT_CHARACTER,
        letter => letter,
    });
    let shortened: String = letters.collect();
    composed(&shortened).into_owned()
}

/// Returns true if somebody has signed in to an account from an address lately. A name that no
/// account has takes the same query.
pub(super) fn is_known(
    transaction: &mut Transaction<'_>,
    account: Option<AccountId>,
    address: IpAddr,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let since = (now - KNOWN_FOR).naive_utc();
    let account = account.unwrap_or_default();
    has_signed_in_from(transaction, account, &place_of(address).to_string(), since)
}

/// The errors of reading the log.
#[derive(Debug, thiserror::Error)]
pub enum SignInLogError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Cursor(#[from] UnknownCursor),
}

impl Explain for SignInLogError {
    fn explain(&self) -> Explanation {
        match self {
            SignInLogError::Store(held) => held.explain(),
            SignInLogError::Denied(held) => held.explain(),
            SignInLogError::Cursor(held) => held.explain(),
        }
    }
}

/// An attempt to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SignInAttemptView {
    pub id: String,
    pub at: DateTime<Utc>,
    /// The login as it was sent, up to 200 characters; empty for a refresh token that is not known.
    #[schema(example = "0912345678")]
    pub login: String,
    /// The id of the account; null if there is none of the login.
    pub account: Option<String>,
    pub outcome: SignInOutcome,
    /// The address from which it came.
    #[schema(example = "203.0.113.7")]
    pub address: Option<String>,
}

impl From<SignInAttempt> for SignInAttemptView {
    fn from(attempt: SignInAttempt) -> SignInAttemptView {
        SignInAttemptView {
            id: attempt.id.to_string(),
            at: attempt.at.and_utc(),
            login: attempt.login,
            account: attempt.account.map(|account| account.to_string()),
            outcome: attempt.outcome,
            address: attempt.address,
        }
    }
}

/// Lists the attempts to sign in to a tenant, the newest first.
///
/// # Errors
/// [`SignInLogError`].
pub fn list_sign_ins(
    application: &Application,
    identity: &Identity,
    login: Option<&str>,
    page: &PageRequest,
) -> Result<Page<SignInAttemptView>, SignInLogError> {
    let before = page.after.as_deref().map(read_cursor).transpose()?;
    let login = login.map(shown);
    application.reading(identity, |transaction, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::ManageAccounts)?;
        let wanted = AttemptsWanted {
            before,
            login: login.as_deref(),
            most: i64::try_from(page.limit).unwrap_or(i64::MAX - 1) + 1,
        };
        let mut found = attempts(transaction, wanted)?;
        let more = found.len() > page.limit;
        found.truncate(page.limit);
        let next = found.last().filter(|_| more);
        Ok(Page {
            next: next.map(|last| last.id.to_string()),
            items: found.into_iter().map(SignInAttemptView::from).collect(),
        })
    })
}

/// Reads a cursor. The attempt itself may have been deleted meanwhile.
fn read_cursor(cursor: &str) -> Result<SignInAttemptId, UnknownCursor> {
    cursor.parse().map_err(|_| UnknownCursor {
        cursor: cursor.to_owned(),
    })
}
