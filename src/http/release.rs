//! Releases: the reports that units send up.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{change, tagged};
use super::problem::Problem;
use super::request::page::{PageParams, page_request, page_response};
use super::request::{Called, CalledOn, JsonBody, NoBody, Params, SeenEtags, SignedIn};
use crate::domain::day::Day;
use crate::domain::release::ReleaseNumber;
use crate::service::Application;
use crate::service::application::locate::ReportPath;
use crate::service::application::page::Page;
use crate::service::report::release::{
    self, EnteredAcceptance, EnteredDocument, EnteredRelease, EnteredReturn, EnteredSigner,
    ReleasePath, ReleaseSummary, ReleaseView,
};

/// A release in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReleaseParams {
    /// The form's code.
    #[param(example = "mttq.annual")]
    form: String,
    /// The period's key, of a base period or a longer one.
    #[param(example = "2024")]
    period: String,
    /// The unit's id, or `code:` and the code that it has on the period's last day.
    #[param(example = "code:30388")]
    unit: String,
    /// The number of the release.
    #[param(minimum = 1, maximum = 2147483647, example = 1)]
    number: i32,
}

impl From<ReleaseParams> for ReleasePath {
    fn from(params: ReleaseParams) -> ReleasePath {
        ReleasePath {
            report: ReportPath {
                form: params.form,
                period: params.period,
                unit: params.unit,
            },
            number: ReleaseNumber::new(params.number),
        }
    }
}

/// A report to send. Everything may be left out that there is not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseBody {
    /// The paper that goes with it.
    pub document: Option<DocumentBody>,
    pub signer: Option<SignerBody>,
    /// The offices and people to whom the paper goes (nơi nhận).
    #[serde(default)]
    #[schema(example = json!(["Ban Thường trực Ủy ban MTTQ cấp trên"]))]
    pub recipients: Vec<String>,
    /// The units whose lack the sender accepts: the unit itself and direct children. Each unit that
    /// lacks something must be among them, and no other.
    #[serde(default)]
    pub accept: Vec<AcceptanceBody>,
}

/// The paper that goes with a report.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentBody {
    #[schema(
        example = "25/BC-MTTQ-BTT",
        min_length = 1,
        max_length = 300,
        pattern = r"\S"
    )]
    pub number: String,
    #[schema(example = "Tân An")]
    pub place: String,
    #[schema(value_type = String, format = Date, example = "2024-12-09")]
    pub date: Day,
}

/// The person who signs a report.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignerBody {
    /// On whose behalf (TM., KT., TL.).
    #[schema(example = "TM. BAN THƯỜNG TRỰC")]
    pub capacity: String,
    #[schema(example = "CHỦ TỊCH")]
    pub office: String,
    #[schema(example = "Nguyễn Văn An")]
    pub name: String,
}

/// A unit that lacks something, and why the report is sent all the same.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptanceBody {
    /// The unit's id, or `code:` and the code that it has on the period's last day.
    #[schema(example = "code:30388-05")]
    pub unit: String,
    pub reason: String,
}

impl ReleaseBody {
    fn of(self, path: ReportPath) -> EnteredRelease {
        let accept = self.accept.into_iter().map(|accepted| EnteredAcceptance {
            unit: accepted.unit,
            reason: accepted.reason,
        });
        EnteredRelease {
            path,
            document: self.document.map(|document| EnteredDocument {
                number: document.number,
                place: document.place,
                date: document.date.get(),
            }),
            signer: self.signer.map(|signer| EnteredSigner {
                capacity: signer.capacity,
                office: signer.office,
                name: signer.name,
            }),
            recipients: self.recipients,
            accept: accept.collect(),
        }
    }
}

