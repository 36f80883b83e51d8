//! Queries on grants.

use diesel::prelude::*;

use super::database::Transaction;
use super::error::{StoreError, parsed};
use super::schema::account_grant;
use crate::authz::{Grant, Reach};
use crate::domain::id::{AccountId, GrantId};

/// A stored grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptGrant {
    pub id: GrantId,
    pub account: AccountId,
    pub grant: Grant,
    /// The rev of the commit that made the grant.
    pub rev: i64,
}

/// Reads the grants of all accounts.
pub fn grants(transaction: &mut Transaction<'_>) -> Result<Vec<KeptGrant>, StoreError> {
    type Row = (String, String, String, Option<String>, i64);
    let (tenant, connection) = transaction.parts();
    account_grant::table
        .filter(account_grant::tenant_id.eq(tenant))
        .order(account_grant::grant_id)
        .select((
            account_grant::grant_id,
            account_grant::account_id,
            account_grant::role,
            account_grant::unit_id,
            account_grant::rev,
        ))
        .load::<Row>(connection)?
        .into_iter()
        .map(|(id, account, role, unit, rev)| {
            let reach = match unit {
                None => Reach::Tenant,
                Some(unit) => Reach::Subtree(parsed(&unit, "unit id")?),
            };
            let role = parsed(&role, "role")?;
            Ok(KeptGrant {
                id: parsed(&id, "grant id")?,
                account: parsed(&account, "account id")?,
                grant: Grant { role, reach },
                rev,
            })
        })
        .collect()
}

pub fn grant_insert(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    grant: &Grant,
    rev: i64,
) -> Result<GrantId, StoreError> {
    let id = GrantId::new();
    let (tenant, connection) = transaction.parts();
    let unit = match grant.reach {
        Reach::Tenant => None,
        Reach::Subtree(unit) => Some(unit.to_string()),
    };
    diesel::insert_into(account_grant::table)
        .values((
            account_grant::tenant_id.eq(tenant),
            account_grant::grant_id.eq(id.to_string()),
            account_grant::account_id.eq(account.to_string()),
            account_grant::role.eq(grant.role.as_str()),
            account_grant::unit_id.eq(unit),
            account_grant::rev.eq(rev),
        ))
        .execute(connection)?;
    Ok(id)
}

pub fn grant_delete(transaction: &mut Transaction<'_>, id: GrantId) -> Result<(), StoreError> {
    let (tenant, connection) = transaction.parts();
    let one = account_grant::table.filter(
        account_grant::tenant_id
            .eq(tenant)
            .and(account_grant::grant_id.eq(id.to_string())),
    );
    diesel::delete(one).execute(connection)?;
    Ok(())
}
