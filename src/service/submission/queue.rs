//! The queue of changes of submissions. Changes that arrive together share a commit. `step` decides
//! each change.

use std::sync::Arc;

use super::batch::change_each;
use super::change::{Asked, SubmissionChange};
use super::error::SubmissionError;
use crate::service::application::Application;
use crate::service::application::call::Call;
use crate::service::application::idempotency::Reply;
use crate::service::application::locate::ReportPath;
use crate::service::application::queue::{Queue, QueueError, Task};

/// The waiting changes of all tenants.
pub type SubmissionQueue = Queue<Asked>;

/// The approximate memory of a value, in bytes.
const BYTES_A_VALUE: usize = 128;

impl Task for Asked {
    type Answer = Result<Reply, SubmissionError>;

    fn bytes(&self) -> usize {
        match &self.change {
            SubmissionChange::Put(entered) => {
                let texts = entered.narrative.iter().map(|passage| passage.text.len());
                texts.sum::<usize>() + entered.values.len() * BYTES_A_VALUE
            }
            SubmissionChange::Return(reason) | SubmissionChange::Reopen(Some(reason)) => {
                let texts = reason.values.iter().map(|value| value.reason.len());
                texts.sum::<usize>() + reason.text.len()
            }
            SubmissionChange::Submit(_)
            | SubmissionChange::Withdraw
            | SubmissionChange::Discard
            | SubmissionChange::Approve
            | SubmissionChange::Reopen(None) => 0,
        }
    }
}

/// Changes a submission. Waits in the tenant's queue; changes that queue together are committed
/// together.
///
/// # Errors
/// [`SubmissionError`].
pub async fn change(
    application: Arc<Application>,
    queue: Arc<SubmissionQueue>,
    call: Call,
    path: ReportPath,
    change: SubmissionChange,
) -> Result<Reply, SubmissionError> {
    let asked = Asked::new(&application, call, path, change)?;
    wait(application, queue, asked).await
}

/// Waits in the tenant's queue with a change whose values are read.
///
/// # Errors
/// [`SubmissionError`].
pub async fn wait(
    application: Arc<Application>,
    queue: Arc<SubmissionQueue>,
    asked: Asked,
) -> Result<Reply, SubmissionError> {
    let tenant = asked.call.identity.tenant();
    let answer = queue.wait(tenant, asked, move |batch, answer| {
        change_each(&application, tenant, batch, answer);
    });
    match answer.await {
        Ok(answer) => answer,
        Err(QueueError::Full) => Err(SubmissionError::Busy),
        Err(QueueError::Store(error)) => Err(error.into()),
    }
}
