//! What a reorganisation would make of the figures: the latest reported period of each form, by
//! the units at the top, on the map before and on the map after. Never the map itself.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::super::locate::ReportPath;
use super::super::rollup::{Counts, Figuring};
use super::super::snapshot::Snapshot;
use super::super::totals::{Board, reported_periods};
use super::super::unit::UnitName;
use super::super::watcher::{Phase, Watcher};
use crate::domain::form::{FormPeriod, Span};
use crate::domain::hierarchy::{Place, Tree};
use crate::domain::quantity::Decimal;
use crate::domain::submission::Stage;
use crate::store::{StoreError, Transaction};

/// The latest reported period of a form, on both maps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FormForecast {
    pub form: String,
    #[schema(example = "2025-06")]
    pub period: String,
    /// By the units at the top of the map of the day before; below the one root, if there is one.
    pub before: Vec<UnitForecast>,
    /// By those of the effective day.
    pub after: Vec<UnitForecast>,
}

/// A unit's totals on one of the maps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnitForecast {
    pub unit: UnitName,
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

/// A day's map, as it is or as it would be.
pub(super) struct Map<'s> {
    pub snapshot: &'s Snapshot,
    pub day: NaiveDate,
}

pub(super) fn forecast(
    transaction: &mut Transaction<'_>,
    before: &Map<'_>,
    after: &Map<'_>,
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
        let before = before.units(transaction, period)?;
        watcher.advance(1);
        let after = after.units(transaction, period)?;
        watcher.advance(1);
        forecasts.push(FormForecast {
            form: period.form.code.to_string(),
            period: period.period.to_string(),
            before,
            after,
        });
    }
    Ok(forecasts)
}

impl Map<'_> {
    fn units(
        &self,
        transaction: &mut Transaction<'_>,
        period: &FormPeriod<'_>,
    ) -> Result<Vec<UnitForecast>, StoreError> {
        let day = self.day.max(period.closing_day());
        let tree = self.snapshot.hierarchy.tree_on(day);
        let Some(first) = tree.places().next() else {
            return Ok(Vec::new());
        };
        let path = ReportPath {
            form: period.form.code.to_string(),
            period: period.period.to_string(),
            unit: first.unit().to_string(),
        };
        let Ok(located) = self.snapshot.locate_as_of(&path, Some(day)) else {
            return Ok(Vec::new());
        };
        let board = Board::to_fold(self.snapshot, located.in_force.period, day);
        let places: Vec<Place<'_>> = board.tree().places_with_leaves().collect();
        let folded = board.folded(transaction, &places, BTreeMap::new())?;
        let figuring = Figuring::of(self.snapshot, &located, Stage::Submitted);
        let units = tops(board.tree()).into_iter().map(|place| {
            let rollup = folded.get(&place.position()).cloned().unwrap_or_default();
            let cells = figuring.cells(&rollup, place).into_iter();
            UnitForecast {
                unit: UnitName::of(place),
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
            }
        });
        Ok(units.collect())
    }
}

fn tops(tree: &Tree) -> Vec<Place<'_>> {
    let roots: Vec<Place<'_>> = tree.places().filter(|place| place.depth() == 0).collect();
    match roots.as_slice() {
        [country] if country.children().len() > 0 => country.children().collect(),
        _ => roots,
    }
}
