//! The approval of many submissions in one call.

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, post, web};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::answer::{IDEMPOTENCY_REPLAYED, quoted, with_json};
use super::problem::{Problem, ProblemBody, Recipient, retry_after};
use super::request::{Called, JsonBody, seen_state, wrong_body};
use crate::domain::submission::Status;
use crate::error::{Code, Fault};
use crate::message;
use crate::path;
use crate::service::Application;
use crate::service::application::call::Call;
use crate::service::application::condition::{ConditionError, Precondition};
use crate::service::application::idempotency::{Delivery, Reply};
use crate::service::application::locate::ReportPath;
use crate::service::application::name::{PeriodName, UnitName};
use crate::service::submission::{self, SubmissionChange, SubmissionQueue};

/// The most submissions that one call approves.
const MOST_APPROVALS: usize = 1000;

/// The submissions of one call that wait in the queue together: few, so that calls with many items
/// leave places in it to others.
const TOGETHER: usize = 64;

/// Submissions to approve.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalsBody {
    #[schema(min_items = 1, max_items = 1000)]
    pub items: Vec<ApprovalBody>,
}

/// A submission to approve, and its state as it was looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalBody {
    #[schema(example = "mttq.annual")]
    pub form: String,
    #[schema(example = "2024")]
    pub period: String,
    #[schema(example = "code:30388")]
    pub unit: String,
    /// The ETag with which the submission was read, in its quotes. Without it the item is answered
    /// by 428; `*` is not taken.
    #[schema(example = "\"3.a1\"")]
    pub if_match: Option<String>,
}

/// The answers to the items of a call, in their order.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalsView {
    pub items: Vec<ApprovalView>,
}

/// The answer to one item: the submission, or the problem.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalView {
    /// The status that the answer to this item alone would have.
    #[schema(example = 200)]
    pub status: u16,
    /// The ETag of the approved submission, in its quotes; null if it was not approved.
    pub etag: Option<String>,
    /// The approved submission; null if it was not approved.
    pub submission: Option<ApprovedView>,
    /// The reason for which it was not approved; null if it was. Pointers begin with `/items` and the
    /// number of the item, from 0.
    pub problem: Option<ProblemBody>,
}

/// An approved submission, without the values that the caller has seen.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ApprovedView {
    pub form: String,
    #[schema(value_type = PeriodName)]
    pub period: Value,
    #[schema(value_type = UnitName)]
    pub unit: Value,
    pub status: Status,
    /// Counts the steps of this submission.
    pub revision: i32,
    /// The tenant's rev of the approval.
    pub rev: i64,
    /// The number of the approval's receipt (biên nhận), for `get_receipt`.
    pub receipt: Option<String>,
}

/// Approve many submissions, each by itself.
///
/// Each item is answered with the status of `approve_submission`: one that cannot be approved leaves
/// the others alone. Each names the ETag with which its submission was looked at, so nothing is
/// approved unseen. An Idempotency-Key holds for each item by itself, whatever stands beside it: sent
/// again, what was approved is answered as before, and the rest is tried again, with the same ETags or
/// newer ones. If an item is answered by 503, `Retry-After` says when to send the rest again.
#[utoipa::path(
    tag = "submissions",
    params(Called<JsonBody<ApprovalsBody>>),
    request_body = ApprovalsBody,
    responses((status = 207, description = "An answer for each item, in their order", body = ApprovalsView)),
)]
#[post("/submissions/approve")]
pub async fn approve_submissions(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    request: HttpRequest,
    Called { call, body }: Called<JsonBody<ApprovalsBody>>,
) -> Result<HttpResponse, Problem> {
    check_count(body.items.len())?;
    let approving = Approving {
        application: application.into_inner(),
        queue: queue.into_inner(),
        call,
    };
    let mut answers = Vec::with_capacity(body.items.len());
    let mut items = body.items.into_iter().enumerate();
    loop {
        let together = items.by_ref().take(TOGETHER);
        let together = together.map(|(index, item)| approving.approve(index, item));
        let answered = join_all(together).await;
        if answered.is_empty() {
            break;
        }
        answers.extend(answered);
    }
    let is_replayed = answers.iter().all(is_replayed);
    let recipient = Recipient::received(&request);
    let items = answers.into_iter();
    let items = items.map(|answer| ApprovalView::new(answer, &recipient));
    let view = ApprovalsView {
        items: items.collect(),
    };
    let mut response = HttpResponse::build(StatusCode::MULTI_STATUS);
    let is_to_be_repeated = |item: &ApprovalView| item.status == StatusCode::SERVICE_UNAVAILABLE;
    if view.items.iter().any(is_to_be_repeated) {
        response.insert_header((header::RETRY_AFTER, retry_after()));
    }
    if is_replayed {
        response.insert_header((IDEMPOTENCY_REPLAYED, "true"));
    }
    Ok(with_json(&mut response, &view))
}

