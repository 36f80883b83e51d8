//! Queries on reorganisations and their successions.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::database::Transaction;
use super::error::{StoreError, document, parsed, to_document};
use super::indicator::{to_column, to_number};
use super::schema::{reorganisation, succession};
use crate::domain::id::{AccountId, FormNumber, GrantId, ReorganisationId, UnitId};
use crate::domain::level::Level;
use crate::domain::period::Period;
use crate::domain::reorganisation::ReorganisationDocument;
use crate::domain::succession::{Moment, Share, Succession};
use crate::domain::unit::UnitFact;

/// The rows of one insert, within the number of bound values that either backend allows.
const BATCH: usize = 500;

/// The changes that a reorganisation wrote, as far as undoing it requires.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changes {
    /// Units with a fact that begins on the effective day.
    pub opened: Vec<UnitId>,
    /// Units with a fact that ends on the day before.
    pub closed: Vec<UnitId>,
    /// Replaced facts, as they were.
    pub replaced: Vec<UnitFact>,
    /// Levels that end on the day before, as they were.
    pub ended_levels: Vec<Level>,
    /// Grants that were added on successors.
    pub grants: Vec<GrantId>,
    /// Submissions and targets that were moved to a successor.
    pub passed_on: Vec<PassedOn>,
}

/// A unit's submission or targets of one form and period, moved to another unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOn {
    pub form: FormNumber,
    pub period: Period,
    pub from: UnitId,
    pub to: UnitId,
}

/// The number of units that a reorganisation creates, changes and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitCounts {
    pub created: usize,
    pub changed: usize,
    pub ended: usize,
}

/// A reorganisation, without its document.
#[derive(Debug, Clone)]
pub struct Reorganised {
    pub id: ReorganisationId,
    pub effective: NaiveDate,
    pub legal_basis: String,
    pub counts: UnitCounts,
    /// The account that entered it.
    pub by: AccountId,
    pub entered_at: NaiveDateTime,
    pub rev: i64,
    pub undone: Option<Undone>,
}

/// The undoing of a reorganisation: its time and its commit.
#[derive(Debug, Clone)]
pub struct Undone {
    pub at: NaiveDateTime,
    pub rev: i64,
}

/// A reorganisation to write.
#[derive(Debug, Clone)]
pub struct NewReorganisation<'r> {
    pub id: ReorganisationId,
    pub effective: NaiveDate,
    pub legal_basis: &'r str,
    /// The document as it was sent.
    pub document: &'r ReorganisationDocument,
    pub changes: &'r Changes,
    pub counts: UnitCounts,
    pub account: AccountId,
    pub entered_at: NaiveDateTime,
    pub rev: i64,
}

pub fn reorganisation_insert(
    transaction: &mut Transaction<'_>,
    new: &NewReorganisation<'_>,
) -> Result<(), StoreError> {
    let text = to_document(new.document)?;
    let changes = to_document(new.changes)?;
    let counts = new.counts;
    let (tenant, connection) = transaction.parts();
    diesel::insert_into(reorganisation::table)
        .values((
            reorganisation::tenant_id.eq(tenant),
            reorganisation::reorganisation_id.eq(new.id.to_string()),
            reorganisation::effective.eq(new.effective),
            reorganisation::legal_basis.eq(new.legal_basis),
            reorganisation::document.eq(text),
            reorganisation::changes.eq(changes),
            reorganisation::created.eq(count_column(counts.created)?),
            reorganisation::changed.eq(count_column(counts.changed)?),
            reorganisation::ended.eq(count_column(counts.ended)?),
            reorganisation::account_id.eq(new.account.to_string()),
            reorganisation::entered_at.eq(new.entered_at),
            reorganisation::rev.eq(new.rev),
        ))
        .execute(connection)?;
    Ok(())
}

fn count_column(count: usize) -> Result<i32, StoreError> {
    i32::try_from(count).map_err(|_| StoreError::Corrupt(format!("{count} units")))
}

fn count(column: i32) -> Result<usize, StoreError> {
    usize::try_from(column).map_err(|_| StoreError::Corrupt(format!("{column} units")))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = reorganisation)]
struct ReorganisationRow {
    reorganisation_id: String,
    effective: NaiveDate,
    legal_basis: String,
    created: i32,
    changed: i32,
    ended: i32,
    account_id: String,
    entered_at: NaiveDateTime,
    rev: i64,
    undone_at: Option<NaiveDateTime>,
    undone_rev: Option<i64>,
}

