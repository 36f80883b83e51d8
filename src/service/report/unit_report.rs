//! A unit's report as it is printed: the form's outline, with the unit's own text and figures under
//! each heading, and beside each figure the target and the same period a year before. Does no
//! layout.

use crate::error::{Explain, Explanation};
use crate::sentence::period::period_in_words;
use crate::service::totals::cell::{CellView, TargetFigure};
use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};

use crate::authz::Scope;
use crate::domain::catalogue::{Entry, InForce};
use crate::domain::form::{Section, Show, Span};
use crate::domain::hierarchy::Place;
use crate::domain::naming::{Named, unit_title};
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::{Passage, Stage};
use crate::domain::text::LocalizedText;
use crate::service::application::Application;
use crate::service::application::locate::{Located, NotFound, ReportPath};
use crate::service::application::name::UnitName;
use crate::service::application::snapshot::Snapshot;
use crate::service::report::completeness::{
    CompletenessError, CompletenessView, Progress, completeness_in,
};
use crate::service::report::map::Undivided;
use crate::service::report::rollup::{Children, RollupError, RollupQuery, RollupView, rollup_in};
use crate::store::submission::revision::revision_get;
use crate::store::submission::submission_get;
use crate::store::{StoreError, Transaction};

/// The errors of reading a report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Rollup(#[from] RollupError),
    #[error(transparent)]
    Completeness(#[from] CompletenessError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Explain for ReportError {
    fn explain(&self) -> Explanation {
        match self {
            ReportError::NotFound(held) => held.explain(),
            ReportError::Rollup(held) => held.explain(),
            ReportError::Completeness(held) => held.explain(),
            ReportError::Store(held) => held.explain(),
        }
    }
}

/// A unit's report on a form for a period.
#[derive(Debug, Clone)]
pub struct UnitReport {
    pub form: LocalizedText,
    /// `năm 2024`, or the name of a window.
    pub period: Named,
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// `xã Tân An`.
    pub unit: String,
    pub code: String,
    /// The names of the units above it, the nearest first.
    pub above: Vec<String>,
    /// The unit's last day, if it has ended.
    pub last_day: Option<NaiveDate>,
    /// The last day in time of each level that submits; empty for a longer period.
    pub deadlines: Vec<(Named, NaiveDate)>,
    pub progress: Progress,
    /// The direct children from whose subtrees nothing has come.
    pub silent: Vec<String>,
    /// The former units with an undivided part that the figures contain.
    pub undivided: Vec<UnitName>,
    /// The former units with an undivided part that the figures do not contain.
    pub undivided_elsewhere: Vec<UnitName>,
    pub taken: Vec<TakenFigures>,
    pub sections: Vec<ReportSection>,
}

/// Figures that come from another form.
#[derive(Debug, Clone)]
pub struct TakenFigures {
    pub form: Named,
    pub indicators: Named,
}

/// A heading and its contents.
#[derive(Debug, Clone)]
pub struct ReportSection {
    pub number: String,
    pub title: LocalizedText,
    /// The unit's own text.
    pub text: Option<String>,
    pub lines: Vec<ReportLine>,
    pub sections: Vec<ReportSection>,
}

/// An indicator with its options.
#[derive(Debug, Clone)]
pub struct ReportLine {
    pub name: LocalizedText,
    pub unit_of_measure: String,
    pub figure: ReportFigure,
    /// The amount that the direct children handed up, if a transfer is shown both ways.
    pub received_from_below: Option<Decimal>,
    pub options: Vec<(LocalizedText, ReportFigure)>,
}

/// A figure and the figures beside it.
#[derive(Debug, Clone)]
pub struct ReportFigure {
    pub value: Option<(Decimal, Qualifier)>,
    pub target: Option<TargetFigure>,
    /// The value of the same period a year before, on this period's map.
    pub previous: Option<(Decimal, Qualifier)>,
    pub reported: u64,
    pub expected: u64,
}

/// Reads a report for the command-line operator, who may read everything.
///
/// # Errors
/// [`ReportError`].
pub fn inspect_report(
    application: &Application,
    scope: &Scope,
    path: &ReportPath,
    now: DateTime<Utc>,
) -> Result<UnitReport, ReportError> {
    application.inspecting(scope, |transaction, snapshot| {
        report_in(transaction, snapshot, path, now)
    })
}

