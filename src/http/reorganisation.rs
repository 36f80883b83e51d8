//! Reorganisations.

use actix_web::{HttpRequest, HttpResponse, get, post, web};

use super::answer::{change, tagged, with_json};
use super::problem::Problem;
use super::request::page::{PageParams, page_request, page_response};
use super::request::{Body, Called, CalledOn, LargeJsonBody, NoBody, Params, SeenEtags, SignedIn};
use crate::domain::reorganisation::ReorganisationDocument;
use crate::service::Application;
use crate::service::application::page::Page;
use crate::service::application::watcher::Nobody;
use crate::service::map::reorganisation::{
    self, ReorganisationDetail, ReorganisationPreview, ReorganisationView,
};

/// Change the map from a day on (sắp xếp đơn vị hành chính).
///
/// Applies all steps or none. The day may lie in the past; then exactly the totals of the periods
/// that close on it or later change.
#[utoipa::path(
    tag = "units",
    params(Called<LargeJsonBody<ReorganisationDocument>>),
    request_body = ReorganisationDocument,
    responses((status = 201, description = "The reorganisation, which holds", body = ReorganisationView)),
)]
#[post("/reorganisations")]
pub async fn create_reorganisation(
    application: web::Data<Application>,
    Called { call, body }: Called<LargeJsonBody<ReorganisationDocument>>,
) -> Result<HttpResponse, Problem> {
    change(application, call, body, |application, call, document| {
        reorganisation::create_reorganisation(application, call, document, &Nobody)
    })
    .await
}

/// Show what a reorganisation would change, and every fault of its document. Changes nothing.
///
/// Takes the document of `create_reorganisation`. The answer is the effect on units, submissions, people
/// and figures, and all that prevents it.
#[utoipa::path(
    tag = "units",
    request_body = ReorganisationDocument,
    responses((status = 200, description = "The effect, and all that prevents it", body = ReorganisationPreview)),
)]
#[post("/reorganisations/preview")]
pub async fn preview_reorganisation(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    body: LargeJsonBody<ReorganisationDocument>,
) -> Result<HttpResponse, Problem> {
    let document = body.value();
    let preview = super::blocking(move || {
        reorganisation::preview_reorganisation(&application, &identity, &document, &Nobody)
    });
    Ok(with_json(&mut HttpResponse::Ok(), &preview.await?))
}

/// List the reorganisations, the latest day first.
///
/// Those that were undone are among them and say so.
#[utoipa::path(
    tag = "units",
    params(PageParams, SeenEtags),
    responses((status = 200, description = "A page of reorganisations, those that were undone among them", body = Page<ReorganisationView>)),
)]
#[get("/reorganisations")]
pub async fn list_reorganisations(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    request: HttpRequest,
    Params(params): Params<PageParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let page = page_request(params.cursor, params.limit)?;
    let listed = super::blocking(move || {
        reorganisation::list_reorganisations(&application, &identity, &page)
    });
    Ok(page_response(&request, &seen, &listed.await?))
}

/// Read a reorganisation with its document.
///
/// With the units that came to be, ended or changed, and what passed from which to which.
#[utoipa::path(
    tag = "units",
    params(
        ("reorganisation" = String, Path, description = "Its id", example = "0191e4a5-6d1c-7c3a-9a60-2f6d0c9b1a11"),
        SeenEtags,
    ),
    responses((status = 200, description = "The reorganisation", body = ReorganisationDetail)),
)]
#[get("/reorganisations/{reorganisation}")]
pub async fn get_reorganisation(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    id: web::Path<String>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let (state, detail) =
        super::blocking(move || reorganisation::get_reorganisation(&application, &identity, &id))
            .await?;
    Ok(tagged(&state, &seen, &detail))
}

/// Undo a reorganisation.
///
/// Possible while nothing later builds on its map: no later reorganisation, submission, target or
/// grant of its units.
#[utoipa::path(
    tag = "units",
    params(
        ("reorganisation" = String, Path, description = "Its id", example = "0191e4a5-6d1c-7c3a-9a60-2f6d0c9b1a11"),
        CalledOn<NoBody>,
    ),
    responses((status = 200, description = "The reorganisation, which does not hold any more", body = ReorganisationView)),
)]
#[post("/reorganisations/{reorganisation}/undo")]
pub async fn undo_reorganisation(
    application: web::Data<Application>,
    id: web::Path<String>,
    CalledOn { call, .. }: CalledOn<NoBody>,
) -> Result<HttpResponse, Problem> {
    change(
        application,
        call,
        id.into_inner(),
        |application, call, id| reorganisation::undo_reorganisation(application, call, id),
    )
    .await
}
