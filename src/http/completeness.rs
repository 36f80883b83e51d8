//! Completeness.

use actix_web::{HttpResponse, get, web};

use super::extract::{Now, SignedIn, json};
use super::problem::Problem;
use crate::service::Application;
use crate::service::completeness::{self, CompletenessView};
use crate::service::locate::ReportPath;

/// Who of a unit's subtree has reported, and who has not.
#[utoipa::path(
    tag = "reports",
    params(ReportPath),
    responses((status = 200, description = "How far the unit and each of its children are", body = CompletenessView)),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/completeness")]
pub async fn get_completeness(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    now: Now,
) -> Result<HttpResponse, Problem> {
    let view = super::blocking(move || {
        completeness::get_completeness(&application, &identity, &path, now.0)
    })
    .await?;
    Ok(json(&view))
}
