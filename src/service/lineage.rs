//! Lineage (nguồn số liệu): which units' revisions make a figure, and which are missing.

use std::collections::HashMap;

use serde::Serialize;

use super::application::Application;
use super::locate::{Located, NotFound, ReportPath};
use super::page::{Page, PageRequest, UnknownCursor};
use super::rollup::{CellView, Figuring, PeriodName};
use super::snapshot::Snapshot;
use super::totals::Board;
use super::unit::UnitName;
use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::catalogue::Entry;
use crate::domain::formula::Formula;
use crate::domain::hierarchy::Place;
use crate::domain::id::{OptionNumber, UnitId};
use crate::domain::indicator::{AcrossUnits, Measure};
use crate::domain::period::Period;
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::Stage;
use crate::error::{Code, Fault, Message};
use crate::store::StoreError;
use crate::store::submission::{Counting, Units, counting_of};
use crate::{explain, message};

/// Why a figure's sources cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum LineageError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Cursor(#[from] UnknownCursor),
    #[error("the form has no {indicator}, option {option:?}")]
    NotInForm {
        indicator: String,
        option: Option<String>,
    },
}

impl LineageError {
    fn own(&self) -> (Code, Message, Vec<Fault>) {
        let (indicator, option) = match self {
            LineageError::NotInForm { indicator, option } => {
                (indicator.as_str(), option.as_deref())
            }
            _ => ("", None),
        };
        let option = option.unwrap_or("–");
        let text = message!(
            "Mẫu báo cáo không có chỉ tiêu {indicator:?} với phân tổ {option:?} trong kỳ này.",
            "The form has no indicator {indicator:?} with the option {option:?} in this period."
        );
        let fault = Fault::in_parameter("indicator", Code::UnknownIndicator, text.clone());
        (Code::UnknownIndicator, text, vec![fault])
    }
}

explain!(LineageError, held: NotFound, Denied, Store, Cursor; own);

/// Which figure.
#[derive(Debug, Clone)]
pub struct FigureName {
    pub indicator: String,
    pub option: Option<String>,
    pub stage: Stage,
}

impl FigureName {
    /// The figure's place in a form.
    pub(super) fn find<'f, 's>(
        &self,
        located: &'f Located<'s>,
    ) -> Result<(&'f Entry<'s>, OptionNumber), LineageError> {
        let figure = located
            .in_force
            .figure(&self.indicator, self.option.as_deref());
        figure.ok_or_else(|| LineageError::NotInForm {
            indicator: self.indicator.clone(),
            option: self.option.clone(),
        })
    }
}

/// Where a figure comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineageView {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    pub stage: Stage,
    /// The figure itself.
    pub figure: CellView,
    /// The formula of a derived figure; null for a collected one.
    pub formula: Option<String>,
    /// The figures that the formula is made of, each of which has a lineage of its own.
    pub operands: Vec<CellView>,
    /// Every unit and base period that is expected to have a value or has one, in the order of
    /// the tree; of a derived figure none.
    pub items: Vec<SourceView>,
    /// What to send as `cursor` for the next page of `items`; null on the last.
    pub next: Option<String>,
}

/// One unit's part of a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SourceView {
    pub unit: UnitName,
    /// The base period.
    pub period: String,
    /// What the unit has sent; null where it is missing.
    pub value: Option<SourceValue>,
}

/// What a unit has sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SourceValue {
    #[schema(value_type = f64)]
    pub value: Decimal,
    pub qualifier: Qualifier,
    /// The revision of the unit's submission that brought it.
    pub revision: i32,
    /// The furthest stage in which it counts.
    pub stage: Stage,
}

