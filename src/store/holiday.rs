//! Queries on holidays.

use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, document, to_document};
use super::schema::holiday_year;
use crate::domain::holiday::{HolidayYear, Holidays};

/// Reads the holidays of all years.
pub fn holidays(transaction: &mut Transaction<'_>) -> Result<Holidays, StoreError> {
    let (tenant, connection) = transaction.parts();
    let rows = holiday_year::table
        .filter(holiday_year::tenant_id.eq(tenant))
        .select((holiday_year::year, holiday_year::holidays))
        .load::<(i32, String)>(connection)?;
    let years = rows.into_iter().map(|(year, holidays)| {
        let holidays: HolidayYear = document(&holidays, "holidays")?;
        Ok((year, holidays))
    });
    let years: Vec<(i32, HolidayYear)> = years.collect::<Result<_, StoreError>>()?;
    Ok(Holidays::new(years))
}

/// Writes the holidays of a year, and replaces earlier ones.
pub fn holiday_year_put(
    transaction: &mut Transaction<'_>,
    year: i32,
    put: &HolidayYear,
    rev: i64,
) -> Result<(), StoreError> {
    let holidays = to_document(put)?;
    let (tenant, connection) = transaction.parts();
    let changes = (
        holiday_year::holidays.eq(&holidays),
        holiday_year::rev.eq(rev),
    );
    on_backend!(connection, |own| {
        diesel::insert_into(holiday_year::table)
            .values((
                holiday_year::tenant_id.eq(tenant),
                holiday_year::year.eq(year),
                changes,
            ))
            .on_conflict((holiday_year::tenant_id, holiday_year::year))
            .do_update()
            .set(changes)
            .execute(own)
    })?;
    Ok(())
}
