//! The totals of the units above those of an import, before and after it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::super::rule::rollup_at;
use crate::domain::form::Span;
use crate::domain::hierarchy::Position;
use crate::domain::id::UnitId;
use crate::domain::quantity::Decimal;
use crate::domain::submission::Stage;
use crate::rollup::figure::Figures;
use crate::service::application::locate::{Located, ReportPath};
use crate::service::application::name::UnitName;
use crate::service::application::snapshot::Snapshot;
use crate::store::{StoreError, Transaction};

/// The most units above whose totals are told.
const MOST_ABOVE: usize = 20;

/// The totals of a unit that an import moves.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MovedTotals {
    pub unit: UnitName,
    /// The totals that differ.
    pub figures: Vec<MovedFigure>,
}

/// A total before and after an import.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MovedFigure {
    pub indicator: String,
    pub option: Option<String>,
    /// Null if there was none.
    #[schema(value_type = Option<f64>)]
    pub before: Option<Decimal>,
    /// Null if there is none.
    #[schema(value_type = Option<f64>)]
    pub after: Option<Decimal>,
}

/// The units above those of an import, with their totals before it.
pub(super) struct Above {
    units: Vec<(ReportPath, Vec<Option<Decimal>>)>,
    /// True if there are more units above than are told.
    pub is_cut: bool,
}

impl Above {
    /// Reads the totals of the units above, from the top. Leaves out those that the caller may not
    /// read.
    pub fn read(
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
        path: &ReportPath,
        units: impl Iterator<Item = UnitId>,
    ) -> Result<Above, StoreError> {
        let mut above = Above {
            units: Vec::new(),
            is_cut: false,
        };
        for unit in units_above(snapshot, path, units) {
            let path = ReportPath {
                unit: unit.to_string(),
                ..path.clone()
            };
            let Ok(located) = snapshot.locate_base(&path) else {
                continue;
            };
            if snapshot.may_read(&located).is_err() {
                continue;
            }
            if above.units.len() == MOST_ABOVE {
                above.is_cut = true;
                break;
            }
            let totals = totals_at(transaction, snapshot, &located)?;
            above.units.push((path, totals));
        }
        Ok(above)
    }

    /// Compares with the totals of now.
    pub fn moved(
        &self,
        transaction: &mut Transaction<'_>,
        snapshot: &Snapshot,
    ) -> Result<Vec<MovedTotals>, StoreError> {
        let mut moved = Vec::new();
        for (path, before) in &self.units {
            let Ok(located) = snapshot.locate_base(path) else {
                continue;
            };
            let after = totals_at(transaction, snapshot, &located)?;
            let figures = located.in_force.entered_figures();
            let figures = figures.zip(before.iter().zip(after));
            let differing = figures.filter(|(_, (before, after))| *before != after);
            let figures = differing.map(|((entry, _, option), (before, after))| MovedFigure {
                indicator: entry.indicator.code.to_string(),
                option: option.map(|option| option.code.to_string()),
                before: before.clone(),
                after,
            });
            moved.push(MovedTotals {
                unit: UnitName::of(located.place()),
                figures: figures.collect(),
            });
        }
        Ok(moved)
    }
}

/// Returns the units above others, from the top.
fn units_above(
    snapshot: &Snapshot,
    path: &ReportPath,
    units: impl Iterator<Item = UnitId>,
) -> Vec<UnitId> {
    let Ok(period) = snapshot.base_period(&path.form, &path.period) else {
        return Vec::new();
    };
    let tree = snapshot.hierarchy.tree_on(period.closing_day());
    let mut above: BTreeSet<(usize, Position)> = BTreeSet::new();
    for place in units.filter_map(|unit| tree.by_id(unit)) {
        for ancestor in place.ancestors() {
            // Those above a known one are known.
            if !above.insert((ancestor.depth(), ancestor.position())) {
                break;
            }
        }
    }
    let above = above.into_iter();
    above
        .map(|(_, position)| tree.at(position).unit())
        .collect()
}

/// Returns a unit's totals, in the order of the figures that units enter.
fn totals_at(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
) -> Result<Vec<Option<Decimal>>, StoreError> {
    let rollup = rollup_at(transaction, snapshot, located)?;
    let figures = Figures::new(
        &rollup,
        &located.in_force,
        Stage::Submitted,
        Span::BasePeriod,
    );
    let totals = located.in_force.entered_figures();
    let totals = totals.map(|(entry, option, _)| figures.of(entry, option).value());
    Ok(totals.collect())
}
