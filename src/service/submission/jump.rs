//! Warns of totals far from those of the unit's last periods. Does not decide how far is too far.

use std::collections::{BTreeMap, HashMap};

use super::view::Warning;
use crate::domain::catalogue::Entry;
use crate::domain::form::FormPeriod;
use crate::domain::id::{IndicatorNumber, OptionNumber, UnitId};
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
