//! What a form asks of units for a period, with what they have entered and what they sent for the
//! period before. Sheets and templates show it.

use std::collections::HashMap;

use crate::domain::catalogue::{Entry, InForce};
use crate::domain::form::{FormPeriod, Section};
use crate::domain::hierarchy::Place;
use crate::domain::id::{IndicatorNumber, LevelCode, OptionNumber, UnitId};
use crate::domain::indicator::BreakdownOption;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::{Content, Fact, Revision, Submission};
use crate::service::application::locate::Located;
use crate::service::application::snapshot::Snapshot;
use crate::store::key::Units;
use crate::store::submission::counting::counting_of;
use crate::store::submission::revision::revisions_of;
use crate::store::submission::submissions_of;
use crate::store::{StoreError, Transaction};

/// A unit that is to submit.
pub(super) struct AskedUnit<'s> {
    pub place: Place<'s>,
    pub submission: Option<Submission>,
    /// Its latest values for the period, if it has any.
    pub entered: Option<Content>,
    /// The values that count of the period before.
    pub previous: Vec<Fact>,
}

/// A figure that a unit is to enter: of an indicator, or of one of its options.
#[derive(Clone, Copy)]
pub(super) struct AskedFigure<'s> {
    pub section: &'s Section,
    pub entry: Entry<'s>,
    pub number: OptionNumber,
    pub option: Option<&'s BreakdownOption>,
}

/// A value as it is shown beside a figure.
pub(super) struct Amount {
    pub value: Decimal,
    pub qualifier: Qualifier,
}

impl AskedUnit<'_> {
    /// The revision that something entered now builds on.
    pub fn revision(&self) -> Option<Revision> {
        let submission = self.submission.as_ref();
        submission.map(|submission| submission.revision)
    }
}

impl AskedFigure<'_> {
    /// `docs.issued`, or `docs.issued[plan]`.
    pub fn code(&self) -> String {
        let indicator = &self.entry.indicator.code;
        match self.option {
            None => indicator.to_string(),
            Some(option) => format!("{indicator}[{}]", option.code),
        }
    }

    /// Finds the figure's value among facts.
    pub fn amount(&self, facts: &[Fact]) -> Option<Amount> {
        let key: (IndicatorNumber, OptionNumber) = (self.entry.indicator.number, self.number);
        let mut facts = facts.iter();
        let fact = facts.find(|fact| (fact.indicator, fact.option) == key)?;
        let decimals = self.entry.definition.decimals.get();
        Some(Amount {
            value: Decimal::new(fact.mantissa, decimals),
            qualifier: fact.qualifier,
        })
    }
}

/// Lists the figures that a unit of some levels is to enter, in the order of the outline. Totals of
/// closed breakdowns are computed.
pub(super) fn figures_of<'s>(
    in_force: &InForce<'s>,
    levels: &[&LevelCode],
) -> Vec<AskedFigure<'s>> {
    let mut figures = Vec::new();
    for section in in_force.period.definition.sections() {
        for item in &section.items {
            let entry = in_force.entry(&item.indicator).copied();
            let entry =
                entry.filter(|entry| item.from_form.is_none() && entry.is_collected_at_any(levels));
            let Some(entry) = entry else { continue };
            let is_computed = entry.definition.has_closed_breakdown();
            let options = entry.options().into_iter();
            let options =
                options.filter(|(number, _)| !(is_computed && *number == OptionNumber::TOTAL));
            figures.extend(options.map(|(number, option)| AskedFigure {
                section,
                entry,
                number,
                option,
            }));
        }
    }
    figures
}

/// The base period before one, of which values are shown beside.
pub(super) fn period_before<'f>(period: &FormPeriod<'f>) -> Option<FormPeriod<'f>> {
    let year = period.period.year();
    let years = [year - 1, year].into_iter();
    let periods = years.flat_map(|year| period.form.periods_of(year));
    let before = periods.filter(|one| one.closing_day() < period.closing_day());
    before.max_by_key(FormPeriod::closing_day)
}

/// Reads the units at and below a place that are to submit, or of that place alone.
pub(super) fn read_units<'s>(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &'s Located<'_>,
    places: impl Iterator<Item = Place<'s>>,
) -> Result<Vec<AskedUnit<'s>>, StoreError> {
    let period = &located.in_force.period;
    let respondents = snapshot.respondents(period);
    let places: Vec<Place<'s>> = places
        .filter(|place| respondents.includes(*place))
        .collect();
    let ids: Vec<UnitId> = places.iter().map(|place| place.unit()).collect();
    let mut submissions = submissions_by_unit(transaction, located, &ids)?;
    let mut entered = latest_values(transaction, located, &submissions)?;
    let mut previous = match period_before(period) {
        Some(before) => counting_values(transaction, &before, &ids)?,
        None => HashMap::new(),
    };
    let units = places.into_iter().map(|place| AskedUnit {
        place,
        submission: submissions.remove(&place.unit()),
        entered: entered.remove(&place.unit()),
        previous: previous.remove(&place.unit()).unwrap_or_default(),
    });
    Ok(units.collect())
}

fn submissions_by_unit(
    transaction: &mut Transaction<'_>,
    located: &Located<'_>,
    units: &[UnitId],
) -> Result<HashMap<UnitId, Submission>, StoreError> {
    let (form, period) = (located.form().number, located.period());
    let found = submissions_of(transaction, form, &[period], Units::These(units))?;
    let found = found.into_iter();
    Ok(found
        .map(|(_, unit, submission)| (unit, submission))
        .collect())
}

fn latest_values(
    transaction: &mut Transaction<'_>,
    located: &Located<'_>,
    submissions: &HashMap<UnitId, Submission>,
) -> Result<HashMap<UnitId, Content>, StoreError> {
    let wanted = submissions.iter();
    let wanted = wanted.map(|(unit, submission)| (*unit, submission.values_revision));
    let wanted = wanted.collect();
    let (form, period) = (located.form().number, located.period());
    let found = revisions_of(transaction, form, period, &wanted)?.into_iter();
    Ok(found
        .filter_map(|(unit, record)| Some((unit, record.content?)))
        .collect())
}

fn counting_values(
    transaction: &mut Transaction<'_>,
    period: &FormPeriod<'_>,
    units: &[UnitId],
) -> Result<HashMap<UnitId, Vec<Fact>>, StoreError> {
    let (form, period) = (period.form.number, period.period);
    let mut values = HashMap::new();
    for counting in counting_of(transaction, form, &[period], Units::These(units))? {
        let counting = counting?;
        if let Some(contribution) = counting.contribution {
            values.insert(counting.unit, contribution.facts);
        }
    }
    Ok(values)
}
