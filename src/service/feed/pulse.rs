//! Tells a tenant's rev to many who follow it, with one read of the database for all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::authn::Identity;
use crate::authz::Scope;
use crate::domain::id::TenantId;
use crate::service::application::Application;
use crate::store::StoreError;

/// The time for which a rev that was read is told to others.
const FRESH_FOR: Duration = Duration::from_millis(500);

/// The revs that were read lately.
#[derive(Default)]
pub struct Pulse(Mutex<HashMap<TenantId, Arc<Mutex<Beat>>>>);

/// The last read of a tenant's rev.
#[derive(Default)]
struct Beat {
    at: Option<Instant>,
    /// `None` if the database did not answer.
    rev: Option<i64>,
}

impl Pulse {
    /// Returns the tenant's rev as it was within the last half second. `None` if the database does not
    /// answer, or while somebody else asks it: then the answer is there soon.
    pub fn rev(&self, application: &Application, identity: &Identity) -> Option<i64> {
        let beat = {
            let mut beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(beats.entry(identity.tenant()).or_default())
        };
        let mut beat = beat.try_lock().ok()?;
        if beat.at.is_none_or(|at| at.elapsed() > FRESH_FOR) {
            *beat = Beat {
                rev: read_rev(application, identity).ok(),
                at: Some(Instant::now()),
            };
        }
        beat.rev
    }
}

fn read_rev(application: &Application, identity: &Identity) -> Result<i64, StoreError> {
    let database = &application.database;
    database.glance(&Scope::of(identity), |_, counters| Ok(counters.rev))
}
