//! Sessions: the sign-ins of an account, which its owner can see and end.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::authn::Identity;
use crate::authn::token::LIFETIME;
use crate::authz::{Denied, Permit, Scope};
use crate::domain::id::{AccountId, SessionId};
use crate::error::{Code, Explain, Explanation};
use crate::message;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::ChangeKind;
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Reply};
use crate::service::people::account_item::item_on;
use crate::store::account::account_hold;
use crate::store::sign_in::{
    Session, Sessions, sessions_end, sessions_end_unused, sessions_hold, sessions_of,
};
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
    end_own(application, call, |own| {
        let session = own.iter().find(|session| session.id.to_string() == id);
        let session = session.ok_or_else(|| SessionError::NotFound(id.to_owned()))?;
        Ok(Sessions::One(session.id))
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
    end_own(application, call, |_| Ok(Sessions::All))
}

/// Ends those of the caller's sessions that `choose` names.
fn end_own(
    application: &Application,
    call: &Call,
    choose: impl FnOnce(&[Session]) -> Result<Sessions, SessionError>,
) -> Result<Reply, SessionError> {
    application.changing(call, |change| {
        let (permit, rev) = (
            change.snapshot.access.to_oneself(),
            change.snapshot.counters.rev,
        );
        change.once(permit, |transaction, permit| {
            let account = permit.account();
            let own = sessions_of(transaction, account, call.now.naive_utc())?;
            let chosen = choose(&own)?;
            end_sessions(transaction, account, chosen, (call.now, rev))?;
            let item = item_on(transaction, account, ChangeKind::SessionEnded)?;
            Ok(Written::new(Reply::without_body(), [item]))
        })
    })
}

/// The time after which no access token of a session is valid any more, if none is issued. Longer
/// than a token is, since the clocks of servers differ.
const TOKENS_END: TimeDelta = TimeDelta::seconds(2 * LIFETIME.num_seconds());

/// Ends sessions of an account, on every server. Holds the account first, as signing in does: both
/// may end several sessions, and would wait for each other.
pub(super) fn end_sessions(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    wanted: Sessions,
    (now, rev): (DateTime<Utc>, i64),
) -> Result<(), StoreError> {
    let until = now + TOKENS_END;
    let (now, until) = (now.naive_utc(), until.naive_utc());
    account_hold(transaction, account)?;
    sessions_end(transaction, account, wanted, now, until)?;
    mark_changed(transaction, Part::Sessions, rev)
}

/// The most sessions of an account, so that no loop of sign-ins fills the table. One more ends those
/// that were used the longest ago.
const MOST_SESSIONS: usize = 120;

/// The sessions that are left beside the new one then. Several are ended at once, so that such a loop
/// does not fill the tenant's history either.
const SESSIONS_LEFT: usize = 99;

/// Ends the sessions of an account beyond those that are left to it and of which no access token is
/// valid: nobody needs to learn of it. Returns the room for further ones. The caller holds the
/// account.
pub(super) fn end_unused_surplus(
    transaction: &mut Transaction<'_>,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<Room, StoreError> {
    let sessions = sessions_of(transaction, account, now.naive_utc())?;
    let surplus: Vec<SessionId> = surplus(&sessions).collect();
    let since = (now - TOKENS_END).naive_utc();
    let ended = sessions_end_unused(transaction, &surplus, since, now.naive_utc())?;
    Ok(Room::beside(sessions.len() - ended))
}

/// Whether an account may have one more session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Left,
    Full,
}

impl Room {
    fn beside(sessions: usize) -> Room {
        match sessions < MOST_SESSIONS {
            true => Room::Left,
            false => Room::Full,
        }
    }
}

/// Returns the sessions beyond those that are left to an account.
fn surplus(last_used_first: &[Session]) -> impl Iterator<Item = SessionId> {
    let surplus = last_used_first.iter().skip(SESSIONS_LEFT);
    surplus.map(|session| session.id)
}

/// The reasons for which no surplus was ended, and nothing was written.
#[derive(Debug, thiserror::Error)]
enum NotEnded {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("another sign-in has made room")]
    Already,
}

/// Makes room for a session of an account that has as many as it may have: ends those beyond the ones
/// that are left to it, on every server.
///
/// # Errors
/// Those of the store.
pub(super) fn make_room_for_session(
    application: &Application,
    scope: &Scope,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    match end_surplus(application, scope, account, now) {
        Ok(()) | Err(NotEnded::Already) => Ok(()),
        Err(NotEnded::Store(error)) => Err(error),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the owner is signing in and has no token yet"
)]
fn end_surplus(
    application: &Application,
    scope: &Scope,
    account: AccountId,
    now: DateTime<Utc>,
) -> Result<(), NotEnded> {
    application.changing_many(scope, now, |transaction, counters| {
        // Held before they are compared: who refreshes one meanwhile waits, or has used it by then.
        account_hold(transaction, account)?;
        sessions_hold(transaction, account, now.naive_utc())?;
        let sessions = sessions_of(transaction, account, now.naive_utc())?;
        if Room::beside(sessions.len()) == Room::Left {
            return Err(NotEnded::Already);
        }
        for session in surplus(&sessions) {
            let wanted = Sessions::One(session);
            end_sessions(transaction, account, wanted, (now, counters.rev))?;
        }
        let item = item_on(transaction, account, ChangeKind::SessionEnded)?;
        Ok(((), vec![item.by(&Permit::of_holder(account))]))
    })
}
