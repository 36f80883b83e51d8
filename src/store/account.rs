//! Queries on accounts, of people and of programs. Grants and sign-ins have files of their own.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::key::BATCH;
use super::schema::account;
use crate::domain::id::{AccountId, InvalidName, Login};

/// The holder of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// Signs in with a password.
    Person,
    /// Has a key.
    Program,
}

impl AccountKind {
    fn as_str(self) -> &'static str {
        match self {
            AccountKind::Person => "person",
            AccountKind::Program => "program",
        }
    }
}

impl std::str::FromStr for AccountKind {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<AccountKind, InvalidName> {
        [AccountKind::Person, AccountKind::Program]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(InvalidName("kind of account"))
    }
}

/// An account.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: AccountId,
    pub kind: AccountKind,
    pub login: Login,
    pub name: String,
    pub telephone: Option<String>,
    /// `None` until its owner has chosen a password.
    pub password_hash: Option<String>,
    pub disabled_at: Option<NaiveDateTime>,
    pub last_signed_in: Option<NaiveDateTime>,
    /// The rev of the commit that changed it last.
    pub rev: i64,
}

#[derive(Queryable)]
struct AccountRow {
    account_id: String,
    kind: String,
    login: String,
    name: String,
    telephone: Option<String>,
    password_hash: String,
    disabled_at: Option<NaiveDateTime>,
    last_signed_in: Option<NaiveDateTime>,
    rev: i64,
}

const COLUMNS: (
    account::account_id,
    account::kind,
    account::login,
    account::name,
    account::telephone,
    account::password_hash,
    account::disabled_at,
    account::last_signed_in,
    account::rev,
) = (
    account::account_id,
    account::kind,
    account::login,
    account::name,
    account::telephone,
    account::password_hash,
    account::disabled_at,
    account::last_signed_in,
    account::rev,
);

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Account, StoreError> {
        Ok(Account {
            id: parsed(&row.account_id, "account id")?,
            kind: parsed(&row.kind, "kind of account")?,
            login: Login::kept(row.login),
            name: row.name,
            telephone: row.telephone,
            // The column may not be null, so no password is an empty text, which no hash is.
            password_hash: Some(row.password_hash).filter(|hash| !hash.is_empty()),
            disabled_at: row.disabled_at,
            last_signed_in: row.last_signed_in,
            rev: row.rev,
        })
    }
}

/// Selects an account's row.
#[diesel::dsl::auto_type]
fn account_row<'q>(tenant: &'q str, id: &'q str) -> _ {
    account::table.filter(
        account::tenant_id
            .eq(tenant)
            .and(account::account_id.eq(id)),
    )
}

pub fn account_by_login(
    transaction: &mut Transaction<'_>,
    login: &Login,
) -> Result<Option<Account>, StoreError> {
    let found = accounts_by_logins(transaction, &[login.as_str()])?;
    Ok(found.into_iter().next())
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
        .load::<AccountRow>(connection)?;
    rows.into_iter().map(Account::try_from).collect()
}

pub fn account_by_id(
    transaction: &mut Transaction<'_>,
    id: AccountId,
) -> Result<Option<Account>, StoreError> {
    let (tenant, connection) = transaction.parts();
    account_row(tenant, &id.to_string())
        .select(COLUMNS)
        .first::<AccountRow>(connection)
        .optional()?
        .map(Account::try_from)
        .transpose()
}

/// Returns those of some logins that an account has.
pub fn logins_taken(
    transaction: &mut Transaction<'_>,
    logins: &[&str],
) -> Result<HashSet<String>, StoreError> {
    let mut taken = HashSet::new();
    for block in logins.chunks(BATCH) {
        let (tenant, connection) = transaction.parts();
        let found = account::table
            .filter(
                account::tenant_id
                    .eq(tenant)
                    .and(account::login.eq_any(block)),
            )
            .select(account::login)
            .load::<String>(connection)?;
        taken.extend(found);
    }
    Ok(taken)
}

/// Reads accounts by their ids.
pub fn accounts_by_ids(
    transaction: &mut Transaction<'_>,
    ids: &[AccountId],
) -> Result<HashMap<AccountId, Account>, StoreError> {
    let mut found = HashMap::with_capacity(ids.len());
    for block in ids.chunks(500) {
        let (tenant, connection) = transaction.parts();
        let block: Vec<String> = block.iter().map(ToString::to_string).collect();
        let rows = account::table
            .filter(
                account::tenant_id
                    .eq(tenant)
                    .and(account::account_id.eq_any(block)),
            )
            .select(COLUMNS)
            .load::<AccountRow>(connection)?;
        for row in rows {
            let account = Account::try_from(row)?;
            found.insert(account.id, account);
        }
    }
    Ok(found)
}

