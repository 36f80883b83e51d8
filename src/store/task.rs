//! Queries for what somebody owes: the states of a few units' reports on many forms and periods at
//! once, one statement for each table. Decides nothing about what is owed.

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveDateTime};
use diesel::dsl::max;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed, to_word, word};
use super::indicator::{to_column, to_number};
use super::key::Units;
use super::schema::{extension, release, rollup, submission, submission_revision};
use super::submission::revision::AuthoredStep;
use crate::domain::id::{AccountId, FormNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::release::ReleaseStatus;
use crate::domain::submission::{Revision, Status, Step, SubmissionKey};
use crate::rollup::encode::{SubmissionCounts, unpack_counts};

/// The reports that are asked about: every unit with every period on every form.
pub struct AskedReports {
    forms: Vec<i32>,
    periods: Vec<String>,
    units: Vec<String>,
}

impl AskedReports {
    pub fn new(
        forms: impl IntoIterator<Item = FormNumber>,
        periods: impl IntoIterator<Item = Period>,
        units: impl IntoIterator<Item = UnitId>,
    ) -> Result<AskedReports, StoreError> {
        let forms = forms.into_iter().map(|form| to_column(form.get()));
        Ok(AskedReports {
            forms: forms.collect::<Result<_, _>>()?,
            periods: periods
                .into_iter()
                .map(|period| period.to_string())
                .collect(),
            units: units.into_iter().map(|unit| unit.to_string()).collect(),
        })
    }

    fn is_empty(&self) -> bool {
        self.forms.is_empty() || self.periods.is_empty() || self.units.is_empty()
    }
}

/// Filters a table by the tenant and the reports that are asked about.
macro_rules! asked {
    ($table:ident, $tenant:expr, $asked:expr) => {
        $table::table.filter(
            $table::tenant_id
                .eq($tenant)
                .and($table::form.eq_any(&$asked.forms))
                .and($table::period.eq_any(&$asked.periods))
                .and($table::unit_id.eq_any(&$asked.units)),
        )
    };
}

/// Filters a table by the tenant, and by the forms and periods that are asked about.
macro_rules! of_all_units {
    ($table:ident, $tenant:expr, $asked:expr) => {
        $table::table.filter(
            $table::tenant_id
                .eq($tenant)
                .and($table::form.eq_any(&$asked.forms))
                .and($table::period.eq_any(&$asked.periods)),
        )
    };
}

fn key_of(form: i32, period: &str, unit: &str) -> Result<SubmissionKey, StoreError> {
    Ok(SubmissionKey {
        form: FormNumber::new(to_number(form)?),
        period: parsed(period, "period")?,
        unit: parsed(unit, "unit id")?,
    })
}

/// The state of a submission, as far as a task depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnState {
    pub status: Status,
    /// The revision that counts, if one does.
    pub counting: Option<Revision>,
    /// The return or the reopening that the unit has still to answer.
    pub given_back: Option<Revision>,
}

/// Reads the states of the units' own submissions. Those without one are absent.
pub fn own_states(
    transaction: &mut Transaction<'_>,
    asked: &AskedReports,
) -> Result<HashMap<SubmissionKey, OwnState>, StoreError> {
    type Row = (i32, String, String, String, Option<i32>, Option<i32>);
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let (tenant, connection) = transaction.parts();
    asked!(submission, tenant, asked)
        .select((
            submission::form,
            submission::period,
            submission::unit_id,
            submission::status,
            submission::counting_revision,
            submission::given_back_revision,
        ))
        .load::<Row>(connection)?
        .into_iter()
        .map(|(form, period, unit, status, counting, given_back)| {
            let state = OwnState {
                status: word(&status)?,
                counting: counting.map(Revision::new),
                given_back: given_back.map(Revision::new),
            };
            Ok((key_of(form, &period, &unit)?, state))
        })
        .collect()
}

/// Lists the submissions of all units, on the forms and for the periods that are asked about, where a
/// draft lies over values that count. They are few.
pub fn drafted_over(
    transaction: &mut Transaction<'_>,
    asked: &AskedReports,
) -> Result<Vec<SubmissionKey>, StoreError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let (tenant, connection) = transaction.parts();
    // In the words of the index.
    let is_drafted_over = submission::values_revision
        .nullable()
        .ne(submission::counting_revision);
    of_all_units!(submission, tenant, asked)
        .filter(is_drafted_over)
        .select((submission::form, submission::period, submission::unit_id))
        .load::<(i32, String, String)>(connection)?
        .into_iter()
        .map(|(form, period, unit)| key_of(form, &period, &unit))
        .collect()
}

/// Lists the submissions that an account has entered or sent, whatever became of that.
pub fn entered_by_account(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    asked: &AskedReports,
    units: Units<'_>,
) -> Result<Vec<SubmissionKey>, StoreError> {
    let ids = units.ids();
    if asked.is_empty() || ids.is_empty() {
        return Ok(Vec::new());
    }
    let steps = [Step::Save, Step::Replace, Step::Submit].map(to_word);
    let steps = steps.into_iter().collect::<Result<Vec<String>, _>>()?;
    let (tenant, connection) = transaction.parts();
    let mut query = of_all_units!(submission_revision, tenant, asked)
        .filter(submission_revision::account_id.eq(account.to_string()))
        .filter(submission_revision::step.eq_any(steps))
        .select((
            submission_revision::form,
            submission_revision::period,
            submission_revision::unit_id,
        ))
        .distinct()
        .into_boxed();
    if let Some(few) = ids.few() {
        query = query.filter(submission_revision::unit_id.eq_any(few));
    }
    query
        .load::<(i32, String, String)>(connection)?
        .into_iter()
        .map(|(form, period, unit)| key_of(form, &period, &unit))
        .collect()
}

