//! Rollups: how a submission reaches every ancestor's totals in its own transaction, and how a
//! unit's report is read.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::application::Application;
use super::condition::Etag;
use super::locate::{Located, NotFound, ReportPath};
use super::unit::UnitName;
use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::catalogue::{Aggregations, Entry, InForce};
use crate::domain::hierarchy::{Place, Position, Tree};
use crate::domain::id::{IndicatorCode, OptionNumber, UnitId};
use crate::domain::indicator::{AcrossUnits, Measure};
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::Stage;
use crate::explain;
use crate::rollup::climb::{climb, touched};
use crate::rollup::figure::{Figure, Figures};
use crate::rollup::fold::fold;
use crate::rollup::node::Rollup;
use crate::rollup::tally::{Qualified, Tally};
use crate::store::rollup::{StoredRollup, rollups_of, rollups_put};
use crate::store::submission::{Counting, Units, counting_of};
use crate::store::{StoreError, Transaction};

/// A unit's own part, before and after a commit.
pub(super) struct OwnChange {
    pub position: Position,
    pub before: Tally,
    pub after: Tally,
}

/// Brings the totals of every ancestor up to date with changes of units' own parts on one form
/// and period, and gives the rollups of all units that it touched.
pub(super) fn apply(
    transaction: &mut Transaction<'_>,
    located: &Located<'_>,
    aggregations: &Aggregations,
    changes: Vec<OwnChange>,
    rev: i64,
) -> Result<BTreeMap<Position, Rollup>, StoreError> {
    let tree = &located.tree;
    let touched = touched(tree, changes.iter().map(|change| change.position));
    let mut reader = Reader {
        transaction,
        located,
        aggregations,
    };
    let stored = reader.rollups(touched.iter().copied())?;
    let mut rollups: BTreeMap<Position, Rollup> = stored
        .into_iter()
        .map(|(position, stored)| (position, stored.rollup))
        .collect();
    let mut own = BTreeMap::new();
    for change in changes {
        rollups.entry(change.position).or_default().own = change.before;
        own.insert(change.position, change.after);
    }
    climb(tree, aggregations, &mut rollups, own, |position| {
        let children = tree.at(position).children().map(Place::position);
        let stored = reader.rollups(children)?;
        Ok::<_, StoreError>(
            stored
                .into_iter()
                .map(|(position, stored)| (position, stored.rollup))
                .collect(),
        )
    })?;
    // A unit without children needs no row: its own submission is its rollup.
    let rows: Vec<(UnitId, Rollup)> = rollups
        .iter()
        .filter(|(position, _)| tree.at(**position).has_children())
        .map(|(position, rollup)| (tree.at(*position).unit(), rollup.clone()))
        .collect();
    let key = located.key();
    rollups_put(reader.transaction, key.form, key.period, &rows, rev)?;
    Ok(rollups)
}

/// Reads rollups: a unit's row, or its own submission where it has none.
pub(super) struct Reader<'r, 'c, 's> {
    pub transaction: &'r mut Transaction<'c>,
    pub located: &'r Located<'s>,
    pub aggregations: &'r Aggregations,
}

impl Reader<'_, '_, '_> {
    /// The rollups of `positions`; a unit that has nothing is not among them.
    pub fn rollups(
        &mut self,
        positions: impl Iterator<Item = Position>,
    ) -> Result<BTreeMap<Position, StoredRollup>, StoreError> {
        let key = self.located.key();
        let tree = &self.located.tree;
        let wanted: HashMap<UnitId, Position> = positions
            .map(|position| (tree.at(position).unit(), position))
            .collect();
        let parents: Vec<UnitId> = wanted
            .iter()
            .filter(|(_, position)| tree.at(**position).has_children())
            .map(|(unit, _)| *unit)
            .collect();
        let rows = rollups_of(self.transaction, key.form, key.period, &parents)?;
        let without: Vec<UnitId> = wanted
            .keys()
            .filter(|unit| !rows.contains_key(unit))
            .copied()
            .collect();
        let own = counting_of(
            self.transaction,
            key.form,
            key.period,
            Units::These(&without),
        )?;
        let own = own.into_iter().map(|(unit, counting)| {
            let rollup = Rollup::of_leaf(self.tally(&counting));
            (
                unit,
                StoredRollup {
                    rollup,
                    rev: counting.rev,
                },
            )
        });
        let found = rows.into_iter().chain(own);
        Ok(found
            .filter_map(|(unit, stored)| Some((*wanted.get(&unit)?, stored)))
            .collect())
    }

    fn tally(&self, counting: &Counting) -> Tally {
        Tally::of(&counting.facts, counting.reached, self.aggregations)
    }
}

/// What a caller asks of a rollup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RollupQuery {
    pub stage: Stage,
    pub children: Children,
}

/// Whether a rollup comes with those of the unit's children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// A period as an answer names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PeriodName {
    #[schema(example = "2024")]
    pub key: String,
    /// The first day.
    pub from: chrono::NaiveDate,
    /// The last day (chốt số liệu).
    pub to: chrono::NaiveDate,
}

