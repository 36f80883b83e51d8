//! The caller's own account: what it may do, and its password.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::authn::{Identity, password};
use crate::authz::{Denied, Grant, Reach, Role, Scope};
use crate::domain::hierarchy::{Place, Tree};
use crate::domain::respondents::Respondents;
use crate::error::{Code, Explain, Explanation, Fault};
use crate::message;
use crate::path;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::ChangeKind;
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Reply};
use crate::service::application::name::UnitName;
use crate::service::application::snapshot::Snapshot;
use crate::service::application::throttle::{Acquaintance, TooManyFailures};
use crate::service::people::account_item::item_on;
use crate::service::people::account_name::AccountName;
use crate::service::people::credentials::check_password;
use crate::service::people::grant::GrantView;
use crate::service::people::session::end_sessions;
use crate::service::people::tenant::TenantName;
use crate::store::StoreError;
use crate::store::account::{account_by_id, account_put};
use crate::store::invitation::invitation_delete;
use crate::store::sign_in::Sessions;
use crate::store::tenant::tenant_by_id;

/// The errors of use cases on the caller's own account.
#[derive(Debug, thiserror::Error)]
pub enum MeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    TooMany(#[from] TooManyFailures),
    #[error("the account is not there any more")]
    Gone,
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
    #[error(transparent)]
    Hash(#[from] password::HashError),
}

impl Explain for MeError {
    fn explain(&self) -> Explanation {
        match self {
            MeError::Store(held) => held.explain(),
            MeError::Denied(held) => held.explain(),
            MeError::Idempotency(held) => held.explain(),
            MeError::TooMany(held) => held.explain(),
            MeError::Gone => Explanation::new(Code::NotSignedIn, message!("me-gone")),
            MeError::Invalid(faults) => {
                Explanation::new(Code::InvalidAccount, message!("account-invalid"))
                    .with_faults(faults.clone())
            }
            MeError::Hash(_) => Explanation::internal(),
        }
    }
}

/// The caller's tenant, account and grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MeView {
    pub tenant: TenantName,
    pub account: AccountName,
    /// The grants that hold today.
    pub grants: Vec<GrantView>,
    /// The forms that the caller may enter and submit, and the units for each.
    pub may_submit: Vec<MaySubmit>,
}

/// A form that the caller may submit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MaySubmit {
    pub form: String,
    /// This unit and those below it; null for all units of the tenant.
    pub unit: Option<UnitName>,
    /// The levels of those units that submit the form.
    pub levels: Vec<String>,
}

/// Reads the caller's account and grants.
///
/// # Errors
/// [`MeError`].
pub fn get_me(
    application: &Application,
    identity: &Identity,
    now: DateTime<Utc>,
) -> Result<MeView, MeError> {
    let tenant = tenant_by_id(&application.database, identity.tenant())?;
    let tenant = tenant.ok_or(MeError::Gone)?;
    application.reading(identity, |transaction, snapshot| {
        let account = account_by_id(transaction, identity.account())?.ok_or(MeError::Gone)?;
        let today = snapshot.today(now);
        let tree = snapshot.hierarchy.tree_on(today);
        let grants = snapshot.access.grants();
        Ok(MeView {
            tenant: TenantName {
                slug: tenant.slug.to_string(),
                name: tenant.name,
            },
            account: AccountName::own(&account),
            grants: grants
                .iter()
                .map(|grant| GrantView::of(grant, &snapshot.hierarchy, today))
                .collect(),
            may_submit: grants
                .iter()
                .filter(|grant| matches!(grant.role, Role::Reporter | Role::TenantAdmin))
                .flat_map(|grant| may_submit(grant, snapshot, &tree, now))
                .collect(),
        })
    })
}

