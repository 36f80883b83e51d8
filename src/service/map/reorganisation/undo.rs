//! Undoes a reorganisation, as long as nothing later builds on it.

use std::collections::{BTreeMap, HashSet};

use chrono::NaiveDate;

use super::extension::take_extensions_back;
use super::work::{Noting, note, periods_since, rekey};
use super::{ReorganisationError, ReorganisationView, found, mark_map_changed, state_of};
use crate::authz::{Action, Reach};
use crate::domain::hierarchy::Hierarchy;
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::level::Level;
use crate::domain::naming::{Named, unit_title};
use crate::domain::period::Period;
use crate::domain::submission::SubmissionKey;
use crate::domain::succession::{Succession, Successions};
use crate::domain::unit::UnitFact;
use crate::error::Message;
use crate::message;
use crate::sentence::period::period_named;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{Outcome, Reply};
use crate::service::application::snapshot::Snapshot;
use crate::service::application::watcher::Nobody;
use crate::service::people::account_name::NameReader;
use crate::store::extension::extended_since;
use crate::store::grant::{grant_delete, grants};
use crate::store::key::Units;
use crate::store::level::level_put;
use crate::store::release::released_since;
use crate::store::reorganisation::{
    Changes, PassedOn, Reorganised, Undone, reorganisation_content, reorganisation_undo,
    reorganisations, successions_delete, successions_of,
};
use crate::store::submission::revision::revised_since;
use crate::store::submission::submissions_of;
use crate::store::target::target_holders;
use crate::store::tenant::{Part, mark_changed};
use crate::store::unit::{facts_delete, facts_insert, facts_reopen};
use crate::store::{StoreError, Transaction};

/// Undoes a reorganisation: restores the map and everything that passed on.
///
/// # Errors
/// [`ReorganisationError`]; [`ReorganisationError::BuiltOn`] if a later change depends on the new
/// map.
pub fn undo_reorganisation(
    application: &Application,
    call: &Call,
    id: &str,
) -> Result<Reply, ReorganisationError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let permit = snapshot.access.to_tenant(Action::Reorganise)?;
        change.once(permit, |transaction, permit| {
            let reorganised = found(transaction, id)?;
            call.precondition.check(Some(&state_of(&reorganised)))?;
            if reorganised.undone.is_some() {
                return Err(ReorganisationError::Undone);
            }
            let (_, changes) = reorganisation_content(transaction, reorganised.id)?;
            let successions = successions_of(transaction, reorganised.id)?;
            let noting = Noting {
                account: permit.account(),
                at: call.now.naive_utc(),
                rev: snapshot.counters.rev,
            };
            let undoing = Undoing {
                names: NameReader::of(application, transaction, &call.identity, snapshot)?,
                transaction,
                snapshot,
                units: units_of(&changes, &successions),
                reorganised,
                changes,
                noting,
            };
            undoing.perform()
        })
    })
}

/// Returns every unit that a reorganisation affects.
fn units_of(changes: &Changes, successions: &[Succession]) -> HashSet<UnitId> {
    let replaced = changes.replaced.iter().map(|fact| fact.unit);
    let passing = successions.iter().flat_map(|one| [one.from, one.to]);
    let facts = changes.opened.iter().chain(&changes.closed).copied();
    facts.chain(replaced).chain(passing).collect()
}

/// An undoing in progress.
struct Undoing<'u, 'c> {
    transaction: &'u mut Transaction<'c>,
    snapshot: &'u Snapshot,
    names: NameReader<'u>,
    reorganised: Reorganised,
    changes: Changes,
    units: HashSet<UnitId>,
    noting: Noting,
}

impl Undoing<'_, '_> {
    fn perform(mut self) -> Result<Written, ReorganisationError> {
        if let Some(reason) = self.built_on()? {
            return Err(ReorganisationError::BuiltOn(reason));
        }
        self.restore_map()?;
        for grant in &self.changes.grants {
            grant_delete(self.transaction, *grant)?;
        }
        if !self.changes.grants.is_empty() {
            mark_changed(self.transaction, Part::Grants, self.noting.rev)?;
        }
        self.restore_work()?;
        let undone = Undone {
            at: self.noting.at,
            rev: self.noting.rev,
        };
        let id = self.reorganised.id;
        reorganisation_undo(self.transaction, id, self.noting.account, &undone)?;
        mark_map_changed(self.transaction, self.snapshot, self.effective(), &Nobody)?;
        let written = found(self.transaction, &id.to_string())?;
        let authors = self.names.read(self.transaction, &[written.by])?;
        let view = ReorganisationView::of(&written, &authors)?;
        let item = ChangeItem {
            day: Some(self.effective()),
            reorganisation: Some(id.to_string()),
            ..ChangeItem::new(ChangeKind::ReorganisationUndone)
        };
        Ok(Written::new(
            Reply::of_state(Outcome::Done, &state_of(&written), &view)?,
            [item],
        ))
    }

