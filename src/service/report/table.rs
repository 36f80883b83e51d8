//! Tables (bảng tổng hợp): figures of many units side by side. Units are in rows; indicators of one period,
//! or periods of one indicator, are in columns. Every figure is the one that the unit's rollup shows.
//!
//! Each period in the columns is a [`Layer`]: the period on its map, with the place of each row's unit there.
//! Rows are read and figured some hundreds at a time, so that only the figures of a large table are in
//! memory and not the rollups behind them.

mod column;
mod difference;
mod layer;
mod row;
mod view;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::authn::Identity;
use crate::authz::Denied;
use crate::domain::hierarchy::Place;
use crate::domain::submission::{Stage, SubmissionFault};
use crate::error::{Code, Explain, Explanation, Language};
use crate::locale::Quoted;
use crate::message;
use crate::sentence::Sentence;
use crate::service::application::Application;
use crate::service::application::answers::{Encoded, KeptAnswer, Question};
use crate::service::application::locate::{Located, NotFound};
use crate::service::application::snapshot::Snapshot;
use crate::service::report::completeness::progress_of;
use crate::service::report::listed::{ListedUnits, UnknownList};
use crate::service::report::map::MapView;
use crate::store::{StoreError, Transaction};

pub use self::view::{
    DifferenceReason, RowCompleteness, TableColumn, TableDifference, TableMeasure, TableRow,
    TableView,
};

use self::column::Columns;
use self::difference::differences;
use self::layer::Layers;
use self::row::Rows;
use self::view::Figures;

/// The most figures of a table: a country's communes with forty indicators, with those of the year before
/// and the targets, and some room.
pub const MOST_FIGURES: usize = 1_500_000;

/// The most periods of a table.
const MOST_PERIODS: usize = 240;

/// The errors of reading a table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("not in the form: {0:?}")]
    NotInForm(SubmissionFault, FigureParameter),
    #[error("from {from} to {to} is no range of periods")]
    Range { from: String, to: String },
    #[error(transparent)]
    Rows(#[from] UnknownList),
    #[error("{rows} rows of {columns} columns are too many figures")]
    TooLarge { rows: usize, columns: usize },
}

/// The parameter that names figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureParameter {
    Indicators,
    Indicator,
}

impl Explain for TableError {
    fn explain(&self) -> Explanation {
        match self {
            TableError::NotFound(held) => held.explain(),
            TableError::Denied(held) => held.explain(),
            TableError::Store(held) => held.explain(),
            TableError::NotInForm(fault, parameter) => {
                let parameter = match parameter {
                    FigureParameter::Indicators => "indicators",
                    FigureParameter::Indicator => "indicator",
                };
                Explanation::new(Code::UnknownIndicator, fault.message()).of_parameter(parameter)
            }
            TableError::Range { from, to } => {
                let (from, to, most) = (Quoted(&from), Quoted(&to), MOST_PERIODS);
                let message = message!("series-no-range", from, to, most);
                Explanation::new(Code::InvalidParameter, message).of_parameter("to")
            }
            TableError::Rows(unknown) => {
                let message = unknown.message(|rows| message!("report-table-unknown-rows", rows));
                Explanation::new(Code::InvalidParameter, message).of_parameter("rows")
            }
            TableError::TooLarge { rows, columns } => {
                let most = MOST_FIGURES;
                let message = message!("report-table-too-large", rows, columns, most);
                Explanation::new(Code::InvalidParameter, message).of_parameter("rows")
            }
        }
    }
}

/// The figures of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableQuery {
    pub form: String,
    /// The unit's id, or `code:` and the code that it has on the last day of the (last) period.
    pub unit: String,
    pub columns: AskedColumns,
    /// `children`, `level:` and the code of a level, or `subtree`.
    pub rows: String,
    pub stage: Stage,
    /// The day whose map all figures are put on; by default each period's own last day.
    pub as_of: Option<NaiveDate>,
    pub additions: Vec<Addition>,
    /// The language of names.
    pub language: Language,
}

impl TableQuery {
    fn has(&self, addition: Addition) -> bool {
        self.additions.contains(&addition)
    }
}

/// What is in the columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum AskedColumns {
    /// Indicators of one period: those of `indicators`, each with an option in brackets or without, or all
    /// that the form has.
    Indicators {
        period: String,
        indicators: Option<Vec<String>>,
    },
    /// One indicator, with an option in brackets or without, in several periods.
    Periods {
        indicator: String,
        from: String,
        to: String,
    },
}

/// An addition to the figures of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Addition {
    /// The same period a year before (cùng kỳ).
    Previous,
    Target,
    Completeness,
}