/// Reads at most `most` people whose login sorts after a text, in the order of their logins.
pub fn people_after(
    transaction: &mut Transaction<'_>,
    after: &str,
    most: i64,
) -> Result<Vec<Account>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = account::table
        .filter(
            account::tenant_id
                .eq(tenant)
                .and(account::kind.eq(AccountKind::Person.as_str()))
                .and(account::login.gt(after)),
        )
        .order(account::login)
        .limit(most)
        .select(COLUMNS)
        .load::<AccountRow>(connection)?;
    rows.into_iter().map(Account::try_from).collect()
}

/// Reads which accounts are disabled.
pub fn disabled_accounts(
    transaction: &mut Transaction<'_>,
) -> Result<HashSet<AccountId>, StoreError> {
    let (tenant, connection) = transaction.parts();
    account::table
        .filter(
            account::tenant_id
                .eq(tenant)
                .and(account::disabled_at.is_not_null()),
        )
        .select(account::account_id)
        .load::<String>(connection)?
        .iter()
        .map(|id| parsed(id, "account id"))
        .collect()
}

#[derive(Insertable)]
#[diesel(table_name = account, treat_none_as_default_value = false)]
struct NewAccountRow<'a> {
    tenant_id: &'a str,
    account_id: String,
    kind: &'a str,
    login: &'a str,
    name: &'a str,
    telephone: Option<&'a str>,
    password_hash: &'a str,
    created_at: NaiveDateTime,
    rev: i64,
}

pub fn account_insert(
    transaction: &mut Transaction<'_>,
    new: &Account,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    accounts_insert(transaction, [new], now)
}

/// Adds accounts, many with one statement.
pub fn accounts_insert<'a>(
    transaction: &mut Transaction<'_>,
    new: impl IntoIterator<Item = &'a Account>,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = new.into_iter().map(|new| NewAccountRow {
        tenant_id: tenant,
        account_id: new.id.to_string(),
        kind: new.kind.as_str(),
        login: new.login.as_str(),
        name: &new.name,
        telephone: new.telephone.as_deref(),
        password_hash: new.password_hash.as_deref().unwrap_or_default(),
        created_at: now,
        rev: new.rev,
    });
    let rows: Vec<NewAccountRow<'_>> = rows.collect();
    for batch in rows.chunks(BATCH) {
        on_backend!(connection, |own| {
            diesel::insert_into(account::table)
                .values(batch)
                .execute(own)
        })?;
    }
    Ok(())
}

/// Replaces what can change about an account, except for its last sign-in.
pub fn account_put(transaction: &mut Transaction<'_>, put: &Account) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::update(account_row(tenant, &put.id.to_string()))
        .set((
            account::login.eq(put.login.as_str()),
            account::name.eq(&put.name),
            account::telephone.eq(&put.telephone),
            account::password_hash.eq(put.password_hash.as_deref().unwrap_or_default()),
            account::disabled_at.eq(put.disabled_at),
            account::rev.eq(put.rev),
        ))
        .execute(connection)?;
    Ok(())
}

/// Holds an account's row until the transaction ends.
pub fn account_hold(transaction: &mut Transaction<'_>, id: AccountId) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::update(account_row(tenant, &id.to_string()))
        .set(account::rev.eq(account::rev))
        .execute(connection)?;
    Ok(())
}

/// Notes a sign-in, which is no change to the account, and holds its row until the transaction ends.
/// Returns false if the account is not as it was when the password was checked.
pub fn account_note_sign_in(
    transaction: &mut Transaction<'_>,
    checked: &Account,
    now: NaiveDateTime,
) -> Result<bool, StoreError> {
    let (tenant, connection) = transaction.parts();
    let hash = checked.password_hash.as_deref().unwrap_or_default();
    let id = checked.id.to_string();
    let unchanged = account_row(tenant, &id).filter(
        account::password_hash
            .eq(hash)
            .and(account::disabled_at.is_null()),
    );
    let noted = diesel::update(unchanged)
        .set(account::last_signed_in.eq(now))
        .execute(connection)?;
    Ok(noted > 0)
}
