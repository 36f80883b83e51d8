//! Series: one figure over several periods, with its total since the beginning of the year (lũy kế)
//! and the same period a year before (cùng kỳ).

use crate::locale::Quoted;
use crate::service::application::name::PeriodName;
use crate::service::application::name::UnitName;
use crate::service::totals::cell::Figuring;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::Denied;
use crate::domain::form::{Form, FormPeriod};
use crate::domain::hierarchy::Position;
use crate::domain::id::{FormNumber, IndicatorNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::Stage;
use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::rollup::carry::Contributions;
use crate::rollup::node::{KeptRollup, Rollup};
use crate::service::application::Application;
use crate::service::application::locate::{Located, NotFound, ReportPath};
use crate::service::application::snapshot::Snapshot;
use crate::service::report::lineage::{FigureName, LineageError};
use crate::service::report::map::MapView;
use crate::service::totals::{Board, given_by, join, joined_rollups, maps_of};
use crate::store::{StoreError, Transaction};

/// The most points of a series.
const MOST: usize = 240;

/// The errors of reading a series.
#[derive(Debug, thiserror::Error)]
pub enum SeriesError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Figure(#[from] LineageError),
    #[error("from {from} to {to} is no range of periods")]
    Range { from: String, to: String },
}

impl Explain for SeriesError {
    fn explain(&self) -> Explanation {
        match self {
            // The unit is looked for in the last period.
            SeriesError::NotFound(
                held @ (NotFound::Period { .. } | NotFound::BasePeriod { .. }),
            ) => held.explain().of_parameter("to"),
            SeriesError::NotFound(held) => held.explain(),
            SeriesError::Denied(held) => held.explain(),
            SeriesError::Store(held) => held.explain(),
            SeriesError::Figure(held) => held.explain(),
            SeriesError::Range { from, to } => Explanation::new(
                Code::InvalidParameter,
                message!(
                    "series-no-range",
                    from = Quoted(&from),
                    to = Quoted(&to),
                    most = MOST
                ),
            )
            .of_parameter("to"),
        }
    }
}

/// The figure, the unit and the periods of a series.
#[derive(Debug, Clone)]
pub struct SeriesQuery {
    pub form: String,
    pub unit: String,
    pub figure: FigureName,
    /// The codes of more indicators, whose figures are shown over the same periods.
    pub others: Vec<String>,
    pub from: String,
    pub to: String,
    /// The day whose map all figures are put on; by default each figure's own last day.
    pub as_of: Option<NaiveDate>,
}

/// A figure over several periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SeriesView {
    pub form: String,
    /// The unit as it is on the last day of the last period.
    pub unit: UnitName,
    #[schema(example = "fund.raised")]
    pub indicator: String,
    pub option: Option<String>,
    pub stage: Stage,
    /// The map of the last period or of the day that was asked for, and what changed it since the
    /// first.
    pub map: MapView,
    pub items: Vec<SeriesItem>,
    /// The same for each further indicator that was asked for; empty for one indicator.
    pub others: Vec<OtherSeries>,
}

/// The figure of a further indicator over the same periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OtherSeries {
    #[schema(example = "fund.spent")]
    pub indicator: String,
    pub items: Vec<SeriesItem>,
}

/// A figure in one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SeriesItem {
    pub period: PeriodName,
    /// The figure of the period.
    pub figure: SeriesFigure,
    /// The total from the beginning of the year to the period's end (lũy kế). Null for a form's own
    /// window, which is not part of a year's course.
    pub cumulative: Option<SeriesFigure>,
    /// The same period a year before (cùng kỳ); null if the form has none.
    pub same_period_last_year: Option<SeriesFigure>,
}

/// A figure and its completeness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SeriesFigure {
    #[schema(value_type = Option<f64>)]
    pub value: Option<Decimal>,
    pub qualifier: Qualifier,
    pub reported: u64,
    pub expected: u64,
}

