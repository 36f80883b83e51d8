//! Invitations: one-time codes by which people choose a first password, or a new one for a forgotten
//! one. Whoever invites passes the code on; no mail server is needed.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::authn::password;
use crate::authn::secret::{NoRandomness, hash_of, random_bytes};
use crate::authz::{Permit, Scope};
use crate::domain::id::{AccountId, TenantSlug};
use crate::error::{Code, Explain, Explanation, Fault};
use crate::message;
use crate::path;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::ChangeKind;
use crate::service::application::condition::Etag;
use crate::service::application::door::Written;
use crate::service::application::idempotency::{Outcome, Reply};
use crate::service::application::throttle::TooManyFailures;
use crate::service::people::account::{AccountError, AccountStatus, find_seen};
use crate::service::people::account_item::item_on;
use crate::service::people::credentials::check_password;
use crate::service::people::session::end_sessions;
use crate::store::account::{account_by_id, account_put};
use crate::store::invitation::{Invitation, invitation_by_hash, invitation_delete, invitation_put};
use crate::store::sign_in::Sessions;
use crate::store::tenant::{tenant_by_id, tenant_by_slug};
use crate::store::{StoreError, Transaction};

/// The time for which an invitation is good.
const LIFETIME: TimeDelta = TimeDelta::days(7);

/// A one-time code, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct InvitationView {
    /// The code, to be passed on to the account's owner; null when the answer is repeated, since it
    /// is stored nowhere.
    #[schema(example = "7K2MX-Q9RTA-4HVNC-W8EJB")]
    pub code: Option<String>,
    /// The page on which the owner enters the code; null when the answer is repeated.
    pub link: Option<String>,
    pub expires_at: DateTime<Utc>,
}

impl InvitationView {
    pub(super) fn without_secret(&self) -> InvitationView {
        InvitationView {
            code: None,
            link: None,
            expires_at: self.expires_at,
        }
    }
}

/// An account and the invitation of its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct InvitedAccount {
    pub account: super::account::AccountView,
    pub invitation: InvitationView,
}

impl InvitedAccount {
    /// Makes the reply, whose repetition does not show the code.
    pub(super) fn reply(&self, etag: Etag) -> Result<Reply, StoreError> {
        let outcome = Outcome::Created(format!("/v1/accounts/{}", self.account.id));
        Reply::new(outcome, Some(etag), self)?.keeping(&InvitedAccount {
            account: self.account.clone(),
            invitation: self.invitation.without_secret(),
        })
    }
}

/// The letters and digits of a code, none of which is easily taken for another (Crockford's base
/// 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The letters of a code: 100 bits.
const LENGTH: usize = 20;

fn new_code() -> Result<String, NoRandomness> {
    let mut code = String::with_capacity(LENGTH + 3);
    for (index, byte) in random_bytes::<LENGTH>()?.into_iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            code.push('-');
        }
        let letter = LETTERS.get(usize::from(byte % 32)).copied();
        code.extend(letter.map(char::from));
    }
    Ok(code)
}

/// Hashes a code as its owner may type it: in lower case, with other gaps, with O for 0.
fn hash_of_code(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    let letters: String = letters
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    hash_of(&letters)
}

