//! Warns of totals far from those of the unit's last periods. Does not decide how far is too far.

use std::collections::{BTreeMap, HashMap, hash_map};

use super::batch::Stepping;
use super::view::Warning;
use crate::domain::catalogue::Entry;
use crate::domain::form::FormPeriod;
use crate::domain::id::{FormNumber, IndicatorNumber, OptionNumber, UnitId};
use crate::domain::jump::{FORMER_PERIODS, JumpFactor};
use crate::domain::period::Period;
use crate::domain::submission::Content;
use crate::service::application::locate::Located;
use crate::store::key::Units;
use crate::store::submission::counting::counting_of;
use crate::store::{StoreError, Transaction};

/// The totals that units reported in the periods before one, as far as these count.
#[derive(Default)]
pub(super) struct FormerTotals(HashMap<UnitId, BTreeMap<IndicatorNumber, Vec<i64>>>);

impl FormerTotals {
    /// Reads them, if the form's version asks for such warnings.
    pub fn read(
        transaction: &mut Transaction<'_>,
        period: &FormPeriod<'_>,
        units: &[UnitId],
    ) -> Result<FormerTotals, StoreError> {
        let mut totals = FormerTotals::default();
        if period.definition.jump_factor.is_none() {
            return Ok(totals);
        }
        let former = period.form.periods_before(period, FORMER_PERIODS);
        let former: Vec<Period> = former.iter().map(|one| one.period).collect();
        let units = Units::These(units);
        for counting in counting_of(transaction, period.form.number, &former, units)? {
            let counting = counting?;
            let of_unit = totals.0.entry(counting.unit).or_default();
            let facts = counting.contribution.map(|one| one.facts);
            let facts = facts.into_iter().flatten();
            for fact in facts.filter(|fact| fact.option == OptionNumber::TOTAL) {
                of_unit
                    .entry(fact.indicator)
                    .or_default()
                    .push(fact.mantissa);
            }
        }
        Ok(totals)
    }

    /// Warns of a submission's totals that jump against these, in the order of the outline.
    pub fn warnings(&self, located: &Located<'_>, content: &Content) -> Vec<Warning> {
        let in_force = &located.in_force;
        let factor = in_force.period.definition.jump_factor;
        let Some((factor, former)) = factor.zip(self.0.get(&located.key().unit)) else {
            return Vec::new();
        };
        let entries = in_force.entries().iter();
        let found = entries.filter_map(|entry| warning(entry, content, factor, former));
        found.collect()
    }
}

/// Warns of jumps in the submissions of a commit, each by itself.
pub(super) fn jumps(
    transaction: &mut Transaction<'_>,
    steps: &[Stepping<'_>],
) -> Result<Vec<Vec<Warning>>, StoreError> {
    let mut former: HashMap<(FormNumber, Period), FormerTotals> = HashMap::new();
    let mut warnings = Vec::with_capacity(steps.len());
    for step in steps {
        let located = &step.placed.located;
        let key = located.key();
        let of_period = match former.entry((key.form, key.period)) {
            hash_map::Entry::Occupied(read) => read.into_mut(),
            hash_map::Entry::Vacant(vacant) => {
                let same = steps.iter().map(|step| step.placed.located.key());
                let same = same.filter(|one| (one.form, one.period) == (key.form, key.period));
                let units: Vec<UnitId> = same.map(|one| one.unit).collect();
                let period = &located.in_force.period;
                vacant.insert(FormerTotals::read(transaction, period, &units)?)
            }
        };
        warnings.push(of_period.warnings(located, &step.taken.content));
    }
    Ok(warnings)
}

fn warning(
    entry: &Entry<'_>,
    content: &Content,
    factor: JumpFactor,
    former: &BTreeMap<IndicatorNumber, Vec<i64>>,
) -> Option<Warning> {
    let number = entry.indicator.number;
    let mut facts = content.facts.iter();
    let total =
        facts.find(|fact| (fact.indicator, fact.option) == (number, OptionNumber::TOTAL))?;
    let jump = factor.jump(total.mantissa, former.get(&number)?)?;
    Some(Warning::of_jump(entry, total.mantissa, &jump))
}
