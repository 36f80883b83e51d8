//! The keys of programs: who has one, and what for. A key's program is an account of its own, so its
//! grants and what it does are kept as a person's are.

use std::sync::Arc;

use chrono::{DateTime, Months, NaiveDate, SubsecRound, Utc};
use serde::Serialize;

use crate::authn::Identity;
use crate::authn::api_key::NewKey;
use crate::authn::secret::NoRandomness;
use crate::authz::{
    Access, Action, Denied, Grant, KeyOperation, KeyOperations, Permit, Reach, RefusedOperation,
};
use crate::domain::id::{AccountId, Login, UnitId};
use crate::domain::naming::Named;
use crate::domain::text::read_name;
use crate::domain::unit::{UnitReference, Validity};
use crate::error::{Code, Explain, Explanation, Fault};
use crate::locale::Quoted;
use crate::message;
use crate::path;
use crate::sentence::Sentence;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::condition::Etag;
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Outcome, Reply};
use crate::service::application::name::UnitName;
use crate::service::application::page::{Page, PageRequest, UnknownCursor};
use crate::service::application::snapshot::{People, Snapshot};
use crate::service::people::account::end_grant;
use crate::service::people::account_name::{AccountName, AccountNames, NameReader};
use crate::service::people::grant::{to_give, to_manage, unit_name};
use crate::store::account::{Account, AccountKind, account_by_id, account_insert, account_put};
use crate::store::api_key::{KeptKey, key_delete, key_insert, key_of, keys};
use crate::store::grant::{grant_insert, grants_of_accounts};
use crate::store::tenant::{Part, mark_changed};
use crate::store::{StoreError, Transaction};

/// The most keys of a tenant.
const MOST_KEYS: usize = 1000;

/// The most keys of one name at one unit that serve at once: the old one and its successor.
const MOST_OF_ONE_NAME: usize = 2;

/// The longest time for which a key serves.
const LONGEST: Months = Months::new(24);

/// The errors of use cases on keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Page(#[from] UnknownCursor),
    #[error("no key {0}")]
    NotFound(String),
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
    #[error("two keys are named {0}")]
    TwoOfTheName(String),
    #[error("the tenant has all the keys that it may have")]
    TooMany,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl Explain for KeyError {
    fn explain(&self) -> Explanation {
        match self {
            KeyError::Store(held) => held.explain(),
            KeyError::Denied(held) => held.explain(),
            KeyError::Idempotency(held) => held.explain(),
            KeyError::Page(held) => held.explain(),
            KeyError::NotFound(_) => {
                Explanation::new(Code::KeyNotFound, message!("key-not-found")).of_parameter("key")
            }
            KeyError::Invalid(faults) => {
                Explanation::new(Code::InvalidKey, message!("key-invalid"))
                    .with_faults(faults.clone())
            }
            KeyError::TwoOfTheName(name) => {
                Explanation::new(Code::TooManyKeys, message!("key-two-of-the-name", name))
            }
            KeyError::TooMany => Explanation::new(
                Code::TooManyKeys,
                message!("key-too-many", most = MOST_KEYS),
            ),
            KeyError::NoRandomness(_) => Explanation::internal(),
        }
    }
}

/// A program's key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct KeyView {
    pub id: String,
    /// The first letters of the key, by which people tell it from others.
    #[schema(example = "thk_5m2x8q9r")]
    pub prefix: String,
    #[schema(example = "dashboard")]
    pub name: String,
    /// The unit on whose subtree it serves; null for the whole tenant.
    pub unit: Option<UnitName>,
    /// The operations that it allows, by operationId; `read` and `submit` are all of a kind.
    pub operations: Vec<String>,
    /// The last day on which it serves, in the tenant's time zone.
    pub last_day: NaiveDate,
    /// The account that made it.
    pub created_by: AccountName,
    pub created_at: DateTime<Utc>,
    /// The time of its last use, to within a minute or so.
    pub last_used: Option<DateTime<Utc>>,
}

impl KeyView {
    fn with_secret(self, secret: Option<String>) -> NewKeyView {
        NewKeyView {
            id: self.id,
            prefix: self.prefix,
            secret,
            name: self.name,
            unit: self.unit,
            operations: self.operations,
            last_day: self.last_day,
            created_by: self.created_by,
            created_at: self.created_at,
            last_used: self.last_used,
        }
    }
}

