//! Accounts of people: who there is, what they may do, and who may change that.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::authn::secret::NoRandomness;
use crate::authn::{Identity, password};
use crate::authz::{Action, Denied, Grant, Operation, Permit};
use crate::domain::fault::FieldPath;
use crate::domain::id::{AccountId, Login};
use crate::domain::text::{composed, folded, read_name};
use crate::error::{Code, Explain, Explanation, Fault};
use crate::locale::Quoted;
use crate::message;
use crate::path;
use crate::sentence::Sentence;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::condition::{ConditionError, Etag, State};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Outcome, Reply};
use crate::service::application::locate::NotFound;
use crate::service::application::page::{Page, PageRequest, UnknownCursor};
use crate::service::application::snapshot::Snapshot;
use crate::service::people::account_item::item_at;
use crate::service::people::credentials::wrong_login;
use crate::service::people::grant::{EnteredGrant, GrantReader, GrantView, to_give, to_manage};
use crate::service::people::session::end_sessions;
use crate::store::account::{
    Account, AccountKind, account_by_id, account_by_login, account_put, accounts_insert,
    people_after,
};
use crate::store::grant::{
    KeptGrant, grant_close, grant_insert, grants_insert, grants_of_accounts,
};
use crate::store::invitation::invitation_delete;
use crate::store::sign_in::Sessions;
use crate::store::tenant::{Part, mark_changed};
use crate::store::{StoreError, Transaction};

/// The errors of use cases on accounts.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Condition(#[from] ConditionError),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Unit(#[from] NotFound),
    #[error(transparent)]
    Cursor(#[from] UnknownCursor),
    #[error("no account {0}")]
    NotFound(String),
    #[error("no account with the login {0}")]
    UnknownLogin(String),
    #[error("the caller's own account")]
    Own,
    #[error("the account is disabled")]
    Disabled,
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
    #[error(transparent)]
    Hash(#[from] password::HashError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl Explain for AccountError {
    fn explain(&self) -> Explanation {
        match self {
            AccountError::Store(held) => held.explain(),
            AccountError::Denied(held) => held.explain(),
            AccountError::Condition(held) => held.explain(),
            AccountError::Idempotency(held) => held.explain(),
            AccountError::Unit(held) => held.explain(),
            AccountError::Cursor(held) => held.explain(),
            AccountError::NotFound(_) => {
                Explanation::new(Code::AccountNotFound, message!("account-not-found"))
                    .of_parameter("account")
            }
            AccountError::UnknownLogin(login) => Explanation::new(
                Code::AccountNotFound,
                message!("account-unknown-login", login = Quoted(&login)),
            ),
            AccountError::Own => Explanation::new(Code::OwnAccount, message!("account-own")),
            AccountError::Disabled => {
                Explanation::new(Code::AccountDisabled, message!("account-disabled"))
            }
            AccountError::Invalid(faults) => {
                Explanation::new(Code::InvalidAccount, message!("account-invalid"))
                    .with_faults(faults.clone())
            }
            AccountError::Hash(_) | AccountError::NoRandomness(_) => Explanation::internal(),
        }
    }
}

/// The reasons for which a caller is turned away before a body is read.
#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Explain for LeaveError {
    fn explain(&self) -> Explanation {
        match self {
            LeaveError::Denied(held) => held.explain(),
            LeaveError::Store(held) => held.explain(),
        }
    }
}

/// Refuses an operation that the caller may do nowhere, before the place is known.
///
/// # Errors
/// [`LeaveError`].
pub fn check_could(
    application: &Application,
    identity: &Identity,
    operation: Operation,
) -> Result<(), LeaveError> {
    Ok(application.access(identity)?.to_attempt(operation)?)
}

/// The status of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// Its owner has not chosen a password yet.
    Invited,
    Active,
    /// Nobody can sign in with it.
    Disabled,
}

impl AccountStatus {
    fn of(account: &Account) -> AccountStatus {
        match (account.disabled_at, &account.password_hash) {
            (Some(_), _) => AccountStatus::Disabled,
            (None, None) => AccountStatus::Invited,
            (None, Some(_)) => AccountStatus::Active,
        }
    }
}

