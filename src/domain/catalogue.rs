//! The catalogue: a tenant's indicators and forms with all their versions, and what of them is
//! in force for one period. Never values.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use super::form::{Form, FormPeriod, Item};
use super::formula::Operand;
use super::id::{FormCode, IndicatorCode, IndicatorNumber, LevelCode, OptionNumber};
use super::indicator::{Across, AcrossTime, AcrossUnits, Definition, Indicator, Measure};

/// All indicators and forms of a tenant.
#[derive(Debug, Default)]
pub struct Catalogue {
    indicators: BTreeMap<IndicatorCode, Indicator>,
    forms: BTreeMap<FormCode, Form>,
    aggregations: Aggregations,
}

impl Catalogue {
    pub fn new(indicators: Vec<Indicator>, forms: Vec<Form>) -> Catalogue {
        let across = indicators
            .iter()
            .filter_map(|indicator| Some((indicator.number, indicator.across()?)));
        Catalogue {
            aggregations: Aggregations::new(across),
            indicators: indicators
                .into_iter()
                .map(|found| (found.code.clone(), found))
                .collect(),
            forms: forms
                .into_iter()
                .map(|form| (form.code.clone(), form))
                .collect(),
        }
    }

    /// How every indicator aggregates, whether a form asks for it at the moment or not: what was
    /// put into a total comes out of it in the same way.
    pub fn aggregations(&self) -> &Aggregations {
        &self.aggregations
    }

    pub fn indicators(&self) -> impl Iterator<Item = &Indicator> {
        self.indicators.values()
    }

    pub fn indicator(&self, code: &IndicatorCode) -> Option<&Indicator> {
        self.indicators.get(code)
    }

    pub fn forms(&self) -> impl Iterator<Item = &Form> {
        self.forms.values()
    }

    pub fn form(&self, code: &FormCode) -> Option<&Form> {
        self.forms.get(code)
    }

    /// The catalogue with one indicator put in the place of its former self: what a change is
    /// checked against before it is written.
    #[must_use]
    pub fn with_indicator(&self, indicator: Indicator) -> Catalogue {
        let mut indicators = self.indicators.clone();
        indicators.insert(indicator.code.clone(), indicator);
        Catalogue::new(
            indicators.into_values().collect(),
            self.forms.values().cloned().collect(),
        )
    }

    /// What a period asks for: its form's outline with the indicators' versions of its last day.
    pub fn in_force<'c>(&'c self, period: FormPeriod<'c>) -> InForce<'c> {
        let day = period.closing_day();
        let entries: Vec<Entry<'c>> = period
            .definition
            .items()
            .filter_map(|item| self.entry(item, day))
            .collect();
        let by_code = entries
            .iter()
            .enumerate()
            .map(|(at, entry)| (&entry.indicator.code, at));
        let by_code = by_code.collect();
        InForce {
            period,
            entries,
            by_code,
        }
    }

    fn entry<'c>(&'c self, item: &'c Item, day: NaiveDate) -> Option<Entry<'c>> {
        let indicator = self.indicators.get(&item.indicator)?;
        Some(Entry {
            item,
            indicator,
            definition: indicator.on(day)?,
        })
    }
}

/// A form's outline for one period, with every indicator resolved.
pub struct InForce<'c> {
    pub period: FormPeriod<'c>,
    entries: Vec<Entry<'c>>,
    by_code: HashMap<&'c IndicatorCode, usize>,
}

/// An indicator in the outline, as it is for the period.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'c> {
    pub item: &'c Item,
    pub indicator: &'c Indicator,
    pub definition: &'c Definition,
}

impl<'c> InForce<'c> {
    /// In the order of the outline.
    pub fn entries(&self) -> &[Entry<'c>] {
        &self.entries
    }

    pub fn entry(&self, code: &IndicatorCode) -> Option<&Entry<'c>> {
        self.by_code.get(code).and_then(|at| self.entries.get(*at))
    }

    /// A figure by its names: the entry, and the number of the option or of the total. `None` where
    /// the period has no such indicator or option.
    pub fn figure(
        &self,
        indicator: &str,
        option: Option<&str>,
    ) -> Option<(&Entry<'c>, OptionNumber)> {
        let entry = self.entry(&indicator.parse().ok()?)?;
        let Some(option) = option else {
            return Some((entry, OptionNumber::TOTAL));
        };
        let mut known = entry.definition.options();
        let known = known.find(|known| known.code.as_str() == option)?;
        Some((entry, entry.indicator.option_number(&known.code)?))
    }

    /// What an operand of a formula or of a rule stands for; `None` where the period does not have
    /// it (any more).
    pub fn operand(&self, operand: &Operand) -> Option<(&Entry<'c>, OptionNumber)> {
        self.figure(&operand.indicator, operand.option.as_deref())
    }

    /// The levels whose units submit this entry; none for a derived one.
    pub fn levels_collecting(&self, entry: &Entry<'c>) -> Vec<&'c LevelCode> {
        match entry.definition.measure {
            Measure::Collected { .. } => self.period.definition.levels_collecting(entry.item),
            Measure::Derived { .. } => Vec::new(),
        }
    }
}

impl<'c> Entry<'c> {
    /// The numbers of the total and of the options, in the order of the definition.
    pub fn options(&self) -> Vec<(OptionNumber, Option<&'c super::indicator::BreakdownOption>)> {
        let options = self
            .definition
            .options()
            .filter_map(|option| Some((self.indicator.option_number(&option.code)?, Some(option))));
        std::iter::once((OptionNumber::TOTAL, None))
            .chain(options)
            .collect()
    }
}

/// How each indicator of a catalogue aggregates.
#[derive(Debug, Clone, Default)]
pub struct Aggregations(BTreeMap<IndicatorNumber, Across>);

impl Aggregations {
    pub fn new(across: impl IntoIterator<Item = (IndicatorNumber, Across)>) -> Aggregations {
        Aggregations(across.into_iter().collect())
    }

    /// What nobody knows of goes nowhere.
    pub fn of(&self, indicator: IndicatorNumber) -> Across {
        let nowhere = Across {
            units: AcrossUnits::None,
            time: AcrossTime::None,
        };
        self.0.get(&indicator).copied().unwrap_or(nowhere)
    }
}
