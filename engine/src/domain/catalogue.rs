//! The catalogue: a tenant's indicators and forms with all their versions, what of them is in force
//! for one period, and the holidays. Never values.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use chrono::NaiveDate;

use super::form::{Form, FormDefinition, FormPeriod, Item};
use super::formula::{Formula, Operand};
use super::hierarchy::Tree;
use super::holiday::Holidays;
use super::id::{
    BreakdownCode, FormCode, IndicatorCode, IndicatorNumber, LevelCode, OptionCode, OptionNumber,
    RuleCode,
};
use super::indicator::{
    Across, AcrossTime, AcrossUnits, BreakdownOption, Definition, Indicator, Measure,
};
use super::respondents::Respondents;
use super::subtree_reporting::SubtreeReportings;

/// All indicators and forms of a tenant, its holidays, and which units report for their subtrees.
#[derive(Debug, Default)]
pub struct Catalogue {
    indicators: BTreeMap<IndicatorCode, Indicator>,
    forms: BTreeMap<FormCode, Form>,
    holidays: Holidays,
    subtree_reportings: SubtreeReportings,
    aggregations: Aggregations,
}

impl Catalogue {
    pub fn new(indicators: Vec<Indicator>, forms: Vec<Form>) -> Catalogue {
        let across = indicators
            .iter()
            .filter_map(|indicator| Some((indicator.number, indicator.across()?)));
        let breakdowns = indicators.iter().flat_map(|indicator| {
            let options = indicator.breakdowns_of_options().into_iter();
            options.map(|(option, breakdown)| ((indicator.number, option), breakdown.clone()))
        });
        Catalogue {
            aggregations: Aggregations::new(across).with_breakdowns(breakdowns),
            indicators: indicators
                .into_iter()
                .map(|found| (found.code.clone(), found))
                .collect(),
            forms: forms
                .into_iter()
                .map(|form| (form.code.clone(), form))
                .collect(),
            holidays: Holidays::default(),
            subtree_reportings: SubtreeReportings::default(),
        }
    }

    /// The same with a tenant's holidays.
    #[must_use]
    pub fn with_holidays(self, holidays: Holidays) -> Catalogue {
        Catalogue { holidays, ..self }
    }

    /// The days by which deadlines are counted.
    pub fn holidays(&self) -> &Holidays {
        &self.holidays
    }

    /// The same with the units that report for their subtrees.
    #[must_use]
    pub fn with_subtree_reportings(self, subtree_reportings: SubtreeReportings) -> Catalogue {
        Catalogue {
            subtree_reportings,
            ..self
        }
    }

    /// The units that report for their subtrees.
    pub fn subtree_reportings(&self) -> &SubtreeReportings {
        &self.subtree_reportings
    }

