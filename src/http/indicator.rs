//! Indicators.

use actix_web::{HttpRequest, HttpResponse, get, put, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{change, tagged};
use super::problem::Problem;
use super::request::page::{page_request, page_response};
use super::request::{CalledToPut, JsonBody, Now, Params, SeenEtags, SignedIn};
use super::text::{DecimalText, NameBody};
use super::unit::DayParams;
use crate::domain::day::Day;
use crate::domain::indicator::{AcrossTime, AcrossUnits, BreakdownKind};
use crate::service::Application;
use crate::service::application::page::Page;
use crate::service::catalogue::indicator::{
    self, EnteredBounds, EnteredBreakdown, EnteredIndicator, EnteredOption, EnteredUsual,
    IndicatorView,
};

/// The part of the catalogue to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CatalogueParams {
    /// The day whose versions are listed; by default today.
    #[param(nullable = false, value_type = Option<String>, format = Date)]
    pub as_of: Option<Day>,
    /// The `next` of the previous page; omit it for the first page.
    #[param(nullable = false)]
    pub cursor: Option<String>,
    /// The most items to return.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    pub limit: Option<usize>,
}

/// List the indicators of the catalogue, by code.
///
/// Each is shown in the version of the day.
#[utoipa::path(
    tag = "catalogue",
    params(CatalogueParams, SeenEtags),
    responses((status = 200, description = "A page of indicators", body = Page<IndicatorView>)),
)]
#[get("/indicators")]
pub async fn list_indicators(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    request: HttpRequest,
    Params(params): Params<CatalogueParams>,
    now: Now,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let page = page_request(params.cursor, params.limit)?;
    let listed = super::blocking(move || {
        indicator::list_indicators(
            &application,
            &identity,
            &page,
            params.as_of.map(Day::get),
            now.0,
        )
    });
    Ok(page_response(&request, &seen, &listed.await?))
}

/// Read an indicator as it is on a day.
///
/// With its breakdowns and the way in which it adds up. Its ETag is what a new version builds on.
#[utoipa::path(
    tag = "catalogue",
    params(
        ("indicator" = String, Path, description = "The indicator's code", example = "docs.issued"),
        DayParams,
        SeenEtags,
    ),
    responses((status = 200, description = "The indicator", body = IndicatorView)),
)]
#[get("/indicators/{indicator}")]
pub async fn get_indicator(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    code: web::Path<String>,
    Params(params): Params<DayParams>,
    seen: SeenEtags,
    now: Now,
) -> Result<HttpResponse, Problem> {
    let (state, view) = super::blocking(move || {
        indicator::get_indicator(
            &application,
            &identity,
            &code,
            params.as_of.map(Day::get),
            now.0,
        )
    })
    .await?;
    Ok(tagged(&state, &seen, &view))
}

/// A version of an indicator: collected (with `across_units` and `across_time`) or derived (with a
/// `formula`).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IndicatorBody {
    pub name: NameBody,
    #[schema(example = "văn bản")]
    pub unit_of_measure: String,
    /// Digits after the decimal point.
    #[schema(minimum = 0, maximum = 9)]
    pub decimals: u8,
    pub across_units: Option<AcrossUnits>,
    pub across_time: Option<AcrossTime>,
    #[serde(default)]
    pub breakdowns: Vec<BreakdownBody>,
    /// The smallest value that a unit may submit. An option, as part of the total, may also be
    /// zero.
    pub minimum: Option<DecimalText>,
    /// The largest value that a unit may submit.
    pub maximum: Option<DecimalText>,
    /// The usual range of a unit's total. A total beyond it is accepted with a warning.
    pub usual: Option<UsualBody>,
    /// Computed at every level from the rolled-up operands. No value if a divisor is zero or
    /// missing.
    #[schema(example = "100 * population.insured / population.total")]
    pub formula: Option<String>,
    /// The first day of this version; by default it holds from the beginning.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_from: Option<Day>,
}

/// A range of usual values, both ends included. It needs at least one end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UsualBody {
    pub from: Option<DecimalText>,
    pub to: Option<DecimalText>,
}

impl From<UsualBody> for EnteredUsual {
    fn from(body: UsualBody) -> EnteredUsual {
        EnteredUsual {
            from: body.from.map(|from| from.0),
            to: body.to.map(|to| to.0),
        }
    }
}

/// A set of options.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakdownBody {
    #[schema(
        example = "document_type",
        max_length = 60,
        pattern = "^[a-z][a-z0-9_]*$"
    )]
    pub code: String,
    /// If true, the options add up to the total (chia ra); otherwise they are among it (trong đó).
    pub closed: bool,
    pub options: Vec<OptionBody>,
}

/// One option of a breakdown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionBody {
    #[schema(example = "plan", max_length = 60, pattern = "^[a-z0-9_]+$")]
    pub code: String,
    pub name: NameBody,
}

impl From<BreakdownBody> for EnteredBreakdown {
    fn from(body: BreakdownBody) -> EnteredBreakdown {
        let options = body.options.into_iter().map(|option| EnteredOption {
            code: option.code,
            name: option.name.into(),
        });
        EnteredBreakdown {
            code: body.code,
            kind: if body.closed {
                BreakdownKind::Closed
            } else {
                BreakdownKind::Open
            },
            options: options.collect(),
        }
    }
}

impl IndicatorBody {
    /// Returns the entered indicator under this code.
    pub(crate) fn entered(self, code: String) -> EnteredIndicator {
        EnteredIndicator {
            code,
            name: self.name.into(),
            unit_of_measure: self.unit_of_measure,
            decimals: self.decimals,
            across_units: self.across_units,
            across_time: self.across_time,
            breakdowns: self
                .breakdowns
                .into_iter()
                .map(EnteredBreakdown::from)
                .collect(),
            bounds: EnteredBounds {
                minimum: self.minimum.map(|minimum| minimum.0),
                maximum: self.maximum.map(|maximum| maximum.0),
                usual: self.usual.map(EnteredUsual::from),
            },
            formula: self.formula,
            valid_from: self.valid_from.map(Day::get),
        }
    }
}

/// Add an indicator, or a version of it from a day on.
///
/// A version holds from its first day until the next one. What would change figures that were
/// reported is refused. Send `If-Match` to change one; `If-None-Match: *`, or neither, creates one.
#[utoipa::path(
    tag = "catalogue",
    params(
        ("indicator" = String, Path, description = "The indicator's code", example = "docs.issued"),
        CalledToPut<JsonBody<IndicatorBody>>,
    ),
    request_body = IndicatorBody,
    responses(
        (status = 200, description = "The indicator with its new version", body = IndicatorView),
        (status = 201, description = "The new indicator", body = IndicatorView),
    ),
)]
#[put("/indicators/{indicator}")]
pub async fn put_indicator(
    application: web::Data<Application>,
    code: web::Path<String>,
    CalledToPut { call, body }: CalledToPut<JsonBody<IndicatorBody>>,
) -> Result<HttpResponse, Problem> {
    let entered = body.entered(code.into_inner());
    change(application, call, entered, indicator::put_indicator).await
}
