//! Queries on sign-ins: families of refresh tokens, and the tokens of each.

use std::cmp::Reverse;
use std::collections::HashSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::key::BATCH;
use super::schema::{refresh_token, sign_in};
use crate::domain::id::{AccountId, SessionId};

/// A family: all refresh tokens that descend from one sign-in.
#[derive(Debug, Clone)]
pub struct Family {
    pub id: SessionId,
    pub account: AccountId,
    /// The end of the sign-in: no token of the family is accepted from here on.
    pub ends_at: NaiveDateTime,
    /// The hash of the token that was used last; `None` until the first one is used.
    pub last_used: Option<String>,
}

/// A sign-in as its owner sees it.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: SessionId,
    /// `None` if it began before this was noted.
    pub started_at: Option<NaiveDateTime>,
    pub used_at: Option<NaiveDateTime>,
    /// The name that the client's program gave itself.
    pub agent: Option<String>,
}

/// The sessions of an account to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    All,
    One(SessionId),
    AllBut(SessionId),
}

/// A refresh token as stored: by its hash.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    pub hash: String,
    pub family: SessionId,
    /// The hash of the token that it replaced; `None` for a family's first.
    pub parent: Option<String>,
    pub expires_at: NaiveDateTime,
}

/// Selects a family's row.
#[diesel::dsl::auto_type]
fn family_row<'q>(tenant: &'q str, id: &'q str) -> _ {
    sign_in::table.filter(sign_in::tenant_id.eq(tenant).and(sign_in::family_id.eq(id)))
}

/// Selects the tokens of a family.
#[diesel::dsl::auto_type]
fn tokens_of<'q>(tenant: &'q str, family: &'q str) -> _ {
    refresh_token::table.filter(
        refresh_token::tenant_id
            .eq(tenant)
            .and(refresh_token::family_id.eq(family)),
    )
}

/// Selects the token of a hash.
#[diesel::dsl::auto_type]
fn token_row<'q>(tenant: &'q str, hash: &'q str) -> _ {
    refresh_token::table.filter(
        refresh_token::tenant_id
            .eq(tenant)
            .and(refresh_token::token_hash.eq(hash)),
    )
}

pub fn family_insert(
    transaction: &mut Transaction<'_>,
    new: &Family,
    agent: Option<&str>,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::insert_into(sign_in::table)
        .values((
            sign_in::tenant_id.eq(tenant),
            sign_in::family_id.eq(new.id.to_string()),
            sign_in::account_id.eq(new.account.to_string()),
            sign_in::ends_at.eq(new.ends_at),
            sign_in::last_used.eq(&new.last_used),
            sign_in::started_at.eq(now),
            sign_in::used_at.eq(now),
            sign_in::agent.eq(agent),
        ))
        .execute(connection)?;
    Ok(())
}

/// Locks a family's row until the transaction ends, so that uses of its tokens run one after
/// another.
pub fn family_lock(
    transaction: &mut Transaction<'_>,
    id: SessionId,
) -> Result<Option<Family>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let row_id = id.to_string();
    let row = on_backend!(connection, |own| {
        diesel::update(family_row(tenant, &row_id).filter(sign_in::ended_at.is_null()))
            .set(sign_in::ends_at.eq(sign_in::ends_at))
            .returning((sign_in::account_id, sign_in::ends_at, sign_in::last_used))
            .get_result::<(String, NaiveDateTime, Option<String>)>(own)
            .optional()
    })?;
    let read = |(account, ends_at, last_used): (String, NaiveDateTime, Option<String>)| {
        Ok(Family {
            id,
            account: parsed(&account, "account id")?,
            ends_at,
            last_used,
        })
    };
    row.map(read).transpose()
}

/// Locks the rows of an account's sessions that have not ended until the transaction ends, so that
/// nobody uses their tokens meanwhile.
pub fn sessions_hold(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let living = sign_in::table.filter(
        sign_in::tenant_id
            .eq(tenant)
            .and(sign_in::account_id.eq(account.to_string()))
            .and(sign_in::ended_at.is_null())
            .and(sign_in::ends_at.gt(now)),
    );
    diesel::update(living)
        .set(sign_in::ends_at.eq(sign_in::ends_at))
        .execute(connection)?;
    Ok(())
}

