//! Reorganisations (sắp xếp đơn vị hành chính): previews a document, carries it out, and lists
//! earlier ones. `undo` takes one back; `work` moves submissions, targets and grants, `extension` more time.

mod extension;
mod forecast;
mod preview;
mod undo;
mod work;

use crate::locale::{Count, Quoted};
use crate::service::application::name::UnitName;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::{Action, Denied, Permit};
use crate::domain::hierarchy::Tree;
use crate::domain::id::{AccountId, ReorganisationId, UnitId};
use crate::domain::level::Level;
use crate::domain::plan::{Plan, Planning, plan};
use crate::domain::reorganisation::{Reorganisation, ReorganisationDocument};
use crate::domain::succession::Succession;
use crate::domain::unit::{UnitFact, Validity};
use crate::error::{Code, Explain, Explanation, FaultList, Message};
use crate::message;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::condition::{ConditionError, State};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Outcome, Reply};
use crate::service::application::page::{Page, PageRequest, UnknownCursor};
use crate::service::application::snapshot::Snapshot;
use crate::service::application::watcher::{Phase, Watcher};
use crate::service::people::account_name::{AccountNames, NameReader};
use crate::service::totals::rebuild_since;
use crate::store::level::level_put;
use crate::store::reorganisation::{
    Changes, NewReorganisation, Reorganised, UnitCounts, reorganisation_content,
    reorganisation_get, reorganisation_insert, reorganisations, successions_insert, successions_of,
};
use crate::store::tenant::{Part, mark_changed};
use crate::store::unit::{facts_close, facts_delete, facts_insert, units_insert};
use crate::store::{StoreError, Transaction};

pub use forecast::{FormForecast, TotalForecast, UnitForecast};
pub use preview::{FaultView, GrantFate, ReorganisationPreview, UnitsView};
pub use undo::undo_reorganisation;

/// The errors of use cases on reorganisations.
#[derive(Debug, thiserror::Error)]
pub enum ReorganisationError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Condition(#[from] ConditionError),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Cursor(#[from] UnknownCursor),
    #[error("no reorganisation {0}")]
    NotFound(String),
    #[error("faults: {}", .0.count)]
    Invalid(FaultList),
    #[error("it was taken back already")]
    Undone,
    /// A later change depends on the new map.
    #[error("built on: {}", .0.en)]
    BuiltOn(Message),
}

impl Explain for ReorganisationError {
    fn explain(&self) -> Explanation {
        match self {
            ReorganisationError::Denied(held) => held.explain(),
            ReorganisationError::Condition(held) => held.explain(),
            ReorganisationError::Idempotency(held) => held.explain(),
            ReorganisationError::Store(held) => held.explain(),
            ReorganisationError::Cursor(held) => held.explain(),
            ReorganisationError::NotFound(id) => Explanation::new(
                Code::ReorganisationNotFound,
                message!("reorganisation-not-found", id = Quoted(&id)),
            ),
            ReorganisationError::Undone => Explanation::new(
                Code::ReorganisationUndone,
                message!("reorganisation-undone"),
            ),
            ReorganisationError::BuiltOn(reason) => {
                Explanation::new(Code::ReorganisationBuiltOn, reason.clone())
            }
            ReorganisationError::Invalid(faults) => {
                let count = faults.count;
                let message = message!("reorganisation-invalid", count = Count(count));
                Explanation::new(Code::InvalidReorganisation, message)
                    .with_faults(faults.faults.clone())
            }
        }
    }
}

/// A reorganisation, without its document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReorganisationView {
    pub id: String,
    /// The first day of the new map.
    pub effective: NaiveDate,
    #[schema(example = "Nghị quyết 1654/NQ-UBTVQH15")]
    pub legal_basis: String,
    /// The number of new units.
    pub created: usize,
    /// The number of units that exist before and after and have changed.
    pub changed: usize,
    /// The number of units that ended.
    pub ended: usize,
    /// The login of the account that entered it; empty for a program, unless it is its own.
    pub by: String,
    pub at: DateTime<Utc>,
    pub rev: i64,
    /// The time of its undoing; null while it is in force.
    pub undone_at: Option<DateTime<Utc>>,
    pub undone_rev: Option<i64>,
}

impl ReorganisationView {
    fn of(
        reorganised: &Reorganised,
        authors: &AccountNames,
    ) -> Result<ReorganisationView, StoreError> {
        let undone = reorganised.undone.as_ref();
        Ok(ReorganisationView {
            id: reorganised.id.to_string(),
            effective: reorganised.effective,
            legal_basis: reorganised.legal_basis.clone(),
            created: reorganised.counts.created,
            changed: reorganised.counts.changed,
            ended: reorganised.counts.ended,
            by: authors.name(reorganised.by)?.login,
            at: reorganised.entered_at.and_utc(),
            rev: reorganised.rev,
            undone_at: undone.map(|undone| undone.at.and_utc()),
            undone_rev: undone.map(|undone| undone.rev),
        })
    }
}

