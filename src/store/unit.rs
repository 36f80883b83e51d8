//! Queries on units and their dated facts.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::schema::{unit, unit_fact};
use crate::domain::id::UnitId;
use crate::domain::unit::{UnitFact, Validity};

/// The rows of one statement, within the number of bound values that either backend allows.
const BATCH: usize = 500;

#[derive(Queryable, Selectable)]
#[diesel(table_name = unit_fact)]
struct FactRow {
    unit_id: String,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    code: String,
    name: String,
    kind: Option<String>,
    level: String,
    parent_id: Option<String>,
}

#[derive(Insertable)]
#[diesel(table_name = unit_fact, treat_none_as_default_value = false)]
struct NewFact<'f> {
    tenant_id: &'f str,
    unit_id: String,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    code: &'f str,
    name: &'f str,
    kind: Option<&'f str>,
    level: &'f str,
    parent_id: Option<String>,
    rev: i64,
}

impl TryFrom<FactRow> for UnitFact {
    type Error = StoreError;

    fn try_from(row: FactRow) -> Result<UnitFact, StoreError> {
        Ok(UnitFact {
            unit: parsed(&row.unit_id, "unit id")?,
            validity: Validity {
                from: row.valid_from,
                to: row.valid_to,
            },
            code: parsed(&row.code, "unit code")?,
            name: row.name,
            kind: row.kind,
            level: parsed(&row.level, "level code")?,
            parent: row
                .parent_id
                .map(|parent| parsed(&parent, "unit id"))
                .transpose()?,
        })
    }
}

/// Reads all facts of all units.
pub fn unit_facts(transaction: &mut Transaction<'_>) -> Result<Vec<UnitFact>, StoreError> {
    let (tenant, connection) = transaction.parts();
    unit_fact::table
        .filter(unit_fact::tenant_id.eq(tenant))
        .order((unit_fact::unit_id, unit_fact::valid_from))
        .select(FactRow::as_select())
        .load::<FactRow>(connection)?
        .into_iter()
        .map(UnitFact::try_from)
        .collect()
}

/// Adds units, without facts.
pub fn units_insert(
    transaction: &mut Transaction<'_>,
    units: &[UnitId],
    rev: i64,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    for batch in units.chunks(BATCH) {
        let rows: Vec<_> = batch
            .iter()
            .map(|unit| {
                (
                    unit::tenant_id.eq(tenant),
                    unit::unit_id.eq(unit.to_string()),
                    unit::rev.eq(rev),
                )
            })
            .collect();
        on_backend!(connection, |own| {
            diesel::insert_into(unit::table).values(&rows).execute(own)
        })?;
    }
    Ok(())
}

/// Adds facts to existing units.
pub fn facts_insert(
    transaction: &mut Transaction<'_>,
    facts: &[UnitFact],
    rev: i64,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    for batch in facts.chunks(BATCH) {
        let rows: Vec<NewFact<'_>> = batch
            .iter()
            .map(|fact| new_fact(tenant, fact, rev))
            .collect();
        on_backend!(connection, |own| {
            diesel::insert_into(unit_fact::table)
                .values(&rows)
                .execute(own)
        })?;
    }
    Ok(())
}

/// Ends the open facts of some units on `last_day`.
pub fn facts_close(
    transaction: &mut Transaction<'_>,
    units: &[UnitId],
    last_day: NaiveDate,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    for batch in units.chunks(BATCH) {
        let open = unit_fact::table.filter(
            unit_fact::tenant_id
                .eq(tenant)
                .and(unit_fact::unit_id.eq_any(ids(batch)))
                .and(unit_fact::valid_to.is_null()),
        );
        diesel::update(open)
            .set(unit_fact::valid_to.eq(last_day))
            .execute(connection)?;
    }
    Ok(())
}

/// Reopens the facts of some units that end on `last_day`.
pub fn facts_reopen(
    transaction: &mut Transaction<'_>,
    units: &[UnitId],
    last_day: NaiveDate,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    for batch in units.chunks(BATCH) {
        let closed = unit_fact::table.filter(
            unit_fact::tenant_id
                .eq(tenant)
                .and(unit_fact::unit_id.eq_any(ids(batch)))
                .and(unit_fact::valid_to.eq(last_day)),
        );
        diesel::update(closed)
            .set(unit_fact::valid_to.eq(None::<NaiveDate>))
            .execute(connection)?;
    }
    Ok(())
}

/// Deletes the facts of some units that begin on `first_day`.
pub fn facts_delete(
    transaction: &mut Transaction<'_>,
    units: &[UnitId],
    first_day: NaiveDate,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    for batch in units.chunks(BATCH) {
        let opened = unit_fact::table.filter(
            unit_fact::tenant_id
                .eq(tenant)
                .and(unit_fact::unit_id.eq_any(ids(batch)))
                .and(unit_fact::valid_from.eq(first_day)),
        );
        diesel::delete(opened).execute(connection)?;
    }
    Ok(())
}

fn ids(units: &[UnitId]) -> Vec<String> {
    units.iter().map(ToString::to_string).collect()
}

fn new_fact<'f>(tenant: &'f str, fact: &'f UnitFact, rev: i64) -> NewFact<'f> {
    NewFact {
        tenant_id: tenant,
        unit_id: fact.unit.to_string(),
        valid_from: fact.validity.from,
        valid_to: fact.validity.to,
        code: fact.code.as_str(),
        name: &fact.name,
        kind: fact.kind.as_deref(),
        level: fact.level.as_str(),
        parent_id: fact.parent.map(|parent| parent.to_string()),
        rev,
    }
}
