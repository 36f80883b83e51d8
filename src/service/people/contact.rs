//! The people to call about a unit: those with a duty on that very unit today, for callers who may
//! read the unit as it lies today. A right on a map of the past tells no names of the present.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use serde::Serialize;

use crate::authz::{Action, Role};
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
    let units = [unit];
    let mut found = contacts_of_units(application, transaction, snapshot, (tenant, &units), today)?;
    Ok(found.remove(&unit).unwrap_or_default())
}

/// Lists the people to call about each of some units, with the unit on which they have their duty: the
/// unit itself, or the nearest above that has anybody. Units without any are absent.
pub(in crate::service) fn nearest_contacts(
    application: &Application,
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    (tenant, units): (TenantId, &[UnitId]),
    today: NaiveDate,
) -> Result<HashMap<UnitId, (UnitId, Vec<ContactView>)>, StoreError> {
    let tree = snapshot.hierarchy.tree_on(today);
    let line = |unit: &UnitId| {
        let place = tree.by_id(*unit);
        std::iter::successors(place, |place| place.parent()).map(|place| place.unit())
    };
    let asked: BTreeSet<UnitId> = units.iter().flat_map(line).collect();
    let asked: Vec<UnitId> = asked.into_iter().collect();
    let found = contacts_of_units(application, transaction, snapshot, (tenant, &asked), today)?;
    let nearest = units.iter().filter_map(|unit| {
        let of = line(unit).find(|above| found.contains_key(above))?;
        Some((*unit, (of, found.get(&of)?.clone())))
    });
    Ok(nearest.collect())
}

/// Lists the people with a duty on each of some units today, by role and name. Units without any are
/// absent, and those that the caller may not read today.
fn contacts_of_units(
    application: &Application,
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    (tenant, units): (TenantId, &[UnitId]),
    today: NaiveDate,
) -> Result<HashMap<UnitId, Vec<ContactView>>, StoreError> {
    let caches = &application.caches;
    let people = caches.people_in(transaction, tenant, snapshot.counters)?;
    let tree = snapshot.hierarchy.tree_on(today);
    let may_read = |unit: &&UnitId| {
        let place = tree.by_id(**unit);
        place.is_some_and(|place| {
            let read = snapshot.access.to_unit(Action::ReadUnits, &tree, place);
            read.is_ok()
        })
    };
    let mut duties: Vec<(UnitId, Role, AccountId)> = units
        .iter()
        .filter(may_read)
        .flat_map(|unit| {
            let on_unit = people.on_unit(*unit, today);
            on_unit.map(|(role, account)| (*unit, role, account))
        })
        .filter(|(_, role, _)| is_duty(*role))
        .collect();
    duties.sort_unstable();
    duties.dedup();
    let ids: BTreeSet<AccountId> = duties.iter().map(|(.., account)| *account).collect();
    let ids: Vec<AccountId> = ids.into_iter().collect();
    let accounts = accounts_by_ids(transaction, &ids)?;
    let mut found: HashMap<UnitId, Vec<ContactView>> = HashMap::new();
    for (unit, role, id) in duties {
        let account = accounts.get(&id);
        let person = account.filter(|account| account.kind == AccountKind::Person);
        if let Some(account) = person {
            found.entry(unit).or_default().push(ContactView {
                name: account.name.clone(),
                telephone: account.telephone.clone(),
                role,
            });
        }
    }
    for contacts in found.values_mut() {
        contacts.sort_by_cached_key(|contact| (contact.role, folded(&contact.name)));
        contacts.truncate(MOST_CONTACTS);
    }
    Ok(found)
}

/// Returns true for the roles of those whom one calls about a unit.
pub(super) fn is_duty(role: Role) -> bool {
    match role {
        Role::Reporter | Role::Approver | Role::UnitAdmin => true,
        Role::Viewer | Role::TenantAdmin => false,
    }
}
