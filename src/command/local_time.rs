//! Times in the time zone of a tenant: for its people to the minute, for programs in full.

use chrono::{DateTime, SecondsFormat, Utc};
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

    /// Writes a time for programs (RFC 3339): `2026-12-06T08:26:00+07:00`.
    pub fn exact(self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.0)
            .to_rfc3339_opts(SecondsFormat::Secs, false)
    }
}
