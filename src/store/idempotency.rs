//! Queries on stored answers to requests with an Idempotency-Key.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{Array, Binary, Text, Timestamp};
use sha2::{Digest, Sha256};

use super::connection::AnyConnection;
use super::database::Transaction;
use super::error::StoreError;
use super::prepared::Prepared;
use super::schema::idempotency;
use crate::domain::id::AccountId;

/// Identifies a request: the SHA-256 of its account, operation, path and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestDigest([u8; 32]);

impl RequestDigest {
    pub fn of(account: AccountId, operation: &str, path: &str, key: &str) -> RequestDigest {
        let mut hash = Sha256::new();
        for part in [&account.to_string(), operation, path, key] {
            hash.update(part);
            // A separator that no part can contain, so that different requests never hash alike.
            hash.update([0]);
        }
        RequestDigest(hash.finalize().into())
    }
}

/// The SHA-256 of a request's body.
pub type BodyHash = [u8; 32];

/// A stored answer and the hash of the body that it answered.
#[derive(Debug, Clone)]
pub struct Remembered {
    pub body_hash: Vec<u8>,
    /// Packed.
    pub answer: Vec<u8>,
}

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = idempotency)]
struct AnswerRow {
    request: Vec<u8>,
    body_hash: Vec<u8>,
    answer: Vec<u8>,
}

/// Reads the stored answers of `requests`; those without one are absent.
pub fn remembered(
    transaction: &mut Transaction<'_>,
    requests: &[RequestDigest],
) -> Result<HashMap<RequestDigest, Remembered>, StoreError> {
    if requests.is_empty() {
        return Ok(HashMap::new());
    }
    let digests: Vec<&[u8]> = requests.iter().map(|request| &request.0[..]).collect();
    let (tenant, connection) = transaction.parts();
    let rows = match connection {
        // See `of_each_unit`.
        AnyConnection::Postgresql(own) => Prepared::new(
            r#"SELECT found.* FROM unnest($1::bytea[]) AS wanted(request) CROSS JOIN LATERAL
                (SELECT "idempotency"."request", "idempotency"."body_hash", "idempotency"."answer"
                FROM "idempotency" WHERE "idempotency"."tenant_id" = $2
                AND "idempotency"."request" = wanted.request OFFSET 0) AS found"#,
        )
        .bind::<Array<Binary>, _>(digests)
        .bind::<Text, _>(tenant)
        .load::<AnswerRow>(own)?,
        AnyConnection::Sqlite(own) => idempotency::table
            .filter(
                idempotency::tenant_id
                    .eq(tenant)
                    .and(idempotency::request.eq_any(digests)),
            )
            .select(AnswerRow::as_select())
            .load::<AnswerRow>(own)?,
    };
    rows.into_iter()
        .map(|row| {
            let AnswerRow {
                request,
                body_hash,
                answer,
            } = row;
            let digest = request
                .try_into()
                .map_err(|_| StoreError::Corrupt("a digest of another length".to_owned()))?;
            let remembered = Remembered { body_hash, answer };
            Ok((RequestDigest(digest), remembered))
        })
        .collect()
}

/// An answer to store.
#[derive(Debug, Clone)]
pub struct NewAnswer {
    pub request: RequestDigest,
    pub body_hash: BodyHash,
    /// Packed.
    pub answer: Vec<u8>,
    pub at: NaiveDateTime,
}

#[derive(Insertable)]
#[diesel(table_name = idempotency, treat_none_as_default_value = false)]
struct NewRow<'r> {
    tenant_id: &'r str,
    request: &'r [u8],
    body_hash: &'r [u8],
    answer: &'r [u8],
    created_at: NaiveDateTime,
}

/// Stores answers. The caller passes at most as many as one commit makes.
pub fn remember(
    transaction: &mut Transaction<'_>,
    answers: &[&NewAnswer],
) -> Result<(), StoreError> {
    if answers.is_empty() {
        return Ok(());
    }
    let (tenant, connection) = transaction.parts();
    match connection {
        AnyConnection::Postgresql(own) => {
            let requests: Vec<&[u8]> = answers.iter().map(|new| &new.request.0[..]).collect();
            let hashes: Vec<&[u8]> = answers.iter().map(|new| &new.body_hash[..]).collect();
            let packed: Vec<&[u8]> = answers.iter().map(|new| &new.answer[..]).collect();
            let times: Vec<NaiveDateTime> = answers.iter().map(|new| new.at).collect();
            Prepared::new(
                r#"INSERT INTO "idempotency"
                ("tenant_id", "request", "body_hash", "answer", "created_at")
                SELECT $1, new.* FROM unnest($2::bytea[], $3::bytea[], $4::bytea[], $5::timestamp[])
                AS new(request, body_hash, answer, created_at)"#,
            )
            .bind::<Text, _>(tenant)
            .bind::<Array<Binary>, _>(requests)
            .bind::<Array<Binary>, _>(hashes)
            .bind::<Array<Binary>, _>(packed)
            .bind::<Array<Timestamp>, _>(times)
            .execute(own)?
        }
        AnyConnection::Sqlite(own) => {
            let rows: Vec<NewRow<'_>> = answers
                .iter()
                .map(|new| NewRow {
                    tenant_id: tenant,
                    request: &new.request.0,
                    body_hash: &new.body_hash,
                    answer: &new.answer,
                    created_at: new.at,
                })
                .collect();
            diesel::insert_into(idempotency::table)
                .values(&rows)
                .execute(own)?
        }
    };
    Ok(())
}

/// Deletes the answers from before `day`. Scans all of the tenant's.
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
