//! Sheets and templates: what units enter into, and what they find there.

use actix_web::http::header::{
    self, Accept, ContentDisposition, DispositionParam, DispositionType, Header,
};
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{conditional, shown};
use super::change::varying;
use super::problem::{Problem, preferred_language};
use super::refusal::AgainstRules;
use super::request::{Params, SeenEtags, SignedIn};
use crate::service::Application;
use crate::service::application::condition::Etag;
use crate::service::application::locate::ReportPath;
use crate::service::submission::sheet::{self, SheetFile};
use crate::service::submission::template::{self, TemplateView};

/// The media type of XLSX.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A workbook in the format XLSX.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct SheetBytes(#[expect(dead_code, reason = "only its schema is of use")] Vec<u8>);

/// Get the sheet (bảng nhập) of a unit and of all below it that submit.
///
/// One XLSX file to fill in: a row for each figure of each unit, with its unit of measure, the values
/// of the period before beside it, and what was entered for this period. Its headings and texts are in
/// the language of Accept-Language. A hidden sheet has the revision of each unit, so that a stale sheet
/// is told from a fresh one when it comes back.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, SeenEtags),
    responses(
        (status = 200, description = "The sheet", body = SheetBytes, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        AgainstRules,
    ),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/sheet")]
pub async fn get_sheet(
    request: HttpRequest,
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let language = preferred_language(&request);
    let file = super::blocking(move || sheet::get_sheet(&application, &identity, &path, language));
    Ok(workbook(file.await?, &seen))
}

/// The form in which a template comes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TemplateParams {
    /// `xlsx`: the sheet of this unit alone. It counts before Accept.
    #[param(nullable = false, inline)]
    format: Option<TemplateFormat>,
}

/// A form in which a template comes.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplateFormat {
    Json,
    Xlsx,
}

/// Read what a unit is asked for: its fields, each with the value of the period before.
///
/// Also the deadline, what was entered already, and the reasons of a return that the unit has to
/// answer. With `Accept` of XLSX, or `?format=xlsx`, the same as the sheet of this unit alone.
#[utoipa::path(
    tag = "submissions",
    params(ReportPath, TemplateParams, SeenEtags),
    responses(
        (status = 200, description = "The fields of the unit", content(
            (TemplateView = "application/json"),
            (SheetBytes = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        AgainstRules,
    ),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/submission/template")]
pub async fn get_template(
    request: HttpRequest,
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<ReportPath>,
    Params(params): Params<TemplateParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let response = match params.format.unwrap_or_else(|| wanted(&request)) {
        TemplateFormat::Json => {
            let view =
                super::blocking(move || template::get_template(&application, &identity, &path));
            shown(&seen, &view.await?)
        }
        TemplateFormat::Xlsx => {
            let language = preferred_language(&request);
            let file = super::blocking(move || {
                sheet::get_sheet_of_unit(&application, &identity, &path, language)
            });
            workbook(file.await?, &seen)
        }
    };
    Ok(varying(response))
}

/// Returns the first of the two formats among those that the caller accepts, the most wanted first.
fn wanted(request: &HttpRequest) -> TemplateFormat {
    let accepted = Accept::parse(request).map(|accept| accept.ranked());
    let formats = accepted.unwrap_or_default().into_iter();
    let mut formats = formats.filter_map(|accepted| match accepted.essence_str() {
        XLSX => Some(TemplateFormat::Xlsx),
        "application/json" | "application/*" | "*/*" => Some(TemplateFormat::Json),
        _ => None,
    });
    formats.next().unwrap_or(TemplateFormat::Json)
}

fn workbook(file: SheetFile, seen: &SeenEtags) -> HttpResponse {
    conditional(&Etag::of_bytes(&file.bytes), seen, |mut response| {
        response
            .insert_header((header::CONTENT_TYPE, XLSX))
            .insert_header(ContentDisposition {
                disposition: DispositionType::Attachment,
                parameters: vec![DispositionParam::Filename(file.name)],
            })
            .body(file.bytes)
    })
}
