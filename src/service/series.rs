//! Series: one figure over several periods, with what it has come to since the beginning of the
//! year (lũy kế) and what it was in the same period a year before (cùng kỳ).

use serde::Serialize;

use super::application::Application;
use super::lineage::{FigureName, LineageError};
use super::locate::{Located, NotFound, ReportPath};
use super::rollup::{Figuring, PeriodName};
use super::snapshot::Snapshot;
use super::totals::Board;
use super::unit::UnitName;
use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::form::{FormPeriod, Span};
use crate::domain::id::UnitId;
use crate::domain::period::Period;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::Stage;
use crate::error::{Code, Fault, Message};
use crate::rollup::node::Rollup;
use crate::store::{StoreError, Transaction};
use crate::{explain, message};

/// The most points of a series.
const MOST: usize = 240;

/// Why a series cannot be given.
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

impl SeriesError {
    fn own(&self) -> (Code, Message, Vec<Fault>) {
        let (from, to) = match self {
            SeriesError::Range { from, to } => (from.as_str(), to.as_str()),
            _ => ("", ""),
        };
        let text = message!(
            "Từ {from:?} đến {to:?} không phải một dãy kỳ: hai kỳ phải cùng loại (như 2024-01 và 2024-12), theo thứ tự, và không quá {MOST} kỳ.",
            "From {from:?} to {to:?} is no range: both must be of one sort (such as 2024-01 and 2024-12), in order, and at most {MOST} periods apart."
        );
        let fault = Fault::in_parameter("to", Code::InvalidParameter, text.clone());
        (Code::InvalidParameter, text, vec![fault])
    }
}

explain!(SeriesError, held: NotFound, Denied, Store, Figure; own);

/// Which figure of which unit, over which periods.
#[derive(Debug, Clone)]
pub struct SeriesQuery {
    pub form: String,
    pub unit: String,
    pub figure: FigureName,
    pub from: String,
    pub to: String,
}

/// A figure over several periods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SeriesView {
    pub form: String,
    /// As it is on the last day of the last period.
    pub unit: UnitName,
    #[schema(example = "fund.raised")]
    pub indicator: String,
    pub option: Option<String>,
    pub stage: Stage,
    pub items: Vec<SeriesItem>,
}

/// A figure in one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SeriesItem {
    pub period: PeriodName,
    /// The figure of the period.
    pub figure: SeriesFigure,
    /// From the beginning of the period's year to its end (lũy kế).
    pub cumulative: SeriesFigure,
    /// The same period a year before (cùng kỳ); null where the form has none.
    pub same_period_last_year: Option<SeriesFigure>,
}

/// A figure, and how complete it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SeriesFigure {
    #[schema(value_type = Option<f64>)]
    pub value: Option<Decimal>,
    pub qualifier: Qualifier,
    pub reported: u64,
    pub expected: u64,
}

/// A figure of a unit over a range of periods of any one sort that the form has.
///
/// # Errors
/// [`SeriesError`].
pub fn get_series(
    application: &Application,
    identity: &Identity,
    query: &SeriesQuery,
) -> Result<SeriesView, SeriesError> {
    application.reading(identity, |transaction, snapshot| {
        let periods = query.periods()?;
        let path = |period: &str, unit: &str| ReportPath {
            form: query.form.clone(),
            period: period.to_owned(),
            unit: unit.to_owned(),
        };
        let last = snapshot.locate(&path(&query.to, &query.unit))?;
        let _permit = snapshot
            .access
            .to_unit(Action::ReadRollups, &last.tree, last.place())?;
        query.figure.find(&last)?;
        let unit = last.place().unit();
        let mut work = Work {
            transaction,
            snapshot,
            figure: &query.figure,
            unit,
        };
        let mut items = Vec::new();
        for period in periods {
            // Periods from before the form or the unit have nothing to show.
            if let Ok(located) = snapshot.locate(&path(&period.to_string(), &unit.to_string())) {
                items.push(work.item(&located)?);
            }
        }
        Ok(SeriesView {
            form: query.form.clone(),
            unit: UnitName::of(last.place()),
            indicator: query.figure.indicator.clone(),
            option: query.figure.option.clone(),
            stage: query.figure.stage,
            items,
        })
    })
}

impl SeriesQuery {
    fn periods(&self) -> Result<Vec<Period>, SeriesError> {
        let range = || SeriesError::Range {
            from: self.from.clone(),
            to: self.to.clone(),
        };
        let from: Period = self.from.parse().map_err(|_| range())?;
        let to: Period = self.to.parse().map_err(|_| range())?;
        let periods = from.through(to);
        if periods.is_empty() || periods.len() > MOST {
            Err(range())
        } else {
            Ok(periods)
        }
    }
}

struct Work<'w, 'c> {
    transaction: &'w mut Transaction<'c>,
    snapshot: &'w Snapshot,
    figure: &'w FigureName,
    unit: UnitId,
}

impl<'w> Work<'w, '_> {
    fn item(&mut self, located: &Located<'_>) -> Result<SeriesItem, SeriesError> {
        let rollup = self.rollup(located)?;
        Ok(SeriesItem {
            period: PeriodName::of(&located.in_force.period),
            figure: self.figure(located, &rollup),
            cumulative: self.cumulative(located)?,
            same_period_last_year: self.last_year(located)?,
        })
    }

    fn rollup(&mut self, located: &Located<'_>) -> Result<Rollup, StoreError> {
        let board = Board::of(self.snapshot, located.in_force.period);
        let position = located.place().position();
        let mut found = board.rollups(self.transaction, [position])?;
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
        // A version of the form without the figure has nothing to show of it.
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

    /// Where a period is kept that runs from the beginning of the year to the same end, it is
    /// the answer; otherwise the span is folded from the submissions.
    fn cumulative(&mut self, located: &Located<'_>) -> Result<SeriesFigure, SeriesError> {
        let period = located.in_force.period;
        let frequency = period.definition.frequency;
        let mut bases = Period::of_year(frequency, period.period.year());
        let last = period.base_periods().last().map(|base| base.period);
        bases.retain(|base| last.is_some_and(|last| *base <= last));
        let kept = Period::coarser(frequency, period.period.year())
            .into_iter()
            .find(|kept| kept.base_periods(frequency) == bases);
        if let Some(kept) = kept.and_then(|kept| self.located(located, kept)) {
            let rollup = self.rollup(&kept)?;
            return Ok(self.figure(&kept, &rollup));
        }
        let form_periods: Vec<FormPeriod<'_>> = bases
            .iter()
            .filter_map(|base| period.form.period(*base))
            .collect();
        let day = period.closing_day();
        let board = Board::of_span(self.snapshot, period, &form_periods, day);
        let position = located.place().position();
        let mut found = board.rollups(self.transaction, [position])?;
        let rollup = found.remove(&position).unwrap_or_default().rollup;
        let figuring = Figuring::over(
            self.snapshot,
            located,
            self.figure.stage,
            &form_periods,
            Span::LongPeriod,
        );
        Ok(self.shown(&figuring, located, &rollup))
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
        self.snapshot.locate(&path).ok()
    }
}
