//! Completeness.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::problem::Problem;
use super::request::page::{linked_response, page_request};
use super::request::{Now, Params, SeenEtags, SignedIn};
use crate::domain::day::Day;
use crate::service::Application;
use crate::service::application::locate::ReportPath;
use crate::service::report::completeness::{
    self, CompletenessQuery, CompletenessView, ProgressKind,
};

/// The map to count on, and the units to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CompletenessParams {
    /// The day whose map the units are counted on: the period's last day or a later one.
    #[param(nullable = false, example = "2025-07-01", value_type = Option<String>, format = Date)]
    as_of: Option<Day>,
    /// List units of the subtree, with the people to call: `children`, or `level:` and the code of a
    /// level. With `status` alone it is `children`.
    #[param(
        nullable = false,
        example = "level:hamlet",
        max_length = 46,
        pattern = "^(children|level:[a-z][a-z0-9_]*)$"
    )]
    of: Option<String>,
    /// List only units of which, or below which, something is so.
    #[param(nullable = false, inline, example = "missing")]
    status: Option<ProgressKind>,
    /// The `next` of the previous page; omit it for the first page.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// The most units to list.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

/// What is listed by default, if anything is.
const CHILDREN: &str = "children";

impl CompletenessParams {
    fn query(self) -> Result<Option<CompletenessQuery>, Problem> {
        let page = page_request(self.cursor, self.limit)?;
        let of = self.of.or_else(|| self.status.map(|_| CHILDREN.to_owned()));
        Ok(of.map(|of| CompletenessQuery {
            of,
            status: self.status,
            page,
        }))
    }
}

/// Count the units of a subtree that have reported, and list those that have not.
///
/// Counts the units that must report on the form for the period, in the subtree and below each child,
/// and says which of them have and which are late. With `of` the units of a level are listed instead of
/// the children, with those to call where something is missing: `of=level:commune&status=missing`.
#[utoipa::path(
    tag = "reports",
    params(ReportPath, CompletenessParams, SeenEtags),
    responses((status = 200, description = "How far the unit and each of its children are", body = CompletenessView)),
)]
#[get("/forms/{form}/periods/{period}/units/{unit}/completeness")]
pub async fn get_completeness(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    request: HttpRequest,
    path: web::Path<ReportPath>,
    Params(params): Params<CompletenessParams>,
    now: Now,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let as_of = params.as_of.map(Day::get);
    let query = params.query()?;
    let view = super::blocking(move || match query {
        None => completeness::get_completeness(&application, &identity, &path, as_of, now.0),
        Some(query) => {
            completeness::list_completeness(&application, &identity, &path, as_of, &query, now.0)
        }
    })
    .await?;
    let next = view.next.as_deref();
    Ok(linked_response(&request, &seen, &view, next))
}
