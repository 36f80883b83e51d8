//! Many submissions that are entered in one call.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::answer::{IDEMPOTENCY_REPLAYED, quoted, reply, with_json};
use super::blocking;
use super::problem::{Problem, ProblemBody, Recipient};
use super::request::{Called, LargeJsonBody, seen_state, wrong_body};
use super::submission::{PassageBody, SubmissionBody, ValueBody};
use crate::domain::day::Day;
use crate::error::{Code, Fault};
use crate::message;
use crate::path;
use crate::service::Application;
use crate::service::application::call::Call;
use crate::service::application::condition::{ConditionError, Precondition};
use crate::service::application::idempotency::{Delivery, Outcome, Reply};
use crate::service::application::locate::ReportPath;
use crate::service::submission::{
    self, Asked, Entered, EnteredItem, EnteredOne, EnteredView, SubmissionChange, SubmissionError,
    SubmissionQueue, TogetherError,
};
use crate::store::StoreError;
use crate::store::idempotency::BodyHash;

/// The most submissions that one call enters.
const MOST_ITEMS: usize = 1000;

/// The submissions of one call that wait in the queue together: few, so that calls with many items
/// leave places in it to others.
const TOGETHER: usize = 128;

/// Submissions to enter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchBody {
    /// If true, all items are entered or none. If false, each is entered by itself.
    pub atomic: bool,
    #[schema(min_items = 1, max_items = 1000)]
    pub items: Vec<BatchItemBody>,
}

/// A submission to enter, as `put_submission` takes it, and the state on which it builds: `if_match` to
/// replace, or `create` to create. One of the two is required.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchItemBody {
    #[schema(example = "mttq.annual")]
    pub form: String,
    #[schema(example = "2024")]
    pub period: String,
    #[schema(example = "code:30388")]
    pub unit: String,
    /// The ETag of the submission that this one replaces, in its quotes, or `*` for any state.
    #[schema(
        example = "\"3.a1\"",
        max_length = 200,
        pattern = r#"^( *(W/)?"[ !#-~]*" *|\*)$"#
    )]
    pub if_match: Option<String>,
    /// If true, there must be no submission yet.
    #[serde(default)]
    #[schema(default = false)]
    pub create: bool,
    pub values: Vec<ValueBody>,
    #[serde(default)]
    pub narrative: Vec<PassageBody>,
    /// As in `put_submission`: nothing more happened than what is in `values` (không phát sinh).
    #[serde(default)]
    #[schema(default = false)]
    pub nil: bool,
    /// If true, submit at once; otherwise keep a draft, which counts nowhere.
    #[serde(default)]
    #[schema(default = false)]
    pub submit: bool,
    /// As in `put_submission`: the day on which the unit's paper came in, if it did before today.
    #[schema(value_type = Option<String>, format = Date)]
    pub received_on: Option<Day>,
}

/// The answers to the items of a call, in their order.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchView {
    pub items: Vec<BatchItemView>,
}

/// The answer to one item: the submission, or the problem.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchItemView {
    /// The status that the answer to this item alone would have.
    #[schema(example = 201)]
    pub status: u16,
    /// The ETag of the submission, in its quotes; null if it was not entered.
    pub etag: Option<String>,
    /// The submission; null if it was not entered.
    pub submission: Option<EnteredView>,
    /// The reason for which it was not entered; null if it was. Pointers begin with `/items` and the
    /// number of the item, from 0.
    pub problem: Option<ProblemBody>,
}