/// Makes an account's invitation: as it is stored, and as it is shown once.
pub(super) fn new_invitation(
    application: &Application,
    tenant: &TenantSlug,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<(Invitation, InvitationView), NoRandomness> {
    let code = new_code()?;
    let expires_at = now + LIFETIME;
    let invitation = Invitation {
        account,
        code_hash: hash_of_code(&code),
        expires_at: expires_at.naive_utc(),
    };
    // Behind the hash sign, so that no server's log has it.
    let link = format!("{}/#/invitation/{tenant}/{code}", application.public_url);
    let view = InvitationView {
        code: Some(code),
        link: Some(link),
        expires_at,
    };
    Ok((invitation, view))
}

/// Invites an account's owner. An earlier invitation serves no more.
pub(super) fn invite(
    application: &Application,
    transaction: &mut Transaction<'_>,
    tenant: &TenantSlug,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<InvitationView, AccountError> {
    let (invitation, view) = new_invitation(application, tenant, account, now)?;
    invitation_put(transaction, &invitation)?;
    Ok(view)
}

/// Returns the slug of the caller's tenant.
pub(super) fn slug_of(application: &Application, scope: &Scope) -> Result<TenantSlug, StoreError> {
    let tenant = tenant_by_id(&application.database, scope.tenant())?;
    tenant
        .map(|tenant| tenant.slug)
        .ok_or(StoreError::TenantGone)
}

/// Invites the owner of an account to choose a password. An earlier invitation serves no more; an
/// earlier password serves until the new one is chosen.
///
/// # Errors
/// [`AccountError`].
pub fn invite_account(
    application: &Application,
    call: &Call,
    id: &str,
) -> Result<Reply, AccountError> {
    let slug = slug_of(application, &Scope::of(&call.identity))?;
    application.changing(call, |mut change| {
        let snapshot = change.snapshot;
        let today = snapshot.today(call.now);
        let person = change.read(|transaction| find_seen(transaction, snapshot, id, today))?;
        let permit = person.to_change(snapshot, today)?;
        change.once(permit, |transaction, _| {
            let shown = person.view(snapshot, today);
            if shown.status == AccountStatus::Disabled {
                return Err(AccountError::Disabled);
            }
            let account = person.account.id;
            let view = invite(application, transaction, &slug, account, call.now)?;
            let outcome = Outcome::Created(format!("/v1/accounts/{account}"));
            let etag = person.etag(&shown)?;
            let reply = Reply::new(outcome, Some(etag), &view)?.keeping(&view.without_secret())?;
            Ok(Written::new(
                reply,
                [person.item(ChangeKind::AccountInvited)],
            ))
        })
    })
}

/// A code and the password that its holder has chosen.
#[derive(Clone)]
pub struct AcceptedInvitation {
    /// The tenant's slug.
    pub tenant: String,
    pub code: String,
    pub password: String,
}

/// The errors of accepting an invitation.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    TooMany(#[from] TooManyFailures),
    #[error("there is no such invitation, or it has expired")]
    Unknown,
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
    #[error(transparent)]
    Hash(#[from] password::HashError),
}

impl Explain for InvitationError {
    fn explain(&self) -> Explanation {
        match self {
            InvitationError::Store(held) => held.explain(),
            InvitationError::TooMany(held) => held.explain(),
            InvitationError::Unknown => {
                Explanation::new(Code::InvalidInvitation, message!("invitation-unknown"))
            }
            InvitationError::Invalid(faults) => {
                Explanation::new(Code::InvalidAccount, message!("account-invalid"))
                    .with_faults(faults.clone())
            }
            InvitationError::Hash(_) => Explanation::internal(),
        }
    }
}

/// Sets the password of an invited account. The code serves once, and all sessions of the account
/// end. Wrong codes count as failures of the address that they come from.
///
/// # Errors
/// [`InvitationError`].
pub fn accept_invitation(
    application: &Application,
    accepted: &AcceptedInvitation,
    address: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<(), InvitationError> {
    application.throttle.admit(address)?;
    let done = accept(application, accepted, now);
    if let Err(InvitationError::Unknown) = done {
        application.throttle.note_failure(address);
    }
    done
}

#[expect(
    clippy::disallowed_methods,
    reason = "the caller is known by the code and has no token yet"
)]
fn accept(
    application: &Application,
    accepted: &AcceptedInvitation,
    now: DateTime<Utc>,
) -> Result<(), InvitationError> {
    let slug = accepted.tenant.parse::<TenantSlug>();
    let tenant = match slug {
        Ok(slug) => tenant_by_slug(&application.database, &slug)?,
        Err(_) => None,
    };
    let tenant = tenant.ok_or(InvitationError::Unknown)?;
    let scope = Scope::of_sign_in(tenant.id);
    let hash = hash_of_code(&accepted.code);
    // Anybody can send anything here, so look the code up before hashing and before taking a turn
    // to write.
    let known = application
        .database
        .read_uncounted(&scope, |transaction| good(transaction, &hash, now))?;
    if known.is_none() {
        return Err(InvitationError::Unknown);
    }
    let mut faults = Vec::new();
    check_password(&accepted.password, &path!["password"], &mut faults);
    if !faults.is_empty() {
        return Err(InvitationError::Invalid(faults));
    }
    let password_hash = password::hash(&accepted.password)?;
    application.changing_many(&scope, now, |transaction, counters| {
        let invitation = good(transaction, &hash, now)?.ok_or(InvitationError::Unknown)?;
        let account = account_by_id(transaction, invitation.account)?;
        let account = account.filter(|account| account.disabled_at.is_none());
        let mut account = account.ok_or(InvitationError::Unknown)?;
        invitation_delete(transaction, account.id)?;
        account.password_hash = Some(password_hash);
        account.rev = counters.rev;
        account_put(transaction, &account)?;
        end_sessions(transaction, account.id, Sessions::All, (now, counters.rev))?;
        let item = item_on(transaction, account.id, ChangeKind::AccountActivated)?;
        Ok(((), vec![item.by(&Permit::of_holder(account.id))]))
    })
}

/// Finds an invitation that has not expired.
fn good(
    transaction: &mut Transaction<'_>,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<Invitation>, StoreError> {
    let found = invitation_by_hash(transaction, hash)?;
    Ok(found.filter(|invitation| now.naive_utc() < invitation.expires_at))
}