/// A new key, with its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NewKeyView {
    pub id: String,
    /// The first letters of the key, by which people tell it from others.
    #[schema(example = "thk_5m2x8q9r")]
    pub prefix: String,
    /// The whole key; null when the answer is repeated, since it is stored nowhere.
    pub secret: Option<String>,
    #[schema(example = "dashboard")]
    pub name: String,
    /// The unit on whose subtree it serves; null for the whole tenant.
    pub unit: Option<UnitName>,
    /// The operations that it allows, by operationId; `read` and `submit` are all of a kind.
    pub operations: Vec<String>,
    /// The last day on which it serves, in the tenant's time zone.
    pub last_day: NaiveDate,
    /// The account that made it.
    pub created_by: AccountName,
    pub created_at: DateTime<Utc>,
    pub last_used: Option<DateTime<Utc>>,
}

/// A key, and the unit on whose subtree it holds today; `None` for the whole tenant.
struct PlacedKey {
    kept: KeptKey,
    unit: Option<UnitId>,
}

impl PlacedKey {
    fn of(kept: KeptKey, people: &People, today: NaiveDate) -> PlacedKey {
        PlacedKey {
            unit: people.unit_of_key(&kept, today),
            kept,
        }
    }

    fn reach(&self) -> Reach {
        self.unit.map_or(Reach::Tenant, Reach::Subtree)
    }

    fn view(
        &self,
        snapshot: &Snapshot,
        today: NaiveDate,
        makers: &AccountNames,
    ) -> Result<KeyView, StoreError> {
        let key = &self.kept;
        Ok(KeyView {
            id: key.account.to_string(),
            prefix: key.prefix.clone(),
            name: key.name.clone(),
            unit: self
                .unit
                .and_then(|unit| unit_name(unit, &snapshot.hierarchy, today)),
            operations: key.operations.words().map(str::to_owned).collect(),
            last_day: key.last_day,
            created_by: makers.name(key.created_by)?,
            created_at: key.created_at.and_utc(),
            last_used: key.last_used.map(|at| at.and_utc()),
        })
    }
}

/// Reads the keys that are not deleted, each with its unit.
fn placed_keys(
    transaction: &mut Transaction<'_>,
    people: &People,
    today: NaiveDate,
) -> Result<Vec<PlacedKey>, StoreError> {
    let keys = keys(transaction)?.into_iter();
    let placed = keys.map(|key| PlacedKey::of(key, people, today));
    Ok(placed.collect())
}

/// Returns the tenant's people, as they were before this transaction wrote anything.
fn people_of(
    application: &Application,
    transaction: &mut Transaction<'_>,
    identity: &Identity,
    snapshot: &Snapshot,
) -> Result<Arc<People>, StoreError> {
    let caches = &application.caches;
    caches.people_in(transaction, identity.tenant(), snapshot.counters)
}

/// Lists the keys that the caller manages, in the order in which they were made.
///
/// # Errors
/// [`KeyError`].
pub fn list_keys(
    application: &Application,
    identity: &Identity,
    page: &PageRequest,
    now: DateTime<Utc>,
) -> Result<Page<KeyView>, KeyError> {
    application.reading(identity, |transaction, snapshot| {
        let _permit = snapshot.access.somewhere(Action::ManageAccounts)?;
        let today = snapshot.today(now);
        let (access, hierarchy) = (&snapshot.access, &snapshot.hierarchy);
        let after = match &page.after {
            None => None,
            Some(cursor) => Some(cursor.parse::<AccountId>().map_err(|_| UnknownCursor {
                cursor: cursor.clone(),
            })?),
        };
        let people = people_of(application, transaction, identity, snapshot)?;
        let mut seen = placed_keys(transaction, &people, today)?;
        // The key of the cursor may have been deleted since.
        seen.retain(|key| after.is_none_or(|after| after < key.kept.account));
        seen.retain(|key| to_manage(access, hierarchy, today, key.reach()).is_ok());
        let makers: Vec<AccountId> = seen.iter().map(|key| key.kept.created_by).collect();
        let names = NameReader::of(application, transaction, identity, snapshot)?;
        let makers = names.read(transaction, &makers)?;
        let views = seen.iter().map(|key| key.view(snapshot, today, &makers));
        let views = views.collect::<Result<Vec<_>, _>>()?;
        let rest = PageRequest {
            after: None,
            limit: page.limit,
        };
        Ok(Page::of(views, &rest, |view| view.id.clone())?)
    })
}

