//! Cells: the figures of a rollup as they are shown, and how complete each is. `rollup` and `totals`
//! compute them.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::Serialize;

use crate::domain::catalogue::{Entry, InForce};
use crate::domain::form::{FormPeriod, Span};
use crate::domain::hierarchy::Place;
use crate::domain::id::{FormNumber, IndicatorNumber, LevelCode, OptionNumber, UnitId};
use crate::domain::indicator::{AcrossUnits, Measure};
use crate::domain::landing::Landing;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::respondents::LandedRespondents;
use crate::domain::submission::Stage;
use crate::rollup::cell::CellKey;
use crate::rollup::figure::{Figure, Figures};
use crate::rollup::node::Rollup;
use crate::rollup::total::Qualified;
use crate::service::application::locate::Located;
use crate::service::application::patience::Patience;
use crate::service::application::snapshot::Snapshot;
use crate::store::StoreError;
use crate::store::target::Target;

/// Counts of a subtree's reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct Counts {
    /// Units of the subtree that are to submit the form.
    pub expected: u64,
    /// Units whose submission counts.
    pub submitted: u64,
    /// Units whose submission is approved.
    pub approved: u64,
}

/// One figure of a report. Every field is always present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CellView {
    #[schema(example = "fund.raised")]
    pub indicator: String,
    /// An option of a breakdown; null for the total.
    pub option: Option<String>,
    /// The form on which the figure is entered, if it is not this one. The whole cell is that form's,
    /// for the same days; only the target is this form's.
    #[schema(example = "mttq.monthly")]
    pub from_form: Option<String>,
    /// The exact figure; null if nobody has reported, or a formula has no value.
    #[schema(value_type = Option<f64>, example = 1562410000)]
    pub value: Option<Decimal>,
    pub qualifier: Qualifier,
    pub qualified: QualifiedCounts,
    /// The number of values behind the figure that are a share of a divided unit's (phân bổ).
    pub apportioned: u64,
    /// The number of units with a value, of those expected to have one.
    pub reported: u64,
    pub expected: u64,
    /// The unit's own submitted value; null if there is none.
    pub own: Option<OwnFigure>,
    /// For a transfer: the amount that the direct children handed up; null for anything else.
    #[schema(value_type = Option<f64>)]
    pub received_from_below: Option<Decimal>,
    /// The unit's target; null if there is none.
    pub target: Option<TargetFigure>,
    /// The dividend of an average, or of a formula that is a quotient.
    #[schema(value_type = Option<f64>)]
    pub numerator: Option<Decimal>,
    /// The divisor. Neither contains a constant factor of the formula, such as the 100 of a
    /// percentage.
    #[schema(value_type = Option<f64>)]
    pub denominator: Option<Decimal>,
}

/// Counts of values behind a figure that are not exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QualifiedCounts {
    pub at_least: u64,
    pub at_most: u64,
    pub estimate: u64,
}

impl From<Qualified> for QualifiedCounts {
    fn from(qualified: Qualified) -> QualifiedCounts {
        QualifiedCounts {
            at_least: qualified.at_least,
            at_most: qualified.at_most,
            estimate: qualified.estimate,
        }
    }
}

/// A unit's target, and the share of it that was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TargetFigure {
    #[schema(value_type = f64)]
    pub value: Decimal,
    /// The figure in per cent of the target, with two decimals. Null without a figure, or for a
    /// target of 0.
    #[schema(value_type = Option<f64>, example = 97.65)]
    pub share: Option<Decimal>,
}

/// A unit's own figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OwnFigure {
    #[schema(value_type = Option<f64>)]
    pub value: Option<Decimal>,
    pub qualifier: Qualifier,
}

/// Turns rollups into cells: figures, and how complete they are.
pub(in crate::service) struct Figuring<'r, 's> {
    in_force: &'r InForce<'s>,
    expectation: Expectation<'s>,
    /// What is expected of the figures that are taken from other forms.
    expectations: BTreeMap<FormNumber, Expectation<'s>>,
    pub stage: Stage,
    pub span: Span,
    targets: HashMap<(UnitId, CellKey), Target>,
    /// Figures of one group are expected of the same units, so that these are counted once a unit.
    groups: HashMap<IndicatorNumber, usize>,
    patience: &'s Patience,
}

impl<'r, 's> Figuring<'r, 's> {
    pub fn of(snapshot: &'s Snapshot, located: &'r Located<'s>, stage: Stage) -> Figuring<'r, 's> {
        let span = located.in_force.period.span;
        Figuring::over(snapshot, located, stage, span, FormPeriod::base_periods)
    }

