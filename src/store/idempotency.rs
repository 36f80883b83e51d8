//! Queries on remembered answers of requests that carried an Idempotency-Key.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::StoreError;
use super::schema::idempotency;
use crate::domain::id::AccountId;

/// Which request: the key holds for one account, operation and path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestKey {
    pub account: AccountId,
    pub operation: String,
    pub path: String,
    pub key: String,
}

/// What was answered, and to which body.
#[derive(Debug, Clone)]
pub struct Remembered {
    pub body_hash: String,
    /// A JSON document.
    pub answer: String,
}

pub fn remembered(
    transaction: &mut Transaction<'_>,
    request: &RequestKey,
) -> Result<Option<Remembered>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let found: Option<(String, String)> = idempotency::table
        .filter(
            idempotency::tenant_id
                .eq(tenant)
                .and(idempotency::account_id.eq(request.account.to_string()))
                .and(idempotency::operation.eq(&request.operation))
                .and(idempotency::path.eq(&request.path))
                .and(idempotency::key.eq(&request.key)),
        )
        .select((idempotency::body_hash, idempotency::answer))
        .first(connection)
        .optional()?;
    Ok(found.map(|(body_hash, answer)| Remembered { body_hash, answer }))
}

pub fn remember(
    transaction: &mut Transaction<'_>,
    request: &RequestKey,
    answer: &Remembered,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::insert_into(idempotency::table)
        .values((
            idempotency::tenant_id.eq(tenant),
            idempotency::account_id.eq(request.account.to_string()),
            idempotency::operation.eq(&request.operation),
            idempotency::path.eq(&request.path),
            idempotency::key.eq(&request.key),
            idempotency::body_hash.eq(&answer.body_hash),
            idempotency::answer.eq(&answer.answer),
            idempotency::created_at.eq(now),
        ))
        .execute(connection)?;
    Ok(())
}

/// Forgets the answers from before `day`. Each request does it, so there are never many.
pub fn forget_before(
    transaction: &mut Transaction<'_>,
    day: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let old = idempotency::table.filter(
        idempotency::tenant_id
            .eq(tenant)
            .and(idempotency::created_at.lt(day)),
    );
    diesel::delete(old).execute(connection)?;
    Ok(())
}