/// Reads who took which steps with the units' submissions, the latest step first. Reads no values.
pub fn authors_of(
    transaction: &mut Transaction<'_>,
    asked: &AskedReports,
) -> Result<HashMap<SubmissionKey, Vec<AuthoredStep>>, StoreError> {
    type Row = (i32, String, String, i32, String, String);
    let mut found: HashMap<SubmissionKey, Vec<AuthoredStep>> = HashMap::new();
    if asked.is_empty() {
        return Ok(found);
    }
    let (tenant, connection) = transaction.parts();
    let rows = asked!(submission_revision, tenant, asked)
        .order(submission_revision::revision.desc())
        .select((
            submission_revision::form,
            submission_revision::period,
            submission_revision::unit_id,
            submission_revision::revision,
            submission_revision::step,
            submission_revision::account_id,
        ))
        .load::<Row>(connection)?;
    for (form, period, unit, revision, step, account) in rows {
        let steps = found.entry(key_of(form, &period, &unit)?).or_default();
        steps.push(AuthoredStep::new(revision, &step, &account)?);
    }
    Ok(found)
}

/// Reads until when units have more time: all units, since few are given any.
pub fn extended_until(
    transaction: &mut Transaction<'_>,
    asked: &AskedReports,
) -> Result<HashMap<SubmissionKey, NaiveDate>, StoreError> {
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let (tenant, connection) = transaction.parts();
    of_all_units!(extension, tenant, asked)
        .select((
            extension::form,
            extension::period,
            extension::unit_id,
            extension::last_day,
        ))
        .load::<(i32, String, String, NaiveDate)>(connection)?
        .into_iter()
        .map(|(form, period, unit, until)| Ok((key_of(form, &period, &unit)?, until)))
        .collect()
}

/// Reads how many submissions count in the units' rollups. Units without a row are absent.
pub fn submission_counts(
    transaction: &mut Transaction<'_>,
    asked: &AskedReports,
) -> Result<HashMap<SubmissionKey, SubmissionCounts>, StoreError> {
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let (tenant, connection) = transaction.parts();
    asked!(rollup, tenant, asked)
        .select((rollup::form, rollup::period, rollup::unit_id, rollup::cells))
        .load::<(i32, String, String, Vec<u8>)>(connection)?
        .into_iter()
        .map(|(form, period, unit, cells)| {
            Ok((key_of(form, &period, &unit)?, unpack_counts(&cells)?))
        })
        .collect()
}

/// Reads when the units' submissions were last returned or reopened. Those that never were are
/// absent.
pub fn last_given_back(
    transaction: &mut Transaction<'_>,
    asked: &AskedReports,
) -> Result<HashMap<SubmissionKey, NaiveDateTime>, StoreError> {
    type Row = (i32, String, String, Option<NaiveDateTime>);
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let steps = [to_word(Step::Return)?, to_word(Step::Reopen)?];
    let (tenant, connection) = transaction.parts();
    let rows = asked!(submission_revision, tenant, asked)
        .filter(submission_revision::step.eq_any(steps))
        .group_by((
            submission_revision::form,
            submission_revision::period,
            submission_revision::unit_id,
        ))
        .select((
            submission_revision::form,
            submission_revision::period,
            submission_revision::unit_id,
            max(submission_revision::entered_at),
        ))
        .load::<Row>(connection)?;
    rows.into_iter()
        .filter_map(|(form, period, unit, at)| Some((form, period, unit, at?)))
        .map(|(form, period, unit, at)| Ok((key_of(form, &period, &unit)?, at)))
        .collect()
}

/// A release, as far as a task depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentRelease {
    pub status: ReleaseStatus,
    pub sent_at: NaiveDateTime,
}

/// Reads what the units sent up, by report, the latest last.
pub fn sent_releases(
    transaction: &mut Transaction<'_>,
    asked: &AskedReports,
) -> Result<HashMap<SubmissionKey, Vec<SentRelease>>, StoreError> {
    type Row = (i32, String, String, String, NaiveDateTime);
    let mut found: HashMap<SubmissionKey, Vec<SentRelease>> = HashMap::new();
    if asked.is_empty() {
        return Ok(found);
    }
    let (tenant, connection) = transaction.parts();
    let rows = asked!(release, tenant, asked)
        .order(release::number)
        .select((
            release::form,
            release::period,
            release::unit_id,
            release::status,
            release::sent_at,
        ))
        .load::<Row>(connection)?;
    for (form, period, unit, status, sent_at) in rows {
        let sent = SentRelease {
            status: word(&status)?,
            sent_at,
        };
        let of_report = found.entry(key_of(form, &period, &unit)?);
        of_report.or_default().push(sent);
    }
    Ok(found)
}
