//! Forecasts figures after a reorganisation: the latest reported period of each form, for the top
//! units, on the maps before and after.

use crate::service::application::name::{PeriodName, UnitName};
use crate::service::totals::cell::{Counts, Figuring};
use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use crate::domain::form::{FormPeriod, Span};
use crate::domain::hierarchy::{Place, Position};
use crate::domain::id::UnitId;
use crate::domain::quantity::Decimal;
use crate::domain::submission::Stage;
use crate::rollup::node::{KeptRollup, Rollup};
use crate::service::application::locate::{Located, ReportPath};
use crate::service::application::snapshot::Snapshot;
use crate::service::application::watcher::{Phase, Watcher};
use crate::service::totals::{Board, join, reported_periods};
use crate::store::{StoreError, Transaction};

/// The latest reported period of a form on both maps. Both sides have the same rows: the units at
/// the top of the two maps, or below the root if both have the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FormForecast {
    pub form: String,
    pub period: PeriodName,
    /// On the map of the day before.
    pub before: Vec<UnitForecast>,
    /// On the map of the effective day.
    pub after: Vec<UnitForecast>,
}

/// A unit's totals on one of the maps; empty if the unit does not exist on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnitForecast {
    pub unit: UnitName,
    /// If true, this is the undivided part of a former unit, not a unit that exists.
    pub not_divided: bool,
    pub completeness: Counts,
    pub totals: Vec<TotalForecast>,
}

/// An indicator's total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TotalForecast {
    #[schema(example = "fund.raised")]
    pub indicator: String,
    #[schema(value_type = Option<f64>, example = 1562410000)]
    pub value: Option<Decimal>,
    pub reported: u64,
    pub expected: u64,
}

/// A day's map, present or planned.
pub(super) struct DayMap<'s> {
    pub snapshot: &'s Snapshot,
    pub day: NaiveDate,
}

pub(super) fn forecast(
    transaction: &mut Transaction<'_>,
    before: &DayMap<'_>,
    after: &DayMap<'_>,
    watcher: &dyn Watcher,
) -> Result<Vec<FormForecast>, StoreError> {
    let mut periods = reported_periods(transaction, before.snapshot)?;
    periods.retain(|period| period.span == Span::BasePeriod);
    periods.sort_by_key(|period| (period.form.number, period.closing_day()));
    let latest: Vec<&FormPeriod<'_>> = periods
        .chunk_by(|a, b| a.form.number == b.form.number)
        .filter_map(<[FormPeriod<'_>]>::last)
        .collect();
    watcher.begin(Phase::Figures, 2 * latest.len());
    let mut forecasts = Vec::new();
    for period in latest {
        let before = Side::of(transaction, before, period)?;
        watcher.advance(1);
        let after = Side::of(transaction, after, period)?;
        watcher.advance(1);
        let country = |side: &Option<Side<'_>>| side.as_ref().and_then(Side::country);
        let rows = match country(&before) {
            Some(one) if country(&after) == Some(one) => ForecastRows::BelowCountry,
            _ => ForecastRows::Roots,
        };
        let units =
            |side: Option<Side<'_>>| side.map_or_else(|| Ok(Vec::new()), |side| side.units(rows));
        let (before, after) = (units(before)?, units(after)?);
        forecasts.push(FormForecast {
            form: period.form.code.to_string(),
            period: PeriodName::of(period),
            before: with_all_of(&before, &after),
            after: with_all_of(&after, &before),
        });
    }
    Ok(forecasts)
}

/// The units that the rows show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ForecastRows {
    Roots,
    BelowCountry,
}

/// A period on one of the maps.
struct Side<'s> {
    snapshot: &'s Snapshot,
    located: Located<'s>,
    folded: BTreeMap<Position, KeptRollup>,
}

