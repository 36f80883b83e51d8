//! Queries on submissions and their revisions.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Text};
use diesel::upsert::excluded;
use itertools::Itertools;

use super::connection::{AnyConnection, of_each_unit};
use super::database::Transaction;
use super::error::{StoreError, document, parsed, to_document};
use super::indicator::{to_column, to_number};
use super::schema::{account, submission, submission_revision};
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::receipt::Receipt;
use crate::domain::submission::{
    Content, Passage, Revision, RevisionRecord, Status, Step, Submission, SubmissionKey,
};
use crate::rollup::encode::{pack_facts, unpack_facts};
use crate::rollup::handover::PastStep;
use crate::rollup::piece::Contribution;

/// The rows of one insert, within the number of bound values that either backend allows.
const BATCH: usize = 500;

/// The most units that are asked for by id, within the number of bound values that either backend
/// allows. For more units, the whole period is read and filtered here.
const MOST_BY_ID: usize = 2000;

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

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = submission)]
struct SubmissionRow {
    period: String,
    unit_id: String,
    status: String,
    revision: i32,
    values_revision: i32,
    counting_revision: Option<i32>,
    speaks_for: String,
    received_on: Option<NaiveDate>,
    corrected_on: Option<NaiveDate>,
    rev: i64,
    counting_rev: i64,
}

impl TryFrom<SubmissionRow> for Submission {
    type Error = StoreError;

    fn try_from(row: SubmissionRow) -> Result<Submission, StoreError> {
        Ok(Submission {
            status: word(&row.status)?,
            revision: Revision::new(row.revision),
            values_revision: Revision::new(row.values_revision),
            counting_revision: row.counting_revision.map(Revision::new),
            speaks_for: word(&row.speaks_for)?,
            receipt: row.received_on.map(|received_on| Receipt {
                received_on,
                corrected_on: row.corrected_on,
            }),
            rev: row.rev,
            counting_rev: row.counting_rev,
        })
    }
}

/// Parses a state or a step, which are stored under their names in the API.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| StoreError::Corrupt(format!("word {text:?}")))
}

pub(super) fn to_word<T: serde::Serialize>(value: T) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(StoreError::Corrupt("a word that is no word".to_owned())),
    }
}

pub fn submission_get(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
) -> Result<Option<Submission>, StoreError> {
    let (tenant, connection) = transaction.parts();
    submission::table
        .filter(
            submission::tenant_id
                .eq(tenant)
                .and(submission::form.eq(to_column(key.form.get())?))
                .and(submission::period.eq(key.period.to_string()))
                .and(submission::unit_id.eq(key.unit.to_string())),
        )
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
        let found = diesel::sql_query(of_each_unit(
            r#"SELECT of_period.* FROM unnest($4::text[]) AS asked(period) CROSS JOIN LATERAL (
                SELECT "submission".* FROM "submission" WHERE "submission"."tenant_id" = $2
                AND "submission"."form" = $3 AND "submission"."period" = asked.period
                AND "submission"."unit_id" = wanted.unit_id OFFSET 0) AS of_period"#,
        ))
        .bind::<Array<Text>, _>(few)
        .bind::<Text, _>(tenant)
        .bind::<Integer, _>(to_column(form.get())?)
        .bind::<Array<Text>, _>(to_keys(periods))
        .load(own)?;
        return Ok(found);
    }
    let mut query = submission::table
        .filter(
            submission::tenant_id
                .eq(tenant)
                .and(submission::form.eq(to_column(form.get())?))
                .and(submission::period.eq_any(to_keys(periods))),
        )
        .select(SubmissionRow::as_select())
        .into_boxed();
    if let Some(few) = ids.few() {
        query = query.filter(submission::unit_id.eq_any(few));
    }
    let mut rows = query.load(connection)?;
    rows.retain(|row: &SubmissionRow| ids.contain(&row.unit_id));
    Ok(rows)
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

/// The counting part of a submission, if any, and the rev that last changed it.
#[derive(Debug, Clone)]
pub struct Counting {
    pub unit: UnitId,
    pub period: Period,
    pub contribution: Option<Contribution>,
    /// The revision that counts.
    pub revision: Option<Revision>,
    pub rev: i64,
}

