//! The differences between two states of a report: what was sent and what there is now, or two
//! releases. Compares what is shown, value by value.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::content::ReleasedPassage;
use super::error::ReleaseError;
use crate::domain::id::UnitId;
use crate::domain::quantity::Qualifier;
use crate::domain::release::ReleaseNumber;
use crate::domain::submission::Stage;
use crate::service::application::locate::{Located, ReportPath};
use crate::service::application::name::UnitName;
use crate::service::application::snapshot::Snapshot;
use crate::service::report::rollup::{Children, RollupQuery, rollup_in};
use crate::service::report::unit_report::passages_of;
use crate::service::totals::Board;
use crate::service::totals::cell::{CellView, Counts};
use crate::store::key::Units;
use crate::store::submission::counting::recounted_since;
use crate::store::{StoreError, Transaction};

/// The most units that are named as changed.
const MOST_UNITS: usize = 200;

/// The changes in a unit's report since it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DriftView {
    /// If true, figures, the number of submissions, or texts are not those that were sent. Approving
    /// alone does not change a report.
    pub changed: bool,
    /// The figures that differ, in the order of the outline.
    pub cells: Vec<CellDrift>,
    /// The counts then and now, if they differ.
    pub completeness: Option<CountsDrift>,
    /// The texts that differ.
    pub narrative: Vec<PassageDrift>,
    /// The units at or below the unit whose counting values came or went since, on this form or one that
    /// it takes figures from: the first 200, by code.
    pub units: Vec<UnitName>,
}

/// The differences of a release from another one of the same unit and period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AgainstView {
    /// The number of the other release. `then` is what that one says, `now` what this one says.
    pub number: i32,
    pub cells: Vec<CellDrift>,
    /// The counts of both, if they differ.
    pub completeness: Option<CountsDrift>,
    pub narrative: Vec<PassageDrift>,
}

/// A figure that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CellDrift {
    #[schema(example = "fund.raised")]
    pub indicator: String,
    /// An option of a breakdown; null for the total.
    pub option: Option<String>,
    /// Null if the report did not have the figure.
    pub then: Option<ReleasedFigure>,
    /// Null if the report does not have the figure any more.
    pub now: Option<ReleasedFigure>,
}

/// A figure of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReleasedFigure {
    #[schema(value_type = Option<f64>, example = 1562410000)]
    pub value: Option<Number>,
    pub qualifier: Qualifier,
    pub reported: u64,
    pub expected: u64,
    /// The unit's own value; null if there is none.
    pub own: Option<ReleasedOwnFigure>,
    /// For a transfer: the amount that the direct children handed up; null for anything else.
    #[schema(value_type = Option<f64>)]
    pub received_from_below: Option<Number>,
}

/// A unit's own figure of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReleasedOwnFigure {
    #[schema(value_type = Option<f64>)]
    pub value: Option<Number>,
    pub qualifier: Qualifier,
}

/// Counts that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CountsDrift {
    pub then: Counts,
    pub now: Counts,
}

/// A text that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PassageDrift {
    /// The number of the heading in the form's outline.
    pub section: String,
    /// Null if there was no text.
    pub then: Option<String>,
    /// Null if there is no text any more.
    pub now: Option<String>,
}

/// The parts of a report that are compared, read from its text.
#[derive(Debug, Deserialize)]
pub(super) struct Comparable {
    cells: Vec<ComparableCell>,
    #[serde(deserialize_with = "CountsAsSent::deserialize")]
    completeness: Counts,
    narrative: Vec<ComparablePassage>,
}

#[derive(Debug, Deserialize)]
struct ComparableCell {
    indicator: String,
    option: Option<String>,
    value: Option<Number>,
    qualifier: Qualifier,
    reported: u64,
    expected: u64,
    own: Option<ReleasedOwnFigure>,
    received_from_below: Option<Number>,
}

/// The counts as a text has them.
#[derive(Deserialize)]
#[serde(remote = "Counts")]
struct CountsAsSent {
    expected: u64,
    submitted: u64,
    approved: u64,
}

#[derive(Debug, Deserialize)]
struct ComparablePassage {
    section: String,
    text: String,
}

/// The present state of the same parts.
#[derive(Serialize)]
struct Present<'p> {
    cells: &'p [CellView],
    completeness: &'p Counts,
    narrative: &'p [ReleasedPassage],
}

impl ComparableCell {
    fn key(&self) -> (&str, Option<&str>) {
        (&self.indicator, self.option.as_deref())
    }

    fn figure(&self) -> ReleasedFigure {
        ReleasedFigure {
            value: self.value.clone(),
            qualifier: self.qualifier,
            reported: self.reported,
            expected: self.expected,
            own: self.own.clone(),
            received_from_below: self.received_from_below.clone(),
        }
    }
}

impl Comparable {
    pub fn read(text: &str) -> Result<Comparable, StoreError> {
        let read = serde_json::from_str(text);
        read.map_err(|error| StoreError::Corrupt(format!("the text of a release: {error}")))
    }

    /// Goes through the same text as what was sent, so that both are read alike.
    fn of_present(present: &Present<'_>) -> Result<Comparable, StoreError> {
        let text = serde_json::to_string(present);
        let text = text.map_err(|error| StoreError::Corrupt(error.to_string()))?;
        Comparable::read(&text)
    }

