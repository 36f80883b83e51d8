//! A table as it is answered.

use serde::Serialize;

use crate::domain::indicator::AcrossUnits;
use crate::domain::naming::{Named, unit_title};
use crate::domain::quantity::{Decimal, Qualifier};
use crate::domain::submission::Stage;
use crate::message;
use crate::sentence::period::period_in_words;
use crate::service::application::locate::Located;
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::report::completeness::Progress;
use crate::service::report::map::MapView;
use crate::service::report::table::TableQuery;
use crate::service::report::table::column::in_language;

/// Figures of many units side by side. The columns are described once; the arrays of each row are in their
/// order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TableView {
    pub form: String,
    /// The form, the period and the unit in words, in the reader's language.
    #[schema(example = "Báo cáo công tác Mặt trận – năm 2024 – xã Tân An")]
    pub title: String,
    /// The period; of a table of several periods the last one, on whose map the rows are and whose
    /// completeness they have.
    pub period: PeriodName,
    pub stage: Stage,
    /// The tenant's rev at which any of these figures last changed; 0 before the first.
    pub rev: i64,
    pub unit: UnitName,
    /// The map of the last period or of the day that was asked for, and what changed it since the first.
    pub map: MapView,
    pub columns: Vec<TableColumn>,
    /// In the order of the tree.
    pub rows: Vec<TableRow>,
    /// The unit's own row, with everything below it.
    pub total: TableRow,
    /// If true, the submissions behind the total are those behind the rows, each once: sums of rows are the
    /// total's. Always false for `rows=subtree`, whose rows contain one another.
    pub adds_up: bool,
    /// The places at which the total is not the sum of the rows; empty for `rows=subtree`.
    pub differences: Vec<TableDifference>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TableColumn {
    #[schema(example = "fund.raised")]
    pub indicator: String,
    /// An option of a breakdown; null for the total.
    pub option: Option<String>,
    /// The name of the indicator, with that of the option, in the reader's language.
    #[schema(example = "Vận động Quỹ Vì người nghèo")]
    pub name: String,
    #[schema(example = "đồng")]
    pub unit_of_measure: String,
    /// The most digits after the point.
    pub decimals: u8,
    /// How a unit's figure comes from those below it; null for a formula. Only sums add up.
    pub across_units: Option<AcrossUnits>,
    pub measure: TableMeasure,
    /// The period of the figures; null if the form has none, as a year before its first.
    pub period: Option<PeriodName>,
    /// The same in words, in the reader's language.
    #[schema(example = "năm 2024")]
    pub period_name: Option<String>,
}

/// What of an indicator a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableMeasure {
    /// The figure of the period.
    Value,
    /// The figure of the same period a year before (cùng kỳ).
    Previous,
    /// The target of the unit itself (kế hoạch).
    Target,
}

/// A unit's figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TableRow {
    pub unit: UnitName,
    /// If true, this is the undivided part of a former unit, not a unit that exists.
    pub not_divided: bool,
    /// Null unless `include=completeness`.
    pub completeness: Option<RowCompleteness>,
    /// For each column the exact figure; null if nobody has reported, a formula has no value, there is no
    /// target, or the caller may not read the unit's figures of that period.
    #[schema(value_type = Vec<Option<f64>>)]
    pub values: Vec<Option<Decimal>>,
    /// For each column how the figure is to be read. A target is exact.
    pub qualifiers: Vec<Qualifier>,
    /// For each column the number of units with a value. Targets have none.
    pub reported: Vec<u64>,
    /// For each column the number of units expected to have a value. Targets have none.
    pub expected: Vec<u64>,
}

/// Counts of the reports of a unit and of everything below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RowCompleteness {
    /// Units that are to submit the form.
    pub expected: u64,
    /// Units whose submission counts.
    pub submitted: u64,
    /// Units whose submission is approved.
    pub approved: u64,
    /// Submissions that came after their deadline.
    pub late: u64,
}

impl From<Progress> for RowCompleteness {
    fn from(progress: Progress) -> RowCompleteness {
        RowCompleteness {
            expected: progress.expected,
            submitted: progress.submitted,
            approved: progress.approved,
            late: progress.late,
        }
    }
}

/// A place at which the total of a table is not the sum of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TableDifference {
    /// The key of the period in which it is so.
    #[schema(example = "2024")]
    pub period: String,
    pub unit: UnitName,
    pub reason: DifferenceReason,
}

/// Why the total of a table is not the sum of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceReason {
    /// The unit submitted values itself, which are in no row.
    OwnValues,
    /// The unit and everything below it is in no row: there is no unit of the level above it or below.
    LevelSkipped,
    /// It is the undivided part of a former unit, and in no row.
    NotDivided,
    /// The unit of a row was not below the table's unit in that period.
    NotBelow,
    /// The unit of a row was below that of another row in that period.
    WithinRow,
}

/// What was read for a table.
pub(super) struct Figures {
    pub rows: Vec<TableRow>,
    pub total: TableRow,
    pub adds_up: bool,
    pub differences: Vec<TableDifference>,
    pub rev: i64,
}

impl Figures {
    /// Adds the progress of each row, and last that of the total.
    pub fn add_completeness(&mut self, progress: Vec<Progress>) {
        let rows = self.rows.iter_mut().chain([&mut self.total]);
        for (row, progress) in rows.zip(progress) {
            row.completeness = Some(progress.into());
        }
    }
}

impl TableView {
    pub(super) fn of(
        query: &TableQuery,
        last: &Located<'_>,
        map: MapView,
        columns: Vec<TableColumn>,
        figures: Figures,
    ) -> TableView {
        let Figures {
            rows,
            total,
            adds_up,
            differences,
            rev,
        } = figures;
        TableView {
            form: last.form().code.to_string(),
            title: title(query, last, &columns),
            period: PeriodName::of(&last.in_force.period),
            stage: query.stage,
            rev,
            unit: UnitName::of(last.place()),
            map,
            columns,
            rows,
            total,
            adds_up,
            differences,
        }
    }
}

fn title(query: &TableQuery, last: &Located<'_>, columns: &[TableColumn]) -> String {
    let period = &last.in_force.period;
    let name = &period.definition.name;
    let form = Named::new(
        name.vi.as_str(),
        name.en.as_ref().unwrap_or(&name.vi).as_str(),
    );
    let fact = last.place().fact();
    let unit = unit_title(fact.kind.as_deref(), &fact.name);
    let first = columns
        .iter()
        .find_map(|column| column.period_name.as_deref());
    let last_name = period_in_words(period);
    let message = match first {
        Some(first) if first != in_language(&last_name, query.language) => {
            message!(
                "report-table-title-of-periods",
                form,
                first,
                last = last_name,
                unit
            )
        }
        _ => message!("report-table-title", form, period = last_name, unit),
    };
    message.in_language(query.language).to_owned()
}