    /// Works on the year up to the end of the period, which need not be a period of the form.
    pub fn of_year_to_date(
        snapshot: &'s Snapshot,
        located: &'r Located<'s>,
        stage: Stage,
    ) -> Figuring<'r, 's> {
        let bases = FormPeriod::base_periods_to_date;
        Figuring::over(snapshot, located, stage, Span::LongPeriod, bases)
    }

    /// `bases` lists the base periods that are behind the figures of a form's period.
    fn over(
        snapshot: &'s Snapshot,
        located: &'r Located<'s>,
        stage: Stage,
        span: Span,
        bases: impl Fn(&FormPeriod<'s>) -> Vec<FormPeriod<'s>>,
    ) -> Figuring<'r, 's> {
        let in_force = &located.in_force;
        let day = located.tree.day();
        let expected = |period: &FormPeriod<'s>| Expectation::of(snapshot, &bases(period), day);
        let taken = in_force.taken().into_iter();
        let giving = taken.filter_map(|taken| taken.period);
        let figuring = Figuring {
            in_force,
            expectation: expected(&in_force.period),
            expectations: giving
                .map(|giving| (giving.form.number, expected(&giving)))
                .collect(),
            stage,
            span,
            targets: HashMap::new(),
            groups: HashMap::new(),
            patience: &snapshot.patience,
        };
        Figuring {
            groups: figuring.grouped(),
            ..figuring
        }
    }

    /// Gives each collected indicator the number of its group.
    fn grouped(&self) -> HashMap<IndicatorNumber, usize> {
        let mut known = Vec::new();
        let entries = self.in_force.entries().iter();
        let groups = entries.map(|entry| {
            let giving = entry.given_by.as_ref();
            let form = giving.map(|giving| giving.form.number);
            let group = (form, self.expectation_of(entry).asked(entry));
            let at = known.iter().position(|other| *other == group);
            let at = at.unwrap_or_else(|| {
                known.push(group);
                known.len() - 1
            });
            (entry.indicator.number, at)
        });
        groups.collect()
    }

    /// Adds targets to show beside the figures.
    pub fn with_targets(mut self, targets: Vec<Target>) -> Figuring<'r, 's> {
        self.exchange_targets(targets);
        self
    }

    /// Shows other targets from now on.
    pub fn exchange_targets(&mut self, targets: Vec<Target>) {
        let targets = targets.into_iter();
        let targets = targets.map(|target| ((target.unit, target.cell), target));
        self.targets = targets.collect();
    }

    /// Returns what is expected of an entry: on its form, or on the one that gives it.
    fn expectation_of(&self, entry: &Entry<'_>) -> &Expectation<'s> {
        let giving = entry.given_by.as_ref();
        let given = giving.and_then(|giving| self.expectations.get(&giving.form.number));
        given.unwrap_or(&self.expectation)
    }

    /// Counts the submissions of a unit's report, and those expected.
    pub fn counts(&self, rollup: &Rollup, place: Place<'_>) -> Counts {
        let submissions = rollup.submissions();
        Counts {
            expected: self.expectation.submissions(place),
            submitted: submissions.submitted,
            approved: submissions.approved,
        }
    }

    /// Returns all cells of a unit's report: the total of each indicator of the outline, then its
    /// options.
    ///
    /// # Errors
    /// Those of a read that must stop.
    pub fn cells(&self, rollup: &Rollup, place: Place<'_>) -> Result<Vec<CellView>, StoreError> {
        let shown = Shown::new(self, rollup, place);
        let entries = self.in_force.entries().iter();
        entries
            .flat_map(|entry| {
                entry
                    .options()
                    .into_iter()
                    .map(move |(option, _)| (entry, option))
            })
            .map(|(entry, option)| {
                self.patience.check()?;
                Ok(shown.cell(entry, option))
            })
            .collect()
    }

    /// Looks at a unit's report, to take figures out of it one by one.
    pub fn report<'f>(&'f self, rollup: &'f Rollup, place: Place<'f>) -> Shown<'f, 'r, 's> {
        Shown::new(self, rollup, place)
    }

    /// Returns one cell of a unit's report.
    pub fn cell(
        &self,
        rollup: &Rollup,
        place: Place<'_>,
        entry: &Entry<'_>,
        option: OptionNumber,
    ) -> CellView {
        Shown::new(self, rollup, place).cell(entry, option)
    }

    /// Returns the mantissa of a unit's target.
    fn target(&self, unit: UnitId, entry: &Entry<'_>, option: OptionNumber) -> Option<i64> {
        if self.targets.is_empty() {
            return None;
        }
        let cell = CellKey {
            indicator: entry.indicator.number,
            option,
        };
        self.targets.get(&(unit, cell))?.mantissa
    }
}

