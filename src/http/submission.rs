//! Submissions.

use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{reply, tagged};
use super::problem::Problem;
use super::request::page::{PageParams, page_request, page_response};
use super::request::{
    CalledOn, CalledToPut, JsonBody, NoBody, OptionalJsonBody, Params, SeenEtags, SignedIn,
};
use super::text::DecimalText;
use crate::domain::day::Day;
use crate::domain::quantity::Qualifier;
use crate::domain::submission::{EnteredPassage, EnteredValue, Nil};
use crate::service::Application;
use crate::service::application::call::Call;
use crate::service::application::locate::ReportPath;
use crate::service::application::page::Page;
use crate::service::submission::{
    self, Arrival, Entered, EnteredReason, EnteredValueReason, Intent, RevisionView,
    SubmissionChange, SubmissionQueue, SubmissionView, Whereabouts,
};

/// What to add to a submission.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SubmissionParams {
    /// `whereabouts`: also tell where the submission is, and in which reports above.
    #[param(nullable = false, inline)]
    include: Option<SubmissionInclude>,
}

/// An addition to a submission.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubmissionInclude {
    Whereabouts,
}

/// Read a unit's submission with its latest values.
///
/// Its ETag is what the next step builds on.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, SubmissionParams, SeenEtags),
    responses((status = 200, description = "The submission", body = SubmissionView)),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/submission")]
pub async fn get_submission(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    Params(params): Params<SubmissionParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let whereabouts = match params.include {
        Some(SubmissionInclude::Whereabouts) => Whereabouts::Included,
        None => Whereabouts::LeftOut,
    };
    let (state, view) = super::blocking(move || {
        submission::get_submission(&application, &identity, &path, whereabouts)
    })
    .await?;
    Ok(tagged(&state, &seen, &view))
}

/// A unit's values and texts. They replace everything stored: an absent value is removed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmissionBody {
    pub values: Vec<ValueBody>,
    #[serde(default)]
    pub narrative: Vec<PassageBody>,
    /// If true, the unit says that nothing more happened than what is in `values` (không phát sinh):
    /// once submitted, each flow that it left blank is an explicit 0. Flows are indicators whose values
    /// add up over time. Everything else is still asked for.
    #[serde(default)]
    #[schema(default = false)]
    pub nil: bool,
    /// If true, submit at once; otherwise keep a draft, which counts nowhere.
    #[serde(default)]
    #[schema(default = false)]
    pub submit: bool,
    /// The day on which the unit's paper came in, if it did before today. Lateness goes by it. Only
    /// who may approve for the unit may say it, and only when submitting.
    #[schema(value_type = Option<String>, format = Date)]
    pub received_on: Option<Day>,
}

/// One value.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueBody {
    #[schema(example = "docs.issued")]
    pub indicator: String,
    /// An option of a breakdown; omit it for the total.
    #[schema(example = "plan")]
    pub option: Option<String>,
    pub value: DecimalText,
    #[serde(default)]
    #[schema(default = "exact")]
    pub qualifier: Qualifier,
}

/// Prose under a heading of the outline.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PassageBody {
    #[schema(example = "II.2.2")]
    pub section: String,
    pub text: String,
}

impl From<SubmissionBody> for Entered {
    fn from(body: SubmissionBody) -> Entered {
        let values = body.values.into_iter().map(|value| EnteredValue {
            indicator: value.indicator,
            option: value.option,
            value: value.value.0,
            qualifier: value.qualifier,
        });
        let narrative = body.narrative.into_iter().map(|passage| EnteredPassage {
            section: passage.section,
            text: passage.text,
        });
        Entered {
            values: values.collect(),
            narrative: narrative.collect(),
            nil: if body.nil {
                Nil::Declared
            } else {
                Nil::NotDeclared
            },
            intent: if body.submit {
                Intent::Submit
            } else {
                Intent::KeepDraft
            },
            arrival: arrival_of(body.received_on),
        }
    }
}

fn arrival_of(received_on: Option<Day>) -> Arrival {
    Arrival::from(received_on.map(Day::get))
}

/// Put a unit's values, as a draft or submitted at once.
///
/// Send `If-None-Match: *` to create, `If-Match` to replace. One of the two is required.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, CalledToPut<JsonBody<SubmissionBody>>),
    request_body = SubmissionBody,
    responses(
        (status = 200, description = "The submission with its new values", body = SubmissionView),
        (status = 201, description = "The new submission", body = SubmissionView),
    ),
)]
#[put("/forms/{form}/periods/{period}/units/{unit}/submission")]
pub async fn put_submission(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    path: web::Path<ReportPath>,
    CalledToPut { call, body }: CalledToPut<JsonBody<SubmissionBody>>,
) -> Result<HttpResponse, Problem> {
    let change = SubmissionChange::Put(Entered::from(body));
    take_step(application, queue, path, call, change).await
}

/// Takes any one step of a submission.
async fn take_step(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    path: web::Path<ReportPath>,
    call: Call,
    change: SubmissionChange,
) -> Result<HttpResponse, Problem> {
    let (application, queue) = (application.into_inner(), queue.into_inner());
    let done = submission::change(application, queue, call, path.into_inner(), change);
    Ok(reply(done.await?))
}

/// A draft to submit.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitBody {
    /// The day on which the unit's paper came in, if it did before today. Lateness goes by it. Only
    /// who may approve for the unit may say it.
    #[schema(value_type = Option<String>, format = Date)]
    pub received_on: Option<Day>,
}