    /// The units that are to submit for a period; `tree` is that of its last day.
    pub fn respondents<'p>(&self, period: &FormPeriod<'p>, tree: Arc<Tree>) -> Respondents<'p> {
        let covering = self.subtree_reportings.in_period(period);
        Respondents::new(period.definition, tree, covering)
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
        .with_holidays(self.holidays.clone())
        .with_subtree_reportings(self.subtree_reportings.clone())
    }

    /// The same with one form put in the place of its former self.
    #[must_use]
    pub fn with_form(&self, form: Form) -> Catalogue {
        let mut forms = self.forms.clone();
        forms.insert(form.code.clone(), form);
        Catalogue::new(
            self.indicators.values().cloned().collect(),
            forms.into_values().collect(),
        )
        .with_holidays(self.holidays.clone())
        .with_subtree_reportings(self.subtree_reportings.clone())
    }

    /// The days on which what is in force can change while the version of `from` holds: `from`
    /// itself, and each day on which a version of anything begins before the next one of these.
    pub fn days_of_version<V>(
        &self,
        versions: &BTreeMap<NaiveDate, V>,
        from: NaiveDate,
    ) -> BTreeSet<NaiveDate> {
        let mut later = versions.range((Bound::Excluded(from), Bound::Unbounded));
        let until = later.next().map_or(NaiveDate::MAX, |(day, _)| *day);
        let indicators = self.indicators().flat_map(|one| one.versions.keys());
        let forms = self.forms().flat_map(|one| one.versions.keys());
        let begins = indicators.chain(forms).copied();
        begins
            .filter(|day| from < *day && *day < until)
            .chain([from])
            .collect()
    }

    /// Every use on a day of something that is not there: a formula sees the whole catalogue; on
    /// a form formulas and rules see what its outline holds.
    pub fn unresolved(&self, day: NaiveDate) -> BTreeSet<Unresolved> {
        let mut unresolved = BTreeSet::new();
        for indicator in self.indicators.keys() {
            let operands = self.operands(indicator, day).into_iter();
            let missing = operands.filter(|operand| !self.has(operand, day));
            unresolved.extend(missing.map(|operand| {
                let by = Dependent::Formula(indicator.clone());
                Unresolved { by, operand }
            }));
        }
        for form in self.forms() {
            let Some(definition) = form.on(day) else {
                continue;
            };
            let held = definition.items().map(|item| item.indicator.clone());
            let held: BTreeSet<IndicatorCode> = held.collect();
            for (indicator, operand) in self.unheld(&held, day) {
                let by = Dependent::FormulaOnForm(form.code.clone(), indicator);
                unresolved.insert(Unresolved { by, operand });
            }
            for rule in &definition.rules {
                let operands = rule.expression.operands().into_iter();
                let unseen = operands.filter(|operand| !self.sees(&held, operand, day));
                unresolved.extend(unseen.map(|operand| {
                    let by = Dependent::Rule(form.code.clone(), rule.code.clone());
                    Unresolved { by, operand }
                }));
            }
        }
        unresolved
    }

    /// Every figure that a form takes from another form on a day, and that the other cannot give.
    pub fn not_given(&self, day: NaiveDate) -> BTreeSet<NotGiven> {
        let forms = self.forms().filter_map(|form| Some((form, form.on(day)?)));
        let items = forms.flat_map(|(form, definition)| {
            let items = definition.items();
            items.map(move |item| (form, definition, item))
        });
        let taken = items.filter_map(|(form, definition, item)| {
            let from = item.from_form.as_ref()?;
            let reason = self.reason_not_given(form, definition, item, from, day)?;
            Some(NotGiven {
                form: form.code.clone(),
                indicator: item.indicator.clone(),
                from: from.clone(),
                reason,
            })
        });
        taken.collect()
    }

    /// Says why a form cannot give another one a figure: as it is on the day, or as it first will be.
    fn reason_not_given(
        &self,
        form: &Form,
        definition: &FormDefinition,
        item: &Item,
        from: &FormCode,
        day: NaiveDate,
    ) -> Option<ReasonNotGiven> {
        if *from == form.code {
            return Some(ReasonNotGiven::SameForm);
        }
        let giving = self.form(from);
        let giving = giving.and_then(|form| form.on(day).or_else(|| form.versions.values().next()));
        let Some(giving) = giving else {
            return Some(ReasonNotGiven::UnknownForm);
        };
        if !giving.periods.cover(&definition.periods) {
            return Some(ReasonNotGiven::OtherPeriods);
        }
        let is_collected = self
            .indicator(&item.indicator)
            .is_some_and(|indicator| indicator.across().is_some());
        let mut items = giving.items();
        let is_entered = is_collected
            && items.any(|there| there.indicator == item.indicator && there.from_form.is_none());
        (!is_entered).then_some(ReasonNotGiven::NotEntered)
    }

    fn operands(&self, indicator: &IndicatorCode, day: NaiveDate) -> BTreeSet<Operand> {
        let definition = self.indicator(indicator).and_then(|one| one.on(day));
        let formula = definition.and_then(Definition::formula);
        formula.map(Formula::operands).unwrap_or_default()
    }

    /// The indicators whose values the figures of one can be made of, in whatever version: itself,
    /// and what its formulas use, with what is behind that.
    pub fn behind(&self, code: &IndicatorCode) -> BTreeSet<IndicatorNumber> {
        let mut found = BTreeSet::new();
        let mut open = vec![code.clone()];
        while let Some(code) = open.pop() {
            let Some(indicator) = self.indicator(&code) else {
                continue;
            };
            if found.insert(indicator.number) {
                let formulas = indicator.versions.values().filter_map(Definition::formula);
                let operands = formulas.flat_map(Formula::operands);
                open.extend(operands.map(|operand| operand.indicator));
            }
        }
        found
    }

    /// Tells whether an operand's figure exists on a day.
    fn has(&self, operand: &Operand, day: NaiveDate) -> bool {
        let indicator = self.indicator(&operand.indicator);
        let definition = indicator.and_then(|indicator| indicator.on(day));
        definition.is_some_and(|definition| definition.offers(operand))
    }

    /// Lists the operands that formulas of held indicators use and an outline with only these lacks.
    pub fn unheld(
        &self,
        held: &BTreeSet<IndicatorCode>,
        day: NaiveDate,
    ) -> Vec<(IndicatorCode, Operand)> {
        let is_held = |operand: &Operand| held.contains(&operand.indicator);
        held.iter()
            .flat_map(|indicator| {
                let operands = self.operands(indicator, day).into_iter();
                operands.map(|operand| (indicator.clone(), operand))
            })
            .filter(|(_, operand)| !is_held(operand))
            .collect()
    }

    /// Tells whether a rule can use an operand on a form that holds these indicators: as it is on the
    /// day, or as it first will be.
    pub fn sees(&self, held: &BTreeSet<IndicatorCode>, operand: &Operand, day: NaiveDate) -> bool {
        let held = Some(&operand.indicator).filter(|code| held.contains(*code));
        let indicator = held.and_then(|code| self.indicator(code));
        let definition =
            indicator.and_then(|one| one.on(day).or_else(|| one.versions.values().next()));
        definition.is_some_and(|definition| definition.offers(operand))
    }

    /// Collects a period's entries: its form's outline with the indicators' versions of its last day.
    pub fn in_force<'c>(&'c self, period: FormPeriod<'c>) -> InForce<'c> {
        let entries: Vec<Entry<'c>> = period
            .definition
            .items()
            .filter_map(|item| self.entry(item, &period))
            .collect();
        let by_code = entries
            .iter()
            .enumerate()
            .map(|(at, entry)| (entry.indicator.code.as_str(), at));
        let by_code = by_code.collect();
        InForce {
            period,
            entries,
            by_code,
        }
    }

    fn entry<'c>(&'c self, item: &'c Item, period: &FormPeriod<'c>) -> Option<Entry<'c>> {
        let indicator = self.indicators.get(&item.indicator)?;
        let giving = item.from_form.as_ref();
        let giving = giving.and_then(|form| self.form(form)?.period(period.period));
        Some(Entry {
            item,
            indicator,
            definition: indicator.on(period.closing_day())?,
            given_by: giving.filter(|giving| giving.range == period.range),
        })
    }
}

