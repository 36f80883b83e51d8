//! Queries on invitations. Only a code's hash is stored; an account has one invitation at most.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::schema::invitation;
use crate::domain::id::AccountId;

/// An invitation to choose a password.
#[derive(Debug, Clone)]
pub struct Invitation {
    pub account: AccountId,
    pub code_hash: String,
    pub expires_at: NaiveDateTime,
}

/// Adds an invitation, in place of the account's earlier one.
pub fn invitation_put(
    transaction: &mut Transaction<'_>,
    new: &Invitation,
) -> Result<(), StoreError> {
    invitation_delete(transaction, new.account)?;
    let (tenant, connection) = transaction.parts();
    diesel::insert_into(invitation::table)
        .values((
            invitation::tenant_id.eq(tenant),
            invitation::account_id.eq(new.account.to_string()),
            invitation::code_hash.eq(&new.code_hash),
            invitation::expires_at.eq(new.expires_at),
        ))
        .execute(connection)?;
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