/// A figure, and how complete it is.
pub(in crate::service) struct CompleteFigure {
    pub figure: Figure,
    pub reported: u64,
    pub expected: u64,
}

/// A unit's report being turned into cells. Operands that several formulas share are computed once.
pub(in crate::service) struct Shown<'f, 'r, 's> {
    figuring: &'f Figuring<'r, 's>,
    figures: Figures<'f, 's>,
    place: Place<'f>,
    /// How many values are expected, by group.
    expected: RefCell<Vec<(usize, u64)>>,
    /// The completeness of formulas.
    complete: RefCell<BTreeMap<IndicatorNumber, Coverage>>,
}

impl<'f, 'r, 's> Shown<'f, 'r, 's> {
    fn new(
        figuring: &'f Figuring<'r, 's>,
        rollup: &'f Rollup,
        place: Place<'f>,
    ) -> Shown<'f, 'r, 's> {
        let (stage, span) = (figuring.stage, figuring.span);
        Shown {
            figuring,
            figures: Figures::new(rollup, figuring.in_force, stage, span),
            place,
            expected: RefCell::default(),
            complete: RefCell::default(),
        }
    }

    /// Returns one figure with its completeness.
    pub fn figure(&self, entry: &Entry<'_>, option: OptionNumber) -> CompleteFigure {
        let figure = self.figures.of(entry, option);
        let complete = match entry.definition.formula() {
            None => Coverage {
                reported: figure.reported,
                expected: self.expected(entry),
            },
            Some(_) => self.completeness(entry, option),
        };
        CompleteFigure {
            figure,
            reported: complete.reported,
            expected: complete.expected,
        }
    }

    /// Returns the unit's target of a figure.
    pub fn target(&self, entry: &Entry<'_>, option: OptionNumber) -> Option<Decimal> {
        let mantissa = self.figuring.target(self.place.unit(), entry, option)?;
        Some(Decimal::new(mantissa, entry.definition.decimals.get()))
    }

    fn target_figure(
        &self,
        figure: &Figure,
        entry: &Entry<'_>,
        option: OptionNumber,
    ) -> Option<TargetFigure> {
        let mantissa = self.figuring.target(self.place.unit(), entry, option)?;
        let decimals = entry.definition.decimals.get();
        Some(TargetFigure {
            value: Decimal::new(mantissa, decimals),
            share: figure.share_of(mantissa, decimals),
        })
    }

    fn cell(&self, entry: &Entry<'_>, option: OptionNumber) -> CellView {
        let CompleteFigure {
            figure,
            reported,
            expected,
        } = self.figure(entry, option);
        let received = self.figures.received_from_below(entry, option);
        CellView {
            indicator: entry.indicator.code.to_string(),
            option: entry.indicator.option_code(option).map(ToString::to_string),
            from_form: entry.item.from_form.as_ref().map(ToString::to_string),
            value: figure.value(),
            qualifier: figure.qualifier,
            qualified: figure.qualified.into(),
            apportioned: figure.qualified.apportioned,
            reported,
            expected,
            own: self
                .figures
                .own(entry, option)
                .map(|own: Figure| OwnFigure {
                    value: own.value(),
                    qualifier: own.qualifier,
                }),
            received_from_below: received.and_then(|received| received.value()),
            numerator: figure.numerator(),
            denominator: figure.denominator(),
            target: self.target_figure(&figure, entry, option),
        }
    }

    /// Counts the values that are expected of a collected figure.
    fn expected(&self, entry: &Entry<'_>) -> u64 {
        let count = || {
            self.figuring
                .expectation_of(entry)
                .values(entry, self.place)
        };
        let Some(group) = self.figuring.groups.get(&entry.indicator.number).copied() else {
            return count();
        };
        let mut known = self.expected.borrow_mut();
        let counted = known.iter().find(|(other, _)| *other == group);
        if let Some((_, counted)) = counted {
            return *counted;
        }
        let counted = count();
        known.push((group, counted));
        counted
    }

    /// Returns a figure's completeness. A formula is as complete as its least complete operand.
    fn completeness(&self, entry: &Entry<'_>, option: OptionNumber) -> Coverage {
        let Some(formula) = entry.definition.formula() else {
            return Coverage {
                reported: self.figures.of(entry, option).reported,
                expected: self.expected(entry),
            };
        };
        let number = entry.indicator.number;
        if let Some(known) = self.complete.borrow().get(&number) {
            return *known;
        }
        // The answer for a formula that refers back to itself.
        self.complete.borrow_mut().insert(number, Coverage::NOTHING);
        let operands = formula.operands().into_iter();
        let least = operands
            .map(|operand| match self.figures.in_force.operand(&operand) {
                Some((entry, option)) => self.completeness(entry, option),
                // Nobody has a value that is no longer collected, whoever submits the form.
                None => Coverage {
                    reported: 0,
                    expected: self.figuring.expectation.submissions(self.place),
                },
            })
            // Nothing is missing of a value that nobody is to report and nobody has.
            .filter(|share| share.reported + share.expected > 0)
            .min_by(Coverage::compare)
            .unwrap_or(Coverage::NOTHING);
        self.complete.borrow_mut().insert(number, least);
        least
    }
}