/// A figure that a form takes from another form, which cannot give it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotGiven {
    /// The form that takes it.
    pub form: FormCode,
    pub indicator: IndicatorCode,
    pub from: FormCode,
    pub reason: ReasonNotGiven,
}

/// Why a form cannot give a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReasonNotGiven {
    UnknownForm,
    /// It is the form that takes the figure.
    SameForm,
    /// It has no period with the same days for each period of the form that takes the figure.
    OtherPeriods,
    /// Nobody enters the indicator on it: it is not in the outline, computed, or taken from yet another
    /// form.
    NotEntered,
}

/// A use of something that is not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unresolved {
    pub by: Dependent,
    pub operand: Operand,
}

/// A part of the catalogue that uses another part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependent {
    /// A derived indicator.
    Formula(IndicatorCode),
    /// A derived indicator on a form that holds it.
    FormulaOnForm(FormCode, IndicatorCode),
    Rule(FormCode, RuleCode),
}

/// A form's outline for one period, with every indicator resolved.
pub struct InForce<'c> {
    pub period: FormPeriod<'c>,
    entries: Vec<Entry<'c>>,
    by_code: HashMap<&'c str, usize>,
}

/// An indicator in the outline, as it is for the period.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'c> {
    pub item: &'c Item,
    pub indicator: &'c Indicator,
    pub definition: &'c Definition,
    /// For a figure that is taken from another form: that form's period of the same days, if it has
    /// one.
    pub given_by: Option<FormPeriod<'c>>,
}

/// The figures that a form takes from one other form.
pub struct Taken<'c> {
    /// The other form's period of the same days, if it has one.
    pub period: Option<FormPeriod<'c>>,
    pub indicators: BTreeSet<IndicatorNumber>,
}

impl<'c> InForce<'c> {
    /// The figures that are taken from other forms, by form.
    pub fn taken(&self) -> Vec<Taken<'c>> {
        let mut by_form: BTreeMap<&FormCode, Taken<'c>> = BTreeMap::new();
        for entry in &self.entries {
            let Some(form) = &entry.item.from_form else {
                continue;
            };
            let taken = by_form.entry(form).or_insert_with(|| Taken {
                period: entry.given_by,
                indicators: BTreeSet::new(),
            });
            taken.indicators.insert(entry.indicator.number);
        }
        by_form.into_values().collect()
    }

    /// The periods whose submissions are behind the figures: the form's own, and those of the forms
    /// that figures are taken from.
    pub fn periods_behind(&self) -> Vec<FormPeriod<'c>> {
        let taken = self.taken().into_iter().filter_map(|taken| taken.period);
        std::iter::once(self.period).chain(taken).collect()
    }

    /// Lists the figures that units enter, in the order of the outline. Totals of closed breakdowns are
    /// computed, and left out.
    pub fn entered_figures(
        &self,
    ) -> impl Iterator<Item = (&Entry<'c>, OptionNumber, Option<&'c BreakdownOption>)> {
        self.entries.iter().flat_map(|entry| {
            let figures = entry.options().into_iter();
            let is_entered = |number: OptionNumber| {
                number != OptionNumber::TOTAL || !entry.definition.has_closed_breakdown()
            };
            let figures = figures.filter(move |(number, _)| is_entered(*number));
            figures.map(move |(number, option)| (entry, number, option))
        })
    }

    /// In the order of the outline.
    pub fn entries(&self) -> &[Entry<'c>] {
        &self.entries
    }

    pub fn entry(&self, code: &IndicatorCode) -> Option<&Entry<'c>> {
        self.entry_of(code.as_str())
    }

    /// The entry of a code as somebody wrote it.
    pub fn entry_written(&self, code: &str) -> Option<&Entry<'c>> {
        // Most write codes as they are kept.
        self.entry_of(code)
            .or_else(|| self.entry(&code.parse().ok()?))
    }

    fn entry_of(&self, code: &str) -> Option<&Entry<'c>> {
        self.by_code.get(code).and_then(|at| self.entries.get(*at))
    }

    /// A figure by its names: the entry, and the number of the option or of the total. `None` where
    /// the period has no such indicator or option.
    pub fn figure(
        &self,
        indicator: &str,
        option: Option<&str>,
    ) -> Option<(&Entry<'c>, OptionNumber)> {
        let entry = self.entry_written(indicator)?;
        let Some(option) = option else {
            return Some((entry, OptionNumber::TOTAL));
        };
        let mut known = entry.definition.options();
        let known = known.find(|known| known.code.as_str() == option)?;
        Some((entry, entry.indicator.option_number(&known.code)?))
    }

    /// Finds the figure of an operand; `None` if the period does not have it (any more).
    pub fn operand(&self, operand: &Operand) -> Option<(&Entry<'c>, OptionNumber)> {
        let option = operand.option.as_ref().map(OptionCode::as_str);
        self.figure(operand.indicator.as_str(), option)
    }
}

