//! Tasks of the caller.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::problem::Problem;
use super::request::page::{linked_response, page_request};
use super::request::{Now, Params, SeenEtags, SignedIn};
use crate::domain::day::Day;
use crate::service::Application;
use crate::service::round::task::{self, TaskKind, TaskList, TaskQuery};

/// The tasks to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TaskParams {
    /// Only tasks that are due on this day at the latest.
    #[param(nullable = false, value_type = Option<String>, format = Date)]
    until: Option<Day>,
    /// Only tasks of this kind.
    #[param(nullable = false, inline)]
    kind: Option<TaskKind>,
    /// The `next` of the previous page; omit it for the first page.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// The most items to return.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

/// List what the caller owes: to submit, to correct, to approve, to send up, to receive.
///
/// By the caller's grants on units, in the order of the deadlines. There is one task for each unit of a
/// grant, form, period and kind; units below are counted in it. It is about periods of which entry has
/// begun and which closed at most 400 days ago. Nothing is kept: a task is gone when it is done.
#[utoipa::path(
    tag = "submissions",
    params(TaskParams, SeenEtags),
    responses((status = 200, description = "A page of tasks, and how many there are of each kind", body = TaskList)),
)]
#[get("/me/tasks")]
pub async fn list_my_tasks(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    request: HttpRequest,
    Params(params): Params<TaskParams>,
    now: Now,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let page = page_request(params.cursor, params.limit)?;
    let query = TaskQuery {
        until: params.until.map(Day::get),
        kind: params.kind,
    };
    let tasks =
        super::blocking(move || task::list_my_tasks(&application, &identity, &query, &page, now.0))
            .await?;
    let next = tasks.next.as_deref();
    Ok(linked_response(&request, &seen, &tasks, next))
}
