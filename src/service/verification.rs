//! Verification: every total folded anew from the submissions and held against what is kept. A
//! difference is a fault of the program or of the disk, never of a caller.

use std::collections::BTreeMap;

use serde::Serialize;

use super::application::Application;
use super::locate::{Located, ReportPath};
use super::rollup::{CellView, Figuring, PeriodName, RollupError};
use super::snapshot::Snapshot;
use super::totals::{self, Board};
use super::unit::UnitName;
use crate::authn::Identity;
use crate::authz::{Action, Scope};
use crate::domain::form::FormPeriod;
use crate::domain::hierarchy::{Place, Position};
use crate::domain::id::FormCode;
use crate::domain::period::Period;
use crate::domain::submission::Stage;
use crate::rollup::node::Rollup;
use crate::store::{StoreError, Transaction};

/// A unit's totals as they are kept and as they are folded anew from the submissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct VerificationView {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    /// Whether the unit and everything below it are kept as they must be.
    pub equal: bool,
    /// How many units were compared: this one and those below it.
    pub compared: usize,
    /// Those that differ; there should be none.
    pub differing: Vec<UnitName>,
    pub kept: BothStages,
    pub folded: BothStages,
}

/// A report's cells in each stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BothStages {
    pub submitted: Vec<CellView>,
    pub approved: Vec<CellView>,
}

/// A unit whose kept rollup is not what its submissions fold to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub unit: UnitName,
    pub kept: Rollup,
    pub folded: Rollup,
}

/// Units, each with everything below it, as they are kept and as they must be.
struct Comparison {
    kept: BTreeMap<Position, Rollup>,
    folded: BTreeMap<Position, Rollup>,
}

impl Comparison {
    fn of(
        transaction: &mut Transaction<'_>,
        board: &Board<'_>,
        places: &[Place<'_>],
    ) -> Result<Comparison, StoreError> {
        let folded = board.folded(transaction, places)?;
        let positions = places.iter().map(|place| place.position());
        let kept = board.rollups(transaction, positions)?;
        let kept = kept
            .into_iter()
            .map(|(position, stored)| (position, stored.rollup));
        Ok(Comparison {
            kept: kept.collect(),
            folded,
        })
    }

    fn difference(&self, place: Place<'_>) -> Option<Difference> {
        let at = |rollups: &BTreeMap<Position, Rollup>| {
            rollups.get(&place.position()).cloned().unwrap_or_default()
        };
        let (kept, folded) = (at(&self.kept), at(&self.folded));
        (kept != folded).then(|| Difference {
            unit: UnitName::of(place),
            kept,
            folded,
        })
    }
}

/// Folds a unit's report anew and answers with both.
///
/// # Errors
/// [`RollupError`].
pub fn verify_rollup(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
) -> Result<VerificationView, RollupError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate(path)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadRollups, &located.tree, place)?;
        let board = Board::of(snapshot, located.in_force.period);
        let places: Vec<Place<'_>> = place.subtree_with_leaves().collect();
        let comparison = Comparison::of(transaction, &board, &places)?;
        let differing: Vec<UnitName> = places
            .iter()
            .filter_map(|place| comparison.difference(*place))
            .map(|difference| difference.unit)
            .collect();
        Ok(VerificationView {
            form: located.form().code.to_string(),
            period: PeriodName::of(&located.in_force.period),
            unit: UnitName::of(place),
            equal: differing.is_empty(),
            compared: places.len(),
            differing,
            kept: both_stages(snapshot, &located, &comparison.kept),
            folded: both_stages(snapshot, &located, &comparison.folded),
        })
    })
}

fn both_stages(
    snapshot: &Snapshot,
    located: &Located<'_>,
    rollups: &BTreeMap<Position, Rollup>,
) -> BothStages {
    let place = located.place();
    let rollup = rollups.get(&place.position()).cloned().unwrap_or_default();
    let cells = |stage| Figuring::of(snapshot, located, stage).cells(&rollup, place);
    BothStages {
        submitted: cells(Stage::Submitted),
        approved: cells(Stage::Approved),
    }
}

/// A form's period, base or long, on which there are submissions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportedPeriod {
    pub form: FormCode,
    pub period: Period,
}

/// All periods of a tenant on which there are submissions, and the longer ones made of them.
///
/// # Errors
/// Those of the store.
pub fn reported_periods(
    application: &Application,
    scope: &Scope,
) -> Result<Vec<ReportedPeriod>, StoreError> {
    application.inspecting(scope, |transaction, snapshot| {
        let periods = totals::reported_periods(transaction, snapshot)?;
        let named = periods.iter().map(|period| ReportedPeriod {
            form: period.form.code.clone(),
            period: period.period,
        });
        Ok(named.collect())
    })
}

/// Folds a period anew from one snapshot and compares every unit. Nothing is what comes back.
///
/// # Errors
/// Those of the store.
pub fn verify_period(
    application: &Application,
    scope: &Scope,
    reported: &ReportedPeriod,
) -> Result<Vec<Difference>, StoreError> {
    application.inspecting(scope, |transaction, snapshot| {
        let period: Option<FormPeriod<'_>> = snapshot
            .catalogue
            .form(&reported.form)
            .and_then(|form| form.period(reported.period));
        let Some(period) = period else {
            return Ok(Vec::new());
        };
        let board = Board::of(snapshot, period);
        let places: Vec<Place<'_>> = board.tree().places_with_leaves().collect();
        let comparison = Comparison::of(transaction, &board, &places)?;
        let differences = places
            .iter()
            .filter_map(|place| comparison.difference(*place));
        Ok(differences.collect())
    })
}