impl<'c> Entry<'c> {
    /// Tells whether units of a level that submit the form submit this entry.
    pub fn is_collected_at(&self, level: &LevelCode) -> bool {
        match self.definition.measure {
            Measure::Collected { .. } => self.item.is_collected_at(level),
            Measure::Derived { .. } => false,
        }
    }

    /// Tells whether units of one of some levels that submit the form submit this entry.
    pub fn is_collected_at_any(&self, levels: &[&LevelCode]) -> bool {
        levels.iter().any(|level| self.is_collected_at(level))
    }

    /// Tells whether the entry has an option of this number, or it is the total's.
    pub fn has(&self, option: OptionNumber) -> bool {
        let number_of = |code| self.indicator.option_number(code);
        let mut options = self.definition.options();
        option == OptionNumber::TOTAL || options.any(|known| number_of(&known.code) == Some(option))
    }

    /// The numbers of the total and of the options, in the order of the definition.
    pub fn options(&self) -> Vec<(OptionNumber, Option<&'c BreakdownOption>)> {
        let options = self
            .definition
            .options()
            .filter_map(|option| Some((self.indicator.option_number(&option.code)?, Some(option))));
        std::iter::once((OptionNumber::TOTAL, None))
            .chain(options)
            .collect()
    }
}

/// How each indicator of a catalogue aggregates, by its number: it is asked for with every cell.
/// And which breakdown each option belongs to: those of one are divided together.
#[derive(Debug, Clone, Default)]
pub struct Aggregations {
    across: Vec<Across>,
    breakdowns: HashMap<(IndicatorNumber, OptionNumber), BreakdownCode>,
}

impl Aggregations {
    pub fn new(across: impl IntoIterator<Item = (IndicatorNumber, Across)>) -> Aggregations {
        let mut all = Vec::new();
        for (number, across) in across {
            let at = place_of(number);
            if all.len() <= at {
                all.resize(at + 1, NOWHERE);
            }
            if let Some(place) = all.get_mut(at) {
                *place = across;
            }
        }
        Aggregations {
            across: all,
            breakdowns: HashMap::new(),
        }
    }

    /// The same with options that belong to breakdowns.
    #[must_use]
    pub fn with_breakdowns(
        self,
        breakdowns: impl IntoIterator<Item = ((IndicatorNumber, OptionNumber), BreakdownCode)>,
    ) -> Aggregations {
        Aggregations {
            breakdowns: breakdowns.into_iter().collect(),
            ..self
        }
    }

    pub fn of(&self, indicator: IndicatorNumber) -> Across {
        let across = self.across.get(place_of(indicator));
        across.copied().unwrap_or(NOWHERE)
    }

    /// The breakdown of an option; `None` for a total.
    pub fn breakdown_of(
        &self,
        indicator: IndicatorNumber,
        option: OptionNumber,
    ) -> Option<&BreakdownCode> {
        self.breakdowns.get(&(indicator, option))
    }
}

/// An unknown indicator goes nowhere.
const NOWHERE: Across = Across {
    units: AcrossUnits::None,
    time: AcrossTime::None,
};

/// Numbers are given one after the other: there are hardly any gaps.
fn place_of(number: IndicatorNumber) -> usize {
    usize::try_from(number.get()).unwrap_or(usize::MAX)
}
