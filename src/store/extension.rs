//! Queries on extensions: the one that holds, and the history, to which is only added.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::dsl::max;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::connection::AnyConnection;
use super::database::Transaction;
use super::error::{StoreError, parsed, to_word, word};
use super::filling::fill_each_tenant;
use super::indicator::{to_column, to_number};
use super::key::{OfUnit, Units, in_batches};
use super::schema::{extension, extension_step};
use crate::domain::extension::{Extension, ExtensionStep};
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

/// Lists the extensions of some units that were given after `rev`, on every form.
pub fn extended_since(
    transaction: &mut Transaction<'_>,
    rev: i64,
    units: &[UnitId],
) -> Result<Vec<SubmissionKey>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let mut found = Vec::new();
    for ids in in_batches(units) {
        let rows = extension::table
            .filter(
                extension::tenant_id
                    .eq(tenant)
                    .and(extension::unit_id.eq_any(ids))
                    .and(extension::rev.gt(rev)),
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

/// Reads all extensions of the tenant.
pub fn extensions_everywhere(
    transaction: &mut Transaction<'_>,
) -> Result<Vec<(SubmissionKey, Extension)>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = extension::table
        .filter(extension::tenant_id.eq(tenant))
        .select((extension::form, ExtensionRow::as_select()))
        .load::<(i32, ExtensionRow)>(connection)?;
    let read = rows.into_iter().map(|(form, row)| {
        let key = SubmissionKey {
            form: FormNumber::new(to_number(form)?),
            period: parsed(&row.period, "period")?,
            unit: parsed(&row.unit_id, "unit id")?,
        };
        Ok((key, Extension::try_from(row)?))
    });
    read.collect()
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = extension_step)]
struct StepRow {
    kind: String,
    last_day: Option<NaiveDate>,
    reason: Option<String>,
    account_id: String,
    taken_at: NaiveDateTime,
    rev: i64,
}

impl TryFrom<StepRow> for ExtensionStep {
    type Error = StoreError;

    fn try_from(row: StepRow) -> Result<ExtensionStep, StoreError> {
        Ok(ExtensionStep {
            change: word(&row.kind)?,
            until: row.last_day,
            reason: row.reason,
            account: parsed(&row.account_id, "account id")?,
            at: row.taken_at,
            rev: row.rev,
        })
    }
}

/// Reads the latest steps of the history of a unit's extension, the latest first.
pub fn extension_steps(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
    limit: i64,
) -> Result<Vec<ExtensionStep>, StoreError> {
    let (tenant, connection) = transaction.parts();
    of_report!(extension_step, tenant, key)
        .order(extension_step::step.desc())
        .limit(limit)
        .select(StepRow::as_select())
        .load::<StepRow>(connection)?
        .into_iter()
        .map(ExtensionStep::try_from)
        .collect()
}

/// Adds a step to the history of a unit's extension.
pub fn extension_step_append(
    transaction: &mut Transaction<'_>,
    key: SubmissionKey,
    step: &ExtensionStep,
) -> Result<(), StoreError> {
    let form = to_column(key.form.get())?;
    let (tenant, connection) = transaction.parts();
    let last = of_report!(extension_step, tenant, key)
        .select(max(extension_step::step))
        .first::<Option<i32>>(connection)?;
    diesel::insert_into(extension_step::table)
        .values((
            extension_step::tenant_id.eq(tenant),
            extension_step::form.eq(form),
            extension_step::period.eq(key.period.to_string()),
            extension_step::unit_id.eq(key.unit.to_string()),
            extension_step::step.eq(last.unwrap_or(0) + 1),
            extension_step::kind.eq(to_word(step.change)?),
            extension_step::last_day.eq(step.until),
            extension_step::reason.eq(&step.reason),
            extension_step::account_id.eq(step.account.to_string()),
            extension_step::taken_at.eq(step.at),
            extension_step::rev.eq(step.rev),
        ))
        .execute(connection)?;
    Ok(())
}

/// Begins the history of the extensions that were given before there was one. Runs in the transaction
/// of a migration, as the schema's owner.
pub(super) fn extension_steps_fill(connection: &mut AnyConnection) -> Result<(), StoreError> {
    fill_each_tenant(connection, |connection, id| {
        let copy = "INSERT INTO extension_step (tenant_id, form, period, unit_id, step, kind, \
            last_day, reason, account_id, taken_at, rev) \
            SELECT tenant_id, form, period, unit_id, 1, 'given', last_day, reason, account_id, \
            given_at, rev FROM extension WHERE tenant_id = ";
        match connection {
            AnyConnection::Postgresql(own) => diesel::sql_query(format!("{copy}$1"))
                .bind::<Text, _>(id)
                .execute(own)?,
            AnyConnection::Sqlite(own) => diesel::sql_query(format!("{copy}?"))
                .bind::<Text, _>(id)
                .execute(own)?,
        };
        Ok(())
    })
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
