//! Queries on accounts.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::schema::account;
use crate::domain::id::{AccountId, Login};

/// An account that can sign in.
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
        login: Login::kept(login),
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

/// Reads the accounts whose login equals one of `logins` exactly.
pub fn accounts_by_logins(
    transaction: &mut Transaction<'_>,
    logins: &[&str],
) -> Result<Vec<Account>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = account::table
        .filter(
            account::tenant_id
                .eq(tenant)
                .and(account::login.eq_any(logins)),
        )
        .select(COLUMNS)
        .load::<Row>(connection)?;
    rows.into_iter().map(read).collect()
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

/// An account as others are told of it.
#[derive(Debug, Clone)]
pub struct NamedAccount {
    pub id: AccountId,
    pub login: Login,
    pub name: String,
}

/// Reads the names of some accounts.
pub fn named_accounts(
    transaction: &mut Transaction<'_>,
    ids: impl IntoIterator<Item = AccountId>,
) -> Result<Vec<NamedAccount>, StoreError> {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    let (tenant, connection) = transaction.parts();
    let rows = account::table
        .filter(
            account::tenant_id
                .eq(tenant)
                .and(account::account_id.eq_any(ids)),
        )
        .select((account::account_id, account::login, account::name))
        .load::<(String, String, String)>(connection)?;
    rows.into_iter()
        .map(|(id, login, name)| {
            Ok(NamedAccount {
                id: parsed(&id, "account id")?,
                login: Login::kept(login),
                name,
            })
        })
        .collect()
}