/// Reads the counting parts of the submissions of some units for some periods.
pub fn counting_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    periods: &[Period],
    units: Units<'_>,
) -> Result<impl Iterator<Item = Result<Counting, StoreError>>, StoreError> {
    let rows = counting_rows_of(transaction, form, periods, units)?;
    // Converted one by one, so that a caller who keeps little of each never holds them all.
    Ok(rows.into_iter().map(Counting::try_from))
}

/// A joined row. The revision's columns are empty if no revision counts.
#[derive(Queryable, QueryableByName)]
#[diesel(table_name = submission)]
struct CountingRow {
    unit_id: String,
    period: String,
    status: String,
    counting_revision: Option<i32>,
    counting_rev: i64,
    #[diesel(sql_type = Nullable<Binary>)]
    facts: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    given: Option<i64>,
}

impl TryFrom<CountingRow> for Counting {
    type Error = StoreError;

    fn try_from(row: CountingRow) -> Result<Counting, StoreError> {
        let contribution = row
            .facts
            .zip(row.given)
            .map(|(facts, given)| {
                let facts = unpack_facts(&facts)?;
                Ok::<_, StoreError>(Contribution {
                    facts,
                    reached: word::<Status>(&row.status)?.reached(),
                    given,
                })
            })
            .transpose()?;
        Ok(Counting {
            unit: parsed(&row.unit_id, "unit id")?,
            period: parsed(&row.period, "period")?,
            contribution,
            revision: row.counting_revision.map(Revision::new),
            rev: row.counting_rev,
        })
    }
}

fn counting_rows_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    periods: &[Period],
    units: Units<'_>,
) -> Result<Vec<CountingRow>, StoreError> {
    let ids = units.ids();
    if periods.is_empty() || ids.is_empty() {
        return Ok(Vec::new());
    }
    let (tenant, connection) = transaction.parts();
    if let (AnyConnection::Postgresql(own), Some(few)) = (&mut *connection, ids.few()) {
        // Later months of a year may have nothing yet: find that out once, not for each unit. The
        // ORDER BY makes PostgreSQL use the key; for "any row" it would expect the table's first
        // rows to match. Each submission's revision is also looked up by its whole key.
        let found = diesel::sql_query(of_each_unit(
            r#"SELECT of_unit.*, counting.* FROM unnest(ARRAY(
                SELECT every.period FROM unnest($4::text[]) AS every(period) CROSS JOIN LATERAL (
                SELECT 1 FROM "submission" WHERE "submission"."tenant_id" = $2
                AND "submission"."form" = $3 AND "submission"."period" = every.period
                ORDER BY unit_id LIMIT 1) AS any_of)) AS asked(period)
                CROSS JOIN LATERAL (
                SELECT "submission"."unit_id", "submission"."period", "submission"."status",
                "submission"."counting_revision", "submission"."counting_rev"
                FROM "submission" WHERE "submission"."tenant_id" = $2 AND "submission"."form" = $3
                AND "submission"."period" = asked.period
                AND "submission"."unit_id" = wanted.unit_id OFFSET 0) AS of_unit
                LEFT JOIN LATERAL (
                SELECT "submission_revision"."facts", "submission_revision"."rev" AS given
                FROM "submission_revision" WHERE "submission_revision"."tenant_id" = $2
                AND "submission_revision"."form" = $3
                AND "submission_revision"."period" = of_unit.period
                AND "submission_revision"."unit_id" = of_unit.unit_id
                AND "submission_revision"."revision" = of_unit.counting_revision
                OFFSET 0) AS counting ON true"#,
        ))
        .bind::<Array<Text>, _>(few)
        .bind::<Text, _>(tenant)
        .bind::<Integer, _>(to_column(form.get())?)
        .bind::<Array<Text>, _>(to_keys(periods))
        .load(own)?;
        return Ok(found);
    }
    let mut query = submission::table
        .left_join(
            submission_revision::table.on(submission_revision::tenant_id
                .eq(submission::tenant_id)
                .and(submission_revision::tenant_id.eq(tenant))
                .and(submission_revision::form.eq(submission::form))
                .and(submission_revision::period.eq(submission::period))
                .and(submission_revision::unit_id.eq(submission::unit_id))
                .and(
                    submission_revision::revision
                        .nullable()
                        .eq(submission::counting_revision),
                )),
        )
        .filter(
            submission::tenant_id
                .eq(tenant)
                .and(submission::form.eq(to_column(form.get())?))
                .and(submission::period.eq_any(to_keys(periods))),
        )
        .select((
            submission::unit_id,
            submission::period,
            submission::status,
            submission::counting_revision,
            submission::counting_rev,
            submission_revision::facts.nullable(),
            submission_revision::rev.nullable(),
        ))
        .into_boxed();
    if let Some(few) = ids.few() {
        query = query.filter(submission::unit_id.eq_any(few));
    }
    let mut rows = query.load(connection)?;
    rows.retain(|row: &CountingRow| ids.contain(&row.unit_id));
    Ok(rows)
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
            speaks_for: to_word(put.speaks_for)?,
            received_on: put.receipt.map(|receipt| receipt.received_on),
            corrected_on: put.receipt.and_then(|receipt| receipt.corrected_on),
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
        on_backend!(connection, |own| {
            diesel::insert_into(submission::table)
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
                    submission::speaks_for.eq(excluded(submission::speaks_for)),
                    submission::received_on.eq(excluded(submission::received_on)),
                    submission::corrected_on.eq(excluded(submission::corrected_on)),
                    submission::rev.eq(excluded(submission::rev)),
                    submission::counting_rev.eq(excluded(submission::counting_rev)),
                ))
                .execute(own)
        })?;
    }
    Ok(())
}

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = submission_revision)]
struct RevisionRow {
    unit_id: String,
    revision: i32,
    step: String,
    status: String,
    facts: Option<Vec<u8>>,
    narrative: Option<String>,
    reason: Option<String>,
    account_id: String,
    entered_at: NaiveDateTime,
    rev: i64,
}