/// Reads a unit's figure over a range of periods of one kind.
///
/// # Errors
/// [`SeriesError`].
pub fn get_series(
    application: &Application,
    identity: &Identity,
    query: &SeriesQuery,
) -> Result<SeriesView, SeriesError> {
    application.reading(identity, |transaction, snapshot| {
        let periods = query.periods(snapshot.form(&query.form)?)?;
        let path = |period: &str, unit: &str| ReportPath {
            form: query.form.clone(),
            period: period.to_owned(),
            unit: unit.to_owned(),
        };
        let last = snapshot.locate_report(&path(&query.to, &query.unit), query.as_of)?;
        let _permit = snapshot.may_read(&last)?;
        let figures = query.figures();
        for figure in &figures {
            figure.find(&last)?;
        }
        let unit = last.place().unit();
        // Periods before the form or the unit existed have nothing to show.
        let points = periods.iter().filter_map(|period| {
            let path = path(&period.to_string(), &unit.to_string());
            let located = snapshot.locate_report(&path, query.as_of).ok()?;
            snapshot.may_read(&located).is_ok().then_some(located)
        });
        let points: Vec<Located<'_>> = points.collect();
        let map = MapView::over(transaction, snapshot, &points, &last)?;
        let mut all = Vec::new();
        for figure in &figures {
            let (entry, _) = figure.find(&last)?;
            let mut work = SeriesWork {
                transaction,
                snapshot,
                figure,
                indicators: snapshot.catalogue.behind(&entry.indicator.code),
                unit,
                as_of: query.as_of,
                points: &points,
                years: HashMap::new(),
            };
            let items = points.iter().map(|located| work.item(located));
            all.push(OtherSeries {
                indicator: figure.indicator.clone(),
                items: items.collect::<Result<_, _>>()?,
            });
        }
        let mut all = all.into_iter();
        let (indicator, items) = all
            .next()
            .map(|first| (first.indicator, first.items))
            .unwrap_or_default();
        Ok(SeriesView {
            form: query.form.clone(),
            unit: UnitName::of(last.place()),
            indicator,
            option: query.figure.option.clone(),
            stage: query.figure.stage,
            map,
            items,
            others: all.collect(),
        })
    })
}

impl SeriesQuery {
    /// Lists the figures to show, in the order in which they were asked for.
    fn figures(&self) -> Vec<FigureName> {
        let others = self.others.iter().map(|indicator| FigureName {
            indicator: indicator.clone(),
            ..self.figure.clone()
        });
        std::iter::once(self.figure.clone()).chain(others).collect()
    }

    fn periods(&self, form: &Form) -> Result<Vec<Period>, SeriesError> {
        let range = || SeriesError::Range {
            from: self.from.clone(),
            to: self.to.clone(),
        };
        let from: Period = self.from.parse().map_err(|_| range())?;
        let to: Period = self.to.parse().map_err(|_| range())?;
        let periods = form.periods_through(from, to);
        if periods.is_empty() || periods.len() > MOST {
            Err(range())
        } else {
            Ok(periods)
        }
    }
}

struct SeriesWork<'w, 'c> {
    transaction: &'w mut Transaction<'c>,
    snapshot: &'w Snapshot,
    figure: &'w FigureName,
    /// The indicators that the figure is made of.
    indicators: BTreeSet<IndicatorNumber>,
    unit: UnitId,
    as_of: Option<NaiveDate>,
    points: &'w [Located<'w>],
    /// Contributions read so far, by form, for the years in which a total to date is folded.
    years: HashMap<(FormNumber, i32), Contributions>,
}

