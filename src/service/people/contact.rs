//! The people to call about a unit: those with a duty on that very unit today. Whoever may read the
//! unit may see them; whether the caller may is asked before.

use chrono::NaiveDate;
use serde::Serialize;

use crate::authz::Role;
use crate::domain::id::{AccountId, TenantId, UnitId};
use crate::domain::text::folded;
use crate::service::application::Application;
use crate::service::application::snapshot::Snapshot;
use crate::store::account::{AccountKind, accounts_by_ids};
use crate::store::{StoreError, Transaction};

/// The most people that a unit names.
const MOST_CONTACTS: usize = 100;

/// A person to call about a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ContactView {
    #[schema(example = "Ấp Tân Hòa A")]
    pub name: String,
    #[schema(example = "0912 345 678")]
    pub telephone: Option<String>,
    /// `reporter`, `approver` or `unit_admin`.
    pub role: Role,
}

/// Lists the people with a duty on a unit today, by role and name.
pub(in crate::service) fn contacts_of(
    application: &Application,
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    (tenant, unit): (TenantId, UnitId),
    today: NaiveDate,
) -> Result<Vec<ContactView>, StoreError> {
    let caches = &application.caches;
    let people = caches.people_in(transaction, tenant, snapshot.counters)?;
    let mut duties: Vec<(Role, AccountId)> = people
        .on_unit(unit, today)
        .filter(|(role, _)| is_duty(*role))
        .collect();
    duties.sort_unstable();
    duties.dedup();
    let ids: Vec<AccountId> = duties.iter().map(|(_, account)| *account).collect();
    let accounts = accounts_by_ids(transaction, &ids)?;
    let mut contacts: Vec<ContactView> = duties
        .into_iter()
        .filter_map(|(role, id)| Some((role, accounts.get(&id)?)))
        .filter(|(_, account)| account.kind == AccountKind::Person)
        .map(|(role, account)| ContactView {
            name: account.name.clone(),
            telephone: account.telephone.clone(),
            role,
        })
        .collect();
    contacts.sort_by_cached_key(|contact| (contact.role, folded(&contact.name)));
    contacts.truncate(MOST_CONTACTS);
    Ok(contacts)
}

/// Returns true for the roles of those whom one calls about a unit.
pub(super) fn is_duty(role: Role) -> bool {
    match role {
        Role::Reporter | Role::Approver | Role::UnitAdmin => true,
        Role::Viewer | Role::TenantAdmin => false,
    }
}
