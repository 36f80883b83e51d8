//! Handles submissions, targets and grants of units that a reorganisation ends: they stay or pass
//! to a successor, as the document says. The history of whatever counts records it.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{NaiveDate, NaiveDateTime};

use super::ReorganisationWork;
use crate::authz::{Grant, Reach};
use crate::domain::form::{FormPeriod, Span};
use crate::domain::id::{AccountId, FormNumber, GrantId, UnitId};
use crate::domain::naming::unit_title;
use crate::domain::period::Period;
use crate::domain::plan::Plan;
use crate::domain::reorganisation::{Grants, WorkInProgress};
use crate::domain::submission::{
    Reason, RevisionRecord, SpeaksFor, Step, Submission, SubmissionKey,
};
use crate::domain::succession::Successions;
use crate::domain::unit::UnitFact;
use crate::service::application::snapshot::Snapshot;
use crate::service::totals::reported_periods;
use crate::store::grant::{KeptGrant, grant_insert, grants};
use crate::store::key::Units;
use crate::store::reorganisation::PassedOn;
use crate::store::submission::revision::revisions_append;
use crate::store::submission::{submission_rekey, submissions_advance, submissions_of};
use crate::store::target::{target_holders, targets_rekey};
use crate::store::{StoreError, Transaction};

/// A unit's submission and targets of one form and period.
#[derive(Default)]
pub(super) struct HeldByUnit {
    pub submission: Option<Submission>,
    pub has_targets: bool,
}

/// The work of the units in a plan, for periods that close on its effective day or later.
pub(super) struct HeldWork<'w> {
    plan: &'w Plan,
    successions: &'w Successions,
    ended: HashMap<UnitId, Option<UnitId>>,
    by_period: BTreeMap<(FormNumber, Period), (FormPeriod<'w>, BTreeMap<UnitId, HeldByUnit>)>,
}

impl<'w> HeldWork<'w> {
    pub fn of(
        transaction: &mut Transaction<'_>,
        snapshot: &'w Snapshot,
        plan: &'w Plan,
    ) -> Result<HeldWork<'w>, StoreError> {
        let ended = plan.ended();
        let mut work = HeldWork {
            plan,
            successions: snapshot.hierarchy.successions(),
            ended: ended
                .map(|fact| (fact.unit, plan.whole_heir_of(fact.unit)))
                .collect(),
            by_period: BTreeMap::new(),
        };
        let concerned: HashSet<UnitId> = plan
            .successions
            .iter()
            .flat_map(|one| [one.from, one.to])
            .chain(work.ended.keys().copied())
            .collect();
        if concerned.is_empty() {
            return Ok(work);
        }
        let units: Vec<UnitId> = concerned.iter().copied().collect();
        for period in periods_since(transaction, snapshot, plan.effective)? {
            let form = period.form.number;
            let found = submissions_of(transaction, form, &[period.period], Units::These(&units))?;
            for (_, unit, submission) in found {
                work.held(period, unit).submission = Some(submission);
            }
        }
        for holder in target_holders(transaction)? {
            let mut forms = snapshot.catalogue.forms();
            let form = forms.find(|form| form.number == holder.form);
            let period = form.and_then(|form| form.period(holder.period));
            let period = period.filter(|period| period.closing_day() >= plan.effective);
            if let Some(period) = period.filter(|_| concerned.contains(&holder.unit)) {
                work.held(period, holder.unit).has_targets = true;
            }
        }
        Ok(work)
    }

    fn held(&mut self, period: FormPeriod<'w>, unit: UnitId) -> &mut HeldByUnit {
        let key = (period.form.number, period.period);
        let (_, units) = self
            .by_period
            .entry(key)
            .or_insert_with(|| (period, BTreeMap::new()));
        units.entry(unit).or_default()
    }

    fn all(&self) -> impl Iterator<Item = (&FormPeriod<'w>, UnitId, &HeldByUnit)> {
        let periods = self.by_period.values();
        periods
            .flat_map(|(period, units)| units.iter().map(move |(unit, held)| (period, *unit, held)))
    }

    /// Returns the work of units that end.
    pub fn ended(&self) -> impl Iterator<Item = (&FormPeriod<'w>, UnitId, &HeldByUnit)> {
        self.all()
            .filter(|(_, unit, _)| self.ended.contains_key(unit))
    }

    fn holds(&self, period: &FormPeriod<'_>, unit: UnitId) -> bool {
        let key = (period.form.number, period.period);
        let units = self.by_period.get(&key);
        units.is_some_and(|(_, units)| units.contains_key(&unit))
    }

    fn speaks_for(&self, period: &FormPeriod<'_>, unit: UnitId) -> Option<SpeaksFor> {
        let key = (period.form.number, period.period);
        let (_, units) = self.by_period.get(&key)?;
        let submission = units.get(&unit)?.submission.as_ref()?;
        Some(submission.speaks_for)
    }

    /// Returns the unit that receives another's work of a period: the successor that took over all
    /// of it, at the same level, with nothing of its own there, and with no other predecessor. Work
    /// in which third units have a part is not passed on, since they would lose it. Neither is a
    /// report for all units below: the successor does not report for them.
    pub fn heir_of(&self, period: &FormPeriod<'_>, unit: UnitId) -> Option<UnitId> {
        let heir = (*self.ended.get(&unit)?)?;
        if self.speaks_for(period, unit) == Some(SpeaksFor::Subtree) {
            return None;
        }
        let level = &self.plan.before(unit)?.level;
        let is_free = &self.plan.after(heir)?.level == level && !self.holds(period, heir);
        let others = self.plan.predecessors_of(heir);
        let is_alone = others
            .into_iter()
            .all(|other| other == unit || !self.holds(period, other));
        // A value given on an earlier map must not be divided as if it were the successor's own.
        let day = period.closing_day();
        let passes_on = self.plan.divides(heir) || self.successions.of(heir, day).next().is_some();
        let is_shared = self.successions.of(unit, day).next().is_some();
        (is_free && is_alone && !passes_on && !is_shared).then_some(heir)
    }

    /// Returns the periods for which both a predecessor and a successor have submitted.
    pub fn doubled(&self) -> Vec<(&FormPeriod<'w>, UnitId, UnitId)> {
        let mut doubled = Vec::new();
        for (period, units) in self.by_period.values() {
            let has_submitted = |unit: &UnitId| {
                units
                    .get(unit)
                    .is_some_and(|held| held.submission.is_some())
            };
            for predecessor in units.keys().filter(|unit| has_submitted(unit)) {
                let heirs = self.plan.heirs_of(*predecessor).into_iter();
                let both = heirs.filter(has_submitted);
                doubled.extend(both.map(|heir| (period, *predecessor, heir)));
            }
        }
        doubled
    }
}

