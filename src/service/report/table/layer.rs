//! The layers of a table: each period in its columns, on its map, and the place of each row's unit there.
//! Contains no figures.

use std::sync::Arc;

use crate::authz::Action;
use crate::domain::form::{Form, FormPeriod};
use crate::domain::hierarchy::{Place, Position};
use crate::domain::id::UnitId;
use crate::domain::period::Period;
use crate::service::application::locate::{Located, NotFound, ReportPath};
use crate::service::application::snapshot::Snapshot;
use crate::service::report::table::{Addition, AskedColumns, MOST_PERIODS, TableError, TableQuery};

/// A period on its map.
pub(super) struct Layer<'s> {
    /// The period at any of the table's units.
    pub located: Located<'s>,
    /// Whether the map is the one whose units are the rows.
    is_on_map_of_rows: bool,
    /// The place of the table's unit, if it is there and may be read.
    top: Option<Position>,
}

/// A period of the table, and the same period a year before if it is shown.
pub(super) struct Pair<'s> {
    pub current: Layer<'s>,
    pub previous: Option<Layer<'s>>,
}

/// All periods of a table, in order.
pub(super) struct Layers<'s>(pub Vec<Pair<'s>>);

/// Finds the unit in the last period of a table, and permits reading it.
pub(super) fn last<'s>(
    snapshot: &'s Snapshot,
    query: &TableQuery,
) -> Result<Located<'s>, TableError> {
    let period = match &query.columns {
        AskedColumns::Indicators { period, .. } => period,
        AskedColumns::Periods { to, .. } => to,
    };
    let path = ReportPath {
        form: query.form.clone(),
        period: period.clone(),
        unit: query.unit.clone(),
    };
    let located = snapshot.locate_report(&path, query.as_of)?;
    let _permit = snapshot.may_read(&located)?;
    Ok(located)
}

impl<'s> Layers<'s> {
    /// Finds the periods of a table whose rows are `places` of the map of `last`.
    pub fn of(
        snapshot: &'s Snapshot,
        query: &TableQuery,
        last: &Located<'s>,
        places: &[Place<'_>],
    ) -> Result<Layers<'s>, TableError> {
        let periods = periods(query, last)?;
        let units: Vec<UnitId> = std::iter::once(&last.place())
            .chain(places)
            .map(|place| place.unit())
            .collect();
        let layer = |period| Layer::of(snapshot, query, period, (last, &units));
        // Periods before the form or any of the units existed have nothing to show.
        let pairs = periods.into_iter().filter_map(|period| {
            let is_compared = query.has(Addition::Previous);
            let before = period.in_year(period.year() - 1);
            Some(Pair {
                current: layer(period)?,
                previous: before.filter(|_| is_compared).and_then(layer),
            })
        });
        Ok(Layers(pairs.collect()))
    }

    /// All periods, those of a year before too.
    pub fn all(&self) -> impl Iterator<Item = &Layer<'s>> {
        let pairs = self.0.iter();
        pairs.flat_map(|pair| std::iter::once(&pair.current).chain(&pair.previous))
    }
}

fn periods(query: &TableQuery, last: &Located<'_>) -> Result<Vec<Period>, TableError> {
    let (from, to) = match &query.columns {
        AskedColumns::Indicators { .. } => return Ok(vec![last.period()]),
        AskedColumns::Periods { from, to, .. } => (from, to),
    };
    let form: &Form = last.form();
    let first = from.parse().ok();
    let through = first.map(|first| form.periods_through(first, last.period()));
    match through {
        Some(periods) if !periods.is_empty() && periods.len() <= MOST_PERIODS => Ok(periods),
        _ => Err(TableError::Range {
            from: from.clone(),
            to: to.clone(),
        }),
    }
}

impl<'s> Layer<'s> {
    fn of(
        snapshot: &'s Snapshot,
        query: &TableQuery,
        period: Period,
        (last, units): (&Located<'s>, &[UnitId]),
    ) -> Option<Layer<'s>> {
        last.form().period(period)?;
        let path = |unit: &UnitId| ReportPath {
            form: query.form.clone(),
            period: period.to_string(),
            unit: unit.to_string(),
        };
        let mut found = units.iter();
        let located =
            found.find_map(|unit| snapshot.locate_report(&path(unit), query.as_of).ok())?;
        let mut layer = Layer {
            is_on_map_of_rows: Arc::ptr_eq(&located.tree, &last.tree),
            located,
            top: None,
        };
        let top = layer.place(snapshot, query, last.place());
        layer.top = top.map(Place::position);
        Some(layer)
    }

    pub fn period(&self) -> &FormPeriod<'s> {
        &self.located.in_force.period
    }

    /// Returns the place of the table's unit, if it is there and may be read.
    pub fn top(&self) -> Option<Place<'_>> {
        self.top.map(|top| self.located.tree.at(top))
    }

    /// Returns the place of a row's unit, if it is there and may be read. A grant covers its subtree on a
    /// period's last day: its holder may not read the figures from before a unit came there.
    pub fn place(
        &self,
        snapshot: &Snapshot,
        query: &TableQuery,
        row: Place<'_>,
    ) -> Option<Place<'_>> {
        let tree = &self.located.tree;
        let place = match (self.is_on_map_of_rows, row.is_leaf()) {
            (true, _) => Some(tree.at(row.position())),
            (false, false) => tree.by_id(row.unit()),
            // As long as the unit stood nothing was left of it.
            (false, true) => Some(tree.left_of(row.unit())?),
        };
        let Some(place) = place else {
            return self.left(snapshot, query, row);
        };
        let is_below = self.top().is_some_and(|top| top.covers(place));
        let may_read = || {
            let permit = snapshot.access.to_unit(Action::ReadRollups, tree, place);
            permit.is_ok()
        };
        (is_below || may_read()).then_some(place)
    }

    /// Returns the place of the undivided part of a unit that ended.
    fn left(&self, snapshot: &Snapshot, query: &TableQuery, row: Place<'_>) -> Option<Place<'_>> {
        let path = ReportPath {
            form: query.form.clone(),
            period: self.located.period().to_string(),
            unit: row.unit().to_string(),
        };
        let found: Result<Located<'_>, NotFound> = snapshot.locate_report(&path, query.as_of);
        let found = found.ok()?;
        let may_read = snapshot.may_read(&found).is_ok();
        may_read.then(|| self.located.tree.at(found.place().position()))
    }
}
