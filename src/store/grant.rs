//! Queries on grants.

use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::schema::account_grant;
use crate::authz::{Grant, Reach};
use crate::domain::id::{AccountId, GrantId};

/// Everybody's grants.
pub fn grants(transaction: &mut Transaction<'_>) -> Result<Vec<(AccountId, Grant)>, StoreError> {
    type Row = (String, String, Option<String>);
    let (tenant, connection) = transaction.parts();
    account_grant::table
        .filter(account_grant::tenant_id.eq(tenant))
        .order(account_grant::grant_id)
        .select((
            account_grant::account_id,
            account_grant::role,
            account_grant::unit_id,
        ))
        .load::<Row>(connection)?
        .into_iter()
        .map(|(account, role, unit)| {
            let reach = match unit {
                None => Reach::Tenant,
                Some(unit) => Reach::Subtree(parsed(&unit, "unit id")?),
            };
            Ok((
                parsed(&account, "account id")?,
                Grant {
                    role: parsed(&role, "role")?,
                    reach,
                },
            ))
        })
        .collect()
}

pub fn grant_insert(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    grant: &Grant,
) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let unit = match grant.reach {
        Reach::Tenant => None,
        Reach::Subtree(unit) => Some(unit.to_string()),
    };
    diesel::insert_into(account_grant::table)
        .values((
            account_grant::tenant_id.eq(tenant),
            account_grant::grant_id.eq(GrantId::new().to_string()),
            account_grant::account_id.eq(account.to_string()),
            account_grant::role.eq(grant.role.as_str()),
            account_grant::unit_id.eq(unit),
        ))
        .execute(connection)?;
    Ok(())
}
