//! The door for changes: begin, authorise, replay, decide, write, keep the answer. Every use case
//! that changes something for a caller goes through it. Never what a change is.
//!
//! A use case hands [`Application::changing`] a closure, which is given an [`Undecided`]. All that
//! it can do with it is to look at the snapshot, get a [`Permit`], and call [`Undecided::once`],
//! which replays the answer of an earlier request or lets the use case decide and write. Only
//! `once` makes the [`Settled`] that the closure has to return, so no step can be left out.
//! Submissions, of which many share a commit, take the same steps for all of them at once
//! (`service/submission/batch.rs`) in [`Application::changing_many`].

use crate::authz::{Access, Permit, Scope};
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::idempotency::{Delivery, IdempotencyError, Once, Reply};
use crate::service::application::snapshot::Snapshot;
use crate::store::tenant::Counters;
use crate::store::{StoreError, Transaction};

/// A change that is begun: nothing is decided or written yet.
pub(in crate::service) struct Undecided<'u, 'c> {
    /// The tenant as the change finds it.
    pub snapshot: &'u Snapshot,
    transaction: &'u mut Transaction<'c>,
    once: &'u Once,
}

/// The answer to a change that is done, or was done by an earlier request with the same key.
pub(in crate::service) struct Settled(Reply);

impl Undecided<'_, '_> {
    /// Answers again where the request was answered before. Otherwise `decide` checks the
    /// condition, decides and writes, and its answer is kept under the request's key.
    ///
    /// # Errors
    /// [`IdempotencyError::Reused`], and those of `decide`.
    pub fn once<E: From<IdempotencyError> + From<StoreError>>(
        self,
        permit: Permit,
        decide: impl FnOnce(&mut Transaction<'_>, Permit) -> Result<Reply, E>,
    ) -> Result<Settled, E> {
        if let Some(reply) = self.once.replay(self.transaction)? {
            return Ok(Settled(reply));
        }
        let reply = decide(self.transaction, permit)?;
        Ok(Settled(self.once.keep(self.transaction, reply)?))
    }
}

impl Application {
    /// Carries out a change, alone among the tenant's writes. Where it only answers again there is
    /// nothing to commit, and the rev that it would have had is the next one's.
    ///
    /// # Errors
    /// [`IdempotencyError::InFlight`], those of `work`, and those of the database.
    pub(in crate::service) fn changing<E: From<IdempotencyError> + From<StoreError>>(
        &self,
        call: &Call,
        work: impl FnOnce(Undecided<'_, '_>) -> Result<Settled, E>,
    ) -> Result<Reply, E> {
        let once = self.begin(call)?;
        let scope = Scope::of(&call.identity);
        let settled = self.changing_many(&scope, |transaction, counters| {
            let snapshot = self
                .caches
                .snapshot(transaction, &call.identity, counters)?;
            let undecided = Undecided {
                snapshot: &snapshot,
                transaction,
                once: &once,
            };
            let Settled(reply) = work(undecided).map_err(Unwritten::Failed)?;
            match reply.delivery {
                Delivery::First => Ok(reply),
                Delivery::Replayed => Err(Unwritten::Replayed(reply)),
            }
        });
        match settled {
            Ok(reply) | Err(Unwritten::Replayed(reply)) => Ok(reply),
            Err(Unwritten::Failed(error)) => Err(error),
        }
    }

    /// Begins a call, which nobody else can make meanwhile.
    ///
    /// # Errors
    /// [`IdempotencyError::InFlight`].
    pub(in crate::service) fn begin(&self, call: &Call) -> Result<Once, IdempotencyError> {
        Once::begin(&self.in_flight, call)
    }

    /// Writes many changes of a tenant in one commit. `work` authorises, replays and decides each,
    /// and keeps the answers.
    ///
    /// # Errors
    /// Those of `work`, and those of the database.
    #[expect(clippy::disallowed_methods, reason = "the door for changes")]
    pub(in crate::service) fn changing_many<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>, Counters) -> Result<T, E>,
    ) -> Result<T, E> {
        self.database.write(scope, work)
    }

    /// Writes to a tenant for the operator, beside the API, alone among the tenant's writes.
    ///
    /// # Errors
    /// Those of `work`, and those of the database.
    pub(in crate::service) fn maintaining<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>, &Snapshot) -> Result<T, E>,
    ) -> Result<T, E> {
        self.changing_many(scope, |transaction, counters| {
            let (tenant, access) = (scope.tenant(), Access::of_operator());
            let snapshot = self
                .caches
                .snapshot_with(transaction, tenant, access, counters)?;
            work(transaction, &snapshot)
        })
    }
}

/// Why a use case has written nothing.
enum Unwritten<E> {
    Replayed(Reply),
    Failed(E),
}

impl<E: From<StoreError>> From<StoreError> for Unwritten<E> {
    fn from(error: StoreError) -> Unwritten<E> {
        Unwritten::Failed(error.into())
    }
}
