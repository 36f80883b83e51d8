//! Targets (kế hoạch giao): what a unit was given to reach, by one who is above it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::application::Application;
use super::condition::{ConditionError, Etag, Precondition};
use super::idempotency::{IdempotencyError, Once, Outcome, Repeatable, Reply};
use super::lineage::{FigureName, LineageError};
use super::locate::{NotFound, ReportPath};
use super::rollup::PeriodName;
use super::unit::UnitName;
use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::quantity::{Decimal, QuantityFault, parse_mantissa};
use crate::error::{Code, Fault, Message};
use crate::rollup::tally::CellKey;
use crate::store::StoreError;
use crate::store::target::{SetBy, Target, target_put, targets_of};
use crate::{explain, message};

/// Why a target cannot be set.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Condition(#[from] ConditionError),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Figure(#[from] LineageError),
    #[error("the value is no target: {0:?}")]
    Value(QuantityFault),
}

impl TargetError {
    fn own(&self) -> (Code, Message, Vec<Fault>) {
        let code = match self {
            TargetError::Value(QuantityFault::TooManyDecimals) => Code::TooManyDecimals,
            TargetError::Value(QuantityFault::OutOfRange) => Code::ValueOutOfRange,
            _ => Code::InvalidNumber,
        };
        let text = message!(
            "Chỉ tiêu giao phải là số, không nhiều chữ số thập phân hơn chỉ tiêu.",
            "A target is a number with no more decimals than its indicator."
        );
        (
            code,
            text.clone(),
            vec![Fault::in_body("/value", code, text)],
        )
    }
}

explain!(TargetError, held: NotFound, Denied, Condition, Idempotency, Store, Figure; own);

/// A target as somebody wants it to be.
#[derive(Debug, Clone)]
pub struct EnteredTarget {
    pub path: ReportPath,
    pub figure: FigureName,
    /// A decimal text; none takes the target back.
    pub value: Option<String>,
}

/// What a unit was given to reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TargetView {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    #[schema(example = "fund.raised")]
    pub indicator: String,
    pub option: Option<String>,
    /// Null where the target was taken back.
    #[schema(value_type = Option<f64>, example = 1600000000)]
    pub value: Option<Decimal>,
    pub rev: i64,
}

/// Sets, changes or takes back what a unit is to reach in a period, base or long.
///
/// # Errors
/// [`TargetError`].
pub fn put_target(
    application: &Application,
    identity: &Identity,
    entered: &EnteredTarget,
    precondition: &Precondition,
    repeatable: Option<Repeatable>,
    now: DateTime<Utc>,
) -> Result<Reply, TargetError> {
    let (tenant, account) = (identity.tenant(), identity.account());
    let once = Once::begin(&application.in_flight, tenant, account, repeatable, now)?;
    application.writing(identity, |transaction, snapshot| {
        let located = snapshot.locate(&entered.path)?;
        let place = located.place();
        let permit = snapshot
            .access
            .to_unit(Action::SetTargets, &located.tree, place)?;
        if let Some(reply) = once.replay(transaction)? {
            return Ok(reply);
        }
        let (entry, option) = entered.figure.find(&located)?;
        let cell = CellKey {
            indicator: entry.indicator.number,
            option,
        };
        let key = located.key();
        let known = targets_of(transaction, key.form, key.period, &[key.unit])?;
        let known = known.into_iter().find(|target| target.cell == cell);
        let etag = known.as_ref().map(|target| Etag::new(target.rev));
        precondition.check_unless_new(etag.as_ref())?;
        let decimals = entry.definition.decimals;
        let mantissa = entered
            .value
            .as_deref()
            .map(|value| parse_mantissa(value, decimals))
            .transpose()
            .map_err(TargetError::Value)?;
        let rev = snapshot.counters.rev;
        let target = Target {
            unit: key.unit,
            cell,
            mantissa,
            rev,
        };
        let by = SetBy {
            account: permit.account(),
            at: now.naive_utc(),
        };
        target_put(transaction, key.form, key.period, &target, by)?;
        let view = TargetView {
            form: located.form().code.to_string(),
            period: PeriodName::of(&located.in_force.period),
            unit: UnitName::of(place),
            indicator: entry.indicator.code.to_string(),
            option: entry.indicator.option_code(option).map(ToString::to_string),
            value: mantissa.map(|mantissa| Decimal::new(mantissa, decimals.get())),
            rev,
        };
        let outcome = match known {
            Some(_) => Outcome::Done,
            None => Outcome::Created(format!(
                "/v1/forms/{}/periods/{}/units/{}/targets/{}",
                view.form, view.period.key, view.unit.id, view.indicator
            )),
        };
        let reply = Reply::new(outcome, Some(Etag::new(rev)), &view)?;
        Ok(once.keep(transaction, reply)?)
    })
}
