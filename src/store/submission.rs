//! Queries on submissions: the current state of each, its revisions, and what counts of it.

pub mod counting;
pub mod revision;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, Text};
use diesel::upsert::excluded;

use super::connection::AnyConnection;
use super::database::Transaction;
use super::error::{StoreError, parsed, to_word, word};
use super::indicator::{to_column, to_number};
use super::key::{BATCH, OfUnit, Units, in_batches, of_each_unit};
use super::prepared::{Prepared, column};
use super::schema::{submission, submission_revision};
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::received_days::ReceivedDays;
use crate::domain::submission::{Revision, Submission, SubmissionKey};

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = submission)]
struct SubmissionRow {
    period: String,
    unit_id: String,
    status: String,
    revision: i32,
    values_revision: i32,
    counting_revision: Option<i32>,
    given_back_revision: Option<i32>,
    speaks_for: String,
    received_on: Option<NaiveDate>,
    corrected_on: Option<NaiveDate>,
    rev: i64,
    counting_rev: i64,
}

impl OfUnit for SubmissionRow {
    fn unit_id(&self) -> &str {
        &self.unit_id
    }
}

impl TryFrom<SubmissionRow> for Submission {
    type Error = StoreError;

    fn try_from(row: SubmissionRow) -> Result<Submission, StoreError> {
        Ok(Submission {
            status: word(&row.status)?,
            revision: Revision::new(row.revision),
            values_revision: Revision::new(row.values_revision),
            counting_revision: row.counting_revision.map(Revision::new),
            given_back_revision: row.given_back_revision.map(Revision::new),
            speaks_for: word(&row.speaks_for)?,
            received: row.received_on.map(|received_on| ReceivedDays {
                received_on,
                corrected_on: row.corrected_on,
            }),
            rev: row.rev,
            counting_rev: row.counting_rev,
        })
    }
}

pub fn submission_get(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
) -> Result<Option<Submission>, StoreError> {
    let (tenant, connection) = transaction.parts();
    of_report!(submission, tenant, key)
        .select(SubmissionRow::as_select())
        .first::<SubmissionRow>(connection)
        .optional()?
        .map(Submission::try_from)
        .transpose()
}

/// Reads the submissions of some units for some periods.
pub fn submissions_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    periods: &[Period],
    units: Units<'_>,
) -> Result<Vec<(Period, UnitId, Submission)>, StoreError> {
    submission_rows_of(transaction, form, periods, units)?
        .into_iter()
        .map(|row| {
            Ok((
                parsed(&row.period, "period")?,
                parsed(&row.unit_id, "unit id")?,
                Submission::try_from(row)?,
            ))
        })
        .collect()
}

fn submission_rows_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    periods: &[Period],
    units: Units<'_>,
) -> Result<Vec<SubmissionRow>, StoreError> {
    let ids = units.ids();
    let (tenant, connection) = transaction.parts();
    if let (AnyConnection::Postgresql(own), Some(few)) = (&mut *connection, ids.few()) {
        let each = of_each_unit(
            r#"SELECT of_period.* FROM unnest($4::text[]) AS asked(period) CROSS JOIN LATERAL (
                SELECT "submission"."period", "submission"."unit_id", "submission"."status",
                "submission"."revision", "submission"."values_revision",
                "submission"."counting_revision", "submission"."given_back_revision",
                "submission"."speaks_for", "submission"."received_on",
                "submission"."corrected_on", "submission"."rev", "submission"."counting_rev"
                FROM "submission" WHERE "submission"."tenant_id" = $2 AND "submission"."form" = $3 AND "submission"."period" = asked.period
                AND "submission"."unit_id" = wanted.unit_id OFFSET 0) AS of_period"#,
            few,
            tenant,
            form,
        )?;
        return Ok(each.bind::<Array<Text>, _>(to_keys(periods)).load(own)?);
    }
    let query = rows_of!(submission, tenant, form, period.eq_any(to_keys(periods)))
        .select(SubmissionRow::as_select())
        .into_boxed();
    Ok(load_of_units!(submission, query, ids, connection))
}

