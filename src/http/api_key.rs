//! The keys of programs.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{change, change_named, shown};
use super::problem::Problem;
use super::request::page::{PageParams, page_request, page_response};
use super::request::{Called, JsonBody, NoBody, Now, Params, SeenEtags, SignedIn};
use crate::domain::day::Day;
use crate::service::Application;
use crate::service::application::page::Page;
use crate::service::people::api_key::{self, EnteredKey, KeyView, NewKeyView};

/// A key in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct KeyPath {
    /// Its id.
    key: String,
}

/// List the keys of programs that the caller manages.
///
/// Expired keys are among them until they are deleted. Their secrets are stored nowhere.
#[utoipa::path(
    tag = "people",
    params(PageParams, SeenEtags),
    responses((status = 200, description = "A page of keys", body = Page<KeyView>)),
)]
#[get("/keys")]
pub async fn list_keys(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    request: HttpRequest,
    Params(params): Params<PageParams>,
    now: Now,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let page = page_request(params.cursor, params.limit)?;
    let keys = super::blocking(move || api_key::list_keys(&application, &identity, &page, now.0));
    Ok(page_response(&request, &seen, &keys.await?))
}

/// A key to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyBody {
    /// The name of the program. Two keys of one name at one unit may serve at once, so that a new key
    /// can replace an old one.
    #[schema(example = "dashboard")]
    pub name: String,
    /// The unit on whose subtree the key serves: its id, or `code:` and its code. Omit it for the
    /// whole tenant, which an administrator may.
    #[schema(example = "code:30388")]
    pub unit: Option<String>,
    /// The operations that the key allows: operationIds, `read` for all that read, `submit` for all by
    /// which a reporter submits.
    #[schema(example = json!(["read"]))]
    pub operations: Vec<String>,
    /// The last day on which the key serves, in the tenant's time zone: at most two years from today.
    #[schema(value_type = String, format = Date, example = "2027-12-31")]
    pub last_day: Day,
}

/// Create a key for a program.
///
/// The key is in this answer only. Send it as `Authorization: Bearer thk_…`, or get access tokens for
/// it with `grant_type=client_credentials`. It allows no more than its maker may do at the unit.
///
/// A key for a unit may not name what is about the whole tenant: `put_level`, `put_indicator`,
/// `put_holidays`, `import_units`, `list_reorganisations`, `get_reorganisation`,
/// `preview_reorganisation`, `create_reorganisation`, `undo_reorganisation`.
#[utoipa::path(
    tag = "people",
    params(Called<JsonBody<KeyBody>>),
    request_body = KeyBody,
    responses((status = 201, description = "The new key", body = NewKeyView)),
)]
#[post("/keys")]
pub async fn create_key(
    application: web::Data<Application>,
    Called { call, body }: Called<JsonBody<KeyBody>>,
) -> Result<HttpResponse, Problem> {
    let entered = EnteredKey {
        name: body.name,
        unit: body.unit,
        operations: body.operations,
        last_day: body.last_day.get(),
    };
    change(application, call, entered, api_key::create_key).await
}

/// Read a key.
///
/// Without its secret, which is stored nowhere. A deleted key is not there any more.
#[utoipa::path(
    tag = "people",
    params(KeyPath, SeenEtags),
    responses((status = 200, description = "The key", body = KeyView)),
)]
#[get("/keys/{key}")]
pub async fn get_key(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    path: web::Path<KeyPath>,
    now: Now,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let key = super::blocking(move || api_key::get_key(&application, &identity, &path.key, now.0))
        .await?;
    Ok(shown(&seen, &key))
}

/// Delete a key: it and its tokens serve no more.
///
/// What it has sent stays. There is no way back: create another one.
#[utoipa::path(
    tag = "people",
    params(KeyPath, Called<NoBody>),
    responses((status = 204, description = "The key is deleted")),
)]
#[delete("/keys/{key}")]
pub async fn delete_key(
    application: web::Data<Application>,
    path: web::Path<KeyPath>,
    Called { call, .. }: Called<NoBody>,
) -> Result<HttpResponse, Problem> {
    change_named(
        application,
        call,
        path.into_inner().key,
        api_key::delete_key,
    )
    .await
}
