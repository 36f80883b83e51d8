//! Goes through all tenants for what a migration fills in. Knows nothing of what that is.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::connection::AnyConnection;
use super::error::StoreError;
use super::schema::tenant_registry;

/// Fills in something of each tenant, in the transaction of a migration and as the schema's owner.
pub(super) fn fill_each_tenant(
    connection: &mut AnyConnection,
    fill: impl Fn(&mut AnyConnection, &str) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let tenants = tenant_registry::table
        .select(tenant_registry::id)
        .load::<String>(connection)?;
    for id in tenants {
        enter(connection, &id)?;
        fill(connection, &id)?;
    }
    enter(connection, "")
}

/// Sets the tenant for row-level security, which is forced and binds the owner too.
pub(super) fn enter(connection: &mut AnyConnection, tenant: &str) -> Result<(), StoreError> {
    if let AnyConnection::Postgresql(own) = connection {
        diesel::sql_query("SELECT set_config('app.tenant', $1, true)")
            .bind::<Text, _>(tenant)
            .execute(own)?;
    }
    Ok(())
}
