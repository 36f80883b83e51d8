//! The tenant as one request sees it: the hierarchy, the catalogue and the caller's grants, as of
//! its transaction. Each is cached until the tenant's row says that it has changed.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::authn::api_key::KeyHash;
use crate::authn::{Credential, Identity};
use crate::authz::{Access, Grant, Role};
use crate::domain::catalogue::Catalogue;
use crate::domain::form::FormPeriod;
use crate::domain::hierarchy::Hierarchy;
use crate::domain::id::{AccountId, FormNumber, SessionId, TenantId, UnitId};
use crate::domain::period::Period;
use crate::domain::respondents::Respondents;
use crate::domain::succession::Successions;
use crate::service::application::map_changes::MapChanges;
use crate::service::application::patience::Patience;
use crate::store::api_key::{self, KeptKey};
use crate::store::counters::Counters;
use crate::store::grant::KeptGrant;
use crate::store::reorganisation::{MapChange, PassedOn};
use crate::store::{
    StoreError, Transaction, account, form, grant, holiday, indicator, level, reorganisation,
    sign_in, subtree_reporting, unit,
};

/// A tenant as one transaction sees it.
pub struct Snapshot {
    pub counters: Counters,
    pub hierarchy: Arc<Hierarchy>,
    pub catalogue: Arc<Catalogue>,
    pub access: Access,
    map_changes: Arc<MapChanges>,
    /// The time limit of the work on it.
    pub(in crate::service) patience: Patience,
}

