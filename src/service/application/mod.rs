//! The running service: the parts that every use case works with.

pub mod answers;
pub mod call;
pub mod change;
pub mod condition;
pub(in crate::service) mod door;
pub mod idempotency;
pub mod import_mode;
pub(in crate::service) mod key_uses;
pub mod locate;
mod map_changes;
pub mod name;
pub(in crate::service) mod packed;
pub mod page;
pub mod patience;
pub mod queue;
pub(in crate::service) mod side_by_side;
pub mod snapshot;
pub(in crate::service) mod sweeps;
pub(in crate::service) mod table;
pub mod text;
pub mod throttle;
mod turn;
pub mod watcher;

use crate::authn::Identity;
use crate::authz::{Access, Scope};
use crate::service::application::patience::{Caller, Patience};
use crate::service::application::snapshot::Snapshot;
use crate::service::application::turn::Reader;
use crate::store::{StoreError, Transaction};
use std::time::Duration;

use crate::authn::Tokens;
use crate::store::Database;

use crate::service::application::answers::Answers;
use crate::service::application::idempotency::InFlight;
use crate::service::application::key_uses::KeyUses;
use crate::service::application::snapshot::Caches;
use crate::service::application::sweeps::Sweeps;
use crate::service::application::throttle::{SignInLimits, Throttle};
use crate::service::application::turn::{Crowd, Turns};

/// The running service, without its protocol.
pub struct Application {
    pub database: Database,
    pub tokens: Tokens,
    pub(in crate::service) caches: Caches,
    pub(in crate::service) in_flight: InFlight,
    pub(in crate::service) answers: Answers,
    pub(in crate::service) turns: Turns,
    pub(in crate::service) key_uses: KeyUses,
    pub(in crate::service) sweeps: Sweeps,
    pub(in crate::service) read_time: Duration,
    pub(in crate::service) throttle: Throttle,
    /// The address at which people reach the server, without a slash at the end: links begin with it.
    pub public_url: String,
}

/// The limits on reads, so that nobody waits long for the reads of others.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimits {
    /// The longest time of a read that somebody waits for.
    pub time: Duration,
    /// The number of requests that the server works on at once. One tenant may not have all of them
    /// waiting.
    pub requests: usize,
}

/// Longer than any report takes, and short enough for those who wait behind it.
pub const DEFAULT_READ_TIME: Duration = Duration::from_secs(20);

/// More than one machine works on at once, and few enough for its memory.
pub const DEFAULT_REQUEST_LIMIT: u16 = 512;

/// The address of a server that listens on its default port.
pub const DEFAULT_PUBLIC_URL: &str = "http://127.0.0.1:8080";

impl Default for ReadLimits {
    fn default() -> ReadLimits {
        ReadLimits {
            time: DEFAULT_READ_TIME,
            requests: DEFAULT_REQUEST_LIMIT.into(),
        }
    }
}

impl Application {
    pub fn new(database: Database, tokens: Tokens) -> Application {
        Application::with(database, tokens, ReadLimits::default())
    }

    /// Like [`Application::new`], with an operator's limits.
    pub fn with(database: Database, tokens: Tokens, limits: ReadLimits) -> Application {
        let reading = Crowd::of_readers(database.reading_at_once());
        let waiting = Crowd {
            all: limits.requests,
            of_tenant: limits.requests.div_ceil(2),
            of_account: limits.requests.div_ceil(4),
        };
        Application {
            database,
            tokens,
            caches: Caches::default(),
            in_flight: InFlight::default(),
            answers: Answers::default(),
            turns: Turns::new(reading, waiting),
            key_uses: KeyUses::default(),
            sweeps: Sweeps::default(),
            read_time: limits.time,
            throttle: Throttle::default(),
            public_url: DEFAULT_PUBLIC_URL.to_owned(),
        }
    }

    /// Sets the address at which people reach the server.
    #[must_use]
    pub fn reached_at(self, public_url: &str) -> Application {
        Application {
            public_url: public_url.trim_end_matches('/').to_owned(),
            ..self
        }
    }

    /// Limits failed sign-ins. Commands have no such limit.
    #[must_use]
    pub fn limiting_sign_ins(self, limits: SignInLimits) -> Application {
        Application {
            throttle: Throttle::new(limits),
            ..self
        }
    }

    /// Reads an account's rights. Takes no turn, so that writers do not wait for readers.
    pub(in crate::service) fn access(&self, identity: &Identity) -> Result<Access, StoreError> {
        self.database
            .glance(&Scope::of(identity), |transaction, counters| {
                self.caches.access_in(transaction, identity, counters)
            })
    }

    /// Runs a use case that only reads, on one snapshot. If somebody waits for it, it waits for its
    /// turn and has limited time.
    pub(in crate::service) fn reading<T, E: From<StoreError>>(
        &self,
        identity: &Identity,
        work: impl FnOnce(&mut Transaction<'_>, &Snapshot) -> Result<T, E>,
    ) -> Result<T, E> {
        let caller = Caller::current();
        let reader = Reader::of(identity);
        let turn = caller
            .as_ref()
            .map(|caller| self.turns.take(reader, caller));
        let _turn = turn.transpose()?;
        let patience = caller.map(|caller| Patience::of(caller, self.read_time));
        self.database
            .read(&Scope::of(identity), |transaction, counters| {
                let snapshot = self.caches.snapshot(transaction, identity, counters)?;
                work(transaction, &snapshot.within(patience.unwrap_or_default()))
            })
    }

    /// Reads a tenant for the command-line operator, on one snapshot.
    pub(in crate::service) fn inspecting<T, E: From<StoreError>>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Transaction<'_>, &Snapshot) -> Result<T, E>,
    ) -> Result<T, E> {
        self.database.read(scope, |transaction, counters| {
            let tenant = scope.tenant();
            let snapshot =
                self.caches
                    .snapshot_with(transaction, tenant, Access::of_operator(), counters)?;
            work(transaction, &snapshot)
        })
    }
}
