//! The log of attempts to sign in.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::problem::Problem;
use super::request::page::{page_request, page_response};
use super::request::{Params, SeenEtags, SignedIn};
use crate::service::Application;
use crate::service::application::page::Page;
use crate::service::people::sign_in_attempt::{self, SignInAttemptView};

/// The attempts to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SignInAttemptParams {
    /// Attempts with this login only.
    #[param(nullable = false, example = "0912345678")]
    login: Option<String>,
    /// The `next` of the previous page; omit it for the first page.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// The most items to return.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
}

/// List the attempts to sign in to the tenant, the newest first.
///
/// They are stored for 90 days, the newest 10,000 at most. Of refusals after too many failures, and
/// of refresh tokens that do not serve, one a minute from an address is listed.
#[utoipa::path(
    tag = "people",
    params(SignInAttemptParams, SeenEtags),
    responses((status = 200, description = "A page of attempts", body = Page<SignInAttemptView>)),
)]
#[get("/sign-ins")]
pub async fn list_sign_ins(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    request: HttpRequest,
    Params(params): Params<SignInAttemptParams>,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let page = page_request(params.cursor, params.limit)?;
    let attempts = super::blocking(move || {
        let login = params.login.as_deref();
        sign_in_attempt::list_sign_ins(&application, &identity, login, &page)
    });
    Ok(page_response(&request, &seen, &attempts.await?))
}