    fn effective(&self) -> NaiveDate {
        self.reorganised.effective
    }

    fn eve(&self) -> NaiveDate {
        let effective = self.effective();
        effective.pred_opt().unwrap_or(effective)
    }

    // ---- Whether it is the last word ----------------------------------------------------------

    /// Returns the reason why a later change depends on the new map, if one does.
    fn built_on(&mut self) -> Result<Option<Message>, StoreError> {
        if let Some(reason) = self.later_reorganisation()? {
            return Ok(Some(reason));
        }
        if let Some(reason) = self.later_work()? {
            return Ok(Some(reason));
        }
        if let Some(reason) = self.later_grant()? {
            return Ok(Some(reason));
        }
        let restored = self.restored();
        if let Some(reason) = self.use_of_new_unit(&restored)? {
            return Ok(Some(reason));
        }
        Ok(restored.obstacle())
    }

    /// Looks for something else that names a unit that the restored map would not have at all: nobody
    /// could read it or take it back any more.
    fn use_of_new_unit(&mut self, restored: &RestoredMap) -> Result<Option<Message>, StoreError> {
        let gone = restored.gone();
        if let Some((form, unit)) = self.reporting_for_all(&gone) {
            let name = self.name(unit);
            return Ok(Some(message!("undo-subtree-reporting", name, form)));
        }
        if let Some((form, unit)) = self.form_naming(&gone) {
            let name = self.name(unit);
            return Ok(Some(message!("undo-form-names", form, name)));
        }
        let units: Vec<UnitId> = gone.into_iter().collect();
        // What passed to it with the work is taken back from it.
        let rev = self.reorganised.rev;
        let extended = extended_since(self.transaction, rev, &units)?.into_iter();
        let mut extended =
            extended.filter_map(|key| self.concerned(key.form, key.period, key.unit));
        Ok(extended
            .next()
            .map(|(period, name)| message!("undo-extension", name, period)))
    }

    fn reporting_for_all(&self, units: &HashSet<UnitId>) -> Option<(Named, UnitId)> {
        let catalogue = &self.snapshot.catalogue;
        catalogue.forms().find_map(|form| {
            let arranged = catalogue.subtree_reportings().of_form(form.number);
            let mut arranged = arranged.iter().map(|(unit, _)| *unit);
            Some((form.named(), arranged.find(|unit| units.contains(unit))?))
        })
    }

    /// Finds a form that belongs to one of some units or asks one by name.
    fn form_naming(&self, units: &HashSet<UnitId>) -> Option<(Named, UnitId)> {
        self.snapshot.catalogue.forms().find_map(|form| {
            let versions = form.versions.values();
            let asked = versions.filter_map(|version| version.submitted_by.recipients());
            let mut named = form.owner().into_iter().chain(asked.flatten().copied());
            Some((form.named(), named.find(|unit| units.contains(unit))?))
        })
    }

    fn later_reorganisation(&mut self) -> Result<Option<Message>, StoreError> {
        let rev = self.reorganised.rev;
        let all = reorganisations(self.transaction)?.into_iter();
        let later = all.filter(|other| other.rev > rev && other.undone.is_none());
        for other in later {
            let (_, changes) = reorganisation_content(self.transaction, other.id)?;
            let successions = successions_of(self.transaction, other.id)?;
            if !units_of(&changes, &successions).is_disjoint(&self.units) {
                let (basis, day) = (other.legal_basis, Named::day(other.effective));
                return Ok(Some(message!("undo-later-reorganisation", basis, day)));
            }
        }
        Ok(None)
    }

