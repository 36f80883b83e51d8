//! What a request sees of its tenant: the hierarchy, the catalogue and the caller's grants, as of
//! its transaction. Each is remembered as long as the tenant's row says that it has not changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};

use super::application::Application;
use super::idempotency::{Delivery, Reply};
use super::map::MapChanges;
use super::patience::{Caller, Patience};
use super::turn::Reader;
use crate::authn::Identity;
use crate::authz::{Access, Grant, Scope};
use crate::domain::catalogue::Catalogue;
use crate::domain::hierarchy::Hierarchy;
use crate::domain::id::{AccountId, TenantId};
use crate::domain::succession::Successions;
use crate::store::grant::KeptGrant;
use crate::store::tenant::Counters;
use crate::store::{StoreError, Transaction, form, grant, indicator, level, reorganisation, unit};

/// A tenant as one transaction sees it.
pub struct Snapshot {
    pub counters: Counters,
    pub hierarchy: Arc<Hierarchy>,
    pub catalogue: Arc<Catalogue>,
    pub access: Access,
    pub(super) map_changes: Arc<MapChanges>,
    /// For how long it is looked at.
    pub(super) patience: Patience,
}

impl Snapshot {
    /// The day that it is where the tenant is.
    pub fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        now.with_timezone(&self.counters.time_zone).date_naive()
    }

    /// The same with the map as this transaction has written it. Nobody else may remember it
    /// before the commit.
    pub(super) fn with_written_map(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Snapshot, StoreError> {
        Ok(Snapshot {
            counters: Counters {
                tree_rev: self.counters.rev,
                ..self.counters
            },
            hierarchy: Arc::new(load_hierarchy(transaction)?),
            catalogue: self.catalogue.clone(),
            access: self.access.clone(),
            map_changes: Arc::default(),
            patience: self.patience.clone(),
        })
    }
}

impl Snapshot {
    /// The same with another map.
    pub(super) fn with_hierarchy(&self, hierarchy: Hierarchy) -> Snapshot {
        Snapshot {
            counters: self.counters,
            hierarchy: Arc::new(hierarchy),
            catalogue: self.catalogue.clone(),
            access: self.access.clone(),
            map_changes: self.map_changes.clone(),
            patience: self.patience.clone(),
        }
    }
}

type Grants = HashMap<AccountId, Arc<[Grant]>>;

/// What is remembered of tenants between requests.
#[derive(Default)]
pub(super) struct Caches {
    hierarchies: Cache<Hierarchy>,
    catalogues: Cache<Catalogue>,
    grants: Cache<Grants>,
    map_changes: Cache<MapChanges>,
}

/// The latest known state of something of each tenant, with the rev that made it.
struct Cache<T>(Mutex<HashMap<TenantId, (i64, Arc<T>)>>);

impl<T> Default for Cache<T> {
    fn default() -> Cache<T> {
        Cache(Mutex::default())
    }
}

