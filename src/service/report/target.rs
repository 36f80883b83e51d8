//! Targets (kế hoạch giao): values that a unit is to reach, set by the units above it.

use crate::path;
use crate::sentence;
use crate::sentence::quantity::wrong_quantity;
use crate::service::application::name::PeriodName;
use crate::service::application::name::UnitName;
use serde::Serialize;

use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::catalogue::Entry;
use crate::domain::id::OptionNumber;
use crate::domain::naming::Named;
use crate::domain::quantity::{Decimal, read_quantity};
use crate::domain::submission::impossible;
use crate::domain::unit::Validity;
use crate::error::{Code, Explain, Explanation, Fault, Message};
use crate::message;
use crate::rollup::cell::CellKey;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::condition::{ConditionError, State};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Outcome, Reply};
use crate::service::application::locate::{Located, NotFound, ReportPath};
use crate::service::report::lineage::{FigureName, LineageError};
use crate::store::target::{SetBy, Target, target_put, targets_of};
use crate::store::{StoreError, Transaction};

/// The errors of use cases on targets.
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
    #[error("the value is no target")]
    Value(Box<Fault>),
    #[error("there is no target of {}", .figure.en())]
    NotSet { figure: Named },
}

impl Explain for TargetError {
    fn explain(&self) -> Explanation {
        match self {
            TargetError::NotFound(held) => held.explain(),
            TargetError::Denied(held) => held.explain(),
            TargetError::Condition(held) => held.explain(),
            TargetError::Idempotency(held) => held.explain(),
            TargetError::Store(held) => held.explain(),
            TargetError::Figure(held) => held.explain(),
            TargetError::NotSet { figure } => {
                Explanation::new(Code::TargetNotFound, message!("target-not-set", figure))
            }
            TargetError::Value(fault) => {
                let Fault { code, message, .. } = fault.as_ref();
                let faults = vec![fault.as_ref().clone()];
                Explanation::new(*code, message.clone()).with_faults(faults)
            }
        }
    }
}

/// A target to set.
#[derive(Debug, Clone)]
pub struct EnteredTarget {
    pub path: ReportPath,
    pub figure: FigureName,
    /// A decimal text; `None` removes the target.
    pub value: Option<String>,
}

/// A unit's target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TargetView {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    #[schema(example = "fund.raised")]
    pub indicator: String,
    pub option: Option<String>,
    /// Null if the target was removed.
    #[schema(value_type = Option<f64>, example = 1600000000)]
    pub value: Option<Decimal>,
    pub rev: i64,
}

/// A figure of a unit in a period, and its current target.
struct FoundTarget<'f> {
    located: &'f Located<'f>,
    entry: &'f Entry<'f>,
    option: OptionNumber,
    target: Option<Target>,
}

impl<'f> FoundTarget<'f> {
    fn of(
        transaction: &mut Transaction<'_>,
        located: &'f Located<'f>,
        figure: &FigureName,
    ) -> Result<FoundTarget<'f>, TargetError> {
        let (entry, option) = figure.find(located)?;
        let key = located.key();
        let targets = targets_of(transaction, key.form, key.period, &[key.unit])?;
        let found = FoundTarget {
            located,
            entry,
            option,
            target: None,
        };
        let mut targets = targets.into_iter();
        let target = targets.find(|target| target.cell == found.cell());
        Ok(FoundTarget { target, ..found })
    }

    fn cell(&self) -> CellKey {
        CellKey {
            indicator: self.entry.indicator.number,
            option: self.option,
        }
    }

    /// Reads a target, and refuses one that the figure cannot reach.
    fn read(&self, value: &str) -> Result<i64, TargetError> {
        let refused = |code: Code, message: Message| {
            TargetError::Value(Box::new(Fault::in_body(path!["value"], code, message)))
        };
        let definition = self.entry.definition;
        let mantissa = read_quantity(value, definition.decimals).map_err(|wrong| {
            let (code, message) = wrong_quantity(&self.entry.named(), &wrong);
            refused(code, message)
        })?;
        let possible = definition.possible_figure(self.option);
        match impossible(self.entry, possible, mantissa) {
            Some(found) => Err(refused(
                Code::ValueOutOfRange,
                sentence::submission::impossible(&found),
            )),
            None => Ok(mantissa),
        }
    }

    fn view(&self, target: &Target) -> TargetView {
        let decimals = self.entry.definition.decimals.get();
        let indicator = self.entry.indicator;
        TargetView {
            form: self.located.form().code.to_string(),
            period: PeriodName::of(&self.located.in_force.period),
            unit: UnitName::of(self.located.place()),
            indicator: indicator.code.to_string(),
            option: indicator.option_code(self.option).map(ToString::to_string),
            value: target
                .mantissa
                .map(|mantissa| Decimal::new(mantissa, decimals)),
            rev: target.rev,
        }
    }
}

fn state_of(target: &Target) -> State {
    State::numbered(target.rev)
}

fn path_of(view: &TargetView) -> String {
    let option = view.option.as_ref();
    let query = option.map(|option| format!("?option={option}"));
    format!(
        "/v1/forms/{}/periods/{}/units/{}/targets/{}{}",
        view.form,
        view.period.key,
        view.unit.id,
        view.indicator,
        query.unwrap_or_default()
    )
}

/// Reads a unit's target of a period, base or long.
///
/// # Errors
/// [`TargetError`].
pub fn get_target(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
    figure: &FigureName,
) -> Result<(State, TargetView), TargetError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate(path)?;
        let _permit =
            snapshot
                .access
                .to_unit(Action::ReadRollups, &located.tree, located.place())?;
        let found = FoundTarget::of(transaction, &located, figure)?;
        let target = found.target.as_ref();
        let target = target.ok_or_else(|| TargetError::NotSet {
            figure: found.entry.figure_named(found.option),
        })?;
        Ok((state_of(target), found.view(target)))
    })
}

/// Sets, changes or removes a unit's target of a period, base or long.
///
/// # Errors
/// [`TargetError`].
pub fn put_target(
    application: &Application,
    call: &Call,
    entered: &EnteredTarget,
) -> Result<Reply, TargetError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let located = snapshot.locate(&entered.path)?;
        // A target holds throughout the period, on all maps within it.
        let range = located.in_force.period.range;
        let days = Validity {
            from: range.from,
            to: Some(range.to),
        };
        let (access, unit) = (&snapshot.access, located.place().unit());
        let permit =
            access.to_unit_throughout(Action::SetTargets, &snapshot.hierarchy, unit, days)?;
        change.once(permit, |transaction, permit| {
            let found = FoundTarget::of(transaction, &located, &entered.figure)?;
            call.precondition
                .check_unless_new(found.target.as_ref().map(state_of).as_ref())?;
            let value = entered.value.as_deref();
            let mantissa = value.map(|value| found.read(value)).transpose()?;
            let key = located.key();
            let target = Target {
                unit: key.unit,
                cell: found.cell(),
                mantissa,
                rev: snapshot.counters.rev,
            };
            let by = SetBy {
                account: permit.account(),
                at: call.now.naive_utc(),
            };
            target_put(transaction, key.form, key.period, &target, by)?;
            let view = found.view(&target);
            let outcome = match found.target {
                Some(_) => Outcome::Done,
                None => Outcome::Created(path_of(&view)),
            };
            let reply = Reply::of_state(outcome, &state_of(&target), &view)?;
            let item = ChangeItem {
                indicator: Some(entered.figure.indicator.to_string()),
                ..ChangeItem::of_report(ChangeKind::TargetSet, &located.in_force.period, key.unit)
            };
            Ok(Written::new(reply, [item]))
        })
    })
}
