//! Subtree reporting.

use actix_web::{HttpResponse, delete, get, put, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{change, tagged};
use super::problem::Problem;
use super::request::{CalledToDelete, CalledToPut, JsonBody, Now, SeenEtags, SignedIn};
use crate::service::Application;
use crate::service::submission::subtree_reporting::{
    self, EnteredSubtreeReporting, FormUnitPath, SubtreeReportingView,
};

/// Read for which periods a unit reports for all units below it.
///
/// Its ETag is what a change builds on.
#[utoipa::path(
    tag = "submissions",
    params(FormUnitPath, SeenEtags),
    responses((status = 200, description = "The periods, in ranges", body = SubtreeReportingView)),
)]
#[get("/forms/{form}/units/{unit}/subtree-reporting")]
pub async fn get_subtree_reporting(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<FormUnitPath>,
    now: Now,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let found = super::blocking(move || {
        subtree_reporting::get_subtree_reporting(&application, &identity, &path, now.0)
    });
    let (state, view) = found.await?;
    Ok(tagged(&state, &seen, &view))
}

/// Periods for which a unit is to report for all units below it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubtreeReportingBody {
    /// The key of the first period, a base period of the form or a longer one.
    #[schema(
        min_length = 1,
        max_length = 29,
        pattern = "^[0-9]{4}(-[A-Za-z0-9-]{1,24})?$",
        example = "2023"
    )]
    pub from: String,
    /// The key of the last period; null, or left out, until further notice.
    #[serde(default)]
    #[schema(
        min_length = 1,
        max_length = 29,
        pattern = "^[0-9]{4}(-[A-Za-z0-9-]{1,24})?$",
        example = "2024"
    )]
    pub to: Option<String>,
}

/// Let a unit report for all units below it (báo cáo gộp).
///
/// It holds for the base periods from the first day of `from` to the last day of `to`. The units below
/// are then not expected, and submitting for them is refused (409 `COVERED_BY_UNIT`); the unit enters
/// what it and they are asked for. Whoever may approve for the unit may arrange it. What was arranged
/// for any of these days is replaced, other ranges stay. It is refused if something that counts would
/// change its meaning (409 `ALREADY_REPORTED`). Send `If-Match` to change what was arranged;
/// `If-None-Match: *`, or neither, arranges the first.
#[utoipa::path(
    tag = "submissions",
    params(FormUnitPath, CalledToPut<JsonBody<SubtreeReportingBody>>),
    request_body = SubtreeReportingBody,
    responses(
        (status = 200, description = "The changed ranges", body = SubtreeReportingView),
        (status = 201, description = "The first range", body = SubtreeReportingView),
    ),
)]
#[put("/forms/{form}/units/{unit}/subtree-reporting")]
pub async fn put_subtree_reporting(
    application: web::Data<Application>,
    path: web::Path<FormUnitPath>,
    CalledToPut { call, body }: CalledToPut<JsonBody<SubtreeReportingBody>>,
) -> Result<HttpResponse, Problem> {
    let entered = EnteredSubtreeReporting {
        path: path.into_inner(),
        from: body.from.clone(),
        to: body.to.clone(),
    };
    change(
        application,
        call,
        entered,
        subtree_reporting::put_subtree_reporting,
    )
    .await
}

/// Take back that a unit reports for all units below it.
///
/// Ranges for which the unit has reported stay: 409 `ALREADY_REPORTED` if that is each of them. To end
/// one of these later, put it again with the period in which it is to end.
#[utoipa::path(
    tag = "submissions",
    params(FormUnitPath, CalledToDelete),
    responses((status = 204, description = "What could be taken back is")),
)]
#[delete("/forms/{form}/units/{unit}/subtree-reporting")]
pub async fn delete_subtree_reporting(
    application: web::Data<Application>,
    path: web::Path<FormUnitPath>,
    CalledToDelete { call }: CalledToDelete,
) -> Result<HttpResponse, Problem> {
    let path = path.into_inner();
    change(
        application,
        call,
        path,
        subtree_reporting::delete_subtree_reporting,
    )
    .await
}