impl<T> Cache<T> {
    fn get(
        &self,
        tenant: TenantId,
        rev: i64,
        load: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<Arc<T>, StoreError> {
        if let Some((known, value)) = self.lock().get(&tenant)
            && *known == rev
        {
            return Ok(value.clone());
        }
        let loaded = Arc::new(load()?);
        let mut all = self.lock();
        // A reader with an older snapshot must not take the newer state from the others.
        if all.get(&tenant).is_none_or(|(known, _)| *known < rev) {
            all.insert(tenant, (rev, loaded.clone()));
        }
        Ok(loaded)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, (i64, Arc<T>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Application {
    /// The snapshot of a transaction that has not written anything but the tenant's row yet:
    /// what it loads, it remembers for others.
    pub(super) fn snapshot(
        &self,
        transaction: &mut Transaction<'_>,
        identity: &Identity,
        counters: Counters,
    ) -> Result<Snapshot, StoreError> {
        let access = self.access_in(transaction, identity, counters)?;
        self.snapshot_with(transaction, identity.tenant(), access, counters)
    }

    fn access_in(
        &self,
        transaction: &mut Transaction<'_>,
        identity: &Identity,
        counters: Counters,
    ) -> Result<Access, StoreError> {
        let tenant = identity.tenant();
        let grants = self.caches.grants.get(tenant, counters.grants_rev, || {
            Ok(by_account(grant::grants(transaction)?))
        })?;
        let own = grants.get(&identity.account()).cloned().unwrap_or_default();
        Ok(Access::new(identity, own))
    }

    /// What somebody may do. It takes no turn: whoever writes does not wait until others have read.
    pub(super) fn access(&self, identity: &Identity) -> Result<Access, StoreError> {
        self.database
            .glance(&Scope::of(identity), |transaction, counters| {
                self.access_in(transaction, identity, counters)
            })
    }

    fn snapshot_with(
        &self,
        transaction: &mut Transaction<'_>,
        tenant: TenantId,
        access: Access,
        counters: Counters,
    ) -> Result<Snapshot, StoreError> {
        let hierarchy = self
            .caches
            .hierarchies
            .get(tenant, counters.tree_rev, || load_hierarchy(transaction))?;
        let catalogue = self
            .caches
            .catalogues
            .get(tenant, counters.catalogue_rev, || {
                Ok(Catalogue::new(
                    indicator::indicators(transaction)?,
                    form::forms(transaction)?,
                ))
            })?;
        // Only who looks across maps reads them.
        let map_changes = self
            .caches
            .map_changes
            .get(tenant, counters.tree_rev, || Ok(MapChanges::default()))?;
        Ok(Snapshot {
            counters,
            hierarchy,
            catalogue,
            access,
            map_changes,
            patience: Patience::default(),
        })
    }

    /// Runs a use case that only reads, on one snapshot. Where somebody waits for it, it has its
    /// turn and its time.
    pub(super) fn reading<T, E: From<StoreError>>(
        &self,
        identity: &Identity,
        work: impl FnOnce(&mut Transaction<'_>, &Snapshot) -> Result<T, E>,
    ) -> Result<T, E> {
        let caller = Caller::current();
        let reader = Reader::of(identity);
        let turn = caller
            .as_ref()
            .map(|caller| self.turns.take(reader, caller));
        let _turn = turn.transpose()?;
        let patience = caller.map(|caller| Patience::of(caller, self.read_time));
        self.database
            .read(&Scope::of(identity), |transaction, counters| {
                let snapshot = self.snapshot(transaction, identity, counters)?;
                let snapshot = Snapshot {
                    patience: patience.unwrap_or_default(),
                    ..snapshot
                };
                work(transaction, &snapshot)
            })
    }

    /// Looks into a tenant for the operator, beside the database, on one snapshot.
    pub(super) fn inspecting<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>, &Snapshot) -> Result<T, E>,
    ) -> Result<T, E> {
        self.database.read(scope, |transaction, counters| {
            let tenant = scope.tenant();
            let snapshot =
                self.snapshot_with(transaction, tenant, Access::of_operator(), counters)?;
            work(transaction, &snapshot)
        })
    }

    /// Writes to a tenant for the operator, beside the API, alone among the tenant's writes.
    pub(super) fn maintaining<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>, &Snapshot) -> Result<T, E>,
    ) -> Result<T, E> {
        self.database.write(scope, |transaction, counters| {
            let tenant = scope.tenant();
            let snapshot =
                self.snapshot_with(transaction, tenant, Access::of_operator(), counters)?;
            work(transaction, &snapshot)
        })
    }

    /// Runs a use case that writes, alone among the tenant's writes. Where it only answers again
    /// there is nothing to commit, and the rev that it would have had is the next one's.
    pub(super) fn writing<E: From<StoreError>>(
        &self,
        identity: &Identity,
        work: impl FnOnce(&mut Transaction<'_>, &Snapshot) -> Result<Reply, E>,
    ) -> Result<Reply, E> {
        let written = self
            .database
            .write(&Scope::of(identity), |transaction, counters| {
                let snapshot = self.snapshot(transaction, identity, counters)?;
                let reply = work(transaction, &snapshot).map_err(Unwritten::Failed)?;
                match reply.delivery {
                    Delivery::First => Ok(reply),
                    Delivery::Replayed => Err(Unwritten::Replayed(reply)),
                }
            });
        match written {
            Ok(reply) | Err(Unwritten::Replayed(reply)) => Ok(reply),
            Err(Unwritten::Failed(error)) => Err(error),
        }
    }
}

/// Why a use case has written nothing.
enum Unwritten<E> {
    Replayed(Reply),
    Failed(E),
}

impl<E: From<StoreError>> From<StoreError> for Unwritten<E> {
    fn from(error: StoreError) -> Unwritten<E> {
        Unwritten::Failed(error.into())
    }
}

/// All that is known of a tenant's levels and units.
pub(super) fn load_hierarchy(transaction: &mut Transaction<'_>) -> Result<Hierarchy, StoreError> {
    Ok(Hierarchy::new(
        level::levels(transaction)?,
        unit::unit_facts(transaction)?,
        Successions::new(reorganisation::successions(transaction)?),
    ))
}

fn by_account(grants: Vec<KeptGrant>) -> Grants {
    let mut collected: HashMap<AccountId, Vec<Grant>> = HashMap::new();
    for KeptGrant { account, grant, .. } in grants {
        collected.entry(account).or_default().push(grant);
    }
    collected
        .into_iter()
        .map(|(account, grants)| (account, grants.into()))
        .collect()
}
