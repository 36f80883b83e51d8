//! Sessions: the sign-ins of an account, which its owner can see and end.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::authn::Identity;
use crate::authn::token::LIFETIME;
use crate::authz::Denied;
use crate::domain::id::AccountId;
use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Reply};
use crate::store::sign_in::{Sessions, sessions_end, sessions_of};
use crate::store::tenant::{Part, mark_changed};
use crate::store::{StoreError, Transaction};

/// The errors of use cases on sessions.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error("no session {0}")]
    NotFound(String),
}

impl Explain for SessionError {
    fn explain(&self) -> Explanation {
        match self {
            SessionError::Store(held) => held.explain(),
            SessionError::Denied(held) => held.explain(),
            SessionError::Idempotency(held) => held.explain(),
            SessionError::NotFound(_) => {
                Explanation::new(Code::SessionNotFound, message!("session-not-found"))
                    .of_parameter("session")
            }
        }
    }
}

/// A sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SessionView {
    pub id: String,
    /// The name that the client's program gave itself (User-Agent).
    pub agent: Option<String>,
    pub started_at: Option<DateTime<Utc>>,
    /// The time at which its tokens were renewed last.
    pub used_at: Option<DateTime<Utc>>,
    /// True for the session of this request.
    pub current: bool,
}

/// The caller's sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SessionList {
    pub items: Vec<SessionView>,
}

/// Lists the caller's sessions, the last used first.
///
/// # Errors
/// [`SessionError`].
pub fn list_my_sessions(
    application: &Application,
    identity: &Identity,
    now: DateTime<Utc>,
) -> Result<SessionList, SessionError> {
    application.reading(identity, |transaction, _| {
        let sessions = sessions_of(transaction, identity.account(), now.naive_utc())?;
        let items = sessions.into_iter().map(|session| SessionView {
            id: session.id.to_string(),
            agent: session.agent,
            started_at: session.started_at.map(|at| at.and_utc()),
            used_at: session.used_at.map(|at| at.and_utc()),
            current: Some(session.id) == identity.session(),
        });
        Ok(SessionList {
            items: items.collect(),
        })
    })
}

/// Ends one of the caller's sessions. Its tokens do not serve any more, on any server.
///
/// # Errors
/// [`SessionError`].
pub fn end_my_session(
    application: &Application,
    call: &Call,
    id: &str,
) -> Result<Reply, SessionError> {
    application.changing(call, |change| {
        let (permit, rev) = (
            change.snapshot.access.to_oneself(),
            change.snapshot.counters.rev,
        );
        change.once(permit, |transaction, permit| {
            let account = permit.account();
            let sessions = sessions_of(transaction, account, call.now.naive_utc())?;
            let mut sessions = sessions.into_iter();
            let session = sessions.find(|session| session.id.to_string() == id);
            let session = session.ok_or_else(|| SessionError::NotFound(id.to_owned()))?;
            end_sessions(transaction, account, Sessions::One(session.id), call.now)?;
            mark_changed(transaction, Part::Grants, rev)?;
            Ok(Written::new(Reply::without_body(), [item(account)]))
        })
    })
}

/// Ends all of the caller's sessions, this one too.
///
/// # Errors
/// [`SessionError`].
pub fn end_my_sessions(
    application: &Application,
    call: &Call,
    (): &(),
) -> Result<Reply, SessionError> {
    application.changing(call, |change| {
        let (permit, rev) = (
            change.snapshot.access.to_oneself(),
            change.snapshot.counters.rev,
        );
        change.once(permit, |transaction, permit| {
            let account = permit.account();
            end_sessions(transaction, account, Sessions::All, call.now)?;
            mark_changed(transaction, Part::Grants, rev)?;
            Ok(Written::new(Reply::without_body(), [item(account)]))
        })
    })
}

fn item(account: AccountId) -> ChangeItem {
    ChangeItem::of_account(ChangeKind::SessionEnded, account, None)
}

/// Ends sessions of an account. The caller marks the grants as changed, by which every server learns
/// of it.
pub(super) fn end_sessions(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    wanted: Sessions,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let until = now + LIFETIME + LIFETIME;
    let (now, until) = (now.naive_utc(), until.naive_utc());
    sessions_end(transaction, account, wanted, now, until)
}
