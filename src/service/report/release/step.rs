//! The steps that are taken with a release: the unit above receives or returns it, the sender recalls
//! it.

use super::error::ReleaseError;
use super::{ReleasePath, as_stored, found, locate, may, state_of, summary};
use crate::authz::Action;
use crate::domain::release::ReleaseStep;
use crate::domain::text::read_reason;
use crate::path;
use crate::sentence::Sentence;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::change::{ChangeItem, ChangeKind};
use crate::service::application::door::Written;
use crate::service::application::idempotency::{Outcome, Reply};
use crate::store::release::{Release, StepRecord, release_put, step_insert};

/// A release to return, and the reason.
#[derive(Debug, Clone)]
pub struct EnteredReturn {
    pub path: ReleasePath,
    pub reason: String,
}

/// A step as it was asked for.
#[derive(Debug, Clone, Copy)]
enum AskedStep<'a> {
    Receive,
    /// With the reason.
    Return(&'a str),
    Recall,
}

impl AskedStep<'_> {
    fn step(self) -> ReleaseStep {
        match self {
            AskedStep::Receive => ReleaseStep::Receive,
            AskedStep::Return(_) => ReleaseStep::Return,
            AskedStep::Recall => ReleaseStep::Recall,
        }
    }

    fn action(self) -> Action {
        match self {
            AskedStep::Receive | AskedStep::Return(_) => Action::ReceiveReleases,
            AskedStep::Recall => Action::SendReleases,
        }
    }

    fn kind(self) -> ChangeKind {
        match self {
            AskedStep::Receive => ChangeKind::ReleaseReceived,
            AskedStep::Return(_) => ChangeKind::ReleaseReturned,
            AskedStep::Recall => ChangeKind::ReleaseRecalled,
        }
    }

    fn reason(self) -> Result<Option<String>, ReleaseError> {
        let AskedStep::Return(text) = self else {
            return Ok(None);
        };
        let read = read_reason(text);
        let read = read.map_err(|fault| vec![fault.at(path!["reason"])].into());
        read.map(Some).map_err(ReleaseError::Invalid)
    }
}

/// Receives a release, for the unit above.
///
/// # Errors
/// [`ReleaseError`].
pub fn receive_release(
    application: &Application,
    call: &Call,
    path: &ReleasePath,
) -> Result<Reply, ReleaseError> {
    take(application, call, path, AskedStep::Receive)
}

/// Returns a release with a reason, for the unit above.
///
/// # Errors
/// [`ReleaseError`].
pub fn return_release(
    application: &Application,
    call: &Call,
    entered: &EnteredReturn,
) -> Result<Reply, ReleaseError> {
    let step = AskedStep::Return(&entered.reason);
    take(application, call, &entered.path, step)
}

/// Recalls a release, for its sender.
///
/// # Errors
/// [`ReleaseError`].
pub fn recall_release(
    application: &Application,
    call: &Call,
    path: &ReleasePath,
) -> Result<Reply, ReleaseError> {
    take(application, call, path, AskedStep::Recall)
}

fn take(
    application: &Application,
    call: &Call,
    path: &ReleasePath,
    asked: AskedStep<'_>,
) -> Result<Reply, ReleaseError> {
    application.changing(call, |change| {
        let snapshot = change.snapshot;
        let located = locate(snapshot, &path.report)?;
        let permit = may(snapshot, asked.action(), &located)?;
        change.once(permit, |transaction, permit| {
            let current = found(transaction, &located, path.number)?;
            let state = state_of(&current);
            call.precondition.check_of_decision(Some(&state))?;
            let status = current.status.after(asked.step());
            let status = status.map_err(ReleaseError::WrongStatus)?;
            let record = StepRecord {
                step: current.step.saturating_add(1),
                kind: asked.step(),
                reason: asked.reason()?,
                account: permit.account(),
                at: as_stored(call.now).naive_utc(),
                rev: snapshot.counters.rev,
            };
            let next = Release {
                status,
                step: record.step,
                rev: record.rev,
                ..current
            };
            let key = located.key();
            release_put(transaction, key, &next)?;
            step_insert(transaction, key, next.number, &record)?;
            let view = summary(transaction, &located, &next)?;
            let reply = Reply::of_state(Outcome::Done, &state_of(&next), &view)?;
            let period = &located.in_force.period;
            let item = ChangeItem {
                release: Some(next.number.get()),
                ..ChangeItem::of_report(asked.kind(), period, key.unit)
            };
            Ok(Written::new(reply, [item]))
        })
    })
}