impl PeriodName {
    pub(super) fn of(in_force: &InForce<'_>) -> PeriodName {
        let period = in_force.period;
        PeriodName {
            key: period.period.to_string(),
            from: period.range.from,
            to: period.range.to,
        }
    }
}

/// How many units of the subtree are to report, and how far they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Counts {
    /// Units of the subtree whose level submits the form.
    pub expected: u64,
    /// Those of them whose submission counts.
    pub submitted: u64,
    /// Those of them whose submission is approved.
    pub approved: u64,
}

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
    /// In the order of the form's outline; of each indicator the total, then its options.
    pub cells: Vec<CellView>,
    /// The same of each direct child, by code; null unless `include=children`.
    pub children: Option<Vec<ChildRollup>>,
}

/// A child's part of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ChildRollup {
    pub unit: UnitName,
    pub completeness: Counts,
    pub cells: Vec<CellView>,
}

/// One figure of a report. Every field is always there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CellView {
    #[schema(example = "fund.raised")]
    pub indicator: String,
    /// An option of a breakdown; null for the total.
    pub option: Option<String>,
    /// The figure, exact; null where nobody has reported or a formula has no value.
    #[schema(value_type = Option<f64>, example = 1562410000)]
    pub value: Option<Decimal>,
    pub qualifier: Qualifier,
    pub qualified: QualifiedCounts,
    /// How many units have a value of how many that are expected to.
    pub reported: u64,
    pub expected: u64,
    /// What the unit submitted itself; null where it did not.
    pub own: Option<OwnFigure>,
    /// Of a transfer: what the direct children handed up; null for anything else.
    #[schema(value_type = Option<f64>)]
    pub received_from_below: Option<Decimal>,
    /// Of an average and of a formula that is a quotient: what is divided.
    #[schema(value_type = Option<f64>)]
    pub numerator: Option<Decimal>,
    /// What it is divided by. A constant factor of a formula (the 100 of a percentage) is in
    /// neither.
    #[schema(value_type = Option<f64>)]
    pub denominator: Option<Decimal>,
}

/// How many of the values behind a figure are not exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QualifiedCounts {
    pub at_least: u64,
    pub at_most: u64,
    pub estimate: u64,
}

impl From<Qualified> for QualifiedCounts {
    fn from(qualified: Qualified) -> QualifiedCounts {
        QualifiedCounts {
            at_least: qualified.at_least,
            at_most: qualified.at_most,
            estimate: qualified.estimate,
        }
    }
}

/// A unit's own figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OwnFigure {
    #[schema(value_type = Option<f64>)]
    pub value: Option<Decimal>,
    pub qualifier: Qualifier,
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
) -> Result<(Etag, RollupView), RollupError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate(path)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadRollups, &located.tree, place)?;
        let aggregations = located.in_force.aggregations();
        let mut positions = vec![place.position()];
        if query.children == Children::Included {
            positions.extend(place.children().map(Place::position));
        }
        let mut reader = Reader {
            transaction,
            located: &located,
            aggregations: &aggregations,
        };
        let found = reader.rollups(positions.into_iter())?;
        let report = Report {
            located: &located,
            found: &found,
            stage: query.stage,
        };
        let view = report.view(query.children);
        let counters = snapshot.counters;
        let etag = Etag::new(format_args!(
            "{}.{}.{}",
            view.rev, counters.tree_rev, counters.catalogue_rev
        ));
        Ok((etag, view))
    })
}

/// A report in the making.
struct Report<'r, 's> {
    located: &'r Located<'s>,
    found: &'r BTreeMap<Position, StoredRollup>,
    stage: Stage,
}

impl Report<'_, '_> {
    fn view(&self, children: Children) -> RollupView {
        let place = self.located.place();
        let rev = self
            .found
            .get(&place.position())
            .map_or(0, |stored| stored.rev);
        RollupView {
            form: self.located.form().code.to_string(),
            period: PeriodName::of(&self.located.in_force),
            stage: self.stage,
            rev,
            unit: UnitName::of(place),
            completeness: self.counts(place),
            cells: self.cells(place),
            children: match children {
                Children::LeftOut => None,
                Children::Included => {
                    Some(place.children().map(|child| self.child(child)).collect())
                }
            },
        }
    }

    fn child(&self, place: Place<'_>) -> ChildRollup {
        ChildRollup {
            unit: UnitName::of(place),
            completeness: self.counts(place),
            cells: self.cells(place),
        }
    }

    fn rollup(&self, place: Place<'_>) -> Rollup {
        let stored = self.found.get(&place.position());
        stored
            .map(|stored| stored.rollup.clone())
            .unwrap_or_default()
    }

    fn counts(&self, place: Place<'_>) -> Counts {
        let rollup = self.rollup(place);
        let submissions = rollup.own.merged(&rollup.below).submissions;
        Counts {
            expected: expected_submissions(&self.located.in_force, place),
            submitted: submissions.submitted,
            approved: submissions.approved,
        }
    }

