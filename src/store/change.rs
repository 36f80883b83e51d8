//! Queries on changes: one row a commit, which is only ever added. Does not know what is in a row.

use std::fmt;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::connection::AnyConnection;
use super::database::Transaction;
use super::error::StoreError;
use super::schema::{change, tenant};
use crate::domain::id::TenantId;

/// The SHA-256 that links a row to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeHash(pub [u8; 32]);

impl ChangeHash {
    /// The hash before a tenant's first row.
    pub const BEFORE_FIRST: ChangeHash = ChangeHash([0; 32]);
}

/// Writes two digits a byte.
impl fmt::Display for ChangeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A commit's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    pub rev: i64,
    pub at: NaiveDateTime,
    /// The packed items.
    pub items: Vec<u8>,
    /// The hash of the row before.
    pub previous: ChangeHash,
    pub hash: ChangeHash,
}

impl ChangeRow {
    /// Makes the row of a commit, linked to the one before it.
    pub fn following(
        previous: ChangeHash,
        tenant: TenantId,
        (rev, at): (i64, NaiveDateTime),
        items: Vec<u8>,
    ) -> ChangeRow {
        ChangeRow {
            hash: hash_of(tenant, &previous, rev, at, &items),
            rev,
            at,
            items,
            previous,
        }
    }
}

/// Computes the hash of a row over all that it says and the hash of the row before.
pub fn hash_of(
    tenant: TenantId,
    previous: &ChangeHash,
    rev: i64,
    at: NaiveDateTime,
    items: &[u8],
) -> ChangeHash {
    let mut hash = Sha256::new();
    hash.update(previous.0);
    hash.update(tenant.to_string());
    hash.update(rev.to_be_bytes());
    hash.update(at.and_utc().timestamp_micros().to_be_bytes());
    hash.update(items);
    ChangeHash(hash.finalize().into())
}

type Row = (i64, NaiveDateTime, Vec<u8>, Vec<u8>, Vec<u8>);

const COLUMNS: (
    change::rev,
    change::at,
    change::items,
    change::previous,
    change::hash,
) = (
    change::rev,
    change::at,
    change::items,
    change::previous,
    change::hash,
);

fn read_hash(bytes: Vec<u8>) -> Result<ChangeHash, StoreError> {
    let bytes = bytes.try_into();
    bytes
        .map(ChangeHash)
        .map_err(|_| StoreError::Corrupt("the hash of a change".to_owned()))
}

fn read((rev, at, items, previous, hash): Row) -> Result<ChangeRow, StoreError> {
    Ok(ChangeRow {
        rev,
        at,
        items,
        previous: read_hash(previous)?,
        hash: read_hash(hash)?,
    })
}

/// Reads the hash of the tenant's last row.
pub fn last_change_hash(
    transaction: &mut Transaction<'_>,
) -> Result<Option<ChangeHash>, StoreError> {
    let (tenant_id, connection) = transaction.parts();
    last_hash(tenant_id, connection)
}

/// Adds the row of a commit that says nothing, for work that no use case does. Does nothing if no
/// commit of the tenant has a row yet.
pub(super) fn silent_change_insert(
    tenant: TenantId,
    at: NaiveDateTime,
    connection: &mut AnyConnection,
) -> Result<(), StoreError> {
    let tenant_id = tenant.to_string();
    let (rev, changes_from) = tenant::table
        .filter(tenant::tenant_id.eq(&tenant_id))
        .select((tenant::rev, tenant::changes_from))
        .first::<(i64, Option<i64>)>(connection)?;
    if changes_from.is_none() {
        return Ok(());
    }
    let previous = last_hash(&tenant_id, connection)?.unwrap_or(ChangeHash::BEFORE_FIRST);
    let no_items = b"[]".to_vec();
    let row = ChangeRow::following(previous, tenant, (rev, at), no_items);
    insert(&tenant_id, connection, &row)
}

fn last_hash(
    tenant_id: &str,
    connection: &mut AnyConnection,
) -> Result<Option<ChangeHash>, StoreError> {
    change::table
        .filter(change::tenant_id.eq(tenant_id))
        .order(change::rev.desc())
        .select(change::hash)
        .first::<Vec<u8>>(connection)
        .optional()?
        .map(read_hash)
        .transpose()
}

/// Adds the row of a commit.
pub fn change_insert(transaction: &mut Transaction<'_>, new: &ChangeRow) -> Result<(), StoreError> {
    let (tenant_id, connection) = transaction.parts();
    insert(tenant_id, connection, new)
}

fn insert(
    tenant_id: &str,
    connection: &mut AnyConnection,
    new: &ChangeRow,
) -> Result<(), StoreError> {
    diesel::insert_into(change::table)
        .values((
            change::tenant_id.eq(tenant_id),
            change::rev.eq(new.rev),
            change::at.eq(new.at),
            change::items.eq(&new.items),
            change::previous.eq(new.previous.0.as_slice()),
            change::hash.eq(new.hash.0.as_slice()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Reads at most `most` rows after a rev, in their order.
pub fn changes_after(
    transaction: &mut Transaction<'_>,
    after: i64,
    most: i64,
) -> Result<Vec<ChangeRow>, StoreError> {
    let (tenant_id, connection) = transaction.parts();
    let rows = change::table
        .filter(change::tenant_id.eq(tenant_id).and(change::rev.gt(after)))
        .order(change::rev)
        .limit(most)
        .select(COLUMNS)
        .load::<Row>(connection)?;
    rows.into_iter().map(read).collect()
}

/// Reads the rows of some commits. A commit of before there were rows has none.
pub fn changes_at(
    transaction: &mut Transaction<'_>,
    revs: &[i64],
) -> Result<Vec<ChangeRow>, StoreError> {
    let (tenant_id, connection) = transaction.parts();
    let rows = change::table
        .filter(
            change::tenant_id
                .eq(tenant_id)
                .and(change::rev.eq_any(revs)),
        )
        .select(COLUMNS)
        .load::<Row>(connection)?;
    rows.into_iter().map(read).collect()
}

/// Reads the first rev that has a row; `None` if no commit has one yet.
pub fn changes_from(transaction: &mut Transaction<'_>) -> Result<Option<i64>, StoreError> {
    let (tenant_id, connection) = transaction.parts();
    let from = tenant::table
        .filter(tenant::tenant_id.eq(tenant_id))
        .select(tenant::changes_from)
        .first::<Option<i64>>(connection)
        .optional()?;
    Ok(from.flatten())
}

/// Notes the first rev that has a row.
pub fn changes_from_put(transaction: &mut Transaction<'_>, rev: i64) -> Result<(), StoreError> {
    let (tenant_id, connection) = transaction.parts();
    diesel::update(tenant::table.filter(tenant::tenant_id.eq(tenant_id)))
        .set(tenant::changes_from.eq(rev))
        .execute(connection)?;
    Ok(())
}
