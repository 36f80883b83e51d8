//! Series.

use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::shown;
use super::problem::Problem;
use super::refusal::AgainstRules;
use super::request::{Params, SeenEtags, SignedIn, listed};
use crate::domain::day::Day;
use crate::domain::submission::Stage;
use crate::service::Application;
use crate::service::report::lineage::FigureName;
use crate::service::report::series::{self, SeriesQuery, SeriesView};

/// The figure, and the periods to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SeriesParams {
    /// The indicator's code; or several codes, with commas between them. The figures of the second
    /// and of those after it are in `others`.
    #[param(example = "fund.raised", max_length = 2000, pattern = "^[a-z0-9_.,]+$")]
    indicator: String,
    /// An option of a breakdown; omit it for the total.
    #[param(nullable = false)]
    option: Option<String>,
    /// The first period; of a form's own windows the first by its days.
    #[param(example = "2023")]
    from: String,
    /// The last period, of the same sort.
    #[param(example = "2024")]
    to: String,
    /// `submitted` counts everything submitted, `approved` only what was approved too.
    #[param(nullable = false, inline)]
    stage: Option<Stage>,
    /// The day whose map all figures are put on: the last period's last day or a later one. Without
    /// it, each figure is as it was.
    #[param(nullable = false, example = "2025-07-01", value_type = Option<String>, format = Date)]
    as_of: Option<Day>,
}

/// Read a figure over several periods, with its total to date and the same period a year before.
///
/// For charts: one request for up to 240 periods of one kind, with the counts of the units that have
/// reported.
#[utoipa::path(
    tag = "reports",
    params(
        ("form" = String, Path, description = "The form's code", example = "mttq.annual"),
        ("unit" = String, Path, description = "The unit's id, or `code:` and the code that it has on the last period's last day", example = "code:30388"),
        SeriesParams,
        SeenEtags,
    ),
    responses((status = 200, description = "The periods in order", body = SeriesView), AgainstRules),
)]
#[get("/forms/{form}/units/{unit}/series")]
pub async fn get_series(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<(String, String)>,
    Params(params): Params<SeriesParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let (form, unit) = path.into_inner();
    let mut indicators = listed(&params.indicator).into_iter();
    let query = SeriesQuery {
        form,
        unit,
        figure: FigureName {
            indicator: indicators.next().unwrap_or_default(),
            option: params.option,
            stage: params.stage.unwrap_or_default(),
        },
        others: indicators.collect(),
        from: params.from,
        to: params.to,
        as_of: params.as_of.map(Day::get),
    };
    let view = super::blocking(move || series::get_series(&application, &identity, &query));
    Ok(shown(&seen, &view.await?))
}