/// Enter many submissions, all or none, or each by itself.
///
/// Each item means what `put_submission` means, and is answered with its status. With `atomic`, all are
/// entered in one commit, or none is and the answer is 422 with the faults of all items. Without it,
/// an item that cannot be entered leaves the others alone. No two items may be of one submission.
/// Sent again with the same Idempotency-Key, the whole has the effect of one; without `atomic` the
/// key holds for each item by itself, so what was entered is answered as before, and the rest is
/// tried again.
#[utoipa::path(
    tag = "submissions",
    params(Called<LargeJsonBody<BatchBody>>),
    request_body = BatchBody,
    responses(
        (status = 200, description = "All items were entered, in one commit", body = BatchView),
        (status = 207, description = "An answer for each item, in their order", body = BatchView),
    ),
)]
#[post("/submissions/batch")]
pub async fn batch_submissions(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    request: HttpRequest,
    Called { call, body }: Called<LargeJsonBody<BatchBody>>,
) -> Result<HttpResponse, Problem> {
    check_count(body.items.len())?;
    let (application, queue) = (application.into_inner(), queue.into_inner());
    if body.atomic {
        let items = body.items.into_iter().map(EnteredItem::from).collect();
        let entered = blocking(move || enter_together(&application, &call, items)).await?;
        return Ok(reply(entered));
    }
    let entering = Entering {
        application,
        queue,
        call,
    };
    let answers = entering.enter(body.items).await?;
    let is_replayed = answers.iter().all(is_replayed);
    let recipient = Recipient::received(&request);
    let items = answers.into_iter().enumerate();
    let items = items.map(|(place, answer)| BatchItemView::answering(place, answer, &recipient));
    let view = BatchView {
        items: items.collect(),
    };
    let mut response = HttpResponse::build(StatusCode::MULTI_STATUS);
    if is_replayed {
        response.insert_header((IDEMPOTENCY_REPLAYED, "true"));
    }
    Ok(with_json(&mut response, &view))
}

fn check_count(count: usize) -> Result<(), Problem> {
    if (1..=MOST_ITEMS).contains(&count) {
        return Ok(());
    }
    let message = message!("batch-count", most = MOST_ITEMS);
    let fault = Fault::in_body(path!["items"], Code::InvalidBody, message);
    Err(wrong_body(vec![fault]))
}

fn enter_together(
    application: &Application,
    call: &Call,
    items: Vec<EnteredItem>,
) -> Result<Reply, TogetherError> {
    submission::enter_together(application, call, items, |entered| {
        let items = entered.iter().map(BatchItemView::of);
        let view = BatchView {
            items: items.collect(),
        };
        Reply::new(Outcome::Done, None, &view)
    })
}

fn is_replayed(answer: &Result<EnteredAlone, SubmissionError>) -> bool {
    matches!(answer, Ok(entered) if entered.delivery == Delivery::Replayed)
}

/// A call that enters many submissions, each by itself.
struct Entering {
    application: Arc<Application>,
    queue: Arc<SubmissionQueue>,
    call: Call,
}

/// An item that was entered by itself, now or before.
struct EnteredAlone {
    status: StatusCode,
    etag: Option<String>,
    view: EnteredView,
    delivery: Delivery,
}

impl EnteredAlone {
    fn of(reply: &Reply) -> Result<EnteredAlone, SubmissionError> {
        Ok(EnteredAlone {
            status: status_of(&reply.outcome),
            etag: reply.etag.as_ref().map(quoted),
            view: EnteredView::of(reply)?,
            delivery: reply.delivery,
        })
    }
}

/// The answers to items by their places.
type Answers = HashMap<usize, Result<EnteredAlone, SubmissionError>>;

impl Entering {
    /// Enters the items, and answers each in their order.
    async fn enter(
        &self,
        items: Vec<BatchItemBody>,
    ) -> Result<Vec<Result<EnteredAlone, SubmissionError>>, Problem> {
        let (application, identity) = (Arc::clone(&self.application), self.call.identity);
        let count = items.len();
        let (items, refused) = blocking(move || {
            let items: Vec<(BodyHash, EnteredItem)> = items.into_iter().map(hashed).collect();
            let paths: Vec<&ReportPath> = items.iter().map(|(_, item)| &item.path).collect();
            let refused = submission::refused_at_once(&application, &identity, &paths)?;
            Ok::<_, StoreError>((items, refused))
        })
        .await?;
        let refused = refused.into_iter();
        let mut answers: Answers = refused
            .map(|(place, refused)| (place, Err(refused)))
            .collect();
        let mut open = Vec::new();
        for (place, (hash, item)) in items.into_iter().enumerate() {
            if answers.contains_key(&place) {
                continue;
            }
            match self.change(hash, item) {
                Ok(change) => open.push((place, change)),
                Err(refused) => {
                    answers.insert(place, Err(refused));
                }
            }
        }
        let mut open = open.into_iter();
        loop {
            let together: Vec<_> = open.by_ref().take(TOGETHER).collect();
            if together.is_empty() {
                break;
            }
            answers.extend(self.enter_some(together).await?);
        }
        let answers = (0..count).map(|place| {
            let answer = answers.remove(&place);
            answer.unwrap_or(Err(SubmissionError::Missing))
        });
        Ok(answers.collect())
    }

