//! Accounts: the caller's own rights, and new accounts from the command line.

use crate::locale::Quoted;
use crate::sentence::Sentence;
use crate::service::application::name::UnitName;
use crate::service::people::credentials::{check_password, wrong_login};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::authn::{Identity, password};
use crate::authz::{Denied, Grant, Operation, Reach, Role, Scope};
use crate::domain::hierarchy::{Hierarchy, Tree};
use crate::domain::id::{AccountId, LevelCode, Login};
use crate::domain::text::read_name;
use crate::domain::unit::UnitReference;
use crate::error::{Code, Explain, Explanation, Fault};
use crate::message;
use crate::service::application::Application;
use crate::service::application::snapshot::{Snapshot, load_hierarchy};
use crate::service::people::tenant::TenantName;
use crate::store::account::{Account, account_by_id, account_by_login, account_insert};
use crate::store::grant::grant_insert;
use crate::store::tenant::{Part, mark_changed, tenant_by_id};
use crate::store::{Database, StoreError, Transaction};

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
    Ok(application.access(identity)?.somewhere(operation)?)
}

/// The errors of use cases on accounts.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the account is not there any more")]
    Gone,
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
    #[error(transparent)]
    Hash(#[from] password::HashError),
}

impl Explain for AccountError {
    fn explain(&self) -> Explanation {
        match self {
            AccountError::Store(held) => held.explain(),
            AccountError::Gone => Explanation::new(Code::NotSignedIn, message!("account-gone")),
            AccountError::Invalid(faults) => {
                Explanation::new(Code::InvalidAccount, message!("account-invalid"))
                    .with_faults(faults.clone())
            }
            AccountError::Hash(_) => Explanation::internal(),
        }
    }
}

/// The caller's tenant, account and grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MeView {
    pub tenant: TenantName,
    pub account: AccountName,
    pub grants: Vec<GrantView>,
    /// The forms that the caller may enter and submit, and the units for each.
    pub may_submit: Vec<MaySubmit>,
}

/// An account as other answers name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AccountName {
    pub id: String,
    #[schema(example = "commune@demo")]
    pub login: String,
    pub name: String,
}

/// A role and the part of the tenant in which it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct GrantView {
    pub role: Role,
    /// The unit on whose subtree the role holds; null for the whole tenant.
    pub unit: Option<UnitName>,
}

/// A form that the caller may submit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MaySubmit {
    pub form: String,
    /// This unit and those below it; null for all units of the tenant.
    pub unit: Option<UnitName>,
    /// The levels of those units that submit the form.
    pub levels: Vec<String>,
}

/// Reads the caller's account and grants.
///
/// # Errors
/// [`AccountError`].
pub fn get_me(
    application: &Application,
    identity: &Identity,
    now: DateTime<Utc>,
) -> Result<MeView, AccountError> {
    let tenant = tenant_by_id(&application.database, identity.tenant())?;
    let tenant = tenant.ok_or(AccountError::Gone)?;
    application.reading(identity, |transaction, snapshot| {
        let account = account_by_id(transaction, identity.account())?.ok_or(AccountError::Gone)?;
        let tree = snapshot.hierarchy.tree_on(snapshot.today(now));
        let grants = snapshot.access.grants();
        Ok(MeView {
            tenant: TenantName {
                slug: tenant.slug.to_string(),
                name: tenant.name,
            },
            account: AccountName {
                id: account.id.to_string(),
                login: account.login.to_string(),
                name: account.name,
            },
            grants: grants
                .iter()
                .map(|grant| grant_view(grant, &snapshot.hierarchy, &tree))
                .collect(),
            may_submit: grants
                .iter()
                .filter(|grant| matches!(grant.role, Role::Reporter | Role::TenantAdmin))
                .flat_map(|grant| may_submit(grant, snapshot, &tree, now))
                .collect(),
        })
    })
}

/// Shows a grant. A unit that has ended keeps its last name, since no unit would mean the whole
/// tenant.
fn grant_view(grant: &Grant, hierarchy: &Hierarchy, tree: &Tree) -> GrantView {
    let last = |unit| hierarchy.facts_of(unit).last().map(UnitName::of_fact);
    let unit = match grant.reach {
        Reach::Tenant => None,
        Reach::Subtree(unit) => {
            let standing = tree.by_id(unit).map(UnitName::of);
            standing.or_else(|| last(unit))
        }
    };
    GrantView {
        role: grant.role,
        unit,
    }
}

fn may_submit(
    grant: &Grant,
    snapshot: &Snapshot,
    tree: &Tree,
    now: DateTime<Utc>,
) -> Vec<MaySubmit> {
    let top = match grant.reach {
        Reach::Tenant => None,
        // A grant on a unit that has ended covers nothing today.
        Reach::Subtree(unit) => match tree.by_id(unit) {
            Some(place) => Some(place),
            None => return Vec::new(),
        },
    };
    let has_units = |level: &&LevelCode| top.is_none_or(|top| top.count_at(level) > 0);
    let today = snapshot.today(now);
    let forms = snapshot
        .catalogue
        .forms()
        .filter_map(|form| Some((form, form.on(today)?)));
    forms
        .map(|(form, definition)| MaySubmit {
            form: form.code.to_string(),
            unit: top.map(UnitName::of),
            levels: definition
                .submitted_by
                .iter()
                .filter(has_units)
                .map(ToString::to_string)
                .collect(),
        })
        .filter(|entry| !entry.levels.is_empty())
        .collect()
}

