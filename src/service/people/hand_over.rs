//! Handing over: the duties of one person go to the next holder from a day on, in one commit.

use chrono::NaiveDate;

use crate::authz::{Grant, Scope};
use crate::domain::unit::Validity;
use crate::error::{Code, Fault};
use crate::message;
use crate::path;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::ChangeKind;
use crate::service::application::door::Written;
use crate::service::application::idempotency::Reply;
use crate::service::people::account::{
    AccountError, EnteredPerson, end_grant, find_seen, insert_person, items_of_new,
};
use crate::service::people::invitation::{InvitedAccount, invite, slug_of};
use crate::store::account::account_put;
use crate::store::invitation::invitation_delete;

/// A handing over, as it was entered.
#[derive(Debug, Clone)]
pub struct EnteredHandOver {
    /// The account that gives its duties away.
    pub from: String,
    /// The next holder, who gets an account.
    pub to: EnteredPerson,
    /// The first day of the next holder.
    pub on: NaiveDate,
}

/// Gives a new account all grants of another from a day on. Those of the old account end the day
/// before.
///
/// # Errors
/// [`AccountError`].
pub fn hand_over_account(
    application: &Application,
    call: &Call,
    entered: &EnteredHandOver,
) -> Result<Reply, AccountError> {
    let slug = slug_of(application, &Scope::of(&call.identity))?;
    application.changing(call, |mut change| {
        let snapshot = change.snapshot;
        let today = snapshot.today(call.now);
        let from = &entered.from;
        let mut old = change.read(|transaction| find_seen(transaction, snapshot, from, today))?;
        let permit = old.to_change(snapshot, today)?;
        change.once(permit, |transaction, _| {
            call.precondition.check(Some(&old.state()))?;
            let mut faults = Vec::new();
            if entered.on < today {
                let message = message!("hand-over-past");
                faults.push(Fault::in_body(path!["on"], Code::InvalidValue, message));
            }
            let passing: Vec<_> = old.standing(entered.on).cloned().collect();
            if passing.is_empty() && faults.is_empty() {
                let message = message!("hand-over-nothing");
                faults.push(Fault::in_body(path!["on"], Code::InvalidValue, message));
            }
            let grants: Vec<Grant> = passing
                .iter()
                .map(|kept| Grant {
                    days: Validity {
                        from: kept.grant.days.from.max(entered.on),
                        to: kept.grant.days.to,
                    },
                    ..kept.grant.clone()
                })
                .collect();
            let rest = (call.now, faults);
            let new = insert_person(transaction, snapshot, &entered.to, &grants, None, rest)?;
            let rev = snapshot.counters.rev;
            // Who hands over before having accepted has nothing to sign in for any more.
            invitation_delete(transaction, old.account.id)?;
            for kept in &passing {
                end_grant(transaction, kept, entered.on, rev)?;
            }
            old.account.rev = rev;
            account_put(transaction, &old.account)?;
            let mut items = items_of_new(&new);
            items.push(old.item(ChangeKind::AccountHandedOver));
            items.push(new.item(ChangeKind::AccountInvited));
            let invited = InvitedAccount {
                invitation: invite(application, transaction, &slug, new.account.id, call.now)?,
                account: new.view(snapshot, today),
            };
            Ok(Written::new(
                invited.reply(new.etag(&invited.account)?)?,
                items,
            ))
        })
    })
}
