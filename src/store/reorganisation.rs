//! Queries on reorganisations and the successions that they leave.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::indicator::to_number;
use super::schema::{reorganisation, succession};
use crate::domain::id::ReorganisationId;
use crate::domain::succession::{Moment, Share, Succession};

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

/// All successions of all reorganisations, those of one step in the order of its document.
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

/// A reorganisation as other answers name it.
#[derive(Debug, Clone)]
pub struct ReorganisationName {
    pub id: ReorganisationId,
    pub effective: NaiveDate,
    pub legal_basis: String,
}

/// The reorganisations in force that changed the map after one day and up to another.
pub fn reorganisations_between(
    transaction: &mut Transaction<'_>,
    after: NaiveDate,
    through: NaiveDate,
) -> Result<Vec<ReorganisationName>, StoreError> {
    let (tenant, connection) = transaction.parts();
    reorganisation::table
        .filter(
            reorganisation::tenant_id
                .eq(tenant)
                .and(reorganisation::undone_rev.is_null())
                .and(reorganisation::effective.gt(after))
                .and(reorganisation::effective.le(through)),
        )
        .order((reorganisation::effective, reorganisation::rev))
        .select((
            reorganisation::reorganisation_id,
            reorganisation::effective,
            reorganisation::legal_basis,
        ))
        .load::<(String, NaiveDate, String)>(connection)?
        .into_iter()
        .map(|(id, effective, legal_basis)| {
            let id = parsed(&id, "reorganisation id")?;
            Ok(ReorganisationName {
                id,
                effective,
                legal_basis,
            })
        })
        .collect()
}