/// Finds a key where the caller manages people, also a deleted one, with the permit to manage it.
fn managed_key(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    people: &People,
    id: &str,
    today: NaiveDate,
) -> Result<(PlacedKey, Permit), KeyError> {
    let not_found = || KeyError::NotFound(id.to_owned());
    let program = id.parse::<AccountId>().map_err(|_| not_found())?;
    let kept = key_of(transaction, program)?.ok_or_else(not_found)?;
    let key = PlacedKey::of(kept, people, today);
    let permit = to_manage(&snapshot.access, &snapshot.hierarchy, today, key.reach());
    // No key at all where the caller may not look.
    Ok((key, permit.map_err(|_| not_found())?))
}

/// Reads a key that the caller manages.
///
/// # Errors
/// [`KeyError`].
pub fn get_key(
    application: &Application,
    identity: &Identity,
    id: &str,
    now: DateTime<Utc>,
) -> Result<KeyView, KeyError> {
    application.reading(identity, |transaction, snapshot| {
        let _anywhere = snapshot.access.somewhere(Action::ManageAccounts)?;
        let today = snapshot.today(now);
        let people = people_of(application, transaction, identity, snapshot)?;
        let (key, _permit) = managed_key(transaction, snapshot, &people, id, today)?;
        if key.kept.deleted_at.is_some() {
            return Err(KeyError::NotFound(id.to_owned()));
        }
        let names = NameReader::of(application, transaction, identity, snapshot)?;
        let makers = names.read(transaction, &[key.kept.created_by])?;
        Ok(key.view(snapshot, today, &makers)?)
    })
}

/// A key to create, as it was entered.
#[derive(Debug, Clone)]
pub struct EnteredKey {
    pub name: String,
    /// `None` for the whole tenant.
    pub unit: Option<String>,
    pub operations: Vec<String>,
    pub last_day: NaiveDate,
}

/// The data of a key, all valid.
struct KeyData {
    name: String,
    reach: Reach,
    operations: KeyOperations,
    grants: Vec<Grant>,
}

/// Creates a key and the account of its program. Its secret is shown in this answer only.
///
/// # Errors
/// [`KeyError`].
pub fn create_key(
    application: &Application,
    call: &Call,
    entered: &EnteredKey,
) -> Result<Reply, KeyError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let today = snapshot.today(call.now);
        let anywhere = snapshot.access.somewhere(Action::ManageAccounts)?;
        let mut faults = Vec::new();
        let data = read_key(entered, snapshot, today, &mut faults);
        let permit = match &data {
            Some(data) => to_give_key(data, snapshot, today)?,
            None => anywhere,
        };
        change.once(permit, |transaction, permit| {
            let (Some(data), []) = (data, faults.as_slice()) else {
                return Err(KeyError::Invalid(faults));
            };
            let people = people_of(application, transaction, &call.identity, snapshot)?;
            check_room(&placed_keys(transaction, &people, today)?, &data, today)?;
            let names = NameReader::of(application, transaction, &call.identity, snapshot)?;
            let new = NewKey::of(call.identity.tenant())?;
            let key = insert_key(
                transaction,
                snapshot,
                (&data, entered.last_day),
                &new,
                (permit, call.now),
            )?;
            let makers = names.read(transaction, &[key.created_by])?;
            let key = PlacedKey {
                unit: key.unit,
                kept: key,
            };
            let view = key.view(snapshot, today, &makers)?;
            let outcome = Outcome::Created(format!("/v1/keys/{}", view.id));
            let etag = Etag::of(&view)?;
            let kept = view.clone().with_secret(None);
            let shown = view.with_secret(Some(new.text));
            let reply = Reply::new(outcome, Some(etag), &shown)?;
            let item = ChangeItem::of_account(ChangeKind::KeyCreated, key.kept.account, key.unit);
            Ok(Written::new(reply.keeping(&kept)?, [item]))
        })
    })
}

