//! Whether a database has changed, told without reading it. Only SQLite can: its file tells every
//! process in memory that they share. Never what has changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use diesel::prelude::*;

use super::connection::{AnyConnection, Connector, DatabaseUrl, Use};
use super::error::StoreError;
use super::schema::tenant;
use crate::authz::Scope;

/// A connection that only asks for it, made when it is first needed.
#[derive(Clone, Default)]
pub(super) struct DataVersion(Arc<Mutex<Option<Seen>>>);

struct Seen {
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

impl DataVersion {
    /// The tenant's rev as it is now; `None` where that cannot be told without asking a server.
    pub fn rev(&self, url: &DatabaseUrl, scope: &Scope) -> Result<Option<i64>, StoreError> {
        if matches!(url, DatabaseUrl::Postgresql { .. }) {
            return Ok(None);
        }
        // Who comes while another asks does not wait either.
        let Ok(mut seen) = self.0.try_lock() else {
            return Ok(None);
        };
        let seen = match &mut *seen {
            Some(seen) => seen,
            none => none.insert(Seen::open(url)?),
        };
        seen.rev(scope).map(Some)
    }
}

impl Seen {
    fn open(url: &DatabaseUrl) -> Result<Seen, StoreError> {
        let connector = Connector {
            url: url.clone(),
            purpose: Use::Read,
        };
        let mut connection = connector
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