/// A person's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AccountView {
    pub id: String,
    /// The text with which its owner signs in, often a telephone number.
    #[schema(example = "0912345678")]
    pub login: String,
    #[schema(example = "Ấp Tân Hòa A")]
    pub name: String,
    #[schema(example = "0912 345 678")]
    pub telephone: Option<String>,
    pub status: AccountStatus,
    /// The grants that hold today or will. What ended is told by the list of changes.
    pub grants: Vec<GrantView>,
    pub last_signed_in: Option<DateTime<Utc>>,
}

/// An account and its grants.
pub(super) struct Person {
    pub account: Account,
    /// Ended ones too.
    pub grants: Vec<KeptGrant>,
}

impl Person {
    /// Makes a new account, which has no password yet.
    pub fn new(data: PersonData, grants: Vec<Grant>, rev: i64) -> Person {
        let account = Account {
            id: AccountId::new(),
            kind: AccountKind::Person,
            login: data.login,
            name: data.name,
            telephone: data.telephone,
            password_hash: None,
            disabled_at: None,
            last_signed_in: None,
            rev,
        };
        let grants = grants.into_iter();
        Person {
            grants: grants
                .map(|grant| KeptGrant::new(account.id, grant, rev))
                .collect(),
            account,
        }
    }

    /// Reads an account of a person with its grants.
    pub fn find(
        transaction: &mut Transaction<'_>,
        id: AccountId,
    ) -> Result<Option<Person>, StoreError> {
        let account = account_by_id(transaction, id)?;
        let Some(account) = account.filter(|account| account.kind == AccountKind::Person) else {
            return Ok(None);
        };
        let grants = grants_of_accounts(transaction, &[id])?;
        Ok(Some(Person { account, grants }))
    }

    /// Returns the grants that hold on a day or will after it.
    pub fn standing(&self, day: NaiveDate) -> impl Iterator<Item = &KeptGrant> {
        let stands = move |kept: &&KeptGrant| {
            kept.grant.ever_holds() && kept.grant.days.to.is_none_or(|to| day <= to)
        };
        self.grants.iter().filter(stands)
    }

    pub fn grant_reader<'s>(&self, snapshot: &'s Snapshot, today: NaiveDate) -> GrantReader<'s> {
        let standing = self.standing(today).map(|kept| kept.grant.clone());
        GrantReader::of_holder(snapshot, today, standing)
    }

    fn is_seen(&self, snapshot: &Snapshot, today: NaiveDate) -> bool {
        let grants = self.grants.iter().map(|kept| &kept.grant);
        is_account_seen(snapshot, today, grants)
    }

    /// Permits changing the account: the caller may give everything that it has.
    pub fn to_change(&self, snapshot: &Snapshot, today: NaiveDate) -> Result<Permit, AccountError> {
        if self.account.id == snapshot.access.account() {
            return Err(AccountError::Own);
        }
        let standing = self.standing(today).map(|kept| &kept.grant);
        Ok(to_give(
            &snapshot.access,
            &snapshot.hierarchy,
            today,
            standing,
        )?)
    }

    pub fn view(&self, snapshot: &Snapshot, today: NaiveDate) -> AccountView {
        let Account {
            id,
            login,
            name,
            telephone,
            last_signed_in,
            ..
        } = &self.account;
        let standing = self.standing(today);
        AccountView {
            id: id.to_string(),
            login: login.to_string(),
            name: name.clone(),
            telephone: telephone.clone(),
            status: AccountStatus::of(&self.account),
            grants: standing
                .map(|kept| GrantView::of(&kept.grant, &snapshot.hierarchy, today))
                .collect(),
            last_signed_in: last_signed_in.map(|at| at.and_utc()),
        }
    }

    /// Returns the account's tag: the state that a change builds on, and the rest that is shown.
    pub fn etag(&self, view: &AccountView) -> Result<Etag, StoreError> {
        Etag::of_state(&self.state(), view)
    }

    /// Returns the state of the account and its grants: the rev of the last change to them.
    pub fn state(&self) -> State {
        let grants = self.grants.iter().map(|kept| kept.rev).max();
        State::numbered(grants.unwrap_or_default().max(self.account.rev))
    }

    pub fn reply(&self, outcome: Outcome, view: &AccountView) -> Result<Reply, StoreError> {
        Reply::new(outcome, Some(self.etag(view)?), view)
    }

    pub fn disable(
        &mut self,
        transaction: &mut Transaction<'_>,
        (now, rev): (DateTime<Utc>, i64),
    ) -> Result<Vec<ChangeItem>, AccountError> {
        if self.account.disabled_at.is_some() {
            return Ok(Vec::new());
        }
        self.account.disabled_at = Some(now.naive_utc());
        // The account first: who is signing in meanwhile looks at it last.
        account_put(transaction, &self.account)?;
        let id = self.account.id;
        end_sessions(transaction, id, Sessions::All, (now, rev))?;
        invitation_delete(transaction, id)?;
        Ok(vec![self.item(ChangeKind::AccountDisabled)])
    }

    pub fn enable(&mut self) -> Vec<ChangeItem> {
        match self.account.disabled_at.take() {
            None => Vec::new(),
            Some(_) => vec![self.item(ChangeKind::AccountEnabled)],
        }
    }

    /// Writes the account if something was done with it, and reads it again.
    pub fn write(
        mut self,
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        items: &[ChangeItem],
    ) -> Result<Person, AccountError> {
        if items.is_empty() {
            return Ok(self);
        }
        let rev = snapshot.counters.rev;
        self.account.rev = rev;
        account_put(transaction, &self.account)?;
        mark_changed(transaction, Part::Grants, rev)?;
        let id = self.account.id;
        let written = Person::find(transaction, id)?;
        written.ok_or_else(|| AccountError::NotFound(id.to_string()))
    }

    pub fn item(&self, kind: ChangeKind) -> ChangeItem {
        item_at(kind, self.account.id, &self.grants)
    }
}