fn state_of(reorganised: &Reorganised) -> State {
    let undone = reorganised.undone.as_ref();
    State::numbered(undone.map_or(reorganised.rev, |undone| undone.rev))
}

/// A reorganisation with its document and its successions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReorganisationDetail {
    pub reorganisation: ReorganisationView,
    /// The document as sent, with defaults filled in: a valid body of `create_reorganisation`.
    pub document: ReorganisationDocument,
    /// The successions, in the order of the document; empty once it is undone.
    pub successions: Vec<SuccessionView>,
}

/// A unit's succession by another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SuccessionView {
    /// The unit as it was the day before.
    pub from: UnitName,
    /// The unit as it is from the effective day on.
    pub to: UnitName,
    /// A fraction; null if it is unknown.
    #[schema(example = "7/10")]
    pub share: Option<String>,
}

/// Previews a reorganisation and reports progress to `watcher`.
///
/// # Errors
/// [`ReorganisationError`]. Faults of the document are part of the preview instead.
pub fn preview_reorganisation(
    application: &Application,
    identity: &Identity,
    document: &ReorganisationDocument,
    watcher: &dyn Watcher,
) -> Result<ReorganisationPreview, ReorganisationError> {
    application.reading(identity, |transaction, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::Reorganise)?;
        let today = snapshot.today(identity.seen());
        let names = NameReader::of(application, transaction, identity, snapshot)?;
        let named = (&names, today);
        let preview = ReorganisationPreview::of(transaction, snapshot, document, named, watcher)?;
        Ok(preview)
    })
}

/// Carries out a reorganisation, and reports progress to `watcher`.
///
/// # Errors
/// [`ReorganisationError`], with every fault of the document.
pub fn create_reorganisation(
    application: &Application,
    call: &Call,
    document: &ReorganisationDocument,
    watcher: &dyn Watcher,
) -> Result<Reply, ReorganisationError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let permit = snapshot.access.to_tenant(Action::Reorganise)?;
        change.once(permit, |transaction, permit| {
            let reorganisation = document
                .read()
                .map_err(|faults| ReorganisationError::Invalid(faults.into()))?;
            let rev = snapshot.counters.rev;
            let Planning { plan, faults } = plan(&snapshot.hierarchy, &reorganisation, rev);
            if !faults.is_empty() {
                return Err(ReorganisationError::Invalid(faults.into()));
            }
            let work = ReorganisationWork {
                snapshot,
                reorganisation: &reorganisation,
                plan: &plan,
                permit,
                names: NameReader::of(application, transaction, &call.identity, snapshot)?,
                now: call.now,
                watcher,
                transaction,
            };
            work.carry_out(document)
        })
    })
}

/// A reorganisation in progress.
struct ReorganisationWork<'w, 'c> {
    transaction: &'w mut Transaction<'c>,
    snapshot: &'w Snapshot,
    reorganisation: &'w Reorganisation,
    plan: &'w Plan,
    permit: &'w Permit,
    names: NameReader<'w>,
    now: DateTime<Utc>,
    watcher: &'w dyn Watcher,
}

impl ReorganisationWork<'_, '_> {
    fn carry_out(
        mut self,
        document: &ReorganisationDocument,
    ) -> Result<Written, ReorganisationError> {
        let rev = self.snapshot.counters.rev;
        let id = ReorganisationId::new();
        self.change_map()?;
        let plan = self.plan;
        let changes = Changes {
            opened: units_of(&plan.opened),
            closed: units_of(&plan.closed),
            replaced: plan.replaced.clone(),
            ended_levels: plan.ended_levels.clone(),
            grants: self.follow_with_grants()?,
            passed_on: self.take_over_work()?,
        };
        let noting = self.noting();
        self.pass_extensions_on(&noting)?;
        let counts = UnitCounts {
            created: plan.created().count(),
            changed: plan.changed().count(),
            ended: plan.ended().count(),
        };
        let new = NewReorganisation {
            id,
            effective: plan.effective,
            legal_basis: &self.reorganisation.legal_basis,
            document,
            changes: &changes,
            counts,
            account: self.permit.account(),
            entered_at: self.now.naive_utc(),
            rev,
        };
        reorganisation_insert(self.transaction, &new)?;
        successions_insert(self.transaction, id, &plan.successions)?;
        if !changes.grants.is_empty() {
            mark_changed(self.transaction, Part::Grants, rev)?;
        }
        mark_map_changed(
            self.transaction,
            self.snapshot,
            plan.effective,
            self.watcher,
        )?;
        let written = found(self.transaction, &id.to_string())?;
        let authors = self.names.read(self.transaction, &[written.by])?;
        let view = ReorganisationView::of(&written, &authors)?;
        let outcome = Outcome::Created(format!("/v1/reorganisations/{id}"));
        let reply = Reply::of_state(outcome, &state_of(&written), &view)?;
        let item = ChangeItem {
            day: Some(plan.effective),
            reorganisation: Some(id.to_string()),
            ..ChangeItem::new(ChangeKind::ReorganisationMade)
        };
        Ok(Written::new(reply, [item]))
    }

