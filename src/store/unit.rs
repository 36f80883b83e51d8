//! Queries on units and their dated facts.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::schema::{unit, unit_fact};
use crate::domain::unit::{UnitFact, Validity};

/// Rows of one insert: well within the number of values that either backend takes at once.
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

/// Everything that is known of all units.
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

/// Adds new units, each with its first fact; parents come before their children.
pub fn units_insert(
    transaction: &mut Transaction<'_>,
    facts: &[UnitFact],
    rev: i64,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    for batch in facts.chunks(BATCH) {
        let units: Vec<_> = batch
            .iter()
            .map(|fact| {
                (
                    unit::tenant_id.eq(tenant),
                    unit::unit_id.eq(fact.unit.to_string()),
                    unit::rev.eq(rev),
                )
            })
            .collect();
        on_backend!(connection, |own| {
            diesel::insert_into(unit::table).values(&units).execute(own)
        })?;
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
