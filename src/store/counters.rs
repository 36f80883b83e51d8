//! The counters of a tenant, in the row that orders its writes. Never what they count.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

use super::connection::AnyConnection;
use super::error::{StoreError, parsed};
use super::schema::tenant;

/// The counters that tell whether cached data of a tenant is current. Each is the rev of the last
/// commit that changed its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    pub rev: i64,
    pub tree_rev: i64,
    pub catalogue_rev: i64,
    pub grants_rev: i64,
    /// Of the last commit that ended a session.
    pub sessions_rev: i64,
    pub time_zone: chrono_tz::Tz,
}

impl Counters {
    /// Returns the day of a time in the tenant's time zone.
    pub fn day_of(&self, time: DateTime<Utc>) -> NaiveDate {
        time.with_timezone(&self.time_zone).date_naive()
    }
}

#[derive(Queryable)]
struct CountersRow {
    rev: i64,
    tree_rev: i64,
    catalogue_rev: i64,
    grants_rev: i64,
    sessions_rev: i64,
    time_zone: String,
}

impl TryFrom<CountersRow> for Counters {
    type Error = StoreError;

    fn try_from(row: CountersRow) -> Result<Counters, StoreError> {
        Ok(Counters {
            rev: row.rev,
            tree_rev: row.tree_rev,
            catalogue_rev: row.catalogue_rev,
            grants_rev: row.grants_rev,
            sessions_rev: row.sessions_rev,
            time_zone: parsed(&row.time_zone, "time zone")?,
        })
    }
}

const COUNTERS: (
    tenant::rev,
    tenant::tree_rev,
    tenant::catalogue_rev,
    tenant::grants_rev,
    tenant::sessions_rev,
    tenant::time_zone,
) = (
    tenant::rev,
    tenant::tree_rev,
    tenant::catalogue_rev,
    tenant::grants_rev,
    tenant::sessions_rev,
    tenant::time_zone,
);

/// Locks the tenant's row until the transaction ends, and raises its rev.
pub(super) fn lock(
    tenant_id: &str,
    connection: &mut AnyConnection,
) -> Result<Counters, StoreError> {
    let row = on_backend!(connection, |own| {
        diesel::update(tenant::table.filter(tenant::tenant_id.eq(tenant_id)))
            .set(tenant::rev.eq(tenant::rev + 1))
            .returning(COUNTERS)
            .get_result::<CountersRow>(own)
    })
    .optional()?
    .ok_or(StoreError::TenantGone)?;
    row.try_into()
}

/// Reads the counters in the transaction's snapshot.
pub(super) fn counters(
    tenant_id: &str,
    connection: &mut AnyConnection,
) -> Result<Counters, StoreError> {
    let row = tenant::table
        .filter(tenant::tenant_id.eq(tenant_id))
        .select(COUNTERS)
        .get_result::<CountersRow>(connection)
        .optional()?
        .ok_or(StoreError::TenantGone)?;
    row.try_into()
}