/// Submit the latest values as they are: a draft, or what was returned, withdrawn or reopened.
///
/// The form's rules are checked: an error refuses it, a warning is in the answer. The totals of all
/// units above change at once.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, CalledOn<OptionalJsonBody<SubmitBody>>),
    request_body = Option<SubmitBody>,
    responses((status = 200, description = "The submission, which counts from now on", body = SubmissionView)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/submission/submit")]
pub async fn submit_submission(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    path: web::Path<ReportPath>,
    CalledOn { call, body }: CalledOn<OptionalJsonBody<SubmitBody>>,
) -> Result<HttpResponse, Problem> {
    let change = SubmissionChange::Submit(arrival_of(body.received_on));
    take_step(application, queue, path, call, change).await
}

/// Withdraw a submission.
///
/// The values stay, and the totals of all units above change at once.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, CalledOn<NoBody>),
    responses((status = 200, description = "The submission, which counts nowhere any more", body = SubmissionView)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/submission/withdraw")]
pub async fn withdraw_submission(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    path: web::Path<ReportPath>,
    CalledOn { call, .. }: CalledOn<NoBody>,
) -> Result<HttpResponse, Problem> {
    take_step(application, queue, path, call, SubmissionChange::Withdraw).await
}

/// Discard a draft that lies over something that counts.
///
/// Status and values are again those of what counts, and no total moves. A draft over nothing that
/// counts cannot be discarded: change it, or leave it.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, CalledOn<NoBody>),
    responses((status = 200, description = "The submission as it was before the draft", body = SubmissionView)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/submission/discard")]
pub async fn discard_submission(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    path: web::Path<ReportPath>,
    CalledOn { call, .. }: CalledOn<NoBody>,
) -> Result<HttpResponse, Problem> {
    take_step(application, queue, path, call, SubmissionChange::Discard).await
}

/// Approve a submission.
///
/// It must be submitted, and no form with four eyes is approved by who entered the values.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, CalledOn<NoBody>),
    responses((status = 200, description = "The submission, which counts in both stages from now on", body = SubmissionView)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/submission/approve")]
pub async fn approve_submission(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    path: web::Path<ReportPath>,
    CalledOn { call, .. }: CalledOn<NoBody>,
) -> Result<HttpResponse, Problem> {
    take_step(application, queue, path, call, SubmissionChange::Approve).await
}

/// The reason for which a submission is returned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnBody {
    pub reason: String,
    /// Reasons for single values.
    #[serde(default)]
    pub values: Vec<ValueReasonBody>,
}

/// The reason for which one value is not accepted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueReasonBody {
    #[schema(example = "fund.raised")]
    pub indicator: String,
    pub option: Option<String>,
    pub reason: String,
}

impl From<ReturnBody> for EnteredReason {
    fn from(body: ReturnBody) -> EnteredReason {
        let values = body.values.into_iter().map(|value| EnteredValueReason {
            indicator: value.indicator,
            option: value.option,
            reason: value.reason,
        });
        EnteredReason {
            text: body.reason,
            values: values.collect(),
        }
    }
}

/// Return a submission with a reason.
///
/// It counts nowhere until the unit submits it again, corrected or not. The reason is shown to the
/// unit, for single values too.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, CalledOn<JsonBody<ReturnBody>>),
    request_body = ReturnBody,
    responses((status = 200, description = "The submission, which counts nowhere any more", body = SubmissionView)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/submission/return")]
pub async fn return_submission(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    path: web::Path<ReportPath>,
    CalledOn { call, body }: CalledOn<JsonBody<ReturnBody>>,
) -> Result<HttpResponse, Problem> {
    let change = SubmissionChange::Return(EnteredReason::from(body));
    take_step(application, queue, path, call, change).await
}

/// The reason for which something approved is to be changed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenBody {
    /// Shown to the unit. Say it, so that the unit knows what to change.
    #[schema(example = "Số hộ nghèo khác với danh sách đã duyệt.")]
    pub reason: Option<String>,
    /// Reasons for single values.
    #[serde(default)]
    pub values: Vec<ValueReasonBody>,
}

impl ReopenBody {
    fn entered(self) -> Option<EnteredReason> {
        if self.reason.is_none() && self.values.is_empty() {
            return None;
        }
        Some(EnteredReason::from(ReturnBody {
            reason: self.reason.unwrap_or_default(),
            values: self.values,
        }))
    }
}

/// Reopen an approved submission for changes.
///
/// It still counts as submitted. The unit sees the reason, and may change it and submit it again.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, CalledOn<OptionalJsonBody<ReopenBody>>),
    request_body = Option<ReopenBody>,
    responses((status = 200, description = "The submission, which counts as submitted", body = SubmissionView)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/submission/reopen")]
pub async fn reopen_submission(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    path: web::Path<ReportPath>,
    CalledOn { call, body }: CalledOn<OptionalJsonBody<ReopenBody>>,
) -> Result<HttpResponse, Problem> {
    let change = SubmissionChange::Reopen(body.entered());
    take_step(application, queue, path, call, change).await
}

/// List a submission's history, the latest step first.
///
/// Each step has its author, its time and the values as they were. Nothing is taken out.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, PageParams, SeenEtags),
    responses((status = 200, description = "A page of revisions", body = Page<RevisionView>)),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/submission/revisions")]
pub async fn list_revisions(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    request: HttpRequest,
    path: web::Path<ReportPath>,
    Params(params): Params<PageParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let page = page_request(params.cursor, params.limit)?;
    let listed =
        super::blocking(move || submission::list_revisions(&application, &identity, &path, &page));
    Ok(page_response(&request, &seen, &listed.await?))
}