    /// Makes the change of an item. Its key is its own, whatever stands beside it.
    fn change(
        &self,
        hash: BodyHash,
        item: EnteredItem,
    ) -> Result<(Call, ReportPath, SubmissionChange), SubmissionError> {
        let EnteredItem {
            path,
            condition,
            entered,
        } = item;
        let name = format!("{}/{}/{}", path.form, path.period, path.unit);
        let call = self.call.of_item(&name, hash, condition?);
        Ok((call, path, SubmissionChange::Put(entered)))
    }

    /// Reads some changes side by side, and waits for them in the queue.
    async fn enter_some(
        &self,
        together: Vec<(usize, (Call, ReportPath, SubmissionChange))>,
    ) -> Result<Answers, Problem> {
        let application = Arc::clone(&self.application);
        let (places, changes): (Vec<usize>, Vec<_>) = together.into_iter().unzip();
        let read = blocking(move || Ok::<_, StoreError>(Asked::each(&application, changes)));
        let entered = read.await?.into_iter().map(|asked| self.enter_one(asked));
        let entered = join_all(entered).await;
        Ok(places.into_iter().zip(entered).collect())
    }

    async fn enter_one(
        &self,
        asked: Result<Asked, SubmissionError>,
    ) -> Result<EnteredAlone, SubmissionError> {
        let (application, queue) = (Arc::clone(&self.application), Arc::clone(&self.queue));
        let reply = submission::wait(application, queue, asked?).await?;
        EnteredAlone::of(&reply)
    }
}

/// Hashes an item, by which a reused key is recognised, and reads it.
fn hashed(item: BatchItemBody) -> (BodyHash, EnteredItem) {
    let bytes = serde_json::to_vec(&item).unwrap_or_default();
    (Sha256::digest(bytes).into(), EnteredItem::from(item))
}

impl From<BatchItemBody> for EnteredItem {
    fn from(item: BatchItemBody) -> EnteredItem {
        let condition = condition_of(&item);
        let body = SubmissionBody {
            values: item.values,
            narrative: item.narrative,
            nil: item.nil,
            submit: item.submit,
            received_on: item.received_on,
        };
        EnteredItem {
            path: ReportPath {
                form: item.form,
                period: item.period,
                unit: item.unit,
            },
            condition,
            entered: Entered::from(body),
        }
    }
}

/// Reads the state on which an item builds.
fn condition_of(item: &BatchItemBody) -> Result<Precondition, SubmissionError> {
    let wrong = |field: &'static str, message| {
        let fault = Fault::in_body(path![field], Code::InvalidBody, message);
        SubmissionError::Invalid(vec![fault].into())
    };
    match (item.if_match.as_deref(), item.create) {
        (None, false) => Err(ConditionError::Required.into()),
        (None, true) => Ok(Precondition::Absent),
        (Some(_), true) => Err(wrong("create", message!("batch-both-conditions"))),
        (Some("*"), false) => Ok(Precondition::Present),
        (Some(text), false) => {
            seen_state(text).ok_or_else(|| wrong("if_match", message!("batch-malformed-etag")))
        }
    }
}

fn status_of(outcome: &Outcome) -> StatusCode {
    match outcome {
        Outcome::Created(_) => StatusCode::CREATED,
        Outcome::Done | Outcome::NoContent => StatusCode::OK,
    }
}

impl BatchItemView {
    fn of(entered: &EnteredOne) -> BatchItemView {
        BatchItemView {
            status: status_of(&entered.outcome).as_u16(),
            etag: entered.etag.as_ref().map(quoted),
            submission: Some(entered.view.clone()),
            problem: None,
        }
    }

    fn answering(
        place: usize,
        answer: Result<EnteredAlone, SubmissionError>,
        recipient: &Recipient,
    ) -> BatchItemView {
        match answer {
            Ok(entered) => BatchItemView {
                status: entered.status.as_u16(),
                etag: entered.etag,
                submission: Some(entered.view),
                problem: None,
            },
            Err(refused) => {
                let problem = Problem::from(refused).of_item(&path!["items", place]);
                let problem = ProblemBody::new(&problem, recipient);
                BatchItemView {
                    status: problem.status(),
                    etag: None,
                    submission: None,
                    problem: Some(problem),
                }
            }
        }
    }
}
