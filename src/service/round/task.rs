//! Tasks (việc cần làm): what the caller owes by a day. Computed from the reports as they are; no list
//! of tasks is kept.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::owed::tasks_of;
use super::view::{Due, Task, TaskKey};
pub use super::view::{FormName, TaskKind, TaskState, TaskView};
use crate::authn::Identity;
use crate::error::{Explain, Explanation};
use crate::service::application::Application;
use crate::service::application::page::{PageRequest, UnknownCursor};
use crate::store::StoreError;

/// The errors of listing tasks.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    UnknownCursor(#[from] UnknownCursor),
}

impl Explain for TaskError {
    fn explain(&self) -> Explanation {
        match self {
            TaskError::Store(held) => held.explain(),
            TaskError::UnknownCursor(held) => held.explain(),
        }
    }
}

/// The number of tasks of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct TaskCounts {
    pub submit: u64,
    pub correct: u64,
    pub approve: u64,
    pub send: u64,
    pub receive: u64,
}

impl TaskCounts {
    fn of(tasks: &[Task]) -> TaskCounts {
        let mut counts = TaskCounts::default();
        for task in tasks {
            *counts.of_kind(task.key.kind) += 1;
        }
        counts
    }

    fn of_kind(&mut self, kind: TaskKind) -> &mut u64 {
        match kind {
            TaskKind::Submit => &mut self.submit,
            TaskKind::Correct => &mut self.correct,
            TaskKind::Approve => &mut self.approve,
            TaskKind::Send => &mut self.send,
            TaskKind::Receive => &mut self.receive,
        }
    }
}

/// A page of the caller's tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TaskList {
    /// In the order of their deadlines. Those without one come last.
    pub items: Vec<TaskView>,
    /// All tasks up to `until`, of whatever kind.
    pub counts: TaskCounts,
    /// The `cursor` of the next page; null on the last.
    pub next: Option<String>,
}

/// The tasks to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskQuery {
    /// The last due day. Tasks without a deadline are then left out.
    pub until: Option<NaiveDate>,
    pub kind: Option<TaskKind>,
}

/// Lists what the caller owes by the grants that hold today.
///
/// # Errors
/// [`TaskError`].
pub fn list_my_tasks(
    application: &Application,
    identity: &Identity,
    query: &TaskQuery,
    page: &PageRequest,
    now: DateTime<Utc>,
) -> Result<TaskList, TaskError> {
    let after: Option<TaskKey> = page.after.as_deref().map(str::parse).transpose()?;
    application.reading(identity, |transaction, snapshot| {
        let mut tasks = tasks_of(transaction, snapshot, now)?;
        if let Some(until) = query.until {
            tasks.retain(|task| task.key.due <= Due::On(until));
        }
        tasks.sort_by(|a, b| a.key.cmp(&b.key));
        let counts = TaskCounts::of(&tasks);
        tasks.retain(|task| {
            let is_asked = query.kind.is_none_or(|kind| task.key.kind == kind);
            is_asked && after.as_ref().is_none_or(|after| *after < task.key)
        });
        let is_more = tasks.len() > page.limit;
        tasks.truncate(page.limit);
        let last = tasks.last().filter(|_| is_more);
        Ok(TaskList {
            next: last.map(|last| last.key.to_string()),
            items: tasks.into_iter().map(|task| task.view).collect(),
            counts,
        })
    })
}