    fn by_key(&self) -> BTreeMap<(&str, Option<&str>), &ComparableCell> {
        self.cells.iter().map(|cell| (cell.key(), cell)).collect()
    }
}

/// Lists the figures that differ. Figures that are only in the earlier state come last.
fn cell_drifts(then: &Comparable, now: &Comparable) -> Vec<CellDrift> {
    let (former, present) = (then.by_key(), now.by_key());
    let gone = then.cells.iter();
    let gone = gone.filter(|cell| !present.contains_key(&cell.key()));
    let figure = |cell: Option<&&ComparableCell>| cell.map(|cell| cell.figure());
    let compared = now.cells.iter().chain(gone).map(|cell| CellDrift {
        indicator: cell.indicator.clone(),
        option: cell.option.clone(),
        then: figure(former.get(&cell.key())),
        now: figure(present.get(&cell.key())),
    });
    compared.filter(|cell| cell.then != cell.now).collect()
}

fn counts_drift(then: &Comparable, now: &Comparable) -> Option<CountsDrift> {
    let (then, now) = (then.completeness, now.completeness);
    (then != now).then_some(CountsDrift { then, now })
}

impl CountsDrift {
    /// Returns true if more than approvals differ.
    fn changes_report(self) -> bool {
        (self.then.expected, self.then.submitted) != (self.now.expected, self.now.submitted)
    }
}

fn passage_drifts(then: &Comparable, now: &Comparable) -> Vec<PassageDrift> {
    let texts = |of: &Comparable| -> BTreeMap<String, String> {
        let passages = of.narrative.iter();
        passages
            .map(|passage| (passage.section.clone(), passage.text.clone()))
            .collect()
    };
    let (mut former, present) = (texts(then), texts(now));
    let mut drifts: Vec<PassageDrift> = present
        .into_iter()
        .map(|(section, text)| PassageDrift {
            then: former.remove(&section),
            section,
            now: Some(text),
        })
        .collect();
    drifts.extend(former.into_iter().map(|(section, text)| PassageDrift {
        section,
        then: Some(text),
        now: None,
    }));
    drifts.retain(|drift| drift.then != drift.now);
    drifts
}

impl AgainstView {
    pub(super) fn new(number: ReleaseNumber, then: &Comparable, now: &Comparable) -> AgainstView {
        AgainstView {
            number: number.get(),
            cells: cell_drifts(then, now),
            completeness: counts_drift(then, now),
            narrative: passage_drifts(then, now),
        }
    }
}

/// Compares what was sent at `sent_rev` with the unit's present report.
pub(super) fn drift_of(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    path: &ReportPath,
    sent: &Comparable,
    sent_rev: i64,
) -> Result<DriftView, ReleaseError> {
    let query = RollupQuery {
        stage: Stage::Submitted,
        children: Children::LeftOut,
        indicators: None,
        as_of: None,
    };
    let rollup = rollup_in(transaction, snapshot, path, &query)?;
    let located = snapshot.locate(path)?;
    let narrative = narrative_of(transaction, &located)?;
    let now = Comparable::of_present(&Present {
        cells: &rollup.cells,
        completeness: &rollup.completeness,
        narrative: &narrative,
    })?;
    let (cells, narrative) = (cell_drifts(sent, &now), passage_drifts(sent, &now));
    let completeness = counts_drift(sent, &now);
    let has_other_counts = completeness.is_some_and(CountsDrift::changes_report);
    Ok(DriftView {
        changed: !cells.is_empty() || !narrative.is_empty() || has_other_counts,
        cells,
        completeness,
        narrative,
        units: units_changed(transaction, snapshot, &located, sent_rev)?,
    })
}

/// Reads the texts of the unit's own counting submission.
pub(super) fn narrative_of(
    transaction: &mut Transaction<'_>,
    located: &Located<'_>,
) -> Result<Vec<ReleasedPassage>, StoreError> {
    let passages = passages_of(transaction, located)?.into_iter();
    Ok(passages.map(ReleasedPassage::from).collect())
}

fn units_changed(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
    sent_rev: i64,
) -> Result<Vec<UnitName>, StoreError> {
    let mut changed: BTreeSet<UnitId> = BTreeSet::new();
    for period in located.in_force.periods_behind() {
        let bases = period.base_periods();
        let bases: Vec<_> = bases.iter().map(|base| base.period).collect();
        let on_form = located.on_form(snapshot, period);
        let sources = Board::at(&on_form, snapshot).sources_below(located.place());
        let (form, sources) = (period.form.number, Units::These(&sources));
        let recounted = recounted_since(transaction, form, &bases, sources, sent_rev)?;
        changed.extend(recounted);
    }
    let tree = &located.tree;
    let facts = changed.into_iter().filter_map(|unit| {
        let standing = tree.by_id(unit).map(|place| place.fact());
        standing.or_else(|| tree.last_fact(unit))
    });
    let mut names: Vec<UnitName> = facts.map(UnitName::of_fact).collect();
    names.sort_by(|one, other| (&one.code, &one.id).cmp(&(&other.code, &other.id)));
    names.truncate(MOST_UNITS);
    Ok(names)
}