/// Reads an entered key. `None` if who may give it cannot be told.
fn read_key(
    entered: &EnteredKey,
    snapshot: &Snapshot,
    today: NaiveDate,
    faults: &mut Vec<Fault>,
) -> Option<KeyData> {
    let name = read_name(&entered.name);
    let name = name.map_err(|fault| faults.push(fault.at(path!["name"])));
    let reach = match &entered.unit {
        None => Some(Reach::Tenant),
        Some(unit) => read_unit(unit, snapshot, today, faults),
    };
    let operations = read_operations(&entered.operations, faults);
    check_last_day(entered.last_day, &snapshot.access, today, faults);
    let (reach, operations) = (reach?, operations?);
    let roles = operations.roles(reach).map_err(|operation| {
        let message = message!("key-operation-of-tenant", operation = operation.id());
        faults.push(Fault::in_body(
            path!["operations"],
            Code::InvalidValue,
            message,
        ));
    });
    let days = Validity {
        from: today,
        to: Some(entered.last_day),
    };
    let grants = roles
        .ok()?
        .into_iter()
        .map(|role| Grant { role, reach, days });
    Some(KeyData {
        name: name.ok()?,
        reach,
        operations,
        grants: grants.collect(),
    })
}

fn read_unit(
    unit: &str,
    snapshot: &Snapshot,
    today: NaiveDate,
    faults: &mut Vec<Fault>,
) -> Option<Reach> {
    let tree = snapshot.hierarchy.tree_on(today);
    let reference = unit.parse::<UnitReference>().ok();
    let found = reference.and_then(|reference| tree.find(&reference));
    if found.is_none() {
        let message = message!("key-unknown-unit", unit = Quoted(&unit));
        faults.push(Fault::in_body(path!["unit"], Code::UnknownUnit, message));
    }
    found.map(|place| Reach::Subtree(place.unit()))
}

fn read_operations(entered: &[String], faults: &mut Vec<Fault>) -> Option<KeyOperations> {
    if entered.is_empty() {
        let message = message!("key-no-operation");
        faults.push(Fault::in_body(
            path!["operations"],
            Code::InvalidValue,
            message,
        ));
        return None;
    }
    let mut read = Vec::with_capacity(entered.len());
    for (index, word) in entered.iter().enumerate() {
        let (code, message) = match word.parse::<KeyOperation>() {
            Ok(operation) => {
                read.push(operation);
                continue;
            }
            Err(RefusedOperation::Unknown) => (
                Code::UnknownOperation,
                message!("key-unknown-operation", word = Quoted(&word)),
            ),
            Err(RefusedOperation::NotForPrograms) => (
                Code::InvalidValue,
                message!("key-operation-of-people", word),
            ),
        };
        faults.push(Fault::in_body(path!["operations", index], code, message));
    }
    (read.len() == entered.len()).then(|| read.into_iter().collect())
}

/// Checks a key's last day: neither past, nor too far ahead, nor after its maker's last role ends.
fn check_last_day(last_day: NaiveDate, access: &Access, today: NaiveDate, faults: &mut Vec<Fault>) {
    let latest = today.checked_add_months(LONGEST).unwrap_or(today);
    let ends = access.grants().iter().map(|grant| grant.days.to);
    // None is until further notice.
    let end = ends.reduce(|one, other| Some(one?.max(other?))).flatten();
    let latest = end.map_or(latest, |end| latest.min(end));
    if last_day < today {
        let message = message!("key-last-day-past");
        faults.push(Fault::in_body(
            path!["last_day"],
            Code::InvalidValue,
            message,
        ));
    } else if last_day > latest {
        let message = message!("key-last-day-late", latest = Named::day(latest));
        faults.push(Fault::in_body(
            path!["last_day"],
            Code::InvalidValue,
            message,
        ));
    }
}