impl TryFrom<RevisionRow> for RevisionRecord {
    type Error = StoreError;

    fn try_from(row: RevisionRow) -> Result<RevisionRecord, StoreError> {
        let narrative: Option<Vec<Passage>> = row
            .narrative
            .map(|text| document(&text, "narrative"))
            .transpose()?;
        let content = row
            .facts
            .map(|facts| {
                let facts = unpack_facts(&facts)?;
                Ok::<_, StoreError>(Content {
                    facts,
                    narrative: narrative.unwrap_or_default(),
                })
            })
            .transpose()?;
        Ok(RevisionRecord {
            revision: Revision::new(row.revision),
            step: word(&row.step)?,
            status: word(&row.status)?,
            content,
            reason: row
                .reason
                .map(|text| document(&text, "reason"))
                .transpose()?,
            account: parsed(&row.account_id, "account id")?,
            entered_at: row.entered_at,
            rev: row.rev,
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = submission_revision, treat_none_as_default_value = false)]
struct NewRevision<'r> {
    tenant_id: &'r str,
    form: i32,
    period: String,
    unit_id: String,
    revision: i32,
    step: String,
    status: String,
    facts: Option<Vec<u8>>,
    narrative: Option<String>,
    reason: Option<String>,
    account_id: String,
    entered_at: NaiveDateTime,
    rev: i64,
}

impl<'r> NewRevision<'r> {
    fn new(
        tenant: &'r str,
        key: &SubmissionKey,
        record: &RevisionRecord,
    ) -> Result<NewRevision<'r>, StoreError> {
        let content = record.content.as_ref();
        Ok(NewRevision {
            tenant_id: tenant,
            form: to_column(key.form.get())?,
            period: key.period.to_string(),
            unit_id: key.unit.to_string(),
            revision: record.revision.get(),
            step: to_word(record.step)?,
            status: to_word(record.status)?,
            facts: content
                .map(|content| pack_facts(&content.facts))
                .transpose()?,
            narrative: content
                .map(|content| to_document(&content.narrative))
                .transpose()?,
            reason: record.reason.as_ref().map(to_document).transpose()?,
            account_id: record.account.to_string(),
            entered_at: record.entered_at,
            rev: record.rev,
        })
    }
}

