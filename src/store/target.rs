//! Queries on targets.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::indicator::{to_column, to_number};
use super::key::in_batches;
use super::schema::target;
use crate::domain::id::{AccountId, FormNumber, IndicatorNumber, OptionNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::submission::SubmissionKey;
use crate::rollup::cell::CellKey;

/// A value that a unit is to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub unit: UnitId,
    pub cell: CellKey,
    /// At the indicator's decimals; `None` after the target was removed.
    pub mantissa: Option<i64>,
    pub rev: i64,
}

/// Reads the targets of some units for a period, removed ones included.
pub fn targets_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    units: &[UnitId],
) -> Result<Vec<Target>, StoreError> {
    type Row = (String, i32, i32, Option<i64>, i64);
    let mut found = Vec::new();
    let (tenant, connection) = transaction.parts();
    for ids in in_batches(units) {
        let rows = rows_of!(
            target,
            tenant,
            form,
            period.eq(period.to_string()),
            unit_id.eq_any(ids),
        )
        .select((
            target::unit_id,
            target::indicator,
            target::option,
            target::mantissa,
            target::rev,
        ))
        .load::<Row>(connection)?;
        for (unit, indicator, option, mantissa, rev) in rows {
            let cell = CellKey {
                indicator: IndicatorNumber::new(to_number(indicator)?),
                option: OptionNumber::new(to_number(option)?),
            };
            found.push(Target {
                unit: parsed(&unit, "unit id")?,
                cell,
                mantissa,
                rev,
            });
        }
    }
    Ok(found)
}

/// Lists the forms, periods and cells that have a target, of one form or of all. Leaves removed
/// targets out.
pub fn periods_with_targets(
    transaction: &mut Transaction<'_>,
    form: Option<FormNumber>,
) -> Result<Vec<(FormNumber, Period, CellKey)>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let mut query = target::table
        .filter(
            target::tenant_id
                .eq(tenant)
                .and(target::mantissa.is_not_null()),
        )
        .select((
            target::form,
            target::period,
            target::indicator,
            target::option,
        ))
        .distinct()
        .into_boxed();
    if let Some(form) = form {
        query = query.filter(target::form.eq(to_column(form.get())?));
    }
    query
        .load::<(i32, String, i32, i32)>(connection)?
        .into_iter()
        .map(|(form, period, indicator, option)| {
            let cell = CellKey {
                indicator: IndicatorNumber::new(to_number(indicator)?),
                option: OptionNumber::new(to_number(option)?),
            };
            let form = FormNumber::new(to_number(form)?);
            Ok((form, parsed(&period, "period")?, cell))
        })
        .collect()
}

/// A unit that has targets of a form for a period, base or long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetHolder {
    pub form: FormNumber,
    pub period: Period,
    pub unit: UnitId,
    /// The rev of the latest change of any of its targets.
    pub rev: i64,
}

/// Lists all units with targets, removed ones included.
pub fn target_holders(transaction: &mut Transaction<'_>) -> Result<Vec<TargetHolder>, StoreError> {
    type Row = (i32, String, String, Option<i64>);
    let (tenant, connection) = transaction.parts();
    target::table
        .filter(target::tenant_id.eq(tenant))
        .group_by((target::form, target::period, target::unit_id))
        .select((
            target::form,
            target::period,
            target::unit_id,
            diesel::dsl::max(target::rev),
        ))
        .load::<Row>(connection)?
        .into_iter()
        .map(|(form, period, unit, rev)| {
            Ok(TargetHolder {
                form: FormNumber::new(to_number(form)?),
                period: parsed(&period, "period")?,
                unit: parsed(&unit, "unit id")?,
                rev: rev.unwrap_or_default(),
            })
        })
        .collect()
}

/// The account that sets a target, and the time.
#[derive(Debug, Clone, Copy)]
pub struct SetBy {
    pub account: AccountId,
    pub at: NaiveDateTime,
}

/// Writes a target, and replaces an earlier one.
pub fn target_put(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    put: &Target,
    by: SetBy,
) -> Result<(), StoreError> {
    let form = to_column(form.get())?;
    let indicator = to_column(put.cell.indicator.get())?;
    let option = to_column(put.cell.option.get())?;
    let (tenant, connection) = transaction.parts();
    let changes = (
        target::mantissa.eq(put.mantissa),
        target::account_id.eq(by.account.to_string()),
        target::set_at.eq(by.at),
        target::rev.eq(put.rev),
    );
    on_backend!(connection, |own| {
        diesel::insert_into(target::table)
            .values((
                target::tenant_id.eq(tenant),
                target::form.eq(form),
                target::period.eq(period.to_string()),
                target::unit_id.eq(put.unit.to_string()),
                target::indicator.eq(indicator),
                target::option.eq(option),
                changes.clone(),
            ))
            .on_conflict((
                target::tenant_id,
                target::form,
                target::period,
                target::unit_id,
                target::indicator,
                target::option,
            ))
            .do_update()
            .set(changes)
            .execute(own)
    })?;
    Ok(())
}

/// Moves a unit's targets of one form and period to another unit.
pub fn targets_rekey(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
    to: UnitId,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let own = of_report!(target, tenant, key);
    diesel::update(own)
        .set(target::unit_id.eq(to.to_string()))
        .execute(connection)?;
    Ok(())
}