/// Permits giving a key: the caller manages its part of the tenant, may give the roles, and may do
/// there itself each operation that the key will allow.
fn to_give_key(data: &KeyData, snapshot: &Snapshot, today: NaiveDate) -> Result<Permit, Denied> {
    let (access, hierarchy) = (&snapshot.access, &snapshot.hierarchy);
    let mut permit = to_manage(access, hierarchy, today, data.reach)?;
    permit = match data.grants.is_empty() {
        true => permit,
        false => to_give(access, hierarchy, today, &data.grants)?,
    };
    // Whoever may give roles in the whole tenant may do everything in it.
    let Reach::Subtree(unit) = data.reach else {
        return Ok(permit);
    };
    let tree = hierarchy.tree_on(today);
    let place = tree.by_id(unit);
    for operation in data.operations.all() {
        for grant in &data.grants {
            if let Some(place) = place {
                permit = access.to_pass_on(operation, grant.role, &tree, place)?;
            }
        }
    }
    Ok(permit)
}

/// Refuses a key where there are enough.
fn check_room(keys: &[PlacedKey], data: &KeyData, today: NaiveDate) -> Result<(), KeyError> {
    let serving = || keys.iter().filter(|key| today <= key.kept.last_day);
    let of_the_name =
        serving().filter(|key| key.kept.name == data.name && key.reach() == data.reach);
    if of_the_name.count() >= MOST_OF_ONE_NAME {
        return Err(KeyError::TwoOfTheName(data.name.clone()));
    }
    if serving().count() >= MOST_KEYS {
        return Err(KeyError::TooMany);
    }
    Ok(())
}

fn insert_key(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    (data, last_day): (&KeyData, NaiveDate),
    new: &NewKey,
    (permit, now): (&Permit, DateTime<Utc>),
) -> Result<KeptKey, StoreError> {
    let rev = snapshot.counters.rev;
    let program = Account {
        id: AccountId::new(),
        kind: AccountKind::Program,
        login: Login::kept(new.key.prefix().to_owned()),
        name: data.name.clone(),
        telephone: None,
        password_hash: None,
        disabled_at: None,
        last_signed_in: None,
        rev,
    };
    let key = KeptKey {
        account: program.id,
        name: data.name.clone(),
        prefix: new.key.prefix().to_owned(),
        hash: new.key.hash().clone(),
        unit: match data.reach {
            Reach::Subtree(unit) => Some(unit),
            Reach::Tenant => None,
        },
        operations: data.operations.clone(),
        last_day,
        created_by: permit.account(),
        created_at: now.naive_utc().trunc_subsecs(6),
        last_used: None,
        deleted_at: None,
    };
    account_insert(transaction, &program, now.naive_utc())?;
    key_insert(transaction, &key)?;
    for grant in &data.grants {
        grant_insert(transaction, program.id, grant, rev)?;
    }
    mark_changed(transaction, Part::Grants, rev)?;
    Ok(key)
}

/// Deletes a key. It and its tokens serve no more, on any server.
///
/// # Errors
/// [`KeyError`].
pub fn delete_key(application: &Application, call: &Call, id: &str) -> Result<Reply, KeyError> {
    application.changing(call, |mut change| {
        let snapshot = change.snapshot;
        let today = snapshot.today(call.now);
        let _anywhere = snapshot.access.somewhere(Action::ManageAccounts)?;
        let (key, permit) = change.read(|transaction| {
            let people = people_of(application, transaction, &call.identity, snapshot)?;
            managed_key(transaction, snapshot, &people, id, today)
        })?;
        let program = key.kept.account;
        change.once(permit, |transaction, _| {
            if key.kept.deleted_at.is_some() {
                return Err(KeyError::NotFound(id.to_owned()));
            }
            let rev = snapshot.counters.rev;
            key_delete(transaction, program, call.now.naive_utc())?;
            if let Some(account) = account_by_id(transaction, program)? {
                let disabled = Account {
                    disabled_at: Some(call.now.naive_utc()),
                    rev,
                    ..account
                };
                account_put(transaction, &disabled)?;
            }
            for kept in grants_of_accounts(transaction, &[program])? {
                if kept.grant.days.to.is_none_or(|to| today <= to) {
                    end_grant(transaction, &kept, today, rev)?;
                }
            }
            mark_changed(transaction, Part::Grants, rev)?;
            let item = ChangeItem::of_account(ChangeKind::KeyDeleted, program, key.unit);
            Ok(Written::new(Reply::without_body(), [item]))
        })
    })
}
