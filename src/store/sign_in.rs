//! Queries on sign-ins: families of refresh tokens, and the tokens of each.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::schema::{refresh_token, sign_in};
use crate::domain::id::AccountId;

/// A family: all refresh tokens that descend from one sign-in.
#[derive(Debug, Clone)]
pub struct Family {
    pub id: String,
    pub account: AccountId,
    /// The end of the sign-in: no token of the family is accepted from here on.
    pub ends_at: NaiveDateTime,
    /// The hash of the token that was used last; `None` until the first one is used.
    pub last_used: Option<String>,
}

/// A refresh token as stored: by its hash.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    pub hash: String,
    pub family: String,
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

pub fn family_insert(transaction: &mut Transaction<'_>, new: &Family) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::insert_into(sign_in::table)
        .values((
            sign_in::tenant_id.eq(tenant),
            sign_in::family_id.eq(&new.id),
            sign_in::account_id.eq(new.account.to_string()),
            sign_in::ends_at.eq(new.ends_at),
            sign_in::last_used.eq(&new.last_used),
        ))
        .execute(connection)?;
    Ok(())
}

/// Locks a family's row until the transaction ends, so that uses of its tokens run one after
/// another.
pub fn family_lock(
    transaction: &mut Transaction<'_>,
    id: &str,
) -> Result<Option<Family>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let row = on_backend!(connection, |own| {
        diesel::update(family_row(tenant, id))
            .set(sign_in::ends_at.eq(sign_in::ends_at))
            .returning((sign_in::account_id, sign_in::ends_at, sign_in::last_used))
            .get_result::<(String, NaiveDateTime, Option<String>)>(own)
            .optional()
    })?;
    let read = |(account, ends_at, last_used): (String, NaiveDateTime, Option<String>)| {
        Ok(Family {
            id: id.to_owned(),
            account: parsed(&account, "account id")?,
            ends_at,
            last_used,
        })
    };
    row.map(read).transpose()
}

/// Records the token of a family that was used last.
pub fn family_note_use(
    transaction: &mut Transaction<'_>,
    id: &str,
    hash: &str,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::update(family_row(tenant, id))
        .set(sign_in::last_used.eq(hash))
        .execute(connection)?;
    Ok(())
}

/// Deletes a family and all its tokens.
pub fn family_delete(transaction: &mut Transaction<'_>, id: &str) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::delete(tokens_of(tenant, id)).execute(connection)?;
    diesel::delete(family_row(tenant, id)).execute(connection)?;
    Ok(())
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
            refresh_token::family_id.eq(&new.family),
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
    Ok(found.map(|(family, parent, expires_at)| RefreshToken {
        hash: hash.to_owned(),
        family,
        parent,
        expires_at,
    }))
}

/// Reads the hashes of the tokens that replaced `parent`, the newest first.
pub fn refresh_token_children(
    transaction: &mut Transaction<'_>,
    family: &str,
    parent: &str,
) -> Result<Vec<String>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let children = tokens_of(tenant, family)
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
    family: &str,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let expired = tokens_of(tenant, family).filter(refresh_token::expires_at.lt(now));
    diesel::delete(expired).execute(connection)?;
    Ok(())
}

/// Deletes all expired tokens and ended families.
pub fn sign_ins_delete_ended(
    transaction: &mut Transaction<'_>,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    // No token outlives its family.
    let expired = refresh_token::table.filter(
        refresh_token::tenant_id
            .eq(tenant)
            .and(refresh_token::expires_at.lt(now)),
    );
    diesel::delete(expired).execute(connection)?;
    let ended = sign_in::table.filter(sign_in::tenant_id.eq(tenant).and(sign_in::ends_at.lt(now)));
    diesel::delete(ended).execute(connection)?;
    Ok(())
}
