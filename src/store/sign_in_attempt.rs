//! Queries on attempts to sign in: the log of a tenant, apart from its history.

use std::str::FromStr;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::schema::sign_in_attempt;
use crate::domain::id::{AccountId, InvalidName, SignInAttemptId};

/// What became of an attempt.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SignInOutcome {
    SignedIn,
    WrongPassword,
    /// No account has the login.
    UnknownLogin,
    /// Its owner has not chosen a password yet.
    NoPassword,
    /// The account is disabled.
    Disabled,
    /// Refused unread, after too many failures.
    Throttled,
    /// A refresh token that has expired, or whose session has ended, or that nobody got.
    RefusedToken,
    /// A refresh token that had been used already: two have it, and the session has ended.
    ReusedToken,
    /// A program's key that is not known, has expired or was deleted, or is of another program.
    WrongKey,
}

impl SignInOutcome {
    const ALL: [SignInOutcome; 9] = [
        SignInOutcome::SignedIn,
        SignInOutcome::WrongPassword,
        SignInOutcome::UnknownLogin,
        SignInOutcome::NoPassword,
        SignInOutcome::Disabled,
        SignInOutcome::Throttled,
        SignInOutcome::RefusedToken,
        SignInOutcome::ReusedToken,
        SignInOutcome::WrongKey,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            SignInOutcome::SignedIn => "signed_in",
            SignInOutcome::WrongPassword => "wrong_password",
            SignInOutcome::UnknownLogin => "unknown_login",
            SignInOutcome::NoPassword => "no_password",
            SignInOutcome::Disabled => "disabled",
            SignInOutcome::Throttled => "throttled",
            SignInOutcome::RefusedToken => "refused_token",
            SignInOutcome::ReusedToken => "reused_token",
            SignInOutcome::WrongKey => "wrong_key",
        }
    }
}

impl FromStr for SignInOutcome {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<SignInOutcome, InvalidName> {
        let mut all = SignInOutcome::ALL.into_iter();
        all.find(|outcome| outcome.as_str() == text)
            .ok_or(InvalidName("outcome of a sign-in"))
    }
}

/// An attempt to sign in.
#[derive(Debug, Clone)]
pub struct SignInAttempt {
    /// Later ones sort after earlier ones.
    pub id: SignInAttemptId,
    pub at: NaiveDateTime,
    /// The login as it was sent, shortened; empty for a refresh token that is not known.
    pub login: String,
    /// `None` if there is no such account.
    pub account: Option<AccountId>,
    pub outcome: SignInOutcome,
    pub address: Option<String>,
}

type Row = (
    String,
    NaiveDateTime,
    String,
    Option<String>,
    String,
    Option<String>,
);

fn read((id, at, login, account, outcome, address): Row) -> Result<SignInAttempt, StoreError> {
    let account = account.map(|account| parsed(&account, "account id"));
    Ok(SignInAttempt {
        id: parsed(&id, "sign-in attempt id")?,
        at,
        login,
        account: account.transpose()?,
        outcome: parsed(&outcome, "outcome of a sign-in")?,
        address,
    })
}

pub fn attempt_insert(
    transaction: &mut Transaction<'_>,
    new: &SignInAttempt,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::insert_into(sign_in_attempt::table)
        .values((
            sign_in_attempt::tenant_id.eq(tenant),
            sign_in_attempt::attempt_id.eq(new.id.to_string()),
            sign_in_attempt::at.eq(new.at),
            sign_in_attempt::login.eq(&new.login),
            sign_in_attempt::account_id.eq(new.account.map(|account| account.to_string())),
            sign_in_attempt::outcome.eq(new.outcome.as_str()),
            sign_in_attempt::address.eq(&new.address),
        ))
        .execute(connection)?;
    Ok(())
}

/// The attempts to read: the newest before one, of any login or of one.
#[derive(Debug, Clone, Copy)]
pub struct AttemptsWanted<'w> {
    pub before: Option<SignInAttemptId>,
    pub login: Option<&'w str>,
    pub most: i64,
}

/// Reads attempts, the newest first.
pub fn attempts(
    transaction: &mut Transaction<'_>,
    wanted: AttemptsWanted<'_>,
) -> Result<Vec<SignInAttempt>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let mut found = sign_in_attempt::table
        .filter(sign_in_attempt::tenant_id.eq(tenant))
        .order(sign_in_attempt::attempt_id.desc())
        .limit(wanted.most)
        .select((
            sign_in_attempt::attempt_id,
            sign_in_attempt::at,
            sign_in_attempt::login,
            sign_in_attempt::account_id,
            sign_in_attempt::outcome,
            sign_in_attempt::address,
        ))
        .into_boxed();
    if let Some(before) = wanted.before {
        found = found.filter(sign_in_attempt::attempt_id.lt(before.to_string()));
    }
    if let Some(login) = wanted.login {
        found = found.filter(sign_in_attempt::login.eq(login));
    }
    let rows = found.load::<Row>(connection)?;
    rows.into_iter().map(read).collect()
}

/// Returns true if somebody has signed in to an account from an address since a time.
pub fn has_signed_in_from(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    address: &str,
    since: NaiveDateTime,
) -> Result<bool, StoreError> {
    let (tenant, connection) = transaction.parts();
    let found = sign_in_attempt::table
        .filter(
            sign_in_attempt::tenant_id
                .eq(tenant)
                .and(sign_in_attempt::account_id.eq(account.to_string()))
                .and(sign_in_attempt::address.eq(address))
                .and(sign_in_attempt::outcome.eq(SignInOutcome::SignedIn.as_str()))
                .and(sign_in_attempt::at.gt(since)),
        )
        .select(sign_in_attempt::attempt_id)
        .first::<String>(connection)
        .optional()?;
    Ok(found.is_some())
}

/// Deletes the attempts before a time, and all but the newest `most` that failed. Successful ones stay,
/// since they tell an account's own addresses from those of strangers.
pub fn attempts_delete_old(
    transaction: &mut Transaction<'_>,
    before: NaiveDateTime,
    most: i64,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let old = sign_in_attempt::table.filter(
        sign_in_attempt::tenant_id
            .eq(tenant)
            .and(sign_in_attempt::at.lt(before)),
    );
    diesel::delete(old).execute(connection)?;
    let failed = sign_in_attempt::outcome.ne(SignInOutcome::SignedIn.as_str());
    let newest_of_rest = sign_in_attempt::table
        .filter(sign_in_attempt::tenant_id.eq(tenant).and(failed))
        .order(sign_in_attempt::attempt_id.desc())
        .offset(most)
        .select(sign_in_attempt::attempt_id)
        .first::<String>(connection)
        .optional()?;
    if let Some(newest) = newest_of_rest {
        let rest = sign_in_attempt::table.filter(
            sign_in_attempt::tenant_id
                .eq(tenant)
                .and(sign_in_attempt::attempt_id.le(newest))
                .and(failed),
        );
        diesel::delete(rest).execute(connection)?;
    }
    Ok(())
}