fn report_in(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    path: &ReportPath,
    now: DateTime<Utc>,
) -> Result<UnitReport, ReportError> {
    let located = snapshot.locate_report(path, None)?;
    let rollup = whole_rollup(transaction, snapshot, path, None)?;
    let content = SectionContent {
        located: &located,
        cells: rollup.cells.iter().map(keyed).collect(),
        previous: previous_of(transaction, snapshot, &located, path)?,
        passages: passages_of(transaction, &located)?,
    };
    let completeness = completeness_in(transaction, snapshot, path, None, now)?;
    let (period, place) = (located.in_force.period, located.place());
    let days = snapshot.hierarchy.days_of(place.fact());
    let not_divided = rollup.map.not_divided.iter();
    let (elsewhere, inside): (Vec<&Undivided>, Vec<&Undivided>) =
        not_divided.partition(|undivided| undivided.cells.is_some());
    Ok(UnitReport {
        form: period.definition.name.clone(),
        period: period_in_words(&period),
        from: period.range.from,
        to: period.range.to,
        unit: title_of(place),
        code: place.fact().code.to_string(),
        above: place.ancestors().map(title_of).collect(),
        last_day: days.to.filter(|last| *last < snapshot.today(now)),
        deadlines: deadlines_of(snapshot, &located),
        progress: completeness.total,
        silent: silent_of(place, &completeness),
        undivided: units_of(&inside),
        undivided_elsewhere: units_of(&elsewhere),
        taken: taken_figures(&located.in_force),
        sections: content.sections(&period.definition.outline),
    })
}

fn title_of(place: Place<'_>) -> String {
    unit_title(place.fact().kind.as_deref(), &place.fact().name)
}

/// Names the figures that come from other forms, by form.
fn taken_figures(in_force: &InForce<'_>) -> Vec<TakenFigures> {
    let named = |name: &LocalizedText| {
        let LocalizedText { vi, en } = name.clone();
        Named::new(vi.clone(), en.unwrap_or(vi))
    };
    let taken = in_force.taken().into_iter().filter_map(|taken| {
        let entries = in_force.entries().iter();
        let entries = entries.filter(|entry| taken.indicators.contains(&entry.indicator.number));
        Some(TakenFigures {
            form: named(&taken.period?.definition.name),
            indicators: Named::list(entries.map(|entry| named(&entry.definition.name))),
        })
    });
    taken.collect()
}

fn units_of(undivided: &[&Undivided]) -> Vec<UnitName> {
    undivided.iter().map(|one| one.unit.clone()).collect()
}

fn whole_rollup(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    path: &ReportPath,
    as_of: Option<NaiveDate>,
) -> Result<RollupView, RollupError> {
    let query = RollupQuery {
        stage: Stage::Submitted,
        children: Children::LeftOut,
        indicators: None,
        as_of,
    };
    rollup_in(transaction, snapshot, path, &query)
}

type FigureKey<'c> = (&'c str, Option<&'c str>);

fn keyed(cell: &CellView) -> (FigureKey<'_>, &CellView) {
    ((&cell.indicator, cell.option.as_deref()), cell)
}