/// Returns the base periods with submissions that are on the map of `day` or a later one.
pub(super) fn periods_since<'s>(
    transaction: &mut Transaction<'_>,
    snapshot: &'s Snapshot,
    day: NaiveDate,
) -> Result<Vec<FormPeriod<'s>>, StoreError> {
    let mut periods = reported_periods(transaction, snapshot)?;
    periods.retain(|period| period.span == Span::BasePeriod && period.closing_day() >= day);
    Ok(periods)
}

/// A grant on a unit that ends, and the unit that took it over as a whole, if the grant lasts until
/// then.
pub(super) struct FollowingGrant {
    pub kept: KeptGrant,
    pub unit: UnitId,
    pub heir: Option<UnitId>,
}

pub(super) fn following_grants(
    transaction: &mut Transaction<'_>,
    plan: &Plan,
) -> Result<Vec<FollowingGrant>, StoreError> {
    let ended: HashSet<UnitId> = plan.ended().map(|fact| fact.unit).collect();
    let following = grants(transaction)?.into_iter().filter_map(|kept| {
        let Reach::Subtree(unit) = kept.grant.reach else {
            return None;
        };
        // Whoever's grant ends before has nothing to do with the successor.
        let is_over = kept.grant.days.to.is_some_and(|to| to < plan.effective);
        ended.contains(&unit).then(|| FollowingGrant {
            kept,
            unit,
            heir: plan.whole_heir_of(unit).filter(|heir| {
                // On a unit of a higher level, the same role would mean more.
                let level = |fact: Option<&UnitFact>| fact.map(|fact| fact.level.clone());
                !is_over && level(plan.before(unit)) == level(plan.after(*heir))
            }),
        })
    });
    Ok(following.collect())
}

impl ReorganisationWork<'_, '_> {
    /// Gives the holders of grants on ended units the same on the successors from the effective day
    /// on, if the document says so. The old grants stay, so that their holders can still read earlier
    /// reports.
    pub(super) fn follow_with_grants(&mut self) -> Result<Vec<GrantId>, StoreError> {
        let mut given = Vec::new();
        if self.reorganisation.grants == Grants::Stay {
            return Ok(given);
        }
        let rev = self.snapshot.counters.rev;
        let mut known: HashMap<AccountId, Vec<Grant>> = HashMap::new();
        for kept in grants(self.transaction)? {
            known.entry(kept.account).or_default().push(kept.grant);
        }
        for FollowingGrant { kept, heir, .. } in following_grants(self.transaction, self.plan)? {
            let Some(heir) = heir else { continue };
            let grant = kept.grant.passed_to(heir, self.plan.effective);
            let own = known.entry(kept.account).or_default();
            if !own.iter().any(|known| known.includes(&grant)) {
                given.push(grant_insert(self.transaction, kept.account, &grant, rev)?.id);
                own.push(grant);
            }
        }
        Ok(given)
    }