    /// Looks for a later submission, release or target of a period whose map would change.
    fn later_work(&mut self) -> Result<Option<Message>, StoreError> {
        let rev = self.reorganised.rev;
        let submissions = revised_since(self.transaction, rev)?;
        let submitted = submissions
            .into_iter()
            .find_map(|key| self.concerned(key.form, key.period, key.unit));
        if let Some((period, name)) = submitted {
            return Ok(Some(message!("undo-later-submission", name, period)));
        }
        let released = released_since(self.transaction, rev)?.into_iter();
        let mut released =
            released.filter_map(|key| self.concerned(key.form, key.period, key.unit));
        if let Some((period, name)) = released.next() {
            return Ok(Some(message!("undo-later-release", name, period)));
        }
        let targets = target_holders(self.transaction)?.into_iter();
        let targeted = targets
            .filter(|holder| holder.rev > rev)
            .find_map(|holder| self.concerned(holder.form, holder.period, holder.unit));
        Ok(targeted.map(|(period, name)| message!("undo-later-target", name, period)))
    }

    /// Returns the period's and the unit's name, if the unit is affected and the period is on the
    /// new map.
    fn concerned(&self, form: FormNumber, period: Period, unit: UnitId) -> Option<(Named, String)> {
        if !self.units.contains(&unit) {
            return None;
        }
        let mut forms = self.snapshot.catalogue.forms();
        let form = forms.find(|known| known.number == form)?;
        let period = form.period(period)?;
        let is_on_new_map = period.closing_day() >= self.effective();
        is_on_new_map.then(|| (period_named(&period), self.name(unit)))
    }

    fn name(&self, unit: UnitId) -> String {
        let last = self.snapshot.hierarchy.facts_of(unit).last();
        last.map(UnitFact::name_with_code).unwrap_or_default()
    }

    fn later_grant(&mut self) -> Result<Option<Message>, StoreError> {
        let rev = self.reorganised.rev;
        let granted = grants(self.transaction)?
            .into_iter()
            .filter(|kept| kept.rev > rev)
            .find_map(|kept| match kept.grant.reach {
                Reach::Subtree(unit) => self.units.contains(&unit).then_some(unit),
                Reach::Tenant => None,
            });
        Ok(granted.map(|unit| {
            let name = self.name(unit);
            message!("undo-later-grant", name)
        }))
    }

    /// Returns the map after the undoing.
    fn restored(&self) -> RestoredMap {
        let (effective, eve) = (self.effective(), self.eve());
        let opened: HashSet<UnitId> = self.changes.opened.iter().copied().collect();
        let closed: HashSet<UnitId> = self.changes.closed.iter().copied().collect();
        let mut restored = self.changes.replaced.clone();
        let mut facts = restored.clone();
        for fact in self.snapshot.hierarchy.facts() {
            let begins = fact.validity.from == effective;
            if begins && opened.contains(&fact.unit) {
                continue;
            }
            let mut fact = fact.clone();
            if fact.validity.to == Some(eve) && closed.contains(&fact.unit) {
                fact.validity.to = None;
                restored.push(fact.clone());
            }
            facts.push(fact);
        }
        let levels = self.snapshot.hierarchy.levels().iter();
        let ended = &self.changes.ended_levels;
        let levels: Vec<Level> = levels
            .map(|level| {
                let former = ended.iter().find(|former| former.code == level.code);
                Level {
                    validity: former.map_or(level.validity, |former| former.validity),
                    ..level.clone()
                }
            })
            .collect();
        RestoredMap {
            hierarchy: Hierarchy::new(levels, facts, Successions::default()),
            restored,
            opened,
        }
    }

    // ---- The way back -------------------------------------------------------------------------

    fn restore_map(&mut self) -> Result<(), StoreError> {
        let (effective, eve) = (self.effective(), self.eve());
        let changes = &self.changes;
        successions_delete(self.transaction, self.reorganised.id)?;
        facts_delete(self.transaction, &changes.opened, effective)?;
        facts_reopen(self.transaction, &changes.closed, eve)?;
        facts_insert(self.transaction, &changes.replaced, self.noting.rev)?;
        let levels = self.snapshot.hierarchy.levels();
        for former in &changes.ended_levels {
            let known = levels.iter().find(|level| level.code == former.code);
            if let Some(level) = known {
                let reopened = Level {
                    validity: former.validity,
                    ..level.clone()
                };
                level_put(self.transaction, &reopened)?;
            }
        }
        Ok(())
    }