/// Reads the figures of the year before on this period's map, so that only real changes show. Empty
/// if the form had no such period then.
fn previous_of(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    located: &Located<'_>,
    path: &ReportPath,
) -> Result<Vec<CellView>, RollupError> {
    let period = located.period();
    let Some(before) = period.in_year(period.year() - 1) else {
        return Ok(Vec::new());
    };
    let path = ReportPath {
        period: before.to_string(),
        ..path.clone()
    };
    let closing = located.in_force.period.closing_day();
    match whole_rollup(transaction, snapshot, &path, Some(closing)) {
        Ok(found) => Ok(found.cells),
        Err(RollupError::NotFound(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Reads the passages of the unit's own counting submission. A longer period has none.
pub(super) fn passages_of(
    transaction: &mut Transaction<'_>,
    located: &Located<'_>,
) -> Result<Vec<Passage>, StoreError> {
    if located.in_force.period.span == Span::LongPeriod {
        return Ok(Vec::new());
    }
    let submission = submission_get(transaction, located.key())?;
    let Some(revision) = submission.and_then(|submission| submission.counting_revision) else {
        return Ok(Vec::new());
    };
    let record = revision_get(transaction, located.key(), revision)?;
    let content = record.and_then(|record| record.content);
    Ok(content.map(|content| content.narrative).unwrap_or_default())
}

/// Lists the last days of the levels, the earliest first.
fn deadlines_of(snapshot: &Snapshot, located: &Located<'_>) -> Vec<(Named, NaiveDate)> {
    let period = located.in_force.period;
    if period.span == Span::LongPeriod {
        return Vec::new();
    }
    let respondents = snapshot.respondents(&period);
    let levels = respondents.levels_with_duty().into_iter();
    let due = levels.filter_map(|level| {
        let deadline = period.deadline(level, snapshot.catalogue.holidays())?;
        let day = deadline.day(snapshot.counters.time_zone);
        Some((Named::level(level, &snapshot.hierarchy), day))
    });
    let mut due: Vec<(Named, NaiveDate)> = due.collect();
    due.sort_by_key(|(_, day)| *day);
    due
}

fn silent_of(place: Place<'_>, completeness: &CompletenessView) -> Vec<String> {
    let children = completeness.children.iter();
    let silent: BTreeSet<&str> = children
        .filter(|child| child.total.expected > 0 && child.total.submitted == 0)
        .map(|child| child.unit.id.as_str())
        .collect();
    let children = place.children();
    children
        .filter(|child| silent.contains(child.unit().to_string().as_str()))
        .map(title_of)
        .collect()
}

/// The contents of a report's sections.
struct SectionContent<'r> {
    located: &'r Located<'r>,
    cells: HashMap<FigureKey<'r>, &'r CellView>,
    previous: Vec<CellView>,
    passages: Vec<Passage>,
}

impl SectionContent<'_> {
    fn sections(&self, sections: &[Section]) -> Vec<ReportSection> {
        sections.iter().map(|one| self.section(one)).collect()
    }

    fn section(&self, section: &Section) -> ReportSection {
        let mut passages = self.passages.iter();
        let passage = passages.find(|passage| passage.section == section.number);
        let text = passage.map(|passage| passage.text.clone());
        let items = section.items.iter();
        let entries = items.filter_map(|item| self.located.in_force.entry(&item.indicator));
        ReportSection {
            number: section.number.to_string(),
            title: section.title.clone(),
            text: text.filter(|text| !text.trim().is_empty()),
            lines: entries.filter_map(|entry| self.line(entry)).collect(),
            sections: self.sections(&section.sections),
        }
    }

    fn line(&self, entry: &Entry<'_>) -> Option<ReportLine> {
        let cell = self.cell(entry, None)?;
        let options = entry.definition.options().filter_map(|option| {
            let cell = self.cell(entry, Some(option.code.as_str()))?;
            Some((option.name.clone(), self.figure(entry, cell)))
        });
        let is_both = entry.item.show == Show::Both;
        Some(ReportLine {
            name: entry.definition.name.clone(),
            unit_of_measure: entry.definition.unit_of_measure.clone(),
            figure: self.figure(entry, cell),
            received_from_below: cell.received_from_below.clone().filter(|_| is_both),
            options: options.collect(),
        })
    }

    fn cell(&self, entry: &Entry<'_>, option: Option<&str>) -> Option<&CellView> {
        let key = (entry.indicator.code.as_str(), option);
        self.cells.get(&key).copied()
    }

    fn figure(&self, entry: &Entry<'_>, cell: &CellView) -> ReportFigure {
        let mut previous = self.previous.iter();
        let previous = previous.find(|former| keyed(former).0 == keyed(cell).0);
        ReportFigure {
            value: shown(entry, cell),
            target: cell.target.clone(),
            previous: previous.and_then(|former| shown(entry, former)),
            reported: cell.reported,
            expected: cell.expected,
        }
    }
}

/// Returns the figure that the form shows for an item.
fn shown(entry: &Entry<'_>, cell: &CellView) -> Option<(Decimal, Qualifier)> {
    match entry.item.show {
        Show::Own => {
            let own = cell.own.as_ref()?;
            Some((own.value.clone()?, own.qualifier))
        }
        Show::Total | Show::Both => Some((cell.value.clone()?, cell.qualifier)),
    }
}