impl Snapshot {
    /// Returns the current day in the tenant's time zone.
    pub fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        self.counters.day_of(now)
    }

    /// Returns the units that are to submit for a period, on the map of its last day.
    pub(in crate::service) fn respondents<'s>(&self, period: &FormPeriod<'s>) -> Respondents<'s> {
        let tree = self.hierarchy.tree_on(period.closing_day());
        self.catalogue.respondents(period, tree)
    }

    /// The same, looked at for as long as this.
    pub(super) fn within(self, patience: Patience) -> Snapshot {
        Snapshot { patience, ..self }
    }

    /// Returns the reorganisations in force, each with the units that it touched.
    ///
    /// # Errors
    /// Those of the store.
    pub(in crate::service) fn map_changes(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<&[(MapChange, HashSet<UnitId>)], StoreError> {
        self.map_changes
            .read(transaction, self.hierarchy.successions())
    }

    /// Lists what the reorganisations in force moved of a form and period, in the order in which they
    /// did.
    ///
    /// # Errors
    /// Errors of the store.
    pub(in crate::service) fn passed_on(
        &self,
        transaction: &mut Transaction<'_>,
        form: FormNumber,
        period: Period,
    ) -> Result<Vec<PassedOn>, StoreError> {
        let changes = self.map_changes(transaction)?.iter();
        let mut changes: Vec<&MapChange> = changes.map(|(change, _)| change).collect();
        changes.sort_by_key(|change| change.rev);
        let moved = changes.into_iter().flat_map(|change| &change.passed_on);
        let moved = moved.filter(|one| (one.form, one.period) == (form, period));
        Ok(moved.copied().collect())
    }

    /// Returns the snapshot with the map that this transaction has written. It must not be cached
    /// before the commit.
    pub(in crate::service) fn with_written_map(
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
    /// Returns the snapshot with another map.
    pub(in crate::service) fn with_hierarchy(&self, hierarchy: Hierarchy) -> Snapshot {
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

/// The map and the catalogue of a tenant, by which entered values are read.
pub(in crate::service) struct Rules {
    pub edition: RulesEdition,
    pub hierarchy: Arc<Hierarchy>,
    pub catalogue: Arc<Catalogue>,
}

/// The revs that made a tenant's map and catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct RulesEdition {
    tree_rev: i64,
    catalogue_rev: i64,
}

impl From<Counters> for RulesEdition {
    fn from(counters: Counters) -> RulesEdition {
        RulesEdition {
            tree_rev: counters.tree_rev,
            catalogue_rev: counters.catalogue_rev,
        }
    }
}

/// The rights of a tenant's accounts, and the accounts and keys that serve.
pub(in crate::service) struct People {
    grants: HashMap<AccountId, Vec<Grant>>,
    /// The account of each grant on a unit, by the unit.
    holders: HashMap<UnitId, Vec<AccountId>>,
    disabled: HashSet<AccountId>,
    /// The keys that are not deleted, by their programs.
    keys: HashMap<AccountId, KeptKey>,
    programs: HashMap<KeyHash, AccountId>,
    time_zone: Tz,
}

impl People {
    fn load(transaction: &mut Transaction<'_>, time_zone: Tz) -> Result<People, StoreError> {
        let keys = api_key::keys(transaction)?;
        let programs = keys.iter().map(|key| (key.hash.clone(), key.account));
        let grants = grant::grants(transaction)?;
        Ok(People {
            holders: by_unit(&grants),
            grants: by_account(grants),
            disabled: account::disabled_accounts(transaction)?,
            programs: programs.collect(),
            keys: keys.into_iter().map(|key| (key.account, key)).collect(),
            time_zone,
        })
    }

    /// Returns the day of a time in the tenant's time zone.
    pub fn day_of(&self, time: DateTime<Utc>) -> NaiveDate {
        time.with_timezone(&self.time_zone).date_naive()
    }

    /// Returns all grants of an account, ended ones too.
    pub fn grants_of(&self, account: AccountId) -> &[Grant] {
        self.grants.get(&account).map_or(&[], Vec::as_slice)
    }

    /// Finds a program's key, unless its last day is over.
    pub fn key_of(&self, program: AccountId, today: NaiveDate) -> Option<&KeptKey> {
        let key = self.keys.get(&program);
        key.filter(|key| today <= key.last_day)
    }

    /// Returns the unit on whose subtree a key holds on a day, or held last: that of its grants, which
    /// follow reorganisations. A key that needs no grant has the unit for which it was made.
    pub fn unit_of_key(&self, key: &KeptKey, day: NaiveDate) -> Option<UnitId> {
        let grants = self.grants.get(&key.account).into_iter().flatten();
        let begun = grants.filter(|grant| grant.ever_holds() && grant.days.from <= day);
        let latest = begun.max_by_key(|grant| grant.days.from);
        latest.map_or(key.unit, Grant::unit)
    }

    /// Finds the key with a hash, unless its last day is over.
    pub fn key_with(&self, hash: &KeyHash, today: NaiveDate) -> Option<&KeptKey> {
        let program = self.programs.get(hash)?;
        self.key_of(*program, today)
    }

    /// Returns the accounts that have a role on this very unit today, with the role, unless they are
    /// disabled. Who has several grants there may come more than once.
    pub fn on_unit(
        &self,
        unit: UnitId,
        today: NaiveDate,
    ) -> impl Iterator<Item = (Role, AccountId)> {
        let holders = self.holders.get(&unit).into_iter().flatten();
        let enabled = holders.filter(|account| !self.disabled.contains(account));
        enabled.flat_map(move |account| {
            let grants = self.grants.get(account).into_iter().flatten();
            grants
                .filter(move |grant| grant.unit() == Some(unit) && grant.days.contains(today))
                .map(|grant| (grant.role, *account))
        })
    }

    fn serves(&self, identity: &Identity, today: NaiveDate) -> bool {
        let account = identity.account();
        !self.disabled.contains(&account)
            && match identity.credential() {
                Credential::Session(_) => true,
                Credential::Key => self.key_of(account, today).is_some(),
            }
    }
}

/// The cached state of all tenants.
#[derive(Default)]
pub(in crate::service) struct Caches {
    hierarchies: Cache<Hierarchy>,
    catalogues: Cache<Catalogue>,
    people: Cache<People>,
    /// The ended sessions of which a token may be valid yet.
    ended_sessions: Cache<HashSet<SessionId>>,
    map_changes: Cache<MapChanges>,
}

/// The latest known state of one part of each tenant.
struct Cache<T>(Mutex<HashMap<TenantId, Arc<CachedPart<T>>>>);

/// The latest known state of one part of one tenant.
struct CachedPart<T> {
    state: Mutex<PartState<T>>,
    /// Told whenever somebody has ended loading it.
    loading_ended: Condvar,
}

struct PartState<T> {
    /// With the rev that made it.
    known: Option<(i64, Arc<T>)>,
    loading: Loading,
}

/// Whether somebody loads a part, for whom the others wait: after a change many ask at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loading {
    Nobody,
    Somebody,
}

/// The longest wait for somebody else's loading. Whoever waits holds a connection.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

impl<T> Default for Cache<T> {
    fn default() -> Cache<T> {
        Cache(Mutex::default())
    }
}

impl<T> Default for CachedPart<T> {
    fn default() -> CachedPart<T> {
        CachedPart {
            state: Mutex::new(PartState {
                known: None,
                loading: Loading::Nobody,
            }),
            loading_ended: Condvar::new(),
        }
    }
}

impl<T> Cache<T> {
    fn get(
        &self,
        tenant: TenantId,
        rev: i64,
        load: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<Arc<T>, StoreError> {
        let part = lock(&self.0).entry(tenant).or_default().clone();
        let _turn = match part.wait_for(rev) {
            Awaited::Known(known) => return Ok(known),
            Awaited::Turn(turn) => Some(turn),
            Awaited::Nothing => None,
        };
        let loaded = Arc::new(load()?);
        part.keep(rev, &loaded);
        Ok(loaded)
    }

    /// Returns what is known of a tenant in the state of a rev.
    fn at(&self, tenant: TenantId, rev: i64) -> Option<Arc<T>> {
        let part = lock(&self.0).get(&tenant)?.clone();
        let state = lock(&part.state);
        state.at(rev)
    }

    /// Returns what is known of a tenant with the rev that made it, without asking whether it has
    /// changed since.
    fn latest(&self, tenant: TenantId) -> Option<(i64, Arc<T>)> {
        let part = lock(&self.0).get(&tenant)?.clone();
        let state = lock(&part.state);
        state.known.clone()
    }
}

/// The end of a wait for a part.
enum Awaited<'p, T> {
    Known(Arc<T>),
    /// The waiter is to load it, and the others wait for that.
    Turn(Turn<'p, T>),
    /// The waiter is to load it for itself: it has waited long enough, or needs an older state than
    /// the known one, which nobody keeps.
    Nothing,
}

/// The turn to load a part, until it is dropped.
struct Turn<'p, T>(&'p CachedPart<T>);

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        lock(&self.0.state).loading = Loading::Nobody;
        self.0.loading_ended.notify_all();
    }
}