/// Returns true if the caller may see an account with these grants.
pub(super) fn is_account_seen<'g>(
    snapshot: &Snapshot,
    today: NaiveDate,
    mut grants: impl Iterator<Item = &'g Grant>,
) -> bool {
    let (access, hierarchy) = (&snapshot.access, &snapshot.hierarchy);
    access.to_tenant(Action::ManageAccounts).is_ok()
        || grants.any(|grant| to_manage(access, hierarchy, today, grant.reach).is_ok())
}

/// Finds an account that the caller may see.
///
/// # Errors
/// [`AccountError::Denied`] to those who manage nobody, and [`AccountError::NotFound`].
pub(super) fn find_seen(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    id: &str,
    today: NaiveDate,
) -> Result<Person, AccountError> {
    let _permit = snapshot.access.somewhere(Action::ManageAccounts)?;
    let not_found = || AccountError::NotFound(id.to_owned());
    let parsed = id.parse::<AccountId>().map_err(|_| not_found())?;
    let person = Person::find(transaction, parsed)?;
    // No account at all where the caller may not look.
    person
        .filter(|person| person.is_seen(snapshot, today))
        .ok_or_else(not_found)
}

/// A filter of accounts.
#[derive(Debug, Clone, Default)]
pub struct AccountFilter {
    /// Duties at this unit or below it.
    pub unit: Option<String>,
    /// A part of the login, the name or the telephone number; accents and case do not matter.
    pub text: Option<String>,
    pub status: Option<AccountStatus>,
}

/// The accounts that are read from the database at once.
const BLOCK: i64 = 500;

