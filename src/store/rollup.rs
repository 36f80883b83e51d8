//! Queries on rollups: a row is one unit's report for one period, or all its longer periods of one
//! year.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Text};
use diesel::upsert::excluded;
use itertools::Itertools;

use super::connection::AnyConnection;
use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::indicator::to_column;
use super::key::{BATCH, OfUnit, Units, in_batches, of_each_unit};
use super::prepared::Prepared;
use super::schema::{rollup, rollup_year};
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::rollup::encode::{
    EncodingError, YearOfRollups, pack_rollup, pack_year, unpack_rollup, unpack_year,
};
use crate::rollup::node::{KeptRollup, Rollup};

/// The edition of the rules by which totals are kept. Raise it when the same submissions on the
/// same map produce other rows. Edition 1 changed the totals of units with successors.
pub const TOTALS_EDITION: i32 = 1;

/// A row of `rollup` or `rollup_year`.
#[derive(Queryable, QueryableByName)]
#[diesel(table_name = rollup)]
struct KeptRow {
    unit_id: String,
    cells: Vec<u8>,
    rev: i64,
}

impl OfUnit for KeptRow {
    fn unit_id(&self) -> &str {
        &self.unit_id
    }
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

/// Makes `read` and `put` of a table of packed rows. `$when` is the part of its key that says for
/// which time a row is. A constant `EACH` beside it is the PostgreSQL query for one unit's row.
macro_rules! packed_rows {
    ($table:ident, $when:ident: $type:ty as $sql:ty) => {
        use super::*;

        /// Reads the rows of `units`; units without a row are absent.
        pub fn read(
            transaction: &mut Transaction<'_>,
            form: FormNumber,
            $when: $type,
            units: Units<'_>,
        ) -> Result<Vec<KeptRow>, StoreError> {
            let ids = units.ids();
            if ids.is_empty() {
                return Ok(Vec::new());
            }
            let (tenant, connection) = transaction.parts();
            if let (AnyConnection::Postgresql(own), Some(few)) = (&mut *connection, ids.few()) {
                let each = of_each_unit(EACH, few, tenant, form)?;
                return Ok(each.bind::<$sql, _>($when).load(own)?);
            }
            let query = rows_of!($table, tenant, form, $when.eq($when))
                .select(($table::unit_id, $table::cells, $table::rev))
                .into_boxed();
            Ok(load_of_units!($table, query, ids, connection))
        }

        /// Writes rows, and replaces those that exist.
        pub fn put<'r, T: 'r>(
            transaction: &mut Transaction<'_>,
            form: FormNumber,
            $when: $type,
            packed: impl Iterator<Item = (UnitId, &'r T)>,
            pack: impl Fn(&T) -> Result<Vec<u8>, EncodingError>,
            rev: i64,
        ) -> Result<(), StoreError> {
            let form = to_column(form.get())?;
            let (tenant, connection) = transaction.parts();
            for batch in &packed.chunks(BATCH) {
                let rows = batch
                    .map(|(unit, one)| Ok((unit.to_string(), pack(one)?)))
                    .collect::<Result<Vec<_>, StoreError>>()?;
                match &mut *connection {
                    AnyConnection::Sqlite(own) => {
                        let rows: Vec<_> = rows
                            .iter()
                            .map(|(unit, cells)| {
                                (
                                    $table::tenant_id.eq(tenant),
                                    $table::form.eq(form),
                                    $table::$when.eq($when),
                                    $table::unit_id.eq(unit),
                                    $table::cells.eq(cells),
                                    $table::rev.eq(rev),
                                )
                            })
                            .collect();
                        diesel::insert_into($table::table)
                            .values(&rows)
                            .on_conflict((
                                $table::tenant_id,
                                $table::form,
                                $table::$when,
                                $table::unit_id,
                            ))
                            .do_update()
                            .set((
                                $table::cells.eq(excluded($table::cells)),
                                $table::rev.eq(excluded($table::rev)),
                            ))
                            .execute(own)?
                    }
                    AnyConnection::Postgresql(own) => {
                        let (units, cells): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
                        Prepared::new(PUT)
                            .bind::<Text, _>(tenant)
                            .bind::<Integer, _>(form)
                            .bind::<$sql, _>($when)
                            .bind::<BigInt, _>(rev)
                            .bind::<Array<Text>, _>(units)
                            .bind::<Array<Binary>, _>(cells)
                            .execute(own)?
                    }
                };
            }
            Ok(())
        }
    };
}

mod of_period {
    packed_rows!(rollup, period: &str as Text);

    const EACH: &str = r#"SELECT "rollup"."unit_id", "rollup"."cells", "rollup"."rev" FROM "rollup"
        WHERE "rollup"."tenant_id" = $2 AND "rollup"."form" = $3 AND "rollup"."period" = $4
        AND "rollup"."unit_id" = wanted.unit_id"#;

    const PUT: &str = r#"INSERT INTO "rollup"
        ("tenant_id", "form", "period", "unit_id", "cells", "rev")
        SELECT $1, $2, $3, put.unit_id, put.cells, $4
        FROM unnest($5::text[], $6::bytea[]) AS put(unit_id, cells)
        ON CONFLICT ("tenant_id", "form", "period", "unit_id")
        DO UPDATE SET "cells" = excluded."cells", "rev" = excluded."rev""#;
}

mod of_year {
    packed_rows!(rollup_year, year: i32 as Integer);

    const EACH: &str = r#"SELECT "rollup_year"."unit_id", "rollup_year"."cells", "rollup_year"."rev"
        FROM "rollup_year" WHERE "rollup_year"."tenant_id" = $2 AND "rollup_year"."form" = $3
        AND "rollup_year"."year" = $4 AND "rollup_year"."unit_id" = wanted.unit_id"#;

    const PUT: &str = r#"INSERT INTO "rollup_year"
        ("tenant_id", "form", "year", "unit_id", "cells", "rev")
        SELECT $1, $2, $3, put.unit_id, put.cells, $4
        FROM unnest($5::text[], $6::bytea[]) AS put(unit_id, cells)
        ON CONFLICT ("tenant_id", "form", "year", "unit_id")
        DO UPDATE SET "cells" = excluded."cells", "rev" = excluded."rev""#;
}

/// Reads the rollups of `units`; units without a row are absent.
pub fn rollups_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    units: Units<'_>,
) -> Result<HashMap<UnitId, KeptRollup>, StoreError> {
    let rows = of_period::read(transaction, form, &period.to_string(), units)?;
    by_unit(rows, |row| {
        Ok(KeptRollup {
            rollup: unpack_rollup(&row.cells)?,
            rev: row.rev,
        })
    })
}

/// Writes rollups, and replaces those that exist.
pub fn rollups_put<'r>(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    rollups: impl Iterator<Item = (UnitId, &'r Rollup)>,
    rev: i64,
) -> Result<(), StoreError> {
    let period = period.to_string();
    of_period::put(transaction, form, &period, rollups, pack_rollup, rev)
}

/// Deletes the rollups of units that need none any more.
pub fn rollups_delete(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    units: &[UnitId],
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    for ids in in_batches(units) {
        let rows = rows_of!(
            rollup,
            tenant,
            form,
            period.eq(period.to_string()),
            unit_id.eq_any(ids),
        );
        diesel::delete(rows).execute(connection)?;
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
    let rows = of_year::read(transaction, form, year, units)?;
    by_unit(rows, |row| Ok(unpack_year(&row.cells, row.rev)?))
}

/// Writes year rows, and replaces those that exist.
pub fn years_put(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    year: i32,
    years: &BTreeMap<UnitId, YearOfRollups>,
    rev: i64,
) -> Result<(), StoreError> {
    let years = years.iter().map(|(unit, rollups)| (*unit, rollups));
    of_year::put(transaction, form, year, years, pack_year, rev)
}
