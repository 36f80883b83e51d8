//! Invitations, as their holders accept them.

use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::problem::{Problem, too_many_failures};
use super::refusal::AgainstRules;
use super::request::{ClientOf, JsonBody, Now};
use super::token::PasswordSlots;
use crate::service::Application;
use crate::service::people::invitation::{self, AcceptedInvitation, InvitationError};

/// A code and the password that its holder has chosen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptBody {
    /// The tenant's slug.
    #[schema(example = "mttq-an-giang")]
    pub tenant: String,
    /// The code, in any case and with any gaps.
    #[schema(
        example = "7K2MX-Q9RTA-4HVNC-W8EJB",
        max_length = 100,
        pattern = r"^[A-Za-z0-9\s-]+$"
    )]
    pub code: String,
    /// 12 to 128 characters, and not a common one.
    #[schema(format = Password, min_length = 12, max_length = 128)]
    pub password: String,
}

/// Accept an invitation: choose the account's password.
///
/// The code is what an administrator handed out. It serves once and for a limited time; who is too
/// late asks for a new one.
#[utoipa::path(
    tag = "sign-in",
    request_body = AcceptBody,
    responses((status = 204, description = "The password is set; sign in with it"), AgainstRules),
)]
#[post("/auth/invitation")]
pub async fn accept_invitation(
    application: web::Data<Application>,
    slots: web::Data<PasswordSlots>,
    now: Now,
    ClientOf(client): ClientOf,
    body: JsonBody<AcceptBody>,
) -> Result<HttpResponse, Problem> {
    let body = body.into_value();
    let accepted = AcceptedInvitation {
        tenant: body.tenant,
        code: body.code,
        password: body.password,
    };
    let slot = slots.take().await?;
    let done = super::blocking(move || {
        let _slot = slot;
        let address = client.address;
        let done = invitation::accept_invitation(&application, &accepted, address, now.0);
        Ok::<_, InvitationError>(done)
    });
    match done.await? {
        Ok(()) => Ok(HttpResponse::NoContent().finish()),
        Err(InvitationError::TooMany(too_many)) => Err(too_many_failures(too_many)),
        Err(error) => Err(error.into()),
    }
}
