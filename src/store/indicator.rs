//! Queries on indicators, their options and versions.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, document, parsed, to_document};
use super::schema::{indicator, indicator_option, indicator_version};
use crate::domain::id::{IndicatorNumber, OptionCode, OptionNumber};
use crate::domain::indicator::{Definition, Indicator};

/// Reads all indicators of the tenant with all their versions.
pub fn indicators(transaction: &mut Transaction<'_>) -> Result<Vec<Indicator>, StoreError> {
    let mut options = options_by_indicator(transaction)?;
    let mut versions = versions_by_indicator(transaction)?;
    let (tenant, connection) = transaction.parts();
    indicator::table
        .filter(indicator::tenant_id.eq(tenant))
        .select((indicator::number, indicator::code))
        .load::<(i32, String)>(connection)?
        .into_iter()
        .map(|(row, code)| {
            Ok(Indicator {
                number: IndicatorNumber::new(to_number(row)?),
                code: parsed(&code, "indicator code")?,
                options: options.remove(&row).unwrap_or_default(),
                versions: versions.remove(&row).unwrap_or_default(),
            })
        })
        .collect()
}

fn options_by_indicator(
    transaction: &mut Transaction<'_>,
) -> Result<HashMap<i32, BTreeMap<OptionCode, OptionNumber>>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = indicator_option::table
        .filter(indicator_option::tenant_id.eq(tenant))
        .select((
            indicator_option::indicator,
            indicator_option::number,
            indicator_option::code,
        ))
        .load::<(i32, i32, String)>(connection)?;
    let mut options: HashMap<i32, BTreeMap<OptionCode, OptionNumber>> = HashMap::new();
    for (indicator, number, code) in rows {
        let number = OptionNumber::new(to_number(number)?);
        options
            .entry(indicator)
            .or_default()
            .insert(parsed(&code, "option code")?, number);
    }
    Ok(options)
}

fn versions_by_indicator(
    transaction: &mut Transaction<'_>,
) -> Result<HashMap<i32, BTreeMap<NaiveDate, Definition>>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = indicator_version::table
        .filter(indicator_version::tenant_id.eq(tenant))
        .select((
            indicator_version::indicator,
            indicator_version::valid_from,
            indicator_version::definition,
        ))
        .load::<(i32, NaiveDate, String)>(connection)?;
    let mut versions: HashMap<i32, BTreeMap<NaiveDate, Definition>> = HashMap::new();
    for (indicator, from, definition) in rows {
        let definition = document(&definition, "indicator definition")?;
        versions
            .entry(indicator)
            .or_default()
            .insert(from, definition);
    }
    Ok(versions)
}

/// Writes an indicator: adds the options that are missing, and replaces the version of `valid_from`
/// if there is one.
pub fn indicator_put(
    transaction: &mut Transaction<'_>,
    put: &Indicator,
    valid_from: NaiveDate,
    rev: i64,
) -> Result<(), StoreError> {
    let number = to_column(put.number.get())?;
    let (tenant, connection) = transaction.parts();
    on_backend!(connection, |own| {
        diesel::insert_into(indicator::table)
            .values((
                indicator::tenant_id.eq(tenant),
                indicator::number.eq(number),
                indicator::code.eq(put.code.as_str()),
            ))
            .on_conflict((indicator::tenant_id, indicator::number))
            .do_nothing()
            .execute(own)
    })?;
    for (code, option) in &put.options {
        let option = to_column(option.get())?;
        on_backend!(connection, |own| {
            diesel::insert_into(indicator_option::table)
                .values((
                    indicator_option::tenant_id.eq(tenant),
                    indicator_option::indicator.eq(number),
                    indicator_option::number.eq(option),
                    indicator_option::code.eq(code.as_str()),
                ))
                .on_conflict((
                    indicator_option::tenant_id,
                    indicator_option::indicator,
                    indicator_option::number,
                ))
                .do_nothing()
                .execute(own)
        })?;
    }
    let Some(definition) = put.versions.get(&valid_from) else {
        return Ok(());
    };
    let changes = (
        indicator_version::definition.eq(to_document(definition)?),
        indicator_version::rev.eq(rev),
    );
    on_backend!(connection, |own| {
        diesel::insert_into(indicator_version::table)
            .values((
                indicator_version::tenant_id.eq(tenant),
                indicator_version::indicator.eq(number),
                indicator_version::valid_from.eq(valid_from),
                changes.clone(),
            ))
            .on_conflict((
                indicator_version::tenant_id,
                indicator_version::indicator,
                indicator_version::valid_from,
            ))
            .do_update()
            .set(changes)
            .execute(own)
    })?;
    Ok(())
}

pub(super) fn to_number(column: i32) -> Result<u32, StoreError> {
    u32::try_from(column).map_err(|_| StoreError::Corrupt(format!("number {column}")))
}

pub(super) fn to_column(number: u32) -> Result<i32, StoreError> {
    i32::try_from(number).map_err(|_| StoreError::Corrupt(format!("number {number}")))
}
