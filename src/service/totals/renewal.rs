//! Renews totals that an older version of the program stored by other rules, once. Totals change by
//! differences, so a wrong one would stay wrong. Does not define how a total is made.

use chrono::{DateTime, Utc};

use crate::authz::Scope;
use crate::domain::form::FormPeriod;
use crate::domain::id::FormCode;
use crate::domain::period::Period;
use crate::service::application::Application;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::people::tenant::{TenantError, list_tenants};
use crate::service::totals::{rebuild_period, reported_periods};
use crate::store::StoreError;
use crate::store::rollup::TOTALS_EDITION;
use crate::store::tenant::{totals_edition, totals_edition_put};

/// Rebuilds every tenant's totals of an older edition. Run it before anything else uses the
/// database. Each period is a write of its own, so nobody waits long, and correct rows are left
/// alone. It may be interrupted, or run twice at once.
///
/// # Errors
/// Those of the store.
#[expect(
    clippy::disallowed_methods,
    reason = "the edition of what is kept changes nothing that is in it"
)]
pub fn renew_totals(application: &Application, now: DateTime<Utc>) -> Result<(), TenantError> {
    for tenant in list_tenants(&application.database)? {
        let scope = Scope::of_operator(tenant.id);
        if is_renewed(application, &scope)? {
            continue;
        }
        let periods = periods_to_renew(application, &scope)?;
        for (form, period) in &periods {
            renew(application, &scope, form, *period, now)?;
        }
        let database = &application.database;
        database.write_unlocked(&scope, |transaction| {
            totals_edition_put(transaction, TOTALS_EDITION)
        })?;
        tracing::info!(
            tenant = %tenant.slug, periods = periods.len(), "the totals now follow this version's rules"
        );
    }
    Ok(())
}

fn is_renewed(application: &Application, scope: &Scope) -> Result<bool, StoreError> {
    let database = &application.database;
    let edition = database.read_uncounted(scope, totals_edition)?;
    // A tenant that is registered but has no row has no totals.
    Ok(edition.is_none_or(|edition| edition >= TOTALS_EDITION))
}

/// Returns all periods with totals if any of the tenant's units has successors; otherwise none.
fn periods_to_renew(
    application: &Application,
    scope: &Scope,
) -> Result<Vec<(FormCode, Period)>, StoreError> {
    application.inspecting(scope, |transaction, snapshot| {
        if snapshot.hierarchy.successions().days().next().is_none() {
            return Ok(Vec::new());
        }
        let periods = reported_periods(transaction, snapshot)?.into_iter();
        let named = periods.map(|period| (period.form.code.clone(), period.period));
        Ok(named.collect())
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the operator's, before a server listens"
)]
fn renew(
    application: &Application,
    scope: &Scope,
    form: &FormCode,
    period: Period,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    application.maintaining(scope, now, |transaction, snapshot| {
        let form = snapshot.catalogue.form(form);
        let period: Option<FormPeriod<'_>> = form.and_then(|form| form.period(period));
        let Some(period) = period else {
            return Ok(((), Vec::new()));
        };
        rebuild_period(transaction, snapshot, period)?;
        let item = ChangeItem {
            form: Some(period.form.code.to_string()),
            period: Some(period.period.to_string()),
            ..ChangeItem::new(ChangeKind::TotalsRebuilt)
        };
        Ok(((), vec![item]))
    })
}