fn is_replayed(answer: &Result<Approved, Problem>) -> bool {
    matches!(answer, Ok(approved) if approved.delivery == Delivery::Replayed)
}

fn check_count(count: usize) -> Result<(), Problem> {
    if (1..=MOST_APPROVALS).contains(&count) {
        return Ok(());
    }
    let message = message!("approval-count", most = MOST_APPROVALS);
    let fault = Fault::in_body(path!["items"], Code::InvalidBody, message);
    Err(wrong_body(vec![fault]))
}

/// A call that approves many submissions.
struct Approving {
    application: Arc<Application>,
    queue: Arc<SubmissionQueue>,
    call: Call,
}

impl Approving {
    async fn approve(&self, index: usize, item: ApprovalBody) -> Result<Approved, Problem> {
        let approved = self.approve_one(item).await;
        approved.map_err(|problem| problem.of_item(&path!["items", index]))
    }

    async fn approve_one(&self, item: ApprovalBody) -> Result<Approved, Problem> {
        let precondition = seen(item.if_match.as_deref())?;
        let body_hash = Sha256::digest(item.if_match.unwrap_or_default()).into();
        let path = ReportPath {
            form: item.form,
            period: item.period,
            unit: item.unit,
        };
        let (application, queue) = (Arc::clone(&self.application), Arc::clone(&self.queue));
        let name = format!("{}/{}/{}", path.form, path.period, path.unit);
        let call = self.call.of_item(&name, body_hash, precondition);
        let change = SubmissionChange::Approve;
        let reply = submission::change(application, queue, call, path, change).await?;
        Approved::of(&reply)
    }
}

/// An item that was approved, now or before.
struct Approved {
    etag: Option<String>,
    view: ApprovedView,
    delivery: Delivery,
}

impl Approved {
    /// Takes from an answer what is told of an item, so that a thousand whole ones are never held.
    fn of(reply: &Reply) -> Result<Approved, Problem> {
        let view = serde_json::from_str(&reply.body).map_err(|error| {
            tracing::error!(%error, "an answer cannot be read again");
            Problem::internal()
        })?;
        Ok(Approved {
            etag: reply.etag.as_ref().map(quoted),
            view,
            delivery: reply.delivery,
        })
    }
}

/// Reads the state that was looked at.
fn seen(if_match: Option<&str>) -> Result<Precondition, Problem> {
    let Some(text) = if_match else {
        return Err(ConditionError::NotSeen.into());
    };
    seen_state(text).ok_or_else(|| {
        let fault = Fault::in_body(
            path!["if_match"],
            Code::InvalidBody,
            message!("approval-not-seen"),
        );
        wrong_body(vec![fault])
    })
}

impl ApprovalView {
    fn new(answer: Result<Approved, Problem>, recipient: &Recipient) -> ApprovalView {
        match answer {
            Ok(approved) => ApprovalView {
                status: StatusCode::OK.as_u16(),
                etag: approved.etag,
                submission: Some(approved.view),
                problem: None,
            },
            Err(problem) => {
                let problem = ProblemBody::new(&problem, recipient);
                ApprovalView {
                    status: problem.status(),
                    etag: None,
                    submission: None,
                    problem: Some(problem),
                }
            }
        }
    }
}