impl<'s> Side<'s> {
    /// Folds a period on a map. `None` if the map has no unit.
    fn of(
        transaction: &mut Transaction<'_>,
        map: &DayMap<'s>,
        period: &FormPeriod<'_>,
    ) -> Result<Option<Side<'s>>, StoreError> {
        let snapshot = map.snapshot;
        let day = map.day.max(period.closing_day());
        let tree = snapshot.hierarchy.tree_on(day);
        let Some(first) = tree.places().next() else {
            return Ok(None);
        };
        let path = ReportPath {
            form: period.form.code.to_string(),
            period: period.period.to_string(),
            unit: first.unit().to_string(),
        };
        let Ok(located) = snapshot.locate_as_of(&path, Some(day)) else {
            return Ok(None);
        };
        let mut fold =
            |period: FormPeriod<'s>| -> Result<BTreeMap<Position, KeptRollup>, StoreError> {
                let board = Board::to_fold(snapshot, period, day);
                let places: Vec<Place<'_>> = board.tree().places_with_leaves().collect();
                let folded = board
                    .folded(transaction, &places, BTreeMap::new())?
                    .into_iter();
                let folded =
                    folded.map(|(position, rollup)| (position, KeptRollup { rollup, rev: 0 }));
                Ok(folded.collect())
            };
        let own = fold(located.in_force.period)?;
        let folded = join(own, &located.in_force, fold)?;
        Ok(Some(Side {
            snapshot,
            located,
            folded,
        }))
    }

    fn roots(&self) -> impl Iterator<Item = Place<'_>> {
        let all = self.located.tree.places_with_leaves();
        all.filter(|place| place.depth() == 0)
    }

    /// Returns the root, if there is exactly one and it has units below it.
    fn country(&self) -> Option<UnitId> {
        let mut roots = self.roots().filter(|root| !root.is_leaf());
        let root = roots.next().filter(|root| root.children().len() > 0)?;
        roots.next().is_none().then(|| root.unit())
    }

    fn units(&self, rows: ForecastRows) -> Result<Vec<UnitForecast>, StoreError> {
        let figuring = Figuring::of(self.snapshot, &self.located, Stage::Submitted);
        let shown =
            |place: &Place<'_>| !place.is_leaf() || self.rollup(*place) != Rollup::default();
        let forecast = |place: Place<'_>| {
            let rollup = self.rollup(place);
            let cells = figuring.cells(&rollup, place)?.into_iter();
            Ok(UnitForecast {
                unit: UnitName::of(place),
                not_divided: place.is_leaf(),
                completeness: figuring.counts(&rollup, place),
                totals: cells
                    .filter(|cell| cell.option.is_none())
                    .map(|cell| TotalForecast {
                        indicator: cell.indicator,
                        value: cell.value,
                        reported: cell.reported,
                        expected: cell.expected,
                    })
                    .collect(),
            })
        };
        let roots = self.roots();
        match rows {
            ForecastRows::Roots => roots.filter(shown).map(forecast).collect(),
            ForecastRows::BelowCountry => {
                let below = roots.flat_map(|root| match root.is_leaf() {
                    true => vec![root],
                    false => root.parts().collect(),
                });
                below.filter(shown).map(forecast).collect()
            }
        }
    }

    fn rollup(&self, place: Place<'_>) -> Rollup {
        let folded = self.folded.get(&place.position());
        folded
            .map(|folded| folded.rollup.clone())
            .unwrap_or_default()
    }
}

/// Returns one side's rows, with an empty row for each row of the other side that it lacks.
fn with_all_of(side: &[UnitForecast], other: &[UnitForecast]) -> Vec<UnitForecast> {
    let is_same = |a: &UnitForecast, b: &UnitForecast| {
        (&a.unit.id, a.not_divided) == (&b.unit.id, b.not_divided)
    };
    let lacking = other.iter();
    let lacking = lacking.filter(|row| !side.iter().any(|known| is_same(known, row)));
    let lacking = lacking.map(|row| UnitForecast {
        completeness: Counts::default(),
        totals: row.totals.iter().map(TotalForecast::of_nothing).collect(),
        ..row.clone()
    });
    let mut rows: Vec<UnitForecast> = side.iter().cloned().chain(lacking).collect();
    rows.sort_by(|a, b| {
        let key =
            |row: &UnitForecast| (row.not_divided, row.unit.code.clone(), row.unit.id.clone());
        key(a).cmp(&key(b))
    });
    rows
}

impl TotalForecast {
    fn of_nothing(&self) -> TotalForecast {
        TotalForecast {
            indicator: self.indicator.clone(),
            value: None,
            reported: 0,
            expected: 0,
        }
    }
}
