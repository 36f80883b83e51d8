//! Queries on rollups: a row is one unit's report for one period.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Text};
use diesel::upsert::excluded;
use itertools::Itertools;

use super::connection::{AnyConnection, of_each_unit};
use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::indicator::to_column;
use super::schema::{rollup, rollup_year};
use super::submission::Units;
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::rollup::encode::{YearOfRollups, pack_rollup, pack_year, unpack_rollup, unpack_year};
use crate::rollup::node::{KeptRollup, Rollup};

/// The edition of the rules by which totals are kept. Raise it when the same submissions on the
/// same map produce other rows. Edition 1 changed the totals of units with successors.
pub const TOTALS_EDITION: i32 = 1;

/// The rows of one statement, within the number of bound values that either backend allows.
const BATCH: usize = 500;

/// A row of `rollup` or `rollup_year`.
#[derive(Queryable, QueryableByName)]
#[diesel(table_name = rollup)]
struct KeptRow {
    unit_id: String,
    cells: Vec<u8>,
    rev: i64,
}

/// Unpacks rows into a map by unit.
fn by_unit<T>(
    rows: Vec<KeptRow>,
    unpack: impl Fn(&KeptRow) -> Result<T, StoreError>,
) -> Result<HashMap<UnitId, T>, StoreError> {
    rows.iter()
        .map(|row| Ok((parsed(&row.unit_id, "unit id")?, unpack(row)?)))
        .collect()
}

/// Reads the rollups of `units`; units without a row are absent.
pub fn rollups_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    units: Units<'_>,
) -> Result<HashMap<UnitId, KeptRollup>, StoreError> {
    let rows = rollup_rows_of(transaction, form, period, units)?;
    by_unit(rows, |row| {
        Ok(KeptRollup {
            rollup: unpack_rollup(&row.cells)?,
            rev: row.rev,
        })
    })
}

fn rollup_rows_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    units: Units<'_>,
) -> Result<Vec<KeptRow>, StoreError> {
    let ids = units.ids();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let form = to_column(form.get())?;
    let (tenant, connection) = transaction.parts();
    if let (AnyConnection::Postgresql(own), Some(few)) = (&mut *connection, ids.few()) {
        let found = diesel::sql_query(of_each_unit(
            r#"SELECT "rollup"."unit_id", "rollup"."cells", "rollup"."rev" FROM "rollup"
                WHERE "rollup"."tenant_id" = $2 AND "rollup"."form" = $3 AND "rollup"."period" = $4
                AND "rollup"."unit_id" = wanted.unit_id"#,
        ))
        .bind::<Array<Text>, _>(few)
        .bind::<Text, _>(tenant)
        .bind::<Integer, _>(form)
        .bind::<Text, _>(period.to_string())
        .load(own)?;
        return Ok(found);
    }
    let mut query = rollup::table
        .filter(
            rollup::tenant_id
                .eq(tenant)
                .and(rollup::form.eq(form))
                .and(rollup::period.eq(period.to_string())),
        )
        .select((rollup::unit_id, rollup::cells, rollup::rev))
        .into_boxed();
    if let Some(few) = ids.few() {
        query = query.filter(rollup::unit_id.eq_any(few));
    }
    let mut rows = query.load(connection)?;
    rows.retain(|row: &KeptRow| ids.contain(&row.unit_id));
    Ok(rows)
}

#[derive(Insertable)]
#[diesel(table_name = rollup, treat_none_as_default_value = false)]
struct RollupRow<'r> {
    tenant_id: &'r str,
    form: i32,
    period: &'r str,
    unit_id: String,
    cells: Vec<u8>,
    rev: i64,
}