/// Lists the people whom the caller manages, by login.
///
/// # Errors
/// [`AccountError`].
pub fn list_accounts(
    application: &Application,
    identity: &Identity,
    filter: &AccountFilter,
    page: &PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<AccountView>, AccountError> {
    application.reading(identity, |transaction, snapshot| {
        let _permit = snapshot.access.somewhere(Action::ManageAccounts)?;
        page_of(transaction, snapshot, filter, page, now)
    })
}

pub(super) fn page_of(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    filter: &AccountFilter,
    page: &PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<AccountView>, AccountError> {
    let today = snapshot.today(now);
    let tree = snapshot.hierarchy.tree_on(today);
    let top = match &filter.unit {
        None => None,
        Some(unit) => Some(snapshot.unit(&tree, unit, today)?),
    };
    let text = folded(filter.text.as_deref().unwrap_or_default());
    let is_wanted = |person: &Person| {
        let is_there = |kept: &KeptGrant| {
            let place = kept.grant.unit().and_then(|unit| tree.by_id(unit));
            top.is_none_or(|top| place.is_some_and(|place| top.covers(place)))
        };
        let account = &person.account;
        let has = |field: &str| folded(field).contains(&text);
        let status = AccountStatus::of(account);
        filter.status.is_none_or(|wanted| wanted == status)
            && (top.is_none() || person.standing(today).any(is_there))
            && (has(account.login.as_str())
                || has(&account.name)
                || account.telephone.as_deref().is_some_and(has))
            && person.is_seen(snapshot, today)
    };
    let mut views = Vec::new();
    let mut after = login_at(transaction, page.after.as_deref())?;
    loop {
        snapshot.patience.check()?;
        let block = people_after(transaction, &after, BLOCK)?;
        let Some(last) = block.last() else { break };
        last.login.as_str().clone_into(&mut after);
        let ids: Vec<AccountId> = block.iter().map(|account| account.id).collect();
        let mut grants = grants_of_accounts(transaction, &ids)?;
        for account in block {
            let own = grants.extract_if(.., |kept| kept.account == account.id);
            let person = Person {
                grants: own.collect(),
                account,
            };
            if is_wanted(&person) {
                views.push(person.view(snapshot, today));
            }
        }
        if views.len() > page.limit {
            break;
        }
    }
    let more = views.len() > page.limit;
    views.truncate(page.limit);
    let next = views.last().filter(|_| more).map(|last| last.id.clone());
    Ok(Page { items: views, next })
}

/// Returns the login of the account that a cursor names: the list goes on after it. Without a cursor
/// every login comes after.
fn login_at(
    transaction: &mut Transaction<'_>,
    cursor: Option<&str>,
) -> Result<String, AccountError> {
    let Some(cursor) = cursor else {
        return Ok(String::new());
    };
    let unknown = || UnknownCursor {
        cursor: cursor.to_owned(),
    };
    let id = cursor.parse::<AccountId>().map_err(|_| unknown())?;
    let account = account_by_id(transaction, id)?.ok_or_else(unknown)?;
    Ok(account.login.to_string())
}

/// Reads an account.
///
/// # Errors
/// [`AccountError`].
pub fn get_account(
    application: &Application,
    identity: &Identity,
    id: &str,
    now: DateTime<Utc>,
) -> Result<(State, AccountView), AccountError> {
    application.reading(identity, |transaction, snapshot| {
        let today = snapshot.today(now);
        let person = find_seen(transaction, snapshot, id, today)?;
        let view = person.view(snapshot, today);
        Ok((person.state(), view))
    })
}

/// The data of an account that can be entered.
#[derive(Debug, Clone)]
pub struct EnteredPerson {
    pub login: String,
    pub name: String,
    pub telephone: Option<String>,
}

/// A person's data, all valid.
pub(super) struct PersonData {
    pub login: Login,
    pub name: String,
    pub telephone: Option<String>,
}

/// The longest telephone number, in characters.
pub const LONGEST_TELEPHONE: usize = 40;

/// Reads a person's data. `is_taken` returns true for a login that another account has.
pub(super) fn read_person(
    entered: &EnteredPerson,
    is_taken: impl FnOnce(&Login) -> Result<bool, StoreError>,
    at: &FieldPath,
    faults: &mut Vec<Fault>,
) -> Result<Option<PersonData>, StoreError> {
    let login = match entered.login.parse::<Login>() {
        Ok(login) => {
            if is_taken(&login)? {
                let message = message!("account-login-taken", login);
                faults.push(Fault::in_body(at.below("login"), Code::CodeTaken, message));
            }
            Some(login)
        }
        Err(_) => {
            faults.push(wrong_login(at.below("login"), &entered.login));
            None
        }
    };
    let name = read_name(&entered.name).map_err(|fault| faults.push(fault.at(at.below("name"))));
    let telephone = match entered.telephone.as_deref().map(read_telephone) {
        None => None,
        Some(Some(telephone)) => Some(telephone),
        Some(None) => {
            let message = message!("account-telephone");
            faults.push(Fault::in_body(
                at.below("telephone"),
                Code::InvalidText,
                message,
            ));
            None
        }
    };
    Ok(login.zip(name.ok()).map(|(login, name)| PersonData {
        login,
        name,
        telephone,
    }))
}

/// Reads a telephone number: digits, with the marks that people write between them.
fn read_telephone(text: &str) -> Option<String> {
    let text = composed(text.trim());
    let is_part = |c: char| c.is_ascii_digit() || "+-./() ".contains(c);
    let is_right = text.chars().all(is_part)
        && text.chars().any(|c| c.is_ascii_digit())
        && text.chars().count() <= LONGEST_TELEPHONE;
    is_right.then(|| text.into_owned())
}

/// An account to create.
#[derive(Debug, Clone)]
pub struct NewAccount {
    pub person: EnteredPerson,
    pub grants: Vec<EnteredGrant>,
}

/// Creates an account without a password: its owner chooses one by an invitation.
///
/// # Errors
/// [`AccountError`].
pub fn create_account(
    application: &Application,
    call: &Call,
    entered: &NewAccount,
) -> Result<Reply, AccountError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let today = snapshot.today(call.now);
        let mut faults = Vec::new();
        let reader = GrantReader::of_new_account(snapshot, today);
        let grants = reader.read(&entered.grants, &path!["grants"], &mut faults);
        let permit = to_give(&snapshot.access, &snapshot.hierarchy, today, &grants)?;
        // Without a grant nobody but an administrator would find it again.
        let is_found_again = !entered.grants.is_empty();
        let permit = match is_found_again {
            true => permit,
            false => snapshot.access.to_tenant(Action::ManageAccounts)?,
        };
        change.once(permit, |transaction, _| {
            let person = insert_person(
                transaction,
                snapshot,
                &entered.person,
                &grants,
                None,
                (call.now, faults),
            )?;
            let view = person.view(snapshot, today);
            let outcome = Outcome::Created(format!("/v1/accounts/{}", view.id));
            Ok(Written::new(
                person.reply(outcome, &view)?,
                items_of_new(&person),
            ))
        })
    })
}

