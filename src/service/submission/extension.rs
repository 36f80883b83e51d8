//! Extensions (gia hạn): more time that whoever is above a unit gives it for one period.

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use serde::Serialize;

use super::error::told_deadline;
use crate::authn::Identity;
use crate::authz::{Action, Denied};
use crate::domain::deadline::Deadline;
use crate::domain::extension::{Extension, ExtensionChange, ExtensionStep};
use crate::domain::id::AccountId;
use crate::domain::text::read_reason;
use crate::error::{Code, Explain, Explanation, Fault};
use crate::locale::Count;
use crate::message;
use crate::path;
use crate::sentence::Sentence;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::condition::{ConditionError, State};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{IdempotencyError, Outcome, Reply};
use crate::service::application::locate::{Located, NotFound, ReportPath};
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::application::snapshot::Snapshot;
use crate::service::people::account_name::{AccountName, NameReader};
use crate::store::extension::{
    extension_delete, extension_get, extension_put, extension_step_append, extension_steps,
};
use crate::store::{StoreError, Transaction};

/// The errors of use cases on extensions.
#[derive(Debug, thiserror::Error)]
pub enum ExtensionError {
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
    #[error("there is no extension")]
    NotGiven,
    #[error("faults: {}", .0.len())]
    Invalid(Vec<Fault>),
}

impl Explain for ExtensionError {
    fn explain(&self) -> Explanation {
        match self {
            ExtensionError::NotFound(held) => held.explain(),
            ExtensionError::Denied(held) => held.explain(),
            ExtensionError::Condition(held) => held.explain(),
            ExtensionError::Idempotency(held) => held.explain(),
            ExtensionError::Store(held) => held.explain(),
            ExtensionError::NotGiven => {
                Explanation::new(Code::ExtensionNotFound, message!("extension-not-given"))
            }
            ExtensionError::Invalid(faults) => {
                let message = message!("extension-invalid", count = Count(faults.len()));
                Explanation::new(Code::InvalidExtension, message).with_faults(faults.clone())
            }
        }
    }
}

/// More time that a unit was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ExtensionView {
    pub form: String,
    pub period: PeriodName,
    pub unit: UnitName,
    /// The last day in time. It counts whole, working day or not.
    pub until: NaiveDate,
    pub reason: String,
    /// The last day in time of the other units of the level; null if the form has no deadline for them
    /// any more.
    pub ordinary_deadline: Option<NaiveDate>,
    /// The account that gave it.
    pub by: AccountName,
    pub at: DateTime<Utc>,
    pub rev: i64,
    /// Each time that the unit was given more time or that was taken back, the latest first; at most
    /// 100.
    pub history: Vec<ExtensionStepView>,
}

/// A step of the history of an extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ExtensionStepView {
    pub change: ExtensionChange,
    /// The last day in time since then; null if it is the ordinary one.
    pub until: Option<NaiveDate>,
    /// Null if it was withdrawn.
    pub reason: Option<String>,
    /// The account that did it.
    pub by: AccountName,
    pub at: DateTime<Utc>,
    pub rev: i64,
}

/// The most steps that an answer has.
const MOST_STEPS: i64 = 100;

/// Returns a unit's deadline: that of its level, or a later one that it was given.
pub(super) fn deadline_of(
    snapshot: &Snapshot,
    located: &Located<'_>,
    extension: Option<&Extension>,
) -> Option<Deadline> {
    let ordinary = ordinary_deadline(snapshot, located)?;
    let time_zone = snapshot.counters.time_zone;
    Some(extension.map_or(ordinary, |given| given.applied_to(ordinary, time_zone)))
}

fn ordinary_deadline(snapshot: &Snapshot, located: &Located<'_>) -> Option<Deadline> {
    let period = &located.in_force.period;
    let holidays = snapshot.catalogue.holidays();
    let respondents = snapshot.respondents(period);
    respondents.deadline(period, located.place(), holidays)
}

fn state_of(extension: &Extension) -> State {
    State::numbered(extension.rev)
}

fn view_of(
    application: &Application,
    transaction: &mut Transaction<'_>,
    identity: &Identity,
    snapshot: &Snapshot,
    located: &Located<'_>,
    extension: &Extension,
) -> Result<ExtensionView, StoreError> {
    let steps = extension_steps(transaction, located.key(), MOST_STEPS)?;
    let authors = steps.iter().map(|step| step.account);
    let authors: Vec<AccountId> = authors.chain([extension.account]).collect();
    let names = NameReader::of(application, transaction, identity, snapshot)?;
    let names = names.read(transaction, &authors)?;
    let history = steps.into_iter().map(|step| {
        Ok(ExtensionStepView {
            change: step.change,
            until: step.until,
            reason: step.reason,
            by: names.name(step.account)?,
            at: step.at.and_utc(),
            rev: step.rev,
        })
    });
    let history = history.collect::<Result<Vec<_>, StoreError>>()?;
    let ordinary = ordinary_deadline(snapshot, located);
    Ok(ExtensionView {
        form: located.form().code.to_string(),
        period: PeriodName::of(&located.in_force.period),
        unit: UnitName::of(located.place()),
        until: extension.until,
        reason: extension.reason.clone(),
        ordinary_deadline: ordinary.map(|deadline| deadline.day(snapshot.counters.time_zone)),
        by: names.name(extension.account)?,
        at: extension.given_at.and_utc(),
        rev: extension.rev,
        history,
    })
}

