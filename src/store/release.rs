//! Queries on releases: the state of each, the copy that was sent, and the steps. The copy and the
//! steps are only ever added. Does not know what is in a copy.

use std::collections::HashMap;
use std::fmt;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::database::Transaction;
use super::error::{StoreError, parsed, to_word, word};
use super::indicator::{to_column, to_number};
use super::key::{OfUnit, Units};
use super::schema::{release, release_content, release_step};
use crate::domain::id::{AccountId, FormNumber, UnitId};
use crate::domain::period::Period;
use crate::domain::release::{ReleaseNumber, ReleaseStatus, ReleaseStep};
use crate::domain::submission::SubmissionKey;

/// The state of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub number: ReleaseNumber,
    pub status: ReleaseStatus,
    /// The number of its last step, from 1.
    pub step: i32,
    pub sent_at: NaiveDateTime,
    /// The rev of its last step.
    pub rev: i64,
}

/// The SHA-256 of the text of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    pub fn of(text: &str) -> ContentHash {
        ContentHash(Sha256::digest(text.as_bytes()).into())
    }
}

/// Writes two digits a byte.
impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What is known of a copy without unpacking it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentLabel {
    /// The number of the paper, such as `25/BC-MTTQ`.
    pub document_number: Option<String>,
    pub hash: ContentHash,
}

/// A step of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRecord {
    /// Counts the steps of the release, from 1.
    pub step: i32,
    pub kind: ReleaseStep,
    pub reason: Option<String>,
    pub account: AccountId,
    pub at: NaiveDateTime,
    pub rev: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = release)]
struct ReleaseRow {
    unit_id: String,
    number: i32,
    status: String,
    step: i32,
    sent_at: NaiveDateTime,
    rev: i64,
}

impl OfUnit for ReleaseRow {
    fn unit_id(&self) -> &str {
        &self.unit_id
    }
}

impl TryFrom<ReleaseRow> for Release {
    type Error = StoreError;

    fn try_from(row: ReleaseRow) -> Result<Release, StoreError> {
        Ok(Release {
            number: ReleaseNumber::new(row.number),
            status: word(&row.status)?,
            step: row.step,
            sent_at: row.sent_at,
            rev: row.rev,
        })
    }
}

/// Reads one release.
pub fn release_get(
    transaction: &mut Transaction<'_>,
    report: SubmissionKey,
    number: ReleaseNumber,
) -> Result<Option<Release>, StoreError> {
    let (tenant, connection) = transaction.parts();
    of_report!(release, tenant, report, number.eq(number.get()))
        .select(ReleaseRow::as_select())
        .first::<ReleaseRow>(connection)
        .optional()?
        .map(Release::try_from)
        .transpose()
}

/// Reads at most `limit` releases with a number below `before`, the latest first.
pub fn releases_before(
    transaction: &mut Transaction<'_>,
    report: SubmissionKey,
    before: ReleaseNumber,
    limit: i64,
) -> Result<Vec<Release>, StoreError> {
    let (tenant, connection) = transaction.parts();
    of_report!(release, tenant, report, number.lt(before.get()))
        .order(release::number.desc())
        .limit(limit)
        .select(ReleaseRow::as_select())
        .load::<ReleaseRow>(connection)?
        .into_iter()
        .map(Release::try_from)
        .collect()
}

/// Reads the releases of some units on a form for a period, by their units, the latest last.
pub fn releases_of_units(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    units: Units<'_>,
) -> Result<HashMap<UnitId, Vec<Release>>, StoreError> {
    let ids = units.ids();
    let (tenant, connection) = transaction.parts();
    let query = rows_of!(release, tenant, form, period.eq(period.to_string()))
        .order((release::unit_id, release::number))
        .select(ReleaseRow::as_select())
        .into_boxed();
    let rows: Vec<ReleaseRow> = load_of_units!(release, query, ids, connection);
    let mut found: HashMap<UnitId, Vec<Release>> = HashMap::new();
    for row in rows {
        let unit = parsed(&row.unit_id, "unit id")?;
        found.entry(unit).or_default().push(Release::try_from(row)?);
    }
    Ok(found)
}

/// A release with the unit that sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRelease {
    pub unit: UnitId,
    pub release: Release,
    /// The rev at which it was sent.
    pub sent_rev: i64,
}