    /// Adds a note to the history of every counting submission of a unit that ends, and moves it to
    /// the successor if the document says so.
    pub(super) fn take_over_work(&mut self) -> Result<Vec<PassedOn>, StoreError> {
        let work = HeldWork::of(self.transaction, self.snapshot, self.plan)?;
        let mut passed_on = Vec::new();
        let mut notes = Vec::new();
        for (period, unit, held) in work.ended() {
            let heir = match self.reorganisation.work_in_progress {
                WorkInProgress::Stay => None,
                WorkInProgress::PassOn => work.heir_of(period, unit),
            };
            let key = SubmissionKey {
                form: period.form.number,
                period: period.period,
                unit: heir.unwrap_or(unit),
            };
            if let Some(heir) = heir {
                passed_on.push(PassedOn {
                    form: key.form,
                    period: key.period,
                    from: unit,
                    to: heir,
                });
            }
            if let Some(submission) = &held.submission
                && (heir.is_some() || submission.counting_revision.is_some())
            {
                notes.push((key, submission.clone(), self.reason(unit)));
            }
        }
        for one in &passed_on {
            rekey(self.transaction, *one)?;
        }
        note(self.transaction, notes, &self.noting())?;
        Ok(passed_on)
    }

    pub(super) fn noting(&self) -> Noting {
        Noting {
            account: self.permit.account(),
            at: self.now.naive_utc(),
            rev: self.snapshot.counters.rev,
        }
    }

    /// In Vietnamese, like everything that people enter.
    fn reason(&self, unit: UnitId) -> String {
        let plan = self.plan;
        let basis = &self.reorganisation.legal_basis;
        let day = plan.effective.format("%d/%m/%Y");
        let name = |unit: UnitId| {
            let fact = plan.after(unit).or_else(|| plan.before(unit));
            fact.map(UnitFact::name_with_code).unwrap_or_default()
        };
        let heirs: Vec<String> = plan.heirs_of(unit).into_iter().map(name).collect();
        let fate = match (plan.whole_heir_of(unit), heirs.is_empty()) {
            (Some(heir), _) => format!("được nhập vào {}", name(heir)),
            (None, true) => "được giải thể".to_owned(),
            (None, false) => format!("được chia cho {}", heirs.join(", ")),
        };
        let former = plan.before(unit);
        let former = former.map(|fact| unit_title(fact.kind.as_deref(), &fact.name));
        let former = former.unwrap_or_default();
        format!("{basis}: từ ngày {day}, {former} {fate}.")
    }
}

/// The author and the time of a note.
pub(super) struct Noting {
    pub account: AccountId,
    pub at: NaiveDateTime,
    pub rev: i64,
}

/// Moves a unit's submission and targets of one form and period to another unit.
pub(super) fn rekey(transaction: &mut Transaction<'_>, one: PassedOn) -> Result<(), StoreError> {
    let key = SubmissionKey {
        form: one.form,
        period: one.period,
        unit: one.from,
    };
    submission_rekey(transaction, key, one.to)?;
    targets_rekey(transaction, key, one.to)
}

/// Appends a step to each submission's history that changes neither its status nor its values.
pub(super) fn note(
    transaction: &mut Transaction<'_>,
    notes: Vec<(SubmissionKey, Submission, String)>,
    noting: &Noting,
) -> Result<(), StoreError> {
    let mut units: BTreeMap<(FormNumber, Period), Vec<UnitId>> = BTreeMap::new();
    let mut records = Vec::with_capacity(notes.len());
    for (key, submission, text) in notes {
        let noted = units.entry((key.form, key.period)).or_default();
        noted.push(key.unit);
        let reason = Reason {
            text,
            values: Vec::new(),
        };
        records.push((
            key,
            RevisionRecord {
                revision: submission.revision.next(),
                step: Step::Reorganise,
                status: submission.status,
                content: None,
                reason: Some(reason),
                account: noting.account,
                entered_for: None,
                speaks_for: Some(submission.speaks_for),
                entered_at: noting.at,
                received_on: None,
                rev: noting.rev,
            },
        ));
    }
    let appended = records.iter().map(|(key, record)| (*key, record));
    revisions_append(transaction, appended)?;
    for ((form, period), units) in units {
        submissions_advance(transaction, form, period, &units, noting.rev)?;
    }
    Ok(())
}