pub fn revisions_append<'p>(
    transaction: &mut Transaction<'_>,
    records: impl IntoIterator<Item = (SubmissionKey, &'p RevisionRecord)>,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = records
        .into_iter()
        .map(|(key, record)| NewRevision::new(tenant, &key, record))
        .collect::<Result<Vec<_>, StoreError>>()?;
    for batch in rows.chunks(BATCH) {
        on_backend!(connection, |own| {
            diesel::insert_into(submission_revision::table)
                .values(batch)
                .execute(own)
        })?;
    }
    Ok(())
}

/// Reads the named revisions of some units' submissions.
pub fn revisions_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    wanted: &BTreeSet<(UnitId, Revision)>,
) -> Result<Vec<(UnitId, RevisionRecord)>, StoreError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    revision_rows_of(transaction, form, period, wanted)?
        .into_iter()
        .map(|row| {
            Ok((
                parsed(&row.unit_id, "unit id")?,
                RevisionRecord::try_from(row)?,
            ))
        })
        .filter_ok(|(unit, record)| wanted.contains(&(*unit, record.revision)))
        .collect()
}

/// Reads the revisions with any of the wanted numbers, for each wanted unit. May include numbers
/// that were wanted only of another unit.
fn revision_rows_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    wanted: &BTreeSet<(UnitId, Revision)>,
) -> Result<Vec<RevisionRow>, StoreError> {
    let units: BTreeSet<String> = wanted.iter().map(|(unit, _)| unit.to_string()).collect();
    let numbers: BTreeSet<i32> = wanted.iter().map(|(_, number)| number.get()).collect();
    let (tenant, connection) = transaction.parts();
    if let AnyConnection::Postgresql(own) = &mut *connection {
        let found = diesel::sql_query(of_each_unit(
            r#"SELECT "submission_revision".* FROM "submission_revision"
                WHERE "submission_revision"."tenant_id" = $2 AND "submission_revision"."form" = $3
                AND "submission_revision"."period" = $4
                AND "submission_revision"."unit_id" = wanted.unit_id
                AND "submission_revision"."revision" = ANY($5)"#,
        ))
        .bind::<Array<Text>, _>(units.into_iter().collect::<Vec<_>>())
        .bind::<Text, _>(tenant)
        .bind::<Integer, _>(to_column(form.get())?)
        .bind::<Text, _>(period.to_string())
        .bind::<Array<Integer>, _>(numbers.into_iter().collect::<Vec<_>>())
        .load(own)?;
        return Ok(found);
    }
    let rows = submission_revision::table
        .filter(
            submission_revision::tenant_id
                .eq(tenant)
                .and(submission_revision::form.eq(to_column(form.get())?))
                .and(submission_revision::period.eq(period.to_string()))
                .and(submission_revision::unit_id.eq_any(units))
                .and(submission_revision::revision.eq_any(numbers)),
        )
        .select(RevisionRow::as_select())
        .load(connection)?;
    Ok(rows)
}

/// Reads all steps of the submissions of some units, each unit's in order.
pub fn history_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    units: &[UnitId],
) -> Result<BTreeMap<UnitId, Vec<PastStep>>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let mut histories: BTreeMap<UnitId, Vec<PastStep>> = BTreeMap::new();
    for batch in units.chunks(BATCH) {
        let ids: Vec<String> = batch.iter().map(ToString::to_string).collect();
        let rows: Vec<RevisionRow> = submission_revision::table
            .filter(
                submission_revision::tenant_id
                    .eq(tenant)
                    .and(submission_revision::form.eq(to_column(form.get())?))
                    .and(submission_revision::period.eq(period.to_string()))
                    .and(submission_revision::unit_id.eq_any(ids)),
            )
            .order((submission_revision::unit_id, submission_revision::revision))
            .select(RevisionRow::as_select())
            .load(connection)?;
        for row in rows {
            let steps = histories.entry(parsed(&row.unit_id, "unit id")?);
            steps.or_default().push(PastStep {
                revision: Revision::new(row.revision),
                step: word(&row.step)?,
                rev: row.rev,
                facts: row.facts.map(|facts| unpack_facts(&facts)).transpose()?,
            });
        }
    }
    Ok(histories)
}

