//! Completeness.

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::shown;
use super::problem::Problem;
use super::request::{Now, Params, SeenEtags, SignedIn};
use crate::domain::day::Day;
use crate::service::Application;
use crate::service::application::locate::ReportPath;
use crate::service::report::completeness::{self, CompletenessView};

/// The map to count on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MapParams {
    /// The day whose map the units are counted on: the period's last day or a later one.
    #[param(nullable = false, example = "2025-07-01", value_type = Option<String>, format = Date)]
    as_of: Option<Day>,
}

/// Count the units of a subtree that have reported, and list those that have not.
///
/// Counts the units that must report on the form for the period, in the subtree and below each child,
/// and says which of them have and which are late.
#[utoipa::path(
    tag = "reports",
    params(ReportPath, MapParams, SeenEtags),
    responses((status = 200, description = "How far the unit and each of its children are", body = CompletenessView)),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/completeness")]
pub async fn get_completeness(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    Params(params): Params<MapParams>,
    now: Now,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let view = super::blocking(move || {
        completeness::get_completeness(
            &application,
            &identity,
            &path,
            params.as_of.map(Day::get),
            now.0,
        )
    })
    .await?;
    Ok(shown(&seen, &view))
}
