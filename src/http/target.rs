//! Targets.

use actix_web::{HttpResponse, get, put, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{change, tagged};
use super::problem::Problem;
use super::refusal::AgainstRules;
use super::request::{CalledToPut, JsonBody, Params, SeenEtags, SignedIn};
use super::text::DecimalText;
use crate::domain::submission::Stage;
use crate::service::Application;
use crate::service::application::locate::ReportPath;
use crate::service::report::lineage::FigureName;
use crate::service::report::target::{self, EnteredTarget, TargetView};

/// The figure that the target is for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TargetPath {
    /// The form's code.
    #[param(example = "mttq.annual")]
    form: String,
    /// The period's key, of a base period or a longer one.
    #[param(example = "2024")]
    period: String,
    /// The unit's id, or `code:` and the code that it has on the period's last day.
    #[param(example = "code:30388")]
    unit: String,
    /// The indicator's code.
    #[param(example = "fund.raised")]
    indicator: String,
}

/// The part of the indicator.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TargetParams {
    /// An option of a breakdown; omit it for the total.
    #[param(nullable = false)]
    option: Option<String>,
}

impl TargetPath {
    fn names(self, params: TargetParams) -> (ReportPath, FigureName) {
        let path = ReportPath {
            form: self.form,
            period: self.period,
            unit: self.unit,
        };
        let figure = FigureName {
            indicator: self.indicator,
            option: params.option,
            stage: Stage::Submitted,
        };
        (path, figure)
    }
}

/// Read a unit's target, with the ETag that a change needs.
///
/// The plan that was set for the unit in the period. Targets are not added up.
#[utoipa::path(
    tag = "reports",
    params(TargetPath, TargetParams, SeenEtags),
    responses((status = 200, description = "The target; its value is null where it was taken back", body = TargetView), AgainstRules),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/targets/{indicator}")]
pub async fn get_target(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<TargetPath>,
    Params(params): Params<TargetParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let (path, figure) = path.into_inner().names(params);
    let found =
        super::blocking(move || target::get_target(&application, &identity, &path, &figure));
    let (state, view) = found.await?;
    Ok(tagged(&state, &seen, &view))
}

/// A unit's target.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetBody {
    /// Null removes the target.
    // Without this, a body that leaves the field out would remove the target too.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    value: Option<DecimalText>,
}

/// Set a unit's target (kế hoạch giao).
///
/// A target is set at each unit by itself. Send `If-Match` to replace one; `If-None-Match: *`, or
/// neither, sets the first.
#[utoipa::path(
    tag = "reports",
    params(TargetPath, TargetParams, CalledToPut<JsonBody<TargetBody>>),
    request_body = TargetBody,
    responses(
        (status = 200, description = "The changed target", body = TargetView),
        (status = 201, description = "The new target", body = TargetView),
    ),
)]
#[put("/forms/{form}/periods/{period}/units/{unit}/targets/{indicator}")]
pub async fn put_target(
    application: web::Data<Application>,
    path: web::Path<TargetPath>,
    Params(params): Params<TargetParams>,
    CalledToPut { call, body }: CalledToPut<JsonBody<TargetBody>>,
) -> Result<HttpResponse, Problem> {
    let (path, figure) = path.into_inner().names(params);
    let entered = EnteredTarget {
        path,
        figure,
        value: body.value.map(|DecimalText(text)| text),
    };
    change(application, call, entered, target::put_target).await
}