    fn cells(&self, place: Place<'_>) -> Vec<CellView> {
        let rollup = self.rollup(place);
        let figures = Figures {
            rollup: &rollup,
            in_force: &self.located.in_force,
            stage: self.stage,
        };
        let entries = self.located.in_force.entries().iter();
        entries
            .flat_map(|entry| {
                entry
                    .options()
                    .into_iter()
                    .map(move |option| (entry, option))
            })
            .map(|(entry, (number, option))| {
                let option = option.map(|option| option.code.to_string());
                self.cell(&figures, place, entry, number, option)
            })
            .collect()
    }

    fn cell(
        &self,
        figures: &Figures<'_, '_>,
        place: Place<'_>,
        entry: &Entry<'_>,
        number: OptionNumber,
        option: Option<String>,
    ) -> CellView {
        let figure = figures.of(entry, number);
        let received = figures.received_from_below(entry, number);
        CellView {
            indicator: entry.indicator.code.to_string(),
            option,
            value: figure.value(),
            qualifier: figure.qualifier,
            qualified: figure.qualified.into(),
            reported: figure.reported,
            expected: expected_values(&self.located.in_force, entry, place),
            own: figures.own(entry, number).map(|own: Figure| OwnFigure {
                value: own.value(),
                qualifier: own.qualifier,
            }),
            received_from_below: received.and_then(|received| received.value()),
            numerator: figure.numerator(),
            denominator: figure.denominator(),
        }
    }
}

/// How many units of a subtree submit the form.
pub(super) fn expected_submissions(in_force: &InForce<'_>, place: Place<'_>) -> u64 {
    in_force
        .period
        .definition
        .submitted_by
        .iter()
        .map(|level| place.count_at(level))
        .sum()
}

/// How many units of a subtree have a value that the figure of `entry` at its top is made of.
/// A formula's is that of the operand which expects most.
fn expected_values(in_force: &InForce<'_>, entry: &Entry<'_>, place: Place<'_>) -> u64 {
    expected_within(in_force, entry, place, &mut Vec::new())
}

/// `within` holds the derived indicators on the way here, as it does in `figure`.
fn expected_within<'c>(
    in_force: &InForce<'c>,
    entry: &Entry<'c>,
    place: Place<'_>,
    within: &mut Vec<&'c IndicatorCode>,
) -> u64 {
    let code = &entry.indicator.code;
    match &entry.definition.measure {
        Measure::Collected {
            across_units: AcrossUnits::None | AcrossUnits::Transfer,
            ..
        } => u64::from(
            in_force
                .levels_collecting(entry)
                .contains(&&place.fact().level),
        ),
        Measure::Collected { .. } => in_force
            .levels_collecting(entry)
            .iter()
            .map(|level| place.count_at(level))
            .sum(),
        Measure::Derived { .. } if within.contains(&code) => 0,
        Measure::Derived { formula } => {
            within.push(code);
            let expected = formula
                .operands()
                .iter()
                .filter_map(|operand| in_force.entry(&operand.indicator.parse().ok()?))
                .map(|operand| expected_within(in_force, operand, place, within))
                .max();
            within.pop();
            expected.unwrap_or(0)
        }
    }
}

/// A unit whose kept rollup is not what its submissions fold to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub unit: UnitId,
    pub kept: Rollup,
    pub folded: Rollup,
}

/// Folds a form's period anew from all its submissions and compares every unit. Nothing is
/// what comes back.
///
/// # Errors
/// [`RollupError`].
pub fn compare_with_fold(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
) -> Result<Vec<Difference>, RollupError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate(path)?;
        let place = located.place();
        let _permit = snapshot
            .access
            .to_unit(Action::ReadRollups, &located.tree, place)?;
        let aggregations = located.in_force.aggregations();
        let key = located.key();
        let own = own_tallies(
            &located.tree,
            counting_of(transaction, key.form, key.period, Units::All)?,
            &aggregations,
        );
        let folded = fold(&located.tree, &aggregations, &own);
        let mut reader = Reader {
            transaction,
            located: &located,
            aggregations: &aggregations,
        };
        let kept = reader.rollups(place.subtree().map(Place::position))?;
        Ok(place
            .subtree()
            .filter_map(|place| {
                let kept = kept.get(&place.position()).map(|kept| kept.rollup.clone());
                let kept = kept.unwrap_or_default();
                let folded = folded.get(&place.position()).cloned().unwrap_or_default();
                (kept != folded).then(|| Difference {
                    unit: place.unit(),
                    kept,
                    folded,
                })
            })
            .collect())
    })
}

fn own_tallies(
    tree: &Tree,
    counting: Vec<(UnitId, Counting)>,
    aggregations: &Aggregations,
) -> BTreeMap<Position, Tally> {
    counting
        .into_iter()
        .filter_map(|(unit, counting)| {
            let tally = Tally::of(&counting.facts, counting.reached, aggregations);
            Some((tree.by_id(unit)?.position(), tally))
        })
        .collect()
}