/// Writes rollups, and replaces those that exist.
pub fn rollups_put<'r>(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    rollups: impl Iterator<Item = (UnitId, &'r Rollup)>,
    rev: i64,
) -> Result<(), StoreError> {
    let form = to_column(form.get())?;
    let period = period.to_string();
    let (tenant, connection) = transaction.parts();
    for batch in &rollups.chunks(BATCH) {
        let rows = batch
            .map(|(unit, rollup)| {
                Ok(RollupRow {
                    tenant_id: tenant,
                    form,
                    period: &period,
                    unit_id: unit.to_string(),
                    cells: pack_rollup(rollup)?,
                    rev,
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        on_backend!(connection, |own| {
            diesel::insert_into(rollup::table)
                .values(&rows)
                .on_conflict((
                    rollup::tenant_id,
                    rollup::form,
                    rollup::period,
                    rollup::unit_id,
                ))
                .do_update()
                .set((
                    rollup::cells.eq(excluded(rollup::cells)),
                    rollup::rev.eq(excluded(rollup::rev)),
                ))
                .execute(own)
        })?;
    }
    Ok(())
}

/// Deletes the rollups of units that need none any more.
pub fn rollups_delete(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    units: &[UnitId],
) -> Result<(), StoreError> {
    let form = to_column(form.get())?;
    let (tenant, connection) = transaction.parts();
    for batch in units.chunks(BATCH) {
        let ids: Vec<String> = batch.iter().map(ToString::to_string).collect();
        diesel::delete(
            rollup::table.filter(
                rollup::tenant_id
                    .eq(tenant)
                    .and(rollup::form.eq(form))
                    .and(rollup::period.eq(period.to_string()))
                    .and(rollup::unit_id.eq_any(ids)),
            ),
        )
        .execute(connection)?;
    }
    Ok(())
}

/// Reads the year rows of `units`; units without a row are absent.
pub fn years_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    year: i32,
    units: Units<'_>,
) -> Result<HashMap<UnitId, YearOfRollups>, StoreError> {
    let rows = year_rows_of(transaction, form, year, units)?;
    by_unit(rows, |row| Ok(unpack_year(&row.cells, row.rev)?))
}

fn year_rows_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    year: i32,
    units: Units<'_>,
) -> Result<Vec<KeptRow>, StoreError> {
    let ids = units.ids();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let form = to_column(form.get())?;
    let (tenant, connection) = transaction.parts();
    if let (AnyConnection::Postgresql(own), Some(few)) = (&mut *connection, ids.few()) {
        let found = diesel::sql_query(of_each_unit(
            r#"SELECT "rollup_year"."unit_id", "rollup_year"."cells", "rollup_year"."rev"
                FROM "rollup_year" WHERE "rollup_year"."tenant_id" = $2
                AND "rollup_year"."form" = $3 AND "rollup_year"."year" = $4
                AND "rollup_year"."unit_id" = wanted.unit_id"#,
        ))
        .bind::<Array<Text>, _>(few)
        .bind::<Text, _>(tenant)
        .bind::<Integer, _>(form)
        .bind::<Integer, _>(year)
        .load(own)?;
        return Ok(found);
    }
    let mut query = rollup_year::table
        .filter(
            rollup_year::tenant_id
                .eq(tenant)
                .and(rollup_year::form.eq(form))
                .and(rollup_year::year.eq(year)),
        )
        .select((rollup_year::unit_id, rollup_year::cells, rollup_year::rev))
        .into_boxed();
    if let Some(few) = ids.few() {
        query = query.filter(rollup_year::unit_id.eq_any(few));
    }
    let mut rows = query.load(connection)?;
    rows.retain(|row: &KeptRow| ids.contain(&row.unit_id));
    Ok(rows)
}

#[derive(Insertable)]
#[diesel(table_name = rollup_year, treat_none_as_default_value = false)]
struct YearRow<'r> {
    tenant_id: &'r str,
    form: i32,
    year: i32,
    unit_id: String,
    cells: Vec<u8>,
    rev: i64,
}

/// Writes year rows, and replaces those that exist.
pub fn years_put(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    year: i32,
    years: &BTreeMap<UnitId, YearOfRollups>,
    rev: i64,
) -> Result<(), StoreError> {
    let form = to_column(form.get())?;
    let (tenant, connection) = transaction.parts();
    for batch in &years.iter().chunks(BATCH) {
        let rows = batch
            .map(|(unit, rollups)| {
                Ok(YearRow {
                    tenant_id: tenant,
                    form,
                    year,
                    unit_id: unit.to_string(),
                    cells: pack_year(rollups)?,
                    rev,
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        on_backend!(connection, |own| {
            diesel::insert_into(rollup_year::table)
                .values(&rows)
                .on_conflict((
                    rollup_year::tenant_id,
                    rollup_year::form,
                    rollup_year::year,
                    rollup_year::unit_id,
                ))
                .do_update()
                .set((
                    rollup_year::cells.eq(excluded(rollup_year::cells)),
                    rollup_year::rev.eq(excluded(rollup_year::rev)),
                ))
                .execute(own)
        })?;
    }
    Ok(())
}