/// Records the token of a family that was used last, and when.
pub fn family_note_use(
    transaction: &mut Transaction<'_>,
    id: SessionId,
    hash: &str,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::update(family_row(tenant, &id.to_string()))
        .set((sign_in::last_used.eq(hash), sign_in::used_at.eq(now)))
        .execute(connection)?;
    Ok(())
}

/// Reads an account's sessions that have not ended, the last used first.
pub fn sessions_of(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    now: NaiveDateTime,
) -> Result<Vec<Session>, StoreError> {
    type Row = (
        String,
        Option<NaiveDateTime>,
        Option<NaiveDateTime>,
        Option<String>,
    );
    let (tenant, connection) = transaction.parts();
    let rows = sign_in::table
        .filter(
            sign_in::tenant_id
                .eq(tenant)
                .and(sign_in::account_id.eq(account.to_string()))
                .and(sign_in::ended_at.is_null())
                .and(sign_in::ends_at.gt(now)),
        )
        .order(sign_in::family_id.desc())
        .select((
            sign_in::family_id,
            sign_in::started_at,
            sign_in::used_at,
            sign_in::agent,
        ))
        .load::<Row>(connection)?;
    let read = |(id, started_at, used_at, agent): Row| {
        Ok(Session {
            id: parsed(&id, "session id")?,
            started_at,
            used_at,
            agent,
        })
    };
    let sessions: Result<Vec<Session>, StoreError> = rows.into_iter().map(read).collect();
    let mut sessions = sessions?;
    // Here, since the databases do not agree on where null comes.
    sessions.sort_by_key(|session| Reverse(session.used_at));
    Ok(sessions)
}

/// Ends those sessions that nobody has used since a time, and their refresh tokens. Returns how many
/// it ended. Their rows go with the next sign-in.
pub fn sessions_end_unused(
    transaction: &mut Transaction<'_>,
    sessions: &[SessionId],
    since: NaiveDateTime,
    now: NaiveDateTime,
) -> Result<usize, StoreError> {
    let (tenant, connection) = transaction.parts();
    let mut ended = 0;
    for block in sessions.chunks(BATCH) {
        let block: Vec<String> = block.iter().map(ToString::to_string).collect();
        let among = || {
            sign_in::table.filter(
                sign_in::tenant_id
                    .eq(tenant)
                    .and(sign_in::family_id.eq_any(&block)),
            )
        };
        let is_unused = sign_in::used_at.is_null().or(sign_in::used_at.lt(since));
        let unused = among().filter(sign_in::ended_at.is_null().and(is_unused));
        // The families first, as in `sessions_end`.
        ended += diesel::update(unused)
            .set((sign_in::ended_at.eq(now), sign_in::ends_at.eq(now)))
            .execute(connection)?;
        let families = among()
            .filter(sign_in::ended_at.is_not_null())
            .select(sign_in::family_id)
            .load::<String>(connection)?;
        let tokens = refresh_token::table.filter(
            refresh_token::tenant_id
                .eq(tenant)
                .and(refresh_token::family_id.eq_any(families)),
        );
        diesel::delete(tokens).execute(connection)?;
    }
    Ok(ended)
}

/// Ends the sessions of an account that are wanted, and their refresh tokens. The rows stay until
/// `until`, when the last access token has expired, so that every server refuses those.
pub fn sessions_end(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    wanted: Sessions,
    now: NaiveDateTime,
    until: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let account = account.to_string();
    let living = sign_in::table.filter(
        sign_in::tenant_id
            .eq(tenant)
            .and(sign_in::account_id.eq(&account))
            .and(sign_in::ended_at.is_null())
            .and(sign_in::ends_at.gt(now)),
    );
    let ended = (sign_in::ended_at.eq(now), sign_in::ends_at.eq(until));
    // The families first: a refresh holds its family, and its new token is seen only afterwards.
    match wanted {
        Sessions::All => diesel::update(living).set(ended).execute(connection),
        Sessions::One(session) => {
            diesel::update(living.filter(sign_in::family_id.eq(session.to_string())))
                .set(ended)
                .execute(connection)
        }
        Sessions::AllBut(session) => {
            diesel::update(living.filter(sign_in::family_id.ne(session.to_string())))
                .set(ended)
                .execute(connection)
        }
    }?;
    let families = sign_in::table
        .filter(
            sign_in::tenant_id
                .eq(tenant)
                .and(sign_in::account_id.eq(&account))
                .and(sign_in::ended_at.is_not_null()),
        )
        .select(sign_in::family_id)
        .load::<String>(connection)?;
    let tokens = refresh_token::table.filter(
        refresh_token::tenant_id
            .eq(tenant)
            .and(refresh_token::family_id.eq_any(families)),
    );
    diesel::delete(tokens).execute(connection)?;
    Ok(())
}

