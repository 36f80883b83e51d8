//! Queries on the keys of programs. Only a key's hash is stored.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::schema::api_key;
use crate::authn::api_key::KeyHash;
use crate::authz::KeyOperations;
use crate::domain::id::{AccountId, UnitId};

/// A key as it is stored.
#[derive(Debug, Clone)]
pub struct KeptKey {
    /// The program's account.
    pub account: AccountId,
    pub name: String,
    pub prefix: String,
    pub hash: KeyHash,
    /// The unit for which it was made, with its subtree; `None` for the whole tenant.
    pub unit: Option<UnitId>,
    pub operations: KeyOperations,
    pub last_day: NaiveDate,
    pub created_by: AccountId,
    pub created_at: NaiveDateTime,
    pub last_used: Option<NaiveDateTime>,
    pub deleted_at: Option<NaiveDateTime>,
}

#[derive(Queryable)]
struct KeyRow {
    account_id: String,
    name: String,
    prefix: String,
    secret_hash: String,
    unit_id: Option<String>,
    operations: String,
    last_day: NaiveDate,
    created_by: String,
    created_at: NaiveDateTime,
    last_used: Option<NaiveDateTime>,
    deleted_at: Option<NaiveDateTime>,
}

const COLUMNS: (
    api_key::account_id,
    api_key::name,
    api_key::prefix,
    api_key::secret_hash,
    api_key::unit_id,
    api_key::operations,
    api_key::last_day,
    api_key::created_by,
    api_key::created_at,
    api_key::last_used,
    api_key::deleted_at,
) = (
    api_key::account_id,
    api_key::name,
    api_key::prefix,
    api_key::secret_hash,
    api_key::unit_id,
    api_key::operations,
    api_key::last_day,
    api_key::created_by,
    api_key::created_at,
    api_key::last_used,
    api_key::deleted_at,
);

impl TryFrom<KeyRow> for KeptKey {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<KeptKey, StoreError> {
        let unit = row.unit_id.map(|unit| parsed(&unit, "unit id"));
        Ok(KeptKey {
            account: parsed(&row.account_id, "account id")?,
            name: row.name,
            prefix: row.prefix,
            hash: KeyHash::kept(row.secret_hash),
            unit: unit.transpose()?,
            operations: KeyOperations::kept(&row.operations),
            last_day: row.last_day,
            created_by: parsed(&row.created_by, "account id")?,
            created_at: row.created_at,
            last_used: row.last_used,
            deleted_at: row.deleted_at,
        })
    }
}

/// Selects a key's row.
#[diesel::dsl::auto_type]
fn key_row<'q>(tenant: &'q str, account: &'q str) -> _ {
    api_key::table.filter(
        api_key::tenant_id
            .eq(tenant)
            .and(api_key::account_id.eq(account)),
    )
}

/// Reads the keys that are not deleted, in the order in which they were made.
pub fn keys(transaction: &mut Transaction<'_>) -> Result<Vec<KeptKey>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = api_key::table
        .filter(
            api_key::tenant_id
                .eq(tenant)
                .and(api_key::deleted_at.is_null()),
        )
        .order(api_key::account_id)
        .select(COLUMNS)
        .load::<KeyRow>(connection)?;
    rows.into_iter().map(KeptKey::try_from).collect()
}

/// Reads the key of a program, also a deleted one.
pub fn key_of(
    transaction: &mut Transaction<'_>,
    account: AccountId,
) -> Result<Option<KeptKey>, StoreError> {
    let (tenant, connection) = transaction.parts();
    key_row(tenant, &account.to_string())
        .select(COLUMNS)
        .first::<KeyRow>(connection)
        .optional()?
        .map(KeptKey::try_from)
        .transpose()
}

pub fn key_insert(transaction: &mut Transaction<'_>, new: &KeptKey) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::insert_into(api_key::table)
        .values((
            api_key::tenant_id.eq(tenant),
            api_key::account_id.eq(new.account.to_string()),
            api_key::name.eq(&new.name),
            api_key::prefix.eq(&new.prefix),
            api_key::secret_hash.eq(new.hash.as_str()),
            api_key::unit_id.eq(new.unit.map(|unit| unit.to_string())),
            api_key::operations.eq(new.operations.to_kept()),
            api_key::last_day.eq(new.last_day),
            api_key::created_by.eq(new.created_by.to_string()),
            api_key::created_at.eq(new.created_at),
        ))
        .execute(connection)?;
    Ok(())
}

/// Marks a key as deleted. Its row stays for those who ask who did something.
pub fn key_delete(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::update(key_row(tenant, &account.to_string()))
        .set(api_key::deleted_at.eq(now))
        .execute(connection)?;
    Ok(())
}

/// Notes the use of a key, unless a later one than `before` is noted.
pub fn key_note_use(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    before: NaiveDateTime,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let account = account.to_string();
    let is_due = api_key::last_used
        .is_null()
        .or(api_key::last_used.le(before));
    diesel::update(key_row(tenant, &account).filter(is_due))
        .set(api_key::last_used.eq(now))
        .execute(connection)?;
    Ok(())
}
