//! Extensions of units that a reorganisation ends: more time passes with the work to the unit that took
//! over the whole, if the document says so.

use std::collections::{BTreeMap, HashMap};

use chrono::SubsecRound;

use super::ReorganisationWork;
use super::work::Noting;
use crate::domain::extension::{Extension, ExtensionChange, ExtensionStep};
use crate::domain::form::Span;
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::reorganisation::WorkInProgress;
use crate::domain::submission::SubmissionKey;
use crate::store::extension::{
    extension_delete, extension_get, extension_put, extension_step_append, extension_steps,
    extensions_everywhere,
};
use crate::store::{StoreError, Transaction};

/// The most steps of an extension that are searched for what it was before.
const MOST_STEPS: i64 = 1000;

impl ReorganisationWork<'_, '_> {
    /// Gives each successor the latest of the last days that the units merged into it had, for periods
    /// that close on the effective day or later. What it was given itself stays where it is later.
    pub(super) fn pass_extensions_on(&mut self, noting: &Noting) -> Result<(), StoreError> {
        if self.reorganisation.work_in_progress == WorkInProgress::Stay {
            return Ok(());
        }
        let heirs: HashMap<UnitId, UnitId> = self
            .plan
            .ended()
            .filter_map(|fact| Some((fact.unit, self.heir_at_level(fact.unit)?)))
            .collect();
        if heirs.is_empty() {
            return Ok(());
        }
        let mut latest: BTreeMap<(FormNumber, Period, UnitId), Extension> = BTreeMap::new();
        for (key, given) in extensions_everywhere(self.transaction)? {
            let Some(heir) = heirs.get(&key.unit).filter(|_| self.is_open(key)) else {
                continue;
            };
            let of_heir = latest.entry((key.form, key.period, *heir));
            let of_heir = of_heir.or_insert_with(|| given.clone());
            if of_heir.until < given.until {
                *of_heir = given;
            }
        }
        for ((form, period, unit), given) in latest {
            let key = SubmissionKey { form, period, unit };
            let own = extension_get(self.transaction, key)?;
            if own.is_none_or(|own| own.until < given.until) {
                pass_on(self.transaction, key, given, noting)?;
            }
        }
        Ok(())
    }

    /// Returns the unit of the same level that took over all of a unit.
    fn heir_at_level(&self, unit: UnitId) -> Option<UnitId> {
        let heir = self.plan.whole_heir_of(unit)?;
        let level = &self.plan.before(unit)?.level;
        (self.plan.after(heir)?.level == *level).then_some(heir)
    }

    /// Tells whether a base period is on the new map.
    fn is_open(&self, key: SubmissionKey) -> bool {
        let mut forms = self.snapshot.catalogue.forms();
        let form = forms.find(|form| form.number == key.form);
        let period = form.and_then(|form| form.period(key.period));
        period.is_some_and(|period| {
            period.span == Span::BasePeriod && period.closing_day() >= self.plan.effective
        })
    }
}

fn pass_on(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
    given: Extension,
    noting: &Noting,
) -> Result<(), StoreError> {
    let passed = Extension {
        rev: noting.rev,
        ..given
    };
    extension_put(transaction, key, &passed)?;
    let step = step_of(ExtensionChange::PassedOn, Some(&passed), noting);
    extension_step_append(transaction, key, &step)
}

fn step_of(change: ExtensionChange, since: Option<&Extension>, noting: &Noting) -> ExtensionStep {
    ExtensionStep {
        change,
        until: since.map(|since| since.until),
        reason: since.map(|since| since.reason.clone()),
        account: noting.account,
        // As exactly as both databases store it.
        at: noting.at.trunc_subsecs(6),
        rev: noting.rev,
    }
}

/// Takes back what a reorganisation of a rev passed on: the units have again what they had before.
pub(super) fn take_extensions_back(
    transaction: &mut Transaction<'_>,
    rev: i64,
    noting: &Noting,
) -> Result<(), StoreError> {
    let mut passed = extensions_everywhere(transaction)?;
    passed.retain(|(_, given)| given.rev == rev);
    for (key, _) in passed {
        let steps = extension_steps(transaction, key, MOST_STEPS)?.into_iter();
        let before = steps.into_iter().find(|step| step.rev < rev);
        let before = before.and_then(|step| {
            Some(Extension {
                until: step.until?,
                reason: step.reason?,
                account: step.account,
                given_at: step.at,
                rev: noting.rev,
            })
        });
        match &before {
            Some(before) => extension_put(transaction, key, before)?,
            None => extension_delete(transaction, key)?,
        }
        let step = step_of(ExtensionChange::TakenBack, before.as_ref(), noting);
        extension_step_append(transaction, key, &step)?;
    }
    Ok(())
}
