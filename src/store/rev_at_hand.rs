//! The rev that a tenant has now, told without asking a database server. Never what has changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::prelude::*;

use super::connection::{AnyConnection, Connector, DatabaseUrl, Use};
use super::error::StoreError;
use super::schema::tenant;
use crate::authz::Scope;
use crate::domain::id::TenantId;

/// For how long a sole server trusts a rev that it has seen: what was written beside it, by a
/// command, is seen by then.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// How many servers there are on a database.
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

/// A rev that was seen.
#[derive(Clone, Copy)]
pub(super) struct Noted {
    rev: i64,
    at: Instant,
    /// Somebody was sent to ask for it anew.
    is_asked_for: bool,
}

/// How that can be told.
#[derive(Clone)]
pub(super) enum RevAtHand {
    /// SQLite tells every process in memory that they share whether the file has changed. A
    /// connection that only asks for it is made when it is first needed.
    OfFile(Arc<Mutex<Option<Seen>>>),
    /// What a sole server has read and written itself.
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

    /// The tenant's rev as it is now; `None` where that cannot be told.
    pub fn rev(&self, url: &DatabaseUrl, scope: &Scope) -> Result<Option<i64>, StoreError> {
        match self {
            RevAtHand::OfFile(seen) => {
                // Who comes while another asks does not wait either.
                let Ok(mut seen) = seen.try_lock() else {
                    return Ok(None);
                };
                let seen = match &mut *seen {
                    Some(seen) => seen,
                    none => none.insert(Seen::open(url)?),
                };
                seen.rev(scope).map(Some)
            }
            RevAtHand::Noted(noted) => {
                let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                let found = noted.get_mut(&scope.tenant());
                let Some(found) = found.filter(|found| found.at.elapsed() < TRUSTED_FOR) else {
                    return Ok(None);
                };
                // One asks in good time, so that not all have to at once.
                let is_due = found.at.elapsed() > TRUSTED_FOR / 2 && !found.is_asked_for;
                found.is_asked_for |= is_due;
                Ok((!is_due).then_some(found.rev))
            }
            RevAtHand::Never => Ok(None),
        }
    }

    /// Notes a rev that the tenant was seen to have since `at`.
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
        // Who read before a commit may come after it.
        if rev >= known.rev {
            *known = seen;
        }
    }
}

pub(super) struct Seen {
    connection: AnyConnection,
    /// The version of the database in which the revs were read.
    version: i64,
    revs: HashMap<String, i64>,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    data_version: i64,
}

impl Seen {
    fn open(url: &DatabaseUrl) -> Result<Seen, StoreError> {
        let mut connection = Connector::to(url, Use::Read)
            .open()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        // A locked file is one of which nothing can be told.
        diesel::sql_query("PRAGMA busy_timeout = 0").execute(&mut connection)?;
        Ok(Seen {
            connection,
            version: 0,
            revs: HashMap::new(),
        })
    }

    fn rev(&mut self, scope: &Scope) -> Result<i64, StoreError> {
        // Asked for before the rev is read: a rev that is newer than its version is read again.
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
