//! Four eyes: nobody approves what they entered or submitted themselves, where the form says so.

use crate::domain::id::AccountId;
use crate::domain::submission::Step;
use crate::store::submission::revision::AuthoredStep;

/// Returns the accounts that entered the latest values of a history and that submitted them. Steps
/// come the latest first. Drafts that were discarded are nobody's values.
pub(in crate::service) fn entered_by(history: &[AuthoredStep]) -> Vec<AccountId> {
    let mut accounts = Vec::new();
    let mut is_discarded = false;
    for authored in history {
        match authored.step {
            Step::Discard => is_discarded = true,
            Step::Save if is_discarded => {}
            Step::Save | Step::Replace => {
                accounts.push(authored.account);
                break;
            }
            Step::Submit => {
                accounts.push(authored.account);
                is_discarded = false;
            }
            Step::Withdraw | Step::Approve | Step::Return | Step::Reopen => is_discarded = false,
            Step::Reorganise => {}
        }
    }
    accounts
}