impl TryFrom<ReorganisationRow> for Reorganised {
    type Error = StoreError;

    fn try_from(row: ReorganisationRow) -> Result<Reorganised, StoreError> {
        let undone = row.undone_at.zip(row.undone_rev);
        Ok(Reorganised {
            id: parsed(&row.reorganisation_id, "reorganisation id")?,
            effective: row.effective,
            legal_basis: row.legal_basis,
            counts: UnitCounts {
                created: count(row.created)?,
                changed: count(row.changed)?,
                ended: count(row.ended)?,
            },
            by: parsed(&row.account_id, "account id")?,
            entered_at: row.entered_at,
            rev: row.rev,
            undone: undone.map(|(at, rev)| Undone { at, rev }),
        })
    }
}

/// Reads all reorganisations, undone ones included, the latest effective day first.
pub fn reorganisations(transaction: &mut Transaction<'_>) -> Result<Vec<Reorganised>, StoreError> {
    let (tenant, connection) = transaction.parts();
    reorganisation::table
        .filter(reorganisation::tenant_id.eq(tenant))
        .order((reorganisation::effective.desc(), reorganisation::rev.desc()))
        .select(ReorganisationRow::as_select())
        .load::<ReorganisationRow>(connection)?
        .into_iter()
        .map(Reorganised::try_from)
        .collect()
}

pub fn reorganisation_get(
    transaction: &mut Transaction<'_>,
    id: ReorganisationId,
) -> Result<Option<Reorganised>, StoreError> {
    let (tenant, connection) = transaction.parts();
    reorganisation::table
        .filter(
            reorganisation::tenant_id
                .eq(tenant)
                .and(reorganisation::reorganisation_id.eq(id.to_string())),
        )
        .select(ReorganisationRow::as_select())
        .first::<ReorganisationRow>(connection)
        .optional()?
        .map(Reorganised::try_from)
        .transpose()
}

/// Reads a reorganisation's document and the changes that it wrote.
pub fn reorganisation_content(
    transaction: &mut Transaction<'_>,
    id: ReorganisationId,
) -> Result<(ReorganisationDocument, Changes), StoreError> {
    let (tenant, connection) = transaction.parts();
    let (text, changes) = reorganisation::table
        .filter(
            reorganisation::tenant_id
                .eq(tenant)
                .and(reorganisation::reorganisation_id.eq(id.to_string())),
        )
        .select((reorganisation::document, reorganisation::changes))
        .first::<(String, String)>(connection)?;
    Ok((
        document(&text, "reorganisation")?,
        document(&changes, "changes of a reorganisation")?,
    ))
}

/// Marks a reorganisation as undone.
pub fn reorganisation_undo(
    transaction: &mut Transaction<'_>,
    id: ReorganisationId,
    account: AccountId,
    undone: &Undone,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let one = reorganisation::table.filter(
        reorganisation::tenant_id
            .eq(tenant)
            .and(reorganisation::reorganisation_id.eq(id.to_string())),
    );
    diesel::update(one)
        .set((
            reorganisation::undone_by.eq(account.to_string()),
            reorganisation::undone_at.eq(undone.at),
            reorganisation::undone_rev.eq(undone.rev),
        ))
        .execute(connection)?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = succession, treat_none_as_default_value = false)]
struct NewSuccession<'s> {
    tenant_id: &'s str,
    reorganisation_id: &'s str,
    step: i32,
    part: i32,
    effective: NaiveDate,
    rev: i64,
    from_id: String,
    to_id: String,
    numerator: Option<i64>,
    denominator: Option<i64>,
}

