//! The caller's own account.

use actix_web::{HttpResponse, get, web};

use super::answer::json;
use super::problem::Problem;
use super::request::{Now, SignedIn};
use crate::service::Application;
use crate::service::people::me::{self, MeView};

/// Read the caller's account and grants.
#[utoipa::path(
    tag = "sign-in",
    responses((status = 200, description = "The caller's account and grants", body = MeView)),
)]
#[get("/me")]
pub async fn get_me(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    now: Now,
) -> Result<HttpResponse, Problem> {
    let view = super::blocking(move || me::get_me(&application, &identity, now.0)).await?;
    Ok(json(&view))
}
