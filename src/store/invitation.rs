//! Queries on invitations. Only a code's hash is stored; an account has one invitation at most.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::key::BATCH;
use super::schema::invitation;
use crate::domain::id::AccountId;

/// An invitation to choose a password.
#[derive(Debug, Clone)]
pub struct Invitation {
    pub account: AccountId,
    pub code_hash: String,
    pub expires_at: NaiveDateTime,
}

#[derive(Insertable)]
#[diesel(table_name = invitation, treat_none_as_default_value = false)]
struct NewInvitationRow<'a> {
    tenant_id: &'a str,
    account_id: String,
    code_hash: &'a str,
    expires_at: NaiveDateTime,
}

/// Adds an invitation, in place of the account's earlier one.
pub fn invitation_put(
    transaction: &mut Transaction<'_>,
    new: &Invitation,
) -> Result<(), StoreError> {
    invitation_delete(transaction, new.account)?;
    invitations_insert(transaction, std::slice::from_ref(new))
}

/// Adds invitations of accounts that have none, many with one statement.
pub fn invitations_insert(
    transaction: &mut Transaction<'_>,
    new: &[Invitation],
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = new.iter().map(|new| NewInvitationRow {
        tenant_id: tenant,
        account_id: new.account.to_string(),
        code_hash: &new.code_hash,
        expires_at: new.expires_at,
    });
    let rows: Vec<NewInvitationRow<'_>> = rows.collect();
    for batch in rows.chunks(BATCH) {
        on_backend!(connection, |own| {
            diesel::insert_into(invitation::table)
                .values(batch)
                .execute(own)
        })?;
    }
    Ok(())
}

pub fn invitation_by_hash(
    transaction: &mut Transaction<'_>,
    hash: &str,
) -> Result<Option<Invitation>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let found: Option<(String, NaiveDateTime)> = invitation::table
        .filter(
            invitation::tenant_id
                .eq(tenant)
                .and(invitation::code_hash.eq(hash)),
        )
        .select((invitation::account_id, invitation::expires_at))
        .first(connection)
        .optional()?;
    let read = |(account, expires_at): (String, NaiveDateTime)| {
        Ok(Invitation {
            account: parsed(&account, "account id")?,
            code_hash: hash.to_owned(),
            expires_at,
        })
    };
    found.map(read).transpose()
}

pub fn invitation_delete(
    transaction: &mut Transaction<'_>,
    account: AccountId,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let of_account = invitation::table.filter(
        invitation::tenant_id
            .eq(tenant)
            .and(invitation::account_id.eq(account.to_string())),
    );
    diesel::delete(of_account).execute(connection)?;
    Ok(())
}