impl<T> CachedPart<T> {
    fn wait_for(&self, rev: i64) -> Awaited<'_, T> {
        let is_waiting =
            |state: &mut PartState<T>| state.loading == Loading::Somebody && state.is_before(rev);
        let state = lock(&self.state);
        let ended = &self.loading_ended;
        let waited = ended.wait_timeout_while(state, LONGEST_WAIT, is_waiting);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = state.at(rev) {
            return Awaited::Known(known);
        }
        if state.loading == Loading::Somebody || !state.is_before(rev) {
            return Awaited::Nothing;
        }
        state.loading = Loading::Somebody;
        Awaited::Turn(Turn(self))
    }

    /// Keeps a state. A reader with an older snapshot must not replace the newer one.
    fn keep(&self, rev: i64, loaded: &Arc<T>) {
        let mut state = lock(&self.state);
        if state.is_before(rev) {
            state.known = Some((rev, loaded.clone()));
        }
    }
}

impl<T> PartState<T> {
    fn at(&self, rev: i64) -> Option<Arc<T>> {
        let known = self.known.as_ref().filter(|(known, _)| *known == rev);
        known.map(|(_, value)| value.clone())
    }

    /// Returns true if what is known is older than a rev.
    fn is_before(&self, rev: i64) -> bool {
        self.known.as_ref().is_none_or(|(known, _)| *known < rev)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Caches {
    /// Takes the snapshot of a transaction that has written nothing but the tenant's row, and
    /// caches what it loads.
    pub(in crate::service) fn snapshot(
        &self,
        transaction: &mut Transaction<'_>,
        identity: &Identity,
        counters: Counters,
    ) -> Result<Snapshot, StoreError> {
        let access = self.access_in(transaction, identity, counters)?;
        self.snapshot_with(transaction, identity.tenant(), access, counters)
    }

    pub(super) fn access_in(
        &self,
        transaction: &mut Transaction<'_>,
        identity: &Identity,
        counters: Counters,
    ) -> Result<Access, StoreError> {
        let people = self.people_in(transaction, identity.tenant(), counters)?;
        let today = counters.day_of(identity.seen());
        if !people.serves(identity, today) || self.has_ended(transaction, identity, counters)? {
            return Err(StoreError::SignedOut);
        }
        let own = people.grants_of(identity.account());
        Ok(Access::new(identity, own, today))
    }

    /// Returns true if the caller's session was ended.
    fn has_ended(
        &self,
        transaction: &mut Transaction<'_>,
        identity: &Identity,
        counters: Counters,
    ) -> Result<bool, StoreError> {
        let Credential::Session(session) = identity.credential() else {
            return Ok(false);
        };
        let (tenant, rev) = (identity.tenant(), counters.sessions_rev);
        let load = || sign_in::ended_sessions(transaction);
        let ended = self.ended_sessions.get(tenant, rev, load)?;
        Ok(ended.contains(&session))
    }

    /// Returns a tenant's people as they were read last, if they were.
    pub(in crate::service) fn latest_people(&self, tenant: TenantId) -> Option<Arc<People>> {
        self.people.latest(tenant).map(|(_, people)| people)
    }

    /// Returns a tenant's map and catalogue as they were read last, if they were.
    pub(in crate::service) fn latest_rules(&self, tenant: TenantId) -> Option<Rules> {
        let (tree_rev, hierarchy) = self.hierarchies.latest(tenant)?;
        let (catalogue_rev, catalogue) = self.catalogues.latest(tenant)?;
        Some(Rules {
            edition: RulesEdition {
                tree_rev,
                catalogue_rev,
            },
            hierarchy,
            catalogue,
        })
    }

    /// Returns a tenant's people if they are cached in the state of these counters.
    pub(in crate::service) fn cached_people(
        &self,
        tenant: TenantId,
        counters: Counters,
    ) -> Option<Arc<People>> {
        self.people.at(tenant, counters.grants_rev)
    }

    pub(in crate::service) fn people_in(
        &self,
        transaction: &mut Transaction<'_>,
        tenant: TenantId,
        counters: Counters,
    ) -> Result<Arc<People>, StoreError> {
        let load = || People::load(transaction, counters.time_zone);
        self.people.get(tenant, counters.grants_rev, load)
    }

    pub(super) fn snapshot_with(
        &self,
        transaction: &mut Transaction<'_>,
        tenant: TenantId,
        access: Access,
        counters: Counters,
    ) -> Result<Snapshot, StoreError> {
        let hierarchy = self
            .hierarchies
            .get(tenant, counters.tree_rev, || load_hierarchy(transaction))?;
        let catalogue = self.catalogues.get(tenant, counters.catalogue_rev, || {
            let indicators = indicator::indicators(transaction)?;
            let catalogue = Catalogue::new(indicators, form::forms(transaction)?);
            let catalogue = catalogue.with_holidays(holiday::holidays(transaction)?);
            let reportings = subtree_reporting::subtree_reportings(transaction)?;
            Ok(catalogue.with_subtree_reportings(reportings))
        })?;
        // Read only by requests that look across maps.
        let map_changes = self
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
}

/// Loads all levels, units and successions of a tenant.
pub(in crate::service) fn load_hierarchy(
    transaction: &mut Transaction<'_>,
) -> Result<Hierarchy, StoreError> {
    Ok(Hierarchy::new(
        level::levels(transaction)?,
        unit::unit_facts(transaction)?,
        Successions::new(reorganisation::successions(transaction)?),
    ))
}

fn by_unit(grants: &[KeptGrant]) -> HashMap<UnitId, Vec<AccountId>> {
    let mut holders: HashMap<UnitId, Vec<AccountId>> = HashMap::new();
    for kept in grants {
        if let Some(unit) = kept.grant.unit() {
            holders.entry(unit).or_default().push(kept.account);
        }
    }
    holders
}

fn by_account(grants: Vec<KeptGrant>) -> HashMap<AccountId, Vec<Grant>> {
    let mut collected: HashMap<AccountId, Vec<Grant>> = HashMap::new();
    for KeptGrant { account, grant, .. } in grants {
        collected.entry(account).or_default().push(grant);
    }
    collected
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;
    use std::thread::scope;
    use std::time::Instant;

    use super::*;

    #[test]
    fn many_that_ask_at_once_load_once() {
        let (cache, tenant) = (Cache::<i64>::default(), TenantId::new());
        let (loads, ready) = (AtomicUsize::new(0), Barrier::new(8));
        scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    ready.wait();
                    let load = || {
                        loads.fetch_add(1, Ordering::Relaxed);
                        Ok(7)
                    };
                    assert_eq!(*cache.get(tenant, 1, load).unwrap(), 7);
                });
            }
        });
        assert_eq!(loads.into_inner(), 1);
    }

    #[test]
    fn nobody_waits_long_for_a_slow_loader_and_nobody_with_an_older_rev_waits() {
        let (cache, tenant) = (Cache::<i64>::default(), TenantId::new());
        let get = |rev| *cache.get(tenant, rev, || Ok(rev)).unwrap();
        get(5);
        let (began, has_begun) = channel();
        let (release, released) = channel::<()>();
        scope(|threads| {
            let cache = &cache;
            threads.spawn(move || {
                let load = || {
                    began.send(()).unwrap();
                    released.recv().unwrap();
                    Ok(6)
                };
                cache.get(tenant, 6, load).unwrap();
            });
            has_begun.recv().unwrap();
            let at = Instant::now();
            assert_eq!((get(4), get(5)), (4, 5));
            assert!(at.elapsed() < LONGEST_WAIT);
            assert_eq!(get(6), 6);
            assert!(at.elapsed() >= LONGEST_WAIT);
            release.send(()).unwrap();
        });
    }

    #[test]
    fn after_a_failure_the_next_one_loads() {
        let (cache, tenant) = (Cache::<i64>::default(), TenantId::new());
        let failed = cache.get(tenant, 1, || Err(StoreError::TenantGone));
        assert!(failed.is_err());
        assert_eq!(*cache.get(tenant, 1, || Ok(7)).unwrap(), 7);
    }
}
