//! Queries on the revisions of submissions: every step that was taken with each.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Date, Integer, Nullable, Text, Timestamp};
use itertools::Itertools;

use crate::domain::id::{AccountId, FormNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::submission::{Content, Passage, Revision, RevisionRecord, Step, SubmissionKey};
use crate::rollup::encode::{pack_facts, unpack_facts, unpack_nil};
use crate::rollup::handover::PastStep;
use crate::store::connection::AnyConnection;
use crate::store::database::Transaction;
use crate::store::error::{StoreError, document, parsed, to_document, to_word, word};
use crate::store::indicator::{to_column, to_number};
use crate::store::key::{BATCH, in_batches, of_each_unit};
use crate::store::prepared::{Prepared, column};
use crate::store::schema::submission_revision;

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
    entered_for: Option<String>,
    entered_at: NaiveDateTime,
    rev: i64,
    received_on: Option<NaiveDate>,
    speaks_for: Option<String>,
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
                Ok::<_, StoreError>(Content {
                    facts: unpack_facts(&facts)?,
                    narrative: narrative.unwrap_or_default(),
                    nil: unpack_nil(&facts)?,
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
            entered_for: row.entered_for.map(|text| word(&text)).transpose()?,
            speaks_for: row.speaks_for.map(|text| word(&text)).transpose()?,
            entered_at: row.entered_at,
            received_on: row.received_on,
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
    entered_for: Option<String>,
    entered_at: NaiveDateTime,
    rev: i64,
    received_on: Option<NaiveDate>,
    speaks_for: Option<String>,
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
                .map(|content| pack_facts(&content.facts, content.nil))
                .transpose()?,
            narrative: content
                .map(|content| to_document(&content.narrative))
                .transpose()?,
            reason: record.reason.as_ref().map(to_document).transpose()?,
            account_id: record.account.to_string(),
            entered_for: record.entered_for.map(to_word).transpose()?,
            entered_at: record.entered_at,
            rev: record.rev,
            received_on: record.received_on,
            speaks_for: record.speaks_for.map(to_word).transpose()?,
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
        match &mut *connection {
            AnyConnection::Postgresql(own) => prepared_append(tenant, batch).execute(own)?,
            AnyConnection::Sqlite(own) => diesel::insert_into(submission_revision::table)
                .values(batch)
                .execute(own)?,
        };
    }
    Ok(())
}

/// The same for PostgreSQL, which prepares it once for batches of any size.
fn prepared_append<'r>(tenant: &'r str, rows: &'r [NewRevision<'_>]) -> Prepared<'r> {
    Prepared::new(
        r#"INSERT INTO "submission_revision" ("tenant_id", "form", "period", "unit_id", "revision",
        "step", "status", "facts", "narrative", "reason", "account_id", "entered_for", "entered_at",
        "received_on", "rev", "speaks_for")
        SELECT $1, new.* FROM unnest($2::integer[], $3::text[], $4::text[], $5::integer[],
        $6::text[], $7::text[], $8::bytea[], $9::text[], $a::text[], $b::text[], $c::text[],
        $d::timestamp[], $e::date[], $f::bigint[], $g::text[]) AS new"#,
    )
    .bind::<Text, _>(tenant)
    .bind::<Array<Integer>, _>(column(rows, |row| row.form))
    .bind::<Array<Text>, _>(column(rows, |row| row.period.as_str()))
    .bind::<Array<Text>, _>(column(rows, |row| row.unit_id.as_str()))
    .bind::<Array<Integer>, _>(column(rows, |row| row.revision))
    .bind::<Array<Text>, _>(column(rows, |row| row.step.as_str()))
    .bind::<Array<Text>, _>(column(rows, |row| row.status.as_str()))
    .bind::<Array<Nullable<Binary>>, _>(column(rows, |row| row.facts.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.narrative.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.reason.as_deref()))
    .bind::<Array<Text>, _>(column(rows, |row| row.account_id.as_str()))
    .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.entered_for.as_deref()))
    .bind::<Array<Timestamp>, _>(column(rows, |row| row.entered_at))
    .bind::<Array<Nullable<Date>>, _>(column(rows, |row| row.received_on))
    .bind::<Array<BigInt>, _>(column(rows, |row| row.rev))
    .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.speaks_for.as_deref()))
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
        let each = of_each_unit(
            r#"SELECT "submission_revision"."unit_id", "submission_revision"."revision",
                "submission_revision"."step", "submission_revision"."status",
                "submission_revision"."facts", "submission_revision"."narrative",
                "submission_revision"."reason", "submission_revision"."account_id",
                "submission_revision"."entered_for", "submission_revision"."entered_at",
                "submission_revision"."received_on", "submission_revision"."speaks_for",
                "submission_revision"."rev"
                FROM "submission_revision" WHERE "submission_revision"."tenant_id" = $2 AND "submission_revision"."form" = $3
                AND "submission_revision"."period" = $4
                AND "submission_revision"."unit_id" = wanted.unit_id
                AND "submission_revision"."revision" = ANY($5)"#,
            units.iter().collect(),
            tenant,
            form,
        )?;
        let found = each
            .bind::<Text, _>(period.to_string())
            .bind::<Array<Integer>, _>(numbers.into_iter().collect::<Vec<_>>())
            .load(own)?;
        return Ok(found);
    }
    let rows = rows_of!(
        submission_revision,
        tenant,
        form,
        period.eq(period.to_string()),
        unit_id.eq_any(units),
        revision.eq_any(numbers),
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
    for ids in in_batches(units) {
        let rows: Vec<RevisionRow> = rows_of!(
            submission_revision,
            tenant,
            form,
            period.eq(period.to_string()),
            unit_id.eq_any(ids),
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
    of_report!(
        submission_revision,
        tenant,
        key,
        revision.eq(revision.get())
    )
    .select(RevisionRow::as_select())
    .first::<RevisionRow>(connection)
    .optional()?
    .map(RevisionRecord::try_from)
    .transpose()
}

/// Reads at most `limit` revisions before `before`, the latest first.
pub fn revisions_before(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
    before: Revision,
    limit: i64,
) -> Result<Vec<RevisionRecord>, StoreError> {
    let (tenant, connection) = transaction.parts();
    of_report!(submission_revision, tenant, key, revision.lt(before.get()))
        .order(submission_revision::revision.desc())
        .limit(limit)
        .select(RevisionRow::as_select())
        .load::<RevisionRow>(connection)?
        .into_iter()
        .map(RevisionRecord::try_from)
        .collect()
}

/// A step and who took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthoredStep {
    pub revision: Revision,
    pub step: Step,
    pub account: AccountId,
}

impl AuthoredStep {
    pub(in crate::store) fn new(
        revision: i32,
        step: &str,
        account: &str,
    ) -> Result<AuthoredStep, StoreError> {
        Ok(AuthoredStep {
            revision: Revision::new(revision),
            step: word(step)?,
            account: parsed(account, "account id")?,
        })
    }
}

/// Reads who took the steps before `before`, at most `limit`, the latest first. Reads no values.
pub fn authors_before(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
    before: Revision,
    limit: i64,
) -> Result<Vec<AuthoredStep>, StoreError> {
    let (tenant, connection) = transaction.parts();
    of_report!(submission_revision, tenant, key, revision.lt(before.get()))
        .order(submission_revision::revision.desc())
        .limit(limit)
        .select((
            submission_revision::revision,
            submission_revision::step,
            submission_revision::account_id,
        ))
        .load::<(i32, String, String)>(connection)?
        .into_iter()
        .map(|(revision, step, account)| AuthoredStep::new(revision, &step, &account))
        .collect()
}

/// Reads the latest revision before `before` whose values were sent, and not only kept as a draft.
pub fn revision_sent_before(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
    before: Revision,
) -> Result<Option<RevisionRecord>, StoreError> {
    let sending = [to_word(Step::Submit)?, to_word(Step::Replace)?];
    let (tenant, connection) = transaction.parts();
    of_report!(submission_revision, tenant, key, revision.lt(before.get()))
        .filter(submission_revision::step.eq_any(sending))
        .order(submission_revision::revision.desc())
        .select(RevisionRow::as_select())
        .first::<RevisionRow>(connection)
        .optional()?
        .map(RevisionRecord::try_from)
        .transpose()
}

/// Reads the latest revision before `before` that brought values.
pub fn revision_with_values_before(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
    before: Revision,
) -> Result<Option<RevisionRecord>, StoreError> {
    let (tenant, connection) = transaction.parts();
    of_report!(submission_revision, tenant, key, revision.lt(before.get()))
        .filter(submission_revision::facts.is_not_null())
        .order(submission_revision::revision.desc())
        .select(RevisionRow::as_select())
        .first::<RevisionRow>(connection)
        .optional()?
        .map(RevisionRecord::try_from)
        .transpose()
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