/// Returns what creating an account did, for the feed.
pub(super) fn items_of_new(person: &Person) -> Vec<ChangeItem> {
    let given = person.grants.iter().map(|kept| given(person, &kept.grant));
    std::iter::once(person.item(ChangeKind::AccountCreated))
        .chain(given)
        .collect()
}

pub(super) fn given(person: &Person, grant: &Grant) -> ChangeItem {
    ChangeItem {
        role: Some(grant.role.to_string()),
        ..ChangeItem::of_account(ChangeKind::GrantGiven, person.account.id, grant.unit())
    }
}

/// Writes a new account with its grants.
pub(super) fn insert_person(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    entered: &EnteredPerson,
    grants: &[Grant],
    password_hash: Option<String>,
    (now, mut faults): (DateTime<Utc>, Vec<Fault>),
) -> Result<Person, AccountError> {
    let is_taken = |login: &Login| Ok(account_by_login(transaction, login)?.is_some());
    let data = read_person(entered, is_taken, &path![], &mut faults)?;
    let (Some(data), []) = (data, faults.as_slice()) else {
        return Err(AccountError::Invalid(faults));
    };
    let mut person = Person::new(data, grants.to_vec(), snapshot.counters.rev);
    person.account.password_hash = password_hash;
    insert_people(transaction, snapshot, [&person], now)?;
    Ok(person)
}

/// Writes new accounts with their grants.
pub(super) fn insert_people<'p>(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    new: impl IntoIterator<Item = &'p Person, IntoIter: Clone>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let new = new.into_iter();
    let accounts = new.clone().map(|person| &person.account);
    accounts_insert(transaction, accounts, now.naive_utc())?;
    grants_insert(transaction, new.flat_map(|person| &person.grants))?;
    mark_changed(transaction, Part::Grants, snapshot.counters.rev)
}

/// The data to put on an account.
#[derive(Debug, Clone)]
pub struct PutAccount {
    pub id: String,
    pub person: EnteredPerson,
}

/// Changes an account's login, name and telephone number.
///
/// # Errors
/// [`AccountError`].
pub fn put_account(
    application: &Application,
    call: &Call,
    entered: &PutAccount,
) -> Result<Reply, AccountError> {
    changing_account(application, call, &entered.id, |transaction, _, person| {
        let mut faults = Vec::new();
        let own = person.account.id;
        let is_taken = |login: &Login| {
            let holder = account_by_login(transaction, login)?;
            Ok(holder.is_some_and(|holder| holder.id != own))
        };
        let data = read_person(&entered.person, is_taken, &path![], &mut faults)?;
        let (Some(data), []) = (data, faults.as_slice()) else {
            return Err(AccountError::Invalid(faults));
        };
        person.account.login = data.login;
        person.account.name = data.name;
        person.account.telephone = data.telephone;
        Ok(vec![person.item(ChangeKind::AccountChanged)])
    })
}

