//! Accounts from the command line: the operator lists, creates, invites, disables and regrants without
//! an account of its own, so that a lost administrator's password is not the end.

use chrono::{DateTime, NaiveDate, Utc};

use crate::authn::password;
use crate::authz::{Grant, Scope};
use crate::domain::id::{AccountId, Login};
use crate::error::{Code, Fault};
use crate::message;
use crate::path;
use crate::service::application::Application;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::page::{Page, PageRequest};
use crate::service::application::snapshot::Snapshot;
use crate::service::people::account::{
    AccountError, AccountFilter, AccountView, EnteredPerson, Person, end_grant, ended, given,
    insert_person, items_of_new, page_of,
};
use crate::service::people::credentials::check_password;
use crate::service::people::grant::{EnteredGrant, GrantReader, GrantView};
use crate::service::people::invitation::{InvitationView, invite, slug_of};
use crate::store::Transaction;
use crate::store::account::account_by_login;
use crate::store::grant::grant_insert;
use crate::store::invitation::invitation_delete;

/// Lists all people of a tenant, for the operator.
///
/// # Errors
/// [`AccountError`].
pub fn list_as_operator(
    application: &Application,
    scope: &Scope,
    filter: &AccountFilter,
    page: &PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<AccountView>, AccountError> {
    application.inspecting(scope, |transaction, snapshot| {
        page_of(transaction, snapshot, filter, page, now)
    })
}

/// An account to create with a password, as an operator enters it.
#[derive(Debug, Clone)]
pub struct EnteredAccount {
    pub login: String,
    pub name: String,
    pub telephone: Option<String>,
    /// Without one, its owner has to be invited.
    pub password: Option<String>,
    pub grants: Vec<EnteredGrant>,
}

/// Adds an account with grants, from the command line.
///
/// # Errors
/// [`AccountError`].
#[expect(clippy::disallowed_methods, reason = "an operator's, beside the API")]
pub fn add_account(
    application: &Application,
    scope: &Scope,
    entered: &EnteredAccount,
    now: DateTime<Utc>,
) -> Result<AccountId, AccountError> {
    let password = entered.password.as_deref();
    let hash = password.map(password::hash).transpose()?;
    application.maintaining(scope, now, |transaction, snapshot| {
        let today = snapshot.today(now);
        let mut faults = Vec::new();
        if let Some(password) = password {
            check_password(password, &path!["password"], &mut faults);
        }
        let reader = GrantReader::of_new_account(snapshot, today);
        let grants = reader.read(&entered.grants, &path!["grants"], &mut faults);
        let data = EnteredPerson {
            login: entered.login.clone(),
            name: entered.name.clone(),
            telephone: entered.telephone.clone(),
        };
        let rest = (now, faults);
        let person = insert_person(transaction, snapshot, &data, &grants, hash, rest)?;
        Ok((person.account.id, items_of_new(&person)))
    })
}

/// What an operator does with an account.
#[derive(Debug, Clone)]
pub enum OperatorDeed {
    Disable,
    Enable,
    /// Gives roles, and ends others.
    Grant {
        give: Vec<EnteredGrant>,
        end: Vec<EnteredGrant>,
    },
}

/// Changes an account from the command line.
///
/// # Errors
/// [`AccountError`].
#[expect(clippy::disallowed_methods, reason = "an operator's, beside the API")]
pub fn change_as_operator(
    application: &Application,
    scope: &Scope,
    login: &str,
    deed: &OperatorDeed,
    now: DateTime<Utc>,
) -> Result<AccountView, AccountError> {
    application.maintaining(scope, now, |transaction, snapshot| {
        let today = snapshot.today(now);
        let mut person = find_by_login(transaction, login)?;
        let items = match deed {
            OperatorDeed::Disable => person.disable(transaction, (now, snapshot.counters.rev))?,
            OperatorDeed::Enable => person.enable(),
            OperatorDeed::Grant { give, end } => {
                person.regrant(transaction, snapshot, (give, end), today)?
            }
        };
        let written = person.write(transaction, snapshot, &items)?;
        Ok((written.view(snapshot, today), items))
    })
}

/// Finds the account of a login.
///
/// # Errors
/// [`AccountError::UnknownLogin`].
fn find_by_login(transaction: &mut Transaction<'_>, login: &str) -> Result<Person, AccountError> {
    let unknown = || AccountError::UnknownLogin(login.to_owned());
    let parsed = login.parse::<Login>().map_err(|_| unknown())?;
    let account = account_by_login(transaction, &parsed)?.ok_or_else(unknown)?;
    Person::find(transaction, account.id)?.ok_or_else(unknown)
}

impl Person {
    /// Gives roles that the account does not have, and ends those that it has.
    fn regrant(
        &self,
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        (give, end): (&[EnteredGrant], &[EnteredGrant]),
        today: NaiveDate,
    ) -> Result<Vec<ChangeItem>, AccountError> {
        let mut faults = Vec::new();
        let reader = self.grant_reader(snapshot, today);
        let given_now = reader.read(give, &path!["grant"], &mut faults);
        let ended_now = reader.read(end, &path!["end"], &mut faults);
        faults.extend(self.not_held(&ended_now, snapshot, today));
        if !faults.is_empty() {
            return Err(AccountError::Invalid(faults));
        }
        let rev = snapshot.counters.rev;
        if !given_now.is_empty() {
            invitation_delete(transaction, self.account.id)?;
        }
        let mut items = Vec::new();
        for kept in self.standing(today) {
            if ended_now.iter().any(|grant| is_of(&kept.grant, grant)) {
                end_grant(transaction, kept, today, rev)?;
                items.push(ended(self, &kept.grant));
            }
        }
        for grant in &given_now {
            if !self.standing(today).any(|kept| kept.grant == *grant) {
                grant_insert(transaction, self.account.id, grant, rev)?;
                items.push(given(self, grant));
            }
        }
        Ok(items)
    }

    /// Returns a fault for each role to end that the account does not have, with those that it has.
    fn not_held<'g>(
        &self,
        grants: &'g [Grant],
        snapshot: &'g Snapshot,
        today: NaiveDate,
    ) -> impl Iterator<Item = Fault> + 'g {
        let held: Vec<Grant> = self
            .standing(today)
            .map(|kept| kept.grant.clone())
            .collect();
        let written = move |grant: &Grant| {
            let GrantView { role, unit, .. } = GrantView::of(grant, &snapshot.hierarchy, today);
            match unit {
                Some(unit) => format!("{role}@code:{}", unit.code),
                None => role.to_string(),
            }
        };
        let roles: Vec<String> = held.iter().map(&written).collect();
        grants.iter().filter_map(move |grant| {
            if held.iter().any(|held| is_of(held, grant)) {
                return None;
            }
            let role = written(grant);
            let message = match roles.is_empty() {
                true => message!("account-end-of-none", role),
                false => message!("account-end-of-others", role, roles = roles.join(", ")),
            };
            Some(Fault::in_body(path!["end"], Code::InvalidValue, message))
        })
    }
}

/// Returns true if two grants are of one role in one part of the tenant, on whatever days.
fn is_of(held: &Grant, grant: &Grant) -> bool {
    held.role == grant.role && held.reach == grant.reach
}

/// Invites the owner of an account, from the command line.
///
/// # Errors
/// [`AccountError`].
#[expect(clippy::disallowed_methods, reason = "an operator's, beside the API")]
pub fn invite_as_operator(
    application: &Application,
    scope: &Scope,
    login: &str,
    now: DateTime<Utc>,
) -> Result<InvitationView, AccountError> {
    let slug = slug_of(application, scope)?;
    application.maintaining(scope, now, |transaction, _| {
        let person = find_by_login(transaction, login)?;
        if person.account.disabled_at.is_some() {
            return Err(AccountError::Disabled);
        }
        let view = invite(application, transaction, &slug, person.account.id, now)?;
        Ok((view, vec![person.item(ChangeKind::AccountInvited)]))
    })
}
