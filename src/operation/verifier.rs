//! The verifier: from time to time a running server recomputes one period and compares it with the
//! stored totals, tenant by tenant, in a cycle. When it comes to a tenant it also audits its history
//! of changes, and compares its releases with their hashes. A difference raises an alarm: a log line
//! that names the unit, the change or the release, and a metric. Values are never logged and nothing
//! is repaired.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::authz::Scope;
use crate::service::Application;
use crate::service::feed::audit::{Audit, verify_changes};
use crate::service::people::tenant::{TenantError, list_tenants};
use crate::service::report::release::audit::verify_releases;
use crate::service::report::verification::{ReportedPeriod, reported_periods, verify_period};
use crate::store::tenant::RegisteredTenant;
use crate::telemetry::VerificationMetrics;

/// Starts a thread that verifies one period, waits for `every`, and continues with the next while
/// the process lives. It only reads, so nobody waits for it and it may be cut off anywhere.
///
/// # Errors
/// If the system cannot start a thread.
pub fn start(
    application: Arc<Application>,
    metrics: VerificationMetrics,
    every: Duration,
    clock: fn() -> DateTime<Utc>,
) -> std::io::Result<()> {
    let verifier = Verifier {
        application,
        metrics,
        turn: Rotation::default(),
    };
    std::thread::Builder::new()
        .name("verifier".to_owned())
        .spawn(move || verifier.run(every, clock))?;
    Ok(())
}

struct Verifier {
    application: Arc<Application>,
    metrics: VerificationMetrics,
    turn: Rotation,
}

impl Verifier {
    fn run(mut self, every: Duration, clock: fn() -> DateTime<Utc>) {
        // Start at a varying place, so that servers that restart often do not always verify the
        // same period.
        let mut start = usize::try_from(clock().timestamp()).unwrap_or(0);
        loop {
            std::thread::sleep(every);
            // Survive a panic: one bad period must not silence the alarm.
            let turn = AssertUnwindSafe(|| self.take_turn(start, clock));
            if catch_unwind(turn).is_err() {
                tracing::error!("a verification panicked");
                self.metrics.failed();
            }
            start = 0;
        }
    }

    fn take_turn(&mut self, start: usize, clock: fn() -> DateTime<Utc>) {
        let (application, metrics) = (&self.application, &self.metrics);
        let audit = |tenant: &RegisteredTenant| {
            audit_history(application, metrics, tenant, clock);
            audit_releases(application, metrics, tenant, clock);
        };
        match self.turn.next(application, start, audit) {
            Ok(Some((tenant, period))) => self.verify(&tenant, &period, clock),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "cannot read which period to verify next");
                self.metrics.failed();
            }
        }
    }

    fn verify(
        &self,
        tenant: &RegisteredTenant,
        reported: &ReportedPeriod,
        clock: fn() -> DateTime<Utc>,
    ) {
        let (slug, form, period) = (&tenant.slug, &reported.form, &reported.period);
        let scope = Scope::of_operator(tenant.id);
        match verify_period(&self.application, &scope, reported) {
            Ok(differing) => {
                for unit in &differing {
                    tracing::error!(
                        tenant = %slug, %form, %period, unit = %unit.id, code = %unit.code,
                        "a total is not what its submissions make"
                    );
                }
                self.metrics.verified(differing.len(), clock());
                tracing::debug!(tenant = %slug, %form, %period, "verified");
            }
            Err(error) => {
                tracing::error!(tenant = %slug, %form, %period, %error, "a period cannot be verified");
                self.metrics.failed();
            }
        }
    }
}

fn audit_history(
    application: &Application,
    metrics: &VerificationMetrics,
    tenant: &RegisteredTenant,
    clock: fn() -> DateTime<Utc>,
) {
    let slug = &tenant.slug;
    match verify_changes(application, &Scope::of_operator(tenant.id)) {
        Ok(Audit::Sound { .. }) => {
            metrics.audited(clock());
            tracing::debug!(tenant = %slug, "history verified");
        }
        Ok(Audit::Broken(fault)) => {
            let rev = fault.rev();
            tracing::error!(
                tenant = %slug, rev, %fault,
                "the history of changes is not as it was written"
            );
            metrics.audited(clock());
            metrics.found_broken_history();
        }
        Err(error) => {
            tracing::error!(tenant = %slug, %error, "a history of changes cannot be verified");
            metrics.failed();
        }
    }
}

fn audit_releases(
    application: &Application,
    metrics: &VerificationMetrics,
    tenant: &RegisteredTenant,
    clock: fn() -> DateTime<Utc>,
) {
    let slug = &tenant.slug;
    match verify_releases(application, &Scope::of_operator(tenant.id)) {
        Ok(audit) => {
            for release in &audit.altered {
                tracing::error!(tenant = %slug, %release, "a release is not what was sent");
            }
            metrics.compared_releases(audit.releases, audit.altered.len(), clock());
            tracing::debug!(tenant = %slug, "releases verified");
        }
        Err(error) => {
            tracing::error!(tenant = %slug, %error, "the releases of a tenant cannot be verified");
            metrics.failed();
        }
    }
}

/// The periods still to verify: all of one tenant, then all of the next.
#[derive(Default)]
struct Rotation {
    tenants: VecDeque<RegisteredTenant>,
    waiting: VecDeque<(RegisteredTenant, ReportedPeriod)>,
}

impl Rotation {
    /// Returns the next period to verify, or `None` if no tenant has any. Tenants and periods start
    /// at the ones that `start` falls on. `begin` is called for each tenant that it comes to.
    fn next(
        &mut self,
        application: &Application,
        start: usize,
        begin: impl Fn(&RegisteredTenant),
    ) -> Result<Option<(RegisteredTenant, ReportedPeriod)>, TenantError> {
        let mut has_begun_anew = false;
        loop {
            if let Some(next) = self.waiting.pop_front() {
                return Ok(Some(next));
            }
            if self.tenants.is_empty() && !has_begun_anew {
                has_begun_anew = true;
                self.tenants = from(start, list_tenants(&application.database)?);
            }
            let Some(tenant) = self.tenants.pop_front() else {
                return Ok(None);
            };
            begin(&tenant);
            let periods = reported_periods(application, &Scope::of_operator(tenant.id))?;
            let periods = periods.into_iter().map(|period| (tenant.clone(), period));
            self.waiting = from(start, periods.collect());
        }
    }
}

/// Rotates `items` so that they begin at the one that `start` falls on.
fn from<T>(start: usize, items: Vec<T>) -> VecDeque<T> {
    let mut items = VecDeque::from(items);
    let middle = start.checked_rem(items.len()).unwrap_or(0);
    items.rotate_left(middle);
    items
}
