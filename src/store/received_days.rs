//! Computes the days on which submissions came in from their revisions, for databases that stored only
//! the latest day. Holds one period of one form in memory at a time, and writes only wrong rows.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use diesel::dsl::{count_star, max, min};
use diesel::prelude::*;

use super::connection::AnyConnection;
use super::error::{StoreError, parsed, to_word};
use super::filling::fill_each_tenant;
use super::indicator::to_number;
use super::schema::{submission, submission_revision, tenant};
use crate::domain::id::FormNumber;
use crate::domain::received_days::ReceivedDays;
use crate::domain::submission::Step;

/// Fills in the first and the last day on which each submission of every tenant came in. Runs in
/// the transaction of a migration, as the schema's owner.
pub(super) fn received_days_fill(connection: &mut AnyConnection) -> Result<(), StoreError> {
    fill_each_tenant(connection, fill_tenant)
}

fn fill_tenant(connection: &mut AnyConnection, id: &str) -> Result<(), StoreError> {
    let time_zone = tenant::table
        .filter(tenant::tenant_id.eq(id))
        .select(tenant::time_zone)
        .first::<String>(connection)
        .optional()?;
    // A tenant may be registered before its row exists.
    let Some(time_zone) = time_zone else {
        return Ok(());
    };
    let time_zone: Tz = parsed(&time_zone, "time zone")?;
    let periods = submission::table
        .filter(submission::tenant_id.eq(id))
        .select((submission::form, submission::period))
        .distinct()
        .load::<(i32, String)>(connection)?;
    for (form, period) in periods {
        let form = FormNumber::new(to_number(form)?);
        fill_period(connection, id, time_zone, (form, &period))?;
    }
    Ok(())
}

/// A unit, the times of the first and the last step that brought its submission, and the number of
/// those steps.
type Sent = (String, Option<NaiveDateTime>, Option<NaiveDateTime>, i64);

/// Fills in one period. Most rows are right already, since most submissions were sent once.
fn fill_period(
    connection: &mut AnyConnection,
    id: &str,
    time_zone: Tz,
    (form, period): (FormNumber, &str),
) -> Result<(), StoreError> {
    let kept = kept_of(connection, id, (form, period))?;
    let steps = [to_word(Step::Replace)?, to_word(Step::Submit)?];
    let sent = rows_of!(
        submission_revision,
        id,
        form,
        period.eq(period),
        step.eq_any(steps),
    )
    .group_by(submission_revision::unit_id)
    .select((
        submission_revision::unit_id,
        min(submission_revision::entered_at),
        max(submission_revision::entered_at),
        count_star(),
    ))
    .load::<Sent>(connection)?;
    for (unit, first, last, count) in sent {
        let Some((first, last)) = first.zip(last) else {
            continue;
        };
        let received = ReceivedDays::on(day_in(time_zone, first));
        let received = match count {
            1 => received,
            _ => received.and_on(day_in(time_zone, last)),
        };
        if kept.get(&unit) == Some(&received) {
            continue;
        }
        let row = rows_of!(submission, id, form, period.eq(period), unit_id.eq(unit));
        diesel::update(row)
            .set((
                submission::received_on.eq(received.received_on),
                submission::corrected_on.eq(received.corrected_on),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// Reads the stored days of a period, by unit.
fn kept_of(
    connection: &mut AnyConnection,
    id: &str,
    (form, period): (FormNumber, &str),
) -> Result<HashMap<String, ReceivedDays>, StoreError> {
    type Kept = (String, Option<NaiveDate>, Option<NaiveDate>);
    let rows = rows_of!(submission, id, form, period.eq(period))
        .select((
            submission::unit_id,
            submission::received_on,
            submission::corrected_on,
        ))
        .load::<Kept>(connection)?;
    let kept = rows
        .into_iter()
        .filter_map(|(unit, received_on, corrected_on)| {
            let received = ReceivedDays {
                received_on: received_on?,
                corrected_on,
            };
            Some((unit, received))
        });
    Ok(kept.collect())
}

fn day_in(time_zone: Tz, at: NaiveDateTime) -> NaiveDate {
    let at: DateTime<chrono::Utc> = at.and_utc();
    at.with_timezone(&time_zone).date_naive()
}
