//! The key of what a unit reports: tenant, form, period or year, and unit. Submissions, their
//! revisions, rollups and targets are all found by it.

use std::collections::HashSet;

use diesel::sql_types::{Array, Integer, Text};

use super::error::StoreError;
use super::indicator::to_column;
use super::prepared::Prepared;
use crate::domain::id::{FormNumber, UnitId};

/// The rows of one statement, within the number of bound values that either backend allows.
pub(super) const BATCH: usize = 500;

/// The most units that are asked for by id, within the number of bound values that either backend
/// allows. For more units, the whole period is read and filtered here.
const MOST_BY_ID: usize = 2000;

/// Filters a table by its key: the tenant, the form, then any further columns, as in
/// `rows_of!(rollup, tenant, form, period.eq(period), unit_id.eq_any(ids))`.
macro_rules! rows_of {
    ($table:ident, $tenant:expr, $form:expr $(, $column:ident.$compare:ident($value:expr))* $(,)?) => {
        $table::table.filter(
            $table::tenant_id
                .eq($tenant)
                .and($table::form.eq($crate::store::indicator::to_column($form.get())?))
                $( .and($table::$column.$compare($value)) )*
        )
    };
}

/// Filters a table by the key of one unit's report on a form for a period, then by any further
/// columns, as in `of_report!(submission_revision, tenant, key, revision.eq(revision))`.
macro_rules! of_report {
    ($table:ident, $tenant:expr, $key:expr $(, $column:ident.$compare:ident($value:expr))* $(,)?) => {
        rows_of!(
            $table,
            $tenant,
            $key.form,
            period.eq($key.period.to_string()),
            unit_id.eq($key.unit.to_string())
            $(, $column.$compare($value))*
        )
    };
}

/// Loads a boxed query's rows of some units. Names the units in the statement unless there are too
/// many.
macro_rules! load_of_units {
    ($table:ident, $query:expr, $ids:expr, $connection:expr) => {{
        let mut query = $query;
        if let Some(few) = $ids.few() {
            query = query.filter($table::unit_id.eq_any(few));
        }
        let mut rows = query.load($connection)?;
        rows.retain(|row: &_| $ids.contain($crate::store::key::OfUnit::unit_id(row)));
        rows
    }};
}

/// Wraps a PostgreSQL query so that it looks up each of many units by its whole key. `query`
/// selects one unit's rows by `wanted.unit_id`; the list of units is `$1`, the tenant `$2`, the
/// form `$3`, and what is bound to the answer comes from `$4` on. With `unit_id = ANY(…)`,
/// PostgreSQL assumes few rows while its statistics do not know a tenant or period yet, then reads
/// them all and filters.
pub(super) fn of_each_unit<'q>(
    query: &'static str,
    units: Vec<&'q String>,
    tenant: &'q str,
    form: FormNumber,
) -> Result<Prepared<'q>, StoreError> {
    let query = Prepared::new(format!(
        "SELECT found.* FROM unnest($1::text[]) AS wanted(unit_id) \
         CROSS JOIN LATERAL ({query} OFFSET 0) AS found"
    ));
    Ok(query
        .bind::<Array<Text>, _>(units)
        .bind::<Text, _>(tenant)
        .bind::<Integer, _>(to_column(form.get())?))
}

/// The units that a query is about.
#[derive(Debug, Clone, Copy)]
pub enum Units<'u> {
    All,
    These(&'u [UnitId]),
}

impl Units<'_> {
    pub(super) fn ids(self) -> Ids {
        Ids(match self {
            Units::All => None,
            Units::These(units) => Some(units.iter().map(ToString::to_string).collect()),
        })
    }
}

/// The ids of a query's units; `None` means all.
pub(super) struct Ids(Option<HashSet<String>>);

impl Ids {
    /// Returns the ids to name in the statement, unless there are too many.
    pub fn few(&self) -> Option<Vec<&String>> {
        let ids = self.0.as_ref()?;
        (ids.len() <= MOST_BY_ID).then(|| ids.iter().collect())
    }

    pub fn contain(&self, id: &str) -> bool {
        self.0.as_ref().is_none_or(|ids| ids.contains(id))
    }

    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_some_and(HashSet::is_empty)
    }
}

/// A row that is a unit's.
pub(super) trait OfUnit {
    fn unit_id(&self) -> &str;
}

impl OfUnit for String {
    fn unit_id(&self) -> &str {
        self
    }
}

/// Divides units into lists of ids for one statement each.
pub(super) fn in_batches(units: &[UnitId]) -> impl Iterator<Item = Vec<String>> {
    let batches = units.chunks(BATCH);
    batches.map(|batch| batch.iter().map(ToString::to_string).collect())
}
