//! Signing in.

use crate::locale::Quoted;
use crate::path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{self, CACHE_CONTROL};
use actix_web::{HttpResponse, post, web};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::ToSchema;

use super::answer::with_json;
use super::problem::{self, Problem, too_many_failures};
use super::request::{BasicCredentials, ClientOf, Fields, Now, note_use};
use crate::error::{Code, Fault};
use crate::message;
use crate::service::Application;
use crate::service::people::program::{ProgramCredentials, ProgramTokenError, issue_program_token};
use crate::service::people::token::{self, Client, Credentials, SignInError, TokenView};

/// Credentials (RFC 6749, sections 4.3, 4.4 and 6).
///
/// Other parameters are ignored, as the RFC requires.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TokenRequest {
    /// `password`, `refresh_token`, or `client_credentials` for a program.
    #[schema(
        example = "password",
        max_length = 20,
        pattern = "^(password|refresh_token|client_credentials)$"
    )]
    pub grant_type: String,
    /// The tenant's slug; may be omitted while there is only one tenant.
    #[schema(example = "mttq-an-giang")]
    pub tenant: Option<String>,
    /// The login, for `password`.
    #[schema(example = "commune@demo")]
    pub username: Option<String>,
    /// For `password`.
    #[schema(format = Password)]
    pub password: Option<String>,
    /// For `refresh_token`.
    pub refresh_token: Option<String>,
    /// The key's prefix or id, for `client_credentials`. It and the key may stand in the Authorization
    /// header instead (`Basic`).
    #[schema(example = "thk_5m2x8q9r")]
    pub client_id: Option<String>,
    /// The key, for `client_credentials`.
    #[schema(format = Password)]
    pub client_secret: Option<String>,
}

/// Sign in with a password, a refresh token or a program's key.
///
/// Follows OAuth 2 (RFC 6749): the fields are sent as a form. An access token serves for some minutes;
/// a person gets a new one by the refresh token, which serves once, and a program by its key.
#[utoipa::path(
    tag = "sign-in",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "An access token and, for a person, the refresh token for the next one", body = TokenView)),
)]
#[post("/auth/token")]
pub async fn issue_token(
    application: web::Data<Application>,
    slots: web::Data<PasswordSlots>,
    now: Now,
    ClientOf(client): ClientOf,
    basic: BasicCredentials,
    body: Fields<TokenRequest>,
) -> Result<HttpResponse, Problem> {
    let view = match asked(body.value, basic)? {
        AskedToken::ByPerson(credentials) => {
            person_token(application, &slots, credentials, client, now).await?
        }
        AskedToken::ByProgram(credentials) => {
            program_token(application, credentials, client, now).await?
        }
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    Ok(with_json(&mut response, &view))
}

/// Makes the answer to a failed sign-in, which waits if there were many before.
async fn refusal(error: SignInError) -> Problem {
    match error {
        SignInError::TooMany(too_many) => too_many_failures(too_many),
        SignInError::WrongPassword { pause } => {
            tokio::time::sleep(pause).await;
            error.into()
        }
        SignInError::Store(_)
        | SignInError::Token(_)
        | SignInError::TenantRequired
        | SignInError::WrongRefreshToken
        | SignInError::NoRandomness(_) => error.into(),
    }
}

async fn person_token(
    application: web::Data<Application>,
    slots: &PasswordSlots,
    credentials: Credentials,
    client: Client,
    now: Now,
) -> Result<TokenView, Problem> {
    let slot = match &credentials {
        Credentials::Password { .. } => Some(slots.take().await?),
        Credentials::RefreshToken(_) => None,
    };
    let issued = super::blocking(move || {
        // Held while the work goes on, even if the caller has gone.
        let _slot = slot;
        let issued = token::issue_token(&application, &credentials, &client, now.0);
        Ok::<_, SignInError>(issued)
    })
    .await?;
    match issued {
        Ok(view) => Ok(view),
        Err(error) => Err(refusal(error).await),
    }
}

async fn program_token(
    application: web::Data<Application>,
    credentials: ProgramCredentials,
    client: Client,
    now: Now,
) -> Result<TokenView, Problem> {
    let asked = application.clone();
    let issuing = super::blocking(move || {
        let issued = issue_program_token(&asked, &credentials, client.address, now.0);
        Ok::<_, ProgramTokenError>(issued)
    });
    let token = match issuing.await? {
        Ok(token) => token,
        Err(ProgramTokenError::TooMany(too_many)) => return Err(too_many_failures(too_many)),
        Err(error) => return Err(error.into()),
    };
    note_use(&application, token.program, now);
    Ok(token.view)
}

/// Who asks for a token.
enum AskedToken {
    ByPerson(Credentials),
    ByProgram(ProgramCredentials),
}

fn asked(request: TokenRequest, basic: BasicCredentials) -> Result<AskedToken, Problem> {
    match request.grant_type.as_str() {
        "password" => match (request.username, request.password) {
            (Some(username), Some(password)) => Ok(AskedToken::ByPerson(Credentials::Password {
                tenant: request.tenant,
                username,
                password,
            })),
            (username, password) => Err(missing(&[
                ("username", username.is_none()),
                ("password", password.is_none()),
            ])),
        },
        "refresh_token" => match request.refresh_token {
            Some(refresh_token) => Ok(AskedToken::ByPerson(Credentials::RefreshToken(
                refresh_token,
            ))),
            None => Err(missing(&[("refresh_token", true)])),
        },
        "client_credentials" => match (basic.0, request.client_id, request.client_secret) {
            (Some((client, secret)), None, None) | (None, Some(client), Some(secret)) => {
                Ok(AskedToken::ByProgram(ProgramCredentials { client, secret }))
            }
            (Some(_), _, _) => Err(Problem::new(
                Code::InvalidBody,
                message!("token-client-twice"),
            )),
            (None, client, secret) => Err(missing(&[
                ("client_id", client.is_none()),
                ("client_secret", secret.is_none()),
            ])),
        },
        other => Err(Problem::new(
            Code::UnsupportedGrantType,
            message!("token-unknown-grant-type", other = Quoted(&other)),
        )),
    }
}

fn missing(fields: &[(&'static str, bool)]) -> Problem {
    let names = fields
        .iter()
        .filter(|(_, missing)| *missing)
        .map(|(name, _)| name);
    let faults: Vec<Fault> = names
        .map(|name| {
            Fault::in_body(
                path![*name],
                Code::MissingField,
                message!("token-missing", name),
            )
        })
        .collect();
    Problem::new(Code::InvalidBody, message!("token-field-missing")).with_faults(faults)
}

/// Limits the passwords that are hashed at once, to half the processors: each takes 20 ms and 19
/// MiB.
#[derive(Clone)]
pub struct PasswordSlots(Arc<Semaphore>);

/// The time for which a sign-in waits before it is refused.
const WAIT_FOR_SLOT: Duration = Duration::from_secs(5);

impl Default for PasswordSlots {
    fn default() -> PasswordSlots {
        PasswordSlots(Arc::new(Semaphore::new((processors() / 2).max(1))))
    }
}

impl PasswordSlots {
    /// Takes a slot. It is freed on drop.
    ///
    /// # Errors
    /// Too many others are waiting.
    pub async fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        match tokio::time::timeout(WAIT_FOR_SLOT, self.0.clone().acquire_owned()).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) | Err(_) => Err(too_many_sign_ins()),
        }
    }
}

fn too_many_sign_ins() -> Problem {
    Problem::new(Code::TooManySignIns, message!("token-too-many-sign-ins"))
        .with_header(header::RETRY_AFTER, problem::retry_after())
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}