fn to_keys(periods: &[Period]) -> Vec<String> {
    periods.iter().map(ToString::to_string).collect()
}

/// Lists the forms and base periods that have any submission, of one form or of all.
pub fn periods_with_submissions(
    transaction: &mut Transaction<'_>,
    form: Option<FormNumber>,
) -> Result<Vec<(FormNumber, Period)>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let mut query = submission::table
        .filter(submission::tenant_id.eq(tenant))
        .select((submission::form, submission::period))
        .distinct()
        .into_boxed();
    if let Some(form) = form {
        query = query.filter(submission::form.eq(to_column(form.get())?));
    }
    query
        .load::<(i32, String)>(connection)?
        .into_iter()
        .map(|(form, period)| {
            Ok((
                FormNumber::new(to_number(form)?),
                parsed(&period, "period")?,
            ))
        })
        .collect()
}

#[derive(Insertable)]
#[diesel(table_name = submission, treat_none_as_default_value = false)]
struct NewSubmission<'r> {
    tenant_id: &'r str,
    form: i32,
    period: String,
    unit_id: String,
    status: String,
    revision: i32,
    values_revision: i32,
    counting_revision: Option<i32>,
    given_back_revision: Option<i32>,
    speaks_for: String,
    received_on: Option<NaiveDate>,
    corrected_on: Option<NaiveDate>,
    rev: i64,
    counting_rev: i64,
}

impl<'r> NewSubmission<'r> {
    fn new(
        tenant: &'r str,
        key: &SubmissionKey,
        put: &Submission,
    ) -> Result<NewSubmission<'r>, StoreError> {
        Ok(NewSubmission {
            tenant_id: tenant,
            form: to_column(key.form.get())?,
            period: key.period.to_string(),
            unit_id: key.unit.to_string(),
            status: to_word(put.status)?,
            revision: put.revision.get(),
            values_revision: put.values_revision.get(),
            counting_revision: put.counting_revision.map(Revision::get),
            given_back_revision: put.given_back_revision.map(Revision::get),
            speaks_for: to_word(put.speaks_for)?,
            received_on: put.received.map(|received| received.received_on),
            corrected_on: put.received.and_then(|received| received.corrected_on),
            rev: put.rev,
            counting_rev: put.counting_rev,
        })
    }
}

/// Writes the states of submissions. Each may be named once.
pub fn submissions_put<'p>(
    transaction: &mut Transaction<'_>,
    submissions: impl IntoIterator<Item = (SubmissionKey, &'p Submission)>,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = submissions
        .into_iter()
        .map(|(key, put)| NewSubmission::new(tenant, &key, put))
        .collect::<Result<Vec<_>, StoreError>>()?;
    for batch in rows.chunks(BATCH) {
        match &mut *connection {
            AnyConnection::Postgresql(own) => prepared_put(tenant, batch).execute(own)?,
            AnyConnection::Sqlite(own) => diesel::insert_into(submission::table)
                .values(batch)
                .on_conflict((
                    submission::tenant_id,
                    submission::form,
                    submission::period,
                    submission::unit_id,
                ))
                .do_update()
                .set((
                    submission::status.eq(excluded(submission::status)),
                    submission::revision.eq(excluded(submission::revision)),
                    submission::values_revision.eq(excluded(submission::values_revision)),
                    submission::counting_revision.eq(excluded(submission::counting_revision)),
                    submission::given_back_revision.eq(excluded(submission::given_back_revision)),
                    submission::speaks_for.eq(excluded(submission::speaks_for)),
                    submission::received_on.eq(excluded(submission::received_on)),
                    submission::corrected_on.eq(excluded(submission::corrected_on)),
                    submission::rev.eq(excluded(submission::rev)),
                    submission::counting_rev.eq(excluded(submission::counting_rev)),
                ))
                .execute(own)?,
        };
    }
    Ok(())
}