/// Lists the releases of some units that were sent after `rev` and stand: those that wait or were
/// received. The latest of each unit comes last.
pub fn standing_since(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
    period: Period,
    units: &[UnitId],
    rev: i64,
) -> Result<Vec<SentRelease>, StoreError> {
    let ids: Vec<String> = units.iter().map(ToString::to_string).collect();
    let standing = [
        to_word(ReleaseStatus::Sent)?,
        to_word(ReleaseStatus::Received)?,
    ];
    let (tenant, connection) = transaction.parts();
    let sending = release_step::tenant_id
        .eq(release::tenant_id)
        .and(release_step::tenant_id.eq(tenant))
        .and(release_step::form.eq(release::form))
        .and(release_step::period.eq(release::period))
        .and(release_step::unit_id.eq(release::unit_id))
        .and(release_step::number.eq(release::number))
        .and(release_step::step.eq(1));
    let rows = rows_of!(
        release,
        tenant,
        form,
        period.eq(period.to_string()),
        unit_id.eq_any(ids),
        status.eq_any(standing),
    )
    .inner_join(release_step::table.on(sending))
    .filter(release_step::rev.gt(rev))
    .order((release::unit_id, release::number))
    .select((ReleaseRow::as_select(), release_step::rev))
    .load::<(ReleaseRow, i64)>(connection)?;
    let sent = rows.into_iter().map(|(row, sent_rev)| {
        Ok(SentRelease {
            unit: parsed(&row.unit_id, "unit id")?,
            release: Release::try_from(row)?,
            sent_rev,
        })
    });
    sent.collect()
}

/// The key of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleaseKey {
    pub report: SubmissionKey,
    pub number: ReleaseNumber,
}

/// A release with its copy as it is stored; `None` if there is no copy with a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCopy {
    pub key: ReleaseKey,
    pub copy: Option<(ContentHash, Vec<u8>)>,
}

/// Reads at most `most` releases after another, in the order of their keys, with their copies.
pub fn copies_after(
    transaction: &mut Transaction<'_>,
    after: Option<ReleaseKey>,
    most: i64,
) -> Result<Vec<StoredCopy>, StoreError> {
    type Row = ((i32, String, String, i32), Option<Vec<u8>>, Option<Vec<u8>>);
    let (tenant, connection) = transaction.parts();
    let copy = release_content::tenant_id
        .eq(release::tenant_id)
        .and(release_content::tenant_id.eq(tenant))
        .and(release_content::form.eq(release::form))
        .and(release_content::period.eq(release::period))
        .and(release_content::unit_id.eq(release::unit_id))
        .and(release_content::number.eq(release::number));
    let mut query = release::table
        .left_join(release_content::table.on(copy))
        .filter(release::tenant_id.eq(tenant))
        .order((
            release::form,
            release::period,
            release::unit_id,
            release::number,
        ))
        .limit(most)
        .select((
            (
                release::form,
                release::period,
                release::unit_id,
                release::number,
            ),
            release_content::hash.nullable(),
            release_content::content.nullable(),
        ))
        .into_boxed();
    if let Some(ReleaseKey { report, number }) = after {
        let form = to_column(report.form.get())?;
        let (period, unit) = (report.period.to_string(), report.unit.to_string());
        let in_report = release::unit_id
            .eq(unit.clone())
            .and(release::number.gt(number.get()));
        let in_period = release::period
            .eq(period.clone())
            .and(release::unit_id.gt(unit).or(in_report));
        let in_form = release::form
            .eq(form)
            .and(release::period.gt(period).or(in_period));
        query = query.filter(release::form.gt(form).or(in_form));
    }
    let rows = query.load::<Row>(connection)?;
    let copies = rows
        .into_iter()
        .map(|((form, period, unit, number), hash, content)| {
            let report = SubmissionKey {
                form: FormNumber::new(to_number(form)?),
                period: parsed(&period, "period")?,
                unit: parsed(&unit, "unit id")?,
            };
            let key = ReleaseKey {
                report,
                number: ReleaseNumber::new(number),
            };
            let hash = hash.and_then(|bytes| read_hash(bytes).ok());
            Ok(StoredCopy {
                key,
                copy: hash.zip(content),
            })
        });
    copies.collect()
}

/// Reads what is known of some copies of a unit without unpacking them, by their numbers.
pub fn content_labels(
    transaction: &mut Transaction<'_>,
    report: SubmissionKey,
    numbers: &[ReleaseNumber],
) -> Result<HashMap<ReleaseNumber, ContentLabel>, StoreError> {
    type Row = (i32, Option<String>, Vec<u8>);
    let numbers: Vec<i32> = numbers.iter().map(|number| number.get()).collect();
    let (tenant, connection) = transaction.parts();
    of_report!(release_content, tenant, report, number.eq_any(numbers))
        .select((
            release_content::number,
            release_content::document_number,
            release_content::hash,
        ))
        .load::<Row>(connection)?
        .into_iter()
        .map(|(number, document_number, hash)| {
            let hash = read_hash(hash)?;
            let label = ContentLabel {
                document_number,
                hash,
            };
            Ok((ReleaseNumber::new(number), label))
        })
        .collect()
}

fn read_hash(bytes: Vec<u8>) -> Result<ContentHash, StoreError> {
    let bytes = bytes.try_into();
    bytes
        .map(ContentHash)
        .map_err(|_| StoreError::Corrupt("the hash of a release".to_owned()))
}

/// Reads the packed copy of a release.
pub fn content_get(
    transaction: &mut Transaction<'_>,
    report: SubmissionKey,
    number: ReleaseNumber,
) -> Result<Option<Vec<u8>>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let content = of_report!(release_content, tenant, report, number.eq(number.get()))
        .select(release_content::content)
        .first::<Vec<u8>>(connection)
        .optional()?;
    Ok(content)
}

