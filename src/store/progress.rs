//! Queries for how far a period is: what counts in rollups, and the submissions that are late or were
//! returned. Each is one statement, however many units it is about.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed, to_word, word};
use super::key::{OfUnit, Units};
use super::schema::{rollup, submission};
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::submission::Status;
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

/// A submission that was returned, or came in after a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceptional {
    pub unit: UnitId,
    pub status: Status,
    /// If true, one of its revisions counts.
    pub counts: bool,
    pub received_on: Option<NaiveDate>,
}

#[derive(Queryable)]
struct ExceptionalRow {
    unit_id: String,
    status: String,
    counting_revision: Option<i32>,
    received_on: Option<NaiveDate>,
}

impl OfUnit for ExceptionalRow {
    fn unit_id(&self) -> &str {
        &self.unit_id
    }
}

/// Reads the submissions that were returned, and those that first came in after a day, if there is
/// one.
pub fn exceptional(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    received_after: Option<NaiveDate>,
    units: Units<'_>,
) -> Result<Vec<Exceptional>, StoreError> {
    let ids = units.ids();
    let returned = submission::status.eq(to_word(Status::Returned)?);
    let (tenant, connection) = transaction.parts();
    let of_period = rows_of!(submission, tenant, form, period.eq(period.to_string())).select((
        submission::unit_id,
        submission::status,
        submission::counting_revision,
        submission::received_on,
    ));
    let query = match received_after {
        Some(day) => of_period
            .filter(returned.or(submission::received_on.gt(day)))
            .into_boxed(),
        None => of_period.filter(returned).into_boxed(),
    };
    let rows: Vec<ExceptionalRow> = load_of_units!(submission, query, ids, connection);
    rows.into_iter()
        .map(|row| {
            Ok(Exceptional {
                unit: parsed(&row.unit_id, "unit id")?,
                status: word(&row.status)?,
                counts: row.counting_revision.is_some(),
                received_on: row.received_on,
            })
        })
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