/// The same for PostgreSQL, which prepares it once for batches of any size.
fn prepared_put<'r>(tenant: &'r str, rows: &'r [NewSubmission<'_>]) -> Prepared<'r> {
    Prepared::new(
        r#"INSERT INTO "submission" ("tenant_id", "form", "period", "unit_id", "status", "revision",
        "values_revision", "counting_revision", "given_back_revision", "speaks_for", "received_on",
        "corrected_on", "rev", "counting_rev")
        SELECT $1, put.* FROM unnest($2::integer[], $3::text[], $4::text[], $5::text[],
        $6::integer[], $7::integer[], $8::integer[], $9::integer[], $a::text[], $b::date[],
        $c::date[], $d::bigint[], $e::bigint[]) AS put
        ON CONFLICT ("tenant_id", "form", "period", "unit_id") DO UPDATE SET
        "status" = excluded."status", "revision" = excluded."revision",
        "values_revision" = excluded."values_revision",
        "counting_revision" = excluded."counting_revision",
        "given_back_revision" = excluded."given_back_revision",
        "speaks_for" = excluded."speaks_for", "received_on" = excluded."received_on",
        "corrected_on" = excluded."corrected_on", "rev" = excluded."rev",
        "counting_rev" = excluded."counting_rev""#,
    )
    .bind::<Text, _>(tenant)
    .bind::<Array<Integer>, _>(column(rows, |row| row.form))
    .bind::<Array<Text>, _>(column(rows, |row| row.period.as_str()))
    .bind::<Array<Text>, _>(column(rows, |row| row.unit_id.as_str()))
    .bind::<Array<Text>, _>(column(rows, |row| row.status.as_str()))
    .bind::<Array<Integer>, _>(column(rows, |row| row.revision))
    .bind::<Array<Integer>, _>(column(rows, |row| row.values_revision))
    .bind::<Array<Nullable<Integer>>, _>(column(rows, |row| row.counting_revision))
    .bind::<Array<Nullable<Integer>>, _>(column(rows, |row| row.given_back_revision))
    .bind::<Array<Text>, _>(column(rows, |row| row.speaks_for.as_str()))
    .bind::<Array<Nullable<Date>>, _>(column(rows, |row| row.received_on))
    .bind::<Array<Nullable<Date>>, _>(column(rows, |row| row.corrected_on))
    .bind::<Array<BigInt>, _>(column(rows, |row| row.rev))
    .bind::<Array<BigInt>, _>(column(rows, |row| row.counting_rev))
}

/// Raises the revision of some units' submissions by one, and changes nothing else.
pub fn submissions_advance(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    units: &[UnitId],
    rev: i64,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    for ids in in_batches(units) {
        let rows = rows_of!(
            submission,
            tenant,
            form,
            period.eq(period.to_string()),
            unit_id.eq_any(ids),
        );
        diesel::update(rows)
            .set((
                submission::revision.eq(submission::revision + 1),
                submission::rev.eq(rev),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// Moves a submission with all its revisions to another unit. Does nothing if there is none.
pub fn submission_rekey(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
    to: UnitId,
) -> Result<(), StoreError> {
    let Some(submission) = submission_get(transaction, key)? else {
        return Ok(());
    };
    // Write the new submission first, since revisions refer to it.
    submissions_put(
        transaction,
        [(SubmissionKey { unit: to, ..key }, &submission)],
    )?;
    let (tenant, connection) = transaction.parts();
    let revisions = of_report!(submission_revision, tenant, key);
    diesel::update(revisions)
        .set(submission_revision::unit_id.eq(to.to_string()))
        .execute(connection)?;
    let former = of_report!(submission, tenant, key);
    diesel::delete(former).execute(connection)?;
    Ok(())
}