/// The grants to put on an account.
#[derive(Debug, Clone)]
pub struct PutGrants {
    pub id: String,
    pub grants: Vec<EnteredGrant>,
}

/// Replaces the grants of an account that hold today or will. One that has begun ends yesterday.
///
/// # Errors
/// [`AccountError`].
pub fn put_grants(
    application: &Application,
    call: &Call,
    entered: &PutGrants,
) -> Result<Reply, AccountError> {
    changing_account(
        application,
        call,
        &entered.id,
        |transaction, snapshot, person| {
            let today = snapshot.today(call.now);
            let standing: Vec<KeptGrant> = person.standing(today).cloned().collect();
            let mut faults = Vec::new();
            let reader = person.grant_reader(snapshot, today);
            let wanted = reader.read(&entered.grants, &path!["grants"], &mut faults);
            if !faults.is_empty() {
                return Err(AccountError::Invalid(faults));
            }
            let new: Vec<&Grant> = wanted
                .iter()
                .filter(|grant| !standing.iter().any(|kept| kept.grant == **grant))
                .collect();
            let _permit = to_give(
                &snapshot.access,
                &snapshot.hierarchy,
                today,
                new.iter().copied(),
            )?;
            if !new.is_empty() {
                // A code that was made by somebody with less must not open more.
                invitation_delete(transaction, person.account.id)?;
            }
            let mut items = Vec::new();
            for kept in standing.iter().filter(|kept| !wanted.contains(&kept.grant)) {
                end_grant(transaction, kept, today, snapshot.counters.rev)?;
                items.push(ended(person, &kept.grant));
            }
            for grant in new {
                grant_insert(transaction, person.account.id, grant, snapshot.counters.rev)?;
                items.push(given(person, grant));
            }
            Ok(items)
        },
    )
}

pub(super) fn ended(person: &Person, grant: &Grant) -> ChangeItem {
    ChangeItem {
        kind: ChangeKind::GrantEnded,
        ..given(person, grant)
    }
}

/// Ends a grant the day before `day`. One that has not begun by then never holds; it stays, so that
/// those who managed the account still find it.
pub(super) fn end_grant(
    transaction: &mut Transaction<'_>,
    kept: &KeptGrant,
    day: NaiveDate,
    rev: i64,
) -> Result<(), StoreError> {
    grant_close(transaction, kept.id, day.pred_opt().unwrap_or(day), rev)
}

/// Disables an account: nobody signs in with it, and its tokens do not serve any more.
///
/// # Errors
/// [`AccountError`].
pub fn disable_account(
    application: &Application,
    call: &Call,
    id: &str,
) -> Result<Reply, AccountError> {
    changing_account(application, call, id, |transaction, snapshot, person| {
        person.disable(transaction, (call.now, snapshot.counters.rev))
    })
}

/// Enables an account again.
///
/// # Errors
/// [`AccountError`].
pub fn enable_account(
    application: &Application,
    call: &Call,
    id: &str,
) -> Result<Reply, AccountError> {
    changing_account(application, call, id, |_, _, person| Ok(person.enable()))
}

/// Changes an account that the caller may see and manage: authorises, checks the condition, lets
/// `change` decide, and writes the account if `change` did something.
fn changing_account(
    application: &Application,
    call: &Call,
    id: &str,
    change: impl FnOnce(
        &mut Transaction<'_>,
        &Snapshot,
        &mut Person,
    ) -> Result<Vec<ChangeItem>, AccountError>,
) -> Result<Reply, AccountError> {
    application.changing(call, |mut undecided| {
        let snapshot = undecided.snapshot;
        let today = snapshot.today(call.now);
        let mut person =
            undecided.read(|transaction| find_seen(transaction, snapshot, id, today))?;
        let permit = person.to_change(snapshot, today)?;
        undecided.once(permit, |transaction, _| {
            call.precondition.check(Some(&person.state()))?;
            let items = change(transaction, snapshot, &mut person)?;
            let written = person.write(transaction, snapshot, &items)?;
            let view = written.view(snapshot, today);
            Ok(Written::new(written.reply(Outcome::Done, &view)?, items))
        })
    })
}
