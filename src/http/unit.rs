//! Units.

use crate::service::map::draft::EnteredUnit;
use crate::service::map::import::{ImportResult, UnitList};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{change, shown};
use super::problem::Problem;
use super::refusal::NotThere;
use super::request::page::{page_request, page_response};
use super::request::{Called, JsonBody, ListBody, Now, Params, SeenEtags, SignedIn};
use crate::domain::day::Day;
use crate::service::Application;
use crate::service::application::import_mode::ImportMode;
use crate::service::application::page::Page;
use crate::service::map::import;
use crate::service::map::unit::{self, CreatedUnit, UnitDetail, UnitFilter, UnitView};

/// The units to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UnitParams {
    /// Direct children of this unit only: its id, or `code:` and its code.
    #[param(nullable = false, example = "code:91")]
    parent: Option<String>,
    /// Units of this level only.
    #[param(nullable = false, example = "commune")]
    level: Option<String>,
    /// The unit of this code only.
    #[param(nullable = false, example = "30388")]
    code: Option<String>,
    /// A part of the name or of the code. Accents and case make no difference: `tan hau` finds
    /// Tân Hậu.
    #[param(nullable = false)]
    q: Option<String>,
    /// The day; by default today.
    #[param(nullable = false, value_type = Option<String>, format = Date)]
    as_of: Option<Day>,
    /// The `next` of the previous page; omit it for the first page.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// The most items to return.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

/// List the units that the caller may see, as they are on a day.
///
/// In the order of the tree, a parent before its children. Several parameters narrow the list together.
#[utoipa::path(
    tag = "units",
    params(UnitParams, SeenEtags),
    responses((status = 200, description = "A page of units in the order of the tree", body = Page<UnitView>), NotThere),
)]
#[get("/units")]
pub async fn list_units(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    request: HttpRequest,
    Params(params): Params<UnitParams>,
    now: Now,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let page = page_request(params.cursor, params.limit)?;
    let filter = UnitFilter {
        parent: params.parent,
        level: params.level,
        code: params.code,
        text: params.q,
        as_of: params.as_of.map(Day::get),
    };
    let units =
        super::blocking(move || unit::list_units(&application, &identity, &filter, &page, now.0));
    Ok(page_response(&request, &seen, &units.await?))
}

/// The day that a question is about.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DayParams {
    /// The day; by default today.
    #[param(nullable = false, value_type = Option<String>, format = Date)]
    pub as_of: Option<Day>,
}

/// Read a unit as it is on a day, and whom to call there today.
///
/// Takes the id, which never changes, or `code:` and the code of the day.
#[utoipa::path(
    tag = "units",
    params(
        ("unit" = String, Path, description = "Its id, or `code:` and its code", example = "code:30388"),
        DayParams,
        SeenEtags,
    ),
    responses((status = 200, description = "The unit, and whom to call there", body = UnitDetail)),
)]
#[get("/units/{unit}")]
pub async fn get_unit(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    name: web::Path<String>,
    Params(params): Params<DayParams>,
    seen: SeenEtags,
    now: Now,
) -> Result<HttpResponse, Problem> {
    let view = super::blocking(move || {
        unit::get_unit(
            &application,
            &identity,
            &name,
            params.as_of.map(Day::get),
            now.0,
        )
    })
    .await?;
    Ok(shown(&seen, &view))
}

/// A unit to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitBody {
    #[schema(example = "30388-08", max_length = 40, pattern = "^[A-Za-z0-9._-]+$")]
    pub code: String,
    #[schema(example = "Tân Phú A")]
    pub name: String,
    /// The usual word for such a unit, if its level has several kinds.
    #[schema(example = "ấp")]
    pub kind: Option<String>,
    #[schema(example = "hamlet")]
    pub level: String,
    /// The parent: its id, or `code:` and its code; null for a root.
    #[schema(example = "code:30388")]
    pub parent: Option<String>,
    /// The first day. By default the beginning; for an account that may add units in some subtrees
    /// only, the first day since which the parent is in one of them.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_from: Option<Day>,
    /// The last day; by default until further notice.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_to: Option<Day>,
}

/// Add a unit.
///
/// The answer warns of names and codes that are easily taken for those of another unit.
#[utoipa::path(
    tag = "units",
    params(Called<JsonBody<UnitBody>>),
    request_body = UnitBody,
    responses((status = 201, description = "The new unit, and what is to be looked at again", body = CreatedUnit)),
)]
#[post("/units")]
pub async fn create_unit(
    application: web::Data<Application>,
    Called { call, body }: Called<JsonBody<UnitBody>>,
) -> Result<HttpResponse, Problem> {
    let entered = EnteredUnit {
        code: body.code,
        name: body.name,
        kind: body.kind,
        level: body.level,
        parent: body.parent,
        valid_from: body.valid_from.map(Day::get),
        valid_to: body.valid_to.map(Day::get),
    };
    change(application, call, entered, unit::create_unit).await
}

/// The mode of an import.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportParams {
    /// The first day of all units; by default they exist from the beginning.
    #[param(nullable = false, value_type = Option<String>, format = Date)]
    valid_from: Option<Day>,
    /// Only show the effect.
    #[param(nullable = false, default = false)]
    dry_run: Option<bool>,
}

/// Add all units of a list, or none.
///
/// Takes CSV or a workbook (XLSX) with the columns `code,name,level,parent_code` and, optionally,
/// `kind`, or a list as the General Statistics Office gives it: all provinces, districts and communes
/// (`Mã TP`, `Mã QH`, `Mã PX`, with their names), or the units of one level (`Mã`, `Tên`, `Cấp`, with
/// the codes of the units above). Of such a list the kind becomes `kind`, and the name is the rest
/// (`Phường Phúc Xá`); codes that lost their zeros are refused. A workbook has one sheet with cells that
/// is not hidden, and no merged cells there. Units that already exist exactly as listed stay as they
/// are.
#[utoipa::path(
    tag = "units",
    params(ImportParams, Called<ListBody>),
    request_body(content(
        (String = "text/csv", example = json!("code,name,level,parent_code,kind\n89,An Giang,province,,tỉnh\n887,Tân Châu,town,89,thị xã\n")),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", example = json!("(the bytes of a workbook)")),
    )),
    responses((status = 200, description = "What was done", body = ImportResult)),
)]
#[post("/units/import")]
pub async fn import_units(
    application: web::Data<Application>,
    Params(params): Params<ImportParams>,
    Called { call, body }: Called<ListBody>,
) -> Result<HttpResponse, Problem> {
    let list = UnitList {
        file: body.into(),
        valid_from: params.valid_from.map(Day::get),
        country: None,
        mode: ImportMode::of_parameter(params.dry_run),
    };
    change(application, call, list, import::import_units).await
}
