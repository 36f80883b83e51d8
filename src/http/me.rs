//! The caller's own account, password and sessions.

use actix_web::{HttpResponse, delete, get, put, web};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{change, change_named, reply, shown};
use super::problem::{Problem, too_many_failures};
use super::refusal::AgainstRules;
use super::request::{Called, ClientOf, JsonBody, NoBody, Now, SeenEtags, SignedIn};
use super::token::PasswordSlots;
use crate::service::Application;
use crate::service::application::call::Call;
use crate::service::people::me::{self, ChangedPassword, MeError, MeView};
use crate::service::people::session::{self, SessionList};

/// Read the caller's account and grants.
///
/// And the forms that the caller may submit, with the units and levels.
#[utoipa::path(
    tag = "sign-in",
    params(SeenEtags),
    responses((status = 200, description = "The caller's account and grants", body = MeView)),
)]
#[get("/me")]
pub async fn get_me(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    now: Now,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let view = super::blocking(move || me::get_me(&application, &identity, now.0)).await?;
    Ok(shown(&seen, &view))
}

/// The caller's present password and the next one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    #[schema(format = Password)]
    pub current_password: String,
    /// 12 to 128 characters, and not a common one.
    #[schema(format = Password, min_length = 12, max_length = 128)]
    pub new_password: String,
}

/// Change the caller's password. All other sessions of the account end.
///
/// The present password is asked for once more. The session of this request goes on.
#[utoipa::path(
    tag = "sign-in",
    request_body = PasswordBody,
    responses((status = 204, description = "The password is changed"), AgainstRules),
)]
#[put("/me/password")]
pub async fn put_my_password(
    application: web::Data<Application>,
    slots: web::Data<PasswordSlots>,
    SignedIn(identity): SignedIn,
    now: Now,
    ClientOf(client): ClientOf,
    body: JsonBody<PasswordBody>,
) -> Result<HttpResponse, Problem> {
    // Without a key: a stored hash of the body would tell the password to whoever guesses it.
    let call = Call::new(identity, now.0);
    let body = body.into_value();
    let changed = ChangedPassword {
        current: body.current_password,
        new: body.new_password,
    };
    let slot = slots.take().await?;
    let done = super::blocking(move || {
        let _slot = slot;
        let done = me::put_my_password(&application, &call, &changed, client.address);
        Ok::<_, MeError>(done)
    });
    match done.await? {
        Ok(done) => Ok(reply(done)),
        Err(MeError::TooMany(too_many)) => Err(too_many_failures(too_many)),
        Err(error) => Err(error.into()),
    }
}

/// List the caller's sessions, the last used first.
///
/// A session is one sign-in. End those that are not known.
#[utoipa::path(
    tag = "sign-in",
    params(SeenEtags),
    responses((status = 200, description = "The sessions", body = SessionList)),
)]
#[get("/me/sessions")]
pub async fn list_my_sessions(
    application: web::Data<Application>,
    SignedIn(identity): SignedIn,
    now: Now,
    seen: SeenEtags,
) -> Result<HttpResponse, Problem> {
    let list = super::blocking(move || session::list_my_sessions(&application, &identity, now.0));
    Ok(shown(&seen, &list.await?))
}

/// A session in a path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SessionPath {
    /// Its id.
    session: String,
}

/// End one of the caller's sessions: its tokens serve no more.
///
/// The device that it is on must sign in again.
#[utoipa::path(
    tag = "sign-in",
    params(SessionPath, Called<NoBody>),
    responses((status = 204, description = "The session has ended")),
)]
#[delete("/me/sessions/{session}")]
pub async fn end_my_session(
    application: web::Data<Application>,
    path: web::Path<SessionPath>,
    Called { call, .. }: Called<NoBody>,
) -> Result<HttpResponse, Problem> {
    change_named(
        application,
        call,
        path.into_inner().session,
        session::end_my_session,
    )
    .await
}

/// End all of the caller's sessions, this one too.
///
/// Every token of the account serves no more; sign in again.
#[utoipa::path(
    tag = "sign-in",
    params(Called<NoBody>),
    responses((status = 204, description = "The sessions have ended")),
)]
#[delete("/me/sessions")]
pub async fn end_my_sessions(
    application: web::Data<Application>,
    Called { call, .. }: Called<NoBody>,
) -> Result<HttpResponse, Problem> {
    change(application, call, (), session::end_my_sessions).await
}
