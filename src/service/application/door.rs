//! The door for changes: begin, authorise, replay, decide, write, store the answer. Every use case
//! that changes something for a caller goes through it.
//!
//! A use case passes a closure to [`Application::changing`]. The closure receives an [`Undecided`],
//! reads its snapshot, obtains a [`Permit`], and calls [`Undecided::once`]. That replays the answer
//! of an earlier request, or lets the use case decide and write. Only `once` makes the [`Settled`]
//! that the closure must return, so authorising, replaying, storing the answer and recording what was
//! done cannot be left out. Submissions share commits: they take the same steps for many changes at
//! once in [`Application::changing_many`] (`service/submission/batch.rs`).

use chrono::{DateTime, Utc};

use crate::authz::{Access, Permit, Scope};
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{AuthoredItem, ChangeItem, record};
use crate::service::application::idempotency::{Delivery, IdempotencyError, Once, Reply};
use crate::service::application::snapshot::Snapshot;
use crate::store::counters::Counters;
use crate::store::{Database, StoreError, Transaction};

/// A change that has begun, but is neither decided nor written.
pub(in crate::service) struct Undecided<'u, 'c> {
    /// The tenant as the change finds it.
    pub snapshot: &'u Snapshot,
    transaction: &'u mut Transaction<'c>,
    once: &'u Once,
}

/// The answer to a change that is written, and what it did.
pub(in crate::service) struct Written {
    reply: Reply,
    items: Vec<ChangeItem>,
}

impl Written {
    pub fn new(reply: Reply, items: impl IntoIterator<Item = ChangeItem>) -> Written {
        Written {
            reply,
            items: items.into_iter().collect(),
        }
    }
}

/// The answer to a change that is done, or was done by an earlier request with the same key.
pub(in crate::service) struct Settled {
    reply: Reply,
    items: Vec<AuthoredItem>,
}

impl Undecided<'_, '_> {
    /// Reads what the permission depends on, before anything is written.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn read<T, E>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        work(self.transaction)
    }

    /// Repeats the answer if the request was answered before. Otherwise `decide` checks the
    /// condition, decides and writes; its answer is stored under the request's key, and its items are
    /// recorded as the permitted account's.
    ///
    /// # Errors
    /// [`IdempotencyError::Reused`], and those of `decide`.
    pub fn once<E: From<IdempotencyError> + From<StoreError>>(
        self,
        permit: Permit,
        decide: impl FnOnce(&mut Transaction<'_>, &Permit) -> Result<Written, E>,
    ) -> Result<Settled, E> {
        if let Some(reply) = self.once.replay(self.transaction)? {
            return Ok(Settled {
                reply,
                items: Vec::new(),
            });
        }
        let Written { reply, items } = decide(self.transaction, &permit)?;
        Ok(Settled {
            reply: self.once.keep(self.transaction, reply)?,
            items: items.into_iter().map(|item| item.by(&permit)).collect(),
        })
    }
}

impl Application {
    /// Carries out a change as the tenant's only write. A repeated answer commits nothing, and leaves
    /// its rev to the next write.
    ///
    /// # Errors
    /// [`IdempotencyError::InFlight`], those of `work`, and those of the database.
    #[expect(clippy::disallowed_methods, reason = "the door for changes")]
    pub(in crate::service) fn changing<E: From<IdempotencyError> + From<StoreError>>(
        &self,
        call: &Call,
        work: impl FnOnce(Undecided<'_, '_>) -> Result<Settled, E>,
    ) -> Result<Reply, E> {
        let once = self.begin(call)?;
        let scope = Scope::of(&call.identity);
        let settled = self.changing_many(&scope, call.now, |transaction, counters| {
            let snapshot = self
                .caches
                .snapshot(transaction, &call.identity, counters)?;
            let undecided = Undecided {
                snapshot: &snapshot,
                transaction,
                once: &once,
            };
            let Settled { reply, items } = work(undecided).map_err(Unwritten::Failed)?;
            match reply.delivery {
                Delivery::First => Ok((reply, items)),
                Delivery::Replayed => Err(Unwritten::Replayed(reply)),
            }
        });
        match settled {
            Ok(reply) | Err(Unwritten::Replayed(reply)) => Ok(reply),
            Err(Unwritten::Failed(error)) => Err(error),
        }
    }

    /// Begins a call, and holds its key so that nobody else can make it meanwhile.
    ///
    /// # Errors
    /// [`IdempotencyError::InFlight`].
    pub(in crate::service) fn begin(&self, call: &Call) -> Result<Once, IdempotencyError> {
        let repeatable = call.repeatable.as_ref();
        Once::begin(&self.in_flight, &call.identity, repeatable, call.now)
    }

    /// Writes many changes of a tenant in one commit. `work` authorises, replays and decides each, and
    /// stores the answers. Returns what the commit did, which is recorded in it.
    ///
    /// # Errors
    /// Those of `work`, and those of the database.
    pub(in crate::service) fn changing_many<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        now: DateTime<Utc>,
        work: impl FnOnce(&mut Transaction<'_>, Counters) -> Result<(T, Vec<AuthoredItem>), E>,
    ) -> Result<T, E> {
        write_recorded(&self.database, scope, now, work)
    }

    /// Writes to a tenant for the command-line operator, as the tenant's only write.
    ///
    /// # Errors
    /// Those of `work`, and those of the database.
    #[expect(clippy::disallowed_methods, reason = "the operator's part of the door")]
    pub(in crate::service) fn maintaining<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        now: DateTime<Utc>,
        work: impl FnOnce(&mut Transaction<'_>, &Snapshot) -> Result<(T, Vec<ChangeItem>), E>,
    ) -> Result<T, E> {
        self.changing_many(scope, now, |transaction, counters| {
            let (tenant, access) = (scope.tenant(), Access::of_operator());
            let snapshot = self
                .caches
                .snapshot_with(transaction, tenant, access, counters)?;
            let (value, items) = work(transaction, &snapshot)?;
            let items = items.into_iter().map(ChangeItem::by_operator).collect();
            Ok((value, items))
        })
    }
}

/// Writes to a tenant, and records what the commit did in its row.
#[expect(clippy::disallowed_methods, reason = "the door for changes")]
fn write_recorded<T, E: From<StoreError>>(
    database: &Database,
    scope: &Scope,
    now: DateTime<Utc>,
    work: impl FnOnce(&mut Transaction<'_>, Counters) -> Result<(T, Vec<AuthoredItem>), E>,
) -> Result<T, E> {
    database.write(scope, |transaction, counters| {
        let (value, items) = work(transaction, counters)?;
        record(transaction, scope.tenant(), counters.rev, now, &items)?;
        Ok(value)
    })
}

/// The reasons for which a use case wrote nothing.
enum Unwritten<E> {
    Replayed(Reply),
    Failed(E),
}

impl<E: From<StoreError>> From<StoreError> for Unwritten<E> {
    fn from(error: StoreError) -> Unwritten<E> {
        Unwritten::Failed(error.into())
    }
}