impl<'w> SeriesWork<'w, '_> {
    fn item(&mut self, located: &Located<'_>) -> Result<SeriesItem, SeriesError> {
        self.snapshot.patience.check()?;
        let rollup = self.rollup(located)?;
        Ok(SeriesItem {
            period: PeriodName::of(&located.in_force.period),
            figure: self.figure(located, &rollup),
            cumulative: self.cumulative(located)?,
            same_period_last_year: self.last_year(located)?,
        })
    }

    fn rollup(&mut self, located: &Located<'_>) -> Result<Rollup, StoreError> {
        let position = located.place().position();
        let mut found = joined_rollups(self.transaction, self.snapshot, located, [position])?;
        Ok(found.remove(&position).unwrap_or_default().rollup)
    }

    fn figure(&self, located: &Located<'_>, rollup: &Rollup) -> SeriesFigure {
        let figuring = Figuring::of(self.snapshot, located, self.figure.stage);
        self.shown(&figuring, located, rollup)
    }

    fn shown(
        &self,
        figuring: &Figuring<'_, '_>,
        located: &Located<'_>,
        rollup: &Rollup,
    ) -> SeriesFigure {
        // A version of the form without the figure has nothing to show.
        let Ok((entry, option)) = self.figure.find(located) else {
            return SeriesFigure {
                value: None,
                qualifier: Qualifier::Exact,
                reported: 0,
                expected: 0,
            };
        };
        let cell = figuring.cell(rollup, located.place(), entry, option);
        SeriesFigure {
            value: cell.value,
            qualifier: cell.qualifier,
            reported: cell.reported,
            expected: cell.expected,
        }
    }

    /// Reads the total to date from a stored period with the same end, if there is one. Otherwise
    /// folds it from the submissions.
    fn cumulative(&mut self, located: &Located<'_>) -> Result<Option<SeriesFigure>, SeriesError> {
        let period = located.in_force.period;
        let Some(to_date) = period.year_to_date() else {
            return Ok(None);
        };
        let kept = to_date.kept.and_then(|kept| self.located(located, kept));
        if let Some(kept) = kept {
            let rollup = self.rollup(&kept)?;
            return Ok(Some(self.figure(&kept, &rollup)));
        }
        let position = located.place().position();
        let own = self.folded_to_date(located, period)?;
        let mut joined = join(own, &located.in_force, |giving| {
            self.folded_to_date(located, giving)
        })?;
        let rollup = joined.remove(&position).unwrap_or_default().rollup;
        let figuring = Figuring::of_year_to_date(self.snapshot, located, self.figure.stage);
        Ok(Some(self.shown(&figuring, located, &rollup)))
    }

    /// Folds the year up to the end of a form's period, at a point's place.
    fn folded_to_date(
        &mut self,
        point: &Located<'_>,
        period: FormPeriod<'_>,
    ) -> Result<BTreeMap<Position, KeptRollup>, StoreError> {
        self.snapshot.patience.check()?;
        let bases = period.base_periods_to_date();
        let (snapshot, place) = (self.snapshot, point.place());
        let board = Board::of_span(snapshot, period, &bases, point.map_day());
        let rollup = board.fold_from(self.year(period)?, place);
        let folded = KeptRollup { rollup, rev: 0 };
        Ok(BTreeMap::from([(place.position(), folded)]))
    }

    /// Reads, once a year, the contributions below the unit in all base periods of a form up to the
    /// year's last point.
    fn year(&mut self, period: FormPeriod<'_>) -> Result<&Contributions, StoreError> {
        let (form, year) = (period.form.number, period.period.year());
        match self.years.entry((form, year)) {
            Entry::Occupied(read) => Ok(read.into_mut()),
            Entry::Vacant(empty) => {
                let mut bases: BTreeMap<Period, FormPeriod<'_>> = BTreeMap::new();
                let mut units: BTreeSet<UnitId> = BTreeSet::new();
                for point in self.points {
                    let mut periods = point.in_force.periods_behind().into_iter();
                    let of_form = periods.find(|period| period.form.number == form);
                    let Some(of_form) = of_form.filter(|period| period.period.year() == year)
                    else {
                        continue;
                    };
                    let of_point = of_form.base_periods_to_date();
                    let day = point.map_day();
                    let board = Board::of_span(self.snapshot, of_form, &of_point, day);
                    units.extend(board.sources_below(point.place()));
                    bases.extend(of_point.into_iter().map(|base| (base.period, base)));
                }
                let bases: Vec<FormPeriod<'_>> = bases.into_values().collect();
                let units: Vec<UnitId> = units.into_iter().collect();
                let maps = maps_of(self.snapshot, &bases);
                let mut contributions = given_by(self.transaction, form, &maps, &units)?;
                for contribution in contributions.values_mut() {
                    let facts = &mut contribution.facts;
                    facts.retain(|fact| self.indicators.contains(&fact.indicator));
                }
                Ok(empty.insert(contributions))
            }
        }
    }

    fn last_year(&mut self, located: &Located<'_>) -> Result<Option<SeriesFigure>, SeriesError> {
        let period = located.period();
        let before = period.in_year(period.year() - 1);
        let Some(before) = before.and_then(|before| self.located(located, before)) else {
            return Ok(None);
        };
        let rollup = self.rollup(&before)?;
        Ok(Some(self.figure(&before, &rollup)))
    }

    fn located(&self, near: &Located<'_>, period: Period) -> Option<Located<'w>> {
        let path = ReportPath {
            form: near.form().code.to_string(),
            period: period.to_string(),
            unit: self.unit.to_string(),
        };
        // A grant covers its subtree on a period's last day. Its holder could not read the unit's
        // figures from before the unit came there.
        let located = self.snapshot.locate_report(&path, self.as_of).ok()?;
        self.snapshot.may_read(&located).is_ok().then_some(located)
    }
}