    fn change_map(&mut self) -> Result<(), StoreError> {
        let (plan, rev) = (self.plan, self.snapshot.counters.rev);
        let created: Vec<UnitId> = plan.created().map(|fact| fact.unit).collect();
        self.watcher.begin(Phase::Map, 4);
        units_insert(self.transaction, &created, rev)?;
        self.watcher.advance(1);
        facts_close(self.transaction, &units_of(&plan.closed), plan.eve)?;
        self.watcher.advance(1);
        facts_delete(self.transaction, &units_of(&plan.replaced), plan.effective)?;
        self.watcher.advance(1);
        facts_insert(self.transaction, &plan.opened, rev)?;
        self.watcher.advance(1);
        for level in &plan.ended_levels {
            let ended = Level {
                validity: Validity {
                    to: Some(plan.eve),
                    ..level.validity
                },
                ..level.clone()
            };
            level_put(self.transaction, &ended)?;
        }
        Ok(())
    }
}

fn units_of(facts: &[UnitFact]) -> Vec<UnitId> {
    facts.iter().map(|fact| fact.unit).collect()
}

/// Marks the map as changed, and rebuilds the totals that depend on it.
fn mark_map_changed(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    effective: NaiveDate,
    watcher: &dyn Watcher,
) -> Result<(), StoreError> {
    let rev = snapshot.counters.rev;
    mark_changed(transaction, Part::Tree, rev)?;
    let after = snapshot.with_written_map(transaction)?;
    rebuild_since(transaction, &after, effective, rev, watcher)
}

fn found(transaction: &mut Transaction<'_>, id: &str) -> Result<Reorganised, ReorganisationError> {
    let not_found = || ReorganisationError::NotFound(id.to_owned());
    let parsed = id.parse().map_err(|_| not_found())?;
    reorganisation_get(transaction, parsed)?.ok_or_else(not_found)
}

/// Lists all reorganisations, undone ones included, the latest effective day first.
///
/// # Errors
/// [`ReorganisationError`].
pub fn list_reorganisations(
    application: &Application,
    identity: &Identity,
    page: &PageRequest,
) -> Result<Page<ReorganisationView>, ReorganisationError> {
    application.reading(identity, |transaction, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::Reorganise)?;
        let all = reorganisations(transaction)?;
        let authors: Vec<AccountId> = all.iter().map(|one| one.by).collect();
        let names = NameReader::of(application, transaction, identity, snapshot)?;
        let authors = names.read(transaction, &authors)?;
        let views = all.iter().map(|one| ReorganisationView::of(one, &authors));
        let views = views.collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Page::of(views, page, |view| view.id.clone())?)
    })
}

/// Reads a reorganisation with its document.
///
/// # Errors
/// [`ReorganisationError`].
pub fn get_reorganisation(
    application: &Application,
    identity: &Identity,
    id: &str,
) -> Result<(State, ReorganisationDetail), ReorganisationError> {
    application.reading(identity, |transaction, snapshot| {
        let _permit = snapshot.access.to_tenant(Action::Reorganise)?;
        let reorganised = found(transaction, id)?;
        let (document, _) = reorganisation_content(transaction, reorganised.id)?;
        let successions = successions_of(transaction, reorganised.id)?;
        let names = NameReader::of(application, transaction, identity, snapshot)?;
        let authors = names.read(transaction, &[reorganised.by])?;
        let detail = ReorganisationDetail {
            successions: succession_views(snapshot, &reorganised, &successions),
            reorganisation: ReorganisationView::of(&reorganised, &authors)?,
            document,
        };
        Ok((state_of(&reorganised), detail))
    })
}

fn succession_views(
    snapshot: &Snapshot,
    reorganised: &Reorganised,
    successions: &[Succession],
) -> Vec<SuccessionView> {
    let effective = reorganised.effective;
    let eve = effective.pred_opt().unwrap_or(effective);
    let (before, after) = (
        snapshot.hierarchy.tree_on(eve),
        snapshot.hierarchy.tree_on(effective),
    );
    let name = |trees: [&Tree; 2], unit: UnitId| {
        let [first, second] = trees;
        first
            .by_id(unit)
            .or_else(|| second.by_id(unit))
            .map(UnitName::of)
    };
    successions
        .iter()
        .filter_map(|one| {
            Some(SuccessionView {
                from: name([&before, &after], one.from)?,
                to: name([&after, &before], one.to)?,
                share: one.share.map(|share| share.to_string()),
            })
        })
        .collect()
}
