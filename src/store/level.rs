//! Queries on levels.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, document, parsed, to_document};
use super::schema::level;
use crate::domain::level::{Level, Rank};
use crate::domain::unit::Validity;

pub fn levels(transaction: &mut Transaction<'_>) -> Result<Vec<Level>, StoreError> {
    type Row = (String, i32, String, NaiveDate, Option<NaiveDate>);
    let (tenant, connection) = transaction.parts();
    level::table
        .filter(level::tenant_id.eq(tenant))
        .order(level::rank)
        .select((
            level::code,
            level::rank,
            level::name,
            level::valid_from,
            level::valid_to,
        ))
        .load::<Row>(connection)?
        .into_iter()
        .map(|(code, rank, name, from, to)| {
            Ok(Level {
                code: parsed(&code, "level code")?,
                rank: Rank::new(rank).ok_or_else(|| StoreError::Corrupt(format!("rank {rank}")))?,
                name: document(&name, "level name")?,
                validity: Validity { from, to },
            })
        })
        .collect()
}

/// Adds a level, or replaces the one with its code.
pub fn level_put(transaction: &mut Transaction<'_>, put: &Level) -> Result<(), StoreError> {
    let name = to_document(&put.name)?;
    let (tenant, connection) = transaction.parts();
    let changes = (
        level::rank.eq(put.rank.get()),
        level::name.eq(&name),
        level::valid_from.eq(put.validity.from),
        level::valid_to.eq(put.validity.to),
    );
    on_backend!(connection, |own| {
        diesel::insert_into(level::table)
            .values((
                level::tenant_id.eq(tenant),
                level::code.eq(put.code.as_str()),
                changes,
            ))
            .on_conflict((level::tenant_id, level::code))
            .do_update()
            .set(changes)
            .execute(own)
    })?;
    Ok(())
}
