//! Rollups: reads a unit's report.

use crate::error::{Code, Explain, Explanation};
use crate::service::application::name::PeriodName;
use crate::service::application::name::UnitName;
use crate::service::totals::cell::{CellView, Counts, Figuring};
use crate::service::totals::joined_rollups;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::Denied;
use crate::domain::hierarchy::{Place, Position};
use crate::domain::id::UnitId;
use crate::domain::submission::{Stage, SubmissionFault, unknown_indicator};
use crate::rollup::node::{KeptRollup, Rollup};
use crate::sentence::Sentence;
use crate::service::application::Application;
use crate::service::application::answers::{Encoded, Question};
use crate::service::application::locate::{Located, NotFound, ReportPath};
use crate::service::application::snapshot::Snapshot;
use crate::service::report::map::{Left, MapView};
use crate::store::target::targets_of;
use crate::store::{StoreError, Transaction};

/// The options of reading a rollup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RollupQuery {
    pub stage: Stage,
    pub children: Children,
    /// The codes of the indicators to show; by default all.
    pub indicators: Option<Vec<String>>,
    /// The day whose map the figures are put on; by default the period's last day.
    pub as_of: Option<NaiveDate>,
}

/// Chooses whether the children's rollups are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Children {
    Included,
    LeftOut,
}

/// The errors of reading a rollup.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("not in the form: {0:?}")]
    NotInForm(SubmissionFault),
}

impl Explain for RollupError {
    fn explain(&self) -> Explanation {
        match self {
            RollupError::NotFound(held) => held.explain(),
            RollupError::Denied(held) => held.explain(),
            RollupError::Store(held) => held.explain(),
            RollupError::NotInForm(fault) => {
                Explanation::new(Code::UnknownIndicator, fault.message()).of_parameter("indicators")
            }
        }
    }
}

/// A unit's report, with everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RollupView {
    pub form: String,
    pub period: PeriodName,
    pub stage: Stage,
    /// The tenant's rev at which these figures last changed; 0 before the first. Of a form that takes
    /// figures from other forms, the latest of all their totals.
    pub rev: i64,
    pub unit: UnitName,
    pub completeness: Counts,
    pub map: MapView,
    /// In the order of the form's outline: the total of each indicator, then its options. Only those of
    /// `indicators`, if that was asked for.
    pub cells: Vec<CellView>,
    /// The same for each direct child, by code, then for the undivided parts of former units under
    /// this one. Null unless `include=children`.
    pub children: Option<Vec<ChildRollup>>,
}

/// A child's part of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChildRollup {
    pub unit: UnitName,
    /// If true, this is the undivided part of a former unit, not a unit that exists.
    pub not_divided: bool,
    pub completeness: Counts,
    pub cells: Vec<CellView>,
}

/// Reads a unit's report on a form for a period. Takes one key lookup at any level.
///
/// # Errors
/// [`RollupError`].
pub fn get_rollup(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    query: &RollupQuery,
) -> Result<RollupView, RollupError> {
    application.reading(identity, |transaction, snapshot| {
        rollup_in(transaction, snapshot, path, query)
    })
}

/// Reads and encodes a report. Cached until anything of the tenant changes.
///
/// # Errors
/// [`RollupError`].
pub fn get_encoded_rollup(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    query: &RollupQuery,
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
    query: &RollupQuery,
) -> Result<Question, StoreError> {
    Question::new(identity, "get_rollup", &(path, query))
}

/// Returns the answer of [`get_encoded_rollup`] if it is cached and nothing has changed since. Never
/// blocks.
pub async fn kept_rollup(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    query: &RollupQuery,
) -> Option<Encoded> {
    let question = question(identity, path, query).ok()?;
    let (answers, database) = (&application.answers, &application.database);
    answers
        .current(&question, database, identity)
        .await?
        .whole()
}

pub(in crate::service) fn rollup_in(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    path: &ReportPath,
    query: &RollupQuery,
) -> Result<RollupView, RollupError> {
    let located = snapshot.locate_report(path, query.as_of)?;
    let place = located.place();
    let _permit = snapshot.may_read(&located)?;
    let chosen = Chosen::of(&located, query.indicators.as_deref())?;
    let mut positions = vec![place.position()];
    if query.children == Children::Included {
        positions.extend(place.parts().map(Place::position));
    }
    let units: Vec<UnitId> = positions
        .iter()
        .map(|position| located.tree.at(*position).unit())
        .collect();
    let left = Left::of(transaction, snapshot, &located)?;
    positions.extend(left.positions());
    let found = joined_rollups(transaction, snapshot, &located, positions)?;
    let key = located.key();
    // A target was set for the unit as it was then.
    let targets = match located.restated_to().is_some() {
        true => Vec::new(),
        false => targets_of(transaction, key.form, key.period, &units)?,
    };
    let figuring = Figuring::of(snapshot, &located, query.stage).with_targets(targets);
    let report = UnitRollup {
        located: &located,
        found: &found,
        figuring,
        chosen,
    };
    let not_divided = left.held_with(&found, |leaf| report.cells(leaf))?;
    let map = MapView::of(transaction, snapshot, &located, not_divided)?;
    let rev = report.rev(&left);
    Ok(report.view(query.children, map, rev)?)
}

/// A report in the making.
struct UnitRollup<'r, 's> {
    located: &'r Located<'s>,
    found: &'r BTreeMap<Position, KeptRollup>,
    figuring: Figuring<'r, 's>,
    chosen: Chosen,
}

/// The indicators whose cells are shown.
enum Chosen {
    All,
    These(BTreeSet<String>),
}

impl Chosen {
    /// Finds each chosen indicator in the form.
    fn of(located: &Located<'_>, codes: Option<&[String]>) -> Result<Chosen, RollupError> {
        let Some(codes) = codes else {
            return Ok(Chosen::All);
        };
        let in_force = &located.in_force;
        let unknown = codes
            .iter()
            .find(|code| in_force.figure(code, None).is_none());
        match unknown {
            Some(code) => Err(RollupError::NotInForm(unknown_indicator(code, in_force))),
            None => Ok(Chosen::These(codes.iter().cloned().collect())),
        }
    }

    fn has(&self, cell: &CellView) -> bool {
        match self {
            Chosen::All => true,
            Chosen::These(codes) => codes.contains(&cell.indicator),
        }
    }
}

impl UnitRollup<'_, '_> {
    /// Returns the rev at which the shown totals last changed: the unit's, and those of former
    /// units that it names but does not count. Children's totals may have changed later and
    /// cancelled out.
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

    /// Returns true if a part is shown. A former unit's leaf is hidden if it is empty and nothing
    /// was expected.
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
        let mut cells = self.figuring.cells(&self.rollup(place), place)?;
        cells.retain(|cell| self.chosen.has(cell));
        Ok(cells)
    }
}
