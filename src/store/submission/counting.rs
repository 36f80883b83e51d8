//! Queries on what counts of submissions: the facts of the revision that counts, and the state.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text};

use super::to_keys;
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::submission::{Revision, Status};
use crate::rollup::encode::unpack_facts;
use crate::rollup::piece::Contribution;
use crate::store::connection::AnyConnection;
use crate::store::database::Transaction;
use crate::store::error::{StoreError, parsed, word};
use crate::store::key::{OfUnit, Units, of_each_unit};
use crate::store::schema::{submission, submission_revision};

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

impl OfUnit for CountingRow {
    fn unit_id(&self) -> &str {
        &self.unit_id
    }
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
        let each = of_each_unit(
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
            few,
            tenant,
            form,
        )?;
        return Ok(each.bind::<Array<Text>, _>(to_keys(periods)).load(own)?);
    }
    let query = rows_of!(submission, tenant, form, period.eq_any(to_keys(periods)))
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
    Ok(load_of_units!(submission, query, ids, connection))
}

/// Lists those of some units whose counting values came or went after `rev`. Approving changes no
/// values.
pub fn recounted_since(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    periods: &[Period],
    units: Units<'_>,
    rev: i64,
) -> Result<Vec<UnitId>, StoreError> {
    let ids = units.ids();
    let (tenant, connection) = transaction.parts();
    let came_or_went = submission::counting_revision
        .is_null()
        .or(submission_revision::rev.nullable().gt(rev));
    let query = rows_of!(
        submission,
        tenant,
        form,
        period.eq_any(to_keys(periods)),
        counting_rev.gt(rev),
    )
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
    .filter(came_or_went)
    .select(submission::unit_id)
    .distinct()
    .into_boxed();
    let found: Vec<String> = load_of_units!(submission, query, ids, connection);
    found.iter().map(|unit| parsed(unit, "unit id")).collect()
}
