//! Queries on accounts and their refresh tokens.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::schema::{account, refresh_token};
use crate::domain::id::{AccountId, Login};

/// Somebody who can sign in.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: AccountId,
    pub login: Login,
    pub name: String,
    pub password_hash: String,
}

type Row = (String, String, String, String);

const COLUMNS: (
    account::account_id,
    account::login,
    account::name,
    account::password_hash,
) = (
    account::account_id,
    account::login,
    account::name,
    account::password_hash,
);

fn read((id, login, name, password_hash): Row) -> Result<Account, StoreError> {
    Ok(Account {
        id: parsed(&id, "account id")?,
        login: parsed(&login, "login")?,
        name,
        password_hash,
    })
}

pub fn account_by_login(
    transaction: &mut Transaction<'_>,
    login: &Login,
) -> Result<Option<Account>, StoreError> {
    let (tenant, connection) = transaction.parts();
    account::table
        .filter(
            account::tenant_id
                .eq(tenant)
                .and(account::login.eq(login.as_str())),
        )
        .select(COLUMNS)
        .first::<Row>(connection)
        .optional()?
        .map(read)
        .transpose()
}

pub fn account_by_id(
    transaction: &mut Transaction<'_>,
    id: AccountId,
) -> Result<Option<Account>, StoreError> {
    let (tenant, connection) = transaction.parts();
    account::table
        .filter(
            account::tenant_id
                .eq(tenant)
                .and(account::account_id.eq(id.to_string())),
        )
        .select(COLUMNS)
        .first::<Row>(connection)
        .optional()?
        .map(read)
        .transpose()
}

pub fn account_insert(
    transaction: &mut Transaction<'_>,
    new: &Account,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::insert_into(account::table)
        .values((
            account::tenant_id.eq(tenant),
            account::account_id.eq(new.id.to_string()),
            account::login.eq(new.login.as_str()),
            account::name.eq(&new.name),
            account::password_hash.eq(&new.password_hash),
            account::created_at.eq(now),
        ))
        .execute(connection)?;
    Ok(())
}

/// A refresh token as the database knows it: by its hash. All that came from one sign-in are of
/// one family.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    pub hash: String,
    pub account: AccountId,
    pub family: String,
    pub expires_at: NaiveDateTime,
    pub used_at: Option<NaiveDateTime>,
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
            refresh_token::account_id.eq(new.account.to_string()),
            refresh_token::family_id.eq(&new.family),
            refresh_token::expires_at.eq(new.expires_at),
            refresh_token::used_at.eq(new.used_at),
        ))
        .execute(connection)?;
    Ok(())
}

pub fn refresh_token_by_hash(
    transaction: &mut Transaction<'_>,
    hash: &str,
) -> Result<Option<RefreshToken>, StoreError> {
    type TokenRow = (String, String, String, NaiveDateTime, Option<NaiveDateTime>);
    let (tenant, connection) = transaction.parts();
    let found: Option<TokenRow> = refresh_token::table
        .filter(
            refresh_token::tenant_id
                .eq(tenant)
                .and(refresh_token::token_hash.eq(hash)),
        )
        .select((
            refresh_token::token_hash,
            refresh_token::account_id,
            refresh_token::family_id,
            refresh_token::expires_at,
            refresh_token::used_at,
        ))
        .first(connection)
        .optional()?;
    let read = |(hash, account, family, expires_at, used_at): TokenRow| {
        let account = parsed(&account, "account id")?;
        Ok(RefreshToken {
            hash,
            account,
            family,
            expires_at,
            used_at,
        })
    };
    found.map(read).transpose()
}

/// Marks an unused token as used. Says whether it still was unused: of two requests at the same
/// moment one is told so.
pub fn refresh_token_use(
    transaction: &mut Transaction<'_>,
    hash: &str,
    now: NaiveDateTime,
) -> Result<bool, StoreError> {
    let (tenant, connection) = transaction.parts();
    let unused = refresh_token::table.filter(
        refresh_token::tenant_id
            .eq(tenant)
            .and(refresh_token::token_hash.eq(hash))
            .and(refresh_token::used_at.is_null()),
    );
    let used = diesel::update(unused)
        .set(refresh_token::used_at.eq(now))
        .execute(connection)?;
    Ok(used == 1)
}

/// Ends everything that came from one sign-in.
pub fn refresh_token_family_delete(
    transaction: &mut Transaction<'_>,
    family: &str,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let family = refresh_token::table.filter(
        refresh_token::tenant_id
            .eq(tenant)
            .and(refresh_token::family_id.eq(family)),
    );
    diesel::delete(family).execute(connection)?;
    Ok(())
}

pub fn refresh_tokens_delete_expired(
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
    Ok(())
}