pub fn revision_get(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
    revision: Revision,
) -> Result<Option<RevisionRecord>, StoreError> {
    let (tenant, connection) = transaction.parts();
    submission_revision::table
        .filter(
            submission_revision::tenant_id
                .eq(tenant)
                .and(submission_revision::form.eq(to_column(key.form.get())?))
                .and(submission_revision::period.eq(key.period.to_string()))
                .and(submission_revision::unit_id.eq(key.unit.to_string()))
                .and(submission_revision::revision.eq(revision.get())),
        )
        .select(RevisionRow::as_select())
        .first::<RevisionRow>(connection)
        .optional()?
        .map(RevisionRecord::try_from)
        .transpose()
}

/// Reads at most `limit` revisions before `before`, the latest first, each with its account's
/// login.
pub fn revisions_before(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
    before: Revision,
    limit: i64,
) -> Result<Vec<(RevisionRecord, String)>, StoreError> {
    let (tenant, connection) = transaction.parts();
    submission_revision::table
        .inner_join(
            account::table.on(account::tenant_id
                .eq(submission_revision::tenant_id)
                .and(account::account_id.eq(submission_revision::account_id))),
        )
        .filter(
            submission_revision::tenant_id
                .eq(tenant)
                .and(account::tenant_id.eq(tenant))
                .and(submission_revision::form.eq(to_column(key.form.get())?))
                .and(submission_revision::period.eq(key.period.to_string()))
                .and(submission_revision::unit_id.eq(key.unit.to_string()))
                .and(submission_revision::revision.lt(before.get())),
        )
        .order(submission_revision::revision.desc())
        .limit(limit)
        .select((RevisionRow::as_select(), account::login))
        .load::<(RevisionRow, String)>(connection)?
        .into_iter()
        .map(|(row, login)| Ok((RevisionRecord::try_from(row)?, login)))
        .collect()
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
    for batch in units.chunks(BATCH) {
        let ids: Vec<String> = batch.iter().map(ToString::to_string).collect();
        let rows = submission::table.filter(
            submission::tenant_id
                .eq(tenant)
                .and(submission::form.eq(to_column(form.get())?))
                .and(submission::period.eq(period.to_string()))
                .and(submission::unit_id.eq_any(ids)),
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
    let form = to_column(key.form.get())?;
    let revisions = submission_revision::table.filter(
        submission_revision::tenant_id
            .eq(tenant)
            .and(submission_revision::form.eq(form))
            .and(submission_revision::period.eq(key.period.to_string()))
            .and(submission_revision::unit_id.eq(key.unit.to_string())),
    );
    diesel::update(revisions)
        .set(submission_revision::unit_id.eq(to.to_string()))
        .execute(connection)?;
    let former = submission::table.filter(
        submission::tenant_id
            .eq(tenant)
            .and(submission::form.eq(form))
            .and(submission::period.eq(key.period.to_string()))
            .and(submission::unit_id.eq(key.unit.to_string())),
    );
    diesel::delete(former).execute(connection)?;
    Ok(())
}

/// Lists the submissions with a step after `rev`. Steps that a reorganisation noted are left out.
pub fn revised_since(
    transaction: &mut Transaction<'_>,
    rev: i64,
) -> Result<Vec<SubmissionKey>, StoreError> {
    let (tenant, connection) = transaction.parts();
    submission_revision::table
        .filter(
            submission_revision::tenant_id
                .eq(tenant)
                .and(submission_revision::rev.gt(rev))
                .and(submission_revision::step.ne(to_word(Step::Reorganise)?)),
        )
        .select((
            submission_revision::form,
            submission_revision::period,
            submission_revision::unit_id,
        ))
        .distinct()
        .load::<(i32, String, String)>(connection)?
        .into_iter()
        .map(|(form, period, unit)| {
            Ok(SubmissionKey {
                form: FormNumber::new(to_number(form)?),
                period: parsed(&period, "period")?,
                unit: parsed(&unit, "unit id")?,
            })
        })
        .collect()
}
