//! Tenants: creates them, and lists them for the operator of the platform.

use crate::locale::Quoted;
use crate::sentence::Sentence;
use crate::service::people::credentials::{check_password, wrong_login};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use crate::authn::password;
use crate::authz::{Grant, Reach, Role, Scope};
use crate::domain::id::{AccountId, Login, TenantId, TenantSlug};
use crate::domain::level::LevelPreset;
use crate::domain::text::read_name;
use crate::domain::unit::Validity;
use crate::error::{Code, Explain, Explanation, Fault};
use crate::message;
use crate::path;
use crate::service::application::Application;
use crate::service::application::change::{ChangeItem, ChangeKind, record};
use crate::store::account::{Account, AccountKind, account_insert};
use crate::store::grant::grant_insert;
use crate::store::level::level_put;
use crate::store::rollup::TOTALS_EDITION;
use crate::store::tenant::{
    RegisteredTenant, tenant_by_slug, tenant_insert, tenants, totals_edition_put,
};
use crate::store::{Database, StoreError};

/// The errors of use cases on tenants.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no tenant {0}")]
    NotFound(String),
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
    #[error(transparent)]
    Hash(#[from] password::HashError),
}

impl Explain for TenantError {
    fn explain(&self) -> Explanation {
        match self {
            TenantError::Store(held) => held.explain(),
            TenantError::NotFound(slug) => Explanation::new(
                Code::TenantNotFound,
                message!("tenant-not-found", slug = Quoted(&slug)),
            ),
            TenantError::Invalid(faults) => {
                Explanation::new(Code::InvalidTenant, message!("tenant-invalid"))
                    .with_faults(faults.clone())
            }
            TenantError::Hash(_) => Explanation::internal(),
        }
    }
}

/// A tenant as other answers name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TenantName {
    #[schema(example = "mttq-an-giang")]
    pub slug: String,
    pub name: String,
}

/// The time zone of deadlines. Viet Nam has one.
const TIME_ZONE: Tz = chrono_tz::Asia::Ho_Chi_Minh;

/// A tenant to create, as an operator enters it.
#[derive(Debug, Clone)]
pub struct EnteredTenant {
    pub slug: String,
    pub name: String,
    /// The login and the password of the first administrator.
    pub admin: String,
    pub password: String,
    pub levels: Option<LevelPreset>,
}

/// Checks what was entered for a tenant, as far as that is possible without a database.
///
/// # Errors
/// [`TenantError::Invalid`].
pub fn check_tenant(entered: &EnteredTenant) -> Result<(), TenantError> {
    let mut faults = Vec::new();
    read_fields(entered, &mut faults);
    match faults.is_empty() {
        true => Ok(()),
        false => Err(TenantError::Invalid(faults)),
    }
}

/// Creates a tenant with its first administrator.
///
/// # Errors
/// [`TenantError`].
#[expect(clippy::disallowed_methods, reason = "a new tenant has no history yet")]
pub fn create_tenant(
    database: &Database,
    entered: &EnteredTenant,
    now: DateTime<Utc>,
) -> Result<TenantId, TenantError> {
    let TenantData { slug, name, login } = read(database, entered)?;
    let password_hash = password::hash(&entered.password)?;
    let tenant = TenantId::new();
    database.write_unlocked(&Scope::of_operator(tenant), |transaction| {
        tenant_insert(transaction, &slug, &name, TIME_ZONE, now.naive_utc())?;
        totals_edition_put(transaction, TOTALS_EDITION)?;
        for level in entered.levels.map(LevelPreset::levels).unwrap_or_default() {
            level_put(transaction, &level)?;
        }
        let id = AccountId::new();
        let account = Account {
            id,
            kind: AccountKind::Person,
            name: login.to_string(),
            login,
            telephone: None,
            password_hash: Some(password_hash),
            disabled_at: None,
            last_signed_in: None,
            rev: 0,
        };
        account_insert(transaction, &account, now.naive_utc())?;
        let grant = Grant {
            role: Role::TenantAdmin,
            reach: Reach::Tenant,
            days: Validity::ALWAYS,
        };
        grant_insert(transaction, id, &grant, 0)?;
        let items = [ChangeKind::TenantCreated, ChangeKind::AccountCreated]
            .map(|kind| ChangeItem::of_account(kind, id, None).by_operator());
        record(transaction, tenant, 0, now, &items)?;
        Ok::<_, TenantError>(())
    })?;
    Ok(tenant)
}

/// A tenant whose fields are all valid.
struct TenantData {
    slug: TenantSlug,
    name: String,
    login: Login,
}

fn read(database: &Database, entered: &EnteredTenant) -> Result<TenantData, TenantError> {
    let mut faults = Vec::new();
    let data = read_fields(entered, &mut faults);
    if let Some(TenantData { slug, .. }) = &data
        && tenant_by_slug(database, slug)?.is_some()
    {
        let message = message!("tenant-taken", slug);
        faults.push(Fault::in_parameter("slug", Code::CodeTaken, message));
    }
    match data {
        Some(data) if faults.is_empty() => Ok(data),
        _ => Err(TenantError::Invalid(faults)),
    }
}

/// Reads each field, whether or not others have faults.
fn read_fields(entered: &EnteredTenant, faults: &mut Vec<Fault>) -> Option<TenantData> {
    let slug = entered.slug.parse::<TenantSlug>().ok();
    if slug.is_none() {
        let message = message!("tenant-invalid-slug");
        faults.push(Fault::in_parameter("slug", Code::InvalidCode, message));
    }
    let name = read_name(&entered.name).map_err(|fault| {
        let message = fault.message();
        faults.push(Fault::in_parameter("name", Code::InvalidText, message));
    });
    let login = entered.admin.parse::<Login>().ok();
    if login.is_none() {
        faults.push(wrong_login(path!["admin"], &entered.admin));
    }
    check_password(&entered.password, &path!["password"], faults);
    let (slug, name, login) = (slug?, name.ok()?, login?);
    Some(TenantData { slug, name, login })
}

/// The number of tenants read at once.
const PAGE: i64 = 1000;

/// Lists all tenants, for an operator.
///
/// # Errors
/// [`TenantError`].
pub fn list_tenants(database: &Database) -> Result<Vec<RegisteredTenant>, TenantError> {
    let mut all: Vec<RegisteredTenant> = Vec::new();
    loop {
        let page = tenants(database, all.last().map(|last| &last.slug), PAGE)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Finds a tenant by its slug, for work from the command line.
///
/// # Errors
/// [`TenantError::NotFound`].
pub fn find_tenant(database: &Database, slug: &str) -> Result<Scope, TenantError> {
    let parsed = slug.parse::<TenantSlug>().ok();
    let found = match parsed {
        Some(parsed) => tenant_by_slug(database, &parsed)?,
        None => None,
    };
    let found = found.ok_or_else(|| TenantError::NotFound(slug.to_owned()))?;
    Ok(Scope::of_operator(found.id))
}

/// Reads the time zone in which a tenant's people read times, for work from the command line.
///
/// # Errors
/// Those of the store.
pub fn time_zone_of(application: &Application, scope: &Scope) -> Result<Tz, StoreError> {
    let database = &application.database;
    database.glance(scope, |_, counters| Ok(counters.time_zone))
}
