//! Rollups.

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{encoded, with_json};
use super::problem::Problem;
use super::refusal::AgainstRules;
use super::request::{NoBody, Params, SeenEtags, SignedIn, listed};
use crate::domain::day::Day;
use crate::domain::submission::Stage;
use crate::service::Application;
use crate::service::application::locate::ReportPath;
use crate::service::report::rollup::{self, Children, RollupQuery, RollupView};
use crate::service::report::verification::{self, VerificationView};

/// The figures to return.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RollupParams {
    /// `submitted` counts everything submitted, `approved` only what was approved too.
    #[param(nullable = false, inline)]
    stage: Option<Stage>,
    /// `children`: add the same figures of each direct child.
    #[param(nullable = false, inline)]
    include: Option<Include>,
    /// Only the cells of these indicators: their codes, with commas between them.
    #[param(
        nullable = false,
        example = "fund.raised,fund.spent",
        max_length = 2000,
        pattern = "^[a-z0-9_.,]+$"
    )]
    indicators: Option<String>,
    /// The day whose map the figures are put on: the period's last day or a later one. Figures of
    /// former units then belong to their successors. Without it, the report is as it was.
    #[param(nullable = false, example = "2025-07-01", value_type = Option<String>, format = Date)]
    as_of: Option<Day>,
}

/// An addition to a rollup.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Include {
    Children,
}

/// Read a unit's report: its own figures and everything below it.
///
/// The totals are kept and not computed: the answer costs the same at every level, and a submission
/// is in it from the moment at which its own request was answered. Each cell says of how many units
/// it is made.
#[utoipa::path(
    tag = "reports",
    params(ReportPath, RollupParams, SeenEtags),
    responses((status = 200, description = "The rollup; nulls and 0 of n where there is nothing yet", body = RollupView), AgainstRules),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/rollup")]
pub async fn get_rollup(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    Params(params): Params<RollupParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let query = RollupQuery {
        stage: params.stage.unwrap_or_default(),
        children: match params.include {
            Some(Include::Children) => Children::Included,
            None => Children::LeftOut,
        },
        indicators: params.indicators.as_deref().map(listed),
        as_of: params.as_of.map(Day::get),
    };
    if let Some(kept) = rollup::kept_rollup(&application, &identity, &path, &query).await {
        return Ok(encoded(&kept, &seen));
    }
    let read =
        super::blocking(move || rollup::get_encoded_rollup(&application, &identity, &path, &query));
    Ok(encoded(&read.await?, &seen))
}

/// Recompute a unit's report from the submissions and return both.
///
/// Changes nothing. It reads every submission below the unit, so it takes its time; `equal` says
/// whether both agree.
#[utoipa::path(
    tag = "reports",
    params(ReportPath),
    responses((status = 200, description = "Whether what is kept is what the submissions make", body = VerificationView)),
)]
#[post("/forms/{form}/periods/{period}/units/{unit}/rollup/verify")]
pub async fn verify_rollup(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    _body: NoBody,
) -> Result<HttpResponse, Problem> {
    let view = super::blocking(move || verification::verify_rollup(&application, &identity, &path));
    Ok(with_json(&mut HttpResponse::Ok(), &view.await?))
}
