//! Queries on extensions.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::indicator::{to_column, to_number};
use super::key::{OfUnit, Units, in_batches};
use super::schema::extension;
use crate::domain::extension::Extension;
use crate::domain::id::{FormNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::submission::SubmissionKey;

#[derive(Queryable, Selectable)]
#[diesel(table_name = extension)]
struct ExtensionRow {
    period: String,
    unit_id: String,
    last_day: NaiveDate,
    reason: String,
    account_id: String,
    given_at: NaiveDateTime,
    rev: i64,
}

impl OfUnit for ExtensionRow {
    fn unit_id(&self) -> &str {
        &self.unit_id
    }
}

impl TryFrom<ExtensionRow> for Extension {
    type Error = StoreError;

    fn try_from(row: ExtensionRow) -> Result<Extension, StoreError> {
        Ok(Extension {
            until: row.last_day,
            reason: row.reason,
            account: parsed(&row.account_id, "account id")?,
            given_at: row.given_at,
            rev: row.rev,
        })
    }
}

/// Reads the extensions of some units for some periods. Most units have none.
pub fn extensions_of(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    periods: &[Period],
    units: Units<'_>,
) -> Result<Vec<(Period, UnitId, Extension)>, StoreError> {
    let ids = units.ids();
    let periods: Vec<String> = periods.iter().map(ToString::to_string).collect();
    let (tenant, connection) = transaction.parts();
    let query = rows_of!(extension, tenant, form, period.eq_any(periods))
        .select(ExtensionRow::as_select())
        .into_boxed();
    let rows: Vec<ExtensionRow> = load_of_units!(extension, query, ids, connection);
    let read = rows.into_iter().map(|row| {
        let period = parsed(&row.period, "period")?;
        let unit = parsed(&row.unit_id, "unit id")?;
        Ok((period, unit, Extension::try_from(row)?))
    });
    read.collect()
}

/// Reads the extension of one unit for one period.
pub fn extension_get(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
) -> Result<Option<Extension>, StoreError> {
    let units = Units::These(&[key.unit]);
    let found = extensions_of(transaction, key.form, &[key.period], units)?;
    Ok(found.into_iter().next().map(|(_, _, extension)| extension))
}

/// Lists the extensions of some units, on every form.
pub fn extended_of(
    transaction: &mut Transaction<'_>,
    units: &[UnitId],
) -> Result<Vec<SubmissionKey>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let mut found = Vec::new();
    for ids in in_batches(units) {
        let rows = extension::table
            .filter(
                extension::tenant_id
                    .eq(tenant)
                    .and(extension::unit_id.eq_any(ids)),
            )
            .select((extension::form, extension::period, extension::unit_id))
            .load::<(i32, String, String)>(connection)?;
        for (form, period, unit) in rows {
            found.push(SubmissionKey {
                form: FormNumber::new(to_number(form)?),
                period: parsed(&period, "period")?,
                unit: parsed(&unit, "unit id")?,
            });
        }
    }
    Ok(found)
}

/// Writes a unit's extension, and replaces an earlier one.
pub fn extension_put(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
    put: &Extension,
) -> Result<(), StoreError> {
    let form = to_column(key.form.get())?;
    let (tenant, connection) = transaction.parts();
    let changes = (
        extension::last_day.eq(put.until),
        extension::reason.eq(&put.reason),
        extension::account_id.eq(put.account.to_string()),
        extension::given_at.eq(put.given_at),
        extension::rev.eq(put.rev),
    );
    on_backend!(connection, |own| {
        diesel::insert_into(extension::table)
            .values((
                extension::tenant_id.eq(tenant),
                extension::form.eq(form),
                extension::period.eq(key.period.to_string()),
                extension::unit_id.eq(key.unit.to_string()),
                changes.clone(),
            ))
            .on_conflict((
                extension::tenant_id,
                extension::form,
                extension::period,
                extension::unit_id,
            ))
            .do_update()
            .set(changes)
            .execute(own)
    })?;
    Ok(())
}

pub fn extension_delete(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let own = of_report!(extension, tenant, key);
    diesel::delete(own).execute(connection)?;
    Ok(())
}