    /// Gives back what passed to successors, and adds a note to every history that mentions the
    /// reorganisation.
    fn restore_work(&mut self) -> Result<(), StoreError> {
        for one in &self.changes.passed_on {
            let back = PassedOn {
                from: one.to,
                to: one.from,
                ..*one
            };
            rekey(self.transaction, back)?;
        }
        take_extensions_back(self.transaction, self.reorganised.rev, &self.noting)?;
        let opened: HashSet<UnitId> = self.changes.opened.iter().copied().collect();
        let replaced = self.changes.replaced.iter().map(|fact| fact.unit);
        let former = self.changes.closed.iter().copied().chain(replaced);
        let ended: Vec<UnitId> = former.filter(|unit| !opened.contains(unit)).collect();
        if ended.is_empty() {
            return Ok(());
        }
        let mut notes = Vec::new();
        let effective = self.effective();
        for period in periods_since(self.transaction, self.snapshot, effective)? {
            let form = period.form.number;
            let key = |unit| SubmissionKey {
                form,
                period: period.period,
                unit,
            };
            let found = submissions_of(
                self.transaction,
                form,
                &[period.period],
                Units::These(&ended),
            )?;
            let told = found
                .into_iter()
                .filter(|(_, _, submission)| submission.rev == self.reorganised.rev);
            for (_, unit, submission) in told {
                let basis = &self.reorganised.legal_basis;
                let text = format!("Đã hủy việc sắp xếp theo {basis}.");
                notes.push((key(unit), submission, text));
            }
        }
        note(self.transaction, notes, &self.noting)
    }
}

/// The map after the undoing, and the parts of it that are restored.
struct RestoredMap {
    hierarchy: Hierarchy,
    restored: Vec<UnitFact>,
    /// The units whose facts from the effective day on disappear.
    opened: HashSet<UnitId>,
}

impl RestoredMap {
    /// Returns the units that the map does not have on any day.
    fn gone(&self) -> HashSet<UnitId> {
        let opened = self.opened.iter().copied();
        opened
            .filter(|unit| self.hierarchy.facts_of(*unit).is_empty())
            .collect()
    }

    /// Returns the reason why something made since has no place on the map, if there is one.
    fn obstacle(&self) -> Option<Message> {
        self.orphan()
            .or_else(|| self.taken_code())
            .or_else(|| self.ended_level())
            .or_else(|| self.same_rank())
    }

    /// Looks for a unit whose parent would not exist on all of its days.
    fn orphan(&self) -> Option<Message> {
        let below_opened = self.hierarchy.facts().iter().filter(|fact| {
            let parent = fact.parent.as_ref();
            parent.is_some_and(|parent| self.opened.contains(parent))
        });
        let mut placed = below_opened.chain(&self.restored);
        let orphan = placed.find(|fact| {
            let parent = fact.parent;
            parent.is_some_and(|parent| !self.hierarchy.stands_throughout(parent, fact.validity))
        })?;
        let name = orphan.name_with_code();
        Some(message!("undo-orphan", name))
    }

    fn taken_code(&self) -> Option<Message> {
        let taken = self.restored.iter().find_map(|fact| {
            self.hierarchy
                .facts_with(&fact.code)
                .find(|other| other.unit != fact.unit && other.validity.overlaps(fact.validity))
        })?;
        let code = &taken.code;
        let name = unit_title(taken.kind.as_deref(), &taken.name);
        Some(message!("undo-taken-code", code, name))
    }

    fn ended_level(&self) -> Option<Message> {
        let ended = self.restored.iter().find(|fact| {
            let level = self.hierarchy.level(&fact.level);
            !level.is_some_and(|level| level.validity.covers(fact.validity))
        })?;
        let name = ended.name_with_code();
        let level = Named::level(&ended.level, &self.hierarchy);
        Some(message!("undo-ended-level", name, level))
    }

    fn same_rank(&self) -> Option<Message> {
        let mut by_rank: BTreeMap<i32, Vec<&Level>> = BTreeMap::new();
        for level in self.hierarchy.levels() {
            let known = by_rank.entry(level.rank.get()).or_default();
            let overlapping = known
                .iter()
                .find(|other| other.validity.overlaps(level.validity));
            if let Some(other) = overlapping {
                let (one, other) = (level.named(), other.named());
                return Some(message!("undo-same-rank", one, other));
            }
            known.push(level);
        }
        None
    }
}
