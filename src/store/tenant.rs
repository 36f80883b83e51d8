//! Queries on tenants: the registry, and the row that orders a tenant's writes.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::database::{Database, Transaction};
use super::error::{StoreError, parsed};
use super::schema::{tenant, tenant_registry};
use crate::domain::id::{TenantId, TenantSlug};

/// A part of a tenant's data that is cached, with a counter of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Tree,
    Catalogue,
    Grants,
    /// The sessions that were ended.
    Sessions,
}

/// Marks a part as changed by the commit of `rev`.
pub fn mark_changed(
    transaction: &mut Transaction<'_>,
    part: Part,
    rev: i64,
) -> Result<(), StoreError> {
    let (tenant_id, connection) = transaction.parts();
    let row = tenant::table.filter(tenant::tenant_id.eq(tenant_id));
    match part {
        Part::Tree => diesel::update(row)
            .set(tenant::tree_rev.eq(rev))
            .execute(connection),
        Part::Catalogue => diesel::update(row)
            .set(tenant::catalogue_rev.eq(rev))
            .execute(connection),
        Part::Grants => diesel::update(row)
            .set(tenant::grants_rev.eq(rev))
            .execute(connection),
        Part::Sessions => diesel::update(row)
            .set(tenant::sessions_rev.eq(rev))
            .execute(connection),
    }?;
    Ok(())
}

/// Reads the edition of the rules by which the tenant's totals are kept; `None` if the tenant has
/// no row.
pub fn totals_edition(transaction: &mut Transaction<'_>) -> Result<Option<i32>, StoreError> {
    let (tenant_id, connection) = transaction.parts();
    let edition = tenant::table
        .filter(tenant::tenant_id.eq(tenant_id))
        .select(tenant::totals_edition)
        .first::<i32>(connection)
        .optional()?;
    Ok(edition)
}

pub fn totals_edition_put(
    transaction: &mut Transaction<'_>,
    edition: i32,
) -> Result<(), StoreError> {
    let (tenant_id, connection) = transaction.parts();
    diesel::update(tenant::table.filter(tenant::tenant_id.eq(tenant_id)))
        .set(tenant::totals_edition.eq(edition))
        .execute(connection)?;
    Ok(())
}

/// A tenant in the registry.
#[derive(Debug, Clone)]
pub struct RegisteredTenant {
    pub slug: TenantSlug,
    pub id: TenantId,
    pub name: String,
}

/// Adds a tenant. The transaction's scope must be the new tenant's.
pub fn tenant_insert(
    transaction: &mut Transaction<'_>,
    slug: &TenantSlug,
    name: &str,
    time_zone: chrono_tz::Tz,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (tenant_id, connection) = transaction.parts();
    diesel::insert_into(tenant_registry::table)
        .values((
            tenant_registry::slug.eq(slug.as_str()),
            tenant_registry::id.eq(tenant_id),
            tenant_registry::name.eq(name),
            tenant_registry::created_at.eq(now),
        ))
        .execute(connection)?;
    diesel::insert_into(tenant::table)
        .values((
            tenant::tenant_id.eq(tenant_id),
            tenant::rev.eq(0_i64),
            tenant::tree_rev.eq(0_i64),
            tenant::catalogue_rev.eq(0_i64),
            tenant::grants_rev.eq(0_i64),
            tenant::time_zone.eq(time_zone.name()),
        ))
        .execute(connection)?;
    Ok(())
}

/// Lists at most `limit` tenants by slug, from the first after `after`.
pub fn tenants(
    database: &Database,
    after: Option<&TenantSlug>,
    limit: i64,
) -> Result<Vec<RegisteredTenant>, StoreError> {
    // Every slug sorts after the empty text.
    let after = after.map_or("", TenantSlug::as_str);
    database.outside(|connection| {
        tenant_registry::table
            .filter(tenant_registry::slug.gt(after))
            .order(tenant_registry::slug)
            .limit(limit)
            .select((
                tenant_registry::slug,
                tenant_registry::id,
                tenant_registry::name,
            ))
            .load::<(String, String, String)>(connection)?
            .into_iter()
            .map(registered)
            .collect()
    })
}

pub fn tenant_by_slug(
    database: &Database,
    slug: &TenantSlug,
) -> Result<Option<RegisteredTenant>, StoreError> {
    database.outside(|connection| {
        tenant_registry::table
            .filter(tenant_registry::slug.eq(slug.as_str()))
            .select((
                tenant_registry::slug,
                tenant_registry::id,
                tenant_registry::name,
            ))
            .first::<(String, String, String)>(connection)
            .optional()?
            .map(registered)
            .transpose()
    })
}

pub fn tenant_by_id(
    database: &Database,
    id: TenantId,
) -> Result<Option<RegisteredTenant>, StoreError> {
    database.outside(|connection| {
        tenant_registry::table
            .filter(tenant_registry::id.eq(id.to_string()))
            .select((
                tenant_registry::slug,
                tenant_registry::id,
                tenant_registry::name,
            ))
            .first::<(String, String, String)>(connection)
            .optional()?
            .map(registered)
            .transpose()
    })
}

fn registered((slug, id, name): (String, String, String)) -> Result<RegisteredTenant, StoreError> {
    Ok(RegisteredTenant {
        slug: parsed(&slug, "slug")?,
        id: parsed(&id, "tenant id")?,
        name,
    })
}