/// Reads the extension of a unit.
///
/// # Errors
/// [`ExtensionError`].
pub fn get_extension(
    application: &Application,
    identity: &Identity,
    path: &ReportPath,
) -> Result<(State, ExtensionView), ExtensionError> {
    application.reading(identity, |transaction, snapshot| {
        let located = snapshot.locate_base_to_read(path)?;
        let (tree, place) = (&located.tree, located.place());
        let _permit = snapshot
            .access
            .to_unit(Action::ReadSubmissions, tree, place)?;
        let extension = extension_get(transaction, located.key())?;
        let extension = extension.ok_or(ExtensionError::NotGiven)?;
        let view = view_of(
            application,
            transaction,
            identity,
            snapshot,
            &located,
            &extension,
        )?;
        Ok((state_of(&extension), view))
    })
}

/// More time to give to a unit.
#[derive(Debug, Clone)]
pub struct EnteredExtension {
    pub path: ReportPath,
    pub until: NaiveDate,
    pub reason: String,
}

/// Gives a unit more time for a base period, or changes what it was given.
///
/// # Errors
/// [`ExtensionError`].
pub fn put_extension(
    application: &Application,
    call: &Call,
    entered: &EnteredExtension,
) -> Result<Reply, ExtensionError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let located = snapshot.locate_base(&entered.path)?;
        let (tree, place) = (&located.tree, located.place());
        let permit = snapshot
            .access
            .to_unit(Action::GiveExtensions, tree, place)?;
        change.once(permit, |transaction, permit| {
            let key = located.key();
            let known = extension_get(transaction, key)?;
            let state = known.as_ref().map(state_of);
            call.precondition.check_unless_new(state.as_ref())?;
            let reason = read(snapshot, &located, entered).map_err(ExtensionError::Invalid)?;
            let extension = Extension {
                until: entered.until,
                reason,
                account: permit.account(),
                // As exactly as both databases store it.
                given_at: call.now.naive_utc().trunc_subsecs(6),
                rev: snapshot.counters.rev,
            };
            extension_put(transaction, key, &extension)?;
            let given = ExtensionStep {
                change: ExtensionChange::Given,
                until: Some(extension.until),
                reason: Some(extension.reason.clone()),
                account: extension.account,
                at: extension.given_at,
                rev: extension.rev,
            };
            extension_step_append(transaction, key, &given)?;
            let identity = &call.identity;
            let view = view_of(
                application,
                transaction,
                identity,
                snapshot,
                &located,
                &extension,
            )?;
            let outcome = match known {
                Some(_) => Outcome::Done,
                None => Outcome::Created(path_of(&view)),
            };
            let reply = Reply::of_state(outcome, &state_of(&extension), &view)?;
            let period = &located.in_force.period;
            let item = ChangeItem::of_report(ChangeKind::ExtensionGiven, period, key.unit);
            Ok(Written::new(reply, [item]))
        })
    })
}

/// Withdraws a unit's extension. What came in by it is late again.
///
/// # Errors
/// [`ExtensionError`].
pub fn delete_extension(
    application: &Application,
    call: &Call,
    path: &ReportPath,
) -> Result<Reply, ExtensionError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let located = snapshot.locate_base(path)?;
        let (tree, place) = (&located.tree, located.place());
        let permit = snapshot
            .access
            .to_unit(Action::GiveExtensions, tree, place)?;
        change.once(permit, |transaction, permit| {
            let key = located.key();
            let known = extension_get(transaction, key)?;
            let known = known.ok_or(ExtensionError::NotGiven)?;
            call.precondition.check_if_given(Some(&state_of(&known)))?;
            extension_delete(transaction, key)?;
            let withdrawn = ExtensionStep {
                change: ExtensionChange::Withdrawn,
                until: None,
                reason: None,
                account: permit.account(),
                at: call.now.naive_utc().trunc_subsecs(6),
                rev: snapshot.counters.rev,
            };
            extension_step_append(transaction, key, &withdrawn)?;
            let period = &located.in_force.period;
            let item = ChangeItem::of_report(ChangeKind::ExtensionWithdrawn, period, key.unit);
            Ok(Written::new(Reply::without_body(), [item]))
        })
    })
}

fn path_of(view: &ExtensionView) -> String {
    format!(
        "/v1/forms/{}/periods/{}/units/{}/extension",
        view.form, view.period.key, view.unit.id
    )
}

/// Reads an extension: the reason, if the day is later than the ordinary deadline.
fn read(
    snapshot: &Snapshot,
    located: &Located<'_>,
    entered: &EnteredExtension,
) -> Result<String, Vec<Fault>> {
    let mut faults = Vec::new();
    let time_zone = snapshot.counters.time_zone;
    let message = match ordinary_deadline(snapshot, located) {
        None => Some(message!("extension-without-deadline")),
        Some(deadline) if deadline.is_before(entered.until, time_zone) => None,
        Some(deadline) => {
            let deadline = told_deadline(deadline.as_seen_in(time_zone));
            Some(message!("extension-not-later", deadline))
        }
    };
    if let Some(message) = message {
        faults.push(Fault::in_body(path!["until"], Code::InvalidValue, message));
    }
    let reason = read_reason(&entered.reason).map_err(|fault| fault.at(path!["reason"]));
    match reason {
        Ok(reason) if faults.is_empty() => Ok(reason),
        Ok(_) => Err(faults),
        Err(fault) => {
            faults.push(fault);
            Err(faults)
        }
    }
}