/// A count, out of an expected count.
#[derive(Clone, Copy)]
struct Coverage {
    reported: u64,
    expected: u64,
}

impl Coverage {
    const NOTHING: Coverage = Coverage {
        reported: 0,
        expected: 0,
    };

    /// Compares by fraction; of equal fractions, the larger whole comes first.
    fn compare(&self, other: &Coverage) -> std::cmp::Ordering {
        let (one, two) = (
            u128::from(self.reported) * u128::from(other.expected),
            u128::from(other.reported) * u128::from(self.expected),
        );
        one.cmp(&two).then(other.expected.cmp(&self.expected))
    }
}

/// Who is asked for a collected figure in a base period, and how their values go up.
#[derive(PartialEq, Eq)]
struct Asked<'s> {
    across_units: AcrossUnits,
    /// `None` means every level that submits the form.
    levels: Option<&'s [LevelCode]>,
}

/// The values that a period expects. Counts each base period on the tree and the version of its
/// last day, so that one month of twelve does not look complete. Units of another map are counted
/// at their places on the map in view.
pub(in crate::service) struct Expectation<'s>(Vec<(InForce<'s>, LandedRespondents<'s>)>);

impl<'s> Expectation<'s> {
    /// `day` is that of the tree in view.
    pub fn of(snapshot: &'s Snapshot, bases: &[FormPeriod<'s>], day: NaiveDate) -> Expectation<'s> {
        let tree = snapshot.hierarchy.tree_on(day);
        let bases = bases.iter().map(|base| {
            let landings = snapshot.hierarchy.landings(base.closing_day(), day);
            let landings = landings.map(|landings| (landings, tree.as_ref()));
            let respondents = snapshot.respondents(base).landed(landings);
            (snapshot.catalogue.in_force(*base), respondents)
        });
        Expectation(bases.collect())
    }

    /// Counts the (unit, base period) pairs of a subtree that submit the form.
    pub fn submissions(&self, place: Place<'_>) -> u64 {
        self.sum(|_, respondents| respondents.count_below(place, Landing::Whole, |_| true))
    }

    /// Returns who is asked for a figure in each base period; nobody for one that is not collected.
    fn asked(&self, entry: &Entry<'_>) -> Vec<Option<Asked<'s>>> {
        let bases = self.0.iter().map(|(in_force, _)| {
            let entry = in_force.entry(&entry.indicator.code)?;
            let Measure::Collected { across_units, .. } = entry.definition.measure else {
                return None;
            };
            // A form that takes the figure from another one asks nobody.
            let nobody: &[LevelCode] = &[];
            let levels = match entry.item.from_form {
                Some(_) => Some(nobody),
                None => entry.item.collected_at.as_deref(),
            };
            Some(Asked {
                across_units,
                levels,
            })
        });
        bases.collect()
    }

    /// Counts the (unit, base period) pairs of a subtree whose values make up a collected figure at
    /// its top.
    pub fn values(&self, entry: &Entry<'_>, place: Place<'_>) -> u64 {
        self.sum(|in_force, respondents| {
            let Some(entry) = in_force.entry(&entry.indicator.code) else {
                return 0;
            };
            let Measure::Collected { across_units, .. } = entry.definition.measure else {
                return 0;
            };
            let collects = |level: &LevelCode| entry.is_collected_at(level);
            match across_units {
                AcrossUnits::None => respondents.count_at(place, Landing::Itself, collects),
                AcrossUnits::Transfer => respondents.count_at(place, Landing::Whole, collects),
                AcrossUnits::Sum => respondents.count_below(place, Landing::Shares, collects),
                _ => respondents.count_below(place, Landing::Whole, collects),
            }
        })
    }

    fn sum(&self, count: impl Fn(&InForce<'s>, &LandedRespondents<'s>) -> u64) -> u64 {
        let bases = self.0.iter();
        bases
            .map(|(in_force, respondents)| count(in_force, respondents))
            .sum()
    }
}