/// Send a unit's report to the unit above (gửi báo cáo lên).
///
/// Copies the figures that `get_rollup` shows, how complete they are, the unit's own texts, and what is
/// sent here. The copy never changes and has a hash. What the unit itself or a direct child lacks must
/// be accepted by name with a reason: nothing counts of an expected submission; a submission is not
/// approved; a child that puts a report of its own together has not sent it, or it is not received.
/// While a release waits for the unit above, no other can be sent. After a received one, the next is
/// its correction and stands in its place.
#[utoipa::path(
    tag = "releases",
    params(ReportPath, Called<JsonBody<ReleaseBody>>),
    request_body = ReleaseBody,
    responses((status = 201, description = "The new release, which waits for the unit above", body = ReleaseSummary)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/releases")]
pub async fn send_release(
    application: web::Data<Application>,
    path: web::Path<ReportPath>,
    Called { call, body }: Called<JsonBody<ReleaseBody>>,
) -> Result<HttpResponse, Problem> {
    let entered = body.of(path.into_inner());
    change(application, call, entered, release::send_release).await
}

/// List what a unit sent up on a form for a period, the latest first.
///
/// Whoever may read the unit's figures may read this, and so may everybody with a role at a unit below
/// it.
#[utoipa::path(
    tag = "releases",
    params(ReportPath, PageParams, SeenEtags),
    responses((status = 200, description = "A page of releases", body = Page<ReleaseSummary>)),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/releases")]
pub async fn list_releases(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    request: HttpRequest,
    path: web::Path<ReportPath>,
    Params(params): Params<PageParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let page = page_request(params.cursor, params.limit)?;
    let listed =
        super::blocking(move || release::list_releases(&application, &identity, &path, &page));
    Ok(page_response(&request, &seen, &listed.await?))
}

/// The release to compare with.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AgainstParams {
    /// The number of another release of the unit and period: `against` of the answer then has what is
    /// different in this one.
    #[param(nullable = false, minimum = 1, maximum = 2147483647, example = 1)]
    against: Option<i32>,
}

/// Read a report as it was sent, what became of it, and what has changed since.
///
/// `hash` is the SHA-256 of the UTF-8 bytes of `canonical`, which is `content` as one line of JSON,
/// byte for byte as it was sent. Its ETag is what the next step builds on.
#[utoipa::path(
    tag = "releases",
    params(ReleaseParams, AgainstParams, SeenEtags),
    responses((status = 200, description = "The release", body = ReleaseView)),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/releases/{number}")]
pub async fn get_release(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReleaseParams>,
    Params(params): Params<AgainstParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let path = ReleasePath::from(path.into_inner());
    let against = params.against.map(ReleaseNumber::new);
    let read =
        super::blocking(move || release::get_release(&application, &identity, &path, against));
    let (state, view) = read.await?;
    Ok(tagged(&state, &seen, &view))
}

/// Receive a report from a unit below (tiếp nhận).
///
/// It must wait. From then on the sender cannot recall it, only send a correction.
#[utoipa::path(
    tag = "releases",
    params(ReleaseParams, CalledOn<NoBody>),
    responses((status = 200, description = "The release, which is received", body = ReleaseSummary)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/releases/{number}/receive")]
pub async fn receive_release(
    application: web::Data<Application>,
    path: web::Path<ReleaseParams>,
    CalledOn { call, .. }: CalledOn<NoBody>,
) -> Result<HttpResponse, Problem> {
    let path = ReleasePath::from(path.into_inner());
    change(application, call, path, release::receive_release).await
}

/// The reason for which a release is returned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseReturnBody {
    pub reason: String,
}

/// Return a report to a unit below with a reason.
///
/// It must wait. The unit corrects its report and sends it as the next number.
#[utoipa::path(
    tag = "releases",
    params(ReleaseParams, CalledOn<JsonBody<ReleaseReturnBody>>),
    request_body = ReleaseReturnBody,
    responses((status = 200, description = "The release, which is returned", body = ReleaseSummary)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/releases/{number}/return")]
pub async fn return_release(
    application: web::Data<Application>,
    path: web::Path<ReleaseParams>,
    CalledOn { call, body }: CalledOn<JsonBody<ReleaseReturnBody>>,
) -> Result<HttpResponse, Problem> {
    let entered = EnteredReturn {
        path: path.into_inner().into(),
        reason: body.reason,
    };
    change(application, call, entered, release::return_release).await
}

/// Recall a report before the unit above has received it (thu hồi).
///
/// It must wait. It stays readable, and the unit may send the next one.
#[utoipa::path(
    tag = "releases",
    params(ReleaseParams, CalledOn<NoBody>),
    responses((status = 200, description = "The release, which is recalled", body = ReleaseSummary)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/releases/{number}/recall")]
pub async fn recall_release(
    application: web::Data<Application>,
    path: web::Path<ReleaseParams>,
    CalledOn { call, .. }: CalledOn<NoBody>,
) -> Result<HttpResponse, Problem> {
    let path = ReleasePath::from(path.into_inner());
    change(application, call, path, release::recall_release).await
}
