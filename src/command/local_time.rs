//! Times as the people of a tenant read them: in its time zone, to the minute.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use tonghop::authz::Scope;
use tonghop::service::Application;
use tonghop::service::people::tenant::time_zone_of;

use crate::{Failure, explained};

/// The clock on a tenant's wall.
#[derive(Clone, Copy)]
pub struct LocalTime(Tz);

impl LocalTime {
    pub fn of(application: &Application, scope: &Scope) -> Result<LocalTime, Failure> {
        let time_zone = time_zone_of(application, scope).map_err(explained)?;
        Ok(LocalTime(time_zone))
    }

    /// Writes a time as `2026-12-06 08:26`.
    pub fn written(self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.0)
            .format("%Y-%m-%d %H:%M")
            .to_string()
    }
}
