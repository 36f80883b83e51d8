//! The queue of changes of submissions: those that come at once share a commit. Never how one is
//! decided.

use std::sync::Arc;

use super::batch::change_each;
use super::change::{Asked, Change, ChangeRequest};
use super::error::SubmissionError;
use crate::authn::Identity;
use crate::service::application::Application;
use crate::service::application::idempotency::Reply;
use crate::service::application::queue::{Queue, QueueError, Task};

/// The changes of all tenants that wait for a commit.
pub type SubmissionQueue = Queue<Asked>;

/// How much memory a value takes, about, in bytes.
const BYTES_A_VALUE: usize = 128;

impl Task for Asked {
    type Answer = Result<Reply, SubmissionError>;

    fn bytes(&self) -> usize {
        match &self.change {
            Change::Put(entered) => {
                let texts = entered.narrative.iter().map(|passage| passage.text.len());
                texts.sum::<usize>() + entered.values.len() * BYTES_A_VALUE
            }
            Change::Return(reason) => {
                let texts = reason.values.iter().map(|value| value.reason.len());
                texts.sum::<usize>() + reason.text.len()
            }
            Change::Submit | Change::Withdraw | Change::Approve | Change::Reopen => 0,
        }
    }
}

/// Changes a submission: waits until its turn comes among the changes of the tenant, which are
/// taken together as far as they have queued.
///
/// # Errors
/// [`SubmissionError`].
pub async fn change(
    application: Arc<Application>,
    queue: Arc<SubmissionQueue>,
    identity: Identity,
    request: ChangeRequest,
    change: Change,
) -> Result<Reply, SubmissionError> {
    let tenant = identity.tenant();
    let asked = Asked::new(&application, identity, request, change)?;
    let answer = queue.wait(tenant, asked, move |batch, answer| {
        change_each(&application, tenant, batch, answer);
    });
    match answer.await {
        Ok(answer) => answer,
        Err(QueueError::Full) => Err(SubmissionError::Busy),
        Err(QueueError::Store(error)) => Err(error.into()),
    }
}
