//! Queries on the units that report for their subtrees.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::indicator::{to_column, to_number};
use super::schema::subtree_reporting;
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::subtree_reporting::{SubtreeReporting, SubtreeReportings};
use crate::domain::unit::Validity;

#[derive(Queryable, Selectable)]
#[diesel(table_name = subtree_reporting)]
struct SubtreeReportingRow {
    first_day: NaiveDate,
    last_day: Option<NaiveDate>,
    first_period: String,
    last_period: Option<String>,
    account_id: String,
    arranged_at: NaiveDateTime,
    rev: i64,
}

impl TryFrom<SubtreeReportingRow> for SubtreeReporting {
    type Error = StoreError;

    fn try_from(row: SubtreeReportingRow) -> Result<SubtreeReporting, StoreError> {
        let last = row.last_period.as_deref();
        Ok(SubtreeReporting {
            first: parsed(&row.first_period, "period")?,
            last: last.map(|last| parsed(last, "period")).transpose()?,
            days: Validity {
                from: row.first_day,
                to: row.last_day,
            },
            account: parsed(&row.account_id, "account id")?,
            arranged_at: row.arranged_at,
            rev: row.rev,
        })
    }
}

/// Reads which units report for their subtrees, on every form.
pub fn subtree_reportings(
    transaction: &mut Transaction<'_>,
) -> Result<SubtreeReportings, StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = subtree_reporting::table
        .filter(subtree_reporting::tenant_id.eq(tenant))
        .select((
            subtree_reporting::form,
            subtree_reporting::unit_id,
            subtree_reporting::first_day,
            subtree_reporting::last_day,
        ))
        .load::<(i32, String, NaiveDate, Option<NaiveDate>)>(connection)?;
    let arranged = rows.into_iter().map(|(form, unit, from, to)| {
        let form = FormNumber::new(to_number(form)?);
        Ok((form, parsed(&unit, "unit id")?, Validity { from, to }))
    });
    let arranged: Vec<(FormNumber, UnitId, Validity)> =
        arranged.collect::<Result<_, StoreError>>()?;
    Ok(SubtreeReportings::new(arranged))
}

/// Reads when a unit reports for its subtree on a form, in order.
pub fn subtree_reportings_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    unit: UnitId,
) -> Result<Vec<SubtreeReporting>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows: Vec<SubtreeReportingRow> = rows_of!(
        subtree_reporting,
        tenant,
        form,
        unit_id.eq(unit.to_string())
    )
    .order(subtree_reporting::first_day)
    .select(SubtreeReportingRow::as_select())
    .load(connection)?;
    rows.into_iter().map(SubtreeReporting::try_from).collect()
}

/// Lists the first and last periods of all that is arranged on a form.
pub fn subtree_reporting_periods(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
) -> Result<Vec<Period>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = rows_of!(subtree_reporting, tenant, form)
        .select((
            subtree_reporting::first_period,
            subtree_reporting::last_period,
        ))
        .distinct()
        .load::<(String, Option<String>)>(connection)?;
    let periods = rows
        .into_iter()
        .flat_map(|(first, last)| [Some(first), last]);
    let periods = periods.flatten();
    periods.map(|period| parsed(&period, "period")).collect()
}

pub fn subtree_reporting_insert(
    transaction: &mut Transaction<'_>,
    (form, unit): (FormNumber, UnitId),
    put: &SubtreeReporting,
) -> Result<(), StoreError> {
    let form = to_column(form.get())?;
    let (tenant, connection) = transaction.parts();
    diesel::insert_into(subtree_reporting::table)
        .values((
            subtree_reporting::tenant_id.eq(tenant),
            subtree_reporting::form.eq(form),
            subtree_reporting::unit_id.eq(unit.to_string()),
            subtree_reporting::first_day.eq(put.days.from),
            subtree_reporting::last_day.eq(put.days.to),
            subtree_reporting::first_period.eq(put.first.to_string()),
            subtree_reporting::last_period.eq(put.last.map(|last| last.to_string())),
            subtree_reporting::account_id.eq(put.account.to_string()),
            subtree_reporting::arranged_at.eq(put.arranged_at),
            subtree_reporting::rev.eq(put.rev),
        ))
        .execute(connection)?;
    Ok(())
}

/// Gives all that is arranged for a unit on a form the rev of a change of them.
pub fn subtree_reportings_changed(
    transaction: &mut Transaction<'_>,
    (form, unit): (FormNumber, UnitId),
    rev: i64,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = rows_of!(
        subtree_reporting,
        tenant,
        form,
        unit_id.eq(unit.to_string())
    );
    diesel::update(rows)
        .set(subtree_reporting::rev.eq(rev))
        .execute(connection)?;
    Ok(())
}

pub fn subtree_reporting_delete(
    transaction: &mut Transaction<'_>,
    (form, unit): (FormNumber, UnitId),
    gone: &SubtreeReporting,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let row = rows_of!(
        subtree_reporting,
        tenant,
        form,
        unit_id.eq(unit.to_string()),
        first_day.eq(gone.days.from)
    );
    diesel::delete(row).execute(connection)?;
    Ok(())
}