fn may_submit(
    grant: &Grant,
    snapshot: &Snapshot,
    tree: &Arc<Tree>,
    now: DateTime<Utc>,
) -> Vec<MaySubmit> {
    let top = match grant.reach {
        Reach::Tenant => None,
        // A grant on a unit that has ended covers nothing today.
        Reach::Subtree(unit) => match tree.by_id(unit) {
            Some(place) => Some(place),
            None => return Vec::new(),
        },
    };
    let today = snapshot.today(now);
    let forms = snapshot
        .catalogue
        .forms()
        .filter_map(|form| Some((form, form.on(today)?)));
    forms
        .map(|(form, definition)| MaySubmit {
            form: form.code.to_string(),
            unit: top.map(UnitName::of),
            levels: {
                let reportings = snapshot.catalogue.subtree_reportings();
                let covering = reportings.on_day(form.number, today);
                levels_in(top, &Respondents::new(definition, tree.clone(), covering))
            },
        })
        .filter(|entry| !entry.levels.is_empty())
        .collect()
}

/// Lists the levels of the units that are to submit at and below a place, or anywhere.
fn levels_in(top: Option<Place<'_>>, respondents: &Respondents<'_>) -> Vec<String> {
    let Some(top) = top else {
        let levels = respondents.levels_asked();
        return levels.map(ToString::to_string).collect();
    };
    let groups = respondents.groups(top);
    groups.iter().map(|group| group.level.to_string()).collect()
}

/// The caller's present password and the next one.
#[derive(Clone)]
pub struct ChangedPassword {
    pub current: String,
    pub new: String,
}

/// Changes the caller's password. All other sessions of the account end.
///
/// # Errors
/// [`MeError`].
pub fn put_my_password(
    application: &Application,
    call: &Call,
    changed: &ChangedPassword,
    address: Option<IpAddr>,
) -> Result<Reply, MeError> {
    // Hashed before the tenant's writes are held up, and read without a turn: the caller holds one of
    // the few places for hashing.
    let _access = application.access(&call.identity)?;
    let scope = Scope::of(&call.identity);
    let account = application.database.read_uncounted(&scope, |transaction| {
        account_by_id(transaction, call.identity.account())
    })?;
    let account = account.ok_or(MeError::Gone)?;
    // A stolen token must not guess faster than anybody else.
    let tenant = (Some(call.identity.tenant()), None);
    let attempt = application
        .throttle
        .attempt(tenant, account.login.as_str(), address);
    attempt.admit(Acquaintance::Known)?;
    let mut faults = Vec::new();
    let hash = account.password_hash.as_deref();
    if !password::is_sensible(&changed.current) || !password::matches(&changed.current, hash) {
        attempt.note_failure(Acquaintance::Known);
        let message = message!("me-wrong-password");
        faults.push(Fault::in_body(
            path!["current_password"],
            Code::InvalidValue,
            message,
        ));
    }
    check_password(&changed.new, &path!["new_password"], &mut faults);
    if !faults.is_empty() {
        return Err(MeError::Invalid(faults));
    }
    let new_hash = password::hash(&changed.new)?;
    application.changing(call, |change| {
        let (permit, rev) = (
            change.snapshot.access.to_oneself(),
            change.snapshot.counters.rev,
        );
        change.once(permit, |transaction, permit| {
            let id = permit.account();
            let mut now_kept = account_by_id(transaction, id)?.ok_or(MeError::Gone)?;
            if now_kept.password_hash != account.password_hash {
                // Somebody else has changed it meanwhile: the present one was wrong.
                let message = message!("me-wrong-password");
                let at = path!["current_password"];
                let fault = Fault::in_body(at, Code::InvalidValue, message);
                return Err(MeError::Invalid(vec![fault]));
            }
            now_kept.password_hash = Some(new_hash);
            now_kept.rev = rev;
            account_put(transaction, &now_kept)?;
            let session = call.identity.session();
            let others = session.map_or(Sessions::All, Sessions::AllBut);
            end_sessions(transaction, id, others, (call.now, rev))?;
            // A code that somebody kept would open what the owner has just closed.
            invitation_delete(transaction, id)?;
            let item = item_on(transaction, id, ChangeKind::PasswordChanged)?;
            Ok(Written::new(Reply::without_body(), [item]))
        })
    })
}