/// An account to create, as an operator enters it.
#[derive(Debug, Clone)]
pub struct EnteredAccount {
    pub login: String,
    pub name: String,
    pub password: String,
    pub grants: Vec<EnteredGrant>,
}

/// A grant to create, as an operator enters it: `ROLE@UNIT`, or `tenant_admin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnteredGrant {
    pub role: Role,
    /// The unit on whose subtree the role holds, by its id or its code of today; `None` for the
    /// whole tenant.
    pub unit: Option<String>,
}

impl std::str::FromStr for EnteredGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<EnteredGrant, String> {
        let (role, unit) = match text.split_once('@') {
            Some((role, unit)) => (role, Some(unit)),
            None => (text, None),
        };
        let Ok(role) = role.parse::<Role>() else {
            let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
            return Err(format!(
                "it must be ROLE@UNIT with one of the roles {}, as in reporter@code:30388, or \
                 tenant_admin",
                roles.join(", ")
            ));
        };
        match unit {
            Some(unit) if unit.parse::<UnitReference>().is_err() => Err(format!(
                "a unit is named by its code, as in {}@code:{unit}, or by its id",
                role.as_str()
            )),
            unit => Ok(EnteredGrant {
                role,
                unit: unit.map(str::to_owned),
            }),
        }
    }
}

/// Adds an account with its grants, from the command line.
///
/// # Errors
/// [`AccountError`].
#[expect(clippy::disallowed_methods, reason = "an operator's, beside the API")]
pub fn create_account(
    database: &Database,
    scope: &Scope,
    entered: &EnteredAccount,
    now: DateTime<Utc>,
) -> Result<AccountId, AccountError> {
    let hash = password::hash(&entered.password)?;
    database.write(scope, |transaction, counters| {
        let mut faults = Vec::new();
        let login = read_login(transaction, entered, &mut faults)?;
        let name = read_account(entered, &mut faults);
        let hierarchy = load_hierarchy(transaction)?;
        let today = now.with_timezone(&counters.time_zone).date_naive();
        let tree = hierarchy.tree_on(today);
        let grants: Vec<Grant> = entered
            .grants
            .iter()
            .filter_map(|grant| read_grant(grant, &tree, &mut faults))
            .collect();
        let (Some(login), Some(name), []) = (login, name, faults.as_slice()) else {
            return Err(AccountError::Invalid(faults));
        };
        let id = AccountId::new();
        let account = Account {
            id,
            login,
            name,
            password_hash: hash,
        };
        account_insert(transaction, &account, now.naive_utc())?;
        for grant in &grants {
            grant_insert(transaction, id, grant, counters.rev)?;
        }
        mark_changed(transaction, Part::Grants, counters.rev)?;
        Ok(id)
    })
}

fn read_login(
    transaction: &mut Transaction<'_>,
    entered: &EnteredAccount,
    faults: &mut Vec<Fault>,
) -> Result<Option<Login>, StoreError> {
    let Ok(login) = entered.login.parse::<Login>() else {
        faults.push(wrong_login("login", &entered.login));
        return Ok(None);
    };
    if account_by_login(transaction, &login)?.is_some() {
        faults.push(Fault::in_parameter(
            "login",
            Code::CodeTaken,
            message!("account-login-taken", login),
        ));
    }
    Ok(Some(login))
}

/// Reads the account's name, if it is valid. Also checks the password.
fn read_account(entered: &EnteredAccount, faults: &mut Vec<Fault>) -> Option<String> {
    let name = read_name(&entered.name).map_err(|fault| {
        let message = fault.message();
        faults.push(Fault::in_parameter("name", Code::InvalidText, message));
    });
    check_password(&entered.password, faults);
    name.ok()
}

fn read_grant(entered: &EnteredGrant, tree: &Tree, faults: &mut Vec<Fault>) -> Option<Grant> {
    let role = entered.role;
    match (&entered.unit, role) {
        (None, Role::TenantAdmin) => Some(Grant {
            role,
            reach: Reach::Tenant,
        }),
        (Some(unit), Role::Reporter | Role::Approver | Role::Viewer | Role::UnitAdmin) => {
            let reference = unit.parse::<UnitReference>().ok();
            let found = reference.and_then(|reference| tree.find(&reference));
            if found.is_none() {
                faults.push(Fault::in_parameter(
                    "grant",
                    Code::UnknownUnit,
                    message!("account-unknown-unit", unit = Quoted(&unit)),
                ));
            }
            found.map(|place| Grant {
                role,
                reach: Reach::Subtree(place.unit()),
            })
        }
        (Some(_), Role::TenantAdmin) => {
            let role = role.named();
            faults.push(Fault::in_parameter(
                "grant",
                Code::InvalidValue,
                message!("account-role-of-system", role),
            ));
            None
        }
        (None, role) => {
            let (code, role) = (role.as_str(), role.named());
            faults.push(Fault::in_parameter(
                "grant",
                Code::InvalidValue,
                message!("account-role-needs-unit", role, code),
            ));
            None
        }
    }
}