/// Writes the successions of a reorganisation, in the order of its document.
pub fn successions_insert(
    transaction: &mut Transaction<'_>,
    id: ReorganisationId,
    successions: &[Succession],
) -> Result<(), StoreError> {
    let id = id.to_string();
    let (tenant, connection) = transaction.parts();
    let rows = successions
        .iter()
        .zip(0_u32..)
        .map(|(one, part)| {
            Ok(NewSuccession {
                tenant_id: tenant,
                reorganisation_id: &id,
                step: to_column(one.moment.step)?,
                part: to_column(part)?,
                effective: one.moment.effective,
                rev: one.moment.rev,
                from_id: one.from.to_string(),
                to_id: one.to.to_string(),
                numerator: one.share.map(Share::numerator),
                denominator: one.share.map(Share::denominator),
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    for batch in rows.chunks(BATCH) {
        on_backend!(connection, |own| {
            diesel::insert_into(succession::table)
                .values(batch)
                .execute(own)
        })?;
    }
    Ok(())
}

pub fn successions_delete(
    transaction: &mut Transaction<'_>,
    id: ReorganisationId,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let own = succession::table.filter(
        succession::tenant_id
            .eq(tenant)
            .and(succession::reorganisation_id.eq(id.to_string())),
    );
    diesel::delete(own).execute(connection)?;
    Ok(())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = succession)]
struct SuccessionRow {
    step: i32,
    effective: NaiveDate,
    rev: i64,
    from_id: String,
    to_id: String,
    numerator: Option<i64>,
    denominator: Option<i64>,
}

impl TryFrom<SuccessionRow> for Succession {
    type Error = StoreError;

    fn try_from(row: SuccessionRow) -> Result<Succession, StoreError> {
        let share = row.numerator.zip(row.denominator);
        let share = share.map(|(numerator, denominator)| {
            Share::new(numerator, denominator)
                .map_err(|_| StoreError::Corrupt(format!("share {numerator}/{denominator}")))
        });
        Ok(Succession {
            moment: Moment {
                effective: row.effective,
                rev: row.rev,
                step: to_number(row.step)?,
            },
            from: parsed(&row.from_id, "unit id")?,
            to: parsed(&row.to_id, "unit id")?,
            share: share.transpose()?,
        })
    }
}

/// Reads the successions of all reorganisations in force, in order of time; those of one moment in
/// the order of their document.
pub fn successions(transaction: &mut Transaction<'_>) -> Result<Vec<Succession>, StoreError> {
    let (tenant, connection) = transaction.parts();
    succession::table
        .filter(succession::tenant_id.eq(tenant))
        .order((
            succession::effective,
            succession::rev,
            succession::step,
            succession::part,
        ))
        .select(SuccessionRow::as_select())
        .load::<SuccessionRow>(connection)?
        .into_iter()
        .map(Succession::try_from)
        .collect()
}

/// Reads the successions of one reorganisation, in the order of its document.
pub fn successions_of(
    transaction: &mut Transaction<'_>,
    id: ReorganisationId,
) -> Result<Vec<Succession>, StoreError> {
    let (tenant, connection) = transaction.parts();
    succession::table
        .filter(
            succession::tenant_id
                .eq(tenant)
                .and(succession::reorganisation_id.eq(id.to_string())),
        )
        .order(succession::part)
        .select(SuccessionRow::as_select())
        .load::<SuccessionRow>(connection)?
        .into_iter()
        .map(Succession::try_from)
        .collect()
}

/// A reorganisation in force as answers name it, with the units whose facts it changed.
#[derive(Debug, Clone)]
pub struct MapChange {
    pub id: ReorganisationId,
    pub effective: NaiveDate,
    pub legal_basis: String,
    pub rev: i64,
    pub entered_at: NaiveDateTime,
    pub units: Vec<UnitId>,
    /// The submissions and targets that it moved to a successor.
    pub passed_on: Vec<PassedOn>,
}

/// Reads all reorganisations in force, in order.
pub fn map_changes(transaction: &mut Transaction<'_>) -> Result<Vec<MapChange>, StoreError> {
    let (tenant, connection) = transaction.parts();
    reorganisation::table
        .filter(
            reorganisation::tenant_id
                .eq(tenant)
                .and(reorganisation::undone_rev.is_null()),
        )
        .order((reorganisation::effective, reorganisation::rev))
        .select((
            reorganisation::reorganisation_id,
            reorganisation::effective,
            reorganisation::legal_basis,
            reorganisation::rev,
            reorganisation::entered_at,
            reorganisation::changes,
        ))
        .load::<(String, NaiveDate, String, i64, NaiveDateTime, String)>(connection)?
        .into_iter()
        .map(|(id, effective, legal_basis, rev, entered_at, changes)| {
            let changes: Changes = document(&changes, "changes of a reorganisation")?;
            let replaced = changes.replaced.iter().map(|fact| fact.unit);
            let units = changes.opened.into_iter().chain(changes.closed);
            Ok(MapChange {
                id: parsed(&id, "reorganisation id")?,
                effective,
                legal_basis,
                rev,
                entered_at,
                units: units.chain(replaced).collect(),
                passed_on: changes.passed_on,
            })
        })
        .collect()
}