/// Reads the steps of a release, in order.
pub fn steps_of(
    transaction: &mut Transaction<'_>,
    report: SubmissionKey,
    number: ReleaseNumber,
) -> Result<Vec<StepRecord>, StoreError> {
    type Row = (i32, String, Option<String>, String, NaiveDateTime, i64);
    let (tenant, connection) = transaction.parts();
    of_report!(release_step, tenant, report, number.eq(number.get()))
        .order(release_step::step)
        .select((
            release_step::step,
            release_step::kind,
            release_step::reason,
            release_step::account_id,
            release_step::at,
            release_step::rev,
        ))
        .load::<Row>(connection)?
        .into_iter()
        .map(|(step, kind, reason, account, at, rev)| {
            Ok(StepRecord {
                step,
                kind: word(&kind)?,
                reason,
                account: parsed(&account, "account id")?,
                at,
                rev,
            })
        })
        .collect()
}

/// Lists the reports of which a release was sent after `rev`.
pub fn released_since(
    transaction: &mut Transaction<'_>,
    rev: i64,
) -> Result<Vec<SubmissionKey>, StoreError> {
    let (tenant, connection) = transaction.parts();
    let first_step = release_step::step.eq(1);
    release_step::table
        .filter(
            release_step::tenant_id
                .eq(tenant)
                .and(release_step::rev.gt(rev))
                .and(first_step),
        )
        .select((
            release_step::form,
            release_step::period,
            release_step::unit_id,
        ))
        .distinct()
        .load::<(i32, String, String)>(connection)?
        .into_iter()
        .map(|(form, period, unit)| {
            Ok(SubmissionKey {
                form: FormNumber::new(to_number(form)?),
                period: parsed(&period, "period")?,
                unit: parsed(&unit, "unit id")?,
            })
        })
        .collect()
}

/// Adds a release that was sent, with its copy. Its first step is added by [`step_insert`].
/// Lists the periods of a form, base or long, for which anybody sent a report.
pub fn periods_with_releases(
    transaction: &mut Transaction<'_>,
    form: FormNumber,
) -> Result<Vec<Period>, StoreError> {
    let (tenant, connection) = transaction.parts();
    release::table
        .filter(
            release::tenant_id
                .eq(tenant)
                .and(release::form.eq(to_column(form.get())?)),
        )
        .select(release::period)
        .distinct()
        .load::<String>(connection)?
        .iter()
        .map(|period| parsed(period, "period"))
        .collect()
}

pub fn release_insert(
    transaction: &mut Transaction<'_>,
    report: SubmissionKey,
    sent: &Release,
    label: &ContentLabel,
    content: &[u8],
) -> Result<(), StoreError> {
    let form = to_column(report.form.get())?;
    let (tenant, connection) = transaction.parts();
    diesel::insert_into(release::table)
        .values((
            release::tenant_id.eq(tenant),
            release::form.eq(form),
            release::period.eq(report.period.to_string()),
            release::unit_id.eq(report.unit.to_string()),
            release::number.eq(sent.number.get()),
            release::status.eq(to_word(sent.status)?),
            release::step.eq(sent.step),
            release::sent_at.eq(sent.sent_at),
            release::rev.eq(sent.rev),
        ))
        .execute(connection)?;
    diesel::insert_into(release_content::table)
        .values((
            release_content::tenant_id.eq(tenant),
            release_content::form.eq(form),
            release_content::period.eq(report.period.to_string()),
            release_content::unit_id.eq(report.unit.to_string()),
            release_content::number.eq(sent.number.get()),
            release_content::document_number.eq(&label.document_number),
            release_content::hash.eq(label.hash.0.as_slice()),
            release_content::content.eq(content),
        ))
        .execute(connection)?;
    Ok(())
}

/// Writes the state of a release after a step.
pub fn release_put(
    transaction: &mut Transaction<'_>,
    report: SubmissionKey,
    put: &Release,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let own = of_report!(release, tenant, report, number.eq(put.number.get()));
    diesel::update(own)
        .set((
            release::status.eq(to_word(put.status)?),
            release::step.eq(put.step),
            release::rev.eq(put.rev),
        ))
        .execute(connection)?;
    Ok(())
}

/// Adds a step to the history of a release.
pub fn step_insert(
    transaction: &mut Transaction<'_>,
    report: SubmissionKey,
    number: ReleaseNumber,
    new: &StepRecord,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    diesel::insert_into(release_step::table)
        .values((
            release_step::tenant_id.eq(tenant),
            release_step::form.eq(to_column(report.form.get())?),
            release_step::period.eq(report.period.to_string()),
            release_step::unit_id.eq(report.unit.to_string()),
            release_step::number.eq(number.get()),
            release_step::step.eq(new.step),
            release_step::kind.eq(to_word(new.kind)?),
            release_step::reason.eq(&new.reason),
            release_step::account_id.eq(new.account.to_string()),
            release_step::at.eq(new.at),
            release_step::rev.eq(new.rev),
        ))
        .execute(connection)?;
    Ok(())
}