/// The units in the rows.
enum AskedRows {
    Listed(ListedUnits),
    Subtree,
}

impl AskedRows {
    fn read(
        snapshot: &Snapshot,
        query: &TableQuery,
        last: &Located<'_>,
    ) -> Result<AskedRows, UnknownList> {
        if query.rows == "subtree" {
            return Ok(AskedRows::Subtree);
        }
        let day = last.map_day();
        ListedUnits::read(&snapshot.hierarchy, &query.rows, day).map(AskedRows::Listed)
    }

    /// Lists the places of the rows, in the order of the tree. Undivided parts of former units are shown
    /// where units of every level are.
    fn places<'t>(&self, top: Place<'t>) -> Vec<Place<'t>> {
        match self {
            AskedRows::Listed(ListedUnits::Children) => top.parts().collect(),
            AskedRows::Listed(ListedUnits::Level(level)) => top.at_level(level).collect(),
            AskedRows::Subtree => top.subtree_with_leaves().skip(1).collect(),
        }
    }
}

/// Reads a table.
///
/// # Errors
/// [`TableError`].
pub fn get_table(
    application: &Application,
    identity: &Identity,
    query: &TableQuery,
) -> Result<TableView, TableError> {
    application.reading(identity, |transaction, snapshot| {
        table_in(transaction, snapshot, query, identity)
    })
}

/// Reads a table, and encodes it with `encode`; `written` says as what. Cached until anything of the tenant
/// changes.
///
/// # Errors
/// [`TableError`].
pub fn get_encoded_table(
    application: &Application,
    identity: &Identity,
    (query, written): (&TableQuery, &impl Serialize),
    encode: impl FnOnce(&TableView) -> Result<Encoded, StoreError>,
) -> Result<Encoded, TableError> {
    let question = question(identity, query, written)?;
    application.reading(identity, |transaction, snapshot| {
        let rev = snapshot.counters.rev;
        if let Some(encoded) = application.answers.get(&question, rev) {
            return Ok(encoded);
        }
        let view = table_in(transaction, snapshot, query, identity)?;
        let encoded = encode(&view)?;
        application.answers.keep(question, rev, encoded.clone());
        Ok(encoded)
    })
}

fn question(
    identity: &Identity,
    query: &TableQuery,
    written: &impl Serialize,
) -> Result<Question, StoreError> {
    Question::new(identity, "get_table", &(query, written))
}

/// Returns the answer of [`get_encoded_table`] if it is cached and nothing has changed since. Never blocks.
pub async fn kept_table(
    application: &Application,
    identity: &Identity,
    (query, written): (&TableQuery, &impl Serialize),
) -> Option<KeptAnswer> {
    let question = question(identity, query, written).ok()?;
    let (answers, database) = (&application.answers, &application.database);
    answers.current(&question, database, identity).await
}

fn table_in(
    transaction: &mut Transaction<'_>,
    snapshot: &Snapshot,
    query: &TableQuery,
    identity: &Identity,
) -> Result<TableView, TableError> {
    let last = layer::last(snapshot, query)?;
    let asked = AskedRows::read(snapshot, query, &last)?;
    let places = asked.places(last.place());
    let layers = Layers::of(snapshot, query, &last, &places)?;
    let columns = Columns::of(query, &last, &layers)?;
    if places.len().saturating_mul(columns.len()) > MOST_FIGURES {
        return Err(TableError::TooLarge {
            rows: places.len(),
            columns: columns.len(),
        });
    }
    let mut rows = Rows::new(transaction, snapshot, query, &layers, &columns);
    let shown = rows.shown(&places)?;
    let differences = match &asked {
        AskedRows::Listed(_) => differences(&mut rows, &layers, &shown)?,
        AskedRows::Subtree => Vec::new(),
    };
    let mut figures = Figures {
        adds_up: matches!(asked, AskedRows::Listed(_)) && differences.is_empty(),
        rows: rows.read(&shown)?,
        total: rows.read_one(last.place())?,
        differences,
        rev: rows.rev,
    };
    if query.has(Addition::Completeness) {
        let counted: Vec<Place<'_>> = shown.iter().copied().chain([last.place()]).collect();
        let now = identity.seen();
        let progress = progress_of(transaction, snapshot, &last, &counted, now)?;
        figures.add_completeness(progress);
    }
    let columns = columns.0.into_iter().map(|column| column.view);
    let columns = columns.collect();
    let periods = layers.0.into_iter().map(|pair| pair.current.located);
    let periods: Vec<Located<'_>> = periods.collect();
    let map = MapView::over(transaction, snapshot, &periods, &last)?;
    Ok(TableView::of(query, &last, map, columns, figures))
}
