//! Submissions.

use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::extract::{
    Conditions, JsonBody, NoBody, Now, Params, RepeatKey, SeenEtags, SignedIn, reply, tagged,
};
use super::page::{PageParams, page_request, page_response};
use super::problem::Problem;
use super::text::DecimalText;
use crate::domain::quantity::Qualifier;
use crate::domain::submission::{EnteredPassage, EnteredValue};
use crate::service::Application;
use crate::service::application::idempotency::Repeatable;
use crate::service::application::locate::ReportPath;
use crate::service::application::page::Page;
use crate::service::submission::{
    self, Change, ChangeRequest, Entered, EnteredReason, EnteredValueReason, Intent, RevisionView,
    SubmissionQueue, SubmissionView,
};

/// Read a unit's submission with its latest values.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath),
    responses((status = 200, description = "The submission", body = SubmissionView)),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/submission")]
pub async fn get_submission(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let (etag, view) =
        super::blocking(move || submission::get_submission(&application, &identity, &path)).await?;
    Ok(tagged(&etag, &seen, &view))
}

/// A unit's values and texts. They replace everything stored: an absent value is removed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmissionBody {
    pub values: Vec<ValueBody>,
    #[serde(default)]
    pub narrative: Vec<PassageBody>,
    /// If true, submit at once; otherwise keep a draft, which counts nowhere.
    #[serde(default)]
    #[schema(default = false)]
    pub submit: bool,
}

/// One value.
#[derive(Debug, Deserialize, ToSchema)]
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
#[derive(Debug, Deserialize, ToSchema)]
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
            intent: if body.submit {
                Intent::Submit
            } else {
                Intent::KeepDraft
            },
        }
    }
}

/// Put a unit's values, as a draft or submitted at once.
///
/// Send `If-None-Match: *` to create, `If-Match` to replace.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath),
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
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    conditions: Conditions,
    key: RepeatKey,
    now: Now,
    body: JsonBody<SubmissionBody>,
) -> Result<HttpResponse, Problem> {
    let repeatable = key.repeatable("put_submission", &body.raw);
    let change = change_request(path, conditions, repeatable, &now);
    let entered = Entered::from(body.value);
    let done = submission::change(
        application.into_inner(),
        queue.into_inner(),
        identity,
        change,
        Change::Put(entered),
    );
    Ok(reply(done.await?))
}

fn change_request(
    path: web::Path<ReportPath>,
    conditions: Conditions,
    repeatable: Option<Repeatable>,
    now: &Now,
) -> ChangeRequest {
    ChangeRequest {
        path: path.into_inner(),
        precondition: conditions.0,
        repeatable,
        now: now.0,
    }
}

/// Submit the draft as it is.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath),
    responses((status = 200, description = "The submission, which counts from now on", body = SubmissionView)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/submission/submit")]
pub async fn submit_submission(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    conditions: Conditions,
    key: RepeatKey,
    now: Now,
    _body: NoBody,
) -> Result<HttpResponse, Problem> {
    let repeatable = key.repeatable("submit_submission", b"");
    let change = change_request(path, conditions, repeatable, &now);
    let application = application.into_inner();
    let done = submission::change(
        application,
        queue.into_inner(),
        identity,
        change,
        Change::Submit,
    );
    Ok(reply(done.await?))
}

/// Withdraw a submission.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath),
    responses((status = 200, description = "The submission, which counts nowhere any more", body = SubmissionView)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/submission/withdraw")]
pub async fn withdraw_submission(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    conditions: Conditions,
    key: RepeatKey,
    now: Now,
    _body: NoBody,
) -> Result<HttpResponse, Problem> {
    let repeatable = key.repeatable("withdraw_submission", b"");
    let change = change_request(path, conditions, repeatable, &now);
    let application = application.into_inner();
    let done = submission::change(
        application,
        queue.into_inner(),
        identity,
        change,
        Change::Withdraw,
    );
    Ok(reply(done.await?))
}

/// Approve a submission.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath),
    responses((status = 200, description = "The submission, which counts in both stages from now on", body = SubmissionView)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/submission/approve")]
pub async fn approve_submission(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    conditions: Conditions,
    key: RepeatKey,
    now: Now,
    _body: NoBody,
) -> Result<HttpResponse, Problem> {
    let repeatable = key.repeatable("approve_submission", b"");
    let change = change_request(path, conditions, repeatable, &now);
    let application = application.into_inner();
    let done = submission::change(
        application,
        queue.into_inner(),
        identity,
        change,
        Change::Approve,
    );
    Ok(reply(done.await?))
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
#[utoipa::path(
    tag = "submissions",
    params(ReportPath),
    request_body = ReturnBody,
    responses((status = 200, description = "The submission, which counts nowhere any more", body = SubmissionView)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/submission/return")]
pub async fn return_submission(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    conditions: Conditions,
    key: RepeatKey,
    now: Now,
    body: JsonBody<ReturnBody>,
) -> Result<HttpResponse, Problem> {
    let repeatable = key.repeatable("return_submission", &body.raw);
    let change = change_request(path, conditions, repeatable, &now);
    let reason = EnteredReason::from(body.value);
    let done = submission::change(
        application.into_inner(),
        queue.into_inner(),
        identity,
        change,
        Change::Return(reason),
    );
    Ok(reply(done.await?))
}

/// Reopen an approved submission for changes.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath),
    responses((status = 200, description = "The submission, which counts as submitted", body = SubmissionView)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/submission/reopen")]
pub async fn reopen_submission(
    application: web::Data<Application>,
    queue: web::Data<SubmissionQueue>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    conditions: Conditions,
    key: RepeatKey,
    now: Now,
    _body: NoBody,
) -> Result<HttpResponse, Problem> {
    let repeatable = key.repeatable("reopen_submission", b"");
    let change = change_request(path, conditions, repeatable, &now);
    let application = application.into_inner();
    let done = submission::change(
        application,
        queue.into_inner(),
        identity,
        change,
        Change::Reopen,
    );
    Ok(reply(done.await?))
}

/// List a submission's history, the latest step first.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, PageParams),
    responses((status = 200, description = "A page of revisions", body = Page<RevisionView>)),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/submission/revisions")]
pub async fn list_revisions(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    request: HttpRequest,
    path: web::Path<ReportPath>,
    Params(params): Params<PageParams>,
) -> Result<HttpResponse, Problem> {
    let page = page_request(params.cursor, params.limit)?;
    let listed =
        super::blocking(move || submission::list_revisions(&application, &identity, &path, &page));
    Ok(page_response(&request, &listed.await?))
}
