//! Rollups: a unit's report as it is read, and whether it is what its submissions make.

use crate::service::application::name::PeriodName;
use crate::service::application::name::UnitName;
use crate::service::totals::Board;
use crate::service::totals::cell::{CellView, Counts, Figuring};
use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::{Denied, Scope};
use crate::domain::hierarchy::{Place, Position};
use crate::domain::id::UnitId;
use crate::domain::submission::Stage;
use crate::explain;
use crate::rollup::node::{KeptRollup, Rollup};
use crate::service::application::Application;
use crate::service::application::answers::{Encoded, Question};
use crate::service::application::locate::{Located, NotFound, ReportPath};
use crate::service::application::snapshot::Snapshot;
use crate::service::report::map::{Left, MapView};
use crate::store::target::targets_of;
use crate::store::{StoreError, Transaction};

/// What a caller asks of a rollup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RollupQuery {
    pub stage: Stage,
    pub children: Children,
    /// The day whose map the figures are put on; that of the period's last day without it.
    pub as_of: Option<NaiveDate>,
}

/// Whether a rollup comes with those of the unit's children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Children {
    Included,
    LeftOut,
}

/// Why a rollup cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
}

explain!(RollupError, held: NotFound, Denied, Store);

/// A unit's report: everything below it, put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RollupView {
    pub form: String,
    pub period: PeriodName,
    pub stage: Stage,
    /// The tenant's rev at which these figures last changed; 0 before the first.
    pub rev: i64,
    pub unit: UnitName,
    pub completeness: Counts,
    pub map: MapView,
    /// In the order of the form's outline; of each indicator the total, then its options.
    pub cells: Vec<CellView>,
    /// The same of each direct child, by code, then of former units that count under this one and
    /// under no child, since nobody has them as a whole; null unless `include=children`.
    pub children: Option<Vec<ChildRollup>>,
}

/// A child's part of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChildRollup {
    pub unit: UnitName,
    /// Whether this is what could not be divided of a former unit, and no unit that stands.
    pub not_divided: bool,
    pub completeness: Counts,
    pub cells: Vec<CellView>,
}

/// A unit's report on a form for a period: one key read, at any level.
///
/// # Errors
/// [`RollupError`].
pub fn get_rollup(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    query: RollupQuery,
) -> Result<RollupView, RollupError> {
    application.reading(identity, |transaction, snapshot| {
        rollup_in(transaction, snapshot, path, query)
    })
}

/// The same, encoded. It is remembered as long as nothing of the tenant changes.
///
/// # Errors
/// [`RollupError`].
pub fn get_encoded_rollup(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    query: RollupQuery,
) -> Result<Encoded, RollupError> {
    let question = question(identity, path, query)?;
    application.reading(identity, |transaction, snapshot| {
        let rev = snapshot.counters.rev;
        if let Some(encoded) = application.answers.get(&question, rev) {
            return Ok(encoded);
        }
        let view = rollup_in(transaction, snapshot, path, query)?;
        let encoded = Encoded::new(&view)?;
        application.answers.keep(question, rev, encoded.clone());
        Ok(encoded)
    })
}

fn question(
    identity: &Identity,
    path: &ReportPath,
    query: RollupQuery,
) -> Result<Question, StoreError> {
    Question::new(identity, "get_rollup", &(path, query))
}

/// What [`get_encoded_rollup`] would answer, where that is known without waiting for anything.
pub fn rollup_at_hand(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    query: RollupQuery,
) -> Option<Encoded> {
    // Whatever is wrong is told by who has to ask the database.
    let rev = application.database.rev_at_hand(&Scope::of(identity));
    let question = question(identity, path, query).ok()?;
    application.answers.get(&question, rev.ok()??)
}

pub(in crate::service) fn rollup_in(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    path: &ReportPath,
    query: RollupQuery,
) -> Result<RollupView, RollupError> {
    let located = snapshot.locate_report(path, query.as_of)?;
    let place = located.place();
    let _permit = snapshot.may_read(&located)?;
    let mut positions = vec![place.position()];
    if query.children == Children::Included {
        positions.extend(place.parts().map(Place::position));
    }
    let units: Vec<UnitId> = positions
        .iter()
        .map(|position| located.tree.at(*position).unit())
        .collect();
    let board = Board::at(&located, snapshot);
    let left = Left::of(snapshot, &located);
    positions.extend(left.positions());
    let found = board.rollups(transaction, positions)?;
    let key = located.key();
    // What a unit was given to reach was meant for what it was then.
    let targets = match located.restated_to().is_some() {
        true => Vec::new(),
        false => targets_of(transaction, key.form, key.period, &units)?,
    };
    let figuring = Figuring::of(snapshot, &located, query.stage).with_targets(targets);
    let report = Report {
        located: &located,
        found: &found,
        figuring,
    };
    let not_divided = left.held_with(&found, |leaf| report.cells(leaf))?;
    let map = MapView::of(transaction, snapshot, &located, not_divided)?;
    let rev = report.rev(&left);
    Ok(report.view(query.children, map, rev)?)
}

/// A report in the making.
struct Report<'r, 's> {
    located: &'r Located<'s>,
    found: &'r BTreeMap<Position, KeptRollup>,
    figuring: Figuring<'r, 's>,
}

impl Report<'_, '_> {
    /// The rev at which the unit's own totals last changed, or those of what it names of former
    /// units that count outside it. Its children's may have changed since, where they cancel out.
    fn rev(&self, left: &Left<'_>) -> i64 {
        let outside = left.held_outside(self.found).into_iter();
        let shown = std::iter::once(self.located.place()).chain(outside);
        let stored = shown.filter_map(|place| self.found.get(&place.position()));
        stored.map(|stored| stored.rev).max().unwrap_or(0)
    }

    fn view(&self, children: Children, map: MapView, rev: i64) -> Result<RollupView, StoreError> {
        let place = self.located.place();
        Ok(RollupView {
            form: self.located.form().code.to_string(),
            period: PeriodName::of(&self.located.in_force.period),
            stage: self.figuring.stage,
            rev,
            unit: UnitName::of(place),
            completeness: self.counts(place),
            map,
            cells: self.cells(place)?,
            children: match children {
                Children::LeftOut => None,
                Children::Included => {
                    let parts = place.parts().filter(|part| self.is_shown(*part));
                    Some(
                        parts
                            .map(|part| self.child(part))
                            .collect::<Result<_, _>>()?,
                    )
                }
            },
        })
    }

    /// A former unit of which nothing is left to show, and nothing was expected, is not shown.
    fn is_shown(&self, part: Place<'_>) -> bool {
        !part.is_leaf() || self.rollup(part) != Rollup::default() || self.counts(part).expected > 0
    }

    fn child(&self, place: Place<'_>) -> Result<ChildRollup, StoreError> {
        Ok(ChildRollup {
            unit: UnitName::of(place),
            not_divided: place.is_leaf(),
            completeness: self.counts(place),
            cells: self.cells(place)?,
        })
    }

    fn rollup(&self, place: Place<'_>) -> Rollup {
        let stored = self.found.get(&place.position());
        stored
            .map(|stored| stored.rollup.clone())
            .unwrap_or_default()
    }

    fn counts(&self, place: Place<'_>) -> Counts {
        self.figuring.counts(&self.rollup(place), place)
    }

    fn cells(&self, place: Place<'_>) -> Result<Vec<CellView>, StoreError> {
        self.figuring.cells(&self.rollup(place), place)
    }
}
