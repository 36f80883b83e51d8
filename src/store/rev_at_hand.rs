//! Tells a tenant's current rev without asking a database server. Does not know what changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::prelude::*;

use super::connection::{AnyConnection, Connector, DatabaseUrl, Use};
use super::error::StoreError;
use super::schema::tenant;
use crate::authz::Scope;
use crate::domain::id::TenantId;

/// The time for which a sole server trusts a rev that it has seen. Writes of a command beside it
/// are noticed within this time.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// The number of servers on a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Servers {
    Several,
    Sole,
}

impl std::str::FromStr for Servers {
    type Err = String;

    fn from_str(text: &str) -> Result<Servers, String> {
        match text {
            "several" => Ok(Servers::Several),
            "sole" => Ok(Servers::Sole),
            _ => Err("it must be several or sole".to_owned()),
        }
    }
}

/// A rev that was seen, and when.
#[derive(Clone, Copy)]
pub(super) struct Noted {
    rev: i64,
    at: Instant,
    /// Set once a request was sent to read the rev again.
    is_asked_for: bool,
}

/// The source of a tenant's current rev.
#[derive(Clone)]
pub(super) enum RevAtHand {
    /// SQLite: a counter in shared memory tells every process whether the file has changed. The
    /// connection that reads it is opened on first use.
    OfFile(Arc<Mutex<Option<SeenRevs>>>),
    /// The revs that a sole server has read and written itself.
    Noted(Arc<Mutex<HashMap<TenantId, Noted>>>),
    Never,
}

impl RevAtHand {
    pub fn on(url: &DatabaseUrl, servers: Servers) -> RevAtHand {
        match (url, servers) {
            (DatabaseUrl::Sqlite { .. }, _) => RevAtHand::OfFile(Arc::default()),
            (DatabaseUrl::Postgresql { .. }, Servers::Sole) => RevAtHand::Noted(Arc::default()),
            (DatabaseUrl::Postgresql { .. }, Servers::Several) => RevAtHand::Never,
        }
    }

    /// Returns the tenant's current rev, or `None` if it cannot be told at once.
    pub fn rev(&self, url: &DatabaseUrl, scope: &Scope) -> Result<Option<i64>, StoreError> {
        match self {
            RevAtHand::OfFile(seen) => {
                // Do not wait while another request asks.
                let Ok(mut seen) = seen.try_lock() else {
                    return Ok(None);
                };
                let seen = match &mut *seen {
                    Some(seen) => seen,
                    none => none.insert(SeenRevs::open(url)?),
                };
                seen.rev(scope).map(Some)
            }
            RevAtHand::Noted(noted) => {
                let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                let found = noted.get_mut(&scope.tenant());
                let Some(found) = found.filter(|found| found.at.elapsed() < TRUSTED_FOR) else {
                    return Ok(None);
                };
                // One request refreshes the rev early, so that not all of them have to at its
                // expiry.
                let is_due = found.at.elapsed() > TRUSTED_FOR / 2 && !found.is_asked_for;
                found.is_asked_for |= is_due;
                Ok((!is_due).then_some(found.rev))
            }
            RevAtHand::Never => Ok(None),
        }
    }

    /// Records the rev that the tenant was seen to have at `at`.
    pub fn note(&self, scope: &Scope, rev: i64, at: Instant) {
        let RevAtHand::Noted(noted) = self else {
            return;
        };
        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = Noted {
            rev,
            at,
            is_asked_for: false,
        };
        let known = noted.entry(scope.tenant()).or_insert(seen);
        // A read from before a commit may report after it; keep the newer rev.
        if rev >= known.rev {
            *known = seen;
        }
    }
}

pub(super) struct SeenRevs {
    connection: AnyConnection,
    /// The database's version in which the revs were read.
    version: i64,
    revs: HashMap<String, i64>,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    data_version: i64,
}

impl SeenRevs {
    fn open(url: &DatabaseUrl) -> Result<SeenRevs, StoreError> {
        let mut connection = Connector::to(url, Use::Read)
            .open()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        // Do not wait for a locked file; its state is unknown.
        diesel::sql_query("PRAGMA busy_timeout = 0").execute(&mut connection)?;
        Ok(SeenRevs {
            connection,
            version: 0,
            revs: HashMap::new(),
        })
    }

    fn rev(&mut self, scope: &Scope) -> Result<i64, StoreError> {
        // Read the version before the rev: a rev that is newer than its version is only read once
        // more.
        let version = diesel::sql_query("PRAGMA data_version")
            .get_result::<Version>(&mut self.connection)?
            .data_version;
        if version != self.version {
            self.revs.clear();
            self.version = version;
        }
        let tenant_id = scope.tenant().to_string();
        if let Some(rev) = self.revs.get(&tenant_id) {
            return Ok(*rev);
        }
        let rev = tenant::table
            .filter(tenant::tenant_id.eq(&tenant_id))
            .select(tenant::rev)
            .first::<i64>(&mut self.connection)
            .optional()?
            .ok_or(StoreError::TenantGone)?;
        self.revs.insert(tenant_id, rev);
        Ok(rev)
    }
}
