//! Queries for how far a period is: what counts in rollups, and the submissions that are late or were
//! given back. Each is one statement, however many units it is about.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::key::{OfUnit, Units};
use super::schema::{rollup, submission};
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::rollup::encode::{SubmissionCounts, unpack_counts};

#[derive(Queryable)]
struct CountsRow {
    unit_id: String,
    cells: Vec<u8>,
}

impl OfUnit for CountsRow {
    fn unit_id(&self) -> &str {
        &self.unit_id
    }
}

/// Reads how many submissions count in the rollups of a base period. Units without a row are absent.
pub fn period_counts(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    units: Units<'_>,
) -> Result<HashMap<UnitId, SubmissionCounts>, StoreError> {
    let ids = units.ids();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (tenant, connection) = transaction.parts();
    let query = rows_of!(rollup, tenant, form, period.eq(period.to_string()))
        .select((rollup::unit_id, rollup::cells))
        .into_boxed();
    let rows: Vec<CountsRow> = load_of_units!(rollup, query, ids, connection);
    rows.into_iter()
        .map(|row| Ok((parsed(&row.unit_id, "unit id")?, unpack_counts(&row.cells)?)))
        .collect()
}

/// Lists the units whose submission was given back, which have not answered that yet, and of which
/// nothing counts. They are few, so all of the period.
pub fn given_back_units(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
) -> Result<Vec<UnitId>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let found: Vec<String> = rows_of!(submission, tenant, form, period.eq(period.to_string()))
        .filter(submission::given_back_revision.is_not_null())
        .filter(submission::counting_revision.is_null())
        .select(submission::unit_id)
        .load(connection)?;
    found.iter().map(|unit| parsed(unit, "unit id")).collect()
}

/// The days on which submissions first came in that are asked for.
#[derive(Debug, Clone, Copy)]
pub enum ReceivedIn {
    After(NaiveDate),
    Until(NaiveDate),
}

/// Lists the units of a period whose counting submission first came in on some days, each with its
/// day, the earliest first; `limit` is the most to read.
pub fn received_in(
    transaction: &mut Transaction<'_>,
    (form, period): (FormNumber, Period),
    days: ReceivedIn,
    limit: Option<i64>,
) -> Result<Vec<(UnitId, NaiveDate)>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let mut query = rows_of!(submission, tenant, form, period.eq(period.to_string()))
        .filter(submission::counting_revision.is_not_null())
        .select((
            submission::unit_id,
            submission::received_on.assume_not_null(),
        ))
        // In the order of the index, or PostgreSQL expects the table's first rows to match.
        .order(submission::received_on)
        .into_boxed();
    query = match days {
        ReceivedIn::After(day) => query.filter(submission::received_on.gt(day)),
        ReceivedIn::Until(day) => query.filter(submission::received_on.le(day)),
    };
    if let Some(limit) = limit {
        query = query.limit(limit);
    }
    let rows: Vec<(String, NaiveDate)> = query.load(connection)?;
    let read = rows.into_iter();
    read.map(|(unit, day)| Ok((parsed(&unit, "unit id")?, day)))
        .collect()
}

/// Lists the units of which a submission counts.
pub fn counting_units(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    units: Units<'_>,
) -> Result<Vec<UnitId>, StoreError> {
    let ids = units.ids();
    let (tenant, connection) = transaction.parts();
    let query = rows_of!(submission, tenant, form, period.eq(period.to_string()))
        .filter(submission::counting_revision.is_not_null())
        .select(submission::unit_id)
        .into_boxed();
    let rows: Vec<String> = load_of_units!(submission, query, ids, connection);
    rows.iter().map(|unit| parsed(unit, "unit id")).collect()
}
