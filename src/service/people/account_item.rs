//! Items of the history that are on an account. Does not know what was done to it.

use itertools::Itertools;

use crate::domain::id::AccountId;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::store::grant::{KeptGrant, grants_of_accounts};
use crate::store::{StoreError, Transaction};

/// Makes an item on an account, which is seen wherever its duties are or were.
pub(super) fn item_at(kind: ChangeKind, account: AccountId, grants: &[KeptGrant]) -> ChangeItem {
    let last_first = grants.iter().rev();
    let units = last_first.filter_map(|kept| kept.grant.unit());
    ChangeItem::of_account(kind, account, units.unique())
}

/// Reads what an item on an account needs, and makes it.
pub(super) fn item_on(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    kind: ChangeKind,
) -> Result<ChangeItem, StoreError> {
    let grants = grants_of_accounts(transaction, &[account])?;
    Ok(item_at(kind, account, &grants))
}
