//! Extensions.

use actix_web::{HttpResponse, delete, get, put, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{change, tagged};
use super::problem::Problem;
use super::request::{CalledToDelete, CalledToPut, JsonBody, SeenEtags, SignedIn};
use crate::domain::day::Day;
use crate::service::Application;
use crate::service::application::locate::ReportPath;
use crate::service::submission::extension::{self, EnteredExtension, ExtensionView};

/// Read the extension that a unit was given.
///
/// Its ETag is what a change builds on.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, SeenEtags),
    responses((status = 200, description = "The extension", body = ExtensionView)),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/extension")]
pub async fn get_extension(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let found = super::blocking(move || extension::get_extension(&application, &identity, &path));
    let (state, view) = found.await?;
    Ok(tagged(&state, &seen, &view))
}

/// More time for a unit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtensionBody {
    /// The last day in time, which is later than the ordinary deadline. It counts whole, working day or
    /// not.
    #[schema(value_type = String, format = Date)]
    pub until: Day,
    pub reason: String,
}

/// Give a unit more time for a base period (gia hạn).
///
/// Whoever may approve for the unit may. What comes in until the end of that day is in time, and a form
/// that refuses what is late takes it. Send `If-Match` to change what was given; `If-None-Match: *`, or
/// neither, gives the first.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, CalledToPut<JsonBody<ExtensionBody>>),
    request_body = ExtensionBody,
    responses(
        (status = 200, description = "The changed extension", body = ExtensionView),
        (status = 201, description = "The new extension", body = ExtensionView),
    ),
)]
#[put("/forms/{form}/periods/{period}/units/{unit}/extension")]
pub async fn put_extension(
    application: web::Data<Application>,
    path: web::Path<ReportPath>,
    CalledToPut { call, body }: CalledToPut<JsonBody<ExtensionBody>>,
) -> Result<HttpResponse, Problem> {
    let entered = EnteredExtension {
        path: path.into_inner(),
        until: body.until.get(),
        reason: body.reason,
    };
    change(application, call, entered, extension::put_extension).await
}

/// Withdraw the extension that a unit was given.
///
/// The ordinary deadline holds again, so what came in after it is late from now on. Nothing that was
/// taken is given back.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, CalledToDelete),
    responses((status = 204, description = "The unit has no extension any more")),
)]
#[delete("/forms/{form}/periods/{period}/units/{unit}/extension")]
pub async fn delete_extension(
    application: web::Data<Application>,
    path: web::Path<ReportPath>,
    CalledToDelete { call }: CalledToDelete,
) -> Result<HttpResponse, Problem> {
    let path = path.into_inner();
    change(application, call, path, extension::delete_extension).await
}