/// Reads the sessions that were ended and are not forgotten yet.
pub fn ended_sessions(transaction: &mut Transaction<'_>) -> Result<HashSet<SessionId>, StoreError> {
    let (tenant, connection) = transaction.parts();
    sign_in::table
        .filter(
            sign_in::tenant_id
                .eq(tenant)
                .and(sign_in::ended_at.is_not_null()),
        )
        .select(sign_in::family_id)
        .load::<String>(connection)?
        .iter()
        .map(|id| parsed(id, "session id"))
        .collect()
}

pub fn refresh_token_insert(
    transaction: &mut Transaction<'_>,
    new: &RefreshToken,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::insert_into(refresh_token::table)
        .values((
            refresh_token::tenant_id.eq(tenant),
            refresh_token::token_hash.eq(&new.hash),
            refresh_token::family_id.eq(new.family.to_string()),
            refresh_token::parent_hash.eq(&new.parent),
            refresh_token::expires_at.eq(new.expires_at),
        ))
        .execute(connection)?;
    Ok(())
}

pub fn refresh_token_by_hash(
    transaction: &mut Transaction<'_>,
    hash: &str,
) -> Result<Option<RefreshToken>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let found: Option<(String, Option<String>, NaiveDateTime)> = token_row(tenant, hash)
        .select((
            refresh_token::family_id,
            refresh_token::parent_hash,
            refresh_token::expires_at,
        ))
        .first(connection)
        .optional()?;
    let read = |(family, parent, expires_at): (String, Option<String>, NaiveDateTime)| {
        Ok(RefreshToken {
            hash: hash.to_owned(),
            family: parsed(&family, "session id")?,
            parent,
            expires_at,
        })
    };
    found.map(read).transpose()
}

/// Reads the hashes of the tokens that replaced `parent`, the newest first.
pub fn refresh_token_children(
    transaction: &mut Transaction<'_>,
    family: SessionId,
    parent: &str,
) -> Result<Vec<String>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let family = family.to_string();
    let children = tokens_of(tenant, &family)
        .filter(refresh_token::parent_hash.eq(parent))
        .order((
            refresh_token::expires_at.desc(),
            refresh_token::token_hash.asc(),
        ))
        .select(refresh_token::token_hash);
    Ok(children.load(connection)?)
}

pub fn refresh_token_delete(
    transaction: &mut Transaction<'_>,
    hash: &str,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::delete(token_row(tenant, hash)).execute(connection)?;
    Ok(())
}

/// Deletes a family's expired tokens.
pub fn refresh_tokens_delete_expired(
    transaction: &mut Transaction<'_>,
    family: SessionId,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let family = family.to_string();
    let expired = tokens_of(tenant, &family).filter(refresh_token::expires_at.lt(now));
    diesel::delete(expired).execute(connection)?;
    Ok(())
}

/// Deletes all expired tokens and ended families.
pub fn sign_ins_delete_ended(
    transaction: &mut Transaction<'_>,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let expired = refresh_token::table.filter(
        refresh_token::tenant_id
            .eq(tenant)
            .and(refresh_token::expires_at.lt(now)),
    );
    diesel::delete(expired).execute(connection)?;
    let ended = sign_in::table
        .filter(sign_in::tenant_id.eq(tenant).and(sign_in::ends_at.lt(now)))
        .select(sign_in::family_id)
        .load::<String>(connection)?;
    // A family that was ended may have tokens with a later day.
    for families in ended.chunks(BATCH) {
        let tokens = refresh_token::table.filter(
            refresh_token::tenant_id
                .eq(tenant)
                .and(refresh_token::family_id.eq_any(families)),
        );
        diesel::delete(tokens).execute(connection)?;
        let families = sign_in::table.filter(
            sign_in::tenant_id
                .eq(tenant)
                .and(sign_in::family_id.eq_any(families)),
        );
        diesel::delete(families).execute(connection)?;
    }
    Ok(())
}
