//! Accounts as other answers name them. A login is half of what somebody signs in with, so it is told
//! only to those who manage the account. A name is told also to those who may read a unit where its
//! holder has or had a duty, since they are told whom to call there. No program manages accounts.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::Serialize;

use crate::authn::{Credential, Identity};
use crate::authz::{Action, Grant};
use crate::domain::id::AccountId;
use crate::service::application::Application;
use crate::service::application::snapshot::{People, Snapshot};
use crate::service::people::account::is_account_seen;
use crate::service::people::contact::is_duty;
use crate::service::people::grant::to_reach;
use crate::store::account::{Account, accounts_by_ids};
use crate::store::{StoreError, Transaction};

/// An account as other answers name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AccountName {
    pub id: String,
    /// Empty for a caller who does not manage the account.
    #[schema(example = "commune@demo")]
    pub login: String,
    /// Empty for a caller who neither manages the account nor may read a unit where it has a duty.
    pub name: String,
}

impl AccountName {
    /// Names an account to its owner.
    pub(super) fn own(account: &Account) -> AccountName {
        AccountName {
            id: account.id.to_string(),
            login: account.login.to_string(),
            name: account.name.clone(),
        }
    }
}

/// Names accounts to a caller, as far as the caller may know them.
pub(in crate::service) struct NameReader<'r> {
    identity: &'r Identity,
    snapshot: &'r Snapshot,
    people: Arc<People>,
}

impl<'r> NameReader<'r> {
    /// Reads for a caller, in a transaction that has not changed anybody's grants.
    pub fn of(
        application: &Application,
        transaction: &mut Transaction<'_>,
        identity: &'r Identity,
        snapshot: &'r Snapshot,
    ) -> Result<NameReader<'r>, StoreError> {
        let caches = &application.caches;
        Ok(NameReader {
            identity,
            snapshot,
            people: caches.people_in(transaction, identity.tenant(), snapshot.counters)?,
        })
    }

    pub fn read(
        &self,
        transaction: &mut Transaction<'_>,
        accounts: &[AccountId],
    ) -> Result<AccountNames, StoreError> {
        let accounts = accounts_by_ids(transaction, accounts)?.into_iter();
        let names = accounts.map(|(id, account)| (id, self.name(&account)));
        Ok(AccountNames(names.collect()))
    }

    fn name(&self, account: &Account) -> AccountName {
        let whole = AccountName::own(account);
        if account.id == self.identity.account() {
            return whole;
        }
        let grants = self.people.grants_of(account.id);
        let today = self.snapshot.today(self.identity.seen());
        if self.manages(grants, today) {
            return whole;
        }
        let name = match self.may_read_a_unit_of(grants, today) {
            true => whole.name,
            false => String::new(),
        };
        AccountName {
            login: String::new(),
            name,
            ..whole
        }
    }

    fn manages(&self, grants: &[Grant], today: NaiveDate) -> bool {
        match self.identity.credential() {
            Credential::Session(_) => is_account_seen(self.snapshot, today, grants.iter()),
            Credential::Key => false,
        }
    }

    fn may_read_a_unit_of(&self, grants: &[Grant], today: NaiveDate) -> bool {
        let Snapshot {
            access, hierarchy, ..
        } = self.snapshot;
        let mut duties = grants.iter().filter(|grant| is_duty(grant.role));
        duties.any(|duty| to_reach(access, Action::ReadUnits, hierarchy, today, duty.reach).is_ok())
    }
}

/// The names of some accounts, as a caller may know them.
pub(in crate::service) struct AccountNames(HashMap<AccountId, AccountName>);

impl AccountNames {
    /// Returns the name of one of the accounts.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if there is no such account: accounts are never deleted.
    pub fn name(&self, account: AccountId) -> Result<AccountName, StoreError> {
        let found = self.0.get(&account).cloned();
        found.ok_or_else(|| StoreError::Corrupt(format!("there is no account {account}")))
    }
}