/// The units and revisions that make a figure, those that are missing, and the formula.
///
/// # Errors
/// [`LineageError`].
pub fn get_lineage(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    name: &FigureName,
    page: &PageRequest,
) -> Result<LineageView, LineageError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate(path)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadRollups, &located.tree, place)?;
        let (entry, option) = name.find(&located)?;
        let board = Board::of(snapshot, located.in_force.period);
        let found = board.rollups(transaction, [place.position()])?;
        let rollup = found
            .get(&place.position())
            .map(|stored| stored.rollup.clone());
        let rollup = rollup.unwrap_or_default();
        let figuring = Figuring::of(snapshot, &located, name.stage);
        let operands = operands_of(entry, &located);
        let cells = operands
            .iter()
            .map(|(entry, option)| figuring.cell(&rollup, place, entry, *option));
        let sources = Sources {
            snapshot,
            located: &located,
            entry,
            option,
            stage: name.stage,
        };
        let counting = match entry.definition.formula() {
            Some(_) => Vec::new(),
            None => {
                let units: Vec<UnitId> = sources.places().map(Place::unit).collect();
                let bases: Vec<Period> = located
                    .in_force
                    .period
                    .base_periods()
                    .iter()
                    .map(|base| base.period)
                    .collect();
                let form = located.form().number;
                counting_of(transaction, form, &bases, Units::These(&units))?
            }
        };
        let page = Page::of(sources.items(&counting), page, |item| {
            format!("{}.{}", item.unit.id, item.period)
        })?;
        Ok(LineageView {
            form: located.form().code.to_string(),
            period: PeriodName::of(&located.in_force.period),
            unit: UnitName::of(place),
            stage: name.stage,
            figure: figuring.cell(&rollup, place, entry, option),
            formula: entry.definition.formula().map(ToString::to_string),
            operands: cells.collect(),
            items: page.items,
            next: page.next,
        })
    })
}

/// Those of a formula's operands that are there.
fn operands_of<'f, 's>(
    entry: &Entry<'_>,
    located: &'f Located<'s>,
) -> Vec<(&'f Entry<'s>, OptionNumber)> {
    let formula = entry.definition.formula();
    let operands = formula.into_iter().flat_map(Formula::operands);
    operands
        .filter_map(|operand| located.in_force.operand(&operand))
        .collect()
}

/// The (unit, base period) pairs behind a collected figure.
struct Sources<'s> {
    snapshot: &'s Snapshot,
    located: &'s Located<'s>,
    entry: &'s Entry<'s>,
    option: OptionNumber,
    stage: Stage,
}

impl<'s> Sources<'s> {
    /// The units whose own values are in the figure.
    fn places(&self) -> Box<dyn Iterator<Item = Place<'s>> + 's> {
        let top = self.located.place();
        match self.entry.definition.measure {
            Measure::Derived { .. } => Box::new(std::iter::empty()),
            Measure::Collected {
                across_units: AcrossUnits::None | AcrossUnits::Transfer,
                ..
            } => Box::new(std::iter::once(top)),
            Measure::Collected { .. } => Box::new(top.subtree()),
        }
    }

    fn items(&self, counting: &[Counting]) -> Vec<SourceView> {
        let by_pair: HashMap<(UnitId, Period), &Counting> = counting
            .iter()
            .map(|found| ((found.unit, found.period), found))
            .collect();
        let bases = self.located.in_force.period.base_periods();
        let mut items = Vec::new();
        for place in self.places() {
            for base in &bases {
                let found = by_pair.get(&(place.unit(), base.period));
                let value = found.and_then(|counting| self.value(counting));
                if value.is_some() || self.is_expected(place, base.closing_day(), base.period) {
                    items.push(SourceView {
                        unit: UnitName::of(place),
                        period: base.period.to_string(),
                        value,
                    });
                }
            }
        }
        items
    }

    fn is_expected(&self, place: Place<'_>, day: chrono::NaiveDate, base: Period) -> bool {
        let tree = self.snapshot.hierarchy.tree_on(day);
        let Some(base) = self.located.form().period(base) else {
            return false;
        };
        let in_force = self.snapshot.catalogue.in_force(base);
        let entry = in_force.entry(&self.entry.indicator.code);
        entry.is_some_and(|entry| {
            let level = tree
                .by_id(place.unit())
                .map(|there| there.fact().level.clone());
            level.is_some_and(|level| in_force.levels_collecting(entry).contains(&&level))
        })
    }

    fn value(&self, counting: &Counting) -> Option<SourceValue> {
        let contribution = counting.contribution.as_ref()?;
        if self.stage == Stage::Approved && contribution.reached != Stage::Approved {
            return None;
        }
        let wanted = (self.entry.indicator.number, self.option);
        let fact = contribution
            .facts
            .iter()
            .find(|fact| (fact.indicator, fact.option) == wanted)?;
        Some(SourceValue {
            value: Decimal::new(fact.mantissa, self.entry.definition.decimals.get()),
            qualifier: fact.qualifier,
            revision: counting.revision?.get(),
            stage: contribution.reached,
        })
    }
}
