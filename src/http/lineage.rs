//! Lineage.

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::shown;
use super::problem::Problem;
use super::refusal::AgainstRules;
use super::request::page::page_request;
use super::request::{Params, SeenEtags, SignedIn};
use crate::domain::submission::Stage;
use crate::service::Application;
use crate::service::application::locate::ReportPath;
use crate::service::report::lineage::{self, FigureName, LineageView};

/// The figure to explain.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LineageParams {
    /// The indicator's code.
    #[param(example = "fund.raised")]
    indicator: String,
    /// An option of a breakdown; omit it for the total.
    #[param(nullable = false)]
    option: Option<String>,
    /// `submitted` counts everything submitted, `approved` only what was approved too.
    #[param(nullable = false, inline)]
    stage: Option<Stage>,
    /// The `next` of the previous page; omit it for the first page.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// The most items to return.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

/// List the sources of a figure: units, revisions, missing values, the formula.
///
/// For a total, every submission that is in it; for a derived figure, its formula and operands. Units
/// that have not reported are listed too.
#[utoipa::path(
    tag = "reports",
    params(ReportPath, LineageParams, SeenEtags),
    responses((status = 200, description = "The figure and a page of its sources", body = LineageView), AgainstRules),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/rollup/lineage")]
pub async fn get_lineage(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    Params(params): Params<LineageParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let page = page_request(params.cursor, params.limit)?;
    let name = FigureName {
        indicator: params.indicator,
        option: params.option,
        stage: params.stage.unwrap_or_default(),
    };
    let view =
        super::blocking(move || lineage::get_lineage(&application, &identity, &path, &name, &page));
    Ok(shown(&seen, &view.await?))
}
